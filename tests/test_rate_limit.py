"""The rate limit and the circuit breaker, and conditional requests: tables of examples, and general properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import rate_limit
from crawler.rate_limit import Pause, RateLimits, RateLimitState, RateLimitStatus, ResponseSignal
from crawler.schedule import conditional
from crawler.schedule.conditional import FULL_PAGE_EVERY, Validators
from crawler.types import PageForFetch

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)  # 15:00 in Hanoi
LIMITS = RateLimits(interval=1.0, max_pause=3600.0)
INITIAL = RateLimitState()
DETAILS = {"throttled": "HTTP status 429", "refused": "HTTP status 403", "failed": "ReadTimeout"}


def sec(seconds):
    return NOW + timedelta(seconds=seconds)


def after(state, kind, *, address="/a", sent=0.0, received=None, retry_after=None, limits=LIMITS):
    """Return the state after a response; `sent` and `received` are seconds from NOW."""
    signal = ResponseSignal(address, sec(sent), kind, DETAILS.get(kind, ""), retry_after)
    return rate_limit.after_response(state, limits, signal, sec(sent if received is None else received))


def failures(kind="failed", addresses=5, state=INITIAL, **more):
    """Return the state after failures at several addresses, one second apart."""
    for n in range(addresses):
        state = after(state, kind, address=f"/{n}", sent=n, **more)
    return state


# --- what a status says about the host --------------------------------------------------------------------------------

KINDS = {200: "good", 304: "good", 301: "good", 404: "good", 410: "good", 451: "good", 403: "refused", 429: "throttled",
         503: "throttled", 500: "failed", 502: "failed", 504: "failed"}  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_classify_status(status, kind):
    assert rate_limit.classify_status(status) == kind


# --- when the next request may be sent --------------------------------------------------------------------------------

PAUSES = {
    "first request": (INITIAL, LIMITS, None),
    "shortly after the last request": (RateLimitState(last=sec(-0.25)), LIMITS, 0.75),
    "exactly one interval later": (RateLimitState(last=sec(-1)), LIMITS, None),
    "long after the last request": (RateLimitState(last=sec(-999)), LIMITS, None),
    "Crawl-delay": (RateLimitState(last=sec(-1), delay=7), LIMITS, 6),
    "Crawl-delay below our interval": (RateLimitState(last=sec(-1), delay=0.2), LIMITS, None),
    "Crawl-delay of one day": (RateLimitState(last=NOW, delay=86_400), LIMITS, 3600),
    "slowdown": (RateLimitState(last=sec(-1), slowdown=8), LIMITS, 7),
    "slowdown with a long interval": (RateLimitState(last=NOW, slowdown=32, delay=10), LIMITS, 60),
    "slowdown with an interval above the cap": (RateLimitState(last=NOW, slowdown=32, delay=90), LIMITS, 90),
    "no interval on this machine": (RateLimitState(last=NOW, slowdown=32, delay=9), replace(LIMITS, interval=0), None),
    "paused": (RateLimitState(last=sec(-5), until=sec(40)), LIMITS, 40),
    "pause has ended": (RateLimitState(last=sec(-50), until=NOW), LIMITS, None),
}


@pytest.mark.parametrize(("state", "limits", "wait"), PAUSES.values(), ids=PAUSES)
def test_pause_until_the_next_request(state, limits, wait):
    found = rate_limit.current_pause(state, limits, NOW)
    assert (found and found.until) == (wait and sec(wait))


def hanoi(text):
    return datetime.fromisoformat(f"2026-11-21T{text}+07:00")


def hours(first, last):
    return time.fromisoformat(first), time.fromisoformat(last)


QUIET = {
    "before the start": (hours("23:00", "05:00"), "22:59:59", None),
    "at the start": (hours("23:00", "05:00"), "23:00", "2026-11-22T05:00"),
    "before midnight": (hours("23:00", "05:00"), "23:59", "2026-11-22T05:00"),
    "after midnight": (hours("23:00", "05:00"), "00:00", "2026-11-21T05:00"),
    "in the last second": (hours("23:00", "05:00"), "04:59:59", "2026-11-21T05:00"),
    "at the end": (hours("23:00", "05:00"), "05:00", None),
    "within one day, inside": (hours("12:00", "13:30"), "12:30", "2026-11-21T13:30"),
    "within one day, at the end": (hours("12:00", "13:30"), "13:30", None),
    "no quiet hours": (None, "03:00", None),
}


@pytest.mark.parametrize(("quiet", "at", "end"), QUIET.values(), ids=QUIET)
def test_quiet_hours(quiet, at, end):
    found = rate_limit.current_pause(INITIAL, replace(LIMITS, quiet_hours=quiet), hanoi(at))
    assert (found and found.until) == (end and datetime.fromisoformat(f"{end}:00+07:00"))
    if found:
        assert "quiet hours" in found.reason
        assert "quiet_hours" in found.hint


def test_daily_cap_counts_days_in_hanoi():
    limits, state = replace(LIMITS, daily_cap=3), INITIAL
    at = hanoi("23:59:00")
    for n in range(3):
        assert rate_limit.current_pause(state, limits, at + timedelta(seconds=2 * n)) is None
        state = rate_limit.after_request(state, limits, at + timedelta(seconds=2 * n))
    found = rate_limit.current_pause(state, limits, at + timedelta(seconds=10))
    assert found.until == hanoi("00:00") + timedelta(days=1)
    assert "cap (3 per day" in found.reason
    assert "daily_cap" in found.hint
    assert rate_limit.status(state, limits, at + timedelta(seconds=10)).requests_today == 3
    assert rate_limit.current_pause(state, limits, found.until) is None
    assert rate_limit.after_request(state, limits, found.until).count == 1


def test_of_several_pauses_the_longest_is_returned():
    state = RateLimitState(last=NOW, until=sec(40), reason="why")
    limits = replace(LIMITS, quiet_hours=hours("14:00", "16:00"))
    assert rate_limit.current_pause(state, LIMITS, NOW) == Pause(sec(40), "why")
    assert rate_limit.current_pause(state, limits, NOW).until == sec(3600)


def test_status_for_display():
    """The interval between two requests is not reported as a pause."""
    assert rate_limit.status(RateLimitState(last=NOW, slowdown=4), LIMITS, NOW) == RateLimitStatus(None, 4.0, 4.0, 0)
    paused = rate_limit.status(RateLimitState(until=sec(9), reason="why"), LIMITS, NOW)
    assert (paused.pause.until, paused.pause.reason) == (sec(9), "why")


# --- responses with status 429 or 503 ---------------------------------------------------------------------------------

RETRY_AFTER = {
    "Retry-After": (INITIAL, 120, 120),
    "Retry-After of zero": (INITIAL, 0, 0),
    "Retry-After above the longest pause": (INITIAL, 86_400, 3600),
    "infinite Retry-After": (INITIAL, float("inf"), 3600),
    "no Retry-After": (INITIAL, None, 30),
    "no Retry-After, slowed down already": (RateLimitState(slowdown=4), None, 120),
    "Retry-After shorter than the current pause": (RateLimitState(until=sec(500)), 10, 500),
}


@pytest.mark.parametrize(("state", "retry_after", "pause"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_throttled_response_pauses_and_slows_down(state, retry_after, pause):
    throttled = after(state, "throttled", retry_after=retry_after)
    assert throttled.until == sec(pause)
    assert throttled.slowdown == state.slowdown * 2
    assert "429" in throttled.reason
    assert not throttled.tripped


def test_the_request_rate_recovers_gradually():
    state = INITIAL
    for _ in range(4):
        state = after(state, "throttled", retry_after=1)
    series = []
    for n in range(60):
        series.append(round(rate_limit.interval(state, LIMITS), 2))
        state = after(state, "good", sent=10 + n)
    assert series[:3] == [16.0, 14.4, 12.96]
    assert series == sorted(series, reverse=True)
    assert 20 < series.index(1.0) < 40
    assert state == INITIAL, "the slowdown is gone in the end"


def test_the_slowdown_has_a_maximum():
    state = INITIAL
    for n in range(20):
        state = after(state, "throttled", sent=n, retry_after=0)
    assert rate_limit.interval(state, LIMITS) == 32.0


def test_a_good_response_to_an_earlier_request_is_ignored():
    state = after(INITIAL, "throttled", sent=1, received=2, retry_after=60)
    assert after(state, "good", sent=1.5, received=3) == state
    assert after(state, "good", sent=62).until is None


# --- the circuit breaker ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DETAILS)
def test_failures_at_five_addresses_open_the_breaker(kind):
    assert not failures(kind, 4, retry_after=0).tripped
    state = failures(kind, retry_after=0)
    assert state.tripped
    assert state.until == sec(4 + 300)
    assert state.reason == f"circuit breaker open: failures at 5 addresses in a row, most recently {DETAILS[kind]}"
    assert state.slowdown >= 2


def test_one_failing_address_does_not_open_the_breaker():
    state = INITIAL
    for n in range(20):
        state = after(state, "failed", sent=n)
    assert not state.tripped
    assert state.until is None


@pytest.mark.parametrize("kind", ["refused", "failed"])
def test_a_good_response_resets_the_count(kind):
    state = after(failures(kind, 4), "good", sent=5)
    assert not failures(kind, 4, state).tripped


SUSPECT = {
    "no failures": (INITIAL, False),
    "only this address failed": (RateLimitState(troubled=("/a",)), False),
    "another address failed": (RateLimitState(troubled=("/b",)), True),
    "both failed": (RateLimitState(troubled=("/a", "/b")), True),
    "breaker open": (RateLimitState(tripped=True), True),
}


@pytest.mark.parametrize(("state", "suspect"), SUSPECT.values(), ids=SUSPECT)
def test_is_host_suspect(state, suspect):
    assert rate_limit.is_host_suspect(state, "/a") == suspect


def test_one_trial_request_while_the_other_processes_wait():
    state = failures()
    assert rate_limit.current_pause(state, LIMITS, sec(303)).until == sec(304)
    assert rate_limit.current_pause(state, LIMITS, sec(304)) is None
    trial = rate_limit.after_request(state, LIMITS, sec(304))
    waiting = rate_limit.current_pause(trial, LIMITS, sec(305))
    assert (waiting.until, waiting.reason) == (
        sec(304 + 60),
        "circuit breaker half-open: one trial request is in progress",
    )
    well = after(trial, "good", sent=304, received=306)
    assert (well.tripped, well.until, well.troubled) == (False, None, ())
    assert rate_limit.current_pause(well, LIMITS, sec(306)) is None


def test_a_trial_request_of_a_dead_process_does_not_block_for_ever():
    trial = rate_limit.after_request(failures(), LIMITS, sec(304))
    assert rate_limit.current_pause(trial, LIMITS, sec(364)) is None


def test_each_opening_lasts_longer_until_the_slowdown_is_gone():
    state, waits, at = failures(), [], 4
    for _ in range(6):
        waits.append((state.until - sec(at)).total_seconds())
        at = (state.until - NOW).total_seconds()
        state = after(rate_limit.after_request(state, LIMITS, sec(at)), "failed", address="/x", sent=at)
    assert waits == [300, 600, 1200, 2400, 3600, 3600]
    assert "the trial request failed" in state.reason
    state = after(state, "good", sent=at + 9000)
    assert (state.trips, state.tripped) == (7, False), "one good response closes the breaker but keeps the count"
    for n in range(100):
        state = after(state, "good", sent=at + 9001 + n)
    assert (state.trips, state.slowdown) == (0, 1)


def test_a_longer_retry_after_overrides_the_breaker():
    assert failures("throttled", retry_after=2000).until == sec(4 + 2000)


def test_a_failure_of_an_earlier_request_does_not_open_it_again():
    state = failures()
    assert after(state, "failed", address="/z", sent=1, received=5).trips == 1
    assert after(state, "throttled", address="/z", sent=1, received=5, retry_after=900).until == sec(905)


# --- a wrong system clock ---------------------------------------------------------------------------------------------


def test_times_from_a_wrong_clock_are_clamped():
    """The clock was ten years ahead during a run, and was corrected afterwards."""
    then = NOW + timedelta(days=3650)
    bad = RateLimitState(last=then, until=then, trouble_at=then, day="2036-11-19", count=7, slowdown=4)
    state = rate_limit.clamp_times(bad, LIMITS, NOW)
    assert (state.last, state.until, state.trouble_at) == (NOW, sec(3600), NOW)
    assert rate_limit.status(state, LIMITS, NOW).requests_today == 0
    assert rate_limit.clamp_times(RateLimitState(until=sec(10)), LIMITS, NOW).until == sec(10)
    assert rate_limit.clamp_times(INITIAL, LIMITS, NOW) == INITIAL


# --- any sequence of responses ----------------------------------------------------------------------------------------

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["good", "throttled", "refused", "failed"]),
        st.sampled_from("abcdefgh"),
        st.sampled_from([None, 0, 5, 4000]),
        st.floats(0, 400),
    ),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(EVENTS)
def test_no_sequence_causes_a_burst_or_an_endless_pause(events):
    state, now, last = INITIAL, NOW, None
    for kind, address, wait, later in events:
        now += timedelta(seconds=later)
        while found := rate_limit.current_pause(state, LIMITS, now):
            assert found.until - now <= timedelta(seconds=3600)
            now = found.until
        assert last is None or now - last >= timedelta(seconds=1)
        last = now
        state = rate_limit.after_request(state, LIMITS, now)
        state = rate_limit.after_response(state, LIMITS, ResponseSignal(address, now, kind, "", wait), now)
        assert len(state.troubled) <= 5
        assert 1 <= rate_limit.interval(state, LIMITS) <= 60


# --- conditional requests ---------------------------------------------------------------------------------------------

TAG, DATE, BOTH = Validators('"a"'), Validators(None, "Sat"), Validators('"a"', "Sat")
NONE = Validators()


def row(held, checked=None, lies=0):
    return PageForFetch(1, "u", "live", 0, NOW, held.etag, held.last_modified, None, checked, lies)


SENT = {
    "full response an hour ago": (BOTH, sec(-3600), 0, BOTH),
    "full response a day ago": (BOTH, sec(-86_400), 0, NONE),
    "no full response yet": (BOTH, None, 0, NONE),
    "full response in the future (wrong clock)": (BOTH, sec(5), 0, NONE),
    "validators were wrong before": (BOTH, sec(-3600), 1, NONE),
    "no validators": (NONE, sec(-3600), 0, NONE),
}


@pytest.mark.parametrize(("held", "checked", "lies", "sent"), SENT.values(), ids=SENT)
def test_when_validators_are_sent(held, checked, lies, sent):
    assert conditional.to_send(row(held, checked, lies), NOW, FULL_PAGE_EVERY) == sent


MISMATCHES = {
    "same tag": (TAG, TAG, True, True),
    "same tag and date": (BOTH, BOTH, True, True),
    "same tag, another date": (BOTH, Validators('"a"', "Sun"), True, True),
    "same date, no tags": (DATE, DATE, True, True),
    "another tag, same date": (BOTH, Validators('"b"', "Sat"), True, False),
    "a new tag, same date": (DATE, BOTH, True, False),
    "another date": (DATE, Validators(None, "Sun"), True, False),
    "content unchanged": (TAG, TAG, False, False),
    "no validators": (NONE, NONE, True, False),
}


@pytest.mark.parametrize(("held", "received", "changed", "mismatch"), MISMATCHES.values(), ids=MISMATCHES)
def test_validator_mismatch(held, received, changed, mismatch):
    assert conditional.mismatch(row(held), received, changed=changed) == mismatch
