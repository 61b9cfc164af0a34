"""Build the coverage ledger by counting the posts of each month and section.

A month is the month of publication in Hanoi, such as `2026-01`; an empty string means that the month is unknown. An
empty string as the section means all sections together.

Boundary: pure.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from crawler.coverage.dating import Dating, check_date
from crawler.coverage.estimate import from_lists, with_ids, without_ids
from crawler.coverage.posts import LISTS, Post
from crawler.coverage.sequence import IdClock, month_of, ordinal

ALL = ""
NO_MONTH = ""


@dataclass(frozen=True, slots=True)
class LedgerMonth:
    """One row of the ledger: the articles of one month, in one section or in all sections together.

    `known` = `held` + `missing` + `gone` - `gone_held`, where `gone_held` counts the articles that are both gone and
    held. `absent` counts the ids of the month for which the site has no article. `unasked` counts the ids of the month
    that are unknown and were never requested. Both are None in the row of a section, and in a month before the first or
    after the last article with a trusted date.
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
    """One article that is known, but neither held nor gone, with the state of its page and the last error."""

    page: int
    url: str | None
    month: str
    section: str | None
    state: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole ledger.

    `unasked` holds the ids that are unknown and were never requested, as ranges of a first and a last id.
    """

    months: tuple[LedgerMonth, ...]
    missing: tuple[Missing, ...]
    datings: tuple[Dating, ...]
    unasked: tuple[tuple[int, int], ...]


def take_stock(posts: Iterable[Post]) -> Ledger:
    """Return the ledger of all posts; `posts` must be in ascending order of id.

    `posts` is iterated twice, so it must not be an iterator. Only a few numbers per post are kept in memory between the
    two passes.
    """
    dated, settled = array("q"), array("q")
    for post in posts:
        if post.id > 0 and (day := post.published_on or post.hinted_on):
            dated.extend((post.id, ordinal(day)))
        if post.id > 0 and post.settled:
            settled.append(post.id)
    clock = IdClock(zip(dated[::2], dated[1::2], strict=True))
    unasked = clock.unasked(settled)
    counted: defaultdict[tuple[str, str], Counter[_Kind]] = defaultdict(Counter)
    absent: Counter[str] = Counter()
    missing: list[Missing] = []
    datings: list[Dating] = []
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
        if (dating := check_date(post, clock)) is not None:
            datings.append(dating)
    rows = _rows(counted, absent, clock, clock.by_month(unasked))
    return Ledger(tuple(rows), tuple(missing), tuple(datings), tuple(unasked))


def month_of_post(post: Post, clock: IdClock) -> str:
    """Return the month in which a post was published; `NO_MONTH` if it is unknown.

    The month comes from the first of these that is known: the date on the page, the date that a source gives, the
    monthly sitemap that lists the post, and the dates of the posts with the nearest ids.
    """
    if day := post.published_on or post.hinted_on:
        return day[:7]
    if post.listed_in:
        return post.listed_in
    day_by_id = clock.day(post.id) if post.id > 0 else None
    return NO_MONTH if day_by_id is None else month_of(day_by_id)


class _Kind(NamedTuple):
    """The properties by which known posts are counted; even a large archive has few combinations of them."""

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
    clock: IdClock,
    unasked: Mapping[str, int],
) -> Iterator[LedgerMonth]:
    unasked_by_month = {month: unasked[month] for month in _months(clock)}
    # Months without a known post have a row, too.
    for month, section in sorted({*counted, *((month, ALL) for month in unasked_by_month)}):
        kinds = counted.get((month, section), Counter())
        yield _row(month, section, kinds, unasked_by_month.get(month), absent[month])


def _months(clock: IdClock) -> Iterator[str]:
    """Yield all months from the first to the last article with a trusted date."""
    if clock.days:
        for month, _ in groupby(range(clock.days[0], clock.days[-1] + 1), month_of):
            yield month


def _row(month: str, section: str, kinds: Counter[_Kind], unasked: int | None, absent: int) -> LedgerMonth:
    """Return one row of the ledger.

    `unasked` is the number of unknown ids that were never requested. It is None for a month before the first or after
    the last article with a trusted date.
    """

    def count(wanted: Callable[[_Kind], bool]) -> int:
        return sum(number for kind, number in kinds.items() if wanted(kind))

    known = kinds.total()
    by_ids = unasked is not None and section == ALL
    lists = from_lists(_lists(kind) for kind in kinds.elements() if kind.numbered)
    bounds = without_ids(lists, known, unasked) if unasked is None or section else with_ids(lists, known, unasked)
    return LedgerMonth(
        month,
        section,
        known=known,
        held=count(lambda kind: kind.held),
        missing=count(lambda kind: kind.missing),
        gone=count(lambda kind: kind.gone),
        gone_held=count(lambda kind: kind.gone and kind.held),
        undated=count(lambda kind: kind.undated),
        absent=absent if by_ids else None,
        unasked=unasked if by_ids else None,
        estimate=None if bounds.estimate is None else round(bounds.estimate, 2),
        low=bounds.low,
        high=bounds.high,
        method=bounds.method,
        channels=dict(sorted(Counter(channel for kind in kinds.elements() for channel in kind.channels).items())),
    )


def _lists(kind: _Kind) -> list[str]:
    return [name for name, channels in LISTS.items() if channels & kind.channels]
