"""A new database in the place of the old one, which is moved aside.

Boundary: names of files in one folder; nobody has them open.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.storage.archive import FILE
from crawler.storage.base import not_writable

_PARTS = ("", "-wal", "-shm")


def put_in_place(fresh: Path, folder: Path, stamp: str) -> Path | None:
    """Put a new database into an archive's folder; give where the old one is now, None when there was none.

    Raises:
        StorageError: a file cannot be moved; the old database stands where it stood, or beside it under the new name.

    """
    old, aside = folder / FILE, folder / f"{FILE}.before-{stamp}"
    arriving = folder / f"{FILE}.new"
    try:
        shutil.move(fresh, arriving)  # from another disk this takes a while
        had = old.exists()
        for part in _PARTS:
            if (file := old.with_name(old.name + part)).exists():
                file.rename(aside.with_name(aside.name + part))
        arriving.rename(old)
    except OSError as error:
        raise not_writable(folder, error) from error
    return aside if had else None


@contextmanager
def made(folder: Path, warc: Path) -> Iterator[None]:
    """Make a folder in which the WARC files of another show; when the block fails, it is as it was before.

    Raises:
        StorageError: the folder cannot be written.

    """
    fresh, link = not folder.exists(), folder / "warc"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(warc.resolve(), target_is_directory=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        yield
    except BaseException:
        for part in _PARTS:
            (folder / (FILE + part)).unlink(missing_ok=True)
        if fresh:
            cleared(folder)
        raise


def cleared(folder: Path) -> None:
    """Remove a folder that was made for a new database, with the link to the WARC files; those stay."""
    shutil.rmtree(folder)  # it does not go through links
