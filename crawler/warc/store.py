"""The files of one archive: appending to them, reading them.

Each process writes to a file of its own, which it holds by a lock; a process that ends gives it free for the next.

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
from crawler.warc.scan import Damage, Member, request_alone, scan
from crawler.warc.tail import mended

_NOT_THE_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # faults: a file that could not be opened is not damaged
_SOFTWARE = f"vna-archive/{crawler.__version__}"


class WarcStore:
    """The WARC files below one directory, `YYYY/MM/vna-YYYYMMDD-NNN.warc.gz`, one open at a time.

    `known_end` gives up to which byte a file's answers have rows: so far it is whole, and its end need not be looked for
    from its start. Behind it may stand answers that a killed process had no time to write rows of; nothing is written
    behind those until somebody takes them in.
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
        """Write response and request, flush and fsync, and say where the response stands.

        `written_at` is when a capture of another collection (`origin`) is taken over; its own date is kept.

        Raises:
            WarcError: the file cannot be written; nothing is handed out.

        """
        response, request = members.exchange(fetched, purpose, origin, written_at)
        return self._write(written_at or fetched.fetched_at, response, members.digest(fetched.body), request)

    def note(self, url: str, at: datetime, purpose: str, fields: Mapping[str, str]) -> None:
        """Write what became of a visit that got no answer.

        Raises:
            WarcError: as `append`.

        """
        self._write(at, members.note(url, at, purpose, fields), "")

    def keep_text(self, name: str, at: datetime, content: str) -> RawRef:
        """Write a text that was imported; `name` is its address.

        Raises:
            WarcError: as `append`.

        """
        return self._write(at, members.text(name, at, content), members.digest(content.encode()))

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
            if error.errno in _NOT_THE_FILES:
                raise
            raise corrupted(path, ref.offset, str(error)) from error
        return read_member(path, ref, member)

    def names(self) -> list[str]:
        """List the files, oldest first."""
        return sorted(p.relative_to(self._directory).as_posix() for p in self._directory.rglob("*.warc.gz"))

    def records(self, name: str | None = None, start: int = 0) -> Iterator[Record]:
        """Read every record of every file (or of one, from a byte on), in the order in which they were written.

        Raises:
            WarcCorrupted: a file does not read to its end.

        """
        for one in [name] if name else self.names():
            yield from read_file(self._directory / one, one, start)

    def scan(self, name: str, start: int = 0) -> Iterator[Member | Damage]:
        """Read every member of one file, past what is damaged."""
        return scan(self._directory / name, name, start)

    def size(self, name: str) -> int:
        """Give the size of a file in bytes."""
        return (self._directory / name).stat().st_size

    @contextmanager
    def alone_with(self, name: str) -> Iterator[bool]:
        """Hold one file while the block lasts; False when a process, this one too, is writing to it."""
        with (self._directory / name).open("rb") as file:
            yield _held(file)

    def left_over(self, name: str) -> list[Record]:
        """Give the records of a file that stand behind its known end; a torn tail is cut. The caller holds the file."""
        path, start = self._directory / name, self._end(name)
        if self.size(name) <= start or request_alone(path, start) or not mended(path, start):
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
            os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):  # closing tries once more to write what could not be written
                self.close()
            raise WarcError(
                f"cannot write evidence below {self._directory}: {error.strerror or error}",
                "free space or correct the permissions, then start again: nothing that was stored is lost",
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
        path, self._file = self._free_file(folder, day)
        self._name = path.relative_to(self._directory).as_posix()
        if self._file.seek(0, os.SEEK_END) == 0:
            self._file.write(members.warcinfo(self._name, now, self._software))
            _sync_folder(folder)
        return self._file

    def _free_file(self, folder: Path, day: str) -> tuple[Path, io.BufferedRandom]:
        """Give the day's first file that nobody else writes to, that has room and is whole; else a new one."""
        existing = sorted(folder.glob(f"vna-{day}-*.warc.gz"))
        last = int(existing[-1].name.removesuffix(".warc.gz").rpartition("-")[2]) if existing else -1
        fresh = (folder / f"vna-{day}-{number:03}.warc.gz" for number in itertools.count(last + 1))
        for path in itertools.chain(existing, fresh):
            if path.exists() and path.stat().st_size >= self._max_bytes:
                continue
            file = path.open("a+b")
            if _held(file) and self._has_room(path):
                return path, file
            file.close()
        raise AssertionError  # numbers do not end

    def _has_room(self, path: Path) -> bool:
        name = path.relative_to(self._directory).as_posix()
        size, end = path.stat().st_size, self._end(name)
        if not end <= size < self._max_bytes or not mended(path, end):
            return False
        return self._known_end is None or all(r.warc_type == "metadata" for r in self.left_over(name))


def _held(file: IO[bytes]) -> bool:
    """Take a file for this process alone; False when another one has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Make the new file's name survive a power cut, not only its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
