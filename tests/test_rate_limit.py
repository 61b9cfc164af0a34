"""Patience with a host, and trust in validators: tables of examples, and what holds for every story."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import rate_limit
from crawler.rate_limit import Answer, Limits, Patience, Pause
from crawler.schedule import conditional
from crawler.schedule.conditional import WHOLE_PAGE, Validators
from crawler.types import PageForFetch

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)  # 15:00 in Hanoi
LIMITS = Limits(interval=1.0, longest=3600.0)
WELL = Patience()
TROUBLE = {"throttled": "HTTP status 429", "refused": "HTTP status 403", "failed": "ReadTimeout"}


def sec(seconds):
    return NOW + timedelta(seconds=seconds)


def told(state, kind, *, address="/a", asked=0.0, came=None, wait=None, limits=LIMITS):
    """The state after an answer to a request made `asked` seconds from now."""
    answer = Answer(address, sec(asked), kind, TROUBLE.get(kind, ""), wait)
    return rate_limit.after(state, limits, answer, sec(asked if came is None else came))


def storm(kind="failed", addresses=5, state=WELL, **more):
    for n in range(addresses):
        state = told(state, kind, address=f"/{n}", asked=n, **more)
    return state


# --- what an answer tells ---------------------------------------------------------------------------------------------

KINDS = {200: "good", 304: "good", 301: "good", 404: "good", 410: "good", 451: "good", 403: "refused", 429: "throttled",
         503: "throttled", 500: "failed", 502: "failed", 504: "failed"}  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_what_a_status_tells_of_the_host(status, kind):
    assert rate_limit.kind_of(status) == kind


# --- turns ------------------------------------------------------------------------------------------------------------

TURNS = {
    "the first request": (WELL, LIMITS, None),
    "a moment after the last one": (Patience(last=sec(-0.25)), LIMITS, 0.75),
    "just in time": (Patience(last=sec(-1)), LIMITS, None),
    "long after": (Patience(last=sec(-999)), LIMITS, None),
    "a Crawl-delay": (Patience(last=sec(-1), delay=7), LIMITS, 6),
    "a Crawl-delay below our own": (Patience(last=sec(-1), delay=0.2), LIMITS, None),
    "a Crawl-delay of a day": (Patience(last=NOW, delay=86_400), LIMITS, 3600),
    "slowed down": (Patience(last=sec(-1), slowdown=8), LIMITS, 7),
    "slowed down, with a long interval": (Patience(last=NOW, slowdown=32, delay=10), LIMITS, 60),
    "slowed down, with a longer one": (Patience(last=NOW, slowdown=32, delay=90), LIMITS, 90),
    "no delay on this machine": (Patience(last=NOW, slowdown=32, delay=9), replace(LIMITS, interval=0), None),
    "it asked for patience": (Patience(last=sec(-5), until=sec(40)), LIMITS, 40),
    "its patience is over": (Patience(last=sec(-50), until=NOW), LIMITS, None),
}


@pytest.mark.parametrize(("state", "limits", "wait"), TURNS.values(), ids=TURNS)
def test_when_the_next_turn_is(state, limits, wait):
    found = rate_limit.pause(state, limits, NOW)
    assert (found and found.until) == (wait and sec(wait))


def hanoi(text):
    return datetime.fromisoformat(f"2026-11-21T{text}+07:00")


def hours(first, last):
    return time.fromisoformat(first), time.fromisoformat(last)


QUIET = {
    "before them": (hours("23:00", "05:00"), "22:59:59", None),
    "from the first minute": (hours("23:00", "05:00"), "23:00", "2026-11-22T05:00"),
    "before midnight": (hours("23:00", "05:00"), "23:59", "2026-11-22T05:00"),
    "after midnight": (hours("23:00", "05:00"), "00:00", "2026-11-21T05:00"),
    "in the last second": (hours("23:00", "05:00"), "04:59:59", "2026-11-21T05:00"),
    "after them": (hours("23:00", "05:00"), "05:00", None),
    "within a day: inside": (hours("12:00", "13:30"), "12:30", "2026-11-21T13:30"),
    "within a day: outside": (hours("12:00", "13:30"), "13:30", None),
    "none": (None, "03:00", None),
}


@pytest.mark.parametrize(("quiet", "at", "end"), QUIET.values(), ids=QUIET)
def test_quiet_hours(quiet, at, end):
    found = rate_limit.pause(WELL, replace(LIMITS, quiet=quiet), hanoi(at))
    assert (found and found.until) == (end and datetime.fromisoformat(f"{end}:00+07:00"))
    if found:
        assert "quiet hours" in found.reason
        assert "quiet_hours" in found.hint


def test_the_daily_cap_counts_a_day_in_hanoi():
    limits, state = replace(LIMITS, daily=3), WELL
    at = hanoi("23:59:00")
    for n in range(3):
        assert rate_limit.pause(state, limits, at + timedelta(seconds=2 * n)) is None
        state = rate_limit.taken(state, limits, at + timedelta(seconds=2 * n))
    found = rate_limit.pause(state, limits, at + timedelta(seconds=10))
    assert found.until == hanoi("00:00") + timedelta(days=1)
    assert "3 requests" in found.reason
    assert "daily_cap" in found.hint
    assert rate_limit.pace(state, limits, at + timedelta(seconds=10)).requests_today == 3
    assert rate_limit.pause(state, limits, found.until) is None
    assert rate_limit.taken(state, limits, found.until).count == 1


def test_the_longest_of_several_reasons_is_told():
    state = Patience(last=NOW, until=sec(40), reason="patience")
    limits = replace(LIMITS, quiet=hours("14:00", "16:00"))
    assert rate_limit.pause(state, LIMITS, NOW) == Pause(sec(40), "patience")
    assert rate_limit.pause(state, limits, NOW).until == sec(3600)


def test_the_pace_as_a_status_shows_it():
    """A turn that is about to come is no pause."""
    assert rate_limit.pace(Patience(last=NOW, slowdown=4), LIMITS, NOW) == rate_limit.Pace(None, 4.0, 4.0, 0)
    paused = rate_limit.pace(Patience(until=sec(9), reason="why"), LIMITS, NOW)
    assert (paused.pause.until, paused.pause.reason) == (sec(9), "why")


# --- asked for patience -----------------------------------------------------------------------------------------------

ASKED = {
    "by Retry-After": (WELL, 120, 120),
    "for no time": (WELL, 0, 0),
    "for longer than we wait": (WELL, 86_400, 3600),
    "for ever": (WELL, float("inf"), 3600),
    "without saying how long": (WELL, None, 30),
    "again, without saying how long": (Patience(slowdown=4), None, 120),
    "for less than by another answer": (Patience(until=sec(500)), 10, 500),
}


@pytest.mark.parametrize(("state", "wait", "pause"), ASKED.values(), ids=ASKED)
def test_asked_for_patience(state, wait, pause):
    after = told(state, "throttled", wait=wait)
    assert after.until == sec(pause)
    assert after.slowdown == state.slowdown * 2
    assert "429" in after.reason
    assert not after.tripped


def test_after_a_storm_the_rate_comes_back_slowly():
    state = WELL
    for _ in range(4):
        state = told(state, "throttled", wait=1)
    series = []
    for n in range(60):
        series.append(round(rate_limit.interval(state, LIMITS), 2))
        state = told(state, "good", asked=10 + n)
    assert series[:3] == [16.0, 14.4, 12.96]
    assert series == sorted(series, reverse=True)
    assert 20 < series.index(1.0) < 40
    assert state == WELL, "in the end nothing is left of it"


def test_there_is_a_slowest():
    state = WELL
    for n in range(20):
        state = told(state, "throttled", asked=n, wait=0)
    assert rate_limit.interval(state, LIMITS) == 32.0


def test_an_answer_from_before_the_trouble_proves_nothing():
    state = told(WELL, "throttled", asked=1, came=2, wait=60)
    assert told(state, "good", asked=1.5, came=3) == state
    assert told(state, "good", asked=62).until is None


# --- the breaker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TROUBLE)
def test_a_storm_trips_it(kind):
    assert not storm(kind, 4, wait=0).tripped
    state = storm(kind, wait=0)
    assert state.tripped
    assert state.until == sec(4 + 300)
    assert state.reason == f"5 addresses in a row without a good answer, at last {TROUBLE[kind]}"
    assert state.slowdown >= 2


def test_one_page_in_trouble_is_no_storm():
    state = WELL
    for n in range(20):
        state = told(state, "failed", asked=n)
    assert not state.tripped
    assert state.until is None


@pytest.mark.parametrize("kind", ["refused", "failed"])
def test_a_good_answer_between_makes_it_no_storm(kind):
    state = told(storm(kind, 4), "good", asked=5)
    assert not storm(kind, 4, state).tripped


DOUBTS = {
    "all is well": (WELL, False),
    "this address alone": (Patience(troubled=("/a",)), False),
    "another one": (Patience(troubled=("/b",)), True),
    "both": (Patience(troubled=("/a", "/b")), True),
    "on trial": (Patience(tripped=True), True),
}


@pytest.mark.parametrize(("state", "doubtful"), DOUBTS.values(), ids=DOUBTS)
def test_when_asking_at_once_again_is_unkind(state, doubtful):
    assert rate_limit.doubtful(state, "/a") == doubtful


def test_one_request_is_on_trial_while_the_others_wait():
    state = storm()
    assert rate_limit.pause(state, LIMITS, sec(303)).until == sec(304)
    assert rate_limit.pause(state, LIMITS, sec(304)) is None
    trial = rate_limit.taken(state, LIMITS, sec(304))
    waiting = rate_limit.pause(trial, LIMITS, sec(305))
    assert (waiting.until, waiting.reason) == (sec(304 + 60), "one request is on trial after trouble")
    well = told(trial, "good", asked=304, came=306)
    assert (well.tripped, well.until, well.troubled) == (False, None, ())
    assert rate_limit.pause(well, LIMITS, sec(306)) is None


def test_a_trial_whose_process_died_does_not_block_for_ever():
    trial = rate_limit.taken(storm(), LIMITS, sec(304))
    assert rate_limit.pause(trial, LIMITS, sec(364)) is None


def test_it_opens_for_ever_longer_until_the_host_is_quite_well():
    state, waits, at = storm(), [], 4
    for _ in range(6):
        waits.append((state.until - sec(at)).total_seconds())
        at = (state.until - NOW).total_seconds()
        state = told(rate_limit.taken(state, LIMITS, sec(at)), "failed", address="/x", asked=at)
    assert waits == [300, 600, 1200, 2400, 3600, 3600]
    assert state.reason.startswith("still no good answer")
    state = told(state, "good", asked=at + 9000)
    assert (state.trips, state.tripped) == (7, False), "one good answer does not make it well"
    for n in range(100):
        state = told(state, "good", asked=at + 9001 + n)
    assert (state.trips, state.slowdown) == (0, 1)


def test_the_host_asks_for_more_than_the_breaker():
    assert storm("throttled", wait=2000).until == sec(4 + 2000)


def test_an_answer_from_before_the_trip_does_not_trip_it_again():
    state = storm()
    assert told(state, "failed", address="/z", asked=1, came=5).trips == 1
    assert told(state, "throttled", address="/z", asked=1, came=5, wait=900).until == sec(905)


# --- a clock that was wrong -------------------------------------------------------------------------------------------


def test_what_a_wrong_clock_left_heals():
    """A run in the year 2036 left its marks; then the clock was put right."""
    then = NOW + timedelta(days=3650)
    bad = Patience(last=then, until=then, trouble_at=then, day="2036-11-19", count=7, slowdown=4)
    state = rate_limit.healed(bad, LIMITS, NOW)
    assert (state.last, state.until, state.trouble_at) == (NOW, sec(3600), NOW)
    assert rate_limit.pace(state, LIMITS, NOW).requests_today == 0
    assert rate_limit.healed(Patience(until=sec(10)), LIMITS, NOW).until == sec(10)
    assert rate_limit.healed(WELL, LIMITS, NOW) == WELL


# --- every story ------------------------------------------------------------------------------------------------------

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["good", "throttled", "refused", "failed"]),
        st.sampled_from("abcdefgh"),
        st.sampled_from([None, 0, 5, 4000]),
        st.floats(0, 400),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_no_story_leads_to_a_burst_or_to_a_pause_without_an_end(events):
    state, now, last = WELL, NOW, None
    for kind, address, wait, later in events:
        now += timedelta(seconds=later)
        while found := rate_limit.pause(state, LIMITS, now):
            assert found.until - now <= timedelta(seconds=3600)
            now = found.until
        assert last is None or now - last >= timedelta(seconds=1)
        last = now
        state = rate_limit.taken(state, LIMITS, now)
        state = rate_limit.after(state, LIMITS, Answer(address, now, kind, "", wait), now)
        assert len(state.troubled) <= 5
        assert 1 <= rate_limit.interval(state, LIMITS) <= 60


# --- validators -------------------------------------------------------------------------------------------------------

TAG, DATE, BOTH = Validators('"a"'), Validators(None, "Sat"), Validators('"a"', "Sat")
NONE = Validators()


def row(held, checked=None, lies=0):
    return PageForFetch(1, "u", "live", 0, NOW, held.etag, held.last_modified, None, checked, lies)


SENT = {
    "checked whole an hour ago": (BOTH, sec(-3600), 0, BOTH),
    "a day ago: once more whole": (BOTH, sec(-86_400), 0, NONE),
    "never checked whole": (BOTH, None, 0, NONE),
    "checked in the future, by a wrong clock": (BOTH, sec(5), 0, NONE),
    "it has lied": (BOTH, sec(-3600), 1, NONE),
    "it gives none": (NONE, sec(-3600), 0, NONE),
}


@pytest.mark.parametrize(("held", "checked", "lies", "sent"), SENT.values(), ids=SENT)
def test_when_validators_are_sent(held, checked, lies, sent):
    assert conditional.to_send(row(held, checked, lies), NOW, WHOLE_PAGE) == sent


LIES = {
    "the same tag, other content": (TAG, TAG, True, True),
    "the same tag and date": (BOTH, BOTH, True, True),
    "the same tag, another date": (BOTH, Validators('"a"', "Sun"), True, True),
    "the same date, no tags": (DATE, DATE, True, True),
    "another tag, the same date": (BOTH, Validators('"b"', "Sat"), True, False),
    "a tag that was not there before": (DATE, BOTH, True, False),
    "another date": (DATE, Validators(None, "Sun"), True, False),
    "nothing changed": (TAG, TAG, False, False),
    "no validators": (NONE, NONE, True, False),
}


@pytest.mark.parametrize(("held", "given", "changed", "lie"), LIES.values(), ids=LIES)
def test_a_lie(held, given, changed, lie):
    assert conditional.lied(row(held), given, changed=changed) == lie
