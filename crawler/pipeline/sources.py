"""The sources' part of a tick: home page, sitemaps, feeds, sections with their further pages.

Boundary: order only; reading an answer is `discover`'s, due times are `policy`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from crawler import policy, site, urls
from crawler.discover import Discovery, discover
from crawler.errors import BadStatus, Disallowed, FetchError, PageError, UnreadableSource
from crawler.pipeline.context import Context
from crawler.types import Fetched, Sighting, SourceForPoll, SourceFound, SourceKind, SourceOutcome

_NOT_MODIFIED = 304
_ABSENT = (404, 410)
_OK = 200


@dataclass(frozen=True, slots=True)
class _Walk:
    """What a section gave, page after page, and why the walk ended early, if it did."""

    sightings: tuple[Sighting, ...]
    trouble: str | None = None


def poll_sources(context: Context, *, ignore_due: bool) -> None:
    """Poll what is due, and in the same tick what the home page and the sitemap index name."""
    with context.archive.transaction():
        context.archive.add_sources(_standing(context), context.clock.now())
    done: set[str] = set()
    while todo := [s for s in _due(context, ignore_due) if s.url not in done]:
        context.progress.phase("sources", len(todo))
        for source in todo:
            done.add(source.url)
            context.progress.step(_excluded(context, source) or _visit(context, source))


def _due(context: Context, ignore_due: bool) -> list[SourceForPoll]:
    """Ask with the time of now, not of the run's begin: what the home page just named is due since a moment ago."""
    return context.archive.due_sources(context.clock.now(), ignore_due=ignore_due)


def _standing(context: Context) -> list[SourceFound]:
    """List the sources that are known without asking the home page."""
    here = context.site
    return [
        SourceFound("home", here.root),
        SourceFound("sitemap_index", here.url(site.SITEMAP_INDEX)),
        SourceFound("news_sitemap", here.url(site.NEWS_SITEMAP)),
        SourceFound("feed", here.url(site.HOME_FEED)),
        *(SourceFound(_kind(here.url(path)), here.url(path)) for path in context.add),
    ]


def _kind(url: str) -> SourceKind:
    kinds: dict[str, SourceKind] = {"feed": "feed", "sitemap": "sitemap"}
    return kinds.get(urls.shape(url), "section")


def _excluded(context: Context, source: SourceForPoll) -> str | None:
    path = urlsplit(source.url).path
    if not any(fnmatchcase(path, pattern) for pattern in context.exclude):
        return None
    return f"{source.url}: excluded by the configuration"


def purpose_of(source: SourceForPoll) -> str:
    """Say in the WARC what a list was fetched for."""
    return f"source:{source.url}"


def _visit(context: Context, source: SourceForPoll) -> str:
    try:
        fetched = context.fetcher.get(source.url, etag=source.etag, last_modified=source.last_modified)
        if fetched.status == _NOT_MODIFIED:
            context.keep(fetched, purpose_of(source))
            return _save_unmodified(context, source, fetched.fetched_at)
        found = _read(context, source, fetched)
    except UnreadableSource as error:
        return _save_failure(context, source, error, fetched.fetched_at)
    except FetchError as error:
        return _save_failure(context, source, error, context.keep_failure(source.url, error, purpose_of(source)))
    return _save(context, source, fetched, found, _walk_back(context, source, found))


def _read(context: Context, source: SourceForPoll, fetched: Fetched) -> Discovery:
    context.keep(fetched, purpose_of(source))
    if fetched.status != _OK:
        raise BadStatus(fetched.url, fetched.status)
    return discover(source, fetched.content, fetched.url, context.site, fetched.fetched_at)


def _walk_back(context: Context, source: SourceForPoll, first: Discovery) -> _Walk:
    """Go back through a section until a page shows nothing that it had not shown before, or repeats itself (dossier 9).

    Trouble on a further page ends the walk, but loses nothing of the pages before it.
    """
    sightings, shown, more = list(first.sightings), first.sightings, first.more
    before: set[int | None] = set()
    for _ in range(context.list_pages - 1):
        if more is None or not _unseen(context, source, shown):
            break
        try:
            page = _read(context, source, context.fetcher.get(more))
        except (FetchError, UnreadableSource) as error:
            return _Walk(tuple(sightings), f"further pages: {error}")
        ids = {s.post_id for s in page.sightings}
        if ids <= before:
            break
        seen = {s.post_id for s in sightings}  # the sidebar of the first page shows stories of the second, too
        newest = [s for s in page.sightings if s.post_id not in seen]
        sightings += [replace(s, position=len(sightings) + i) for i, s in enumerate(newest)]
        shown, before, more = page.sightings, ids, page.more
    return _Walk(tuple(sightings))


def _unseen(context: Context, source: SourceForPoll, sightings: Iterable[Sighting]) -> bool:
    """Say whether this very source shows something for the first time.

    What other sources showed does not count: the home page knows a section's newest stories, not those behind them.
    """
    ids = {s.post_id for s in sightings if s.post_id is not None}
    return bool(ids - context.archive.sighted(source.url, ids))


def _save(context: Context, source: SourceForPoll, fetched: Fetched, found: Discovery, walk: _Walk) -> str:
    now = fetched.fetched_at
    with context.archive.transaction():
        fresh = context.archive.add_sightings(source.url, walk.sightings, now, now)
        for named in found.sources:
            context.archive.add_sources([named], now if _is_current(named, now) else None)
        outcome = SourceOutcome(
            "ok",
            policy.source_due(now, source.kind),
            items=len(walk.sightings),
            fresh_items=fresh,
            error=walk.trouble,
            etag=fetched.header("ETag"),
            last_modified=fetched.header("Last-Modified"),
        )
        context.archive.save_source(source.url, outcome, now)
        context.log()
    context.report.sightings += len(walk.sightings)
    return f"{source.url}: {len(walk.sightings)} articles, {fresh} not known before"


def _is_current(source: SourceFound, now: datetime) -> bool:
    """Say whether a source is polled: of the monthly sitemaps this month's and the last; older ones are backfill's."""
    if source.when is None:
        return True
    local = now.astimezone(site.HANOI)
    return local.year * 12 + local.month - (source.when[0] * 12 + source.when[1]) <= 1


def _save_unmodified(context: Context, source: SourceForPoll, now: datetime) -> str:
    with context.archive.transaction():
        outcome = SourceOutcome("ok", policy.source_due(now, source.kind), fresh_items=0)
        context.archive.save_source(source.url, outcome, now)
        context.log()
    return f"{source.url}: not modified"


def _save_failure(context: Context, source: SourceForPoll, error: PageError, now: datetime) -> str:
    absent = isinstance(error, Disallowed) or (isinstance(error, BadStatus) and error.status in _ABSENT)
    with context.archive.transaction():
        outcome = policy.source_failed(now, source.failures + 1, str(error), absent=absent)
        context.archive.save_source(source.url, outcome, now)
        context.log()
    return f"{source.url}: {error}"
