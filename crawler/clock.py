"""Time as a parameter: the clocks that the program reads, and the text form of instants.

Boundary: the only module that reads the system clock or sleeps; tests and drills pass in their own clock.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

from crawler.errors import Interrupted


class Clock(Protocol):
    """A source of the current time that can also wait."""

    def now(self) -> datetime:
        """Return the current time as an aware datetime in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        ...


class SystemClock:
    """The system clock."""

    def now(self) -> datetime:
        """Return the current time as an aware datetime in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds; not at all if the number is negative."""
        time.sleep(max(0.0, seconds))


class StoppableClock(SystemClock):
    """The system clock with a sleep that `stop` interrupts, for runs that a signal ends."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def stop(self) -> None:
        """End every current and later `sleep` at once; safe to call from a signal handler."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds; not at all if the number is negative.

        Raises:
            Interrupted: `stop` was called, before or during the wait.

        """
        if self._stop.wait(max(0.0, seconds)):
            raise Interrupted("stopped on request; completed work is stored", "run the command again to continue")


def monotonic_microseconds() -> int:
    """Return the monotonic clock in microseconds, as systemd expects it (MONOTONIC_USEC in sd_notify(3))."""
    return time.monotonic_ns() // 1000


def monotonic_seconds() -> float:
    """Return the monotonic clock in seconds, for measuring durations: changes of the system time do not affect it."""
    return time.monotonic()


def to_text(instant: datetime) -> str:
    """Return an instant as the archive stores it: ISO 8601 in UTC, whole seconds, `2026-01-31T08:15:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_precise_text(instant: datetime) -> str:
    """Return an instant as WARC records store it: ISO 8601 in UTC, with microseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """Parse an instant that `to_text` or `to_precise_text` wrote.

    Raises:
        ValueError: the text is not in ISO 8601 format.

    """
    return datetime.fromisoformat(text)
