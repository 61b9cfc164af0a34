"""Modes of new files and folders, links that somebody else has put into a folder, and files of other users."""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support import NOW, SEEDS, mounted, poll, rows, vna

from crawler import backup, export, files
from crawler.errors import BadInput, StopError
from crawler.fetch.budget import Budget
from crawler.rate_limit import RateLimits
from crawler.sim.site import Options
from crawler.storage.archive import open_archive
from crawler.storage.crash_marker import CrashMarker
from crawler.storage.locks import Claims, exclusive_lock, holding
from crawler.storage.replace_db import replace_database
from crawler.warc.tail import repair_tail

FEW = Options(no_samples=True)
VICTIM = "the file of somebody else\n"


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(folder):
    """Return the modes of the files and of the folders below a folder, itself included."""
    found = [folder, *folder.rglob("*")]
    return tuple(
        {stat.S_IMODE(path.lstat().st_mode) for path in found if kind(path) and not path.is_symlink()}
        for kind in (Path.is_file, Path.is_dir)
    )


# --- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777], ids=oct)
def test_new_files_and_folders_have_fixed_modes(tmp_path, mask):
    with umask(mask):
        assert vna("init", tmp_path / "new").code == 0
        files.replace(tmp_path / "new" / "state", b"")
        files.make_folder(tmp_path / "new" / "a" / "b")
    assert modes(tmp_path / "new") == ({0o640}, {0o750})


@pytest.mark.parametrize("mask", [0o000, 0o777], ids=oct)
def test_everything_in_an_archive_has_fixed_modes(tmp_path, clock, mask):
    archive, copy, back = (tmp_path / name / "x" for name in ("archive", "copy", "back"))
    with umask(mask):
        with mounted(clock, articles=2, options=FEW):
            poll(archive, clock)
        assert vna("--archive", archive, "import", *sorted(SEEDS.glob("*.txt"))).code == 0
        with open_archive(archive) as opened, opened.transaction(), opened.claim(1):
            opened.db.execute("UPDATE runs SET command = command")
            with CrashMarker(archive, "collect") as marker, marker.processing("page:1"):
                assert {path.name for path in archive.iterdir()} >= {"vna.db-wal", "vna.db-shm", "vna.claims"}
                assert modes(archive) == ({0o640}, {0o750})
        backup.back_up(archive, copy, NOW, with_warc=True)
        backup.restore(copy, back)
        assert vna("--archive", archive, "rebuild", "--into", tmp_path / "rebuilt").code in (0, 5)
        assert vna("--archive", back, "rebuild", "--replace").code in (0, 5)
    names = {path.name for path in archive.rglob("*")}
    assert {"vna.lock", "vna-collect.lock", "vna-text.lock", "in-hand-collect", "state", "warc"} <= names
    assert {name.split("-")[0] for name in names} >= {"budget", "connection", "robots"}
    for folder in (archive, copy, back, tmp_path / "rebuilt"):
        assert modes(folder) == ({0o640}, {0o750}), folder
    assert {stat.S_IMODE(folder.parent.stat().st_mode) for folder in (archive, copy, back)} == {0o750}


def test_existing_files_keep_their_modes(tmp_path, clock):
    archive = tmp_path / "archive"
    with mounted(clock, articles=1, options=FEW) as site:
        poll(archive, clock)
        found = [path for path in (archive, *archive.rglob("*")) if path.parent.name != "state"]
        for path in found:
            path.chmod(0o775 if path.is_dir() else 0o664)
        site.fake_site.publish(1)
        clock.advance(hours=2)
        poll(archive, clock, everything=True)
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o775, 0o664}


def test_a_new_folder_inherits_the_group_of_its_parent(tmp_path):
    tmp_path.chmod(0o2770)
    files.make_folder(tmp_path / "a" / "b")
    assert modes(tmp_path / "a")[1] == {0o2750}


def test_a_file_system_without_modes(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refuse)
    monkeypatch.setattr(Path, "chmod", refuse)
    files.make_folder(tmp_path / "folder")
    files.replace(tmp_path / "folder" / "file", b"text")
    assert files.read(tmp_path / "folder" / "file") == b"text"


# --- planted links ----------------------------------------------------------------------------------------------------


def hold(path):
    with holding(path.parent, "collect", "poll", "now"):
        pass


def lock(path):
    with exclusive_lock(path, "refused"):
        pass


def claim(path):
    with Claims(path).claim(1):
        pass


def mark(path):
    with CrashMarker(path.parent.parent, "collect") as marker:
        marker.clear()


def take_turn(path):
    with Budget(path.parent, "host", RateLimits(interval=0, max_pause=1), FixedClock()).turn():
        pass


class FixedClock:
    def now(self):
        return NOW

    def sleep(self, seconds):
        raise AssertionError(seconds)


@pytest.mark.parametrize("aims_at", ["file", "nothing", "pipe", "folder"])
@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("vna.lock", hold),
        ("vna-collect.lock", hold),
        ("backup.lock", lock),
        ("vna.claims", claim),
        ("state/in-hand-collect", mark),
        ("budget-host.lock", take_turn),
        ("connection-host-1.lock", take_turn),
        ("vna.opening", lambda path: open_archive(path.parent)),
    ],
)
def test_a_planted_link_is_refused_and_its_target_unchanged(tmp_path, name, use, aims_at):
    victim, path = tmp_path / "victim", tmp_path / "archive" / name
    path.parent.mkdir(parents=True)
    match aims_at:
        case "file":
            victim.write_text(VICTIM)
        case "pipe":
            os.mkfifo(victim)
        case "folder":
            victim.mkdir()
    path.symlink_to(victim)
    with pytest.raises((StopError, OSError), match=f"{path.name} is a symbolic link"):
        use(path)
    assert path.is_symlink()
    assert victim.exists() == (aims_at != "nothing")
    if aims_at == "file":
        assert victim.read_text() == VICTIM


@pytest.mark.parametrize("name", ["vna.db", "vna.db-wal"])
def test_no_database_is_created_through_a_link(tmp_path, name):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / name).symlink_to(tmp_path / "victim")
    with pytest.raises(StopError):
        open_archive(tmp_path / "a").close()
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("name", ["budget-host.json", "robots"])
def test_a_link_at_the_name_of_a_state_file_is_replaced(tmp_path, name):
    (tmp_path / "victim").write_text(VICTIM)
    (tmp_path / name).symlink_to("victim")
    if name == "robots":
        files.replace(tmp_path / name, b"{}")
    else:
        take_turn(tmp_path / name)
    assert ((tmp_path / "victim").read_text(), (tmp_path / name).is_symlink()) == (VICTIM, False)


def test_a_planted_warc_file_is_not_continued(tmp_path, clock):
    archive, victim = tmp_path / "archive", tmp_path / "victim"
    victim.write_bytes(b"")
    with mounted(clock, articles=1, options=FEW):
        folder = archive / "warc" / f"{clock.now():%Y/%m}"
        folder.mkdir(parents=True)
        (folder / f"vna-{clock.now():%Y%m%d}-000.warc.gz").symlink_to(victim)
        poll(archive, clock)
    assert victim.read_bytes() == b""
    assert {row["file"].rpartition("-")[2] for row in rows(archive, "SELECT file FROM raw")} == {"001.warc.gz"}


def test_the_cut_off_end_of_a_warc_file_follows_no_link(tmp_path, clock):
    archive, victim = tmp_path / "archive", tmp_path / "victim"
    with mounted(clock, articles=1, options=FEW):
        poll(archive, clock)
    (file,) = archive.rglob("*.warc.gz")
    size = file.stat().st_size
    with file.open("ab") as opened:
        opened.write(b"\x1f\x8b\x08 half a record")
    victim.write_text(VICTIM)
    torn = file.with_name(f"{file.name}.{size}.torn")
    torn.symlink_to(victim)
    assert repair_tail(file) == 17
    assert (victim.read_text(), torn.is_symlink(), torn.stat().st_size) == (VICTIM, False, 17)


def test_a_replaced_database_follows_no_link(tmp_path):
    for name in ("a", "b"):
        open_archive(tmp_path / name).close()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a" / "vna.db.new").symlink_to(tmp_path / "elsewhere")
    replace_database(tmp_path / "b" / "vna.db", tmp_path / "a", "1")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    "name", ["vna.db.next.new", "vna.db.next", "manifest.json", "manifest.json.next", "backup.lock", "warc"]
)
def test_a_backup_follows_no_link(tmp_path, clock, name):
    archive, target, victim = tmp_path / "archive", tmp_path / "copy", tmp_path / "victim"
    with mounted(clock, articles=1, options=FEW):
        poll(archive, clock)
    backup.back_up(archive, target, NOW, with_warc=True)
    victim.write_text(VICTIM)
    (target / name).rename(tmp_path / "moved") if (target / name).exists() else None
    (target / name).symlink_to(victim)
    with suppress(StopError):
        backup.back_up(archive, target, NOW, with_warc=True)
    assert victim.read_text() == VICTIM


def test_an_installation_follows_no_link(tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "README.md").symlink_to(tmp_path / "victim")
    result = vna("init", tmp_path)
    assert (result.code, "already exist" in result.err) == (1, True)
    assert {path.name for path in tmp_path.iterdir()} == {"archive"}


# --- exports ----------------------------------------------------------------------------------------------------------


def stored(tmp_path, clock):
    with mounted(clock, articles=1, options=FEW):
        poll(tmp_path / "archive", clock)
    return tmp_path / "archive"


def test_an_export_into_a_folder_follows_no_link_in_it(tmp_path, clock):
    archive, victim, out = stored(tmp_path, clock), tmp_path / "victim", tmp_path / "out"
    victim.write_text(VICTIM)
    out.mkdir()
    for row in rows(archive, "SELECT id FROM articles"):
        (out / f"{row['id']}.txt").symlink_to(victim)
    result = vna("--archive", archive, "export", "--format", "text", "--out", out)
    assert (result.code, "is a symbolic link" in result.err) == (1, True)
    assert victim.read_text() == VICTIM


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_link_of_another_user_is_no_target_of_an_export(tmp_path):
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_text(VICTIM)
    link.symlink_to(victim)
    os.lchown(link, 65534, 65534)
    with pytest.raises(BadInput, match="belongs to another user"), export.replacing(link):
        pass
    assert victim.read_text() == VICTIM


def test_a_dataset_empties_no_planted_folder(tmp_path, clock):
    archive, victim = stored(tmp_path, clock), tmp_path / "victim"
    (victim / "folder").mkdir(parents=True)
    (tmp_path / ".set.unfinished").symlink_to(victim)
    result = vna("--archive", archive, "export", "--format", "parquet", "--out", tmp_path / "set")
    assert (result.code, "was not made by an earlier export" in result.err) == (1, True)
    assert [path.name for path in victim.iterdir()] == ["folder"]


# --- the functions themselves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_only_regular_files_are_opened(tmp_path, make):
    make(tmp_path / "x")
    for use in (files.open_to_append, files.open_to_overwrite, files.read):
        with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
            use(tmp_path / "x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_of_another_user_is_refused_unless_the_folder_is_theirs(tmp_path):
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 65534, 65534)
    with pytest.raises(PermissionError, match="file belongs to another user"):
        files.open_to_append(path)
    os.chown(tmp_path, 65534, 65534)
    files.open_to_append(path).close()


def test_temporary_names_are_unpredictable_and_fit(tmp_path):
    path = tmp_path / ("é" * 127)
    names = {files.temporary_name(path).name for _ in range(100)}
    assert len(names) == 100
    assert all(len(name.encode()) < 255 and name.startswith(".") for name in names)


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path):
    files.replace(tmp_path / "x", b"old")
    with pytest.raises(TypeError):
        files.replace(tmp_path / "x", "no bytes")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_many_threads_open_one_new_file(tmp_path):
    opened, failed = [], []

    def work():
        try:
            opened.append(files.open_to_append(tmp_path / "x"))
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ({os.fstat(file.fileno()).st_ino for file in opened}, failed) == ({(tmp_path / "x").stat().st_ino}, [])
    for file in opened:
        file.close()
