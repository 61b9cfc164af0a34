"""When to come back, and what an answer means for a row: a table of examples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import policy
from crawler.types import PageForFetch, PageOutcome, SourceOutcome

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def span(text):
    return timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])


def page(state="known", failures=0):
    return PageForFetch(1, "https://fr.vietnamplus.vn/a-post1.vnp", state, failures, NOW - span("9d"), '"e"', None)


# --- checks of a known article ----------------------------------------------------------------------------------------

CHECKS = {
    "just published": ("0s", "15m"),
    "two hours old": ("2h", "15m"),
    "three hours old": ("3h", "1h"),
    "23 hours old": ("23h", "1h"),
    "a day old": ("1d", "3h"),
    "six days old": ("6d", "3h"),
    "a week old": ("7d", "3d"),
    "a month old": ("30d", "30d"),
    "364 days old": ("364d", "30d"),
    "a year old: settled": ("365d", None),
    "ten years old": ("3650d", None),
}


@pytest.mark.parametrize(("age", "expected"), CHECKS.values(), ids=CHECKS)
def test_the_older_the_rarer(age, expected):
    due = policy.next_check(NOW, NOW - span(age), NOW)
    assert due == (NOW + span(expected) if expected else None)


SINCE = {
    "publication time unknown": (None, "4h", "1h"),
    "publication time ahead": (NOW + span("1d"), "4h", "1h"),
    "publication time now": (NOW, "8d", "15m"),
    "an old article seen today for the first time": (NOW - span("400d"), "0s", None),
}


@pytest.mark.parametrize(("published", "seen", "expected"), SINCE.values(), ids=SINCE)
def test_age_counts_from_publication_else_from_the_first_sighting(published, seen, expected):
    due = policy.next_check(NOW, published, NOW - span(seen))
    assert due == (NOW + span(expected) if expected else None)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_a_younger_article_is_never_checked_later_than_an_older_one(one, other):
    younger, older = (policy.next_check(NOW, NOW - timedelta(days=d), NOW) for d in sorted((one, other)))
    assert older is None or (younger is not None and NOW < younger <= older)


# --- failures ---------------------------------------------------------------------------------------------------------

RETRIES = {1: "5m", 2: "10m", 3: "20m", 7: "320m", 11: "5120m", 12: "7d", 100: "7d", 10_000: "7d"}


@pytest.mark.parametrize(("failures", "expected"), RETRIES.items(), ids=lambda value: f"after {value}")
def test_waits_double_up_to_a_week(failures, expected):
    assert policy.retry_at(NOW, failures) == NOW + span(expected)


FAILED = {
    "a new page, first failure": (page(), PageOutcome("failed", NOW + span("5m"), "why", 1)),
    "a failed page, again": (page("failed", 1), PageOutcome("failed", NOW + span("10m"), "why", 2)),
    "the seventh failure in a row": (page("failed", 6), PageOutcome("failed", NOW + span("320m"), "why", 7)),
    "the eighth: it waits for a human": (page("failed", 7), PageOutcome("failed", None, "why", 8)),
    "an article that is held stays live": (page("live"), PageOutcome("live", NOW + span("5m"), "why", 1)),
    "an article under suspicion stays so": (page("suspect", 1), PageOutcome("suspect", NOW + span("10m"), "why", 2)),
    "an article that is held is never given up": (page("live", 40), PageOutcome("live", NOW + span("7d"), "why", 41)),
}


@pytest.mark.parametrize(("before", "expected"), FAILED.values(), ids=FAILED)
def test_a_page_that_could_not_be_had(before, expected):
    assert policy.failed(before, NOW, "why") == expected


def test_a_page_that_could_not_be_read_says_so():
    assert policy.failed(page(), NOW, "why", state="drift").state == "drift"
    assert policy.failed(page("live"), NOW, "why", state="drift").state == "live"


GONE = {
    "first answer": (page("live"), PageOutcome("suspect", NOW + span("5m"), "404", 1)),
    "second answer": (page("suspect", 1), PageOutcome("suspect", NOW + span("10m"), "404", 2)),
    "third answer": (page("suspect", 2), PageOutcome("gone", None, "404", 3)),
    "any later answer": (page("gone", 7), PageOutcome("gone", None, "404", 8)),
}


@pytest.mark.parametrize(("before", "expected"), GONE.values(), ids=GONE)
def test_an_article_is_gone_only_after_repeats(before, expected):
    assert policy.gone(before, NOW, "404") == expected


# --- sources ----------------------------------------------------------------------------------------------------------

INTERVALS = {
    "news_sitemap": "15m",
    "feed": "15m",
    "home": "30m",
    "section": "1h",
    "sitemap": "3h",
    "sitemap_index": "12h",
}


@pytest.mark.parametrize(("kind", "expected"), INTERVALS.items())
def test_sources_are_polled_by_their_kind(kind, expected):
    assert policy.source_due(NOW, kind) == NOW + span(expected)


def test_a_failing_source_is_tried_again_soon():
    expected = SourceOutcome("failing", NOW + span("10m"), error="why", failures=2)
    assert policy.source_failed(NOW, 2, "why", absent=False) == expected


def test_a_source_that_is_not_there_is_asked_for_once_a_week():
    expected = SourceOutcome("absent", NOW + span("7d"), error="404", failures=1)
    assert policy.source_failed(NOW, 1, "404", absent=True) == expected
