"""Finding the one article of a page among everything that carries its classes.

Sidebar stories, preloaded next articles and comments use the same markup. The article is a headline, a body (which may
be cut into several elements by advertising), and the smallest element that holds both.

Boundary: reads the tree with one layout; decides nothing about fields.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import site, urls
from crawler.markup import Markup
from crawler.parse import dom
from crawler.parse import head as head_reader
from crawler.parse.head import Head

_MOST_FRAMES = 30  # articles on one page that are looked at; a hostile page may have thousands
_BESIDE = ("aside", "nav", "footer")  # HTML's own elements for what is not the article; a layout adds its lists


@dataclass(frozen=True, slots=True)
class Page:
    """One decoded page and what is known of it before its fields are read."""

    tree: LexborHTMLParser
    head: Head
    url: str
    fetched_at: datetime
    post_id: int | None
    problems: tuple[str, ...]

    def resolve(self, link: str) -> str | None:
        """Make a link of the page absolute; None when it leads to no web page."""
        return urls.absolute(self.url, link)

    def titles(self) -> frozenset[str]:
        """Give the article's headline as the head of the page names it, in comparable form."""
        news = self.head.news_article(self.post_id)
        names = (self.head.meta.get("og:title"), head_reader.text_of(news.get("headline")), self.head.title)
        return frozenset(comparable(re.sub(site.TITLE_SUFFIX, "", name)) for name in names if name)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one article stands: its headline, the elements of its body, and the smallest element that holds them."""

    title: LexborNode
    bodies: tuple[LexborNode, ...]
    root: LexborNode
    beside: tuple[str, ...]

    @property
    def body(self) -> LexborNode:
        """The first element of the body."""
        return self.bodies[0]

    def own(self, selectors: Sequence[str]) -> list[LexborNode]:
        """Give the first selector's matches in the article, leaving out lists beside it and the body itself."""
        beside = dom.ids(dom.select(self.root, self.beside)) - {self.root.mem_id} - dom.ids(dom.ancestors(self.root))
        beside = (beside | dom.ids(self.bodies)) - dom.ids(dom.ancestors(self.body))
        for selector in selectors:
            found = [n for n in self.root.css(selector) if not dom.inside(n, beside)]
            if found:
                return found
        return []


def find(page: Page, layout: Markup) -> Frame | None:
    """Find the article that the head of the page names, else the first; None when headline or body is missing."""
    titles = headlines(page, layout)
    frames = [f for body in bodies(page, layout)[:_MOST_FRAMES] if (f := _pair(page, layout, body, titles))]
    named = [f for f in frames if comparable(dom.text(f.title)) in page.titles()]
    chosen = next(iter(named or frames), None)
    return _with_further_bodies(chosen, frames) if chosen else None


def headlines(page: Page, layout: Markup) -> list[LexborNode]:
    """Give everything that may be the headline."""
    return [n for s in layout.article.title for n in page.tree.css(s)[:_MOST_FRAMES] if dom.text(n)]


def bodies(page: Page, layout: Markup) -> list[LexborNode]:
    """Give the outermost elements that the first fitting selector finds."""
    for selector in layout.article.body:
        found = page.tree.css(selector)
        if found:
            identities = dom.ids(found)
            return [n for n in found if not any(a.mem_id in identities for a in dom.ancestors(n))]
    return []


def comparable(text: str) -> str:
    """Give a headline in the form in which two spellings of it are compared."""
    return dom.collapse(unicodedata.normalize("NFKC", text)).casefold()


def _pair(page: Page, layout: Markup, body: LexborNode, titles: Sequence[LexborNode]) -> Frame | None:
    """Pair a body with the headline nearest to it; of several equally near, the one that the head names."""
    wanted, beside = page.titles(), (*_BESIDE, *layout.article.beside)
    paths = [(t, dom.ids([t, *dom.ancestors(t)])) for t in titles]
    outside = [(t, path) for t, path in paths if body.mem_id not in path]
    for root in dom.ancestors(body):
        near = [t for t, path in outside if root.mem_id in path]
        if near:
            return Frame(next((t for t in near if comparable(dom.text(t)) in wanted), near[0]), (body,), root, beside)
    return None


def _with_further_bodies(chosen: Frame, frames: Sequence[Frame]) -> Frame:
    """Add the elements that continue the body: the same headline is theirs, and they stand beside the first."""
    parent = chosen.body.parent
    further = [
        f.body
        for f in frames
        if f.title.mem_id == chosen.title.mem_id
        and f.body.mem_id != chosen.body.mem_id
        and parent is not None
        and f.body.parent is not None
        and f.body.parent.mem_id == parent.mem_id
    ]
    return replace(chosen, bodies=(chosen.body, *further))
