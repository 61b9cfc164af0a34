"""/healthz and /metrics over HTTP, on this machine unless the configuration says otherwise.

Boundary: requests to bytes; both pages are made by the functions that are handed in.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import crawler
from crawler.clock import steady_seconds
from crawler.errors import ConfigError
from crawler.health.checks import Condition

JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_Page = Callable[[], tuple[int, str, bytes]]
_Connection = socket.socket | tuple[bytes, socket.socket]  # the latter of datagrams alone


@dataclass(frozen=True, slots=True)
class Bounds:
    """What clients may take: each of them so many seconds from its coming to its leaving, so many of them at a time.

    Each takes a thread and a descriptor, which the work needs, too.
    """

    seconds: float = 10.0
    clients: int = 50


class Endpoint:
    """Answers until it is closed; `failed` hears of bugs."""

    def __init__(
        self,
        address: str,
        pages: dict[str, _Page],
        failed: Callable[[BaseException], None],
        bounds: Bounds = Bounds(),
    ) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), pages, failed, bounds)
        except OSError as error:
            raise ConfigError(
                f"[service] health = {address!r}: cannot listen there: {error.strerror or error}",
                'choose another port, end the program that has it (`ss -ltnp`), or set "" for no endpoint',
            ) from error
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="endpoint", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def health_page(judged: Sequence[Condition]) -> tuple[int, str, bytes]:
    """Write the conditions, red ones first: 200 when none is red, else 503."""
    red = sum(condition.red for condition in judged)
    body = {
        "healthy": not red,
        "version": crawler.__version__,
        "conditions": [asdict(condition) for condition in sorted(judged, key=lambda condition: not condition.red)],
    }
    status = HTTPStatus.SERVICE_UNAVAILABLE if red else HTTPStatus.OK
    return status, JSON, json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 50

    def __init__(
        self,
        address: tuple[str, int],
        pages: dict[str, _Page],
        failed: Callable[[BaseException], None],
        bounds: Bounds,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.pages = pages
        self._failed = failed
        self._bounds = bounds
        self._since: dict[_Connection, float] = {}
        super().__init__(address, _Handler)

    def verify_request(self, request: _Connection, client_address: object) -> bool:  # noqa: ARG002 - the library's signature
        """Say whether there is room for one more."""
        return len(self._since) < self._bounds.clients

    def process_request(self, request: _Connection, client_address: object) -> None:
        """Note when a client came."""
        self._since[request] = steady_seconds()
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Connection) -> None:
        """Forget it."""
        self._since.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Send away who has been here too long; a limit for each read would let stay who says a letter now and then."""
        for connection, since in tuple(self._since.items()):
            if isinstance(connection, socket.socket) and steady_seconds() - since > self._bounds.seconds:
                with suppress(OSError):  # it went by itself
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the library's signature
        """Pass over clients that went away, and those for whom the machine has no thread; anything else is a bug."""
        error = sys.exception()
        crowded = "can't start new thread" in str(error)
        if error is not None and not crowded and not isinstance(error, (ConnectionError, TimeoutError)):
            self._failed(error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        known = f"ask for {' or '.join(self.server.pages)}\n".encode()
        self._answer(*(page() if page else (HTTPStatus.NOT_FOUND, _TEXT, known)))

    do_HEAD = do_GET  # noqa: N815 - a name given by the library

    def do_POST(self) -> None:
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, _TEXT, b"nothing can be changed here\n")

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST  # noqa: N815 - names given by the library

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Name the program, and not the libraries behind it."""
        return f"vna/{crawler.__version__}"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - a name given by the library
        """Stay silent: a monitor asks all day."""
