"""Apply edits to a text, and combine two successive lists of edits into one list that refers to the verbatim text.

Boundary: strings and offsets only; this module does not know the repair rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crawler.types import Repair


def apply(text: str, repairs: Iterable[Repair]) -> str:
    """Return `text` with all edits in `repairs` applied; their offsets are positions in `text`, in characters.

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
    """Return edits of the verbatim text that have the same effect as the edits `first` followed by the edits `second`.

    The offsets in `second` refer to the intermediate text, which is the result of `first`. Edits of the two lists that
    overlap or touch are merged into one edit, which has the rule name of the edit in `second`.
    """
    composed: list[Repair] = []
    shift = 0  # length of the intermediate text minus length of the verbatim text, up to here
    for old, new in _groups(_placed(first), second):
        composed += _merged(old, new, shift) if new else [p.edit for p in old]
        shift = old[-1].shift if old else shift
    return tuple(e for e in composed if e.before != e.after)


@dataclass(frozen=True, slots=True)
class _Placed:
    """An edit of the verbatim text, with its start and end in the intermediate text.

    `shift` is the length of the intermediate text minus the length of the verbatim text, both up to the end of this
    edit.
    """

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
    """Return the edits of both lists in groups; the edits of one group overlap or touch in the intermediate text."""
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
    """Return the part of the intermediate text that one group of edits covers.

    `pieces` are strings of this part with their positions. They leave nothing out, because the edits of a group overlap or
    touch.
    """
    chars = [""] * max(at + len(piece) for piece, at in pieces)
    for piece, at in pieces:
        chars[at : at + len(piece)] = piece
    return "".join(chars)
