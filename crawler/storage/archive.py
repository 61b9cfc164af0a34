"""The archive's database as one object: articles, frontier, transactions.

Boundary: composition only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from crawler.storage.articles import Articles
from crawler.storage.base import mendable, open_database
from crawler.storage.frontier import Frontier

FILE = "vna.db"


class Archive(Articles, Frontier):
    """One archive; use as a context manager, which also gives the driver's errors a hint."""

    def __init__(self, db: Database, file: Path) -> None:
        self.db = db
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if (told := mendable(self._file, error)) is not None:
            raise told from error

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside one unit: all of it, or nothing."""
        with self.db.atomic():
            yield


def open_archive(folder: Path, *, read_only: bool = False) -> Archive:
    """Open the archive in a folder, creating it unless `read_only`.

    Raises:
        StorageError: with what to do.

    """
    file = folder / FILE
    return Archive(open_database(file, read_only=read_only), file)
