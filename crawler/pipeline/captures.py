"""Import captures that others made. Each keeps its date and takes its place among the revisions of its article.

As after a fetch, the response is written to a WARC file of this archive before a row refers to it. The new WARC record
names the file that the capture came from. A capture that was imported before is recognised, so an import can be
repeated.

Boundary: only calls other modules in the right order; `identity` decides where a capture belongs.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import identity, schedule, urls
from crawler.clock import to_text
from crawler.errors import FetchError, Interrupted, MarkupDrift, NotAnArticle, ParserStopped, raise_if_stopped
from crawler.identity import Decision
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline.articles import intent_of, parse, publication_time, save_parsed_page, store_article
from crawler.pipeline.captures_ahead import Ahead, one_by_one, response_at_site
from crawler.pipeline.prepared import PreparedPage
from crawler.pipeline.quarantine import guarded
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import response_of
from crawler.purpose import Purpose, PurposeKind
from crawler.types import Article, ErrorKind, Fetched, PageOutcome, PageState, RawRef, Sighting
from crawler.warc import digest
from crawler.warc.foreign import ForeignCapture, captures
from crawler.warc.import_tally import ImportTally, Skip

_OK = 200
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # the oldest articles are from 2009 or 2010 (dossier section 3)


@dataclass
class CaptureImport:
    """The result of importing one file: the number of captures by verdict, and what was skipped."""

    file: str
    tally: ImportTally = field(default_factory=ImportTally)
    verdicts: Counter[str] = field(default_factory=Counter)


class CaptureBatch:
    """Imports the captures of this site's articles from several WARC files.

    `ahead` yields the captures of a file with their pages, if these were read ahead.

    Revisit records have no body. They refer to another capture, by digest, record id or address and time, and get its
    response. As it may come later or in another file, they are imported by `finish`, after the files.
    """

    def __init__(self, run: Run, ahead: Ahead = one_by_one) -> None:
        self._run = run
        self._ahead = ahead
        self._places: dict[str, tuple[str, datetime]] = {}  # digest or record id: address and time of the capture
        self._revisits: list[tuple[ForeignCapture, CaptureImport]] = []

    def read(self, path: Path, result: CaptureImport) -> None:
        """Import the captures of one file, and count them in `result`, until a stop is requested.

        Raises:
            BadInput: the file is not a WARC file, or cannot be read.
            StopError: the archive cannot be written.

        """
        self._run.progress.phase(path.name, 0)
        with suppress(Interrupted):
            self._read(path, result)

    def _read(self, path: Path, result: CaptureImport) -> None:
        stopping = self._run.stopping
        for capture, page in self._ahead(captures(path, self._unwanted, result.tally, stopping)):
            raise_if_stopped(stopping)
            if (implausible := _implausible(capture.record.fetched_at, self._run.clock.now())) is not None:
                detail = to_text(capture.record.fetched_at)
                result.tally.skip(implausible, capture.record.url, detail, record=capture.number)
            elif capture.record.warc_type == "revisit":
                self._revisits.append((capture, result))
            else:
                self._import_response(capture, page, result)

    def finish(self) -> None:
        """Import the revisit records of the files that were read.

        Raises:
            StopError: the archive cannot be read or written.

        """
        for capture, result in self._revisits:
            if self._run.stopping():
                return
            record = capture.record
            original = self._original(capture)
            if original is None:
                result.tally.skip(Skip.REVISIT, record.url, record=capture.number)
            else:
                url = self._address(record.url)
                self._store(replace(original, url=url, fetched_at=record.fetched_at), result)
        self._revisits.clear()

    def _unwanted(self, url: str) -> Skip | None:
        if not self._run.site.owns(url):
            return Skip.OTHER_SITE
        return Skip.OTHER_PAGE if urls.post_id(url) is None or urls.is_print_page(url) else None

    def _import_response(self, capture: ForeignCapture, page: PreparedPage | None, result: CaptureImport) -> None:
        record = capture.record
        if record.status != _OK:
            reason = Skip.PARTIAL if record.status // 100 == _OK // 100 else Skip.STATUS
            result.tally.skip(reason, record.url, str(record.status), record=capture.number)
            return
        try:
            fetched = response_at_site(record, self._run.site) if page is None else page.fetched
        except FetchError as error:
            result.tally.skip(Skip.UNDECODABLE, record.url, str(error), record=capture.number)
            return
        self._store(fetched, result)
        for name in capture.names:
            self._places.setdefault(name, (fetched.url, fetched.fetched_at))

    def _address(self, url: str) -> str:
        """Return the address under which a capture is archived."""
        return self._run.site.address(url, url) or url

    def _store(self, fetched: Fetched, result: CaptureImport) -> None:
        verdict = _import_capture(self._run, fetched, result.file)
        result.verdicts[verdict] += 1
        detail = f"{verdict}, of {fetched.fetched_at:%Y-%m-%d}"
        self._run.progress.step(Outcome(OutcomeKind.CAPTURED, url=fetched.url, detail=detail))

    def _original(self, revisit: ForeignCapture) -> Fetched | None:
        """Return the archived response that a revisit record refers to; None if there is none."""
        places = [self._places[name] for name in revisit.names if name in self._places]
        if revisit.refers_to is not None:
            url, at = revisit.refers_to
            places.append((self._address(url), at))
        for url, at in places:
            ref = self._run.archive.capture_at(url, at)
            if ref is not None:
                with suppress(FetchError):  # its body cannot be decompressed
                    return response_of(self._run.warc.read(ref))
        return None


def is_future(at: datetime, imported_at: datetime) -> bool:
    """Whether a capture is dated after its import. The clocks of two machines may differ by a few minutes."""
    return at > imported_at + _CLOCK_DIFFERENCE


def _implausible(at: datetime, now: datetime) -> Skip | None:
    if is_future(at, now):
        return Skip.FUTURE
    return Skip.IMPLAUSIBLE if at < _EARLIEST else None


def store_capture(run: Run, fetched: Fetched, ref: RawRef, origin: str, written_at: datetime) -> str:
    """Store the article of a capture that the WARC holds at `ref`, in one transaction.

    `origin` is the name of the imported file, and `written_at` the time of the import. Return the verdict of
    `identity.decide` or `identity.place`, or `unread` if the page cannot be parsed, or has crashed the crawler too often.
    """
    key = urls.post_id(fetched.url)
    assert key is not None

    def process() -> str:
        with run.crash_marker.processing(str(purpose(key))):
            return _parse_and_store(run, fetched, ref, origin, key, written_at)

    def quarantine(message: str, _at: datetime, _raw_id: int | None) -> str:
        return _store_unread(run, fetched, ref, origin, key, message, ErrorKind.BUG)

    return guarded(run, purpose(key), process, quarantine)


def _parse_and_store(run: Run, fetched: Fetched, ref: RawRef, origin: str, key: int, written_at: datetime) -> str:
    at = fetched.fetched_at
    try:
        article = parse(run, fetched)
    except ParserStopped as error:
        with run.archive.transaction():
            return _store_unread(run, fetched, ref, origin, key, str(error), error.kind)
    except (NotAnArticle, MarkupDrift):
        with run.archive.transaction():
            return _store_unread(run, fetched, ref, origin, key, f"captured by {origin}, but not parsed")
    with run.archive.transaction():
        raw_id = _add_row(run, fetched, ref, origin, key)
        page = run.archive.page(key)
        assert page is not None
        verdict = _store(run, article, article.post_id or key, at, raw_id, written_at)
        if page.state in schedule.UNREAD:
            due = schedule.next_check(at, publication_time(article), at)
            save_parsed_page(run, page, article, PageOutcome("live", due, raw_id=raw_id), at)
    return verdict


def _add_row(run: Run, fetched: Fetched, ref: RawRef, origin: str, key: int) -> int:
    at = fetched.fetched_at
    raw_id = run.archive.add_raw(fetched.url, at, fetched.status, ref, str(purpose(key)), origin)
    run.archive.add_sightings(f"warc:{origin}", [Sighting(fetched.url, key)], at, None, past=True)
    return raw_id


def _store_unread(
    run: Run,
    fetched: Fetched,
    ref: RawRef,
    origin: str,
    key: int,
    message: str,
    kind: ErrorKind = ErrorKind.UNREADABLE,
) -> str:
    """Write the rows of a capture without an article, so that `vna reparse` with a better parser can read it."""
    before = run.archive.page(key)
    raw_id = _add_row(run, fetched, ref, origin, key)
    if before is None or before.state == "absent":  # a page that the site lists still has to be visited
        state: PageState = "failed" if kind == ErrorKind.BUG else "drift"
        outcome = PageOutcome(state, None, message, raw_id=raw_id, error_kind=kind)
        run.archive.save_page(key, outcome, fetched.fetched_at)
    return "unread"


def purpose(key: int) -> Purpose:
    """Return the purpose that is written into the WARC record of an imported capture; `key` is the post id."""
    return Purpose(PurposeKind.CAPTURE, str(key))


def _import_capture(run: Run, fetched: Fetched, origin: str) -> str:
    spellings = {fetched.url, urls.reencoded(fetched.url)}
    if any(run.archive.has_capture(url, fetched.fetched_at, digest(fetched.body)) for url in spellings):
        return "known"
    key = urls.post_id(fetched.url)
    assert key is not None
    now = run.clock.now()
    ref = run.warc.append(fetched, str(purpose(key)), origin=origin, written_at=now)
    return store_capture(run, fetched, ref, origin, now)


def _store(run: Run, article: Article, key: int, at: datetime, raw_id: int, known_at: datetime) -> str:
    timeline = run.archive.timeline(key)
    place = identity.place(identity.fingerprint(article), at, timeline) if timeline else identity.Place("newest")
    if place.verdict == "newest":
        return store_article(run, article, at, key=key, raw_id=raw_id, known_at=known_at)
    if place.verdict == "earlier":
        run.archive.predate_revision(key, place.revision, at, raw_id)
    if place.verdict == "inserted":
        return _insert_revision(run, article, key, at, raw_id, place.revision, known_at)
    return place.verdict


def _insert_revision(
    run: Run, article: Article, key: int, at: datetime, raw_id: int, number: int, known_at: datetime
) -> str:
    """Insert a revision that no visit saw, with the number `number`, and return the verdict.

    The numbers of all later revisions grow by one. Nothing is inserted if the capture differs from the revision before or
    after it only in its style, which the fingerprint may not show.
    """
    content = identity.comparable(article)
    before = run.archive.revision(key, number=number - 1)
    after = run.archive.revision(key, number=number)
    assert after is not None
    changed = identity.differences(identity.comparable(before.article), content) if before else ()
    changed_later = identity.differences(content, identity.comparable(after.article))
    if before and not changed:
        return "unchanged"
    if not changed_later:
        run.archive.predate_revision(key, number, at, raw_id)
        return "earlier"
    decision = Decision("revised", number, changed)
    intent = intent_of(article, run.values(article), decision, at, key, raw_id)
    run.archive.insert_revision(replace(intent, known_at=known_at), changed_later)
    return "inserted"
