"""Helpers for the tests of the fake site: create one, send requests, and read its pages with a small parser.

The parser follows the site dossier and uses nothing of the crawler, so that the tests do not depend on the code that
the fake site is meant to test.
"""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

from crawler.sim.site import FakeSite, SiteRequest, build
from crawler.types import ImageBlock, TextBlock

SEEDS = Path(__file__).parent.parent / "seeds"
BASE = "https://fr.example.test"
NOW = datetime.fromisoformat("2026-11-21T15:00:00+07:00")
SEED_IDS = {"000": 108403, "001": 212024, "002": 201295, "003": 173418, "004": 202538}
GZIP = {"Accept-Encoding": "gzip"}


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


def fake_site(articles=200, options=None, seed=0, now=lambda: NOW, base=BASE) -> FakeSite:
    return build(base, seeds_dir=SEEDS, articles=articles, seed=seed, now=now, options=options)


def get(site: FakeSite, path: str, headers=GZIP):
    return site.respond(SiteRequest("GET", path, headers))


def page(site: FakeSite, path: str) -> str:
    response = get(site, path)
    assert response.status == 200, (path, response.status)
    return response.decoded.decode()


def page_of(site: FakeSite, post_id: int) -> str:
    return page(site, site.story(post_id).path)


VOID = {"meta", "link", "img", "br", "input"}


class Node:
    def __init__(self, tag, attrs=(), parent=None):
        self.tag, self.attrs, self.parent = tag, dict(attrs), parent
        self.children: list[Node | str] = []

    @property
    def classes(self):
        return (self.attrs.get("class") or "").split()

    def all(self, tag=None, cls=None):
        for child in self.children:
            if isinstance(child, Node):
                if (tag in (None, child.tag)) and (cls is None or cls in child.classes):
                    yield child
                yield from child.all(tag, cls)

    def one(self, tag=None, cls=None):
        return next(self.all(tag, cls), None)

    @property
    def text(self):
        parts = (c if isinstance(c, str) else c.text for c in self.children if not is_tag(c, "script"))
        return re.sub(r"[ \t\r\n]+", " ", "".join(parts)).strip(" ")


def is_tag(child, *tags):
    return isinstance(child, Node) and child.tag in tags


class Tree(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.root = self.at = Node("root")
        self.feed(html)
        assert self.at is self.root, f"<{self.at.tag}> is not closed"

    def handle_starttag(self, tag, attrs):
        node = Node(tag, attrs, self.at)
        self.at.children.append(node)
        if tag not in VOID:
            self.at = node

    def handle_startendtag(self, tag, attrs):
        self.at.children.append(Node(tag, attrs, self.at))

    def handle_endtag(self, tag):
        assert tag == self.at.tag, f"</{tag}> closes <{self.at.tag}>"
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)


def tree(html):
    return Tree(html).root


def read(html):
    """Parse the article column of a page."""
    start, end = (html.index(mark) for mark in ('<div class="main-col content-col">', '<div class="sidebar'))
    root = tree(html[start:end])
    body = root.one("div", "article__body")
    images, texts = [], []
    avatar = root.one("figure", "article__avatar")
    if avatar:
        images.append(image(avatar, avatar.one("figcaption")))
    inner = body.one("div") if body.one("div") and body.one("div").attrs.get("align") == "justify" else body
    blocks(inner, images, texts)
    sapo = root.one("div", "article__sapo")
    return {
        "title": root.one("h1", "article__title").text,
        "lead": sapo.one("p").text if sapo else None,
        "texts": texts,
        "images": images,
        "related": related(root),
    }


def image(node, caption):
    img = node.one("img")
    src = img.attrs.get("data-src") or img.attrs["src"]
    return (src, img.attrs["alt"], (caption.text or None) if caption else None)


def blocks(parent, images, texts):
    """Collect pictures, texts between `<br>` tags and texts of block elements; the text after a bare photo is its caption."""
    run, photo = "", None
    for child in [*parent.children, Node("br")]:
        if isinstance(child, str):
            run += child
        elif child.tag == "a":
            assert "cms-relate" in child.classes
        else:
            end_of_run(re.sub(r"[ \t\r\n]+", " ", run).strip(" "), photo, images, texts)
            run, photo = "", child if "article-photo" in child.classes else None
            element(child, images, texts)


def end_of_run(text, photo, images, texts):
    if photo:
        images.append((*image(photo, None)[:2], text or None))
    elif text:
        texts.append(text)


def element(node, images, texts):
    if node.tag == "figure" or "picture" in node.classes:
        images.append(image(node, node.one("figcaption") or node.one("td", "caption")))
    elif node.tag == "ul":
        texts += [li.text for li in node.all("li")]
    elif node.tag in ("p", "h2", "h3", "blockquote") and not node.one("a", "cms-relate"):
        texts.append(node.text)


def related(root):
    stories = list(root.one("div", "timeline").all("article", "story"))
    assert root.one("div", "timeline").one("h3").text == "Voir plus"
    found = []
    for story in stories:
        title, alt = story.one("h2").text, story.one("img").attrs["alt"]
        found.append((title, story.one("div", "story__summary").text, None if alt == title else alt))
    return found


def truth(story, joint=True):
    return {
        "title": story.title,
        "lead": story.lead,
        "texts": [b.text for b in story.blocks if isinstance(b, TextBlock) and b.type not in ("note", "table")],
        "images": [(b.url, b.alt + b.joint, b.caption) for b in story.blocks if isinstance(b, ImageBlock)],
    }


def without_related(reading):
    return {k: v for k, v in reading.items() if k != "related"}


def titles(html):
    return [a.one("h2").text for a in tree(html).all("article", "story") if a.one("h2")]
