"""Replace an archive's database with a new one; the old one is kept under another name.

Boundary: moves, links and deletes files. While it runs, no process may have the old or the new database open.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crawler import files
from crawler.archive_files import BESIDE_DATABASE, WARC_FOLDER, database_files
from crawler.errors import StorageError
from crawler.storage.archive import FILE
from crawler.storage.base import is_read_only
from crawler.storage.disk import not_writable

_UNFINISHED = "unfinished"
_TEMPORARY = ".verify-"
_IN_USE = "in-use"


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
    for suffix in BESIDE_DATABASE:
        if (file := current.with_name(current.name + suffix)).exists():
            file.rename(renamed.with_name(renamed.name + suffix))


def remove_database(folder: Path) -> None:
    """Delete the files of the database in a folder, if there is one.

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
            if not (link := place / WARC_FOLDER).exists():
                link.symlink_to(warc.resolve(), target_is_directory=True)
    except OSError as error:
        raise StorageError(
            f"the folder {into} cannot be written: {error.strerror}",
            "fix its permissions, free some disk space, or choose another folder with --into",
        ) from error
    try:
        yield folder
        (folder / FILE).rename(into / FILE)
    except BaseException:
        if is_new:
            remove_folder(into)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_folder(archive: Path) -> Iterator[Path]:
    """Yield a folder for a temporary database in the folder of an archive; delete it when the block ends.

    If the archive cannot be written, it is created in the system's folder for temporary files. It contains a link to the
    WARC files of the archive. Temporary folders of killed processes are deleted first.

    Raises:
        StorageError: the folder cannot be written.

    """
    parent = None if is_read_only(archive / FILE) else archive
    for left in archive.glob(f"{_TEMPORARY}*"):
        _remove_if_left(left)
    try:
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=parent, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            with files.open_to_append(folder / _IN_USE) as lock:
                fcntl.flock(lock, fcntl.LOCK_SH)
                (folder / WARC_FOLDER).symlink_to((archive / WARC_FOLDER).resolve(), target_is_directory=True)
                yield folder
    except OSError as error:
        raise not_writable(parent or Path(tempfile.gettempdir()), error) from error


def _remove_if_left(folder: Path) -> None:
    """Delete a temporary folder, unless a process holds its lock. The process that created it was killed then."""
    with suppress(OSError), files.open_to_append(folder / _IN_USE) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)


def remove_folder(folder: Path) -> None:
    """Delete a folder with a new database, with its link to the WARC files; the WARC files are not deleted."""
    shutil.rmtree(folder)  # does not follow links
