"""The simulated clock of a drill, shared by the site, the service and the processes that are killed.

When one of them would wait, the simulated time moves forward instead.

Boundary: stores two numbers in a file that all processes map into memory.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import files
from crawler.clock import StoppableClock

_FORMAT = struct.Struct("dd")  # seconds since 1970, error of the machine's clock in seconds


class SharedClock(StoppableClock):
    """A clock with two times: `true` is the correct time; `now` is what the crawler's machine shows.

    The two differ if a drill simulates a machine whose clock is wrong.

    `on_advance` is called after each `sleep`, so that events at the site can happen while the service waits.
    """

    def __init__(self, file: Path, on_advance: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.on_advance = on_advance
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), _FORMAT.size)

    def true(self) -> datetime:
        """Return the correct simulated time, in UTC."""
        return datetime.fromtimestamp(self._read()[0], UTC)

    def now(self) -> datetime:
        """Return the simulated time that the machine's clock shows, in UTC; it includes the error of that clock."""
        return datetime.fromtimestamp(sum(self._read()), UTC)

    def sleep(self, seconds: float) -> None:
        """Move the simulated time forward by `seconds`, without real waiting."""
        self.advance_to(self.true() + timedelta(seconds=max(0.0, seconds)))
        self.on_advance()

    def advance_to(self, moment: datetime) -> None:
        """Set the correct simulated time to `moment`."""
        self._map[:] = _FORMAT.pack(moment.timestamp(), self._read()[1])

    def set_error(self, seconds: float) -> None:
        """Set the error of the machine's clock in seconds. A negative number means that the clock is slow."""
        self._map[:] = _FORMAT.pack(self._read()[0], seconds)

    def close(self) -> None:
        """Close the file that stores the time."""
        self._map.close()

    def _read(self) -> tuple[float, float]:
        seconds, error = _FORMAT.unpack(self._map[:])
        return seconds, error


def create_clock(file: Path, moment: datetime) -> SharedClock:
    """Create a simulated clock that starts at `moment` and stores its time in `file`."""
    files.replace(file, _FORMAT.pack(moment.timestamp(), 0.0))
    return SharedClock(file)
