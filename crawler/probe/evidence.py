"""What the probe has asked, what came back, and the readings that several checks share.

Boundary: values only; nothing is asked here. A reading that fails is an error value, not an exception: what it means is
for a check to say.
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
class Asked:
    """One question to the site: its address, and the answer or why there is none."""

    url: str | None = None
    answer: Fetched | None = None
    trouble: str = ""
    disallowed: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """robots.txt of one host: status, text, the Crawl-delay that is meant for us, the sitemaps it names."""

    status: int
    text: str
    delay: float = 0.0
    sitemaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check says."""

    verdict: FindingVerdict
    seen: str
    advice: str = ""
    adopt: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


Adopt = Mapping[str, Mapping[str, object]]


def confirmed(seen: str) -> Seen:
    """Say that it is as assumed."""
    return Seen("confirmed", seen)


def differs(seen: str, advice: str, adopt: Adopt | None = None) -> Seen:
    """Say that it is not as assumed, and what to do about it."""
    return Seen("differs", seen, advice, adopt or {})


def unknown(why: str) -> Seen:
    """Say that the answers do not tell."""
    return Seen("unknown", why)


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
class Evidence:
    """All questions of one probe, by their key."""

    site: Site
    markups: Sequence[Markup]
    now: datetime
    rules: dict[str, Rules] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    _lists: dict[tuple[str, str], Discovery | UnreadableSource] = field(default_factory=dict)
    _articles: dict[str, Article | NotAnArticle | MarkupDrift] = field(default_factory=dict)

    def answer(self, key: str) -> Fetched | None:
        """Give the answer to a question, whatever its status."""
        return self.asked[key].answer if key in self.asked else None

    def good(self, key: str) -> Fetched | None:
        """Give the answer to a question when its status is 200."""
        answer = self.answer(key)
        return answer if answer is not None and answer.status == OK else None

    def why(self, *keys: str) -> str:
        """Say why the first of these questions that failed has no good answer."""
        for key in keys:
            if self.good(key) is None:
                answer, asked = self.answer(key), self.asked.get(key, Asked(trouble="not asked"))
                return f"HTTP status {answer.status} at {path(answer.url)}" if answer else asked.trouble
        return ""

    def read(self, key: str, kind: str) -> Discovery | UnreadableSource | None:
        """Read a good answer as a list of some kind; None when there is none."""
        answer = self.good(key)
        if answer is None:
            return None
        if (key, kind) not in self._lists:
            self._lists[key, kind] = self._read(answer, kind)
        return self._lists[key, kind]

    def _read(self, answer: Fetched, kind: str) -> Discovery | UnreadableSource:
        try:
            return _READERS[kind](answer.content, answer.url, self.site, answer.fetched_at)
        except UnreadableSource as error:
            return error

    def stories(self, key: str, kind: str) -> tuple[Sighting, ...]:
        """Give the articles that an answer names; none when it cannot be read."""
        found = self.read(key, kind)
        return found.sightings if isinstance(found, Discovery) else ()

    def article(self, key: str) -> Article | NotAnArticle | MarkupDrift | None:
        """Read a good answer as an article; None when there is none."""
        answer = self.good(key)
        if answer is None:
            return None
        if key not in self._articles:
            self._articles[key] = self._parsed(answer)
        return self._articles[key]

    def _parsed(self, answer: Fetched) -> Article | NotAnArticle | MarkupDrift:
        try:
            return parse_page(
                answer.content,
                answer.url,
                content_type=answer.header("Content-Type"),
                fetched_at=answer.fetched_at,
                markups=self.markups,
                edition=self.site,
            )
        except (NotAnArticle, MarkupDrift) as error:
            return error

    def all_stories(self) -> tuple[Sighting, ...]:
        """Give every article that some list of this probe names, newest id first, once each."""
        found = [s for key, kind in LISTS if key in self.asked for s in self.stories(key, kind)]
        once = {s.post_id: s for s in found if s.post_id is not None}
        return tuple(once[post_id] for post_id in sorted(once, reverse=True))


#: The questions whose answers are lists of articles of today, and how they are read.
LISTS = (
    ("month:now", "urlset"), ("news", "urlset"), ("feed", "feed"), ("home", "home"), ("section", "section"),
    ("media", "section"),
)  # fmt: skip


def path(url: str) -> str:
    """Give an address without its host, for people."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def slug(url: str) -> str:
    """Give the first part of an address's path, which names a section."""
    return urls.place(urls.canonical(url)).split("/")[0]


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number} {noun}" + "s" * (number != 1)


def named(items: Sequence[str], most: int = 6) -> str:
    """List names for people, not more than fit."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown
