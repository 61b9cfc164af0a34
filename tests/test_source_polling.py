"""When sources are polled: learned from what they show, by rows alone, within bounds, and silence is no success."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from support import NOW, SITE, FakeClock, copied, edited, intact, mounted, poll, rows, value, vna, working

from crawler import pipeline
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import SECTIONS, Options
from crawler.storage import open_archive

FEED = f"{SITE}/rss/home.rss"
NEWS = f"{SITE}/sitemaps/google-news.xml"
OPTIONS = Options(era=3, sections=SECTIONS[:2], overlap=3, section_size=20)


@pytest.fixture
def clock():
    return FakeClock()


def change(archive, sql, *values):
    with open_archive(archive) as opened, opened.transaction():
        opened.db.conn.execute(sql, values)


def source(archive, url):
    (row,) = rows(archive, "SELECT * FROM sources WHERE url = ?", url)
    return row


def look(archive, clock, **changes):
    """The sources' part of a tick alone."""
    with working(archive, clock, **changes) as context, recorded(context, "poll"):
        poll_sources(context, ignore_due=False)


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """An archive whose sources were looked at once, and the time."""
    folder, clock = tmp_path_factory.mktemp("looked") / "archive", FakeClock()
    with mounted(clock, articles=60, options=OPTIONS):
        look(folder, clock)
    return folder, clock.now()


@pytest.fixture
def held(looked, tmp_path, clock):
    clock.time = looked[1]
    return copied(looked[0], tmp_path / "archive")


# --- a day ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A working day of ticks, each when something is due; known articles are not looked at again, to be quick."""
    folder, clock = tmp_path_factory.mktemp("day") / "archive", FakeClock(NOW - timedelta(hours=7))
    with mounted(clock, articles=30, options=OPTIONS) as site, working(folder, clock) as context:

        def known_pages_rest():
            with context.archive.transaction():
                context.archive.db.execute(
                    "UPDATE pages SET next_due_at = NULL, state = 'live', last_fetched_at = coalesce(last_fetched_at, '2026')"
                )

        with recorded(context, "poll"):
            poll_sources(context, ignore_due=False)
        known_pages_rest()
        published = site.replica.plan(clock.now() + timedelta(hours=11))
        until = clock.now() + timedelta(hours=12)
        while clock.now() < until:
            pipeline.poll(context)
            known_pages_rest()
            clock.time = max(context.archive.next_due() or until, clock.time)
        asked = [(path, at) for path, at in zip(site.wire.paths, site.wire.times, strict=True) if "robots" not in path]
    return folder, published, asked


def test_a_day_archives_every_article_exactly_once(watched):
    folder, published, asked = watched
    assert {row["id"] for row in rows(folder, "SELECT id FROM articles")} >= set(published)
    fetched = Counter(path for path, _ in asked if "-post" in path)
    assert len(fetched) == sum(fetched.values()) == len(published)
    assert value(folder, "SELECT count(*) FROM revisions WHERE revision > 1") == 0
    assert value(folder, "SELECT count(*) FROM gaps") == 0
    intact(folder)


def test_a_day_costs_few_requests(watched):
    """Against polling each source every 15 minutes, and with news still read soon."""
    folder, published, asked = watched
    lists = [path for path, _ in asked if "-post" not in path]
    sources = value(folder, "SELECT count(*) FROM sources WHERE next_due_at IS NOT NULL")
    assert len(lists) < 4 * len(published) < sources * 48 / 3
    first = {int(re.search(r"post(\d+)", path)[1]): at for path, at in asked if "-post" in path}
    late = sorted(first[i] - at for i, at in published.items())
    assert late[len(late) // 2] < timedelta(minutes=20)


def test_what_is_first_with_the_news_is_polled_most(watched):
    _, _, asked = watched
    polls = Counter(path for path, _ in asked if "-post" not in path)
    assert polls.most_common(1)[0][0] == "/sitemaps/google-news.xml"
    assert polls["/rss/home.rss"] < polls["/sitemaps/google-news.xml"] / 2, "it shows nothing that is not known"
    assert polls["/politique/"] <= 4


def test_the_bounds_are_kept(watched):
    folder, _, asked = watched
    by_path = {}
    for path, at in asked:
        if "-post" not in path and "get-zone" not in path:
            by_path.setdefault(path, []).append(at)
    waits = [(path, b - a) for path, times in by_path.items() for a, b in pairwise(times)]
    assert min(wait for _, wait in waits) >= timedelta(minutes=5)
    assert max(wait for _, wait in waits) <= timedelta(hours=6, minutes=20)
    assert all(r["interval"] for r in rows(folder, "SELECT interval FROM sources WHERE state = 'ok'"))


# --- ticks ------------------------------------------------------------------------------------------------------------


def test_a_restart_catches_up_once(held, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site:
        change(held, "UPDATE pages SET next_due_at = NULL, state = 'live', last_fetched_at = '2026'")
        look(held, clock)
        assert site.wire.requests == [], "nothing is due"
        clock.advance(hours=20)
        look(held, clock)
        polls = Counter(path for path in site.wire.paths if path != "/robots.txt")
        assert set(polls.values()) == {1}, "each once, however many polls were missed"
        site.wire.clear()
        look(held, clock)
        assert site.wire.requests == []


def test_asked_to_stop_between_two_sources(held, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site, working(held, clock) as context:
        clock.advance(hours=20)
        context.stopping = lambda: len(site.wire.requests) >= 4
        pipeline.poll(context)
        assert 4 <= len(site.wire.requests) <= 5
    assert value(held, "SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == "done"
    assert value(held, "SELECT count(*) FROM sources WHERE next_due_at <= ?", clock.now().isoformat()) > 5


def test_asked_to_stop_between_two_pages(held, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site, working(held, clock) as context:
        context.stopping = lambda: sum("-post" in path for path in site.wire.paths) >= 3
        pipeline.poll(context)
    assert value(held, "SELECT count(*) FROM articles") == 3


def test_news_do_not_wait_behind_many_pages(held, clock):
    """A tick with hundreds of pages takes hours; sources that become due meanwhile go first."""
    with mounted(clock, articles=60, options=OPTIONS) as site:
        change(
            held,
            "UPDATE sources SET next_due_at = '2027-01-01T00:00:00Z' WHERE url <> ? AND next_due_at NOT NULL",
            NEWS,
        )
        change(held, "UPDATE pages SET next_due_at = NULL, state = 'live' WHERE id % 4 <> 0")
        (post_id,) = site.replica.publish(1)
        path = site.replica.story(post_id).path
        poll(held, clock, rate=0.01)
    pages = [p for p in site.wire.paths if "-post" in p]
    assert path in pages[: len(pages) // 2]
    assert len(pages) == len(set(pages)) > 15


# --- silence ----------------------------------------------------------------------------------------------------------


def without_items(body):
    return re.sub(rb"<item>.*</item>", b"", body, flags=re.DOTALL)


def test_a_source_that_falls_silent_is_trouble(held, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site:
        site.edit = edited("/rss/home.rss", without_items)
        clock.advance(hours=7)
        look(held, clock)
        row = source(held, FEED)
        assert (row["state"], row["error"]) == ("failing", "shows no article; it has shown up to 50")
        assert row["items"] == 50, "of the last good answer"
        shown = vna("--archive", held, "status")
        assert "shows no article; it has shown up to 50" in " ".join(shown.out.split())
        listed = json.loads(vna("--archive", held, "status", "--json").out)["sources"]
        assert [r["state"] for r in listed if r["url"] == FEED] == ["failing"]
        site.wire.clear()
        clock.advance(minutes=6)
        look(held, clock)
        assert site.wire.count("/rss/home.rss") == 1, "it is asked again soon"
        site.edit = None
        clock.advance(hours=1)
        look(held, clock)
    row = source(held, FEED)
    assert (row["state"], row["error"], row["failures"]) == ("ok", None, 0)


def test_a_source_that_shows_far_less_than_before_is_noted(held, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site:
        site.edit = edited("/rss/home.rss", lambda body: body[: body.index(b"<item>", 9000)] + b"</channel></rss>")
        clock.advance(hours=7)
        look(held, clock)
    row = source(held, FEED)
    assert row["state"] == "ok"
    assert re.fullmatch(r"shows \d+ articles; it has shown up to 50", row["error"])
    assert (row["items"] < 13, row["most_items"]) == (True, 50)


def test_a_source_that_never_had_any_is_fine(held):
    assert (source(held, f"{SITE}/sitemap.xml")["state"], source(held, f"{SITE}/sitemap.xml")["items"]) == ("ok", 0)


def test_a_source_that_was_there_and_is_not(held, clock):
    """It fails, is asked daily, and is good again when it is back; one that never was is asked once a week."""
    with mounted(clock, articles=60, options=OPTIONS) as site:
        change(held, "UPDATE sources SET failures = 30 WHERE url = ?", FEED)
        site.edit = lambda asked, found: replace(found, status=404) if asked.path == "/rss/home.rss" else found
        clock.advance(hours=7)
        look(held, clock)
        row = source(held, FEED)
        assert (row["state"], row["error"]) == ("failing", "HTTP status 404")
        assert datetime.fromisoformat(row["next_due_at"]) - clock.now() <= timedelta(days=1)


def test_another_source_takes_over_when_the_one_for_news_fails(held, clock):
    """In the same tick, so that nobody waits for hours until it is noticed."""
    with mounted(clock, articles=60, options=OPTIONS) as site:
        change(held, "UPDATE sources SET next_due_at = '2027-01-01T00:00:00Z' WHERE next_due_at NOT NULL")
        change(held, "UPDATE sources SET next_due_at = '2026' WHERE url = ?", NEWS)
        site.replica.fault("error", path="/sitemaps/google-news.xml")
        look(held, clock)
        assert source(held, NEWS)["state"] == "failing"
        assert site.wire.count("/rss/home.rss") == 1
