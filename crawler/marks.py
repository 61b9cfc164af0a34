"""Marked texts: repairs, hits of a search, and the words that differ between two revisions.

A marked text is a sequence of pieces. What shows a text escapes each piece and chooses its form. `crawler.changes` finds the
words that differ.

Boundary: strings in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from crawler import snippets
from crawler.query import Query
from crawler.types import BODY_TYPES, Block, Repair, TextBlock


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A part of a text. `kind` is empty for a part without a mark. A hit of a search may also be a repair.

    `other` is only for a repair: the published text if `text` is the repaired one, or the reverse.
    """

    text: str
    kind: Literal["", "repair", "removed", "added"] = ""
    other: str = ""
    is_hit: bool = False

    @property
    def bracketed(self) -> str:
        """The text with its change as brackets, for where there are no colours: [-removed-] and {+added+}."""
        opening, closing = _BRACKETS.get(self.kind, ("", ""))
        return f"{opening}{self.text}{closing}"


_BRACKETS = {"removed": ("[-", "-]"), "added": ("{+", "+}")}


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of an article with its pieces; for a picture, `block` is an image and there are no pieces."""

    block: Block
    pieces: tuple[MarkedText, ...] = ()


def with_hits(pieces: Iterable[MarkedText], wanted: Query | None) -> tuple[MarkedText, ...]:
    """Return a text in which the words that match a query are marked, too; the other marks stay."""
    pieces = tuple(pieces)
    spans = snippets.spans("".join(piece.text for piece in pieces), wanted) if wanted else []
    found: list[MarkedText] = []
    position = 0
    for piece in pieces:
        end = position + len(piece.text)
        inside = [(max(low, position) - position, min(high, end) - position) for low, high in spans]
        found += _cut(piece, [span for span in inside if span[0] < span[1]])
        position = end
    return tuple(found)


def _cut(piece: MarkedText, spans: Sequence[tuple[int, int]]) -> Iterator[MarkedText]:
    """Yield the parts of a piece: `spans` have the hits in it, the others have none."""
    if not spans:
        yield piece
        return
    position = 0
    for low, high in spans:
        if low > position:
            yield replace(piece, text=piece.text[position:low])
        yield replace(piece, text=piece.text[low:high], is_hit=True)
        position = high
    if position < len(piece.text):
        yield replace(piece, text=piece.text[position:])


def hits(text: str, wanted: Query | None) -> tuple[MarkedText, ...]:
    """Return a text in which the words that match a query are marked."""
    return with_hits((MarkedText(text),), wanted)


def passages(blocks: Sequence[Block], repairs: Sequence[Repair], *, repaired: bool) -> Iterator[Passage]:
    """Yield the blocks of an article with the repairs of each marked.

    If `repaired` is True the text is the repaired one and `other` is what the agency published; otherwise the reverse.
    """
    start, remaining = 0, sorted(repairs, key=lambda r: r.offset)
    for block in blocks:
        if not isinstance(block, TextBlock):
            yield Passage(block)
            continue
        if block.type not in BODY_TYPES:
            yield Passage(block, (MarkedText(block.text),))
            continue
        end = start + len(block.text)
        inside = [r for r in remaining if start <= r.offset and r.offset + len(r.before) <= end]
        yield Passage(block, tuple(_repaired(block.text, start, inside, repaired=repaired)))
        start = end + 2  # the blank line between two blocks


def _repaired(text: str, start: int, repairs: Sequence[Repair], *, repaired: bool) -> Iterator[MarkedText]:
    position = 0
    for repair in repairs:
        at = repair.offset - start
        if at < position or text[at : at + len(repair.before)] != repair.before:
            continue  # of another text, such as that of an older revision
        if at > position:
            yield MarkedText(text[position:at])
        shown = (repair.after, repair.before) if repaired else (repair.before, repair.after)
        yield MarkedText(shown[0], "repair", shown[1])
        position = at + len(repair.before)
    if position < len(text):
        yield MarkedText(text[position:])


def shortened(pieces: Sequence[MarkedText], around: int = 60, longest: int = 400) -> tuple[MarkedText, ...]:
    """Return the pieces with long ones cut: unchanged ones to `around` characters next to a change, others to `longest`."""
    short = []
    for number, piece in enumerate(pieces):
        text = piece.text
        if piece.kind:
            cut = text if len(text) <= longest else f"{_first_words(text, longest)} …"
        elif len(text) <= 2 * around + 20:
            cut = text
        elif number == 0:
            cut = f"… {_last_words(text, around)}"
        elif number == len(pieces) - 1:
            cut = f"{_first_words(text, around)} …"
        else:
            cut = f"{_first_words(text, around)} … {_last_words(text, around)}"
        short.append(replace(piece, text=cut))
    return tuple(short)


def _first_words(text: str, length: int) -> str:
    """Return the start of a text, cut at a word if there is one."""
    start = text[:length]
    return (start.rpartition(" ")[0] if text[length : length + 1].strip() else "") or start.rstrip()


def _last_words(text: str, length: int) -> str:
    end = text[-length:]
    return (end.partition(" ")[2] if text[:-length][-1:].strip() else "") or end.lstrip()
