"""Distinguish opening from closing quotation marks if one sign is used for both: `"`, `''` and the apostrophe.

Boundary: one text in, positions out; words are not looked at, except the elided ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler.repair import words

_STRAIGHT = re.compile(r"\"|''")
_OPENING = re.compile(r"‘|(?:^|[\s(«“\"])['’](?=\w)")
#: An apostrophe that may open or close a quotation. Most texts contain none: each apostrophe is between two letters.
_NO_ELISION = re.compile(r"[‘'’](?:(?<=‘)|(?![^\W\d_])|(?<=[\s(«“\"].)|(?<![\s\S]{2}))")
_APOSTROPHE = re.compile(r"(?P<word>[^\W\d_]{1,100}+)['’](?P<next>[^\W\d_]?)")


def may_have_marks(text: str) -> bool:
    """Whether a text may contain marks that this module finds: a quick test."""
    return '"' in text or "''" in text or may_have_apostrophes(text)


def may_have_apostrophes(text: str) -> bool:
    """Whether a text, or a line of it, may contain an apostrophe that is not an elision: a quick test."""
    return _NO_ELISION.search(text) is not None


def marks(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the start, the end and whether it opens a quotation, of each straight quotation mark of a line.

    The marks of a line alternate. Nothing is yielded for a line in which they do not, such as one with inch marks.
    """
    found = [m.span() for m in _STRAIGHT.finditer(text)]
    paired = [(start, end, i % 2 == 0) for i, (start, end) in enumerate(found)]
    if len(found) % 2 or any(_looks_reversed(text, *mark) for mark in paired):
        return
    yield from paired


def _looks_reversed(text: str, start: int, end: int, opens: bool) -> bool:
    before, after = text[:start][-1:], text[end:][:1]
    inside, outside = (after, before) if opens else (before, after)
    digit = opens and before.isdigit()
    return digit or ((not inside or inside.isspace()) and outside != "" and not outside.isspace())


def closing_apostrophes(text: str) -> set[int]:
    """Return the offsets of the apostrophes that end a word or a quotation (`‘ministres’`) instead of an elision."""
    found: set[int] = set()
    if not may_have_apostrophes(text):
        return found
    opened = False
    done = 0
    for match in _APOSTROPHE.finditer(text):
        opened = opened or bool(_OPENING.search(text, done, match.start() + 1))
        done = match.start()
        lower = match["word"].lower()
        if lower in words.ELIDED or f"{lower}'" in words.BOUND:
            continue
        if opened or not match["next"]:
            found.add(match.end("word"))
            opened = False
    return found
