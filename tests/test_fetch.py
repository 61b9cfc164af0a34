"""The only door to the network: politeness, robots, redirects, bodies as received, retries, the log."""

# ruff: noqa: SIM117 - what is opened, and what is expected of one step in it, are two things

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import zlib
from datetime import timedelta
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
    SiteUnavailable,
    StopError,
    Throttled,
    Unreachable,
)
from crawler.fetch.budget import Budget
from crawler.fetch.client import retry_after, user_agent
from crawler.fetch.inflate import inflate

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


@pytest.mark.parametrize(("rate", "gap"), [(1.0, 1.0), (2.0, 0.5), (0.1, 10.0), (0, 0.0)])
def test_slots_are_evenly_spaced(tmp_path, clock, rate, gap):
    budget = Budget(tmp_path / "budget.json", rate, clock)
    times = []
    for _ in range(5):
        budget.wait()
        times.append(clock.now())
    assert times[0] == NOW, "the first one need not wait"
    assert gaps(times) == [gap] * 4


def test_time_that_passes_between_requests_counts(tmp_path, clock):
    budget = Budget(tmp_path / "budget.json", 1.0, clock)
    budget.wait()
    clock.advance(seconds=0.75)
    budget.wait()
    assert clock.slept[-1] == pytest.approx(0.25)
    clock.advance(seconds=60)
    budget.wait()
    assert clock.slept[-1] == 0, "no wait after a long silence"
    budget.wait()
    assert clock.slept[-1] == pytest.approx(1.0), "and no burst to make up for it"


def test_two_budgets_on_one_file_share_it(tmp_path, clock):
    one, other = (Budget(tmp_path / "budget.json", 1.0, clock) for _ in range(2))
    times = []
    for budget in (one, other, other, one):
        budget.wait()
        times.append(clock.now())
    assert gaps(times) == [1.0, 1.0, 1.0]


def test_another_process_moves_the_slot(tmp_path, clock):
    file = tmp_path / "budget.json"
    Budget(file, 0.5, clock).wait()
    program = f"""
import datetime, pathlib
from crawler.fetch.budget import Budget
class Frozen:
    def now(self): return datetime.datetime.fromisoformat({NOW.isoformat()!r})
    def sleep(self, seconds): print(seconds)
Budget(pathlib.Path({str(file)!r}), 0.5, Frozen()).wait()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) == 2.0
    Budget(file, 0.5, clock).wait()
    assert clock.slept[-1] == 4.0


def test_a_pause_holds_for_all_and_never_shortens_another(tmp_path, clock):
    one, other = (Budget(tmp_path / "budget.json", 1.0, clock) for _ in range(2))
    one.pause(60)
    one.pause(5)
    other.wait()
    assert clock.now() == NOW + timedelta(seconds=60)


def test_a_crawl_delay_widens_but_never_narrows(tmp_path, clock):
    budget = Budget(tmp_path / "budget.json", 1.0, clock)
    budget.widen(5)
    budget.widen(2)
    budget.wait()
    budget.wait()
    assert clock.now() == NOW + timedelta(seconds=5)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"next_free": "soon"}', '{"next_free": null}', "{}"])
def test_a_budget_file_that_a_crash_left_behind_is_a_new_one(tmp_path, clock, content):
    file = tmp_path / "budget.json"
    file.write_text(content)
    Budget(file, 1.0, clock).wait()
    assert json.loads(file.read_text()) == {"next_free": NOW.timestamp() + 1}


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


def test_robots_behind_a_redirect(clock, state):
    def reply(request):
        if request.url.path == "/robots.txt":
            return answer(b"", 301, {"Location": "/rules.txt"})
        return answer(b"User-agent: *\nDisallow: /titre" if request.url.path == "/rules.txt" else BODY)

    with wired(reply, clock), fetching(state, clock) as fetcher, pytest.raises(Disallowed):
        fetcher.get(PAGE)


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
    [("120", 120), (at(122), 120), (None, 30), ("nonsense", 30), ("0", 1), ("86400", 3600), ("9" * 400, 3600)],
)
def test_a_throttled_host_gets_its_pause(clock, state, status, value, pause):
    refusal = answer(b"", status, {} if value is None else {"Retry-After": value})
    with wired(script(refusal, answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        assert fetcher.get(PAGE).content == BODY
    assert wire.paths == ["/robots.txt", "/titre-post245060.vnp", "/titre-post245060.vnp"]
    assert gaps(wire.times)[1] == pytest.approx(pause, abs=2)
    assert gaps(wire.times)[1] >= min(pause, 3600) - 1.3


def test_the_pause_holds_for_the_next_run_too(clock, state):
    with wired(script(answer(b"", 429, {"Retry-After": "600"})), clock), fetching(state, clock, attempts=1) as fetcher:
        with pytest.raises(Throttled) as caught:
            fetcher.get(PAGE)
    assert (caught.value.status, caught.value.retry_after) == (429, 600)
    before = clock.now()
    with wired(script(answer(BODY)), clock) as wire, fetching(state, clock) as fetcher:
        fetcher.get(f"{SITE}/another-post1.vnp")
    assert wire.times[0] >= before + timedelta(seconds=599)


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


@pytest.mark.parametrize("status", [200, 204, 304, 400, 403, 404, 410, 451])
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
    with wired(script(answer(b"", 304)), clock) as wire, fetching(state, clock) as fetcher:
        got = fetcher.get(PAGE, etag=etag, last_modified=modified)
    robots, asked = wire.requests
    raw = dict(asked.headers.raw)
    assert raw.get(b"If-None-Match") == (etag.encode("latin-1") if etag else None), "as the site sent it"
    assert raw.get(b"If-Modified-Since") == (modified.encode() if modified else None)
    assert "If-None-Match" not in robots.headers
    assert got.status == 304


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
