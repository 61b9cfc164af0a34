"""The schema of the Parquet dataset, and the functions that write its files.

Boundary: takes articles and writes Parquet files to a given folder. `article_fields` says which columns there are.
Names and values are those of the JSON export, except that times are timestamps; each time of the site has a second
column with the text that the JSON has. The same articles always give files with the same bytes.
"""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from pyarrow import parquet

import crawler
from crawler import records
from crawler.article_fields import ArticleField, FieldType, In, fields_in
from crawler.clock import from_text
from crawler.parse import times
from crawler.site import FLOOR, HANOI
from crawler.types import Article, StoredArticle

_BATCH = 100  # articles held as Python objects at a time
_ROW_GROUP = 32 << 20  # bytes before compression; a month of the French edition is about half of that
_WRITER_OPTIONS: dict[str, Any] = {"compression": "zstd", "compression_level": 9, "write_page_checksum": True}
#: Not the name that Hive has for NULL: pandas cannot read a dataset with both numbers and NULL ("Cannot yet unify
#: dictionaries with nulls", pandas 3.1 with PyArrow 26).
_UNDATED = "year=0/month=0"
_FORMER_UNDATED = "__HIVE_DEFAULT_PARTITION__"  # of datasets that earlier versions wrote
_FILE = re.compile(rf"year=(\d+|{_FORMER_UNDATED})/month=(\d+|{_FORMER_UNDATED})/part-\d+\.parquet")
_MARK = b"vna.version"


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _optional(*names: str) -> list[pa.Field]:
    return [pa.field(name, pa.string()) for name in names]


def _list(kind: pa.DataType) -> pa.DataType:
    return pa.list_(_required("element", kind))


_TEXT = pa.string()
_INSTANT = pa.timestamp("us", tz="UTC")
_BLOCK = pa.struct([_required("type", _TEXT), *_optional("text", "url", "alt", "caption", "credit")])
_STORY = pa.struct([
    pa.field("post_id", pa.int64()),
    *_optional("url"),
    _required("title", _TEXT),
    _required("summary", _TEXT),
    *_optional("caption"),
])  # fmt: skip
#: An entry of a map. Hugging Face `datasets` cannot read Arrow's type for maps.
_ENTRY = pa.struct([_required("key", _TEXT), _required("value", _TEXT)])
_REPAIR = pa.struct([_required("rule", _TEXT), _required("before", _TEXT), _required("after", _TEXT)])

_TYPES: dict[FieldType, pa.DataType] = {
    FieldType.TEXT: _TEXT,
    FieldType.INTEGER: pa.int64(),
    FieldType.SMALL_INTEGER: pa.int32(),
    FieldType.INSTANT: _INSTANT,
    FieldType.SITE_INSTANT: _INSTANT,
    FieldType.DAY: pa.date32(),
    FieldType.TEXT_LIST: _list(_TEXT),
    FieldType.TEXT_MAP: _list(_ENTRY),
    FieldType.DATELINE: pa.struct(_optional("place", "date", "agency")),
    FieldType.BLOCKS: _list(_BLOCK),
    FieldType.RELATED: _list(_STORY),
    FieldType.REPAIRS: _list(_REPAIR),
}
_METADATA = {
    _MARK: crawler.__version__,
    "vna.source": "Agence vietnamienne d'information (VNA), French edition; each row's url names its page",
    "vna.rights": "the agency's, and those of whom it credits; this file gives no licence",
}


def schema(columns: Sequence[ArticleField] = fields_in(In.PARQUET)) -> pa.Schema:
    """Return the schema of a dataset with some columns."""
    return pa.schema(
        [pa.field(field.name, _TYPES[field.type], nullable=not field.required) for field in columns],
        metadata=_METADATA,
    )


def write(
    articles: Iterable[StoredArticle], folder: Path, columns: Sequence[ArticleField] = fields_in(In.PARQUET)
) -> int:
    """Write articles into one folder per month of publication (in Hanoi); return the number of articles.

    If there is no article, the folder of the first month of the archive gets a file without rows: some readers, such as
    PyArrow, cannot open a dataset without files.
    """
    count, parts = 0, Counter[str]()
    for month, group in groupby(articles, lambda stored: partition(stored.article)):
        count += _write_file(group, folder / month / f"part-{parts[month]}.parquet", columns)
        parts[month] += 1
    if not parts:
        _write_file((), folder / _month(FLOOR) / "part-0.parquet", columns)
    return count


def read(articles: Iterable[StoredArticle], columns: Sequence[ArticleField] = fields_in(In.PARQUET)) -> pa.Table:
    """Return articles as one table in memory."""
    return pa.concat_tables([schema(columns).empty_table(), *_row_groups(articles, columns)])


def is_ours(path: Path, name: str) -> bool:
    """Whether `vna export` wrote the file at `path`; `name` is its path relative to the dataset's folder."""
    if not _FILE.fullmatch(name):
        return False
    try:
        return _MARK in (parquet.read_metadata(path).metadata or {})
    except pa.ArrowInvalid:
        return False


def partition(article: Article) -> str:
    """Return the folder of the month in which an article was published (in Hanoi)."""
    when = _instant(article.published_at)
    return _month(when) if when else _UNDATED


def _month(day: date) -> str:
    """Return the folder of a month, without a leading zero in its name, because DuckDB reads `month=04` as text."""
    return f"year={day.year}/month={day.month}"


def _write_file(articles: Iterable[StoredArticle], path: Path, columns: Sequence[ArticleField]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        count = _write_rows(articles, file, columns)
        file.flush()
        os.fsync(file.fileno())
    return count


def _write_rows(articles: Iterable[StoredArticle], file: IO[bytes], columns: Sequence[ArticleField]) -> int:
    count = 0
    with parquet.ParquetWriter(file, schema(columns), **_WRITER_OPTIONS) as writer:
        for group in _row_groups(articles, columns):
            writer.write_table(group)
            count += group.num_rows
    return count


def file_bytes(articles: Iterable[StoredArticle], columns: Sequence[ArticleField] = fields_in(In.PARQUET)) -> bytes:
    """Return the bytes of a file with the articles of one month, as `write` writes it."""
    data = io.BytesIO()
    _write_rows(articles, data, columns)
    return data.getvalue()


def file_name(month: str) -> str:
    """Return the path of the file of a month relative to the folder of the dataset; `month` comes from `partition`."""
    return f"{month}/part-0.parquet"


def _row_groups(articles: Iterable[StoredArticle], columns: Sequence[ArticleField]) -> Iterator[pa.Table]:
    rows = ({field.name: _value(field, stored) for field in columns} for stored in articles)
    form = schema(columns)
    pending: list[pa.RecordBatch] = []
    while batch := list(islice(rows, _BATCH)):
        pending.append(pa.RecordBatch.from_pylist(batch, schema=form))
        if sum(part.nbytes for part in pending) >= _ROW_GROUP:
            yield pa.Table.from_batches(pending)
            pending = []
    if pending:
        yield pa.Table.from_batches(pending)


def _value(field: ArticleField, stored: StoredArticle) -> Any:
    """Return the value of an article for the column `field`; lists and structures have the form of the JSON output."""
    if field.type is FieldType.DAY:
        published = _instant(stored.article.published_at)
        return published.date() if published else None
    value = records.stored_value(field, stored)
    match field.type:
        case FieldType.SITE_INSTANT:
            return _instant(value)
        case FieldType.INSTANT:
            return from_text(value)
        case FieldType.TEXT_MAP:
            return [{"key": key, "value": entry} for key, entry in value.items()]
    return records.json_value(field, value)


def _instant(text: str | None) -> datetime | None:
    """Return the time that the site gives as `text`, in Hanoi time; None if it is missing or invalid."""
    when = times.instant(text) if text else None
    return when.astimezone(HANOI) if when else None
