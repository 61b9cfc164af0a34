"""Rows of the table `appearances`: the positions of articles on the home page and the section pages, with times.

While an article keeps its position from one response to the next, only `last_seen_at` of its row is updated. The
current rows of a source are those that its last response confirmed. All times are times of responses.

Boundary: reads and writes rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import to_text
from crawler.types import Sighting

_POSITIONS = 60  # positions stored per response; the rest of a list is in the WARC files only
_LAST = "SELECT max(last_seen_at) FROM appearances WHERE source = :source"
_EXTEND = """UPDATE appearances SET last_seen_at = :now WHERE source = :source AND last_seen_at = :last"""


class Appearances:
    """Queries over the positions of articles on the home page and the section pages."""

    db: Database

    def save_appearances(self, source: int, sightings: Iterable[Sighting], now: datetime) -> None:
        """Write the positions of the first 60 articles on a source's first page."""
        shown = {s.post_id: s.position for s in sightings if s.position is not None and s.position < _POSITIONS}
        values = self._values(source, now) | {"shown": json.dumps(list(shown.items()))}
        places = "SELECT value ->> 0 AS page, value ->> 1 AS position FROM json_each(:shown)"
        self.db.conn.execute(f"{_EXTEND} AND (page, position) IN ({places})", values)
        self.db.conn.execute(
            f"""INSERT INTO appearances (source, page, seen_at, position, last_seen_at)
                SELECT :source, page, :now, position, :now FROM ({places}) AS new
                WHERE NOT EXISTS (SELECT 1 FROM appearances WHERE source = :source AND last_seen_at = :now
                                  AND page = new.page)""",  # noqa: S608 - constants only
            values,
        )

    def extend_appearances(self, source: int, now: datetime) -> None:
        """Record that a source's first page has not changed: set `last_seen_at` of all its current rows to `now`."""
        self.db.conn.execute(_EXTEND, self._values(source, now))

    def _values(self, source: int, now: datetime) -> dict[str, Any]:
        (last,) = self.db.execute(_LAST, {"source": source}).fetchone()
        return {"source": source, "now": to_text(now), "last": last}
