"""Facts about the agency's site that are not markup: hosts, time zone, URLs of its sources.

None of these facts has been checked against the live site. Each is a hypothesis with a reference to the section of the
site dossier (`docs/site-dossier.md`) that explains it. `vna probe` checks them.

Boundary: data and string building; nothing is fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from urllib.parse import quote, urlencode, urlsplit

from crawler import urls

#: Dossier section 15: +07:00, no daylight saving time.
HANOI = timezone(timedelta(hours=7), "+07:00")

#: Dossier section 1: the French edition.
ROOT = "https://fr.vietnamplus.vn/"

#: Dossier section 1: the domain of all editions. Each edition has its own id sequence.
EDITIONS = ("vietnamplus.vn",)

#: Dossier section 17: the site of the party congress uses the same forms of URLs with an id sequence of its own.
CONGRESS = "daihoidang.vn"

#: Dossier section 16: the names of the agency at the end of a text; the second one until about 2013.
AGENCIES = ("VNA", "AVI")

#: Dossier section 2: the first part of the path of a list of the articles with a tag.
TAG_PATHS = frozenset({"tag", "tags"})

#: Dossier section 4: the suffix after the headline in `<title>`, as a regular expression.
TITLE_SUFFIX = r"\s*[|–-]\s*Vietnam\s*\+?\s*\(?\s*VietnamPlus\s*\)?\s*$"

#: Dossier sections 5 and 9: names of the home page in breadcrumbs, in lower case.
HOME_NAMES = frozenset(
    {
        "accueil",
        "page d’accueil",
        "page d'accueil",
        "trang chủ",
        "home",
        "vietnam+ (vietnamplus)",
        "vietnamplus",
        "vietnam+",
    }
)

#: Dossier sections 11 and 12: paths of sitemaps and feeds.
SITEMAP_INDEX = "/sitemap.xml"
NEWS_SITEMAP = "/sitemaps/google-news.xml"
HOME_FEED = "/rss/home.rss"
FEED_INDEX = "/rss.html"
_SITEMAP_MONTH = re.compile(r"(?<!\d)(20\d{2})[-_/]?(0?[1-9]|1[0-2])(?=\D*(?:\.xml|$))")

#: Dossier section 11: first day of the oldest monthly sitemap. A backfill never starts earlier.
FLOOR = date(2010, 1, 1)

#: Dossier section 3: post ids of the French edition and the days on which they were assigned, within a few days.
ID_ANCHORS: tuple[tuple[int, date], ...] = (
    (15234, date(2010, 2, 1)),
    (24045, date(2011, 1, 15)),
    (29318, date(2011, 10, 15)),
    (37353, date(2012, 12, 15)),
    (51599, date(2014, 5, 6)),
    (56054, date(2014, 9, 25)),
    (64912, date(2015, 7, 3)),
    (78041, date(2016, 7, 26)),
    (108414, date(2018, 9, 20)),
    (157932, date(2021, 4, 15)),
    (174624, date(2021, 12, 21)),
    (190103, date(2022, 10, 5)),
    (211594, date(2023, 8, 8)),
    (219117, date(2024, 2, 23)),
    (232503, date(2024, 10, 8)),
    (245060, date(2025, 4, 29)),
    (255798, date(2025, 12, 10)),
    (257882, date(2026, 1, 23)),
)

#: Dossier section 3: articles on an ordinary day, and ids assigned per day after the last anchor.
ARTICLES_A_DAY = 45.0
IDS_A_DAY = 50

#: Dossier section 9: articles on one page of a section's list.
SECTION_PAGE = 30

#: Dossier section 9: path that the load-more control of a section page requests.
LOAD_MORE = "/api/get-zone"

#: Dossier sections 2 and 10: in the list API, topic 107 is the latest news. A page has 40 items by default and at most 50.
LATEST_TOPIC = "107"
LIST_SIZE = 40
_NO_SLUG = "x"
_LIST = re.compile(r"/api/morenews-(?:zone|topic)-[0-9]+-[0-9]+\.html")


@dataclass(frozen=True, slots=True)
class Site:
    """One edition of the site, or a fake site on a loopback address.

    `api` lists the origins whose list API may be requested, most trusted first. It is empty unless the configuration
    enables the list API.
    """

    root: str = ROOT
    api: tuple[str, ...] = ()

    def url(self, path: str) -> str:
        """Return the absolute URL of a path on this site."""
        return urls.absolute(self.root, path) or self.root

    def address(self, base: str, link: str | None) -> str | None:
        """Return the address to request for a link on the page `base`; None if the link leaves this site.

        Path and query are those of the link (see `urls.absolute`). Scheme and host are those of the root URL, also if the
        link has `http` or the mobile host: both lead to the same pages, and one robots.txt file applies to all requests.
        """
        url = urls.absolute(base, link)
        if url is None or not self.owns(url):
            return None
        return self.url("/").removesuffix("/") + urls.path_and_query(url)

    def is_other_edition(self, url: str) -> bool:
        """Whether a URL belongs to another edition of the agency, with its own id sequence (dossier sections 1 and 17)."""
        there, here = urls.host(urls.canonical(url)), urls.host(urls.canonical(self.root))
        return there != here and any(there == d or there.endswith(f".{d}") for d in (*EDITIONS, CONGRESS))

    def owns(self, url: str) -> bool:
        """Whether a URL is on this site, including its mobile host (dossier section 18.19)."""
        return urls.origin(urls.canonical(url)) == urls.origin(urls.canonical(self.root))

    def may_request(self, url: str) -> bool:
        """Whether the crawler may request a URL.

        On the site itself, every URL is allowed. On other hosts, only the list API and its robots.txt are allowed, and
        only if the configuration enables the list API.
        """
        return self.owns(url) or self.is_list(url) or (self._api_host(url) and urlsplit(url).path == "/robots.txt")

    def is_list(self, url: str) -> bool:
        """Whether a URL is a page of the list API on one of the `api` hosts."""
        return self._api_host(url) and _LIST.fullmatch(urlsplit(url).path) is not None

    def monthly_sitemap(self, year: int, month: int) -> str:
        """Return the URL of a month's sitemap; the month has no leading zero (dossier section 11)."""
        return self.url(f"/sitemaps/news-{year}-{month}.xml")

    def article_by_id(self, post_id: int) -> str:
        """Return a URL that names an article by its post id alone, with a made-up slug.

        The site probably ignores the slug (dossier section 2), but nobody has tried this on the live site.
        """
        return self.article_url(_NO_SLUG, post_id)

    @property
    def id_url_prefix(self) -> str:
        """The prefix of every `article_by_id` URL. The site itself does not use URLs with this prefix."""
        return self.url(f"/{_NO_SLUG}-post")

    def article_url(self, slug: str, post_id: int) -> str:
        """Return the URL of an article in its current form (dossier section 2)."""
        return self.url(f"/{slug}-post{post_id}.vnp")

    def older_article_url(self, slug: str, post_id: int) -> str:
        """Return the URL of an article in its older form (dossier section 2)."""
        return self.url(f"/{slug}/{post_id}.vnp")

    def article_url_without_slug(self, post_id: int) -> str:
        """Return the URL of an article in the form that has no slug (dossier section 2)."""
        return self.url(f"/post-{post_id}.vnp")

    def search_page(self, term: str) -> str:
        """Return the URL of the site's own search for a term (dossier section 2)."""
        return self.url(f"/search.vnp?{urlencode({'q': term}, quote_via=quote)}")

    def latest_list(self, host: str) -> str:
        """Return the URL of the first page of the latest news in the list API of `host` (dossier section 10)."""
        query = f"phrase=&page_size={LIST_SIZE}&sz={LATEST_TOPIC}&st=topic"
        return f"{host}/api/morenews-topic-{LATEST_TOPIC}-1.html?{query}"

    def zone_list(self, host: str, zone: str, size: int = LIST_SIZE) -> str:
        """Return the URL of the first page of a section in the list API of `host` (dossier section 10).

        `zone` is the zone id of the section, and `size` the number of articles on the page.
        """
        return f"{host}/api/morenews-zone-{zone}-1.html?phrase=&page_size={size}"

    def _api_host(self, url: str) -> bool:
        return urls.origin(url) in self.api


def names_agency(text: str) -> bool:
    """Whether a text contains a name of the agency (`AGENCIES`)."""
    return any(name in text for name in AGENCIES)


def api_hosts(root: str) -> tuple[str, ...]:
    """Return the possible origins of the list API of the edition at `root`, most likely first.

    The host of the French list API is unknown. The returned origins follow the pattern of known hosts:
    `zh-api.vietnamplus.vn`, `api-<lang>.nhandan.vn` and the site's own host (dossier section 1). A fake site serves the
    API on its own origin.
    """
    own = urls.origin(root)
    edition, _, domain = urls.host(root).partition(".")
    if domain not in EDITIONS:
        return (own,)
    return (f"https://{edition}-api.{domain}", f"https://api-{edition}.{domain}", own)


def sitemap_month(url: str) -> tuple[int, int] | None:
    """Return the year and month in the name of a sitemap; None if the name has none (dossier section 11)."""
    found = _SITEMAP_MONTH.search(urls.canonical(url).rpartition("/")[2])
    return (int(found[1]), int(found[2])) if found else None


def picture_hosts(root: str) -> tuple[str, ...]:
    """Return the origins from which the pictures of the edition at `root` may come, besides that of the site itself.

    They are the present host of the edition, its legacy host, and those of the Vietnamese edition, whose pictures the
    others use too (dossier sections 1 and 7). A fake site serves its pictures on its own origin.
    """
    edition, _, domain = urls.host(root).partition(".")
    if domain not in EDITIONS:
        return ()
    names = (f"media{edition}", f"cdnimg{edition}", "media", "cdnimg", "images")
    return tuple(f"https://{name}.{domain}" for name in names)


#: The edition that this project archives.
FRENCH = Site()
