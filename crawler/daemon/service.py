"""The main thread: puts the parts together, waits for signals, ends them in order.

Boundary: threads and signals; see the package's docstring for who does what.
"""

from __future__ import annotations

import os
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
from crawler.clock import StoppableClock
from crawler.config import Config
from crawler.daemon import memory
from crawler.daemon.endpoint import Endpoint, health_page
from crawler.daemon.notify import Notifier
from crawler.daemon.pulse import Pulse
from crawler.daemon.signals import RELOAD, STOP, Door, signals
from crawler.daemon.watch import Watch
from crawler.daemon.worker import Worker
from crawler.errors import ConfigError, StopError
from crawler.policy.incidents import SETTLED
from crawler.repair.lexicon import Lexicon

_LOST_TICKS = 5  # when no tick came in so many times its interval, the clock must have been set back

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
        self._notifier = Notifier(environ)
        self._verbose = verbose
        self._failure: BaseException | None = None
        self._silent = 0.0

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            StopError: it cannot begin, or cannot go on.

        """
        memory.settle()
        self._config = self._load()
        secrets = alerts.secrets(self._config.alerts)
        with (
            logs.logging_to(sys.stderr, self._config.log, secrets, verbose=self._verbose),
            signals(*STOP, RELOAD) as door,
        ):
            try:
                self._serve(door)
            except StopError:
                raise
            except BaseException:
                _log.critical("a bug ends the service", exc_info=True)
                raise

    def _serve(self, door: Door) -> None:
        self._door = door
        self._worker = Worker(self._config, self._pulse, self._lexicon, door.knock)
        self._worker.start()
        try:
            self._await_worker()
            with ExitStack() as self._parts:
                self._begin()
                self._wait()
                self._notifier.stopping()
        finally:
            self._end_worker()
        if (failure := self._failure or self._worker.failure) is not None:
            raise failure
        _log.info("stopped; nothing was begun that is not finished")

    def _await_worker(self) -> None:
        """Wait until the archive is ours, or until it is plain that it will not be."""
        while self._worker.alive and not self._worker.ready.wait(0.05):
            pass
        if self._worker.failure is not None:
            raise self._worker.failure

    def _begin(self) -> None:
        config = self._config
        self._watch = Watch(config, self._clock.now, lambda: self._silent, self._rhythm.settled)
        self._endpoint = self._open_endpoint(config)
        self._parts.callback(self._close_endpoint)
        self._scheduler = self._parts.enter_context(
            _ticking(self._rhythm, self._worker.wake, self._watch.look, self._fail)
        )
        _log.info("vna %s collects %s into %s; %s", crawler.__version__, config.root, config.archive, self._where())
        self._notifier.ready("collecting")

    def _open_endpoint(self, config: Config) -> Endpoint | None:
        if not config.health:
            return None
        pages = {"/healthz": lambda: health_page(self._watch.conditions()), "/metrics": self._watch.metrics}
        return Endpoint(config.health, pages, self._fail)

    def _close_endpoint(self) -> None:
        if self._endpoint is not None:
            self._endpoint.close()

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

    def _reload(self) -> None:
        """Read the configuration again; with mistakes in it, go on with the old one."""
        self._notifier.reloading()
        try:
            config = self._load()
            self._check_change(config)
            if config.health != self._config.health:
                endpoint = self._open_endpoint(config)
                self._close_endpoint()
                self._endpoint = endpoint
        except ConfigError as error:
            for mistake in str(error).splitlines():
                _log.error("configuration not taken over: %s", mistake)
            _log.error("going on with the old configuration; %s", error.hint)
        else:
            self._config = self._watch.config = config
            logs.reform(config.log, alerts.secrets(config.alerts))
            self._worker.adopt(config)
            _log.info("configuration read again; %s", self._where())
        self._notifier.ready("collecting")

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

    def _end_worker(self) -> None:
        """Have the worker finish what it has in hand; what takes too long is done again at the next start."""
        self._pulse.stop()
        if not self._worker.join(self._rhythm.grace):
            _log.warning("what is in hand takes longer than %s s: left, and done again next time", self._rhythm.grace)


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
    scheduler.add_job(look, "interval", id="look", seconds=rhythm.look)
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=False)


def count_anew(scheduler: BackgroundScheduler) -> None:
    """Have every job come after its interval from now: next times of before a step back of the clock are far away."""
    for job in scheduler.get_jobs():
        job.reschedule("interval", seconds=job.trigger.interval_length)
