"""A folder that is replaced as a whole.

Boundary: folders; what is in them is the caller's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.errors import BadInput

#: Says of a file, by its path and its name below the folder, whether it may be replaced.
Ours = Callable[[Path, str], bool]

_LOCK = ".writing"


@contextmanager
def replacing(path: Path, ours: Ours) -> Iterator[Path]:
    """Give a new folder beside a path, which takes its name when it is whole; what stood there must be `ours` alone.

    A run that was killed leaves a hidden folder beside it, which the next one takes over.

    Raises:
        BadInput: it cannot be written, holds something else, or is being written by another process.

    """
    try:
        folder = Path(os.path.realpath(path))  # behind a link, the link stays
        _require_ours(folder, ours)
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        with _alone(unfinished):
            try:
                yield unfinished
                _require_ours(folder, ours)  # much may have happened since
                _swap(unfinished, folder)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}", "name another place for it") from error


def _require_ours(folder: Path, ours: Ours) -> None:
    if Path.cwd().is_relative_to(folder):
        raise BadInput(f"{folder} is the folder you are in, or above it", "name one inside it")
    if folder.is_mount():
        raise BadInput(f"{folder} is a mount point, which cannot be replaced", "name a folder inside it")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; a dataset is a folder", "name another place for it")
    for found in sorted(folder.rglob("*")):
        name = str(found.relative_to(folder))
        if found.is_symlink() or not (found.is_dir() or name == _LOCK or ours(found, name)):
            raise BadInput(
                f"{folder} holds something else than a dataset of ours: {name}",
                "name a folder that is new or empty, or move away what is there",
            )


@contextmanager
def _alone(unfinished: Path) -> Iterator[None]:
    """Hold the unfinished folder against other processes, and empty it of what a killed one left."""
    place = unfinished / _LOCK
    with place.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.path.samestat(os.fstat(lock.fileno()), place.stat())  # another one may have finished just now
        except (BlockingIOError, FileNotFoundError):
            held = False
        if not held:
            raise BadInput("another process is writing this dataset", "wait for it, or name another place")
        for left in unfinished.iterdir():
            if left.name != _LOCK:
                shutil.rmtree(left)
        yield


def _swap(unfinished: Path, folder: Path) -> None:
    """Put the new folder in the old one's place. Killed between the two renames, the old one is still beside it."""
    old = folder.with_name(f".{folder.name}.replaced")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    unfinished.rename(folder)  # with its lock: who waits for it must not begin in this folder
    (folder / _LOCK).unlink()
    shutil.rmtree(old, ignore_errors=True)
