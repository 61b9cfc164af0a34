"""Read one time that a site writes: ISO 8601, RFC 822, epoch numbers, and dates in French, English and Vietnamese.

A time without a zone is in Hanoi time, and `05/11/2026` is the fifth of November (dossier section 15). A text that is
not a time as a whole, or that contradicts itself, gives no time but a `Doubt`: a wrong time is worse than none.

Boundary: strings in, values out; the clock is not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum

from crawler.site import HANOI


class Doubt(StrEnum):
    """Why a text gives no time. The value is for code."""

    NOT_A_TIME = "not-a-time"
    IMPOSSIBLE = "impossible"  # such as 31 February
    MONTH_FIRST = "month-first"  # 11/20/2026 can only have the month first, so 05/11/2026 may have it, too
    HALF_DAY = "half-day"  # such as 14:30 a.m.
    ZONE = "zone"  # a name that is unknown or has several meanings
    YEAR = "year"  # outside the years of the site, or with two digits between slashes


_MAX_LENGTH = 120  # characters
_YEARS = range(1990, 2101)  # no article of the site can have a year outside this range
_MAX_OFFSET = timedelta(hours=14)

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?)?")
_EPOCH = re.compile(r"(\d{9,10})(?:\.\d+)?|(\d{12,13})")
_MONTHS = (
    "jan janv january janvier", "feb febr february févr fév fevr février fevrier", "mar march mars", "apr april avr avril",
    "may mai", "jun june juin", "jul july juil juillet", "aug august août aout", "sep sept september septembre",
    "oct october octobre", "nov november novembre", "dec december déc décembre decembre",
)  # fmt: skip
_MONTH_NUMBERS = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
_MONTH = "|".join(sorted(_MONTH_NUMBERS, key=len, reverse=True))
_HALF_DAYS = {
    "am": 0, "a.m.": 0, "a.m": 0, "sa": 0, "sáng": 0, "du matin": 0,
    "pm": 12, "p.m.": 12, "p.m": 12, "ch": 12, "chiều": 12, "tối": 12, "de l'après-midi": 12, "du soir": 12,
}  # fmt: skip
_HALF_DAY = "|".join(re.escape(name) for name in sorted(_HALF_DAYS, key=len, reverse=True))
#: Hours from UTC. RFC 822 defines the American names. Names with several meanings, such as IST, are left out.
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "ict": 7, "wib": 7, "asia/ho_chi_minh": 7, "asia/saigon": 7,
    "asia/hanoi": 7, "asia/bangkok": 7, "indochina time": 7, "giờ hà nội": 7, "giờ việt nam": 7, "heure de hanoi": 7,
    "heure de hanoï": 7, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "bst": 1, "west": 1, "cet": 1, "met": 1, "cest": 2, "mest": 2, "eet": 2, "eest": 3, "msk": 3, "hkt": 8, "sgt": 8,
    "jst": 9, "kst": 9, "aest": 10, "aedt": 11,
}  # fmt: skip

_DATE = re.compile(
    rf"""(?P<y1>\d{{4}})(?P<separator>[-/.])(?P<m1>\d{{1,2}})(?P=separator)(?P<d1>\d{{1,2}})(?!\d)
    |(?P<y2>\d{{4}})(?P<m2>\d{{2}})(?P<d2>\d{{2}})(?=t|$)
    |(?P<d3>\d{{1,2}})(?P<slash>[-/.])(?P<m3>\d{{1,2}})(?P=slash)(?P<y3>\d{{4}}|\d{{2}})(?!\d)
    |(?P<d4>\d{{1,2}})\s?(?:er|st|nd|rd|th)?[-\s.]\s?(?P<n4>{_MONTH})\b\.?[-\s,.]\s?(?P<y4>\d{{4}}|\d{{2}})(?![\d:])
    |(?P<d5>\d{{1,2}})\s?tháng\s(?P<m5>\d{{1,2}})(?:,|\snăm)?\s(?P<y5>\d{{4}})(?!\d)
    |(?!mar\.?,?\s\d{{1,2}}(?:er)?[-\s](?:{_MONTH})\b)(?P<n6>{_MONTH})\b\.?\s(?P<d6>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,?\s(?P<y6>\d{{4}})(?![\d:]))?""",
    re.VERBOSE,
)
_CLOCK = re.compile(
    rf"""(?:(?P<hour>\d{{1,2}})\s?[:h]\s?(?P<minute>\d{{2}})(?:\s?[:m]\s?(?P<second>\d{{2}})(?:[.,]\d{{1,9}})?s?)?
    |(?P<compact>\d{{2}})(?P<minute2>\d{{2}})(?P<second2>\d{{2}})(?=[z+-]|$)|(?P<whole>\d{{1,2}})\s?h)
    (?![\d:])(?:\s?(?P<half>{_HALF_DAY})(?![\w.]))?""",
    re.VERBOSE,
)
_ZONE = re.compile(
    r"(?P<prefix>(?:gmt|utc|ut)\s?)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?![\d/.:])"
    r"|(?P<name>asia/\w+|indochina time|giờ \w+ \w+|heure de \w+|[a-z]{1,5})(?![\w/+])"
)
_YEAR = re.compile(r"(\d{4})(?!\d)")
_COMMENT = re.compile(r"\(([^()]*)\)$|\[([^\[\]]*)\]$")  # such as `(ICT)`, or `[Asia/Ho_Chi_Minh]` of Java
_WEEKDAYS = (
    "mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday lundi mardi "
    "mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim"
).split()
_TUESDAY = rf"mar(?=\.?,?\s\d{{1,2}}(?:er)?[-\s](?:{_MONTH})\b)"  # `mar` is also March
_VIETNAMESE_DAY = r"thứ (?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ nhật"
_WEEKDAY = re.compile(
    rf"(?:{'|'.join(sorted(_WEEKDAYS, key=len, reverse=True))}|{_TUESDAY}|{_VIETNAMESE_DAY})(?!\w)\.?"
)
_FILLER = re.compile(r"(?:t(?=\d)|(?:à|at|le|on|ngày|lúc)(?!\w)|[\s,|;–—]|-(?!\d))+")


@dataclass(slots=True)
class _Parts:
    """The parts of a time that were found so far."""

    date: tuple[int | None, int, int] | None = None  # year, month, day
    clock: tuple[int, int, int] | None = None
    zone: tzinfo | None = None


class _DoubtfulError(Exception):
    def __init__(self, doubt: Doubt) -> None:
        super().__init__(doubt)
        self.doubt = doubt


def read_instant(text: str) -> tuple[datetime | None, Doubt | None]:
    """Return the time that `text` states, and None; or None, and why there is no time.

    A stated offset is kept. Epoch numbers and times without a zone are returned in Hanoi time. A date alone is the
    beginning of that day.
    """
    try:
        return _iso(text) or _read(" ".join(unicodedata.normalize("NFC", text).split()).lower()), None
    except _DoubtfulError as error:
        return None, error.doubt


def _iso(text: str) -> datetime | None:
    """Return the time in the most frequent form, which Python reads far faster; None for all other texts."""
    text = text.strip()
    try:
        when = datetime.fromisoformat(text).replace(microsecond=0) if _ISO.fullmatch(text) else None
    except ValueError:
        return None
    return _in_range(when if when.tzinfo else when.replace(tzinfo=HANOI)) if when is not None else None


def _read(text: str) -> datetime:
    if not text or len(text) > _MAX_LENGTH:
        raise _DoubtfulError(Doubt.NOT_A_TIME)
    if match := _EPOCH.fullmatch(text):
        seconds = int(match[1]) if match[1] else int(match[2]) / 1000
        return _in_range((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(HANOI))
    comment = _COMMENT.search(text)
    parts = _parts(text[: comment.start()] if comment else text)
    if comment and parts.zone is None and parts.clock is not None:
        inside = (comment[1] or comment[2] or "").strip()
        if _take_zone(parts, inside, 0) != len(inside):
            raise _DoubtfulError(Doubt.ZONE)
    year, month, day = parts.date or (None, 0, 0)
    if year is None:
        raise _DoubtfulError(Doubt.NOT_A_TIME)
    hour, minute, second = parts.clock or (0, 0, 0)
    try:
        return _in_range(datetime(year, month, day, hour, minute, second, tzinfo=parts.zone or HANOI))
    except (ValueError, OverflowError) as error:
        raise _DoubtfulError(Doubt.IMPOSSIBLE) from error


def _in_range(when: datetime) -> datetime:
    if when.year not in _YEARS:
        raise _DoubtfulError(Doubt.YEAR)
    return when


def _parts(text: str) -> _Parts:
    """Read date, clock time and zone, in any order that is in use; nothing else may be in the text."""
    parts, at = _Parts(), 0
    while at < len(text):
        end = next((end for step in _STEPS if (end := step(parts, text, at)) is not None), None)
        if end is None:
            raise _DoubtfulError(Doubt.NOT_A_TIME)
        at = end
    return parts


def _take_date(parts: _Parts, text: str, at: int) -> int | None:
    match = _DATE.match(text, at) if parts.date is None else None
    if match is None:
        return None
    found = {name[0]: value for name, value in match.groupdict().items() if value and name[-1].isdigit()}
    month = _MONTH_NUMBERS[found["n"]] if "n" in found else int(found["m"])
    day = int(found["d"])
    if match["m3"] and month > 12 >= day:
        raise _DoubtfulError(Doubt.MONTH_FIRST)
    year = int(found["y"]) if "y" in found else None
    if year is not None and len(found["y"]) == 2:
        if match["y3"]:
            raise _DoubtfulError(Doubt.YEAR)
        year += 2000 if year < 50 else 1900  # RFC 2822, section 4.3
    parts.date = (year, month, day)
    return match.end()


def _take_clock(parts: _Parts, text: str, at: int) -> int | None:
    match = _CLOCK.match(text, at) if parts.clock is None else None
    if match is None:
        return None
    hour = int(match["hour"] or match["compact"] or match["whole"])
    minute, second = int(match["minute"] or match["minute2"] or 0), int(match["second"] or match["second2"] or 0)
    if match["half"]:
        hour = _of_half_day(hour, _HALF_DAYS[match["half"]])
    parts.clock = (hour, minute, min(second, 59) if second == 60 else second)  # 60: a leap second
    return match.end()


def _of_half_day(hour: int, half: int) -> int:
    if 1 <= hour <= 12:
        return hour % 12 + half
    if half and 12 < hour < 24:
        return hour  # `14:30 CH` says the same twice
    raise _DoubtfulError(Doubt.HALF_DAY)


def _take_zone(parts: _Parts, text: str, at: int) -> int | None:
    match = _ZONE.match(text, at) if parts.clock is not None else None
    if match is None:
        return None
    if parts.zone is not None:
        raise _DoubtfulError(Doubt.ZONE)
    if match["name"]:
        if match["name"] not in _ZONES:
            raise _DoubtfulError(Doubt.ZONE)
        offset = timedelta(hours=_ZONES[match["name"]])
    else:
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        offset = -offset if match["sign"] == "-" else offset
    if abs(offset) > _MAX_OFFSET or int(match["minutes"] or 0) > 59:
        raise _DoubtfulError(Doubt.ZONE)
    parts.zone = HANOI if offset == timedelta(hours=7) else timezone(offset)
    return match.end()


def _take_year(parts: _Parts, text: str, at: int) -> int | None:
    """Read a year at the end, as in `Fri Nov 20 10:00:00 ICT 2026`."""
    if parts.date is None or parts.date[0] is not None or (match := _YEAR.match(text, at)) is None:
        return None
    parts.date = (int(match[1]), *parts.date[1:])
    return match.end()


def _skip_words(_parts: _Parts, text: str, at: int) -> int | None:
    match = _WEEKDAY.match(text, at) or _FILLER.match(text, at)
    return match.end() if match is not None else None


_STEPS: tuple[Callable[[_Parts, str, int], int | None], ...] = (
    _take_date, _take_clock, _take_year, _skip_words, _take_zone,
)  # fmt: skip
