"""A gap's life: opened by an answer that shares nothing with the one before, closed by whatever accounts for it.

Nothing is asked for here: opening a gap makes the sitemaps of its months due, and every later answer is held against
the gaps that are open.

Boundary: order only; what opens and closes a gap is `policy`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from crawler import schedule
from crawler.discover import sitemaps
from crawler.pipeline.run import Context
from crawler.types import Gap, SourceForPoll, SourceFound


def open_gap(context: Context, source: SourceForPoll, found: schedule.GapFound, now: datetime) -> None:
    """Open a gap that ends now, and make the sitemaps of its months due; the caller holds the transaction."""
    since = source.last_ok_at or now
    context.archive.add_gap(source.id, since, now, found.after_id, found.before_id)
    named = _by_month(context)
    for month in schedule.months(since, now):
        if month not in named:
            guess = SourceFound("sitemap", context.site.monthly_sitemap(*month), when=month)
            context.archive.add_sources([guess], now)
        else:
            context.archive.hurry_sources([named[month].url], now)


def settle(context: Context, source: SourceForPoll, further: Collection[int], now: datetime) -> None:
    """Hold an answer, or its failure, against the open gaps; the caller holds the transaction.

    `further` are the ids that the source showed behind its first page.
    """
    gaps = context.archive.open_gaps()
    named = _by_month(context) if gaps else {}
    for gap in gaps:
        months = schedule.months(gap.since, gap.until)
        states = [_month_sitemap(month, named.get(month)) for month in months]
        paged = further if gap.source == source.url else ()
        reached = bool(paged) and bool(context.archive.sighted(source.url, paged, by=gap.since))
        closed = schedule.gap_closed_by(gap, states, context.archive.ids_between(gap), reached=reached)
        if closed:
            context.archive.close_gap(gap, closed, now)
        else:
            tried = bool(paged) or (source.kind == "sitemap" and sitemaps.month(source.url) in months)
            context.archive.note_gap(gap, schedule.gap_waits_for(gap, states), tried=tried)


def owed(context: Context, source: SourceForPoll, now: datetime) -> Gap | None:
    """Give the oldest open gap for which the source should be paged back once more."""
    gaps = [gap for gap in context.archive.open_gaps() if gap.source == source.url]
    return next((gap for gap in gaps if schedule.may_page(gap, source.last_ok_at, now)), None)


def _by_month(context: Context) -> dict[tuple[int, int] | None, SourceForPoll]:
    """Give the sitemap of each month; where two claim one, the later row."""
    return {sitemaps.month(source.url): source for source in context.archive.sources_of_kind("sitemap")}


def _month_sitemap(month: tuple[int, int], source: SourceForPoll | None) -> schedule.MonthSitemap:
    name = f"the sitemap of {month[0]}-{month[1]:02}"
    if source is None:
        return schedule.MonthSitemap(name, "absent", None, None)
    return schedule.MonthSitemap(name, source.state, source.last_ok_at, source.newest_id)
