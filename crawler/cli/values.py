"""Values that several commands read from their arguments: the id of an article, a day, an instant.

Boundary: checks texts; reads nothing but the configuration.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from crawler.cli import state
from crawler.errors import BadInput

MOST = 1_000_000  # the largest value of a number that limits an output
NEGATIVE_IDS = {"ignore_unknown_options": True}  # in `vna show -3`, -3 is the id of an imported text, not an option
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="What the site said at this time (ISO 8601, UTC); a day means its end."),
]
KnownAtOption = Annotated[
    str | None,
    typer.Option("--known-at", metavar="T", help="Only what the archive knew at this time; a day means its end."),
]
_ID = re.compile(r"-?[0-9]{1,18}")  # any number of 18 digits fits into SQLite's 64 bits; ids have 6


def is_id(value: str) -> bool:
    """Whether a value has the form of the id of an article."""
    return _ID.fullmatch(value) is not None


def article_key(context: typer.Context, value: str) -> int:
    """Return the id of an article that is given by its id or its address.

    Raises:
        BadInput: the value is neither an id nor an address of an article of the site.

    """
    from crawler import urls
    from crawler.site import Site

    if is_id(value):
        return int(value)
    foreign = Site(state.of(context).load().root).is_other_edition(value)
    found = None if foreign else urls.post_id(value)
    if found is None:
        raise BadInput(f"{value} is neither an id nor the address of an article", "find ids with `vna search`")
    return found


def day(value: str | None) -> str | None:
    """Return a day as ISO 8601.

    Raises:
        BadInput: the value is not a day.

    """
    try:
        return date.fromisoformat(value).isoformat() if value else None
    except ValueError as error:
        raise BadInput(f"{value} is not a day", "write the day as 2024-01-31") from error


def instant(value: str | None, *, end_of_day: bool = False) -> str | None:
    """Return an instant in UTC as the archive stores it; a value without an offset is in UTC.

    A day without an hour means its first second or, if `end_of_day`, its last one.

    Raises:
        BadInput: the value is not a time.

    """
    from crawler.clock import to_text

    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if end_of_day and _is_day(value):
            found += timedelta(days=1, seconds=-1)
        return to_text(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:  # overflow: early in the year 1 in Hanoi is the year 0 in UTC
        raise BadInput(f"{value} is not a time", "write the time as 2026-01-31 or 2026-01-31T08:15:00Z") from error


def times(as_of: str | None, known_at: str | None) -> dict[str, str | None]:
    """Return the instants of `--as-of` and `--known-at` as the archive stores them.

    Raises:
        BadInput: a value is not a time.

    """
    return {"as_of": instant(as_of, end_of_day=True), "known_at": instant(known_at, end_of_day=True)}


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
