"""Verify an archive: its WARC files, its database, and the references between them.

```
files:     every gzip member to its end, checksums and digests
rows:      every row refers to a record that matches it; every response has a row
evidence:  every row that follows from the WARC files has the values that they give (`row_check`)
database:  SQLite's integrity check, its tables, indexes and triggers, foreign keys, revisions 1, 2, 3 ..., articles
           without evidence, the search index
```

Boundary: reads only, except that the evidence is replayed into a temporary database. Keeps one visit in memory. Each
fault is reported with what to do about it; nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Callable

from crawler.anchors import Anchors
from crawler.errors import Interrupted
from crawler.outcome import Progress
from crawler.pipeline.stored_pages import Reader
from crawler.replay.file_check import check_captures, check_files, checked, days_without_files
from crawler.replay.row_check import Recomputation, check_rows
from crawler.replay.sample_check import check_sample
from crawler.replay.verify_report import VerifyFault, VerifyReport
from crawler.storage import Archive
from crawler.storage.schema_check import SchemaDifference
from crawler.warc import CdxjIndex, WarcStore
from crawler.warc.seals import SEALS, Seals, check_seals

_NAMED = 5  # ids to name in one message
_SEAL_PARTS = 4  # a sample checks each fourth seal

_REBUILD = "run `vna rebuild` and compare; with --replace, it recreates the rows from the WARC files"
_DATABASE = "restore the database from a backup, or recreate it with `vna rebuild --replace`"
_INDEX = "run `vna verify --reindex`; the articles themselves are intact"
_REINDEX_TEXTS = "run `vna rebuild --replace`: it recreates the indexed texts from the WARC files"
_REPLACE = "run `vna rebuild --replace`: the new database lacks this row"
_SCHEMA = "run `vna rebuild --replace`: the new database has the right tables, indexes and triggers"
_UNKNOWN = "if you did not create it, find out which program did; to remove it, use DROP in sqlite3, or run `vna rebuild --replace`"
_OTHER_ARCHIVE = (
    "move the files of the other archive away (`vna backfill --warc FILE` imports them); if all files belong to one "
    "archive, and the identity in the database is wrong, run `vna rebuild --replace`"
)
_SEAL = f"restore {SEALS} from a copy; if there is none, move the file away, and `vna verify --seal` begins a new chain"
_SEALED = "restore the file from a backup that was made after the seal"
_STAMP = "restore the file from a backup; a wrong one proves nothing, and may be deleted"
_CDXJ = "delete index.cdxj and the folder `index` of the archive, then run `vna warc index`"
_IMPORT_AGAIN = "if an older version imported them, import the same files again"


def verify(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    *,
    since: str | None = None,
    sample: int | None = None,
    shift: int = 0,
    stopping: Callable[[], bool] = lambda: False,
    reader: Reader | None = None,
    recomputation: Recomputation | None = None,
    seals: Seals | None = None,
    anchors: Anchors | None = None,
    index: CdxjIndex | None = None,
) -> VerifyReport:
    """Check the database and all WARC files, or only the files since the day `since` (`20261121`).

    If `sample` is given, about that many rows are compared with their records, and the files are not scanned. `shift`
    selects the rows of a sample: with a different number each time, all rows are checked in turn. If a `reader` is
    given, about as many articles are compared with their pages.

    With a `recomputation`, every row of evidence is compared with the row that the WARC files give, unless only a part
    of the files is checked. With `seals`, the sealed records are compared with their seals, in a sample with a quarter
    of them, and with `anchors`, the time stamps of the seals are checked. With `index`, so is the index for
    other tools; in a sample, its lines are not compared with the records. Other processes may work meanwhile; records that
    they have not finished writing are not checked.
    """
    report = VerifyReport()
    with archive.stoppable(stopping):
        report.unchecked += ["articles_fts"] * archive.read_only
        progress.phase("database", 1)
        report.faults += (damage := _damage(archive))
        differences = [] if damage else archive.schema_differences()
        report.faults += map(_schema_fault, differences)
        wrong = [] if damage or _is_incomplete(differences) else archive.wrong_types()
        report.faults += map(_type_fault, wrong)
        if wrong or _is_incomplete(differences):  # the other checks need all tables and columns, and their types
            report.finished = True
            return report
        if not damage:  # the other checks would read damaged pages
            report.faults += [*_database(archive, warc), *days_without_files(archive, warc)]
        progress.step(checked("database"))
        if seals is not None and since is None:
            report.faults += _sealed(seals, warc, report, stopping, None if sample is None else shift)
            if anchors is not None:
                report.faults += _time_stamps(anchors, seals, report)
        if index is not None and since is None:
            report.faults += _index(index, report, stopping, deep=sample is None)
        if sample is not None:
            count, rows = archive.raw_spread(sample, shift)
            progress.phase("sample", count)
            check_captures(archive, warc, progress, report, rows, stopping)
            if reader is not None:
                report.faults += check_sample(archive, reader, sample, shift, stopping)
        else:
            check_files(archive, warc, progress, report, since, stopping)
            if recomputation is not None and since is None and not damage and not stopping():
                _recompute(archive, recomputation, report)
        report.finished = not stopping()
    return report


def _sealed(
    seals: Seals, warc: WarcStore, report: VerifyReport, stopping: Callable[[], bool], shift: int | None
) -> list[VerifyFault]:
    """Check the chain of the seals and the records that they cover, or only those of each fourth seal."""
    found, faults = seals.read()
    if found:
        report.sealed_at, report.newest_seal = found[-1].at, found[-1].digest
    chosen = found if shift is None else found[shift % _SEAL_PARTS :: _SEAL_PARTS]
    chain = [VerifyFault(fault.what, fault.where, fault.detail, _SEAL) for fault in faults]
    changed = check_seals(chosen, warc, stopping, trees=shift is None)
    return chain + [
        VerifyFault(fault.what, fault.where, fault.detail, _SEAL if fault.where == SEALS else _SEALED)
        for fault in changed
    ]


def _time_stamps(anchors: Anchors, seals: Seals, report: VerifyReport) -> list[VerifyFault]:
    """Check the time stamps of the seals."""
    found = anchors.check(seals.read()[0])
    report.time_stamps, report.unchecked_stamps = found.count, found.unchecked
    report.stamped_at, report.stamped_seal = found.newest or ("", "")
    return [VerifyFault("wrong time stamp", where, detail, _STAMP) for where, detail in found.wrong]


def _index(index: CdxjIndex, report: VerifyReport, stopping: Callable[[], bool], *, deep: bool) -> list[VerifyFault]:
    """Compare the index for other tools with the WARC files."""
    report.unindexed, wrong = index.check(deep=deep, stopping=stopping)
    return [VerifyFault("index out of step", where, detail, _CDXJ) for where, detail in wrong]


def _recompute(archive: Archive, recomputation: Recomputation, report: VerifyReport) -> None:
    try:
        found = check_rows(archive, recomputation, damaged=report.evidence_lost)
    except Interrupted:
        return
    report.recomputed = True
    report.faults += found.faults
    report.unrepaired, report.unaided = found.unrepaired, found.unaided
    report.unasked, report.bugs = found.unasked, found.bugs


# --- the database -----------------------------------------------------------------------------------------------------


def _damage(archive: Archive) -> list[VerifyFault]:
    damage = archive.damage()
    return [VerifyFault("damaged database", "vna.db", damage[0] + _more(damage), _DATABASE)] if damage else []


def _schema_fault(found: SchemaDifference) -> VerifyFault:
    advice = _UNKNOWN if found.difference == "unknown" else _SCHEMA
    detail = (
        "its definition differs from that of a new database"
        if found.difference == "different"
        else (f"a new database has {'no' if found.difference == 'unknown' else 'such a'} {found.kind}")
    )
    table = found.name if found.kind == "table" else ""
    return VerifyFault(f"{found.difference} {found.kind}", found.name, detail, advice, table)


def _is_incomplete(differences: list[SchemaDifference]) -> bool:
    return any(found.is_incomplete for found in differences)


def _type_fault(found: tuple[str, str, str]) -> VerifyFault:
    table, column, row = found
    detail = f"{column}: the value has a type that no version writes; the other checks need right types"
    return VerifyFault("changed row", f"{table}: {row}", detail, _DATABASE, table)


def _database(archive: Archive, warc: WarcStore) -> list[VerifyFault]:
    faults = [
        VerifyFault("broken references", table, f"{count} rows refer to missing rows", _DATABASE)
        for table, count in archive.broken_references().items()
    ]
    faults += [
        VerifyFault("unknown row", f"{table}: {key}", "no version writes such a row", _REPLACE, table)
        for table, key in archive.unknown_entries()
    ]
    lists = (
        ("articles without evidence", "articles", archive.without_evidence(), _IMPORT_AGAIN),
        ("revisions out of order", "revisions", archive.broken_revisions(), _REBUILD),
        ("articles missing from the search index", "articles_folded", archive.not_searchable(), _REINDEX_TEXTS),
    )
    faults += [VerifyFault(what, table, _named(ids), advice) for what, table, ids, advice in lists if ids]
    if not archive.read_only and (damage_found := archive.search_damage()) is not None:
        faults.append(VerifyFault("damaged search index", "articles_fts", damage_found, _INDEX))
    identity = archive.known_identity()
    if identity is None:
        return [
            *faults,
            VerifyFault(
                "missing row", "archive_identity", "the archive has no identity", _DATABASE, "archive_identity"
            ),
        ]
    faults += [
        VerifyFault(
            "file of another archive", name, f"it belongs to archive {other}, not to {identity}", _OTHER_ARCHIVE
        )
        for name, other in warc.identities()
        if other != identity
    ]
    return faults


def _named(ids: list[int]) -> str:
    return f"{len(ids)} articles: {', '.join(map(str, ids[:_NAMED]))}{' ...' * (len(ids) > _NAMED)}"


def _more(lines: list[str]) -> str:
    return f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
