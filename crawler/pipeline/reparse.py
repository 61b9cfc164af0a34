"""The stored pages through today's parser, offline: what would read differently, and writing it.

A better parser never makes a revision: the revision that was read from a page is corrected in place. Pages that could
not be read before become articles. Reading may be done by several processes; this one writes, in the order of the
fetches, and beside a service that goes on: what that has written meanwhile is not written over.

Boundary: order only; nothing is fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crawler import records, schedule
from crawler.clock import from_text
from crawler.parse.page import PARSER_VERSION
from crawler.pipeline.articles import correct, published, save_read_page, store_article
from crawler.pipeline.run import Context
from crawler.pipeline.stored_pages import Read, Unread, read_all
from crawler.types import PageForFetch, PageOutcome, RawRef, StoredArticle

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
    damaged: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)


def reparse(context: Context, *, since: str | None = None, dry_run: bool = False, jobs: int = 1) -> Reparsed:
    """Read stored pages again; `since` bounds the fetch (ISO 8601, UTC). With `dry_run` nothing is written.

    Raises:
        StopError: the archive cannot be written; what was written before stays.

    """
    report = Reparsed()
    stored = context.archive.stored_readings(since)
    unread = context.archive.unread_pages(since)
    context.progress.phase("stored", len(stored) + len(unread))
    results = read_all(context.make_reader, [ref for *_, ref in (*stored, *unread)], jobs)
    for one, result in zip(stored, results, strict=False):  # the rest are those of the unread pages
        context.progress.step(_again(context, report, one, result, dry_run=dry_run))
        if context.stopping():
            return report
    for (page, raw_id, _), result in zip(unread, results, strict=True):
        context.progress.step(_at_last(context, report, page, raw_id, result, dry_run=dry_run))
        if context.stopping():
            return report
    return report


def _again(
    context: Context, report: Reparsed, one: tuple[int, int, RawRef], result: Read | Unread, *, dry_run: bool
) -> str:
    report.pages += 1
    key, number, ref = one
    if isinstance(result, Unread):
        report.damaged += result.damaged
        report.no_longer_read += not result.damaged
        return f"{'damaged' if result.damaged else 'no longer read'}: {key}: {result.why}"
    if dry_run:
        differences = _compare(context, report, key, number, result)
    else:
        with context.archive.transaction():  # what is compared is what is written over
            if context.archive.read_from(key, number) != ref:
                return f"left: {key}: somebody else wrote it meanwhile"
            differences = _compare(context, report, key, number, result)
            old = context.archive.revision(key, number=number)
            if old is not None and (differences or old.parser != PARSER_VERSION):
                correct(context, old, result.article, result.reading, current=_is_current(context, key, number))
    return f"differs: {key} in {', '.join(differences)}" if differences else f"unchanged: {key}"


def _compare(context: Context, report: Reparsed, key: int, number: int, new: Read) -> list[str]:
    """Count what reads differently, and keep a sample of it; give the names of the fields."""
    old = context.archive.revision(key, number=number)
    assert old is not None
    found = list(_differences(old, new, whole=_is_current(context, key, number)))
    report.same += not found
    report.differing += bool(found)
    report.fields = dict(Counter(report.fields) + Counter(d["field"] for d in found))
    report.samples += [{"id": key, "revision": number, **d} for d in found][: _SAMPLES - len(report.samples)]
    return [d["field"] for d in found]


def _is_current(context: Context, key: int, number: int) -> bool:
    current = context.archive.article(key)
    return current is not None and current.revision == number


def _differences(old: StoredArticle, new: Read, *, whole: bool) -> Iterator[dict[str, Any]]:
    """Compare field by field, the repaired reading too; of an older revision only what its row keeps."""
    one = records.article_json(old.article, reading=old.reading)
    other = records.article_json(new.article, reading=new.reading if whole else None)
    kept = _COMPARED if whole else ("title", "lead", "kind", "section", "blocks", "byline", "tags", "published_at")
    for name in kept:
        if one[name] != other[name]:
            yield {"field": name, "was": one[name], "is": other[name]}


def _at_last(
    context: Context, report: Reparsed, page: PageForFetch, raw_id: int, result: Read | Unread, *, dry_run: bool
) -> str:
    report.pages += 1
    if isinstance(result, Unread):
        report.damaged += result.damaged
        report.still_unread += not result.damaged
        return f"still unread: {page.url}: {result.why}"
    report.newly_read += 1
    article = result.article
    if not dry_run:
        with context.archive.transaction():
            at = from_text(context.archive.raw_fetched_at(raw_id))
            store_article(context, article, at, key=article.post_id or page.id, raw_id=raw_id)
            due = schedule.next_check(at, published(article), page.first_seen_at, hinted=schedule.hinted(page))
            save_read_page(context, page, article, PageOutcome("live", due, raw_id=raw_id), at)
    return f"read at last: {page.id} {article.title}"
