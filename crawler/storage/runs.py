"""Rows of runs, requests and captures.

Boundary: reads and writes rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime

from sqlite_utils import Database

from crawler.clock import to_text
from crawler.types import Exchange, RawRef, RunReport


class Runs:
    """Queries over runs, the request log and the captures."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    def begin_run(self, command: str, now: datetime) -> int:
        """Add a row for a new run and return the id of the run."""
        with self.transaction():
            cursor = self.db.conn.execute(
                "INSERT INTO runs (command, started_at) VALUES (?, ?)", (command, to_text(now))
            )
        return int(cursor.lastrowid or 0)

    def end_run(self, run: int, now: datetime, outcome: str, report: RunReport) -> None:
        """Write the end, the outcome and the report of a run."""
        with self.transaction():
            self.db.conn.execute(
                "UPDATE runs SET ended_at = ?, outcome = ?, report = ? WHERE id = ?",
                (to_text(now), outcome, json.dumps(asdict(report)), run),
            )

    def log_requests(self, run: int, exchanges: Iterable[Exchange]) -> None:
        """Add the requests of a run to the request log."""
        rows = [(run, e.url, to_text(e.at), e.status, e.size, e.seconds, e.error) for e in exchanges]
        self.db.conn.executemany(
            "INSERT INTO fetches (run, url, at, status, size, seconds, error) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
        )

    def add_raw(
        self,
        url: str,
        fetched_at: datetime,
        status: int,
        ref: RawRef,
        purpose: str | None = None,
        origin: str | None = None,
    ) -> int:
        """Write the location of a capture and return the capture's id; a location that is already known keeps its id.

        `purpose` is why the response was requested. `origin` is the collection from which the capture was imported, or
        None if this program fetched it.
        """
        row = self.db.conn.execute(
            """INSERT INTO raw (url, fetched_at, status, file, offset, length, digest, purpose, origin)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (file, offset) DO UPDATE SET digest = excluded.digest RETURNING id""",
            (url, to_text(fetched_at), status, ref.file, ref.offset, ref.length, ref.digest, purpose, origin),
        ).fetchone()
        return int(row[0])

    def raw_fetched_at(self, raw_id: int) -> str:
        """Return the time when a capture was fetched, as ISO 8601 text in UTC."""
        return str(self.db.execute("SELECT fetched_at FROM raw WHERE id = ?", [raw_id]).fetchone()[0])

    def has_capture(self, url: str, fetched_at: datetime, digest: str) -> bool:
        """Whether a capture with this address, time and payload digest is already archived."""
        sql = "SELECT 1 FROM raw WHERE url = ? AND fetched_at = ? AND digest = ?"
        return self.db.execute(sql, [url, to_text(fetched_at), digest]).fetchone() is not None

    def capture_at(self, url: str, fetched_at: datetime) -> RawRef | None:
        """Return the position of the archived response with this address, time and status 200; None if there is none."""
        sql = "SELECT file, offset, length, digest FROM raw WHERE url = ? AND fetched_at = ? AND status = 200"
        found = self.db.execute(f"{sql} ORDER BY id LIMIT 1", [url, to_text(fetched_at)]).fetchone()
        return RawRef(*found) if found else None

    def known_end(self, file: str) -> int:
        """Return the byte offset at which the last record of `file` with a row in `raw` ends; 0 if there is none."""
        cursor = self.db.execute("SELECT offset + length FROM raw WHERE file = ? ORDER BY offset DESC LIMIT 1", [file])
        found = cursor.fetchone()
        return int(found[0]) if found else 0
