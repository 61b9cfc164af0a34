"""The responses that a probe received, and the parsed lists and articles that several checks share.

A list or page that cannot be parsed becomes an error value, not an exception, because each check decides what it means.

Boundary: values only; nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from crawler import urls
from crawler.discover import api, feeds, lists, sitemaps
from crawler.discover.found import Discovery
from crawler.errors import MarkupDrift, NotAnArticle, UnreadableSource
from crawler.markup import Markup
from crawler.parse.page import parse_page
from crawler.site import Site
from crawler.types import Article, Fetched, FindingVerdict, Sighting

OK = 200


@dataclass(frozen=True, slots=True)
class ProbeResponse:
    """The response to one question, or the reason why there is none.

    `url` is None if there was no address to request. `disallowed` means that robots.txt forbids the address.
    """

    url: str | None = None
    response: Fetched | None = None
    error: str = ""
    disallowed: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """robots.txt of one host: HTTP status, text, the Crawl-delay for this crawler in seconds, and the sitemaps."""

    status: int
    text: str
    delay: float = 0.0
    sitemaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check: what was seen, what to do about it, and settings to adopt."""

    verdict: FindingVerdict
    seen: str
    advice: str = ""
    adopt: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


Adopt = Mapping[str, Mapping[str, object]]


def confirmed(seen: str) -> CheckResult:
    """Return the result of an assumption that holds."""
    return CheckResult("confirmed", seen)


def differs(seen: str, advice: str, adopt: Adopt | None = None) -> CheckResult:
    """Return the result of an assumption that does not hold, with what to do about it."""
    return CheckResult("differs", seen, advice, adopt or {})


def unknown(why: str) -> CheckResult:
    """Return the result of an assumption that the responses neither confirm nor contradict."""
    return CheckResult("unknown", why)


_READERS: Mapping[str, Callable[[bytes, str, Site, datetime], Discovery]] = {
    "home": lists.home,
    "section": lists.section,
    "feed": feeds.feed,
    "feed_index": feeds.feed_index,
    "list": api.page,
    "urlset": sitemaps.urlset,
    "index": sitemaps.index,
}


@dataclass
class ProbeEvidence:
    """All responses of one probe, by the key of their question."""

    site: Site
    markups: Sequence[Markup]
    now: datetime
    rules: dict[str, Rules] = field(default_factory=dict)
    responses: dict[str, ProbeResponse] = field(default_factory=dict)
    _lists: dict[tuple[str, str], Discovery | UnreadableSource] = field(default_factory=dict)
    _articles: dict[str, Article | NotAnArticle | MarkupDrift] = field(default_factory=dict)

    def response(self, key: str) -> Fetched | None:
        """Return the response to a question, whatever its status."""
        return self.responses[key].response if key in self.responses else None

    def ok(self, key: str) -> Fetched | None:
        """Return the response to a question if its status is 200."""
        response = self.response(key)
        return response if response is not None and response.status == OK else None

    def failure(self, *keys: str) -> str:
        """Return why the first failed question among these has no response with status 200; empty if none failed."""
        for key in keys:
            if self.ok(key) is None:
                response, asked = self.response(key), self.responses.get(key, ProbeResponse(error="not asked"))
                return f"HTTP status {response.status} at {path(response.url)}" if response else asked.error
        return ""

    def read(self, key: str, kind: str) -> Discovery | UnreadableSource | None:
        """Parse a response with status 200 as a list of some kind; None without such a response."""
        response = self.ok(key)
        if response is None:
            return None
        if (key, kind) not in self._lists:
            self._lists[key, kind] = self._read(response, kind)
        return self._lists[key, kind]

    def _read(self, response: Fetched, kind: str) -> Discovery | UnreadableSource:
        try:
            return _READERS[kind](response.content, response.url, self.site, response.fetched_at)
        except UnreadableSource as error:
            return error

    def stories(self, key: str, kind: str) -> tuple[Sighting, ...]:
        """Return the articles that a response lists; none if it cannot be parsed."""
        found = self.read(key, kind)
        return found.sightings if isinstance(found, Discovery) else ()

    def article(self, key: str) -> Article | NotAnArticle | MarkupDrift | None:
        """Parse a response with status 200 as an article; None without such a response."""
        response = self.ok(key)
        if response is None:
            return None
        if key not in self._articles:
            self._articles[key] = self._parsed(response)
        return self._articles[key]

    def _parsed(self, response: Fetched) -> Article | NotAnArticle | MarkupDrift:
        try:
            return parse_page(
                response.content,
                response.url,
                content_type=response.header("Content-Type"),
                fetched_at=response.fetched_at,
                markups=self.markups,
                edition=self.site,
            )
        except (NotAnArticle, MarkupDrift) as error:
            return error

    def all_stories(self) -> tuple[Sighting, ...]:
        """Return every article that a list of this probe contains, without duplicates, newest id first."""
        found = [s for key, kind in LISTS if key in self.responses for s in self.stories(key, kind)]
        once = {s.post_id: s for s in found if s.post_id is not None}
        return tuple(once[post_id] for post_id in sorted(once, reverse=True))


#: The questions whose responses list current articles, with the kind of list.
LISTS = (
    ("month:now", "urlset"), ("news", "urlset"), ("feed", "feed"), ("home", "home"), ("section", "section"),
    ("media", "section"),
)  # fmt: skip


def path(url: str) -> str:
    """Return the path and query of an address, for people."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def slug(url: str) -> str:
    """Return the first part of the path of an address, which names a section."""
    return urls.section_path(urls.canonical(url)).split("/")[0]


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 picture`, `2 pictures`."""
    return f"{number} {noun}" + "s" * (number != 1)


def named(items: Sequence[str], most: int = 6) -> str:
    """Return at most `most` names, separated by commas, and the number of the others."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown
