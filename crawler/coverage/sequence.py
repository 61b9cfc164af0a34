"""Derive dates from the sequence of post ids: ids rise with time, except where editors schedule or back-date articles.

The trusted articles are the longest sequence of articles in which the day of publication never decreases while the id
increases. The dates of the other articles are compared with this sequence, so a single wrong date does no harm (dossier
section 3).

Boundary: arithmetic over ids and days; a day is an ordinal number, as `date.toordinal` returns it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain, pairwise


@lru_cache(maxsize=16_384)
def month_of(day: int) -> str:
    """Return the month, such as `2026-01`, of a day that is given as an ordinal number."""
    return date.fromordinal(day).isoformat()[:7]


@lru_cache(maxsize=16_384)
def ordinal(day: str) -> int:
    """Return the ordinal number of a day such as `2026-01-31`."""
    return date.fromisoformat(day).toordinal()


class IdClock:
    """The relation between post ids and days of publication, taken from the trusted articles.

    `dated` yields each id with its day, in ascending order of id.
    """

    def __init__(self, dated: Iterable[tuple[int, int]]) -> None:
        self.ids, self.days = _longest_rising(dated)

    def around(self, number: int) -> tuple[int | None, int | None]:
        """Return the days of the trusted articles with the next lower and the next higher id.

        A day is None if there is no such article.
        """
        below, above = bisect_left(self.ids, number) - 1, bisect_right(self.ids, number)
        return (self.days[below] if below >= 0 else None, self.days[above] if above < len(self.ids) else None)

    def day(self, number: int) -> int | None:
        """Return the day of an id, interpolated between the trusted articles with the nearest ids.

        For an id below the first or above the last trusted id, return the day of that trusted id. Return None if there
        are not trusted articles.
        """
        above = bisect_left(self.ids, number)
        if not self.ids:
            return None
        if above == len(self.ids) or self.ids[above] == number or above == 0:
            return self.days[min(above, len(self.ids) - 1)]
        left, right = self.ids[above - 1], self.ids[above]
        first, last = self.days[above - 1], self.days[above]
        return first + (last - first) * (number - left) // (right - left)

    def later_below(self, number: int, day: int, witnesses: int) -> bool:
        """Whether the `witnesses` nearest trusted articles below an id are all dated later than `day`."""
        at = bisect_left(self.ids, number) - witnesses
        return at >= 0 and self.days[at] > day

    def earlier_above(self, number: int, day: int, witnesses: int) -> bool:
        """Whether the `witnesses` nearest trusted articles above an id are all dated earlier than `day`."""
        at = bisect_right(self.ids, number) + witnesses - 1
        return at < len(self.ids) and self.days[at] < day

    def unasked(self, settled: Sequence[int]) -> list[tuple[int, int]]:
        """Return the ranges of ids between the first and the last trusted id that are not in `settled`.

        `settled` is in ascending order; a range is a first and a last id.
        """
        if not self.ids:
            return []
        inside = settled[bisect_left(settled, self.ids[0]) : bisect_right(settled, self.ids[-1])]
        return [(low + 1, high - 1) for low, high in pairwise(inside) if high - low > 1]

    def by_month(self, ranges: Iterable[tuple[int, int]]) -> Counter[str]:
        """Return the number of ids in `ranges` that belong to each month."""
        counts: Counter[str] = Counter()
        for first, last in ranges:
            for month, count in self._split(first, last):
                counts[month] += count
        return counts

    def _split(self, first: int, last: int) -> Iterator[tuple[str, int]]:
        """Yield each month of the ids from `first` to `last`, with the number of ids in that month.

        A higher id never has an earlier day, so a binary search finds each id at which the month changes.
        """
        while first <= last:
            month = month_of(self.day(first) or 1)
            low, high = first, last
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if month_of(self.day(middle) or 1) == month else (low, middle - 1)
            yield month, low - first + 1
            first = low + 1


def _longest_rising(dated: Iterable[tuple[int, int]]) -> tuple[array[int], array[int]]:
    """Return the ids and the days of the longest subsequence of `dated` in which the days never decrease.

    The method is patience sorting (Schensted 1961, Fredman 1975). Arrays are used instead of lists to save memory,
    because an archive has hundreds of thousands of articles.
    """
    pairs = array("q", chain.from_iterable(dated))
    tops = array("q")  # for each length, the smallest last day of a rising subsequence
    ends = array("q")  # the index of that last day
    before = array("q")  # for each pair, the index of its predecessor in the subsequence
    for at, day in enumerate(pairs[1::2]):
        length = bisect_right(tops, day)
        before.append(ends[length - 1] if length else -1)
        tops[length : length + 1] = array("q", [day])
        ends[length : length + 1] = array("q", [at])
    ids, days = array("q"), array("q")
    at = ends[-1] if ends else -1
    while at >= 0:
        ids.append(pairs[2 * at])
        days.append(pairs[2 * at + 1])
        at = before[at]
    ids.reverse()
    days.reverse()
    return ids, days
