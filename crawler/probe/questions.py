"""The questions of a probe in order: one question is one request, whose address may depend on earlier responses.

There are about thirty questions, and most of them serve several checks. Articles are chosen from the site's own lists.
The few invented addresses (a wrong slug, ids that do not exist) test how the site responds to them.

Boundary: addresses only; `pipeline.probe` sends the requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from crawler import site, urls
from crawler.discover.found import Discovery
from crawler.probe.evidence import ProbeEvidence, path, slug
from crawler.types import Sighting, SourceFound

MOST_REQUESTS = 35
API_KEYS = ("api:0", "api:1", "api:2")  # one for each host that may have the list API
ASKED_SIZE = 100  # items requested from the list API at once; it should return at most 50 (dossier section 10)

#: Name, year and month of the articles that represent the body shapes (dossier section 6). 2024-02 follows the change
#: to clean text.
ERAS: tuple[tuple[str, int, int | None], ...] = (
    ("2010", 2010, None),
    ("2014", 2014, None),
    ("2018", 2018, None),
    ("2022", 2022, None),
    ("2024", 2024, 2),
)
#: Patterns in titles, slugs and sections of pages without text, by kind (dossier section 7).
MEDIA = {"infographic": r"infograph", "video": r"vid[ée]o", "photo": r"photo"}
_ANY_MEDIA = re.compile("|".join(MEDIA.values()), re.IGNORECASE)
_FAR = 100_000  # ids beyond the newest one, which is years ahead


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a probe. `address` returns its address, or None; `without` states why there may be none."""

    key: str
    address: Callable[[ProbeEvidence], str | None]
    without: str = ""
    visit: bool = False  # an article, which is stored as after any other visit
    validators: str | None = None  # the question whose response supplies the ETag and Last-Modified to send


def sitemap_lines(evidence: ProbeEvidence) -> list[str]:
    """Return the addresses of this site's sitemaps that robots.txt names."""
    rules = evidence.rules.get(urls.origin(evidence.site.root))
    return [url for url in rules.sitemaps if evidence.site.owns(url)] if rules else []


def months(evidence: ProbeEvidence) -> list[SourceFound]:
    """Return the monthly sitemaps that the sitemap index lists, oldest first."""
    found = evidence.read("index", "sitemap_index")
    listed = found.sources if isinstance(found, Discovery) else ()
    return sorted((s for s in listed if s.when is not None), key=lambda s: s.when or (0, 0))


def sections(evidence: ProbeEvidence) -> list[SourceFound]:
    """Return the sections that a poll would find on the home page, in the order of the page."""
    found = evidence.read("home", "home")
    listed = found.sources if isinstance(found, Discovery) else ()
    return [s for s in listed if s.kind == "section"]


def linked_feeds(evidence: ProbeEvidence) -> list[str]:
    """Return the addresses of the feeds that a poll would find on the home page."""
    found = evidence.read("home", "home")
    return [s.url for s in found.sources if s.kind == "feed"] if isinstance(found, Discovery) else []


def zones(evidence: ProbeEvidence) -> dict[str, str]:
    """Return the site's number (zone id) for each section in the menu, by the slug of the section."""
    return {slug(s.url): s.zone for s in sections(evidence) if s.zone}


def api_hosts(evidence: ProbeEvidence) -> list[str]:
    """Return the hosts that may have the list API: those in the configuration or, if it names none, the likely ones."""
    return list(evidence.site.api or site.api_hosts(evidence.site.root))


def api_key(evidence: ProbeEvidence) -> str | None:
    """Return the key of the first question to which a host responded with a list from the API; None if no host did."""
    return next((key for key in API_KEYS if isinstance(evidence.read(key, "list"), Discovery)), None)


def unlisted_id(stories: Iterable[Sighting]) -> int | None:
    """Return an id that is not in `stories`, but lies between two ids that are; None if there is no such id.

    If there are several such ranges of ids, the middle one is used.
    """
    known = sorted(s.post_id for s in stories if s.post_id is not None)
    missing = [low + 1 for low, high in pairwise(known) if high - low > 1]
    return missing[len(missing) // 2] if missing else None


# --- addresses ---


def _home(evidence: ProbeEvidence) -> str:
    return evidence.site.root


def _index(evidence: ProbeEvidence) -> str:
    named, guess = sitemap_lines(evidence), evidence.site.url(site.SITEMAP_INDEX)
    return named[0] if named and guess not in named else guess


def _news(evidence: ProbeEvidence) -> str:
    found = evidence.read("index", "sitemap_index")
    named = [s.url for s in found.sources if s.kind == "news_sitemap"] if isinstance(found, Discovery) else []
    return named[0] if named else evidence.site.url(site.NEWS_SITEMAP)


def _feed(evidence: ProbeEvidence) -> str:
    linked, guess = linked_feeds(evidence), evidence.site.url(site.HOME_FEED)
    return linked[0] if linked and guess not in linked else guess


def _feed_list(evidence: ProbeEvidence) -> str:
    return evidence.site.url(site.FEED_INDEX)


def _this_month(evidence: ProbeEvidence) -> str | None:
    listed = months(evidence)
    return listed[-1].url if listed else None


def _month_of(year: int, month: int | None) -> Callable[[ProbeEvidence], str | None]:
    def address(evidence: ProbeEvidence) -> str | None:
        of_year = [s for s in months(evidence) if s.when and s.when[0] == year]
        exact = [s for s in of_year if s.when == (year, month)]
        return exact[0].url if exact else of_year[len(of_year) // 2].url if of_year else None

    return address


def _section(evidence: ProbeEvidence) -> str | None:
    plain = [s.url for s in sections(evidence) if not _ANY_MEDIA.search(f"{s.name} {s.url}")]
    return plain[0] if plain else None


def _more(evidence: ProbeEvidence) -> str | None:
    found = evidence.read("section", "section")
    return found.more if isinstance(found, Discovery) else None


def _newest(evidence: ProbeEvidence) -> str | None:
    return _plain(evidence.all_stories()[:50], 0)


def _article_of(key: str) -> Callable[[ProbeEvidence], str | None]:
    def address(evidence: ProbeEvidence) -> str | None:
        stories = evidence.stories(key, "sitemap")
        return _plain(stories, len(stories) // 2)

    return address


def _plain(stories: Iterable[Sighting], place: int) -> str | None:
    """Return the address of the article at index `place` of a list, or of the last one if the list is shorter.

    Articles that look like pictures or videos are left out first, unless all articles look like that. Return None if
    the list is empty.
    """
    every = list(stories)
    plain = [s for s in every if not _ANY_MEDIA.search(f"{s.title} {s.url}")] or every
    return plain[min(place, len(plain) - 1)].url if plain else None


def _old_form(evidence: ProbeEvidence) -> str | None:
    known = _known_article(evidence)
    return evidence.site.older_article_url(*known) if known else None


def _wrong_slug(evidence: ProbeEvidence) -> str | None:
    known = _known_article(evidence)
    return evidence.site.article_url("autre-titre", known[1]) if known else None


def _known_article(evidence: ProbeEvidence) -> tuple[str, int] | None:
    """Return the slug and the post id of the newest requested article.

    Return None if its request led to another page, or to an address without a slug.
    """
    response = evidence.ok("era:now")
    name, post_id = (urls.slug(response.url), urls.post_id(response.url)) if response else (None, None)
    return (name, post_id) if name and post_id is not None else None


def _again(evidence: ProbeEvidence) -> str | None:
    response = evidence.ok("era:now")
    return response.url if response else None


def _conditional(evidence: ProbeEvidence) -> str | None:
    response = evidence.ok("era:now")
    return response.url if response and (response.header("ETag") or response.header("Last-Modified")) else None


def _high_id(evidence: ProbeEvidence) -> str | None:
    stories = evidence.all_stories()
    return evidence.site.article_by_id((stories[0].post_id or 0) + _FAR) if stories else None


def _unlisted(evidence: ProbeEvidence) -> str | None:
    found = unlisted_id(evidence.all_stories())
    return evidence.site.article_by_id(found) if found else None


def _api(place: int) -> Callable[[ProbeEvidence], str | None]:
    def address(evidence: ProbeEvidence) -> str | None:
        hosts = api_hosts(evidence)
        if place >= len(hosts) or api_key(evidence):
            return None
        return evidence.site.latest_list(hosts[place])

    return address


def _zone_list(evidence: ProbeEvidence) -> str | None:
    key, zone = api_key(evidence), next(iter(zones(evidence).values()), None)
    if key is None or zone is None:
        return None
    return evidence.site.zone_list(urls.origin(evidence.responses[key].url or ""), zone, ASKED_SIZE)


def _media_section(evidence: ProbeEvidence) -> str | None:
    return next((s.url for s in sections(evidence) if _ANY_MEDIA.search(f"{s.name} {urlsplit(s.url).path}")), None)


def _media(kind: str) -> Callable[[ProbeEvidence], str | None]:
    wanted = re.compile(MEDIA[kind], re.IGNORECASE)

    def address(evidence: ProbeEvidence) -> str | None:
        of_section = evidence.stories("media", "section")
        place = evidence.responses["media"].url or "" if "media" in evidence.responses else ""
        stories = of_section if wanted.search(path(place)) else ()
        named = [s for s in (*of_section, *evidence.all_stories()) if wanted.search(f"{s.title} {s.url}")]
        return next((s.url for s in (*named, *stories)), None)

    return address


_NO_MONTH = "the sitemap index lists no month of that year"
_NO_ARTICLE = "the sitemap of that month lists no article"
_NO_PAGE = "no current article could be fetched"

QUESTIONS: tuple[Question, ...] = (
    Question("home", _home),
    Question("index", _index),
    Question("news", _news),
    Question("month:now", _this_month, "the sitemap index lists no month"),
    Question("feed", _feed),
    Question("feeds", _feed_list),
    Question("section", _section, "the home page names no section"),
    Question("more", _more, "the section page has no known control for further pages"),
    Question("era:now", _newest, "no list names an article", visit=True),
    Question("older address", _old_form, _NO_PAGE),
    Question("wrong slug", _wrong_slug, _NO_PAGE),
    Question("id far ahead", _high_id, "no list names an article, so no id is known"),
    Question("unlisted id", _unlisted, "the lists name every id between the lowest and the highest"),
    Question("conditional", _conditional, "pages have no ETag and no Last-Modified", validators="era:now"),
    *(
        question
        for era, year, month in ERAS
        for question in (
            Question(f"month:{era}", _month_of(year, month), _NO_MONTH),
            Question(f"era:{era}", _article_of(f"month:{era}"), _NO_ARTICLE, visit=True),
        )
    ),
    Question("month:2016", _month_of(2016, None), _NO_MONTH),
    *(
        Question(key, _api(n), "another host serves the list API, or there is no such host")
        for n, key in enumerate(API_KEYS)
    ),
    Question("zone list", _zone_list, "there is no list API, or the menu has no zone ids"),
    Question("again", _again, _NO_PAGE),  # as late as possible, because pages change with time
    Question("media", _media_section, "the menu names no section of pictures or videos"),
    *(Question(f"media:{kind}", _media(kind), "no list names one", visit=True) for kind in MEDIA),
)
