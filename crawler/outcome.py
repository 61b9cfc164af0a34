"""The outcome of one step of a run, for code and for people, and the receivers of outcomes.

Boundary: values and an interface; commands and logs print an outcome, and code tests its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class OutcomeKind(StrEnum):
    """The kinds of results that a step of a run can have."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    DRIFT = "drift"
    SUSPECT = "suspect"
    GONE = "gone"
    FAILED = "failed"
    ABSENT = "absent"  # there is no article with this id, or there never was a list at this address
    SKIPPED = "skipped"  # another process is working on it
    FOUND = "found"  # a source lists articles that were not known
    NO_NEWS = "no news"  # a source was read and lists nothing new
    NOT_MODIFIED = "not modified"
    LISTED = "listed"  # a backfill read a list
    LIST_ABSENT = "list absent"
    IDS_SUPPORTED = "ids supported"
    WAITING = "waiting"  # nothing can be done for a backfill plan at this moment
    PICTURE = "picture"  # a picture was archived
    PROBED = "probed"  # `vna probe` asked a question
    CAPTURED = "captured"  # a capture of another collection was imported
    DIFFERS = "differs"  # `vna reparse` reads a stored revision differently
    NEWLY_READ = "newly read"  # it reads a page that could not be parsed before
    STILL_UNREAD = "still unread"  # it cannot parse that page either
    NO_LONGER_READ = "no longer read"  # it cannot parse the page of a stored revision
    DAMAGED = "damaged"  # the WARC record of a stored revision is damaged
    PROGRESS = "progress"  # nothing but a detail to print
    PERCENT = "percent"  # the same, for each percent of a phase

    @property
    def is_routine(self) -> bool:
        """Whether an outcome of this kind means that nothing changed; such outcomes appear only in verbose output."""
        return self in _ROUTINE

    @property
    def is_fault(self) -> bool:
        """Whether a person may have to look at an outcome of this kind."""
        return self in _FAULTS


_ROUTINE = frozenset({OutcomeKind.UNCHANGED, OutcomeKind.SKIPPED, OutcomeKind.NO_NEWS, OutcomeKind.NOT_MODIFIED})
_FAULTS = frozenset({OutcomeKind.FAILED, OutcomeKind.REJECTED, OutcomeKind.DRIFT, OutcomeKind.LIST_ABSENT})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one step: its kind, its subject (a post id or an address), and a detail for people."""

    kind: OutcomeKind
    id: int | None = None
    url: str | None = None
    detail: str = ""

    def __str__(self) -> str:
        """Return the outcome as one line, such as `new: 245060 Titre` or `failed: https://…: HTTP status 500`."""
        if self.kind in (OutcomeKind.PROGRESS, OutcomeKind.PERCENT):
            return self.detail
        if self.id is not None:
            subject = f"{self.id} {self.detail}".rstrip()
        else:
            subject = ": ".join(part for part in (self.url, self.detail) if part)
        return f"{self.kind}: {subject}"


class Progress(Protocol):
    """The receiver of a run's progress reports."""

    def phase(self, name: str, total: int) -> None:
        """Report that a phase of `total` steps begins; `total` is also 0 if their number is unknown."""
        ...

    def step(self, outcome: Outcome) -> None:
        """Report the outcome of one step."""
        ...


class Silent:
    """A receiver of progress reports that ignores them."""

    def phase(self, name: str, total: int) -> None:
        """Ignore the start of a phase."""

    def step(self, outcome: Outcome) -> None:
        """Ignore the outcome of a step."""


class PercentPhase:
    """A phase whose steps are the percents of an amount, such as bytes or rows."""

    def __init__(self, progress: Progress, name: str, amount: int) -> None:
        self._progress = progress
        self._amount = max(1, amount)
        self._steps = 0
        progress.phase(f"{name} (%)", 100)

    def reach(self, done: int, detail: str) -> None:
        """Report a step for each percent that is complete when `done` of the amount is done."""
        while self._steps < done * 100 // self._amount:
            self._steps += 1
            self._progress.step(Outcome(OutcomeKind.PERCENT, detail=detail))
