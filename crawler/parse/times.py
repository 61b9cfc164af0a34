"""When an article was published: every candidate on the page, by order of trust.

Dossier 15: `article:published_time` > `data-time` > `time[datetime]` > JSON-LD > visible text; never the fetch time.
The site's zone is +07:00 all year, so an instant without an offset is Hanoi time.

Boundary: strings in, strings out; the only "now" is the fetch time that the caller passes in.
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
_YEARS = range(1990, 2101)  # what lies outside was never an article of a web site
_TOLERANCE = timedelta(seconds=90)  # visible times and some attributes leave out the seconds
_FUTURE = timedelta(minutes=10)  # clocks differ


@dataclass(frozen=True, slots=True)
class Candidate:
    """One statement of a time: where it stood, and the string as it stood there."""

    source: str
    raw: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The time that is believed (ISO 8601 with the site's offset), where it came from, and what disagrees."""

    iso: str | None = None
    raw: str | None = None
    source: str | None = None
    problems: tuple[str, ...] = ()


def instant(raw: str) -> datetime | None:
    """Read one time: ISO 8601 (offset with or without colon, or none), epoch seconds or milliseconds, `dd/mm/yyyy`.

    An offset is kept; epoch numbers and times without an offset come out in Hanoi time. None when it is no time.
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
        return None  # digits of the right shape that are no date, such as a 13th month
    return None


def choose(candidates: Sequence[Candidate], fetched_at: datetime, *, what: str = "published_at") -> Chosen:
    """Choose among candidates given in order of trust; what cannot be read, disagrees or lies ahead is a problem."""
    problems: list[str] = []
    read: list[tuple[Candidate, datetime]] = []
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
    """Read `29/04/2025 - 14:30`, `14:30 29/04/2025`, `29 avril 2025 à 14h30`; the site's wording is unknown."""
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
