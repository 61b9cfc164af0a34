"""Write the WARC files of an archive as a WACZ file: files, index and pages in one ZIP file, for ReplayWeb.page and pywb.

Boundary: reads rows, WARC files and their index; writes one file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler import files
from crawler.clock import to_text
from crawler.errors import BadInput
from crawler.selection import Selection
from crawler.storage import Archive
from crawler.types import StoredArticle
from crawler.warc import CdxjIndex, WarcStore

_TITLE = "Articles"


def write_wacz(
    archive: Archive,
    warc: WarcStore,
    index: CdxjIndex,
    target: Path,
    *,
    since: str | None,
    until: str | None,
    now: datetime,
    software: str,
) -> int:
    """Write the captures of the articles of a period with their pages; return the number of pages.

    `since` and `until` are days of publication in Hanoi, both included. The file contains the whole WARC files
    that have captures of these articles or of their pictures.

    Raises:
        BadInput: there is no capture of an article, or the file cannot be written.

    """
    pages: list[bytes] = [_line({"format": "json-pages-1.0", "id": "pages", "title": _TITLE, "hasText": True})]
    names: set[str] = set()
    for stored in archive.export(Selection(since=since, until=until)):
        if stored.raw is None or stored.fetched_url is None:
            continue  # an imported text has no page
        names.update((stored.raw.file, *archive.picture_files(stored.id)))
        pages.append(_page(stored, archive.raw_row(stored.raw_id)[0]))
    if not names:
        raise BadInput("no captured article to export", "choose another period")
    lines = sorted(line for name in names for line in index.lines(name))
    small = {
        "pages/pages.jsonl": b"".join(pages),
        "indexes/index.cdx.gz": gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0),
    }
    temporary = files.temporary_name(target)
    try:
        with files.create(temporary) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
            _fill(packed, warc, sorted(names), small, {"created": to_text(now), "software": software})
        temporary.replace(target)
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror or error}", "choose another path") from error
    finally:
        temporary.unlink(missing_ok=True)
    return len(pages) - 1


def _fill(
    packed: zipfile.ZipFile, warc: WarcStore, names: Iterable[str], small: dict[str, bytes], facts: dict[str, str]
) -> None:
    resources = [_add(packed, f"archive/{name.rpartition('/')[2]}", warc.chunks(name)) for name in names]
    resources += [_add(packed, name, [content]) for name, content in small.items()]
    package = {"profile": "data-package", "wacz_version": "1.1.1", "title": _TITLE, **facts, "resources": resources}
    content = json.dumps(package, indent=2, ensure_ascii=False).encode()
    packed.writestr("datapackage.json", content)
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    packed.writestr("datapackage-digest.json", json.dumps(digest, indent=2))


def _add(packed: zipfile.ZipFile, path: str, chunks: Iterable[bytes]) -> dict[str, Any]:
    engine, size = hashlib.sha256(), 0
    with packed.open(path, "w", force_zip64=True) as file:
        for chunk in chunks:
            engine.update(chunk)
            size += len(chunk)
            file.write(chunk)
    return {"name": path.rpartition("/")[2], "path": path, "hash": f"sha256:{engine.hexdigest()}", "bytes": size}


def _page(stored: StoredArticle, fetched_at: str) -> bytes:
    return _line({
        "id": f"{stored.id}",
        "url": stored.fetched_url,
        "ts": fetched_at,
        "title": stored.article.title,
        "text": stored.reading.clean,
    })  # fmt: skip


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
