"""The values that health checks read and produce: figures from the rows, conditions and incidents.

Boundary: frozen values without decisions; `storage` reads and writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crawler.types import ErrorKind

SERVICE = "service"  # the service's own row in the heartbeats table, next to those of its jobs


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """The columns that the checks need from the row of a polled source. `interval`: seconds between polls."""

    url: str
    state: str
    interval: int | None = None
    last_ok_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    error_kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class JobHealth:
    """The columns of a job's row that the checks need."""

    name: str
    state: str
    started_at: datetime
    next_due_at: datetime | None = None
    failures: int = 0
    outcome: str | None = None

    @property
    def in_progress(self) -> bool:
        """Whether the job is running now. Always false for the service's own row, which only records its lifetime."""
        return self.state == "running" and self.name != SERVICE


@dataclass(frozen=True, slots=True)
class GapHealth:
    """An open gap of a source. `since` and `until` are the times of two polls that had no article in common."""

    source: str
    opened_at: datetime
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """The figures that the checks judge. The fields `pages_*` count article pages requested in the last 24 hours.

    `free` is the free disk space in bytes, `growth` is the growth of the archive in bytes per day, and `silent` is the
    number of seconds since the worker's last heartbeat. `started_at` is when the service started; before that, no
    poll was due. `newest` is the time of the newest response, by the clock of this machine; `published` are the newest
    publication times, by the clock of the site. Together they reveal a wrong system clock.
    """

    now: datetime
    started_at: datetime
    sources: tuple[SourceHealth, ...] = ()
    jobs: tuple[JobHealth, ...] = ()
    gaps: tuple[GapHealth, ...] = ()
    newest: datetime | None = None
    published: tuple[datetime, ...] = ()
    bugs: tuple[str, ...] = ()  # quarantined items as `URL: error`, newest first
    pages_asked: int = 0
    pages_failing: int = 0
    pages_read: int = 0
    pages_drifted: int = 0
    moved: tuple[str, ...] = ()  # fields that are elsewhere on these pages, as far as a known layout fits them
    free: int = 1 << 60
    growth: float = 0.0
    silent: float = 0.0

    @property
    def drift(self) -> float:
        """The share of pages with an unknown layout among the pages read in the last 24 hours, from 0 to 1."""
        return self.pages_drifted / self.pages_read if self.pages_read else 0.0


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the archive and the free disk space on one day, in bytes."""

    day: str
    warc_bytes: int
    db_bytes: int
    free_bytes: int

    @property
    def total(self) -> int:
        """The number of bytes that the archive occupies."""
        return self.warc_bytes + self.db_bytes


@dataclass(frozen=True, slots=True)
class Condition:
    """The result of one check. `kind` and `subject` identify it, `message` describes it, `action` says what to do."""

    kind: str
    subject: str
    failing: bool
    message: str
    action: str = ""

    @property
    def detail(self) -> str:
        """The text stored as an incident's detail: the message on the first line, the action on the second."""
        return f"{self.message}\n{self.action}"


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of the incidents table. Its beginning was reported at `told_at`, and its end at `closed_told_at`."""

    id: int
    kind: str
    subject: str
    detail: str
    opened_at: datetime
    seen_at: datetime
    told_at: datetime | None = None
    closed_at: datetime | None = None
    closed_told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncidentChanges:
    """Changes to write to the incidents table.

    `opened`: the conditions that open an incident. `seen`: the ids of incidents that continue, with their new detail.
    `closed`: the ids of incidents that end.
    """

    opened: tuple[Condition, ...] = ()
    seen: tuple[tuple[int, str], ...] = ()
    closed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """An alert, and the ids of the incidents whose beginning (`opened`) or end (`closed`) it reports."""

    title: str
    body: str
    opened: tuple[int, ...]
    closed: tuple[int, ...]
