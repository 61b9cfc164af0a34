"""Serves a replica on a real socket of this machine: keep-alive, real chunks, real broken connections.

Boundary: owns the sockets and threads; what is answered is decided by `Replica.respond`. Listens on 127.0.0.1 only.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from crawler.sim.site.fake_site import Replica
from crawler.sim.site.messages import Request, Response

_HOST = "127.0.0.1"
_CHUNK = 8192
_IDLE = 75.0  # seconds that a silent connection is kept


class Serving:
    """A replica that is being served; ends with `close` or with its `with` block."""

    def __init__(self, server: _Server, replica: Replica) -> None:
        self.replica = replica
        self.url = replica.url
        self.control = replica.control
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving: ends open connections, also those that hang."""
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.end_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()


def serve(replica_factory: Callable[[str], Replica], port: int = 0) -> Serving:
    """Serve what `replica_factory` makes for the address that was found; port 0 takes a free one."""
    server = _Server((_HOST, port), _Handler)
    try:
        replica = replica_factory(f"http://{_HOST}:{server.server_port}")
    except BaseException:
        server.server_close()
        raise
    server.replica = replica
    return Serving(server, replica)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    replica: Replica

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Remember the connection, so that it can be ended."""
        if isinstance(request, socket.socket):
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Forget it."""
        if isinstance(request, socket.socket):
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """End the connections that are still open; their threads close them and finish."""
        for connection in tuple(self._open):
            with suppress(OSError):  # the client may have been quicker
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 2
        while self._open and time.monotonic() < deadline:
            time.sleep(0.01)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Pass over clients that went away; anything else is a bug and is shown."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        self._send(self.server.replica.respond(request))

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815 - names given by the library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name given by the library
        """Stay silent; the replica keeps its own log."""

    def _send(self, response: Response) -> None:
        if response.delay:
            self.server.stopping.wait(response.delay)
        if response.abort:
            self._break_off()
            return
        self._head(response)
        if self.command == "HEAD" or response.status == HTTPStatus.NOT_MODIFIED:
            return
        if response.chunked:
            self._chunks(response)
        else:
            self.wfile.write(response.body)

    def _head(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif response.status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Date", self.date_time_string())
        self.end_headers()

    def _chunks(self, response: Response) -> None:
        body = response.body if response.cut_after is None else response.body[: response.cut_after]
        size = _CHUNK if not response.pause else max(1, len(body) // 12 + 1)
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if response.pause:
                self.server.stopping.wait(response.pause)
        if response.cut_after is None:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._break_off()

    def _break_off(self) -> None:
        """Close without the end that the protocol asks for."""
        self.close_connection = True
        with suppress(OSError):  # the client may have been quicker
            self.connection.shutdown(socket.SHUT_RDWR)
