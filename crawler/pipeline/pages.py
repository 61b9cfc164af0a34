"""One page's journey: due, fetch, keep, parse, repair, decide, one transaction.

Boundary: order only; what an answer means for the row is `policy`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from crawler import schedule
from crawler.errors import BadStatus, FetchError, MarkupDrift, NotAnArticle, PageError
from crawler.pipeline.articles import published, save_read_page, store_article
from crawler.pipeline.run import Context, guarded
from crawler.pipeline.source_selection import add_related
from crawler.schedule import conditional
from crawler.schedule.conditional import Validators
from crawler.types import Article, Fetched, PageForFetch, PageOutcome, PageState, RawRef, Sighting

_OK = 200
_NOT_MODIFIED = 304
_GONE = (404, 410)


def visit_page(context: Context, page: PageForFetch) -> str:
    """Take one page on its journey; give what came of it in words."""
    with context.archive.claim(page.id) as claimed:
        if not claimed or context.archive.visited_since(page):
            return f"left: {page.url}: another process has it"
        return _visit(context, page)


def purpose_of(page: PageForFetch) -> str:
    """Say in the WARC what a page was fetched for."""
    return f"page:{page.id}"


def _visit(context: Context, page: PageForFetch) -> str:
    def put_off(words: str, now: datetime, raw_id: int | None) -> str:
        context.archive.save_page(page.id, replace(schedule.failed(page, now, words), raw_id=raw_id), now)
        context.report.failed += 1
        return f"failed: {page.url}: {words}"

    return guarded(context, purpose_of(page), lambda: _ask(context, page), put_off)


def _ask(context: Context, page: PageForFetch) -> str:
    try:
        send = conditional.to_send(page, context.clock.now(), conditional.WHOLE_PAGE)
        fetched = context.fetcher.get(page.url, etag=send.etag, last_modified=send.last_modified)
    except FetchError as error:
        return _failed(context, page, error, context.keep_failure(page.url, error, purpose_of(page)))
    ref = context.keep(fetched, purpose_of(page))
    with context.in_hand.taking(purpose_of(page)):
        return take_answer(context, page, fetched, ref)


def take_answer(context: Context, page: PageForFetch, fetched: Fetched, ref: RawRef) -> str:
    """Take in an answer that is kept already; give what came of it in words. The page's row exists."""
    if fetched.status == _NOT_MODIFIED:
        return _not_modified(context, page, fetched)
    if fetched.status in _GONE:
        return _gone(context, page, fetched, ref, f"HTTP status {fetched.status}")
    if fetched.status != _OK:
        return _failed(context, page, BadStatus(page.url, fetched.status), fetched.fetched_at)
    try:
        article = context.parse(fetched)
    except (NotAnArticle, MarkupDrift) as error:
        return _unread(context, page, error, fetched, ref)
    return _read(context, page, article, fetched, ref)


def ask_again(context: Context, sightings: Iterable[Sighting], now: datetime) -> None:
    """Have pages asked for that are gone or given up, and that a source shows; the caller holds the transaction."""
    for page in context.archive.left_pages(s.post_id for s in sightings if s.post_id is not None):
        if schedule.ask_again(page, now):
            context.archive.hurry_page(page.id, now)


def _read(context: Context, page: PageForFetch, article: Article, fetched: Fetched, ref: RawRef) -> str:
    key = article.post_id or page.id
    now = fetched.fetched_at
    given = Validators(fetched.header("ETag"), fetched.header("Last-Modified"))
    with context.written():
        raw_id = context.raw_id(fetched, ref, purpose_of(page))
        verdict = store_article(context, article, now, key=key, raw_id=raw_id)
        missed = schedule.unhinted(page, changed=verdict == "revised")
        hinted = schedule.hinted(page, missed=missed)
        outcome = PageOutcome(
            "live",
            schedule.next_check(now, published(article), page.first_seen_at, hinted=hinted),
            raw_id=raw_id,
            etag=given.etag,
            last_modified=given.last_modified,
            whole=True,
            lie=conditional.lied(page, given, changed=verdict == "revised"),
            unhinted=missed,
        )
        save_read_page(context, page, article, outcome, now)
        add_related(context, article, now)
        if key != page.id and context.archive.article(page.id) is not None:
            _mark_removed(context, page, now, f"leads to article {key}", raw_id)
    context.report.fetched += 1
    setattr(context.report, verdict, getattr(context.report, verdict) + 1)
    return f"{verdict}: {key} {article.title}"


def _unread(
    context: Context, page: PageForFetch, error: NotAnArticle | MarkupDrift, fetched: Fetched, ref: RawRef
) -> str:
    if isinstance(error, NotAnArticle) and (why := schedule.removed(page, fetched.url, error.rejection)):
        return _gone(context, page, fetched, ref, why)
    state: PageState = "drift" if isinstance(error, MarkupDrift) else "rejected"
    now = fetched.fetched_at
    with context.written():
        raw_id = context.raw_id(fetched, ref, purpose_of(page))
        outcome = schedule.failed(page, now, str(error), state=state)
        context.archive.save_page(page.id, replace(outcome, raw_id=raw_id), now)
    context.report.fetched += 1
    context.report.rejected += 1
    return f"{state}: {page.url}: {error}"


def _not_modified(context: Context, page: PageForFetch, fetched: Fetched) -> str:
    now = fetched.fetched_at
    stored = context.archive.article(page.id)
    if stored is None:  # not modified since when? There is nothing that it could have stayed the same as
        return _failed(context, page, BadStatus(page.url, fetched.status), now)
    with context.written():
        context.archive.touch_article(page.id, now)
        due = schedule.next_check(now, published(stored.article), page.first_seen_at, hinted=schedule.hinted(page))
        etag = fetched.header("ETag") or page.etag
        modified = fetched.header("Last-Modified") or page.last_modified
        context.archive.save_page(page.id, PageOutcome("live", due, etag=etag, last_modified=modified), now)
    context.report.fetched += 1
    context.report.unchanged += 1
    return f"unchanged: {page.url}"


def _gone(context: Context, page: PageForFetch, fetched: Fetched, ref: RawRef, why: str) -> str:
    with context.written():
        raw_id = context.raw_id(fetched, ref, purpose_of(page))
        state = _mark_removed(context, page, fetched.fetched_at, why, raw_id)
    context.report.gone += 1
    return f"{state}: {page.url}: {why}"


def _mark_removed(context: Context, page: PageForFetch, now: datetime, why: str, raw_id: int) -> PageState:
    """Write on both rows that an article was not where it should be; give the state that this leads to."""
    outcome = schedule.gone(page, now, why)
    context.archive.save_page(page.id, replace(outcome, raw_id=raw_id), now)
    context.archive.set_article_state(page.id, outcome.state, now)
    return outcome.state


def _failed(context: Context, page: PageForFetch, error: PageError, now: datetime) -> str:
    with context.written():
        context.archive.save_page(page.id, schedule.failed(page, now, str(error)), now)
    context.report.failed += 1
    return f"failed: {page.url}: {error}"
