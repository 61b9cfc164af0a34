"""How a run shows what it does: a bar on a terminal, plain lines otherwise; always on stderr.

Boundary: display only.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

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

from crawler.cli import output

_QUIET = ("unchanged:",)  # a line for each unchanged article would hide the others


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, verbose: int = 0) -> None:
        self._verbose = verbose

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def phase(self, name: str, total: int) -> None:
        """Name the phase."""
        self._say(f"{name}: {total} due")

    def step(self, what: str, url: str | None = None) -> None:  # noqa: ARG002 - the words name it, too
        """Say what came of a step."""
        if self._verbose or not what.startswith(_QUIET):
            self._say(f"  {what}")

    def _say(self, line: str) -> None:
        try:
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the output
        except BrokenPipeError:  # nobody watches any more; the run goes on
            output.unplug(sys.stderr)


class Live:
    """Bars on a terminal while the block lasts."""

    def __init__(self, *columns: ProgressColumn, console: Console | None = None) -> None:
        self._progress = Progress(
            *columns,
            console=console or Console(stderr=True),
            redirect_stdout=sys.stdout.isatty(),  # above the bars; but data that goes elsewhere must get there
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class Bar(Live):
    """A bar for each phase, with what is done, how many and the time left."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description:>9}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[what]}"),
        )

    def phase(self, name: str, total: int) -> None:
        """Begin a bar."""
        self._task = self._progress.add_task(name, total=total, what="")

    def step(self, what: str, url: str | None = None) -> None:  # noqa: ARG002 - the words name it, too
        """Move the bar."""
        width = max(10, self._progress.console.width - 60)
        if self._task is not None:
            self._progress.update(self._task, advance=1, what=what if len(what) <= width else what[: width - 1] + "…")


def watcher(verbose: int = 0) -> Lines | Bar:
    """Give a bar on a terminal, lines otherwise or when more is asked for."""
    return Bar() if sys.stderr.isatty() and not verbose else Lines(verbose)
