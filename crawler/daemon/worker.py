"""The thread that owns the archive: does what rows say is due, one job after the other.

Boundary: order, heartbeats and what ends the thread; the work is the jobs'.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from crawler import app, logs, schedule
from crawler.clock import to_text
from crawler.config import Config
from crawler.daemon.jobs import Job, jobs
from crawler.daemon.watchdog import Pulse
from crawler.errors import AlreadyRunning, Interrupted, SitePaused, StopError, StorageError, StorageUnavailable
from crawler.health import checks
from crawler.health.incidents import SETTLED
from crawler.pipeline import Context
from crawler.repair.lexicon import Lexicon
from crawler.storage import FILE, Archive
from crawler.storage.disk import gone
from crawler.storage.health import JobState, Table
from crawler.types import RunReport

_LONGEST_RETRY = timedelta(hours=1)
_WITHOUT = 60.0  # seconds until an archive that cannot be used is tried again
_STEP_BACK = timedelta(minutes=1)  # a clock that went back further was wrong before, or is now
_FURTHEST: Mapping[Table, timedelta] = {
    "sources": timedelta(days=1),
    "pages": timedelta(days=31),
    "heartbeats": timedelta(days=8),
}
_NO_NEWS = ("unchanged:", "left:")
_NO_NEWS_EITHER = (": not modified", " 0 not known before")

_log = logs.logger("worker")


class Worker:
    """Works from `begin` until the clock is stopped, or until it cannot go on: `failure` says why."""

    def __init__(self, config: Config, clock: Pulse, lexicon: Lexicon | None, ended: Callable[[], None]) -> None:
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self.ticks = 0
        self._config = config
        self._clock = clock
        self._lexicon = lexicon
        self._since = clock.now()
        self._ended = ended
        self._tick = threading.Event()
        self._reload = threading.Event()
        self._begun = threading.Event()
        self._trouble: tuple[StopError, datetime] | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Take the archive: `ready` says that it is had."""
        self._thread.start()

    def begin(self) -> None:
        """Let it work: everything else is in its place, too."""
        self._begun.set()

    def wake(self) -> None:
        """Have it look what is due."""
        self.ticks += 1
        self._tick.set()

    def adopt(self, config: Config) -> None:
        """Have it work with another configuration, after the page in hand."""
        self._config = config
        self._reload.set()
        self._tick.set()

    def join(self, seconds: float) -> bool:
        """Wait for its end so long; say whether it came."""
        self._tick.set()
        self._begun.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    def trouble(self, now: datetime) -> StopError | None:
        """Give why the archive could not be used a moment ago: its disk is full, somebody holds it."""
        error, at = self._trouble or (None, now)
        return error if timedelta() <= now - at <= SETTLED else None

    def _run(self) -> None:
        try:
            while not self._clock.stopped:
                self._reload.clear()
                self._serve_if_possible()
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
            self.failure = error
        finally:
            self._ended()

    def _serve_if_possible(self) -> None:
        """Work; what the archive suffers from while the service runs is waited for, as nobody may look on for months."""
        try:
            self._serve(self._config)
        except (StorageUnavailable, AlreadyRunning) as error:
            if not self.ready.is_set():
                raise
            now = self._clock.now()
            if str(error) != str(self.trouble(now)):
                _log.error("the archive cannot be used: %s; %s; tried again every minute", error, error.hint)
            self._trouble = error, now
            with suppress(Interrupted):
                self._clock.sleep(_WITHOUT)

    def _serve(self, config: Config) -> None:
        """Work with one configuration."""
        file = config.archive / FILE
        if self.ready.is_set():
            _which(file)
        with app.working(config, "run", Steps(), clock=self._clock, lexicon=self._lexicon, since=self._since) as opened:
            context, opened_file = replace(opened, stopping=self._leaving), _which(file)
            turns = Turns(context, jobs(config), self._clock)
            if not self.ready.is_set():
                self._note_begin(context.archive)
            self.ready.set()
            self._begun.wait()
            if not self._leaving():
                turns.first()
            while not self._leaving():
                turns.turn()
                self._forget_trouble()
                self._tick.wait()
                self._tick.clear()
                if _which(file) != opened_file:
                    raise gone(config.archive)
            if self._clock.stopped:
                context.archive.end_job(checks.SERVICE, "ok", self._clock.now(), None, "asked to stop")

    def _note_begin(self, archive: Archive) -> None:
        """Write that the service begins, and how often in a row it came to its end without saying so."""
        now = self._clock.now()
        ends = checks.ends(archive.jobs().get(checks.SERVICE), now)
        archive.begin_job(checks.SERVICE, now, failures=ends)
        if ends:
            _log.warning("the service came to its end %s times in a row without being asked to", ends)
        if not archive.has_findings():
            _log.info("this site was never probed: `vna probe` checks what is assumed of it, before or beside this")

    def _forget_trouble(self) -> None:
        """Say that it is over, when it has not come back for a while."""
        if self._trouble is not None and self.trouble(self._clock.now()) is None:
            self._trouble = None
            _log.info("the archive can be used again")

    def _leaving(self) -> bool:
        return self._clock.stopped or self._reload.is_set()


def _which(file: Path) -> tuple[int, int]:
    """Give which file stands there: one that was moved away or deleted could be written to, but nobody would find it.

    Raises:
        StorageUnavailable: none.

    """
    try:
        status = file.stat()
    except OSError as error:
        raise gone(file.parent) from error
    return status.st_dev, status.st_ino


class Turns:
    """The jobs over one open archive."""

    def __init__(self, context: Context, todo: tuple[Job, ...], clock: Pulse) -> None:
        self._context = context
        self._archive = context.archive
        self._jobs = todo
        self._clock = clock
        known = self._archive.jobs().values()
        self._latest = max((job.started_at for job in known), default=clock.now())

    def first(self) -> None:
        """Begin: what was being done when a process was killed is free to be done again; poll even if nothing is due.

        A new configuration may name new sources, and only a poll enters them.
        """
        self._do(self._jobs[0])

    def turn(self) -> None:
        """Do what is due, polls first; then what may be done while nothing is."""
        self._mind_the_clock()
        for job in self._jobs:
            if self._context.stopping():
                return
            if self._is_due(job):
                self._do(job)

    def _is_due(self, job: Job) -> bool:
        now = self._clock.now()
        row = self._archive.jobs().get(job.name)
        held = row is not None and row.next_due_at is not None and row.next_due_at > now
        return not held and job.due(self._context, now)

    def _do(self, job: Job) -> None:
        """Do one job and write how it went; what a user can mend is a result, anything else ends the service."""
        now = self._clock.now()
        self._archive.begin_job(job.name, now)
        work = replace(self._context, report=RunReport(), stopping=self._stopping(job))
        work.progress = Steps(work)
        try:
            done = job.work(work)
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
            self._archive.end_job(job.name, "ok" if done.ok else "failed", self._clock.now(), done.due_at, done.says)
            _log.log(logging.INFO if done.ok else logging.ERROR, "%s: %s", job.name, done.says)

    def _fail(self, job: Job, error: StopError) -> None:
        now = self._clock.now()
        row = self._archive.jobs()[job.name]
        due = min(schedule.retry_at(now, row.failures + 1), now + _LONGEST_RETRY)
        self._archive.end_job(job.name, "failed", now, due, str(error))
        _log.error("%s: failed: %s; %s", job.name, error, error.hint)

    def _stopping(self, job: Job) -> Callable[[], bool]:
        if not job.spare:
            return self._context.stopping
        others = [other for other in self._jobs if not other.spare]
        return lambda: self._context.stopping() or any(map(self._is_due, others))

    def _mind_the_clock(self) -> None:
        """After a step back of the clock: what was put off by the wrong time is due now."""
        now = self._clock.now()
        if now < self._latest - _STEP_BACK:
            moved = sum(self._archive.bring_forward(table, now, far) for table, far in _FURTHEST.items())
            _log.warning("the clock went back from %s to %s; %s rows are due again", self._latest, now, moved)
        self._latest = now


class Steps:
    """A run's progress as log lines; what is no news is for `-v`."""

    def __init__(self, context: Context | None = None) -> None:
        self._context = context

    def phase(self, name: str, total: int) -> None:
        """Name a phase."""
        _log.debug("%s: %s due", name, total)

    def step(self, what: str, url: str | None = None) -> None:
        """Say what came of a step, with the run and the address it is about."""
        if self._context is not None:
            self._context.clock.now()  # a step is a sign of life
        old = what.startswith(_NO_NEWS) or what.endswith(_NO_NEWS_EITHER)
        with logs.bound(self._context.run if self._context else None, url):
            _log.log(logging.DEBUG if old else logging.INFO, "%s", what)
