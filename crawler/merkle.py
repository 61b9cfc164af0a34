"""Merkle trees (RFC 6962, SHA-256): one root for many hashes, and the path from one of them to the root.

Boundary: pure functions on hexadecimal digests. `crawler.evidence.check_pack` follows a path without this program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf(data: bytes) -> str:
    """Return the hash of a leaf; it differs from that of any node, so that a node cannot pass for a leaf."""
    return hashlib.sha256(b"\0" + data).hexdigest()


class Tree:
    """A tree over at least one hash; the hashes of its nodes are computed once."""

    def __init__(self, hashes: Sequence[str]) -> None:
        self._levels = [hashes]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def root(self) -> str:
        """The root."""
        return self._levels[-1][0]

    def path(self, index: int) -> list[str]:
        """Return the steps from a hash to the root: the other hash of each node, after `L` if it is the left one, else `R`."""
        steps = []
        for level in self._levels[:-1]:
            other = index ^ 1
            if other < len(level):
                steps.append(("L" if other < index else "R") + level[other])
            index //= 2
        return steps


def _parents(level: Sequence[str]) -> list[str]:
    """Return the nodes above a level; a last hash without a partner moves up as it is."""
    pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return pairs + list(level[len(pairs) * 2 :])


def _node(left: str, right: str) -> str:
    return hashlib.sha256(b"\1" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()
