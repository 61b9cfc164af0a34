"""`vna backfill --images`: fetch the pictures of articles that the archive holds already.

Boundary: handles only output and the exit code; `crawler.cli.backfill` reads the options.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import typer

from crawler.cli import output, state
from crawler.cli.signals import stopped_by_signals
from crawler.errors import BadInput, Interrupted

_NEEDS_ATTENTION = 5


def fetch_images(
    globals_: state.Globals, since: date | None, until: date | None, *, dry_run: bool, waits: bool, as_json: bool
) -> None:
    """Fetch the pictures of the articles of a period, or print how many requests this takes.

    Raises:
        BadInput: the configuration keeps no pictures.
        Exit: with code 5, if pictures could not be fetched, or a signal stopped the command.

    """
    from crawler import app
    from crawler.backfill.pictures import PictureTally, fetch_pictures, missing_pictures
    from crawler.cli.progress import progress_display
    from crawler.clock import StoppableClock
    from crawler.pipeline.run import recorded
    from crawler.replay import recover

    config = globals_.load() if dry_run else globals_.load_for_requests()
    if config.keep_pictures == "none":
        raise BadInput(
            "the configuration keeps no pictures", 'set `[images] keep = "lead"` or `"all"` in config/crawler.toml'
        )
    days = (since.isoformat() if since else None, until.isoformat() if until else None)
    clock = StoppableClock()
    tally = PictureTally()
    with (
        stopped_by_signals(clock),
        progress_display(globals_.verbose) as view,
        app.working(config, "backfill --images", view, role="backfill", clock=clock, dry_run=dry_run) as run,
    ):
        if dry_run:
            missing = sum(1 for _ in missing_pictures(run, *days))
            _print_estimate(missing, run.archive.mean_picture_size(), config, as_json=as_json)
            return
        try:
            with recorded(run, "backfill --images"):
                recover(run)
                tally = fetch_pictures(run, *days, waits=waits)
        except Interrupted:
            pass
        found: dict[str, Any] = {"fetched": tally.fetched, "failed": tally.failed}
        found["left"] = sum(1 for _ in missing_pictures(run, *days))
        found |= {"requests": run.report.requests, "bytes": run.report.bytes, "seconds": run.report.seconds}
    if as_json:
        output.json_line(found)
    else:
        output.text(
            f"{output.count(tally.fetched, 'picture')} fetched, {tally.failed} failed, {found['left']} left; "
            f"{found['requests']} requests, {output.size(found['bytes'])}, {found['seconds']:.1f} s"
        )
    if found["left"]:
        output.note("run the same command again to fetch the rest")
    if tally.failed or found["left"]:
        raise typer.Exit(_NEEDS_ATTENTION)


def _print_estimate(missing: int, mean_size: int | None, config: Any, *, as_json: bool) -> None:
    from crawler import plans
    from crawler.cli.plan_progress import format_duration

    span = plans.duration(missing, config.rate, config.daily_cap, config.quiet_hours)
    expected = None if mean_size is None else missing * mean_size
    if as_json:
        output.json_line({"requests": missing, "bytes": expected, "seconds": span.total_seconds()})
        return
    size = "" if expected is None else f", about {output.size(expected)} by the mean size of those that are held"
    output.text(f"{output.count(missing, 'picture')}, {output.duration(format_duration(span), config.rate)}{size}")
