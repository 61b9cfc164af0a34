"""The fake site: lists, sitemaps, feeds, options."""

from __future__ import annotations

import gzip
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import timedelta

import pytest
from fake_site_reader import BASE, NOW, fake_site, get, page, titles, tree

from crawler.sim.site import SECTIONS, Options, Section

# --- lists --------------------------------------------------------------------------------------------------------------


def test_section_pages_end_with_an_empty_fragment():
    site = fake_site(500)
    html = page(site, "/economie/")
    control = tree(html).one("button").attrs
    assert {k: control[k] for k in control if k.startswith("data-")} == {
        "data-page": "2",
        "data-zone": "472",
        "data-type": "zone",
        "data-size": "30",
        "data-layout": "timeline",
    }
    assert any(li.attrs.get("data-id") == "472" for li in tree(html).one("ul", "menu").all("li"))
    found = titles(html)
    assert len(found) == 30
    for number in range(2, 100):
        more = titles(page(site, f"/api/get-zone?page={number}&zone=472&type=zone&size=30&layout=timeline"))
        if not more:
            break
        found += more
    expected = [site.story(i) for i in site.ids()]
    assert Counter(found) == Counter(s.title for s in expected if s.section == "Économie")
    assert get(site, f"/api/get-zone?page={number}&zone=472&size=30").body == b""


def test_home_and_search_and_topics():
    site = fake_site(200)
    newest = site.story(site.ids()[-1])
    assert newest.title in titles(page(site, "/"))
    assert '<link rel="alternate" type="application/rss+xml"' in page(site, "/")
    assert "Samedi 21/11/2026" in page(site, "/")
    assert titles(page(site, "/topic/dernieres-nouvelles-107.vnp"))[0] == newest.title
    assert titles(page(site, f"/search.vnp?q={newest.title.split()[0]}"))
    assert get(site, "/topic/rien-999.vnp").status == 404


@pytest.mark.parametrize("path", ["/api/morenews-zone-471-{}.html", "/api/morenews-topic-107-{}.html"])
def test_the_list_api_in_both_dialects(path):
    site, old = fake_site(300), fake_site(300, Options(dialect="articles"))
    ids, names = [], []
    for number in range(1, 100):
        answer = json.loads(page(site, path.format(number) + "?phrase=&page_size=50"))
        data = answer["data"]
        assert (answer["error_code"], answer["error_message"]) == (0, "")
        ids += [c["content_id"] for c in data["contents"]]
        data_old = json.loads(page(old, path.format(number) + "?page_size=50"))["data"]
        names += titles(data_old["articles"])
        assert data_old["hasMoreContent"] == data["load_more"]
        if not data["load_more"]:
            break
    stories = [site.story(i) for i in site.ids()]
    wanted = [s for s in stories if "topic" in path or s.section == "Politique"]
    assert sorted(ids) == sorted(s.post_id for s in wanted)
    assert Counter(names) == Counter(s.title for s in wanted)


def test_list_api_items_have_the_fields_of_the_sister_site():
    contents = json.loads(page(fake_site(100), "/api/morenews-topic-107-1.html"))["data"]["contents"]
    assert len(contents) == 40
    assert {len(c) for c in contents} == {23, 24}
    first = contents[0]
    assert first["url"].endswith(f"-post{first['content_id']}.vnp")
    assert first["url"].startswith("/")
    assert first["description"].startswith("<p>")
    assert isinstance(first["date"], int)


NS = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "image": "http://www.google.com/schemas/sitemap-image/1.1"}
NS["news"] = "http://www.google.com/schemas/sitemap-news/0.9"


def test_sitemaps_list_every_story_once():
    site = fake_site(300)
    index = ET.fromstring(page(site, "/sitemap.xml"))
    locs = [e.text.removeprefix(BASE) for e in index.findall("s:sitemap/s:loc", NS)]
    assert "/sitemaps/news-2023-3.xml" in locs
    assert "/sitemaps/news-2026-11.xml" in locs
    found = []
    for loc in locs:
        if "/news-" in loc:
            response = get(site, loc, {})
            assert response.header("Content-Encoding") == "gzip"
            found += ET.fromstring(gzip.decompress(response.body)).findall("s:url", NS)
    ids = [int(re.search(r"-post(\d+)\.vnp$", u.find("s:loc", NS).text)[1]) for u in found]
    assert sorted(ids) == sorted(site.ids())
    title = next(u for u in found if u.find(".//image:title", NS) is not None).find(".//image:title", NS).text
    assert re.fullmatch(r"<!\[CDATA\[.*\]\]>", title)


def test_the_current_month_has_a_sitemap_even_if_empty():
    site = fake_site(0)
    assert "/sitemaps/news-2026-11.xml" in page(site, "/sitemap.xml")
    assert not list(ET.fromstring(page(site, "/sitemaps/news-2026-11.xml")))
    assert get(site, "/sitemaps/news-2026-03.xml").status == 404


def test_news_sitemap_and_feeds():
    site = fake_site(300)
    raw = page(site, "/sitemaps/google-news.xml")
    news = ET.fromstring(raw).findall("s:url", NS)
    since = NOW - timedelta(days=2)
    recent = [site.story(i) for i in site.ids() if site.story(i).published >= since]
    assert [u.find(".//news:title", NS).text for u in news] == [s.title for s in reversed(recent)]
    assert "<news:title><![CDATA[" in raw
    feeds = [a.attrs["href"].removeprefix(BASE) for a in tree(page(site, "/rss.html")).one("ul", "rss-list").all("a")]
    assert feeds[0] == "/rss/home.rss"
    for feed in feeds:
        items = ET.fromstring(page(site, feed)).findall("channel/item")
        assert 5 <= len(items) <= 50
        assert all(i.find("pubDate").text.endswith("+0700") for i in items)
    first = ET.fromstring(page(site, "/rss/home.rss")).find("channel/item")
    assert first.find("title").text == site.story(site.ids()[-1]).title
    assert get(site, "/rss/nulle-part.rss").status == 404


def test_robots():
    text = page(fake_site(0), "/robots.txt")
    assert "Disallow: /Api/" in text
    assert f"Sitemap: {BASE}/sitemap.xml" in text


def test_stories_that_only_their_section_lists():
    site = fake_site(60, Options(only_in_section=5, section_size=100, no_samples=True))
    hidden = next(i for i in site.ids() if i % 5 == 0)
    section = next(s for s in SECTIONS if s.name == site.story(hidden).section)
    slug = section.slug
    lists = {
        path: page(site, path)
        for path in (
            "/",
            "/rss/home.rss",
            f"/rss/{slug}.rss",
            "/sitemaps/google-news.xml",
            "/sitemaps/news-2026-11.xml",
        )
    }
    assert "-post" in lists["/sitemaps/news-2026-11.xml"]
    assert [path for path, text in lists.items() if f"-post{hidden}." in text] == []
    assert f"-post{hidden}." in page(site, f"/{slug}/")
    neighbours = [i for i in site.ids() if site.story(i).section == section.name]
    newest = next(i for i in reversed(neighbours) if i % 5 == 0)
    assert any(site.story(newest).title == related.title for i in neighbours for related in site.voir_plus(i))


@pytest.mark.parametrize(
    ("options", "path", "status"),
    [
        (Options(no_feed=True), "/rss/home.rss", 404),
        (Options(no_news_sitemap=True), "/sitemaps/google-news.xml", 404),
        (Options(no_sitemap=True), "/sitemap.xml", 404),
        (Options(no_sitemap=True), "/sitemaps/news-2026-1.xml", 404),
        (Options(no_news_sitemap=True), "/sitemaps/news-2026-1.xml", 200),
    ],
)
def test_switched_off_endpoints(options, path, status):
    assert get(fake_site(0, options), path).status == status


def test_sections_can_be_renamed_and_sized():
    options = Options(sections=(Section("politique", "Politiques", "affaires", 9),), section_size=7, feed_size=3)
    site = fake_site(100, options)
    assert len(titles(page(site, "/affaires/"))) == 7
    assert get(site, "/politique/").status == 404
    assert len(ET.fromstring(page(site, "/rss/affaires.rss")).findall("channel/item")) == 3
    assert {site.story(i).section for i in site.ids()} == {"Politiques"}


def test_validators_are_an_option():
    site = fake_site(20, Options(validators=True))
    path = site.story(site.ids()[-1]).path
    first = get(site, path)
    tag, stamp = first.header("ETag"), first.header("Last-Modified")
    assert get(site, path, {"If-None-Match": tag}).status == 304
    assert get(site, path, {"If-Modified-Since": stamp}).status == 304
    assert get(site, path, {"If-None-Match": tag}).body == b""
    site.revise(site.ids()[-1])
    assert get(site, path, {"If-None-Match": tag}).status == 200
    feed = get(site, "/rss/home.rss").header("ETag")
    assert get(site, "/rss/home.rss", {"If-None-Match": feed}).status == 304
    assert get(fake_site(1), "/").header("ETag") is None
