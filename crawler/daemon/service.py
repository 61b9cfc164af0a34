"""The main thread: puts the parts together, waits for signals, ends them in order.

Boundary: threads and signals; see the package's docstring for who does what.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta

from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

import crawler
from crawler import alerts, logs
from crawler.clock import StoppableClock, SystemClock
from crawler.config import Config
from crawler.daemon import memory
from crawler.daemon.endpoint import Endpoint, health_page
from crawler.daemon.signal_waiter import RELOAD, STOP, Door, signals
from crawler.daemon.systemd import Notifier
from crawler.daemon.watch import Watch
from crawler.daemon.watchdog import Pulse
from crawler.daemon.worker import Worker
from crawler.errors import ConfigError, StopError
from crawler.health.incidents import SETTLED
from crawler.repair.lexicon import Lexicon

_FILES = 256  # that may be open: 50 monitors at the endpoint, each with the database's three, and what the work needs
_LOST_TICKS = 5  # when no tick came in so many times its interval, the clock must have been set back

_MORE_THREADS = (
    "end other programs, or raise the limit: TasksMax= in the unit, `ulimit -u`, the container's --pids-limit"
)

_log = logs.logger("service")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the parts move, in seconds of the machine; `grace` is for the page in hand when the end is asked for.

    `second` is how long a second of the service's own time takes: less where time runs faster, in tests and drills.
    """

    second: float = 1.0
    tick: float = 10.0
    look: float = 30.0
    grace: float = 20.0
    settled: timedelta = SETTLED


class Service:
    """The service of one archive; `load` reads the configuration, at the start and at each SIGHUP."""

    def __init__(
        self,
        load: Callable[[], Config],
        *,
        lexicon: Lexicon | None = None,
        clock: StoppableClock | None = None,
        rhythm: Rhythm = Rhythm(),
        environ: Mapping[str, str] = os.environ,
        verbose: bool = False,
    ) -> None:
        self._load = load
        self._lexicon = lexicon
        self._clock = clock or StoppableClock()
        self._pulse = Pulse(self._clock)
        self._rhythm = rhythm
        self._environ = environ
        self._notifier = Notifier(environ)
        self._verbose = verbose
        self._failure: BaseException | None = None
        self._silent = 0.0
        self._refused = False
        self._said = "collecting"

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            StopError: it cannot begin, or cannot go on.

        """
        memory.settle()
        need_files()
        self._config = self._load()
        secrets = alerts.secrets(self._config.alerts)
        with (
            logs.logging_to(
                sys.stderr,
                self._config.log,
                secrets,
                verbose=self._verbose,
                journal=logs.is_journal(sys.stderr, self._environ),
            ),
            signals(*STOP, RELOAD) as door,
        ):
            try:
                self._serve(door)
            except StopError:
                raise
            except BaseException as error:
                if "can't start new thread" in str(error):
                    raise StopError("this machine lets it start no further thread", _MORE_THREADS) from error
                _log.critical("a bug ends the service", exc_info=True)
                raise

    def _serve(self, door: Door) -> None:
        self._door = door
        self._worker = Worker(self._config, self._pulse, self._lexicon, door.knock)
        self._worker.start()
        try:
            if self._has_the_archive():
                with ExitStack() as self._parts:
                    self._begin()
                    self._wait()
            self._notifier.stopping()
        finally:
            finished = self._end_worker()
        if (failure := self._failure or self._worker.failure) is not None:
            raise failure
        if finished:
            _log.info("stopped; nothing was begun that is not finished")

    def _has_the_archive(self) -> bool:
        """Wait until the archive is ours, or it is plain that it will not be, or the end is asked for."""
        while self._worker.alive and not self._worker.ready.wait(0.05):
            if self._door.came() & set(STOP):
                return False
        if self._worker.failure is not None:
            raise self._worker.failure
        return True

    def _begin(self) -> None:
        config = self._config
        now, trouble = self._clock.now, lambda: self._worker.trouble(self._clock.now())
        self._watch = Watch(config, now, lambda: self._silent, self._rhythm.settled, trouble)
        self._endpoint = self._open_endpoint(config)
        self._parts.callback(self._close_endpoint)
        self._scheduler = self._parts.enter_context(_ticking(self._rhythm, self._worker.wake, self._look, self._fail))
        _log.info("vna %s collects %s into %s; %s", crawler.__version__, config.root, config.archive, self._where())
        self._notifier.ready(self._said)

    def _look(self) -> None:
        """Look, and let the work begin: what might end the service again comes after the first look has told of it."""
        self._watch.look()
        self._worker.begin()

    def _open_endpoint(self, config: Config) -> Endpoint | None:
        if not config.health:
            return None
        pages = {"/healthz": lambda: health_page(self._watch.conditions()), "/metrics": self._watch.metrics}
        return Endpoint(config.health, pages, self._fail)

    def _close_endpoint(self) -> None:
        if self._endpoint is not None:
            self._endpoint.close()

    def _move_endpoint(self, config: Config) -> None:
        """Answer elsewhere, or where it was; first it is closed, as it may only change from loopback to all on one port."""
        self._close_endpoint()
        self._endpoint = None
        try:
            self._endpoint = self._open_endpoint(config)
        except ConfigError:
            self._endpoint = self._open_endpoint(self._config)
            raise

    def _where(self) -> str:
        return f"health at {self._endpoint.url}/healthz" if self._endpoint else "no health endpoint"

    def _wait(self) -> None:
        """Stay until the end is asked for, or the worker has ended."""
        beats = ticks = quiet = 0
        while self._worker.alive and self._failure is None:
            came = self._door.wait(self._rhythm.second)
            if came & set(STOP):
                return
            if RELOAD in came:
                self._reload()
            beats = self._feel(beats)
            self._say()
            ticks, quiet = self._worker.ticks, 0 if self._worker.ticks != ticks else quiet + 1
            if quiet * self._rhythm.second > _LOST_TICKS * self._rhythm.tick:
                _log.warning("no tick for a while: the clock was set back; counting anew")
                count_anew(self._scheduler)
                quiet = 0

    def _feel(self, beats: int) -> int:
        """Feel the worker's pulse: systemd hears of it when it beats, health when it does not."""
        if self._pulse.beats != beats:
            self._notifier.alive()
            self._silent = 0.0
        else:
            self._silent += 1.0
        return self._pulse.beats

    def _say(self) -> None:
        """Have the service manager show what the service does, when that is another thing than it shows."""
        does = "collecting with the old configuration: the new one has mistakes" if self._refused else "collecting"
        said = f"{does}; trouble: {', '.join(self._watch.red)}" if self._watch.red else does
        if said != self._said:
            self._said = said
            self._notifier.status(said)

    def _reload(self) -> None:
        """Read the configuration again; with mistakes in it, go on with the old one."""
        self._notifier.reloading()
        try:
            config = self._load()
            self._check_change(config)
            if config.health != self._config.health:
                self._move_endpoint(config)
        except ConfigError as error:
            self._refused = True
            for mistake in str(error).splitlines():
                _log.error("configuration not taken over: %s", mistake)
            _log.error("going on with the old configuration; %s", error.hint)
        else:
            self._refused = False
            self._config = self._watch.config = config
            logs.reform(config.log, alerts.secrets(config.alerts))
            self._worker.adopt(config)
            _log.info("configuration read again; %s", self._where())
        self._notifier.ready(self._said)

    def _check_change(self, config: Config) -> None:
        fixed = {"[site] root": "root", "[archive] dir": "archive"}
        changed = [key for key, name in fixed.items() if getattr(config, name) != getattr(self._config, name)]
        if changed:
            raise ConfigError(f"{' and '.join(changed)} cannot change while the service runs", "restart the service")
        if not config.loopback and not config.contact_is_real:
            raise ConfigError("[site] contact is no address any more", "set it to an address of yours")

    def _fail(self, error: BaseException) -> None:
        """Hear of a bug in another thread: it ends the service."""
        self._failure = self._failure or error
        self._door.knock()

    def _end_worker(self) -> bool:
        """Have the worker finish what it has in hand; what takes too long is done again at the next start."""
        self._pulse.stop()
        finished = self._worker.join(self._rhythm.grace)
        if not finished:
            _log.warning("stopped; what was in hand took longer than %s s, and is done again", self._rhythm.grace)
        return finished


def need_files() -> None:
    """Raise the number of files that may be open if need be: one too few looks like damage, and comes after days.

    Raises:
        StopError: it may not be raised.

    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= _FILES or soft == resource.RLIM_INFINITY:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, hard))
    except (ValueError, OSError) as error:
        message = f"it may open no more than {soft} files at a time, and needs {_FILES}"
        raise StopError(message, f"raise the limit: LimitNOFILE= in the unit, `ulimit -n {_FILES}`") from error


@contextmanager
def _ticking(
    rhythm: Rhythm, wake: Callable[[], None], look: Callable[[], None], failed: Callable[[BaseException], None]
) -> Iterator[BackgroundScheduler]:
    """Tick while the block lasts; a late tick is one tick, and none is dropped for being late."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(2)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_listener(lambda event: failed(event.exception), EVENT_JOB_ERROR)
    scheduler.add_job(wake, "interval", id="tick", seconds=rhythm.tick)
    scheduler.add_job(look, "interval", id="look", seconds=rhythm.look, next_run_time=SystemClock().now())
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=False)


def count_anew(scheduler: BackgroundScheduler) -> None:
    """Have every job come after its interval from now: next times of before a step back of the clock are far away."""
    for job in scheduler.get_jobs():
        job.reschedule("interval", seconds=job.trigger.interval_length)
