"""Where this process shows the progress of an upgrade of the database.

Any command may upgrade a database when it opens one. The command line sets how the progress is shown, and `storage` shows
it. Without a setting, nothing is shown.

Boundary: the setting of this process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from crawler.outcome import Progress, Silent

_displays: list[Callable[[], AbstractContextManager[Progress]]] = [lambda: nullcontext(Silent())]
_notes: list[Callable[[str], None]] = []


def use(display: Callable[[], AbstractContextManager[Progress]], note: Callable[[str], None]) -> None:
    """Show progress with the displays that `display` returns, and messages with `note`."""
    _displays[:] = [display]
    _notes[:] = [note]


def shown() -> AbstractContextManager[Progress]:
    """Return a display for one upgrade."""
    return _displays[0]()


def note(message: str) -> None:
    """Show a message."""
    for show in _notes:
        show(message)
