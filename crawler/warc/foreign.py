"""Reads captures from WARC files of other collections: Common Crawl news sets, Wayback Machine downloads, and others.

A file may be uncompressed, have one gzip member for each record, or be a single gzip member. It is streamed, so that a
file of several GB needs no more memory than its largest record. Captures of unwanted addresses are not read.

Boundary: reads files and yields records. The caller decides which addresses are wanted.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed

from crawler.clock import from_text
from crawler.errors import BadInput
from crawler.types import RawRef
from crawler.warc.members import digest
from crawler.warc.reading import Record

_GZIP = b"\x1f\x8b"
_WHOLE_GZIP = "non-chunked gzip"  # part of the library's error message for a file that is a single gzip member
_MAX_RESPONSE = 10_000_000  # bytes of one response as sent; an article page has about 25 kB

#: https://web.archive.org/web/20210304050607id_/https://...: with the flag `id_`, the page is as it was captured
_WAYBACK = re.compile(r"https?://web\.archive\.org/web/(?P<when>\d{14})(?P<flag>[a-z]{2}_)?/(?P<url>.+)", re.DOTALL)


@dataclass
class ImportTally:
    """Counts for one imported file: all records, the captures of wanted addresses, and the skipped ones, by reason.

    `damage` tells after which record the file is damaged; it is None if the file could be read to its end.
    """

    records: int = 0
    wanted: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    damage: str | None = None


def captures(path: Path, wanted: Callable[[str], bool], tally: ImportTally) -> Iterator[Record]:
    """Yield the captures whose address `wanted` accepts, in the order of the file, and count them in `tally`.

    If the file is truncated or damaged, yield the captures before the damage, and describe it in `tally.damage`.

    Raises:
        BadInput: the file cannot be opened or is not a WARC file.

    """
    try:
        with path.open("rb") as file:
            start = file.read(5)
            if not start.startswith((_GZIP, b"WARC/")):
                raise BadInput(f"{path} is not a WARC file", "pass .warc or .warc.gz files")
            file.seek(0)
            yield from _records(path, file, wanted, tally)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}", "check the path") from error


def _records(path: Path, file: IO[bytes], wanted: Callable[[str], bool], tally: ImportTally) -> Iterator[Record]:
    try:
        yield from _streamed(path, file, wanted, tally)
    except ArchiveLoadFailed as error:
        if _WHOLE_GZIP not in str(error):
            tally.damage = f"after record {tally.records}: {_one_line(error)}"
            return
        file.seek(0)
        tally.records = tally.wanted = 0
        tally.skipped.clear()
        with gzip.open(file) as plain:
            try:
                yield from _streamed(path, plain, wanted, tally)
            except (ArchiveLoadFailed, EOFError, zlib.error, gzip.BadGzipFile) as worse:
                tally.damage = f"after record {tally.records}: {_one_line(worse)}"
    except (EOFError, zlib.error, ValueError) as error:
        tally.damage = f"after record {tally.records}: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _streamed(path: Path, file: Any, wanted: Callable[[str], bool], tally: ImportTally) -> Iterator[Record]:
    iterator = ArchiveIterator(file)
    for record in iterator:
        tally.records += 1
        if record.rec_type not in ("response", "revisit"):
            continue
        address = record.rec_headers.get_header("WARC-Target-URI") or ""
        wayback = _WAYBACK.fullmatch(address)
        if not wanted(wayback["url"] if wayback else address):
            continue
        tally.wanted += 1
        if (reason := _unusable(record, wayback)) is not None:
            tally.skipped[reason] += 1
            continue
        try:
            read = _record(path, iterator, record, wayback)
        except (ValueError, TypeError) as error:  # an invalid date, status or chunk length: skip this record
            tally.skipped[f"malformed record: {_one_line(error)}"] += 1
            continue
        yield read


def _unusable(record: Any, wayback: re.Match[str] | None) -> str | None:
    """Return why a record is not the complete, unchanged response of the site; None if the record can be used."""
    if record.rec_type == "revisit":
        return "revisit record without the response"
    if record.http_headers is None:
        return "no HTTP response"
    if record.rec_headers.get_header("WARC-Truncated"):
        return "truncated when it was captured"
    if wayback is not None and wayback["flag"] != "id_":
        return "rewritten by the Wayback Machine (download it with `id_` after the date in its address)"
    if record.length is not None and record.length > _MAX_RESPONSE:
        return f"larger than the limit of {_MAX_RESPONSE} bytes"
    return None


def _record(path: Path, iterator: Any, record: Any, wayback: re.Match[str] | None) -> Record:
    http = record.http_headers
    body = _body(record)
    warc_date = record.rec_headers.get_header("WARC-Date")
    return Record(
        url=wayback["url"] if wayback else record.rec_headers.get_header("WARC-Target-URI"),
        fetched_at=_captured(wayback, http.get_header("Memento-Datetime")) or from_text(warc_date),
        status=int(http.get_statuscode()),
        headers=tuple((str(k), str(v)) for k, v in http.headers),
        body=body,
        ref=RawRef(path.name, iterator.get_record_offset(), 0, digest(body)),
        warc_type=record.rec_type,
        reason=http.statusline.partition(" ")[2],
        origin=path.name,
    )


def _body(record: Any) -> bytes:
    """Return the body of a record without the chunked transfer coding, but with its content coding, as we store it.

    Raises:
        EOFError: the file ends inside the record.
        ValueError: the chunked body ends before the record does.

    """
    chunked = "chunked" in (record.http_headers.get_header("Transfer-Encoding") or "").lower()
    stream = ChunkedDataReader(record.raw_stream) if chunked else record.raw_stream
    body: bytes = stream.read()
    if record.raw_stream.read():
        raise ValueError("the chunks end before the record does")
    if record.raw_stream.limit:  # bytes are missing; the library treats the end of the file as the end of the record
        raise EOFError("the file ends inside a record")
    return body


def _captured(wayback: re.Match[str] | None, memento: str | None) -> datetime | None:
    """Return when the Wayback Machine captured the page; None for captures that are not from the Wayback Machine."""
    if wayback is None:
        return None
    if memento:
        return parsedate_to_datetime(memento).astimezone(UTC)
    return datetime.strptime(wayback["when"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
