"""Serve a fake site on a real local socket: keep-alive, chunked bodies, broken connections.

Boundary: owns the sockets and threads; `FakeSite.respond` decides the responses. Listens on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from crawler.local_http import RESPONSE_HEADERS, Refusal, refusal
from crawler.sim.site.fake_site import FakeSite
from crawler.sim.site.messages import JSON, SLOW_PIECES, SiteRequest, SiteResponse, make_response

_HOST = "127.0.0.1"
_CHUNK = 8192
_MAX_BODY = 1_000_000  # bytes of a request
_LENGTH_DIGITS = 20
_IDLE_TIMEOUT = 75.0  # seconds until an idle connection is closed


class Serving:
    """A fake site that is being served. To stop it, call `close` or leave the `with` block."""

    def __init__(self, server: _SiteServer, fake_site: FakeSite) -> None:
        self.fake_site = fake_site
        self.url = fake_site.url
        self.control = fake_site.control
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and close all connections, including those that hang."""
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.end_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()


def serve(build_site: Callable[[str], FakeSite], port: int = 0) -> Serving:
    """Call `build_site` with the root URL, and serve the site that it returns. Port 0 means any free port.

    Raises:
        OSError: the port cannot be used.

    """
    server = _SiteServer((_HOST, port), _SiteHandler)
    try:
        fake_site = build_site(f"http://{_HOST}:{server.server_port}")
    except BaseException:
        server.server_close()
        raise
    server.fake_site = fake_site
    return Serving(server, fake_site)


class _SiteServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    fake_site: FakeSite

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Record the connection, so that `end_connections` can close it, and handle its requests."""
        if isinstance(request, socket.socket):
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection, and remove it from the connections that `end_connections` closes."""
        if isinstance(request, socket.socket):
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Shut down the open connections, and wait up to 2 seconds until their threads have closed them."""
        for connection in tuple(self._open):
            with suppress(OSError):  # the client may have closed it first
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 2
        while self._open and time.monotonic() < deadline:
            time.sleep(0.01)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Ignore errors that occur because a client disconnected; print any other error, because it is a bug."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _SiteHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_TIMEOUT
    disable_nagle_algorithm = True
    server: _SiteServer

    def do_GET(self) -> None:
        if (refused := self._refusal()) is not None:
            self.close_connection = True  # the body is not read
            response = make_response(json.dumps({"error": refused.message}), JSON, refused.status)
            self._send(response.with_headers(("Connection", "close"), *RESPONSE_HEADERS))
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = SiteRequest(self.command, self.path, dict(self.headers.items()), body)
        self._send(self.server.fake_site.respond(request))

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815 - the library requires this name

    def _refusal(self) -> Refusal | None:
        """Return why the request is refused. Only the control endpoints check where it comes from."""
        return self._body_refusal() or (
            self._control_refusal() if self.server.fake_site.is_control(self.path) else None
        )

    def _body_refusal(self) -> Refusal | None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding"):
            return Refusal(HTTPStatus.LENGTH_REQUIRED, "send the body with Content-Length")
        if not (length.isascii() and length.isdecimal()):
            return Refusal(HTTPStatus.BAD_REQUEST, "Content-Length is not a number")
        if len(length) > _LENGTH_DIGITS or int(length) > _MAX_BODY:
            return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {_MAX_BODY} bytes")
        return None

    def _control_refusal(self) -> Refusal | None:
        changes = self.command not in ("GET", "HEAD")
        address = (_HOST, self.server.server_port)
        return refusal(self.headers.items(), address, changes=changes)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library requires this name
        """Print nothing, because the fake site keeps its own request log."""

    def _send(self, response: SiteResponse) -> None:
        if response.delay:
            self.server.stopping.wait(response.delay)
        if response.abort:
            self._drop_connection()
            return
        self._send_headers(response)
        if self.command == "HEAD" or response.status == HTTPStatus.NOT_MODIFIED:
            return
        if response.chunked:
            self._send_chunks(response)
        else:
            self.wfile.write(response.body)
        if response.length is not None:
            self._drop_connection()

    def _send_headers(self, response: SiteResponse) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif response.status != HTTPStatus.NOT_MODIFIED:
            length = len(response.body) if response.length is None else response.length
            self.send_header("Content-Length", str(length))
        self.send_header("Date", self.date_time_string())
        self.end_headers()

    def _send_chunks(self, response: SiteResponse) -> None:
        body = response.body if response.cut_after is None else response.body[: response.cut_after]
        size = _CHUNK if not response.pause else max(1, len(body) // SLOW_PIECES + 1)
        for start in list(range(0, len(body), size)) * response.repeat:
            piece = body[start : start + size]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if response.pause:
                self.server.stopping.wait(response.pause)
        if response.cut_after is None:
            self.wfile.write(b"0\r\n\r\n")
        elif response.reset:
            self._reset_connection()
        else:
            self._drop_connection()

    def _reset_connection(self) -> None:
        """Close the connection so that the client gets a reset (RST) and loses what it has not read yet."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _drop_connection(self) -> None:
        """Close the connection before the response is complete."""
        self.close_connection = True
        with suppress(OSError):  # the client may have closed it first
            self.connection.shutdown(socket.SHUT_RDWR)
