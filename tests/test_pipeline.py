"""Polls and page visits against the fake site: nothing is lost, stored twice or guessed, whatever fails."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise

import pytest
from support import (
    MARKUPS,
    NOW,
    SEED_ARTICLES,
    SEED_TEXTS,
    SEEDS,
    SITE,
    FakeClock,
    assert_intact,
    copy_archive,
    edited,
    http_response,
    in_child,
    mocked_http,
    mounted,
    mounted_small,
    page,
    poll,
    rows,
    seeds_folder,
    value,
    working,
)

import crawler
from crawler import collect, opening, render
from crawler.errors import BadInput, SiteUnavailable, StorageError
from crawler.outcome import OutcomeKind
from crawler.parse import seedtext
from crawler.parse.page import PARSER_VERSION, parse_page
from crawler.pipeline import import_file
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.records import article_json
from crawler.sim.site import SECTIONS, Options, SiteRequest, SiteResponse, build
from crawler.site import Site
from crawler.storage import open_archive
from crawler.types import RawRef
from crawler.warc import WarcStore

PUBLISHED = 41  # articles on the fake site: the seeds and the stories under them
SEED_IDS = {108403, 212024, 201295, 173418, 202538}
FEW = 9  # articles on a small site: one seed and the stories under it


@pytest.fixture(scope="session")
def first_poll(tmp_path_factory):
    """An archive after its first poll, the report, the requests and the time after it. Shared: tests change copies."""
    folder, clock = tmp_path_factory.mktemp("first") / "archive", FakeClock()
    with mounted(clock) as site:
        report = poll(folder, clock)
        return folder, report, site.wire.paths, clock.now()


@pytest.fixture(scope="session")
def small_first_poll(tmp_path_factory):
    """An archive of the small site after its first poll, the requests and the time after it."""
    folder, clock = tmp_path_factory.mktemp("small") / "archive", FakeClock()
    with mounted_small(clock) as site:
        poll(folder, clock)
        return folder, site.wire.paths, clock.now()


@pytest.fixture
def archive(small_first_poll, tmp_path, clock):
    """A copy of the archive of the small site after its first poll, one hour later."""
    clock.time = small_first_poll[2]
    clock.advance(hours=1)
    return copy_archive(small_first_poll[0], tmp_path / "archive")


def execute(archive, sql, *values):
    with open_archive(archive) as opened, opened.transaction():
        opened.db.conn.execute(sql, values)


def make_due(archive, *ids, sources=False):
    """Make only these pages due. No source is due either, unless `sources` leaves their due times unchanged."""
    sql = "UPDATE pages SET next_due_at = CASE WHEN id IN (SELECT value FROM json_each(?)) THEN '2026' END"
    execute(archive, sql, json.dumps(ids))
    if not sources:
        execute(archive, "UPDATE sources SET next_due_at = '9999-01-01T00:00:00Z' WHERE next_due_at IS NOT NULL")


def page_state(archive, page_id):
    return value(archive, "SELECT state FROM pages WHERE id = ?", page_id)


def stored_article(archive, key):
    with opening.reading_archive(archive) as opened:
        return opened.article(key)


def article_ids(archive):
    return {row["id"] for row in rows(archive, "SELECT id FROM articles")}


def warc_responses(archive):
    """Return path, status and body of each response in the WARC files, in the order in which they were written."""
    with WarcStore(archive / "warc") as warc:
        return [(record.url.removeprefix(SITE), record.status, record.body) for record in warc.records()]


def last_capture(archive, page_id):
    """Return the record that the row of a page refers to."""
    (row,) = rows(archive, "SELECT raw.* FROM raw JOIN pages ON pages.raw_id = raw.id WHERE pages.id = ?", page_id)
    with WarcStore(archive / "warc") as warc:
        return warc.read(RawRef(row["file"], row["offset"], row["length"], row["digest"]))


def counts(report):
    """Return the page counts of a report that are not zero."""
    names = ("new", "revised", "unchanged", "duplicate", "rejected", "failed", "gone")
    return {name: n for name in names if (n := getattr(report, name))}


# --- the first poll ---------------------------------------------------------------------------------------------------


def test_the_first_poll_archives_everything(first_poll):
    archive, report, paths, _ = first_poll
    assert counts(report) == {"new": PUBLISHED}
    assert (report.fetched, report.sightings > PUBLISHED) == (PUBLISHED, True)
    assert article_ids(archive) > SEED_IDS
    assert len(article_ids(archive)) == PUBLISHED
    assert {row["state"] for row in rows(archive, "SELECT state FROM pages")} == {"live"}
    assert report.requests == len(paths) == value(archive, "SELECT count(*) FROM fetches")
    assert report.bytes == value(archive, "SELECT sum(size) FROM fetches") > 10 * PUBLISHED
    articles = [path for path in paths if "-post" in path]
    assert len(articles) == len(set(articles)) == PUBLISHED
    (run,) = rows(archive, "SELECT * FROM runs")
    assert (run["command"], run["outcome"], json.loads(run["report"])["new"]) == ("poll", "done", PUBLISHED)
    assert_intact(archive)


def test_the_warc_files_hold_every_response(first_poll):
    archive, _, paths, _ = first_poll
    assert [path for path, _, _ in warc_responses(archive)] == paths
    dates = rows(archive, "SELECT min(fetched_at) AS a, max(fetched_at) AS b FROM raw")[0]
    assert NOW.isoformat()[:16] <= dates["a"] < dates["b"]


@pytest.mark.parametrize("name", SEED_TEXTS)
def test_a_seed_article_is_rendered_as_the_seed_document(first_poll, name):
    (found,) = rows(first_poll[0], "SELECT id FROM articles WHERE title = ?", SEED_ARTICLES[name].title)
    rendered = render.text(stored_article(first_poll[0], found["id"]))
    assert lines(rendered) == lines(SEED_TEXTS[name])
    assert rendered == seedtext.write(SEED_ARTICLES[name]), "white space is normalised in the same way"


def lines(text):
    """Return the lines of a text without blank lines and surrounding white space, which may differ."""
    return [stripped for line in text.split("\n") if (stripped := line.strip())]


def test_all_requests_of_a_run_are_polite(tmp_path, clock):
    with mounted(clock) as site:
        poll_due_sources(tmp_path, clock)
    times = site.wire.times
    assert all((b - a).total_seconds() >= 1 for a, b in pairwise(times))
    user_agents = {request.headers["User-Agent"] for request in site.wire.requests}
    assert user_agents == {f"vna-archive/{crawler.__version__} (+archive@bibliotheque.fr)"}
    assert site.wire.count("/robots.txt") == 1


def test_layouts_of_three_eras_give_the_same_articles():
    """The layouts of 2010, 2016 and 2024 (dossier section 6) present the same articles in different HTML."""
    parsed = {}
    for era in (1, 2, 3):
        site = build(SITE, seeds_dir=SEEDS, articles=12, now=lambda: NOW, options=Options(era=era, history=12))
        parsed[era] = {post_id: parsed_fields(site, post_id) for post_id in site.ids()}
    assert len(parsed[1]) == PUBLISHED + 24
    assert {(p, era) for era in (1, 2) for p, fields in parsed[era].items() if fields != parsed[3][p]} == set()


def parsed_fields(site, post_id):
    """Parse an article of the fake site; return its fields except the layout and the provenance."""
    story = site.story(post_id)
    html = site.respond(SiteRequest("GET", story.path)).body
    article = parse_page(html, SITE + story.path, fetched_at=NOW, markups=MARKUPS, content_type=None)
    assert article.title == story.title
    return {k: v for k, v in article_json(article).items() if k not in ("markup", "provenance")}


# --- the second poll --------------------------------------------------------------------------------------------------


def test_nothing_is_due_right_after_a_poll(small_first_poll, archive):
    clock = FakeClock(small_first_poll[2])
    with mounted_small(clock) as site:
        assert counts(poll(archive, clock)) == {}
        assert site.wire.requests == []


def test_polling_everything_again_finds_no_changes(small_first_poll, archive, clock):
    before = rows(archive, "SELECT id, fingerprint, first_seen_at, revision FROM articles")
    with mounted_small(clock) as site:
        report = poll(archive, clock, everything=True)
    assert counts(report) == {"unchanged": FEW}
    sources = {
        row["url"].removeprefix(SITE) for row in rows(archive, "SELECT url FROM sources WHERE next_due_at NOT NULL")
    }
    assert sorted(site.wire.paths) == sorted([*sources, *(p for p in small_first_poll[1] if "-post" in p)]), (
        "one request for each source and article"
    )
    assert rows(archive, "SELECT id, fingerprint, first_seen_at, revision FROM articles") == before
    assert value(archive, "SELECT count(*) FROM revisions") == FEW
    assert value(archive, "SELECT min(checked_at) FROM articles") > small_first_poll[2].isoformat()
    assert_intact(archive)


def test_polling_everything_visits_each_page_once(first_poll, tmp_path):
    """The run takes more than an hour: sources become due meanwhile, and are polled between the pages."""
    archive, clock = copy_archive(first_poll[0], tmp_path / "archive"), FakeClock(first_poll[3])
    clock.advance(hours=1)
    with mounted(clock) as site, working(archive, clock, rate=0.01) as run:
        run.stopping = lambda: len(site.wire.paths) > 500  # ends the test if pages are visited again and again
        collect.poll(run, ignore_due=True)
    visits = Counter(path for path in site.wire.paths if "-post" in path)
    assert len(visits) == sum(visits.values()) == PUBLISHED
    assert site.wire.count("/sitemaps/google-news.xml") > 1


def test_new_and_revised_articles(archive, clock):
    with mounted_small(clock) as site:
        published = site.fake_site.publish(2)
        clock.advance(minutes=20)
        assert counts(poll(archive, clock)) == {"new": 2}
        assert set(published) < article_ids(archive)
        clock.advance(minutes=5)
        site.fake_site.revise(published[0], title="Un titre tout à fait neuf")
        clock.advance(minutes=15)
        assert counts(poll(archive, clock)) == {"revised": 1}, "the news sitemap gives its new modification time"
    article = stored_article(archive, published[0])
    assert (article.revision, article.article.title) == (2, "Un titre tout à fait neuf")
    with opening.reading_archive(archive) as opened:
        old, new = opened.history(published[0])
        assert "title" in new["changed"]
        assert old["title"] != new["title"]
        assert opened.changes(None, 5)[0]["id"] == published[0]
    assert_intact(archive)


def test_a_new_modification_time_makes_a_page_due(archive, clock):
    with mounted_small(clock) as site:
        (post_id,) = site.fake_site.publish(1)
        clock.advance(hours=1)
        poll(archive, clock)
        make_due(archive, sources=True)
        clock.advance(hours=13)
        assert counts(poll(archive, clock)) == {}
        make_due(archive, sources=True)
        site.fake_site.revise(post_id)
        clock.advance(hours=13)
        assert counts(poll(archive, clock)) == {"revised": 1}
        make_due(archive, sources=True)
        clock.advance(hours=13)
        assert counts(poll(archive, clock)) == {}, "the same time does not make it due again"


@pytest.mark.parametrize("status", [404, 410])
def test_a_removed_article_becomes_suspect_and_then_gone(archive, clock, status):
    """Suspect after the first 404 or 410, gone after two more at intervals; its text stays in the archive."""
    seen = []
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        site.fake_site.unpublish(post_id, status)
        make_due(archive, post_id)
        for _ in range(3):
            assert counts(poll(archive, clock)) == {"gone": 1}
            seen.append((page_state(archive, post_id), stored_article(archive, post_id).state))
            clock.advance(minutes=1)
            assert counts(poll(archive, clock)) == {}, "not requested again before the interval has passed"
            clock.advance(days=1)
    assert seen == [("suspect", "suspect"), ("suspect", "suspect"), ("gone", "gone")]
    assert value(archive, "SELECT next_due_at FROM pages WHERE id = ?", post_id) is None
    assert last_capture(archive, post_id).status == status
    article = stored_article(archive, post_id)
    assert article.article.text
    assert article.raw is not None
    with opening.reading_archive(archive) as opened:
        assert [(r["id"], r["what"]) for r in opened.changes(None, 5)] == [(post_id, "gone")]
        assert "gone" not in {r["state"] for r in opened.status()["attention"]}
    assert_intact(archive)


def test_a_suspect_article_that_comes_back_is_live(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        path = site.fake_site.story(post_id).path
        site.edit = lambda request, response: replace(response, status=404) if request.path == path else response
        make_due(archive, post_id)
        poll(archive, clock)
        assert (page_state(archive, post_id), stored_article(archive, post_id).state) == ("suspect", "suspect")
        site.edit = None
        clock.advance(hours=1)
        assert counts(poll(archive, clock)) == {"unchanged": 1}
    assert (page_state(archive, post_id), stored_article(archive, post_id).state) == ("live", "live")
    assert value(archive, "SELECT failures FROM pages WHERE id = ?", post_id) == 0
    with opening.reading_archive(archive) as opened:
        assert opened.changes(None, 5) == []


def test_server_errors_do_not_count_towards_gone(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        make_due(archive, post_id)
        site.fake_site.fault("error", path=site.fake_site.story(post_id).path)
        for _ in range(2):
            poll(archive, clock)
            clock.advance(hours=1)
        site.fake_site.clear()
        site.fake_site.unpublish(post_id, 404)
        poll(archive, clock)
    assert page_state(archive, post_id) == "suspect"


# --- responses without an article -------------------------------------------------------------------------------------


def add_page(archive, post_id, path):
    """Add the row of a page as if a source had listed it."""
    sql = "INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, ?, 'known', ?, 'home')"
    execute(archive, sql, post_id, SITE + path, "2026-11-21T08:00:00Z")


def add_due_pages(archive, site, *ids):
    """Add the rows of pages as if a source had just listed them, and make only these pages due."""
    for post_id in ids:
        add_page(archive, post_id, site.fake_site.story(post_id).path)
    make_due(archive, *ids)


@pytest.mark.parametrize(
    ("situation", "counted", "state_if_new"),
    [
        ("block page", "rejected", "rejected"),
        ("redesign", "rejected", "drift"),
        ("twelve bytes", "rejected", "rejected"),
        ("a PDF", "rejected", "rejected"),
        ("HTTP status 403", "failed", "failed"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["held", "new"])
def test_a_response_without_an_article(archive, clock, situation, counted, state_if_new, known):
    """The response is archived and the page marked; the run continues; an article that the archive holds stays live."""
    with mounted_small(clock) as site:
        others = site.fake_site.ids()[:2]
        (post_id,) = [site.fake_site.ids()[-1]] if known else site.fake_site.publish(1)
        path = site.fake_site.story(post_id).path
        inject_fault(site, situation, path)
        if not known:
            clock.advance(minutes=1)
            add_page(archive, post_id, path)
        make_due(archive, post_id, *others)
        before = stored_article(archive, post_id)
        report = poll(archive, clock)
        rest = {"rejected": 2} if situation == "redesign" else {"unchanged": 2}
        assert counts(report) == ({counted: 3} if situation == "redesign" else {counted: 1, **rest})
        assert page_state(archive, post_id) == ("live" if known else state_if_new)
        assert value(archive, "SELECT error FROM pages WHERE id = ?", post_id)
        assert stored_article(archive, post_id) == before
        archived = [body for archived_path, _, body in warc_responses(archive) if archived_path in (path, "/")][-1]
        assert archived
        if counted == "rejected":
            assert last_capture(archive, post_id).body == archived
        site.fake_site.clear()
        clock.advance(hours=1)
        assert counts(poll(archive, clock)).get("unchanged" if known else "new") == (
            3 if situation == "redesign" and known else 1
        )
    assert (page_state(archive, post_id), stored_article(archive, post_id).state) == ("live", "live")
    assert_intact(archive)


def inject_fault(site, situation, path):
    """Let the fake site respond to `path` as the situation says; a redesign changes all pages."""
    faults = {"block page": "block", "twelve bytes": "empty", "a PDF": "not_html", "HTTP status 403": "forbidden"}
    if situation in faults:
        site.fake_site.fault(faults[situation], path=path)
    else:
        site.fake_site.redesign()


def test_a_redirect_and_its_target_are_both_archived(archive, clock):
    """The slug changes with the title, and the old address redirects to the new one."""
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        old = site.fake_site.story(post_id).path
        site.fake_site.revise(post_id, title="Un autre titre")
        new = site.fake_site.story(post_id).path

        def edit(request, response):
            return SiteResponse(301, (("Location", new),)) if request.path == old else response

        site.edit = edit
        make_due(archive, post_id)
        assert counts(poll(archive, clock)) == {"revised": 1}
    assert [(path, status) for path, status, _ in warc_responses(archive)[-2:]] == [(old, 301), (new, 200)]
    assert stored_article(archive, post_id).article.url == SITE + new
    assert stored_article(archive, post_id).id == post_id


def test_a_page_with_the_id_of_another_article(archive, clock):
    """Two addresses of one article: the canonical address gives its id, and the visit is written on both rows."""
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        path = site.fake_site.story(post_id).path
        add_page(archive, 1, "/ancien-post1.vnp")
        body = site.fake_site.respond(SiteRequest("GET", path)).body
        site.edit = lambda request, response: (
            SiteResponse(200, (("Content-Type", "text/html"),), body)
            if request.path == "/ancien-post1.vnp"
            else response
        )
        make_due(archive, 1)
        assert counts(poll(archive, clock)) == {"unchanged": 1}
    assert (page_state(archive, 1), page_state(archive, post_id)) == ("live", "live")
    assert len(article_ids(archive)) == FEW


# --- every fault of the site ------------------------------------------------------------------------------------------


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
def test_a_fault_on_one_page(archive, clock, kind, outcome):
    with mounted_small(clock) as site:
        (post_id,) = site.fake_site.publish(1)
        add_due_pages(archive, site, post_id)
        site.fake_site.fault(kind, path=site.fake_site.story(post_id).path)
        report = poll(archive, clock)
        if outcome is None:
            assert counts(report) == {"new": 1}
            return
        assert counts(report) == {outcome: 1}
        assert page_state(archive, post_id) == outcome
        due = value(archive, "SELECT next_due_at FROM pages WHERE id = ?", post_id)
        assert due > clock.now().isoformat()[:19], "it is retried, but later"
        site.fake_site.clear()
        clock.advance(hours=1)
        assert counts(poll(archive, clock)) == {"new": 1}
    assert value(archive, "SELECT failures FROM pages WHERE id = ?", post_id) == 0
    assert_intact(archive)


@pytest.mark.parametrize("kind", ["throttle", "unavailable", "error", "down", "truncate", "hang", "garbage"])
def test_a_fault_that_passes_is_overcome_by_retries(archive, clock, kind):
    with mounted_small(clock) as site:
        (post_id,) = site.fake_site.publish(1)
        add_due_pages(archive, site, post_id)
        site.fake_site.fault(kind, path=site.fake_site.story(post_id).path, times=2)
        assert counts(poll(archive, clock)) == {"new": 1}
        assert site.wire.count(site.fake_site.story(post_id).path) == 3
    assert value(archive, "SELECT count(*) FROM fetches WHERE url = ?", SITE + site.fake_site.story(post_id).path) == 3


FAULTS = ("throttle", "error", "forbidden", "truncate", "hang", "garbage", "block", "empty", "not_html")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *(("/", k) for k in FAULTS),
        *((p, k) for p in ("/rss/home.rss", "/sitemap*", "/politique/") for k in ("error", "block")),
    ],
)
def test_a_fault_on_one_source(archive, clock, path, kind):
    """The other sources list the new article. The source is marked as failing."""
    with mounted_small(clock) as site:
        (post_id,) = site.fake_site.publish(1)
        site.fake_site.fault(kind, path=path)
        clock.advance(hours=30)
        make_due(archive, sources=True)
        assert counts(poll(archive, clock)) == {"new": 1}, post_id
    failing = rows(archive, "SELECT url, state, error FROM sources WHERE state = 'failing'")
    urls = [r["url"] for r in rows(archive, "SELECT url FROM sources WHERE next_due_at NOT NULL AND state <> 'absent'")]
    assert {row["url"] for row in failing} == {url for url in urls if fnmatchcase(url.removeprefix(SITE), path)}
    assert all(row["error"] for row in failing)


def test_a_site_that_is_down_ends_the_run(archive, clock):
    with mounted_small(clock) as site:
        site.fake_site.fault("down")
        clock.advance(days=40)
        with pytest.raises(SiteUnavailable) as caught:
            poll(archive, clock)
    assert "robots.txt" in str(caught.value)
    (run,) = rows(archive, "SELECT * FROM runs ORDER BY id DESC LIMIT 1")
    assert (run["outcome"], json.loads(run["report"])["requests"]) == ("stopped", 3)
    assert value(archive, "SELECT count(*) FROM fetches WHERE error IS NOT NULL") == 3, "every attempt is logged"


def test_robots_txt_disallows_everything(tmp_path, clock):
    with mounted_small(clock) as site:
        site.edit = edited("/robots.txt", lambda _: b"User-agent: *\nDisallow: /")
        assert counts(poll(tmp_path, clock)) == {}
        assert site.wire.paths == ["/robots.txt"]
    assert {row["state"] for row in rows(tmp_path, "SELECT state FROM sources")} == {"absent"}


def test_robots_txt_disallows_the_articles(archive, clock):
    (archive / "state" / "robots-https-fr.vietnamplus.vn.json").unlink()
    with mounted_small(clock) as site:
        site.edit = edited("/robots.txt", lambda _: b"User-agent: *\nDisallow: /*-post")
        make_due(archive, *site.fake_site.ids()[:5])
        assert counts(poll(archive, clock)) == {"failed": 5}
        assert site.wire.paths == ["/robots.txt"]
    assert stored_article(archive, 108403).state == "live"
    assert "robots" in value(archive, "SELECT error FROM pages WHERE id = 108403")


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
    ids=["short lists", "no feed", "no sitemap", "sections only", "other slugs", "soft 404s", "404s redirect to home"],
)
def test_the_remaining_sources_list_every_article(tmp_path, clock, options):
    with mounted(clock, options=options) as site:
        assert poll_due_sources(tmp_path, clock) == set(site.fake_site.ids())


def test_an_absent_source(tmp_path, clock):
    with (
        mounted(clock, options=Options(no_sitemap=True, no_feed=True)),
        working(tmp_path, clock) as run,
        recorded(run, "poll"),
    ):
        poll_sources(run, ignore_due=False)
        told = {outcome.url: outcome.kind for outcome in run.progress.outcomes}
    assert told[f"{SITE}/sitemap.xml"] is OutcomeKind.ABSENT
    found = {r["url"].removeprefix(SITE): r for r in rows(tmp_path, "SELECT * FROM sources")}
    assert {path for path, row in found.items() if row["state"] == "absent"} >= {"/sitemap.xml", "/rss/home.rss"}
    assert found["/"]["state"] == "ok"
    assert found["/sitemap.xml"]["next_due_at"] > "2026-11-27"


def poll_due_sources(archive, clock, **changes):
    """Poll the due sources, but no page; return the ids of all pages that are known afterwards."""
    with working(archive, clock, **changes) as run, recorded(run, "poll"):
        poll_sources(run, ignore_due=False)
    return {row["id"] for row in rows(archive, "SELECT id FROM pages")}


def further_pages(paths):
    """Return the requests for further pages of the sections (dossier section 9)."""
    return [path for path in paths if path.startswith("/api/get-zone")]


def test_paging_back_stops_at_known_articles(tmp_path, clock):
    with mounted(clock, options=Options(section_size=10)) as site:
        poll_due_sources(tmp_path, clock)
        assert len(further_pages(site.wire.paths)) > 3, "the first time it reads all pages"
        site.wire.clear()
        clock.advance(days=1)
        poll_due_sources(tmp_path, clock)
        assert further_pages(site.wire.paths) == [], "nothing new on the first page"
        for new, further in ((5, 0), (6, 1)):
            site.wire.clear()
            clock.advance(days=1)
            published = 0
            while published < new:
                (post_id,) = site.fake_site.publish(1)
                published += site.fake_site.story(post_id).section == "Politique"
            poll_due_sources(tmp_path, clock)
            assert len([p for p in further_pages(site.wire.paths) if "zone=471" in p]) == further, (
                "it reads on if more than half of the page is new, up to a page that lists nothing new"
            )


def test_paging_back_has_a_limit(tmp_path, clock):
    with mounted(clock, options=Options(section_size=5, home_size=4, no_sitemap=True, no_feed=True)) as site:
        known = poll_due_sources(tmp_path, clock, list_pages=3)
    assert len([p for p in further_pages(site.wire.paths) if "zone=471" in p]) == 2
    assert len(known) < PUBLISHED


def test_a_fault_on_a_further_page_does_not_affect_the_pages_before_it(tmp_path, clock):
    with mounted(clock, options=Options(section_size=10, home_size=4, no_sitemap=True, no_feed=True)) as site:
        site.fake_site.fault("error", path="/api/get-zone?*page=3*")
        poll_due_sources(tmp_path, clock)
        (row,) = rows(tmp_path, "SELECT * FROM sources WHERE url LIKE '%/politique/'")
        assert row["state"] == "ok"
        found = value(tmp_path, "SELECT count(*) FROM sightings WHERE source = ?", row["url"])
        assert row["items"] < found < PUBLISHED, "`items` counts the first page only"
        assert "further pages" in row["error"]


def test_sources_excluded_and_added_by_the_configuration(tmp_path, clock):
    with mounted(clock, options=Options(home_size=4, no_sitemap=True, no_feed=True)) as site:
        poll_due_sources(tmp_path, clock, exclude=("/politique/", "/sports/*"), add=("/rss/culture.rss", "/extra/"))
    assert not {"/politique/", "/sports/"} & set(site.wire.paths)
    assert {"/rss/culture.rss", "/extra/", "/culture/"} <= set(site.wire.paths)
    kinds = {r["url"].removeprefix(SITE): r["kind"] for r in rows(tmp_path, "SELECT url, kind FROM sources")}
    assert (kinds["/rss/culture.rss"], kinds["/extra/"]) == ("feed", "section")


def test_sections_named_by_the_home_page_are_polled_in_the_same_run(first_poll):
    """They become due after the run has started: at one request per second, that is several seconds later."""
    archive, _, paths, _ = first_poll
    assert "/politique/" in paths
    assert value(archive, "SELECT count(*) FROM sources WHERE state = 'new' AND next_due_at IS NOT NULL") == 0


def test_conditional_requests(tmp_path, clock):
    """With ETags a second poll transfers no bodies, and a changed article is still noticed."""
    with mounted(clock, options=Options(validators=True)) as site:
        poll(tmp_path, clock)
        clock.advance(hours=1)
        raws = value(tmp_path, "SELECT count(*) FROM raw WHERE status = 200")
        some = site.fake_site.ids()[-4:]
        execute(tmp_path, "UPDATE sources SET next_due_at = '2026' WHERE next_due_at NOT NULL AND state <> 'absent'")
        make_due(tmp_path, *some, sources=True)
        report = poll(tmp_path, clock)
        assert counts(report) == {"unchanged": 4}
        assert (report.bytes, report.requests > 10) == (0, True)
        assert value(tmp_path, "SELECT count(*) FROM raw WHERE status = 200") == raws, "a 304 adds no row with a body"
        clock.advance(hours=1)
        site.fake_site.revise(some[0])
        make_due(tmp_path, *some)
        assert counts(poll(tmp_path, clock)) == {"revised": 1, "unchanged": 3}
    assert_intact(tmp_path)


# --- killed processes -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_at_second_call(run, owner, name, *, after):
    """Let the second call of a method end the process, before the method runs or after it."""
    target = getattr(run, owner)
    original, calls = getattr(target, name), []

    def method(*args, **kwargs):
        calls.append(name)
        if len(calls) < 2:
            return original(*args, **kwargs)
        if after:
            original(*args, **kwargs)
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
def test_the_next_run_completes_a_killed_one(archive, clock, owner, name, after):
    with mounted_small(clock) as site:
        new = site.fake_site.publish(3)
        revised = site.fake_site.ids()[0]
        clock.advance(minutes=1)
        site.fake_site.revise(revised)
        clock.advance(minutes=20)
        paths = {post_id: site.fake_site.story(post_id).path for post_id in new}
        for post_id, path in paths.items():
            add_page(archive, post_id, path)
        make_due(archive, *new, revised)
        with working(archive, clock) as run:
            kill_at_second_call(run, owner, name, after=after)
            with pytest.raises(Killed):
                collect.poll(run)
        assert_intact(archive)
        assert len(article_ids(archive)) < FEW + 3
        outcome = rows(archive, "SELECT outcome FROM runs ORDER BY id DESC")[0]["outcome"]
        assert outcome == ("stopped" if name != "log_requests" else None)
        poll(archive, clock)
    assert set(new) < article_ids(archive)
    assert len(article_ids(archive)) == FEW + 3
    assert value(archive, "SELECT count(*) FROM revisions") == FEW + 3 + 1, "no revision is stored twice"
    assert stored_article(archive, revised).revision == 2
    assert {row["state"] for row in rows(archive, "SELECT state FROM pages")} == {"live"}
    archived = [path for path, _, _ in warc_responses(archive)]
    assert all(path in archived for path in paths.values())
    assert_intact(archive)


def poll_until_killed(archive, owner, name, count):
    """Poll in a process that kills itself after a number of calls of a method of the run."""
    clock = FakeClock()
    with mounted_small(clock), working(archive, clock) as run:
        target = getattr(run, owner)
        original, calls = getattr(target, name), []

        def method(*args, **kwargs):
            calls.append(1)
            result = original(*args, **kwargs)
            if len(calls) == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(target, name, method)
        collect.poll(run)


@pytest.mark.parametrize(("owner", "name", "count"), [("warc", "append", 20), ("archive", "save_page", 4)])
def test_a_process_killed_with_sigkill(tmp_path, clock, owner, name, count):
    archive = tmp_path / "archive"
    assert in_child(lambda: poll_until_killed(archive, owner, name, count)) == -signal.SIGKILL
    assert_intact(archive)
    (run,) = rows(archive, "SELECT * FROM runs")
    assert run["outcome"] is None
    before = article_ids(archive)
    assert 0 < len(before) < FEW
    clock.advance(minutes=2)
    with mounted_small(clock):
        assert counts(poll(archive, clock)) == {"new": FEW - len(before)}
    assert value(archive, "SELECT count(*) FROM revisions") == FEW
    assert_intact(archive)


def test_a_response_is_on_disk_before_its_row_is_written(archive, clock, monkeypatch):
    order = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle)))
    with mounted_small(clock) as site:
        make_due(archive, site.fake_site.ids()[0])
        with working(archive, clock) as run:
            add_raw = run.archive.add_raw

            def recorded_add_raw(*args):
                order.append("row")
                return add_raw(*args)

            run.archive.add_raw = recorded_add_raw
            collect.poll(run)
    assert order[-1] == "row"
    assert order.index("fsync") < order.index("row")


def test_a_run_that_cannot_write_warc_files_ends(tmp_path, clock):
    (tmp_path / "warc").touch()
    with mounted_small(clock) as site, pytest.raises(Exception, match="cannot write a WARC record") as caught:
        poll(tmp_path, clock)
    assert caught.value.hint
    assert len(site.wire.requests) == 2, "no response is fetched that cannot be archived"
    assert article_ids(tmp_path) == set()
    assert value(tmp_path, "SELECT outcome FROM runs") == "stopped"


def test_a_database_that_another_program_has_locked(archive, clock):
    with mounted_small(clock) as site:
        make_due(archive, *site.fake_site.ids()[:2])

        def poll_locked():
            with working(archive, clock) as run, open_archive(archive) as other:
                run.archive.db.conn.execute("PRAGMA busy_timeout = 1")
                original = run.fetcher.get

                def get(*args, **kwargs):
                    if not other.db.conn.in_transaction:
                        other.db.conn.execute("BEGIN IMMEDIATE")
                    return original(*args, **kwargs)

                run.fetcher.get = get
                collect.poll(run)

        with pytest.raises(StorageError, match="locked") as caught:
            poll_locked()
        assert "program that is writing to the database" in caught.value.hint
        assert counts(poll(archive, clock)) == {"unchanged": 2}


# --- imports ----------------------------------------------------------------------------------------------------------


def import_texts(archive, clock, texts):
    """Import seed texts; `texts` maps the name of each file to its content."""
    with working(archive, clock, command="import") as run:
        return [done for name, text in texts.items() for done in import_file(run, name, text)]


def test_polled_articles_are_linked_to_imported_texts(tmp_path, clock):
    names = ("000", "002")
    texts = {name: SEED_TEXTS[name] for name in names}
    first = import_texts(tmp_path, clock, texts)
    assert [(done.key, done.verdict) for done in first] == [(-1, "new"), (-2, "new")]
    for done, name in zip(first, names, strict=True):
        assert lines(render.text(stored_article(tmp_path, done.key))) == lines(SEED_TEXTS[name])
        assert stored_article(tmp_path, done.key).article.post_id is None
    again = import_texts(tmp_path, clock, texts)
    assert [(done.key, done.verdict) for done in again] == [(-1, "unchanged"), (-2, "unchanged")]
    with mounted(clock, seeds=seeds_folder(*names), options=Options(sections=SECTIONS[:3])) as site:
        published = len(site.fake_site.ids())
        assert counts(poll(tmp_path, clock)) == {"new": published - 2, "duplicate": 2}
    pairs = {(r["article"], r["other"]): (r["kind"], r["score"]) for r in rows(tmp_path, "SELECT * FROM duplicates")}
    assert {article for article, _ in pairs} < SEED_IDS
    assert {other for _, other in pairs} == {-1, -2}
    assert set(pairs.values()) == {("same text", 1.0)}
    similar = rows(tmp_path, "SELECT article, other, kind FROM similar WHERE other < 0 OR article < 0")
    assert {(r["article"], r["other"], r["kind"]) for r in similar} >= {(*pair, "reissue") for pair in pairs}
    assert len(article_ids(tmp_path)) == published + 2, "duplicates are linked, not merged"
    assert_intact(tmp_path)


def test_imported_texts_are_linked_to_polled_articles(first_poll, tmp_path):
    archive, clock = copy_archive(first_poll[0], tmp_path / "archive"), FakeClock(first_poll[3])
    done = import_texts(archive, clock, SEED_TEXTS)
    assert [d.verdict for d in done] == ["duplicate"] * 5
    assert {row["article"] for row in rows(archive, "SELECT * FROM duplicates WHERE other < 0")} == SEED_IDS
    assert [d.verdict for d in import_texts(archive, clock, SEED_TEXTS)] == ["unchanged"] * 5
    assert value(archive, "SELECT count(*) FROM duplicates") == 5
    assert_intact(archive)


def test_several_texts_in_one_file(tmp_path, clock):
    texts = list(SEED_TEXTS.values())
    done = import_texts(tmp_path, clock, {"all.txt": "\f".join(texts)})
    assert [d.key for d in done] == [-1, -2, -3, -4, -5]
    assert value(tmp_path, "SELECT count(DISTINCT source_file) FROM articles") == 1


def test_a_file_with_an_invalid_text_is_not_imported(tmp_path, clock):
    with pytest.raises(BadInput):
        import_texts(tmp_path, clock, {"bad.txt": f"{SEED_TEXTS['000']}\f\n\n"})
    assert article_ids(tmp_path) == set()


def test_importing_an_edited_text_adds_a_revision(tmp_path, clock):
    lead = SEED_ARTICLES["000"].lead
    import_texts(tmp_path, clock, {"a.txt": SEED_TEXTS["000"]})
    (done,) = import_texts(tmp_path, clock, {"a.txt": SEED_TEXTS["000"].replace(lead, "Un autre chapeau.", 1)})
    assert (done.key, done.verdict) == (-1, "revised")
    assert stored_article(tmp_path, -1).article.lead == "Un autre chapeau."


# --- a newer parser ---------------------------------------------------------------------------------------------------


def misparse(archive, post_id):
    """Change the row of an article to what an older, faulty parser might have written."""
    execute(
        archive,
        "UPDATE articles SET parser = ?, title = 'Mal lu', fingerprint = 'x' WHERE id = ?",
        PARSER_VERSION - 1,
        post_id,
    )
    execute(archive, "UPDATE revisions SET title = 'Mal lu', fingerprint = 'x' WHERE article = ?", post_id)


def test_a_newer_parser_adds_no_revision(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        misparse(archive, post_id)
        make_due(archive, post_id)
        assert counts(poll(archive, clock)) == {"unchanged": 1}
        article = stored_article(archive, post_id)
        assert article.article.title == site.fake_site.story(post_id).title
        assert (article.revision, article.parser) == (1, PARSER_VERSION)
        (revision,) = rows(archive, "SELECT * FROM revisions WHERE article = ?", post_id)
        assert revision["title"] == article.article.title
        assert_intact(archive)
        misparse(archive, post_id)
        site.fake_site.revise(post_id, text="Une précision de dernière minute.")
        make_due(archive, post_id)
        assert counts(poll(archive, clock)) == {"revised": 1}
    assert json.loads(
        rows(archive, "SELECT changed FROM revisions WHERE article = ? AND revision = 2", post_id)[0]["changed"]
    ) == ["text"]


def test_a_damaged_record_does_not_stop_the_run(archive, clock):
    with mounted_small(clock) as site:
        post_id, other = site.fake_site.ids()[-2:]
        misparse(archive, post_id)
        execute(
            archive,
            "UPDATE raw SET digest = 'sha256:WRONG' WHERE id = (SELECT raw_id FROM articles WHERE id = ?)",
            post_id,
        )
        make_due(archive, post_id, other)
        assert counts(poll(archive, clock)) == {"revised": 1, "unchanged": 1}
        assert stored_article(archive, post_id).article.title == site.fake_site.story(post_id).title


# --- unusual pages and clocks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("situation", "old", "new"),
    [
        ("half of a surrogate pair in the metadata", b'"articleSection":', b'"articleSection":"\\ud83d","x":'),
        ("a NUL in the text", b"</h1>", b"\0</h1>"),
        ("a title of spaces", b"<h1", b"<h1> </h1><h1"),
    ],
)
def test_an_unusual_page_does_not_stop_the_run(archive, clock, situation, old, new):
    with mounted_small(clock) as site:
        (post_id,) = site.fake_site.publish(1)
        path = site.fake_site.story(post_id).path
        site.edit = edited(path, lambda html: html.replace(old, new))
        add_due_pages(archive, site, post_id)
        report = poll(archive, clock)
        assert report.new + report.rejected == 1
    assert_intact(archive)


def test_a_clock_that_was_fast(archive, clock):
    """A run with a fast clock is followed by one with the correct time, which still finds a new article."""
    with mounted_small(clock) as site:
        (post_id,) = site.fake_site.publish(1)
        clock.advance(minutes=-90)
        make_due(archive, sources=True)
        execute(archive, "UPDATE sources SET next_due_at = '2026-11-01T00:00:00Z' WHERE next_due_at IS NOT NULL")
        held = len(article_ids(archive))
        assert counts(poll(archive, clock)) == {"new": 1, "unchanged": held}  # fetched again with the right time
        assert post_id in article_ids(archive)


def test_other_sites_are_never_requested(tmp_path, clock):
    """A home page may link to articles on other hosts."""
    links = "".join(f'<a href="{u}">x</a>' for u in ("https://evil.example/a-post1.vnp", "//evil.example/b-post2.vnp"))
    with mocked_http(
        lambda request: http_response(b"", 404) if request.url.path != "/" else page(f"<html>{links}</html>"), clock
    ) as wire:
        poll(tmp_path, clock)
    assert {request.url.host for request in wire.requests} == {"fr.vietnamplus.vn"}
    assert not any("post" in path for path in wire.paths)
    assert Site().owns(SITE)
