"""Rows of the backfill plans: what was asked for, its steps, its pages, and how far each is.

Boundary: rows in and out; what comes next is decided by `policy.plans`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.plans import Asked, Plan, Step, StepKind, StepOutcome
from crawler.storage.pages import FOR_FETCH, page_of
from crawler.storage.values import optional_text
from crawler.types import PageForFetch

#: A page of a plan that got no good answer yet, and is tried again.
_WAITING = "state IN ('failed', 'suspect') AND next_due_at IS NOT NULL"


class Plans:
    """Queries over what is to be fetched from the past."""

    db: Database

    def add_plan(self, asked: Asked, steps: Iterable[tuple[StepKind, str]], now: datetime) -> int:
        """Write a new plan with its first steps; give its id."""
        cursor = self.db.conn.execute(
            """INSERT INTO plans (via, since, until, section, oldest_first, state, created_at)
               VALUES (?, ?, ?, ?, ?, 'open', ?)""",
            (
                asked.via,
                asked.since.isoformat(),
                asked.until.isoformat(),
                asked.section,
                asked.oldest_first,
                to_text(now),
            ),
        )
        plan = int(cursor.lastrowid or 0)
        self.add_steps(plan, steps)
        return plan

    def plans(self, *, open_only: bool = False) -> list[Plan]:
        """Give the plans, oldest first."""
        rows = self.db.query("SELECT * FROM plans WHERE state = 'open' OR NOT ? ORDER BY id", [open_only])
        return [_plan(row) for row in rows]

    def plan_state(self, plan: int) -> str:
        """Say how a plan stands."""
        return str(self.db.execute("SELECT state FROM plans WHERE id = ?", [plan]).fetchone()[0])

    def set_plan_state(self, plan: int, state: str, ended_at: datetime | None) -> None:
        """Open or end a plan."""
        self.db.conn.execute(
            "UPDATE plans SET state = ?, ended_at = ? WHERE id = ?", (state, optional_text(ended_at), plan)
        )

    def reopen_plan(self, plan: int, now: datetime) -> None:
        """Try once more what was given up: lists that failed or were not there, pages that wait for somebody to ask."""
        self.set_plan_state(plan, "open", None)
        self.retry_steps(plan)
        self.db.conn.execute(
            "UPDATE plan_steps SET state = 'todo', error = NULL WHERE plan = ? AND state = 'absent' AND kind <> 'index'",
            (plan,),
        )
        self.db.conn.execute(
            """UPDATE pages SET next_due_at = ? WHERE state = 'failed' AND next_due_at IS NULL
               AND EXISTS (SELECT 1 FROM plan_pages WHERE plan = ? AND page = pages.id)""",
            (to_text(now), plan),
        )

    def retry_steps(self, plan: int) -> None:
        """Let the steps that failed, also on their way, be tried again."""
        self.db.conn.execute(
            """UPDATE plan_steps SET state = 'todo', failures = 0, error = NULL
               WHERE plan = ? AND kind <> 'index' AND (state = 'failed' OR (state = 'done' AND error IS NOT NULL))""",
            (plan,),
        )

    # --- steps --------------------------------------------------------------------------------------------------------

    def add_steps(self, plan: int, steps: Iterable[tuple[StepKind, str]]) -> None:
        """Add steps behind those that a plan has."""
        start = self._whole("SELECT coalesce(max(position) + 1, 0) FROM plan_steps WHERE plan = ?", plan)
        self.db.conn.executemany(
            "INSERT INTO plan_steps (plan, position, kind, target, state) VALUES (?, ?, ?, ?, 'todo')",
            [(plan, start + n, kind, target) for n, (kind, target) in enumerate(steps)],
        )

    def steps(self, plan: int) -> list[Step]:
        """Give the steps of a plan in order."""
        return [
            _step(row) for row in self.db.query("SELECT * FROM plan_steps WHERE plan = ? ORDER BY position", [plan])
        ]

    def step(self, plan: int, position: int) -> Step:
        """Give one step of a plan."""
        sql = "SELECT * FROM plan_steps WHERE plan = ? AND position = ?"
        return _step(next(self.db.query(sql, [plan, position])))

    def steps_to_do(self, plan: int, now: datetime) -> list[Step]:
        """Give the steps that may go on now, in order."""
        rows = self.db.query(
            """SELECT * FROM plan_steps WHERE plan = ? AND state IN ('todo', 'listed')
               AND (next_due_at IS NULL OR next_due_at <= ?) ORDER BY position""",
            [plan, to_text(now)],
        )
        return [_step(row) for row in rows]

    def save_step(self, plan: int, position: int, outcome: StepOutcome) -> None:
        """Write how far a step is."""
        self.db.conn.execute(
            """UPDATE plan_steps SET state = ?, cursor = ?, found = ?, failures = ?, next_due_at = ?, error = ?
               WHERE plan = ? AND position = ?""",
            (
                outcome.state,
                json.dumps(outcome.cursor) if outcome.cursor else None,
                outcome.found,
                outcome.failures,
                optional_text(outcome.next_due_at),
                outcome.error,
                plan,
                position,
            ),
        )

    # --- pages --------------------------------------------------------------------------------------------------------

    def add_plan_pages(self, plan: int, step: int, pages: Iterable[int]) -> int:
        """Make pages a plan's; one that another step named stays with that. Gives how many are new to the plan."""
        return self.db.conn.executemany(
            "INSERT INTO plan_pages (plan, page, step) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(plan, page, step) for page in pages],
        ).rowcount

    def plan_pages(self, plan: int, step: int, *, oldest_first: bool, limit: int) -> list[PageForFetch]:
        """Give the pages of a step that nobody fetched yet."""
        rows = self.db.query(
            f"""SELECT {FOR_FETCH} FROM pages JOIN plan_pages ON page = id
               WHERE plan = ? AND step = ? AND state = 'known' ORDER BY page {"" if oldest_first else "DESC"} LIMIT ?""",  # noqa: S608 - words of ours
            [plan, step, limit],
        )
        return [page_of(row) for row in rows]

    def plan_retries(self, plan: int, now: datetime, limit: int) -> list[PageForFetch]:
        """Give the pages of a plan that are to be tried again now."""
        rows = self.db.query(
            f"""SELECT {FOR_FETCH} FROM pages WHERE {_WAITING} AND next_due_at <= :now
               AND EXISTS (SELECT 1 FROM plan_pages WHERE plan = :plan AND page = id) ORDER BY next_due_at LIMIT :limit""",  # noqa: S608 - words of ours
            {"plan": plan, "now": to_text(now), "limit": limit},
        )
        return [page_of(row) for row in rows]

    def plan_waits(self, plan: int) -> tuple[int, datetime | None]:
        """Say how much of a plan is to be tried again, and when the first of it."""
        row = self.db.execute(
            f"""SELECT count(*), min(next_due_at) FROM (
                 SELECT next_due_at FROM pages WHERE {_WAITING}
                   AND EXISTS (SELECT 1 FROM plan_pages WHERE plan = :plan AND page = id)
                 UNION ALL SELECT next_due_at FROM plan_steps
                   WHERE plan = :plan AND state IN ('todo', 'listed') AND next_due_at IS NOT NULL)""",  # noqa: S608 - words of ours
            {"plan": plan},
        ).fetchone()
        return int(row[0]), from_text(row[1]) if row[1] else None

    def page_state(self, page: int) -> str:
        """Say how a page stands."""
        return str(self.db.execute("SELECT state FROM pages WHERE id = ?", [page]).fetchone()[0])

    def plan_counts(self, plan: int) -> dict[str, int]:
        """Count the pages of a plan by their state."""
        rows = self.db.query(
            "SELECT state, count(*) AS n FROM plan_pages JOIN pages ON id = page WHERE plan = ? GROUP BY state", [plan]
        )
        return {row["state"]: row["n"] for row in rows}

    def held_between(self, since: date, until: date) -> int:
        """Count the articles of some days."""
        sql = "SELECT count(*) FROM articles WHERE published_on BETWEEN ? AND ? AND id > 0"
        return self._whole(sql, since.isoformat(), until.isoformat())

    # --- lists --------------------------------------------------------------------------------------------------------

    def sections_named(self) -> list[dict[str, Any]]:
        """Give address, kind and name of the sections, and of their lists in the list API."""
        return list(
            self.db.query(
                """SELECT url, kind, name FROM sources WHERE kind IN ('section', 'list')
                   AND state NOT IN ('absent', 'excluded') ORDER BY url"""
            )
        )

    def save_listed(self, url: str, items: int, fresh: int, now: datetime) -> None:
        """Write on a source's row that a backfill read it; where the poll has it, the row is the poll's."""
        self.db.conn.execute(
            """UPDATE sources SET state = 'ok', last_checked_at = :now, last_ok_at = :now, items = :items,
                 fresh_items = :fresh, most_items = max(coalesce(most_items, 0), :items), failures = 0, error = NULL
               WHERE url = :url AND next_due_at IS NULL AND state <> 'excluded'""",
            {"url": url, "items": items, "fresh": fresh, "now": to_text(now)},
        )

    # --- ids ----------------------------------------------------------------------------------------------------------

    def ids_known(self, first: int, last: int) -> set[int]:
        """Give the ids of a range that have a row, whatever became of them."""
        return {row["id"] for row in self.db.query("SELECT id FROM pages WHERE id BETWEEN ? AND ?", [first, last])}

    def ids_ends(self) -> tuple[int, int] | None:
        """Give the lowest and the highest id of the pages that are or were there; None when there is none."""
        there = "SELECT {}(id) FROM pages WHERE state <> 'absent'"
        low, high = (self.db.execute(there.format(end)).fetchone()[0] for end in ("min", "max"))
        return None if low is None else (low, high)

    def ids_held(self, since: date, until: date, low: int, high: int) -> tuple[int, int] | None:
        """Give the lowest and highest id of the articles of some days, among ids that are likely; None without any."""
        row = self.db.execute(
            "SELECT min(id), max(id) FROM articles WHERE id BETWEEN ? AND ? AND published_on BETWEEN ? AND ?",
            [low, high, since.isoformat(), until.isoformat()],
        ).fetchone()
        return None if row[0] is None else (row[0], row[1])

    def live_ids_near(self, post_id: int, limit: int) -> list[int]:
        """Give ids of articles that were there when last asked for: the next ones below, then those above."""
        rows = self.db.query(
            """SELECT id FROM (SELECT id FROM pages WHERE state = 'live' AND id BETWEEN 1 AND :id ORDER BY id DESC LIMIT :n)
               UNION ALL SELECT id FROM (SELECT id FROM pages WHERE state = 'live' AND id > :id ORDER BY id LIMIT :n)""",
            {"id": post_id, "n": limit},
        )
        return [row["id"] for row in rows][:limit]

    def add_absent(self, post_id: int, url: str, now: datetime, raw_id: int) -> None:
        """Remember that an id was asked for and is not there."""
        self.db.conn.execute(
            """INSERT INTO pages (id, url, state, first_seen_at, first_source, last_fetched_at, raw_id)
               VALUES (:id, :url, 'absent', :now, 'ids', :now, :raw) ON CONFLICT (id) DO NOTHING""",
            {"id": post_id, "url": url, "now": to_text(now), "raw": raw_id},
        )

    def ids_asked_since(self, day: datetime, prefix: str) -> int:
        """Count the requests since an instant for addresses that begin so."""
        return self._whole(
            "SELECT count(*) FROM fetches WHERE at >= ? AND substr(url, 1, length(?)) = ?", to_text(day), prefix, prefix
        )

    def gap_spans(self, first: int, last: int) -> list[tuple[int, int]]:
        """Give the ids between which the polls have an open gap, newest first, as far as they lie in a range."""
        rows = self.db.query(
            """SELECT DISTINCT after_id + 1 AS low, before_id - 1 AS high FROM gaps
               WHERE state = 'open' AND after_id < before_id - 1 AND after_id >= ? AND before_id <= ? ORDER BY 1 DESC""",
            [first - 1, last + 1],
        )
        return [(row["low"], row["high"]) for row in rows]

    def _whole(self, sql: str, *values: object) -> int:
        return int(self.db.execute(sql, list(values)).fetchone()[0])


def _plan(row: Mapping[str, Any]) -> Plan:
    wanted = Asked(
        row["via"],
        date.fromisoformat(row["since"]),
        date.fromisoformat(row["until"]),
        row["section"],
        bool(row["oldest_first"]),
    )
    return Plan(row["id"], wanted, row["state"], from_text(row["created_at"]))


def _step(row: Mapping[str, Any]) -> Step:
    return Step(
        position=row["position"],
        kind=row["kind"],
        target=row["target"],
        state=row["state"],
        cursor=json.loads(row["cursor"] or "{}"),
        found=row["found"],
        failures=row["failures"],
        next_due_at=from_text(row["next_due_at"]) if row["next_due_at"] else None,
        error=row["error"],
    )
