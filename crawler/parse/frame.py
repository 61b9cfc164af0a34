"""Find the page's own article among other elements with the same CSS classes.

Sidebar stories, preloaded next articles and comments use the same markup. The article consists of a headline, a body
(advertising may split it into several elements), and the smallest element that contains both.

Boundary: reads the tree with one layout; does not read the article's fields.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import site, urls
from crawler.markup import Markup
from crawler.parse import dom
from crawler.parse import head as head_reader
from crawler.parse.head import Head

_MAY_BE_NOISE = "[class], [id]"
_MAX_CANDIDATES = 30  # headlines per selector, and bodies, examined on one page; a hostile page may have thousands
_MAX_AFTER = 20  # nodes after a body that are searched for bare text
_BESIDE = ("aside", "nav", "footer")  # HTML elements that are never part of the article; a layout adds its own lists


@dataclass(frozen=True)
class PageTree:
    """One parsed page, and what is known about it before its fields are read. `html` is its source in UTF-8."""

    tree: LexborHTMLParser
    head: Head
    url: str
    fetched_at: datetime
    post_id: int | None
    problems: tuple[str, ...]
    html: bytes = b""

    def resolve(self, link: str) -> str | None:
        """Return the absolute URL of `link`, a link on the page; None if it is not an http or https URL.

        If the page is a copy of the Wayback Machine, whose links lead to other copies, the original URL is returned.
        """
        url = urls.absolute(self.head.base, link)
        return urls.original(url) if url is not None else None

    @cached_property
    def news(self) -> Mapping[str, Any]:
        """The JSON-LD object of the page's own article; an empty object if there is none."""
        return self.head.news_article(self.post_id)

    @cached_property
    def titles(self) -> frozenset[str]:
        """The article's headlines according to the page's metadata, normalised by `comparable`."""
        stated = (self.head.meta.get("og:title"), self.news.get("headline"), self.head.title)
        names = map(head_reader.text_of, stated)
        return frozenset(comparable(re.sub(site.TITLE_SUFFIX, "", name)) for name in names if name)


@dataclass(frozen=True)
class Frame:
    """The elements of one article: its headline, the parts of its body, and `root`, the smallest element around them.

    `beside` contains the CSS selectors of elements inside `root` that are not part of the article, and `foreign` the ids
    (`mem_id`) of further ones, such as the stories under `Voir plus`.
    """

    title: LexborNode
    bodies: tuple[LexborNode, ...]
    root: LexborNode
    beside: tuple[str, ...]
    foreign: frozenset[int] = frozenset()

    @property
    def body(self) -> LexborNode:
        """The first element of the body."""
        return self.bodies[0]

    def text(self, node: LexborNode, layout: Markup, skip: frozenset[int] = frozenset()) -> str:
        """Return the text of an element of the article, without the nodes whose ids (`mem_id`) are in `skip`.

        What is never text of the article, such as the names of its authors, is left out, too. If the element contains the
        body, or if the headline contains the lead, its end tag is missing: the text then ends where the next part of the
        article begins.
        """
        first = node.first_child
        is_plain = first is None or (first.is_text_node and first.next is None)
        if not is_plain and any(n.mem_id != node.mem_id for n in node.css(_MAY_BE_NOISE)):
            skip |= dom.ids(dom.select(node, layout.body.noise)) - {node.mem_id}
        if node.mem_id not in self._around_body and not self._is_around_lead(node, layout):
            return dom.text(node, skip)
        article = layout.article
        selectors = (*article.title, *article.lead, *article.byline, *article.time, *article.avatar, *article.tags)
        parts = [*(part for part in dom.select(node, selectors) if part.mem_id != node.mem_id), *self.bodies]
        ends = (_from_first(node, dom.ids(parts), dom.around(parts), blocks=blocks) for blocks in (True, False))
        return next(filter(None, (dom.text(node, skip | end) for end in ends)), "")

    def paragraphs(self, page: LexborHTMLParser) -> list[LexborNode]:
        """Return each `<p>` that belongs neither to another article nor to a list of stories, or is in the body.

        Bare texts with the name of the agency inside the body or directly after it are returned, too.
        """
        beside = self._beside_on(page.root) if page.root else frozenset()
        inside = [node for body in self.bodies for node in dom.outside(body.css("p"), self.foreign)]
        signing = (body for body in self.bodies if site.names_agency(body.text(deep=True)))
        texts = [node for body in signing for node in body.traverse(include_text=True) if node.is_text_node]
        texts += [node for body in self.bodies for node in islice(dom.following(body), _MAX_AFTER) if node.is_text_node]
        signed = [node for node in texts if site.names_agency(node.text_content or "")]
        return [*dom.outside(page.css("p"), beside), *inside, *dom.outside(signed, self.foreign)]

    def own(self, selectors: Sequence[str]) -> list[LexborNode]:
        """Return the elements of the article that match one of `selectors`.

        Elements in the body or in lists of other stories are left out. The selectors are tried in order; only the first
        one that finds such an element is used.
        """
        return _outside(self.root, selectors, lambda: self._beside_or_body)

    def displaced(self, page: LexborHTMLParser, selectors: Sequence[str]) -> list[LexborNode]:
        """Return the elements that match one of `selectors` and belong to the article, but may be at any place.

        A missing end tag of the body moves what follows it into the body; a surplus one moves it out of `root`.
        """
        found = _outside(self.root, selectors, lambda: self._beside)
        root = page.root
        return found or (_outside(root, selectors, lambda: self._beside_on(root)) if root else [])

    def _is_around_lead(self, node: LexborNode, layout: Markup) -> bool:
        if node.mem_id != self.title.mem_id or not any(map(dom.is_element, dom.children(node))):
            return False
        return any(lead.mem_id != node.mem_id for lead in dom.select(node, layout.article.lead))

    @cached_property
    def _around_body(self) -> frozenset[int]:
        return dom.ids(dom.ancestors(self.body))

    @cached_property
    def _beside(self) -> frozenset[int]:
        return self._beside_on(self.root)

    @cached_property
    def _beside_or_body(self) -> frozenset[int]:
        around = dom.ids([self.root, *dom.ancestors(self.body)])  # the root is the body if this contains the headline
        return self._beside | (dom.ids(self.bodies) - around)

    def _beside_on(self, root: LexborNode) -> frozenset[int]:
        """Return the ids of the elements inside `root` that are not part of the article."""
        around = dom.ids([self.root, *dom.ancestors(self.root), self.body, *dom.ancestors(self.body)])
        return (dom.ids(dom.select(root, self.beside)) - around) | self.foreign


def _outside(root: LexborNode, selectors: Sequence[str], beside: Callable[[], frozenset[int]]) -> list[LexborNode]:
    """Return the outermost elements that the first successful one of `selectors` finds, without those in `beside`."""
    for selector in selectors:
        nodes = root.css(selector)
        if nodes and (found := dom.outermost(dom.outside(nodes, beside()))):
            return found
    return []


def _from_first(node: LexborNode, parts: frozenset[int], around: frozenset[int], *, blocks: bool) -> frozenset[int]:
    """Return the ids of the first of `parts` inside `node` and of the nodes that follow it inside `node`.

    `around` are the ids of the elements that contain one of `parts`, such as a `<b>` without its end tag. With `blocks`, an
    element around a part counts as the part if it begins a line, such as a `<div>` with a label and a time.
    """
    following: list[LexborNode] = []
    while True:
        children = dom.children(node)
        node = next(child for child in children if child.mem_id in parts or child.mem_id in around)
        following += children  # those after it
        if node.mem_id in parts or (blocks and node.tag in dom.BREAKING):
            return dom.ids([node, *following])


def find(page: PageTree, layout: Markup) -> Frame | None:
    """Return the article whose headline is also in the page's metadata; if there is none, the page's first article.

    Return None if the page has no body with a headline.
    """
    titles = headlines(page, layout)
    frames = [f for body in bodies(page, layout)[:_MAX_CANDIDATES] if (f := _pair(page, layout, body, titles))]
    named = [f for f in frames if comparable(f.text(f.title, layout)) in page.titles]
    chosen = next(iter(named or frames), None)
    if chosen is None:
        return _with_inner_title(page, layout)
    if foreign := _other_articles(page, layout, chosen, titles):
        chosen = replace(chosen, foreign=foreign)
    return _with_further_bodies(chosen, frames) if len(frames) > 1 else chosen


def _with_inner_title(page: PageTree, layout: Markup) -> Frame | None:
    """Return the first body that contains its own headline; None if there is none."""
    for body in bodies(page, layout)[:_MAX_CANDIDATES]:
        found = (n for s in layout.article.inner_title for n in body.css(s)[:_MAX_CANDIDATES] if dom.text(n))
        title = next(found, None)
        if title is not None and title.mem_id != body.mem_id:
            return Frame(title, (body,), body, (*_BESIDE, *layout.article.beside), dom.ids([title]))
    return None


def headlines(page: PageTree, layout: Markup) -> list[LexborNode]:
    """Return all non-empty elements that may be the article's headline, at most 30 per selector."""
    found = dom.select(page.tree, layout.article.title)
    if len(found) < 2:  # on most pages
        return [node for node in found if dom.text(node)]
    return [n for s in layout.article.title for n in page.tree.css(s)[:_MAX_CANDIDATES] if dom.text(n)]


def bodies(page: PageTree, layout: Markup) -> list[LexborNode]:
    """Return the outermost elements that match a body selector of `layout`.

    Of several selectors, only the first one that matches any element is used.
    """
    return dom.outermost(_all_bodies(page, layout))


def _all_bodies(page: PageTree, layout: Markup) -> list[LexborNode]:
    return next((found for selector in layout.article.body if (found := page.tree.css(selector))), [])


def comparable(text: str) -> str:
    """Return a headline normalised for comparison: NFKC, collapsed white space, case folded."""
    return dom.collapse(unicodedata.normalize("NFKC", text)).casefold()


def _pair(page: PageTree, layout: Markup, body: LexborNode, titles: Sequence[LexborNode]) -> Frame | None:
    """Combine `body` and its nearest headline into an article; return None if there is no headline outside the body.

    If several headlines are equally near, the one that is also in the metadata is used, else the first of them.
    """
    wanted, beside = page.titles, (*_BESIDE, *layout.article.beside)
    around = list(dom.ancestors(body))
    # The number of elements between the body and the smallest element that also contains a title; -1 is the body itself.
    distances = {body.mem_id: -1} | {element.mem_id: distance for distance, element in enumerate(around)}
    reached: dict[int, list[LexborNode]] = {}
    for title in titles:
        path: list[int] = []
        current: LexborNode | None = title
        while current is not None and current.mem_id not in distances:
            path.append(current.mem_id)
            current = current.parent
        distance = distances[current.mem_id] if current is not None else len(around)
        distances.update(dict.fromkeys(path, distance))
        reached.setdefault(distance, []).append(title)
    nearest = min((d for d in reached if 0 <= d < len(around)), default=None)
    if nearest is None:
        return None
    near = reached[nearest]
    title = next((t for t in near if comparable(dom.text(t)) in wanted), near[0])
    return Frame(title, (body,), around[nearest], beside)


def _other_articles(page: PageTree, layout: Markup, own: Frame, titles: Sequence[LexborNode]) -> frozenset[int]:
    """Return the ids of the elements of other articles on the page, such as a preloaded next article.

    Another article has its own headline and, after it, its own body. It consists of the largest element around its
    headline that does not contain the own article. If this element does not contain the other body, all elements up to
    the own article, or after the other headline, belong to the other article.
    """
    shown = comparable(own.text(own.title, layout))
    others = [t for t in titles if t.mem_id != own.title.mem_id and comparable(dom.text(t)) != shown]
    if not others:
        return frozenset()
    others = dom.outside(others, dom.ids(dom.select(page.tree, own.beside)) - dom.ids(dom.ancestors(own.body)))
    if not others:
        return frozenset()
    nodes = page.tree.css("*")
    order = {node.mem_id: position for position, node in enumerate(nodes)}  # document order
    places = [order[body.mem_id] for body in _all_bodies(page, layout) if body.mem_id != own.body.mem_id]
    kept = dom.ids([own.title, *dom.ancestors(own.title), own.body, *dom.ancestors(own.body)])
    found: set[int] = set()
    for title in others:
        place = order[title.mem_id]
        if title.mem_id in found or not any(body > place for body in places):
            continue
        top = title
        while top.parent is not None and top.parent.mem_id not in kept:
            top = top.parent
        inside = dom.ids(top.css("*")) | {top.mem_id}
        if any(place < body and nodes[body].mem_id in inside for body in places):
            found |= inside
        elif place > order[own.body.mem_id]:
            crumbs = [order[n.mem_id] for n in dom.select(page.tree, layout.article.breadcrumb)]
            start = min((c for c in crumbs if order[own.body.mem_id] < c < place), default=place)
            found |= dom.ids(nodes[min(start, order[top.mem_id]) :])
        else:
            found |= dom.ids(nodes[place : order[own.title.mem_id]])
    return frozenset(found - kept)


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
        and f.body.mem_id not in chosen.foreign
        and parent is not None
        and f.body.parent is not None
        and f.body.parent.mem_id == parent.mem_id
    ]
    return replace(chosen, bodies=(chosen.body, *further))
