"""Check the WARC files: compare their records with the rows that refer to them, and responses with their requests.

Boundary: reads only, and keeps one record in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from crawler.errors import WarcCorrupted
from crawler.outcome import Outcome, OutcomeKind, Progress
from crawler.replay.record_stream import day_of
from crawler.replay.verify_report import VerifyFault, VerifyReport
from crawler.storage import Archive
from crawler.storage.evidence import RawRow
from crawler.types import RawRef
from crawler.warc import Damage, Member, Record, RecordHead, WarcStore

_NAMED = 5  # faults of a kind that are named in one file

_RESTORE = "restore the file from a backup; `vna show` still prints the text, but without evidence"
_REBUILD = "run `vna rebuild` and compare; with --replace, it recreates the rows from the WARC files"
_NEXT_RUN = "nothing to do: the next `vna poll` repairs it"


def checked(what: str) -> Outcome:
    """Return a report of progress."""
    return Outcome(OutcomeKind.PROGRESS, detail=f"{what}: checked")


def check_captures(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    report: VerifyReport,
    rows: Iterator[RawRow],
    stopping: Callable[[], bool],
) -> None:
    """Compare rows of captures with their records; add the faults to the report."""
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
            report.evidence_lost = True
        progress.step(checked(f"{row.ref.file} at byte {row.ref.offset}"))


def check_files(
    archive: Archive,
    warc: WarcStore,
    progress: Progress,
    report: VerifyReport,
    since: str | None,
    stopping: Callable[[], bool],
) -> None:
    """Check all files, or those since the day `since` (`20261121`); add the faults to the report."""
    rows, there = archive.raw_files(), warc.names()  # in this order: a file exists before its first row
    # a file without a day in its name is always checked
    chosen = [name for name in sorted({*there, *rows}) if since is None or (day_of(name) or "9") >= since]
    progress.phase("files", len(chosen))
    for name in chosen:
        if stopping():
            return
        if name not in there:
            detail = f"{rows[name]} records, evidence of {archive.articles_in(name)} articles"
            report.faults.append(VerifyFault("missing file", name, detail, _RESTORE))
            report.evidence_lost = True
        else:
            report.files += 1
            _File(archive, warc, name, report, stopping).check()
        progress.step(checked(name))


def days_without_files(archive: Archive, warc: WarcStore) -> Iterator[VerifyFault]:
    """Yield a fault for each day with logged requests but without a WARC file.

    Each request leaves a record. Around midnight, it may be in the file of the next day. If rows refer to a missing
    file, `check_files` reports it.
    """
    days = {day_of(name) for name in (*warc.names(), *archive.raw_files())}
    for day, count in archive.requests_by_day().items():
        with suppress(ValueError):  # a changed log entry
            date = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
            if days.isdisjoint(f"{date + timedelta(days=later):%Y%m%d}" for later in range(2)):
                detail = f"{count} requests of this day are logged, but there is no WARC file of the day"
                yield VerifyFault("missing file", day, detail, _RESTORE)


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
        self._response: Member | None = None  # the last record, if it is a response whose request must follow
        self._after_damage = False
        self._unpaired: list[int] = []

    def check(self) -> None:
        known_end = self._archive.known_end(self._name)
        with self._warc.try_lock(self._name) as alone:
            end = self._warc.size(self._name) if alone else known_end  # another process may be writing after it
        rows = self._archive.raw_of(self._name)
        row = next(rows, None)
        for item in self._warc.scan(self._name):
            if self._stopping():
                break
            if item.offset >= end:
                self._skip_rows(rows, row, end)
                break
            row = self._skip_rows(rows, row, item.offset)
            self._pair(item)
            if isinstance(item, Damage):
                row = self._damaged(rows, row, item, known_end)
            elif item.record is not None:
                row = self._compared(rows, row, item, item.record)
        else:
            self._skip_rows(rows, row, 1 << 62 if alone else end)
            if self._response is not None and self._response.offset < known_end:
                self._without_request(self._response)
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
            self._report.evidence_lost = True
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

    def _pair(self, item: Member | Damage) -> None:
        """Note a response without a request after it, and a request that does not belong to the response before it."""
        response, self._response = self._response, None
        after_damage, self._after_damage = self._after_damage, isinstance(item, Damage)
        if isinstance(item, Damage):
            return
        if item.head.warc_type == "request":
            if not after_damage and (response is None or not _belong_together(response.head, item.head)):
                self._unpaired.append(item.offset)
            return
        self._without_request(response)
        if item.head.warc_type == "warcinfo" and item.offset > 0:
            self._unpaired.append(item.offset)
        if item.head.warc_type == "response" and item.record is not None and item.record.origin is None:
            self._response = item

    def _without_request(self, response: Member | None) -> None:
        """Note a response without a request. If a crash cut off the request, nothing is wrong."""
        if response is not None and not self._warc.was_torn(self._name, response.offset + response.length):
            self._unpaired.append(response.offset)

    def _report_unmatched(self, known_end: int) -> None:
        """Report the records without rows and the rows without records, once for the whole file."""
        for offset in self._unpaired[:_NAMED]:
            detail = "a record that does not belong to the one before it: one of them was changed, added or removed"
            self._report.faults.append(
                VerifyFault("unpaired record", f"{self._name} at byte {offset}", detail, _RESTORE)
            )
        if rest := self._unpaired[_NAMED:]:
            detail = f"{len(rest)} more records that do not belong to the ones before them"
            self._report.faults.append(VerifyFault("unpaired record", self._name, detail, _RESTORE))
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
            self._report.evidence_lost = True


def _belong_together(response: RecordHead, request: RecordHead) -> bool:
    return (request.concurrent_to, request.date, request.url) == (response.record_id, response.date, response.url)


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
