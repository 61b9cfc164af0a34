"""Collect the files of an evidence pack from the archive.

```
README.md                      what is in the pack, and how to check it with other tools
check_pack.py                  checks it with Python alone
seals.jsonl                    the daily seals of the archive: their roots and digests, without the parts
timestamps/DIGEST.tsr          the time stamps of these seals, if there are any
articles/ID/page.html          the readable page
articles/ID/timeline.json      what was seen when
articles/ID/captures.jsonl     one row for each response, with its place in records.warc.gz
articles/ID/proofs.jsonl       which seal covers each record and each revision, and the path to its root
articles/ID/records.warc.gz    the WARC records of the responses and their requests, as they are in the archive
articles/ID/revisions.jsonl    the rows of the revisions, as they are sealed
articles/ID/revisions/N.json   the content of revision N
articles/ID/revisions/N.txt    its text
articles/ID/changes/N.json     what changed from revision N - 1 to N
articles/ID/pictures.jsonl     one row for each picture of the newest revision that is held, if there are any
```

Boundary: reads rows and WARC records; returns bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from crawler import records
from crawler.changes import Change, changes_between, is_silent, kinds_of
from crawler.changes.kinds import Frequency
from crawler.clock import to_text
from crawler.errors import ArticleNotFound
from crawler.evidence import check_pack
from crawler.evidence.page import EmbeddedPicture, page
from crawler.identity import RevisionMoment
from crawler.parse.page import PARSER_VERSION
from crawler.pictures import SHOWN, read_header
from crawler.storage import Archive
from crawler.storage.evidence import ArticleCapture
from crawler.types import RawRef
from crawler.warc import WarcStore
from crawler.warc.proofs import Proof, Proofs
from crawler.warc.seals import SEALS, Seal

_LARGEST_SHOWN = 2_000_000  # bytes of a picture in the readable page; the records have all of them


def collected(
    archive: Archive,
    warc: WarcStore,
    ids: Sequence[int],
    *,
    program: str,
    seals: Sequence[Seal] = (),
    timestamps: Mapping[str, bytes] = MappingProxyType({}),
    frequency: Frequency | None = None,
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of a pack by name, and the facts for its manifest.

    `seals` are the seals of the archive, oldest first, and `timestamps` their time stamps by the digest of the seal.
    `frequency` tells how frequent a word is, by which changes are classified.

    Raises:
        ArticleNotFound: the archive has no article with one of the ids.
        WarcCorrupted: a record of the evidence is damaged.

    """
    contents = {
        "README.md": _package_file("README.md"),
        "check_pack.py": _package_file("check_pack.py"),
        SEALS: b"".join(map(_head, seals)),
        **{f"timestamps/{digest}.tsr": reply for digest, reply in timestamps.items()},
    }
    proofs = Proofs(seals, warc)
    wanted = sorted(set(ids))
    captures = archive.captures_of(wanted)
    for key in wanted:
        if archive.article(key) is None:
            raise ArticleNotFound(str(key))
        for name, content in _article_files(archive, warc, proofs, key, captures[key], frequency).items():
            contents[f"articles/{key}/{name}"] = content
    facts = {
        "format": check_pack.FORMAT,
        "program": program,
        "parser": PARSER_VERSION,
        "archive": archive.identity(),
        "articles": wanted,
    }
    return contents, facts


def _article_files(
    archive: Archive,
    warc: WarcStore,
    proofs: Proofs,
    key: int,
    captures: Sequence[ArticleCapture],
    frequency: Frequency | None,
) -> dict[str, bytes]:
    rows: list[dict[str, Any]] = []
    proved: list[dict[str, Any]] = []
    packed = bytearray()
    for capture in captures:
        row = asdict(capture)
        rows.append({**row.pop("ref"), **row, "pack_offset": len(packed)})
        both = warc.evidence(capture.ref)
        proved += _record_proofs(proofs, capture.ref, len(both), len(packed))
        packed += both
    sealed_rows = archive.sealed_rows(key)
    proved += [{"row": number, **_proof(proofs.of_row(row))} for number, row in enumerate(sealed_rows, start=1)]
    moments = {moment.revision: moment for moment in archive.timeline(key)}
    revisions = [stored for number in moments if (stored := archive.revision(key, number=number)) is not None]
    digests = {capture.id: capture.ref.digest for capture in captures}
    contents = {
        "captures.jsonl": b"".join(map(_row, rows)),
        "records.warc.gz": bytes(packed),
        "proofs.jsonl": b"".join(map(_row, proved)),
        "revisions.jsonl": b"".join(row + b"\n" for row in sealed_rows),
    }
    changes: dict[int, tuple[Change, ...]] = {}
    for stored in revisions:
        moment = moments[stored.revision]
        more: dict[str, str | None] = {"seen_at": to_text(moment.seen_at), "fingerprint": moment.fingerprint}
        more["capture"] = digests.get(stored.raw_id or 0)
        contents[f"revisions/{stored.revision}.json"] = _json(records.stored_json(stored) | more)
        contents[f"revisions/{stored.revision}.txt"] = stored.article.text.encode()
    for before, stored in pairwise(revisions):
        replaced = archive.replaced_pictures(key, stored.revision)
        found = changes_between(before.article, stored.article, frequency, replaced=replaced)
        changes[stored.revision] = found
        silent = is_silent(before.article.modified_at, stored.article.modified_at)
        told = {"kinds": kinds_of(found), "silent": silent, "changes": [asdict(change) for change in found]}
        contents[f"changes/{stored.revision}.json"] = _json(told)
    if pictures := archive.pictures_of(key):
        contents["pictures.jsonl"] = b"".join(_row(row) for row in pictures)
    timeline = _timeline(archive, key, captures, moments.values())
    contents["timeline.json"] = _json(timeline)
    shown = _shown(archive, warc, pictures)
    contents["page.html"] = page(revisions, changes, timeline, rows, shown).encode()
    return contents


def _record_proofs(proofs: Proofs, ref: RawRef, length: int, start: int) -> Iterator[dict[str, Any]]:
    """Yield the proof of a response and, if `length` has more bytes, of its request; `start` is their offset in the pack."""
    places = [(ref.offset, ref.length)]
    if length > ref.length:
        places.append((ref.offset + ref.length, length - ref.length))
    for offset, size in places:
        place = {"file": ref.file, "offset": offset, "length": size, "pack_offset": start + offset - ref.offset}
        yield {**place, **_proof(proofs.of_record(ref.file, offset))}


def _proof(proof: Proof | None) -> dict[str, Any]:
    return asdict(proof) if proof else {"seal": None, "path": []}


def _head(seal: Seal) -> bytes:
    return check_pack.canonical(seal.head_fields | {"digest": seal.digest}) + b"\n"


def _shown(archive: Archive, warc: WarcStore, pictures: Sequence[Mapping[str, Any]]) -> dict[int, EmbeddedPicture]:
    """Return the pictures that the readable page contains, by position: in formats that browsers show, not too large ones."""
    found = {}
    for row in pictures:
        capture = archive.picture_capture(row["digest"])
        if capture is None or row["size"] > _LARGEST_SHOWN or row["media_type"] not in SHOWN:
            continue
        body = warc.read(capture[0]).body
        header = read_header(body)  # a body with a content coding does not begin as a picture
        if header is not None and header.media_type == row["media_type"]:
            found[row["position"]] = EmbeddedPicture(header.media_type, body)
    return found


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
