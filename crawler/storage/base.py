"""Open the database, and turn SQLite and operating system errors that the user can fix into `StorageError`.

Boundary: database files, connections and PRAGMAs; the tables are defined in `schema`.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from crawler import files
from crawler.archive_files import WARC_FOLDER, warc_files
from crawler.errors import SchemaTooNew, SchemaTooOld, StorageError, StorageUnavailable
from crawler.storage import schema
from crawler.storage.disk import archive_missing, not_writable
from crawler.storage.schema.long_migration import progress
from crawler.storage.upgrade import opening_lock, upgrade

# SQLite result codes (without the extended bits) for problems of the user's disk and not of our SQL.
# These may go away: another writer, a full disk, missing permissions.
_TEMPORARY = frozenset({
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip
# These do not go away: the file is damaged, or is not a database.
_PERMANENT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Operating system errors caused by the machine and not by a bug: no space, no memory, too many open files, a bad disk.
_SYSTEM_ERRORS = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
})  # fmt: skip
_FREE = "free some disk space; no committed data is lost"
_RAISE = "raise the limit (`ulimit -n`, or LimitNOFILE= in the systemd unit), or find what keeps so many files open"
_RESTORE = "restore a backup, or run `vna rebuild --replace` to recreate the database from the WARC files"
_WAIT = "wait until the other program that is writing to the database has finished, or close that program"
_CHECK = "check that the folder exists, can be written and is on a local disk"  # for all other codes
_PERMIT = "correct the permissions or the owner of this file and its folder; commands that only read work as it is"
_DISK = "check the disk and its mount, and whether a limit of the file size applies (`ulimit -f`)"
_HINTS = {
    sqlite3.SQLITE_READONLY: _PERMIT,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_BUSY: _WAIT,
    sqlite3.SQLITE_LOCKED: _WAIT,
    sqlite3.SQLITE_FULL: _FREE,
    sqlite3.SQLITE_CORRUPT: _RESTORE,
    sqlite3.SQLITE_NOTADB: _RESTORE,
}
_SYSTEM_HINTS = {errno.ENOSPC: _FREE, errno.EDQUOT: _FREE, errno.EMFILE: _RAISE, errno.ENFILE: _RAISE}
_NO_WAL_INDEX = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
_BUSY_TIMEOUT = 30.0  # seconds, as in the PRAGMA below
# journal_size_limit: while a long read is running the WAL file grows without limit; after the next checkpoint it is
# truncated to 16 MiB. Without the limit it would keep its largest size. busy_timeout is in milliseconds.
# wal_autocheckpoint: 4,000 pages are these 16 MiB. An article writes about 90, many of them the same as the one before, so
# that with the default of 1,000 pages they are copied into the database four times as often.
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "busy_timeout = 30000",
    "journal_size_limit = 16777216",
    "wal_autocheckpoint = 4000",
)


class ArchiveDatabase(Database):
    """A database whose queries run without a savepoint.

    The library opens and releases one around each query, in case it is not a SELECT. This takes as long as a short query.
    """

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Generator[dict[str, Any]]:
        """Execute a SELECT; return its rows, which are read one by one, as dictionaries."""
        cursor = self.conn.execute(sql, () if params is None else params)
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)


def open_database(file: Path, *, read_only: bool = False, create: bool = True) -> Database:
    """Open the database `file`.

    Unless `read_only` is True, pending migrations are applied, and a missing database is created if `create` is True.

    Raises:
        StorageUnavailable: the database is missing, and `create` is False; or another process is upgrading it.
        AlreadyRunning: it must be upgraded, but other processes use it.
        StorageError: the database cannot be opened; the hint says what to do.
        SchemaTooNew: a newer version of this program wrote the database.

    """
    with translated_errors(file), ExitStack() as failed:
        connection = connect_reading(file) if read_only else _connect(file) if create else _connect_existing(file)
        failed.callback(connection.close)
        db = ArchiveDatabase(connection, use_old_upsert=False)
        found = _checked_version(db, file, read_only=read_only)
        is_current = found == schema.version() and progress(connection) is None
        if not read_only:
            with nullcontext() if is_current else opening_lock(file):
                for pragma in _PRAGMAS:
                    connection.execute(f"PRAGMA {pragma}")
                if is_current and schema.migrations.pending(db):
                    raise StorageError(
                        f"{file} has a list of migrations that was changed: entries are missing", _RESTORE
                    )
                if not is_current:
                    upgrade(db, file)
                connection.execute("PRAGMA foreign_keys = ON")  # after the migrations: they may recreate a table
                # setting user_version is a write even if the value is the same, and would wait for other writers
                if found != schema.version():
                    connection.execute(f"PRAGMA user_version = {schema.version()}")
        failed.pop_all()
    return db


def connect_reading(file: Path) -> sqlite3.Connection:
    """Connect to the database `file` for reading, also if its folder cannot be written.

    Raises:
        StorageError: there is no database, or changes in its WAL file cannot be read.
        sqlite3.DatabaseError: the file cannot be read as a database.

    """
    if not has_content(file):
        raise _nothing_to_read(file)
    return _connect_by_uri(reading_uri(file))


def reading_uri(file: Path) -> str:
    """Return the URI with which SQLite opens the database `file` for reading, also if its folder cannot be written.

    Raises:
        StorageUnavailable: changes in its WAL file cannot be read.
        sqlite3.DatabaseError: the file cannot be read as a database.

    """
    return _uri(file, "mode=ro&immutable=1" if is_immutable(file) else "mode=ro")


def has_content(file: Path) -> bool:
    """Whether the database `file` exists and is not empty. It may be empty after a power cut."""
    try:
        return file.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def _nothing_to_read(file: Path) -> StorageError:
    if any(warc_files(file.parent / WARC_FOLDER)):
        return StorageError(
            f"no database at {file.parent}, or an empty one, although there are WARC files",
            "run `vna rebuild --replace` to recreate the database from the WARC files",
        )
    return StorageError(f"no archive at {file.parent}", "run `vna poll` or `vna import` first, or check --archive")


def is_immutable(file: Path) -> bool:
    """Whether the database `file` can only be read if SQLite is told that the file does not change.

    While no process has a database in WAL mode open, SQLite must create two files beside it even to read it. If the
    folder cannot be written, it cannot; but then no process of this user can write to the database either.

    Raises:
        StorageUnavailable: changes in the WAL file cannot be read.
        sqlite3.DatabaseError: the file cannot be read as a database.

    """
    with closing(_connect_by_uri(_uri(file, "mode=ro"))) as connection:
        try:
            # A query would read and parse the whole schema first.
            connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _NO_WAL_INDEX or not is_read_only(file):
                raise
        else:
            return False
    if _has_changes_in_wal(file):
        raise StorageUnavailable(
            f"{file.parent} cannot be written, and {file.name}-wal contains changes that cannot be read there",
            "copy the folder to a disk that can be written, and read the copy with --archive",
        )
    return True


def is_read_only(file: Path) -> bool:
    """Whether this process cannot write into the folder of a database, and so cannot write the database."""
    return not os.access(file.resolve().parent, os.W_OK)


def _uri(file: Path, options: str) -> str:
    return f"{file.resolve().as_uri()}?{options}"


def _connect_by_uri(uri: str) -> sqlite3.Connection:
    """Connect to a database. Later statements of the connection may attach other databases by URI, too."""
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT, check_same_thread=False)


def _has_changes_in_wal(file: Path) -> bool:
    wal = file.resolve().with_name(f"{file.resolve().name}-wal")
    return wal.exists() and wal.stat().st_size > 0


def _connect(file: Path) -> sqlite3.Connection:
    try:
        files.make_folder(file.parent)
        if not os.access(file.parent, os.W_OK):
            raise not_writable(file.parent, None)
        if not file.exists():
            # SQLite would use the umask, and follow a link to nothing. Its other files get the mode of this one.
            with suppress(FileExistsError) if not file.is_symlink() else nullcontext():
                files.create(file).close()
    except OSError as error:
        raise not_writable(file.parent, error) from error
    return _connect_by_uri(_uri(file, "mode=rwc"))


def _connect_existing(file: Path) -> sqlite3.Connection:
    """Connect to a database that exists. SQLite itself makes sure of that: the file may be moved away at any time."""
    if not file.exists():
        raise archive_missing(file.parent)
    if is_read_only(file):
        raise not_writable(file.parent, None)
    return _connect_by_uri(_uri(file, "mode=rw"))


def _checked_version(db: Database, file: Path, *, read_only: bool) -> int:
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    moved = progress(db.conn)
    if read_only and moved is not None:
        raise SchemaTooOld(
            f"the upgrade of {file} is not finished: {moved:.0%} of the articles are moved",
            "wait until the process that upgrades it has finished; if there is none, run `vna poll` or `vna import` once",
        )
    if read_only and found < schema.version():
        raise SchemaTooOld(
            f"{file} has schema version {found}, but this program needs version {schema.version()}",
            "run `vna poll` or `vna import` once to upgrade the database",
        )
    if found > schema.version():
        raise SchemaTooNew(
            f"{file} has schema version {found}, but this program supports versions up to {schema.version()}",
            "upgrade the program (see docs/operate.md); the database has not been changed",
        )
    return found


@contextmanager
def translated_errors(file: Path) -> Iterator[None]:
    """Turn SQLite errors in the block into `StorageError`, if the user can fix them.

    Other errors, such as wrong SQL, are bugs and propagate.

    Raises:
        StorageError: the database is locked, inaccessible, damaged or not a database, or its disk is full.

    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if (translated := as_storage_error(file, error)) is None:
            raise
        raise translated from error


def as_storage_error(file: Path, error: BaseException | None) -> StorageError | None:
    """Return a `StorageError` with a hint for an SQLite or system error; None if the error is a bug.

    If the problem may go away, such as a lock or a full disk, the result is a `StorageUnavailable`.
    """
    if isinstance(error, OSError) and error.errno in _SYSTEM_ERRORS:
        return StorageUnavailable(f"{error.filename or file}: {error.strerror}", _SYSTEM_HINTS.get(error.errno, _CHECK))
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code not in _TEMPORARY | _PERMANENT:
        return None
    error_type = StorageUnavailable if code in _TEMPORARY else StorageError
    return error_type(f"{file}: {error}", _HINTS.get(code, _CHECK))
