"""The watchdog heartbeat: a clock that counts how often it is used.

The worker reads the clock or sleeps at each request and page. If it does neither for a long time, it hangs.

Boundary: counting; the service compares the counts.
"""

from __future__ import annotations

from datetime import datetime

from crawler.clock import StoppableClock

_NAP = 10.0  # seconds; a longer sleep is split, so that a sleeping worker does not look like a hanging one


class WatchdogClock(StoppableClock):
    """Wraps the worker's clock and counts its uses in `beats`."""

    def __init__(self, clock: StoppableClock) -> None:
        super().__init__()
        self._clock = clock
        self.beats = 0

    def now(self) -> datetime:
        """Return the current instant and count a beat."""
        self.beats += 1
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Sleep, counting a beat at least every 10 seconds.

        Raises:
            Interrupted: the clock was stopped.

        """
        while seconds > _NAP:
            self.beats += 1
            self._clock.sleep(_NAP)
            seconds -= _NAP
        self.beats += 1
        self._clock.sleep(seconds)

    def stop(self) -> None:
        """Interrupt current and future sleeps."""
        self._clock.stop()

    @property
    def stopped(self) -> bool:
        """Whether the clock was stopped."""
        return self._clock.stopped
