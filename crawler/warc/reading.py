"""Reads the records of our WARC files and verifies their checksums and digests.

Boundary: reads bytes and files, and returns values.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.errors import WarcCorrupted
from crawler.types import MAX_BODY, RawRef
from crawler.warc.dates import from_warc_date
from crawler.warc.members import ORIGIN, PURPOSE, WRITTEN, digest

#: What the library raises for data that is not a valid record, such as AttributeError without an address.
NO_RECORD = (ArchiveLoadFailed, zlib.error, EOFError, ValueError, AttributeError, TypeError)
#: Bytes of a record, decompressed: the largest body, and its headers. A larger record was not written by this program.
MAX_RECORD = MAX_BODY + 1_000_000
_STEP = 1 << 20
_RESPONSES = ("response", "revisit")
_WITHOUT_RESPONSE = ("metadata", "resource")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a WARC file: the address, the time, and the response as received.

    A `metadata` or `resource` record has status 0 and no headers. A capture imported from another collection has the
    name of the collection in `origin` and the time of the import in `written_at`; in all other records both are None.
    """

    url: str
    fetched_at: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    ref: RawRef
    warc_type: str
    reason: str = ""
    purpose: str | None = None
    origin: str | None = None
    written_at: datetime | None = None


def corrupted(path: Path, offset: int, reason: str) -> WarcCorrupted:
    """Return the exception for damage in the file `path` at the byte `offset`."""
    return WarcCorrupted(
        f"cannot read the WARC record in {path} at byte {offset}: {reason or 'it is damaged'}",
        "run `vna verify` to find all damage, then restore the file from a backup",
    )


def read_member(path: Path, ref: RawRef, member: bytes) -> Record:
    """Return the only record in the gzip member `member`; `ref` has the position and the digest of the record.

    Raises:
        WarcCorrupted: the member does not contain a readable record, or its digest differs from the digest in `ref`.

    """
    try:
        _inflate(member)
        records = list(parse_records(io.BytesIO(member), ref.file, ref.offset))
    except NO_RECORD as error:
        raise corrupted(path, ref.offset, str(error)) from error
    if len(records) != 1:
        raise corrupted(path, ref.offset, "not exactly one complete response record")
    record = records[0]
    if digest(record.body) != ref.digest:
        raise corrupted(path, ref.offset, "the digest of the payload differs from the stored digest")
    return record


def read_file(path: Path, name: str, start: int = 0) -> Iterator[Record]:
    """Yield the records of one of our own WARC files in the order of writing, from the byte offset `start` on.

    Raises:
        WarcCorrupted: the file cannot be read to its end.

    """
    with path.open("rb") as file:
        file.seek(start)
        try:
            yield from parse_records(file, name, 0)
        except NO_RECORD as error:
            raise corrupted(path, file.tell(), str(error)) from error


def _inflate(member: bytes) -> None:
    """Check the gzip checksum of a whole member; the WARC library does not, because it stops at the end of the payload.

    Raises:
        zlib.error: the data is damaged.
        ValueError: the data is not exactly one complete member, or is too large.

    """
    engine = zlib.decompressobj(wbits=31)
    advance(engine, member)
    if not engine.eof or engine.unused_data:
        raise ValueError("not exactly one complete gzip member")


def advance(engine: Any, data: bytes, size: int = 0) -> int:
    """Decompress the next bytes of a gzip member without keeping them; return the decompressed size of the member so far.

    `engine` is a `zlib.decompressobj`, and `size` the result of the call for the bytes before.

    Raises:
        zlib.error: the data is damaged.
        ValueError: the member is larger than a record can be.

    """
    while True:
        out = engine.decompress(data, _STEP)
        size += len(out)
        if size > MAX_RECORD:
            raise ValueError(f"larger than {MAX_RECORD} bytes")
        data = engine.unconsumed_tail
        if engine.eof or (not data and len(out) < _STEP):
            return size


def parse_records(file: Any, name: str, base: int) -> Iterator[Record]:
    """Yield the responses, notes (`metadata`) and imported files (`resource`) of a stream, and check their digests.

    Other records, such as requests, are skipped. The stream starts at the byte offset `base` of the file `name`.

    Raises:
        Exception: one of `NO_RECORD`: a record cannot be read.

    """
    iterator = ArchiveIterator(file, check_digests="raise")
    for record in iterator:
        http = record.http_headers
        if (record.rec_type not in _RESPONSES or http is None) and record.rec_type not in _WITHOUT_RESPONSE:
            continue
        if not record.rec_headers.get_header("WARC-Target-URI"):
            raise ValueError("the record has no WARC-Target-URI")
        if record.length is None or record.length > MAX_RECORD:
            raise ValueError(f"larger than {MAX_RECORD} bytes, or without a length")
        body = record.raw_stream.read()
        offset = base + iterator.get_record_offset()
        warc = record.rec_headers.get_header
        written = warc(WRITTEN)
        yield Record(
            url=warc("WARC-Target-URI"),
            fetched_at=from_warc_date(warc("WARC-Date")),
            status=int(http.get_statuscode()) if http else 0,
            headers=tuple((str(k), str(v)) for k, v in http.headers) if http else (),
            body=body,
            ref=RawRef(name, offset, iterator.get_record_length(), digest(body)),
            warc_type=record.rec_type,
            reason=http.statusline.partition(" ")[2] if http else "",
            purpose=warc(PURPOSE),
            origin=warc(ORIGIN),
            written_at=from_warc_date(written) if written else None,
        )
