"""When to poll a source again, what its rhythm is, and what opens and closes a gap: a table of examples."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import schedule
from crawler.site import HANOI
from crawler.types import Gap, SourceForPoll, SourceOutcome

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def span(text):
    return timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])


# --- sources ----------------------------------------------------------------------------------------------------------

BOUNDS = schedule.Bounds(span("5m"), span("6h"))
TUESDAY = datetime(2026, 11, 17, tzinfo=HANOI)


def hanoi(clock, day=0):
    hour, minute = map(int, clock.split(":"))
    return TUESDAY + timedelta(days=day, hours=hour, minutes=minute)


def source(kind="feed", **changes):
    row = SourceForPoll(
        "https://fr.vietnamplus.vn/rss/home.rss", kind, None, "ok", 0, None, None, last_ok_at=NOW - span("1h")
    )
    return replace(row, **changes)


def office_hours(share=1.0):
    """A source that has been watched for eight weeks: 5 articles an hour from 8 to 18 on every day, else none."""
    week = schedule.rhythm.week_of(TUESDAY)
    settled = 5 * (1 - 0.85**8) / (1 - 0.85)
    return {(d, h): schedule.Habit(settled, settled * share, week) for d in range(7) for h in range(8, 18)}


def waited(clock, look, *, kind="feed", share=1.0):
    """The interval after an answer at that time on a Tuesday, in minutes."""
    now, habits = hanoi(clock), office_hours(share)
    week = schedule.Week(kind, habits, now - span("56d"), now)
    return schedule.interval(kind, look, week, schedule.use(kind, habits, now), now, BOUNDS) / span("1m")


def look(arrived=1, firsts=1, *, items=50, ago="12m", clock="10:00"):
    return schedule.Look(items, arrived, firsts, hanoi(clock) - span(ago))


INTERVALS = {
    "in the morning, an article every 12 minutes": ("10:00", look(), {}, (11, 13)),
    "at night, nothing until the morning": ("23:00", look(0, 0, clock="23:00"), {}, (360, 360)),
    "before dawn, up to the first articles": ("05:00", look(0, 0, clock="05:00"), {}, (175, 200)),
    "nothing new, though one was expected: later": ("10:00", look(0, 0), {}, (20, 40)),
    "more than expected: sooner": ("10:00", look(5, 5), {}, (5, 6)),
    "all of it new: as soon as allowed": ("10:00", look(50, 50), {}, (5, 5)),
    "all of it new, also for what is never first": ("10:00", look(50, 0), {"share": 0.0}, (5, 5)),
    "the first answer, of which all is new": ("10:00", schedule.Look(50, 50, 50, None), {}, (11, 13)),
    "all of it known from elsewhere: rarely": ("10:00", look(1, 0), {"share": 0.0}, (300, 360)),
    "half of it known from elsewhere": ("10:00", look(1, 0), {"share": 0.5}, (21, 27)),
    "never first, but suddenly it is": ("10:00", look(9, 9, ago="108m"), {"share": 0.0}, (13, 18)),
    "a short window: before half of it is gone": ("10:00", look(1, 0, items=10), {"share": 0.0}, (59, 61)),
    "a short window in a rush: sooner still": ("10:00", look(4, 0, items=10), {"share": 0.0}, (20, 30)),
    "a month's sitemap forgets nothing": ("10:00", look(1, 0, items=10), {"share": 0.0, "kind": "sitemap"}, (360, 360)),
    "a month's sitemap is large": ("10:00", look(5, 5), {"kind": "sitemap"}, (60, 60)),
    "the home page: its order is history, too": ("10:00", look(1, 0), {"share": 0.0, "kind": "home"}, (60, 60)),
    "an answer without articles": ("10:00", look(0, 0, items=0), {"share": 0.0}, (360, 360)),
}


@pytest.mark.parametrize(("clock", "answer", "given", "expected"), INTERVALS.values(), ids=INTERVALS)
def test_a_source_is_polled_when_news_of_it_are_expected(clock, answer, given, expected):
    least, most = expected
    assert least <= waited(clock, answer, **given) <= most


def test_narrow_bounds_are_kept():
    bounds, week = schedule.Bounds(span("2h"), span("3h")), schedule.Week("home", {}, None, NOW)
    for answer in (look(50, 50), look(0, 0, items=0), schedule.Look(50, 1, 0, NOW - span("1h"))):
        assert span("2h") <= schedule.interval("home", answer, week, 0.5, NOW, bounds) <= span("3h")


COLD = {"news_sitemap": (5, 40), "feed": (20, 120), "section": (60, 360), "home": (20, 60), "sitemap_index": (360, 360)}


@pytest.mark.parametrize(("kind", "expected"), COLD.items())
def test_a_cold_start(kind, expected):
    """Before anything is learned: what is thought to show everything is polled most."""
    now = hanoi("10:00")
    week = schedule.Week(kind, {}, None, now)
    wait = schedule.interval(kind, schedule.Look(50, 50, 50, None), week, schedule.use(kind, {}, now), now, BOUNDS)
    assert expected[0] <= wait / span("1m") <= expected[1]


def test_the_rhythm_is_learned_by_the_hours_of_publication():
    """A week of looking once a day at eight in the evening: the articles of ten o'clock count for ten o'clock."""
    habits = {}
    for day in range(7):
        now = hanoi("20:00", day)
        week = schedule.Week("feed", habits, hanoi("00:00"), now)
        arrivals = [schedule.Arrival(hanoi("10:30", day), first=True)] * 6
        habits |= schedule.learned(habits, arrivals, week, hanoi("00:00"), now - span("1d"), now)
    assert {slot[1] for slot in habits} == {10}
    week = schedule.Week("feed", habits, hanoi("00:00"), hanoi("20:00", 6))
    assert week.expected(hanoi("10:00", 7), hanoi("11:00", 7)) > 4
    assert week.expected(hanoi("12:00", 7), hanoi("20:00", 7)) < 2
    assert schedule.use("feed", habits, hanoi("20:00", 6)) > 0.9


def test_articles_without_a_time_are_spread_over_the_time_since_the_last_look():
    now, last = hanoi("10:30"), hanoi("07:30")
    week = schedule.Week("section", {}, last, now)
    changed = schedule.learned({}, [schedule.Arrival(None, first=False)] * 4, week, last, last, now)
    assert sorted(changed) == [(1, 7), (1, 8), (1, 9), (1, 10)]
    assert sum(h.items for h in changed.values()) == pytest.approx(4)
    assert sum(h.firsts for h in changed.values()) == 0


def test_a_look_at_the_same_moment_counts_for_that_moment():
    now = hanoi("10:30")
    week = schedule.Week("section", {}, now, now)
    changed = schedule.learned({}, [schedule.Arrival(None, first=True)], week, now, now, now)
    assert changed == {(1, 10): schedule.Habit(1.0, 1.0, schedule.rhythm.week_of(now))}


UNCOUNTED = {
    "published before anybody watched": (schedule.Arrival(NOW - span("8d"), first=True), 0),
    "published ahead: now": (schedule.Arrival(NOW + span("8d"), first=True), 1),
}


@pytest.mark.parametrize(("arrival", "counted"), UNCOUNTED.values(), ids=UNCOUNTED)
def test_what_does_not_fit_the_time_watched(arrival, counted):
    week = schedule.Week("feed", {}, None, NOW)
    assert len(schedule.learned({}, [arrival], week, NOW - span("7d"), NOW - span("1h"), NOW)) == counted


def test_older_weeks_weigh_less():
    habit = schedule.Habit(8.0, 4.0, 100)
    assert habit.at(100) == habit
    assert habit.at(90) == habit, "the past is as it was"
    later = habit.at(104)
    assert later.week == 104
    assert 3.5 < later.items < 4.5
    late = schedule.learned({(5, 15): schedule.Habit(8.0, 4.0, schedule.rhythm.week_of(NOW))},
                          [schedule.Arrival(NOW - span("28d"), first=False)],
                          schedule.Week("feed", {}, None, NOW), NOW - span("30d"), NOW, NOW)  # fmt: skip
    assert late[(5, 15)].items == pytest.approx(8.52, abs=0.01), "what comes to light late counts as of its week"


WATCHED = {
    "since the oldest that is dated": ([NOW - span("2d"), None, NOW - span("1h")], "2d"),
    "a week at most": ([NOW - span("90d")], "7d"),
    "nothing is dated": ([None], "0s"),
    "dated ahead": ([NOW + span("1d")], "0s"),
}


@pytest.mark.parametrize(("published", "ago"), WATCHED.values(), ids=WATCHED)
def test_since_when_the_first_answer_counts(published, ago):
    assert schedule.watched_since(published, NOW) == NOW - span(ago)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.integers(0, 10**9))
def test_chance_is_made_from_values(address, seconds):
    instant = datetime.fromtimestamp(seconds, UTC)
    assert schedule.chance(address, instant) == schedule.chance(address, instant)
    assert 0 <= schedule.chance(address, instant) < 1


def test_polls_of_several_sources_are_spread():
    draws = {schedule.chance(f"https://fr.vietnamplus.vn/rss/{n}.rss", NOW) for n in range(100)}
    assert len(draws) == 100
    assert min(draws) < 0.1
    assert max(draws) > 0.9


def test_the_row_after_a_good_answer():
    outcome = schedule.source_polled(source(most_items=60), schedule.Look(50, 2, 1, None), span("1h"), NOW, 0.5)
    wait = span("57m")
    assert outcome == SourceOutcome("ok", NOW + wait, interval=wait, items=50, fresh_items=1)
    scanty = schedule.source_polled(source(most_items=60), schedule.Look(14, 0, 0, None), span("1h"), NOW, 0.0)
    assert (scanty.state, scanty.error) == ("ok", "shows 14 articles; it has shown up to 60")


PAST = {
    "this month": ((2026, 11), "6h"),
    "last month": ((2026, 10), "6h"),
    "the month before": ((2026, 9), "7d"),
    "a year ago": ((2025, 11), "7d"),
    "long ago": ((2025, 10), None),
}


@pytest.mark.parametrize(("month", "expected"), PAST.values(), ids=PAST)
def test_the_sitemap_of_a_month_that_is_over(month, expected):
    outcome = schedule.past_month(SourceOutcome("ok", NOW + span("6h"), interval=span("6h")), month, NOW)
    assert outcome.next_due_at == (NOW + span(expected) if expected else None)
    assert outcome.interval == (span(expected) if expected else None)


FAILED_SOURCES = {
    "a server error": (source(failures=1), False, ("failing", "10m")),
    "for days: it is asked as often as any other": (source(failures=40), False, ("failing", "6h")),
    "not there, and never was": (source(last_ok_at=None), True, ("absent", "7d")),
    "not there any more": (source(), True, ("failing", "5m")),
    "not there for days": (source(failures=40), True, ("failing", "1d")),
    "never good, but there": (source(last_ok_at=None), False, ("failing", "5m")),
}


@pytest.mark.parametrize(("row", "absent", "expected"), FAILED_SOURCES.values(), ids=FAILED_SOURCES)
def test_a_source_that_gave_no_good_answer(row, absent, expected):
    outcome = schedule.source_failed(row, NOW, "why", BOUNDS, absent=absent)
    state, wait = expected
    assert outcome == SourceOutcome(state, NOW + span(wait), error="why", failures=row.failures + 1)


def test_silence_of_a_source_that_always_had_something():
    assert schedule.source_silent(source(most_items=None), NOW, BOUNDS) is None
    assert schedule.source_silent(source(most_items=0), NOW, BOUNDS) is None
    outcome = schedule.source_silent(source(most_items=50), NOW, BOUNDS)
    assert outcome == SourceOutcome(
        "failing", NOW + span("5m"), error="shows no article; it has shown up to 50", failures=1
    )


# --- gaps -------------------------------------------------------------------------------------------------------------

SHOWN = source(newest_id=20, middle_id=15)  # the answer before showed 11 to 20

OPENS = {
    "the next ten": (SHOWN, range(18, 28), {18, 19, 20}, None),
    "the same ten": (SHOWN, range(11, 21), set(range(11, 21)), None),
    "ten others": (SHOWN, range(31, 41), set(), schedule.GapFound(20, 31)),
    "the next ten and not one more": (SHOWN, range(21, 31), set(), schedule.GapFound(20, 21)),
    "ten others under a pinned one": (SHOWN, [3, *range(31, 40)], {3}, schedule.GapFound(20, 31)),
    "ten others under one that stays in the sidebar": (SHOWN, [12, *range(31, 40)], {12}, schedule.GapFound(20, 31)),
    "ten older ones": (SHOWN, range(1, 11), set(), schedule.GapFound(20, None)),
    "an id that was seen elsewhere": (SHOWN, [17, *range(31, 40)], set(), schedule.GapFound(20, 31)),
    "the first answer": (source(), range(31, 41), set(), None),
    "nothing": (SHOWN, [], set(), None),
    "a month's sitemap, on the first of the next": (replace(SHOWN, kind="sitemap"), range(31, 41), set(), None),
    "the home page": (replace(SHOWN, kind="home"), range(31, 41), set(), None),
    "a section: what its sidebar shows is not its oldest": (
        replace(SHOWN, kind="section"),
        [21, 22, *range(31, 41)],
        set(),
        schedule.GapFound(20, 35),
    ),
}


@pytest.mark.parametrize(("row", "ids", "before", "expected"), OPENS.values(), ids=OPENS)
def test_what_opens_a_gap(row, ids, before, expected):
    assert schedule.gap_found(row, list(ids), before) == expected


@pytest.mark.parametrize(("ids", "expected"), [([], None), ([7], (7, 7)), ([1, 2], (2, 2)), (range(11, 21), (20, 16))])
def test_the_newer_half_of_an_answer(ids, expected):
    assert schedule.halves(list(ids)) == expected


GAP = Gap(1, "feed", NOW - span("3d"), NOW - span("1d"), 100, 120, NOW - span("1d"))
GOOD = schedule.MonthSitemap("the sitemap of 2026-11", "ok", NOW, 130)

CLOSES = {
    "nothing yet": (GAP, [replace(GOOD, last_ok_at=None, newest_id=None)], 5, False, None),
    "paging back came to what was known": (GAP, [], 0, True, "paging"),
    "all ids between are known": (GAP, [replace(GOOD, state="failing")], 19, False, "ids"),
    "all but one": (GAP, [replace(GOOD, state="failing")], 18, False, None),
    "the sitemap, asked since": (GAP, [GOOD], 5, False, "sitemap"),
    "the sitemap, at that moment": (GAP, [replace(GOOD, last_ok_at=GAP.until, newest_id=120)], 5, False, "sitemap"),
    "the sitemap, asked before": (GAP, [replace(GOOD, last_ok_at=GAP.until - span("1s"))], 5, False, None),
    "a sitemap from a cache": (GAP, [replace(GOOD, newest_id=119)], 5, False, None),
    "a sitemap without articles": (GAP, [replace(GOOD, newest_id=None)], 5, False, None),
    "a sitemap that fails": (GAP, [replace(GOOD, state="failing")], 5, False, None),
    "no sitemap": (GAP, [replace(GOOD, state="absent")], 5, False, None),
    "two months, one of them missing": (GAP, [replace(GOOD, state="absent"), GOOD], 5, False, None),
    "two months": (GAP, [replace(GOOD, newest_id=110), GOOD], 5, False, "sitemap"),
    "an end that is not known": (replace(GAP, before_id=None), [GOOD], 500, False, "sitemap"),
    "an end that is not known, nor the sitemap's": (replace(GAP, before_id=None), [replace(GOOD, newest_id=9)], 500, False, None),
    "a beginning that is not known": (replace(GAP, after_id=None), [GOOD], 500, False, "sitemap"),
}  # fmt: skip


@pytest.mark.parametrize(("gap", "sitemaps", "between", "reached", "expected"), CLOSES.values(), ids=CLOSES)
def test_what_closes_a_gap(gap, sitemaps, between, reached, expected):
    assert schedule.gap_closed_by(gap, sitemaps, between, reached=reached) == expected


WAITS = {
    "": GOOD,
    "the sitemap of 2026-11 is failing": replace(GOOD, state="failing"),
    "the sitemap of 2026-11 has not answered since": replace(GOOD, last_ok_at=None),
    "no sitemap names an article after it yet": replace(GOOD, newest_id=110),
}


@pytest.mark.parametrize(("words", "sitemap"), WAITS.items(), ids=lambda value: value or "nothing")
def test_what_a_gap_waits_for(words, sitemap):
    if isinstance(words, str):
        assert schedule.gap_waits_for(GAP, [sitemap]) == words


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-11-03T00:00", "2026-11-05T00:00", [(2026, 11)]),
        ("2026-11-30T16:59", "2026-11-30T17:00", [(2026, 11), (2026, 12)]),
        ("2025-12-31T00:00", "2026-02-01T00:00", [(2025, 12), (2026, 1), (2026, 2)]),
    ],
)
def test_the_months_of_a_gap_are_those_of_hanoi(since, until, expected):
    assert schedule.months(*(datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (since, until))) == expected


PAGING = {
    "an hour after it opened": ("5m", "61m", True),
    "a quarter of an hour later": ("61m", "76m", False),
    "two hours after it opened": ("76m", "121m", True),
    "three hours": ("121m", "181m", False),
    "after a day, in an hour": ("24h", "25h", False),
    "after a day, in a night": ("24h", "33h", True),
    "right after it opened": (None, "5m", False),
}


@pytest.mark.parametrize(("last", "now", "expected"), PAGING.values(), ids=PAGING)
def test_paging_back_is_tried_again_ever_more_rarely(last, now, expected):
    at = GAP.opened_at
    assert schedule.may_page(GAP, at + span(last) if last else None, at + span(now)) is expected


# --- the source to watch for news -------------------------------------------------------------------------------------


def shown(name, kind, *counts):
    return schedule.Shown(name, kind, tuple(schedule.Habit(n, 0.0, schedule.rhythm.week_of(NOW)) for n in counts))


LEADS = {
    "at the beginning: the best kind": ([shown("h", "home"), shown("f", "feed"), shown("n", "news_sitemap")], "n"),
    "the best of those that show all": (
        [shown("h", "home", 60, 40), shown("f", "feed", 80), shown("s", "feed", 9)],
        "f",
    ),
    "the best kind shows too little": ([shown("h", "home", 99), shown("n", "news_sitemap", 40)], "h"),
    "two of a kind: one of them, always the same": ([shown("b", "feed", 90), shown("a", "feed", 80)], "a"),
    "a section is not for all news": ([shown("s", "section", 99), shown("h", "home", 9)], "h"),
    "there is none": ([shown("s", "section", 99)], None),
}


@pytest.mark.parametrize(("sources", "expected"), LEADS.values(), ids=LEADS)
def test_one_source_is_watched_for_news(sources, expected):
    assert schedule.lead(sources, NOW) == expected
