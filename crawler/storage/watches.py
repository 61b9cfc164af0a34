"""Rows of the watched searches and of their hits.

Boundary: reads and writes rows; `crawler.watches` decides what is sent and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.watches import Hit

_MOST_CHECKED = 1000  # newest hits that are compared with those already found
_OLDEST = "-7 days"  # articles published earlier before the watch began are not sent, such as those of a backfill


class Watches:
    """Queries over watched searches and their hits."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    def begin_watch(self, name: str, query: str, now: datetime) -> datetime:
        """Return the time from which the hits of a search are sent: for a new or changed search, `now`."""
        self.db.conn.execute(
            """INSERT INTO watches (name, query, since) VALUES (:name, :query, :now)
               ON CONFLICT (name) DO UPDATE SET query = excluded.query, since = excluded.since WHERE query <> excluded.query""",
            {"name": name, "query": query, "now": to_text(now)},
        )
        row = self.db.execute("SELECT since FROM watches WHERE name = ?", [name]).fetchone()
        return from_text(row[0])

    def add_watch_hits(self, name: str, match: str, since: datetime, recipients: Iterable[str], now: datetime) -> None:
        """Store the articles that match an FTS5 expression since `since`, for each recipient that has none of them yet.

        These are new articles, and articles whose later revision matches. An article of a backfill is left out if it was
        published more than seven days before `since`.
        """
        for recipient in recipients:
            self.db.conn.execute(
                """INSERT INTO watch_hits (watch, article, recipient, found_at)
                   SELECT :watch, a.id, :recipient, :now FROM
                     (SELECT rowid AS id FROM articles_fts WHERE articles_fts MATCH :match ORDER BY rowid DESC LIMIT :most) f
                     JOIN articles a ON a.id = f.id
                   WHERE (a.published_on IS NULL OR a.published_on >= date(:since, :oldest))
                     AND :since <= (SELECT max(seen_at) FROM stored_revisions WHERE article = a.id)
                   ON CONFLICT DO NOTHING""",
                {
                    "watch": name, "recipient": recipient, "now": to_text(now), "match": match,
                    "since": to_text(since), "oldest": _OLDEST, "most": _MOST_CHECKED,
                },
            )  # fmt: skip

    def unsent_hits(self, name: str, recipient: str, limit: int) -> list[Hit]:
        """Return at most `limit` hits of a search that were not sent to a recipient, oldest first."""
        rows = self.db.query(
            """SELECT h.article, h.found_at, h.begun_at, a.title, a.url FROM watch_hits h JOIN articles a ON a.id = h.article
               WHERE h.watch = ? AND h.recipient = ? AND h.sent_at IS NULL ORDER BY h.found_at, h.article LIMIT ?""",
            [name, recipient, limit],
        )
        return [_hit(row) for row in rows]

    def mark_hits(
        self, name: str, recipient: str, hits: Iterable[Hit], *, begun: datetime | None, sent: datetime | None
    ) -> None:
        """Record when the sending of hits began and ended; None means that it did not."""
        times = [None if at is None else to_text(at) for at in (begun, sent)]
        with self.transaction():
            self.db.conn.executemany(
                "UPDATE watch_hits SET begun_at = ?, sent_at = ? WHERE watch = ? AND article = ? AND recipient = ?",
                [(*times, name, hit.article, recipient) for hit in hits],
            )


def _hit(row: dict[str, Any]) -> Hit:
    return Hit(row["article"], row["title"], row["url"], from_text(row["found_at"]), row["begun_at"] is not None)
