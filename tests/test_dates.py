"""Times that sites write: zones, order of day and month, half-days; and what is too doubtful to be a time."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.dates import Doubt, read_instant

TIMES = {
    # ISO 8601
    "2026-11-20T10:00:00+07:00": "03:00",
    " 2026-11-20T10:00:00Z\n": "10:00",
    "2026-11-20T10:00:00.123456Z": "10:00",
    "2026-11-20T10:00:00+0700": "03:00",
    "2026-11-20T10:00:00+07": "03:00",
    "2026-11-20t10:00z": "10:00",
    "2026-11-20 10:00": "03:00",
    "2026-11-20": "17:00 the day before",
    "20261120T100000Z": "10:00",
    "2026-11-20T10:00+07:00[Asia/Ho_Chi_Minh]": "03:00",
    "2026-11-20T23:59:60Z": "23:59",
    # RFC 822, and what programs write for it
    "Fri, 20 Nov 2026 10:00:00 +0700": "03:00",
    "Fri, 20 Nov 2026 10:00:00": "03:00",
    "20 Nov 26 10:00 GMT": "10:00",
    "Friday, 20-Nov-26 10:00:00 GMT": "10:00",
    "Fri, 20 Nov 2026 10:00:00 GMT+7": "03:00",
    "Fri, 20 Nov 2026 10:00:00 UTC+07:00": "03:00",
    "Fri, 20 Nov 2026 10:00:00 -0500": "15:00",
    "Fri, 20 Nov 2026 10:00:00 EST": "15:00",
    "Fri, 20 Nov 2026 10:00:00 ICT": "03:00",
    "Fri, 20 Nov 2026 10:00:00 CET": "09:00",
    "Fri, 20 Nov 2026 10:00:00 Asia/Ho_Chi_Minh": "03:00",
    "Fri, 20 Nov 2026 10:00:00 +0700 (ICT)": "03:00",
    "Fri, 20 Nov 2026 10:00:00 (GMT+7)": "03:00",
    "Fri Nov 20 10:00:00 ICT 2026": "03:00",
    "Fri Nov 20 2026 10:00:00 GMT+0700 (Indochina Time)": "03:00",
    "ven., 20 nov. 2026 10:00:00 +0700": "03:00",
    # visible dates
    "20/11/2026 14:30": "07:30",
    "20/11/2026 - 14:30": "07:30",
    "14:30 | 20/11/2026": "07:30",
    "20.11.2026 14h30": "07:30",
    "20-11-2026 14h": "07:00",
    "20/11/2026 2:30 PM": "07:30",
    "20/11/2026 02:30 CH": "07:30",
    "20/11/2026 14:30 CH": "07:30",
    "20/11/2026 7:30 SA": "00:30",
    "20/11/2026 12:30 p.m.": "05:30",
    "20/11/2026 12:30 AM": "17:30 the day before",
    "vendredi 20 novembre 2026 à 14h30": "07:30",
    "November 20, 2026 2:30 pm": "07:30",
    "Thứ Sáu, 20/11/2026 14:30 (GMT+7)": "07:30",
    "20 tháng 11 năm 2026, 14:30": "07:30",
    unicodedata.normalize("NFD", "20 tháng 11 năm 2026, 14:30"): "07:30",
    "20/11/2026\u00a014:30": "07:30",
    # epoch numbers
    "1795168800": "10:00",
    "1795168800.0": "10:00",
    "1795168800000": "10:00",
}
DAYS = {
    "05/11/2026 07:00": "2026-11-05",
    "1er mai 2026 07:00": "2026-05-01",
    "mar. 17 mars 2026 07:00": "2026-03-17",
    "March 17, 2026 07:00": "2026-03-17",
    "3 août 2026 07:00": "2026-08-03",
    "Sun, 06 Nov 94 07:00 ICT": "1994-11-06",
}
DOUBTS = {
    "": Doubt.NOT_A_TIME,
    "hier": Doubt.NOT_A_TIME,
    "241105": Doubt.NOT_A_TIME,
    "https://fr.vietnamplus.vn/2026/11/20/x": Doubt.NOT_A_TIME,
    "2026": Doubt.NOT_A_TIME,
    "2026-11": Doubt.NOT_A_TIME,
    "14:30": Doubt.NOT_A_TIME,
    "Fri Nov 20 10:00:00 ICT": Doubt.NOT_A_TIME,
    "20/11/2026 14:30 20/11/2026": Doubt.NOT_A_TIME,
    "1" * 200: Doubt.NOT_A_TIME,
    "0": Doubt.NOT_A_TIME,
    "31/02/2026": Doubt.IMPOSSIBLE,
    "2026-13-01": Doubt.IMPOSSIBLE,
    "2026-02-30T10:00:00Z": Doubt.IMPOSSIBLE,
    "Fri, 20 Nov 2026 25:00:00": Doubt.IMPOSSIBLE,
    "Fri, 20 Nov 2026 24:00:00": Doubt.IMPOSSIBLE,
    "11/20/2026 14:30": Doubt.MONTH_FIRST,
    "20/11/26": Doubt.YEAR,
    "0001-01-01T00:00:00Z": Doubt.YEAR,
    "1970-01-01T00:00:00Z": Doubt.YEAR,
    "Fri, 20 Nov 9999 10:00:00 GMT": Doubt.YEAR,
    "20/11/2026 14:30 AM": Doubt.HALF_DAY,
    "20/11/2026 0:30 PM": Doubt.HALF_DAY,
    "Fri, 20 Nov 2026 10:00:00 IST": Doubt.ZONE,
    "Fri, 20 Nov 2026 10:00:00 XYZ": Doubt.ZONE,
    "Fri, 20 Nov 2026 10:00:00 +2500": Doubt.ZONE,
    "Fri, 20 Nov 2026 10:00:00 +0799": Doubt.ZONE,
    "Fri, 20 Nov 2026 10:00:00 +0700 GMT": Doubt.ZONE,
    "Fri, 20 Nov 2026 10:00:00 (heure locale)": Doubt.ZONE,
    "Fri, 20 Nov 2026 10:00:00 (7)": Doubt.ZONE,
}


@pytest.mark.parametrize(("text", "expected"), TIMES.items(), ids=TIMES)
def test_times(text, expected):
    """Each text is a time of 20 November 2026, or of the evening before in UTC; `expected` is its time in UTC."""
    when, doubt = read_instant(text)
    clock, _, before = expected.partition(" ")
    day = 19 if before else 20
    assert (when, doubt) == (datetime(2026, 11, day, int(clock[:2]), int(clock[3:]), when.second, tzinfo=UTC), None)


@pytest.mark.parametrize(("text", "expected"), DAYS.items(), ids=DAYS)
def test_order_of_day_and_month(text, expected):
    assert read_instant(text) == (datetime.fromisoformat(f"{expected}T00:00:00Z"), None)


@pytest.mark.parametrize(("text", "expected"), DOUBTS.items(), ids=[text[:50] for text in DOUBTS])
def test_a_doubtful_text_gives_no_time(text, expected):
    assert read_instant(text) == (None, expected)


def test_the_offset_is_kept():
    assert read_instant("2026-11-20T10:00:00-05:00")[0].utcoffset().total_seconds() == -5 * 3600
    assert read_instant("1795168800")[0].utcoffset().total_seconds() == 7 * 3600


@given(st.text(max_size=60) | st.text("0123456789/-:. tTzZ+GMThàứ(),[]", max_size=40))
def test_any_text_is_a_time_or_a_doubt(text):
    when, doubt = read_instant(text)
    assert (when is None) != (doubt is None)
    assert when is None or (when.tzinfo is not None and 1990 <= when.year <= 2100)
