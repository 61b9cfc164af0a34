"""Paths from single records and rows to the roots of the seals that cover them.

Boundary: reads WARC files and seals; `crawler.evidence.check_pack` follows the paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crawler import merkle
from crawler.warc.seals import Seal, leaves
from crawler.warc.store import WarcStore


@dataclass(frozen=True, slots=True)
class Proof:
    """The path from a leaf to the root of a seal; `seal` is the digest of the seal.

    `path` is None if it cannot be computed, because records in the same file are damaged.
    """

    seal: str
    path: tuple[str, ...] | None


class Proofs:
    """The proofs of the seals of one archive. The trees of the files that were asked for last are kept in memory."""

    def __init__(self, seals: Sequence[Seal], warc: WarcStore) -> None:
        self._warc = warc
        self._seals = [seal for seal in seals if seal.root]
        self._rows = {leaf: seal for seal in self._seals for leaf in seal.rows}
        self._trees: dict[tuple[str, int], tuple[dict[int, int], list[str]]] = {}

    def of_record(self, file: str, offset: int) -> Proof | None:
        """Return the proof of the record at the byte `offset` of a file; None if no seal with a root covers it."""
        for seal in self._seals:
            for number, part in enumerate(seal.parts):
                if part.file == file and part.start <= offset < part.end:
                    places, hashes = self._tree(file, part.start, part.end)
                    if offset not in places or merkle.root(hashes) != part.root:
                        return Proof(seal.digest, None)
                    path = merkle.path(hashes, places[offset]) + merkle.path(seal.branches, number)
                    return Proof(seal.digest, tuple(path))
        return None

    def of_row(self, row: bytes) -> Proof | None:
        """Return the proof of a row; None if no seal covers it as it is."""
        leaf = merkle.leaf(row)
        if (seal := self._rows.get(leaf)) is None:
            return None
        path = merkle.path(seal.rows, seal.rows.index(leaf)) + merkle.path(seal.branches, len(seal.parts))
        return Proof(seal.digest, tuple(path))

    def _tree(self, file: str, start: int, end: int) -> tuple[dict[int, int], list[str]]:
        """Return the number of each record of a part by its offset, and the leaves."""
        if (file, start) not in self._trees:
            found = list(leaves(self._warc, file, start, end))
            places = {offset: number for number, (offset, *_) in enumerate(found)}
            self._trees[file, start] = places, [leaf for *_, leaf in found]
        return self._trees[file, start]
