"""Repairs a WARC file after a crash: moves the bytes that follow the last complete gzip member to a separate file.

Boundary: works with the bytes of files.
"""

from __future__ import annotations

import mmap
import os
import zlib
from contextlib import suppress
from pathlib import Path

from crawler import files
from crawler.errors import WarcCorrupted
from crawler.warc.reading import advance, corrupted

_CHUNK = 1 << 20
_MEMBER = b"\x1f\x8b\x08"  # the first bytes of a gzip member


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
        torn = path.with_name(f"{path.name}.{good}.torn")
        files.replace(torn, file)
        file.truncate(good)
        file.flush()
        os.fsync(file.fileno())
    return size - good


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
    with path.open("rb") as file, mmap.mmap(file.fileno(), end or 0, access=mmap.ACCESS_READ) as data:
        position = data.find(_MEMBER, damage + 1)
        while position >= 0:
            with suppress(zlib.error):
                if zlib.decompressobj(wbits=31).decompress(data[position : position + 512], 5) == b"WARC/":
                    return position
            position = data.find(_MEMBER, position + 1)
    return None


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
