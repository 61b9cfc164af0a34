"""What one unit of work gave.

Boundary: a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Unit:
    """One request's worth of a plan: in words, and as figures for whoever counts.

    `state` is that of the page afterwards; `found` says how many pages a list brought the plan. A unit is never false.
    """

    plan: int
    kind: Literal["list", "page", "probe", "wait"]
    what: str
    url: str
    state: str | None = None
    found: int = 0
