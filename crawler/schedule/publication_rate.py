"""The week of a source, as it was learned: when new articles come, and how many of them it is the first to show.

Counts are kept by weekday and hour in Hanoi; a week later a count weighs less. What was not seen yet is filled in from
the same hour of the other days, and that from a newsroom's ordinary day.

Boundary: pure; arithmetic on counts and instants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.site import ARTICLES_A_DAY, HANOI
from crawler.types import SourceKind

Slot = tuple[int, int]  # weekday (0 is Monday) and hour

_FADE = 0.85  # what a count weighs a week later: half after a month
_HOUR = timedelta(hours=1)
_WEEK = timedelta(weeks=1)
_HOURS = 168  # of a week

# Before anything is learned: a newsroom's day in relative numbers, and how many articles a source may have of it.
_DAY = (1, 1, 1, 1, 1, 2, 4, 6, 8, 8, 8, 7, 5, 6, 8, 8, 8, 7, 5, 4, 4, 3, 2, 1)
_A_DAY: Mapping[SourceKind, float] = {"feed": 15.0, "section": 8.0, "sitemap_index": 0.1, "feed_index": 0.1}
_PRIOR_WEEKS = 1 / 7  # a guess weighs as much as one day seen
_OTHER_DAYS_WEEKS = 2.0  # what other days tell of an hour weighs as much as two weeks of the day itself


@dataclass(frozen=True, slots=True)
class Habit:
    """New articles of one hour of the week as of `week`, older weeks weighing less.

    `firsts` are those among them that no other source had shown before.
    """

    items: float
    firsts: float
    week: int

    def at(self, week: int) -> Habit:
        """Give the same counts as they weigh in a later week."""
        weight = _FADE ** max(0, week - self.week)
        return Habit(self.items * weight, self.firsts * weight, max(week, self.week))


Habits = Mapping[Slot, Habit]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that a source shows for the first time; `at` is its publication time where the source gives one."""

    at: datetime | None
    first: bool


def slot_of(instant: datetime) -> Slot:
    """Give weekday and hour in Hanoi."""
    local = instant.astimezone(HANOI)
    return local.weekday(), local.hour


def week_of(instant: datetime) -> int:
    """Give the number of a week; weeks begin on Monday in Hanoi."""
    return (instant.astimezone(HANOI).toordinal() - 1) // 7


class Week:
    """Articles to expect in each hour of the week."""

    def __init__(self, kind: SourceKind, habits: Habits, since: datetime | None, now: datetime) -> None:
        self._rates = _rates(kind, habits, since or now, now)

    def rate(self, instant: datetime) -> float:
        """Give the articles an hour that are expected at an instant."""
        weekday, hour = slot_of(instant)
        return self._rates[weekday * 24 + hour]

    def expected(self, start: datetime, end: datetime) -> float:
        """Give how many articles are expected between two instants; no more than a week of them."""
        return sum(self.rate(at) * (length / _HOUR) for at, length in _hours(max(start, end - _WEEK), end))

    def reached(self, start: datetime, amount: float, limit: timedelta) -> timedelta:
        """Give the time after which so many articles are expected, at most `limit`."""
        left = amount
        for at, length in _hours(start, start + limit):
            coming = self.rate(at) * (length / _HOUR)
            if coming >= left:
                return at - start + length * (left / coming)
            left -= coming
        return limit


def watched_since(published: Sequence[datetime | None], now: datetime) -> datetime:
    """Say since when the first answer of a source lets its articles be counted: since the oldest that it dates."""
    return max(now - _WEEK, min((at for at in published if at is not None and at <= now), default=now))


def learned(
    habits: Habits, arrivals: Sequence[Arrival], week: Week, since: datetime, last: datetime, now: datetime
) -> dict[Slot, Habit]:
    """Give the hours of the week that change by these arrivals, which are counted since `since`.

    An article without a publication time came after the `last` look: its count is spread over that time, more of it
    where more is expected, so that the hours in which we look are not taken for those in which the site publishes.
    One that was published before `since` is not counted: the hours before that were not watched.
    """
    changed: dict[Slot, Habit] = {}
    undated = [a for a in arrivals if a.at is None]
    count, firsts = len(undated), sum(a.first for a in undated)
    parts = [(at, count * part, firsts * part) for at, part in _spread(week, last, now)] if undated else []
    parts += [(min(a.at, now), 1.0, float(a.first)) for a in arrivals if a.at is not None and a.at >= since]
    for at, items, first in parts:
        slot, number = slot_of(at), week_of(at)
        held = changed.get(slot) or habits.get(slot) or Habit(0.0, 0.0, number)
        late, held = Habit(items, first, number).at(held.week), held.at(number)
        changed[slot] = Habit(held.items + late.items, held.firsts + late.firsts, held.week)
    return {slot: habit for slot, habit in changed.items() if habit.items > 0}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a source is known to have shown."""

    url: str
    kind: SourceKind
    habits: tuple[Habit, ...]


def lead(sources: Sequence[Shown], now: datetime) -> str | None:
    """Name the source to watch for news: of those that show about as much as any, the one that is best for it.

    One source that is watched closely costs less than many that are watched a little and find the news by turns.
    """
    week = week_of(now)
    counts = [(sum(h.at(week).items for h in s.habits), s) for s in sources if s.kind in _LEADS]
    enough = _ABOUT * max((count for count, _ in counts), default=0.0)
    able = [s for count, s in counts if count >= enough]
    return min(able, key=lambda s: (_LEADS.index(s.kind), s.url)).url if able else None


_LEADS: tuple[SourceKind, ...] = ("news_sitemap", "list", "feed", "home")  # small, newest first; the first is best
_ABOUT = 0.7


def use(kind: SourceKind, habits: Habits, now: datetime) -> float:
    """Give the share of a source's new articles that it is the first to show."""
    week = week_of(now)
    items = sum(h.at(week).items for h in habits.values())
    firsts = sum(h.at(week).firsts for h in habits.values())
    return (_PRIOR_USE.get(kind, _PRIOR_USE_ELSE) * _PRIOR_ITEMS + firsts) / (_PRIOR_ITEMS + items)


_PRIOR_USE: Mapping[SourceKind, float] = {"news_sitemap": 1.0, "list": 0.6, "feed": 0.6}
_PRIOR_USE_ELSE = 0.3
_PRIOR_ITEMS = 10.0  # the guess weighs as much as so many articles


def _rates(kind: SourceKind, habits: Habits, since: datetime, now: datetime) -> list[float]:
    weeks = (1 - _FADE ** (max(now - since, timedelta()) / _WEEK)) / (1 - _FADE)
    week = week_of(now)
    held = {slot: habit.at(week).items for slot, habit in habits.items()}
    by_hour = [_any_day(kind, hour, held, weeks) for hour in range(24)]
    return [
        (_OTHER_DAYS_WEEKS * by_hour[hour] + held.get((weekday, hour), 0.0)) / (_OTHER_DAYS_WEEKS + weeks)
        for weekday, hour in (divmod(n, 24) for n in range(_HOURS))
    ]


def _any_day(kind: SourceKind, hour: int, held: Mapping[Slot, float], weeks: float) -> float:
    guessed = 7 * _A_DAY.get(kind, ARTICLES_A_DAY) * _DAY[hour] / sum(_DAY)
    seen = sum(held.get((weekday, hour), 0.0) for weekday in range(7))
    return (_PRIOR_WEEKS * guessed + seen) / (_PRIOR_WEEKS + weeks) / 7


def _spread(week: Week, since: datetime, now: datetime) -> list[tuple[datetime, float]]:
    """Share 1 among the hours since then, the last week's at most, by what is expected in each."""
    start = max(since, now - _WEEK)
    parts = [(at, week.rate(at) * (length / _HOUR)) for at, length in _hours(start, now)]
    whole = sum(part for _, part in parts)
    return [(at, part / whole) for at, part in parts] if whole else [(now, 1.0)]


def _hours(start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """Cut a time at the full hours: the beginning of each piece and its length."""
    at = start
    while at < end:
        following = min(at.replace(minute=0, second=0, microsecond=0) + _HOUR, end)
        yield at, following - at
        at = following
