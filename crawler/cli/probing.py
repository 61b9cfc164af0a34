"""`vna probe`: check the assumptions about the site, and print the findings as a table or as JSON.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import layout, output, state
from crawler.cli.signals import stopped_by_signals
from crawler.errors import BadInput, StopError

if TYPE_CHECKING:
    from crawler.finding import Finding
    from crawler.storage import Archive

_MARKS = {"confirmed": "confirmed", "differs": "DIFFERS", "unknown": "unknown"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(probe)


def probe(
    context: typer.Context,
    last: Annotated[
        bool, typer.Option("--last", help="Print the findings of the last probe; send no request.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the assumptions about the site with about 40 requests.

    Prints what differs from the assumptions, what to do about it, and the settings to change. Looks up the seed articles,
    whose texts are known, and compares their pages with them. If their layout is unknown, it learns one. Exit code 5 means that
    something differs.

    Example: vna probe
    """
    if last:
        with state.of(context).reading() as archive:
            report = ProbeReport.of(archive)
        if report is None:
            raise BadInput(
                "no probe is stored in this archive", "run `vna probe`, which sends about 40 requests to the site"
            )
        _print(report, as_json=as_json)
        return
    report, failure = _run(state.of(context))
    if report is not None:
        _print(report, as_json=as_json)
    if failure is not None:
        raise failure
    if report is not None and any(finding.verdict == "differs" for finding in report.findings):
        raise typer.Exit(5)


@dataclass(frozen=True)
class ProbeReport:
    """The findings of a probe. `about` contains the time, the run and the number of requests of the probe."""

    findings: Sequence[Finding]
    about: Mapping[str, Any]

    @classmethod
    def of(cls, archive: Archive) -> ProbeReport | None:
        """Return the report of the last probe that is stored in an archive; None if there is none."""
        about = archive.last_probe()
        return cls(archive.last_findings(), about) if about is not None else None


def _run(globals_: state.Globals) -> tuple[ProbeReport | None, StopError | None]:
    """Probe the site; return the report, and the error that ended the probe early, if any.

    Both are returned and not printed here, because the progress bar is on the terminal until the end.
    """
    from crawler import app
    from crawler.cli.progress import progress_display
    from crawler.clock import StoppableClock
    from crawler.pipeline.probe import run_probe

    config = globals_.load_for_requests()
    lexicon = state.lexicon()
    clock = StoppableClock()
    with (
        stopped_by_signals(clock),
        progress_display(globals_.verbose) as progress,
        app.working(config, "probe", progress, probing=True, role="probe", clock=clock, lexicon=lexicon) as work,
    ):
        before = work.archive.last_probe()
        try:
            run_probe(work, seeds=app.seeds())
        except StopError as error:
            report = ProbeReport.of(work.archive)
            return (report if report and report.about != before else None), error
        return ProbeReport.of(work.archive), None


def _print(report: ProbeReport, *, as_json: bool) -> None:
    from crawler.probe import settings, snippet
    from crawler.probe.seeds import verdicts

    proposed = settings(report.findings)
    if as_json:
        found = [asdict(f) for f in report.findings]
        output.json_block({**report.about, "findings": found, "config": proposed, "seeds": verdicts(report.findings)})
        return
    rows = [
        {"verdict": _MARKS[one.verdict], "assumption": one.name, "expected": one.expected, "seen": one.seen}
        for one in report.findings
    ]
    layout.table(rows, ("verdict", "assumption", "expected", "seen"))
    _print_advice(report.findings)
    counts = Counter(_MARKS[finding.verdict] for finding in report.findings)
    summary = ", ".join(f"{counts[mark]} {mark}" for mark in _MARKS.values())
    output.heading(f"{summary}; {report.about['requests']} requests, {report.about['probed_at']}")
    if proposed:
        output.heading("# settings to copy into config/crawler.toml")
        output.lines(snippet(proposed))


def _print_advice(findings: Sequence[Finding]) -> None:
    """Print each piece of advice once, with the names of the assumptions to which it applies."""
    advised: dict[str, list[str]] = {}
    for finding in findings:
        if finding.advice:
            advised.setdefault(finding.advice, []).append(finding.name)
    if advised:
        output.text("")
        rows = [{"assumption": ", ".join(names), "what to do": advice} for advice, names in advised.items()]
        layout.table(rows, ("assumption", "what to do"))
