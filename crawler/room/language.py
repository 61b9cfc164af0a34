"""The two languages of the pages: which one a request gets, and how it writes numbers, days and times.

Texts are translated by gettext: the English text is the key, `locale/fr/LC_MESSAGES/room.po` has the French one.

Boundary: values in, text out, apart from the translation file, which is read once.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from crawler.site import HANOI

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "room"
#: The archive is in French, so everybody who uses it reads French: it is the language of requests that name neither.
LANGUAGES = ("fr", "en")
_ACCEPTED = re.compile(r"\s*([a-zA-Z]{1,8}|\*)(?:-[a-zA-Z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")
_NARROW_SPACE = "\u202f"


def _(text: str) -> str:
    """Mark a text for translation; it is translated where it is shown."""
    return text


MONTHS = (
    _("January"), _("February"), _("March"), _("April"), _("May"), _("June"), _("July"), _("August"), _("September"),
    _("October"), _("November"), _("December"),
)  # fmt: skip
WEEKDAYS = (
    _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"),
)  # fmt: skip


def choose(asked: Iterable[str | None], accepted: str) -> str:
    """Return the language of a response: the first known one of `asked`, else the best one of Accept-Language."""
    for code in asked:
        if code in LANGUAGES:
            return str(code)
    best, chosen = 0.0, LANGUAGES[0]
    for part in accepted[:1000].split(","):
        match = _ACCEPTED.fullmatch(part)
        if match is None or match[1].lower() not in LANGUAGES:
            continue
        quality = float(match[2] or 1)
        if quality > best:
            best, chosen = quality, match[1].lower()
    return chosen


@cache
def of(code: str) -> Language:
    """Return the language with a code.

    Raises:
        OSError: the installation lacks the translation file.

    """
    if code == "en":
        return Language(code, gettext.NullTranslations())
    return Language(code, gettext.translation(DOMAIN, LOCALE, [code]))


@dataclass(frozen=True)
class Language:
    """One language of the pages."""

    code: str
    translations: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        """Return a text in this language."""
        return self.translations.gettext(message) if message else ""

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Return the form of a text for a number."""
        # In French 0 takes the singular; the rule is in the translation file.
        return self.translations.ngettext(one, many, number)

    def counted(self, one: str, many: str, number: int) -> str:
        """Return the form of a text for a number, with the number in the place of `%(num)s`."""
        return self.ngettext(one, many, number) % {"num": self.number(number)}

    def number(self, value: float) -> str:
        """Return a number with separated thousands: `1 284` (narrow no-break space) or `1,284`."""
        text = f"{value:,}"
        return text.replace(",", _NARROW_SPACE).replace(".", ",") if self.code == "fr" else text

    def month(self, month: str) -> str:
        """Return a month such as `2024-01` in words; any other text unchanged."""
        parsed = _date(f"{month}-01")
        return month if parsed is None else f"{self.gettext(MONTHS[parsed.month - 1])} {parsed.year}"

    def day(self, day: str | None, *, weekday: bool = False) -> str:
        """Return a day such as `2024-01-31` in words; any other text unchanged."""
        parsed = _date(day or "")
        if parsed is None:
            return day or ""
        name = self.gettext(MONTHS[parsed.month - 1])
        number = "1er" if self.code == "fr" and parsed.day == 1 else f"{parsed.day}"
        start = f"{self.gettext(WEEKDAYS[parsed.weekday()])} " if weekday else ""
        return f"{start}{number} {name} {parsed.year}"

    def period(self, period: str) -> str:
        """Return a month or a day in words."""
        return self.day(period) if len(period) == len("2024-01-31") else self.month(period)

    def instant(self, text: str | None) -> str:
        """Return an instant (ISO 8601) in words, in Hanoi time; any other text unchanged."""
        instant = parsed_instant(text)
        if instant is None:
            return text or ""
        return f"{self.day(instant.date().isoformat())}, {self.clock(instant)}"

    def clock(self, instant: datetime) -> str:
        """Return the time of day: `14 h 30` or `14:30`."""
        return f"{instant.hour} h {instant.minute:02}" if self.code == "fr" else f"{instant.hour}:{instant.minute:02}"

    def time_of_day(self, text: str | None) -> str:
        """Return the time of day of an instant (ISO 8601) in Hanoi; an empty string for any other text."""
        instant = parsed_instant(text)
        return "" if instant is None else self.clock(instant)

    def span(self, time: timedelta) -> str:
        """Return a duration with its largest unit, or its two largest units below a week."""
        minutes = max(0, int(time.total_seconds() // 60))
        days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days:
            text = self.ngettext("%(n)s day", "%(n)s days", days) % {"n": self.number(days)}
            return f"{text} {hours} h" if hours and days < 7 else text
        if hours:
            return f"{hours} h {rest:02}" if rest else f"{hours} h"
        return f"{rest} min"


def parsed_instant(text: str | None) -> datetime | None:
    """Return an instant (ISO 8601) in Hanoi time; None if the text is none. A time without an offset is in Hanoi."""
    try:
        instant = datetime.fromisoformat(text or "")
        return (instant if instant.tzinfo else instant.replace(tzinfo=HANOI)).astimezone(HANOI)
    except (ValueError, OverflowError):
        return None


def time_between(first: str | None, last: str | None) -> timedelta | None:
    """Return the time from one instant (ISO 8601) to another; None if either text is not an instant."""
    start, end = parsed_instant(first), parsed_instant(last)
    return None if start is None or end is None else end - start


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
