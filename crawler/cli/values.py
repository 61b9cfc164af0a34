"""Values that several commands read from their arguments: the id of an article, a query, a section, a day, an instant.

Boundary: checks texts; reads the configuration, the clock and the names of sections.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from crawler import days
from crawler.cli import state
from crawler.errors import BadInput

if TYPE_CHECKING:
    from crawler.query import Query
    from crawler.storage import Archive

MOST = 1_000_000  # the largest value of a number that limits an output
NEGATIVE_IDS = {"ignore_unknown_options": True}  # in `vna show -3`, -3 is the id of an imported text, not an option
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="DAY",
        help="First day of publication (Hanoi time): 2024-01-31, 2024-01, 2024, today, yesterday, or 3d for three days ago.",
    ),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="Last day of publication, in the same forms.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="What the site said at this time (ISO 8601, UTC); a day means its end."),
]
KnownAtOption = Annotated[
    str | None,
    typer.Option("--known-at", metavar="T", help="Only what the archive knew at this time; a day means its end."),
]
MOST_JOBS = 64
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs", min=1, max=MOST_JOBS, help="Number of processes that parse; a single process writes the results."
    ),
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
    if value.startswith("-"):  # `NEGATIVE_IDS` let it pass
        raise typer.BadParameter(f"no such option: {value}", ctx=context)
    found, root = urls.post_id(value), state.of(context).load().root
    if found is None:
        raise BadInput(f"{value} is neither an id nor the address of an article", "find ids with `vna search`")
    if Site(root).is_other_edition(value):
        raise BadInput(f"{value} is not an address of {root}, the site of this archive", "find ids with `vna search`")
    return found


def query_text(context: typer.Context, words: list[str]) -> str:
    """Return the query that consists of these arguments; refuse a misspelt option, which `NEGATIVE_IDS` let pass."""
    if misspelt := next((word for word in words if word.startswith("--")), None):
        raise typer.BadParameter(f"no such option: {misspelt}", ctx=context)
    return " ".join(words)


def search_query(context: typer.Context, text: str) -> Query:
    """Parse a query with the synonyms of the configuration.

    Raises:
        BadInput: the query has no search term, or a filter is invalid.

    """
    from crawler import config, query

    synonyms = query.Synonyms(config.load_synonyms(state.of(context).config))
    return query.parse(text, synonyms, today_in_hanoi())


def today_in_hanoi() -> date:
    """Return the present day in Hanoi, where days of publication are counted."""
    from crawler.clock import SystemClock
    from crawler.site import HANOI

    return SystemClock().now().astimezone(HANOI).date()


def period(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    """Return the first and last day of a period in Hanoi; None means no limit.

    Raises:
        BadInput: a value is not a day, month or year, or the period ends before it begins.

    """
    today = today_in_hanoi()
    first = days.period(since, today, "--since ").first if since else None
    last = days.period(until, today, "--until ").last if until else None
    days.check_order(_iso(first), _iso(last), "--")
    return first, last


def iso_period(since: str | None, until: str | None) -> tuple[str | None, str | None]:
    """Return the same as `period`, in ISO 8601."""
    first, last = period(since, until)
    return _iso(first), _iso(last)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def instant(value: str | None, *, end_of_day: bool = False, label: str = "") -> str | None:
    """Return an instant in UTC as the archive stores it; a value without an offset is in UTC.

    A day, month or year without an hour means its first second or, if `end_of_day`, its last one. `label` names the option
    in the message of the error.

    Raises:
        BadInput: the value is not a time.

    """
    from crawler.clock import SystemClock, named_instant

    if value is None:
        return None
    try:
        return named_instant(value, SystemClock().now().date(), end_of_day=end_of_day)
    except ValueError as error:
        raise BadInput(
            f"{label}{value} is not a time", f"write 2026-01-31T08:15:00Z, or a day as {days.FORMS}"
        ) from error


def instants(since: str | None, until: str | None) -> tuple[str | None, str | None]:
    """Return the first and last instant of a period in UTC; `until` without an hour means the end of its day.

    Raises:
        BadInput: a value is not a time, or the period ends before it begins.

    """
    first, last = instant(since, label="--since "), instant(until, end_of_day=True, label="--until ")
    days.check_order(first, last, "--")
    return first, last


def times(as_of: str | None, known_at: str | None) -> dict[str, str | None]:
    """Return the values of --as-of and --known-at as instants in UTC, by the name of the parameter.

    Raises:
        BadInput: a value is not a time.

    """
    return {
        "as_of": instant(as_of, end_of_day=True, label="--as-of "),
        "known_at": instant(known_at, end_of_day=True, label="--known-at "),
    }


def section(archive: Archive, asked: str | None) -> str | None:
    """Return the name of a section as the archive or the site spells it; case and accents are ignored.

    Raises:
        BadInput: neither an article nor a list of the site names such a section.

    """
    from crawler import selection

    return None if asked is None else selection.known("section", [asked], archive.known_section_names())[0]
