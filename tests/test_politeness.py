"""Politeness as the site sees it: real processes and a real socket, measured by the requests that arrive."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from support import ROOT, SEEDS, SITE, FakeClock, mounted_small, poll, rows, settings, vna, working
from test_pipeline import poll_due_sources

from crawler.clock import SystemClock, to_text
from crawler.errors import SitePaused
from crawler.fetch.budget import budget_for
from crawler.rate_limit import ResponseSignal
from crawler.sim.site import build, serve
from crawler.sim.site.messages import PLAIN, make_response

RATE = 50
INTERVAL = 1 / 15  # seconds, from the Crawl-delay of the site
LATE = 0.4  # seconds of tolerance: a busy machine may not schedule a process at once
PROGRAM = """
import pathlib, sys
from support import RecordedProgress, MARKUPS, config, app, collect
site, archive, role = sys.argv[1:]
settings = config.Config(root=site + "/", archive=pathlib.Path(archive), rate={rate}, markups=MARKUPS)
with app.working(settings, role, RecordedProgress(), role=role) as run:
    print("ready", flush=True)
    sys.stdin.readline()
    collect.poll(run)
"""


@pytest.fixture
def site():
    with serve(lambda url: build(url, seeds_dir=SEEDS, articles=60, now=lambda: datetime.now(UTC))) as serving:
        yield serving


@contextmanager
def polling(site, archive, *roles):
    """Start one process per role on the same archive at the same moment; they poll the site until the block ends."""
    program = PROGRAM.format(rate=RATE)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, site.url, str(archive), role],
            cwd=ROOT / "tests",
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for role in roles
    ]
    try:
        for process in running:
            process.stdout.readline()
        for process in running:
            process.stdin.write(b"\n")
            process.stdin.flush()
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def log(site):
    return site.fake_site.state()["log"]


def wait_until(site, wanted, running):
    """Wait until `wanted` is true for the log of the site."""
    deadline = time.monotonic() + 30
    while not wanted(log(site)):
        assert time.monotonic() < deadline, log(site)[-5:]
        assert all(process.poll() is None for process in running), [p.stderr.read() for p in running if p.poll()]
        time.sleep(0.02)


def statuses(found):
    return [status for _, _, status in found]


RULES = f"""User-agent: *
Crawl-delay: {INTERVAL:.6f}
Disallow: /rss/
Disallow: /*-post

User-agent: vna-archive-2
Allow: /
"""


def test_two_processes_share_one_budget_and_obey_the_site(site, tmp_path):
    respond = site.fake_site.respond
    site.fake_site.respond = lambda request: (
        make_response(RULES, PLAIN) if request.path == "/robots.txt" else respond(request)
    )
    with polling(site, tmp_path, "collect", "backfill") as running:
        wait_until(site, lambda found: len(found) >= 20, running)
        site.fake_site.fault("throttle", times=1, seconds=1)
        wait_until(site, lambda found: 429 in statuses(found) and found[-1][2] != 429, running)
        site.fake_site.fault("unavailable", times=1, seconds=2, form="date")
        wait_until(site, lambda found: 503 in statuses(found) and len(found) - statuses(found).index(503) > 6, running)
    found = log(site)
    times, paths = [at for at, _, _ in found], [path for _, path, _ in found]
    assert paths.count("/") == 2, "both processes polled"
    assert [path for path in paths if path.startswith("/rss/") or "-post" in path] == []

    throttled, unavailable = statuses(found).index(429), statuses(found).index(503)
    assert times[19] - times[0] > 19 * INTERVAL - LATE, "two independent processes would need half of that"
    busiest = max(len([at for at in times if first <= at < first + 1]) for first in times)
    assert busiest <= (1 + LATE) / INTERVAL + 1
    assert 1 <= times[throttled + 1] - times[throttled] < 1 + 5 * INTERVAL + LATE, (
        "Retry-After in seconds, obeyed by both processes"
    )
    assert 1 <= times[unavailable + 1] - times[unavailable] < 3 + 5 * INTERVAL + LATE, (
        "Retry-After as a date, which has no fractions of a second"
    )
    assert times[unavailable + 6] - times[unavailable + 1] > 1.5 * 5 * INTERVAL - LATE / 2, (
        "the interval is doubled from then on"
    )


def test_a_site_that_goes_down_during_a_run(tmp_path):
    """The run ends after a few requests. Pages that were not requested keep their rows, and are fetched later."""
    clock = FakeClock()
    with mounted_small(clock) as site:
        known = poll_due_sources(tmp_path, clock)
        before = rows(tmp_path, "SELECT * FROM pages ORDER BY id DESC")
        site.fake_site.fault("down")
        site.wire.clear()
        with pytest.raises(SitePaused, match="5 addresses in a row") as caught:
            poll(tmp_path, clock)
        assert len(site.wire.requests) == 3 + 4
        after = rows(tmp_path, "SELECT * FROM pages ORDER BY id DESC")
        assert {row["state"] for row in after[:5]} == {"failed"}
        assert after[5:] == before[5:]
        with pytest.raises(SitePaused):
            poll(tmp_path, clock)
        assert len(site.wire.requests) == 7, "no request during the pause"
        site.fake_site.clear()
        clock.time = caught.value.until + timedelta(minutes=5)
        assert poll(tmp_path, clock).new == len(known)
    assert [row["outcome"] for row in rows(tmp_path, "SELECT outcome FROM runs")] == [
        "done",
        "stopped",
        "stopped",
        "done",
    ]


def test_status_shows_the_pause_and_the_interval(tmp_path):
    at, clock = datetime.now(UTC), SystemClock()
    with working(tmp_path, clock):
        budget = budget_for(settings(), tmp_path / "state", SITE, clock)
    budget.report(ResponseSignal("/a", at, "throttled", "HTTP status 429", 1000))
    found = json.loads(vna("--archive", tmp_path, "status", "--json").out)["pace"]
    assert found["paused_until"] >= to_text(at + timedelta(seconds=1000))
    text = vna("--archive", tmp_path, "status").out
    assert found["paused_until"] in text
    assert "slow down (HTTP status 429)" in text
    budget.report(ResponseSignal("/a", at + timedelta(seconds=1001), "good"))
    found = json.loads(vna("--archive", tmp_path, "status", "--json").out)["pace"]
    assert (found["interval"], found["slowdown"], found["requests_today"]) == (1.8, 1.8, 0)
    assert "1.8 s" in vna("--archive", tmp_path, "status").out
