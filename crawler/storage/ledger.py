"""Rows for the ledger and of it: every post with who told of it, the coverage, what is missing, what ids say of dates.

Boundary: rows in and out; the counting is `coverage`'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.coverage import Ledger, Post, channel_of
from crawler.discover.sitemaps import month
from crawler.errors import unless_stopped
from crawler.site import HANOI

# A text that was imported, and whose article is held under its own id, is that article.
_POSTS = """
SELECT p.id, p.url, p.state, p.error, p.published_hint, p.first_source,
       a.id IS NOT NULL AS held, a.state AS article_state, a.published_on, a.section, r.origin
FROM pages p LEFT JOIN articles a ON a.id = p.id LEFT JOIN raw r ON r.id = a.raw_id
UNION ALL
SELECT a.id, a.url, 'live', NULL, NULL, coalesce(r.origin, 'import'), 1, a.state, a.published_on, a.section, r.origin
FROM articles a LEFT JOIN raw r ON r.id = a.raw_id
WHERE NOT EXISTS (SELECT 1 FROM pages WHERE id = a.id)
  AND NOT (a.id < 0 AND EXISTS (
    SELECT 1 FROM duplicates d
    WHERE (d.article = a.id AND d.other > 0) OR (d.other = a.id AND d.article > 0)))
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """What a source that names articles is to the ledger."""

    channel: str
    section: str | None = None
    month: str | None = None


@dataclass(slots=True)
class _Told:
    """What all sources together say of one page."""

    channels: frozenset[str] = frozenset()
    section: str | None = None
    month: str | None = None


_PIECE = 1000  # posts between two looks whether to stop
_LAST = (1 << 63, _Told())  # behind the last page


class Ledgers:
    """Queries of and for the ledger."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]
    snapshot: Callable[[], AbstractContextManager[None]]

    @contextmanager
    def posts(self, stopping: Callable[[], bool] = lambda: False) -> Iterator[Iterable[Post]]:
        """Give every post id that has a row, and every imported text, by ascending id.

        They may be gone over any number of times while the block lasts, and are the same each time, whatever other
        processes write meanwhile.

        Raises:
            Interrupted: `stopping`, which is asked again and again while they are gone over, said so.

        """
        with self.snapshot():
            yield _Posts(self.db, stopping)

    def save_ledger(self, ledger: Ledger, now: datetime) -> None:
        """Write a ledger in the place of the one before."""
        with self.transaction():
            for table in ("coverage", "missing", "datings"):
                self.db.conn.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            self._insert(
                "coverage",
                (asdict(m) | {"channels": json.dumps(m.channels), "computed_at": to_text(now)} for m in ledger.months),
            )
            names = ("page", "month", "section", "state", "error")
            self._insert("missing", ({name: getattr(m, name) for name in names} for m in ledger.missing))
            self._insert("datings", map(asdict, ledger.datings))

    def _insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            marks = ", ".join(f":{name}" for name in row)
            self.db.conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - names of ours


class _Posts:
    """The posts of an open archive, read anew each time, and never held all at once."""

    def __init__(self, db: Database, stopping: Callable[[], bool]) -> None:
        self._db = db
        self._stopping = stopping
        rows = db.query("SELECT url, kind, name FROM sources")
        self._sources = {r["url"]: _source(r["url"], r["kind"], r["name"]) for r in rows}

    def __iter__(self) -> Iterator[Post]:
        sightings = self._told()
        page, told = next(sightings, _LAST)
        for number, row in enumerate(self._db.query(_POSTS)):
            if number % _PIECE == 0:
                unless_stopped(self._stopping)
            while page < row["id"]:
                page, told = next(sightings, _LAST)
            yield _post(row, told if page == row["id"] else None, self._sources)

    def _told(self) -> Iterator[tuple[int, _Told]]:
        """Read the sightings, which come by page; the same few sets of channels are shared by all pages."""
        sets: dict[frozenset[str], frozenset[str]] = {}
        rows = self._db.execute("SELECT page, source FROM sightings ORDER BY page, source")
        for page, group in groupby(rows, key=lambda row: int(row[0])):
            found = [self._sources.get(source) or _source(source) for _, source in group]
            channels = frozenset(one.channel for one in found)
            yield (
                page,
                _Told(
                    sets.setdefault(channels, channels),
                    next((one.section for one in found if one.section), None),
                    next((one.month for one in found if one.month), None),
                ),
            )


def _source(url: str, kind: str | None = None, name: str | None = None) -> _Source:
    when = month(url) if kind == "sitemap" else None
    return _Source(
        channel_of(url, kind),
        name if kind == "section" else None,
        f"{when[0]:04}-{when[1]:02}" if when else None,
    )


def _post(row: Mapping[str, Any], told: _Told | None, sources: Mapping[str, _Source]) -> Post:
    first = sources.get(row["first_source"]) or _source(row["first_source"])
    told = told or _Told(frozenset({first.channel}), first.section, first.month)
    hint = row["published_hint"]
    return Post(
        id=row["id"],
        url=row["url"],
        state=row["state"],
        held=bool(row["held"]),
        gone=row["article_state"] == "gone" if row["held"] else row["state"] == "gone",
        published_on=row["published_on"],
        hinted_on=from_text(hint).astimezone(HANOI).date().isoformat() if hint else None,
        listed_in=told.month,
        section=row["section"] or told.section,
        error=row["error"],
        channels=told.channels | {"import"} if row["origin"] else told.channels,
    )
