"""Time, as something that is passed in.

Boundary: the only place that reads the machine's clock or sleeps; tests and drills pass a clock of their own.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

from crawler.errors import Interrupted


class Clock(Protocol):
    """What the edges need of time."""

    def now(self) -> datetime:
        """Give the current instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Give the current instant, aware, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait; a negative time is none."""
        time.sleep(max(0.0, seconds))


class StoppableClock(SystemClock):
    """The machine's clock, whose sleepers can be woken: for runs that end when a signal asks for it."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def stop(self) -> None:
        """Wake whoever sleeps, now and from now on; safe to call from a signal handler."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stop.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Interrupted: the run was asked to stop.

        """
        if self._stop.wait(max(0.0, seconds)):
            raise Interrupted("asked to stop; what was done until now is stored", "start it again to go on")


def monotonic_microseconds() -> int:
    """Give the microseconds of the machine's steady clock, by which systemd orders events."""
    return time.monotonic_ns() // 1000


def steady_seconds() -> float:
    """Give the seconds of the machine's steady clock, which nobody sets: for the length of things."""
    return time.monotonic()


def to_text(instant: datetime) -> str:
    """Write an instant as the archive stores it: ISO 8601 in UTC, whole seconds, `2026-01-31T08:15:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_precise_text(instant: datetime) -> str:
    """Write an instant as WARC records carry it: ISO 8601 in UTC, to the microsecond."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """Read an instant as the archive stores it."""
    return datetime.fromisoformat(text)
