"""Where the progress of an upgrade of the database is shown.

Any command may upgrade a database when it opens one, so the command line says here how to show that, and `storage` asks here.
Without a display, nothing is shown.

Boundary: keeps the display of this process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from crawler.outcome import Outcome


class Display(Protocol):
    """Shows the progress of phases."""

    def phase(self, name: str, total: int) -> None:
        """Show that a phase of `total` steps begins."""
        ...

    def step(self, outcome: Outcome) -> None:
        """Show the outcome of one step."""
        ...


class _Nothing:
    """Shows nothing."""

    def phase(self, name: str, total: int) -> None:
        """Ignore the start of a phase."""

    def step(self, outcome: Outcome) -> None:
        """Ignore the outcome of a step."""


def _show_nothing() -> AbstractContextManager[Display]:
    return nullcontext(_Nothing())


_displays: list[Callable[[], AbstractContextManager[Display]]] = [_show_nothing]
_notes: list[Callable[[str], None]] = []


def use(display: Callable[[], AbstractContextManager[Display]], note: Callable[[str], None]) -> None:
    """Show progress with the displays that `display` returns, and messages with `note`."""
    _displays[:] = [display]
    _notes[:] = [note]


def shown() -> AbstractContextManager[Display]:
    """Return a display for one upgrade."""
    return _displays[0]()


def note(message: str) -> None:
    """Show a message."""
    for show in _notes:
        show(message)
