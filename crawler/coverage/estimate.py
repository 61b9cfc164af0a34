"""Estimate how many articles exist, including those that no list contains, from overlaps of lists and from the ids.

Capture-recapture derives the estimate from the overlaps. Two lists are compared by the method of Chapman (1951), more
lists by that of Chao (1989), each with the log-normal interval of Chao (1987). `docs/coverage.md` has the formulas and
describes where they fail.

Boundary: arithmetic only.
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
    """The estimated number of articles and its bounds, derived from both lists and ids; unknown values are None."""

    estimate: float | None = None
    low: int | None = None
    high: int | None = None
    method: Method | None = None


def from_lists(captures: Iterable[Collection[str]]) -> Estimate | None:
    """Return the estimated number of articles, by comparing the lists that contain them.

    `captures` has, for each article, the names of the lists that contain it. Return None if there is only one list, or
    if no article is in two lists.
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
    """Return Chapman's estimate for two lists; None if no article is in both lists.

    `first` and `second` are the numbers of articles in the two lists, and `both` is the number of articles in both
    lists.
    """
    if not both:
        return None
    known = first + second - both
    value = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    return _interval(known, value - known, variance, "chapman")


def chao(alone: Collection[int], twice: int, known: int) -> Estimate | None:
    """Return Chao's estimate for three or more lists; None if no article is in two lists.

    `alone` has, for each list, the number of articles that no other list contains. `twice` is the number of articles in
    exactly two lists, and `known` is the number of articles in any list.
    """
    once = sum(alone)
    if known == once:
        return None
    unseen = (once**2 - sum(n**2 for n in alone)) / (2 * (twice + 1))
    variance = unseen + sum(n * ((once - n) / (twice + 1)) ** 2 for n in alone) + twice * (unseen / (twice + 1)) ** 2
    return _interval(known, unseen, variance, "chao")


def _interval(known: int, unseen: float, variance: float, method: Method) -> Estimate:
    """Return the estimate with its 95 % interval, on the assumption that the number of unseen articles is log-normal.

    The interval therefore never includes a number below `known`, the number of known articles.
    """
    if unseen <= 0:
        return Estimate(known, known, known, method)
    spread = math.exp(_NORMAL_95 * math.sqrt(math.log(1 + variance / unseen**2)))
    return Estimate(known + unseen, known + unseen / spread, known + unseen * spread, method)


def with_ids(lists: Estimate | None, known: int, unasked: int) -> CountBounds:
    """Return the bounds for a month: `low` is the lower end of the interval of `lists`; `high` is `known` + `unasked`.

    `lists` is the estimate from the lists with its interval, `known` is the number of known articles, and `unasked` is
    the number of ids that are unknown and were never requested. The upper end of the interval is not used, because
    it is often too low: articles that one list lacks are often missing from all lists. If `lists` is None, there is no
    estimate and `low` is `known`. No bound is below `known`.
    """
    most = known + unasked
    if lists is None:
        return CountBounds(None, known, most)
    low = min(max(known, math.floor(lists.low)), most)
    return CountBounds(min(max(lists.value, known), most), low, most, lists.method)


def without_ids(lists: Estimate | None, known: int, unasked: int | None) -> CountBounds:
    """Return the interval in `lists` as the bounds for a row that ids cannot bound, such as the row of a section.

    `known` is the number of known articles, and no bound is below it. `unasked` is the number of ids that are unknown
    and were never requested; unless it is None, no bound is above `known` plus `unasked`. If `lists` is None, all
    values are None.
    """
    if lists is None:
        return CountBounds()
    most = math.inf if unasked is None else known + unasked
    low, high = min(max(known, math.floor(lists.low)), most), min(max(known, math.ceil(lists.high)), most)
    return CountBounds(min(max(lists.value, known), most), int(low), int(high), lists.method)
