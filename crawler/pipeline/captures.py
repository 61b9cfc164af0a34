"""Captures that others made: taken over with their own dates, and put where they belong among the revisions.

Evidence first, as with a fetch: the answer is in a WARC file of ours, with the name of the collection that it is from,
before a row points at it. A capture that was taken over before is recognised, so that a run can be repeated.

Boundary: order only. Where a capture belongs is `identity`'s to say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from crawler import identity, schedule, urls
from crawler.errors import FetchError, MarkupDrift, NotAnArticle
from crawler.identity import Decision
from crawler.pipeline.articles import intent_of, published, save_read_page, store_article
from crawler.pipeline.run import Context
from crawler.pipeline.stored_pages import answer
from crawler.types import Article, Fetched, PageOutcome, RawRef, Sighting
from crawler.warc import digest
from crawler.warc.foreign import Tally, captures

_OK = 200


@dataclass
class Taken:
    """What came of one file: `verdicts` by word, beside what the reader of the file counted."""

    file: str
    tally: Tally = field(default_factory=Tally)
    verdicts: Counter[str] = field(default_factory=Counter)


def take_over(context: Context, path: Path, taken: Taken) -> None:
    """Take over the captures of this site's articles from one WARC file; `taken` fills up meanwhile.

    Raises:
        BadInput: it is no WARC file, or cannot be read.
        StopError: the archive cannot be written.

    """

    def wanted(url: str) -> bool:
        return urls.post_id(url) is not None and context.site.owns(url)

    context.progress.phase(path.name, 0)
    for record in captures(path, wanted, taken.tally):
        if context.stopping():
            return
        if record.status != _OK:
            taken.tally.passed[f"HTTP status {record.status}"] += 1
            continue
        try:
            fetched = replace(answer(record), url=urls.canonical(record.url))
        except FetchError as error:
            taken.tally.passed[f"the body cannot be read: {error}"] += 1
            continue
        verdict = _take(context, fetched, path.name)
        taken.verdicts[verdict] += 1
        context.progress.step(f"{verdict}: {fetched.url} of {fetched.fetched_at:%Y-%m-%d}")


def store_capture(context: Context, fetched: Fetched, ref: RawRef, origin: str) -> str:
    """Store what a capture says, its bytes being kept at `ref`; one transaction. Gives the verdict."""
    key = urls.post_id(fetched.url)
    assert key is not None
    at = fetched.fetched_at
    try:
        article: Article | None = context.parse(fetched)
    except (NotAnArticle, MarkupDrift):
        article = None  # kept and listed: `vna reparse` may read it one day
    with context.archive.transaction():
        raw_id = context.archive.add_raw(fetched.url, at, fetched.status, ref, purpose(key), origin)
        context.archive.add_sightings(f"warc:{origin}", [Sighting(fetched.url, key)], at, None)
        page = context.archive.page(key)
        assert page is not None
        if article is None:
            if page.state in ("known", "absent"):
                outcome = PageOutcome("drift", None, f"captured by {origin}, but not read", raw_id=raw_id)
                context.archive.save_page(key, outcome, at)
            return "unread"
        verdict = _store(context, article, article.post_id or key, at, raw_id)
        if page.state in ("known", "absent", "failed", "drift", "rejected"):
            due = schedule.next_check(at, published(article), at)
            save_read_page(context, page, article, PageOutcome("live", due, raw_id=raw_id), at)
    return verdict


def purpose(key: int) -> str:
    """Say in the WARC that a record is a capture taken over."""
    return f"capture:{key}"


def _take(context: Context, fetched: Fetched, origin: str) -> str:
    if context.archive.has_capture(fetched.url, fetched.fetched_at, digest(fetched.body)):
        return "known"
    key = urls.post_id(fetched.url)
    assert key is not None
    ref = context.warc.append(fetched, purpose(key), origin=origin, written_at=context.clock.now())
    return store_capture(context, fetched, ref, origin)


def _store(context: Context, article: Article, key: int, at: datetime, raw_id: int) -> str:
    found = identity.fingerprint(article)
    timeline = context.archive.timeline(key)
    where = identity.place(found, at, timeline) if timeline else identity.Place("newest")
    if where.verdict == "newest":
        return store_article(context, article, at, key=key, raw_id=raw_id)
    if where.verdict == "earlier":
        context.archive.predate_revision(key, where.revision, at, raw_id)
    if where.verdict == "inserted":
        _insert(context, article, key, at, raw_id, where.revision)
    return where.verdict


def _insert(context: Context, article: Article, key: int, at: datetime, raw_id: int, number: int) -> None:
    """Make a revision of what nobody had seen before, between its neighbours."""
    says = identity.comparable(article)
    before = context.archive.revision(key, number=number - 1)
    after = context.archive.revision(key, number=number)
    assert after is not None
    changed = identity.differences(identity.comparable(before.article), says) if before else ()
    decision = Decision("revised", number, changed)
    intent = intent_of(context, article, decision, at, key, raw_id, None)
    context.archive.insert_revision(intent, identity.differences(says, identity.comparable(after.article)))
