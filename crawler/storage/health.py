"""Rows of the service's health: heartbeats of its jobs, incidents, the size of the archive.

Boundary: rows in and out; what they mean is for `policy` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.errors import BUG, DRIFT
from crawler.health.checks import Facts, GapHealth, JobHealth, SourceHealth
from crawler.health.disk import Size, growth
from crawler.health.incidents import Changes, Incident, Message, detail
from crawler.storage.values import optional_text

JobState = Literal["running", "ok", "paused", "held", "failed"]
Table = Literal["sources", "pages", "heartbeats"]

_DAY = timedelta(days=1)
_AGAIN = 3  # failures in a row: more than a hiccup
_MERGED = 500  # pages of the search index in one step
_ANALYSED = 1000  # rows of an index: enough for the planner, and soon done in the largest archive


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by state, and the incidents that are open."""

    articles: dict[str, int]
    pages: dict[str, int]
    sources: dict[str, int]
    incidents: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a monitor wants to know of one request."""

    id: int
    status: int | None
    size: int
    seconds: float


class Health:
    """Queries over what the service does, and what troubles it."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]
    sizes: Callable[[], list[Size]]

    # --- heartbeats -------------------------------------------------------------------------------------------------

    def begin_job(self, job: str, now: datetime, failures: int | None = None) -> None:
        """Note that a job begins; `failures` in a row are what they were unless they are given."""
        with self.transaction():
            self.db.conn.execute(
                """INSERT INTO heartbeats (job, state, started_at, failures) VALUES (:job, 'running', :now, coalesce(:failures, 0))
                   ON CONFLICT (job) DO UPDATE SET state = 'running', started_at = :now, ended_at = NULL,
                     failures = coalesce(:failures, failures)""",
                {"job": job, "now": to_text(now), "failures": failures},
            )

    def end_job(self, job: str, state: JobState, now: datetime, due_at: datetime | None, outcome: str) -> None:
        """Note how a job ended and before when it need not be done again; failures in a row are counted."""
        with self.transaction():
            self.db.conn.execute(
                """UPDATE heartbeats SET state = :state, ended_at = :now, next_due_at = :due, outcome = :outcome,
                     ok_at = CASE :state WHEN 'ok' THEN :now ELSE ok_at END,
                     failures = CASE :state WHEN 'ok' THEN 0 WHEN 'failed' THEN failures + 1 ELSE failures END
                   WHERE job = :job""",
                {"job": job, "state": state, "now": to_text(now), "due": optional_text(due_at), "outcome": outcome},
            )

    def jobs(self) -> dict[str, JobHealth]:
        """Give what is known of each job, by its name."""
        rows = self.db.query("SELECT job, state, started_at, next_due_at, failures, outcome FROM heartbeats")
        return {
            r["job"]: JobHealth(
                r["job"],
                r["state"],
                from_text(r["started_at"]),
                _instant(r["next_due_at"]),
                r["failures"],
                r["outcome"],
            )
            for r in rows
        }

    def bring_forward(self, table: Table, now: datetime, furthest: timedelta) -> int:
        """Make due what a clock that ran ahead put off beyond any interval; give how many rows that was."""
        with self.transaction():
            cursor = self.db.conn.execute(
                f"UPDATE {table} SET next_due_at = ? WHERE next_due_at > ?",  # noqa: S608 - tables of ours
                (to_text(now), to_text(now + furthest)),
            )
        return cursor.rowcount

    # --- health -----------------------------------------------------------------------------------------------------

    def health_facts(self, now: datetime, started_at: datetime) -> Facts:
        """Give what rows tell of the service's health."""
        return Facts(
            now=now,
            started_at=started_at,
            sources=self._polled(),
            jobs=tuple(self.jobs().values()),
            gaps=self._open_gaps(),
            newest=self._newest(),
            bugs=self._bugs(now - _DAY),
            growth=growth(self.sizes()) or 0.0,
            **self._asked(now - _DAY),
        )

    def _newest(self) -> datetime | None:
        row = self.db.execute("SELECT max(last_fetched_at) FROM pages WHERE last_fetched_at IS NOT NULL").fetchone()
        return _instant(row[0])

    def _polled(self) -> tuple[SourceHealth, ...]:
        rows = self.db.query(
            """SELECT url, state, interval, last_ok_at, failures, error FROM sources
               WHERE next_due_at IS NOT NULL AND state <> 'excluded' ORDER BY url"""
        )
        return tuple(SourceHealth(**{**r, "last_ok_at": _instant(r["last_ok_at"])}) for r in rows)

    def _open_gaps(self) -> tuple[GapHealth, ...]:
        rows = self.db.query(
            """SELECT s.url AS source, g.opened_at, g.since, g.until FROM gaps g JOIN sources s ON s.id = g.source
               WHERE g.state = 'open' ORDER BY g.opened_at, g.id"""
        )
        return tuple(
            GapHealth(r["source"], from_text(r["opened_at"]), from_text(r["since"]), from_text(r["until"]))
            for r in rows
        )

    def _asked(self, since: datetime) -> dict[str, int]:
        """Count the pages asked for since then: those that failed again and again, and those of an unknown markup.

        Held ones stay live through both. The plus keeps the planner from the index on states, by which it would go through
        all pages ever asked for.
        """
        (row,) = self.db.query(
            """SELECT count(*) AS pages_asked,
                 coalesce(sum(failures >= :again AND coalesce(error, '') NOT LIKE :drift), 0) AS pages_failing,
                 coalesce(sum(state <> 'failed'), 0) AS pages_read,
                 coalesce(sum(state = 'drift' OR (state = 'live' AND failures > 0 AND error LIKE :drift)), 0) AS pages_drifted
               FROM pages WHERE last_fetched_at >= :since AND +state IN ('live', 'drift', 'failed')""",
            {"since": to_text(since), "again": _AGAIN, "drift": f"{DRIFT}%"},
        )
        return row

    def _bugs(self, since: datetime) -> tuple[str, ...]:
        """Give what ended the program; of held pages and sources, which are asked again all the time, that of a day."""
        rows = self.db.query(
            """SELECT url, error, last_fetched_at AS at FROM pages
               WHERE (state = 'failed' OR (last_fetched_at >= :since AND failures > 0)) AND error LIKE :bug
               UNION ALL SELECT url, error, last_checked_at FROM sources WHERE error LIKE :bug
               UNION ALL SELECT s.target, s.error, s.next_due_at FROM plan_steps s JOIN plans p ON p.id = s.plan
                 WHERE p.state = 'open' AND s.error LIKE :bug
               ORDER BY at DESC""",
            {"since": to_text(since), "bug": f"{BUG}%"},
        )
        return tuple(f"{row['url']}: {row['error']}" for row in rows)

    # --- incidents --------------------------------------------------------------------------------------------------

    def open_incidents(self) -> list[Incident]:
        """Give the troubles of now, oldest first."""
        return self._incidents("closed_at IS NULL ORDER BY opened_at, id")

    def untold_incidents(self) -> list[Incident]:
        """Give the troubles whose beginning or end nobody was told."""
        return self._incidents(
            "(told_at IS NULL AND closed_at IS NULL) OR (closed_at IS NOT NULL AND closed_told_at IS NULL) ORDER BY id"
        )

    def incidents(self, limit: int) -> list[dict[str, Any]]:
        """Give the rows of the newest troubles, those of now first."""
        return list(
            self.db.query("SELECT * FROM incidents ORDER BY closed_at IS NOT NULL, opened_at DESC, id LIMIT ?", [limit])
        )

    def save_incidents(self, changes: Changes, now: datetime) -> None:
        """Write what began, what goes on and what is over."""
        at = to_text(now)
        with self.transaction():
            self.db.conn.executemany(
                "INSERT INTO incidents (kind, subject, detail, opened_at, seen_at) VALUES (?, ?, ?, ?, ?)",
                [(c.kind, c.subject, detail(c), at, at) for c in changes.opened],
            )
            self.db.conn.executemany(
                "UPDATE incidents SET seen_at = ?, detail = ? WHERE id = ?",
                [(at, words, number) for number, words in changes.seen],
            )
            self.db.conn.executemany(
                "UPDATE incidents SET closed_at = ? WHERE id = ?", [(at, number) for number in changes.closed]
            )

    def save_told(self, message: Message, now: datetime) -> None:
        """Write who has been told."""
        at = to_text(now)
        with self.transaction():
            for column, ids in (("told_at", message.told), ("closed_told_at", message.over)):
                self.db.conn.executemany(
                    f"UPDATE incidents SET {column} = ? WHERE id = ?",  # noqa: S608 - columns of ours
                    [(at, number) for number in ids],
                )

    def _incidents(self, condition: str) -> list[Incident]:
        rows = self.db.query(f"SELECT * FROM incidents WHERE {condition}")  # noqa: S608 - conditions of ours
        return [_incident(row) for row in rows]

    def optimise(self, *, index: bool) -> None:
        """Refresh the planner's figures and shorten the write-ahead log; with `index`, merge the search index too."""
        if index:
            self._merge_index()
        with self.transaction():  # it reads first and writes later: another writer between would make it fail
            self.db.conn.execute(f"PRAGMA analysis_limit = {_ANALYSED}")
            self.db.conn.execute("PRAGMA optimize")
        self.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _merge_index(self) -> None:
        """Merge the search index in small steps, between which other processes can write."""
        pages = -_MERGED  # negative: begin to merge all of it into one
        while True:
            before = self.db.conn.total_changes
            with self.transaction():
                self.db.conn.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('merge', ?)", [pages])
            if self.db.conn.total_changes - before < 2:  # the statement itself is one: nothing was left to merge
                return
            pages = _MERGED

    # --- figures ----------------------------------------------------------------------------------------------------

    def figures(self) -> Figures:
        """Count what a monitor wants to know."""
        return Figures(
            **{table: self._by_state(table) for table in ("articles", "pages", "sources")},
            incidents=len(self.open_incidents()),
        )

    def _by_state(self, table: str) -> dict[str, int]:
        rows = self.db.query(f"SELECT state, count(*) AS n FROM {table} GROUP BY state")  # noqa: S608 - tables of ours
        return {row["state"]: row["n"] for row in rows}

    def requests_after(self, number: int) -> list[Request]:
        """Give the requests of the log behind the one with that id."""
        rows = self.db.query("SELECT id, status, size, seconds FROM fetches WHERE id > ? ORDER BY id", [number])
        return [Request(**row) for row in rows]

    def answers(self) -> int:
        """Say how many answers are kept, about."""
        return int(self.db.execute("SELECT coalesce(max(id), 0) FROM raw").fetchone()[0])

    def last_fetch(self) -> int:
        """Give the id of the newest request in the log."""
        return int(self.db.execute("SELECT coalesce(max(id), 0) FROM fetches").fetchone()[0])


def _incident(row: Mapping[str, Any]) -> Incident:
    instants = {name: _instant(row[name]) for name in row if name.endswith("_at")}
    return Incident(**{**row, **instants})


def _instant(text: str | None) -> datetime | None:
    return from_text(text) if text else None
