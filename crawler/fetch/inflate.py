"""Decompresses a response body, up to a size limit.

Boundary: gets bytes and a Content-Encoding value; does not know the HTTP client.
"""

from __future__ import annotations

import zlib

from crawler.errors import BodyTooLarge, FetchError, Unreachable

_STEP = 1 << 16


def inflate(url: str, body: bytes, coding: str | None, cap: int) -> bytes:
    """Return a body decompressed according to `coding`: `gzip`, `deflate`, `identity`, or several of them.

    Raises:
        BodyTooLarge: the decompressed body has more than `cap` bytes.
        Unreachable: the data is damaged or ends early; this counts as a broken connection and is retried.
        FetchError: the content coding is not supported.

    """
    for name in reversed([c.strip().lower() for c in (coding or "").split(",") if c.strip()]):
        if name in ("gzip", "x-gzip"):
            body = _zlib(url, body, cap, wbits=31)
        elif name == "deflate":
            body = _zlib(url, body, cap, wbits=15 if _has_zlib_header(body) else -15)
        elif name != "identity":
            raise FetchError(url, f"unsupported content coding {name!r} (supported: gzip, deflate)")
    if len(body) > cap:
        raise BodyTooLarge(url, f"the body has {len(body)} bytes; the limit is {cap}")
    return body


def _has_zlib_header(body: bytes) -> bool:
    """Whether a `deflate` body has the zlib header of RFC 1950; some servers send a raw stream (RFC 1951)."""
    return len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0


def _zlib(url: str, body: bytes, cap: int, *, wbits: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while body:
        engine = zlib.decompressobj(wbits=wbits)
        data = body
        while not engine.eof:
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
        body = engine.unused_data.lstrip(b"\0")  # more gzip members may follow, or zero padding
    return b"".join(parts)
