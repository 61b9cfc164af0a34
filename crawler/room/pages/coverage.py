"""The page of the coverage ledger: what is known, held and missing in each month, and why.

Boundary: reads rows and arranges them; `crawler.coverage` computed them.
"""

from __future__ import annotations

from typing import Any

from crawler.room.pages import front
from crawler.room.requests import Ask, Page
from crawler.room.room import Desk

_LISTED = 200


def coverage(desk: Desk, ask: Ask) -> Page:
    """Return the ledger by month, newest first; with `month`, also the missing articles of that month.

    Raises:
        BadRequest: the month cannot be read.

    """
    month = ask.month("month")
    rows, per_month = desk.archive.ledger_months(), desk.archive.per_month()
    return Page(
        "coverage.html",
        {
            "heat": front.heat(ask, per_month, rows),
            "years": _by_year([row for row in rows if row["month"]]),
            "undated": next((row for row in rows if not row["month"]), None),
            "totals": {
                name: sum(row[name] for row in rows) for name in ("known", "held", "missing", "gone", "gone_held")
            },
            "computed_at": rows[-1]["computed_at"] if rows else None,
            "held": sorted(per_month.items(), reverse=True) if not rows else [],
            "month": month,
            "missing": desk.archive.missing_articles(month, _LISTED) if month else [],
            "listed": _LISTED,
            "gaps": desk.archive.newest_gaps(20),
        },
    )


def _by_year(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    years: dict[str, list[dict[str, Any]]] = {}
    for row in reversed(rows):
        years.setdefault(row["month"][:4], []).append(row)
    return list(years.items())
