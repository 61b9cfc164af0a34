"""Read the times that a text states, such as `Mis à jour le 30/08/2024 à 12:40 - Publié le 27/08/2024 à 20:18`.

Accepted are ISO 8601, epoch numbers, the dates of e-mail and HTTP (RFC 822, RFC 850, asctime), and visible dates in
French, English and Vietnamese. A time without a zone is Hanoi time (dossier section 15).

Everything that may change the time must be understood. If something is doubtful, the result says so, and a time that
would be a guess is left out.

Boundary: strings in, values out; the clock is not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Literal

from crawler.parse import written_clocks, written_dates, zones
from crawler.site import HANOI

_ISO_OFFSET = r"\s*(Z|[+-]\d{2}(?::?\d{2})?)?\s*"
_ISO = re.compile(
    rf"\s*(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?:[T\s]+(\d{{1,2}}):(\d{{2}})(?::(\d{{2}})(?:[.,]\d+)?)?)?{_ISO_OFFSET}",
    re.IGNORECASE | re.ASCII,
)
_ISO_BASIC = re.compile(
    rf"\s*(\d{{4}})(\d{{2}})(\d{{2}})(?:T|(?=\d{{6}}(?!\d)))(\d{{2}})(\d{{2}})(?:(\d{{2}})(?:[.,]\d+)?)?{_ISO_OFFSET}",
    re.IGNORECASE | re.ASCII,
)
_ISO_HOUR = re.compile(r"\s*(\d{4}-\d{2}-\d{2}T\d{2})(Z|[+-]\d{2}:?\d{2})?\s*", re.IGNORECASE | re.ASCII)
_EPOCH = re.compile(r"\s*(\d{9,10})(?:\.\d+)?\s*|\s*(?:/Date\()?+(\d{12,13})(?:(?:[+-]\d{4})?\)/)?+\s*", re.ASCII)
_USUAL = re.compile(r"(\d{2})/(\d{2})/(\d{4}) (\d{2}):(\d{2})", re.ASCII)  # in almost every page
_YEARS = range(1990, 2101)  # no article on the site can have a year outside this range
_LONGEST_LABEL = 40
_LONGEST = 300  # characters; a longer text is not the time of an article

# These patterns are for text without accents.
_LABEL = re.compile(
    r"(?P<modified>mise?s? a jour|\bm\.?a\.?j\b|modif|actualis|\brevis|corrig|cap nhat|chinh sua|sua (?:luc|ngay|doi)|updated?\b|edited"
    r"|corrected|\b(?:edit|rectifi|remani|amend)ee?s?(?=\s?:?\s?(?:le\b|a\b|\d))|\bcompletee?s? (?:le|a)\b|\b(?:amended|changed)\b)"
    r"|(?P<published>publi[eces]|publish|\bparue?s?\b|\bpost(?:ed|e|ee)?\b|mise?s? en ligne|\bdang\b|xuat ban)"
    r"|(?P<written>\bcreated|\bcreee?\b|\b(?:redige|ecrit|soumis)e?s?(?=\s?:?\s?(?:le\b|a\b|\d)))",
    re.IGNORECASE | re.ASCII,
)
_LABEL_ALONE = re.compile(
    r"(?:[^a-z\d]|\b(?:mise?s?|a|jour|en|ligne|la|le|de|du|date|heure|derniere?|premiere?|last|first|on|at|ngay|luc|lan|cuoi|cap|nhat"
    r"|chinh|sua|doi|xuat|ban|dang|maj"
    r"|(?:publi|modif|actualis|revis|corr|paru|post|cre|updat|edit|rectifi|remani|amend)[a-z]*+)\b)++",
    re.IGNORECASE | re.ASCII,
)
_ASCTIME = re.compile(
    r"\b([a-z]{3})\s+(\d{1,2})\s+(\d{1,2}:\d{2}(?::\d{2})?)\s+((?:[a-z]{1,5}|[+-]\d{4})\s+)?(\d{4})\b",
    re.IGNORECASE | re.ASCII,
)
# `il y a 2 heures`, `2 giờ trước`: such a time depends on when the page was made.
_RELATIVE = re.compile(
    r"\b(?:il y a|depuis|cach day)\s+\d+\s*[a-z]+|\b\d+\s*[a-z]+\s+(?:ago|truoc)\b", re.IGNORECASE | re.ASCII
)
_LOOK_ALIKE = str.maketrans({"’": "'", "\u2044": "/", "\u2215": "/", "\u2236": ":", "\ua789": ":"})
# Figures that are neither followed by a word (`3 min`, `1 234 vues`) nor part of one.
_UNREAD_FIGURES = re.compile(r"(?<![a-z])\d[\d.,:/-]*+(?!\s?\d*\s?[a-z])", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class TimeText:
    """The times in a text.

    Attributes:
        published: the time of publication, or the only time if the text does not say what it is; None if there is none.
        modified: the time that the text calls a change; None if there is none.
        has_date: whether the text contains a date, even if it is impossible.
        has_clock: whether the text states a time of day.
        doubts: what is unclear. If this leaves no certain time, the times are None.

    """

    published: datetime | None = None
    modified: datetime | None = None
    has_date: bool = False
    has_clock: bool = False
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a text: its label (`Publié le`), if it has one, and what it states."""

    label: str | None
    day: date | None
    clock: time | None
    zone: timezone | None
    doubts: tuple[str, ...]
    has_date: bool

    def moment(self, day: date | None = None) -> datetime | None:
        """Return the time of this part, which is on `day` if the part has no date; None if it is not certain."""
        day = self.day if self.has_date else day
        if day is None or self.zone is None or day.year not in _YEARS:
            return None
        if self.clock is None:
            return datetime.combine(day, time(), HANOI)
        return datetime.combine(day, self.clock, self.zone).astimezone(HANOI)


@lru_cache(maxsize=1 << 8)  # one page states the same time at several places
def read(raw: str) -> TimeText:
    """Return the times that the string `raw` states."""
    if (match := _USUAL.fullmatch(raw)) and (when := _from_usual(match)) is not None:
        return _certain(when, has_clock=True)
    if match := _ISO_HOUR.fullmatch(raw):
        raw = f"{match[1]}:00{match[2] or ''}"
    for pattern in (_ISO, _ISO_BASIC):
        if match := pattern.fullmatch(raw):
            return _certain(_from_iso(match), has_clock=match[4] is not None)
    if match := _EPOCH.fullmatch(raw):
        return _certain(_from_epoch(match), has_clock=True)
    return _from_text(raw) if len(raw) <= _LONGEST else TimeText()


def _certain(when: datetime | None, *, has_clock: bool) -> TimeText:
    return TimeText(when, None, has_date=True, has_clock=has_clock)


def label(text: str) -> Literal["published", "modified"] | None:
    """Return what the last label in `text`, such as `Mis à jour le`, says about a time after it; None without a label."""
    found = list(_LABEL.finditer(_without_accents(text[-_LONGEST:])))
    return ("modified" if found[-1]["modified"] else "published") if found else None


def is_label(text: str) -> bool:
    """Whether `text` consists of nothing but a label: `Mis à jour le`, but not `La loi est modifiée`."""
    return len(text) <= _LONGEST_LABEL and _LABEL_ALONE.fullmatch(_without_accents(text)) is not None


def _from_iso(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    offset = (match[7] or "+07:00").upper().replace("Z", "+00:00").replace(":", "").ljust(5, "0")
    try:
        zone = datetime.fromisoformat(f"2000-01-01T00:00{offset[:3]}:{offset[3:]}").tzinfo if match[7] else HANOI
        when = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    if when.year not in _YEARS or abs(when.utcoffset() or timedelta()) > zones.FARTHEST:
        return None
    return when


def _from_usual(match: re.Match[str]) -> datetime | None:
    """Return a time as the site shows it; None if it is not certain, so that it must be read like any other text."""
    day, month, year, hour, minute = map(int, match.groups())
    try:
        when = datetime(year, month, day, hour, minute, tzinfo=HANOI)
    except ValueError:
        return None
    return when if when.year in _YEARS else None


def _from_epoch(match: re.Match[str]) -> datetime | None:
    when = datetime.fromtimestamp(int(match[1]) if match[1] else int(match[2]) / 1000, HANOI)
    return when if when.year in _YEARS else None


def _from_text(raw: str) -> TimeText:
    text = _without_accents(raw)
    parts = [_part(label, part) for label, part in _labelled(_ASCTIME.sub(r"\2 \1 \5 \3 \4", _RELATIVE.sub(" ", text)))]
    doubts = [doubt for part in parts for doubt in part.doubts]
    changes = [part for part in parts if part.label == "modified"]
    others = [part for part in parts if part not in changes and part.has_date]
    if any(part.label == "published" for part in others):
        others = [part for part in others if part.label != "written"]
    published = _only({part.moment() for part in others}, doubts)
    day = published.date() if published else None
    modified = _only({part.moment(day) for part in changes if part.has_date or part.clock}, doubts)
    if published and modified and modified < published:
        doubts.append("the change is earlier than the publication")
    has_date, has_clock = any(part.has_date for part in parts), any(part.clock for part in parts)
    return TimeText(published, modified, has_date, has_clock, tuple(dict.fromkeys(doubts)))


def _only(times: set[datetime | None], doubts: list[str]) -> datetime | None:
    """Return the only element of `times`; None, with a doubt, if there are several."""
    if len(times) > 1:
        doubts.append("it states several times")
        return None
    return next(iter(times), None)


def _labelled(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield the parts of `text`, each with its label: `modified`, `published`, `written`, or None before the first label."""
    labels = list(_LABEL.finditer(text))
    cuts = [0, *(end for label in labels for end in label.span()), len(text)]
    between = [text[start:end] for start, end in zip(cuts[::2], cuts[1::2], strict=True)]
    names = [label.lastgroup for label in labels]
    if names and written_dates.find(between[0]) and not _states_time(between[-1]):
        between.pop()  # the labels follow their times: `27/08/2024 (publié)`
        yield from zip(names, between, strict=True)
    elif names and not written_dates.find(between[0]):
        yield names[0], f"{between[0]} {between[1]}"  # `08:30, publié le 27/08/2024`
        yield from zip(names[1:], between[2:], strict=True)
    else:
        yield from zip([None, *names], between, strict=True)


def _states_time(text: str) -> bool:
    return bool(written_dates.find(text)) or written_clocks.find(text).clock is not None


def _part(label: str | None, text: str) -> _Part:
    dates = written_dates.find(text)
    rest = text
    for written in reversed(dates):
        rest = f"{rest[: written.start]}\x01{rest[written.end :]}"
    clock = written_clocks.find(rest)
    zone = zones.find(clock.rest)
    doubts = [doubt for doubt in (clock.doubt, zone.doubt) if doubt and (dates or clock.clock)]
    days = {written.day for written in dates}
    if None in days:
        doubts.append("the date is impossible")
    elif len(days) > 1:
        doubts.append("it states several dates")
    if any(written.wrong_weekday for written in dates):
        doubts.append("the date is on another day of the week")
    if dates and (unread := _UNREAD_FIGURES.search(zone.rest)):
        doubts.append(f"{unread[0]!r} is not understood")
    unclear = clock.doubt is not None and clock.clock is None
    day = next(iter(days)) if len(days) == 1 and not unclear else None
    return _Part(label, day, clock.clock, zone.zone, tuple(doubts), bool(dates))


def _without_accents(text: str) -> str:
    """Return `text` without accents, with plain spaces, hyphens and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(
        c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) not in ("Cf", "Cc")
    )
    return re.sub(r"\s+", " ", re.sub("[\u2010-\u2015\u2212]", "-", plain.translate(_LOOK_ALIKE)))
