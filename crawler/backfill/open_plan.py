"""Which plan a command means: the one that is open already, one that is done, or a new one.

Boundary: order only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from crawler import fold, plans, urls
from crawler.backfill import id_probe
from crawler.errors import StopError
from crawler.pipeline import Context
from crawler.plans import Asked, Plan, StepKind
from crawler.storage import Archive


@dataclass(frozen=True, slots=True)
class Begun:
    """A plan, and how the command came to it."""

    plan: Plan
    how: Literal["new", "open", "done", "again"]


def begin(context: Context, asked: Asked, *, until_given: bool) -> Begun:
    """Find the plan of these arguments, or make it.

    A command without a last day means the plan that is open, even if that was begun on an earlier day. A plan that is
    done, but gave something up, is opened again: whoever asks for it once more wants that tried.

    Raises:
        StopError: nothing is known of the sections or of ids, or no section has that name.

    """
    found = find(context.archive, asked, until_given=until_given)
    if found is None:
        if asked.via == "ids":
            id_probe.require_held(context.archive)
        first = plans.first_steps(asked, context.site, _lists(context, asked))
        with context.archive.transaction():
            number = context.archive.add_plan(asked, first, context.clock.now())
        return Begun(Plan(number, asked, "open", context.clock.now()), "new")
    if found.state == "open":
        with context.archive.transaction():
            context.archive.retry_steps(found.id)
        return Begun(found, "open")
    if not gave_up(context.archive, found.id):
        return Begun(found, "done")
    with context.archive.transaction():
        context.archive.reopen_plan(found.id, context.clock.now())
    return Begun(replace(found, state="open"), "again")


def gave_up(archive: Archive, plan: int) -> bool:
    """Say whether a plan has lists or pages that were not had, but for the index, which only names the lists."""
    steps = any(step.error is not None and step.kind != "index" for step in archive.steps(plan))
    return steps or archive.plan_counts(plan).get("failed", 0) > 0


def find(archive: Archive, asked: Asked, *, until_given: bool) -> Plan | None:
    """Give the plan of the same arguments, an open one before the newest that is done; None when there is none."""
    known = archive.plans()
    same = [p for p in known if p.asked == asked]
    if not until_given:
        same += [p for p in known if p.state == "open" and replace(p.asked, until=asked.until) == asked]
    return max(same, key=lambda p: (p.state == "open", p.id), default=None)


def _lists(context: Context, asked: Asked) -> list[tuple[StepKind, str]]:
    if asked.via != "lists":
        return []
    return [(row["kind"], row["url"]) for row in sections(context.archive.sections_named(), asked.section)]


def sections(known: Iterable[Mapping[str, Any]], wanted: str | None) -> list[Mapping[str, Any]]:
    """Give the lists of one section, by its name or the last part of its address, or all lists.

    Raises:
        StopError: there is none.

    """
    rows = list(known)
    if not rows:
        raise StopError("no section of the site is known yet", "run `vna poll` first: the home page names them")
    found = [row for row in rows if wanted is None or fold.letters(wanted) in _names(row)]
    if not found:
        names = sorted({_slug(row) for row in rows if row["kind"] == "section"})
        raise StopError(f"no section is called {wanted}", f"those known are {', '.join(names)}")
    return found


def _names(row: Mapping[str, Any]) -> set[str]:
    return {fold.letters(row["name"] or ""), fold.letters(_slug(row))}


def _slug(row: Mapping[str, Any]) -> str:
    return urls.place(row["url"]).rpartition("/")[2]
