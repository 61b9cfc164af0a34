"""Show a change as text: the sentence with the changed words marked.

Boundary: values in, values out; the caller decides how marks look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crawler.changes.compare import Change

_CONTEXT = 40  # characters before and after the changed words


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """A piece of a shown change: unchanged context (`same`), removed words (`before`) or new words (`after`)."""

    mark: Literal["same", "before", "after"]
    text: str

    @property
    def bracketed(self) -> str:
        """The text with its mark as brackets, for where there are no colours: [-before-] and {+after+}."""
        opening, closing = _BRACKETS[self.mark]
        return f"{opening}{self.text}{closing}"


_BRACKETS = {"same": ("", ""), "before": ("[-", "-]"), "after": ("{+", "+}")}


def marked_words(change: Change, new_text: str) -> list[ShownPiece]:
    """Return a change with some words around it; `new_text` is the text of the field in the new revision.

    Of a replaced picture, only the two digests are shown.
    """
    if change.field == "pictures":
        return [ShownPiece("before", change.before), ShownPiece("after", change.after)]
    start, end = change.after_offset, change.after_offset + len(change.after)
    left, right = _words_before(new_text, start), _words_after(new_text, end)
    pieces = [
        ShownPiece("same", left),
        ShownPiece("before", change.before),
        ShownPiece("after", change.after),
        ShownPiece("same", right),
    ]
    return [piece for piece in pieces if piece.text.strip()]


def _words_before(text: str, end: int) -> str:
    line = text.rfind("\n", 0, end) + 1
    start = max(line, end - _CONTEXT)
    if start > line:
        space = text.find(" ", start, end)
        start = end if space < 0 else space + 1
    return ("… " if start > line else "") + text[start:end]


def _words_after(text: str, start: int) -> str:
    line = text.find("\n", start)
    line = len(text) if line < 0 else line
    end = min(line, start + _CONTEXT)
    if end < line:
        space = text.rfind(" ", start, end)
        end = start if space < 0 else space
    return text[start:end] + (" …" if end < line else "")
