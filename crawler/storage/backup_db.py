"""A consistent copy of a database that other processes may be writing to.

Boundary: copies and reads database files; the caller chooses the source and the target.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from crawler.errors import Interrupted, StorageError, raise_if_stopped
from crawler.storage.base import as_storage_error, connect_reading

UNWRITABLE = "check that the folder exists and is writable, and that its disk is mounted and has free space"
_BATCH = 4096  # database pages copied between two calls of `stopping`
_STEPS = 100_000  # SQLite virtual machine instructions between two calls of `stopping`


def copy_database(source: Path, target: Path, stopping: Callable[[], bool] = lambda: False) -> None:
    """Copy the database `source` to the file `target` with SQLite's backup API.

    The copy is a snapshot of one moment, even if other processes write to `source`. The file `target` appears only when
    the copy is complete and has passed an integrity check.

    Raises:
        StorageError: the source cannot be read, the target cannot be written, or the copy is damaged.
        Interrupted: `stopping` returned True; it is called repeatedly during the copy.

    """
    fresh = target.with_name(f"{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        _copy(source, fresh, stopping)
        _sync(fresh)
        fresh.replace(target)
        _sync(target.parent)
    except Interrupted:
        fresh.unlink(missing_ok=True)
        raise
    except sqlite3.DatabaseError as error:
        fresh.unlink(missing_ok=True)
        if (translated := as_storage_error(source, error)) is None:
            raise
        raise StorageError(f"cannot copy {source} to {target.parent}: {error}", translated.hint) from error
    except OSError as error:
        raise StorageError(f"cannot write to {target.parent}: {error.strerror or error}", UNWRITABLE) from error


def read_summary(file: Path) -> dict[str, int]:
    """Return the schema version (`schema`) and the number of articles (`articles`) of a database.

    Raises:
        StorageError: the file is not a database of an archive.

    """
    try:
        with closing(connect_reading(file)) as db:
            return {
                "schema": int(db.execute("PRAGMA user_version").fetchone()[0]),
                "articles": int(db.execute("SELECT count(*) FROM articles").fetchone()[0]),
            }
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{file}: {error}", "this file is not a backup of an archive; choose another one") from error


def required_sizes(file: Path) -> dict[str, int]:
    """Return the minimum size in bytes of each WARC file to which a database refers, by file name.

    A WARC file that is shorter has lost captures to which the database refers.
    """
    with closing(connect_reading(file)) as db:
        return dict(db.execute("SELECT file, max(offset + length) FROM raw GROUP BY file"))


def _copy(source: Path, fresh: Path, stopping: Callable[[], bool]) -> None:
    with closing(connect_reading(source)) as db, closing(sqlite3.connect(fresh.absolute())) as copy:
        db.execute("BEGIN")
        # The first read starts the snapshot. Without it, the backup restarts whenever another process writes.
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
        db.backup(copy, pages=_BATCH, progress=lambda *_: raise_if_stopped(stopping))
        copy.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file, without -wal and -shm
        result = _check_copy(copy, stopping)
    if result != "ok":
        fresh.unlink()
        raise StorageError(f"the copy of {source} is damaged: {result}", "run `vna verify` on the archive")


def _check_copy(copy: sqlite3.Connection, stopping: Callable[[], bool]) -> str:
    copy.set_progress_handler(stopping, _STEPS)
    try:
        return str(copy.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.OperationalError:
        raise_if_stopped(stopping)
        raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
