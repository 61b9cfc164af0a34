"""Is there a gap between two answers of a source, and what closes one.

An answer that shares nothing with the one before may have missed what came and went between them. Sharing counts only
in the newer half of the answer before: what is pinned to a list, or stands in its sidebar, stays there for days and
proves nothing.

Boundary: pure; ids, instants and states in, decisions out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler import site
from crawler.types import Gap, GapClosing, SourceForPoll, SourceKind

_LISTS: frozenset[SourceKind] = frozenset({"feed", "news_sitemap", "section", "list"})  # newest first, old ones leave
_FIRST_RETRY = timedelta(hours=1)  # of paging back; then after 2, 4, 8, ...


@dataclass(frozen=True, slots=True)
class MonthSitemap:
    """What closing a gap needs of the sitemap of one month; `newest_id` is of its last good answer."""

    name: str
    state: str
    last_ok_at: datetime | None
    newest_id: int | None


@dataclass(frozen=True, slots=True)
class GapFound:
    """The newest article before a gap and the oldest one after it, as far as the answer tells."""

    after_id: int
    before_id: int | None


def halves(ids: Collection[int]) -> tuple[int, int] | None:
    """Give the newest id of an answer and the oldest of its newer half; None for an answer without articles."""
    ordered = sorted(ids, reverse=True)
    return (ordered[0], ordered[(len(ordered) - 1) // 2]) if ordered else None


def gap_found(source: SourceForPoll, ids: Collection[int], shown_before: Collection[int]) -> GapFound | None:
    """Say whether a gap opens: `ids` are shown now, `shown_before` are those of them that the source had shown already.

    The first answer of a source opens none, nor does an answer without articles: that is trouble of another kind.
    """
    newest, middle = source.newest_id, source.middle_id
    if source.kind not in _LISTS or newest is None or middle is None or not ids:
        return None
    if any(i >= middle for i in shown_before):
        return None
    after = sorted((i for i in ids if i > newest), reverse=True)
    oldest = (len(after) - 1) // 2 if source.kind == "section" else len(after) - 1  # a sidebar shows older ones, too
    return GapFound(newest, after[oldest] if after else None)


def months(since: datetime, until: datetime) -> list[tuple[int, int]]:
    """List the months in Hanoi that a time touches, the oldest first."""
    first, last = (at.astimezone(site.HANOI) for at in (since, until))
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [(number // 12, number % 12 + 1) for number in numbers]


def gap_closed_by(gap: Gap, sitemaps: Sequence[MonthSitemap], ids_between: int, *, reached: bool) -> GapClosing | None:
    """Say what closes a gap, if anything does.

    Paging back does when it `reached` what the source had shown before the gap. The ids between do when each of them is
    known, be it as absent. The sitemaps do when that of every month answered after the gap and the last one goes
    beyond it: one that is kept in a cache for too long proves nothing.
    """
    if reached:
        return "paging"
    if gap.after_id is not None and gap.before_id is not None and ids_between >= gap.before_id - gap.after_id - 1:
        return "ids"
    return "sitemap" if not gap_waits_for(gap, sitemaps) else None


def gap_waits_for(gap: Gap, sitemaps: Sequence[MonthSitemap]) -> str:
    """Say in words what the sitemaps lack to close a gap; empty when they lack nothing."""
    waiting = [why for why in (_lack(gap, sitemap) for sitemap in sitemaps) if why]
    last = max((s.newest_id or 0 for s in sitemaps), default=0)
    if not waiting and last < max(gap.before_id or 0, gap.after_id or 0):
        return "no sitemap names an article after it yet"
    return "; ".join(waiting)


def _lack(gap: Gap, sitemap: MonthSitemap) -> str | None:
    if sitemap.state in ("failing", "absent"):
        return f"{sitemap.name} is {sitemap.state}"
    if sitemap.last_ok_at is None or sitemap.last_ok_at < gap.until:
        return f"{sitemap.name} has not answered since"
    return None


def may_page(gap: Gap, last: datetime | None, now: datetime) -> bool:
    """Say whether to page back for an open gap once more: when a mark, ever farther away, lies between two polls."""
    return _mark(gap, now) > _mark(gap, last or gap.opened_at)


def _mark(gap: Gap, at: datetime) -> int:
    return int((at - gap.opened_at) / _FIRST_RETRY).bit_length()
