"""What is going on, for `vna status`.

Boundary: reads only.
"""

from __future__ import annotations

import json
from typing import Any

from sqlite_utils import Database


class Status:
    """Counts and lists over all tables."""

    db: Database

    def status(self) -> dict[str, Any]:
        """Give the counts and lists that `vna status` prints."""
        count = "SELECT state, count(*) AS n FROM {} GROUP BY state ORDER BY state"
        return {
            "articles": self._number("SELECT count(*) FROM articles"),
            "article_states": {r["state"]: r["n"] for r in self.db.query(count.format("articles"))},
            "revisions": self._number("SELECT count(*) FROM revisions WHERE revision > 1"),
            "duplicates": self._number("SELECT count(*) FROM duplicates"),
            "broken": self._number(
                "SELECT count(*) FROM (SELECT article FROM repairs WHERE rule LIKE 'glued-%' GROUP BY article"
                " HAVING count(*) >= 3)"
            ),
            "oldest": self._value("SELECT min(published_on) FROM articles"),
            "newest": self._value("SELECT max(published_on) FROM articles"),
            "pages": {r["state"]: r["n"] for r in self.db.query(count.format("pages"))},
            "requests": self._number("SELECT count(*) FROM fetches"),
            "bytes": self._number("SELECT coalesce(sum(size), 0) FROM fetches"),
            "last_run": self._last_run(),
            "sources": list(
                self.db.query(
                    "SELECT url, kind, name, state, items, last_ok_at, next_due_at, error FROM sources"
                    " WHERE next_due_at IS NOT NULL OR state = 'failing' ORDER BY kind, url"
                )
            ),
            "attention": list(
                self.db.query(
                    "SELECT id, url, state, error FROM pages WHERE state IN ('drift', 'failed', 'rejected', 'suspect') OR (state = 'live' AND failures > 0)"
                    " ORDER BY last_fetched_at DESC LIMIT 20"
                )
            ),
        }

    def _last_run(self) -> dict[str, Any] | None:
        row = next(self.db.query("SELECT * FROM runs ORDER BY id DESC LIMIT 1"), None)
        return row and row | {"report": json.loads(row["report"] or "null")}

    def _number(self, sql: str) -> int:
        return int(self.db.execute(sql).fetchone()[0])

    def _value(self, sql: str) -> Any:
        return self.db.execute(sql).fetchone()[0]
