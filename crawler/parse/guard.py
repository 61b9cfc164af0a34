"""Detect, before a page is parsed, whether it would keep the HTML parser busy for minutes.

The parser Lexbor takes time that grows with the square of the depth of the tree, of the number of attributes of one
tag, or of the number of formatting elements such as `<b>` that are left open across blocks. Measured: 100,000 nested
elements take 33 s, 200,000 attributes more than 60 s. The limits here are far above the values of the golden pages (in
the tests) and of the fake site.

A rejected page is archived and listed like any other page that could not be parsed.

Boundary: one pass over the text, in linear time.
"""

from __future__ import annotations

import re
from collections import Counter

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)")
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Elements without an end tag, and elements that the next one of the same kind closes.
_FLAT = frozenset(
    "area base br col dd dt embed hr img input li link meta option optgroup p param rp rt source tbody td tfoot th thead "
    "tr track wbr html head body".split()
)
_MAX_TAGS = 40_000
_MAX_DEPTH = 2_500
_MAX_ATTRIBUTES = 2_000
_LONG_TAG = _MAX_ATTRIBUTES * 2  # characters; a shorter tag cannot have more attributes than the limit
_MAX_COPIES = 200_000  # open formatting elements, times the other elements in which the parser repeats them


def hazard(text: str) -> str | None:
    """Return the reason why a page must not be parsed; None if it is safe to parse."""
    depth = deepest = 0
    formatting: Counter[str] = Counter()
    open_formatting = most_formatting = blocks = 0
    for tags, match in enumerate(_TAG.finditer(text), start=1):
        closing, name, attributes = match[1], match[2].lower(), match[3]
        if tags > _MAX_TAGS:
            return f"more than {_MAX_TAGS} tags"
        if len(attributes) > _LONG_TAG and len(attributes.split()) > _MAX_ATTRIBUTES:
            return f"a tag with more than {_MAX_ATTRIBUTES} attributes"
        if name in _FORMATTING:
            step = -1 if closing else 1
            if formatting[name] + step >= 0:
                formatting[name] += step
                open_formatting += step
                most_formatting = max(most_formatting, open_formatting)
        elif not closing:
            blocks += 1
        if name not in _FLAT:
            depth = max(0, depth + (-1 if closing else 1))
            deepest = max(deepest, depth)
    if deepest > _MAX_DEPTH:
        return f"elements nested more than {_MAX_DEPTH} deep"
    if most_formatting * blocks > _MAX_COPIES:
        return f"{most_formatting} formatting elements left open across {blocks} other elements"
    return None
