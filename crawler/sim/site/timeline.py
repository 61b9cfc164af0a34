"""The times at which the agency publishes stories, and the ids that the stories get.

The known ids and dates, the number of ids per day and the 40 to 50 stories per day come from dossier section 3.

Boundary: pure functions of dates and a seed number; no clock.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Collection, Iterator
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
_IDS_PER_DAY = 50  # after the last anchor
_FIRST_ID = 15300
_HISTORY_ENDS = date(2023, 12, 31)

#: Relative number of stories per hour of the day in Hanoi: none at night, peaks before noon and in late afternoon.
_HOURS = (0, 0, 0, 0, 0, 1, 3, 6, 10, 12, 12, 8, 3, 4, 8, 10, 11, 9, 6, 5, 4, 3, 2, 1)
_WEEKDAY, _WEEKEND = (45, 49), (35, 41)  # fewest and most stories in a day
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """The id and publication time of one story."""

    post_id: int
    published: datetime


def seeded_rng(*key: object) -> random.Random:
    """Return a random generator that depends only on `key`: the same key gives the same numbers on every machine."""
    return random.Random("/".join(map(str, key)))  # noqa: S311 - repeatable, not secret


def id_at(moment: datetime) -> int:
    """Return the newest id of the site at a given time, interpolated between the known ids and dates (`ANCHORS`)."""
    return int(_interpolate(_days_since_epoch(moment), _DAYS, _IDS, 1 / _IDS_PER_DAY))


def time_at(post_id: int) -> datetime:
    """Return the publication time of the story with a given id; the inverse of `id_at`, except for rounding."""
    return datetime.fromtimestamp(_interpolate(post_id, _IDS, _DAYS, _IDS_PER_DAY) * 86400, HANOI).replace(
        microsecond=0
    )


def recent(now: datetime, count: int, seed: int, taken: Collection[int]) -> list[Slot]:
    """Return the newest `count` slots (pairs of id and publication time) up to the time `now`, oldest first.

    The slots of a day depend only on the day, the seed and `taken`, the ids that other stories have.
    """
    newest_first = (slot for slot in _backwards(now, seed, taken) if slot.published <= now)
    return sorted(islice(newest_first, count), key=lambda s: (s.published, s.post_id))


def upcoming(now: datetime, until: datetime, seed: int, taken: Collection[int]) -> list[Slot]:
    """Return the slots (pairs of id and publication time) after `now` and up to `until`, oldest first.

    These are the slots that `recent` returns for the same period when it is called later.
    """
    days = range((until.astimezone(HANOI).date() - now.astimezone(HANOI).date()).days + 1)
    first = now.astimezone(HANOI).date()
    slots = (slot for n in days for slot in _day(first + timedelta(days=n), seed, taken))
    return [slot for slot in slots if now < slot.published <= until]


def history(count: int, seed: int, taken: Collection[int]) -> list[Slot]:
    """Return `count` slots (pairs of id and publication time) from 2010 to 2023, without the ids in `taken`."""
    last = id_at(_midnight(_HISTORY_ENDS))
    ids = (_FIRST_ID + (last - _FIRST_ID) * n // max(count, 1) for n in range(count))
    return [Slot(i, _daytime(time_at(i), seeded_rng(seed, "history", i))) for i in ids if i not in taken]


def _backwards(now: datetime, seed: int, taken: Collection[int]) -> Iterator[Slot]:
    day = now.astimezone(HANOI).date()
    while day.year > 2009:
        yield from reversed(_day(day, seed, taken))
        day -= timedelta(days=1)


def _day(day: date, seed: int, taken: Collection[int]) -> list[Slot]:
    rng = seeded_rng(seed, day)
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


def _days_since_epoch(moment: datetime) -> float:
    return moment.timestamp() / 86400


def _interpolate(value: float, xs: tuple[float, ...], ys: tuple[float, ...], slope_after: float) -> float:
    i = bisect_right(xs, value)
    if i == len(xs):
        return ys[-1] + (value - xs[-1]) / slope_after
    i = max(i, 1)
    return ys[i - 1] + (value - xs[i - 1]) * (ys[i] - ys[i - 1]) / (xs[i] - xs[i - 1])


_DAYS: tuple[float, ...] = tuple(_days_since_epoch(_midnight(day)) for _, day in ANCHORS)
_IDS: tuple[float, ...] = tuple(float(i) for i, _ in ANCHORS)
