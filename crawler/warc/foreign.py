"""Reads captures from WARC and ARC files of other collections: Common Crawl news sets, Wayback downloads, and others.

A file is streamed, so that a file of several GB needs no more memory than its largest record. Captures of unwanted
addresses are not read. A record that cannot be read is counted and named in the tally, and the next ones are read.

Boundary: reads files and yields captures. The caller decides which addresses are wanted.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeadersParser

from crawler import files
from crawler.errors import BadInput
from crawler.types import RawRef
from crawler.warc.dates import from_warc_date
from crawler.warc.foreign_http import HttpResponse, digest_differs, is_cut_off, parse_response, without_chunks
from crawler.warc.import_tally import ImportTally, Skip
from crawler.warc.inflow import RECORD_START, Inflow, arc_line
from crawler.warc.members import digest
from crawler.warc.reading import Record

_MAX_RESPONSE = 10_000_000  # bytes of one response as sent; an article page has about 25 kB
_MAX_WARC_HEAD = 256_000  # bytes
_MAX_ADDRESS = 8_000  # characters
_PEEKED = 4096  # bytes in which the next record must begin
_STEP = 1 << 16
_RECORD_MARK = 10  # bytes: what `_NEXT_RECORD` finds may begin in one record and end in what follows
_HINT = "pass .warc, .warc.gz, .warc.zst or .arc.gz files; unpack .wacz and .zip files first"

#: https://web.archive.org/web/20210304050607id_/https://...: with the flag `id_`, the page is as it was captured
_WAYBACK = re.compile(
    r"https?://(?:web|wayback|www\.web)\.archive\.org(?::[0-9]+)?/web/(?P<when>[0-9]{4,14})(?P<flag>[a-z]{2}_)?/(?P<url>.+)",
    re.DOTALL | re.IGNORECASE,
)
#: Record types that may hold a page. The last three hold content without the response of the server.
_WITH_PAGES = ("response", "revisit", "resource", "conversion", "continuation")
_NEXT_RECORD = re.compile(rb"(?P<gap>(?:\r?\n){2})WARC/[0-9]")
_OUTER_SPACES = re.compile(r"^(?:%20|\s)++|(?<!%20)(?<!\s)(?:%20|\s)++$")
_AROUND_ADDRESS = " \t<>"
_BLANK = b"\r\n \0\xef\xbb\xbf"  # also a byte order mark

# The library warns of each address with spaces, which it corrects.
logging.getLogger("warcio.recordloader").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class ForeignCapture:
    """One capture, and the names by which a revisit record refers to it: its payload digest and its record id.

    If `record.warc_type` is `revisit`, the record has no body, `names` contains the names of the capture whose response
    was received again, and `refers_to` the address and time of this capture, if the record has them. `number` is the
    position of the record in its file, from 1 on.
    """

    record: Record
    number: int
    names: tuple[str, ...] = ()
    refers_to: tuple[str, datetime] | None = None


def captures(
    path: Path,
    judge: Callable[[str], Skip | None],
    tally: ImportTally,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[ForeignCapture]:
    """Yield the captures of wanted addresses in the order of the file, and count them in `tally`.

    `judge` returns why an address is unwanted, or None for a wanted one. If the file is truncated or damaged, the
    damage is described in `tally.damage`; the captures that can be read are yielded.

    Raises:
        BadInput: the file cannot be opened, is empty, or is not a WARC or ARC file.
        Interrupted: `stopping`, which is called repeatedly, returned True.

    """
    try:
        with files.open_named(path, pipes=True) as file:
            yield from _FileReader(path, Inflow(file, stopping), judge, tally).captures()
    except OSError as error:
        hint = "check the path; a pattern that matches no file is passed on as it is"
        raise BadInput(f"cannot read {path}: {error.strerror or error}", hint) from error


class _Head:
    """The stream from which the library reads the head of a record, up to a limit."""

    def __init__(self, flow: Inflow) -> None:
        self._flow = flow
        self._left = _MAX_WARC_HEAD
        self.read = flow.read

    def readline(self) -> bytes:
        line = self._flow.readline(self._left)
        self._left -= len(line)
        if self._left <= 0:
            raise ValueError(f"the WARC headers have more than {_MAX_WARC_HEAD} bytes")
        return line

    def tell(self) -> int:
        return 0  # the library measures the HTTP headers with it, which it does not read here


class _FileReader:
    """Reads the records of one file."""

    def __init__(self, path: Path, flow: Inflow, judge: Callable[[str], Skip | None], tally: ImportTally) -> None:
        self._path = path
        self._flow = flow
        self._judge = judge
        self._tally = tally
        self._loader = ArcWarcRecordLoader(arc2warc=False)
        self._loader.warc_parser = StatusAndHeadersParser(["WARC/"])  # of any version
        self._origin = " ".join(path.name.encode(errors="replace").decode().split())  # it is written into a header

    def captures(self) -> Iterator[ForeignCapture]:
        """Yield the captures of wanted addresses; count all records.

        Raises:
            BadInput: the file is empty, or has no record.

        """
        if self._flow.empty:
            raise BadInput(f"{self._path} is empty", "copy or download the file again")
        while (line := self._first_line()) is not None:
            self._tally.records += 1
            try:
                record = self._loader.parse_record_stream(_Head(self._flow), arc_line(line), None, no_record_parse=True)
                _check_length(record, self._flow.most)
            except (ArchiveLoadFailed, EOFError, ValueError) as error:
                self._tally.skip(Skip.MALFORMED, detail=_one_line(error))
                self._note_damage()
                continue
            if (captured := self._capture(record)) is not None:
                yield captured
            while record.raw_stream.read(_STEP):  # skip the part of the record that was not read
                pass
            if record.raw_stream.limit:
                self._note_damage()
        if not self._tally.records:
            raise BadInput(f"{self._path} is not a WARC file, or no record in it is intact", _HINT)

    def _first_line(self) -> bytes | None:
        """Return the first line of the next record; None at the end of the file. Count data that is not a record.

        Raises:
            BadInput: the file does not begin with a record.

        """
        skipped = 0
        line_begins = True
        while line := self._line():
            if line_begins and RECORD_START.match(line):
                break
            line_begins = line.endswith(b"\n")
            if line_begins:
                self._flow.skip_line_ends()
            if line.strip(_BLANK):
                if not (self._tally.records or skipped or self._tally.damage):
                    raise BadInput(f"{self._path} is not a WARC file", _HINT)
                if line_begins:  # the next record may begin here
                    self._flow.push_back(b"\n")
                    skipped -= 1
                skipped += len(line) + self._flow.skip_to_record()
                line_begins = True
        if skipped:
            self._tally.skip(Skip.UNREADABLE_DATA, detail=f"{skipped} bytes after this record")
        return line or None

    def _line(self) -> bytes:
        """Return the next line, also across the members of a compressed file; empty at the end of the file."""
        while not (line := self._flow.readline()):
            if self._flow.damage:
                self._tally.damaged(self._flow.damage)
            if not self._flow.next_member():
                return b""
        return line

    def _note_damage(self) -> None:
        """Note the damage, or the end of the file, that ended a record early."""
        if self._flow.damage:
            self._tally.damaged(self._flow.damage)
        elif self._flow.at_end():
            self._tally.damaged("the file ends inside a record")

    def _capture(self, record: Any) -> ForeignCapture | None:
        """Return the capture in a record; None if the record is skipped, which is counted."""
        kind = (record.rec_type or "").lower()
        address = _address(record)
        wayback = _WAYBACK.fullmatch(address)
        url = _with_scheme(wayback["url"]) if wayback else address
        if (unwanted := self._unwanted(kind, url)) is not None:
            self._tally.skip(unwanted)
            return None
        self._tally.wanted += 1
        try:
            if kind == "revisit":
                return self._revisit(record, url, wayback)
            return self._response(kind, record, url, wayback)
        except _UnusableError as error:
            self._tally.skip(error.reason, url, error.detail)
            return None

    def _unwanted(self, kind: str, url: str) -> Skip | None:
        if kind and kind not in _WITH_PAGES:
            return Skip.OTHER_RECORD
        if not url and kind in ("response", "revisit"):
            return Skip.MALFORMED
        return Skip.OTHER_SITE if len(url) > _MAX_ADDRESS else self._judge(url)

    def _response(self, kind: str, record: Any, url: str, wayback: re.Match[str] | None) -> ForeignCapture:
        header = record.rec_headers.get_header
        if header("WARC-Truncated"):
            raise _UnusableError(Skip.TRUNCATED)
        if header("WARC-Segment-Number"):
            raise _UnusableError(Skip.TRUNCATED, "the rest is in other records, as segments")
        if wayback is not None and wayback["flag"] != "id_":
            raise _UnusableError(Skip.REWRITTEN)
        block = self._block(record)
        if digest_differs(block, header("WARC-Block-Digest")):
            raise _UnusableError(Skip.DIGEST)
        try:
            response = parse_response(block) if kind == "response" else None
            if response is None:
                raise _UnusableError(Skip.NO_RESPONSE, "" if kind == "response" else f"a {kind or 'nameless'} record")
            body = without_chunks(response)
        except ValueError as error:
            raise _UnusableError(Skip.MALFORMED, _one_line(error)) from error
        if is_cut_off(response, body):
            raise _UnusableError(Skip.TRUNCATED, "shorter than its Content-Length, and without the end of the page")
        at = _captured_at(record, wayback, response.header("Memento-Datetime"))
        names = (header("WARC-Payload-Digest"), header("WARC-Record-ID"))
        return ForeignCapture(
            self._record(url, at, response, body), self._tally.records, tuple(_name(n) for n in names if n)
        )

    def _revisit(self, record: Any, url: str, wayback: re.Match[str] | None) -> ForeignCapture:
        header = record.rec_headers.get_header
        at = _captured_at(record, wayback, None)
        names = (header("WARC-Payload-Digest"), header("WARC-Refers-To"))
        earlier_url, earlier = header("WARC-Refers-To-Target-URI"), header("WARC-Refers-To-Date")
        refers_to = None
        if earlier:
            try:
                refers_to = (earlier_url or url).strip(_AROUND_ADDRESS), from_warc_date(earlier)
            except ValueError:
                refers_to = None  # the digest may lead to the response
        nothing = HttpResponse(0, "", (), b"")
        found = self._record(url, at, nothing, b"", warc_type="revisit")
        return ForeignCapture(found, self._tally.records, tuple(_name(n) for n in names if n), refers_to)

    def _record(
        self, url: str, at: datetime, response: HttpResponse, body: bytes, warc_type: str = "response"
    ) -> Record:
        return Record(
            url=url,
            fetched_at=at,
            status=response.status,
            headers=response.headers,
            body=body,
            ref=RawRef(self._origin, 0, 0, digest(body)),
            warc_type=warc_type,
            reason=response.reason,
            origin=self._origin,
        )

    def _block(self, record: Any) -> bytes:
        """Return the content of a record.

        Raises:
            _UnusableError: it is too large or damaged, or its length does not match the file.

        """
        if record.length > _MAX_RESPONSE:
            raise _UnusableError(Skip.TOO_LARGE)
        block: bytes = record.raw_stream.read(record.length)
        if len(block) < record.length:
            raise _UnusableError(Skip.LENGTH, f"{len(block)} of {record.length} bytes")
        following = self._flow.peek(_PEEKED)
        if self._flow.damage and not self._flow.next_is_damaged:  # also a wrong checksum at the end of the member
            raise _UnusableError(Skip.DAMAGED)
        rest = following.lstrip(b"\r\n")
        end = b"\n" if record.format == "arc" else b"\r\n\r\n"
        if rest and not following.startswith(end) and not RECORD_START.match(rest):
            # The length was too large: read what it included.
            if swallowed := _NEXT_RECORD.search(block + following[:_RECORD_MARK]):
                self._flow.push_back(block[swallowed.end("gap") :])
            raise _UnusableError(Skip.LENGTH)
        return block


class _UnusableError(Exception):
    """A record cannot be used."""

    def __init__(self, reason: Skip, detail: str = "") -> None:
        super().__init__(detail or reason.description)
        self.reason = reason
        self.detail = detail


def _check_length(record: Any, most: int | None) -> None:
    """Check the length of a record; `most` is the size of the file in bytes if it is not compressed.

    Raises:
        ValueError: the length is missing or invalid, or the file is smaller.

    """
    header = record.rec_headers.get_header
    declared = header("length") if record.format == "arc" else header("Content-Length")
    if re.fullmatch(r"[0-9]{1,30}", (declared or "").strip()) is None:
        raise ValueError("its length is missing or invalid")
    if most is not None and record.length > most:
        raise ValueError("it is longer than the file")


def _address(record: Any) -> str:
    """Return the address of a record; wget writes it in angle brackets, as the grammar of WARC/1.0 has it.

    The library writes `%20` for spaces, also for those around the address in a folded header.
    """
    name = "uri" if record.format == "arc" else "WARC-Target-URI"
    address = _OUTER_SPACES.sub("", record.rec_headers.get_header(name) or "")
    return address.strip(_AROUND_ADDRESS)


def _with_scheme(url: str) -> str:
    """Return the address of a page in that of its copy; people leave out `https://` there."""
    return url if re.match("https?:/", url, re.IGNORECASE) else f"https://{url}"


def _name(text: str) -> str:
    return text.strip(_AROUND_ADDRESS).lower()


def _captured_at(record: Any, wayback: re.Match[str] | None, memento: str | None) -> datetime:
    """Return when a response was received. For a Wayback download, this is not the date of the record.

    Raises:
        _UnusableError: the record has no valid date.

    """
    if wayback is not None and memento:
        try:
            at = parsedate_to_datetime(memento)
        except (ValueError, TypeError, OverflowError):
            at = None
        if at is not None:  # without a zone (`-0000`), it is in UTC
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    name = "archive-date" if record.format == "arc" else "WARC-Date"
    try:
        return from_warc_date(wayback["when"] if wayback is not None else record.rec_headers.get_header(name))
    except ValueError as error:
        raise _UnusableError(Skip.UNDATED, str(error)) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
