"""Backs up an archive: checks that the backup belongs to it and loses nothing, then copies and replaces.

Boundary: the order of the steps; the other modules of this package do the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crawler.archive_files import WARC_FOLDER
from crawler.backup.contents import NEXT, Backup, put_in_place, unsafe_name
from crawler.backup.files import keep_aside, make_folders
from crawler.backup.seal_copies import copy_time_stamps, save_seals, sealed_size
from crawler.backup.target import LOCK, check_target, require_apart
from crawler.backup.warc_copies import WarcFolders, WarcReport, carry_out, examine, finish
from crawler.clock import to_text
from crawler.errors import BackupFailed, BadInput, OtherArchive, StorageError, WarcError
from crawler.storage import FILE
from crawler.storage.backup_db import (
    UNWRITABLE,
    DatabaseComparison,
    DatabaseSummary,
    compare_databases,
    copy_database,
    read_summary,
    required_sizes,
)
from crawler.storage.locks import exclusive_lock
from crawler.warc.manifest import sha256
from crawler.warc.seals import SEALS

_CHECK = "run `vna verify` on the archive; an older backup may still contain the files"
_OTHER_FOLDER = "give a new or empty folder; the backup has not been changed"
_REPLACE = (
    "if the archive is right, run `vna backup` with --replace, which keeps the earlier state under another name; if it is "
    "not, restore this backup. The backup has not been changed"
)


@dataclass(frozen=True, slots=True)
class _Task:
    """What to back up, and how."""

    archive: Path
    target: Path
    now: datetime
    with_warc: bool
    replacing: bool
    stopping: Callable[[], bool]


def back_up(
    archive: Path,
    target: Path,
    now: datetime,
    *,
    with_warc: bool = False,
    replace: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> Backup:
    """Back up the database of an archive into the folder `target`; if `with_warc` is true, copy its WARC files too.

    If `replace` is true, a database or a WARC file that has less than the earlier backup replaces it; the earlier file
    is kept under a name that ends in `.replaced-` and the time.

    Raises:
        Interrupted: `stopping`, which is called repeatedly, returned True; an earlier backup in `target` stays valid.
        BackupFailed: there is no archive, the target cannot be written, the copy is damaged, or it has less than the
            earlier backup.
        WarcError: WARC records that the database refers to are missing.
        OtherArchive: the target contains the backup of another archive.
        BadInput: the target contains something other than a backup, or is part of the archive.
        AlreadyRunning: another process is making a backup into the same folder.

    """
    try:
        return _backed_up(_Task(archive, target, now, with_warc, replace, stopping))
    except StorageError as error:
        raise BackupFailed(str(error), error.hint) from error
    except OSError as error:
        raise BackupFailed(f"cannot back up to {target}: {error.strerror or error}", UNWRITABLE) from error


def _backed_up(task: _Task) -> Backup:
    if not (task.archive / FILE).exists():
        raise StorageError(f"no archive at {task.archive}", "check --archive; `vna status` shows which archive is used")
    require_apart(
        task.archive, task.target, "give a folder that is not part of the archive, preferably on another disk"
    )
    check_target(task.target)
    make_folders(task.target)
    fresh = task.target / NEXT
    with exclusive_lock(task.target / LOCK, f"another process is making a backup to {task.target}"):
        before = check_target(task.target)  # again: another process may have made a backup meanwhile
        try:
            copy_database(task.archive / FILE, fresh, task.stopping)
            return _checked_and_placed(task, before, fresh)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise


def _checked_and_placed(task: _Task, before: Sequence[Backup], fresh: Path) -> Backup:
    summary, size = read_summary(fresh), fresh.stat().st_size
    sealed = sealed_size(task.archive)  # before the files are listed: no seal covers more than the manifest lists
    earlier = _current(task, before)
    known = {made.identity for made in before} - {None}
    _check_identity(task, known, summary)
    is_proven = not before or (summary.identity is not None and known == {summary.identity})
    folders = WarcFolders(
        source=task.archive / WARC_FOLDER,
        target=task.target / WARC_FOLDER,
        before={entry.file: entry for made in before for entry in made.warc},
        required=required_sizes(fresh),
        copying=task.with_warc,
        thorough=task.with_warc or not is_proven,
        replacing=task.replacing,
        suffix=_suffix(task.now),
        stopping=task.stopping,
    )
    # The files are listed after the copy, so that the manifest covers all records that the copied database refers to.
    report, decisions = examine(folders)
    comparison = compare_databases(task.target / FILE, fresh, task.stopping) if earlier is not None else None
    if not is_proven and not _contents_agree(report, comparison, before):
        raise OtherArchive(
            f"{task.target} contains a backup of a version without identities, and its contents do not show that it "
            f"belongs to {task.archive}",
            _OTHER_FOLDER,
        )
    if not task.replacing:
        _check_nothing_lost(task, before, comparison, summary)
    _check_warc_files(task.archive, folders.required, report.available)
    if before and earlier is None:
        report.repaired[FILE] = "different" if (task.target / FILE).exists() else "missing"
    carry_out(folders, report, decisions)
    _save_seals(task, sealed, report)
    copy_time_stamps(task.archive, task.target)
    made = Backup(
        to_text(task.now), summary.schema, summary.articles, size, sha256(fresh, size, task.stopping),
        tuple(report.entries), summary.identity or next(iter(known), None), report.copied, report.repaired,
        tuple(report.damaged), report.refused,
    )  # fmt: skip
    if comparison is not None and comparison.lost:
        keep_aside(task.target / FILE, folders.suffix)
    put_in_place(task.target, made)
    finish(folders, decisions)
    return made


def _save_seals(task: _Task, size: int | None, report: WarcReport) -> None:
    fault, was_repaired = save_seals(task.archive, size, task.target, _suffix(task.now), replacing=task.replacing)
    if fault is not None:
        report.refused[SEALS] = fault
    elif was_repaired:
        report.repaired[SEALS] = "damaged"


def _suffix(now: datetime) -> str:
    return f".replaced-{now:%Y%m%dT%H%M%SZ}"


def _current(task: _Task, before: Sequence[Backup]) -> Backup | None:
    """Return the earlier backup to which the database in the target belongs; None if that database is damaged."""
    file = task.target / FILE
    if not before or not file.exists():
        return None
    digest = sha256(file, None, task.stopping)
    return next((made for made in before if made.database_sha256 == digest), None)


def _check_identity(task: _Task, known: set[str | None], summary: DatabaseSummary) -> None:
    others = known - {summary.identity}
    if summary.identity is not None and others:
        raise OtherArchive(
            f"{task.target} contains the backup of another archive ({', '.join(map(str, others))}); the identity of "
            f"{task.archive} is {summary.identity}",
            _OTHER_FOLDER,
        )


def _contents_agree(report: WarcReport, comparison: DatabaseComparison | None, before: Sequence[Backup]) -> bool:
    """Whether a backup without an identity belongs to the archive, as its contents show.

    The archive must have all captures of the backup at the same places, or one of its WARC files must start with the
    bytes in the backup: each record has a random id, so no two archives write the same bytes. A backup without captures
    has only imported texts, or nothing; then the archive must have all its articles.
    """
    if comparison is not None and comparison.different:
        return False
    if report.proven:
        return True
    if comparison is None:
        return False
    if comparison.captures:
        return comparison.shared == comparison.captures
    return not any(made.warc for made in before) and comparison.same_articles


def _check_nothing_lost(
    task: _Task, before: Sequence[Backup], comparison: DatabaseComparison | None, summary: DatabaseSummary
) -> None:
    """Raise an error if the earlier backup has rows that the new copy of the database does not have.

    If the earlier database cannot be read, the number of its articles in the manifest is compared.
    """
    if comparison is not None:
        lost = ", ".join(f"{table}: {what}" for table, what in comparison.lost.items())
    else:
        missing = max((made.articles for made in before), default=0) - summary.articles
        lost = f"articles: {missing}" if missing > 0 else ""
    if lost:
        raise BackupFailed(
            f"the archive {task.archive} has lost rows that the backup in {task.target} still has ({lost})", _REPLACE
        )


def _check_warc_files(archive: Path, required: Mapping[str, int], found: Mapping[str, int]) -> None:
    if (wrong := unsafe_name(found)) is not None:
        raise BadInput(f"{archive / WARC_FOLDER} cannot be backed up: {wrong}", "rename the file, or move it away")
    missing = sorted(file for file, size in required.items() if found.get(file, 0) < size)
    if missing:
        names = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise WarcError(
            f"WARC records are missing in {archive / WARC_FOLDER}: {names}; the backup was not written", _CHECK
        )
