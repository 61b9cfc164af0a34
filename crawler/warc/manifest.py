"""The manifest of a backup: the list of the WARC files that must exist, with their sizes and digests.

Boundary: reads files and returns values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crawler.errors import raise_if_stopped

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """The state of one WARC file when the manifest was made; the file may have grown since then.

    `file` is the path relative to the folder of the WARC files, `bytes` the size, `sha256` the hex digest of these
    bytes, and `mtime_ns` the time of the last change. The field names are the keys of `manifest.json`.
    """

    file: str
    bytes: int
    sha256: str
    mtime_ns: int


def list_files(
    directory: Path, before: Mapping[str, ManifestEntry], stopping: Callable[[], bool]
) -> list[ManifestEntry]:
    """Return a manifest entry for each WARC file in a folder.

    `before` contains the entries of an earlier backup by file name; for an unchanged file, its entry there is
    returned.

    Raises:
        Interrupted: `stopping`, which is called repeatedly, returned True.

    """
    return [_entry(directory, path, before, stopping) for path in sorted(directory.rglob("*.warc.gz"))]


def _entry(
    directory: Path, path: Path, before: Mapping[str, ManifestEntry], stopping: Callable[[], bool]
) -> ManifestEntry:
    name = path.relative_to(directory).as_posix()
    stat = path.stat()
    known = before.get(name)
    if known is not None and (known.bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return known
    return ManifestEntry(name, stat.st_size, sha256(path, stat.st_size, stopping), stat.st_mtime_ns)


def check_files(
    directory: Path, entries: Iterable[ManifestEntry]
) -> dict[str, Literal["missing", "shorter", "different"]]:
    """Compare the files in a folder with manifest entries; return the name of each wrong file with what is wrong.

    A file that has only grown is not wrong.
    """
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
    """Return the SHA-256 of a file's first `size` bytes, or of the whole file if `size` is None, as a hex string.

    Raises:
        Interrupted: `stopping`, which is called before each chunk, returned True.

    """
    engine = hashlib.sha256()
    left = path.stat().st_size if size is None else size
    with path.open("rb") as file:
        while left > 0 and (data := file.read(min(_CHUNK, left))):
            raise_if_stopped(stopping)
            engine.update(data)
            left -= len(data)
    return engine.hexdigest()
