"""One request budget for a host, shared by every command and process that uses the same archive.

Requests are spaced evenly, never sent in bursts: each caller books the next free slot in a small file under a lock,
then sleeps until its slot. A pause that the host asked for (Retry-After) moves the slots of all of them.

Boundary: a file, a lock and the injected clock; nothing of HTTP.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from crawler.clock import Clock
from crawler.errors import StopError


class Budget:
    """Books request slots; `rate` is in requests a second, 0 for no spacing."""

    def __init__(self, file: Path, rate: float, clock: Clock) -> None:
        self._file = file
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock

    def widen(self, seconds: float) -> None:
        """Make slots at least so many seconds apart (a Crawl-delay)."""
        self._interval = max(self._interval, seconds) if self._interval else self._interval

    def wait(self) -> None:
        """Book the next slot and sleep until it comes."""
        now = self._clock.now().timestamp()
        slot = self._update(lambda next_free: (max(now, next_free), self._interval))
        self._clock.sleep(slot - now)

    def pause(self, seconds: float) -> None:
        """Let no slot begin within the next so many seconds."""
        until = self._clock.now().timestamp() + seconds
        self._update(lambda next_free: (max(until, next_free), 0.0))

    def _update(self, book: Callable[[float], tuple[float, float]]) -> float:
        """Under the lock: `book` gets the next free time and gives a slot and its length."""
        with keeping(self._file), self._file.open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            slot, length = book(_read(file))
            file.seek(0)
            file.truncate()
            json.dump({"next_free": slot + length}, file)
        return slot


@contextmanager
def keeping(file: Path) -> Iterator[None]:
    """Make the folder of a state file; say what to do when the file cannot be written.

    Raises:
        StopError: a full disk, a missing permission.

    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StopError(
            f"cannot write {file}: {error.strerror or error}",
            "free space or correct the permissions, then start again: nothing that was stored is lost",
        ) from error


def _read(file: IO[str]) -> float:
    file.seek(0)
    try:
        return float(json.load(file)["next_free"])
    except (ValueError, KeyError, TypeError):  # empty: a new file, or a crash between truncating and writing
        return 0.0
