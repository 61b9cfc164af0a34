"""Signs of life: a clock that counts how often it is asked.

Whatever the worker does, it asks the time or waits, at each request, page and nap. A worker that does not is stuck.

Boundary: counting; who looks at the count decides what it means.
"""

from __future__ import annotations

from datetime import datetime

from crawler.clock import StoppableClock

_NAP = 10.0  # seconds: a long wait is many short ones, each a sign of life


class Pulse(StoppableClock):
    """The worker's clock, over another one."""

    def __init__(self, clock: StoppableClock) -> None:
        super().__init__()
        self._clock = clock
        self.beats = 0

    def now(self) -> datetime:
        """Give the current instant."""
        self.beats += 1
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Wait, showing life.

        Raises:
            Interrupted: the run was asked to stop.

        """
        while seconds > _NAP:
            self.beats += 1
            self._clock.sleep(_NAP)
            seconds -= _NAP
        self.beats += 1
        self._clock.sleep(seconds)

    def stop(self) -> None:
        """Wake whoever sleeps."""
        self._clock.stop()

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._clock.stopped
