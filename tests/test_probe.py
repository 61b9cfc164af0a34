"""Tests of `vna probe` against fake sites that match or contradict the assumptions."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from support import (
    MARKUPS,
    NOW,
    ROOT,
    SEEDS,
    SITE,
    FakeClock,
    RecordedProgress,
    assert_intact,
    configured,
    fetched,
    mounted,
    rows,
    run_process,
    value,
    vna,
    working,
)

from crawler import app, config, opening, probe, replay
from crawler.cli import probing
from crawler.errors import Interrupted, SitePaused, SiteUnavailable
from crawler.finding import Finding
from crawler.pipeline.probe import run_probe
from crawler.probe import ASSUMPTIONS, ProbeEvidence, ProbeResponse, Rules, questions
from crawler.sim.site import SECTIONS, Options, build, serve
from crawler.site import Site
from crawler.storage import FILE
from crawler.types import Sighting

OTHER = tuple(replace(s, slug=f"rubrique-{s.slug}") for s in SECTIONS)
SMALL = {"articles": 12}


def found(_url):
    """Accept every host."""


def probed(archive, clock, find_host=found, **changes):
    with working(archive, clock, command="probe", **changes) as context:
        return run_probe(context, find_host)


def by_verdict(findings, verdict):
    return {f.name for f in findings if f.verdict == verdict}


def one(findings, name):
    return next(f for f in findings if f.name == name)


# --- the expected site ------------------------------------------------------------------------------------------------

#: A fake site of a few days has no article of 2024, and no title that identifies a page without text.
UNKNOWN = {"article 2024", "infographic", "video", "photo story"}


@pytest.fixture(scope="module")
def as_assumed(tmp_path_factory):
    clock, archive = FakeClock(), tmp_path_factory.mktemp("probe") / "archive"
    with mounted(clock, articles=150, options=Options(history=60)) as site:
        clock.advance(hours=3)
        site.fake_site.revise(site.fake_site.ids()[-1], text="Une phrase de plus.")
        findings = probed(archive, clock)
    return archive, findings, site


def test_expected_site_confirms_every_assumption(as_assumed):
    _, findings, _ = as_assumed
    assert by_verdict(findings, "differs") == set()
    assert by_verdict(findings, "unknown") == UNKNOWN
    assert [f.name for f in findings] == [a.name for a in probe.ASSUMPTIONS]


def test_probe_sends_about_thirty_requests_and_repeats_only_the_compared_page(as_assumed):
    _, _, site = as_assumed
    assert 25 <= len(site.wire.requests) <= 30
    requested = [f"{r.url.host}{r.url.raw_path.decode()}" for r in site.wire.requests]
    twice = {path for path in requested if requested.count(path) > 1}
    assert len(twice) == 1
    assert "-post" in twice.pop()
    times = [t for r, t in zip(site.wire.requests, site.wire.times, strict=True) if r.url.host == "fr.vietnamplus.vn"]
    assert min((b - a).total_seconds() for a, b in pairwise(times)) >= 1


def test_every_response_is_archived_and_articles_are_stored(as_assumed):
    archive, findings, site = as_assumed
    assert value(archive, "SELECT count(*) FROM raw") == len(site.wire.requests)
    kinds = {r["purpose"].partition(":")[0] for r in rows(archive, "SELECT purpose FROM raw")}
    assert kinds == {"robots", "probe", "probed"}
    eras = sum(f.name.startswith("article ") and f.verdict == "confirmed" for f in findings)
    assert value(archive, "SELECT count(*) FROM articles") == eras == 5
    assert_intact(archive)


def test_findings_are_stored_and_read_back_unchanged(as_assumed):
    archive, findings, site = as_assumed
    with opening.reading_archive(archive) as opened:
        assert opened.has_findings()
        assert opened.last_findings() == findings
        assert opened.last_probe() == {
            "probe": 1,
            "probed_at": value(archive, "SELECT max(fetched_at) FROM raw"),
            "requests": len(site.wire.requests),
        }


def test_rebuild_restores_the_articles_of_a_probe(as_assumed, tmp_path):
    archive, _, _ = as_assumed
    with app.rebuilding(configured(archive), tmp_path / "new", RecordedProgress(), clock=FakeClock()) as context:
        result = replay.rebuild(context, archive / FILE)
    assert [(t.table, t.only_old, t.only_new, t.changed) for t in result.differing] == []
    assert value(tmp_path / "new", "SELECT count(*) FROM articles") == 5


def test_archive_without_a_probe_has_no_findings(tmp_path, clock):
    with working(tmp_path, clock) as context:
        assert not context.archive.has_findings()
        assert context.archive.last_findings() == []
        assert context.archive.last_probe() is None


# --- sites that differ ------------------------------------------------------------------------------------------------

#: The options of a fake site, and the assumptions that differ there.
VARIANTS = {
    "other sections": (Options(sections=OTHER), {"menu"}),
    "no feed": (Options(no_feed=True), {"feed links", "home feed", "list of feeds"}),
    "feeds elsewhere": (Options(feeds_at="/flux/"), {"feed links", "home feed"}),
    "no news sitemap": (Options(no_news_sitemap=True), {"news sitemap"}),
    "no sitemap": (Options(no_sitemap=True), {"Sitemap line", "sitemap index", "news sitemap"}),
    "no list API": (Options(no_api=True), {"list API"}),
    "older list API, 410": (Options(dialect="articles", not_found=410), {"list API items"}),
    "soft 404": (Options(not_found="soft"), {"id far ahead", "unlisted id"}),
    "not found redirects to the home page": (Options(not_found="home"), {"id far ahead", "unlisted id"}),
    "other addresses redirect to the listed one": (Options(addresses="redirect"), {"older address", "wrong slug"}),
    "other addresses are not found": (Options(addresses="strict"), {"older address", "wrong slug"}),
    "another menu": (Options(plain_menu=True), {"menu", "zone ids"}),
    "no load-more, validators, a small feed": (
        Options(no_load_more=True, validators=True, feed_size=10), {"load-more", "validators", "304", "feed size"},
    ),
    "robots.txt with a delay, closed feeds and AI groups": (
        Options(robots=("Crawl-delay: 3", "Disallow: /rss/", "", "User-agent: GPTBot", "Disallow: /")),
        {"Crawl-delay", "robots.txt", "AI crawlers"},
    ),
    "all at once": (
        Options(sections=OTHER, no_feed=True, no_news_sitemap=True, no_api=True, not_found="soft", plain_menu=True),
        {"menu", "zone ids", "feed links", "home feed", "list of feeds", "news sitemap", "list API", "id far ahead",
         "unlisted id"},
    ),
}  # fmt: skip
#: The assumption that every small fake site with a sitemap contradicts: it has no articles of earlier years.
TOO_SMALL = "sitemap span"


@pytest.mark.parametrize("situation", VARIANTS)
def test_differences_are_found_and_have_advice(situation, tmp_path, clock):
    options, expected = VARIANTS[situation]
    with mounted(clock, **SMALL, options=options) as site:
        findings = probed(tmp_path, clock)
        assert by_verdict(findings, "differs") - {TOO_SMALL} == expected
        assert len(site.wire.requests) <= probe.MOST_REQUESTS
        assert all(f.advice for f in findings if f.verdict == "differs")


def test_redesigned_site_lists_missing_fields_of_each_page(tmp_path, clock):
    with mounted(clock, **SMALL, options=Options(history=12)) as site:
        site.fake_site.redesign()
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


@pytest.mark.edge
def test_pictures_and_videos_in_lists_are_checked(tmp_path, clock):
    sections = (*SECTIONS[:-1], replace(SECTIONS[-1], name="Vidéo", slug="video"))
    with mounted(clock, articles=60, options=Options(sections=sections)) as site:
        newest = site.fake_site.ids()[-1]
        site.fake_site.revise(newest, title="Infographie : les exportations")
        findings = probed(tmp_path, clock)
    assert f"-post{newest}.vnp" in one(findings, "infographic").seen
    assert one(findings, "video").verdict == "confirmed"


# --- failures ---------------------------------------------------------------------------------------------------------


def test_failed_request_leaves_its_checks_unknown_and_the_probe_continues(tmp_path, clock):
    with mounted(clock, **SMALL) as site:
        site.fake_site.fault("error", "/rss/home.rss")
        findings = probed(tmp_path, clock)
    assert {"home feed", "feed size", "feed items"} <= by_verdict(findings, "unknown")
    assert "HTTP status 500" in one(findings, "home feed").seen
    assert one(findings, "article now").verdict == "confirmed"
    assert_intact(tmp_path)


def test_probe_stops_at_the_request_limit(tmp_path, clock):
    with mounted(clock, **SMALL) as site, working(tmp_path, clock, command="probe") as context:
        context.report.requests = probe.MOST_REQUESTS - 10
        findings = run_probe(context, found)
    assert len(site.wire.requests) == 10
    assert f"limit of {probe.MOST_REQUESTS} requests" in one(findings, "wrong slug").seen


def test_host_without_an_address_is_not_asked(tmp_path, clock):
    def nowhere(url):
        raise SiteUnavailable(f"cannot reach {url}")

    with mounted(clock, **SMALL) as site:
        findings = probed(tmp_path, clock, nowhere)
    assert {r.url.host for r in site.wire.requests} == {"fr.vietnamplus.vn"}
    assert one(findings, "list API").seen == f"{SITE}, without a Referer"


@pytest.mark.edge
def test_page_that_another_process_visits_is_skipped(tmp_path, clock):
    code = "import sys; from pathlib import Path; from crawler.storage.locks import Claims\nwith Claims(Path(sys.argv[1])).claim(int(sys.argv[2])):\n print('held', flush=True); sys.stdin.read()"
    with mounted(clock, **SMALL) as site:
        words = [sys.executable, "-W", "ignore", "-c", code, tmp_path / "vna.claims", str(site.fake_site.ids()[-1])]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
            assert other.stdout.readline() == b"held\n"
            findings = probed(tmp_path, clock)
            other.communicate(b"")
    assert one(findings, "article now") == replace(
        one(findings, "article now"), verdict="unknown", seen="another process is visiting this page"
    )


def stopping_after(context, count):
    """Make a run stop after `count` requests."""
    context.stopping = lambda: context.report.requests >= count
    return context


def test_stopped_probe_stores_its_findings(tmp_path, clock):
    with mounted(clock, **SMALL), working(tmp_path, clock, command="probe") as context:
        with pytest.raises(Interrupted):
            run_probe(stopping_after(context, 6), found)
        findings = context.archive.last_findings()
    assert one(findings, "menu").verdict == "confirmed"
    assert (one(findings, "article 2010").verdict, one(findings, "article 2010").seen) == ("unknown", "not asked")
    assert rows(tmp_path, "SELECT outcome FROM runs") == [{"outcome": "stopped"}]
    assert_intact(tmp_path)


def test_throttling_ends_the_probe_and_stores_its_findings(tmp_path, clock):
    with mounted(clock, **SMALL) as site:
        site.fake_site.fault("throttle", "/sitemaps/*", seconds=900)
        with pytest.raises(SitePaused):
            probed(tmp_path, clock)
    with opening.reading_archive(tmp_path) as opened:
        assert one(opened.last_findings(), "menu").verdict == "confirmed"


def test_nothing_is_stored_without_any_response(tmp_path, clock):
    with mounted(clock, **SMALL) as site:
        site.fake_site.fault("error", "/robots.txt")
        with pytest.raises(SiteUnavailable):
            probed(tmp_path, clock)
    with opening.reading_archive(tmp_path) as opened:
        assert not opened.has_findings()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strange():
    """A fake site on a real socket that contradicts many assumptions; it uses the system clock, like the commands."""
    options = replace(VARIANTS["all at once"][0], sections=OTHER[:2], home_size=10, section_size=10)
    with serve(
        lambda url: build(url, seeds_dir=SEEDS, articles=8, now=lambda: datetime.now(UTC), options=options)
    ) as site:
        yield site


@pytest.fixture(scope="module")
def words(strange, tmp_path_factory):
    return ("--site", strange.url, "--rate", 0, "--archive", tmp_path_factory.mktemp("command") / "archive")


@pytest.fixture(scope="module")
def command(words):
    """The result of the command on the strange site; its archive has the findings."""
    return run_process(*words, "probe")


@pytest.mark.edge
def test_command_prints_differences_and_a_poll_archives_every_article(strange, words, command):
    assert command.code == 5
    table = command.out.partition("\n\n")[0].splitlines()
    assert {line.split("  ")[2].strip() for line in table if line.startswith("DIFFERS")} >= {
        "menu",
        "home feed",
        "news sitemap",
    }
    assert vna(*words, "poll").code == 0
    recent = {i for i in strange.fake_site.ids() if i > 260_000}
    held = {r["id"] for r in rows(words[-1], "SELECT id FROM articles")}
    assert recent <= held


@pytest.mark.edge
@pytest.mark.usefixtures("command")
def test_last_findings_are_printed_without_requests(strange, words):
    before = strange.fake_site.state()["requests"]
    outcome = vna(*words, "probe", "--last", "--json")
    assert outcome.code == 0
    printed = json.loads(outcome.out)
    assert set(printed) == {"probe", "probed_at", "requests", "findings", "config", "seeds"}
    assert {f["verdict"] for f in printed["findings"]} == {"confirmed", "differs", "unknown"}
    assert "DIFFERS    menu" in vna(*words, "probe", "--last").out
    assert strange.fake_site.state()["requests"] == before


def test_printing_the_last_findings_fails_without_a_probe(tmp_path, clock):
    with working(tmp_path, clock):
        pass
    outcome = vna("--archive", tmp_path, "probe", "--last")
    assert outcome.code == 1
    assert "no probe is stored" in outcome.err


def test_real_site_is_not_probed_without_a_contact(tmp_path):
    """The command fails before the first request, even if the site is reachable."""
    outcome = vna("--archive", tmp_path / "archive", "probe", env={"VNA_CONFIG": str(_config(tmp_path, ""))})
    assert outcome.code == 1
    assert not (tmp_path / "archive").exists()


def test_probe_that_ends_early_prints_its_findings(words, tmp_path, strange):
    strange.fake_site.fault("throttle", "/sitemap.xml", seconds=900)
    outcome = vna(*words[:4], "--archive", tmp_path / "archive", "probe")
    strange.fake_site.clear()
    assert outcome.code == 1
    assert "DIFFERS    menu" in outcome.out
    assert "hint:" in outcome.err


def test_probe_without_findings_prints_nothing(words, tmp_path, strange):
    strange.fake_site.fault("throttle", "/robots.txt", seconds=900)
    outcome = vna(*words[:4], "--archive", tmp_path / "archive", "probe")
    strange.fake_site.clear()
    assert (outcome.code, outcome.out) == (1, "")


def _config(folder, text):
    file = folder / "crawler.toml"
    file.write_text(text, "utf-8")
    return file


def test_proposed_settings_are_valid_configuration(tmp_path):
    """The proposed settings of all findings form one valid configuration file."""
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


def test_findings_are_a_table_of_one_line_each_in_a_pipe(capsys):
    findings = (
        Finding("menu", "1", "sections such as politique and economie", "confirmed", "9 sections: politique, economie"),
        Finding("sitemap span", "1", "2010 to this month", "differs", "2018-9 to 2026-11", "set `[poll] since`"),
        Finding("month of 2010", "1", "lists its articles", "unknown", "no such month", "set `[poll] since`"),
    )
    report = probing.ProbeReport(findings, {"requests": 3, "probed_at": "2026-11-23T03:00:00Z"})
    probing._print(report, as_json=False)
    table, advice, *_ = capsys.readouterr().out.split("\n\n")
    assert [line.split("  ")[0] for line in table.splitlines()] == ["verdict", "confirmed", "DIFFERS", "unknown"]
    assert advice.splitlines()[1:] == ["sitemap span, month of 2010  set `[poll] since`"]


def test_every_assumption_is_documented():
    text = (ROOT / "docs" / "first-contact.md").read_text("utf-8")
    explained = {
        name for line in text.splitlines() if line.startswith("| ") for name in line.split("|")[1].strip().split(" · ")
    }
    assert {a.name for a in probe.ASSUMPTIONS} <= explained


# --- single checks, on hand-made responses ----------------------------------------------------------------------------

HTML = (("Content-Type", "text/html;charset=utf-8"),)
AT = {"now": "/titre-post7.vnp", "again": "/titre-post7.vnp", "older address": "/titre/7.vnp", "wrong slug": "/autre-post7.vnp",
      "id far ahead": "/x-post107.vnp", "month": "/sitemaps/news-2026-11.xml", "home": "/", "feed": "/rss/home.rss",
      "section": "/politique/", "more": "/api/get-zone?page=2", "index": "/sitemap.xml", "feeds": "/rss.html"}  # fmt: skip
KEYS = {"now": "era:now", "month": "month:now", "api": "api:0", "photo": "media:photo", "2010": "era:2010"}


def reply(body=b"", status=200, headers=HTML, path="/x", hops=(), **changes):
    body = body.encode() if isinstance(body, str) else body
    return fetched(body, status=status, headers=headers, url=f"{SITE}{path}", hops=hops, **changes)


def evidence(rules="User-agent: *\nDisallow: /x/\n", status=200, delay=0.0, **answers):
    """Return evidence from a text or a response by key; None stands for a request without a response."""
    made = ProbeEvidence(Site(), MARKUPS, NOW)
    if rules is not None:
        made.rules[SITE] = Rules(status, rules, delay, (f"{SITE}/sitemap-news.xml",))
    for name, what in answers.items():
        path = AT.get(name, "/x")
        given = reply(what, path=path) if isinstance(what, str) else what
        if not isinstance(given, ProbeResponse):
            given = ProbeResponse(f"{SITE}{path}", given, "" if given else "no response")
        made.responses[KEYS.get(name, name)] = given
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
    return ProbeResponse(f"{SITE}{at}", reply(f"<sitemapindex>{listed}</sitemapindex>", path=at))


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
        ("robots.txt", {"rules": NO}, "unknown", "could not be fetched"),
        ("robots.txt", {"status": 404, "rules": ""}, "differs", "404"),
        ("robots.txt", {"feed": ProbeResponse(f"{SITE}/rss/a.rss?x=1", disallowed=True)}, "differs", "disallows /rss/a.rss?x=1"),
        ("Crawl-delay", {"rules": NO}, "unknown", "could not be fetched"),
        ("Crawl-delay", {"delay": 0.5}, "differs", "0.5 seconds"),
        ("Crawl-delay", {"delay": 9000}, "differs", "9000 seconds"),
        ("AI crawlers", {"rules": NO}, "unknown", "could not be fetched"),
        ("Sitemap line", {"rules": NO}, "unknown", "could not be fetched"),
        ("Sitemap line", {}, "differs", "names /sitemap-news.xml"),
        ("honest name", {}, "unknown", "no response"),
        ("honest name", {"home": REFUSED}, "differs", "1 x HTTP status 403"),
        ("honest name", {"now": WALL}, "differs", "1 block page"),
        ("Content-Type", {"home": NO}, "unknown", "no response"),
        ("Content-Type", {"home": reply("x", headers=())}, "differs", "no Content-Type; not compressed"),
        ("Content-Type", {"home": reply("x", headers=(*HTML, ("Content-Length", "1")))}, "confirmed", "with Content-Length"),
        ("validators", {"now": NO}, "unknown", "no response"),
        ("304", {}, "unknown", "not asked"),
        ("304", {"now": "x"}, "unknown", "not asked"),
        ("304", {"now": "x", "conditional": NO}, "unknown", "no response"),
        ("304", {"now": "x", "conditional": ProbeResponse(error="no address")}, "confirmed", "no validators"),
        ("304", {"conditional": reply()}, "confirmed", "HTTP status 200"),
        ("caches, cookies", {"home": NO}, "unknown", "no response"),
        ("caches, cookies", {"home": reply("x", headers=(("Set-Cookie", "a=1"), ("Age", "9")))}, "differs", "Set-Cookie; Age: 9"),
        # sitemaps
        ("sitemap index", {}, "unknown", "not asked"),
        ("sitemap index", {"index": PLAIN}, "differs", "sitemap"),
        ("sitemap index", {"index": months("autres")}, "differs", "lists no month"),
        ("sitemap index", {"index": months("news-2026-1", at="/plan.xml")}, "differs", "at /plan.xml"),
        ("sitemap index", {"index": months("news-2026-01")}, "differs", "with a leading zero"),
        ("sitemap span", {"index": months("autres")}, "unknown", "lists no month"),
        ("sitemap span", {"index": months("news-2010-1", "news-2026-10")}, "differs", "the current month is missing"),
        ("sitemap span", {"index": months("news-2015-3", "news-2026-11")}, "differs", "2015-3 to 2026-11"),
        ("news sitemap", {}, "unknown", "not asked"),
        ("news sitemap", {"news": PLAIN}, "differs", "sitemap"),
        ("news sitemap", {"news": month()}, "differs", "lists no article"),
        ("news sitemap", {"news": month(*DAYS)}, "confirmed", "20 articles, undated"),
        ("articles a day", {"month": month(*DAYS)}, "differs", "5 on a typical day"),
        ("articles a day", {"month": month((1, ""))}, "unknown", "no complete day"),
        ("month's order", {"month": month(*DAYS[:2])}, "unknown", "too few"),
        ("month's order", {"month": month(*DAYS[::-1])}, "differs", "0%"),
        ("month's titles", {"month": month()}, "unknown", "no article in it"),
        ("month's titles", {"month": month(*DAYS, title="T")}, "differs", "20 of 20 articles with a title, not as"),
        ("month's titles", {"month": month(*DAYS, title="")}, "differs", "0 of 20"),
        ("month of 2010", {"month:2010": month()}, "differs", "no article in it"),
        ("month of 2010", {"month:2010": reply("x", 404)}, "differs", "HTTP status 404"),
        ("lastmod", {"now": story(), "month": month((8, "2026-11-20T11:00:00+07:00"))}, "unknown", "no fetched article"),
        ("lastmod", {"now": story(), "month": month((7, "2026-11-20T11:00:00+07:00"))}, "unknown", "no fetched article"),
        ("lastmod", {"now": story(meta=LATER.replace("T11", "T08")), "month": month((7, "2026-11-20"))}, "unknown", "no"),
        ("lastmod", {"now": story(meta=LATER), "month": month((7, "2026-11-20T08:00:00+07:00"))}, "differs", "publication"),
        ("lastmod", {"now": story(meta=LATER), "month": month((7, "2026-11-21T08:00:00+07:00"))}, "differs", "neither"),
        # home page, sections, feeds
        ("menu", {"home": NO}, "unknown", "no response"),
        ("menu", {"home": PLAIN}, "differs", "no link to a section"),
        ("zone ids", {"home": NO}, "unknown", "no response"),
        ("home page", {"home": NO}, "unknown", "no response"),
        ("home page", {"home": PLAIN}, "differs", "lists no article"),
        ("home page", {"home": LIST + '<a href="/autre/8.vnp">A</a>'}, "differs", "2 articles, 1 as"),
        ("home page", {"home": LIST + '<a href="/le-post-covid/8.vnp">A</a>'}, "differs", "2 articles, 1 as"),
        ("load-more", {"section": f"{LIST}<button data-page='2' data-zone='4'>"}, "differs", "without data-type, data-size"),
        ("further pages", {"section": LIST, "more": LIST}, "differs", "same articles"),
        ("further pages", {"section": LIST, "more": "<p>"}, "differs", "no article"),
        ("feed links", {"home": NO}, "unknown", "no response"),
        ("home feed", {"feed": feed(extra=SELF)}, "differs", "/rss/sport.rss"),
        ("home feed", {"feed": PLAIN}, "differs", "expected a feed"),
        ("home feed", {"feed": '<rss version="2.0"><channel></channel></rss>'}, "differs", "no item of this site"),
        ("feed size", {"feed": PLAIN}, "unknown", "it is not a feed"),
        ("feed items", {"feed": PLAIN}, "unknown", "it is not a feed"),
        ("feed items", {"feed": feed(guid="/autre")}, "differs", "guid is not the address"),
        ("feed items", {"feed": feed(date="20/11/2026 08:00")}, "differs", "20/11/2026"),
        ("feed items", {"feed": feed().replace("pubDate", "date")}, "differs", "no pubDate"),
        ("list of feeds", {"feeds": NO}, "unknown", "no response"),
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
        ("older address", {"now": story(), "older address": story(post_id=9)}, "differs", "200, the article 9"),
        ("older address", {"now": story(), "older address": NO}, "unknown", "no response"),
        ("wrong slug", {"now": story(), "wrong slug": WALL}, "differs", "a block page"),
        ("id far ahead", {"id far ahead": story(post_id=107)}, "differs", "an article that no list names"),
        ("id far ahead", {"id far ahead": story(post_id=8)}, "differs", "HTTP status 200"),
        ("id far ahead", {"id far ahead": NO}, "unknown", "no response"),
        ("photo story", {"photo": DRIFT}, "differs", "layout drift"),
        ("photo story", {"photo": WALL}, "differs", "a block page"),
        ("photo story", {"photo": story(PICTURE, kind="")}, "differs", "infographic, 0 paragraphs, 1 picture"),
        ("photo story", {"photo": story()}, "confirmed", "article, 1 paragraph, 0 pictures"),
        # list API
        ("list API", {"api": api({"contents": []})}, "confirmed", SITE),
        ("list API items", {"api": api({"contents": []})}, "differs", "without content_id"),
        ("list API items", {"api": api({"contents": []}, error_code="0")}, "differs", "without content_id"),
        ("list API items", {"api": api({"contents": ["x"]})}, "differs", "1 items; date is NoneType"),
        ("list API pages", {"zone list": api({"contents": [1] * 60, "load_more": True})}, "differs", "60 items"),
        ("list API pages", {"zone list": api({"articles": "", "hasMoreContent": False})}, "confirmed", "an HTML list"),
        ("list API pages", {"zone list": api({"contents": [], "load_more": 1})}, "differs", "more: 1"),
        ("list API pages", {"zone list": "<html>"}, "unknown", "not JSON in a known form"),
        ("list API pages", {"zone list": api([])}, "unknown", "not JSON in a known form"),
        ("list API pages", {"zone list": api({}, error_code=3)}, "unknown", "not JSON in a known form"),
    ],
)  # fmt: skip
def test_check(name, given, verdict, seen):
    check = next(a.check for a in probe.ASSUMPTIONS if a.name == name)
    result = check(evidence(**given))
    assert (result.verdict, seen in result.seen) == (verdict, True), result
    assert bool(result.advice) >= (verdict == "differs")


@pytest.mark.parametrize(
    ("name", "given", "adopt"),
    [
        ("Crawl-delay", {"delay": 9000}, {"politeness": {"rate": 0.000111}}),
        (
            "robots.txt",
            {"feed": ProbeResponse(f"{SITE}/rss/a.rss?x=1", disallowed=True)},
            {"poll": {"exclude": ["/rss/a.rss"]}},
        ),
        ("home feed", {"feed": PLAIN}, {"poll": {"exclude": ["/rss/home.rss"]}}),
        ("list API", {"api": api({"contents": []})}, {"poll": {"list_api": True, "api_hosts": [f"{SITE}/"]}}),
        ("list API", {"api": api({"contents": []}), "rules": "User-agent: *\nDisallow: /Api/"}, {}),
    ],
)
def test_check_proposes_settings(name, given, adopt, tmp_path):
    check = next(a.check for a in probe.ASSUMPTIONS if a.name == name)
    result = check(evidence(**given))
    assert result.adopt == adopt
    config.load(_config(tmp_path, probe.snippet(result.adopt)))


def test_refused_article_is_a_failure():
    assert evidence(now=REFUSED).article("era:now") is None
    assert evidence(now=REFUSED).failure("era:now") == "HTTP status 403 at /x"


@pytest.mark.parametrize(
    ("at", "older", "wrong_slug"),
    [
        ("/titre-post7.vnp?from=home", "/titre/7.vnp", "/autre-titre-post7.vnp"),
        ("/titre/7.vnp", "/titre/7.vnp", "/autre-titre-post7.vnp"),
        ("/", None, None),
        ("/politique/", None, None),
        ("/topic/titre-7.vnp", None, None),
    ],
)
def test_variants_of_an_address_are_requested_only_for_an_article(at, older, wrong_slug):
    found = evidence(now=reply("x", path=at))
    address = {q.key: q.address for q in questions.QUESTIONS}
    expected = [path and f"{SITE}{path}" for path in (older, wrong_slug)]
    assert [address["older address"](found), address["wrong slug"](found)] == expected


@pytest.mark.parametrize(
    ("ids", "unlisted"),
    [((), None), ((5,), None), ((5, 6, 7), None), ((5, 7), 6), ((9, 1, 3, 5, 6), 4), ((1, 9, 20), 10)],
)
def test_the_unlisted_id_is_near_the_middle(ids, unlisted):
    assert questions.unlisted_id([Sighting("", post_id) for post_id in ids]) == unlisted


def test_progress_and_table_name_an_invented_address_alike():
    names = {assumption.name for assumption in ASSUMPTIONS}
    invented = {"older address", "wrong slug", "id far ahead", "unlisted id"}
    assert invented <= names
    assert invented <= {question.key for question in questions.QUESTIONS}
