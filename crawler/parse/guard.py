"""Pages on which any HTML parser would work for minutes, recognised before one is asked.

Lexbor is quadratic in the depth of the tree, in the attributes of one tag, and in formatting elements left open across
blocks (measured: 100,000 nested elements take 33 s, 200,000 attributes more than 60 s). The bounds
here are far above what the golden pages and the replica's pages hold.

Boundary: one pass over the text, in time proportional to its length; a refused page is kept and listed like any other
that could not be read.
"""

from __future__ import annotations

import re
from collections import Counter

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)")
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Elements that have no end tag, or that the next one of their kind closes.
_FLAT = frozenset(
    "area base br col dd dt embed hr img input li link meta option optgroup p param rp rt source tbody td tfoot th thead "
    "tr track wbr html head body".split()
)
_MOST_TAGS = 40_000
_DEEPEST = 2_500
_MOST_ATTRIBUTES = 2_000
_LONG_TAG = _MOST_ATTRIBUTES * 2  # characters; shorter ones cannot hold so many
_MOST_COPIES = 200_000  # open formatting elements times the blocks they are repeated in


def hazard(text: str) -> str | None:
    """Say why a page must not be parsed; None for every page that may."""
    depth = deepest = 0
    formatting: Counter[str] = Counter()
    open_formatting = most_formatting = blocks = 0
    for tags, match in enumerate(_TAG.finditer(text), start=1):
        closing, name, attributes = match[1], match[2].lower(), match[3]
        if tags > _MOST_TAGS:
            return f"more than {_MOST_TAGS} tags"
        if len(attributes) > _LONG_TAG and len(attributes.split()) > _MOST_ATTRIBUTES:
            return f"a tag with more than {_MOST_ATTRIBUTES} attributes"
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
    if deepest > _DEEPEST:
        return f"elements nested more than {_DEEPEST} deep"
    if most_formatting * blocks > _MOST_COPIES:
        return f"{most_formatting} formatting elements left open across {blocks} others"
    return None
