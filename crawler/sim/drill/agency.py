"""The site of a drill, and the truth about it: what every article said, when, and what of it was shown to whom asked.

Boundary: the double of the site and its socket; nothing of the archive is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from crawler import urls
from crawler.sim.drill.clock import SharedClock
from crawler.sim.reconcile import Said, Span, Truth, Version
from crawler.sim.site import SECTIONS, Fault, Options, Request, Response, Serving, Story, build, serve

_WHOLE = (None, "slow", "charset")  # troubles through which a reader still gets the text
#: short lists, so that an article can leave them unseen; validators, so that a day takes seconds
OPTIONS = Options(sections=SECTIONS[:3], section_size=12, feed_size=12, home_size=16, validators=True, overlap=4)


@dataclass
class _Record:
    """What is noted of one article; each step with the number it has in the order of all steps."""

    said: list[tuple[int, datetime, Said]] = field(default_factory=list)
    shown: list[tuple[int, Said]] = field(default_factory=list)
    online: list[Span] = field(default_factory=list)
    copy_of: int | None = None
    first_shown: datetime | None = None


class Agency:
    """Publishes, changes and removes articles, and keeps account of it."""

    def __init__(self, seeds: Path, seed: int, articles: int, clock: SharedClock) -> None:
        self._clock = clock
        self._order = count()
        self._records: dict[int, _Record] = {}
        self._last: _Record | None = None  # the one that the last answer showed
        self._readable = True
        self._serving: Serving | None = serve(
            lambda url: build(url, seeds_dir=seeds, articles=articles, seed=seed, now=clock.true, options=OPTIONS)
        )
        self.site = self._serving.replica
        self.url = self._serving.url
        self.requests = 0
        for post_id in self.site.ids():
            self._appear(post_id)
        self.before = frozenset(self._records)
        self.site.witness = self._note

    # --- what the editors do

    def publish(self, n: int = 1) -> list[int]:
        """Put new articles online."""
        ids = self.site.publish(n)
        for post_id in ids:
            self._appear(post_id)
        return ids

    def copy(self, post_id: int) -> int:
        """Publish a text once more."""
        twin = self.site.copy(post_id)
        self._appear(twin)
        self._records[twin].copy_of = post_id
        return twin

    def revise(self, post_id: int, title: str | None = None, text: str | None = None, *, silent: bool = False) -> None:
        """Change an article, with or without saying so."""
        self._say(post_id, lambda: self.site.revise(post_id, title, text, silent=silent))

    def unpublish(self, post_id: int, status: int) -> None:
        """Take an article offline."""
        self.site.unpublish(post_id, status)
        online = self._records[post_id].online
        online[-1] = Span(online[-1].begin, self._clock.true())

    def republish(self, post_id: int, title: str) -> None:
        """Put it back under another title and slug."""
        self._records[post_id].online.append(Span(self._clock.true()))
        self._say(post_id, lambda: self.site.republish(post_id, title))

    def newest(self, n: int) -> list[int]:
        """Give the articles that are online and were published last, the newest first."""
        return sorted(self.site.ids(), reverse=True)[:n]

    # --- what happens to the site

    def redesign(self) -> None:
        """Change the layout to one that nobody knows."""
        self._readable = False
        self.site.redesign()

    def recover(self) -> None:
        """End every trouble."""
        self.site.clear()
        self._readable = True

    def refuse(self) -> None:
        """Refuse connections: nobody listens."""
        self.close()

    def accept(self) -> None:
        """Listen again, at the same address."""
        port = int(self.url.rpartition(":")[2])
        self._serving = serve(lambda _: self.site, port)

    def close(self) -> None:
        """End the socket."""
        if self._serving is not None:
            self._serving.close()
        self._serving = None

    # --- what is true

    def truths(self) -> Iterator[Truth]:
        """Give everything that is known of each article."""
        for post_id, record in self._records.items():
            yield Truth(post_id, tuple(_versions(record)), tuple(record.online), record.copy_of)

    def published_since(self, instant: datetime) -> list[int]:
        """Give what was published from an instant on."""
        since = (i for i, record in self._records.items() if record.online[0].begin >= instant)
        return [post_id for post_id in since if post_id not in self.before]

    def delay(self, post_id: int) -> float | None:
        """Give the minutes from an article's publication until it was shown; None when it was not yet."""
        record = self._records[post_id]
        shown = record.first_shown
        return None if shown is None else (shown - record.online[0].begin).total_seconds() / 60

    def changed_since(self, instant: datetime) -> tuple[int, int]:
        """Give how often articles were changed and removed from an instant on."""
        changed = sum(at >= instant for record in self._records.values() for _, at, _ in record.said[1:])
        spans = (span for record in self._records.values() for span in record.online)
        return changed, sum(span.end is not None and span.end >= instant for span in spans)

    def take_back(self) -> None:
        """Count the last answer as not shown: who asked was killed, and may not have had it."""
        if self._last is not None:
            self._last.shown.pop()
            self._last = None

    # --- bookkeeping

    def _appear(self, post_id: int) -> None:
        story = self.site.story(post_id)
        record = self._records.setdefault(post_id, _Record())
        record.said.append((next(self._order), self._clock.true(), _of(story)))
        record.online.append(Span(self._clock.true()))

    def _say(self, post_id: int, change: Callable[[], Story]) -> None:
        number, now = next(self._order), self._clock.true()
        self._records[post_id].said.append((number, now, _of(change())))

    def _note(self, request: Request, response: Response, fault: Fault | None) -> None:
        """Note what an answer shows; called in the threads that answer, one at a time."""
        self.requests += 1
        self._last = None
        post_id = urls.post_id(f"{self.url}{request.path}")
        whole = response.status == 200 and (fault.kind if fault else None) in _WHOLE and self._readable
        record = self._records.get(post_id) if post_id is not None and whole else None
        if record is None or post_id is None or record.online[-1].end is not None:  # removed: it only says so politely
            return
        record.shown.append((next(self._order), _of(self.site.story(post_id))))
        record.first_shown = record.first_shown or self._clock.true()
        self._last = record


def _versions(record: _Record) -> Iterator[Version]:
    ends = [number for number, _, _ in record.said[1:]]
    for (number, since, said), end in zip(record.said, [*ends, None], strict=True):
        shown = any(said == seen and at > number and (end is None or at < end) for at, seen in record.shown)
        yield Version(said, since, shown)


def _of(story: Story) -> Said:
    return Said.of(story.title, story.lead, story.blocks)
