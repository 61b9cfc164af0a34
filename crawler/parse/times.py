"""Read times from a page and choose the most trusted one.

Order of trust (dossier section 15): `article:published_time`, `data-time`, `time[datetime]`, JSON-LD, visible text. The
fetch time is never used as the time of an article. The site's time zone is +07:00 all year, so a time without an offset
is taken as Hanoi time.

Boundary: strings in, strings out. The fetch time is an argument; the clock is not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crawler.site import HANOI

_ISO = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?\s*",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\s*(\d{9,10})(?:\.\d+)?\s*|\s*(\d{12,13})\s*")
_CLOCK = r"(\d{1,2})\s?[:hH]\s?(\d{2})"
_VISIBLE = re.compile(
    rf"(?:{_CLOCK}\D{{1,12}})?\b(\d{{1,2}})(?:[/.-](\d{{1,2}})[/.-]|(?:er)?\s+([a-zéû]{{3,9}})\.?\s+)(\d{{4}})\b"
    rf"(?:\D{{0,8}}?{_CLOCK})?",
    re.IGNORECASE,
)
_MONTHS = ("janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc")
_YEARS = range(1990, 2101)  # no article on the site can have a year outside this range
_TOLERANCE = timedelta(seconds=90)  # visible times and some attributes have no seconds
_FUTURE = timedelta(minutes=10)  # allows for clock differences


@dataclass(frozen=True, slots=True)
class DateCandidate:
    """One time on a page: the place where it was found (`source`) and the verbatim string (`raw`)."""

    source: str
    raw: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen time (`iso`), its verbatim string (`raw`), its source, and the problems found.

    The first three are None if no time was found. `iso` is in ISO 8601. Its offset is the one on the page or, if the
    page states none, that of Hanoi.
    """

    iso: str | None = None
    raw: str | None = None
    source: str | None = None
    problems: tuple[str, ...] = ()


def instant(raw: str) -> datetime | None:
    """Return the time that the string `raw` states; None if it is not a valid time.

    Accepted: ISO 8601 (offset with or without colon, or no offset), epoch seconds or milliseconds, and visible dates
    such as `29/04/2025 14:30` or `29 avril 2025`. An offset is kept. Epoch numbers and times without an offset are
    returned in Hanoi time.
    """
    try:
        if match := _ISO.fullmatch(raw):
            return _plausible(_from_iso(match))
        if match := _EPOCH.fullmatch(raw):
            seconds = int(match[1]) if match[1] else int(match[2]) / 1000
            return _plausible(datetime.fromtimestamp(seconds, HANOI))
        if match := _VISIBLE.search(raw):
            return _plausible(_from_visible(match))
    except (ValueError, OverflowError, OSError):
        return None  # well-formed but impossible, such as month 13
    return None


def choose(candidates: Sequence[DateCandidate], fetched_at: datetime, *, what: str = "published_at") -> Chosen:
    """Return the first valid time of `candidates`, which are sorted by trust, the most trusted one first.

    Invalid candidates, candidates that disagree with the chosen time, and a chosen time later than the fetch are
    reported as problems of the field `what`. If no candidate is valid, the result contains only problems.
    """
    problems: list[str] = []
    read: list[tuple[DateCandidate, datetime]] = []
    for candidate in candidates:
        if not candidate.raw.strip():
            continue
        when = instant(candidate.raw)
        if when is None:
            problems.append(f"{what}: {candidate.source} is no time: {candidate.raw.strip()[:60]!r}")
        else:
            read.append((candidate, when))
    if not read:
        return Chosen(problems=(*problems, f"{what}: none on the page"))
    (best, when), *others = read
    for other, differs in others:
        if not _agree(when, differs, other.raw):
            problems.append(f"{what}: {best.source} says {when.isoformat()}, {other.source} says {differs.isoformat()}")
    if when > fetched_at + _FUTURE:
        problems.append(
            f"{what}: {when.isoformat()} is later than the fetch ({fetched_at.astimezone(UTC).isoformat()})"
        )
    return Chosen(when.isoformat(), best.raw.strip(), best.source, tuple(problems))


def _from_iso(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    offset = match[7]
    if offset is None:
        zone = HANOI
    else:
        zone_text = "+00:00" if offset in "Zz" else offset
        zone_hours = zone_text if ":" in zone_text else f"{zone_text[:3]}:{zone_text[3:]}"
        return datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone_hours}")
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _from_visible(match: re.Match[str]) -> datetime:
    """Convert a visible time, such as `29/04/2025 - 14:30`, `14:30 29/04/2025` or `29 avril 2025 à 14h30`.

    It is unknown in which form the French site shows times (dossier section 5).
    """
    before_hour, before_minute, day, month, name, year, hour, minute = match.groups()
    if name is not None:
        month = next((i for i, m in enumerate(_MONTHS, start=1) if name.lower().startswith(m)), 0)
    clock = (hour, minute) if hour else (before_hour, before_minute)
    return datetime(int(year), int(month), int(day), int(clock[0] or 0), int(clock[1] or 0), tzinfo=HANOI)


def _plausible(when: datetime) -> datetime | None:
    return when if when.year in _YEARS else None


def _agree(one: datetime, other: datetime, other_raw: str) -> bool:
    if abs(one - other) <= _TOLERANCE:
        return True
    date_only = ":" not in other_raw and not _EPOCH.fullmatch(other_raw)
    return date_only and one.astimezone(HANOI).date() == other.astimezone(HANOI).date()
