"""Evidence: every answer of the site, as received, in WARC files (ISO 28500, version 1.1).

One gzip member a record; the body keeps the content coding it was sent with; the transfer coding is undone by the HTTP
client, so its header is kept under another name. A `RawRef` is handed out only after the bytes are on the disk.

Boundary: the only module that knows the WARC library. It knows nothing of articles.
"""

from __future__ import annotations

import base64
import hashlib
import io
import mmap
import os
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

import crawler
from crawler.clock import from_text, to_text
from crawler.errors import WarcCorrupted, WarcError
from crawler.types import Fetched, RawRef

_SOFTWARE = f"vna-archive/{crawler.__version__}"
_CHUNK = 1 << 20
_MEMBER = b"\x1f\x8b\x08"  # what a gzip member begins with
# The client undoes chunking and keep-alive, so these no longer describe the stored body (warcio's readers would undo
# the chunking a second time). Their values stay readable under this prefix.
_HOP_HEADERS = frozenset({"transfer-encoding", "content-length"})
_KEPT_AS = "X-Archive-Orig-"


class _AsReceived(StatusAndHeaders):  # type: ignore[misc]  # the library has no types
    """An HTTP head whose bytes are written as they came; the library would percent-encode what is not ASCII."""

    def to_ascii_bytes(self, filter_func: Any = None) -> bytes:
        head: str = self.to_str(filter_func)
        return head.encode("latin-1") + b"\r\n"


@dataclass(frozen=True, slots=True)
class Record:
    """One response read back: where it was fetched, when, and the answer as received."""

    url: str
    fetched_at: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    ref: RawRef
    warc_type: str


class WarcStore:
    """The WARC files below one directory, `YYYY/MM/vna-YYYYMMDD-NNN.warc.gz`, one open at a time."""

    def __init__(self, directory: Path, *, max_bytes: int = 1_000_000_000, software: str = _SOFTWARE) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._software = software
        self._file: io.BufferedRandom | None = None
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, fetched: Fetched) -> RawRef:
        """Write response and request, flush and fsync, and say where the response stands.

        Raises:
            WarcError: the file cannot be written; nothing is handed out.

        """
        return self._guarded(lambda: self._append(fetched))

    def close(self) -> None:
        """Close the open file; the next append opens one again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def read(self, ref: RawRef) -> Record:
        """Read one record back and check its digests.

        Raises:
            WarcCorrupted: it is not there, or not as it was written.

        """
        path = self._directory / ref.file
        try:
            with path.open("rb") as file:
                file.seek(ref.offset)
                member = file.read(ref.length)
        except OSError as error:
            raise _corrupted(path, ref.offset, str(error)) from error
        return _read_member(path, ref, member)

    def records(self) -> Iterator[Record]:
        """Read every response and revisit of every file, in the order in which they were written."""
        for path in sorted(self._directory.rglob("*.warc.gz")):
            yield from _responses(path, path.relative_to(self._directory).as_posix())

    def _guarded(self, write: Any) -> RawRef:
        try:
            ref: RawRef = write()
        except OSError as error:
            with suppress(OSError):  # closing tries once more to write what could not be written
                self.close()
            raise WarcError(
                f"cannot write evidence below {self._directory}: {error.strerror or error}",
                "free space or correct the permissions, then start again: nothing that was stored is lost",
            ) from error
        return ref

    def _append(self, fetched: Fetched) -> RawRef:
        file = self._open(fetched.fetched_at)
        offset = file.seek(0, os.SEEK_END)
        response, request = _records(fetched)
        file.write(response + request)
        file.flush()
        os.fsync(file.fileno())
        return RawRef(self._name, offset, len(response), digest(fetched.body))

    def _open(self, now: datetime) -> io.BufferedRandom:
        day = now.strftime("%Y%m%d")
        if self._file is not None:
            if f"vna-{day}-" in self._name and self._file.seek(0, os.SEEK_END) < self._max_bytes:
                return self._file
            self.close()
        folder = self._directory / now.strftime("%Y/%m")
        folder.mkdir(parents=True, exist_ok=True)
        path = self._path_for(folder, day)
        self._name = path.relative_to(self._directory).as_posix()
        self._file = path.open("a+b")
        if self._file.seek(0, os.SEEK_END) == 0:
            self._file.write(_warcinfo(self._name, now, self._software))
            _sync_folder(folder)
        return self._file

    def _path_for(self, folder: Path, day: str) -> Path:
        """Give the day's last file while it has room and is whole, else a new one behind it."""
        number = 0
        if existing := sorted(folder.glob(f"vna-{day}-*.warc.gz")):
            last = existing[-1]
            if last.stat().st_size < self._max_bytes and _mended(last):
                return last
            number = int(last.name.removesuffix(".warc.gz").rpartition("-")[2]) + 1
        return folder / f"vna-{day}-{number:03}.warc.gz"


def digest(body: bytes) -> str:
    """Give the labelled digest of a payload, `sha256:BASE32`, as WARC and CDXJ write it."""
    return "sha256:" + base64.b32encode(hashlib.sha256(body).digest()).decode("ascii")


def repair_tail(path: Path) -> int:
    """Cut what a crash left behind the last complete gzip member; the cut bytes go beside it as `.torn`.

    Returns:
        How many bytes were cut.

    Raises:
        WarcCorrupted: records stand behind the damage, so it is none that a crash leaves, and nothing is cut.

    """
    good = _last_good_end(path)
    size = path.stat().st_size
    if good == size:
        return 0
    if _record_behind(path, good):
        raise _corrupted(path, good, "damaged, and records stand behind the damage")
    with path.open("r+b") as file:
        file.seek(good)
        torn = path.with_name(f"{path.name}.{good}.torn")
        torn.write_bytes(file.read())
        file.truncate(good)
        file.flush()
        os.fsync(file.fileno())
    return size - good


def _mended(path: Path) -> bool:
    """Say whether a file ends well, cutting a torn tail; a file that is damaged otherwise is left as it is."""
    try:
        repair_tail(path)
    except WarcCorrupted:
        return False
    return True


def _record_behind(path: Path, damage: int) -> bool:
    """Say whether a record begins somewhere behind a damaged one."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = data.find(_MEMBER, damage + 1)
        while position >= 0:
            with suppress(zlib.error):
                if zlib.decompressobj(wbits=31).decompress(data[position : position + 512], 5) == b"WARC/":
                    return True
            position = data.find(_MEMBER, position + 1)
    return False


def _last_good_end(path: Path) -> int:
    """Walk the gzip members from the start; give the end of the last whole one."""
    good = position = 0
    with path.open("rb") as file:
        data = file.read(_CHUNK)
        member = zlib.decompressobj(wbits=31)
        while data:
            try:
                member.decompress(data)
            except zlib.error:
                return good
            if member.eof:
                position += len(data) - len(member.unused_data)
                good = position
                data = member.unused_data or file.read(_CHUNK)
                member = zlib.decompressobj(wbits=31)
            else:
                position += len(data)
                data = file.read(_CHUNK)
    return good


def _records(fetched: Fetched) -> tuple[bytes, bytes]:
    response_id, request_id = (uuid.uuid4().urn for _ in range(2))
    date = to_text(fetched.fetched_at)
    response = _member(
        "response",
        fetched.url,
        {"WARC-Date": date, "WARC-Record-ID": f"<{response_id}>", "WARC-Payload-Digest": digest(fetched.body)},
        _AsReceived(
            f"{fetched.status} {fetched.reason}".strip(),
            list(_stored_headers(fetched.headers)),
            f"HTTP/{fetched.http_version}",
        ),
        fetched.body,
    )
    request = _member(
        "request",
        fetched.url,
        {"WARC-Date": date, "WARC-Record-ID": f"<{request_id}>", "WARC-Concurrent-To": f"<{response_id}>"},
        _AsReceived(f"GET {fetched.target} HTTP/1.1", list(fetched.request_headers), is_http_request=True),
        b"",
    )
    return response, request


def _stored_headers(headers: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        yield (f"{_KEPT_AS}{name}", value) if name.lower() in _HOP_HEADERS else (name, value)


def _member(kind: str, url: str, warc: dict[str, str], http: StatusAndHeaders, body: bytes) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
    record = writer.create_warc_record(
        url, kind, payload=io.BytesIO(body), length=len(body), http_headers=http, warc_headers_dict=warc
    )
    writer.write_record(record)
    return buffer.getvalue()


def _warcinfo(name: str, now: datetime, software: str) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
    record = writer.create_warcinfo_record(
        name.rpartition("/")[2], {"software": software, "format": "WARC File Format 1.1", "robots": "obey"}
    )
    record.rec_headers.replace_header("WARC-Date", to_text(now))
    writer.write_record(record)
    return buffer.getvalue()


def _sync_folder(folder: Path) -> None:
    """Make the new file's name survive a power cut, not only its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _corrupted(path: Path, offset: int, why: str) -> WarcCorrupted:
    return WarcCorrupted(
        f"{path} at byte {offset}: {why}",
        "run `vna verify` to see what else is damaged, and restore the file from a backup",
    )


def _read_member(path: Path, ref: RawRef, member: bytes) -> Record:
    try:
        _inflate(member)
        records = list(_parsed(io.BytesIO(member), ref.file, ref.offset))
    except (ArchiveLoadFailed, zlib.error, EOFError, ValueError) as error:
        raise _corrupted(path, ref.offset, f"no readable record: {error}") from error
    if len(records) != 1:
        raise _corrupted(path, ref.offset, "no complete response record")
    record = records[0]
    if digest(record.body) != ref.digest:
        raise _corrupted(path, ref.offset, "the payload's digest differs from the stored one")
    return record


def _inflate(member: bytes) -> None:
    """Have gzip check its own sums over the whole record; the library stops reading where the payload ends.

    Raises:
        zlib.error, ValueError: it is damaged, or not one whole member.

    """
    engine = zlib.decompressobj(wbits=31)
    engine.decompress(member)
    if not engine.eof or engine.unused_data:
        raise ValueError("not one whole gzip member")


def _responses(path: Path, name: str) -> Iterator[Record]:
    with path.open("rb") as file:
        try:
            yield from _parsed(file, name, 0)
        except (ArchiveLoadFailed, zlib.error, EOFError, ValueError) as error:
            raise _corrupted(path, file.tell(), str(error)) from error


def _parsed(file: Any, name: str, base: int) -> Iterator[Record]:
    iterator = ArchiveIterator(file, check_digests="raise")
    for record in iterator:
        if record.rec_type not in ("response", "revisit") or record.http_headers is None:
            continue
        body = record.raw_stream.read()
        offset = base + iterator.get_record_offset()
        headers = tuple((str(k), str(v)) for k, v in record.http_headers.headers)
        yield Record(
            url=record.rec_headers.get_header("WARC-Target-URI"),
            fetched_at=from_text(record.rec_headers.get_header("WARC-Date")),
            status=int(record.http_headers.get_statuscode()),
            headers=headers,
            body=body,
            ref=RawRef(name, offset, iterator.get_record_length(), digest(body)),
            warc_type=record.rec_type,
        )
