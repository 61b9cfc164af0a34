"""Feeds, sitemaps and lists: what each oddity of the dossier gives, what is refused, and what never breaks a reader."""

from __future__ import annotations

import gzip
import html
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discover import discover
from crawler.errors import UnreadableSource
from crawler.site import FRENCH, Site
from crawler.types import Sighting, SourceForPoll, SourceFound

ROOT = "https://fr.vietnamplus.vn"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
HANOI = timezone(timedelta(hours=7))


def read(kind, body, url=f"{ROOT}/", site=FRENCH):
    body = body if isinstance(body, bytes) else body.encode()
    return discover(SourceForPoll(url, kind, None, "ok", 0, None, None), body, url, site, NOW)


def ids(discovery):
    return [seen.post_id for seen in discovery.sightings]


def titles(discovery):
    return {seen.post_id: seen.title for seen in discovery.sightings}


# --- feeds ------------------------------------------------------------------------------------------------------------


def rss(*items, head='<?xml version="1.0" encoding="utf-8"?>'):
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'{head}<rss version="2.0"><channel><title>x</title>{body}</channel></rss>'


def link(path):
    return f"<link>{ROOT}{path}</link>"


def test_an_item_of_a_feed():
    item = (
        f"<title><![CDATA[Le riz &amp; l'eau]]></title>{link('/a-post1.vnp?utm=rss')}"
        "<description>&lt;p&gt;Un &lt;b&gt;lead&lt;/b&gt;&lt;/p&gt;</description>"
        "<pubDate>Wed, 30 Apr 2025 10:00:00 +0700</pubDate>"
    )
    (seen,) = read("feed", rss(item)).sightings
    assert seen == Sighting(
        f"{ROOT}/a-post1.vnp", 1, "Le riz & l'eau", "Un lead", datetime(2025, 4, 30, 3, tzinfo=UTC), None, 0
    )


FEEDS = {
    "order is kept": (rss(link("/b-post2.vnp"), link("/a-post1.vnp")), [2, 1]),
    "an article twice, in both forms": (rss(link("/a-post1.vnp"), link("/a/1.vnp")), [1]),
    "other pages are passed over": (rss(link("/politique/"), link("/topic/x-107.vnp"), link("/a-post1.vnp")), [1]),
    "other hosts are passed over": (
        rss("<link>https://en.vietnamplus.vn/a-post9.vnp</link>", link("/a-post1.vnp")),
        [1],
    ),
    "mobile host": (rss("<link>https://m.fr.vietnamplus.vn/a-post1.vnp</link>"), [1]),
    "relative address": (rss("<link>/a-post1.vnp</link>"), [1]),
    "only the guid is an article": (rss(f"<link>{ROOT}/r?x</link><guid>{ROOT}/a-post1.vnp</guid>"), [1]),
    "item without any link": (rss("<title>x</title>", link("/a-post1.vnp")), [1]),
    "byte order mark and blank lines before it": ("\ufeff\n \n" + rss(link("/a-post1.vnp"), head=""), [1]),
    "no items": (rss(), []),
    "Atom": (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><link href="{ROOT}/a-post1.vnp"/></entry></feed>',
        [1],
    ),
}


@pytest.mark.parametrize(("body", "expected"), FEEDS.values(), ids=FEEDS)
def test_feed(body, expected):
    assert ids(read("feed", body, f"{ROOT}/rss/home.rss")) == expected


def test_an_item_without_title_and_time():
    (seen,) = read("feed", rss(link("/a-post1.vnp"))).sightings
    assert (seen.title, seen.summary, seen.published_at) == (None, None, None)


def test_a_feed_in_utf_16_is_refused():
    with pytest.raises(UnreadableSource):
        read("feed", rss(link("/a-post1.vnp")).encode("utf-16"))


NO_FEEDS = {
    "empty": b"",
    "a dozen bytes": b"RssList.html",
    "an HTML page": b"<!doctype html><html><body>404</body></html>",
    "an address": b"https://fr.vietnamplus.vn/rss",
    "a feed behind other text": b"x" + rss(link("/a-post1.vnp"), head="").encode(),
    "text that mentions one": b"this is no <rss",
    "JSON": b'{"rss": 1}',
    "the mark lies too deep": b"<x>" + b" " * 3000 + b"<rss>",
    "cut before its items": b"<rss",
}


@pytest.mark.parametrize("body", NO_FEEDS.values(), ids=NO_FEEDS)
def test_no_feed(body):
    with pytest.raises(UnreadableSource) as caught:
        read("feed", body, f"{ROOT}/rss.html")
    assert caught.value.url == f"{ROOT}/rss.html"


# --- sitemaps ---------------------------------------------------------------------------------------------------------

NAMESPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" '
    'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
)


def urlset(*entries):
    return f"<?xml version='1.0'?><urlset {NAMESPACES}>" + "".join(f"<url>{e}</url>" for e in entries) + "</urlset>"


def loc(path):
    return f"<loc>{ROOT}{path}</loc>"


def test_an_entry_of_a_month():
    entry = f"{loc('/a-post1.vnp')}<lastmod>2025-04-29T14:30:44+07:00</lastmod><image:image><image:title>Titre</image:title></image:image>"
    (seen,) = read("sitemap", urlset(entry)).sightings
    modified = datetime(2025, 4, 29, 14, 30, 44, tzinfo=HANOI)
    assert seen == Sighting(f"{ROOT}/a-post1.vnp", 1, "Titre", None, None, modified, 0)


def test_an_entry_of_the_news_sitemap():
    entry = (
        f"{loc('/a-post1.vnp')}<news:news><news:publication><news:name>V</news:name></news:publication>"
        "<news:publication_date>2025-04-29T14:30:44+07:00</news:publication_date>"
        "<news:title><![CDATA[Titre & co]]></news:title></news:news>"
    )
    (seen,) = read("news_sitemap", urlset(entry)).sightings
    assert seen.title == "Titre & co"
    assert seen.published_at == datetime(2025, 4, 29, 14, 30, 44, tzinfo=HANOI)
    assert seen.modified_at is None


SITEMAPS = {
    "chronological: order is kept": (urlset(loc("/a-post1.vnp"), loc("/b-post2.vnp")), {1: None, 2: None}),
    "escaped CDATA for a title": (
        urlset(loc("/a-post1.vnp") + "<image:title>&lt;![CDATA[ Le  titre ]]&gt;</image:title>"),
        {1: "Le titre"},
    ),
    "padded address": (urlset(f"<loc>\n  {ROOT}/a-post1.vnp  \n</loc>"), {1: None}),
    "ampersand in an address": (urlset(loc("/a-post1.vnp?x=1&amp;y=2")), {1: None}),
    "no namespace": (f"<urlset><url>{loc('/a-post1.vnp')}</url></urlset>", {1: None}),
    "an entry without address": (urlset("<lastmod>2025-01-01</lastmod>", loc("/a-post1.vnp")), {1: None}),
    "other pages are passed over": (urlset(loc("/politique/"), loc("/a-post1.vnp")), {1: None}),
    "empty title": (urlset(loc("/a-post1.vnp") + "<image:title> </image:title>"), {1: None}),
    "empty CDATA": (urlset(loc("/a-post1.vnp") + "<image:title>&lt;![CDATA[]]&gt;</image:title>"), {1: None}),
    "an empty month": (urlset(), {}),
    "the title of a repeated entry": (
        urlset(loc("/a-post1.vnp"), loc("/a/1.vnp") + "<image:title>T</image:title>", loc("/a-post1.vnp") + "<image:title>U</image:title>"),
        {1: "T"},
    ),
    "gzip without a header that says so": (gzip.compress(urlset(loc("/a-post1.vnp")).encode()), {1: None}),
    "a comment between entries": (f"<urlset><!-- x --><url>{loc('/a-post1.vnp')}</url></urlset>", {1: None}),
    "blank lines before it": (b"\n\n" + urlset(loc("/a-post1.vnp")).encode(), {1: None}),
    "UTF-16": (urlset(loc("/a-post1.vnp")).encode("utf-16"), {1: None}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), SITEMAPS.values(), ids=SITEMAPS)
def test_sitemap(body, expected):
    assert titles(read("sitemap", body)) == expected


def test_a_repeated_entry_keeps_the_first_address_and_date():
    entries = (loc("/a/1.vnp") + "<lastmod>2025-01-01</lastmod>", loc("/a-post1.vnp") + "<image:title>T</image:title>")
    (seen,) = read("sitemap", urlset(*entries)).sightings
    assert (seen.url, seen.title, seen.position) == (f"{ROOT}/a/1.vnp", "T", 0)
    assert seen.modified_at == datetime(2025, 1, 1, tzinfo=HANOI)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
NO_SITEMAPS = {
    "empty": b"",
    "HTML": b"<!doctype html><html><body><p>404</body></html>",
    "well-formed HTML": b"<html><body/></html>",
    "a feed": rss().encode(),
    "cut": urlset(loc("/a-post1.vnp")).encode()[:-20],
    "damaged gzip": b"\x1f\x8b" + b"x" * 40,
    "cut gzip": gzip.compress(urlset(loc("/a-post1.vnp")).encode())[:-12],
    "gzip without its last bytes": gzip.compress(urlset(loc("/a-post1.vnp")).encode())[:-4],
    "an entity bomb": BOMB.encode(),
    "a charset that is none": b'<?xml version="1.0" encoding="klingon"?><urlset/>',
}


@pytest.mark.parametrize("kind", ["sitemap", "news_sitemap"])
@pytest.mark.parametrize("body", NO_SITEMAPS.values(), ids=NO_SITEMAPS)
def test_no_sitemap(body, kind):
    with pytest.raises(UnreadableSource):
        read(kind, body)


@pytest.mark.parametrize("body", [v for k, v in NO_SITEMAPS.items() if k not in {"well-formed HTML", "a feed"}])
def test_no_index(body):
    with pytest.raises(UnreadableSource):
        read("sitemap_index", body)


def index(*addresses):
    return "<sitemapindex>" + "".join(f"<sitemap><loc>{a}</loc></sitemap>" for a in addresses) + "</sitemapindex>"


INDEXES = {
    "month without leading zero": ("/sitemaps/news-2025-4.xml", ("sitemap", (2025, 4))),
    "month with leading zero": ("/sitemaps/news-2025-04.xml", ("sitemap", (2025, 4))),
    "December": ("/sitemaps/news-2025-12.xml", ("sitemap", (2025, 12))),
    "year and month in one": ("/sitemap_202504.xml.gz", ("sitemap", (2025, 4))),
    "another separator": ("/sitemaps/2025_4.xml", ("sitemap", (2025, 4))),
    "the news sitemap": ("/sitemaps/google-news.xml", ("news_sitemap", None)),
    "a news sitemap of another name": ("/sitemap-news.xml", ("news_sitemap", None)),
    "categories": ("/sitemaps/categories.xml", None),
    "topics": ("/sitemaps/topics.xml", None),
    "a thirteenth month": ("/sitemaps/news-2025-13.xml", None),
    "another century": ("/sitemaps/news-1925-4.xml", None),
}


@pytest.mark.parametrize(("path", "expected"), INDEXES.values(), ids=INDEXES)
def test_index(path, expected):
    found = read("sitemap_index", index(f"{ROOT}{path}"))
    assert found.sightings == ()
    sources = () if expected is None else (SourceFound(expected[0], f"{ROOT}{path}", when=expected[1]),)
    assert found.sources == sources


def test_an_index_names_only_sources_of_this_site():
    found = read(
        "sitemap_index",
        index("https://en.vietnamplus.vn/sitemaps/news-2025-4.xml", "mailto:x", "", f"{ROOT}/news-2025-5.xml"),
    )
    assert [source.url for source in found.sources] == [f"{ROOT}/news-2025-5.xml"]


def test_an_index_that_is_a_list_of_articles_is_read_as_one():
    assert ids(read("sitemap_index", urlset(loc("/a-post1.vnp")))) == [1]


# --- home -------------------------------------------------------------------------------------------------------------

HOME = """<!doctype html><html><head>
<link rel="alternate" type="application/rss+xml" title="Accueil" href="/rss/home.rss">
<link rel="alternate" type="application/atom+xml" href="/atom.xml">
<link rel="alternate" type="application/rss+xml" href="https://en.vietnamplus.vn/rss/home.rss">
<link rel="alternate" hreflang="en" href="https://en.vietnamplus.vn/">
</head><body>
<nav><a href="/politique/">Politique</a><a href="/politique/#haut">encore</a><a href="/economie/"> </a>
<a href="https://en.vietnamplus.vn/politics/">English</a><a href="/">Accueil</a><a href="javascript:void(0)">x</a>
<a href="/c-post3.vnp">Un article au menu</a></nav>
<a href="/a-post1.vnp"><img src="x.jpg" alt="x"></a><h2><a href="/a-post1.vnp"> Premier
 titre </a></h2><a title="Second titre" href="b/2.vnp"><img src="y.jpg"></a>
<footer><a href="/contact/">Contact</a></footer></body></html>"""


def test_home_names_stories_in_order_sections_and_feeds():
    found = read("home", HOME)
    assert titles(found) == {3: "Un article au menu", 1: "Premier titre", 2: "Second titre"}
    assert ids(found) == [3, 1, 2]
    assert found.sources == (
        SourceFound("section", f"{ROOT}/politique/", "Politique"),
        SourceFound("section", f"{ROOT}/economie/", None),
        SourceFound("feed", f"{ROOT}/rss/home.rss", "Accueil"),
        SourceFound("feed", f"{ROOT}/atom.xml", None),
    )
    assert found.more is None


def test_home_of_a_double_names_the_double():
    double = Site("http://127.0.0.1:8123/")
    found = read("home", '<nav><a href="/politique/">P</a></nav><a href="/a-post1.vnp">A</a>', double.root, double)
    assert found.sightings[0].url == "http://127.0.0.1:8123/a-post1.vnp"
    assert found.sources[0].url == "http://127.0.0.1:8123/politique/"


@pytest.mark.parametrize(
    "body", ["<p>maintenance", '<nav><a href="/politique/">P</a></nav>', '<a href="/a-post1.vnp">A</a>']
)
def test_home_must_name_a_story_or_a_section(body):
    if "href" in body:
        assert read("home", body)
    else:
        with pytest.raises(UnreadableSource):
            read("home", body)


# --- sections ---------------------------------------------------------------------------------------------------------

STORY = '<a href="/a-post1.vnp">A</a>'
API = f"{ROOT}/api/get-zone"
CONTROLS = {
    "none": ("", None),
    "whole": (
        '<a data-page="2" data-zone="5" data-type="zone" data-size="20" data-layout="x y">Voir plus</a>',
        f"{API}?page=2&zone=5&type=zone&size=20&layout=x+y",
    ),
    "what is missing has its usual value": ('<a data-page="3" data-zone="5"></a>', f"{API}?page=3&zone=5&type=zone&size=30&layout="),
    "a page that is no number": ('<a data-page="next" data-zone="5"></a>', f"{API}?page=2&zone=5&type=zone&size=30&layout="),
    "without a zone": ('<a data-page="2"></a>', None),
}  # fmt: skip


@pytest.mark.parametrize(("control", "expected"), CONTROLS.values(), ids=CONTROLS)
def test_the_next_page_of_a_section(control, expected):
    found = read("section", STORY + control, f"{ROOT}/politique/")
    assert ids(found) == [1]
    assert found.more == expected


FOLLOWING = {
    "next": ("page=2&zone=5&layout=", "page=3&zone=5&layout="),
    "page is no number": ("page=x&zone=5", "page=2&zone=5"),
    "no page": ("zone=5", "zone=5&page=2"),
    "a value twice": ("page=2&page=7", "page=3"),
    "a number beyond reason": ("page=12345678", "page=2"),
}


@pytest.mark.parametrize(("query", "expected"), FOLLOWING.values(), ids=FOLLOWING)
def test_the_fragment_after_a_fragment(query, expected):
    assert read("section", STORY, f"{API}?{query}").more == f"{API}?{expected}"


def test_an_empty_fragment_is_the_end():
    found = read("section", "", f"{API}?page=9&zone=5")
    assert found.sightings == ()
    assert found.more is None


def test_a_section_page_without_an_article_is_a_fault():
    with pytest.raises(UnreadableSource):
        read("section", "<html><body><a href='/politique/'>x</a></body></html>", f"{ROOT}/politique/")


def test_a_page_in_another_charset():
    body = '<meta charset="utf-16"><a href="/a-post1.vnp">Été</a>'.encode()
    assert titles(read("section", body, f"{ROOT}/politique/")) == {1: "Été"}


# --- nothing breaks a reader ------------------------------------------------------------------------------------------

GOOD = [
    rss(f"<title>T</title>{link('/a-post1.vnp')}<pubDate>Wed, 30 Apr 2025 10:00:00 +0700</pubDate>").encode(),
    FEEDS["Atom"][0].encode(),
    urlset(loc("/a-post1.vnp") + "<lastmod>2025-04-29T14:30:44+07:00</lastmod><image:title>T</image:title>").encode(),
    gzip.compress(urlset(loc("/a-post1.vnp")).encode(), mtime=0),
    index(f"{ROOT}/sitemaps/news-2025-4.xml").encode(),
    (HOME + CONTROLS["whole"][0]).encode(),
]
SPLINTERS = [
    b"&", b"<", b">", b'"', b"&#0;", b"&#x110000;", b"<![CDATA[", b"]]>", b"\x00", b"https://[", b"&eacute;", b"<?x?>",
    b"<!-- ", b"-->", b'<!DOCTYPE x [<!ENTITY a "b">]>', b"utf-16", b"99999999999999999999", "é".encode(), b"\xff\xfe",
]  # fmt: skip


@st.composite
def damaged(draw):
    body = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        cut = draw(st.sampled_from([0, 0, 1, 9, len(body)]))
        body[at : at + cut] = draw(st.sampled_from([*SPLINTERS, b""]) | st.binary(max_size=4))
    return bytes(body)


@settings(max_examples=700, deadline=None)
@given(
    damaged() | st.binary(max_size=80) | st.text(max_size=40).map(str.encode),
    st.sampled_from(["home", "section", "feed", "news_sitemap", "sitemap", "sitemap_index"]),
    st.sampled_from([f"{ROOT}/", f"{API}?page=2&zone=5", f"{API}?page=%FF"]),
)
def test_bytes_are_read_or_refused(body, kind, url):
    try:
        found = read(kind, body, url)
    except UnreadableSource:
        return
    assert all(seen.post_id and FRENCH.owns(seen.url) for seen in found.sightings)
    assert len(set(ids(found))) == len(found.sightings)
    assert all(FRENCH.owns(source.url) for source in found.sources)


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_title_survives_a_sitemap(title):
    if any(not (c.isprintable() or c in " \n\t") for c in title):
        return
    entry = f"{loc('/a-post1.vnp')}<image:title>{html.escape(title)}</image:title>"
    (seen,) = read("sitemap", urlset(entry)).sightings
    assert "".join((seen.title or "").split()) in "".join(title.split())
