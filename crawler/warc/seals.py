"""Daily seals over records and revisions: a chain of digests that shows whether one was changed, exchanged or removed.

Each line of the file `seals.jsonl` is one seal. It covers the complete records that were appended since the seal before
it, and the rows of the revisions that follow from them, and contains the digest of that seal. Somebody who changes a
record can compute all digests of the archive again, but not a digest that was copied to another place before: it covers
all earlier records, and shows the change.

A seal is the root of a Merkle tree. Its leaves are the records of each file, with a tree of their own, and the rows. So
a single record can be proved with some digests, without the others; see `crawler.warc.proofs`.

Boundary: reads WARC files, and reads and appends to the file of the seals. The caller gives the rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler import files, merkle
from crawler.clock import to_text
from crawler.errors import WarcError
from crawler.warc.manifest import sha256
from crawler.warc.scan import Member
from crawler.warc.store import WarcStore

SEALS = "seals.jsonl"
_SHORT = 8  # hexadecimal digits of the digest of one record, which show where a sealed part was changed
_DIGITS = 64  # hexadecimal digits of a digest
_DIGEST = re.compile(f"[0-9a-f]{{{_DIGITS}}}")


#: The rows that follow from the records in parts of files (file, first byte, end), each as bytes that never change.
RowsOf = Callable[[Sequence[tuple[str, int, int]]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class SealedPart:
    """The bytes of one file that a seal covers, from `start` to `end`.

    `sha256` is the digest of these bytes. `records` contains the first eight digits of the digest of each record, without
    separators. `root` is the root of the tree of these records; it is empty in seals of version 2026.11.29, which had none.
    """

    file: str
    start: int
    end: int
    sha256: str
    records: str
    root: str = ""


_PART = tuple(field.name for field in fields(SealedPart))  # the last one is the root


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal; `previous` is the digest of the seal before it, and empty for the first one.

    `rows` has the hashes of the rows, sorted. `root` is the root of the tree over the parts and the rows.
    """

    at: str
    previous: str
    parts: tuple[SealedPart, ...]
    rows: tuple[str, ...] = ()
    root: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the seal, and so of all seals before it."""
        return hashlib.sha256(self.head).hexdigest()

    @property
    def head(self) -> bytes:
        """The bytes of which the digest is computed: the JSON of `head_fields`."""
        return _dump(self.head_fields).encode()

    @property
    def head_fields(self) -> dict[str, Any]:
        """The time, the digest of the seal before, and the content; with a root, the root and a digest of the content."""
        if not self.root:
            return {"at": self.at, "previous": self.previous, **self.content}
        content = hashlib.sha256(_dump(self.content).encode()).hexdigest()
        return {"at": self.at, "previous": self.previous, "root": self.root, "content": content}

    @property
    def content(self) -> dict[str, Any]:
        """The parts and rows as they are written; seals without a root have no rows."""
        names = _PART if self.root else _PART[:-1]
        parts = [{name: getattr(part, name) for name in names} for part in self.parts]
        return {"parts": parts, "rows": "".join(self.rows)} if self.root else {"parts": parts}

    @property
    def branches(self) -> list[str]:
        """The hashes directly below the root: the roots of the parts, then that of the rows if there are any."""
        return [part.root for part in self.parts] + ([merkle.Tree(self.rows).root] if self.rows else [])

    @property
    def has_right_root(self) -> bool:
        """Whether the root is that of the parts and rows, or the seal has none."""
        return not self.root or (bool(self.branches) and merkle.Tree(self.branches).root == self.root)


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
        last = ""
        for number, line in enumerate(self._lines(), start=1):
            where = f"{SEALS}, line {number}"
            try:
                seal, stated = _loaded(line)
            except (ValueError, TypeError, KeyError, RecursionError):
                faults.append(SealFault("damaged seal", where, "the line is not a seal"))
                continue
            digest = seal.digest
            if digest != stated or not seal.has_right_root:
                faults.append(SealFault("damaged seal", where, "the digest of the seal does not fit its content"))
            elif seal.previous != last:
                faults.append(SealFault("broken chain of seals", where, "the seal does not continue the one before it"))
            seals.append(seal)
            last = digest
        return seals, faults

    def append(
        self,
        warc: WarcStore,
        identity: str,
        at: datetime,
        rows: RowsOf = lambda _parts: (),
        stopping: Callable[[], bool] = lambda: False,
    ) -> Seal | None:
        """Seal the complete records that no seal covers yet; return the new seal, or None if there is no new record.

        Files of other archives are left out. If a part of a file is damaged, the records after it are not sealed. Records
        whose seals have no root are sealed again.

        Raises:
            WarcError: the seals are damaged or cannot be written.

        """
        seals, faults = self.read()
        if faults:
            raise WarcError(
                f"nothing is sealed, because {faults[0].where} is damaged: {faults[0].detail}",
                f"run `vna verify`; restore {self._path} from a copy, or move it away to begin a new chain",
            )
        ends = {part.file: part.end for seal in seals for part in seal.parts if part.root}
        foreign = {name for name, owner in warc.identities() if owner != identity}
        parts: list[SealedPart] = []
        for name in warc.names():
            if stopping():
                return None
            if name not in foreign and (part := _part(warc, name, ends.get(name, 0))) is not None:
                parts.append(part)
        if not parts:
            return None
        hashes = {merkle.leaf(row) for row in rows([(part.file, part.start, part.end) for part in parts])}
        seal = Seal(to_text(at), seals[-1].digest if seals else "", tuple(parts), tuple(sorted(hashes)))
        seal = replace(seal, root=merkle.Tree(seal.branches).root)
        self._write(
            _dump({"at": seal.at, "previous": seal.previous, "root": seal.root, **seal.content, "digest": seal.digest})
        )
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
    seals: Sequence[Seal], warc: WarcStore, stopping: Callable[[], bool] = lambda: False, *, trees: bool = True
) -> Iterator[SealFault]:
    """Compare the sealed parts of all files with their bytes; yield a fault for each part that differs.

    With `trees`, the trees over the records are computed again, too.
    """
    there = set(warc.names())
    missing: set[str] = set()
    for seal in seals:
        for part in seal.parts:
            if stopping():
                return
            if part.file in there:
                yield from _checked(warc, part, seal.at, trees=trees)
            elif part.file not in missing:
                missing.add(part.file)
                yield SealFault(
                    "sealed file missing", part.file, f"the seal of {seal.at} covers {part.end} bytes of it"
                )


def _checked(warc: WarcStore, part: SealedPart, at: str, *, trees: bool) -> Iterator[SealFault]:
    size = warc.size(part.file)
    if size >= part.end and sha256(warc.path(part.file), part.end, start=part.start) == part.sha256:
        if (
            trees
            and part.root
            and merkle.Tree([leaf for *_, leaf in leaves(warc, part.file, part.start, part.end)]).root != part.root
        ):
            yield SealFault(
                "damaged seal", SEALS, f"the root for {part.file} in the seal of {at} is not that of its records"
            )
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


def leaves(warc: WarcStore, name: str, start: int, end: int | None = None) -> Iterator[tuple[int, int, str, str]]:
    """Yield the offset, the end, the digest and the leaf of each record of a file from `start` to `end` or the first damage."""
    path = warc.path(name)
    for item in warc.scan(name, start):
        if not isinstance(item, Member) or (end is not None and item.offset >= end):
            return
        after = item.offset + item.length
        digest = sha256(path, after, start=item.offset)
        row = {"file": name, "offset": item.offset, "length": item.length, "sha256": digest}
        yield item.offset, after, digest, merkle.leaf(_dump(row).encode())


def _part(warc: WarcStore, name: str, start: int) -> SealedPart | None:
    """Return the part of a file from `start` to the first damage; None if it has no complete record."""
    if warc.size(name) <= start:
        return None
    found = list(leaves(warc, name, start))
    if not found:
        return None
    end = found[-1][1]
    records = "".join(digest[:_SHORT] for _, _, digest, _ in found)
    root = merkle.Tree([leaf for *_, leaf in found]).root
    return SealedPart(name, start, end, sha256(warc.path(name), end, start=start), records, root)


def _loaded(line: bytes) -> tuple[Seal, str]:
    """Return a seal and the digest that its line states."""
    value: Mapping[str, Any] = json.loads(line)
    parts = tuple(SealedPart(**part) for part in value["parts"])
    root, rows = value.get("root", ""), value.get("rows", "")
    texts = [value[name] for name in ("at", "previous", "digest")] + [root, rows]
    texts += [text for part in parts for text in (part.file, part.sha256, part.records, part.root)]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is expected")
    if any(type(n) is not int for part in parts for n in (part.start, part.end)):
        raise TypeError("a number is expected")
    if any(not 0 <= part.start < part.end for part in parts):
        raise ValueError("a part has no bytes")
    hashes = tuple(rows[at : at + _DIGITS] for at in range(0, len(rows), _DIGITS))
    if root and any(not _DIGEST.fullmatch(text) for text in (root, *hashes, *(part.root for part in parts))):
        raise ValueError("a digest is expected")
    return Seal(value["at"], value["previous"], parts, hashes, root), value["digest"]


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
