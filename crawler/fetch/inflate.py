"""Decompresses a response body, up to a size limit.

Boundary: gets bytes and a Content-Encoding value; does not know the HTTP client.
"""

from __future__ import annotations

import re
import zlib
from contextlib import suppress

import brotli
import zstandard

from crawler.errors import BodyTooLarge, FetchError, Unreachable

_STEP = 1 << 16
_PIECE = 1 << 12  # bytes of compressed data passed to zlib at once; it copies what follows the end of a member
_MAX_CODINGS = 5
_MAX_MEMBERS = 100_000  # gzip members or Zstandard frames; block gzip has one for each 64 kB of content
_PADDING = re.compile(rb"\0++")
_NO_CODING = ("identity", "none", "utf-8", "binary")  # the last three are not codings, but occur
_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")  # of the usual levels of compression
_OTHER_NAMES = {"brotli": "br", "x-br": "br", "zstandard": "zstd", "x-zstd": "zstd"}
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # the header decides: some servers call zlib data gzip
_ZSTD_WINDOW = 1 << 23  # bytes, the limit for HTTP (RFC 9659)
_ZSTD_STEP = 1 << 10  # 1 kB of Zstandard data has at most 32 MB of content; the library has no limit for its output
_TEXT_START = 512  # bytes
_PRINTABLE = bytes(set(range(0x20, 0x100)) | set(b"\t\n\f\r"))


def inflate(url: str, body: bytes, coding: str | None, cap: int) -> bytes:
    """Return a body decompressed according to `coding`, a list of `gzip`, `deflate`, `br`, `zstd` and `identity`.

    The header may contradict the body, above all in captures of programs that decoded the body and kept the header. A
    body that begins like gzip or Zstandard data is read as such, and one that is Brotli data with a text; text that cannot
    be decompressed is returned as it is.

    Raises:
        BodyTooLarge: the decompressed body has more than `cap` bytes, or the body has more than 100,000 gzip members or
            Zstandard frames.
        Unreachable: the data is damaged or ends early; this counts as a broken connection and is retried.
        FetchError: the content coding is not supported, or there are more than five codings.

    """
    names = [name for part in (coding or "").split(",") if (name := _name(part))]
    if len(names) > _MAX_CODINGS:
        raise FetchError(url, f"{len(names)} content codings; the limit is {_MAX_CODINGS}")
    for name in reversed(names):
        body = _decoded(url, body, name, cap)
    body = _undeclared(url, body, cap)
    if len(body) > cap:
        raise BodyTooLarge(url, f"the body has {len(body)} bytes; the limit is {cap}")
    return body


def _name(part: str) -> str:
    """Return the name of a coding in lower case, without quotation marks and parameters."""
    name = part.partition(";")[0].strip(" \t\"'").lower()
    return _OTHER_NAMES.get(name, name)


def _undeclared(url: str, body: bytes, cap: int) -> bytes:
    """Return a body without the coding that its first bytes show, although no header declares it."""
    if body.startswith(_GZIP):
        return _zlib(url, body, cap, wbits=31)
    if body.startswith(_ZSTD):
        return _zstandard(url, body, cap)
    if body.startswith(_ZLIB):
        with suppress(Unreachable):  # only two bytes: perhaps it is something else
            return _zlib(url, body, cap, wbits=15)
    return _undeclared_brotli(url, body, cap) or body


def _undeclared_brotli(url: str, body: bytes, cap: int) -> bytes | None:
    """Return the text of which a body is Brotli data; None if it is not, because nothing but the content shows this."""
    if not _is_printable(body):
        with suppress(FetchError):
            content = _brotli(url, body, cap)
            return content if _is_text(content) else None
    return None


def _decoded(url: str, body: bytes, name: str, cap: int) -> bytes:
    """Return a body without the content coding `name`, or without the one that its first bytes show."""
    if name in _NO_CODING:
        return body
    seen = "gzip" if body.startswith(_GZIP) else "zstd" if body.startswith(_ZSTD) else name
    failure: FetchError | None = None
    for one in dict.fromkeys((seen, name)):
        try:
            return _decompressed(url, body, one, cap)
        except BodyTooLarge:
            raise
        except FetchError as error:
            failure = failure or error
    if failure is None or _is_text(body):
        return body
    if (content := _undeclared_brotli(url, body, cap)) is not None:
        return content
    raise failure


def _decompressed(url: str, body: bytes, name: str, cap: int) -> bytes:
    match name:
        case "gzip" | "x-gzip":
            return _zlib(url, body, cap, wbits=_GZIP_OR_ZLIB)
        case "deflate" | "x-deflate":
            return _zlib(url, body, cap, wbits=15 if _has_zlib_header(body) else -15)
        case "br":
            return _brotli(url, body, cap)
        case "zstd":
            return _zstandard(url, body, cap)
    raise FetchError(url, f"unsupported content coding {name[:40]!r} (supported: gzip, deflate, br, zstd)")


def _is_text(body: bytes) -> bool:
    """Whether a body begins like HTML, XML or JSON, and its beginning has no control characters."""
    start = body[:_TEXT_START].removeprefix(b"\xef\xbb\xbf")
    return start.lstrip()[:1] in (b"<", b"{", b"[") and _is_printable(body)


def _is_printable(body: bytes) -> bool:
    """Whether the beginning of a body has no control characters. That of data in UTF-16 has some."""
    return not body[:_TEXT_START].translate(None, _PRINTABLE)


def _has_zlib_header(body: bytes) -> bool:
    """Whether a `deflate` body has the zlib header of RFC 1950; some servers send a raw stream (RFC 1951)."""
    return len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0


def _zlib(url: str, body: bytes, cap: int, *, wbits: int) -> bytes:
    parts: list[bytes] = []
    size = at = members = 0
    while at < len(body):
        members = _counted(url, members)
        engine = zlib.decompressobj(wbits=wbits)
        data = b""
        while not engine.eof:
            if not data:
                data = body[at : at + _PIECE]
                at += len(data)
            try:
                part = engine.decompress(data, _STEP)
            except zlib.error as error:
                raise Unreachable(url, f"the compressed body is damaged: {error}") from error
            if not (part or data):  # both: with its input used up, zlib may still return buffered output
                raise Unreachable(url, "the compressed body ends early")
            data = engine.unconsumed_tail
            size += len(part)
            parts.append(part)
            if size > cap:
                raise BodyTooLarge(url, f"the decompressed body is larger than the limit of {cap} bytes")
        at = _after_padding(body, at - len(engine.unused_data))  # more gzip members may follow, or zero padding
    return b"".join(parts)


def _counted(url: str, members: int) -> int:
    """Return the number of members or frames, with the next one.

    Raises:
        BodyTooLarge: there are too many: empty ones cost time, but have no size that could exceed the limit.

    """
    if members >= _MAX_MEMBERS:
        raise BodyTooLarge(url, f"the compressed body has more than {_MAX_MEMBERS} members")
    return members + 1


def _after_padding(body: bytes, at: int) -> int:
    padding = _PADDING.match(body, at)
    return padding.end() if padding else at


def _brotli(url: str, body: bytes, cap: int) -> bytes:
    engine = brotli.Decompressor()
    parts: list[bytes] = []
    size, data = 0, body
    while not engine.is_finished():
        try:
            part = engine.process(data, output_buffer_limit=_STEP)
        except brotli.error as error:
            raise Unreachable(url, f"the compressed body is damaged: {error}") from error
        if not part and not data and engine.can_accept_more_data() and not engine.is_finished():
            raise Unreachable(url, "the compressed body ends early")
        data = b""
        size += len(part)
        parts.append(part)
        if size > cap:
            raise BodyTooLarge(url, f"the decompressed body is larger than the limit of {cap} bytes")
    return b"".join(parts)


def _zstandard(url: str, body: bytes, cap: int) -> bytes:
    parts: list[bytes] = []
    size = at = frames = 0
    while at < len(body):
        frames = _counted(url, frames)
        engine = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        while not engine.eof:
            if at >= len(body):
                raise Unreachable(url, "the compressed body ends early")
            try:
                part = engine.decompress(body[at : at + _ZSTD_STEP])
            except zstandard.ZstdError as error:
                raise Unreachable(url, f"the compressed body is damaged: {error}") from error
            at = min(at + _ZSTD_STEP, len(body))
            size += len(part)
            parts.append(part)
            if size > cap:
                raise BodyTooLarge(url, f"the decompressed body is larger than the limit of {cap} bytes")
        at -= len(engine.unused_data)  # more frames may follow
    return b"".join(parts)
