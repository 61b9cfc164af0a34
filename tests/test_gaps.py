"""Outages longer than a list: a gap is opened, filled and closed; a gap that cannot be closed yet stays visible."""

from __future__ import annotations

import json
from datetime import timedelta

from support import FakeClock, assert_intact, mounted, poll, rows, value, vna, working

from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import SECTIONS, Options
from crawler.storage import open_archive

SITE = "https://fr.vietnamplus.vn"
FEED = f"{SITE}/rss/home.rss"
POLITICS = f"{SITE}/politique/"
OUTAGE = timedelta(days=2)
#: A feed that lists a few hours, one section that lists ten articles, and no news sitemap.
OPTIONS = Options(era=3, sections=SECTIONS[:1], feed_size=12, home_size=12, section_size=10, no_news_sitemap=True)


def poll_due_sources(archive, clock):
    """Poll the due sources, but no pages."""
    with working(archive, clock) as run, recorded(run, "poll"):
        poll_sources(run, ignore_due=False)


def gaps(archive, source=FEED):
    return rows(
        archive, "SELECT g.* FROM gaps g JOIN sources s ON s.id = g.source WHERE s.url = ? ORDER BY g.id", source
    )


def poll_around_outage(archive, clock, site):
    """Poll the sources before and after an outage; return the ids of the articles published in between."""
    poll_due_sources(archive, clock)
    before = set(site.fake_site.ids())
    site.fake_site.plan(clock.now() + OUTAGE)
    clock.advance(seconds=OUTAGE.total_seconds())
    poll_due_sources(archive, clock)
    return set(site.fake_site.ids()) - before


def known_ids(archive):
    """Return the ids of all pages that are not absent."""
    return {row["id"] for row in rows(archive, "SELECT id FROM pages WHERE state <> 'absent'")}


def test_after_an_outage_longer_than_the_feed_the_sitemap_of_the_month_closes_the_gap(tmp_path, clock):
    """No other list has all the missed articles. The sitemap is polled at once."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        site.fake_site.fault("error", path="/api/get-zone*")
        missed = poll_around_outage(tmp_path, clock, site)
        assert len(missed) > 60
        assert missed <= known_ids(tmp_path)
    (gap,) = gaps(tmp_path)
    assert (gap["state"], gap["closed_by"], gap["note"]) == ("closed", "sitemap", None)
    assert gap["since"] < gap["until"] == gap["opened_at"] <= gap["closed_at"]
    assert gap["after_id"] < min(missed) < gap["before_id"] <= max(missed)
    assert_intact(tmp_path)


def test_while_the_sitemap_fails_the_gap_stays_open_and_is_shown(tmp_path, clock):
    """The gap closes without intervention once the sitemap has recovered."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        poll_due_sources(tmp_path, clock)
        site.fake_site.fault("error", path="/api/get-zone*")
        site.fake_site.fault("error", path="/sitemap*")
        missed = poll_around_outage(tmp_path, clock, site)
        assert missed - known_ids(tmp_path), "articles that no list has are not known"
        (gap,) = gaps(tmp_path)
        assert (gap["state"], gap["closed_at"]) == ("open", None)
        status = vna("--archive", tmp_path, "status")
        assert "open gaps" in status.out
        assert "the sitemap of 2026-11 is failing" in " ".join(status.out.split())
        listed = json.loads(vna("--archive", tmp_path, "status", "--json").out)["gaps"]
        assert (gap["id"], FEED) in {(row["id"], row["source"]) for row in listed}
        tried = gap["tried"]
        clock.advance(hours=1)
        poll_due_sources(tmp_path, clock)
        (gap,) = gaps(tmp_path)
        assert (gap["state"], gap["tried"] > tried) == ("open", True), "the sitemap was polled again"
        site.fake_site.clear()
        clock.advance(hours=7)
        poll_due_sources(tmp_path, clock)
        assert known_ids(tmp_path) == set(site.fake_site.ids())
    assert {gap["closed_by"] for gap in gaps(tmp_path)} == {"sitemap"}
    assert json.loads(vna("--archive", tmp_path, "status", "--json").out)["gaps"] == []


def test_paging_back_in_a_section_closes_its_gap(tmp_path, clock):
    with mounted(clock, articles=15, options=OPTIONS) as site:
        missed = poll_around_outage(tmp_path, clock, site)
        assert missed <= known_ids(tmp_path)
    (gap,) = gaps(tmp_path, POLITICS)
    assert (gap["state"], gap["closed_by"], gap["tried"]) == ("closed", "paging", 0)


def test_paging_back_that_failed_is_retried(tmp_path, clock):
    """It is retried even if the first page lists nothing new: the gap is on later pages."""
    with mounted(
        clock, articles=15, options=Options(**{**_values(OPTIONS), "no_sitemap": True, "no_feed": True})
    ) as site:
        poll_due_sources(tmp_path, clock)
        site.fake_site.fault("error", path="/api/get-zone*page=3*")
        missed = poll_around_outage(tmp_path, clock, site)
        assert missed - known_ids(tmp_path)
        (gap,) = gaps(tmp_path, POLITICS)
        assert gap["state"] == "open"
        site.fake_site.clear()
        clock.advance(hours=7)
        poll_due_sources(tmp_path, clock)
        assert missed <= known_ids(tmp_path)
    (gap,) = gaps(tmp_path, POLITICS)
    assert (gap["state"], gap["closed_by"]) == ("closed", "paging")


def _values(options):
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


def test_a_gap_closes_when_all_its_ids_are_known_or_absent(tmp_path, clock):
    """Id probing records absent ids; the next poll of any source then closes the gap."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        poll_due_sources(tmp_path, clock)
        site.fake_site.fault("error", path="/api/get-zone*")
        site.fake_site.fault("error", path="/sitemap*")
        poll_around_outage(tmp_path, clock, site)
        (gap,) = gaps(tmp_path)
        with open_archive(tmp_path) as archive, archive.transaction():
            archive.db.conn.executemany(
                """INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, '', 'absent', '2026', 'ids')
                   ON CONFLICT DO NOTHING""",
                [(i,) for i in range(gap["after_id"] + 1, gap["before_id"])],
            )
        clock.advance(hours=7)
        poll_due_sources(tmp_path, clock)
    (gap,) = gaps(tmp_path)
    assert (gap["state"], gap["closed_by"]) == ("closed", "ids")


def test_an_outage_over_the_end_of_a_month_needs_two_sitemaps(tmp_path):
    """No index names them, so they are requested at their usual addresses."""
    clock = FakeClock()
    clock.advance(days=9)  # 30 November
    with mounted(clock, articles=15, options=OPTIONS) as site:
        site.fake_site.fault("error", path="/api/get-zone*")
        poll_due_sources(tmp_path, clock)
        site.fake_site.fault("error", path="/sitemap.xml")
        with open_archive(tmp_path) as archive, archive.transaction():
            archive.db.conn.execute("DELETE FROM sources WHERE url LIKE '%news-2026-1_.xml' AND newest_id IS NULL")
        missed = poll_around_outage(tmp_path, clock, site)
        assert missed <= known_ids(tmp_path)
    (gap,) = gaps(tmp_path)
    assert (gap["since"][:7], gap["until"][:7], gap["closed_by"]) == ("2026-11", "2026-12", "sitemap")
    polled = rows(
        tmp_path, "SELECT url FROM sources WHERE url LIKE '%/news-2026-1_.xml' AND last_ok_at >= ?", gap["until"]
    )
    assert len(polled) == 2


def test_polls_that_open_no_gap(tmp_path, clock):
    """The first poll, one that lists known articles too, one without news, and a response without articles."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        poll_due_sources(tmp_path, clock)
        site.fake_site.publish(5)
        clock.advance(hours=7)
        poll_due_sources(tmp_path, clock)
        clock.advance(hours=7)
        poll_due_sources(tmp_path, clock)
        site.fake_site.fault("empty", path="/rss/*")
        clock.advance(hours=7)
        poll_due_sources(tmp_path, clock)
    assert value(tmp_path, "SELECT count(*) FROM gaps") == 0


def test_articles_found_by_filling_a_gap_are_archived(tmp_path, clock):
    """This polls sources and pages. No publication time is too old, so back-dated articles are archived too."""
    options = Options(**{**_values(OPTIONS), "feed_size": 5, "home_size": 5, "section_size": 5})
    with mounted(clock, options=options) as site:
        site.fake_site.fault("error", path="/api/get-zone*")
        poll(tmp_path, clock)
        missed = site.fake_site.plan(clock.now() + timedelta(hours=8))
        clock.advance(hours=8)
        poll(tmp_path, clock)
        assert set(missed) <= {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")}
        assert value(tmp_path, "SELECT count(*) FROM revisions WHERE revision > 1") == 0
    assert {gap["state"] for gap in gaps(tmp_path)} == {"closed"}
