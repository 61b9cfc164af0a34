"""The CDXJ index and the WACZ export, for other tools."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from datetime import timedelta

import pytest
from support import NOW, FakeClock, fetched, mounted, poll, vna

from crawler.sim.site import Options
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
    with mounted(clock, options=Options(no_api=True)) as site:
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
