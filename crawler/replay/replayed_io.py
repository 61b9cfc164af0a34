"""Replayed I/O: the network, the clock and the WARC store of a visit that is replayed from its WARC records.

The pipeline requests an address and receives the archived response. It asks for the time and receives the time of that
response. It archives the response and learns where the WARC already holds it. If it requests something that was never
fetched, the visit continues over the network if there is a live run, and is unfinished otherwise.

Boundary: no decision about what a record means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from crawler.clock import Clock
from crawler.errors import BadStatus, BodyTooLarge, Disallowed, FetchError, Refused, Throttled, Unreachable
from crawler.fetch.client import Fetcher
from crawler.pipeline import Run
from crawler.pipeline.prepared import PreparedPages
from crawler.pipeline.stored_pages import response_of
from crawler.replay.record_stream import RecordStream
from crawler.types import Exchange, Fetched, RawRef
from crawler.warc import Record, WarcStore

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Unfinished(BaseException):
    """Raised if a replayed visit requests a response that the WARC lacks: the crawler was killed during that visit.

    This is not an error, and no error handler may catch it, so it does not derive from Exception.
    """


class ReplayedVisit:
    """The visit that is being replayed: its records, and which of them the pipeline has archived.

    `prepared` has the responses that were read ahead. `live` is a run that may continue a visit over the network.
    `is_live`: whether the current response came over the
    network.
    """

    def __init__(self, stream: RecordStream, prepared: PreparedPages, live: Run | None = None) -> None:
        self.stream = stream
        self._prepared = prepared
        self.live = live
        self.records: list[Record] = []
        self.archived: set[RawRef] = set()
        self.is_live = False
        self.time: datetime | None = None
        self._main: Record | None = None
        self._next = 0
        self._may_fail = False
        self._given: dict[int, tuple[Fetched, RawRef]] = {}
        self._robots: list[Fetched] = []

    def begin(self, records: list[Record]) -> None:
        """Begin to replay the visit of the last record in `records`.

        The other records are robots.txt responses that preceded it.
        """
        self.records, self.archived, self._main = records, set(), records[-1]
        self.rewind()
        self._may_fail = False

    @property
    def main(self) -> Record:
        """The record with which the visit began."""
        assert self._main is not None, "no visit is being replayed"
        return self._main

    def rewind(self) -> None:
        """Replay the same visit again, but now treat a request as failed if the WARC does not hold its response."""
        self._next, self._may_fail, self.is_live = 0, True, False
        self.time = self.main.fetched_at
        self._given.clear()
        self._robots.clear()

    def response(self, url: str, etag: str | None, last_modified: str | None, *, is_picture: bool = False) -> Fetched:
        """Return the next response of the visit.

        Raises:
            FetchError: the WARC has a note that this request failed; or, after `rewind`, it does not hold the response.
            Unfinished: the WARC does not hold the response, and there is no live run to request it.

        """
        record, hops = self._next_record(url), list[Fetched]()
        while record is not None and record.status in _REDIRECTS:
            hops.append(self._give(record))
            record = self._after_redirect(hops)
        if record is None:
            return self._missing(url, etag, last_modified, is_picture=is_picture)
        self.time = record.fetched_at
        if record.warc_type == "metadata":
            raise failure(record)
        return self._give(record, tuple(hops))

    def location(self, fetched: Fetched) -> RawRef | None:
        """Mark a response as archived; return where the WARC holds it; None if the response came over the network."""
        known = self._given.get(id(fetched))
        if known is not None:
            self.archived.add(known[1])
        return known and known[1]

    def response_of(self, record: Record) -> Fetched:
        """Return the response that a record holds.

        Raises:
            FetchError: its body cannot be decoded.

        """
        return self._prepared.response(record) or response_of(record)

    def take_robots(self) -> tuple[Fetched, ...]:
        """Return the robots.txt responses that preceded the last response."""
        taken, self._robots = tuple(self._robots), []
        return taken

    def _next_record(self, url: str) -> Record | None:
        """On the first call, return the record that began the visit; later, return the next record of `url`."""
        if self._next == 0:
            return self._step(lambda record: record is self.main)
        return self._step(lambda record: record.purpose == self.main.purpose and record.url == url)

    def _after_redirect(self, hops: list[Fetched]) -> Record | None:
        """Return the record to which the redirects `hops` lead: the next record of the visit with another address."""
        seen = {hop.url for hop in hops}
        return self._step(lambda record: record.purpose == self.main.purpose and record.url not in seen)

    def _step(self, wanted: Callable[[Record], bool]) -> Record | None:
        if self._next == len(self.records):
            self.records += self.stream.follow(wanted)
        while self._next < len(self.records):
            record = self.records[self._next]
            self._next += 1
            if wanted(record):
                return record
            self._robots.append(self._give(record))  # only robots.txt responses precede the wanted record
        return None

    def _give(self, record: Record, hops: tuple[Fetched, ...] = ()) -> Fetched:
        fetched = replace(self.response_of(record), hops=hops)
        self._given[id(fetched)] = (fetched, record.ref)  # keeps the object alive, so that its id stays unique
        return fetched

    def _missing(self, url: str, etag: str | None, last_modified: str | None, *, is_picture: bool) -> Fetched:
        if self.live is not None:
            self.is_live = True
            return self.live.fetcher.get(url, etag=etag, last_modified=last_modified, is_picture=is_picture)
        if not self._may_fail:
            raise Unfinished(url)
        raise FetchError(url, "the original visit did not request this page")


@dataclass
class ReplayedClock:
    """A clock that shows the time of the current record or, once the visit uses the network, the live run's time."""

    visit: ReplayedVisit

    def now(self) -> datetime:
        """Return the current time of the replay."""
        if self.visit.time is None or (self.visit.is_live and self.visit.live is not None):
            assert self.visit.live is not None, "no visit is being replayed"
            return self.visit.live.clock.now()
        return self.visit.time

    def sleep(self, seconds: float) -> None:
        """Return at once, without waiting."""


class ReplayedFetcher(Fetcher):
    """A fetcher that returns archived responses."""

    def __init__(self, visit: ReplayedVisit) -> None:
        self._visit = visit

    def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, is_picture: bool = False
    ) -> Fetched:
        """Return the next response of the visit."""
        return self._visit.response(url, etag, last_modified, is_picture=is_picture)

    def drain(self) -> tuple[Exchange, ...]:
        """Return the log of the requests that were made over the network."""
        return self._visit.live.fetcher.drain() if self._visit.live is not None else ()

    def take_robots(self) -> tuple[Fetched, ...]:
        """Return the robots.txt responses that preceded the last response."""
        live = self._visit.live.fetcher.take_robots() if self._visit.live is not None else ()
        return (*self._visit.take_robots(), *live)


class ReplayedStore(WarcStore):
    """A WARC store that appends only what came over the network; for others, it returns the existing location."""

    def __init__(self, visit: ReplayedVisit, store: WarcStore) -> None:
        self._visit = visit
        self._store = store

    def append(
        self, fetched: Fetched, purpose: str = "", *, origin: str | None = None, written_at: datetime | None = None
    ) -> RawRef:
        """Return the location of a response in the WARC; append the response first if it came over the network."""
        location = self._visit.location(fetched)
        return location or self._store.append(fetched, purpose, origin=origin, written_at=written_at)

    def begin(self, at: datetime) -> None:
        """Do nothing: the WARC holds the settings already."""

    def note(self, url: str, at: datetime, purpose: str, fields: Mapping[str, str]) -> None:
        """Append a note about a failed request, unless the WARC holds it already."""
        if self._visit.is_live:
            self._store.note(url, at, purpose, fields)

    def append_text(self, name: str, at: datetime, content: str, purpose: str) -> RawRef:  # noqa: ARG002 - in the WARC
        """Return where the WARC already holds a text."""
        ref = self._visit.main.ref
        self._visit.archived.add(ref)
        return ref

    def read(self, ref: RawRef) -> Record:
        """Read the record at `ref`."""
        return self._store.read(ref)


def replayed_run(run: Run, visit: ReplayedVisit) -> Run:
    """Return a copy of a run in which the records of `visit` replace the network, the clock and the WARC store."""
    clock: Clock = ReplayedClock(visit)
    return replace(
        run,
        fetcher=ReplayedFetcher(visit),
        warc=ReplayedStore(visit, run.warc),
        clock=clock,
        pending=[],
        capture_ids={},
    )


_Factory = Callable[[str, str, int], FetchError]
_FAILURES: Mapping[str, _Factory] = {
    "FetchError": lambda url, text, _: FetchError(url, text),
    "Unreachable": lambda url, text, _: Unreachable(url, text),
    "BadStatus": lambda url, text, status: BadStatus(url, status, text),
    "Throttled": lambda url, _, status: Throttled(url, status),
    "Disallowed": lambda url, text, _: Disallowed(url, text),
    "Refused": lambda url, text, _: Refused(url, text),
    "BodyTooLarge": lambda url, text, _: BodyTooLarge(url, text),
}


def failure(record: Record) -> FetchError:
    """Return the failure that a metadata record describes; a plain FetchError if this version has no class for it."""
    lines = record.body.decode("utf-8").splitlines()
    fields = dict(line.partition(": ")[::2] for line in lines)
    factory = _FAILURES.get(fields.get("outcome", ""), _FAILURES["FetchError"])
    status = fields.get("status", "")
    return factory(record.url, fields.get("error", ""), int(status) if status.isdecimal() else 0)
