"""The disk: the size of the archive, the free space, and the reserve below which nothing is fetched.

Boundary: sizes of files and rows of sizes; `health` decides what they mean.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from sqlite_utils import Database

from crawler.errors import DiskLow, StorageUnavailable
from crawler.health.figures import Size

FreeSpace = Callable[[Path], int]

_RECENT = 30  # days of sizes that the growth is computed from
_WARC, _DATABASE = "warc", "vna.db"


class Disk:
    """Queries over the daily size of the archive."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    def record_size(self, now: datetime, measure: Callable[[str], Size]) -> None:
        """Write the size of the archive, but only once a day (UTC), because `measure` must look at every WARC file.

        `measure` is called with the day as an ISO date.
        """
        day = now.astimezone(UTC).date().isoformat()
        if not self.db.execute("SELECT 1 FROM disk WHERE day = ?", [day]).fetchone():
            size = measure(day)
            self.save_disk(size.day, size.warc_bytes, size.db_bytes, size.free_bytes)

    def save_disk(self, day: str, warc_bytes: int, db_bytes: int, free_bytes: int) -> None:
        """Write the size of the archive on a day, in bytes; it replaces an earlier size of the same day."""
        with self.transaction():
            self.db.conn.execute(
                """INSERT INTO disk (day, warc_bytes, db_bytes, free_bytes) VALUES (?, ?, ?, ?)
                   ON CONFLICT (day) DO UPDATE SET warc_bytes = excluded.warc_bytes, db_bytes = excluded.db_bytes,
                     free_bytes = excluded.free_bytes""",
                (day, warc_bytes, db_bytes, free_bytes),
            )

    def sizes(self) -> list[Size]:
        """Return the sizes of the last 30 recorded days, oldest first."""
        rows = self.db.query(
            "SELECT day, warc_bytes, db_bytes, free_bytes FROM disk ORDER BY day DESC LIMIT ?", [_RECENT]
        )
        return [Size(**row) for row in rows][::-1]


def free_bytes(folder: Path) -> int:
    """Return the number of free bytes on the disk of a folder.

    Raises:
        StorageUnavailable: the folder does not exist.

    """
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise archive_missing(folder) from error


def archive_missing(archive: Path) -> StorageUnavailable:
    """Return the error for an archive folder that has disappeared while the program is running."""
    return StorageUnavailable(
        f"the archive {archive} has disappeared",
        "mount its disk, or move the folder back; the running program does not create a new archive in its place",
    )


def measured(folder: Path, day: str, free: FreeSpace = free_bytes) -> Size:
    """Return the size of an archive, in bytes; a file that is deleted in the meantime counts as zero."""
    database = [folder / f"{_DATABASE}{suffix}" for suffix in ("", "-wal", "-shm")]
    return Size(day, sum(map(_size, (folder / _WARC).rglob("*"))), sum(map(_size, database)), free(folder))


def _size(file: Path) -> int:
    try:
        status = file.stat()
    except FileNotFoundError:
        return 0
    return status.st_size if S_ISREG(status.st_mode) else 0


def guard(folder: Path, reserve: int, free: FreeSpace = free_bytes) -> Callable[[], None]:
    """Return the check to run before every request; it raises `DiskLow` if less than `reserve` bytes are free.

    It raises `StorageUnavailable` if the folder has disappeared.
    """

    def check() -> None:
        left = free(folder)
        if left < reserve:
            raise DiskLow(
                f"the disk of {folder} has {left / 1e9:.1f} GB free, less than the reserve of {reserve / 1e9:.1f} GB",
                "free some disk space, move the archive to a larger disk, or set a smaller [archive] reserve; "
                "everything fetched so far is stored, and the next run continues from there",
            )

    return check
