"""Write the formulas of a page, which are in MathML, as text in a line: `E=mc^2`, `1/2`, `x_1`.

A browser shows them, and they are words of the sentence around them.

Boundary: changes the tree once, before anything is read from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.parse import dom

_MOST = 1_000  # formulas of one page
_MOST_PARTS = 2_000  # elements of one formula
_COPY = re.compile("katex-mathml|assistive", re.IGNORECASE)  # KaTeX, MathJax
#: What is not shown: the same formula in another notation.
_NOT_SHOWN = frozenset("annotation annotation-xml".split())
#: What is written between the parts of an element, from the second part on.
_BETWEEN = {
    "mfrac": ("/",), "msup": ("^",), "msub": ("_",), "msubsup": ("_", "^"), "munder": ("_",), "mover": ("^",),
    "munderover": ("_", "^"), "mroot": ("^1/",), "mtr": (" ",),
}  # fmt: skip
_BEFORE = {"msqrt": "√", "mtr": " ", "mtd": " ", "mspace": " "}
_GROUPED = frozenset(_BETWEEN) - {"mtr"}
_ROOTS = ("msqrt", "mroot")
_INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064")  # function application, times, separator, plus


def write_out(tree: LexborHTMLParser) -> None:
    """Replace each formula of a page by its text, unless a program has written it out beside it, for browsers without MathML."""
    for node in tree.css("math")[:_MOST]:
        parent = node.parent
        is_copy = parent is not None and _COPY.search(f"{parent.tag} {dom.attribute(parent, 'class')}")
        if not is_copy and (text := as_text(node)):
            node.insert_before(text)
            node.decompose()


def as_text(formula: LexborNode) -> str:
    """Return the text of a formula, an element `math`; the attribute `alttext` if it has no content."""
    text = dom.collapse("".join(_pieces(formula)).translate(_INVISIBLE))
    return text or dom.collapse(dom.attribute(formula, "alttext"))


def _pieces(formula: LexborNode) -> Iterator[str]:
    """Yield the pieces of the text, without recursion, because a hostile page may be nested without limit."""
    stack: list[LexborNode | str] = [formula]
    for _ in range(_MOST_PARTS):
        if not stack:
            return
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif dom.is_text(node):
            yield node.text_content or ""
        elif dom.is_element(node) and node.tag not in _NOT_SHOWN:
            stack.extend(reversed(_parts(node)))


def _parts(node: LexborNode) -> list[LexborNode | str]:
    """Return the children of an element of a formula, with the signs that stand for their positions."""
    name = node.tag or ""
    children = [
        child for child in dom.children(node) if dom.is_element(child) or (dom.text(child) and name not in _BETWEEN)
    ]
    between = _BETWEEN.get(name, ())
    parts: list[LexborNode | str] = [_BEFORE.get(name, "")]
    for number, child in enumerate(children):
        sign = between[min(number, len(between)) - 1] if number and between else ""
        if sign == "_" and dom.text(child)[:1].isdigit() and dom.text(children[number - 1])[-1:].isalpha():
            sign = ""  # `CO2`, as it is written without MathML
        in_brackets = name in _GROUPED and _is_group(child)
        parts += [sign, "(", child, ")"] if in_brackets else [sign, child]
    if name == "msqrt" and len(children) > 1:
        parts = [parts[0], "(", *parts[1:], ")"]
    return parts


def _is_group(node: LexborNode) -> bool:
    """Whether a part of a formula needs brackets: it has several parts itself."""
    inside = [child for child in dom.children(node) if dom.is_element(child)]
    return len(inside) > 1 and node.tag not in _ROOTS
