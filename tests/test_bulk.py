"""`vna reparse --out`: a dataset made of the WARC files alone has the rows of the export, however the work is divided."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from faulty_repairers import FAILS, KILLS, KILLS_ONCE, faulty_repairer, plain_repairer
from support import (
    HTML,
    MARKUPS,
    NOW,
    SITE,
    FakeClock,
    RecordedProgress,
    fetched,
    mounted_small,
    poll,
    process,
    random_bytes,
    vna,
)

from crawler import bulk, dataset, urls
from crawler.bulk import on_dask
from crawler.bulk.addresses import warc_files
from crawler.bulk.careful import read_carefully
from crawler.bulk.values import OtherCode, Partition, ReadTask
from crawler.errors import StopError
from crawler.purpose import Purpose
from crawler.selection import EVERYTHING
from crawler.site import Site
from crawler.storage import open_archive
from crawler.warc import WarcStore, scan_file

if not find_spec("pyarrow"):
    pytest.skip("the extra [parquet] is not installed", allow_module_level=True)
from pyarrow import dataset as reader

if find_spec("distributed"):
    from distributed import KilledWorker, LocalCluster, get_worker

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="the extra [dask] is not installed")
PAGE = """<html><head><meta property="og:type" content="article"><meta property="og:title" content="{title}">
<link rel="canonical" href="{url}"></head><body><h1 class="article__title">{title}</h1>
<div class="article__body"><p>{text}</p></div></body></html>"""
LAYOUT = """name = "{name}"
[learned]
since = 2026-01-01T00:00:00Z
[article]
title = ["h1"]
body = [".inconnu"]
"""


# --- helpers ----------------------------------------------------------------------------------------------------------


class InThisProcess:
    """An engine without processes."""

    def __init__(self) -> None:
        self.workers = 1
        self.retried = 0

    def results(self, tasks):
        for task in tasks:
            yield task, bulk.run_task(task)


#: The versions that `next_code` returns: of this process, then of the workers.
CODES = []


def next_code():
    return CODES.pop(0)


def settings(repairer=plain_repairer):
    return bulk.BulkSettings(bulk.code_version(), Site(f"{SITE}/"), MARKUPS, repairer)


def reparsed(warc, out, engine=None, repairer=plain_repairer, **options):
    engines = engine if hasattr(engine, "__enter__") else nullcontext(engine or InThisProcess())
    return bulk.reparse_files(str(warc), out, engines, settings(repairer), RecordedProgress(), **options)


def rows(folder):
    found = reader.dataset(folder, partitioning="hive").to_table().to_pylist()
    return {row["id"]: row for row in found}


def page_of(number, title="", body=None):
    """Return the response with the page of an article, one second after that of the article before."""
    url = f"{SITE}/titre-post{number}.vnp"
    html = body or PAGE.format(title=title or f"Titre {number}", url=url, text=f"Le texte {number}. " * 20)
    at = NOW + timedelta(seconds=number)
    content = html if isinstance(html, bytes) else html.encode()
    return fetched(content, url=url, fetched_at=at, target=url, headers=(("Content-Type", HTML),))


def write(folder, pages):
    """Write pages, or pairs of a purpose and a response or text, into WARC files; return the folder."""
    with WarcStore(folder) as warc:
        for page in pages:
            purpose, content = page if isinstance(page, tuple) else (None, page)
            if isinstance(content, str):
                warc.append_text("urn:test", NOW, content, purpose)
            else:
                warc.append(content, purpose or str(Purpose.page(urls.post_id(content.url))))
    return folder


def only_file(folder):
    (path,) = folder.rglob("*.warc.gz")
    return path


def member_starts(path):
    data = path.read_bytes()
    with path.open("rb") as file:
        return [(item.offset, item.length) for item in scan_file(file, "x")], data


@pytest.fixture
def ten(tmp_path):
    return write(tmp_path / "archive" / "warc", [page_of(n) for n in range(101, 111)])


# --- the rows ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """An archive after some days, with revised, removed, redirected, cut off and blocked pages."""
    archive = tmp_path_factory.mktemp("polled") / "archive"
    clock = FakeClock()
    with mounted_small(clock) as site:
        fake = site.fake_site
        poll(archive, clock)
        ids = fake.ids()
        fake.revise(ids[-1], title="Un titre corrigé")
        for number, status in enumerate((404, 410, 200, 302), start=2):
            fake.unpublish(ids[-number], status=status)
        fake.fault("block", path=fake.story(ids[-6]).path)
        fake.fault("truncate", path=fake.story(ids[-7]).path)
        for hours in (2, 30, 30):
            clock.advance(hours=hours)
            poll(archive, clock, everything=True)
        fake.clear()
        fake.revise(ids[-6], text="Un autre texte.")
        clock.advance(hours=5)
        poll(archive, clock, everything=True)
    return archive


@pytest.fixture(scope="module")
def exported(polled, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "dataset"
    with open_archive(polled, read_only=True) as opened:
        dataset.write(opened.selected(EVERYTHING, by_day=True), out)
    return out


@pytest.mark.parametrize("size", [None, 3_000])  # some partitions of 3 kB contain no start of a record
def test_the_files_are_those_of_the_export(polled, exported, tmp_path, size):
    report = reparsed(polled / "warc", tmp_path / "new", size=size)
    found = rows(tmp_path / "new")
    assert found == rows(exported)
    assert {path.relative_to(exported): path.read_bytes() for path in exported.rglob("*.parquet")} == {
        path.relative_to(tmp_path / "new"): path.read_bytes()
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    }
    assert {row["state"] for row in found.values()} == {"live", "gone"}
    assert max(row["revision"] for row in found.values()) == 2
    assert (report.articles, report.unreadable, report.left_out) == (len(found), [], [])
    assert report.rejected
    assert report.pages > report.articles


def test_a_record_inside_a_picture_is_not_read_as_one(tmp_path):
    """A partition may begin inside a response that contains the bytes of a record: pictures are stored as they are."""
    inside = only_file(write(tmp_path / "hidden", [page_of(999, "Un faux article")])).read_bytes()
    picture = page_of(102, body=random_bytes(20_000) + inside + random_bytes(20_000, 1))
    warc = write(tmp_path / "warc", [page_of(101), (str(Purpose.image(picture.url)), picture), page_of(103)])
    assert inside in only_file(warc).read_bytes()
    for size in (1000, 5000, 22_000):
        reparsed(warc, tmp_path / "new", size=size)
        assert sorted(rows(tmp_path / "new")) == [101, 103]


def test_a_learned_layout_is_found_in_the_files_and_reads_all_partitions(tmp_path):
    unknown = PAGE.replace("article__title", "t").replace("article__body", "inconnu")
    pages = [
        page_of(n, body=unknown.format(title=f"T{n}", url=f"{SITE}/titre-post{n}.vnp", text="Le texte."))
        for n in (101, 102)
    ]
    warc = write(tmp_path / "warc", [pages[0], ("layout:vieux", LAYOUT.format(name="vieux")), pages[1], page_of(103)])
    report = reparsed(warc, tmp_path / "new", size=1000)
    assert {row["id"]: row["markup"] for row in rows(tmp_path / "new").values()} == {
        101: "vieux", 102: "vieux", 103: "cms-2024"
    }  # fmt: skip
    assert report.rejected == {}


def test_an_archive_without_articles_gives_an_empty_dataset(tmp_path):
    warc = write(tmp_path / "warc", [page_of(101, body="<html>Maintenance</html>")])
    report = reparsed(warc, tmp_path / "new")
    assert (rows(tmp_path / "new"), report.articles, sum(report.rejected.values())) == ({}, 0, 1)


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, 600])
def test_the_records_after_a_damaged_one_are_read(ten, tmp_path, size):
    starts, data = member_starts(only_file(ten))
    offset, length = starts[9]  # warcinfo, then a response and a request for each page
    damaged = bytearray(data)
    damaged[offset + length // 2 : offset + length // 2 + 20] = b"\xff" * 20
    only_file(ten).write_bytes(damaged)
    report = reparsed(ten, tmp_path / "new", size=size)
    assert sorted(rows(tmp_path / "new")) == [n for n in range(101, 111) if n != 105]
    assert [(one.offset, one.length) for one in report.unreadable] == [(offset, length)]
    if size is not None:
        return
    outcome = vna("--archive", ten.parent, "reparse", "--out", tmp_path / "new")
    assert outcome.code == 5
    assert f"bytes {offset} to {offset + length}" in outcome.err


def test_a_file_that_was_cut_off_is_reported(ten, tmp_path):
    data = only_file(ten).read_bytes()
    only_file(ten).write_bytes(data[: len(data) * 2 // 3])
    report = reparsed(ten, tmp_path / "new", size=1000)
    assert [one.torn for one in report.unreadable] == [True]
    assert 0 < report.articles < 10


NOISE = random_bytes(5000)


@pytest.mark.parametrize(
    ("change", "articles", "unreadable"),
    [
        (lambda data: b"", 0, []),
        (lambda data: data[:1], 0, [(0, 1)]),
        (lambda data: NOISE, 0, [(0, 5000)]),
        (gzip.decompress, 0, [(0, None)]),  # not compressed: no file of this program
        (lambda data: NOISE + data, 10, [(0, 5000)]),
        (lambda data: b"\xef\xbb\xbf" + data, 10, [(0, 3)]),
        (lambda data: data + NOISE, 10, [(None, 5000)]),
        (lambda data: data + data, 10, []),
        (lambda data: data[:-1], 10, [(None, None)]),  # only a request is lost
    ],
)
def test_damaged_files_are_read_alike_in_one_partition_and_in_many(ten, tmp_path, change, articles, unreadable):
    changed = change(only_file(ten).read_bytes())
    only_file(ten).write_bytes(changed)
    found = []
    for size in (None, 700):
        report = reparsed(ten, tmp_path / "new", size=size)
        assert len(rows(tmp_path / "new")) == report.articles == articles
        found.append([(one.offset, one.length, one.torn) for one in report.unreadable])
    assert found[0] == found[1]
    assert len(found[0]) == len(unreadable)
    for (offset, length, _), (start, size) in zip(found[0], unreadable, strict=True):
        assert start in (None, offset)
        assert size in (None, length)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--warc", "{tmp}/none"], "does not exist"),
        (["--warc", "{tmp}"], "no WARC files"),
        (["--warc", "{tmp}/file"], "no WARC files"),
        (["--warc", "file://{tmp}/none"], "does not exist"),
        (["--warc", "file://{tmp}"], "no WARC files"),
        (["--warc", "nothing://bucket"], "Protocol not known"),
    ],
)
@needs_dask
def test_without_warc_files_nothing_is_written(tmp_path, words, message):
    (tmp_path / "file").touch()
    outcome = vna("reparse", "--out", tmp_path / "new", *[word.format(tmp=tmp_path) for word in words])
    assert (outcome.code, outcome.out) == (1, "")
    assert message in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engine", "dask"], "needs --out"),
        (["--scheduler", "tcp://127.0.0.1:1"], "needs --out"),
        (["--warc", "x"], "needs --out"),
        (["--out", "x", "--scheduler", "tcp://127.0.0.1:1"], "needs --engine dask"),
        (["--out", "x", "--since", "2026-01-01"], "is not for --out"),
        (["--out", "x", "--dry-run"], "is not for --out"),
        (["--out", "x", "--engine", "spark"], "spark"),
    ],
)
def test_options_that_do_not_fit_are_refused(words, message):
    outcome = vna("reparse", *words)
    assert outcome.code == 2
    assert message in outcome.err


def test_a_folder_with_other_files_is_refused_and_unchanged(ten, tmp_path):
    out = tmp_path / "new"
    out.mkdir()
    (out / "these.docx").write_text("a year of work")
    outcome = vna("--archive", ten.parent, "reparse", "--out", out)
    assert outcome.code == 1
    assert "these.docx" in outcome.err
    assert [path.name for path in out.iterdir()] == ["these.docx"]


def test_an_earlier_dataset_is_replaced_as_a_whole(ten, tmp_path):
    reparsed(write(tmp_path / "other", [page_of(500)]), tmp_path / "new")
    outcome = vna("--archive", ten.parent, "reparse", "--out", tmp_path / "new", "--json")
    assert (outcome.code, json.loads(outcome.out)["articles"]) == (0, 10)
    assert sorted(rows(tmp_path / "new")) == list(range(101, 111))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["year=0"]


def test_addresses_give_the_same_rows_as_paths(ten, tmp_path):
    pytest.importorskip("fsspec", reason="the extra [dask] is not installed")
    reparsed(ten, tmp_path / "paths", size=1000)
    reparsed(f"file://{ten}", tmp_path / "addresses", size=1000)
    assert rows(tmp_path / "addresses") == rows(tmp_path / "paths")
    assert warc_files(f"file://{only_file(ten)}") == [(f"file://{only_file(ten)}", only_file(ten).stat().st_size)]


@pytest.mark.parametrize(
    ("missing", "words", "message"),
    [
        ("distributed", ["--engine", "dask"], "Dask is not installed"),
        ("fsspec", ["--warc", "s3://bucket/warc"], "fsspec, which opens addresses, is not installed"),
        ("pyarrow", [], "PyArrow is not installed"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(ten, tmp_path, monkeypatch, missing, words, message):
    monkeypatch.setitem(sys.modules, missing, None)
    outcome = vna("--archive", ten.parent, "reparse", "--out", tmp_path / "new", *words)
    assert (outcome.code, outcome.out) == (1, "")
    assert message in outcome.err
    extra = "parquet" if missing == "pyarrow" else "dask"
    assert f"pip install 'vna-archive[{extra}]'" in outcome.err
    assert not (tmp_path / "new").exists()


# --- crashes ----------------------------------------------------------------------------------------------------------


def test_a_page_that_reveals_a_bug_is_named_and_left_out(tmp_path):
    warc = write(tmp_path / "warc", [page_of(101), page_of(102, FAILS), page_of(103)])
    report = reparsed(warc, tmp_path / "new", repairer=faulty_repairer)
    assert sorted(rows(tmp_path / "new")) == [101, 103]
    ((_, _, url, why),) = report.left_out
    assert url.endswith("post102.vnp")
    assert "RecursionError" in why


def test_a_killed_process_costs_no_row_and_a_deadly_page_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("VNA_TEST_MARKER", str(tmp_path / "killed-once"))
    pages = [page_of(101), page_of(102, KILLS), page_of(103), page_of(104, KILLS_ONCE), page_of(105)]
    report = reparsed(write(tmp_path / "warc", pages), tmp_path / "new", bulk.LocalEngine(1), faulty_repairer)
    assert sorted(rows(tmp_path / "new")) == [101, 103, 104, 105]
    assert [(one.url[-11:], one.why[-2:]) for one in report.left_out] == [("post102.vnp", "-9")]
    assert report.retried == 2


def test_a_process_that_dies_before_the_first_page_is_not_retried_for_ever(ten):
    partition = Partition(str(only_file(ten)), 0, 10_000, is_exact=True)
    with pytest.raises(StopError, match="before the first page"):
        read_carefully(replace(settings(), make_repairer=os.abort), partition)


def unstartable():
    raise StopError("cannot start the parser process", "raise the limit")


def test_an_error_of_the_disk_in_a_separate_process_blames_no_page(ten, tmp_path):
    file = str(only_file(ten))
    for making, path, message, hint in (
        (
            plain_repairer,
            str(tmp_path / "none.warc.gz"),
            "cannot read .*none.warc.gz: .*No such file",
            "check the file",
        ),
        (unstartable, file, "cannot start the parser process", "raise the limit"),
    ):
        partition = Partition(path, 0, 10_000, is_exact=True)
        with pytest.raises(StopError, match=message) as caught:
            read_carefully(replace(settings(), make_repairer=making), partition)
        assert hint in caught.value.hint


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_reparse_leaves_nothing_under_the_final_name(ten, tmp_path, number):
    out = tmp_path / "new"
    unfinished = tmp_path / ".new.unfinished" / ".scratch"
    with process("--archive", ten.parent, "reparse", "--out", out) as running:
        while not unfinished.exists():
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(number)
        running.communicate()
    assert running.returncode == (130 if number == signal.SIGINT else -number)
    assert not out.exists()
    assert unfinished.exists() == (number == signal.SIGKILL)
    reparsed(ten, out)
    assert len(rows(out)) == 10
    assert not unfinished.exists()


# --- versions and Dask ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [{"parser": 1}, {"program": "2020.1.1"}, {"lexicon": "0" * 64}])
def test_a_worker_with_other_code_reads_nothing(ten, tmp_path, other):
    wanted = replace(settings(), code=settings().code._replace(**other))
    task = ReadTask(wanted, Partition(str(only_file(ten)), 0, 10_000, is_exact=True))
    assert bulk.run_task(task) == OtherCode(bulk.code_version())
    with pytest.raises(StopError, match=r"a worker has version .*, but this program has") as raised:
        bulk.reparse_files(str(ten), tmp_path / "new", nullcontext(InThisProcess()), wanted, RecordedProgress())
    assert "install the same version" in raised.value.hint
    assert not (tmp_path / "new").exists()


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler with two workers in this process."""
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, silence_logs="CRITICAL"
    ) as cluster:
        yield cluster.scheduler_address


def test_dask_gives_the_same_rows(scheduler, polled, exported, tmp_path):
    report = reparsed(polled / "warc", tmp_path / "new", bulk.dask_engine(scheduler, 1), size=20_000)
    assert rows(tmp_path / "new") == rows(exported)
    assert (report.workers, report.retried) == (2, 0)


def test_a_dask_worker_with_another_parser_is_refused(scheduler, ten, tmp_path, monkeypatch):
    right = bulk.code_version()
    CODES[:] = [right, right, right._replace(parser=1)]
    monkeypatch.setattr(on_dask, "code_version", next_code)
    with pytest.raises(StopError, match=r"the worker .* has version .*parser 1,"):
        reparsed(ten, tmp_path / "new", bulk.dask_engine(scheduler, 1))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("others", [0, 1])
def test_a_worker_that_joins_later_with_other_code_gets_no_task(scheduler, ten, tmp_path, monkeypatch, others):
    bad = []

    def run_task(task, *, careful):
        worker = get_worker().address
        if len(bad) < 2 - others and worker not in bad:
            bad.append(worker)
        return (
            OtherCode(bulk.code_version()._replace(parser=1)) if worker in bad else bulk.run_task(task, careful=careful)
        )

    monkeypatch.setattr(on_dask, "run_task", run_task)
    if others:
        reparsed(ten, tmp_path / "new", bulk.dask_engine(scheduler, 1), size=1000)
        assert len(rows(tmp_path / "new")) == 10
        return
    with pytest.raises(StopError, match=r"the worker .* has version .*parser 1,"):
        reparsed(ten, tmp_path / "new", bulk.dask_engine(scheduler, 1), size=1000)


@pytest.mark.parametrize("survives", [True, False])
def test_a_partition_that_dask_gives_up_is_read_with_care(scheduler, ten, tmp_path, monkeypatch, survives):
    def run_task(task, *, careful):
        if "bytes" in str(task) and not (careful and survives):
            raise KilledWorker("task", SimpleNamespace(address="tcp://127.0.0.1:1"), 3)
        return bulk.run_task(task)

    monkeypatch.setattr(on_dask, "run_task", run_task)
    if survives:
        reparsed(ten, tmp_path / "new", bulk.dask_engine(scheduler, 1))
        assert len(rows(tmp_path / "new")) == 10
        return
    with pytest.raises(StopError, match="the worker was killed 6 times"):
        reparsed(ten, tmp_path / "new", bulk.dask_engine(scheduler, 1))
    assert not (tmp_path / "new").exists()


def test_workers_that_are_gone_are_replaced_and_not_waited_for_for_ever(scheduler, monkeypatch):
    monkeypatch.setattr(on_dask, "_TIMEOUT", 0.01)
    replaced = []
    with on_dask.dask_engine(scheduler, 1) as engine:
        future = engine._client.submit(time.sleep, 0.5, pure=False)
        engine._client, engine._replace_workers = SimpleNamespace(nthreads=dict), lambda: replaced.append(1)
        with pytest.raises(StopError, match="has no worker left"):
            engine._ended([future])
        assert len(replaced) == on_dask._MOST_EMPTY
        engine._client = SimpleNamespace(nthreads=lambda: {"tcp://127.0.0.1:1": 1})
        assert engine._ended([future]) == [future]


@needs_dask
def test_an_unreachable_scheduler_is_named(ten, tmp_path, monkeypatch):
    monkeypatch.setattr(on_dask, "_CONNECT", 0.2)
    outcome = vna(
        "--archive",
        ten.parent,
        "reparse",
        "--out",
        tmp_path / "new",
        "--engine",
        "dask",
        "--scheduler",
        "tcp://127.0.0.1:9",
    )
    assert outcome.code == 1
    assert "cannot reach the Dask scheduler at tcp://127.0.0.1:9" in outcome.err
    assert not list(tmp_path.glob("*new*"))
