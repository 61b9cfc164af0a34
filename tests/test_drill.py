"""The drill: one small drill that loses nothing, and others whose losses must be reported."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support import NOW, SEEDS, vna

from crawler import resources
from crawler.cli import state
from crawler.errors import BadInput
from crawler.sim import reconcile
from crawler.sim.drill import contents, files, runner, scenarios, troubles
from crawler.sim.drill.clock import create_clock
from crawler.sim.drill.fields import GLUED
from crawler.sim.drill.power import BeforePowerFailure, record_syncs, unsafe_settings
from crawler.sim.drill.requests import LoggedRequest
from crawler.sim.drill.scenarios import Scenario
from crawler.sim.reconcile import Discrepancy
from crawler.sim.site.faults import KINDS
from crawler.storage import open_archive


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory):
    """Use one seed and few articles a day, so that a day takes less than a second."""
    seeds = tmp_path_factory.mktemp("seeds")
    shutil.copy(max(SEEDS.glob("*.txt")), seeds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "seeds", lambda: seeds)
        patch.setattr(state, "lexicon", lambda: None)
        patch.setattr(runner, "_BEFORE", 0)
        patch.setattr(runner, "_PER_DAY", 2)
        patch.setattr(runner, "SETTLING", 0)
        yield patch


def several_faults(drill):
    """Combine in one day: an edit, a killed process, a torn file, refused connections while an article is online briefly."""
    agency, brief = drill.agency, []
    drill.at(1, agency.publish)
    drill.at(2, lambda: agency.revise(agency.newest(1)[0], title="Un autre titre"))
    drill.at(3, lambda: agency.revise(agency.newest(1)[0], text=GLUED))
    drill.at(4, lambda: agency.publish(2))
    drill.service_at(4, lambda: drill.kill(3, 0.0, drill.day.replace(hour=23)))
    drill.at(5, agency.publish)
    drill.service_at(5, lambda: drill.lose_power(3, 0.0, drill.day.replace(hour=23)))
    drill.service_at(6, drill.tear)
    drill.at(8, drill.refuse)
    drill.at(9, lambda: brief.extend(agency.publish()))
    drill.at(10, lambda: agency.unpublish(brief[0], 404))
    drill.at(11, drill.accept)


def delete_a_revision(folder):
    with closing(sqlite3.connect(folder / "vna.db")) as db, db:
        db.execute("DELETE FROM revisions WHERE revision > 1")


def delete_an_article(folder):
    with closing(sqlite3.connect(folder / "vna.db")) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("DELETE FROM articles WHERE id = (SELECT max(id) FROM articles)")


def change_a_title(folder):
    with closing(sqlite3.connect(folder / "vna.db")) as db, db:
        db.execute("UPDATE articles SET title = replace(title, 'e', 'é') WHERE id = (SELECT max(id) FROM articles)")


def damage_a_record(folder):
    file = max((folder / "warc").rglob("*.warc.gz"))
    content = bytearray(file.read_bytes())
    member = content.rindex(b"\x1f\x8b\x08", 0, len(content) // 2)
    # A changed byte of the gzip header, such as its time, would leave the record as it is.
    content[member + 40] ^= 0xFF
    file.write_bytes(content)


DAMAGE = {
    delete_a_revision: {"revision", "text", "field", "evidence"},
    delete_an_article: {"article", "evidence"},
    change_a_title: {"text"},
    damage_a_record: {"evidence"},
}


def changing(statements):
    """Return a function that runs SQL statements in an archive."""

    def change(folder):
        with closing(sqlite3.connect(folder / "vna.db")) as db, db:
            for statement in statements:
                db.execute(statement)

    return change


#: Changes of rows that leave every reference intact, and the field that must be reported. Those of a group are made in one
#: copy of the archive: none of them alone would report the field of another one.
CHANGES = (
    {
        "DELETE FROM tags": "tags",
        "DELETE FROM images": "images",
        "DELETE FROM sections": "sections",
        "DELETE FROM related": "related",
        "DELETE FROM repairs": "repairs_fit",
        "DELETE FROM articles_folded": "found_by_title",
        "UPDATE articles SET byline = 'X'": "byline",
        "UPDATE articles SET section = NULL": "section",
        "UPDATE articles SET kind = 'video'": "kind",
        "UPDATE articles SET published_at = replace(published_at, '+07:00', '+00:00')": "published_at",
        "UPDATE articles SET published_on = date(published_on, '-1 day')": "published_on",
        "UPDATE articles SET first_seen_at = checked_at": "first_seen_at",
        "UPDATE articles SET url = url || '?x'": "url",
        "UPDATE articles SET signature = NULL": "signature",
        "UPDATE articles SET dateline_place = NULL": "dateline",
        "UPDATE articles SET fingerprint = 'x'": "revision_fields",
        "UPDATE articles SET raw_id = (SELECT min(id) FROM raw)": "raw",
        "UPDATE raw SET fetched_at = '2026-11-01T00:00:00Z'": "raw_at",
        "UPDATE articles SET last_raw_id = (SELECT min(id) FROM raw)": "last_raw",
        "UPDATE articles SET word_count = 1": "word_count_fits",
        "UPDATE pages SET state = 'known'": "page_state_fits",
        "UPDATE revisions SET seen_at = '2026-11-01T00:00:00Z'": "seen_at",
        "UPDATE revisions SET blocks = replace(blocks, 'http://', 'https://')": "blocks",
    },
    {
        "UPDATE articles SET own_clean = NULL": "clean",
        "UPDATE articles SET modified_at = published_at": "modified_at",
        "UPDATE articles SET checked_at = first_seen_at": "checked_at",
        "UPDATE revisions SET tags = '[]'": "tags",
    },
    {
        "UPDATE articles SET own_clean = upper(clean)": "letters",
        "UPDATE revisions SET raw_id = (SELECT min(id) FROM raw)": "raw",
    },
    {"UPDATE articles SET own_text = text || '.'": "text"},
)


@pytest.fixture(scope="module")
def drilled(tmp_path_factory, small):
    """The output of a drill of one day, and its reconciliation with damaged copies of the archive."""
    damaged = []

    def damage_copies(drill):
        for damage in (*DAMAGE, *map(changing, CHANGES)):
            copy = tmp_path_factory.mktemp("copy")
            shutil.copytree(drill.folder, copy, dirs_exist_ok=True)
            damage(copy)
            held, _ = contents.contents(replace(drill.service.config, archive=copy))
            damaged.append(reconcile.reconcile(drill.agency.truths(), held, drill.outages, drill.clock.true()))

    def plan(drill):
        several_faults(drill)
        drill.service_at(23.9, lambda: damage_copies(drill))

    small.setattr(runner, "TABLE", (Scenario("several faults", plan, alarm="poll"),))
    folder = tmp_path_factory.mktemp("drill")
    return vna("--archive", folder, "drill", "--days", 1), damaged


def test_a_drill_loses_nothing_and_reports_whatever_is_lost(drilled):
    """One test, because its drill takes ten seconds and parallel processes would each repeat it."""
    shown, damaged = drilled
    assert shown.code == 0, shown
    assert shown.out.endswith("\nlost: nothing\n")
    line = shown.out.splitlines()[1].split(maxsplit=9)
    assert line[:4] + line[7:] == ["1", "2026-11-03", "7", "6", "2", "1", "several faults; alerts: poll"]
    assert "process    killed 1 times" in shown.out
    rows = [re.split("  +", line) for line in shown.out.partition("trouble  ")[2].splitlines()[1:5]]
    assert [row[:5] for row in rows] == [
        ["process killed", "1", "0", "0", "0"],
        ["power lost", "1", "0", "0", "0"],
        ["torn WARC file", "1", "0", "0", "0"],
        ["connections refused", "1", "0", "0", "0"],
    ]
    assert "could not be archived by any crawler: 1\n  article " in shown.out, (
        "online only while the site refused connections"
    )
    assert [{found.kind for found in one.lost} for one in damaged[: len(DAMAGE)]] == list(DAMAGE.values())
    for changes, one in zip(CHANGES, damaged[len(DAMAGE) :], strict=True):
        reported = {found.says.split()[0] for found in one.lost if found.kind == "field"}
        assert {change: field for change, field in changes.items() if field not in reported} == {}


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """An archive in which a process writes `kept`, forces it to the disk, and then writes `lost`."""
    monkeypatch.setattr(os, "fsync", os.fsync)
    folder = tmp_path / "warc"
    (tmp_path / "state").mkdir()
    folder.mkdir()
    old = folder / "old.warc.gz"
    old.write_bytes(b"old")
    (tmp_path / "vna.db").write_bytes(b"database")
    before = BeforePowerFailure(tmp_path)
    log = record_syncs(tmp_path)
    for name in ("old", "synced", "unsynced", "unnamed"):
        with (folder / f"{name}.warc.gz").open("ab") as file:
            file.write(b"kept")
            file.flush()
            if name != "unsynced":
                os.fsync(file.fileno())
            file.write(b"lost")
        if name == "unsynced":
            opened = os.open(folder, os.O_RDONLY)
            os.fsync(opened)
            os.close(opened)
    (tmp_path / "vna.db-wal").write_bytes(b"log")
    (tmp_path / "state" / "budget.json").write_bytes(b"{}")
    yield tmp_path, before
    log.close()


def test_a_power_failure_drops_what_was_not_forced_to_the_disk(disk):
    archive, before = disk
    assert before.drop_unsynced() == len(b"lost" * 2 + b"keptlost" * 2)
    assert {file.name.split(".")[0]: file.read_bytes() for file in (archive / "warc").iterdir()} == {
        "old": b"oldkept", "synced": b"kept", "unsynced": b""
    }  # fmt: skip
    assert (archive / "vna.db").read_bytes() == b"database"
    assert not (archive / "vna.db-wal").exists()
    assert (archive / "state" / "budget.json").read_bytes() == b""


@pytest.mark.parametrize("pragma", ["synchronous = OFF", "journal_mode = MEMORY"])
def test_unsafe_settings_of_the_database_are_reported(tmp_path, pragma):
    with open_archive(tmp_path) as archive:
        assert not list(unsafe_settings(archive))
        archive.db.execute(f"PRAGMA {pragma}")
        assert [found.kind for found in unsafe_settings(archive)] == ["durability"]


TROUBLES = {
    "nothing lost": ([], (0, 0, 0)),
    "an article": ([("article", 1)], (1, 0, 0)),
    "a text and a field": ([("text", 1), ("field", 1)], (0, 0, 2)),
    "a false revision": ([("false revision", 1)], (0, 1, 0)),
    "an article of another scenario": ([("article", 2)], (0, 0, 0)),
    "no article": ([("manners", None)], (0, 0, 0)),
}


@pytest.mark.parametrize(("lost", "counts"), TROUBLES.values(), ids=TROUBLES)
def test_the_table_of_troubles(lost, counts):
    def at(hours):
        return NOW + timedelta(hours=hours)

    log = [
        LoggedRequest(at(hours), path, status, "vna", fault)
        for hours, path, status, fault in (
            (1, "/a", 200, "truncate"), (1, "/b", 200, None), (2, "/a", 200, "truncate"), (3, "/b", 200, None),
            (5, "/a", 200, None), (7, "/b", 304, None),
        )
    ]  # fmt: skip
    events = [troubles.Trouble("process killed", at(4), at(4)), troubles.Trouble("torn", at(8), at(8))]
    losses = [Discrepancy(kind, post_id, "") for kind, post_id in lost]
    rows = troubles.table(events, log, losses, {1: at(2), 2: at(30)}, [at(0), at(24)])
    assert [(row.trouble, row.times, row.recovery) for row in rows] == [
        ("connection closed in the middle of the body", 2, 180.0), ("process killed", 1, 60.0), ("torn", 1, None)
    ]  # fmt: skip
    assert (rows[0].lost, rows[0].twice, rows[0].misread) == counts


def test_every_fault_has_a_name_in_the_table():
    assert set(KINDS) <= set(troubles.NAMES)


def hidden(drill):
    """Publish an article that no list contains, then stop the service, and change two tables.

    The expected alert is not raised.
    """

    def change_rows():
        with closing(sqlite3.connect(drill.folder / "vna.db")) as db, db:
            db.execute("UPDATE sightings SET position = 99")
            db.execute("UPDATE fetches SET url = 'http://elsewhere.invalid/'")

    drill.at(1, drill.agency.publish)
    drill.at(3, lambda: drill.agency.site.hide(drill.agency.publish()[0]))
    drill.service_at(5, drill.stop)
    drill.service_at(6, change_rows)


def test_the_command_reports_losses_and_keeps_the_archive(small, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_PER_DAY", 0)
    small.setattr(runner, "TABLE", (Scenario("article in no list", hidden, alarm="disk"),))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shown = vna("drill", "--days", 1, "--json")
    assert shown.code == 5, shown
    found = json.loads(shown.out)
    article, _, elsewhere, rebuilt = found["lost"]
    assert [item["kind"] for item in found["lost"]] == ["article", "alarm", "manners", "rebuild"]
    assert "1 requests to other hosts, for example to http://elsewhere.invalid/" in elsewhere["says"]
    assert "rows of sightings differ from the WARC files in position" in rebuilt["says"]
    assert "not held; its page was online 2026-11-02T20:00Z to now" in article["says"]
    assert [found["days"][0][name] for name in ("trouble", "published", "held")] == [
        "article in no list", 2, 1
    ]  # fmt: skip
    assert found["troubles"] == [], "the service was stopped, but not started again"
    (folder,) = tmp_path.iterdir()
    assert f"kept in {folder}" in shown.err
    assert (folder / files.LOG).read_text().count("new: ") > 2
    runner.prepare_folder(folder)
    assert [file.name for file in folder.iterdir()] == [files.MARK], "the next drill in this folder starts empty"


def test_a_folder_of_another_program_is_not_emptied(tmp_path):
    (tmp_path / "vna.db").write_bytes(b"")
    for folder, message in ((tmp_path, "is not empty"), (tmp_path / "vna.db", "is not a folder")):
        with pytest.raises(BadInput, match=message):
            runner.prepare_folder(folder)
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
def test_the_table_is_repeated(small, days, names):
    table = [
        Scenario(name, scenarios.nothing, days=1 + name.isalnum() * name.endswith("2")) for name in ("a", "b", "b2")
    ]
    small.setattr(runner, "TABLE", table)
    assert "".join(scenario.name for scenario in runner.program(days)) == names


def test_fourteen_days_include_every_scenario_once():
    assert sum(scenario.days for scenario in scenarios.TABLE) == 14
    assert len({scenario.name for scenario in scenarios.TABLE}) == len(scenarios.TABLE)


def test_a_wrong_clock(tmp_path):
    advances = []
    clock = create_clock(tmp_path / "clock", NOW)
    clock.on_advance = lambda: advances.append(clock.true())
    clock.set_error(-60)
    clock.sleep(90)
    assert (clock.now() - NOW).total_seconds() == 30
    assert [(at - NOW).total_seconds() for at in advances] == [90]
    clock.sleep(-5)
    assert clock.true() == advances[0]
    clock.close()
    assert Path(tmp_path / "clock").stat().st_size == 16
