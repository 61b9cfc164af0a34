"""The only door to the network: politeness, robots, redirects, bodies as received, retries, the log."""

# ruff: noqa: SIM117 - what is opened, and what is expected of one step in it, are two things

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import zlib
from datetime import time, timedelta
from email.utils import format_datetime

import httpx
import pytest
from support import CONTACT, NOW, ROOT, SITE, FakeClock, answer, fetching, noise, script, wired, zipped

import crawler
from crawler.errors import (
    BadStatus,
    BodyTooLarge,
    Disallowed,
    FetchError,
    SitePaused,
    SiteUnavailable,
    StopError,
    Throttled,
    Unreachable,
)
from crawler.fetch.budget import Budget, load
from crawler.fetch.client import retry_after, user_agent
from crawler.fetch.inflate import inflate
from crawler.rate_limit import Answer, Limits

PAGE = f"{SITE}/titre-post245060.vnp"
BODY = "<html><body>Fidel Castro à Hanoï — Điện Biên Phủ</body></html>".encode() * 50
CAP = 100_000


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def gaps(times):
    return [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]


# --- the budget -------------------------------------------------------------------------------------------------------


def budget(folder, clock, rate=1.0, **more):
    limits = Limits(interval=1 / rate if rate else 0.0, longest=3600.0, **more.pop("limits", {}))
    return Budget(folder, "fr.vietnamplus.vn", limits, clock, **more)


def asked(*budgets, clock):
    """Take one turn of each, one after the other; give when each came."""
    times = []
    for one in budgets:
        with one.turn():
            times.append(clock.now())
    return times


@pytest.mark.parametrize(("rate", "gap"), [(1.0, 1.0), (2.0, 0.5), (0.1, 10.0), (0, 0.0)])
def test_turns_are_evenly_spaced(tmp_path, clock, rate, gap):
    times = asked(*[budget(tmp_path, clock, rate)] * 5, clock=clock)
    assert times[0] == NOW, "the first one need not wait"
    assert gaps(times) == [gap] * 4


def test_time_that_passes_between_requests_counts(tmp_path, clock):
    one = budget(tmp_path, clock)
    asked(one, clock=clock)
    clock.advance(seconds=0.75)
    asked(one, clock=clock)
    assert clock.slept == [pytest.approx(0.25)]
    clock.advance(seconds=60)
    times = asked(one, one, clock=clock)
    assert times[0] == NOW + timedelta(seconds=61), "no wait after a long silence"
    assert gaps(times) == [1.0], "and no burst to make up for it"


def test_two_budgets_of_one_host_share_it(tmp_path, clock):
    one, other = budget(tmp_path, clock), budget(tmp_path, clock)
    assert gaps(asked(one, other, other, one, clock=clock)) == [1.0, 1.0, 1.0]


class Late(FakeClock):
    """A clock with which something happens while somebody sleeps."""

    def __init__(self, meanwhile):
        super().__init__()
        self.meanwhile = meanwhile

    def sleep(self, seconds):
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        super().sleep(seconds)


def answered(one, kind, clock, wait=None, address="/a"):
    one.report(Answer(address, clock.now(), kind, "HTTP status", wait))


def test_a_pause_holds_for_those_that_sleep_already(tmp_path):
    """Another process is told to wait a minute while this one waits for its turn."""
    clock = Late(lambda: answered(budget(tmp_path, clock), "throttled", clock, wait=60))
    times = asked(*[budget(tmp_path, clock)] * 2, clock=clock)
    assert gaps(times) == [60.0]


def test_another_process_takes_the_turn(tmp_path):
    clock = Late(lambda: (clock.advance(seconds=1), asked(budget(tmp_path, clock), clock=clock)))
    assert gaps(asked(*[budget(tmp_path, clock)] * 2, clock=clock)) == [2.0]


def test_a_real_process_sees_the_same_file(tmp_path, clock):
    asked(budget(tmp_path, clock), clock=clock)
    program = f"""
import datetime, pathlib
from crawler.fetch.budget import Budget, load
from crawler.policy.patience import Limits
class Clock:
    time = datetime.datetime.fromisoformat({NOW.isoformat()!r})
    def now(self): return self.time
    def sleep(self, seconds): print(seconds); self.time += datetime.timedelta(seconds=seconds)
with Budget(pathlib.Path({str(tmp_path)!r}), "fr.vietnamplus.vn", Limits(1.0, 60.0), Clock()).turn(): pass
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) == 1.0
    clock.advance(seconds=1.5)
    assert asked(budget(tmp_path, clock), clock=clock) == [NOW + timedelta(seconds=2)]


@pytest.mark.parametrize("connections", [1, 2])
def test_no_more_connections_than_configured(tmp_path, clock, connections):
    """Answers that take long: a request begins when another one has ended, whoever made it."""
    several = [budget(tmp_path, clock, rate=0, connections=connections) for _ in range(3)]
    with contextlib.ExitStack() as open_ones:
        for one in several[:connections]:
            open_ones.enter_context(one.turn())
        waiting = Late(open_ones.close)
        asked(budget(tmp_path, waiting, rate=0, connections=connections), clock=waiting)
        assert waiting.slept == [0.1]


def test_a_turn_far_away_ends_the_run(tmp_path, clock):
    one = budget(tmp_path, clock)
    answered(one, "throttled", clock, wait=600)
    with pytest.raises(
        SitePaused, match=r"fr\.vietnamplus\.vn before 2026-11-21T08:10:00Z: it asks for patience"
    ) as caught:
        asked(one, clock=clock)
    assert caught.value.until == NOW + timedelta(seconds=600)
    assert "vna run" in caught.value.hint
    assert clock.slept == []
    clock.advance(seconds=481)
    assert asked(one, clock=clock) == [NOW + timedelta(seconds=600)], "a short wait is slept"


def test_a_crawl_delay_holds_for_all_until_it_is_taken_back(tmp_path, clock):
    one, other = budget(tmp_path, clock), budget(tmp_path, clock)
    one.spread(5)
    assert gaps(asked(one, other, one, clock=clock)) == [5.0, 5.0]
    other.spread(0)
    assert gaps(asked(other, one, clock=clock)) == [1.0]


def test_a_clock_that_was_set_wrong_heals(tmp_path, clock):
    ahead = FakeClock(NOW + timedelta(days=3650))
    one = budget(tmp_path, ahead)
    asked(one, clock=ahead)
    assert asked(budget(tmp_path, clock), clock=clock) == [NOW + timedelta(seconds=1)]
    ahead.advance(seconds=5)
    answered(one, "throttled", ahead, wait=600)
    healing = budget(tmp_path, clock, most_wait=3600)
    assert asked(healing, clock=clock) == [NOW + timedelta(seconds=3601)], "no pause is longer than the longest"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"next_free": 9e9}', '{"last": "soon"}', "{}", "\xff"])
def test_a_state_that_a_crash_left_behind_is_a_new_one(tmp_path, clock, content):
    file = tmp_path / "budget-fr.vietnamplus.vn.json"
    file.write_text(content, "latin-1")
    assert asked(budget(tmp_path, clock), clock=clock) == [NOW]
    assert load(file).last == NOW


def test_the_state_outlives_its_processes(tmp_path, clock):
    answered(budget(tmp_path, clock), "throttled", clock, wait=60)
    found = budget(tmp_path, clock).pace()
    assert (found.pause.until, found.interval, found.slowdown) == (NOW + timedelta(seconds=60), 2.0, 2.0)


def test_state_that_cannot_be_written_stops_the_run(tmp_path, clock, state):
    state.write_text("a file where the folder should be")
    with (
        wired(script(answer(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
        pytest.raises(StopError) as caught,
    ):
        fetcher.get(PAGE)
    assert "space" in caught.value.hint
    assert str(state) in str(caught.value)
    assert wire.requests == [], "an unbooked request is not sent"


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
        ("\ufeffUser-agent: *\nDisallow: /titre", False),  # a byte order mark hides no rule
        ("<!doctype html><title>404</title>", True),
    ],
)
def test_rules(clock, state, rules, allowed):
    with wired(script(answer(BODY), robots=rules), clock) as wire, fetching(state, clock) as fetcher:
        if allowed:
            assert fetcher.get(PAGE).status == 200
        else:
            with pytest.raises(Disallowed):
                fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == allowed


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_no_robots_means_that_all_is_allowed(clock, state, status):
    def reply(request):
        return answer(b"User-agent: *\nDisallow: /", status) if request.url.path == "/robots.txt" else answer(BODY)

    with wired(reply, clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).status == 200
    assert wire.paths == ["/robots.txt", "/titre-post245060.vnp"]


def broken_robots(trouble):
    def reply(request):
        if request.url.path != "/robots.txt":
            return answer(BODY)
        if isinstance(trouble, int):
            return answer(b"", trouble)
        raise trouble

    return reply


UNAVAILABLE = [500, 503, httpx.ConnectError("no route"), httpx.ReadTimeout("silence")]


@pytest.mark.parametrize("trouble", UNAVAILABLE)
def test_unreadable_robots_mean_that_nothing_is(clock, state, trouble):
    with wired(broken_robots(trouble), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(SiteUnavailable) as caught:
            fetcher.get(PAGE)
        assert set(wire.paths) == {"/robots.txt"}
    assert f"{SITE}/robots.txt" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("trouble", UNAVAILABLE)
@pytest.mark.parametrize(("days", "served"), [(2, True), (29, True), (31, False)])
def test_a_stale_copy_serves_for_a_month(clock, state, trouble, days, served):
    rules = "User-agent: *\nDisallow: /secret/"
    with wired(script(answer(BODY), robots=rules), clock), fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    clock.advance(days=days)
    with wired(broken_robots(trouble), clock), fetching(state, clock) as fetcher:
        if served:
            assert fetcher.get(PAGE).status == 200
            with pytest.raises(Disallowed):
                fetcher.get(f"{SITE}/secret/x")
        else:
            with pytest.raises(SiteUnavailable):
                fetcher.get(PAGE)


def test_robots_are_kept_for_a_day_across_runs(clock, state):
    asked = []
    for hours in (0, 10, 13, 2):  # the third is 23 hours after the first, the fourth 25
        clock.advance(hours=hours)
        with wired(script(answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
            fetcher.get(PAGE)
            fetcher.get(PAGE)
        asked.append(wire.count("/robots.txt"))
    assert asked == [1, 0, 0, 1]


def test_a_long_run_asks_again_after_a_day(clock, state):
    with wired(script(answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
        clock.advance(hours=25)
        fetcher.get(PAGE)
    assert wire.count("/robots.txt") == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"fetched_at": "yesterday", "status": 200, "text": ""}'])
def test_a_damaged_copy_is_fetched_again(clock, state, content):
    state.mkdir()
    (state / "robots-https-fr.vietnamplus.vn.json").write_text(content)
    with wired(script(answer(BODY), robots="User-agent: *\nDisallow: /"), clock), fetching(state, clock) as fetcher:
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
def test_a_crawl_delay_is_kept_to(clock, state, rules, gap):
    with wired(script(answer(BODY), robots=rules), clock) as wire, fetching(state, clock) as fetcher:
        for _ in range(3):
            fetcher.get(PAGE)
    assert gaps(wire.times[2:]) == [gap]
    assert gaps(wire.times[1:])[0] == gap


@pytest.mark.parametrize("location", ["/rules.txt", "https://www.vietnamplus.vn/rules.txt"])
def test_robots_behind_a_redirect(clock, state, location):
    """Of robots.txt alone redirects to other hosts are followed (RFC 9309, 2.3.1.2); its rules are those of this host."""

    def reply(request):
        if request.url.path == "/robots.txt":
            return answer(b"", 301, {"Location": location})
        return answer(b"User-agent: *\nDisallow: /titre" if request.url.path == "/rules.txt" else BODY)

    with wired(reply, clock), fetching(state, clock) as fetcher, pytest.raises(Disallowed):
        fetcher.get(PAGE)


def test_robots_behind_endless_redirects_are_not_there(clock, state):
    def reply(request):
        return answer(b"", 302, {"Location": "/robots.txt"}) if request.url.path == "/robots.txt" else answer(BODY)

    with wired(reply, clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).status == 200
    assert wire.count("/robots.txt") == 6


def test_a_stale_copy_does_not_serve_for_a_whole_day(clock, state):
    with wired(script(answer(BODY)), clock), fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    clock.advance(days=2)
    with fetching(state, clock, attempts=1) as fetcher:
        with wired(broken_robots(500), clock) as wire:
            fetcher.get(PAGE)
            clock.advance(minutes=59)
            fetcher.get(PAGE)
            assert wire.count("/robots.txt") == 1
        clock.advance(minutes=2)
        with wired(script(answer(BODY), robots="User-agent: *\nDisallow: /titre"), clock):
            with pytest.raises(Disallowed):
                fetcher.get(PAGE)


def test_a_copy_from_the_future_is_none(clock, state):
    """A clock that was set wrong once would else keep it for years."""
    ahead = FakeClock(NOW + timedelta(days=3650))
    with wired(script(answer(BODY)), ahead), fetching(state, ahead) as fetcher:
        fetcher.get(PAGE)
    with wired(script(answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    assert wire.count("/robots.txt") == 1


def test_a_pause_is_no_reason_to_use_a_stale_copy(clock, state):
    with wired(script(answer(BODY)), clock), fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    clock.advance(days=2)
    with (
        wired(script(answer(BODY)), clock) as wire,
        fetching(state, clock, quiet_hours=(time(14), time(16))) as fetcher,
    ):
        with pytest.raises(SitePaused):
            fetcher.get(PAGE)
    assert wire.requests == []


# --- asking for patience ----------------------------------------------------------------------------------------------


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
def test_both_forms_of_retry_after(value, seconds):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "pause"),
    [("120", 120), (at(115), 113.75), (None, 30), ("nonsense", 30), ("0", 2), ("1", 2)],
)
def test_a_throttled_host_gets_its_pause(clock, state, status, value, pause):
    """Counted from the answer, which takes a quarter of a second, to the next request; half as fast from then on."""
    refusal = answer(b"", status, {} if value is None else {"Retry-After": value})
    with wired(script(refusal, answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).content == BODY
        fetcher.get(PAGE)
    assert wire.paths == ["/robots.txt", *["/titre-post245060.vnp"] * 3]
    waited = gaps(wire.times)
    assert waited[1] == (pause + 0.25 if pause > 2 else pause)
    assert waited[2] == pytest.approx(1.8)


@pytest.mark.parametrize(("value", "pause"), [("600", 600), ("86400", 3600), ("9" * 400, 3600)])
def test_a_long_pause_ends_the_run(clock, state, value, pause):
    with wired(script(answer(b"", 429, {"Retry-After": value})), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(SitePaused) as caught:
            fetcher.get(PAGE)
        assert caught.value.until == wire.times[-1] + timedelta(seconds=0.25 + pause)
        with pytest.raises(SitePaused):
            fetcher.get(f"{SITE}/another-post1.vnp")
    assert len(wire.requests) == 2


def test_a_date_means_something_by_the_clock_of_its_host_only(clock, state):
    """Ours is five minutes ahead: by it, the time that the host names is over already."""
    headers = {"Date": at(-300), "Retry-After": at(-240)}
    with wired(script(answer(b"", 503, headers), answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    assert gaps(wire.times)[1] == 60.25


def test_the_pause_holds_for_the_next_run_too(clock, state):
    with wired(script(answer(b"", 429, {"Retry-After": "600"})), clock), fetching(state, clock, attempts=1) as fetcher:
        with pytest.raises(Throttled) as caught:
            fetcher.get(PAGE)
    assert (caught.value.status, caught.value.retry_after) == (429, 600)
    before = clock.now()
    with wired(script(answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(SitePaused):
            fetcher.get(f"{SITE}/another-post1.vnp")
        assert wire.requests == []
        clock.advance(seconds=500)
        fetcher.get(f"{SITE}/another-post1.vnp")
        assert fetcher.patience().pause is None
    assert wire.times == [before + timedelta(seconds=600)]


# --- the host in trouble ----------------------------------------------------------------------------------------------


def pages(count):
    return [f"{SITE}/titre-post{n}.vnp" for n in range(1, count + 1)]


def visited(fetcher, urls):
    """Ask for pages one after the other as a run does; give what became of each."""
    done = []
    for url in urls:
        try:
            done.append(fetcher.get(url).status)
        except SitePaused:
            return [*done, "paused"]
        except FetchError as error:
            done.append(type(error).__name__)
    return done


@pytest.mark.parametrize(
    ("trouble", "name", "requests"),
    [
        (httpx.ConnectError("refused"), "Unreachable", 7),
        (httpx.ReadTimeout("silent"), "Unreachable", 7),
        (502, "BadStatus", 7),
        (429, "Throttled", 7),
        (403, 403, 5),
    ],
)
def test_a_site_that_dies_in_mid_run_does_not_cost_all_tries_of_each_page(clock, state, trouble, name, requests):
    """Three tries of the first page, one of each of the next; then the run ends, and the rest is not asked for."""
    dead = answer(b"", trouble, {"Retry-After": "1"} if trouble == 429 else {}) if isinstance(trouble, int) else trouble
    with wired(script(answer(BODY), dead), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
        assert visited(fetcher, pages(40)) == [name] * 5 + ["paused"]
    assert len(wire.requests) == 2 + requests


def test_one_request_on_trial_and_then_slowly_again(clock, state):
    with (
        wired(script(*(answer(b"", 403) for _ in range(6)), answer(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        visited(fetcher, pages(6))
        tripped = fetcher.patience()
        assert "5 addresses in a row" in tripped.pause.reason
        wire.clear()
        clock.time = tripped.pause.until
        assert visited(fetcher, pages(6)) == [403, "paused"], "no better: longer"
        assert fetcher.patience().pause.until == clock.now() + timedelta(seconds=600)
        clock.time = fetcher.patience().pause.until
        assert visited(fetcher, pages(6)) == [200] * 6
    series = [round(gap, 1) for gap in gaps(wire.times[1:])]
    assert series == [3.6, 3.2, 2.9, 2.6, 2.4]


def test_another_host_that_is_dead_is_no_end_of_the_run(clock, state):
    """The list API may live on a host of its own."""

    def reply(request):
        if request.url.host == "fr-api.vietnamplus.vn":
            raise httpx.ConnectError("no route")
        return answer(BODY)

    with wired(reply, clock) as wire, fetching(state, clock) as fetcher:
        for _ in range(4):
            with pytest.raises(FetchError, match=r"fr-api\.vietnamplus\.vn"):
                fetcher.get("https://fr-api.vietnamplus.vn/api/morenews-topic-107-1.html")
        assert fetcher.get(PAGE).status == 200
    assert {request.url.host for request in wire.requests} == {"fr-api.vietnamplus.vn", "fr.vietnamplus.vn"}


@pytest.mark.parametrize(
    ("changes", "at_hour", "word"),
    [({"quiet_hours": (time(14), time(16))}, "2026-11-21T09:00:00Z", "quiet hours"),
     ({"daily_cap": 1}, "2026-11-21T17:00:00Z", "1 requests of this day")],
)  # fmt: skip
def test_our_own_reasons_not_to_ask(clock, state, changes, at_hour, word):
    with wired(script(answer(BODY)), clock) as wire, fetching(state, clock, **changes) as fetcher:
        with pytest.raises(SitePaused, match=word) as caught:
            fetcher.get(PAGE)
    assert at_hour in str(caught.value)
    assert "[politeness]" in caught.value.hint
    assert len(wire.requests) == changes.get("daily_cap", 0)


# --- redirects --------------------------------------------------------------------------------------------------------


def moved(location, status=301):
    return answer(b"", status, {"Location": location} if location is not None else {})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/neuf-post245060.vnp", f"{SITE}/neuf-post245060.vnp", "neuf-post245060.vnp"])
def test_a_redirect_within_the_site_is_followed(clock, state, status, location):
    with wired(script(moved(location, status), answer(BODY)), clock), fetching(state, clock) as fetcher:
        got = fetcher.get(PAGE)
    assert got.url == f"{SITE}/neuf-post245060.vnp"
    assert [(hop.url, hop.status) for hop in got.hops] == [(PAGE, status)]
    assert got.content == BODY


@pytest.mark.parametrize(
    "location", ["https://www.example.org/", "//evil.example/", "http://fr.vietnamplus.vn.evil.example/"]
)
def test_a_redirect_that_leaves_the_site_is_not(clock, state, location):
    with wired(script(moved(location), answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(FetchError, match="another site"):
            fetcher.get(PAGE)
    assert len(wire.requests) == 2


@pytest.mark.parametrize("location", [None, "", "javascript:alert(1)", "mailto:a@b.vn", "http://[broken/"])
def test_a_redirect_to_nowhere(clock, state, location):
    with wired(script(moved(location)), clock), fetching(state, clock) as fetcher:
        with pytest.raises((BadStatus, Unreachable), match=r"Location|InvalidURL"):
            fetcher.get(PAGE)


def test_a_location_in_raw_utf_8(clock, state):
    location = {"Location": "/điện-biên-phủ-post2.vnp".encode()}
    with (
        wired(script(httpx.Response(301, headers=location), answer(BODY)), clock) as wire,
        fetching(state, clock) as fetcher,
    ):
        fetcher.get(PAGE)
    assert wire.paths[-1] == "/%C4%91i%E1%BB%87n-bi%C3%AAn-ph%E1%BB%A7-post2.vnp"


@pytest.mark.parametrize("hops", [5, 6])
def test_a_chain_of_redirects_has_an_end(clock, state, hops):
    answers = [*(moved(f"/{n}-post1.vnp") for n in range(hops)), answer(BODY)]
    with wired(script(*answers), clock) as wire, fetching(state, clock) as fetcher:
        if hops == 5:
            assert len(fetcher.get(PAGE).hops) == 5
        else:
            with pytest.raises(FetchError, match="redirects"):
                fetcher.get(PAGE)
    assert len(wire.requests) == 1 + 6


def test_a_page_that_redirects_to_itself(clock, state):
    with wired(script(moved(PAGE)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(FetchError, match="redirects"):
            fetcher.get(PAGE)
    assert len(wire.requests) < 10


def test_robots_are_asked_about_the_target_too(clock, state):
    rules = "User-agent: *\nDisallow: /secret"
    with (
        wired(script(moved("/secret/1.vnp"), answer(BODY), robots=rules), clock) as wire,
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
        ("gzip", zipped(BODY)),
        ("GZIP", zipped(BODY)),
        ("x-gzip", zipped(BODY)),
        ("gzip", zipped(BODY[:100]) + zipped(BODY[100:])),
        ("gzip", zipped(BODY) + bytes(512)),
        ("deflate", deflated(BODY, 15)),
        ("deflate", deflated(BODY, -15)),
        ("deflate", deflated(BODY, 9)),  # a small window: the header is not 0x78
        ("deflate", deflated(BODY, 15, 0)),
        ("gzip, deflate", deflated(zipped(BODY), 15)),
        ("deflate, gzip", zipped(deflated(BODY, -15))),
        ("gzip, identity", zipped(BODY)),
    ],
)
def test_a_body_is_inflated_and_kept_as_received(clock, state, coding, body):
    headers = {} if coding is None else {"Content-Encoding": coding}
    with wired(script(answer(body, headers=headers)), clock), fetching(state, clock) as fetcher:
        got = fetcher.get(PAGE)
    assert got.body == body
    assert got.content == BODY


@pytest.mark.parametrize("wbits", [-15, 15, 31])
def test_a_body_of_any_size_is_inflated(wbits):
    """Near a multiple of the step, the engine holds output back when its input is used up."""
    coding = "gzip" if wbits == 31 else "deflate"
    for size in [0, 1, *range(65_530, 65_830, 7), *range(131_065, 131_400, 11)]:
        assert len(inflate(PAGE, deflated(b"a" * size, wbits), coding, CAP * 2)) == size


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_cut_anywhere_is_noticed(coding):
    body = deflated(noise(300) + b"a" * 300, 31 if coding == "gzip" else 15)
    for end in range(1, len(body)):
        with pytest.raises(Unreachable):
            inflate(PAGE, body[:end], coding, CAP)


def test_a_damaged_body_is_noticed():
    body = zipped(noise(2000))
    for at_byte in range(10, len(body), 13):
        damaged = body[:at_byte] + bytes([body[at_byte] ^ 0xFF]) + body[at_byte + 1 :]
        with pytest.raises(Unreachable, match=r"damaged|early"):
            inflate(PAGE, damaged, "gzip", CAP)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br", "aws-chunked"])
def test_an_unknown_coding_is_named(clock, state, coding):
    reply = script(answer(zipped(BODY), headers={"Content-Encoding": coding}))
    with wired(reply, clock) as wire, fetching(state, clock) as fetcher, pytest.raises(FetchError, match="coding"):
        fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == 1, "asking again would not help"


@pytest.mark.parametrize(
    ("body", "coding", "too_large"),
    [
        (noise(CAP), None, False),
        (noise(CAP + 1), None, True),
        (zipped(bytes(CAP)), "gzip", False),
        (zipped(bytes(CAP + 1)), "gzip", True),
        (zipped(bytes(CAP * 500)), "gzip", True),
        (zipped(bytes(CAP * 500))[:-9], "gzip", True),
        (zipped(zipped(bytes(CAP * 500))), "gzip, gzip", True),
    ],
    ids=["fits", "over", "fits inflated", "over inflated", "bomb", "left before its end", "bomb in a bomb"],
)
def test_the_cap(clock, state, body, coding, too_large):
    reply = script(answer(body, headers={"Content-Encoding": coding} if coding else {}))
    with wired(reply, clock) as wire, fetching(state, clock, max_body=CAP) as fetcher:
        if too_large:
            with pytest.raises(BodyTooLarge, match=str(CAP)):
                fetcher.get(PAGE)
        else:
            assert len(fetcher.get(PAGE).content) == CAP
    assert wire.count("/titre-post245060.vnp") == 1


def test_an_endless_body_is_left_early(clock, state):
    taken = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self):
            while True:
                taken.append(1)
                yield bytes(10_000)

    with wired(script(httpx.Response(200, stream=Endless())), clock), fetching(state, clock, max_body=CAP) as fetcher:
        with pytest.raises(BodyTooLarge):
            fetcher.get(PAGE)
    assert len(taken) <= 12


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


def trouble(kind):
    if kind == "torn":
        return answer(BODY[:500], torn=True)
    if kind == "damaged":
        return answer(noise(500), headers={"Content-Encoding": "gzip"})
    return answer(b"", kind) if isinstance(kind, int) else kind


@pytest.mark.parametrize("kind", BROKEN, ids=repr)
@pytest.mark.parametrize("attempts", [1, 3])
def test_trouble_that_lasts(clock, state, kind, attempts):
    reply = script(*(trouble(kind) for _ in range(9)))
    with wired(reply, clock) as wire, fetching(state, clock, attempts=attempts) as fetcher:
        with pytest.raises(BadStatus if isinstance(kind, int) else Unreachable) as caught:
            fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == attempts
    assert caught.value.url == PAGE
    waits = gaps(wire.times[1:])
    assert all(later > earlier for earlier, later in itertools.pairwise(waits)), (
        "each wait is longer than the one before"
    )


@pytest.mark.parametrize("kind", BROKEN, ids=repr)
def test_trouble_that_passes(clock, state, kind):
    with wired(script(trouble(kind), trouble(kind), answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).body == BODY
    assert wire.count("/titre-post245060.vnp") == 3


@pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 410, 451])
def test_an_answer_that_is_final_is_handed_out_at_once(clock, state, status):
    with wired(script(answer(b"", status)), clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).status == status
    assert len(wire.requests) == 2


# --- what is said, and what is written down ---------------------------------------------------------------------------


def test_the_honest_name(clock, state):
    with wired(script(answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(PAGE)
    for request in wire.requests:
        assert request.headers["User-Agent"] == f"vna-archive/{crawler.__version__} (+{CONTACT})"
        assert request.headers["Accept-Encoding"] == "gzip, deflate"
    assert "double" in user_agent("")


@pytest.mark.parametrize(
    ("etag", "modified"),
    [(None, None), ('W/"1"', None), (None, at(0)), ('"é"', at(0))],
    ids=["none", "tag", "date", "both"],
)
def test_conditional_requests(clock, state, etag, modified):
    with wired(script(answer(b"", 304 if etag or modified else 200)), clock) as wire, fetching(state, clock) as fetcher:
        got = fetcher.get(PAGE, etag=etag, last_modified=modified)
    robots, asked = wire.requests
    raw = dict(asked.headers.raw)
    assert raw.get(b"If-None-Match") == (etag.encode("latin-1") if etag else None), "as the site sent it"
    assert raw.get(b"If-Modified-Since") == (modified.encode() if modified else None)
    assert "If-None-Match" not in robots.headers
    assert got.status == (304 if etag or modified else 200)


def test_not_modified_is_no_answer_to_who_wants_the_whole(clock, state):
    """A cache gone wrong says so of everything: neither pages nor rules may be believed to be as they were."""
    with wired(script(answer(b"", 304)), clock) as wire, fetching(state, clock) as fetcher:
        with pytest.raises(BadStatus, match="304, though the whole was asked for"):
            fetcher.get(PAGE)
    assert wire.count("/titre-post245060.vnp") == 1
    with wired(lambda _: answer(b"", 304), clock), fetching(state / "other", clock) as fetcher:
        with pytest.raises(SiteUnavailable, match="answers 304: nothing may be fetched"):
            fetcher.get(PAGE)


def test_what_is_handed_out_is_what_came(clock, state):
    headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Titre", "caf\u00e9"), ("Content-Type", "text/html")]
    reply = script(httpx.Response(200, headers=[(k, v.encode("latin-1")) for k, v in headers], content=BODY))
    with wired(reply, clock), fetching(state, clock) as fetcher:
        got = fetcher.get(f"{PAGE}?a=%C3%A9")
    assert [h for h in got.headers if h[0] != "Content-Length"] == headers
    assert got.header("content-type") == "text/html"
    assert got.header("ETag") is None
    assert got.target == "/titre-post245060.vnp?a=%C3%A9"
    assert (got.status, got.http_version) == (200, "1.1")
    assert dict(got.request_headers)["Host"] == "fr.vietnamplus.vn"
    assert got.fetched_at == got.fetched_at.replace(microsecond=0)


def test_every_request_is_logged_once(clock, state):
    answers = [answer(b"", 500), httpx.ReadTimeout("silent"), moved("/neuf-post1.vnp"), answer(BODY)]
    with wired(script(*answers), clock) as wire, fetching(state, clock) as fetcher:
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
