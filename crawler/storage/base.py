"""Opening the database; the driver's errors that a user can mend become `StorageError`.

Boundary: files, connections and PRAGMAs; the tables are `schema`'s.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlite_utils import Database

from crawler.errors import SchemaTooNew, StorageError
from crawler.storage import schema

# primary result codes that speak of the user's disk and not of our SQL
_MENDABLE = frozenset({
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 30000")


def open_database(file: Path, *, read_only: bool = False) -> Database:
    """Open the database, creating and migrating it unless `read_only`.

    Raises:
        StorageError: it cannot be opened, with what to do.
        SchemaTooNew: a newer version of this program wrote it.

    """
    with _translated(file):
        connection = _connect(file, read_only=read_only)
        db = Database(connection, use_old_upsert=False)
        found = _checked_version(db, file, read_only=read_only)
        if not read_only:
            with _alone(file) if found != schema.version() else nullcontext():
                for pragma in _PRAGMAS:
                    connection.execute(f"PRAGMA {pragma}")
                if schema.migrations.pending(db):
                    schema.migrations.apply(db)
                connection.execute("PRAGMA foreign_keys = ON")  # after the migrations: they may make a table anew
                if found != schema.version():  # a write, even when nothing changes: it would wait for other writers
                    connection.execute(f"PRAGMA user_version = {schema.version()}")
    return db


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one process at a time make or migrate a database: SQLite does not wait its turn for a change of journal mode."""
    with file.with_name("vna.opening").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _connect(file: Path, *, read_only: bool) -> sqlite3.Connection:
    if read_only:
        if not file.exists():
            raise StorageError(
                f"no archive at {file.parent}", "run `vna poll` or `vna import` first, or check --archive"
            )
        return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=10, check_same_thread=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(file.parent, error) from error
    if not os.access(file.parent, os.W_OK):
        raise not_writable(file.parent, None)
    return sqlite3.connect(file, timeout=10, check_same_thread=False)


def not_writable(folder: Path, error: OSError | None) -> StorageError:
    """Word that an archive's folder cannot be written."""
    why = f": {error.strerror}" if error else ": permission denied"
    return StorageError(
        f"the archive's folder {folder} cannot be written{why}",
        "correct its permissions or free space, or choose another with --archive or [archive] dir",
    )


def _checked_version(db: Database, file: Path, *, read_only: bool) -> int:
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if read_only and found < schema.version():
        raise StorageError(
            f"{file} has schema version {found}, this program reads version {schema.version()}",
            "run `vna poll` or `vna import` once: it brings the database up to date",
        )
    if found > schema.version():
        raise SchemaTooNew(
            f"{file} has schema version {found}, this program knows up to {schema.version()}",
            "upgrade the program (git pull, then ./run.sh test); the database is unchanged",
        )
    return found


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """Give the driver's errors that a user can mend as `StorageError`; a wrong statement is a bug of ours and escapes.

    Raises:
        StorageError: locked, full, damaged, not permitted, not a database.

    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if (told := mendable(file, error)) is None:
            raise
        raise told from error


def mendable(file: Path, error: BaseException | None) -> StorageError | None:
    """Word an error of the driver for the user; None when there is nothing that a user can do about it."""
    if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in _MENDABLE:
        return None
    return StorageError(f"{file}: {error}", _hint(str(error)))


def _hint(message: str) -> str:
    if "locked" in message:
        return "another program writes to it; wait until it is done, or close it"
    if "not a database" in message or "malformed" in message:
        return "restore it from a backup, or run `vna rebuild --replace`: the WARC files hold everything"
    if "full" in message:
        return "free some space, then start again: nothing that was committed is lost"
    return "check that the folder exists, can be written and is on a local disk"
