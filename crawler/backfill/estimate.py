"""How much of a plan is done, how much remains, and what it waits for.

Boundary: reads only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crawler import plans
from crawler.backfill import id_probe
from crawler.pipeline import Run
from crawler.plan_values import BackfillRequest, Plan, Step
from crawler.plans import PlanMonth
from crawler.site import SECTION_PAGE, sitemap_month
from crawler.storage import Archive


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """What a plan has done and what remains.

    `pages` has the number of the plan's pages by state. `lists` is the number of steps that remain to be done (unread
    lists or ranges of ids). `unlisted` is an estimate of the number of pages that these steps will find.
    """

    pages: dict[str, int]
    lists: int
    unlisted: int

    @property
    def found(self) -> int:
        """The number of pages that the plan has found."""
        return sum(self.pages.values())

    @property
    def to_fetch(self) -> int:
        """An estimate of the number of pages that remain to be fetched."""
        return self.pages.get("known", 0) + self.unlisted


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nothing can be done now for an open plan, and until when; `until` is None if a person has to act."""

    why: str
    until: datetime | None


def plan_figures(archive: Archive, plan: Plan) -> PlanFigures:
    """Count what a plan has done, and estimate what remains to be done."""
    steps = archive.steps(plan.id)
    todo = [step for step in steps if step.state == "todo"]
    return PlanFigures(archive.plan_counts(plan.id), len(todo), _unlisted(archive, plan.request, todo))


def estimate(archive: Archive | None, request: BackfillRequest) -> PlanFigures:
    """Estimate the work of a plan that does not exist yet, without any request to the site.

    Raises:
        StopError: the plan would probe ids, and the archive holds no article.

    """
    if request.via == "ids":
        return _holes(archive, request)
    total = plans.estimated_articles(request.since, request.until)
    held = archive.held_between(request.since, request.until) if archive is not None else 0
    lists = 1 + len(plans.months(request)) if request.via == "sitemap" else total // SECTION_PAGE
    return PlanFigures({"live": held} if held else {}, lists, max(0, total - held))


def _holes(archive: Archive | None, request: BackfillRequest) -> PlanFigures:
    id_probe.require_archived(archive)
    assert archive is not None
    first, last = id_probe.id_range(archive, request)
    return PlanFigures({}, 0, max(0, last - first + 1 - len(archive.ids_known(first, last))))


def obstacle(run: Run, plan: Plan) -> Obstacle:
    """Return what an open plan waits for. Call it only if `advance` has nothing to do for the plan now."""
    if plan.request.via == "ids" and run.archive.step(plan.id, 0).state == "failed":
        return Obstacle("the site does not answer requests by id alone", None)
    if plan.request.via == "ids" and not id_probe.requests_left(run):
        tomorrow = plans.day_begins(run.clock.now()) + timedelta(days=1)
        return Obstacle(f"the daily limit of {run.settings.id_probes} requests by id is reached", tomorrow)
    waiting, until = run.archive.plan_waits(plan.id)
    what = "1 page or list waits" if waiting == 1 else f"{waiting} pages or lists wait"
    return Obstacle(f"{what} for a retry", until)


def _unlisted(archive: Archive, request: BackfillRequest, todo: Iterable[Step]) -> int:
    total = 0
    for step in todo:
        if step.kind == "index":
            total += plans.estimated_articles(request.since, request.until)
        elif step.kind == "sitemap" and (month := sitemap_month(step.target)) is not None:
            total += _in_month(PlanMonth(*month), request.until)
        elif step.kind == "ids":
            first, last = plans.parse_id_range(step.target)
            total += last - first + 1 - len(archive.ids_known(first, last))
    return total


def _in_month(month: PlanMonth, until: date) -> int:
    return plans.estimated_articles(month.first, min(month.next.first - timedelta(days=1), until))
