"""URLs: post id, kind of page, canonical form; and the rules of `Site` about which URLs belong to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler import urls
from crawler.site import FRENCH, Site

REAL = (Path(__file__).parent / "data" / "real-urls.txt").read_text("utf-8").splitlines()[1:]
ARTICLES = [url for url in REAL if "/topic/" not in url]
ROOT = "https://fr.vietnamplus.vn"
FAKE_SITE = "http://127.0.0.1:8123"


def short(url):
    return url.removeprefix(ROOT).strip("/")[-40:]


# --- the 75 real URLs -------------------------------------------------------------------------------------------------


def test_there_are_75_real_urls_including_one_topic():
    assert len(REAL) == 75
    assert len(ARTICLES) == 74


@pytest.mark.parametrize("url", ARTICLES, ids=short)
def test_real_article_urls_are_recognised(url):
    expected = url.removesuffix(".vnp").replace("/", " ").replace("-post", " ").split()[-1]
    assert urls.post_id(url) == int(expected)
    assert urls.shape(url) == "article"
    assert urls.canonical(url) == url
    assert FRENCH.owns(url)


def test_the_real_topic_is_not_an_article():
    (topic,) = set(REAL) - set(ARTICLES)
    assert urls.post_id(topic) is None
    assert urls.shape(topic) == "topic"


def test_real_articles_have_distinct_ids():
    assert len({urls.post_id(url) for url in ARTICLES}) == len(ARTICLES)


# --- post id ----------------------------------------------------------------------------------------------------------

IDS = {
    "current form": ("/un-titre-post245060.vnp", 245060),
    "older form": ("/un-titre/245060.vnp", 245060),
    "with a query": ("/un-titre-post245060.vnp?utm_source=x", 245060),
    "with a fragment": ("/un-titre-post245060.vnp#commentaires", 245060),
    "digits in the slug": ("/14e-sommet-post1.vnp", 1),
    "the word post in the slug": ("/la-post-poste-post7.vnp", 7),
    "two ids: the last one counts": ("/titre-post1-post22.vnp", 22),
    "non-ASCII letter in the slug": ("/ses-vœux/38235.vnp", 38235),
    "percent-encoded letter in the slug": ("/ses-v%C5%93ux/38235.vnp", 38235),
    "twelve digits": ("/x-post123456789012.vnp", 123456789012),
    "thirteen digits": ("/x-post1234567890123.vnp", None),
    "no slug": ("/245060.vnp", None),
    "no id": ("/un-titre-post.vnp", None),
    "another extension": ("/un-titre-post245060.html", None),
    "text after the extension": ("/un-titre-post245060.vnp.bak", None),
    "too many path segments": ("/a/b/245060.vnp", None),
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
    assert (urls.slug(ROOT + path) is None) == (expected is None)


@pytest.mark.parametrize(
    ("path", "slug", "is_current"),
    [
        ("/la-post-poste-post7.vnp?utm_source=x", "la-post-poste", True),
        ("/titre-post1-post22.vnp", "titre-post1", True),
        ("/le-post-covid/12.vnp", "le-post-covid", False),
        ("/titre-post1/22.vnp", "titre-post1", False),
        ("/topic/135.vnp", None, False),
        ("/politique-post/", None, False),
    ],
)
def test_slug_and_form(path, slug, is_current):
    assert urls.slug(ROOT + path) == slug
    assert urls.has_current_form(ROOT + path) == is_current
    if slug is not None:
        make = FRENCH.article_url if is_current else FRENCH.older_article_url
        assert make(slug, urls.post_id(ROOT + path)) == ROOT + path.partition("?")[0]


def test_the_address_of_a_request_by_id_begins_with_the_prefix_and_names_the_id():
    address = FRENCH.article_by_id(7)
    assert address == FRENCH.id_url_prefix + "7.vnp"
    assert (urls.post_id(address), urls.slug(address), urls.has_current_form(address)) == (7, "x", True)


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
    "slug that starts with search": ("/searching-post1.vnp", "article"),
    "style sheet": ("/css/site.css", "other"),
    "unknown path with the extension of articles": ("/a/b/c.vnp", "other"),
}


@pytest.mark.parametrize(("path", "expected"), SHAPES.values(), ids=SHAPES)
def test_shape(path, expected):
    assert urls.shape(ROOT + path) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x/", ""),
        ("", ""),
        ("https://[", ""),
        ("https://x/Tag/asean-12.vnp?a=/b/", "tag"),
        ("https://x//t%61g//asean.vnp", "tag"),
        ("https://x/t%C3%A9/a", "t%c3%a9"),
        ("/politique", "politique"),
    ],
)
def test_the_first_part_of_a_path(url, expected):
    assert urls.first_part(url) == expected


# --- canonical --------------------------------------------------------------------------------------------------------

CANONICAL = {
    "http": ("http://fr.vietnamplus.vn/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "capitals in scheme and host": ("HTTPS://FR.VietnamPlus.vn/A-post1.vnp", f"{ROOT}/A-post1.vnp"),
    "default port": ("https://fr.vietnamplus.vn:443/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "default port of http": ("http://fr.vietnamplus.vn:80/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "another port": ("https://fr.vietnamplus.vn:8443/", "https://fr.vietnamplus.vn:8443/"),
    "invalid port": ("https://fr.vietnamplus.vn:99999/", f"{ROOT}/"),
    "user and password": ("https://u:p@fr.vietnamplus.vn/", f"{ROOT}/"),
    "mobile host": ("https://m.fr.vietnamplus.vn/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "dot at the end of the host": ("https://fr.vietnamplus.vn./a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "dot before the port": ("https://m.FR.vietnamplus.vn.:443/a-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "host that starts with m": ("https://media.vietnamplus.vn/", "https://media.vietnamplus.vn/"),
    "fragment": (f"{ROOT}/politique/#haut", f"{ROOT}/politique/"),
    "query of an article": (f"{ROOT}/a-post1.vnp?utm=1", f"{ROOT}/a-post1.vnp"),
    "query of an older article": (f"{ROOT}/a/1.vnp?utm=1", f"{ROOT}/a/1.vnp"),
    "query of another page": (f"{ROOT}/search.vnp?q=hu%E1%BA%BF&n=1", f"{ROOT}/search.vnp?q=hu%E1%BA%BF&n=1"),
    "unencoded letter in the query": (f"{ROOT}/search.vnp?q=huế", f"{ROOT}/search.vnp?q=hu%E1%BA%BF"),
    "unencoded letter in the path": (f"{ROOT}/vœux/1.vnp", f"{ROOT}/v%C5%93ux/1.vnp"),
    "lower-case hexadecimal digits": (f"{ROOT}/v%c5%93ux/1.vnp", f"{ROOT}/v%C5%93ux/1.vnp"),
    "unnecessary encoding": (f"{ROOT}/%61-post1.vnp", f"{ROOT}/a-post1.vnp"),
    "repeated slashes": (f"{ROOT}//politique//", f"{ROOT}/politique/"),
    "no path": (ROOT, f"{ROOT}/"),
    "surrounding white space": (f"  {ROOT}/a-post1.vnp \n", f"{ROOT}/a-post1.vnp"),
    "the fake site keeps scheme and port": (f"{FAKE_SITE}/a-post1.vnp?x", f"{FAKE_SITE}/a-post1.vnp"),
    "localhost keeps its scheme": ("http://localhost/a", "http://localhost/a"),
    "IPv6 loopback": ("http://[::1]:80/a", "http://[::1]/a"),
    "loopback address without a scheme": ("//127.0.0.1/a", "https://127.0.0.1/a"),
}


@pytest.mark.parametrize(("url", "expected"), CANONICAL.values(), ids=CANONICAL)
def test_canonical(url, expected):
    assert urls.canonical(url) == expected


def test_a_url_that_cannot_be_split_has_no_host_and_no_id():
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


@settings(max_examples=120, deadline=None)
@given(ADDRESSES)
def test_canonical_is_idempotent(url):
    once = urls.canonical(url)
    assert urls.canonical(once) == once


@settings(max_examples=120, deadline=None)
@given(ADDRESSES, ADDRESSES)
@example("//%A", "")
@example("https://FR.VietnamPlus.vn%20X/", "")
@example("http://[FE80::1%25Eth0]:8000/", "")
def test_any_string_is_accepted(url, base):
    assert urls.shape(url)
    assert not any(c.isupper() for c in urls.host(url) if c.isascii())
    assert not any(c.isupper() for c in urls.host(urls.canonical(url)) if c.isascii())
    assert urls.is_loopback(url) in (True, False)
    resolved = urls.absolute(base, url)
    assert resolved is None or resolved.startswith(("http://", "https://"))


@settings(max_examples=80, deadline=None)
@given(
    st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True), st.integers(1, 999_999_999_999), st.sampled_from(["-post", "/"])
)
def test_the_canonical_form_keeps_the_post_id(slug, number, form):
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
    "absolute": ("http://example.org/", "http://example.org/"),
    "padded": ("  /a-post1.vnp\n", f"{ROOT}/a-post1.vnp"),
    "empty": ("", None),
    "no link": (None, None),
    "mail": ("mailto:x@example.org", None),
    "script": ("javascript:void(0)", None),
    "data URI": ("data:image/gif;base64,R0lGOD", None),
    "scheme and one slash too many": ("https:///fr.vietnamplus.vn/x", f"{ROOT}/x"),
    "scheme without host": ("https://", None),
    "brackets without an IPv6 address": ("https://[x/", None),
}


@pytest.mark.parametrize(("link", "expected"), LINKS.values(), ids=LINKS)
def test_absolute(link, expected):
    assert urls.absolute(f"{ROOT}/politique/", link) == expected


LOOPBACK = {
    "IPv4": ("http://127.0.0.1:8000/", True),
    "another address of the loopback network": ("http://127.3.2.1/", True),
    "localhost": ("http://localhost/", True),
    "IPv6": ("http://[::1]:80/", True),
    "the site": (ROOT, False),
    "a host name that starts with localhost": ("http://localhost.example.org/", False),
    "a host name that starts with the loopback address": ("http://127.0.0.1.nip.io/", False),
    "localhost as user name": ("http://localhost@example.org/", False),
    "empty": ("", False),
}


@pytest.mark.parametrize(("url", "expected"), LOOPBACK.values(), ids=LOOPBACK)
def test_is_loopback(url, expected):
    assert urls.is_loopback(url) is expected


def test_host_and_origin():
    assert urls.host("https://FR.vietnamplus.vn:8443/x") == "fr.vietnamplus.vn"
    assert urls.host("//%A") == "%a"
    assert urls.host("/no/host") == ""
    assert urls.origin("HTTPS://FR.vietnamplus.vn:8443/X?y") == "https://fr.vietnamplus.vn:8443"


# --- the site ---------------------------------------------------------------------------------------------------------

OWN = {
    "itself": (f"{ROOT}/a", True),
    "plain http": ("http://fr.vietnamplus.vn/a", True),
    "mobile": ("https://m.fr.vietnamplus.vn/a", True),
    "with a dot at its end": ("https://fr.vietnamplus.vn./a", True),
    "another edition with a dot at its end": ("https://en.vietnamplus.vn./a", False),
    "another edition": ("https://en.vietnamplus.vn/a", False),
    "its image host": ("https://mediafr.vietnamplus.vn/a", False),
    "another port": ("https://fr.vietnamplus.vn:8443/a", False),
    "unrelated host": ("https://example.org/", False),
}


@pytest.mark.parametrize(("url", "expected"), OWN.values(), ids=OWN)
def test_owns(url, expected):
    assert FRENCH.owns(url) is expected


EDITIONS = {
    "itself": (f"{ROOT}/a", False),
    "English": ("https://en.vietnamplus.vn/a-post1.vnp", True),
    "Vietnamese, without a subdomain": ("https://vietnamplus.vn/a-post1.vnp", True),
    "mobile host of the same edition": ("https://m.fr.vietnamplus.vn/", False),
    "another domain with the same ending": ("https://notvietnamplus.vn/", False),
    "unrelated host": ("https://example.org/", False),
}


@pytest.mark.parametrize(("url", "expected"), EDITIONS.values(), ids=EDITIONS)
def test_is_other_edition(url, expected):
    assert FRENCH.is_other_edition(url) is expected


def test_urls_of_a_fake_site_stay_on_the_fake_site():
    fake_site = Site(f"{FAKE_SITE}/")
    assert fake_site.url("/rss/home.rss") == f"{FAKE_SITE}/rss/home.rss"
    assert fake_site.monthly_sitemap(2025, 4) == f"{FAKE_SITE}/sitemaps/news-2025-4.xml"
    assert fake_site.owns(f"{FAKE_SITE}/a-post1.vnp")
    assert not fake_site.owns("http://127.0.0.1:9999/a-post1.vnp")
    assert not fake_site.owns(f"{ROOT}/a-post1.vnp")


def test_url_returns_the_root_for_a_link_that_is_not_a_web_page():
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
def test_section_path(url, expected):
    assert urls.section_path(url) == expected
