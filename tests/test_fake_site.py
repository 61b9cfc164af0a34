"""The fake site: article pages, URLs and stories."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from urllib.parse import urlsplit

import pytest
from fake_site_reader import (
    BASE,
    NOW,
    SEED_IDS,
    SEEDS,
    fake_site,
    get,
    page,
    page_of,
    read,
    tree,
    truth,
    without_related,
)

from crawler.parse import seedtext
from crawler.sim.site import Options
from crawler.sim.site.body import Noise, render
from crawler.sim.site.grammar import TemplateFiller, lines, word_lists
from crawler.sim.site.newsroom import topics
from crawler.sim.site.story import slugify
from crawler.sim.site.timeline import ANCHORS, id_at, seeded_rng, time_at
from crawler.types import ImageBlock, TextBlock

# --- article pages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("era", [1, 2, 3, None])
@pytest.mark.parametrize("seed", sorted(SEED_IDS))
def test_a_seed_reads_the_same_in_every_body_shape(seed, era):
    path = next(SEEDS.glob(f"{seed}_*.txt"))
    article = seedtext.read(path.read_text("utf-8"))
    reading = read(page_of(fake_site(0, Options(era=era)), SEED_IDS[seed]))
    assert reading["title"] == article.title
    assert reading["lead"] == article.lead
    assert reading["texts"] == list(article.paragraphs)
    assert [i[1:] for i in reading["images"]] == [(b.alt + b.joint, b.caption) for b in article.images]
    assert reading["related"] == [(r.title, r.summary, r.caption) for r in article.related]


def test_generated_stories_read_the_same_in_every_body_shape():
    options = {era: Options(era=era, history=60) for era in (None, 1, 2, 3)}
    sites = {era: fake_site(250, o) for era, o in options.items()}
    kinds = Counter()
    for post_id in sites[None].ids()[::4]:
        story = sites[None].story(post_id)
        kinds.update([story.kind, *(b.type for b in story.blocks if isinstance(b, TextBlock))])
        for era, site in sites.items():
            assert site.story(post_id).blocks == story.blocks
            assert without_related(read(page_of(site, post_id))) == truth(story), (era, post_id)
    assert set(kinds) >= {"article", "photo", "video", "infographic", "heading", "quote", "note", "list_item"}


def test_the_body_shapes_have_the_markup_of_the_dossier():
    html = {era: page_of(fake_site(0, Options(era=era)), SEED_IDS["004"]) for era in (1, 2, 3)}
    bodies = {era: tree(h).one("div", "article__body") for era, h in html.items()}
    assert not list(bodies[1].all("p"))
    assert bodies[1].one("div").attrs == {"align": "justify"}
    assert bodies[1].one("div", "article-photo").one("a").attrs["rel"] == "photoslide"
    assert bodies[2].one("table", "picture").one("td", "caption").one("p")
    assert not list(bodies[3].all("table"))
    assert "figure" in html[3]
    assert tree(html[3]).one("figure", "article__avatar")
    assert not tree(html[2]).one("figure", "article__avatar")


def test_source_lines_wrap_but_not_at_no_break_spaces():
    html = page_of(fake_site(0), SEED_IDS["004"])
    body = html.partition('itemprop="articleBody"')[2].partition('<div class="article__source">')[0]
    paragraphs = re.findall(r"<p>(.*?)</p>", body, re.DOTALL)
    assert max(len(line) for p in paragraphs for line in p.split("\n")) < 120
    assert any("\n" in p for p in paragraphs)
    assert "Le 12e\u00a0Dialogue" in read(html)["images"][1][2]


@pytest.mark.parametrize("era", [1, 2, 3])
def test_blocks_that_generated_stories_do_not_have(era):
    blocks = (TextBlock("table", "Année|Riz\n2024|9,0"), TextBlock("note", "À part"), ImageBlock("https://x/a.jpg"))
    story = replace(fake_site(0).story(SEED_IDS["000"]), blocks=blocks)
    html = render(story, era, Noise("0")).html
    rows = tree(html).one("table", "table-data").all("tr")
    assert [[cell.text for cell in row.all("td")] for row in rows] == [["Année", "Riz"], ["2024", "9,0"]]
    assert tree(html).one("div", "cms-note").one("p").text == "À part"
    assert "figcaption" not in html
    assert 'class="caption"' not in html


def test_older_texts_have_glued_words():
    site = fake_site(200, Options(history=200))
    shares = {}
    for old in (True, False):
        stories = [site.story(i) for i in site.ids() if (site.story(i).era < 3) is old]
        long_words = [bool(re.search(r"[a-zé]{17,}", " ".join(truth(s)["texts"]))) for s in stories]
        shares[old] = sum(long_words) / len(stories)
    assert shares[True] > 0.15
    assert shares[True] > 2.5 * shares[False]


def test_head():
    site = fake_site()
    story = next(site.story(i) for i in reversed(site.ids()) if site.story(i).lead)
    root = tree(page_of(site, story.post_id))
    metas = {m.attrs.get("property") or m.attrs.get("name"): m.attrs.get("content") for m in root.all("meta")}
    assert root.one("title").text == f"{story.title} | Vietnam+ (VietnamPlus)"
    assert metas["article:published_time"] == story.published.isoformat()
    assert metas["article:published_time"].endswith("+07:00")
    assert metas["article:section"] == story.section
    assert metas["og:type"] == "article"
    assert metas["description"] == story.lead
    assert next(n for n in root.all("link") if n.attrs["rel"] == "canonical").attrs["href"] == BASE + story.path
    stamp = root.one("time", "time").attrs
    assert stamp["datetime"].endswith("+0700")
    assert int(stamp["data-time"]) == story.published.timestamp()
    scripts = [s for s in root.all("script") if s.attrs.get("type") == "application/ld+json"]
    data = [json.loads("".join(s.children)) for s in scripts]
    assert [d["@type"] for d in data] == ["NewsArticle", "BreadcrumbList"]
    assert data[0]["datePublished"] == story.published.isoformat()
    assert data[1]["itemListElement"][1]["item"]["name"] == story.section


def test_a_page_is_as_large_as_a_real_one():
    site = fake_site(400)
    response = get(site, site.story(site.ids()[-1]).path)
    assert 95_000 < len(response.decoded) < 140_000
    assert 18_000 < len(response.body) < 35_000
    assert response.header("Content-Type") == "text/html;charset=utf-8"
    assert response.chunked
    assert {name for name, _ in response.headers} == {"Content-Type", "Content-Encoding"}


def test_two_fetches_differ_in_bytes_but_not_as_articles():
    site = fake_site()
    path = site.story(site.ids()[-30]).path
    first, second = page(site, path), page(site, path)
    assert first != second
    assert read(first) == read(second)


def test_voir_plus_shows_current_stories_except_under_seeds():
    site = fake_site()
    pinned, free = SEED_IDS["002"], site.ids()[-60]
    before = [read(page_of(site, i))["related"] for i in (pinned, free)]
    assert 3 <= len(before[1]) <= 10
    site.publish(40)
    after = [read(page_of(site, i))["related"] for i in (pinned, free)]
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert after[1] == [(r.title, r.summary, r.caption) for r in site.voir_plus(free)]


def test_every_voir_plus_link_leads_to_its_page():
    site = fake_site(0)
    for seed_id in SEED_IDS.values():
        for story in tree(page_of(site, seed_id)).one("div", "timeline").all("article"):
            link = story.one("h2").one("a").attrs["href"]
            assert link.startswith(BASE + "/")
            reading = read(page(site, link.removeprefix(BASE)))
            assert reading["title"] == story.one("h2").text
            assert reading["lead"] == story.one("div", "story__summary").text
            assert len(reading["texts"]) >= 4


def test_stories_without_text():
    site = fake_site(1500)
    stories = {site.story(i).kind: site.story(i) for i in site.ids()}
    assert 'id="player-wrapper-' in page_of(site, stories["video"].post_id)
    assert all(i.caption for i in stories["photo"].blocks)
    assert all(i.caption is None for i in stories["infographic"].blocks)
    assert not any(read(page_of(site, stories[k].post_id))["texts"] for k in ("video", "photo", "infographic"))


# --- URLs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "when", "slug"),
    [
        ("L'objectif d'un accord", "2025-01-01", "lobjectif-dun-accord"),
        ("Le leader du PCV attendu aux États-Unis", "2015-07-03", "le-leader-du-pcv-attendu-aux-etatsunis"),
        ("Vietnam et Cuba : l’amitié", "2026-01-01", "vietnam-et-cuba-lamitie"),
        ("Relations Vietnam-Cuba", "2023-08-08", "relations-vietnam-cuba"),
        ("ASEAN 2020: le 23e sommet ASEAN-Japon", "2020-11-01", "asean-2020-le-23e-sommet-aseanjapon"),
        ("SEA Games 31/Foot masculin", "2022-05-20", "sea-games-31foot-masculin"),
        ("COVID-19: le total s'établit à 877.537 cas", "2021-10-17", "covid19-le-total-setablit-a-877537-cas"),
        ("Ses vœux", "2013-01-01", "ses-vœux"),
        ("📝Édito: Le 14ᵉ Congrès – Đà Nẵng", "2026-01-01", "edito-le-14e-congres-da-nang"),
    ],
)
def test_slugs(title, when, slug):
    assert slugify(title, datetime.fromisoformat(f"{when}T00:00:00+07:00")) == slug


def test_both_url_forms_and_a_wrong_slug_return_the_article():
    site = fake_site()
    story = site.story(SEED_IDS["000"])
    older = f"/{story.slug}/{story.post_id}.vnp"  # dossier section 2
    pages = [story.path, older, f"/nimporte-quoi-post{story.post_id}.vnp", f"/x/{story.post_id}.vnp"]
    for path in pages:
        html = page(site, path)
        assert f'<link rel="canonical" href="{BASE}{story.path}">' in html
        assert read(html)["title"] == story.title


@pytest.mark.parametrize(("how", "status"), [(404, 404), (410, 410), ("soft", 200), ("home", 302)])
def test_an_unknown_id(how, status):
    response = get(fake_site(0, Options(not_found=how)), "/x-post999999.vnp")
    assert response.status == status
    if how == "home":
        assert response.header("Location") == f"{BASE}/"
    else:
        assert "introuvable" in response.decoded.decode()
        assert "article:published_time" not in response.decoded.decode()


def test_links_use_the_host_of_the_fake_site():
    site = fake_site(80, base="http://127.0.0.1:9/")
    for path in ("/", "/politique/", site.story(site.ids()[-1]).path):
        hosts = {urlsplit(a.attrs["href"]).netloc for a in tree(page(site, path)).all("a")}
        assert hosts <= {"127.0.0.1:9", ""}, path


# --- stories ------------------------------------------------------------------------------------------------------------


def test_ids_follow_the_anchors():
    for post_id, day in ANCHORS:
        moment = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)
        assert abs(id_at(moment) - post_id) <= 1
        assert abs(time_at(post_id) - moment) < timedelta(minutes=1)
    assert 270_000 < id_at(NOW) < 275_000


def test_publication_hours_follow_the_agency():
    site = fake_site(3000, now=lambda: NOW)
    stories = [site.story(i) for i in site.ids()[-3000:]]
    whole_days = sorted(Counter(s.published.date() for s in stories).items())[1:-1]
    assert 42 < sum(n for _, n in whole_days) / len(whole_days) < 48
    assert not [s for s in stories if s.published.hour < 5]
    assert max(s.published for s in stories) <= NOW
    by_time = sorted(stories, key=lambda s: s.published)
    assert [s.post_id for s in by_time] == sorted(s.post_id for s in stories)


def test_stories_depend_on_the_seed_number_only():
    one, same, other = fake_site(60), fake_site(60), fake_site(60, seed=1)
    assert [one.story(i) for i in one.ids()] == [same.story(i) for i in same.ids()]
    assert [other.story(i).title for i in other.ids()] != [one.story(i).title for i in one.ids()]
    one_hour_later = fake_site(60, now=lambda: NOW + timedelta(hours=1))
    assert len(set(one.ids()) & set(one_hour_later.ids())) > 85


def test_stories_are_not_near_duplicates():
    site = fake_site(400)
    texts = [" ".join(truth(site.story(i))["texts"]) for i in site.ids()[-400:]]
    shingles = [set(zip(w, w[1:], w[2:], w[3:], strict=False)) for w in (t.lower().split() for t in texts if t)]
    worst = max(len(a & b) / len(a | b) for a, b in combinations(shingles, 2))
    assert worst < 0.55
    titles = Counter(site.story(i).title for i in site.ids())
    assert len(titles) > 0.95 * len(site.ids())


def test_no_template_is_left_unfilled():
    for section, found in topics().items():
        assert found[-1].name == "*", section
        for topic in found:
            for template in (t for group in topic.templates.values() for t in group):
                text = TemplateFiller(seeded_rng("check", template), word_lists()).fill(template)
                assert not re.search(r"[{}<>|#~]|\b[Dd]e le\b|\bà le\b", text), (template, text)
    assert lines("topics.txt")


def test_history_covers_all_eras():
    site = fake_site(0, Options(history=300))
    eras = Counter(site.story(i).era for i in site.ids())
    assert min(eras[1], eras[2]) > 60
    assert site.story(site.ids()[0]).published.year == 2010
    assert "news-2011-3.xml" in page(site, "/sitemap.xml")
