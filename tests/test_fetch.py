"""The HTTP client: request budget, robots.txt, redirects, bodies as received, retries, the request log."""

# ruff: noqa: SIM117 - a nested `with` separates the setup from the one step that must raise

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import zlib
from datetime import time, timedelta
from email.utils import format_datetime

import brotli
import httpx
import pytest
import zstandard
from support import (
    CONTACT,
    NOW,
    ROOT,
    SITE,
    FakeClock,
    fetching,
    gzipped,
    http_response,
    mocked_http,
    random_bytes,
    script,
)

import crawler
from crawler.errors import (
    BadStatus,
    BodyTooLarge,
    Disallowed,
    FetchError,
    Refused,
    SitePaused,
    SiteUnavailable,
    StopError,
    Throttled,
    Unreachable,
)
from crawler.fetch.budget import Budget
from crawler.fetch.budget_file import load
from crawler.fetch.client import retry_after, user_agent
from crawler.fetch.inflate import inflate
from crawler.fetch.robots import affordable
from crawler.rate_limit import RateLimits, ResponseSignal

PAGE = f"{SITE}/titre-post245060.vnp"
BODY = "<html><body>Fidel Castro à Hanoï — Điện Biên Phủ</body></html>".encode() * 50
CAP = 100_000


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def gaps(times):
    return [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]


# --- the budget -------------------------------------------------------------------------------------------------------


def budget(folder, clock, rate=1.0, **more):
    limits = RateLimits(interval=1 / rate if rate else 0.0, max_pause=3600.0, **more.pop("limits", {}))
    return Budget(folder, "fr.vietnamplus.vn", limits, clock, **more)


def turns(*budgets, clock):
    """Take one turn of each budget in order; return when each turn came."""
    times = []
    for one in budgets:
        with one.turn():
            times.append(clock.now())
    return times


@pytest.mark.parametrize(("rate", "gap"), [(1.0, 1.0), (2.0, 0.5), (0.1, 10.0), (0, 0.0)])
def test_requests_are_evenly_spaced(tmp_path, clock, rate, gap):
    times = turns(*[budget(tmp_path, clock, rate)] * 5, clock=clock)
    assert times[0] == NOW, "the first request does not wait"
    assert gaps(times) == [gap] * 4


def test_time_between_requests_counts_towards_the_interval(tmp_path, clock):
    one = budget(tmp_path, clock)
    turns(one, clock=clock)
    clock.advance(seconds=0.75)
    turns(one, clock=clock)
    assert clock.slept == [pytest.approx(0.25)]
    clock.advance(seconds=60)
    times = turns(one, one, clock=clock)
    assert times[0] == NOW + timedelta(seconds=61), "no wait after a long time without requests"
    assert gaps(times) == [1.0], "no burst afterwards"


def test_two_budgets_of_one_host_share_the_state(tmp_path, clock):
    one, other = budget(tmp_path, clock), budget(tmp_path, clock)
    assert gaps(turns(one, other, other, one, clock=clock)) == [1.0, 1.0, 1.0]


class InterruptingClock(FakeClock):
    """A clock that calls `meanwhile` during the first sleep."""

    def __init__(self, meanwhile):
        super().__init__()
        self.meanwhile = meanwhile

    def sleep(self, seconds):
        action, self.meanwhile = self.meanwhile, lambda: None
        action()
        super().sleep(seconds)


def report(one, kind, clock, retry_after=None, address="/a"):
    one.report(ResponseSignal(address, clock.now(), kind, "HTTP status", retry_after))


def test_a_pause_also_holds_for_processes_that_are_asleep(tmp_path):
    """Another process receives Retry-After: 60 while this one waits for its turn."""
    clock = InterruptingClock(lambda: report(budget(tmp_path, clock), "throttled", clock, retry_after=60))
    times = turns(*[budget(tmp_path, clock)] * 2, clock=clock)
    assert gaps(times) == [60.0]


def test_another_process_takes_the_turn_first(tmp_path):
    clock = InterruptingClock(lambda: (clock.advance(seconds=1), turns(budget(tmp_path, clock), clock=clock)))
    assert gaps(turns(*[budget(tmp_path, clock)] * 2, clock=clock)) == [2.0]


def test_a_real_process_uses_the_same_state_file(tmp_path, clock):
    turns(budget(tmp_path, clock), clock=clock)
    program = f"""
import datetime, pathlib
from crawler.fetch.budget import Budget
from crawler.rate_limit import RateLimits
class Clock:
    time = datetime.datetime.fromisoformat({NOW.isoformat()!r})
    def now(self): return self.time
    def sleep(self, seconds): print(seconds); self.time += datetime.timedelta(seconds=seconds)
with Budget(pathlib.Path({str(tmp_path)!r}), "fr.vietnamplus.vn", RateLimits(1.0, 60.0), Clock()).turn(): pass
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) == 1.0
    clock.advance(seconds=1.5)
    assert turns(budget(tmp_path, clock), clock=clock) == [NOW + timedelta(seconds=2)]


@pytest.mark.parametrize("connections", [1, 2])
def test_no_more_connections_than_configured(tmp_path, clock, connections):
    """While all connections are in use, a request waits until any process has finished one."""
    several = [budget(tmp_path, clock, rate=0, connections=connections) for _ in range(3)]
    with contextlib.ExitStack() as open_turns:
        for one in several[:connections]:
            open_turns.enter_context(one.turn())
        waiting = InterruptingClock(open_turns.close)
        turns(budget(tmp_path, waiting, rate=0, connections=connections), clock=waiting)
        assert waiting.slept == [0.1]


def test_a_long_wait_ends_the_run(tmp_path, clock):
    one = budget(tmp_path, clock)
    report(one, "throttled", clock, retry_after=600)
    with pytest.raises(
        SitePaused, match=r"fr\.vietnamplus\.vn before 2026-11-21T08:10:00Z: the site asks us"
    ) as caught:
        turns(one, clock=clock)
    assert caught.value.until == NOW + timedelta(seconds=600)
    assert "vna run" in caught.value.hint
    assert clock.slept == []
    clock.advance(seconds=481)
    assert turns(one, clock=clock) == [NOW + timedelta(seconds=600)], "a short wait does not end the run"


def test_a_crawl_delay_holds_for_all_processes_until_it_is_removed(tmp_path, clock):
    one, other = budget(tmp_path, clock), budget(tmp_path, clock)
    one.set_crawl_delay(5)
    assert gaps(turns(one, other, one, clock=clock)) == [5.0, 5.0]
    other.set_crawl_delay(0)
    assert gaps(turns(other, one, clock=clock)) == [1.0]


def test_times_from_a_wrong_clock_are_clamped(tmp_path, clock):
    ahead = FakeClock(NOW + timedelta(days=3650))
    one = budget(tmp_path, ahead)
    turns(one, clock=ahead)
    assert turns(budget(tmp_path, clock), clock=clock) == [NOW + timedelta(seconds=1)]
    ahead.advance(seconds=5)
    report(one, "throttled", ahead, retry_after=600)
    long_wait = budget(tmp_path, clock, max_wait=3600)
    assert turns(long_wait, clock=clock) == [NOW + timedelta(seconds=3601)], "no pause is longer than max_pause"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"next_free": 9e9}', '{"last": "soon"}', "{}", "\xff"])
def test_a_damaged_state_file_counts_as_missing(tmp_path, clock, content):
    file = tmp_path / "budget-fr.vietnamplus.vn.json"
    file.write_text(content, "latin-1")
    assert turns(budget(tmp_path, clock), clock=clock) == [NOW]
    assert load(file).last == NOW


def test_the_state_persists_between_processes(tmp_path, clock):
    report(budget(tmp_path, clock), "throttled", clock, retry_after=60)
    found = budget(tmp_path, clock).status()
    assert (found.pause.until, found.interval, found.slowdown) == (NOW + timedelta(seconds=60), 2.0, 2.0)


def test_a_pause_that_a_wrong_clock_recorded_is_shown_as_it_applies(tmp_path, clock):
    ahead = FakeClock(NOW + timedelta(days=3650))
    report(budget(tmp_path, ahead), "throttled", ahead, retry_after=600)
    found = budget(tmp_path, clock).status()
    assert found.pause.until == NOW + timedelta(seconds=3600), "no pause is longer than max_pause"


def test_an_unwritable_state_file_ends_the_run(tmp_path, clock, state):
    state.write_text("a file where the folder should be")
    with (
        mocked_http(script(http_response(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
        pytest.raises(StopError) as caught,
    ):
        fetcher.get(PAGE)
    assert "space" in caught.value.hint
    assert str(state) in str(caught.value)
    assert wire.requests == [], "no request is sent without a turn"


# --- robots.txt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow: /admin/", True),
        ("User-agent: *\nDisallow: /titre*", False),
        ("User-agent: *\nDisallow: /\nAllow: /*.vnp$", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: vna-archive\nAllow: /", True),
        ("User-agent: *\nAllow: /\n\nUser-agent: vna-archive\nDisallow: /", False),
        ("\ufeffUser-agent: *\nDisallow: /titre", False),  # a byte order mark must not hide the first rule
        ("<!doctype html><title>404</title>", True),
    ],
)
def test_robots_rules(clock, state, rules, allowed):
    with mocked_http(script(http_response(BODY), robots=rules), clock) as wire, fetching(state, clock) as fetcher:
        if allowed:
            assert fetcher.get(PAGE).status == 200
        else:
            with pytest.raises(Disallowed):
                fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == allowed


@pytest.mark.parametrize(("mark", "is_affordable"), [("", True), ("*", False)])
def test_a_name_of_an_agent_with_an_asterisk_costs_twice_as_much(mark, is_affordable):
    """The library stores its rules once with the asterisk and once without it."""
    agents = "".join(f"User-agent: agent-{number}{mark}\n" for number in range(1000))
    rules = agents + "Disallow: /x\n" * 150
    assert (affordable(rules) == rules) == is_affordable


def test_rules_after_the_first_500_kilobytes_are_ignored(clock, state):
    """RFC 9309, section 2.5. The rules are not read into memory, and the file in the cache stays as small."""
    rules = f"User-agent: *\nDisallow: /admin/\n#{'x' * 512_000}\nDisallow: /titre*"
    with mocked_http(script(http_response(BODY), robots=rules), clock), fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).status == 200
    assert max(path.stat().st_size for path in state.glob("robots-*.json")) < 513_000


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_4xx_status_allows_everything(clock, state, status):
    def reply(request):
        return (
            http_response(b"User-agent: *\nDisallow: /", status)
            if request.url.path == "/robots.txt"
            else http_response(BODY)
        )

    with mocked_http(reply, clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).status == 200
    assert wire.paths == ["/robots.txt", "/titre-post245060.vnp"]


def broken_robots(failure):
    def reply(request):
        if request.url.path != "/robots.txt":
            return http_response(BODY)
        if isinstance(failure, int):
            return http_response(b"", failure)
        raise failure

    return reply


UNAVAILABLE = [500, 503, httpx.ConnectError("no route"), httpx.ReadTimeout("silence")]


@pytest.mark.parametrize("failure", UNAVAILABLE)
def test_unavailable_robots_forbid_everything(clock, state, failure):
    with mocked_http(broken_robots(failure), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(SiteUnavailable) as caught:
            fetcher.get(PAGE)
        assert set(wire.paths) == {"/robots.txt"}
    assert f"{SITE}/robots.txt" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("failure", UNAVAILABLE)
@pytest.mark.parametrize(("days", "usable"), [(2, True), (29, True), (31, False)])
def test_a_stale_copy_is_used_for_up_to_30_days(clock, state, failure, days, usable):
    rules = "User-agent: *\nDisallow: /secret/"
    with mocked_http(script(http_response(BODY), robots=rules), clock), fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    clock.advance(days=days)
    with mocked_http(broken_robots(failure), clock), fetching(state, clock) as fetcher:
        if usable:
            assert fetcher.get(PAGE).status == 200
            with pytest.raises(Disallowed):
                fetcher.get(f"{SITE}/secret/x")
        else:
            with pytest.raises(SiteUnavailable):
                fetcher.get(PAGE)


def test_robots_are_cached_for_a_day_across_runs(clock, state):
    counts = []
    for hours in (0, 10, 13, 2):  # the third is 23 hours after the first, the fourth 25
        clock.advance(hours=hours)
        with mocked_http(script(http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
            fetcher.get(PAGE)
            fetcher.get(PAGE)
        counts.append(wire.count("/robots.txt"))
    assert counts == [1, 0, 0, 1]


def test_a_long_run_fetches_robots_again_after_a_day(clock, state):
    with mocked_http(script(http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
        clock.advance(hours=25)
        fetcher.get(PAGE)
    assert wire.count("/robots.txt") == 2


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365), timedelta(days=3650)], ids=str)
def test_a_long_run_fetches_robots_again_after_the_clock_was_set_back(clock, state, ahead):
    with mocked_http(script(http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        right = clock.now()
        clock.time = right + ahead
        fetcher.get(PAGE)
        clock.time = right
        fetcher.get(PAGE)
    assert wire.count("/robots.txt") == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"fetched_at": "yesterday", "status": 200, "text": ""}'])
def test_a_damaged_robots_copy_is_fetched_again(clock, state, content):
    state.mkdir()
    (state / "robots-https-fr.vietnamplus.vn.json").write_text(content)
    with (
        mocked_http(script(http_response(BODY), robots="User-agent: *\nDisallow: /"), clock),
        fetching(state, clock) as fetcher,
    ):
        with pytest.raises(Disallowed):
            fetcher.get(PAGE)


@pytest.mark.parametrize(
    ("rules", "gap"),
    [
        ("User-agent: *\nCrawl-delay: 7", 7.0),
        ("User-agent: *\nCrawl-delay: 0.2", 1.0),
        ("User-agent: x\nCrawl-delay: 9", 1.0),
    ],
)
def test_crawl_delay_is_respected(clock, state, rules, gap):
    with mocked_http(script(http_response(BODY), robots=rules), clock) as wire, fetching(state, clock) as fetcher:
        for _ in range(3):
            fetcher.get(PAGE)
    assert gaps(wire.times[2:]) == [gap]
    assert gaps(wire.times[1:])[0] == gap


@pytest.mark.parametrize(
    ("location", "followed"),
    [("/rules.txt", True), (f"{SITE}:443/rules.txt", True), ("https://www.vietnamplus.vn/rules.txt", False),
     ("http://127.0.0.1/rules.txt", False), ("http://fr.vietnamplus.vn/rules.txt", False), ("https://a@fr.vietnamplus.vn/rules.txt", True)],
)  # fmt: skip
def test_redirected_robots(clock, state, location, followed):
    """A redirect that leads elsewhere is not followed: its response means that there are no rules."""

    def reply(request):
        if request.url.path == "/robots.txt":
            return http_response(b"", 301, {"Location": location})
        return http_response(b"User-agent: *\nDisallow: /titre" if request.url.path == "/rules.txt" else BODY)

    with mocked_http(reply, clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(Disallowed) if followed else contextlib.nullcontext():
            fetcher.get(PAGE)
        assert fetcher.take_robots()[0].status == (200 if followed else 301)
    assert {request.url.host for request in wire.requests} == {"fr.vietnamplus.vn"}
    assert all(request.url.scheme == "https" and not request.url.userinfo for request in wire.requests)


def test_robots_with_endless_redirects_allow_everything(clock, state):
    def reply(request):
        return (
            http_response(b"", 302, {"Location": "/robots.txt"})
            if request.url.path == "/robots.txt"
            else http_response(BODY)
        )

    with mocked_http(reply, clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).status == 200
    assert wire.count("/robots.txt") == 6


def test_a_stale_copy_is_used_for_an_hour_only(clock, state):
    with mocked_http(script(http_response(BODY)), clock), fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    clock.advance(days=2)
    with fetching(state, clock, attempts=1) as fetcher:
        with mocked_http(broken_robots(500), clock) as wire:
            fetcher.get(PAGE)
            clock.advance(minutes=59)
            fetcher.get(PAGE)
            assert wire.count("/robots.txt") == 1
        clock.advance(minutes=2)
        with mocked_http(script(http_response(BODY), robots="User-agent: *\nDisallow: /titre"), clock):
            with pytest.raises(Disallowed):
                fetcher.get(PAGE)


def test_a_robots_copy_from_the_future_is_ignored(clock, state):
    """Otherwise a clock that was wrong once would keep the copy for years."""
    ahead = FakeClock(NOW + timedelta(days=3650))
    with mocked_http(script(http_response(BODY)), ahead), fetching(state, ahead) as fetcher:
        fetcher.get(PAGE)
    with mocked_http(script(http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    assert wire.count("/robots.txt") == 1


def test_no_stale_copy_is_used_during_a_pause(clock, state):
    with mocked_http(script(http_response(BODY)), clock), fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    clock.advance(days=2)
    with (
        mocked_http(script(http_response(BODY)), clock) as wire,
        fetching(state, clock, quiet_hours=(time(14), time(16))) as fetcher,
    ):
        with pytest.raises(SitePaused):
            fetcher.get(PAGE)
    assert wire.requests == []


# --- Retry-After ------------------------------------------------------------------------------------------------------


def at(seconds):
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("Sat, 21 Nov 99999999999999999999 00:00:00 GMT", None),
        ("9" * 500, float("inf")),
        (at(90), 90),
        (at(-90), 0),
        ("Sat, 21 Nov 2026 15:01:30 +0700", 90),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "pause"),
    [("120", 120), (at(115), 113.75), (None, 30), ("nonsense", 30), ("0", 2), ("1", 2)],
)
def test_retry_after_is_respected(clock, state, status, value, pause):
    """The pause starts at the response, 0.25 seconds after the request; the interval is doubled from then on."""
    refusal = http_response(b"", status, {} if value is None else {"Retry-After": value})
    with mocked_http(script(refusal, http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).content == BODY
        fetcher.get(PAGE)
    assert wire.paths == ["/robots.txt", *["/titre-post245060.vnp"] * 3]
    waited = gaps(wire.times)
    assert waited[1] == (pause + 0.25 if pause > 2 else pause)
    assert waited[2] == pytest.approx(1.8)


@pytest.mark.parametrize(("value", "pause"), [("600", 600), ("86400", 3600), ("9" * 400, 3600)])
def test_a_long_retry_after_ends_the_run(clock, state, value, pause):
    with (
        mocked_http(script(http_response(b"", 429, {"Retry-After": value})), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        with pytest.raises(SitePaused) as caught:
            fetcher.get(PAGE)
        assert caught.value.until == wire.times[-1] + timedelta(seconds=0.25 + pause)
        with pytest.raises(SitePaused):
            fetcher.get(f"{SITE}/another-post1.vnp")
    assert len(wire.requests) == 2


def test_a_date_in_retry_after_is_relative_to_the_clock_of_the_server(clock, state):
    """Our clock is five minutes ahead: by our clock, the date has already passed."""
    headers = {"Date": at(-300), "Retry-After": at(-240)}
    with (
        mocked_http(script(http_response(b"", 503, headers), http_response(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        fetcher.get(PAGE)
    assert gaps(wire.times)[1] == 60.25


def test_the_pause_also_holds_for_the_next_run(clock, state):
    with (
        mocked_http(script(http_response(b"", 429, {"Retry-After": "600"})), clock),
        fetching(state, clock, attempts=1) as fetcher,
    ):
        with pytest.raises(Throttled) as caught:
            fetcher.get(PAGE)
    assert (caught.value.status, caught.value.retry_after) == (429, 600)
    before = clock.now()
    with mocked_http(script(http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(SitePaused):
            fetcher.get(f"{SITE}/another-post1.vnp")
        assert wire.requests == []
        clock.advance(seconds=500)
        fetcher.get(f"{SITE}/another-post1.vnp")
        assert fetcher.rate_limit_status().pause is None
    assert wire.times == [before + timedelta(seconds=600)]


# --- a failing host ---------------------------------------------------------------------------------------------------


def pages(count):
    return [f"{SITE}/titre-post{n}.vnp" for n in range(1, count + 1)]


def outcomes(fetcher, urls):
    """Fetch pages one after the other as a run does; return the status or the error of each, and "paused" at the end."""
    found = []
    for url in urls:
        try:
            found.append(fetcher.get(url).status)
        except SitePaused:
            return [*found, "paused"]
        except FetchError as error:
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize(
    ("failure", "outcome", "requests"),
    [
        (httpx.ConnectError("refused"), "Unreachable", 7),
        (httpx.ReadTimeout("silent"), "Unreachable", 7),
        (502, "BadStatus", 7),
        (429, "Throttled", 7),
        (403, 403, 5),
    ],
)
def test_a_site_that_fails_during_a_run_is_not_retried_for_each_page(clock, state, failure, outcome, requests):
    """The first page has three attempts, the next ones have one; then the run ends without requesting the rest."""
    dead = (
        http_response(b"", failure, {"Retry-After": "1"} if failure == 429 else {})
        if isinstance(failure, int)
        else failure
    )
    with mocked_http(script(http_response(BODY), dead), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
        assert outcomes(fetcher, pages(40)) == [outcome] * 5 + ["paused"]
    assert len(wire.requests) == 2 + requests


def test_one_trial_request_then_a_gradual_recovery(clock, state):
    with (
        mocked_http(script(*(http_response(b"", 403) for _ in range(6)), http_response(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        outcomes(fetcher, pages(6))
        opened = fetcher.rate_limit_status()
        assert "5 addresses in a row" in opened.pause.reason
        wire.clear()
        clock.time = opened.pause.until
        assert outcomes(fetcher, pages(6)) == [403, "paused"], "the trial request failed: a longer pause"
        assert fetcher.rate_limit_status().pause.until == clock.now() + timedelta(seconds=600)
        clock.time = fetcher.rate_limit_status().pause.until
        assert outcomes(fetcher, pages(6)) == [200] * 6
    series = [round(gap, 1) for gap in gaps(wire.times[1:])]
    assert series == [3.6, 3.2, 2.9, 2.6, 2.4]


def test_an_unavailable_second_host_does_not_end_the_run(clock, state):
    """The list API may have its own host."""

    def reply(request):
        if request.url.host == "fr-api.vietnamplus.vn":
            raise httpx.ConnectError("no route")
        return http_response(BODY)

    api = ("https://fr-api.vietnamplus.vn",)
    with mocked_http(reply, clock) as wire, fetching(state, clock, api=api) as fetcher:
        for _ in range(4):
            with pytest.raises(FetchError, match=r"fr-api\.vietnamplus\.vn"):
                fetcher.get("https://fr-api.vietnamplus.vn/api/morenews-topic-107-1.html")
        assert fetcher.get(PAGE).status == 200
    assert {request.url.host for request in wire.requests} == {"fr-api.vietnamplus.vn", "fr.vietnamplus.vn"}


@pytest.mark.parametrize(
    ("changes", "until", "fragment"),
    [({"quiet_hours": (time(14), time(16))}, "2026-11-21T09:00:00Z", "quiet hours"),
     ({"daily_cap": 1}, "2026-11-21T17:00:00Z", "daily request cap")],
)  # fmt: skip
def test_pauses_from_the_configuration(clock, state, changes, until, fragment):
    with mocked_http(script(http_response(BODY)), clock) as wire, fetching(state, clock, **changes) as fetcher:
        with pytest.raises(SitePaused, match=fragment) as caught:
            fetcher.get(PAGE)
    assert until in str(caught.value)
    assert "[politeness]" in caught.value.hint
    assert len(wire.requests) == changes.get("daily_cap", 0)


# --- redirects --------------------------------------------------------------------------------------------------------


def moved(location, status=301):
    return http_response(b"", status, {"Location": location} if location is not None else {})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/neuf-post245060.vnp", f"{SITE}/neuf-post245060.vnp", "neuf-post245060.vnp"])
def test_a_redirect_within_the_site_is_followed(clock, state, status, location):
    with mocked_http(script(moved(location, status), http_response(BODY)), clock), fetching(state, clock) as fetcher:
        got = fetcher.get(PAGE)
    assert got.url == f"{SITE}/neuf-post245060.vnp"
    assert [(hop.url, hop.status) for hop in got.hops] == [(PAGE, status)]
    assert got.content == BODY


@pytest.mark.parametrize(
    "location", ["https://www.example.org/", "//evil.example/", "http://fr.vietnamplus.vn.evil.example/"]
)
def test_a_redirect_to_another_site_is_not_followed(clock, state, location):
    with mocked_http(script(moved(location), http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(Refused, match="redirects away from the site: the address leads to another host"):
            fetcher.get(PAGE)
    assert len(wire.requests) == 2


def test_a_redirect_from_https_to_http_is_refused(clock, state):
    with mocked_http(script(moved("http://fr.vietnamplus.vn/x"), http_response(BODY)), clock) as wire:
        with fetching(state, clock) as fetcher, pytest.raises(Refused, match="leads from https to http"):
            fetcher.get(PAGE)
    assert len(wire.requests) == 2


def test_cookies_are_neither_kept_nor_sent(clock, state):
    cookies = {"Set-Cookie": "session=1; Path=/"}
    with mocked_http(script(http_response(BODY, 200, cookies)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
        fetcher.get(PAGE)
    assert not any("cookie" in request.headers for request in wire.requests)


@pytest.mark.parametrize("location", [None, "", "javascript:alert(1)", "mailto:a@b.vn", "http://[broken/"])
def test_a_redirect_without_a_usable_location(clock, state, location):
    with mocked_http(script(moved(location)), clock), fetching(state, clock) as fetcher:
        with pytest.raises((BadStatus, Unreachable), match=r"Location|InvalidURL"):
            fetcher.get(PAGE)


def test_a_location_in_unencoded_utf_8(clock, state):
    location = {"Location": "/điện-biên-phủ-post2.vnp".encode()}
    with (
        mocked_http(script(httpx.Response(301, headers=location), http_response(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        fetcher.get(PAGE)
    assert wire.paths[-1] == "/%C4%91i%E1%BB%87n-bi%C3%AAn-ph%E1%BB%A7-post2.vnp"


@pytest.mark.parametrize("hops", [5, 6])
def test_at_most_five_redirects_are_followed(clock, state, hops):
    answers = [*(moved(f"/{n}-post1.vnp") for n in range(hops)), http_response(BODY)]
    with mocked_http(script(*answers), clock) as wire, fetching(state, clock) as fetcher:
        if hops == 5:
            assert len(fetcher.get(PAGE).hops) == 5
        else:
            with pytest.raises(FetchError, match="redirects"):
                fetcher.get(PAGE)
    assert len(wire.requests) == 1 + 6


def test_a_page_that_redirects_to_itself(clock, state):
    with mocked_http(script(moved(PAGE)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(FetchError, match="redirects"):
            fetcher.get(PAGE)
    assert len(wire.requests) < 10


def test_robots_rules_also_apply_to_the_redirect_target(clock, state):
    rules = "User-agent: *\nDisallow: /secret"
    with (
        mocked_http(script(moved("/secret/1.vnp"), http_response(BODY), robots=rules), clock) as wire,
        fetching(state, clock) as fetcher,
        pytest.raises(Disallowed),
    ):
        fetcher.get(PAGE)
    assert wire.count("/secret/1.vnp") == 0


# --- bodies -----------------------------------------------------------------------------------------------------------


def deflated(data, wbits, level=9):
    engine = zlib.compressobj(level, zlib.DEFLATED, wbits)
    return engine.compress(data) + engine.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (None, BODY),
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzipped(BODY)),
        ("GZIP", gzipped(BODY)),
        ("x-gzip", gzipped(BODY)),
        ("gzip", gzipped(BODY[:100]) + gzipped(BODY[100:])),
        ("gzip", gzipped(BODY) + bytes(512)),
        ("deflate", deflated(BODY, 15)),
        ("deflate", deflated(BODY, -15)),
        ("deflate", deflated(BODY, 9)),  # a small window: the header is not 0x78
        ("deflate", deflated(BODY, 15, 0)),
        ("gzip, deflate", deflated(gzipped(BODY), 15)),
        ("deflate, gzip", gzipped(deflated(BODY, -15))),
        ("gzip, identity", gzipped(BODY)),
        ("br", brotli.compress(BODY)),  # not requested, but some servers send it
        ("zstd", zstandard.compress(BODY)),
        ("gzip", b"<!DOCTYPE html>" * 9),  # the header is wrong
    ],
)
def test_a_body_is_decompressed_and_also_returned_as_received(clock, state, coding, body):
    headers = {} if coding is None else {"Content-Encoding": coding}
    with mocked_http(script(http_response(body, headers=headers)), clock), fetching(state, clock) as fetcher:
        got = fetcher.get(PAGE)
    assert got.body == body
    assert got.content == (body if body.startswith(b"<!DOCTYPE") else BODY)


@pytest.mark.parametrize("wbits", [-15, 15, 31])
def test_a_body_of_any_size_is_decompressed(wbits):
    """Near a multiple of the step size, zlib has buffered output left when its input is used up."""
    coding = "gzip" if wbits == 31 else "deflate"
    for size in [0, 1, *range(65_530, 65_830, 7), *range(131_065, 131_400, 11)]:
        assert len(inflate(PAGE, deflated(b"a" * size, wbits), coding, CAP * 2)) == size


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_truncated_body_is_detected(coding):
    body = deflated(random_bytes(300) + b"a" * 300, 31 if coding == "gzip" else 15)
    for end in range(1, len(body)):
        with pytest.raises(Unreachable):
            inflate(PAGE, body[:end], coding, CAP)


def test_a_damaged_body_is_detected():
    body = gzipped(random_bytes(2000))
    for at_byte in range(10, len(body), 13):
        damaged = body[:at_byte] + bytes([body[at_byte] ^ 0xFF]) + body[at_byte + 1 :]
        with pytest.raises(Unreachable, match=r"damaged|early"):
            inflate(PAGE, damaged, "gzip", CAP)


@pytest.mark.parametrize("coding", ["compress", "gzip, sdch", "aws-chunked"])
def test_an_unknown_content_coding_is_an_error(clock, state, coding):
    reply = script(http_response(b"\x05" + random_bytes(300), headers={"Content-Encoding": coding}))
    with (
        mocked_http(reply, clock) as wire,
        fetching(state, clock) as fetcher,
        pytest.raises(FetchError, match="coding"),
    ):
        fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == 1, "it is not retried"


def bomb():
    """Return a compressed body of 500 times the limit. It is made in the tests: each worker imports this module."""
    return gzipped(bytes(CAP * 500))


@pytest.mark.parametrize(
    ("body", "coding", "too_large"),
    [
        (lambda: random_bytes(CAP), None, False),
        (lambda: random_bytes(CAP + 1), None, True),
        (lambda: gzipped(bytes(CAP)), "gzip", False),
        (lambda: gzipped(bytes(CAP + 1)), "gzip", True),
        (bomb, "gzip", True),
        (lambda: bomb()[:-9], "gzip", True),
        (lambda: gzipped(bomb()), "gzip, gzip", True),
    ],
    ids=["fits", "too large", "fits decompressed", "too large decompressed", "bomb", "truncated bomb", "nested bomb"],
)
def test_the_size_limit(clock, state, body, coding, too_large):
    reply = script(http_response(body(), headers={"Content-Encoding": coding} if coding else {}))
    with mocked_http(reply, clock) as wire, fetching(state, clock, max_body=CAP) as fetcher:
        if too_large:
            with pytest.raises(BodyTooLarge, match=str(CAP)):
                fetcher.get(PAGE)
        else:
            assert len(fetcher.get(PAGE).content) == CAP
    assert wire.count("/titre-post245060.vnp") == 1


def test_an_endless_body_is_not_read_to_its_end(clock, state):
    chunks = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self):
            while True:
                chunks.append(1)
                yield bytes(10_000)

    with (
        mocked_http(script(httpx.Response(200, stream=Endless())), clock),
        fetching(state, clock, max_body=CAP) as fetcher,
    ):
        with pytest.raises(BodyTooLarge):
            fetcher.get(PAGE)
    assert len(chunks) <= 12


# --- retries ----------------------------------------------------------------------------------------------------------

BROKEN = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("silent"),
    httpx.RemoteProtocolError("gone"),
    httpx.ReadError("reset"),
    500,
    502,
    504,
    "torn",
    "damaged",
]


def failing(kind):
    if kind == "torn":
        return http_response(BODY[:500], truncated=True)
    if kind == "damaged":
        return http_response(random_bytes(500), headers={"Content-Encoding": "gzip"})
    return http_response(b"", kind) if isinstance(kind, int) else kind


@pytest.mark.parametrize("kind", BROKEN, ids=repr)
@pytest.mark.parametrize("attempts", [1, 3])
def test_a_lasting_failure_is_retried_with_longer_waits(clock, state, kind, attempts):
    reply = script(*(failing(kind) for _ in range(9)))
    with mocked_http(reply, clock) as wire, fetching(state, clock, attempts=attempts) as fetcher:
        with pytest.raises(BadStatus if isinstance(kind, int) else Unreachable) as caught:
            fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == attempts
    assert caught.value.url == PAGE
    waits = gaps(wire.times[1:])
    assert all(later > earlier for earlier, later in itertools.pairwise(waits)), (
        "each wait is longer than the one before"
    )


@pytest.mark.parametrize("kind", BROKEN, ids=repr)
def test_a_passing_failure_is_retried(clock, state, kind):
    with (
        mocked_http(script(failing(kind), failing(kind), http_response(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        assert fetcher.get(PAGE).body == BODY
    assert wire.count("/titre-post245060.vnp") == 3


@pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 410, 451])
def test_a_final_response_is_returned_without_retry(clock, state, status):
    with mocked_http(script(http_response(b"", status)), clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).status == status
    assert len(wire.requests) == 2


# --- what is sent, returned and logged --------------------------------------------------------------------------------


def test_the_user_agent_names_the_contact(clock, state):
    with mocked_http(script(http_response(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    for request in wire.requests:
        assert request.headers["User-Agent"] == f"vna-archive/{crawler.__version__} (+{CONTACT})"
        assert request.headers["Accept-Encoding"] == "gzip, deflate"
    assert "fake site" in user_agent("")


@pytest.mark.parametrize(
    ("etag", "modified"),
    [(None, None), ('W/"1"', None), (None, at(0)), ('"é"', at(0))],
    ids=["none", "tag", "date", "both"],
)
def test_conditional_requests(clock, state, etag, modified):
    with (
        mocked_http(script(http_response(b"", 304 if etag or modified else 200)), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        got = fetcher.get(PAGE, etag=etag, last_modified=modified)
    robots, page = wire.requests
    raw = dict(page.headers.raw)
    assert raw.get(b"If-None-Match") == (etag.encode("latin-1") if etag else None), "the same bytes that the site sent"
    assert raw.get(b"If-Modified-Since") == (modified.encode() if modified else None)
    assert "If-None-Match" not in robots.headers
    assert got.status == (304 if etag or modified else 200)


def test_304_without_validators_is_an_error(clock, state):
    """A broken cache may send it for everything: then neither a page nor robots.txt counts as unchanged."""
    with mocked_http(script(http_response(b"", 304)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(BadStatus, match="304 to a request without validators"):
            fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == 1
    with mocked_http(lambda _: http_response(b"", 304), clock), fetching(state / "other", clock) as fetcher:
        with pytest.raises(SiteUnavailable, match="returned HTTP status 304"):
            fetcher.get(PAGE)


def test_the_response_is_returned_as_received(clock, state):
    headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Titre", "caf\u00e9"), ("Content-Type", "text/html")]
    reply = script(httpx.Response(200, headers=[(k, v.encode("latin-1")) for k, v in headers], content=BODY))
    with mocked_http(reply, clock), fetching(state, clock) as fetcher:
        got = fetcher.get(f"{PAGE}?a=%C3%A9")
    assert [h for h in got.headers if h[0] != "Content-Length"] == headers
    assert got.header("content-type") == "text/html"
    assert got.header("ETag") is None
    assert got.target == "/titre-post245060.vnp?a=%C3%A9"
    assert (got.status, got.http_version) == (200, "1.1")
    assert dict(got.request_headers)["Host"] == "fr.vietnamplus.vn"
    assert got.fetched_at == got.fetched_at.replace(microsecond=0)


def test_every_request_is_logged_once(clock, state):
    answers = [http_response(b"", 500), httpx.ReadTimeout("silent"), moved("/neuf-post1.vnp"), http_response(BODY)]
    with mocked_http(script(*answers), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
        log = fetcher.drain()
        assert fetcher.drain() == ()
    assert [(e.url.removeprefix(SITE), e.status, e.size) for e in log] == [
        ("/robots.txt", 200, 0),
        ("/titre-post245060.vnp", 500, 0),
        ("/titre-post245060.vnp", None, 0),
        ("/titre-post245060.vnp", 301, 0),
        ("/neuf-post1.vnp", 200, len(BODY)),
    ]
    assert [e.at for e in log] == wire.times
    assert "ReadTimeout" in log[2].error
    assert all(e.seconds == 0.25 for e in log)
