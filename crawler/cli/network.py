"""`vna poll`: fetch the sources and pages that are due.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from typing import Annotated

import typer

from crawler.cli import output, state


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(poll)


def poll(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Fetch every source and every known page, even if it is not due.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Fetch all sources and pages that are due, and exit.

    First reads the lists, then fetches the articles that are new or due for a check.

    Example: vna poll
    """
    from dataclasses import asdict

    from crawler import app, collect
    from crawler.cli.progress import progress_display

    globals_ = state.of(context)
    config = globals_.load_for_requests()
    lexicon = state.lexicon()
    with progress_display(globals_.verbose) as progress, app.working(config, "poll", progress, lexicon=lexicon) as work:
        report = collect.poll(work, ignore_due=everything)
        wrong_clock = output.wrong_clock(work.archive, work.clock.now())
    if as_json:
        output.json_line(asdict(report))
    else:
        output.text(output.report_line(report))
    if report.rejected or report.failed:
        output.note(f"{output.count(report.rejected + report.failed, 'page')} rejected or failed: run `vna status`")
    if wrong_clock:
        output.note(wrong_clock)
    if report.rejected or report.failed or wrong_clock:
        raise typer.Exit(5)
