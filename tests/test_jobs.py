"""Commands with several processes: the same rows as with one, killed processes, bad options."""

from __future__ import annotations

import errno
import gzip
import multiprocessing
import os
from contextlib import closing, suppress
from datetime import timedelta

import pytest
import worker_functions
from support import (
    MARKUPS,
    NOW,
    SITE,
    FakeClock,
    InlineWorkers,
    RecordedProgress,
    assert_intact,
    configured,
    fetched,
    poll,
    random_bytes,
    rows,
    value,
    vna,
    working,
)
from test_captures import WarcBuilder
from test_guard import HAZARDS
from test_parser_process import LARGE, PAGES
from test_rebuild import small_site

from crawler import app, replay, storage
from crawler.errors import BadInput, StopError
from crawler.pipeline import articles, captures, captures_ahead, reparse, run, stored_pages
from crawler.pipeline.prepared import PageInputs, PreparedPages, Preparer, read_list
from crawler.replay import read_ahead
from crawler.site import Site
from crawler.storage import FILE, diff_db
from crawler.warc import WarcStore, members
from crawler.worker_processes import Workers

PAGE = PAGES[0]


def golden(path=PAGE):
    return gzip.decompress(path.read_bytes())


def codings(body):
    """Return a body gzipped, cut off, and plain."""
    packed = gzip.compress(body)
    return (packed, "gzip"), (packed[:-9], "gzip"), (body, "")


def differences(one, other):
    """Return the tables that differ between the databases of two folders."""
    with (
        closing(storage.open_archive(one)) as new,
        diff_db.attached(new.db, other / FILE),
        new.transaction(),
    ):
        found = [table for table in diff_db.compare(new.db) if table.differing or table.renumbered]
    return [table for table in found if table.table != "archive_identity"]


def rebuilt(archive, folder, jobs):
    with app.rebuilding(configured(archive), folder, RecordedProgress(), clock=FakeClock()) as run:
        return replay.rebuild(run, archive / FILE, jobs=jobs).replayed


@pytest.fixture
def inline(monkeypatch):
    """Do the tasks of workers in this process, and make the partitions small."""
    for module in (read_ahead, captures_ahead, stored_pages):
        monkeypatch.setattr(module, "Workers", InlineWorkers)
    monkeypatch.setattr(read_ahead, "_PARTITION", 10_000)


@pytest.fixture
def unusual(tmp_path):
    """The WARC files of an archive with pages of all kinds, also hostile and damaged ones, and an incomplete last record."""
    hostile = golden().replace(b"</body>", HAZARDS["nested elements"].encode() + b"</body>")
    bodies = [*map(golden, PAGES[::7]), b"", b"<html>", b"\0" * 20_000, "é".encode("latin-1") * 50]
    responses = [(content, coding) for body in bodies for content, coding in codings(body)]
    with WarcStore(tmp_path / "archive" / "warc") as warc:
        for number, (content, coding) in enumerate([*responses, (hostile, ""), (LARGE + golden(), "")]):
            url, at = f"{SITE}/t-post{number // 2}.vnp", NOW + timedelta(seconds=number // 3)
            page = fetched(content, url=url, fetched_at=at, headers=(("Content-Encoding", coding),))
            warc.append(page, f"capture:{number // 2}", origin="x", written_at=NOW + timedelta(hours=1))
        warc.append(fetched(golden() * 4), "capture:245060", origin="x", written_at=NOW)
        (name,) = warc.names()
    file = tmp_path / "archive" / "warc" / name
    file.write_bytes(file.read_bytes()[:-500])
    return tmp_path / "archive"


# --- rebuild ----------------------------------------------------------------------------------------------------------


def test_hostile_and_damaged_pages_give_the_same_rows(unusual, tmp_path, inline):
    one = rebuilt(unusual, tmp_path / "one", 1)
    assert (one.damaged, one.captures > 20) == (1, True)
    assert rebuilt(unusual, tmp_path / "two", 2) == one
    assert differences(tmp_path / "two", tmp_path / "one") == []
    assert value(tmp_path / "two", "SELECT count(*) FROM articles") > 5


def test_a_record_inside_a_picture_and_a_damaged_one_are_read_alike(tmp_path, inline, monkeypatch):
    """A partition may begin inside a response that contains the bytes of a record: pictures are stored as they are."""
    inside = members.response_and_request(fetched(golden(), url=f"{SITE}/t-post9.vnp"), "capture:9", "x", NOW)[0]
    with WarcStore(tmp_path / "archive" / "warc") as warc:
        for number, noise in enumerate((20_000, 300, 40_000), start=1):
            warc.append(
                fetched(golden(), url=f"{SITE}/t-post{number}.vnp"), f"capture:{number}", origin="x", written_at=NOW
            )
            picture = random_bytes(noise) + inside + random_bytes(noise, 1)
            warc.append(fetched(picture, url=f"{SITE}/{number}.jpg"), f"image:{SITE}/{number}.jpg")
        (name,) = warc.names()
    file = tmp_path / "archive" / "warc" / name
    data = bytearray(file.read_bytes())
    data[-60_000] ^= 1
    file.write_bytes(data)
    one = rebuilt(tmp_path / "archive", tmp_path / "one", 1)
    assert one.damaged == 2, "the record inside the damaged picture is one"
    for size in (1000, 5000, 22_000):
        monkeypatch.setattr(read_ahead, "_PARTITION", size)
        assert rebuilt(tmp_path / "archive", tmp_path / str(size), 2) == one
        assert differences(tmp_path / str(size), tmp_path / "one") == []


def test_the_process_that_writes_reads_no_page_and_only_lists_of_new_sources(tmp_path, inline, monkeypatch):
    with small_site(clock := FakeClock()):
        for _ in range(3):
            poll(tmp_path / "archive", clock, everything=True)
            clock.advance(hours=1)
    rebuilt(tmp_path / "archive", tmp_path / "one", 1)
    monkeypatch.setattr(articles, "parse_response", None)
    listed = []
    monkeypatch.setattr(run, "read_list", lambda fetched, *_: listed.append(fetched.url) or read_list(fetched, *_))
    rebuilt(tmp_path / "archive", tmp_path / "two", 2)
    assert differences(tmp_path / "two", tmp_path / "one") == []
    lists = value(tmp_path / "one", "SELECT count(*) FROM raw WHERE purpose LIKE 'source:%' AND status = 200")
    assert len(listed) < lists / 2


class Killer:
    """Kills a worker process while its first results are taken."""

    def __init__(self, monkeypatch, kills):
        self.done = 0
        original = Workers.result

        def result(workers, pending):
            children = multiprocessing.active_children()
            if self.done < kills and children:
                self.done += 1
                children[0].kill()
            return original(workers, pending)

        monkeypatch.setattr(Workers, "result", result)


def test_killed_workers_lose_no_row(tmp_path, monkeypatch):
    with small_site(clock := FakeClock()):
        poll(tmp_path / "archive", clock)
    monkeypatch.setattr(read_ahead, "_PARTITION", 10_000)
    rebuilt(tmp_path / "archive", tmp_path / "one", 1)
    killer = Killer(monkeypatch, 3)
    rebuilt(tmp_path / "archive", tmp_path / "two", 2)
    assert killer.done == 3
    assert differences(tmp_path / "two", tmp_path / "one") == []
    assert multiprocessing.active_children() == []


# --- pages that were read ahead ---------------------------------------------------------------------------------------

RESPONSE = fetched(golden())
INPUTS = PageInputs(MARKUPS, Site())


def repairer():
    return app.repairer(None)


def test_a_page_is_used_only_with_the_same_input():
    prepared, page = PreparedPages(), Preparer(repairer()).prepare(RESPONSE, INPUTS)
    keys = prepared.add([page], INPUTS)
    article = prepared.article(RESPONSE, INPUTS)
    assert prepared.values(article) is page.values
    assert prepared.values(stored_pages.parse_response(RESPONSE, MARKUPS, Site())) is None, "another object"
    others = {
        "layouts": (RESPONSE, PageInputs(MARKUPS[:-1], Site())),
        "site": (RESPONSE, PageInputs(MARKUPS, Site("https://en.vietnamplus.vn/"))),
        "content": (fetched(golden() + b" "), INPUTS),
        "headers": (fetched(RESPONSE.content, headers=(("Content-Type", "text/plain"),)), INPUTS),
        "time": (fetched(RESPONSE.content, fetched_at=NOW + timedelta(1)), INPUTS),
        "address": (fetched(RESPONSE.content, url=f"{SITE}/u-post1.vnp"), INPUTS),
    }
    assert {name: prepared.article(*arguments) for name, arguments in others.items()} == dict.fromkeys(others)
    prepared.remove(keys)
    assert prepared.article(RESPONSE, INPUTS) is None


def test_an_unchanged_page_is_not_repaired_again():
    preparer = Preparer(repairer())
    found = [preparer.prepare(fetched(body), INPUTS).values for body in (golden(), golden(), golden(PAGES[-1]))]
    assert [values is not None for values in found] == [True, False, True]


def test_a_page_that_reveals_a_bug_is_left_to_the_process_that_writes():
    page = Preparer(None).prepare(RESPONSE, INPUTS)
    assert (page.answer, page.values) == (None, None)


# --- processes --------------------------------------------------------------------------------------------------------


def test_results_are_in_the_order_of_the_tasks_whatever_processes_are_killed(tmp_path):
    tasks = ["a", str(tmp_path / "once"), "b", "kill", *"cdefghijklmnop"]

    def interrupted():
        yield from tasks
        raise BadInput("the file ends here", "")

    results = []
    with Workers(2, worker_functions.make) as workers, pytest.raises(BadInput):
        results.extend(workers.in_order(interrupted(), lambda task: f"alone: {task}"))
    assert [task for task, _ in results] == tasks
    assert {result for task, result in results} <= {t.upper() for t in tasks} | {f"alone: {t}" for t in tasks}
    assert dict(results)["kill"] == "alone: kill"
    assert dict(results)["p"] == "P", "processes go on after those that were killed"


def test_an_error_of_a_task_is_raised(tmp_path):
    with pytest.raises(LookupError), Workers(1, worker_functions.make) as workers:
        workers.result(workers.submit("fail"))


def test_without_a_process_to_start_the_command_says_so(monkeypatch):
    with Workers(1, worker_functions.make) as workers:
        monkeypatch.setattr(os, "pipe", lambda: os.open("/", os.O_WRONLY))
        with pytest.raises(StopError, match="cannot be started"):
            workers.submit("a")


@pytest.mark.parametrize(
    "refusal", [PermissionError(errno.EACCES, "Permission denied"), NotImplementedError("no sem_open")]
)
def test_without_semaphores_the_command_says_what_to_do(monkeypatch, refusal):
    def refuse(*_):
        raise refusal

    monkeypatch.setattr("_multiprocessing.SemLock", refuse)
    cannot = pytest.raises(StopError, match=r"cannot be started: (Permission denied|no sem_open)")
    with cannot as caught, Workers(1, worker_functions.make):
        pass
    assert "/dev/shm" in caught.value.hint


def test_a_killed_worker_of_a_reparse_loses_no_page(tmp_path, monkeypatch):
    with small_site(clock := FakeClock()):
        poll(tmp_path, clock)
    with storage.open_archive(tmp_path) as archive:
        archive.db.conn.execute("UPDATE articles SET lead = 'alt', parser = 0")
    killer = Killer(monkeypatch, 1)
    with working(tmp_path, clock, role="read") as run:
        report = reparse(run, jobs=2)
    assert (killer.done, report.pages) == (1, value(tmp_path, "SELECT count(*) FROM articles"))
    assert value(tmp_path, "SELECT count(*) FROM articles WHERE lead = 'alt'") == 0
    assert_intact(tmp_path)


# --- import of WARC files ---------------------------------------------------------------------------------------------


def imported(folder, *paths, jobs):
    with working(folder, FakeClock(), command="backfill", role="backfill") as run:
        results = [captures.CaptureImport(path.name) for path in paths]
        with captures_ahead.preparing(run, jobs) as ahead:
            batch = captures.CaptureBatch(run, ahead)
            for path, result in zip(paths, results, strict=True):
                with suppress(BadInput):
                    batch.read(path, result)
            batch.finish()
    return results


def test_an_import_gives_the_same_rows(tmp_path, inline):
    builder = WarcBuilder()
    for number, path in enumerate(PAGES[:40]):
        builder.add(f"{SITE}:80/t-post{number % 30}.vnp", golden(path), at=NOW - timedelta(hours=number))
    builder.add(f"{SITE}/t-post1.vnp", b"x", headers=(("Content-Encoding", "gzip"),))
    builder.add(f"{SITE}/t-post2.vnp", golden(), status="404 Not Found")
    files = [builder.write(tmp_path / "a.warc.gz"), tmp_path / "missing.warc.gz", tmp_path / "cut.warc.gz"]
    files[2].write_bytes(files[0].read_bytes()[:-700])
    assert imported(tmp_path / "one", *files, jobs=1) == imported(tmp_path / "two", *files, jobs=2)
    for table in ("articles", "articles_folded", "revisions", "repairs", "pages", "passage_hashes", "similar"):
        one, two = (rows(tmp_path / name, f"SELECT * FROM {table} ORDER BY 1, 2") for name in ("one", "two"))
        assert one == two
    assert value(tmp_path / "two", "SELECT count(*) FROM revisions") > 20


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", "", "65"])
@pytest.mark.parametrize("words", [("rebuild",), ("reparse",), ("backfill", "--warc", "x.warc.gz")], ids=lambda w: w[0])
def test_bad_numbers_of_jobs_are_refused(tmp_path, words, jobs):
    found = vna("--archive", tmp_path, *words, "--jobs", jobs)
    assert (found.code, "--jobs" in found.err) == (2, True)


def test_jobs_of_a_backfill_need_a_file(tmp_path):
    found = vna("--archive", tmp_path, "backfill", "--jobs", "2")
    assert (found.code, "needs --warc" in found.err) == (2, True)
