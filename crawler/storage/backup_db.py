"""A consistent copy of a database that other processes may be writing to.

Boundary: copies and reads database files; the caller chooses the source and the target.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from crawler import files
from crawler.errors import Interrupted, StorageError, raise_if_stopped
from crawler.storage.archive_identity import identity_in
from crawler.storage.base import as_storage_error, connect_reading
from crawler.storage.file_damage import file_damage

UNWRITABLE = "check that the folder exists and is writable, and that its disk is mounted and has free space"
#: Tables whose rows are never deleted, with the columns that identify a row.
_KEYS: dict[str, tuple[str, ...]] = {
    "articles": ("id",), "revisions": ("article", "revision"), "raw": ("file", "offset", "digest"), "pages": ("id",),
}  # fmt: skip
_LOGS = ("runs", "fetches")  # logs, which a rebuild may number differently: only the number of rows is compared
_NAMED = 3  # rows named in a message
_CAPTURES = """
SELECT count(*), count(n.id), coalesce(sum(n.digest <> o.digest OR n.fetched_at <> o.fetched_at), 0)
FROM earlier.raw o LEFT JOIN main.raw n ON n.file = o.file AND n.offset = o.offset
"""
_OTHER_ARTICLES = """
SELECT count(*) FROM earlier.articles o LEFT JOIN main.articles n ON n.id = o.id WHERE n.text IS NOT o.text
"""
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
        files.make_folder(target.parent)
        _discard(fresh)
        files.create(fresh).close()
        _copy(source, fresh, stopping)
        _sync(fresh)
        fresh.replace(target)
        _sync(target.parent)
    except (Interrupted, StorageError):
        _discard(fresh)
        raise
    except sqlite3.DatabaseError as error:
        _discard(fresh)
        if (translated := as_storage_error(source, error)) is None:
            raise
        raise StorageError(f"cannot copy {source} to {target.parent}: {error}", translated.hint) from error
    except OSError as error:
        _discard(fresh)
        raise StorageError(f"cannot write to {target.parent}: {error.strerror or error}", UNWRITABLE) from error


@dataclass(frozen=True, slots=True)
class DatabaseSummary:
    """The schema version and the contents of a database; `identity` is None in a database of a version without one."""

    schema: int
    articles: int
    identity: str | None


def read_summary(file: Path) -> DatabaseSummary:
    """Return the schema version, the number of articles and the identity of a database.

    Raises:
        StorageError: the file is not a database of an archive.

    """
    try:
        with closing(_reading(file)) as db:
            return DatabaseSummary(
                schema=int(db.execute("PRAGMA user_version").fetchone()[0]),
                articles=int(db.execute("SELECT count(*) FROM articles").fetchone()[0]),
                identity=identity_in(db),
            )
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{file}: {error}", "this file is not a backup of an archive; choose another one") from error


def required_sizes(file: Path) -> dict[str, int]:
    """Return the minimum size in bytes of each WARC file to which a database refers, by file name.

    A WARC file that is shorter has lost captures to which the database refers.
    """
    with closing(_reading(file)) as db:
        return dict(db.execute("SELECT file, max(offset + length) FROM raw GROUP BY file"))


@dataclass(frozen=True, slots=True)
class DatabaseComparison:
    """How the database of an earlier backup differs from a new copy.

    `lost` describes the rows that only the earlier database has, by table. `captures` is the number of captures in the
    earlier database, `shared` the number of them that the new copy has, and `different` the number of those for which
    the new copy has another capture at the same position. `same_articles` is true if the new copy has each article of
    the earlier database with the same content.
    """

    lost: dict[str, str]
    captures: int
    shared: int
    different: int
    same_articles: bool


def compare_databases(
    earlier: Path, fresh: Path, stopping: Callable[[], bool] = lambda: False
) -> DatabaseComparison | None:
    """Compare the database of an earlier backup with a new copy; return None if the earlier one cannot be read.

    Raises:
        Interrupted: `stopping` returned True; it is called repeatedly.

    """
    try:
        with closing(_reading(fresh)) as db:
            db.execute("ATTACH DATABASE ? AS earlier", (_address(earlier),))
            db.set_progress_handler(stopping, _STEPS)
            lost = {table: _lost_keys(db, table, key) for table, key in _KEYS.items()}
            lost |= {table: _lost_count(db, table) for table in _LOGS}
            captures, shared, different = db.execute(_CAPTURES).fetchone()
            changed = db.execute(_OTHER_ARTICLES).fetchone()[0]
            return DatabaseComparison({k: v for k, v in lost.items() if v}, captures, shared, different, not changed)
    except sqlite3.DatabaseError as error:
        raise_if_stopped(stopping)
        if as_storage_error(earlier, error) is None:
            raise
        return None


def _lost_keys(db: sqlite3.Connection, table: str, key: tuple[str, ...]) -> str:
    """Describe the rows of a table that only the earlier database has; empty if there are none."""
    same = " AND ".join(f"n.{name} = o.{name}" for name in key)
    lost = f"FROM earlier.{table} o WHERE NOT EXISTS (SELECT 1 FROM main.{table} n WHERE {same})"  # noqa: S608 - constants only
    count = db.execute(f"SELECT count(*) {lost}").fetchone()[0]
    names = ", ".join(f"o.{name}" for name in key)
    first = db.execute(f"SELECT {names} {lost} ORDER BY {names} LIMIT {_NAMED}")
    named = ", ".join(" ".join(map(str, row)) for row in first)
    return f"{count} ({named}{' ...' * (count > _NAMED)})" if count else ""


def _lost_count(db: sqlite3.Connection, table: str) -> str:
    earlier, fresh = (db.execute(f"SELECT count(*) FROM {name}.{table}").fetchone()[0] for name in ("earlier", "main"))  # noqa: S608 - constants only
    return str(earlier - fresh) if fresh < earlier else ""


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(_address(file), uri=True)


def _address(file: Path) -> str:
    """Return the address of a database that nobody writes to. SQLite ignores other files next to it, such as a journal."""
    return f"{file.resolve().as_uri()}?mode=ro&immutable=1"


def _copy(source: Path, fresh: Path, stopping: Callable[[], bool]) -> None:
    with closing(connect_reading(source)) as db, closing(sqlite3.connect(fresh.absolute())) as copy:
        db.execute("BEGIN")
        # The first read starts the snapshot. Without it, the backup restarts whenever another process writes.
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
        db.backup(copy, pages=_BATCH, progress=lambda *_: raise_if_stopped(stopping))
        copy.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file, without -wal and -shm
        found = _copy_damage(copy, stopping)
    if found:
        raise StorageError(f"the copy of {source} is damaged: {found[0]}", "run `vna verify` on the archive")


def _copy_damage(copy: sqlite3.Connection, stopping: Callable[[], bool]) -> list[str]:
    copy.set_progress_handler(stopping, _STEPS)
    try:
        return file_damage(copy, "quick_check")
    except sqlite3.OperationalError:
        raise_if_stopped(stopping)
        raise


def _discard(file: Path) -> None:
    """Delete an incomplete copy and the journal that SQLite may have left next to it, as far as this is possible."""
    for name in (file.name, f"{file.name}-journal"):
        with suppress(OSError):
            file.with_name(name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
