"""`vna run` in a process of its own, with a clock that a test can advance, and shorter intervals.

The first argument is the configuration file, the second a file with the number of seconds by which the clock is ahead.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from crawler import config
from crawler.clock import StoppableClock
from crawler.daemon import Intervals, Service

#: A "second" is long enough that the main thread, which wakes up in each, takes little CPU time.
INTERVALS = Intervals(second=0.005, tick=0.1, check=0.5, grace=5.0, resolve_after=timedelta(minutes=10))


class ShiftedClock(StoppableClock):
    """The system clock plus the offset in the file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._file.read_text() or 0))

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 300)


if __name__ == "__main__":
    settings, ahead = map(Path, sys.argv[1:])
    Service(lambda: config.load(settings), clock=ShiftedClock(ahead), intervals=INTERVALS).run()
