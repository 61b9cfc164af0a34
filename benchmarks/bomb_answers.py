"""What a hostile answer of `benchmarks.bombs` is, and the pieces that the answers are made of."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

Write = Callable[[bytes], object]
Sender = Callable[[Write, str], None]

POLL = ("poll", "--all")
MB = 1_000_000

XML, HTML, JSON, RSS = "text/xml", "text/html; charset=utf-8", "application/json", "application/rss+xml"
SITEMAP, INDEX, NEWS, FEED, SECTION, API = (
    "/sitemaps/*",
    "/sitemap.xml",
    "/sitemaps/news*",
    "/rss/*",
    "/politique/",
    "/api/*",
)
ARTICLE, HOME, ROBOTS = "ARTICLE", "/", "/robots.txt"


@dataclass(frozen=True, slots=True)
class Answer:
    """A bomb at `path` (`ARTICLE`: the address of a new article) while `command` runs.

    `ends_the_run`: no other page can be archived, because the command archives none, or robots.txt is unavailable.
    `requests`: the most requests of the run. The answer lists thousands of pages, and each request for one of them costs
    5 ms; this is not the cost of the answer.
    """

    name: str
    path: str
    send: Sender
    command: tuple[str, ...] = POLL
    ends_the_run: bool = False
    requests: int = 0


def head(content_type: str, *headers: str) -> bytes:
    return "\r\n".join(
        ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", "Connection: close", *headers, "", ""]
    ).encode("latin-1")


class Body:
    """Sends a whole answer; `prepare` makes it, so that the client does not wait for that."""

    def __init__(
        self, body: Callable[[], bytes], content_type: str = "text/html; charset=utf-8", coding: str = ""
    ) -> None:
        self._make = body
        self._type, self._coding = content_type, coding
        self._data = b""

    def prepare(self) -> None:
        """Make the answer."""
        self._data = self._make()

    def __call__(self, write: Write, _path: str) -> None:
        """Send the answer."""
        extra = [f"Content-Encoding: {self._coding}"] if self._coding else []
        write(head(self._type, f"Content-Length: {len(self._data)}", *extra))
        write(self._data)


def raw(*pieces: bytes, endless: bytes = b"", pause: float = 0.0, seconds: float = 60.0) -> Sender:
    """Return a sender of raw bytes; `endless` is repeated until the client closes the connection."""

    def send(write: Write, _path: str) -> None:
        for piece in pieces:
            write(piece)
        end = time.monotonic() + seconds
        while endless and time.monotonic() < end:
            write(endless)
            if pause:
                time.sleep(pause)

    return send


def gzipped(piece: bytes, times: int, start: bytes = b"") -> bytes:
    """Return `start` and then `piece`, repeated, as one gzip member."""
    engine = zlib.compressobj(9, wbits=31)
    return b"".join([engine.compress(start), *(engine.compress(piece) for _ in range(times)), engine.flush()])


def page(inner: str, head: str = "") -> bytes:
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8"><meta property="og:type" content="article">'
        f'<title>T</title>{head}</head><body><main><h1 class="article__title">Un titre</h1>'
        f'<div class="article__body">{inner}</div></main></body></html>'
    ).encode()


def urlset(inner: str, root: str = "urlset") -> bytes:
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    return f'<?xml version="1.0" encoding="utf-8"?><{root} {space}>{inner}</{root}>'.encode()


def rss(inner: str, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<rss version="2.0"><channel><title>x</title>{inner}</channel></rss>'.encode()
