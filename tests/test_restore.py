"""Restoring a backup: only into a folder of its own, only what the manifest says, whole or not at all."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import NOW, FakeClock, assert_intact, copy_archive, fetched, mounted, poll, rows, value, vna
from test_backup import SMALL, WARC, as_older_version, contents, execute, flip, identity_of, report
from test_upkeep import refused

from crawler import backup
from crawler.errors import BackupFailed, StorageError
from crawler.storage import FILE
from crawler.warc import WarcStore
from crawler.warc.archive_id import archive_id

#: The forked children use no threads, so that the warning about them does not apply.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """An archive with the WARC files of two days, and a backup of it that includes them."""
    folder = tmp_path_factory.mktemp("polled")
    clock = FakeClock()
    with mounted(clock, articles=8, options=SMALL) as site:
        poll(folder / "archive", clock, list_pages=1)
        clock.advance(days=1)
        site.fake_site.publish(1)
        poll(folder / "archive", clock, list_pages=1)
    backup.back_up(folder / "archive", folder / "backup", NOW, with_warc=True)
    return folder


@pytest.fixture
def archive(polled, tmp_path):
    return copy_archive(polled / "archive", tmp_path / "archive")


@pytest.fixture
def saved(polled, tmp_path):
    return Path(shutil.copytree(polled / "backup", tmp_path / "backup"))


@pytest.fixture
def back(tmp_path):
    return tmp_path / "back"


def restored(saved, back, code=0):
    outcome = vna("--archive", back, "restore", saved, "--json")
    assert outcome.code == code, outcome
    return json.loads(outcome.out)


def test_a_restored_archive_is_whole_and_collects_again(archive, saved, back):
    done = restored(saved, back)
    assert (done["copied"], done["wrong"], done["identity"]) == (2, {}, identity_of(archive))
    assert contents(back / "warc") == contents(archive / "warc")
    assert identity_of(back) == identity_of(archive)
    assert_intact(back)
    assert vna("--archive", back, "verify").code == 0
    clock = FakeClock()
    clock.advance(days=2)
    with mounted(clock, options=SMALL) as site:
        site.fake_site.publish(2)
        assert poll(back, clock, list_pages=1).new == 2
    assert len(list((back / "warc").rglob("*.warc.gz"))) == 3
    assert {archive_id(file) for file in (back / "warc").rglob("*.warc.gz")} == {identity_of(archive)}
    assert vna("--archive", back, "verify").code == 0
    assert report(back, saved, "--warc")["copied"] == 1


def test_a_restored_backup_of_an_older_version_gets_an_identity_once(saved, back):
    as_older_version(saved)
    assert restored(saved, back)["identity"] is None
    identity = json.loads(vna("--archive", back, "status", "--json").out)["identity"]
    assert identity == identity_of(back) == archive_id(back / "warc" / WARC)


# --- hostile and damaged manifests ------------------------------------------------------------------------------------


def edit(saved, change):
    """Change the manifest of a backup."""
    file = saved / backup.MANIFEST
    made = json.loads(file.read_text())
    change(made)
    file.write_text(json.dumps(made))


@pytest.mark.parametrize(
    "name",
    [
        "../outside.warc.gz", "/tmp/outside.warc.gz", "2026/../../outside.warc.gz", "2026/11/../../../o.warc.gz", "..", "",
        ".", "2026//11.warc.gz", "./a.warc.gz", "a\0.warc.gz", "a\n.warc.gz", "a\x7f.warc.gz", "a\ud800.warc.gz",
        "a\\b.warc.gz", "2026/11/vna.txt", "../vna.db", ".warc.gz", "a" * 300 + ".warc.gz", "a/", 7, None, ["a"],
    ],
)  # fmt: skip
def test_names_that_lead_outside_are_refused(saved, back, tmp_path, name):
    before = contents(tmp_path)
    edit(saved, lambda made: made["warc"][1].update(file=name))
    outcome = vna("--archive", back, "restore", saved)
    refused(outcome, "manifest.json")
    assert "\0" not in outcome.err
    assert not back.exists()
    assert {k: v for k, v in contents(tmp_path).items() if "manifest" not in k} == {
        k: v for k, v in before.items() if "manifest" not in k
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.warc.gz", "a.warc.gz"),
        ("a.warc.gz", "A.warc.gz"),
        ("2026/A.warc.gz", "2026/a.warc.gz"),
        ("\u00e9.warc.gz", "e\u0301.warc.gz"),
        ("a.warc.gz", "a.warc.gz/b.warc.gz"),
        ("A.warc.gz", "a.warc.gz/b.warc.gz"),
        ("stra\u00dfe.warc.gz", "STRASSE.warc.gz"),
    ],
)
def test_names_that_denote_one_file_are_refused(saved, back, first, second):
    edit(saved, lambda made: (made["warc"][0].update(file=first), made["warc"][1].update(file=second)))
    refused(vna("--archive", back, "restore", saved), repr(first))
    assert not back.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made["warc"][0].update(bytes=-1),
        lambda made: made["warc"][0].update(bytes="9"),
        lambda made: made["warc"][0].update(bytes=True),
        lambda made: made["warc"][0].update(sha256="zz"),
        lambda made: made["warc"][0].update(extra=1),
        lambda made: made.update(warc="abc"),
        lambda made: made.update(warc=None),
        lambda made: made.update(identity=5),
        lambda made: made.update(identity="../x"),
        lambda made: made.update(schema="4"),
        lambda made: made.update(copied=3),
        lambda made: made.pop("database_sha256"),
        lambda made: made.update(articles=None),
    ],
)
def test_a_manifest_with_wrong_values_is_refused(saved, back, change):
    edit(saved, change)
    refused(vna("--archive", back, "restore", saved), "not a backup", "manifest.json")
    assert not back.exists()


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "\xff", '{"warc": []}'])
def test_a_file_that_is_no_manifest_is_refused(saved, back, text):
    (saved / backup.MANIFEST).write_bytes(text.encode("latin-1"))
    refused(vna("--archive", back, "restore", saved), "not a backup")
    assert not back.exists()


def test_a_damaged_database_is_refused_as_a_whole(saved, back):
    flip(saved / FILE, 5000)
    refused(vna("--archive", back, "restore", saved), "does not match the digest", "rebuild")
    assert not back.exists()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (flip, "different"),
        (lambda file: os.truncate(file, 3000), "shorter"),
        (Path.unlink, "missing"),
        (lambda file: os.truncate(file, 0), "shorter"),
    ],
    ids=["flipped bit", "truncated", "missing", "empty"],
)
def test_a_damaged_warc_file_is_named_and_gets_another_name(saved, back, change, fault):
    change(saved / "warc" / WARC)
    assert restored(saved, back, code=5)["wrong"] == {WARC: fault}
    assert not (back / "warc" / WARC).exists()
    damaged = back / "warc" / f"{WARC}.damaged"
    if fault == "missing":
        assert not damaged.exists()
    else:
        assert damaged.read_bytes() == (saved / "warc" / WARC).read_bytes()
    assert value(back, "SELECT count(*) FROM articles") > 0


def test_bytes_behind_the_listed_ones_are_not_restored(saved, back):
    good = (saved / "warc" / WARC).read_bytes()
    with (saved / "warc" / WARC).open("ab") as file:
        file.write(b"half a record")
    assert restored(saved, back)["wrong"] == {}
    assert (back / "warc" / WARC).read_bytes() == good


# --- the target -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["nothing", "a/b/c", "file"])
def test_a_wrong_path_leaves_no_folder(back, tmp_path, path):
    (tmp_path / "file").touch()
    refused(vna("--archive", back, "restore", tmp_path / path), "not a backup", "vna backup")
    assert not back.exists()


@pytest.mark.parametrize(
    "name", ["letters.txt", "vna.db.old", "manifest.json", "photos/", "warc.old/", "vna.db.before-1"]
)
def test_a_folder_with_other_files_is_refused(saved, back, name):
    back.mkdir()
    (back / name).mkdir() if name.endswith("/") else (back / name).touch()
    before = contents(back)
    refused(vna("--archive", back, "restore", saved), "is not empty", repr(name.rstrip("/")))
    assert contents(back) == before
    assert [path.name for path in back.iterdir()] == [name.rstrip("/")]


@pytest.mark.parametrize(
    "name", ["README.md", "vna.lock", "vna-collect.lock", "state/", "demo/", ".bash_history", "lost+found/"]
)
def test_a_prepared_folder_is_accepted(saved, back, name):
    back.mkdir()
    (back / name).mkdir() if name.endswith("/") else (back / name).touch()
    assert restored(saved, back)["wrong"] == {}


@pytest.mark.parametrize("place", ["backup", "backup/archive", "backup/warc/archive", "link/archive", "file", "broken"])
def test_a_target_inside_the_backup_or_without_a_folder_is_refused(saved, tmp_path, place):
    (tmp_path / "link").symlink_to(saved)
    (tmp_path / "file").touch()
    (tmp_path / "broken").symlink_to(tmp_path / "none")
    before = contents(tmp_path)
    refused(vna("--archive", tmp_path / place, "restore", saved))
    assert contents(tmp_path) == before
    assert not (saved / "archive").exists()


@pytest.mark.parametrize("place", ["warc", "warc/2026", "warc/2026/11"])
def test_nothing_is_written_through_links_in_the_target(saved, back, tmp_path, place):
    (back / place).parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (back / place).symlink_to(tmp_path / "elsewhere")
    refused(vna("--archive", back, "restore", saved), "symbolic link")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (back / FILE).exists()


def test_existing_warc_files_of_another_archive_are_refused(saved, back):
    with WarcStore(back / "warc", identity="11111111-2222-4333-8444-555555555555") as store:
        store.append(fetched())
    refused(vna("--archive", back, "restore", saved), "another archive", "11111111-2222")
    assert not (back / FILE).exists()


def test_an_archive_in_use_is_not_overwritten(saved, archive):
    before = contents(archive)
    refused(vna("--archive", archive, "restore", saved), "already contains an archive")
    assert contents(archive) == before


# --- interruptions ----------------------------------------------------------------------------------------------------


def killed_at(step, work):
    """Run `work` in a forked process that kills itself before its `step`-th change on the disk; return whether it did."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def counted(function):
            def wrapper(*args, **kwargs):
                nonlocal count
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)

            return wrapper

        os.fsync = counted(os.fsync)
        Path.replace = counted(Path.replace)
        Path.hardlink_to = counted(Path.hardlink_to)
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def titles(archive):
    return [row["title"] for row in rows(archive, "SELECT title FROM articles ORDER BY id")]


@pytest.mark.parametrize("step", [1, 3, 5, 7, 8, 9, 10, 11, 12])
def test_a_killed_backup_leaves_the_old_or_the_new_one(archive, saved, back, step):
    old = titles(archive)
    execute(archive, "UPDATE articles SET title = title || ' (new)'")
    (saved / "warc" / WARC).unlink()  # so that a WARC file is copied, too
    assert killed_at(step, lambda: backup.back_up(archive, saved, NOW, with_warc=True))
    done = backup.restore(saved, back)
    assert titles(back) in (old, titles(archive))
    assert done.wrong in ({}, {WARC: "missing"})
    assert backup.back_up(archive, saved, NOW, with_warc=True).refused == {}
    assert contents(saved / "warc") == contents(archive / "warc")
    assert {path.name for path in saved.iterdir()} == {FILE, backup.MANIFEST, "backup.lock", "warc"}


@pytest.mark.parametrize("step", [1, 4, 7, 10, 12])
def test_a_killed_restore_is_continued_by_the_next(archive, saved, back, step):
    assert killed_at(step, lambda: backup.restore(saved, back))
    assert not (back / FILE).exists()
    for file in (back / "warc").rglob("*.warc.gz"):
        assert file.read_bytes() == (archive / "warc" / file.relative_to(back / "warc")).read_bytes()
    assert restored(saved, back)["wrong"] == {}
    assert contents(back / "warc") == contents(archive / "warc")
    assert titles(back) == titles(archive)
    assert [path.name for path in back.rglob("*.new")] == []


@pytest.mark.parametrize("limit", [0, 3000, 50_000, 400_000])
def test_a_full_disk_leaves_the_old_backup(archive, saved, back, limit):
    """RLIMIT_FSIZE stands for a full disk: a write that crosses the limit fails."""
    execute(archive, "UPDATE articles SET title = title || ' (new)'")
    (saved / "warc" / WARC).unlink()
    before = contents(saved)
    with file_size_limit(limit), pytest.raises(BackupFailed) as caught:
        backup.back_up(archive, saved, NOW, with_warc=True)
    assert caught.value.hint
    assert {k: v for k, v in contents(saved).items() if k != f"warc/{WARC}"} == before
    with file_size_limit(limit), pytest.raises(StorageError) as caught:
        backup.restore(saved, back)
    assert caught.value.hint
    assert not (back / FILE).exists()
    assert backup.restore(saved, back).articles > 0


@contextmanager
def file_size_limit(size):
    """Let every write fail that makes a file larger than `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_new_names_are_on_the_disk_before_they_are_relied_upon(archive, saved, monkeypatch):
    """Files are synced before they are renamed, and folders before and after: a power cut leaves one whole backup."""
    events = []
    for owner, name in ((os, "fsync"), (Path, "replace")):
        monkeypatch.setattr(owner, name, recorded(events, name, getattr(owner, name)))
    execute(archive, "UPDATE articles SET title = title || ' (new)'")
    backup.back_up(archive, saved, NOW, with_warc=True)
    assert events[-6:] == [
        "fsync manifest.json.next", "fsync backup", "replace vna.db.next", "fsync backup", "replace manifest.json.next",
        "fsync backup",
    ]  # fmt: skip


def recorded(events, name, function):
    def wrapper(target, *args):
        path = target if isinstance(target, Path) else Path(f"/proc/self/fd/{target}").readlink()
        events.append(f"{name} {path.name}")
        return function(target, *args)

    return wrapper
