"""When sources are polled: at intervals learned from earlier responses, within bounds; an empty list is a failure."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from support import NOW, SITE, FakeClock, assert_intact, copy_archive, edited, mounted, poll, rows, value, vna, working

from crawler import collect
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import SECTIONS, Options
from crawler.storage import open_archive

FEED = f"{SITE}/rss/home.rss"
NEWS = f"{SITE}/sitemaps/google-news.xml"
OPTIONS = Options(era=3, sections=SECTIONS[:2], overlap=3, section_size=20)


def execute(archive, sql, *values):
    with open_archive(archive) as opened, opened.transaction():
        opened.db.conn.execute(sql, values)


def source(archive, url):
    (row,) = rows(archive, "SELECT * FROM sources WHERE url = ?", url)
    return row


def poll_due_sources(archive, clock, **changes):
    """Poll the due sources, but no page."""
    with working(archive, clock, **changes) as run, recorded(run, "poll"):
        poll_sources(run, ignore_due=False)


@pytest.fixture(scope="module")
def first_poll(tmp_path_factory):
    """An archive whose sources were polled once, and the time after that. Shared: tests change copies."""
    folder, clock = tmp_path_factory.mktemp("first") / "archive", FakeClock()
    with mounted(clock, articles=60, options=OPTIONS):
        poll_due_sources(folder, clock)
    return folder, clock.now()


@pytest.fixture
def archive(first_poll, tmp_path, clock):
    """A copy of the archive after the first poll of its sources, right after it."""
    clock.time = first_poll[1]
    return copy_archive(first_poll[0], tmp_path / "archive")


# --- a day ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_day(tmp_path_factory):
    """Twelve hours of polls, each when something is due. The archive, the time of each publication, and the requests.

    Known articles are not rechecked, so that the simulation is fast.
    """
    folder, clock = tmp_path_factory.mktemp("day") / "archive", FakeClock(NOW - timedelta(hours=7))
    with mounted(clock, articles=30, options=OPTIONS) as site, working(folder, clock) as run:

        def stop_rechecks():
            with run.archive.transaction():
                run.archive.db.execute(
                    """UPDATE pages SET next_due_at = NULL, state = 'live',
                       last_fetched_at = coalesce(last_fetched_at, '2026')"""
                )

        with recorded(run, "poll"):
            poll_sources(run, ignore_due=False)
        stop_rechecks()
        published = site.fake_site.plan(clock.now() + timedelta(hours=11))
        until = clock.now() + timedelta(hours=12)
        while clock.now() < until:
            collect.poll(run)
            stop_rechecks()
            clock.time = max(run.archive.next_due() or until, clock.time)
        requests = [
            (path, at) for path, at in zip(site.wire.paths, site.wire.times, strict=True) if "robots" not in path
        ]
    return folder, published, requests


def test_a_day_archives_every_article_exactly_once(one_day):
    folder, published, requests = one_day
    assert {row["id"] for row in rows(folder, "SELECT id FROM articles")} >= set(published)
    fetched = Counter(path for path, _ in requests if "-post" in path)
    assert len(fetched) == sum(fetched.values()) == len(published)
    assert value(folder, "SELECT count(*) FROM revisions WHERE revision > 1") == 0
    assert value(folder, "SELECT count(*) FROM gaps") == 0
    assert_intact(folder)


def test_a_day_takes_few_requests(one_day):
    """Fewer than a third of what polling each source every 15 minutes takes: 48 polls of each in twelve hours.

    Still, half of the articles are fetched within 25 minutes of their publication, although no rate is learned yet.
    """
    folder, published, requests = one_day
    lists = [path for path, _ in requests if "-post" not in path]
    sources = value(folder, "SELECT count(*) FROM sources WHERE next_due_at IS NOT NULL")
    assert len(lists) < 4 * len(published) < sources * 48 / 3
    fetched = {int(re.search(r"post(\d+)", path)[1]): at for path, at in requests if "-post" in path}
    delays = sorted(fetched[i] - at for i, at in published.items())
    assert delays[len(delays) // 2] < timedelta(minutes=25)


def test_the_source_that_lists_news_first_is_polled_most(one_day):
    _, _, requests = one_day
    polls = Counter(path for path, _ in requests if "-post" not in path)
    assert polls.most_common(1)[0][0] == "/sitemaps/google-news.xml"
    assert polls["/rss/home.rss"] < polls["/sitemaps/google-news.xml"] / 2, "all that it lists is known already"
    assert polls["/politique/"] <= 4


def test_intervals_stay_within_the_bounds(one_day):
    folder, _, requests = one_day
    by_path = {}
    for path, at in requests:
        if "-post" not in path and "get-zone" not in path:
            by_path.setdefault(path, []).append(at)
    intervals = {path: [b - a for a, b in pairwise(times)] for path, times in by_path.items() if len(times) > 1}
    assert min(map(min, intervals.values())) >= timedelta(minutes=5)
    assert max(map(max, intervals.values())) <= timedelta(days=1), "four times the ceiling"
    assert max(intervals["/sitemaps/google-news.xml"]) <= timedelta(hours=6, minutes=20), "the primary source"
    assert all(r["interval"] for r in rows(folder, "SELECT interval FROM sources WHERE state = 'ok'"))


# --- restarts and stop requests ---------------------------------------------------------------------------------------


def test_missed_polls_are_made_up_for_once(archive, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site:
        execute(archive, "UPDATE pages SET next_due_at = NULL, state = 'live', last_fetched_at = '2026'")
        poll_due_sources(archive, clock)
        assert site.wire.requests == [], "nothing is due"
        clock.advance(hours=20)
        poll_due_sources(archive, clock)
        polls = Counter(path for path in site.wire.paths if path != "/robots.txt")
        assert set(polls.values()) == {1}, "one poll each, although several were missed"
        site.wire.clear()
        poll_due_sources(archive, clock)
        assert site.wire.requests == []


def test_a_stop_request_between_two_sources(archive, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site, working(archive, clock) as run:
        clock.advance(hours=30)
        run.stopping = lambda: len(site.wire.requests) >= 4
        collect.poll(run)
        assert 4 <= len(site.wire.requests) <= 5
    assert value(archive, "SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == "done"
    assert value(archive, "SELECT count(*) FROM sources WHERE next_due_at <= ?", clock.now().isoformat()) > 5


def test_a_stop_request_between_two_pages(archive, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site, working(archive, clock) as run:
        run.stopping = lambda: sum("-post" in path for path in site.wire.paths) >= 3
        collect.poll(run)
    assert value(archive, "SELECT count(*) FROM articles") == 3


def test_due_sources_are_polled_before_the_remaining_pages(archive, clock):
    """A run with hundreds of due pages takes hours; sources that become due meanwhile are polled first."""
    with mounted(clock, articles=60, options=OPTIONS) as site:
        execute(
            archive,
            "UPDATE sources SET next_due_at = '2027-01-01T00:00:00Z' WHERE url <> ? AND next_due_at NOT NULL",
            NEWS,
        )
        soon = f"{clock.now() + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"
        execute(archive, "UPDATE sources SET next_due_at = ? WHERE url = ?", soon, NEWS)
        execute(archive, "UPDATE pages SET next_due_at = NULL, state = 'live' WHERE id % 4 <> 0")
        (post_id,) = site.fake_site.publish(1)
        path = site.fake_site.story(post_id).path
        poll(archive, clock, rate=0.01)
    pages = [p for p in site.wire.paths if "-post" in p]
    assert path in pages[: len(pages) // 2]
    assert len(pages) == len(set(pages)) > 15


# --- failing sources --------------------------------------------------------------------------------------------------


def without_items(body):
    return re.sub(rb"<item>.*</item>", b"", body, flags=re.DOTALL)


def test_a_source_that_lists_no_article_any_more_is_failing(archive, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site:
        site.edit = edited("/rss/home.rss", without_items)
        clock.advance(hours=7)
        poll_due_sources(archive, clock)
        row = source(archive, FEED)
        assert (row["state"], row["error"]) == ("failing", "lists no article; it has listed up to 50")
        assert row["items"] == 50, "as in the last good response"
        shown = vna("--archive", archive, "status")
        assert "lists no article; it has listed up to 50" in " ".join(shown.out.split())
        listed = json.loads(vna("--archive", archive, "status", "--json").out)["sources"]
        assert [r["state"] for r in listed if r["url"] == FEED] == ["failing"]
        site.wire.clear()
        clock.advance(minutes=6)
        poll_due_sources(archive, clock)
        assert site.wire.count("/rss/home.rss") == 1, "it is polled again soon"
        site.edit = None
        clock.advance(hours=1)
        poll_due_sources(archive, clock)
    row = source(archive, FEED)
    assert (row["state"], row["error"], row["failures"]) == ("ok", None, 0)


def test_a_source_that_lists_far_fewer_articles_gets_a_message(archive, clock):
    with mounted(clock, articles=60, options=OPTIONS) as site:
        site.edit = edited("/rss/home.rss", lambda body: body[: body.index(b"<item>", 9000)] + b"</channel></rss>")
        clock.advance(hours=7)
        poll_due_sources(archive, clock)
    row = source(archive, FEED)
    assert row["state"] == "ok"
    assert re.fullmatch(r"lists \d+ articles; it has listed up to 50", row["error"])
    assert (row["items"] < 13, row["most_items"]) == (True, 50)


def test_a_source_that_never_listed_articles_is_not_failing(archive):
    row = source(archive, f"{SITE}/sitemap.xml")
    assert (row["state"], row["items"]) == ("ok", 0)


def test_a_source_that_disappears_is_polled_daily(archive, clock):
    """After many failures. An address that never had a source is polled weekly (test_schedule_sources.py)."""
    with mounted(clock, articles=60, options=OPTIONS) as site:
        execute(archive, "UPDATE sources SET failures = 30 WHERE url = ?", FEED)
        site.edit = lambda request, response: (
            replace(response, status=404) if request.path == "/rss/home.rss" else response
        )
        clock.advance(hours=7)
        poll_due_sources(archive, clock)
        row = source(archive, FEED)
        assert (row["state"], row["error"]) == ("failing", "HTTP status 404")
        assert datetime.fromisoformat(row["next_due_at"]) - clock.now() <= timedelta(days=1)


def test_the_fallback_source_is_polled_when_the_primary_source_fails(archive, clock):
    """In the same run: otherwise it might be hours until the fallback source is due."""
    with mounted(clock, articles=60, options=OPTIONS) as site:
        execute(archive, "UPDATE sources SET next_due_at = '2027-01-01T00:00:00Z' WHERE next_due_at NOT NULL")
        execute(archive, "UPDATE sources SET next_due_at = '2026' WHERE url = ?", NEWS)
        site.fake_site.fault("error", path="/sitemaps/google-news.xml")
        poll_due_sources(archive, clock)
        assert source(archive, NEWS)["state"] == "failing"
        assert site.wire.count("/rss/home.rss") == 1


# --- redesigned lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["clicks", "list-data"])
def test_a_list_whose_stories_are_not_in_links_is_read(archive, clock, kind):
    """Only the home page and the sections list the new story, with the positions that they show."""
    with mounted(clock, articles=60, options=replace(OPTIONS, no_feed=True, no_sitemap=True)) as site:
        site.fake_site.redesign(kind)
        clock.advance(hours=2)
        new = site.fake_site.publish(2)
        poll_due_sources(archive, clock)
    assert {r["id"] for r in rows(archive, "SELECT id FROM pages WHERE id >= ?", new[0])} == set(new)
    home = f"{SITE}/"
    assert value(archive, "SELECT state FROM sources WHERE url = ?", home) == "ok"
    assert value(archive, "SELECT position FROM sightings WHERE source = ? AND page = ?", home, new[-1]) == 0
