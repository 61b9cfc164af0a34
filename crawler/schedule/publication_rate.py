"""The publication rate of a source by hour of the week, and the share of its articles that it is the first to list.

Counts are kept by weekday and hour in Hanoi. A count weighs less with each week. An hour that was observed little is
estimated from the same hour of the other days and, if that was observed little too, from a newsroom's ordinary day.

Boundary: pure; arithmetic on counts and instants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.schedule.hourly_counts import HourCount, HourCounts, Slot, SourceCounts
from crawler.site import ARTICLES_A_DAY, HANOI
from crawler.types import SourceKind

_WEEKLY_DECAY = 0.85  # weight of a count one week later: about half after a month
_HOUR = timedelta(hours=1)
_WEEK = timedelta(weeks=1)
_HOURS = 168  # of a week

# The prior: the ordinary day of a newsroom in relative numbers, and the articles a day of each kind of source.
_DAY = (1, 1, 1, 1, 1, 2, 4, 6, 8, 8, 8, 7, 5, 6, 8, 8, 8, 7, 5, 4, 4, 3, 2, 1)
_A_DAY: Mapping[SourceKind, float] = {"feed": 15.0, "section": 8.0, "sitemap_index": 0.1, "feed_index": 0.1}
_PRIOR_WEEKS = 1 / 7  # the prior weighs as much as one observed day
_OTHER_DAYS_WEEKS = 2.0  # the same hour of the other days weighs as much as two observed weeks of the day itself

_PRIOR_SHARE: Mapping[SourceKind, float] = {"news_sitemap": 1.0, "list": 0.6, "feed": 0.6}
_PRIOR_SHARE_ELSE = 0.3
_PRIOR_ITEMS = 10.0  # articles: the weight of the prior share

# Kinds that can be the primary source, best first: short lists with the newest article on top.
_PRIMARY_KINDS: tuple[SourceKind, ...] = ("news_sitemap", "list", "feed", "home")
_NEARLY_ALL = 0.7  # share of the largest source's articles that a primary source must list


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that a source lists for the first time; `at` is its publication time, None if the source gives none.

    `first`: no other source had listed it before.
    """

    at: datetime | None
    first: bool


def slot_of(instant: datetime) -> Slot:
    """Return the weekday and the hour of an instant in Hanoi."""
    local = instant.astimezone(HANOI)
    return local.weekday(), local.hour


def week_of(instant: datetime) -> int:
    """Return the number of the week of an instant, counted from year 1; weeks begin on Monday in Hanoi."""
    return (instant.astimezone(HANOI).toordinal() - 1) // 7


def decayed(count: HourCount, week: int) -> HourCount:
    """Return a count with the lower weight that it has in the later week `week`."""
    weight = _WEEKLY_DECAY ** max(0, week - count.week)
    return HourCount(count.items * weight, count.firsts * weight, max(week, count.week))


class WeekRates:
    """The expected number of new articles of a source in each hour of the week.

    `since` is when the counting began, None if it has not begun. `observed` is the time since then.
    """

    def __init__(self, kind: SourceKind, counts: HourCounts, since: datetime | None, now: datetime) -> None:
        self._rates = _rates(kind, counts, since or now, now)
        self.observed = max(now - (since or now), timedelta())

    def rate(self, instant: datetime) -> float:
        """Return the number of articles expected per hour at an instant."""
        weekday, hour = slot_of(instant)
        return self._rates[weekday * 24 + hour]

    def expected(self, start: datetime, end: datetime) -> float:
        """Return the number of articles expected between two instants; only the last week before `end` counts."""
        return sum(self.rate(at) * (length / _HOUR) for at, length in _hours(max(start, end - _WEEK), end))

    def reached(self, start: datetime, amount: float, limit: timedelta) -> timedelta:
        """Return the time from `start` until a total of `amount` articles is expected, at most `limit`."""
        remaining = amount
        for at, length in _hours(start, start + limit):
            coming = self.rate(at) * (length / _HOUR)
            if coming >= remaining:
                return at - start + length * (remaining / coming)
            remaining -= coming
        return limit


def counted_since(published: Sequence[datetime | None], now: datetime) -> datetime:
    """Return the time from which the articles of a source's first response can be counted.

    This is the oldest publication time in the response, but at most a week ago; `now` if there is no publication time.
    """
    return max(now - _WEEK, min((at for at in published if at is not None and at <= now), default=now))


def updated_counts(
    counts: HourCounts, arrivals: Sequence[Arrival], week: WeekRates, since: datetime, last: datetime, now: datetime
) -> dict[Slot, HourCount]:
    """Return the hours of the week whose counts change because of `arrivals`, with their new counts.

    An article without a publication time is assumed to be newer than the last poll, at `last`. Its count is spread over
    the time since that poll, in proportion to the expected rates (`week`): otherwise the hours in which we poll would
    look like the hours in which the site publishes. An article published before `since` is not counted, because the
    source was not observed at that time.
    """
    changed: dict[Slot, HourCount] = {}
    undated = [a for a in arrivals if a.at is None]
    count, firsts = len(undated), sum(a.first for a in undated)
    parts = [(at, count * part, firsts * part) for at, part in _spread(week, last, now)] if undated else []
    parts += [(min(a.at, now), 1.0, float(a.first)) for a in arrivals if a.at is not None and a.at >= since]
    for at, items, first in parts:
        slot, number = slot_of(at), week_of(at)
        held = changed.get(slot) or counts.get(slot) or HourCount(0.0, 0.0, number)
        late, held = decayed(HourCount(items, first, number), held.week), decayed(held, number)
        changed[slot] = HourCount(held.items + late.items, held.firsts + late.firsts, held.week)
    return {slot: hour for slot, hour in changed.items() if hour.items > 0}


def primary_source(sources: Sequence[SourceCounts], now: datetime) -> str | None:
    """Return the address of the source to poll most often for news; None if no source is of a suitable kind.

    It is the source of the best kind among those that list nearly as many articles as the largest one. Polling one
    source often takes fewer requests than polling many sources, each of which finds some of the news.
    """
    week = week_of(now)
    totals = [(sum(decayed(h, week).items for h in s.counts), s) for s in sources if s.kind in _PRIMARY_KINDS]
    enough = _NEARLY_ALL * max((total for total, _ in totals), default=0.0)
    suitable = [source for total, source in totals if total >= enough]
    return min(suitable, key=lambda s: (_PRIMARY_KINDS.index(s.kind), s.url)).url if suitable else None


def first_share(kind: SourceKind, counts: HourCounts, now: datetime) -> float:
    """Return the share of a source's new articles that no other source listed earlier."""
    week = week_of(now)
    items = sum(decayed(hour, week).items for hour in counts.values())
    firsts = sum(decayed(hour, week).firsts for hour in counts.values())
    return (_PRIOR_SHARE.get(kind, _PRIOR_SHARE_ELSE) * _PRIOR_ITEMS + firsts) / (_PRIOR_ITEMS + items)


def _rates(kind: SourceKind, counts: HourCounts, since: datetime, now: datetime) -> list[float]:
    weeks = (1 - _WEEKLY_DECAY ** (max(now - since, timedelta()) / _WEEK)) / (1 - _WEEKLY_DECAY)
    week = week_of(now)
    held = {slot: decayed(hour, week).items for slot, hour in counts.items()}
    by_hour = [_any_day(kind, hour, held, weeks) for hour in range(24)]
    return [
        (_OTHER_DAYS_WEEKS * by_hour[hour] + held.get((weekday, hour), 0.0)) / (_OTHER_DAYS_WEEKS + weeks)
        for weekday, hour in (divmod(n, 24) for n in range(_HOURS))
    ]


def _any_day(kind: SourceKind, hour: int, held: Mapping[Slot, float], weeks: float) -> float:
    prior = 7 * _A_DAY.get(kind, ARTICLES_A_DAY) * _DAY[hour] / sum(_DAY)
    seen = sum(held.get((weekday, hour), 0.0) for weekday in range(7))
    return (_PRIOR_WEEKS * prior + seen) / (_PRIOR_WEEKS + weeks) / 7


def _spread(week: WeekRates, since: datetime, now: datetime) -> list[tuple[datetime, float]]:
    """Divide a weight of 1 among the hours from `since` to `now` (at most a week), in proportion to expected rates."""
    start = max(since, now - _WEEK)
    parts = [(at, week.rate(at) * (length / _HOUR)) for at, length in _hours(start, now)]
    whole = sum(part for _, part in parts)
    return [(at, part / whole) for at, part in parts] if whole else [(now, 1.0)]


def _hours(start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """Split a time span at the full hours; yield the start and the length of each piece."""
    at = start
    while at < end:
        following = min(at.replace(minute=0, second=0, microsecond=0) + _HOUR, end)
        yield at, following - at
        at = following
