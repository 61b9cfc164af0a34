"""One list of the past: the sitemap index, the sitemap of a month, one page of a section.

Boundary: order only; reading an answer is `discover`'s, what it means for the plan is `policy.plans`'s.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from crawler import plans, urls
from crawler.backfill.work_item import Unit
from crawler.discover import Discovery, discover, sitemaps
from crawler.errors import BadStatus, Disallowed, FetchError, PageError, UnreadableSource
from crawler.pipeline import Context, guarded
from crawler.plans import Plan, Step, StepOutcome, Walk
from crawler.types import Fetched, Sighting, SourceForPoll, SourceFound, SourceKind

_OK = 200
_ABSENT = (404, 410)
_KINDS: dict[str, SourceKind] = {
    "index": "sitemap_index",
    "sitemap": "sitemap",
    "section": "section",
    "list": "list",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of asking for a list: what was read, or why nothing was, and when."""

    at: datetime
    fetched: Fetched | None = None
    found: Discovery | None = None
    error: PageError | None = None


def read_list(context: Context, plan: Plan, step: Step) -> Unit:
    """Ask for the list that a step is at, and take in what it names."""

    def aside(words: str, now: datetime, _: int | None) -> Unit:
        return _save_failure(context, plan, step, words, now)

    purpose = purpose_of(_KINDS[step.kind], step.target)
    return guarded(context, purpose, lambda: _read_list(context, plan, step), aside)


def put_off(context: Context, kind: SourceKind, source: str, words: str, now: datetime) -> None:
    """Write on the open plans that a bug kept a list of theirs from being taken in; the caller holds the transaction."""
    for plan in context.archive.plans(open_only=True):
        for step in context.archive.steps(plan.id):
            if step.state == "todo" and (_KINDS.get(step.kind), step.target) == (kind, source):
                _save_failure(context, plan, step, words, now)


def _read_list(context: Context, plan: Plan, step: Step) -> Unit:
    kind, walk = _KINDS[step.kind], _walk(step)
    address = walk.next or step.target
    heard = ask(context, kind, step.target, address)
    if heard.error is not None:
        return _failed(context, plan, step, heard.error, heard.at)
    assert heard.fetched is not None
    assert heard.found is not None
    with context.in_hand.taking(purpose_of(kind, step.target)), context.written():
        fresh = take_list(context, kind, step.target, heard.fetched, heard.found)
        added = _go_on(context, plan, step, heard.found, walk)
    context.report.sightings += len(heard.found.sightings)
    named = len(heard.found.sources) if kind == "sitemap_index" else len(heard.found.sightings)
    words = f"{named} lists" if kind == "sitemap_index" else f"{named} articles, {fresh} not known before"
    return Unit(plan.id, "list", f"listed: {address}: {words}", address, found=added)


def ask(context: Context, kind: SourceKind, source: str, address: str) -> Heard:
    """Ask for one page of a list and keep the answer."""
    purpose = purpose_of(kind, source)
    try:
        fetched = context.fetcher.get(address)
    except FetchError as error:
        return Heard(context.keep_failure(address, error, purpose), error=error)
    context.keep(fetched, purpose)
    try:
        return Heard(fetched.fetched_at, fetched, read(context, kind, source, address, fetched))
    except (BadStatus, UnreadableSource) as error:
        return Heard(fetched.fetched_at, fetched, error=error)


def purpose_of(kind: SourceKind, source: str) -> str:
    """Say in the WARC what a list was fetched for."""
    return f"plan:{kind}:{source}"


def read(context: Context, kind: SourceKind, source: str, asked: str, fetched: Fetched) -> Discovery:
    """Read an answer.

    Raises:
        BadStatus: it is none.
        UnreadableSource: it is not what the list should give.

    """
    if fetched.status != _OK:
        raise BadStatus(fetched.url, fetched.status)
    polled = SourceForPoll(source, kind, None, "new", 0, None, None)
    with context.in_hand.taking(purpose_of(kind, source)):
        found = discover(polled, fetched.content, fetched.url, context.site, fetched.fetched_at, asked=asked)
    if found.doubt is not None:
        raise UnreadableSource(fetched.url, found.doubt)
    return found


def take_list(context: Context, kind: SourceKind, source: str, fetched: Fetched, found: Discovery) -> int:
    """Write what an answer names, whatever plan asked for it; give how many articles were not known before.

    What an old list names is fetched when a plan comes to it, so it is not due; what this month's or the last one's
    sitemap names is due, as it is when the poll reads it. The caller holds the transaction.
    """
    now = fetched.fetched_at
    itself = SourceFound(kind, source, when=sitemaps.month(source) if kind == "sitemap" else None)
    context.archive.add_sources([itself, *(s for s in found.sources if s.url != source)], None)
    due = now if kind == "sitemap" and not sitemaps.is_over(itself, now) else None
    fresh = context.archive.add_sightings(source, _placed(found, source, fetched), now, due)
    context.archive.save_listed(source, len(found.sightings), fresh, now)
    return fresh


def _placed(found: Discovery, source: str, fetched: Fetched) -> list[Sighting]:
    """Give the sightings; on a further page of a list, the place on it is not the place in the list."""
    further = urls.canonical(fetched.url).rstrip("/") != urls.canonical(source).rstrip("/")
    return [replace(s, position=None) for s in found.sightings] if further else list(found.sightings)


def _go_on(context: Context, plan: Plan, step: Step, found: Discovery, walk: Walk) -> int:
    """Write how far the step is, and what it brings the plan; give how many pages that is."""
    if step.kind == "index":
        named = [(s.when, s.url) for s in found.sources if s.kind == "sitemap"]
        _add_months(context, plan, step, StepOutcome("done", found=len(named)), named)
        return 0
    ids = [s.post_id for s in found.sightings if s.post_id is not None]
    outcome = StepOutcome("listed", found=len(ids))
    if step.kind in ("section", "list"):
        lowest, highest = plans.ids_listed(plan.asked)
        walk = plans.walked(walk, ids, found.more, lowest)
        ids = [i for i in ids if lowest <= i <= highest]
        found_so_far = step.found + len(ids)
        outcome = StepOutcome("listed", found=found_so_far)
        if walk.next is not None:
            outcome = StepOutcome("todo", asdict(walk), found_so_far)
    context.archive.save_step(plan.id, step.position, outcome)
    return context.archive.add_plan_pages(plan.id, step.position, ids)


def _add_months(
    context: Context, plan: Plan, step: Step, outcome: StepOutcome, named: list[tuple[tuple[int, int] | None, str]]
) -> None:
    context.archive.save_step(plan.id, step.position, outcome)
    months = plans.sitemaps(plan.asked, context.site, named)
    context.archive.add_steps(plan.id, [("sitemap", url) for url in months])


def _failed(context: Context, plan: Plan, step: Step, error: PageError, now: datetime) -> Unit:
    """Write that a list gave no good answer; without an index, the months have the addresses that are thought."""
    absent = isinstance(error, Disallowed) or (isinstance(error, BadStatus) and error.status in _ABSENT)
    with context.written():
        return _save_failure(context, plan, step, str(error), now, absent=absent)


def _save_failure(context: Context, plan: Plan, step: Step, words: str, now: datetime, *, absent: bool = False) -> Unit:
    outcome = plans.step_failed(step, now, words, absent=absent)
    if outcome.state in ("absent", "failed") and _walk(step).next is not None:  # what its pages named until here stands
        outcome = StepOutcome("listed", found=step.found, error=words)
    if step.kind == "index" and outcome.state in ("absent", "failed"):
        _add_months(context, plan, step, outcome, [])
    else:
        context.archive.save_step(plan.id, step.position, outcome)
    return Unit(plan.id, "list", f"{outcome.state}: {step.target}: {words}", step.target)


def _walk(step: Step) -> Walk:
    cursor: Any = dict(step.cursor)
    return Walk(**{**cursor, "before": tuple(cursor["before"])}) if cursor else Walk()
