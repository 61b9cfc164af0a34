"""The end of a file after a crash: what is behind the last whole gzip member is cut, and kept beside it.

Boundary: bytes of files.
"""

from __future__ import annotations

import mmap
import os
import zlib
from contextlib import suppress
from pathlib import Path

from crawler.errors import WarcCorrupted
from crawler.warc.reading import corrupted

_CHUNK = 1 << 20
_MEMBER = b"\x1f\x8b\x08"  # what a gzip member begins with


def repair_tail(path: Path, start: int = 0) -> int:
    """Cut what a crash left behind the last complete gzip member; the cut bytes go beside it as `.torn`.

    `start` is a byte up to which the file is known to be whole: a day's file need not be inflated at every start.

    Returns:
        How many bytes were cut.

    Raises:
        WarcCorrupted: records stand behind the damage, so it is none that a crash leaves, and nothing is cut.

    """
    good = _last_good_end(path, start)
    size = path.stat().st_size
    if good == size:
        return 0
    if next_record(path, good) is not None:
        raise corrupted(path, good, "damaged, and records stand behind the damage")
    with path.open("r+b") as file:
        file.seek(good)
        torn = path.with_name(f"{path.name}.{good}.torn")
        torn.write_bytes(file.read())
        file.truncate(good)
        file.flush()
        os.fsync(file.fileno())
    return size - good


def mended(path: Path, start: int = 0) -> bool:
    """Say whether a file ends well, cutting a torn tail; a file that is damaged otherwise is left as it is."""
    try:
        repair_tail(path, start)
    except WarcCorrupted:
        return False
    return True


def next_record(path: Path, damage: int) -> int | None:
    """Give the byte at which a record begins behind a damaged one; None when there is none."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = data.find(_MEMBER, damage + 1)
        while position >= 0:
            with suppress(zlib.error):
                if zlib.decompressobj(wbits=31).decompress(data[position : position + 512], 5) == b"WARC/":
                    return position
            position = data.find(_MEMBER, position + 1)
    return None


def _last_good_end(path: Path, start: int) -> int:
    """Walk the gzip members from one that is known; give the end of the last whole one."""
    good = position = start
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(_CHUNK)
        member = zlib.decompressobj(wbits=31)
        while data:
            try:
                member.decompress(data)
            except zlib.error:
                return good
            if member.eof:
                position += len(data) - len(member.unused_data)
                good = position
                data = member.unused_data or file.read(_CHUNK)
                member = zlib.decompressobj(wbits=31)
            else:
                position += len(data)
                data = file.read(_CHUNK)
    return good
