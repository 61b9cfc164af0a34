"""Politeness as the site sees it: real processes on a real socket, measured by the requests that arrive."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from support import ROOT, SEEDS, SITE, FakeClock, mounted, poll, rows, settings, vna, working
from test_pipeline import look

from crawler.clock import SystemClock, to_text
from crawler.errors import SitePaused
from crawler.fetch import budget_of
from crawler.rate_limit import Answer
from crawler.sim.site import build, serve
from crawler.sim.site.messages import PLAIN, answer

RATE = 50
TURN = 1 / 15  # by the site's own Crawl-delay
LATE = 0.4  # seconds: a process that is not scheduled at once on a busy machine
PROGRAM = """
import pathlib, sys
from support import Watch, MARKUPS, config, app, pipeline
site, archive, role = sys.argv[1:]
settings = config.Config(root=site + "/", archive=pathlib.Path(archive), rate={rate}, markups=MARKUPS)
with app.working(settings, role, Watch(), role=role) as context:
    print("ready", flush=True)
    sys.stdin.readline()
    pipeline.poll(context)
"""


@pytest.fixture
def site():
    with serve(lambda url: build(url, seeds_dir=SEEDS, articles=60, now=lambda: datetime.now(UTC))) as serving:
        yield serving


@contextmanager
def calling(site, archive, *roles):
    """Processes of several roles on one archive, begun together, that call on the site until the block ends."""
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
    return site.replica.state()["log"]


def until(site, wanted, running):
    """Wait until the log is as wanted."""
    deadline = time.monotonic() + 30
    while not wanted(log(site)):
        assert time.monotonic() < deadline, log(site)[-5:]
        assert all(process.poll() is None for process in running), [p.stderr.read() for p in running if p.poll()]
        time.sleep(0.02)


def statuses(found):
    return [status for _, _, status in found]


RULES = f"""User-agent: *
Crawl-delay: {TURN:.6f}
Disallow: /rss/
Disallow: /*-post

User-agent: vna-archive-2
Allow: /
"""


def test_two_processes_keep_one_budget_and_every_wish_of_the_site(site, tmp_path):
    really = site.replica.respond
    site.replica.respond = lambda asked: answer(RULES, PLAIN) if asked.path == "/robots.txt" else really(asked)
    with calling(site, tmp_path, "collect", "backfill") as running:
        until(site, lambda found: len(found) >= 20, running)
        site.replica.fault("throttle", times=1, seconds=1)
        until(site, lambda found: 429 in statuses(found) and found[-1][2] != 429, running)
        site.replica.fault("unavailable", times=1, seconds=2, form="date")
        until(site, lambda found: 503 in statuses(found) and len(found) - statuses(found).index(503) > 6, running)
    found = log(site)
    times, paths = [at for at, _, _ in found], [path for _, path, _ in found]
    assert paths.count("/") == 2, "both of them were there"
    assert [path for path in paths if path.startswith("/rss/") or "-post" in path] == []

    throttled, unavailable = statuses(found).index(429), statuses(found).index(503)
    assert times[19] - times[0] > 19 * TURN - LATE, "two that do not know of each other need half of that"
    busiest = max(len([at for at in times if first <= at < first + 1]) for first in times)
    assert busiest <= (1 + LATE) / TURN + 1
    assert 1 <= times[throttled + 1] - times[throttled] < 1 + 5 * TURN + LATE, "to the second, by both"
    assert 1 <= times[unavailable + 1] - times[unavailable] < 3 + 5 * TURN + LATE, "a date has no fractions of a second"
    assert times[unavailable + 6] - times[unavailable + 1] > 1.5 * 5 * TURN - LATE / 2, "half as fast from then on"


def test_a_site_that_dies_in_mid_run(tmp_path):
    """The run ends after a few requests; what was not asked for keeps its row, and all is had when the site is back."""
    clock = FakeClock()
    with mounted(clock) as site:
        known = look(tmp_path, clock)
        before = rows(tmp_path, "SELECT * FROM pages ORDER BY id DESC")
        site.replica.fault("down")
        site.wire.clear()
        with pytest.raises(SitePaused, match="5 addresses in a row") as caught:
            poll(tmp_path, clock)
        assert len(site.wire.requests) == 3 + 4
        after = rows(tmp_path, "SELECT * FROM pages ORDER BY id DESC")
        assert {row["state"] for row in after[:5]} == {"failed"}
        assert after[5:] == before[5:]
        with pytest.raises(SitePaused):
            poll(tmp_path, clock)
        assert len(site.wire.requests) == 7, "nothing is asked before the time"
        site.replica.clear()
        clock.time = caught.value.until + timedelta(minutes=5)
        assert poll(tmp_path, clock).new == len(known)
    assert [row["outcome"] for row in rows(tmp_path, "SELECT outcome FROM runs")] == [
        "done",
        "stopped",
        "stopped",
        "done",
    ]


def test_status_tells_of_a_pause(tmp_path):
    """Paused until when and why; then how fast, as long as it is slower than usual."""
    at, clock = datetime.now(UTC), SystemClock()
    with working(tmp_path, clock):
        budget = budget_of(settings(), tmp_path / "state", SITE, clock)
    budget.report(Answer("/a", at, "throttled", "HTTP status 429", 1000))
    paused = vna("--archive", tmp_path, "status")
    assert "nothing is asked before" in paused.out
    assert "it asks for patience (HTTP status 429)" in paused.out
    pace = json.loads(vna("--archive", tmp_path, "status", "--json").out)["pace"]
    assert pace["paused_until"] >= to_text(at + timedelta(seconds=1000))
    budget.report(Answer("/a", at + timedelta(seconds=1001), "good"))
    assert (
        "a request every 1.8 s, 1.8 times the usual after trouble; 0 today" in vna("--archive", tmp_path, "status").out
    )
