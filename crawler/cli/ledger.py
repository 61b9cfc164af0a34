"""The ledger: `vna coverage`.

Boundary: arguments and output; the counting is `coverage`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import output, state
from crawler.errors import BadInput, StorageError

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.coverage import Dating, Ledger, Missing, Month

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_LISTED = 20  # missing articles that the text names; JSON has all
_BAR = 20


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What of the ledger was asked for; None where nothing was said."""

    since: str | None
    until: str | None
    section: str | None

    def month(self, month: str) -> bool:
        """Whether a month is in the period; what has no month is in none but the whole."""
        return (self.since is None or self.since <= month) and (self.until is None or "" < month <= self.until)

    def row(self, row: Month | Missing) -> bool:
        """Whether a row was asked for."""
        return self.month(row.month) and (self.section is None or row.section == self.section)

    def dating(self, dating: Dating) -> bool:
        """Whether a note about a date was asked for: something in the period may be the day."""
        return self.month((dating.after or dating.before or "")[:7])


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(coverage)


def coverage(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option("--since", metavar="MONTH", help="First month, as 2024-01 (or a day in it).")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="MONTH", help="Last month.")] = None,
    section: Annotated[str | None, typer.Option("--section", help="One section instead of all together.")] = None,
    chart: Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Draw it, as SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: every month and section, every id.")] = False,
) -> None:
    """Print the ledger: how many articles are known, held, missing and gone in each month, and how many nobody listed.

    It is worked out anew and stored in the tables coverage, missing and datings. That something is missing is an
    answer, not a failure: the exit code is 0.

    Example: vna coverage --since 2024-01 --chart coverage.svg
    """
    from crawler.clock import SystemClock, to_text

    folder, now = state.of(context).folder(), SystemClock().now()
    asked = _Wanted(_month("--since", since), _month("--until", until), None)
    ledger, gaps = _taken(folder)
    _store(folder, ledger, now)
    wanted = _Wanted(asked.since, asked.until, _known_section(ledger, section))
    rows = [row for row in ledger.months if wanted.row(row)]
    if chart is not None:
        _draw(chart, [row for row in rows if row.section == (wanted.section or "")], wanted.section)
    if as_json:
        output.json_block({"computed_at": to_text(now), **_as_json(ledger, rows, wanted), "gaps": gaps})
        return
    _print(ledger, [row for row in rows if row.section == (wanted.section or "")], gaps, wanted)


def _taken(folder: Path) -> tuple[Ledger, list[dict[str, Any]]]:
    from crawler import app
    from crawler.coverage import take_stock

    with app.reading_archive(folder) as archive, archive.posts() as posts:
        return take_stock(posts), archive.status()["gaps"]


def _store(folder: Path, ledger: Ledger, now: datetime) -> None:
    """Keep the ledger in its tables; an archive that cannot be written is answered about all the same."""
    from crawler import storage

    try:
        with storage.open_archive(folder) as archive:
            archive.save_ledger(ledger, now)
    except StorageError as error:
        output.note(f"vna: the ledger is not stored: {error}")


def _draw(file: Path, rows: Sequence[Month], section: str | None) -> None:
    from crawler.coverage import chart
    from crawler.export import replacing

    with replacing(file) as out:
        out.write(chart(rows, f"Articles a month, {section or 'all sections'}"))
    output.note(f"chart: {file}")


def _as_json(ledger: Ledger, rows: Iterable[Month], wanted: _Wanted) -> dict[str, Any]:
    return {
        "coverage": [asdict(row) for row in rows],
        "missing": [asdict(one) for one in ledger.missing if wanted.row(one)],
        "datings": [asdict(one) for one in ledger.datings if wanted.dating(one)],
        "unasked": [list(run) for run in ledger.unasked],
    }


def _month(option: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return value if _MONTH.fullmatch(value) else date.fromisoformat(value).isoformat()[:7]
    except ValueError as error:
        raise BadInput(f"{option} {value} is no month", "write it as 2024-01") from error


def _known_section(ledger: Ledger, asked: str | None) -> str | None:
    """Give a section's name as the archive writes it."""
    if asked is None:
        return None
    names = sorted({row.section for row in ledger.months} - {""})
    found = [name for name in names if name.casefold() == asked.casefold()]
    if not found:
        raise BadInput(f"no section {asked} in this archive", f"its sections: {', '.join(names) or 'none'}")
    return found[0]


# --- for people -------------------------------------------------------------------------------------------------------


def _print(ledger: Ledger, rows: Sequence[Month], gaps: Sequence[dict[str, Any]], wanted: _Wanted) -> None:
    output.text(f"{'month':18}  {'known':>8}{'held':>9}{'missing':>9}{'gone':>7}{'undated':>9}  estimate [95 %]")
    for nothing, group in groupby(rows, key=lambda row: not row.known):
        months = list(group)
        for row in [_folded(months)] if nothing else months:
            output.text(_line(row))
    _sum(rows)
    for gap in gaps:
        output.text(f"open gap: {gap['source']}, {gap['since']} to {gap['until']}{_tail(gap['note'])}")
    _print_missing([one for one in ledger.missing if wanted.row(one)])
    _print_datings([one for one in ledger.datings if wanted.dating(one)])
    if unasked := sum(row.unasked or 0 for row in rows):
        output.text(f"\n{unasked:,} ids in the sequence nobody knows and nobody asked for: vna backfill --via ids")


def _folded(months: Sequence[Month]) -> Month:
    """Make one line of months of which nothing is known."""
    first, last = months[0], months[-1]
    name = first.month if first is last else f"{first.month} to {last.month}"
    return replace(first, month=name, high=sum(month.high or 0 for month in months))


def _line(row: Month) -> str:
    return (
        f"{row.month or 'no month':18}  {row.known:>8,}{row.held:>9,}{row.missing:>9,}{row.gone:>7,}{row.undated:>9,}"
        f"  {_estimate(row):24}  {_bar(row)}"
    ).rstrip()


def _estimate(row: Month) -> str:
    if row.low is None or row.high is None:
        return ""
    value = "" if row.estimate is None else f"{row.estimate:,.0f} "
    return f"{value}[{row.low:,}]" if row.low == row.high else f"{value}[{row.low:,} - {row.high:,}]"


def _bar(row: Month) -> str:
    """Draw what is held as full blocks, what is missing or lost as shaded ones, what may exist beside as dots."""
    whole = max(row.known, row.high or 0)
    if not whole:
        return ""
    held, known = (round(number * _BAR / whole) for number in (row.held, row.known))
    if row.held < row.known:
        held = min(held, _BAR - 1)  # a single missing article is seen, too
        known = max(known, held + 1)
    return "█" * held + "▒" * (known - held) + "·" * (_BAR - known)


def _sum(rows: Sequence[Month]) -> None:
    total: Callable[[str], int] = lambda name: sum(getattr(row, name) for row in rows)  # noqa: E731 - one use
    known, held, gone = total("known"), total("held"), total("gone")
    share = f" ({held / known:.1%})" if known else ""
    output.text(
        f"\n{known:,} known, {held:,} held{share}, {total('missing'):,} missing, {gone:,} removed by the agency"
        f" ({total('gone_held'):,} of them held), {total('undated'):,} undated"
    )


def _print_missing(missing: Sequence[Missing]) -> None:
    if not missing:
        return
    output.text(
        f"\nmissing, {min(len(missing), _LISTED)} of {len(missing):,}:" if len(missing) > _LISTED else "\nmissing:"
    )
    rows = [{**asdict(one), "id": one.page} for one in missing[-_LISTED:]]
    output.table(rows[::-1], ("id", "month", "state", "url", "error"))


def _print_datings(datings: Sequence[Dating]) -> None:
    if not datings:
        return
    counts = {kind: sum(one.kind == kind for one in datings) for kind in ("undated", "back-dated", "ahead")}
    output.text(
        "\ndates that the ids speak to: " + ", ".join(f"{n} {kind}" for kind, n in counts.items() if n) + " (--json)"
    )


def _tail(note: str | None) -> str:
    return f": {note}" if note else ""
