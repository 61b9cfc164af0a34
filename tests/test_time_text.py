"""Times written in the text or the attributes of a page: formats, half-days, zones, labels, and what is doubtful."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.parse import time_text, times
from crawler.parse.times import DateCandidate

HANOI = timezone(timedelta(hours=7))
NOW = datetime(2026, 12, 1, tzinfo=UTC)
A_DAY = datetime(2026, 11, 20, tzinfo=HANOI)
MORNING = A_DAY.replace(hour=10)
AFTERNOON = A_DAY.replace(hour=14, minute=30)
EVENING = A_DAY.replace(hour=20, minute=30)
FROM_GMT = A_DAY.replace(hour=17)

FORMATS = {
    # e-mail, HTTP and programs
    "Fri, 20 Nov 2026 10:00:00 GMT": FROM_GMT,
    "Fri, 20 Nov 2026 10:00 UT": FROM_GMT,
    "Fri, 20 Nov 2026 10:00:00 +0000": FROM_GMT,
    "Fri, 20 Nov 2026 17:00:00 +0700": FROM_GMT,
    "20 Nov 26 10:00 GMT": FROM_GMT,
    "Friday, 20-Nov-26 10:00:00 GMT": FROM_GMT,
    "Sunday, 06-Nov-94 08:49:37 GMT": datetime(1994, 11, 6, 15, 49, 37, tzinfo=HANOI),
    "Fri Nov 20 10:00:00 2026": MORNING,
    "Fri Nov 20 10:00:00 UTC 2026": FROM_GMT,
    "Fri Nov 20 2026 17:00:00 GMT+0700 (Indochina Time)": FROM_GMT,
    "20261120T103000Z": A_DAY.replace(hour=17, minute=30),
    "20261120143000": AFTERNOON,
    "20261120143000+0700": AFTERNOON,
    "2026-11-20T10:00:00,123+07": MORNING,
    "2026-11-20T10:00:00+07:00[Asia/Ho_Chi_Minh]": MORNING,
    "2026-11-20 10:00:00 UTC": FROM_GMT,
    "2026-11-20T10Z": FROM_GMT,
    "2026-11-20T17+07:00": FROM_GMT,
    "2026-11-20T17": FROM_GMT,
    "/Date(1795168800000)/": FROM_GMT,
    "/Date(1795168800000+0700)/": FROM_GMT,
    # French
    "Vendredi 20 novembre 2026 à 20h30": EVENING,
    "ven. 20 nov. 2026, 20 h 30": EVENING,
    "le 20 novembre 2026 à 20 heures 30": EVENING,
    "20 novembre 2026 20h": EVENING.replace(minute=0),
    "20 novembre 2026, 20 h 30 min 05 s": EVENING.replace(second=5),
    "1er février 2026": datetime(2026, 2, 1, tzinfo=HANOI),
    "1er fevrier 2026": datetime(2026, 2, 1, tzinfo=HANOI),
    "1 er février 2026": datetime(2026, 2, 1, tzinfo=HANOI),
    "20 novembre 2026 à 14 h. 30": AFTERNOON,
    "20/11/2026 14h.30": AFTERNOON,
    "20novembre 2026 14h30": AFTERNOON,
    "20 novembre2026 14h30": AFTERNOON,
    "1ermars2026": datetime(2026, 3, 1, tzinfo=HANOI),
    "15 DÉCEMBRE 2025": datetime(2025, 12, 15, tzinfo=HANOI),
    "20 juil. 2026 à midi": datetime(2026, 7, 20, 12, tzinfo=HANOI),
    # figures
    "20/11/2026 14:30": AFTERNOON,
    "05/11/2026": datetime(2026, 11, 5, tzinfo=HANOI),
    "20-11-2026 14:30": AFTERNOON,
    "20.11.2026 14.30": AFTERNOON,
    "20/11/2026 -14:30": AFTERNOON,
    "2026/11/20 14:30": AFTERNOON,
    "14:30 | 20/11/2026": AFTERNOON,
    "２０/１１/２０２６ １４:３０": AFTERNOON,
    "20\u204411\u20442026 14\u223630": AFTERNOON,
    "20\u221511\u22152026 14\ua78930": AFTERNOON,
    "20/11/2026\u00a014:30 VNA": AFTERNOON,
    "20/11/2026 14:30 A+ A-": AFTERNOON,
    "20/11/2026 14:30 | 3 min de lecture, 1 234 vues": AFTERNOON,
    "Lu 1.254 fois - 20/11/2026 14:30 | 1,2k partages": AFTERNOON,
    # English and Vietnamese
    "November 20th, 2026 at 2:30 pm": AFTERNOON,
    "20th of November 2026": A_DAY,
    "Thứ Sáu, 20/11/2026 - 14:30": AFTERNOON,
    "Thứ 6, ngày 20 tháng 11 năm 2026, 14 giờ 30": AFTERNOON,
    "20 Tháng Mười Một, 2026": A_DAY,
    "20 tháng giêng 2026": datetime(2026, 1, 20, tzinfo=HANOI),
    "20 thg 11, 2026 14:30": AFTERNOON,
    "T6, 20 Thg11 2026 14:30:00 +0700": AFTERNOON,
    "Chủ nhật, 22/11/2026": datetime(2026, 11, 22, tzinfo=HANOI),
}
HALF_DAYS = {
    "20/11/2026 2:30:00 PM": AFTERNOON,
    "20/11/2026 2.30 p.m.": AFTERNOON,
    "20/11/2026 PM 2:30": AFTERNOON,
    "20/11/2026 2:30 PM +0700": AFTERNOON,
    "2026-11-20 2:30 PM": AFTERNOON,
    "20/11/2026 2 PM": AFTERNOON.replace(minute=0),
    "20/11/2026 10:00 a. m.": MORNING,
    "20/11/2026 12:30 AM": A_DAY.replace(minute=30),
    "20/11/2026 12:30 PM": A_DAY.replace(hour=12, minute=30),
    "20/11/2026 02:30 CH": AFTERNOON,
    "20/11/2026 02:30 ch": AFTERNOON,
    "20/11/2026 10:00 SA": MORNING,
    "20/11/2026 12:30 SA": A_DAY.replace(minute=30),
    "20/11/2026 10 giờ sáng": MORNING,
    "20/11/2026 2 giờ 30 chiều": AFTERNOON,
    "20/11/2026 8:30 tối": EVENING,
    "20/11/2026 20:30 tối": EVENING,
    "20/11/2026 1:00 trưa": A_DAY.replace(hour=13),
    "20/11/2026 11:00 đêm": A_DAY.replace(hour=23),
    "20/11/2026 à 2h30 de l’après-midi": AFTERNOON,
    "20/11/2026 à 8h30 du soir": EVENING,
    "20/11/2026 à 10h du matin": MORNING,
}
ZONES = {
    "20/11/2026 17:00 GMT+7": FROM_GMT,
    "20/11/2026 17:00 (GMT+7)": FROM_GMT,
    "20/11/2026 17:00 (UTC+07:00)": FROM_GMT,
    "20/11/2026 17:00 GMT + 07:00": FROM_GMT,
    "20/11/2026 17:00 UTC/GMT+7": FROM_GMT,
    "20/11/2026 17:00 ICT": FROM_GMT,
    "20/11/2026 17:00 ICT (GMT+7)": FROM_GMT,
    "20/11/2026 17:00 Asia/Saigon": FROM_GMT,
    "20/11/2026 17:00 (heure de Hanoï)": FROM_GMT,
    "20/11/2026 17:00, heure du Vietnam": FROM_GMT,
    "20/11/2026 17:00 giờ Hà Nội": FROM_GMT,
    "20/11/2026 10:00 gmt": FROM_GMT,
    "10:00 GMT 20/11/2026": FROM_GMT,
    "20/11/2026 10:00 GMT 3 min de lecture": FROM_GMT,
    "20/11/2026 10:00Z": FROM_GMT,
    "20/11/2026 à 10h00 TU": FROM_GMT,
    "20/11/2026 11:00 CET": FROM_GMT,
    "20/11/2026 12:00 CEST": FROM_GMT,
    "20/11/2026 05:00 EST": FROM_GMT,
    "20/11/2026 02:00 PST": FROM_GMT,
    "20/11/2026 04:30 GMT-0530": FROM_GMT,
    "2026-11-20T15:00:00+5:00": FROM_GMT,
    "Fri, 20 Nov 2026 17:00:00 +700": FROM_GMT,
    "Fri, 20 Nov 2026 05:00:00 -5": FROM_GMT,
    "20/11/2026 17:00 +5 commentaires": FROM_GMT,
}


@pytest.mark.parametrize(("raw", "expected"), (FORMATS | HALF_DAYS | ZONES).items(), ids=FORMATS | HALF_DAYS | ZONES)
def test_one_time(raw, expected):
    stated = time_text.read(raw)
    assert (stated.published, stated.modified, stated.doubts) == (expected, None, ())
    assert times.instant(raw) == expected


@pytest.mark.parametrize("raw", ["2026-11-20T10:00:00+15:00", "2026-11-20T10:00:00-14:30", "2026-11-20T10-23:00"])
def test_an_offset_that_no_zone_has_leaves_no_time(raw):
    assert times.instant(raw) is None


def test_times_that_are_not_iso_8601_are_in_hanoi_time():
    assert times.instant("Fri, 20 Nov 2026 10:00:00 GMT").isoformat() == "2026-11-20T17:00:00+07:00"
    assert times.instant("2026-11-20T10:00:00Z").isoformat() == "2026-11-20T10:00:00+00:00"


#: Texts whose time is unknown, with the reason.
UNKNOWN = {
    "20/11/2026 10:00 BST": "the time zone 'BST' is unknown or ambiguous",
    "20/11/2026 10:00 (IST)": "the time zone 'IST' is unknown or ambiguous",
    "Fri, 20 Nov 2026 10:00:00 XYZ": "the time zone 'XYZ' is unknown or ambiguous",
    "20/11/2026 10:00 A": "the time zone 'A' is unknown or ambiguous",
    "20/11/2026 10:00 Europe/Paris": "the time zone 'Europe/Paris' is unknown or ambiguous",
    "20/11/2026 10:00, heure de Paris": "the time zone 'Paris' is unknown or ambiguous",
    "20/11/2026 10:00 (Central Africa Time)": "the time zone 'Central Africa' is unknown or ambiguous",
    "20/11/2026 10:00 GMT+15": "the offset 'GMT+15' is impossible",
    "20/11/2026 10:00 GMT+07:75": "the offset 'GMT+07:75' is impossible",
    "20/11/2026 10:00 +07:00:00": "the offset '+07:00:00' is not understood",
    "2026-11-20T10:00:00 +07000": "the offset '+07000' is not understood",
    "20/11/2026 10:00 GMT 7": "the offset 'GMT 7' has no sign",
    "20/11/2026 10:00 (UTC 7)": "the offset 'UTC 7' has no sign",
    "Fri, 20 Nov 2026 10:00:00 GMT07": "the offset 'GMT07' has no sign",
    "20/11/2026 10:00 CET (GMT+7)": "it states several time zones",
    "20/11/2026 14:30 AM": "the hour 14 contradicts the half-day",
    "20/11/2026 0:30 PM": "the hour 0 contradicts the half-day",
    "20/11/2026 12:00 tối": "the hour 12 contradicts the half-day",
    "20/11/2026 25:00": "the time of day is impossible",
    "20/11/2026 à minuit": "the time of day is impossible",
    "20/11/2026 08:30 | 09:45": "it states several times of day",
    "20/11/2026 PM": "it states a half-day without a time",
    "31/02/2026 10:00": "the date is impossible",
    "11/20/2026 10:00": "the date is impossible",
    "20 brumaire 2026": "the date is impossible",
    "20 jui 2026": "the date is impossible",
    "20 tháng 13 năm 2026": "the date is impossible",
    "20/11/2026 - 21/11/2026": "it states several dates",
    "Publié le 20/11/2026. Publié le 21/11/2026": "it states several times",
}


@pytest.mark.parametrize(("raw", "doubt"), UNKNOWN.items(), ids=UNKNOWN)
def test_an_unknown_time_is_left_out_with_a_reason(raw, doubt):
    stated = time_text.read(raw)
    assert (stated.published, stated.modified, stated.doubts) == (None, None, (doubt,))
    assert times.instant(raw) is None
    chosen = times.choose([DateCandidate("meta", raw)], NOW)
    assert chosen.iso is None
    assert chosen.problems == (f"published_at: meta: {doubt}: {raw!r}", "published_at: none on the page")


#: Texts whose time is used, although something in them is wrong.
DOUBTFUL = {
    "20/11/2026 14:30 PM": (AFTERNOON, "14 is no hour of a 12-hour clock"),
    "Lundi 20/11/2026 14:30": (AFTERNOON, "the date is on another day of the week"),
    "Thứ Ba, 20/11/2026 14:30": (AFTERNOON, "the date is on another day of the week"),
    "20/11/2026 14:30 | 345": (AFTERNOON, "'345' is not understood"),
}


@pytest.mark.parametrize(("raw", "expected", "doubt"), [(r, *e) for r, e in DOUBTFUL.items()], ids=DOUBTFUL)
def test_a_doubtful_time_is_used_and_reported(raw, expected, doubt):
    chosen = times.choose([DateCandidate("meta", raw)], NOW)
    assert chosen.iso == expected.isoformat()
    assert chosen.problems == (f"published_at: meta: {doubt}: {raw!r}",)


PUBLISHED, MODIFIED = datetime(2024, 8, 27, 20, 18, tzinfo=HANOI), datetime(2024, 8, 30, 12, 40, tzinfo=HANOI)
LABELLED = {
    "Mis à jour le 30/08/2024 à 12:40 - Publié le 27/08/2024 à 20:18": (PUBLISHED, MODIFIED),
    "Publié le 27/08/2024 à 20:18 - Mis à jour le 30/08/2024 à 12:40": (PUBLISHED, MODIFIED),
    "Publié le 27/08/2024 à 20h18, modifié le 30/08/2024 à 12h40": (PUBLISHED, MODIFIED),
    "Dernière mise à jour : 30 août 2024 12:40 | Première publication : 27 août 2024 20:18": (PUBLISHED, MODIFIED),
    "Actualisé le 30/08/2024 12:40 (mis en ligne le 27/08/2024 20:18)": (PUBLISHED, MODIFIED),
    "MAJ 30/08/2024 12:40 / Paru 27/08/2024 20:18": (PUBLISHED, MODIFIED),
    "Cập nhật: 30/08/2024 12:40 CH - Ngày đăng: 27/08/2024 08:18 CH": (PUBLISHED, MODIFIED),
    "Đăng lúc 20:18 ngày 27/08/2024; cập nhật lúc 12:40 ngày 30/08/2024": (PUBLISHED, MODIFIED),
    "Xuất bản: 27/08/2024 20:18. Chỉnh sửa: 30/08/2024 12:40": (PUBLISHED, MODIFIED),
    "Updated: Aug 30, 2024 12:40 PM | Posted: Aug 27, 2024 8:18 PM": (PUBLISHED, MODIFIED),
    "27/08/2024 20:18 (mis à jour le 30/08/2024 12:40)": (PUBLISHED, MODIFIED),
    "27/08/2024 20:18 (publié), 30/08/2024 12:40 (mis à jour)": (PUBLISHED, MODIFIED),
    "Mis à jour le 30/08/2024 05:40 GMT, publié le 27/08/2024 15:18 CEST": (PUBLISHED, MODIFIED),
    "20:18, publié le 27/08/2024 ; modifié le 30/08/2024 à 12:40": (PUBLISHED, MODIFIED),
    "Publié le 27/08/2024 à 20:18, mis à jour à 22:40": (PUBLISHED, PUBLISHED.replace(hour=22, minute=40)),
    "Publié le 27/08/2024 à 20:18, mis à jour il y a 2 heures": (PUBLISHED, None),
    "27/08/2024 20:18 (rectifié le 30/08/2024 12:40)": (PUBLISHED, MODIFIED),
    "27/08/2024 20:18, édité : 30/08/2024 12:40": (PUBLISHED, MODIFIED),
    "Publiée le 27/08/2024 à 20:18 et complétée à 20:40": (PUBLISHED, PUBLISHED.replace(minute=40)),
    "27/08/2024 20:18 (amended 30/08/2024 12:40)": (PUBLISHED, MODIFIED),
    "Version complète : 27/08/2024 20:18": (PUBLISHED, None),
    "Rédigé le 26/08/2024 10:00, publié le 27/08/2024 20:18": (PUBLISHED, None),
    "Created 26/08/2024, posted 27/08/2024 20:18, updated 30/08/2024 12:40": (PUBLISHED, MODIFIED),
    "Écrit le 27/08/2024 à 20:18": (PUBLISHED, None),
    "Publié par Minh Anh le 27/08/2024 à 20:18": (PUBLISHED, None),
    "30/08/2024 12:40 (mise à jour)": (None, MODIFIED),
    "Dernière modification : 30/08/2024 12:40": (None, MODIFIED),
    "Mis à jour à 12:40": (None, None),
    "Il y a 2 heures": (None, None),
    "Publié hier": (None, None),
}


@pytest.mark.parametrize(("raw", "expected"), LABELLED.items(), ids=LABELLED)
def test_labels_tell_publication_and_change_apart(raw, expected):
    stated = time_text.read(raw)
    assert (stated.published, stated.modified) == expected
    assert stated.doubts == ()


def test_a_change_before_the_publication_is_doubtful():
    stated = time_text.read("Mis à jour le 26/08/2024 - Publié le 27/08/2024")
    assert (stated.published.day, stated.modified.day) == (27, 26)
    assert stated.doubts == ("the change is earlier than the publication",)


def test_a_time_of_change_is_no_time_of_publication():
    candidates = [DateCandidate("visible text", "Mis à jour le 30/08/2024 à 12:40")]
    assert times.choose(candidates, NOW).iso is None
    assert times.choose(candidates, NOW, what="modified_at").iso == MODIFIED.isoformat()


LABELS = {
    "Mis à jour le": "modified",
    "Publié : x, modifié": "modified",
    "Maj. 3, posté": "published",
    "Le 3 mai": None,
}


@pytest.mark.parametrize(("text", "expected"), LABELS.items(), ids=LABELS)
def test_label(text, expected):
    assert time_text.label(text) == expected


LABELS_ALONE = {
    "Mis à jour le": True,
    "Dernière mise à jour :": True,
    "Publié": True,
    "Ngày cập nhật": True,
    "Cập nhật lần cuối": True,
    "Last updated": True,
    "La loi est modifiée": False,
    "Mis à jour le 21/11/2026": False,
    "Publié par Minh Anh": False,
    "Mis à jour " + "le " * 20: False,
    "": False,
}


@pytest.mark.parametrize(("text", "expected"), LABELS_ALONE.items(), ids=LABELS_ALONE)
def test_a_text_that_is_only_a_label(text, expected):
    assert time_text.is_label(text) is expected


def test_a_long_text_states_no_time():
    assert time_text.read("Le 20/11/2026, " + "le navire est arrivé " * 30) == time_text.TimeText()


WORDS = (
    "20/11/2026 31/02/2026 20 nov. novembre 2026 26 14:30 25:00 20h30 2h 14.30 PM CH sáng du soir minuit midi GMT +0700 +99:99 XYZ CET "
    "Publié le Mis à jour | ( ) , - lundi thứ 2 tháng năm heure de Paris il y a 2 heures"
).split(" ")


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_any_text_is_read(text):
    stated = time_text.read(text)
    assert all(when is None or when.utcoffset() == timedelta(hours=7) for when in (stated.published, stated.modified))
