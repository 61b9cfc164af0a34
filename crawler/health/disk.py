"""How fast the archive grows, and how long the disk will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the archive on one day, in bytes."""

    day: str
    warc_bytes: int
    db_bytes: int
    free_bytes: int

    @property
    def total(self) -> int:
        """What the archive takes."""
        return self.warc_bytes + self.db_bytes


def growth(sizes: Sequence[Size]) -> float | None:
    """Give the bytes a day between the first and the last of some sizes; None when there are no two days."""
    if len(sizes) < 2 or sizes[0].day == sizes[-1].day:
        return None
    days = (date.fromisoformat(sizes[-1].day) - date.fromisoformat(sizes[0].day)).days
    return (sizes[-1].total - sizes[0].total) / days


def days_until_full(free: int, reserve: int, a_day: float | None) -> int | None:
    """Say in how many days the reserve will be reached; None when the archive does not grow, or nobody knows."""
    if a_day is None or a_day <= 0:
        return None
    return max(0, int((free - reserve) / a_day))
