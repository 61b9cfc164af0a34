"""Opening the database; the driver's errors that a user can mend become `StorageError`.

Boundary: files, connections and PRAGMAs; the tables are `schema`'s.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from sqlite_utils import Database

from crawler.errors import SchemaTooNew, StorageError, StorageUnavailable
from crawler.storage import schema

# primary result codes that speak of the user's disk and not of our SQL: of its state now, and of what is damaged
_NOT_NOW = frozenset({
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# what the machine may run out of, whatever a program does
_EXHAUSTED = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
})  # fmt: skip
# the log of a long reader's time is cut to so many bytes when the reader is gone: it would keep its largest size
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 30000", "journal_size_limit = 16777216")


def open_database(file: Path, *, read_only: bool = False) -> Database:
    """Open the database, creating and migrating it unless `read_only`.

    Raises:
        StorageError: it cannot be opened, with what to do.
        SchemaTooNew: a newer version of this program wrote it.

    """
    with _translated(file), ExitStack() as failed:
        connection = _connect(file, read_only=read_only)
        failed.callback(connection.close)
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
        failed.pop_all()
    return db


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one process at a time make or migrate a database: SQLite does not wait its turn for a change of journal mode."""
    try:
        lock = file.with_name("vna.opening").open("ab")
    except OSError as error:
        raise not_writable(file.parent, error) from error
    with lock:
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


def not_writable(folder: Path, error: OSError | None) -> StorageUnavailable:
    """Word that an archive's folder cannot be written."""
    why = f": {error.strerror}" if error else ": permission denied"
    return StorageUnavailable(
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
    """Word an error of the driver, or of the machine, for the user; None when there is nothing that a user can do."""
    if isinstance(error, OSError) and error.errno in _EXHAUSTED:
        return StorageUnavailable(f"{error.filename or file}: {error.strerror}", _hint(str(error)))
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code not in _NOT_NOW | _DAMAGED:
        return None
    kind = StorageUnavailable if code in _NOT_NOW else StorageError
    return kind(f"{file}: {error}", _hint(str(error)))


def _hint(message: str) -> str:
    if "locked" in message:
        return "another program writes to it; wait until it is done, or close it"
    if "not a database" in message or "malformed" in message:
        return "restore it from a backup, or run `vna rebuild --replace`: the WARC files hold everything"
    if "full" in message or "space" in message or "quota" in message:
        return "free some space; nothing that was committed is lost"
    if "open files" in message:
        return "raise the limit (`ulimit -n`; LimitNOFILE= in the unit), or find out who holds so many"
    return "check that the folder exists, can be written and is on a local disk"
