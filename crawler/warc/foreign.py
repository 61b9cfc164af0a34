"""Captures in WARC files that others made: Common Crawl's news sets, downloads from the Wayback Machine, other archives.

Files are streamed: gzip by record or as a whole, or plain; several GB take no more memory than one record. What is not
wanted is passed over unread.

Boundary: files to records. Which addresses are wanted is the caller's to say.
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
_WHOLE_GZIP = "non-chunked gzip"  # what the library says of a file that is one gzip member
_CAP = 10_000_000  # bytes of one answer as sent; no article comes near it

#: https://web.archive.org/web/20210304050607id_/https://...: the flag `id_` asks for the page as it was captured
_WAYBACK = re.compile(r"https?://web\.archive\.org/web/(?P<when>\d{14})(?P<flag>[a-z]{2}_)?/(?P<url>.+)", re.DOTALL)


@dataclass
class Tally:
    """What was met in one file; `passed` counts wanted captures that could not be taken, by reason."""

    records: int = 0
    wanted: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    damage: str | None = None


def captures(path: Path, wanted: Callable[[str], bool], tally: Tally) -> Iterator[Record]:
    """Read the captures of wanted addresses, in the order of the file; the tally fills up meanwhile.

    A file that is cut or damaged gives what stands before the damage, and `tally.damage` says where that is.

    Raises:
        BadInput: it cannot be opened, or is no WARC file.

    """
    try:
        with path.open("rb") as file:
            start = file.read(5)
            if not start.startswith((_GZIP, b"WARC/")):
                raise BadInput(f"{path} is no WARC file", "give .warc or .warc.gz files")
            file.seek(0)
            yield from _records(path, file, wanted, tally)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}", "check the path") from error


def _records(path: Path, file: IO[bytes], wanted: Callable[[str], bool], tally: Tally) -> Iterator[Record]:
    try:
        yield from _streamed(path, file, wanted, tally)
    except ArchiveLoadFailed as error:
        if _WHOLE_GZIP not in str(error):
            tally.damage = f"behind record {tally.records}: {_one_line(error)}"
            return
        file.seek(0)
        tally.records = tally.wanted = 0
        tally.passed.clear()
        with gzip.open(file) as plain:
            try:
                yield from _streamed(path, plain, wanted, tally)
            except (ArchiveLoadFailed, EOFError, zlib.error, gzip.BadGzipFile) as worse:
                tally.damage = f"behind record {tally.records}: {_one_line(worse)}"
    except (EOFError, zlib.error, ValueError) as error:
        tally.damage = f"behind record {tally.records}: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _streamed(path: Path, file: Any, wanted: Callable[[str], bool], tally: Tally) -> Iterator[Record]:
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
        if (why := _unusable(record, wayback)) is not None:
            tally.passed[why] += 1
            continue
        try:
            read = _record(path, iterator, record, wayback)
        except (ValueError, TypeError) as error:  # a date, a status, chunks that are none: the next record is another's
            tally.passed[f"not as a record should be: {_one_line(error)}"] += 1
            continue
        yield read


def _unusable(record: Any, wayback: re.Match[str] | None) -> str | None:
    """Say why a capture is not what the site answered, as it answered it."""
    if record.rec_type == "revisit":
        return "a revisit record without the answer"
    if record.http_headers is None:
        return "no HTTP answer"
    if record.rec_headers.get_header("WARC-Truncated"):
        return "cut by whoever captured it"
    if wayback is not None and wayback["flag"] != "id_":
        return "rewritten by the Wayback Machine (fetch it with `id_` behind the date)"
    if record.length is not None and record.length > _CAP:
        return "too large"
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
    """Give the body with its content coding, as our own records have it, but without the chunks of the connection.

    Raises:
        EOFError, ValueError: it is not whole.

    """
    chunked = "chunked" in (record.http_headers.get_header("Transfer-Encoding") or "").lower()
    stream = ChunkedDataReader(record.raw_stream) if chunked else record.raw_stream
    body: bytes = stream.read()
    if record.raw_stream.read():
        raise ValueError("chunks that do not fill their record")
    if record.raw_stream.limit:  # the library takes the end of the file for the end of the record
        raise EOFError("the file ends inside a record")
    return body


def _captured(wayback: re.Match[str] | None, memento: str | None) -> datetime | None:
    """Give when the page was captured, not when somebody downloaded the capture."""
    if wayback is None:
        return None
    if memento:
        return parsedate_to_datetime(memento).astimezone(UTC)
    return datetime.strptime(wayback["when"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
