"""Finds the elements of a page by their visible text, in a form that ignores case, accents, punctuation and spaces.

Boundary: reads the tree once; the amount of text that is compared is limited, whatever the page contains.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import fold
from crawler.heal.selectors import Costs, of
from crawler.parse import dom

_LONGEST = 6_000  # characters of the text of one element; the longest paragraphs in the seeds have 1,500
_MOST_NODES = 20_000  # of a page; an article has about 1,500
_LETTERS = re.compile(r"[^\W_]+")


def squeeze(text: str) -> str:
    """Return the letters and digits of a text, without accents and case."""
    return "".join(_LETTERS.findall(fold.letters(text)))


@dataclass
class TextIndex:
    """The visible elements and text nodes of a page by their squeezed text; outer elements come before inner ones.

    It also keeps the selectors of nodes and what each selector matches, because learning needs them many times.
    """

    tree: LexborHTMLParser
    by_text: dict[str, list[LexborNode]] = field(default_factory=dict)
    order: dict[int, int] = field(default_factory=dict)  # id of a node -> position in the document
    filled: set[int] = field(default_factory=set)  # ids of the nodes with text

    _selectors: dict[int, Costs] = field(default_factory=dict)
    _matches: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def matches(self, selector: str) -> tuple[int, ...]:
        """Return the ids of the visible nodes that a selector matches, in document order.

        Raises:
            SelectolaxError: the parser does not support the selector.

        """
        found = self._matches.get(selector)
        if found is None:
            nodes = (node.mem_id for node in self.tree.css(selector))
            found = self._matches[selector] = tuple(identity for identity in nodes if identity in self.order)
        return found

    def selectors(self, node: LexborNode) -> Costs:
        """Return selectors that match a node of the page, with their costs."""
        found = self._selectors.get(node.mem_id)
        if found is None:
            found = self._selectors[node.mem_id] = of(node)
        return found

    def find(self, text: str) -> list[LexborNode]:
        """Return the nodes whose text is `text`."""
        key = squeeze(text)
        return self.by_text.get(key, []) if key else []


def build(tree: LexborHTMLParser) -> TextIndex:
    """Return the index of a page; an empty one if the page has more nodes than are examined."""
    index = TextIndex(tree)
    nodes = _visible(tree.body) if tree.body is not None else []
    texts: dict[int, str | None] = {}  # None: too long
    for node, children in reversed(nodes):
        if dom.is_text(node):
            texts[node.mem_id] = _joined([squeeze(node.text_content or "")])
        else:
            texts[node.mem_id] = _joined([texts[child] for child in children])
    for position, (node, _) in enumerate(nodes):
        index.order[node.mem_id] = position
        if texts[node.mem_id] != "":
            index.filled.add(node.mem_id)
        if text := texts[node.mem_id]:
            index.by_text.setdefault(text, []).append(node)
    return index


def _visible(body: LexborNode) -> list[tuple[LexborNode, list[int]]]:
    """Return the visible nodes in document order, each with the ids of its visible children."""
    found: list[tuple[LexborNode, list[int]]] = []
    stack = [body]
    while stack:
        node = stack.pop()
        if len(found) == _MOST_NODES:
            return []
        children = [] if dom.is_text(node) else [c for c in dom.children(node) if _is_visible(c)]
        found.append((node, [child.mem_id for child in children]))
        stack.extend(reversed(children))
    return found


def _is_visible(node: LexborNode) -> bool:
    return dom.is_text(node) or (dom.is_element(node) and not dom.is_silent(node))


def _joined(texts: Sequence[str | None]) -> str | None:
    length = 0
    for text in texts:
        length += _LONGEST + 1 if text is None else len(text)
    return None if length > _LONGEST else "".join(text for text in texts if text)
