"""The service in a separate process, real except for its clock. Used by the benchmarks `soak`, `rough` and `red`.

`--clock FILE`: read the time from the file (a double, seconds since 1970); a process that waits advances it.
`--second S`, `--tick S`, `--nap S`: with `--clock`, the real seconds that stand for one second of worker silence, for
the pause between two checks for due work, and for one second of sleep.
`--as-command`: run the command `vna run` with such a clock, so that the process has everything in memory that it has for a user.
`--scale N`: run the machine's clock N times faster, counted from `--since` (seconds since 1970).
"""

from __future__ import annotations

import argparse
import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from crawler import config, daemon
from crawler.cli.main import app
from crawler.clock import StoppableClock
from crawler.daemon import Intervals, Service


class FileClock(StoppableClock):
    """A clock that several processes share: when one of them waits, it advances for all."""

    def __init__(self, file: Path, nap: float = 0.0) -> None:
        super().__init__()
        self._nap = nap
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), 8)

    @property
    def seconds(self) -> float:
        return float(struct.unpack("d", self._map[:8])[0])

    def set(self, seconds: float) -> None:
        self._map[:8] = struct.pack("d", seconds)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds * self._nap)
        self.set(self.seconds + max(0.0, seconds))


class FastClock(StoppableClock):
    """The machine's clock, `scale` times faster from a given time on."""

    def __init__(self, scale: float, since: float) -> None:
        super().__init__()
        self._scale = scale
        self._since = since

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._since, UTC) + timedelta(seconds=(time.time() - self._since) * self._scale)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / self._scale)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("config", type=Path)
    arguments.add_argument("--clock", type=Path)
    arguments.add_argument("--second", type=float, default=1.0)
    arguments.add_argument("--tick", type=float, default=0.005)
    arguments.add_argument("--nap", type=float, default=0.0)
    arguments.add_argument("--scale", type=float, default=1.0)
    arguments.add_argument("--since", type=float, default=0.0)
    arguments.add_argument("--as-command", action="store_true")
    given = arguments.parse_args()
    if given.clock:
        clock: StoppableClock = FileClock(given.clock, given.nap)
        intervals = Intervals(second=given.second, tick=given.tick, check=0.5)
    else:
        clock = FastClock(given.scale, given.since)
        intervals = Intervals(second=1 / given.scale, tick=10 / given.scale, check=30 / given.scale)
    if given.as_command:
        daemon.Service = partial(Service, clock=clock, intervals=intervals)  # the command imports it from there
        app(["--config", str(given.config), "run"])
    Service(lambda: config.load(given.config), clock=clock, intervals=intervals).run()


if __name__ == "__main__":
    main()
