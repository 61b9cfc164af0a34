"""Replace a folder and all files in it.

Boundary: handles folders and locks; the caller writes the files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.errors import BadInput

#: Whether a file, given by its path and its name relative to the folder, may be deleted.
IsOurs = Callable[[Path, str], bool]

_LOCK = ".writing"


@contextmanager
def replacing(path: Path, is_ours: IsOurs) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to `path` when the block ends without an exception.

    The folder that was at `path` is deleted; `is_ours` must return True for every file in it. The temporary folder is
    next to it, under a hidden name. If the process is killed, the temporary folder remains, and the next call empties
    and reuses it.

    Raises:
        BadInput: the folder cannot be written, contains other files, or is being written by another process.

    """
    try:
        folder = Path(os.path.realpath(path))  # replace the target of a symbolic link, not the link
        _check_replaceable(folder, is_ours)
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        with _locked(unfinished):
            try:
                yield unfinished
                _check_replaceable(folder, is_ours)  # other programs may have added files meanwhile
                _replace(unfinished, folder)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}", "choose another path") from error


def _check_replaceable(folder: Path, is_ours: IsOurs) -> None:
    if Path.cwd().is_relative_to(folder):
        raise BadInput(f"{folder} is the current folder or contains it", "choose a folder inside the current folder")
    if folder.is_mount():
        raise BadInput(f"{folder} is a mount point and cannot be replaced", "choose a folder inside the mount point")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file, but a dataset is a folder", "choose another path")
    for found in sorted(folder.rglob("*")):
        name = str(found.relative_to(folder))
        if found.is_symlink() or not (found.is_dir() or name == _LOCK or is_ours(found, name)):
            raise BadInput(
                f"{folder} contains a file that `vna export` did not write: {name}",
                "choose a new or empty folder, or move that file away",
            )


@contextmanager
def _locked(unfinished: Path) -> Iterator[None]:
    """Lock the temporary folder for the duration of the block, and delete the files that a killed process left."""
    path = unfinished / _LOCK
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The file may be another one now: a process that has just finished renames and deletes it.
            locked = os.path.samestat(os.fstat(lock.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):
            locked = False
        if not locked:
            raise BadInput(
                "another process is writing this dataset",
                "wait until that process has finished, or choose another path",
            )
        for entry in unfinished.iterdir():
            if entry.name != _LOCK:
                shutil.rmtree(entry)
        yield


def _replace(unfinished: Path, folder: Path) -> None:
    """Rename the old folder, give its name to the new folder, and delete the old folder.

    If the process is killed between the two renames, both folders still exist.
    """
    old = folder.with_name(f".{folder.name}.replaced")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    unfinished.rename(folder)  # with its lock file: a waiting process must not start to write here
    (folder / _LOCK).unlink()
    shutil.rmtree(old, ignore_errors=True)
