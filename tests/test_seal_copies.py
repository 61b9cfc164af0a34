"""The seals in backups: a copy is replaced only by a file that continues it."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest
from support import NOW, FakeClock, fetched, mounted, poll, vna
from test_backup import SMALL, contents

from crawler import backup
from crawler.backup.seal_copies import restore_seals, save_seals, sealed_size
from crawler.warc import WarcStore
from crawler.warc.seals import SEALS, Seals


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """The lines of three seals."""
    folder = tmp_path_factory.mktemp("sealed")
    with WarcStore(folder / "warc") as warc:
        for day in range(3):
            at = NOW + timedelta(days=day)
            warc.append(fetched(fetched_at=at), f"page:{day}")
            Seals(folder).append(warc, "x", at)
    return (folder / SEALS).read_bytes().splitlines(keepends=True)


def flipped(line):
    return line.replace(b'"start":0', b'"start":1')


#: The lines of the archive and of the backup, what is wrong, whether the copy was repaired, and the copy afterwards.
STATES = {
    "no seals": (None, None, None, False, None),
    "a first copy": ("ab", None, None, False, "ab"),
    "nothing new": ("ab", "ab", None, False, "ab"),
    "a new seal": ("abc", "ab", None, False, "abc"),
    "seals removed": (None, "ab", "missing", False, "ab"),
    "the newest seal removed": ("a", "ab", "shorter", False, "ab"),
    "an emptied file": ("", "ab", "shorter", False, "ab"),
    "a seal changed": ("Ab", "ab", "different", False, "ab"),
    "a seal left out": ("ac", "ab", "different", False, "ab"),
    "a damaged copy": ("ab", "Ab", None, True, "ab"),
    "a damaged copy, and a new seal": ("abc", "Ab", None, True, "abc"),
    "a copy that was cut": ("ab", "aB", None, False, "ab"),
    "a damaged new seal": ("abx", "ab", "different", False, "ab"),
    "half a line": ("abh", "ab", None, False, "ab"),
}


@pytest.fixture
def folders(chain, tmp_path):
    texts = dict(zip("abc", chain, strict=True)) | {"A": flipped(chain[0]), "B": chain[1][:40], "x": b"{}\n", "h": b"{"}

    def write(name, letters):
        (tmp_path / name).mkdir()
        if letters is not None:
            (tmp_path / name / SEALS).write_bytes(b"".join(texts[letter] for letter in letters))
        return tmp_path / name

    def joined(letters):
        return None if letters is None else b"".join(texts[letter] for letter in letters)

    return write, joined


def content(folder):
    return (folder / SEALS).read_bytes() if (folder / SEALS).exists() else None


@pytest.mark.parametrize(("ours", "theirs", "fault", "repaired", "after"), STATES.values(), ids=STATES)
def test_only_a_file_that_continues_the_copy_replaces_it(folders, ours, theirs, fault, repaired, after):
    write, joined = folders
    archive, target = write("archive", ours), write("backup", theirs)
    done = save_seals(archive, sealed_size(archive), target, ".old", replacing=False)
    assert (done, content(target)) == ((fault, repaired), joined(after))
    if fault is not None and ours is not None:
        assert save_seals(archive, sealed_size(archive), target, ".old", replacing=True) == (None, False)
        assert content(target) == joined(ours)
        assert (target / f"{SEALS}.old").read_bytes() == joined(theirs)


@pytest.mark.parametrize(
    ("present", "saved", "fault", "after"),
    [(None, None, None, None), (None, "ab", None, "ab"), ("a", "ab", None, "ab"), ("abc", "ab", None, "abc"),
     ("Ab", "ab", "different", "Ab"), ("ab", None, None, "ab")],
)  # fmt: skip
def test_restored_seals_do_not_replace_others(folders, present, saved, fault, after):
    write, joined = folders
    archive, source = write("archive", present), write("backup", saved)
    assert (restore_seals(source, archive), content(archive)) == (fault, joined(after))


def test_a_restored_archive_is_checked_with_its_seals(tmp_path):
    archive, saved, back = tmp_path / "archive", tmp_path / "saved", tmp_path / "back"
    clock = FakeClock()
    with mounted(clock, articles=1, options=SMALL) as site:
        for post_id in sorted(site.fake_site.ids())[:-2]:
            site.fake_site.unpublish(post_id)
        poll(archive, clock, list_pages=1)
    backup.back_up(archive, saved, NOW, with_warc=True)
    assert not (saved / SEALS).exists()
    assert vna("--archive", archive, "verify", "--seal").code == 0
    stamp = f"timestamps/{Seals(archive).read()[0][0].digest}.tsr"
    (archive / stamp).parent.mkdir()
    (archive / stamp).write_bytes(b"a time stamp")
    assert vna("--archive", archive, "backup", saved).code == 0
    assert vna("--archive", back, "restore", saved).code == 0
    assert contents(archive)[SEALS] == contents(back)[SEALS]
    assert (back / stamp).read_bytes() == b"a time stamp"
    assert vna("--archive", back, "verify", "--sample", "1").code == 0
    path = next((back / "warc").rglob("*.gz"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = vna("--archive", back, "verify", "--json")
    assert "sealed record changed" in [fault["what"] for fault in json.loads(done.out)["faults"]]
    (archive / SEALS).unlink()
    done = vna("--archive", archive, "backup", saved, "--json")
    assert (done.code, json.loads(done.out)["refused"]) == (5, {SEALS: "missing"})
    shutil.rmtree(back)
    (saved / SEALS).unlink()  # an older backup has no seals
    (saved / stamp).unlink()
    assert vna("--archive", back, "restore", saved).code == 0
    assert vna("--archive", back, "verify", "--sample", "1").code == 0
