"""When to poll a source again, and what an answer means for its row.

A source is polled when about one article is expected that it would be the first to show: often in the morning, rarely
at night, and hardly ever when others have shown everything before. It is polled in any case before half of what it
shows at once can have been replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crawler import site
from crawler.schedule.backoff import retry_at
from crawler.schedule.publication_rate import Week
from crawler.types import SourceForPoll, SourceKind, SourceOutcome

#: what the error says of a source that answers and shows nothing, here and in `discover`
SILENT = "shows no article"

_WANTED = 1.0  # articles first shown here that are worth a request
_JITTER = 0.1  # the share by which a poll may come earlier than computed
_FEWEST, _MOST = 1 / 3, 4.0  # how far one answer may stretch or shrink what the rhythm lets expect
_DOUBT = 2.0  # articles: so many must have arrived before the last answer alone says whether a source is first

# What shows more than news, or changes rarely, has bounds of its own within the configured ones.
_AT_MOST: Mapping[SourceKind, timedelta] = {
    "home": timedelta(hours=1),  # what stands on top, and for how long, is history too
    "sitemap": timedelta(hours=6),  # large; its modification times tell which articles to check again
}
_AT_LEAST: Mapping[SourceKind, timedelta] = {"sitemap": timedelta(hours=1)}
_PAST_MONTH = timedelta(days=7)  # the sitemap of a past month: it changes by corrections alone
_PAST_MONTHS = 12  # after so many it is not polled any more

_ABSENT = timedelta(days=7)  # a source that was never there is asked for again so often
_VANISHED = timedelta(days=1)  # one that was there: at least so often
_SCANTY = 4  # an answer with less than a quarter of the most ever is worth a note


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and the longest time between two polls of one source, as configured."""

    floor: timedelta
    ceiling: timedelta


@dataclass(frozen=True, slots=True)
class Look:
    """What a good answer showed: how many articles, how many of them not before, how many first of all sources.

    `since` is the good answer before it; None at the first one.
    """

    items: int
    arrived: int
    firsts: int
    since: datetime | None


def interval(kind: SourceKind, look: Look, week: Week, use: float, now: datetime, bounds: Bounds) -> timedelta:
    """Say how long to wait after a good answer; `use` is the share of new articles that it is the first to show."""
    least, most = _bounds(kind, bounds)
    if look.since is not None and 0 < look.items <= look.arrived:
        return least  # nothing of it was known: more may have come than it can show
    pace, first = 1.0, use
    if look.since is not None:
        pace = _pace(look.arrived, week.expected(look.since, now))
        first = max(use, look.firsts / (look.arrived + _DOUBT))
    fresh = week.reached(now, _WANTED / (pace * max(first, 1e-6)), most)
    return max(least, min(fresh, _safe(kind, look, week, pace, now, most)))


def _safe(kind: SourceKind, look: Look, week: Week, pace: float, now: datetime, most: timedelta) -> timedelta:
    """Say when half of what a source shows at once may have been replaced; a month's sitemap forgets nothing."""
    if kind == "sitemap" or not look.items:
        return most
    return week.reached(now, look.items / 2 / max(pace, 1.0), most)


def _bounds(kind: SourceKind, bounds: Bounds) -> tuple[timedelta, timedelta]:
    most = max(bounds.floor, min(bounds.ceiling, _AT_MOST.get(kind, bounds.ceiling)))
    return min(most, max(bounds.floor, _AT_LEAST.get(kind, bounds.floor))), most


def _pace(arrived: int, expected: float) -> float:
    """Compare what came with what was expected; one answer is no trend, so that the result stays within bounds."""
    return min(_MOST, max(_FEWEST, (arrived + 1) / (expected + 1)))


def chance(address: str, instant: datetime) -> float:
    """Give a number from 0 to 1 that looks like chance and is the same whenever it is computed again."""
    digest = hashlib.sha256(f"{address} {instant.isoformat(timespec='seconds')}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def source_polled(source: SourceForPoll, look: Look, wait: timedelta, now: datetime, draw: float) -> SourceOutcome:
    """Give the row of a source after a good answer; `draw`, from 0 to 1, spreads the polls of several sources."""
    wait = timedelta(seconds=round(wait.total_seconds() * (1 - _JITTER * draw)))
    most = source.most_items or 0
    note = f"shows {look.items} articles; it has shown up to {most}" if look.items * _SCANTY < most else None
    return SourceOutcome("ok", now + wait, interval=wait, items=look.items, fresh_items=look.firsts, error=note)


def past_month(outcome: SourceOutcome, month: tuple[int, int], now: datetime) -> SourceOutcome:
    """Let the sitemap of a month come rarely once the month after it is over, too; after a year, not any more."""
    local = now.astimezone(site.HANOI)
    ago = local.year * 12 + local.month - (month[0] * 12 + month[1])
    if ago <= 1:
        return outcome
    wait = _PAST_MONTH if ago <= _PAST_MONTHS else None
    return replace(outcome, next_due_at=now + wait if wait else None, interval=wait)


def source_failed(
    source: SourceForPoll, now: datetime, error: str, bounds: Bounds, *, absent: bool = False
) -> SourceOutcome:
    """Give the row of a source that gave no good answer.

    One that is not there, and never was, is asked for rarely. One that was there fails until it is back.
    """
    failures = source.failures + 1
    if absent and source.last_ok_at is None:
        return SourceOutcome("absent", now + _ABSENT, error=error, failures=failures)
    latest = now + (_VANISHED if absent else bounds.ceiling)
    return SourceOutcome("failing", min(retry_at(now, failures), latest), error=error, failures=failures)


def source_silent(source: SourceForPoll, now: datetime, bounds: Bounds) -> SourceOutcome | None:
    """Give the row of a source whose answer was good but shows no article, if it ever showed any."""
    if not source.most_items:
        return None
    return source_failed(source, now, f"{SILENT}; it has shown up to {source.most_items}", bounds)
