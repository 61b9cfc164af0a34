"""The sources' rows beside the poll itself: what the configuration wants, and what answers name on their way.

Boundary: order only; which rows are wanted is `policy`'s, what an answer names is `discover`'s.
"""

from __future__ import annotations

from datetime import datetime

from crawler import schedule
from crawler.discover import Discovery, related, sitemaps
from crawler.errors import PageError, SourceMoved
from crawler.pipeline.run import Context
from crawler.types import Article, SourceForPoll, SourceFound

_PLACES = frozenset({"home", "section"})  # what stands first on these is history, too


def configure(context: Context, now: datetime) -> None:
    """Make the rows follow the configuration: lists of the API, what is left out, names."""
    changes = schedule.follow(context.archive.channels(), context.site, context.exclude, context.names)
    if not changes:
        return
    with context.archive.transaction():
        context.archive.add_sources(changes.added, now)
        context.archive.exclude_sources(changes.excluded)
        context.archive.include_sources(changes.included, now)
        context.archive.rename_sources(changes.renamed)


def add_named(context: Context, source: SourceForPoll, found: Discovery, now: datetime) -> None:
    """Add the sources that an answer names; a month that is over is for a backfill to read."""
    for named in found.sources:
        over = sitemaps.is_over(named, now)
        context.archive.add_sources([named], None if over else now)
        if named.when is not None and not over:
            context.archive.recall_absent([named.url], now)
    _add_months(context, source, now)


def add_named_by_failure(context: Context, source: SourceForPoll, error: PageError, now: datetime) -> None:
    """Add what a failure leads to: the place that a source has moved to; the months that no index names."""
    if isinstance(error, SourceMoved):
        context.archive.add_sources([error.found], now)
    _add_months(context, source, now)


def add_related(context: Context, article: Article, now: datetime) -> None:
    """Add the stories under an article as sightings; the caller holds the transaction."""
    source, sightings = related(article, context.site)
    context.archive.add_sightings(source, sightings, now, now)


def save_places(context: Context, source: SourceForPoll, found: Discovery, now: datetime) -> None:
    """Keep which article stands where on a first page; their rows exist."""
    if source.kind in _PLACES:
        context.archive.save_appearances(source.id, found.sightings, now)


def _add_months(context: Context, source: SourceForPoll, now: datetime) -> None:
    """Add the sitemaps of this month and the last where neither the index nor anybody else has named them."""
    if source.kind == "sitemap_index":
        urls = [known.url for known in context.archive.sources_of_kind("sitemap")]
        known = [SourceFound("sitemap", url, when=sitemaps.month(url)) for url in urls]
        context.archive.add_sources(sitemaps.unnamed(known, context.site, now), now)
