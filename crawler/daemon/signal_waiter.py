"""Signals as something to wait for.

A handler that sets an event can deadlock with the main thread that waits for it, so handlers do nothing: the number of
the signal arrives on a socket, where other threads can knock, too.

Boundary: the process's signals, while the block lasts.
"""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STOP = (signal.SIGTERM, signal.SIGINT)
RELOAD = signal.SIGHUP
_KNOCK = b"\0"


class Door:
    """Where signals and knocks arrive."""

    def __init__(self, inside: socket.socket, outside: socket.socket) -> None:
        self._inside = inside
        self._outside = outside

    def wait(self, seconds: float) -> set[int]:
        """Wait so long at most; give the signals that came."""
        if not select.select([self._inside], [], [], seconds)[0]:
            return set()
        return set(self._inside.recv(4096)) - set(_KNOCK)

    def came(self) -> set[int]:
        """Give the signals that came and that nobody has waited for yet; they stay for `wait`."""
        if not select.select([self._inside], [], [], 0)[0]:
            return set()
        return set(self._inside.recv(4096, socket.MSG_PEEK)) - set(_KNOCK)

    def knock(self) -> None:
        """Wake whoever waits."""
        with suppress(OSError):  # enough knocks are waiting, or nobody waits any more
            self._outside.send(_KNOCK)


@contextmanager
def signals(*numbers: int) -> Iterator[Door]:
    """Take these signals while the block lasts, also those that were held back until now; for the main thread."""
    inside, outside = socket.socketpair()
    with inside, outside:
        outside.setblocking(False)
        old_fd = signal.set_wakeup_fd(outside.fileno(), warn_on_full_buffer=False)
        old = {number: signal.signal(number, lambda *_: None) for number in numbers}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        try:
            yield Door(inside, outside)
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_fd)
