"""The sources' part of a tick: home page, sitemaps, feeds, sections with their further pages.

Boundary: order only; reading an answer is `discover`'s, what it means for the rows is `answers`', due times are
`policy`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from crawler import site, urls
from crawler.discover import Discovery, discover
from crawler.errors import BadStatus, Disallowed, FetchError, UnreadableSource
from crawler.pipeline.gaps import owed
from crawler.pipeline.run import Context, guarded
from crawler.pipeline.source_results import Walk, put_off, take_failure, take_list, take_unmodified
from crawler.pipeline.source_selection import configure
from crawler.schedule import conditional
from crawler.types import Fetched, Gap, Sighting, SourceForPoll, SourceFound, SourceKind

_NOT_MODIFIED = 304
_OK = 200


def poll_sources(context: Context, *, ignore_due: bool) -> None:
    """Poll what is due, and in the same tick what the home page and the sitemap index name."""
    with context.archive.transaction():
        context.archive.add_sources(standing(context), context.clock.now())
    done: set[str] = set()
    while todo := [s for s in _due(context, ignore_due) if s.url not in done]:
        context.progress.phase("sources", len(todo))
        for source in todo:
            if context.stopping():
                return
            done.add(source.url)
            context.progress.step(visit_source(context, source), source.url)


def _due(context: Context, ignore_due: bool) -> list[SourceForPoll]:
    """Ask with the time of now, not of the run's begin: what the home page just named is due since a moment ago."""
    now = context.clock.now()
    configure(context, now)
    return context.archive.due_sources(now, ignore_due=ignore_due)


def standing(context: Context) -> list[SourceFound]:
    """List the sources that are known without asking the home page."""
    here = context.site
    return [
        SourceFound("home", here.root),
        SourceFound("sitemap_index", here.url(site.SITEMAP_INDEX)),
        SourceFound("news_sitemap", here.url(site.NEWS_SITEMAP)),
        SourceFound("feed", here.url(site.HOME_FEED)),
        SourceFound("feed_index", here.url(site.FEED_INDEX)),
        *(SourceFound(_kind(here.url(path)), here.url(path)) for path in context.add),
    ]


def _kind(url: str) -> SourceKind:
    kinds: dict[str, SourceKind] = {"feed": "feed", "sitemap": "sitemap"}
    if url.endswith(site.FEED_INDEX):
        return "feed_index"
    return kinds.get(urls.shape(url), "section")


def purpose_of(source: SourceForPoll) -> str:
    """Say in the WARC what a list was fetched for."""
    return f"source:{source.url}"


def visit_source(context: Context, source: SourceForPoll) -> str:
    """Take one source on its journey; give what came of it in words."""

    def aside(words: str, now: datetime, _: int | None) -> str:
        return put_off(context, source, words, now)

    return guarded(context, purpose_of(source), lambda: _ask(context, source), aside)


def _ask(context: Context, source: SourceForPoll) -> str:
    try:
        if not context.site.may_ask(source.url):
            raise Disallowed(source.url, "it is no address of this site")
        send = conditional.to_send(source, context.clock.now(), conditional.WHOLE_LIST)
        fetched = context.fetcher.get(source.url, etag=send.etag, last_modified=send.last_modified)
    except FetchError as error:
        return take_failure(context, source, error, context.keep_failure(source.url, error, purpose_of(source)))
    context.keep(fetched, purpose_of(source))
    return _take(context, source, fetched)


def _take(context: Context, source: SourceForPoll, fetched: Fetched) -> str:
    if fetched.status == _NOT_MODIFIED:
        return take_unmodified(context, source, fetched.fetched_at)
    try:
        found = _read(context, source, fetched)
    except (BadStatus, UnreadableSource) as error:
        return take_failure(context, source, error, fetched.fetched_at)
    walk = _walk_back(context, source, found)
    with context.in_hand.taking(purpose_of(source)):
        return take_list(context, source, fetched, found, walk)


def _further(context: Context, source: SourceForPoll, url: str) -> Discovery:
    try:
        fetched = context.fetcher.get(url)
    except FetchError as error:
        context.keep_failure(url, error, purpose_of(source))
        raise
    context.keep(fetched, purpose_of(source))
    return _read(context, source, fetched)


def _read(context: Context, source: SourceForPoll, fetched: Fetched) -> Discovery:
    if fetched.status != _OK:
        raise BadStatus(fetched.url, fetched.status)
    asked = fetched.hops[0].url if fetched.hops else None
    with context.in_hand.taking(purpose_of(source)):
        return discover(source, fetched.content, fetched.url, context.site, fetched.fetched_at, asked=asked)


def _walk_back(context: Context, source: SourceForPoll, first: Discovery) -> Walk:
    """Go back through a section until a page shows nothing that it had not shown before, or repeats itself (dossier 9).

    With an open gap it goes on until it comes to what was shown before the gap.
    Trouble on a further page ends the walk, but loses nothing of the pages before it.
    """
    sightings, shown, more = list(first.sightings), first.sightings, first.more
    before: set[int | None] = set()
    further: set[int] = set()
    gap = owed(context, source, context.clock.now()) if more is not None else None
    for _ in range(context.list_pages - 1):
        if more is None or not (_unseen(context, source, shown) or _unreached(context, gap, further)):
            break
        try:
            page = _further(context, source, more)
        except (FetchError, UnreadableSource) as error:
            return Walk(tuple(sightings), frozenset(further), f"further pages: {error}")
        ids = {s.post_id for s in page.sightings}
        if ids <= before:
            break
        seen = {s.post_id for s in sightings}  # the sidebar of the first page shows stories of the second, too
        newest = [s for s in page.sightings if s.post_id not in seen]
        sightings += [replace(s, position=len(sightings) + i) for i, s in enumerate(newest)]
        further |= {i for i in ids if i is not None}
        shown, before, more = page.sightings, ids, page.more
    return Walk(tuple(sightings), frozenset(further))


def _unseen(context: Context, source: SourceForPoll, sightings: Iterable[Sighting]) -> bool:
    """Say whether this very source shows something for the first time.

    What other sources showed does not count: the home page knows a section's newest stories, not those behind them.
    """
    ids = {s.post_id for s in sightings if s.post_id is not None}
    return bool(ids - context.archive.sighted(source.url, ids))


def _unreached(context: Context, gap: Gap | None, further: Iterable[int]) -> bool:
    return gap is not None and not context.archive.sighted(gap.source, further, by=gap.since)
