"""Pages about what happened to articles: changes, removals, and the stories that led the home page.

Boundary: reads rows and arranges them.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from crawler import marks
from crawler.clock import to_text
from crawler.room.language import _, parsed_instant, time_between
from crawler.room.requests import Ask, BadRequest, Page
from crawler.room.room import Desk
from crawler.site import HANOI

_LIMIT = 25
_SHOWN = 4  # passages of one change in a list
_POSITIONS = 5


def edit(row: dict[str, Any]) -> dict[str, Any]:
    """Return a later revision with the passages that changed; in a list, only the first of them are shown."""
    found = marks.edited(row)
    shown = [(passage.field, marks.shortened(passage.pieces)) for passage in found[:_SHOWN]]
    later = time_between(row["old_at"], row["at"])
    return row | {"passages": shown, "more": max(0, len(found) - _SHOWN), "later": later}


def changes(desk: Desk, ask: Ask) -> Page:
    """Return the list of later revisions, newest first; with `kind=edits`, only silent edits."""
    silent = ask.get("kind") == "edits"
    rows = desk.archive.later_revisions(silent=silent, key=ask.key(), limit=_LIMIT + 1)
    return Page(
        "changes.html",
        {"silent": silent, "rows": [edit(row) for row in rows[:_LIMIT]], "next_key": _next_key(rows)},
    )


def removed(desk: Desk, ask: Ask) -> Page:
    """Return the list of removals, newest first."""
    rows = desk.archive.removals(key=ask.key(), limit=_LIMIT + 1)
    return Page("removed.html", {"rows": rows[:_LIMIT], "next_key": _next_key(rows)})


def _next_key(rows: list[dict[str, Any]]) -> str | None:
    return f"{rows[_LIMIT - 1]['at']}_{rows[_LIMIT - 1]['id']}" if len(rows) > _LIMIT else None


def prominence(desk: Desk, ask: Ask) -> Page:
    """Return which stories led the home page on a day (in Hanoi), and how long each stood there.

    Raises:
        BadRequest: the day is outside the calendar.

    """
    day = ask.day("on") or ask.today
    try:
        start = datetime.combine(date.fromisoformat(day), time(), HANOI)
        end = start + timedelta(days=1)
        first, last = to_text(start), to_text(end)
        around = [(start + timedelta(days=n)).date().isoformat() for n in (-1, 1)]
    except OverflowError as error:
        raise BadRequest(_("A day is written as 2024-01-31."), day) from error
    stays = desk.archive.leading(first, last, _POSITIONS)
    positions: dict[int, list[dict[str, Any]]] = {}
    for row in stays:
        shown_from, shown_to = (parsed_instant(row[name]) for name in ("seen_at", "last_seen_at"))
        if shown_from is None or shown_to is None:
            continue
        begin, finish = max(start, shown_from), min(end, shown_to)
        share = [(moment - start) / (end - start) for moment in (begin, finish)]
        positions.setdefault(row["position"], []).append(
            row | {"from": begin.isoformat(), "to": finish.isoformat(), "length": finish - begin,
                   "left": round(share[0] * 1000, 1), "width": max(round((share[1] - share[0]) * 1000, 1), 3)}
        )  # fmt: skip
    return Page(
        "prominence.html",
        {"day": day, "previous": around[0], "next": around[1] if around[1] <= ask.today else None,
         "positions": sorted(positions.items())},
    )  # fmt: skip
