"""Backups: a consistent copy of the database, a manifest (the list of the WARC files), and optionally these files.

A backup is a folder with `vna.db`, `manifest.json` and optionally `warc/`. A new backup into the same folder replaces
the database only when the new copy is complete and has passed its check, and copies only new or longer WARC files.

Boundary: calls the steps in order; `crawler.storage` copies the database, `crawler.warc` computes the digests. The
archive is only read, so the service may keep running.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.clock import to_text
from crawler.errors import BackupFailed, BadInput, SchemaTooNew, StorageError, WarcError, raise_if_stopped
from crawler.storage import FILE, schema
from crawler.storage.backup_db import UNWRITABLE, copy_database, read_summary, required_sizes
from crawler.storage.locks import exclusive_lock
from crawler.warc.manifest import ManifestEntry, check_files, list_files, sha256

MANIFEST = "manifest.json"
_NEXT, _NEXT_MANIFEST, _LOCK = f"{FILE}.next", f"{MANIFEST}.next", "backup.lock"
#: The files of an unfinished first backup.
_PARTIAL = {_LOCK, _NEXT, f"{_NEXT}.new", f"{_NEXT}.new-journal", _NEXT_MANIFEST, "warc"}
_CHECK = "run `vna verify` on the archive; an older backup may still contain the files"


@dataclass(frozen=True, slots=True)
class Backup:
    """The contents of a backup, as its manifest lists them; `copied` is the number of WARC files copied this time."""

    made_at: str
    schema: int
    articles: int
    database_bytes: int
    database_sha256: str
    warc: tuple[ManifestEntry, ...]
    copied: int = 0

    @property
    def warc_bytes(self) -> int:
        """The total size of the WARC files, in bytes."""
        return sum(entry.bytes for entry in self.warc)


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of restoring a backup.

    `articles` is the number of articles in the database, `copied` the number of WARC files that were copied. `wrong`
    maps the name of each WARC file that does not match the manifest to `missing`, `shorter` or `different`.
    """

    articles: int
    copied: int
    wrong: dict[str, str]


def back_up(
    archive: Path,
    target: Path,
    now: datetime,
    *,
    with_warc: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> Backup:
    """Back up the database of an archive into the folder `target`; if `with_warc` is true, copy its WARC files too.

    Raises:
        Interrupted: `stopping`, which is called repeatedly, returned True; an earlier backup in `target` stays valid.
        BackupFailed: there is no archive, the target cannot be written, or the copy is damaged.
        WarcError: WARC records that the database refers to are missing.
        BadInput: the target contains something other than a backup.
        AlreadyRunning: another process is making a backup into the same folder.

    """
    try:
        return _backed_up(archive, target, now, stopping, with_warc=with_warc)
    except StorageError as error:
        raise BackupFailed(str(error), error.hint) from error
    except OSError as error:
        raise BackupFailed(f"cannot back up to {target}: {error.strerror or error}", UNWRITABLE) from error


def _backed_up(archive: Path, target: Path, now: datetime, stopping: Callable[[], bool], *, with_warc: bool) -> Backup:
    if not (archive / FILE).exists():
        raise StorageError(f"no archive at {archive}", "check --archive; `vna status` shows which archive is used")
    before = _check_target(target)
    target.mkdir(parents=True, exist_ok=True)
    fresh = target / _NEXT
    with exclusive_lock(target / _LOCK, f"another process is making a backup to {target}"):
        try:
            copy_database(archive / FILE, fresh, stopping)
            summary, size = read_summary(fresh), fresh.stat().st_size
            # Listed after the copy, so that the manifest covers all records that the copied database refers to.
            entries = list_files(archive / "warc", before, stopping)
            _check_warc_files(archive, required_sizes(fresh), entries)
            copied = _copy_warc_files(archive / "warc", target / "warc", entries, stopping) if with_warc else 0
            made = Backup(to_text(now), **summary, database_bytes=size, database_sha256=sha256(fresh, size, stopping),
                          warc=tuple(entries), copied=copied)  # fmt: skip
            _put_in_place(target, {k: v for k, v in asdict(made).items() if k != "copied"})
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    return made


def _put_in_place(target: Path, manifest: dict[str, Any]) -> None:
    """Replace the old database and manifest of a backup with the new ones, by renaming the new files.

    If the process is killed after it has renamed only the database, the matching manifest still has its temporary name;
    `restore` finds the manifest under that name.
    """
    with (target / _NEXT_MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    (target / _NEXT).replace(target / FILE)
    (target / _NEXT_MANIFEST).replace(target / MANIFEST)


def restore(source: Path, archive: Path) -> Restored:
    """Restore the backup `source` into the folder `archive`, and check the WARC files there against the manifest.

    WARC files that exist in `archive` already are kept.

    Raises:
        BadInput: `source` is not a backup, or its database does not match its manifest.
        StorageError: `archive` contains a database already, or cannot be written.
        SchemaTooNew: the backup was made by a newer version of the program.

    """
    made = _read_backup(source)
    if (archive / FILE).exists():
        raise StorageError(
            f"{archive} already contains an archive",
            "move the archive away, or restore into another folder: vna --archive DIR restore",
        )
    if made.schema > schema.version():
        raise SchemaTooNew(
            f"{source} has schema version {made.schema}, but this program supports versions up to {schema.version()}",
            "upgrade the program, then restore",
        )
    saved = source / "warc"
    missing = [e for e in made.warc if (saved / e.file).is_file() and not (archive / "warc" / e.file).exists()]
    copied = _copy_warc_files(saved, archive / "warc", missing)
    copy_database(source / FILE, archive / FILE)
    return Restored(made.articles, copied, dict(check_files(archive / "warc", made.warc)))


def _read_backup(folder: Path) -> Backup:
    """Return the manifest that matches the database of the backup in `folder`.

    Raises:
        BadInput: the folder is not a backup, or no manifest matches its database.

    """
    found = _read_manifests(folder) or [_read_manifest(folder / MANIFEST)]
    digest = sha256(folder / FILE) if (folder / FILE).exists() else None
    for made in found:
        if made.database_sha256 == digest:
            return made
    raise BadInput(f"{folder / FILE} does not match the digest in {MANIFEST}", "choose another backup")


def _read_manifests(folder: Path) -> list[Backup]:
    """Return the manifests in a folder: normally one, none if there is no backup, two after an interruption."""
    found = [_read_manifest(folder / MANIFEST)] if (folder / MANIFEST).exists() else []
    if (folder / _NEXT_MANIFEST).exists():
        # An incomplete one describes no database here: the database is replaced only after it has been written.
        with suppress(BadInput):
            found.append(_read_manifest(folder / _NEXT_MANIFEST))
    return found


def _read_manifest(file: Path) -> Backup:
    try:
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return Backup(**{**data, "warc": tuple(ManifestEntry(**entry) for entry in data["warc"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{file.name}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise BadInput(
            f"{file.parent} is not a backup: {reason}", "give the folder that was passed to `vna backup`"
        ) from error


def _check_target(target: Path) -> dict[str, ManifestEntry]:
    """Return the manifest entries of an earlier backup in the target folder, by file name.

    The result is empty if the folder is new or empty, or contains only files of a first backup that was interrupted.

    Raises:
        BadInput: the target contains something other than a backup, which must not be overwritten.
        StorageError: the target is a broken symbolic link.

    """
    if target.is_symlink() and not target.exists():
        raise StorageError(
            f"{target} is a broken symbolic link",
            "connect the disk to which the link points, correct the link, or give another folder",
        )
    if target.exists() and not target.is_dir():
        raise BadInput(f"{target} is a file, not a backup folder", "give a new or empty folder")
    if found := _read_manifests(target):
        return {entry.file: entry for made in found for entry in made.warc}
    names = {path.name for path in target.iterdir()} if target.exists() else set()
    if names and not {_LOCK} <= names <= _PARTIAL:
        raise BadInput(f"{target} contains other files and is not a backup", "give a new or empty folder")
    return {}


def _check_warc_files(archive: Path, required: dict[str, int], entries: Sequence[ManifestEntry]) -> None:
    found = {entry.file: entry.bytes for entry in entries}
    missing = sorted(file for file, size in required.items() if found.get(file, 0) < size)
    if missing:
        names = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise WarcError(f"WARC records are missing in {archive / 'warc'}: {names}; the backup was not written", _CHECK)


def _copy_warc_files(
    source: Path, target: Path, entries: Sequence[ManifestEntry], stopping: Callable[[], bool] = lambda: False
) -> int:
    """Copy the WARC files in `entries` that are missing in `target` or have another size there; return their number.

    Each file is replaced atomically.

    Raises:
        StorageError: a file cannot be read or written.
        Interrupted: `stopping`, which is called repeatedly, returned True.

    """
    copied = 0
    try:
        for entry in entries:
            path = target / entry.file
            if path.is_file() and path.stat().st_size == entry.bytes:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.new")
            with (source / entry.file).open("rb") as original, fresh.open("wb") as copy:
                _copy_bytes(original, copy, entry.bytes, stopping)
            fresh.replace(path)
            copied += 1
    except OSError as error:
        raise StorageError(
            f"cannot copy WARC files to {target}: {error.strerror or error}",
            "free disk space or correct the permissions",
        ) from error
    return copied


def _copy_bytes(source: Any, target: Any, size: int, stopping: Callable[[], bool]) -> None:
    """Copy only the first `size` bytes of a file; bytes that the service appends later may be an incomplete record."""
    left = size
    while left > 0 and (data := source.read(min(1 << 20, left))):
        raise_if_stopped(stopping)
        target.write(data)
        left -= len(data)
    target.flush()
    os.fsync(target.fileno())
