"""The exceptions for expected failures.

```
CrawlerError
  PageError(url)                 a failure of one page or source: it is written to its row, and the run continues
    FetchError                   the page could not be fetched
      Unreachable                no response: DNS, connection, TLS, timeout, or a response cut off half-way
      BadStatus(status)          the HTTP status says that the response is not the page
        Throttled(retry_after)   429 or 503: the host asks clients to slow down
      Disallowed                 robots.txt forbids the address
      Refused                    the address, or a redirect, leads away from the configured site
      BodyTooLarge               the body exceeds the size limit, before or after decompression
      CutOff                     the page ends before its end tag
      Garbled                    characters of the page were damaged in transit
    ParseError                   the page is in the WARC but cannot be parsed: fix the parser, then run `vna reparse`
      UnreadableSource           a feed, sitemap or list is not what was expected
        EmptySource              the source can be parsed, but lists no article
        UnsafeSource             parsing the response would take too much time or memory
          SourceReaderStopped    the parser process exceeded a limit or crashed while it read the response
        SourceMoved(found)       the source redirects to the address of another source
      NotAnArticle(rejection)    the page is something else: a block page, a soft 404, a section page, ...
        ParserStopped            the parser process exceeded a limit or crashed while it parsed the page
      NotAPicture                the response of a picture's address is not a picture
      MarkupDrift(missing)       the page says that it is an article, but matches no known layout
  StopError(hint)                a failure that ends the run with exit code 1; `hint` says what to do
    ConfigError                  the configuration has mistakes; the message lists all of them
    NothingToLearn               no layout can be learned: the articles of the pages are not known
    SiteUnavailable              the site cannot be reached, or its robots.txt cannot be fetched
      SitePaused(until)          no request before `until`, because of the host, quiet hours or the daily cap
    Interrupted                  a signal stopped the run; finished work is stored
    AlreadyRunning               another process has the lock that the run needs
    DiskLow                      free disk space is below the reserve; nothing is fetched
    WarcError                    a WARC record cannot be written
      WarcCorrupted              a WARC record does not match its digest
    StorageError                 the database cannot be used
      StorageUnavailable         it may be usable later: locked, disk full or missing, system limit reached
      SchemaTooOld               an older version wrote it, so it must be upgraded before it can be read
      SchemaTooNew               a newer version wrote it
    BackupFailed                 the backup failed; the archive itself is usable
    BadInput                     a file or an argument that the command cannot use
      OtherArchive               files that belong to another archive
      UnknownName                a section, kind, state or column that does not exist
    NotDelivered                 an alert could not be sent
  ArticleNotFound(key)           the archive has no article with this id
anything else                    a bug: it propagates with its traceback
```
Messages are for people: code decides by class, or by the values `Rejection` and `ErrorKind`.

Boundary: exception classes only; no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from crawler import redact, visible
from crawler.types import ErrorKind

if TYPE_CHECKING:
    from crawler.types import Article, SourceFound


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
        """The reason as a phrase that follows `not an article:` in messages."""
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


#: HTTP statuses of an address at which there is nothing.
NOT_FOUND = frozenset({404, 410})


class CrawlerError(Exception):
    """Base class of all expected failures. Its text is for people: without credentials, and safe to print."""

    def __str__(self) -> str:
        return visible.block(redact.redacted(super().__str__()))


class PageError(CrawlerError):
    """A failure of the page or source with the address `url`. `kind` is stored in the row of the page or source."""

    kind: ClassVar[ErrorKind] = ErrorKind.OTHER

    def __init__(self, url: str, message: str) -> None:
        super().__init__(message)
        self.url = url

    @property
    def is_absence(self) -> bool:
        """Whether there is nothing to fetch at the address, so that there is no point in an early retry."""
        return False

    def __str__(self) -> str:
        message = super().__str__()
        cause = redact.redacted(str(self.__cause__ or ""))
        text = " ".join(f"{message}: {cause}".split() if cause else message.split())  # one line: it is stored on a row
        return visible.line(text)


class FetchError(PageError):
    """The page could not be fetched."""


class Unreachable(FetchError):
    """There was no response, or the response was cut off half-way."""

    kind = ErrorKind.UNREACHABLE


class BadStatus(FetchError):
    """The HTTP status, in `status`, says that the response is not the requested page."""

    kind = ErrorKind.HTTP_STATUS

    def __init__(self, url: str, status: int, message: str | None = None) -> None:
        super().__init__(url, message or f"HTTP status {status}")
        self.status = status

    @property
    def is_absence(self) -> bool:
        """Whether the status says that there is nothing at the address."""
        return self.status in NOT_FOUND


class Throttled(BadStatus):
    """The HTTP status is 429 or 503. `retry_after` is the wait that the host asks for, in seconds, or None."""

    def __init__(self, url: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(url, status)
        self.retry_after = retry_after


class Disallowed(FetchError):
    """robots.txt forbids the address."""

    kind = ErrorKind.DISALLOWED

    @property
    def is_absence(self) -> bool:
        """Always true: for the crawler there is nothing at the address."""
        return True


class Refused(FetchError):
    """The address leads away from the configured site, so it is not requested. The message contains no credentials."""

    kind = ErrorKind.REFUSED


class BodyTooLarge(FetchError):
    """The body exceeds the size limit."""

    kind = ErrorKind.TOO_LARGE


class CutOff(FetchError):
    """The page ends before its end tag, so that a part of the article may be missing."""

    kind = ErrorKind.CUT_OFF


class Garbled(FetchError):
    """Characters of the page were damaged in transit, such as by a conversion between charsets."""

    kind = ErrorKind.GARBLED


class ParseError(PageError):
    """The page was fetched and archived, but cannot be parsed."""

    kind = ErrorKind.UNREADABLE


class UnreadableSource(ParseError):
    """The response of a source is not what that kind of source returns."""


class EmptySource(UnreadableSource):
    """The response of a source can be parsed, but lists no article."""

    kind = ErrorKind.EMPTY_SOURCE


class UnsafeSource(UnreadableSource):
    """Parsing the response of a source would take too much time or memory."""

    kind = ErrorKind.UNSAFE_SOURCE


class SourceReaderStopped(UnsafeSource):
    """The parser process exceeded a limit or crashed while it read the response; `reason` is a clause that says which."""

    kind = ErrorKind.BUG

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, f"not safe to parse: {reason}")


class SourceMoved(UnreadableSource):
    """A source redirects to another source, `found`, whose content must not be attributed to the first source."""

    def __init__(self, url: str, found: SourceFound) -> None:
        super().__init__(url, f"redirects to {found.url}, which is a different source")
        self.found = found


class NotAnArticle(ParseError):
    """The page is not an article.

    `rejection` is the reason as a value that code may test. `reason` is the reason as text for people: `detail`, or the
    description of `rejection` if there is no `detail`.
    """

    kind = ErrorKind.NOT_AN_ARTICLE

    def __init__(self, url: str, rejection: Rejection, detail: str | None = None) -> None:
        self.rejection = rejection
        self.reason = detail or rejection.description
        super().__init__(url, f"not an article: {self.reason}")


class ParserStopped(NotAnArticle):
    """The parser process exceeded a limit or crashed while it parsed the page; `reason` is a clause that says which."""

    kind = ErrorKind.BUG

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, Rejection.UNSAFE, f"{Rejection.UNSAFE.description}: {reason}")


class NotAPicture(ParseError):
    """The response of a picture's address is something else, such as an error page or an SVG document."""


class MarkupDrift(ParseError):
    """An article in an unknown layout. `missing`: the fields not found; `article`: what could be read."""

    kind = ErrorKind.LAYOUT_DRIFT

    def __init__(self, url: str, missing: tuple[str, ...], article: Article) -> None:
        super().__init__(url, f"layout drift: missing {', '.join(missing)}")
        self.missing = missing
        self.article = article


class StopError(CrawlerError):
    """A failure that ends the run with exit code 1. `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = visible.block(redact.redacted(hint))


class ConfigError(StopError):
    """The configuration has mistakes. The message lists all of them, one per line."""


class NothingToLearn(StopError):
    """No layout can be learned: no page is in an unknown layout, or no article on such a page is known."""


class SiteUnavailable(StopError):
    """The site cannot be reached, or its robots.txt cannot be fetched."""


class SitePaused(SiteUnavailable):
    """No request may be made before `until`, a timezone-aware time in UTC.

    `own` is True if the pause comes from our configuration (quiet hours, daily cap), so that the site is not at fault.
    """

    def __init__(self, message: str, hint: str, until: datetime, *, own: bool = False) -> None:
        super().__init__(message, hint)
        self.until = until
        self.own = own


class Interrupted(StopError):
    """The run was asked to stop, for example by a signal. No work was left half done."""


def raise_if_stopped(stopping: Callable[[], bool]) -> None:
    """Raise `Interrupted` if a stop was requested.

    Raises:
        Interrupted: `stopping` returned True.

    """
    if stopping():
        raise Interrupted("stopped on request", "run the command again to start over")


class AlreadyRunning(StopError):
    """Another process has the lock that the run needs, for example because it uses the archive."""


class DiskLow(StopError):
    """Free disk space is below the configured reserve."""


class WarcError(StopError):
    """A WARC record cannot be written."""


class WarcCorrupted(WarcError):
    """A WARC record does not match its digest."""


class StorageError(StopError):
    """The database cannot be used."""


class StorageUnavailable(StorageError):
    """The database cannot be used now, but it is not damaged: the problem may pass, or can be fixed."""


class SchemaTooOld(StorageError):
    """An older version of this program wrote the database, which must be upgraded before it can be read."""


class SchemaTooNew(StorageError):
    """A newer version of this program wrote the database."""


class BackupFailed(StopError):
    """A backup could not be made. The archive itself is usable."""


class BadInput(StopError):
    """A file or an argument that the command cannot use."""


class OtherArchive(BadInput):
    """The files belong to another archive, or to two archives."""


class UnknownName(BadInput):
    """A section, kind, state or column that does not exist; the hint has the nearest names."""


class NotDelivered(StopError):
    """An alert could not be sent."""


class ArticleNotFound(CrawlerError):
    """The archive has no article with this id."""

    def __init__(self, key: object) -> None:
        super().__init__(f"no article {key} in this archive")
        self.key = key
