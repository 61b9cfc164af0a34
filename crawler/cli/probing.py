"""The first-contact check: its table for people, its JSON for programs.

Boundary: arguments, output, exit code.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import output, state
from crawler.cli.signals import stopped_by_signals
from crawler.errors import BadInput, StopError

if TYPE_CHECKING:
    from crawler.storage import Archive
    from crawler.types import Finding

_WIDTH = 100  # columns, where there is no terminal to ask
_NARROWEST, _WIDEST = 80, 160
_VERDICT, _NAME = 9, 16
_MARKS = {"confirmed": "confirmed", "differs": "DIFFERS", "unknown": "unknown"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(probe)


def probe(
    context: typer.Context,
    last: Annotated[bool, typer.Option("--last", help="Print what the last probe found; ask nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every assumption about the site with about 30 polite requests; say what differs and what to do about it.

    Example: vna probe
    """
    if last:
        with state.of(context).reading() as archive:
            told = Told.of(archive)
        if told is None:
            raise BadInput("the site was never probed from this archive", "`vna probe` asks it about 30 questions")
        _print(told, as_json=as_json)
        return
    told, ended = _ask(state.of(context))
    if told is not None:
        _print(told, as_json=as_json)
    if ended is not None:
        raise ended
    if told is not None and any(finding.verdict == "differs" for finding in told.findings):
        raise typer.Exit(5)


@dataclass(frozen=True)
class Told:
    """What a probe found, and when, in which run, with how many requests."""

    findings: Sequence[Finding]
    about: Mapping[str, Any]

    @classmethod
    def of(cls, archive: Archive) -> Told | None:
        """Read what the last probe of an archive found; None when there was none."""
        about = archive.last_probe()
        return cls(archive.last_findings(), about) if about is not None else None


def _ask(globals_: state.Globals) -> tuple[Told | None, StopError | None]:
    """Probe; give what was found, and why it ended early, if it did. Nothing is printed while a bar is shown."""
    from crawler import app
    from crawler.cli.progress import watcher
    from crawler.clock import StoppableClock
    from crawler.pipeline.probe import run_probe

    config = globals_.load()
    app.require_contact(config)
    words = state.lexicon_or_note()
    clock = StoppableClock()
    with (
        stopped_by_signals(clock),
        watcher(globals_.verbose) as progress,
        app.working(config, "probe", progress, role="probe", clock=clock, lexicon=words) as work,
    ):
        before = work.archive.last_probe()
        try:
            run_probe(work)
        except StopError as error:
            told = Told.of(work.archive)
            return (told if told and told.about != before else None), error
        return Told.of(work.archive), None


def _print(told: Told, *, as_json: bool) -> None:
    from crawler.probe import settings, snippet

    proposed = settings(told.findings)
    if as_json:
        output.json_block({**told.about, "findings": [asdict(f) for f in told.findings], "config": proposed})
        return
    for line in _report(told.findings, columns()):
        output.text(line)
    counts = Counter(_MARKS[finding.verdict] for finding in told.findings)
    summary = ", ".join(f"{counts[mark]} {mark}" for mark in _MARKS.values())
    output.text(f"\n{summary}; {told.about['requests']} requests, {told.about['probed_at']}")
    if proposed:
        output.text(f"\n# to adopt in config/crawler.toml\n{snippet(proposed)}")


def columns() -> int:
    """Give the width of the table: that of the terminal, within reason."""
    found = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    return min(max(found, _NARROWEST), _WIDEST)


def _report(findings: Sequence[Finding], columns: int) -> Iterator[str]:
    """Give the table, then what to do about each assumption that does not hold, or that offers something."""
    free = columns - _VERDICT - _NAME - 6
    widths = (_VERDICT, _NAME, free * 2 // 5, free - free * 2 // 5)
    yield from _row(("verdict", "assumption", "expected", "seen"), widths)
    for finding in findings:
        yield from _row((_MARKS[finding.verdict], finding.name, finding.expected, finding.seen), widths)
    advised: dict[str, list[str]] = {}
    for finding in findings:
        if finding.advice:
            advised.setdefault(finding.advice, []).append(finding.name)
    if advised:
        yield "\nWhat to do:"
    for advice, names in advised.items():
        yield from _row(("", ", ".join(names), advice), (0, _NAME, columns - _NAME - 4))


def _row(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Give one row as lines, each cell wrapped in its column."""
    columns = [
        textwrap.wrap(cell, width, break_on_hyphens=False) if width else []
        for cell, width in zip(cells, widths, strict=True)
    ]
    for n in range(max(1, *map(len, columns))):
        parts = [
            (column[n] if n < len(column) else "").ljust(width) for column, width in zip(columns, widths, strict=True)
        ]
        yield "  ".join(parts).rstrip()
