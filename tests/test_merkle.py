"""Merkle trees: roots and paths as in RFC 6962."""

from __future__ import annotations

import pytest

from crawler import merkle
from crawler.evidence.check_pack import climb

#: The leaves and the roots of the tests of the Certificate Transparency project.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize(("count", "root"), ROOTS.items())
def test_roots(count, root):
    assert merkle.Tree([merkle.leaf(data) for data in LEAVES[:count]]).root == root


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33])
def test_each_path_leads_to_the_root(count):
    data = [bytes([number]) for number in range(count)]
    tree = merkle.Tree([merkle.leaf(one) for one in data])
    paths = [tree.path(index) for index in range(count)]
    assert {climb(one, path) for one, path in zip(data, paths, strict=True)} == {tree.root}
    assert climb(b"x", paths[0]) != tree.root
