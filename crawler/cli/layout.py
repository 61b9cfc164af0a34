"""The layout of data for people: text of the width of the terminal, marked words, tables, long output in a pager.

Lines are broken between words only, and never at the no-break spaces of French. If stdout is not a terminal, each line of
data stays one line, and nothing is shortened. Colours appear only on a terminal, and not if NO_COLOR is set.

Boundary: arranges text that is already safe to print; `crawler.cli.streams` writes it.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crawler import redact, visible
from crawler.cli import streams

BOLD, DIM, HIT, REMOVED, ADDED = "1", "2", "1;33", "31", "32"  # terminal colours (SGR)
#: A word with the French punctuation that a space separates from it: `« mot »`, `mot :`.
_WORD = re.compile(r"(?:« )?[^ \t\n]+(?: [:;!?»%]+(?![^ \t\n]))*")
_INSTANT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ$")  # on a terminal, without seconds
_GAP = 2  # spaces between two columns
_WIDEST_TEXT = 100  # columns of a line of text: longer lines are hard to read
_NARROWEST = 20


@dataclass(frozen=True, slots=True)
class ColouredSpan:
    """A part of a text, from `start` to before `end`, that has a colour on a terminal."""

    start: int
    end: int
    colour: str


def is_terminal() -> bool:
    """Whether data is printed on a terminal."""
    return sys.stdout.isatty()


def width() -> int:
    """Return the width of the terminal, in columns."""
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def lines_of(text: str, before: int = 0) -> Iterator[str]:
    """Yield the lines of a text of one line, broken at the width of the terminal; each begins with the same spaces.

    `before` is the number of columns that are before each line.
    """
    indent = len(text) - len(text.lstrip(" "))
    for start, end in _lines(text, width() - indent - before if is_terminal() else None):
        yield " " * indent + text[start:end].lstrip(" ")


def paragraph(text: str, *, indent: int = 0, spans: Iterable[ColouredSpan] = ()) -> None:
    """Print a text of one line, broken at the width of the terminal, each line after `indent` spaces."""
    found = tuple(spans)
    room = min(width(), _WIDEST_TEXT) - indent if is_terminal() else None
    for start, end in _lines(text, room):
        streams.write_pieces([(" " * indent, None), *_pieces(text, start, end, found)])


def table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], *, bold: str | None = None) -> None:
    """Print rows in aligned columns, under the names of the columns.

    On a terminal, cells of more than one word are broken into lines if the table is too wide; if that is not enough, the
    widest cells follow below their row. `bold` names a column that is printed in bold.
    """
    names = list(columns)
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(map(cell_width, column)) for column in zip(names, *cells, strict=True)]
    below: set[int] = set()
    if is_terminal():
        widths, below = _fitted(widths, [_least(column) for column in zip(names, *cells, strict=True)], width())
    _print_row(names, widths, below, dict.fromkeys(range(len(names)), BOLD))
    for row in cells:
        _print_row(row, widths, below, {names.index(bold): BOLD} if bold else {})


def cell_width(text: str) -> int:
    """Return the number of columns that a text of one line takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cell(value: Any) -> str:
    text = "" if value is None else visible.line(redact.redacted(" ".join(str(value).split())))
    return _INSTANT.sub(r"\1 \2Z", text) if is_terminal() else text


def _least(cells: Iterable[str]) -> int:
    """Return the least width of a column in which no word is broken."""
    return max((cell_width(word) for cell in cells for word in _WORD.findall(cell)), default=0)


def _fitted(widths: list[int], least: list[int], room: int) -> tuple[list[int], set[int]]:
    """Return widths of columns that fit into `room`, and the columns that must be printed below their row."""
    below: set[int] = set()
    while True:
        inside = [n for n in range(len(widths)) if n not in below]
        gaps = _GAP * (len(inside) - 1)
        if sum(least[n] for n in inside) + gaps <= room or len(inside) == 1:
            break
        below.add(max(inside[1:], key=lambda n: (least[n], widths[n])))
    fitted = [max(least[n], min(widths[n], room)) for n in range(len(widths))]
    while sum(fitted[n] for n in inside) + gaps > room and (wide := [n for n in inside if fitted[n] > least[n]]):
        fitted[max(wide, key=fitted.__getitem__)] -= 1
    return fitted, below


def _print_row(cells: Sequence[str], widths: Sequence[int], below: set[int], colours: Mapping[int, str]) -> None:
    inside = [n for n in range(len(cells)) if n not in below]
    columns = {n: [cells[n][a:b] for a, b in _lines(cells[n], widths[n])] for n in inside}
    for number in range(max((len(lines) for lines in columns.values()), default=1)):
        pieces: list[tuple[str, str | None]] = []
        for n in inside:
            text = columns[n][number] if number < len(columns[n]) else ""
            pieces += [(text, colours.get(n)), (" " * (widths[n] - cell_width(text) + _GAP), None)]
        streams.write_pieces(_stripped(pieces))
    for n in sorted(below):
        if cells[n]:
            paragraph(cells[n], indent=_GAP)


def _stripped(pieces: Sequence[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Return the pieces of a line without spaces at its end."""
    kept = list(pieces)
    while kept and not kept[-1][0].strip():
        kept.pop()
    return kept


def _lines(text: str, room: int | None) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each line of a text; a word that is wider than `room` has a line of its own."""
    if room is None or cell_width(text) <= room:
        yield 0, len(text)
        return
    start = end = None
    for word in _WORD.finditer(text):
        if start is not None and end is not None and cell_width(text[start : word.end()]) > room:
            yield start, end
            start = None
        start = word.start() if start is None else start
        end = word.end()
    if start is not None and end is not None:
        yield start, end


def _pieces(text: str, start: int, end: int, spans: Sequence[ColouredSpan]) -> Iterator[tuple[str, str | None]]:
    position = start
    for span in spans:
        first, last = max(span.start, position), min(span.end, end)
        if first < last:
            yield text[position:first], None
            yield text[first:last], span.colour
            position = last
    yield text[position:end], None
