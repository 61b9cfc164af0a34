"""Find the time of day in a text: `14:30:05`, `20 h 30`, `8h`, `2:30 PM`, `02:30 CH`, `8h du soir`.

Boundary: text without accents in, values out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

_FLAGS = re.IGNORECASE | re.ASCII
_NO_OFFSET = r"(?<![\w)][+-])(?<![\w)]\s[+-])(?<!(?:GMT|UTC)\s[+-]\s)"  # `GMT+07:00`, `08:30 +07:00`
_CLOCK = re.compile(
    rf"{_NO_OFFSET}(?<![\d:])(?P<hour>\d{{1,2}})\s?(?::|h\.?|g|gio|heures?)\s?(?P<minute>\d{{2}})(?!\d)"
    r"(?:\s?(?::|min|mn|m|phut|')\s?(?P<second>\d{2})(?!\d)(?:[.,]\d+)?(?:\s?s\b)?"
    r"|\s?(?:minutes?|min|mn|m|phut|')(?![a-z]))?(?!:\d)"
    r"|(?<![\d:.,])(?P<alone>\d{1,2})\s?(?:(?:h|g|gio|heures?)(?![a-z\d])(?!\s?\d)|(?=(?:[ap]m|[ap]\.\s?m)\b))",
    _FLAGS,
)
_DOTTED = re.compile(r"(?<![\d.,:])(?P<hour>\d{1,2})\.(?P<minute>\d{2})(?![\d.,:])", _FLAGS)
_HALF_DAYS = tuple(
    (name, re.compile(rf"(?<![a-z]){pattern}(?![a-z])", _FLAGS))
    for name, pattern in (
        ("AM", r"(?:am|a\.\s?m\.?|(?-i:SA))"),
        ("PM", r"(?:pm|p\.\s?m\.?|(?-i:CH))"),
        ("AM", r"(?<=\x02)\s?sa"),
        ("PM", r"(?<=\x02)\s?ch"),
        ("morning", r"(?:sang|du matin|in the morning)"),
        ("midday", r"trua"),
        ("afternoon", r"(?:chieu|de l['’\s]\s?apres[\s-]midi|in the afternoon)"),
        ("evening", r"(?:toi|du soir|in the evening)"),
        ("night", r"(?:dem|de la nuit|at night)"),
    )
)
_NOON = re.compile(r"(?<!apres[\s-])\b(?:midi|noon)\b", _FLAGS)
_MIDNIGHT = re.compile(r"\b(?:minuit|midnight|nua dem)\b", _FLAGS)  # it may be the start or the end of the day
#: For each half-day, the hours that a 12-hour clock shows, with the hours of the day that they mean.
_HOURS: dict[str, dict[int, int]] = {
    "AM": {12: 0} | {hour: hour for hour in range(12)},
    "PM": {12: 12} | {hour: hour + 12 for hour in range(1, 12)},
    "morning": {hour: hour for hour in range(1, 12)},
    "midday": {10: 10, 11: 11, 12: 12, 1: 13, 2: 14},
    "afternoon": {12: 12} | {hour: hour + 12 for hour in range(1, 8)},
    "evening": {hour: hour + 12 for hour in range(4, 12)},
    "night": {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 9: 21, 10: 22, 11: 23},
}
#: The hours of a 24-hour clock that agree with a half-day.
_AGREES = {
    "PM": range(13, 24),
    "midday": range(13, 15),
    "afternoon": range(13, 20),
    "evening": range(16, 24),
    "night": range(21, 24),
}


@dataclass(frozen=True, slots=True)
class StatedClock:
    """The time of day in a text.

    `clock` is None if the text states none, or, with a `doubt`, if it is impossible or unclear. A doubt with a clock
    is something to report. In `rest`, the text without the time, U+0002 stands for each clock.
    """

    clock: time | None
    rest: str
    doubt: str | None = None


def find(text: str) -> StatedClock:
    """Return the time of day in `text`."""
    text = _MIDNIGHT.sub("24:00", _NOON.sub("12:00", text))
    matches = list(_CLOCK.finditer(text)) or list(_DOTTED.finditer(text))
    rest = text
    for match in reversed(matches):
        rest = f"{rest[: match.start()]}\x02{rest[match.end() :]}"
    halves, rest = _half_days(rest)
    if not matches:
        return StatedClock(None, rest, "it states a half-day without a time" if halves & {"AM", "PM"} else None)
    parts = {_parts(match) for match in matches}
    if len(parts) > 1 or len(halves) > 1:
        return StatedClock(None, rest, "it states several times of day")
    (hour, minute, second), half = next(iter(parts)), next(iter(halves), None)
    doubt = None
    if half is not None and hour in _HOURS[half]:
        hour = _HOURS[half][hour]
    elif half is not None and hour in _AGREES.get(half, ()):
        doubt = f"{hour} is no hour of a 12-hour clock" if half == "PM" else None
    elif half is not None:
        return StatedClock(None, rest, f"the hour {hour} contradicts the half-day")
    try:
        return StatedClock(time(hour, minute, second), rest, doubt)
    except ValueError:
        return StatedClock(None, rest, "the time of day is impossible")


def _half_days(text: str) -> tuple[set[str], str]:
    """Return the half-days that `text` states, and the text without them."""
    found = set()
    for name, pattern in _HALF_DAYS:
        text, count = pattern.subn(" ", text)
        if count:
            found.add(name)
    return found, text


def _parts(match: re.Match[str]) -> tuple[int, int, int]:
    parts = match.groupdict()
    return int(parts["hour"] or parts.get("alone") or 0), int(parts["minute"] or 0), int(parts.get("second") or 0)
