"""Which sources are polled, and what is stored of them: the list API, exclusions, named sources, positions in lists."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import yaml
from support import (
    NOW,
    ROOT,
    SEEDS,
    SITE,
    Mounted,
    assert_intact,
    edited,
    http_response,
    mocked_http,
    mounted,
    page,
    poll,
    rows,
    value,
    working,
)

from crawler import app, opening, schedule
from crawler.clock import to_text
from crawler.config import Config
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import SECTIONS, Options, build
from crawler.site import Site, api_hosts
from crawler.storage import open_archive
from crawler.types import Sighting, SourceFound, SourceRow

FR_API, API_FR = "https://fr-api.vietnamplus.vn", "https://api-fr.vietnamplus.vn"
BARE = Options(home_size=4, feed_size=4, section_size=5, no_sitemap=True, no_feed=True)


def poll_due_sources(archive, clock, **changes):
    """Poll the due sources, but no page; return the ids of all pages that are known afterwards."""
    with working(archive, clock, **changes) as run, recorded(run, "poll"):
        poll_sources(run, ignore_due=False)
    return {row["id"] for row in rows(archive, "SELECT id FROM pages")}


def sources(archive):
    """Return all sources by path, and those of other hosts by address."""
    return {row["url"].removeprefix(SITE): row for row in rows(archive, "SELECT * FROM sources")}


@contextmanager
def mounted_with_overrides(clock, override, options=BARE):
    """Mount a fake site, except for the requests for which `override` returns a response."""
    site = Mounted(build(SITE, seeds_dir=SEEDS, now=clock.now, options=options), clock)
    with mocked_http(lambda request: override(request) or site.reply(request), clock) as site.wire:
        yield site


# --- which addresses may be requested ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("https://fr.vietnamplus.vn/", (FR_API, API_FR, SITE)),
        (
            "https://zh.vietnamplus.vn/",
            ("https://zh-api.vietnamplus.vn", "https://api-zh.vietnamplus.vn", "https://zh.vietnamplus.vn"),
        ),
        ("http://127.0.0.1:8123/", ("http://127.0.0.1:8123",)),
    ],
)
def test_the_presumed_hosts_of_the_list_api(root, expected):
    assert api_hosts(root) == expected


WITH_API = Site(api=(FR_API,))
LATEST = WITH_API.latest_list(FR_API)
REQUESTS = {
    "a page of the site": (f"{SITE}/politique/", True, True),
    "the mobile host of the site": ("https://m.fr.vietnamplus.vn/", True, True),
    "another edition": ("https://en.vietnamplus.vn/", False, False),
    "the list of the latest news": (LATEST, False, True),
    "the list of a section": (WITH_API.zone_list(FR_API, "471"), False, True),
    "robots.txt of the API host": (f"{FR_API}/robots.txt", False, True),
    "another path of the API host": (f"{FR_API}/api/contents", False, False),
    "an article on the API host": (f"{FR_API}/a-post1.vnp", False, False),
    "a list on a host that is not configured": (WITH_API.latest_list(API_FR), False, False),
    "a list on a port that is not configured": (LATEST.replace(FR_API, f"{FR_API}:8443"), False, False),
    "a list without TLS": (LATEST.replace("https", "http"), False, False),
}


@pytest.mark.parametrize(("url", "without", "with_api"), REQUESTS.values(), ids=REQUESTS)
def test_which_addresses_may_be_requested(url, without, with_api):
    assert Site().may_request(url) is without
    assert WITH_API.may_request(url) is with_api


OPT_INS = {
    "not enabled": (Config(), ()),
    "enabled, on the presumed hosts": (Config(list_api=True), (FR_API, API_FR, SITE)),
    "enabled, on configured hosts": (
        Config(list_api=True, api_hosts=("https://liste.example.org/", "/")),
        ("https://liste.example.org", SITE),
    ),
    "hosts configured, but not enabled": (Config(api_hosts=("https://liste.example.org/",)), ()),
}


@pytest.mark.parametrize(("config", "expected"), OPT_INS.values(), ids=OPT_INS)
def test_enabling_the_list_api(tmp_path, clock, config, expected):
    with app.working(replace(config, archive=tmp_path), "poll", None, clock=clock) as run:
        assert run.site.api == expected


# --- how the configuration changes the rows of the sources ------------------------------------------------------------

TWO_HOSTS = Site(api=(FR_API, API_FR))


def source_row(url, kind="section", state="ok", **changes):
    return SourceRow(
        url, kind, changes.pop("name", None), changes.pop("zone", None), state, changes.pop("worked", True)
    )


def latest_list_row(host, **changes):
    return source_row(TWO_HOSTS.latest_list(host), "list", **changes)


HOSTS = {
    "no host requested yet": ([], (FR_API,)),
    "the first not polled yet": ([latest_list_row(FR_API, state="new", worked=False)], (FR_API,)),
    "the first failed": ([latest_list_row(FR_API, state="failing", worked=False)], (FR_API, API_FR)),
    "the first absent, the second not polled yet": (
        [latest_list_row(FR_API, state="absent", worked=False), latest_list_row(API_FR, state="new", worked=False)],
        (FR_API, API_FR),
    ),
    "both failed": (
        [
            latest_list_row(FR_API, state="failing", worked=False),
            latest_list_row(API_FR, state="failing", worked=False),
        ],
        (FR_API, API_FR),
    ),
    "the second has worked": (
        [latest_list_row(FR_API, state="failing", worked=False), latest_list_row(API_FR)],
        (API_FR,),
    ),
    "the second has worked, and fails now": (
        [latest_list_row(FR_API, state="excluded", worked=False), latest_list_row(API_FR, state="failing")],
        (API_FR,),
    ),
    "disabled before any host had worked": ([latest_list_row(FR_API, state="excluded", worked=False)], (FR_API,)),
}


@pytest.mark.parametrize(("source_rows", "expected"), HOSTS.values(), ids=HOSTS)
def test_which_hosts_are_requested_for_lists(source_rows, expected):
    assert schedule.list_hosts(source_rows, TWO_HOSTS) == expected


LATEST_FOUND = SourceFound("list", TWO_HOSTS.latest_list(FR_API), "latest news")
POLITICS = f"{SITE}/politique/"
ZONE_URL = TWO_HOSTS.zone_list(FR_API, "471")
CHANGES = {
    "no change": (Site(), [source_row(POLITICS)], {}, schedule.SourceChanges()),
    "the first list": (
        TWO_HOSTS,
        [source_row(POLITICS, zone="471")],
        {},
        schedule.SourceChanges(added=(LATEST_FOUND,)),
    ),
    "a list for each section that has a zone": (
        TWO_HOSTS,
        [source_row(POLITICS, zone="471", name="Politique"), source_row(f"{SITE}/sports/"), latest_list_row(FR_API)],
        {},
        schedule.SourceChanges(added=(SourceFound("list", ZONE_URL, "Politique", zone="471"),)),
    ),
    "no list for an excluded section": (
        TWO_HOSTS,
        [source_row(POLITICS, state="excluded", zone="471"), latest_list_row(FR_API)],
        {"exclude": ["/politique/"]},
        schedule.SourceChanges(),
    ),
    "a section is excluded, and so is its list": (
        TWO_HOSTS,
        [source_row(POLITICS, zone="471"), latest_list_row(FR_API), source_row(ZONE_URL, "list")],
        {"exclude": ["/politique/"]},
        schedule.SourceChanges(excluded=(POLITICS, ZONE_URL)),
    ),
    "lists are excluded": (
        TWO_HOSTS,
        [source_row(POLITICS, zone="471"), latest_list_row(FR_API)],
        {"exclude": ["/api/morenews-zone-*"]},
        schedule.SourceChanges(),
    ),
    "the list API is disabled": (
        Site(),
        [source_row(POLITICS), latest_list_row(FR_API), source_row(ZONE_URL, "list", "excluded")],
        {},
        schedule.SourceChanges(excluded=(LATEST_FOUND.url,)),
    ),
    "another host has worked": (
        TWO_HOSTS,
        [latest_list_row(FR_API, state="failing", worked=False), latest_list_row(API_FR)],
        {},
        schedule.SourceChanges(excluded=(LATEST_FOUND.url,)),
    ),
    "excluded by a pattern": (
        Site(),
        [source_row(POLITICS), source_row(f"{SITE}/video/x/"), source_row(f"{SITE}/sports/")],
        {"exclude": ["/video/*", "https://fr.vietnamplus.vn/sp?rts/"]},
        schedule.SourceChanges(excluded=(f"{SITE}/video/x/", f"{SITE}/sports/")),
    ),
    "included again": (
        Site(),
        [source_row(POLITICS, state="excluded"), source_row(f"{SITE}/sports/", state="excluded")],
        {"exclude": ["/sports/"]},
        schedule.SourceChanges(included=(POLITICS,)),
    ),
    "renamed": (
        Site(),
        [source_row(POLITICS, name="Chính trị"), source_row(f"{SITE}/sports/", name="Sports")],
        {"names": {"/politique/": "Politique", f"{SITE}/sports/": "Sports"}},
        schedule.SourceChanges(renamed=((POLITICS, "Politique"),)),
    ),
}


@pytest.mark.parametrize(("site", "source_rows", "settings", "expected"), CHANGES.values(), ids=CHANGES)
def test_changes_by_the_configuration(site, source_rows, settings, expected):
    found = schedule.selection_changes(source_rows, site, settings.get("exclude", ()), settings.get("names"))
    assert found == expected
    assert bool(found) is (expected != schedule.SourceChanges())


def test_a_source_is_excluded_and_included_again(tmp_path, clock):
    with mounted(clock, options=BARE) as site:
        poll_due_sources(tmp_path, clock, exclude=("/politique/", "/sports/*"))
        assert not {"/politique/", "/sports/"} & set(site.wire.paths), (
            "although the home page names them in the same run"
        )
        excluded = {path for path, row in sources(tmp_path).items() if row["state"] == "excluded"}
        assert excluded == {"/politique/", "/sports/"}
        with opening.reading_archive(tmp_path) as archive:
            shown = {s["url"] for s in archive.status()["sources"] if s["state"] == "excluded"}
        assert shown == {f"{SITE}/politique/", f"{SITE}/sports/"}, "`vna status` shows them"
        clock.advance(hours=2)
        poll_due_sources(tmp_path, clock, exclude=("/sports/*",), names={"/politique/": "La politique"})
        assert site.wire.count("/politique/") == 1
        assert "/sports/" not in site.wire.paths
    row = sources(tmp_path)["/politique/"]
    assert (row["state"], row["name"], row["zone"]) == ("ok", "La politique", "471")
    assert sources(tmp_path)["/sports/"]["next_due_at"] is None


# --- the list API -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["contents", "articles"])
def test_the_list_of_the_latest_news_leads_to_every_article(tmp_path, clock, dialect):
    """It is read page by page from the first host that has the API."""
    with mounted(clock, options=replace(BARE, dialect=dialect)) as site:
        known = poll_due_sources(tmp_path, clock, list_api=True, exclude=("/[!a]*",))
        assert known == set(site.fake_site.ids())
    hosts = {request.url.host for request in site.wire.requests}
    assert hosts == {"fr.vietnamplus.vn", "fr-api.vietnamplus.vn"}
    assert {r.url.path for r in site.wire.requests if r.url.host == "fr-api.vietnamplus.vn"} <= {
        "/robots.txt", *(f"/api/morenews-topic-107-{n}.html" for n in range(1, 4))
    }  # fmt: skip


def test_the_list_of_each_section_is_polled(tmp_path, clock):
    with mounted(clock, options=BARE):
        poll_due_sources(tmp_path, clock, list_api=True)
    zones = {s.zone: s.name for s in SECTIONS}
    lists = {url: row for url, row in sources(tmp_path).items() if row["kind"] == "list"}
    assert set(lists) == {LATEST, *(WITH_API.zone_list(FR_API, str(zone)) for zone in zones)}
    assert {row["state"] for row in lists.values()} == {"ok"}
    assert lists[WITH_API.zone_list(FR_API, "475")]["name"] == "Sports"
    sighted = rows(tmp_path, "SELECT DISTINCT source FROM sightings WHERE source LIKE '%morenews-zone-471-1%'")
    assert len(sighted) == 1
    assert_intact(tmp_path)


def test_no_list_is_requested_unless_enabled(tmp_path, clock):
    with mounted(clock) as site:
        poll_due_sources(tmp_path, clock)
    assert not [path for path in site.wire.paths if "morenews" in path]
    assert not [url for url, row in sources(tmp_path).items() if row["kind"] == "list"]


def hosts_of_lists(wire):
    """Return the hosts from which lists were requested, in order."""
    return list(dict.fromkeys(r.url.host for r in wire.requests if "morenews" in r.url.path))


def test_the_next_host_is_tried_if_one_is_absent_or_disallows_it(tmp_path, clock):
    """The robots.txt of each host decides. Paths are case-sensitive: `/Api/` is not `/api/` (dossier section 13)."""

    def override(request):
        if request.url.host == "fr-api.vietnamplus.vn":
            raise httpx.ConnectError("no such host", request=request)
        if request.url.host == "api-fr.vietnamplus.vn" and request.url.path == "/robots.txt":
            return http_response(b"User-agent: *\nDisallow: /api/\n")
        return None

    with mounted_with_overrides(clock, override) as site:
        poll_due_sources(tmp_path, clock, list_api=True)
        assert hosts_of_lists(site.wire) == ["fr.vietnamplus.vn"], "its robots.txt disallows /Api/, another path"
        found = sources(tmp_path)
        assert (found[LATEST]["state"], found[LATEST]["failures"]) == ("excluded", 1)
        assert found[WITH_API.latest_list(API_FR)]["error"] == "disallowed by robots.txt"
        assert found["/api/morenews-topic-107-1.html?phrase=&page_size=40&sz=107&st=topic"]["state"] == "ok"
        site.wire.clear()
        clock.advance(hours=12)
        poll_due_sources(tmp_path, clock, list_api=True)
        assert {r.url.host for r in site.wire.requests} == {"fr.vietnamplus.vn"}, (
            "one host has worked, so no other is requested"
        )
        site.wire.clear()
        clock.advance(hours=12)
        poll_due_sources(tmp_path, clock)
        assert hosts_of_lists(site.wire) == [], "the list API is disabled"
    assert {row["state"] for row in sources(tmp_path).values() if row["kind"] == "list"} == {"excluded"}


def test_an_error_response_of_the_list_api(tmp_path, clock):
    broken = json.dumps({"data": None, "error_code": 3, "error_message": "quota"}).encode()
    with mounted(clock, options=BARE) as site:
        site.edit = edited(f"/api/{LATEST.partition('/api/')[2]}", lambda _: broken)
        poll_due_sources(tmp_path, clock, list_api=True, api_hosts=(f"{FR_API}/",))
    row = sources(tmp_path)[LATEST]
    assert (row["state"], row["error"]) == ("failing", "the list API returned error 3: quota")


def test_an_address_of_another_site_is_not_requested(tmp_path, clock):
    with mounted(clock, options=BARE) as site:
        poll_due_sources(tmp_path, clock, add=("https://elsewhere.example.org/politique/",))
    assert {request.url.host for request in site.wire.requests} == {"fr.vietnamplus.vn"}
    assert sources(tmp_path)["https://elsewhere.example.org/politique/"]["error"] == "not an address of this site"


# --- sources that responses name --------------------------------------------------------------------------------------


def test_feeds_are_found_on_the_page_that_lists_them(tmp_path, clock):
    with mounted(clock) as site:
        poll_due_sources(tmp_path, clock)
    found = {path: row["name"] for path, row in sources(tmp_path).items() if row["kind"] == "feed"}
    assert found["/rss/sports.rss"] == "Sports"
    assert len(found) == 1 + len(SECTIONS)
    assert site.wire.count("/rss/sports.rss") == 1


def test_sitemaps_are_found_in_robots_txt(tmp_path, clock):
    with mounted(clock) as site:
        site.edit = edited(
            "/robots.txt", lambda body: body + b"\nSitemap: https://fr.vietnamplus.vn/sitemaps/news-2014-5.xml\n"
        )
        poll_due_sources(tmp_path, clock)
    assert sources(tmp_path)["/sitemaps/news-2014-5.xml"]["kind"] == "sitemap"
    assert site.wire.count("/sitemaps/news-2014-5.xml") == 1


def test_the_sitemap_of_this_month_is_polled_even_if_the_index_does_not_name_it(tmp_path, clock):
    def without_this_month(body):
        lines = body.decode().splitlines()
        return "\n".join(line for line in lines if "news-2026-11" not in line).encode()

    with mounted(clock, articles=60, options=replace(BARE, no_sitemap=False, no_news_sitemap=True)) as site:
        site.edit = edited("/sitemap.xml", without_this_month)
        poll_due_sources(tmp_path, clock)
        assert site.wire.count("/sitemaps/news-2026-11.xml") == 1
    row = sources(tmp_path)["/sitemaps/news-2026-11.xml"]
    assert row["state"] == "ok"
    assert row["items"] > 40


def test_the_sitemap_of_a_new_month_is_polled_once_the_index_names_it(tmp_path, clock):
    """On the first day of a month its sitemap may not exist yet; an absent source is otherwise polled weekly."""
    clock.time = NOW.replace(day=1, hour=0)
    with mounted(clock, options=replace(BARE, no_sitemap=False)) as site:
        site.edit = lambda request, response: (
            replace(response, status=404) if request.path == "/sitemaps/news-2026-11.xml" else response
        )
        poll_due_sources(tmp_path, clock)
        assert sources(tmp_path)["/sitemaps/news-2026-11.xml"]["state"] == "absent"
        site.edit = None
        clock.advance(days=1)
        poll_due_sources(tmp_path, clock)
    assert sources(tmp_path)["/sitemaps/news-2026-11.xml"]["state"] == "ok"


def test_recent_monthly_sitemaps_are_requested_without_an_index(tmp_path, clock):
    with mounted(clock, options=BARE) as site:
        poll_due_sources(tmp_path, clock)
    assert [path for path in site.wire.paths if path.startswith("/sitemaps/news-")] == [
        "/sitemaps/news-2026-10.xml",
        "/sitemaps/news-2026-11.xml",
    ]


def test_a_source_that_redirects(tmp_path, clock):
    """The target of the redirect becomes a source of its own, and the redirecting source fails."""

    def override(request):
        if request.url.path == "/sports/":
            return http_response(status=302, headers={"Location": "/"})
        if request.url.path == "/culture/":
            return http_response(status=301, headers={"Location": "/arts/"})
        return page('<a href="/une-expo-post999001.vnp">Une expo</a>') if request.url.path == "/arts/" else None

    with mounted_with_overrides(clock, override):
        known = poll_due_sources(tmp_path, clock)
    found = sources(tmp_path)
    assert (found["/sports/"]["state"], found["/sports/"]["error"]) == (
        "failing", f"redirects to {SITE}/, which is a different source"
    )  # fmt: skip
    assert (found["/culture/"]["state"], found["/arts/"]["state"]) == ("failing", "ok")
    assert 999001 in known
    shown = rows(tmp_path, "SELECT DISTINCT source FROM sightings WHERE page = 999001")
    assert shown == [{"source": f"{SITE}/arts/"}]
    assert found["/"]["kind"] == "home"


def test_a_section_that_returns_the_page_of_another_source(tmp_path, clock):
    """Its articles become known, but the source fails and no positions are recorded."""
    other = f'<link rel="canonical" href="{SITE}/"><a href="/une-expo-post999001.vnp">Une expo</a>'
    with mounted_with_overrides(clock, lambda request: page(other) if request.url.path == "/sports/" else None):
        known = poll_due_sources(tmp_path, clock)
    row = sources(tmp_path)["/sports/"]
    assert (row["state"], row["error"]) == ("failing", f"the page names {SITE}/ as its own URL")
    assert 999001 in known
    assert rows(tmp_path, "SELECT * FROM appearances WHERE page = 999001") == []


def test_articles_that_move_between_pages_during_a_poll(tmp_path, clock):
    """New articles push others to the next page; a removed one pulls an article back (dossier section 18.14)."""
    with mounted(clock, options=replace(BARE, home_size=1)) as site:

        def publish_before_page_2(request, response):
            if request.path.startswith("/api/get-zone") and "page=2&" in request.path:
                site.fake_site.publish(20)
            return response

        def unpublish_after_page_1(request, response):
            if request.path == "/politique/" and removed in site.fake_site.ids():
                site.fake_site.unpublish(removed, 404)
            return response

        site.edit = publish_before_page_2
        poll_due_sources(tmp_path, clock)
        newest = site.fake_site.ids()[::-1]
        removed = next(i for i in newest if site.fake_site.story(i).section == "Politique")
        site.edit = unpublish_after_page_1
        clock.advance(days=1)
        poll_due_sources(tmp_path, clock)
        site.edit = None
        clock.advance(days=1)
        known = poll_due_sources(tmp_path, clock)
    assert removed not in site.fake_site.ids()
    assert set(site.fake_site.ids()) <= known


# --- a site that differs from what the dossier says -------------------------------------------------------------------

OTHERS = tuple(replace(s, slug=f"chuyen-muc-{s.key}", zone=s.zone + 400) for s in SECTIONS)
SITES = {
    "other slugs, no feed, no news sitemap": Options(
        sections=OTHERS, no_feed=True, no_news_sitemap=True, section_size=5
    ),
    "the same, without a sitemap, and absent pages redirect to the home page": replace(
        BARE, sections=OTHERS, not_found="home"
    ),
}


@pytest.mark.parametrize("options", SITES.values(), ids=SITES)
def test_every_article_of_a_site_that_differs_from_the_dossier(tmp_path, clock, options):
    with mounted(clock, options=options) as site:
        poll(tmp_path, clock)
        clock.advance(hours=1)
        site.fake_site.publish(3)
        clock.advance(hours=7)
        poll(tmp_path, clock)
        assert {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")} == set(site.fake_site.ids())
    assert_intact(tmp_path)


# --- the stories under an article -------------------------------------------------------------------------------------


def make_only_due(archive, *due):
    """Clear the due time of all other pages."""
    with open_archive(archive) as opened, opened.transaction():
        opened.db.conn.execute(
            "UPDATE pages SET next_due_at = NULL WHERE id NOT IN (SELECT value FROM json_each(?))", [json.dumps(due)]
        )


def test_an_article_that_only_another_article_links_to(tmp_path, clock):
    """A related link makes it known, and the next poll fetches it."""
    unlisted = f'<a class="cms-relate" href="{SITE}/perdu-post240001.vnp" title="Perdu">Lire aussi : Perdu</a>'
    with mounted(clock, articles=20, options=BARE) as site:
        newest = site.fake_site.story(max(site.fake_site.ids()))
        site.edit = edited(
            newest.path,
            lambda body: body.replace(b'itemprop="articleBody">', b'itemprop="articleBody">' + unlisted.encode()),
        )
        poll_due_sources(tmp_path, clock)
        some = site.fake_site.ids()[-8:]
        make_only_due(tmp_path, *some)
        poll(tmp_path, clock)
        row = rows(tmp_path, "SELECT state, first_source, first_seen_at FROM pages WHERE id = 240001")
        fetched_at = value(tmp_path, "SELECT last_fetched_at FROM pages WHERE id = ?", newest.post_id)
        assert row == [{"state": "known", "first_source": f"related:{newest.section}", "first_seen_at": fetched_at}]
        clock.advance(minutes=5)
        poll(tmp_path, clock)
        assert site.wire.count("/perdu-post240001.vnp") == 1
    related_sources = {
        r["source"] for r in rows(tmp_path, "SELECT source FROM sightings WHERE source LIKE 'related:%'")
    }
    assert len(related_sources) > 1, "the links of each section count as a source of their own"


# --- positions in lists -----------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    """An archive with two sources and nine pages, to record positions in."""
    with open_archive(tmp_path) as archive:
        archive.add_sources([SourceFound("home", "h"), SourceFound("section", "s")], NOW)
        archive.add_sightings("h", [Sighting(f"x-post{i}.vnp", i) for i in range(1, 10)], NOW, NOW)
        yield archive


def list_articles(archive, minutes, *ids, source=1):
    """Record that a source listed these articles in this order, some minutes after NOW."""
    sightings = [Sighting(f"x-post{i}.vnp", i, position=position) for position, i in enumerate(ids)]
    archive.save_appearances(source, sightings, NOW + timedelta(minutes=minutes))


def stays(archive, source=1):
    """Return each stay of an article at a position: article, position, first and last minute."""
    rows = archive.db.query("SELECT * FROM appearances WHERE source = ? ORDER BY seen_at, position", [source])
    return [(r["page"], r["position"], _minute(r["seen_at"]), _minute(r["last_seen_at"])) for r in rows]


def _minute(text):
    return int(text[14:16]) + 60 * (int(text[11:13]) - 8)


def test_an_unchanged_position_is_one_row(archive):
    list_articles(archive, 0, 3, 2, 1)
    list_articles(archive, 10, 3, 2, 1)
    archive.extend_appearances(1, NOW + timedelta(minutes=20))
    assert stays(archive) == [(3, 0, 0, 20), (2, 1, 0, 20), (1, 2, 0, 20)]


def test_a_changed_position_is_a_new_row(archive):
    list_articles(archive, 0, 3, 2, 1)
    list_articles(archive, 10, 4, 2, 3)
    list_articles(archive, 20, 4, 2)
    assert stays(archive) == [
        (3, 0, 0, 0), (2, 1, 0, 20), (1, 2, 0, 0),
        (4, 0, 10, 20), (3, 2, 10, 10),
    ]  # fmt: skip


def test_an_article_that_returns_to_a_position_starts_a_new_stay(archive):
    list_articles(archive, 0, 1, 2)
    list_articles(archive, 10, 3, 2)
    list_articles(archive, 20, 1, 2)
    assert stays(archive) == [(1, 0, 0, 0), (2, 1, 0, 20), (3, 0, 10, 10), (1, 0, 20, 20)]


def test_positions_of_different_sources_are_separate(archive):
    list_articles(archive, 0, 1, 2)
    list_articles(archive, 5, 2, 1, source=2)
    list_articles(archive, 10, 1, 2)
    archive.extend_appearances(2, NOW + timedelta(minutes=20))
    assert stays(archive) == [(1, 0, 0, 10), (2, 1, 0, 10)]
    assert stays(archive, 2) == [(2, 0, 5, 20), (1, 1, 5, 20)]


def test_the_articles_shown_at_a_moment(archive):
    sql = """SELECT page FROM appearances WHERE source = ? AND ? BETWEEN seen_at AND last_seen_at ORDER BY position"""

    def shown(source, at):
        return [row[0] for row in archive.db.execute(sql, [source, to_text(at)])]

    list_articles(archive, 0, 3, 2, 1)
    list_articles(archive, 10, 4, 3, 1)
    assert shown(1, NOW) == [3, 2, 1]
    assert shown(1, NOW + timedelta(minutes=10)) == [4, 3, 1]
    assert shown(2, NOW) == []


def test_only_the_first_positions_of_a_list_are_stored(archive):
    sightings = [Sighting(f"x-post{i}.vnp", i, position=position) for i, position in ((1, 59), (2, 60))]
    archive.save_appearances(1, sightings, NOW)
    assert [stay[:2] for stay in stays(archive)] == [(1, 59)]


def test_an_empty_list_records_no_position(archive):
    archive.extend_appearances(1, NOW)
    list_articles(archive, 0)
    assert stays(archive) == []


def test_positions_are_recorded_for_the_home_page_and_the_sections(tmp_path, clock):
    with mounted(clock, options=Options(home_size=20, section_size=10)) as site:
        poll_due_sources(tmp_path, clock)
        at = clock.now()
        top_article = value(
            tmp_path, "SELECT page FROM appearances JOIN sources ON id = source WHERE kind = 'home' AND position = 0"
        )
        assert top_article == max(site.fake_site.ids())
        kinds = rows(tmp_path, "SELECT DISTINCT kind FROM sources WHERE id IN (SELECT source FROM appearances)")
        assert {row["kind"] for row in kinds} == {"home", "section"}
        first_pages = value(tmp_path, "SELECT max(position) FROM appearances")
        assert first_pages < 60, "positions on further pages are not recorded"
        clock.advance(hours=2)
        (new,) = site.fake_site.publish(1)
        clock.advance(hours=6)
        poll_due_sources(tmp_path, clock)
    with opening.reading_archive(tmp_path) as archive:
        home = archive.source(f"{SITE}/").id
        now = value(tmp_path, "SELECT max(last_seen_at) FROM appearances WHERE source = ?", home)
        assert now > at.isoformat()
        tops = rows(tmp_path, "SELECT page FROM appearances WHERE source = ? AND position = 0 ORDER BY seen_at", home)
    assert [row["page"] for row in tops] == [top_article, new]


def test_the_datasette_query_for_top_positions(tmp_path, clock):
    queries = yaml.safe_load((ROOT / "config" / "datasette.yaml").read_text("utf-8"))["databases"]["vna"]["queries"]
    with mounted(clock, options=BARE) as site:
        top_article = max(site.fake_site.ids())
        poll_due_sources(tmp_path, clock)
        clock.advance(hours=2)
        poll_due_sources(tmp_path, clock)
        site.fake_site.publish(1)
        clock.advance(hours=2)
        poll_due_sources(tmp_path, clock)
    (row,) = [r for r in rows(tmp_path, queries["top"]["sql"]) if r["id"] == top_article and r["place"] == f"{SITE}/"]
    assert row["title"] == value(tmp_path, "SELECT url FROM pages WHERE id = ?", top_article), (
        "an address instead of a title: the page has not been fetched"
    )
    assert 2 <= row["hours"] < 2.5


# --- publication times in lists ---------------------------------------------------------------------------------------


def test_the_publication_time_that_a_source_gives(archive):
    published = NOW - timedelta(days=1)
    hint = "SELECT published_hint, next_due_at FROM pages WHERE id = ?"

    def listed(*sightings, due=None):
        archive.add_sightings("h", sightings, NOW, due)
        return next(archive.db.query(hint, [sightings[0].post_id]))

    assert listed(Sighting("x", 20, published_at=published))["published_hint"] == "2026-11-20T08:00:00Z"
    assert listed(Sighting("x", 1, published_at=published))["published_hint"] == "2026-11-20T08:00:00Z", "a known page"
    later = Sighting("x", 1, published_at=NOW)
    assert listed(later)["published_hint"] == "2026-11-20T08:00:00Z", "the first one is kept"
