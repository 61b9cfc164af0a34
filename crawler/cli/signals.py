"""Signal handling: a signal ends a command with one line, and stops a run after its current item.

Boundary: changes only the signal handling of this process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.clock import StoppableClock

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal ends the command.

    No code takes it for an error of the item in progress, as it is no `Exception`, and typer does not print `Aborted!`,
    as it is no `KeyboardInterrupt`.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """The exit code that shells use for a program that was ended by this signal."""
        return 128 + self.number

    def __str__(self) -> str:
        return f"vna: stopped by {signal.Signals(self.number).name}"


def raise_on_signals() -> None:
    """Make the first SIGINT, SIGTERM or SIGHUP raise `Ended`, and the second end the process at once.

    Files that are being written are removed and child processes are ended while the exception propagates. A signal
    that is ignored, such as SIGHUP under `nohup`, stays ignored.
    """
    _handle(_raise)


def exit_on_signals(code: int) -> None:
    """Make a signal end the process at once with an exit code that is decided, because the command has finished."""
    _handle(lambda *_: os._exit(code))


def _handle(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _raise(number: int, _: FrameType | None) -> None:
    _handle(_exit)
    raise Ended(number)


def _exit(number: int, _: FrameType | None) -> None:
    ended = Ended(number)
    try:
        os.write(2, f"{ended}\n".encode())
    finally:
        os._exit(ended.exit_code)


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
    """Make the first SIGINT, SIGTERM or SIGHUP stop the run after its current item, and the second end it at once.

    A signal that is ignored stays ignored.
    """
    handlers = {number: signal.getsignal(number) for number in _ENDING}
    before = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}

    def stop(number: int, _: FrameType | None) -> None:
        clock.stop()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
