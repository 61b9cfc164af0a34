"""The columns of the dataset, and its files.

Boundary: articles to Parquet files below a folder that is given. The names are those of the JSON, and so are the values,
but for instants, which have a type here and their text beside them. The same articles give the same bytes.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

import crawler
from crawler import render
from crawler.clock import from_text
from crawler.parse import times
from crawler.site import FLOOR, HANOI
from crawler.types import StoredArticle

_BATCH = 100  # articles that are Python objects at one time
_ROW_GROUP = 32 << 20  # bytes of columns; a month of the French edition is about half of it
_HOW: dict[str, Any] = {"compression": "zstd", "compression_level": 9, "write_page_checksum": True}
_NONE = "__HIVE_DEFAULT_PARTITION__"  # what readers of such folders take for NULL
_UNDATED = f"year={_NONE}/month={_NONE}"
_FILE = re.compile(rf"year=(\d+|{_NONE})/month=(\d+|{_NONE})/part-\d+\.parquet")
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
_REPAIR = pa.struct([_required("rule", _TEXT), _required("before", _TEXT), _required("after", _TEXT)])

SCHEMA = pa.schema(
    [
        _required("id", pa.int64()),
        pa.field("post_id", pa.int64()),
        *_optional("url"),
        _required("kind", _TEXT),
        *_optional("section"),
        _required("title", _TEXT),
        *_optional("lead"),
        _required("blocks", _list(_BLOCK)),
        pa.field("dateline", pa.struct(_optional("place", "date", "agency"))),
        *_optional("signature", "byline"),
        _required("tags", _list(_TEXT)),
        pa.field("published_at", _INSTANT),
        *_optional("published_at_text", "published_raw"),
        pa.field("published_on", pa.date32()),
        pa.field("modified_at", _INSTANT),
        *_optional("modified_at_text"),
        _required("related", _list(_STORY)),
        _required("text", _TEXT),
        _required("clean", _TEXT),
        _required("repairs", _list(_REPAIR)),
        *_optional("markup"),
        _required("provenance", pa.map_(_TEXT, _TEXT)),
        _required("problems", _list(_TEXT)),
        _required("revision", pa.int32()),
        _required("state", _TEXT),
        _required("first_seen_at", _INSTANT),
        _required("checked_at", _INSTANT),
    ],
    metadata={
        _MARK: crawler.__version__,
        "vna.source": "Agence vietnamienne d'information (VNA), French edition; each row's url names its page",
        "vna.rights": "the agency's, and those of whom it credits; this file gives no licence",
    },
)


def write(articles: Iterable[StoredArticle], folder: Path) -> int:
    """Write articles into files by year and month of Hanoi; give their number.

    When none of them is dated, a file without rows stands in the first month of all: PyArrow, for one, opens no dataset
    without columns, nor one whose years and months are all NULL.
    """
    count, parts = 0, Counter[str]()
    for partition, group in groupby(articles, _partition):
        count += _write_file(group, folder / partition / f"part-{parts[partition]}.parquet")
        parts[partition] += 1
    if not parts.keys() - {_UNDATED}:
        _write_file((), folder / _month(FLOOR) / "part-0.parquet")
    return count


def is_ours(path: Path, name: str) -> bool:
    """Say whether a file at a path has a name that we give, below the dataset's folder, and was written by us."""
    if not _FILE.fullmatch(name):
        return False
    try:
        return _MARK in (parquet.read_metadata(path).metadata or {})
    except pa.ArrowInvalid:
        return False


def _partition(stored: StoredArticle) -> str:
    when = _instant(stored.article.published_at)
    return _month(when) if when else _UNDATED


def _month(day: date) -> str:
    """Name the folder of a month; without a zero in front of the number, for which DuckDB would take it for text."""
    return f"year={day.year}/month={day.month}"


def _write_file(articles: Iterable[StoredArticle], path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as file:
        with parquet.ParquetWriter(file, SCHEMA, **_HOW) as writer:
            for group in _row_groups(articles):
                writer.write_table(group)
                count += group.num_rows
        file.flush()
        os.fsync(file.fileno())
    return count


def _row_groups(articles: Iterable[StoredArticle]) -> Iterator[pa.Table]:
    rows = map(_row, articles)
    held: list[pa.RecordBatch] = []
    while some := list(islice(rows, _BATCH)):
        held.append(pa.RecordBatch.from_pylist(some, schema=SCHEMA))
        if sum(batch.nbytes for batch in held) >= _ROW_GROUP:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _row(stored: StoredArticle) -> dict[str, Any]:
    data = render.as_json(stored)
    published, modified = _instant(data["published_at"]), _instant(data["modified_at"])
    return data | {
        "published_at": published,
        "published_at_text": data["published_at"],
        "published_on": published.date() if published else None,
        "modified_at": modified,
        "modified_at_text": data["modified_at"],
        "provenance": list(data["provenance"].items()),
        "first_seen_at": from_text(data["first_seen_at"]),
        "checked_at": from_text(data["checked_at"]),
    }


def _instant(text: str | None) -> datetime | None:
    """Read a time of the site, in Hanoi."""
    when = times.instant(text) if text else None
    return when.astimezone(HANOI) if when else None
