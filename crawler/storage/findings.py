"""Rows of the results of `vna probe`, which checks the assumptions about the site.

Boundary: reads and writes rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import to_text
from crawler.finding import Finding


class Findings:
    """Queries over the results of `vna probe`."""

    db: Database

    def save_findings(self, probe: int, findings: Sequence[Finding], at: datetime) -> None:
        """Write the findings of a run of `vna probe`.

        `probe` is the id of the run, and `at` is the time of its last response.
        """
        self.db.conn.executemany(
            """INSERT INTO findings (probe, name, dossier, expected, verdict, seen, advice, adopt, position, probed_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (probe, f.name, f.dossier, f.expected, f.verdict, f.seen, f.advice, _json(f.adopt), n, to_text(at))
                for n, f in enumerate(findings)
            ],
        )

    def has_findings(self) -> bool:
        """Whether the site has ever been probed."""
        return self.db.execute("SELECT 1 FROM findings LIMIT 1").fetchone() is not None

    def last_findings(self) -> list[Finding]:
        """Return the findings of the last probe in the order of the checks; empty if the site was never probed."""
        rows = self.db.query("SELECT * FROM findings WHERE probe = (SELECT max(probe) FROM findings) ORDER BY position")
        return [
            Finding(
                r["name"], r["dossier"], r["expected"], r["verdict"], r["seen"], r["advice"], json.loads(r["adopt"])
            )
            for r in rows
        ]

    def last_probe(self) -> dict[str, Any] | None:
        """Return the run id, the time and the number of requests of the last probe; None if there was no probe."""
        sql = """SELECT probe, probed_at, (SELECT count(*) FROM fetches WHERE run = probe) AS requests
                 FROM findings WHERE probe = (SELECT max(probe) FROM findings) LIMIT 1"""
        return next(self.db.query(sql), None)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
