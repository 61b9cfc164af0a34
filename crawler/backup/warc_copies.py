"""Compares each WARC file of an archive with the earlier backup, and decides which state of the file is good.

WARC files only grow, so the earlier state of a file must be its beginning. The file of the archive is good if its first
bytes have the digest in the earlier manifest. Then a copy in the backup that differs is damaged, and is replaced.
Otherwise the file of the archive is refused: the backup keeps its entry in the manifest and its copy.

Boundary: reads WARC files and copies them into the backup; the caller writes the manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from crawler import files
from crawler.backup.files import copy_file, keep_aside, require_folders, require_regular
from crawler.errors import StorageError
from crawler.warc.manifest import Fault, ManifestEntry, WarcFile, inspect_file, warc_names


@dataclass
class WarcReport:
    """The manifest entries of a new backup, and what was noticed; see the attributes of `Backup`."""

    entries: list[ManifestEntry] = field(default_factory=list)
    copied: int = 0
    repaired: dict[str, Fault] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    refused: dict[str, Fault] = field(default_factory=dict)
    proven: bool = False  # whether a file starts with the bytes that the earlier manifest lists
    available: dict[str, int] = field(default_factory=dict)  # size of each file, in the archive or the earlier backup


@dataclass(frozen=True, slots=True)
class WarcFolders:
    """The WARC files of an archive (`source`) and their copies in a backup (`target`); `before` has its entries.

    With `replacing`, a file that would be refused replaces the copy in the backup, which is kept under a name that ends
    in `suffix`. If `copying` is false, the copies are neither checked nor changed. With `thorough`, a file is read even
    if its size and time of change are those in the earlier manifest.
    """

    source: Path
    target: Path
    before: Mapping[str, ManifestEntry]
    required: Mapping[str, int]
    copying: bool
    thorough: bool
    replacing: bool
    suffix: str
    stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Decision:
    """What to do with one file: its new entry, whether to copy it, and what was noticed."""

    entry: ManifestEntry
    copy: bool = False
    keep_old: bool = False
    repaired: Fault | None = None
    refused: Fault | None = None


def examine(folders: WarcFolders) -> tuple[WarcReport, list[_Decision]]:
    """Compare all WARC files with the earlier backup; return a report and what is to be done. Nothing is changed.

    Raises:
        Interrupted: a stop was requested.
        BadInput: a copy in the backup is a link or a special file.
        OSError: a file cannot be read.

    """
    report, decisions = WarcReport(), []
    names = warc_names(folders.source)
    for name in sorted({*names, *folders.before}):
        entry = folders.before.get(name)
        if name in names:
            decision = _decide(folders, name, entry, report)
        elif entry is None or folders.replacing:
            continue
        else:
            decision = _Decision(entry, refused="missing")
        decisions.append(decision)
        report.available[name] = max(report.available.get(name, 0), decision.entry.bytes)
        report.entries.append(decision.entry)
        if decision.refused is not None:
            report.refused[name] = decision.refused
        elif decision.entry.damaged:
            report.damaged.append(name)
    return report, decisions


def carry_out(folders: WarcFolders, report: WarcReport, decisions: list[_Decision]) -> None:
    """Copy the files for which this was decided, and count them in `report`. Each file is replaced atomically.

    A file that replaces a good copy is only placed next to it; `finish` then replaces the copy.

    Raises:
        Interrupted: a stop was requested.
        StorageError: a file cannot be read or written, or changed while it was copied.
        OSError: the earlier copy cannot be kept under another name.

    """
    for decision in decisions:
        entry = decision.entry
        source, target = folders.source / entry.file, folders.target / entry.file
        if folders.copying:
            _waiting(target).unlink(missing_ok=True)  # an interrupted backup may have left one
        if decision.keep_old:
            keep_aside(target, folders.suffix)
        if not decision.copy:
            continue
        place = _waiting(target) if decision.keep_old else target
        if not copy_file(source, place, entry.bytes, entry.sha256, folders.stopping):
            raise StorageError(
                f"{source} changed while it was copied", "run `vna verify` on the archive, then make the backup again"
            )
        report.copied += 1
        if decision.repaired is not None:
            report.repaired[entry.file] = decision.repaired


def finish(folders: WarcFolders, decisions: list[_Decision]) -> None:
    """Replace the copies that are kept under another name. The new manifest must be in place.

    Raises:
        OSError: a file cannot be renamed or deleted.

    """
    for decision in decisions:
        target = folders.target / decision.entry.file
        if decision.keep_old and decision.copy:
            _waiting(target).replace(target)
            files.sync_folder(target.parent)
        elif decision.keep_old:
            target.unlink(missing_ok=True)


def _waiting(target: Path) -> Path:
    return target.with_name(f"{target.name}.next")


def _decide(folders: WarcFolders, name: str, before: ManifestEntry | None, report: WarcReport) -> _Decision:
    source, target = folders.source / name, folders.target / name
    if before is not None and not (folders.thorough or before.damaged) and _is_unchanged(source, before):
        return _Decision(before)
    copy = _copy_state(folders, target, before) if folders.copying else None
    sizes = {0, *({before.bytes} if before else ()), *({copy.size, copy.bytes} if copy else ())}
    found = inspect_file(source, sizes, _known_boundary(before), folders.required.get(name, 0), folders.stopping)
    report.available[name] = found.bytes
    agrees = before is None or found.starts_with(before.bytes, before.sha256)
    if before is not None and before.bytes > 0:
        report.proven |= agrees
    entry = ManifestEntry(
        name,
        found.bytes,
        found.digests[found.bytes],
        found.mtime_ns,
        before.copied_bytes if before else 0,
        found.damaged,
    )
    if agrees:
        return _with_copy(entry, found, before, copy, folders) if folders.copying else _Decision(entry)
    assert before is not None
    if folders.replacing or (before.damaged and not found.damaged):
        copied = replace(entry, copied_bytes=entry.bytes if folders.copying else 0)
        return _Decision(copied, copy=folders.copying, keep_old=True, repaired=None if folders.replacing else "damaged")
    return _Decision(before, refused="shorter" if found.bytes < before.bytes else "different")


def _is_unchanged(path: Path, before: ManifestEntry) -> bool:
    stat = path.stat()
    return (stat.st_size, stat.st_mtime_ns) == (before.bytes, before.mtime_ns)


def _known_boundary(before: ManifestEntry | None) -> int:
    """Return a byte offset at which a record of a file begins; the bytes before it need not be searched for damage.

    Versions before schema 4 may have listed a part of a record, so their files are searched as a whole.
    """
    return before.bytes if before is not None and before.copied_bytes is not None and not before.damaged else 0


def _copy_state(folders: WarcFolders, path: Path, before: ManifestEntry | None) -> WarcFile | None:
    """Return the state of the copy of a file in the backup; None if there is no copy."""
    require_folders(folders.target, path.relative_to(folders.target).as_posix())
    require_regular(path)
    if not path.exists():
        return None
    sizes = {path.stat().st_size, *({before.bytes} if before is not None else ())}
    return inspect_file(path, sizes, _known_boundary(before), stopping=folders.stopping)


def _with_copy(
    entry: ManifestEntry, found: WarcFile, before: ManifestEntry | None, copy: WarcFile | None, folders: WarcFolders
) -> _Decision:
    """Decide about a file of the archive (`found`) that agrees with the earlier manifest.

    `entry` is its new manifest entry, `before` the earlier one, and `copy` the state of its copy in the backup.
    """
    new = replace(entry, copied_bytes=entry.bytes)
    expected = before.copied_bytes or 0 if before is not None else 0
    if copy is None:
        return _Decision(new, copy=True, repaired="missing" if expected else None)
    if found.starts_with(copy.size, copy.digests[copy.size]):
        return _Decision(new, copy=copy.size < entry.bytes, repaired="shorter" if copy.size < expected else None)
    is_listed = before is None or copy.starts_with(before.bytes, before.sha256)
    has_only_trash = not copy.damaged and found.starts_with(copy.bytes, copy.digests[copy.bytes])
    if not is_listed or has_only_trash:
        return _Decision(new, copy=True, repaired="different")
    # The copy has complete records that the file of the archive does not have, or has in another form.
    if folders.replacing:
        return _Decision(new, copy=True, keep_old=True)
    kept = before or ManifestEntry(
        entry.file, copy.bytes, copy.digests[copy.bytes], copy.mtime_ns, copy.bytes, copy.damaged
    )
    return _Decision(kept, refused="shorter" if entry.bytes < copy.bytes else "different")
