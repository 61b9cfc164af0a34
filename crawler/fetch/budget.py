"""One request budget for a host, shared by every command and process that uses the same archive.

Requests are spaced evenly, never sent in bursts. Nobody books ahead: whoever wants to ask looks into a small file under
a lock, takes the turn when it has come, else sleeps and looks again. So a pause that one process was told of
(Retry-After, a tripped breaker) holds for those that sleep already, too.

Boundary: files, locks and the injected clock; nothing of HTTP. What may be asked when is decided by `policy.patience`.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from crawler import rate_limit
from crawler.clock import Clock, from_text, to_precise_text, to_text
from crawler.errors import SitePaused, StopError
from crawler.rate_limit import Answer, Limits, Pace, Patience, Pause

_CROWDED = 0.1  # seconds until the next look whether a connection is free
_INSTANTS = ("last", "until", "trouble_at")


class Budget:
    """Hands out turns to ask one host; who would wait longer than `most_wait` seconds is told to come back."""

    def __init__(
        self, folder: Path, host: str, limits: Limits, clock: Clock, *, connections: int = 2, most_wait: float = 120.0
    ) -> None:
        self._host = host
        self._file = folder / f"budget-{host}.json"
        self._lock = folder / f"budget-{host}.lock"
        self._connections = tuple(folder / f"connection-{host}-{n}.lock" for n in range(1, connections + 1))
        self._limits = limits
        self._clock = clock
        self._most_wait = most_wait

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hold one of the host's connections while the block lasts.

        Raises:
            SitePaused: the next turn is too far away.

        """
        connection = self._wait()
        try:
            yield
        finally:
            connection.close()

    def report(self, answer: Answer) -> None:
        """Note how a request ended."""
        self._update(lambda state, now: rate_limit.after(state, self._limits, answer, now))

    def spread(self, delay: float) -> None:
        """Note the Crawl-delay of the host, in seconds; it holds for all."""
        if delay != load(self._file).delay:
            self._update(lambda state, _: replace(state, delay=delay))

    def doubtful(self, address: str) -> bool:
        """Say whether the host itself seems to be in trouble, and not this address alone."""
        return rate_limit.doubtful(load(self._file), address)

    def pace(self) -> Pace:
        """Give how the host is treated at the moment."""
        now = self._clock.now()
        return rate_limit.pace(rate_limit.healed(load(self._file), self._limits, now), self._limits, now)

    def _wait(self) -> IO[bytes]:
        while isinstance(held := self._take(), Pause):
            seconds = (held.until - self._clock.now()).total_seconds()
            if seconds > self._most_wait:
                message = f"nothing may be asked of {self._host} before {to_text(held.until)}: {held.reason}"
                raise SitePaused(message, held.hint, held.until, own=held.own)
            self._clock.sleep(seconds)
        return held

    def _take(self) -> IO[bytes] | Pause:
        """Take the turn: gives the connection to use, or why it has not come."""
        found: IO[bytes] | Pause

        def take(state: Patience, now: datetime) -> Patience:
            nonlocal found
            crowded = Pause(now + timedelta(seconds=_CROWDED), "all connections are in use")
            found = rate_limit.pause(state, self._limits, now) or self._connect() or crowded
            return state if isinstance(found, Pause) else rate_limit.taken(state, self._limits, now)

        self._update(take)
        return found

    def _connect(self) -> IO[bytes] | None:
        for path in self._connections:
            file = path.open("ab")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
            else:
                return file
        return None

    def _update(self, change: Callable[[Patience, datetime], Patience]) -> None:
        """Under the lock, write what `change` makes of the state; readers see the old one or the new one, whole."""
        with keeping(self._file), self._lock.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            now = self._clock.now()
            stored = load(self._file)
            state = change(rate_limit.healed(stored, self._limits, now), now)
            if state != stored:
                write(self._file, json.dumps(_plain(state)))


def load(file: Path) -> Patience:
    """Read a state file; a missing or damaged one is that of a host that was never asked."""
    try:
        data = json.loads(file.read_text("ascii"))
        instants = {name: _instant(data[name]) for name in _INSTANTS}
        return Patience(**{**data, **instants, "troubled": tuple(data["troubled"])})
    except (OSError, ValueError, KeyError, TypeError):
        return Patience()


def _plain(state: Patience) -> dict[str, Any]:
    instants = {name: getattr(state, name) for name in _INSTANTS}
    return asdict(state) | {name: value and to_precise_text(value) for name, value in instants.items()}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)


def write(file: Path, text: str) -> None:
    """Put a text in the place of a file, whole, whoever else does so at the same moment."""
    fresh = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(file)


@contextmanager
def keeping(file: Path) -> Iterator[None]:
    """Make the folder of a state file; say what to do when the file cannot be written.

    Raises:
        StopError: a full disk, a missing permission.

    """
    try:
        file.parent.mkdir(exist_ok=True)  # not the archive's folder: it may have been moved, and must not be made anew
        yield
    except OSError as error:
        raise StopError(
            f"cannot write {file}: {error.strerror or error}",
            "free space or correct the permissions, then start again: nothing that was stored is lost",
        ) from error
