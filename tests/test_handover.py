"""The CDXJ index and the WACZ export, for other tools."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import zipfile
from datetime import timedelta

import pytest
from support import NOW, FakeClock, fetched, mounted_small, poll, vna

from crawler.warc import CdxjIndex, WarcStore
from crawler.warc.cdxj import surt

SURTS = {
    "https://fr.vietnamplus.vn/a-post1.vnp": "vn,vietnamplus,fr)/a-post1.vnp",
    "http://www.vietnamplus.vn:80": "vn,vietnamplus)/",
    "http://127.0.0.1:8080/A/?b=2&a=1": "1,0,0,127:8080)/a?a=1&b=2",
}


@pytest.mark.parametrize(("url", "key"), SURTS.items())
def test_sort_keys(url, key):
    assert surt(url) == key


@pytest.fixture
def warc(tmp_path):
    with WarcStore(tmp_path / "warc") as store:
        yield store


@pytest.fixture(scope="module")
def site_archive(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("handover") / "archive", FakeClock()
    with mounted_small(clock, no_api=True) as site:
        for post_id in site.fake_site.ids()[4:]:
            site.fake_site.unpublish(post_id)
        poll(folder, clock)
    return folder


def add(warc, number, *, day=0):
    return warc.append(
        fetched(
            b"page %d" % number, url=f"https://x/{number}", target=f"/{number}", fetched_at=NOW + timedelta(days=day)
        )
    )


def addresses(folder):
    lines = (folder / "index.cdxj").read_text().splitlines()
    assert lines == sorted(lines)
    return [json.loads(line.split(" ", 2)[2])["url"][-1] for line in lines]


def test_the_index_keeps_in_step_with_the_files(tmp_path, warc):
    index = CdxjIndex(tmp_path, warc)
    assert index.update() == 0
    refs = [add(warc, 2), add(warc, 1)]
    assert index.update() == 2
    assert addresses(tmp_path) == ["1", "2"]
    assert index.update() == 0
    refs.append(add(warc, 3, day=1))
    warc.note("https://x/", NOW, "page:1", {"error": "timeout"})
    assert index.update() == 1
    assert addresses(tmp_path) == ["1", "2", "3"]
    fields = [json.loads(line.split(" ", 2)[2]) for line in (tmp_path / "index.cdxj").read_text().splitlines()]
    assert {(f["offset"], f["length"], f["digest"]) for f in fields} == {
        (str(r.offset), str(r.length), r.digest) for r in refs
    }


def test_an_incomplete_record_is_indexed_when_it_is_complete(tmp_path, warc):
    ref = add(warc, 1)
    last = add(warc, 2)
    path = tmp_path / "warc" / ref.file
    whole = path.read_bytes()
    path.write_bytes(whole[: last.offset + 20])
    index = CdxjIndex(tmp_path, warc)
    assert index.update() == 1
    path.write_bytes(whole)
    assert index.update() == 1
    assert addresses(tmp_path) == ["1", "2"]
    path.write_bytes(whole[: last.offset])
    assert index.update() == 1, "the file became shorter: it is indexed again"
    assert addresses(tmp_path) == ["1"]


def test_the_index_is_merged_after_a_crash_before_the_merge(tmp_path, warc):
    add(warc, 1)
    index = CdxjIndex(tmp_path, warc)
    index.update()
    before = (tmp_path / "index.cdxj").read_bytes()
    add(warc, 2)
    index.update()
    (tmp_path / "index.cdxj").write_bytes(before)
    os.utime(tmp_path / "index.cdxj", ns=(1, 1))
    assert index.check(deep=True) == (0, [])
    assert index.update() == 0
    assert addresses(tmp_path) == ["1", "2"]


OUT_OF_STEP = {
    "a line left out": ("index/2026-11-vna-20261121-000.warc.gz.cdxj", lambda text: "".join(text.splitlines(True)[:-1]), "its lines are not"),
    "another place": ("index/2026-11-vna-20261121-000.warc.gz.cdxj", lambda text: text.replace('"offset": "', '"offset": "1'), "its lines are not"),
    "an end after the file": ("index/2026-11-vna-20261121-000.warc.gz.cdxj", lambda text: text.replace("byte ", "byte 9"), "after the end of"),
    "a part of another file": ("index/x.cdxj", lambda _: "# indexed to byte 1\n", "no such WARC file"),
    "a changed line": ("index.cdxj", lambda text: text.replace("https", "http", 1), "it is not the content"),
    "an additional line": ("index.cdxj", lambda text: text + "x\n", "it is not the content"),
    "an empty index": ("index.cdxj", lambda _: "", "it is not the content"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "change", "message"), OUT_OF_STEP.values(), ids=OUT_OF_STEP)
def test_an_index_out_of_step_is_named(tmp_path, warc, name, change, message):
    add(warc, 1)
    add(warc, 2)
    index = CdxjIndex(tmp_path, warc)
    assert index.check(deep=True) == (0, []), "no index"
    index.update()
    assert index.check(deep=True) == (0, [])
    path = tmp_path / name
    path.write_text(change(path.read_text() if path.exists() else ""))
    os.utime(tmp_path / "index.cdxj")
    (where, detail) = index.check(deep=True)[1][0]
    assert (where, message in detail) == (name, True)


def test_verify_names_an_index_out_of_step(tmp_path, site_archive):
    folder = shutil.copytree(site_archive, tmp_path / "archive")
    assert vna("--archive", folder, "warc", "index").code == 0
    assert vna("--archive", folder, "verify", "--sample", "1").code == 0
    (folder / "index.cdxj").write_text("x")
    found = vna("--archive", folder, "verify", "--sample", "1")
    assert (found.code, "index out of step: index.cdxj" in found.out) == (5, True)
    for path in (folder / "index").iterdir():
        path.write_text("x")
    assert "not in index.cdxj yet" in vna("--archive", folder, "verify", "--sample", "1").err


def test_a_damaged_part_of_the_index_is_made_again(tmp_path, warc):
    add(warc, 1)
    index = CdxjIndex(tmp_path, warc)
    index.update()
    (part,) = (tmp_path / "index").iterdir()
    part.write_text("x\n")
    assert index.update() == 1
    assert addresses(tmp_path) == ["1"]


def test_the_commands(tmp_path, site_archive):
    done = vna("--archive", site_archive, "warc", "index")
    assert done.code == 0
    assert "index.cdxj" in done.err
    assert "0 new records" in vna("--archive", site_archive, "warc", "index").err
    assert vna("--archive", site_archive, "warc", "verify").code == 2
    target = tmp_path / "x.wacz"
    done = vna("--archive", site_archive, "export", "--format", "wacz", "--out", target)
    assert done.code == 0, done.err
    with zipfile.ZipFile(target) as wacz:
        package = json.loads(wacz.read("datapackage.json"))
        assert json.loads(wacz.read("datapackage-digest.json"))["hash"] == f"sha256:{hashlib.sha256(wacz.read('datapackage.json')).hexdigest()}"  # fmt: skip
        for one in package["resources"]:
            content = wacz.read(one["path"])
            assert (one["bytes"], one["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
        pages = [json.loads(line) for line in wacz.read("pages/pages.jsonl").splitlines()[1:]]
        captured = {
            tuple(line.split(" ", 2)[1:])
            for line in gzip.decompress(wacz.read("indexes/index.cdx.gz")).decode().splitlines()
        }
    known = {(json.loads(fields)["url"], at) for at, fields in captured}
    assert {(page["url"], "".join(c for c in page["ts"] if c.isdigit())) for page in pages} <= known
    assert f"{len(pages)} articles" in done.err
    assert (
        "another period"
        in vna("--archive", site_archive, "export", "--format", "wacz", "--since", "2030-01-01", "--out", target).err
    )
    assert vna("--archive", site_archive, "export", "--format", "wacz").code == 2
    assert (
        "another path"
        in vna("--archive", site_archive, "export", "--format", "wacz", "--out", tmp_path / "no" / "x").err
    )
