"""A file from member to member, past what is damaged: for checking, and for making the database anew.

Boundary: bytes of files to values.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warcio.exceptions import ArchiveLoadFailed

from crawler.warc.reading import Record, parsed
from crawler.warc.tail import next_record

_CHUNK = 1 << 17
#: what the library says of a member that is whole, but no record; of one without an address it trips
_NO_RECORD = (ArchiveLoadFailed, zlib.error, EOFError, ValueError, AttributeError, TypeError)


@dataclass(frozen=True, slots=True)
class Member:
    """One whole record; `record` is None for those that no row points at: requests, and what a file begins with."""

    offset: int
    length: int
    record: Record | None


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that read as no record; `torn` when no record stands behind them, as after a crash."""

    file: str
    offset: int
    length: int
    why: str
    torn: bool


def scan(path: Path, name: str, start: int = 0) -> Iterator[Member | Damage]:
    """Read a file of ours from a byte at which a record begins; what is damaged is told, and reading goes on behind it.

    Every member is inflated to its end, its sum and the digests of the record are checked. One member is in memory.
    """
    with path.open("rb") as file:
        position, rest = start, b""
        file.seek(start)
        while True:
            why, found = "", None
            member, rest, sound = _member(file, rest)
            if not member:
                return
            if sound:
                found, why = _read(name, position, member)
            if found is not None:
                yield found
                position += found.length
                continue
            damage = _damage(path, name, position, why or "damaged, or not whole")
            yield damage
            position, rest = damage.offset + damage.length, b""
            file.seek(position)


def request_alone(path: Path, start: int) -> bool:
    """Say whether a file ends with the request of its last known answer: so ends every file that nothing happened to."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(_CHUNK)
    engine = zlib.decompressobj(wbits=31)
    try:
        head = engine.decompress(data)
    except zlib.error:
        return False
    whole = engine.eof and not engine.unused_data and len(data) < _CHUNK
    return whole and b"\r\nWARC-Type: request\r\n" in head.partition(b"\r\n\r\n")[0]


def _member(file: io.BufferedReader, rest: bytes) -> tuple[bytes, bytes, bool]:
    """Read the bytes of one gzip member; gives them, those read behind it, and whether it is whole."""
    engine = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    while data := rest or file.read(_CHUNK):
        try:
            engine.decompress(data)
        except zlib.error:
            return b"".join([*parts, data]), b"", False
        rest = engine.unused_data
        parts.append(data[: len(data) - len(rest)])
        if engine.eof:
            return b"".join(parts), rest, True
    return b"".join(parts), b"", False


def _read(name: str, offset: int, member: bytes) -> tuple[Member | None, str]:
    try:
        records = list(parsed(io.BytesIO(member), name, offset))
    except _NO_RECORD as error:
        return None, str(error) or type(error).__name__
    return Member(offset, len(member), records[0] if records else None), ""


def _damage(path: Path, name: str, offset: int, why: str) -> Damage:
    behind = next_record(path, offset)
    end = path.stat().st_size if behind is None else behind
    return Damage(name, offset, end - offset, why, behind is None)
