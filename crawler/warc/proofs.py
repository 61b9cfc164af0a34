"""Paths from single records and rows to the roots of the seals that cover them.

Boundary: reads WARC files and seals; `crawler.evidence.check_pack` follows the paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crawler import merkle
from crawler.merkle import Tree
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
    """The proofs of the seals of one archive. The trees of the files and seals that were asked for are kept in memory."""

    def __init__(self, seals: Sequence[Seal], warc: WarcStore) -> None:
        self._warc = warc
        self._digests = {seal.root: seal.digest for seal in seals if seal.root}
        self._seals = [seal for seal in seals if seal.root]
        self._rows = {leaf: (seal, place) for seal in self._seals for place, leaf in enumerate(seal.rows)}
        self._files: dict[tuple[str, int], tuple[dict[int, int], Tree]] = {}
        self._tops: dict[str, Tree] = {}
        self._row_trees: dict[str, Tree] = {}

    def of_record(self, file: str, offset: int) -> Proof | None:
        """Return the proof of the record at the byte `offset` of a file; None if no seal with a root covers it."""
        for seal in self._seals:
            for number, part in enumerate(seal.parts):
                if part.file == file and part.start <= offset < part.end:
                    places, tree = self._file(file, part.start, part.end)
                    if offset not in places or tree.root != part.root:
                        return Proof(self._digests[seal.root], None)
                    path = (*tree.path(places[offset]), *self._top(seal).path(number))
                    return Proof(self._digests[seal.root], path)
        return None

    def of_row(self, row: bytes) -> Proof | None:
        """Return the proof of a row; None if no seal covers it as it is."""
        found = self._rows.get(merkle.leaf(row))
        if found is None:
            return None
        seal, place = found
        if seal.root not in self._row_trees:
            self._row_trees[seal.root] = Tree(seal.rows)
        path = (*self._row_trees[seal.root].path(place), *self._top(seal).path(len(seal.parts)))
        return Proof(self._digests[seal.root], path)

    def _top(self, seal: Seal) -> Tree:
        """Return the tree over the parts and the rows of a seal."""
        if seal.root not in self._tops:
            self._tops[seal.root] = Tree(seal.branches)
        return self._tops[seal.root]

    def _file(self, file: str, start: int, end: int) -> tuple[dict[int, int], Tree]:
        """Return the number of each record of a part by its offset, and the tree over them."""
        if (file, start) not in self._files:
            found = list(leaves(self._warc, file, start, end))
            places = {offset: number for number, (offset, *_) in enumerate(found)}
            self._files[file, start] = places, Tree([leaf for *_, leaf in found] or [""])
        return self._files[file, start]
