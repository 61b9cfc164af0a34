"""When to come back, and what an answer means for a row: a table of examples."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler import schedule
from crawler.errors import Interrupted, Rejection, unless_stopped
from crawler.parse import classify, head
from crawler.types import PageForFetch, PageOutcome

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
SITE = "https://fr.vietnamplus.vn"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def span(text):
    return timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])


def page(state="known", failures=0, visited=None):
    """A page, last visited so long ago."""
    last = (NOW - span(visited)).strftime("%Y-%m-%dT%H:%M:%SZ") if visited else None
    return PageForFetch(1, f"{SITE}/a-post1.vnp", state, failures, NOW - span("9d"), '"e"', None, last)


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
    due = schedule.next_check(NOW, NOW - span(age), NOW)
    assert due == (NOW + span(expected) if expected else None)


HINTED = {
    "just published": ("0s", "1h"),
    "three hours old": ("3h", "6h"),
    "a day old": ("1d", "1d"),
    "a week old": ("7d", "7d"),
    "a month old": ("30d", "60d"),
    "a year old": ("365d", None),
}


@pytest.mark.parametrize(("age", "expected"), HINTED.values(), ids=HINTED)
def test_where_a_source_tells_of_edits_checks_are_rarer(age, expected):
    due = schedule.next_check(NOW, NOW - span(age), NOW, hinted=True)
    assert due == (NOW + span(expected) if expected else None)


# hint and last visit, each so long ago; whether the page had changed; was an edit without a hint, are hints believed
HINTS = {
    "no source gives hints": (None, "1h", True, False, False),
    "a hint, and the edit that it told of": ("1h", "2h", True, False, True),
    "an edit behind the last hint": ("3h", "2h", True, True, False),
    "a hint as old as the last visit": ("2h", "2h", True, True, False),
    "nothing changed": ("3h", "2h", False, False, True),
    "the first visit": ("3h", None, True, False, True),
}


@pytest.mark.parametrize(("hint", "visited", "changed", "missed", "believed"), HINTS.values(), ids=HINTS)
def test_hints_of_edits_are_believed_until_one_is_missed(hint, visited, changed, missed, believed):
    seen = replace(page("live", visited=visited), hinted_at=NOW - span(hint) if hint else None)
    assert schedule.unhinted(seen, changed=changed) is missed
    assert schedule.hinted(seen, missed=missed) is believed
    assert not schedule.hinted(replace(seen, unhinted=1))


SINCE = {
    "publication time unknown": (None, "4h", "1h"),
    "publication time ahead": (NOW + span("1d"), "4h", "1h"),
    "publication time now": (NOW, "8d", "15m"),
    "an old article seen today for the first time": (NOW - span("400d"), "0s", None),
}


@pytest.mark.parametrize(("published", "seen", "expected"), SINCE.values(), ids=SINCE)
def test_age_counts_from_publication_else_from_the_first_sighting(published, seen, expected):
    due = schedule.next_check(NOW, published, NOW - span(seen))
    assert due == (NOW + span(expected) if expected else None)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_a_younger_article_is_never_checked_later_than_an_older_one(one, other):
    younger, older = (schedule.next_check(NOW, NOW - timedelta(days=d), NOW) for d in sorted((one, other)))
    assert older is None or (younger is not None and NOW < younger <= older)


# --- failures ---------------------------------------------------------------------------------------------------------

RETRIES = {1: "5m", 2: "10m", 3: "20m", 7: "320m", 11: "5120m", 12: "7d", 100: "7d", 10_000: "7d"}


@pytest.mark.parametrize(("failures", "expected"), RETRIES.items(), ids=lambda value: f"after {value}")
def test_waits_double_up_to_a_week(failures, expected):
    assert schedule.retry_at(NOW, failures) == NOW + span(expected)


FAILED = {
    "a new page, first failure": (page(), PageOutcome("failed", NOW + span("5m"), "why", 1)),
    "a failed page, again": (page("failed", 1), PageOutcome("failed", NOW + span("10m"), "why", 2)),
    "the seventh failure in a row": (page("failed", 6), PageOutcome("failed", NOW + span("320m"), "why", 7)),
    "the eighth: it is given up": (page("failed", 7), PageOutcome("failed", None, "why", 8)),
    "an article that is held stays live": (page("live"), PageOutcome("live", NOW + span("5m"), "why", 1)),
    "trouble under suspicion is no probe": (page("suspect", 1), PageOutcome("suspect", NOW + span("1h"), "why", 1)),
    "what is gone stays gone": (page("gone", 3), PageOutcome("gone", None, "why", 3)),
    "an article that is held is never given up": (page("live", 40), PageOutcome("live", NOW + span("7d"), "why", 41)),
}


@pytest.mark.parametrize(("before", "expected"), FAILED.values(), ids=FAILED)
def test_a_page_that_could_not_be_had(before, expected):
    assert schedule.failed(before, NOW, "why") == expected


def test_a_page_that_could_not_be_read_says_so():
    assert schedule.failed(page(), NOW, "why", state="drift").state == "drift"
    assert schedule.failed(page("live"), NOW, "why", state="drift").state == "live"


GONE = {
    "first answer": (page("live", 0, "3h"), PageOutcome("suspect", NOW + span("1h"), "404", 1)),
    "first answer, after other trouble": (page("live", 6, "3h"), PageOutcome("suspect", NOW + span("1h"), "404", 1)),
    "first answer of a new page": (page("known"), PageOutcome("suspect", NOW + span("1h"), "404", 1)),
    "again, within the hour": (page("suspect", 1, "59m"), PageOutcome("suspect", NOW + span("1m"), "404", 1)),
    "second answer": (page("suspect", 1, "1h"), PageOutcome("suspect", NOW + span("1d"), "404", 2)),
    "again, within the day": (page("suspect", 2, "23h"), PageOutcome("suspect", NOW + span("1h"), "404", 2)),
    "third answer": (page("suspect", 2, "1d"), PageOutcome("gone", None, "404", 3)),
    "a row of an older version": (page("suspect", 9, "1d"), PageOutcome("gone", None, "404", 10)),
    "any later answer": (page("gone", 7, "1m"), PageOutcome("gone", None, "404", 8)),
}


@pytest.mark.parametrize(("before", "expected"), GONE.values(), ids=GONE)
def test_an_article_is_gone_only_after_repeats(before, expected):
    assert schedule.gone(before, NOW, "404") == expected


HELD = ("live", "suspect", "gone")
NEVER = ("known", "failed", "rejected", "drift", "absent")
REMOVED = {
    "a page that says so": ("/a-post1.vnp", Rejection.SOFT_404, "does not exist"),
    "sent home": ("/", Rejection.HOME_PAGE, "redirects to the home page"),
    "sent to its section": ("/politique/", Rejection.SECTION_PAGE, "redirects to a section page"),
    "sent to a search": ("/search.vnp?q=a", Rejection.SEARCH_PAGE, "redirects to a search page"),
    "its own address, but a list": ("/a-post1.vnp", Rejection.SECTION_PAGE, None),
    "a wall": ("/captcha", Rejection.BLOCK_PAGE, None),
    "in repair": ("/a-post1.vnp", Rejection.ERROR_PAGE, None),
    "a dozen bytes": ("/a-post1.vnp", Rejection.TINY, None),
    "nothing in particular": ("/x", Rejection.UNMARKED, None),
}


@pytest.mark.parametrize(("path", "rejection", "words"), REMOVED.values(), ids=REMOVED)
def test_what_means_that_an_article_was_taken_away(path, rejection, words):
    for state in HELD:
        found = schedule.removed(page(state), SITE + path, rejection)
        assert (found is None) == (words is None)
        assert words is None or words in found
    assert [schedule.removed(page(state), SITE + path, rejection) for state in NEVER] == [None] * 5


def test_redirect_targets_are_classified_by_their_address():
    shapes = {
        "/": Rejection.HOME_PAGE,
        "/politique/": Rejection.SECTION_PAGE,
        "/topic/x-107.vnp": Rejection.TOPIC_PAGE,
        "/search.vnp": Rejection.SEARCH_PAGE,
    }
    assert {path: classify.of_shape(SITE + path) for path in shapes} == shapes
    tree = LexborHTMLParser("<title>Trang</title><body><h1>Page introuvable</h1>")
    assert classify.of_page(tree, head.read(tree, SITE), f"{SITE}/a-post1.vnp") is Rejection.SOFT_404


AGAIN = {
    "just found to be gone": (page("gone", 3, "19m"), False),
    "a while later": (page("gone", 3, "20m"), True),
    "asked for again and again": (page("gone", 9, "21h"), False),
    "and later": (page("gone", 9, "22h"), True),
    "a year later": (page("gone", 40, "365d"), True),
    "not gone": (page("live", 0, "365d"), False),
    "given up a while ago": (page("failed", 8, "10h"), False),
    "given up half a day ago": (page("failed", 8, "11h"), True),
    "not readable for weeks": (page("drift", 30, "6d"), False),
    "not readable for weeks, and a week later": (page("drift", 30, "7d"), True),
    "a wall in its place": (page("rejected", 8, "11h"), True),
}


@pytest.mark.parametrize(("before", "expected"), AGAIN.values(), ids=AGAIN)
def test_a_page_that_is_gone_or_given_up_and_is_listed_is_asked_for_ever_more_rarely(before, expected):
    assert schedule.ask_again(before, NOW) == expected


@pytest.mark.parametrize("asked", [True, False])
def test_what_takes_long_goes_on_unless_somebody_asked_to_stop(asked):
    with pytest.raises(Interrupted) if asked else nullcontext():
        unless_stopped(lambda: asked)
