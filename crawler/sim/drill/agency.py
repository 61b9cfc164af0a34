"""The site of a drill, and the ground truth: when each version of an article was published, and whether it was served.

Boundary: the fake site and its socket; knows nothing of the archive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from crawler import urls
from crawler.sim.drill.clock import SharedClock
from crawler.sim.reconcile import GroundTruth, PublishedText, Span, Version
from crawler.sim.site import SECTIONS, Options, Serving, SiteFault, SiteRequest, SiteResponse, Story, build, serve

_HARMLESS = (None, "slow", "charset")  # faults with which a client still receives the whole text
#: Short lists, so that articles can drop off them between two polls; validators, so that a day takes seconds.
OPTIONS = Options(sections=SECTIONS[:3], section_size=12, feed_size=12, home_size=16, validators=True, overlap=4)


@dataclass
class _ArticleLog:
    """What happened to one article. Events are numbered in order, because several events can have the same time."""

    versions: list[tuple[int, datetime, PublishedText]] = field(default_factory=list)
    shown: list[tuple[int, PublishedText]] = field(default_factory=list)
    online: list[Span] = field(default_factory=list)
    copy_of: int | None = None
    first_shown: datetime | None = None


class Agency:
    """Publishes, changes and removes articles on the fake site, and records the ground truth."""

    def __init__(self, seeds: Path, seed: int, articles: int, clock: SharedClock) -> None:
        self._clock = clock
        self._order = count()
        self._logs: dict[int, _ArticleLog] = {}
        self._last: _ArticleLog | None = None  # log of the article that the last response showed
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
            yield GroundTruth(post_id, tuple(_versions(log)), tuple(log.online), log.copy_of)

    def published_since(self, moment: datetime) -> list[int]:
        """Return the ids of the articles published at or after `moment`, except those online from the beginning."""
        since = (i for i, log in self._logs.items() if log.online[0].begin >= moment)
        return [post_id for post_id in since if post_id not in self.before]

    def delay(self, post_id: int) -> float | None:
        """Return the minutes from an article's publication until a client first received it; None if no client did."""
        log = self._logs[post_id]
        shown = log.first_shown
        return None if shown is None else (shown - log.online[0].begin).total_seconds() / 60

    def changed_since(self, moment: datetime) -> tuple[int, int]:
        """Return the number of changes to articles, and the number of removals, that happened at or after `moment`."""
        changed = sum(at >= moment for log in self._logs.values() for _, at, _ in log.versions[1:])
        spans = (span for log in self._logs.values() for span in log.online)
        return changed, sum(span.end is not None and span.end >= moment for span in spans)

    def discard_last_response(self) -> None:
        """Count the last response as not received, because its client was killed and may not have read it."""
        if self._last is not None:
            self._last.shown.pop()
            self._last = None

    # --- recording

    def _record_publication(self, post_id: int) -> None:
        story = self.site.story(post_id)
        log = self._logs.setdefault(post_id, _ArticleLog())
        log.versions.append((next(self._order), self._clock.true(), _text_of(story)))
        log.online.append(Span(self._clock.true()))

    def _record_version(self, post_id: int, change: Callable[[], Story]) -> None:
        number, now = next(self._order), self._clock.true()
        self._logs[post_id].versions.append((number, now, _text_of(change())))

    def _record_response(self, request: SiteRequest, response: SiteResponse, fault: SiteFault | None) -> None:
        """Record which article text a response contains. The server's threads call this function one at a time."""
        self.requests += 1
        self._last = None
        post_id = urls.post_id(f"{self.url}{request.path}")
        whole = response.status == 200 and (fault.kind if fault else None) in _HARMLESS and self._readable
        log = self._logs.get(post_id) if post_id is not None and whole else None
        if log is None or post_id is None or log.online[-1].end is not None:  # a removed page can have status 200, too
            return
        log.shown.append((next(self._order), _text_of(self.site.story(post_id))))
        log.first_shown = log.first_shown or self._clock.true()
        self._last = log


def _versions(log: _ArticleLog) -> Iterator[Version]:
    ends = [number for number, _, _ in log.versions[1:]]
    for (number, since, text), end in zip(log.versions, [*ends, None], strict=True):
        shown = any(text == seen and at > number and (end is None or at < end) for at, seen in log.shown)
        yield Version(text, since, shown)


def _text_of(story: Story) -> PublishedText:
    return PublishedText.from_blocks(story.title, story.lead, story.blocks)
