"""`vna run` in a process of its own, with a clock that a test can move and a quicker rhythm.

The first argument is the configuration file, the second a file with the seconds that the clock is ahead.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from crawler import config
from crawler.clock import StoppableClock
from crawler.daemon import Rhythm, Service

RHYTHM = Rhythm(second=0.0015, tick=0.05, look=0.1, grace=5.0, settled=timedelta(minutes=10))


class Moved(StoppableClock):
    """The machine's clock, and what the file says on top."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._file.read_text() or 0))

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 300)


if __name__ == "__main__":
    settings, ahead = map(Path, sys.argv[1:])
    Service(lambda: config.load(settings), clock=Moved(ahead), rhythm=RHYTHM).run()
