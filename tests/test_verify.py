"""`vna verify` reports every kind of damage with advice, and nothing for an intact archive."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from support import (
    SITE,
    FakeClock,
    RecordedProgress,
    fetched,
    mounted_small,
    poll,
    random_bytes,
    rows,
    value,
    vna,
    working,
)

from crawler import replay
from crawler.storage import FILE, open_archive
from crawler.warc import WarcStore, repair_tail

DAYS = ("2026/11/vna-20261121-000.warc.gz", "2026/11/vna-20261122-000.warc.gz")


@pytest.fixture(scope="module")
def intact_archive(tmp_path_factory):
    """An archive of two days, for the tests to copy and damage."""
    folder, clock = tmp_path_factory.mktemp("intact") / "archive", FakeClock()
    with mounted_small(clock, no_api=True) as site:
        for post_id in site.fake_site.ids()[8:]:
            site.fake_site.unpublish(post_id)
        poll(folder, clock)
        site.fake_site.publish(2)
        clock.advance(days=1)
        poll(folder, clock)
    assert WarcStore(folder / "warc").names() == list(DAYS)
    return folder


@pytest.fixture
def archive(intact_archive, tmp_path):
    return shutil.copytree(intact_archive, tmp_path / "archive")


def verified(folder, **options):
    with open_archive(folder) as opened, WarcStore(folder / "warc") as warc:
        return replay.verify(opened, warc, RecordedProgress(), **options)


def change(folder, *statements):
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        for sql in statements:
            db.execute(sql)


def place(folder, table="articles", number=0):
    """Return file, offset and length of the capture of an article."""
    sql = f"SELECT r.file, r.offset, r.length FROM raw r JOIN {table} t ON t.raw_id = r.id ORDER BY t.id LIMIT 1 OFFSET {number}"
    (row,) = rows(folder, sql)
    return folder / "warc" / row["file"], row["offset"], row["length"]


def flip(folder):
    path, offset, length = place(folder)
    data = bytearray(path.read_bytes())
    data[offset + length // 2] ^= 0xFF
    path.write_bytes(data)


def cut(folder, before=0):
    """Cut off the last record of a file; the first `before` bytes of the record stay."""
    path = folder / "warc" / DAYS[1]
    last = value(folder, "SELECT max(offset) FROM raw WHERE file = ?", DAYS[1])
    path.write_bytes(path.read_bytes()[: last + before])


def torn(folder):
    with (folder / "warc" / DAYS[1]).open("ab") as file:
        file.write(b"\x1f\x8b\x08\x00half a record")


def behind(folder):
    """Append a capture without a row, as a crash after the WARC write leaves it."""
    with WarcStore(folder / "warc") as store:
        store.append(fetched(url=f"{SITE}/late.vnp", fetched_at=FakeClock().now()), "page:1")


def exchanged(folder):
    """Replace a record with another one."""
    path, offset, length = place(folder)
    other = WarcStore(folder / "warc")
    with other:
        ref = other.append(fetched(random_bytes(300), fetched_at=FakeClock().now()), "page:1")
    data = path.read_bytes()
    path.write_bytes(data[:offset] + data[ref.offset : ref.offset + ref.length] + data[offset + length :])


BREAK_INDEX = "DELETE FROM articles_fts_data WHERE id > 10"
SITUATIONS = {
    "a flipped byte": (flip, "damaged record", DAYS[0], "evidence of 1 article", "backup"),
    "a tail cut off": (lambda f: cut(f, 99), "damaged record", DAYS[1], "1 rows", "backup"),
    "a record cut off": (cut, "rows without a record", DAYS[1], "1 rows refer to bytes where no record begins", "backup"),
    "a torn tail": (torn, "torn tail", DAYS[1], "left by a crash", "next `vna poll`"),
    "a file deleted": (lambda f: (f / "warc" / DAYS[1]).unlink(), "missing file", DAYS[1], "records, evidence of", "backup"),
    "a row deleted": ("DELETE FROM raw WHERE purpose = 'robots' AND id < 10", "records without a row", DAYS[0], "1 records", "vna rebuild"),
    "a capture without a row at the end": (behind, "captures not ingested", DAYS[0], "1 responses", "next `vna poll`"),
    "a digest that differs": ("UPDATE raw SET digest = 'sha256:x' WHERE id = 5", "damaged record", DAYS[0], "digest differ", "backup"),
    "an address that differs": ("UPDATE raw SET url = 'x', status = 1 WHERE id = 5", "damaged record", DAYS[0], "address and status differ", "backup"),
    "another record": (exchanged, "damaged record", DAYS[0], "differ from the row", "backup"),
    "a row with a wrong offset": ("UPDATE raw SET offset = offset + 1 WHERE id = 5", "rows without a record", DAYS[0], "1 rows refer", "backup"),
    "an article without evidence": ("UPDATE articles SET raw_id = NULL WHERE id > 0", "articles without evidence", "articles", "articles: ", "import"),
    "a reference to a missing row": ("UPDATE pages SET raw_id = 99999 WHERE id = (SELECT max(id) FROM pages)", "broken references", "pages", "1 rows refer", "rebuild --replace"),
    "a missing revision": ("UPDATE revisions SET revision = 2 WHERE article = (SELECT max(id) FROM articles)", "revisions out of order", "revisions", "1 articles", "vna rebuild"),
    "an article missing from the search index": ("DELETE FROM articles_folded WHERE id = (SELECT max(id) FROM articles)", "articles missing from the search index", "articles_folded", "1 articles", "rebuild"),
    "a damaged search index": (BREAK_INDEX, "damaged search index", "articles_fts", "malformed|corruption", "--reindex"),  # depends on the version of SQLite
}  # fmt: skip

ALSO = {
    "another record": {"unpaired record", "captures not ingested", "rows without a record", "records without a row"},
    "a row with a wrong offset": {"records without a row"},
}


def test_an_intact_archive_has_no_faults(archive):
    found = verified(archive)
    assert found.faults == []
    assert (found.files, found.finished) == (2, True)
    assert found.rows == found.records == value(archive, "SELECT count(*) FROM raw")


@pytest.mark.parametrize(("at", "has_fault"), [("2026-11-20T23:59:59Z", False), ("2026-11-19T23:59:59Z", True)])
def test_the_record_of_a_request_at_midnight_may_be_in_the_file_of_the_next_day(archive, at, has_fault):
    change(archive, f"UPDATE fetches SET at = '{at}' WHERE id = (SELECT max(id) FROM fetches)")
    assert [fault.where for fault in verified(archive).faults] == [at[:10]] * has_fault


def test_a_request_that_a_crash_cut_off_is_no_fault(archive):
    """The response before it is intact. The part of the request is saved next to the file."""
    path = archive / "warc" / DAYS[1]
    end = value(archive, "SELECT max(offset + length) FROM raw WHERE file = ?", DAYS[1])
    path.write_bytes(path.read_bytes()[: end + 20])
    repair_tail(path, end)
    assert verified(archive).faults == []


@pytest.mark.parametrize("situation", SITUATIONS)
def test_damage_is_reported(archive, situation):
    damage, what, where, detail, advice = SITUATIONS[situation]
    change(archive, damage) if isinstance(damage, str) else damage(archive)
    faults = verified(archive).faults
    assert what in [fault.what for fault in faults], faults
    fault = next(fault for fault in faults if fault.what == what)
    assert where in fault.where
    assert any(part in fault.detail for part in detail.split("|"))
    assert advice in fault.advice
    assert {f.what for f in faults} - {what} <= ALSO.get(situation, set())


def test_a_damaged_database_is_reported(archive):
    change(archive, "PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray((archive / FILE).read_bytes())
    root = value(archive, "SELECT rootpage FROM sqlite_master WHERE name = 'articles'")
    data[(root - 1) * 4096 + 8 : (root - 1) * 4096 + 60] = bytes(52)
    (archive / FILE).write_bytes(data)
    (fault, *others) = verified(archive).faults
    assert (fault.what, "rebuild --replace" in fault.advice, others) == ("damaged database", True, [])


def test_records_after_a_damaged_one_are_still_checked(archive):
    flip(archive)
    whole = verified(archive)
    assert whole.records == whole.rows - 1 == value(archive, "SELECT count(*) FROM raw") - 1


def test_since_limits_the_check_to_later_files(archive):
    flip(archive)
    found = verified(archive, since="20261122")
    assert (found.files, found.faults) == (1, [])
    assert len(verified(archive, since="20261121").faults) == 1


@pytest.mark.parametrize(("sample", "shift"), [(1, 0), (7, 3), (10_000, 0)])
def test_a_sample_checks_about_that_many_captures(archive, sample, shift):
    total = value(archive, "SELECT count(*) FROM raw")
    found = verified(archive, sample=sample, shift=shift)
    assert found.faults == []
    assert min(sample, total) <= found.rows <= min(2 * sample, total)


def test_daily_samples_find_damage_within_days(archive):
    flip(archive)
    total = value(archive, "SELECT count(*) FROM raw")
    found = [verified(archive, sample=total // 4, shift=day) for day in range(5)]
    assert [len(f.faults) for f in found].count(1) >= 1


def test_the_samples_of_consecutive_days_cover_every_row_once(tmp_path):
    """Each sample is larger than the batch in which rows are read."""
    with open_archive(tmp_path) as archive, archive.transaction():
        sql = """INSERT INTO raw (id, url, fetched_at, status, file, offset, length, digest)
                 VALUES (?, '', '', 200, 'f', ?, 1, '')"""
        archive.db.conn.executemany(sql, ((number, number) for number in range(1, 2600)))
        samples = [archive.raw_spread(2599 // 4, shift) for shift in range(4)]
        ids = [[row.id for row in found] for _, found in samples]
    assert [count for count, _ in samples] == [len(one) for one in ids] == [649, 650, 650, 650]
    assert all(one == sorted(one) for one in ids)
    assert sorted(itertools.chain(*ids)) == list(range(1, 2600))


def test_a_sample_of_an_empty_archive_is_empty(tmp_path):
    with open_archive(tmp_path) as archive:
        count, found = archive.raw_spread(10, 3)
        assert (count, list(found)) == (0, [])


@pytest.mark.parametrize("calls", [0, 1, 30])
def test_the_check_can_be_stopped(archive, calls):
    left = iter([False] * calls)
    found = verified(archive, stopping=lambda: next(left, True))
    assert (found.finished, found.faults) == (False, [])
    left = iter([False] * calls)
    assert not verified(archive, sample=100, stopping=lambda: next(left, True)).finished


def test_captures_that_another_process_is_writing_are_ignored(archive):
    with working(archive, FakeClock()) as context:
        context.warc.append(fetched(url=f"{SITE}/late.vnp"), "page:1")
        assert verified(archive).faults == []
    assert [fault.what for fault in verified(archive).faults] == ["captures not ingested"]


def test_records_that_are_appended_during_the_check_are_ignored(archive):
    class Growing(WarcStore):
        def scan(self, name, start=0):
            with WarcStore(archive / "warc") as other:
                other.append(fetched(), "page:1")  # of the day of the first file
            return super().scan(name, start)

    with open_archive(archive) as opened, Growing(archive / "warc") as warc:
        assert replay.verify(opened, warc, RecordedProgress(), since="20261121").faults == []


def test_records_written_by_version_0_1_need_no_row(archive):
    with WarcStore(archive / "warc") as store:
        store.append(fetched(url=f"{SITE}/"))
    assert verified(archive).faults == []


def command(archive, *words):
    return vna("--archive", archive, "--site", SITE, "verify", *words)


def test_the_verify_command(archive):
    done = command(archive)
    assert (done.code, "0 faults" in done.out) == (0, True)
    flip(archive)
    change(archive, BREAK_INDEX)
    done = command(archive, "--json")
    found = json.loads(done.out)
    assert (done.code, found["finished"]) == (5, True)
    whats = [fault["what"] for fault in found["faults"]]
    assert whats[:2] == ["damaged search index", "damaged record"]
    assert set(whats[2:]) == {"rows that depend on damaged evidence"}
    done = command(archive, "--reindex")
    assert (done.code, "damaged search index" in done.out, DAYS[0] in done.out) == (5, False, True)
    assert command(archive, "--since", "2026-11-22").code == 0
    assert command(archive, "--sample", "5").code in (0, 5)
    assert command(archive, "--since", "Tuesday").code == 1
    assert command(archive.parent / "none").code == 1
    assert not (archive.parent / "none").exists()
