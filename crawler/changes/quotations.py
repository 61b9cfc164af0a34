"""Find the quotations in a text.

Boundary: strings in, values out.
"""

from __future__ import annotations

import re

#: Text in quotation marks of one kind; a quotation in French or curly marks may go over several paragraphs.
_QUOTATION = re.compile(r"«([^«»]*)»|“([^“”]*)”|\"([^\"\n]*)\"")


class Quotations:
    """The quotations of one text, without their quotation marks."""

    def __init__(self, text: str) -> None:
        self._spans = [match.span(match.lastindex or 0) for match in _QUOTATION.finditer(text)]

    def contain(self, start: int, end: int) -> bool:
        """Whether the characters from `start` to `end` are all in one quotation."""
        return any(first <= start and end <= last for first, last in self._spans)
