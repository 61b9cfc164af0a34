"""One page's journey: due, fetch, keep, parse, repair, decide, one transaction.

Boundary: order only; what an answer means for the row is `policy`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from crawler import policy
from crawler.errors import BadStatus, FetchError, MarkupDrift, NotAnArticle, PageError
from crawler.pipeline.context import Context
from crawler.pipeline.store import published, save_read_page, store_article
from crawler.types import Article, Fetched, PageForFetch, PageOutcome, PageState, RawRef

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
    try:
        fetched = context.fetcher.get(page.url, etag=page.etag, last_modified=page.last_modified)
    except FetchError as error:
        return _failed(context, page, error, context.keep_failure(page.url, error, purpose_of(page)))
    ref = context.keep(fetched, purpose_of(page))
    if fetched.status == _NOT_MODIFIED:
        return _not_modified(context, page, fetched)
    if fetched.status in _GONE:
        return _gone(context, page, fetched, ref)
    if fetched.status != _OK:
        return _failed(context, page, BadStatus(page.url, fetched.status), fetched.fetched_at)
    try:
        article = context.parse(fetched)
    except (NotAnArticle, MarkupDrift) as error:
        return _unread(context, page, error, fetched, ref)
    return _read(context, page, article, fetched, ref)


def _read(context: Context, page: PageForFetch, article: Article, fetched: Fetched, ref: RawRef) -> str:
    key = article.post_id or page.id
    now = fetched.fetched_at
    with _written(context):
        raw_id = context.raw_id(fetched, ref, purpose_of(page))
        verdict = store_article(context, article, now, key=key, raw_id=raw_id)
        outcome = PageOutcome(
            "live",
            policy.next_check(now, published(article), page.first_seen_at),
            raw_id=raw_id,
            etag=fetched.header("ETag"),
            last_modified=fetched.header("Last-Modified"),
        )
        save_read_page(context, page, article, outcome, now)
    context.report.fetched += 1
    setattr(context.report, verdict, getattr(context.report, verdict) + 1)
    return f"{verdict}: {key} {article.title}"


def _unread(
    context: Context, page: PageForFetch, error: NotAnArticle | MarkupDrift, fetched: Fetched, ref: RawRef
) -> str:
    state: PageState = "drift" if isinstance(error, MarkupDrift) else "rejected"
    now = fetched.fetched_at
    with _written(context):
        raw_id = context.raw_id(fetched, ref, purpose_of(page))
        outcome = policy.failed(page, now, str(error), state=state)
        context.archive.save_page(page.id, replace(outcome, raw_id=raw_id), now)
    context.report.fetched += 1
    context.report.rejected += 1
    return f"{state}: {page.url}: {error}"


def _not_modified(context: Context, page: PageForFetch, fetched: Fetched) -> str:
    now = fetched.fetched_at
    with _written(context):
        context.archive.touch_article(page.id, now)
        stored = context.archive.article(page.id)
        due = policy.next_check(now, published(stored.article) if stored else None, page.first_seen_at)
        etag = fetched.header("ETag") or page.etag
        modified = fetched.header("Last-Modified") or page.last_modified
        context.archive.save_page(page.id, PageOutcome("live", due, etag=etag, last_modified=modified), now)
    context.report.fetched += 1
    context.report.unchanged += 1
    return f"unchanged: {page.url}"


def _gone(context: Context, page: PageForFetch, fetched: Fetched, ref: RawRef) -> str:
    now = fetched.fetched_at
    with _written(context):
        raw_id = context.raw_id(fetched, ref, purpose_of(page))
        outcome = policy.gone(page, now, f"HTTP status {fetched.status}")
        context.archive.save_page(page.id, replace(outcome, raw_id=raw_id), now)
        context.archive.set_article_state(page.id, outcome.state, now)
    context.report.gone += 1
    return f"{outcome.state}: {page.url}: HTTP status {fetched.status}"


def _failed(context: Context, page: PageForFetch, error: PageError, now: datetime) -> str:
    with _written(context):
        context.archive.save_page(page.id, policy.failed(page, now, str(error)), now)
    context.report.failed += 1
    return f"failed: {page.url}: {error}"


@contextmanager
def _written(context: Context) -> Iterator[None]:
    """One page is one transaction, the log of its requests and the places of its answers included.

    Everything in it is dated by the answer, not by the moment of writing: from the same evidence come the same rows.
    """
    with context.archive.transaction():
        context.log()
        yield
