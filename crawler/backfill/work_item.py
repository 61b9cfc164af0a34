"""The result of one work item of a plan.

Boundary: a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crawler.outcome import Outcome


@dataclass(frozen=True, slots=True)
class WorkItem:
    """The result of one work item of a plan: usually of one request, or of none if `kind` is `wait`.

    `plan` is the id of the plan. `state` is the state of the page afterwards; it is None if the item was not about a
    page. `found` is the number of pages that the item added to the plan.
    """

    plan: int
    kind: Literal["list", "page", "probe", "wait"]
    outcome: Outcome
    state: str | None = None
    found: int = 0
