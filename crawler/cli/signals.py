"""Signal handling of a run: the first SIGINT or SIGTERM stops it cleanly, and SIGHUP can be delayed during start-up.

Boundary: changes only the signal handling of this process.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.clock import StoppableClock


@contextmanager
def blocked(number: int) -> Iterator[None]:
    """Block the signal `number` while the `with` statement runs.

    A blocked signal stays pending until the service unblocks it. Without this, a SIGHUP that arrives while the service
    starts would end the service, because that is the default action.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def stopped_by_signals(clock: StoppableClock) -> Iterator[None]:
    """Make the first SIGINT or SIGTERM stop the run after its current item, and the second end the process at once."""
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
