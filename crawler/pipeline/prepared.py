"""Responses that another process has read ahead, as pages or lists, and the values of the articles on the pages.

They take the place of a computation only if this would have had the same input: the same response, layouts and site. So
the rows do not depend on what was read ahead.

Boundary: pure functions, and a table in memory; other modules start the processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from crawler import identity
from crawler.article_values import ArticleValues, article_values
from crawler.discover import Discovery, related
from crawler.errors import MarkupDrift, NotAnArticle, ParserStopped, SourceReaderStopped, UnreadableSource
from crawler.markup import Markup, list_selectors
from crawler.parser_process import Answer, discover, failure_of, result_of
from crawler.pipeline.stored_pages import Repairer, parse_response
from crawler.site import Site
from crawler.types import Article, Fetched, Sighting, SourceForPoll, SourceKind
from crawler.warc import Record

#: The source name for the stories under an article, and a sighting of each of them.
RelatedStories = tuple[str, tuple[Sighting, ...]]
#: The address and the time of a response.
PageKey = tuple[str, datetime]
_RETURNED = 4  # articles whose values are kept after they were returned
_MOST_SEEN = 100_000  # articles whose last fingerprints a process keeps


@dataclass(frozen=True, slots=True)
class ListRequested:
    """The list for which a response was requested: kind and address of the source, and the requested address, if the reader uses it."""

    kind: SourceKind
    source: str
    asked: str | None


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """A response and, if it was read as a page, the answer of the parser, and what follows from the article.

    `related` is what `discover.related` returns. An article that was unchanged since the same process saw it last has no
    values, because they are rarely needed. `listed` is the list for which the response was requested, if it was read as a
    list; `answer` is then the answer of the list reader.
    """

    fetched: Fetched
    answer: Answer | None = None
    related: RelatedStories | None = None
    values: ArticleValues | None = None
    listed: ListRequested | None = None


@dataclass(frozen=True, slots=True)
class PageInputs:
    """What the article of a response depends on besides the response."""

    layouts: Sequence[Markup]
    site: Site


def read_list(fetched: Fetched, listed: ListRequested, inputs: PageInputs) -> Discovery:
    """Return what a response lists.

    Raises:
        UnreadableSource: the response cannot be read as a list of its kind.

    """
    source = SourceForPoll(listed.source, listed.kind, None, "", 0, None, None)
    layouts = list_selectors(inputs.layouts, fetched.fetched_at)
    return discover(
        source, fetched.content, fetched.url, inputs.site, fetched.fetched_at, asked=listed.asked, layouts=layouts
    )


class Preparer:
    """Reads pages ahead; `repair` repairs the text of an article."""

    def __init__(self, repair: Repairer) -> None:
        self._repair = repair
        self._seen: dict[int, str] = {}

    def prepare(self, fetched: Fetched, inputs: PageInputs) -> PreparedPage:
        """Read a page. A page that crashes the parser has no answer: the process that needs it meets the error itself."""
        try:
            article = parse_response(fetched, inputs.layouts, inputs.site)
            stories = related(article, inputs.site)
            return PreparedPage(fetched, Answer(article=article), stories, self._values(article))
        except ParserStopped:
            return PreparedPage(fetched)
        except (NotAnArticle, MarkupDrift) as error:
            return PreparedPage(fetched, Answer(failure=failure_of(error)))
        except Exception:  # noqa: BLE001 - not lost: the process that needs the page meets the error again
            return PreparedPage(fetched)

    def prepare_list(self, fetched: Fetched, listed: ListRequested, inputs: PageInputs) -> PreparedPage:
        """Read a list. A list that crashes its reader has no answer, as in `prepare`."""
        try:
            answer = Answer(discovery=read_list(fetched, listed, inputs))
        except SourceReaderStopped:
            return PreparedPage(fetched)
        except UnreadableSource as error:
            answer = Answer(failure=failure_of(error))
        except Exception:  # noqa: BLE001 - as above
            return PreparedPage(fetched)
        return PreparedPage(fetched, answer, listed=listed)

    def _values(self, article: Article) -> ArticleValues | None:
        """Return the values of an article, unless it is unchanged since this process saw it last."""
        fingerprint = identity.fingerprint(article)
        if article.post_id is not None:
            if self._seen.pop(article.post_id, None) == fingerprint:
                self._seen[article.post_id] = fingerprint
                return None
            self._seen[article.post_id] = fingerprint
            if len(self._seen) > _MOST_SEEN:
                del self._seen[next(iter(self._seen))]
        return article_values(article, self._repair(article))


class PreparedPages:
    """The pages that were read ahead and are needed soon."""

    def __init__(self) -> None:
        self._pages: dict[PageKey, tuple[PreparedPage, PageInputs]] = {}
        self._returned: deque[tuple[Article, PreparedPage]] = deque(maxlen=_RETURNED)

    def add(self, pages: Iterable[PreparedPage], inputs: PageInputs) -> list[PageKey]:
        """Add pages that were read with these inputs; return the keys with which they are removed again."""
        added = {(page.fetched.url, page.fetched.fetched_at): (page, inputs) for page in pages}
        self._pages |= added
        return list(added)

    def remove(self, keys: Iterable[PageKey]) -> None:
        """Remove pages."""
        for key in keys:
            self._pages.pop(key, None)

    def response(self, record: Record) -> Fetched | None:
        """Return the decoded response of a record; None if it was not read ahead."""
        page, _ = self._pages.get((record.url, record.fetched_at), (None, None))
        return page.fetched if page is not None and page.fetched.body is record.body else None

    def article(self, fetched: Fetched, inputs: PageInputs) -> Article | None:
        """Return the article of a response as `parse_response` does; None if it was not read ahead with these inputs.

        Raises:
            NotAnArticle: the page is not an article.
            MarkupDrift: the page says that it is an article, but matches no known layout.

        """
        page = self._read_with(fetched, inputs)
        if page is None or page.answer is None or page.listed is not None:
            return None
        article = result_of(page.answer)
        assert isinstance(article, Article)
        self._returned.append((article, page))
        return article

    def discovery(self, fetched: Fetched, listed: ListRequested, inputs: PageInputs) -> Discovery | None:
        """Return what a response lists as `read_list` does; None if it was not read ahead with these inputs.

        Raises:
            UnreadableSource: the response cannot be read as a list of its kind.

        """
        page = self._read_with(fetched, inputs)
        if page is None or page.answer is None or page.listed != listed:
            return None
        found = result_of(page.answer)
        assert isinstance(found, Discovery)
        return found

    def _read_with(self, fetched: Fetched, inputs: PageInputs) -> PreparedPage | None:
        page, found = self._pages.get((fetched.url, fetched.fetched_at), (None, None))
        if page is None or found != inputs or page.fetched.content is not fetched.content:
            return None
        return page if page.fetched.headers == fetched.headers else None

    def values(self, article: Article) -> ArticleValues | None:
        """Return the values of an article that `article` has just returned; None if they were not computed ahead."""
        page = self._page_of(article)
        return page.values if page is not None else None

    def related(self, article: Article) -> RelatedStories | None:
        """Return the related stories of an article that `article` has just returned; None if they were not found ahead."""
        page = self._page_of(article)
        return page.related if page is not None else None

    def _page_of(self, article: Article) -> PreparedPage | None:
        return next((page for one, page in self._returned if one is article), None)
