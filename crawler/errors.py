"""The tree of expected failures.

```
CrawlerError
  PageError(url)                 one page or source; stored on its row, the run goes on
    FetchError                   the page could not be had
      Unreachable                no answer: name, connection, TLS, time-out, or an answer that broke off
      BadStatus(status)          an answer that is no page
        Gone                     404 or 410
        Throttled(retry_after)   429 or 503: the host asks for patience
      Disallowed                 robots.txt of that host says no
      BodyTooLarge               over the cap, before or after inflating
    ParseError                   the page was had and is in the WARC already: fix the parser, then reparse
      UnreadableSource           a feed, sitemap or list that is none
        SourceMoved(found)       it redirects to another address, which is a source of its own
      NotAnArticle(rejection)    a block page, a soft 404, a list ...
      MarkupDrift(missing)       it says that it is an article, but the markup that we know is not there
  StopError(hint)                ends the run: exit code 1, and `hint` says what to do now
    ConfigError                  every mistake of the configuration at once
    SiteUnavailable              the site cannot be reached at all, or asks everybody to stay away
      SitePaused(until)          it asked for patience, or it is our quiet hours or daily cap: go on at `until`
    Interrupted                  somebody asked the run to stop: what was done is stored
    AlreadyRunning               another process has the archive
    DiskLow                      the disk's reserve is reached: nothing is fetched
    WarcError > WarcCorrupted    evidence cannot be written, or does not read back
    StorageError                 the database cannot be used
      StorageUnavailable         not now: it is locked, its disk is full or gone, the machine has no more to give
      SchemaTooNew               a newer version wrote it
    BackupFailed                 no copy could be made; the archive itself goes on
    BadInput                     a file or an argument that is not what the command takes
    NotTold                      an alert could not be sent
  ArticleNotFound(key)           a question with no answer
anything else                    a bug: it escapes with its traceback
```
Boundary: names and messages only; no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.types import Article, SourceFound

#: how the error on a row begins that came of a bug, and of a markup that is not known
BUG = "a bug: "
DRIFT = "markup drift: "


class Rejection(StrEnum):
    """Why a page is not an article. The value is for code; `description` is for people."""

    EMPTY = "empty"
    TINY = "tiny"
    BINARY = "binary"
    XML = "xml"
    JSON = "json"
    UNSAFE = "unsafe"
    BLOCK_PAGE = "block-page"
    SOFT_404 = "soft-404"
    ERROR_PAGE = "error-page"
    HOME_PAGE = "home-page"
    SECTION_PAGE = "section-page"
    TOPIC_PAGE = "topic-page"
    SEARCH_PAGE = "search-page"
    FEED = "feed"
    SITEMAP = "sitemap"
    OTHER_EDITION = "other-edition"
    NO_POST_ID = "no-post-id"
    UNMARKED = "unmarked"

    @property
    def description(self) -> str:
        """The rejection as a noun phrase that follows "not an article:"."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Rejection.EMPTY: "an empty response",
    Rejection.TINY: "only a few bytes",
    Rejection.BINARY: "a binary file",
    Rejection.XML: "XML, a feed or a sitemap",
    Rejection.JSON: "JSON",
    Rejection.UNSAFE: "a page that is not safe to parse",
    Rejection.BLOCK_PAGE: "a block page",
    Rejection.SOFT_404: "a soft 404",
    Rejection.ERROR_PAGE: "an error page",
    Rejection.HOME_PAGE: "the home page",
    Rejection.SECTION_PAGE: "a section page",
    Rejection.TOPIC_PAGE: "a topic or tag page",
    Rejection.SEARCH_PAGE: "a search page",
    Rejection.FEED: "a feed",
    Rejection.SITEMAP: "a sitemap",
    Rejection.OTHER_EDITION: "a page of another edition",
    Rejection.NO_POST_ID: "no post id in its address or canonical link",
    Rejection.UNMARKED: "nothing on the page marks it as an article",
}


class CrawlerError(Exception):
    """Base of all expected failures."""


class PageError(CrawlerError):
    """Something about one page; `url` is its subject."""

    def __init__(self, url: str, message: str) -> None:
        super().__init__(message)
        self.url = url

    def __str__(self) -> str:
        message = super().__str__()
        cause = str(self.__cause__ or "")
        return " ".join(f"{message}: {cause}".split() if cause else message.split())  # one line, also on a row


class FetchError(PageError):
    """The page could not be had."""


class Unreachable(FetchError):
    """No answer, or one that broke off."""


class BadStatus(FetchError):
    """The answer is no page; `status` is its HTTP status."""

    def __init__(self, url: str, status: int, message: str | None = None) -> None:
        super().__init__(url, message or f"HTTP status {status}")
        self.status = status


class Gone(BadStatus):
    """404 or 410."""


class Throttled(BadStatus):
    """429 or 503; `retry_after` is the wait that the host asks for, in seconds, or None."""

    def __init__(self, url: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(url, status)
        self.retry_after = retry_after


class Disallowed(FetchError):
    """robots.txt says no."""


class BodyTooLarge(FetchError):
    """The body is over the cap."""


class ParseError(PageError):
    """The page was had but not read."""


class UnreadableSource(ParseError):
    """A source answered with something that it is not."""


class SourceMoved(UnreadableSource):
    """A source redirects to another place, `found`; what stands there is not believed to be this source."""

    def __init__(self, url: str, found: SourceFound) -> None:
        super().__init__(url, f"redirects to {found.url}, which is another place")
        self.found = found


class NotAnArticle(ParseError):
    """The page is not an article.

    `rejection` is the reason as a value that code may test; `reason` is the same for people, with details if there are
    any (`detail` replaces the general description).
    """

    def __init__(self, url: str, rejection: Rejection, detail: str | None = None) -> None:
        self.rejection = rejection
        self.reason = detail or rejection.description
        super().__init__(url, f"not an article: {self.reason}")


class MarkupDrift(ParseError):
    """An article in a markup that we do not know: `missing` fields, and what the fallbacks found in `article`."""

    def __init__(self, url: str, missing: tuple[str, ...], article: Article) -> None:
        super().__init__(url, f"{DRIFT}no {', no '.join(missing)} where a known layout has it")
        self.missing = missing
        self.article = article


class StopError(CrawlerError):
    """Ends the run; `hint` says what to do now."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(StopError):
    """The configuration has mistakes; the message lists them all, one a line."""


class SiteUnavailable(StopError):
    """The site cannot be reached, or its robots.txt cannot be had."""


class SitePaused(SiteUnavailable):
    """Nothing may be asked before `until` (aware, UTC): the host's wish, quiet hours, the daily cap, a tripped breaker.

    `own` says that it is our configuration's wish, and no trouble.
    """

    def __init__(self, message: str, hint: str, until: datetime, *, own: bool = False) -> None:
        super().__init__(message, hint)
        self.until = until
        self.own = own


class Interrupted(StopError):
    """Somebody asked the run to stop; nothing was begun that is not finished."""


def unless_stopped(stopping: Callable[[], bool]) -> None:
    """Go on, unless somebody asked to stop.

    Raises:
        Interrupted: `stopping` says so.

    """
    if stopping():
        raise Interrupted("asked to stop", "the next run does it again")


class AlreadyRunning(StopError):
    """Another process has the archive."""


class DiskLow(StopError):
    """The disk has less free than the reserve."""


class WarcError(StopError):
    """Evidence cannot be written."""


class WarcCorrupted(WarcError):
    """A WARC record does not read back as it was written."""


class StorageError(StopError):
    """The database cannot be used."""


class StorageUnavailable(StorageError):
    """The database cannot be used now; when that is mended, or over, it can be as it is."""


class SchemaTooNew(StorageError):
    """The database was written by a newer version."""


class BackupFailed(StopError):
    """A backup could not be made; what is wrong with it is no trouble of the archive itself."""


class BadInput(StopError):
    """A file or an argument is not what the command takes."""


class NotTold(StopError):
    """An alert could not be sent."""


class ArticleNotFound(CrawlerError):
    """No article with that key."""

    def __init__(self, key: object) -> None:
        super().__init__(f"no article {key} in this archive")
        self.key = key
