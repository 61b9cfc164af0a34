"""Wait for signals in the main thread.

A signal handler that sets a `threading.Event` can deadlock with the main thread that waits for the event. So the
handlers do nothing. Instead, Python writes the number of each signal to a socket (`signal.set_wakeup_fd`), and the main
thread waits for this socket. Other threads write to the same socket to wake the main thread.

Boundary: signal handling of the process.
"""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STOP = (signal.SIGTERM, signal.SIGINT)
RELOAD = signal.SIGHUP
_WAKE = b"\0"  # no signal has the number 0


class SignalWaiter:
    """Lets the main thread wait for signals and for wake-ups by other threads."""

    def __init__(self, reader: socket.socket, writer: socket.socket) -> None:
        self._reader = reader
        self._writer = writer

    def wait(self, seconds: float) -> set[int]:
        """Wait at most `seconds` for a signal or a wake-up. Return the received signals, which may be none."""
        if not select.select([self._reader], [], [], seconds)[0]:
            return set()
        return set(self._reader.recv(4096)) - set(_WAKE)

    def pending(self) -> set[int]:
        """Return the signals received since the last `wait`. The next `wait` returns them again."""
        if not select.select([self._reader], [], [], 0)[0]:
            return set()
        return set(self._reader.recv(4096, socket.MSG_PEEK)) - set(_WAKE)

    def wake(self) -> None:
        """Make `wait` return at once. Any thread may call this, even after the waiter's sockets are closed."""
        with suppress(OSError):  # the socket's buffer is full, so a wake-up is pending already, or the socket is closed
            self._writer.send(_WAKE)


@contextmanager
def capture_signals(*numbers: int) -> Iterator[SignalWaiter]:
    """Unblock the signals `numbers`, and yield a waiter that receives them while the `with` block runs.

    Only the main thread may call this function.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        old_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        old = {number: signal.signal(number, lambda *_: None) for number in numbers}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        try:
            yield SignalWaiter(reader, writer)
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_fd)
