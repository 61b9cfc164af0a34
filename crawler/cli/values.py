"""Values that several commands read from their arguments: the id of an article, a day, an instant.

Boundary: checks texts; reads nothing but the configuration.
"""

from __future__ import annotations

import re
from datetime import date
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
    from crawler.clock import instant_text

    if value is None:
        return None
    try:
        return instant_text(value, end_of_day=end_of_day)
    except ValueError as error:
        raise BadInput(f"{value} is not a time", "write the time as 2026-01-31 or 2026-01-31T08:15:00Z") from error
