"""The records of all WARC files in the order in which they were written.

The clock periods come one after the other: whenever the system clock was set back, new files were begun.

The records of one file are in order. Files of one clock period are merged by time, day by day, so that few files are
open and only one record of each is in memory. If a visit has several responses, the further ones are in the same file
as the first one or, if that file was full or the day was over, in the file that the process opened next.

Boundary: only the order of the records; of their content, only the purpose and the time are read.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from crawler import urls
from crawler.clock import to_precise_text
from crawler.purpose import ROBOTS, Purpose
from crawler.warc import Damage, Member, Record, WarcStore

_NO_DAY = ""  # for files whose name contains no day
_ROBOTS = str(ROBOTS)


@dataclass(frozen=True, slots=True)
class FileStream:
    """The records of one file.

    `day` is the day in its name (`20261121`), `period` its clock period, `settings` the settings of the run as text.
    """

    day: str
    items: Iterator[Record | Damage]
    period: int = 0
    settings: str = ""

    @property
    def order(self) -> tuple[int, str]:
        """The clock period and the day; files for which they are equal are read together."""
        return self.period, self.day


@dataclass
class _OpenFile:
    """A file that is being read.

    `ahead` has the records that were read in advance. `time` is the time of the first of them; it never goes back.
    """

    items: Iterator[Record | Damage]
    settings: str = ""
    ahead: deque[Record | Damage] = field(default_factory=deque)
    time: str = ""

    def has(self, count: int = 1) -> bool:
        """Read ahead until `count` records are buffered; return False if the file has fewer."""
        while len(self.ahead) < count:
            item = next(self.items, None)
            if item is None:
                return False
            self.ahead.append(item)
        return True

    def next_time(self) -> str:
        """Return the time of the next record.

        It is never earlier than the time of the previous record, even if a clock was set back.
        """
        if isinstance(item := self.ahead[0], Record):
            self.time = max(self.time, to_precise_text(written_at(item)))
        return self.time

    def position_of(self, wanted: Callable[[Record], bool]) -> int | None:
        """Return the position of the wanted record in `ahead` if it comes next, and None otherwise.

        Only robots.txt responses may come before it.
        """
        for position in itertools.count():
            if not self.has(position + 1) or not isinstance(item := self.ahead[position], Record):
                return None
            if wanted(item):
                return position
            if item.purpose != _ROBOTS:
                return None
        return None  # pragma: no cover - itertools.count is infinite

    def take_until(self, position: int) -> list[Record]:
        """Remove and return the records up to and including `position`, which `position_of` returned."""
        return [item for _ in range(position + 1) if isinstance(item := self.ahead.popleft(), Record)]


class RecordStream:
    """Yields one record after the other and, on request, the further responses of the current visit."""

    def __init__(self, files: Iterable[FileStream]) -> None:
        self._unopened = deque(sorted(files, key=lambda file: file.order))
        self._open: list[_OpenFile] = []
        self._current: _OpenFile | None = None
        self._period = 0  # of the open files

    def __iter__(self) -> Iterator[Record | Damage]:
        while (item := self._take()) is not None:
            yield item

    @property
    def settings(self) -> str:
        """The settings of the run that began the file of the current record, as text; empty if they are unknown."""
        return self._current.settings if self._current is not None else ""

    def follow(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Remove and return the robots.txt responses that come next, and the wanted record after them.

        Return an empty list if any other record comes before the wanted one.
        """
        files = [self._current] if self._current is not None else []
        files += [file for file in self._open if file is not self._current]
        for file in files:
            position = file.position_of(wanted)
            if position is not None:
                self._current = file
                return file.take_until(position)
        return self._follow_next_day(wanted)

    def follow_in_file(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Do the same as `follow`, but look only in the file of the current record."""
        position = None if self._current is None else self._current.position_of(wanted)
        return [] if position is None or self._current is None else self._current.take_until(position)

    def is_last(self) -> bool:
        """Whether the current record is the last one of its file."""
        return self._current is None or not self._current.has()

    def _follow_next_day(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Do the same as `follow` in the files of the next day, if the current file has ended.

        The process that wrote the current record may have continued in one of them.
        """
        if self._current is None or self._current.has() or not self._unopened:
            return []
        self._open_day()
        self._current = None
        return self.follow(wanted)

    def _take(self) -> Record | Damage | None:
        self._open = [file for file in self._open if file.has()]
        while self._unopened and (not self._open or self._has_begun(self._unopened[0])):
            self._open_day()
            self._open = [file for file in self._open if file.has()]
        if not self._open:
            return None
        self._current = min(self._open, key=_OpenFile.next_time)
        return self._current.ahead.popleft()

    def _open_day(self) -> None:
        order = self._unopened[0].order
        self._period = self._unopened[0].period
        while self._unopened and self._unopened[0].order == order:
            file = self._unopened.popleft()
            self._open.append(_OpenFile(file.items, file.settings))

    def _has_begun(self, file: FileStream) -> bool:
        """Whether a file may contain a record that was written before the next records of all open files."""
        start = self._start(file.day)
        return file.period == self._period and start <= min(open_file.next_time() for open_file in self._open)

    def _start(self, day: str) -> str:
        return f"{day[:4]}-{day[4:6]}-{day[6:8]}" if day else _NO_DAY


def written_at(record: Record) -> datetime:
    """Return when a record was written. For an imported capture, this is later than the time of the capture."""
    return record.written_at or record.fetched_at


def purpose_of(record: Record) -> Purpose | None:
    """Return the purpose of a record; None if this version does not know its kind.

    Version 0.1 wrote no purpose into the records; for these, the purpose follows from the address.
    """
    if record.purpose is not None:
        return Purpose.parse(record.purpose)
    if urlsplit(record.url).path == "/robots.txt":
        return ROBOTS
    post_id = urls.post_id(record.url)
    return Purpose.source(record.url) if post_id is None else Purpose.page(post_id)


def response_records(items: Iterable[Member | Damage]) -> Iterator[Record | Damage]:
    """Yield the records of a file, except requests and the file header, to which no row refers."""
    for item in items:
        if isinstance(item, Damage):
            yield item
        elif item.record is not None:
            yield item.record


def file_streams(
    warc: WarcStore, names: Iterable[str], read: Callable[[str], Iterable[Member | Damage]]
) -> list[FileStream]:
    """Return the streams of files of an archive. A file is opened to read its records when its stream is first read.

    `read` returns the records of a file.
    """
    return [
        FileStream(
            day_of(name), response_records(_lazily(read, name)), warc.clock_period(name), warc.run_settings(name)
        )
        for name in names
    ]


def _lazily(read: Callable[[str], Iterable[Member | Damage]], name: str) -> Iterator[Member | Damage]:
    yield from read(name)


def day_of(name: str) -> str:
    """Return the day in the name of a file (`2026/11/vna-20261121-000.warc.gz`); empty if the name contains none."""
    day = name.rpartition("/vna-")[2][:8]
    return day if day.isdecimal() and len(day) == 8 else _NO_DAY
