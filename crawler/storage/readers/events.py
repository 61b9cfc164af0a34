"""Rows of what happened to articles: later revisions, removals, gaps, and the stories that led the home page.

An edit is silent if the page names no new time of modification for it.

Boundary: only reads rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from crawler.storage.values import IS_REMOVAL_OR_RETURN

_FIRST_KEY = ("9999", 1 << 62)
_LONGEST_LEAD_DAYS = 7  # a longer stay at one position is found only on the last seven days of it


class Events:
    """Queries over revisions, removals, gaps and positions, newest first."""

    db: Database

    def later_revisions(
        self, *, key: tuple[str, int] | None = None, since: str = "", limit: int
    ) -> Iterator[dict[str, Any]]:
        """Yield the revisions after an article's first: when it was seen, and what `Revisions.revision_pair` needs.

        `key` is the time and the article of the last row of the page before, `since` the earliest time, both in UTC
        (ISO 8601). `silent` is whether the page names no new time of modification, as in `changes.is_silent`.
        """
        at, last = key or _FIRST_KEY
        rows = self.db.query(
            """SELECT r.article AS id, r.revision, r.seen_at AS at, r.changed, coalesce(r.title, a.title) AS title,
                  p.seen_at AS old_at, a.section, a.url, a.state,
                  iif(r.blocks IS NULL, a.modified_at, r.modified_at) IS iif(p.blocks IS NULL, a.modified_at, p.modified_at) AS silent
                FROM stored_revisions r INDEXED BY revisions_later
                JOIN stored_revisions p ON p.article = r.article AND p.revision = r.revision - 1
                JOIN articles a ON a.id = r.article
                WHERE r.revision > 1 AND r.seen_at >= :since AND (r.seen_at, r.article) < (:at, :last)
                ORDER BY r.seen_at DESC, r.article DESC LIMIT :limit""",
            {"at": at, "last": last, "since": since, "limit": limit},
        )
        for row in rows:
            yield row | {"changed": json.loads(row["changed"])}

    def removals(self, *, key: tuple[str, int] | None = None, since: str = "", limit: int) -> list[dict[str, Any]]:
        """Return removals (`gone`), possible removals (`suspect`, if still so) and returns after a removal (`live`)."""
        at, last = key or _FIRST_KEY
        return list(
            self.db.query(
                f"""SELECT s.article AS id, s.at, s.state, a.title, a.lead, a.section, a.published_on, a.published_at, a.url
                   FROM states s JOIN articles a ON a.id = s.article
                   WHERE s.at >= :since AND (s.at, s.article) < (:at, :last) AND {IS_REMOVAL_OR_RETURN}
                   ORDER BY s.at DESC, s.article DESC LIMIT :limit""",  # noqa: S608 - constants only
                {"at": at, "last": last, "since": since, "limit": limit},
            )
        )

    def newest_gaps(self, limit: int) -> list[dict[str, Any]]:
        """Return the gaps, open ones first, newest first."""
        return list(
            self.db.query(
                """SELECT g.id, s.url AS source, s.name, g.opened_at, g.since, g.until, g.state, g.closed_at, g.closed_by
                   FROM gaps g JOIN sources s ON s.id = g.source
                   ORDER BY g.state = 'closed', g.opened_at DESC, g.id DESC LIMIT ?""",
                [limit],
            )
        )

    def leading(self, start: str, end: str, positions: int) -> list[dict[str, Any]]:
        """Return the stories that were at the first positions of the home page between two instants (UTC).

        A row is one stay at one position. `seen_at` and `last_seen_at` are the first and the last response that showed
        it there.
        """
        return list(
            self.db.query(
                """SELECT p.page AS id, p.position, p.seen_at, p.last_seen_at, coalesce(a.title, g.url) AS title,
                     a.section, a.id IS NOT NULL AS held
                   FROM sources s JOIN appearances p ON p.source = s.id JOIN pages g ON g.id = p.page
                     LEFT JOIN articles a ON a.id = p.page
                   WHERE s.kind = 'home' AND p.last_seen_at >= :start
                     AND p.last_seen_at < strftime('%Y-%m-%dT%H:%M:%SZ', :end, :longest)
                     AND p.seen_at < :end AND p.position < :positions
                   ORDER BY p.position, p.seen_at""",
                {"start": start, "end": end, "positions": positions, "longest": f"+{_LONGEST_LEAD_DAYS} days"},
            )
        )
