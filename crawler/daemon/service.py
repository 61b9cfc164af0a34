"""The service's main thread: starts the other parts, waits for signals, and stops the parts in the right order.

Boundary: threads and signals. The package docstring lists the threads.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

import crawler
from crawler import known_secrets, logs
from crawler.clock import StoppableClock, SystemClock
from crawler.config import Config
from crawler.daemon import memory
from crawler.daemon.endpoint import Endpoint, health_page
from crawler.daemon.health_monitor import HealthMonitor
from crawler.daemon.signal_waiter import RELOAD, STOP, SignalWaiter, capture_signals
from crawler.daemon.systemd import Notifier
from crawler.daemon.watchdog import WatchdogClock
from crawler.daemon.worker import Worker
from crawler.errors import ConfigError, StopError
from crawler.health.incidents import RESOLVE_AFTER
from crawler.repair.lexicon import Lexicon

_FILES = 256  # open files: 50 clients of the endpoint with a socket and three database files each, plus the worker
_LOST_TICKS = 5  # tick intervals without a tick, after which the system clock must have been set back

_MORE_THREADS = (
    "stop other programs, or raise the limit: with TasksMax= in the systemd unit, with `ulimit -u` in a shell, or with"
    " --pids-limit for a container"
)

_log = logs.logger("service")


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of the service, in seconds of real time.

    The worker looks for due jobs every `tick` seconds, and the health is checked every `check` seconds. `second` is how
    long one second of the service's clock lasts; it is less than 1 in tests and benchmarks, where time runs faster.
    `grace` is how long a stop waits for the current page. An incident ends when its condition has not failed for
    `resolve_after`, measured on the service's clock.
    """

    second: float = 1.0
    tick: float = 10.0
    check: float = 30.0
    grace: float = 20.0
    resolve_after: timedelta = RESOLVE_AFTER


class Service:
    """The service for one archive. It calls `load` to read the configuration, at the start and at each SIGHUP."""

    def __init__(
        self,
        load: Callable[[], Config],
        *,
        lexicon: Lexicon | None = None,
        clock: StoppableClock | None = None,
        intervals: Intervals = Intervals(),
        environ: Mapping[str, str] = os.environ,
        verbose: bool = False,
    ) -> None:
        self._load = load
        self._lexicon = lexicon
        self._clock = clock or StoppableClock()
        self._watchdog = WatchdogClock(self._clock)
        self._intervals = intervals
        self._environ = environ
        self._notifier = Notifier(environ)
        self._verbose = verbose
        self._failure: BaseException | None = None
        self._silent = 0.0  # seconds since the worker's last heartbeat
        self._config_rejected = False
        self._status = "collecting"

    def run(self) -> None:
        """Run the service until SIGTERM or SIGINT.

        Raises:
            StopError: the service cannot start, or cannot continue.

        """
        memory.configure_allocator()
        raise_file_limit()
        self._config = self._load()
        secrets = known_secrets.secrets(self._config, self._environ)
        with (
            logs.logging_to(
                sys.stderr,
                self._config.log,
                secrets,
                verbose=self._verbose,
                journal=logs.is_journal(sys.stderr, self._environ),
            ),
            capture_signals(*STOP, RELOAD) as waiter,
        ):
            try:
                self._serve(waiter)
            except StopError:
                raise
            except BaseException as error:
                if "can't start new thread" in str(error):
                    raise StopError("cannot start another thread: system limit reached", _MORE_THREADS) from error
                _log.critical("stopping the service because of a bug", exc_info=True)
                raise

    def _serve(self, waiter: SignalWaiter) -> None:
        self._waiter = waiter
        self._worker = Worker(self._config, self._watchdog, self._lexicon, waiter.wake)
        self._worker.start()
        try:
            if self._archive_opened():
                with ExitStack() as self._parts:
                    self._start_parts()
                    self._wait()
            self._notifier.stopping()
        finally:
            finished = self._stop_worker()
        if (failure := self._failure or self._worker.failure) is not None:
            raise failure
        if finished:
            _log.info("stopped; all started work is finished")

    def _archive_opened(self) -> bool:
        """Wait until the worker has opened the archive. Return False if a stop signal arrives first.

        If the worker cannot open the archive, its error is raised.
        """
        while self._worker.alive and not self._worker.ready.wait(0.05):
            if self._waiter.pending() & set(STOP):
                return False
        if self._worker.failure is not None:
            raise self._worker.failure
        return True

    def _start_parts(self) -> None:
        config = self._config
        now, archive_error = self._clock.now, lambda: self._worker.archive_error(self._clock.now())
        self._monitor = HealthMonitor(config, now, lambda: self._silent, self._intervals.resolve_after, archive_error)
        self._endpoint = self._open_endpoint(config)
        self._parts.callback(self._close_endpoint)
        self._scheduler = self._parts.enter_context(
            _scheduled(self._intervals, self._worker.wake, self._check, self._fail)
        )
        _log.info(
            "vna %s: collecting %s into %s; %s", crawler.__version__, config.root, config.archive, self._endpoint_text()
        )
        self._notifier.ready(self._status)

    def _check(self) -> None:
        """Check the health, then let the worker run jobs.

        The check comes first: if a job crashes the service at each start, the alert about this must be sent before the
        job runs again.
        """
        self._monitor.check()
        self._worker.allow_jobs()

    def _open_endpoint(self, config: Config) -> Endpoint | None:
        if not config.health:
            return None
        pages = {"/healthz": lambda: health_page(self._monitor.conditions()), "/metrics": self._monitor.metrics}
        return Endpoint(config.health, pages, self._fail, config.hosts)

    def _close_endpoint(self) -> None:
        if self._endpoint is not None:
            self._endpoint.close()

    def _move_endpoint(self, config: Config) -> None:
        """Open the endpoint at its new address; if this address cannot be used, open it at the old address again.

        The old endpoint is closed first: while it listens on loopback, a new endpoint cannot listen on the same port of
        all interfaces. If another program has taken the old address since, there is no endpoint until the next reload.

        Raises:
            ConfigError: the new address cannot be used.

        """
        self._close_endpoint()
        self._endpoint = None
        try:
            self._endpoint = self._open_endpoint(config)
        except ConfigError:
            with suppress(ConfigError):  # the error of the new address is the one to correct
                self._endpoint = self._open_endpoint(self._config)
            raise

    def _endpoint_text(self) -> str:
        return f"health endpoint {self._endpoint.url}/healthz" if self._endpoint else "no health endpoint"

    def _wait(self) -> None:
        """Wait until a stop signal arrives, the worker ends, or another thread fails."""
        beats = ticks = quiet = 0
        while self._worker.alive and self._failure is None:
            received = self._waiter.wait(self._intervals.second)
            if received & set(STOP):
                return
            if RELOAD in received:
                self._reload()
            beats = self._check_heartbeat(beats)
            self._update_status()
            ticks, quiet = self._worker.ticks, 0 if self._worker.ticks != ticks else quiet + 1
            if quiet * self._intervals.second > _LOST_TICKS * self._intervals.tick:
                _log.warning("the timers have stopped because the system clock was set back; restarting them")
                restart_timers(self._scheduler)
                quiet = 0

    def _check_heartbeat(self, beats: int) -> int:
        """If the worker's number of heartbeats differs from `beats`, report to systemd that the worker is alive.

        Otherwise, add to the time without a heartbeat. Return the current number of heartbeats.
        """
        if self._watchdog.beats != beats:
            self._notifier.alive()
            self._silent = 0.0
        else:
            self._silent += 1.0
        return self._watchdog.beats

    def _update_status(self) -> None:
        """Send the status line of the service to systemd if it has changed."""
        rejected = "collecting with the previous configuration: the new one is invalid"
        status = rejected if self._config_rejected else "collecting"
        if self._monitor.failing:
            status = f"{status}; failing: {', '.join(self._monitor.failing)}"
        if status != self._status:
            self._status = status
            self._notifier.status(status)

    def _reload(self) -> None:
        """Reload the configuration. If it is invalid, keep the previous one."""
        self._notifier.reloading()
        try:
            config = self._load()
            self._check_change(config)
            if config.health != self._config.health or (config.health and self._endpoint is None):
                self._move_endpoint(config)
        except ConfigError as error:
            self._config_rejected = True
            for mistake in str(error).splitlines():
                _log.error("invalid configuration: %s", mistake)
            _log.error("keeping the previous configuration; %s", error.hint)
        else:
            self._config_rejected = False
            self._config = self._monitor.config = config
            logs.set_format(config.log, known_secrets.secrets(config, self._environ))
            self._worker.reconfigure(config)
            _log.info("configuration reloaded; %s", self._endpoint_text())
        self._notifier.ready(self._status)

    def _check_change(self, config: Config) -> None:
        fixed = {"[site] root": "root", "[archive] dir": "archive"}
        changed = [key for key, name in fixed.items() if getattr(config, name) != getattr(self._config, name)]
        if changed:
            raise ConfigError(f"{' and '.join(changed)} cannot change while the service runs", "restart the service")
        if not config.loopback and not config.contact_is_real:
            raise ConfigError(
                "[site] contact is no longer a contact address",
                "set `[site] contact` to your e-mail address or web page",
            )

    def _fail(self, error: BaseException) -> None:
        """Record an unexpected error of another thread and end the service."""
        self._failure = self._failure or error
        self._waiter.wake()

    def _stop_worker(self) -> bool:
        """Stop the worker after its current page. Return whether it ended within `Intervals.grace` seconds."""
        self._watchdog.stop()
        finished = self._worker.join(self._intervals.grace)
        if not finished:
            grace = self._intervals.grace
            _log.warning(
                "stopped; the current item took longer than %s s and will be repeated at the next start", grace
            )
        return finished


def raise_file_limit() -> None:
    """Raise the limit of open files if it is too low.

    Otherwise the service could reach the limit days later, with errors that look like a damaged archive.

    Raises:
        StopError: the limit cannot be raised.

    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= _FILES or soft == resource.RLIM_INFINITY:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, hard))
    except (ValueError, OSError) as error:
        message = f"the limit of open files is {soft}; {_FILES} are needed"
        raise StopError(
            message, f"raise the limit with LimitNOFILE= in the systemd unit, or with `ulimit -n {_FILES}` in a shell"
        ) from error


@contextmanager
def _scheduled(
    intervals: Intervals, wake: Callable[[], None], check: Callable[[], None], failed: Callable[[BaseException], None]
) -> Iterator[BackgroundScheduler]:
    """While the `with` block runs, call `wake` and `check` at their `intervals`; pass their exceptions to `failed`.

    If several calls of a function are overdue, it is called once, however late.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(2)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_listener(lambda event: failed(event.exception), EVENT_JOB_ERROR)
    scheduler.add_job(wake, Timer(intervals.tick), id="tick")
    scheduler.add_job(check, Timer(intervals.check), id="check", next_run_time=SystemClock().now())
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=False)


def restart_timers(scheduler: BackgroundScheduler) -> None:
    """Make every job of `scheduler` run one interval from now.

    If the system clock was set back, the jobs would otherwise not run until it reaches the old time again.
    """
    for job in scheduler.get_jobs():
        job.reschedule(Timer(job.trigger.interval_length))


class Timer(IntervalTrigger):  # type: ignore[misc]  # the library has no types
    """Triggers a job every `seconds`. After a jump of the system clock, the missed times are skipped.

    The library's own trigger lists every missed time, even if only one call follows: after a jump of ten years, these
    are 31 million for an interval of ten seconds.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds=seconds, timezone=UTC)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the next time after `previous_fire_time` that is not in the past."""
        following: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        missed = previous_fire_time is not None and following is not None and following <= now
        return now + self.interval if missed else following
