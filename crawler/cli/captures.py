"""`vna backfill --warc` and `--captures`: import WARC files of other archives, and list addresses of captures.

Boundary: handles only output and the exit code; `crawler.cli.backfill` reads the options.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crawler.cli import output
from crawler.cli.state import Globals, lexicon_or_note

if TYPE_CHECKING:
    from crawler.clock import StoppableClock
    from crawler.pipeline.captures import CaptureImport

_NEEDS_ATTENTION = 5


def import_files(globals_: Globals, paths: list[Path], clock: StoppableClock, *, as_json: bool) -> None:
    """Import the captures in WARC files, one file after the other.

    Raises:
        BadInput: a file is not a WARC file; the files before it have been imported.
        Exit: with code 5, if a file is damaged, a capture cannot be read, or a signal stopped the import.

    """
    from crawler import app
    from crawler.cli.progress import progress_display
    from crawler.pipeline import captures
    from crawler.pipeline.run import recorded
    from crawler.replay import recover

    results: list[CaptureImport] = []
    try:
        with (
            progress_display(globals_.verbose) as view,
            app.working(
                globals_.load(), "backfill --warc", view, role="text", clock=clock, lexicon=lexicon_or_note()
            ) as work,
            recorded(work, "backfill --warc"),
        ):
            recover(work)
            for path in paths:
                results.append(captures.CaptureImport(path.name))
                captures.import_captures(work, path, results[-1])
    finally:  # after the progress bar is closed: it would draw over these lines
        for one in results:
            _print(one, as_json=as_json)
    if clock.stopped:
        output.note("stopped; run the same command again to import the rest")
    if clock.stopped or any(one.tally.damage or one.verdicts["unread"] for one in results):
        raise typer.Exit(_NEEDS_ATTENTION)


def list_addresses(globals_: Globals, since: date | None, until: date | None, *, as_json: bool) -> None:
    """Print the Wayback Machine address of each missing article of the months from `since` to `until`, inclusive."""
    from crawler.coverage import take_stock
    from crawler.coverage.elsewhere import capture_addresses

    with globals_.reading() as archive, archive.posts() as posts:
        missing = take_stock(posts).missing
    first, last = (day.isoformat()[:7] if day else None for day in (since, until))
    wanted = [m for m in missing if (first is None or first <= m.month) and (last is None or "" < m.month <= last)]
    found = capture_addresses(wanted)
    if as_json:
        output.json_block(found)
    else:
        for address in found:
            output.text(address)
    articles = output.count(len(found), "missing article")
    steps = "; download the captures as WARC files, then run `vna backfill --warc FILE`" if found else ""
    output.note(articles + steps)


def _print(result: CaptureImport, *, as_json: bool) -> None:
    tally = result.tally
    if as_json:
        output.json_line(_row(result))
        return
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in result.verdicts.items()) or "nothing to import"
    output.text(
        f"{result.file}: {output.count(tally.records, 'record')}, {tally.wanted} of them articles of this site: {verdicts}"
    )
    for reason, count in Counter(tally.skipped).most_common():
        output.text(f"  skipped {count}: {reason}")
    if tally.damage:
        output.note(
            f"{result.file} is damaged {tally.damage}; the records before the damage are imported."
            " Download the file again"
        )


def _row(result: CaptureImport) -> dict[str, Any]:
    tally = result.tally
    return {
        "file": result.file,
        "records": tally.records,
        "wanted": tally.wanted,
        "verdicts": dict(result.verdicts),
        "passed": dict(tally.skipped),
        "damage": tally.damage,
    }
