"""Datasette plugin: which requests are accepted, how long a response may take, and what other web pages may do with it.

`vna browse` sets VNA_HOSTS to the names in `[service] hosts`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from datasette import hookimpl

from crawler.local_http import RESPONSE_HEADERS, refusal

START_SECONDS = 20.0  # until the response starts; a query may take one second, a page has several
TOTAL_SECONDS = 300.0  # for a CSV file of many pages, or a slow reader
TOGETHER = 4  # requests that are processed at the same time; each may need 40 MB
WAITING = 100  # requests that may wait for others
_PIECE = 65_536  # bytes of a body sent at once: the rest waits until the client has read
_NAMES = tuple(os.environ.get("VNA_HOSTS", "").split())
_ROBOTS = b"User-agent: *\nDisallow: /\n"
# Datasette's pages contain scripts and styles; everything else comes from this server or is not loaded.
_POLICY = (
    "default-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    **{name.lower(): value for name, value in RESPONSE_HEADERS},
    "content-security-policy": _POLICY,
    "cache-control": "private, no-cache",
}
#: Headers that the pages of the reading room set themselves; Datasette sets only the last one, and never as private.
_OWN = ("content-security-policy", "x-frame-options", "cache-control")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@hookimpl(trylast=True)  # the last one is the outermost: it sees every request first
def asgi_wrapper() -> Callable[[App], App]:
    """Return the function that puts the checks around Datasette."""
    return Checked


class Checked:
    """An ASGI application that passes accepted requests to another one, a limited number at a time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._turn = asyncio.Semaphore(TOGETHER)
        self._waiting = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = _Response(send)
        if (refused := _refused(scope)) is not None:
            await response.text(*refused)
        elif scope["path"] == "/robots.txt":
            await response.text(200, _ROBOTS)
        elif self._waiting >= WAITING:
            await response.text(503, b"too many requests: try again later\n")
        else:
            await self._take_turn(scope, receive, response)

    async def _take_turn(self, scope: Message, receive: Receive, response: _Response) -> None:
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                self._waiting += 1
                try:
                    await self._turn.acquire()
                finally:
                    self._waiting -= 1
                try:
                    async with asyncio.timeout(START_SECONDS) as until_start:
                        response.until_start = until_start
                        await self._app(scope, receive, response.send)
                finally:
                    self._turn.release()
        except TimeoutError:
            # If it has started, the server closes the connection, so that the client sees that it is incomplete.
            if not response.started:
                await response.text(503, b"the request took too long: ask for less\n")


class _Response:
    """The response to one request: its headers are completed, and its body is sent in pieces."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.until_start: asyncio.Timeout | None = None

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        if message["type"] == "http.response.start":
            self.started = True
            if self.until_start is not None:
                self.until_start.reschedule(None)
            await self._send({**message, "headers": _completed(message["headers"])})
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        for start in range(0, max(len(body), 1), _PIECE):
            is_last = start + _PIECE >= len(body)
            await self._send({**message, "body": body[start : start + _PIECE], "more_body": more or not is_last})

    async def text(self, status: int, body: bytes) -> None:
        """Send a short text."""
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        headers += [(b"allow", b"GET, HEAD")] if status == 405 else []
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def _completed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response with those that every response must have."""
    given = {name.decode().lower(): value.decode() for name, value in headers}
    own = {name for name in _OWN if name in given and (name != "cache-control" or given[name].startswith("private"))}
    kept = [(name, value) for name, value in headers if name.decode().lower() not in _HEADERS.keys() - own]
    return kept + [(name.encode(), value.encode()) for name, value in _HEADERS.items() if name not in own]


def _refused(scope: Message) -> tuple[int, bytes] | None:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    address = scope.get("server") or ("127.0.0.1", 0)
    if (refused := refusal(headers, (address[0], address[1]), _NAMES)) is not None:
        return refused.status, f"{refused.message}\n".encode()
    if not {".", ".."}.isdisjoint(scope["path"].split("/")):  # Datasette would fail with status 500
        return 404, b"this address has no page\n"
    if scope["method"] not in ("GET", "HEAD"):
        return 405, b"read-only: use GET or HEAD\n"
    return None
