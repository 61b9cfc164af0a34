"""Requests and responses of the fake site, independent of any transport.

Boundary: frozen values and pure functions. `server` sends them over a socket; a test may pass them through the mock of
an HTTP client. The headers follow dossier section 14: `text/html;charset=utf-8`, gzip, chunked, no Content-Length and
no validators.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from types import MappingProxyType

HTML = "text/html;charset=utf-8"
XML = "text/xml;charset=utf-8"
JSON = "application/json;charset=utf-8"
PLAIN = "text/plain;charset=utf-8"
SLOW_PIECES = 12  # a body with pauses is sent in this many pieces
_GZIP_LEVEL = 1

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SiteRequest:
    """One request. `path` includes the query string; the names of headers are not case-sensitive."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the value of a header, or an empty string if the request does not have the header."""
        return next((v for k, v in self.headers.items() if k.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class SiteResponse:
    """One response, with instructions for the server that sends it.

    `chunked`: send chunks and no Content-Length. `delay`: seconds to wait before sending anything. `pause`: seconds to
    wait after each chunk. `cut_after`: close the connection after this many bytes of the body. `abort`: close the
    connection without a response. `reset`: reset the connection instead of closing it. `length`: a wrong Content-Length,
    after which the connection is closed. `repeat`: how often to send a chunked body.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    chunked: bool = False
    delay: float = 0.0
    pause: float = 0.0
    cut_after: int | None = None
    abort: bool = False
    reset: bool = False
    length: int | None = None
    repeat: int = 1

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None if the response does not have the header."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def with_headers(self, *headers: tuple[str, str]) -> SiteResponse:
        """Return a copy of the response with additional headers."""
        return replace(self, headers=(*self.headers, *headers))

    @property
    def decoded(self) -> bytes:
        """The body; if it is compressed with gzip, it is decompressed first."""
        return gzip.decompress(self.body) if self.header("Content-Encoding") == "gzip" else self.body


def make_response(content: str | bytes, content_type: str = HTML, status: int = 200) -> SiteResponse:
    """Return an uncompressed response; an HTML response will be sent in chunks."""
    body = content.encode() if isinstance(content, str) else content
    return SiteResponse(status, (("Content-Type", content_type),), body, chunked=content_type == HTML)


def redirect(location: str, status: int = 302) -> SiteResponse:
    """Return a redirect to `location`, with an empty body."""
    return SiteResponse(status, (("Content-Type", HTML), ("Location", location)))


def with_validators(response: SiteResponse, request: SiteRequest, tag: str, modified: datetime) -> SiteResponse:
    """Return the response with ETag and Last-Modified, or a 304 if the client already has this version.

    The ETag is made from `tag`, a text that differs from version to version.
    """
    etag = f'W/"{zlib.crc32(tag.encode()):08x}"'
    stamp = format_datetime(modified.astimezone(UTC), usegmt=True)
    headers = (("ETag", etag), ("Last-Modified", stamp))
    known = request.header("If-None-Match")
    if known == etag or (not known and request.header("If-Modified-Since") == stamp):
        return SiteResponse(304, headers)
    return response.with_headers(*headers)


def compressed(response: SiteResponse, request: SiteRequest) -> SiteResponse:
    """Compress the body if the client accepts gzip and the body is not compressed yet."""
    accepts_gzip = "gzip" in request.header("Accept-Encoding").lower()
    if not accepts_gzip or not response.body or response.header("Content-Encoding"):
        return response
    return always_gzip(response)


def always_gzip(response: SiteResponse) -> SiteResponse:
    """Compress the body even if the client does not accept gzip; the site does so for sitemaps (dossier section 11)."""
    return replace(response, body=_gzip(response.body)).with_headers(("Content-Encoding", "gzip"))


@lru_cache(maxsize=256)
def _gzip(body: bytes) -> bytes:
    """Return a body compressed. Most pages are requested several times, and compressing takes half as long as making them."""
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)
