"""First contact: what `vna probe` says of doubles of the site that differ from what is assumed, and what it leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise

import pytest
from support import (
    MARKUPS,
    NOW,
    ROOT,
    SEEDS,
    SITE,
    FakeClock,
    Watch,
    fetched,
    intact,
    mounted,
    real,
    rows,
    settled,
    value,
    vna,
    working,
)

from crawler import app, config, probe, replay
from crawler.cli import probing
from crawler.errors import Interrupted, SitePaused, SiteUnavailable
from crawler.pipeline.probe import run_probe
from crawler.probe import Asked, Evidence, Rules, questions
from crawler.sim.site import SECTIONS, Options, build, serve
from crawler.site import Site
from crawler.storage import FILE
from crawler.types import Finding, Sighting

OTHER = tuple(replace(s, slug=f"rubrique-{s.slug}") for s in SECTIONS)
SMALL = {"articles": 12}
WIDTH = 100


@pytest.fixture
def clock():
    return FakeClock()


def found(_url):
    """Every host has an address."""


def probed(archive, clock, find_host=found, **changes):
    with working(archive, clock, command="probe", **changes) as context:
        return run_probe(context, find_host)


def by_verdict(findings, verdict):
    return {f.name for f in findings if f.verdict == verdict}


def one(findings, name):
    return next(f for f in findings if f.name == name)


# --- the site as it is assumed ----------------------------------------------------------------------------------------

#: A world of a few days has no article of 2024, and titles that do not say what kind of page they head.
NOT_THERE = {"article 2024", "infographic", "video", "photo story"}


@pytest.fixture(scope="module")
def as_assumed(tmp_path_factory):
    clock, archive = FakeClock(), tmp_path_factory.mktemp("probe") / "archive"
    with mounted(clock, articles=150, options=Options(history=60)) as site:
        clock.advance(hours=3)
        site.replica.revise(site.replica.ids()[-1], text="Une phrase de plus.")
        findings = probed(archive, clock)
    return archive, findings, site


def test_a_site_as_it_is_assumed_confirms_everything(as_assumed):
    _, findings, _ = as_assumed
    assert by_verdict(findings, "differs") == set()
    assert by_verdict(findings, "unknown") == NOT_THERE
    assert [f.name for f in findings] == [a.name for a in probe.ASSUMPTIONS]


def test_it_takes_about_thirty_requests_and_asks_nothing_twice_but_the_page_that_is_compared(as_assumed):
    _, _, site = as_assumed
    assert 25 <= len(site.wire.requests) <= 30
    asked = [f"{r.url.host}{r.url.raw_path.decode()}" for r in site.wire.requests]
    twice = {path for path in asked if asked.count(path) > 1}
    assert len(twice) == 1
    assert "-post" in twice.pop()
    times = [t for r, t in zip(site.wire.requests, site.wire.times, strict=True) if r.url.host == "fr.vietnamplus.vn"]
    assert min((b - a).total_seconds() for a, b in pairwise(times)) >= 1


def test_every_answer_is_evidence_and_articles_are_stored_like_any_other(as_assumed):
    archive, findings, site = as_assumed
    assert value(archive, "SELECT count(*) FROM raw") == len(site.wire.requests)
    kinds = {r["purpose"].partition(":")[0] for r in rows(archive, "SELECT purpose FROM raw")}
    assert kinds == {"robots", "probe", "probed"}
    eras = sum(f.name.startswith("article ") and f.verdict == "confirmed" for f in findings)
    assert value(archive, "SELECT count(*) FROM articles") == eras == 5
    intact(archive)


def test_findings_are_stored_and_come_back_as_they_were(as_assumed):
    archive, findings, site = as_assumed
    with app.reading_archive(archive) as opened:
        assert opened.has_findings()
        assert opened.last_findings() == findings
        assert opened.last_probe() == {
            "probe": 1,
            "probed_at": value(archive, "SELECT max(fetched_at) FROM raw"),
            "requests": len(site.wire.requests),
        }


def test_the_articles_of_a_probe_are_there_again_after_a_rebuild(as_assumed, tmp_path):
    archive, _, _ = as_assumed
    with app.rebuilding(settled(archive), tmp_path / "new", Watch(), clock=FakeClock()) as context:
        made = replay.rebuild(context, archive / FILE)
    assert [(t.table, t.only_old, t.only_new, t.changed) for t in made.differing] == []
    assert value(tmp_path / "new", "SELECT count(*) FROM articles") == 5


def test_an_archive_that_was_never_probed_says_so(tmp_path, clock):
    with working(tmp_path, clock) as context:
        assert not context.archive.has_findings()
        assert context.archive.last_findings() == []
        assert context.archive.last_probe() is None


# --- sites that differ ------------------------------------------------------------------------------------------------

NO_PAST = {f"article {year}" for year in (2010, 2014, 2018, 2022, 2024)} | {"month of 2010", "month of 2016"}
NO_MENU = {"load-more", "further pages", "list API pages"}

VARIANTS = {
    "other sections": (Options(sections=OTHER), {"menu"}),
    "no feed": (Options(no_feed=True), {"feed links", "home feed", "list of feeds"}),
    "feeds elsewhere": (Options(feeds_at="/flux/"), {"feed links", "home feed"}),
    "no news sitemap": (Options(no_news_sitemap=True), {"news sitemap"}),
    "no sitemap": (Options(no_sitemap=True), {"Sitemap line", "sitemap index", "news sitemap"}),
    "no list API": (Options(no_api=True), {"list API"}),
    "older list API, 410": (Options(dialect="articles", not_found=410), {"list API items"}),
    "soft 404": (Options(not_found="soft"), {"id far ahead", "id in a gap"}),
    "not found leads home": (Options(not_found="home"), {"id far ahead", "id in a gap"}),
    "other addresses lead to the true one": (Options(addresses="redirect"), {"older address", "wrong slug"}),
    "other addresses are not found": (Options(addresses="strict"), {"older address", "wrong slug"}),
    "another menu": (Options(plain_menu=True), {"menu", "zone ids"}),
    "no load-more, validators, a small feed": (
        Options(no_load_more=True, validators=True, feed_size=10), {"load-more", "validators", "304", "feed size"},
    ),
    "a slow robots.txt that closes the feeds and speaks of AI": (
        Options(robots=("Crawl-delay: 3", "Disallow: /rss/", "", "User-agent: GPTBot", "Disallow: /")),
        {"Crawl-delay", "robots.txt", "AI crawlers"},
    ),
    "all at once": (
        Options(sections=OTHER, no_feed=True, no_news_sitemap=True, no_api=True, not_found="soft", plain_menu=True),
        {"menu", "zone ids", "feed links", "home feed", "list of feeds", "news sitemap", "list API", "id far ahead",
         "id in a gap"},
    ),
}  # fmt: skip
#: what any small world lacks, whatever its site is like
TOO_SMALL = {"sitemap span", "articles a day", "id in a gap"}


@pytest.mark.parametrize("situation", VARIANTS)
def test_what_differs_is_said(situation, tmp_path, clock):
    options, expected = VARIANTS[situation]
    with mounted(clock, **SMALL, options=options) as site:
        findings = probed(tmp_path, clock)
        assert by_verdict(findings, "differs") - TOO_SMALL == expected - TOO_SMALL
        assert len(site.wire.requests) <= probe.MOST_REQUESTS
        assert all(f.advice for f in findings if f.verdict == "differs")


def test_a_redesigned_site_differs_page_by_page_and_field_by_field(tmp_path, clock):
    with mounted(clock, **SMALL, options=Options(history=12)) as site:
        site.replica.redesign()
        findings = probed(tmp_path, clock)
    eras = [f for f in findings if f.name.startswith("article ") and f.verdict != "unknown"]
    assert len(eras) >= 4
    assert {f.verdict for f in eras} == {"differs"}
    for finding in eras:
        assert "no title, no body" in finding.seen
        assert "by fallback: " in finding.seen
        assert "published_at" in finding.seen
        assert finding.advice.endswith("docs/new-layout.md")
    assert value(tmp_path, "SELECT count(*) FROM pages WHERE state = 'drift'") == len(eras)


def test_what_the_lists_show_of_pictures_and_videos_is_looked_at(tmp_path, clock):
    sections = (*SECTIONS[:-1], replace(SECTIONS[-1], name="Vidéo", slug="video"))
    with mounted(clock, articles=60, options=Options(sections=sections)) as site:
        newest = site.replica.ids()[-1]
        site.replica.revise(newest, title="Infographie : les exportations")
        findings = probed(tmp_path, clock)
    assert f"-post{newest}.vnp" in one(findings, "infographic").seen
    assert one(findings, "video").verdict == "confirmed"


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_a_request_that_fails_leaves_its_checks_unknown_and_the_rest_goes_on(tmp_path, clock):
    with mounted(clock, **SMALL) as site:
        site.replica.fault("error", "/rss/home.rss")
        findings = probed(tmp_path, clock)
    assert {"home feed", "feed size", "feed items"} <= by_verdict(findings, "unknown")
    assert "HTTP status 500" in one(findings, "home feed").seen
    assert one(findings, "article now").verdict == "confirmed"
    intact(tmp_path)


def test_the_requests_of_a_probe_are_counted(tmp_path, clock):
    with mounted(clock, **SMALL) as site, working(tmp_path, clock, command="probe") as context:
        context.report.requests = probe.MOST_REQUESTS - 10
        findings = run_probe(context, found)
    assert len(site.wire.requests) == 10
    assert "requests of a probe were spent" in one(findings, "wrong slug").seen


def test_a_host_that_has_no_address_is_not_asked(tmp_path, clock):
    def nowhere(url):
        raise SiteUnavailable(f"cannot reach {url}")

    with mounted(clock, **SMALL) as site:
        findings = probed(tmp_path, clock, nowhere)
    assert {r.url.host for r in site.wire.requests} == {"fr.vietnamplus.vn"}
    assert one(findings, "list API").seen == f"{SITE}, without a Referer"


def test_a_page_that_another_process_is_at_is_left_to_it(tmp_path, clock):
    code = "import sys; from pathlib import Path; from crawler.storage.locks import Claims\nwith Claims(Path(sys.argv[1])).claim(int(sys.argv[2])):\n print('held', flush=True); sys.stdin.read()"
    with mounted(clock, **SMALL) as site:
        words = [sys.executable, "-W", "ignore", "-c", code, tmp_path / "vna.claims", str(site.replica.ids()[-1])]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
            assert other.stdout.readline() == b"held\n"
            findings = probed(tmp_path, clock)
            other.communicate(b"")
    assert one(findings, "article now") == replace(
        one(findings, "article now"), verdict="unknown", seen="another process is at this page"
    )


def stopping_after(context, count):
    """Have a run asked to stop once it has made so many requests."""
    context.stopping = lambda: context.report.requests >= count
    return context


def test_a_probe_that_is_stopped_keeps_what_it_found(tmp_path, clock):
    with mounted(clock, **SMALL), working(tmp_path, clock, command="probe") as context:
        with pytest.raises(Interrupted):
            run_probe(stopping_after(context, 6), found)
        findings = context.archive.last_findings()
    assert one(findings, "menu").verdict == "confirmed"
    assert (one(findings, "article 2010").verdict, one(findings, "article 2010").seen) == ("unknown", "not asked")
    assert rows(tmp_path, "SELECT outcome FROM runs") == [{"outcome": "stopped"}]
    intact(tmp_path)


def test_a_site_that_asks_for_patience_ends_the_probe(tmp_path, clock):
    with mounted(clock, **SMALL) as site:
        site.replica.fault("throttle", "/sitemaps/*", seconds=900)
        with pytest.raises(SitePaused):
            probed(tmp_path, clock)
    with app.reading_archive(tmp_path) as opened:
        assert one(opened.last_findings(), "menu").verdict == "confirmed"


def test_without_any_answer_nothing_is_stored(tmp_path, clock):
    with mounted(clock, **SMALL) as site:
        site.replica.fault("error", "/robots.txt")
        with pytest.raises(SiteUnavailable):
            probed(tmp_path, clock)
    with app.reading_archive(tmp_path) as opened:
        assert not opened.has_findings()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strange():
    """A site on a real socket, that differs where nobody can know; it goes by the machine's clock, as the commands do."""
    options = replace(VARIANTS["all at once"][0], sections=OTHER[:2], home_size=10, section_size=10)
    with serve(
        lambda url: build(url, seeds_dir=SEEDS, articles=8, now=lambda: datetime.now(UTC), options=options)
    ) as site:
        yield site


@pytest.fixture(scope="module")
def words(strange, tmp_path_factory):
    return ("--site", strange.url, "--rate", 0, "--archive", tmp_path_factory.mktemp("command") / "archive")


def test_the_command_says_what_differs_and_a_poll_archives_everything(strange, words):
    outcome = real(*words, "probe")
    assert outcome.code == 5
    table = outcome.out.partition("\n\n")[0].splitlines()
    assert {line[11:27].strip() for line in table if line.startswith("DIFFERS")} >= {
        "menu",
        "home feed",
        "news sitemap",
    }
    assert max(map(len, outcome.out.splitlines())) <= WIDTH
    assert vna(*words, "poll").code == 0
    recent = {i for i in strange.replica.ids() if i > 260_000}
    held = {r["id"] for r in rows(words[-1], "SELECT id FROM articles")}
    assert recent <= held


def test_what_was_found_is_printed_again_without_asking(strange, words):
    before = strange.replica.state()["requests"]
    outcome = vna(*words, "probe", "--last", "--json")
    assert outcome.code == 0
    told = json.loads(outcome.out)
    assert set(told) == {"probe", "probed_at", "requests", "findings", "config"}
    assert {f["verdict"] for f in told["findings"]} == {"confirmed", "differs", "unknown"}
    assert "DIFFERS    menu" in vna(*words, "probe", "--last").out
    assert strange.replica.state()["requests"] == before


def test_without_a_probe_there_is_nothing_to_print_again(tmp_path, clock):
    with working(tmp_path, clock):
        pass
    outcome = vna("--archive", tmp_path, "probe", "--last")
    assert outcome.code == 1
    assert "never probed" in outcome.err


def test_the_real_site_is_not_probed_without_a_contact(tmp_path):
    """Whether or not it could be reached from here, nothing is asked."""
    outcome = vna("--archive", tmp_path / "archive", "probe", env={"VNA_CONFIG": str(_config(tmp_path, ""))})
    assert outcome.code == 1
    assert not (tmp_path / "archive").exists()


def test_a_probe_that_ends_early_prints_what_it_found(words, tmp_path, strange):
    strange.replica.fault("throttle", "/sitemap.xml", seconds=900)
    outcome = vna(*words[:4], "--archive", tmp_path / "archive", "probe")
    strange.replica.clear()
    assert outcome.code == 1
    assert "DIFFERS    menu" in outcome.out
    assert "hint:" in outcome.err


def test_a_probe_that_finds_nothing_prints_nothing(words, tmp_path, strange):
    strange.replica.fault("throttle", "/robots.txt", seconds=900)
    outcome = vna(*words[:4], "--archive", tmp_path / "archive", "probe")
    strange.replica.clear()
    assert (outcome.code, outcome.out) == (1, "")


def _config(folder, text):
    file = folder / "crawler.toml"
    file.write_text(text, "utf-8")
    return file


def test_what_is_proposed_is_a_configuration(tmp_path):
    """Whatever the findings propose can stand in the file, and all of it together."""
    adopt = (
        {"poll": {"add": ["/une/", "/deux/"]}},
        {"poll": {"add": ["/deux/"], "list_api": True}},
        {"politeness": {"rate": 0.333}},
    )
    findings = [Finding("a", "1", "", "differs", "", "", a) for a in adopt]
    proposed = probe.settings(findings)
    assert proposed == {"poll": {"add": ["/une/", "/deux/"], "list_api": True}, "politeness": {"rate": 0.333}}
    text = probe.snippet(proposed)
    assert tomllib.loads(text) == proposed
    loaded = config.load(_config(tmp_path, text))
    assert (loaded.add, loaded.list_api, loaded.rate) == (("/une/", "/deux/"), True, 0.333)
    assert probe.snippet({}) == ""
    long = {"poll": {"add": [f"/rubrique-{n}/" for n in range(9)]}}
    assert tomllib.loads(probe.snippet(long)) == long
    assert len(probe.snippet(long).splitlines()) == 12


def test_the_table_is_as_wide_as_the_terminal_within_reason(monkeypatch):
    class Terminal(StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdout", Terminal())
    for columns, expected in ((40, 80), (120, 120), (300, 160)):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert probing.columns() == expected


def test_every_assumption_is_explained():
    text = (ROOT / "docs" / "first-contact.md").read_text("utf-8")
    explained = {
        name for line in text.splitlines() if line.startswith("| ") for name in line.split("|")[1].strip().split(" · ")
    }
    assert {a.name for a in probe.ASSUMPTIONS} <= explained


# --- single checks, on answers made by hand ---------------------------------------------------------------------------

HTML = (("Content-Type", "text/html;charset=utf-8"),)
AT = {"now": "/titre-post7.vnp", "again": "/titre-post7.vnp", "old form": "/titre/7.vnp", "wrong slug": "/autre-post7.vnp",
      "high id": "/x-post107.vnp", "month": "/sitemaps/news-2026-11.xml", "home": "/", "feed": "/rss/home.rss",
      "section": "/politique/", "more": "/api/get-zone?page=2", "index": "/sitemap.xml", "feeds": "/rss.html"}  # fmt: skip
KEYS = {"now": "era:now", "month": "month:now", "api": "api:0", "photo": "media:photo", "2010": "era:2010"}


def reply(body=b"", status=200, headers=HTML, path="/x", hops=(), **changes):
    body = body.encode() if isinstance(body, str) else body
    return fetched(body, status=status, headers=headers, url=f"{SITE}{path}", hops=hops, **changes)


def evidence(rules="User-agent: *\nDisallow: /x/\n", status=200, delay=0.0, **answers):
    """What came back: a text or an answer by key; None where nothing came."""
    made = Evidence(Site(), MARKUPS, NOW)
    if rules is not None:
        made.rules[SITE] = Rules(status, rules, delay, (f"{SITE}/sitemap-news.xml",))
    for name, what in answers.items():
        path = AT.get(name, "/x")
        told = reply(what, path=path) if isinstance(what, str) else what
        asked = told if isinstance(told, Asked) else Asked(f"{SITE}{path}", told, "" if told else "no answer came")
        made.asked[KEYS.get(name, name)] = asked
    return made


def story(text="Un texte.", title="Titre", post_id=7, when="2026-11-20T08:00:00+07:00", foot="", meta="", kind="<p>"):
    head = f'<meta property="article:published_time" content="{when}">' if when else ""
    return (
        f"<html><head><title>{title} | Vietnam+ (VietnamPlus)</title><meta property='og:type' content='article'>"
        f'<link rel="canonical" href="{SITE}/titre-post{post_id}.vnp">{head}{meta}'
        f'<meta property="article:section" content="Politique"></head><body><div><h1 class="article__title">{title}</h1>'
        f'<div class="article__body">{kind}{text}</div></div>{foot}</body></html>'
    )


DRIFT = story().replace("article__", "v2-")
WALL = "<html><head><title>Just a moment...</title></head><body><h1>Captcha</h1>" + "x" * 80 + "</body></html>"
PICTURE = '<figure><img src="https://mediafr.vietnamplus.vn/a.jpg"></figure>'
LATER = '<meta property="article:modified_time" content="2026-11-20T11:00:00+07:00">'
FOOT = (
    '<div class="timeline"><h3 class="box-heading">Voir plus</h3><article class="story">'
    '<h2 class="story__heading"><a href="/b-post6.vnp">B</a></h2></article></div>'
)


def month(*entries, title="&lt;![CDATA[T]]&gt;"):
    lines = (
        f"<url><loc>{SITE}/titre-post{post_id}.vnp</loc><lastmod>{at}</lastmod><title>{title}</title></url>"
        for post_id, at in entries
    )
    return f"<urlset>{''.join(lines)}</urlset>"


def months(*names, at="/sitemap.xml"):
    listed = "".join(f"<sitemap><loc>{SITE}/sitemaps/{name}.xml</loc></sitemap>" for name in names)
    return Asked(f"{SITE}{at}", reply(f"<sitemapindex>{listed}</sitemapindex>", path=at))


def feed(guid="/titre-post7.vnp", date="Fri, 20 Nov 2026 08:00:00 +0700", extra=""):
    return (
        f'<rss version="2.0"><channel>{extra}<item><title>T</title><link>{SITE}/titre-post7.vnp</link>'
        f"<guid>{SITE}{guid}</guid><pubDate>{date}</pubDate></item></channel></rss>"
    )


def api(data, **more):
    return json.dumps({"data": data, "error_code": 0, **more})


SELF = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="self" href="{SITE}/rss/sport.rss"/>'
LIST = '<a href="/titre-post7.vnp">T</a>'
PLAIN = "<html><body><a href='/page.html'>x</a><p>y</p></body></html>"
DAYS = [(100 + n, f"2026-11-{10 + n // 5:02}T08:00:00+07:00") for n in range(20)]
REFUSED = reply("<h1>Forbidden</h1>", 403)
NO = None


@pytest.mark.parametrize(
    ("name", "given", "verdict", "seen"),
    [
        # robots.txt and headers
        ("robots.txt", {"rules": NO}, "unknown", "could not be had"),
        ("robots.txt", {"status": 404, "rules": ""}, "differs", "404"),
        ("robots.txt", {"feed": Asked(f"{SITE}/rss/a.rss?x=1", disallowed=True)}, "differs", "closes /rss/a.rss?x=1"),
        ("Crawl-delay", {"rules": NO}, "unknown", "could not be had"),
        ("Crawl-delay", {"delay": 0.5}, "differs", "0.5 seconds"),
        ("Crawl-delay", {"delay": 9000}, "differs", "9000 seconds"),
        ("AI crawlers", {"rules": NO}, "unknown", "could not be had"),
        ("Sitemap line", {"rules": NO}, "unknown", "could not be had"),
        ("Sitemap line", {}, "differs", "names /sitemap-news.xml"),
        ("honest name", {}, "unknown", "no answer"),
        ("honest name", {"home": REFUSED}, "differs", "1 x HTTP status 403"),
        ("honest name", {"now": WALL}, "differs", "1 block pages"),
        ("Content-Type", {"home": NO}, "unknown", "no answer came"),
        ("Content-Type", {"home": reply("x", headers=())}, "differs", "no Content-Type; not compressed"),
        ("Content-Type", {"home": reply("x", headers=(*HTML, ("Content-Length", "1")))}, "confirmed", "with Content-Length"),
        ("validators", {"now": NO}, "unknown", "no answer came"),
        ("304", {}, "unknown", "not asked"),
        ("304", {"now": "x", "conditional": NO}, "unknown", "no answer came"),
        ("304", {"conditional": reply()}, "confirmed", "HTTP status 200"),
        ("caches, cookies", {"home": NO}, "unknown", "no answer came"),
        ("caches, cookies", {"home": reply("x", headers=(("Set-Cookie", "a=1"), ("Age", "9")))}, "differs", "Set-Cookie; Age: 9"),
        # sitemaps
        ("sitemap index", {}, "unknown", "not asked"),
        ("sitemap index", {"index": PLAIN}, "differs", "sitemap"),
        ("sitemap index", {"index": months("autres")}, "differs", "names no month"),
        ("sitemap index", {"index": months("news-2026-1", at="/plan.xml")}, "differs", "at /plan.xml"),
        ("sitemap index", {"index": months("news-2026-01")}, "differs", "padded"),
        ("sitemap span", {"index": months("autres")}, "unknown", "names no month"),
        ("sitemap span", {"index": months("news-2010-1", "news-2026-10")}, "differs", "not this one"),
        ("sitemap span", {"index": months("news-2015-3", "news-2026-11")}, "differs", "2015-3 to 2026-11"),
        ("news sitemap", {}, "unknown", "not asked"),
        ("news sitemap", {"news": PLAIN}, "differs", "sitemap"),
        ("news sitemap", {"news": month()}, "differs", "names no article"),
        ("news sitemap", {"news": month(*DAYS)}, "confirmed", "20 articles, undated"),
        ("articles a day", {"month": month(*DAYS)}, "differs", "5 on a typical day"),
        ("articles a day", {"month": month((1, ""))}, "unknown", "no whole day"),
        ("month's order", {"month": month(*DAYS[:2])}, "unknown", "too few"),
        ("month's order", {"month": month(*DAYS[::-1])}, "differs", "0%"),
        ("month's titles", {"month": month()}, "unknown", "no article in it"),
        ("month's titles", {"month": month(*DAYS, title="T")}, "differs", "20 of 20 articles with a title, not as"),
        ("month's titles", {"month": month(*DAYS, title="")}, "differs", "0 of 20"),
        ("month of 2010", {"month:2010": month()}, "differs", "no article in it"),
        ("month of 2010", {"month:2010": reply("x", 404)}, "differs", "HTTP status 404"),
        ("lastmod", {"now": story(), "month": month((8, "2026-11-20T11:00:00+07:00"))}, "unknown", "no article"),
        ("lastmod", {"now": story(), "month": month((7, "2026-11-20T11:00:00+07:00"))}, "unknown", "no article"),
        ("lastmod", {"now": story(meta=LATER.replace("T11", "T08")), "month": month((7, "2026-11-20"))}, "unknown", "no"),
        ("lastmod", {"now": story(meta=LATER), "month": month((7, "2026-11-20T08:00:00+07:00"))}, "differs", "publication"),
        ("lastmod", {"now": story(meta=LATER), "month": month((7, "2026-11-21T08:00:00+07:00"))}, "differs", "neither"),
        # home page, sections, feeds
        ("menu", {"home": NO}, "unknown", "no answer came"),
        ("menu", {"home": PLAIN}, "differs", "no link to a section"),
        ("zone ids", {"home": NO}, "unknown", "no answer came"),
        ("home page", {"home": NO}, "unknown", "no answer came"),
        ("home page", {"home": PLAIN}, "differs", "names no article"),
        ("home page", {"home": LIST + '<a href="/autre/8.vnp">A</a>'}, "differs", "2 articles, 1 as"),
        ("load-more", {"section": f"{LIST}<button data-page='2' data-zone='4'>"}, "differs", "without data-type, data-size"),
        ("further pages", {"section": LIST, "more": LIST}, "differs", "same articles"),
        ("further pages", {"section": LIST, "more": "<p>"}, "differs", "no article"),
        ("feed links", {"home": NO}, "unknown", "no answer came"),
        ("home feed", {"feed": feed(extra=SELF)}, "differs", "/rss/sport.rss"),
        ("home feed", {"feed": PLAIN}, "differs", "none"),
        ("home feed", {"feed": '<rss version="2.0"><channel></channel></rss>'}, "differs", "no item of this site"),
        ("feed size", {"feed": PLAIN}, "unknown", "it is no feed"),
        ("feed items", {"feed": PLAIN}, "unknown", "it is no feed"),
        ("feed items", {"feed": feed(guid="/autre")}, "differs", "guid is not the address"),
        ("feed items", {"feed": feed(date="20/11/2026 08:00")}, "differs", "20/11/2026"),
        ("feed items", {"feed": feed().replace("pubDate", "date")}, "differs", "no pubDate"),
        ("list of feeds", {"feeds": NO}, "unknown", "no answer came"),
        ("list of feeds", {"feeds": reply("x", 404)}, "differs", "404"),
        # articles
        ("article now", {"now": WALL}, "differs", "a block page"),
        ("article now", {"now": story(when="")}, "differs", "without publication time, lead"),
        ("article's head", {"now": PLAIN}, "differs", "without title suffix, canonical"),
        ("article's head", {"now": story(meta='<script type="application/ld+json">{"@type": "NewsArticle", "name": 1}</script>'
                                             '<script type="application/ld+json">{broken</script>'
                                             '<script type="application/ld+json">[]</script>')}, "confirmed", "JSON-LD: name"),
        ("published_at", {"now": story(when="2026-11-20T01:00:00Z")}, "differs", "written as 2026-11-20T01:00:00Z"),
        ("Voir plus", {"now": story(), "2010": story(foot=FOOT)}, "differs", "none on 1 of 2 pages"),
        ("same page again", {"now": story()}, "unknown", "not asked"),
        ("same page again", {"now": story(), "again": story()}, "confirmed", "the same bytes"),
        ("same page again", {"now": story(), "again": story("Autre.")}, "differs", "2 x p; article: text"),
        ("older address", {"now": story(), "old form": story(post_id=9)}, "differs", "200, the article 9"),
        ("older address", {"now": story(), "old form": NO}, "unknown", "no answer came"),
        ("wrong slug", {"now": story(), "wrong slug": WALL}, "differs", "a block page"),
        ("id far ahead", {"high id": story(post_id=107)}, "differs", "an article that no list names"),
        ("id far ahead", {"high id": story(post_id=8)}, "differs", "HTTP status 200"),
        ("id far ahead", {"high id": NO}, "unknown", "no answer came"),
        ("photo story", {"photo": DRIFT}, "differs", "markup drift"),
        ("photo story", {"photo": WALL}, "differs", "a block page"),
        ("photo story", {"photo": story(PICTURE, kind="")}, "differs", "infographic, 0 paragraphs, 1 picture"),
        ("photo story", {"photo": story()}, "confirmed", "article, 1 paragraph, 0 pictures"),
        # list API
        ("list API", {"api": api({"contents": []})}, "confirmed", SITE),
        ("list API items", {"api": api({"contents": []})}, "differs", "without content_id"),
        ("list API items", {"api": api({"contents": ["x"]})}, "differs", "1 items; date is NoneType"),
        ("list API pages", {"zone list": api({"contents": [1] * 60, "load_more": True})}, "differs", "60 items"),
        ("list API pages", {"zone list": api({"articles": "", "hasMoreContent": False})}, "confirmed", "an HTML list"),
        ("list API pages", {"zone list": api({"contents": [], "load_more": 1})}, "differs", "more: 1"),
        ("list API pages", {"zone list": "<html>"}, "unknown", "another form"),
        ("list API pages", {"zone list": api([])}, "unknown", "another form"),
        ("list API pages", {"zone list": api({}, error_code=3)}, "unknown", "another form"),
    ],
)  # fmt: skip
def test_a_check(name, given, verdict, seen):
    check = next(a.check for a in probe.ASSUMPTIONS if a.name == name)
    told = check(evidence(**given))
    assert (told.verdict, seen in told.seen) == (verdict, True), told
    assert bool(told.advice) >= (verdict == "differs")


@pytest.mark.parametrize(
    ("name", "given", "adopt"),
    [
        ("Crawl-delay", {"delay": 9000}, {"politeness": {"rate": 0.000111}}),
        (
            "robots.txt",
            {"feed": Asked(f"{SITE}/rss/a.rss?x=1", disallowed=True)},
            {"poll": {"exclude": ["/rss/a.rss"]}},
        ),
        ("home feed", {"feed": PLAIN}, {"poll": {"exclude": ["/rss/home.rss"]}}),
        ("list API", {"api": api({"contents": []})}, {"poll": {"list_api": True, "api_hosts": [f"{SITE}/"]}}),
        ("list API", {"api": api({"contents": []}), "rules": "User-agent: *\nDisallow: /Api/"}, {}),
    ],
)
def test_a_check_proposes_settings(name, given, adopt, tmp_path):
    check = next(a.check for a in probe.ASSUMPTIONS if a.name == name)
    told = check(evidence(**given))
    assert told.adopt == adopt
    config.load(_config(tmp_path, probe.snippet(told.adopt)))


def test_an_article_that_was_refused_is_no_article():
    assert evidence(now=REFUSED).article("era:now") is None
    assert evidence(now=REFUSED).why("era:now") == "HTTP status 403 at /x"


@pytest.mark.parametrize(
    ("ids", "gap"), [((), None), ((5,), None), ((5, 6, 7), None), ((5, 7), 6), ((9, 1, 3, 5, 6), 4), ((1, 9, 20), 10)]
)
def test_the_id_of_a_gap_is_near_the_middle(ids, gap):
    assert questions.gap_id([Sighting("", post_id) for post_id in ids]) == gap
