"""The worker thread: keeps the archive open and runs the jobs that are due, one after the other.

Boundary: decides the order of the jobs and what ends the thread, and writes the jobs' rows. `daemon.jobs` defines what
a job does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from crawler import app, logs, schedule
from crawler.clock import to_text
from crawler.config import Config
from crawler.daemon import memory
from crawler.daemon.job_progress import JobProgress
from crawler.daemon.jobs import Job, jobs
from crawler.daemon.watchdog import WatchdogClock
from crawler.errors import AlreadyRunning, Interrupted, SitePaused, StopError, StorageError, StorageUnavailable
from crawler.health import checks
from crawler.health.figures import SERVICE
from crawler.health.incidents import RESOLVE_AFTER
from crawler.pipeline import Run, correct_due_times
from crawler.repair.lexicon import Lexicon
from crawler.storage import FILE, Archive
from crawler.storage.disk import archive_missing
from crawler.storage.health import JobState
from crawler.types import RunReport

_LONGEST_RETRY = timedelta(hours=1)
_ARCHIVE_RETRY = 60.0  # seconds until an unusable archive is tried again
_STEP_BACK = timedelta(minutes=1)  # a larger step back means that the clock was wrong before, or is wrong now

_log = logs.logger("worker")


class Worker:
    """Opens the archive when started. Once jobs are allowed, runs them until the clock is stopped or an error occurs.

    `ready` is set when the archive is open. `failure` is the error that ended the thread, if any. `ticks` counts the
    calls of `wake`. The worker thread calls `ended` when it ends.
    """

    def __init__(
        self, config: Config, clock: WatchdogClock, lexicon: Lexicon | None, ended: Callable[[], None]
    ) -> None:
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self.ticks = 0
        self._config = config
        self._clock = clock
        self._lexicon = lexicon
        self._started_at = clock.now()
        self._ended = ended
        self._tick = threading.Event()
        self._reload = threading.Event()
        self._jobs_allowed = threading.Event()
        self._archive_error: tuple[StopError, datetime] | None = None  # and when it occurred
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Start the thread, which opens the archive and then sets `ready`."""
        self._thread.start()

    def allow_jobs(self) -> None:
        """Let the worker run jobs. Before this call, it only keeps the archive open."""
        self._jobs_allowed.set()

    def wake(self) -> None:
        """Make the worker check which jobs are due."""
        self.ticks += 1
        self._tick.set()

    def reconfigure(self, config: Config) -> None:
        """Make the worker switch to another configuration after the current page."""
        self._config = config
        self._reload.set()
        self._tick.set()

    def join(self, seconds: float) -> bool:
        """Wait at most `seconds` for the thread to end. Return whether it ended."""
        self._tick.set()
        self._jobs_allowed.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def archive_error(self, now: datetime) -> StopError | None:
        """Return the error, such as a full disk, that made the archive unusable in the last 10 minutes, or None."""
        error, at = self._archive_error or (None, now)
        return error if timedelta() <= now - at <= RESOLVE_AFTER else None

    def _run(self) -> None:
        try:
            while not self._clock.stopped:
                self._reload.clear()
                self._serve_if_possible()
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self.failure = error
        finally:
            self._ended()

    def _serve_if_possible(self) -> None:
        """Run jobs. If the archive becomes unusable, log this and wait for a minute; the caller then tries again.

        The service may run unattended for months, so such an error must not end it. At the start of the service, when
        the operator is watching, the error is raised instead.
        """
        try:
            self._serve(self._config)
        except (StorageUnavailable, AlreadyRunning) as error:
            if not self.ready.is_set():
                raise
            now = self._clock.now()
            if str(error) != str(self.archive_error(now)):
                _log.error("archive unusable: %s; %s; retrying every minute", error, error.hint)
            self._archive_error = error, now
            with suppress(Interrupted):
                self._clock.sleep(_ARCHIVE_RETRY)

    def _serve(self, config: Config) -> None:
        """Run jobs until the clock is stopped or the configuration changes."""
        file = config.archive / FILE
        if self.ready.is_set():
            _identity(file)
        with app.working(
            config,
            "run",
            JobProgress(self._clock),
            clock=self._clock,
            lexicon=self._lexicon,
            since=self._started_at,
            create=not self.ready.is_set(),  # later, a missing database was moved away
        ) as opened:
            run, opened_file = replace(opened, stopping=self._leaving), _identity(file)
            runner = JobRunner(run, jobs(config), self._clock)
            if not self.ready.is_set():
                self._record_start(run.archive)
            self.ready.set()
            self._jobs_allowed.wait()
            if not self._leaving():
                runner.run_first()
            while not self._leaving():
                runner.run_due()
                self._clear_archive_error()
                self._tick.wait()
                self._tick.clear()
                if _identity(file) != opened_file:
                    raise archive_missing(config.archive)
            if self._clock.stopped:
                run.archive.end_job(SERVICE, "ok", self._clock.now(), None, "asked to stop")

    def _record_start(self, archive: Archive) -> None:
        """Record the start of the service, and how many times in a row it has exited unexpectedly before."""
        now = self._clock.now()
        exits = checks.unexpected_exits(archive.jobs().get(SERVICE), now)
        archive.begin_job(SERVICE, now, failures=exits)
        if exits:
            _log.warning("consecutive unexpected exits of the service: %s", exits)
        if not archive.has_findings():
            _log.info(
                "this site has never been probed; run `vna probe` to check the assumptions about it (safe at any time)"
            )

    def _clear_archive_error(self) -> None:
        """If the archive error has not recurred for 10 minutes, forget it and log that the archive is usable again."""
        if self._archive_error is not None and self.archive_error(self._clock.now()) is None:
            self._archive_error = None
            _log.info("archive usable again")

    def _leaving(self) -> bool:
        return self._clock.stopped or self._reload.is_set()


def _identity(file: Path) -> tuple[int, int]:
    """Return the device number and the inode number of a file.

    If these numbers change, the open database was moved or deleted, and SQLite would continue to write to a lost file.

    Raises:
        StorageUnavailable: the file does not exist.

    """
    try:
        status = file.stat()
    except OSError as error:
        raise archive_missing(file.parent) from error
    return status.st_dev, status.st_ino


class JobRunner:
    """Runs the jobs on one open archive."""

    def __init__(self, run: Run, jobs: tuple[Job, ...], clock: WatchdogClock) -> None:
        self._base_run = run
        self._archive = run.archive
        self._jobs = jobs
        self._clock = clock
        known = self._archive.jobs().values()
        self._latest = max((job.started_at for job in known), default=clock.now())

    def run_first(self) -> None:
        """Poll even if no source is due, because only a poll adds the sources that are new in the configuration."""
        self._run(self._jobs[0])

    def run_due(self) -> None:
        """Run the jobs that are due: polls first, and last the jobs that run only if no other job is due."""
        self._check_clock()
        for job in self._jobs:
            if self._base_run.stopping():
                return
            if self._is_due(job):
                self._run(job)

    def _is_due(self, job: Job) -> bool:
        now = self._clock.now()
        row = self._archive.jobs().get(job.name)
        waiting = row is not None and row.next_due_at is not None and row.next_due_at > now
        # a failed job runs again even if its reason is gone; otherwise it would stay failed for ever
        failed = row is not None and row.state == "failed"
        return not waiting and (failed or job.due(self._base_run, now))

    def _run(self, job: Job) -> None:
        """Run one job and record its outcome, then release the memory that it needed.

        Expected failures are recorded too, except storage errors.

        Raises:
            StorageError: the archive cannot be used.

        """
        now = self._clock.now()
        self._archive.begin_job(job.name, now)
        work = replace(self._base_run, report=RunReport(), stopping=self._stopping(job))
        work.progress = JobProgress(self._clock, work)
        try:
            result = job.work(work)
        except SitePaused as error:
            state: JobState = "paused" if error.own else "held"
            self._archive.end_job(job.name, state, self._clock.now(), error.until, str(error))
            _log.info("%s: paused until %s: %s", job.name, to_text(error.until), error)
        except Interrupted:
            self._archive.end_job(job.name, "paused", self._clock.now(), None, "asked to stop")
        except StorageError:
            raise
        except StopError as error:
            self._fail(job, error)
        else:
            self._archive.end_job(
                job.name, "ok" if result.ok else "failed", self._clock.now(), result.due_at, result.outcome
            )
            _log.log(logging.INFO if result.ok else logging.ERROR, "%s: %s", job.name, result.outcome)
        finally:
            self._archive.release_memory()
            memory.release_free_memory()

    def _fail(self, job: Job, error: StopError) -> None:
        now = self._clock.now()
        row = self._archive.jobs()[job.name]
        due = min(schedule.retry_at(now, row.failures + 1), now + _LONGEST_RETRY)
        self._archive.end_job(job.name, "failed", now, due, str(error))
        _log.error("%s: failed: %s; %s", job.name, error, error.hint)

    def _stopping(self, job: Job) -> Callable[[], bool]:
        if not job.idle_only:
            return self._base_run.stopping
        others = [other for other in self._jobs if not other.idle_only]
        return lambda: self._base_run.stopping() or any(map(self._is_due, others))

    def _check_clock(self) -> None:
        """If the system clock was set back, correct the due times that were computed with the wrong clock."""
        now = self._clock.now()
        if now < self._latest - _STEP_BACK:
            moved = correct_due_times(self._base_run)
            _log.warning(
                "system clock set back from %s to %s; %s corrected", self._latest, now, checks.plural(moved, "due time")
            )
        self._latest = now
