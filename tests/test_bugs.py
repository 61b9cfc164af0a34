"""A bug in the program: it ends it with a traceback, and does not begin every next run with the same end."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from support import FakeClock, intact, mounted, poll, rows, value, working

from crawler import app, pipeline
from crawler.pipeline import reparse
from crawler.pipeline.context import recorded
from crawler.pipeline.sources import poll_sources
from crawler.policy.health import conditions
from crawler.replica import Options
from crawler.replica.story import SECTIONS

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
