"""Reads the bytes of a WARC or ARC file of another program as a stream, whatever the compression, in constant memory.

In most files, each record is one gzip member or Zstandard frame. So no record extends beyond the start of a member that
begins with a record: reading stops there, and a record with a wrong length cannot swallow the next ones. After damaged
data, reading continues at the next member that begins with a record.

Data that expands too much counts as damaged: a member may have 100 times its size and 20 MB; all members together may
exceed this by 1 GB. Pages expand 3 to 20 times. A file of 11 MB that expands to 11 GB is read in 3 s.

Boundary: reads bytes; `crawler.warc.foreign` knows the records.
"""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Callable
from typing import IO, Any, Protocol

import zstandard

from crawler.errors import raise_if_stopped

_STEP = 1 << 16  # bytes that are read at once
_CONTENT_STEP = 1 << 20  # bytes that are decompressed at once
_ZSTD_STEP = 1 << 10  # 1 kB of Zstandard data has at most 32 MB of content
_ZSTD_WINDOW = 1 << 27  # bytes; what `zstd --long` needs
_MAX_LINE = 1 << 16
_RATIO = 100  # decompressed bytes for each byte of a member
_MEMBER_ALLOWANCE = 20_000_000  # bytes beyond the ratio for each member: more than the largest response that is used
_FILE_ALLOWANCE = 1_000_000_000  # bytes beyond that for all members of the file together
_MAX_EMPTY = 500_000  # members without content
_MAX_TRIALS = 500_000  # positions at which a member may begin, after damage
_TRIAL = 1 << 14  # bytes that are decompressed there to see whether it begins with a record
_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_DICTIONARY = b"\x5d\x2a\x4d\x18"  # the skippable frame of https://iipc.github.io/warc-specifications/ (zstd)
_MAX_DICTIONARY = 16_000_000  # bytes

#: The first line of a WARC record, and of an ARC record: address, IP address, date, content type, length.
RECORD_START = re.compile(
    rb"WARC/[0-9]|(?:filedesc|https?|dns|ftp|whois):[^\r\n]* [0-9a-f.:-]+ [0-9]{8,14} ", re.IGNORECASE
)
_LINE_OF_RECORD = re.compile(
    rb"\n(?=WARC/[0-9]|filedesc:|https?://[^\s]{1,2000} [0-9a-f.:-]{1,45} [0-9]{8,14} [^\r\n]{0,100} [0-9]{1,10}\r?\n)"
)
_LINE_ENDS = re.compile(rb"[\r\n]++")
_LINE_START = 2200  # bytes that `_LINE_OF_RECORD` needs at most
_ARC_START = re.compile(rb"(?P<url>.+?) (?P<ip>[0-9a-f.:-]+) (?P<date>[0-9]{8,14})(?= |$)", re.IGNORECASE | re.DOTALL)


def arc_line(line: bytes) -> bytes:
    """Return the first line of a record; that of an ARC record in the five fields of version 1, without further spaces.

    Version 2 has ten fields. Addresses and content types may have spaces, although the fields are divided by spaces.
    """
    start, _, length = line.rstrip().rpartition(b" ")
    match = _ARC_START.match(start) if length.isdigit() and not line.startswith(b"WARC/") else None
    if match is None:
        return line
    kind = (start[match.end() :].split() or [b"-"])[0]
    fields = (match["url"].replace(b" ", b"%20"), match["ip"], match["date"], kind, length)
    return b" ".join(fields) + b"\n"


class _Engine(Protocol):
    """Decompresses one gzip member or one Zstandard frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return decompressed data."""
        ...


class _Zstd:
    """Decompresses a Zstandard frame, with the interface of `zlib.decompressobj`."""

    def __init__(self, dictionary: zstandard.ZstdCompressionDict | None) -> None:
        self._engine: Any = zstandard.ZstdDecompressor(
            dict_data=dictionary, max_window_size=_ZSTD_WINDOW
        ).decompressobj()
        self.unused_data = self.unconsumed_tail = b""
        self.eof = False

    def decompress(self, data: bytes, _: int, /) -> bytes:
        """Return the content of the first bytes of `data`; the rest is in `unconsumed_tail` or `unused_data`."""
        now, later = data[:_ZSTD_STEP], data[_ZSTD_STEP:]
        try:
            content: bytes = self._engine.decompress(now)
        except zstandard.ZstdError as error:
            raise zlib.error(str(error)) from error
        self.eof = self._engine.eof
        self.unused_data, self.unconsumed_tail = (self._engine.unused_data + later, b"") if self.eof else (b"", later)
        return content


class Inflow:
    """The decompressed bytes of a file. Reads stop before a member that begins with a record, until `next_member`.

    `damage` is the reason for which the last read stopped early, or empty; `next_member` clears it. `next_is_damaged`
    says whether the damage is at the start of a member, so that what was read before it is intact.

    Each method that reads raises `Interrupted` if `stopping`, which is called for every 64 kB of the file, returns True.
    """

    def __init__(self, file: IO[bytes], stopping: Callable[[], bool] = lambda: False) -> None:
        self._file = file
        self._stopping = stopping
        self._raw = self._more()
        self.empty = not self._raw
        self._dictionary: zstandard.ZstdCompressionDict | None = None
        self._magic = b""
        if self._raw.startswith(_GZIP):
            self._magic = _GZIP
        elif self._raw.startswith((_ZSTD, _ZSTD_DICTIONARY)):
            self._magic = _ZSTD
            self._read_dictionary()
        #: the size of the file in bytes, if this is also the size of its content
        self.most = None if self._magic or not file.seekable() else os.fstat(file.fileno()).st_size
        self._engine: _Engine | None = None
        self._data, self._at = b"", 0
        self._started = False  # whether any data was read: the first member is not a boundary
        self._next: bytes | None = None  # the first bytes of the next member, if it begins with a record
        self.damage = ""
        self.next_is_damaged = False
        self._member_has_data = False
        self._allowance = _FILE_ALLOWANCE
        self._taken = self._given = 0  # bytes of the current member: compressed, decompressed
        self._empty = self._trials = 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; fewer only at the end of the file, of a record's member, or at damage."""
        parts = []
        while size > 0 and self._fill():
            part = self._data[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def readline(self, limit: int = _MAX_LINE) -> bytes:
        """Return the next line with its line end; a line longer than `limit` bytes is returned in parts."""
        parts: list[bytes] = []
        while limit > 0 and self._fill():
            end = self._data.find(b"\n", self._at, self._at + limit) + 1
            part = self._data[self._at : end or self._at + limit]
            self._at += len(part)
            limit -= len(part)
            parts.append(part)
            if end:
                break
        return b"".join(parts)

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes without consuming them; fewer where `read` would return fewer."""
        data = self.read(size)
        self.push_back(data)
        return data

    def skip_line_ends(self) -> None:
        """Skip line ends that are already decompressed: millions of empty lines would take minutes one by one."""
        if match := _LINE_ENDS.match(self._data, self._at):
            self._at = match.end()

    def skip_to_record(self) -> int:
        """Skip data up to a line that begins a WARC record, or up to where `read` stops; return the number of bytes."""
        skipped = 0
        while self._fill():
            match = _LINE_OF_RECORD.search(self._data, self._at)
            end = match.end() if match else max(self._at, len(self._data) - _LINE_START)
            skipped += end - self._at
            self._at = end
            if match:
                break
            if len(self._data) - end <= _LINE_START:  # the beginning of the line may be in the next data
                rest, self._at = self._data[end:], len(self._data)
                if not self._fill():
                    return skipped + len(rest)
                self.push_back(rest)
        return skipped

    def push_back(self, data: bytes) -> None:
        """Make `data` the next bytes to be read."""
        self._data, self._at = data + self._data[self._at :], 0

    def next_member(self) -> bool:
        """After a read that returned nothing, continue with the next member; return False if there is none."""
        self.damage = ""
        if self._next is None:
            return False
        self._data, self._at, self._next = self._next, 0, None
        return True

    def at_end(self) -> bool:
        """Whether all of the file was read."""
        return not self._fill() and self._next is None

    def _fill(self) -> bool:
        """Make sure that a byte can be read; return False if reading must stop."""
        while self._at >= len(self._data):
            if self._next is not None or self.damage:
                return False
            try:
                data, starts = self._decompressed()
            except zlib.error as error:
                self.damage = f"the compressed data is damaged: {error}"
                self.next_is_damaged = not self._member_has_data
                self._find_member()
                return False
            if data is None:
                return False
            if starts and RECORD_START.match(data) and self._started:
                self._next = data
                return False
            self._started = True
            self._data, self._at = data, 0
        return True

    def _more(self) -> bytes:
        """Return the next bytes of the file; empty at its end."""
        raise_if_stopped(self._stopping)
        return self._file.read(_STEP)

    def _decompressed(self) -> tuple[bytes | None, bool]:
        """Return the next decompressed bytes, None at the end of the file, and whether they start a member."""
        if not self._raw:
            self._raw = self._more()
        if not self._magic:
            data, self._raw = self._raw, b""
            return data or None, False
        starts = self._engine is None
        if starts:
            while not (rest := self._raw.lstrip(b"\0")) and (more := self._more()):
                self._raw = more
            if not rest:  # only zero bytes are left, with which some programs pad the last member
                return None, False
            self._raw = rest
            self._engine = self._new_engine()
            self._member_has_data = False
            self._taken = self._given = 0
        engine = self._engine
        assert engine is not None
        while True:
            fed = self._raw or self._more()
            data = engine.decompress(fed, _CONTENT_STEP)
            self._raw = engine.unused_data if engine.eof else engine.unconsumed_tail
            self._count(len(fed) - len(self._raw), len(data), ended=engine.eof)
            if data or engine.eof:
                break
            if not fed:
                self.damage = "the file ends inside a record"
                self.next_is_damaged = not self._member_has_data
                return None, False
        if engine.eof:
            self._engine = None
        self._member_has_data = True
        return data, starts

    def _count(self, taken: int, given: int, *, ended: bool) -> None:
        """Count what was decompressed.

        Raises:
            zlib.error: it expands too much, or there are too many members without content.

        """
        self._taken += taken
        self._given += given
        excess = self._given - _RATIO * self._taken - _MEMBER_ALLOWANCE
        if excess > 0 and given:
            self._allowance -= min(excess, given)
            if self._allowance < 0:
                raise zlib.error(f"it expands more than {_RATIO} times")
        elif ended and not self._given:
            self._empty += 1
            if self._empty > _MAX_EMPTY:
                raise zlib.error(f"more than {_MAX_EMPTY} members without content")

    def _new_engine(self) -> _Engine:
        return zlib.decompressobj(wbits=31) if self._magic == _GZIP else _Zstd(self._dictionary)

    def _find_member(self) -> None:
        """After damage, look for the next member that begins with a record, and store its first bytes."""
        self._engine = None
        at = 1
        while self._trials < _MAX_TRIALS:
            at = self._raw.find(self._magic, at)
            if at < 0 or len(self._raw) < at + _TRIAL:
                rest = self._raw[at:] if at >= 0 else self._raw[1 - len(self._magic) :]
                if more := self._more():
                    self._raw, at = rest + more, 0
                    continue
                if at < 0:
                    break
            if self._begin_record(at):
                return
            at += 1
        self._raw, self._file = b"", io.BytesIO()

    def _begin_record(self, at: int) -> bool:
        """Continue at the position `at` of the raw bytes if a member begins there, and a record in it."""
        self._trials += 1
        try:
            if not RECORD_START.match(self._new_engine().decompress(self._raw[at : at + _TRIAL], _TRIAL)):
                return False
            engine = self._new_engine()
            self._next = engine.decompress(self._raw[at:], _CONTENT_STEP)
        except zlib.error:
            return False
        self._taken = self._given = 0
        self._raw = engine.unused_data if engine.eof else engine.unconsumed_tail
        self._engine = None if engine.eof else engine
        return True

    def _read_dictionary(self) -> None:
        """Read the Zstandard dictionary with which the file begins, if there is one."""
        if not self._raw.startswith(_ZSTD_DICTIONARY) or len(self._raw) < 8:
            return
        size = int.from_bytes(self._raw[4:8], "little")
        if size > _MAX_DICTIONARY:
            return
        while len(self._raw) < size + 8 and (more := self._more()):
            self._raw += more
        data, self._raw = self._raw[8 : size + 8], self._raw[size + 8 :]
        if data.startswith(_ZSTD):
            reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(data)
            data = reader.read(_MAX_DICTIONARY)
        self._dictionary = zstandard.ZstdCompressionDict(data)
