"""The archive's database as one object: one mixin for each group of tables, plus transactions.

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
from crawler.storage.base import as_storage_error, open_database
from crawler.storage.disk import Disk
from crawler.storage.evidence import EvidenceQueries
from crawler.storage.findings import Findings
from crawler.storage.gaps import Gaps
from crawler.storage.health import Health
from crawler.storage.ledger import Ledgers
from crawler.storage.locks import CLAIMS, Claims
from crawler.storage.pages import Pages
from crawler.storage.plans import Plans
from crawler.storage.runs import Runs
from crawler.storage.source_selection import SourceSelection
from crawler.storage.sources import Sources
from crawler.storage.status import Status

FILE = "vna.db"


class Archive(
    Articles,
    Pages,
    Sources,
    SourceSelection,
    Appearances,
    Gaps,
    Runs,
    Status,
    EvidenceQueries,
    Health,
    Plans,
    Ledgers,
    Disk,
    Findings,
):
    """An open archive.

    As a context manager it closes the connection, and turns SQLite and system errors that the user can fix into
    `StorageError` with a hint.
    """

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
        if (translated := as_storage_error(self._file, error)) is not None:
            raise translated from error

    def close(self) -> None:
        """Close the connection and release all claims."""
        self._claims.close()
        self.db.close()

    def is_storage_error(self, error: Exception) -> bool:
        """Whether an error comes from the state of the disk or the database, and not from a bug."""
        return as_storage_error(self._file, error) is not None

    def claim(self, number: int) -> AbstractContextManager[bool]:
        """Claim a page, by its id, for this process for the duration of the block.

        The block receives False if another process holds the claim.

        Raises:
            StorageError: the file system does not support locks.

        """
        return self._claims.claim(number)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction: everything is committed, or nothing. Transactions can be nested.

        The write lock is taken at the start (BEGIN IMMEDIATE). In a transaction that reads first and writes later,
        SQLite cannot wait for another process's commit and fails at once.
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
        """Make all reads in the block see the same state, whatever other processes write in the meantime."""
        if self.db.conn.in_transaction:
            yield
            return
        self.db.conn.execute("BEGIN")
        try:
            yield
        finally:
            self.db.rollback()  # the block only reads, so there is nothing to commit


def open_archive(folder: Path, *, read_only: bool = False) -> Archive:
    """Open the archive in a folder; unless `read_only`, create it if it is missing and apply pending migrations.

    Raises:
        StorageError: the archive cannot be opened; the hint says what to do.
        SchemaTooNew: a newer version of this program wrote the database.

    """
    file = folder / FILE
    return Archive(open_database(file, read_only=read_only), file)
