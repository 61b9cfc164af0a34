"""Rows of the sources as the configuration sees them: left out, taken up again, called by another name.

Boundary: rows in and out; which ones is decided by `policy`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from crawler.clock import to_text
from crawler.types import Channel


class Channels:
    """Queries over which sources there are."""

    db: Database

    def channels(self) -> list[Channel]:
        """Give all sources, polled or not, those known longest first."""
        rows = self.db.query(
            "SELECT url, kind, name, zone, state, last_ok_at IS NOT NULL AS worked FROM sources ORDER BY id"
        )
        return [Channel(**row | {"worked": bool(row["worked"])}) for row in rows]

    def exclude_sources(self, urls: Iterable[str]) -> None:
        """Poll these sources no more; what is known of them stays."""
        self.db.conn.executemany(
            "UPDATE sources SET state = 'excluded', next_due_at = NULL WHERE url = ?", [(url,) for url in urls]
        )

    def include_sources(self, urls: Iterable[str], now: datetime) -> None:
        """Poll sources again that were excluded; they are due at once."""
        self.db.conn.executemany(
            "UPDATE sources SET state = 'new', next_due_at = ?, failures = 0, error = NULL WHERE url = ?",
            [(to_text(now), url) for url in urls],
        )

    def recall_absent(self, urls: Iterable[str], now: datetime) -> None:
        """Make sources due that were not there when they were asked for, and are named now."""
        self.db.conn.executemany(
            "UPDATE sources SET next_due_at = ? WHERE url = ? AND state = 'absent'",
            [(to_text(now), url) for url in urls],
        )

    def rename_sources(self, names: Iterable[tuple[str, str]]) -> None:
        """Call sources (address, name) by other names."""
        self.db.conn.executemany("UPDATE sources SET name = ? WHERE url = ?", [(name, url) for url, name in names])
