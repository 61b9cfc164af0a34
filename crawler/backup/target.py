"""Which folder may be used for a backup or for a restored archive.

Boundary: looks at folders and changes nothing.
"""

from __future__ import annotations

from pathlib import Path

from crawler.anchors import TIME_STAMPS
from crawler.archive_files import WARC_FOLDER
from crawler.backup.contents import MANIFEST, NEXT, NEXT_MANIFEST, Backup, read_manifests
from crawler.backup.files import require_folders, require_regular
from crawler.errors import BadInput, StorageError
from crawler.storage import FILE
from crawler.warc.seals import SEALS

LOCK = "backup.lock"
#: The files of an unfinished first backup.
_PARTIAL = {
    LOCK,
    NEXT,
    f"{NEXT}.new",
    f"{NEXT}.new-journal",
    NEXT_MANIFEST,
    SEALS,
    f"{SEALS}.new",
    TIME_STAMPS,
    WARC_FOLDER,
}
#: What a folder without a database may contain when an archive is restored into it: locks, WARC files, what an
#: interrupted restore left, the files of `vna init`, the demo archive, and what is at the top of a disk.
_HARMLESS = {
    WARC_FOLDER, "state", "markups", "demo", "README.md", "lost+found", "vna.claims", "vna.lock", "vna.opening", f"{FILE}.new",
    SEALS, f"{SEALS}.new", TIME_STAMPS,
}  # fmt: skip
_NAMED = 5  # files to name in one message


def require_apart(archive: Path, backup: Path, advice: str) -> None:
    """Raise an error if one of the two folders is the other one or lies in it, also by way of links.

    Raises:
        BadInput: writing into one of the folders would change the other one.

    """
    for inner, outer in ((backup, archive), (archive, backup), (backup, archive / WARC_FOLDER)):
        if _contains(outer, inner):
            where = "is the folder of" if inner.resolve() == outer.resolve() else "lies in the folder of"
            whose = "the archive" if outer != backup else "the backup"
            raise BadInput(f"{inner} {where} {whose}, {outer}", advice)


def _contains(outer: Path, inner: Path) -> bool:
    """Whether `inner` is `outer` or lies in it. Folders are compared by their identity on the disk."""
    if not outer.exists():
        return inner.resolve().is_relative_to(outer.resolve())
    real = inner.resolve()
    return any(path.exists() and path.samefile(outer) for path in (real, *real.parents))


def check_target(target: Path) -> list[Backup]:
    """Return the manifests of the earlier backup in a target folder: normally one, two after an interruption.

    The result is empty if the folder is new or empty, or contains only files of a first backup that was interrupted.

    Raises:
        BadInput: the target contains something other than a backup, which must not be overwritten.
        StorageError: the target is a broken symbolic link.

    """
    _require_folder(target, "a backup folder")
    for name in (FILE, MANIFEST, NEXT, NEXT_MANIFEST, LOCK):
        require_regular(target / name)
    require_folders(target / WARC_FOLDER, "")
    if found := read_manifests(target):
        return found
    names = {path.name for path in target.iterdir()} if target.exists() else set()
    names.discard("lost+found")  # the target may be the top folder of a disk
    if names and not {LOCK} <= names <= _PARTIAL:
        raise BadInput(f"{target} contains other files and is not a backup", "give a new or empty folder")
    return []


def check_empty(archive: Path) -> None:
    """Raise an error unless an archive can be restored into a folder. WARC files that are there already are kept.

    Raises:
        BadInput: the folder contains other files, or is not a folder.
        StorageError: the folder contains an archive already, or is a broken symbolic link.

    """
    _require_folder(archive, "an archive folder")
    if not archive.exists():
        return
    if (archive / FILE).exists() or (archive / FILE).is_symlink():
        raise StorageError(
            f"{archive} already contains an archive",
            "move the archive away, or restore into another folder: vna --archive DIR restore",
        )
    if others := sorted(path.name for path in archive.iterdir() if not _is_harmless(path.name)):
        raise BadInput(
            f"{archive} is not empty; it contains {_named(others)}",
            "move these files away, or restore into another folder: vna --archive DIR restore",
        )


def _is_harmless(name: str) -> bool:
    return name in _HARMLESS or name.startswith(".") or (name.startswith("vna-") and name.endswith(".lock"))


def _named(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_NAMED])) + " and others" * (len(names) > _NAMED)


def _require_folder(folder: Path, noun: str) -> None:
    if folder.is_symlink() and not folder.exists():
        raise StorageError(
            f"{folder} is a broken symbolic link",
            "connect the disk to which the link points, correct the link, or give another folder",
        )
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file, not {noun}", "give a new or empty folder")
