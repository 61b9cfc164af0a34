"""HTTP endpoint for /healthz and /metrics. It listens on loopback unless `[service] health` sets another address.

Boundary: HTTP only; the caller passes the functions that produce the pages.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from types import TracebackType
from typing import Self, cast

import crawler
from crawler import redact, visible
from crawler.clock import monotonic_seconds
from crawler.errors import ConfigError
from crawler.health.figures import Condition
from crawler.local_http import MISDIRECTED, RESPONSE_HEADERS, Refusal, refusal

JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_Page = Callable[[], tuple[int, str, bytes]]
_Connection = socket.socket | tuple[bytes, socket.socket]  # socketserver's type; the tuple is for datagrams only


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """A connection may stay open for at most `seconds`; at most `clients` connections may be open at a time.

    Each open connection uses a thread and a file descriptor, which the worker needs as well. A request line and its
    headers may have at most `header_bytes` bytes. A request body is never read.
    """

    seconds: float = 10.0
    clients: int = 50
    header_bytes: int = 16_384


class Endpoint:
    """Serves `pages` in a thread of its own until `close` is called. Passes unexpected exceptions to `failed`.

    `names` are further names, in the form of `local_http.host_names`, that requests may have as their Host header.

    Raises:
        ConfigError: the address cannot be used.

    """

    def __init__(
        self,
        address: str,
        pages: dict[str, _Page],
        failed: Callable[[BaseException], None],
        names: Sequence[str] = (),
        limits: EndpointLimits = EndpointLimits(),
    ) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server = _HealthServer((host.strip("[]"), int(port)), pages, failed, names, limits)
        except OSError as error:
            raise ConfigError(
                f"[service] health = {address!r}: cannot listen on this address: {error.strerror or error}",
                "choose another port, stop the program that uses this port (see `ss -ltnp`),"
                ' or disable the endpoint with `[service] health = ""`',
            ) from error
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="endpoint", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving and close the socket."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def health_page(conditions: Sequence[Condition]) -> tuple[int, str, bytes]:
    """Return the /healthz response, failing conditions first: status 200 if none is failing, else 503."""
    failing = any(condition.failing for condition in conditions)
    body = {
        "healthy": not failing,
        "version": crawler.__version__,
        "conditions": [_as_json(c) for c in sorted(conditions, key=lambda condition: not condition.failing)],
    }
    status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
    return status, JSON, visible.json_text(body, indent=1).encode() + b"\n"


def _as_json(condition: Condition) -> dict[str, object]:
    """Return a condition as JSON. The keys must not change, because monitoring scripts depend on them."""
    return {
        "kind": condition.kind,
        "subject": redact.redacted(condition.subject),
        "red": condition.failing,
        "says": redact.redacted(condition.message),
        "do": redact.redacted(condition.action),
    }


class _HealthServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 50

    def __init__(
        self,
        address: tuple[str, int],
        pages: dict[str, _Page],
        failed: Callable[[BaseException], None],
        names: Sequence[str],
        limits: EndpointLimits,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.pages = pages
        self.bound, self.names, self.header_bytes = address[0], names, limits.header_bytes
        self._failed = failed
        self._limits = limits
        self._opened: dict[_Connection, float] = {}  # monotonic seconds at which each connection was accepted
        super().__init__(address, _HealthHandler)

    def verify_request(self, request: _Connection, client_address: object) -> bool:  # noqa: ARG002 - the library's signature
        """Whether one more client may connect."""
        return len(self._opened) < self._limits.clients

    def process_request(self, request: _Connection, client_address: object) -> None:
        """Record when the connection was accepted, then handle the connection."""
        self._opened[request] = monotonic_seconds()
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Connection) -> None:
        """Close the connection and delete the record of when it was accepted."""
        self._opened.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close connections that have been open for longer than `EndpointLimits.seconds`.

        A per-read timeout would not stop a client that sends one byte at a time.
        """
        for connection, opened in tuple(self._opened.items()):
            if isinstance(connection, socket.socket) and monotonic_seconds() - opened > self._limits.seconds:
                with suppress(OSError):  # the client has already disconnected
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the library's signature
        """Ignore disconnected clients and connections for which no thread could be started; report other errors."""
        error = sys.exception()
        no_thread = "can't start new thread" in str(error)
        if error is not None and not no_thread and not isinstance(error, (ConnectionError, TimeoutError)):
            self._failed(error)


class _LimitedHead:
    """The stream of a request, of which only the request line and the headers are read, and only up to a size."""

    def __init__(self, stream: BufferedIOBase, size: int) -> None:
        self._stream = stream
        self._left = size

    def readline(self, size: int) -> bytes:
        """Return the next line; the library answers `LineTooLong` with status 431.

        Raises:
            LineTooLong: the lines so far have reached the maximum size.

        """
        if self._left <= 0:
            raise LineTooLong("header line")
        line = self._stream.readline(min(size, self._left))
        self._left -= len(line)
        return line

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


class _HealthHandler(BaseHTTPRequestHandler):
    server: _HealthServer

    def setup(self) -> None:
        super().setup()
        self.rfile = cast("BufferedIOBase", _LimitedHead(self.rfile, self.server.header_bytes))

    def do_GET(self) -> None:
        if (refused := self._refusal()) is not None:
            self._respond(refused.status, _TEXT, f"{refused.message}\n".encode())
            return
        page = self.server.pages.get(self.path.partition("?")[0])
        known = f"no such page; available: {', '.join(self.server.pages)}\n".encode()
        self._respond(*(page() if page else (HTTPStatus.NOT_FOUND, _TEXT, known)))

    do_HEAD = do_GET  # noqa: N815 - name required by the library

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Return the function for a method other than GET and HEAD: the library looks for `do_` and the method."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._refuse_method

    def _refuse_method(self) -> None:
        self._respond(HTTPStatus.METHOD_NOT_ALLOWED, _TEXT, b"read-only: use GET or HEAD\n")

    def _refusal(self) -> Refusal | None:
        address, port = self.connection.getsockname()[:2]
        headers = self.headers.items()
        refused = refusal(headers, (address, port), self.server.names)
        if refused is not None and refused.status == MISDIRECTED:
            return refusal(headers, (self.server.bound, port), self.server.names)
        return refused

    def _respond(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in RESPONSE_HEADERS:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Return the Server header: the version of this program, without the versions of its libraries."""
        return f"vna/{crawler.__version__}"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name required by the library
        """Do not log requests: a monitor sends them every few seconds."""
