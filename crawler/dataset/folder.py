"""Replace a folder and all files in it.

Boundary: handles folders and locks; the caller writes the files.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from crawler import files
from crawler.errors import BadInput

#: Whether a file, given by its path and its name relative to the folder, may be deleted.
IsOurs = Callable[[Path, str], bool]

_LOCK = ".writing"
_LONGEST_NAME = 240  # bytes
_SHORTENED = 40  # characters
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h
_CANNOT_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


@contextmanager
def replacing(path: Path, is_ours: IsOurs) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to `path` when the block ends without an exception.

    The folder that was at `path` is deleted; `is_ours` must return True for every file in it. The temporary folder is
    next to it, under a hidden name. If the process is killed, the temporary folder remains, and the next call empties
    and reuses it. There is a complete dataset at `path` at any time, except for a moment on a file system that cannot
    exchange two folders; if the process is killed in that moment, the next call restores the old dataset first.

    Raises:
        BadInput: the folder cannot be written, contains other files, or is being written by another process.

    """
    try:
        folder = Path(os.path.realpath(path))  # replace the target of a symbolic link, not the link
        unfinished, old = _hidden(folder, "unfinished"), _hidden(folder, "replaced")
        if old.exists() and not folder.exists():  # a process was killed between the two renames of `_rename_twice`
            old.rename(folder)
        _check_replaceable(folder, is_ours)
        _make_temporary(unfinished)
        with _locked(unfinished):
            try:
                yield unfinished
                _check_replaceable(folder, is_ours)  # other programs may have added files meanwhile
                _replace(unfinished, folder, old)
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
    found = [(path, str(path.relative_to(folder))) for path in sorted(folder.rglob("*"))]
    # First, because `is_ours` opens files: a pipe would never be opened, and a device may have no end.
    special = (name for path, name in found if path.is_symlink() or not (path.is_dir() or path.is_file()))
    others = (name for path, name in found if not (path.is_dir() or name == _LOCK or is_ours(path, name)))
    if (name := next(chain(special, others), None)) is not None:
        raise BadInput(
            f"{folder} contains a file that vna did not write: {name}",
            "choose a new or empty folder, or move that file away",
        )


def _make_temporary(unfinished: Path) -> None:
    """Create the temporary folder, or check that an earlier process of this user left it: its name is predictable.

    Raises:
        BadInput: the name denotes something else, such as a link to another folder, which would be emptied.

    """
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    try:
        unfinished.mkdir()
    except FileExistsError:
        found = unfinished.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise BadInput(
                f"{unfinished} was not made by an earlier export of this user", "remove it, or choose another path"
            ) from None


@contextmanager
def _locked(unfinished: Path) -> Iterator[None]:
    """Lock the temporary folder for the duration of the block, and delete the files that a killed process left."""
    path = unfinished / _LOCK
    with files.open_to_append(path) as lock:
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


def _replace(unfinished: Path, folder: Path, old: Path) -> None:
    """Rename the new folder to the name of the old one, with its mode and owner, and delete the old folder."""
    for place in (unfinished, *(entry for entry in unfinished.rglob("*") if entry.is_dir())):
        _sync(place)
    if not folder.exists():
        unfinished.rename(folder)
    else:
        before = folder.stat()
        with suppress(PermissionError):  # only root may give a folder away
            os.chown(unfinished, before.st_uid, before.st_gid)
        unfinished.chmod(stat.S_IMODE(before.st_mode))
        if not exchange(unfinished, folder):
            _rename_twice(unfinished, folder, old)
    _sync(folder.parent)
    (folder / _LOCK).unlink()  # renamed with the folder: a waiting process must not start to write here
    for place in (unfinished, old):
        shutil.rmtree(place, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; return False if the system or the file system cannot do that."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)  # Linux only; Python has no function for it
    if rename is None:
        return False
    done = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE))
    if done and ctypes.get_errno() not in _CANNOT_EXCHANGE:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return not done


def _rename_twice(unfinished: Path, folder: Path, old: Path) -> None:
    shutil.rmtree(old, ignore_errors=True)
    folder.rename(old)
    try:
        unfinished.rename(folder)
    except BaseException:
        old.rename(folder)
        raise


def _hidden(folder: Path, suffix: str) -> Path:
    """Return a hidden path next to a folder; a long name is shortened, because a name may have at most 255 bytes."""
    name = folder.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f"{name[:_SHORTENED]}-{zlib.crc32(os.fsencode(name)):08x}"
    return folder.parent / f".{name}.{suffix}"  # not `with_name`, which refuses `/`


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
