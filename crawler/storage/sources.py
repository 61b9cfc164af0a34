"""Rows of the sources: home page, sections, feeds, sitemaps.

Boundary: rows in and out; when one is due is decided by `policy`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from crawler.clock import to_text
from crawler.storage.values import optional_text
from crawler.types import SourceForPoll, SourceFound, SourceOutcome


class Sources:
    """Queries over what is polled."""

    db: Database

    def add_sources(self, found: Iterable[SourceFound], due_at: datetime | None) -> None:
        """Add sources that are not known yet; known ones keep their state."""
        self.db.conn.executemany(
            """INSERT INTO sources (url, kind, name, state, next_due_at) VALUES (?, ?, ?, 'new', ?)
               ON CONFLICT (url) DO UPDATE SET name = coalesce(excluded.name, name),
                 next_due_at = coalesce(next_due_at, excluded.next_due_at)""",
            [(s.url, s.kind, s.name, to_text(due_at) if due_at else None) for s in found],
        )

    def due_sources(self, now: datetime, *, ignore_due: bool = False) -> list[SourceForPoll]:
        """Give the sources to poll, those that lead to others first, then the longest due."""
        rows = self.db.query(
            """SELECT url, kind, name, state, failures, etag, last_modified FROM sources
               WHERE state <> 'excluded' AND next_due_at IS NOT NULL AND (:all OR next_due_at <= :now)
               ORDER BY instr('home sitemap_index', kind) = 0, next_due_at, url""",
            {"now": to_text(now), "all": ignore_due},
        )
        return [SourceForPoll(**row) for row in rows]

    def save_source(self, url: str, outcome: SourceOutcome, now: datetime) -> None:
        """Write a visit to a source on its row; a failed one keeps the last good figures."""
        self.db.conn.execute(
            """UPDATE sources SET state = :state, next_due_at = :due, last_checked_at = :now, failures = :failures,
                 error = :error,
                 last_ok_at = CASE WHEN :state = 'ok' THEN :now ELSE last_ok_at END,
                 items = coalesce(:items, items), fresh_items = coalesce(:fresh, fresh_items),
                 etag = coalesce(:etag, etag), last_modified = coalesce(:last_modified, last_modified)
               WHERE url = :url""",
            {
                "url": url,
                "state": outcome.state,
                "due": optional_text(outcome.next_due_at),
                "now": to_text(now),
                "failures": outcome.failures,
                "error": outcome.error,
                "items": outcome.items,
                "fresh": outcome.fresh_items,
                "etag": outcome.etag,
                "last_modified": outcome.last_modified,
            },
        )
