"""A bug in the program: it ends it with a traceback, and does not begin every next run with the same end."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import pytest
from support import ROOT, SITE, FakeClock, intact, mounted, note, poll, rows, value, working

from crawler import app, pipeline
from crawler.errors import StorageUnavailable
from crawler.health.checks import conditions
from crawler.pipeline import reparse
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.storage.crash_marker import InHand

SMALL = Options(sections=SECTIONS[:1], section_size=8, feed_size=8, home_size=10)
POISON = "Premier dialogue"  # stands in one article alone


class Bug(Exception):
    """What nobody expected."""


def broken(reading):
    """A repair that one text brings to its end."""

    def repair(article):
        if POISON in article.title:
            raise Bug("index out of range")
        return reading(article)

    return repair


def poisoned(archive, clock):
    """A tick of a program with the bug."""
    with working(archive, clock) as context:
        pipeline.poll(replace(context, repair=broken(context.repair)))


def troubles(archive, clock):
    with app.reading_archive(archive) as opened:
        return [c for c in conditions(opened.health_facts(clock.now(), clock.now())) if c.red]


def test_an_answer_that_ends_the_program_is_put_off_and_the_others_are_taken_in(tmp_path):
    clock = FakeClock()
    with mounted(clock, options=SMALL) as site:
        every = set(site.replica.ids())
        with pytest.raises(Bug):
            poisoned(tmp_path, clock)
        (page,) = rows(tmp_path, "SELECT * FROM pages WHERE error LIKE 'a bug: %'")
        assert (page["state"], page["error"]) == ("failed", "a bug: Bug: index out of range")
        poisoned(tmp_path, clock)
        assert {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")} == every - {page["id"]}
        assert site.replica.state()["requests"][site.replica.story(page["id"]).path] == 1
        (trouble,) = troubles(tmp_path, clock)
        assert trouble.kind == "bug"
        assert page["url"] in trouble.says
        clock.advance(minutes=20)
        with pytest.raises(Bug):
            poisoned(tmp_path, clock)
    with working(tmp_path, clock, role="read") as context:
        reparse(context)
    assert value(tmp_path, "SELECT state FROM pages WHERE id = ?", page["id"]) == "live"
    assert troubles(tmp_path, clock) == []
    intact(tmp_path)


def test_a_list_that_ends_the_program_is_put_off_and_the_others_are_polled(tmp_path):
    clock = FakeClock()
    with mounted(clock, options=SMALL):
        with working(tmp_path, clock) as context, pytest.raises(TypeError):
            pipeline.poll(replace(context, list_pages=None))
        bugs = "SELECT url FROM sources WHERE error LIKE 'a bug: TypeError%' AND state = 'failing'"
        assert len(rows(tmp_path, bugs)) == 1
        while rows(tmp_path, "SELECT 1 FROM sources WHERE state = 'new' AND next_due_at IS NOT NULL"):
            with working(tmp_path, clock) as context, pytest.raises(TypeError):
                pipeline.poll(replace(context, list_pages=None))
        assert [trouble.kind for trouble in troubles(tmp_path, clock)] == ["bug"]
        clock.advance(hours=2)
        poll(tmp_path, clock)
        assert rows(tmp_path, bugs) == []
        assert troubles(tmp_path, clock) == []
    intact(tmp_path)


# --- what ends the interpreter itself ---------------------------------------------------------------------------------

DYING = """
import os, pathlib, sys
sys.path.insert(0, {tests!r})
from datetime import datetime
from test_bugs import *
def fatal(reading):
    def repair(article):
        if POISON in article.title:
            os.abort()
        return reading(article)
    return repair
clock = FakeClock(datetime.fromisoformat({now!r}))
with mounted(clock, options=SMALL), working(pathlib.Path({archive!r}), clock) as context:
    pipeline.poll(replace(context, repair=fatal(context.repair)))
"""


def dying(archive, clock):
    """A tick of a program that one text brings down, whatever it is written in; gives how it ended."""
    program = DYING.format(tests=str(ROOT / "tests"), archive=str(archive), now=clock.now().isoformat())
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode in (0, -signal.SIGABRT), done.stderr.decode()
    return done.returncode


def test_an_answer_that_ends_the_interpreter_is_put_off_when_it_did_so_again_and_again(tmp_path):
    clock = FakeClock()
    assert [dying(tmp_path, clock) for _ in range(4)] == [-signal.SIGABRT] * 3 + [0]
    (page,) = rows(tmp_path, "SELECT * FROM pages WHERE error LIKE 'a bug: %'")
    assert (page["state"], page["failures"]) == ("failed", 1)
    assert page["error"] == "a bug: the program came to its end over this 3 times"
    assert (tmp_path / "state" / "in-hand-collect").read_text().startswith("0 ")
    with mounted(clock, options=SMALL) as site:
        every = set(site.replica.ids())
        assert {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")} == every - {page["id"]}
        (trouble,) = troubles(tmp_path, clock)
        assert (trouble.kind, page["url"] in trouble.says) == ("bug", True)
        intact(tmp_path)
        intact(tmp_path)
        upgraded = shutil.copytree(tmp_path, tmp_path / "upgraded")
        with working(upgraded, clock, role="read") as context:
            reparse(context)
        assert value(upgraded, "SELECT state FROM pages WHERE id = ?", page["id"]) == "live"
        assert troubles(upgraded, clock) == []
        clock.advance(minutes=20)
        assert poll(tmp_path, clock).new == 1, "the next program reads it"
    assert troubles(tmp_path, clock) == []
    intact(tmp_path)


@pytest.mark.parametrize(
    ("ends", "what", "left"),
    [
        (3, "source:{site}/", 1),
        (2, "source:{site}/", 0),  # may be anything: the electricity, somebody's kill
        (3, "source:{site}/elsewhere/", 0),
        ("", "", 0),  # ended while it wrote the note
    ],
)
def test_a_list_that_ends_the_interpreter_is_put_off(tmp_path, ends, what, left):
    clock = FakeClock()
    note(tmp_path, what.format(site=SITE), ends)
    with mounted(clock, options=SMALL) as site:
        poll(tmp_path, clock)
        assert site.replica.state()["requests"].get("/", 0) == 1 - left
        assert len(rows(tmp_path, "SELECT 1 FROM sources WHERE kind = 'home' AND error LIKE 'a bug: %'")) == left
        assert len(troubles(tmp_path, clock)) == left
        clock.advance(hours=1)
        poll(tmp_path, clock)
        assert site.replica.state()["requests"]["/"] > 0
    assert troubles(tmp_path, clock) == []
    intact(tmp_path)


def test_ends_are_counted_until_all_of_the_visit_is_taken_in(tmp_path):
    """What ended the processes may be its last answer, and the first one is well."""
    note(tmp_path, "source:x", 2)
    with InHand(tmp_path, "collect") as hand:
        with hand.taking("source:x"):
            assert InHand(tmp_path, "collect").ends("source:x") == 3, "what another process would find"
        with suppress(Bug), hand.taking("source:x"):
            raise Bug
        assert (hand.ends("source:x"), hand.ends("source:y")) == (2, 0)
    with InHand(tmp_path, "collect") as hand:
        assert hand.ends("source:x") == 2
        with hand.taking("source:yy"):
            assert (hand.ends("source:x"), hand.ends("source:yy")) == (0, 1)
        with hand.taking("source:y"):
            assert InHand(tmp_path, "collect").ends("source:y") == 1, "nothing is left of the longer note before"
        hand.over()
        assert hand.ends("source:y") == 0
    assert InHand(tmp_path, "collect").ends("source:y") == 0


def test_an_archive_that_was_moved_away_is_not_made_anew_for_a_note(tmp_path):
    with (
        pytest.raises(StorageUnavailable, match="cannot be written"),
        InHand(tmp_path / "gone", "collect").taking("page:1"),
    ):
        pass
    assert not (tmp_path / "gone").exists()


def test_a_folder_that_takes_no_note_is_named(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "in-hand-collect").mkdir()
    with mounted(FakeClock(), options=SMALL), pytest.raises(StorageUnavailable, match="cannot be written"):
        poll(tmp_path, FakeClock())


def test_a_full_disk_is_no_bug_of_an_answer(tmp_path):
    """It is everybody's trouble: the page that met it is not put off for it."""
    clock = FakeClock()
    with mounted(clock, options=SMALL):
        with working(tmp_path, clock) as context:
            database = context.archive.db.conn
            with recorded(context, "poll"):
                poll_sources(context, ignore_due=False)
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            database.execute(f"PRAGMA max_page_count = {pages + 20}")
            with pytest.raises(sqlite3.OperationalError, match="full"):
                pipeline.poll(context)
            assert value(tmp_path, "SELECT count(*) FROM articles") > 0
        assert value(tmp_path, "SELECT count(*) FROM pages WHERE failures > 0") == 0
        poll(tmp_path, clock)
    intact(tmp_path)
