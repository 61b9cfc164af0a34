"""Parses the dates of WARC and ARC records, also of records that other programs wrote.

Boundary: text to instant; the caller decides whether the instant is plausible.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

# WARC/1.1 allows a reduced precision (a year, a month, a day, ...) and fractions of 1 to 9 digits; the dates of ARC files
# have no separators. The classes are explicit because `\d` also accepts the digits of other scripts.
_DATE = re.compile(
    r"""(?P<year>[0-9]{4})
    (?:(?P<dash>-?)(?P<month>[0-9]{2})
    (?:(?P=dash)(?P<day>[0-9]{2})
    (?:(?:[Tt\s]\s*)?(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})
    (?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?
    (?:\s*(?:(?P<utc>[Zz]|UTC|GMT)|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?))?
    )?)?)?""",
    re.VERBOSE,
)


def from_warc_date(text: str | None) -> datetime:
    """Return the instant of a WARC-Date or of the date of an ARC record, in UTC.

    A date without a zone is in UTC: the standard requires UTC, and the result must not depend on the zone of this
    machine. Missing parts are the first possible ones, so `2020-03` is the start of that month.

    Raises:
        ValueError: there is no date, or the text is not a valid one.

    """
    match = _DATE.fullmatch((text or "").strip())
    if match is None:
        raise ValueError("no date" if text is None else f"{text[:40]!r} is not a date")
    month, day, hour, minute, second, hours, minutes = (
        int(match[name] or default)
        for name, default in (
            ("month", 1),
            ("day", 1),
            ("hour", 0),
            ("minute", 0),
            ("second", 0),
            ("hours", 0),
            ("minutes", 0),
        )
    )
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if match["sign"] == "-" else 1)
    leap = second == 60  # a leap second is stored as the second before it
    fraction = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    try:
        local = datetime(
            int(match["year"]), month, day, hour, minute, 59 if leap else second, fraction, timezone(offset)
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a date: {error}") from error
