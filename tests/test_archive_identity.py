"""The identity of an archive: a random UUID in its database and in each of its WARC files."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import zlib
from contextlib import closing
from uuid import UUID

import pytest
from support import FakeClock, RecordedProgress, configured, copy_archive, fetched, mounted, poll, value, vna
from test_captures import import_files
from test_migrations import SCHEMAS, upgraded

from crawler import app, replay
from crawler.errors import OtherArchive
from crawler.sim.site import Options
from crawler.storage import FILE, open_archive
from crawler.warc import WarcStore
from crawler.warc.archive_id import archive_id

pytestmark = pytest.mark.migrations
IDENTITY = "0b6f43e0-6a4c-4a3a-9a55-d1c1f2a3b4c5"
FEW = Options(no_samples=True)
OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    archive = tmp_path_factory.mktemp("polled") / "archive"
    clock = FakeClock()
    with mounted(clock, articles=2, options=FEW):
        poll(archive, clock)
    return archive


@pytest.fixture
def archive(polled, tmp_path):
    return copy_archive(polled, tmp_path / "archive")


def identity_of(archive):
    outcome = vna("--archive", archive, "status", "--json")
    assert outcome.code == 0, outcome
    return json.loads(outcome.out)["identity"]


def warc_files(archive):
    return sorted((archive / "warc").rglob("*.warc.gz"))


def rebuild(archive):
    with app.rebuilding(configured(archive), archive / "rebuilt", RecordedProgress(), clock=FakeClock()) as run:
        report = replay.rebuild(run, archive / FILE)
        return report, run.archive.identity()


# --- where it is stored -----------------------------------------------------------------------------------------------


def test_each_new_archive_has_a_random_identity(tmp_path):
    found = set()
    for name in ("one", "two"):
        open_archive(tmp_path / name).close()
        found.add(identity_of(tmp_path / name))
    assert len(found) == 2
    assert {UUID(identity).version for identity in found} == {4}
    assert any(f"identity   {identity}" in vna("--archive", tmp_path / "one", "status").out for identity in found)


def test_the_identity_stays_when_the_archive_is_opened_again_moved_or_copied(archive, tmp_path):
    identity = identity_of(archive)
    with mounted(FakeClock(), articles=2, options=FEW):
        poll(archive, FakeClock())
    assert identity_of(archive) == identity
    assert identity_of(copy_archive(archive, tmp_path / "copied")) == identity
    assert identity_of(archive.rename(tmp_path / "moved")) == identity


def test_the_database_holds_only_one_identity(archive):
    with open_archive(archive) as opened, pytest.raises(sqlite3.IntegrityError):
        opened.db.execute("INSERT INTO archive_identity (id) VALUES (?)", [OTHER])


def test_every_warc_file_names_the_archive_in_its_warcinfo_record(archive):
    clock = FakeClock()
    clock.advance(days=1)
    with mounted(clock, articles=2, options=FEW) as site:
        site.fake_site.publish(1)
        poll(archive, clock)
    files = warc_files(archive)
    assert len(files) == 2
    for file in files:
        record = zlib.decompressobj(wbits=31).decompress(file.read_bytes())
        head, _, body = record.partition(b"\r\n\r\n")
        assert b"Content-Type: application/warc-fields" in head
        assert f"vna-archive-id: urn:uuid:{identity_of(archive)}".encode() in body.split(b"\r\n")
        assert b"software: vna-archive" in body
        assert archive_id(file) == identity_of(archive)


@pytest.mark.parametrize("stored", SCHEMAS, ids=lambda path: path.name[:4])
def test_an_older_archive_gets_an_identity_at_the_upgrade(tmp_path, stored):
    upgraded(tmp_path, stored)
    identity = identity_of(tmp_path)
    assert UUID(identity).version == 4
    assert identity_of(tmp_path) == identity


def test_the_database_of_an_older_version_gets_the_identity_of_the_warc_files(archive):
    """A backup of an older version was restored next to WARC files that were written later."""
    identity = identity_of(archive)
    without_identity(archive / FILE)
    assert identity_of(archive) == identity


def test_a_new_database_next_to_warc_files_gets_their_identity(archive):
    """The database was lost, and a command created a new one."""
    identity = identity_of(archive)
    (archive / FILE).unlink()
    with app.working(configured(archive), "poll", RecordedProgress(), clock=FakeClock()) as run:
        assert run.archive.identity() == identity


def without_identity(file):
    """Turn a database into one of schema 3, which had no identities."""
    with closing(sqlite3.connect(file)) as db:
        db.executescript(
            "DROP TABLE archive_identity; ALTER TABLE sightings DROP COLUMN url;"
            "DROP INDEX sources_address; ALTER TABLE sources DROP COLUMN address; ALTER TABLE plan_steps DROP COLUMN guessed;"
            "DELETE FROM _sqlite_migrations WHERE name = '0004_identity';"
            "PRAGMA user_version = 3; PRAGMA journal_mode = DELETE;"
        )


# --- reading it from WARC files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data, IDENTITY),
        (lambda data: data[:100], None),
        (lambda _: b"", None),
        (lambda data: b"x" * len(data), None),
        (lambda data: data[:60] + bytes([data[60] ^ 255]) + data[61:], None),
    ],
    ids=["intact", "torn", "empty", "not gzip", "flipped byte"],
)
def test_the_identity_in_a_warc_file(tmp_path, change, expected):
    with WarcStore(tmp_path, identity=IDENTITY) as store:
        store.append(fetched())
    (file,) = tmp_path.rglob("*.warc.gz")
    file.write_bytes(change(file.read_bytes()))
    assert archive_id(file) == expected


def test_a_warc_file_of_an_older_version_has_no_identity(tmp_path):
    with WarcStore(tmp_path) as store:
        store.append(fetched(b"vna-archive-id: urn:uuid:" + OTHER.encode()))
    (file,) = tmp_path.rglob("*.warc.gz")
    assert archive_id(file) is None


def test_a_file_of_another_archive_is_not_continued(tmp_path):
    with WarcStore(tmp_path, identity=OTHER) as store:
        store.append(fetched())
    with WarcStore(tmp_path) as store:
        assert store.append(fetched()).file.endswith("-000.warc.gz")
    with WarcStore(tmp_path, identity=IDENTITY) as store:
        ref = store.append(fetched())
    assert ref.file.endswith("-001.warc.gz")
    assert archive_id(tmp_path / ref.file) == IDENTITY


def test_an_import_does_not_take_the_identity_of_the_imported_files(polled, tmp_path):
    archive = tmp_path / "new"
    clock = FakeClock()
    clock.advance(hours=1)
    with mounted(clock, articles=2, options=FEW):
        import_files(archive, clock, *warc_files(polled))
    assert value(archive, "SELECT count(*) FROM articles") > 0
    assert {archive_id(file) for file in warc_files(archive)} == {identity_of(archive)} != {identity_of(polled)}
    assert rebuild(archive)[1] == identity_of(archive)


# --- rebuild ----------------------------------------------------------------------------------------------------------


def test_a_rebuilt_database_has_the_identity_of_the_old_one(archive):
    report, identity = rebuild(archive)
    assert identity == identity_of(archive)
    assert not report.differing
    assert ("archive_identity", 1, 1) in [(t.table, t.old, t.new) for t in report.tables]


def test_rebuild_replace_keeps_the_identity(archive):
    identity = identity_of(archive)
    assert vna("--archive", archive, "rebuild", "--replace").code in (0, 5)
    assert list(archive.glob("vna.db.before-*"))
    assert identity_of(archive) == identity


@pytest.mark.parametrize("damage", ["missing", "not a database", "truncated"])
def test_without_the_old_database_the_warc_files_give_the_identity(archive, damage):
    identity = identity_of(archive)
    if damage == "missing":
        (archive / FILE).unlink()
    else:
        (archive / FILE).write_bytes(
            b"x" * 5000 if damage == "not a database" else (archive / FILE).read_bytes()[:3000]
        )
    _, rebuilt = rebuild(archive)
    assert rebuilt == identity


def test_a_rebuild_of_older_files_alone_creates_an_identity(tmp_path):
    with WarcStore(tmp_path / "warc") as store:
        store.append(fetched(), "page:245060")
    _, identity = rebuild(tmp_path)
    assert UUID(identity).version == 4


def test_a_changed_identity_in_the_database_is_put_right_from_the_warc_files(archive):
    identity = identity_of(archive)
    with open_archive(archive) as opened:
        opened.set_identity(OTHER)
    _, rebuilt = rebuild(archive)
    assert rebuilt == identity


@pytest.mark.parametrize("with_database", [True, False])
def test_warc_files_of_two_archives_are_refused(archive, with_database):
    with WarcStore(archive / "warc", identity=OTHER) as store:
        foreign = store.append(fetched()).file
    if not with_database:
        (archive / FILE).unlink()
    with pytest.raises(OtherArchive, match=re.escape(foreign)) as caught:
        rebuild(archive)
    assert OTHER in str(caught.value)
    assert "move" in caught.value.hint
    assert not (archive / "rebuilt").exists()


def test_a_database_next_to_the_warc_files_of_another_archive_is_refused(archive, tmp_path):
    other = tmp_path / "other"
    open_archive(other).close()
    shutil.copytree(archive / "warc", other / "warc")
    with pytest.raises(OtherArchive, match=identity_of(other)):
        rebuild(other)
    (other / FILE).rename(other / "old")
    assert rebuild(other)[1] == identity_of(archive)
