"""The CSS selectors that may find a node, each with a cost: the more stable a selector is expected to be, the cheaper.

Semantic attributes are cheaper than ids, ids than classes, classes than element names, and positions are the most
expensive; names that look generated cost more than others.

Boundary: reads one node and its neighbours; whether a selector is right on other pages is decided by `induce`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise, permutations

from selectolax.lexbor import LexborNode

from crawler.parse import dom

_SEMANTIC = ("itemprop", "property", "role", "rel", "data-testid", "data-role", "data-type", "data-field")
#: The part of an address that links of one kind share, such as `/tag/` or `/search.vnp?q=`.
_TARGET = re.compile(r"(?:https?://[^/\s\"]+)?(/[\w.-]+(?:/|\?\w+=))[^\s\"]")
_NAME = re.compile(r"-?[A-Za-z_][\w-]*")
_NUMBERED = re.compile(r"([A-Za-z][A-Za-z_-]*[_-])\d+(?:\s|$)")  # a name whose number differs from page to page
_NUMBER = re.compile(r"\d{3}")  # in a name, a number of the article
_NO_SELECTORS = ("class", "id", "href", "src", "style", "title", "alt")  # attributes whose presence says nothing
_VALUE = re.compile(r"[A-Za-z][\w:. -]{0,60}")
#: Names such as `css-1x2y3`, `sc-bdVaJa`, `v1-9993264e`: a part with digits between letters, or with mixed case.
_GENERATED = re.compile(r"(?:^|[-_])(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{5,}$|(?:^|[-_])[a-z]+[A-Z][a-z]*[A-Z]\w*$|\d{4,}")
_MEANINGFUL = frozenset(
    "h1 article main time figure figcaption address blockquote table section header small aside nav form".split()
)
_HEADINGS = ("h1", "h2", "h3")
_MOST_SIBLINGS = 60  # before a node
_MOST = 150
_ANCESTORS = 4
_GENERATED_COST, _POSITION = 5.0, 30.0
#: Costs of element names; other names say little about what an element contains.
_TAGS = (
    dict.fromkeys(_MEANINGFUL, 5.0)
    | dict.fromkeys(dom.TEXT_LEVEL - _MEANINGFUL, 11.0)
    | {"p": 9.0, "div": 9.0, "li": 9.0}
)
_OTHER_TAG = 7.0
#: Elements of which a container of running text has several in a row, and the further cost of a selector with them.
_CONTENTS = (("p", 0.5), ("br", 1.5), ("figure", 1.5))

Costs = dict[str, float]


def of(node: LexborNode) -> Costs:
    """Return selectors that match a node, with their costs."""
    own = dict(_own(node))
    found = dict(own)
    for selector, cost in _before(node):
        found.setdefault(selector, cost)
    for level, ancestor in enumerate(islice(dom.ancestors(node), _ANCESTORS), start=1):
        if ancestor.tag in ("body", "html"):
            break
        outer = sorted(_own(ancestor), key=lambda pair: pair[1])[:4]
        for (above, first), (below, second) in ((o, w) for o in outer for w in list(own.items())[:8]):
            joint = " > " if level == 1 else " "
            found.setdefault(f"{above}{joint}{below}", first + second / 2 + 0.6 * level)
        if level == 1:
            place = _place(node)
            for above, first in outer:
                found.setdefault(f"{above} > {place}", first + _POSITION / 2)
    found.setdefault(_path(node), _POSITION * 2)
    return dict(islice(sorted(found.items(), key=lambda pair: pair[1]), _MOST))


def _own(node: LexborNode) -> Iterator[tuple[str, float]]:
    """Yield the selectors that name only the node itself."""
    tag = node.tag or ""
    yield from _attributes(node, tag)
    yield from _names(node, tag)
    yield tag, _TAGS.get(tag, _OTHER_TAG)
    tags = [child.tag for child in dom.children(node) if dom.is_element(child)]
    in_a_row = {tag for tag, following in pairwise(tags) if tag == following}
    for content, extra in _CONTENTS:
        if content in in_a_row:
            yield f"{tag}:has(> {content} + {content})", _TAGS.get(tag, _OTHER_TAG) + extra


def _attributes(node: LexborNode, tag: str) -> Iterator[tuple[str, float]]:
    attributes = node.attributes
    for name in _SEMANTIC:
        value = attributes.get(name) or ""
        if _VALUE.fullmatch(value) and not _NUMBER.search(value):
            yield f'[{name}="{value}"]', 1.0
            yield f'{tag}[{name}="{value}"]', 1.1
    for name in attributes:
        if name not in _NO_SELECTORS and _NAME.fullmatch(name):
            yield f"{tag}[{name}]", 4.2 if name.startswith("data-") or name == "datetime" else 5.5
    if tag == "a" and (target := _TARGET.match(attributes.get("href") or "")):
        yield f'a[href*="{target[1]}"]', 3.4


def _names(node: LexborNode, tag: str) -> Iterator[tuple[str, float]]:
    identifier = node.attributes.get("id") or ""
    if _NAME.fullmatch(identifier) and not _NUMBER.search(identifier):
        yield f"#{identifier}", 2.0 + _name_cost(identifier)
    names = [c for c in (node.attributes.get("class") or "").split() if _NAME.fullmatch(c)][:6]
    for name in names:
        yield f".{name}", 3.0 + _name_cost(name)
        yield f"{tag}.{name}", 3.1 + _name_cost(name)
    for name, value in (("id", identifier), ("class", node.attributes.get("class") or "")):
        if numbered := _NUMBERED.match(value):
            yield f'[{name}^="{numbered[1]}"]', 3.6
    for one, other in permutations(names[:4], 2):
        if one < other:
            yield f".{one}.{other}", 3.6 + max(_name_cost(one), _name_cost(other))


def _name_cost(name: str) -> float:
    return _GENERATED_COST if _GENERATED.search(name) else 0.0


def _before(node: LexborNode) -> Iterator[tuple[str, float]]:
    """Yield selectors that name the element before the node or inside it."""
    tag = node.tag or ""
    previous = node.prev
    while previous is not None and not dom.is_element(previous):
        previous = previous.prev
    if previous is not None:
        for selector, cost in sorted(_own(previous), key=lambda pair: pair[1])[:3]:
            yield f"{selector} + {tag}", cost + 2.5
            for own, extra in list(_own(node))[:3]:
                yield f"{selector} + {own}", cost + extra / 2 + 2.4
    heading = _heading_before(node)
    if heading is not None:
        for own, extra in _own(node):
            yield f"{heading} ~ {own}", extra + 1.2


def _heading_before(node: LexborNode) -> str | None:
    """Return the element name of the nearest heading among the siblings before a node."""
    return next((n.tag for n in islice(_siblings_before(node), _MOST_SIBLINGS) if n.tag in _HEADINGS), None)


def _siblings_before(node: LexborNode) -> Iterator[LexborNode]:
    previous = node.prev
    while previous is not None:
        yield previous
        previous = previous.prev


def _place(node: LexborNode) -> str:
    """Return the element name of a node with its position among the siblings of the same name."""
    number, previous = 1, node.prev
    while previous is not None:
        number += previous.tag == node.tag
        previous = previous.prev
    return f"{node.tag}:nth-of-type({number})"


def _path(node: LexborNode) -> str:
    """Return the positions of a node and of all elements around it."""
    steps = [node, *dom.ancestors(node)]
    return " > ".join("body" if s.tag == "body" else _place(s) for s in reversed(steps) if s.tag != "html")
