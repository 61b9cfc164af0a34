"""Deciding about one article and writing it, whether it came from a page or from a text.

Boundary: order only; the decision is `identity`'s, the rows are `storage`'s.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from crawler import identity, site
from crawler.clock import from_text
from crawler.errors import MarkupDrift, NotAnArticle, WarcCorrupted
from crawler.identity import Decision, Known
from crawler.parse import times
from crawler.parse.page import PARSER_VERSION
from crawler.pipeline.run import Context
from crawler.pipeline.stored_pages import answer
from crawler.storage.revisions import ArticleIntent
from crawler.types import Article, PageForFetch, PageOutcome, Reading, StoredArticle


def store_article(
    context: Context,
    article: Article,
    now: datetime,
    *,
    key: int,
    raw_id: int | None = None,
    source_file: str | None = None,
) -> str:
    """Decide about one article and write it; the caller holds the transaction. Gives the verdict."""
    archive = context.archive
    stored = archive.article(key)
    if stored is not None and stored.parser != PARSER_VERSION and source_file is None:
        stored = _reread(context, stored) or stored
    known = Known(stored.revision, identity.comparable(stored.article)) if stored else None
    candidates = () if stored else archive.candidates(identity.body_key(article), _day(article))
    decision = identity.decide(article, known, candidates)
    if decision.verdict == "unchanged":
        archive.touch_article(key, now, article.related, raw_id)
    else:
        archive.save_article(intent_of(context, article, decision, now, key, raw_id, source_file))
    return decision.verdict


def save_read_page(context: Context, page: PageForFetch, article: Article, outcome: PageOutcome, now: datetime) -> None:
    """Write the row of a page that was read; when it names another post as its canonical one, both rows know of it."""
    key = article.post_id or page.id
    if key != page.id:
        context.archive.add_page(replace(page, id=key, url=article.url or page.url), page.url)
        context.archive.save_page(key, outcome, now)
    context.archive.save_page(page.id, outcome, now)


def published(article: Article) -> datetime | None:
    """Give the instant of publication; None when the page names none."""
    return times.instant(article.published_at) if article.published_at else None


def _day(article: Article) -> str | None:
    when = published(article)
    return when.astimezone(site.HANOI).date().isoformat() if when else None


def intent_of(
    context: Context,
    article: Article,
    decision: Decision,
    now: datetime,
    key: int,
    raw_id: int | None,
    source_file: str | None,
    reading: Reading | None = None,
) -> ArticleIntent:
    """Give an article with everything that is decided and computed about it, ready to be written."""
    return ArticleIntent(
        key=key,
        article=article,
        reading=reading or context.repair(article),
        decision=decision,
        fingerprint=identity.fingerprint(article),
        body_key=identity.body_key(article),
        simhash=identity.simhash(article.text),
        published_on=_day(article),
        parser=PARSER_VERSION,
        now=now,
        raw_id=raw_id,
        source_file=source_file,
    )


def correct(
    context: Context, old: StoredArticle, article: Article, reading: Reading | None = None, *, current: bool = True
) -> None:
    """Write what today's parser reads from the page of one revision; the caller holds the transaction."""
    decision = Decision("unchanged", old.revision)
    intent = intent_of(context, article, decision, from_text(old.checked_at), old.id, old.raw_id, None, reading)
    if current:
        context.archive.replace_reading(replace(intent, state=old.state))
    else:
        context.archive.correct_revision(intent)


def _reread(context: Context, stored: StoredArticle) -> StoredArticle | None:
    """Read a stored page with today's parser, so that a better parser is not taken for a revision."""
    if stored.raw is None or stored.raw_id is None:
        return None
    try:
        article = context.parse(answer(context.warc.read(stored.raw)))
    except (NotAnArticle, MarkupDrift, WarcCorrupted):  # damaged evidence is for `vna verify` to report
        return None  # the old reading is the best there is
    correct(context, stored, article)
    return context.archive.article(stored.id)
