"""Store what follows from the response of a source: sightings, publication rate, gaps, the time of the next poll.

Each response is stored in one transaction, with the time of the response, so that the same WARC files give the same
rows.

Boundary: only calls other modules in the right order; `schedule` decides.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from crawler import schedule
from crawler.discover import Discovery
from crawler.discover.problems import summary
from crawler.errors import PageError
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline.fetching import Capture
from crawler.pipeline.gaps import open_gap, reconcile_gaps
from crawler.pipeline.pages import retry_abandoned
from crawler.pipeline.run import Run
from crawler.pipeline.source_selection import add_named, add_named_by_failure, save_positions
from crawler.schedule import conditional
from crawler.schedule.conditional import Validators
from crawler.site import sitemap_month
from crawler.types import ErrorKind, Sighting, SourceForPoll, SourceOutcome


@dataclass(frozen=True, slots=True)
class ListWalk:
    """What a source listed on all pages that were read.

    `further` has the ids on the pages after the first one. `trouble` is a text that says why
    the reading ended early; None if it did not.
    """

    sightings: tuple[Sighting, ...]
    further: frozenset[int] = frozenset()
    trouble: str | None = None


def handle_list(run: Run, source: SourceForPoll, response: Capture, found: Discovery, walk: ListWalk) -> Outcome:
    """Process a good response of a source: `found` is its first page, `walk` holds what all its pages list."""
    now = response.at
    with run.transaction():
        damage = summary((*found.problems, *add_named(run, source, found, now)))
        if found.doubt is not None:
            run.archive.add_sightings(source.url, walk.sightings, now, now)
            return _save_failure(run, source, _joined(found.doubt, damage), ErrorKind.UNREADABLE, now)
        empty = schedule.source_empty(source, now, run.settings.poll_bounds) if not found.sightings else None
        if empty is not None:
            empty = replace(empty, error=_joined(empty.error, damage))
            _save(run, source, empty, now)
            return Outcome(OutcomeKind.FAILED, url=source.url, detail=empty.error or "")
        outcome = _save_sightings(run, source, found, walk, now)
        received = Validators(response.fetched.header("ETag"), response.fetched.header("Last-Modified"))
        mismatch = conditional.mismatch(source, received, changed=bool(outcome.fresh_items))
        if damage is not None:
            outcome = replace(outcome, error=_joined(outcome.error, damage), error_kind=ErrorKind.DAMAGED)
        outcome = replace(outcome, etag=received.etag, last_modified=received.last_modified, whole=True, lie=mismatch)
        retry_abandoned(run, walk.sightings, now)
        _save(run, source, outcome, now, walk.further)
    run.report.sightings += len(walk.sightings)
    kind = OutcomeKind.FOUND if outcome.fresh_items else OutcomeKind.NO_NEWS
    listed = f"{len(walk.sightings)} articles, {outcome.fresh_items} new"
    return Outcome(kind, url=source.url, detail=_joined(listed, damage))


def handle_unmodified(run: Run, source: SourceForPoll, now: datetime) -> Outcome:
    """Process a 304 response, which says that the source has not changed: if it was damaged, it still is."""
    damaged = source.error_kind is ErrorKind.DAMAGED
    note, kind = (source.error, source.error_kind) if damaged else (None, None)
    with run.transaction():
        result = schedule.PollResult(source.most_items or 0, 0, 0, source.last_ok_at)
        outcome = replace(_polled(run, source, result, now), items=None, error=note, error_kind=kind)
        _save(run, source, outcome, now)
        run.archive.extend_appearances(source.id, now)
    return Outcome(OutcomeKind.NOT_MODIFIED, url=source.url)


def handle_failure(run: Run, source: SourceForPoll, error: PageError, now: datetime) -> Outcome:
    """Process a poll without a good response. If the primary source failed, the fallback source is made due at once."""
    with run.transaction():
        add_named_by_failure(run, source, error, now)
        primary = schedule.primary_source(run.archive.source_counts(), now)
        outcome = _save_failure(run, source, str(error), error.kind, now, absent=error.is_absence)
        fallback = schedule.primary_source(run.archive.source_counts(), now)
        if fallback is not None and primary == source.url != fallback:
            run.archive.mark_sources_due([fallback], now)
        return outcome


def quarantine_source(run: Run, source: SourceForPoll, message: str, now: datetime) -> Outcome:
    """Record in a source's row that the response crashed the crawler. Needs an open transaction."""
    bounds = run.settings.poll_bounds
    outcome = schedule.source_failed(source, now, message, bounds, kind=ErrorKind.BUG)
    run.archive.save_source(source.url, outcome, now)
    return Outcome(OutcomeKind.FAILED, url=source.url, detail=message)


def _joined(*texts: str | None) -> str:
    return "; ".join(text for text in texts if text)


def _save_failure(
    run: Run, source: SourceForPoll, message: str, kind: ErrorKind, now: datetime, *, absent: bool = False
) -> Outcome:
    bounds = run.settings.poll_bounds
    failed = schedule.source_failed(source, now, message, bounds, absent=absent, kind=kind)
    _save(run, source, failed, now)
    result = OutcomeKind.ABSENT if failed.state == "absent" else OutcomeKind.FAILED
    return Outcome(result, url=source.url, detail=message)


def _save(
    run: Run, source: SourceForPoll, outcome: SourceOutcome, now: datetime, further: Collection[int] = ()
) -> None:
    run.archive.save_source(source.url, outcome, now)
    reconcile_gaps(run, source, further, now)


def _save_sightings(run: Run, source: SourceForPoll, found: Discovery, walk: ListWalk, now: datetime) -> SourceOutcome:
    """Store what a response lists, and return the changes to the row of the source.

    The known articles are queried first: once the sightings are stored, all listed articles are known.
    """
    listed = {s.post_id for s in walk.sightings if s.post_id is not None}
    before = run.archive.sighted(source.url, listed)
    new = listed - run.archive.pages_known(listed)
    first_page = {s.post_id for s in found.sightings if s.post_id is not None}
    run.archive.add_sightings(source.url, walk.sightings, now, now)
    save_positions(run, source, found, now)
    if (gap := schedule.gap_found(source, first_page, first_page & before)) is not None:
        open_gap(run, source, gap, now)
    since = _update_counts(run, source, [s for s in walk.sightings if s.post_id not in before], new, now)
    result = schedule.PollResult(len(first_page), len(first_page - before), len(first_page & new), source.last_ok_at)
    outcome = _polled(run, replace(source, learned_since=since), result, now)
    newest, middle = schedule.halves(first_page) or (None, None)
    return replace(
        outcome,
        fresh_items=len(new),
        error=walk.trouble or outcome.error,
        newest_id=newest,
        middle_id=middle,
        learned_since=since,
    )


def _update_counts(run: Run, source: SourceForPoll, arrived: list[Sighting], new: set[int], now: datetime) -> datetime:
    """Count the articles that a source lists for the first time; return the time from which they are counted.

    The first response lists what was published before the first poll. Of these articles, only those with a publication
    time are counted, but not as articles that this source was the first to list.
    """
    first = source.learned_since is None
    since = source.learned_since or schedule.counted_since([s.published_at for s in arrived], now)
    arrivals = [
        schedule.Arrival(s.published_at, s.post_id in new and not first)
        for s in arrived
        if not (first and s.published_at is None)
    ]
    if arrivals:
        counts = run.archive.hour_counts(source.id)
        week = schedule.WeekRates(source.kind, counts, source.learned_since, now)
        changed = schedule.updated_counts(counts, arrivals, week, since, source.last_ok_at or since, now)
        run.archive.save_hour_counts(source.id, changed)
    return since


def _polled(run: Run, source: SourceForPoll, result: schedule.PollResult, now: datetime) -> SourceOutcome:
    """Return the changes to the row of a source after a good response, with the time of the next poll."""
    counts = run.archive.hour_counts(source.id)
    week = schedule.WeekRates(source.kind, counts, source.learned_since, now)
    is_primary = schedule.primary_source(run.archive.source_counts(), now) == source.url
    share = 1.0 if is_primary else schedule.first_share(source.kind, counts, now)
    wait = schedule.interval(source.kind, result, week, share, now, run.settings.poll_bounds)
    outcome = schedule.source_polled(source, result, wait, now, schedule.pseudo_random(source.url, now))
    month = sitemap_month(source.url) if source.kind == "sitemap" else None
    return outcome if month is None else schedule.past_month(outcome, month, now)
