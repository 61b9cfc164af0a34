"""The CDXJ index of the WARC files, with which pywb, ReplayWeb.page and other tools find a capture by its address.

Each line has the sort key of an address (SURT), the time, and the place of the record as JSON. There is one sorted part for each
WARC file, which remembers up to which byte it was indexed, so that only new records are read; `index.cdxj` merges the parts.

Boundary: reads WARC files, and writes the index; it can be deleted and made again at any time.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlsplit

from crawler import files
from crawler.errors import WarcError
from crawler.warc.reading import Record
from crawler.warc.scan import Member
from crawler.warc.store import WarcStore

INDEX = "index.cdxj"
_PARTS = "index"
_END = re.compile(r"# indexed to byte ([0-9]+)\n")


def surt(url: str) -> str:
    """Return the sort key of an address: the host from its end, then port, path and query, in lower case."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    labels = reversed(host.split("."))
    port = f":{parts.port}" if parts.port and parts.port not in (80, 443) else ""
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    path = parts.path.rstrip("/") or "/"
    return f"{','.join(labels)}{port}){path}{'?' + query if query else ''}".lower()


def cdxj_line(record: Record) -> str | None:
    """Return the line of a record, without a line end; None if the record is not a response with an address on the web."""
    if record.status == 0 or not record.url.startswith(("http://", "https://")):
        return None
    types = [value.partition(";")[0].strip() for name, value in record.headers if name.lower() == "content-type"]
    fields = {
        "url": record.url,
        "mime": types[0] if types else "unk",
        "status": str(record.status),
        "digest": record.ref.digest,
        "length": str(record.ref.length),
        "offset": str(record.ref.offset),
        "filename": record.ref.file.rpartition("/")[2],
    }
    return f"{surt(record.url)} {record.fetched_at:%Y%m%d%H%M%S} {json.dumps(fields, ensure_ascii=True)}"


class CdxjIndex:
    """The index of one archive; `folder` is the folder of the archive."""

    def __init__(self, folder: Path, warc: WarcStore) -> None:
        self._folder = folder
        self._warc = warc

    def update(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """Index the records that are new since the last update; return their number.

        Raises:
            WarcError: the index cannot be written.

        """
        try:
            files.make_folder(self._folder / _PARTS)
            names = self._warc.names()
            added = sum(self._update_part(name) for name in names if not stopping())
            if not stopping() and self._is_older():
                self._merge(names)
        except OSError as error:
            message = f"cannot write the index in {self._folder}: {error.strerror or error}"
            raise WarcError(message, "free disk space or correct the permissions") from error
        return added

    def lines(self, name: str) -> list[str]:
        """Return the lines of one WARC file, sorted, without line ends."""
        path = self._part(name)
        return path.read_text("utf-8").splitlines()[1:] if path.exists() else []

    def check(self, *, deep: bool, stopping: Callable[[], bool] = lambda: False) -> tuple[int, list[tuple[str, str]]]:
        """Compare the index with the WARC files, as far as they were indexed.

        With `deep`, each line is compared with its record; otherwise only the parts with one another and with the files.
        Return the number of files with records that are not indexed yet, and what is wrong with which part. Without an
        index, nothing is wrong.
        """
        names = self._warc.names()
        if not (self._folder / INDEX).exists():
            return 0, []
        known = {self._part(name) for name in names}
        wrong = [
            (f"{_PARTS}/{path.name}", "there is no such WARC file")
            for path in sorted((self._folder / _PARTS).glob("*.cdxj"))
            if path not in known
        ]
        behind = 0
        for name in names:
            if stopping():
                return behind, wrong
            end, lines = self._indexed(name)
            behind += end < self._warc.size(name)
            if end > self._warc.size(name):
                wrong.append((f"{_PARTS}/{self._part(name).name}", f"it names records after the end of {name}"))
            elif deep and sorted(lines) != sorted(self._lines(name, 0, end)[1]):
                wrong.append((f"{_PARTS}/{self._part(name).name}", f"its lines are not those of the records of {name}"))
        if not self._is_older() and not self._is_merged(names):
            wrong.append((INDEX, f"it is not the content of the files in {_PARTS}/"))
        return behind, wrong

    def _part(self, name: str) -> Path:
        return self._folder / _PARTS / f"{name.replace('/', '-')}.cdxj"

    def _is_older(self) -> bool:
        """Whether the index is missing, or older than one of its parts, for example after a crash."""
        index, parts = self._folder / INDEX, (self._folder / _PARTS).glob("*.cdxj")
        if not index.exists():
            return True
        return index.stat().st_mtime_ns < max((path.stat().st_mtime_ns for path in parts), default=0)

    def _is_merged(self, names: list[str]) -> bool:
        with ExitStack() as opened:
            parts = [
                opened.enter_context(self._part(n).open(encoding="utf-8")) for n in names if self._part(n).exists()
            ]
            index = opened.enter_context((self._folder / INDEX).open(encoding="utf-8"))
            merged = heapq.merge(*map(_entries, parts))
            return all(one == other for one, other in zip_longest(merged, index))

    def _indexed(self, name: str) -> tuple[int, list[str]]:
        """Return up to which byte a file was indexed, and the lines; 0 and none if its part is missing or damaged."""
        path = self._part(name)
        first, *lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else [""]
        match = _END.fullmatch(first)
        return (int(match[1]), lines) if match else (0, [])

    def _lines(self, name: str, start: int, stop: int | None = None) -> tuple[int, list[str]]:
        """Return the end of the last complete record of a file from `start` on, before `stop`, and the new lines."""
        end, lines = start, []
        for item in self._warc.scan(name, start):
            if stop is not None and item.offset >= stop:
                break
            if not isinstance(item, Member):
                if item.torn:
                    break  # an incomplete record at the end: another process may be writing it
                continue
            end = item.offset + item.length
            line = cdxj_line(item.record) if item.record is not None else None
            if line is not None:
                lines.append(f"{line}\n")
        return end, lines

    def _update_part(self, name: str) -> int:
        end, lines = self._indexed(name)
        size = self._warc.size(name)
        if end > size or not end:  # the file was cut after a crash, or the part is damaged
            end, lines = 0, []
        if end == size:
            return 0
        end, added = self._lines(name, end)
        content = "".join([f"# indexed to byte {end}\n", *sorted([*lines, *added])])
        files.replace(self._part(name), content.encode())
        return len(added)

    def _merge(self, names: list[str]) -> None:
        temporary = files.temporary_name(self._folder / INDEX)
        try:
            with ExitStack() as opened, files.create(temporary) as out:
                parts = [opened.enter_context(self._part(name).open(encoding="utf-8")) for name in names]
                out.writelines(line.encode() for line in heapq.merge(*map(_entries, parts)))
            temporary.replace(self._folder / INDEX)
        finally:
            temporary.unlink(missing_ok=True)


def _entries(lines: Iterator[str]) -> Iterator[str]:
    next(lines, None)
    return lines
