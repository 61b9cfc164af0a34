"""Records read back, their sums and digests checked.

Boundary: bytes and files to values.
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

from crawler.clock import from_text
from crawler.errors import WarcCorrupted
from crawler.types import RawRef
from crawler.warc.members import ORIGIN, PURPOSE, WRITTEN, digest

_ANSWERS = ("response", "revisit")
_OURS = ("metadata", "resource")


@dataclass(frozen=True, slots=True)
class Record:
    """One record read back: of which address, when, and the answer as received.

    A `metadata` or `resource` record has status 0 and no headers. `written_at` differs from `fetched_at` in what was
    taken over from another collection, which `origin` then names.
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


def corrupted(path: Path, offset: int, why: str) -> WarcCorrupted:
    """Word what is wrong with a file at one place."""
    return WarcCorrupted(
        f"{path} at byte {offset}: {why}",
        "run `vna verify` to see what else is damaged, and restore the file from a backup",
    )


def read_member(path: Path, ref: RawRef, member: bytes) -> Record:
    """Read the one record of a gzip member.

    Raises:
        WarcCorrupted: it is none, or not as it was written.

    """
    try:
        _inflate(member)
        records = list(parsed(io.BytesIO(member), ref.file, ref.offset))
    except (ArchiveLoadFailed, zlib.error, EOFError, ValueError) as error:
        raise corrupted(path, ref.offset, f"no readable record: {error}") from error
    if len(records) != 1:
        raise corrupted(path, ref.offset, "no complete response record")
    record = records[0]
    if digest(record.body) != ref.digest:
        raise corrupted(path, ref.offset, "the payload's digest differs from the stored one")
    return record


def read_file(path: Path, name: str, start: int = 0) -> Iterator[Record]:
    """Read the records of a file of ours, from a byte at which one begins, in the order in which they were written.

    Raises:
        WarcCorrupted: it does not read to its end.

    """
    with path.open("rb") as file:
        file.seek(start)
        try:
            yield from parsed(file, name, 0)
        except (ArchiveLoadFailed, zlib.error, EOFError, ValueError) as error:
            raise corrupted(path, file.tell(), str(error)) from error


def _inflate(member: bytes) -> None:
    """Have gzip check its own sums over the whole record; the library stops reading where the payload ends.

    Raises:
        zlib.error, ValueError: it is damaged, or not one whole member.

    """
    engine = zlib.decompressobj(wbits=31)
    engine.decompress(member)
    if not engine.eof or engine.unused_data:
        raise ValueError("not one whole gzip member")


def parsed(file: Any, name: str, base: int) -> Iterator[Record]:
    """Give the records of a stream that a row may point at, digests checked; `base` is where the stream begins."""
    iterator = ArchiveIterator(file, check_digests="raise")
    for record in iterator:
        http = record.http_headers
        if (record.rec_type not in _ANSWERS or http is None) and record.rec_type not in _OURS:
            continue
        body = record.raw_stream.read()
        offset = base + iterator.get_record_offset()
        warc = record.rec_headers.get_header
        written = warc(WRITTEN)
        yield Record(
            url=warc("WARC-Target-URI"),
            fetched_at=from_text(warc("WARC-Date")),
            status=int(http.get_statuscode()) if http else 0,
            headers=tuple((str(k), str(v)) for k, v in http.headers) if http else (),
            body=body,
            ref=RawRef(name, offset, iterator.get_record_length(), digest(body)),
            warc_type=record.rec_type,
            reason=http.statusline.partition(" ")[2] if http else "",
            purpose=warc(PURPOSE),
            origin=warc(ORIGIN),
            written_at=from_text(written) if written else None,
        )
