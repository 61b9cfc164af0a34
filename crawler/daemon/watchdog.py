"""The watchdog heartbeat: a clock that counts how often it is used.

At each request, the worker calls this clock, to read the time or to sleep; each step of a job is a beat, too. If the
count does not rise for a long time, the worker hangs.

Boundary: only counts; the service compares the counts.
"""

from __future__ import annotations

from datetime import datetime

from crawler.clock import StoppableClock

_NAP = 10.0  # seconds; a longer sleep is split, so that a sleeping worker does not look like a hanging one


class WatchdogClock(StoppableClock):
    """Wraps the worker's clock. `beats` counts the signs that the worker is alive."""

    def __init__(self, clock: StoppableClock) -> None:
        super().__init__()
        self._clock = clock
        self.beats = 0

    def beat(self) -> None:
        """Count a beat: the worker has done something."""
        self.beats += 1

    def now(self) -> datetime:
        """Return the current instant and count a beat."""
        self.beat()
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`, and count a beat at least every 10 seconds.

        Raises:
            Interrupted: the clock was stopped.

        """
        while seconds > _NAP:
            self.beat()
            self._clock.sleep(_NAP)
            seconds -= _NAP
        self.beat()
        self._clock.sleep(seconds)

    def stop(self) -> None:
        """Interrupt the current sleep and all later ones."""
        self._clock.stop()

    @property
    def stopped(self) -> bool:
        """Whether the clock was stopped."""
        return self._clock.stopped
