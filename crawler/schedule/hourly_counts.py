"""Counts of new articles by source and by hour of the week.

Boundary: values without decisions; `publication_rate` computes with them, `storage` stores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crawler.types import SourceKind

Slot = tuple[int, int]  # weekday (0 is Monday) and hour, in Hanoi


@dataclass(frozen=True, slots=True)
class HourCount:
    """The number of new articles in one hour of the week, summed over all weeks; older weeks have less weight.

    `items` counts the articles that were new to this source, `firsts` those that no other source had listed before.
    `week` is the number of the week in which the weights were last computed.
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
