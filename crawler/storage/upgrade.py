"""Upgrade a database to the schema of this program: one process at a time, with its progress and the space that it needs.

Boundary: `schema` says what changes; this module decides when it may, and gives back the freed space of the file.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlite_utils import Database

from crawler import files, upgrade_display
from crawler.clock import SystemClock
from crawler.errors import AlreadyRunning, StorageUnavailable
from crawler.outcome import PercentPhase
from crawler.storage import schema
from crawler.storage.disk import free_bytes, not_writable
from crawler.storage.locks import other_processes
from crawler.storage.schema import long_migration

_LONGEST_WAIT = 5.0  # seconds: creating a database takes less
_NAP = 0.05  # seconds
_LEAST_FREED = 0.1  # share of the file; for less, its rows are not written again
_LEAST_SHOWN = 1000  # articles; fewer are moved within a second
_LEAST_NOTED = 10e6  # bytes; a smaller file is written within a second
_RESERVE = 1.1  # a little more than SQLite needs
#: Where SQLite keeps temporary files, in this order: https://www.sqlite.org/tempfiles.html
_TEMPORARY = ("SQLITE_TMPDIR", "TMPDIR")
_SYSTEM_TEMPORARY = ("/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108 - no file is created there


@contextmanager
def opening_lock(file: Path) -> Iterator[None]:
    """Hold a lock so that only one process at a time creates or upgrades the database `file`.

    Without this lock, a second process would fail at once: SQLite's busy timeout does not cover a change of journal
    mode.

    Raises:
        StorageUnavailable: another process is upgrading the database, or the folder cannot be written.

    """
    try:
        lock = files.open_to_append(file.with_name("vna.opening"))
    except OSError as error:
        raise not_writable(file.parent, error) from error
    with lock:
        _wait_for(lock.fileno(), file)
        yield


def _wait_for(lock: int, file: Path) -> None:
    waited, clock = 0.0, SystemClock()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waited > _LONGEST_WAIT:
                raise StorageUnavailable(
                    f"another process is upgrading {file}", "wait until it has finished, then run the command again"
                ) from None
            clock.sleep(_NAP)
            waited += _NAP
        else:
            return


def upgrade(db: Database, file: Path) -> None:
    """Create the tables of the database `file`, or upgrade them. Foreign keys must be off, and `opening_lock` held.

    Raises:
        AlreadyRunning: other processes use the database; their rows would be lost.

    """
    is_finished = not schema.migrations.pending(db) and long_migration.progress(db.conn) is None
    if is_finished:  # by a process that held the lock before
        return
    if db.execute("PRAGMA user_version").fetchone()[0] and (others := other_processes(file.parent)):
        raise AlreadyRunning(
            f"{file} must be upgraded for this version of the program, but it is in use by {others}",
            "stop that process, then run the command again",
        )
    with _UpgradeProgress() as progress:
        schema.apply(db, progress.report)
    if long_migration.progress(db.conn) is not None:
        _give_back_space(db.conn, file)
        long_migration.end(db.conn)


class _UpgradeProgress(ExitStack):
    """Shows the progress of an upgrade in percent, from the first report on."""

    _phase: PercentPhase | None = None

    def report(self, moved: int, rows: int) -> None:
        """Show how many articles have been moved."""
        if rows < _LEAST_SHOWN:
            return
        if self._phase is None:
            self._phase = PercentPhase(self.enter_context(upgrade_display.shown()), "upgrade", rows)
        self._phase.reach(moved, f"{moved} of {rows} articles")


def _give_back_space(db: sqlite3.Connection, file: Path) -> None:
    """Rewrite the database file without its free pages, if the disk has enough space for the old and the new file."""
    size, pages, free = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
    )
    if free < pages * _LEAST_FREED:
        return
    used = round((pages - free) * size * _RESERVE)
    temporary = _temporary_folder()
    more_space = f"free {2 * used / 1e6:.0f} MB"
    if free_bytes(file.parent) < 2 * used or (temporary is not None and free_bytes(temporary) < used):
        to_do: str | None = more_space
    else:
        if pages * size >= _LEAST_NOTED:
            upgrade_display.note(
                f"{file.name} is upgraded; its file is being written again, {free * size / 1e6:.0f} MB smaller"
            )
        to_do = _vacuum(db, more_space)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if to_do is not None:
        upgrade_display.note(
            f"{file.name} is upgraded; {free * size / 1e6:.0f} MB in it stay empty until new articles use them. To make the file "
            f"smaller now, {to_do}, stop all commands, and run `sqlite3 {shlex.quote(str(file))} VACUUM`"
        )


def _vacuum(db: sqlite3.Connection, if_full: str) -> str | None:
    """Rewrite the database file, so that it has no empty pages.

    Return None, or what the user must do first if it could not be written; `if_full` is this for a full disk.
    """
    try:
        db.execute("VACUUM")
    except sqlite3.OperationalError as error:
        remedies = {
            sqlite3.SQLITE_FULL: if_full,
            sqlite3.SQLITE_IOERR: f"check the disk, which reported an error ({error})",
            sqlite3.SQLITE_BUSY: "close all programs that have the database open",
        }
        if error.sqlite_errorcode & 0xFF not in remedies:
            raise
        return remedies[error.sqlite_errorcode & 0xFF]
    return None


def _temporary_folder() -> Path | None:
    """Return the folder in which SQLite keeps temporary files; None if there is none."""
    names = [*filter(None, map(os.environ.get, _TEMPORARY)), *_SYSTEM_TEMPORARY]
    return next((Path(name) for name in names if os.path.isdir(name) and os.access(name, os.W_OK | os.X_OK)), None)  # noqa: PTH112
