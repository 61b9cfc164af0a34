"""Poll the sources: home page, sitemaps, feeds, list API, sections with their further pages.

Boundary: only calls other modules in the right order; `discover` parses a response,
`source_results` writes what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from crawler import schedule, site, urls
from crawler.discover import Discovery
from crawler.errors import BadStatus, Disallowed, FetchError, UnreadableSource
from crawler.outcome import Outcome
from crawler.pipeline.fetching import Capture, FetchFailure, fetch, note_failure
from crawler.pipeline.gaps import gap_to_page_back
from crawler.pipeline.quarantine import guarded
from crawler.pipeline.run import Run
from crawler.pipeline.source_results import (
    ListWalk,
    handle_failure,
    handle_list,
    handle_unmodified,
    quarantine_source,
)
from crawler.pipeline.source_selection import configure
from crawler.purpose import Purpose
from crawler.schedule import conditional
from crawler.types import Fetched, Gap, Sighting, SourceForPoll, SourceFound, SourceKind

_NOT_MODIFIED = 304
_OK = 200


def poll_sources(run: Run, *, ignore_due: bool) -> None:
    """Poll the due sources and, in the same run, the sources that the home page and the sitemap index name."""
    with run.archive.transaction():
        run.archive.add_sources(standing_sources(run), run.clock.now())
    done: set[str] = set()
    while todo := [s for s in _due(run, ignore_due) if s.url not in done]:
        run.progress.phase("sources", len(todo))
        for source in todo:
            if run.stopping():
                return
            done.add(source.url)
            run.progress.step(poll_source(run, source))


def _due(run: Run, ignore_due: bool) -> list[SourceForPoll]:
    """Return the sources that are due at this moment. The home page may have named some of them during this run."""
    now = run.clock.now()
    configure(run, now)
    return run.archive.due_sources(now, ignore_due=ignore_due)


def standing_sources(run: Run) -> list[SourceFound]:
    """Return the sources that are known before the home page is read: those at fixed addresses and configured ones."""
    here = run.site
    return [
        SourceFound("home", here.root),
        SourceFound("sitemap_index", here.url(site.SITEMAP_INDEX)),
        SourceFound("news_sitemap", here.url(site.NEWS_SITEMAP)),
        SourceFound("feed", here.url(site.HOME_FEED)),
        SourceFound("feed_index", here.url(site.FEED_INDEX)),
        *(SourceFound(_kind(here.url(path)), here.url(path)) for path in run.settings.add),
    ]


def _kind(url: str) -> SourceKind:
    kinds: dict[str, SourceKind] = {"feed": "feed", "sitemap": "sitemap"}
    if url.endswith(site.FEED_INDEX):
        return "feed_index"
    return kinds.get(urls.shape(url), "section")


def poll_source(run: Run, source: SourceForPoll) -> Outcome:
    """Poll one source."""

    def quarantine(message: str, now: datetime, _: int | None) -> Outcome:
        return quarantine_source(run, source, message, now)

    return guarded(run, Purpose.source(source.url), lambda: _fetch_and_handle(run, source), quarantine)


def _fetch_and_handle(run: Run, source: SourceForPoll) -> Outcome:
    purpose = Purpose.source(source.url)
    response = _request(run, source, purpose)
    if isinstance(response, FetchFailure):
        return handle_failure(run, source, response.error, response.at)
    if response.fetched.status == _NOT_MODIFIED:
        return handle_unmodified(run, source, response.at)
    try:
        found = _parse(run, source, response.fetched)
    except (BadStatus, UnreadableSource) as error:
        return handle_failure(run, source, error, response.at)
    walk = _walk_back(run, source, found)
    with run.crash_marker.processing(str(purpose)):
        return handle_list(run, source, response, found, walk)


def _request(run: Run, source: SourceForPoll, purpose: Purpose) -> Capture | FetchFailure:
    if not run.site.may_request(source.url):
        error = Disallowed(source.url, "not an address of this site")
        return note_failure(run, source.url, error, purpose)
    validators = conditional.to_send(source, run.clock.now(), conditional.FULL_LIST_EVERY)
    return fetch(run, source.url, purpose, validators)


def _further_page(run: Run, source: SourceForPoll, url: str) -> Discovery:
    response = fetch(run, url, Purpose.source(source.url))
    if isinstance(response, FetchFailure):
        raise response.error
    return _parse(run, source, response.fetched)


def _parse(run: Run, source: SourceForPoll, fetched: Fetched) -> Discovery:
    if fetched.status != _OK:
        raise BadStatus(fetched.url, fetched.status)
    requested = fetched.hops[0].url if fetched.hops else None
    with run.crash_marker.processing(str(Purpose.source(source.url))):
        return run.discovery(source.kind, source.url, fetched, requested)


def _walk_back(run: Run, source: SourceForPoll, first: Discovery) -> ListWalk:
    """Read further pages of a source while `schedule.reads_on` asks for it, or until a page repeats the previous one.

    A server may ignore the page number and return the same page again (dossier section 9). If the source has an open
    gap, reading continues back to articles that were listed before the gap. An error on a further page ends the
    reading, but what the earlier pages listed is kept.
    """
    sightings, shown, more = list(first.sightings), first.sightings, first.more
    before: set[int | None] = set()
    further: set[int] = set()
    gap = gap_to_page_back(run, source, run.clock.now()) if more is not None else None
    for _ in range(run.settings.list_pages - 1):
        if more is None or not (_reads_on(run, source, shown) or _before_gap(run, gap, further)):
            break
        try:
            page = _further_page(run, source, more)
        except (FetchError, UnreadableSource) as error:
            return ListWalk(tuple(sightings), frozenset(further), f"further pages: {error}")
        ids = {s.post_id for s in page.sightings}
        if ids <= before:
            break
        seen = {s.post_id for s in sightings}  # the sidebar of the first page also lists stories of the second
        unseen = [s for s in page.sightings if s.post_id not in seen]
        sightings += [replace(s, position=len(sightings) + i) for i, s in enumerate(unseen)]
        further |= {i for i in ids if i is not None}
        shown, before, more = page.sightings, ids, page.more
    return ListWalk(tuple(sightings), frozenset(further))


def _reads_on(run: Run, source: SourceForPoll, sightings: Iterable[Sighting]) -> bool:
    """Whether to read the page after one with these articles.

    It does not matter whether another source has listed them: the home page lists the newest stories of a section, but
    not the older ones.
    """
    ids = {s.post_id for s in sightings if s.post_id is not None}
    unseen = ids - run.archive.sighted(source.url, ids)
    return bool(unseen) if run.settings.reads_on_for_any else schedule.reads_on(ids, unseen)


def _before_gap(run: Run, gap: Gap | None, further: Iterable[int]) -> bool:
    """Whether to read older pages for `gap`: yes, as long as none of the ids in `further` was listed before the gap."""
    return gap is not None and not run.archive.sighted(gap.source, further, by=gap.since)
