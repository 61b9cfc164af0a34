"""Backup and restore of real archives, and the files of a new installation."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import sys

import pytest
from support import (
    NOW,
    ROOT,
    FakeClock,
    assert_intact,
    copy_archive,
    mounted_small,
    poll,
    rows,
    value,
    vna,
    working,
)

from crawler import backup, config, installation
from crawler.errors import Interrupted
from crawler.storage import FILE
from crawler.storage.backup_db import copy_database
from crawler.warc import WarcStore


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    archive = tmp_path_factory.mktemp("polled") / "archive"
    clock = FakeClock()
    with mounted_small(clock):
        poll(archive, clock)
    return archive


@pytest.fixture
def archive(polled, tmp_path):
    return copy_archive(polled, tmp_path / "archive")


@pytest.fixture
def copy(archive, tmp_path):
    """A backup that includes the WARC files."""
    target = tmp_path / "backup"
    backup.back_up(archive, target, NOW, with_warc=True)
    return target


def refused(outcome, *words):
    assert outcome.code == 1, outcome
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    for word in (*words, "hint:"):
        assert word in outcome.err


# --- backup -----------------------------------------------------------------------------------------------------------


def test_a_restored_backup_equals_the_archive(archive, copy, tmp_path):
    back = tmp_path / "back"
    done = vna("--archive", back, "restore", copy, "--json")
    assert done.code == 0, done
    assert json.loads(done.out)["wrong"] == {}
    assert json.loads(done.out)["articles"] == value(archive, "SELECT count(*) FROM articles") > 0
    assert_intact(back)
    dump = [sqlite_dump(folder / FILE) for folder in (archive, back)]
    assert dump[0] == dump[1]


def sqlite_dump(file):
    program = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).iterdump(), sep='\\n')"
    return subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, check=True).stdout


def test_a_backup_without_warc_files_lists_the_files_to_copy(archive, tmp_path):
    done = vna("--archive", archive, "backup", tmp_path / "b", "--json")
    assert done.code == 0
    listed = json.loads(done.out)["warc"]
    assert [entry["file"] for entry in listed] == ["2026/11/vna-20261121-000.warc.gz"]
    assert not (tmp_path / "b" / "warc").exists()
    back = tmp_path / "back"
    done = vna("--archive", back, "restore", tmp_path / "b")
    assert done.code == 5
    assert "missing: 2026/11/vna-20261121-000.warc.gz" in done.out
    assert "vna verify" in done.err
    assert value(back, "SELECT count(*) FROM articles") > 0


def test_existing_warc_files_are_checked_against_the_manifest(archive, copy, tmp_path):
    back = tmp_path / "back"
    shutil.copytree(archive / "warc", back / "warc")
    (file,) = (back / "warc").rglob("*.warc.gz")
    damaged = bytearray(file.read_bytes())
    damaged[1000] ^= 1
    file.write_bytes(damaged)
    done = vna("--archive", back, "restore", copy)
    assert done.code == 5
    assert "different: 2026/11" in done.out


def test_a_backup_is_consistent_while_another_process_writes(archive, tmp_path):
    """An open transaction is not in the backup, and can be committed afterwards."""
    clock = FakeClock(NOW)
    with working(archive, clock) as context, context.archive.transaction():
        context.archive.db.execute("UPDATE articles SET title = 'half done'")
        made = backup.back_up(archive, tmp_path / "b", NOW)
    assert made.articles > 0
    assert value(tmp_path / "b", "SELECT count(*) FROM articles WHERE title = 'half done'") == 0
    assert value(archive, "SELECT count(*) FROM articles WHERE title = 'half done'") > 0


def test_a_second_backup_copies_only_new_files(archive, copy):
    clock = FakeClock(NOW)
    clock.advance(days=1)
    before = {path: path.stat().st_ino for path in copy.rglob("*.warc.gz")}
    with mounted_small(clock) as site:
        site.fake_site.publish(1)
        poll(archive, clock)
    again = backup.back_up(archive, copy, clock.now(), with_warc=True)
    assert again.copied == 1
    assert len(again.warc) == 2
    assert {path: path.stat().st_ino for path in before} == before
    assert value(copy, "SELECT count(*) FROM articles") == value(archive, "SELECT count(*) FROM articles")


def test_a_file_that_has_grown_is_copied_again(archive, copy):
    clock = FakeClock(NOW)
    clock.advance(hours=2)
    with mounted_small(clock) as site:
        site.fake_site.publish(1)
        poll(archive, clock)
    assert backup.back_up(archive, copy, clock.now(), with_warc=True).copied == 1
    with WarcStore(copy / "warc") as copied_files, WarcStore(archive / "warc") as files:
        assert [r.ref for r in copied_files.records()] == [r.ref for r in files.records()]


def test_missing_warc_files_are_noticed_before_the_manifest_is_written(archive, tmp_path):
    (file,) = (archive / "warc").rglob("*.warc.gz")
    file.unlink()
    refused(vna("--archive", archive, "backup", tmp_path / "b"), "missing", file.name, "vna verify")
    assert not (tmp_path / "b" / backup.MANIFEST).exists()


@pytest.mark.parametrize("what", ["a file", "a folder with other files"])
def test_a_target_with_other_files_is_refused(archive, tmp_path, what):
    target = tmp_path / "target"
    if what == "a file":
        target.write_text("letters")
    else:
        target.mkdir()
        (target / "letters.txt").write_text("letters")
    refused(vna("--archive", archive, "backup", target), "not a backup", "empty folder")
    assert [p.name for p in tmp_path.rglob("*") if "vna.db" in p.name and target in p.parents] == []


def test_a_backup_that_is_stopped_leaves_the_old_one_unchanged(archive, copy, tmp_path):
    """At any moment: while pages are copied or checked, or while digests are computed."""
    with working(archive, FakeClock(NOW)) as context, context.archive.transaction():
        context.archive.db.execute("UPDATE articles SET title = 'newer'")
    checks, finished = 0, False  # the number of stop checks before the stop
    while not finished:
        answers = iter([False] * checks)
        try:
            backup.back_up(archive, copy, NOW, with_warc=True, stopping=lambda answers=answers: next(answers, True))
            finished = True
        except Interrupted:
            checks += 1
            assert not (copy / "vna.db.next").exists()
            assert backup.restore(copy, tmp_path / str(checks)).wrong == {}
            assert value(copy, "SELECT count(*) FROM articles WHERE title = 'newer'") == 0
    assert checks >= 3
    assert value(copy, "SELECT count(*) FROM articles WHERE title <> 'newer'") == 0


def test_writes_between_two_batches_of_a_copy(archive, tmp_path, monkeypatch):
    """The copy is a snapshot of one moment, and does not start again."""
    monkeypatch.setattr("crawler.storage.backup_db._BATCH", 16)
    batches = 0
    with working(archive, FakeClock(NOW)) as context:

        def write_concurrently():
            nonlocal batches
            batches += 1
            with context.archive.transaction():
                context.archive.db.execute("UPDATE articles SET title = title || ?", [f" {batches}"])
            return batches > 500  # a copy that starts again after each write would never end

        before = [row["title"] for row in rows(archive, "SELECT title FROM articles ORDER BY id")]
        copy_database(archive / FILE, tmp_path / "copy" / FILE, write_concurrently)
    assert [row["title"] for row in rows(tmp_path / "copy", "SELECT title FROM articles ORDER BY id")] == before
    assert batches > 5


def undo_second_rename(copy, older):
    """Leave the files of a backup that was killed between its renames: the new database, the old manifest or none."""
    (copy / backup.MANIFEST).rename(copy / "manifest.json.next")
    if older is not None:
        (copy / backup.MANIFEST).write_text(older)


@pytest.mark.parametrize("first", [True, False], ids=["first backup", "later backup"])
def test_a_backup_that_was_killed_between_its_renames_can_be_restored(archive, copy, tmp_path, first):
    older = None if first else (copy / backup.MANIFEST).read_text()
    with working(archive, FakeClock(NOW)) as context, context.archive.transaction():
        context.archive.db.execute("UPDATE articles SET title = 'newer'")
    backup.back_up(archive, copy, NOW, with_warc=True)
    undo_second_rename(copy, older)
    assert backup.restore(copy, tmp_path / "back").wrong == {}
    assert value(tmp_path / "back", "SELECT count(*) FROM articles WHERE title <> 'newer'") == 0
    assert backup.back_up(archive, copy, NOW, with_warc=True).copied == 0
    assert not (copy / "manifest.json.next").exists()


def test_an_incomplete_new_manifest_does_not_affect_the_old_backup(archive, copy, tmp_path):
    """The disk was full, or the process was killed, while the manifest was being written."""
    (copy / "manifest.json.next").write_text((copy / backup.MANIFEST).read_text()[:100])
    assert backup.restore(copy, tmp_path / "back").wrong == {}
    assert backup.back_up(archive, copy, NOW, with_warc=True).copied == 0
    assert not (copy / "manifest.json.next").exists()


@pytest.mark.parametrize(
    ("left", "accepted"),
    [
        (["backup.lock", "vna.db.next"], True),
        (["backup.lock", "vna.db.next", "manifest.json.next"], True),
        (["backup.lock", "vna.db.next", "vna.db.next.new", "warc"], True),
        (["warc"], False),
        (["backup.lock", "vna.db"], False),
    ],
    ids=["copy only", "copy and empty manifest", "copy and WARC folder", "foreign WARC folder", "foreign archive"],
)
def test_files_left_by_a_killed_first_backup_are_accepted(archive, tmp_path, left, accepted):
    (tmp_path / "b").mkdir()
    for name in left:
        (tmp_path / "b" / name).touch()
    if "warc" in left:
        (tmp_path / "b" / "warc").unlink()
        (tmp_path / "b" / "warc").mkdir()
    done = vna("--archive", archive, "backup", tmp_path / "b")
    if accepted:
        assert done.code == 0, done
        assert {p.name for p in (tmp_path / "b").iterdir()} - {"warc"} == {FILE, backup.MANIFEST, "backup.lock"}
    else:
        refused(done, "not a backup", "empty folder")


def test_two_backups_into_one_folder_at_the_same_time(archive, copy):
    with (copy / "backup.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(vna("--archive", archive, "backup", copy), "another process", "wait")
    assert vna("--archive", archive, "backup", copy).code == 0


def test_a_backup_without_an_archive_is_an_error(tmp_path):
    refused(vna("--archive", tmp_path / "none", "backup", tmp_path / "b"), "no archive")
    assert not (tmp_path / "b").exists()


# --- restore ----------------------------------------------------------------------------------------------------------


def test_restore_never_overwrites_an_archive(archive, copy):
    before = (archive / FILE).read_bytes()
    refused(vna("--archive", archive, "restore", copy), "contains an archive", "--archive")
    assert (archive / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "is not a backup"),
        (lambda folder: (folder / backup.MANIFEST).write_text("{"), "is not a backup"),
        (lambda folder: (folder / backup.MANIFEST).write_text("{}"), "is not a backup"),
        (lambda folder: (folder / FILE).write_bytes(b"x" * 5000), "does not match the digest"),
    ],
    ids=["no files", "truncated manifest", "empty manifest", "another database"],
)
def test_a_folder_that_is_not_a_backup_is_refused(copy, tmp_path, damage, message):
    damage(copy)
    refused(vna("--archive", tmp_path / "back", "restore", copy), message)
    assert not (tmp_path / "back" / FILE).exists()


def test_a_backup_of_a_newer_version_is_refused(copy, tmp_path):
    manifest = json.loads((copy / backup.MANIFEST).read_text())
    (copy / backup.MANIFEST).write_text(json.dumps(manifest | {"schema": 999}))
    refused(vna("--archive", tmp_path / "back", "restore", copy), "schema version 999", "upgrade")


# --- a new installation ------------------------------------------------------------------------------------------------


def test_init_writes_a_valid_configuration(tmp_path):
    done = vna("init", tmp_path / "new")
    assert done.code == 0, done
    assert {str(tmp_path / "new" / place) for place in installation.FILES.values()} == set(done.out.split())
    assert "contact" in done.err
    loaded = config.load(tmp_path / "new" / "config" / "crawler.toml")
    assert loaded.archive == tmp_path / "new" / "archive"
    assert not loaded.contact_is_real


def test_init_overwrites_nothing(tmp_path):
    vna("init", tmp_path)
    (tmp_path / "config" / "crawler.toml").write_text("mine")
    (tmp_path / "config" / "synonyms.toml").unlink()
    refused(vna("init", tmp_path), "crawler.toml", "already exist")
    assert (tmp_path / "config" / "crawler.toml").read_text() == "mine"
    assert not (tmp_path / "config" / "synonyms.toml").exists()


def test_init_into_a_file_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    refused(vna("init", tmp_path / "file"), "cannot write")


def test_the_template_of_the_configuration_equals_the_one_in_config():
    """It is the only file that exists twice: users edit config/crawler.toml, so their contact and folders may differ."""
    own = re.compile(r'(?m)^(contact|dir) = ".*"$')
    template = ROOT / "crawler" / "templates" / "crawler.toml"
    one, other = (own.sub("", path.read_text("utf-8")) for path in (ROOT / "config" / "crawler.toml", template))
    assert one == other, "run: cp config/crawler.toml crawler/templates/"
    assert [name for name in installation.FILES if (template.parent / name).exists()] == ["crawler.toml", "archive.md"]
