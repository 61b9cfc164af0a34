"""Recognise the agency's conventions in plain text: dateline, signature, photo credit.

Their known forms are those in dossier section 16 and in the sample articles in `seeds/`.

Boundary: reads strings, changes none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from crawler.types import Dateline

_AGENCY = r"(?:[A-ZĐ][A-Za-z.]{1,11}/){0,2}(?:VNA|AVI)(?:/[A-Z]{2,5}){0,2}"

# `Hanoï (VNA) -`, `Paris, 19 septembre (VNA) -`, `Hanoï(VNA)`, `Hanoi, le 5 octobre (AVI) –`, `(VNA) -`
_DATELINE = re.compile(
    rf"""\s*+
    (?P<where>[^\W\d_][^()\n]{{0,90}}?(?:[ ]\((?![^()\n]*(?:VNA|AVI))[^()\n]{{2,30}}\))?)?\s*
    \(\s*(?P<agency>{_AGENCY})\s*\)
    """,
    re.VERBOSE,
)
# Words in names of the agency: `L'Agence Vietnamienne d'Information (VNA)` mentions it, and names no place.
_AGENCY_WORDS = frozenset(
    "agence agency avi information informations news presse press ttxvn vna vietnam+ xã xa".split()
)
# A place consists of capitalised words and these; any other text before `(VNA)` is a sentence that mentions the agency.
_PARTICLES = frozenset("de du des la le les l d et en sur à au aux sous - – / &".split())

# `VNA` at the end is a signature after a dash, in a composite (`CPV/VNA`, `VNA/CVN`), after a full stop, also glued to
# it (`dongs.VNA`), or alone in its paragraph. Otherwise it may be the last word of a sentence. The letters can be torn
# apart (`- VN A`, dossier section 16), and the source of the text can follow.
_LETTERS = r"(?:[A-ZĐ][A-Za-z.]{1,11}/){0,2}(?:V\s?N\s?A|A\s?V\s?I)(?:/[A-Z]{2,5}){0,2}"
_SIGNATURE = re.compile(
    rf"""(?:
        (?P<dashed>(?<![-–—‑‐−])[-–—‑‐−]++\s*+{_LETTERS})
      | (?<=[\s.…!?»”"])(?P<composite>(?:[A-ZĐ][A-Za-z]{{1,11}}/){{1,2}}(?:VNA|AVI)|(?:VNA|AVI)(?:/[A-Z]{{2,5}}){{1,2}})
      | (?<=[.…!?»”"])(?P<glued>{_LETTERS})
      | (?<=[.…!?])[\s»”"]+(?P<apart>\(?{_LETTERS}\)?)
      | ^\s*(?P<alone>\(?{_LETTERS}\)?)
    )[\s./\-–—*\u00ad\u200b-\u200f\u2060\ufeff]*(?:\(\s*[Ss]ource\s*:[^()]*\)[\s.]*)?$""",
    re.VERBOSE,
)
# A paragraph after the signature that names where the text comes from: `source`, `Source : VNA`, `Source : vietnam.vn`,
# `(Source: http://…)`.
_SOURCE_LINE = re.compile(
    r"[\s(]*sources?\b[\s:：]*(?:[^.!?]|\.(?=\w)){0,60}[\s.)]*|[\s(]*sources?\s*[:：]\s*(?:https?://|www\.)\S+\s*",
    re.IGNORECASE,
)

# A footnote after the signature, or the heading of several: `(1) …`, `[2] …`, `1 …`, `¹ …`, `* …`, `NDLR : …`, `Notes :`.
# A note about a correction may follow, too: `Rectificatif : …`, `Erratum - …`, `Cet article a été mis à jour.`
_FOOTNOTE = re.compile(
    r"\s*(?:\(?\s?(?:\d{1,2}|[a-z*])\s?\)|\[\s?\d{1,2}\s?\]|\d{1,2}(?:[.)/:]|\s?[-–—])?(?=\s)|[¹²³⁴-⁹]{1,2}|[*†‡]{1,3}(?=\s?\w)"
    r"|(?:\(\s?)?(?:NDLR|NdlR|N\.?\s?D\.?\s?L\.?\s?R\b|Ndlr|NDT)|Notes?\s*:|Notes$|_+$|-{3,}$"
    r"|(?i:[(\[]?\s?(?:rectificati(?:f|on)s?|corrections?|corrigend(?:um|a)|errat(?:um|a)|mise\s+à\s+jour|m\.?[àa]\.?j\.?|précisions?"
    r"|n\.?\s?b\.?|note\s+de\s+(?:(?:la\s+)?rédaction|l['’]\s?éditeur))(?:\s(?:apportée\s)?(?:du|au|de|le|à)\s[^:\-–—]{1,50})?\s*[:\-–—]"
    r"|[(\[]?\s?(?:cet(?:te)?\s+)?(?:article|dépêche|texte|version)\s+(?:a\s+été\s+)?"
    r"(?:mise?\s+à\s+jour|corrigée?|modifiée?|actualisée?|annule)\b))"
)

# `Photo : VNA`, `Photo: VNA`, `(Photo : VNA)`, `(Source: customsnews)`, `Photo d'illustration : East Asia Forum`
_CREDIT = re.compile(
    r"""(?:^|(?<=[\s.,;:…!?»”")(\[]))
    (?:photos?|photographies?|sources?|cr[ée]dits?|images?|illustrations?|infographies?|graphiques?|cartes?|captures?|ảnh)
    (?:\s+(?:d['’]\s?écran|d['’]\s?illustration|d['’]\s?archives?|illustrative|crédit|source))?
    \s*[:：]\s*
    (?P<credit>[^:：]{1,60}?|https?://[^\s()\[\]]{1,300})
    \s*[).\]]*\s*$""",
    re.VERBOSE | re.IGNORECASE,
)


_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_AROUND = f" ,\u00a0{_INVISIBLE}"  # a place or a date
_BEFORE_CREDIT = '.…!?,;:»”")([-–—'
_LAST_PARAGRAPHS = 40  # that can hold the signature, the source and footnotes


def dateline(paragraph: str) -> Dateline | None:
    """Return the dateline (place, date, agency) at the start of `paragraph`; None if there is none.

    The text between the place and the agency is a date only if it contains a digit. So the place in
    `Paris, France (VNA)` is `Paris, France`. A sentence about the agency has no dash, but a word in lower case, after
    the brackets.
    """
    text = paragraph.lstrip().lstrip(_INVISIBLE).lstrip()
    match = _DATELINE.match(text)
    if match is None or text[match.end() :].lstrip().lstrip(_INVISIBLE).lstrip()[:1].islower():
        return None
    where = (match["where"] or "").strip(_AROUND)
    place, comma, rest = where.partition(",")
    if not (comma and any(c.isdigit() for c in rest)):
        place, rest = where, ""
    if not _is_place(place):
        return None
    return Dateline(place.strip(_AROUND) or None, rest.strip(_AROUND) or None, match["agency"])


def _is_place(text: str) -> bool:
    words = re.split(r"[\s'’,()]+", text.strip())
    if any(word.lower() in _AGENCY_WORDS for word in words):
        return False
    return all(word[:1].isupper() or word in _PARTICLES for word in words if word)


def signature(paragraph: str) -> str | None:
    """Return the signature at the end of `paragraph`, verbatim (`-VNA`, `– VNA`, `CPV/VNA`); None if there is none."""
    match = _SIGNATURE.search(paragraph)
    if match is None:
        return None
    return next(group for group in match.groups() if group is not None)


def signature_of(paragraphs: Sequence[str]) -> str | None:
    """Return the signature at the end of a text; None if there is none. Lines with the source, and footnotes, may follow it."""
    for paragraph in reversed(paragraphs[-_LAST_PARAGRAPHS:]):
        found = signature(paragraph)
        if found is not None or not (_SOURCE_LINE.fullmatch(paragraph) or _FOOTNOTE.match(paragraph)):
            return found
    return None


def is_caption(text: str) -> bool:
    """Whether `text` ends in a photo credit that is a sentence of its own, unlike `Selon la source : le port`."""
    match = _CREDIT.search(text)
    before = text[: match.start()].rstrip() if match else text
    return match is not None and (not before or before[-1] in _BEFORE_CREDIT)


def credit(caption: str | None) -> str | None:
    """Return the photo credit in a caption, without `Photo :` and brackets; None if the caption has no credit."""
    match = _CREDIT.search(caption or "")
    return match["credit"].strip().strip(_INVISIBLE).strip() or None if match else None
