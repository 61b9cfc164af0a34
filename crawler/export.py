"""Export articles to files: JSON Lines, CSV or seed texts.

Boundary: takes articles and writes files. A file is written under a temporary name and renamed when complete, so that
readers never see part of a file. `article_fields` says which columns the CSV has.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from crawler import records, render
from crawler.article_fields import CSV_FIELDS, FieldType
from crawler.errors import BadInput
from crawler.parse.seedtext import SEPARATOR
from crawler.types import StoredArticle


def jsonl(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write one JSON object per line, with the keys of `vna show --format json`; return the number of articles."""
    count = 0
    for stored in articles:
        count += 1
        out.write(json.dumps(render.as_json(stored), ensure_ascii=False) + "\n")
    return count


def table(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write CSV (RFC 4180) with a header line; tags are separated by `;`. Return the number of articles."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(field.name for field in CSV_FIELDS)
    count = 0
    for stored in articles:
        count += 1
        writer.writerow(_csv_row(stored))
    return count


def texts(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write seed texts, separated by form feeds, as `vna import` reads them; return the number of articles."""
    count = 0
    for stored in articles:
        count += 1
        out.write((f"\n{SEPARATOR}\n" if count > 1 else "") + render.text(stored))
    out.write("\n" if count else "")
    return count


def text_files(articles: Iterable[StoredArticle], folder: Path) -> int:
    """Write each article as a seed text to the file `<id>.txt` in `folder`; return the number of articles.

    Raises:
        BadInput: the folder or a file cannot be written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    count = 0
    for stored in articles:
        count += 1
        with replacing(folder / f"{stored.id}.txt") as out:
            out.write(render.text(stored))
    return count


WRITERS: dict[str, Callable[[Iterable[StoredArticle], IO[str]], int]] = {"jsonl": jsonl, "csv": table, "text": texts}


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """Open a temporary file for writing; rename it to `path` when the block ends without an exception.

    Raises:
        BadInput: the file cannot be written.

    """
    unfinished = path.parent / f".{path.name}.unfinished"
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            yield out
        unfinished.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):  # it was renamed, or never created
            unfinished.unlink()


def _unwritable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"cannot write {path}: {error.strerror}", "choose another path")


def _csv_row(stored: StoredArticle) -> list[object]:
    row: list[object] = []
    for field in CSV_FIELDS:
        value = records.stored_value(field, stored)
        row.append(";".join(value) if field.type is FieldType.TEXT_LIST else value)
    return row
