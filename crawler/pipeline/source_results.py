"""What an answer of a source means for the rows: sightings, the rhythm learned, gaps, when to come back.

One answer is one transaction, dated by the answer: from the same evidence come the same rows.

Boundary: order only; what is concluded is `policy`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crawler import schedule
from crawler.discover import Discovery, sitemaps
from crawler.errors import BadStatus, Disallowed, PageError
from crawler.pipeline.gaps import open_gap, settle
from crawler.pipeline.pages import ask_again
from crawler.pipeline.run import Context
from crawler.pipeline.source_selection import add_named, add_named_by_failure, save_places
from crawler.schedule import conditional
from crawler.schedule.conditional import Validators
from crawler.types import Fetched, Sighting, SourceForPoll, SourceOutcome

_ABSENT = (404, 410)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a source gave, page after page: `further` are the ids behind its first page, `trouble` ended it early."""

    sightings: tuple[Sighting, ...]
    further: frozenset[int] = frozenset()
    trouble: str | None = None


def take_list(context: Context, source: SourceForPoll, fetched: Fetched, found: Discovery, walk: Walk) -> str:
    """Take in a good answer, and the further pages that it led to; give what came of it in words."""
    now = fetched.fetched_at
    with context.written():
        add_named(context, source, found, now)
        if found.doubt is not None:
            context.archive.add_sightings(source.url, walk.sightings, now, now)
            return _save(context, source, schedule.source_failed(source, now, found.doubt, bounds(context)), now)
        silent = schedule.source_silent(source, now, bounds(context)) if not found.sightings else None
        if silent is not None:
            return _save(context, source, silent, now)
        outcome = _read_well(context, source, found, walk, now)
        given = Validators(fetched.header("ETag"), fetched.header("Last-Modified"))
        lie = conditional.lied(source, given, changed=bool(outcome.fresh_items))
        outcome = replace(outcome, etag=given.etag, last_modified=given.last_modified, whole=True, lie=lie)
        ask_again(context, walk.sightings, now)
        _save(context, source, outcome, now, walk.further)
    context.report.sightings += len(walk.sightings)
    return f"{source.url}: {len(walk.sightings)} articles, {outcome.fresh_items} not known before"


def take_unmodified(context: Context, source: SourceForPoll, now: datetime) -> str:
    """Take in the answer that nothing has changed."""
    with context.written():
        look = schedule.Look(source.most_items or 0, 0, 0, source.last_ok_at)
        _save(context, source, replace(_polled(context, source, look, now), items=None, error=None), now)
        context.archive.keep_appearances(source.id, now)
    return f"{source.url}: not modified"


def take_failure(context: Context, source: SourceForPoll, error: PageError, now: datetime) -> str:
    """Take in that there was no good answer."""
    absent = isinstance(error, Disallowed) or (isinstance(error, BadStatus) and error.status in _ABSENT)
    with context.written():
        add_named_by_failure(context, source, error, now)
        outcome = schedule.source_failed(source, now, str(error), bounds(context), absent=absent)
        led = schedule.lead(context.archive.shown(), now)
        said = _save(context, source, outcome, now)
        heir = schedule.lead(context.archive.shown(), now)
        if heir is not None and led == source.url != heir:
            context.archive.hurry_sources([heir], now)
        return said


def put_off(context: Context, source: SourceForPoll, words: str, now: datetime) -> str:
    """Write that a bug kept an answer from being taken in; the caller holds the transaction."""
    context.archive.save_source(source.url, schedule.source_failed(source, now, words, bounds(context)), now)
    return f"{source.url}: {words}"


def bounds(context: Context) -> schedule.Bounds:
    """Give the configured bounds of the time between two polls of a source."""
    return schedule.Bounds(timedelta(seconds=context.floor), timedelta(seconds=context.ceiling))


def _save(
    context: Context, source: SourceForPoll, outcome: SourceOutcome, now: datetime, further: Collection[int] = ()
) -> str:
    context.archive.save_source(source.url, outcome, now)
    settle(context, source, further, now)
    return f"{source.url}: {outcome.error}"


def _read_well(context: Context, source: SourceForPoll, found: Discovery, walk: Walk, now: datetime) -> SourceOutcome:
    """Write what an answer shows; give its row. What was known before is asked before anything is written."""
    shown = {s.post_id for s in walk.sightings if s.post_id is not None}
    before = context.archive.sighted(source.url, shown)
    new = shown - context.archive.pages_known(shown)
    page = {s.post_id for s in found.sightings if s.post_id is not None}
    context.archive.add_sightings(source.url, walk.sightings, now, now)
    save_places(context, source, found, now)
    if (gap := schedule.gap_found(source, page, page & before)) is not None:
        open_gap(context, source, gap, now)
    since = _learn(context, source, [s for s in walk.sightings if s.post_id not in before], new, now)
    look = schedule.Look(len(page), len(page - before), len(page & new), source.last_ok_at)
    outcome = _polled(context, replace(source, learned_since=since), look, now)
    newest, middle = schedule.halves(page) or (None, None)
    return replace(
        outcome,
        fresh_items=len(new),
        error=walk.trouble or outcome.error,
        newest_id=newest,
        middle_id=middle,
        learned_since=since,
    )


def _learn(context: Context, source: SourceForPoll, arrived: list[Sighting], new: set[int], now: datetime) -> datetime:
    """Count what a source shows for the first time; give since when its articles are counted.

    Its first answer shows what came before anybody looked: only what is dated is counted, and nobody was first.
    """
    first = source.learned_since is None
    since = source.learned_since or schedule.watched_since([s.published_at for s in arrived], now)
    arrivals = [
        schedule.Arrival(s.published_at, s.post_id in new and not first)
        for s in arrived
        if not (first and s.published_at is None)
    ]
    if arrivals:
        held = context.archive.habits(source.id)
        week = schedule.Week(source.kind, held, source.learned_since, now)
        changed = schedule.learned(held, arrivals, week, since, source.last_ok_at or since, now)
        context.archive.save_habits(source.id, changed)
    return since


def _polled(context: Context, source: SourceForPoll, look: schedule.Look, now: datetime) -> SourceOutcome:
    """Decide when to come back, from all that was learned; the sitemap of a month that is over comes rarely."""
    habits = context.archive.habits(source.id)
    week = schedule.Week(source.kind, habits, source.learned_since, now)
    leads = schedule.lead(context.archive.shown(), now) == source.url
    use = 1.0 if leads else schedule.use(source.kind, habits, now)
    wait = schedule.interval(source.kind, look, week, use, now, bounds(context))
    outcome = schedule.source_polled(source, look, wait, now, schedule.chance(source.url, now))
    month = sitemaps.month(source.url) if source.kind == "sitemap" else None
    return outcome if month is None else schedule.past_month(outcome, month, now)
