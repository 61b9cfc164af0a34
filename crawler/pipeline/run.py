"""What a run works with, and the bookkeeping that every journey shares.

Boundary: composition and order; no decision is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from crawler.clock import Clock
from crawler.discover import sitemaps
from crawler.errors import BUG, BadStatus, CrawlerError, PageError
from crawler.fetch import Fetcher
from crawler.health.disk import Size
from crawler.markup import Markup
from crawler.pipeline.stored_pages import Reader, Repairer, read_article
from crawler.site import Site
from crawler.storage import Archive
from crawler.storage.crash_marker import InHand
from crawler.types import Article, Fetched, RawRef, RunReport
from crawler.warc import WarcStore

#: what a record was asked for, beside the page:ID and source:URL of the journeys
ROBOTS = "robots"

_OK = 200
_ENDS = 3  # of processes, over one thing: enough to leave it alone for a while

T = TypeVar("T")
PutOff = Callable[[str, datetime, int | None], T]  # what the row is to say, since when, and the id of the answer's row


class Progress(Protocol):
    """What a run tells whoever watches it."""

    def phase(self, name: str, total: int) -> None:
        """Begin a phase of so many steps."""
        ...

    def step(self, what: str, url: str | None = None) -> None:
        """One step is done; `what` came of it; `url` is what it was about."""
        ...


class Silent:
    """A progress that nobody watches."""

    def phase(self, name: str, total: int) -> None:
        """Say nothing."""

    def step(self, what: str, url: str | None = None) -> None:
        """Say nothing."""


class _Kept(NamedTuple):
    """An answer that is in the WARC and has no row yet; `purpose` is what it was asked for."""

    fetched: Fetched
    ref: RawRef
    purpose: str


@dataclass
class Context:
    """Everything a run works with; built by `app`."""

    site: Site
    archive: Archive
    warc: WarcStore
    fetcher: Fetcher
    markups: Sequence[Markup]
    repair: Repairer
    clock: Clock
    progress: Progress
    make_reader: Callable[[], Reader]
    in_hand: InHand
    list_pages: int = 20
    floor: float = 300.0
    ceiling: float = 21_600.0
    id_probes: int = 2000
    add: Sequence[str] = ()
    exclude: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    stopping: Callable[[], bool] = lambda: False
    measure: Callable[[str], Size] | None = None
    recover: Callable[[Context], int] = lambda _: 0
    run: int = 0
    pending: list[_Kept] = field(default_factory=list)
    report: RunReport = field(default_factory=RunReport)

    def keep(self, fetched: Fetched, purpose: str) -> RawRef:
        """Put an answer, and the redirects that led to it, into the WARC; give where the answer stands.

        Their rows are written by `log`, in the caller's transaction.
        """
        for other in self.fetcher.take_robots():
            self.pending.append(_Kept(other, self.warc.append(other, ROBOTS), ROBOTS))
        for hop in fetched.hops:
            self.pending.append(_Kept(hop, self.warc.append(hop, purpose), purpose))
        ref = self.warc.append(fetched, purpose)
        self.pending.append(_Kept(fetched, ref, purpose))
        return ref

    def keep_failure(self, url: str, error: PageError, purpose: str) -> datetime:
        """Note in the WARC that a visit got no answer worth keeping; give the instant of that."""
        now = self.clock.now()
        status = {"status": str(error.status)} if isinstance(error, BadStatus) else {}
        self.warc.note(url, now, purpose, {"outcome": type(error).__name__, "error": str(error), **status})
        return now

    def raw_id(self, fetched: Fetched, ref: RawRef, purpose: str) -> int:
        """Give the id of an answer's row; the caller holds the transaction."""
        return self.archive.add_raw(fetched.url, fetched.fetched_at, fetched.status, ref, purpose)

    def parse(self, fetched: Fetched) -> Article:
        """Read the article of a page.

        Raises:
            NotAnArticle, MarkupDrift: as `parse_page` does.

        """
        return read_article(fetched, self.markups, self.site)

    @contextmanager
    def written(self) -> Iterator[None]:
        """Hold one transaction, in which the log of requests and the places of the answers come first.

        Everything in it is dated by the answer, not by the moment of writing: from the same evidence come the same rows.
        When it is undone, the answers still wait for their rows.
        """
        pending = self.pending[:]
        try:
            with self.archive.transaction():
                self.log()
                yield
        except BaseException:
            self.pending[:] = pending
            raise

    def log(self) -> None:
        """Write the requests made and the answers kept since the last call; the caller holds the transaction."""
        for fetched, ref, purpose in self.pending:
            self.enter(fetched, ref, purpose)
        self.pending.clear()
        self._log_requests()

    def enter(self, fetched: Fetched, ref: RawRef, purpose: str) -> None:
        """Write the row of an answer, and the sources that a robots.txt names; the caller holds the transaction."""
        self.raw_id(fetched, ref, purpose)
        if purpose == ROBOTS and fetched.status == _OK:
            rules = fetched.content.decode("utf-8", "replace")
            named = sitemaps.named_by_robots(rules, fetched.url, self.site)
            self.archive.add_sources(named, fetched.fetched_at)

    def forget(self) -> None:
        """Drop what was kept for a visit that did not come to its end: `recover` takes it in from the WARC files."""
        self.pending.clear()

    def _log_requests(self) -> None:
        exchanges = self.fetcher.drain()
        self.archive.log_requests(self.run, exchanges)
        self.report.requests += len(exchanges)
        self.report.bytes += sum(e.size for e in exchanges)


def is_bug(context: Context, error: Exception) -> bool:
    """Say whether an error is the program's own: neither what a user can mend, nor the disk's or the database's."""
    return not (isinstance(error, CrawlerError) or context.archive.suffers(error))


def guarded(context: Context, purpose: str, take: Callable[[], T], put_off: PutOff[T]) -> T:
    """Have a bug end the program, but put off what it came from, or the next start would begin and end with it.

    A bug of Python's kind is put off at once; what ended the interpreter itself, when it did so again and again: `take`
    notes what it has in hand. `put_off` is called in a transaction of its own; without an answer it is now, and no row.
    """

    def aside(words: str) -> T:
        kept = next((one for one in reversed(context.pending) if one.purpose == purpose), None)
        now = kept.fetched.fetched_at if kept else context.clock.now()
        with context.written():
            return put_off(f"{BUG}{words}", now, context.raw_id(*kept) if kept else None)

    ends = context.in_hand.ends(purpose)
    if ends >= _ENDS:
        done = aside(f"the program came to its end over this {ends} times")
    else:
        try:
            done = take()
        except Exception as error:
            if is_bug(context, error):
                aside(f"{type(error).__name__}: {error}")
            raise
    if ends:
        context.in_hand.over()
    return done


@contextmanager
def recorded(context: Context, command: str) -> Iterator[None]:
    """Keep the run's row: how it began and how it ended, also when it ends early."""
    started = context.clock.now()
    context.run = context.archive.begin_run(command, started)
    if context.measure is not None:
        context.archive.record_size(started, context.measure)
    outcome = "stopped"
    try:
        yield
        outcome = "done"
    finally:
        if outcome == "stopped":
            context.forget()
        with context.archive.transaction():
            context.log()
        ended = context.clock.now()
        context.report.seconds = round((ended - started).total_seconds(), 3)
        context.archive.end_run(context.run, ended, outcome, context.report)
