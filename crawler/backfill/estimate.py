"""How far a plan is, what is left of it, and what it waits for.

Boundary: reads only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crawler import plans
from crawler.backfill import id_probe
from crawler.discover import sitemaps
from crawler.pipeline import Context
from crawler.plans import Asked, Month, Plan, Step
from crawler.site import SECTION_PAGE
from crawler.storage import Archive


@dataclass(frozen=True, slots=True)
class Figures:
    """A plan in figures: its pages by state, and what is thought to be behind the lists that were not read yet."""

    pages: dict[str, int]
    lists: int
    unlisted: int

    @property
    def found(self) -> int:
        """How many pages the plan knows of."""
        return sum(self.pages.values())

    @property
    def to_fetch(self) -> int:
        """How many pages are to be fetched, as far as can be thought."""
        return self.pages.get("known", 0) + self.unlisted


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an open plan, of which nothing can be done now, waits for, and until when; None when for a human."""

    why: str
    until: datetime | None


def figures(archive: Archive, plan: Plan) -> Figures:
    """Count what a plan has done and has before it."""
    steps = archive.steps(plan.id)
    todo = [step for step in steps if step.state == "todo"]
    return Figures(archive.plan_counts(plan.id), len(todo), _unlisted(archive, plan.asked, todo))


def thought_of(archive: Archive | None, asked: Asked) -> Figures:
    """Count what a plan that is not made yet would have before it, from what is known without a request.

    Raises:
        StopError: it is about ids, and none are known.

    """
    if asked.via == "ids":
        return _holes(archive, asked)
    exist = plans.thought_to_exist(asked.since, asked.until)
    held = archive.held_between(asked.since, asked.until) if archive is not None else 0
    lists = 1 + len(plans.months(asked)) if asked.via == "sitemap" else exist // SECTION_PAGE
    return Figures({"live": held} if held else {}, lists, max(0, exist - held))


def _holes(archive: Archive | None, asked: Asked) -> Figures:
    id_probe.require_held(archive)
    assert archive is not None
    first, last = id_probe.span(archive, asked)
    return Figures({}, 0, max(0, last - first + 1 - len(archive.ids_known(first, last))))


def outlook(context: Context, plan: Plan) -> Outlook:
    """Say what an open plan waits for, of which nothing can be done now."""
    if plan.asked.via == "ids" and context.archive.step(plan.id, 0).state == "failed":
        return Outlook("the site cannot be asked by id alone", None)
    if plan.asked.via == "ids" and not id_probe.may_ask(context):
        tomorrow = plans.day_begins(context.clock.now()) + timedelta(days=1)
        return Outlook(f"the {context.id_probes} requests for ids of one day are made", tomorrow)
    waiting, until = context.archive.plan_waits(plan.id)
    return Outlook(f"{waiting} to be tried again", until)


def _unlisted(archive: Archive, asked: Asked, todo: Iterable[Step]) -> int:
    found = 0
    for step in todo:
        if step.kind == "index":
            found += plans.thought_to_exist(asked.since, asked.until)
        elif step.kind == "sitemap" and (month := sitemaps.month(step.target)) is not None:
            found += _in_month(Month(*month), asked.until)
        elif step.kind == "ids":
            first, last = plans.span(step.target)
            found += last - first + 1 - len(archive.ids_known(first, last))
    return found


def _in_month(month: Month, until: date) -> int:
    return plans.thought_to_exist(month.first, min(month.next.first - timedelta(days=1), until))
