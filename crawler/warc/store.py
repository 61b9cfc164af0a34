"""Appends records to the WARC files of one archive and reads them back.

Each process writes to its own file and keeps it locked; when the process ends, another process may continue the file.

Boundary: works with files and locks.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import crawler
from crawler import files
from crawler.archive_files import WARC_SUFFIX
from crawler.errors import WarcError
from crawler.types import Fetched, RawRef
from crawler.warc import members
from crawler.warc.archive_id import archive_id, archive_ids, clock_period, run_settings
from crawler.warc.manifest import warc_names
from crawler.warc.reading import Record, corrupted, read_file, read_member
from crawler.warc.scan import LONGEST_REQUEST, Damage, Member, ends_with_request, request_length, scan
from crawler.warc.tail import next_record, torn_name, try_repair_tail

_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # the file may be intact: not reported as damage
_CHUNK = 1 << 20
_SOFTWARE = f"vna-archive/{crawler.__version__}"


class WarcStore:
    """The WARC files in one directory, named `YYYY/MM/vna-YYYYMMDD-NNN.warc.gz` by the day in UTC.

    One file is open for writing; it is closed at the end of its day or when it has `max_bytes` bytes. `known_end`
    returns the byte offset up to which all records of a file have database rows; this part of the file is intact and
    is not scanned. The rest may contain records of a process that was killed before it wrote their rows; nothing is
    appended to such a file until `crawler.replay.crash_recovery` has written the rows.

    `identity` is the identity of the archive, which is written into each new file. A file of another archive is never
    continued. `period_at` returns the clock period of a time; the records of a file have the same clock period.
    `settings` are the settings of the run, in one line; the records of a file are written with the same settings. If
    they are empty, any file is continued.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int = 1_000_000_000,
        software: str = _SOFTWARE,
        identity: str | None = None,
        known_end: Callable[[str], int] | None = None,
        period_at: Callable[[datetime], int] = lambda _: 0,
        settings: str = "",
    ) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._software = software
        self._identity = identity
        self._known_end = known_end
        self._period_at = period_at
        self._settings = settings
        self._period = 0  # of the open file
        self._file: IO[bytes] | None = None
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
        """Write a response and its request to the disk (with fsync), and return the position of the response.

        For a capture that is imported from another collection, `origin` is the name of the collection and `written_at`
        the time of the import; the record has the date of the capture.

        Raises:
            WarcError: the file cannot be written.

        """
        response, request = members.response_and_request(fetched, purpose, origin, written_at)
        return self._write(written_at or fetched.fetched_at, response, members.digest(fetched.body), request)

    def note(self, url: str, at: datetime, purpose: str, fields: Mapping[str, str]) -> None:
        """Write a `metadata` record whose `fields` state why a request to `url` has no usable response.

        Raises:
            WarcError: the file cannot be written.

        """
        self._write(at, members.metadata(url, at, purpose, fields), "")

    def append_text(self, name: str, at: datetime, content: str, purpose: str) -> RawRef:
        """Write the content of a text file as a `resource` record with the URI `name`; return its position.

        Raises:
            WarcError: the file cannot be written.

        """
        return self._write(at, members.resource(name, at, content, purpose), members.digest(content.encode()))

    def begin(self, at: datetime) -> None:
        """Open the file for the next record, so that the settings of the run are on the disk before it.

        Raises:
            WarcError: the file cannot be written.

        """
        self._write(at, b"", "")

    def close(self) -> None:
        """Close the file that is open for writing; the next write opens a file again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def read(self, ref: RawRef) -> Record:
        """Return the record at the position `ref`, after checking its digests.

        Raises:
            WarcCorrupted: the record is missing, or differs from what was written.
            OSError: no file descriptor or no memory is available; the record may be intact.

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

    def evidence(self, ref: RawRef) -> bytes:
        """Return the bytes of the record at the position `ref` and of its request record, as they are in the file.

        Raises:
            WarcCorrupted: the record is missing, or differs from what was written.
            OSError: no file descriptor or no memory is available; the record may be intact.

        """
        self.read(ref)
        with (self._directory / ref.file).open("rb") as file:
            file.seek(ref.offset)
            record, following = file.read(ref.length), file.read(LONGEST_REQUEST)
        return record + following[: request_length(following)]

    def names(self) -> list[str]:
        """Return the paths of the WARC files relative to their directory, oldest first."""
        return warc_names(self._directory)

    def records(self, name: str | None = None, start: int = 0) -> Iterator[Record]:
        """Yield the records of all files, or of the file `name` from the byte offset `start` on, in writing order.

        Raises:
            WarcCorrupted: a file cannot be read to its end.

        """
        for one in [name] if name else self.names():
            yield from read_file(self._directory / one, one, start)

    def scan(self, name: str, start: int = 0, end: int | None = None) -> Iterator[Member | Damage]:
        """Yield the gzip members of a file from the byte offset `start` on, and a `Damage` for each unreadable part.

        If `end` is given, yield only what begins before this byte offset.
        """
        return scan(self._directory / name, name, start, end)

    def next_record(self, name: str, start: int) -> int | None:
        """Return the byte offset of the first record of a file that begins at or after `start`; None without one.

        It may be wrong: the content of a record may look like another record.
        """
        return next_record(self._directory / name, start - 1)

    def identities(self) -> list[tuple[str, str]]:
        """Return the files that contain the identity of an archive, oldest first, each with this identity."""
        return list(archive_ids(self._directory))

    def was_torn(self, name: str, offset: int) -> bool:
        """Whether an incomplete record at the byte `offset` of a file was cut off after a crash."""
        return torn_name(self.path(name), offset).exists()

    def path(self, name: str) -> Path:
        """Return the full path of a file."""
        return self._directory / name

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._directory / name).stat().st_size

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file in chunks."""
        with (self._directory / name).open("rb") as file:
            while data := file.read(_CHUNK):
                yield data

    def clock_period(self, name: str) -> int:
        """Return the number of the clock period in which a file was written."""
        return clock_period(self._directory / name)

    def run_settings(self, name: str) -> str:
        """Return the settings of the run that began a file, as text; empty if the file names none."""
        return run_settings(self._directory / name)

    @contextmanager
    def try_lock(self, name: str) -> Iterator[bool]:
        """Lock a file for the duration of the block and yield True; yield False if the file is locked already."""
        with (self._directory / name).open("rb") as file:
            yield _try_lock(file)

    def records_without_rows(self, name: str) -> list[Record]:
        """Cut off an incomplete last record of a file, then return the records that have no database rows yet.

        The caller must hold the lock on the file. If records follow a damaged part, which no crash can cause, nothing
        is cut, and the list is empty.
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
                f"cannot write a WARC record in {self._directory}: {error.strerror or error}",
                "free disk space or correct the permissions, then start again; stored data is safe",
            ) from error
        return RawRef(self._name, offset, len(member), digest)

    def _open(self, now: datetime) -> IO[bytes]:
        day, period = now.strftime("%Y%m%d"), self._period_at(now)
        if self._file is not None:
            is_right = f"vna-{day}-" in self._name and self._period == period
            if is_right and self._file.seek(0, os.SEEK_END) < self._max_bytes:
                return self._file
            self.close()
        folder = self._directory / now.strftime("%Y/%m")
        files.make_folder(folder)
        self._period = period
        path, self._file = self._writable_file(folder, day)
        self._name = path.relative_to(self._directory).as_posix()
        if self._file.seek(0, os.SEEK_END) == 0:
            head = members.warcinfo(self._name, now, self._software, self._identity, period, self._settings)
            self._file.write(head)
            files.sync_folder(folder)
        return self._file

    def _writable_file(self, folder: Path, day: str) -> tuple[Path, IO[bytes]]:
        """Open and lock the first file of the day that may be continued, or else a new file.

        A file may be continued if it is unlocked, intact and smaller than `max_bytes`, and if all its responses have
        database rows.
        """
        existing = sorted(folder.glob(f"vna-{day}-*{WARC_SUFFIX}"))
        # count from the last number: the number of a file that was moved away must not be used again
        last = int(existing[-1].name.removesuffix(WARC_SUFFIX).rpartition("-")[2]) if existing else -1
        new = (folder / f"vna-{day}-{number:03}{WARC_SUFFIX}" for number in itertools.count(last + 1))
        for path in itertools.chain(existing, new):
            if path.is_symlink() or (path.exists() and path.stat().st_size >= self._max_bytes):
                continue
            file = files.open_to_append(path)
            if _try_lock(file) and self._may_append(path):
                return path, file
            file.close()
        raise AssertionError  # unreachable: `new` is endless

    def _may_append(self, path: Path) -> bool:
        name = path.relative_to(self._directory).as_posix()
        size, end = path.stat().st_size, self._end(name)
        if not end <= size < self._max_bytes or not self._belongs(path, size) or not try_repair_tail(path, end):
            return False
        return self._known_end is None or all(r.warc_type == "metadata" for r in self.records_without_rows(name))

    def _belongs(self, path: Path, size: int) -> bool:
        """Whether a file is of this archive and of the current clock period, with the same settings of the run."""
        if size and clock_period(path) != self._period:
            return False
        if size and self._settings and run_settings(path) != self._settings:
            return False
        return self._identity is None or archive_id(path) in (None, self._identity)


def _try_lock(file: IO[bytes]) -> bool:
    """Try to lock a file exclusively; return whether this succeeded."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
