"""Find the dates in a text: in numbers, or with the name of the month in French, English or Vietnamese.

The day comes first in a date in numbers, unless the year does. Nothing is guessed: `11/20/2026` is an impossible date.

Boundary: text without accents in, values out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_FLAGS = re.IGNORECASE | re.ASCII
# A year of two digits is read only before a clock, as in the date of an e-mail: `20 Nov 26 10:00:00`.
_YEAR = r"(?P<year>(?:19|20)\d{2}|\d{2}(?=,?\s+\d{1,2}:\d{2}))(?!\d)"
_ORDINAL = r"(?:\s?er|e|st|nd|rd|th)?"
_GLUED = "janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre"
_PATTERNS = tuple(
    re.compile(pattern, _FLAGS)
    for pattern in (
        r"(?<![\d.,/-])(?P<year>\d{4})\s?[/.-]\s?(?P<month>\d{1,2})\s?[/.-]\s?(?P<day>\d{1,2})(?!\d)",
        r"(?<![\d.,/-])(?P<day>\d{1,2})\s?[/.-]\s?(?P<month>\d{1,2})\s?[/.-]\s?(?P<year>\d{4})(?!\d)",
        r"(?<!\d)(?P<day>\d{1,2})\s+(?:thang\s+|thg\.?\s?(?=\d))(?P<thang>\d{1,2}|muoi\s+mot|muoi\s+hai|[a-z]+)[\s,/-]+(?:nam\s+)?(?P<year>\d{4})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}}){_ORDINAL}[\s./-]+(?:of\s+|de\s+)?(?P<name>[a-z]{{3,9}})[\s.,/-]+{_YEAR}",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:er)?\s?(?P<name>{_GLUED})\s?(?P<year>(?:19|20)\d{{2}})(?!\d)",  # `20novembre 2026`
        rf"\b(?P<name>[a-z]{{3,9}})[.\s]\s*(?P<day>\d{{1,2}}){_ORDINAL}[\s,]+(?P<year>(?:19|20)\d{{2}})(?!\d)",
    )
)
_MONTHS = (
    "janvier january", "fevrier february", "mars march", "avril april", "mai may", "juin june", "juillet july",
    "aout august", "septembre september", "octobre october", "novembre november", "decembre december",
)  # fmt: skip
_THANG = "mot hai ba tu nam sau bay tam chin muoi muoi-mot muoi-hai".split()
_THANG_VARIANTS = {"gieng": 1, "bon": 4, "chap": 12}
_WEEKDAYS = ("lun mon", "mar tue", "mer wed", "jeu thu", "ven fri", "sam sat", "dim sun")
_THU = ("hai 2", "ba 3", "tu 4", "nam 5", "sau 6", "bay 7")
_WEEKDAY = re.compile(
    r"(?:\bthu\s+(?P<thu>hai|ba|tu|nam|sau|bay|[2-7])|(?P<sunday>\bchu\s+nhat)|\b(?P<name>[a-z]{3})[a-z]*)\.?"
    r"[\s,-]*(?:(?:le|the|ngay)\s+)?$",
    _FLAGS,
)


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """One date in a text: its position, its value (None if it is impossible), and whether its weekday is another one."""

    start: int
    end: int
    day: date | None
    wrong_weekday: bool = False


def find(text: str) -> list[WrittenDate]:
    """Return the dates in `text` in their order."""
    found: list[WrittenDate] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not any(match.start() < other.end and other.start < match.end() for other in found):
                found.append(_written(text, match))
    return sorted(found, key=lambda written: written.start)


def _written(text: str, match: re.Match[str]) -> WrittenDate:
    day = _date(match.groupdict())
    weekday = _WEEKDAY.search(text, 0, match.start())
    stated = _weekday(weekday) if weekday else None
    start = weekday.start() if weekday and stated is not None else match.start()
    return WrittenDate(start, match.end(), day, day is not None and stated not in (None, day.weekday()))


def _date(parts: dict[str, str | None]) -> date | None:
    year = int(parts["year"] or 0)
    if year < 100:
        year += 1900 if year >= 70 else 2000  # as in RFC 850
    try:
        return date(year, _month(parts), int(parts["day"] or 0))
    except ValueError:
        return None


def _month(parts: dict[str, str | None]) -> int:
    """Return the number of the month, 1 to 12; another number if the text names no month."""
    if number := parts.get("month"):
        return int(number)
    if thang := parts.get("thang"):
        word = re.sub(r"\s+", "-", thang.lower())
        return int(word) if word.isdigit() else _THANG_VARIANTS.get(word) or _position(word, _THANG)
    name = (parts.get("name") or "").lower()
    return _position(name, _MONTHS)


def _position(name: str, names: tuple[str, ...] | list[str]) -> int:
    """Return the position, from 1, of the only entry of `names` with a word that starts with `name`; 0 if none has."""
    found = [i for i, words in enumerate(names, 1) if any(word.startswith(name) for word in words.split())]
    exact = [i for i, words in enumerate(names, 1) if name in words.split()]
    chosen = exact or found
    return chosen[0] if len(chosen) == 1 else 0


def _weekday(match: re.Match[str]) -> int | None:
    """Return the number of the weekday, 0 for Monday; None if the word before the date is not a weekday."""
    if match["sunday"]:
        return 6
    if match["thu"]:
        return next(i for i, words in enumerate(_THU) if match["thu"].lower() in words.split())
    name = match["name"].lower()
    return next((i for i, words in enumerate(_WEEKDAYS) if name in words.split()), None)
