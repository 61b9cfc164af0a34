"""Read times from a page and choose the most trusted one.

Order of trust (dossier section 15): `article:published_time`, `data-time`, `time[datetime]`, JSON-LD, visible text. If a
more trusted one is only a day, a time on the same day is chosen. The fetch time is never used as the time of an article.
The strings are read by `time_text`.

Boundary: strings in, strings out. The fetch time is an argument; the clock is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from crawler.parse import time_text
from crawler.parse.time_text import TimeText
from crawler.site import HANOI

_TOLERANCE = timedelta(seconds=90)  # visible times and some attributes have no seconds
_FUTURE = timedelta(minutes=10)  # allows for clock differences
_SHOWN = 80  # characters of a string in a problem


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
    """Return the time that the string `raw` states (see `time_text`); None if it states no time, or not clearly.

    The offset of ISO 8601 is kept. Other times are returned in Hanoi time.
    """
    stated = time_text.read(raw)
    return stated.published or stated.modified


def choose(
    candidates: Sequence[DateCandidate],
    fetched_at: datetime,
    *,
    what: Literal["published_at", "modified_at"] = "published_at",
) -> Chosen:
    """Return the first valid time of `candidates`, which are sorted by trust, the most trusted one first.

    If that is only a day, the first time on the same day is returned.
    Invalid or doubtful candidates, candidates that disagree with the chosen time, and a chosen time later than the
    fetch are reported as problems of the field `what`. If no candidate is valid, the result contains only problems.
    """
    problems: list[str] = []
    read: list[tuple[DateCandidate, datetime, TimeText]] = []
    for candidate in candidates:
        if not candidate.raw.strip():
            continue
        stated = time_text.read(candidate.raw)
        when = stated.published if what == "published_at" else stated.modified or stated.published
        shown = repr(candidate.raw.strip()[:_SHOWN])
        problems += [f"{what}: {candidate.source}: {doubt}: {shown}" for doubt in stated.doubts]
        if when is not None:
            read.append((candidate, when, stated))
        elif not stated.doubts:
            problems.append(f"{what}: {candidate.source} is no time: {shown}")
    if not read:
        return Chosen(problems=(*problems, f"{what}: none on the page"))
    chosen = _most_exact(read)
    best, when, _ = read[chosen]
    others = read[:chosen] + read[chosen + 1 :]
    for other, differs, stated in others:
        if not _agree(when, differs, stated):
            problems.append(f"{what}: {best.source} says {when.isoformat()}, {other.source} says {differs.isoformat()}")
    if when > fetched_at + _FUTURE:
        problems.append(
            f"{what}: {when.isoformat()} is later than the fetch ({fetched_at.astimezone(UTC).isoformat()})"
        )
    return Chosen(when.isoformat(), best.raw.strip(), best.source, tuple(problems))


def _most_exact(read: Sequence[tuple[DateCandidate, datetime, TimeText]]) -> int:
    """Return the index of the first time; if that is only a day, the index of the first time of day on the same day."""
    _, first, stated = read[0]
    if stated.has_clock:
        return 0
    day = first.astimezone(HANOI).date()
    exact = (i for i, (_, when, other) in enumerate(read) if other.has_clock and when.astimezone(HANOI).date() == day)
    return next(exact, 0)


def _agree(one: datetime, other: datetime, stated: TimeText) -> bool:
    if abs(one - other) <= _TOLERANCE:
        return True
    return not stated.has_clock and one.astimezone(HANOI).date() == other.astimezone(HANOI).date()
