"""What is asked of the site, in order; each address may depend on the answers before it.

About thirty questions, each for several checks. Articles are picked from the site's own lists, never guessed; the few
invented addresses (a wrong slug, ids that are not there) are the point of their questions.

Boundary: addresses only; who asks, and how politely, is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from crawler import site, urls
from crawler.discover.found import Discovery
from crawler.probe.evidence import Evidence, path, slug
from crawler.types import Sighting, SourceFound

MOST_REQUESTS = 35
API_KEYS = ("api:0", "api:1", "api:2")  # the hosts that a list API may be on
ASKED_SIZE = 100  # items asked of the list API at once; it is thought to give 50 at most

#: dossier 6: the years that stand for the shapes of the body; of 2024 the month after the switch
ERAS: tuple[tuple[str, int, int | None], ...] = (
    ("2010", 2010, None),
    ("2014", 2014, None),
    ("2018", 2018, None),
    ("2022", 2022, None),
    ("2024", 2024, 2),
)
#: dossier 7: what titles, slugs and sections call the kinds of page without text
MEDIA = {"infographic": r"infograph", "video": r"vid[ée]o", "photo": r"photo"}
_ANY_MEDIA = re.compile("|".join(MEDIA.values()), re.IGNORECASE)
_FAR = 100_000  # ids beyond the newest: years ahead


@dataclass(frozen=True, slots=True)
class Question:
    """One request: its key, its address (None: there is nothing to ask, and `without` says why), and how to ask."""

    key: str
    address: Callable[[Evidence], str | None]
    without: str = ""
    visit: bool = False  # an article, to be stored like any other visit
    validators: str | None = None  # the question whose answer's ETag and Last-Modified are sent along


def sitemap_lines(evidence: Evidence) -> list[str]:
    """Give the sitemaps of this site that its robots.txt names."""
    rules = evidence.rules.get(urls.origin(evidence.site.root))
    return [url for url in rules.sitemaps if evidence.site.owns(url)] if rules else []


def months(evidence: Evidence) -> list[SourceFound]:
    """Give the monthly sitemaps that the index names, oldest first."""
    found = evidence.read("index", "index")
    listed = found.sources if isinstance(found, Discovery) else ()
    return sorted((s for s in listed if s.when is not None), key=lambda s: s.when or (0, 0))


def sections(evidence: Evidence) -> list[SourceFound]:
    """Give the sections that a poll would take from the home page, in its order."""
    found = evidence.read("home", "home")
    listed = found.sources if isinstance(found, Discovery) else ()
    return [s for s in listed if s.kind == "section"]


def linked_feeds(evidence: Evidence) -> list[str]:
    """Give the feeds that a poll would take from the home page."""
    found = evidence.read("home", "home")
    return [s.url for s in found.sources if s.kind == "feed"] if isinstance(found, Discovery) else []


def zones(evidence: Evidence) -> dict[str, str]:
    """Give the zone ids that the menu carries, by the slug of their section."""
    return {slug(s.url): s.zone for s in sections(evidence) if s.zone}


def api_hosts(evidence: Evidence) -> list[str]:
    """Give the hosts that may have the list API: those configured, else the guesses."""
    return list(evidence.site.api or site.api_hosts(evidence.site.root))


def api_key(evidence: Evidence) -> str | None:
    """Give the question to which a list API answered."""
    return next((key for key in API_KEYS if isinstance(evidence.read(key, "list"), Discovery)), None)


def gap_id(stories: Iterable[Sighting]) -> int | None:
    """Give an id that no list names between two that one does, the one nearest to the middle."""
    known = sorted(s.post_id for s in stories if s.post_id is not None)
    missing = [low + 1 for low, high in pairwise(known) if high - low > 1]
    return missing[len(missing) // 2] if missing else None


# --- addresses ---


def _home(evidence: Evidence) -> str:
    return evidence.site.root


def _index(evidence: Evidence) -> str:
    named, guess = sitemap_lines(evidence), evidence.site.url(site.SITEMAP_INDEX)
    return named[0] if named and guess not in named else guess


def _news(evidence: Evidence) -> str:
    found = evidence.read("index", "index")
    named = [s.url for s in found.sources if s.kind == "news_sitemap"] if isinstance(found, Discovery) else []
    return named[0] if named else evidence.site.url(site.NEWS_SITEMAP)


def _feed(evidence: Evidence) -> str:
    linked, guess = linked_feeds(evidence), evidence.site.url(site.HOME_FEED)
    return linked[0] if linked and guess not in linked else guess


def _feed_list(evidence: Evidence) -> str:
    return evidence.site.url(site.FEED_INDEX)


def _this_month(evidence: Evidence) -> str | None:
    listed = months(evidence)
    return listed[-1].url if listed else None


def _month_of(year: int, month: int | None) -> Callable[[Evidence], str | None]:
    def address(evidence: Evidence) -> str | None:
        of_year = [s for s in months(evidence) if s.when and s.when[0] == year]
        exact = [s for s in of_year if s.when == (year, month)]
        return exact[0].url if exact else of_year[len(of_year) // 2].url if of_year else None

    return address


def _section(evidence: Evidence) -> str | None:
    plain = [s.url for s in sections(evidence) if not _ANY_MEDIA.search(f"{s.name} {s.url}")]
    return plain[0] if plain else None


def _more(evidence: Evidence) -> str | None:
    found = evidence.read("section", "section")
    return found.more if isinstance(found, Discovery) else None


def _newest(evidence: Evidence) -> str | None:
    return _plain(evidence.all_stories()[:50], 0)


def _article_of(key: str) -> Callable[[Evidence], str | None]:
    def address(evidence: Evidence) -> str | None:
        stories = evidence.stories(key, "urlset")
        return _plain(stories, len(stories) // 2)

    return address


def _plain(stories: Iterable[Sighting], place: int) -> str | None:
    """Pick the article at some place of a list, those that look like pictures or players left out if possible."""
    every = list(stories)
    plain = [s for s in every if not _ANY_MEDIA.search(f"{s.title} {s.url}")] or every
    return plain[min(place, len(plain) - 1)].url if plain else None


def _old_form(evidence: Evidence) -> str | None:
    url, post_id = _known(evidence)
    return evidence.site.url(f"/{_slug_of(url)}/{post_id}.vnp") if url else None


def _wrong_slug(evidence: Evidence) -> str | None:
    url, post_id = _known(evidence)
    return evidence.site.url(f"/autre-titre-post{post_id}.vnp") if url else None


def _known(evidence: Evidence) -> tuple[str | None, int | None]:
    answer = evidence.good("era:now")
    return (answer.url, urls.post_id(answer.url)) if answer else (None, None)


def _slug_of(url: str) -> str:
    return re.sub(r"(?:-post|/)\d+\.vnp$", "", path(url)).strip("/")


def _again(evidence: Evidence) -> str | None:
    return _known(evidence)[0]


def _conditional(evidence: Evidence) -> str | None:
    answer = evidence.good("era:now")
    return answer.url if answer and (answer.header("ETag") or answer.header("Last-Modified")) else None


def _high_id(evidence: Evidence) -> str | None:
    stories = evidence.all_stories()
    return evidence.site.article_by_id((stories[0].post_id or 0) + _FAR) if stories else None


def _gap(evidence: Evidence) -> str | None:
    found = gap_id(evidence.all_stories())
    return evidence.site.article_by_id(found) if found else None


def _api(place: int) -> Callable[[Evidence], str | None]:
    def address(evidence: Evidence) -> str | None:
        hosts = api_hosts(evidence)
        if place >= len(hosts) or api_key(evidence):
            return None
        return evidence.site.latest_list(hosts[place])

    return address


def _zone_list(evidence: Evidence) -> str | None:
    key, zone = api_key(evidence), next(iter(zones(evidence).values()), None)
    if key is None or zone is None:
        return None
    usual = evidence.site.zone_list(urls.origin(evidence.asked[key].url or ""), zone)
    return usual.replace(f"page_size={site.LIST_SIZE}", f"page_size={ASKED_SIZE}")


def _media_section(evidence: Evidence) -> str | None:
    return next((s.url for s in sections(evidence) if _ANY_MEDIA.search(f"{s.name} {urlsplit(s.url).path}")), None)


def _media(kind: str) -> Callable[[Evidence], str | None]:
    wanted = re.compile(MEDIA[kind], re.IGNORECASE)

    def address(evidence: Evidence) -> str | None:
        of_section = evidence.stories("media", "section")
        place = evidence.asked["media"].url or "" if "media" in evidence.asked else ""
        stories = of_section if wanted.search(path(place)) else ()
        named = [s for s in (*of_section, *evidence.all_stories()) if wanted.search(f"{s.title} {s.url}")]
        return next((s.url for s in (*named, *stories)), None)

    return address


_NO_MONTH = "the sitemap index names no month of it"
_NO_ARTICLE = "no list names an article of it"
_NO_PAGE = "no article of today could be had"

QUESTIONS: tuple[Question, ...] = (
    Question("home", _home),
    Question("index", _index),
    Question("news", _news),
    Question("month:now", _this_month, "the sitemap index names no month"),
    Question("feed", _feed),
    Question("feeds", _feed_list),
    Question("section", _section, "the home page names no section"),
    Question("more", _more, "the section page offers no further pages that are known"),
    Question("era:now", _newest, "no list names an article", visit=True),
    Question("old form", _old_form, _NO_PAGE),
    Question("wrong slug", _wrong_slug, _NO_PAGE),
    Question("high id", _high_id, "no list names an article, so no id is known"),
    Question("gap id", _gap, "the ids that the lists name have no gap"),
    Question("conditional", _conditional, "pages carry no ETag and no Last-Modified", validators="era:now"),
    *(
        question
        for era, year, month in ERAS
        for question in (
            Question(f"month:{era}", _month_of(year, month), _NO_MONTH),
            Question(f"era:{era}", _article_of(f"month:{era}"), _NO_ARTICLE, visit=True),
        )
    ),
    Question("month:2016", _month_of(2016, None), _NO_MONTH),
    *(Question(key, _api(n), "another host answered, or there is none") for n, key in enumerate(API_KEYS)),
    Question("zone list", _zone_list, "there is no list API, or the menu carries no zone ids"),
    Question("again", _again, _NO_PAGE),  # as late as possible: what changes in a page, changes with time
    Question("media", _media_section, "the menu names no section of pictures or videos"),
    *(Question(f"media:{kind}", _media(kind), "no list shows one", visit=True) for kind in MEDIA),
)
