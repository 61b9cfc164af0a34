"""Rows for the front page, and the numbers of articles by day and month.

Boundary: only reads rows.
"""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

_MOST = 400  # articles of one day; the site publishes about 50


class FrontPage:
    """Queries for the front page."""

    db: Database

    def newest_day(self, until: str) -> str | None:
        """Return the last day (in Hanoi) up to `until` on which an article was published; None if there is none."""
        row = self.db.execute("SELECT max(day) FROM articles_per_day WHERE day <= ?", [until]).fetchone()
        return None if row[0] is None else str(row[0])

    def articles_on(self, day: str) -> list[dict[str, Any]]:
        """Return the articles of one day (in Hanoi), newest first, without their texts; at most 400."""
        return list(
            self.db.query(
                """SELECT id, section, kind, title, lead, published_at, state, revision FROM articles
                   WHERE published_on = ? ORDER BY published_at DESC, id DESC LIMIT ?""",
                [day, _MOST],
            )
        )

    def per_day(self, since: str, until: str) -> dict[str, int]:
        """Return the number of articles of each day from `since` to `until`, without the days that have none."""
        rows = self.db.query("SELECT day, articles FROM articles_per_day WHERE day BETWEEN ? AND ?", [since, until])
        return {row["day"]: row["articles"] for row in rows}

    def per_month(self) -> dict[str, int]:
        """Return the number of articles of each month, such as `2024-01`, without the months that have none."""
        rows = self.db.query(
            "SELECT substr(day, 1, 7) AS month, sum(articles) AS n FROM articles_per_day GROUP BY 1 ORDER BY 1"
        )
        return {row["month"]: row["n"] for row in rows}

    def ledger_months(self) -> list[dict[str, Any]]:
        """Return the rows of the coverage ledger for all sections together, by month; the unknown month comes first."""
        return list(self.db.query("SELECT * FROM coverage WHERE section = '' ORDER BY month"))

    def missing_articles(self, month: str, limit: int) -> list[dict[str, Any]]:
        """Return at most `limit` missing articles of a month, with the state of their page and the last error."""
        return list(
            self.db.query(
                """SELECT m.page AS id, m.section, m.state, m.error, p.url, p.last_fetched_at, p.next_due_at
                   FROM missing m JOIN pages p ON p.id = m.page WHERE m.month = ? ORDER BY m.page DESC LIMIT ?""",
                [month, limit],
            )
        )

    def service_state(self) -> dict[str, Any]:
        """Return the last successful poll, the number of open incidents and gaps, and the first open incident."""
        (row,) = self.db.query(
            """SELECT (SELECT max(last_ok_at) FROM sources) AS polled_at,
                 (SELECT count(*) FROM incidents WHERE closed_at IS NULL) AS incidents,
                 (SELECT count(*) FROM gaps WHERE state = 'open') AS gaps,
                 (SELECT kind FROM incidents WHERE closed_at IS NULL ORDER BY opened_at LIMIT 1) AS kind,
                 (SELECT detail FROM incidents WHERE closed_at IS NULL ORDER BY opened_at LIMIT 1) AS detail"""
        )
        return row

    def random_id(self, chance: float) -> int | None:
        """Return the id of the first article at or after a point of the range of ids; `chance` is from 0 to 1."""
        lowest, highest = self.db.execute(
            "SELECT (SELECT min(id) FROM articles), (SELECT max(id) FROM articles)"
        ).fetchone()
        if lowest is None:
            return None
        start = lowest + int(chance * (highest - lowest))
        return int(self.db.execute("SELECT min(id) FROM articles WHERE id >= ?", [start]).fetchone()[0])
