"""The stored pages through today's parser, offline: what would read differently, and writing it.

A better parser never makes a revision: the revision that was read from a page is corrected in place. Pages that could
not be read before become articles.

Boundary: order only; nothing is fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crawler import policy, records
from crawler.errors import MarkupDrift, NotAnArticle
from crawler.parse.page import PARSER_VERSION
from crawler.pipeline.context import Context
from crawler.pipeline.store import answer, correct, published, save_read_page, store_article
from crawler.types import Article, PageForFetch, PageOutcome, RawRef, StoredArticle

_COMPARED = (
    "title lead kind section blocks dateline signature byline tags published_at modified_at related url clean problems markup"
).split()
_SAMPLES = 20


@dataclass
class Reparsed:
    """What a run over the stored pages found; `fields` counts differences by field."""

    pages: int = 0
    same: int = 0
    differing: int = 0
    newly_read: int = 0
    still_unread: int = 0
    no_longer_read: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)


def reparse(context: Context, *, since: str | None = None, dry_run: bool = False) -> Reparsed:
    """Read stored pages again; `since` bounds the fetch (ISO 8601, UTC). With `dry_run` nothing is written."""
    report = Reparsed()
    stored = context.archive.stored_readings(since)
    unread = context.archive.unread_pages(since)
    context.progress.phase("stored", len(stored) + len(unread))
    for key, revision, ref in stored:
        context.progress.step(_again(context, report, key, revision, ref, dry_run=dry_run))
    for page, raw_id, ref in unread:
        context.progress.step(_at_last(context, report, page, raw_id, ref, dry_run=dry_run))
    return report


def _again(context: Context, report: Reparsed, key: int, revision: int, ref: RawRef, *, dry_run: bool) -> str:
    report.pages += 1
    old = context.archive.revision(key, number=revision)
    assert old is not None
    try:
        article = context.parse(answer(context.warc.read(ref)))
    except (NotAnArticle, MarkupDrift) as error:
        report.no_longer_read += 1
        return f"no longer read: {key}: {error}"
    current = context.archive.article(key)
    is_current = current is not None and current.revision == revision
    differences = list(_differences(context, old, article, whole=is_current))
    if not differences:
        report.same += 1
        if old.parser == PARSER_VERSION or dry_run:
            return f"unchanged: {key}"
    else:
        report.differing += 1
        report.fields = dict(Counter(report.fields) + Counter(d["field"] for d in differences))
        report.samples += [{"id": key, "revision": revision, **d} for d in differences][
            : _SAMPLES - len(report.samples)
        ]
    if not dry_run:
        with context.archive.transaction():
            correct(context, old, article, current=is_current)
    return f"differs: {key} in {', '.join(d['field'] for d in differences)}" if differences else f"unchanged: {key}"


def _differences(context: Context, old: StoredArticle, new: Article, *, whole: bool) -> Iterator[dict[str, Any]]:
    """Compare field by field, the repaired reading too; of an older revision only what its row keeps."""
    one = records.article_json(old.article, reading=old.reading)
    other = records.article_json(new, reading=context.repair(new) if whole else None)
    kept = _COMPARED if whole else ("title", "lead", "kind", "section", "blocks", "byline", "tags", "published_at")
    for name in kept:
        if one[name] != other[name]:
            yield {"field": name, "was": one[name], "is": other[name]}


def _at_last(context: Context, report: Reparsed, page: PageForFetch, raw_id: int, ref: RawRef, *, dry_run: bool) -> str:
    report.pages += 1
    record = context.warc.read(ref)
    try:
        article = context.parse(answer(record))
    except (NotAnArticle, MarkupDrift) as error:
        report.still_unread += 1
        return f"still unread: {page.url}: {error}"
    report.newly_read += 1
    if not dry_run:
        now = record.fetched_at
        with context.archive.transaction():
            key = article.post_id or page.id
            store_article(context, article, now, key=key, raw_id=raw_id)
            due = policy.next_check(context.clock.now(), published(article), page.first_seen_at)
            save_read_page(context, page, article, PageOutcome("live", due, raw_id=raw_id), now)
    return f"read at last: {page.id} {article.title}"
