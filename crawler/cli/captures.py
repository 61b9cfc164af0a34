"""From archives that already exist: WARC files taken over, and where captures of what is missing may be had.

Boundary: output; the options are those of `vna backfill`.
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
    from crawler.pipeline.captures import Taken

_NEEDS_A_LOOK = 5


def take_over(globals_: Globals, paths: list[Path], clock: StoppableClock, *, as_json: bool) -> None:
    """Take over the captures of WARC files, one file after the other.

    Raises:
        BadInput: one of them is no WARC file; those before it are taken over.
        Exit: something needs a look: a damaged file, captures that could not be taken.

    """
    from crawler import app
    from crawler.cli.progress import watcher
    from crawler.pipeline import captures
    from crawler.pipeline.run import recorded

    done: list[Taken] = []
    try:
        with (
            watcher(globals_.verbose) as view,
            app.working(
                globals_.load(), "backfill --warc", view, role="text", clock=clock, lexicon=lexicon_or_note()
            ) as work,
            recorded(work, "backfill --warc"),
        ):
            work.recover(work)
            for path in paths:
                done.append(captures.Taken(path.name))
                captures.take_over(work, path, done[-1])
    finally:  # behind the bar, which would draw itself anew over it
        for one in done:
            _print(one, as_json=as_json)
    if clock.stopped:
        output.note("stopped; the same command takes over what is left")
    if clock.stopped or any(one.tally.damage or one.verdicts["unread"] for one in done):
        raise typer.Exit(_NEEDS_A_LOOK)


def list_addresses(globals_: Globals, since: date | None, until: date | None, *, as_json: bool) -> None:
    """Print an address of a capture for each article that is known and not held, of some months or of all."""
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
    output.note(f"{len(found)} articles are missing; put what you download into WARC files, then: vna backfill --warc")


def _print(taken: Taken, *, as_json: bool) -> None:
    tally = taken.tally
    if as_json:
        output.json_line(_row(taken))
        return
    words = ", ".join(f"{count} {verdict}" for verdict, count in taken.verdicts.items()) or "nothing of ours"
    output.text(f"{taken.file}: {tally.records} records, {tally.wanted} of articles of this site: {words}")
    for why, count in Counter(tally.passed).most_common():
        output.text(f"  passed over {count}: {why}")
    if tally.damage:
        output.note(f"{taken.file} is damaged {tally.damage}; what stands before is taken over. Get the file again")


def _row(taken: Taken) -> dict[str, Any]:
    tally = taken.tally
    return {
        "file": taken.file,
        "records": tally.records,
        "wanted": tally.wanted,
        "verdicts": dict(taken.verdicts),
        "passed": dict(tally.passed),
        "damage": tally.damage,
    }
