"""Decide whether a change of a known article is an edit, or a redesign that moved a field away from the layout's selectors.

One article whose lead is elsewhere may have been edited; several with the same field at another place were not. So the
first visits that show such a change only record it. If no other article follows, the change is stored as a revision.

Boundary: reads rows and pages; `heal.moved` compares.
"""

from __future__ import annotations

from datetime import timedelta

from crawler import identity
from crawler.errors import NotAnArticle
from crawler.heal.moved import KINDS, fields
from crawler.parse.page import PARSER_VERSION, open_page
from crawler.pipeline.fetching import Capture
from crawler.pipeline.run import Run
from crawler.types import Article, PageForFetch, StoredArticle

FEWEST = 3  # articles with the same field at another place that show a redesign
_EDITED = 6  # visits, within about three hours, after which a change that only one or two articles show is an edit
_MANY = 10  # articles with the same field at another place, whose changes wait for a layout without end
_SETTLED = 12  # visits, within about two weeks, after which the changes of fewer articles are edits
_PERIOD = timedelta(days=30)  # of the visits that are counted
_LARGEST = 1_000_000  # bytes of a page that is examined


def moved_field(run: Run, page: PageForFetch, article: Article, response: Capture) -> str | None:
    """Return the field because of which a change of a known article is held back; None if the change is stored."""
    stored = run.archive.article(article.post_id or page.id)
    if stored is None or stored.parser != PARSER_VERSION or not _differs(stored, article):
        return None
    moved = _moved(run, stored, article, response)
    waiting = {name: run.archive.moved_pages(KINDS[name], response.at - _PERIOD) | {page.id} for name in moved}
    redesigned = next((name for name, pages in waiting.items() if _is_redesigned(len(pages), page.failures)), None)
    if redesigned is not None or not moved:
        return redesigned
    is_edited = identity.is_later(article.modified_at, stored.article.modified_at) or page.failures >= _EDITED
    return None if is_edited else moved[0]


def _is_redesigned(pages: int, failures: int) -> bool:
    return pages >= _MANY or (pages >= FEWEST and failures < _SETTLED)


def _differs(stored: StoredArticle, article: Article) -> bool:
    return bool(identity.differences(identity.comparable(stored.article), identity.comparable(article)))


def _moved(run: Run, stored: StoredArticle, article: Article, response: Capture) -> tuple[str, ...]:
    fetched = response.fetched
    if len(fetched.content) > _LARGEST:
        return ()
    try:
        tree = open_page(fetched.content, fetched.url, fetched.header("Content-Type"), fetched.fetched_at, run.site)
    except NotAnArticle:
        return ()
    return fields(tree, stored.article, article)
