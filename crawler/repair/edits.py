"""Edits: how a repaired reading is made of its verbatim text, and how edits made one after another become one list.

Boundary: strings and offsets only; knows no rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crawler.types import Repair


def apply(text: str, repairs: Iterable[Repair]) -> str:
    """Apply edits, whose offsets all refer to `text`, and return the reading they lead to.

    Raises:
        ValueError: an edit does not fit the text, or two of them overlap.

    """
    parts: list[str] = []
    done = 0
    for edit in sorted(repairs, key=lambda e: e.offset):
        end = edit.offset + len(edit.before)
        if edit.offset < done or text[edit.offset : end] != edit.before:
            raise ValueError(f"edit {edit.rule!r} at {edit.offset} does not fit the text")
        parts += [text[done : edit.offset], edit.after]
        done = end
    return "".join([*parts, text[done:]])


def compose(first: Sequence[Repair], second: Sequence[Repair]) -> tuple[Repair, ...]:
    """Return the edits of the verbatim text that equal `first`, then `second` (whose offsets refer to the result).

    Edits that touch the same characters are merged into one, under the name of the later rule.
    """
    placed = _placed(first)
    merged: list[Repair] = []
    at = 0
    shift = 0  # how much longer the intermediate text is than the verbatim one, so far
    for edit in second:
        end = edit.offset + len(edit.before)
        while at < len(placed) and placed[at].end < edit.offset:
            merged.append(placed[at].edit)
            shift = placed[at].shift
            at += 1
        group: list[_Placed] = []
        while at < len(placed) and placed[at].start <= end:
            group.append(placed[at])
            at += 1
        merged.append(_merge(edit, group, shift))
        shift = group[-1].shift if group else shift
    return tuple(e for e in [*merged, *(p.edit for p in placed[at:])] if e.before != e.after)


@dataclass(frozen=True, slots=True)
class _Placed:
    """An edit with its span in the intermediate text, and the shift that holds after it."""

    edit: Repair
    start: int
    end: int
    shift: int


def _placed(edits: Sequence[Repair]) -> list[_Placed]:
    shift = 0
    placed: list[_Placed] = []
    for edit in edits:
        start = edit.offset + shift
        shift += len(edit.after) - len(edit.before)
        placed.append(_Placed(edit, start, start + len(edit.after), shift))
    return placed


def _merge(edit: Repair, group: Sequence[_Placed], shift: int) -> Repair:
    """Widen `edit` until it covers every earlier edit it touches, and express it in verbatim characters."""
    if not group:
        return Repair(edit.rule, edit.offset - shift, edit.before, edit.after)
    start = min(edit.offset, group[0].start)
    end = max(edit.offset + len(edit.before), group[-1].end)
    middle = _overlay(edit, group, start, end)
    at = edit.offset - start
    after = middle[:at] + edit.after + middle[at + len(edit.before) :]
    return Repair(edit.rule, start - shift, _undo(middle, group, start), after)


def _overlay(edit: Repair, group: Sequence[_Placed], start: int, end: int) -> str:
    """Return the intermediate text of the widened span; every character of it is in `edit` or in the group."""
    chars = [""] * (end - start)
    for piece, at in [(edit.before, edit.offset), *((p.edit.after, p.start) for p in group)]:
        chars[at - start : at - start + len(piece)] = piece
    return "".join(chars)


def _undo(middle: str, group: Sequence[_Placed], start: int) -> str:
    for placed in reversed(group):
        middle = middle[: placed.start - start] + placed.edit.before + middle[placed.end - start :]
    return middle
