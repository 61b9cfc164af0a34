"""Backups of real archives: whose they are, what they refuse to replace, and what they repair."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support import NOW, ROOT, FakeClock, configured, copy_archive, mounted, poll, value, vna, working
from test_archive_identity import without_identity
from test_upkeep import refused

from crawler import backup
from crawler.daemon.jobs import jobs
from crawler.errors import BackupFailed, OtherArchive
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.storage import FILE, open_archive, replace_db
from crawler.warc import WarcStore

SMALL = Options(sections=SECTIONS[:1], section_size=5, feed_size=5, home_size=5, no_samples=True)
WARC = "2026/11/vna-20261121-000.warc.gz"


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """The archive with WARC files of two days, the same archive two hours later, a day later, and another archive."""
    folder = tmp_path_factory.mktemp("states")
    clock = FakeClock()
    with mounted(clock, articles=4, options=SMALL) as site:
        for name, hours in (("first", 0), ("now", 24), ("later", 2), ("next day", 24)):
            clock.advance(hours=hours)
            site.fake_site.publish(1)
            poll(folder / "archive", clock, list_pages=1)
            copy_archive(folder / "archive", folder / name)
    clock = FakeClock()
    with mounted(clock, articles=4, options=SMALL):
        poll(folder / "other", clock, list_pages=1)
    return folder


@pytest.fixture
def polled(states):
    return states / "now"


@pytest.fixture
def archive(polled, tmp_path):
    return copy_archive(polled, tmp_path / "archive")


@pytest.fixture
def saved(archive, tmp_path):
    """A backup that includes the WARC files."""
    target = tmp_path / "backup"
    backup.back_up(archive, target, NOW, with_warc=True)
    return target


def run(archive, target, *options):
    return vna("--archive", archive, "backup", target, *options)


def report(archive, target, *options, code=0):
    outcome = run(archive, target, *options, "--json")
    assert outcome.code == code, outcome
    return json.loads(outcome.out)


def contents(folder):
    """Return the content of every file in a folder except the lock."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "backup.lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def identity_of(archive):
    return value(archive, "SELECT id FROM archive_identity")


def execute(archive, *statements):
    with open_archive(archive) as opened:
        opened.db.conn.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            opened.db.conn.execute(statement)
        opened.db.conn.commit()


@pytest.fixture
def grow(states):
    """Return a function that brings an archive to its state after one poll more, or a day later after two."""

    def grown(archive, state="later"):
        shutil.copytree(states / state, archive, dirs_exist_ok=True)

    return grown


def flip(file, at=1000):
    """Flip one bit of a file, and leave its size and time of change as they are."""
    stat = file.stat()
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def cut(file, count=1):
    file.write_bytes(file.read_bytes()[:-count])


def append(file, data=b"trash"):
    with file.open("ab") as opened:
        opened.write(data)


def drop_last_record(file):
    """Cut a file after the last record but one, to which no row refers: the result is a complete WARC file."""
    with WarcStore(file.parent) as store:
        last = list(store.scan(file.name))[-1]
    os.truncate(file, last.offset)


def rewrite(file):
    """Replace a file with a complete WARC file that has other bytes: its records are compressed in another way."""
    with WarcStore(file.parent) as store:
        members = [(m.offset, m.length) for m in store.scan(file.name)]
    data = file.read_bytes()
    file.write_bytes(b"".join(gzip.compress(gzip.decompress(data[o : o + n]), 1, mtime=0) for o, n in members))


# --- whose backup it is -----------------------------------------------------------------------------------------------


def as_older_version(folder):
    """Turn a backup into one of schema 3, which has no identity."""
    without_identity(folder / FILE)
    made = json.loads((folder / backup.MANIFEST).read_text())
    del made["identity"]
    for entry in made["warc"]:
        del entry["copied_bytes"], entry["damaged"]
    digest = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    made |= {"schema": 3, "database_sha256": digest, "database_bytes": (folder / FILE).stat().st_size}
    (folder / backup.MANIFEST).write_text(json.dumps(made))


def test_a_file_that_an_interrupted_backup_left_is_deleted(archive, saved):
    left = saved / "warc" / f"{WARC}.next"
    left.write_bytes(b"a part of a copy")
    backup.back_up(archive, saved, NOW, with_warc=True)
    assert not left.exists()


def test_a_file_that_an_older_version_listed_is_searched_for_damage_as_a_whole(archive, saved, grow):
    """Its manifest may list a part of a record, so that no record begins where it ends."""
    as_older_version(saved)
    made = json.loads((saved / backup.MANIFEST).read_text())
    for entry in made["warc"]:
        content = (archive / "warc" / entry["file"]).read_bytes()[: entry["bytes"] - 100]
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (saved / backup.MANIFEST).write_text(json.dumps(made))
    grow(archive)
    made = backup.back_up(archive, saved, NOW)
    assert made.damaged == ()
    assert [entry.bytes for entry in made.warc] == [(archive / "warc" / e.file).stat().st_size for e in made.warc]


def test_a_damaged_file_is_read_again_although_its_size_and_time_are_the_same(archive, tmp_path):
    """It may have been repaired by a program that keeps the time."""
    flip(archive / "warc" / WARC)
    assert backup.back_up(archive, tmp_path / "backup", NOW).damaged == (WARC,)
    flip(archive / "warc" / WARC)
    assert backup.back_up(archive, tmp_path / "backup", NOW).damaged == ()


def test_an_archive_with_a_damaged_search_index_is_backed_up(archive, tmp_path):
    """SQLite reports the damage from version 3.44 on. The index can be made again, from the copy too."""
    with closing(sqlite3.connect(archive / FILE)) as db:
        db.execute("DELETE FROM articles_fts_data WHERE id > 10")
        db.commit()
    backup.back_up(archive, tmp_path / "backup", NOW)
    verify = ("--archive", tmp_path / "backup", "verify")
    assert "damaged search index" in vna(*verify).out
    vna(*verify, "--reindex")
    assert "damaged search index" not in vna(*verify).out


@pytest.fixture
def other(states, tmp_path):
    """Another archive, polled at the same time from the same site."""
    return copy_archive(states / "other", tmp_path / "other")


@pytest.mark.parametrize("options", [(), ("--warc",), ("--replace",), ("--warc", "--replace")], ids=" ".join)
def test_the_backup_of_another_archive_is_refused(other, saved, options):
    before = contents(saved)
    refused(run(other, saved, *options), "another archive", identity_of(other), "new or empty folder")
    assert contents(saved) == before


@pytest.mark.parametrize("options", [(), ("--warc",), ("--replace",)], ids=" ".join)
def test_the_backup_of_another_archive_is_refused_without_identities(other, saved, options):
    as_older_version(saved)
    before = contents(saved)
    refused(run(other, saved, *options), "without identities", "new or empty folder")
    assert contents(saved) == before


def test_a_copied_archive_continues_the_backup(archive, saved, tmp_path, grow):
    moved = copy_archive(archive, tmp_path / "moved")
    grow(moved)
    assert report(moved, saved, "--warc")["copied"] == 1


@pytest.mark.parametrize("warc", [True, False], ids=["with WARC files", "without WARC files"])
def test_a_backup_of_an_older_version_gets_the_identity_if_the_contents_agree(archive, tmp_path, warc, grow):
    backup.back_up(archive, tmp_path / "b", NOW, with_warc=warc)
    as_older_version(tmp_path / "b")
    grow(archive)
    made = report(archive, tmp_path / "b", *(["--warc"] if warc else []))
    assert (
        made["identity"]
        == identity_of(archive)
        == json.loads((tmp_path / "b" / "manifest.json").read_text())["identity"]
    )
    assert made["repaired"] == made["refused"] == {}


def test_a_backup_of_an_older_version_with_imported_texts_only(tmp_path):
    seeds = sorted((ROOT / "seeds").glob("*.txt"))
    for name, texts in (("one", seeds[:2]), ("two", seeds[2:4])):
        assert vna("--archive", tmp_path / name, "import", *texts).code == 0
    shutil.rmtree(tmp_path / "one" / "warc")  # as version 0.1, which archived no imported texts
    execute(
        tmp_path / "one", "UPDATE articles SET raw_id = NULL", "UPDATE revisions SET raw_id = NULL", "DELETE FROM raw"
    )
    backup.back_up(tmp_path / "one", tmp_path / "b", NOW)
    as_older_version(tmp_path / "b")
    refused(run(tmp_path / "two", tmp_path / "b"), "without identities")
    assert report(tmp_path / "one", tmp_path / "b")["identity"] == identity_of(tmp_path / "one")


def test_an_archive_can_be_backed_up_before_its_upgrade(archive, saved):
    """`vna backup` does not upgrade the database, so that an upgrade can be undone."""
    as_older_version(saved)
    shutil.copy(saved / FILE, archive / FILE)
    assert report(archive, saved)["identity"] is None
    with closing(sqlite3.connect(archive / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_damaged_database_without_identity_proves_nothing(other, saved):
    as_older_version(saved)
    (saved / FILE).write_bytes(b"x" * 5000)
    refused(run(other, saved, "--warc"), "without identities")


# --- which folder -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "archive",
        "archive/backup",
        "archive/warc",
        "archive/warc/backup",
        ".",
        "link",
        "link/backup",
        "archive/../archive/b",
    ],
)
def test_a_backup_inside_the_archive_or_around_it_is_refused(archive, tmp_path, place):
    (tmp_path / "link").symlink_to(archive)
    before = contents(archive)
    refused(run(archive, tmp_path / place), "archive", "another disk")
    assert contents(archive) == before
    assert not (archive / "backup").exists()


def test_an_archive_inside_the_backup_is_refused(archive, saved):
    inner = archive.rename(saved / "archive")
    refused(run(inner, saved), "another disk")


def test_warc_files_on_another_disk_are_part_of_the_archive(archive, tmp_path):
    (archive / "warc").rename(tmp_path / "disk")
    (archive / "warc").symlink_to(tmp_path / "disk")
    refused(run(archive, tmp_path / "disk" / "backup"), "another disk")
    assert report(archive, tmp_path / "b", "--warc")["copied"] == 2


@pytest.mark.parametrize("name", [FILE, "manifest.json", "warc", "warc/2026", f"warc/{WARC}", "backup.lock"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_links_and_special_files_in_a_backup_are_refused(archive, saved, tmp_path, name, kind):
    path = saved / name
    elsewhere = path.rename(tmp_path / "elsewhere")
    if kind == "link":
        path.symlink_to(elsewhere)
    else:
        os.mkfifo(path)
    before = contents(tmp_path)
    refused(run(archive, saved, "--warc"), path.name)
    if name != "backup.lock":
        refused(vna("--archive", tmp_path / "back", "restore", saved), path.name)
        assert not (tmp_path / "back").exists()
    assert {k: v for k, v in contents(tmp_path).items() if "next" not in k} == before


# --- a database that has lost rows ------------------------------------------------------------------------------------

#: Statements by the table that has lost rows; a changed digest is a lost row and another one.
LOSSES = {
    "articles": ("DELETE FROM articles WHERE id = (SELECT max(id) FROM articles)",),
    "revisions": ("DELETE FROM revisions WHERE article = (SELECT max(article) FROM revisions)",),
    "raw": ("DELETE FROM raw WHERE id = (SELECT max(id) FROM raw)",),
    "raw ": ("UPDATE raw SET digest = 'sha256:A' WHERE id = 3",),
    "pages": ("DELETE FROM pages WHERE id = (SELECT max(id) FROM pages)",),
    "runs": ("DELETE FROM runs",),
    "fetches": ("DELETE FROM fetches WHERE id % 2",),
}


@pytest.mark.parametrize("table", LOSSES)
def test_a_database_that_lost_rows_replaces_the_backup_only_with_an_option(archive, saved, table):
    execute(archive, *LOSSES[table])
    before = contents(saved)
    refused(run(archive, saved, "--warc"), f"{table.strip()}: ", "--replace", "restore")
    assert contents(saved) == before
    assert run(archive, saved, "--replace").code == 0
    (kept,) = saved.glob(f"{FILE}.replaced-*Z")
    assert kept.read_bytes() == before[FILE]
    assert (saved / FILE).read_bytes() != before[FILE]
    assert run(archive, saved, "--warc").code == 0


def test_a_new_article_does_not_hide_a_lost_one(archive, saved, grow):
    lost = value(saved, "SELECT max(id) FROM articles")
    grow(archive, "next day")
    execute(archive, f"DELETE FROM articles WHERE id = {lost}")
    refused(run(archive, saved), f"articles: 1 ({lost})")


def test_an_empty_archive_does_not_replace_a_backup(archive, saved):
    """The database was lost, and a command created a new one with the identity in the WARC files."""
    (archive / FILE).unlink()
    with working(archive, FakeClock()):
        pass
    refused(run(archive, saved), "has lost rows")


def test_a_damaged_database_in_the_backup_is_replaced_and_named(archive, saved):
    flip(saved / FILE, 5000)
    assert report(archive, saved)["repaired"] == {FILE: "different"}
    (saved / FILE).unlink()
    assert report(archive, saved)["repaired"] == {FILE: "missing"}
    assert report(archive, saved)["repaired"] == {}


def test_without_the_earlier_database_its_articles_in_the_manifest_are_compared(archive, saved):
    (saved / FILE).unlink()
    execute(archive, *LOSSES["articles"])
    refused(run(archive, saved), "articles: 1")


# --- WARC files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("warc", [True, False], ids=["with WARC files", "without WARC files"])
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (drop_last_record, "shorter"),
        (flip, "different"),
        (lambda file: flip(file, -50), "different"),
        (lambda file: (flip(file), os.utime(file)), "different"),
        (rewrite, "different"),
        (Path.unlink, "missing"),
        (lambda file: file.write_bytes(b""), "shorter"),
        (lambda file: file.write_bytes(bytes(file.stat().st_size)), "different"),
    ],
    ids=["last record cut", "flipped bit", "flipped bit at the end", "flipped bit and later time", "rewritten", "missing",
         "empty", "zeros"],
)  # fmt: skip
def test_a_damaged_file_never_replaces_the_good_copy(archive, saved, change, fault, warc, grow):
    """Everything else is backed up, and the manifest keeps the digest of the good copy."""
    good, entries = contents(saved), json.loads((saved / backup.MANIFEST).read_text())["warc"]
    grow(archive, "next day")
    file = archive / "warc" / WARC
    change(file)
    if file.exists() and not warc:
        os.utime(file)  # without --warc, only files with another size or time are read
    for _ in range(2):
        made = report(archive, saved, *(["--warc"] if warc else []), code=5)
        assert made["refused"] == {WARC: fault}
        assert (saved / "warc" / WARC).read_bytes() == good[f"warc/{WARC}"]
        assert entries[0] in made["warc"]
        assert len(made["warc"]) == 3
    assert "vna verify" in run(archive, saved, "--warc").err
    shutil.copy(saved / "warc" / WARC, file)
    assert report(archive, saved, "--warc")["refused"] == {}


def test_a_damaged_file_that_has_grown_is_refused(archive, saved, grow):
    last = "2026/11/vna-20261122-000.warc.gz"
    good = (saved / "warc" / last).read_bytes()
    grow(archive)
    flip(archive / "warc" / last, 2000)
    assert (archive / "warc" / last).stat().st_size > len(good)
    assert report(archive, saved, "--warc", code=5)["refused"] == {last: "different"}
    assert (saved / "warc" / last).read_bytes() == good


def test_damage_in_the_new_part_of_a_file_is_named(archive, saved, grow):
    """The good beginning stays in the copy; when the file is repaired, the copy is, too."""
    last = archive / "warc" / "2026/11/vna-20261122-000.warc.gz"
    start = last.stat().st_size
    grow(archive)
    good = last.read_bytes()
    flip(last, start + 100)
    for _ in range(2):
        assert report(archive, saved, "--warc", code=5)["damaged"] == ["2026/11/vna-20261122-000.warc.gz"]
    last.write_bytes(good)
    made = report(archive, saved, "--warc")
    assert (made["damaged"], made["repaired"]) == ([], {"2026/11/vna-20261122-000.warc.gz": "damaged"})
    assert (saved / "warc" / "2026/11/vna-20261122-000.warc.gz").read_bytes() == good


def test_damage_in_the_last_record_is_not_taken_for_an_incomplete_record(archive, saved, grow):
    """A row refers to the record, so no crash left it."""
    name = "2026/11/vna-20261122-000.warc.gz"
    grow(archive)
    flip(archive / "warc" / name, value(archive, "SELECT max(offset) FROM raw WHERE file = ?", name) + 100)
    drop_last_record(archive / "warc" / name)
    assert report(archive, saved, "--warc", code=5)["damaged"] == [name]


@pytest.mark.parametrize("name", ["a\nb.warc.gz", "2026/11/VNA-20261121-000.warc.gz", "a\\b.warc.gz"])
def test_a_name_that_cannot_be_restored_is_refused(archive, saved, name):
    before = contents(saved)
    shutil.copy(archive / "warc" / WARC, archive / "warc" / name)
    refused(run(archive, saved, "--warc"), repr(name), "rename")
    assert contents(saved) == before


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (flip, "different"),
        (lambda file: flip(file, -50), "different"),
        (lambda file: cut(file, 500), "shorter"),
        (append, "different"),
        (Path.unlink, "missing"),
        (lambda file: file.write_bytes(b""), "shorter"),
        (lambda file: file.write_bytes(b"x" * file.stat().st_size), "different"),
        (rewrite, "different"),
    ],
    ids=["flipped bit", "flipped bit at the end", "truncated", "trash behind it", "missing", "empty", "garbage", "rewritten"],
)  # fmt: skip
@pytest.mark.parametrize("grown", [False, True], ids=["unchanged", "grown"])
def test_a_damaged_copy_is_repaired_and_named(archive, saved, change, fault, grown, grow):
    name = "2026/11/vna-20261122-000.warc.gz"
    change(saved / "warc" / name)
    if grown:
        grow(archive)
    made = report(archive, saved, "--warc")
    assert made["repaired"] == {name: fault}
    assert (saved / "warc" / name).read_bytes() == (archive / "warc" / name).read_bytes()
    assert report(archive, saved, "--warc")["repaired"] == {}


def test_a_copy_that_is_older_than_the_manifest_is_not_damaged(archive, saved, grow):
    """Backups without --warc list the longer file, but do not copy it."""
    grow(archive)
    assert report(archive, saved)["repaired"] == {}
    made = report(archive, saved, "--warc")
    assert (made["copied"], made["repaired"], made["refused"]) == (1, {}, {})
    assert contents(saved / "warc") == contents(archive / "warc")


def test_if_both_are_damaged_nothing_is_overwritten(archive, saved):
    flip(archive / "warc" / WARC)
    flip(saved / "warc" / WARC, 2000)
    before = (saved / "warc" / WARC).read_bytes()
    assert report(archive, saved, "--warc", code=5)["refused"] == {WARC: "different"}
    assert (saved / "warc" / WARC).read_bytes() == before


def test_a_copy_that_has_more_records_is_kept(archive, saved, grow):
    """A backup was killed after it had copied a file; then the archive lost its last record."""
    newer = copy_archive(archive, archive.with_name("newer"))
    grow(newer)
    name = "2026/11/vna-20261122-000.warc.gz"
    shutil.copy(newer / "warc" / name, saved / "warc" / name)
    before = (saved / "warc" / name).read_bytes()
    assert report(archive, saved, "--warc", code=5)["refused"] == {name: "shorter"}
    assert (saved / "warc" / name).read_bytes() == before
    assert report(newer, saved, "--warc")["refused"] == {}


def test_the_tail_that_a_crash_left_is_not_backed_up(archive, saved):
    """The next poll cuts it off; without this, the file would then differ from the backup."""
    name = "2026/11/vna-20261122-000.warc.gz"
    record = (archive / "warc" / name).read_bytes()[:3000]
    append(archive / "warc" / name, record[:200])
    assert report(archive, saved, "--warc")["copied"] == 0
    clock = FakeClock()
    clock.advance(days=1, hours=2)
    with mounted(clock, articles=4, options=SMALL):
        poll(archive, clock, list_pages=1)
    made = report(archive, saved, "--warc")
    assert (made["copied"], made["refused"]) == (1, {})


@pytest.mark.parametrize("change", [flip, drop_last_record, Path.unlink], ids=["flipped bit", "shorter", "missing"])
def test_replace_keeps_the_earlier_copy_under_another_name(archive, saved, change):
    good = (saved / "warc" / WARC).read_bytes()
    change(archive / "warc" / WARC)
    if change is Path.unlink:
        execute(archive, f"DELETE FROM raw WHERE file = '{WARC}'")
    made = report(archive, saved, "--warc", "--replace")
    assert made["refused"] == {}
    if change is Path.unlink:
        assert (saved / "warc" / WARC).read_bytes() == good
        return
    (kept,) = (saved / "warc").rglob("*.replaced-*Z")
    assert kept.read_bytes() == good
    assert (saved / "warc" / WARC).read_bytes() == (archive / "warc" / WARC).read_bytes()
    assert report(archive, saved, "--warc")["copied"] == 0
    assert list((saved / "warc").rglob("*.next")) == []


def test_replace_without_warc_keeps_the_earlier_copy_too(archive, saved):
    good = (saved / "warc" / WARC).read_bytes()
    flip(archive / "warc" / WARC)
    os.utime(archive / "warc" / WARC)
    assert report(archive, saved, "--replace")["refused"] == {}
    assert report(archive, saved, "--warc")["copied"] == 1
    (kept,) = (saved / "warc").rglob("*.replaced-*Z")
    assert kept.read_bytes() == good


def test_a_first_backup_of_a_damaged_file_names_it(archive, tmp_path):
    flip(archive / "warc" / WARC, 5000)
    assert report(archive, tmp_path / "b", "--warc", code=5)["damaged"] == [WARC]
    assert (tmp_path / "b" / "warc" / WARC).read_bytes() == (archive / "warc" / WARC).read_bytes()
    done = vna("--archive", tmp_path / "back", "restore", tmp_path / "b")
    assert (done.code, f"damaged: {WARC}" in done.out) == (5, True)


# --- the job of the service -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "ok"),
    [
        (lambda file: None, True),
        (lambda file: (flip(file), os.utime(file)), False),
        (drop_last_record, False),
        (Path.unlink, False),
    ],
    ids=["nothing", "flipped bit", "shorter", "missing"],
)
def test_the_job_reports_what_the_command_refuses(archive, saved, change, ok):
    before = (saved / "warc" / WARC).read_bytes()
    change(archive / "warc" / WARC)
    (job,) = (job for job in jobs(configured(archive, backup=saved)) if job.name == "backup")
    with working(archive, FakeClock()) as context:
        done = job.work(context)
    assert done.ok is ok
    assert (WARC in done.outcome) is not ok
    assert (saved / "warc" / WARC).read_bytes() == before


def test_the_job_refuses_the_backup_of_another_archive_and_lost_rows(archive, other, saved):
    for folder, statements, error in ((other, (), OtherArchive), (archive, LOSSES["articles"], BackupFailed)):
        execute(folder, *statements)
        (job,) = (job for job in jobs(configured(folder, backup=saved)) if job.name == "backup")
        with working(folder, FakeClock()) as context, pytest.raises(error):
            job.work(context)


# --- at the same time -------------------------------------------------------------------------------------------------


def test_a_backup_while_a_rebuild_replaces_the_database(archive, tmp_path, monkeypatch):
    """The archive has a database at every moment."""
    fresh = Path(shutil.copy(archive / FILE, tmp_path / "fresh.db"))
    replace, made = Path.replace, []

    def observed(path, target):
        if target == archive / FILE:
            made.append(backup.back_up(archive, tmp_path / "b", NOW, with_warc=True))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", observed)
    renamed = replace_db.replace_database(fresh, archive, "1")
    assert [done.identity for done in made] == [identity_of(archive)]
    assert (renamed.exists(), fresh.exists(), (archive / FILE).stat().st_nlink) == (True, False, 1)


def test_a_replaced_database_without_hard_links(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(PermissionError()))
    fresh = Path(shutil.copy(archive / FILE, tmp_path / "fresh.db"))
    before = (archive / FILE).read_bytes()
    assert replace_db.replace_database(fresh, archive, "1").read_bytes() == before
    assert identity_of(archive)
