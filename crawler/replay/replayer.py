"""Replays WARC records with the code that processed them when they were fetched.

```
page:ID        a visit to a page                 source:URL  a poll of a source, with its further pages
plan:KIND:URL  a list of a backfill              id:ID       a request by id
probed:ID      an article fetched by the probe   capture:ID  an imported capture
image:URL      a picture of an article
import         the texts of an imported file     robots, …   only a row that refers to the record
```
Boundary: the purpose of a record selects the code that processes it; the pipeline decides what it means.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from crawler import urls
from crawler.backfill import id_probe, list_page
from crawler.clock import to_text
from crawler.errors import BadInput, BadStatus, ConfigError, FetchError, UnreadableSource
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import FetchFailure, Run, fetch, guarded, import_file, visit_page
from crawler.pipeline.captures import is_future, store_capture
from crawler.pipeline.layouts import adopt
from crawler.pipeline.pictures import visit_picture
from crawler.pipeline.quarantine import is_bug
from crawler.pipeline.recorded_settings import with_settings
from crawler.pipeline.run import PendingCapture
from crawler.pipeline.source_selection import configure
from crawler.pipeline.sources import poll_source, standing_sources
from crawler.purpose import ROBOTS, Purpose, PurposeKind
from crawler.replay.record_stream import RecordStream, purpose_of, written_at
from crawler.replay.replayed_io import ReplayedVisit, Unfinished, replayed_run
from crawler.types import SourceForPoll, SourceKind
from crawler.warc import Damage, Record

_IMPORT = "urn:vna-import:"
_METADATA = "metadata"  # a note about a failed request; no row refers to it


@dataclass
class ReplayReport:
    """How many records a replay has processed, and how many items there were by result.

    `unasked` counts responses that today's code would not request, and imported texts and captures that it cannot
    read. `future` counts imported captures that are dated after their import: they are kept, but no article is made of
    them. `unfinished` counts visits that were cut off half-way; the next run continues them. `bugs` counts visits that
    crashed this version of the program.
    """

    records: int = 0
    visits: int = 0
    captures: int = 0
    imports: int = 0
    robots: int = 0
    unasked: int = 0
    future: int = 0
    unfinished: int = 0
    damaged: int = 0
    bugs: int = 0

    @property
    def ingested(self) -> int:
        """The number of visits, captures, imports and other responses that were added to the database."""
        return self.visits + self.captures + self.imports + self.robots + self.unasked + self.future


class Replayer:
    """Replays a record stream into an archive. `live` is the run that continues visits that were cut off, or None.

    If `live` is None, a visit that crashes is quarantined and the replay goes on; `bug` is the exception of the first
    such visit.
    """

    def __init__(self, run: Run, stream: RecordStream, live: Run | None = None) -> None:
        self.report = ReplayReport()
        self.bug: Exception | None = None
        self.stream = stream
        self._live = live
        self._visit = ReplayedVisit(stream, run.prepared, live)
        self._settings = ""  # of `_run`, as recorded; empty for the configured ones
        self._configured = replayed_run(run, self._visit)
        self._run = with_settings(self._configured, self._settings)
        self._archive = run.archive
        self._handlers: dict[PurposeKind, Callable[[Record, Purpose], bool]] = {
            PurposeKind.PAGE: self._page,
            PurposeKind.SOURCE: self._source,
            PurposeKind.LIST: self._list,
            PurposeKind.ID: self._id,
            PurposeKind.PROBED_PAGE: self._probed_page,
            PurposeKind.IMAGE: self._image,
            PurposeKind.CAPTURE: self._capture,
            PurposeKind.IMPORT: self._import,
            PurposeKind.LAYOUT: self._layout,
        }

    def replay_all(self) -> None:
        """Replay all records of the stream."""
        for item in self.stream:
            self.replay(item)

    def replay(self, item: Record | Damage) -> None:
        """Replay one record, and the records after it that belong to the same visit."""
        if isinstance(item, Damage):
            self.report.damaged += 1
            return
        if purpose_of(item) == ROBOTS:  # it was requested for the response after it, and archived with that
            records = [item, *self.stream.follow_in_file(lambda record: record.purpose != str(ROBOTS))]
        else:
            records = [item]
        self._visit.begin(records)
        record = records[-1]
        self._apply_settings(record)
        purpose = purpose_of(record)
        handler = self._handlers.get(purpose.kind) if purpose is not None else None
        try:
            wanted = handler is not None and purpose is not None and self._handle(handler, record, purpose)
        except Unfinished:
            self._run.drop_pending()
            self.report.unfinished += 1
            return
        except Exception as error:
            if self._live is not None or not is_bug(self._run, error):
                raise
            self.report.bugs += 1
            self.bug = self.bug or error
            self._run.drop_pending()
            self._visit.archived.clear()  # their rows were rolled back
            wanted = True
        self.report.records += len(self._visit.records)
        self._write_other_rows(wanted=wanted or handler is None)

    def finish(self, settings: str, now: datetime) -> None:
        """Bring the rows of the sources in line with the last recorded settings."""
        self._run = with_settings(self._configured, settings)
        configure(self._run, now)

    def _apply_settings(self, record: Record) -> None:
        """Replay a record with the settings with which it was written; the configured ones if they are unknown."""
        if self.stream.settings != self._settings:
            is_change, self._settings = bool(self._settings), self.stream.settings
            self._run = with_settings(self._configured, self._settings)
            if is_change:
                configure(self._run, written_at(record))

    def _handle(self, handler: Callable[[Record, Purpose], bool], record: Record, purpose: Purpose) -> bool:
        """Replay a visit; return whether it used `record`.

        If the visit requests a response that the WARC does not hold, although other records follow, the original visit
        ended before this request. Therefore the visit is replayed again, and this time the request fails.
        """
        try:
            return handler(record, purpose)
        except Unfinished:
            if self.stream.is_last():
                raise
            self._run.drop_pending()
            self._visit.rewind()
            return handler(record, purpose)

    # --- handlers by purpose: each returns whether it used the record

    def _page(self, record: Record, purpose: Purpose) -> bool:
        post_id = purpose.post_id
        page = None if post_id is None else self._archive.page(post_id)
        if page is None or self._is_late(record, page.last_fetched_at):
            return False
        self._run.progress.step(visit_page(self._run, page))
        self.report.visits += 1
        return True

    def _source(self, record: Record, purpose: Purpose) -> bool:
        url = purpose.subject
        if record.url != url:
            return False
        source = self._archive.source(url) or self._standing_source(record, url)
        if source is None or self._is_late(record, self._archive.source_checked_at(source.url)):
            return False
        self._run.progress.step(poll_source(self._run, source))
        self.report.visits += 1
        return True

    def _list(self, record: Record, purpose: Purpose) -> bool:
        """Store the articles that a backfill list names; return whether the record was used.

        The progress of the backfill plan itself is not in the WARC.
        """
        kind, source = purpose.listed_source
        if kind is None or record.warc_type == _METADATA:
            return record.warc_type == _METADATA

        def quarantine(message: str, now: datetime, _: int | None) -> None:
            list_page.quarantine_list(self._run, kind, source, message, now)

        guarded(self._run, purpose, lambda: self._store_list(record, kind, source), quarantine)
        self.report.visits += 1
        return True

    def _store_list(self, record: Record, kind: SourceKind, source: str) -> None:
        purpose = Purpose.listing(kind, source)
        response = fetch(self._run, record.url, purpose)
        if isinstance(response, FetchFailure):  # only a redirect is archived, not the response at its target
            return
        try:
            found = list_page.parse_list(self._run, kind, source, record.url, response.fetched)
        except (BadStatus, UnreadableSource):
            found = None
        with self._run.crash_marker.processing(str(purpose)), self._run.transaction():
            if found is not None:
                list_page.store_list(self._run, kind, source, response.fetched, found)

    def _id(self, record: Record, purpose: Purpose) -> bool:
        post_id = purpose.post_id
        if post_id is None:
            return False
        page = self._archive.page(post_id)
        if record.warc_type == _METADATA or (page is not None and self._is_late(record, page.last_fetched_at)):
            return record.warc_type == _METADATA

        def quarantine(message: str, now: datetime, _: int | None) -> Outcome:
            id_probe.quarantine_id(self._run, post_id, message, now)
            return Outcome(OutcomeKind.FAILED, post_id, detail=message)

        outcome = guarded(self._run, purpose, lambda: self._store_probe(record, post_id), quarantine)
        self._run.progress.step(outcome)
        self.report.visits += 1
        return True

    def _store_probe(self, record: Record, post_id: int) -> Outcome:
        purpose = id_probe.purpose_of(post_id)
        response = fetch(self._run, record.url, purpose)
        if isinstance(response, FetchFailure):  # only a redirect is archived, not the response at its target
            return Outcome(OutcomeKind.FAILED, post_id, detail=str(response.error))
        with self._run.crash_marker.processing(str(purpose)):
            probed = id_probe.judge(self._run, post_id, response)
            with self._run.transaction():
                return id_probe.store_probe(self._run, post_id, probed)

    def _probed_page(self, record: Record, purpose: Purpose) -> bool:
        if purpose.post_id is None:
            return False
        page = self._archive.page(purpose.post_id)
        if page is not None and self._is_late(record, page.last_fetched_at):
            return False
        from crawler.pipeline.probe import visit  # noqa: PLC0415 - needs memory, and few records are of the probe

        fetched = visit(self._run, record.url)
        self._run.progress.step(Outcome(OutcomeKind.PROBED, url=fetched.url))
        self.report.visits += 1
        return True

    def _image(self, record: Record, purpose: Purpose) -> bool:
        known = self._archive.picture_row(purpose.subject)
        if record.url != purpose.subject or self._is_late(record, to_text(known.last_fetched_at) if known else None):
            return False
        self._run.progress.step(visit_picture(self._run, purpose.subject))
        self.report.visits += 1
        return True

    def _capture(self, record: Record, _: Purpose) -> bool:
        if urls.post_id(record.url) is None:
            return False
        if record.written_at is not None and is_future(record.fetched_at, record.written_at):
            self.report.future += 1
            return True  # the caller writes its row
        try:
            fetched = self._visit.response_of(record)
        except FetchError:  # a content coding that this version cannot decode
            return False
        self._visit.archived.add(record.ref)
        verdict = store_capture(
            self._run, fetched, record.ref, record.origin or "", record.written_at or record.fetched_at
        )
        self._run.progress.step(Outcome(OutcomeKind.CAPTURED, url=record.url, detail=verdict))
        self.report.captures += 1
        return True

    def _import(self, record: Record, _: Purpose) -> bool:
        name = unquote(record.url.removeprefix(_IMPORT))
        try:
            import_file(self._run, name, record.body.decode("utf-8"))
        except (
            BadInput,
            UnicodeDecodeError,
        ):  # not readable by this version; its row stays, so that the text can be read
            return False
        self.report.imports += 1
        return True

    def _layout(self, record: Record, _: Purpose) -> bool:
        """Adopt a learned layout again: the pages that it read then are read in the same state as then."""
        try:
            adopt(self._run, record.body.decode("utf-8"))
        except (ConfigError, UnicodeDecodeError):  # a layout that this version cannot use
            return False
        return True

    def _is_late(self, record: Record, visited: str | None) -> bool:
        """Whether crash recovery skips a record, because it is not newer than the last visit, at `visited`."""
        return self._live is not None and visited is not None and visited >= to_text(record.fetched_at)

    def _standing_source(self, record: Record, url: str) -> SourceForPoll | None:
        """Add the sources at fixed and configured addresses, as a poll does; return the source at `url`."""
        with self._archive.transaction():
            self._archive.add_sources(standing_sources(self._run), record.fetched_at)
        configure(self._run, record.fetched_at)
        return self._archive.source(url)

    # --- records that no handler archived

    def _write_other_rows(self, *, wanted: bool) -> None:
        """Write the rows of the records that no visit used: each response needs a row, so that it can be found.

        These records are counted as `unasked`, unless `wanted` is set.
        """
        used = self._visit.archived
        others = [r for r in self._visit.records if r.ref not in used and r.warc_type != _METADATA]
        if not others:
            return
        with self._archive.transaction():
            for record in others:
                self._write_row(record)
        self.report.unasked += 0 if wanted else len(others)

    def _write_row(self, record: Record) -> None:
        if purpose_of(record) == ROBOTS:
            with suppress(FetchError):  # a body that this version cannot decode
                self._run.write_capture(PendingCapture(self._visit.response_of(record), record.ref, ROBOTS))
                self.report.robots += 1
                return
        self._archive.add_raw(record.url, record.fetched_at, record.status, record.ref, record.purpose, record.origin)
