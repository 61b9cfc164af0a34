"""Headless Chromium drives all pages of `vna browse`, in both languages and schemes, at 1280 and 390 pixels.

`./run.sh browser` installs the packages that this needs. Without them, or without Chromium, the tests are skipped.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest
from support import ROOT, FakeClock, mounted, poll, value
from test_browse import browsing

pytest.importorskip("datasette")
sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif("VNA_BROWSER" not in os.environ, reason="takes minutes: ./run.sh browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]

PAGES = {
    "front": "/",
    "article": "/article/{revised}",
    "as of": "/article/{revised}?as_of={first_seen}&known_at={first_seen}",
    "hits": "/article/{revised}?q=le+vietnam",
    "search": "/find?q=vietnam",
    "nothing found": "/find?q=zzzz",
    "refused": "/find?q=%22",
    "timeline": "/timeline?q=vietnam&q=chine&q=mer",
    "coverage": "/coverage",
    "changes": "/changes",
    "kinds": "/changes?kind=figure&kind=name&silent=1",
    "no such pack": "/article/1/evidence.zip",
    "removed": "/removed",
    "prominence": "/prominence?on=2026-11-21",
    "capture": "/capture/{capture}",
    "help": "/help",
    "missing": "/article/1",
}
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
LANGUAGES = ("fr", "en")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("browser"), FakeClock()
    (folder / "config").mkdir()
    (folder / "config" / "crawler.toml").write_text("")
    with mounted(clock, articles=30) as site:
        poll(folder / "archive", clock)
        ids = site.fake_site.ids()
        site.fake_site.revise(ids[-1], silent=True)
        site.fake_site.revise(ids[-2])
        site.fake_site.unpublish(ids[-3])
        clock.advance(hours=3)
        poll(folder / "archive", clock, everything=True)
    return folder / "archive"


@pytest.fixture(scope="module")
def addresses(archive):
    """Run `vna browse`; return the address of each page."""
    found = {
        "revised": value(archive, "SELECT max(article) FROM revisions WHERE revision = 2"),
        "first_seen": value(archive, "SELECT max(seen_at) FROM revisions WHERE revision = 1"),
        "capture": value(archive, "SELECT max(raw_id) FROM articles"),
    }
    with browsing(archive) as (port, _):
        yield {name: f"http://127.0.0.1:{port}{path.format(**found)}" for name, path in PAGES.items()}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@contextmanager
def opened(browser, address, *, width=1280, scheme="light", language="fr", **options):
    """Open a page; yield it with the list of what it requested and what went wrong."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        locale=language,
        reduced_motion="reduce",
        **options,
    )
    page = context.new_page()
    requested, problems = [], []
    page.on("requestfinished", lambda request: requested.append(request.url))
    # What the policy of a page blocks is reported as a request, too, but nothing is sent.
    page.on(
        "requestfailed",
        lambda request: request.failure == "csp" or requested.append(f"{request.url} {request.failure}"),
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(address)
    try:
        yield page, requested, problems
    finally:
        context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_loads_nothing_from_elsewhere(browser, addresses, name, language, scheme, width):
    address = addresses[name]
    host = address.split("/")[2]
    with opened(browser, address, width=width, scheme=scheme, language=language) as (page, requested, problems):
        assert [url for url in requested if url.split("/")[2] != host] == []
        expected = {"refused": "400", "missing": "404", "no such pack": "404", "capture": "locked"}.get(name)
        assert [text for text in problems if expected is None or expected not in text] == []
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
        violations = axe.Axe().run(page, options=options).response["violations"]
        serious = [v for v in violations if v["impact"] in ("serious", "critical")]
        assert [(v["id"], v["nodes"][0]["html"][:300], v["nodes"][0].get("failureSummary")) for v in serious] == []


def test_keys_move_through_a_list_and_to_the_search_box(browser, addresses):
    with opened(browser, addresses["search"]) as (page, _, problems):
        items = page.evaluate("[...document.querySelectorAll('main a.item')].map(a => a.href)")
        for key, number in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.href") == items[number]
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("jk")
        assert page.input_value("#q").endswith("jk")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        page.wait_for_url("**/help")
        assert problems == []


def test_keys_of_an_article_lead_to_its_neighbours_and_to_the_archived_page(browser, addresses):
    with opened(browser, addresses["article"]) as (page, _, _):
        before = page.url
        page.keyboard.press("d")
        assert page.evaluate("document.getElementById('versions').getBoundingClientRect().top") < 844
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.compareDocumentPosition(document.getElementById('versions')) & 2")
        page.keyboard.press("k")
        page.wait_for_url(lambda url: url != before)
        page.keyboard.press("j")
        page.wait_for_url(before)
        page.keyboard.press("o")
        page.wait_for_url("**/capture/*")


def test_keys_move_through_the_hits_of_an_article(browser, addresses):
    with opened(browser, addresses["hits"]) as (page, _, problems):
        count = page.evaluate("document.querySelectorAll('article mark').length")
        assert count > 2
        for key, number in (("n", 0), ("n", 1), ("N", 0), ("N", count - 1), ("n", 0)):
            page.keyboard.press(key)
            current = "[...document.querySelectorAll('article mark')].map(e => e.className).indexOf('here')"
            assert page.evaluate(current) == number
            assert page.evaluate("document.activeElement === document.querySelector('mark.here')")
            assert page.evaluate(
                "(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector('mark.here').getBoundingClientRect())"
            )
        assert problems == []


def test_the_files_of_an_article_are_downloaded(browser, addresses):
    with opened(browser, addresses["article"], accept_downloads=True) as (page, _, _):
        for link, name in (("text=BibTeX >> nth=-1", ".bib"), ("a[download]", ".zip")):
            with page.expect_download() as started:
                page.click(link)
            assert started.value.suggested_filename.endswith(name)


def test_the_pages_work_without_scripts(browser, addresses):
    with opened(browser, addresses["search"], java_script_enabled=False) as (page, _, _):
        page.click("text=sombre")
        assert page.get_attribute("html", "data-theme") == "dark"
        page.click("a[hreflang=en]")
        assert page.get_attribute("html", "lang") == "en"
        page.fill("#q", "chine")
        page.click("form.search button")
        assert "q=chine" in page.url
        assert page.get_attribute("html", "lang") == "en"


def test_a_print_has_the_article_and_its_address_only(browser, addresses):
    with opened(browser, addresses["article"]) as (page, _, _):
        page.emulate_media(media="print")
        assert not page.is_visible("nav.main")
        assert not page.is_visible("form.search")
        assert page.is_visible(".printed")
        assert page.is_visible("article h1")


@pytest.mark.parametrize("name", ["article", "search", "timeline", "coverage"])
@pytest.mark.parametrize("theme", [None, "light", "dark"])
def test_a_print_is_black_on_white_in_any_scheme(browser, addresses, name, theme):
    for scheme in SCHEMES:
        with opened(browser, addresses[name], scheme=scheme) as (page, _, _):
            if theme is not None:
                page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            page.emulate_media(media="print", color_scheme=scheme)
            assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
            assert not any(form.is_visible() for form in page.query_selector_all("form"))


def test_the_archived_page_is_shown_in_the_frame(browser, addresses):
    with opened(browser, addresses["capture"]) as (page, requested, _):
        frame = page.frames[1]
        frame.wait_for_load_state()
        assert frame.evaluate("document.body.innerText.length") > 200
        assert {url.split("/")[2] for url in requested} == {addresses["capture"].split("/")[2]}


def test_the_screenshots_of_the_documents_exist():
    names = {
        f"room-{name}-{width}.png"
        for name in ("front", "article", "diff", "changes", "search", "timeline", "coverage")
        for width in WIDTHS
    }
    assert names <= {path.name for path in (ROOT / "docs" / "images").glob("*.png")}
