"""Daily seals over the WARC files: a chain of digests that shows whether a record was changed, exchanged or removed.

Each line of the file `seals.jsonl` is one seal. It covers the complete records that were appended since the seal before
it, and contains the digest of that seal. Somebody who changes a record can compute all digests of the archive again, but
not a digest that was copied to another place before: it covers all earlier records, and shows the change.

Boundary: reads WARC files, and reads and appends to the file of the seals.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler import files
from crawler.clock import to_text
from crawler.errors import WarcError
from crawler.warc.manifest import sha256
from crawler.warc.scan import Member
from crawler.warc.store import WarcStore

SEALS = "seals.jsonl"
_SHORT = 8  # hexadecimal digits of the digest of one record, which show where a sealed part was changed


@dataclass(frozen=True, slots=True)
class SealedPart:
    """The bytes of one file that a seal covers, from `start` to `end`.

    `sha256` is the digest of these bytes. `records` contains the first eight digits of the digest of each record, without
    separators.
    """

    file: str
    start: int
    end: int
    sha256: str
    records: str


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal; `previous` is the digest of the seal before it, and empty for the first one."""

    at: str
    previous: str
    parts: tuple[SealedPart, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the seal, and so of all seals before it."""
        return hashlib.sha256(_dump(asdict(self)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SealFault:
    """A difference between a seal and the WARC files, or a damaged seal."""

    what: str
    where: str
    detail: str


class Seals:
    """The seals of one archive; `folder` is the folder of the archive."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SEALS

    def read(self) -> tuple[list[Seal], list[SealFault]]:
        """Return all seals, oldest first, and the faults of the chain.

        Raises:
            WarcError: the file cannot be read.

        """
        seals: list[Seal] = []
        faults: list[SealFault] = []
        for number, line in enumerate(self._lines(), start=1):
            where = f"{SEALS}, line {number}"
            try:
                seal, digest = _loaded(line)
            except (ValueError, TypeError, KeyError, RecursionError):
                faults.append(SealFault("damaged seal", where, "the line is not a seal"))
                continue
            if seal.digest != digest:
                faults.append(SealFault("damaged seal", where, "the digest of the seal does not fit its content"))
            elif seal.previous != (seals[-1].digest if seals else ""):
                faults.append(SealFault("broken chain of seals", where, "the seal does not continue the one before it"))
            seals.append(seal)
        return seals, faults

    def append(
        self, warc: WarcStore, identity: str, at: datetime, stopping: Callable[[], bool] = lambda: False
    ) -> Seal | None:
        """Seal the complete records that no seal covers yet; return the new seal, or None if there is no new record.

        Files of other archives are left out. If a part of a file is damaged, the records after it are not sealed.

        Raises:
            WarcError: the seals are damaged or cannot be written.

        """
        seals, faults = self.read()
        if faults:
            raise WarcError(
                f"nothing is sealed, because {faults[0].where} is damaged: {faults[0].detail}",
                f"run `vna verify`; restore {self._path} from a copy, or move it away to begin a new chain",
            )
        ends = {part.file: part.end for seal in seals for part in seal.parts}
        foreign = {name for name, owner in warc.identities() if owner != identity}
        parts: list[SealedPart] = []
        for name in warc.names():
            if stopping():
                return None
            if name not in foreign and (part := _part(warc, name, ends.get(name, 0))) is not None:
                parts.append(part)
        if not parts:
            return None
        seal = Seal(to_text(at), seals[-1].digest if seals else "", tuple(parts))
        self._write(_dump(asdict(seal) | {"digest": seal.digest}))
        return seal

    def _lines(self) -> list[bytes]:
        """Return the complete lines: the rest is being written, or the disk was full when it was written."""
        try:
            return files.read(self._path).split(b"\n")[:-1] if self._path.exists() else []
        except OSError as error:
            raise WarcError(f"{self._path}: {error.strerror}", "correct the permissions of the file") from error

    def _write(self, line: str) -> None:
        try:
            with files.open_to_append(self._path) as file:
                file.truncate(sum(len(complete) + 1 for complete in self._lines()))
                file.write(f"{line}\n".encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WarcError(f"{self._path}: {error.strerror}", "free disk space or correct the permissions") from error


def check_seals(
    seals: Sequence[Seal], warc: WarcStore, stopping: Callable[[], bool] = lambda: False
) -> Iterator[SealFault]:
    """Compare the sealed parts of all files with their bytes; yield a fault for each part that differs."""
    there = set(warc.names())
    missing: set[str] = set()
    for seal in seals:
        for part in seal.parts:
            if stopping():
                return
            if part.file in there:
                yield from _checked(warc, part, seal.at)
            elif part.file not in missing:
                missing.add(part.file)
                yield SealFault(
                    "sealed file missing", part.file, f"the seal of {seal.at} covers {part.end} bytes of it"
                )


def _checked(warc: WarcStore, part: SealedPart, at: str) -> Iterator[SealFault]:
    size = warc.size(part.file)
    if size >= part.end and sha256(warc.path(part.file), part.end, start=part.start) == part.sha256:
        return
    offset = _first_difference(warc, part)
    detail = (
        f"the seal of {at} covers bytes {part.start} to {part.end} of this file, and they are not the same any more"
    )
    yield SealFault("sealed record changed", f"{part.file} at byte {offset}", detail)


def _first_difference(warc: WarcStore, part: SealedPart) -> int:
    """Return the offset of the first record of a part that differs from what was sealed."""
    expected = [part.records[at : at + _SHORT] for at in range(0, len(part.records), _SHORT)]
    offset = part.start
    for item, digest in zip(warc.scan(part.file, part.start), expected, strict=False):
        offset = item.offset
        end = offset + item.length
        if not isinstance(item, Member) or sha256(warc.path(part.file), end, start=offset)[:_SHORT] != digest:
            return offset
        offset = end
    return offset


def _part(warc: WarcStore, name: str, start: int) -> SealedPart | None:
    """Return the part of a file from `start` to the first damage; None if it has no complete record."""
    if warc.size(name) <= start:
        return None
    path, end, records = warc.path(name), start, list[str]()
    for item in warc.scan(name, start):
        if not isinstance(item, Member):
            break
        end = item.offset + item.length
        records.append(sha256(path, end, start=item.offset)[:_SHORT])
    return SealedPart(name, start, end, sha256(path, end, start=start), "".join(records)) if records else None


def _loaded(line: bytes) -> tuple[Seal, str]:
    """Return a seal and the digest that its line states."""
    value: Mapping[str, Any] = json.loads(line)
    parts = tuple(SealedPart(**part) for part in value["parts"])
    texts = [value[name] for name in ("at", "previous", "digest")]
    texts += [text for part in parts for text in (part.file, part.sha256, part.records)]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is expected")
    if any(type(n) is not int for part in parts for n in (part.start, part.end)):
        raise TypeError("a number is expected")
    if any(not 0 <= part.start < part.end for part in parts):
        raise ValueError("a part has no bytes")
    return Seal(value["at"], value["previous"], parts), value["digest"]


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
