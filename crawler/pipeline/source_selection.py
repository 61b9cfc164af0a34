"""Add and change the rows of sources, as the configuration asks and as responses name new sources.

Boundary: only calls other modules in the right order. `schedule` decides which rows change; `discover` finds the
sources that a response names.
"""

from __future__ import annotations

from datetime import datetime

from crawler import schedule
from crawler.discover import Discovery, related, sitemaps
from crawler.discover.problems import Problem, ProblemKind
from crawler.errors import PageError, SourceMoved
from crawler.pipeline.run import Run
from crawler.site import sitemap_month
from crawler.types import Article, SourceForPoll, SourceFound

_WITH_POSITIONS = frozenset({"home", "section"})  # sources whose order of articles is recorded


def configure(run: Run, now: datetime) -> None:
    """Bring the rows of the sources in line with the configuration of the list API, the exclusions and the names."""
    settings = run.settings
    changes = schedule.selection_changes(run.archive.source_rows(), run.site, settings.exclude, settings.names)
    if not changes:
        return
    run.warc.begin(now)  # no response may follow that would record these settings
    with run.archive.transaction():
        run.archive.add_sources(changes.added, now)
        run.archive.exclude_sources(changes.excluded)
        run.archive.include_sources(changes.included, now)
        run.archive.rename_sources(changes.renamed)


def add_named(run: Run, source: SourceForPoll, found: Discovery, now: datetime) -> tuple[Problem, ...]:
    """Add the sources that a response names; return a problem if there are too many to add all.

    The sitemap of a past month is not due: only a backfill reads it.
    """
    wanted, left_out = schedule.sources_to_add(
        source, found.sources, run.archive.source_rows() if found.sources else []
    )
    for named in wanted:
        over = sitemaps.is_over(named, now)
        run.archive.add_sources([named], None if over else now)
        if named.when is not None and not over:
            run.archive.recall_absent(named.url, now)
    _add_months(run, source, now)
    return (Problem(ProblemKind.MORE_SOURCES, len(left_out), left_out[0].url),) if left_out else ()


def add_named_by_failure(run: Run, source: SourceForPoll, error: PageError, now: datetime) -> None:
    """Add the sources that a failed poll leads to.

    These are the target of a redirect and, after a failure of the sitemap index, the sitemaps of recent months.
    """
    if isinstance(error, SourceMoved):
        wanted, _ = schedule.sources_to_add(source, [error.found], run.archive.source_rows())
        run.archive.add_sources(wanted, now)
    _add_months(run, source, now)


def add_related(run: Run, article: Article, now: datetime) -> None:
    """Store a sighting of each related story that is listed under an article. Needs an open transaction."""
    source, sightings = run.prepared.related(article) or related(article, run.site)
    run.archive.add_sightings(source, sightings, now, now)


def save_positions(run: Run, source: SourceForPoll, found: Discovery, now: datetime) -> None:
    """Record the position of each article on the home page or the first page of a section.

    Each article must have a row in the table of pages already.
    """
    if source.kind in _WITH_POSITIONS:
        run.archive.save_appearances(source.id, found.sightings, now)


def _add_months(run: Run, source: SourceForPoll, now: datetime) -> None:
    """If `source` is the sitemap index, add the sitemaps of this month and the month before, unless they are known."""
    if source.kind == "sitemap_index":
        urls = [known.url for known in run.archive.sources_of_kind("sitemap")]
        known = [SourceFound("sitemap", url, when=sitemap_month(url)) for url in urls]
        run.archive.add_sources(sitemaps.unlisted_recent(known, run.site, now), now)
