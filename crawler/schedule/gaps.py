"""Gaps: whether a gap opens between two polls of a source, and what closes a gap.

If a response shares no article with the previous response, other articles may have been listed and dropped between the
two. Only the newer half of the earlier response counts: an article that is pinned to a list, or shown in its sidebar,
stays there for days and proves nothing.

Boundary: pure; ids, instants and states in, decisions out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler import site
from crawler.types import Gap, GapClosing, SourceForPoll, SourceKind

_LISTS: frozenset[SourceKind] = frozenset(
    {"feed", "news_sitemap", "section", "list"}
)  # newest first, old ones drop out
_FIRST_RETRY = timedelta(hours=1)  # of paging back; doubled after each try


@dataclass(frozen=True, slots=True)
class MonthSitemap:
    """The facts about the sitemap of a month that decide whether it closes a gap.

    `newest_id` is the newest id in the last good response, which came at `last_ok_at`.
    """

    name: str
    state: str
    last_ok_at: datetime | None
    newest_id: int | None


@dataclass(frozen=True, slots=True)
class GapFound:
    """The ends of a gap: `after_id` is the newest id before the gap, `before_id` the oldest id after it.

    `before_id` is None if the response shows no article after the gap.
    """

    after_id: int
    before_id: int | None


def halves(ids: Collection[int]) -> tuple[int, int] | None:
    """Return the newest id of a response and the oldest id of its newer half; None if the response has no articles."""
    ordered = sorted(ids, reverse=True)
    return (ordered[0], ordered[(len(ordered) - 1) // 2]) if ordered else None


def reads_on(ids: Collection[int], unseen: Collection[int]) -> bool:
    """Whether the next page of a list may show articles that the source has not listed yet.

    `ids` are the articles on a page, `unseen` those of them that the source lists for the first time. Lists begin with the
    newest article. So as long as the older half of the page is known, new articles have only pushed known ones to the next
    page.
    """
    ordered = sorted(ids)
    older = ordered[: (len(ordered) + 1) // 2]
    return any(i in unseen for i in older)


def gap_found(source: SourceForPoll, ids: Collection[int], shown_before: Collection[int]) -> GapFound | None:
    """Return the gap that a response with the articles `ids` opens; None if it opens none.

    `shown_before` has those of the ids that the source had listed before. The first response of a source opens no gap.
    A response without articles opens none either, because it is a fault of another kind.
    """
    newest, middle = source.newest_id, source.middle_id
    if source.kind not in _LISTS or newest is None or middle is None or not ids:
        return None
    if any(i >= middle for i in shown_before):
        return None
    after = sorted((i for i in ids if i > newest), reverse=True)
    oldest = (len(after) - 1) // 2 if source.kind == "section" else len(after) - 1  # a sidebar lists older ones too
    return GapFound(newest, after[oldest] if after else None)


def months(since: datetime, until: datetime) -> list[tuple[int, int]]:
    """Return the months (Hanoi time) that a time span touches, as (year, month), oldest first."""
    first, last = (at.astimezone(site.HANOI) for at in (since, until))
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [(number // 12, number % 12 + 1) for number in numbers]


def gap_closed_by(gap: Gap, sitemaps: Sequence[MonthSitemap], ids_between: int, *, reached: bool) -> GapClosing | None:
    """Return what closes a gap; None if it stays open.

    Three things close a gap:

    - `paging`: older pages of the source were read back to articles that it had listed before the gap (`reached`).
    - `ids`: each id between the ends of the gap is known, perhaps as absent. `ids_between` is the number of known ids.
    - `sitemap`: the sitemap of every month of the gap was read after the gap, and the last one lists an article that
      is newer than the gap. An outdated copy from a cache would not list it.
    """
    if reached:
        return "paging"
    if gap.after_id is not None and gap.before_id is not None and ids_between >= gap.before_id - gap.after_id - 1:
        return "ids"
    return "sitemap" if not gap_waits_for(gap, sitemaps) else None


def gap_waits_for(gap: Gap, sitemaps: Sequence[MonthSitemap]) -> str:
    """Return a text that says why the sitemaps do not close a gap; an empty text if they do."""
    waiting = [why for why in (_obstacle(gap, sitemap) for sitemap in sitemaps) if why]
    last = max((s.newest_id or 0 for s in sitemaps), default=0)
    if not waiting and last < max(gap.before_id or 0, gap.after_id or 0):
        return "no sitemap lists an article after the gap yet"
    return "; ".join(waiting)


def _obstacle(gap: Gap, sitemap: MonthSitemap) -> str | None:
    if sitemap.state in ("failing", "absent"):
        return f"{sitemap.name} is {sitemap.state}"
    if sitemap.last_ok_at is None or sitemap.last_ok_at < gap.until:
        return f"{sitemap.name} has not been read since"
    return None


def should_page_back(gap: Gap, last: datetime | None, now: datetime) -> bool:
    """Whether to read older pages again for an open gap. This is done 1, 2, 4, 8 ... hours after the gap was opened.

    `last` is the time of the previous good response of the source.
    """
    return _retries(gap, now) > _retries(gap, last or gap.opened_at)


def _retries(gap: Gap, at: datetime) -> int:
    return int((at - gap.opened_at) / _FIRST_RETRY).bit_length()
