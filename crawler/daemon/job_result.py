"""The result of a job of the service.

Boundary: values only; the service stores them in the table `heartbeats`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class JobResult:
    """Outcome of a finished job. The job may run again at `due_at`; if None, as soon as it has work."""

    outcome: str
    due_at: datetime | None = None
    ok: bool = True
