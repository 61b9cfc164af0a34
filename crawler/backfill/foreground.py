"""Work on plans until they are done, and wait through pauses and backoff times.

Boundary: only calls other modules in the right order. The caller shows the progress, and `schedule` and `rate_limit`
decide how long to wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from crawler.backfill.advance import advance
from crawler.backfill.estimate import Obstacle, obstacle
from crawler.backfill.work_item import WorkItem
from crawler.errors import SitePaused
from crawler.pipeline import Run, correct_due_times
from crawler.plan_values import Plan

_STEP = 1.0  # seconds between two updates of a countdown, and the shortest wait


class ForegroundView(Protocol):
    """What shows the progress of plans to the user."""

    def begin(self, plan: Plan) -> None:
        """Show that the work on a plan begins or continues."""
        ...

    def item(self, plan: Plan, item: WorkItem) -> None:
        """Show the result of a work item."""
        ...

    def wait(self, why: str, until: datetime, left: timedelta) -> None:
        """Show a wait: its reason, its end and the time left. This method is called every second."""
        ...


def complete(run: Run, plans: Sequence[Plan], view: ForegroundView, *, waits: bool) -> None:
    """Work on `plans` until they are done, a stop is requested, or the remaining ones need a person.

    If nothing can be done now (the site asked for a pause, quiet hours, the daily cap, failed pages with a backoff
    time) and `waits` is true, wait until something can be done. If `waits` is false, return or raise at that point.

    Raises:
        SitePaused: `waits` is false, and no request may be sent for more than two minutes.
        StopError: the work cannot continue.

    """
    while not run.stopping():
        try:
            found = _pass(run, plans, view)
        except SitePaused as pause:
            if not waits:
                raise
            found = [Obstacle(str(pause), pause.until)]
        wait = min(((o.until, o.why) for o in found if o.until is not None), default=None)
        if wait is None or not waits or run.stopping():
            return
        began = run.clock.now()
        _wait(run, view, *wait)
        if run.clock.now() < began:  # the clock was set back: what was due soon is now due in the far future
            correct_due_times(run)


def _pass(run: Run, plans: Sequence[Plan], view: ForegroundView) -> list[Obstacle]:
    """Do everything that can be done now for each plan; return what the unfinished plans wait for."""
    found = []
    for plan in plans:
        if run.stopping() or run.archive.plan_state(plan.id) == "done":
            continue
        view.begin(plan)
        while not run.stopping() and (item := advance(run, plan.id)) is not None:
            view.item(plan, item)
        if not run.stopping() and run.archive.plan_state(plan.id) != "done":
            found.append(obstacle(run, plan))
    return found


def _wait(run: Run, view: ForegroundView, until: datetime, why: str) -> None:
    """Wait until `until`, but not longer than this takes now: a clock that is set back does not prolong the wait."""
    seconds = max(_STEP, (until - run.clock.now()).total_seconds())
    while seconds > 0 and not run.stopping():
        left = min(seconds, (until - run.clock.now()).total_seconds())
        if left <= 0 and seconds > _STEP:
            return
        view.wait(why, until, timedelta(seconds=max(0.0, left)))
        run.clock.sleep(min(_STEP, seconds))
        seconds -= _STEP
