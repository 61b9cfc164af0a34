"""Read all partitions of some WARC files, so that each record is read exactly once, with all layouts.

A partition begins at the first record after a byte offset. Whether one begins there cannot be told for sure: a page may
contain the bytes of a record. So each worker reports where it began and ended, and a partition that did not begin where
the one before it ended is read again from there. The result is that of one process which reads each file from its start.

Boundary: asks an engine for the work, and keeps the visits in a temporary file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, TypeVar

from crawler import markup
from crawler.bulk.engine import Engine, stop_for
from crawler.bulk.store import Store, StoredBytes
from crawler.bulk.values import (
    BulkSettings,
    Failed,
    MonthWritten,
    OtherCode,
    Partition,
    PartitionRead,
    ReadTask,
    Result,
)
from crawler.errors import ConfigError
from crawler.markup import Markup
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import Progress


class StoredVisit(NamedTuple):
    """A visit in the temporary file, and the values by which visits are grouped."""

    page: int
    key: int
    slot: StoredBytes


_R = TypeVar("_R", PartitionRead, MonthWritten)


def checked(result: Result, settings: BulkSettings, kind: type[_R]) -> _R:
    """Return a result of the expected kind.

    Raises:
        StopError: the worker could not do the task.

    """
    if isinstance(result, Failed | OtherCode):
        raise stop_for(result, settings.code)
    assert isinstance(result, kind)
    return result


class PartitionSet:
    """The partitions of some files, and what was found in each of them.

    After `read`, `settings` has all learned layouts that the WARC files contain, and `found` the results without the
    visits, which are in `visits`.
    """

    def __init__(self, engine: Engine, settings: BulkSettings, progress: Progress) -> None:
        self.engine = engine
        self.settings = settings
        self.progress = progress
        self.found: dict[Partition, PartitionRead] = {}
        self.visits: dict[Partition, list[StoredVisit]] = {}

    def read(self, files: Sequence[tuple[str, int]], size: int, store: Store) -> None:
        """Read files, given with their sizes, in partitions of `size` bytes, and put the visits into `store`.

        Raises:
            StopError: a file cannot be read, or the workers cannot run the tasks.

        """
        partitions = {name: _split(name, total, size) for name, total in files}
        self._run([one for parts in partitions.values() for one in parts], store)
        for name, parts in partitions.items():
            partitions[name] = self._join(parts, store)
        learned = self._learned()
        if learned != [one for one in self.settings.markups if one.learned is not None]:
            written = (one for one in self.settings.markups if one.learned is None)
            self.settings = replace(self.settings, markups=(*written, *learned))
            self._run([one for parts in partitions.values() for one in parts if self.found[one].has_drift], store)

    def _run(self, partitions: Iterable[Partition], store: Store) -> None:
        tasks = [ReadTask(self.settings, partition) for partition in partitions]
        self.progress.phase("partitions", len(tasks))
        for task, result in self.engine.results(tasks):
            assert isinstance(task, ReadTask)
            read = checked(result, self.settings, PartitionRead)
            self.visits[task.partition] = [StoredVisit(one.page, one.key, store.add(one.packed)) for one in read.visits]
            self.found[task.partition] = replace(read, visits=())
            self.progress.step(Outcome(OutcomeKind.PROGRESS, detail=f"{task}: {read.pages} pages"))

    def _join(self, partitions: Sequence[Partition], store: Store) -> list[Partition]:
        """Return the partitions of a file so that each begins where the one before it ended; read some again for this."""
        joined: list[Partition] = []
        end = 0
        for partition in partitions:
            following = partition
            if end >= partition.end:  # a record of an earlier partition reaches beyond this one
                self._forget(partition)
                continue
            if self.found[partition].began != end:
                self._forget(partition)
                following = replace(partition, start=end, is_exact=True)
                self._run([following], store)
            joined.append(following)
            end = self.found[following].ended
        return joined

    def _forget(self, partition: Partition) -> None:
        del self.found[partition], self.visits[partition]

    def _learned(self) -> list[Markup]:
        """Return the learned layouts in the files; a later one replaces one with the same name, as in the archive."""
        layouts = [
            (one.at, partition.file, one.offset, one.text)
            for partition, read in self.found.items()
            for one in read.layouts
        ]
        found: dict[str, Markup] = {}
        for *_, text in sorted(layouts):
            with suppress(ConfigError):
                layout = markup.load("learned layout", text)
                found[layout.name] = layout
        return list(found.values())


def _split(file: str, total: int, size: int) -> list[Partition]:
    return [Partition(file, start, min(start + size, total), is_exact=start == 0) for start in range(0, total, size)]
