"""Read archived captures: parse and repair their articles, in this process or in several.

Each process builds its own reader with a picklable function and returns plain values. Results keep the order of the
captures, so what is written afterwards does not depend on the number of processes.

Boundary: reads WARC files; writes nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from crawler import markup
from crawler.errors import ConfigError, FetchError, MarkupDrift, NotAnArticle, WarcCorrupted
from crawler.fetch.inflate import inflate
from crawler.markup import Markup
from crawler.parser_process import parse_page
from crawler.site import Site
from crawler.types import MAX_BODY, Article, Fetched, RawRef, Reading
from crawler.warc import Record, WarcStore

Repairer = Callable[[Article], Reading]
_MAX_IMPORTED = 10_000_000  # bytes; no limit was applied to a capture of another collection
_CHUNK = 16  # captures that a worker process receives at once


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """The article of a capture and its repaired text."""

    article: Article
    reading: Reading


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
        try:
            article = parse_response(response_of(self.warc.read(ref)), self.markups, self.site)
        except (NotAnArticle, MarkupDrift) as error:
            return UnparsedPage(str(error))
        except (WarcCorrupted, FetchError) as error:  # FetchError: the body cannot be decompressed
            return UnparsedPage(str(error), damaged=True)
        return ParsedPage(article, self.repair(article))


def read_all(make: Callable[[], Reader], refs: Iterable[RawRef], jobs: int) -> Iterator[ParsedPage | UnparsedPage]:
    """Read captures in `jobs` processes; yield the results in the order of `refs`.

    `make` builds the reader of a process and must be picklable.
    """
    if jobs == 1:
        yield from map(make().read, refs)
        return
    # Spawned, not forked: a fork would copy this process's database connection, locks and threads.
    with multiprocessing.get_context("spawn").Pool(jobs, _start_worker, (make,)) as pool:
        yield from pool.imap(_read_in_worker, refs, _CHUNK)


_reader: Reader | None = None


def _start_worker(make: Callable[[], Reader]) -> None:
    global _reader  # noqa: PLW0603 - a worker process has exactly one reader
    for number in (signal.SIGINT, signal.SIGHUP):  # the process that writes handles them, and ends the workers
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _reader = make()


def _end_with_parent() -> None:
    """End this worker when the process that writes is killed: nothing else would end it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _read_in_worker(ref: RawRef) -> ParsedPage | UnparsedPage:
    assert _reader is not None
    return _reader.read(ref)


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
