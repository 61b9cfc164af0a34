"""One run: the parts that it works with, its settings, and its row in the database.

Boundary: no decision is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from crawler.article_values import ArticleValues, article_values
from crawler.clock import Clock
from crawler.discover import Discovery, sitemaps
from crawler.fetch.client import Fetcher
from crawler.health.figures import Size
from crawler.markup import Markup
from crawler.outcome import Progress
from crawler.pictures import KeptPictures
from crawler.pipeline.prepared import ListRequested, PageInputs, PreparedPages, read_list
from crawler.pipeline.stored_pages import Reader, Repairer, learned_layouts
from crawler.purpose import ROBOTS, Purpose
from crawler.schedule import PollBounds
from crawler.site import Site
from crawler.storage import Archive
from crawler.storage.crash_marker import CrashMarker
from crawler.types import Article, Fetched, RawRef, RunReport, SourceKind
from crawler.warc import WarcStore

_OK = 200


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The part of the configuration that a run depends on.

    `list_pages` is the largest number of pages to read from one list. `min_interval` and `max_interval` are the bounds
    of the time between two polls of a source; within them, it is polled once `articles_per_poll` new articles are
    expected. `id_probes` is the largest number of requests by id in a day.

    `add` has the paths or addresses of sources to poll in addition to those that the site names. `exclude` has the
    patterns of sources not to poll. `names` has the names to give to sources, by path.

    `reads_on_for_any`: whether one new article on a page of a list is enough to read its next page. It is true only in a
    replay of records of versions that did so.

    `pictures` says which pictures of articles to request. No row depends on it: the WARC has a record of each request.
    """

    list_pages: int = 20
    min_interval: timedelta = timedelta(minutes=5)
    max_interval: timedelta = timedelta(hours=6)
    articles_per_poll: float = 2.0
    id_probes: int = 2000
    add: Sequence[str] = ()
    exclude: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    reads_on_for_any: bool = False
    pictures: KeptPictures = field(default_factory=KeptPictures)

    @property
    def poll_bounds(self) -> PollBounds:
        """The bounds of the time between two polls of a source, and how many articles it should find."""
        return PollBounds(self.min_interval, self.max_interval, self.articles_per_poll)


class PendingCapture(NamedTuple):
    """A capture that is in the WARC but has no row yet."""

    fetched: Fetched
    ref: RawRef
    purpose: Purpose


@dataclass
class Run:
    """The parts that a run works with; `app` builds it.

    `make_reader` builds the readers of `reparse`. `stopping` returns whether a stop was requested. `measure` takes
    a day (ISO 8601) and returns the archive size to record for it; if `measure` is None, no size is recorded.

    `markups` are the layouts that people have written; `layouts` adds those that the archive has learned.

    `id` is the id of the run's row in the database, 0 before the row exists. `pending` has the captures whose rows the
    next transaction writes; `capture_ids` has the row ids of the captures that were written last.

    `pictures_unavailable`: whether the host of the pictures could not be reached, so that this run requests no more of them.
    `prepared` has the pages that other processes have read ahead.
    """

    site: Site
    archive: Archive
    warc: WarcStore
    fetcher: Fetcher
    markups: Sequence[Markup]
    repair: Repairer
    clock: Clock
    progress: Progress
    make_reader: Callable[[], Reader]
    crash_marker: CrashMarker
    settings: RunSettings = field(default_factory=RunSettings)
    stopping: Callable[[], bool] = lambda: False
    measure: Callable[[str], Size] | None = None
    id: int = 0
    pending: list[PendingCapture] = field(default_factory=list)
    capture_ids: dict[RawRef, int] = field(default_factory=dict)
    report: RunReport = field(default_factory=RunReport)
    pictures_unavailable: bool = False
    prepared: PreparedPages = field(default_factory=PreparedPages)
    _learned: tuple[list[RawRef], tuple[Markup, ...]] = ([], ())

    @property
    def layouts(self) -> Sequence[Markup]:
        """All layouts with which pages are read now, also those that another process has just adopted."""
        captures = self.archive.layout_captures()
        if captures != self._learned[0]:
            self._learned = captures, learned_layouts(captures, self.warc)
        return (*self.markups, *self._learned[1])

    def values(self, article: Article) -> ArticleValues:
        """Return the repaired text, the hashes and the text for the search of an article."""
        return self.prepared.values(article) or article_values(article, self.repair(article))

    def discovery(self, kind: SourceKind, source: str, fetched: Fetched, asked: str | None) -> Discovery:
        """Return what a response of the source at the address `source` lists; `asked` is the requested address, if it counts.

        Raises:
            UnreadableSource: the response cannot be read as a list of this kind.

        """
        listed, inputs = ListRequested(kind, source, asked), PageInputs(self.layouts, self.site)
        return self.prepared.discovery(fetched, listed, inputs) or read_list(fetched, listed, inputs)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction that first writes the rows of all pending captures and requests.

        `capture_ids` then has the row ids of these captures. A row has the time of the response, not the time of
        writing, so that a rebuild from the same WARC files gives the same rows. After a rollback the captures are
        pending again.
        """
        pending = self.pending[:]
        try:
            with self.archive.transaction():
                self.write_pending()
                yield
        except BaseException:
            self.pending[:] = pending
            raise

    def write_pending(self) -> None:
        """Write the rows of pending captures and requests. Needs an open transaction."""
        if self.pending:
            self.capture_ids = {capture.ref: self.write_capture(capture) for capture in self.pending}
        self.pending.clear()
        exchanges = self.fetcher.drain()
        self.archive.log_requests(self.id, exchanges)
        self.report.requests += len(exchanges)
        self.report.bytes += sum(exchange.size for exchange in exchanges)

    def write_capture(self, capture: PendingCapture) -> int:
        """Write the row of a capture and return its id. For a robots.txt, also add the sitemaps that it names."""
        fetched = capture.fetched
        raw_id = self.archive.add_raw(
            fetched.url, fetched.fetched_at, fetched.status, capture.ref, str(capture.purpose)
        )
        if capture.purpose == ROBOTS and fetched.status == _OK:
            rules = fetched.content.decode("utf-8", "replace")
            named = sitemaps.named_by_robots(rules, fetched.url, self.site)
            self.archive.add_sources(named, fetched.fetched_at)
        return raw_id

    def drop_pending(self) -> None:
        """Forget the pending captures of an abandoned visit; crash recovery ingests them from the WARC files."""
        self.pending.clear()


@contextmanager
def recorded(run: Run, command: str) -> Iterator[None]:
    """Write the run's row when the block begins and again when it ends, even if the block raises an exception."""
    started = run.clock.now()
    run.pictures_unavailable = False  # the service keeps its parts for many runs
    run.id = run.archive.begin_run(command, started)
    if run.measure is not None:
        run.archive.record_size(started, run.measure)
    outcome = "stopped"
    try:
        yield
        outcome = "done"
    finally:
        if outcome == "stopped":
            run.drop_pending()
        with run.archive.transaction():
            run.write_pending()
        ended: datetime = run.clock.now()
        run.report.seconds = round((ended - started).total_seconds(), 3)
        run.archive.end_run(run.id, ended, outcome, run.report)
