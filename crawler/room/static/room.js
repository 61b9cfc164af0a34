// Keys: / search, j and k next and previous, n and N next and previous hit, d differences, o archived page, ? help.
// The pages work without it.
"use strict";
(function () {
  const items = Array.from(document.querySelectorAll("main a.item"));
  let place = -1;

  function step(by) {
    const beside = document.querySelector(by > 0 ? "a.next" : "a.prev");
    if (!items.length) {
      if (beside) beside.click();
      return;
    }
    if (items[place]) items[place].closest("li").classList.remove("here");
    place = Math.min(Math.max(place + by, 0), items.length - 1);
    items[place].closest("li").classList.add("here");
    items[place].focus();
  }

  // The focus moves along, so that Tab goes on from there.
  function show(element, block) {
    if (element.tabIndex < 0) element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: block });
  }

  const hits = Array.from(document.querySelectorAll("article mark"));
  let hit = -1;

  function stepToHit(by) {
    if (!hits.length) return;
    if (hits[hit]) hits[hit].classList.remove("here");
    hit = hit < 0 && by < 0 ? hits.length - 1 : (hit + by + hits.length) % hits.length;
    hits[hit].classList.add("here");
    show(hits[hit], "center");
  }

  function follow(selector) {
    const link = document.querySelector(selector);
    if (link) link.click();
  }

  const keys = {
    "/": () => { const box = document.getElementById("q"); box.focus(); box.select(); },
    j: () => step(1),
    k: () => step(-1),
    n: () => stepToHit(1),
    N: () => stepToHit(-1),
    d: () => { const found = document.getElementById("versions"); if (found) show(found, "start"); },
    o: () => follow("a.original"),
    "?": () => follow('nav.main a[href="/help"]'),
  };

  document.addEventListener("keydown", function (event) {
    const typing = event.target.closest("input, select, textarea");
    if (typing && event.key === "Escape") typing.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
