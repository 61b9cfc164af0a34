"""The commands of the simulation: `vna replica`, `vna demo` and `vna drill`.

Boundary: reads the arguments, prints the output and sets the exit code.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler import resources
from crawler.cli import output, state
from crawler.errors import BadInput, StopError

if TYPE_CHECKING:
    from crawler.sim.drill import Day, DrillResult

_HEAD = "day    date        published  held  delay (min)  changed  removed  faults; alerts"
_NEEDS_ATTENTION = 5


def register(app: typer.Typer) -> None:
    """Add `vna replica`, `vna demo` and `vna drill` to the command-line interface."""
    for command in (replica, demo, drill):
        app.command()(command)


def replica(
    port: Annotated[
        int, typer.Option("--port", help="Port on 127.0.0.1; 0 means any free port.", min=0, max=65535)
    ] = 0,
    articles: Annotated[
        int, typer.Option("--articles", help="Number of articles to generate, besides the sample articles.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Random seed for the generated articles.")] = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="SPEC",
            help="Fault to simulate: kind[:path-glob[:times]]. May be repeated. --fault x prints a list of the kinds.",
        ),
    ] = None,
) -> None:
    """Serve the fake site until SIGTERM or Ctrl+C.

    The fake site imitates the real one, runs on this machine and needs no internet. The first line on stdout is JSON
    with two addresses: `url` is the root of the site, to be used with --site; `control` accepts commands such as
    publish, revise and unpublish.

    Example: vna replica --port 8900 --articles 300 --fault 'throttle:/rss/*:3'
    """
    import json

    from crawler.sim.site import build, parse_fault, serve

    faults = [parse_fault(spec) for spec in fault or []]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        serving = serve(
            lambda url: build(
                url, seeds_dir=resources.seeds(), articles=articles, seed=seed, now=lambda: datetime.now(UTC)
            ),
            port,
        )
    except OSError as error:
        raise BadInput(
            f"cannot serve the fake site on 127.0.0.1:{port}: {error.strerror}",
            "choose another --port, or 0 for any free port",
        ) from error
    with serving as site:
        for one in faults:
            site.fake_site.add_fault(one)
        output.text(json.dumps({"url": site.url, "control": site.control}))
        sys.stdout.flush()
        stop.wait()


def demo(context: typer.Context) -> None:
    """Run the main commands against the fake site, offline.

    The demo polls the fake site, searches the archive, revises an article on the site, polls again and prints what
    changed. It uses an archive of its own: archive/demo, or the folder of --archive.

    Example: vna demo
    """
    from crawler.cli.progress import progress_display
    from crawler.sim import demo as story

    globals_ = state.of(context)
    archive = globals_.archive or state.DEMO
    if archive.exists() and not archive.is_dir():
        raise BadInput(f"{archive} is not a folder", "choose another folder: vna --archive DIR demo")
    with progress_display(globals_.verbose) as progress:
        failed = story.run(archive, resources.seeds(), progress, output.text, _program())
    if failed:
        raise StopError(
            "the demo failed:\n" + "\n".join(failed),
            "in a checkout of the project, run ./run.sh test to see which part is broken",
        )


def _program() -> str:
    """Return what the user can type to start this program: `vna`, or a path such as `.venv/bin/vna`."""
    started = sys.argv[0]
    return started if Path(started).name == "vna" and shutil.which("vna") != started else "vna"


def drill(
    context: typer.Context,
    days: Annotated[
        int, typer.Option("--days", help="Number of simulated days with faults; two days without faults follow.", min=1)
    ] = 14,
    seed: Annotated[int, typer.Option("--seed", help="Random seed for the articles and their publication times.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run the service against a faulty fake site; print what was lost.

    The target is to lose nothing. The service, sockets, database and WARC files are real; only the clock is simulated.
    Nothing outside this machine is contacted. The archive is a temporary folder, or the folder of --archive, which must
    be empty or come from an earlier drill. Fourteen simulated days include every fault once and take one or two
    minutes. The column `delay` has the median and the longest time from the publication of an article until it was
    fetched. The second table has, for each trouble, how often it happened, the numbers of articles lost, stored twice and
    misread, and the longest time until the site was read again. Exit code 5 means that something was lost.

    Example: vna drill --days 3
    """
    from crawler.cli.progress import progress_display
    from crawler.sim import drill as drilling

    globals_ = state.of(context)
    words, seeds_dir = state.lexicon_or_note(), resources.seeds()
    write = output.note if as_json else output.text
    lines: list[dict[str, Any]] = []
    with _folder(globals_.archive) as folder, progress_display(globals_.verbose) as progress:
        write(_HEAD)
        result = drilling.run(
            folder.path,
            seeds_dir,
            days=days,
            seed=seed,
            lexicon=words,
            progress=progress,
            report=_day_printer(write, lines),
        )
        folder.kept = bool(result.reconciliation.lost)
    if as_json:
        output.json_block(_json(result, lines, seed))
    else:
        _print_result(result)
    if result.reconciliation.lost:
        output.note(f"the archive and the log of the service are kept in {folder.path}")
        raise typer.Exit(_NEEDS_ATTENTION)


class _Folder:
    """The folder of a drill. If `kept` is true, it must not be deleted at the end, because something was lost."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = False


@contextmanager
def _folder(named: Path | None) -> Iterator[_Folder]:
    """Yield the folder `named`; if it is None, yield a temporary folder and delete it at the end unless `kept` is true."""
    if named is not None:
        yield _Folder(named)
        return
    folder = _Folder(Path(tempfile.mkdtemp(prefix="vna-drill-")))
    try:
        yield folder
    finally:
        if not folder.kept:
            shutil.rmtree(folder.path)


def _day_printer(write: Callable[[str], None], lines: list[dict[str, Any]]) -> Callable[[Day], None]:
    """Return a function that prints a day of the drill as one row and appends the same day, as a dict, to `lines`."""
    from dataclasses import asdict

    def print_day(day: Day) -> None:
        lines.append(asdict(day))
        delay = "-" if day.delay_max is None else f"{day.delay_median:.0f} / {day.delay_max:.0f}"
        number = f"{day.day}" if day.days == 1 else f"{day.day}-{day.day + day.days - 1}"
        alarms = f"; alerts: {', '.join(day.alarms)}" if day.alarms else ""
        write(
            f"{number:5}  {day.date}  {day.published:9}  {day.held:4}  {delay:>11}  {day.revised:7}  {day.removed:7}  "
            f"{day.trouble}{alarms}"
        )

    return print_day


def _print_result(result: DrillResult) -> None:
    found = result.reconciliation
    output.text("")
    output.text(f"articles   {found.published} published, {found.held} held in the archive")
    output.text(f"revisions  {found.revisions} held in the archive; the site served at least {found.shown}")
    output.text(
        f"removed    {found.removed} articles; the archive marks {found.tombstones} as gone and keeps their text"
    )
    output.text(f"copies     {found.copies} texts were published twice")
    output.text(f"evidence   {result.records} records in {result.files} WARC files; all of them were read and checked")
    output.text(
        f"gaps       {result.gaps} periods in which news may have been missed; "
        f"{result.gaps - len(result.open_gaps)} of them are closed"
    )
    for gap in result.open_gaps:
        output.text(f"  {gap}")
    output.text(f"process    killed {result.kills} times")
    _print_troubles(result)
    if found.unseen:
        output.heading(f"could not be archived by any crawler: {len(found.unseen)}")
        for note in found.unseen:
            output.text(f"  {note.kind} {note.id}: {note.says}")
    output.heading(f"lost: {len(found.lost) or 'nothing'}")
    for note in found.lost:
        output.text(f"  {note.kind}{'' if note.id is None else f' {note.id}'}: {note.says}")


def _print_troubles(result: DrillResult) -> None:
    output.heading(f"{'trouble':46} times  lost  twice  misread  recovery (min)")
    for row in result.troubles:
        recovery = "-" if row.recovery is None else f"{row.recovery:.0f}"
        output.text(f"{row.trouble:46} {row.times:5}  {row.lost:4}  {row.twice:5}  {row.misread:7}  {recovery:>14}")


def _json(result: DrillResult, lines: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    from dataclasses import asdict

    figures = asdict(result)
    return {"seed": seed, "days": lines, **figures.pop("reconciliation"), **figures}
