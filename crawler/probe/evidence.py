"""The responses that a probe received, and the parsed lists and articles that several checks share.

If a list or page cannot be parsed, the error is returned as a value and not raised, because each check decides what the
error means.

Boundary: values only; nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from crawler import urls
from crawler.discover import Discovery, discover
from crawler.errors import MarkupDrift, NotAnArticle, UnreadableSource
from crawler.finding import FindingVerdict
from crawler.markup import Markup
from crawler.parse.page import parse_page
from crawler.site import Site
from crawler.types import Article, Fetched, Sighting, SourceForPoll, SourceKind

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
    """The robots.txt of one host: HTTP status, text, Crawl-delay for this crawler in seconds, and sitemaps."""

    status: int
    text: str
    delay: float = 0.0
    sitemaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check: the verdict, what was seen, what to do about it, and the settings to adopt."""

    verdict: FindingVerdict
    seen: str
    advice: str = ""
    adopt: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


Adopt = Mapping[str, Mapping[str, object]]


def confirmed(seen: str) -> CheckResult:
    """Return the result of a check whose assumption is true; `seen` describes what was seen."""
    return CheckResult("confirmed", seen)


def differs(seen: str, advice: str, adopt: Adopt | None = None) -> CheckResult:
    """Return the result of a check whose assumption is wrong.

    `seen` describes what was seen, `advice` says what to do about it, and `adopt` holds settings to change.
    """
    return CheckResult("differs", seen, advice, adopt or {})


def unknown(why: str) -> CheckResult:
    """Return the result of a check whose assumption is neither confirmed nor refuted; `why` is the reason."""
    return CheckResult("unknown", why)


@dataclass
class ProbeEvidence:
    """All responses of one probe, by the key of their question.

    `parse_page` and `discover` read a response. The pipeline passes functions that do this in another process.
    """

    site: Site
    markups: Sequence[Markup]
    now: datetime
    parse_page: Callable[..., Article] = parse_page
    discover: Callable[[SourceForPoll, bytes, str, Site, datetime], Discovery] = discover
    rules: dict[str, Rules] = field(default_factory=dict)
    responses: dict[str, ProbeResponse] = field(default_factory=dict)
    _lists: dict[tuple[str, SourceKind], Discovery | UnreadableSource] = field(default_factory=dict)
    _articles: dict[str, Article | NotAnArticle | MarkupDrift] = field(default_factory=dict)

    def response(self, key: str) -> Fetched | None:
        """Return the response to the question `key`, whatever its status; None if there was no response."""
        return self.responses[key].response if key in self.responses else None

    def ok(self, key: str) -> Fetched | None:
        """Return the response to the question `key` if its status is 200, otherwise None."""
        response = self.response(key)
        return response if response is not None and response.status == OK else None

    def failure(self, *keys: str) -> str:
        """Return why a question in `keys` has no response with status 200; if there are several, the first one counts.

        Return an empty string if every question has such a response.
        """
        for key in keys:
            if self.ok(key) is None:
                response, asked = self.response(key), self.responses.get(key, ProbeResponse(error="not asked"))
                return f"HTTP status {response.status} at {path(response.url)}" if response else asked.error
        return ""

    def read(self, key: str, kind: SourceKind) -> Discovery | UnreadableSource | None:
        """Return the response to the question `key`, parsed as a list of the given kind, or the error if parsing fails.

        Return None if there is no response with status 200.
        """
        response = self.ok(key)
        if response is None:
            return None
        if (key, kind) not in self._lists:
            self._lists[key, kind] = self._read(response, kind)
        return self._lists[key, kind]

    def _read(self, response: Fetched, kind: SourceKind) -> Discovery | UnreadableSource:
        source = SourceForPoll(response.url, kind, None, "new", 0, None, None)
        try:
            return self.discover(source, response.content, response.url, self.site, response.fetched_at)
        except UnreadableSource as error:
            return error

    def stories(self, key: str, kind: SourceKind) -> tuple[Sighting, ...]:
        """Return the articles that the response to a question lists; an empty tuple if no list could be parsed."""
        found = self.read(key, kind)
        return found.sightings if isinstance(found, Discovery) else ()

    def article(self, key: str) -> Article | NotAnArticle | MarkupDrift | None:
        """Return the response to the question `key`, parsed as an article, or the error if parsing fails.

        Return None if there is no response with status 200.
        """
        response = self.ok(key)
        if response is None:
            return None
        if key not in self._articles:
            self._articles[key] = self._parsed(response)
        return self._articles[key]

    def _parsed(self, response: Fetched) -> Article | NotAnArticle | MarkupDrift:
        try:
            return self.parse_page(
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
        """Return the articles in all lists of current articles (`LISTS`), without duplicates, highest id first."""
        found = [s for key, kind in LISTS if key in self.responses for s in self.stories(key, kind)]
        once = {s.post_id: s for s in found if s.post_id is not None}
        return tuple(once[post_id] for post_id in sorted(once, reverse=True))


#: The questions whose responses list current articles, with the kind of list.
LISTS: tuple[tuple[str, SourceKind], ...] = (
    ("month:now", "sitemap"), ("news", "news_sitemap"), ("feed", "feed"), ("home", "home"), ("section", "section"),
    ("media", "section"),
)  # fmt: skip


def path(url: str) -> str:
    """Return the path and query of an address, for texts that people read."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def slug(url: str) -> str:
    """Return the first part of the path of an address, which is the slug of the section."""
    return urls.section_path(urls.canonical(url)).split("/")[0]


def count(number: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural: `1 picture`, `2 pictures`."""
    return f"{number} {noun}" + "s" * (number != 1)


def named(items: Sequence[str], most: int = 6) -> str:
    """Return the first `most` names in `items`, separated by commas, and the number of the other names."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown
