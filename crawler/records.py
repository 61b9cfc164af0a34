"""Convert articles to the JSON that the commands print, and to values of SQL columns and back.

Boundary: converts values; names are the same in SQL, JSON and the docs. `article_fields` says which fields there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from crawler.article_fields import FIELDS, ArticleField, FieldType, In, fields_in
from crawler.site import HANOI
from crawler.types import Article, Block, Dateline, ImageBlock, Reading, Related, StoredArticle, TextBlock

_JSON_FIELDS = fields_in(In.JSON)
_ATTRIBUTES = frozenset(field.name for field in fields(Article))
_STORED_ATTRIBUTES = frozenset(field.name for field in fields(StoredArticle))


def article_json(article: Article, *, key: int | None = None, reading: Reading | None = None) -> dict[str, Any]:
    """Return the JSON of an article, without the fields that an archive adds.

    `key` is the article's id in an archive; if it is None, the value of `id` is the post id. `reading` contains
    the repaired text; if it is None, the verbatim text takes its place.
    """
    reading = reading or Reading(article.text)
    row: dict[str, Any] = {"id": article.post_id if key is None else key}
    return row | {
        field.name: json_value(field, field.read(article, reading)) for field in _JSON_FIELDS if field.read is not None
    }


def stored_json(stored: StoredArticle) -> dict[str, Any]:
    """Return the JSON of an archived article, with the fields that the archive adds."""
    return selected_json(stored, _JSON_FIELDS)


def selected_json(stored: StoredArticle, columns: Iterable[ArticleField]) -> dict[str, Any]:
    """Return the JSON of an archived article with some of its fields."""
    return {field.name: json_value(field, stored_value(field, stored)) for field in columns}


def stored_value(field: ArticleField, stored: StoredArticle) -> Any:
    """Return the value of a field of an archived article.

    The result is the stored value if `StoredArticle` has one for the field; otherwise the value is computed.
    """
    if field.type is FieldType.DAY:
        return day_in_hanoi(stored.article.published_at)
    value = getattr(stored, field.name) if field.name in _STORED_ATTRIBUTES else None
    return field.read(stored.article, stored.reading) if value is None and field.read else value


def day_in_hanoi(text: str | None) -> str | None:
    """Return the day in Hanoi of an instant that the site gives, as ISO 8601; None if it is missing or invalid."""
    try:
        when = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (when.astimezone(HANOI) if when.tzinfo else when).date().isoformat()


def json_value(field: ArticleField, value: Any) -> Any:
    """Encode the value of a field for JSON."""
    encode = _TO_JSON.get(field.name)
    return encode(value) if encode else value


def sql_value(field: ArticleField, value: Any) -> Any:
    """Encode the value of a field for a column of the database: lists and maps become JSON text."""
    encode = _TO_SQL.get(field.name)
    return encode(value) if encode else value


def article_from_row(row: Mapping[str, Any], columns: Iterable[ArticleField], **others: Any) -> Article:
    """Build an article from a row of the database.

    Attributes in `columns` are read from the columns of the same names; `others` gives the remaining attributes.
    """
    values = {f.name: _from_sql(f, row[f.name]) for f in columns if f.name in _ATTRIBUTES}
    return Article(**values, **others)


def _from_sql(field: ArticleField, value: Any) -> Any:
    decode = _FROM_SQL.get(field.name)
    return decode(value) if decode else value


def block_json(block: Block) -> dict[str, Any]:
    """Return the JSON of one block."""
    if isinstance(block, ImageBlock):
        return {
            "type": "image",
            "url": block.url,
            "alt": block.alt,
            "caption": block.caption,
            "credit": block.credit,
        }
    return {"type": block.type, "text": block.text}


def related_json(story: Related) -> dict[str, Any]:
    """Return the JSON of one story under `Voir plus`."""
    return {
        "post_id": story.post_id,
        "url": story.url,
        "title": story.title,
        "summary": story.summary,
        "caption": story.caption,
    }


def dump_blocks(blocks: Iterable[Block]) -> str:
    """Encode blocks as JSON for the archive: the public JSON of each block, plus `joint` for images that have one."""
    return dump([
        block_json(b) | ({"joint": b.joint} if isinstance(b, ImageBlock) and b.joint else {}) for b in blocks
    ])  # fmt: skip


def load_blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks that `dump_blocks` encoded."""
    return tuple(_block(data) for data in json.loads(text))


def _block(data: Mapping[str, Any]) -> Block:
    if data["type"] == "image":
        return ImageBlock(data["url"], data["alt"], data["caption"], data["credit"], data.get("joint", ""))
    return TextBlock(data["type"], data["text"])


def dump(value: Any) -> str:
    """Encode a value as compact JSON; letters outside ASCII stay readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def dateline_of(place: str | None, date: str | None, agency: str | None) -> Dateline | None:
    """Return the dateline with these three parts, or None if all of them are empty."""
    return Dateline(place, date, agency) if place or date or agency else None


_Codec = Callable[[Any], Any]


def _by_name(codecs: Mapping[FieldType, _Codec]) -> Mapping[str, _Codec]:
    """Return the codec of each field, by the name of the field.

    An export looks up a codec for every value, and it would be slow to look up an enum member each time.
    """
    return {field.name: codecs[field.type] for field in FIELDS if field.type in codecs}


_TO_JSON = _by_name({
    FieldType.TEXT_LIST: list,
    FieldType.TEXT_MAP: dict,
    FieldType.DATELINE: lambda line: asdict(line) if line else None,
    FieldType.BLOCKS: lambda blocks: [block_json(block) for block in blocks],
    FieldType.RELATED: lambda stories: [related_json(story) for story in stories],
    FieldType.REPAIRS: lambda repairs: [{"rule": r.rule, "before": r.before, "after": r.after} for r in repairs],
})  # fmt: skip
_TO_SQL = _by_name({
    FieldType.TEXT_LIST: lambda texts: dump(list(texts)),
    FieldType.TEXT_MAP: lambda texts: dump(dict(texts)),
    FieldType.BLOCKS: dump_blocks,
})  # fmt: skip
_FROM_SQL = _by_name({
    FieldType.TEXT_LIST: lambda text: tuple(json.loads(text)),
    FieldType.TEXT_MAP: json.loads,
    FieldType.BLOCKS: load_blocks,
})  # fmt: skip
