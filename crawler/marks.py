"""Marks in texts: repairs, hits of a search, and the words that differ between two revisions.

A marked text is a sequence of pieces. The templates escape each piece and choose its element.

Boundary: strings in, values out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crawler import query, records
from crawler.types import BODY_TYPES, Block, Repair, TextBlock

_TOKEN = re.compile(r"\s+|\d+(?:[.,]\d+)*|\w+|[^\w\s]")  # `97,6` is one word
_MOST_TOKENS = 3000  # of one passage: comparing takes time in proportion to the square
_MOST_PASSAGES = 1000


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A part of a text. `kind` is empty, `hit`, `repair`, `removed` or `added`.

    `other` is only for a repair: the published text if `text` is the repaired one, or the reverse.
    """

    text: str
    kind: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of an article with its pieces; for a picture, `block` is an image and there are no pieces."""

    block: Block
    pieces: tuple[MarkedText, ...] = ()


def hits(text: str, wanted: query.Query | None) -> tuple[MarkedText, ...]:
    """Return a text in which the words that match a query are marked."""
    pieces, position = [], 0
    for start, end in query.spans(text, wanted) if wanted else ():
        pieces += [MarkedText(text[position:start]), MarkedText(text[start:end], "hit")]
        position = end
    return tuple(piece for piece in (*pieces, MarkedText(text[position:])) if piece.text)


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


def words(old: str, new: str) -> tuple[MarkedText, ...]:
    """Return the words of two texts: unchanged, removed and added ones, in reading order."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if max(len(before), len(after)) > _MOST_TOKENS:
        return tuple(piece for piece in (MarkedText(old, "removed"), MarkedText(new, "added")) if piece.text)
    pieces: list[MarkedText] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(MarkedText("".join(before[a:b])))
            continue
        pieces += [MarkedText("".join(before[a:b]), "removed"), MarkedText("".join(after[c:d]), "added")]
    return tuple(piece for piece in pieces if piece.text)


def shortened(pieces: Sequence[MarkedText], around: int = 60) -> tuple[MarkedText, ...]:
    """Return the pieces with long unchanged ones cut to `around` characters next to a change."""
    short = []
    for number, piece in enumerate(pieces):
        if piece.kind or len(piece.text) <= 2 * around + 20:
            short.append(piece)
        elif number == 0:
            short.append(MarkedText(f"… {piece.text[-around:].lstrip()}"))
        elif number == len(pieces) - 1:
            short.append(MarkedText(f"{piece.text[:around].rstrip()} …"))
        else:
            short.append(MarkedText(f"{piece.text[:around].rstrip()} … {piece.text[-around:].lstrip()}"))
    return tuple(short)


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One passage that differs between two revisions; `field` is `title`, `lead`, `text`, `caption` or `date`."""

    field: str
    pieces: tuple[MarkedText, ...]


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[ChangedField]:
    """Return the passages in which two revisions differ. Both are rows with title, lead, blocks and publication time."""
    found = [
        ChangedField(field, words(before, after))
        for field, before, after in (
            ("title", old["title"], new["title"]),
            ("lead", old["lead"] or "", new["lead"] or ""),
            ("date", old["published_at"] or "", new["published_at"] or ""),
        )
        if before != after
    ]
    before, after = records.load_blocks(old["blocks"]), records.load_blocks(new["blocks"])
    for field in ("text", "caption"):
        found += [ChangedField(field, pieces) for pieces in _changed(_texts(before, field), _texts(after, field))]
    return found


def edited(row: dict[str, Any]) -> list[ChangedField]:
    """Return the differences of a row with a revision and, in the columns `old_...`, the revision before it."""
    old = {name: row[f"old_{name}"] for name in ("title", "lead", "blocks", "published_at")}
    return differences(old, row)


def _texts(blocks: Sequence[Block], field: str) -> list[str]:
    if field == "text":
        return [block.text for block in blocks if isinstance(block, TextBlock)][:_MOST_PASSAGES]
    return [block.caption or block.alt for block in blocks if not isinstance(block, TextBlock)][:_MOST_PASSAGES]


def _changed(old: list[str], new: list[str]) -> Iterator[tuple[MarkedText, ...]]:
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for n in range(max(b - a, d - c)):
            before = old[a + n] if a + n < b else ""
            after = new[c + n] if c + n < d else ""
            yield words(before, after)
