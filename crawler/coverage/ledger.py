"""The ledger itself: posts to rows by month and section.

Boundary: pure. A month is one of publication, in Hanoi; section '' is all of them; month '' is where nothing tells it.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from crawler.coverage.dating import Dating, judged
from crawler.coverage.estimate import from_lists, with_ids, without_ids
from crawler.coverage.posts import LISTS, Post
from crawler.coverage.sequence import Clock, month_of, ordinal

ALL = ""
NO_MONTH = ""


@dataclass(frozen=True, slots=True)
class Month:
    """One row: known = held + missing + (gone - gone_held).

    `absent` counts ids that were asked for and are not there, `unasked` those between the first and the last known one
    that nobody knows and nobody asked for; both None where the ids do not tell (a section).
    """

    month: str
    section: str
    known: int = 0
    held: int = 0
    missing: int = 0
    gone: int = 0
    gone_held: int = 0
    undated: int = 0
    absent: int | None = None
    unasked: int | None = None
    estimate: float | None = None
    low: int | None = None
    high: int | None = None
    method: str | None = None
    channels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Missing:
    """One article that is known and not held, with the reason: the page's state, and its error."""

    page: int
    url: str | None
    month: str
    section: str | None
    state: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it; `unasked` holds runs of ids, first and last."""

    months: tuple[Month, ...]
    missing: tuple[Missing, ...]
    datings: tuple[Dating, ...]
    unasked: tuple[tuple[int, int], ...]


def take_stock(posts: Iterable[Post]) -> Ledger:
    """Make the ledger of all posts, which come by ascending id.

    They are gone over twice, so an iterator will not do; what is kept of each meanwhile is a few numbers.
    """
    dated, settled = array("q"), array("q")
    for post in posts:
        if post.id > 0 and (day := post.published_on or post.hinted_on):
            dated.extend((post.id, ordinal(day)))
        if post.id > 0 and post.settled:
            settled.append(post.id)
    clock = Clock(zip(dated[::2], dated[1::2], strict=True))
    unasked = clock.unasked(settled)
    counted: defaultdict[tuple[str, str], Counter[_Kind]] = defaultdict(Counter)
    absent: Counter[str] = Counter()
    missing: list[Missing] = []
    noted: list[Dating] = []
    for post in posts:
        month = month_of_post(post, clock)
        absent[month] += not post.known and post.state in ("absent", "gone")
        if post.known:
            kind = _kind(post)
            counted[month, ALL][kind] += 1
            if post.section:
                counted[month, post.section][kind] += 1
        if post.missing:
            missing.append(Missing(post.id, post.url, month, post.section, post.state, post.error))
        if (dating := judged(post, clock)) is not None:
            noted.append(dating)
    rows = _rows(counted, absent, clock, clock.by_month(unasked))
    return Ledger(tuple(rows), tuple(missing), tuple(noted), tuple(unasked))


def month_of_post(post: Post, clock: Clock) -> str:
    """Say which month a post belongs to: its own date, a source's, that of its sitemap, or the ids around it."""
    if day := post.published_on or post.hinted_on:
        return day[:7]
    if post.listed_in:
        return post.listed_in
    told = clock.day(post.id) if post.id > 0 else None
    return NO_MONTH if told is None else month_of(told)


class _Kind(NamedTuple):
    """What of a known post is counted; there are few kinds, however many posts."""

    held: bool
    missing: bool
    gone: bool
    undated: bool
    numbered: bool
    channels: frozenset[str]


def _kind(post: Post) -> _Kind:
    undated = post.held and post.published_on is None
    return _Kind(post.held, post.missing, post.gone, undated, post.id > 0, post.channels)


def _rows(
    counted: Mapping[tuple[str, str], Counter[_Kind]],
    absent: Mapping[str, int],
    clock: Clock,
    unasked: Mapping[str, int],
) -> Iterator[Month]:
    room = {month: unasked[month] for month in _months(clock)}
    for month, section in sorted({*counted, *((month, ALL) for month in room)}):  # also of which nothing is known
        yield _row(month, section, counted.get((month, section), Counter()), room.get(month), absent[month])


def _months(clock: Clock) -> Iterator[str]:
    """Give each month from the first trusted day to the last."""
    if clock.days:
        for month, _ in groupby(range(clock.days[0], clock.days[-1] + 1), month_of):
            yield month


def _row(month: str, section: str, kinds: Counter[_Kind], room: int | None, absent: int) -> Month:
    """Make a row; `room` is how many ids of the month nobody asked for, None where the ids do not reach."""

    def count(wanted: Callable[[_Kind], bool]) -> int:
        return sum(number for kind, number in kinds.items() if wanted(kind))

    known = kinds.total()
    by_ids = room is not None and section == ALL
    lists = from_lists(_lists(kind) for kind in kinds.elements() if kind.numbered)
    told = without_ids(lists, known, room) if room is None or section else with_ids(lists, known, room)
    return Month(
        month,
        section,
        known=known,
        held=count(lambda kind: kind.held),
        missing=count(lambda kind: kind.missing),
        gone=count(lambda kind: kind.gone),
        gone_held=count(lambda kind: kind.gone and kind.held),
        undated=count(lambda kind: kind.undated),
        absent=absent if by_ids else None,
        unasked=room if by_ids else None,
        estimate=None if told.estimate is None else round(told.estimate, 2),
        low=told.low,
        high=told.high,
        method=told.method,
        channels=dict(sorted(Counter(channel for kind in kinds.elements() for channel in kind.channels).items())),
    )


def _lists(kind: _Kind) -> list[str]:
    return [name for name, channels in LISTS.items() if channels & kind.channels]
