"""Merkle trees (RFC 6962, SHA-256): one root for many hashes, and the path from one of them to the root.

Boundary: pure functions on hexadecimal digests. `crawler.evidence.check_pack` follows a path without this program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf(data: bytes) -> str:
    """Return the hash of a leaf; it differs from that of any node, so that a node cannot pass for a leaf."""
    return hashlib.sha256(b"\0" + data).hexdigest()


def root(hashes: Sequence[str]) -> str:
    """Return the root of a tree of at least one hash."""
    level = list(hashes)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def path(hashes: Sequence[str], index: int) -> list[str]:
    """Return the steps from a hash to the root: the other hash of each node, after `L` if it is the left one, else `R`."""
    level, steps = list(hashes), list[str]()
    while len(level) > 1:
        other = index ^ 1
        if other < len(level):
            steps.append(("L" if other < index else "R") + level[other])
        level, index = _parents(level), index // 2
    return steps


def _parents(level: Sequence[str]) -> list[str]:
    """Return the nodes above a level; a last hash without a partner moves up as it is."""
    pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return pairs + list(level[len(pairs) * 2 :])


def _node(left: str, right: str) -> str:
    return hashlib.sha256(b"\1" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()
