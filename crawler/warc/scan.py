"""Reads a WARC file one gzip member at a time and continues after damage, to verify the file or rebuild the database.

Boundary: reads the bytes of files and returns values.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crawler.warc.reading import NO_RECORD, Record, advance, parse_records
from crawler.warc.tail import find_record

_CHUNK = LONGEST_REQUEST = 1 << 17
_HEAD = 1 << 16  # a header of a record has less than 64 kB


@dataclass(frozen=True, slots=True)
class RecordHead:
    """The fields of a record by which a response and its request refer to each other.

    `concurrent_to` is the id of the response that belongs to a request; it is empty in other records.
    """

    warc_type: str
    record_id: str
    concurrent_to: str
    date: str
    url: str


@dataclass(frozen=True, slots=True)
class Member:
    """One complete gzip member of a WARC file, with its position in bytes.

    `record` is None if the member contains a `request` or `warcinfo` record, to which no database row refers.
    """

    offset: int
    length: int
    record: Record | None
    head: RecordHead


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a file that are not a readable record; `torn` is true if no record follows them, as after a crash."""

    file: str
    offset: int
    length: int
    reason: str
    torn: bool


def scan(path: Path, name: str, start: int = 0, end: int | None = None) -> Iterator[Member | Damage]:
    """Yield the gzip members of a file from the byte offset `start` on, and a `Damage` for each unreadable part.

    If `end` is given, yield only what begins before this byte offset.

    A record must begin at `start`. Each member is decompressed completely; its checksum and the digests of its record
    are checked. Only one member is in memory at a time.
    """
    with path.open("rb") as file:
        yield from scan_file(file, name, start, end)


def scan_file(file: IO[bytes], name: str, start: int = 0, end: int | None = None) -> Iterator[Member | Damage]:
    """Do the same as `scan` with an opened file."""
    position, rest = start, b""
    file.seek(start)
    while end is None or position < end:
        reason, found = "", None
        data, rest, complete = _member(file, rest)
        if not data:
            return
        if complete:
            found, reason = _read(name, position, data)
        if found is not None:
            yield found
            position += found.length
            continue
        damage = _damage(file, name, position, reason or "damaged or incomplete")
        yield damage
        position, rest = damage.offset + damage.length, b""
        file.seek(position)


def ends_with_request(path: Path, start: int) -> bool:
    """Whether the part of a file from the byte offset `start` on is exactly one request record.

    `start` is the end of the last response that has a database row. Unless a process was killed, the file usually ends
    with the request record of that response, so this check often makes a scan unnecessary.
    """
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(_CHUNK)
    return len(data) < _CHUNK and 0 < request_length(data) == len(data)


def request_length(data: bytes) -> int:
    """Return the length of the request record with which `data` begins, in bytes; 0 if it begins with something else."""
    engine = zlib.decompressobj(wbits=31)
    try:
        head = engine.decompress(data, _CHUNK)  # a request record is smaller
    except zlib.error:
        return 0
    is_request = engine.eof and b"\r\nWARC-Type: request\r\n" in head.partition(b"\r\n\r\n")[0]
    return len(data) - len(engine.unused_data) if is_request else 0


def _member(file: IO[bytes], rest: bytes) -> tuple[bytes, bytes, bool]:
    """Read one gzip member; return its bytes, the bytes that were read beyond its end, and whether it is complete.

    `rest` contains the first bytes of the member, which an earlier call has read already.
    """
    engine = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    size = 0
    while data := rest or file.read(_CHUNK):
        try:
            size = advance(engine, data, size)
        except (zlib.error, ValueError):
            return b"".join([*parts, data]), b"", False
        rest = engine.unused_data
        parts.append(data[: len(data) - len(rest)])
        if engine.eof:
            return b"".join(parts), rest, True
    return b"".join(parts), b"", False


def _read(name: str, offset: int, member: bytes) -> tuple[Member | None, str]:
    try:
        records = list(parse_records(io.BytesIO(member), name, offset))
    except NO_RECORD as error:
        return None, str(error) or type(error).__name__
    return Member(offset, len(member), records[0] if records else None, _head(member)), ""


def _head(member: bytes) -> RecordHead:
    text = zlib.decompressobj(wbits=31).decompress(member, _HEAD).partition(b"\r\n\r\n")[0]
    pairs = (line.partition(b":") for line in text.splitlines())
    fields = {name.strip().lower(): value.strip().decode("utf-8", "replace") for name, _, value in pairs}
    names = (b"warc-type", b"warc-record-id", b"warc-concurrent-to", b"warc-date", b"warc-target-uri")
    return RecordHead(*(fields.get(name, "") for name in names))


def _damage(file: IO[bytes], name: str, offset: int, reason: str) -> Damage:
    following = find_record(file, offset + 1)
    end = file.seek(0, io.SEEK_END) if following is None else following
    return Damage(name, offset, end - offset, reason, following is None)
