"""Times that sites write: zones, order of day and month, half-days; and what is too doubtful to be a time."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parse.times import instant

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
DOUBTFUL = [
    "",
    "hier",
    "241105",
    "https://fr.vietnamplus.vn/2026/11/20/x",
    "2026",
    "2026-11",
    "14:30",
    "Fri Nov 20 10:00:00 ICT",
    "1" * 200,
    "0",
    "31/02/2026",
    "2026-13-01",
    "2026-02-30T10:00:00Z",
    "Fri, 20 Nov 2026 25:00:00",
    "Fri, 20 Nov 2026 24:00:00",
    "11/20/2026 14:30",
    "20/11/26",
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "Fri, 20 Nov 9999 10:00:00 GMT",
    "20/11/2026 14:30 AM",
    "20/11/2026 0:30 PM",
    "Fri, 20 Nov 2026 10:00:00 IST",
    "Fri, 20 Nov 2026 10:00:00 XYZ",
    "Fri, 20 Nov 2026 10:00:00 +2500",
    "Fri, 20 Nov 2026 10:00:00 +0799",
    "Fri, 20 Nov 2026 10:00:00 +0700 GMT",
]


@pytest.mark.parametrize(("text", "expected"), TIMES.items(), ids=TIMES)
def test_times(text, expected):
    """Each text is a time of 20 November 2026, or of the evening before in UTC; `expected` is its time in UTC."""
    clock, _, before = expected.partition(" ")
    day = 19 if before else 20
    assert instant(text).replace(second=0, microsecond=0) == datetime(
        2026, 11, day, int(clock[:2]), int(clock[3:]), tzinfo=UTC
    )


@pytest.mark.parametrize(("text", "expected"), DAYS.items(), ids=DAYS)
def test_order_of_day_and_month(text, expected):
    assert instant(text) == datetime.fromisoformat(f"{expected}T00:00:00Z")


@pytest.mark.parametrize("text", DOUBTFUL, ids=[text[:50] for text in DOUBTFUL])
def test_a_doubtful_text_gives_no_time(text):
    assert instant(text) is None


@given(st.text(max_size=60) | st.text("0123456789/-:. tTzZ+GMThàứ(),[]", max_size=40))
def test_any_text_can_be_read(text):
    when = instant(text)
    assert when is None or (when.tzinfo is not None and 1989 <= when.year <= 2101)
