"""Shows the progress of a backfill on stderr: a bar on a terminal, plain lines otherwise.

Boundary: displays figures that the caller passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from crawler.cli import output
from crawler.cli.progress import Lines, Live, shown, shows_bars
from crawler.clock import to_text
from crawler.outcome import Outcome

_EVERY = 100  # pages between two lines with figures
_HELD = ("live", "suspect")
_FAILED = ("failed", "rejected", "drift")


@dataclass
class PlanProgress:
    """The figures of a plan during the work on it. `seconds` returns the seconds since the work started.

    `pages` counts pages by state. `unlisted` estimates how many pages the unread lists will add. `visited` counts the
    visits since the work started.
    """

    seconds: Callable[[], float]
    pages: dict[str, int] = field(default_factory=dict)
    unlisted: int = 0
    visited: int = 0

    def set_figures(self, pages: Mapping[str, int], unlisted: int) -> None:
        """Set the number of pages in each state, and the estimated number of pages that unread lists will add."""
        self.pages, self.unlisted = dict(pages), unlisted

    def count_visit(self, state: str, *, listed: bool) -> None:
        """Count a visited page under its new state. `listed` is whether the page was counted as `known` before."""
        self.visited += 1
        self.pages[state] = self.pages.get(state, 0) + 1
        if listed:
            self.pages["known"] = max(0, self.pages.get("known", 0) - 1)
        else:
            self.unlisted = max(0, self.unlisted - 1)

    @property
    def remaining(self) -> int:
        """An estimate of the number of pages that remain to be fetched."""
        return self.pages.get("known", 0) + self.unlisted

    @property
    def finished(self) -> int:
        """The number of pages that are finished."""
        return sum(self.pages.values()) - self.pages.get("known", 0)

    def summary(self) -> str:
        """Return one line with the numbers of pages found, held and failed."""
        held, failed = (sum(self.pages.get(s, 0) for s in states) for states in (_HELD, _FAILED))
        others = [f"{n} {state}" for state in ("gone", "absent") if (n := self.pages.get(state, 0))]
        return ", ".join([f"{sum(self.pages.values())} found", f"{held} held", f"{failed} failed", *others])

    def speed(self) -> str:
        """Return the number of pages per second and the estimated time left, as text."""
        rate = self.visited / max(self.seconds(), 0.001)
        if not self.visited or not self.remaining:
            return f"{rate:.1f}/s"
        return f"{rate:.1f}/s, {format_duration(timedelta(seconds=round(self.remaining / rate)))} left"


def format_duration(duration: timedelta) -> str:
    """Return a duration such as `3 d 4 h` or `12 min 05 s`."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


class PlanLines(Lines):
    """Shows progress as plain lines: one for each work item, and the plan's figures from time to time."""

    _waiting: tuple[str, datetime] | None = None

    def plan(self, name: str, progress: PlanProgress) -> None:
        """Print the name and the figures of a plan."""
        output.note(f"{name}: {progress.summary()}, about {progress.remaining} remaining")

    def work_item(self, outcome: Outcome, progress: PlanProgress) -> None:
        """Print the outcome of a work item."""
        self.step(outcome)
        if progress.visited and progress.visited % _EVERY == 0:
            output.note(f"{progress.summary()}; {progress.speed()}")

    def wait(self, why: str, until: datetime, _: timedelta) -> None:
        """Print the reason and the end of a wait, once."""
        if (why, until) != self._waiting:
            self._waiting = why, until
            output.note(f"waiting until {to_text(until)}: {why}")


class PlanBar(Live):
    """Shows progress as a bar for each plan."""

    _waiting: tuple[str, datetime] | None = None

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=console,
        )

    def phase(self, name: str, total: int) -> None:
        """Do nothing, because a plan has no phases."""

    def step(self, outcome: Outcome) -> None:
        """Print an outcome that does not belong to the plan, such as a recovered visit of a crashed run."""
        self._line(outcome, "dim")

    def plan(self, name: str, progress: PlanProgress) -> None:
        """Start a bar for a plan."""
        self._line(name, None)
        self._task = self._progress.add_task(shown(name.partition(",")[0]), figures="")
        self._show(progress)

    def work_item(self, outcome: Outcome, progress: PlanProgress) -> None:
        """Advance the bar; print a fault on a line of its own."""
        if outcome.kind.is_fault:
            self._line(outcome, "yellow")
        self._show(progress)

    def wait(self, why: str, until: datetime, left: timedelta) -> None:
        """Print the reason and the end of a wait once, and show the time left in place of the plan's speed."""
        if (why, until) != self._waiting:
            self._waiting = why, until
            self._line(f"waiting until {to_text(until)}: {why}", "yellow")
        if self._task is not None:
            self._progress.update(self._task, figures=f"waiting, {format_duration(left)} left")

    def _line(self, value: object, style: str | None) -> None:
        """Print a line above the bars. Data may contain what rich would read as markup or as an emoji code."""
        self._progress.console.print(shown(value), style=style, highlight=False, markup=False, emoji=False)

    def _show(self, progress: PlanProgress) -> None:
        if self._task is not None:
            figures = f"{progress.summary()}; {progress.speed()}"
            total = progress.finished + progress.remaining
            self._progress.update(self._task, completed=progress.finished, total=total, figures=figures)


def plan_display(verbose: int = 0) -> PlanLines | PlanBar:
    """Return a display with bars if the terminal can show them and `verbose` is 0; otherwise, one with plain lines."""
    return PlanBar() if shows_bars(verbose) else PlanLines(verbose)
