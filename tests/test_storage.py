"""The archive's database: creating and opening it, locks between processes, articles, search, the crawl frontier."""

from __future__ import annotations

import errno
import gzip
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from support import NOW, ROOT, SITE, assert_intact, fetched

from crawler import fold, identity, opening, similarity
from crawler.clock import to_text
from crawler.errors import AlreadyRunning, DiskLow, SchemaTooNew, SchemaTooOld, StorageError, StorageUnavailable
from crawler.identity import Decision, Duplicate
from crawler.opening import reading_archive
from crawler.selection import Selection
from crawler.storage import FILE, disk, open_archive, schema
from crawler.storage.base import as_storage_error
from crawler.storage.locks import LOCK, Claims, holding
from crawler.storage.revisions import ArticleIntent
from crawler.types import (
    Article,
    Dateline,
    Exchange,
    ImageBlock,
    PageForFetch,
    PageOutcome,
    RawRef,
    Reading,
    Related,
    Repair,
    RunReport,
    Sighting,
    SourceFound,
    SourceOutcome,
    TextBlock,
)
from crawler.warc import WarcStore

HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def archive(folder):
    with open_archive(folder) as opened:
        yield opened


def article(title="Visite à Cuba", text="La Havane (VNA) - Le président est arrivé.", **changes):
    base = Article(
        title=title,
        lead="Une visite.",
        blocks=(
            TextBlock("paragraph", text),
            ImageBlock("https://x/1.jpg", "alt", "Une poignée. Photo : VNA", "VNA", " "),
        ),
        related=(Related("Autre", "Résumé", "Légende", f"{SITE}/autre-post7.vnp", 7),),
        url=f"{SITE}/visite-post245060.vnp",
        section="Politique",
        dateline=Dateline("La Havane", None, "VNA"),
        signature="- VNA",
        byline="Xuân Lan",
        tags=("Cuba", "visite"),
        published_at="2025-04-29T14:30:44+07:00",
        published_raw="29/04/2025 14:30",
        modified_at="2025-04-29T15:00:00+07:00",
        markup="cms-2024",
        provenance={"title": "h1"},
        problems=("no avatar",),
    )
    return replace(base, **changes)


def intent(
    key=245060, content=None, *, verdict="new", revision=1, changed=(), duplicates=(), now=NOW, raw_id=None, **changes
):
    content = content or article(
        url=f"{SITE}/visite-post{key}.vnp" if key > 0 else None, post_id=key if key > 0 else None
    )
    base = ArticleIntent(
        key=key,
        article=content,
        reading=Reading(content.text, (Repair("glue", 3, "a", "a b"),)),
        decision=Decision(verdict, revision, changed, duplicates),
        fingerprint=identity.fingerprint(content),
        body_key=identity.body_key(content),
        simhash=identity.simhash(content.text),
        published_on="2025-04-29",
        parser=1,
        now=now,
        raw_id=raw_id,
        source_file="text.txt" if key < 0 else None,
    )
    return replace(base, **changes)


def save(archive, *intents):
    with archive.transaction():
        for each in intents:
            archive.save_article(each)


def hits(archive, words, **options):
    defaults = {"since": None, "until": None, "section": None, "limit": 20, "rank": False}
    match = " AND ".join(f'"{word}"' for word in fold.words(words))
    return [row["id"] for row in archive.search(match, **(defaults | options))]


def raw(archive, folder, n=0):
    with WarcStore(folder / "warc") as warc, archive.transaction():
        answer = fetched(b"page %d" % n)
        return archive.add_raw(answer.url, answer.fetched_at, answer.status, warc.append(answer))


# --- creating and opening -----------------------------------------------------------------------------------------------


def tables(folder):
    connection = sqlite3.connect(folder / FILE)
    found = sorted(connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall())
    connection.close()
    return found


@pytest.mark.migrations
def test_creates_an_archive_in_a_missing_folder(folder):
    with open_archive(folder / "deeper") as archive:
        assert archive.db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        assert archive.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert archive.db.execute("PRAGMA user_version").fetchone()[0] == schema.version()
        assert archive.status()["articles"] == 0
    expected = (
        "articles images related tags sections revisions duplicates repairs pages sources fetches raw runs articles_fts"
    )
    assert set(expected.split()) <= {name for _, name, _ in tables(folder / "deeper")}


@pytest.mark.migrations
def test_opening_an_archive_again_changes_nothing(folder):
    with open_archive(folder) as archive:
        save(archive, intent())
    before = tables(folder)
    for _ in range(2):
        with open_archive(folder) as archive:
            assert archive.article(245060).article.title == "Visite à Cuba"
    assert tables(folder) == before


@pytest.mark.migrations
def test_a_failed_migration_leaves_no_tables(folder, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(schema, "FIRST", f"{schema.FIRST}\nCREATE TABLE broken (;\n")
        with pytest.raises(sqlite3.OperationalError):
            open_archive(folder)
    assert "articles" not in {name for _, name, _ in tables(folder)}
    with open_archive(folder) as archive:
        assert archive.status()["articles"] == 0


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_database_is_refused_and_not_changed(folder, read_only):
    with open_archive(folder) as archive:
        archive.db.conn.execute(f"PRAGMA user_version = {schema.version() + 1}")
    before = (folder / FILE).read_bytes()
    with pytest.raises(SchemaTooNew, match=str(schema.version() + 1)) as caught:
        open_archive(folder, read_only=read_only)
    assert "upgrade" in caught.value.hint
    assert (folder / FILE).read_bytes() == before


@pytest.mark.migrations
@pytest.mark.parametrize("situation", ["empty file", "older version"])
def test_a_database_that_needs_a_migration_is_not_opened_read_only(folder, situation):
    """An empty file is left by a crash between creating the file and its tables."""
    folder.mkdir()
    (folder / FILE).touch()
    if situation == "older version":
        with open_archive(folder) as archive:
            archive.db.conn.execute("PRAGMA user_version = 0")
    with pytest.raises(StorageError, match="no archive" if situation == "empty file" else "version 0") as caught:
        open_archive(folder, read_only=True)
    assert "vna poll" in caught.value.hint
    with open_archive(folder) as archive:
        assert archive.status()["articles"] == 0
    open_archive(folder, read_only=True).close()


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize(
    "content", [b"not a database at all, but a text of some length" * 40, b"\0" * 4096], ids=["text", "null bytes"]
)
def test_a_file_that_is_not_a_database_is_refused(folder, content, read_only):
    folder.mkdir()
    (folder / FILE).write_bytes(content)
    with pytest.raises(StorageError, match="not a database") as caught:
        open_archive(folder, read_only=read_only)
    assert "backup" in caught.value.hint
    assert str(folder / FILE) in str(caught.value)


def test_damage_found_while_reading_is_reported_with_a_hint(folder):
    with open_archive(folder) as archive:
        save(archive, *(intent(n, article(f"Titre {n}", "mot " * 500, url=None)) for n in range(1, 60)))
    content = bytearray((folder / FILE).read_bytes())
    content[20 * 4096 : -4096] = os.urandom(len(content) - 21 * 4096)
    (folder / FILE).write_bytes(content)
    with pytest.raises(StorageError) as caught, open_archive(folder, read_only=True) as archive:
        list(archive.export())
    assert "backup" in caught.value.hint
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)


def test_wrong_sql_is_not_reported_as_a_disk_error(folder):
    with pytest.raises(sqlite3.OperationalError, match="no such table"), open_archive(folder) as archive:
        archive.db.conn.execute("SELECT * FROM no_such_table")


def test_an_archive_that_must_exist_is_not_created(folder):
    with pytest.raises(StorageUnavailable, match="has disappeared"):
        open_archive(folder, create=False)
    assert not folder.exists()


def test_a_database_that_is_moved_away_while_it_is_opened_is_not_created_again(folder, monkeypatch):
    open_archive(folder).close()
    file, away = folder / FILE, folder / "away.db"
    connect = sqlite3.connect

    def moving(*arguments, **options):
        file.rename(away)
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", moving)
    with pytest.raises(StorageUnavailable):
        open_archive(folder, create=False)
    assert not file.exists()


@pytest.mark.parametrize("below", ["2026/11", "", "from/another/archive"])
@pytest.mark.parametrize("exists", [True, False])
def test_without_a_database_the_hint_depends_on_the_warc_files(folder, exists, below):
    """They may be in any folder, as for every other command."""
    place = folder / "warc" / below
    place.mkdir(parents=True)
    if exists:
        (folder / FILE).touch()
    with pytest.raises(StorageError, match="no archive"):
        open_archive(folder, read_only=True)
    (place / "vna-20261130-000.warc.gz").touch()
    with pytest.raises(StorageError, match="no database") as caught:
        reading_archive(folder)
    assert "vna rebuild --replace" in caught.value.hint
    assert not exists or (folder / FILE).stat().st_size == 0


@pytest.mark.parametrize("number", [1, 7])
def test_a_database_that_cannot_be_upgraded_says_why(folder, monkeypatch, number):
    folder.mkdir()
    (folder / FILE).write_bytes(gzip.decompress((ROOT / "tests" / "schemas" / f"000{number}.db.gz").read_bytes()))
    monkeypatch.setattr(opening, "is_read_only", lambda _: True)  # the tests may run as root, who may write everywhere
    with pytest.raises(SchemaTooOld, match="cannot be upgraded, because its folder cannot be written") as caught:
        reading_archive(folder)
    assert "copy the archive" in caught.value.hint


def test_opening_a_missing_archive_read_only_fails(folder):
    with pytest.raises(StorageError, match="no archive") as caught:
        open_archive(folder, read_only=True)
    assert "--archive" in caught.value.hint
    assert not folder.exists(), "a read-only open creates nothing"


def test_a_read_only_archive_cannot_be_written(folder):
    open_archive(folder).close()
    with open_archive(folder, read_only=True) as archive, pytest.raises(sqlite3.OperationalError, match="readonly"):
        archive.db.conn.execute("DELETE FROM articles")


@pytest.mark.parametrize(
    ("place", "message"), [("archive", "is not a folder"), ("archive/deeper", "cannot be written: Not a directory")]
)
def test_a_file_in_place_of_the_folder_is_reported(tmp_path, place, message):
    (tmp_path / "archive").touch()
    for attempt in (open_archive, lambda f: holding(f, "collect", "poll", "now").__enter__()):
        with pytest.raises(StorageError, match=message) as caught:
            attempt(tmp_path / place)
        assert "--archive" in caught.value.hint


AS_NOBODY = """
import os, pathlib, sys
from crawler.errors import StorageError
from crawler.storage import open_archive
from crawler.storage.locks import holding
os.setgid(65534)
os.setuid(65534)
folder = pathlib.Path(sys.argv[1])
for attempt in (lambda: open_archive(folder), lambda: holding(folder, "collect", "poll", "now").__enter__()):
    try:
        attempt()
    except StorageError as error:
        print(error, "|", error.hint)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change its user id")
def test_a_folder_of_another_user_is_reported(tmp_path):
    folder = tmp_path / "archive"
    open_archive(folder).close()
    for path in (tmp_path, *tmp_path.parents):  # the user `nobody` (65534) can list the folders, but not write
        if path.name.startswith("pytest-"):
            path.chmod(0o755)
    command = [sys.executable, "-c", AS_NOBODY, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.count("permission denied") + done.stdout.count("Permission denied") == 2, done
    assert done.stdout.count("--archive") == 2


def test_an_archive_that_cannot_be_written_is_locked_for_reading(tmp_path, monkeypatch):
    def reader(role):
        return holding(tmp_path, role, "reparse", "now", read_only=True)

    with holding(tmp_path, "collect", "poll", "then"):
        monkeypatch.setattr(os, "access", lambda *_: False)
        with reader("read"), reader("read"):
            pass
        with pytest.raises(AlreadyRunning, match="vna poll"), reader("alone"):
            pass
    with reader("alone"), pytest.raises(AlreadyRunning), holding(tmp_path, "collect", "poll", "now"):
        pass
    (tmp_path / LOCK).unlink()
    with reader("alone"):
        assert not (tmp_path / LOCK).exists()
    (tmp_path / LOCK).symlink_to("elsewhere")
    with pytest.raises(StorageError, match="symbolic link"), reader("read"):
        pass


ERRORS = {
    "locked": (sqlite3.SQLITE_BUSY, StorageUnavailable),
    "full": (sqlite3.SQLITE_FULL, StorageUnavailable),
    "read_only": (sqlite3.SQLITE_READONLY, StorageUnavailable),
    "io_error": (sqlite3.SQLITE_IOERR, StorageUnavailable),
    "damaged": (sqlite3.SQLITE_CORRUPT, StorageError),
    "not_a_database": (sqlite3.SQLITE_NOTADB, StorageError),
    "wrong_sql": (sqlite3.SQLITE_ERROR, None),
}


@pytest.mark.parametrize(("code", "kind"), ERRORS.values(), ids=ERRORS)
def test_temporary_errors_and_damage_have_different_types(folder, code, kind):
    error = sqlite3.OperationalError("message")
    error.sqlite_errorcode = code
    assert type(as_storage_error(folder, error)) is (kind or type(None))


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "free some disk space"), (errno.EMFILE, "ulimit -n"), (errno.EROFS, "written")]
)
def test_exhausted_system_resources_are_not_a_bug(folder, number, hint):
    message = f"/state/budget.json: {os.strerror(number)}"
    with pytest.raises(StorageUnavailable, match=message) as caught, open_archive(folder):
        raise OSError(number, os.strerror(number), "/state/budget.json")
    assert hint in caught.value.hint
    assert as_storage_error(folder, FileNotFoundError(errno.ENOENT, "No such file", "x")) is None


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (sqlite3.SQLITE_BUSY, "other program"),
        (sqlite3.SQLITE_LOCKED_SHAREDCACHE, "other program"),
        (sqlite3.SQLITE_FULL, "free some disk space"),
        (sqlite3.SQLITE_CORRUPT_VTAB, "vna rebuild"),
        (sqlite3.SQLITE_NOTADB, "vna rebuild"),
        (sqlite3.SQLITE_READONLY, "permissions"),
        (sqlite3.SQLITE_IOERR_WRITE, "ulimit -f"),
    ],
)
def test_the_hint_depends_on_the_error_code_alone(folder, code, hint):
    """Neither the message nor a path in it matters, whatever words they contain."""
    misleading = "/full/workspace/locked/open files/malformed"
    error = sqlite3.OperationalError(misleading)
    error.sqlite_errorcode = code
    assert hint in as_storage_error(folder, error).hint
    read_only = OSError(errno.EROFS, os.strerror(errno.EROFS), misleading)
    assert "written" in as_storage_error(folder, read_only).hint


def test_the_wal_file_is_truncated_after_a_long_read(folder, archive):
    wal = folder / "vna.db-wal"
    with open_archive(folder, read_only=True) as reader:
        reader.db.execute("BEGIN")
        reader.db.execute("SELECT count(*) FROM articles").fetchone()
        with archive.transaction():
            archive.db.execute("CREATE TABLE ballast AS SELECT zeroblob(20000000) AS bytes")
        assert wal.stat().st_size > 20_000_000
    archive.db.execute("PRAGMA wal_checkpoint")
    with archive.transaction():
        archive.db.execute("INSERT INTO ballast VALUES ('this write restarts the WAL')")
    assert wal.stat().st_size <= 17_000_000


def test_a_full_disk_is_reported_and_loses_no_committed_data(folder):
    program = f"""
import pathlib, resource, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from test_storage import *
folder = pathlib.Path({str(folder)!r})
try:
    with open_archive(folder) as archive:
        save(archive, intent(1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        save(archive, *(intent(n, article(f"T {{n}}", "mot " * 5000, url=None)) for n in range(2, 60)))
except StorageError as error:
    print(error, "|", error.hint)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    with holding(folder, "collect", "poll", "now"): print("held")
except StorageError as error:
    print(error, "|", error.hint)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    first, second = done.stdout.splitlines()
    assert "vna.db" in first
    assert "|" in first
    assert "space" in second
    with open_archive(folder) as archive:
        assert [stored.id for stored in archive.export()] == [1], "only committed articles exist"


# --- one writer -------------------------------------------------------------------------------------------------------

HOLDER = """
import pathlib, sys
from crawler.storage.locks import holding
with holding(pathlib.Path(sys.argv[1]), "collect", "poll", "2026-11-21T08:00:00Z"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(folder):
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdout.readline() == b"held\n"
        yield running
        running.kill()


def test_the_error_for_a_held_role_names_the_holder(folder, holder):
    with pytest.raises(AlreadyRunning) as caught, holding(folder, "collect", "import", "now"):
        pass
    message = str(caught.value)
    assert f"pid {holder.pid}" in message
    assert "since 2026-11-21T08:00:00Z" in message
    assert "vna poll" in message
    assert "only read" in caught.value.hint
    with pytest.raises(AlreadyRunning, match=f"pid {holder.pid}"), holding(folder, "collect", "import", "now"):
        pass  # the first attempt did not overwrite the holder's entry


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_a_role_is_free_after_its_holder_has_ended(folder, holder, how):
    if how is None:
        holder.stdin.close()
    else:
        holder.send_signal(how)
    holder.wait()
    with holding(folder, "collect", "import", "now"):
        pass
    with holding(folder, "collect", "import", "now"):
        pass


def test_different_roles_can_run_together_but_not_with_an_exclusive_one(folder, holder):
    alone = holding(folder, "alone", "rebuild", "now")
    who = f"vna backfill.*pid {holder.pid}"
    with holding(folder, "backfill", "backfill", "now"), pytest.raises(AlreadyRunning, match=who), alone:
        pass
    holder.kill()
    holder.wait()
    poller = holding(folder, "collect", "poll", "now")
    with holding(folder, "alone", "rebuild", "now"), pytest.raises(AlreadyRunning, match="vna rebuild"), poller:
        pass


def test_a_role_that_ended_with_an_error_is_not_named_as_a_holder(folder):
    with pytest.raises(KeyError), holding(folder, "collect", "poll", "now"):
        raise KeyError
    alone = holding(folder, "alone", "rebuild", "now")
    with holding(folder, "backfill", "backfill", "now"), pytest.raises(AlreadyRunning) as caught, alone:
        pass
    assert "vna backfill" in str(caught.value)
    assert "vna poll" not in str(caught.value)


CLAIMER = """
import pathlib, sys
from crawler.storage import open_archive
with open_archive(pathlib.Path(sys.argv[1])) as archive, archive.claim(7) as claimed:
    print(claimed, flush=True)
    sys.stdin.read()
"""


def test_a_page_claim_is_exclusive_and_ends_when_its_process_is_killed(folder):
    open_archive(folder).close()
    command = [sys.executable, "-c", CLAIMER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout.readline() == b"True\n"
        with open_archive(folder) as archive:
            with archive.claim(7) as seven, archive.claim(8) as eight:
                assert (seven, eight) == (False, True)
            other.kill()
            other.wait()
            with archive.claim(7) as seven:
                assert seven


TRY_CLAIMS = """
import pathlib, sys
from crawler.storage import open_archive
with open_archive(pathlib.Path(sys.argv[1])) as archive:
    for number in (6, 7, 8):
        with archive.claim(number) as claimed:
            print(number, claimed)
"""


def test_releasing_a_claim_keeps_the_claims_on_neighbouring_pages(folder):
    with open_archive(folder) as archive, archive.claim(6), archive.claim(8):
        with archive.claim(7):
            pass
        command = [sys.executable, "-c", TRY_CLAIMS, str(folder)]
        other = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert other.stdout.splitlines() == ["6 False", "7 True", "8 False"]


def test_a_lock_error_is_not_mistaken_for_a_claim_of_another_process(folder, tmp_path):
    """Otherwise every page would be skipped in favour of a process that does not exist, and the poll would succeed."""
    file = tmp_path / "claims"
    file.touch()
    claims = Claims(file)
    claims._file = file.open("rb")  # an exclusive lock needs a file that is open for writing
    with pytest.raises(StorageError, match="cannot lock") as caught, claims.claim(1):
        pass
    assert "local disk" in caught.value.hint
    claims.close()


@pytest.mark.parametrize("content", ["", "{", "{}"])
def test_a_lock_file_without_a_holder_entry(folder, holder, content):
    (folder / "vna-collect.lock").write_text(content)
    with pytest.raises(AlreadyRunning, match="another process"), holding(folder, "collect", "import", "now"):
        pass


def test_readers_see_the_last_commit_during_a_write(folder, archive):
    save(archive, intent(1))
    with archive.transaction():
        archive.save_article(intent(2))
        with open_archive(folder, read_only=True) as reader:
            assert [stored.id for stored in reader.export()] == [1]
    with open_archive(folder, read_only=True) as reader:
        assert [stored.id for stored in reader.export()] == [1, 2]


def test_a_database_locked_by_another_program(folder):
    open_archive(folder).close()
    other = sqlite3.connect(folder / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def write():
        with open_archive(folder) as archive:
            archive.db.conn.execute("PRAGMA busy_timeout = 1")
            save(archive, intent())

    with pytest.raises(StorageError, match="locked") as caught:
        write()
    other.close()
    assert "other program" in caught.value.hint


def test_a_failed_transaction_writes_nothing(archive):
    def fail_half_way():
        with archive.transaction():
            archive.save_article(intent(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert archive.article(1) is None
    assert hits(archive, "Cuba") == []


# --- articles ---------------------------------------------------------------------------------------------------------


def test_a_stored_article_is_read_back_unchanged(archive, folder):
    raw_id = raw(archive, folder)
    one = intent(raw_id=raw_id)
    save(archive, one)
    stored = archive.article(245060)
    assert stored.article == one.article
    assert stored.reading == one.reading
    assert (stored.id, stored.revision, stored.state, stored.parser) == (245060, 1, "live", 1)
    assert (stored.first_seen_at, stored.checked_at) == (to_text(NOW), to_text(NOW))
    assert stored.raw.digest.startswith("sha256:")
    assert stored.raw_id == raw_id
    assert_intact(folder)


@pytest.mark.parametrize(
    "bare",
    [
        Article(title="Sans rien"),
        Article(title="", blocks=(TextBlock("note", "x"),)),
        Article(title="Photo", kind="photo", blocks=(ImageBlock(None),)),
        Article(title="'; DROP TABLE articles; --", lead="\0 \u200b", tags=("a;b", '"', "é")),
    ],
)
def test_articles_with_few_fields(archive, bare):
    save(archive, intent(5, replace(bare, post_id=5)))
    assert archive.article(5).article == replace(bare, post_id=5)


def test_a_new_revision_keeps_the_previous_content(archive, folder):
    first = intent(raw_id=raw(archive, folder, 1))
    save(archive, first)
    content = article("Autre titre", post_id=245060, tags=("Cuba",), blocks=(TextBlock("paragraph", "Tout autre."),))
    second = intent(
        content=content,
        verdict="revised",
        revision=2,
        changed=("text", "title"),
        now=NOW + HOUR,
        raw_id=raw(archive, folder, 2),
    )
    save(archive, second)
    stored = archive.article(245060)
    assert (stored.article, stored.revision) == (content, 2)
    assert (stored.first_seen_at, stored.checked_at) == (to_text(NOW), to_text(NOW + HOUR))
    history = archive.history(245060)
    assert [(row["revision"], row["seen_at"], row["changed"]) for row in history] == [
        (1, to_text(NOW), []),
        (2, to_text(NOW + HOUR), ["text", "title"]),
    ]
    assert [row["title"] for row in history] == ["Visite à Cuba", "Autre titre"]
    before = archive.revision(245060, number=1)
    assert before.article.blocks == first.article.blocks
    assert (before.article.title, before.article.tags, before.article.byline) == (
        "Visite à Cuba",
        ("Cuba", "visite"),
        "Xuân Lan",
    )
    assert archive.revision(245060, number=2) == stored
    assert len(list(archive.db.query("SELECT * FROM images"))) == 0, "parts are those of the current content"
    assert_intact(folder)


@pytest.mark.parametrize(
    ("situation", "as_of", "expected"),
    [
        ("before it was seen", NOW - HOUR, None),
        ("when it was first seen", NOW, 1),
        ("between", NOW + HOUR / 2, 1),
        ("at the second revision", NOW + HOUR, 2),
        ("long after", NOW + 1000 * HOUR, 3),
    ],
)
def test_the_revision_at_a_point_in_time(archive, situation, as_of, expected):
    for n in range(3):
        content = article(f"Titre {n + 1}", post_id=245060)
        save(archive, intent(content=content, revision=n + 1, verdict="revised" if n else "new", now=NOW + n * HOUR))
    found = archive.revision(245060, as_of=to_text(as_of))
    assert (found and found.revision) == expected
    assert (found and found.article.title) == (expected and f"Titre {expected}")


def test_an_unknown_revision_is_none(archive):
    save(archive, intent())
    assert archive.revision(245060, number=2) is None
    assert archive.revision(1, number=1) is None
    assert archive.article(1) is None
    assert archive.history(1) == []


def test_an_improved_parse_corrects_the_last_revision_without_a_new_one(archive, folder):
    raw_id = raw(archive, folder)
    save(archive, intent(raw_id=raw_id))
    better = article("Visite d'État à Cuba", post_id=245060)
    with archive.transaction():
        archive.replace_reading(
            intent(content=better, verdict="unchanged", raw_id=raw_id, parser=2, now=NOW + HOUR), ()
        )
    stored = archive.article(245060)
    assert (stored.article.title, stored.revision, stored.parser) == ("Visite d'État à Cuba", 1, 2)
    assert [(r["title"], r["seen_at"]) for r in archive.history(245060)] == [("Visite d'État à Cuba", to_text(NOW))]
    assert hits(archive, "État") == [245060]
    assert_intact(folder)


def test_an_article_seen_again(archive):
    save(archive, intent())
    now = NOW + HOUR
    with archive.transaction():
        archive.set_article_state(245060, "suspect", NOW)
        archive.touch_article(245060, now, replace(intent().article, related=(Related("Du jour"),)))
    stored = archive.article(245060)
    assert (stored.state, stored.checked_at, stored.revision) == ("live", to_text(now), 1)
    assert [story.title for story in stored.article.related] == ["Du jour"]
    with archive.transaction():
        archive.touch_article(245060, now)
    assert [s.title for s in archive.article(245060).article.related] == ["Du jour"], "a 304 response lists no stories"


def test_changes_lists_revisions_and_removals_newest_first(archive):
    save(archive, *(intent(n, article(f"Titre {n}", url=None, post_id=n)) for n in (1, 2, 3)))
    save(
        archive,
        intent(
            2, article("Neuf", url=None, post_id=2), verdict="revised", revision=2, changed=("title",), now=NOW + HOUR
        ),
    )
    with archive.transaction():
        archive.set_article_state(3, "gone", NOW + 2 * HOUR)
    found = archive.changes(None, 10)
    assert [(r["id"], r["what"], r["changed"]) for r in found] == [(3, "gone", []), (2, "revised", ["title"])]
    assert [r["id"] for r in archive.changes(None, 1)] == [3]
    assert [r["id"] for r in archive.changes(to_text(NOW + 2 * HOUR), 10)] == [3]
    assert archive.changes(to_text(NOW + 3 * HOUR), 10) == []


def test_imports_have_negative_ids(archive):
    keys = []
    for n in range(3):
        keys.append(archive.next_import_key())
        save(archive, intent(keys[-1], article(f"Import {n}", url=None)))
    save(archive, intent(9))
    assert keys == [-1, -2, -3]
    assert archive.next_import_key() == -4
    assert archive.article(-2).article.post_id is None
    assert archive.import_key(identity.body_key(article("Import 1", url=None))) == -2
    assert archive.import_key(identity.body_key(article("Import 9"))) is None
    assert archive.import_key(identity.body_key(article())) is None, "an article of the site is not an import"


def test_export_is_ordered_by_id_and_filtered_by_day_in_hanoi(archive):
    days = {-1: None, 7: "2025-05-01", 3: "2025-04-29", 5: "2025-04-30"}
    for key, day in days.items():
        save(archive, intent(key, article(url=None), published_on=day))

    def ids(**span):
        return [stored.id for stored in archive.export(Selection(**span))]

    assert ids() == [-1, 3, 5, 7]
    assert ids(since="2025-04-30") == [5, 7]
    assert ids(until="2025-04-30") == [3, 5]
    assert ids(since="2025-04-30", until="2025-04-30") == [5]
    assert ids(since="2026-01-01") == []


PASSAGE = " ".join(f"mot{'abcdefghijklmnopqrstuvwxyz'[i % 26]}x{'aeiou'[i % 5]}" for i in range(60))


def texts(*parts):
    return tuple(TextBlock("paragraph", part) for part in parts)


def candidates(archive, key, content):
    compared = similarity.compared(content, key)
    return [c.id for c in archive.candidates(key, similarity.passage_hashes(compared), identity.body_key(content))]


def test_candidates_share_a_passage_or_the_title(archive):
    contents = {
        1: article("Un titre", url=None, blocks=texts(PASSAGE)),
        2: article("Autre chose", url=None, blocks=texts("Rien de commun ici.", PASSAGE.upper())),
        3: article("Tout autre", url=None, lead=None, blocks=texts("Le soleil se lève sur la mer calme ce matin.")),
        -1: article("Importé", url=None, post_id=None, blocks=texts(PASSAGE)),
    }
    save(archive, *(intent(key, content) for key, content in contents.items()))
    assert candidates(archive, 9, article("Neuf", blocks=texts(PASSAGE))) == [-1, 1, 2]
    assert candidates(archive, -2, article("Neuf", blocks=texts(PASSAGE))) == [-1, 1, 2]
    assert candidates(archive, 9, article("Un  titre !", lead=None, blocks=texts("Bref."))) == [1]
    assert candidates(archive, 1, contents[1]) == [-1, 2], "an article is no candidate for itself"
    assert candidates(archive, 9, article("Seul", lead=None, blocks=())) == []


def test_a_revised_article_is_found_by_its_new_text_only(archive):
    save(archive, intent(1, article("Un titre", url=None, lead=None, blocks=texts(PASSAGE))))
    short = article("Un autre", url=None, lead=None, blocks=texts("Le texte est tout autre à présent, et il est bref."))
    save(archive, intent(1, short, verdict="revised", revision=2, now=NOW + HOUR))
    assert candidates(archive, 9, article("Neuf", lead=None, blocks=texts(PASSAGE))) == []
    assert candidates(archive, 9, article("Neuf", lead=None, blocks=short.blocks)) == [1]


def test_a_common_passage_does_not_make_an_article_expensive(archive):
    same = [intent(n, article(f"Titre {n}", url=None, lead=None, blocks=texts(PASSAGE))) for n in range(1, 60)]
    save(archive, *same)
    found = candidates(archive, 30, article("Neuf", lead=None, blocks=texts(PASSAGE)))
    assert len(found) == 12
    assert all(20 < key < 40 for key in found), "those that are near in the agency's own order"


def test_similar_articles_in_both_directions(archive):
    save(archive, *(intent(n, article(f"Titre {n}", url=None)) for n in (1, 2)))
    with archive.transaction():
        archive.save_similar([similarity.Similarity(1, 2, "extends", 0.9, "x")])
        archive.save_similar([similarity.Similarity(2, 1, "reissue", 0.95, "y")])
    assert archive.similar(1) == archive.similar(2) == [similarity.Similarity(2, 1, "reissue", 0.95, "y")]
    rows = archive.db.query("SELECT article, role, other, other_title FROM similar_articles ORDER BY article")
    assert [tuple(row.values()) for row in rows] == [(1, "other", 2, "Titre 2"), (2, "this", 1, "Titre 1")]


def test_duplicates_are_linked_once(archive, folder):
    save(archive, intent(-1))
    save(
        archive,
        intent(5, verdict="duplicate", duplicates=(Duplicate(-1, "same text", 1.0),), raw_id=raw(archive, folder)),
    )
    assert list(archive.db.query("SELECT * FROM duplicates")) == [
        {"article": 5, "other": -1, "kind": "same text", "score": 1.0}
    ]
    assert_intact(folder)


# --- search -----------------------------------------------------------------------------------------------------------


def test_the_search_index_follows_every_change(archive, folder):
    save(archive, intent(1, article("Cuba", "Fidel Castro", url=None, lead=None), raw_id=raw(archive, folder)))
    save(archive, intent(2, article("Laos", "Vientiane", url=None, lead=None), raw_id=raw(archive, folder, 1)))
    assert (hits(archive, "cuba"), hits(archive, "castro"), hits(archive, "laos")) == ([1], [1], [2])
    save(archive, intent(1, article("Chine", "Pékin", url=None, lead=None), verdict="revised", revision=2))
    assert (hits(archive, "cuba"), hits(archive, "castro"), hits(archive, "pekin")) == ([], [], [1])
    intact_index(archive)
    with archive.transaction():
        archive.db.conn.execute("DELETE FROM articles_folded WHERE id = 2")
    assert hits(archive, "laos") == []
    intact_index(archive)


def intact_index(archive):
    with archive.transaction():
        archive.db.conn.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")


def test_the_integrity_check_detects_a_damaged_index(archive):
    save(archive, intent())
    archive.db.conn.execute("DROP TRIGGER articles_folded_changed")
    archive.db.conn.execute("UPDATE articles_folded SET title = 'other'")
    archive.db.conn.commit()
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        intact_index(archive)


def test_search_uses_the_repaired_text_and_ignores_accents(archive):
    content = article("Điện Biên Phủ", "la stratégiede sécurité", url=None)
    save(archive, intent(1, content, reading=Reading("la stratégie de sécurité")))
    for words in ("dien bien phu", "Diên Biên Phu", "strategie", "STRATÉGIES", "securite"):
        assert hits(archive, words) == [1], words
    assert hits(archive, "strategiede") == []


def test_search_order_and_filters(archive):
    save(archive, intent(1, article("Cuba Cuba Cuba", "Cuba", url=None, section="Politique")))
    save(
        archive,
        intent(
            2, article("Autre", "Une visite à Cuba et ailleurs", url=None, section="Sports"), published_on="2026-01-01"
        ),
    )
    save(archive, intent(3, article("Laos", "Rien", url=None)))
    assert hits(archive, "cuba") == [2, 1], "newest ids first"
    assert hits(archive, "cuba", rank=True) == [1, 2]
    assert hits(archive, "cuba", limit=1) == [2]
    assert hits(archive, "cuba", section="sports") == [2]
    assert hits(archive, "cuba", section="Culture") == []
    assert hits(archive, "cuba", since="2026-01-01") == [2]
    assert hits(archive, "cuba", until="2025-12-31") == [1]


#: Articles in no order of time, some without a day, one imported, one in two sections, and two spellings of a section:
#: id, day, sections. All match the same word.
SEARCHED = (
    (1, "2025-03-01", ["Économie"]), (2, None, ["Sports"]), (3, "2024-12-31", ["Politique", "Sports"]),
    (4, "2025-01-01", ["economie"]), (5, "2025-12-31", []), (6, "2019-01-01", ["Sports"]), (-1, "2025-06-01", []),
)  # fmt: skip


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    with open_archive(tmp_path_factory.mktemp("searched")) as opened:
        for key, day, sections in SEARCHED:
            save(opened, intent(key, article(f"Cuba {key}", "Cuba", url=None, section=None), published_on=day))
            opened.db.conn.executemany("INSERT INTO sections VALUES (?, ?)", [(key, name) for name in sections])
        opened.db.conn.commit()
        yield opened


@pytest.mark.parametrize("section", [None, "sports", "ECONOMIE", "Culture", ""])
@pytest.mark.parametrize(
    ("since", "until"),
    [
        (None, None),
        ("2025-01-01", None),
        (None, "2024-12-31"),
        ("2025-01-01", "2025-12-31"),
        ("2025-03-01", "2025-03-01"),
        ("2030-01-01", "2031-01-01"),
        ("2025-12-31", "2025-01-01"),
        ("2019-01-01", "2026-01-01"),
    ],
)
def test_a_search_finds_what_all_filters_select(searched, since, until, section):
    expected = [
        key
        for key, day, sections in sorted(SEARCHED, reverse=True)
        if (since is None or (day is not None and day >= since))
        and (until is None or (day is not None and day <= until))
        and (section is None or fold.letters(section) in map(fold.letters, sections))
    ]
    for limit in (1, 2, 20):
        found = partial(hits, searched, "cuba", since=since, until=until, section=section, limit=limit)
        assert found() == expected[:limit]
        assert len(set(found(rank=True)) & set(expected)) == len(found(rank=True)) == min(limit, len(expected))


# --- the frontier -----------------------------------------------------------------------------------------------------


def sight(archive, *, now=NOW, modified=None, source="home", page=1):
    seen = Sighting(f"{SITE}/x-post{page}.vnp", page, modified_at=modified, position=0)
    with archive.transaction():
        return archive.add_sightings(source, [seen], now, now)


def due(archive, now, **options):
    return [page.id for page in archive.due_pages(now, **options)]


def visited(archive, state, *, due_at=None, now=NOW, page=1, **outcome):
    with archive.transaction():
        archive.save_page(page, PageOutcome(state, due_at, **outcome), now)


def test_a_page_is_new_only_once(archive):
    assert sight(archive) == 1
    assert sight(archive, source="feed") == 0
    assert sight(archive, now=NOW + HOUR) == 0
    found = list(archive.db.query("SELECT * FROM sightings ORDER BY source"))
    assert [(r["source"], r["first_seen_at"], r["last_seen_at"]) for r in found] == [
        ("feed", to_text(NOW), to_text(NOW)),
        ("home", to_text(NOW), to_text(NOW + HOUR)),
    ]
    assert archive.sighted("home", [1, 2]) == {1}
    assert due(archive, NOW) == [1]
    with archive.transaction():
        assert archive.add_sightings("home", [Sighting(SITE)], NOW, NOW) == 0, "a sighting without an id is ignored"


@pytest.mark.parametrize(
    ("situation", "state", "hint", "is_due"),
    [
        ("no hint", "live", None, False),
        ("older than the fetch", "live", NOW - HOUR, False),
        ("the same instant", "live", NOW, True),
        ("newer", "live", NOW + HOUR, True),
        ("newer, but gone", "gone", NOW + HOUR, False),
        ("newer, with layout drift", "drift", NOW + HOUR, True),
    ],
)
def test_a_later_modification_makes_a_page_due(archive, situation, state, hint, is_due):
    sight(archive)
    visited(archive, state, due_at=NOW + 100 * HOUR)
    sight(archive, now=NOW + 2 * HOUR, modified=hint)
    assert due(archive, NOW + 2 * HOUR) == [1] * is_due
    visited(archive, state, due_at=NOW + 100 * HOUR, now=NOW + 3 * HOUR)
    sight(archive, now=NOW + 4 * HOUR, modified=hint)
    assert due(archive, NOW + 4 * HOUR) == [], "the same hint does not count twice"


def test_due_pages_are_new_ones_first_then_newest_first(archive):
    for page in (3, 9, 5, 7, 8):
        sight(archive, page=page)
    visited(archive, "live", page=9, due_at=NOW)
    visited(archive, "gone", page=8)
    visited(archive, "live", page=7)
    assert due(archive, NOW - HOUR) == []
    assert due(archive, NOW) == [5, 3, 9]
    assert due(archive, NOW, ignore_due=True) == [5, 3, 9, 7], "everything except gone pages"


def test_a_failed_visit_keeps_the_capture_of_a_page(archive, folder):
    raw_id = raw(archive, folder)
    sight(archive)
    visited(archive, "live", raw_id=raw_id, etag='"1"')
    visited(archive, "live", error="timeout", failures=1)
    (row,) = archive.db.query("SELECT * FROM pages")
    assert (row["raw_id"], row["etag"], row["error"], row["failures"]) == (raw_id, None, "timeout", 1)


def test_polls_update_sources(archive):
    with archive.transaction():
        archive.add_sources(
            [SourceFound("feed", "f"), SourceFound("home", "h"), SourceFound("section", "s", "Sports")], NOW
        )
        archive.add_sources([SourceFound("sitemap", "old")], None)
    assert [s.url for s in archive.due_sources(NOW)] == ["h", "f", "s"]
    with archive.transaction():
        archive.save_source("h", SourceOutcome("ok", NOW + HOUR, 60, 3, etag="1"), NOW)
        archive.add_sources([SourceFound("home", "h", "Accueil")], NOW)
    assert [s.url for s in archive.due_sources(NOW)] == ["f", "s"], "a known source keeps its due time"
    with archive.transaction():
        archive.save_source("h", SourceOutcome("failing", NOW + HOUR, error="HTTP status 500", failures=2), NOW + HOUR)
    (row,) = archive.db.query("SELECT * FROM sources WHERE url = 'h'")
    assert (row["items"], row["fresh_items"], row["last_ok_at"], row["etag"]) == (60, 3, to_text(NOW), "1")
    assert (row["state"], row["failures"], row["name"]) == ("failing", 2, "Accueil")
    assert [s.url for s in archive.due_sources(NOW, ignore_due=True)] == ["h", "f", "s"], (
        "the sitemap added without a due time is not polled"
    )


def test_a_capture_is_identified_by_its_location(archive):
    ref = RawRef("2026/11/a.warc.gz", 10, 20, "sha256:A")
    with archive.transaction():
        archive.add_raw("u", NOW, 302, replace(ref, offset=40))
        one = archive.add_raw("u", NOW, 200, ref)
        assert archive.capture_at("u", NOW) == ref, "not the redirect at the same second"
        assert archive.capture_at("u", NOW + timedelta(seconds=1)) is None
        assert archive.add_raw("u", NOW, 200, ref) == one
        assert archive.add_raw("u", NOW, 200, replace(ref, offset=30)) != one
        assert (archive.known_end(ref.file), archive.known_end("another")) == (60, 0)


def test_the_sizes_of_the_last_thirty_days_are_returned_oldest_first(archive):
    days = [f"2026-{month:02}-{day:02}" for month in (9, 10) for day in range(1, 21)]
    for number, day in enumerate(days):
        archive.save_disk(day, number, 0, 0)
    assert [size.day for size in archive.sizes()] == days[10:]


@pytest.mark.parametrize(("free", "is_enough"), [(1000, True), (999, False)])
def test_the_reserve_of_the_disk_must_stay_free(folder, free, is_enough):
    with nullcontext() if is_enough else pytest.raises(DiskLow):
        disk.guard(folder, 1000, lambda _: free)()


def test_how_long_a_query_waits_for_a_lock_can_be_set(archive):
    archive.wait_at_most(70)
    assert archive.db.execute("PRAGMA busy_timeout").fetchone() == (70,)


def test_runs_and_requests(archive):
    run = archive.begin_run("poll", NOW)
    assert archive.status()["last_run"]["outcome"] is None, "a killed run is shown as unfinished"
    assert archive.status()["last_run"]["report"] is None
    with archive.transaction():
        archive.log_requests(run, [Exchange("u", NOW, 200, 100, 0.1), Exchange("u", NOW, None, 0, 30.0, "timeout")])
    archive.end_run(run, NOW + HOUR, "done", RunReport(new=2))
    found = archive.status()
    assert (found["requests"], found["bytes"]) == (2, 100)
    assert found["last_run"]["report"]["new"] == 2
    assert found["last_run"]["ended_at"] == to_text(NOW + HOUR)


def test_status_lists_pages_that_need_attention(archive):
    for page, state in enumerate(("live", "drift", "rejected", "failed", "suspect", "gone"), start=1):
        sight(archive, page=page)
        visited(archive, state, page=page, error="because")
    found = archive.status()
    assert sorted(row["state"] for row in found["attention"]) == ["drift", "failed", "rejected", "suspect"]
    assert found["pages"] == dict.fromkeys(("drift", "failed", "gone", "live", "rejected", "suspect"), 1)


def test_adding_a_page_twice_keeps_one_row(archive):
    page = PageForFetch(8, "u", "known", 0, NOW, None, None)
    with archive.transaction():
        archive.add_page(page, "elsewhere")
        archive.add_page(page, "elsewhere")
    assert list(archive.db.query("SELECT id, state, first_source FROM pages")) == [
        {"id": 8, "state": "known", "first_source": "elsewhere"}
    ]


def test_sightings_are_stored_alike_together_and_one_by_one(tmp_path):
    """Most sightings change nothing but their own row, so that a list of them needs few statements."""
    rng = random.Random(7)
    times = [None, NOW - timedelta(days=2), NOW, NOW + timedelta(days=1)]

    def seen():
        page = rng.choice([1, 2, 3, 4, 5, 6, None])
        address = f"{SITE}/{rng.choice('xxxxy')}-post{page}.vnp"
        return Sighting(
            address, page, modified_at=rng.choice(times), published_at=rng.choice(times), position=rng.randrange(9)
        )

    lists = [(rng.choice(["home", "feed"]), [seen() for _ in range(8)], rng.choice([True, False])) for _ in range(60)]
    states = ["live", "known", "absent", "gone", "suspect", "failed"]
    found = []
    for name, size in (("together", 8), ("alone", 1)):
        with open_archive(tmp_path / name) as archive, archive.transaction():
            fresh = 0
            for number, (source, sightings, past) in enumerate(lists):
                at = NOW + timedelta(hours=number)
                for start in range(0, 8, size):
                    part = sightings[start : start + size]
                    fresh += archive.add_sightings(source, part, at, at if number % 2 else None, past=past)
                archive.db.execute("UPDATE pages SET state = ? WHERE id = ?", [states[number % 6], number % 7])
            found.append(
                (fresh, [list(archive.db.query(f"SELECT * FROM {table}")) for table in ("pages", "sightings")])
            )
    assert found[0] == found[1]


def test_known_stories_need_few_statements(archive):
    stories = [Sighting(f"{SITE}/x-post{number}.vnp", number) for number in range(1, 8)]
    with archive.transaction():
        archive.add_sightings("home", stories, NOW, NOW)
        archive.db.execute("UPDATE pages SET state = 'live'")
        run = []
        archive.db.conn.set_trace_callback(run.append)
        archive.add_sightings("home", stories, NOW, NOW)
        archive.db.conn.set_trace_callback(None)
    assert len(run) == 1 + len(stories)
