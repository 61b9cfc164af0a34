"""Find the time zone that a text states after a time.

A zone may be stated as an offset (`+0700`, `GMT+7`), by name (`UTC`, `CEST`), or by place (`heure de Hanoï`). A name that
several zones share, or that is unknown, is not a zone: the time is then unknown, too.

Boundary: text without accents in, values out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta, timezone

from crawler.site import AGENCIES, HANOI

_FLAGS = re.IGNORECASE | re.ASCII
_OFFSET = re.compile(
    r"(?<![a-z\d])(?:(?:UTC|GMT|UT)(?:\s?/\s?(?:UTC|GMT))?\s?(?P<sign>[+-])\s?(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?"
    r"|(?P<bare_sign>[+-])(?P<bare_hours>\d{2})(?::?(?P<bare_minutes>\d{2}))?)(?![\d:])",
    _FLAGS,
)
#: After a clock, an hour of one digit: `+7`, `+7:00`, `+700`. Elsewhere, such figures may be anything.
_SHORT_OFFSET = re.compile(r"(\x02\s?[+-])(\d(?::?\d{2})?)(?![\d:])(?!\s?[a-z])", _FLAGS)
_WRONG_OFFSET = re.compile(r"(?<=\x02)\s?\+\s?[\d:]++(?!\s?[a-z])", _FLAGS)
_WITHOUT_SIGN = re.compile(r"(?<![a-z\d])(?:UTC|GMT|UT)\s?\d{1,2}(?::?\d{2})?(?![\d:])(?!\s?[a-z])", _FLAGS)  # `GMT 7`
#: Hours east of UTC. RFC 822 defines the American names; `BST`, `IST` and others are left out, because they have several
#: meanings. `TU` (temps universel) is French.
_NAMES = {
    "UTC": 0, "GMT": 0, "UT": 0, "TU": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "MET": 1, "CEST": 2, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "ICT": 7, "WIB": 7, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_ANY_CASE = ("UTC", "GMT", "UT", "Z")  # the other names are also words in lower case, such as `est`
_NO_ZONES = (*AGENCIES, "CVN", "VNP", "TTXVN", "H")  # an agency, or the end of `20H`, may also follow a time
_NAME = re.compile(r"(?<![a-z\d/])([a-z]{1,5})(?![a-z\d/])", _FLAGS)
_NAME_AFTER_CLOCK = re.compile(r"\x02\s*+[(\[]?+\s*+([a-z]{1,5})(?![a-z\d/'’+-])", _FLAGS)
_PLACE = re.compile(
    r"\b(?:heures?\s+(?:de\s+l['’]|de\s+|du\s+|d['’])?|gio\s+)(?P<place>[a-z]+(?:[\s-]nam|[\s-]noi|[\s-]phuong)?)"
    r"|\((?P<comment>[a-z\s]+)\s+time\)|\b(?P<region>(?:Asia|Europe|America|Africa|Australia|Pacific)/[a-z_]+)",
    _FLAGS,
)
_HOME = re.compile(
    r"(?:ha[\s-]?noi|viet[\s-]?nam|vn|locale?|dia[\s-]phuong|indochin[ae]"
    r"|asia/(?:ho_chi_minh|saigon|hanoi|bangkok|vientiane|phnom_penh))",
    _FLAGS,
)
#: No zone is farther from UTC.
FARTHEST = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class StatedZone:
    """The zone of a time (Hanoi if the text states none); `zone` is None, with a `doubt`, if it cannot be known.

    `rest` is the text without the zone.
    """

    zone: timezone | None
    rest: str
    doubt: str | None = None


def find(text: str) -> StatedZone:
    """Return the zone in `text`, in which each clock has been replaced by U+0002."""
    zones: list[timezone] = []
    doubt: str | None = None

    def offset(match: re.Match[str]) -> str:
        nonlocal doubt
        sign = match["sign"] or match["bare_sign"]
        hours, minutes = match["hours"] or match["bare_hours"], match["minutes"] or match["bare_minutes"] or 0
        distance = timedelta(hours=int(hours), minutes=int(minutes))
        if distance > FARTHEST or int(minutes) > 59:
            doubt = f"the offset {match[0].strip()!r} is impossible"
        else:
            zones.append(timezone(-distance if sign == "-" else distance))
        return " "

    rest = _OFFSET.sub(offset, _SHORT_OFFSET.sub(r"\g<1>0\2", text))
    if (wrong := _WRONG_OFFSET.search(rest)) is not None:
        doubt = f"the offset {wrong[0].strip()!r} is not understood"
        rest = f"{rest[: wrong.start()]} {rest[wrong.end() :]}"
    if (unsigned := _WITHOUT_SIGN.search(rest)) is not None:
        doubt, rest = f"the offset {unsigned[0]!r} has no sign", f"{rest[: unsigned.start()]} {rest[unsigned.end() :]}"
    names = [m[1] for m in _NAME.finditer(rest) if m[1] in _NAMES or m[1].upper() in _ANY_CASE]
    zones += [timezone(timedelta(hours=_NAMES[name.upper()])) for name in names]
    places = [m["place"] or m["comment"] or m["region"] for m in _PLACE.finditer(rest)]
    zones += [HANOI for place in places if _HOME.fullmatch(place)]
    if not zones and not doubt:
        after = _NAME_AFTER_CLOCK.search(rest)
        unknown = [place for place in places if not _HOME.fullmatch(place)]
        unknown += [after[1]] if after and after[1].isupper() and after[1] not in _NO_ZONES else []
        doubt = f"the time zone {unknown[0]!r} is unknown or ambiguous" if unknown else None
    if len({zone.utcoffset(None) for zone in zones}) > 1:
        doubt = "it states several time zones"
    return StatedZone(None if doubt else next(iter(zones), HANOI), rest, doubt)
