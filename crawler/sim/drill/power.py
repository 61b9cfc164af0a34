"""A power failure: all bytes that a process has not forced to the disk are lost.

A real power failure loses what the kernel had not written yet. `record_syncs` makes a process write down what it forces
to the disk. After the process was killed, `drop_unsynced` removes everything else:

- A file in `warc/` ends where it ended at its last fsync. A file whose name was not forced to the disk is gone.
- The database loses its write-ahead log, which SQLite forces to the disk only at a checkpoint (`synchronous = NORMAL`).
- A state file that was written meanwhile is empty.

Boundary: the files of one archive. SQLite writes its files itself; `unsafe_settings` checks how it does that.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from crawler import files
from crawler.archive_files import BESIDE_DATABASE, WARC_FOLDER, warc_files
from crawler.sim.drill.files import SYNCS
from crawler.sim.reconcile import Discrepancy
from crawler.storage import FILE, Archive

_SAFE = (1, 2, 3)  # PRAGMA synchronous: NORMAL, FULL, EXTRA


def record_syncs(archive: Path) -> IO[bytes]:
    """From now on, log each fsync of this process: the size of the file, or the names in the folder. Return the log."""
    log = files.open_to_append(archive / SYNCS, buffering=0)
    fsync = os.fsync

    def recording(file: int) -> None:
        fsync(file)
        found = os.fstat(file)
        names = os.listdir(file) if stat.S_ISDIR(found.st_mode) else [str(found.st_size)]
        log.write("".join(f"{found.st_ino}\t{name}\n" for name in names).encode())

    os.fsync = recording  # type: ignore[assignment]
    return log


class BeforePowerFailure:
    """The sizes and times of the files of an archive, before the start of the process that will lose power."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        (archive / SYNCS).unlink(missing_ok=True)
        self._warc = {path: path.stat().st_size for path in warc_files(archive / WARC_FOLDER)}
        self._state = {path: path.stat().st_mtime_ns for path in _state_files(archive)}

    def drop_unsynced(self) -> int:
        """Remove what the killed process did not force to the disk; return the bytes removed from WARC files."""
        synced: dict[int, set[str]] = {}
        for line in (self._archive / SYNCS).read_text("utf-8").splitlines():
            number, _, name = line.partition("\t")
            synced.setdefault(int(number), set()).add(name)
        dropped = 0
        for path in warc_files(self._archive / WARC_FOLDER):
            size, sizes = path.stat().st_size, synced.get(path.stat().st_ino, set())
            kept = max(map(int, sizes), default=0)
            if path not in self._warc and path.name not in synced.get(path.parent.stat().st_ino, set()):
                path.unlink()
                kept = 0
            else:
                kept = max(kept, self._warc.get(path, 0))
                os.truncate(path, kept)
            dropped += size - kept
        for suffix in BESIDE_DATABASE:
            self._archive.joinpath(FILE + suffix).unlink(missing_ok=True)
        for path in _state_files(self._archive):
            if path.stat().st_mtime_ns != self._state.get(path):
                os.truncate(path, 0)
        return dropped


def unsafe_settings(archive: Archive) -> Iterator[Discrepancy]:
    """Yield the settings of a database, opened for writing, with which a power failure could damage it."""
    (synchronous,) = archive.db.execute("PRAGMA synchronous").fetchone()
    (journal,) = archive.db.execute("PRAGMA journal_mode").fetchone()
    if synchronous not in _SAFE:
        yield Discrepancy("durability", None, f"the database is not forced to the disk: synchronous is {synchronous}")
    if journal not in ("wal", "delete"):
        yield Discrepancy("durability", None, f"the database has no journal on the disk: journal_mode is {journal}")


def _state_files(archive: Path) -> list[Path]:
    return sorted((archive / "state").glob("*.json"))
