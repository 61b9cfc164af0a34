"""Feeds, sitemaps and lists: the variants in the dossier, rejected responses, and robustness against damaged input."""

from __future__ import annotations

import gzip
import html
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discover import discover, found, related, sitemaps
from crawler.discover.problems import ProblemKind
from crawler.errors import SourceMoved, UnreadableSource, UnsafeSource
from crawler.site import FRENCH, Site
from crawler.types import Article, ErrorKind, Related, Sighting, SourceForPoll, SourceFound

ROOT = "https://fr.vietnamplus.vn"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
HANOI = timezone(timedelta(hours=7))


def read(kind, body, url=f"{ROOT}/", site=FRENCH):
    body = body if isinstance(body, bytes) else body.encode()
    return discover(SourceForPoll(url, kind, None, "ok", 0, None, None), body, url, site, NOW)


def ids(discovery):
    return [sighting.post_id for sighting in discovery.sightings]


def titles(discovery):
    return {sighting.post_id: sighting.title for sighting in discovery.sightings}


# --- feeds ------------------------------------------------------------------------------------------------------------


def rss(*items, head='<?xml version="1.0" encoding="utf-8"?>'):
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'{head}<rss version="2.0"><channel><title>x</title>{body}</channel></rss>'


def link(path):
    return f"<link>{ROOT}{path}</link>"


def test_feed_item():
    item = (
        f"<title><![CDATA[Le riz &amp; l'eau]]></title>{link('/a-post1.vnp?utm=rss')}"
        "<description>&lt;p&gt;Un &lt;b&gt;lead&lt;/b&gt;&lt;/p&gt;</description>"
        "<pubDate>Wed, 30 Apr 2025 10:00:00 +0700</pubDate>"
    )
    (sighting,) = read("feed", rss(item)).sightings
    assert sighting == Sighting(
        f"{ROOT}/a-post1.vnp?utm=rss", 1, "Le riz & l'eau", "Un lead", datetime(2025, 4, 30, 3, tzinfo=UTC), None, 0
    )


FEEDS = {
    "order is kept": (rss(link("/b-post2.vnp"), link("/a-post1.vnp")), [2, 1]),
    "article twice, in both URL forms": (rss(link("/a-post1.vnp"), link("/a/1.vnp")), [1]),
    "other pages are ignored": (rss(link("/politique/"), link("/topic/x-107.vnp"), link("/a-post1.vnp")), [1]),
    "other hosts are ignored": (
        rss("<link>https://en.vietnamplus.vn/a-post9.vnp</link>", link("/a-post1.vnp")),
        [1],
    ),
    "mobile host": (rss("<link>https://m.fr.vietnamplus.vn/a-post1.vnp</link>"), [1]),
    "relative URL": (rss("<link>/a-post1.vnp</link>"), [1]),
    "only the guid names an article": (rss(f"<link>{ROOT}/r?x</link><guid>{ROOT}/a-post1.vnp</guid>"), [1]),
    "item without any link": (rss("<title>x</title>", link("/a-post1.vnp")), [1]),
    "byte order mark and blank lines first": ("\ufeff\n \n" + rss(link("/a-post1.vnp"), head=""), [1]),
    "no items": (rss(), []),
    "Atom": (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><link href="{ROOT}/a-post1.vnp"/></entry></feed>',
        [1],
    ),
}


@pytest.mark.parametrize(("body", "expected"), FEEDS.values(), ids=FEEDS)
def test_feed(body, expected):
    assert ids(read("feed", body, f"{ROOT}/rss/home.rss")) == expected


def test_feed_item_without_title_and_time():
    (sighting,) = read("feed", rss(link("/a-post1.vnp"))).sightings
    assert (sighting.title, sighting.summary, sighting.published_at) == (None, None, None)


ENCODINGS = {
    "UTF-16 LE with byte order mark": lambda text: text.encode("utf-16"),
    "UTF-16 BE with byte order mark": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16 LE without byte order mark": lambda text: text.encode("utf-16-le"),
    "UTF-16 BE without byte order mark": lambda text: text.encode("utf-16-be"),
    "UTF-8 declared as UTF-16": str.encode,
    "UTF-8 with byte order mark declared as UTF-16": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "gzip without a header": lambda text: gzip.compress(text.encode("utf-16")),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_encodings_of_xml(encode):
    """A sister site's feed is in UTF-16 (dossier section 16); other servers declare UTF-16 but send UTF-8."""
    head = '<?xml version="1.0" encoding="utf-16"?>'
    feed = rss(f"<title>Đà Nẵng</title>{link('/a-post1.vnp')}", head=head)
    month = f"{head}<urlset><url>{loc('/a-post1.vnp')}<image-title/><title>Đà Nẵng</title></url></urlset>"
    assert titles(read("feed", encode(feed))) == {1: "Đà Nẵng"}
    assert titles(read("sitemap", encode(month))) == {1: "Đà Nẵng"}


FORBIDDEN = ["&#xD83D;", "&#xDE00;", "&#55357;", "&#0;", "&#x1;", "&#xFFFE;", "&#x110000;", "&#xD83D"]


@pytest.mark.parametrize("reference", FORBIDDEN)
def test_references_to_characters_that_xml_forbids(reference):
    """One such reference would make the whole feed unreadable."""
    feed = rss(
        f"<title>a{reference}</title>{link('/a-post1.vnp')}", f"<title>b&#233;&#x1F600;</title>{link('/b-post2.vnp')}"
    )
    month = (
        f"<urlset><url>{loc('/a-post1.vnp')}<title>a{reference}</title></url><url>{loc('/b-post2.vnp')}</url></urlset>"
    )
    found = titles(read("feed", feed.encode()))
    assert found[2] == "bé😀"
    assert found[1].startswith("a")
    assert not any("\ud800" <= character < "\ue000" for character in found[1])
    assert set(titles(read("sitemap", month.encode()))) == {1, 2}


SELF = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" {}/>'
SELF_LINKS = {
    "own URL": ('rel="self" href="https://fr.vietnamplus.vn/rss/sports.rss"', None),
    "own URL, relative, with the zone id": ("href='/rss/sports-475.rss' rel='self'", None),
    "another section": ('rel="self" href="/rss/home.rss"', "the feed names https://fr.vietnamplus.vn/rss/home.rss as its own URL"),
    "another site": ('rel="self" href="https://feeds.example.org/x.rss"', None),
    "no href": ('rel="self"', None),
    "another relation": ('rel="hub" href="/rss/home.rss"', None),
    "invalid URL": ('rel="self" href="https://["', None),
}  # fmt: skip


@pytest.mark.parametrize(("attributes", "doubt"), SELF_LINKS.values(), ids=SELF_LINKS)
def test_a_feed_that_names_another_url_is_doubted(attributes, doubt):
    """The site may send another feed than the requested one (dossier section 14). Its articles are real anyway."""
    body = rss(link("/a-post1.vnp")).replace("<channel>", f"<channel>{SELF.format(attributes)}")
    found = read("feed", body, f"{ROOT}/rss/sports.rss")
    assert (ids(found), found.doubt) == ([1], doubt)


def test_feed_index():
    page = (
        '<ul><li><a href="/rss/home.rss"> À la une </a><li><a href="/rss/sports-475.rss" title="Sports">RSS</a>'
        '<li><a href="/rss/home.rss">encore</a><li><a href="/rss/vide.rss"></a><li><a href="/politique/">Politique</a>'
        '<li><a href="https://en.vietnamplus.vn/rss/home.rss">English</a></ul><footer><a href="/rss.html">RSS</a>'
    )
    assert read("feed_index", page, f"{ROOT}/rss.html").sources == (
        SourceFound("feed", f"{ROOT}/rss/home.rss", "À la une"),
        SourceFound("feed", f"{ROOT}/rss/sports-475.rss", "Sports"),
        SourceFound("feed", f"{ROOT}/rss/vide.rss"),
        SourceFound("feed_index", f"{ROOT}/rss.html", "RSS"),
    )


@pytest.mark.parametrize("body", ["", "rss_list.html", "<html><body><a href='/politique/'>Politique</a></body></html>"])
def test_a_feed_index_without_feeds_is_rejected(body):
    with pytest.raises(UnreadableSource):
        read("feed_index", body, f"{ROOT}/rss.html")


NOT_FEEDS = {
    "empty": b"",
    "a few bytes": b"RssList.html",
    "HTML page": b"<!doctype html><html><body>404</body></html>",
    "URL": b"https://fr.vietnamplus.vn/rss",
    "text that mentions a feed": b"this is no <rss",
    "JSON": b'{"rss": 1}',
    "damaged gzip": b"\x1f\x8b" + b"x" * 40,
    "HTML in UTF-16": "<html></html>".encode("utf-16"),
    "root element too far down": b"<x>" + b" " * 3000 + b"<rss>",
    "truncated root element": b"<rss",
}


@pytest.mark.parametrize("body", NOT_FEEDS.values(), ids=NOT_FEEDS)
def test_responses_that_are_not_feeds_are_rejected(body):
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


def test_entry_of_a_monthly_sitemap():
    entry = f"{loc('/a-post1.vnp')}<lastmod>2025-04-29T14:30:44+07:00</lastmod><image:image><image:title>&lt;![CDATA[Titre]]&gt;</image:title></image:image>"
    (sighting,) = read("sitemap", urlset(entry)).sightings
    modified = datetime(2025, 4, 29, 14, 30, 44, tzinfo=HANOI)
    assert sighting == Sighting(f"{ROOT}/a-post1.vnp", 1, "Titre", None, None, modified, 0)


def test_entry_of_the_news_sitemap():
    entry = (
        f"{loc('/a-post1.vnp')}<news:news><news:publication><news:name>V</news:name></news:publication>"
        "<news:publication_date>2025-04-29T14:30:44+07:00</news:publication_date>"
        "<news:title><![CDATA[Titre & co]]></news:title></news:news>"
    )
    (sighting,) = read("news_sitemap", urlset(entry)).sightings
    assert sighting.title == "Titre & co"
    assert sighting.published_at == datetime(2025, 4, 29, 14, 30, 44, tzinfo=HANOI)
    assert sighting.modified_at is None


SITEMAPS = {
    "order is kept": (urlset(loc("/a-post1.vnp"), loc("/b-post2.vnp")), {1: None, 2: None}),
    "escaped CDATA title": (
        urlset(loc("/a-post1.vnp") + "<image:title>&lt;![CDATA[ Le  titre ]]&gt;</image:title>"),
        {1: "Le titre"},
    ),
    "URL with surrounding white space": (urlset(f"<loc>\n  {ROOT}/a-post1.vnp  \n</loc>"), {1: None}),
    "escaped ampersand in a URL": (urlset(loc("/a-post1.vnp?x=1&amp;y=2")), {1: None}),
    "no namespace": (f"<urlset><url>{loc('/a-post1.vnp')}</url></urlset>", {1: None}),
    "entry without URL": (urlset("<lastmod>2025-01-01</lastmod>", loc("/a-post1.vnp")), {1: None}),
    "other pages are ignored": (urlset(loc("/politique/"), loc("/a-post1.vnp")), {1: None}),
    "empty title": (urlset(loc("/a-post1.vnp") + "<image:title> </image:title>"), {1: None}),
    "empty CDATA": (urlset(loc("/a-post1.vnp") + "<image:title>&lt;![CDATA[]]&gt;</image:title>"), {1: None}),
    "empty month": (urlset(), {}),
    "repeated entry gets the first title": (
        urlset(loc("/a-post1.vnp"), loc("/a/1.vnp") + "<news:title>T</news:title>", loc("/a-post1.vnp") + "<news:title>U</news:title>"),
        {1: "T"},
    ),
    "gzip without a header": (gzip.compress(urlset(loc("/a-post1.vnp")).encode()), {1: None}),
    "comment between entries": (f"<urlset><!-- x --><url>{loc('/a-post1.vnp')}</url></urlset>", {1: None}),
    "leading blank lines": (b"\n\n" + urlset(loc("/a-post1.vnp")).encode(), {1: None}),
    "UTF-16": (urlset(loc("/a-post1.vnp")).encode("utf-16"), {1: None}),
    "unescaped ampersand": (
        urlset(f"{loc('/a-post1.vnp?x=1&y=2')}<title>A & B &amp; C &#233; &nada; D</title>"), {1: "A & B & C é &nada; D"}
    ),
    "HTML entity": (urlset(f"{loc('/a-post1.vnp')}<title>Caf&eacute; &LT;</title>"), {1: "Café &LT;"}),
    "unescaped ampersand and CDATA": (
        urlset(f"{loc('/a-post1.vnp')}<x>&</x><title><![CDATA[R&D &eacute;]]></title>", f"{loc('/b-post2.vnp')}<title>R&D</title>"),
        {1: "R&D &eacute;", 2: "R&D"},
    ),
}  # fmt: skip

LASTMODS = {
    "complete": ("2025-04-29T14:30:44+07:00", datetime(2025, 4, 29, 14, 30, 44, tzinfo=HANOI)),
    "date only": ("2025-04-29", datetime(2025, 4, 29, tzinfo=HANOI)),
    "offset without colon": ("2025-04-29T14:30:44+0700", datetime(2025, 4, 29, 14, 30, 44, tzinfo=HANOI)),
    "surrounding white space": (" 2025-04-29\n", datetime(2025, 4, 29, tzinfo=HANOI)),
    "not a time": ("hier", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("raw", "expected"), LASTMODS.values(), ids=LASTMODS)
def test_lastmod(raw, expected):
    (sighting,) = read("sitemap", urlset(f"{loc('/a-post1.vnp')}<lastmod>{raw}</lastmod>")).sightings
    assert sighting.modified_at == expected


@pytest.mark.parametrize(("body", "expected"), SITEMAPS.values(), ids=SITEMAPS)
def test_sitemap(body, expected):
    assert titles(read("sitemap", body)) == expected


def test_a_repeated_entry_keeps_the_first_url_and_date():
    entries = (loc("/a/1.vnp") + "<lastmod>2025-01-01</lastmod>", loc("/a-post1.vnp") + "<news:title>T</news:title>")
    (sighting,) = read("sitemap", urlset(*entries)).sightings
    assert (sighting.url, sighting.title, sighting.position) == (f"{ROOT}/a/1.vnp", "T", 0)
    assert sighting.modified_at == datetime(2025, 1, 1, tzinfo=HANOI)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
NOT_SITEMAPS = {
    "empty": b"",
    "HTML": b"<!doctype html><html><body><p>404</body></html>",
    "well-formed HTML": b"<html><body/></html>",
    "feed": rss().encode(),
    "truncated in its first URL": urlset(loc("/a-post1.vnp")).encode()[:-26],
    "damaged gzip": b"\x1f\x8b" + b"x" * 40,
    "entity bomb with an unescaped ampersand": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><urlset>&</urlset>',
    "entity bomb": BOMB.encode(),
    "unknown charset": b'<?xml version="1.0" encoding="klingon"?><urlset/>',
}


@pytest.mark.parametrize("kind", ["sitemap", "news_sitemap"])
@pytest.mark.parametrize("body", NOT_SITEMAPS.values(), ids=NOT_SITEMAPS)
def test_responses_that_are_not_sitemaps_are_rejected(body, kind):
    with pytest.raises(UnreadableSource):
        read(kind, body)


@pytest.mark.parametrize("body", [v for k, v in NOT_SITEMAPS.items() if k not in {"well-formed HTML", "feed"}])
def test_responses_that_are_not_an_index_are_rejected(body):
    with pytest.raises(UnreadableSource):
        read("sitemap_index", body)


def index(*addresses):
    return "<sitemapindex>" + "".join(f"<sitemap><loc>{a}</loc></sitemap>" for a in addresses) + "</sitemapindex>"


INDEXES = {
    "month without leading zero": ("/sitemaps/news-2025-4.xml", ("sitemap", (2025, 4))),
    "month with leading zero": ("/sitemaps/news-2025-04.xml", ("sitemap", (2025, 4))),
    "December": ("/sitemaps/news-2025-12.xml", ("sitemap", (2025, 12))),
    "year and month without separator": ("/sitemap_202504.xml.gz", ("sitemap", (2025, 4))),
    "another separator": ("/sitemaps/2025_4.xml", ("sitemap", (2025, 4))),
    "news sitemap": ("/sitemaps/google-news.xml", ("news_sitemap", None)),
    "news sitemap with another name": ("/sitemap-news.xml", ("news_sitemap", None)),
    "name without a month": ("/sitemap-articles-1.xml", ("sitemap", None)),
    "name with only a year": ("/sitemaps/news-2025.xml", ("sitemap", None)),
    "month 13": ("/sitemaps/news-2025-13.xml", ("sitemap", None)),
    "year before 2000": ("/sitemaps/news-1925-4.xml", ("sitemap", None)),
}


@pytest.mark.parametrize(("path", "expected"), INDEXES.values(), ids=INDEXES)
def test_index(path, expected):
    found = read("sitemap_index", index(f"{ROOT}{path}"))
    assert found.sightings == ()
    assert found.sources == (SourceFound(expected[0], f"{ROOT}{path}", when=expected[1]),)


@pytest.mark.parametrize("path", ["/sitemaps/categories.xml", "/sitemaps/topics.xml", "/sitemaps/tags.xml"])
def test_sitemaps_without_articles_are_ignored(path):
    found = read("sitemap_index", index(f"{ROOT}{path}", f"{ROOT}/sitemaps/news-2025-4.xml"))
    assert [source.url for source in found.sources] == [f"{ROOT}/sitemaps/news-2025-4.xml"]
    with pytest.raises(UnreadableSource):
        read("sitemap_index", index(f"{ROOT}{path}"))


def test_an_index_dates_the_last_change_of_a_sitemap():
    entry = f"<sitemap><loc>{ROOT}/sitemap-1.xml</loc><lastmod>2025-04-29</lastmod></sitemap>"
    (found,) = read("sitemap_index", f"<sitemapindex>{entry}</sitemapindex>").sources
    assert found.modified_at == datetime(2025, 4, 29, tzinfo=HANOI)


def test_sitemaps_of_other_sites_are_ignored():
    found = read(
        "sitemap_index",
        index("https://en.vietnamplus.vn/sitemaps/news-2025-4.xml", "mailto:x", "", f"{ROOT}/news-2025-5.xml"),
    )
    assert [source.url for source in found.sources] == [f"{ROOT}/news-2025-5.xml"]


def test_an_index_that_lists_articles_is_read_as_a_sitemap():
    assert ids(read("sitemap_index", urlset(loc("/a-post1.vnp")))) == [1]


def month_of(year, month):
    return SourceFound("sitemap", f"{ROOT}/sitemaps/news-{year}-{month}.xml", when=(year, month))


UNLISTED = {
    "no month listed": ([], NOW, [(2026, 11), (2026, 10)]),
    "both months listed": ([(2026, 11), (2026, 10)], NOW, []),
    "current month missing": ([(2026, 10), (2026, 9)], NOW, [(2026, 11)]),
    "next month in Hanoi": ([(2026, 11)], datetime(2026, 11, 30, 18, tzinfo=UTC), [(2026, 12)]),
    "January": ([], datetime(2026, 1, 5, tzinfo=UTC), [(2026, 1), (2025, 12)]),
}


@pytest.mark.parametrize(("listed_months", "now", "expected"), UNLISTED.values(), ids=UNLISTED)
def test_unlisted_recent(listed_months, now, expected):
    known = [SourceFound("sitemap", f"{ROOT}/{y}-{m:02}.xml", when=(y, m)) for y, m in listed_months]
    assert sitemaps.unlisted_recent(known, FRENCH, now) == tuple(month_of(*when) for when in expected)


OVER = {
    "this month": (month_of(2026, 11), False),
    "last month": (month_of(2026, 10), False),
    "the month before last": (month_of(2026, 9), True),
    "no month, changed recently": (SourceFound("sitemap", "x", modified_at=NOW - timedelta(days=30)), False),
    "no month, last changed 60 days ago": (SourceFound("sitemap", "x", modified_at=NOW - timedelta(days=60)), True),
    "old month with a recent change": (replace(month_of(2020, 1), modified_at=NOW), True),
    "no month and no change": (SourceFound("feed", "x"), False),
}


@pytest.mark.parametrize(("source", "expected"), OVER.values(), ids=OVER)
def test_is_over(source, expected):
    assert sitemaps.is_over(source, NOW) is expected


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: *\rSitemap: {}\rDisallow: /x",
        "\ufeffSitemap: {}",
        "Sitemap: <{}>",
        'sitemap:"{}" # all months',
        "Sitemap: fr.vietnamplus.vn/sitemap.xml",
    ],
)
def test_odd_lines_of_robots_txt(text):
    (found,) = sitemaps.named_by_robots(text.format(f"{ROOT}/sitemap.xml"), f"{ROOT}/robots.txt", FRENCH)
    assert (found.url, found.kind) == (f"{ROOT}/sitemap.xml", "sitemap_index")


def test_sitemaps_in_robots_txt():
    text = (
        "\ufeffUser-agent: *\r\nDisallow: /Api/\r\nSitemap: https://fr.vietnamplus.vn/sitemap.xml\r\n"
        "  SITEMAP :/sitemaps/google-news.xml # neu\n#Sitemap: /no.xml\nsitemap: /sitemaps/news-2026-3.xml\nSitemap:\n"
        "Sitemap: https://en.vietnamplus.vn/sitemap.xml\nSitemap: /un-autre.xml"
    )
    assert sitemaps.named_by_robots(text, f"{ROOT}/robots.txt", FRENCH) == (
        SourceFound("sitemap_index", f"{ROOT}/sitemap.xml"),
        SourceFound("news_sitemap", f"{ROOT}/sitemaps/google-news.xml"),
        month_of(2026, 3),
        SourceFound("sitemap_index", f"{ROOT}/un-autre.xml"),
    )


# --- home -------------------------------------------------------------------------------------------------------------

HOME = """<!doctype html><html><head>
<link rel="alternate" type="application/rss+xml" title="Accueil" href="/rss/home.rss">
<link rel="alternate" type="application/atom+xml" href="/atom.xml">
<link rel="alternate" type="application/rss+xml" href="https://en.vietnamplus.vn/rss/home.rss">
<link rel="alternate" hreflang="en" href="https://en.vietnamplus.vn/">
</head><body>
<nav><ul><li data-id="0"><a href="/">Accueil</a><li data-id="471"><a href="/politique/">Politique</a></ul>
<a href="/politique/#haut">encore</a><a href="/economie/" data-id="472"> </a><a href="/rss.html">RSS</a>
<a href="https://en.vietnamplus.vn/politics/">English</a><a href="/">Accueil</a><a href="javascript:void(0)">x</a>
<a href="/c-post3.vnp">Un article au menu</a></nav>
<a href="/a-post1.vnp"><img src="x.jpg" alt="x"></a><h2><a href="/a-post1.vnp"> Premier
 titre </a></h2><a title="Second titre" href="b/2.vnp"><img src="y.jpg"></a>
<footer><a href="/contact/">Contact</a></footer></body></html>"""


def test_home_returns_stories_in_order_sections_and_feeds():
    found = read("home", HOME)
    assert titles(found) == {3: "Un article au menu", 1: "Premier titre", 2: "Second titre"}
    assert [(sighting.post_id, sighting.position) for sighting in found.sightings] == [(3, 0), (1, 1), (2, 2)]
    assert found.sources == (
        SourceFound("section", f"{ROOT}/politique/", "Politique", zone="471"),
        SourceFound("section", f"{ROOT}/economie/", None, zone="472"),
        SourceFound("feed", f"{ROOT}/rss/home.rss", "Accueil"),
        SourceFound("feed", f"{ROOT}/atom.xml", None),
        SourceFound("feed_index", f"{ROOT}/rss.html", "RSS"),
    )
    assert found.more is None


def test_links_of_a_fake_site_stay_on_the_fake_site():
    fake_site = Site("http://127.0.0.1:8123/")
    body = '<nav><a href="/politique/">P</a></nav><a href="/a-post1.vnp">A</a>'
    found = read("home", body, fake_site.root, fake_site)
    assert found.sightings[0].url == "http://127.0.0.1:8123/a-post1.vnp"
    assert found.sources[0].url == "http://127.0.0.1:8123/politique/"


@pytest.mark.parametrize(
    "body", ["<p>maintenance", '<nav><a href="/politique/">P</a></nav>', '<a href="/a-post1.vnp">A</a>']
)
def test_home_must_have_a_story_or_a_section(body):
    if "href" in body:
        assert read("home", body)
    else:
        with pytest.raises(UnreadableSource):
            read("home", body)


# --- sections ---------------------------------------------------------------------------------------------------------

STORY = '<a href="/a-post1.vnp">A</a>'
API = f"{ROOT}/api/get-zone"
CONTROLS = {
    "no control": ("", None),
    "complete": (
        '<a data-page="2" data-zone="5" data-type="zone" data-size="20" data-layout="x y">Voir plus</a>',
        f"{API}?page=2&zone=5&type=zone&size=20&layout=x+y",
    ),
    "defaults for missing attributes": ('<a data-page="3" data-zone="5"></a>', f"{API}?page=3&zone=5&type=zone&size=30&layout="),
    "page that is not a number": ('<a data-page="next" data-zone="5"></a>', f"{API}?page=2&zone=5&type=zone&size=30&layout="),
    "without a zone": ('<a data-page="2"></a>', None),
}  # fmt: skip


@pytest.mark.parametrize(("control", "expected"), CONTROLS.values(), ids=CONTROLS)
def test_first_fragment_of_a_section(control, expected):
    found = read("section", STORY + control, f"{ROOT}/politique/")
    assert ids(found) == [1]
    assert found.more == expected


def test_a_section_page_reports_its_zone():
    """The load-more control has the zone id even if the menu has none. The source keeps its requested URL."""
    source = SourceForPoll(f"{ROOT}/politique", "section", None, "ok", 0, None, None)
    body = (STORY + CONTROLS["complete"][0]).encode()
    found = discover(source, body, f"{ROOT}/politique/", FRENCH, NOW, asked=f"{ROOT}/politique")
    assert found.sources == (SourceFound("section", f"{ROOT}/politique", zone="5"),)


CANONICALS = {
    "own URL": ("https://fr.vietnamplus.vn/politique/", None),
    "own URL in the older form": ("/politique.vnp", None),
    "another section": ("/sports/", "the page names https://fr.vietnamplus.vn/sports/ as its own URL"),
    "the home page": ("/", "the page names https://fr.vietnamplus.vn/ as its own URL"),
    "another site": ("https://en.vietnamplus.vn/politics/", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("canonical", "doubt"), CANONICALS.values(), ids=CANONICALS)
def test_a_section_page_that_names_another_url_is_doubted(canonical, doubt):
    body = f'<link rel="canonical" href="{canonical}">{STORY}{CONTROLS["complete"][0]}'
    found = read("section", body, f"{ROOT}/politique/")
    assert (ids(found), found.doubt, found.more is None) == ([1], doubt, doubt is not None)


REDIRECTS = {
    "final slash added": ("/politique", "/politique/", None),
    "older form": ("/politique/", "/politique.vnp", None),
    "to https": ("http://fr.vietnamplus.vn/politique/", "/politique/", None),
    "from the mobile host": ("https://m.fr.vietnamplus.vn/politique/", "/politique/", None),
    "to the home page": ("/politique/", "/", "/"),
    "to another section": ("/politique/", "/sports/", "/sports/"),
}


@pytest.mark.parametrize(("asked", "url", "moved"), REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirect_to_another_source_is_rejected(asked, url, moved):
    asked, url = (address if address.startswith("http") else ROOT + address for address in (asked, url))
    source = SourceForPoll(asked, "section", None, "ok", 0, None, None)
    if moved is None:
        assert ids(discover(source, STORY.encode(), url, FRENCH, NOW, asked=asked)) == [1]
        return
    with pytest.raises(SourceMoved) as caught:
        discover(source, STORY.encode(), url, FRENCH, NOW, asked=asked)
    assert caught.value.found == SourceFound("section", ROOT + moved)
    assert f"redirects to {ROOT}{moved}," in str(caught.value)


NEXT_FRAGMENTS = {
    "next page": ("page=2&zone=5&layout=", "page=3&zone=5&layout="),
    "page that is not a number": ("page=x&zone=5", "page=2&zone=5"),
    "no page": ("zone=5", "zone=5&page=2"),
    "repeated parameter": ("page=2&page=7", "page=3"),
    "page number too large": ("page=12345678", "page=2"),
}


@pytest.mark.parametrize(("query", "expected"), NEXT_FRAGMENTS.values(), ids=NEXT_FRAGMENTS)
def test_next_fragment(query, expected):
    assert read("section", STORY, f"{API}?{query}").more == f"{API}?{expected}"


def test_an_empty_fragment_is_the_end():
    found = read("section", "", f"{API}?page=9&zone=5")
    assert found.sightings == ()
    assert found.more is None


def test_a_section_page_without_articles_is_rejected():
    with pytest.raises(UnreadableSource):
        read("section", "<html><body><a href='/politique/'>x</a></body></html>", f"{ROOT}/politique/")


@pytest.mark.parametrize(
    ("kind", "url", "wrap"),
    [
        ("home", f"{ROOT}/", str),
        ("section", f"{ROOT}/politique/", str),
        ("section", f"{ROOT}/api/get-zone?page=2&zone=1", str),
        ("feed_index", f"{ROOT}/rss.html", str),
        ("list", f"{ROOT}/api/morenews-zone-1-1.html", lambda html: json.dumps({"data": {"articles": html}})),
    ],
)
def test_a_list_that_is_not_safe_to_parse_is_refused(kind, url, wrap):
    page = f'<a href="/a-post1.vnp">A</a><a href="/rss/x.rss">x</a>{"<div>" * 3_000}'
    assert read(kind, wrap(page).encode(), url)
    with pytest.raises(UnsafeSource) as caught:
        read(kind, wrap(page + "<div>" * 150_000).encode(), url)
    assert caught.value.kind is ErrorKind.UNSAFE_SOURCE


def test_a_page_in_another_charset():
    body = '<meta charset="utf-16"><a href="/a-post1.vnp">Été</a>'.encode()
    assert titles(read("section", body, f"{ROOT}/politique/")) == {1: "Été"}


# --- the list API -----------------------------------------------------------------------------------------------------

LIST = "https://fr-api.vietnamplus.vn/api/morenews-zone-471-{}.html?phrase=&page_size=40"
WITH_API = Site(api=("https://fr-api.vietnamplus.vn",))


def listed(*items, more: object = True, **envelope):
    return json.dumps({"data": {"contents": items, "load_more": more}, "error_code": 0, **envelope})


def read_list(body, page=1):
    return read("list", body, LIST.format(page), WITH_API)


def test_a_list_with_characters_and_numbers_that_cannot_be_stored():
    body = rb'{"data": {"contents": [{"title": "a\ud83d", "url": "/\ud83d-post1.vnp", "date": 1e999, "update_time": NaN}]}}'
    found = read_list(body)
    [seen] = found.sightings
    assert [problem.kind for problem in found.problems] == [ProblemKind.LOST_CHARACTERS, ProblemKind.DATES]
    assert (seen.title, seen.url, seen.published_at, seen.modified_at) == (
        "a\ufffd",
        f"{ROOT}/%EF%BF%BD-post1.vnp",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("around", "kind"),
    [
        ("<br />PHP Warning: x\n{}", ProblemKind.TEXT_BEFORE),
        ("answer({});", ProblemKind.TEXT_BEFORE),
        (")]}}',\n{}", ProblemKind.TEXT_BEFORE),
        ("{}\n<!-- 0.1 s -->", ProblemKind.TEXT_AFTER),
    ],
)
def test_a_list_with_other_content_around_it(around, kind):
    found = read_list(around.format(listed({"url": "/a-post1.vnp"})))
    assert (ids(found), [p.kind for p in found.problems]) == ([1], [kind])


@pytest.mark.parametrize("body", ["<html>{", "<style>a {} b {}</style>", "x", "{} {}"])
def test_other_text_with_braces_is_no_list(body):
    with pytest.raises(UnreadableSource, match="something else"):
        read_list(body)


@pytest.mark.parametrize(
    ("encoding", "title", "problems"),
    [
        ("utf-8", "Été à Huế", []),
        ("utf-16", "Été à Huế", []),
        ("latin-1", "\ufffdt\ufffd", [ProblemKind.LOST_CHARACTERS]),
        ("cp1252", "l\ufffd\ufffdt\ufffd", [ProblemKind.LOST_CHARACTERS]),
    ],
)
@pytest.mark.parametrize("older", [False, True])
def test_the_encoding_of_a_list(encoding, title, problems, older):
    sent = {"latin-1": "Été", "cp1252": "l’été"}.get(encoding, title)
    data = (
        {"articles": f"<a href='/a-post1.vnp'>{sent}</a>"}
        if older
        else {"contents": [{"title": sent, "url": "/a-post1.vnp"}]}
    )
    found = read_list(json.dumps({"data": data}, ensure_ascii=False).encode(encoding))
    assert titles(found) == {1: title}
    assert [problem.kind for problem in found.problems] == problems


def test_list_item():
    item = {
        "content_id": 1, "title": "L&#39;eau", "description": "<p>Un <b>chapeau</b></p>", "date": 1767315611,
        "update_time": "1767319200", "url": "/a-post1.vnp", "redirect_link": "", "frame_link": None,
    }  # fmt: skip
    (sighting,) = read_list(listed(item)).sightings
    assert sighting == Sighting(
        f"{ROOT}/a-post1.vnp", 1, "L'eau", "Un chapeau",
        datetime(2026, 1, 2, 8, 0, 11, tzinfo=HANOI), datetime(2026, 1, 2, 9, tzinfo=HANOI), 0,
    )  # fmt: skip


A, B = {"url": "/a-post1.vnp"}, {"url": f"{ROOT}/b-post2.vnp"}
LISTS = {
    "relative and absolute URLs": ([A, B], [1, 2]),
    "article twice": ([A, {"url": "/a/1.vnp"}, B], [1, 2]),
    "item without a URL": ([{"content_id": 7}, A], [1]),
    "URL that is not a string": ([{"url": 7}, A], [1]),
    "items that are not objects": ([None, "x", 3, [], A], [1]),
    "other pages": ([{"url": "/topic/x-107.vnp"}, {"url": "/politique/"}, A], [1]),
    "redirect to another site": ([{**B, "redirect_link": "https://sponsor.example.org/x"}, A], [1]),
    "frame from another site": ([{**B, "frame_link": "//sponsor.example.org/x"}, A], [1]),
    "redirect within the site": ([{**B, "redirect_link": "/politique/"}, A], [2, 1]),
    "only a redirect": ([{"url": "", "redirect_link": " /b-post2.vnp "}], [2]),
    "redirect that is not a web link": ([{**B, "redirect_link": "javascript:void(0)"}], [2]),
    "another edition": ([{"url": "https://en.vietnamplus.vn/a-post9.vnp"}, A], [1]),
}


@pytest.mark.parametrize(("items", "expected"), LISTS.values(), ids=LISTS)
def test_list(items, expected):
    assert ids(read_list(listed(*items))) == expected


DATES = {
    "number": (1767315611, True), "string": ("1767315611", True), "with a fraction": (1767315611.0, True),
    "ISO": ("2026-01-02T08:00:11+07:00", True), "zero": (0, False), "null": (None, False), "true": (True, False),
    "empty": ("", False), "a list": ([1767315611], False),
}  # fmt: skip


@pytest.mark.parametrize(("date", "is_valid"), DATES.values(), ids=DATES)
def test_dates_in_a_list(date, is_valid):
    (sighting,) = read_list(listed({**A, "date": date})).sightings
    assert sighting.published_at == (datetime(2026, 1, 2, 8, 0, 11, tzinfo=HANOI) if is_valid else None)


ENDS = {
    "more": (listed(A), 2), "more, as a number": (listed(A, more=1), 2), "more, as a string": (listed(A, more="true"), 2),
    "no more": (listed(A, more=False), None), "no more, as a string": (listed(A, more="false"), None),
    "no more, as a number": (listed(A, more=0), None), "no statement": (listed(A, more=None), None),
    "empty": (listed(), None), "no articles, but more": (listed({"url": "/x/"}), 2),
    "an error code as a string": (listed(A, error_code="0"), 2),
}  # fmt: skip


@pytest.mark.parametrize(("body", "page"), ENDS.values(), ids=ENDS)
def test_where_a_list_ends(body, page):
    assert read_list(body).more == (LIST.format(page) if page else None)
    assert read_list(body, 9).more == (LIST.format(10) if page else None)


def test_a_list_url_without_a_page_number_has_no_next_page():
    assert read("list", listed(A), "https://fr-api.vietnamplus.vn/api/latest").more is None


def test_older_dialect():
    html = (
        '<article><a class="cms-link" href="/a-post1.vnp" title="Un titre"><img></a></article><a href="/b/2.vnp">B</a>'
    )
    found = read_list(json.dumps({"data": {"articles": html, "hasMoreContent": True}}))
    assert titles(found) == {1: "Un titre", 2: "B"}
    assert found.more == LIST.format(2)
    end = read_list(json.dumps({"data": {"articles": "", "hasMoreContent": True}}))
    assert (end.sightings, end.more) == ((), None)


NOT_LISTS = {
    "empty": b"", "HTML": b"<html></html>", "other JSON": b"[]", "no data": b"{}", "data that is not an object": b'{"data": []}',
    "neither dialect": b'{"data": {"contents": "x", "articles": []}}', "nested too deeply": b"[" * 200_000,
    "error": listed(A, error_code=7, error_message="<b>quota</b>").encode(), "binary": b"\xff\x00\xfe",
    "error without a message": listed(A, error_code="E1").encode(),
}  # fmt: skip


@pytest.mark.parametrize("body", NOT_LISTS.values(), ids=NOT_LISTS)
def test_responses_that_are_not_lists_are_rejected(body):
    with pytest.raises(UnreadableSource):
        read_list(body)


def test_an_error_of_the_api_is_quoted():
    with pytest.raises(UnreadableSource, match="error 7: quota"):
        read_list(NOT_LISTS["error"])


# --- related stories of an article ------------------------------------------------------------------------------------


def test_related_stories_are_sightings():
    under = (
        Related("Un", "Résumé", url=f"{ROOT}/a-post1.vnp"),
        Related("Lui-même", url=f"{ROOT}/moi-post5.vnp"),
        Related("Sans adresse"),
        Related("Une rubrique", url=f"{ROOT}/politique/"),
        Related("Another edition", url="https://en.vietnamplus.vn/x-post8.vnp"),
        Related("Encore un", url=f"{ROOT}/a/1.vnp"),
        Related("Deux", url=f"{ROOT}/b/2.vnp"),
    )
    assert related(Article("T", related=under, post_id=5, section="Sports"), FRENCH) == (
        "related:Sports",
        (
            Sighting(f"{ROOT}/a-post1.vnp", 1, "Un", "Résumé", position=0),
            Sighting(f"{ROOT}/b/2.vnp", 2, "Deux", position=1),
        ),
    )
    assert related(Article("T"), FRENCH) == ("related:", ())


# --- damaged input ----------------------------------------------------------------------------------------------------

GOOD = [
    rss(f"<title>T</title>{link('/a-post1.vnp')}<pubDate>Wed, 30 Apr 2025 10:00:00 +0700</pubDate>").encode(),
    FEEDS["Atom"][0].encode(),
    urlset(loc("/a-post1.vnp") + "<lastmod>2025-04-29T14:30:44+07:00</lastmod><image:title>T</image:title>").encode(),
    gzip.compress(urlset(loc("/a-post1.vnp")).encode(), mtime=0),
    index(f"{ROOT}/sitemaps/news-2025-4.xml").encode(),
    (HOME + CONTROLS["complete"][0]).encode(),
    rss(link("/a-post1.vnp")).encode("utf-16"),
    listed(A, B, {"url": "/c-post3.vnp", "date": "1767315611", "title": "T"}).encode(),
    json.dumps({"data": {"articles": STORY, "hasMoreContent": True}}).encode(),
]
FRAGMENTS = [
    b"&", b"<", b">", b'"', b"&#0;", b"&#x110000;", b"<![CDATA[", b"]]>", b"\x00", b"https://[", b"&eacute;", b"<?x?>",
    b"<!-- ", b"-->", b'<!DOCTYPE x [<!ENTITY a "b">]>', b"utf-16", b"99999999999999999999", "é".encode(), b"\xff\xfe",
]  # fmt: skip


@st.composite
def damaged(draw):
    body = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        cut = draw(st.sampled_from([0, 0, 1, 9, len(body)]))
        body[at : at + cut] = draw(st.sampled_from([*FRAGMENTS, b""]) | st.binary(max_size=4))
    return bytes(body)


@settings(max_examples=200, deadline=None)
@given(
    damaged() | st.binary(max_size=80) | st.text(max_size=40).map(str.encode),
    st.sampled_from(["home", "section", "feed", "feed_index", "news_sitemap", "sitemap", "sitemap_index", "list"]),
    st.sampled_from([f"{ROOT}/", f"{API}?page=2&zone=5", f"{API}?page=%FF", LIST.format(3)]),
)
def test_any_bytes_are_read_or_rejected(body, kind, url):
    try:
        found = read(kind, body, url)
    except UnreadableSource:
        return
    assert all(sighting.post_id and FRENCH.owns(sighting.url) for sighting in found.sightings)
    assert len(set(ids(found))) == len(found.sightings)
    assert all(FRENCH.owns(source.url) for source in found.sources)


@settings(max_examples=80, deadline=None)
@given(st.text())
def test_any_title_in_a_sitemap_is_read(title):
    if any(not (c.isprintable() or c in " \n\t") for c in title):
        return
    entry = f"{loc('/a-post1.vnp')}<news:title>{html.escape(title)}</news:title>"
    (sighting,) = read("sitemap", urlset(entry)).sightings
    assert "".join((sighting.title or "").split()) == "".join(title.split())


# --- stories that are not in links ------------------------------------------------------------------------------------

HIDDEN = {
    "another attribute": '<div data-href="/a-post1.vnp">A</div><div data-href="/b-post2.vnp">B</div>',
    "code": """<div onclick="go('/a-post1.vnp')">A</div><div onclick="location=/b-post2.vnp">B</div>""",
    "JSON": r'<script>{"a": "\/a-post1.vnp", "b": "https:\/\/fr.vietnamplus.vn\/b\/2.vnp"}</script>',
    "JSON with escapes": r'<script>["\u002Fa-post1.vnp", "\u002fb-post2.vnp"]</script>',
    "JSON in an attribute": '<div data-props="[&quot;/a-post1.vnp&quot;,&quot;/b-post2.vnp?x=1&quot;]"></div>',
    "few links besides": '<a href="/b-post2.vnp">B</a><script>["/a-post1.vnp","/b-post2.vnp","/c-post3.vnp","/d-post4.vnp"]</script>',
}  # fmt: skip


@pytest.mark.parametrize("html", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("kind", ["home", "section"])
def test_stories_that_are_not_in_links(kind, html):
    found = read(kind, f"<html><body>{html}</body></html>", url=f"{ROOT}/politique/")
    assert {1, 2} <= set(ids(found))
    assert [s.position for s in found.sightings] == list(range(len(found.sightings)))


def test_addresses_in_scripts_do_not_count_if_most_stories_are_in_links():
    links = "".join(f'<a href="/a-post{n}.vnp">A</a>' for n in (1, 2))
    assert ids(read("home", f'{links}<script>["/b-post3.vnp", "/c-post4.vnp"]</script>')) == [1, 2]


@pytest.mark.parametrize(
    "html",
    [
        "<script>['.vnp', 'a-post1.vnp', '/topic/x-1.vnp', 'https://en.vietnamplus.vn/a-post1.vnp', '/a-post1.vnpx']</script>",
        f"<div data-href='/{'a' * 500}-post1.vnp'></div>",
    ],
)
def test_other_addresses_are_no_stories(html):
    with pytest.raises(UnreadableSource):
        read("section", html, url=f"{ROOT}/politique/")


def test_at_most_5000_addresses_that_are_not_in_links():
    source = " ".join(f"'/a-post{n}.vnp'" for n in range(1, 6000))
    assert len(read("home", f"<script>{source}</script>").sightings) == 5000


PLAIN = {
    "unknown elements inside a line": ("L'<x-y>eau</x-y> de <st1:place>Huê</st1:place>", "L'eau de Huê"),
    "comment inside a line": ("Ha<!-- x -->noï", "Hanoï"),
    "paragraphs and line ends": ("<p>Un.</p><p>Deux.<br/>Trois.</p>", "Un. Deux. Trois."),
    "picture between words": ("Un.<img src=x>Deux.", "Un. Deux."),
}


@pytest.mark.parametrize(("source", "expected"), PLAIN.values(), ids=PLAIN)
def test_plain_text_of_a_summary(source, expected):
    assert found.plain_text(source) == expected
