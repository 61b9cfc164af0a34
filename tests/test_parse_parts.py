"""The parts of the parser: dateline, signature and credit, times, charsets, metadata, and rejection of other pages."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.errors import Rejection
from crawler.parse import classify, decode, dom, head, structure, times
from crawler.parse.times import DateCandidate
from crawler.types import Dateline

ROOT = "https://fr.vietnamplus.vn"
URL = f"{ROOT}/a-post1.vnp"
HANOI = timezone(timedelta(hours=7))
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def tree(html):
    return LexborHTMLParser(html)


def first(html, selector):
    return tree(html).css_first(selector)


# --- dateline ---------------------------------------------------------------------------------------------------------

DATELINES = {
    "place": ("Hanoï (VNA) - Le", ("Hanoï", None, "VNA")),
    "place and date": ("Paris, 19 septembre (VNA) - Le", ("Paris", "19 septembre", "VNA")),
    "article before the date": ("Hanoi, le 5 octobre (AVI) – Le", ("Hanoi", "le 5 octobre", "AVI")),
    "place and country": ("Paris, France (VNA) - Le", ("Paris, France", None, "VNA")),
    "no space": ("Hanoï(VNA) Le", ("Hanoï", None, "VNA")),
    "no place": ("(VNA) - Le", (None, None, "VNA")),
    "invisible characters before": ("\u200b\ufeff Hanoï (VNA) - Le", ("Hanoï", None, "VNA")),
    "invisible characters inside": ("Hanoï\u200b, le 5 mai\u200b (VNA)\u200b - Le", ("Hanoï", "le 5 mai", "VNA")),
    "invisible character before a sentence": ("Hanoï (VNA)\u200b a déclaré", None),
    "leading spaces": (" \u00a0Hanoï (VNA) - Le", ("Hanoï", None, "VNA")),
    "spaces inside the parentheses": ("Hanoï ( VNA ) - Le", ("Hanoï", None, "VNA")),
    "place with a particle": ("Ho Chi Minh-Ville et Cân Tho (VNA) - Le", ("Ho Chi Minh-Ville et Cân Tho", None, "VNA")),
    "two agencies": ("Hanoï (VNA/CVN) - Le", ("Hanoï", None, "VNA/CVN")),
    "another agency first": ("Hanoï (NDEL/VNA) - Le", ("Hanoï", None, "NDEL/VNA")),
    "no dateline": ("Le Vietnam a signé.", None),
    "only another agency": ("Pékin (AFP) - Le", None),
    "agency in a sentence": ("Selon l’agence vietnamienne d’information (VNA), le riz", None),
    "dateline after a sentence": ("Le riz. Hanoï (VNA) a dit", None),
    "the agency by its name": ("L'Agence Vietnamienne d'Information (VNA) - Le", None),
    "the agency by its name, other apostrophes": ("L’Agence Vietnamienne d’Information (AVI) a célébré", None),
    "the agency by its English name": ("Vietnam News Agency (VNA) - Le", None),
    "the agency by its acronym": ("L'AVI (VNA) - Le", None),
    "a name in a sentence": ("Nguyên Phu Trong (VNA) a déclaré", None),
    "lower case after the dash": ("Hanoï (VNA) - l'eau", ("Hanoï", None, "VNA")),
    "place with an article": ("L'Aquila (VNA) – Le", ("L'Aquila", None, "VNA")),
    "place with a note": ("Truong Sa (Spratly) (VNA) - Le", ("Truong Sa (Spratly)", None, "VNA")),
    "an organisation with its acronym": ("Le Parti communiste du Vietnam (PCV) (VNA) - Le", None),
    "agency twice": ("Hanoï (VNA) (VNA) - Le", ("Hanoï", None, "VNA")),
    "empty": ("", None),
}


@pytest.mark.parametrize(("text", "expected"), DATELINES.values(), ids=DATELINES)
def test_dateline(text, expected):
    assert structure.dateline(text) == (Dateline(*expected) if expected else None)


# --- signature --------------------------------------------------------------------------------------------------------

SIGNATURES = {
    "dash": ("Fin. -VNA", "-VNA"),
    "dash and space": ("Fin. - VNA", "- VNA"),
    "long dash": ("Fin –VNA", "–VNA"),
    "French acronym of the agency": ("Fin. -AVI", "-AVI"),
    "final full stop": ("Fin. -VNA. ", "-VNA"),
    "composite": ("Fin. CPV/VNA", "CPV/VNA"),
    "composite after a dash": ("Fin. - VOV/VNA", "- VOV/VNA"),
    "glued to the last word": ("dongs.VNA", "VNA"),
    "alone": ("VNA", "VNA"),
    "torn apart": ("Fin. - VN A", "- VN A"),
    "torn apart, every letter": ("Fin. –V N A", "–V N A"),
    "minus sign": ("Fin. −VNA", "−VNA"),
    "two hyphens": ("Fin. --VNA", "--VNA"),
    "composite after a full stop": ("dongs. VNA/CVN", "VNA/CVN"),
    "composite glued to a full stop": ("dongs.VNA/CVN", "VNA/CVN"),
    "three agencies": ("Fin. NDEL/VNA", "NDEL/VNA"),
    "after a full stop": ("dongs. VNA", "VNA"),
    "after a quote": ("« Fin. » VNA", "VNA"),
    "final slash": ("Fin. -VNA./.", "-VNA"),
    "source after it": ("Fin. -VNA (Source: http://exemple.vn/a?b=c)", "-VNA"),
    "final dash": ("Fin. –VNA–", "–VNA"),
    "final soft hyphen and mark": ("Fin. -VNA\u00ad\u200e", "-VNA"),
    "final star": ("Fin. -VNA *", "-VNA"),
    "final zero-width space": ("Fin. -VNA\u200b", "-VNA"),
    "in brackets, alone": ("(VNA)", "(VNA)"),
    "in brackets after a full stop": ("Fin. (VNA)", "(VNA)"),
    "composite in brackets": ("Fin ! (VNA/CVN).", "(VNA/CVN)"),
    "last word in brackets": ("une agence (VNA)", None),
    "end of a longer word": ("LA BAVI", None),
    "no signature": ("Fin.", None),
    "last word of a sentence": ("une agence nommée VNA", None),
    "in the middle": ("L’accord -VNA est signé", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("text", "expected"), SIGNATURES.values(), ids=SIGNATURES)
def test_signature(text, expected):
    assert structure.signature(text) == expected


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        ([], None),
        (["Un. -VNA"], "-VNA"),
        (["Un. -VNA", "source"], "-VNA"),
        (["Un. - VN A", "Source : CPV"], "- VN A"),
        (["Un. VNA/CVN", "(Source: http://exemple.vn/a.b?c=d)"], "VNA/CVN"),
        (["Un. -VNA", "source", "Sources: VNA, NDEL"], "-VNA"),
        (["Un. -VNA", "source : vietnam.vn"], "-VNA"),
        (["Un. CPV/VNA", "(Source: fr.nhandan.vn/x.)"], "CPV/VNA"),
        (["Un. -VNA", "Sources : baoquocte.vn, VOV"], "-VNA"),
        (["Un. -VNA", *["source"] * 39], "-VNA"),
        (["Un. -VNA", *["source"] * 40], None),
        (["Un. -VNA", "Fin."], None),
        (["Un. -VNA", "Source de vie. Le fleuve est grand."], None),
    ],
)
def test_the_source_can_follow_the_signature(paragraphs, expected):
    assert structure.signature_of(paragraphs) == expected


@pytest.mark.parametrize(
    "note",
    [
        "(1) Voir le décret.", "( 2 ) Voir.", "[12] Voir.", "1. Voir.", "2) Voir.", "3/ Voir.", "4 Voir le décret.", "5 - Voir.", "a) Voir.",
        "(*) Voir.", "* Voir.", "** Voir.", "† Voir.", "¹ Voir.", "⁽¹² Voir."[1:], "NDLR : voir.", "(NdlR : voir.)", "N.D.L.R. voir", "Note : voir.",
        "Notes", "Notes:", "____", "-----", "Rectificatif : lire 13.", "ERRATUM - Lire 13.", "Correction du 3 mai : 13.", "(Mise à jour : 13 morts)",
        "N.B. : voir.", "Précision : le port est fermé.", "Note de la rédaction : voir.", "(Note de l’éditeur : 13.)",
        "MÀJ : le port est ouvert.", "Mise à jour le 21 novembre à 10h : 13.",
        "Correction apportée le 21 mai : 13.", "Article modifié le 21/11/2026", "Cette dépêche annule et remplace la précédente.", "[Cet article a été mis à jour à 15h.]",
    ],
)  # fmt: skip
def test_footnotes_can_follow_the_signature(note):
    assert structure.signature_of(["Un (1).", "Deux. -VNA", note, "Source : VNA", note]) == "-VNA"
    assert structure.signature_of(["Un (1).", "Deux.", note]) is None


@pytest.mark.parametrize(
    "line",
    [
        "En 2025, rien.",
        "a été signé",
        "La correction : rien.",
        "Précisions du ministre",
        "Cet article a été lu.",
        "L’article modifié du code",
        "Article 5 modifié",
        "Notez bien.",
        "(suite)",
        "- Un",
        "*",
        "(12",
        "100 ans",
    ],
)
def test_other_lines_after_the_signature_are_no_footnotes(line):
    assert structure.signature_of(["Un. -VNA", line]) is None


# --- credit -----------------------------------------------------------------------------------------------------------

CREDITS = {
    "photo": ("Un pont. Photo : VNA", "VNA"),
    "photo without space": ("Un pont.Photo: cafef.vn", "cafef.vn"),
    "in parentheses": ("Un pont (Photo : VNA)", "VNA"),
    "source": ("(Source: customsnews)", "customsnews"),
    "illustration": ("Photo d'illustration : East Asia Forum", "East Asia Forum"),
    "no-break space": ("Photo\u00a0: Quân Trang/VNA", "Quân Trang/VNA"),
    "credit": ("Un pont. Crédit : X", "X"),
    "credits": ("Un pont. Crédits : AFP", "AFP"),
    "infographic": ("Les ports. Infographie : VNA", "VNA"),
    "map": ("Les ports. Carte : AFP", "AFP"),
    "screenshot": ("Le site. Capture d’écran : VTV", "VTV"),
    "photo in Vietnamese": ("Un pont. (Ảnh : Thanh Tùng/VNA)", "Thanh Tùng/VNA"),
    "invisible characters": ("Un pont. Photo : Xuân\u200bTiến\u200b\u2060", "Xuân\u200bTiến"),
    "nothing visible": ("Un pont. Photo : \u200b", None),
    "another colon in the caption": ("Sommet : une photo. Photo : VNA.", "VNA"),
    "address": ("Un pont (Source: http://exemple.vn/a?b=c:d)", "http://exemple.vn/a?b=c:d"),
    "address alone": ("(Source: https://exemple.vn)", "https://exemple.vn"),
    "no credit": ("Un pont à Huế", None),
    "photo as an ordinary word": ("La photo montre un pont", None),
    "no caption": (None, None),
}


@pytest.mark.parametrize(("caption", "expected"), CREDITS.values(), ids=CREDITS)
def test_credit(caption, expected):
    assert structure.credit(caption) == expected


@settings(max_examples=80, deadline=None)
@given(st.text() | st.text(alphabet="VNA ()-–,/CP.Photo :é19\u00a0\n"))
def test_found_parts_are_verbatim_parts_of_the_text(text):
    dateline = structure.dateline(text)
    for part in (
        structure.signature(text),
        structure.credit(text),
        *((dateline.place, dateline.date, dateline.agency) if dateline else ()),
    ):
        assert part is None or (part and part in text)


# --- times ------------------------------------------------------------------------------------------------------------

SECOND = datetime(2025, 4, 29, 14, 30, 44, tzinfo=HANOI)
MINUTE = SECOND.replace(second=0)
DAY = datetime(2025, 4, 29, tzinfo=HANOI)
INSTANTS = {
    "offset with a colon": ("2025-04-29T14:30:44+07:00", SECOND),
    "offset without a colon": ("2025-04-29T14:30:44+0700", SECOND),
    "UTC": ("2025-04-29T07:30:44Z", SECOND),
    "lower-case letters": ("2025-04-29t07:30:44z", SECOND),
    "no offset: Hanoi time": ("2025-04-29 14:30:44", SECOND),
    "fractions of a second": ("2025-04-29T14:30:44.123+07:00", SECOND),
    "no seconds": ("2025-04-29T14:30+07:00", MINUTE),
    "date only": ("2025-04-29", DAY),
    "unpadded date": ("2025-4-9", datetime(2025, 4, 9, tzinfo=HANOI)),
    "surrounding white space": ("  2025-04-29T14:30:44+07:00\n", SECOND),
    "epoch seconds": ("1745911844", SECOND),
    "epoch seconds with a fraction": ("1745911844.5", SECOND),
    "epoch milliseconds": ("1745911844000", SECOND),
    "visible, day first": ("29/04/2025 14:30", MINUTE),
    "visible, with weekday and zone": ("mardi, 29/04/2025 - 14h30 (GMT+7)", MINUTE),
    "visible, time first": ("14:30 29/04/2025", MINUTE),
    "visible, date only": ("29/04/2025", DAY),
    "visible, month name": ("29 avril 2025 à 14h30", MINUTE),
    "visible, ordinal day": ("1er août 2025", datetime(2025, 8, 1, tzinfo=HANOI)),
    "month 13": ("2025-13-01", None),
    "30 February": ("30/02/2025", None),
    "hour 25": ("2025-04-29T25:00:00+07:00", None),
    "impossible offset": ("2025-04-29T14:30:44+99:99", None),
    "unknown month name": ("29 brumaire 2025", None),
    "year 1": ("0001-01-01T00:00:00+00:00", None),
    "epoch number far in the future": ("9999999999999", None),
    "too few digits": ("12345", None),
    "words": ("hier matin", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("raw", "expected"), INSTANTS.values(), ids=INSTANTS)
def test_instant(raw, expected):
    assert times.instant(raw) == expected


def test_instant_keeps_an_offset_and_returns_epoch_numbers_in_hanoi_time():
    assert times.instant("2025-04-29T07:30:44Z").isoformat() == "2025-04-29T07:30:44+00:00"
    assert times.instant("1745911844").isoformat() == "2025-04-29T14:30:44+07:00"
    assert times.instant("2025-04-29 14:30:44").isoformat() == "2025-04-29T14:30:44+07:00"


RAW = (
    st.text(max_size=30)
    | st.text(alphabet="0123456789-/:TZ+., hHer", max_size=30)
    | st.from_regex(
        r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:?[0-9]{2})?", fullmatch=True
    )
    | st.from_regex(r"[0-9]{9,13}", fullmatch=True)
    | st.from_regex(
        r"[0-9]{1,2}[/. ](er )?([0-9]{1,2}|avril|xyz)[/. ][0-9]{4}( [0-9]{1,2}[h:][0-9]{2})?", fullmatch=True
    )
)


@settings(max_examples=200, deadline=None)
@given(RAW)
@example("٢٠٢٥-٠٤-٢٩")
@example("\u0660" * 10)
def test_instant_accepts_any_string(raw):
    when = times.instant(raw)
    assert when is None or when.utcoffset() is not None


META, TIME, LD = (DateCandidate(source, "2025-04-29T14:30:44+07:00") for source in ("meta", "time", "JSON-LD"))


def at(source, raw):
    return DateCandidate(source, raw)


def test_choose_prefers_the_first_candidate():
    chosen = times.choose([META, TIME], NOW)
    assert (chosen.iso, chosen.raw, chosen.source, chosen.problems) == (META.raw, META.raw, "meta", ())


CHOICES = {
    "empty candidates are skipped": ([at("meta", " "), TIME], "time", 0),
    "unreadable candidate: a problem": ([at("meta", "hier"), TIME], "time", 1),
    "no candidate": ([], None, 1),
    "no readable candidate": ([at("meta", "hier")], None, 2),
    "equal except for the seconds": ([META, at("visible", "29/04/2025 14:30")], "meta", 0),
    "equal, date only": ([META, at("visible", "29/04/2025")], "meta", 0),
    "equal in another time zone": ([META, at("time", "2025-04-29T07:30:44Z")], "meta", 0),
    "a day, then the time on it": ([at("meta", "2025-04-29"), TIME], "time", 0),
    "a day, then the time on it in UTC": ([at("meta", "29/04/2025"), at("time", "2025-04-28T20:00:00Z")], "time", 0),
    "a day, then another day and the time": (
        [at("meta", "2025-04-29"), at("visible", "30/04/2025 10:00"), LD],
        "JSON-LD",
        1,
    ),
    "a day, then a time on another day": ([at("meta", "2025-04-30"), TIME], "meta", 1),
    "only days": ([at("meta", "2025-04-29"), at("visible", "29/04/2025")], "meta", 0),
    "midnight, then another time": ([at("meta", "2025-04-29T00:00:00+07:00"), TIME], "meta", 1),
    "two minutes apart": ([META, at("time", "2025-04-29T14:32:44+07:00")], "meta", 1),
    "one day apart": ([META, at("visible", "30/04/2025")], "meta", 1),
    "epoch number at midnight is not date only": ([META, at("epoch", "1745946000")], "meta", 1),
    "two candidates that disagree": ([META, at("time", "2024-01-01"), at("JSON-LD", "2023-01-01")], "meta", 2),
    "nine minutes after the fetch": ([at("meta", "2026-11-21T08:09:00Z")], "meta", 0),
    "one day after the fetch": ([at("meta", "2026-11-22T08:00:00Z")], "meta", 1),
}


@pytest.mark.parametrize(("candidates", "source", "problems"), CHOICES.values(), ids=CHOICES)
def test_choose(candidates, source, problems):
    chosen = times.choose(candidates, NOW)
    assert chosen.source == source
    assert (chosen.iso is None) == (source is None)
    assert len(chosen.problems) == problems
    assert all(problem.startswith("published_at: ") for problem in chosen.problems)


def test_a_problem_names_the_field():
    assert times.choose([], NOW, what="modified_at").problems[0].startswith("modified_at: ")


@settings(max_examples=80, deadline=None)
@given(st.lists(RAW, max_size=4))
def test_choose_accepts_any_strings(raws):
    chosen = times.choose([at(str(i), raw) for i, raw in enumerate(raws)], NOW)
    assert chosen.iso is not None or chosen.problems


# --- charsets ---------------------------------------------------------------------------------------------------------

E_ACUTE = "é".encode()
OE = "cœur d’été".encode("cp1252")
CHARSETS = {
    "nothing declared": (b"<p>\xc3\xa9", None, "é", "utf-8", 0),
    "header": (b"<p>\xe9", "text/html; charset=iso-8859-1", "é", "cp1252", 0),
    "header without a space, in quotes": (b"<p>\xc3\xa9", 'text/html;charset="UTF-8"', "é", "utf-8", 0),
    "header in single quotes": (OE, "text/html; charset='windows-1252'", "cœur", "cp1252", 0),
    "another parameter of the header": (OE, 'text/html; x="a"; charset=cp1252', "cœur", "cp1252", 0),
    "parameter whose name only ends with charset": (OE, "text/html; x-charset=koi8-r; charset=latin1", "cœur", "cp1252", 0),
    "header before meta": (b'<meta charset="koi8-r">\xe9', "text/html; charset=latin1", "é", "cp1252", 1),
    "meta": (b'<meta charset="windows-1250">\xe9', "text/html", "é", "cp1250", 0),
    "meta with a space in the name": (b'<meta charset=" cp1252 ">\x9c', None, "œ", "cp1252", 0),
    "meta in the older form": (
        b'<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-15">\xa4', None, "€", "iso8859-15", 0,
    ),
    "meta in the older form, attributes in another order": (
        b"<META content='text/html;charset = \"ISO-8859-15\"' data-x=1 HTTP-EQUIV=content-type>\xa4", None, "€", "iso8859-15", 0,
    ),
    "meta after 1024 bytes": (b"<!-- -->" * 200 + b"<meta charset=latin1>" + OE, None, "cœur", "cp1252", 0),
    "meta far down": (b" " * 5000 + b"<meta http-equiv=content-type content='text/html; charset=latin1'>\xe9", None, "é", "cp1252", 0),
    "meta on both sides of the limit": (b" " * 4090 + b"<meta charset=latin1>\xe9", None, "é", "cp1252", 0),
    "meta far down with an unknown charset": (b" " * 5000 + b"<meta charset=klingon>\xe9", None, "é", "cp1252", 1),
    "meta too far down": (b" " * 70_000 + b"<meta charset=latin1>\xe9", None, "é", "cp1252", 1),
    "first meta that names a charset": (b"<meta charset=klingon><meta charset=latin1><meta charset=koi8-r>\xe9", None, "é", "cp1252", 1),
    "meta UTF-16 means UTF-8": (b'<meta charset="utf-16">\xc3\xa9', None, "é", "utf-8", 0),
    "meta x-user-defined means windows-1252": (b'<meta charset="x-user-defined">\x9c', None, "œ", "cp1252", 0),
    "XML declaration": (b'<?xml version="1.0" encoding="iso-8859-15"?><p>\xa4', None, "€", "iso8859-15", 0),
    "meta before the XML declaration": (
        b'<?xml version="1.0" encoding="iso-8859-15"?><meta charset=latin1>\xe9', None, "é", "cp1252", 1,
    ),
    "charset in a comment": (b"<!-- <meta charset=koi8-r> --><meta charset=latin1>\xe9", None, "é", "cp1252", 0),
    "charset in a script": (b"<script>'<meta charset=koi8-r>'</script><meta charset=latin1>\xe9", None, "é", "cp1252", 0),
    "charset in a title": (b"<title><meta charset=koi8-r></title><meta charset=latin1>\xe9", None, "é", "cp1252", 0),
    "charset in a description": (
        b"<meta name=description content='charset=koi8-r'><meta charset=latin1>\xe9", None, "é", "cp1252", 0,
    ),
    "charset in another attribute": (b"<meta name='a charset=koi8-r' data-charset=koi8-r><meta charset=latin1>\xe9", None, "é", "cp1252", 0),
    "declared ASCII, decoded as windows-1252": (b"\x93x\x94", "text/html; charset=us-ascii", "“x”", "cp1252", 0),
    "name that only browsers know": (OE, "text/html; charset=x-cp1252", "cœur", "cp1252", 0),
    "charset that browsers refuse": (b"<p>\xc3\xa9", "text/html; charset=hz-gb-2312", "é", "utf-8", 1),
    "unknown charset in the header, valid in meta": (b"<meta charset=cp1252>\xe9", "text/html; charset=klingon", "é", "cp1252", 1),
    "unknown charsets in header and meta": (b"<meta charset=klingon>\xc3\xa9", "text/html; charset=x", "é", "utf-8", 2),
    "UTF-8, header names another": ("<p>été".encode(), "text/html; charset=iso-8859-1", "été", "utf-8", 1),
    "UTF-8, meta names another": ("<meta charset=windows-1251>été".encode(), "text/html; charset=utf-8", "été", "utf-8", 1),
    "UTF-8, header and meta name another": ("<meta charset=big5>été".encode(), "text/html; charset=koi8-r", "été", "utf-8", 2),
    "UTF-8, only the comment names another": ("<!-- <meta charset=big5> -->été".encode(), None, "été", "utf-8", 0),
    "UTF-8, header names UTF-16": ("<p>Việt ".encode(), "text/html; charset=utf-16", "Việt", "utf-8", 1),
    "ASCII, contradicting declarations": (b"<meta charset=koi8-r>abc", "text/html; charset=utf-8", "abc", "utf-8", 0),
    "ASCII, header names UTF-16": (b"<p>abcde", "text/html; charset=utf-16", "abcd", "utf-8", 0),
    "UTF-8 with a damaged byte, header names another": (
        "<p>été d’\u1ec7".encode() + b"\xe9", "text/html; charset=latin1", "été d’\u1ec7\ufffd", "utf-8", 2,
    ),
    "UTF-8 cut inside a character": ("<p>été à Huế".encode()[:-1], "text/html; charset=latin1", "été à Hu\ufffd", "utf-8", 2),
    "UTF-8 with a surrogate": ("<p>été ".encode() + b"\xed\xa0\xbd", None, "été \ufffd", "utf-8", 1),
    "UTF-8 byte order mark": (codecs.BOM_UTF8 + E_ACUTE, "text/html; charset=latin1", "é", "utf-8", 1),
    "UTF-16 LE byte order mark": (codecs.BOM_UTF16_LE + "é".encode("utf-16-le"), None, "é", "utf-16-le", 0),
    "UTF-16 BE byte order mark": (codecs.BOM_UTF16_BE + "é".encode("utf-16-be"), "text/html; charset=utf-8", "é", "utf-16-be", 1),
    "UTF-32 byte order mark": ("<p>Huế".encode("utf-32"), None, "Huế", "utf-32-le", 0),
    "UTF-16 LE without a byte order mark": ("\n <!doctype html>Huế".encode("utf-16-le"), None, "Huế", "utf-16-le", 0),
    "UTF-16 BE without a byte order mark": ("<html>été".encode("utf-16-be"), "text/html; charset=utf-16", "été", "utf-16-be", 0),
    "UTF-16 cut inside a character": ("<p>Huế".encode("utf-16-le")[:-1], None, "Hu\ufffd", "utf-16-le", 1),
    "UTF-16 only by the header": ("été <p>".encode("utf-16-be"), "text/html; charset=utf-16be", "été", "utf-16-be", 0),
    "header does not fit, meta does": (
        b"<meta charset=iso-8859-1>caf\xe9", "text/html; charset=utf-8", "café", "cp1252", 1,
    ),
    "meta does not fit, UTF-8 does": (b"<meta charset=gb2312>\xc3\xa9\xe2\x80\x99", None, "é’", "utf-8", 1),
    "neither header nor meta fits": (b"<meta charset=gb2312>\xe9 ", "text/html; charset=utf-8", "\ufffd", "utf-8", 2),
    "no declared charset, bytes are not UTF-8": (b"a\xe9b", None, "aéb", "cp1252", 1),
    "no charset, letters that look like UTF-8 by chance": ("<p>été à Hué, Ã© ÊÀÉ".encode("cp1252"), None, "été à Hué, Ã©", "cp1252", 2),
    "only unknown charsets, bytes are not UTF-8": (b"<meta charset=klingon>\x93\xe9\x94", "text/html; charset=x", "“é”", "cp1252", 3),
    "no charset, a byte that windows-1252 does not have": (b"<p>\xe9\xe8 \x81", None, "éè \ufffd", "cp1252", 2),
    "U+FFFD in the page itself": ("a\ufffdb".encode(), None, "a\ufffdb", "utf-8", 1),
    "reference to half of a character": (b"<p>a&#xD83D;", None, "a", "utf-8", 1),
    "reference to half of a character, decimal": (b"<p>a&#0055357", None, "a", "utf-8", 1),
    "reference to NUL": (b"<p>a&#0;", None, "a", "utf-8", 1),
    "reference beyond Unicode": (b"<p>a&#x110000;&#xD800;", None, "a", "utf-8", 1),
    "reference to an endless number": (b"<p>a&#" + b"9" * 5000, None, "a", "utf-8", 1),
    "references to characters": (b"<p>a&#233;&#xE9;&#x1F600;&#65533;&#xFFFE;&#D800;&amp;", None, "a", "utf-8", 0),
    "mojibake": ("Ã©ducation".encode(), None, "Ã©ducation", "utf-8", 1),
    "mojibake via windows-1250": ("đź“ť Ă©dito".encode(), None, "đź“ť Ă©dito", "utf-8", 1),
    "codec that is not a text codec": (b"<p>\xc3\xa9", "text/html; charset=base64", "é", "utf-8", 1),
    "codec that always fails": (b"<p>\xc3\xa9", "text/html; charset=undefined", "é", "utf-8", 1),
}  # fmt: skip


@pytest.mark.parametrize(("body", "header", "part", "charset", "problems"), CHARSETS.values(), ids=CHARSETS)
def test_decode(body, header, part, charset, problems):
    decoded = decode.decode(body, header)
    assert part in decoded.text
    assert not decoded.text.startswith("\ufeff")
    assert decoded.charset == charset
    assert len(decoded.problems) == problems
    assert all(problem.startswith("charset: ") for problem in decoded.problems)


def test_mojibake_is_found_by_its_first_bytes():
    starts = [*"ÃđĂÂðâ", "â€"]
    found = [text for text in (s + chr(n) for s in starts for n in range(0x20, 0x3000)) if decode.MOJIBAKE.search(text)]
    assert len(found) > 100
    assert [text for text in found if "mojibake" not in str(decode.decode(text.encode()).problems)] == []


CODECS = "utf-8 utf-16 utf-32 utf-7 latin1 cp1258 big5 iso2022_jp hz idna punycode undefined base64 hex rot13 zlib quopri uu mbcs".split()


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(CODECS) | st.text(max_size=12), st.booleans())
def test_decode_accepts_any_bytes(body, name, in_page):
    if in_page:
        decoded = decode.decode(b"<meta charset='" + name.encode() + b"'>" + body)
    else:
        decoded = decode.decode(body, f"text/html; charset={name}")
    assert isinstance(decoded.text, str)
    assert codecs.lookup(decoded.charset)


# --- text of nodes ----------------------------------------------------------------------------------------------------

TEXTS = {
    "collapsed white space": ("<p> a\n  b\t c </p>", "a b c"),
    "no-break spaces are kept": ("<p>a\u00a0\u00a0b</p>", "a\u00a0\u00a0b"),
    "line break becomes a space": ("<p>a<br>b</p>", "a b"),
    "inline elements add no space": ("<p>a<b>b</b>c</p>", "abc"),
    "comments are left out": ("<p>a<!-- x -->b</p>", "ab"),
    "scripts, styles and players are left out": (
        "<p>a<script>x</script><style>y</style><video>z</video><svg>w</svg>b</p>",
        "ab",
    ),
    "entities": ("<p>&laquo;&eacute;&raquo;</p>", "«é»"),
}


@pytest.mark.parametrize(("html", "expected"), TEXTS.values(), ids=TEXTS)
def test_text(html, expected):
    assert dom.text(first(html, "p")) == expected


def test_text_without_skipped_elements():
    page = tree("<div>a<i>b</i><u>c</u></div>")
    assert dom.text(page.css_first("div"), dom.ids(page.css("i"))) == "ac"


def test_text_of_deeply_nested_elements():
    assert dom.text(first("<div>" * 1500 + "x", "div")) == "x"


def test_node_helpers():
    page = tree("<main><div><p id=a>x</p></div><p id=b>y</p></main>")
    a, div = page.css_first("#a"), page.css_first("div")
    assert [node.tag for node in dom.ancestors(a)] == ["div", "main", "body", "html"]
    assert dom.inside(a, dom.ids([div]))
    assert dom.inside(div, dom.ids([div]))
    assert not dom.inside(page.css_first("#b"), dom.ids([div]))
    assert [dom.attribute(node, "id") for node in dom.select(page, ("#b", "p"))] == ["a", "b"]
    assert dom.select(page, ()) == []
    assert dom.attribute(a, "class") == ""
    assert dom.attribute(first("<p hidden>", "p"), "hidden") == ""
    assert [dom.is_text(node) for node in dom.children(a)] == [True]
    assert not dom.is_element(next(dom.children(a)))


# --- metadata ---------------------------------------------------------------------------------------------------------


def read(html, url=URL):
    return head.read(tree(html), url)


def ld(data):
    return f'<script type="application/ld+json">{data if isinstance(data, str) else json.dumps(data)}</script>'


def test_metadata_of_a_page():
    news = {"@type": "NewsArticle", "headline": "T", "url": URL}
    crumbs = {
        "@type": "BreadcrumbList",
        "itemListElement": [{"name": "Accueil"}, {"item": {"name": "Monde"}}, {"item": {}}, "x"],
    }
    found = read(
        '<title> T\n | Vietnam+ (VietnamPlus)</title><link rel="canonical" href="/a-post1.vnp">'
        '<meta property="og:type" content="Article"><meta name="Description" content=" D "><meta itemprop="x" content="1">'
        '<meta name="description" content="2"><meta name="empty" content=" "><meta content="nameless">'
        + ld(news)
        + ld(crumbs)
    )
    assert found.title == "T"
    assert found.canonical == URL
    assert found.meta == {"og:type": "Article", "description": "D", "x": "1"}
    assert found.news == (news,)
    assert found.breadcrumbs == ("Accueil", "Monde")
    assert found.problems == ()
    assert found.declares_article()


def test_a_page_without_metadata():
    found = read("<p>x")
    assert (found.title, found.canonical, found.meta, found.news, found.breadcrumbs) == (None, None, {}, (), ())
    assert not found.declares_article()


DECLARED = {
    "OpenGraph": ('<meta property="og:type" content="ARTICLE">', True),
    "OpenGraph, another type": ('<meta property="og:type" content="website">', False),
    "JSON-LD": (ld({"@type": "NewsArticle"}), True),
    "JSON-LD, opinion": (ld({"@type": "OpinionNewsArticle"}), True),
    "JSON-LD, live blog": (ld({"@type": ["Thing", "https://schema.org/LiveBlogPosting"]}), True),
    "JSON-LD, prefix and lower case": (ld({"@type": "schema:newsarticle"}), True),
    "JSON-LD, another type": (ld({"@type": "WebSite"}), False),
}


@pytest.mark.parametrize(("html", "expected"), DECLARED.values(), ids=DECLARED)
def test_declares_article(html, expected):
    assert read(html).declares_article() is expected


def test_a_title_with_only_the_site_name_is_empty():
    assert read("<title> | Vietnam+ (VietnamPlus)</title>").title is None
    assert read("<title></title>").title is None


NEWS = {"@type": "NewsArticle"}
JSON_LD = {
    "one object": (ld(NEWS), 1),
    "a list": (ld([NEWS, {"@type": "WebPage"}, NEWS]), 2),
    "a graph": (ld({"@graph": [NEWS]}), 1),
    "main entity of a page": (ld({"@type": "WebPage", "mainEntity": NEWS}), 1),
    "type given as a URL": (ld({"@type": "https://schema.org/NewsArticle"}), 1),
    "several types": (ld({"@type": ["Thing", "Article"]}), 1),
    "no type": (ld({"headline": "x"}), 0),
    "in a comment": (ld(f"<!-- {json.dumps(NEWS)} -->"), 1),
    "in CDATA": (ld(f"//<![CDATA[\n{json.dumps(NEWS)}\n//]]>"), 1),
    "final semicolon": (ld(json.dumps(NEWS) + ";"), 1),
    "line break in a string": (ld('{"@type": "NewsArticle", "headline": "a\nb"}'), 1),
    "empty": (ld(""), 0),
    "not an object": (ld("3"), 0),
    "nested up to the limit": (ld("[" * 12 + json.dumps(NEWS) + "]" * 12), 1),
    "nested beyond the limit": (ld("[" * 13 + json.dumps(NEWS) + "]" * 13), 0),
}


@pytest.mark.parametrize(("html", "expected"), JSON_LD.values(), ids=JSON_LD)
def test_json_ld(html, expected):
    found = read(html)
    assert len(found.news) == expected
    assert found.problems == ()


@pytest.mark.parametrize("data", ['{"a": ', "[" * 100_000], ids=["truncated", "nested too deeply"])
def test_broken_json_ld_is_a_problem(data):
    found = read(ld(NEWS) + ld(data))
    assert found.news == (NEWS,)
    assert found.problems[0].startswith("JSON-LD: script 2 is broken")


OWN = {"@type": "NewsArticle", "url": URL, "headline": "own"}
NEXT = {"@type": "NewsArticle", "url": f"{ROOT}/b-post2.vnp", "headline": "next"}
PLAIN = {"@type": "NewsArticle", "headline": "plain"}
OWN_NEWS = {
    "own, by url": ([NEXT, OWN], 1, "own"),
    "own, by mainEntityOfPage object": ([NEXT, {**PLAIN, "mainEntityOfPage": {"@id": URL}, "headline": "me"}], 1, "me"),
    "own, by mainEntityOfPage string": ([NEXT, {**PLAIN, "mainEntityOfPage": URL, "headline": "me"}], 1, "me"),
    "own, by @id": ([NEXT, {**PLAIN, "@id": URL, "headline": "me"}], 1, "me"),
    "without URL, preferred to another article's": ([NEXT, PLAIN], 1, "plain"),
    "only another article's": ([NEXT], 1, None),
    "page without id: the one without URL": ([NEXT, PLAIN], None, "plain"),
    "page without id: the first": ([NEXT, OWN], None, "next"),
    "no JSON-LD": ([], 1, None),
}


@pytest.mark.parametrize(("objects", "post_id", "expected"), OWN_NEWS.values(), ids=OWN_NEWS)
def test_news_article_is_the_pages_own(objects, post_id, expected):
    assert read("".join(map(ld, objects))).news_article(post_id).get("headline") == expected


VALUES = {
    "text": (" a  b ", "a b"),
    "escaped twice": ("L&amp;#39;eau", "L'eau"),
    "list": (["a", "b"], "a"),
    "empty list": ([], None),
    "object with a name": ({"name": "a"}, "a"),
    "object with a value": ({"@type": "Date", "@value": "a", "name": "b"}, "a"),
    "object with an id": ({"@id": "a"}, "a"),
    "list of objects": ([{"name": "a"}], "a"),
    "number": (3, "3"),
    "boolean": (True, None),
    "null": (None, None),
    "blank": ("  ", None),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_text_of(value, expected):
    assert head.text_of(value) == expected


@pytest.mark.parametrize("items", [None, "x", {}, []], ids=repr)
def test_invalid_breadcrumbs_are_ignored(items):
    assert read(ld({"@type": "BreadcrumbList", "itemListElement": items})).breadcrumbs == ()


def test_breadcrumbs_are_in_the_order_of_their_positions():
    items = [{"name": "C", "position": "3"}, {"name": "A", "position": 1}, {"name": "B", "position": 2.0}]
    assert read(ld({"@type": "BreadcrumbList", "itemListElement": items[:2]})).breadcrumbs == ("A", "C")
    assert read(ld({"@type": "BreadcrumbList", "itemListElement": items[::2]})).breadcrumbs == ("B", "C")


# --- rejected pages ---------------------------------------------------------------------------------------------------

PAD = b"<p>" + b"x" * 100
BYTES = {
    "a page": (b"<!doctype html>" + PAD, None),
    "no bytes": (b"", (Rejection.EMPTY, "an empty response (0 bytes)")),
    "only white space": (b" \n" * 99, (Rejection.EMPTY, "an empty response (198 bytes)")),
    "a dozen bytes": (b"RssList.html", (Rejection.TINY, "only 12 bytes")),
    "63 bytes": (b"x" * 63, (Rejection.TINY, "only 63 bytes")),
    "64 bytes": (b"x" * 64, None),
    "PDF": (b"%PDF-1.7" + PAD, (Rejection.BINARY, "a PDF file")),
    "PNG": (b"\x89PNG" + PAD, (Rejection.BINARY, "an image")),
    "JPEG": (b"\xff\xd8\xff\xe0" + PAD, (Rejection.BINARY, "an image")),
    "GIF": (b"GIF89a" + PAD, (Rejection.BINARY, "an image")),
    "ZIP": (b"PK\x03\x04" + PAD, (Rejection.BINARY, "a ZIP file")),
    "gzip": (b"\x1f\x8b" + PAD, (Rejection.BINARY, "compressed data")),
    "feed": (b'<?xml version="1.0"?>\n<!-- x --> <rss>' + PAD, (Rejection.XML, "XML (rss), a feed or a sitemap")),
    "feed after a byte order mark": (b"\xef\xbb\xbf<feed>" + PAD, (Rejection.XML, "XML (feed), a feed or a sitemap")),
    "sitemap": (b"<urlset>" + PAD, (Rejection.XML, "XML (urlset), a feed or a sitemap")),
    "XHTML": (b'<?xml version="1.0"?><html>' + PAD, None),
    "JSON object": (b'{"data": 1}' + PAD, (Rejection.JSON, "JSON")),
    "JSON list": (b' [{"data": 1}]' + PAD, (Rejection.JSON, "JSON")),
    "template in braces": (b"{% if x %}" + PAD, None),
}


@pytest.mark.parametrize(("body", "expected"), BYTES.values(), ids=BYTES)
def test_of_bytes(body, expected):
    assert classify.of_bytes(body) == expected


LONG = "<p>" + "mot " * 1000
AN_ARTICLE = '<meta property="og:type" content="article">'
CANONICAL = '<link rel="canonical" href="{}">'
PAGES = {
    "article": ("<title>Le riz</title><p>Le riz", URL, None),
    "block page": ("<title>Just a moment...</title><p>Checking your browser", URL, Rejection.BLOCK_PAGE),
    "block page in French": ("<h1>Accès refusé</h1>", URL, Rejection.BLOCK_PAGE),
    "soft 404": ("<h1>Page introuvable</h1>", URL, Rejection.SOFT_404),
    "soft 404 in Vietnamese": ("<p>Đường dẫn này không tồn tại", URL, Rejection.SOFT_404),
    "error page": ("<title>502 Bad Gateway</title>", URL, Rejection.ERROR_PAGE),
    "article about errors": (f"{AN_ARTICLE}<h1>Erreur 404 : captcha et maintenance</h1>", URL, None),
    "article about errors without metadata": (
        f"<title>La maintenance des 500 captcha</title><div class=article__body><p>{'mot ' * 50}",
        URL,
        None,
    ),
    "message in the place of an article": ("<div class=article__body><p>Page introuvable", URL, Rejection.SOFT_404),
    "500 of something": ("<h1>500 entreprises</h1><p>Il y a 502 navires.", URL, None),
    "number of an error": ("<p>Erreur 500", URL, Rejection.ERROR_PAGE),
    "article that is not published yet": ("<p>Cet article n’est pas encore publié.", URL, Rejection.SOFT_404),
    "wrong address": ("<p>L’adresse que vous avez saisie est incorrecte.", URL, Rejection.SOFT_404),
    "blocked address": ("<p>Votre adresse IP a été bloquée", URL, Rejection.BLOCK_PAGE),
    "not-found words in the text of a long page": (f"{LONG}<p>page introuvable", URL, None),
    "removed page": ("<h1>Cette page a été supprimée</h1>", URL, Rejection.SOFT_404),
    "removed article": ("<p>L’article demandé n’est plus en ligne.", URL, Rejection.SOFT_404),
    "unavailable content": ("<title>Contenu indisponible</title>", URL, Rejection.SOFT_404),
    "removed article in Vietnamese": ("<p>Bài viết đã bị gỡ bỏ", URL, Rejection.SOFT_404),
    "removed page in English": ("<p>The page you requested could not be found.", URL, Rejection.SOFT_404),
    "removed page in a heading beside a menu": (f"<h1>Article retiré</h1>{'menu ' * 300}", URL, Rejection.SOFT_404),
    "temporarily unavailable page": ("<p>La page est temporairement indisponible", URL, Rejection.ERROR_PAGE),
    "maintenance in Vietnamese": ("<p>Hệ thống đang bảo trì", URL, Rejection.ERROR_PAGE),
    "question for humans": ("<p>Vérifiez que vous êtes humain", URL, Rejection.BLOCK_PAGE),
    "too many requests": ("<h1>Trop de requêtes</h1>", URL, Rejection.BLOCK_PAGE),
    "removed content in a text": (f"<p>L’article 5 du code a été supprimé. {'mot ' * 200}", URL, None),
    "removed page in a heading of a long page": (f"<h2>Une page Facebook supprimée</h2>{LONG}", URL, None),
    "not-found words in a heading of a long page": (f"<h2>Page introuvable</h2>{LONG}", URL, Rejection.SOFT_404),
    "not-found words in the fourth heading of a long page": (
        f"<h1>a</h1><h2>b</h2><h2>c</h2><h2>Page introuvable</h2>{LONG}",
        URL,
        None,
    ),
    "canonical: home": (AN_ARTICLE + CANONICAL.format("/"), URL, Rejection.HOME_PAGE),
    "canonical: section": (CANONICAL.format("/politique/"), URL, Rejection.SECTION_PAGE),
    "canonical: topic": (CANONICAL.format("/topic/x-1.vnp"), URL, Rejection.TOPIC_PAGE),
    "canonical: search": (CANONICAL.format("/search.vnp"), URL, Rejection.SEARCH_PAGE),
    "canonical: mobile home": (CANONICAL.format("https://m.fr.vietnamplus.vn/"), URL, Rejection.HOME_PAGE),
    "canonical: another host": (CANONICAL.format("https://example.org/"), URL, None),
    "canonical: another article": (CANONICAL.format("/b-post2.vnp"), URL, None),
    "no canonical, URL of a section": ("<p>x", f"{ROOT}/politique/", Rejection.SECTION_PAGE),
    "no canonical, URL of a feed": ("<p>x", f"{ROOT}/rss/home.rss", Rejection.FEED),
    "no canonical, URL of a sitemap": ("<p>x", f"{ROOT}/sitemap.xml", Rejection.SITEMAP),
    "no canonical, URL of an unknown kind": ("<p>x", f"{ROOT}/x/y.html", None),
    "frameset": ("<frameset><frame src=x></frameset>", URL, None),
}


@pytest.mark.parametrize(("html", "url", "expected"), PAGES.values(), ids=PAGES)
def test_of_page(html, url, expected):
    page = tree(html)
    assert classify.of_page(page, head.read(page, url), url) == expected


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["NewsArticle", "BreadcrumbList", URL, "https://[x", "&amp;amp;"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from("@type @id @graph url mainEntity mainEntityOfPage itemListElement name item headline".split()), inner, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip
FRAGMENT = (
    st.text(max_size=12)
    | VALUE.map(ld)
    | st.builds(
        '<meta property="{}" content="{}">'.format, st.sampled_from(["og:type", "og:title", ""]), st.text(max_size=8)
    )
    | st.builds(
        CANONICAL.format, st.sampled_from(["https://[x", "/", "//m.fr.vietnamplus.vn/", ""]) | st.text(max_size=8)
    )
    | st.sampled_from(
        "<title> </title> <h1> 404 <body> <frameset> <!-- --> <svg> <template> <![CDATA[ <br> <table><td> <meta <link".split()
    )
)


@settings(max_examples=80, deadline=None)
@given(st.lists(FRAGMENT, max_size=8).map("".join), st.sampled_from([URL, f"{ROOT}/", "https://[x", ""]))
def test_of_page_accepts_any_page(html, url):
    page = tree(html)
    found = head.read(page, url)
    rejection = classify.of_page(page, found, url)
    assert rejection is None or rejection.description
    for post_id in (None, 1):
        own = found.news_article(post_id)
        assert own == {} or own in found.news
        assert all(isinstance(head.text_of(value), str | None) for value in own.values())


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_of_bytes_accepts_any_bytes(body):
    reason = classify.of_bytes(body)
    assert reason or len(body.strip()) >= 64


@pytest.mark.parametrize(
    ("form", "visible"),
    [
        ("<label>Rechercher</label><input name=q>", False),
        ("<p>Votre avis</p><textarea></textarea>", False),
        ("<select><option>2026</select> Année", False),
        ("<p>Abonnez-vous</p><button>Envoyer</button>", False),
        ("<input type=hidden name=__VIEWSTATE><p>Un alinéa</p>", True),
        ("<h1>Titre</h1><input name=q><p>Un alinéa</p>", True),
        ("<article><input name=q><p>Un alinéa</p></article>", True),
        ("<input name=mail>" + "<p>Un alinéa</p>" * 5, True),
    ],
)
def test_a_form_around_running_text_is_visible(form, visible):
    tree = LexborHTMLParser(f"<body><form>{form}</form></body>")
    assert bool(dom.text(tree.body)) is visible
