"""First contact: `vna probe` looks up the seeds, compares them, and learns a layout if theirs is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pytest
from support import MARKUPS, ROOT, SITE, assert_intact, mounted, poll, rows, value, vna, working
from test_rebuild import assert_rebuilt_equal

from crawler import app
from crawler.daemon import healing
from crawler.heal import layout_file
from crawler.heal.healing import Healing
from crawler.markup import ArticleSelectors, Markup
from crawler.pipeline.probe import run_probe
from crawler.probe import ProbeEvidence, ProbeResponse, seeds
from crawler.sim.site import Options, SiteRequest, build, designs
from crawler.sim.site.story import SECTIONS
from crawler.site import Site
from crawler.types import Article, Fetched, TextBlock

SEEDS = app.seeds()
SMALL = Options(no_api=True, no_feed=True, sections=SECTIONS[:1], home_size=8, section_size=8)
AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


def probed(archive, clock):
    """Return the findings about the seeds, and the number of requests."""
    with working(archive, clock, command="probe") as run:
        findings = run_probe(run, lambda _: None, SEEDS)
        return {f.name: f for f in findings if f.name.startswith(("seed", "learned"))}, run.report.requests


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def test_the_seeds_are_found_and_equal(archive, clock):
    with mounted(clock, articles=2, options=SMALL) as site:
        found, _ = probed(archive, clock)
    assert list(found) == [f"seed {name}" for name in SEEDS]
    assert {f.verdict for f in found.values()} == {"confirmed"}
    assert "title equal; lead equal; text equal; captions equal" in found["seed 000"].seen
    assert sum("/sitemaps/news-20" in str(r.url) for r in site.wire.requests) <= 6
    assert not any("/search" in str(r.url) for r in site.wire.requests)


def test_an_edited_seed_is_named_with_the_field(archive, clock):
    with mounted(clock, articles=2, options=SMALL) as site:
        number = next(i for i in site.fake_site.ids() if site.fake_site.story(i).title == SEEDS["002"].title)
        site.fake_site.revise(number, text="Un alinéa de plus.")
        found, _ = probed(archive, clock)
    assert found["seed 002"].verdict == "differs"
    assert "title equal; lead equal; text differs (" in found["seed 002"].seen
    assert "is read as `Un alinéa de plus.`" in found["seed 002"].seen


@pytest.mark.parametrize("kind", ["elements"])
def test_a_site_in_an_unknown_layout_is_archived_without_a_person(kind, archive, clock):
    with mounted(clock, articles=4, options=SMALL) as site:
        site.fake_site.redesign(kind, 3)
        before = len(site.wire.requests)
        found, requests = probed(archive, clock)
        assert requests == len(site.wire.requests) - before <= 35 + seeds.MOST_REQUESTS
        assert found["learned layout"].advice == "adopt it: run `vna heal --adopt`, then poll"
        assert "unknown layout; in the metadata: title equal; lead equal" in found["seed 003"].seen
        assert value(archive, "SELECT count(*) FROM articles") == 0
        with working(archive, clock, command="run") as run:  # the service knows the seeds, too
            assert "adopted (100.0% exact" in healing.work(run, adopting=True).outcome
            assert run.archive.drifted_pages() == []
        clock.advance(hours=1)
        report = poll(archive, clock, everything=True)
        assert (report.rejected, report.revised) == (0, 0)
        online = site.fake_site.ids()
        stories = {i: site.fake_site.story(i) for i in online}
    held = {r["id"]: r for r in rows(archive, "SELECT id, title, lead FROM articles")}
    assert sorted(held) == online
    assert all((held[i]["title"], held[i]["lead"]) == (s.title, s.lead) for i, s in stories.items())
    texts = {
        r["title"]: r["text"] for r in rows(archive, "SELECT title, text FROM articles WHERE published_at IS NOT NULL")
    }
    for seed in SEEDS.values():
        assert all(paragraph in texts[seed.title] for paragraph in seed.paragraphs)
    assert_intact(archive)
    assert_rebuilt_equal(archive, clock, numbers=False)


def without_body(_, response):
    """Return a page of which only the head is left."""
    start, end = response.decoded.find(b"<body"), response.decoded.find(b"</body>")
    if b'content="article"' not in response.decoded:
        return response
    headers = tuple((k, v) for k, v in response.headers if k != "Content-Encoding")
    return replace(response, headers=headers, body=response.decoded[:start] + b"<body>" + response.decoded[end:])


def test_pages_without_visible_text_teach_nothing(archive, clock):
    with mounted(clock, articles=2, options=SMALL) as site:
        site.edit = without_body
        found, _ = probed(archive, clock)
    assert "the known articles are not on their pages" in found["learned layout"].seen
    assert found["learned layout"].advice == "write a layout: docs/new-layout.md"


def test_a_seed_whose_page_fails_or_is_no_article(archive, clock):
    with mounted(clock, articles=2, options=SMALL) as site:
        paths = {s.title: s.path for s in map(site.fake_site.story, site.fake_site.ids())}
        site.fake_site.fault("error", paths[SEEDS["000"].title])
        site.fake_site.fault("block", paths[SEEDS["001"].title])
        found, _ = probed(archive, clock)
    assert (found["seed 000"].verdict, found["seed 001"].verdict) == ("unknown", "differs")
    assert "500" in found["seed 000"].seen
    assert "look at the page" in found["seed 001"].advice


def test_times_in_the_news_sitemap_show_where_pages_state_theirs(archive, clock):
    with mounted(clock, articles=4, options=SMALL) as site:
        site.fake_site.redesign("no-metadata", 3)
        found, _ = probed(archive, clock)
    assert found["learned layout"].advice == "adopt it: run `vna heal --adopt`, then poll"


def test_without_a_known_time_the_layout_is_only_proposed(archive, clock):
    with mounted(clock, articles=4, options=replace(SMALL, no_news_sitemap=True)) as site:
        site.fake_site.redesign("no-metadata", 3)
        found, _ = probed(archive, clock)
    assert found["learned layout"].advice.startswith("poll, so that more pages can be compared")
    result = vna("--archive", archive, "heal", "--adopt")
    assert result.code == 5
    assert "known articles are few (5), so at least four pages" in result.err
    assert "5 known articles, each verified with a layout learned from the others" in result.out


def test_a_site_without_the_seeds(archive, clock):
    with mounted(clock, articles=3, options=replace(SMALL, no_samples=True)) as site:
        site.fake_site.redesign("classes")
        found, _ = probed(archive, clock)
    assert {f.verdict for f in found.values()} == {"unknown"}
    assert {f.seen for f in found.values()} == {"no list that was read contains the seed"}
    lists = [str(r.url) for r in site.wire.requests if "/search.vnp?q=" in str(r.url)]
    assert 1 <= len(lists) <= seeds.MOST_REQUESTS - len(SEEDS)


def test_the_search_is_not_requested_against_robots_txt(archive, clock):
    options = replace(SMALL, no_samples=True, robots=("Disallow: /search",))
    with mounted(clock, articles=3, options=options) as site:
        probed(archive, clock)
    assert not any("/search" in str(r.url) for r in site.wire.requests)


# --- finding the seeds, and comparing them ----------------------------------------------------------------------------


def evidence(lists):
    """Return evidence of a probe with lists. `lists` maps the key of a response to its pairs of address and title."""
    found = ProbeEvidence(Site(f"{SITE}/"), (), AT)
    for key, entries in lists.items():
        items = "".join(
            f"<url><loc>{SITE}{path}</loc><news:news><news:title>{title}</news:title></news:news></url>"
            for path, title in entries
        )
        body = (
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
            f' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{items}</urlset>'
        ).encode()
        found.responses[key] = ProbeResponse(f"{SITE}/{key}.xml", response(f"{SITE}/{key}.xml", body))
    return found


def response(url, body):
    return Fetched(url, AT, 200, "OK", "1.1", (("Content-Type", "text/xml"),), body, body, "", ())


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/autre-post7.vnp", "PREMIER DIALOGUE Vietnam – France sur la strategie de securite et de defense"),
        ("/premier-dialogue-vietnamfrance-sur-la-strategie-de-securite-et-de-defense-post7.vnp", ""),
        ("/premier-dialogue-vietnam-france-sur-la-strategie-de-securite-et-de-defense/7.vnp", ""),
    ],
)
def test_a_seed_is_found_by_its_folded_title_or_by_the_slug(path, title):
    assert seeds.addresses(evidence({"month:2018": [(path, title)]}), SEEDS) == {"000": f"{SITE}{path}"}


def test_a_text_without_a_known_month_is_only_searched():
    assert seeds.next_list(evidence({}), {"x": SEEDS["000"]}).startswith(f"{SITE}/search.vnp?q=Premier%20dialogue")


SEED = Article("Titre", "Chapeau", tuple(TextBlock("paragraph", text) for text in ("Un.", "Deux.")))


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("title", {"title": " Titre\u00a0"}, None),
        ("text", {"blocks": (TextBlock("paragraph", "Un."), TextBlock("paragraph", "De ux."))}, None),
        ("lead", {"lead": None}, "not read"),
        ("title", {"title": "T" * 90}, f"differs (`Titre` is read as `{'T' * 57}…`)"),
        ("text", {"blocks": SEED.blocks[:1]}, "differs (`Deux.` is read as nothing)"),
        ("text", {"blocks": (*SEED.blocks, TextBlock("quote", "Trois."))}, "differs (nothing is read as `Trois.`)"),
    ],
)
def test_the_first_difference_of_a_field(name, changes, expected):
    assert seeds.field_difference(name, SEED, replace(SEED, **changes)) == expected


# --- the findings, without an archive ---------------------------------------------------------------------------------


@cache
def live_pages():
    """Return the address and the HTML of the page of each seed on the fake site."""
    site = build(SITE, seeds_dir=ROOT / "seeds", articles=3, now=lambda: AT, options=SMALL)
    stories = {story.title: story for story in map(site.story, site.ids())}
    paths = {name: stories[seed.title].path for name, seed in SEEDS.items()}
    return {name: (f"{SITE}{path}", site.respond(SiteRequest("GET", path)).decoded) for name, path in paths.items()}


def with_pages(edit=lambda _, html: html, status=200):
    """Return evidence with the pages of the seeds; `edit` changes the HTML of each."""
    found = ProbeEvidence(Site(f"{SITE}/"), MARKUPS, AT)
    for name, (url, html) in live_pages().items():
        body = edit(name, html)
        page = Fetched(url, AT, status, "", "1.1", (("Content-Type", "text/html"),), body, body, "", ())
        found.responses[seeds.page_key(name)] = ProbeResponse(url, page)
    return found


def redesigned(_, html):
    return designs.redesigned(html.decode(), designs.Design("classes", 1)).encode()


@pytest.mark.parametrize(
    ("found", "verdict", "seen", "advice"),
    [
        (with_pages, "confirmed", "title equal; lead equal; text equal; captions equal; ", ""),
        (
            lambda: with_pages(lambda _, html: html.replace(b"</h1>", b" !</h1>")),
            "differs",
            "title differs",
            "compare the page",
        ),
        (lambda: with_pages(redesigned), "differs", "unknown layout; in the metadata: title equal", "vna heal --adopt"),
        (lambda: with_pages(lambda *_: b"<html><body>Access denied</body></html>"), "differs", "…", "look at the page"),
        (lambda: with_pages(status=500), "unknown", "HTTP status 500", ""),
        (lambda: evidence({}), "unknown", "no list that was read contains the seed", ""),
    ],
    ids=["equal", "edited", "unknown layout", "no article", "status 500", "not listed"],
)
def test_each_seed_is_judged(found, verdict, seen, advice):
    findings = seeds.judge(found(), SEEDS)
    assert seeds.verdicts(findings) == {verdict: 5}
    assert seen in findings[0].seen
    assert advice in findings[0].advice


def test_further_articles_are_fetched_if_the_layout_is_unknown():
    listed = {"news": [("/nouveau-post9.vnp", "Nouveau")]}
    known, unknown = with_pages(), with_pages(redesigned)
    for one in (known, unknown):
        one.responses |= evidence(listed).responses
    assert seeds.next_article(known, SEEDS) is None
    assert seeds.next_article(unknown, SEEDS) == f"{SITE}/nouveau-post9.vnp"
    unknown.responses[seeds.further_key(f"{SITE}/nouveau-post9.vnp")] = ProbeResponse(f"{SITE}/nouveau-post9.vnp")
    assert seeds.next_article(unknown, SEEDS) is None


def test_the_likeliest_month_is_read_first_then_the_search_then_further_months():
    index = "".join(
        f"<sitemap><loc>{SITE}/sitemaps/news-{year}-{month}.xml</loc></sitemap>"
        for year, month in [(2018, 8), (2018, 9), (2018, 10), (2020, 1)]
    )
    body = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{index}</sitemapindex>'.encode()
    found, wanted = evidence({}), {"000": SEEDS["000"]}
    found.responses["index"] = ProbeResponse(f"{SITE}/sitemap.xml", response(f"{SITE}/sitemap.xml", body))
    asked = []
    while (url := seeds.next_list(found, wanted)) is not None:
        asked.append(url.partition("?")[0].rpartition("/")[2])
        found.responses[seeds.list_key(url)] = ProbeResponse(url)
    assert asked == ["news-2018-9.xml", "search.vnp", "news-2018-10.xml", "news-2018-8.xml"]


@pytest.mark.parametrize(("further", "advice"), [(0, "poll, so that"), (4, "adopt it")])
def test_a_learned_layout_is_a_finding_and_its_file_says_how_it_was_verified(further, advice):
    exact = dict.fromkeys(("title", "text", "published_at"), (5, 5))
    learned = Healing(
        Markup("learned-1", ArticleSelectors(("h1",), ("article",)), about="a test", valid_from=date(2026, 11, 22)), complete=5, verified=5, exact=exact, is_by_turns=True,
        further=further, proven=further, earliest=AT,
    )  # fmt: skip
    finding = seeds.learned("learned-1", learned, 0.98)
    assert finding.verdict == "differs"
    assert finding.advice.startswith(advice)
    assert f"5 known articles, 100% exact; {further} further pages" in finding.seen
    assert f"and from {further} pages of unknown articles" in layout_file.write(learned, learned.layout)
    assert seeds.not_learned("because").seen == "because"
