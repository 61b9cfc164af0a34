"""The manners of the crawler, judged by the request log of the site: which logs break which rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.sim.drill.requests import Limit, LoggedRequest, Manners, misbehaviour, unarchived

BEGIN = datetime(2026, 11, 3, tzinfo=UTC)
ROBOTS = "User-agent: *\nDisallow: /private/\nDisallow: *secret.aspx\nCrawl-delay: 2\n"


def request(seconds, path="/", status=200, **more):
    return LoggedRequest(BEGIN + timedelta(seconds=seconds), path, status, "vna/1", **more)


FIRST = request(-60, "/robots.txt", text=ROBOTS)


def log(*requests):
    return [FIRST, *(r if isinstance(r, LoggedRequest) else request(*r) for r in requests)]


def failures(number, wait, status=503):
    return log(*((n * 3, f"/{n}", status) for n in range(number)), ((number - 1) * 3 + wait, "/next"))


def repeats(conditional, number=30, **more):
    """Requests for one path every ten minutes; the conditional ones get status 304."""
    return log(*(
        request(n * 600, "/a", 304 if conditional(n) else 200, conditional=bool(conditional(n)), **{"validators": True} | more)
        for n in range(number)
    ))  # fmt: skip


LOGS = {
    "polite": (log((0, "/a"), (2, "/b"), (300, "/a")), None),
    "closer than the Crawl-delay": (log((0, "/a"), (1.9, "/b")), "close to each other"),
    "at once after robots.txt": (log((-59.9, "/a")), None),
    "without robots.txt": ([request(0), request(400)], "robots.txt"),
    "robots.txt after a day": (log((0, "/a"), (26 * 3600, "/b")), "robots.txt"),
    "robots.txt read again": (log((0, "/a"), (24 * 3600, "/robots.txt"), (26 * 3600, "/b")), None),
    "a disallowed folder": (log((0, "/private/x")), "robots.txt"),
    "a disallowed name": (log((0, "/x/secret.aspx?y")), "robots.txt"),
    "a similar name": (log((0, "/privateer/")), None),
    "Retry-After ignored": (log(request(0, "/a", 429, retry_after=600), (599 - 2, "/a")), "Retry-After"),
    "Retry-After obeyed": (log(request(0, "/a", 503, retry_after=600), (601, "/a")), None),
    "five failures, then no pause": (failures(5, 10), "circuit breaker"),
    "five failures, then a pause": (failures(5, 300), None),
    "four failures": (failures(4, 10), None),
    "five broken connections": (failures(5, 10, status=0), "circuit breaker"),
    "five pages not found": (failures(5, 10, status=404), None),
    "never conditional": (repeats(lambda n: False), "received before"),
    "seldom conditional": (repeats(lambda n: n % 3 == 0), "received before"),
    "mostly conditional": (repeats(lambda n: n % 3), None),
    "after responses that could not be read": (repeats(lambda n: False, validators=False), None),
    "after faults": (repeats(lambda n: False, fault="block"), None),
    "in full each six hours": (log(*(request(n * 21_600, "/a", validators=True) for n in range(3))), None),
    "too few to judge": (repeats(lambda n: False, number=10), None),
    "three times within minutes": (log((0, "/a"), (10, "/a"), (20, "/a")), "again at once"),
    "again after a fault": (log(request(0, fault="truncate"), request(10, fault="truncate"), (20,)), None),
    "again after some minutes": (log((0, "/a"), (250, "/a"), (500, "/a")), None),
    "another name": (log(replace(request(0), agent="curl/8")), "do not name"),
}


@pytest.mark.parametrize(("requests", "rule"), LOGS.values(), ids=LOGS)
def test_rules(requests, rule):
    found = list(misbehaviour(requests, Manners(1.0, "vna")))
    assert {item.kind for item in found} <= {"manners"}
    assert [rule in item.says for item in found] == ([True] if rule else [])


def test_limits():
    cap = Limit(BEGIN, BEGIN + timedelta(hours=1), 2, "daily cap")
    requests = log((0, "/a"), (10, "/b"), (20, "/c"), (4000, "/d"))
    (found,) = misbehaviour(requests, Manners(1.0, "vna", (cap,)))
    assert found.says.startswith("1 requests beyond a limit, for example /c at 2026-11-03T00:00:20Z: daily cap")
    assert not list(misbehaviour(requests, Manners(1.0, "vna", (replace(cap, requests=3),))))


ARCHIVED = {
    "all": ([("/a", 200, "x")], [("http://h/a", 200, "x")], 0),
    "with a query": ([("/a?b=1", 200, "x")], [("http://h/a?b=1", 200, "x")], 0),
    "none": ([("/a", 200, "x")], [], 1),
    "another content": ([("/a", 200, "x")], [("http://h/a", 200, "y")], 1),
    "once instead of twice": ([("/a", 200, "x")] * 2, [("http://h/a", 200, "x")], 1),
    "a failure needs a note only": ([("/a", 503, "x"), ("/a", 429, "x")], [], 0),
    "a broken response": ([("/a", 200, None)], [], 0),
}


@pytest.mark.parametrize(("served", "rows", "missing"), ARCHIVED.values(), ids=ARCHIVED)
def test_responses_that_are_not_archived(served, rows, missing):
    requests = [request(n, path, status, digest=digest) for n, (path, status, digest) in enumerate(served)]
    found = [item.says for item in unarchived(requests, Counter(rows))]
    assert [says.startswith(f"{missing} responses") for says in found] == [True] * bool(missing)
    assert not list(unarchived([replace(r, received=False) for r in requests], Counter(rows)))
