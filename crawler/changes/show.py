"""Show changes as text: one change with a few words around it, or the changed passages of a revision.

Boundary: values in, values out; the caller decides how marks look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from crawler.changes.compare import Change, Field, field_texts, kinds_of
from crawler.changes.kinds import Kind
from crawler.marks import MarkedText
from crawler.types import Article

_CONTEXT = 40  # characters before and after the changed words


@dataclass(frozen=True, slots=True)
class ChangedPassage:
    """A paragraph of a field with all changes in it marked, and the kinds of these changes."""

    field: Field
    kinds: tuple[Kind, ...]
    pieces: tuple[MarkedText, ...]


def marked_words(change: Change, new_text: str) -> list[MarkedText]:
    """Return a change with some words around it; `new_text` is the text of the field in the new revision."""
    start, end = change.after_offset, change.after_offset + len(change.after)
    left, right = _words_before(new_text, start), _words_after(new_text, end)
    pieces = [
        MarkedText(left),
        MarkedText(change.before, "removed"),
        MarkedText(change.after, "added"),
        MarkedText(right),
    ]
    return [piece for piece in pieces if piece.text.strip()]


def changed_passages(changes: Iterable[Change], old: Article, new: Article) -> list[ChangedPassage]:
    """Return the paragraphs of a revision in which something changed, field by field, in the order of the new text.

    `changes` are those between the two revisions. A moved passage is a paragraph of its own, without marks. So is a removed
    or added one.
    """
    before, after = field_texts(old), field_texts(new)
    found: list[ChangedPassage] = []
    for field, group in groupby(changes, key=lambda change: change.field):
        listed = list(group)
        found += [_passage([one], (MarkedText(one.after),)) for one in listed if Kind.MOVED in one.kinds]
        inside = [one for one in listed if Kind.MOVED not in one.kinds]
        for run in _paragraphs(inside, before[field], after[field]):
            found.append(_passage(run, tuple(_pieces(run, before[field], after[field]))))
    return found


def _passage(changes: Sequence[Change], pieces: tuple[MarkedText, ...]) -> ChangedPassage:
    return ChangedPassage(changes[0].field, kinds_of(changes), pieces)


def _paragraphs(changes: Iterable[Change], old: str, new: str) -> Iterator[list[Change]]:
    """Yield the changes of each paragraph of the new text; a removed paragraph is alone."""
    run: list[Change] = []
    last = -1
    for change in sorted(changes, key=lambda one: one.after_offset):
        if _is_removed_paragraph(change, old):
            yield [change]
            continue
        start, end = _line(new, change.after_offset, change.after_offset + len(change.after))
        if run and start >= last:
            yield run
            run = []
        run.append(change)
        last = max(last, end)
    if run:
        yield run


def _pieces(run: Sequence[Change], old: str, new: str) -> Iterator[MarkedText]:
    if _is_removed_paragraph(run[0], old):
        yield MarkedText(run[0].before, "removed")
        return
    position, end = _line(new, run[0].after_offset, run[-1].after_offset + len(run[-1].after))
    for change in run:
        if change.after_offset > position:
            yield MarkedText(new[position : change.after_offset])
        if change.before:
            is_glued = bool(new[: change.after_offset].strip()) and not new[change.after_offset - 1].isspace()
            space = old[: change.before_offset][-1:] if is_glued else ""
            yield MarkedText(f"{space}{change.before}" if space.isspace() else change.before, "removed")
        if change.after:
            yield MarkedText(change.after, "added")
        position = change.after_offset + len(change.after)
    if end > position:
        yield MarkedText(new[position:end])


def _is_removed_paragraph(change: Change, old: str) -> bool:
    bounds = change.before_offset, change.before_offset + len(change.before)
    return not change.after and _line(old, *bounds) == bounds


def _line(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the start and the end of the lines that contain a part of a text."""
    following = text.find("\n", end)
    return text.rfind("\n", 0, start) + 1, len(text) if following < 0 else following


def _words_before(text: str, end: int) -> str:
    line, _ = _line(text, end, end)
    start = max(line, end - _CONTEXT)
    if start > line:
        space = text.find(" ", start, end)
        start = end if space < 0 else space + 1
    return ("… " if start > line else "") + text[start:end]


def _words_after(text: str, start: int) -> str:
    _, line = _line(text, start, start)
    end = min(line, start + _CONTEXT)
    if end < line:
        space = text.rfind(" ", start, end)
        end = start if space < 0 else space
    return text[start:end] + (" …" if end < line else "")
