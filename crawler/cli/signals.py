"""Signals of a run: the first one ends it cleanly, and one that comes too early waits.

Boundary: signals of this process.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.clock import StoppableClock


@contextmanager
def held_back(number: int) -> Iterator[None]:
    """Have a signal wait while nobody takes it: by itself SIGHUP would end a service that is only beginning."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def stopped_by_signals(clock: StoppableClock) -> Iterator[None]:
    """Have the first SIGINT or SIGTERM end the run after the page in hand; a second one ends it at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _: object) -> None:
        clock.stop()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
