"""When the agency publishes, and which id an instant has.

Boundary: pure functions of dates and a seed number; no clock.
The anchors, the pace of the ids and the 40 to 50 stories a day are the site dossier's, section 3.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from crawler.sim.site.story import HANOI

ANCHORS: tuple[tuple[int, date], ...] = (
    (15234, date(2010, 2, 1)),
    (24045, date(2011, 1, 15)),
    (29318, date(2011, 10, 15)),
    (37353, date(2012, 12, 15)),
    (51599, date(2014, 5, 6)),
    (56054, date(2014, 9, 25)),
    (64912, date(2015, 7, 3)),
    (78041, date(2016, 7, 26)),
    (108414, date(2018, 9, 20)),
    (157932, date(2021, 4, 15)),
    (174624, date(2021, 12, 21)),
    (190103, date(2022, 10, 5)),
    (211594, date(2023, 8, 8)),
    (219117, date(2024, 2, 23)),
    (232503, date(2024, 10, 8)),
    (245060, date(2025, 4, 29)),
    (255798, date(2025, 12, 10)),
    (257882, date(2026, 1, 23)),
)
_PACE_SINCE = 50  # ids a day after the last anchor
_FIRST_ID = 15300
_HISTORY_ENDS = date(2023, 12, 31)

#: Relative number of stories per hour of a Hanoi day: none at night, peaks before lunch and at the end of the day.
_HOURS = (0, 0, 0, 0, 0, 1, 3, 6, 10, 12, 12, 8, 3, 4, 8, 10, 11, 9, 6, 5, 4, 3, 2, 1)
_WEEKDAY, _WEEKEND = (45, 49), (35, 41)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the agency's day: one id, one instant."""

    post_id: int
    published: datetime


def chance(*key: object) -> random.Random:
    """Make a generator that depends on nothing but `key`: the same key, the same story, on every machine."""
    return random.Random("/".join(map(str, key)))  # noqa: S311 - repeatable, not secret


def id_at(moment: datetime) -> int:
    """Give the id that the site had reached at that instant, by interpolation between the anchors."""
    return int(_interpolate(_instant_number(moment), _DAYS, _IDS, 1 / _PACE_SINCE))


def time_at(post_id: int) -> datetime:
    """Give the instant of an id; the inverse of `id_at`, but for rounding."""
    return datetime.fromtimestamp(_interpolate(post_id, _IDS, _DAYS, _PACE_SINCE) * 86400, HANOI).replace(microsecond=0)


def recent(now: datetime, count: int, seed: int, taken: Collection[int]) -> list[Slot]:
    """Give the newest `count` places up to `now`, oldest first; they depend on the day and the seed, not on `now`."""
    newest_first = (slot for slot in _backwards(now, seed, taken) if slot.published <= now)
    return sorted(islice(newest_first, count), key=lambda s: (s.published, s.post_id))


def coming(now: datetime, until: datetime, seed: int, taken: Collection[int]) -> list[Slot]:
    """Give the places after `now` and up to `until`, oldest first: the same that `recent` will give then."""
    days = range((until.astimezone(HANOI).date() - now.astimezone(HANOI).date()).days + 1)
    first = now.astimezone(HANOI).date()
    slots = (slot for n in days for slot in _day(first + timedelta(days=n), seed, taken))
    return [slot for slot in slots if now < slot.published <= until]


def history(count: int, seed: int, taken: Collection[int]) -> list[Slot]:
    """Spread `count` places evenly over the years before 2024."""
    last = id_at(_midnight(_HISTORY_ENDS))
    ids = (_FIRST_ID + (last - _FIRST_ID) * n // max(count, 1) for n in range(count))
    return [Slot(i, _daytime(time_at(i), chance(seed, "history", i))) for i in ids if i not in taken]


def _backwards(now: datetime, seed: int, taken: Collection[int]) -> Iterator[Slot]:
    day = now.astimezone(HANOI).date()
    while day.year > 2009:
        yield from reversed(_day(day, seed, taken))
        day -= timedelta(days=1)


def _day(day: date, seed: int, taken: Collection[int]) -> list[Slot]:
    rng = chance(seed, day)
    start, end = _midnight(day), _midnight(day + timedelta(days=1))
    free = [i for i in range(id_at(start), id_at(end)) if i not in taken]
    wanted = rng.randint(*(_WEEKEND if day.weekday() >= _SATURDAY else _WEEKDAY))
    ids = sorted(rng.sample(free, min(wanted, len(free))))
    times = sorted(_daytime(start, rng) for _ in ids)
    return [Slot(i, t) for i, t in zip(ids, times, strict=True)]


def _daytime(day: datetime, rng: random.Random) -> datetime:
    hour = rng.choices(range(24), _HOURS)[0]
    return day.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), HANOI)


def _instant_number(moment: datetime) -> float:
    return moment.timestamp() / 86400


def _interpolate(value: float, xs: tuple[float, ...], ys: tuple[float, ...], slope_after: float) -> float:
    i = bisect_right(xs, value)
    if i == len(xs):
        return ys[-1] + (value - xs[-1]) / slope_after
    i = max(i, 1)
    return ys[i - 1] + (value - xs[i - 1]) * (ys[i] - ys[i - 1]) / (xs[i] - xs[i - 1])


_number: Callable[[date], float] = lambda day: _instant_number(_midnight(day))  # noqa: E731 - one use, below
_DAYS: tuple[float, ...] = tuple(_number(day) for _, day in ANCHORS)
_IDS: tuple[float, ...] = tuple(float(i) for i, _ in ANCHORS)
