"""Rebuild the database from the WARC files alone, and compare it with the old one.

Boundary: only calls other modules in the right order; the caller chooses the folder and decides
whether the new database replaces the old one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from crawler.errors import Interrupted, StorageError
from crawler.outcome import PercentPhase
from crawler.pipeline import Progress, Run, Silent
from crawler.replay.read_ahead import reading_ahead
from crawler.replay.record_stream import FileStream, RecordStream, file_streams, written_at
from crawler.replay.replayer import Replayer, ReplayReport
from crawler.storage import open_archive
from crawler.storage.base import has_content
from crawler.storage.diff_db import TableDifference, attached, compare, copy_logs
from crawler.warc import Damage, Record

_BATCH = 500  # records in one transaction: the search index is written once for all of them
#: Tables that must not lose rows, whatever the version of the parser.
NEVER_LOST = ("raw", "articles", "revisions", "pages", "sightings", "states")


@dataclass
class RebuildReport:
    """What a rebuild replayed, and how the new database differs from the old one.

    `bug` is the first exception that is a bug of this program; its item is quarantined in the new database. `tables` is
    empty if there was no old database. `unread` is a text that says why the old database could not be read.
    """

    replayed: ReplayReport = field(default_factory=ReplayReport)
    bug: Exception | None = None
    tables: list[TableDifference] = field(default_factory=list)
    unread: str | None = None

    @property
    def differing(self) -> list[TableDifference]:
        """The tables that should be equal in both databases but are not."""
        return [table for table in self.tables if table.kind == "evidence" and table.differing]

    @property
    def lost(self) -> list[TableDifference]:
        """The tables in which the old database has evidence that the new one does not have.

        These are rows that only the old database has, and captures with another date, digest or place in it. Such a
        difference does not come from another parser or layout, but from WARC files that were changed or lost.
        """
        return [t for t in self.differing if (t.only_old and t.table in NEVER_LOST) or (t.changed and t.table == "raw")]


def rebuild(run: Run, old: Path, *, jobs: int = 1) -> RebuildReport:
    """Fill an empty archive from the WARC files of its folder, and compare it with the old database if there is one.

    If `jobs` is greater than 1, that many worker processes read and parse ahead; this process decides and writes.

    What no WARC record contains (the log of runs and requests, plans, incidents) is copied from the old database, which is
    not compared if it has an older schema.

    Raises:
        Interrupted: a stop was requested; the old database is unchanged.
        StopError: no process can be started.

    """
    names = run.warc.names()
    with reading_ahead(run, names, jobs) as read:
        report = RebuildReport(*replay_files(run, file_streams(run.warc, names, read), sum(map(run.warc.size, names))))
    if not has_content(old):
        return report
    try:
        open_archive(old.parent, read_only=True).close()  # raises an error if it cannot be compared
        with attached(run.archive.db, old), run.archive.transaction():
            copy_logs(run.archive.db)
            report.tables = compare(run.archive.db)
    except StorageError as error:
        report.unread = str(error)
    return report


def replay_files(run: Run, files: Sequence[FileStream], size: int) -> tuple[ReplayReport, Exception | None]:
    """Replay files of `size` bytes in total into the empty archive of a run.

    Return what was replayed, and the first exception that is a bug of this program, or None.

    Raises:
        Interrupted: a stop was requested.

    """
    progress = _ReplayProgress(run.progress, size)
    run.archive.expect_many_writes()
    run.archive.begin_clock_period(max((file.period for file in files), default=0))
    replayer = Replayer(replace(run, progress=Silent()), RecordStream(files))
    last: Record | None = None
    items = iter(replayer.stream)
    for item in items:
        # not a list of items: the replayer takes further records of a visit from the same stream
        batch = itertools.chain([item], itertools.islice(items, _BATCH - 1))
        last = _replay_batch(replayer, progress, run, batch) or last
    if last is not None:
        newest = max(reversed(files), key=lambda file: file.order)  # of equal ones, the last by name
        replayer.finish(newest.settings, written_at(last))
    return replayer.report, replayer.bug


def _replay_batch(
    replayer: Replayer, progress: _ReplayProgress, run: Run, items: Iterable[Record | Damage]
) -> Record | None:
    """Replay a batch in one transaction; return its last record, or None if it consists of damaged sections only.

    Raises:
        Interrupted: a stop was requested.

    """
    last: Record | None = None
    with run.archive.transaction():
        for item in items:
            replayer.replay(item)
            if run.stopping():
                raise Interrupted(
                    "stopped on request; the old database is unchanged", "run `vna rebuild` to start over"
                )
            if isinstance(item, Record):
                last = item
                progress.count(item, replayer.report)
    return last


class _ReplayProgress:
    """Reports how many percent of the bytes have been replayed."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._phase = PercentPhase(progress, "rebuild", size)
        self._read = 0

    def count(self, record: Record, report: ReplayReport) -> None:
        """Count the bytes of a record that has been replayed."""
        self._read += record.ref.length
        self._phase.reach(self._read, f"{record.fetched_at:%Y-%m-%d}: {report.records} records, {report.visits} visits")
