"""Write articles as JSON Lines, CSV or seed texts.

Boundary: takes articles and writes text. `article_fields` says which columns there are.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from crawler import records, render, visible
from crawler.article_fields import CSV_FIELDS, ArticleField, FieldType, In, fields_in
from crawler.errors import BadInput
from crawler.export.replacing import refuse_link, replacing, translated
from crawler.parse.seedtext import SEPARATOR
from crawler.types import StoredArticle

#: Where a spreadsheet may read a formula: at the start of a cell, also after spaces and quotes. A program that expects
#: semicolons, as Excel in French does, starts a cell at each semicolon and line break of a text.
_FORMULA = re.compile(
    "(^|[;\t\r\n])(?=[ \x00-\x08\x0b\x0c\x0e-\x1f'\"\x85\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*"
    "[=+@\uff1d\uff0b\uff0d\uff20\u2212-])"
)

JSON_FIELDS = fields_in(In.JSON)


def jsonl(articles: Iterable[StoredArticle], out: IO[str], columns: Sequence[ArticleField] = JSON_FIELDS) -> int:
    """Write one JSON object per line, with the keys of `vna show --format json`; return the number of articles."""
    count = 0
    for stored in articles:
        count += 1
        out.write(visible.json_text(records.selected_json(stored, columns)) + "\n")
    return count


def table(
    articles: Iterable[StoredArticle],
    out: IO[str],
    columns: Sequence[ArticleField] = CSV_FIELDS,
    *,
    bom: bool = False,
    formulas: bool = True,
) -> int:
    """Write CSV (RFC 4180) with a header line; return the number of articles.

    Tags are separated by `;`, other lists and structures are JSON. With `bom`, the file starts with a byte order mark, so
    that Excel reads the accents. Without `formulas`, a text that a spreadsheet would calculate as a formula starts with an
    apostrophe, so that it is shown as text.
    """
    out.write("\ufeff" * bom)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(field.name for field in columns)
    count = 0
    for stored in articles:
        count += 1
        row = [_cell(field, stored) for field in columns]
        writer.writerow(row if formulas else map(_as_text, row))
    return count


def excel_table(articles: Iterable[StoredArticle], out: IO[str], columns: Sequence[ArticleField] = CSV_FIELDS) -> int:
    """Write CSV for a spreadsheet program, with a byte order mark and without formulas; return the number of articles."""
    return table(articles, out, columns, bom=True, formulas=False)


def _cell(field: ArticleField, stored: StoredArticle) -> object:
    value = records.stored_value(field, stored)
    if field.type in (FieldType.RELATED, FieldType.REPAIRS, FieldType.DATELINE):
        return None if value is None else records.dump(records.json_value(field, value))
    if field.type is FieldType.TEXT_LIST and field.name in _JOINED:
        return ";".join(value)
    return records.sql_value(field, value)


_JOINED = frozenset({"tags"})  # other lists are JSON: a text in them may contain a semicolon


def _as_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = _FORMULA.sub(r"\1'", value)
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


def texts(articles: Iterable[StoredArticle], out: IO[str], *, clean: bool = False, related: bool = False) -> int:
    """Write seed texts, separated by form feeds, as `vna import` reads them; return the number of articles.

    With `clean`, the texts are repaired; with `related`, they have the stories under `Voir plus`.
    """
    count = 0
    for stored in articles:
        count += 1
        out.write((f"\n{SEPARATOR}\n" if count > 1 else "") + render.text(stored, clean=clean, related=related))
    out.write("\n" if count else "")
    return count


def article_files(
    articles: Iterable[StoredArticle],
    folder: Path,
    suffix: str,
    render_one: Callable[[StoredArticle], str],
    *,
    revisions: bool = False,
) -> Iterator[tuple[StoredArticle, str]]:
    """Write each article to a file of its own in `folder`; yield it with the name of the file.

    The name is the id of the article with the ending `suffix`; with `revisions`, the id and the number of the revision.

    Raises:
        BadInput: the folder or a file cannot be written.

    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"cannot write {folder}: it is not a folder", "choose a folder: each article gets a file in it")
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for stored in articles:
        name = f"{stored.id}{f'-{stored.revision}' if revisions else ''}{suffix}"
        path = folder / name
        if path.is_symlink():  # the name comes from the article, not from the user
            refuse_link(path, "an export into a folder follows no links in it")
        with replacing(path, sync=False) as out:
            out.write(render_one(stored))
        yield stored, name
    os.sync()  # once: to sync each of 260,000 files takes longer than to write them
