"""Creates files and folders of an archive with fixed permissions, and opens them without following symbolic links.

It also reads files that the user names, such as the configuration. There, links are followed; folders, devices and files
that are too large are refused.

New files have mode 0640 and new folders 0750, whatever the umask; existing ones keep their mode. Another user may be
allowed to write into a folder of the archive or above it, such as `/tmp`. So new files are created with O_EXCL, and
existing ones opened with O_NOFOLLOW: a link that somebody has put there is an error, and its target does not change.

Boundary: single files and folders; the callers decide their names and contents.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase
from pathlib import Path
from typing import IO

FILE_MODE = 0o640
FOLDER_MODE = 0o750
_MAX_LINKS = 40  # symbolic links in a row, as in Linux
_NO_MODES = (errno.EPERM, errno.ENOTSUP, errno.EINVAL)  # file systems without Unix permissions, such as FAT
_NAME_SHOWN = 40  # characters of the name of a file in the name of its temporary file; a name may have 255 bytes


def create(path: Path) -> IO[bytes]:
    """Create a file and open it for reading and writing.

    Raises:
        OSError: the file cannot be created; `FileExistsError` if the name exists, also as a symbolic link.

    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    opened = os.open(path, flags, FILE_MODE & 0o600)
    file = os.fdopen(opened, "r+b")
    try:
        with _ignoring_missing_modes():
            os.fchmod(opened, FILE_MODE)
    except BaseException:
        file.close()
        raise
    return file


def open_to_append(path: Path, *, buffering: int = -1) -> IO[bytes]:
    """Open a file for reading and appending, and create it if it does not exist.

    Raises:
        OSError: the file cannot be opened, is a symbolic link or no regular file, or belongs to another user.

    """
    return os.fdopen(_open_or_create(path, os.O_RDWR | os.O_APPEND), "a+b", buffering=buffering)


def open_to_overwrite(path: Path) -> int:
    """Return a descriptor to overwrite a file in place. The file is created if it does not exist, and not truncated.

    Raises:
        OSError: see `open_to_append`.

    """
    return _open_or_create(path, os.O_RDWR)


def open_to_read(path: Path) -> IO[bytes]:
    """Open a file for reading.

    Raises:
        OSError: see `open_to_append`; `FileNotFoundError` if the file does not exist.

    """
    return os.fdopen(_open(path, os.O_RDONLY), "rb")


def read(path: Path, most: int | None = None) -> bytes:
    """Return the content of a regular file of at most `most` bytes; None means no limit.

    Raises:
        OSError: the file is larger, or see `open_to_read`.

    """
    with open_to_read(path) as file:
        return _content(path, file, most)


def open_descriptor(path: Path) -> int | None:
    """Return the number of this process's file descriptor that `path` names, such as 1 for `/dev/stdout`; else None."""
    for _ in range(_MAX_LINKS):
        place = os.path.realpath(path.parent)
        if place == f"/proc/{os.getpid()}/fd" and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(place) / path.readlink()
    return None


def open_named(path: Path, *, pipes: bool = False) -> IO[bytes]:
    """Open a regular file that the user names for reading, with `pipes` also a named pipe, whose writer is waited for.

    The file may be a symbolic link, and belong to any user. `/dev/null`, and a pipe that this process has open already,
    such as `/dev/stdin` or what a shell makes of `<(command)`, are read like files.

    Raises:
        OSError: the file cannot be opened, or is a folder, pipe, socket or device; `strerror` says so.

    """
    found = path.stat()  # first: opening a device may change its state
    if stat.S_ISFIFO(found.st_mode) and (pipes or open_descriptor(path) is not None):
        return path.open("rb")
    _require_regular(path, found)
    # O_NONBLOCK: the name may belong to a pipe now
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    try:
        _require_regular(path, os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def read_named(path: Path, most: int) -> bytes:
    """Return the content of a file that the user names, of at most `most` bytes.

    Raises:
        OSError: the file is larger, or see `open_named`.

    """
    with open_named(path) as file:
        return _content(path, file, most)


def replace(path: Path, content: bytes | BufferedIOBase) -> None:
    """Replace a file atomically; several processes and threads may replace it at the same time.

    `content` is the new content, or an open file whose rest is copied. A symbolic link at `path` is itself replaced. The
    content is not forced to the disk.

    Raises:
        OSError: the file cannot be written; the old one is unchanged.

    """
    temporary = temporary_name(path)
    try:
        with create(temporary) as file:
            if isinstance(content, BufferedIOBase):
                shutil.copyfileobj(content, file)
            else:
                file.write(content)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def temporary_name(path: Path) -> Path:
    """Return an unpredictable hidden name in the folder of `path`."""
    return path.with_name(f".{path.name[:_NAME_SHOWN]}.{secrets.token_hex(8)}.unfinished")


def sync_folder(folder: Path) -> None:
    """Write the list of the files in a folder to the disk, so that new names survive a power failure.

    Raises:
        OSError: the folder cannot be opened or written.

    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def is_trusted(path: Path, owner: int) -> bool:
    """Whether the user `owner` may own the file at `path`: this user, root, or the owner of its folder."""
    return owner in (os.geteuid(), 0) or owner == path.parent.stat().st_uid


def make_folder(folder: Path, *, parents: bool = True) -> None:
    """Create a folder if it does not exist, with `parents` also the folders above it.

    Raises:
        OSError: a folder cannot be created, or a file has its name.

    """
    if parents and folder.parent != folder and not folder.parent.exists():
        make_folder(folder.parent)
    try:
        folder.mkdir(FOLDER_MODE & 0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return
    # A folder inherits this bit from its parent; without it, new files would get another group.
    inherited = folder.stat().st_mode & stat.S_ISGID
    with _ignoring_missing_modes():
        folder.chmod(FOLDER_MODE | inherited)


def _open_or_create(path: Path, flags: int) -> int:
    while True:
        try:
            return _open(path, flags)
        except FileNotFoundError:
            with suppress(FileExistsError), create(path):
                pass  # if another process was faster, its file is opened


def _open(path: Path, flags: int) -> int:
    try:
        # O_NONBLOCK: opening a named pipe would wait for its other end
        opened = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _explained(path, error) from error
    try:
        _require_own(path, opened)
    except BaseException:
        os.close(opened)
        raise
    return opened


def _content(path: Path, file: IO[bytes], most: int | None) -> bytes:
    content = file.read() if most is None else file.read(most + 1)
    if most is not None and len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most} bytes", str(path))
    return content


def _require_regular(path: Path, found: os.stat_result) -> None:
    if os.path.samestat(found, os.stat(os.devnull)):  # noqa: PTH116 - a constant
        return
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe, socket or device, not a regular file", str(path))


def _explained(path: Path, error: OSError) -> OSError:
    """Return the error; if the file is a symbolic link, with a message that says so. The system's message does not."""
    if error.errno != errno.ELOOP:
        return error
    return OSError(errno.ELOOP, f"{path.name} is a symbolic link", str(path))


def _require_own(path: Path, opened: int) -> None:
    """Raise `PermissionError` unless a file is regular, and belongs to this user, to root or to the folder's owner."""
    found = os.fstat(opened)
    if not stat.S_ISREG(found.st_mode):
        raise PermissionError(errno.EPERM, f"{path.name} is not a regular file", str(path))
    if not is_trusted(path, found.st_uid):
        raise PermissionError(errno.EPERM, f"{path.name} belongs to another user", str(path))


@contextmanager
def _ignoring_missing_modes() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_MODES:
            raise
