"""Finds where the known fields of an article stand on its page.

Boundary: compares the tree with known values; the layout of the page is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from crawler.heal.text_index import TextIndex, build, squeeze
from crawler.parse import dom, time_text
from crawler.parse.frame import PageTree
from crawler.parse.times import instant
from crawler.types import Article, ImageBlock

_SHORT = 20  # squeezed characters; shorter paragraphs may stand anywhere
_ENOUGH = 0.6  # share of the known paragraphs that must stand in one element
_OUTSIDE = ("a", "nav", "aside", "footer", "form", "select", "button")
_LEVELS = 4  # elements around the body that are candidates for it, too

Nodes = tuple[LexborNode, ...]


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page whose article is known from elsewhere. If it is not `complete`, only the metadata of the page is known."""

    page: PageTree
    article: Article
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Places:
    """The nodes where the fields of an article stand. Each tuple contains alternatives, except where it says otherwise.

    - `body`: the innermost element with the paragraphs, then the elements around it.
    - `paragraphs`, `captions`, `pictures`: one node for each that was found.
    - `tags`: all tags.
    """

    known: KnownPage
    index: TextIndex
    title: Nodes
    body: Nodes
    paragraphs: Nodes
    lead: Nodes = ()
    byline: Nodes = ()
    section: Nodes = ()
    times: Nodes = ()
    tags: Nodes = ()
    captions: Nodes = ()
    pictures: Nodes = ()

    @property
    def kept(self) -> frozenset[int]:
        """The ids of the elements that contain known text or pictures, or are such an element."""
        nodes = (*self.paragraphs, *self.captions, *self.pictures)
        return dom.ids(nodes) | dom.around(nodes)


def find(known: KnownPage) -> Places | str:
    """Return the places of the fields, or a text that says why the page cannot be used."""
    index = build(known.page.tree)
    article = known.article
    titles = _outside(index.find(article.title))
    if not titles:
        return "the known title does not stand on the page"
    paragraphs, body = _body(index, article, titles)
    if known.complete and article.paragraphs and not body:
        return "the known paragraphs do not stand on the page"
    inside = dom.ids(body[:1])
    pictures = _pictures(known.page, article.images)
    return Places(
        known=known,
        index=index,
        title=titles,
        body=body,
        paragraphs=paragraphs,
        lead=_outside(index.find(article.lead or "")),
        byline=_beside(index.find(article.byline or ""), inside),
        section=_beside(index.find(article.section or ""), inside, links=True),
        times=_times(index, article, inside),
        tags=_tags(index, article),
        captions=tuple(n for c in article.images for n in _outside(index.find(c.caption or ""))[:1]),
        pictures=pictures,
    )


def _outside(nodes: Iterable[LexborNode], excluded: Sequence[str] = _OUTSIDE) -> Nodes:
    """Return the elements that are not links, menus or other parts beside the article, nor inside one."""
    return tuple(
        node
        for node in nodes
        if dom.is_element(node) and node.tag not in excluded and not any(a.tag in excluded for a in dom.ancestors(node))
    )


def _beside(nodes: Iterable[LexborNode], inside: frozenset[int], *, links: bool = False) -> Nodes:
    excluded = tuple(tag for tag in _OUTSIDE if not (links and tag == "a"))
    return tuple(node for node in _outside(nodes, excluded) if not dom.inside(node, inside))


def _body(index: TextIndex, article: Article, titles: Nodes) -> tuple[Nodes, Nodes]:
    """Return a node for each known paragraph that was found, and the candidates for the body."""
    found = {p: nodes for p in article.paragraphs if (nodes := index.find(p))}
    long = [p for p in found if len(squeeze(p)) >= _SHORT] or list(found)
    if not found or len(found) < _ENOUGH * len(article.paragraphs):
        return (), ()
    contained: Counter[int] = Counter()
    elements: dict[int, LexborNode] = {}
    for paragraph in long:
        around = {a.mem_id: a for node in found[paragraph] for a in _with_ancestors(node)}
        contained.update(around.keys())
        elements |= around
    most = max(contained.values())
    inner = max((e for i, e in elements.items() if contained[i] == most), key=lambda e: index.order.get(e.mem_id, -1))
    if most == 1 and inner.parent is not None and dom.is_text(found[long[0]][-1]) is False:
        inner = inner.parent if squeeze(dom.text(inner)) == squeeze(long[0]) else inner
    above = dom.around(titles) | dom.ids(titles)
    chain = [inner]
    for element in dom.ancestors(inner):
        if element.mem_id in above or len(chain) > _LEVELS:
            break
        chain.append(element)
    if chain[0].mem_id in above:
        chain = chain[:1]
    inside = dom.ids(chain[-1:])
    nodes = (next((n for n in reversed(found[p]) if dom.inside(n, inside)), None) for p in found)
    return tuple(n for n in nodes if n is not None), tuple(chain)


def _with_ancestors(node: LexborNode) -> list[LexborNode]:
    own = [node] if dom.is_element(node) else []
    return [*own, *dom.ancestors(node)]


def _pictures(page: PageTree, images: Sequence[ImageBlock]) -> Nodes:
    wanted = {image.url for image in images if image.url}
    return tuple(
        node
        for node in page.tree.css("img")
        if wanted & {page.resolve(value) for value in node.attributes.values() if value}
    )


def _tags(index: TextIndex, article: Article) -> Nodes:
    found = [index.find(tag) for tag in article.tags]
    return tuple(n for nodes in found for n in nodes if dom.is_element(n) and n.tag == "a")


def _times(index: TextIndex, article: Article, inside: frozenset[int]) -> Nodes:
    """Return the elements outside the body whose text or attribute is the known publication time."""
    published = instant(article.published_at) if article.published_at else None
    if published is None:
        return ()
    found: list[LexborNode] = []
    for nodes in index.by_text.values():
        for node in nodes:
            if not dom.is_element(node) or node.tag in ("body", "html") or dom.inside(node, inside):
                continue
            text = dom.text(node) if len(found) < 8 else ""
            stated = time_text.read(text).published if 8 <= len(text) <= 80 else None
            if stated is not None and abs((stated - published).total_seconds()) < 60:
                found.append(node)
    return tuple(found)
