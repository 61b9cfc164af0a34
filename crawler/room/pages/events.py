"""Pages about what happened to articles: changes, removals, and the stories that led the home page.

Boundary: reads rows and arranges them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any

from crawler.changes import Kind
from crawler.clock import to_text
from crawler.room.language import _, parsed_instant, time_between
from crawler.room.pages.comparisons import Comparisons, RevisionComparison
from crawler.room.requests import LONGEST, Ask, BadRequest, Page
from crawler.room.room import Desk
from crawler.site import HANOI

_LIMIT = 25
_SHOWN = 4  # passages of one change in a list
_CONTEXT, _LONGEST_CHANGE = 60, 400  # characters beside a change, and of an added or removed passage
_POSITIONS = 5
_MOST_READ = 2000  # revisions that one page reads to find silent edits: 0.1 s
_ALL_KINDS = ("edits", "changes")


def edits(
    desk: Desk,
    *,
    kinds: Collection[str] = (),
    silent: bool = False,
    key: tuple[str, int] | None = None,
    since: str = "",
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """Return later revisions with the passages that changed, newest first, and the key of the next page; None at the end.

    `kinds` keeps revisions with one of these kinds of changes, `silent` only silent edits. So that a rare kind takes no
    longer than a frequent one, the search stops after some revisions; then a page may have fewer rows, and a next page.
    Revisions that are too long to be compared are kept.
    """
    found: list[dict[str, Any]] = []
    last = None
    comparisons = Comparisons(desk.frequency())
    for read, row in enumerate(desk.archive.later_revisions(key=key, since=since, limit=_MOST_READ + 1)):
        if len(found) == limit or read == _MOST_READ or comparisons.is_spent:
            return found, last
        last = f"{row['at']}_{row['id']}"
        if silent and not row["silent"]:
            continue
        old, new = desk.archive.revision_pair(row["id"], row["revision"])
        replaced = desk.archive.replaced_pictures(row["id"], row["revision"])
        compared = comparisons.between(old, new, replaced, _CONTEXT, _LONGEST_CHANGE)
        if not kinds or not compared.is_complete or not set(kinds).isdisjoint(compared.kinds):
            found.append(_shown(row, compared))
    return found, None


def _shown(row: dict[str, Any], compared: RevisionComparison) -> dict[str, Any]:
    passages = compared.passages
    return row | {
        "passages": passages, "shown": passages[:_SHOWN], "more": max(0, len(passages) - _SHOWN), "kinds": compared.kinds,
        "later": time_between(row["old_at"], row["at"]),
    }  # fmt: skip


def asked_kinds(ask: Ask) -> tuple[tuple[Kind, ...], bool]:
    """Return the kinds of changes that an address names, and whether it wants silent edits only.

    `kind=edits` means the same as `silent=1`, and `kind=changes` all kinds.

    Raises:
        BadRequest: there is no such kind.

    """
    names = ask.all("kind")
    try:
        kinds = tuple(Kind(name) for name in names if name not in _ALL_KINDS)
    except ValueError as error:
        raise BadRequest(_("There is no such kind of change."), ", ".join(names)[:LONGEST]) from error
    return kinds, "edits" in names or ask.get("silent") is not None


def changes(desk: Desk, ask: Ask) -> Page:
    """Return the list of later revisions, newest first.

    Raises:
        BadRequest: a parameter cannot be read.

    """
    kinds, silent = asked_kinds(ask)
    rows, next_key = edits(desk, kinds=kinds, silent=silent, key=ask.key(), limit=_LIMIT)
    return Page(
        "changes.html",
        {"silent": silent, "kinds": kinds, "all_kinds": list(Kind), "rows": rows, "next_key": next_key},
    )


def removed(desk: Desk, ask: Ask) -> Page:
    """Return the list of removals, newest first."""
    rows = desk.archive.removals(key=ask.key(), limit=_LIMIT + 1)
    return Page("removed.html", {"rows": rows[:_LIMIT], "next_key": _next_key(rows)})


def _next_key(rows: list[dict[str, Any]]) -> str | None:
    return f"{rows[_LIMIT - 1]['at']}_{rows[_LIMIT - 1]['id']}" if len(rows) > _LIMIT else None


def prominence(desk: Desk, ask: Ask) -> Page:
    """Return which stories led the home page on a day (in Hanoi), and how long each was there.

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
