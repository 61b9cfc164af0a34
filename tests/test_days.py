"""Days and periods as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from crawler import days, query
from crawler.errors import BadInput

TODAY = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-01-31", "2024-01-31", "2024-01-31"),
        ("20240131", "2024-01-31", "2024-01-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2023", "2023-01-01", "2023-12-31"),
        ("today", "2024-03-01", "2024-03-01"),
        (" Yesterday ", "2024-02-29", "2024-02-29"),
        ("0d", "2024-03-01", "2024-03-01"),
        ("1d", "2024-02-29", "2024-02-29"),
        ("2w", "2024-02-16", "2024-02-16"),
    ],
)
def test_a_period_has_a_first_and_a_last_day(text, first, last):
    assert tuple(day.isoformat() for day in days.period(text, TODAY)) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["", "2024-13", "2024-02-30", "0000", "tomorrow", "d", "-1d", "3 d", "999999d", "3m", "2024/01/31", "٣d", "24-01"],
)
def test_other_texts_are_no_day(text):
    with pytest.raises(BadInput):
        days.period(text, TODAY)


@pytest.mark.parametrize("text", ["today", "yesterday", "3d"])
def test_without_the_present_day_a_period_must_have_a_date(text):
    assert days.period("2024-02", None) == days.period("2024-02", TODAY)
    with pytest.raises(BadInput):
        days.period(text, None)


@pytest.mark.parametrize(
    ("since", "until"), [(None, None), ("2024-01-01", None), (None, "2024-01-01"), ("2024-01-01", "2024-01-01")]
)
def test_a_period_may_be_one_day_or_have_no_limit(since, until):
    days.check_order(since, until)


def test_a_period_does_not_end_before_it_begins():
    with pytest.raises(BadInput):
        days.check_order("2024-01-02", "2024-01-01")


def test_a_filter_of_a_query_names_a_period_in_the_same_forms():
    wanted = query.parse("x since:2024-02 until:2024-02", today=TODAY)
    assert (wanted.since, wanted.until) == ("2024-02-01", "2024-02-29")
    assert query.parse("x since:yesterday", today=TODAY).since == "2024-02-29"
