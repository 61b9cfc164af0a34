"""Record results in benchmarks/results.json, and write docs/benchmarks.md from that file.

Each benchmark has an entry and a section of its own, which only a new result of the same benchmark replaces. Nothing in the
page is written by hand, so that no figure in it can differ from what a run has measured.

    python -m benchmarks.document           write the page again, after a change of its texts
    python -m benchmarks.document --check   exit with 1 if the page is not up to date
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.report import MET, MISSED, NO_GOAL, Profile, Result, from_json, number, spread

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

How fast and how small the program is, compared with other programs and with bounds. `./run.sh bench` writes this page from
its own measurements; do not edit it.

A **row** of a table is a quantity that was measured several times: the median, and the lowest and the highest value. A
**goal** is a figure with a limit. Most are ratios (×) of two rows that were measured alternately, in the same run: other work on
the machine slows down both, so that a ratio can be compared between machines and the other figures cannot. If a goal is
missed, a **profile** shows where the time goes; it is made in the same run, by a slower repetition that is not counted.

| to do this | run |
|---|---|
| repeat a benchmark | the command in its section |
| run the quick ones | `./run.sh bench` |
| run the quick and the medium ones, in a quarter of an hour | `./run.sh bench all` |
| get the figures as JSON, one object for each benchmark | `./run.sh bench NAME --json` |
| write the figures into this page | `./run.sh bench all --record`, on a machine that does nothing else |

These take longer than that, and are run alone:

| to do this | run |
|---|---|
| search in as many articles as the French edition has; filling the archive takes five minutes and 2.5 GB | `./run.sh bench search --articles 260000 --keep DIR --record` |
| search in a million; a quarter of an hour and 10 GB | `./run.sh bench search --articles 1000000 --keep DIR --record` |
| compare engines for large data sets; ten minutes | `./run.sh bench scale --record` |
| see how many requests early news takes; ten minutes | `./run.sh bench month --curve --record` |

The exit code is 5 if a goal is missed. Programs that are compared are installed into environments of their own
(`.venv-peers/`) by the first run.
"""


def record(result: Result) -> None:
    """Add a result, or replace the one with the same name, and write the page.

    Raises:
        ValueError: the file of results is not valid.

    """
    found = {**load(), result.key: result}
    lines = [f"{_dump(key)}: {_dump(found[key].as_json())}" for key in sorted(found)]  # a line for each benchmark
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    write()


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def load() -> dict[str, Result]:
    """Return all recorded results.

    Raises:
        ValueError: the file of results is not valid.

    """
    if not RESULTS.exists():
        return {}
    try:
        return {key: from_json(found) for key, found in json.loads(RESULTS.read_text("utf-8")).items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{RESULTS} is not a file of results: {error}; restore it from the repository") from error


def write() -> None:
    """Write the page from the recorded results."""
    PAGE.write_text(markdown(load()), "utf-8")


def markdown(results: Mapping[str, Result]) -> str:
    """Return the page."""
    ordered = [results[key] for key in sorted(results)]
    return "\n".join([HEAD, *_summary(ordered), *(line for one in ordered for line in _section(one))]).rstrip() + "\n"


def _summary(results: Sequence[Result]) -> Iterable[str]:
    """Return the goals of all benchmarks, the missed ones first."""
    goals = [(result, goal) for result in results for goal in result.goals if goal.verdict != NO_GOAL]
    met = sum(goal.verdict == MET for _, goal in goals)
    yield from ("## All goals", "", f"{met} of {len(goals)} goals are met.", "")
    yield from ("| benchmark | figure | value | goal | verdict | date |", "|---|---|---|---|---|---|")
    for result, goal in sorted(goals, key=lambda both: both[1].verdict == MET):
        value = f"{number(goal.value)} {goal.unit}".rstrip()
        yield _line(_link(result.key), goal.label, value, goal.limit, _verdict(goal.verdict), result.date)
    yield ""


def _section(result: Result) -> Iterable[str]:
    command = " ".join(["./run.sh bench", result.name, *result.options])
    yield from (
        f"## {result.key}",
        "",
        result.question,
        "",
        f"Run `{command}`. Measured on {result.date}{_machine(result)}.",
    )
    yield from ("", "| measured | median | unit | lowest - highest | runs |", "|---|---:|---|---|---:|")
    for row in result.rows:
        yield _line(row.label, number(row.median), row.unit, spread(row.low, row.high), row.runs)
    if result.goals:
        yield from ("", "| figure | value | lowest - highest | goal | verdict |", "|---|---:|---|---|---|")
    for goal in result.goals:
        value = f"{number(goal.value)} {goal.unit}".rstrip()
        yield _line(goal.label, value, spread(goal.low, goal.high), goal.limit, _verdict(goal.verdict))
    yield from ("", result.notes)
    for profile in result.profiles:
        yield from _profile(profile)
    yield ""


def _profile(profile: Profile) -> Iterable[str]:
    yield from ("", f"Profile: {profile.title}.")
    for title, shares in (("part", profile.parts), ("function or module", profile.functions)):
        if shares:
            yield from ("", f"| {title} | {profile.unit} |", "|---|---:|")
            yield from (_line(name, f"{value:.1f}") for name, value in shares)


def _machine(result: Result) -> str:
    if (found := result.machine) is None:
        return ""
    return (
        f" with version {found.program}, Python {found.python} and SQLite {found.sqlite}, on {found.cores} cores"
        f" ({found.cpu}) with {found.memory_gb} GB of memory; load average at the start {found.load:g}"
    )


def _line(*cells: object) -> str:
    return f"| {' | '.join(str(cell).replace('|', '∣') for cell in cells)} |"


def _verdict(verdict: str) -> str:
    return f"**{verdict}**" if verdict == MISSED else verdict


def _link(key: str) -> str:
    anchor = "".join(c for c in key.lower().replace(" ", "-") if c.isalnum() or c in "-_")
    return f"[{key}](#{anchor})"


def main() -> int:
    """Write the page, or compare it with the file; return the exit code."""
    if "--check" not in sys.argv:
        write()
        return 0
    if PAGE.read_text("utf-8") == markdown(load()):
        return 0
    sys.stderr.write("docs/benchmarks.md is out of date: run `python -m benchmarks.document` and commit the result\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
