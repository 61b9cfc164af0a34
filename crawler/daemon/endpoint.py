"""/healthz and /metrics over HTTP, on this machine unless the configuration says otherwise.

Boundary: requests to bytes; both pages are made by the functions that are handed in.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import crawler
from crawler.errors import ConfigError
from crawler.policy.health import Condition

JSON = "application/json; charset=utf-8"
_PATIENCE = 10.0  # seconds for a client to ask
_Page = Callable[[], tuple[int, str, bytes]]


class Endpoint:
    """Answers until it is closed; `failed` hears of bugs."""

    def __init__(self, address: str, pages: dict[str, _Page], failed: Callable[[BaseException], None]) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server = _Server(host.strip("[]"), int(port), pages, failed)
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

    def __init__(self, host: str, port: int, pages: dict[str, _Page], failed: Callable[[BaseException], None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.pages = pages
        self._failed = failed
        super().__init__((host, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the library's signature
        """Pass over clients that went away; anything else is a bug."""
        error = sys.exception()
        if error is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            self._failed(error)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server: _Server

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        known = f"ask for {' or '.join(self.server.pages)}\n".encode()
        status, kind, body = page() if page else (HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", known)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - a name given by the library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - a name given by the library
        """Stay silent: a monitor asks all day."""
