"""Copies the seals and their time stamps into a backup and back. A copy is replaced only by a file that continues it.

The file is not listed in the manifest: its lines contain their own digests, and earlier versions refuse a manifest with
additional keys.

Boundary: this one file; the callers decide what a refusal means.
"""

from __future__ import annotations

from pathlib import Path

from crawler.anchors import TIME_STAMPS
from crawler.backup.files import copy_file, keep_aside, require_folders, require_regular
from crawler.warc.manifest import Fault, sha256
from crawler.warc.seals import SEALS, Seals


def sealed_size(archive: Path) -> int | None:
    """Return the size of the complete lines of the seals of an archive, in bytes; None if there is no such file.

    Raises:
        OSError: the file cannot be read.

    """
    path = archive / SEALS
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else None


def save_seals(
    archive: Path, size: int | None, target: Path, suffix: str, *, replacing: bool
) -> tuple[Fault | None, bool]:
    """Copy the first `size` bytes of the seals of an archive into a backup.

    With `replacing`, a file that does not continue the copy replaces it as well, and the copy is kept under a name that
    ends in `suffix`.

    Returns:
        What is wrong with the file of the archive, so that the copy stays as it is, and whether a damaged copy was
        repaired.

    Raises:
        BadInput: the copy is a link or a special file.
        StorageError: a file cannot be read or written.

    """
    require_regular(target / SEALS)
    if not (target / SEALS).exists():
        if size is not None:
            _copy(archive, target, size)
        return None, False
    ours = (archive / SEALS).read_bytes()[:size] if size is not None else None
    theirs = (target / SEALS).read_bytes()
    if ours == theirs:
        return None, False
    fault = _fault(ours, theirs, archive, target)
    if fault is not None and not replacing:
        return fault, False
    if fault is not None:
        keep_aside(target / SEALS, suffix)
    if ours is not None:
        _copy(archive, target, len(ours))
    return None, fault is None and ours is not None and not ours.startswith(theirs)


def restore_seals(source: Path, archive: Path) -> Fault | None:
    """Copy the seals of a backup into an archive folder, unless it has a file that continues them.

    Return `different` if the archive folder has other seals, which are kept.

    Raises:
        BadInput: the copy in the backup is a link or a special file.
        StorageError: a file cannot be read or written.

    """
    require_regular(source / SEALS)
    if not (source / SEALS).exists():
        return None
    saved = (source / SEALS).read_bytes()
    present = (archive / SEALS).read_bytes() if (archive / SEALS).exists() else b""
    if present.startswith(saved):
        return None
    if not saved.startswith(present):
        return "different"
    _copy(source, archive, len(saved))
    return None


def copy_time_stamps(source: Path, target: Path) -> None:
    """Copy the time stamps of the folder `source` that the folder `target` lacks; one that is there never changes.

    Raises:
        BadInput: the folder of the time stamps in `target` is a link or a file.
        StorageError: a file cannot be read or written.

    """
    for path in sorted((source / TIME_STAMPS).glob("*.tsr")):
        name = f"{TIME_STAMPS}/{path.name}"
        require_folders(target, name)
        require_regular(path)
        require_regular(target / name)
        if not (target / name).exists():
            copy_file(path, target / name, path.stat().st_size, sha256(path))


def _fault(ours: bytes | None, theirs: bytes, archive: Path, target: Path) -> Fault | None:
    """Return what is wrong with the seals of the archive, compared with those of the backup; None if they are good."""
    if ours is None:
        return "missing"
    if not _is_damaged(archive) and (ours.startswith(theirs) or _is_damaged(target)):
        return None
    return "shorter" if theirs.startswith(ours) else "different"


def _is_damaged(folder: Path) -> bool:
    return bool(Seals(folder).read()[1])


def _copy(source: Path, target: Path, size: int) -> None:
    copy_file(source / SEALS, target / SEALS, size, sha256(source / SEALS, size))
