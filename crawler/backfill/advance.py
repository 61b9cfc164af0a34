"""Do the next work item of the open plans.

Boundary: only calls other modules in the right order.
"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.backfill import id_probe, list_page
from crawler.backfill.work_item import WorkItem
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import Run, visit_page
from crawler.pipeline.pictures import visit_pictures_of
from crawler.plan_values import Plan, Step, StepOutcome
from crawler.types import PageForFetch

_PAGES_AT_ONCE = 8  # pages to look through for one that no other process is visiting
_WAIT = 1.0  # seconds, if other processes are visiting all of them
_PLAN_CLAIMS = 1 << 50  # plans are claimed by numbers above any post id


def advance(run: Run, plan: int | None = None) -> WorkItem | None:
    """Do one work item and return its result; return None if there is nothing to do now.

    `plan` is the id of the plan to work on; None means the oldest plan that has something to do. Only open plans are
    worked on. A plan with nothing left to do is closed. If another process is working on a plan, the plan is skipped
    or, if `plan` is its id, a work item of the kind `wait` is returned after a second.

    Raises:
        StopError: a fetch cannot continue, or the site does not answer requests by id and a person has to find out why.

    """
    for one in run.archive.plans(open_only=True):
        if plan in (None, one.id) and (item := _advance_alone(run, one, waits=plan is not None)) is not None:
            if item.outcome.id is not None:
                visit_pictures_of(run, item.outcome.id)
            return item
    return None


def _advance_alone(run: Run, plan: Plan, *, waits: bool) -> WorkItem | None:
    """Do a work item of a plan, unless another process is working on it (both would read the same list).

    If another process is working on the plan and `waits` is set, wait a second and return a work item of the kind
    `wait`.
    """
    with run.archive.claim(_PLAN_CLAIMS + plan.id) as claimed:
        if claimed:
            return _next_item(run, plan)
    if not waits:
        return None
    run.clock.sleep(_WAIT)
    return _waiting(plan, run.site.root, "another process is working on this plan")


def _next_item(run: Run, plan: Plan) -> WorkItem | None:
    now = run.clock.now()
    if pages := run.archive.plan_retries(plan.id, now, _PAGES_AT_ONCE):
        return _visit_first_free(run, plan, pages)
    for step in run.archive.steps_to_do(plan.id, now):
        if (item := _work_on(run, plan, step)) is not None:
            return item
    _close_if_done(run, plan)
    return None


def _work_on(run: Run, plan: Plan, step: Step) -> WorkItem | None:
    """Do a work item of one step; return None if the step has nothing to do now or is done."""
    if step.kind == "sonar":
        return id_probe.check_support(run, plan, step)
    if step.kind == "ids":
        return id_probe.probe_next(run, plan, step)
    oldest_first = plan.request.oldest_first
    if step.state == "listed" or not oldest_first:
        pages = run.archive.plan_pages(plan.id, step.position, oldest_first=oldest_first, limit=_PAGES_AT_ONCE)
        if pages:
            return _visit_first_free(run, plan, pages)
    if step.state == "todo":
        return list_page.read_list(run, plan, step)
    done = StepOutcome("done", found=step.found, error=step.error, error_kind=step.error_kind)
    with run.archive.transaction():
        run.archive.save_step(plan.id, step.position, done)
    return None


def _visit_first_free(run: Run, plan: Plan, pages: Sequence[PageForFetch]) -> WorkItem:
    """Visit the first page that no other process is visiting; wait a second if there is none."""
    for page in pages:
        outcome = visit_page(run, page)
        if run.archive.visited_since(page):
            return WorkItem(plan.id, "page", outcome, run.archive.page_state(page.id))
    run.clock.sleep(_WAIT)
    return _waiting(plan, pages[0].url, "other processes are visiting the next pages")


def _waiting(plan: Plan, url: str, why: str) -> WorkItem:
    return WorkItem(plan.id, "wait", Outcome(OutcomeKind.WAITING, url=url, detail=why))


def _close_if_done(run: Run, plan: Plan) -> None:
    """Close a plan if it has nothing left to do and waits for nothing."""
    steps = run.archive.steps(plan.id)
    if any(step.state in ("todo", "listed") and step.kind != "sonar" for step in steps):
        return
    if run.archive.plan_waits(plan.id)[0]:
        return
    with run.archive.transaction():
        for step in steps:
            if step.kind == "sonar" and step.state == "listed":
                run.archive.save_step(plan.id, step.position, StepOutcome("done", found=step.found))
        run.archive.set_plan_state(plan.id, "done", run.clock.now())
