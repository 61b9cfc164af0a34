"""Correct the faults that JSON in pages often has because a template or a person has written it.

Corrected is only what can be read in one way: surplus commas, comments, spaces that JSON does not know, backslashes that
escape nothing, quotation marks written as entities, and several documents in a row.

Boundary: text in, text out; `json_text` reads the result, and decides whether it is JSON.
"""

from __future__ import annotations

import html
import re

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_NOT_JSON = re.compile(rf"({_STRING})|/\*.*?(?:\*/|\Z)|//[^\n]*+|[^\S \t\n\r]|[\u200b\ufeff]", re.DOTALL)
_NO_ESCAPE = re.compile(r"(\\\\)|\\(?![\"\\/bfnrtu])", re.DOTALL)
_BETWEEN_VALUES = re.compile(
    rf"({_STRING})|([\[{{])\s*+,|,\s*+(?=[\]}},]|\Z)|([\]}}])\s*+(?=[\[{{])", re.DOTALL
)  # a surplus comma after a bracket or before one, or a missing one between two brackets


def corrected(source: str) -> str:
    """Return a JSON list with the documents in `source`; it is JSON if `source` has no other faults than those above."""
    if '"' not in source:
        source = html.unescape(source)
    return f"[{_BETWEEN_VALUES.sub(_joined, _NOT_JSON.sub(_kept, source))}]"


def _kept(match: re.Match[str]) -> str:
    return _NO_ESCAPE.sub(r"\1", match[1]) if match[1] else " "


def _joined(match: re.Match[str]) -> str:
    string, opening, closing = match.groups()
    return string or opening or (f"{closing}," if closing else "")
