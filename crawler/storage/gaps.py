"""Rows of the gaps: periods in which a source may have listed articles that no poll saw.

Boundary: reads and writes rows; `schedule` decides when a gap begins and when it is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.types import Gap, GapClosing


class Gaps:
    """Queries over gaps."""

    db: Database

    def add_gap(self, source_id: int, since: datetime, until: datetime, after_id: int, before_id: int | None) -> None:
        """Add an open gap between two polls of a source, which were made at `since` and `until`.

        `after_id` is the newest article listed before the gap. `before_id` is the oldest article that the poll at
        `until` listed and that is newer than `after_id`; None if there is no such article.
        """
        self.db.conn.execute(
            """INSERT INTO gaps (source, opened_at, since, until, after_id, before_id, state)
               VALUES (:source, :until, :since, :until, :after, :before, 'open')""",
            {
                "source": source_id,
                "since": to_text(since),
                "until": to_text(until),
                "after": after_id,
                "before": before_id,
            },
        )

    def open_gaps(self) -> list[Gap]:
        """Return the open gaps, oldest first."""
        rows = self.db.query(
            """SELECT g.id, s.url AS source, g.since, g.until, g.after_id, g.before_id, g.opened_at, g.tried
               FROM gaps g JOIN sources s ON s.id = g.source WHERE g.state = 'open' ORDER BY g.opened_at, g.id"""
        )
        return [_gap(row) for row in rows]

    def close_gap(self, gap: Gap, by: GapClosing, now: datetime) -> None:
        """Mark a gap as closed at `now`; `by` says what closed it (see `schedule.gaps`)."""
        self.db.conn.execute(
            "UPDATE gaps SET state = 'closed', closed_at = ?, closed_by = ?, note = NULL WHERE id = ?",
            (to_text(now), by, gap.id),
        )

    def note_gap(self, gap: Gap, note: str, *, tried: bool) -> None:
        """Store `note`: what an open gap waits for. If `tried`, also count a failed attempt to close it."""
        self.db.conn.execute("UPDATE gaps SET note = ?, tried = tried + ? WHERE id = ?", (note, tried, gap.id))

    def ids_between(self, gap: Gap) -> int:
        """Return how many of the post ids inside a gap are known, including those known to be absent."""
        sql = "SELECT count(*) FROM pages WHERE id > ? AND id < ?"
        return int(self.db.execute(sql, [gap.after_id, gap.before_id]).fetchone()[0])


def _gap(row: Mapping[str, Any]) -> Gap:
    return Gap(**{**row, **{name: from_text(row[name]) for name in ("since", "until", "opened_at")}})
