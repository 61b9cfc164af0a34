"""Small helpers over the Lexbor tree: text as a reader sees it, ancestors, first match.

Boundary: knows HTML, nothing of the site. White space is collapsed as a browser does; a no-break space is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: Elements whose content is never text of the page.
SILENT = frozenset(
    "script style noscript template iframe object embed svg math canvas audio video form button select input textarea "
    "link meta head title".split()
)
_SPACES = re.compile(r"[ \t\n\r\f\v]+")


def collapse(text: str) -> str:
    """Fold runs of ASCII white space into one space and strip both ends, of no-break spaces too."""
    return _SPACES.sub(" ", text).strip()


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the child nodes, text nodes included."""
    return node.iter(include_text=True)


def is_text(node: LexborNode) -> bool:
    """Say whether a node is a text node."""
    return node.tag == "-text"


def is_element(node: LexborNode) -> bool:
    """Say whether a node is an element, not text, a comment or a doctype."""
    return not (node.tag or "-").startswith(("-", "!", "_"))


def raw_text(node: LexborNode, skip: frozenset[int] = frozenset()) -> str:
    """Give the text below a node as it stands, `<br>` as a space; silent elements and those in `skip` left out."""
    parts: list[str] = []
    stack = [node]
    while stack:  # no recursion: a hostile page may nest deeper than Python's stack
        current = stack.pop()
        if is_text(current):
            parts.append(current.text_content or "")
        elif current.tag == "br":
            parts.append(" ")
        elif is_element(current) and current.tag not in SILENT and current.mem_id not in skip:
            stack.extend(reversed(list(children(current))))
    return "".join(parts)


def text(node: LexborNode, skip: frozenset[int] = frozenset()) -> str:
    """Give the collapsed text below a node."""
    return collapse(raw_text(node, skip))


def select(root: LexborNode | LexborHTMLParser, selectors: Sequence[str]) -> list[LexborNode]:
    """Give all nodes that any of the selectors matches, in document order, each once."""
    found = root.css(", ".join(selectors)) if selectors else []
    return list({node.mem_id: node for node in found}.values())  # Lexbor gives a node once for each selector it matches


def ids(nodes: Iterable[LexborNode]) -> frozenset[int]:
    """Give the identities of nodes, for look-ups while walking."""
    return frozenset(node.mem_id for node in nodes)


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """Yield parent, grandparent and so on up to the root element."""
    current = node.parent
    while current is not None and is_element(current):
        yield current
        current = current.parent


def inside(node: LexborNode, containers: frozenset[int]) -> bool:
    """Say whether a node is one of `containers` or lies in one."""
    return node.mem_id in containers or any(a.mem_id in containers for a in ancestors(node))


def attribute(node: LexborNode, name: str) -> str:
    """Give an attribute's value, empty when it is absent or has no value."""
    return node.attributes.get(name) or ""
