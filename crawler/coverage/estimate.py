"""Estimate how many articles exist, including those in no list: capture-recapture between lists, bounded by the ids.

Chapman (1951) for two lists, Chao (1989) for more, each with the log-normal interval of Chao (1987). `docs/coverage.md`
has the formulas and describes where they fail.

Boundary: arithmetic.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

_NORMAL_95 = 1.959964  # 95 % of the standard normal distribution lies between minus and plus this value

Method = Literal["chapman", "chao"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated number of articles, with its 95 % interval from `low` to `high`."""

    value: float
    low: float
    high: float
    method: Method


@dataclass(frozen=True, slots=True)
class CountBounds:
    """The number of articles, from lists and ids together; None where neither gives a bound."""

    estimate: float | None = None
    low: int | None = None
    high: int | None = None
    method: Method | None = None


def from_lists(captures: Iterable[Collection[str]]) -> Estimate | None:
    """Return the estimate from the names of the lists that contain each article.

    None when there is only one list, or when no article is in two of them.
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
    """Return Chapman's estimate from the sizes of two lists and of their overlap; None without overlap."""
    if not both:
        return None
    known = first + second - both
    value = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    return _interval(known, value - known, variance, "chapman")


def chao(alone: Collection[int], twice: int, known: int) -> Estimate | None:
    """Return Chao's estimate for three or more lists; None when no article is in two of them.

    `alone` has for each list the number of articles that no other list contains, `twice` is the number of articles in
    exactly two lists, and `known` the number of all listed articles.
    """
    once = sum(alone)
    if known == once:
        return None
    unseen = (once**2 - sum(n**2 for n in alone)) / (2 * (twice + 1))
    variance = unseen + sum(n * ((once - n) / (twice + 1)) ** 2 for n in alone) + twice * (unseen / (twice + 1)) ** 2
    return _interval(known, unseen, variance, "chao")


def _interval(known: int, unseen: float, variance: float, method: Method) -> Estimate:
    """Treat the number of unseen articles as log-normal, so that the interval never falls below the known ones."""
    if unseen <= 0:
        return Estimate(known, known, known, method)
    spread = math.exp(_NORMAL_95 * math.sqrt(math.log(1 + variance / unseen**2)))
    return Estimate(known + unseen, known + unseen / spread, known + unseen * spread, method)


def with_ids(lists: Estimate | None, known: int, unasked: int) -> CountBounds:
    """Return the bounds of a month: from the lower end of the lists' interval to the number of known and unasked ids.

    The upper end of the lists' interval is not used: an article hidden from one list is often hidden from all of them,
    and then that end is too low.
    """
    most = known + unasked
    if lists is None:
        return CountBounds(None, known, most)
    low = min(max(known, math.floor(lists.low)), most)
    return CountBounds(min(max(lists.value, known), most), low, most, lists.method)


def without_ids(lists: Estimate | None, known: int, unasked: int | None) -> CountBounds:
    """Return the bounds where the ids alone give none, as for a section: the lists' interval.

    With `unasked`, no bound exceeds the number of known and unasked ids.
    """
    if lists is None:
        return CountBounds()
    most = math.inf if unasked is None else known + unasked
    low, high = min(max(known, math.floor(lists.low)), most), min(max(known, math.ceil(lists.high)), most)
    return CountBounds(min(max(lists.value, known), most), int(low), int(high), lists.method)
