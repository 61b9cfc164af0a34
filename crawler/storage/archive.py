"""The archive's database as one object, made of one mixin for each group of tables, plus transactions.

Boundary: combines the other modules of this package; the queries are in those modules.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from crawler import archive_files
from crawler.storage.appearances import Appearances
from crawler.storage.archive_identity import ArchiveIdentity
from crawler.storage.as_of import AsOf
from crawler.storage.base import as_storage_error, open_database, translated_errors
from crawler.storage.disk import Disk
from crawler.storage.evidence import EvidenceQueries
from crawler.storage.findings import Findings
from crawler.storage.gaps import Gaps
from crawler.storage.health import Health
from crawler.storage.layouts import Layouts
from crawler.storage.ledger import Ledgers
from crawler.storage.locks import CLAIMS, Claims
from crawler.storage.pages import Pages
from crawler.storage.plans import Plans
from crawler.storage.readers import Readers
from crawler.storage.runs import Runs
from crawler.storage.source_selection import SourceSelection
from crawler.storage.sources import Sources
from crawler.storage.status import Status
from crawler.storage.watches import Watches

FILE = archive_files.DATABASE


class Archive(
    AsOf,
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
    ArchiveIdentity,
    Layouts,
    Readers,
    Watches,
):
    """An open archive, and a context manager that closes its connection at the end of the block.

    If the block fails with an SQLite or system error that the user can fix, a `StorageError` with a hint is raised
    instead.
    """

    def __init__(self, db: Database, file: Path, *, read_only: bool = False) -> None:
        self.db = db
        self.read_only = read_only
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
        """Close the connection and release all claims on pages."""
        self._claims.close()
        self.db.close()

    @property
    def file(self) -> Path:
        """The path of the database."""
        return self._file

    def known_section_names(self) -> list[str]:
        """Return the names of the sections that a list of the site or an article names, each once."""
        return list(
            dict.fromkeys([*(row["name"] for row in self.sections_named() if row["name"]), *self.section_names()])
        )

    def is_storage_error(self, error: Exception) -> bool:
        """Whether `error` comes from the state of the disk or the database, and not from a bug."""
        return as_storage_error(self._file, error) is not None

    def claim(self, number: int) -> AbstractContextManager[bool]:
        """Claim the page with the id `number` for this process for the duration of the block.

        The block runs in any case. It receives True, or False if another process has claimed the page.

        Raises:
            StorageError: the file system does not support locks.

        """
        return self._claims.claim(number)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction: all its changes are committed, or none. Transactions can be nested.

        The write lock is taken at the start (BEGIN IMMEDIATE). Without it, a block that reads first and writes later
        would fail at once if another process were writing, because SQLite cannot wait in that case.
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

    def release_memory(self) -> None:
        """Empty SQLite's cache, up to 2 MB. The next queries get its pages from the cache of the operating system."""
        self.db.conn.execute("PRAGMA shrink_memory")

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

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Make all reads in the block see the same state, and keep the connection open after an error.

        Raises:
            StorageError: the database is locked, inaccessible or damaged.

        """
        with translated_errors(self._file), self.snapshot():
            yield

    def expect_many_writes(self) -> None:
        """Use more memory and disk space for this connection, so that writing a whole archive takes a constant time for each row."""
        for pragma in ("cache_size = -65536", "wal_autocheckpoint = 10000"):  # 64 MB; 40 MB of pages
            self.db.conn.execute(f"PRAGMA {pragma}")

    def wait_at_most(self, milliseconds: int) -> None:
        """Set how long a query waits while another process has locked the database."""
        self.db.conn.execute(f"PRAGMA busy_timeout = {milliseconds}")


def open_archive(folder: Path, *, read_only: bool = False, create: bool = True) -> Archive:
    """Open the archive in a folder.

    Unless `read_only` is True, pending migrations are applied, and a missing archive is created if `create` is True.

    Raises:
        StorageError: the archive cannot be opened; the hint says what to do.
        SchemaTooNew: a newer version of this program wrote the database.

    """
    file = folder / FILE
    return Archive(open_database(file, read_only=read_only, create=create), file, read_only=read_only)
