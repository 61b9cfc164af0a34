"""Import captures that others made. Each keeps its date and takes its place among the revisions of its article.

As after a fetch, the response is written to a WARC file of this archive before a row refers to it. The new WARC record
names the file that the capture came from. A capture that was imported before is recognised, so an import can be
repeated.

Boundary: only calls other modules in the right order; `identity` decides where a capture belongs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from crawler import identity, schedule, urls
from crawler.errors import FetchError, MarkupDrift, NotAnArticle
from crawler.identity import Decision
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline.articles import intent_of, parse, publication_time, save_parsed_page, store_article
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import response_of
from crawler.purpose import Purpose, PurposeKind
from crawler.types import Article, ErrorKind, Fetched, PageOutcome, RawRef, Sighting
from crawler.warc import digest
from crawler.warc.foreign import ImportTally, captures

_OK = 200


@dataclass
class CaptureImport:
    """The result of importing one file: the number of captures by verdict, and what was skipped."""

    file: str
    tally: ImportTally = field(default_factory=ImportTally)
    verdicts: Counter[str] = field(default_factory=Counter)


def import_captures(run: Run, path: Path, result: CaptureImport) -> None:
    """Import the captures of this site's articles from one WARC file, and count them in `result`.

    Raises:
        BadInput: the file is not a WARC file, or cannot be read.
        StopError: the archive cannot be written.

    """

    def wanted(url: str) -> bool:
        return urls.post_id(url) is not None and not urls.is_print_page(url) and run.site.owns(url)

    run.progress.phase(path.name, 0)
    for record in captures(path, wanted, result.tally):
        if run.stopping():
            return
        if record.status != _OK:
            result.tally.skipped[f"HTTP status {record.status}"] += 1
            continue
        try:
            fetched = replace(response_of(record), url=run.site.address(record.url, record.url) or record.url)
        except FetchError as error:
            result.tally.skipped[f"the body cannot be decoded: {error}"] += 1
            continue
        verdict = _import_capture(run, fetched, path.name)
        result.verdicts[verdict] += 1
        detail = f"{verdict}, of {fetched.fetched_at:%Y-%m-%d}"
        run.progress.step(Outcome(OutcomeKind.CAPTURED, url=fetched.url, detail=detail))


def store_capture(run: Run, fetched: Fetched, ref: RawRef, origin: str) -> str:
    """Store the article of a capture that the WARC holds at `ref`, in one transaction.

    `origin` is the name of the imported file. Return the verdict of `identity.decide` or `identity.place`, or `unread`
    if the page cannot be parsed.
    """
    key = urls.post_id(fetched.url)
    assert key is not None
    at = fetched.fetched_at
    try:
        article: Article | None = parse(run, fetched)
    except (NotAnArticle, MarkupDrift):
        article = None  # its row stays, so that `vna reparse` with a better parser can read it
    with run.archive.transaction():
        before = run.archive.page(key)
        raw_id = run.archive.add_raw(fetched.url, at, fetched.status, ref, str(purpose(key)), origin)
        run.archive.add_sightings(f"warc:{origin}", [Sighting(fetched.url, key)], at, None, past=True)
        page = run.archive.page(key)
        assert page is not None
        if article is None:
            if before is None or before.state == "absent":  # a page that the site lists still has to be visited
                message = f"captured by {origin}, but not parsed"
                outcome = PageOutcome("drift", None, message, raw_id=raw_id, error_kind=ErrorKind.UNREADABLE)
                run.archive.save_page(key, outcome, at)
            return "unread"
        verdict = _store(run, article, article.post_id or key, at, raw_id)
        if page.state in ("known", "absent", "failed", "drift", "rejected"):
            due = schedule.next_check(at, publication_time(article), at)
            save_parsed_page(run, page, article, PageOutcome("live", due, raw_id=raw_id), at)
    return verdict


def purpose(key: int) -> Purpose:
    """Return the purpose that is written into the WARC record of an imported capture; `key` is the post id."""
    return Purpose(PurposeKind.CAPTURE, str(key))


def _import_capture(run: Run, fetched: Fetched, origin: str) -> str:
    spellings = {fetched.url, urls.reencoded(fetched.url)}
    if any(run.archive.has_capture(url, fetched.fetched_at, digest(fetched.body)) for url in spellings):
        return "known"
    key = urls.post_id(fetched.url)
    assert key is not None
    ref = run.warc.append(fetched, str(purpose(key)), origin=origin, written_at=run.clock.now())
    return store_capture(run, fetched, ref, origin)


def _store(run: Run, article: Article, key: int, at: datetime, raw_id: int) -> str:
    timeline = run.archive.timeline(key)
    place = identity.place(identity.fingerprint(article), at, timeline) if timeline else identity.Place("newest")
    if place.verdict == "newest":
        return store_article(run, article, at, key=key, raw_id=raw_id)
    if place.verdict == "earlier":
        run.archive.predate_revision(key, place.revision, at, raw_id)
    if place.verdict == "inserted":
        _insert_revision(run, article, key, at, raw_id, place.revision)
    return place.verdict


def _insert_revision(run: Run, article: Article, key: int, at: datetime, raw_id: int, number: int) -> None:
    """Insert a revision that no visit saw, with the number `number`. The numbers of all later revisions grow by one."""
    content = identity.comparable(article)
    before = run.archive.revision(key, number=number - 1)
    after = run.archive.revision(key, number=number)
    assert after is not None
    changed = identity.differences(identity.comparable(before.article), content) if before else ()
    decision = Decision("revised", number, changed)
    intent = intent_of(article, run.repair(article), decision, at, key, raw_id)
    run.archive.insert_revision(intent, identity.differences(content, identity.comparable(after.article)))
