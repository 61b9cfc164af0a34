"""A consistent copy of a database that others may be writing to.

Boundary: database files; which one, and where to, is the caller's.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from crawler.errors import Interrupted, StorageError, unless_stopped
from crawler.storage.base import mendable

UNWRITABLE = "check that the folder is there (its disk may not be), can be written and has room"
_PIECE = 4096  # pages that are copied between two looks whether to stop
_STEPS = 100_000  # of SQLite's machine, for the same


def copy_database(source: Path, target: Path, stopping: Callable[[], bool] = lambda: False) -> None:
    """Copy a database by SQLite's backup API: one snapshot, whatever is written meanwhile; whole or not there at all.

    Raises:
        StorageError: it cannot be read or written, or the copy is not sound.
        Interrupted: `stopping`, which is asked again and again, said so.

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
        if (told := mendable(source, error)) is None:
            raise
        raise StorageError(f"copying {source} to {target.parent}: {error}", told.hint) from error
    except OSError as error:
        raise StorageError(f"cannot write to {target.parent}: {error.strerror or error}", UNWRITABLE) from error


def read_summary(file: Path) -> dict[str, int]:
    """Give schema version and number of articles of a database.

    Raises:
        StorageError: it is none.

    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
            return {
                "schema": int(db.execute("PRAGMA user_version").fetchone()[0]),
                "articles": int(db.execute("SELECT count(*) FROM articles").fetchone()[0]),
            }
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{file}: {error}", "this is no backup of an archive; choose another") from error


def ends(file: Path) -> dict[str, int]:
    """Give for each WARC file that a database points into the byte up to which it must be there."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT file, max(offset + length) FROM raw GROUP BY file"))


def _copy(source: Path, fresh: Path, stopping: Callable[[], bool]) -> None:
    reading = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
    with closing(reading) as db, closing(sqlite3.connect(fresh)) as copy:
        db.execute("BEGIN")
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()  # one snapshot for all pieces: nothing is begun anew
        db.backup(copy, pages=_PIECE, progress=lambda *_: unless_stopped(stopping))
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        found = _checked(copy, stopping)
    if found != "ok":
        fresh.unlink()
        raise StorageError(f"the copy of {source} is not sound: {found}", "run `vna verify` on the archive")


def _checked(copy: sqlite3.Connection, stopping: Callable[[], bool]) -> str:
    copy.set_progress_handler(stopping, _STEPS)
    try:
        return str(copy.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.OperationalError:
        unless_stopped(stopping)
        raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
