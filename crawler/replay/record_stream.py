"""The records of all WARC files in the order in which they were written.

A file's records are in order already; files are merged by time, day by day, so that few are open and one record of each
is in memory. A visit that took several requests finds its further answers in the file of the first, or where the process
went on when that file was full or the day was over.

Boundary: order of records; what they mean is not looked at beyond `VNA-Purpose` and address.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from crawler.clock import to_precise_text
from crawler.pipeline.run import ROBOTS
from crawler.warc import Damage, Member, Record

_WHENEVER = ""  # of files whose name tells no day


@dataclass(frozen=True, slots=True)
class Strip:
    """The records of one file, of a day (`20261121`)."""

    day: str
    items: Iterator[Record | Damage]


@dataclass
class _Head:
    """Where reading a file stands: the records read ahead, and a time that never runs back."""

    items: Iterator[Record | Damage]
    ahead: deque[Record | Damage] = field(default_factory=deque)
    time: str = ""

    def filled(self, count: int = 1) -> bool:
        while len(self.ahead) < count:
            item = next(self.items, None)
            if item is None:
                return False
            self.ahead.append(item)
        return True

    def due(self) -> str:
        """Give the time of the next record; within a file the written order stands, also when a clock was set back."""
        if isinstance(item := self.ahead[0], Record):
            self.time = max(self.time, to_precise_text(written_at(item)))
        return self.time

    def place_of(self, wanted: Callable[[Record], bool]) -> int | None:
        """Give how far ahead the wanted record stands, when nothing but answers to robots.txt is before it."""
        for place in itertools.count():
            if not self.filled(place + 1) or not isinstance(item := self.ahead[place], Record):
                return None
            if wanted(item):
                return place
            if item.purpose != ROBOTS:
                return None
        return None  # pragma: no cover - numbers do not end

    def taken(self, place: int) -> list[Record]:
        """Take what stands up to a place; `place_of` saw that it is records alone."""
        return [item for _ in range(place + 1) if isinstance(item := self.ahead.popleft(), Record)]


class Reel:
    """Gives records one after the other, and further answers of a visit on demand."""

    def __init__(self, strips: Iterable[Strip]) -> None:
        self._closed = deque(sorted(strips, key=lambda strip: strip.day))
        self._open: list[_Head] = []
        self._current: _Head | None = None

    def __iter__(self) -> Iterator[Record | Damage]:
        while (item := self._take()) is not None:
            yield item

    def follow(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Take the wanted record, answers to robots.txt before it included (it is the last); empty when it is not next."""
        heads = [self._current] if self._current is not None else []
        heads += [head for head in self._open if head is not self._current]
        for head in heads:
            place = head.place_of(wanted)
            if place is not None:
                self._current = head
                return head.taken(place)
        return self._follow_on(wanted)

    def behind(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Take the wanted record from the file of the record in hand, as `follow` does from all."""
        place = None if self._current is None else self._current.place_of(wanted)
        return [] if place is None or self._current is None else self._current.taken(place)

    def is_last(self) -> bool:
        """Say whether nothing stands behind the record in hand in its file."""
        return self._current is None or not self._current.filled()

    def _follow_on(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Look where the process went on after midnight, once nothing of the day is left in its file."""
        if self._current is None or self._current.filled() or not self._closed:
            return []
        self._open_day()
        self._current = None
        return self.follow(wanted)

    def _take(self) -> Record | Damage | None:
        self._open = [head for head in self._open if head.filled()]
        while self._closed and (
            not self._open or self._begins(self._closed[0].day) <= min(h.due() for h in self._open)
        ):
            self._open_day()
            self._open = [head for head in self._open if head.filled()]
        if not self._open:
            return None
        self._current = min(self._open, key=_Head.due)
        return self._current.ahead.popleft()

    def _open_day(self) -> None:
        day = self._closed[0].day
        while self._closed and self._closed[0].day == day:
            self._open.append(_Head(self._closed.popleft().items))

    def _begins(self, day: str) -> str:
        return f"{day[:4]}-{day[4:6]}-{day[6:8]}" if day else _WHENEVER


def written_at(record: Record) -> datetime:
    """Say when a record was written: of a capture taken over from elsewhere not when it was captured."""
    return record.written_at or record.fetched_at


def records(items: Iterable[Member | Damage]) -> Iterator[Record | Damage]:
    """Leave out what no row points at: requests, and what a file begins with."""
    for item in items:
        if isinstance(item, Damage):
            yield item
        elif item.record is not None:
            yield item.record


def strips(names: Iterable[str], read: Callable[[str], Iterable[Member | Damage]]) -> list[Strip]:
    """Make the files of an archive ready to be read; none is opened yet."""
    return [Strip(day_of(name), records(_lazily(read, name))) for name in names]


def _lazily(read: Callable[[str], Iterable[Member | Damage]], name: str) -> Iterator[Member | Damage]:
    yield from read(name)


def day_of(name: str) -> str:
    """Give the day in a file's name (`2026/11/vna-20261121-000.warc.gz`), empty when it has none."""
    day = name.rpartition("/vna-")[2][:8]
    return day if day.isdecimal() and len(day) == 8 else _WHENEVER
