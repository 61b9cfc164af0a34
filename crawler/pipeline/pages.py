"""Visit one page: fetch → archive → parse → decide → repair → store, the last three in one transaction.

Boundary: only calls other modules in the right order; `schedule` decides what a response means for the page's row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from crawler import schedule, urls
from crawler.errors import (
    NOT_FOUND,
    BadStatus,
    CutOff,
    FetchError,
    Garbled,
    MarkupDrift,
    NotAnArticle,
    PageError,
    WarcCorrupted,
)
from crawler.heal.moved import KINDS
from crawler.outcome import Outcome, OutcomeKind
from crawler.parse import ending, garbled
from crawler.pipeline.articles import parse, publication_time, save_parsed_page, store_article
from crawler.pipeline.fetching import Capture, FetchFailure, fetch
from crawler.pipeline.moved_fields import moved_field
from crawler.pipeline.quarantine import guarded
from crawler.pipeline.run import Run
from crawler.pipeline.source_selection import add_related
from crawler.pipeline.stored_pages import response_of
from crawler.purpose import Purpose
from crawler.schedule import conditional
from crawler.schedule.conditional import Validators
from crawler.types import Article, ErrorKind, Fetched, PageForFetch, PageOutcome, PageState, Sighting

_OK = 200
_NOT_MODIFIED = 304


def visit_page(run: Run, page: PageForFetch) -> Outcome:
    """Visit a page, unless another process is visiting it or has just done so."""
    with run.archive.claim(page.id) as claimed:
        if not claimed or run.archive.visited_since(page):
            return Outcome(OutcomeKind.SKIPPED, url=page.url, detail="another process is visiting it")

        def quarantine(message: str, at: datetime, raw_id: int | None) -> Outcome:
            outcome = schedule.failed(page, at, message, kind=ErrorKind.BUG)
            run.archive.save_page(page.id, replace(outcome, raw_id=raw_id), at)
            run.report.failed += 1
            return Outcome(OutcomeKind.FAILED, url=page.url, detail=message)

        return guarded(run, Purpose.page(page.id), lambda: _fetch_and_process(run, page), quarantine)


def _fetch_and_process(run: Run, page: PageForFetch) -> Outcome:
    purpose = Purpose.page(page.id)
    validators = conditional.to_send(page, run.clock.now(), conditional.FULL_PAGE_EVERY)
    response = fetch(run, page.url, purpose, validators)
    if isinstance(response, FetchFailure):
        return _failed(run, page, response.error, response.at)
    with run.crash_marker.processing(str(purpose)):
        return handle_response(run, page, response)


def handle_response(run: Run, page: PageForFetch, response: Capture) -> Outcome:
    """Process an archived response for a page that has a row: parse → decide → repair → store."""
    fetched = response.fetched
    if fetched.status != _OK:
        return _without_page(run, page, response)
    is_cut_off = ending.is_cut_off(fetched.content) and _was_whole(run, page)
    cut_off = CutOff(page.url, "the page ends before </html>; it was cut off") if is_cut_off else None
    try:
        article = parse(run, fetched)
    except (NotAnArticle, MarkupDrift) as error:
        if cut_off is not None and isinstance(error, MarkupDrift):
            return _failed(run, page, cut_off, response.at)
        return _unparsed(run, page, error, response)
    if (fault := cut_off or _garbled(run, page, article, fetched)) is not None:
        return _failed(run, page, fault, response.at)
    if (moved := moved_field(run, page, article, response)) is not None:
        return _held_back(run, page, moved, response)
    with run.transaction():
        raw_id = run.capture_ids[response.ref]
        key = article.post_id or page.id  # the id in the canonical address may differ from the id of the page
        verdict = store_article(run, article, response.at, key=key, raw_id=raw_id)
        _save_page(run, page, article, response, raw_id, changed=verdict == "revised")
        add_related(run, article, response.at)
        if key != page.id and run.archive.article(page.id) is not None:
            _mark_removed(run, page, response.at, f"redirects to article {key}", raw_id)
    run.report.fetched += 1
    setattr(run.report, verdict, getattr(run.report, verdict) + 1)
    return Outcome(OutcomeKind(verdict), key, page.url, article.title)


def _without_page(run: Run, page: PageForFetch, response: Capture) -> Outcome:
    status = response.fetched.status
    if status == _NOT_MODIFIED:
        return _not_modified(run, page, response)
    if status in NOT_FOUND:
        return _removed(run, page, response, f"HTTP status {status}")
    return _failed(run, page, BadStatus(page.url, status), response.at)


def _was_whole(run: Run, page: PageForFetch) -> bool:
    """Whether the page can be expected to have an end tag, so that a page without one is a fault of the transfer.

    An archived article is compared with its archived page. A new page may lack the tag for good, so after a few attempts
    it is accepted.
    """
    stored = run.archive.article(page.id)
    if stored is None or stored.raw is None:
        return page.failures < schedule.FAULT_RETRIES
    try:
        return not ending.is_cut_off(response_of(run.warc.read(stored.raw)).content)
    except (WarcCorrupted, FetchError):
        return False


def _garbled(run: Run, page: PageForFetch, article: Article, fetched: Fetched) -> Garbled | None:
    """Return the error of a page whose characters were damaged, so that it shows no edit by the agency; else None."""
    text = garbled.GarbledText(article, fetched.content, fetched.header("Content-Type"))
    if not text.damaged:
        return None
    stored = run.archive.article(article.post_id or page.id)
    is_last = page.failures >= schedule.FAULT_RETRIES
    if not text.is_fault(stored.article if stored else None, is_last=is_last):
        return None
    message = "characters of the page were damaged in transit, for example by a proxy that converts charsets"
    return Garbled(page.url, message)


def retry_abandoned(run: Run, sightings: Iterable[Sighting], now: datetime) -> None:
    """Make gone and abandoned pages due again if they are in `sightings` and it is time to retry them.

    Needs an open transaction.
    """
    for page in run.archive.abandoned_pages(s.post_id for s in sightings if s.post_id is not None):
        if schedule.should_retry(page, now):
            run.archive.mark_page_due(page.id, now)


def _save_page(
    run: Run, page: PageForFetch, article: Article, response: Capture, raw_id: int, *, changed: bool
) -> None:
    received = Validators(response.fetched.header("ETag"), response.fetched.header("Last-Modified"))
    missed = schedule.missed_edit(page, changed=changed)
    hinted = schedule.has_lastmod_hint(page, missed=missed)
    outcome = PageOutcome(
        "live",
        schedule.next_check(response.at, publication_time(article), page.first_seen_at, hinted=hinted),
        raw_id=raw_id,
        etag=received.etag,
        last_modified=received.last_modified,
        whole=True,
        lie=conditional.mismatch(page, received, changed=changed),
        unhinted=missed,
    )
    save_parsed_page(run, page, article, outcome, response.at)


def _unparsed(run: Run, page: PageForFetch, error: NotAnArticle | MarkupDrift, response: Capture) -> Outcome:
    if isinstance(error, NotAnArticle) and (
        why := schedule.removal_reason(page, response.fetched.url, error.rejection)
    ):
        return _removed(run, page, response, why)
    state: PageState = "drift" if isinstance(error, MarkupDrift) else "rejected"
    away = isinstance(error, NotAnArticle) and schedule.leads_elsewhere(page, response.fetched.url, error.rejection)
    with run.transaction():
        outcome = schedule.failed(page, response.at, str(error), state=state, kind=error.kind)
        other = _other_address(run, page) if away else None
        outcome = replace(outcome, raw_id=run.capture_ids[response.ref], url=other)
        run.archive.save_page(page.id, outcome, response.at)
    run.report.fetched += 1
    run.report.rejected += 1
    return Outcome(OutcomeKind(state), url=page.url, detail=str(error))


def _held_back(run: Run, page: PageForFetch, field: str, response: Capture) -> Outcome:
    """Record that a field of a known article is not where it was, like an unknown layout; the article stays as it is."""
    message = f"layout drift: the known value of {field} is elsewhere on the page"
    with run.transaction():
        outcome = schedule.failed(page, response.at, message, state="drift", kind=KINDS[field])
        run.archive.save_page(page.id, replace(outcome, raw_id=run.capture_ids[response.ref]), response.at)
    run.report.fetched += 1
    run.report.rejected += 1
    return Outcome(OutcomeKind.DRIFT, url=page.url, detail=message)


def _not_modified(run: Run, page: PageForFetch, response: Capture) -> Outcome:
    fetched, now = response.fetched, response.at
    stored = run.archive.article(page.id)
    if stored is None:  # a 304 says nothing about a page that the archive does not hold
        return _failed(run, page, BadStatus(page.url, fetched.status), now)
    with run.transaction():
        run.archive.touch_article(page.id, now)
        published = publication_time(stored.article)
        due = schedule.next_check(now, published, page.first_seen_at, hinted=schedule.has_lastmod_hint(page))
        etag = fetched.header("ETag") or page.etag
        modified = fetched.header("Last-Modified") or page.last_modified
        run.archive.save_page(page.id, PageOutcome("live", due, etag=etag, last_modified=modified), now)
    run.report.fetched += 1
    run.report.unchanged += 1
    return Outcome(OutcomeKind.UNCHANGED, url=page.url)


def _removed(run: Run, page: PageForFetch, response: Capture, why: str) -> Outcome:
    with run.transaction():
        state = _mark_removed(run, page, response.at, why, run.capture_ids[response.ref])
    run.report.gone += 1
    return Outcome(OutcomeKind(state), url=page.url, detail=why)


def _mark_removed(run: Run, page: PageForFetch, now: datetime, why: str, raw_id: int) -> PageState:
    """Record that a page was not found, in the rows of the page and its article; return their new state."""
    outcome = schedule.gone(page, now, why, _other_address(run, page))
    run.archive.save_page(page.id, replace(outcome, raw_id=raw_id), now)
    run.archive.set_article_state(page.id, outcome.state, now)
    return outcome.state


def _other_address(run: Run, page: PageForFetch) -> str | None:
    """Return another address under which the site named a page; None if there is none."""
    return urls.next_address(page.url, run.archive.page_addresses(page.id))


def _failed(run: Run, page: PageForFetch, error: PageError, now: datetime) -> Outcome:
    with run.transaction():
        run.archive.save_page(page.id, schedule.failed(page, now, str(error), kind=error.kind), now)
    run.report.failed += 1
    return Outcome(OutcomeKind.FAILED, url=page.url, detail=str(error))
