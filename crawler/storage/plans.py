"""Rows of the backfill plans: the request, the steps and pages of each plan, and their progress.

Boundary: reads and writes rows; the module `crawler.plans` decides what is done next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.plan_values import BackfillRequest, NewStep, Plan, Step, StepOutcome
from crawler.storage.pages import FOR_FETCH, page_of
from crawler.storage.values import optional_instant, optional_kind, optional_text
from crawler.types import ErrorKind, PageForFetch

#: A page of a plan that failed and is scheduled for another attempt.
_WAITING = "state IN ('failed', 'suspect') AND next_due_at IS NOT NULL"


class Plans:
    """Queries over backfill plans."""

    db: Database

    def add_plan(self, request: BackfillRequest, steps: Iterable[NewStep], now: datetime) -> int:
        """Write a new plan with its first steps; return its id."""
        cursor = self.db.conn.execute(
            """INSERT INTO plans (via, since, until, section, oldest_first, state, created_at)
               VALUES (?, ?, ?, ?, ?, 'open', ?)""",
            (
                request.via,
                request.since.isoformat(),
                request.until.isoformat(),
                request.section,
                request.oldest_first,
                to_text(now),
            ),
        )
        plan = int(cursor.lastrowid or 0)
        self.add_steps(plan, steps)
        return plan

    def plans(self, *, open_only: bool = False) -> list[Plan]:
        """Return all plans or, if `open_only`, the open plans, oldest first."""
        rows = self.db.query("SELECT * FROM plans WHERE state = 'open' OR NOT ? ORDER BY id", [open_only])
        return [_plan(row) for row in rows]

    def plan_state(self, plan: int) -> str:
        """Return the state of a plan: `open` or `done`."""
        return str(self.db.execute("SELECT state FROM plans WHERE id = ?", [plan]).fetchone()[0])

    def set_plan_state(self, plan: int, state: str, ended_at: datetime | None) -> None:
        """Set the state of a plan; `ended_at` is None for an open plan."""
        self.db.conn.execute(
            "UPDATE plans SET state = ?, ended_at = ? WHERE id = ?", (state, optional_text(ended_at), plan)
        )

    def reopen_plan(self, plan: int, now: datetime) -> None:
        """Reopen a plan and schedule again its failed and absent steps, and its pages that are no longer retried.

        Absent lists at guessed addresses are not requested again.
        """
        self.set_plan_state(plan, "open", None)
        self.retry_steps(plan)
        self.db.conn.execute(
            """UPDATE plan_steps SET state = 'todo', error = NULL, error_kind = NULL
               WHERE plan = ? AND state = 'absent' AND kind <> 'index' AND NOT guessed""",
            (plan,),
        )
        self.db.conn.execute(
            """UPDATE pages SET next_due_at = ? WHERE state = 'failed' AND next_due_at IS NULL
               AND EXISTS (SELECT 1 FROM plan_pages WHERE plan = ? AND page = pages.id)""",
            (to_text(now), plan),
        )

    def retry_steps(self, plan: int) -> None:
        """Schedule another attempt for the steps of a plan that failed, or that are done but ended with an error."""
        self.db.conn.execute(
            """UPDATE plan_steps SET state = 'todo', failures = 0, error = NULL, error_kind = NULL
               WHERE plan = ? AND kind <> 'index' AND (state = 'failed' OR (state = 'done' AND error IS NOT NULL))""",
            (plan,),
        )

    # --- steps --------------------------------------------------------------------------------------------------------

    def add_steps(self, plan: int, steps: Iterable[NewStep]) -> None:
        """Append steps to a plan."""
        start = self._count("SELECT coalesce(max(position) + 1, 0) FROM plan_steps WHERE plan = ?", plan)
        self.db.conn.executemany(
            "INSERT INTO plan_steps (plan, position, kind, target, guessed, state) VALUES (?, ?, ?, ?, ?, 'todo')",
            [(plan, start + n, *step) for n, step in enumerate(steps)],
        )

    def absent_guesses(self) -> set[str]:
        """Return the guessed addresses of lists at which the site has no list."""
        rows = self.db.query("SELECT target FROM plan_steps WHERE guessed AND state = 'absent'")
        return {row["target"] for row in rows}

    def steps(self, plan: int) -> list[Step]:
        """Return all steps of a plan, in the order of the plan."""
        return [
            _step(row) for row in self.db.query("SELECT * FROM plan_steps WHERE plan = ? ORDER BY position", [plan])
        ]

    def step(self, plan: int, position: int) -> Step:
        """Return the step at `position` of a plan."""
        sql = "SELECT * FROM plan_steps WHERE plan = ? AND position = ?"
        return _step(next(self.db.query(sql, [plan, position])))

    def steps_to_do(self, plan: int, now: datetime) -> list[Step]:
        """Return the unfinished steps of a plan that can be processed at `now`, in the order of the plan."""
        rows = self.db.query(
            """SELECT * FROM plan_steps WHERE plan = ? AND state IN ('todo', 'listed')
               AND (next_due_at IS NULL OR next_due_at <= ?) ORDER BY position""",
            [plan, to_text(now)],
        )
        return [_step(row) for row in rows]

    def save_step(self, plan: int, position: int, outcome: StepOutcome) -> None:
        """Write the progress of a step."""
        self.db.conn.execute(
            """UPDATE plan_steps SET state = ?, cursor = ?, found = ?, failures = ?, next_due_at = ?, error = ?, error_kind = ?
               WHERE plan = ? AND position = ?""",
            (
                outcome.state,
                json.dumps(outcome.cursor) if outcome.cursor else None,
                outcome.found,
                outcome.failures,
                optional_text(outcome.next_due_at),
                outcome.error,
                outcome.error_kind,
                plan,
                position,
            ),
        )

    # --- pages --------------------------------------------------------------------------------------------------------

    def add_plan_pages(self, plan: int, step: int, pages: Iterable[int]) -> int:
        """Add pages to a step, except pages that already belong to a step of the plan; return how many were added."""
        return self.db.conn.executemany(
            "INSERT INTO plan_pages (plan, page, step) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(plan, page, step) for page in pages],
        ).rowcount

    def plan_pages(self, plan: int, step: int, *, oldest_first: bool, limit: int) -> list[PageForFetch]:
        """Return up to `limit` pages of a step that have not been fetched yet, oldest or newest first."""
        rows = self.db.query(
            f"""SELECT {FOR_FETCH} FROM pages JOIN plan_pages ON page = id
               WHERE plan = ? AND step = ? AND state = 'known' ORDER BY page {"" if oldest_first else "DESC"} LIMIT ?""",  # noqa: S608 - constants only
            [plan, step, limit],
        )
        return [page_of(row) for row in rows]

    def plan_retries(self, plan: int, now: datetime, limit: int) -> list[PageForFetch]:
        """Return up to `limit` pages of a plan that are due for another attempt at `now`, the earliest due first."""
        rows = self.db.query(
            f"""SELECT {FOR_FETCH} FROM pages WHERE {_WAITING} AND next_due_at <= :now
               AND EXISTS (SELECT 1 FROM plan_pages WHERE plan = :plan AND page = id) ORDER BY next_due_at LIMIT :limit""",  # noqa: S608 - constants only
            {"plan": plan, "now": to_text(now), "limit": limit},
        )
        return [page_of(row) for row in rows]

    def plan_waits(self, plan: int) -> tuple[int, datetime | None]:
        """Return how many pages and steps of a plan wait for another attempt, and when the first of them is due.

        If none of them waits, the time is None.
        """
        row = self.db.execute(
            f"""SELECT count(*), min(next_due_at) FROM (
                 SELECT next_due_at FROM pages WHERE {_WAITING}
                   AND EXISTS (SELECT 1 FROM plan_pages WHERE plan = :plan AND page = id)
                 UNION ALL SELECT next_due_at FROM plan_steps
                   WHERE plan = :plan AND state IN ('todo', 'listed') AND next_due_at IS NOT NULL)""",  # noqa: S608 - constants only
            {"plan": plan},
        ).fetchone()
        return int(row[0]), optional_instant(row[1])

    def page_state(self, page: int) -> str:
        """Return the state of a page."""
        return str(self.db.execute("SELECT state FROM pages WHERE id = ?", [page]).fetchone()[0])

    def plan_counts(self, plan: int) -> dict[str, int]:
        """Return the number of pages of a plan in each state."""
        rows = self.db.query(
            "SELECT state, count(*) AS n FROM plan_pages JOIN pages ON id = page WHERE plan = ? GROUP BY state", [plan]
        )
        return {row["state"]: row["n"] for row in rows}

    def held_between(self, since: date, until: date) -> int:
        """Return how many archived articles of the site were published from `since` to `until`, both days included."""
        sql = "SELECT count(*) FROM articles WHERE published_on BETWEEN ? AND ? AND id > 0"
        return self._count(sql, since.isoformat(), until.isoformat())

    # --- lists --------------------------------------------------------------------------------------------------------

    def sections_named(self) -> list[dict[str, Any]]:
        """Return the address, kind and name of each section page and of each section's list in the list API."""
        return list(
            self.db.query(
                """SELECT url, kind, name FROM sources WHERE kind IN ('section', 'list')
                   AND state NOT IN ('absent', 'excluded') ORDER BY url"""
            )
        )

    def save_listed(self, url: str, items: int, fresh: int, now: datetime, damage: str | None = None) -> None:
        """Record in a source's row that a backfill read the source, unless the source is polled or excluded.

        `damage` says what is wrong with the response, None if nothing is.
        """
        self.db.conn.execute(
            """UPDATE sources SET state = 'ok', last_checked_at = :now, last_ok_at = :now, items = :items,
                 fresh_items = :fresh, most_items = max(coalesce(most_items, 0), :items), failures = 0, error = :error,
                 error_kind = :kind
               WHERE url = :url AND next_due_at IS NULL AND state <> 'excluded'""",
            {
                "url": url,
                "items": items,
                "fresh": fresh,
                "now": to_text(now),
                "error": damage,
                "kind": ErrorKind.DAMAGED if damage else None,
            },
        )

    # --- ids ----------------------------------------------------------------------------------------------------------

    def ids_known(self, first: int, last: int) -> set[int]:
        """Return the ids from `first` to `last` that have a row in the table `pages`, in any state."""
        return {row["id"] for row in self.db.query("SELECT id FROM pages WHERE id BETWEEN ? AND ?", [first, last])}

    def ids_ends(self) -> tuple[int, int] | None:
        """Return the lowest and the highest id of the pages that are not absent; None if there are no such pages."""
        sql = "SELECT {}(id) FROM pages WHERE state <> 'absent'"
        low, high = (self.db.execute(sql.format(function)).fetchone()[0] for function in ("min", "max"))
        return None if low is None else (low, high)

    def ids_held(self, since: date, until: date, low: int, high: int) -> tuple[int, int] | None:
        """Return the lowest and the highest id of the articles published from `since` to `until`.

        Only ids from `low` to `high` are considered. The result is None if there are no such articles.
        """
        row = self.db.execute(
            "SELECT min(id), max(id) FROM articles WHERE id BETWEEN ? AND ? AND published_on BETWEEN ? AND ?",
            [low, high, since.isoformat(), until.isoformat()],
        ).fetchone()
        return None if row[0] is None else (row[0], row[1])

    def live_ids_near(self, post_id: int, limit: int) -> list[int]:
        """Return up to `limit` ids of live pages near `post_id`: first ids up to `post_id`, then higher ids.

        Each of the two groups begins with the id that is nearest to `post_id`.
        """
        rows = self.db.query(
            """SELECT id FROM (SELECT id FROM pages WHERE state = 'live' AND id BETWEEN 1 AND :id ORDER BY id DESC LIMIT :n)
               UNION ALL SELECT id FROM (SELECT id FROM pages WHERE state = 'live' AND id > :id ORDER BY id LIMIT :n)""",
            {"id": post_id, "n": limit},
        )
        return [row["id"] for row in rows][:limit]

    def add_absent(self, post_id: int, url: str, now: datetime, raw_id: int) -> None:
        """Record that the site has no article with the id `post_id`, unless the table `pages` has a row for this id."""
        self.db.conn.execute(
            """INSERT INTO pages (id, url, state, first_seen_at, first_source, last_fetched_at, raw_id)
               VALUES (:id, :url, 'absent', :now, 'ids', :now, :raw) ON CONFLICT (id) DO NOTHING""",
            {"id": post_id, "url": url, "now": to_text(now), "raw": raw_id},
        )

    def ids_asked_since(self, day: datetime, prefix: str) -> int:
        """Return how many addresses that start with `prefix` have been requested since `day`."""
        return self._count(
            "SELECT count(*) FROM fetches WHERE at >= ? AND substr(url, 1, length(?)) = ?", to_text(day), prefix, prefix
        )

    def gap_spans(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return the lowest and highest id in each open gap that lies between `first` and `last`, newest gap first."""
        rows = self.db.query(
            """SELECT DISTINCT after_id + 1 AS low, before_id - 1 AS high FROM gaps
               WHERE state = 'open' AND after_id < before_id - 1 AND after_id >= ? AND before_id <= ? ORDER BY 1 DESC""",
            [first - 1, last + 1],
        )
        return [(row["low"], row["high"]) for row in rows]

    def _count(self, sql: str, *values: object) -> int:
        return int(self.db.execute(sql, list(values)).fetchone()[0])


def _plan(row: Mapping[str, Any]) -> Plan:
    request = BackfillRequest(
        row["via"],
        date.fromisoformat(row["since"]),
        date.fromisoformat(row["until"]),
        row["section"],
        bool(row["oldest_first"]),
    )
    return Plan(row["id"], request, row["state"], from_text(row["created_at"]))


def _step(row: Mapping[str, Any]) -> Step:
    return Step(
        position=row["position"],
        kind=row["kind"],
        target=row["target"],
        state=row["state"],
        cursor=json.loads(row["cursor"] or "{}"),
        found=row["found"],
        failures=row["failures"],
        next_due_at=optional_instant(row["next_due_at"]),
        error=row["error"],
        error_kind=optional_kind(row["error_kind"]),
        guessed=bool(row["guessed"]),
    )
