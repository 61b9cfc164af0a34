"""Shows the progress of a run on stderr: bars on a terminal, plain lines otherwise.

Boundary: only displays outcomes.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Self, TextIO, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from crawler import redact, visible
from crawler.cli import output, streams
from crawler.outcome import Outcome, OutcomeKind

_LEAST_WIDTH = 10  # characters for the last outcome, on a narrow terminal
_DUMB = ("", "dumb", "unknown")  # terminals that cannot move the cursor, as rich has them
_BAR_WIDTH = 60  # characters that the other columns take


class Lines:
    """Shows progress as plain lines, for logs and pipes. Routine outcomes are shown only with `--verbose`."""

    def __init__(self, verbose: int = 0) -> None:
        self._verbose = verbose
        self._percent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def phase(self, name: str, total: int) -> None:
        """Print the name of a phase and, if it is known, the number of its steps."""
        self._percent = 0
        output.note(f"{name}: {total} to do" if total else f"{name}:")

    def step(self, outcome: Outcome) -> None:
        """Print the outcome of a step; of a phase in percent, each tenth step."""
        if outcome.kind is OutcomeKind.PERCENT:
            self._percent += 1
            if self._percent % 10 == 0:
                output.note(f"  {self._percent} %: {outcome}")
            return
        if self._verbose or not outcome.kind.is_routine:
            output.note(f"  {outcome}")


class Live:
    """Shows progress bars on a terminal while the `with` block runs."""

    def __init__(self, *columns: ProgressColumn, console: Console | None = None) -> None:
        self._progress = Progress(
            *columns,
            console=console or Console(file=streams.for_bars()),
            redirect_stdout=sys.stdout.isatty(),  # on a terminal, data is printed above the bars; never redirect a pipe
        )
        self._task: TaskID | None = None
        self._before = sys.stderr

    def __enter__(self) -> Self:
        self._progress.start()
        if sys.stderr is not self._before:  # redirected, so that messages are printed above the bars
            sys.stderr = cast("TextIO", streams.ShownOn(sys.stderr))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class Bar(Live):
    """Shows a bar for each phase, with the number of finished steps, the time left and the last outcome."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description:>9}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[last]}", markup=False),
        )

    def phase(self, name: str, total: int) -> None:
        """Start a bar for a phase."""
        self._task = self._progress.add_task(name, total=total, last="")

    def step(self, outcome: Outcome) -> None:
        """Advance the bar by one step."""
        text, width = shown(outcome), max(_LEAST_WIDTH, self._progress.console.width - _BAR_WIDTH)
        if self._task is not None:
            last = text if len(text) <= width else text[: width - 1] + "…"
            self._progress.update(self._task, advance=1, last=last)


def shown(value: object) -> str:
    """Return what a bar may show of an outcome or a message: one line without control characters and credentials."""
    return visible.line(redact.redacted(str(value)))


def shows_bars(verbose: int) -> bool:
    """Whether stderr is a terminal that can move its cursor and shows no bars yet, and `verbose` is 0."""
    is_free = not isinstance(sys.stderr, streams.ShownOn)
    return is_free and sys.stderr.isatty() and os.environ.get("TERM", "") not in _DUMB and not verbose


def progress_display(verbose: int = 0) -> Lines | Bar:
    """Return a display with bars if the terminal can show them and `verbose` is 0; otherwise, one with plain lines."""
    return Bar() if shows_bars(verbose) else Lines(verbose)
