"""Remove revisions that earlier versions made of damaged pages, or of pages that differ only in their form.

A page that was cut off or garbled during the transfer is a failed visit today (`pages`). A revision is removed if its page
is a damaged copy of the page before it, or shows the same content as the revision before it. The captures and their rows
stay, as do revisions with a picture that was replaced at its address, which no page shows.

Boundary: only calls other modules in the right order.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from crawler import identity
from crawler.errors import FetchError, MarkupDrift, NotAnArticle, WarcCorrupted
from crawler.parse import ending, garbled
from crawler.pipeline.articles import parse
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import response_of
from crawler.types import Article, Fetched, RawRef


@dataclass(frozen=True, slots=True)
class _Page:
    """The first page that showed a revision; `article` is None if it cannot be parsed."""

    number: int
    has_replaced_pictures: bool
    raw_id: int
    fetched: Fetched
    article: Article | None


def remove_false_revisions(run: Run, *, dry_run: bool = False) -> int:
    """Remove the false revisions of all articles and return their number; with `dry_run`, only count them.

    The content of an article whose newest revision was false is corrected by `reparse`, which reads the page of the
    revision before it again.

    Raises:
        StopError: the archive cannot be written; what was corrected so far stays corrected.

    """
    count = 0
    for key in run.archive.revised_pages():
        if run.stopping():
            break
        with nullcontext() if dry_run else run.archive.transaction():
            count += _remove(run, key, dry_run=dry_run)
    return count


def _remove(run: Run, key: int, *, dry_run: bool) -> int:
    pages = [_read(run, *capture) for capture in run.archive.first_captures(key)]
    if any(page is None for page in pages):  # a damaged record, which `vna verify` reports
        return 0
    read = [page for page in pages if page is not None]
    kept = _true_revisions(read)
    if len(kept) == len(read) or dry_run:
        return len(read) - len(kept)
    changes = [
        identity.differences(identity.comparable(one.article), identity.comparable(other.article))
        for one, other in itertools.pairwise(kept)
        if one.article is not None and other.article is not None
    ]
    run.archive.keep_revisions(key, [page.number for page in kept], [(), *changes])
    if kept[-1] is not read[-1]:
        first_false = read[read.index(kept[-1]) + 1]
        is_same = _same(read[-1], kept[-1])
        run.archive.set_back(key, kept[-1].raw_id, None if is_same else first_false.raw_id)
    return len(read) - len(kept)


def _read(run: Run, number: int, has_replaced_pictures: bool, raw_id: int, ref: RawRef) -> _Page | None:
    try:
        fetched = response_of(run.warc.read(ref))
    except (WarcCorrupted, FetchError):
        return None
    try:
        return _Page(number, has_replaced_pictures, raw_id, fetched, parse(run, fetched))
    except (NotAnArticle, MarkupDrift):
        return _Page(number, has_replaced_pictures, raw_id, fetched, None)


def _true_revisions(pages: Sequence[_Page]) -> list[_Page]:
    kept = list(pages[:1])
    for page in pages[1:]:
        is_false = _is_damaged(page, kept[-1], is_last=page is pages[-1]) or _same(page, kept[-1])
        if page.has_replaced_pictures or not is_false:
            kept.append(page)
    return kept


def _is_damaged(page: _Page, earlier: _Page, *, is_last: bool) -> bool:
    """Whether a page is a damaged copy of an earlier one.

    A text with an edit and with many more damaged characters counts only if it is not the newest one.
    """
    if ending.is_cut_off(page.fetched.content):
        return not ending.is_cut_off(earlier.fetched.content)
    if page.article is None or earlier.article is None:
        return False
    text = garbled.GarbledText(page.article, page.fetched.content, page.fetched.header("Content-Type"))
    if not text.damaged:
        return False
    return text.is_fault(earlier.article, is_last=is_last)


def _same(page: _Page, other: _Page) -> bool:
    if page.article is None or other.article is None:
        return False
    return not identity.differences(identity.comparable(page.article), identity.comparable(other.article))
