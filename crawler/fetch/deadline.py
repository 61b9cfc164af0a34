"""A limit on the total time of a request, in addition to the limit on each of its waits.

The HTTP client limits only each single wait for bytes. A server that sends one byte at a time, in the headers or in the
body, would therefore block a request for ever. So no wait may last longer than the request's remaining time.

Boundary: the network streams below the HTTP client; `crawler.fetch.client` decides what a timed-out request means.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class Deadline:
    """Limits the duration of the request in progress to `seconds`, measured with the clock `monotonic`.

    `heartbeat` is called before each wait, so that the service's watchdog sees that a long request is still active.
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float], heartbeat: Callable[[], object]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._heartbeat = heartbeat
        self._end = 0.0

    def begin(self) -> None:
        """Restart the time limit for a new request."""
        self._end = self._monotonic() + self._seconds

    @contextmanager
    def within(self, timeout: float | None) -> Iterator[float]:
        """Yield how many seconds the block may wait: `timeout`, or less if the request has less time left.

        Raises:
            httpcore.ReadTimeout: the request has no time left, at the start of the block or when the block times out.

        """
        self._heartbeat()
        left = self._left()
        try:
            yield left if timeout is None else min(timeout, left)
        except httpcore.TimeoutException:
            self._left()
            raise

    def _left(self) -> float:
        if (left := self._end - self._monotonic()) > 0:
            return left
        raise httpcore.ReadTimeout(f"no complete response within {self._seconds:g} s")


def apply_deadline(transport: httpx.HTTPTransport, deadline: Deadline) -> None:
    """Apply the deadline to every connection of a transport.

    httpx has no public interface for this, so private attributes are changed; tests/test_deadline.py checks the result.
    """
    pool = transport._pool  # noqa: SLF001
    pool._network_backend = _DeadlineBackend(pool._network_backend, deadline)  # noqa: SLF001


class _DeadlineBackend(httpcore.NetworkBackend):
    """Opens connections to which the deadline applies."""

    def __init__(self, inner: httpcore.NetworkBackend, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        with self._deadline.within(timeout) as seconds:
            stream = self._inner.connect_tcp(host, port, seconds, local_address, socket_options)
        return _DeadlineStream(stream, self._deadline)


class _DeadlineStream(httpcore.NetworkStream):
    """A connection to which the deadline applies."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._deadline.within(timeout) as seconds:
            return self._inner.read(max_bytes, seconds)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with self._deadline.within(timeout) as seconds:
            self._inner.write(buffer, seconds)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with self._deadline.within(timeout) as seconds:
            return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()
