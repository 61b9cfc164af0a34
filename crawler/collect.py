"""One poll, with everything that belongs to it: the run's row, crash recovery, the due sources and pages.

Boundary: only calls other modules in the right order.
"""

from __future__ import annotations

from crawler.pipeline import Run, catch_up_after_wrong_clock, poll_due, recorded
from crawler.replay import recover
from crawler.types import RunReport


def poll(run: Run, *, ignore_due: bool = False) -> RunReport:
    """Ingest what crashed processes left, then poll what is due now, or everything if `ignore_due` is set.

    Raises:
        StopError: the run cannot continue; finished work is stored.

    """
    with recorded(run, "poll"):
        recover(run)
        catch_up_after_wrong_clock(run)
        poll_due(run, ignore_due=ignore_due)
    return run.report
