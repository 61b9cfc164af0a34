"""The values of a backfill plan: the request, the stored plan, its steps and their outcomes.

Boundary: only values, which cannot be changed. Days are days in Hanoi; the first and the last day are included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

from crawler.types import ErrorKind

Via = Literal["sitemap", "ids", "lists"]
#: `index`: the sitemap index. `sonar`: the check whether the site supports requests by id. `ids`: a range to probe.
StepKind = Literal["index", "sitemap", "section", "list", "sonar", "ids"]
#: `listed`: the list has been read, and its pages are being fetched; for `sonar`, the check has succeeded.
#: `absent`: the site has no such list. `failed`: given up after failures.
StepState = Literal["todo", "listed", "done", "absent", "failed"]


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What a backfill must fetch: the days, the method (`via`), the section (None: all sections) and the order."""

    via: Via
    since: date
    until: date
    section: str | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A backfill plan as stored in the database."""

    id: int
    request: BackfillRequest
    state: Literal["open", "done"]
    created_at: datetime


class NewStep(NamedTuple):
    """A step to add to a plan.

    `guessed` is whether `target` is the usual address of a list that the site does not name. The step requests it once,
    and it is no failure if there is no such list.
    """

    kind: StepKind
    target: str
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One stored step of a plan.

    `target` is a URL; for a range of ids it is `first-last`, and for the kind `sonar` it is `x`. `cursor` says where to
    continue inside the step. `found` is the number of articles found so far; for the kind `index` it is the number of
    sitemaps, and for `sonar` it is 1 when the check has succeeded. `next_due_at` is the earliest time of the next
    attempt after a failure. `guessed` has the same meaning as in `NewStep`.
    """

    position: int
    kind: StepKind
    target: str
    state: StepState = "todo"
    cursor: Mapping[str, object] = field(default_factory=dict)
    found: int = 0
    failures: int = 0
    next_due_at: datetime | None = None
    error: str | None = None
    error_kind: ErrorKind | None = None
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The values to write to the row of a step after a response; the fields mean the same as in `Step`."""

    state: StepState
    cursor: Mapping[str, object] = field(default_factory=dict)
    found: int = 0
    failures: int = 0
    next_due_at: datetime | None = None
    error: str | None = None
    error_kind: ErrorKind | None = None
