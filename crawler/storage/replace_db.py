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

_SUFFIXES = ("", "-wal", "-shm")


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
    for suffix in _SUFFIXES[1:]:
        if (file := current.with_name(current.name + suffix)).exists():
            file.rename(renamed.with_name(renamed.name + suffix))


@contextmanager
def prepared_folder(folder: Path, warc: Path) -> Iterator[None]:
    """Create a folder for a new database, with a link to `warc`, the folder with the WARC files of another archive.

    If the block fails, restore the folder's previous state.

    Raises:
        StorageError: the folder cannot be written.

    """
    is_new, link = not folder.exists(), folder / "warc"
    try:
        files.make_folder(folder)
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
