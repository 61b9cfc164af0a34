"""Facts about the agency's site that are not markup: hosts, time zone, addresses of its channels.

Boundary: data and string building; nothing is fetched. Nobody has compared these facts with the live site from here:
each is a hypothesis with its section of the site dossier beside it (`docs/site-facts.md`), and `vna probe` compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone

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

#: dossier 9: what the load-more control of a section page calls
LOAD_MORE = "/api/get-zone"


@dataclass(frozen=True, slots=True)
class Site:
    """One edition of the site, at its own root or at that of a double on loopback."""

    root: str = ROOT

    @property
    def host(self) -> str:
        """The host that pages may come from."""
        return urls.host(self.root)

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

    def monthly_sitemap(self, year: int, month: int) -> str:
        """Give the address of a month's sitemap; the month is not zero-padded (dossier 11)."""
        return self.url(f"/sitemaps/news-{year}-{month}.xml")


#: The edition that this project is about.
FRENCH = Site()
