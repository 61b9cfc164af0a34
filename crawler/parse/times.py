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
_VISIBLE = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b\D{0,6}?(?:(\d{1,2})\s?[:hH]\s?(\d{2}))?")
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
            return _from_iso(match)
        if match := _EPOCH.fullmatch(raw):
            seconds = int(match[1]) if match[1] else int(match[2]) / 1000
            return datetime.fromtimestamp(seconds, HANOI)
        if match := _VISIBLE.search(raw):
            day, month, year = (int(part) for part in match.groups()[:3])
            return datetime(year, month, day, int(match[4] or 0), int(match[5] or 0), tzinfo=HANOI)
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


def _agree(one: datetime, other: datetime, other_raw: str) -> bool:
    if abs(one - other) <= _TOLERANCE:
        return True
    date_only = ":" not in other_raw and not _EPOCH.fullmatch(other_raw)
    return date_only and one.astimezone(HANOI).date() == other.astimezone(HANOI).date()
