"""A consistent copy of a database that others may be writing to.

Boundary: database files; which one, and where to, is the caller's.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from crawler.errors import StorageError
from crawler.storage.base import mendable, not_writable


def copy_database(source: Path, target: Path) -> None:
    """Copy a database by SQLite's backup API: one snapshot, whatever is written meanwhile; whole or not there at all.

    Raises:
        StorageError: it cannot be read or written, or the copy is not sound.

    """
    fresh = target.with_name(f"{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        _copy(source, fresh)
        _sync(fresh)
        fresh.replace(target)
        _sync(target.parent)
    except sqlite3.DatabaseError as error:
        fresh.unlink(missing_ok=True)
        if (told := mendable(source, error)) is None:
            raise
        raise told from error
    except OSError as error:
        raise not_writable(target.parent, error) from error


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


def _copy(source: Path, fresh: Path) -> None:
    reading = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
    with closing(reading) as db, closing(sqlite3.connect(fresh)) as copy:
        db.backup(copy)  # in one step: in pieces it would begin anew whenever somebody writes
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        found = copy.execute("PRAGMA quick_check").fetchone()[0]
    if found != "ok":
        fresh.unlink()
        raise StorageError(f"the copy of {source} is not sound: {found}", "run `vna verify` on the archive")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
