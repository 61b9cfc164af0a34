"""The identity of an archive, a random UUID that is created with its database, and its current clock period.

A clock period is the time between two moments when the system clock was set back. The times of the WARC records give
their order only within one clock period.

Boundary: the table `archive_identity`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from crawler.errors import StorageUnavailable
from crawler.storage.base import as_storage_error, reading_uri
from crawler.storage.values import optional_instant


class ArchiveIdentity:
    """Reads and replaces the identity and the clock period of the archive."""

    db: Database

    def identity(self) -> str:
        """Return the identity of the archive, a UUID as text."""
        return str(self.db.execute("SELECT id FROM archive_identity").fetchone()[0])

    def known_identity(self) -> str | None:
        """Return the identity of the archive; None if its row was deleted."""
        return identity_in(self.db.conn)

    def set_identity(self, identity: str) -> None:
        """Replace the identity: a rebuilt database keeps the identity of its archive."""
        with self.db.atomic():
            self.db.execute("UPDATE archive_identity SET id = ?", [identity])

    def clock_period(self) -> int:
        """Return the number of the current clock period, from 0."""
        return int(self.db.execute("SELECT clock_period FROM archive_identity").fetchone()[0])

    def begin_clock_period(self, number: int) -> None:
        """Begin the clock period `number`, unless it or a later one has begun."""
        with self.db.atomic():
            self.db.execute("UPDATE archive_identity SET clock_period = max(clock_period, ?)", [number])

    def last_request_at(self) -> datetime | None:
        """Return the time of the last request, by the clock of this machine at that time; None before the first one."""
        row = self.db.execute("SELECT at FROM fetches ORDER BY id DESC LIMIT 1").fetchone()
        return optional_instant(row[0]) if row else None


def identity_in(db: sqlite3.Connection, schema: str = "main") -> str | None:
    """Return the identity in a database; None if a version without identities wrote it."""
    if not db.execute(f"SELECT 1 FROM {schema}.sqlite_schema WHERE name = 'archive_identity'").fetchone():  # noqa: S608 - constants only
        return None
    row = db.execute(f"SELECT id FROM {schema}.archive_identity").fetchone()  # noqa: S608
    return str(row[0]) if row else None


def stored_identity(file: Path) -> str | None:
    """Return the identity in the database `file`, which is not changed.

    Return None if the file is missing or damaged, or was written by a version without identities.

    Raises:
        StorageUnavailable: the file cannot be read now.

    """
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(reading_uri(file), uri=True, timeout=10)) as db:
            return identity_in(db)
    except sqlite3.DatabaseError as error:
        if (translated := as_storage_error(file, error)) is None:
            raise
        if isinstance(translated, StorageUnavailable):
            raise translated from error
        return None
