"""Parse the pages of a sample of articles again, and compare the stored articles with the result.

Boundary: reads only. What one page does not determine, such as the times of checks and the lists of sources, is
compared only by `row_check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from crawler.identity import Decision
from crawler.parse.page import PARSER_VERSION
from crawler.pipeline.articles import intent_of
from crawler.pipeline.stored_pages import ParsedPage, Reader
from crawler.replay.verify_report import VerifyFault
from crawler.storage import Archive
from crawler.storage.revisions import ArticleIntent
from crawler.types import RawRef

#: They depend on the lexicon, which the full check takes into account.
_REPAIRED = {"clean", "repairs", "word_count", "problems"}
_MOST = 5_000  # articles in one check: each takes some milliseconds, and the service checks a sample each week
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # of the capture; it is not compared
_FULL_CHECK = "run `vna verify`, which checks all rows; `vna rebuild --replace` recreates them from the WARC files"


def check_sample(
    archive: Archive, reader: Reader, count: int, shift: int, stopping: Callable[[], bool]
) -> Iterator[VerifyFault]:
    """Yield a fault for each revision that differs from its page, of about `count` articles, but at most 5,000.

    A different `shift` selects different articles. Articles that another version of the parser read are left out.
    """
    for key in archive.article_spread(min(count, _MOST), shift, PARSER_VERSION):
        if stopping():
            return
        with archive.snapshot():  # another process may add a revision meanwhile
            yield from _check_article(archive, reader, key)


def _check_article(archive: Archive, reader: Reader, key: int) -> Iterator[VerifyFault]:
    for number, current, refs in archive.captures_by_revision(key):
        if columns := _differing(archive, reader, key, number, refs, current=current):
            table = "articles" if current else "revisions"
            where = f"{table}: article {key}, revision {number}"
            detail = f"{', '.join(sorted(columns))}: the page in the WARC files gives another value"
            yield VerifyFault("changed row", where, detail, _FULL_CHECK, table)


def _differing(
    archive: Archive, reader: Reader, key: int, number: int, refs: tuple[RawRef, ...], *, current: bool
) -> set[str]:
    """Return what differs between a revision and each of its captures: a later one may show another layout."""
    readings = [result for result in map(reader.read, refs) if isinstance(result, ParsedPage)]
    if not readings:  # a damaged record is reported elsewhere
        return set()
    found: list[set[str]] = []
    for result in readings:
        intent = intent_of(result.article, result.values, Decision("unchanged", number), _ANY_TIME, key, None)
        found.append(_differences(archive, intent, current=current))
    return set.intersection(*found) - _REPAIRED


def _differences(archive: Archive, intent: ArticleIntent, *, current: bool) -> set[str]:
    revision = archive.differing_revision_columns(intent)
    return revision | archive.differing_columns(intent) if current else revision
