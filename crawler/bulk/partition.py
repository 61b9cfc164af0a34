"""Read one partition: records → visits, with the pages parsed and repaired.

Boundary: reads a WARC file and returns values; the same bytes give the same values on every machine.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from crawler import plans, urls
from crawler.article_history import Visit
from crawler.bulk import addresses
from crawler.bulk.values import BulkSettings, Layout, LeftOut, PackedVisit, Partition, PartitionRead, pack
from crawler.errors import FetchError, MarkupDrift, NotAnArticle, ParserStopped, StopError
from crawler.parse import ending
from crawler.parse.garbled import GarbledText
from crawler.pipeline.captures import is_future
from crawler.pipeline.stored_pages import Repairer, parse_response, response_of
from crawler.purpose import Purpose, PurposeKind
from crawler.types import Fetched
from crawler.warc import Damage, Record, find_record, scan_file

_OK = 200
_NOTE = "metadata"
_PAGES = (PurposeKind.PAGE, PurposeKind.PROBED_PAGE, PurposeKind.ID, PurposeKind.CAPTURE)
_UNKNOWN_LAYOUT = "unknown-layout"
_STOPPED = "parser-stopped"

#: Is called with the byte offset and the address of each page before it is read.
Note = Callable[[int, str], object]


def read_partition(
    settings: BulkSettings, partition: Partition, skip: Collection[int] = (), note: Note = lambda _offset, _url: None
) -> PartitionRead:
    """Read a partition. Pages whose records begin at the byte offsets `skip` are left out.

    Raises:
        OSError: the file cannot be read.
        StopError: the parser process cannot be started.

    """
    reader = _PartitionReader(settings, partition, skip, note)
    with addresses.open_file(partition.file) as file:
        began = partition.start if partition.is_exact else find_record(file, partition.start)
        if began is None or began >= partition.end:
            return PartitionRead(None, partition.end)
        ended = began
        for item in scan_file(file, partition.file, began, partition.end):
            ended = item.offset + item.length
            if isinstance(item, Damage):
                reader.damage.append(item)
            elif item.record is not None:
                reader.add(item.record)
    return reader.result(began, ended)


class _RecordPage(NamedTuple):
    """The page of a record: its id, and why it was requested."""

    id: int
    kind: PurposeKind


class _PartitionReader:
    """Collects what the records of a partition say."""

    def __init__(self, settings: BulkSettings, partition: Partition, skip: Collection[int], note: Note) -> None:
        self.damage: list[Damage] = []
        self._settings = settings
        self._file = partition.file
        self._skip = skip
        self._note = note
        self._repair = _repairer(settings.make_repairer)
        self._learned = {markup.name for markup in settings.markups if markup.learned is not None}
        self._counts = Counter[str]()
        self._rejected = Counter[str]()
        self._visits: list[PackedVisit] = []
        self._layouts: list[Layout] = []
        self._left_out: list[LeftOut] = []
        self._has_drift = False

    def result(self, began: int, ended: int) -> PartitionRead:
        """Return what was collected."""
        return PartitionRead(
            began,
            ended,
            self._counts["records"],
            self._counts["pages"],
            tuple(self._visits),
            dict(self._rejected),
            tuple(self.damage),
            tuple(self._layouts),
            tuple(self._left_out),
            self._has_drift,
        )

    def add(self, record: Record) -> None:
        """Read one record."""
        self._counts["records"] += 1
        purpose = Purpose.parse(record.purpose or "")
        if purpose is not None and purpose.kind is PurposeKind.LAYOUT:
            text = record.body.decode("utf-8", "replace")
            self._layouts.append(Layout(record.fetched_at, record.ref.offset, text))
        page = _page_of(record, purpose)
        if page is None:
            return
        visit = self._visit(record, page)
        if visit is not None:
            self._visits.append(PackedVisit(visit.page, visit.key, pack(visit)))

    def _visit(self, record: Record, page: _RecordPage) -> Visit | None:
        place = (self._file, record.ref.offset)
        is_import = page.kind is PurposeKind.CAPTURE
        visit = Visit(page.id, record.fetched_at, place, record.url, record.status, is_import=is_import)
        if record.warc_type == _NOTE or record.status != _OK:
            absent = plans.id_verdict(page.id, record.status, record.url, None) == "absent"
            return None if page.kind is PurposeKind.ID and absent else visit
        self._counts["pages"] += 1
        try:
            fetched = response_of(record)
        except FetchError as error:  # the body cannot be decompressed
            self.damage.append(Damage(self._file, record.ref.offset, record.ref.length, str(error), torn=False))
            return None
        if record.ref.offset in self._skip:
            return replace(visit, status=0)
        self._note(record.ref.offset, record.url)
        try:
            return self._parsed(visit, fetched, page)
        except StopError:
            raise
        except Exception:  # noqa: BLE001 - a bug that one page reveals; the page is named in the report
            self._left_out.append(LeftOut(self._file, record.ref.offset, record.url, traceback.format_exc()))
            return replace(visit, status=0)

    def _parsed(self, visit: Visit, fetched: Fetched, page: _RecordPage) -> Visit | None:
        """Return a visit with what the page shows; None for a request by id that shows no such article."""
        visit = replace(visit, is_cut_off=ending.is_cut_off(fetched.content))
        try:
            article = parse_response(fetched, self._settings.markups, self._settings.site)
        except ParserStopped:
            self._rejected[_STOPPED] += 1
            return replace(visit, status=0)
        except (NotAnArticle, MarkupDrift) as error:
            self._has_drift |= isinstance(error, MarkupDrift)
            self._rejected[error.rejection if isinstance(error, NotAnArticle) else _UNKNOWN_LAYOUT] += 1
            rejection = error.rejection if isinstance(error, NotAnArticle) else None
            return None if _is_absent(page, fetched, error) else replace(visit, rejection=rejection)
        self._has_drift |= article.markup in self._learned
        if _is_absent(page, fetched, article.post_id):
            return None
        garbled = GarbledText(article, fetched.content, fetched.header("Content-Type"))
        return replace(
            visit, article=article, reading=self._repair(article), garbled=garbled if garbled.damaged else None
        )


def _page_of(record: Record, purpose: Purpose | None) -> _RecordPage | None:
    """Return the page of a record; None if the record does not belong to a page, or is a capture from the future."""
    if purpose is None or purpose.kind not in _PAGES:
        return None
    is_capture = purpose.kind is PurposeKind.CAPTURE
    key = urls.post_id(record.url) if is_capture else purpose.post_id
    if is_capture and record.written_at is not None and is_future(record.fetched_at, record.written_at):
        return None
    return _RecordPage(key, purpose.kind) if key is not None else None


def _is_absent(page: _RecordPage, fetched: Fetched, found: int | NotAnArticle | MarkupDrift | None) -> bool:
    """Whether a response to a request by id says that there is no such article."""
    is_id = page.kind is PurposeKind.ID
    return is_id and plans.id_verdict(page.id, fetched.status, fetched.url, found) == "absent"


@lru_cache(maxsize=1)
def _repairer(make: Callable[[], Repairer]) -> Repairer:
    """Return the function that repairs articles; the lexicon is loaded once in each worker."""
    return make()
