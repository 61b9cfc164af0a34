"""Changes to the rows of sources after a change of the configuration: sources are excluded, included or renamed.

Boundary: reads and writes rows; `schedule` decides which sources change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlite_utils import Database

from crawler.clock import to_text
from crawler.types import SourceRow


class SourceSelection:
    """Queries over the selection of the sources that are polled."""

    db: Database
    known_source: Callable[[str], str | None]

    def source_rows(self) -> list[SourceRow]:
        """Return all sources, polled or not, in the order in which they were added."""
        rows = self.db.query(
            "SELECT url, kind, name, zone, state, last_ok_at IS NOT NULL AS worked FROM sources ORDER BY id"
        )
        return [SourceRow(**row | {"worked": bool(row["worked"])}) for row in rows]

    def exclude_sources(self, urls: Iterable[str]) -> None:
        """Exclude sources from polling; their rows stay in the database."""
        self.db.conn.executemany(
            "UPDATE sources SET state = 'excluded', next_due_at = NULL WHERE url = ?", [(url,) for url in urls]
        )

    def include_sources(self, urls: Iterable[str], now: datetime) -> None:
        """Include excluded sources in polling again; they become due at `now`."""
        self.db.conn.executemany(
            """UPDATE sources SET state = 'new', next_due_at = ?, failures = 0, error = NULL, error_kind = NULL
               WHERE url = ?""",
            [(to_text(now), url) for url in urls],
        )

    def recall_absent(self, url: str, now: datetime) -> None:
        """Make the source that `url` names due at `now` if it is `absent`, because another source now links to it."""
        self.db.conn.execute(
            "UPDATE sources SET next_due_at = ? WHERE url = ? AND state = 'absent'",
            (to_text(now), self.known_source(url)),
        )

    def rename_sources(self, names: Iterable[tuple[str, str]]) -> None:
        """Rename sources; `names` contains pairs of the address and the new name of a source."""
        self.db.conn.executemany("UPDATE sources SET name = ? WHERE url = ?", [(name, url) for url, name in names])
