"""Derive the current revision and state of articles from all visits to their pages, in the order of time.

The pipeline decides the same, visit by visit, with a database (`pipeline.pages`, `pipeline.articles`). Here all visits are
known at once, so that they can be parsed in any order and on many machines before anything is decided.

Boundary: pure; the caller reads the captures. Pictures, relations between articles, texts without a page and fields that
a redesign moved are not considered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from crawler import identity, schedule
from crawler.errors import NOT_FOUND, Rejection
from crawler.identity import Known
from crawler.markup import Learned
from crawler.parse.garbled import GarbledText
from crawler.types import Article, PageForFetch, PageOutcome, PageState, Reading

_OK = 200
_NOT_MODIFIED = 304
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Visit:
    """One response to a request for a page, or the note about a request without a usable response (status 0).

    `place` is the address of the WARC file and the byte offset of the record. `article` and `reading` are None if the page
    was not parsed: `rejection` then says why, and is None for an unknown layout. `is_cut_off`: whether the page ends
    without its end tag; `garbled` is set if characters of the page were damaged. `is_import`: whether the capture was
    imported from another collection.
    """

    page: int
    at: datetime
    place: tuple[str, int]
    url: str
    status: int
    article: Article | None = None
    reading: Reading | None = None
    rejection: Rejection | None = None
    is_cut_off: bool = False
    garbled: GarbledText | None = None
    is_import: bool = False

    @property
    def key(self) -> int:
        """The id of the article that the page shows; without an article, the id of the page."""
        return (self.article.post_id if self.article is not None else None) or self.page


@dataclass(frozen=True, slots=True)
class CurrentArticle:
    """An article after all visits: its newest revision, and the visit that first showed this revision.

    `article` has the stories under `Voir plus` of the last visit that showed some. `reading` is None if the text has to
    be repaired: the article has fields of an earlier visit.
    """

    article: Article
    reading: Reading | None
    shown: Visit
    revision: int
    state: str
    first_seen_at: datetime
    checked_at: datetime


class _Linked(Protocol):
    @property
    def page(self) -> int: ...

    @property
    def key(self) -> int: ...


_L = TypeVar("_L", bound=_Linked)


def connected(visits: Iterable[_L]) -> Iterator[list[_L]]:
    """Yield the visits in groups that do not affect one another: a page may lead to the article of another page."""
    leaders: dict[int, int] = {}

    def leader(key: int) -> int:
        while (above := leaders.setdefault(key, key)) != key:
            key = above
        return key

    groups: dict[int, list[_L]] = {}
    found = list(visits)
    for visit in found:
        leaders[leader(visit.page)] = leader(visit.key)
    for visit in found:
        groups.setdefault(leader(visit.page), []).append(visit)
    yield from groups.values()


def current_articles(visits: Iterable[Visit], learned: Mapping[str, Learned]) -> dict[int, CurrentArticle]:
    """Return the articles that the visits show, by id.

    `visits` must contain all visits to the pages concerned, in any order. `learned` says how each learned layout was
    learned, by its name.
    """
    history = _History(learned)
    for visit in sorted(visits, key=lambda one: (one.at, one.place)):
        history.add(visit)
    return history.held


class _History:
    """The rows of some pages and articles, as they are after the visits that were added."""

    def __init__(self, learned: Mapping[str, Learned]) -> None:
        self.held: dict[int, CurrentArticle] = {}
        self._learned = learned
        self._pages: dict[int, PageForFetch] = {}

    def add(self, visit: Visit) -> None:
        """Apply one visit; they must come in the order of time."""
        page = self._pages.get(visit.page) or PageForFetch(visit.page, visit.url, "known", 0, visit.at, None, None)
        if visit.is_import:
            self._import(visit, page)
        elif visit.status == _NOT_MODIFIED and visit.page in self.held:
            self._touch(visit.page, visit.at)
            self._save(page, PageOutcome("live", None), visit.at)
        elif visit.status in NOT_FOUND:
            self._remove(page, visit.at)
        elif visit.status == _OK:
            self._read(visit, page)
        elif visit.status == _NOT_MODIFIED or visit.status not in _REDIRECTS:  # the response after a redirect counts
            self._save(page, schedule.failed(page, visit.at, ""), visit.at)

    def _import(self, visit: Visit, page: PageForFetch) -> None:
        if visit.article is None:
            return
        self._store(visit, visit.article)
        if page.state in schedule.UNREAD:
            self._save(page, PageOutcome("live", None), visit.at)

    def _read(self, visit: Visit, page: PageForFetch) -> None:
        is_cut_off = visit.is_cut_off and self._was_whole(page)
        if visit.article is None:
            self._note_unread(visit, page, is_cut_off=is_cut_off)
        elif is_cut_off or self._is_garbled(visit, page):
            self._save(page, schedule.failed(page, visit.at, ""), visit.at)
        else:
            self._store(visit, visit.article)
            self._save(page, PageOutcome("live", None), visit.at)
            if visit.key != page.id:
                self._save(replace(page, id=visit.key), PageOutcome("live", None), visit.at)
                if page.id in self.held:
                    self._remove(page, visit.at)

    def _note_unread(self, visit: Visit, page: PageForFetch, *, is_cut_off: bool) -> None:
        rejection = visit.rejection
        if rejection is not None and schedule.removal_reason(page, visit.url, rejection) is not None:
            self._remove(page, visit.at)
        elif rejection is None and not is_cut_off:
            self._save(page, schedule.failed(page, visit.at, "", state="drift"), visit.at)
        else:
            state: PageState = "failed" if rejection is None else "rejected"
            self._save(page, schedule.failed(page, visit.at, "", state=state), visit.at)

    def _was_whole(self, page: PageForFetch) -> bool:
        held = self.held.get(page.id)
        return page.failures < schedule.FAULT_RETRIES if held is None else not held.shown.is_cut_off

    def _is_garbled(self, visit: Visit, page: PageForFetch) -> bool:
        held, is_last = self.held.get(visit.key), page.failures >= schedule.FAULT_RETRIES
        text = visit.garbled
        return text is not None and text.is_fault(held.article if held else None, is_last=is_last)

    def _store(self, visit: Visit, article: Article) -> None:
        held = self.held.get(visit.key)
        if held is None:
            self.held[visit.key] = CurrentArticle(article, visit.reading, visit, 1, "live", visit.at, visit.at)
            return
        learned = self._learned.get(article.markup or "") if article.markup != held.article.markup else None
        if learned is not None:
            article = identity.settled(article, held.article, learned.doubtful)
        decision = identity.decide(article, Known(held.revision, identity.comparable(held.article)))
        if decision.verdict == "revised":
            reading = visit.reading if learned is None else None
            self.held[visit.key] = replace(
                held, article=article, reading=reading, shown=visit, revision=decision.revision
            )
        elif learned is None and article.related:
            self.held[visit.key] = replace(held, article=replace(held.article, related=article.related))
        self._touch(visit.key, visit.at)

    def _touch(self, key: int, at: datetime) -> None:
        self.held[key] = replace(self.held[key], state="live", checked_at=at)

    def _remove(self, page: PageForFetch, at: datetime) -> None:
        outcome = schedule.gone(page, at, "")
        self._save(page, outcome, at)
        if page.id in self.held:
            self.held[page.id] = replace(self.held[page.id], state=outcome.state, checked_at=at)

    def _save(self, page: PageForFetch, outcome: PageOutcome, at: datetime) -> None:
        seen = at.replace(microsecond=0).isoformat()  # the database has whole seconds
        self._pages[page.id] = replace(page, state=outcome.state, failures=outcome.failures, last_fetched_at=seen)
