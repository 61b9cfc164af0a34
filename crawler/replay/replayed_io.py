"""A visit played from the WARC files: the network, the clock and the WARC store as the pipeline sees them.

The pipeline asks for an address and is given the answer that was kept; it asks for the time and is told when that came;
it keeps the answer and is told where that stands. When an answer is wanted that was never had, the visit goes on over
the network if there is one (`live`), and is unfinished otherwise.

Boundary: no decision about what a record means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from crawler.clock import Clock
from crawler.errors import BadStatus, BodyTooLarge, Disallowed, FetchError, Throttled, Unreachable
from crawler.fetch import Fetcher
from crawler.pipeline import Context
from crawler.pipeline.stored_pages import answer
from crawler.replay.record_stream import Reel
from crawler.types import Exchange, Fetched, RawRef
from crawler.warc import Record, WarcStore

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Unfinished(BaseException):
    """No failure: the visit wants an answer that was not kept, the files hold its beginning alone.

    Nothing on its way is to take it for an error, so it is none.
    """


class Stage:
    """One visit after the other: what it was given, and what of that it kept."""

    def __init__(self, reel: Reel, live: Context | None = None) -> None:
        self.reel = reel
        self.live = live
        self.script: list[Record] = []
        self.kept: set[RawRef] = set()
        self.on_air = False  # the answer in hand came over the network
        self.time: datetime | None = None
        self._main: Record | None = None
        self._next = 0
        self._ending = False
        self._given: dict[int, tuple[Fetched, RawRef]] = {}
        self._robots: list[Fetched] = []

    def begin(self, records: list[Record]) -> None:
        """Go on to the visit that the last of these records began; those before it are the rules asked for just then."""
        self.script, self.kept, self._main = records, set(), records[-1]
        self.rewind()
        self._ending = False

    @property
    def main(self) -> Record:
        """The record that began the visit."""
        assert self._main is not None, "nothing is being played"
        return self._main

    def rewind(self) -> None:
        """Play the same visit again; a further answer that is wanted now counts as one that could not be had."""
        self._next, self._ending, self.on_air = 0, True, False
        self.time = self.main.fetched_at
        self._given.clear()
        self._robots.clear()

    def answer(self, url: str, etag: str | None, last_modified: str | None) -> Fetched:
        """Give the next answer of the visit.

        Raises:
            FetchError: it failed then, too; or it was not kept, after `rewind`.
            Unfinished: it was not kept.

        """
        record, hops = self._further(url), list[Fetched]()
        while record is not None and record.status in _REDIRECTS:
            hops.append(self._shown(record))
            record = self._behind(hops)
        if record is None:
            return self._unkept(url, etag, last_modified)
        self.time = record.fetched_at
        if record.warc_type == "metadata":
            raise failure(record)
        return self._shown(record, tuple(hops))

    def place(self, fetched: Fetched) -> RawRef | None:
        """Say where an answer stands; None for one that came over the network."""
        known = self._given.get(id(fetched))
        if known is not None:
            self.kept.add(known[1])
        return known and known[1]

    def take_robots(self) -> tuple[Fetched, ...]:
        """Hand out the rules that were asked for on the way."""
        taken, self._robots = tuple(self._robots), []
        return taken

    def _further(self, url: str) -> Record | None:
        """Give the visit's first record whatever its address, then the one of the address that is asked for."""
        if self._next == 0:
            return self._step(lambda record: record is self.main)
        return self._step(lambda record: record.purpose == self.main.purpose and record.url == url)

    def _behind(self, hops: list[Fetched]) -> Record | None:
        """Give what a redirect led to: the next record of the visit at another address."""
        seen = {hop.url for hop in hops}
        return self._step(lambda record: record.purpose == self.main.purpose and record.url not in seen)

    def _step(self, wanted: Callable[[Record], bool]) -> Record | None:
        if self._next == len(self.script):
            self.script += self.reel.follow(wanted)
        while self._next < len(self.script):
            record = self.script[self._next]
            self._next += 1
            if wanted(record):
                return record
            self._robots.append(self._shown(record))  # whatever is passed over on the way to an answer
        return None

    def _shown(self, record: Record, hops: tuple[Fetched, ...] = ()) -> Fetched:
        shown = replace(answer(record), hops=hops)
        self._given[id(shown)] = (shown, record.ref)  # the answer is held, so that its id stays its own
        return shown

    def _unkept(self, url: str, etag: str | None, last_modified: str | None) -> Fetched:
        if self.live is not None:
            self.on_air = True
            return self.live.fetcher.get(url, etag=etag, last_modified=last_modified)
        if not self._ending:
            raise Unfinished(url)
        raise FetchError(url, "it was not asked for when the pages before it were fetched")


@dataclass
class PlayedClock:
    """The time at which the record in hand was written."""

    stage: Stage

    def now(self) -> datetime:
        """Give the current instant of the play."""
        if self.stage.time is None or (self.stage.on_air and self.stage.live is not None):
            assert self.stage.live is not None, "nothing is being played"
            return self.stage.live.clock.now()
        return self.stage.time

    def sleep(self, seconds: float) -> None:
        """Wait for nothing."""


class PlayedFetcher(Fetcher):
    """Answers with what was answered then."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """Give the next answer of the visit."""
        return self._stage.answer(url, etag, last_modified)

    def drain(self) -> tuple[Exchange, ...]:
        """Hand out the log of requests that were made over the network."""
        return self._stage.live.fetcher.drain() if self._stage.live is not None else ()

    def take_robots(self) -> tuple[Fetched, ...]:
        """Hand out the rules that were asked for on the way."""
        fresh = self._stage.live.fetcher.take_robots() if self._stage.live is not None else ()
        return (*self._stage.take_robots(), *fresh)


class PlayedStore(WarcStore):
    """Keeps nothing that is kept already; says where it stands."""

    def __init__(self, stage: Stage, store: WarcStore) -> None:
        self._stage = stage
        self._store = store

    def append(
        self, fetched: Fetched, purpose: str = "", *, origin: str | None = None, written_at: datetime | None = None
    ) -> RawRef:
        """Say where an answer stands; one that came over the network is written."""
        place = self._stage.place(fetched)
        return place or self._store.append(fetched, purpose, origin=origin, written_at=written_at)

    def note(self, url: str, at: datetime, purpose: str, fields: Mapping[str, str]) -> None:
        """Write nothing of a failure that was noted then."""
        if self._stage.on_air:
            self._store.note(url, at, purpose, fields)

    def keep_text(self, name: str, at: datetime, content: str) -> RawRef:  # noqa: ARG002 - it stands there as it is
        """Say where an imported text stands."""
        ref = self._stage.main.ref
        self._stage.kept.add(ref)
        return ref

    def read(self, ref: RawRef) -> Record:
        """Read a record."""
        return self._store.read(ref)


def staged(context: Context, stage: Stage) -> Context:
    """Give a context in which the records of a stage are played."""
    clock: Clock = PlayedClock(stage)
    return replace(
        context, fetcher=PlayedFetcher(stage), warc=PlayedStore(stage, context.warc), clock=clock, pending=[]
    )


_Made = Callable[[str, str, int], FetchError]
_FAILURES: Mapping[str, _Made] = {
    "FetchError": lambda url, text, _: FetchError(url, text),
    "Unreachable": lambda url, text, _: Unreachable(url, text),
    "BadStatus": lambda url, text, status: BadStatus(url, status, text),
    "Throttled": lambda url, _, status: Throttled(url, status),
    "Disallowed": lambda url, text, _: Disallowed(url, text),
    "BodyTooLarge": lambda url, text, _: BodyTooLarge(url, text),
}


def failure(record: Record) -> FetchError:
    """Make the note of a visit that got no answer the failure again; one of another version is a plain one."""
    lines = record.body.decode("utf-8").splitlines()
    fields = dict(line.partition(": ")[::2] for line in lines)
    made = _FAILURES.get(fields.get("outcome", ""), _FAILURES["FetchError"])
    return made(record.url, fields.get("error", ""), int(fields.get("status", 0)))
