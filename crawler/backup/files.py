"""Copies files durably, and refuses links and special files.

Boundary: single files and folders; the callers decide what is copied.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crawler import files
from crawler.errors import BadInput, StorageError
from crawler.warc.manifest import chunks

_SPACE = "free disk space or correct the permissions, then run the command again"


def require_regular(path: Path) -> None:
    """Raise an error if `path` exists and is not a regular file: links, pipes and devices are never followed.

    Raises:
        BadInput: the path is a symbolic link, a folder, a pipe, a socket or a device.

    """
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode):
        raise BadInput(f"{path} is {_kind(mode)}, not a regular file", "remove it, or choose another folder")


def require_folders(root: Path, name: str) -> None:
    """Raise an error unless each folder on the way from `root` to the file `name` is missing or a real folder.

    Raises:
        BadInput: one of them is a symbolic link or a file; what is written below it would be written elsewhere.

    """
    for folder in [root, *(root / parent for parent in reversed(Path(name).parents) if parent != Path())]:
        mode = _mode(folder)
        if mode is not None and not stat.S_ISDIR(mode):
            raise BadInput(f"{folder} is {_kind(mode)}, not a folder", "remove it, or choose another folder")


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "a pipe, socket or device"


def copy_file(source: Path, target: Path, size: int, digest: str, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Copy the first `size` bytes of a file to `target`, and replace `target` when the copy is on the disk.

    Bytes that the service appends later are not copied: they may be an incomplete record. Return False, and leave
    `target` unchanged, if the copied bytes do not have the digest `digest`.

    Raises:
        Interrupted: `stopping`, which is called repeatedly, returned True.
        StorageError: a file cannot be read or written.

    """
    fresh = target.with_name(f"{target.name}.new")
    engine = hashlib.sha256()
    try:
        make_folders(target.parent)
        fresh.unlink(missing_ok=True)
        try:
            with files.create(fresh) as copy:
                for data in chunks(source, size, stopping):
                    engine.update(data)
                    copy.write(data)
                copy.flush()
                os.fsync(copy.fileno())
            if engine.hexdigest() != digest:
                return False
            fresh.replace(target)
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
        files.sync_folder(target.parent)
    except OSError as error:
        raise StorageError(
            f"cannot copy {source.name} to {target.parent}: {error.strerror or error}", _SPACE
        ) from error
    return True


def make_folders(folder: Path) -> None:
    """Create a folder and its parents, so that they survive a power failure."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    files.make_folder(folder)
    for path in reversed(missing):
        files.sync_folder(path.parent)


def keep_aside(path: Path, suffix: str) -> None:
    """Keep a file under a second name that ends in `suffix`, because its first name will be used for another file."""
    aside = path.with_name(f"{path.name}{suffix}")
    if not path.exists() or aside.exists():
        return
    try:
        aside.hardlink_to(path)
    except FileExistsError:  # a symbolic link to nothing
        raise
    except OSError:  # some file systems have no hard links
        with path.open("rb") as old, files.create(aside) as copy:
            shutil.copyfileobj(old, copy)
