"""The commands of the simulation: `vna replica`, `vna demo`, `vna drill`.

Boundary: arguments, output, exit code.
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

from crawler.cli import output, state
from crawler.errors import BadInput, StopError

if TYPE_CHECKING:
    from crawler.sim.drill import Day, Outcome

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
_HEAD = "day    date        published  held  delay (min)  changed  removed  trouble; alarms"
_NEEDS_A_LOOK = 5


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (replica, demo, drill):
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

    from crawler.sim.site import build, parse_fault, serve

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


def demo(context: typer.Context) -> None:
    """Show everything on the double of the site: poll, search, revise, poll again, history.

    Example: vna demo
    """
    from crawler.cli.progress import watcher
    from crawler.sim import demo as story

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


def drill(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", help="Days of trouble; two quiet ones follow.", min=1)] = 14,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the articles and of their hours.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the account as JSON.")] = False,
) -> None:
    """Replay days of trouble against the double of the site, and print what was lost (target: nothing).

    The service is the real one, and so are socket, database and WARC files; only time is not, it moves to what is due.
    It works in a folder that is removed at the end (or in --archive, empty or of an earlier drill), and calls on nobody.
    Fourteen days have every trouble once and take a minute or two. Exit 5 when something was lost.

    Example: vna drill --days 3
    """
    from crawler.cli.progress import watcher
    from crawler.sim import drill as drilling

    globals_ = state.of(context)
    words, seeds_dir = state.lexicon_or_note(), seeds()
    tell = output.note if as_json else output.text
    lines: list[dict[str, Any]] = []
    with _folder(globals_.archive) as folder, watcher(globals_.verbose) as progress:
        tell(_HEAD)
        outcome = drilling.run(
            folder.path, seeds_dir, days=days, seed=seed, lexicon=words, progress=progress, told=_teller(tell, lines)
        )
        folder.kept = bool(outcome.account.lost)
    if as_json:
        output.json_block(_json(outcome, lines, seed))
    else:
        _account(outcome)
    if outcome.account.lost:
        output.note(f"the archive and the log of the service are kept for a look: {folder.path}")
        raise typer.Exit(_NEEDS_A_LOOK)


class _Folder:
    """Where a drill works; `kept` when somebody should look at it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = False


@contextmanager
def _folder(named: Path | None) -> Iterator[_Folder]:
    """Give the folder that was named, or one that is removed unless it is to be kept."""
    if named is not None:
        yield _Folder(named)
        return
    folder = _Folder(Path(tempfile.mkdtemp(prefix="vna-drill-")))
    try:
        yield folder
    finally:
        if not folder.kept:
            shutil.rmtree(folder.path)


def _teller(tell: Callable[[str], None], lines: list[dict[str, Any]]) -> Callable[[Day], None]:
    from dataclasses import asdict

    def told(day: Day) -> None:
        lines.append(asdict(day))
        delay = "-" if day.delay_max is None else f"{day.delay_median:.0f} / {day.delay_max:.0f}"
        number = f"{day.day}" if day.days == 1 else f"{day.day}-{day.day + day.days - 1}"
        alarms = f"; alarms: {', '.join(day.alarms)}" if day.alarms else ""
        tell(
            f"{number:5}  {day.date}  {day.published:9}  {day.held:4}  {delay:>11}  {day.revised:7}  {day.removed:7}  "
            f"{day.trouble}{alarms}"
        )

    return told


def _account(outcome: Outcome) -> None:
    found = outcome.account
    output.text("")
    output.text(f"articles   {found.published} published, {found.held} held")
    output.text(f"revisions  {found.revisions} held; at least {found.shown} were shown when somebody asked")
    output.text(f"removed    {found.removed}, {found.tombstones} of them held as gone, with their text")
    output.text(f"copies     {found.copies} texts were published twice")
    output.text(f"evidence   {outcome.records} records in {outcome.files} files, all of them read again")
    output.text(f"gaps       {outcome.gaps} opened, {outcome.gaps - len(outcome.open_gaps)} of them closed")
    for gap in outcome.open_gaps:
        output.text(f"  {gap}")
    output.text(f"process    killed {outcome.kills} times")
    if found.unseen:
        output.text(f"\nnever to be had: {len(found.unseen)}")
        for note in found.unseen:
            output.text(f"  {note.kind} {note.id}: {note.says}")
    output.text(f"\nlost: {len(found.lost) or 'nothing'}")
    for note in found.lost:
        output.text(f"  {note.kind}{'' if note.id is None else f' {note.id}'}: {note.says}")


def _json(outcome: Outcome, lines: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    from dataclasses import asdict

    beside = asdict(outcome)
    return {"seed": seed, "days": lines, **beside.pop("account"), **beside}
