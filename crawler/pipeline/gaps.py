"""Open a gap when articles may have been missed between two polls; close it when nothing can be missing any more.

A gap opens if a response of a source has no article in common with the previous response of that source. Opening a gap
makes the sitemaps of its months due, and each later response is checked against the open gaps. Nothing is fetched here.

Boundary: only calls other modules in the right order; `schedule` decides what opens and closes a gap.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from crawler import schedule
from crawler.pipeline.run import Run
from crawler.site import sitemap_month
from crawler.types import Gap, SourceForPoll, SourceFound


def open_gap(run: Run, source: SourceForPoll, found: schedule.GapFound, now: datetime) -> None:
    """Open a gap that ends now, and make the sitemaps of the gap's months due. Needs an open transaction."""
    since = source.last_ok_at or now
    run.archive.add_gap(source.id, since, now, found.after_id, found.before_id)
    named = _by_month(run)
    for month in schedule.months(since, now):
        if month not in named:
            guess = SourceFound("sitemap", run.site.monthly_sitemap(*month), when=month)
            run.archive.add_sources([guess], now)
        else:
            run.archive.mark_sources_due([named[month].url], now)


def reconcile_gaps(run: Run, source: SourceForPoll, further: Collection[int], now: datetime) -> None:
    """After a good or failed poll of `source`, close each gap that may be closed now. Needs an open transaction.

    `further` has the ids that the source listed on its second and later pages.
    """
    gaps = run.archive.open_gaps()
    named = _by_month(run) if gaps else {}
    for gap in gaps:
        months = schedule.months(gap.since, gap.until)
        states = [_month_sitemap(month, named.get(month)) for month in months]
        paged = further if gap.source == source.url else ()
        reached = bool(paged) and bool(run.archive.sighted(source.url, paged, by=gap.since))
        closed = schedule.gap_closed_by(gap, states, run.archive.ids_between(gap), reached=reached)
        if closed:
            run.archive.close_gap(gap, closed, now)
        else:
            tried = bool(paged) or (source.kind == "sitemap" and sitemap_month(source.url) in months)
            run.archive.note_gap(gap, schedule.gap_waits_for(gap, states), tried=tried)


def gap_to_page_back(run: Run, source: SourceForPoll, now: datetime) -> Gap | None:
    """Return the oldest open gap for which older pages of `source` should be read now; None if there is none."""
    gaps = [gap for gap in run.archive.open_gaps() if gap.source == source.url]
    return next((gap for gap in gaps if schedule.should_page_back(gap, source.last_ok_at, now)), None)


def _by_month(run: Run) -> dict[tuple[int, int] | None, SourceForPoll]:
    """Return the row of each month's sitemap, by month. If a month has several sitemaps, the last row is used."""
    return {sitemap_month(source.url): source for source in run.archive.sources_of_kind("sitemap")}


def _month_sitemap(month: tuple[int, int], source: SourceForPoll | None) -> schedule.MonthSitemap:
    name = f"the sitemap of {month[0]}-{month[1]:02}"
    if source is None:
        return schedule.MonthSitemap(name, "absent", None, None)
    return schedule.MonthSitemap(name, source.state, source.last_ok_at, source.newest_id)
