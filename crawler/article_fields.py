"""The table of article fields: the origin of each field, and where it is stored, exported and compared.

`storage`, `records`, `export`, `dataset` and `vna reparse` take their columns from `FIELDS`; docs/new-field.md explains
how to add a field. Which fields make a new revision is decided elsewhere, in `identity.comparable`.

Boundary: pure; no value is encoded here: `records` encodes for SQL and JSON, `export` for CSV, `dataset` for Parquet.
Migrations create the SQL columns; a test compares them with this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, Flag, auto
from operator import attrgetter
from typing import Any

from crawler.types import Article, Reading
from crawler.word_count import count_words


class FieldType(Enum):
    """The type of the value of a field. Each format (SQL, JSON, ...) encodes each type in its own way."""

    TEXT = "text"
    INTEGER = "integer"  # 64 bits
    SMALL_INTEGER = "small integer"  # 32 bits
    INSTANT = "instant"  # an instant in UTC, set by the archive
    SITE_INSTANT = "site instant"  # an instant as the site writes it, with its offset; not always valid
    DAY = "day"  # a day in Hanoi
    TEXT_LIST = "list of text"
    TEXT_MAP = "map of text to text"
    DATELINE = "dateline"
    BLOCKS = "blocks"
    RELATED = "related stories"
    REPAIRS = "repairs"


class In(Flag):
    """A table or format that may have a column or key for a field.

    CSV is not listed: the order of its columns differs from the order of `FIELDS`, so `ArticleField.csv` numbers them.
    """

    ARTICLES = auto()  # a column of the table `articles`
    REVISIONS = auto()  # a column of the table `revisions`
    JSON = auto()
    PARQUET = auto()


class Compared(Enum):
    """The revisions in which `vna reparse` compares a field with what the current parser reads from the same page."""

    NEVER = auto()
    CURRENT = auto()  # the current revision only
    ALWAYS = auto()  # every revision


@dataclass(frozen=True, slots=True)
class ArticleField:
    """One field of an article.

    `read` computes the value from a parsed article and its repaired text; it is None for a field that the archive sets.
    `csv` is the column number in the CSV export, starting at 1; None if CSV does not have the field. A `required` field
    always has a value: its column is NOT NULL in SQL and not nullable in Parquet.
    """

    name: str
    type: FieldType
    read: Callable[[Article, Reading], Any] | None
    places: In
    description: str
    csv: int | None = None
    required: bool = False
    compared: Compared = Compared.NEVER


_T = FieldType
_SQL = In.ARTICLES
_BOTH = In.ARTICLES | In.REVISIONS
_FILES = In.JSON | In.PARQUET
_CURRENT, _ALWAYS = Compared.CURRENT, Compared.ALWAYS


def _attribute(name: str, type_: FieldType, places: In, description: str, **more: Any) -> ArticleField:
    """Return a field whose value is the attribute of `Article` with the same name."""
    get = attrgetter(name)
    return ArticleField(name, type_, lambda article, _: get(article), places, description, **more)


def _computed(
    name: str, type_: FieldType, places: In, read: Callable[[Article, Reading], Any], description: str, **more: Any
) -> ArticleField:
    """Return a field whose value `read` computes from a parsed article and its repaired text."""
    return ArticleField(name, type_, read, places, description, **more)


def _archived(name: str, type_: FieldType, places: In, description: str, **more: Any) -> ArticleField:
    """Return a field whose value the archive sets; a parsed article does not have such a value."""
    return ArticleField(name, type_, None, places, description, **more)


def _problems(article: Article, reading: Reading) -> list[str]:
    from crawler.repair import flags  # noqa: PLC0415 - slow to load, and commands that read an archive do not need it

    return [*dict.fromkeys((*article.problems, *flags(reading)))]


#: Every field of an article, in the order of the JSON keys and of the Parquet columns. Append a new field at the end:
#: scripts may depend on the order.
FIELDS: tuple[ArticleField, ...] = (
    _archived("id", _T.INTEGER, _SQL | _FILES, "the post id; a negative number for an imported text without one",
              csv=1, required=True),
    _attribute("post_id", _T.INTEGER, _FILES, "the number of the article on the site"),
    _attribute("url", _T.TEXT, _BOTH | _FILES, "the address of the page, as the page states it", csv=2, compared=_CURRENT),
    _attribute("kind", _T.TEXT, _BOTH | _FILES, "article, photo, video or infographic",
               csv=3, required=True, compared=_ALWAYS),
    _attribute("section", _T.TEXT, _BOTH | _FILES, "the section that the page names", csv=4, compared=_ALWAYS),
    _attribute("title", _T.TEXT, _BOTH | _FILES, "the headline", csv=5, required=True, compared=_ALWAYS),
    _attribute("lead", _T.TEXT, _BOTH | _FILES, "the lead paragraph", csv=6, compared=_ALWAYS),
    _attribute("blocks", _T.BLOCKS, _BOTH | _FILES, "texts and images in reading order",
               required=True, compared=_ALWAYS),
    _attribute("dateline", _T.DATELINE, _FILES, "place, date and agency that open the body text", compared=_CURRENT),
    _computed("dateline_place", _T.TEXT, _SQL, lambda a, _: a.dateline and a.dateline.place,
              "the place in the dateline", csv=9),
    _computed("dateline_date", _T.TEXT, _SQL, lambda a, _: a.dateline and a.dateline.date,
              "the date in the dateline, verbatim", csv=10),
    _computed("agency", _T.TEXT, _SQL, lambda a, _: a.dateline and a.dateline.agency,
              "the agency in the dateline", csv=11),
    _attribute("signature", _T.TEXT, _SQL | _FILES, "the signature that ends the body text", csv=12, compared=_CURRENT),
    _attribute("byline", _T.TEXT, _BOTH | _FILES, "the name of the author", csv=13, compared=_ALWAYS),
    _attribute("tags", _T.TEXT_LIST, In.REVISIONS | _FILES, "keywords; `tags` is a table of its own in SQL",
               csv=14, required=True, compared=_ALWAYS),
    _attribute("published_at", _T.SITE_INSTANT, _BOTH | _FILES, "the time of publication", csv=15, compared=_ALWAYS),
    _computed("published_at_text", _T.TEXT, In.PARQUET, lambda a, _: a.published_at,
              "`published_at` as text, with the offset that the site gives"),
    _attribute("published_raw", _T.TEXT, _SQL | _FILES, "the text that `published_at` was read from"),
    _archived("published_on", _T.DAY, _SQL | In.PARQUET, "the day of publication in Hanoi"),
    _attribute("modified_at", _T.SITE_INSTANT, _BOTH | _FILES, "the time of the last edit that the page names",
               csv=16, compared=_CURRENT),
    _computed("modified_at_text", _T.TEXT, In.PARQUET, lambda a, _: a.modified_at,
              "`modified_at` as text, with the offset that the site gives"),
    _attribute("related", _T.RELATED, _FILES, "the stories under `Voir plus`", required=True, compared=_CURRENT),
    _attribute("text", _T.TEXT, _SQL | _FILES, "the verbatim body text", csv=7, required=True),
    _computed("clean", _T.TEXT, _SQL | _FILES, lambda _, r: r.clean, "the repaired body text",
              csv=8, required=True, compared=_CURRENT),
    _computed("repairs", _T.REPAIRS, _FILES, lambda _, r: r.repairs, "the edits that turn `text` into `clean`",
              required=True),
    _attribute("markup", _T.TEXT, _SQL | _FILES, "the name of the page layout", csv=21, compared=_CURRENT),
    _attribute("provenance", _T.TEXT_MAP, _SQL | _FILES, "for each field, the part of the page that it comes from",
               required=True),
    _computed("problems", _T.TEXT_LIST, _SQL | _FILES, _problems, "what looked wrong on the page or in the text",
              required=True, compared=_CURRENT),
    _archived("revision", _T.SMALL_INTEGER, _BOTH | _FILES, "the number of the revision, from 1",
              csv=17, required=True),
    _archived("state", _T.TEXT, _SQL | _FILES, "live, suspect or gone", csv=18, required=True),
    _archived("first_seen_at", _T.INSTANT, _SQL | _FILES, "the time of the first capture", csv=19, required=True),
    _archived("checked_at", _T.INSTANT, _SQL | _FILES, "the time of the last check", csv=20, required=True),
    _archived("fingerprint", _T.TEXT, _BOTH, "a hash of what the article says: it changes with each revision",
              required=True),
    _archived("body_key", _T.TEXT, _SQL, "a hash of title and text, to find identical articles", required=True),
    _archived("simhash", _T.INTEGER, _SQL, "a hash that is close for similar texts", required=True),
    _archived("parser", _T.INTEGER, _SQL, "the version of the parser that read the page", required=True),
    _archived("raw_id", _T.INTEGER, _BOTH, "the capture that first showed this revision"),
    _archived("source_file", _T.TEXT, _SQL, "the file of an imported text"),
    _computed("word_count", _T.SMALL_INTEGER, _SQL | _FILES, lambda _, r: count_words(r.clean),
              "the number of words in `clean`", csv=22, required=True),
    _archived("fetched_url", _T.TEXT, _FILES,
              "the address of the response that first showed this revision; `url` is what the page states", csv=23),
)  # fmt: skip
#: The columns of the CSV export, in their order.
CSV_FIELDS: tuple[ArticleField, ...] = tuple(sorted((f for f in FIELDS if f.csv), key=lambda f: f.csv or 0))


#: The columns that an export may have, in the order of `FIELDS`.
EXPORTED: tuple[ArticleField, ...] = tuple(f for f in FIELDS if f.csv or f.places & (In.JSON | In.PARQUET))


def fields_in(place: In) -> tuple[ArticleField, ...]:
    """Return the fields that have a column or key in `place`, in the order of `FIELDS`."""
    return tuple(field for field in FIELDS if place in field.places)


def compared_fields(*, current: bool) -> tuple[str, ...]:
    """Return the names of the fields that `vna reparse` compares.

    They are the fields for the current revision if `current` is True, else those for older revisions.
    """
    wanted = {Compared.CURRENT, Compared.ALWAYS} if current else {Compared.ALWAYS}
    return tuple(field.name for field in FIELDS if field.compared in wanted)
