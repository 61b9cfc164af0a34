"""The site of a drill, and the ground truth: when each version of an article was published, and whether it was served.

The times that a crawler should have stored are those of the machine's clock, which may be wrong. All other times are
correct.

Boundary: the fake site and its socket; knows nothing of the archive.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TypeVar

from crawler import urls
from crawler.sim.drill.clock import SharedClock
from crawler.sim.drill.fields import machine_time, right_related, right_revision_values, right_values
from crawler.sim.drill.requests import HARMLESS, ROBOTS, LoggedRequest
from crawler.sim.reconcile import GroundTruth, PublishedText, RightValues, Span, Version
from crawler.sim.site import SECTIONS, Options, Serving, SiteFault, SiteRequest, SiteResponse, Story, build, serve
from crawler.types import Related

#: Faults with which a client still receives a whole response, although it may not be the one that it asked for.
WHOLE = (*HARMLESS, "forbidden", "block", "captcha", "consent", "soft_404", "empty", "not_html")
#: Short lists, so that articles can drop off them between two polls; validators, so that a day takes seconds.
OPTIONS = Options(
    sections=SECTIONS[:3],
    section_size=12,
    feed_size=12,
    home_size=16,
    validators=True,
    overlap=4,
    robots=("Crawl-delay: 2", f"Disallow: /{SECTIONS[2].slug}/"),
)


@dataclass(slots=True)
class _Shown:
    """One whole page of an article in a response.

    `machine_at` is the time by the machine's clock, and `digest` that of the body. `received` is false if the client
    was killed and may not have stored the response.
    """

    number: int
    at: datetime
    machine_at: datetime
    story: Story
    related: tuple[Related, ...]
    digest: str
    received: bool = True


@dataclass(slots=True)
class _Check:
    """One response about an article, with or without its page.

    `times` are the times of the response and of the requests that its redirects caused, by the machine's clock.
    """

    times: list[datetime]
    found: bool
    received: bool = True


_T = TypeVar("_T", _Shown, _Check)


@dataclass
class _ArticleLog:
    """What happened to one article. Events are numbered in order, because several events can have the same time."""

    versions: list[tuple[int, datetime, Story]] = field(default_factory=list)
    shown: list[_Shown] = field(default_factory=list)
    checks: list[_Check] = field(default_factory=list)
    online: list[Span] = field(default_factory=list)
    copy_of: int | None = None


class Agency:
    """Publishes, changes and removes articles on the fake site, and records the ground truth."""

    def __init__(self, seeds: Path, seed: int, articles: int, clock: SharedClock) -> None:
        self._clock = clock
        self._order = count()
        self._logs: dict[int, _ArticleLog] = {}
        self._last: list[_Shown | _Check | LoggedRequest] = []  # records of the last response
        self._redirected: _Check | None = None  # the check that the next request continues
        self.log: list[LoggedRequest] = []
        self._readable = True  # the crawler knows the current layout
        self._serving: Serving | None = serve(
            lambda url: build(url, seeds_dir=seeds, articles=articles, seed=seed, now=clock.true, options=OPTIONS)
        )
        self.site = self._serving.fake_site
        self.url = self._serving.url
        self.requests = 0
        for post_id in self.site.ids():
            self._record_publication(post_id)
        self.before = frozenset(self._logs)  # ids of the articles that were online at the start
        self.site.observer = self._record_response

    # --- editing

    def publish(self, n: int = 1) -> list[int]:
        """Publish `n` new articles and return their ids."""
        ids = self.site.publish(n)
        for post_id in ids:
            self._record_publication(post_id)
        return ids

    def copy(self, post_id: int) -> int:
        """Publish the text of an article again as a new article; return the new id."""
        twin = self.site.copy(post_id)
        self._record_publication(twin)
        self._logs[twin].copy_of = post_id
        return twin

    def revise(self, post_id: int, title: str | None = None, text: str | None = None, *, silent: bool = False) -> None:
        """Change an article as `FakeSite.revise` does. If `silent` is true, its modification date stays the same."""
        self._record_version(post_id, lambda: self.site.revise(post_id, title, text, silent=silent))

    def unpublish(self, post_id: int, status: int) -> None:
        """Take an article offline. From now on, the response to a request for its page has the HTTP status `status`."""
        self.site.unpublish(post_id, status)
        online = self._logs[post_id].online
        online[-1] = Span(online[-1].begin, self._clock.true())

    def republish(self, post_id: int, title: str) -> None:
        """Put an article that was taken offline back online, with another title and slug."""
        self._logs[post_id].online.append(Span(self._clock.true()))
        self._record_version(post_id, lambda: self.site.republish(post_id, title))

    def newest(self, n: int) -> list[int]:
        """Return the ids of the `n` newest articles that are online, newest first."""
        return sorted(self.site.ids(), reverse=True)[:n]

    # --- faults

    def redesign(self) -> None:
        """Change the layout of the site to one that the crawler does not know."""
        self._readable = False
        self.site.redesign()

    def recover(self) -> None:
        """Remove all faults and restore the original layout of the site."""
        self.site.clear()
        self._readable = True

    def refuse(self) -> None:
        """Close the socket, so that the site refuses connections."""
        self.close()

    def accept(self) -> None:
        """Open the socket again at the same address, so that the site accepts connections."""
        port = int(self.url.rpartition(":")[2])
        self._serving = serve(lambda _: self.site, port)

    def close(self) -> None:
        """Close the socket, if it is open."""
        if self._serving is not None:
            self._serving.close()
        self._serving = None

    # --- ground truth

    def truths(self) -> Iterator[GroundTruth]:
        """Yield the ground truth about each article."""
        for post_id, log in self._logs.items():
            not_found = tuple(check.times[0] for check in log.checks if not check.found)
            yield GroundTruth(post_id, tuple(self._versions(log)), tuple(log.online), log.copy_of, not_found)

    def _versions(self, log: _ArticleLog) -> Iterator[Version]:
        ends = [number for number, _, _ in log.versions[1:]]
        for (number, since, story), end in zip(log.versions, [*ends, None], strict=True):
            pages = [s for s in log.shown if s.story == story and s.number > number and (end is None or s.number < end)]
            yield Version(
                _text_of(story),
                since,
                any(page.received for page in pages),
                self._revision_fields(story, pages),
                self._article_fields(story, pages, log),
            )

    def _revision_fields(self, story: Story, pages: list[_Shown]) -> RightValues:
        values = {name: (value,) for name, value in right_revision_values(story, self.url + story.path).items()}
        first = _until_received(pages)
        return values | {
            "raw": {page.digest for page in first},
            "raw_at": {machine_time(page.machine_at) for page in first},
            "seen_at": {machine_time(page.machine_at) for page in first},
        }

    def _article_fields(self, story: Story, pages: list[_Shown], log: _ArticleLog) -> RightValues:
        """Return the right values of an article whose newest version in the archive is `story`, shown by `pages`."""
        last = _until_received(pages[::-1])
        return right_values(story, self.url + story.path) | {
            "related": {right_related(page.related) for page in last},
            "raw": {page.digest for page in _until_received(pages)},
            "last_raw": {page.digest for page in last},
            "first_seen_at": {machine_time(page.machine_at) for page in _until_received(log.shown)},
            "checked_at": {machine_time(at) for check in _until_received(log.checks[::-1]) for at in check.times},
        }

    def published_since(self, moment: datetime) -> list[int]:
        """Return the ids of the articles published at or after `moment`, except those online from the beginning."""
        since = (i for i, log in self._logs.items() if log.online[0].begin >= moment)
        return [post_id for post_id in since if post_id not in self.before]

    def delay(self, post_id: int) -> float | None:
        """Return the minutes from an article's publication until a client first received it; None if no client did."""
        log = self._logs[post_id]
        received = (page.at for page in log.shown if page.received)
        return next(((at - log.online[0].begin).total_seconds() / 60 for at in received), None)

    def changed_since(self, moment: datetime) -> tuple[int, int]:
        """Return the number of changes to articles, and the number of removals, that happened at or after `moment`."""
        changed = sum(at >= moment for log in self._logs.values() for _, at, _ in log.versions[1:])
        spans = (span for log in self._logs.values() for span in log.online)
        return changed, sum(span.end is not None and span.end >= moment for span in spans)

    def discard_last_response(self) -> None:
        """Count the last response as not received, because its client was killed and may not have read it."""
        for shown in self._last:
            shown.received = False

    # --- recording

    def _record_publication(self, post_id: int) -> None:
        story = self.site.story(post_id)
        log = self._logs.setdefault(post_id, _ArticleLog())
        log.versions.append((next(self._order), self._clock.true(), story))
        log.online.append(Span(self._clock.true()))

    def _record_version(self, post_id: int, change: Callable[[], Story]) -> None:
        number, now = next(self._order), self._clock.true()
        self._logs[post_id].versions.append((number, now, change()))

    def _record_response(self, request: SiteRequest, response: SiteResponse, fault: SiteFault | None) -> None:
        """Record which article text a response contains. The server's threads call this function one at a time."""
        self.requests += 1
        whole = (fault.kind if fault else None) in WHOLE
        digest = "sha256:" + b32encode(sha256(response.body).digest()).decode() if whole else None
        self.log.append(self._logged(request, response, fault, digest))
        self._last = [self.log[-1]]
        if self._redirected is not None:
            self._redirected.times.append(self._clock.now())
        self._redirected = None
        post_id = urls.post_id(f"{self.url}{request.path}")
        log = self._logs.get(post_id) if post_id is not None else None
        if log is not None and post_id is not None and digest is not None and self.log[-1].fault in HARMLESS:
            self._record_check(log, post_id, response, digest)

    def _record_check(self, log: _ArticleLog, post_id: int, response: SiteResponse, digest: str) -> None:
        online, machine_at = log.online[-1].end is None, self._clock.now()
        if not self._readable and response.status == 200 and online:
            return
        if response.status == 200 and online:  # a removed page can have status 200, too
            story, related = self.site.story(post_id), self.site.voir_plus(post_id)
            page = _Shown(next(self._order), self._clock.true(), machine_at, story, related, digest)
            log.shown.append(page)
            self._last.append(page)
        # A page of an unknown layout may or may not be recognised as one that says "not found".
        check = _Check([machine_at], found=online, received=self._readable or response.status != 200)
        log.checks.append(check)
        self._last.append(check)
        self._redirected = check if 300 <= response.status < 304 else None

    def _logged(
        self, request: SiteRequest, response: SiteResponse, fault: SiteFault | None, digest: str | None
    ) -> LoggedRequest:
        return LoggedRequest(
            self._clock.true(),
            request.path,
            response.status,
            request.header("User-Agent"),
            fault=fault.kind if fault else None,
            digest=digest,
            retry_after=float(response.header("Retry-After") or 0) or None,
            conditional=bool(request.header("If-None-Match") or request.header("If-Modified-Since")),
            validators=response.header("ETag") is not None and (self._readable or response.status == 304),
            text=response.decoded.decode() if request.path == ROBOTS and response.status == 200 and not fault else "",
        )


def _until_received(items: list[_T]) -> list[_T]:
    """Return the items up to the first one that was certainly received."""
    end = next((n for n, item in enumerate(items, 1) if item.received), len(items))
    return items[:end]


def _text_of(story: Story) -> PublishedText:
    return PublishedText.from_blocks(story.title, story.lead, story.blocks)
