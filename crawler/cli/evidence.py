"""Commands over the evidence: is all of it there, and the database made anew from it.

Boundary: arguments, output, exit code.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output, state

if TYPE_CHECKING:
    from crawler.clock import StoppableClock
    from crawler.config import Config
    from crawler.replay import Rebuilt

_REBUILT = "rebuilt"  # below the archive's folder


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(verify)
    app.command()(rebuild)


def verify(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="Only WARC files of this day and later (2026-01-31).")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, metavar="N", help="Only about N answers, others each day.")
    ] = None,
    reindex: Annotated[
        bool, typer.Option("--reindex", help="First make the search index anew from the stored texts.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Check evidence and database: every record, digest, reference and the search index; exit 5 when one is damaged.

    Example: vna verify --sample 1000
    """
    from crawler import app, replay
    from crawler.cli.progress import watcher

    globals_ = state.of(context)
    config = globals_.load()
    day = _day(since) if since else None
    with _stoppable() as clock, watcher(globals_.verbose) as progress, app.auditing(config) as (archive, warc):
        if reindex:
            archive.reindex()
        found = replay.verify(
            archive,
            warc,
            progress,
            since=day,
            sample=sample,
            shift=clock.now().toordinal(),
            stopping=lambda: clock.stopped,
        )
    if as_json:
        output.json_block(asdict(found))
    else:
        output.text(f"{found.files} WARC files, {found.records} records, {found.rows} rows: {len(found.faults)} faults")
        for fault in found.faults:
            output.text(f"{fault.what}: {fault.where}\n  {fault.detail}\n  {fault.advice}")
    if not found.finished:
        output.note("stopped before the end: what was not looked at may be damaged, too")
    if found.faults or not found.finished:
        raise typer.Exit(5)


def rebuild(
    context: typer.Context,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Where to make it.", show_default="ARCHIVE/rebuilt")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Then put it in the place of the old database, which is moved aside.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Make the whole database anew from the WARC files alone, offline, and compare it with the old one.

    Example: vna rebuild --into /tmp/anew
    """
    from crawler import app, replay
    from crawler.cli.progress import watcher
    from crawler.storage import FILE

    globals_ = state.of(context)
    config = globals_.load()
    target = into or config.archive / _REBUILT
    words = state.lexicon_or_note()
    with (
        _stoppable() as clock,
        watcher(globals_.verbose) as progress,
        app.rebuilding(config, target, progress, clock=clock, lexicon=words) as work,
    ):
        made = replay.rebuild(work, config.archive / FILE)
    if as_json:
        output.json_block(
            {
                "database": str(target / FILE),
                "played": asdict(made.played),
                "tables": [asdict(table) | {"differing": table.differing} for table in made.tables],
                "unread": made.unread,
            }
        )
    else:
        _print(made, target / FILE)
    if made.bug is not None:
        traceback.print_exception(made.bug)
        output.note(
            f"a bug kept {made.played.bugs} visits from being taken in, the first of them as above; their answers have"
            " their rows. Report it, and rebuild with a version that has it no more"
        )
    refused = replace and not _replaced(config, target, made)
    if refused or made.differing or made.played.damaged or made.played.unfinished or made.played.bugs:
        raise typer.Exit(5)


def _print(made: Rebuilt, file: Path) -> None:
    played = made.played
    output.text(
        f"{file}: {played.records} records, {played.visits} visits, {played.captures} captures, {played.imports} imports"
    )
    for count, what in (
        (played.unasked, "answers that today's program would not have asked for"),
        (played.unfinished, "visits cut off in the middle, left for the next run to go on with"),
        (played.bugs, "visits over which this program has a bug"),
        (played.damaged, "damaged stretches of WARC files passed over: vna verify"),
    ):
        if count:
            output.text(f"  {count} {what}")
    if made.unread:
        output.text(f"  not compared: the old database cannot be read: {made.unread}")
    if made.tables:
        rows = [
            asdict(table)
            | {"differing": table.differing if table.kind == "evidence" else None}
            | {"where": ", ".join(f"{name} {count}" for name, count in table.columns.items())}
            for table in made.tables
        ]
        output.table(rows, ("table", "kind", "old", "new", "differing", "only_old", "only_new", "where"))
    if made.differing:
        output.note(
            "tables differ; after a change of parser, layouts, lexicon or configuration that is expected: docs/rebuild.md"
        )


def _replaced(config: Config, target: Path, made: Rebuilt) -> bool:
    """Put the new database in its place, unless it lacks articles that the old one has."""
    from crawler.clock import SystemClock
    from crawler.storage import FILE, replace_db

    if made.lost:
        lost = ", ".join(f"{table.only_old} rows of {table.table}" for table in made.lost)
        output.note(f"not replaced: {lost} are in the old database alone; the new one stays at {target / FILE}")
        return False
    stamp = SystemClock().now().strftime("%Y%m%dT%H%M%SZ")
    aside = replace_db.put_in_place(target / FILE, config.archive, stamp)
    if target == config.archive / _REBUILT:
        replace_db.cleared(target)
    output.note(f"the new database is in its place{f'; the old one is {aside}' if aside else ''}")
    return True


@contextmanager
def _stoppable() -> Iterator[StoppableClock]:
    """Let a first Ctrl-C end the work in hand, a second one everything."""
    from crawler.cli.signals import stopped_by_signals
    from crawler.clock import StoppableClock

    clock = StoppableClock()
    with stopped_by_signals(clock):
        yield clock


def _day(value: str) -> str:
    from datetime import date

    from crawler.errors import BadInput

    try:
        return date.fromisoformat(value).strftime("%Y%m%d")
    except ValueError as error:
        raise BadInput(f"--since {value}: not a day", "write it as 2026-01-31") from error
