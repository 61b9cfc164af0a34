"""The rows of the sources: what the configuration asks for, and what responses name.

Boundary: order only; `schedule` decides which rows change, `discover` what a response names.
"""

from __future__ import annotations

from datetime import datetime

from crawler import schedule
from crawler.discover import Discovery, related, sitemaps
from crawler.errors import PageError, SourceMoved
from crawler.pipeline.run import Run
from crawler.types import Article, SourceForPoll, SourceFound

_WITH_POSITIONS = frozenset({"home", "section"})  # sources whose order of articles is recorded


def configure(run: Run, now: datetime) -> None:
    """Bring the rows of the sources in line with the configuration: list API, exclusions, names."""
    settings = run.settings
    changes = schedule.selection_changes(run.archive.source_rows(), run.site, settings.exclude, settings.names)
    if not changes:
        return
    with run.archive.transaction():
        run.archive.add_sources(changes.added, now)
        run.archive.exclude_sources(changes.excluded)
        run.archive.include_sources(changes.included, now)
        run.archive.rename_sources(changes.renamed)


def add_named(run: Run, source: SourceForPoll, found: Discovery, now: datetime) -> None:
    """Add the sources that a response names. The sitemap of a past month is not due: only a backfill reads it."""
    for named in found.sources:
        over = sitemaps.is_over(named, now)
        run.archive.add_sources([named], None if over else now)
        if named.when is not None and not over:
            run.archive.recall_absent([named.url], now)
    _add_months(run, source, now)


def add_named_by_failure(run: Run, source: SourceForPoll, error: PageError, now: datetime) -> None:
    """Add the sources that a failure leads to: the target of a redirect, the months that no sitemap index names."""
    if isinstance(error, SourceMoved):
        run.archive.add_sources([error.found], now)
    _add_months(run, source, now)


def add_related(run: Run, article: Article, now: datetime) -> None:
    """Add the stories under an article as sightings. Needs an open transaction."""
    source, sightings = related(article, run.site)
    run.archive.add_sightings(source, sightings, now, now)


def save_positions(run: Run, source: SourceForPoll, found: Discovery, now: datetime) -> None:
    """Record the position of each article on a first page. The rows of the pages exist."""
    if source.kind in _WITH_POSITIONS:
        run.archive.save_appearances(source.id, found.sightings, now)


def _add_months(run: Run, source: SourceForPoll, now: datetime) -> None:
    """Add the sitemaps of this month and the last one, unless the index or anything else has named them."""
    if source.kind == "sitemap_index":
        urls = [known.url for known in run.archive.sources_of_kind("sitemap")]
        known = [SourceFound("sitemap", url, when=sitemaps.month(url)) for url in urls]
        run.archive.add_sources(sitemaps.unlisted_recent(known, run.site, now), now)
