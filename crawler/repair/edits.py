"""Apply edits to a text, and compose successive lists of edits into one list over the verbatim text.

Boundary: strings and offsets only; this module knows no rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crawler.types import Repair


def apply(text: str, repairs: Iterable[Repair]) -> str:
    """Return `text` with the edits applied. All offsets refer to `text`, in characters.

    Raises:
        ValueError: An edit does not match the text, or two edits overlap.

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
    """Return the edits of the verbatim text that have the effect of `first`, then `second`.

    The offsets of `second` refer to the result of `first`. Edits that touch the same characters are merged into one,
    under the name of the later rule.
    """
    composed: list[Repair] = []
    shift = 0  # length of the intermediate text minus length of the verbatim text, up to here
    for old, new in _groups(_placed(first), second):
        composed += _merged(old, new, shift) if new else [p.edit for p in old]
        shift = old[-1].shift if old else shift
    return tuple(e for e in composed if e.before != e.after)


@dataclass(frozen=True, slots=True)
class _Placed:
    """An edit with its span in the intermediate text, and the shift after it."""

    edit: Repair
    start: int
    end: int
    shift: int


_Group = tuple[list[_Placed], list[Repair]]


def _placed(edits: Sequence[Repair]) -> list[_Placed]:
    shift = 0
    placed: list[_Placed] = []
    for edit in edits:
        start = edit.offset + shift
        shift += len(edit.after) - len(edit.before)
        placed.append(_Placed(edit, start, start + len(edit.after), shift))
    return placed


def _groups(old: Sequence[_Placed], new: Sequence[Repair]) -> list[_Group]:
    """Group the edits that touch in the intermediate text."""
    spans: list[tuple[int, int, _Placed | Repair]] = [(p.start, p.end, p) for p in old]
    spans += [(e.offset, e.offset + len(e.before), e) for e in new]
    groups: list[_Group] = []
    reach = -1
    for start, end, edit in sorted(spans, key=lambda span: span[:2]):
        if start > reach:
            groups.append(([], []))
        if isinstance(edit, Repair):
            groups[-1][1].append(edit)
        else:
            groups[-1][0].append(edit)
        reach = max(reach, end)
    return groups


def _merged(old: Sequence[_Placed], new: Sequence[Repair], shift: int) -> list[Repair]:
    if not old:
        return [Repair(e.rule, e.offset - shift, e.before, e.after) for e in new]
    start = min(old[0].start, new[0].offset)
    pieces = [(p.edit.after, p.start - start) for p in old] + [(e.before, e.offset - start) for e in new]
    middle = _overlay(pieces)
    undo = [Repair(p.edit.rule, p.start - start, p.edit.after, p.edit.before) for p in old]
    redo = [Repair(e.rule, e.offset - start, e.before, e.after) for e in new]
    return [Repair(new[-1].rule, start - shift, apply(middle, undo), apply(middle, redo))]


def _overlay(pieces: Sequence[tuple[str, int]]) -> str:
    """Return the intermediate text of a group; its edits touch, so together they cover every character."""
    chars = [""] * max(at + len(piece) for piece, at in pieces)
    for piece, at in pieces:
        chars[at : at + len(piece)] = piece
    return "".join(chars)
