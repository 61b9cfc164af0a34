"""When to poll a source again, and what a response means for its row.

A source is polled when it is expected to be the first to list some new articles: often in the morning, rarely at night,
and hardly ever if other sources list everything earlier. In any case it is polled before half of its list can have been
replaced.

Boundary: pure functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crawler import site
from crawler.schedule.backoff import retry_at
from crawler.schedule.publication_rate import WeekRates
from crawler.types import ErrorKind, SourceForPoll, SourceKind, SourceOutcome

_MOSTLY_FIRST = 0.5  # share of first articles from which a source is polled after `_LATE` for fewer articles
_LATE, _LATE_SHARE = timedelta(hours=1), 1 / 3  # so that the few articles of an evening are not found hours later
# A source that is never first may wait so many times the longest interval of one that is always first. Articles that no
# other list has are most often in a section; they are also under other articles, which are fetched more often.
_MULTIPLE: Mapping[SourceKind, float] = {"section": 2.0}
_MULTIPLE_ELSE = 4.0
_DAY = timedelta(days=1)  # the rate of a new source is not known: it may wait one longest interval more with each day
_JITTER = 0.1  # largest share by which a poll comes earlier than computed
_SLOWEST, _FASTEST = 1 / 3, 4.0  # bounds of the correction that one response may apply to the expected rate
_PRIOR_ARRIVALS = 2.0  # articles: weight of the learned first share against that of the last response

# Sources that list more than news, or change rarely, have their own bounds within the configured ones.
_POSITIONS = timedelta(hours=1)  # the position of articles on the home page is recorded too
_AT_MOST: Mapping[SourceKind, timedelta] = {
    "sitemap": timedelta(hours=6),  # large; its modification times tell which articles to check again
}
_AT_LEAST: Mapping[SourceKind, timedelta] = {"sitemap": timedelta(hours=1)}
_LAST_MONTH = timedelta(days=1)  # the sitemap of last month lists edits of articles that are days old
_PAST_MONTH = timedelta(days=7)  # the sitemap of a past month changes only when an article is edited
_PAST_MONTHS = 12  # months after which the sitemap of a month is no longer polled

_ABSENT = timedelta(days=7)  # interval for a source that has never existed
_VANISHED = timedelta(days=1)  # longest interval for a source that used to exist
_SCANTY = 4  # a response with less than a quarter of the largest list so far is noted


@dataclass(frozen=True, slots=True)
class PollBounds:
    """The configured shortest and longest time between two polls of one source.

    `longest` holds for a source that is always the first to list its articles; see `interval`. `articles` is the number of
    new articles that make a poll worth a request, if the source is the first to list them.
    """

    shortest: timedelta
    longest: timedelta
    articles: float


@dataclass(frozen=True, slots=True)
class PollResult:
    """What a good response listed on its first page: `items` articles, of which `arrived` are new to this source.

    `firsts` is the number of articles that are new to all sources. `since` is the time of the previous good response,
    None if there was none.
    """

    items: int
    arrived: int
    firsts: int
    since: datetime | None


def interval(
    kind: SourceKind, result: PollResult, week: WeekRates, share: float, now: datetime, bounds: PollBounds
) -> timedelta:
    """Return how long to wait for the next poll of a source after a good response.

    `share` is the share (0 to 1) of the source's new articles that it is the first to list. The smaller it is, the longer
    the source may wait, because other sources list its articles earlier: up to four times the longest interval after four
    observed days, a section up to twice.
    """
    least, most = _bounds(kind, bounds, share, week.observed)
    if result.since is not None and 0 < result.items <= result.arrived:
        return least  # the whole list is new: more articles may have come than the list can hold
    speed, first = 1.0, share
    if result.since is not None:
        speed = _speed(result.arrived, week.expected(result.since, now))
        first = max(share, result.firsts / (result.arrived + _PRIOR_ARRIVALS))
    news = week.reached(now, bounds.articles / (speed * max(first, 1e-6)), most)
    if first > _MOSTLY_FIRST:
        news = min(news, max(_LATE, week.reached(now, bounds.articles * _LATE_SHARE / first, most)))
    if kind == "home":  # the order of its articles changes when there is a new one
        news = min(news, max(_POSITIONS, week.reached(now, 1.0, most)))
    return max(least, min(news, _half_replaced(kind, result, week, speed, now, most)))


def _half_replaced(
    kind: SourceKind, result: PollResult, week: WeekRates, speed: float, now: datetime, most: timedelta
) -> timedelta:
    """Return the time after which half of a list may have been replaced.

    The time is at most `most`. For the sitemap of a month, from which nothing is dropped, it is always `most`.
    """
    if kind == "sitemap" or not result.items:
        return most
    return week.reached(now, result.items / 2 / max(speed, 1.0), most)


def _bounds(kind: SourceKind, bounds: PollBounds, share: float, observed: timedelta) -> tuple[timedelta, timedelta]:
    multiple = _MULTIPLE.get(kind, _MULTIPLE_ELSE)
    longest = bounds.longest * min(multiple, 1 / max(share, 1e-6), max(1.0, observed / _DAY))
    most = max(bounds.shortest, min(longest, _AT_MOST.get(kind, longest)))
    return min(most, max(bounds.shortest, _AT_LEAST.get(kind, bounds.shortest))), most


def _speed(arrived: int, expected: float) -> float:
    """Return the ratio of arrived to expected articles, within bounds, because one response is not a trend."""
    return min(_FASTEST, max(_SLOWEST, (arrived + 1) / (expected + 1)))


def pseudo_random(address: str, instant: datetime) -> float:
    """Return a number from 0 to 1 that varies the time of a poll.

    The number is reproducible, so that a rebuild computes the same times.
    """
    digest = hashlib.sha256(f"{address} {instant.isoformat(timespec='seconds')}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def source_polled(
    source: SourceForPoll, result: PollResult, wait: timedelta, now: datetime, draw: float
) -> SourceOutcome:
    """Return the changes to the row of a source after a good response.

    `draw`, a number from 0 to 1 (see `pseudo_random`), shortens `wait` by up to 10 %, so that polls are spread out.
    """
    wait = timedelta(seconds=round(wait.total_seconds() * (1 - _JITTER * draw)))
    most = source.most_items or 0
    note = f"lists {result.items} articles; it has listed up to {most}" if result.items * _SCANTY < most else None
    return SourceOutcome("ok", now + wait, interval=wait, items=result.items, fresh_items=result.firsts, error=note)


def past_month(outcome: SourceOutcome, month: tuple[int, int], now: datetime) -> SourceOutcome:
    """Return the outcome of a good poll, changed if the source is the sitemap of a past `month` (year, month).

    Such a sitemap is polled daily in the following month, then weekly, and no longer polled after a year.
    """
    local = now.astimezone(site.HANOI)
    ago = local.year * 12 + local.month - (month[0] * 12 + month[1])
    if ago <= 0:
        return outcome
    wait = (_LAST_MONTH if ago == 1 else _PAST_MONTH) if ago <= _PAST_MONTHS else None
    return replace(outcome, next_due_at=now + wait if wait else None, interval=wait)


def source_failed(
    source: SourceForPoll,
    now: datetime,
    error: str,
    bounds: PollBounds,
    *,
    absent: bool = False,
    kind: ErrorKind | None = None,
) -> SourceOutcome:
    """Return the changes to the row of a source after a poll without a good response.

    `absent`: whether the site says that there is no such source. A source that never existed is polled rarely; a source
    that used to exist is failing until it comes back.
    """
    failures = source.failures + 1
    if absent and source.last_ok_at is None:
        return SourceOutcome("absent", now + _ABSENT, error=error, failures=failures, error_kind=kind)
    latest = now + (_VANISHED if absent else bounds.longest)
    return SourceOutcome(
        "failing", min(retry_at(now, failures), latest), error=error, failures=failures, error_kind=kind
    )


def source_empty(source: SourceForPoll, now: datetime, bounds: PollBounds) -> SourceOutcome | None:
    """Return the changes to the row of a source after a good response that lists no article.

    Return None if the source has never listed an article: then an empty list is nothing unusual.
    """
    if not source.most_items:
        return None
    message = f"lists no article; it has listed up to {source.most_items}"
    return source_failed(source, now, message, bounds, kind=ErrorKind.EMPTY_SOURCE)
