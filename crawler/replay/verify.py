"""Verify an archive: its WARC files, its database, and the references between them.

```
files:     every gzip member to its end, checksums and digests
rows:      every row refers to a record that matches it; every response has a row
database:  SQLite's integrity check, foreign keys, revisions 1, 2, 3 ..., articles without evidence, the search index
```

Boundary: reads only, and keeps one record in memory. Each fault is reported with what to do about it; nothing is
repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from crawler.errors import WarcCorrupted
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline.run import Progress
from crawler.replay.record_stream import day_of
from crawler.storage import Archive
from crawler.storage.evidence import RawRow
from crawler.types import RawRef
from crawler.warc import Damage, Member, Record, WarcStore

_NAMED = 5  # ids to name in one message

_RESTORE = "restore the file from a backup; `vna show` still prints the text, but without evidence"
_REBUILD = "run `vna rebuild` and compare; with --replace, it recreates the rows from the WARC files"
_NEXT_RUN = "nothing to do: the next `vna poll` repairs it"
_DATABASE = "restore the database from a backup, or recreate it with `vna rebuild --replace`"
_INDEX = "run `vna verify --reindex`; the articles themselves are intact"
_REINDEX_TEXTS = "run `vna rebuild --replace`: it recreates the indexed texts from the WARC files"
_IMPORT_AGAIN = "if an older version imported them, import the same files again"


@dataclass(frozen=True, slots=True)
class VerifyFault:
    """One fault: what it is, where it is, how much is affected, and what to do about it."""

    what: str
    where: str
    detail: str
    advice: str


@dataclass
class VerifyReport:
    """What was checked, and the faults found; `finished` is False if the check was stopped.

    `unchecked` names the tables that could not be checked because the archive cannot be written.
    """

    files: int = 0
    records: int = 0
    rows: int = 0
    finished: bool = False
    faults: list[VerifyFault] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def verify(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    *,
    since: str | None = None,
    sample: int | None = None,
    shift: int = 0,
    stopping: Callable[[], bool] = lambda: False,
) -> VerifyReport:
    """Check the database and all WARC files, or only the files since the day `since` (`20261121`).

    If `sample` is given, about that many rows are compared with their records, and the files are not scanned. `shift`
    selects the rows of a sample: with a different number each time, all rows are checked in turn. Other processes may
    work meanwhile; records that they have not finished writing are not checked.
    """
    report = VerifyReport()
    with archive.stoppable(stopping):
        report.faults += _database(archive, progress)
        report.unchecked += ["articles_fts"] * archive.read_only
        if sample is not None:
            count, rows = archive.raw_spread(sample, shift)
            progress.phase("sample", count)
            _sampled(archive, warc, progress, report, rows, stopping)
        else:
            _files(archive, warc, progress, report, since, stopping)
        report.finished = not stopping()
    return report


# --- the database -----------------------------------------------------------------------------------------------------


def _database(archive: Archive, progress: Progress) -> list[VerifyFault]:
    progress.phase("database", 1)
    damage = archive.damage()
    if damage:  # the other checks would read damaged pages
        return [VerifyFault("damaged database", "vna.db", damage[0] + _more(damage), _DATABASE)]
    faults = [
        VerifyFault("broken references", table, f"{count} rows refer to missing rows", _DATABASE)
        for table, count in archive.broken_references().items()
    ]
    lists = (
        ("articles without evidence", "articles", archive.without_evidence(), _IMPORT_AGAIN),
        ("revisions out of order", "revisions", archive.broken_revisions(), _REBUILD),
        ("articles missing from the search index", "articles_folded", archive.not_searchable(), _REINDEX_TEXTS),
    )
    faults += [VerifyFault(what, table, _named(ids), advice) for what, table, ids, advice in lists if ids]
    if not archive.read_only and (damage_found := archive.search_damage()) is not None:
        faults.append(VerifyFault("damaged search index", "articles_fts", damage_found, _INDEX))
    progress.step(_checked("database"))
    return faults


def _checked(what: str) -> Outcome:
    return Outcome(OutcomeKind.PROGRESS, detail=f"{what}: checked")


def _named(ids: list[int]) -> str:
    return f"{len(ids)} articles: {', '.join(map(str, ids[:_NAMED]))}{' ...' * (len(ids) > _NAMED)}"


def _more(lines: list[str]) -> str:
    return f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""


# --- a sample ---------------------------------------------------------------------------------------------------------


def _sampled(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    report: VerifyReport,
    rows: Iterator[RawRow],
    stopping: Callable[[], bool],
) -> None:
    for row in rows:
        if stopping():
            return
        report.rows += 1
        try:
            why = _differs(row, warc.read(row.ref))
        except WarcCorrupted as error:
            why = str(error)
        if why:
            report.faults.append(_lost(archive, row.ref, 1, why))
        progress.step(_checked(f"{row.ref.file} at byte {row.ref.offset}"))


# --- the files --------------------------------------------------------------------------------------------------------


def _files(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    report: VerifyReport,
    since: str | None,
    stopping: Callable[[], bool],
) -> None:
    there, rows = warc.names(), archive.raw_files()
    # a file without a day in its name is always checked
    chosen = [name for name in sorted({*there, *rows}) if since is None or (day_of(name) or "9") >= since]
    progress.phase("files", len(chosen))
    for name in chosen:
        if stopping():
            return
        if name not in there:
            detail = f"{rows[name]} records, evidence of {archive.articles_in(name)} articles"
            report.faults.append(VerifyFault("missing file", name, detail, _RESTORE))
        else:
            report.files += 1
            _File(archive, warc, name, report, stopping).check()
        progress.step(_checked(name))


class _File:
    """Checks one file: compares its records with the rows that refer to them, both in byte order."""

    def __init__(
        self, archive: Archive, warc: WarcStore, name: str, report: VerifyReport, stopping: Callable[[], bool]
    ) -> None:
        self._archive = archive
        self._warc = warc
        self._name = name
        self._report = report
        self._stopping = stopping
        self._without_row: list[int] = []
        self._without_record: list[int] = []

    def check(self) -> None:
        known_end = self._archive.known_end(self._name)
        with self._warc.try_lock(self._name) as alone:
            end = 1 << 62 if alone else known_end  # another process may be writing after it
        rows = self._archive.raw_of(self._name)
        row = next(rows, None)
        for item in self._warc.scan(self._name):
            if self._stopping() or item.offset >= end:
                break
            row = self._skip_rows(rows, row, item.offset)
            if isinstance(item, Damage):
                row = self._damaged(rows, row, item, known_end)
            elif item.record is not None:
                row = self._compared(rows, row, item, item.record)
        else:
            self._skip_rows(rows, row, 1 << 62)
        self._report_unmatched(known_end)

    def _skip_rows(self, rows: Iterator[RawRow], row: RawRow | None, offset: int) -> RawRow | None:
        """Note the rows with an offset below `offset`, where no record begins; return the row after them."""
        while row is not None and row.ref.offset < offset:
            self._report.rows += 1
            self._without_record.append(row.ref.offset)
            row = next(rows, None)
        return row

    def _damaged(self, rows: Iterator[RawRow], row: RawRow | None, damage: Damage, known_end: int) -> RawRow | None:
        count, end = 0, damage.offset + damage.length
        while row is not None and row.ref.offset < end:
            count, row = count + 1, next(rows, None)
        self._report.rows += count
        if damage.torn and not count and damage.offset >= known_end:
            detail = f"{damage.length} bytes of an incomplete record at the end of the file, left by a crash"
            self._report.faults.append(
                VerifyFault("torn tail", f"{self._name} at byte {damage.offset}", detail, _NEXT_RUN)
            )
        else:
            ref = RawRef(self._name, damage.offset, damage.length, "")
            self._report.faults.append(_lost(self._archive, ref, count, damage.reason))
        return row

    def _compared(self, rows: Iterator[RawRow], row: RawRow | None, member: Member, record: Record) -> RawRow | None:
        self._report.records += 1
        if row is None or row.ref.offset != member.offset:
            # a note about a failed request has no row; neither have the lists of version 0.1, which wrote no purpose
            if record.warc_type != "metadata" and record.purpose is not None:
                self._without_row.append(member.offset)
            return row
        self._report.rows += 1
        if why := _differs(row, record):
            self._report.faults.append(_lost(self._archive, row.ref, 1, why))
        return next(rows, None)

    def _report_unmatched(self, known_end: int) -> None:
        """Report the records without rows and the rows without records, once for the whole file."""
        inside = [offset for offset in self._without_row if offset < known_end]
        behind = len(self._without_row) - len(inside)
        if inside:
            detail = f"{len(inside)} records to which no row refers, the first at byte {inside[0]}"
            self._report.faults.append(VerifyFault("records without a row", self._name, detail, _REBUILD))
        if behind:
            detail = f"{behind} responses without rows at the end of the file, left by a crash"
            self._report.faults.append(VerifyFault("captures not ingested", self._name, detail, _NEXT_RUN))
        if lost := self._without_record:
            where = f"{self._name} at byte {lost[0]}"
            detail = f"{len(lost)} rows refer to bytes where no record begins"
            self._report.faults.append(VerifyFault("rows without a record", where, detail, _RESTORE))


def _differs(row: RawRow, record: Record) -> str | None:
    """Return a text that names the fields in which a record differs from its row; None if there are none."""
    pairs = {
        "address": (row.url, record.url),
        "status": (row.status, record.status),
        "length": (row.ref.length, record.ref.length),
        "digest": (row.ref.digest, record.ref.digest),
    }
    wrong = [name for name, (one, other) in pairs.items() if one != other]
    return f"its {' and '.join(wrong)} differ from the row" if wrong else None


def _lost(archive: Archive, ref: RawRef, rows: int, why: str) -> VerifyFault:
    articles = archive.articles_in(ref.file, ref.offset, ref.offset + ref.length)
    detail = f"{why}; {rows} rows, evidence of {articles} articles"
    return VerifyFault("damaged record", f"{ref.file} at byte {ref.offset}", detail, _RESTORE)
