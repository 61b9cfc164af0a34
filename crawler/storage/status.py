"""Counts and lists for `vna status`.

Boundary: only reads rows.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any

from sqlite_utils import Database

_ATTENTION = "state IN ('drift', 'failed', 'rejected', 'suspect') OR (state = 'live' AND failures > 0)"


class Status:
    """Counts and lists over all tables."""

    db: Database

    def status(self) -> dict[str, Any]:
        """Return the counts and lists that `vna status` prints."""
        return {
            "identity": self._one("SELECT id FROM archive_identity"),
            "articles": self._one("SELECT count(*) FROM articles"),
            "article_states": self._states("articles"),
            "revisions": self._one("SELECT count(*) FROM stored_revisions WHERE revision > 1"),
            "duplicates": self._one("SELECT count(*) FROM duplicates"),
            "broken": self._one(
                "SELECT count(*) FROM (SELECT article FROM repairs WHERE rule LIKE 'glued-%' GROUP BY article"
                " HAVING count(*) >= 3)"
            ),
            "oldest": self._one("SELECT min(published_on) FROM articles"),
            "newest": self._one("SELECT max(published_on) FROM articles"),
            "pages": self._states("pages"),
            "pictures": self.picture_counts(),
            "requests": self._one("SELECT count(*) FROM fetches"),
            "bytes": self._one("SELECT coalesce(sum(size), 0) FROM fetches"),
            "last_run": self._last_run(),
            "gaps": self.open_gap_rows(),
            "incidents": self._rows(
                """SELECT kind, subject, detail, opened_at, seen_at, told_at FROM incidents WHERE closed_at IS NULL
                   ORDER BY opened_at, id"""
            ),
            "sources": self._rows(
                """SELECT url, kind, name, state, items, last_ok_at, next_due_at, error FROM sources
                   WHERE next_due_at IS NOT NULL OR state IN ('failing', 'excluded') ORDER BY kind, url"""
            ),
            "attention": self._rows(
                f"SELECT id, url, state, error FROM pages WHERE {_ATTENTION} ORDER BY last_fetched_at DESC LIMIT 20"  # noqa: S608 - constants only
            ),
            "attention_total": self._one(f"SELECT count(*) FROM pages WHERE {_ATTENTION}"),  # noqa: S608
        }

    @abstractmethod
    def picture_counts(self) -> dict[str, int]:
        """Return how many pictures are held, and how many are not."""

    def open_gap_rows(self) -> list[dict[str, Any]]:
        """Return the open gaps as `vna status --json` shows them, oldest first."""
        return self._rows(
            """SELECT g.id, s.url AS source, g.opened_at, g.since, g.until, g.after_id, g.before_id, g.tried, g.note
               FROM gaps g JOIN sources s ON s.id = g.source WHERE g.state = 'open' ORDER BY g.opened_at, g.id"""
        )

    def _last_run(self) -> dict[str, Any] | None:
        row = next(self.db.query("SELECT * FROM runs ORDER BY id DESC LIMIT 1"), None)
        return row and row | {"report": json.loads(row["report"] or "null")}

    def _states(self, table: str) -> dict[str, int]:
        rows = self.db.query(f"SELECT state, count(*) AS n FROM {table} GROUP BY state ORDER BY state")  # noqa: S608
        return {row["state"]: row["n"] for row in rows}

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        return list(self.db.query(sql))

    def _one(self, sql: str) -> Any:
        return self.db.execute(sql).fetchone()[0]
