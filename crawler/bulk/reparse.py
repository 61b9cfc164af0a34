"""Reparse WARC files into a Parquet dataset: read all partitions, decide, write one file per month.

Boundary: asks an engine for the work, keeps its results in temporary files, and writes the dataset. Memory grows with the
number of captures, not with their texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from crawler import dataset
from crawler.article_history import CurrentArticle, connected, current_articles
from crawler.bulk.addresses import warc_files
from crawler.bulk.engine import Engine
from crawler.bulk.partitions import PartitionSet, checked
from crawler.bulk.store import Store, StoredBytes
from crawler.bulk.values import BulkSettings, LeftOut, MonthWritten, WriteTask, pack, unpack
from crawler.clock import monotonic_seconds, to_text
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import Progress
from crawler.pipeline.articles import publication_day
from crawler.types import StoredArticle
from crawler.warc import Damage

_LARGEST = 64_000_000  # bytes of a partition
_SMALLEST = 250_000
_TASKS_PER_WORKER = 16  # so that all workers end at about the same time


@dataclass
class BulkReport:
    """What a reparse into a dataset found.

    `bytes` is the size of the WARC files. `records` are those of the kinds that rows refer to, `pages` the responses with
    a page. `rejected` has the number of pages without an article by reason. `unreadable` has the parts of files that are
    not readable records, and `left_out` the pages that crash the program. `retried` is the number of tasks that were
    started again because their worker was lost.
    """

    files: int = 0
    bytes: int = 0
    partitions: int = 0
    retried: int = 0
    workers: int = 0
    records: int = 0
    pages: int = 0
    articles: int = 0
    seconds: float = 0.0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: list[Damage] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def reparse_files(
    source: str,
    out: Path,
    engine: AbstractContextManager[Engine],
    settings: BulkSettings,
    progress: Progress,
    *,
    size: int | None = None,
) -> BulkReport:
    """Write the articles in the WARC files at `source` to the dataset `out`, and replace the dataset that is there.

    `engine` is entered when the files and the folder have been checked. `size` is the size of a partition in bytes, by
    default one that gives each worker some partitions.

    Raises:
        BadInput: there are no WARC files, or `out` cannot be written or contains other files.
        StopError: a library is not installed, a file cannot be read, or the workers cannot run the tasks.

    """
    begun = monotonic_seconds()
    files = warc_files(source)
    report = BulkReport(len(files), sum(length for _, length in files))
    with dataset.replaced(out) as months:
        with engine as running:
            report.workers = running.workers
            chosen = size or min(_LARGEST, max(_SMALLEST, report.bytes // (running.workers * _TASKS_PER_WORKER)))
            _write(report, PartitionSet(running, settings, progress), files, chosen, months)
        report.retried = running.retried
        months.finish()
    report.seconds = round(monotonic_seconds() - begun, 3)
    return report


def _write(
    report: BulkReport,
    partitions: PartitionSet,
    files: Sequence[tuple[str, int]],
    size: int,
    months: dataset.MonthFiles,
) -> None:
    with Store.opened(months.scratch / "visits") as visits, Store.opened(months.scratch / "articles") as articles:
        partitions.read(files, size, visits)
        _count(report, partitions)
        rows = _Rows(partitions, visits, articles)
        partitions.progress.phase("months", len(rows.months))
        for task, result in partitions.engine.results(rows.tasks()):
            assert isinstance(task, WriteTask)
            months.add(task.month, checked(result, partitions.settings, MonthWritten).data)
            detail = f"{task.month}: {len(task.articles)} articles"
            partitions.progress.step(Outcome(OutcomeKind.PROGRESS, detail=detail))
    report.articles = rows.count


def _count(report: BulkReport, partitions: PartitionSet) -> None:
    found = [read for _, read in sorted(partitions.found.items(), key=lambda item: (item[0].file, item[0].start))]
    report.partitions = len(found)
    report.records = sum(read.records for read in found)
    report.pages = sum(read.pages for read in found)
    report.rejected = dict(sorted(sum((Counter(read.rejected) for read in found), Counter[str]()).items()))
    report.unreadable = [damage for read in found for damage in read.damage]
    report.left_out = [page for read in found for page in read.left_out]


class _Rows:
    """The rows of the dataset in a temporary file, by month."""

    def __init__(self, partitions: PartitionSet, visits: Store, articles: Store) -> None:
        self.months: dict[str, list[tuple[str, int, StoredBytes]]] = {}
        self.count = 0
        self._settings = partitions.settings
        self._articles = articles
        learned = {one.name: one.learned for one in partitions.settings.markups if one.learned is not None}
        found = (visit for stored in partitions.visits.values() for visit in stored)
        for group in connected(found):
            current = current_articles((unpack(visits.read(one.slot)) for one in group), learned)
            for key, article in current.items():
                self._add(key, article)

    def tasks(self) -> Iterator[WriteTask]:
        """Yield a task for each month, with the rows in the order of the export: by day and id."""
        for month, rows in sorted(self.months.items()):
            packed = tuple(self._articles.read(slot) for *_, slot in sorted(rows))
            yield WriteTask(self._settings.code, month, packed)

    def _add(self, key: int, current: CurrentArticle) -> None:
        reading = current.reading or self._settings.make_repairer()(current.article)
        row = StoredArticle(
            id=key,
            article=replace(current.article, post_id=key),
            reading=reading,
            revision=current.revision,
            state=current.state,
            first_seen_at=to_text(current.first_seen_at),
            checked_at=to_text(current.checked_at),
            parser=self._settings.code.parser,
            fetched_url=current.shown.url,
        )
        day = publication_day(current.article) or ""
        self.months.setdefault(dataset.month_of(current.article), []).append((day, key, self._articles.add(pack(row))))
        self.count += 1
