"""The next unit of work of the open plans.

Boundary: order only.
"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.backfill import id_probe, listing
from crawler.backfill.work_item import Unit
from crawler.pipeline import Context, visit_page
from crawler.plans import Plan, Step, StepOutcome
from crawler.types import PageForFetch

_AT_HAND = 8  # pages looked at for one that no other process has
_PATIENCE = 1.0  # seconds, when other processes have them all
_PLANS = 1 << 50  # plans are claimed by numbers that no post id has


def advance(context: Context, plan: int | None = None) -> Unit | None:
    """Do one unit of work of the open plans, the oldest first, or of one plan; None when there is none to do now.

    A plan of which nothing is left to do is ended. One that another process is at is left to it, or, where that plan
    is meant, waited for.

    Raises:
        StopError: as a fetch does; or the site does not answer to ids, which is for a human to look at.

    """
    for one in context.archive.plans(open_only=True):
        if plan in (None, one.id) and (unit := _alone(context, one, waits=plan is not None)) is not None:
            return unit
    return None


def _alone(context: Context, plan: Plan, *, waits: bool) -> Unit | None:
    """Do a unit of a plan that no other process is at: two would read the same list."""
    with context.archive.claim(_PLANS + plan.id) as claimed:
        if claimed:
            return _unit(context, plan)
    if not waits:
        return None
    context.clock.sleep(_PATIENCE)
    return Unit(plan.id, "wait", "another process is at this plan", context.site.root)


def _unit(context: Context, plan: Plan) -> Unit | None:
    now = context.clock.now()
    if pages := context.archive.plan_retries(plan.id, now, _AT_HAND):
        return _visit(context, plan, pages)
    for step in context.archive.steps_to_do(plan.id, now):
        if (unit := _work(context, plan, step)) is not None:
            return unit
    _end(context, plan)
    return None


def _work(context: Context, plan: Plan, step: Step) -> Unit | None:
    """Work on one step; None when it has nothing to do now, or is done."""
    if step.kind == "sonar":
        return id_probe.listen(context, plan, step)
    if step.kind == "ids":
        return id_probe.ask_next(context, plan, step)
    oldest_first = plan.asked.oldest_first
    if step.state == "listed" or not oldest_first:
        pages = context.archive.plan_pages(plan.id, step.position, oldest_first=oldest_first, limit=_AT_HAND)
        if pages:
            return _visit(context, plan, pages)
    if step.state == "todo":
        return listing.read_list(context, plan, step)
    with context.archive.transaction():
        context.archive.save_step(plan.id, step.position, StepOutcome("done", found=step.found, error=step.error))
    return None


def _visit(context: Context, plan: Plan, pages: Sequence[PageForFetch]) -> Unit:
    """Visit the first page that no other process has."""
    for page in pages:
        what = visit_page(context, page)
        if context.archive.visited_since(page):
            return Unit(plan.id, "page", what, page.url, context.archive.page_state(page.id))
    context.clock.sleep(_PATIENCE)
    return Unit(plan.id, "wait", "other processes have the next pages", pages[0].url)


def _end(context: Context, plan: Plan) -> None:
    """End a plan that has nothing left to do and waits for nothing."""
    steps = context.archive.steps(plan.id)
    if any(step.state in ("todo", "listed") and step.kind != "sonar" for step in steps):
        return
    if context.archive.plan_waits(plan.id)[0]:
        return
    with context.archive.transaction():
        for step in steps:
            if step.kind == "sonar" and step.state == "listed":
                context.archive.save_step(plan.id, step.position, StepOutcome("done", found=step.found))
        context.archive.set_plan_state(plan.id, "done", context.clock.now())
