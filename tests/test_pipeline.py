"""The journeys of a tick and of a page, against the double of the site: nothing lost, nothing twice, nothing guessed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise

import pytest
from support import (
    MARKUPS,
    NOW,
    ROOT,
    SEED_ARTICLES,
    SEED_TEXTS,
    SEEDS,
    SITE,
    FakeClock,
    answer,
    copied,
    edited,
    intact,
    mounted,
    page,
    poll,
    rows,
    value,
    wired,
    working,
)

from crawler import app, pipeline, render
from crawler.errors import BadInput, SiteUnavailable, StorageError
from crawler.parse import seedtext
from crawler.parse.page import PARSER_VERSION, parse_page
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.records import article_json
from crawler.sim.site import SECTIONS, Options, Request, Response, build
from crawler.site import Site
from crawler.storage import open_archive
from crawler.types import RawRef
from crawler.warc import WarcStore

ALIVE = 41  # the seeds and the stories under them
SEED_IDS = {108403, 212024, 201295, 173418, 202538}
WALL = "navigateur"  # what the wall against robots says


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(scope="session")
def first(tmp_path_factory):
    """An archive after its first poll, with the report, the requests, and the time; made once, only ever copied."""
    folder, clock = tmp_path_factory.mktemp("first") / "archive", FakeClock()
    with mounted(clock) as site:
        report = poll(folder, clock)
        return folder, report, site.wire.paths, clock.now()


@pytest.fixture
def held(first, tmp_path, clock):
    """A copy of that archive to go on with, an hour later."""
    clock.time = first[3]
    clock.advance(hours=1)
    return copied(first[0], tmp_path / "archive")


def change(archive, sql, *values):
    with open_archive(archive) as opened, opened.transaction():
        opened.db.conn.execute(sql, values)


def only(archive, *ids, sources=False):
    """Make these pages due, and nothing else."""
    change(archive, "UPDATE pages SET next_due_at = CASE WHEN id IN (SELECT value FROM json_each(?)) THEN '2026' END",
           json.dumps(ids))  # fmt: skip
    if not sources:
        change(archive, "UPDATE sources SET next_due_at = '9999-01-01T00:00:00Z' WHERE next_due_at IS NOT NULL")


def state(archive, page_id):
    return value(archive, "SELECT state FROM pages WHERE id = ?", page_id)


def stored(archive, key):
    with app.reading_archive(archive) as opened:
        return opened.article(key)


def ids(archive):
    return {row["id"] for row in rows(archive, "SELECT id FROM articles")}


def evidence(archive):
    """What the WARC files hold: (path, status, body) of every answer, in the order of writing."""
    with WarcStore(archive / "warc") as warc:
        return [(record.url.removeprefix(SITE), record.status, record.body) for record in warc.records()]


def last_evidence(archive, page_id):
    """The body that the page's row points at."""
    (row,) = rows(archive, "SELECT raw.* FROM raw JOIN pages ON pages.raw_id = raw.id WHERE pages.id = ?", page_id)
    with WarcStore(archive / "warc") as warc:
        return warc.read(RawRef(row["file"], row["offset"], row["length"], row["digest"]))


def counts(report):
    """What a report counts of pages, zeros left out."""
    names = ("new", "revised", "unchanged", "duplicate", "rejected", "failed", "gone")
    return {name: n for name in names if (n := getattr(report, name))}


# --- the first poll ---------------------------------------------------------------------------------------------------


def test_the_first_poll_archives_everything(first):
    archive, report, paths, _ = first
    assert counts(report) == {"new": ALIVE}
    assert (report.fetched, report.sightings > ALIVE) == (ALIVE, True)
    assert ids(archive) > SEED_IDS
    assert len(ids(archive)) == ALIVE
    assert {row["state"] for row in rows(archive, "SELECT state FROM pages")} == {"live"}
    assert report.requests == len(paths) == value(archive, "SELECT count(*) FROM fetches")
    assert report.bytes == value(archive, "SELECT sum(size) FROM fetches") > 10 * ALIVE
    articles = [path for path in paths if "-post" in path]
    assert len(articles) == len(set(articles)) == ALIVE
    (run,) = rows(archive, "SELECT * FROM runs")
    assert (run["command"], run["outcome"], json.loads(run["report"])["new"]) == ("poll", "done", ALIVE)
    intact(archive)


def test_every_answer_is_evidence(first):
    archive, _, paths, _ = first
    assert [path for path, _, _ in evidence(archive)] == paths
    dates = rows(archive, "SELECT min(fetched_at) AS a, max(fetched_at) AS b FROM raw")[0]
    assert NOW.isoformat()[:16] <= dates["a"] < dates["b"]


@pytest.mark.parametrize("name", SEED_TEXTS)
def test_each_seed_leaves_the_archive_as_the_same_document(first, name):
    (found,) = rows(first[0], "SELECT id FROM articles WHERE title = ?", SEED_ARTICLES[name].title)
    left = render.text(stored(first[0], found["id"]))
    assert lines(left) == lines(SEED_TEXTS[name])
    assert left == seedtext.write(SEED_ARTICLES[name]), "in the one form of white space that we write"


def lines(text):
    """What makes two texts the same document: their lines, without the blank ones and without white space around."""
    return [stripped for line in text.split("\n") if (stripped := line.strip())]


def test_politeness_of_a_whole_run(tmp_path, clock):
    with mounted(clock) as site:
        look(tmp_path, clock)
    times = site.wire.times
    assert all((b - a).total_seconds() >= 1 for a, b in pairwise(times))
    assert {request.headers["User-Agent"] for request in site.wire.requests} == {
        "vna-archive/0.1.0 (+archive@bibliotheque.fr)"
    }
    assert site.wire.count("/robots.txt") == 1


def test_three_eras_read_alike():
    """The body shapes of 2010, 2016 and 2024 are three ways of writing the same articles."""
    readings = {}
    for era in (1, 2, 3):
        site = build(SITE, seeds_dir=SEEDS, articles=12, now=lambda: NOW, options=Options(era=era, history=12))
        readings[era] = {post_id: reading(site, post_id) for post_id in site.ids()}
    assert len(readings[1]) == ALIVE + 24
    assert {(p, era) for era in (1, 2) for p, one in readings[era].items() if one != readings[3][p]} == set()


def reading(site, post_id):
    story = site.story(post_id)
    html = site.respond(Request("GET", story.path)).body
    article = parse_page(html, SITE + story.path, fetched_at=NOW, markups=MARKUPS, content_type=None)
    assert article.title == story.title
    return {k: v for k, v in article_json(article).items() if k not in ("markup", "provenance")}


# --- the second poll --------------------------------------------------------------------------------------------------


def test_nothing_is_due_at_once(first, held):
    clock = FakeClock(first[3])
    with mounted(clock) as site:
        assert counts(poll(held, clock)) == {}
        assert site.wire.requests == []


def test_everything_again_is_unchanged(first, held, clock):
    before = rows(held, "SELECT id, fingerprint, first_seen_at, revision FROM articles")
    with mounted(clock) as site:
        report = poll(held, clock, everything=True)
    assert counts(report) == {"unchanged": ALIVE}
    sources = {
        row["url"].removeprefix(SITE) for row in rows(held, "SELECT url FROM sources WHERE next_due_at NOT NULL")
    }
    assert sorted(site.wire.paths) == sorted([*sources, *(p for p in first[2] if "-post" in p)]), "one request each"
    assert rows(held, "SELECT id, fingerprint, first_seen_at, revision FROM articles") == before
    assert value(held, "SELECT count(*) FROM revisions") == ALIVE
    assert value(held, "SELECT min(checked_at) FROM articles") > first[3].isoformat()
    intact(held)


def test_published_and_revised(held, clock):
    with mounted(clock) as site:
        published = site.replica.publish(2)
        clock.advance(minutes=20)
        assert counts(poll(held, clock)) == {"new": 2}
        assert set(published) < ids(held)
        clock.advance(minutes=5)
        site.replica.revise(published[0], title="Un titre tout à fait neuf")
        clock.advance(minutes=15)
        assert counts(poll(held, clock)) == {"revised": 1}, "the news sitemap tells of it"
    article = stored(held, published[0])
    assert (article.revision, article.article.title) == (2, "Un titre tout à fait neuf")
    with app.reading_archive(held) as opened:
        old, new = opened.history(published[0])
        assert "title" in new["changed"]
        assert old["title"] != new["title"]
        assert opened.changes(None, 5)[0]["id"] == published[0]
    intact(held)


def test_a_modification_time_makes_a_page_due(held, clock):
    with mounted(clock) as site:
        (post_id,) = site.replica.publish(1)
        clock.advance(hours=1)
        poll(held, clock)
        only(held, sources=True)
        clock.advance(hours=13)
        assert counts(poll(held, clock)) == {}
        only(held, sources=True)
        site.replica.revise(post_id)
        clock.advance(hours=13)
        assert counts(poll(held, clock)) == {"revised": 1}
        only(held, sources=True)
        clock.advance(hours=13)
        assert counts(poll(held, clock)) == {}, "the same time does not count again"


@pytest.mark.parametrize("status", [404, 410])
def test_a_removed_article(held, clock, status):
    """Suspect at the first answer, gone after spaced repeats; what was held stays."""
    seen, when = [], []
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        site.replica.unpublish(post_id, status)
        only(held, post_id)
        for _ in range(3):
            assert counts(poll(held, clock)) == {"gone": 1}
            seen.append((state(held, post_id), stored(held, post_id).state))
            when.append(clock.now())
            clock.advance(minutes=1)
            assert counts(poll(held, clock)) == {}, "the repeats are spaced"
            clock.advance(days=1)
    assert seen == [("suspect", "suspect"), ("suspect", "suspect"), ("gone", "gone")]
    assert value(held, "SELECT next_due_at FROM pages WHERE id = ?", post_id) is None
    assert last_evidence(held, post_id).status == status
    article = stored(held, post_id)
    assert article.article.text
    assert article.raw is not None
    with app.reading_archive(held) as opened:
        assert [(r["id"], r["what"]) for r in opened.changes(None, 5)] == [(post_id, "gone")]
        assert "gone" not in {r["state"] for r in opened.status()["attention"]}
    intact(held)


def test_a_suspect_that_comes_back(held, clock):
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        path = site.replica.story(post_id).path
        site.edit = lambda asked, given: replace(given, status=404) if asked.path == path else given
        only(held, post_id)
        poll(held, clock)
        assert (state(held, post_id), stored(held, post_id).state) == ("suspect", "suspect")
        site.edit = None
        clock.advance(hours=1)
        assert counts(poll(held, clock)) == {"unchanged": 1}
    assert (state(held, post_id), stored(held, post_id).state) == ("live", "live")
    assert value(held, "SELECT failures FROM pages WHERE id = ?", post_id) == 0
    with app.reading_archive(held) as opened:
        assert opened.changes(None, 5) == []


def test_trouble_before_the_first_404_is_no_probe(held, clock):
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        only(held, post_id)
        site.replica.fault("error", path=site.replica.story(post_id).path)
        for _ in range(2):
            poll(held, clock)
            clock.advance(hours=1)
        site.replica.clear()
        site.replica.unpublish(post_id, 404)
        poll(held, clock)
    assert state(held, post_id) == "suspect"


# --- answers that are no article --------------------------------------------------------------------------------------


def add_page(archive, post_id, path):
    """Have a page known as if a source had shown it."""
    change(archive, "INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, ?, 'known', ?, 'home')",
           post_id, SITE + path, "2026-11-21T08:00:00Z")  # fmt: skip


def named(archive, site, *ids):
    """Have pages due as if a source had just shown them, and nothing else."""
    for post_id in ids:
        add_page(archive, post_id, site.replica.story(post_id).path)
    only(archive, *ids)


@pytest.mark.parametrize(
    ("situation", "counted", "as_new"),
    [
        ("block page", "rejected", "rejected"),
        ("redesign", "rejected", "drift"),
        ("a dozen bytes", "rejected", "rejected"),
        ("a PDF", "rejected", "rejected"),
        ("refused", "failed", "failed"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["held", "new"])
def test_what_is_no_article(held, clock, situation, counted, as_new, known):
    """It is kept and queued for a human; the run goes on; an article that is held stays live."""
    with mounted(clock) as site:
        others = site.replica.ids()[:2]
        (post_id,) = [site.replica.ids()[-1]] if known else site.replica.publish(1)
        path = site.replica.story(post_id).path
        disturb(site, situation, path)
        if not known:
            clock.advance(minutes=1)
            add_page(held, post_id, path)
        only(held, post_id, *others)
        before = stored(held, post_id)
        report = poll(held, clock)
        rest = {"rejected": 2} if situation == "redesign" else {"unchanged": 2}
        assert counts(report) == ({counted: 3} if situation == "redesign" else {counted: 1, **rest})
        assert state(held, post_id) == ("live" if known else as_new)
        assert value(held, "SELECT error FROM pages WHERE id = ?", post_id)
        assert stored(held, post_id) == before
        kept = [body for where, _, body in evidence(held) if where in (path, "/")][-1]
        assert kept
        if counted == "rejected":
            assert last_evidence(held, post_id).body == kept
        site.replica.clear()
        clock.advance(hours=1)
        assert counts(poll(held, clock)).get("unchanged" if known else "new") == (
            3 if situation == "redesign" and known else 1
        )
    assert (state(held, post_id), stored(held, post_id).state) == ("live", "live")
    intact(held)


def disturb(site, situation, path):
    faults = {"block page": "block", "a dozen bytes": "empty", "a PDF": "not_html", "refused": "forbidden"}
    if situation in faults:
        site.replica.fault(faults[situation], path=path)
    else:
        site.replica.redesign()


def test_a_redirect_and_its_target_are_both_evidence(held, clock):
    """A slug changes with its headline; the old address sends on to the new one."""
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        old = site.replica.story(post_id).path
        site.replica.revise(post_id, title="Un autre titre")
        new = site.replica.story(post_id).path

        def edit(asked, given):
            return Response(301, (("Location", new),)) if asked.path == old else given

        site.edit = edit
        only(held, post_id)
        assert counts(poll(held, clock)) == {"revised": 1}
    assert [(path, status) for path, status, _ in evidence(held)[-2:]] == [(old, 301), (new, 200)]
    assert stored(held, post_id).article.url == SITE + new
    assert stored(held, post_id).id == post_id


def test_a_page_that_names_another_post(held, clock):
    """Two addresses of one article: its id is what the page says, and both rows know of the visit."""
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        path = site.replica.story(post_id).path
        add_page(held, 1, "/ancien-post1.vnp")
        whole = site.replica.respond(Request("GET", path)).body
        site.edit = lambda asked, given: (
            Response(200, (("Content-Type", "text/html"),), whole) if asked.path == "/ancien-post1.vnp" else given
        )
        only(held, 1)
        assert counts(poll(held, clock)) == {"unchanged": 1}
    assert (state(held, 1), state(held, post_id)) == ("live", "live")
    assert len(ids(held)) == ALIVE


# --- every trouble ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("throttle", "failed"),
        ("unavailable", "failed"),
        ("error", "failed"),
        ("forbidden", "failed"),
        ("down", "failed"),
        ("truncate", "failed"),
        ("hang", "failed"),
        ("garbage", "failed"),
        ("block", "rejected"),
        ("empty", "rejected"),
        ("not_html", "rejected"),
        ("slow", None),
    ],
)
def test_trouble_with_one_page(held, clock, kind, outcome):
    with mounted(clock) as site:
        (post_id,) = site.replica.publish(1)
        named(held, site, post_id)
        site.replica.fault(kind, path=site.replica.story(post_id).path)
        report = poll(held, clock)
        if outcome is None:
            assert counts(report) == {"new": 1}
            return
        assert counts(report) == {outcome: 1}
        assert state(held, post_id) == outcome
        due = value(held, "SELECT next_due_at FROM pages WHERE id = ?", post_id)
        assert due > clock.now().isoformat()[:19], "it is tried again, but later"
        site.replica.clear()
        clock.advance(hours=1)
        assert counts(poll(held, clock)) == {"new": 1}
    assert value(held, "SELECT failures FROM pages WHERE id = ?", post_id) == 0
    intact(held)


@pytest.mark.parametrize("kind", ["throttle", "unavailable", "error", "down", "truncate", "hang", "garbage"])
def test_trouble_that_passes_costs_nothing(held, clock, kind):
    with mounted(clock) as site:
        (post_id,) = site.replica.publish(1)
        named(held, site, post_id)
        site.replica.fault(kind, path=site.replica.story(post_id).path, times=2)
        assert counts(poll(held, clock)) == {"new": 1}
        assert site.wire.count(site.replica.story(post_id).path) == 3
    assert value(held, "SELECT count(*) FROM fetches WHERE url = ?", SITE + site.replica.story(post_id).path) == 3


EACH = ("throttle", "error", "forbidden", "truncate", "hang", "garbage", "block", "empty", "not_html")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *(("/", k) for k in EACH),
        *((p, k) for p in ("/rss/home.rss", "/sitemap*", "/politique/") for k in ("error", "block")),
    ],
)
def test_trouble_with_one_source(held, clock, path, kind):
    """The others make up for it; the source is marked, and asked again later."""
    with mounted(clock) as site:
        (post_id,) = site.replica.publish(1)
        site.replica.fault(kind, path=path)
        clock.advance(hours=13)
        only(held, sources=True)
        assert counts(poll(held, clock)) == {"new": 1}, post_id
    marked = rows(held, "SELECT url, state, error FROM sources WHERE state = 'failing'")
    hit = [r["url"] for r in rows(held, "SELECT url FROM sources WHERE next_due_at NOT NULL AND state <> 'absent'")]
    assert {row["url"] for row in marked} == {url for url in hit if fnmatchcase(url.removeprefix(SITE), path)}
    assert all(row["error"] for row in marked)


def test_a_site_that_is_down(held, clock):
    with mounted(clock) as site:
        site.replica.fault("down")
        clock.advance(days=40)
        with pytest.raises(SiteUnavailable) as caught:
            poll(held, clock)
    assert "robots.txt" in str(caught.value)
    (run,) = rows(held, "SELECT * FROM runs ORDER BY id DESC LIMIT 1")
    assert (run["outcome"], json.loads(run["report"])["requests"]) == ("stopped", 3)
    assert value(held, "SELECT count(*) FROM fetches WHERE error IS NOT NULL") == 3, "every try is on record"


def test_everybody_is_to_stay_away(tmp_path, clock):
    with mounted(clock) as site:
        site.edit = edited("/robots.txt", lambda _: b"User-agent: *\nDisallow: /")
        assert counts(poll(tmp_path, clock)) == {}
        assert site.wire.paths == ["/robots.txt"]
    assert {row["state"] for row in rows(tmp_path, "SELECT state FROM sources")} == {"absent"}


def test_robots_that_close_the_articles(held, clock):
    (held / "state" / "robots-https-fr.vietnamplus.vn.json").unlink()
    with mounted(clock) as site:
        site.edit = edited("/robots.txt", lambda _: b"User-agent: *\nDisallow: /*-post")
        only(held, *SEED_IDS)
        assert counts(poll(held, clock)) == {"failed": 5}
        assert site.wire.paths == ["/robots.txt"]
    assert stored(held, 108403).state == "live"
    assert "robots" in value(held, "SELECT error FROM pages WHERE id = 108403")


# --- sources ----------------------------------------------------------------------------------------------------------

RENAMED = tuple(replace(s, slug=f"rubrique-{s.key}", zone=s.zone + 400) for s in SECTIONS)
SMALL = Options(home_size=4, feed_size=4, section_size=5)


@pytest.mark.parametrize(
    "options",
    [
        SMALL,
        replace(SMALL, no_feed=True),
        replace(SMALL, no_sitemap=True),
        replace(SMALL, no_feed=True, no_sitemap=True, no_news_sitemap=True),
        replace(SMALL, sections=RENAMED),
        replace(SMALL, not_found="soft", no_feed=True, no_sitemap=True),
        replace(SMALL, not_found="home", no_feed=True, no_sitemap=True),
    ],
    ids=["small lists", "no feed", "no sitemap", "sections alone", "other slugs", "soft 404s", "404s go home"],
)
def test_any_way_in_leads_to_everything(tmp_path, clock, options):
    with mounted(clock, options=options) as site:
        assert look(tmp_path, clock) == set(site.replica.ids())


def test_a_source_that_is_not_there(tmp_path, clock):
    with mounted(clock, options=Options(no_sitemap=True, no_feed=True)):
        look(tmp_path, clock)
    found = {r["url"].removeprefix(SITE): r for r in rows(tmp_path, "SELECT * FROM sources")}
    assert {path for path, row in found.items() if row["state"] == "absent"} >= {"/sitemap.xml", "/rss/home.rss"}
    assert found["/"]["state"] == "ok"
    assert found["/sitemap.xml"]["next_due_at"] > "2026-11-27"


def look(archive, clock, **changes):
    """The sources' part of a tick alone; give the ids of the pages that are known now."""
    with working(archive, clock, **changes) as context, recorded(context, "poll"):
        poll_sources(context, ignore_due=False)
    return {row["id"] for row in rows(archive, "SELECT id FROM pages")}


def zones(paths):
    return [path for path in paths if path.startswith("/api/get-zone")]


def test_paging_back_stops_where_all_is_known(tmp_path, clock):
    with mounted(clock, options=Options(section_size=10)) as site:
        look(tmp_path, clock)
        assert len(zones(site.wire.paths)) > 3, "the first time it goes back to the end"
        site.wire.clear()
        clock.advance(hours=7)
        look(tmp_path, clock)
        assert zones(site.wire.paths) == [], "nothing new on the first page"
        site.wire.clear()
        clock.advance(hours=7)
        while not any(site.replica.story(p).section == "Politique" for p in site.replica.publish(1)):
            pass
        look(tmp_path, clock)
        assert len([p for p in zones(site.wire.paths) if "zone=471" in p]) == 1, "one page more, which shows no gap"


def test_paging_back_has_a_limit(tmp_path, clock):
    with mounted(clock, options=Options(section_size=5, home_size=4, no_sitemap=True, no_feed=True)) as site:
        known = look(tmp_path, clock, list_pages=3)
    assert len([p for p in zones(site.wire.paths) if "zone=471" in p]) == 2
    assert len(known) < ALIVE


def test_trouble_on_a_further_page_loses_nothing_of_the_first(tmp_path, clock):
    with mounted(clock, options=Options(section_size=10, home_size=4, no_sitemap=True, no_feed=True)) as site:
        site.replica.fault("error", path="/api/get-zone?*page=3*")
        look(tmp_path, clock)
        (row,) = rows(tmp_path, "SELECT * FROM sources WHERE url LIKE '%/politique/'")
        assert row["state"] == "ok"
        found = value(tmp_path, "SELECT count(*) FROM sightings WHERE source = ?", row["url"])
        assert row["items"] < found < ALIVE, "items are those of one answer"
        assert "further pages" in row["error"]


def test_excluded_and_added(tmp_path, clock):
    with mounted(clock, options=Options(home_size=4, no_sitemap=True, no_feed=True)) as site:
        look(tmp_path, clock, exclude=("/politique/", "/sports/*"), add=("/rss/culture.rss", "/extra/"))
    assert not {"/politique/", "/sports/"} & set(site.wire.paths)
    assert {"/rss/culture.rss", "/extra/", "/culture/"} <= set(site.wire.paths)
    kinds = {r["url"].removeprefix(SITE): r["kind"] for r in rows(tmp_path, "SELECT url, kind FROM sources")}
    assert (kinds["/rss/culture.rss"], kinds["/extra/"]) == ("feed", "section")


def test_what_the_home_page_names_is_polled_in_the_same_tick(first):
    """Also at one request a second, when that takes longer than the clock's second."""
    archive, _, paths, _ = first
    assert "/politique/" in paths
    assert value(archive, "SELECT count(*) FROM sources WHERE state = 'new' AND next_due_at IS NOT NULL") == 0


def test_validators(tmp_path, clock):
    """With ETags, a second round costs no bodies; an article that changed is still noticed."""
    with mounted(clock, options=Options(validators=True)) as site:
        poll(tmp_path, clock)
        clock.advance(hours=1)
        raws = value(tmp_path, "SELECT count(*) FROM raw WHERE status = 200")
        some = site.replica.ids()[-4:]
        change(tmp_path, "UPDATE sources SET next_due_at = '2026' WHERE next_due_at NOT NULL AND state <> 'absent'")
        only(tmp_path, *some, sources=True)
        report = poll(tmp_path, clock)
        assert counts(report) == {"unchanged": 4}
        assert (report.bytes, report.requests > 10) == (0, True)
        assert value(tmp_path, "SELECT count(*) FROM raw WHERE status = 200") == raws, "the row keeps what it read"
        clock.advance(hours=1)
        site.replica.revise(some[0])
        only(tmp_path, *some)
        assert counts(poll(tmp_path, clock)) == {"revised": 1, "unchanged": 3}
    intact(tmp_path)


# --- killed -----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_at(context, owner, name, *, after):
    """Make the second call of a method the last thing that the process does: before it works, or after."""
    target = getattr(context, owner)
    really, calls = getattr(target, name), []

    def method(*args, **kwargs):
        calls.append(name)
        if len(calls) < 2:
            return really(*args, **kwargs)
        if after:
            really(*args, **kwargs)
        raise Killed

    setattr(target, name, method)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("fetcher", "get"),
        ("warc", "append"),
        ("archive", "add_raw"),
        ("archive", "article"),
        ("archive", "save_article"),
        ("archive", "save_page"),
        ("archive", "log_requests"),
    ],
)
def test_killed_and_started_again(held, clock, owner, name, after):
    with mounted(clock) as site:
        fresh = site.replica.publish(3)
        revised = site.replica.ids()[0]
        clock.advance(minutes=1)
        site.replica.revise(revised)
        clock.advance(minutes=20)
        paths = {post_id: site.replica.story(post_id).path for post_id in fresh}
        for post_id, path in paths.items():
            add_page(held, post_id, path)
        only(held, *fresh, revised)
        with working(held, clock) as context:
            killed_at(context, owner, name, after=after)
            with pytest.raises(Killed):
                pipeline.poll(context)
        intact(held)
        assert len(ids(held)) < ALIVE + 3
        outcome = rows(held, "SELECT outcome FROM runs ORDER BY id DESC")[0]["outcome"]
        assert outcome == ("stopped" if name != "log_requests" else None)
        poll(held, clock)
    assert set(fresh) < ids(held)
    assert len(ids(held)) == ALIVE + 3
    assert value(held, "SELECT count(*) FROM revisions") == ALIVE + 3 + 1, "nothing twice"
    assert stored(held, revised).revision == 2
    assert {row["state"] for row in rows(held, "SELECT state FROM pages")} == {"live"}
    kept = [path for path, _, _ in evidence(held)]
    assert all(path in kept for path in paths.values())
    intact(held)


CRASH = """
import os, pathlib, sys
sys.path.insert(0, {tests!r})
from support import *
clock = FakeClock()
with mounted(clock), working(pathlib.Path({archive!r}), clock) as context:
    target = getattr(context, {owner!r})
    really, calls = getattr(target, {name!r}), []
    def method(*args, **kwargs):
        calls.append(1)
        found = really(*args, **kwargs)
        if len(calls) == {count}:
            os.kill(os.getpid(), 9)
        return found
    setattr(target, {name!r}, method)
    pipeline.poll(context)
"""


@pytest.mark.parametrize(("owner", "name", "count"), [("warc", "append", 40), ("archive", "save_page", 12)])
def test_a_process_that_is_really_killed(tmp_path, clock, owner, name, count):
    archive = tmp_path / "archive"
    program = CRASH.format(tests=str(ROOT / "tests"), archive=str(archive), owner=owner, name=name, count=count)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    intact(archive)
    (run,) = rows(archive, "SELECT * FROM runs")
    assert run["outcome"] is None
    before = ids(archive)
    assert 0 < len(before) < ALIVE
    clock.advance(minutes=2)
    with mounted(clock):
        assert counts(poll(archive, clock)) == {"new": ALIVE - len(before)}
    assert value(archive, "SELECT count(*) FROM revisions") == ALIVE
    intact(archive)


def test_the_evidence_is_on_the_disk_before_the_row_commits(held, clock, monkeypatch):
    order = []
    really = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), really(handle)))
    with mounted(clock) as site:
        only(held, site.replica.ids()[0])
        with working(held, clock) as context:
            add_raw = context.archive.add_raw

            def noted(*args):
                order.append("row")
                return add_raw(*args)

            context.archive.add_raw = noted
            pipeline.poll(context)
    assert order[-1] == "row"
    assert order.index("fsync") < order.index("row")


def test_a_run_without_a_disk_for_evidence(tmp_path, clock):
    (tmp_path / "warc").touch()
    with mounted(clock) as site, pytest.raises(Exception, match="cannot write evidence") as caught:
        poll(tmp_path, clock)
    assert caught.value.hint
    assert len(site.wire.requests) == 2, "nothing is fetched that cannot be kept"
    assert ids(tmp_path) == set()
    assert value(tmp_path, "SELECT outcome FROM runs") == "stopped"


def test_a_database_that_another_program_holds(held, clock):
    with mounted(clock) as site:
        only(held, *site.replica.ids()[:2])

        def attempt():
            with working(held, clock) as context, open_archive(held) as other:
                context.archive.db.conn.execute("PRAGMA busy_timeout = 1")
                really = context.fetcher.get

                def get(*args, **kwargs):
                    if not other.db.conn.in_transaction:
                        other.db.conn.execute("BEGIN IMMEDIATE")
                    return really(*args, **kwargs)

                context.fetcher.get = get
                pipeline.poll(context)

        with pytest.raises(StorageError, match="locked") as caught:
            attempt()
        assert "another program" in caught.value.hint
        assert counts(poll(held, clock)) == {"unchanged": 2}


# --- imports ----------------------------------------------------------------------------------------------------------


def imported(archive, clock, texts):
    with working(archive, clock, command="import") as context:
        return [done for name, text in texts.items() for done in pipeline.import_file(context, name, text)]


def test_import_then_poll_links_both(tmp_path, clock):
    first = imported(tmp_path, clock, SEED_TEXTS)
    assert [(done.key, done.verdict) for done in first] == [(-n, "new") for n in range(1, 6)]
    for done, name in zip(first, SEED_TEXTS, strict=True):
        assert lines(render.text(stored(tmp_path, done.key))) == lines(SEED_TEXTS[name])
        assert stored(tmp_path, done.key).article.post_id is None
    again = imported(tmp_path, clock, SEED_TEXTS)
    assert [(done.key, done.verdict) for done in again] == [(-n, "unchanged") for n in range(1, 6)]
    with mounted(clock):
        assert counts(poll(tmp_path, clock)) == {"new": ALIVE - 5, "duplicate": 5}
    pairs = {(r["article"], r["other"]): (r["kind"], r["score"]) for r in rows(tmp_path, "SELECT * FROM duplicates")}
    assert {article for article, _ in pairs} == SEED_IDS
    assert {other for _, other in pairs} == {-1, -2, -3, -4, -5}
    assert set(pairs.values()) == {("same text", 1.0)}
    assert len(ids(tmp_path)) == ALIVE + 5, "linked, not merged"
    intact(tmp_path)


def test_poll_then_import_links_them_too(held, clock):
    done = imported(held, clock, SEED_TEXTS)
    assert [d.verdict for d in done] == ["duplicate"] * 5
    assert {row["article"] for row in rows(held, "SELECT * FROM duplicates WHERE other < 0")} == SEED_IDS
    assert [d.verdict for d in imported(held, clock, SEED_TEXTS)] == ["unchanged"] * 5
    assert value(held, "SELECT count(*) FROM duplicates") == 5
    intact(held)


def test_several_texts_in_one_file(tmp_path, clock):
    texts = list(SEED_TEXTS.values())
    done = imported(tmp_path, clock, {"all.txt": "\f".join(texts)})
    assert [d.key for d in done] == [-1, -2, -3, -4, -5]
    assert value(tmp_path, "SELECT count(DISTINCT source_file) FROM articles") == 1


def test_a_file_is_imported_whole_or_not_at_all(tmp_path, clock):
    with pytest.raises(BadInput):
        imported(tmp_path, clock, {"bad.txt": f"{SEED_TEXTS['000']}\f\n\n"})
    assert ids(tmp_path) == set()


def test_an_import_that_was_edited_is_a_revision(tmp_path, clock):
    lead = SEED_ARTICLES["000"].lead
    imported(tmp_path, clock, {"a.txt": SEED_TEXTS["000"]})
    (done,) = imported(tmp_path, clock, {"a.txt": SEED_TEXTS["000"].replace(lead, "Un autre chapeau.", 1)})
    assert (done.key, done.verdict) == (-1, "revised")
    assert stored(tmp_path, -1).article.lead == "Un autre chapeau."


# --- a better parser --------------------------------------------------------------------------------------------------


def misread(archive, post_id):
    """Have the row as an older parser left it."""
    change(
        archive,
        "UPDATE articles SET parser = ?, title = 'Mal lu', fingerprint = 'x' WHERE id = ?",
        PARSER_VERSION - 1,
        post_id,
    )
    change(archive, "UPDATE revisions SET title = 'Mal lu', fingerprint = 'x' WHERE article = ?", post_id)


def test_a_better_parser_makes_no_revision(held, clock):
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        misread(held, post_id)
        only(held, post_id)
        assert counts(poll(held, clock)) == {"unchanged": 1}
        article = stored(held, post_id)
        assert article.article.title == site.replica.story(post_id).title
        assert (article.revision, article.parser) == (1, PARSER_VERSION)
        (revision,) = rows(held, "SELECT * FROM revisions WHERE article = ?", post_id)
        assert revision["title"] == article.article.title
        intact(held)
        misread(held, post_id)
        site.replica.revise(post_id, text="Une précision de dernière minute.")
        only(held, post_id)
        assert counts(poll(held, clock)) == {"revised": 1}
    assert json.loads(
        rows(held, "SELECT changed FROM revisions WHERE article = ? AND revision = 2", post_id)[0]["changed"]
    ) == ["text"]


def test_evidence_that_is_damaged_does_not_stop_the_run(held, clock):
    with mounted(clock) as site:
        post_id, other = site.replica.ids()[-2:]
        misread(held, post_id)
        change(
            held,
            "UPDATE raw SET digest = 'sha256:WRONG' WHERE id = (SELECT raw_id FROM articles WHERE id = ?)",
            post_id,
        )
        only(held, post_id, other)
        assert counts(poll(held, clock)) == {"revised": 1, "unchanged": 1}
        assert stored(held, post_id).article.title == site.replica.story(post_id).title


# --- odd pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("situation", "old", "new"),
    [
        ("half a character in the metadata", b'"articleSection":', b'"articleSection":"\\ud83d","x":'),
        ("a NUL in the text", b"</h1>", b"\0</h1>"),
        ("a title of spaces", b"<h1", b"<h1> </h1><h1"),
    ],
)
def test_an_odd_page_does_not_stop_the_run(held, clock, situation, old, new):
    with mounted(clock) as site:
        (post_id,) = site.replica.publish(1)
        path = site.replica.story(post_id).path
        site.edit = edited(path, lambda html: html.replace(old, new))
        named(held, site, post_id)
        report = poll(held, clock)
        assert report.new + report.rejected == 1
    intact(held)


def test_a_clock_that_was_wrong(held, clock):
    """A run in the future, then the clock is put right: nothing is lost for it."""
    with mounted(clock) as site:
        (post_id,) = site.replica.publish(1)
        clock.advance(minutes=-90)
        only(held, sources=True)
        change(held, "UPDATE sources SET next_due_at = '2026-11-01T00:00:00Z' WHERE next_due_at IS NOT NULL")
        assert counts(poll(held, clock)) == {"new": 1}
        assert post_id in ids(held)


def test_nothing_of_a_strange_site_is_asked_for(tmp_path, clock):
    """A home page that links everywhere leads nowhere else."""
    links = "".join(f'<a href="{u}">x</a>' for u in ("https://evil.example/a-post1.vnp", "//evil.example/b-post2.vnp"))
    with wired(
        lambda request: answer(b"", 404) if request.url.path != "/" else page(f"<html>{links}</html>"), clock
    ) as wire:
        poll(tmp_path, clock)
    assert {request.url.host for request in wire.requests} == {"fr.vietnamplus.vn"}
    assert not any("post" in path for path in wire.paths)
    assert Site().owns(SITE)
