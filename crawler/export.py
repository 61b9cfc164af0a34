"""The corpus as files: JSON Lines, CSV, seed texts.

Boundary: articles in, bytes out; a file is written beside its place and renamed, so that a half one is never taken for
a whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from crawler import render
from crawler.errors import BadInput
from crawler.parse.seedtext import SEPARATOR
from crawler.types import StoredArticle

_CSV = (
    "id url kind section title lead text clean dateline_place dateline_date agency signature byline tags published_at "
    "modified_at revision state first_seen_at checked_at markup"
).split()


def jsonl(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write one JSON object a line, as `vna show --format json` has it."""
    count = 0
    for stored in articles:
        count += 1
        out.write(json.dumps(render.as_json(stored), ensure_ascii=False) + "\n")
    return count


def table(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write CSV (RFC 4180) with a header; tags are joined by `;`."""
    writer = csv.DictWriter(out, _CSV, lineterminator="\r\n")
    writer.writeheader()
    count = 0
    for stored in articles:
        count += 1
        writer.writerow(_flat(stored))
    return count


def texts(articles: Iterable[StoredArticle], out: IO[str]) -> int:
    """Write seed texts, a form feed between them; `vna import` reads the result."""
    count = 0
    for stored in articles:
        count += 1
        out.write((f"\n{SEPARATOR}\n" if count > 1 else "") + render.text(stored))
    out.write("\n" if count else "")
    return count


def text_files(articles: Iterable[StoredArticle], folder: Path) -> int:
    """Write one seed text a file, `<id>.txt`, byte-exact as the format has it."""
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
    """Open a file that takes its name only when it is whole.

    Raises:
        BadInput: it cannot be written.

    """
    unfinished = path.parent / f".{path.name}.unfinished"
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            yield out
        unfinished.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):  # renamed, or never begun
            unfinished.unlink()


def _unwritable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"cannot write {path}: {error.strerror}", "name another place for it")


def _flat(stored: StoredArticle) -> dict[str, object]:
    data = render.as_json(stored)
    line = data["dateline"] or {}
    data |= {"dateline_place": line.get("place"), "dateline_date": line.get("date"), "agency": line.get("agency")}
    data["tags"] = ";".join(data["tags"])
    return {name: data[name] for name in _CSV}
