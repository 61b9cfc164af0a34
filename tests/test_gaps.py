"""Outages that are longer than a list: the gap is opened, filled, closed, and what cannot be closed stays in sight."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from support import FakeClock, intact, mounted, poll, rows, value, vna, working

from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import SECTIONS, Options
from crawler.storage import open_archive

SITE = "https://fr.vietnamplus.vn"
FEED = f"{SITE}/rss/home.rss"
POLITICS = f"{SITE}/politique/"
OUTAGE = timedelta(days=2)
#: A feed that shows some hours, one section that shows ten articles and has no further pages that anybody could ask for.
OPTIONS = Options(era=3, sections=SECTIONS[:1], feed_size=12, home_size=12, section_size=10, no_news_sitemap=True)


@pytest.fixture
def clock():
    return FakeClock()


def look(archive, clock, **changes):
    """The sources' part of a tick alone; give the ids of the pages that are known now."""
    with working(archive, clock, **changes) as context, recorded(context, "poll"):
        poll_sources(context, ignore_due=False)
    return {row["id"] for row in rows(archive, "SELECT id FROM pages")}


def gaps(archive, source=FEED):
    return rows(
        archive, "SELECT g.* FROM gaps g JOIN sources s ON s.id = g.source WHERE s.url = ? ORDER BY g.id", source
    )


def through_the_outage(archive, clock, site, **changes):
    """Look before it and after it; what came online meanwhile."""
    look(archive, clock, **changes)
    before = set(site.replica.ids())
    site.replica.plan(clock.now() + OUTAGE)
    clock.advance(seconds=OUTAGE.total_seconds())
    look(archive, clock, **changes)
    return set(site.replica.ids()) - before


def known(archive):
    return {row["id"] for row in rows(archive, "SELECT id FROM pages WHERE state <> 'absent'")}


def test_an_outage_that_is_longer_than_the_feed(tmp_path, clock):
    """Nothing is missing, although no list shows all of it: the month's sitemap is asked at once, and closes the gap."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        site.replica.fault("error", path="/api/get-zone*")
        missed = through_the_outage(tmp_path, clock, site)
        assert len(missed) > 60
        assert missed <= known(tmp_path)
    (gap,) = gaps(tmp_path)
    assert (gap["state"], gap["closed_by"], gap["note"]) == ("closed", "sitemap", None)
    assert gap["since"] < gap["until"] == gap["opened_at"] <= gap["closed_at"]
    assert gap["after_id"] < min(missed) < gap["before_id"] <= max(missed)
    intact(tmp_path)


def test_the_sitemap_is_down_too(tmp_path, clock):
    """The gap stays open and is shown; it closes as soon as the sitemap is back, without anybody's help."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        look(tmp_path, clock)
        site.replica.fault("error", path="/api/get-zone*")
        site.replica.fault("error", path="/sitemap*")
        missed = through_the_outage(tmp_path, clock, site)
        assert missed - known(tmp_path), "what nobody lists is not known"
        (gap,) = gaps(tmp_path)
        assert (gap["state"], gap["closed_at"]) == ("open", None)
        shown = vna("--archive", tmp_path, "status")
        assert "open gaps" in shown.out
        assert "the sitemap of 2026-11 is failing" in " ".join(shown.out.split())
        listed = json.loads(vna("--archive", tmp_path, "status", "--json").out)["gaps"]
        assert (gap["id"], FEED) in {(row["id"], row["source"]) for row in listed}
        tried = gap["tried"]
        clock.advance(hours=1)
        look(tmp_path, clock)
        (gap,) = gaps(tmp_path)
        assert (gap["state"], gap["tried"] > tried) == ("open", True), "tried again, after a while"
        site.replica.clear()
        clock.advance(hours=7)
        look(tmp_path, clock)
        assert known(tmp_path) == set(site.replica.ids())
    assert {gap["closed_by"] for gap in gaps(tmp_path)} == {"sitemap"}
    assert json.loads(vna("--archive", tmp_path, "status", "--json").out)["gaps"] == []


def test_a_section_is_paged_back(tmp_path, clock):
    with mounted(clock, articles=15, options=OPTIONS) as site:
        missed = through_the_outage(tmp_path, clock, site)
        assert missed <= known(tmp_path)
    (gap,) = gaps(tmp_path, POLITICS)
    assert (gap["state"], gap["closed_by"], gap["tried"]) == ("closed", "paging", 0)


def test_paging_back_that_broke_off_is_done_again(tmp_path, clock):
    """Also when the first page shows nothing new any more: the gap is behind it."""
    with mounted(
        clock, articles=15, options=Options(**{**_values(OPTIONS), "no_sitemap": True, "no_feed": True})
    ) as site:
        look(tmp_path, clock)
        site.replica.fault("error", path="/api/get-zone*page=3*")
        missed = through_the_outage(tmp_path, clock, site)
        assert missed - known(tmp_path)
        (gap,) = gaps(tmp_path, POLITICS)
        assert gap["state"] == "open"
        site.replica.clear()
        clock.advance(hours=7)
        look(tmp_path, clock)
        assert missed <= known(tmp_path)
    (gap,) = gaps(tmp_path, POLITICS)
    assert (gap["state"], gap["closed_by"]) == ("closed", "paging")


def _values(options):
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


def test_a_gap_whose_ids_are_all_accounted_for(tmp_path, clock):
    """Whoever asks for the ids one by one writes those that are not there as absent; the next answer closes the gap."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        look(tmp_path, clock)
        site.replica.fault("error", path="/api/get-zone*")
        site.replica.fault("error", path="/sitemap*")
        through_the_outage(tmp_path, clock, site)
        (gap,) = gaps(tmp_path)
        with open_archive(tmp_path) as archive, archive.transaction():
            archive.db.conn.executemany(
                """INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, '', 'absent', '2026', 'ids')
                   ON CONFLICT DO NOTHING""",
                [(i,) for i in range(gap["after_id"] + 1, gap["before_id"])],
            )
        clock.advance(hours=7)
        look(tmp_path, clock)
    (gap,) = gaps(tmp_path)
    assert (gap["state"], gap["closed_by"]) == ("closed", "ids")


def test_two_months_and_a_sitemap_that_no_index_named(tmp_path):
    """An outage over the end of a month needs the sitemaps of both."""
    clock = FakeClock()
    clock.advance(days=9)  # 30 November
    with mounted(clock, articles=15, options=OPTIONS) as site:
        site.replica.fault("error", path="/api/get-zone*")
        look(tmp_path, clock)
        site.replica.fault("error", path="/sitemap.xml")
        with open_archive(tmp_path) as archive, archive.transaction():
            archive.db.conn.execute("DELETE FROM sources WHERE url LIKE '%news-2026-1_.xml' AND newest_id IS NULL")
        missed = through_the_outage(tmp_path, clock, site)
        assert missed <= known(tmp_path)
    (gap,) = gaps(tmp_path)
    assert (gap["since"][:7], gap["until"][:7], gap["closed_by"]) == ("2026-11", "2026-12", "sitemap")
    asked = rows(
        tmp_path, "SELECT url FROM sources WHERE url LIKE '%/news-2026-1_.xml' AND last_ok_at >= ?", gap["until"]
    )
    assert len(asked) == 2


def test_no_gap(tmp_path, clock):
    """Neither the first poll opens one, nor one that shares some, nor a quiet night, nor an answer without articles."""
    with mounted(clock, articles=15, options=OPTIONS) as site:
        look(tmp_path, clock)
        site.replica.publish(5)
        clock.advance(hours=7)
        look(tmp_path, clock)
        clock.advance(hours=7)
        look(tmp_path, clock)
        site.replica.fault("empty", path="/rss/*")
        clock.advance(hours=7)
        look(tmp_path, clock)
    assert value(tmp_path, "SELECT count(*) FROM gaps") == 0


def test_what_a_gap_brings_to_light_is_archived(tmp_path, clock):
    """The whole journey, pages included; a back-dated article too, for no time of publication is a cut-off."""
    options = Options(**{**_values(OPTIONS), "feed_size": 5, "home_size": 5, "section_size": 5})
    with mounted(clock, options=options) as site:
        site.replica.fault("error", path="/api/get-zone*")
        poll(tmp_path, clock)
        missed = site.replica.plan(clock.now() + timedelta(hours=8))
        clock.advance(hours=8)
        poll(tmp_path, clock)
        assert set(missed) <= {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")}
        assert value(tmp_path, "SELECT count(*) FROM revisions WHERE revision > 1") == 0
    assert {gap["state"] for gap in gaps(tmp_path)} == {"closed"}
