"""Store one article in four steps: parse → decide (is it new or revised?) → repair → store.

Boundary: only calls other modules in the right order; `identity` decides, `storage` writes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from crawler import identity, similarity, site
from crawler.article_values import ArticleValues
from crawler.clock import from_text
from crawler.identity import Decision, Known, Verdict
from crawler.markup import Learned
from crawler.parse import times
from crawler.parse.page import PARSER_VERSION
from crawler.pipeline.picture_places import compare_held_pictures
from crawler.pipeline.prepared import PageInputs
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import ParsedPage, Reader, UnparsedPage, parse_response
from crawler.storage.revisions import ArticleIntent
from crawler.types import Article, Fetched, PageForFetch, PageOutcome, StoredArticle


def store_article(
    run: Run,
    article: Article,
    at: datetime,
    *,
    key: int,
    raw_id: int | None = None,
    source_file: str | None = None,
    known_at: datetime | None = None,
) -> Verdict:
    """Decide what to do with a parsed article, and repair and store it unless it is unchanged; return the verdict.

    Needs an open transaction.

    `at` is the time at which the page was fetched; `known_at` is the time of the import of an imported capture. `key`
    is the id under which the article is stored. `source_file` is the name of the file that the text was imported
    from; None if the article was fetched.
    """
    archive = run.archive
    stored = archive.article(key)
    if stored is not None and stored.parser != PARSER_VERSION and source_file is None:
        stored = _parse_again(run, stored) or stored
    learned = _learned_since(run, article, stored)
    if learned is not None and stored is not None and _is_covered(run, stored, learned):
        stored = _parse_again(run, stored) or stored
        learned = _learned_since(run, article, stored)
    if learned is not None and stored is not None:
        article = identity.settled(article, stored.article, learned.doubtful)
    known = Known(stored.revision, identity.comparable(stored.article)) if stored else None
    if known is not None and identity.decide(article, known).verdict == "unchanged":
        # It keeps its repaired text and its relations: to repair and compare it again is expensive.
        if learned is None:
            archive.touch_article(key, at, article, raw_id)
        else:  # it stays as it was read from the capture in the layout before
            archive.touch_article(key, at)
        if stored is not None and stored.raw_id is None and raw_id is not None:  # imported by version 0.1
            archive.add_evidence(key, raw_id)
        compare_held_pictures(archive, key, at)
        return "unchanged"
    values, text = run.values(article), similarity.compared(article, key)
    candidates = archive.candidates(key, values.hashes, values.body_key)
    similar = similarity.similarities(text, candidates)
    decision = identity.decide(article, known, candidates, similar, publication_day(article), values.body_key)
    intent = intent_of(article, values, decision, at, key, raw_id, source_file)
    archive.save_article(replace(intent, similar=similar, known_at=known_at))
    compare_held_pictures(archive, key, at)
    return decision.verdict


def _learned_since(run: Run, article: Article, stored: StoredArticle | None) -> Learned | None:
    """Return how the layout of an article was learned, if its stored version has another layout; otherwise None."""
    if stored is None or stored.article.markup == article.markup:
        return None
    return next((layout.learned for layout in run.layouts if layout.name == article.markup), None)


def _is_covered(run: Run, stored: StoredArticle, learned: Learned) -> bool:
    """Whether an article was read with a layout that a learned one corrects, but from a page that this one covers, too."""
    if not learned.replaces or stored.raw_id is None:
        return False
    return stored.article.markup in learned.replaces and learned.covers(
        from_text(run.archive.raw_fetched_at(stored.raw_id))
    )


def save_parsed_page(run: Run, page: PageForFetch, article: Article, outcome: PageOutcome, now: datetime) -> None:
    """Write the row of a parsed page. If its canonical address names another page, write the row of that page too."""
    key = article.post_id or page.id
    if key != page.id:
        run.archive.add_page(replace(page, id=key, url=article.url or page.url), page.url)
        run.archive.save_page(key, outcome, now)
    run.archive.save_page(page.id, outcome, now)


def publication_time(article: Article) -> datetime | None:
    """Return when an article was published; None if its page does not say."""
    return times.instant(article.published_at) if article.published_at else None


def publication_day(article: Article) -> str | None:
    """Return the day in Hanoi on which an article was published (ISO 8601); None if its page does not say."""
    when = publication_time(article)
    return when.astimezone(site.HANOI).date().isoformat() if when else None


def intent_of(
    article: Article,
    values: ArticleValues,
    decision: Decision,
    at: datetime,
    key: int,
    raw_id: int | None,
    source_file: str | None = None,
) -> ArticleIntent:
    """Return everything that storage writes for an article."""
    return ArticleIntent(
        key=key,
        article=article,
        reading=values.reading,
        decision=decision,
        fingerprint=values.fingerprint,
        body_key=values.body_key,
        simhash=values.simhash,
        hashes=values.hashes,
        folded=values.folded,
        published_on=publication_day(article),
        parser=PARSER_VERSION,
        now=at,
        raw_id=raw_id,
        source_file=source_file,
    )


def correct_reading(run: Run, old: StoredArticle, page: ParsedPage, *, current: bool = True) -> None:
    """Overwrite a revision with what today's parser reads from the same page. Needs an open transaction.

    `current`: whether `old` is the newest revision; if so, the article's own row is overwritten too.
    """
    article = article_shown(old, page) if current else page.article
    decision = Decision("unchanged", old.revision)
    intent = intent_of(article, page.values, decision, from_text(old.checked_at), old.id, old.raw_id)
    if current:
        run.archive.replace_reading(replace(intent, state=old.state), (page.later or article).images)
        if _compares_otherwise(old, article):
            _relate_again(run, old, article, page.values)
    else:
        run.archive.correct_revision(intent)


def _compares_otherwise(old: StoredArticle, article: Article) -> bool:
    """Whether an article has another text or day than `old`, so that its relations to others may differ."""
    is_same = similarity.compared(old.article, old.id) == similarity.compared(article, old.id)
    return not is_same or publication_day(old.article) != publication_day(article)


def _relate_again(run: Run, old: StoredArticle, article: Article, values: ArticleValues) -> None:
    """Compare an article with the others again, as if it were new, and replace its relations.

    An article that was revised keeps those of its earlier texts: only relations that its text has now are written.
    """
    key = old.id
    candidates = run.archive.candidates(key, values.hashes, values.body_key)
    similar = similarity.similarities(similarity.compared(article, key), candidates)
    if old.revision > 1:
        run.archive.save_similar(similar)
        return
    decision = identity.decide(article, None, candidates, similar, publication_day(article), values.body_key)
    run.archive.replace_relations(key, decision.duplicates, similar)


def article_shown(old: StoredArticle, page: ParsedPage) -> Article:
    """Return the article of the first capture of a current revision, with the related stories of the last one.

    If the last capture has none, those that the archive has are kept: they are from a capture between the two.
    """
    if page.later is None:
        return page.article
    return replace(page.article, related=page.later.related or old.article.related or page.article.related)


def parse(run: Run, fetched: Fetched) -> Article:
    """Parse the article of a response.

    Raises:
        NotAnArticle: the page is not an article.
        MarkupDrift: the page says that it is an article, but matches no known layout.

    """
    layouts = run.layouts
    article = run.prepared.article(fetched, PageInputs(layouts, run.site))
    return parse_response(fetched, layouts, run.site) if article is None else article


def _parse_again(run: Run, stored: StoredArticle) -> StoredArticle | None:
    """Parse the archived pages of an article with today's parser, correct its revisions and return the article.

    Without this correction, the effects of a better parser would look like a revision by the agency. Return
    None if the page of the newest revision is not archived, is damaged, or is not an article to today's parser.
    """
    captures = run.archive.captures_of_revision(stored.id, stored.revision)
    if not captures:
        return None
    reader = Reader(run.warc, run.site, run.layouts, run.repair)
    page = reader.read_revision(captures)
    if isinstance(page, UnparsedPage):  # perhaps only the last capture is damaged; `vna verify` reports damaged records
        page = reader.read(captures[0])
    if isinstance(page, UnparsedPage):
        return None
    for number in range(1, stored.revision):  # the version of the parser is that of all revisions
        _correct_older_revision(run, reader, stored.id, number)
    correct_reading(run, stored, page)
    return run.archive.article(stored.id)


def _correct_older_revision(run: Run, reader: Reader, key: int, number: int) -> None:
    old, captures = run.archive.revision(key, number=number), run.archive.captures_of_revision(key, number)
    page = reader.read_revision(captures) if captures else None
    if old is not None and isinstance(page, ParsedPage):
        correct_reading(run, old, page, current=False)
