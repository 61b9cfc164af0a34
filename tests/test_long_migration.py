"""A migration in batches: it continues after a kill or on a full disk, and nobody reads or writes the archive meanwhile."""

from __future__ import annotations

import fcntl
import gzip
import json
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial

import pytest
from support import ROOT, vna

from crawler import upgrade_display
from crawler.errors import AlreadyRunning, SchemaTooOld, StorageUnavailable
from crawler.storage import FILE, base, open_archive, upgrade
from crawler.storage.schema import m0008_compact, version

pytestmark = pytest.mark.migrations
SCHEMA_7 = ROOT / "tests" / "schemas" / "0007.db.gz"
#: Upgrades the archive in the folder argv[1], and kills itself before the SQL statement number argv[2].
CHILD = """
import os, signal, sys
from itertools import count
from pathlib import Path
from crawler.storage import base, open_archive
from crawler.storage.schema import m0008_compact
m0008_compact._BATCH = 10
number, end, connect = count(1), int(sys.argv[2]), base._connect
def traced(file):
    connection = connect(file)
    connection.set_trace_callback(lambda sql: next(number) == end and os.kill(os.getpid(), signal.SIGKILL))
    return connection
base._connect = traced
open_archive(Path(sys.argv[1])).close()
print(next(number))
"""


@pytest.fixture
def archive(tmp_path):
    """The folder of an archive of schema 7 with 102 articles and several revisions."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / FILE).write_bytes(gzip.decompress(SCHEMA_7.read_bytes()))
    return folder


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory):
    """The content of that archive after an upgrade."""
    folder = tmp_path_factory.mktemp("upgraded")
    (folder / FILE).write_bytes(gzip.decompress(SCHEMA_7.read_bytes()))
    open_archive(folder).close()
    return content(folder)


def content(folder):
    """Return the schema of a database and the rows of all its tables and views."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        objects = dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").fetchall())
        names = db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE '%fts_%'")
        kept = [name for (name,) in names if name not in ("sqlite_stat1", "sqlite_stat4", "_sqlite_migrations")]
        return objects, {name: sorted(map(repr, db.execute(f"SELECT * FROM {name}"))) for name in kept}


def unfinished(folder):
    """Begin an upgrade in which the first batch fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(m0008_compact, "_MOVE", ("fails",))
        with pytest.raises(sqlite3.OperationalError):
            open_archive(folder)


def test_an_upgrade_continues_after_every_kill(archive, upgraded):
    """Each process is killed a little later in the migration than the one before it: at the start, in batches, in indexes, in
    the final script, and while the file is written again.
    """
    kills, left = 0, 20
    while True:
        child = subprocess.run(
            [sys.executable, "-c", CHILD, archive, str(left)], capture_output=True, text=True, timeout=60, check=False
        )
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL, child.stderr
        kills, left = kills + 1, left + 40
    assert kills > 4
    assert content(archive) == upgraded


def test_a_full_disk_ends_an_upgrade_between_two_batches(archive, upgraded, monkeypatch):
    connect = base._connect

    def small(file):
        connection = connect(file)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(base, "_connect", small)
        patch.setattr(m0008_compact, "_BATCH", 40)
        with pytest.raises(StorageUnavailable) as full:
            open_archive(archive)
    assert "free some disk space" in full.value.hint
    open_archive(archive).close()
    assert content(archive) == upgraded


def test_rows_of_no_article_are_kept(archive):
    with closing(sqlite3.connect(archive / FILE)) as db, db:
        db.execute("INSERT INTO related VALUES (999999999, 0, NULL, NULL, 'x', '', NULL)")
        db.execute("UPDATE revisions SET article = 999999999 WHERE revision = 4")
    open_archive(archive).close()
    with closing(sqlite3.connect(archive / FILE)) as db:
        for table in ("related", "revisions"):
            assert db.execute(f"SELECT count(*) FROM {table} WHERE article = 999999999").fetchone() == (1,)


def test_neither_an_old_program_nor_a_reader_uses_an_unfinished_database(archive, upgraded):
    unfinished(archive)
    with closing(sqlite3.connect(archive / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version(),), "an older program refuses a newer version"
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            db.execute("SELECT * FROM articles")  # a process that opened the database earlier fails and loses no rows
    with pytest.raises(SchemaTooOld, match="0%"):
        open_archive(archive, read_only=True)
    outcome = vna("--archive", archive, "status", "--json")
    assert outcome.code == 0, outcome.err
    assert content(archive) == upgraded


def test_an_upgrade_waits_for_no_other_process_for_long(archive, monkeypatch):
    monkeypatch.setattr(upgrade, "_LONGEST_WAIT", 0.1)
    with (archive / "vna.opening").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StorageUnavailable, match="another process is upgrading"):
            open_archive(archive)
        outcome = vna("--archive", archive, "search", "riz")
        assert outcome.code == 1
        assert "hint: wait until it has finished" in outcome.err
    open_archive(archive).close()


@pytest.mark.parametrize(("pid", "named"), [(1, r"`vna run` \(pid 1, since x\)"), (None, "another process")])
def test_an_archive_in_use_is_not_upgraded(archive, pid, named):
    before = (archive / FILE).read_bytes()
    with (archive / "vna-collect.lock").open("w") as lock:
        lock.write(json.dumps({"pid": pid, "command": "run", "since": "x"}) if pid else "")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AlreadyRunning, match=named) as refused:
            open_archive(archive)
        assert "stop that process" in refused.value.hint
        unused = (archive / FILE).read_bytes()
        assert unused[100:] == before[100:]  # after the header, which says that the journal is a WAL
    open_archive(archive).close()


def test_the_lock_of_a_process_that_has_ended_is_no_obstacle(archive):
    (archive / "vna-collect.lock").write_text(json.dumps({"pid": 1, "command": "run", "since": "x"}))
    open_archive(archive).close()


def test_a_command_shows_the_progress_and_the_file_becomes_smaller(archive, monkeypatch):
    monkeypatch.setattr(upgrade, "_LEAST_SHOWN", 100)
    monkeypatch.setattr(upgrade, "_LEAST_NOTED", 1)
    size = (archive / FILE).stat().st_size
    outcome = vna("--archive", archive, "status")
    assert outcome.code == 0
    shown = re.findall(r"(\d+) of 102 articles", outcome.err)
    assert shown[-1] == "102"
    assert "MB smaller" in outcome.err
    assert (archive / FILE).stat().st_size < size * 0.8


def test_the_upgrade_of_a_small_archive_prints_nothing(archive):
    assert vna("--archive", archive, "search", "riz").err == vna("--archive", archive, "search", "riz").err


@pytest.mark.parametrize("place", ["archive", "temporary"])
def test_without_space_for_a_second_file_the_upgrade_says_so(archive, upgraded, monkeypatch, place):
    notes = []
    monkeypatch.setattr(upgrade_display, "_notes", [notes.append])
    size = (archive / FILE).stat().st_size
    free = {True: size, False: 10**9} if place == "archive" else {True: 10**9, False: 0}  # by whether it is the archive
    monkeypatch.setattr(upgrade, "free_bytes", lambda folder: free[folder == archive])
    open_archive(archive).close()
    assert "stay empty until new articles use them" in notes[-1]
    assert (archive / FILE).stat().st_size >= size
    assert content(archive) == upgraded


@pytest.mark.parametrize(
    ("code", "to_do"),
    [
        (sqlite3.SQLITE_FULL, r"free \d+ MB"),
        (sqlite3.SQLITE_IOERR_WRITE, r"check the disk, which reported an error \(broken\)"),
        (sqlite3.SQLITE_BUSY, "close all programs that have the database open"),
    ],
)
def test_a_file_that_cannot_be_written_again_is_no_error_and_the_note_says_why(
    archive, upgraded, monkeypatch, tmp_path, code, to_do
):
    class Failing(sqlite3.Connection):
        def execute(self, sql, *values):
            if sql == "VACUUM":
                error = sqlite3.OperationalError("broken")
                error.sqlite_errorcode = code
                raise error
            return super().execute(sql, *values)

    notes = []
    folder = archive.rename(tmp_path / "l'archive de Hué")
    monkeypatch.setattr(upgrade_display, "_notes", [notes.append])
    monkeypatch.setattr(base.sqlite3, "connect", partial(sqlite3.connect, factory=Failing))
    open_archive(folder).close()
    monkeypatch.undo()
    assert re.search(f"To make the file smaller now, {to_do}, stop all commands", notes[-1])
    assert shlex.split(notes[-1].split("`")[1]) == ["sqlite3", str(folder / FILE), "VACUUM"]
    assert content(folder) == upgraded


def test_views_of_the_user_are_no_obstacle(archive):
    with closing(sqlite3.connect(archive / FILE)) as db:
        db.execute("CREATE VIEW mine AS SELECT a.title, r.seen_at FROM articles a JOIN revisions r ON r.article = a.id")
        before = sorted(db.execute("SELECT * FROM mine"))
    open_archive(archive).close()
    with closing(sqlite3.connect(archive / FILE)) as db:
        assert sorted(db.execute("SELECT * FROM mine")) == before
