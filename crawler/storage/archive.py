"""The archive's database as one object: one mixin a table family, and transactions.

Boundary: composition only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from crawler.storage.appearances import Appearances
from crawler.storage.articles import Articles
from crawler.storage.base import mendable, open_database
from crawler.storage.disk import Disk
from crawler.storage.evidence import Evidence
from crawler.storage.findings import Findings
from crawler.storage.gaps import Gaps
from crawler.storage.health import Health
from crawler.storage.ledger import Ledgers
from crawler.storage.locks import CLAIMS, Claims
from crawler.storage.pages import Pages
from crawler.storage.plans import Plans
from crawler.storage.runs import Runs
from crawler.storage.source_selection import Channels
from crawler.storage.sources import Sources
from crawler.storage.status import Status

FILE = "vna.db"


class Archive(
    Articles,
    Pages,
    Sources,
    Channels,
    Appearances,
    Gaps,
    Runs,
    Status,
    Evidence,
    Health,
    Plans,
    Ledgers,
    Disk,
    Findings,
):
    """One archive; use as a context manager, which also gives the driver's errors a hint."""

    def __init__(self, db: Database, file: Path) -> None:
        self.db = db
        self._file = file
        self._claims = Claims(file.with_name(CLAIMS))

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
        self._claims.close()
        self.db.close()

    def suffers(self, error: Exception) -> bool:
        """Say whether an error is the disk's or the database's, and not a bug."""
        return mendable(self._file, error) is not None

    def claim(self, number: int) -> AbstractContextManager[bool]:
        """Claim a page (its id) for this process while the block lasts; False when another process has it."""
        return self._claims.claim(number)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside one unit: all of it, or nothing.

        The right to write is taken at the beginning: a transaction that reads first and writes later could not wait for
        another process's commit, and would fail.
        """
        if self.db.conn.in_transaction:
            with self.db.atomic():
                yield
            return
        self.db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.rollback()
            raise
        self.db.conn.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that is read inside be of one moment, whatever other processes write meanwhile."""
        if self.db.conn.in_transaction:
            yield
            return
        self.db.conn.execute("BEGIN")
        try:
            yield
        finally:
            self.db.rollback()  # there is nothing to keep


def open_archive(folder: Path, *, read_only: bool = False) -> Archive:
    """Open the archive in a folder, creating it unless `read_only`.

    Raises:
        StorageError: with what to do.

    """
    file = folder / FILE
    return Archive(open_database(file, read_only=read_only), file)
