"""Find the page's own article among other elements with the same CSS classes.

Sidebar stories, preloaded next articles and comments use the same markup. The article consists of a headline, a body
(advertising may split it into several elements), and the smallest element that contains both.

Boundary: reads the tree with one layout; does not read the article's fields.
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

_MAX_CANDIDATES = 30  # headlines per selector, and bodies, examined on one page; a hostile page may have thousands
_BESIDE = ("aside", "nav", "footer")  # HTML elements that are never part of the article; a layout adds its own lists


@dataclass(frozen=True, slots=True)
class PageTree:
    """One parsed page, and what is known about it before its fields are read."""

    tree: LexborHTMLParser
    head: Head
    url: str
    fetched_at: datetime
    post_id: int | None
    problems: tuple[str, ...]

    def resolve(self, link: str) -> str | None:
        """Return the absolute URL of `link`, a link on the page; None if it is not an http or https URL."""
        return urls.absolute(self.head.base, link)

    def titles(self) -> frozenset[str]:
        """Return the article's headlines according to the page's metadata, normalised by `comparable`."""
        news = self.head.news_article(self.post_id)
        names = (self.head.meta.get("og:title"), head_reader.text_of(news.get("headline")), self.head.title)
        return frozenset(comparable(re.sub(site.TITLE_SUFFIX, "", name)) for name in names if name)


@dataclass(frozen=True, slots=True)
class Frame:
    """The elements of one article: its headline, the parts of its body, and `root`, the smallest element around them.

    `beside` contains the CSS selectors of elements inside `root` that are not part of the article.
    """

    title: LexborNode
    bodies: tuple[LexborNode, ...]
    root: LexborNode
    beside: tuple[str, ...]

    @property
    def body(self) -> LexborNode:
        """The first element of the body."""
        return self.bodies[0]

    def own(self, selectors: Sequence[str]) -> list[LexborNode]:
        """Return the elements of the article that match one of `selectors`.

        Elements in the body or in lists of other stories are left out. The selectors are tried in order; only the first
        one that finds such an element is used.
        """
        beside = dom.ids(dom.select(self.root, self.beside)) - {self.root.mem_id} - dom.ids(dom.ancestors(self.root))
        beside = (beside | dom.ids(self.bodies)) - dom.ids(dom.ancestors(self.body))
        for selector in selectors:
            found = [n for n in self.root.css(selector) if not dom.inside(n, beside)]
            if found:
                return found
        return []


def find(page: PageTree, layout: Markup) -> Frame | None:
    """Return the article whose headline is also in the page's metadata; if there is none, the page's first article.

    Return None if the page has no body with a headline.
    """
    titles = headlines(page, layout)
    frames = [f for body in bodies(page, layout)[:_MAX_CANDIDATES] if (f := _pair(page, layout, body, titles))]
    named = [f for f in frames if comparable(dom.text(f.title)) in page.titles()]
    chosen = next(iter(named or frames), None)
    return _with_further_bodies(chosen, frames) if chosen else None


def headlines(page: PageTree, layout: Markup) -> list[LexborNode]:
    """Return all non-empty elements that may be the article's headline, at most 30 per selector."""
    return [n for s in layout.article.title for n in page.tree.css(s)[:_MAX_CANDIDATES] if dom.text(n)]


def bodies(page: PageTree, layout: Markup) -> list[LexborNode]:
    """Return the outermost elements that match a body selector of `layout`.

    Of several selectors, only the first one that matches any element is used.
    """
    for selector in layout.article.body:
        found = page.tree.css(selector)
        if found:
            identities = dom.ids(found)
            return [n for n in found if not any(a.mem_id in identities for a in dom.ancestors(n))]
    return []


def comparable(text: str) -> str:
    """Return a headline normalised for comparison: NFKC, collapsed white space, case folded."""
    return dom.collapse(unicodedata.normalize("NFKC", text)).casefold()


def _pair(page: PageTree, layout: Markup, body: LexborNode, titles: Sequence[LexborNode]) -> Frame | None:
    """Combine `body` and its nearest headline into an article; return None if there is no headline outside the body.

    If several headlines are equally near, the one that is also in the metadata is used, else the first of them.
    """
    wanted, beside = page.titles(), (*_BESIDE, *layout.article.beside)
    paths = [(t, dom.ids([t, *dom.ancestors(t)])) for t in titles]
    outside = [(t, path) for t, path in paths if body.mem_id not in path]
    for root in dom.ancestors(body):
        near = [t for t, path in outside if root.mem_id in path]
        if near:
            return Frame(next((t for t in near if comparable(dom.text(t)) in wanted), near[0]), (body,), root, beside)
    return None


def _with_further_bodies(chosen: Frame, frames: Sequence[Frame]) -> Frame:
    """Return the article `chosen` with the further elements of its body added.

    These elements are the bodies of other `frames` with the same headline, if they have the same parent element as
    the first body of `chosen`.
    """
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
