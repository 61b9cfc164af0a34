"""Time, as something that is passed in.

Boundary: the only place that reads the machine's clock or sleeps; tests and drills pass a clock of their own.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


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


def to_text(instant: datetime) -> str:
    """Write an instant as the archive stores it: ISO 8601 in UTC, whole seconds, `2026-01-31T08:15:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    """Read an instant as the archive stores it."""
    return datetime.fromisoformat(text)
