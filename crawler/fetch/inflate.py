"""A body as received, inflated under a cap.

Boundary: bytes and a Content-Encoding value; the HTTP client is not needed.
"""

from __future__ import annotations

import zlib

from crawler.errors import BodyTooLarge, FetchError, Unreachable

_STEP = 1 << 16


def inflate(url: str, body: bytes, coding: str | None, cap: int) -> bytes:
    """Undo a content coding.

    Raises:
        BodyTooLarge: more than `cap` bytes come out.
        Unreachable: the data ends early or is damaged: the answer broke off, and can be asked for again.
        FetchError: a coding that we did not ask for.

    """
    for name in reversed([c.strip().lower() for c in (coding or "").split(",") if c.strip()]):
        if name in ("gzip", "x-gzip"):
            body = _zlib(url, body, cap, wbits=31)
        elif name == "deflate":
            body = _zlib(url, body, cap, wbits=15 if _has_zlib_header(body) else -15)
        elif name != "identity":
            raise FetchError(url, f"content coding {name!r}, which was not asked for")
    if len(body) > cap:
        raise BodyTooLarge(url, f"body of {len(body)} bytes, over the cap of {cap}")
    return body


def _has_zlib_header(body: bytes) -> bool:
    """Tell `deflate` as the standard has it (RFC 1950) from the bare stream that some servers send."""
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
            if not (part or data):  # with its input used up, the engine may still hold output back: ask until it is dry
                raise Unreachable(url, "the compressed body ends early")
            data = engine.unconsumed_tail
            size += len(part)
            parts.append(part)
            if size > cap:
                raise BodyTooLarge(url, f"over the cap of {cap} bytes when inflated")
        body = engine.unused_data.lstrip(b"\0")  # further members, or padding behind the last
    return b"".join(parts)
