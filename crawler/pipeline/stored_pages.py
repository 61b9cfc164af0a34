"""Read archived captures: parse and repair their articles, in this process or in several.

Each process builds its own reader with a picklable function and returns plain values. Results keep the order of the
captures, so what is written afterwards does not depend on the number of processes.

Boundary: reads WARC files; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from crawler import identity, markup
from crawler.article_values import ArticleValues, article_values
from crawler.errors import ConfigError, FetchError, MarkupDrift, NotAnArticle, WarcCorrupted
from crawler.fetch.inflate import inflate
from crawler.markup import Markup
from crawler.parser_process import parse_page
from crawler.site import Site
from crawler.types import MAX_BODY, Article, Fetched, RawRef, Reading
from crawler.warc import Record, WarcStore
from crawler.worker_processes import Workers

Repairer = Callable[[Article], Reading]
_MAX_IMPORTED = 10_000_000  # bytes; no limit was applied to a capture of another collection
_CHUNK = 16  # revisions that a worker process receives at once


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """The article of a capture and its values.

    `later` is what the last capture shows with the same content; None if there is no later one.
    """

    article: Article
    values: ArticleValues
    later: Article | None = None


@dataclass(frozen=True, slots=True)
class UnparsedPage:
    """Why a capture has no article; `damaged` is True if its WARC record is damaged."""

    why: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads captures from the WARC, and parses and repairs their articles."""

    warc: WarcStore
    site: Site
    markups: Sequence[Markup]
    repair: Repairer

    def read(self, ref: RawRef) -> ParsedPage | UnparsedPage:
        """Read the capture at `ref`."""
        article = self._parse(ref)
        if isinstance(article, UnparsedPage):
            return article
        return ParsedPage(article, article_values(article, self.repair(article)))

    def read_revision(self, captures: Sequence[RawRef]) -> ParsedPage | UnparsedPage:
        """Read the first capture of a revision and, if it was captured again, the last one.

        If one of them cannot be read, the result says why. If the last one has another content, it is left out.
        """
        first = self.read(captures[0])
        if len(captures) == 1 or isinstance(first, UnparsedPage):
            return first
        last = self._parse(captures[-1])
        if isinstance(last, UnparsedPage):
            return last
        is_same = not identity.differences(identity.comparable(first.article), identity.comparable(last))
        return replace(first, later=last) if is_same else first

    def read_chunk(self, revisions: Sequence[Sequence[RawRef]]) -> list[ParsedPage | UnparsedPage]:
        """Read the captures of `revisions`."""
        return list(map(self.read_revision, revisions))

    def _parse(self, ref: RawRef) -> Article | UnparsedPage:
        try:
            return parse_response(response_of(self.warc.read(ref)), self.markups, self.site)
        except (NotAnArticle, MarkupDrift) as error:
            return UnparsedPage(str(error))
        except (WarcCorrupted, FetchError) as error:  # FetchError: the body cannot be decompressed
            return UnparsedPage(str(error), damaged=True)


def read_all(
    make: Callable[[], Reader], revisions: Sequence[Sequence[RawRef]], jobs: int
) -> Iterator[ParsedPage | UnparsedPage]:
    """Read the captures of `revisions` in `jobs` processes; yield the results in this order.

    `make` builds the reader of a process and must be picklable. Captures whose process was killed are read in this one.

    Raises:
        StopError: no process can be started.

    """
    if jobs == 1:
        yield from map(make().read_revision, revisions)
        return
    chunks = (revisions[start : start + _CHUNK] for start in range(0, len(revisions), _CHUNK))
    with Workers[Sequence[Sequence[RawRef]], list[ParsedPage | UnparsedPage]](
        jobs, partial(_chunk_reader, make)
    ) as workers:
        for _, results in workers.in_order(chunks, lambda chunk: make().read_chunk(chunk)):
            yield from results


def _chunk_reader(
    make: Callable[[], Reader],
) -> Callable[[Sequence[Sequence[RawRef]]], list[ParsedPage | UnparsedPage]]:
    return make().read_chunk


def parse_response(fetched: Fetched, markups: Sequence[Markup], site: Site) -> Article:
    """Parse the article of a page with the layouts that were valid on the day of its fetch.

    Raises:
        NotAnArticle: the page is not an article.
        MarkupDrift: the page says that it is an article, but matches no known layout.

    """
    return parse_page(
        fetched.content,
        fetched.url,
        content_type=fetched.header("Content-Type"),
        fetched_at=fetched.fetched_at,
        markups=markups,
        edition=site,
    )


def learned_layouts(captures: Sequence[RawRef], warc: WarcStore) -> tuple[Markup, ...]:
    """Return the learned layouts whose files are in the WARC at `captures`; a later file replaces one with the same name.

    A file that this version cannot use, or that is damaged, is left out: `vna verify` reports damage.
    """
    found: dict[str, Markup] = {}
    for ref in captures:
        with suppress(ConfigError, WarcCorrupted, UnicodeDecodeError):
            layout = markup.load(ref.file, warc.read(ref).body.decode("utf-8"))
            found[layout.name] = layout
    return tuple(found.values())


def response_of(record: Record) -> Fetched:
    """Return the response that a WARC record holds.

    Raises:
        FetchError: the body of the response cannot be decoded, or it is an imported capture with too large a body.

    """
    coding = ",".join(value for name, value in record.headers if name.lower() == "content-encoding")
    limit = MAX_BODY if record.origin is None else _MAX_IMPORTED
    return Fetched(
        url=record.url,
        fetched_at=record.fetched_at,
        status=record.status,
        reason=record.reason,
        http_version="1.1",
        headers=record.headers,
        body=record.body,
        content=inflate(record.url, record.body, coding, limit),
        target="",
        request_headers=(),
    )
