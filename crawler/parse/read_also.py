"""Recognise what is before links to related stories inside the body: labels (`À lire aussi :`) and arrows (`>>`).

Such a link is not text of the article (dossier sections 5 and 18.8), and neither are its label and arrows.

Boundary: strings in, answers out; `body` and `related` read the tree.
"""

from __future__ import annotations

import re

#: Replaces a removed link in the text; a Unicode noncharacter, so it is not expected in a page.
LINK_MARK = "\ufdd0"
_SHORTEST, _LONGEST = 8, 80  # characters of a label, the second one with its signs

_ARROW = "→➔➜➝➞➡➤►▶▸▷⇒⟶☞👉"
_IGNORED = "\u200b\u200d\u2060\ufe0f\ufeff"  # without width
_SIGNS = rf"[\s.…>»›*+:|\-–—•&;()\[\]{_ARROW}{_IGNORED}]*+"
_E = "[eéè][\u0300\u0301]?"  # with or without its accent, which may be a character of its own
_A = "[aà]\u0300?"
_SUBJECT = rf"(?:sur|dans)\s+le\s+m[eê]\u0302?me\s+(?:sujet|th{_E}me|dossier)"
_LABEL = (
    rf"(?:(?:{_A}\s+)?(?:(?:re)?lire|(?:re)?voir|{_E}couter|regarder|consulter|lisez|voyez|d{_E}couvrez)"
    rf"\s+(?:aussi|{_E}galement|plus|encore)(?:\s+{_SUBJECT})?|(?:{_A}\s+lire\s+)?{_SUBJECT}"
    rf"|articles?\s+(?:li{_E}s?|connexes?)|(?:read|see)\s+(?:also|more)|xem\s+th[eê]\u0302?m)"
)
# These may also be headings of the article's own text, so they are labels only if links follow.
_HEADING = (
    r"(?:(?:articles?|informations?|infos?|nouvelles?|actualit[eé]\u0301?s?|sujets?|dossiers?)"
    rf"\s+(?:li{_E}e?s?|connexes?|associ{_E}e?s?|similaires?)"
    r"|(?:pour\s+)?en\s+savoir\s+plus|pour\s+aller\s+plus\s+loin|lire\s+la\s+suite|related\s+(?:news|articles?|stories|story)"
    r"|[đd][oọ]\u0323?c\s+th[eê]\u0302?m|(?:tin|b[aà]\u0300?i)(?:\s+(?:b[aà]\u0300?i|vi[eế]t))?\s+li[eê]\u0302?n\s+quan)"
)
# These words are labels only before a colon, in the same line as the link.
_BEFORE_COLON = (
    rf"(?:{_A}\s+)?(?:re\)?\s?)?(?:lire|voir|{_E}couter|regarder)(?:\s+(?:notre|nos)\s+\w+)?|(?:notre\s+)?dossier"
    rf"|(?:{_A}\s+)?d{_E}couvrir|retrouvez\s+(?:aussi|{_E}galement)|dans\s+la\s+m[eê]\u0302?me\s+rubrique|ne\s+manquez\s+pas"
    rf"|articles?\s+{_A}\s+(?:re)?lire"
)
_LABELLED = re.compile(rf"{_SIGNS}(?:{_LABEL}|{_HEADING})\s*+:", re.IGNORECASE)
_SURE = re.compile(rf"{_SIGNS}{_LABEL}\s*+[:|]{_SIGNS}", re.IGNORECASE)
_ALONE = re.compile(rf"{_SIGNS}{_LABEL}{_SIGNS}", re.IGNORECASE)
_HEADS_LIST = re.compile(rf"{_SIGNS}(?:{_LABEL}|{_HEADING}){_SIGNS}", re.IGNORECASE)
_BEFORE_LINK = re.compile(rf"{_SIGNS}(?:{_LABEL}|{_HEADING}|(?:{_BEFORE_COLON})\s*+:){_SIGNS}", re.IGNORECASE)
_ARROWS_BEFORE_LINK = re.compile(r"\s*+[.…]*+(?:>>+|»»+|→|›)\s*+")
_ARROWS_IN_LINK = re.compile(rf"\s*+(?:>>+|»»+|[{_ARROW}]++)\s*+(?=\w)")
_ARROW_BEFORE_LINK = re.compile(rf"\s*+(?:[>»]|[{_ARROW}]++)[\s{_IGNORED}]*+")
_NO_TEXT = re.compile(_SIGNS)
_BETWEEN_LINKS = re.compile(rf"(?:{_SIGNS}|[\s,/]*+|\s*+et\s*+)")
_LEFT = re.compile(
    rf"{_SIGNS}(?:{_LABEL}|{_HEADING}|{_BEFORE_COLON})?{_SIGNS}(?:[\d/.:,h]++{_SIGNS})*+", re.IGNORECASE
)  # a date, too
_ONLY_ARROWS = re.compile(r"\s*+[.…]*+\s*+(?:>>+|»»+)\s*+")
_AROUND_MARK = re.compile(
    rf"(?<![\s>»›→+*•])(?:[\s>»›→+*•]*+(?:[àa]\u0300?\s++)?+(?:lire|voir)\s++(?:aussi|[ée]\u0301?galement)\s*+:?+)?+[\s>»›→]*+{LINK_MARK}"
    r"(?:\s*+[.…]*+\s*+[>»›]++)?+"
    rf"|(?<![\s>»›→])[\s>»›→]*+{LINK_MARK}(?:\s*+[.…]*+\s*+[>»›]++)?+",
    re.IGNORECASE,
)


def is_label(text: str) -> bool:
    """Whether `text` is a label and nothing else: `À lire aussi :`."""
    return _SHORTEST <= len(text) <= _LONGEST and _ALONE.fullmatch(text) is not None


def heads_list(text: str) -> bool:
    """Whether `text` is nothing but a label or a heading that links to related stories may follow."""
    return _SHORTEST <= len(text) <= _LONGEST and _HEADS_LIST.fullmatch(text) is not None


def begins_with_label(text: str) -> bool:
    """Whether `text`, that of a link, begins with arrows, or a label and a colon: `Lire aussi : Titre`."""
    return without_label(text) != text


def without_label(text: str) -> str:
    """Return `text`, that of a link, without arrows or a label at its start; `text` itself if nothing would be left."""
    label = _ARROWS_IN_LINK.match(text) or _LABELLED.match(text[:_LONGEST])
    return text[label.end() :].strip() or text if label is not None else text


def is_before_link(text: str) -> bool:
    """Whether `text`, which is before a link in the same line, is a label, provided that no sentence follows."""
    return len(text) <= _LONGEST and _BEFORE_LINK.fullmatch(text) is not None


def is_sure(text: str) -> bool:
    """Whether `text`, which is before a link, shows that it is related, whatever follows.

    It is a label with a colon, double arrows, or a list of other related links.
    """
    if LINK_MARK not in text:
        return _ARROWS_BEFORE_LINK.fullmatch(text) is not None or (
            len(text) <= _LONGEST and _SURE.fullmatch(text) is not None
        )
    first, *others = text.split(LINK_MARK)
    is_list = _NO_TEXT.fullmatch(first) is not None or is_before_link(first) or is_sure(first)
    return is_list and all(map(_BETWEEN_LINKS.fullmatch, others))


def is_arrow(text: str) -> bool:
    """Whether `text` is a single arrow, which may also be a sign for an item of a list."""
    return _ARROW_BEFORE_LINK.fullmatch(text) is not None


def has_no_text(text: str) -> bool:
    """Whether `text` consists of nothing but signs, such as the dash before an item of a list."""
    return _NO_TEXT.fullmatch(text) is not None


def without_links(text: str) -> str:
    """Return `text` without the marks of links, and without the arrows and labels around each of them."""
    return _AROUND_MARK.sub(" ", text) if LINK_MARK in text else text


def is_left_over(text: str, raw: str) -> bool:
    """Whether `text` is what is left of the line `raw` after its related links were removed, or only arrows."""
    is_left = LINK_MARK in raw and len(text) <= _LONGEST and _LEFT.fullmatch(text) is not None
    return is_left or _ONLY_ARROWS.fullmatch(text) is not None
