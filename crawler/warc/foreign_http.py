"""Reads the HTTP response in a record that another program wrote: head, chunks, digest.

Such records often contradict themselves, because the program decoded the body but kept the headers. Therefore the bytes
decide where they can: chunks are decoded if there are chunks, whatever the headers say.

Boundary: bytes to values; no files.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

_MAX_HEAD = 256_000  # bytes of the status line and the headers; servers accept about 8 kB
_MAX_INTERIM = 5  # responses with status 1xx before the final one
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP(?:/[0-9.]*)?[ \t]+(?P<status>[1-9][0-9]{2})(?:[ \t]+(?P<reason>.*))?", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*0{0,32}(?P<size>[0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")

_TRAILERS = re.compile(rb"(?:[^\r\n:]+:[^\n]*\n)*\s*")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response in a record. The headers are text in Latin-1, which keeps each byte."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of the first header `name`; empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def parse_response(block: bytes) -> HttpResponse | None:
    """Return the response in the block of a record, with its body as in the block; None if it is not an HTTP response.

    Raises:
        ValueError: the headers are larger than the limit.

    """
    for _ in range(_MAX_INTERIM):
        block = block.lstrip(b"\r\n")
        end = _HEAD_END.search(block, 0, _MAX_HEAD)
        if end is None and len(block) > _MAX_HEAD:
            if block[:5].upper() == b"HTTP/":
                raise ValueError(f"the HTTP headers have more than {_MAX_HEAD} bytes")
            return None
        head, block = (block[: end.start()], block[end.end() :]) if end else (block, b"")
        first, *lines = head.decode("latin-1").split("\n")
        status_line = _STATUS_LINE.fullmatch(first.strip())
        if status_line is None:
            return None
        status, reason = int(status_line["status"]), (status_line["reason"] or "").strip()
        is_of_proxy = reason.lower() == "connection established" and block[:5].upper() == b"HTTP/"
        if status >= 200 and not is_of_proxy:
            return HttpResponse(status, reason, _headers(lines), block)
    return None


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the headers, with folded ones on one line. Lines without a colon are dropped."""
    found: list[tuple[str, str]] = []
    for raw in lines:
        line = raw.rstrip("\r").replace("\r", " ")
        if line[:1] in (" ", "\t") and found:
            found[-1] = found[-1][0], f"{found[-1][1]} {line.strip()}".strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            if name.strip():
                found.append((name.strip(), value.strip()))
    return tuple(found)


def without_chunks(response: HttpResponse) -> bytes:
    """Return the body of a response without the chunked transfer coding.

    Raises:
        ValueError: the body is in chunks, but ends before the last of them, or continues after it.

    """
    body = response.body
    if _CHUNK_SIZE.match(body) is None:
        return body
    declared = "chunked" in response.header("Transfer-Encoding").lower()
    try:
        return _joined_chunks(body)
    except ValueError:
        if declared:
            raise
        return body  # text that begins like a chunk


def _joined_chunks(body: bytes) -> bytes:
    joined = bytearray()  # joining a list of small parts takes 100 bytes for each of them
    at = 0
    while match := _CHUNK_SIZE.match(body, at):
        start = match.end()
        size = int(match["size"], 16)
        if not size:
            if _TRAILERS.fullmatch(body, start) is None:
                raise ValueError("data follows the last chunk")
            return bytes(joined)
        end = start + size
        if end > len(body):
            break
        joined += body[start:end]
        at = end + (2 if body[end : end + 2] == b"\r\n" else 1 if body[end : end + 1] == b"\n" else 0)
        if at == end:
            break
    raise ValueError("the chunks end before the record does" if at < len(body) else "the last chunk is missing")


def is_cut_off(response: HttpResponse, body: bytes) -> bool:
    """Whether the response was cut off: an HTML page without its end that is shorter than its Content-Length.

    A Content-Length alone proves nothing, because many programs keep it although they decode the body.
    """
    declared = response.header("Content-Length")
    return (
        re.fullmatch(r"[0-9]{1,18}", declared) is not None
        and int(declared) > len(body)
        and "chunked" not in response.header("Transfer-Encoding").lower()
        and body.lstrip()[:1] == b"<"
        and b"</html" not in body.lower()
    )


def digest_differs(block: bytes, declared: str | None) -> bool:
    """Whether the digest of a block, such as `sha1:` and a digest in base 32 or hexadecimal, differs from `declared`.

    False if there is no digest, or if its algorithm is unknown.
    """
    name, _, value = (declared or "").strip().partition(":")
    name = name.lower().replace("-", "")
    if name not in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512") or not value:
        return False
    found = hashlib.new(name, block, usedforsecurity=False).digest()
    return _digest_bytes(value.strip(), len(found)) != found


def _digest_bytes(text: str, size: int) -> bytes | None:
    """Return the digest of `size` bytes that a text in hexadecimal, base 32 or base 64 stands for."""
    padded = text.rstrip("=")
    for decode in (
        bytes.fromhex,
        lambda t: base64.b32decode(t.upper() + "=" * (-len(t) % 8)),
        lambda t: base64.b64decode(t.replace("-", "+").replace("_", "/") + "=" * (-len(t) % 4)),
    ):
        try:
            found: bytes = decode(padded)
        except (ValueError, binascii.Error):
            continue
        if len(found) == size:
            return found
    return None
