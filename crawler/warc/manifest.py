"""The list of the WARC files with their digests: what a backup says must be there.

Boundary: files to values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crawler.errors import unless_stopped

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, as long as it was when it was listed; it may have grown since."""

    file: str
    bytes: int
    sha256: str
    mtime_ns: int


def listed(directory: Path, before: Mapping[str, Entry], stopping: Callable[[], bool]) -> list[Entry]:
    """List the files; one that has not changed since an earlier list (`before`) is not read again.

    Raises:
        Interrupted: `stopping` said so.

    """
    return [_entry(directory, path, before, stopping) for path in sorted(directory.rglob("*.warc.gz"))]


def _entry(directory: Path, path: Path, before: Mapping[str, Entry], stopping: Callable[[], bool]) -> Entry:
    name = path.relative_to(directory).as_posix()
    stat = path.stat()
    known = before.get(name)
    if known is not None and (known.bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return known
    return Entry(name, stat.st_size, sha256(path, stat.st_size, stopping), stat.st_mtime_ns)


def compared(directory: Path, entries: Iterable[Entry]) -> dict[str, Literal["missing", "shorter", "different"]]:
    """Hold a directory against a list; give what is wrong with which file."""
    wrong: dict[str, Literal["missing", "shorter", "different"]] = {}
    for entry in entries:
        path = directory / entry.file
        if not path.is_file():
            wrong[entry.file] = "missing"
        elif path.stat().st_size < entry.bytes:
            wrong[entry.file] = "shorter"
        elif sha256(path, entry.bytes) != entry.sha256:
            wrong[entry.file] = "different"
    return wrong


def sha256(path: Path, size: int | None = None, stopping: Callable[[], bool] = lambda: False) -> str:
    """Give the digest of a file's first `size` bytes, or of the whole.

    Raises:
        Interrupted: `stopping`, which is asked at each piece, said so.

    """
    engine = hashlib.sha256()
    left = path.stat().st_size if size is None else size
    with path.open("rb") as file:
        while left > 0 and (data := file.read(min(_CHUNK, left))):
            unless_stopped(stopping)
            engine.update(data)
            left -= len(data)
    return engine.hexdigest()
