"""Reads the WARC files of a replay ahead in worker processes: partitions of files in, records and prepared pages out.

A partition begins at the first record after a byte offset. Whether a record begins there cannot be told for sure: a page may
contain the bytes of one. So a worker process reports where it began and ended. This process itself reads a partition that
did not begin where the one before it ended, and one whose worker process was killed. So the records are those that it would
read alone, in the same order.

Boundary: reads WARC files. What a record means is decided by the process that replays it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from crawler.errors import FetchError
from crawler.pipeline import Run
from crawler.pipeline.prepared import ListRequested, PageInputs, PageKey, PreparedPage, Preparer
from crawler.pipeline.recorded_settings import with_settings
from crawler.pipeline.stored_pages import Reader, response_of
from crawler.purpose import Purpose, PurposeKind
from crawler.replay.record_stream import purpose_of
from crawler.types import SourceKind
from crawler.warc import Damage, Member, Record, WarcStore
from crawler.worker_processes import Pending, TaskLost, Workers

_PARTITION = 400_000  # bytes
_MOST = 30_000_000  # bytes of responses, as sent and decoded: a worker process stops there, and this one reads the rest
_OK = 200
_PAGES = frozenset({PurposeKind.PAGE, PurposeKind.PROBED_PAGE, PurposeKind.ID, PurposeKind.CAPTURE})


@dataclass(frozen=True, slots=True)
class FilePartition:
    """The records of a WARC file that begin at the byte offsets from `start` to `end`, without `end`.

    `inputs` are the layouts and the site with which their pages are read, `kinds` the kinds of the known sources by address.
    """

    name: str
    start: int
    end: int
    inputs: PageInputs
    kinds: Mapping[str, SourceKind]


@dataclass(frozen=True, slots=True)
class FilePartitionRead:
    """What a partition contains: `began` is the byte offset of its first record, if it has one; `ended` is the end of its last."""

    began: int | None
    ended: int
    items: list[Member | Damage]
    pages: list[PreparedPage]


class ReadAhead:
    """Reads files of an archive in advance, in the order of `names`, as the replay by `run` needs them."""

    def __init__(self, run: Run, names: Sequence[str], workers: Workers[FilePartition, FilePartitionRead]) -> None:
        self._run = run
        self._workers = workers
        self._sizes = {name: run.warc.size(name) for name in names}
        self._unfinished = deque(names)  # files of which not all partitions have been submitted
        self._reached = dict.fromkeys(names, 0)  # where the next partition begins that has not been submitted
        self._submitted: dict[tuple[str, int], tuple[Pending[FilePartition], PageInputs]] = {}

    def read(self, name: str) -> Iterator[Member | Damage]:
        """Yield the records of a file, as `WarcStore.scan` does, and keep their pages in `run.prepared`."""
        position = 0
        kept: deque[list[PageKey]] = deque()
        for start in range(0, self._sizes[name], _PARTITION):
            end = min(start + _PARTITION, self._sizes[name])
            partition, inputs = self._take(name, start)
            if partition is not None and partition.began == position:
                kept.append(self._run.prepared.add(partition.pages, inputs))
                yield from partition.items
                position = partition.ended
            if position < end:
                for item in self._run.warc.scan(name, position, end):
                    yield item
                    position = item.offset + item.length
            if len(kept) > 1:  # a visit may read on into the next partition
                self._run.prepared.remove(kept.popleft())
        for keys in kept:
            self._run.prepared.remove(keys)

    def _take(self, name: str, start: int) -> tuple[FilePartitionRead | None, PageInputs]:
        """Return what a partition contains, and what its pages were read with; None if its process was killed."""
        while (name, start) not in self._submitted:
            self._submit(name)
        pending, inputs = self._submitted.pop((name, start))
        self._submit_ahead(name)
        try:
            return self._workers.result(pending), inputs
        except TaskLost:
            return None, inputs

    def _submit_ahead(self, current: str) -> None:
        """Submit the partitions that follow in a file, and those of the next files, so that no process has to wait."""
        waiting = sum(name == current for name, _ in self._submitted)
        while waiting < self._workers.ahead and self._reached[current] < self._sizes[current]:
            self._submit(current)
            waiting += 1
        while self._unfinished and len(self._submitted) < self._workers.ahead:
            if self._reached[self._unfinished[0]] < self._sizes[self._unfinished[0]]:
                self._submit(self._unfinished[0])
            else:
                self._unfinished.popleft()

    def _submit(self, name: str) -> None:
        start = self._reached[name]
        self._reached[name] += _PARTITION
        site = with_settings(self._run, self._run.warc.run_settings(name)).site
        inputs = PageInputs(self._run.layouts, site)
        kinds = self._run.archive.source_kinds()
        partition = FilePartition(name, start, min(start + _PARTITION, self._sizes[name]), inputs, kinds)
        self._submitted[name, start] = self._workers.submit(partition), inputs


@contextmanager
def reading_ahead(run: Run, names: Sequence[str], jobs: int) -> Iterator[Callable[[str], Iterable[Member | Damage]]]:
    """Yield the function that returns the records of a file; `jobs` processes read ahead if there is more than one.

    Raises:
        StopError: no process can be started.

    """
    if jobs == 1:
        yield run.warc.scan
        return
    with Workers(jobs, partial(_partition_reader, run.make_reader)) as workers:
        yield ReadAhead(run, names, workers).read


def _partition_reader(make_reader: Callable[[], Reader]) -> Callable[[FilePartition], FilePartitionRead]:
    reader = make_reader()
    return partial(_read_partition, reader.warc, Preparer(reader.repair))


def _read_partition(warc: WarcStore, preparer: Preparer, partition: FilePartition) -> FilePartitionRead:
    began = warc.next_record(partition.name, partition.start) if partition.start else 0
    if began is None or began >= partition.end:
        return FilePartitionRead(None, partition.end, [], [])
    found, size = FilePartitionRead(began, began, [], []), 0
    for item in warc.scan(partition.name, began, partition.end):
        found.items.append(item)
        found = replace(found, ended=item.offset + item.length)
        if isinstance(item, Member) and item.record is not None:
            pages = _prepared(preparer, item.record, partition)
            found.pages.extend(pages)
            size += len(item.record.body) + sum(len(page.fetched.content) for page in pages)
        if size > _MOST:
            break
    return found


def _prepared(preparer: Preparer, record: Record, partition: FilePartition) -> list[PreparedPage]:
    """Return the response of a record, read as a page or list if it may be one; nothing if it cannot be decoded."""
    try:
        fetched = response_of(record)
    except FetchError:  # the process that replays the record reports it
        return []
    purpose = purpose_of(record)
    if record.status == _OK and purpose is not None:
        if purpose.kind in _PAGES:
            return [preparer.prepare(fetched, partition.inputs)]
        if (listed := _list_of(record, purpose, partition.kinds)) is not None:
            return [preparer.prepare_list(fetched, listed, partition.inputs)]
    return [PreparedPage(fetched)]


def _list_of(record: Record, purpose: Purpose, kinds: Mapping[str, SourceKind]) -> ListRequested | None:
    """Return the list for which a record was requested, according to the record itself. The request may have been redirected."""
    if purpose.kind is PurposeKind.SOURCE and purpose.subject in kinds:
        return ListRequested(kinds[purpose.subject], purpose.subject, None)
    if purpose.kind is PurposeKind.LIST:
        kind, source = purpose.listed_source
        return ListRequested(kind, source, record.url) if kind is not None else None
    return None
