"""A temporary file for packed values that would not fit into memory.

Boundary: one file, written and read by one process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple


class StoredBytes(NamedTuple):
    """Where a value is in a store, in bytes."""

    offset: int
    length: int


class Store:
    """Keeps values in a file; `add` returns where a value is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Store]:
        """Create the file, and close it when the block ends."""
        with path.open("w+b") as file:
            yield cls(file)

    def add(self, data: bytes) -> StoredBytes:
        """Append a value; return where it is."""
        self._file.seek(self._end)
        self._file.write(data)
        self._end += len(data)
        return StoredBytes(self._end - len(data), len(data))

    def read(self, slot: StoredBytes) -> bytes:
        """Return the value in a slot."""
        self._file.seek(slot.offset)
        return self._file.read(slot.length)
