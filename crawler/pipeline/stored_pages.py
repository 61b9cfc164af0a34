"""Stored answers to articles with their repaired readings, in this process or in several.

A reader is made anew in each process by a function that can be sent there; what comes back are values. The order of the
answers is kept, so that what is written does not depend on how many processes read.

Boundary: reads WARC files; nothing is written.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from crawler.errors import MarkupDrift, NotAnArticle, WarcCorrupted
from crawler.fetch.inflate import inflate
from crawler.markup import Markup
from crawler.parse.page import parse_page
from crawler.site import Site
from crawler.types import Article, Fetched, RawRef, Reading
from crawler.warc import Record, WarcStore

Repairer = Callable[[Article], Reading]
_NO_CAP = 1 << 40  # what is kept was under the cap when it came
_CHUNK = 16  # answers that a process is given at a time


@dataclass(frozen=True, slots=True)
class Read:
    """What an answer says."""

    article: Article
    reading: Reading


@dataclass(frozen=True, slots=True)
class Unread:
    """Why an answer says nothing; `damaged` when its record does not read back."""

    why: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Everything that reading a stored answer takes."""

    warc: WarcStore
    site: Site
    markups: Sequence[Markup]
    repair: Repairer

    def read(self, ref: RawRef) -> Read | Unread:
        """Read one answer."""
        try:
            article = read_article(answer(self.warc.read(ref)), self.markups, self.site)
        except (NotAnArticle, MarkupDrift) as error:
            return Unread(str(error))
        except WarcCorrupted as error:
            return Unread(str(error), damaged=True)
        return Read(article, self.repair(article))


def read_all(make: Callable[[], Reader], refs: Iterable[RawRef], jobs: int) -> Iterator[Read | Unread]:
    """Read answers in so many processes, in order; `make` must be a function that can be sent to another process."""
    if jobs == 1:
        yield from map(make().read, refs)
        return
    # spawned, not forked: this process may hold a database, locks and threads that a copy of it must not have
    with multiprocessing.get_context("spawn").Pool(jobs, _begin, (make,)) as pool:
        yield from pool.imap(_read, refs, _CHUNK)


_reader: Reader | None = None


def _begin(make: Callable[[], Reader]) -> None:
    global _reader  # noqa: PLW0603 - one reader a process is what a pool's processes are for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that writes
    _reader = make()


def _read(ref: RawRef) -> Read | Unread:
    assert _reader is not None
    return _reader.read(ref)


def read_article(fetched: Fetched, markups: Sequence[Markup], site: Site) -> Article:
    """Read the article of a page, by the layouts of the day on which it was fetched.

    Raises:
        NotAnArticle, MarkupDrift: as `parse_page` does.

    """
    return parse_page(
        fetched.content,
        fetched.url,
        content_type=fetched.header("Content-Type"),
        fetched_at=fetched.fetched_at,
        markups=markups,
        edition=site,
    )


def answer(record: Record) -> Fetched:
    """Make a stored record an answer again."""
    coding = next((v for k, v in record.headers if k.lower() == "content-encoding"), None)
    return Fetched(
        url=record.url,
        fetched_at=record.fetched_at,
        status=record.status,
        reason=record.reason,
        http_version="1.1",
        headers=record.headers,
        body=record.body,
        content=inflate(record.url, record.body, coding, _NO_CAP),
        target="",
        request_headers=(),
    )
