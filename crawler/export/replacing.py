"""Open a file that gets its name only when it is complete and on the disk, so that readers never see part of a file.

Devices, named pipes and open descriptors are written directly.

Boundary: handles files; the caller writes their content.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn

from crawler import files
from crawler.errors import BadInput


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[IO[str]]:
    """Open a temporary file for writing; give it the name `path` when the block ends without an exception.

    A file that is there is replaced as a whole and keeps its mode and owner; a symbolic link stays, and its target is
    replaced. Another name of the file (a hard link) keeps the old content. What is not a file, such as a device, a
    named pipe or an open descriptor (`/dev/stdout`, `/dev/fd/3`), is written directly and never replaced.

    With `sync`, the file is on the disk when the block has ended.

    Raises:
        BadInput: the file cannot be written.

    """
    with translated(path):
        if path.is_symlink() and not files.is_trusted(path, path.lstat().st_uid):
            refuse_link(path, "it belongs to another user")
        target = Path(os.path.realpath(path))
        descriptor = files.open_descriptor(path)
        if descriptor is not None or (target.exists() and not target.is_file()):
            with _opened_directly(target, descriptor) as out:
                yield out
            return
        with _replaced(target, sync=sync) as out:
            yield out


def refuse_link(path: Path, reason: str) -> NoReturn:
    """Raise `BadInput` for a symbolic link that must not be followed."""
    raise BadInput(f"{path} is a symbolic link, and {reason}", "remove the link, or choose another path")


@contextmanager
def _opened_directly(target: Path, descriptor: int | None) -> Iterator[IO[str]]:
    """Open what must not be replaced. A descriptor is duplicated, because opening it again would start at its begin.

    After an exception, what is still in the buffer is discarded: its reader may be what the block waited for.
    """
    if descriptor is None:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        opened = os.open(target, os.O_WRONLY | os.O_NOCTTY)
    else:
        opened = os.dup(descriptor)
    raw = io.FileIO(opened, "w")
    with io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", newline="") as out:
        try:
            yield out
            out.flush()
        except BaseException:
            raw.close()
            raise


@contextmanager
def _replaced(target: Path, *, sync: bool) -> Iterator[IO[str]]:
    before = target.stat() if target.exists() else None
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    unfinished = files.temporary_name(target)
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as out:
            yield out
            if before is not None:
                _copy_owner_and_mode(out.fileno(), before)
            if sync:
                out.flush()
                os.fsync(out.fileno())
        unfinished.replace(target)
        if sync:
            files.sync_folder(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)  # it was renamed, or never created


def _copy_owner_and_mode(file: int, before: os.stat_result) -> None:
    for owner, group in ((-1, before.st_gid), (before.st_uid, -1)):
        with suppress(PermissionError):  # only root may give a file away
            os.fchown(file, owner, group)
    os.fchmod(file, stat.S_IMODE(before.st_mode))  # after the owner: a change of owner resets some bits


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn a system error in the block into `BadInput`."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}", "choose another path") from error
