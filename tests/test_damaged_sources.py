"""Damaged feeds and sitemaps, and sources that only section pages name, from the poll to the rebuilt database."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support import SITE, mounted, poll, rows, value, vna, working
from test_backfill import advance_all, backfilling, open_plan
from test_discover import read
from test_rebuild import assert_rebuilt_equal, small_site

from crawler import discover, schedule
from crawler.discover.problems import ProblemKind as Kind
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import SECTIONS, Options
from crawler.types import ErrorKind, SourceForPoll, SourceFound, SourceRow

FEED, MONTH = "/rss/home.rss", "/sitemaps/news-2026-11.xml"
OPTIONS = Options(era=3, sections=SECTIONS[:2], section_size=5)


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def poll_due_sources(archive, clock, *, ignore_due=False):
    with working(archive, clock) as run, recorded(run, "poll"):
        poll_sources(run, ignore_due=ignore_due)


def source(archive, path):
    (row,) = rows(archive, "SELECT * FROM sources WHERE url = ?", f"{SITE}{path}")
    return row


def edits(**changes):
    """Return an `edit` of the mounted site: `changes` maps the last part of a path to a function of the body."""

    def edit(request, response):
        change = changes.get(request.path.strip("/").rpartition("/")[2].partition(".")[0].replace("-", "_"))
        if change is None or response.status != 200:
            return response
        headers = tuple((k, v) for k, v in response.headers if k != "Content-Encoding")
        return replace(response, headers=headers, body=change(response.decoded))

    return edit


def with_all_oddities(body):
    """Damage a feed: a message before it, an entity, an unbound prefix, a doubtful time, and no end."""
    body = body.replace(b"<item>", b"<item><media:title>M</media:title>", 1).replace(b"+0700", b"XYZ", 1)
    return b"<br />Warning\n<!DOCTYPE rss [<!ENTITY a 'b'>]>" + body[: body.rindex(b"<item>")]


def test_damaged_sources_are_read_noted_and_rebuilt(archive, clock):
    with small_site(clock) as site:
        site.edit = edits(home=with_all_oddities, news_2026_11=lambda body: body[:-20])
        poll(archive, clock)
        clock.advance(hours=8)
        poll(archive, clock, everything=True)
    feed, month = source(archive, FEED), source(archive, MONTH)
    assert (feed["state"], feed["error_kind"], month["state"], month["error_kind"]) == (
        "ok",
        "damaged",
        "ok",
        "damaged",
    )
    assert feed["items"] > 0
    assert "the file is damaged: " in feed["error"]
    assert month["error"] == "the file is damaged: it is cut off"
    shown = json.loads(vna("--archive", archive, "status", "--json").out)["sources"]
    assert {s["error"] for s in shown if s["url"] == f"{SITE}{MONTH}"} == {month["error"]}
    assert "it is cut off" in " ".join(vna("--archive", archive, "status").out.split())
    assert_rebuilt_equal(archive, clock)


def test_a_damaged_source_without_entries_is_failing(archive, clock):
    with mounted(clock, articles=20, options=OPTIONS) as site:
        site.edit = edits(news_2026_11=lambda body: body[: body.index(b"<loc>") + 12])
        poll_due_sources(archive, clock)
    row = source(archive, MONTH)
    assert (row["state"], row["error_kind"]) == ("failing", "unreadable")
    assert row["error"].endswith("the file is damaged: it is cut off")


def test_the_note_stays_while_the_source_is_unchanged(archive, clock):
    """A 304 says that the damaged file is still the same. A repaired file ends the note."""
    with mounted(clock, articles=20, options=OPTIONS) as site:
        etag = ("ETag", '"1"')

        def cut_or_unmodified(request, response):
            if request.path != FEED:
                return response
            if any(name.lower() == "if-none-match" for name in request.headers):
                return replace(response, status=304, body=b"", headers=(etag,))
            changed = edits(home=lambda body: body[:-20])(request, response)
            return replace(changed, headers=(*changed.headers, etag))

        site.edit = cut_or_unmodified
        poll_due_sources(archive, clock)
        noted = source(archive, FEED)
        clock.advance(hours=1)
        poll_due_sources(archive, clock, ignore_due=True)
        row = source(archive, FEED)
        assert value(archive, "SELECT count(*) FROM fetches WHERE status = 304") == 1
        assert row["last_checked_at"] > noted["last_checked_at"]
        assert (row["error"], row["error_kind"]) == (noted["error"], "damaged")
        site.edit = None
        clock.advance(days=2)
        poll_due_sources(archive, clock)
    assert (source(archive, FEED)["error"], source(archive, FEED)["error_kind"]) == (None, None)


def test_an_empty_and_damaged_list_names_both(archive, clock):
    with mounted(clock, articles=20, options=OPTIONS) as site:
        poll_due_sources(archive, clock)
        site.edit = edits(
            home=lambda body: body[: body.index(b"<item>")] + b"<item><title>T</title></item></channel></rss>"
        )
        clock.advance(hours=7)
        poll_due_sources(archive, clock)
    assert source(archive, FEED)["error"].startswith("lists no article; it has listed up to")
    assert source(archive, FEED)["error"].endswith("entries without a usable link: 1 (first: 'T')")


@pytest.mark.parametrize(("cut", "state"), [(True, "damaged"), (False, None)])
def test_a_backfill_notes_a_damaged_month(archive, clock, cut, state):
    """The step keeps the note, so that a later run of the same backfill reads the sitemap again."""
    with mounted(clock, articles=20, options=OPTIONS) as site:
        site.edit = edits(news_2026_11=lambda body: body[:-20] if cut else body)
        with backfilling(archive, clock) as run:
            open_plan(run)
            advance_all(run, limit=60)
    assert value(archive, "SELECT error_kind FROM plan_steps WHERE target = ?", f"{SITE}{MONTH}") == state
    assert value(archive, "SELECT count(*) FROM articles") > 0


# --- sources that only a section page names ---------------------------------------------------------------------------

ROOT = "https://fr.vietnamplus.vn"
STORY = '<a href="/a-post1.vnp">A</a>'
PAGE = """<html><head><link rel="alternate" type="application/rss+xml" href="/rss/parti.rss" title="Parti">
<link rel="home alternate" type="application/feed+json" href="/feed.json"><link rel="alternate" type="text/html" href="/x/">
<link rel="alternate" type="application/atom+xml" href="/b-post2.vnp"></head><body>
<div class="breadcrumb"><a href="/">Accueil</a><a href="/politique">Politique</a><a href="/politique/parti/">Parti</a></div>
<ul class="sub-menu"><li><a href="/politique/assemblee/?ref=menu">Assemblée</a><a href="/politique/page/2/">2</a>
<a href="/politique/trang-3/">3</a><a href="https://en.vietnamplus.vn/politics/">English</a><a href="/c-post3.vnp">C</a></ul>
<a href="/contact/">Contact</a>""" + STORY  # fmt: skip
FOUND = {"/politique/parti/", "/politique/assemblee/?ref=menu", "/rss/parti.rss", "/feed.json"}


def test_a_section_page_names_sections_and_feeds():
    found = read("section", PAGE, f"{ROOT}/politique/")
    assert {s.url.removeprefix(ROOT) for s in found.sources} == FOUND
    assert read("section", PAGE, f"{ROOT}/api/get-zone?page=2").sources == ()


def test_one_page_names_a_limited_number_of_sources():
    links = "".join(f'<a href="/section-{number}/">x</a><a href="/rss/{number}.rss">x</a>' for number in range(1_000))
    for kind, url in (("home", f"{ROOT}/"), ("section", f"{ROOT}/politique/"), ("feed_index", f"{ROOT}/rss.html")):
        kinds = [s.kind for s in read(kind, f"<nav>{links}</nav>{STORY}", url).sources]
        assert (kinds.count("section") <= 100, kinds.count("feed")) == (True, 100)


def polled(kind, url):
    return SourceForPoll(url, kind, None, "ok", 0, None, None)


def row(path, kind="section", state="ok"):
    return SourceRow(f"{ROOT}{path}", kind, None, None, state, worked=True)


def found(path, kind="section"):
    return SourceFound(kind, f"{ROOT}{path}")


KNOWN = [row("/"), row("/politique/"), row("/ancien.vnp", state="failing"), row("/monde.vnp")]
ADDED = {
    "new": ("section", ["/nouveau/"], ["/nouveau/"]),
    "itself, for its zone": ("section", ["/politique/"], ["/politique/"]),
    "known, so that the name of the home page stays": ("section", ["/monde.vnp"], []),
    "known at another address": ("section", ["/monde/"], []),
    "failing at another address": ("section", ["/ancien/"], ["/ancien/"]),
    "twice": ("section", ["/nouveau/", "/nouveau"], ["/nouveau/"]),
    "known, named by the home page": ("home", ["/monde.vnp"], ["/monde.vnp"]),
    "another address, named by the home page": ("home", ["/monde/"], ["/monde/"]),
}


@pytest.mark.parametrize(("kind", "named", "expected"), ADDED.values(), ids=ADDED)
def test_which_sources_are_added(kind, named, expected):
    source = polled(kind, f"{ROOT}/politique/" if kind == "section" else f"{ROOT}/")
    wanted, left_out = schedule.sources_to_add(source, [found(path) for path in named], KNOWN)
    assert ([s.url.removeprefix(ROOT) for s in wanted], left_out) == (expected, [])


@pytest.mark.parametrize(("kind", "most"), [("section", 300), ("sitemap", 3_000)])
def test_the_number_of_sources_is_limited(kind, most):
    home = polled("home", f"{ROOT}/")
    known = [row(f"/{number}/", kind) for number in range(most - 1)]
    wanted, left_out = schedule.sources_to_add(home, [found(f"/x{number}/", kind) for number in range(3)], known)
    assert ([s.url for s in wanted], len(left_out)) == ([f"{ROOT}/x0/"], 2)
    assert schedule.sources_to_add(home, [found("/0/", kind)], [*known, row("/y/", kind)])[0] == [found("/0/", kind)]


def test_sources_of_a_section_page_are_polled_and_rebuilt(archive, clock):
    with small_site(clock) as site:
        extra = PAGE.partition("<body>")[2].removesuffix(STORY).encode()
        site.edit = edits(politique=lambda body: body.replace(b"</header>", b"</header>" + extra))
        poll(archive, clock)
        polled_paths = {path for path in site.wire.paths if path in FOUND}
        clock.advance(hours=8)
        poll(archive, clock, everything=True)
    known = {row["url"].removeprefix(SITE) for row in rows(archive, "SELECT url FROM sources")}
    assert {"/politique/parti/", "/politique/assemblee/?ref=menu"} <= known & polled_paths
    assert not {"/politique/page/2/", "/politique/trang-3/", "/contact/"} & known
    assert_rebuilt_equal(archive, clock)


@pytest.mark.parametrize(
    ("path", "name", "form", "end"),
    [("/", "", '<a href="/piege-post{}.vnp">x</a>', b"</body>"), (FEED, "home", "<item><link>/piege-post{}.vnp</link></item>", b"</channel>")],
    ids=["home page", "feed"],
)  # fmt: skip
def test_a_list_of_too_many_articles_is_used_in_part(archive, clock, monkeypatch, path, name, form, end):
    monkeypatch.setattr(discover, "MAX_ARTICLES", 30)
    more = "".join(form.format(number) for number in range(1, 101)).encode()
    with mounted(clock, articles=20, options=OPTIONS) as site:
        site.edit = edits(**{name: lambda body: body.replace(end, more + end)})
        poll_due_sources(archive, clock)
    assert value(archive, "SELECT count(*) FROM sightings WHERE source = ?", SITE + path) == 30
    note = source(archive, path)
    assert (note["state"], note["error_kind"]) == ("ok", ErrorKind.DAMAGED)
    assert Kind.MORE_ARTICLES.description in note["error"]
    assert_rebuilt_equal(archive, clock)


def test_a_hostile_section_page_cannot_fill_the_schedule(archive, clock, monkeypatch):
    monkeypatch.setattr(schedule.selection, "_MAX_OTHERS", 12)
    links = "".join(f'<a href="/piege-{number}/">x</a>' for number in range(500)).encode()
    with mounted(clock, articles=20, options=OPTIONS) as site:
        site.edit = edits(politique=lambda body: body.replace(b"</header>", b"<nav>" + links + b"</nav></header>"))
        poll_due_sources(archive, clock)
    assert value(archive, "SELECT count(*) FROM sources WHERE kind NOT LIKE '%sitemap%'") == 12
    note = source(archive, "/politique/")
    assert (note["state"], note["error_kind"]) == ("ok", ErrorKind.DAMAGED)
    assert Kind.MORE_SOURCES.description in note["error"]
