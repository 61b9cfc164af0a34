"""Rows that the coverage ledger is computed from (posts and the sources that list them), and the rows of the ledger.

Boundary: reads and writes rows; `coverage` counts the posts.
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
from crawler.errors import raise_if_stopped
from crawler.site import HANOI, sitemap_month

# An imported text that duplicates an article of the site is left out: the article itself is counted.
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
    """The values of a source that the ledger needs: its channel, and the section or month that it covers, if any."""

    channel: str
    section: str | None = None
    month: str | None = None


@dataclass(slots=True)
class _Listing:
    """The values of one page from all sources that list it: their channels, its section and its month."""

    channels: frozenset[str] = frozenset()
    section: str | None = None
    month: str | None = None


_BATCH = 1000  # posts between two calls of `stopping`
_END = (1 << 63, _Listing())  # sorts after the last page


class Ledgers:
    """Queries over the input of the coverage ledger, and over the rows of the ledger."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]
    snapshot: Callable[[], AbstractContextManager[None]]

    @contextmanager
    def posts(self, stopping: Callable[[], bool] = lambda: False) -> Iterator[Iterable[Post]]:
        """Provide the posts of the archive, by ascending id: all known pages and all imported texts.

        An imported text that duplicates an article of the site is left out. Inside the block, the posts can be iterated
        any number of times and are the same each time, whatever other processes write in the meantime.

        Raises:
            Interrupted: `stopping` returned True; it is called repeatedly during an iteration.

        """
        with self.snapshot():
            yield _Posts(self.db, stopping)

    def save_ledger(self, ledger: Ledger, now: datetime) -> None:
        """Replace the stored ledger with a new one."""
        with self.transaction():
            for table in ("coverage", "missing", "datings"):
                self.db.conn.execute(f"DELETE FROM {table}")  # noqa: S608 - constant names
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
            self.db.conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - constant names


class _Posts:
    """The posts of an open archive. Each iteration reads them from the database and keeps few of them in memory."""

    def __init__(self, db: Database, stopping: Callable[[], bool]) -> None:
        self._db = db
        self._stopping = stopping
        rows = db.query("SELECT url, kind, name FROM sources")
        self._sources = {r["url"]: _source(r["url"], r["kind"], r["name"]) for r in rows}

    def __iter__(self) -> Iterator[Post]:
        # Posts and sightings are both sorted by id, so that one pass over each merges them.
        listings = self._listings()
        page, listing = next(listings, _END)
        for number, row in enumerate(self._db.query(_POSTS)):
            if number % _BATCH == 0:
                raise_if_stopped(self._stopping)
            while page < row["id"]:
                page, listing = next(listings, _END)
            yield _post(row, listing if page == row["id"] else None, self._sources)

    def _listings(self) -> Iterator[tuple[int, _Listing]]:
        """Yield the id of each page that a source lists, with the values from its sources, by ascending id."""
        sets: dict[frozenset[str], frozenset[str]] = {}  # pages share the few different sets, which saves memory
        rows = self._db.execute("SELECT page, source FROM sightings ORDER BY page, source")
        for page, group in groupby(rows, key=lambda row: int(row[0])):
            found = [self._sources.get(source) or _source(source) for _, source in group]
            channels = frozenset(one.channel for one in found)
            yield (
                page,
                _Listing(
                    sets.setdefault(channels, channels),
                    next((one.section for one in found if one.section), None),
                    next((one.month for one in found if one.month), None),
                ),
            )


def _source(url: str, kind: str | None = None, name: str | None = None) -> _Source:
    when = sitemap_month(url) if kind == "sitemap" else None
    return _Source(
        channel_of(url, kind),
        name if kind == "section" else None,
        f"{when[0]:04}-{when[1]:02}" if when else None,
    )


def _post(row: Mapping[str, Any], listing: _Listing | None, sources: Mapping[str, _Source]) -> Post:
    first = sources.get(row["first_source"]) or _source(row["first_source"])
    listing = listing or _Listing(frozenset({first.channel}), first.section, first.month)
    hint = row["published_hint"]
    return Post(
        id=row["id"],
        url=row["url"],
        state=row["state"],
        held=bool(row["held"]),
        gone=row["article_state"] == "gone" if row["held"] else row["state"] == "gone",
        published_on=row["published_on"],
        hinted_on=from_text(hint).astimezone(HANOI).date().isoformat() if hint else None,
        listed_in=listing.month,
        section=row["section"] or listing.section,
        error=row["error"],
        channels=listing.channels | {"import"} if row["origin"] else listing.channels,
    )
