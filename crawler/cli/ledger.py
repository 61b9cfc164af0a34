"""`vna coverage`: the coverage ledger.

Boundary: handles only arguments and output; `crawler.coverage` counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import destination, layout, output, state, values
from crawler.errors import StorageError

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.coverage import Dating, Ledger, LedgerMonth, Missing

_LISTED = 20  # missing articles in the text output; JSON lists all
_NAMES = ("month", "known", "held", "missing", "gone", "undated", "estimate [95 %]")
_NARROW = 80  # columns of the terminal below which the months are a table with broken cells
_WIDE = 110  # columns of the terminal from which a month also has a bar
_BAR = 20  # width of a bar, in characters


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The part of the ledger to print. A field that is None sets no limit."""

    since: str | None
    until: str | None
    section: str | None

    def month(self, month: str) -> bool:
        """Whether `month`, such as `2024-01`, is in the period.

        An empty string stands for an unknown month, which is in the period only if the period has no limits.
        """
        return (self.since is None or self.since <= month) and (self.until is None or "" < month <= self.until)

    def row(self, row: LedgerMonth | Missing) -> bool:
        """Whether a row of the ledger is in the period and in the section."""
        return self.month(row.month) and (self.section is None or row.section == self.section)

    def dating(self, dating: Dating) -> bool:
        """Whether the earliest possible day of an article (or the latest, if that is unknown) is in the period."""
        return self.month((dating.after or dating.before or "")[:7])


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(coverage)


def coverage(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="MONTH", help="First month, such as 2024-01 (or any day of that month)."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="MONTH", help="Last month.")] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="Count only this section instead of all sections together.")
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option("--chart", metavar="FILE", parser=destination.parsed, help="Also draw a chart in this SVG file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every month, section and id.")] = False,
) -> None:
    """Print how many articles are known, held and missing, by month.

    Held articles are in the archive. Also counts the articles that the agency removed, and estimates how many articles
    exist that no list contains. Each call computes these numbers again and stores them in the tables coverage, missing
    and datings. The exit code is 0 even if articles are missing.

    Example: vna coverage --since 2024-01 --chart coverage.svg
    """
    from crawler.clock import SystemClock, to_text

    destination.refuse_stdout(
        context, chart, "the numbers are written to standard output: choose a file with --chart FILE", "--chart"
    )
    folder, now = state.of(context).folder(), SystemClock().now()
    first, last = values.iso_period(since, until)
    asked = _Wanted(first and first[:7], last and last[:7], None)
    ledger, gaps, pictures = _taken(folder)
    _store(folder, ledger, now)
    wanted = replace(asked, section=_known_section(ledger, section))
    rows = [row for row in ledger.months if wanted.row(row)]
    if chart is not None:
        _draw(chart, [row for row in rows if row.section == (wanted.section or "")], wanted.section)
    if as_json:
        output.json_block(
            {"computed_at": to_text(now), **_as_json(ledger, rows, wanted), "gaps": gaps, "pictures": pictures}
        )
        return
    _print(ledger, [row for row in rows if row.section == (wanted.section or "")], gaps, wanted)
    if pictures["held"] or pictures["failed"]:
        output.heading(f"pictures of all articles: {output.pictures(pictures)}")


def _taken(folder: Path) -> tuple[Ledger, list[dict[str, Any]], dict[str, int]]:
    from crawler import opening
    from crawler.coverage import take_stock

    with opening.reading_archive(folder) as archive, archive.posts() as posts:
        return take_stock(posts), archive.open_gap_rows(), archive.picture_counts()


def _store(folder: Path, ledger: Ledger, now: datetime) -> None:
    """Store the ledger in its tables. If the archive cannot be written, only print a note, because nothing is lost."""
    from crawler import storage

    try:
        with storage.open_archive(folder) as archive:
            archive.save_ledger(ledger, now)
    except StorageError as error:
        output.note(f"vna: the ledger was not stored: {error}")


def _draw(file: Path, rows: Sequence[LedgerMonth], section: str | None) -> None:
    from crawler.coverage import chart
    from crawler.export import replacing

    with replacing(file) as out:
        out.write(chart(rows, f"Articles per month, {section or 'all sections'}"))
    output.note(f"chart: {file}")


def _as_json(ledger: Ledger, rows: Iterable[LedgerMonth], wanted: _Wanted) -> dict[str, Any]:
    return {
        "coverage": [asdict(row) for row in rows],
        "missing": [asdict(one) for one in ledger.missing if wanted.row(one)],
        "datings": [asdict(one) for one in ledger.datings if wanted.dating(one)],
        "unasked": [list(run) for run in ledger.unasked],
    }


def _known_section(ledger: Ledger, asked: str | None) -> str | None:
    from crawler import fold, selection

    names = sorted({row.section for row in ledger.months} - {""}, key=fold.letters)
    return None if asked is None else selection.known("section", [asked], names)[0]


# --- text output ------------------------------------------------------------------------------------------------------


def _print(ledger: Ledger, rows: Sequence[LedgerMonth], gaps: Sequence[dict[str, Any]], wanted: _Wanted) -> None:
    _print_months(rows)
    _sum(rows)
    for gap in gaps:
        output.text(f"open gap: {gap['source']}, {gap['since']} to {gap['until']}{_suffix(gap['note'])}")
    _print_missing([one for one in ledger.missing if wanted.row(one)])
    _print_datings([one for one in ledger.datings if wanted.dating(one)])
    if unasked := sum(row.unasked or 0 for row in rows):
        output.heading(
            f"{unasked:,} ids in the sequence are unknown and were never requested: run `vna backfill --via ids`"
        )


def _print_months(rows: Sequence[LedgerMonth]) -> None:
    shown: list[LedgerMonth] = []
    for nothing, group in groupby(rows, key=lambda row: not row.known):
        months = list(group)
        shown += [_folded(months)] if nothing else months
    if layout.is_terminal() and layout.width() < _NARROW:
        layout.table([dict(zip(_NAMES, _cells(row), strict=True)) for row in shown], _NAMES)
        return
    compact = layout.is_terminal() and layout.width() < _WIDE
    output.text(_columns(compact, *_NAMES, ""))
    for row in shown:
        output.text(_columns(compact, *_cells(row), "" if compact else _bar(row)))


def _folded(months: Sequence[LedgerMonth]) -> LedgerMonth:
    """Combine the rows of consecutive months without known articles into one row."""
    first, last = months[0], months[-1]
    name = first.month if first is last else f"{first.month} to {last.month}"
    return replace(first, month=name, high=sum(month.high or 0 for month in months))


def _cells(row: LedgerMonth) -> tuple[str, ...]:
    counts = [f"{count:,}" for count in (row.known, row.held, row.missing, row.gone, row.undated)]
    return row.month or "no month", *counts, _estimate(row)


def _columns(compact: bool, month: str, *cells: str) -> str:
    """Return a line of the table; `compact` fits into 80 columns."""
    widths = (7, 7, 8, 6, 8) if compact else (10, 9, 9, 7, 9)
    *counts, estimate, bar = cells
    numbers = "".join(cell.rjust(width) for cell, width in zip(counts, widths, strict=True))
    return f"{month:18}{numbers}  {estimate:24}  {bar}".rstrip()


def _estimate(row: LedgerMonth) -> str:
    if row.low is None or row.high is None:
        return ""
    value = "" if row.estimate is None else f"{row.estimate:,.0f} "
    return f"{value}[{row.low:,}]" if row.low == row.high else f"{value}[{row.low:,} - {row.high:,}]"


def _bar(row: LedgerMonth) -> str:
    """Return a bar: full blocks for held articles, shaded blocks for other known ones, dots for the estimated rest."""
    whole = max(row.known, row.high or 0)
    if not whole:
        return ""
    held, known = (round(number * _BAR / whole) for number in (row.held, row.known))
    if row.held < row.known:
        held = min(held, _BAR - 1)  # a single missing article is visible, too
        known = max(known, held + 1)
    return "█" * held + "▒" * (known - held) + "·" * (_BAR - known)


def _sum(rows: Sequence[LedgerMonth]) -> None:
    total: Callable[[str], int] = lambda name: sum(getattr(row, name) for row in rows)  # noqa: E731 - one use
    known, held, gone = total("known"), total("held"), total("gone")
    share = f" ({held / known:.1%})" if known else ""
    output.heading(
        f"{known:,} known, {held:,} held{share}, {total('missing'):,} missing, {gone:,} removed by the agency"
        f" ({total('gone_held'):,} of them held), {total('undated'):,} undated"
    )


def _print_missing(missing: Sequence[Missing]) -> None:
    if not missing:
        return
    output.heading(
        f"missing, {min(len(missing), _LISTED)} of {len(missing):,}:" if len(missing) > _LISTED else "missing:"
    )
    rows = [{**asdict(one), "id": one.page} for one in missing[-_LISTED:]]
    layout.table(rows[::-1], ("id", "month", "state", "url", "error"))


def _print_datings(datings: Sequence[Dating]) -> None:
    if not datings:
        return
    counts = {kind: sum(one.kind == kind for one in datings) for kind in ("undated", "back-dated", "ahead")}
    output.heading(
        "missing or implausible dates: " + ", ".join(f"{n} {kind}" for kind, n in counts.items() if n) + " (--json)"
    )


def _suffix(note: str | None) -> str:
    return f": {note}" if note else ""
