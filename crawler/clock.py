"""The clocks that functions get as a parameter, and the conversion of instants to text and back.

Boundary: the only module that reads the system clock or sleeps; tests and drills pass in their own clock.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from crawler import days
from crawler.errors import Interrupted


class Clock(Protocol):
    """The interface of all clocks: a clock returns the current time, and can wait."""

    def now(self) -> datetime:
        """Return the current time as a datetime with the time zone UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for the given number of seconds."""
        ...


class SystemClock:
    """The system clock."""

    def now(self) -> datetime:
        """Return the current time as a datetime with the time zone UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for the given number of seconds; do not wait if the number is negative."""
        time.sleep(max(0.0, seconds))


class StoppableClock(SystemClock):
    """The system clock for runs that a signal may end: calling `stop` interrupts `sleep`."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def stop(self) -> None:
        """Interrupt the current call of `sleep` and all later ones; a signal handler may call this method."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait for the given number of seconds; do not wait if the number is negative.

        Raises:
            Interrupted: `stop` was called, before or during the wait.

        """
        if self._stop.wait(max(0.0, seconds)):
            raise Interrupted("stopped on request; completed work is stored", "run the command again to continue")


def monotonic_microseconds() -> int:
    """Return the time of the monotonic clock in microseconds, as systemd expects in MONOTONIC_USEC (sd_notify(3))."""
    return time.monotonic_ns() // 1000


def monotonic_seconds() -> float:
    """Return the time of the monotonic clock in seconds, to measure durations; the system time does not affect it."""
    return time.monotonic()


def to_text(instant: datetime) -> str:
    """Return an instant as the archive stores it: ISO 8601 in UTC with whole seconds, as in `2026-01-31T08:15:00Z`."""
    return f"{instant.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


def to_precise_text(instant: datetime) -> str:
    """Return an instant as WARC records store it: ISO 8601 in UTC, with microseconds."""
    return f"{instant.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z"


def from_text(text: str) -> datetime:
    """Parse an instant that `to_text` or `to_precise_text` wrote.

    Raises:
        ValueError: the text is not in ISO 8601 format.

    """
    return datetime.fromisoformat(text)


def instant_text(value: str, *, end_of_day: bool = False) -> str:
    """Return an instant that a person typed (ISO 8601) as the archive stores it; a value without an offset is in UTC.

    A day without an hour means its first second or, if `end_of_day`, its last one.

    Raises:
        ValueError: the value is not a time between the years 1 and 9999.

    """
    try:
        found = datetime.fromisoformat(value)
        if end_of_day and _is_day(value):
            found += timedelta(days=1, seconds=-1)
        return to_text(found if found.tzinfo else found.replace(tzinfo=UTC))
    except OverflowError as error:  # early in the year 1 in Hanoi is the year 0 in UTC
        raise ValueError(str(error)) from error


def named_instant(value: str, today: date | None, *, end_of_day: bool = False) -> str:
    """Return an instant as `instant_text` does, also of a month, a year or a relative day such as `3d`.

    `today` is the present day in UTC; without it, a day must be named by its date.

    Raises:
        ValueError: the value is not a time between the years 1 and 9999.

    """
    with suppress(days.NotADay):
        period = days.period(value, today)
        value = (period.last if end_of_day else period.first).isoformat()
    return instant_text(value, end_of_day=end_of_day)


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
