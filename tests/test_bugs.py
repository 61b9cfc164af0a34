"""Bugs in the program: a run ends with a traceback, and the next run does not crash on the same item again."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import pytest
from support import (
    ROOT,
    SITE,
    FakeClock,
    assert_intact,
    in_child,
    mounted,
    poll,
    rows,
    value,
    working,
    write_crash_marker,
)

from crawler import collect, opening
from crawler.errors import StorageUnavailable
from crawler.health.checks import conditions
from crawler.pipeline import reparse
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.storage.crash_marker import CrashMarker
from crawler.types import ErrorKind

POISON = "Guide Michelin"  # occurs in one article only


def small_site(clock):
    """Mount a fake site with six articles."""
    small = Options(sections=SECTIONS[:1], section_size=8, feed_size=8, home_size=10, no_samples=True)
    return mounted(clock, articles=6, options=small)


class Bug(Exception):
    """An unexpected error."""


def failing(original):
    """Wrap the repair so that it raises on one article."""

    def repair(article):
        if POISON in article.title:
            raise Bug("index out of range")
        return original(article)

    return repair


def poll_with_bug(archive, clock):
    """Poll once with the repair that raises."""
    with working(archive, clock) as run:
        collect.poll(replace(run, repair=failing(run.repair)))


def without_list_pages(run):
    """Return a copy of a run that raises a TypeError on each list."""
    return replace(run, settings=replace(run.settings, list_pages=None))


def failing_conditions(archive, clock):
    with opening.reading_archive(archive) as opened:
        return [c for c in conditions(opened.health_facts(clock.now(), clock.now())) if c.failing]


def test_a_response_that_crashes_the_run_is_quarantined_and_the_others_are_stored(tmp_path):
    clock = FakeClock()
    with small_site(clock) as site:
        published = set(site.fake_site.ids())
        with pytest.raises(Bug):
            poll_with_bug(tmp_path, clock)
        (page,) = rows(tmp_path, "SELECT * FROM pages WHERE error_kind = ?", ErrorKind.BUG)
        assert (page["state"], page["error"]) == ("failed", "a bug: Bug: index out of range")
        poll_with_bug(tmp_path, clock)
        assert {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")} == published - {page["id"]}
        assert site.fake_site.state()["requests"][site.fake_site.story(page["id"]).path] == 1
        (condition,) = failing_conditions(tmp_path, clock)
        assert condition.kind == "bug"
        assert page["url"] in condition.message
        clock.advance(minutes=20)
        with pytest.raises(Bug):
            poll_with_bug(tmp_path, clock)
    with working(tmp_path, clock, role="read") as run:
        reparse(run)
    assert value(tmp_path, "SELECT state FROM pages WHERE id = ?", page["id"]) == "live"
    assert failing_conditions(tmp_path, clock) == []
    assert_intact(tmp_path)


def test_a_list_that_crashes_the_run_is_quarantined_and_the_others_are_polled(tmp_path):
    clock = FakeClock()
    with small_site(clock):
        with working(tmp_path, clock) as run, pytest.raises(TypeError):
            collect.poll(without_list_pages(run))
        quarantined = """SELECT url FROM sources WHERE error_kind = 'bug' AND error LIKE 'a bug: TypeError: %'
                         AND state = 'failing'"""
        assert len(rows(tmp_path, quarantined)) == 1
        while rows(tmp_path, "SELECT 1 FROM sources WHERE state = 'new' AND next_due_at IS NOT NULL"):
            with working(tmp_path, clock) as run, pytest.raises(TypeError):
                collect.poll(without_list_pages(run))
        assert [condition.kind for condition in failing_conditions(tmp_path, clock)] == ["bug"]
        clock.advance(hours=2)
        poll(tmp_path, clock)
        assert rows(tmp_path, quarantined) == []
        assert failing_conditions(tmp_path, clock) == []
    assert_intact(tmp_path)


# --- crashes of the interpreter ---------------------------------------------------------------------------------------


def crashing(original):
    """Wrap the repair so that the interpreter crashes on one article."""

    def repair(article):
        if POISON in article.title:
            os.abort()
        return original(article)

    return repair


def poll_and_crash(archive, clock):
    """Poll once in a process whose interpreter crashes on one article; return its exit code."""

    def work():
        with small_site(clock), working(archive, clock) as run:
            collect.poll(replace(run, repair=crashing(run.repair)))

    clock.advance(minutes=1)
    return in_child(work)


def test_a_response_that_crashes_the_interpreter_is_quarantined_after_three_crashes(tmp_path):
    clock = FakeClock()
    assert [poll_and_crash(tmp_path, clock) for _ in range(4)] == [-signal.SIGABRT] * 3 + [0]
    (page,) = rows(tmp_path, "SELECT * FROM pages WHERE error_kind = ?", ErrorKind.BUG)
    assert (page["state"], page["failures"]) == ("failed", 1)
    assert "crashed" in page["error"]
    assert page["error"].endswith("3 times")
    assert (tmp_path / "state" / "in-hand-collect").read_text().startswith("0 ")
    with small_site(clock) as site:
        published = set(site.fake_site.ids())
        assert {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")} == published - {page["id"]}
        (condition,) = failing_conditions(tmp_path, clock)
        assert (condition.kind, page["url"] in condition.message) == ("bug", True)
        assert_intact(tmp_path)
        upgraded = shutil.copytree(tmp_path, tmp_path / "upgraded")
        with working(upgraded, clock, role="read") as run:
            reparse(run)
        assert value(upgraded, "SELECT state FROM pages WHERE id = ?", page["id"]) == "live"
        assert failing_conditions(upgraded, clock) == []
        clock.advance(minutes=20)
        assert poll(tmp_path, clock).new == 1, "a process that does not crash stores it"
    assert failing_conditions(tmp_path, clock) == []
    assert_intact(tmp_path)


@pytest.mark.parametrize(
    ("crashes", "purpose", "quarantined"),
    [
        (3, "source:{site}/", 1),
        (2, "source:{site}/", 0),  # two crashes may have other reasons: a power failure, `kill`
        (3, "source:{site}/elsewhere/", 0),
        ("", "", 0),  # a crash while the marker was written
    ],
    ids=["three crashes", "two crashes", "another source", "an empty marker"],
)
def test_a_list_that_crashes_the_interpreter_is_quarantined(tmp_path, crashes, purpose, quarantined):
    clock = FakeClock()
    write_crash_marker(tmp_path, purpose.format(site=SITE), crashes)
    with small_site(clock) as site:
        poll(tmp_path, clock)
        assert site.fake_site.state()["requests"].get("/", 0) == 1 - quarantined
        home = value(tmp_path, "SELECT error_kind FROM sources WHERE kind = 'home'")
        assert (home == ErrorKind.BUG) == quarantined
        assert len(failing_conditions(tmp_path, clock)) == quarantined
        clock.advance(hours=1)
        poll(tmp_path, clock)
        assert site.fake_site.state()["requests"]["/"] > 0
    assert failing_conditions(tmp_path, clock) == []
    assert_intact(tmp_path)


def test_crashes_are_counted_until_the_whole_visit_is_stored(tmp_path):
    """The crashes may come from the last response of a visit while the first one is fine."""
    write_crash_marker(tmp_path, "source:x", 2)
    with CrashMarker(tmp_path, "collect") as marker:
        with marker.processing("source:x"):
            assert CrashMarker(tmp_path, "collect").crashes("source:x") == 3, "as seen by another process"
        with suppress(Bug), marker.processing("source:x"):
            raise Bug
        assert (marker.crashes("source:x"), marker.crashes("source:y")) == (2, 0)
    with CrashMarker(tmp_path, "collect") as marker:
        assert marker.crashes("source:x") == 2
        with marker.processing("source:yy"):
            assert (marker.crashes("source:x"), marker.crashes("source:yy")) == (0, 1)
        with marker.processing("source:y"):
            assert CrashMarker(tmp_path, "collect").crashes("source:y") == 1, (
                "the longer marker before it is overwritten"
            )
        marker.clear()
        assert marker.crashes("source:y") == 0
    assert CrashMarker(tmp_path, "collect").crashes("source:y") == 0


STUCK = """
import re, sys, time
from pathlib import Path
from crawler.storage import crash_marker
crash_marker.MAX_SECONDS = 0.1
with crash_marker.CrashMarker(Path(sys.argv[1]), "collect") as marker:
    with marker.processing("page:1"), marker.processing("page:2"):
        pass  # the limit ends with the block
    begun = time.process_time()
    while time.process_time() < begun + 0.3:
        pass
    with marker.processing("page:3"):
        re.match("(a*)*b", "a" * 60)  # does not return to the interpreter
"""


def test_an_item_that_never_ends_counts_as_a_crash(tmp_path):
    done = subprocess.run([sys.executable, "-c", STUCK, tmp_path], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGVTALRM
    assert CrashMarker(tmp_path, "collect").crashes("page:3") == 1


def test_a_missing_archive_folder_is_not_created_for_a_crash_marker(tmp_path):
    with (
        pytest.raises(StorageUnavailable, match="cannot be written"),
        CrashMarker(tmp_path / "gone", "collect").processing("page:1"),
    ):
        pass
    assert not (tmp_path / "gone").exists()


def test_an_unwritable_crash_marker_is_an_error(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "in-hand-collect").mkdir()
    with small_site(FakeClock()), pytest.raises(StorageUnavailable, match="cannot be written"):
        poll(tmp_path, FakeClock())


def test_a_full_disk_does_not_quarantine_the_page(tmp_path):
    """The page did not cause the error."""
    clock = FakeClock()
    with small_site(clock):
        with working(tmp_path, clock) as run:
            database = run.archive.db.conn
            with recorded(run, "poll"):
                poll_sources(run, ignore_due=False)
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            database.execute(f"PRAGMA max_page_count = {pages + 8}")
            with pytest.raises(sqlite3.OperationalError, match="full"):
                collect.poll(run)
            assert value(tmp_path, "SELECT count(*) FROM articles") > 0
        assert value(tmp_path, "SELECT count(*) FROM pages WHERE failures > 0") == 0
        poll(tmp_path, clock)
    assert_intact(tmp_path)
