"""Check the system clock against the archive, correct due times computed with a wrong clock, and count clock periods.

Boundary: only calls other modules in the right order; `health.clock` judges the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from crawler.health.clock import ClockVerdict, judge
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline.run import Run
from crawler.storage import Archive
from crawler.storage.health import Table

#: Longer than the usual intervals in these tables: a later due time was probably computed with a wrong clock.
_FURTHEST: Mapping[Table, timedelta] = {
    "sources": timedelta(days=1),
    "pages": timedelta(days=31),
    "heartbeats": timedelta(days=8),
    "plan_steps": timedelta(days=8),
}
_TOLERANCE = timedelta(seconds=1)  # a time server may set the clock back by less, which changes no order that matters


class ClockPeriods:
    """Counts how often the system clock was set back, by this process or while it was not running.

    All processes of an archive use the same number, which is stored with the archive. The times of records are
    comparable only within one period.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._last = archive.last_request_at()
        self._number = archive.clock_period()

    def at(self, now: datetime) -> int:
        """Return the number of the period at the time `now`, and begin a new one if the clock was set back."""
        stored = self._archive.clock_period()
        if stored > self._number:  # another process has noticed it first
            self._number, self._last = stored, now
        elif self._last is not None and now < self._last - _TOLERANCE:
            self._number, self._last = stored + 1, now
            self._archive.begin_clock_period(self._number)
        else:
            self._last = now if self._last is None else max(now, self._last)
        return self._number


def correct_due_times(run: Run) -> int:
    """Change all due times that are too far away to `now`, after the system clock was set back; return their number."""
    now = run.clock.now()
    return sum(run.archive.bring_forward(table, now, furthest) for table, furthest in _FURTHEST.items())


def catch_up_after_wrong_clock(run: Run) -> None:
    """If the clock was ahead when rows were written, and is right now, make these rows due.

    Otherwise nothing would be fetched until the wrong times have passed. If the clock may be behind now, nothing is
    changed: everything would be fetched again and dated wrongly.
    """
    now = run.clock.now()
    verdict = judge(now, run.archive.newest_response(), run.archive.newest_publications(now))
    if verdict is not ClockVerdict.WAS_AHEAD:
        return
    moved = correct_due_times(run) + run.archive.make_future_rows_due(now)
    detail = f"due times that were computed with a wrong system clock and are now corrected: {moved}"
    run.progress.step(Outcome(OutcomeKind.PROGRESS, detail=detail))
