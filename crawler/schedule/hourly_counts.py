"""Counts of new articles by source and by hour of the week.

Boundary: frozen values without decisions; `publication_rate` computes with them, `storage` stores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crawler.types import SourceKind

Slot = tuple[int, int]  # weekday (0 is Monday) and hour, in Hanoi


@dataclass(frozen=True, slots=True)
class HourCount:
    """New articles in one hour of the week, summed over the weeks. Older weeks weigh less; the sums are as of `week`.

    `items` counts articles that are new to this source, `firsts` those that no other source had listed before.
    """

    items: float
    firsts: float
    week: int


HourCounts = Mapping[Slot, HourCount]


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """A source with the counts of the new articles that it has listed."""

    url: str
    kind: SourceKind
    counts: tuple[HourCount, ...]
