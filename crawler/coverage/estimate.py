"""How many articles there are that no list has: capture-recapture between lists, and what the ids leave room for.

Chapman (1951) for two lists, Chao (1989) for more, each with the log-normal interval of Chao (1987). `docs/coverage.md`
has the formulas and says where they fail.

Boundary: arithmetic.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

_NORMAL_95 = 1.959964  # the standard normal distribution has 95 % of itself between minus this and this

Method = Literal["chapman", "chao"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many there are, with a 95 % interval."""

    value: float
    low: float
    high: float
    method: Method


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many there are, as far as lists and ids can tell; None where they do not."""

    estimate: float | None = None
    low: int | None = None
    high: int | None = None
    method: Method | None = None


def from_lists(captures: Iterable[Collection[str]]) -> Estimate | None:
    """Estimate from which lists name each article; None when the lists do not tell.

    They do not tell when there is one list alone, or when no article is in two of them.
    """
    seen = Counter(frozenset(lists) for lists in captures if lists)
    names = sorted(frozenset[str]().union(*seen))
    if len(names) < 2:
        return None
    if len(names) == 2:
        first, second = (sum(n for lists, n in seen.items() if name in lists) for name in names)
        return chapman(first, second, seen[frozenset(names)])
    alone = [seen[frozenset([name])] for name in names]
    return chao(alone, sum(n for lists, n in seen.items() if len(lists) == 2), seen.total())


def chapman(first: int, second: int, both: int) -> Estimate | None:
    """Estimate from two lists: how many each has, and how many are in both."""
    if not both:
        return None
    known = first + second - both
    value = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    return _interval(known, value - known, variance, "chapman")


def chao(alone: Collection[int], twice: int, known: int) -> Estimate | None:
    """Estimate from how many articles each list alone has, how many are in exactly two, and how many are known."""
    once = sum(alone)
    if known == once:
        return None
    unseen = (once**2 - sum(n**2 for n in alone)) / (2 * (twice + 1))
    variance = unseen + sum(n * ((once - n) / (twice + 1)) ** 2 for n in alone) + twice * (unseen / (twice + 1)) ** 2
    return _interval(known, unseen, variance, "chao")


def _interval(known: int, unseen: float, variance: float, method: Method) -> Estimate:
    """Give the interval that treats the number of unseen ones as log-normal: it never falls below what is known."""
    if unseen <= 0:
        return Estimate(known, known, known, method)
    spread = math.exp(_NORMAL_95 * math.sqrt(math.log(1 + variance / unseen**2)))
    return Estimate(known + unseen, known + unseen / spread, known + unseen * spread, method)


def with_ids(lists: Estimate | None, known: int, unasked: int) -> Bounds:
    """Bound a month: no fewer than the lists' interval begins with, no more than the ids leave room for.

    The lists' upper end is not used: what is hidden from one list is often hidden from all, and then it is too low.
    """
    most = known + unasked
    if lists is None:
        return Bounds(None, known, most)
    low = min(max(known, math.floor(lists.low)), most)
    return Bounds(min(max(lists.value, known), most), low, most, lists.method)


def without_ids(lists: Estimate | None, known: int, unasked: int | None) -> Bounds:
    """Bound what the ids do not tell of (a section, say): the lists' interval, capped where a cap is known."""
    if lists is None:
        return Bounds()
    most = math.inf if unasked is None else known + unasked
    low, high = min(max(known, math.floor(lists.low)), most), min(max(known, math.ceil(lists.high)), most)
    return Bounds(min(max(lists.value, known), most), int(low), int(high), lists.method)
