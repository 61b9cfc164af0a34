"""Restores a backup into a new archive folder.

Boundary: writes only below that folder. Files of the backup are checked against its manifest while they are copied.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crawler.archive_files import WARC_FOLDER
from crawler.backup.contents import Backup, read_backup
from crawler.backup.files import copy_file, make_folders, require_folders, require_regular
from crawler.backup.seal_copies import copy_time_stamps, restore_seals
from crawler.backup.target import check_empty, require_apart
from crawler.errors import BadInput, OtherArchive, SchemaTooNew, SchemaTooOld, WarcCorrupted
from crawler.storage import FILE, open_archive, schema
from crawler.storage.backup_db import read_summary
from crawler.storage.disk import not_writable
from crawler.storage.locks import holding
from crawler.warc import WarcStore
from crawler.warc.archive_id import archive_ids
from crawler.warc.manifest import Fault, ManifestEntry, check_file, sha256
from crawler.warc.seals import SEALS

_DAMAGED = ".damaged"  # suffix of a restored WARC file that does not match the manifest


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of restoring a backup.

    `articles` is the number of articles in the database, `copied` the number of WARC files that were copied, and
    `identity` the identity of the archive. `wrong` maps the name of each WARC file that does not match the manifest to
    what is wrong with it, and the file of the seals if the folder has another one.
    """

    articles: int
    copied: int
    wrong: dict[str, Fault]
    identity: str | None = None


def restore(source: Path, archive: Path, since: str = "") -> Restored:
    """Restore the backup `source` into the folder `archive`, and check the WARC files there against the manifest.

    WARC files that exist in `archive` already are kept. A file of the backup that does not match the manifest gets the
    suffix `.damaged`. The database is copied last, so an interrupted restore can be run again. `since` is the start
    time of the process, which is shown to other processes that want to use the archive.

    Raises:
        BadInput: `source` is not a backup, its database does not match its manifest, or `archive` is not empty.
        OtherArchive: `archive` contains WARC files of another archive.
        StorageError: `archive` contains a database already, or cannot be written.
        SchemaTooNew: the backup was made by a newer version of the program.

    """
    made = read_backup(source)
    _check_source(source, made)
    require_apart(archive, source, "give another folder for the archive: vna --archive DIR restore")
    check_empty(archive)
    try:
        make_folders(archive)
        with holding(archive, "alone", "restore", since):
            check_empty(archive)  # again: another process may have created an archive meanwhile
            return _restored(source, archive, made)
    except OSError as error:
        raise not_writable(archive, error) from error


def _check_source(source: Path, made: Backup) -> None:
    """Check the schema and the files of a backup before anything is written."""
    found = read_summary(source / FILE)
    newest = max(made.schema, found.schema)
    if newest > schema.version():
        raise SchemaTooNew(
            f"{source} has schema version {newest}, but this program supports versions up to {schema.version()}",
            "upgrade the program, then restore",
        )
    for entry in made.warc:
        require_folders(source / WARC_FOLDER, entry.file)
        require_regular(source / WARC_FOLDER / entry.file)


def _restored(source: Path, archive: Path, made: Backup) -> Restored:
    identity = read_summary(source / FILE).identity
    others = sorted({f"{name} ({other})" for name, other in archive_ids(archive / WARC_FOLDER) if other != identity})
    if identity is not None and others:
        raise OtherArchive(
            f"{archive / WARC_FOLDER} contains WARC files of another archive: {', '.join(others[:3])}; the backup belongs to "
            f"archive {identity}",
            "move these files away, or restore into another folder",
        )
    copied, wrong = 0, {}
    for entry in made.warc:
        was_copied, fault = _restore_file(source / WARC_FOLDER, archive / WARC_FOLDER, entry)
        copied += was_copied
        if fault is not None:
            wrong[entry.file] = fault
    if (fault := restore_seals(source, archive)) is not None:
        wrong[SEALS] = fault
    copy_time_stamps(source, archive)
    if not copy_file(source / FILE, archive / FILE, made.database_bytes, made.database_sha256):
        raise BadInput(
            f"{source / FILE} changed while it was copied", "run the command again when no backup is running"
        )
    _write_layouts(archive)
    return Restored(made.articles, copied, wrong, identity)


def _write_layouts(folder: Path) -> None:
    """Write the readable copies of the learned layouts, as far as the WARC files with them are there."""
    with (
        suppress(SchemaTooOld),  # older versions learned no layouts
        open_archive(folder, read_only=True) as archive,
        WarcStore(folder / WARC_FOLDER) as warc,
    ):
        for name, ref in archive.layout_files():
            with suppress(WarcCorrupted):  # the report of the restore names the file
                archive.keep_layout(name, warc.read(ref).body.decode("utf-8", "replace"))


def _restore_file(source: Path, target: Path, entry: ManifestEntry) -> tuple[bool, Fault | None]:
    """Copy a WARC file unless it exists; return whether it was copied and what is wrong with it."""
    saved, path = source / entry.file, target / entry.file
    known: Fault | None = "damaged" if entry.damaged else None
    if path.exists() or path.is_symlink() or not saved.exists():
        return False, check_file(path, entry) or known
    require_folders(target, entry.file)
    fault = check_file(saved, entry)
    if fault is None:
        if copy_file(saved, path, entry.bytes, entry.sha256):
            return True, known
        fault = "different"
    aside = path.with_name(f"{path.name}{_DAMAGED}")
    if not aside.exists():
        copy_file(saved, aside, saved.stat().st_size, sha256(saved))
    return False, fault
