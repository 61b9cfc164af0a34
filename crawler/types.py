"""Immutable values that the processing steps exchange.

Every instant is a timezone-aware `datetime` in UTC unless its field says otherwise. Every size is in bytes.

Boundary: data classes with derived properties only; no I/O, no clock, no randomness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal


class ErrorKind(StrEnum):
    """The kind of an error of a page, a source or a backfill step. It is for code; the error message is for people."""

    UNREACHABLE = "unreachable"
    HTTP_STATUS = "http-status"
    DISALLOWED = "disallowed"
    REFUSED = "refused"
    TOO_LARGE = "too-large"
    CUT_OFF = "cut-off"
    GARBLED = "garbled"  # characters of the page were damaged in transit
    UNREADABLE = "unreadable"
    EMPTY_SOURCE = "empty-source"
    DAMAGED = "damaged"  # a source was read, but not all of it could be used
    UNSAFE_SOURCE = "unsafe-source"
    NOT_AN_ARTICLE = "not-an-article"
    LAYOUT_DRIFT = "layout-drift"  # the kinds of moved fields begin with this text
    MOVED_TITLE = "layout-drift-title"
    MOVED_LEAD = "layout-drift-lead"
    MOVED_TEXT = "layout-drift-text"
    MOVED_CAPTIONS = "layout-drift-captions"
    MOVED_TIME = "layout-drift-published_at"
    REMOVED = "removed"
    BUG = "bug"
    OTHER = "other"


MAX_BODY = 50_000_000  # the largest value of the setting `max_body`; no stored body is larger, as sent or decompressed

TextType = Literal["paragraph", "heading", "quote", "list_item", "table", "note"]
ArticleKind = Literal["article", "photo", "video", "infographic"]

#: Block types that belong to the body text. Tables and notes are stored too, but not as text of the article.
BODY_TYPES: frozenset[str] = frozenset({"paragraph", "heading", "quote", "list_item"})


@dataclass(frozen=True, slots=True)
class TextBlock:
    """One text block of the body, verbatim except for collapsed white space."""

    type: TextType
    text: str


@dataclass(frozen=True, slots=True)
class ImageBlock:
    """One picture. `caption` is verbatim and includes the credit; `credit` is the part after `Photo :`, or None.

    `joint` is the separator between alt text and caption on the image line of the seed format: empty or one space. The
    seeds use both, so the separator of each image is kept. It is not part of the public JSON.
    """

    url: str | None
    alt: str = ""
    caption: str | None = None
    credit: str | None = None
    joint: str = ""


Block = TextBlock | ImageBlock


@dataclass(frozen=True, slots=True)
class Dateline:
    """The dateline of the body, such as `Paris, 19 septembre (VNA) -`. Each part is verbatim, or None if absent."""

    place: str | None
    date: str | None
    agency: str | None


@dataclass(frozen=True, slots=True)
class Related:
    """One story listed under `Voir plus`; `caption` is its picture's caption, None if that only repeats the title."""

    title: str
    summary: str = ""
    caption: str | None = None
    url: str | None = None
    post_id: int | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One article as parsed from a page or a seed text; its text is verbatim, never repaired.

    `published_at` and `modified_at` are ISO 8601 strings with the site's own UTC offset
    (`2025-04-29T14:30:44+07:00`); `published_raw` is the string on the page that `published_at` was parsed from.
    `markup` is the name of the layout that the page matches. `provenance` maps each field to the part of the page that
    it was read from; `problems` lists what looked wrong.
    """

    title: str
    lead: str | None = None
    blocks: tuple[Block, ...] = ()
    related: tuple[Related, ...] = ()
    post_id: int | None = None
    url: str | None = None
    kind: ArticleKind = "article"
    section: str | None = None
    dateline: Dateline | None = None
    signature: str | None = None
    byline: str | None = None
    tags: tuple[str, ...] = ()
    published_at: str | None = None
    published_raw: str | None = None
    modified_at: str | None = None
    markup: str | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The paragraphs, headings, quotes and list items of the body, in reading order."""
        return tuple(b.text for b in self.blocks if isinstance(b, TextBlock) and b.type in BODY_TYPES)

    @property
    def images(self) -> tuple[ImageBlock, ...]:
        """The pictures in page order; the lead picture is the first."""
        return tuple(b for b in self.blocks if isinstance(b, ImageBlock))

    @property
    def text(self) -> str:
        """The verbatim body text: blocks separated by a blank line, without captions and notes."""
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Repair:
    """One edit of the verbatim text, made by `rule`: at character `offset`, `before` is replaced by `after`."""

    rule: str
    offset: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The repaired text of an article (`clean`) and the edits that produce it from the verbatim text."""

    clean: str
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """A page that a source lists, with the metadata that the source gives.

    `position` is the position of the page in the list, from 0; None if it is not known.
    """

    url: str
    post_id: int | None = None
    title: str | None = None
    summary: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One HTTP response. If it was read from a WARC record, `target` and `request_headers` are empty."""

    url: str
    fetched_at: datetime  # when the request was sent
    status: int
    reason: str
    http_version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes  # with its content coding
    content: bytes  # decoded
    target: str  # path and query in the request line
    request_headers: tuple[tuple[str, str], ...]
    hops: tuple[Fetched, ...] = ()  # the redirects that led to `url`, in order

    def header(self, name: str) -> str | None:
        """Return the first value of the header `name` (in any case), or None if there is no such header."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class RawRef:
    """The location of a capture: WARC file (path below `warc/`), offset and length in bytes, digest of the payload."""

    file: str
    offset: int
    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, with the values that are written to the request log."""

    url: str
    at: datetime  # when it was sent
    status: int | None  # None if there was no usable response
    size: int  # of the body as received; 0 if there was no usable response
    seconds: float
    error: str | None = None  # why there was no usable response


SourceKind = Literal["home", "section", "feed", "feed_index", "news_sitemap", "sitemap_index", "sitemap", "list"]
PageState = Literal["known", "live", "suspect", "gone", "rejected", "drift", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class SourceFound:
    """A source that another source links to.

    `when` is the month that a sitemap covers, as (year, month); `modified_at` is its lastmod in the sitemap index;
    `zone` is the number that the site uses for a section (docs/site-dossier.md, section 9).
    """

    kind: SourceKind
    url: str
    name: str | None = None
    when: tuple[int, int] | None = None
    modified_at: datetime | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """The columns that decide whether a source is polled. `worked` is True if at least one poll of it succeeded."""

    url: str
    kind: SourceKind
    name: str | None
    zone: str | None
    state: str
    worked: bool


@dataclass(frozen=True, slots=True)
class SourceForPoll:
    """The columns of a source's row that are needed to poll the source."""

    url: str
    kind: SourceKind
    name: str | None
    state: str
    failures: int  # failed polls in a row
    etag: str | None
    last_modified: str | None
    id: int = 0
    last_ok_at: datetime | None = None
    most_items: int | None = None  # largest number of articles in one response
    newest_id: int | None = None  # newest article of the last good response
    middle_id: int | None = None  # oldest article of the newer half of that response, to detect gaps
    learned_since: datetime | None = None  # when the counting of its new articles began
    checked_whole_at: datetime | None = None  # when the last full response came
    lies: int = 0  # validator mismatches
    error: str | None = None
    error_kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A period between two polls of a source that share no article, so that some articles may have been missed."""

    id: int
    source: str
    since: datetime  # the earlier poll
    until: datetime  # the later poll
    after_id: int | None  # the newest article listed before the gap
    before_id: int | None  # the oldest article listed after it; None if unknown
    opened_at: datetime
    tried: int = 0  # attempts that did not close the gap


GapClosing = Literal["paging", "sitemap", "ids"]


@dataclass(frozen=True, slots=True)
class PageForFetch:
    """The columns of a page's row that are needed to fetch the page."""

    id: int
    url: str
    state: PageState
    failures: int  # failed visits in a row; for a suspect or gone page, "not found" responses
    first_seen_at: datetime
    etag: str | None
    last_modified: str | None
    last_fetched_at: str | None = None  # as stored
    checked_whole_at: datetime | None = None  # when the last full response came
    lies: int = 0  # validator mismatches
    hinted_at: datetime | None = None  # newest lastmod hint
    unhinted: int = 0  # changes for which no source gave a new lastmod hint


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """The changes to a page's row after a visit.

    If `next_due_at` is None, no visit is scheduled. If `raw_id` or `url` is None, the stored value is kept. `whole` is
    True for a full response (not a 304), `lie` if the content changed although the validators did not, and `unhinted` if
    it changed although no source gave a new modification time. `error` is for people; code tests `error_kind`.
    """

    state: PageState
    next_due_at: datetime | None
    error: str | None = None
    failures: int = 0
    raw_id: int | None = None
    url: str | None = None  # the address to request from now on
    etag: str | None = None
    last_modified: str | None = None
    whole: bool = False
    lie: bool = False
    unhinted: bool = False
    error_kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """The changes to a source's row after a poll. Fields with the same names as in `PageOutcome` mean the same.

    If a field is None, the stored value is kept, except for `next_due_at`, `error` and `error_kind`.
    """

    state: Literal["ok", "failing", "absent"]
    next_due_at: datetime | None
    items: int | None = None  # articles on the first page
    fresh_items: int | None = None  # articles, on all pages, that are new to the archive
    error: str | None = None
    failures: int = 0
    etag: str | None = None
    last_modified: str | None = None
    interval: timedelta | None = None  # until the next poll
    newest_id: int | None = None
    middle_id: int | None = None
    learned_since: datetime | None = None
    whole: bool = False
    lie: bool = False
    error_kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article as stored in the archive, with its id and the metadata that the archive adds.

    `word_count` is None for an older revision, because the archive stores this count for the current revision only.
    """

    id: int
    article: Article
    reading: Reading
    revision: int
    state: str
    first_seen_at: str  # as stored
    checked_at: str  # as stored
    parser: int  # version of the parser that read it
    raw: RawRef | None = None
    raw_id: int | None = None
    word_count: int | None = None
    fetched_url: str | None = None  # of the response that first showed the revision; None for an imported text


@dataclass
class RunReport:
    """The counts of what one run did. The field names are those of the JSON output of `vna poll`."""

    sightings: int = 0
    fetched: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    duplicate: int = 0
    rejected: int = 0
    failed: int = 0
    gone: int = 0
    bytes: int = 0
    requests: int = 0
    seconds: float = 0.0
