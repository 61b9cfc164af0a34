"""The manifest of a backup: the list of the WARC files that must exist, with their sizes and digests.

Boundary: reads files and returns values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crawler.archive_files import warc_files
from crawler.errors import raise_if_stopped
from crawler.warc.tail import intact_end

_CHUNK = 1 << 20

#: How a WARC file differs from what it should be.
Fault = Literal["missing", "shorter", "different", "damaged"]


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """The state of one WARC file when the manifest was made; the file may have grown since then.

    `file` is the path relative to the folder of the WARC files, `bytes` the size, `sha256` the hex digest of these
    bytes, and `mtime_ns` the time of the last change. `bytes` is the end of a complete record. `copied_bytes` is the
    size of the copy in the backup, 0 if there is none; versions before schema 4 wrote None. `damaged` is True if the
    file contained damage already when it was first backed up. The field names are the keys of `manifest.json`.
    """

    file: str
    bytes: int
    sha256: str
    mtime_ns: int
    copied_bytes: int | None = None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class WarcFile:
    """The state of a WARC file: its size, the end of its last complete record, digests of its beginning, and damage.

    `digests` maps the sizes that were asked for, and `bytes`, to the digest of that many bytes; sizes beyond the end of
    the file are left out. If `damaged` is True, records follow the damage, and `bytes` is the size of the file.
    """

    size: int
    bytes: int
    mtime_ns: int
    digests: dict[int, str]
    damaged: bool = False

    def starts_with(self, size: int, digest: str) -> bool:
        """Whether the first `size` bytes of the file have this digest."""
        return self.digests.get(size) == digest


def warc_names(directory: Path) -> list[str]:
    """Return the paths of the WARC files in a folder relative to the folder, oldest first."""
    return sorted(path.relative_to(directory).as_posix() for path in warc_files(directory))


def inspect_file(
    path: Path,
    sizes: Iterable[int] = (),
    start: int = 0,
    required: int = 0,
    stopping: Callable[[], bool] = lambda: False,
) -> WarcFile:
    """Return the state of a WARC file; the digests of the first bytes are computed for each number in `sizes`.

    `start` is a byte offset at which a record begins: the bytes before it are not searched for damage. `required` is the
    end of the last record to which a row refers: if it cannot be read, the file is damaged.

    Raises:
        Interrupted: `stopping`, which is called repeatedly, returned True.

    """
    stat = path.stat()
    raise_if_stopped(stopping)
    good, damaged = intact_end(path, min(start, stat.st_size), stat.st_size)
    damaged |= good < required <= stat.st_size
    end = stat.st_size if damaged else good
    return WarcFile(stat.st_size, end, stat.st_mtime_ns, digests(path, {end, *sizes}, stopping), damaged)


def check_files(directory: Path, entries: Iterable[ManifestEntry]) -> dict[str, Fault]:
    """Compare the files in a folder with manifest entries; return the name of each wrong file with what is wrong.

    A file that has only grown is not wrong.
    """
    found = ((entry.file, check_file(directory / entry.file, entry)) for entry in entries)
    return {name: fault for name, fault in found if fault is not None}


def check_file(path: Path, entry: ManifestEntry) -> Fault | None:
    """Return how a file differs from its manifest entry; None if the file equals it or has only grown."""
    if not path.is_file():
        return "missing"
    if path.stat().st_size < entry.bytes:
        return "shorter"
    return None if sha256(path, entry.bytes) == entry.sha256 else "different"


def digests(path: Path, sizes: Iterable[int], stopping: Callable[[], bool] = lambda: False) -> dict[int, str]:
    """Return the SHA-256 of the first bytes of a file as hex strings, for each number of bytes that the file has.

    The file is read once.

    Raises:
        Interrupted: `stopping`, which is called before each chunk, returned True.

    """
    engine, found, position = hashlib.sha256(), {}, 0
    with path.open("rb") as file:
        for size in sorted(sizes):
            while position < size and (data := file.read(min(_CHUNK, size - position))):
                raise_if_stopped(stopping)
                engine.update(data)
                position += len(data)
            if position < size:
                break
            found[size] = engine.hexdigest()
    return found


def sha256(path: Path, end: int | None = None, stopping: Callable[[], bool] = lambda: False, *, start: int = 0) -> str:
    """Return the SHA-256 of the bytes from `start` to `end`, or to the end of the file if `end` is None, as a hex string.

    If the file is shorter than `end`, the digest of the bytes that it has is returned.

    Raises:
        Interrupted: `stopping`, which is called before each chunk, returned True.

    """
    engine = hashlib.sha256()
    for data in chunks(path, end, stopping, start=start):
        engine.update(data)
    return engine.hexdigest()


def chunks(
    path: Path, end: int | None = None, stopping: Callable[[], bool] = lambda: False, *, start: int = 0
) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end`, or to the end of the file if `end` is None, in chunks.

    Raises:
        Interrupted: `stopping`, which is called before each chunk, returned True.

    """
    left = (path.stat().st_size if end is None else end) - start
    with path.open("rb") as file:
        file.seek(start)
        while left > 0 and (data := file.read(min(_CHUNK, left))):
            raise_if_stopped(stopping)
            yield data
            left -= len(data)
