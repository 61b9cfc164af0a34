"""The disk: the size of the archive, the free space, and the reserve below which nothing is fetched.

Boundary: measures sizes, and reads and writes rows of sizes; `health` decides what the sizes mean.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from sqlite_utils import Database

from crawler.archive_files import WARC_FOLDER, database_files
from crawler.errors import DiskLow, StorageUnavailable
from crawler.health.figures import Size

FreeSpace = Callable[[Path], int]

_RECENT = 30  # days of sizes that the growth is computed from


class Disk:
    """Queries over the sizes of the archive, which are recorded once a day."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    def record_size(self, now: datetime, measure: Callable[[str], Size]) -> None:
        """Measure the archive and write its size, unless this has been done today (UTC).

        `measure` receives the day as an ISO date. It is slow because it must look at every WARC file.
        """
        day = now.astimezone(UTC).date().isoformat()
        if not self.db.execute("SELECT 1 FROM disk WHERE day = ?", [day]).fetchone():
            size = measure(day)
            self.save_disk(size.day, size.warc_bytes, size.db_bytes, size.free_bytes)

    def save_disk(self, day: str, warc_bytes: int, db_bytes: int, free_bytes: int) -> None:
        """Write the sizes of the archive on `day`, in bytes; they replace the sizes written earlier for that day."""
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


def not_writable(folder: Path, error: OSError | None) -> StorageUnavailable:
    """Return the error for an archive folder, or a file in it, that cannot be written.

    `error` names the file; if it is None, the reason is `permission denied`.
    """
    if _is_other_file(folder):
        return StorageUnavailable(
            f"the archive folder {folder} is not a folder", "choose a folder with `--archive` or `[archive] dir`"
        )
    reason, place = (error.strerror, error.filename) if error else ("permission denied", None)
    is_named = isinstance(place, str) and place != str(folder) and os.path.lexists(place)
    return StorageUnavailable(
        f"{place if is_named else f'the archive folder {folder}'} cannot be written: {reason}",
        "fix its permissions, free some disk space, or choose another folder with `--archive` or `[archive] dir`",
    )


def measured(folder: Path, day: str, free: FreeSpace = free_bytes) -> Size:
    """Return the sizes of an archive and its free space, in bytes; a file deleted in the meantime counts as 0."""
    warc_bytes = sum(map(_size, (folder / WARC_FOLDER).rglob("*")))
    return Size(day, warc_bytes, sum(map(_size, database_files(folder))), free(folder))


def _is_other_file(path: Path) -> bool:
    """Whether a path names something that is not a folder; False if this user may not look there."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return False


def _size(file: Path) -> int:
    try:
        status = file.stat()
    except FileNotFoundError:
        return 0
    return status.st_size if S_ISREG(status.st_mode) else 0


def guard(folder: Path, reserve: int, free: FreeSpace = free_bytes) -> Callable[[], None]:
    """Return a function to be called before every request.

    The function raises `DiskLow` if less than `reserve` bytes are free, and `StorageUnavailable` if the folder has
    disappeared.
    """

    def check() -> None:
        left = free(folder)
        if left < reserve:
            raise DiskLow(
                f"the disk of {folder} has {left / 1e9:.1f} GB free, less than the reserve of {reserve / 1e9:.1f} GB",
                "free some disk space, move the archive to a larger disk, or set a smaller `[archive] reserve`; "
                "everything fetched so far is stored, and the next run will fetch the rest",
            )

    return check
