"""Is everything still there and as it was written? Files, rows, and what leads from one to the other.

```
files:     every gzip member to its end, sums and digests
rows:      every row points at a record that is as the row says; every answer has a row
database:  SQLite's own check, references, revisions 1, 2, 3 ..., articles without evidence, the search index
```
Boundary: reads only, one record in memory; what is wrong is told, with what to do about it, and nothing is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from crawler.errors import WarcCorrupted
from crawler.pipeline.run import Progress
from crawler.storage import Archive
from crawler.storage.evidence import RawRow
from crawler.types import RawRef
from crawler.warc import Damage, Member, Record, WarcStore

_NAMED = 5  # of many ids, so many are named

_RESTORE = "restore the file from a backup; until then `vna show` still has the text, but nothing proves it"
_REBUILD = "run `vna rebuild`: it makes the rows anew from the WARC files"
_NEXT_RUN = "nothing to do: the next `vna poll` mends it"
_DATABASE = "restore the database from a backup, or run `vna rebuild --replace`: the WARC files hold everything"
_INDEX = "run `vna verify --reindex`: the articles themselves are sound"
_UNFOLDED = "run `vna rebuild --replace`: the texts for the search are made anew from the evidence"
_IMPORT_AGAIN = "if they were imported by an older version, import the same files again"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: what, where, how bad, and what to do."""

    what: str
    where: str
    detail: str
    advice: str


@dataclass
class Verified:
    """What was looked at, and what is wrong with it; `finished` is False when somebody stopped it."""

    files: int = 0
    records: int = 0
    rows: int = 0
    finished: bool = False
    faults: list[Fault] = field(default_factory=list)


def verify(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    *,
    since: str | None = None,
    sample: int | None = None,
    shift: int = 0,
    stopping: Callable[[], bool] = lambda: False,
) -> Verified:
    """Check the archive: all of it, the files since a day (`20261121`), or only about `sample` rows and the database.

    `shift` says which rows a sample takes: with another number each day, all come to their turn. Other processes may
    work meanwhile; what they are about to write is left out.
    """
    report = Verified()
    with archive.stoppable(stopping):
        report.faults += _database(archive, progress)
        if sample is not None:
            count, rows = archive.raw_spread(sample, shift)
            progress.phase("sample", count)
            _sampled(archive, warc, progress, report, rows, stopping)
        else:
            _files(archive, warc, progress, report, since, stopping)
        report.finished = not stopping()
    return report


# --- the database -----------------------------------------------------------------------------------------------------


def _database(archive: Archive, progress: Progress) -> list[Fault]:
    progress.phase("database", 1)
    damage = archive.damage()
    if damage:  # what the other checks would read is not to be trusted
        return [Fault("damaged database", "vna.db", damage[0] + _more(damage), _DATABASE)]
    faults = [
        Fault("broken references", table, f"{count} rows refer to rows that are not there", _DATABASE)
        for table, count in archive.broken_references().items()
    ]
    lists = (
        ("articles without evidence", "articles", archive.without_evidence(), _IMPORT_AGAIN),
        ("revisions out of order", "revisions", archive.broken_revisions(), _REBUILD),
        ("articles missing from the search", "articles_folded", archive.not_searchable(), _UNFOLDED),
    )
    faults += [Fault(what, table, _named(ids), advice) for what, table, ids, advice in lists if ids]
    if (told := archive.search_damage()) is not None:
        faults.append(Fault("damaged search index", "articles_fts", told, _INDEX))
    progress.step("database: checked")
    return faults


def _named(ids: list[int]) -> str:
    return f"{len(ids)} articles: {', '.join(map(str, ids[:_NAMED]))}{' ...' * (len(ids) > _NAMED)}"


def _more(lines: list[str]) -> str:
    return f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""


# --- a sample ---------------------------------------------------------------------------------------------------------


def _sampled(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    report: Verified,
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
        progress.step(f"{row.ref.file}: byte {row.ref.offset}")


# --- the files --------------------------------------------------------------------------------------------------------


def _files(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    report: Verified,
    since: str | None,
    stopping: Callable[[], bool],
) -> None:
    there, rows = warc.names(), archive.raw_files()
    chosen = [name for name in sorted({*there, *rows}) if since is None or _day(name) >= since]
    progress.phase("files", len(chosen))
    for name in chosen:
        if stopping():
            return
        if name not in there:
            detail = f"{rows[name]} records, the evidence of {archive.articles_in(name)} articles"
            report.faults.append(Fault("missing file", name, detail, _RESTORE))
        else:
            report.files += 1
            _File(archive, warc, name, report, stopping).check()
        progress.step(f"{name}: checked")


def _day(name: str) -> str:
    """Give the day in a file's name, `20261121`; a file of another name is looked at always."""
    return name.rpartition("vna-")[2][:8] if "vna-" in name else "9"


class _File:
    """The check of one file: its members and its rows side by side, both in the order of the bytes."""

    def __init__(
        self, archive: Archive, warc: WarcStore, name: str, report: Verified, stopping: Callable[[], bool]
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
        with self._warc.alone_with(self._name) as alone:
            end = 1 << 62 if alone else known_end  # behind it, another process is writing just now
        rows = self._archive.raw_of(self._name)
        row = next(rows, None)
        for item in self._warc.scan(self._name):
            if self._stopping() or item.offset >= end:
                break
            row = self._passed(rows, row, item.offset)
            if isinstance(item, Damage):
                row = self._damaged(rows, row, item, known_end)
            elif item.record is not None:
                row = self._compared(rows, row, item, item.record)
        else:
            self._passed(rows, row, 1 << 62)
        self._tell(known_end)

    def _passed(self, rows: Iterator[RawRow], row: RawRow | None, offset: int) -> RawRow | None:
        """Go over rows that point before a place: at nothing."""
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
            detail = f"{damage.length} bytes that a crash left behind the last whole record"
            self._report.faults.append(Fault("torn tail", f"{self._name} at byte {damage.offset}", detail, _NEXT_RUN))
        else:
            ref = RawRef(self._name, damage.offset, damage.length, "")
            self._report.faults.append(_lost(self._archive, ref, count, damage.why))
        return row

    def _compared(self, rows: Iterator[RawRow], row: RawRow | None, member: Member, record: Record) -> RawRow | None:
        self._report.records += 1
        if row is None or row.ref.offset != member.offset:
            # a note of a failed visit has no row; nor have the lists that version 0.1 kept, which said no purpose
            if record.warc_type != "metadata" and record.purpose is not None:
                self._without_row.append(member.offset)
            return row
        self._report.rows += 1
        if why := _differs(row, record):
            self._report.faults.append(_lost(self._archive, row.ref, 1, why))
        return next(rows, None)

    def _tell(self, known_end: int) -> None:
        """Tell of the file as a whole what would be a line for each record."""
        inside = [offset for offset in self._without_row if offset < known_end]
        behind = len(self._without_row) - len(inside)
        if inside:
            detail = f"{len(inside)} records that no row points at, the first at byte {inside[0]}"
            self._report.faults.append(Fault("records without a row", self._name, detail, _REBUILD))
        if behind:
            detail = f"{behind} answers that a process ended before taking in"
            self._report.faults.append(Fault("answers not taken in", self._name, detail, _NEXT_RUN))
        if lost := self._without_record:
            where = f"{self._name} at byte {lost[0]}"
            detail = f"{len(lost)} rows point where no record begins"
            self._report.faults.append(Fault("rows without a record", where, detail, _RESTORE))


def _differs(row: RawRow, record: Record) -> str | None:
    """Say in what a record is not as its row says."""
    pairs = {
        "address": (row.url, record.url),
        "status": (row.status, record.status),
        "length": (row.ref.length, record.ref.length),
        "digest": (row.ref.digest, record.ref.digest),
    }
    wrong = [name for name, (one, other) in pairs.items() if one != other]
    return f"its {' and '.join(wrong)} differ from the row" if wrong else None


def _lost(archive: Archive, ref: RawRef, rows: int, why: str) -> Fault:
    articles = archive.articles_in(ref.file, ref.offset, ref.offset + ref.length)
    detail = f"{why}; {rows} rows, the evidence of {articles} articles"
    return Fault("damaged record", f"{ref.file} at byte {ref.offset}", detail, _RESTORE)
