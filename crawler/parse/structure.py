"""Recognise the agency's conventions in plain text: dateline, signature, photo credit.

Their known forms are those in dossier section 16 and in the sample articles in `seeds/`.

Boundary: reads strings, changes none.
"""

from __future__ import annotations

import re

from crawler.types import Dateline

_AGENCY = r"(?:[A-ZĐ][A-Za-z.]{1,11}/){0,2}(?:VNA|AVI)(?:/[A-Z]{2,5}){0,2}"

# `Hanoï (VNA) -`, `Paris, 19 septembre (VNA) -`, `Hanoï(VNA)`, `Hanoi, le 5 octobre (AVI) –`, `(VNA) -`
_DATELINE = re.compile(
    rf"""\s*
    (?P<where>[^\W\d_][^()\n]{{0,90}}?)?\s*
    \(\s*(?P<agency>{_AGENCY})\s*\)
    """,
    re.VERBOSE,
)
# A place consists of capitalised words and these; any other text before `(VNA)` is a sentence that mentions the agency.
_PARTICLES = frozenset("de du des la le les l d et en sur à au aux sous - – / &".split())

# `VNA` at the end is a signature after a dash, in a composite (`CPV/VNA`), glued to a full stop (`dongs.VNA`), or alone
# in its paragraph. Otherwise it may be the last word of a sentence.
_SIGNATURE = re.compile(
    rf"""(?:
        (?P<dashed>[-–—‑]\s*{_AGENCY})
      | (?<=[\s.…!?»”"])(?P<composite>(?:[A-ZĐ][A-Za-z]{{1,11}}/){{1,2}}VNA)
      | (?<=[.…!?»”"])(?P<glued>VNA|AVI)
      | ^(?P<alone>{_AGENCY})
    )[\s.]*$""",
    re.VERBOSE,
)

# `Photo : VNA`, `Photo: VNA`, `(Photo : VNA)`, `(Source: customsnews)`, `Photo d'illustration : East Asia Forum`
_CREDIT = re.compile(
    r"""(?:^|(?<=[\s.,;:…!?»”")(\[]))
    (?:photos?|photographie|source|crédit|credit|image|illustration)
    (?:\s+(?:d['’]\s?illustration|d['’]\s?archives?|illustrative|crédit|source))?
    \s*[:：]\s*
    (?P<credit>[^:：]{1,60}?)
    \s*[).\]]*\s*$""",
    re.VERBOSE | re.IGNORECASE,
)


def dateline(paragraph: str) -> Dateline | None:
    """Return the dateline (place, date, agency) at the start of `paragraph`; None if there is none.

    The text between the place and the agency is a date only if it contains a digit. So the place in
    `Paris, France (VNA)` is `Paris, France`.
    """
    match = _DATELINE.match(paragraph.lstrip())
    if match is None:
        return None
    where = (match["where"] or "").strip(" ,\u00a0")
    place, comma, rest = where.partition(",")
    if not (comma and any(c.isdigit() for c in rest)):
        place, rest = where, ""
    if not _is_place(place):
        return None
    return Dateline(place.strip() or None, rest.strip(" ,\u00a0") or None, match["agency"])


def _is_place(text: str) -> bool:
    words = re.split(r"[\s'’,]+", text.strip())
    return all(word[:1].isupper() or word in _PARTICLES for word in words if word)


def signature(paragraph: str) -> str | None:
    """Return the signature at the end of `paragraph`, verbatim (`-VNA`, `– VNA`, `CPV/VNA`); None if there is none."""
    match = _SIGNATURE.search(paragraph)
    if match is None:
        return None
    return next(group for group in match.groups() if group is not None)


def credit(caption: str | None) -> str | None:
    """Return the photo credit in a caption, without `Photo :` and brackets; None if the caption has no credit."""
    match = _CREDIT.search(caption or "")
    return match["credit"].strip() if match else None
