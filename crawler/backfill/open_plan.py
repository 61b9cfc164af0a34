"""Find the plan of a backfill request: an open one, one that is done, or a new one.

Boundary: only calls other modules in the right order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from crawler import fold, plans, urls
from crawler.backfill import id_probe
from crawler.errors import StopError
from crawler.pipeline import Run
from crawler.plan_values import BackfillRequest, Plan, StepKind
from crawler.storage import Archive


@dataclass(frozen=True, slots=True)
class OpenedPlan:
    """A plan and how it was found: `new`, already `open`, already `done`, or opened `again` after it was done."""

    plan: Plan
    how: Literal["new", "open", "done", "again"]


def open_plan(run: Run, request: BackfillRequest, *, until_given: bool) -> OpenedPlan:
    """Find the plan of a request, or create it.

    If the user gave no last day (`until_given` is False), an open plan also fits if it differs from the request only in
    its last day. A plan that is done but has failures is opened again: to retry them, a user repeats the command.

    Raises:
        StopError: no sections or no ids are known yet, or no section has the requested name.

    """
    found = find_plan(run.archive, request, until_given=until_given)
    if found is None:
        if request.via == "ids":
            id_probe.require_archived(run.archive)
        first = plans.first_steps(request, run.site, _lists(run, request))
        with run.archive.transaction():
            number = run.archive.add_plan(request, first, run.clock.now())
        return OpenedPlan(Plan(number, request, "open", run.clock.now()), "new")
    if found.state == "open":
        with run.archive.transaction():
            run.archive.retry_steps(found.id)
        return OpenedPlan(found, "open")
    if not has_failures(run.archive, found.id):
        return OpenedPlan(found, "done")
    with run.archive.transaction():
        run.archive.reopen_plan(found.id, run.clock.now())
    return OpenedPlan(replace(found, state="open"), "again")


def has_failures(archive: Archive, plan: int) -> bool:
    """Whether lists or pages of a plan could not be fetched.

    A failure of the sitemap index does not count, because the index only names lists; a list that is absent from a
    guessed address does not count either.
    """
    steps = any(
        step.error is not None and step.kind != "index" and not (step.guessed and step.state == "absent")
        for step in archive.steps(plan)
    )
    return steps or archive.plan_counts(plan).get("failed", 0) > 0


def find_plan(archive: Archive, request: BackfillRequest, *, until_given: bool) -> Plan | None:
    """Return the newest open plan of a request; if none is open, the newest that is done; None if there is none.

    `until_given` has the same meaning as in `open_plan`.
    """
    known = archive.plans()
    same = [p for p in known if p.request == request]
    if not until_given:
        same += [p for p in known if p.state == "open" and replace(p.request, until=request.until) == request]
    return max(same, key=lambda p: (p.state == "open", p.id), default=None)


def _lists(run: Run, request: BackfillRequest) -> list[tuple[StepKind, str]]:
    if request.via != "lists":
        return []
    return [(row["kind"], row["url"]) for row in sections(run.archive.sections_named(), request.section)]


def sections(known: Iterable[Mapping[str, Any]], wanted: str | None) -> list[Mapping[str, Any]]:
    """Return the lists of the section that is called `wanted`; all lists if `wanted` is None.

    A section is known by its name and by the last part of its address.

    Raises:
        StopError: no section is known, or none is called `wanted`.

    """
    rows = list(known)
    if not rows:
        raise StopError("no section of the site is known yet", "run `vna poll` first: the home page names the sections")
    found = [row for row in rows if wanted is None or fold.letters(wanted) in _names(row)]
    if not found:
        names = sorted({_slug(row) for row in rows if row["kind"] == "section"})
        raise StopError(f"there is no section {wanted!r}", f"choose from {', '.join(names)}")
    return found


def _names(row: Mapping[str, Any]) -> set[str]:
    return {fold.letters(row["name"] or ""), fold.letters(_slug(row))}


def _slug(row: Mapping[str, Any]) -> str:
    return urls.section_path(row["url"]).rpartition("/")[2]
