"""Serialises WARC records, each as one gzip member.

Boundary: turns values into bytes; does not touch files.
"""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.clock import to_precise_text
from crawler.types import Fetched

# The client decodes the chunked transfer coding, so these headers no longer describe the stored body (warcio's readers
# would decode the chunks a second time). Their values are stored under this prefix.
_TRANSFER_HEADERS = frozenset({"transfer-encoding", "content-length"})
_ORIGINAL_PREFIX = "X-Archive-Orig-"

PURPOSE = "VNA-Purpose"  # why the record exists, such as `page:245060`
ORIGIN = "VNA-Origin"  # the collection that a capture was imported from
WRITTEN = "VNA-Written"  # when it was imported
ARCHIVE_ID = "vna-archive-id"  # field of the `warcinfo` record: the identity of the archive, as `urn:uuid:...`
CLOCK_PERIOD = "vna-clock-period"  # field of the `warcinfo` record: how often the clock had been set back, if ever
SETTINGS = "vna-settings"  # field of the `warcinfo` record: the settings of the run, as JSON
URN = "urn:uuid:"

_LEVEL = 9  # of compression, as in the library
_SAMPLE = 2048  # bytes from the middle of a payload that show whether it can be compressed
_INCOMPRESSIBLE = 0.97  # of its size from which on a compressed sample shows that it cannot
_RECORD_END = 4  # bytes after the payload of a record: two line ends
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\2\3"


class _AsReceived(StatusAndHeaders):  # type: ignore[misc]  # the library has no types
    """HTTP headers that are written with their original bytes; the library would percent-encode non-ASCII characters."""

    def to_ascii_bytes(self, filter_func: Any = None) -> bytes:
        head: str = self.to_str(filter_func)
        return head.encode("latin-1") + b"\r\n"


def digest(body: bytes) -> str:
    """Return the SHA-256 digest of a payload as WARC and CDXJ files write it: `sha256:` and the digest in base 32."""
    return "sha256:" + base64.b32encode(hashlib.sha256(body).digest()).decode("ascii")


def response_and_request(
    fetched: Fetched, purpose: str, origin: str | None = None, written_at: datetime | None = None
) -> tuple[bytes, bytes]:
    """Return two WARC records as bytes: the record of the response and the record of its request.

    For a capture that is imported from another collection, `origin` is the name of the collection and `written_at` the
    time of the import. If the collection did not store the request, the second value is empty.
    """
    response_id, request_id = (uuid.uuid4().urn for _ in range(2))
    date = to_precise_text(fetched.fetched_at)
    own_fields = {PURPOSE: purpose, ORIGIN: origin, WRITTEN: to_precise_text(written_at) if written_at else None}
    response = _member(
        "response",
        fetched.url,
        {
            "WARC-Date": date,
            "WARC-Record-ID": f"<{response_id}>",
            "WARC-Payload-Digest": digest(fetched.body),
            **{name: value for name, value in own_fields.items() if value},
        },
        _AsReceived(
            f"{fetched.status} {fetched.reason}".strip(),
            list(_stored_headers(fetched.headers)),
            f"HTTP/{fetched.http_version}",
        ),
        fetched.body,
    )
    if origin is not None and not fetched.request_headers:
        return response, b""  # the collection did not store the request
    request = _member(
        "request",
        fetched.url,
        {"WARC-Date": date, "WARC-Record-ID": f"<{request_id}>", "WARC-Concurrent-To": f"<{response_id}>"},
        _AsReceived(f"GET {fetched.target} HTTP/1.1", list(fetched.request_headers), is_http_request=True),
        b"",
    )
    return response, request


def metadata(url: str, at: datetime, purpose: str, fields: Mapping[str, str]) -> bytes:
    """Return a `metadata` record, which notes in `fields` why a request to `url` has no usable response."""
    body = "".join(f"{name}: {' '.join(value.split())}\r\n" for name, value in fields.items()).encode()
    warc = {"WARC-Date": to_precise_text(at), PURPOSE: purpose}
    return _member("metadata", url, warc, None, body, "application/warc-fields")


def resource(name: str, at: datetime, content: str, purpose: str) -> bytes:
    """Return a `resource` record with the content of a text file; `name` is a URI built from the file name."""
    warc = {"WARC-Date": to_precise_text(at), PURPOSE: purpose}
    return _member("resource", name, warc, None, content.encode(), "text/plain; charset=utf-8")


def warcinfo(
    name: str, now: datetime, software: str, identity: str | None = None, period: int = 0, settings: str = ""
) -> bytes:
    """Return the `warcinfo` record with which every WARC file starts.

    `name` is the path of the file. `identity` is the identity of the archive, a UUID, which is written as the field
    `vna-archive-id`. `period` is the clock period in which the records of the file are written. `settings` are the
    settings of the run, in one line.
    """
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
    fields = {"software": software, "format": "WARC File Format 1.1", "robots": "obey"}
    if identity is not None:
        fields[ARCHIVE_ID] = f"{URN}{identity}"
    if period:
        fields[CLOCK_PERIOD] = str(period)
    if settings:
        fields[SETTINGS] = settings
    record = writer.create_warcinfo_record(name.rpartition("/")[2], fields)
    record.rec_headers.replace_header("WARC-Date", to_precise_text(now))
    writer.write_record(record)
    return buffer.getvalue()


def _stored_headers(headers: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        yield (f"{_ORIGINAL_PREFIX}{name}", value) if name.lower() in _TRANSFER_HEADERS else (name, value)


def _member(
    kind: str,
    url: str,
    warc: dict[str, str],
    http: StatusAndHeaders | None,
    body: bytes,
    content_type: str = "",
) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=False, warc_version="WARC/1.1")
    record = writer.create_warc_record(
        url,
        kind,
        payload=io.BytesIO(body),
        length=len(body),
        http_headers=http,
        warc_headers_dict=warc,
        warc_content_type=content_type,
    )
    writer.write_record(record)
    return _gzip_member(buffer.getvalue(), body)


def _gzip_member(record: bytes, payload: bytes) -> bytes:
    """Return a record as a gzip member. If its payload is compressed already, as most pages are, it is stored as it is.

    To compress a page again takes half of the time of writing it, and saves nothing.
    """
    if not _is_compressed(payload):
        engine = zlib.compressobj(_LEVEL, wbits=31)
        return engine.compress(record) + engine.flush()
    head_end = len(record) - len(payload) - _RECORD_END
    head, stored = zlib.compressobj(_LEVEL, wbits=-15), zlib.compressobj(0, wbits=-15)
    parts = (
        _GZIP_HEADER,
        head.compress(record[:head_end]),
        head.flush(zlib.Z_SYNC_FLUSH),  # ends at a byte, without the mark of the last block
        stored.compress(record[head_end:]),
        stored.flush(),
        struct.pack("<LL", zlib.crc32(record), len(record) & 0xFFFFFFFF),
    )
    return b"".join(parts)


def _is_compressed(payload: bytes) -> bool:
    sample = payload[len(payload) // 2 :][:_SAMPLE]
    return len(sample) == _SAMPLE and len(zlib.compress(sample, 1)) > _INCOMPRESSIBLE * _SAMPLE
