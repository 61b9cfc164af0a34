"""Records as bytes: one gzip member each.

Boundary: values to bytes; no files.
"""

from __future__ import annotations

import base64
import hashlib
import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.clock import to_precise_text
from crawler.types import Fetched

# The client undoes chunking and keep-alive, so these no longer describe the stored body (warcio's readers would undo
# the chunking a second time). Their values stay readable under this prefix.
_HOP_HEADERS = frozenset({"transfer-encoding", "content-length"})
_KEPT_AS = "X-Archive-Orig-"

PURPOSE = "VNA-Purpose"  # what it was asked for
ORIGIN = "VNA-Origin"  # the collection that it was taken over from
WRITTEN = "VNA-Written"  # when it was taken over


class _AsReceived(StatusAndHeaders):  # type: ignore[misc]  # the library has no types
    """An HTTP head whose bytes are written as they came; the library would percent-encode what is not ASCII."""

    def to_ascii_bytes(self, filter_func: Any = None) -> bytes:
        head: str = self.to_str(filter_func)
        return head.encode("latin-1") + b"\r\n"


def digest(body: bytes) -> str:
    """Give the labelled digest of a payload, `sha256:BASE32`, as WARC and CDXJ write it."""
    return "sha256:" + base64.b32encode(hashlib.sha256(body).digest()).decode("ascii")


def exchange(
    fetched: Fetched, purpose: str, origin: str | None = None, written_at: datetime | None = None
) -> tuple[bytes, bytes]:
    """Write an answer and its request; a capture taken over from elsewhere says from where, and when."""
    response_id, request_id = (uuid.uuid4().urn for _ in range(2))
    date = to_precise_text(fetched.fetched_at)
    ours = {PURPOSE: purpose, ORIGIN: origin, WRITTEN: to_precise_text(written_at) if written_at else None}
    response = _member(
        "response",
        fetched.url,
        {
            "WARC-Date": date,
            "WARC-Record-ID": f"<{response_id}>",
            "WARC-Payload-Digest": digest(fetched.body),
            **{name: value for name, value in ours.items() if value},
        },
        _AsReceived(
            f"{fetched.status} {fetched.reason}".strip(),
            list(_stored_headers(fetched.headers)),
            f"HTTP/{fetched.http_version}",
        ),
        fetched.body,
    )
    if origin is not None and not fetched.request_headers:
        return response, b""  # whoever captured it kept no request
    request = _member(
        "request",
        fetched.url,
        {"WARC-Date": date, "WARC-Record-ID": f"<{request_id}>", "WARC-Concurrent-To": f"<{response_id}>"},
        _AsReceived(f"GET {fetched.target} HTTP/1.1", list(fetched.request_headers), is_http_request=True),
        b"",
    )
    return response, request


def note(url: str, at: datetime, purpose: str, fields: Mapping[str, str]) -> bytes:
    """Write what became of a visit that got no answer worth keeping."""
    body = "".join(f"{name}: {' '.join(value.split())}\r\n" for name, value in fields.items()).encode()
    warc = {"WARC-Date": to_precise_text(at), PURPOSE: purpose}
    return _member("metadata", url, warc, None, body, "application/warc-fields")


def text(name: str, at: datetime, content: str) -> bytes:
    """Write an imported text, under an address made of its file name."""
    warc = {"WARC-Date": to_precise_text(at), PURPOSE: "import"}
    return _member("resource", name, warc, None, content.encode(), "text/plain; charset=utf-8")


def warcinfo(name: str, now: datetime, software: str) -> bytes:
    """Write what a file begins with."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
    record = writer.create_warcinfo_record(
        name.rpartition("/")[2], {"software": software, "format": "WARC File Format 1.1", "robots": "obey"}
    )
    record.rec_headers.replace_header("WARC-Date", to_precise_text(now))
    writer.write_record(record)
    return buffer.getvalue()


def _stored_headers(headers: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        yield (f"{_KEPT_AS}{name}", value) if name.lower() in _HOP_HEADERS else (name, value)


def _member(
    kind: str,
    url: str,
    warc: dict[str, str],
    http: StatusAndHeaders | None,
    body: bytes,
    content_type: str = "",
) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
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
    return buffer.getvalue()
