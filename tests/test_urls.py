"""Addresses of the site: the post id in them, the kind of page they name, one spelling; and the site they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import urls
from crawler.site import FRENCH, Site

REAL = (Path(__file__).parent / "data" / "real-urls.txt").read_text("utf-8").splitlines()[1:]
ARTICLES = [url for url in REAL if "/topic/" not in url]
ROOT = "https://fr.vietnamplus.vn"
DOUBLE = "http://127.0.0.1:8123"


def short(url):
    return url.removeprefix(ROOT).strip("/")[-40:]


# --- the 75 real addresses --------------------------------------------------------------------------------------------


def test_there_are_75_real_addresses_and_one_of_them_is_a_topic():
    assert len(REAL) == 75
    assert len(ARTICLES) == 74


@pytest.mark.parametrize("url", ARTICLES, ids=short)
def test_a_real_article_is_known_by_its_id(url):
    written = url.removesuffix(".vnp").replace("/", " ").replace("-post", " ").split()[-1]
    assert urls.post_id(url) == int(written)
    assert urls.shape(url) == "article"
    assert urls.canonical(url) == url
    assert FRENCH.owns(url)


def test_the_real_topic_is_no_article():
    (topic,) = set(REAL) - set(ARTICLES)
    assert urls.post_id(topic) is None
    assert urls.shape(topic) == "topic"


def test_no_two_real_articles_have_the_same_id():
    assert len({urls.post_id(url) for url in ARTICLES}) == len(ARTICLES)


# --- post id ----------------------------------------------------------------------------------------------------------

IDS = {
    "current form": ("/un-titre-post245060.vnp", 245060),
    "older form": ("/un-titre/245060.vnp", 245060),
    "a query behind it": ("/un-titre-post245060.vnp?utm_source=x", 245060),
    "a fragment behind it": ("/un-titre-post245060.vnp#commentaires", 245060),
    "digits in the slug": ("/14e-sommet-post1.vnp", 1),
    "the word post in the slug": ("/la-post-poste-post7.vnp", 7),
    "two ids: the last counts": ("/titre-post1-post22.vnp", 22),
    "slug with a letter that folding missed": ("/ses-vœux/38235.vnp", 38235),
    "the same, percent-encoded": ("/ses-v%C5%93ux/38235.vnp", 38235),
    "twelve digits": ("/x-post123456789012.vnp", 123456789012),
    "thirteen digits": ("/x-post1234567890123.vnp", None),
    "no slug": ("/245060.vnp", None),
    "no id": ("/un-titre-post.vnp", None),
    "another ending": ("/un-titre-post245060.html", None),
    "something behind the ending": ("/un-titre-post245060.vnp.bak", None),
    "deeper than an article": ("/a/b/245060.vnp", None),
    "a topic": ("/topic/edification-du-parti-135.vnp", None),
    "a topic in the form of an old article": ("/topic/135.vnp", None),
    "an old topic": ("/chude/x/12.vnp", None),
    "a tag that looks like an article": ("/tag/12.vnp", None),
    "a search that looks like an article": ("/Search/12.vnp", None),
    "the home page": ("/", None),
}


@pytest.mark.parametrize(("path", "expected"), IDS.values(), ids=IDS)
def test_post_id(path, expected):
    assert urls.post_id(ROOT + path) == expected


# --- shape ------------------------------------------------------------------------------------------------------------

SHAPES = {
    "bare host": ("", "home"),
    "home": ("/", "home"),
    "current article": ("/un-titre-post1.vnp", "article"),
    "older article": ("/un-titre/1.vnp", "article"),
    "topic": ("/topic/x-107.vnp", "topic"),
    "old topic": ("/chude/x/12.vnp", "topic"),
    "tag page": ("/tag/hanoi-1.vnp", "topic"),
    "author page": ("/tac-gia/x.vnp", "topic"),
    "search": ("/search.vnp?q=hue", "search"),
    "old search": ("/timkiem/hue.vnp", "search"),
    "search in capitals": ("/SEARCH.vnp", "search"),
    "feed": ("/rss/home.rss", "feed"),
    "list of feeds": ("/rss.html", "feed"),
    "sitemap": ("/sitemaps/news-2025-4.xml", "sitemap"),
    "section": ("/politique/", "section"),
    "section without slash": ("/politique", "section"),
    "section below a section": ("/monde/asie/", "section"),
    "old section": ("/politique.vnp", "section"),
    "slug that only begins like search": ("/searching-post1.vnp", "article"),
    "something else": ("/css/site.css", "other"),
    "something else with an article's ending": ("/a/b/c.vnp", "other"),
}


@pytest.mark.parametrize(("path", "expected"), SHAPES.values(), ids=SHAPES)
def test_shape(path, expected):
    assert urls.shape(ROOT + path) == expected


# --- canonical --------------------------------------------------------------------------------------------------------

SPELLINGS = {
    "http": ("http://fr.vietnamplus.vn/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "capitals in scheme and host": ("HTTPS://FR.VietnamPlus.vn/A-post1.vnp", f"{ROOT}/A-post1.vnp"),
    "default port": ("https://fr.vietnamplus.vn:443/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "default port of http": ("http://fr.vietnamplus.vn:80/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "another port": ("https://fr.vietnamplus.vn:8443/", "https://fr.vietnamplus.vn:8443/"),
    "a port that is none": ("https://fr.vietnamplus.vn:99999/", f"{ROOT}/"),
    "user and password": ("https://u:p@fr.vietnamplus.vn/", f"{ROOT}/"),
    "mobile host": ("https://m.fr.vietnamplus.vn/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "host that only begins with m": ("https://media.vietnamplus.vn/", "https://media.vietnamplus.vn/"),
    "fragment": (f"{ROOT}/politique/#haut", f"{ROOT}/politique/"),
    "query of an article": (f"{ROOT}/a-post1.vnp?utm=1", f"{ROOT}/a-post1.vnp"),
    "query of an older article": (f"{ROOT}/a/1.vnp?utm=1", f"{ROOT}/a/1.vnp"),
    "query of another page": (f"{ROOT}/search.vnp?q=hu%E1%BA%BF&n=1", f"{ROOT}/search.vnp?q=hu%E1%BA%BF&n=1"),
    "query with a bare letter": (f"{ROOT}/search.vnp?q=huế", f"{ROOT}/search.vnp?q=hu%E1%BA%BF"),
    "bare letter in the path": (f"{ROOT}/vœux/1.vnp", f"{ROOT}/v%C5%93ux/1.vnp"),
    "encoded letter, small digits": (f"{ROOT}/v%c5%93ux/1.vnp", f"{ROOT}/v%C5%93ux/1.vnp"),
    "needless encoding": (f"{ROOT}/%61-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "doubled slashes": (f"{ROOT}//politique//", f"{ROOT}/politique/"),
    "no path": (ROOT, f"{ROOT}/"),
    "spaces around": (f"  {ROOT}/a-post1.vnp \n", f"{ROOT}/a-post1.vnp"),
    "the double keeps scheme and port": (f"{DOUBLE}/a-post1.vnp?x", f"{DOUBLE}/a-post1.vnp"),
    "localhost keeps its scheme": ("http://localhost/a", "http://localhost/a"),
    "IPv6 loopback": ("http://[::1]:80/a", "http://[::1]/a"),
}


@pytest.mark.parametrize(("url", "expected"), SPELLINGS.values(), ids=SPELLINGS)
def test_canonical(url, expected):
    assert urls.canonical(url) == expected


def test_what_cannot_be_split_is_nobodys_address():
    assert urls.canonical("https://[x/") == "https:///"
    assert urls.post_id("https://[x/a-post1.vnp") is None
    assert urls.host("https://[x/") == ""


PIECES = st.sampled_from(
    "http https : :// / // . m. @ [ ] %20 %C5%93 % ? # & = ; \\ é œ -post 12 .vnp a A fr.vietnamplus.vn 127.0.0.1 :80".split(
        " "
    )
) | st.sampled_from(" \n\t\u2028")
ADDRESSES = (
    st.text(max_size=40)
    | st.lists(PIECES, max_size=12).map("".join)
    | st.lists(PIECES, max_size=8).map(lambda parts: f"{ROOT}/{''.join(parts)}")
)


@settings(max_examples=400, deadline=None)
@given(ADDRESSES)
def test_one_spelling_is_enough(url):
    once = urls.canonical(url)
    assert urls.canonical(once) == once


@settings(max_examples=300, deadline=None)
@given(ADDRESSES, ADDRESSES)
def test_no_address_is_too_odd_to_be_asked_about(url, base):
    assert urls.shape(url)
    assert not any(c.isupper() for c in urls.host(url) if c.isascii())
    assert urls.is_loopback(url) in (True, False)
    resolved = urls.absolute(base, url)
    assert resolved is None or resolved.startswith(("http://", "https://"))


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True), st.integers(1, 999_999_999_999), st.sampled_from(["-post", "/"])
)
def test_the_id_survives_the_one_spelling(slug, number, form):
    url = f"http://m.fr.vietnamplus.vn//{slug}{form}{number}.vnp?x=1#y"
    expected = (
        None if form == "/" and slug in {"topic", "chude", "search", "timkiem", "tag", "tags", "author"} else number
    )
    assert urls.post_id(urls.canonical(url)) == expected


# --- links, hosts -----------------------------------------------------------------------------------------------------

LINKS = {
    "relative to the root": ("/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "relative to the page": ("b-post2.vnp", f"{ROOT}/politique/b-post2.vnp"),
    "without scheme": ("//media.vietnamplus.vn/x.jpg", "https://media.vietnamplus.vn/x.jpg"),
    "whole": ("http://example.org/", "http://example.org/"),
    "padded": ("  /a-post1.vnp\n", f"{ROOT}/a-post1.vnp"),
    "nothing": ("", None),
    "no link at all": (None, None),
    "mail": ("mailto:x@example.org", None),
    "script": ("javascript:void(0)", None),
    "picture in place": ("data:image/gif;base64,R0lGOD", None),
    "scheme without host": ("http:///x", None),
    "brackets that hold no address": ("https://[x/", None),
}


@pytest.mark.parametrize(("link", "expected"), LINKS.values(), ids=LINKS)
def test_absolute(link, expected):
    assert urls.absolute(f"{ROOT}/politique/", link) == expected


LOOPBACK = {
    "IPv4": ("http://127.0.0.1:8000/", True),
    "another of its net": ("http://127.3.2.1/", True),
    "name": ("http://localhost/", True),
    "IPv6": ("http://[::1]:80/", True),
    "the site": (ROOT, False),
    "a name that begins like it": ("http://localhost.example.org/", False),
    "a name that begins like the number": ("http://127.0.0.1.nip.io/", False),
    "the name as user": ("http://localhost@example.org/", False),
    "no address": ("", False),
}


@pytest.mark.parametrize(("url", "expected"), LOOPBACK.values(), ids=LOOPBACK)
def test_is_loopback(url, expected):
    assert urls.is_loopback(url) is expected


def test_host_and_origin():
    assert urls.host("https://FR.vietnamplus.vn:8443/x") == "fr.vietnamplus.vn"
    assert urls.host("/no/host") == ""
    assert urls.origin("HTTPS://FR.vietnamplus.vn:8443/X?y") == "https://fr.vietnamplus.vn:8443"


# --- the site ---------------------------------------------------------------------------------------------------------

OWN = {
    "itself": (f"{ROOT}/a", True),
    "plain http": ("http://fr.vietnamplus.vn/a", True),
    "mobile": ("https://m.fr.vietnamplus.vn/a", True),
    "another edition": ("https://en.vietnamplus.vn/a", False),
    "its picture host": ("https://mediafr.vietnamplus.vn/a", False),
    "another port": ("https://fr.vietnamplus.vn:8443/a", False),
    "elsewhere": ("https://example.org/", False),
}


@pytest.mark.parametrize(("url", "expected"), OWN.values(), ids=OWN)
def test_a_site_owns(url, expected):
    assert FRENCH.owns(url) is expected


EDITIONS = {
    "itself": (f"{ROOT}/a", False),
    "English": ("https://en.vietnamplus.vn/a-post1.vnp", True),
    "Vietnamese, without a name of its own": ("https://vietnamplus.vn/a-post1.vnp", True),
    "mobile page of its own": ("https://m.fr.vietnamplus.vn/", False),
    "a name that only ends alike": ("https://notvietnamplus.vn/", False),
    "elsewhere": ("https://example.org/", False),
}


@pytest.mark.parametrize(("url", "expected"), EDITIONS.values(), ids=EDITIONS)
def test_another_edition(url, expected):
    assert FRENCH.other_edition(url) is expected


def test_addresses_of_a_double_stay_on_the_double():
    double = Site(f"{DOUBLE}/")
    assert double.url("/rss/home.rss") == f"{DOUBLE}/rss/home.rss"
    assert double.monthly_sitemap(2025, 4) == f"{DOUBLE}/sitemaps/news-2025-4.xml"
    assert double.owns(f"{DOUBLE}/a-post1.vnp")
    assert not double.owns("http://127.0.0.1:9999/a-post1.vnp")
    assert not double.owns(f"{ROOT}/a-post1.vnp")


def test_a_path_that_leads_nowhere_is_the_root():
    assert FRENCH.url("mailto:x@example.org") == FRENCH.root


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://fr.vietnamplus.vn/politique/", "politique"),
        ("https://fr.vietnamplus.vn/politique.vnp", "politique"),
        ("https://fr.vietnamplus.vn/soci%C3%A9t%C3%A9/sant%C3%A9/", "société/santé"),
        ("https://fr.vietnamplus.vn/", ""),
        ("https://[", ""),
    ],
)
def test_the_place_that_a_sections_address_names(url, expected):
    assert urls.place(url) == expected
