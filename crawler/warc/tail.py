"""Repairs a WARC file after a crash: moves the bytes that follow the last complete gzip member to a separate file.

Boundary: works with the bytes of files.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO

from crawler import files
from crawler.errors import WarcCorrupted
from crawler.warc.reading import advance, corrupted

_CHUNK = 1 << 20
_MEMBER = b"\x1f\x8b\x08"  # the first bytes of a gzip member
_RECORD = b"WARC/"  # the first bytes of a record
_PEEKED = 512  # bytes of a gzip member, enough to decompress the first bytes of the record


def repair_tail(path: Path, start: int = 0) -> int:
    """Move the bytes that a crash left after the last complete gzip member to a new file, whose name ends in `.torn`.

    `start` is a byte offset up to which the file is known to be intact, so that only the rest must be decompressed.

    Returns:
        The number of bytes that were moved.

    Raises:
        WarcCorrupted: records follow the damage, so a crash cannot have caused it; nothing is moved.

    """
    good = _last_good_end(path, start)
    size = path.stat().st_size
    if good == size:
        return 0
    if next_record(path, good) is not None:
        raise corrupted(path, good, "damaged, and intact records follow the damage")
    if path.is_symlink():
        raise corrupted(path, good, "incomplete at its end, and a symbolic link, which is not repaired")
    with path.open("r+b") as file:
        file.seek(good)
        files.replace(torn_name(path, good), file)
        file.truncate(good)
        file.flush()
        os.fsync(file.fileno())
    return size - good


def torn_name(path: Path, offset: int) -> Path:
    """Return the path of the file that keeps the bytes cut off at a byte offset of a WARC file."""
    return path.with_name(f"{path.name}.{offset}.torn")


def try_repair_tail(path: Path, start: int = 0) -> bool:
    """Repair the end of a file if necessary, and return True.

    If records follow the damage, a crash cannot have caused it: change nothing and return False.
    """
    try:
        repair_tail(path, start)
    except WarcCorrupted:
        return False
    return True


def intact_end(path: Path, start: int = 0, size: int | None = None) -> tuple[int, bool]:
    """Return where the last complete record before any damage ends, and whether records follow the damage.

    A gzip member must begin at the byte offset `start`. `size` is an earlier size of the file, by default the present
    one: if another process appends to the file, the last bytes may be a part of a record. Bytes after the last complete
    record are not damage if no record follows them: they are being written, or a crash left them.
    """
    end = path.stat().st_size if size is None else size
    good = _last_good_end(path, start)
    return good, good < end and next_record(path, good, end) is not None


def next_record(path: Path, damage: int, end: int | None = None) -> int | None:
    """Return the byte offset of the first record after the byte offset `damage`; None if no record follows.

    `end` is the byte offset at which the search ends, by default the end of the file.
    """
    with path.open("rb") as file:
        return find_record(file, damage + 1, end)


def find_record(file: IO[bytes], start: int, end: int | None = None) -> int | None:
    """Return the byte offset of the first record that begins at or after the byte offset `start`; None without one.

    `end` is the byte offset at which the search ends, by default the end of the file.
    """
    file.seek(start)
    data, base, is_last = b"", start, False
    while not is_last:
        chunk = file.read(_CHUNK if end is None else min(_CHUNK, max(0, end - base - len(data))))
        is_last, data = not chunk, data + chunk
        position = data.find(_MEMBER)
        while position >= 0 and (is_last or position + _PEEKED <= len(data)):
            if _begins_record(data[position : position + _PEEKED]):
                return base + position
            position = data.find(_MEMBER, position + 1)
        kept = position if position >= 0 else max(0, len(data) - len(_MEMBER) + 1)
        base, data = base + kept, data[kept:]
    return None


def _begins_record(data: bytes) -> bool:
    with suppress(zlib.error):
        return zlib.decompressobj(wbits=31).decompress(data, len(_RECORD)) == _RECORD
    return False


def _last_good_end(path: Path, start: int) -> int:
    """Return the byte offset at which the last complete gzip member before any damage ends.

    A gzip member must begin at the byte offset `start`.
    """
    good = position = start
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(_CHUNK)
        member, content = zlib.decompressobj(wbits=31), 0
        while data:
            try:
                content = advance(member, data, content)
            except (zlib.error, ValueError):
                return good
            if member.eof:
                position += len(data) - len(member.unused_data)
                good = position
                data = member.unused_data or file.read(_CHUNK)
                member, content = zlib.decompressobj(wbits=31), 0
            else:
                position += len(data)
                data = file.read(_CHUNK)
    return good
