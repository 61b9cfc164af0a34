"""Limits on the total time of a request and on the size of the head of its response.

The HTTP client limits only each single wait for bytes. A server that sends one byte at a time, in the headers or in the
body, would therefore block a request for ever. So no wait may last longer than the request's remaining time. The client
also reads any number of interim responses (status 1xx), so the bytes before the body are limited.

Boundary: the network streams below the HTTP client; `crawler.fetch.client` decides what a timed-out request means.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

_MAX_HEAD = 1_000_000  # bytes; one head may have 100,000 in the HTTP library, and 64 kB of the body may follow it


class Deadline:
    """Limits the duration of the request in progress to `seconds`, measured with the clock `monotonic`.

    `heartbeat` is called before each wait, so that the service's watchdog sees that a long request is still active.
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float], heartbeat: Callable[[], object]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._heartbeat = heartbeat
        self._end = 0.0
        self._head: int | None = 0  # bytes received; None after the head

    def begin(self) -> None:
        """Restart the limits for a new request."""
        self._end = self._monotonic() + self._seconds
        self._head = 0

    def end_head(self) -> None:
        """Do not limit the bytes that follow: the head of the response is complete."""
        self._head = None

    def count(self, received: int) -> None:
        """Count bytes that a connection received.

        Raises:
            httpcore.RemoteProtocolError: the head of the response is too large.

        """
        if self._head is not None:
            self._head += received
            if self._head > _MAX_HEAD:
                raise httpcore.RemoteProtocolError(f"more than {_MAX_HEAD} bytes before the body")

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
    """A connection to which the limits apply."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._deadline.within(timeout) as seconds:
            data = self._inner.read(max_bytes, seconds)
        self._deadline.count(len(data))
        return data

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
