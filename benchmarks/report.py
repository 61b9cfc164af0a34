"""What a benchmark returns: measured quantities, figures with goals, the machine, and a profile if a goal is missed.

A `Result` is shown as text (`text`) or as one JSON object (`as_json`), and `document` records it.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import crawler

MET, MISSED, NO_GOAL = "met", "missed", "no goal"


@dataclass(frozen=True)
class Row:
    """A quantity that was measured `runs` times: the median, the lowest and the highest value."""

    label: str
    median: float
    unit: str
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, label: str, values: Iterable[float], unit: str) -> Row:
        """Return the row of measured values."""
        found = list(values)
        return cls(label, statistics.median(found), unit, min(found), max(found), len(found))


@dataclass(frozen=True)
class Goal:
    """A figure that has a limit, most often a ratio; without a limit, it is only shown. `×` is the unit of a ratio."""

    label: str
    value: float
    unit: str = "×"
    at_most: float | None = None
    at_least: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(
        cls,
        label: str,
        values: Iterable[float],
        unit: str = "×",
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> Goal:
        """Return the figure of values that were measured one after the other, such as the ratio in each round."""
        found = list(values)
        return cls(label, statistics.median(found), unit, at_most, at_least, min(found), max(found))

    @property
    def verdict(self) -> str:
        """`met`, `missed` or `no goal`."""
        if self.at_most is None and self.at_least is None:
            return NO_GOAL
        too_high = self.at_most is not None and not self.value <= self.at_most
        too_low = self.at_least is not None and not self.value >= self.at_least
        return MISSED if too_high or too_low else MET

    @property
    def limit(self) -> str:
        """The limit as text, such as `≤ 4 ×`; a dash if there is none."""
        limits = [
            f"{sign} {value:g} {self.unit}".rstrip()
            for sign, value in (("≤", self.at_most), ("≥", self.at_least))
            if value is not None
        ]
        return " and ".join(limits) or "-"


@dataclass(frozen=True)
class Profile:
    """Where a quantity comes from: `parts` has the shares of the parts of the program, `functions` those of functions."""

    title: str
    unit: str
    parts: Sequence[tuple[str, float]]
    functions: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True)
class Machine:
    """The machine and the programs of a run. There are no names of hosts and no paths, because results are published."""

    cores: int
    cpu: str
    memory_gb: int
    python: str
    sqlite: str
    program: str
    load: float  # average of the last minute at the start of the benchmark


@dataclass(frozen=True)
class Result:
    """The result of one benchmark. `variant` separates results with other options; the frame sets the last three fields."""

    name: str
    question: str
    rows: Sequence[Row]
    goals: Sequence[Goal] = ()
    notes: str = ""
    variant: str = ""
    profiles: Sequence[Profile] = ()
    options: Sequence[str] = ()
    date: str = ""
    machine: Machine | None = None

    @property
    def key(self) -> str:
        """The name under which the result is recorded."""
        return f"{self.name} {self.variant}".rstrip()

    @property
    def missed(self) -> list[Goal]:
        """The goals that are missed."""
        return [goal for goal in self.goals if goal.verdict == MISSED]

    def explained(self, profile: Callable[[], Sequence[Profile]]) -> Result:
        """Return the result with profiles, which are only made if a goal is missed."""
        return replace(self, profiles=tuple(profile())) if self.missed else self

    def dated(self, machine: Machine, options: Sequence[str]) -> Result:
        """Return the result with the options of the run, the machine, and the day."""
        today = datetime.now(UTC).date().isoformat()
        return replace(self, options=tuple(options), machine=machine, date=today)

    def as_json(self) -> dict[str, Any]:
        """Return the result as the object that `--json` prints and `document` stores."""
        found = asdict(self)
        for goal, values in zip(self.goals, found["goals"], strict=True):
            values["verdict"] = goal.verdict
        return found


def from_json(found: dict[str, Any]) -> Result:
    """Return the result of an object made by `Result.as_json`."""
    goals = [{name: value for name, value in goal.items() if name != "verdict"} for goal in found["goals"]]
    parts: dict[str, Any] = {
        "rows": tuple(Row(**row) for row in found["rows"]),
        "goals": tuple(Goal(**goal) for goal in goals),
        "options": tuple(found["options"]),
        "machine": found["machine"] and Machine(**found["machine"]),
        "profiles": tuple(
            Profile(p["title"], p["unit"], *([tuple(share) for share in p[name]] for name in ("parts", "functions")))
            for p in found["profiles"]
        ),
    }
    return Result(**(found | parts))


def this_machine() -> Machine:
    """Return the machine that runs this process, with its present load."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cores=os.cpu_count() or 1,
        cpu=_cpu_model(),
        memory_gb=round(memory / 2**30),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        program=crawler.__version__,
        load=round(os.getloadavg()[0], 1),
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.machine())


def note(text: str) -> None:
    """Write a line about the progress of a benchmark; stdout is for results."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def number(value: float | None) -> str:
    """Return a number with three significant digits, and all digits before the point; whole numbers are exact."""
    if value is None:
        return "-"
    if value == int(value):
        return f"{int(value):,}"
    digits = next((digits for digits, most in ((3, 1), (2, 10), (1, 100)) if abs(value) < most), 0)
    return f"{value:,.{digits}f}"


def spread(low: float | None, high: float | None) -> str:
    """Return the lowest and the highest value as text; a dash if there is one value."""
    return "-" if low is None or high is None or low == high else f"{number(low)} - {number(high)}"


def text(result: Result) -> str:
    """Return a result for the terminal."""
    lines = [f"{result.key}: {result.question}", f"{'':58} {'median':>10} {'':14} lowest - highest (runs)"]
    lines += [
        f"  {row.label:56} {number(row.median):>10} {row.unit:14} {spread(row.low, row.high)} ({row.runs})"
        for row in result.rows
    ]
    for goal in result.goals:
        value = f"{number(goal.value)} {goal.unit}".rstrip()
        between = "" if goal.low == goal.high else f" ({spread(goal.low, goal.high)})"
        limit = "" if goal.verdict == NO_GOAL else f", goal {goal.limit}"
        lines.append(f"  {goal.verdict:8} {goal.label:54} {value}{between}{limit}")
    for profile in result.profiles:
        lines.append(f"  profile: {profile.title} ({profile.unit})")
        lines += [f"    {value:6.1f}  {name}" for name, value in (*profile.parts, *profile.functions)]
    lines += textwrap.wrap(result.notes, 110, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)
