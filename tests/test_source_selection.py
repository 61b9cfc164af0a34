"""The channels at work: lists of the API, what the configuration adds and leaves out, places in lists, stories under articles."""

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
    FakeClock,
    Mounted,
    answer,
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

from crawler import app, schedule
from crawler.config import Config
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import SECTIONS, Options, build
from crawler.site import Site, api_hosts
from crawler.storage import open_archive
from crawler.types import Channel, Sighting, SourceFound

FR_API, API_FR = "https://fr-api.vietnamplus.vn", "https://api-fr.vietnamplus.vn"
BARE = Options(home_size=4, feed_size=4, section_size=5, no_sitemap=True, no_feed=True)


@pytest.fixture
def clock():
    return FakeClock()


def look(archive, clock, **changes):
    """The sources' part of a tick alone; give the ids of the pages that are known now."""
    with working(archive, clock, **changes) as context, recorded(context, "poll"):
        poll_sources(context, ignore_due=False)
    return {row["id"] for row in rows(archive, "SELECT id FROM pages")}


def sources(archive):
    """All sources by path, or by address where another host has them."""
    return {row["url"].removeprefix(SITE): row for row in rows(archive, "SELECT * FROM sources")}


@contextmanager
def rerouted(clock, change, options=BARE):
    """The double of the site, but for the requests that `change` answers itself."""
    double = Mounted(build(SITE, seeds_dir=SEEDS, now=clock.now, options=options), clock)
    with wired(lambda request: change(request) or double.reply(request), clock) as double.wire:
        yield double


# --- which addresses may be asked for ---------------------------------------------------------------------------------


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
def test_where_the_list_api_is_thought_to_be(root, expected):
    assert api_hosts(root) == expected


OPTED_IN = Site(api=(FR_API,))
LATEST = OPTED_IN.latest_list(FR_API)
ASKED = {
    "a page of the site": (f"{SITE}/politique/", True, True),
    "its mobile host": ("https://m.fr.vietnamplus.vn/", True, True),
    "another edition": ("https://en.vietnamplus.vn/", False, False),
    "the latest list": (LATEST, False, True),
    "a zone's list": (OPTED_IN.zone_list(FR_API, "471"), False, True),
    "the rules of the host": (f"{FR_API}/robots.txt", False, True),
    "something else of the host": (f"{FR_API}/api/contents", False, False),
    "a page on the host": (f"{FR_API}/a-post1.vnp", False, False),
    "a list on a host that is not named": (OPTED_IN.latest_list(API_FR), False, False),
    "a list on a port that is not named": (LATEST.replace(FR_API, f"{FR_API}:8443"), False, False),
    "a list without TLS": (LATEST.replace("https", "http"), False, False),
}


@pytest.mark.parametrize(("url", "without", "with_api"), ASKED.values(), ids=ASKED)
def test_what_may_be_asked_for(url, without, with_api):
    assert Site().may_ask(url) is without
    assert OPTED_IN.may_ask(url) is with_api


OPT_INS = {
    "not asked for": (Config(), ()),
    "as it is thought to be": (Config(list_api=True), (FR_API, API_FR, SITE)),
    "named": (
        Config(list_api=True, api_hosts=("https://liste.example.org/", "/")),
        ("https://liste.example.org", SITE),
    ),
    "named, but not asked for": (Config(api_hosts=("https://liste.example.org/",)), ()),
}


@pytest.mark.parametrize(("config", "expected"), OPT_INS.values(), ids=OPT_INS)
def test_opting_in(tmp_path, clock, config, expected):
    with app.working(replace(config, archive=tmp_path), "poll", None, clock=clock) as context:
        assert context.site.api == expected


# --- how the rows follow the configuration ----------------------------------------------------------------------------

TWO_HOSTS = Site(api=(FR_API, API_FR))


def channel(url, kind="section", state="ok", **changes):
    return Channel(url, kind, changes.pop("name", None), changes.pop("zone", None), state, changes.pop("worked", True))


def first(host, **changes):
    return channel(TWO_HOSTS.latest_list(host), "list", **changes)


HOSTS = {
    "none was asked": ([], (FR_API,)),
    "the first is to be asked": ([first(FR_API, state="new", worked=False)], (FR_API,)),
    "the first failed": ([first(FR_API, state="failing", worked=False)], (FR_API, API_FR)),
    "the first is closed to us, the second is to be asked": (
        [first(FR_API, state="absent", worked=False), first(API_FR, state="new", worked=False)],
        (FR_API, API_FR),
    ),
    "both failed": (
        [first(FR_API, state="failing", worked=False), first(API_FR, state="failing", worked=False)],
        (FR_API, API_FR),
    ),
    "the second answered": ([first(FR_API, state="failing", worked=False), first(API_FR)], (API_FR,)),
    "the second answered once, and fails now": (
        [first(FR_API, state="excluded", worked=False), first(API_FR, state="failing")],
        (API_FR,),
    ),
    "it was switched off before any had answered": ([first(FR_API, state="excluded", worked=False)], (FR_API,)),
}


@pytest.mark.parametrize(("channels", "expected"), HOSTS.values(), ids=HOSTS)
def test_which_host_is_asked_for_lists(channels, expected):
    assert schedule.list_hosts(channels, TWO_HOSTS) == expected


LATEST_FOUND = SourceFound("list", TWO_HOSTS.latest_list(FR_API), "latest news")
POLITICS = f"{SITE}/politique/"
ZONE_URL = TWO_HOSTS.zone_list(FR_API, "471")
FOLLOW = {
    "nothing to do": (Site(), [channel(POLITICS)], {}, schedule.Changes()),
    "the first list": (TWO_HOSTS, [channel(POLITICS, zone="471")], {}, schedule.Changes(added=(LATEST_FOUND,))),
    "a list for each section that has a zone": (
        TWO_HOSTS,
        [channel(POLITICS, zone="471", name="Politique"), channel(f"{SITE}/sports/"), first(FR_API)],
        {},
        schedule.Changes(added=(SourceFound("list", ZONE_URL, "Politique", zone="471"),)),
    ),
    "no list for a section that is left out": (
        TWO_HOSTS,
        [channel(POLITICS, state="excluded", zone="471"), first(FR_API)],
        {"exclude": ["/politique/"]},
        schedule.Changes(),
    ),
    "the list of a section that is left out now": (
        TWO_HOSTS,
        [channel(POLITICS, zone="471"), first(FR_API), channel(ZONE_URL, "list")],
        {"exclude": ["/politique/"]},
        schedule.Changes(excluded=(POLITICS, ZONE_URL)),
    ),
    "lists are left out": (
        TWO_HOSTS,
        [channel(POLITICS, zone="471"), first(FR_API)],
        {"exclude": ["/api/morenews-zone-*"]},
        schedule.Changes(),
    ),
    "opted out": (
        Site(),
        [channel(POLITICS), first(FR_API), channel(ZONE_URL, "list", "excluded")],
        {},
        schedule.Changes(excluded=(LATEST_FOUND.url,)),
    ),
    "another host answers": (
        TWO_HOSTS,
        [first(FR_API, state="failing", worked=False), first(API_FR)],
        {},
        schedule.Changes(excluded=(LATEST_FOUND.url,)),
    ),
    "by a pattern": (
        Site(),
        [channel(POLITICS), channel(f"{SITE}/video/x/"), channel(f"{SITE}/sports/")],
        {"exclude": ["/video/*", "https://fr.vietnamplus.vn/sp?rts/"]},
        schedule.Changes(excluded=(f"{SITE}/video/x/", f"{SITE}/sports/")),
    ),
    "taken up again": (
        Site(),
        [channel(POLITICS, state="excluded"), channel(f"{SITE}/sports/", state="excluded")],
        {"exclude": ["/sports/"]},
        schedule.Changes(included=(POLITICS,)),
    ),
    "named": (
        Site(),
        [channel(POLITICS, name="Chính trị"), channel(f"{SITE}/sports/", name="Sports")],
        {"names": {"/politique/": "Politique", f"{SITE}/sports/": "Sports"}},
        schedule.Changes(renamed=((POLITICS, "Politique"),)),
    ),
}


@pytest.mark.parametrize(("site", "channels", "settings", "expected"), FOLLOW.values(), ids=FOLLOW)
def test_following_the_configuration(site, channels, settings, expected):
    found = schedule.follow(channels, site, settings.get("exclude", ()), settings.get("names"))
    assert found == expected
    assert bool(found) is (expected != schedule.Changes())


def test_left_out_and_taken_up_again(tmp_path, clock):
    with mounted(clock, options=BARE) as site:
        look(tmp_path, clock, exclude=("/politique/", "/sports/*"))
        assert not {"/politique/", "/sports/"} & set(site.wire.paths), "not even when the home page just named them"
        left_out = {path for path, row in sources(tmp_path).items() if row["state"] == "excluded"}
        assert left_out == {"/politique/", "/sports/"}
        with app.reading_archive(tmp_path) as archive:
            told = {s["url"] for s in archive.status()["sources"] if s["state"] == "excluded"}
        assert told == {f"{SITE}/politique/", f"{SITE}/sports/"}, "`vna status` says so"
        clock.advance(hours=2)
        look(tmp_path, clock, exclude=("/sports/*",), names={"/politique/": "La politique"})
        assert site.wire.count("/politique/") == 1
        assert "/sports/" not in site.wire.paths
    row = sources(tmp_path)["/politique/"]
    assert (row["state"], row["name"], row["zone"]) == ("ok", "La politique", "471")
    assert sources(tmp_path)["/sports/"]["next_due_at"] is None


# --- the list API -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["contents", "articles"])
def test_the_lists_lead_to_everything(tmp_path, clock, dialect):
    """The first host that has the API is asked for the latest news, then for each section."""
    with mounted(clock, options=replace(BARE, dialect=dialect)) as site:
        known = look(tmp_path, clock, list_api=True, exclude=("/[!a]*",))
        assert known == set(site.replica.ids())
    hosts = {request.url.host for request in site.wire.requests}
    assert hosts == {"fr.vietnamplus.vn", "fr-api.vietnamplus.vn"}
    assert {r.url.path for r in site.wire.requests if r.url.host == "fr-api.vietnamplus.vn"} <= {
        "/robots.txt", *(f"/api/morenews-topic-107-{n}.html" for n in range(1, 4))
    }  # fmt: skip


def test_the_lists_of_the_sections(tmp_path, clock):
    with mounted(clock, options=BARE):
        look(tmp_path, clock, list_api=True)
    zones = {s.zone: s.name for s in SECTIONS}
    lists = {url: row for url, row in sources(tmp_path).items() if row["kind"] == "list"}
    assert set(lists) == {LATEST, *(OPTED_IN.zone_list(FR_API, str(zone)) for zone in zones)}
    assert {row["state"] for row in lists.values()} == {"ok"}
    assert lists[OPTED_IN.zone_list(FR_API, "475")]["name"] == "Sports"
    sighted = rows(tmp_path, "SELECT DISTINCT source FROM sightings WHERE source LIKE '%morenews-zone-471-1%'")
    assert len(sighted) == 1
    intact(tmp_path)


def test_without_opting_in_no_list_is_asked_for(tmp_path, clock):
    with mounted(clock) as site:
        look(tmp_path, clock)
    assert not [path for path in site.wire.paths if "morenews" in path]
    assert not [url for url, row in sources(tmp_path).items() if row["kind"] == "list"]


def hosts_of_lists(wire):
    return list(dict.fromkeys(r.url.host for r in wire.requests if "morenews" in r.url.path))


def test_the_next_host_is_tried_where_one_is_not_there_or_closed_to_us(tmp_path, clock):
    """robots.txt of each host decides, by the letter: `/Api/` does not close `/api/` (dossier 13)."""

    def change(request):
        if request.url.host == "fr-api.vietnamplus.vn":
            raise httpx.ConnectError("no such host", request=request)
        if request.url.host == "api-fr.vietnamplus.vn" and request.url.path == "/robots.txt":
            return answer(b"User-agent: *\nDisallow: /api/\n")
        return None

    with rerouted(clock, change) as site:
        look(tmp_path, clock, list_api=True)
        assert hosts_of_lists(site.wire) == ["fr.vietnamplus.vn"], "its own rules say /Api/, which is another path"
        found = sources(tmp_path)
        assert (found[LATEST]["state"], found[LATEST]["failures"]) == ("excluded", 1)
        assert found[OPTED_IN.latest_list(API_FR)]["error"] == "robots.txt does not allow it"
        assert found["/api/morenews-topic-107-1.html?phrase=&page_size=40&sz=107&st=topic"]["state"] == "ok"
        site.wire.clear()
        clock.advance(hours=12)
        look(tmp_path, clock, list_api=True)
        assert {r.url.host for r in site.wire.requests} == {"fr.vietnamplus.vn"}, "one has answered: no other is asked"
        site.wire.clear()
        clock.advance(hours=12)
        look(tmp_path, clock)
        assert hosts_of_lists(site.wire) == [], "opted out"
    assert {row["state"] for row in sources(tmp_path).values() if row["kind"] == "list"} == {"excluded"}


def test_a_list_that_says_that_it_is_an_error(tmp_path, clock):
    broken = json.dumps({"data": None, "error_code": 3, "error_message": "quota"}).encode()
    with mounted(clock, options=BARE) as site:
        site.edit = edited(f"/api/{LATEST.partition('/api/')[2]}", lambda _: broken)
        look(tmp_path, clock, list_api=True, api_hosts=(f"{FR_API}/",))
    row = sources(tmp_path)[LATEST]
    assert (row["state"], row["error"]) == ("failing", "the list API says error 3: quota")


def test_an_address_that_leaves_the_site_is_not_asked_for(tmp_path, clock):
    with mounted(clock, options=BARE) as site:
        look(tmp_path, clock, add=("https://elsewhere.example.org/politique/",))
    assert {request.url.host for request in site.wire.requests} == {"fr.vietnamplus.vn"}
    assert sources(tmp_path)["https://elsewhere.example.org/politique/"]["error"] == "it is no address of this site"


# --- what answers name ------------------------------------------------------------------------------------------------


def test_feeds_are_found_on_the_page_that_lists_them(tmp_path, clock):
    with mounted(clock) as site:
        look(tmp_path, clock)
    found = {path: row["name"] for path, row in sources(tmp_path).items() if row["kind"] == "feed"}
    assert found["/rss/sports.rss"] == "Sports"
    assert len(found) == 1 + len(SECTIONS)
    assert site.wire.count("/rss/sports.rss") == 1


def test_sitemaps_are_found_in_robots_txt(tmp_path, clock):
    with mounted(clock) as site:
        site.edit = edited(
            "/robots.txt", lambda body: body + b"\nSitemap: https://fr.vietnamplus.vn/sitemaps/news-2014-5.xml\n"
        )
        look(tmp_path, clock)
    assert sources(tmp_path)["/sitemaps/news-2014-5.xml"]["kind"] == "sitemap"
    assert site.wire.count("/sitemaps/news-2014-5.xml") == 1


def test_a_month_that_the_index_does_not_name_is_asked_for(tmp_path, clock):
    def without(body):
        lines = body.decode().splitlines()
        return "\n".join(line for line in lines if "news-2026-11" not in line).encode()

    with mounted(clock, articles=60, options=replace(BARE, no_sitemap=False, no_news_sitemap=True)) as site:
        site.edit = edited("/sitemap.xml", without)
        look(tmp_path, clock)
        assert site.wire.count("/sitemaps/news-2026-11.xml") == 1
    row = sources(tmp_path)["/sitemaps/news-2026-11.xml"]
    assert row["state"] == "ok"
    assert row["items"] > 40


def test_a_month_comes_at_once_when_it_is_named_at_last(tmp_path, clock):
    """On the first of a month its sitemap may not be there yet."""
    clock.time = NOW.replace(day=1, hour=0)
    with mounted(clock, options=replace(BARE, no_sitemap=False)) as site:
        site.edit = lambda request, response: (
            replace(response, status=404) if request.path == "/sitemaps/news-2026-11.xml" else response
        )
        look(tmp_path, clock)
        assert sources(tmp_path)["/sitemaps/news-2026-11.xml"]["state"] == "absent"
        site.edit = None
        clock.advance(hours=13)
        look(tmp_path, clock)
    assert sources(tmp_path)["/sitemaps/news-2026-11.xml"]["state"] == "ok"


def test_months_are_asked_for_where_there_is_no_index(tmp_path, clock):
    with mounted(clock, options=BARE) as site:
        look(tmp_path, clock)
    assert [path for path in site.wire.paths if path.startswith("/sitemaps/news-")] == [
        "/sitemaps/news-2026-10.xml",
        "/sitemaps/news-2026-11.xml",
    ]


def test_a_source_that_has_moved(tmp_path, clock):
    """What stands where a redirect leads is a source of its own; an article list under another name is not believed."""

    def change(request):
        if request.url.path == "/sports/":
            return answer(status=302, headers={"Location": "/"})
        if request.url.path == "/culture/":
            return answer(status=301, headers={"Location": "/arts/"})
        return page('<a href="/une-expo-post999001.vnp">Une expo</a>') if request.url.path == "/arts/" else None

    with rerouted(clock, change):
        known = look(tmp_path, clock)
    found = sources(tmp_path)
    assert (found["/sports/"]["state"], found["/sports/"]["error"]) == (
        "failing", f"redirects to {SITE}/, which is another place"
    )  # fmt: skip
    assert (found["/culture/"]["state"], found["/arts/"]["state"]) == ("failing", "ok")
    assert 999001 in known
    shown = rows(tmp_path, "SELECT DISTINCT source FROM sightings WHERE page = 999001")
    assert shown == [{"source": f"{SITE}/arts/"}]
    assert found["/"]["kind"] == "home"


def test_a_section_that_sends_the_page_of_another(tmp_path, clock):
    """Its articles are taken, but it is not believed: no place is kept, and `vna status` tells."""
    other = f'<link rel="canonical" href="{SITE}/"><a href="/une-expo-post999001.vnp">Une expo</a>'
    with rerouted(clock, lambda request: page(other) if request.url.path == "/sports/" else None):
        known = look(tmp_path, clock)
    row = sources(tmp_path)["/sports/"]
    assert (row["state"], row["error"]) == ("failing", f"the page says that it is {SITE}/")
    assert 999001 in known
    assert rows(tmp_path, "SELECT * FROM appearances WHERE page = 999001") == []


def test_articles_that_move_between_pages_while_they_are_read(tmp_path, clock):
    """New ones push others to the next page; one that is taken down pulls one to the page before (dossier 18.14)."""
    with mounted(clock, options=replace(BARE, home_size=1)) as site:

        def pushing(request, response):
            if request.path.startswith("/api/get-zone") and "page=2&" in request.path:
                site.replica.publish(20)
            return response

        def pulling(request, response):
            if request.path == "/politique/" and taken in site.replica.ids():
                site.replica.unpublish(taken, 404)
            return response

        site.edit = pushing
        look(tmp_path, clock)
        newest = site.replica.ids()[::-1]
        taken = next(i for i in newest if site.replica.story(i).section == "Politique")
        site.edit = pulling
        clock.advance(hours=7)
        look(tmp_path, clock)
        site.edit = None
        clock.advance(hours=7)
        known = look(tmp_path, clock)
    assert taken not in site.replica.ids()
    assert set(site.replica.ids()) <= known


# --- everything, on a site that is not as we think ---------------------------------------------------------------------

OTHERS = tuple(replace(s, slug=f"chuyen-muc-{s.key}", zone=s.zone + 400) for s in SECTIONS)
SITES = {
    "other slugs, no feed, no news sitemap": Options(
        sections=OTHERS, no_feed=True, no_news_sitemap=True, section_size=5
    ),
    "the same without any sitemap, and what is not there goes home": replace(BARE, sections=OTHERS, not_found="home"),
}


@pytest.mark.parametrize("options", SITES.values(), ids=SITES)
def test_a_site_that_is_not_as_we_think(tmp_path, clock, options):
    with mounted(clock, options=options) as site:
        poll(tmp_path, clock)
        clock.advance(hours=1)
        site.replica.publish(3)
        clock.advance(hours=7)
        poll(tmp_path, clock)
        assert {row["id"] for row in rows(tmp_path, "SELECT id FROM articles")} == set(site.replica.ids())
    intact(tmp_path)


# --- the stories under an article -------------------------------------------------------------------------------------


def settle(archive, *due):
    """Have no page due but these."""
    with open_archive(archive) as opened, opened.transaction():
        opened.db.conn.execute(
            "UPDATE pages SET next_due_at = NULL WHERE id NOT IN (SELECT value FROM json_each(?))", [json.dumps(due)]
        )


def test_an_article_that_only_another_one_names(tmp_path, clock):
    """`Voir plus` names it; the next tick fetches it."""
    lost = f'<a class="cms-relate" href="{SITE}/perdu-post240001.vnp" title="Perdu">Lire aussi : Perdu</a>'
    with mounted(clock, articles=20, options=BARE) as site:
        newest = site.replica.story(max(site.replica.ids()))
        site.edit = edited(
            newest.path,
            lambda body: body.replace(b'itemprop="articleBody">', b'itemprop="articleBody">' + lost.encode()),
        )
        look(tmp_path, clock)
        some = site.replica.ids()[-8:]
        settle(tmp_path, *some)
        poll(tmp_path, clock)
        row = rows(tmp_path, "SELECT state, first_source, first_seen_at FROM pages WHERE id = 240001")
        asked = value(tmp_path, "SELECT last_fetched_at FROM pages WHERE id = ?", newest.post_id)
        assert row == [{"state": "known", "first_source": f"related:{newest.section}", "first_seen_at": asked}]
        clock.advance(minutes=5)
        poll(tmp_path, clock)
        assert site.wire.count("/perdu-post240001.vnp") == 1
    under = {r["source"] for r in rows(tmp_path, "SELECT source FROM sightings WHERE source LIKE 'related:%'")}
    assert len(under) > 1, "of each section by its own name"


# --- places in lists --------------------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path):
    with open_archive(tmp_path) as archive:
        archive.add_sources([SourceFound("home", "h"), SourceFound("section", "s")], NOW)
        archive.add_sightings("h", [Sighting(f"x-post{i}.vnp", i) for i in range(1, 10)], NOW, NOW)
        yield archive


def show(archive, minutes, *ids, source=1):
    sightings = [Sighting(f"x-post{i}.vnp", i, position=place) for place, i in enumerate(ids)]
    archive.save_appearances(source, sightings, NOW + timedelta(minutes=minutes))


def stays(archive, source=1):
    """Each stay as (article, place, first and last minute)."""
    rows = archive.db.query("SELECT * FROM appearances WHERE source = ? ORDER BY seen_at, position", [source])
    return [(r["page"], r["position"], _minute(r["seen_at"]), _minute(r["last_seen_at"])) for r in rows]


def _minute(text):
    return int(text[14:16]) + 60 * (int(text[11:13]) - 8)


def test_places_that_are_kept_are_one_row(places):
    show(places, 0, 3, 2, 1)
    show(places, 10, 3, 2, 1)
    places.keep_appearances(1, NOW + timedelta(minutes=20))
    assert stays(places) == [(3, 0, 0, 20), (2, 1, 0, 20), (1, 2, 0, 20)]


def test_places_that_change_are_new_rows(places):
    show(places, 0, 3, 2, 1)
    show(places, 10, 4, 2, 3)
    show(places, 20, 4, 2)
    assert stays(places) == [
        (3, 0, 0, 0), (2, 1, 0, 20), (1, 2, 0, 0),
        (4, 0, 10, 20), (3, 2, 10, 10),
    ]  # fmt: skip


def test_an_article_that_comes_back_to_its_place_begins_a_new_stay(places):
    show(places, 0, 1, 2)
    show(places, 10, 3, 2)
    show(places, 20, 1, 2)
    assert stays(places) == [(1, 0, 0, 0), (2, 1, 0, 20), (3, 0, 10, 10), (1, 0, 20, 20)]


def test_sources_do_not_mix(places):
    show(places, 0, 1, 2)
    show(places, 5, 2, 1, source=2)
    show(places, 10, 1, 2)
    places.keep_appearances(2, NOW + timedelta(minutes=20))
    assert stays(places) == [(1, 0, 0, 10), (2, 1, 0, 10)]
    assert stays(places, 2) == [(2, 0, 5, 20), (1, 1, 5, 20)]


def test_what_stood_at_an_instant(places):
    show(places, 0, 3, 2, 1)
    show(places, 10, 4, 3, 1)
    assert places.standing(1, NOW) == [3, 2, 1]
    assert places.standing(1, NOW + timedelta(minutes=10)) == [4, 3, 1]
    assert places.standing(2, NOW) == []


def test_nothing_to_keep(places):
    places.keep_appearances(1, NOW)
    show(places, 0)
    assert stays(places) == []


def test_places_on_the_home_page_and_in_the_sections(tmp_path, clock):
    with mounted(clock, options=Options(home_size=20, section_size=10)) as site:
        look(tmp_path, clock)
        at = clock.now()
        lead = value(
            tmp_path, "SELECT page FROM appearances JOIN sources ON id = source WHERE kind = 'home' AND position = 0"
        )
        assert lead == max(site.replica.ids())
        kinds = rows(tmp_path, "SELECT DISTINCT kind FROM sources WHERE id IN (SELECT source FROM appearances)")
        assert {row["kind"] for row in kinds} == {"home", "section"}
        first_pages = value(tmp_path, "SELECT max(position) FROM appearances")
        assert first_pages < 60, "further pages are no places"
        clock.advance(hours=2)
        (new,) = site.replica.publish(1)
        clock.advance(hours=6)
        look(tmp_path, clock)
    with app.reading_archive(tmp_path) as archive:
        home = archive.source(f"{SITE}/").id
        now = value(tmp_path, "SELECT max(last_seen_at) FROM appearances WHERE source = ?", home)
        assert now > at.isoformat()
        tops = rows(tmp_path, "SELECT page FROM appearances WHERE source = ? AND position = 0 ORDER BY seen_at", home)
    assert [row["page"] for row in tops] == [lead, new]


def test_the_query_for_what_stood_on_top(tmp_path, clock):
    queries = yaml.safe_load((ROOT / "config" / "datasette.yaml").read_text("utf-8"))["databases"]["vna"]["queries"]
    with mounted(clock, options=BARE) as site:
        lead = max(site.replica.ids())
        look(tmp_path, clock)
        clock.advance(hours=2)
        look(tmp_path, clock)
        site.replica.publish(1)
        clock.advance(hours=2)
        look(tmp_path, clock)
    (row,) = [r for r in rows(tmp_path, queries["top"]["sql"]) if r["id"] == lead and r["place"] == f"{SITE}/"]
    assert row["title"] == value(tmp_path, "SELECT url FROM pages WHERE id = ?", lead), "its page was not fetched yet"
    assert 2 <= row["hours"] < 2.5


# --- hints ------------------------------------------------------------------------------------------------------------


def test_when_a_source_says_that_an_article_was_published(places):
    published = NOW - timedelta(days=1)
    hint = "SELECT published_hint, next_due_at FROM pages WHERE id = ?"

    def seen(*sightings, due=None):
        places.add_sightings("h", sightings, NOW, due)
        return next(places.db.query(hint, [sightings[0].post_id]))

    assert seen(Sighting("x", 20, published_at=published))["published_hint"] == "2026-11-20T08:00:00Z"
    assert seen(Sighting("x", 1, published_at=published))["published_hint"] == "2026-11-20T08:00:00Z", "a known one"
    later = Sighting("x", 1, published_at=NOW)
    assert seen(later)["published_hint"] == "2026-11-20T08:00:00Z", "the first that says so"
