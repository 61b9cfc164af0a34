"""`vna backfill --warc` and `--captures`: import WARC files of other archives, and list addresses of captures.

Boundary: handles only output and the exit code; `crawler.cli.backfill` reads the options.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crawler.cli import output, state
from crawler.cli.state import Globals
from crawler.errors import BadInput

if TYPE_CHECKING:
    from crawler.clock import StoppableClock
    from crawler.pipeline.captures import CaptureImport

_NEEDS_ATTENTION = 5
_NAMED = 20  # faults that are printed for each file; JSON has more


def import_files(globals_: Globals, paths: list[Path], jobs: int, clock: StoppableClock, *, as_json: bool) -> None:
    """Import the captures in WARC files, one file after the other. A file that cannot be read does not stop the import.

    `jobs` is the number of processes that parse.

    Raises:
        BadInput: no file can be read.
        Exit: with code 5, if something was not read that may hide an article, or a signal stopped the import.

    """
    from crawler import app
    from crawler.cli.progress import progress_display
    from crawler.pipeline import captures
    from crawler.pipeline.captures_ahead import preparing
    from crawler.pipeline.run import recorded
    from crawler.replay import recover

    results: list[CaptureImport] = []
    errors: list[BadInput] = []
    try:
        with (
            progress_display(globals_.verbose) as view,
            app.working(
                globals_.load(), "backfill --warc", view, role="text", clock=clock, lexicon=state.lexicon()
            ) as work,
            recorded(work, "backfill --warc"),
        ):
            recover(work)
            with preparing(work, jobs) as ahead:
                batch = captures.CaptureBatch(work, ahead)
                for path in paths:
                    results.append(captures.CaptureImport(path.name))
                    try:
                        batch.read(path, results[-1])
                    except BadInput as error:
                        results[-1].tally.error = str(error)
                        errors.append(error)
                batch.finish()
    finally:  # after the progress bar is closed: it would draw over these lines
        for one in results:
            _print(one, as_json=as_json)
    if clock.stopped:
        output.note("stopped; run the same command again to import the rest")
    elif errors and len(errors) == len(paths):
        raise BadInput("no file was imported", errors[0].hint)
    if clock.stopped or any(one.tally.needs_attention or one.verdicts["unread"] for one in results):
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
    if tally.error is not None:
        output.note(f"vna: {tally.error}")
    if not as_json and (tally.error is None or tally.records):
        _print_counts(result)
    for fault in tally.faults[:_NAMED]:
        output.note(f"{result.file}, {fault}")
    if (more := tally.fault_count - _NAMED) > 0:
        output.note(
            f"{result.file}: skipped {output.count(more, 'more record')} that may hide articles; --json names them"
        )
    if tally.damage:
        output.note(
            f"{result.file} is damaged {tally.damage}; the records that can be read are imported."
            " Download the file again"
        )


def _print_counts(result: CaptureImport) -> None:
    tally = result.tally
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in result.verdicts.items()) or "nothing to import"
    output.text(
        f"{result.file}: {output.count(tally.records, 'record')}, {tally.wanted} of them articles of this site: {verdicts}"
    )
    for reason, count in sorted(tally.skipped.items(), key=lambda item: (-item[1], item[0])):
        output.text(f"  skipped {count}: {reason}")


def _row(result: CaptureImport) -> dict[str, Any]:
    tally = result.tally
    return {
        "file": result.file,
        "records": tally.records,
        "wanted": tally.wanted,
        "verdicts": dict(result.verdicts),
        "passed": dict(tally.skipped),
        "faults": [{"record": f.record, "url": f.url, "reason": f.reason, "text": str(f)} for f in tally.faults],
        "fault_count": tally.fault_count,
        "damage": tally.damage,
        "error": tally.error,
    }
