"""The time of a drill: it moves when somebody waits, for the site, the service and the processes that are killed alike.

Boundary: two numbers in a file that all of them have mapped.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.clock import StoppableClock

_FORM = struct.Struct("dd")


class SharedClock(StoppableClock):
    """The machine's clock; `true` is the site's. They differ when the machine's is wrong.

    `moved` is called when time has gone by, so that the site can go on meanwhile.
    """

    def __init__(self, file: Path, moved: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.moved = moved
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), _FORM.size)

    def true(self) -> datetime:
        """Give the instant that it is."""
        return datetime.fromtimestamp(self._read()[0], UTC)

    def now(self) -> datetime:
        """Give the instant that the machine believes it is."""
        return datetime.fromtimestamp(sum(self._read()), UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.move_to(self.true() + timedelta(seconds=max(0.0, seconds)))
        self.moved()

    def move_to(self, instant: datetime) -> None:
        """Let it be later."""
        self._map[:] = _FORM.pack(instant.timestamp(), self._read()[1])

    def err(self, seconds: float) -> None:
        """Let the machine's clock be wrong by so much; behind, when it is negative."""
        self._map[:] = _FORM.pack(self._read()[0], seconds)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()

    def _read(self) -> tuple[float, float]:
        seconds, error = _FORM.unpack(self._map[:])
        return seconds, error


def made(file: Path, instant: datetime) -> SharedClock:
    """Make a clock that says an instant."""
    file.write_bytes(_FORM.pack(instant.timestamp(), 0.0))
    return SharedClock(file)
