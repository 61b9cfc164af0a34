"""Rows of the service's health: the last run of each job, incidents, and the figures for checks and monitoring.

Boundary: reads and writes rows; `health` decides what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.health.figures import Facts, GapHealth, Incident, IncidentChanges, JobHealth, Message, SourceHealth
from crawler.site import HANOI
from crawler.storage.values import optional_instant, optional_kind, optional_text
from crawler.types import ErrorKind

#: `paused`: stopped by the configuration (quiet hours, daily cap) or on request; `held`: stopped by the site.
JobState = Literal["running", "ok", "paused", "held", "failed"]
Table = Literal["sources", "pages", "heartbeats", "plan_steps"]

#: Conditions for rows that were written later than `:now` and are not due at `:now`. A page without a due time may
#: have none because its article seemed to be years old. Ids without an article are not pages to fetch.
_FUTURE: Mapping[Table, str] = {
    "sources": "next_due_at > :now AND last_checked_at > :now",
    "pages": """coalesce(next_due_at, '9999') > :now AND coalesce(last_fetched_at, first_seen_at) > :now
               AND state <> 'absent'""",
    "heartbeats": "next_due_at > :now AND started_at > :now",
}

_DAY = timedelta(days=1)
_WITNESSES = 5000  # publication times to compare with the system clock; the site publishes about 50 articles a day
_REPEATED = 3  # failures in a row; fewer may be a temporary error of the site
_MERGE_PAGES = 500  # pages of the search index to merge in one step
_ANALYSIS_LIMIT = 1000  # rows of an index: enough for the query planner, and fast even in the largest archive


@dataclass(frozen=True, slots=True)
class HealthFigures:
    """The numbers of articles, pages and sources in each state, and the number of open incidents."""

    articles: dict[str, int]
    pages: dict[str, int]
    sources: dict[str, int]
    incidents: int


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """One logged request: HTTP status (None if there was no usable response), size in bytes, duration in seconds."""

    id: int
    status: int | None
    size: int
    seconds: float


class Health:
    """Queries over the jobs, the incidents and the figures of the service."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    # --- jobs (table `heartbeats`) ----------------------------------------------------------------------------------

    def begin_job(self, job: str, now: datetime, failures: int | None = None) -> None:
        """Record that a job begins; set its number of failures in a row to `failures`, unless `failures` is None."""
        with self.transaction():
            self.db.conn.execute(
                """INSERT INTO heartbeats (job, state, started_at, failures) VALUES (:job, 'running', :now, coalesce(:failures, 0))
                   ON CONFLICT (job) DO UPDATE SET state = 'running', started_at = :now, ended_at = NULL,
                     failures = coalesce(:failures, failures)""",
                {"job": job, "now": to_text(now), "failures": failures},
            )

    def end_job(self, job: str, state: JobState, now: datetime, due_at: datetime | None, outcome: str) -> None:
        """Record how a job ended, and update its number of failures in a row.

        `due_at` is when the job is due again; None means as soon as there is work.
        """
        with self.transaction():
            self.db.conn.execute(
                """UPDATE heartbeats SET state = :state, ended_at = :now, next_due_at = :due, outcome = :outcome,
                     ok_at = CASE :state WHEN 'ok' THEN :now ELSE ok_at END,
                     failures = CASE :state WHEN 'ok' THEN 0 WHEN 'failed' THEN failures + 1 ELSE failures END
                   WHERE job = :job""",
                {"job": job, "state": state, "now": to_text(now), "due": optional_text(due_at), "outcome": outcome},
            )

    def jobs(self) -> dict[str, JobHealth]:
        """Return the last state of each job, by the name of the job."""
        rows = self.db.query("SELECT job, state, started_at, next_due_at, failures, outcome FROM heartbeats")
        return {
            r["job"]: JobHealth(
                r["job"],
                r["state"],
                from_text(r["started_at"]),
                optional_instant(r["next_due_at"]),
                r["failures"],
                r["outcome"],
            )
            for r in rows
        }

    def bring_forward(self, table: Table, now: datetime, furthest: timedelta) -> int:
        """Change due times in `table` that are later than `now + furthest` to `now`; return how many were changed.

        `furthest` is longer than every interval, so a later due time was written while the system clock was wrong.
        """
        with self.transaction():
            cursor = self.db.conn.execute(
                f"UPDATE {table} SET next_due_at = ? WHERE next_due_at > ?",  # noqa: S608 - constant table names
                (to_text(now), to_text(now + furthest)),
            )
        return cursor.rowcount

    def make_future_rows_due(self, now: datetime) -> int:
        """Make rows due that were written later than `now`; return how many were changed.

        Call this only if the system clock was ahead when the rows were written.
        """
        at, changed = to_text(now), 0
        with self.transaction():
            for table, condition in _FUTURE.items():
                sql = f"UPDATE {table} SET next_due_at = :now WHERE {condition}"  # noqa: S608 - constants only
                changed += self.db.conn.execute(sql, {"now": at}).rowcount
        return changed

    def newest_response(self) -> datetime | None:
        """Return the time of the newest response for a polled source or a page, by the clock of this machine."""
        row = self.db.execute(
            """SELECT max(at) FROM (
                 SELECT max(last_checked_at) AS at FROM sources WHERE next_due_at IS NOT NULL
                 UNION ALL
                 SELECT at FROM (SELECT last_fetched_at AS at FROM pages
                   WHERE last_fetched_at IS NOT NULL AND state <> 'absent' ORDER BY last_fetched_at DESC LIMIT 1))"""
        ).fetchone()
        return optional_instant(row[0])

    def newest_publications(self, now: datetime) -> list[datetime]:
        """Return the publication times of articles of the site that were published on or after the day of `now`."""
        day = now.astimezone(HANOI).date().isoformat()
        sql = (
            "SELECT published_at FROM articles WHERE published_on >= ? AND id > 0 AND published_at IS NOT NULL LIMIT ?"
        )
        return [from_text(row["published_at"]) for row in self.db.query(sql, [day, _WITNESSES])]

    # --- health -----------------------------------------------------------------------------------------------------

    def health_facts(self, now: datetime, started_at: datetime) -> Facts:
        """Return the facts for the health checks that the database holds; the caller adds the other facts."""
        return Facts(
            now=now,
            started_at=started_at,
            sources=self._polled(),
            jobs=tuple(self.jobs().values()),
            gaps=self._open_gaps(),
            newest=self.newest_response(),
            published=tuple(self.newest_publications(now)),
            bugs=self._bugs(now - _DAY),
            **self._page_counts(now - _DAY),
            moved=self._moved_fields(now - _DAY),
        )

    def _polled(self) -> tuple[SourceHealth, ...]:
        rows = self.db.query(
            """SELECT url, state, interval, last_ok_at, failures, error, error_kind FROM sources
               WHERE next_due_at IS NOT NULL AND state <> 'excluded' ORDER BY url"""
        )
        return tuple(
            SourceHealth(
                **{**r, "last_ok_at": optional_instant(r["last_ok_at"]), "error_kind": optional_kind(r["error_kind"])}
            )
            for r in rows
        )

    def _open_gaps(self) -> tuple[GapHealth, ...]:
        rows = self.db.query(
            """SELECT s.url AS source, g.opened_at, g.since, g.until FROM gaps g JOIN sources s ON s.id = g.source
               WHERE g.state = 'open' ORDER BY g.opened_at, g.id"""
        )
        return tuple(
            GapHealth(r["source"], from_text(r["opened_at"]), from_text(r["since"]), from_text(r["until"]))
            for r in rows
        )

    def _page_counts(self, since: datetime) -> dict[str, int]:
        """Count the pages requested since `since`, and how many of them were read, failed repeatedly or drifted.

        A page that has been archived keeps the state `live` when it fails or drifts. Without the plus in
        `+state`, SQLite would use the index on states, and would read all pages ever requested.
        """
        (row,) = self.db.query(
            """SELECT count(*) AS pages_asked,
                 coalesce(sum(failures >= :repeated AND coalesce(error_kind, '') NOT LIKE :drift), 0) AS pages_failing,
                 coalesce(sum(state <> 'failed'), 0) AS pages_read,
                 coalesce(sum(state = 'drift' OR (state = 'live' AND failures > 0 AND error_kind LIKE :drift)), 0)
                   AS pages_drifted
               FROM pages WHERE last_fetched_at >= :since AND +state IN ('live', 'drift', 'failed')""",
            {"since": to_text(since), "repeated": _REPEATED, "drift": f"{ErrorKind.LAYOUT_DRIFT}%"},
        )
        return row

    def _moved_fields(self, since: datetime) -> tuple[str, ...]:
        """Return the fields that were elsewhere than before on pages visited since a time, the most frequent first."""
        rows = self.db.query(
            """SELECT substr(error_kind, length(:drift) + 2) AS field FROM pages
               WHERE last_fetched_at >= :since AND +state = 'live' AND failures > 0 AND error_kind LIKE :drift || '-%'
               GROUP BY error_kind ORDER BY count(*) DESC, field""",
            {"since": to_text(since), "drift": ErrorKind.LAYOUT_DRIFT},
        )
        return tuple(row["field"] for row in rows)

    def _bugs(self, since: datetime) -> tuple[str, ...]:
        """Return the items quarantined because of a bug, as `URL: error`, newest first.

        Archived pages are requested again anyway, so they are left out if their last request was before `since`.
        """
        rows = self.db.query(
            """SELECT url, error, last_fetched_at AS at FROM pages
               WHERE (state = 'failed' OR (last_fetched_at >= :since AND failures > 0)) AND error_kind = :bug
               UNION ALL SELECT url, error, last_checked_at FROM sources WHERE error_kind = :bug
               UNION ALL SELECT s.target, s.error, s.next_due_at FROM plan_steps s JOIN plans p ON p.id = s.plan
                 WHERE p.state = 'open' AND s.error_kind = :bug
               ORDER BY at DESC""",
            {"since": to_text(since), "bug": ErrorKind.BUG},
        )
        return tuple(f"{row['url']}: {row['error']}" for row in rows)

    # --- incidents --------------------------------------------------------------------------------------------------

    def open_incidents(self) -> list[Incident]:
        """Return the open incidents, oldest first."""
        return self._incidents("closed_at IS NULL ORDER BY opened_at, id")

    def unreported_incidents(self) -> list[Incident]:
        """Return the incidents whose beginning or end has not been reported."""
        return self._incidents(
            "(told_at IS NULL AND closed_at IS NULL) OR (closed_at IS NOT NULL AND closed_told_at IS NULL) ORDER BY id"
        )

    def incidents(self, limit: int) -> list[dict[str, Any]]:
        """Return the rows of at most `limit` incidents: open ones before closed ones, each group newest first."""
        return list(
            self.db.query("SELECT * FROM incidents ORDER BY closed_at IS NOT NULL, opened_at DESC, id LIMIT ?", [limit])
        )

    def save_incidents(self, changes: IncidentChanges, now: datetime) -> None:
        """Write the incidents that have begun, continued or ended."""
        at = to_text(now)
        with self.transaction():
            self.db.conn.executemany(
                "INSERT INTO incidents (kind, subject, detail, opened_at, seen_at) VALUES (?, ?, ?, ?, ?)",
                [(c.kind, c.subject, c.detail, at, at) for c in changes.opened],
            )
            self.db.conn.executemany(
                "UPDATE incidents SET seen_at = ?, detail = ? WHERE id = ?",
                [(at, detail, number) for number, detail in changes.seen],
            )
            self.db.conn.executemany(
                "UPDATE incidents SET closed_at = ? WHERE id = ?", [(at, number) for number in changes.closed]
            )

    def save_reported(self, message: Message, now: datetime) -> None:
        """Record that the starts and ends of incidents in `message` have been reported."""
        at = to_text(now)
        with self.transaction():
            for column, ids in (("told_at", message.opened), ("closed_told_at", message.closed)):
                self.db.conn.executemany(
                    f"UPDATE incidents SET {column} = ? WHERE id = ?",  # noqa: S608 - constant column names
                    [(at, number) for number in ids],
                )

    def _incidents(self, condition: str) -> list[Incident]:
        rows = self.db.query(f"SELECT * FROM incidents WHERE {condition}")  # noqa: S608 - constants only
        return [_incident(row) for row in rows]

    def optimise(self, *, index: bool) -> None:
        """Update the query planner's statistics and truncate the WAL file; if `index`, compact the search index."""
        if index:
            self._merge_index()
        # PRAGMA optimize reads first and writes later, and fails if another process writes in between.
        with self.transaction():
            self.db.conn.execute(f"PRAGMA analysis_limit = {_ANALYSIS_LIMIT}")
            self.db.conn.execute("PRAGMA optimize")
        self.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _merge_index(self) -> None:
        """Compact the search index in small steps, so that other processes can write between two steps."""
        pages = -_MERGE_PAGES  # a negative number starts merging all segments into one
        while True:
            before = self.db.conn.total_changes
            with self.transaction():
                self.db.conn.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('merge', ?)", [pages])
            if self.db.conn.total_changes - before < 2:  # the INSERT itself counts as one: nothing was left to merge
                return
            pages = _MERGE_PAGES

    # --- figures ----------------------------------------------------------------------------------------------------

    def figures(self) -> HealthFigures:
        """Return the numbers of articles, pages, sources and open incidents for monitoring."""
        return HealthFigures(
            **{table: self._by_state(table) for table in ("articles", "pages", "sources")},
            incidents=len(self.open_incidents()),
        )

    def _by_state(self, table: str) -> dict[str, int]:
        rows = self.db.query(f"SELECT state, count(*) AS n FROM {table} GROUP BY state")  # noqa: S608 - constant table names
        return {row["state"]: row["n"] for row in rows}

    def requests_after(self, number: int) -> list[RequestSummary]:
        """Return the logged requests with an id greater than `number`, in the order of their ids."""
        rows = self.db.query("SELECT id, status, size, seconds FROM fetches WHERE id > ? ORDER BY id", [number])
        return [RequestSummary(**row) for row in rows]

    def capture_count(self) -> int:
        """Return the approximate number of captures."""
        return int(self.db.execute("SELECT coalesce(max(id), 0) FROM raw").fetchone()[0])

    def newest_request_id(self) -> int:
        """Return the id of the newest logged request; 0 if there is none."""
        return int(self.db.execute("SELECT coalesce(max(id), 0) FROM fetches").fetchone()[0])


def _incident(row: Mapping[str, Any]) -> Incident:
    instants = {name: optional_instant(row[name]) for name in row if name.endswith("_at")}
    return Incident(**{**row, **instants})
