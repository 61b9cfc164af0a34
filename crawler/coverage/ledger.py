"""The ledger itself: posts to rows by month and section.

Boundary: pure. A month is one of publication, in Hanoi; section '' is all of them; month '' is where nothing tells it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from crawler.coverage.dating import Dating, datings
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


def take_stock(posts: Sequence[Post]) -> Ledger:
    """Make the ledger of all posts, which come by ascending id."""
    clock = Clock((p.id, ordinal(day)) for p in posts if p.id > 0 and (day := p.published_on or p.hinted_on))
    unasked = clock.unasked([p.id for p in posts if p.id > 0 and p.settled])
    placed = [(post, month_of_post(post, clock)) for post in posts]
    return Ledger(
        tuple(_rows(placed, clock, clock.by_month(unasked))),
        tuple(Missing(p.id, p.url, m, p.section, p.state, p.error) for p, m in placed if p.missing),
        tuple(datings(posts, clock)),
        tuple(unasked),
    )


def month_of_post(post: Post, clock: Clock) -> str:
    """Say which month a post belongs to: its own date, a source's, that of its sitemap, or the ids around it."""
    if day := post.published_on or post.hinted_on:
        return day[:7]
    if post.listed_in:
        return post.listed_in
    told = clock.day(post.id) if post.id > 0 else None
    return NO_MONTH if told is None else month_of(told)


def _rows(placed: Iterable[tuple[Post, str]], clock: Clock, unasked: Mapping[str, int]) -> Iterator[Month]:
    groups: defaultdict[tuple[str, str], list[Post]] = defaultdict(list)
    absent: Counter[str] = Counter()
    for post, month in placed:
        absent[month] += not post.known and post.state in ("absent", "gone")
        if post.known:
            groups[month, ALL].append(post)
            if post.section:
                groups[month, post.section].append(post)
    room = {month: unasked[month] for month in _months(clock)}
    for month in room:  # a month of which nothing is known is a row, too
        groups.setdefault((month, ALL), [])
    for month, section in sorted(groups):
        yield _row(month, section, groups[month, section], room.get(month), absent[month])


def _months(clock: Clock) -> Iterator[str]:
    """Give each month from the first trusted day to the last."""
    if clock.days:
        for month, _ in groupby(range(clock.days[0], clock.days[-1] + 1), month_of):
            yield month


def _row(month: str, section: str, posts: Sequence[Post], room: int | None, absent: int) -> Month:
    """Make a row; `room` is how many ids of the month nobody asked for, None where the ids do not reach."""
    known = len(posts)
    by_ids = room is not None and section == ALL
    lists = from_lists([_lists(post) for post in posts if post.id > 0])
    told = without_ids(lists, known, room) if room is None or section else with_ids(lists, known, room)
    return Month(
        month,
        section,
        known=known,
        held=sum(p.held for p in posts),
        missing=sum(p.missing for p in posts),
        gone=sum(p.gone for p in posts),
        gone_held=sum(p.gone and p.held for p in posts),
        undated=sum(p.held and p.published_on is None for p in posts),
        absent=absent if by_ids else None,
        unasked=room if by_ids else None,
        estimate=None if told.estimate is None else round(told.estimate, 2),
        low=told.low,
        high=told.high,
        method=told.method,
        channels=dict(sorted(Counter(c for p in posts for c in p.channels).items())),
    )


def _lists(post: Post) -> list[str]:
    return [name for name, channels in LISTS.items() if channels & post.channels]
