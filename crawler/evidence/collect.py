"""Collect the files of an evidence pack from the archive.

```
README.md                      what is in the pack, and how to check it with other tools
check_pack.py                  checks it with Python alone
seals.jsonl                    the daily seals of the archive, if there are any
articles/ID/page.html          the readable page
articles/ID/timeline.json      what was seen when
articles/ID/captures.jsonl     one row for each response, with its place in records.warc.gz
articles/ID/records.warc.gz    the WARC records of the responses and their requests, as they stand in the archive
articles/ID/revisions/N.json   the content of revision N
articles/ID/revisions/N.txt    its text
articles/ID/changes/N.json     what changed from revision N - 1 to N
```

Boundary: reads rows and WARC records; returns bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from crawler import files, records
from crawler.changes import Change, changes_between, is_silent, kinds_of
from crawler.changes.kinds import Frequency
from crawler.clock import to_text
from crawler.errors import ArticleNotFound
from crawler.evidence import check_pack
from crawler.evidence.page import page
from crawler.identity import RevisionMoment
from crawler.parse.page import PARSER_VERSION
from crawler.storage import Archive
from crawler.storage.evidence import ArticleCapture
from crawler.warc import WarcStore

SEALS = "seals.jsonl"


def collected(
    archive: Archive,
    warc: WarcStore,
    ids: Sequence[int],
    *,
    program: str,
    seals: bytes | None = None,
    frequency: Frequency | None = None,
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of a pack by name, and the facts for its manifest.

    `seals` is the content of `seals.jsonl`; `frequency` tells how frequent a word is, by which changes are classified.

    Raises:
        ArticleNotFound: the archive has no article with one of the ids.
        WarcCorrupted: a record of the evidence is damaged.

    """
    contents = {
        "README.md": _package_file("README.md"),
        "check_pack.py": _package_file("check_pack.py"),
        **({SEALS: seals} if seals is not None else {}),
    }
    wanted = sorted(set(ids))
    captures = archive.captures_of(wanted)
    for key in wanted:
        if archive.article(key) is None:
            raise ArticleNotFound(str(key))
        for name, content in _article_files(archive, warc, key, captures[key], frequency).items():
            contents[f"articles/{key}/{name}"] = content
    facts = {
        "format": check_pack.FORMAT,
        "program": program,
        "parser": PARSER_VERSION,
        "archive": archive.identity(),
        "articles": wanted,
    }
    return contents, facts


def stored_seals(folder: Path) -> bytes | None:
    """Return the daily seals of the archive in `folder`; None if there are none."""
    path = folder / SEALS
    return files.read(path) if path.exists() else None


def _article_files(
    archive: Archive, warc: WarcStore, key: int, captures: Sequence[ArticleCapture], frequency: Frequency | None
) -> dict[str, bytes]:
    rows: list[dict[str, Any]] = []
    packed = bytearray()
    for capture in captures:
        row = asdict(capture)
        rows.append({**row.pop("ref"), **row, "pack_offset": len(packed)})
        packed += warc.evidence(capture.ref)
    moments = {moment.revision: moment for moment in archive.timeline(key)}
    revisions = [stored for number in moments if (stored := archive.revision(key, number=number)) is not None]
    digests = {capture.id: capture.ref.digest for capture in captures}
    contents = {"captures.jsonl": b"".join(_row(row) for row in rows), "records.warc.gz": bytes(packed)}
    changes: dict[int, tuple[Change, ...]] = {}
    for stored in revisions:
        moment = moments[stored.revision]
        more: dict[str, str | None] = {"seen_at": to_text(moment.seen_at), "fingerprint": moment.fingerprint}
        more["capture"] = digests.get(stored.raw_id or 0)
        contents[f"revisions/{stored.revision}.json"] = _json(records.stored_json(stored) | more)
        contents[f"revisions/{stored.revision}.txt"] = stored.article.text.encode()
    for before, stored in pairwise(revisions):
        changes[stored.revision] = found = changes_between(before.article, stored.article, frequency)
        silent = is_silent(before.article.modified_at, stored.article.modified_at)
        told = {"kinds": kinds_of(found), "silent": silent, "changes": [asdict(change) for change in found]}
        contents[f"changes/{stored.revision}.json"] = _json(told)
    timeline = _timeline(archive, key, captures, moments.values())
    contents["timeline.json"] = _json(timeline)
    contents["page.html"] = page(revisions, changes, timeline, rows).encode()
    return contents


def _timeline(
    archive: Archive, key: int, captures: Sequence[ArticleCapture], moments: Iterable[RevisionMoment]
) -> list[dict[str, str]]:
    """Return what was seen of an article, oldest first: when a source listed it, captures, revisions, removals."""
    events = [
        {"at": one["first_seen_at"], "event": "listed", "detail": f"{one['source']} (until {one['last_seen_at']})"}
        for one in archive.sources_of(key)
    ]
    events += [
        {"at": one.fetched_at, "event": "capture", "detail": f"{one.status} {one.url} {one.ref.digest}"}
        for one in captures
    ]
    events += [
        {"at": to_text(one.seen_at), "event": "revision", "detail": f"revision {one.revision}, {one.fingerprint}"}
        for one in moments
    ]
    events += [{"at": at, "event": "state", "detail": state} for at, state in archive.state_changes(key)]
    return sorted(events, key=lambda event: event["at"])


def _row(row: dict[str, Any]) -> bytes:
    return records.dump(row).encode("utf-8", "backslashreplace") + b"\n"


def _json(value: Any) -> bytes:
    # a lone surrogate becomes an escape of JSON
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def _package_file(name: str) -> bytes:
    return resources.files("crawler.evidence").joinpath(name).read_bytes()
