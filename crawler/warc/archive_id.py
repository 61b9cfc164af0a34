"""Reads what the `warcinfo` record of a WARC file says: identity of the archive, clock period, settings of the run.

Boundary: reads only the first record of each file.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from crawler.warc.manifest import warc_names
from crawler.warc.members import ARCHIVE_ID, CLOCK_PERIOD, SETTINGS, URN

_FIRST = 1 << 20  # bytes; a `warcinfo` record has about 1 kB, more only if the configuration has many sources
_CHUNK = 1 << 13  # bytes read at a time: each check reads this record of every file
_FIELD = re.compile(
    rf"^{ARCHIVE_ID}:[ \t]*{URN}([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})[ \t]*\r?$".encode(),
    re.MULTILINE | re.IGNORECASE,
)
_PERIOD = re.compile(rf"^{CLOCK_PERIOD}:[ \t]*([0-9]{{1,9}})[ \t]*\r?$".encode(), re.MULTILINE | re.IGNORECASE)
_SETTINGS = re.compile(rf"^{SETTINGS}:[ \t]*(.*?)[ \t]*\r?$".encode(), re.MULTILINE | re.IGNORECASE)


def archive_id(path: Path) -> str | None:
    """Return the identity of the archive that wrote a WARC file.

    Return None if the file does not start with a complete `warcinfo` record that contains an identity. Versions before
    schema 4 wrote none.

    Raises:
        OSError: the file cannot be read.

    """
    found = _FIELD.search(_warcinfo(path))
    return found[1].decode().lower() if found else None


def clock_period(path: Path) -> int:
    """Return the number of the clock period in which a WARC file was written; 0 if the file names none.

    Raises:
        OSError: the file cannot be read.

    """
    found = _PERIOD.search(_warcinfo(path))
    return int(found[1]) if found else 0


def run_settings(path: Path) -> str:
    """Return the settings of the run that began a WARC file, as text; empty if the file names none.

    Raises:
        OSError: the file cannot be read.

    """
    found = _SETTINGS.search(_warcinfo(path))
    return found[1].decode("ascii", "replace") if found else ""


def archive_ids(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield the paths of the WARC files in a folder that contain an identity, oldest first, each with the identity."""
    for name in warc_names(directory):
        if (found := archive_id(directory / name)) is not None:
            yield name, found


def _warcinfo(path: Path) -> bytes:
    """Return the fields of the `warcinfo` record at the start of a file; nothing if it is missing or incomplete."""
    engine, record = zlib.decompressobj(wbits=31), b""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(_CHUNK), b"")
        try:
            for data in itertools.islice(chunks, _FIRST // _CHUNK):
                record += engine.decompress(data, _FIRST - len(record))
                if engine.eof or len(record) == _FIRST:
                    break
        except zlib.error:
            return b""
    head, _, body = record.partition(b"\r\n\r\n")
    if not engine.eof or not re.search(rb"^WARC-Type:[ \t]*warcinfo[ \t]*\r?$", head, re.MULTILINE | re.IGNORECASE):
        return b""
    return body
