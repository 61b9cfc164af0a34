"""Read one list for a backfill: the sitemap index, the sitemap of a month, or one page of a section.

Boundary: only calls other modules in the right order; `discover` parses a response, `crawler.plans` decides what it
means for the plan.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from crawler import plans, urls
from crawler.backfill.work_item import WorkItem
from crawler.discover import Discovery, sitemaps
from crawler.discover.problems import summary
from crawler.errors import BadStatus, PageError, UnreadableSource
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import FetchFailure, Run, fetch, guarded
from crawler.plan_values import Plan, Step, StepOutcome
from crawler.plans import ListCursor
from crawler.purpose import Purpose
from crawler.site import sitemap_month
from crawler.types import ErrorKind, Fetched, Sighting, SourceFound, SourceKind

_OK = 200
_KINDS: dict[str, SourceKind] = {
    "index": "sitemap_index",
    "sitemap": "sitemap",
    "section": "section",
    "list": "list",
}


def read_list(run: Run, plan: Plan, step: Step) -> WorkItem:
    """Fetch the next page of a step's list, and store the articles and sources that the page names."""

    def quarantine(message: str, now: datetime, _: int | None) -> WorkItem:
        return _save_failure(run, plan, step, message, ErrorKind.BUG, now)

    purpose = Purpose.listing(_KINDS[step.kind], step.target)
    return guarded(run, purpose, lambda: _fetch_and_store(run, plan, step, purpose), quarantine)


def quarantine_list(run: Run, kind: SourceKind, source: str, message: str, now: datetime) -> None:
    """Record in the open plans that one of their lists crashed the crawler. Needs an open transaction."""
    for plan in run.archive.plans(open_only=True):
        for step in run.archive.steps(plan.id):
            if step.state == "todo" and (_KINDS.get(step.kind), step.target) == (kind, source):
                _save_failure(run, plan, step, message, ErrorKind.BUG, now)


def _fetch_and_store(run: Run, plan: Plan, step: Step, purpose: Purpose) -> WorkItem:
    kind, cursor = _KINDS[step.kind], _cursor(step)
    address = cursor.next or step.target
    response = fetch(run, address, purpose)
    if isinstance(response, FetchFailure):
        return _failed(run, plan, step, response.error, response.at)
    try:
        found = parse_list(run, kind, step.target, address, response.fetched)
    except (BadStatus, UnreadableSource) as error:
        return _failed(run, plan, step, error, response.at)
    with run.crash_marker.processing(str(purpose)), run.transaction():
        new = store_list(run, kind, step.target, response.fetched, found)
        added = _advance_step(run, plan, step, found, cursor)
    run.report.sightings += len(found.sightings)
    articles = f"{len(found.sightings)} articles, {new} new"
    detail = f"{len(found.sources)} lists" if kind == "sitemap_index" else articles
    return WorkItem(plan.id, "list", Outcome(OutcomeKind.LISTED, url=address, detail=detail), found=added)


def parse_list(run: Run, kind: SourceKind, source: str, address: str, fetched: Fetched) -> Discovery:
    """Parse one page of a list.

    Raises:
        BadStatus: the HTTP status is not 200.
        UnreadableSource: the response cannot be read as a list of this kind.

    """
    if fetched.status != _OK:
        raise BadStatus(fetched.url, fetched.status)
    with run.crash_marker.processing(str(Purpose.listing(kind, source))):
        found = run.discovery(kind, source, fetched, address)
    if found.doubt is not None:
        raise UnreadableSource(fetched.url, found.doubt)
    return found


def store_list(run: Run, kind: SourceKind, source: str, fetched: Fetched, found: Discovery) -> int:
    """Store what a list page names; return how many of its articles were not known. Needs an open transaction.

    The articles of an old list are not made due: they are fetched when a plan comes to them. Articles in the sitemap of
    this month or the month before are made due, as after a poll.
    """
    now = fetched.fetched_at
    itself = SourceFound(kind, source, when=sitemap_month(source) if kind == "sitemap" else None)
    named = () if kind == "section" else found.sources  # polls add what a section names, and poll it
    run.archive.add_sources([itself, *(s for s in named if s.url != source)], None)
    source = run.archive.known_source(source) or source
    due = now if kind == "sitemap" and not sitemaps.is_over(itself, now) else None
    new = run.archive.add_sightings(source, _with_positions(found, source, fetched), now, due)
    run.archive.save_listed(source, len(found.sightings), new, now, summary(found.problems))
    return new


def _with_positions(found: Discovery, source: str, fetched: Fetched) -> list[Sighting]:
    """Return the sightings of a list page; without positions if it is not the first page of the list.

    The position on a later page is not the position in the whole list.
    """
    further = urls.canonical(fetched.url).rstrip("/") != urls.canonical(source).rstrip("/")
    return [replace(s, position=None) for s in found.sightings] if further else list(found.sightings)


def _advance_step(run: Run, plan: Plan, step: Step, found: Discovery, cursor: ListCursor) -> int:
    """Store the progress of a step and the pages that its list names; return how many of them are new to the plan."""
    if step.kind == "index":
        named = [(s.when, s.url) for s in found.sources if s.kind == "sitemap"]
        _add_months(run, plan, step, StepOutcome("done", found=len(named)), named)
        return 0
    ids = [s.post_id for s in found.sightings if s.post_id is not None]
    outcome = StepOutcome("listed", found=len(ids))
    if lost := summary(problem for problem in found.problems if problem.kind.loses_entries):
        outcome = replace(outcome, error=lost, error_kind=ErrorKind.DAMAGED)  # the next run of the plan reads it again
    if step.kind in ("section", "list"):
        lowest, highest = plans.listed_ids(plan.request)
        cursor = plans.next_cursor(cursor, ids, found.more, lowest)
        ids = [i for i in ids if lowest <= i <= highest]
        total = step.found + len(ids)
        outcome = StepOutcome("listed", found=total)
        if cursor.next is not None:
            outcome = StepOutcome("todo", asdict(cursor), total)
    run.archive.save_step(plan.id, step.position, outcome)
    return run.archive.add_plan_pages(plan.id, step.position, ids)


def _add_months(
    run: Run, plan: Plan, step: Step, outcome: StepOutcome, named: list[tuple[tuple[int, int] | None, str]]
) -> None:
    run.archive.save_step(plan.id, step.position, outcome)
    absent = run.archive.absent_guesses()
    run.archive.add_steps(plan.id, plans.month_sitemaps(plan.request, run.site, named, absent))


def _failed(run: Run, plan: Plan, step: Step, error: PageError, now: datetime) -> WorkItem:
    with run.transaction():
        absent = error.is_absence or (step.guessed and isinstance(error, UnreadableSource))
        return _save_failure(run, plan, step, str(error), error.kind, now, absent=absent)


def _save_failure(
    run: Run, plan: Plan, step: Step, message: str, kind: ErrorKind, now: datetime, *, absent: bool = False
) -> WorkItem:
    outcome = plans.step_failed(step, now, message, absent=absent, kind=kind)
    final = outcome.state in ("absent", "failed")
    if final and _cursor(step).next is not None:  # what the pages before this one named remains valid
        outcome = StepOutcome("listed", found=step.found, error=message, error_kind=kind)
    if step.kind == "index" and final:  # without an index, the months' sitemaps are tried at their usual addresses
        _add_months(run, plan, step, outcome, [])
    else:
        run.archive.save_step(plan.id, step.position, outcome)
    result = OutcomeKind.LIST_ABSENT if outcome.state == "absent" else OutcomeKind.FAILED
    if step.guessed and outcome.state == "absent":
        result = OutcomeKind.ABSENT
    return WorkItem(plan.id, "list", Outcome(result, url=step.target, detail=message))


def _cursor(step: Step) -> ListCursor:
    stored: Any = dict(step.cursor)
    return ListCursor(**{**stored, "before": tuple(stored["before"])}) if stored else ListCursor()
