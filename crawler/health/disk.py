"""Disk forecasts: how fast the archive grows, and in how many days only the disk reserve will be free.

Boundary: pure functions from measured sizes to figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from crawler.health.figures import Size


def growth(sizes: Sequence[Size]) -> float | None:
    """Return the growth in bytes per day between the first and the last size; None if the sizes are of a single day."""
    if len(sizes) < 2 or sizes[0].day == sizes[-1].day:
        return None
    days = (date.fromisoformat(sizes[-1].day) - date.fromisoformat(sizes[0].day)).days
    return (sizes[-1].total - sizes[0].total) / days


def days_until_full(free: int, reserve: int, daily_growth: float | None) -> int | None:
    """Return in how many days only `reserve` bytes will be free; None if the growth is unknown or not positive."""
    if daily_growth is None or daily_growth <= 0:
        return None
    return max(0, int((free - reserve) / daily_growth))
