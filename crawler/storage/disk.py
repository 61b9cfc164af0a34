"""The disk: how much the archive takes, how much is free, and the reserve below which nothing is fetched.

Boundary: sizes of files and rows of sizes; what they mean is for `policy.disk` to say.
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
from crawler.health.disk import Size

FreeSpace = Callable[[Path], int]

_RECENT = 30  # days that the growth is taken from
_WARC, _DATABASE = "warc", "vna.db"


class Disk:
    """Queries over the size of the archive, day by day."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    def record_size(self, now: datetime, measure: Callable[[str], Size]) -> None:
        """Write how large the archive is, once a day (UTC): to measure it means to look at every WARC file."""
        day = now.astimezone(UTC).date().isoformat()
        if not self.db.execute("SELECT 1 FROM disk WHERE day = ?", [day]).fetchone():
            size = measure(day)
            self.save_disk(size.day, size.warc_bytes, size.db_bytes, size.free_bytes)

    def save_disk(self, day: str, warc_bytes: int, db_bytes: int, free_bytes: int) -> None:
        """Write how large the archive is on a day; the last word of a day counts."""
        with self.transaction():
            self.db.conn.execute(
                """INSERT INTO disk (day, warc_bytes, db_bytes, free_bytes) VALUES (?, ?, ?, ?)
                   ON CONFLICT (day) DO UPDATE SET warc_bytes = excluded.warc_bytes, db_bytes = excluded.db_bytes,
                     free_bytes = excluded.free_bytes""",
                (day, warc_bytes, db_bytes, free_bytes),
            )

    def sizes(self) -> list[Size]:
        """Give the sizes of the last days, the oldest first."""
        rows = self.db.query(
            "SELECT day, warc_bytes, db_bytes, free_bytes FROM disk ORDER BY day DESC LIMIT ?", [_RECENT]
        )
        return [Size(**row) for row in rows][::-1]


def free_bytes(folder: Path) -> int:
    """Give the bytes that are free on the disk of a folder.

    Raises:
        StorageUnavailable: the folder is not there.

    """
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise gone(folder) from error


def gone(archive: Path) -> StorageUnavailable:
    """Word that an archive is not where it was a moment ago."""
    return StorageUnavailable(
        f"the archive {archive} is not there any more",
        "put it back where it was, or mount its disk; none is made in its place while this runs",
    )


def measured(folder: Path, day: str, free: FreeSpace = free_bytes) -> Size:
    """Measure an archive; a file that goes while it is looked at counts nothing."""
    database = [folder / f"{_DATABASE}{ending}" for ending in ("", "-wal", "-shm")]
    return Size(day, sum(map(_size, (folder / _WARC).rglob("*"))), sum(map(_size, database)), free(folder))


def _size(file: Path) -> int:
    try:
        status = file.stat()
    except FileNotFoundError:
        return 0
    return status.st_size if S_ISREG(status.st_mode) else 0


def guard(folder: Path, reserve: int, free: FreeSpace = free_bytes) -> Callable[[], None]:
    """Make the check that stands before every request.

    It raises `DiskLow` when the reserve is reached.
    """

    def check() -> None:
        left = free(folder)
        if left < reserve:
            raise DiskLow(
                f"the disk of {folder} has {left / 1e9:.1f} GB free, less than the reserve of {reserve / 1e9:.1f} GB",
                "free some space, move the archive to a larger disk, or set a smaller [archive] reserve; "
                "what was fetched is stored, and the next run goes on from there",
            )

    return check
