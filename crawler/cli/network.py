"""Commands that call on the site.

Boundary: arguments, output, exit code.
"""

from __future__ import annotations

from typing import Annotated

import typer

from crawler.cli import output, state


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(poll)


def poll(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Ignore due times: every source, every known page.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Do one tick: poll the sources that are due, fetch the pages that are due.

    Example: vna poll
    """
    from dataclasses import asdict

    from crawler import app, pipeline
    from crawler.cli.progress import watcher

    globals_ = state.of(context)
    config = globals_.load()
    app.require_contact(config)
    words = state.lexicon_or_note()
    with watcher(globals_.verbose) as progress, app.working(config, "poll", progress, lexicon=words) as work:
        report = pipeline.poll(work, ignore_due=everything)
    if as_json:
        output.json_line(asdict(report))
    else:
        output.text(output.report_line(report))
    if report.rejected or report.failed:
        output.note(f"{report.rejected + report.failed} pages need a look: vna status")
        raise typer.Exit(5)
