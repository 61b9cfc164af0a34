"""The schedule of sources: poll intervals, publication rates, and what opens and closes a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import schedule
from crawler.schedule.hourly_counts import HourCount, SourceCounts
from crawler.schedule.publication_rate import decayed
from crawler.site import ARTICLES_A_DAY, HANOI
from crawler.types import Gap, SourceForPoll, SourceOutcome

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def span(text):
    return timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])


# --- sources ----------------------------------------------------------------------------------------------------------

BOUNDS = schedule.PollBounds(span("5m"), span("6h"), articles=1)
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
    """Return the counts of a source after eight weeks with 5 articles an hour from 8:00 to 18:00, none otherwise."""
    week = schedule.publication_rate.week_of(TUESDAY)
    settled = 5 * (1 - 0.85**8) / (1 - 0.85)
    return {(d, h): HourCount(settled, settled * share, week) for d in range(7) for h in range(8, 18)}


def waited(clock, result, *, kind="feed", share=1.0, articles=1):
    """Return the interval after a response at that time on a Tuesday, in minutes."""
    now, counts = hanoi(clock), office_hours(share)
    week = schedule.WeekRates(kind, counts, now - span("56d"), now)
    bounds = replace(BOUNDS, articles=articles)
    return schedule.interval(kind, result, week, schedule.first_share(kind, counts, now), now, bounds) / span("1m")


def polled(arrived=1, firsts=1, *, items=50, ago="12m", clock="10:00"):
    return schedule.PollResult(items, arrived, firsts, hanoi(clock) - span(ago))


INTERVALS = {
    "in the morning, an article every 12 minutes": ("10:00", polled(), {}, (11, 13)),
    "never first, at night: not before the morning": ("19:00", polled(0, 0), {"share": 0.0}, (900, 1440)),
    "at night, nothing until the morning": ("23:00", polled(0, 0, clock="23:00"), {}, (360, 361)),
    "before dawn, up to the first articles": ("05:00", polled(0, 0, clock="05:00"), {}, (175, 200)),
    "nothing new although one was expected: later": ("10:00", polled(0, 0), {}, (20, 40)),
    "more than expected: sooner": ("10:00", polled(5, 5), {}, (5, 6)),
    "all new: as soon as allowed": ("10:00", polled(50, 50), {}, (5, 5)),
    "all new, for a source that is never first": ("10:00", polled(50, 0), {"share": 0.0}, (5, 5)),
    "the first response, all new": ("10:00", schedule.PollResult(50, 50, 50, None), {}, (11, 13)),
    "all known from other sources: rarely": ("10:00", polled(1, 0), {"share": 0.0}, (300, 360)),
    "half known from other sources": ("10:00", polled(1, 0), {"share": 0.5}, (21, 27)),
    "never first, but suddenly first": ("10:00", polled(9, 9, ago="108m"), {"share": 0.0}, (13, 18)),
    "a short list: before half of it is replaced": ("10:00", polled(1, 0, items=10), {"share": 0.0}, (59, 61)),
    "a short list that changes fast: even sooner": ("10:00", polled(4, 0, items=10), {"share": 0.0}, (20, 30)),
    "a month's sitemap drops nothing": ("10:00", polled(1, 0, items=10), {"share": 0.0, "kind": "sitemap"}, (360, 360)),
    "a month's sitemap is large": ("10:00", polled(5, 5), {"kind": "sitemap"}, (60, 60)),
    "the home page: positions are recorded": ("10:00", polled(1, 0), {"share": 0.0, "kind": "home"}, (60, 60)),
    "the home page, when nothing is published": ("19:00", polled(0, 0), {"share": 0.0, "kind": "home"}, (780, 900)),
    "a response without articles": ("10:00", polled(0, 0, items=0), {"share": 0.0}, (1440, 1440)),
    "nine articles to a poll: after an hour, three are enough": ("10:00", polled(), {"articles": 9}, (60, 61)),
    "three articles to a poll": ("10:00", polled(), {"articles": 3}, (35, 37)),
    "three articles to a poll, before half of a short list": ("10:00", polled(items=4), {"articles": 3}, (23, 25)),
}


@pytest.mark.parametrize(("clock", "result", "given", "expected"), INTERVALS.values(), ids=INTERVALS)
def test_a_source_is_polled_when_it_is_expected_to_have_news(clock, result, given, expected):
    least, most = expected
    assert least <= waited(clock, result, **given) <= most


def test_intervals_stay_within_narrow_bounds():
    bounds, week = schedule.PollBounds(span("2h"), span("3h"), articles=1), schedule.WeekRates("home", {}, None, NOW)
    for result in (polled(50, 50), polled(0, 0, items=0), schedule.PollResult(50, 1, 0, NOW - span("1h"))):
        assert span("2h") <= schedule.interval("home", result, week, 1.0, NOW, bounds) <= span("3h")


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 50), st.floats(0.1, 50), st.integers(0, 23))
def test_a_source_that_is_first_more_often_is_polled_more_often(share, other, articles, more, hour):
    """The same holds if fewer articles make a poll worth a request. No source waits until half of its list is replaced."""
    now, counts = hanoi(f"{hour}:00"), office_hours()
    week = schedule.WeekRates("feed", counts, now - span("56d"), now)

    def wait(share, articles):
        result = schedule.PollResult(50, 0, 0, now - span("1m"))
        return schedule.interval("feed", result, week, share, now, replace(BOUNDS, articles=articles))

    less, most = sorted((share, other))
    few, many = sorted((articles, more))
    assert span("5m") <= wait(most, few) <= wait(less, few) <= wait(less, many) <= span("24h")
    assert week.expected(now, now + wait(less, many)) <= 25.01


COLD = {
    "news_sitemap": (5, 40),
    "feed": (20, 120),
    "section": (60, 360),
    "home": (20, 60),
    "sitemap_index": (360, 360),
}


@pytest.mark.parametrize(("kind", "expected"), COLD.items())
def test_a_cold_start(kind, expected):
    """Before any observation, the sources that should list everything are polled most often."""
    now = hanoi("10:00")
    week = schedule.WeekRates(kind, {}, None, now)
    wait = schedule.interval(
        kind, schedule.PollResult(50, 50, 50, None), week, schedule.first_share(kind, {}, now), now, BOUNDS
    )
    assert expected[0] <= wait / span("1m") <= expected[1]


@pytest.mark.parametrize(
    ("kind", "observed", "share", "hours"),
    [
        ("sitemap_index", "0s", 0.0, 6),
        ("sitemap_index", "23h", 0.0, 6),
        ("sitemap_index", "36h", 0.0, 9),
        ("feed", "3d", 0.0, 18),
        ("feed", "4d", 0.0, 24),
        ("feed", "56d", 0.0, 24),
        ("feed", "56d", 0.3, 20),
        ("section", "36h", 0.0, 9),
        ("section", "56d", 0.0, 12),
        ("section", "56d", 0.5, 12),
        ("section", "56d", 0.75, 8),
        ("home", "56d", 0.0, 24),
    ],
)
def test_a_source_that_is_never_first_waits_longer_with_each_observed_day(kind, observed, share, hours):
    """A gap opens if the list of a source is replaced earlier than its rate of the first days suggests."""
    now = hanoi("10:00")
    week = schedule.WeekRates(kind, {}, now - span(observed), now)
    week.rate = lambda _: 0.0  # nothing is published, so that only the longest interval counts
    wait = schedule.interval(kind, schedule.PollResult(0, 0, 0, now - span("1h")), week, share, now, BOUNDS)
    assert wait / span("1h") == pytest.approx(hours)


def test_articles_count_for_the_hour_of_their_publication():
    """One poll a day at 20:00 for a week: articles published at 10:30 count for 10:00."""
    counts = {}
    for day in range(7):
        now = hanoi("20:00", day)
        week = schedule.WeekRates("feed", counts, hanoi("00:00"), now)
        arrivals = [schedule.Arrival(hanoi("10:30", day), first=True)] * 6
        counts |= schedule.updated_counts(counts, arrivals, week, hanoi("00:00"), now - span("1d"), now)
    assert {slot[1] for slot in counts} == {10}
    week = schedule.WeekRates("feed", counts, hanoi("00:00"), hanoi("20:00", 6))
    assert week.expected(hanoi("10:00", 7), hanoi("11:00", 7)) > 4
    assert week.expected(hanoi("12:00", 7), hanoi("20:00", 7)) < 2
    assert schedule.first_share("feed", counts, hanoi("20:00", 6)) > 0.9


def test_undated_articles_are_spread_over_the_time_since_the_last_poll():
    now, last = hanoi("10:30"), hanoi("07:30")
    week = schedule.WeekRates("section", {}, last, now)
    changed = schedule.updated_counts({}, [schedule.Arrival(None, first=False)] * 4, week, last, last, now)
    assert sorted(changed) == [(1, 7), (1, 8), (1, 9), (1, 10)]
    assert sum(h.items for h in changed.values()) == pytest.approx(4)
    assert sum(h.firsts for h in changed.values()) == 0


def test_undated_articles_count_for_now_if_no_time_has_passed():
    now = hanoi("10:30")
    week = schedule.WeekRates("section", {}, now, now)
    changed = schedule.updated_counts({}, [schedule.Arrival(None, first=True)], week, now, now, now)
    assert changed == {(1, 10): HourCount(1.0, 1.0, schedule.publication_rate.week_of(now))}


UNCOUNTED = {
    "published before the first poll": (schedule.Arrival(NOW - span("8d"), first=True), 0),
    "published in the future: counts for now": (schedule.Arrival(NOW + span("8d"), first=True), 1),
}


@pytest.mark.parametrize(("arrival", "counted"), UNCOUNTED.values(), ids=UNCOUNTED)
def test_arrivals_outside_the_observed_time(arrival, counted):
    week = schedule.WeekRates("feed", {}, None, NOW)
    assert len(schedule.updated_counts({}, [arrival], week, NOW - span("7d"), NOW - span("1h"), NOW)) == counted


def test_older_weeks_weigh_less():
    count = HourCount(8.0, 4.0, 100)
    assert decayed(count, 100) == count
    assert decayed(count, 90) == count, "an earlier week changes nothing"
    later = decayed(count, 104)
    assert later.week == 104
    assert 3.5 < later.items < 4.5
    late = schedule.updated_counts({(5, 15): HourCount(8.0, 4.0, schedule.publication_rate.week_of(NOW))},
                          [schedule.Arrival(NOW - span("28d"), first=False)],
                          schedule.WeekRates("feed", {}, None, NOW), NOW - span("30d"), NOW, NOW)  # fmt: skip
    assert late[(5, 15)].items == pytest.approx(8.52, abs=0.01), "a late article counts with the weight of its own week"


#: The articles that each kind of source is expected to list in a day before it has been observed.
UNOBSERVED = {"feed": 15, "section": 8, "home": ARTICLES_A_DAY, "sitemap_index": 0.1}


@pytest.mark.parametrize(("kind", "articles"), UNOBSERVED.items())
def test_the_rate_of_an_unobserved_source(kind, articles):
    now = hanoi("10:00")
    week = schedule.WeekRates(kind, {}, None, now)
    assert week.expected(now - span("1d"), now) == pytest.approx(articles)
    share = 8 / 109  # of a newsroom's ordinary day, the hour from 10:00
    assert week.rate(now) == pytest.approx(articles * share)


#: The articles of one observed week by (weekday, hour); the hour in question; its rate minus r/12, where r is the rate
#: of an unobserved source in that hour. The arithmetic, with 24 articles on Tuesday between 10:00 and 11:00:
#: any day is the mean of seven observed days and one unobserved day, (24 + r) / 8 = 3 + r/8;
#: Tuesday is the mean of one observed week and two weeks like any day, (24 + 2 * (3 + r/8)) / 3 = 10 + r/12;
#: Wednesday in the same way, (0 + 2 * (3 + r/8)) / 3 = 2 + r/12.
OBSERVED = {
    "no articles": ({}, (1, 10), 0),
    "articles in this hour": ({(1, 10): 24}, (1, 10), 10),
    "articles in the same hour of another day": ({(1, 10): 24}, (2, 10), 2),
    "articles in another hour": ({(1, 10): 24}, (1, 11), 0),
    "articles in the same hour of every day": ({(day, 10): 12 for day in range(7)}, (1, 10), 11),
}


@pytest.mark.parametrize(("articles", "slot", "expected"), OBSERVED.values(), ids=OBSERVED)
def test_the_rate_after_one_observed_week(articles, slot, expected):
    now, at = hanoi("00:00"), hanoi(f"{slot[1]}:00", day=slot[0] - 1)
    number = schedule.publication_rate.week_of(now)
    counts = {hour: HourCount(items, 0.0, number) for hour, items in articles.items()}
    unobserved = schedule.WeekRates("feed", {}, None, now).rate(at)
    week = schedule.WeekRates("feed", counts, now - span("7d"), now)
    assert week.rate(at) == pytest.approx(expected + unobserved / 12)


#: Articles that a source has listed; how many of them it was the first to list; the expected share of such articles.
#: Ten articles with the share of an unobserved source are added. For a feed that is never first: (0 + 6) / (10 + 10).
SHARES = {
    "an unobserved news sitemap": ("news_sitemap", 0, 0, 1.0),
    "an unobserved list of the API": ("list", 0, 0, 0.6),
    "an unobserved feed": ("feed", 0, 0, 0.6),
    "an unobserved section": ("section", 0, 0, 0.3),
    "an unobserved home page": ("home", 0, 0, 0.3),
    "a news sitemap that is never first": ("news_sitemap", 10, 0, 0.5),
    "a feed that is never first": ("feed", 10, 0, 0.3),
    "a feed that is always first": ("feed", 10, 10, 0.8),
    "a section that is first with half of the articles": ("section", 30, 15, 0.45),
}


@pytest.mark.parametrize(("kind", "items", "firsts", "expected"), SHARES.values(), ids=SHARES)
def test_the_share_of_articles_that_a_source_is_the_first_to_list(kind, items, firsts, expected):
    counts = {(1, 10): HourCount(items, firsts, schedule.publication_rate.week_of(NOW))}
    assert schedule.first_share(kind, counts if items else {}, NOW) == pytest.approx(expected)


COUNTED_SINCE = {
    "since the oldest dated article": ([NOW - span("2d"), None, NOW - span("1h")], "2d"),
    "at most a week": ([NOW - span("90d")], "7d"),
    "no dated article": ([None], "0s"),
    "dated in the future": ([NOW + span("1d")], "0s"),
}


@pytest.mark.parametrize(("published", "ago"), COUNTED_SINCE.values(), ids=COUNTED_SINCE)
def test_since_when_articles_of_the_first_response_are_counted(published, ago):
    assert schedule.counted_since(published, NOW) == NOW - span(ago)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20), st.integers(0, 10**9))
def test_jitter_is_reproducible(address, seconds):
    instant = datetime.fromtimestamp(seconds, UTC)
    assert schedule.pseudo_random(address, instant) == schedule.pseudo_random(address, instant)
    assert 0 <= schedule.pseudo_random(address, instant) < 1


def test_jitter_spreads_the_polls_of_many_sources():
    draws = {schedule.pseudo_random(f"https://fr.vietnamplus.vn/rss/{n}.rss", NOW) for n in range(100)}
    assert len(draws) == 100
    assert min(draws) < 0.1
    assert max(draws) > 0.9


def test_row_after_a_good_response():
    outcome = schedule.source_polled(source(most_items=60), schedule.PollResult(50, 2, 1, None), span("1h"), NOW, 0.5)
    wait = span("57m")
    assert outcome == SourceOutcome("ok", NOW + wait, interval=wait, items=50, fresh_items=1)
    scanty = schedule.source_polled(source(most_items=60), schedule.PollResult(14, 0, 0, None), span("1h"), NOW, 0.0)
    assert (scanty.state, scanty.error) == ("ok", "lists 14 articles; it has listed up to 60")


PAST = {
    "this month": ((2026, 11), "6h"),
    "last month": ((2026, 10), "1d"),
    "two months ago": ((2026, 9), "7d"),
    "a year ago": ((2025, 11), "7d"),
    "long ago": ((2025, 10), None),
}


@pytest.mark.parametrize(("month", "expected"), PAST.values(), ids=PAST)
def test_sitemaps_of_past_months_are_polled_rarely(month, expected):
    outcome = schedule.past_month(SourceOutcome("ok", NOW + span("6h"), interval=span("6h")), month, NOW)
    assert outcome.next_due_at == (NOW + span(expected) if expected else None)
    assert outcome.interval == (span(expected) if expected else None)


FAILED_SOURCES = {
    "a server error": (source(failures=1), False, ("failing", "10m")),
    "a server error for days: at most the longest interval": (source(failures=40), False, ("failing", "6h")),
    "absent, and always was": (source(last_ok_at=None), True, ("absent", "7d")),
    "absent since now": (source(), True, ("failing", "5m")),
    "absent for days": (source(failures=40), True, ("failing", "1d")),
    "never a good response, but not absent": (source(last_ok_at=None), False, ("failing", "5m")),
}


@pytest.mark.parametrize(("row", "absent", "expected"), FAILED_SOURCES.values(), ids=FAILED_SOURCES)
def test_row_after_a_failed_poll(row, absent, expected):
    outcome = schedule.source_failed(row, NOW, "why", BOUNDS, absent=absent)
    state, wait = expected
    assert outcome == SourceOutcome(state, NOW + span(wait), error="why", failures=row.failures + 1)


def test_an_empty_list_is_a_failure_if_the_source_had_articles():
    assert schedule.source_empty(source(most_items=None), NOW, BOUNDS) is None
    assert schedule.source_empty(source(most_items=0), NOW, BOUNDS) is None
    outcome = schedule.source_empty(source(most_items=50), NOW, BOUNDS)
    assert outcome == SourceOutcome(
        "failing",
        NOW + span("5m"),
        error="lists no article; it has listed up to 50",
        failures=1,
        error_kind="empty-source",
    )


# --- gaps -------------------------------------------------------------------------------------------------------------

SHOWN = source(newest_id=20, middle_id=15)  # the response before listed 11 to 20

OPENS = {
    "the next ten": (SHOWN, range(18, 28), {18, 19, 20}, None),
    "the same ten": (SHOWN, range(11, 21), set(range(11, 21)), None),
    "ten others": (SHOWN, range(31, 41), set(), schedule.GapFound(20, 31)),
    "the next ten and not one more": (SHOWN, range(21, 31), set(), schedule.GapFound(20, 21)),
    "ten others below a pinned one": (SHOWN, [3, *range(31, 40)], {3}, schedule.GapFound(20, 31)),
    "ten others below one that stays in the sidebar": (SHOWN, [12, *range(31, 40)], {12}, schedule.GapFound(20, 31)),
    "ten older ones": (SHOWN, range(1, 11), set(), schedule.GapFound(20, None)),
    "an id listed by another source": (SHOWN, [17, *range(31, 40)], set(), schedule.GapFound(20, 31)),
    "the first response": (source(), range(31, 41), set(), None),
    "no articles": (SHOWN, [], set(), None),
    "a month's sitemap, on the first of the next": (replace(SHOWN, kind="sitemap"), range(31, 41), set(), None),
    "the home page": (replace(SHOWN, kind="home"), range(31, 41), set(), None),
    "a section: its sidebar does not count": (
        replace(SHOWN, kind="section"),
        [21, 22, *range(31, 41)],
        set(),
        schedule.GapFound(20, 35),
    ),
}


@pytest.mark.parametrize(("row", "ids", "before", "expected"), OPENS.values(), ids=OPENS)
def test_what_opens_a_gap(row, ids, before, expected):
    assert schedule.gap_found(row, list(ids), before) == expected


# the ids on a page of a list, and those that the list had not shown before
READS_ON = {
    "the first response": (range(1, 11), range(1, 11), True),
    "nothing new": (range(1, 11), [], False),
    "one new article": (range(1, 11), [10], False),
    "half of the page is new": (range(1, 11), range(6, 11), False),
    "more than half": (range(1, 11), range(5, 11), True),
    "the one in the middle": (range(1, 12), range(6, 12), True),
    "all but that one": (range(1, 12), range(7, 12), False),
    "an old article that was never listed": (range(1, 11), [2], True),
    "a new article above pinned ones": ([3, 4, *range(31, 40)], range(37, 40), False),
    "new articles replace all but the pinned ones": ([3, 4, *range(31, 40)], range(31, 40), True),
    "a single article": ([7], [7], True),
    "a single known article": ([7], [], False),
    "no articles": ([], [], False),
}


@pytest.mark.parametrize(("ids", "unseen", "expected"), READS_ON.values(), ids=READS_ON)
def test_whether_the_next_page_of_a_list_is_read(ids, unseen, expected):
    assert schedule.reads_on(set(ids), set(unseen)) is expected


@pytest.mark.parametrize(("ids", "expected"), [([], None), ([7], (7, 7)), ([1, 2], (2, 2)), (range(11, 21), (20, 16))])
def test_the_newer_half_of_a_response(ids, expected):
    assert schedule.halves(list(ids)) == expected


GAP = Gap(1, "feed", NOW - span("3d"), NOW - span("1d"), 100, 120, NOW - span("1d"))
GOOD = schedule.MonthSitemap("the sitemap of 2026-11", "ok", NOW, 130)

CLOSES = {
    "nothing yet": (GAP, [replace(GOOD, last_ok_at=None, newest_id=None)], 5, False, None),
    "paging back reached known articles": (GAP, [], 0, True, "paging"),
    "all ids between are known": (GAP, [replace(GOOD, state="failing")], 19, False, "ids"),
    "all but one": (GAP, [replace(GOOD, state="failing")], 18, False, None),
    "the sitemap, read since": (GAP, [GOOD], 5, False, "sitemap"),
    "the sitemap, read at that moment": (GAP, [replace(GOOD, last_ok_at=GAP.until, newest_id=120)], 5, False, "sitemap"),
    "the sitemap, read before": (GAP, [replace(GOOD, last_ok_at=GAP.until - span("1s"))], 5, False, None),
    "a sitemap from a cache": (GAP, [replace(GOOD, newest_id=119)], 5, False, None),
    "a sitemap without articles": (GAP, [replace(GOOD, newest_id=None)], 5, False, None),
    "a failing sitemap": (GAP, [replace(GOOD, state="failing")], 5, False, None),
    "no sitemap": (GAP, [replace(GOOD, state="absent")], 5, False, None),
    "two months, one of them missing": (GAP, [replace(GOOD, state="absent"), GOOD], 5, False, None),
    "two months": (GAP, [replace(GOOD, newest_id=110), GOOD], 5, False, "sitemap"),
    "an unknown end": (replace(GAP, before_id=None), [GOOD], 500, False, "sitemap"),
    "an unknown end, and an outdated sitemap": (replace(GAP, before_id=None), [replace(GOOD, newest_id=9)], 500, False, None),
    "an unknown beginning": (replace(GAP, after_id=None), [GOOD], 500, False, "sitemap"),
}  # fmt: skip


@pytest.mark.parametrize(("gap", "sitemaps", "between", "reached", "expected"), CLOSES.values(), ids=CLOSES)
def test_what_closes_a_gap(gap, sitemaps, between, reached, expected):
    assert schedule.gap_closed_by(gap, sitemaps, between, reached=reached) == expected


WAITS = {
    "": GOOD,
    "the sitemap of 2026-11 is failing": replace(GOOD, state="failing"),
    "the sitemap of 2026-11 has not been read since": replace(GOOD, last_ok_at=None),
    "no sitemap lists an article after the gap yet": replace(GOOD, newest_id=110),
}


@pytest.mark.parametrize(("message", "sitemap"), WAITS.items(), ids=lambda value: value or "nothing")
def test_what_a_gap_waits_for(message, sitemap):
    assert schedule.gap_waits_for(GAP, [sitemap]) == message


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-11-03T00:00", "2026-11-05T00:00", [(2026, 11)]),
        ("2026-11-30T16:59", "2026-11-30T17:00", [(2026, 11), (2026, 12)]),
        ("2025-12-31T00:00", "2026-02-01T00:00", [(2025, 12), (2026, 1), (2026, 2)]),
    ],
)
def test_the_months_of_a_gap_are_months_in_hanoi(since, until, expected):
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
def test_paging_back_is_retried_with_backoff(last, now, expected):
    at = GAP.opened_at
    assert schedule.should_page_back(GAP, at + span(last) if last else None, at + span(now)) is expected


# --- the primary source -----------------------------------------------------------------------------------------------


def source_counts(name, kind, *counts):
    return SourceCounts(name, kind, tuple(HourCount(n, 0.0, schedule.publication_rate.week_of(NOW)) for n in counts))


PRIMARY = {
    "without counts: the best kind": (
        [source_counts("h", "home"), source_counts("f", "feed"), source_counts("n", "news_sitemap")],
        "n",
    ),
    "the best kind of those that list nearly all": (
        [source_counts("h", "home", 60, 40), source_counts("f", "feed", 80), source_counts("s", "feed", 9)],
        "f",
    ),
    "the best kind lists too little": ([source_counts("h", "home", 99), source_counts("n", "news_sitemap", 40)], "h"),
    "two of a kind: always the same one": ([source_counts("b", "feed", 90), source_counts("a", "feed", 80)], "a"),
    "a section does not list all news": ([source_counts("s", "section", 99), source_counts("h", "home", 9)], "h"),
    "no suitable source": ([source_counts("s", "section", 99)], None),
}


@pytest.mark.parametrize(("sources", "expected"), PRIMARY.values(), ids=PRIMARY)
def test_which_source_is_primary(sources, expected):
    assert schedule.primary_source(sources, NOW) == expected
