"""How a backfill shows how far it is: a bar on a terminal, plain lines otherwise; always on stderr.

Boundary: display only; the figures are handed in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from crawler.cli.progress import Lines, Live

_EVERY = 100  # pages between two lines with figures
_HELD = ("live", "suspect")
_TROUBLE = ("failed", "rejected", "drift")


@dataclass
class Tally:
    """Where a plan stands; `seconds` gives the time since it began or went on."""

    seconds: Callable[[], float]
    pages: dict[str, int] = field(default_factory=dict)
    unlisted: int = 0
    done: int = 0

    def count(self, pages: Mapping[str, int], unlisted: int) -> None:
        """Take over figures."""
        self.pages, self.unlisted = dict(pages), unlisted

    def visited(self, state: str, *, listed: bool) -> None:
        """Count a page that was visited; `listed` when it was among those known."""
        self.done += 1
        self.pages[state] = self.pages.get(state, 0) + 1
        if listed:
            self.pages["known"] = max(0, self.pages.get("known", 0) - 1)
        else:
            self.unlisted = max(0, self.unlisted - 1)

    @property
    def left(self) -> int:
        """How many pages are to come, as far as can be thought."""
        return self.pages.get("known", 0) + self.unlisted

    @property
    def settled(self) -> int:
        """How many pages need nothing more."""
        return sum(self.pages.values()) - self.pages.get("known", 0)

    def words(self) -> str:
        """Say what was found, held and failed."""
        held, trouble = (sum(self.pages.get(s, 0) for s in states) for states in (_HELD, _TROUBLE))
        others = [f"{n} {state}" for state in ("gone", "absent") if (n := self.pages.get(state, 0))]
        return ", ".join([f"{sum(self.pages.values())} found", f"{held} held", f"{trouble} failed", *others])

    def pace(self) -> str:
        """Say how fast it goes and how long it takes at that."""
        rate = self.done / max(self.seconds(), 0.001)
        if not self.done or not self.left:
            return f"{rate:.1f}/s"
        return f"{rate:.1f}/s, {spell(timedelta(seconds=round(self.left / rate)))} left"


def spell(span: timedelta) -> str:
    """Write a time for people."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


class PlanLines(Lines):
    """Plain lines: one for each unit, and now and then the figures."""

    def plan(self, what: str, tally: Tally) -> None:
        """Name the plan."""
        self._say(f"{what}: {tally.words()}, about {tally.left} to come")

    def unit(self, what: str, tally: Tally) -> None:
        """Say what came of a unit."""
        self.step(what)
        if tally.done and tally.done % _EVERY == 0:
            self._say(f"{tally.words()}; {tally.pace()}")


class PlanBar(Live):
    """A bar for each plan."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
        )

    def phase(self, name: str, total: int) -> None:
        """Nothing: a plan has no phases."""

    def step(self, what: str, url: str | None = None) -> None:  # noqa: ARG002 - the words name it, too
        """Show what is done beside the plan, such as answers of a killed run taken in."""
        self._progress.console.print(what, style="dim", highlight=False)

    def plan(self, what: str, tally: Tally) -> None:
        """Begin a bar."""
        self._progress.console.print(what, highlight=False)
        self._task = self._progress.add_task(what.partition(",")[0], figures="")
        self._show(tally)

    def unit(self, what: str, tally: Tally) -> None:
        """Move the bar; trouble gets a line of its own."""
        if what.startswith(("failed", "rejected", "drift", "absent: http")):
            self._progress.console.print(what, style="yellow", highlight=False)
        self._show(tally)

    def _show(self, tally: Tally) -> None:
        if self._task is not None:
            figures = f"{tally.words()}; {tally.pace()}"
            self._progress.update(
                self._task, completed=tally.settled, total=tally.settled + tally.left, figures=figures
            )


def shown(verbose: int = 0) -> PlanLines | PlanBar:
    """Give a bar on a terminal, lines otherwise or when more is asked for."""
    return PlanBar() if sys.stderr.isatty() and not verbose else PlanLines(verbose)
