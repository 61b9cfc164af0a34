"""The front page: the newest day by section, the last 30 days, the months since 2010, and recent events.

Boundary: reads rows and arranges them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from secrets import randbelow
from typing import Any

from crawler.clock import to_text
from crawler.room import charts
from crawler.room.language import _, parsed_instant
from crawler.room.pages import events
from crawler.room.requests import Ask, NotHere, Page, RoomResponse, redirect
from crawler.room.room import Desk
from crawler.site import FLOOR

_DAYS = 30
_SHOWN = 7  # articles of one section
_FEW = 15  # if the newest day has fewer articles, the day before is shown, too
_LATEST = 4  # edits and removals
_RECENT = timedelta(days=7)


def front(desk: Desk, ask: Ask) -> Page:
    """Return the front page."""
    archive = desk.archive
    day = archive.newest_day(ask.today)
    articles = archive.articles_on(day) if day else []
    counts = _last_days(desk, ask.today)
    labels = [f"{ask.language.day(day)}: {ask.language.number(count)}" for day, count in counts]
    since = to_text(ask.now - _RECENT)
    return Page(
        "front.html",
        {
            "day": day,
            "is_today": day == ask.today,
            "count": len(articles),
            "sections": _by_section(articles),
            "earlier": _earlier(desk, day) if len(articles) < _FEW else None,
            "bars": charts.bars(counts, ask.language.gettext(_("Articles of the last 30 days")), labels),
            "days": list(reversed(counts)),
            "heat": heat(ask, archive.per_month(), archive.ledger_months()),
            "edits": events.edits(desk, silent=True, since=since, limit=_LATEST)[0],
            "removals": archive.removals(since=since, limit=_LATEST),
            "gaps": archive.open_gap_rows(),
            "state": _state(archive.service_state(), ask),
        },
    )


def _earlier(desk: Desk, day: str | None) -> dict[str, Any] | None:
    """Return the articles of the last day before `day` that has some; None if there is none."""
    before = day and desk.archive.newest_day((date.fromisoformat(day) - timedelta(days=1)).isoformat())
    if not before:
        return None
    articles = desk.archive.articles_on(before)
    return {"day": before, "count": len(articles), "sections": _by_section(articles)}


def _last_days(desk: Desk, today: str) -> list[tuple[str, int]]:
    first = (date.fromisoformat(today) - timedelta(days=_DAYS - 1)).isoformat()
    found = desk.archive.per_day(first, today)
    return [(day, found.get(day, 0)) for day in charts.days_between(first, today)]


def heat(ask: Ask, per_month: Mapping[str, int], ledger: Sequence[Mapping[str, Any]]) -> charts.HeatMap:
    """Return the heat map of the articles by month, since 2010 or the oldest article."""
    counts = {month: count for month, count in per_month.items() if month <= ask.today[:7]}
    missing = {row["month"]: row["missing"] for row in ledger if row["missing"]}
    first = ask.oldest_month(min((FLOOR.isoformat()[:7], *counts)))
    return charts.heat_map(counts, missing, first, ask.today[:7], ask.language)


def _by_section(articles: list[dict[str, Any]]) -> list[tuple[str | None, list[dict[str, Any]], int]]:
    """Return the sections of a day, each with its first articles and its number of articles; the largest first."""
    sections: dict[str | None, list[dict[str, Any]]] = {}
    for article in articles:
        sections.setdefault(article["section"], []).append(article)
    ordered = sorted(sections.items(), key=lambda item: (item[0] is None, -len(item[1]), item[0] or ""))
    return [(name, found[:_SHOWN], len(found)) for name, found in ordered]


def _state(found: dict[str, Any], ask: Ask) -> dict[str, Any]:
    polled = parsed_instant(found["polled_at"])
    ago = None if polled is None else ask.language.span(ask.now - polled)
    return {"is_well": not found["incidents"], "ago": ago, **found}


def random_article(desk: Desk, ask: Ask) -> RoomResponse:
    """Return a redirect to an article that is chosen by chance.

    Raises:
        NotHere: the archive has no article.

    """
    number = desk.archive.random_id(randbelow(1 << 30) / (1 << 30))
    if number is None:
        raise NotHere(_("The archive has no article yet."))
    return redirect(ask.link(f"/article/{number}"))


def nothing(_desk: Desk, _ask: Ask) -> Page:
    """Return nothing: the address of the request has no page.

    Raises:
        NotHere: always.

    """
    raise NotHere(_("This address has no page."))


def help_page(_desk: Desk, _ask: Ask) -> Page:
    """Return the page that explains the query language and the keys."""
    return Page("help.html", {})
