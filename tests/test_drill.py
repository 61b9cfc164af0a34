"""The drill: small ones, of which one loses nothing, and others that must be seen to lose."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support import NOW, SEEDS, vna

from crawler.cli import serving, state
from crawler.errors import BadInput
from crawler.sim import reconcile
from crawler.sim.drill import files, holdings, runner, troubles
from crawler.sim.drill.clock import made
from crawler.sim.drill.troubles import Trouble


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory):
    """One seed, and one article a day, so that a day takes parts of a second."""
    seeds = tmp_path_factory.mktemp("seeds")
    shutil.copy(max(SEEDS.glob("*.txt")), seeds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "SEEDS", seeds)
        patch.setattr(state, "lexicon_or_note", lambda: None)
        patch.setattr(runner, "_BEFORE", 0)
        patch.setattr(runner, "_PER_DAY", 2)
        patch.setattr(runner, "SETTLING", 0)
        yield patch


def rough(stage):
    """Some of everything within a day: an edit, a process killed, a torn file, a refusal in which an article passes."""
    agency, passing = stage.agency, []
    stage.at(1, agency.publish)
    stage.at(2, lambda: agency.revise(agency.newest(1)[0], title="Un autre titre"))
    stage.at(4, lambda: agency.publish(2))
    stage.service_at(4, lambda: stage.kill(3, 0.0, stage.day.replace(hour=23)))
    stage.service_at(6, stage.tear)
    stage.at(8, stage.refuse)
    stage.at(9, lambda: passing.extend(agency.publish()))
    stage.at(10, lambda: agency.unpublish(passing[0], 404))
    stage.at(11, stage.accept)


def delete_a_revision(folder):
    with closing(sqlite3.connect(folder / "vna.db")) as db, db:
        db.execute("DELETE FROM revisions WHERE revision = 2")


def delete_an_article(folder):
    with closing(sqlite3.connect(folder / "vna.db")) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("DELETE FROM articles WHERE id = (SELECT max(id) FROM articles)")


def change_a_letter(folder):
    with closing(sqlite3.connect(folder / "vna.db")) as db, db:
        db.execute("UPDATE articles SET title = replace(title, 'e', 'é') WHERE id = (SELECT max(id) FROM articles)")


def damage_a_record(folder):
    file = max((folder / "warc").rglob("*.warc.gz"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


DAMAGE = {
    delete_a_revision: {"revision", "text", "evidence"},
    delete_an_article: {"article", "evidence"},
    change_a_letter: {"text"},
    damage_a_record: {"evidence"},
}


@pytest.fixture(scope="module")
def drilled(tmp_path_factory, small):
    """What a drill of a day printed; what its account would be if the archive had been damaged."""
    damaged = {}

    def spoil(stage):
        for harm in DAMAGE:
            copy = tmp_path_factory.mktemp("copy")
            shutil.copytree(stage.folder, copy, dirs_exist_ok=True)
            harm(copy)
            has, _ = holdings.holdings(replace(stage.machine.config, archive=copy))
            damaged[harm] = reconcile.settle(stage.agency.truths(), has, stage.blind, stage.clock.true())

    def plan(stage):
        rough(stage)
        stage.service_at(23.9, lambda: spoil(stage))

    small.setattr(runner, "TABLE", (Trouble("some of everything", plan, alarm="poll"),))
    folder = tmp_path_factory.mktemp("drill")
    return vna("--archive", folder, "drill", "--days", 1), damaged


def test_nothing_is_lost(drilled):
    shown, _ = drilled
    assert shown.code == 0, shown
    assert shown.out.endswith("\nlost: nothing\n")
    line = shown.out.splitlines()[1].split(maxsplit=9)
    assert line[:4] + line[7:] == ["1", "2026-11-03", "6", "5", "1", "1", "some of everything; alarms: poll"]
    assert "process    killed 1 times" in shown.out
    assert "never to be had: 1\n  article " in shown.out, "it came and went while the site refused connections"


@pytest.mark.parametrize("harm", DAMAGE, ids=lambda harm: harm.__name__)
def test_what_is_lost_is_named(drilled, harm):
    _, damaged = drilled
    assert {note.kind for note in damaged[harm].lost} == DAMAGE[harm]


def hidden(stage):
    """An article that no list names; an alarm that nobody raises. The rest of the day is left out."""
    stage.at(1, stage.agency.publish)
    stage.at(3, lambda: stage.agency.site.hide(stage.agency.publish()[0]))
    stage.service_at(5, stage.stop)


def test_the_command_names_what_was_lost_and_keeps_the_archive(small, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_PER_DAY", 0)
    small.setattr(runner, "TABLE", (Trouble("an article that no list names", hidden, alarm="disk"),))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shown = vna("drill", "--days", 1, "--json")
    assert shown.code == 5, shown
    found = json.loads(shown.out)
    article, alarm = found["lost"]
    assert (article["kind"], alarm["kind"]) == ("article", "alarm")
    assert "is not held; its page was there 2026-11-02T20:00Z to now" in article["says"]
    assert [found["days"][0][name] for name in ("trouble", "published", "held")] == [
        "an article that no list names", 2, 1
    ]  # fmt: skip
    (folder,) = tmp_path.iterdir()
    assert f"kept for a look: {folder}" in shown.err
    assert (folder / files.LOG).read_text().count("new: ") > 2
    runner.fresh(folder)
    assert [file.name for file in folder.iterdir()] == [files.MARK], "the next one in this folder begins anew"


def test_a_folder_of_somebody_else_is_spared(tmp_path):
    (tmp_path / "vna.db").write_bytes(b"")
    for folder, words in ((tmp_path, "is not empty"), (tmp_path / "vna.db", "is no folder")):
        with pytest.raises(BadInput, match=words):
            runner.fresh(folder)
    assert (tmp_path / "vna.db").exists()
    assert vna("--archive", tmp_path, "drill").code == 1


PROGRAMS = {
    1: "a",
    2: "ab",
    3: "aba",  # b2 takes two days
    4: "abb2",
    5: "abb2a",
    9: "abb2abb2a",
}


@pytest.mark.parametrize(("days", "names"), PROGRAMS.items())
def test_the_table_is_played_over_and_over(small, days, names):
    table = [Trouble(name, troubles.nothing, days=1 + name.isalnum() * name.endswith("2")) for name in ("a", "b", "b2")]
    small.setattr(runner, "TABLE", table)
    assert "".join(trouble.name for trouble in runner.program(days)) == names


def test_the_default_is_every_trouble_once():
    assert sum(trouble.days for trouble in troubles.TABLE) == 14
    assert len({trouble.name for trouble in troubles.TABLE}) == len(troubles.TABLE)


def test_a_clock_that_is_wrong(tmp_path):
    moved = []
    clock = made(tmp_path / "clock", NOW)
    clock.moved = lambda: moved.append(clock.true())
    clock.err(-60)
    clock.sleep(90)
    assert (clock.now() - NOW).total_seconds() == 30
    assert [(at - NOW).total_seconds() for at in moved] == [90]
    clock.sleep(-5)
    assert clock.true() == moved[0]
    clock.close()
    assert Path(tmp_path / "clock").stat().st_size == 16
