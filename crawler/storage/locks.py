"""Who may work on an archive: one process in each role, one process on each page, nobody beside a rebuild.

Locks are the kernel's, so they end with the process that held them, however it ended.

Boundary: lock files; no database.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from crawler.errors import AlreadyRunning, StorageError
from crawler.storage.base import not_writable

#: `collect` polls, `backfill` works off plans, `probe` checks what is assumed of the site, `text` imports, `read` reads
#: stored pages anew; `alone` shuts out all.
Role = Literal["collect", "backfill", "probe", "text", "read", "alone"]

LOCK = "vna.lock"
CLAIMS = "vna.claims"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
_HINT = "wait until it is done, or stop it; reading (search, show, status) works meanwhile"


@contextmanager
def holding(folder: Path, role: Role, command: str, since: str) -> Iterator[None]:
    """Hold one role in the archive.

    Raises:
        AlreadyRunning: another process holds it; says which, and since when.
        StorageError: the folder cannot be written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        common = (folder / LOCK).open("ab+", buffering=0)
        own = (folder / f"vna-{role}.lock").open("ab+", buffering=0)
    except OSError as error:
        raise not_writable(folder, error) from error
    with common, own:
        _lock(folder, common, fcntl.LOCK_EX if role == "alone" else fcntl.LOCK_SH, None if role == "alone" else "alone")
        _lock(folder, own, fcntl.LOCK_EX, role)
        try:
            own.truncate(0)
            own.write(json.dumps({"pid": os.getpid(), "command": command, "since": since}).encode())
        except OSError as error:
            raise not_writable(folder, error) from error
        yield
        own.truncate(0)


@contextmanager
def alone_with(file: Path, refusal: str) -> Iterator[None]:
    """Hold a lock file beside what is written. A disk that keeps no locks is taken as it is: nobody else is known there.

    Raises:
        AlreadyRunning: another process holds it, in the words of `refusal`.

    """
    with file.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(refusal, "wait until it is done") from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield


def _lock(folder: Path, file: IO[bytes], kind: int, role: Role | None) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyRunning(f"the archive {folder} is in use by {_holders(folder, role)}", _HINT) from error
    except OSError as error:
        raise _no_locks(folder, error) from error


def _no_locks(path: Path, error: OSError) -> StorageError:
    """Word that a disk keeps no locks: nobody has what is asked for, but nobody can be kept from it either."""
    return StorageError(
        f"cannot lock {path}: {error.strerror}", "put the archive on a local disk: some network drives keep no locks"
    )


def _holders(folder: Path, role: Role | None) -> str:
    """Say who is there: in one role, or in all of them."""
    files = [folder / f"vna-{role}.lock"] if role else sorted(folder.glob("vna-*.lock"))
    return ", ".join(filter(None, map(_holder, files))) or "another process"


def _holder(lock: Path) -> str | None:
    try:
        data = json.loads(lock.read_text("utf-8"))
        return f"`vna {data['command']}` (pid {data['pid']}, since {data['since']})"
    except (OSError, ValueError, KeyError):  # nobody, or it is just being written
        return None


class Claims:
    """Claims on numbers (post ids), as locks on the bytes of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    @contextmanager
    def claim(self, number: int) -> Iterator[bool]:
        """Claim a number while the block lasts; gives False when another process has it.

        Raises:
            StorageError: the disk keeps no locks.

        """
        if self._file is None:
            self._file = self._path.open("ab+", buffering=0)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):  # POSIX lets a system say either
            yield False
            return
        except OSError as error:
            raise _no_locks(self._path, error) from error
        try:
            yield True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def close(self) -> None:
        """Give everything up."""
        if self._file is not None:
            self._file.close()
            self._file = None
