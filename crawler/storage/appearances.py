"""Rows of the places in lists: where an article stood on the home page and the section pages, and for how long.

One row lasts while an article keeps its place from one answer to the next; `last_seen_at` moves along. The rows that
hold now are those of the source's last answer. All times are those of answers.

Boundary: rows in and out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import to_text
from crawler.types import Sighting

_PLACES = 60  # what stands further down is in the WARC files alone
_LAST = "SELECT max(last_seen_at) FROM appearances WHERE source = :source"
_KEPT = """UPDATE appearances SET last_seen_at = :now WHERE source = :source AND last_seen_at = :last"""


class Appearances:
    """Queries over what stood where."""

    db: Database

    def save_appearances(self, source: int, sightings: Iterable[Sighting], now: datetime) -> None:
        """Write which articles stand on a source's first page, and where."""
        shown = {s.post_id: s.position for s in sightings if s.position is not None and s.position < _PLACES}
        values = self._values(source, now) | {"shown": json.dumps(list(shown.items()))}
        place = "SELECT value ->> 0 AS page, value ->> 1 AS position FROM json_each(:shown)"
        self.db.conn.execute(f"{_KEPT} AND (page, position) IN ({place})", values)
        self.db.conn.execute(
            f"""INSERT INTO appearances (source, page, seen_at, position, last_seen_at)
                SELECT :source, page, :now, position, :now FROM ({place}) AS new
                WHERE NOT EXISTS (SELECT 1 FROM appearances WHERE source = :source AND last_seen_at = :now
                                  AND page = new.page)""",  # noqa: S608 - texts of ours
            values,
        )

    def keep_appearances(self, source: int, now: datetime) -> None:
        """Write that a source's first page has not changed."""
        self.db.conn.execute(_KEPT, self._values(source, now))

    def standing(self, source: int, at: datetime) -> list[int]:
        """Give which articles stood on a source's first page at an instant, the top one first."""
        rows = self.db.query(
            """SELECT page FROM appearances WHERE source = :source AND seen_at <= :at AND last_seen_at >= :at
               ORDER BY position""",
            {"source": source, "at": to_text(at)},
        )
        return [row["page"] for row in rows]

    def _values(self, source: int, now: datetime) -> dict[str, Any]:
        (last,) = self.db.execute(_LAST, {"source": source}).fetchone()
        return {"source": source, "now": to_text(now), "last": last}
