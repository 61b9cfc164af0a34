"""The whole database again, from the WARC files alone; and the comparison with the old one.

Boundary: order only; which folder, and whether the new database takes the place of the old, is the caller's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from crawler.errors import Interrupted, StorageError
from crawler.pipeline import Context, Progress, Silent
from crawler.pipeline.source_selection import configure
from crawler.replay.record_stream import Reel, strips
from crawler.replay.replayer import Played, Player
from crawler.storage import open_archive
from crawler.storage.diff_db import TableDifference, beside, compare, take_over
from crawler.warc import Damage, Record

_BATCH = 50  # records a transaction


@dataclass
class Rebuilt:
    """What a rebuild read, and how the new database differs from the old one (empty when there was none to read).

    `bug` is the first error of the program's own; what it was about is put off in the new database.
    """

    played: Played = field(default_factory=Played)
    bug: Exception | None = None
    tables: list[TableDifference] = field(default_factory=list)
    unread: str | None = None  # why the old database could not be read

    @property
    def differing(self) -> list[TableDifference]:
        """The tables that should be equal and are not."""
        return [table for table in self.tables if table.kind == "evidence" and table.differing]

    @property
    def lost(self) -> list[TableDifference]:
        """The tables of which the old database has articles or revisions that the new one has not."""
        return [t for t in self.differing if t.table in ("articles", "revisions") and t.only_old]


def rebuild(context: Context, old: Path) -> Rebuilt:
    """Fill an empty archive from the WARC files that its folder shows; compare it with the old database, if there is one.

    What no evidence tells (the log of runs and requests, plans, alarms) is taken over from the old one.
    """
    report = Rebuilt(*_play(context))
    if not old.exists():
        return report
    try:
        open_archive(old.parent).close()  # an older one is brought up to date first
        with beside(context.archive.db, old), context.archive.transaction():
            take_over(context.archive.db)
            report.tables = compare(context.archive.db)
    except StorageError as error:
        report.unread = str(error)
    return report


def _play(context: Context) -> tuple[Played, Exception | None]:
    names = context.warc.names()
    progress = _Percent(context.progress, sum(map(context.warc.size, names)))
    player = Player(replace(context, progress=Silent()), Reel(strips(names, context.warc.scan)))
    last: Record | None = None
    items = iter(player.reel)
    while batch := _taken_in(player, progress, context, items):
        last = batch
        if context.stopping():
            raise Interrupted("asked to stop; the old database is as it was", "run `vna rebuild` again: it begins anew")
    if last is not None:
        configure(context, last.fetched_at)
    return player.report, player.bug


def _taken_in(player: Player, progress: _Percent, context: Context, items: Iterator[Record | Damage]) -> Record | None:
    """Take in a batch; give its last record."""
    last: Record | None = None
    with context.archive.transaction():
        for item in itertools.islice(items, _BATCH):
            player.play(item)
            if isinstance(item, Record):
                last = item
                progress.read(item, player.report)
    return last


class _Percent:
    """One step for each hundredth of the bytes."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._size = max(1, size)
        self._read = 0
        self._told = 0
        progress.phase("rebuild", 100)

    def read(self, record: Record, played: Played) -> None:
        """Count a record's bytes."""
        self._read += record.ref.length
        while self._told < self._read * 100 // self._size:
            self._told += 1
            self._progress.step(f"{record.fetched_at:%Y-%m-%d}: {played.records} records, {played.visits} visits")
