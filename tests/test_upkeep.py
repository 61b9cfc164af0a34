"""Backup and restore of real archives, and what a new installation starts from."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import sys

import pytest
from support import NOW, ROOT, FakeClock, copied, intact, mounted, poll, rows, value, vna, working

from crawler import backup, config, installation
from crawler.errors import Interrupted
from crawler.storage import FILE
from crawler.storage.backup_db import copy_database
from crawler.warc import WarcStore


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    archive = tmp_path_factory.mktemp("polled") / "archive"
    clock = FakeClock()
    with mounted(clock):
        poll(archive, clock)
    return archive


@pytest.fixture
def archive(polled, tmp_path):
    return copied(polled, tmp_path / "archive")


@pytest.fixture
def copy(archive, tmp_path):
    """A backup with the evidence."""
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


def test_a_backup_comes_back_whole(archive, copy, tmp_path):
    back = tmp_path / "back"
    done = vna("--archive", back, "restore", copy, "--json")
    assert done.code == 0, done
    assert json.loads(done.out)["wrong"] == {}
    assert json.loads(done.out)["articles"] == value(archive, "SELECT count(*) FROM articles") > 0
    intact(back)
    dump = [sqlite_dump(folder / FILE) for folder in (archive, back)]
    assert dump[0] == dump[1]


def sqlite_dump(file):
    program = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).iterdump(), sep='\\n')"
    return subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, check=True).stdout


def test_without_the_evidence_it_says_what_must_be_copied(archive, tmp_path):
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


def test_evidence_that_is_there_already_is_held_against_the_list(archive, copy, tmp_path):
    back = tmp_path / "back"
    shutil.copytree(archive / "warc", back / "warc")
    (file,) = (back / "warc").rglob("*.warc.gz")
    spoilt = bytearray(file.read_bytes())
    spoilt[1000] ^= 1
    file.write_bytes(spoilt)
    done = vna("--archive", back, "restore", copy)
    assert done.code == 5
    assert "different: 2026/11" in done.out


def test_it_is_consistent_while_somebody_writes(archive, tmp_path):
    """A transaction that is open during the backup is not in it; what is committed afterwards is no trouble."""
    clock = FakeClock(NOW)
    with working(archive, clock) as context, context.archive.transaction():
        context.archive.db.execute("UPDATE articles SET title = 'half done'")
        made = backup.back_up(archive, tmp_path / "b", NOW)
    assert made.articles > 0
    assert value(tmp_path / "b", "SELECT count(*) FROM articles WHERE title = 'half done'") == 0
    assert value(archive, "SELECT count(*) FROM articles WHERE title = 'half done'") > 0


def test_a_second_backup_copies_only_what_is_new(archive, copy):
    clock = FakeClock(NOW)
    clock.advance(days=1)
    before = {path: path.stat().st_ino for path in copy.rglob("*.warc.gz")}
    with mounted(clock) as site:
        site.replica.publish(1)
        poll(archive, clock)
    again = backup.back_up(archive, copy, clock.now(), with_warc=True)
    assert again.copied == 1
    assert len(again.warc) == 2
    assert {path: path.stat().st_ino for path in before} == before
    assert value(copy, "SELECT count(*) FROM articles") == value(archive, "SELECT count(*) FROM articles")


def test_a_file_that_grew_is_copied_again(archive, copy):
    clock = FakeClock(NOW)
    clock.advance(hours=2)
    with mounted(clock) as site:
        site.replica.publish(1)
        poll(archive, clock)
    assert backup.back_up(archive, copy, clock.now(), with_warc=True).copied == 1
    with WarcStore(copy / "warc") as copied_files, WarcStore(archive / "warc") as files:
        assert [r.ref for r in copied_files.records()] == [r.ref for r in files.records()]


def test_evidence_that_is_lost_is_noticed_before_a_list_is_written(archive, tmp_path):
    (file,) = (archive / "warc").rglob("*.warc.gz")
    file.unlink()
    refused(vna("--archive", archive, "backup", tmp_path / "b"), "missing", file.name, "vna verify")
    assert not (tmp_path / "b" / backup.MANIFEST).exists()


@pytest.mark.parametrize("what", ["a file", "a full folder"])
def test_a_target_that_holds_something_else(archive, tmp_path, what):
    target = tmp_path / "target"
    if what == "a file":
        target.write_text("letters")
    else:
        target.mkdir()
        (target / "letters.txt").write_text("letters")
    refused(vna("--archive", archive, "backup", target), "no backup", "empty folder")
    assert [p.name for p in tmp_path.rglob("*") if "vna.db" in p.name and target in p.parents] == []


def test_a_backup_that_is_asked_to_stop_leaves_the_old_one(archive, copy, tmp_path):
    """At whatever moment it is asked: while pages are copied, or checked, or digests made."""
    with working(archive, FakeClock(NOW)) as context, context.archive.transaction():
        context.archive.db.execute("UPDATE articles SET title = 'newer'")
    asked, finished = 0, False
    while not finished:
        answers = iter([False] * asked)
        try:
            backup.back_up(archive, copy, NOW, with_warc=True, stopping=lambda answers=answers: next(answers, True))
            finished = True
        except Interrupted:
            asked += 1
            assert not (copy / "vna.db.next").exists()
            assert backup.restore(copy, tmp_path / str(asked)).wrong == {}
            assert value(copy, "SELECT count(*) FROM articles WHERE title = 'newer'") == 0
    assert asked >= 3
    assert value(copy, "SELECT count(*) FROM articles WHERE title <> 'newer'") == 0


def test_what_is_written_between_two_pieces_of_a_copy(archive, tmp_path, monkeypatch):
    """The copy is of one moment, and does not begin anew."""
    monkeypatch.setattr("crawler.storage.copy._PIECE", 16)
    pieces = 0
    with working(archive, FakeClock(NOW)) as context:

        def written_beside():
            nonlocal pieces
            pieces += 1
            with context.archive.transaction():
                context.archive.db.execute("UPDATE articles SET title = title || ?", [f" {pieces}"])
            return pieces > 500  # begun anew, it would not end

        before = [row["title"] for row in rows(archive, "SELECT title FROM articles ORDER BY id")]
        copy_database(archive / FILE, tmp_path / "copy" / FILE, written_beside)
    assert [row["title"] for row in rows(tmp_path / "copy", "SELECT title FROM articles ORDER BY id")] == before
    assert pieces > 5


def killed_between_its_renames(copy, older):
    """The database is the new one already, and the list is the old one still (or none)."""
    (copy / backup.MANIFEST).rename(copy / "manifest.json.next")
    if older is not None:
        (copy / backup.MANIFEST).write_text(older)


@pytest.mark.parametrize("first", [True, False], ids=["the first one", "a later one"])
def test_a_backup_that_was_killed_at_its_end(archive, copy, tmp_path, first):
    older = None if first else (copy / backup.MANIFEST).read_text()
    with working(archive, FakeClock(NOW)) as context, context.archive.transaction():
        context.archive.db.execute("UPDATE articles SET title = 'newer'")
    backup.back_up(archive, copy, NOW, with_warc=True)
    killed_between_its_renames(copy, older)
    assert backup.restore(copy, tmp_path / "back").wrong == {}
    assert value(tmp_path / "back", "SELECT count(*) FROM articles WHERE title <> 'newer'") == 0
    assert backup.back_up(archive, copy, NOW, with_warc=True).copied == 0
    assert not (copy / "manifest.json.next").exists()


@pytest.mark.parametrize(
    ("left", "taken"),
    [
        (["backup.lock", "vna.db.next"], True),
        (["backup.lock", "vna.db.next", "vna.db.next.new", "warc"], True),
        (["warc"], False),
        (["backup.lock", "vna.db"], False),
    ],
    ids=["its copy", "everything", "somebody's evidence", "somebody's archive"],
)
def test_what_a_killed_first_backup_left(archive, tmp_path, left, taken):
    (tmp_path / "b").mkdir()
    for name in left:
        (tmp_path / "b" / name).touch()
    if "warc" in left:
        (tmp_path / "b" / "warc").unlink()
        (tmp_path / "b" / "warc").mkdir()
    done = vna("--archive", archive, "backup", tmp_path / "b")
    if taken:
        assert done.code == 0, done
        assert {p.name for p in (tmp_path / "b").iterdir()} - {"warc"} == {FILE, backup.MANIFEST, "backup.lock"}
    else:
        refused(done, "no backup", "empty folder")


def test_two_backups_to_one_place_at_a_time(archive, copy):
    with (copy / "backup.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(vna("--archive", archive, "backup", copy), "another process", "wait")
    assert vna("--archive", archive, "backup", copy).code == 0


def test_no_archive_to_back_up(tmp_path):
    refused(vna("--archive", tmp_path / "none", "backup", tmp_path / "b"), "no archive")
    assert not (tmp_path / "b").exists()


# --- restore ----------------------------------------------------------------------------------------------------------


def test_an_archive_is_never_written_over(archive, copy):
    before = (archive / FILE).read_bytes()
    refused(vna("--archive", archive, "restore", copy), "holds an archive", "--archive")
    assert (archive / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (shutil.rmtree, ("is no backup",)),
        (lambda folder: (folder / backup.MANIFEST).write_text("{"), ("is no backup",)),
        (lambda folder: (folder / backup.MANIFEST).write_text("{}"), ("is no backup",)),
        (lambda folder: (folder / FILE).write_bytes(b"x" * 5000), ("not the database",)),
    ],
    ids=["nothing there", "half a list", "an empty list", "another database"],
)
def test_what_is_no_backup(copy, tmp_path, spoil, words):
    spoil(copy)
    refused(vna("--archive", tmp_path / "back", "restore", copy), *words)
    assert not (tmp_path / "back" / FILE).exists()


def test_a_backup_of_a_newer_program(copy, tmp_path):
    manifest = json.loads((copy / backup.MANIFEST).read_text())
    (copy / backup.MANIFEST).write_text(json.dumps(manifest | {"schema": 999}))
    refused(vna("--archive", tmp_path / "back", "restore", copy), "schema version 999", "upgrade")


# --- a new installation ------------------------------------------------------------------------------------------------


def test_init_writes_what_the_program_reads(tmp_path):
    done = vna("init", tmp_path / "new")
    assert done.code == 0, done
    assert {str(tmp_path / "new" / place) for place in installation.FILES.values()} == set(done.out.split())
    assert "contact" in done.err
    loaded = config.load(tmp_path / "new" / "config" / "crawler.toml")
    assert loaded.archive == tmp_path / "new" / "archive"
    assert not loaded.contact_is_real


def test_init_writes_over_nothing(tmp_path):
    vna("init", tmp_path)
    (tmp_path / "config" / "crawler.toml").write_text("mine")
    (tmp_path / "config" / "synonyms.toml").unlink()
    refused(vna("init", tmp_path), "crawler.toml", "not written over")
    assert (tmp_path / "config" / "crawler.toml").read_text() == "mine"
    assert not (tmp_path / "config" / "synonyms.toml").exists()


def test_init_into_what_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    refused(vna("init", tmp_path / "file"), "cannot write")


@pytest.mark.parametrize("name", [name for name in installation.FILES if (ROOT / "config" / name).exists()])
def test_the_templates_are_what_stands_in_config(name):
    """A contact and an archive of one's own are no difference."""
    own = re.compile(r'(?m)^(contact|dir) = ".*"$')
    one, other = ((folder / name).read_text("utf-8") for folder in (ROOT / "config", ROOT / "crawler" / "templates"))
    assert own.sub("", one) == own.sub("", other), f"cp config/{name} crawler/templates/"
