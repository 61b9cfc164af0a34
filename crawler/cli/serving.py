"""Commands that serve something: the replica of the site, Datasette on the archive, the demo.

Boundary: arguments, output, exit code.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli import output, state
from crawler.errors import BadInput, StopError

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
_DATASETTE = Path(__file__).resolve().parents[2] / "config"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (browse, replica, demo):
        app.command()(command)


def replica(
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1; 0 for any free one.", min=0, max=65535)] = 0,
    articles: Annotated[int, typer.Option("--articles", help="Generated articles beside the seeds.", min=0)] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the generated articles.")] = 0,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", metavar="SPEC", help="kind[:path-glob[:times]].")
    ] = None,
) -> None:
    """Serve the offline double of the site until SIGTERM; the first line on stdout is its JSON address.

    Example: vna replica --port 8900 --articles 300 --fault 'throttle:/rss/*:3'
    """
    import json

    from crawler.replica import build, parse_fault, serve

    faults = [parse_fault(spec) for spec in fault or []]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        serving = serve(
            lambda url: build(url, seeds_dir=seeds(), articles=articles, seed=seed, now=lambda: datetime.now(UTC)),
            port,
        )
    except OSError as error:
        raise BadInput(f"cannot serve on 127.0.0.1:{port}: {error.strerror}", "choose another --port, or 0") from error
    with serving as site:
        for one in faults:
            site.replica.add_fault(one)
        output.text(json.dumps({"url": site.url, "control": site.control}))
        sys.stdout.flush()
        stop.wait()


def browse(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.", min=0, max=65535)] = 8001,
) -> None:
    """Open the archive in Datasette, read-only, until interrupted.

    Example: vna browse --port 8001
    """
    from crawler.storage import FILE

    with state.of(context).reading() as archive:
        file = Path(archive.db.execute("PRAGMA database_list").fetchone()[2])
    if find_spec("datasette") is None:
        raise StopError("Datasette is not installed", "install it beside the archive: pip install 'crawler[browse]'")
    settings = ["--setting", "truncate_cells_html", "300", "--setting", "max_returned_rows", "1000"]
    metadata = ["--metadata", str(_DATASETTE / "datasette.yaml")] if _DATASETTE.exists() else []
    metadata += ["--plugins-dir", str(_DATASETTE / "datasette")] if _DATASETTE.exists() else []
    output.note(f"{FILE} at http://127.0.0.1:{port}/ (read-only); Ctrl-C ends it")
    command = [sys.executable, "-m", "datasette", "serve", str(file), "-p", str(port), "-h", "127.0.0.1"]
    sys.stderr.flush()
    os.execv(sys.executable, [*command, *settings, *metadata])  # noqa: S606 - one process, so that one signal ends it


def demo(context: typer.Context) -> None:
    """Show everything on the double of the site: poll, search, revise, poll again, history.

    Example: vna demo
    """
    from crawler import demo as story
    from crawler.cli.progress import watcher

    globals_ = state.of(context)
    archive = globals_.archive or state.DEMO
    if archive.exists() and not archive.is_dir():
        raise BadInput(f"{archive} is no folder", "give the demo a folder of its own: vna --archive DIR demo")
    with watcher(globals_.verbose) as progress:
        failed = story.run(archive, seeds(), progress, output.text)
    if failed:
        raise StopError(
            "the demo did not give what it should:\n" + "\n".join(failed), "./run.sh test shows what is broken"
        )


def seeds() -> Path:
    """Give the folder of the seed articles.

    Raises:
        StopError: it is not there.

    """
    if not SEEDS.is_dir():
        raise StopError(f"no seed articles at {SEEDS}", "run this from a checkout of the project: it needs seeds/")
    return SEEDS
