"""A total limit on each request, beside the one on each of its waits.

The HTTP client limits every wait for bytes, and nothing else: a server that sends a byte now and then, in the head of
its answer or in the body, would hold it for ever. So each wait is cut to what is left of the request's time.

Boundary: the network streams below the HTTP client; what a broken-off request means is the client's to say.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class Deadline:
    """The time of the one request that is being made; `steady` gives seconds of a clock that nobody sets.

    `alive` is called before each wait.
    """

    def __init__(self, seconds: float, steady: Callable[[], float], alive: Callable[[], object]) -> None:
        self._seconds = seconds
        self._steady = steady
        self._alive = alive
        self._end = 0.0

    def begin(self) -> None:
        """Begin a request."""
        self._end = self._steady() + self._seconds

    @contextmanager
    def within(self, timeout: float | None) -> Iterator[float]:
        """Give how long the wait in the block may be.

        Raises:
            httpcore.ReadTimeout: no time is left, before or after it.

        """
        self._alive()
        left = self._left()
        try:
            yield left if timeout is None else min(timeout, left)
        except httpcore.TimeoutException:
            self._left()
            raise

    def _left(self) -> float:
        if (left := self._end - self._steady()) > 0:
            return left
        raise httpcore.ReadTimeout(f"no whole answer within {self._seconds:g} s")


def limit(client: httpx.Client, deadline: Deadline) -> None:
    """Have every connection of a client keep to the deadline, those through a proxy of the environment, too.

    The library has no public place for it; tests/test_deadline.py shows that it works.
    """
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        if isinstance(transport, httpx.HTTPTransport):
            pool = transport._pool  # noqa: SLF001
            pool._network_backend = _Backend(pool._network_backend, deadline)  # noqa: SLF001


class _Backend(httpcore.NetworkBackend):
    """Opens connections that keep to the deadline."""

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
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection that keeps to the deadline."""

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
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()
