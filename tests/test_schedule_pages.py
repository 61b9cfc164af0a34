"""The schedule of pages: recheck intervals, retries, and when an article counts as removed."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler import schedule
from crawler.errors import Interrupted, Rejection, raise_if_stopped
from crawler.parse import classify, head
from crawler.types import PageForFetch, PageOutcome

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
SITE = "https://fr.vietnamplus.vn"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def span(text):
    return timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])


def page(state="known", failures=0, visited=None):
    """Return a page that was last visited `visited` ago."""
    last = (NOW - span(visited)).strftime("%Y-%m-%dT%H:%M:%SZ") if visited else None
    return PageForFetch(1, f"{SITE}/a-post1.vnp", state, failures, NOW - span("9d"), '"e"', None, last)


# --- rechecks of a known article --------------------------------------------------------------------------------------

# age; interval without a lastmod hint; interval with one
CHECKS = {
    "just published": ("0s", "15m", "1h"),
    "half an hour old": ("30m", "15m", "1h"),
    "ten minutes old": ("10m", "15m", "1h"),
    "forty minutes old": ("40m", "20m", "80m"),
    "an hour old": ("1h", "30m", "2h"),
    "a day old": ("24h", "12h", "48h"),
    "a week old": ("7d", "84h", "14d"),
    "forty days old": ("40d", "20d", "60d"),
    "two months old": ("60d", "30d", "60d"),
    "364 days old": ("364d", "30d", "60d"),
    "a year old: no more checks": ("365d", None, None),
    "ten years old": ("3650d", None, None),
}


@pytest.mark.parametrize(("age", "unhinted", "hinted"), CHECKS.values(), ids=CHECKS)
def test_older_articles_are_checked_less_often(age, unhinted, hinted):
    due = [schedule.next_check(NOW, NOW - span(age), NOW, hinted=known) for known in (False, True)]
    assert due == [NOW + span(expected) if expected else None for expected in (unhinted, hinted)]


@pytest.mark.parametrize(("hinted", "month", "year"), [(False, 19, 32), (True, 6, 13)])
def test_the_number_of_rechecks_of_an_article(hinted, month, year):
    """The traffic that docs/operate.md states: each recheck is a request of a whole page."""
    ages, now = [], NOW + span("7m")
    while (now := schedule.next_check(now, NOW, NOW, hinted=hinted)) is not None:
        ages.append(now - NOW)
    assert (sum(age <= span("30d") for age in ages), len(ages)) == (month, year)


# age of the hint and of the last visit, did the page change; expected: was the edit missed, is the hint reliable
HINTS = {
    "no hint": (None, "1h", True, False, False),
    "an edit with a newer hint": ("1h", "2h", True, False, True),
    "an edit after the last hint": ("3h", "2h", True, True, False),
    "a hint from the time of the last visit": ("2h", "2h", True, True, False),
    "nothing changed": ("3h", "2h", False, False, True),
    "the first visit": ("3h", None, True, False, True),
}


@pytest.mark.parametrize(("hint", "visited", "changed", "missed", "reliable"), HINTS.values(), ids=HINTS)
def test_lastmod_hints_are_reliable_until_an_edit_is_missed(hint, visited, changed, missed, reliable):
    seen = replace(page("live", visited=visited), hinted_at=NOW - span(hint) if hint else None)
    assert schedule.missed_edit(seen, changed=changed) is missed
    assert schedule.has_lastmod_hint(seen, missed=missed) is reliable
    assert not schedule.has_lastmod_hint(replace(seen, unhinted=1))


SINCE = {
    "publication time unknown": (None, "4h", "2h"),
    "publication time in the future": (NOW + span("1d"), "4h", "2h"),
    "publication time now": (NOW, "8d", "15m"),
    "an old article first seen today": (NOW - span("400d"), "0s", None),
}


@pytest.mark.parametrize(("published", "seen", "expected"), SINCE.values(), ids=SINCE)
def test_age_counts_from_publication_or_else_from_the_first_sighting(published, seen, expected):
    due = schedule.next_check(NOW, published, NOW - span(seen))
    assert due == (NOW + span(expected) if expected else None)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_a_younger_article_is_never_checked_later_than_an_older_one(one, other):
    younger, older = (schedule.next_check(NOW, NOW - timedelta(days=d), NOW) for d in sorted((one, other)))
    assert older is None or (younger is not None and NOW < younger <= older)


# --- failures ---------------------------------------------------------------------------------------------------------

RETRIES = {1: "5m", 2: "10m", 3: "20m", 7: "320m", 11: "5120m", 12: "7d", 100: "7d", 10_000: "7d"}


@pytest.mark.parametrize(("failures", "expected"), RETRIES.items(), ids=lambda value: f"after {value}")
def test_retry_waits_double_up_to_a_week(failures, expected):
    assert schedule.retry_at(NOW, failures) == NOW + span(expected)


FAILED = {
    "a new page, first failure": (page(), PageOutcome("failed", NOW + span("5m"), "why", 1)),
    "a failed page, second failure": (page("failed", 1), PageOutcome("failed", NOW + span("10m"), "why", 2)),
    "the seventh failure in a row": (page("failed", 6), PageOutcome("failed", NOW + span("320m"), "why", 7)),
    "the eighth failure: abandoned": (page("failed", 7), PageOutcome("failed", None, "why", 8)),
    "an archived article stays live": (page("live"), PageOutcome("live", NOW + span("5m"), "why", 1)),
    "a failure of a suspect page does not count as not found": (
        page("suspect", 1),
        PageOutcome("suspect", NOW + span("1h"), "why", 1),
    ),
    "a gone page stays gone": (page("gone", 3), PageOutcome("gone", None, "why", 3)),
    "an archived article is never abandoned": (page("live", 40), PageOutcome("live", NOW + span("7d"), "why", 41)),
}


@pytest.mark.parametrize(("before", "expected"), FAILED.values(), ids=FAILED)
def test_row_after_a_failed_visit(before, expected):
    assert schedule.failed(before, NOW, "why") == expected
    assert schedule.failed(before, NOW, "why", kind="bug") == replace(expected, error_kind="bug")


def test_an_unparsed_page_changes_state_unless_it_is_archived():
    assert schedule.failed(page(), NOW, "why", state="drift").state == "drift"
    assert schedule.failed(page("live"), NOW, "why", state="drift").state == "live"


GONE = {
    "first 404": (page("live", 0, "3h"), PageOutcome("suspect", NOW + span("1h"), "404", 1, error_kind="removed")),
    "first 404 after other failures": (
        page("live", 6, "3h"),
        PageOutcome("suspect", NOW + span("1h"), "404", 1, error_kind="removed"),
    ),
    "first 404 of a new page": (
        page("known"),
        PageOutcome("suspect", NOW + span("1h"), "404", 1, error_kind="removed"),
    ),
    "another 404 within the hour": (
        page("suspect", 1, "59m"),
        PageOutcome("suspect", NOW + span("1m"), "404", 1, error_kind="removed"),
    ),
    "second 404": (page("suspect", 1, "1h"), PageOutcome("suspect", NOW + span("1d"), "404", 2, error_kind="removed")),
    "another 404 within the day": (
        page("suspect", 2, "23h"),
        PageOutcome("suspect", NOW + span("1h"), "404", 2, error_kind="removed"),
    ),
    "third 404": (page("suspect", 2, "1d"), PageOutcome("gone", None, "404", 3, error_kind="removed")),
    "a row of an older version": (page("suspect", 9, "1d"), PageOutcome("gone", None, "404", 10, error_kind="removed")),
    "any later 404": (page("gone", 7, "1m"), PageOutcome("gone", None, "404", 8, error_kind="removed")),
}


@pytest.mark.parametrize(("before", "expected"), GONE.values(), ids=GONE)
def test_an_article_is_gone_only_after_repeated_404s(before, expected):
    assert schedule.gone(before, NOW, "404") == expected


@pytest.mark.parametrize(
    ("before", "due"),
    [
        (page("live", 0, "3h"), "0s"),
        (page("known"), "0s"),
        (page("suspect", 1, "59m"), "1m"),
        (page("suspect", 1, "1h"), "1d"),
        (page("suspect", 2, "1d"), None),
        (page("gone", 3, "1d"), None),
    ],
)
def test_after_a_404_another_known_address_is_tried_and_the_first_time_at_once(before, due):
    other = f"{SITE}/b-post1.vnp"
    expected = replace(schedule.gone(before, NOW, "404"), url=other, next_due_at=NOW + span(due) if due else None)
    assert schedule.gone(before, NOW, "404", other) == expected


ARCHIVED = ("live", "suspect", "gone")
NOT_ARCHIVED = ("known", "failed", "rejected", "drift", "absent")
REMOVED = {
    "a soft 404": ("/a-post1.vnp", Rejection.SOFT_404, "does not exist"),
    "redirect to the home page": ("/", Rejection.HOME_PAGE, "redirects to the home page"),
    "redirect to a section": ("/politique/", Rejection.SECTION_PAGE, "redirects to a section page"),
    "redirect to a search": ("/search.vnp?q=a", Rejection.SEARCH_PAGE, "redirects to a search page"),
    "a list at the article's own address": ("/a-post1.vnp", Rejection.SECTION_PAGE, None),
    "a block page": ("/captcha", Rejection.BLOCK_PAGE, None),
    "an error page": ("/a-post1.vnp", Rejection.ERROR_PAGE, None),
    "twelve bytes": ("/a-post1.vnp", Rejection.TINY, None),
    "a page of no known kind": ("/x", Rejection.UNMARKED, None),
}


@pytest.mark.parametrize(("path", "rejection", "fragment"), REMOVED.values(), ids=REMOVED)
def test_which_rejections_mean_that_an_article_was_removed(path, rejection, fragment):
    for state in ARCHIVED:
        reason = schedule.removal_reason(page(state), SITE + path, rejection)
        assert (reason is None) == (fragment is None)
        assert fragment is None or fragment in reason
    assert [schedule.removal_reason(page(state), SITE + path, rejection) for state in NOT_ARCHIVED] == [None] * 5
    assert schedule.leads_elsewhere(page(), SITE + path, rejection) == (fragment is not None)


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


RETRIED = {
    "gone a moment ago": (page("gone", 3, "19m"), False),
    "gone twenty minutes ago": (page("gone", 3, "20m"), True),
    "gone, retried often": (page("gone", 9, "21h"), False),
    "gone, retried often, due again": (page("gone", 9, "22h"), True),
    "gone a year ago": (page("gone", 40, "365d"), True),
    "not gone": (page("live", 0, "365d"), False),
    "abandoned ten hours ago": (page("failed", 8, "10h"), False),
    "abandoned eleven hours ago": (page("failed", 8, "11h"), True),
    "unparsed for weeks": (page("drift", 30, "6d"), False),
    "unparsed for weeks, due again": (page("drift", 30, "7d"), True),
    "a block page eleven hours ago": (page("rejected", 8, "11h"), True),
    "an imported capture that could not be parsed, four minutes ago": (page("drift", 0, "4m"), False),
    "an imported capture that could not be parsed, five minutes ago": (page("drift", 0, "5m"), True),
}


@pytest.mark.parametrize(("before", "expected"), RETRIED.values(), ids=RETRIED)
def test_a_listed_page_that_is_gone_or_abandoned_is_retried_with_backoff(before, expected):
    assert schedule.should_retry(before, NOW) == expected


@pytest.mark.parametrize("stop", [True, False])
def test_long_work_continues_unless_a_stop_was_requested(stop):
    with pytest.raises(Interrupted) if stop else nullcontext():
        raise_if_stopped(lambda: stop)
