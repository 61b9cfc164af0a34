"""The Python interface: read an archive from a program. docs/python.md describes it with examples.

```
from crawler import open_archive

with open_archive("archive") as archive:
    for article in archive.articles("riz OU café", since="2024-01-01", section="Économie"):
        print(article.published_on, article.title)
```
The database is opened with `mode=ro`, so that nothing here can change it, and a service may write to it meanwhile.

Boundary: only reads; turns stored articles into the values below. Names are those of the JSON and of the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from crawler import days, query, records, selection, snippets, storage
from crawler.article_fields import EXPORTED, ArticleField, In, fields_in
from crawler.clock import from_text, named_instant
from crawler.errors import ArticleNotFound
from crawler.types import Block, Dateline, ImageBlock, Related, Repair, StoredArticle

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_WORD_COUNT = next(field for field in EXPORTED if field.name == "word_count")

Day = str | date
Instant = str | date | datetime
Names = str | Iterable[str]


@dataclass(frozen=True, slots=True)
class ArchivedArticle:
    """One article, or one revision of it.

    `text` is the body as published, `clean` the repaired body. `published_at` and `modified_at` have the offset of the
    site; they are None if the page gives no valid time. `first_seen_at` and `checked_at` are in UTC. `published_on` is the
    day in Hanoi.
    """

    id: int
    revision: int
    state: str
    kind: str
    url: str | None
    fetched_url: str | None
    section: str | None
    title: str
    lead: str | None
    text: str
    clean: str
    blocks: tuple[Block, ...]
    repairs: tuple[Repair, ...]
    related: tuple[Related, ...]
    tags: tuple[str, ...]
    dateline: Dateline | None
    signature: str | None
    byline: str | None
    published_at: datetime | None
    published_on: date | None
    modified_at: datetime | None
    first_seen_at: datetime
    checked_at: datetime
    word_count: int
    problems: tuple[str, ...]
    provenance: Mapping[str, str]

    @property
    def images(self) -> tuple[ImageBlock, ...]:
        """The pictures in page order."""
        return tuple(block for block in self.blocks if isinstance(block, ImageBlock))


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An article that a search found; `snippet` is an extract in which `**` surrounds each word that was searched for."""

    id: int
    url: str | None
    section: str | None
    title: str
    lead: str | None
    published_at: datetime | None
    published_on: date | None
    snippet: str


class ArticleSet:
    """Selected articles, in the order of their ids. Each iteration reads them from the archive again, one at a time."""

    def __init__(self, archive: storage.Archive, wanted: selection.Selection) -> None:
        self._archive = archive
        self._wanted = wanted

    def __iter__(self) -> Iterator[ArchivedArticle]:
        return map(_article, self._stored())

    def to_arrow(self, columns: Names | None = None) -> pa.Table:
        """Return a PyArrow table with the columns of the Parquet export, or with some of them.

        Raises:
            ImportError: PyArrow is not installed.
            UnknownName: there is no such column.

        """
        _require("pyarrow")
        from crawler.dataset import table  # noqa: PLC0415 - optional, and slow to import

        return table.read(self._stored(), _columns(columns))

    def to_pandas(self, columns: Names | None = None) -> pd.DataFrame:
        """Return a pandas DataFrame with the columns of the Parquet export, or with some of them.

        Raises:
            ImportError: pandas or PyArrow is not installed.
            UnknownName: there is no such column.

        """
        _require("pandas")
        return self.to_arrow(columns).to_pandas()

    def to_polars(self, columns: Names | None = None) -> pl.DataFrame:
        """Return a Polars DataFrame with the columns of the Parquet export, or with some of them.

        Raises:
            ImportError: Polars or PyArrow is not installed.
            UnknownName: there is no such column.

        """
        _require("polars")
        import polars as pl  # noqa: PLC0415 - optional

        return pl.DataFrame(self.to_arrow(columns))

    def _stored(self) -> Iterator[StoredArticle]:
        with self._archive.reading():
            yield from self._archive.selected(self._wanted)


class ArchiveReader:
    """An archive that is open for reading, and a context manager that closes it."""

    def __init__(self, archive: storage.Archive, synonyms: query.Synonyms) -> None:
        self._archive = archive
        self._synonyms = synonyms

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive; nothing can be read from it any more."""
        self._archive.close()

    @property
    def sections(self) -> list[str]:
        """The names of all sections, in alphabetical order."""
        with self._archive.reading():
            return self._archive.section_names()

    def article(
        self, key: int, *, revision: int | None = None, as_of: Instant | None = None, known_at: Instant | None = None
    ) -> ArchivedArticle:
        """Return the article with the id `key`: its current text, a revision, or the text of a time.

        Raises:
            ArticleNotFound: the archive has no such article or revision.
            ValueError: a time is not valid.

        """
        _require_possible(key)
        then = {"as_of": _instant(as_of), "known_at": _instant(known_at)}
        with self._archive.reading():
            if revision is None and not any(then.values()):
                stored = self._archive.article(key)
            else:
                stored = self._archive.revision(key, number=revision, **then)
        if stored is None:
            asked = {"with revision": revision, "as of": as_of, "known at": known_at}.items()
            raise ArticleNotFound(f"{key}{''.join(f' {words} {one}' for words, one in asked if one is not None)}")
        return _article(stored)

    def revisions(self, key: int) -> list[ArchivedArticle]:
        """Return all revisions of an article, oldest first; `checked_at` of an older one is when it was first seen.

        Raises:
            ArticleNotFound: the archive has no such article.

        """
        _require_possible(key)
        with self._archive.reading():
            numbers = [moment.revision for moment in self._archive.timeline(key)]
            found = [self._archive.revision(key, number=number) for number in numbers]
        if not found:
            raise ArticleNotFound(str(key))
        return [_article(stored) for stored in found if stored is not None]

    def articles(
        self,
        text: str | None = None,
        *,
        since: Day | None = None,
        until: Day | None = None,
        section: Names = (),
        kind: Names = (),
        state: Names = (),
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        revisions: bool = False,
    ) -> ArticleSet:
        """Return the articles that all conditions select, as `vna export` does (docs/export.md).

        `text` is a query of `vna search`. A day may be a month or a year, such as `2024-05`. `section`, `kind` and
        `state` are one name or several. A time selects the articles as they were then, and a day means its end;
        `revisions` selects all revisions of each article.

        Raises:
            BadInput: the query has no word to search for, a day is none, or the period ends before it begins.
            UnknownName: there is no such section, kind or state; `hint` has the nearest names.
            ValueError: a time is not valid.

        """
        with self._archive.reading():
            wanted = selection.select(
                None if text is None else query.parse(text, self._synonyms),
                self._archive.known_section_names,
                since=_first(since),
                until=_last(until),
                sections=_names(section),
                kinds=_names(kind),
                states=_names(state),
                as_of=_instant(as_of),
                known_at=_instant(known_at),
                revisions=revisions,
            )
        return ArticleSet(self._archive, wanted)

    def search(
        self,
        text: str,
        *,
        since: Day | None = None,
        until: Day | None = None,
        section: str | None = None,
        limit: int = 20,
        rank: bool = False,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
    ) -> list[SearchHit]:
        """Return what `vna search` finds: at most `limit` articles, the newest first or, if `rank`, the most relevant.

        Raises:
            BadInput: the query has no word to search for, a day is none, or the period ends before it begins.
            UnknownName: there is no such section.
            ValueError: a time is not valid, `limit` is negative, or `rank` is given with a time.

        """
        if limit < 0:
            raise ValueError(f"the limit is negative: {limit}")
        words = query.parse(text, self._synonyms)
        then = {"as_of": _instant(as_of), "known_at": _instant(known_at)}
        if rank and any(then.values()):
            raise ValueError("old texts are sorted by date only, not by relevance")
        with self._archive.reading():
            wanted = selection.select(
                words,
                self._archive.known_section_names,
                since=_first(since),
                until=_last(until),
                sections=() if section is None else _names(section),
            )
            filters = {"since": wanted.since, "until": wanted.until, "section": next(iter(wanted.sections), None)}
            if any(then.values()):
                rows = self._archive.search_as_of(words.match, **filters, **then, limit=limit)
            else:
                rows = self._archive.search(words.match, **filters, limit=limit, rank=rank)
        return [_hit(row, words) for row in rows]


def open_archive(folder: str | Path = "archive", *, synonyms: Iterable[Iterable[str]] = ()) -> ArchiveReader:
    """Open the archive in a folder for reading.

    `synonyms` are groups of words and phrases that a search takes as equal, as in `config/synonyms.toml`.

    Raises:
        StorageError: there is no archive, or it cannot be read. `SchemaTooOld` and `SchemaTooNew`: another version of this
            program wrote it; `StorageUnavailable`: it is locked. `hint` says what to do.

    """
    return ArchiveReader(storage.open_archive(Path(folder), read_only=True), query.Synonyms(synonyms))


def _article(stored: StoredArticle) -> ArchivedArticle:
    article, reading = stored.article, stored.reading
    day = records.day_in_hanoi(article.published_at)
    return ArchivedArticle(
        id=stored.id,
        revision=stored.revision,
        state=stored.state,
        kind=article.kind,
        url=article.url,
        fetched_url=stored.fetched_url,
        section=article.section,
        title=article.title,
        lead=article.lead,
        text=article.text,
        clean=reading.clean,
        blocks=article.blocks,
        repairs=reading.repairs,
        related=article.related,
        tags=article.tags,
        dateline=article.dateline,
        signature=article.signature,
        byline=article.byline,
        published_at=_site_instant(article.published_at),
        published_on=None if day is None else date.fromisoformat(day),
        modified_at=_site_instant(article.modified_at),
        first_seen_at=from_text(stored.first_seen_at),
        checked_at=from_text(stored.checked_at),
        word_count=records.stored_value(_WORD_COUNT, stored),
        problems=article.problems,
        provenance=article.provenance,
    )


def _hit(row: Mapping[str, Any], words: query.Query) -> SearchHit:
    return SearchHit(
        id=row["id"],
        url=row["url"],
        section=row["section"],
        title=row["title"],
        lead=row["lead"],
        published_at=_site_instant(row["published_at"]),
        published_on=date.fromisoformat(row["published_on"]) if row["published_on"] else None,
        snippet=snippets.snippet((row["lead"] or "", row["clean"]), words),
    )


def _site_instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _first(value: Day | None) -> str | None:
    return None if value is None else days.period(str(value), None).first.isoformat()


def _last(value: Day | None) -> str | None:
    return None if value is None else days.period(str(value), None).last.isoformat()


def _instant(value: Instant | None) -> str | None:
    """Return an instant as the archive stores it; a day means its end, and a time without an offset is in UTC."""
    if value is None:
        return None
    try:
        return named_instant(value if isinstance(value, str) else value.isoformat(), None, end_of_day=True)
    except ValueError as error:
        raise ValueError(f"{value} is not a time: write 2026-01-31T08:15:00Z, 2026-01-31, 2026-01 or 2026") from error


def _require_possible(key: int) -> None:
    """Raise an error if SQLite cannot compare a number with the ids of articles, because it has more than 64 bits."""
    if isinstance(key, int) and key.bit_length() > 63:
        raise ArticleNotFound(key)


def _names(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _columns(names: Names | None) -> tuple[ArticleField, ...]:
    if names is None:
        return fields_in(In.PARQUET)
    by_name = {field.name: field for field in EXPORTED}
    return tuple(by_name[name] for name in selection.known("column", _names(names), list(by_name)))


def _require(package: str) -> None:
    """Raise `ImportError` if an optional package is missing."""
    if find_spec(package) is None:
        wanted = "'vna-archive[parquet]'" if package == "pyarrow" else f"'vna-archive[parquet]' {package}"
        raise ImportError(f"{package} is not installed; install it with: pip install {wanted}", name=package)
