"""Backups: a consistent copy of the database, the list of the WARC files with digests, and, if wanted, those files.

A backup is a folder: `vna.db`, `manifest.json`, perhaps `warc/`. A new backup into the same folder replaces the database
only when its copy is whole and sound, and copies only what is new of the evidence.

Boundary: order of steps; the copying is `storage`'s and `warc`'s. The archive is only read, so a service may go on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler.clock import to_text
from crawler.errors import BackupFailed, BadInput, SchemaTooNew, StorageError, WarcError, unless_stopped
from crawler.storage import FILE, schema
from crawler.storage.backup_db import UNWRITABLE, copy_database, ends, read_summary
from crawler.storage.locks import alone_with
from crawler.warc.manifest import Entry, compared, listed, sha256

MANIFEST = "manifest.json"
_NEXT, _NEXT_MANIFEST, _LOCK = f"{FILE}.next", f"{MANIFEST}.next", "backup.lock"
_BEGUN = {_LOCK, _NEXT, f"{_NEXT}.new", f"{_NEXT}.new-journal", "warc"}  # what a first backup has before it is one
_CHECK = "run `vna verify` on the archive; an older backup may still have the file"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. Sizes are in bytes; `copied` counts the WARC files that were copied this time."""

    made_at: str
    schema: int
    articles: int
    database_bytes: int
    database_sha256: str
    warc: tuple[Entry, ...]
    copied: int = 0

    @property
    def warc_bytes(self) -> int:
        """How much evidence there is."""
        return sum(entry.bytes for entry in self.warc)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what is wrong with which WARC file (missing, shorter, different)."""

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
    """Make a backup of the archive in a folder into another.

    Raises:
        Interrupted: `stopping`, which is asked again and again, said so; the backup that was there is as it was.
        BackupFailed: there is no archive, the target cannot be written, or the copy is not sound.
        WarcError: evidence that the database points to is not there.
        BadInput: the target holds something that is no backup.

    """
    try:
        return _backed_up(archive, target, now, stopping, with_warc=with_warc)
    except StorageError as error:
        raise BackupFailed(str(error), error.hint) from error
    except OSError as error:
        raise BackupFailed(f"no backup to {target}: {error.strerror or error}", UNWRITABLE) from error


def _backed_up(archive: Path, target: Path, now: datetime, stopping: Callable[[], bool], *, with_warc: bool) -> Backup:
    if not (archive / FILE).exists():
        raise StorageError(f"no archive at {archive}", "check --archive; `vna status` shows what is there")
    before = _target_of_a_backup(target)
    target.mkdir(parents=True, exist_ok=True)
    fresh = target / _NEXT
    with alone_with(target / _LOCK, f"another process is making a backup to {target}"):
        try:
            copy_database(archive / FILE, fresh, stopping)
            summary, size = read_summary(fresh), fresh.stat().st_size
            entries = listed(archive / "warc", before, stopping)  # after the snapshot: it has what the copy points to
            _check_evidence(archive, ends(fresh), entries)
            copied = _copy_evidence(archive / "warc", target / "warc", entries, stopping) if with_warc else 0
            made = Backup(to_text(now), **summary, database_bytes=size, database_sha256=sha256(fresh, size, stopping),
                          warc=tuple(entries), copied=copied)  # fmt: skip
            _put_in_place(target, {k: v for k, v in asdict(made).items() if k != "copied"})
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    return made


def _put_in_place(target: Path, manifest: dict[str, Any]) -> None:
    """Take the new database and the new list for the old ones.

    Killed between the two, the list that fits the database is still there under its other name: `restore` takes it.
    """
    with (target / _NEXT_MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    (target / _NEXT).replace(target / FILE)
    (target / _NEXT_MANIFEST).replace(target / MANIFEST)


def restore(source: Path, archive: Path) -> Restored:
    """Put a backup where there is no archive; evidence that is there already stays, and is held against the list.

    Raises:
        BadInput: it is no backup, or its database is not what the list says.
        StorageError: there is an archive already, or it cannot be written; SchemaTooNew: a newer program made it.

    """
    made = _fitting(source)
    if (archive / FILE).exists():
        raise StorageError(
            f"{archive} holds an archive", "move it away, or restore into another folder: vna --archive DIR restore"
        )
    if made.schema > schema.version():
        raise SchemaTooNew(
            f"{source} has schema version {made.schema}, this program knows up to {schema.version()}",
            "upgrade the program, then restore",
        )
    held = source / "warc"
    lacking = [e for e in made.warc if (held / e.file).is_file() and not (archive / "warc" / e.file).exists()]
    copied = _copy_evidence(held, archive / "warc", lacking)
    copy_database(source / FILE, archive / FILE)
    return Restored(made.articles, copied, dict(compared(archive / "warc", made.warc)))


def _fitting(folder: Path) -> Backup:
    """Give what a backup says of itself, from the list that fits its database.

    Raises:
        BadInput: it is no backup, or its database is not what the list says.

    """
    found = _lists(folder) or [_read_manifest(folder / MANIFEST)]
    digest = sha256(folder / FILE) if (folder / FILE).exists() else None
    for made in found:
        if made.database_sha256 == digest:
            return made
    raise BadInput(f"{folder / FILE} is not the database that {MANIFEST} lists", "choose another backup")


def _lists(folder: Path) -> list[Backup]:
    """Read the lists that are there: one, or two when a backup was killed at its very end."""
    return [_read_manifest(file) for name in (MANIFEST, _NEXT_MANIFEST) if (file := folder / name).exists()]


def _read_manifest(file: Path) -> Backup:
    try:
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return Backup(**{**data, "warc": tuple(Entry(**entry) for entry in data["warc"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{file.parent} is no backup: {error}", "name the folder that was given to `vna backup`"
        ) from error


def _target_of_a_backup(target: Path) -> dict[str, Entry]:
    """Give what an earlier backup there lists; anything else there must not be written over.

    What a killed first backup left there is no reason to refuse the next one.
    """
    if target.is_symlink() and not target.exists():
        raise StorageError(f"{target} leads nowhere", UNWRITABLE)
    if target.exists() and not target.is_dir():
        raise BadInput(f"{target} is a file, and no backup", "give a new or empty folder")
    if found := _lists(target):
        return {entry.file: entry for made in found for entry in made.warc}
    there = {one.name for one in target.iterdir()} if target.exists() else set()
    if there and not {_LOCK} <= there <= _BEGUN:
        raise BadInput(f"{target} holds something that is no backup", "give a new or empty folder")
    return {}


def _check_evidence(archive: Path, needed: dict[str, int], entries: Sequence[Entry]) -> None:
    there = {entry.file: entry.bytes for entry in entries}
    lost = sorted(file for file, end in needed.items() if there.get(file, 0) < end)
    if lost:
        names = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        raise WarcError(f"evidence is missing below {archive / 'warc'}: {names}; no list was written", _CHECK)


def _copy_evidence(
    source: Path, target: Path, entries: Sequence[Entry], stopping: Callable[[], bool] = lambda: False
) -> int:
    """Copy the files that are not there yet, or grew since; each is whole or not there."""
    copied = 0
    try:
        for entry in entries:
            there = target / entry.file
            if there.is_file() and there.stat().st_size == entry.bytes:
                continue
            there.parent.mkdir(parents=True, exist_ok=True)
            fresh = there.with_name(f"{there.name}.new")
            with (source / entry.file).open("rb") as one, fresh.open("wb") as other:
                _copy_bytes(one, other, entry.bytes, stopping)
            fresh.replace(there)
            copied += 1
    except OSError as error:
        raise StorageError(
            f"cannot write below {target}: {error.strerror or error}", "free space or correct the permissions"
        ) from error
    return copied


def _copy_bytes(source: Any, target: Any, size: int, stopping: Callable[[], bool]) -> None:
    """Copy so many bytes and no more: a file that is being written to may have half a record behind them."""
    left = size
    while left > 0 and (data := source.read(min(1 << 20, left))):
        unless_stopped(stopping)
        target.write(data)
        left -= len(data)
    target.flush()
    os.fsync(target.fileno())
