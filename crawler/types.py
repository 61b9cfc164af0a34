"""Frozen values that the steps hand to one another.

Boundary: no behaviour beyond what follows from the fields themselves; no I/O, no clock, no randomness.
Every instant is a timezone-aware `datetime` in UTC unless a field says otherwise; every size is in bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

TextType = Literal["paragraph", "heading", "quote", "list_item", "table", "note"]
ArticleKind = Literal["article", "photo", "video", "infographic"]

#: The block types that make up the body text; the others are kept beside it (design, "Reading rules").
BODY_TYPES: frozenset[str] = frozenset({"paragraph", "heading", "quote", "list_item"})


@dataclass(frozen=True, slots=True)
class TextBlock:
    """One piece of text of the body, verbatim but for collapsed white space."""

    type: TextType
    text: str


@dataclass(frozen=True, slots=True)
class ImageBlock:
    """One picture. `caption` is verbatim and includes the credit; `credit` is the part after `Photo :`, or None.

    `joint` is what stands between alt and caption on a seed's image line: nothing or one space. The seeds differ
    there (seed 001 has the space), so it is carried along, but it is no field of the public JSON.
    """

    url: str | None
    alt: str = ""
    caption: str | None = None
    credit: str | None = None
    joint: str = ""


Block = TextBlock | ImageBlock


@dataclass(frozen=True, slots=True)
class Dateline:
    """What opens the first paragraph: `Paris, 19 septembre (VNA) -`. Each part verbatim, None when absent."""

    place: str | None
    date: str | None
    agency: str | None


@dataclass(frozen=True, slots=True)
class Related:
    """One story shown under `Voir plus`; `caption` is None when the picture only repeats the title."""

    title: str
    summary: str = ""
    caption: str | None = None
    url: str | None = None
    post_id: int | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One article as a page (or a seed text) gave it; verbatim, never repaired.

    `published_at` and `modified_at` are ISO 8601 strings that keep the site's own offset
    (`2025-04-29T14:30:44+07:00`); `published_raw` is the string they were read from.
    `provenance` says for each field which part of the page it came from; `problems` lists what looked wrong.
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
        """The body text, block by block, in reading order."""
        return tuple(b.text for b in self.blocks if isinstance(b, TextBlock) and b.type in BODY_TYPES)

    @property
    def images(self) -> tuple[ImageBlock, ...]:
        """The pictures in order, the lead picture first."""
        return tuple(b for b in self.blocks if isinstance(b, ImageBlock))

    @property
    def text(self) -> str:
        """The verbatim body: one blank line between blocks, captions and notes left out."""
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Repair:
    """One edit of the repaired reading: at character `offset` of the verbatim text, `before` reads `after`."""

    rule: str
    offset: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The repaired reading of a text beside the original: `clean`, and the edits that lead to it."""

    clean: str
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """A page that some source says exists, with what the source says of it."""

    url: str
    post_id: int | None = None
    title: str | None = None
    summary: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One HTTP answer as received: `body` keeps its content coding, `content` is the same inflated."""

    url: str
    fetched_at: datetime
    status: int
    reason: str
    http_version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    content: bytes
    target: str
    request_headers: tuple[tuple[str, str], ...]
    hops: tuple[Fetched, ...] = ()

    def header(self, name: str) -> str | None:
        """Give a header's value by its name in any case; None when it is absent."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class RawRef:
    """Where an answer is kept: WARC file (relative to the archive's `warc/`), byte offset, length, payload digest."""

    file: str
    offset: int
    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as the log keeps it; `status` is None when no answer came, `size` counts bytes as received."""

    url: str
    at: datetime
    status: int | None
    size: int
    seconds: float
    error: str | None = None


SourceKind = Literal["home", "section", "feed", "feed_index", "news_sitemap", "sitemap_index", "sitemap", "list"]
PageState = Literal["known", "live", "suspect", "gone", "rejected", "drift", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class SourceFound:
    """A source that another source names.

    `when` is the month that a sitemap covers, as (year, month); `modified_at` is when its index says that it changed;
    `zone` is the site's own number of a section.
    """

    kind: SourceKind
    url: str
    name: str | None = None
    when: tuple[int, int] | None = None
    modified_at: datetime | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """What making the sources follow the configuration needs of a row; `worked` says that it ever gave a good answer."""

    url: str
    kind: SourceKind
    name: str | None
    zone: str | None
    state: str
    worked: bool


@dataclass(frozen=True, slots=True)
class SourceForPoll:
    """What polling a source needs of its row."""

    url: str
    kind: SourceKind
    name: str | None
    state: str
    failures: int
    etag: str | None
    last_modified: str | None
    id: int = 0
    last_ok_at: datetime | None = None
    most_items: int | None = None
    newest_id: int | None = None
    middle_id: int | None = None
    learned_since: datetime | None = None
    checked_whole_at: datetime | None = None
    lies: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a source may have shown articles that nobody saw: between two polls that share none."""

    id: int
    source: str
    since: datetime
    until: datetime
    after_id: int | None
    before_id: int | None
    opened_at: datetime
    tried: int = 0


GapClosing = Literal["paging", "sitemap", "ids"]


@dataclass(frozen=True, slots=True)
class PageForFetch:
    """What fetching a page needs of its row."""

    id: int
    url: str
    state: PageState
    failures: int
    first_seen_at: datetime
    etag: str | None
    last_modified: str | None
    last_fetched_at: str | None = None
    checked_whole_at: datetime | None = None
    lies: int = 0
    hinted_at: datetime | None = None
    unhinted: int = 0


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What to write on a page's row after a visit; `next_due_at` None means not before somebody asks.

    `whole`: the page itself came, no 304. `lie`: it had changed under the validators that were held.
    `unhinted`: it had changed, and no source had said so.
    """

    state: PageState
    next_due_at: datetime | None
    error: str | None = None
    failures: int = 0
    raw_id: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    whole: bool = False
    lie: bool = False
    unhinted: bool = False


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What to write on a source's row after a visit; `whole` and `lie` as on a page's."""

    state: Literal["ok", "failing", "absent"]
    next_due_at: datetime | None
    items: int | None = None
    fresh_items: int | None = None
    error: str | None = None
    failures: int = 0
    etag: str | None = None
    last_modified: str | None = None
    interval: timedelta | None = None
    newest_id: int | None = None
    middle_id: int | None = None
    learned_since: datetime | None = None
    whole: bool = False
    lie: bool = False


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article as the archive holds it, with its key and what the archive adds to it."""

    id: int
    article: Article
    reading: Reading
    revision: int
    state: str
    first_seen_at: str
    checked_at: str
    parser: int
    raw: RawRef | None = None
    raw_id: int | None = None


FindingVerdict = Literal["confirmed", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the first-contact check found of one assumption about the site.

    `advice` says what to do about it, empty when nothing; `adopt` holds settings to take over, as
    `{"poll": {"add": ["/rss/une.rss"]}}`.
    """

    name: str
    dossier: str
    expected: str
    verdict: FindingVerdict
    seen: str
    advice: str = ""
    adopt: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass
class RunReport:
    """What one run did; the names are those of the command contract."""

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
