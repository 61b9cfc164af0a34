"""Replace an archive's database with a new one; the old one is kept under another name.

Boundary: moves, links and deletes files. While it runs, no process may have the old or the new database open.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.storage.archive import FILE
from crawler.storage.base import not_writable

_SUFFIXES = ("", "-wal", "-shm")


def replace_database(fresh: Path, folder: Path, stamp: str) -> Path | None:
    """Move the new database `fresh` into an archive folder, and rename the old database.

    Return the new path of the old database, or None if there was no old database. Its new name ends in `stamp`, which
    makes the name unique.

    Raises:
        StorageError: a file cannot be moved. The old database still exists, under its old or its new name.

    """
    current, renamed = folder / FILE, folder / f"{FILE}.before-{stamp}"
    arriving = folder / f"{FILE}.new"
    try:
        shutil.move(fresh, arriving)  # slow from another disk, so first: the rename below is atomic
        replaced = current.exists()
        for suffix in _SUFFIXES:
            if (file := current.with_name(current.name + suffix)).exists():
                file.rename(renamed.with_name(renamed.name + suffix))
        arriving.rename(current)
    except OSError as error:
        raise not_writable(folder, error) from error
    return renamed if replaced else None


@contextmanager
def prepared_folder(folder: Path, warc: Path) -> Iterator[None]:
    """Create a folder for a new database, with a link to `warc`, the folder with the WARC files of another archive.

    If the block fails, restore the folder's previous state.

    Raises:
        StorageError: the folder cannot be written.

    """
    is_new, link = not folder.exists(), folder / "warc"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(warc.resolve(), target_is_directory=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        yield
    except BaseException:
        for suffix in _SUFFIXES:
            (folder / (FILE + suffix)).unlink(missing_ok=True)
        if is_new:
            remove_folder(folder)
        raise


def remove_folder(folder: Path) -> None:
    """Delete a folder made by `prepared_folder`, with its link to the WARC files; the WARC files are not deleted."""
    shutil.rmtree(folder)  # does not follow links
