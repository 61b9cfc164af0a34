"""Finds where the known fields of an article are on its page.

Boundary: compares the tree with known values; the layout of the page is not known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile

from selectolax.lexbor import LexborNode

from crawler.heal.text_index import TextIndex, build, squeeze
from crawler.parse import dom, time_text
from crawler.parse.frame import PageTree
from crawler.parse.times import instant
from crawler.types import Article, ImageBlock

_SHORT = 20  # squeezed characters; shorter paragraphs may be anywhere
_ENOUGH = 0.6  # share of the known paragraphs that must be in one element
_OUTSIDE = ("a", "nav", "aside", "footer", "select", "button")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d|^\d{10}(?:\d{3})?$|^\d\d?/\d\d?/\d{4}")  # how attributes state times
_LONGEST_TIME, _MOST_TIMES = 80, 8  # letters and digits of a text with a time; elements that show it
_FEWEST_PIECES = 3  # beside the title, each a paragraph: then the element around them is the body
_LEVELS = 4  # elements around the body that are candidates for it, too

Nodes = tuple[LexborNode, ...]


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page whose article is known from elsewhere. If it is not `complete`, only the metadata of the page is known.

    `unknown` contains the fields that are not known of a complete article, such as the pictures of an imported text. If
    the article is `guessed`, its text and captions are what the page probably has (see `provisional`). If it is not
    `is_literal`, its white space may differ from that of the page, because another program extracted it.
    """

    page: PageTree
    article: Article
    complete: bool = True
    unknown: tuple[str, ...] = ()
    guessed: bool = False
    is_literal: bool = True

    @property
    def has_pictures(self) -> bool:
        """Whether all pictures of the article are known."""
        return self.complete and "images" not in self.unknown

    def lacks(self, name: str) -> bool:
        """Whether the article is known not to have a field."""
        return self.complete and name not in self.unknown and not getattr(self.article, name)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The nodes where the fields of an article are. Each tuple contains alternatives, except where it says otherwise.

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
        """The ids of the elements that contain known text or pictures, are such an element, or are inside one."""
        nodes = (*self.paragraphs, *self.captions, *self.pictures)
        inside = (n for node in (*self.paragraphs, *self.captions) if dom.is_element(node) for n in node.css("*"))
        return dom.ids(nodes) | dom.around(nodes) | dom.ids(inside)

    @property
    def has_inner_title(self) -> bool:
        """Whether the title is in the body."""
        return any(dom.inside(title, dom.ids(self.body[:1])) for title in self.title)

    @property
    def root(self) -> frozenset[int]:
        """The ids of the elements in the smallest element around the body and a title, without those in the body."""
        above = dom.around(self.title)
        roots = (a for body in self.body[:1] for a in dom.ancestors(body) if a.mem_id in above)
        body = frozenset(n.mem_id for b in self.body[:1] for n in b.css("*"))
        return frozenset(n.mem_id for root in islice(roots, 1) for n in root.css("*")) - body


def find(known: KnownPage, index: TextIndex | None = None) -> Places | str:
    """Return the places of the fields, or a text that says why the page cannot be used; `index` is that of the page."""
    index = index or build(known.page.tree)
    article = known.article
    titles = _outside(index.find(article.title))
    if not titles:
        return "the known title is not on the page"
    paragraphs, body = _body(index, article, titles)
    if known.complete and article.paragraphs and not body:
        return "the known paragraphs are not on the page"
    inside = dom.ids(body[:1]) - dom.around(titles)  # nothing, if the title is in the body: so are the other fields
    pictures = _pictures(known.page, article.images, index)
    return Places(
        known=known,
        index=index,
        title=titles,
        body=body,
        paragraphs=paragraphs,
        lead=_outside(index.find(article.lead or "")),
        byline=_beside(index.find(article.byline or ""), inside),
        section=_beside(index.find(article.section or ""), inside, links=True),
        times=times_of(index, article, inside),
        tags=_tags(index, article),
        captions=tuple(n for c in article.images for n in _outside(index.find(c.caption or ""))[:1]),
        pictures=pictures,
    )


def _outside(nodes: Iterable[LexborNode], excluded: Sequence[str] = _OUTSIDE) -> Nodes:
    """Return the elements that are not links, menus or other parts beside the article, nor inside one."""
    return tuple(
        node
        for node in nodes
        if dom.is_element(node)
        and node.tag not in (*excluded, "body")
        and not any(a.tag in excluded for a in dom.ancestors(node))
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
    if most == 1 and dom.is_element(found[long[0]][0]):  # of an article of one paragraph, the largest element
        inner = found[long[0]][0]
    above = dom.around(titles) | dom.ids(titles)
    own = tuple(node for nodes in found.values() for node in nodes[-1:])
    if inner.mem_id in above:
        pieces = _pieces(inner, own)
        main = _main_piece(pieces, own)
        if main is None and len(pieces) >= max(_FEWEST_PIECES, _ENOUGH * len(own)) and inner.tag != "body":
            return own, (inner,)
        if main is None:
            return tuple(n for n in own if dom.inside(n, dom.ids(pieces))), pieces
        inner = main
    outer = takewhile(lambda element: element.mem_id not in above, dom.ancestors(inner))
    chain = [inner, *islice(outer, _LEVELS)]
    inside = dom.ids(chain[-1:])
    placed = (next((n for n in reversed(nodes) if dom.inside(n, inside)), None) for nodes in found.values())
    return tuple(n for n in placed if n is not None), tuple(chain)


def _pieces(around: LexborNode, paragraphs: Nodes) -> Nodes:
    """Return the elements directly inside `around` that contain paragraphs: advertising may split a body."""
    found: dict[int, LexborNode] = {}
    for node in paragraphs:
        for element in _with_ancestors(node):
            if element.parent is not None and element.parent.mem_id == around.mem_id:
                found[element.mem_id] = element
    return tuple(found.values())


def _main_piece(pieces: Nodes, paragraphs: Nodes) -> LexborNode | None:
    """Return the innermost element with most of the paragraphs, if one piece has them: another may be near the title."""
    for piece in pieces:
        own = [node for node in paragraphs if dom.inside(node, dom.ids([piece]))]
        if len(own) < max(2, _ENOUGH * len(paragraphs)):
            continue
        around = set.intersection(*({a.mem_id for a in _with_ancestors(node)} for node in own))
        return next(element for element in _with_ancestors(own[0]) if element.mem_id in around)
    return None


def _with_ancestors(node: LexborNode) -> list[LexborNode]:
    own = [node] if dom.is_element(node) else []
    return [*own, *dom.ancestors(node)]


def _pictures(page: PageTree, images: Sequence[ImageBlock], index: TextIndex) -> Nodes:
    """Return the pictures with a known address; for those without one, the pictures nearest to their captions."""
    wanted = {image.url for image in images if image.url}
    found = [n for n in page.tree.css("img") if wanted & {page.resolve(v) for v in n.attributes.values() if v}]
    for image in images:
        captions = index.find(image.caption or "") if image.url is None else []
        around = (a for node in captions[:1] for a in islice(dom.ancestors(node), _LEVELS))
        found += next(([*a.css("img")][:1] for a in around if a.css_first("img") is not None), [])
    return tuple({node.mem_id: node for node in found}.values())


def _tags(index: TextIndex, article: Article) -> Nodes:
    found = [index.find(tag) for tag in article.tags]
    return tuple(n for nodes in found for n in nodes if dom.is_element(n) and n.tag == "a")


def times_of(index: TextIndex, article: Article, inside: frozenset[int] = frozenset()) -> Nodes:
    """Return the elements, but not those in the body (`inside`), whose text is the known publication time.

    If there are none, return those that have it as an attribute.
    """
    published = instant(article.published_at) if article.published_at else None
    if published is None:
        return ()
    short = (n for key, n in index.by_text.items() if 6 <= len(key) <= _LONGEST_TIME and any(map(str.isdigit, key)))
    nodes = (n for nodes in short for n in nodes if dom.is_element(n) and n.tag not in ("body", "html"))
    shown = ((node, dom.text(node)) for node in nodes if not dom.inside(node, inside))
    found = _stating(published, shown)
    if found:
        return found
    elements = (n for n in index.tree.css("body *") if n.mem_id in index.order and not dom.inside(n, inside))
    return _stating(published, ((n, v) for n in elements for v in n.attributes.values() if v and _STAMP.search(v)))


def _stating(published: datetime, texts: Iterable[tuple[LexborNode, str]]) -> Nodes:
    """Return the nodes of the texts that state a time, to the minute; at most eight."""
    stated = ((node, time_text.read(text).published) for node, text in texts)
    same = (node for node, at in stated if at is not None and abs((at - published).total_seconds()) < 60)
    return tuple(islice(same, _MOST_TIMES))
