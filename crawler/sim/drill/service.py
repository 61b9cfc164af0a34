"""The service of a drill: the real jobs and the real health monitor on a real archive, with the clock of the drill.

Boundary: starts and stops the service, runs its jobs and checks its health; `crawler.daemon` defines what a job does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crawler import app, config, opening
from crawler.daemon.health_monitor import HealthMonitor
from crawler.daemon.job_progress import JobProgress
from crawler.daemon.jobs import jobs
from crawler.daemon.watchdog import WatchdogClock
from crawler.daemon.worker import JobRunner
from crawler.repair.lexicon import Lexicon
from crawler.sim.drill.clock import SharedClock
from crawler.storage import Archive

TICK = timedelta(seconds=10)  # least time between two runs of the jobs that are due
_MAX_IDLE = timedelta(minutes=15)  # most time between them
_CHECK_INTERVAL = timedelta(minutes=5)  # of the service's health
_TIMEOUT = 3.0  # real seconds; on loopback, a response that takes longer will not come


def settings(folder: Path, url: str) -> config.Config:
    """Return the built-in configuration for an archive in `folder` and a fake site at `url`.

    No configuration file is read.
    """
    return config.Config(
        root=f"{url}/",
        archive=folder,
        reserve=0,
        health="",
        timeout=_TIMEOUT,
        attempts=2,
        markups=config.load_markups(),
    )


class DrillService:
    """The service of a drill, which can be started and stopped."""

    def __init__(self, folder: Path, url: str, clock: SharedClock, lexicon: Lexicon | None) -> None:
        self.config = self._settings = settings(folder, url)
        self._clock = clock
        self._lexicon = lexicon
        self._parts = ExitStack()
        self._runner: JobRunner | None = None
        self._checked_at = clock.true()

    def start(self, **changes: Any) -> None:
        """Start the service with the settings of the drill, some of them with other values."""
        self.config = replace(self._settings, **changes)
        clock = WatchdogClock(self._clock)
        opened = app.working(self.config, "drill", JobProgress(clock), clock=clock, lexicon=self._lexicon)
        context = self._parts.enter_context(opened)
        self._archive = context.archive
        self._runner = JobRunner(context, jobs(self.config), clock)
        self._monitor = HealthMonitor(self.config, self._clock.now, lambda: 0.0, timedelta(minutes=10))
        self._runner.run_first()

    def stop(self) -> None:
        """Stop the service and close its archive."""
        self._runner = None
        self._parts.close()

    def run_until(self, until: datetime, events: Callable[[], datetime | None] = lambda: None) -> None:
        """Run the jobs whenever they are due, until the simulated time `until`.

        `events` is called before each run of the jobs; it must trigger the events that are due and return the time of
        the next event, or None if there is none.
        """
        while (now := self._clock.true()) < until:
            next_event = events() or until
            if self._runner is not None:
                self._runner.run_due()
                self._check_health(now)
            now = self._clock.true()
            self._clock.advance_to(max(min(until, next_event, now + self._until_due()), now + TICK))
            self._clock.on_advance()

    def archive(self) -> Archive:
        """Return the archive of the drill, opened for reading."""
        return opening.reading_archive(self.config.archive)

    def _check_health(self, now: datetime) -> None:
        if now - self._checked_at >= _CHECK_INTERVAL:
            self._checked_at = now
            self._monitor.check()

    def _until_due(self) -> timedelta:
        """Return how long the clock can move forward before the next job is due: from 10 seconds to 15 minutes."""
        if self._runner is None:
            return _MAX_IDLE
        now = self._clock.now()
        job_times = {name: row.next_due_at for name, row in self._archive.jobs().items() if row.next_due_at}
        # A poll has work to do when it is due itself and a page or a source is due.
        due = [max(self._archive.next_due() or now, job_times.pop("poll", now)), *job_times.values()]
        return max(TICK, min(_MAX_IDLE, *(at - now for at in due)))
