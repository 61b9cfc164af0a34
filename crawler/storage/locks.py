"""Locks that allow only one process for each role and for each page, and exclusive access for a rebuild.

These are kernel locks (flock and fcntl), so the kernel releases them when their process ends, even after a crash.

Boundary: lock files; the database is not used here.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal

from crawler import files
from crawler.errors import AlreadyRunning, StorageError
from crawler.storage.disk import not_writable

#: `collect` polls, `backfill` processes plans, `probe` checks the assumptions about the site, `text` imports texts,
#: `read` parses stored pages again; `alone` excludes all other roles.
Role = Literal["collect", "backfill", "probe", "text", "read", "alone"]

LOCK = "vna.lock"
CLAIMS = "vna.claims"
_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
_HINT = "wait until that process has finished, or stop it; commands that only read (search, show, status) still work"


@contextmanager
def holding(folder: Path, role: Role, command: str, since: str, *, read_only: bool = False) -> Iterator[None]:
    """Hold the lock of a role in an archive for the duration of the block.

    `read_only`: the block only reads, so that it may also run if the folder cannot be written. Then it does not exclude
    other processes with its role.

    Raises:
        AlreadyRunning: another process has this role, or has exclusive access; the message names that process.
        StorageError: the folder cannot be written, or its file system does not support locks.

    """
    with ExitStack() as opened:
        if read_only and folder.is_dir() and not os.access(folder, os.W_OK):
            opened.enter_context(_holding_to_read(folder, role))
            yield
            return
        try:
            files.make_folder(folder)
            common = opened.enter_context(files.open_to_append(folder / LOCK, buffering=0))
            own = opened.enter_context(files.open_to_append(folder / f"vna-{role}.lock", buffering=0))
        except OSError as error:
            raise not_writable(folder, error) from error
        _lock_common(folder, common, role)
        _lock(folder, own, fcntl.LOCK_EX, role)
        try:
            own.truncate(0)
            own.write(json.dumps({"pid": os.getpid(), "command": command, "since": since}).encode())
        except OSError as error:
            raise not_writable(folder, error) from error
        try:
            yield
        finally:
            with suppress(OSError):  # on a full disk the text stays, but the lock is released all the same
                own.truncate(0)


@contextmanager
def _holding_to_read(folder: Path, role: Role) -> Iterator[None]:
    """Lock an archive that cannot be written. If there is no lock file, no process has locked the archive."""
    try:
        common = files.open_to_read(folder / LOCK)
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise StorageError(f"{folder / LOCK} cannot be read: {error.strerror}", "fix its permissions") from error
    with common:
        _lock_common(folder, common, role)
        yield


def _lock_common(folder: Path, file: IO[bytes], role: Role) -> None:
    """Take the lock that all roles share, except `alone`."""
    if role == "alone":
        _lock(folder, file, fcntl.LOCK_EX, None)
    else:
        _lock(folder, file, fcntl.LOCK_SH, "alone")


@contextmanager
def exclusive_lock(file: Path, refusal: str) -> Iterator[None]:
    """Hold an exclusive lock on a file for the duration of the block.

    If the disk does not support locks, the block runs without one.

    Raises:
        AlreadyRunning: another process holds the lock; `refusal` is the error message.

    """
    with files.open_to_append(file) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(refusal, "wait until that process has finished") from error
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        yield


def other_processes(folder: Path) -> str | None:
    """Return a description of the other processes that have a role in an archive; None if there are none."""
    held = [path for path in sorted(folder.glob("vna-*.lock")) if _is_held(path)]
    found = [_holder(path) or "another process" for path in held if _holder_id(path) != os.getpid()]
    return ", ".join(found) or None


def _is_held(path: Path) -> bool:
    """Whether a process holds the lock of a role. A lock file that cannot be opened or locked holds up nobody."""
    with suppress(OSError), files.open_to_append(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock(folder: Path, file: IO[bytes], kind: int, role: Role | None) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyRunning(f"the archive {folder} is in use by {_holders(folder, role)}", _HINT) from error
    except OSError as error:
        raise _locking_failed(folder, error) from error


def _locking_failed(path: Path, error: OSError) -> StorageError:
    """Return the error for a lock that cannot be taken although it is free, for example on a disk that does not support locks."""
    return StorageError(
        f"cannot lock {path}: {error.strerror}",
        "put the archive on a local disk: some network drives do not support locks",
    )


def _holders(folder: Path, role: Role | None) -> str:
    """Return a description of the process that has `role`; if `role` is None, of all processes that have a role."""
    locks = [folder / f"vna-{role}.lock"] if role else sorted(folder.glob("vna-*.lock"))
    return ", ".join(filter(None, map(_holder, locks))) or "another process"


def _holder(lock: Path) -> str | None:
    data = _written(lock)
    return f"`vna {data['command']}` (pid {data['pid']}, since {data['since']})" if data else None


def _holder_id(lock: Path) -> int | None:
    data = _written(lock)
    return data["pid"] if data else None


def _written(lock: Path) -> dict[str, Any] | None:
    """Return what the holder of a lock wrote: its `pid`, `command` and `since`; None if there is no holder."""
    try:
        data = json.loads(files.read(lock))
        return {name: data[name] for name in ("pid", "command", "since")}
    except (OSError, ValueError, KeyError):  # no holder, or the file is being written right now
        return None


class Claims:
    """Claims on post ids. A claim locks one byte of the claims file: the byte whose offset is the post id."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    @contextmanager
    def claim(self, number: int) -> Iterator[bool]:
        """Claim the post id `number` for the duration of the block.

        The block runs in any case. It receives True, or False if another process has claimed the post id.

        Raises:
            StorageError: the claims file cannot be written, or the file system does not support locks.

        """
        if self._file is None:
            try:
                self._file = files.open_to_append(self._path, buffering=0)
            except OSError as error:
                raise not_writable(self._path.parent, error) from error
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):  # POSIX allows EAGAIN and EACCES if another process holds the lock
            yield False
            return
        except OSError as error:
            raise _locking_failed(self._path, error) from error
        try:
            yield True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def close(self) -> None:
        """Release all claims."""
        if self._file is not None:
            self._file.close()
            self._file = None
