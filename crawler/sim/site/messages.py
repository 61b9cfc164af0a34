"""Requests and responses of the replica, free of any transport.

Boundary: frozen values and pure functions. `server` puts them on a socket; a test may hand them to any HTTP client's
mock. How the real site answers is section 14 of the site dossier: `text/html;charset=utf-8`, gzip, chunked, no
Content-Length and no validators.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType

HTML = "text/html;charset=utf-8"
XML = "text/xml;charset=utf-8"
JSON = "application/json;charset=utf-8"
PLAIN = "text/plain;charset=utf-8"
_GZIP_LEVEL = 5

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` includes the query; header names are matched without regard to case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""

    def header(self, name: str) -> str:
        """Give the value of a header, or an empty string."""
        return next((v for k, v in self.headers.items() if k.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, with what the transport is to do to it.

    `chunked`: no Content-Length. `delay`: seconds before anything is sent. `pause`: seconds between two chunks.
    `cut_after`: break the connection off after that many bytes of the body. `abort`: break it off without an answer.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    chunked: bool = False
    delay: float = 0.0
    pause: float = 0.0
    cut_after: int | None = None
    abort: bool = False

    def header(self, name: str) -> str | None:
        """Give the value of a header, or None."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def adding(self, *headers: tuple[str, str]) -> Response:
        """Add headers."""
        return replace(self, headers=(*self.headers, *headers))

    @property
    def decoded(self) -> bytes:
        """The body as a reader sees it."""
        return gzip.decompress(self.body) if self.header("Content-Encoding") == "gzip" else self.body


def answer(content: str | bytes, content_type: str = HTML, status: int = 200) -> Response:
    """Make a plain answer; HTML goes out chunked."""
    body = content.encode() if isinstance(content, str) else content
    return Response(status, (("Content-Type", content_type),), body, chunked=content_type == HTML)


def redirect(location: str, status: int = 302) -> Response:
    """Send the client elsewhere, with an empty body."""
    return Response(status, (("Content-Type", HTML), ("Location", location)))


def validated(response: Response, request: Request, tag: str, modified: datetime) -> Response:
    """Add validators; answer 304 when the client has this version already."""
    etag = f'W/"{zlib.crc32(tag.encode()):08x}"'
    stamp = format_datetime(modified.astimezone(UTC), usegmt=True)
    headers = (("ETag", etag), ("Last-Modified", stamp))
    known = request.header("If-None-Match")
    if known == etag or (not known and request.header("If-Modified-Since") == stamp):
        return Response(304, headers)
    return response.adding(*headers)


def compressed(response: Response, request: Request) -> Response:
    """Compress the body when the client takes gzip."""
    takes_it = "gzip" in request.header("Accept-Encoding").lower()
    if not takes_it or not response.body or response.header("Content-Encoding"):
        return response
    return forced_gzip(response)


def forced_gzip(response: Response) -> Response:
    """Compress the body whatever the client takes, as the sitemaps do (dossier 11)."""
    body = gzip.compress(response.body, _GZIP_LEVEL, mtime=0)
    return replace(response, body=body).adding(("Content-Encoding", "gzip"))
