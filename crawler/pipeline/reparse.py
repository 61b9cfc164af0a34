"""`vna reparse`: parse archived pages again with today's parser and correct the stored articles. Works offline.

A newer parser never adds a revision: it corrects the revision that was read from the page. Revisions that earlier
versions made of damaged pages are removed first. Pages that could not be parsed before become articles. Several
processes may parse, but only this one writes. The service may run at the same time: rows that it writes meanwhile are
never overwritten.

Boundary: only calls other modules in the right order; nothing is fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crawler import records
from crawler.article_fields import compared_fields
from crawler.outcome import Outcome, OutcomeKind
from crawler.parse.page import PARSER_VERSION
from crawler.pipeline.articles import article_shown, correct_reading
from crawler.pipeline.false_revisions import remove_false_revisions
from crawler.pipeline.layouts import store_read_again
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import ParsedPage, UnparsedPage, read_all
from crawler.types import PageForFetch, RawRef, StoredArticle

_MAX_SAMPLES = 20


@dataclass
class Reparsed:
    """What a reparse found: the number of pages by result, and the differences from the stored articles.

    `false_revisions` is the number of removed revisions, which only a damaged page showed; 0 if only a part of the pages
    is parsed. `fields` has the number of differences by field; `samples` has the first differences, with the old and the
    new value.
    """

    pages: int = 0
    same: int = 0
    differing: int = 0
    newly_read: int = 0
    still_unread: int = 0
    no_longer_read: int = 0
    damaged: int = 0
    false_revisions: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)


def reparse(run: Run, *, since: str | None = None, dry_run: bool = False, jobs: int = 1) -> Reparsed:
    """Parse archived pages again, in `jobs` processes.

    Only pages fetched since `since` (UTC, ISO 8601) are parsed. With `dry_run` nothing is written.

    Raises:
        StopError: the archive cannot be written; the corrections made so far are kept.

    """
    report = Reparsed(false_revisions=remove_false_revisions(run, dry_run=dry_run) if since is None else 0)
    parsed_before = run.archive.revision_captures(since)
    unparsed = run.archive.unread_pages(since)
    run.progress.phase("stored", len(parsed_before) + len(unparsed))
    captures = [*(captures for *_, captures in parsed_before), *((ref,) for *_, ref in unparsed)]
    results = read_all(run.make_reader, captures, jobs)
    for revision, result in zip(parsed_before, results, strict=False):  # the remaining results belong to `unparsed`
        run.progress.step(_reparse_revision(run, report, revision, result, dry_run=dry_run))
        if run.stopping():
            return report
    for (page, raw_id, _), result in zip(unparsed, results, strict=True):
        run.progress.step(_reparse_page(run, report, page, raw_id, result, dry_run=dry_run))
        if run.stopping():
            return report
    return report


def _reparse_revision(
    run: Run,
    report: Reparsed,
    revision: tuple[int, int, tuple[RawRef, ...]],
    result: ParsedPage | UnparsedPage,
    *,
    dry_run: bool,
) -> Outcome:
    """Compare a stored revision with what today's parser reads from its page; correct it unless `dry_run` is set."""
    report.pages += 1
    key, number, captures = revision
    if isinstance(result, UnparsedPage):
        report.damaged += result.damaged
        report.no_longer_read += not result.damaged
        return Outcome(OutcomeKind.DAMAGED if result.damaged else OutcomeKind.NO_LONGER_READ, key, detail=result.why)
    if dry_run:
        differences = _compare(run, report, key, number, result)
    else:
        with run.archive.transaction():  # compare and write in one transaction: the service may write in between
            if run.archive.captures_of_revision(key, number) != captures:
                return Outcome(OutcomeKind.SKIPPED, key, detail="another process changed it meanwhile")
            differences = _compare(run, report, key, number, result)
            old = run.archive.revision(key, number=number)
            if old is not None and (differences or old.parser != PARSER_VERSION):
                current = _is_current(run, key, number)
                correct_reading(run, old, result, current=current)
    if differences:
        return Outcome(OutcomeKind.DIFFERS, key, detail=f"in {', '.join(differences)}")
    return Outcome(OutcomeKind.UNCHANGED, key)


def _compare(run: Run, report: Reparsed, key: int, number: int, new: ParsedPage) -> list[str]:
    """Count the differences between a stored revision and `new` in `report`; return the fields that differ."""
    old = run.archive.revision(key, number=number)
    assert old is not None
    found = list(_differences(old, new, current=_is_current(run, key, number)))
    report.same += not found
    report.differing += bool(found)
    report.fields = dict(Counter(report.fields) + Counter(d["field"] for d in found))
    report.samples += [{"id": key, "revision": number, **d} for d in found][: _MAX_SAMPLES - len(report.samples)]
    return [d["field"] for d in found]


def _is_current(run: Run, key: int, number: int) -> bool:
    article = run.archive.article(key)
    return article is not None and article.revision == number


def _differences(old: StoredArticle, new: ParsedPage, *, current: bool) -> Iterator[dict[str, Any]]:
    """Yield each field that differs, with the old and the new value.

    `current`: whether the revision is the newest one. Only that one has a repaired text; of older revisions, the
    verbatim texts are compared.
    """
    was = records.article_json(old.article, reading=old.reading)
    article = article_shown(old, new) if current else new.article
    now = records.article_json(article, reading=new.values.reading if current else None)
    for name in compared_fields(current=current):
        if was[name] != now[name]:
            yield {"field": name, "was": was[name], "is": now[name]}


def _reparse_page(
    run: Run, report: Reparsed, page: PageForFetch, raw_id: int, result: ParsedPage | UnparsedPage, *, dry_run: bool
) -> Outcome:
    """Store the article of a page that could not be parsed before."""
    report.pages += 1
    if isinstance(result, UnparsedPage):
        report.damaged += result.damaged
        report.still_unread += not result.damaged
        return Outcome(OutcomeKind.STILL_UNREAD, url=page.url, detail=result.why)
    report.newly_read += 1
    article = result.article
    if not dry_run:
        with run.archive.transaction():
            store_read_again(run, page, raw_id, article)
    return Outcome(OutcomeKind.NEWLY_READ, page.id, detail=article.title)
