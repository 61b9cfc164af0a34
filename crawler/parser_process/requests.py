"""What the parser process is asked to read, what it answers, and how the answer becomes a result or an exception.

Boundary: values only; `parent` starts the process, `child` is the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crawler.discover import Discovery, discover
from crawler.errors import (
    EmptySource,
    MarkupDrift,
    NotAnArticle,
    Rejection,
    SourceMoved,
    UnreadableSource,
    UnsafeSource,
)
from crawler.markup import ListSelectors, Markup
from crawler.parse.page import parse_page
from crawler.parser_process.decoder import decode
from crawler.pictures import DecodedPicture, Header
from crawler.site import Site
from crawler.types import Article, SourceForPoll, SourceFound

_What = Literal["not-an-article", "drift", "source", "empty-source", "unsafe-source", "moved", "bug"]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page to parse; see `crawler.parse.page.parse_page`."""

    url: str
    content_type: str | None
    fetched_at: datetime
    markups: Sequence[Markup]
    edition: Site


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A response of a source to read; see `crawler.discover.discover`."""

    source: SourceForPoll
    url: str
    site: Site
    now: datetime
    asked: str | None
    layouts: Sequence[ListSelectors] = ()


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A picture to decode; see `crawler.parser_process.decoder.decode`."""

    header: Header


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception of a reader. `what` names its class; the other fields are its arguments, if it has them.

    `what` is `bug` for an unexpected exception: `message` is its traceback.
    """

    what: _What
    url: str = ""
    message: str = ""
    cause: str = ""
    rejection: Rejection | None = None
    missing: tuple[str, ...] = ()
    article: Article | None = None
    found: SourceFound | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the parser process returns: an article, the contents of a list, the hashes of a picture, or a failure."""

    article: Article | None = None
    discovery: Discovery | None = None
    picture: DecodedPicture | None = None
    failure: Failure | None = None


Request = PageRequest | ListRequest | PictureRequest
Result = Article | Discovery | DecodedPicture


class ParserBug(Exception):
    """An unexpected exception in the parser process; the message contains its traceback."""


def read(request: Request, body: bytes) -> Result:
    """Read a page, a list or a picture in this process.

    Raises:
        ParseError: the response cannot be read.

    """
    if isinstance(request, ListRequest):
        return discover(
            request.source,
            body,
            request.url,
            request.site,
            request.now,
            asked=request.asked,
            layouts=request.layouts,
        )
    if isinstance(request, PictureRequest):
        return decode(body, request.header)
    return parse_page(
        body,
        request.url,
        content_type=request.content_type,
        fetched_at=request.fetched_at,
        markups=request.markups,
        edition=request.edition,
    )


#: The class of the others comes last.
_SOURCE_ERRORS: dict[_What, type[UnreadableSource]] = {
    "empty-source": EmptySource,
    "unsafe-source": UnsafeSource,
    "source": UnreadableSource,
}


def failure_of(error: NotAnArticle | MarkupDrift | UnreadableSource) -> Failure:
    """Return an expected exception of a reader as a value."""
    if isinstance(error, NotAnArticle):
        return Failure("not-an-article", error.url, error.reason, rejection=error.rejection)
    if isinstance(error, MarkupDrift):
        return Failure("drift", error.url, missing=error.missing, article=error.article)
    if isinstance(error, SourceMoved):
        return Failure("moved", error.url, found=error.found)
    what = next(name for name, kind in _SOURCE_ERRORS.items() if isinstance(error, kind))
    return Failure(what, error.url, error.args[0], str(error.__cause__ or ""))


def answer_of(result: Result) -> Answer:
    """Return the answer with a result."""
    if isinstance(result, Article):
        return Answer(article=result)
    return Answer(picture=result) if isinstance(result, DecodedPicture) else Answer(discovery=result)


def result_of(answer: Answer) -> Result:
    """Return the result in an answer, or raise the exception in it.

    Raises:
        ParseError: the response cannot be read.
        ParserBug: the reader has a bug.
        ValueError: the answer is incomplete.

    """
    failure = answer.failure
    if failure is not None:
        raise _exception(failure)
    result = answer.article or answer.discovery or answer.picture
    if result is None:
        raise ValueError("an answer without a result")
    return result


def _exception(failure: Failure) -> Exception:
    if failure.what == "not-an-article" and failure.rejection is not None:
        return NotAnArticle(failure.url, failure.rejection, failure.message)
    if failure.what == "drift" and failure.article is not None:
        return MarkupDrift(failure.url, failure.missing, failure.article)
    if failure.what == "moved" and failure.found is not None:
        return SourceMoved(failure.url, failure.found)
    if failure.what in _SOURCE_ERRORS:
        error = _SOURCE_ERRORS[failure.what](failure.url, failure.message)
        error.__cause__ = ValueError(failure.cause) if failure.cause else None
        return error
    if failure.what == "bug":
        return ParserBug(failure.message)
    return ValueError("an incomplete failure")
