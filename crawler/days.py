"""Days and periods as people write them: `2024-01-31`, `2024-01`, `2024`, `today`, `yesterday`, `3d`.

Boundary: pure. Text and the present day in, days out.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

from crawler.errors import BadInput

FORMS = "2024-01-31, 2024-01, 2024, today, yesterday, or 3d for three days ago"
_DATES = "2024-01-31, 2024-01 or 2024"  # the forms that need no present day
_YEAR = re.compile(r"[0-9]{4}")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_AGO = re.compile(r"([0-9]{1,6})([dw])")
_DAYS = {"today": 0, "yesterday": 1}
_UNIT = {"d": 1, "w": 7}


class NotADay(BadInput):
    """A text names no day, month or year."""


class Period(NamedTuple):
    """A period of whole days; both days are included."""

    first: date
    last: date


def period(text: str, today: date | None, label: str = "") -> Period:
    """Return the period that a text names: a year, a month or a single day.

    `today` is the present day; without it, a period must be named by date. `3d` and `2w` are the days three days and two
    weeks before today. `label` names the option or filter in the message of the error.

    Raises:
        NotADay: the text names no day, month or year.

    """
    try:
        return _period(text.strip().lower(), today)
    except (ValueError, OverflowError) as error:
        raise NotADay(f"{label}{text} is not a day", f"write a day as {_DATES if today is None else FORMS}") from error


def _period(text: str, today: date | None) -> Period:
    if today is not None and (found := _AGO.fullmatch(text)):
        day = today - timedelta(days=int(found[1]) * _UNIT[found[2]])
    elif today is not None and text in _DAYS:
        day = today - timedelta(days=_DAYS[text])
    elif _YEAR.fullmatch(text):
        return Period(date(int(text), 1, 1), date(int(text), 12, 31))
    elif found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
        return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
    else:
        day = date.fromisoformat(text)
    return Period(day, day)


def check_order(since: str | None, until: str | None, dashes: str = "") -> None:
    """Check that a period does not end before it begins. Both are ISO 8601 of one form. `dashes` precede
    the names of options in the message of the error.

    Raises:
        BadInput: the period ends before it begins.

    """
    if since is not None and until is not None and since > until:
        raise BadInput(f"{dashes}since {since} is after {dashes}until {until}", "exchange the two days")
