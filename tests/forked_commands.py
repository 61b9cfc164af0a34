"""Commands as processes that are forks of a command server (`command_server.py`), which starts when a test needs it."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).parent.parent
_LONGEST_WAIT = 60.0  # seconds for the server to start or to answer


class ForkedCommand:
    """A running command, with the parts of `subprocess.Popen` that the tests use.

    `stdin`, `stdout` and `stderr` are descriptors, `subprocess.PIPE`, `subprocess.DEVNULL` or None, as there. `server` is
    the connection to a command server; by default, the one that all commands of this process share.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        server: socket.socket | None = None,
    ) -> None:
        self.returncode: int | None = None
        theirs: list[int] = []
        self.stdin = _stream(stdin, 0, theirs)
        self.stdout = _stream(stdout, 1, theirs)
        self.stderr = _stream(stderr, 2, theirs)
        self._report, written = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with written:
            request = json.dumps({"words": list(words), "cwd": str(cwd), "env": dict(env)}).encode()
            socket.send_fds(server or _shared_server(), [request], [*theirs, written.fileno()])
        for descriptor in theirs:
            os.close(descriptor)
        self.pid = self._reported(_LONGEST_WAIT)

    def _reported(self, timeout: float | None) -> int:
        self._report.settimeout(timeout)
        return int(self._report.recv(100))

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the command; return its exit code, or the signal that ended it, as a negative number.

        Raises:
            TimeoutError: the command has not ended within `timeout` seconds.

        """
        if self.returncode is None:
            self.returncode = self._reported(timeout)
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit code, or None if the command is running."""
        if self.returncode is None and select.select([self._report], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def communicate(self, data: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Send `data` to the command, wait for its end, and return what it printed on stdout and on stderr."""
        printed: dict[IO[bytes], bytes] = {}

        def read(stream: IO[bytes]) -> None:
            printed[stream] = stream.read()

        streams = [stream for stream in (self.stdout, self.stderr) if stream is not None]
        readers = [threading.Thread(target=read, args=(stream,)) for stream in streams]
        for reader in readers:
            reader.start()
        if self.stdin is not None:
            with suppress(BrokenPipeError):  # the command did not read it
                self.stdin.write(data or b"")
                self.stdin.close()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return tuple(printed.get(stream, b"") for stream in (self.stdout, self.stderr))

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the command is known to have ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the command to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the command."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pipes and wait for the end of the command."""
        for stream in (self.stdout, self.stderr, self.stdin):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self.wait()
        self._report.close()


def _stream(kind: int | None, number: int, theirs: list[int]) -> IO[bytes] | None:
    """Add the end of a stream for the command to `theirs`; return our end, if it is a pipe."""
    if kind == subprocess.PIPE:
        reading, writing = os.pipe()
        theirs.append(writing if number else reading)
        return os.fdopen(reading, "rb") if number else os.fdopen(writing, "wb")
    if kind == subprocess.DEVNULL:
        theirs.append(os.open(os.devnull, os.O_RDWR))
    else:
        theirs.append(os.dup(number if kind is None else kind))
    return None


@contextmanager
def command_server(
    *, cwd: Path = ROOT, prepare: Callable[[], object] | None = None, **env: str
) -> Iterator[socket.socket]:
    """Start a command server, yield the connection to it, and end the server.

    `prepare` is called in the new process before its interpreter starts.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "command_server.py", str(theirs.fileno())],
            cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), **env}, pass_fds=[theirs.fileno()],
            preexec_fn=prepare,  # noqa: PLW1509 - it needs no locks
        )  # fmt: skip
    try:
        yield ours
    finally:
        ours.close()  # this ends the server
        server.wait()


@functools.cache
def _shared_server() -> socket.socket:
    """Start the command server of this process, and return the connection to it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(command_server())
