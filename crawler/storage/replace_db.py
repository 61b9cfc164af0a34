"""Replace an archive's database with a new one; the old one is kept under another name.

Boundary: moves, links and deletes files. While it runs, no process may have the old or the new database open.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler import files
from crawler.storage.archive import FILE
from crawler.storage.base import not_writable

_SUFFIXES = ("-wal", "-shm")
_UNFINISHED = "unfinished"


def replace_database(fresh: Path, folder: Path, stamp: str) -> Path | None:
    """Move the new database `fresh` into an archive folder, and keep the old database under another name.

    Return the new path of the old database, or None if there was no old database. Its new name ends in `stamp`, which
    makes the name unique. The archive has a database at every moment, also if the process is killed: otherwise another
    command could create an empty one.

    Raises:
        StorageError: a file cannot be moved. The old database still exists, under its old or its new name.

    """
    current, renamed = folder / FILE, folder / f"{FILE}.before-{stamp}"
    arriving = files.temporary_name(current)
    try:
        shutil.move(fresh, arriving)  # slow from another disk, so first: the rename below is atomic
        if replaced := current.exists():
            _keep(current, renamed)
        arriving.replace(current)
    except OSError as error:
        raise not_writable(folder, error) from error
    return renamed if replaced else None


def _keep(current: Path, renamed: Path) -> None:
    """Keep the old database under a second name. Its write-ahead log must not remain next to the new database."""
    try:
        renamed.hardlink_to(current)
    except OSError:  # some file systems have no hard links
        current.rename(renamed)
    for suffix in _SUFFIXES:
        if (file := current.with_name(current.name + suffix)).exists():
            file.rename(renamed.with_name(renamed.name + suffix))


def database_files(folder: Path) -> list[Path]:
    """Return the files of the database in a folder: itself and what SQLite keeps beside it, as far as they exist.

    A file that belonged to another database must not be left beside a new one, because SQLite would apply it.
    """
    return [path for suffix in ("", *_SUFFIXES) if (path := folder / f"{FILE}{suffix}").exists()]


def remove_database(folder: Path) -> None:
    """Delete the database in a folder, if there is one, with what SQLite keeps beside it.

    Raises:
        StorageError: a file cannot be deleted.

    """
    try:
        for path in database_files(folder):
            path.unlink()
    except OSError as error:
        raise not_writable(folder, error) from error


@contextmanager
def unfinished_folder(into: Path, warc: Path) -> Iterator[Path]:
    """Yield a folder in which to build a new database; move the database to the folder `into` when the block ends.

    So `into` never contains half a database: what a killed process left is deleted at the next call. Both folders get a
    link to `warc`, the folder with the WARC files of another archive. If the block fails, `into` is as before.

    Raises:
        StorageError: a folder cannot be written.

    """
    is_new, folder = not into.exists(), into / _UNFINISHED
    try:
        shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
        files.make_folder(into)
        files.make_folder(folder)
        for place in (into, folder):
            if not (link := place / "warc").exists():
                link.symlink_to(warc.resolve(), target_is_directory=True)
    except OSError as error:
        raise not_writable(into, error) from error
    try:
        yield folder
        (folder / FILE).rename(into / FILE)
    except BaseException:
        if is_new:
            remove_folder(into)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Delete a folder with a new database, with its link to the WARC files; the WARC files are not deleted."""
    shutil.rmtree(folder)  # does not follow links
