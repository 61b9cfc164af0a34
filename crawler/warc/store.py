"""The WARC files of one archive: appends records and reads them back.

Each process writes to its own file and holds a lock on it; when the process ends, another one may continue the file.

Boundary: files and locks.
"""

from __future__ import annotations

import errno
import fcntl
import io
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import crawler
from crawler.errors import WarcError
from crawler.types import Fetched, RawRef
from crawler.warc import members
from crawler.warc.reading import Record, corrupted, read_file, read_member
from crawler.warc.scan import Damage, Member, ends_with_request, scan
from crawler.warc.tail import try_repair_tail

_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # the file may be intact: not reported as damage
_SOFTWARE = f"vna-archive/{crawler.__version__}"


class WarcStore:
    """The WARC files below one directory, `YYYY/MM/vna-YYYYMMDD-NNN.warc.gz` (days in UTC); one is open for writing.

    A file is closed at the end of its day or when it has `max_bytes` bytes. `known_end` returns the byte offset up to
    which a file's records have database rows: up to there the file is intact and need not be scanned. After it there may
    be records of a process that was killed before it wrote their rows; nothing is appended to such a file until
    `crawler.replay.crash_recovery` has written the rows.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int = 1_000_000_000,
        software: str = _SOFTWARE,
        known_end: Callable[[str], int] | None = None,
    ) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._software = software
        self._known_end = known_end
        self._file: io.BufferedRandom | None = None
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(
        self, fetched: Fetched, purpose: str = "", *, origin: str | None = None, written_at: datetime | None = None
    ) -> RawRef:
        """Write a response and its request, flush and fsync, and return where the response is.

        For a capture of another collection, `origin` names the collection and `written_at` is the time of the import;
        the capture keeps its own date.

        Raises:
            WarcError: the file cannot be written.

        """
        response, request = members.response_and_request(fetched, purpose, origin, written_at)
        return self._write(written_at or fetched.fetched_at, response, members.digest(fetched.body), request)

    def note(self, url: str, at: datetime, purpose: str, fields: Mapping[str, str]) -> None:
        """Write a `metadata` record: a note about a request without a usable response.

        Raises:
            WarcError: as for `append`.

        """
        self._write(at, members.metadata(url, at, purpose, fields), "")

    def append_text(self, name: str, at: datetime, content: str) -> RawRef:
        """Write the content of an imported file as a `resource` record with the URI `name`, and return where it is.

        Raises:
            WarcError: as for `append`.

        """
        return self._write(at, members.resource(name, at, content), members.digest(content.encode()))

    def close(self) -> None:
        """Close the open file; the next write opens one again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def read(self, ref: RawRef) -> Record:
        """Read one record and check its digests.

        Raises:
            WarcCorrupted: the record is missing, or differs from what was written.
            OSError: no file descriptor or no memory left.

        """
        path = self._directory / ref.file
        try:
            with path.open("rb") as file:
                file.seek(ref.offset)
                member = file.read(ref.length)
        except OSError as error:
            if error.errno in _OUT_OF_RESOURCES:
                raise
            raise corrupted(path, ref.offset, str(error)) from error
        return read_member(path, ref, member)

    def names(self) -> list[str]:
        """Return the names of the files, oldest first, relative to the directory."""
        return sorted(p.relative_to(self._directory).as_posix() for p in self._directory.rglob("*.warc.gz"))

    def records(self, name: str | None = None, start: int = 0) -> Iterator[Record]:
        """Yield the records of all files, or of one file from a byte offset on, in the order of writing.

        Raises:
            WarcCorrupted: a file cannot be read to its end.

        """
        for one in [name] if name else self.names():
            yield from read_file(self._directory / one, one, start)

    def scan(self, name: str, start: int = 0) -> Iterator[Member | Damage]:
        """Yield every member of one file from a byte offset on, and a `Damage` for unreadable bytes."""
        return scan(self._directory / name, name, start)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._directory / name).stat().st_size

    @contextmanager
    def try_lock(self, name: str) -> Iterator[bool]:
        """Lock one file for the duration of the block; yield False if a process (even this one) is writing to it."""
        with (self._directory / name).open("rb") as file:
            yield _try_lock(file)

    def records_without_rows(self, name: str) -> list[Record]:
        """Return the records after the known end of a file, and cut a torn tail; the caller must hold the lock.

        The list is empty if the file has damage that no crash causes.
        """
        path, start = self._directory / name, self._end(name)
        if self.size(name) <= start or ends_with_request(path, start) or not try_repair_tail(path, start):
            return []
        members = scan(path, name, start)
        return [m.record for m in members if isinstance(m, Member) and m.record is not None]

    def _end(self, name: str) -> int:
        return self._known_end(name) if self._known_end else 0

    def _write(self, at: datetime, member: bytes, digest: str, follower: bytes = b"") -> RawRef:
        try:
            file = self._open(at)
            offset = file.seek(0, os.SEEK_END)
            file.write(member + follower)
            file.flush()
            os.fsync(file.fileno())  # a database row must never refer to bytes that a power failure can still lose
        except OSError as error:
            with suppress(OSError):  # closing flushes the buffer, which fails again
                self.close()
            raise WarcError(
                f"cannot write a WARC record below {self._directory}: {error.strerror or error}",
                "free disk space or correct the permissions, then start again; stored data is safe",
            ) from error
        return RawRef(self._name, offset, len(member), digest)

    def _open(self, now: datetime) -> io.BufferedRandom:
        day = now.strftime("%Y%m%d")
        if self._file is not None:
            if f"vna-{day}-" in self._name and self._file.seek(0, os.SEEK_END) < self._max_bytes:
                return self._file
            self.close()
        folder = self._directory / now.strftime("%Y/%m")
        folder.mkdir(parents=True, exist_ok=True)
        path, self._file = self._writable_file(folder, day)
        self._name = path.relative_to(self._directory).as_posix()
        if self._file.seek(0, os.SEEK_END) == 0:
            self._file.write(members.warcinfo(self._name, now, self._software))
            _sync_folder(folder)
        return self._file

    def _writable_file(self, folder: Path, day: str) -> tuple[Path, io.BufferedRandom]:
        """Open and lock the day's first file that is unlocked, intact and below `max_bytes`; otherwise a new file."""
        existing = sorted(folder.glob(f"vna-{day}-*.warc.gz"))
        # count from the last number: the number of a file that was moved away must not be used again
        last = int(existing[-1].name.removesuffix(".warc.gz").rpartition("-")[2]) if existing else -1
        new = (folder / f"vna-{day}-{number:03}.warc.gz" for number in itertools.count(last + 1))
        for path in itertools.chain(existing, new):
            if path.exists() and path.stat().st_size >= self._max_bytes:
                continue
            file = path.open("a+b")
            if _try_lock(file) and self._may_append(path):
                return path, file
            file.close()
        raise AssertionError  # unreachable: `new` is endless

    def _may_append(self, path: Path) -> bool:
        name = path.relative_to(self._directory).as_posix()
        size, end = path.stat().st_size, self._end(name)
        if not end <= size < self._max_bytes or not try_repair_tail(path, end):
            return False
        return self._known_end is None or all(r.warc_type == "metadata" for r in self.records_without_rows(name))


def _try_lock(file: IO[bytes]) -> bool:
    """Lock a file exclusively; return False if it is locked already."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Write the directory entry of a new file to the disk, so that the file survives a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
