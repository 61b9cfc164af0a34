"""The request budget of one host, shared by all commands and processes that use the same archive.

Requests are spaced evenly, never sent in bursts. No process reserves a time in advance: a process that wants to send a
request reads a small state file under a lock, sends the request if this is allowed now, and otherwise sleeps and tries
again. So a pause that one process learns of, such as a Retry-After header, also applies to processes that are asleep.

Boundary: uses files, locks and the injected clock; no HTTP. `crawler.rate_limit` decides when a request may be sent.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from crawler import files, rate_limit, urls
from crawler.clock import Clock, to_text
from crawler.errors import SitePaused, StopError
from crawler.fetch import budget_file
from crawler.fetch.budget_file import load
from crawler.fetch.settings import Settings
from crawler.rate_limit import Pause, RateLimits, RateLimitState, RateLimitStatus, ResponseSignal

_RECHECK = 0.1  # seconds between two checks for a free connection


class Budget:
    """Decides when this process may send its next request to one host.

    A request that would have to wait longer than `max_wait` seconds is refused. At most `connections` requests, counted
    over all processes, are in progress at the same time.
    """

    def __init__(
        self,
        folder: Path,
        host: str,
        limits: RateLimits,
        clock: Clock,
        *,
        connections: int = 2,
        max_wait: float = 120.0,
    ) -> None:
        self._host = host
        self._file = folder / f"budget-{host}.json"
        self._lock = folder / f"budget-{host}.lock"
        # locks of the kernel, which a process also releases when it is killed
        self._connections = tuple(folder / f"connection-{host}-{n}.lock" for n in range(1, connections + 1))
        self._limits = limits
        self._clock = clock
        self._max_wait = max_wait
        self._delay: float | None = None  # the Crawl-delay that the next turn records

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may be sent, then occupy one of the host's connections for the duration of the block.

        Raises:
            SitePaused: the wait would be longer than `max_wait` seconds.
            StopError: the state file cannot be written.

        """
        connection = self._wait()
        try:
            yield
        finally:
            connection.close()

    def report(self, signal: ResponseSignal) -> None:
        """Record in the state file how a request ended.

        Raises:
            StopError: the state file cannot be written.

        """
        self._update(lambda state, now: rate_limit.after_response(state, self._limits, signal, now))

    def set_crawl_delay(self, delay: float) -> None:
        """Set the host's Crawl-delay, in seconds. The next turn records it, so that all processes obey it."""
        self._delay = delay

    def is_host_suspect(self, address: str) -> bool:
        """Whether the host as a whole may be failing, and not only its page at `address`."""
        return rate_limit.is_host_suspect(load(self._file), address)

    def status(self) -> RateLimitStatus:
        """Return the host's current rate limit for display; the state file is not changed."""
        now = self._clock.now()
        state = rate_limit.clamp_times(load(self._file), self._limits, now)
        return rate_limit.status(state, self._limits, now)

    def _wait(self) -> IO[bytes]:
        while isinstance(found := self._take(), Pause):
            seconds = (found.until - self._clock.now()).total_seconds()
            if seconds > self._max_wait:
                message = f"no requests to {self._host} before {to_text(found.until)}: {found.reason}"
                raise SitePaused(message, found.hint, found.until, own=found.own)
            self._clock.sleep(seconds)
        return found

    def _take(self) -> IO[bytes] | Pause:
        """Count a request and return its connection's locked file; return the pause if no request may be sent now."""
        found: IO[bytes] | Pause

        def take(state: RateLimitState, now: datetime) -> RateLimitState:
            nonlocal found
            if self._delay is not None:
                state, self._delay = replace(state, delay=self._delay), None
            busy = Pause(now + timedelta(seconds=_RECHECK), "all connections are in use")
            found = rate_limit.current_pause(state, self._limits, now) or self._connect() or busy
            return state if isinstance(found, Pause) else rate_limit.after_request(state, self._limits, now)

        self._update(take)
        return found

    def _connect(self) -> IO[bytes] | None:
        for path in self._connections:
            file = files.open_to_append(path)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
            else:
                return file
        return None

    def _update(self, change: Callable[[RateLimitState, datetime], RateLimitState]) -> None:
        """Apply `change` to the state file under a lock; readers see the whole old state or the whole new one."""
        with state_file_errors(self._file), files.open_to_append(self._lock) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            now = self._clock.now()
            # waiting for a free connection changes nothing, so that the file is not written
            budget_file.update(self._file, lambda old: change(rate_limit.clamp_times(old, self._limits, now), now))


@contextmanager
def state_file_errors(file: Path) -> Iterator[None]:
    """Create the folder of a state file, and turn an `OSError` in the `with` block into a `StopError` with a hint.

    Raises:
        StopError: the file cannot be written, for example because the disk is full or a permission is missing.

    """
    try:
        if not file.parent.is_dir():
            # without parents: an archive that was moved away must not be created again
            files.make_folder(file.parent, parents=False)
        yield
    except OSError as error:
        raise StopError(
            f"cannot write {file}: {error.strerror or error}",
            "free disk space or correct the permissions, then start again; stored data is safe",
        ) from error


def budget_for(settings: Settings, state: Path, url: str, clock: Clock) -> Budget:
    """Return the request budget for the host of `url` (http and https share one budget); its files are in `state`."""
    host = urls.file_name(urls.origin(url).partition("//")[2])
    return Budget(state, host, settings.limits(), clock, connections=settings.connections, max_wait=settings.max_wait)
