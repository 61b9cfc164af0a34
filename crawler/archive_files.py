"""The names of the files of an archive: its database, and the folder with its WARC files.

Boundary: names and finds files. `storage` opens the database; `warc` reads and writes the WARC files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

DATABASE = "vna.db"
#: What the names of SQLite's other files end with: the write-ahead log, and the shared memory of the processes that read it.
BESIDE_DATABASE = ("-wal", "-shm")
WARC_FOLDER = "warc"
WARC_SUFFIX = ".warc.gz"


def database_files(archive: Path) -> list[Path]:
    """Return the existing files of the database of an archive: the database, its write-ahead log and its shared memory.

    A file that belonged to another database must not be left beside a new one, because SQLite would apply it.
    """
    return [path for suffix in ("", *BESIDE_DATABASE) if (path := archive / f"{DATABASE}{suffix}").exists()]


def warc_files(folder: Path) -> Iterator[Path]:
    """Yield the WARC files in a folder and the folders below it, in no particular order."""
    return (path for path in folder.rglob(f"*{WARC_SUFFIX}") if path.is_file())
