"""Facts about the agency's site that are not markup: hosts, time zone, addresses of its channels.

Boundary: data and string building; nothing is fetched. Nobody has compared these facts with the live site from here:
each is a hypothesis with its section of the site dossier beside it (`docs/site-facts.md`), and `vna probe` compares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from urllib.parse import urlsplit

from crawler import urls

#: dossier 15: +07:00, no daylight saving
HANOI = timezone(timedelta(hours=7), "+07:00")

#: dossier 1: the French edition
ROOT = "https://fr.vietnamplus.vn/"

#: dossier 1: the domain under which all editions live, each with its own sequence of ids
EDITIONS = ("vietnamplus.vn",)

#: dossier 4: what follows the headline in `<title>`
TITLE_SUFFIX = r"\s*[|–-]\s*Vietnam\s*\+?\s*\(?\s*VietnamPlus\s*\)?\s*$"

#: dossier 5, 9: names that a breadcrumb gives to the home page
HOME_NAMES = frozenset({"accueil", "trang chủ", "home", "vietnam+ (vietnamplus)", "vietnamplus", "vietnam+"})

#: dossier 11 and 12: candidates, in order of trust
SITEMAP_INDEX = "/sitemap.xml"
NEWS_SITEMAP = "/sitemaps/google-news.xml"
HOME_FEED = "/rss/home.rss"
FEED_INDEX = "/rss.html"

#: dossier 11: the month of the first sitemap; nothing older is asked for
FLOOR = date(2010, 1, 1)

#: dossier 3: post ids of the French edition, and the day on which the sequence had come so far (give or take a few days)
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

#: dossier 3: articles of an ordinary day, and ids that the sequence uses up in a day behind the last anchor
ARTICLES_A_DAY = 45.0
IDS_A_DAY = 50

#: dossier 9: articles on one page of a section's list
SECTION_PAGE = 30

#: dossier 9: what the load-more control of a section page calls
LOAD_MORE = "/api/get-zone"

#: dossier 10: the list API: topic 107 is the stream of the latest news; a page has 40 items unless asked for up to 50
LATEST_TOPIC = "107"
LIST_SIZE = 40
_LIST = re.compile(r"/api/morenews-(?:zone|topic)-\d+-\d+\.html")


@dataclass(frozen=True, slots=True)
class Site:
    """One edition of the site, at its own root or at that of a double on loopback.

    `api` names the hosts whose list API may be asked (as origins, in order of trust); none unless the configuration
    opts in.
    """

    root: str = ROOT
    api: tuple[str, ...] = ()

    def url(self, path: str) -> str:
        """Give the absolute address of a path of this site."""
        return urls.absolute(self.root, path) or self.root

    def other_edition(self, url: str) -> bool:
        """Say whether a URL belongs to another edition of the agency, whose ids are another sequence (dossier 1)."""
        there, here = urls.host(urls.canonical(url)), urls.host(urls.canonical(self.root))
        return there != here and any(there == d or there.endswith(f".{d}") for d in EDITIONS)

    def owns(self, url: str) -> bool:
        """Say whether a URL is on this site, also under its mobile name (dossier 18.19)."""
        return urls.origin(urls.canonical(url)) == urls.origin(urls.canonical(self.root))

    def may_ask(self, url: str) -> bool:
        """Say whether a URL may be asked for: of other hosts nothing but the list API, and that where it is opted in."""
        return self.owns(url) or self.is_list(url) or (self._api_host(url) and urlsplit(url).path == "/robots.txt")

    def is_list(self, url: str) -> bool:
        """Say whether a URL is a page of the list API on one of its hosts."""
        return self._api_host(url) and _LIST.fullmatch(urlsplit(url).path) is not None

    def monthly_sitemap(self, year: int, month: int) -> str:
        """Give the address of a month's sitemap; the month is not zero-padded (dossier 11)."""
        return self.url(f"/sitemaps/news-{year}-{month}.xml")

    def article_by_id(self, post_id: int) -> str:
        """Give an address that names an article by its id alone; whether the site answers it is to be seen (dossier 2)."""
        return f"{self.guesses}{post_id}.vnp"

    @property
    def guesses(self) -> str:
        """What every address of `article_by_id` begins with, and no address that the site names."""
        return self.url("/x-post")

    def latest_list(self, host: str) -> str:
        """Give the address of the latest news in the list API of a host (dossier 10)."""
        query = f"phrase=&page_size={LIST_SIZE}&sz={LATEST_TOPIC}&st=topic"
        return f"{host}/api/morenews-topic-{LATEST_TOPIC}-1.html?{query}"

    def zone_list(self, host: str, zone: str) -> str:
        """Give the address of a section in the list API of a host (dossier 10)."""
        return f"{host}/api/morenews-zone-{zone}-1.html?phrase=&page_size={LIST_SIZE}"

    def _api_host(self, url: str) -> bool:
        return urls.origin(url) in self.api


def api_hosts(root: str) -> tuple[str, ...]:
    """List where an edition's list API is thought to be, in order of trust; a double on loopback has it on itself.

    Dossier 1 and 10: seen are `zh-api.vietnamplus.vn`, `api-fr.nhandan.vn` and the site's own host.
    """
    own = urls.origin(root)
    edition, _, domain = urls.host(root).partition(".")
    if domain not in EDITIONS:
        return (own,)
    return (f"https://{edition}-api.{domain}", f"https://api-{edition}.{domain}", own)


#: The edition that this project is about.
FRENCH = Site()
