"""A backfill in the foreground waits through pauses and backoff times, and shows how long."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
from rich.console import Console
from support import NOW, SEEDS, mounted_small, value, vna, working

from crawler import backfill
from crawler.cli.plan_progress import PlanBar, PlanLines, PlanProgress
from crawler.clock import to_text
from crawler.errors import Interrupted, SitePaused
from crawler.pipeline.run import recorded
from crawler.plan_values import BackfillRequest
from crawler.sim.site import Options, build, serve

ALONE = Options(no_samples=True)
REQUEST = BackfillRequest("sitemap", date(2026, 11, 1), date(2026, 11, 21))


class RecordedView:
    """A view that records what it is asked to show, and runs `on_wait` at each second of a wait."""

    def __init__(self, on_wait=lambda: None):
        self.begun, self.items, self.waits, self.seconds = [], [], [], 0
        self.on_wait = on_wait

    def begin(self, plan):
        self.begun.append(plan.id)

    def item(self, plan, item):
        self.items.append(item)

    def wait(self, why, until, left):
        self.seconds += 1
        if not self.waits or self.waits[-1][:2] != (why, until):
            self.waits.append((why, until, left))
        self.on_wait()


@contextmanager
def backfilling(archive, clock, **changes):
    with working(archive, clock, command="backfill", role="backfill", **changes) as run, recorded(run, "backfill"):
        yield run


def complete(run, view, *, waits=True, requests=(REQUEST,)):
    plans = [backfill.open_plan(run, request, until_given=True).plan for request in requests]
    backfill.complete(run, plans, view, waits=waits)
    return [run.archive.plan_state(plan.id) for plan in plans]


FAULTS = {
    "503 on the index": ("unavailable", "/sitemap.xml", 1),
    "429 with a long Retry-After on the index": ("throttle", "/sitemap.xml", 3600),
    "500 on the month": ("error", "/sitemaps/*", None),
    "no response from articles": ("down", "*.vnp", None),
    "a cut body": ("truncate", "*.vnp", None),
}


@pytest.mark.parametrize(("kind", "path", "seconds"), FAULTS.values(), ids=FAULTS)
def test_a_backfill_continues_after_a_fault_of_the_site(tmp_path, clock, kind, path, seconds):
    with mounted_small(clock, articles=4) as site, backfilling(tmp_path / "archive", clock) as run:
        site.fake_site.fault(kind, path, times=9, seconds=seconds)
        view = RecordedView()
        assert complete(run, view) == ["done"]
        assert value(tmp_path / "archive", "SELECT count(*) FROM articles") == 4
    assert view.waits
    assert all(timedelta() < left <= timedelta(hours=2) for _, _, left in view.waits)


@pytest.mark.parametrize(
    ("kind", "error"), [("throttle", SitePaused), ("error", None)], ids=["a pause", "a backoff time"]
)
def test_without_waiting_a_backfill_ends_when_nothing_can_be_done(tmp_path, clock, kind, error):
    with mounted_small(clock, articles=2) as site, backfilling(tmp_path / "archive", clock) as run:
        site.fake_site.fault(kind, "/sitemap.xml", seconds=3600)
        view = RecordedView()
        if error is None:
            assert complete(run, view, waits=False) == ["open"]
        else:
            with pytest.raises(error):
                complete(run, view, waits=False)
    assert view.waits == []


def test_a_backfill_waits_for_the_end_of_quiet_hours(tmp_path, clock):
    local = (NOW + timedelta(hours=7)).time()
    hours = (time(local.hour), time((local.hour + 2) % 24))
    with (
        mounted_small(clock, articles=1),
        backfilling(tmp_path / "archive", clock, quiet_hours=hours) as run,
    ):
        view = RecordedView()
        assert complete(run, view) == ["done"]
    ((why, until, _),) = view.waits
    assert "quiet hours" in why
    assert until == NOW.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)


def test_while_one_plan_waits_the_others_are_worked_on(tmp_path, clock):
    october = BackfillRequest("sitemap", date(2026, 10, 1), date(2026, 10, 31))
    with mounted_small(clock, articles=4) as site, backfilling(tmp_path / "archive", clock) as run:
        site.fake_site.fault("error", "/sitemaps/news-2026-10.xml", times=3)
        view = RecordedView()
        assert complete(run, view, requests=(october, REQUEST)) == ["done", "done"]
        plans_before_wait = [item.plan for item in view.items]
    assert plans_before_wait.index(2) < len(plans_before_wait) - 1 - plans_before_wait[::-1].index(1)


def test_a_stop_ends_a_wait(tmp_path, clock):
    with mounted_small(clock, articles=2) as site, backfilling(tmp_path / "archive", clock) as run:
        site.fake_site.fault("error", "/sitemap.xml")

        def interrupt():
            raise Interrupted("stopped", "")

        with pytest.raises(Interrupted):
            complete(run, RecordedView(interrupt))
        assert value(tmp_path / "archive", "SELECT state FROM plans") == "open"


def test_a_clock_that_is_set_back_does_not_prolong_a_wait(tmp_path, clock):
    with mounted_small(clock, articles=1) as site, backfilling(tmp_path / "archive", clock) as run:
        site.fake_site.fault("error", "/sitemap.xml", times=3)
        view = RecordedView()
        view.on_wait = lambda: _set_back(clock, view.seconds)
        assert complete(run, view) == ["done"]
    assert view.seconds <= 300 + 1


def _set_back(clock, seconds):
    if seconds == 2:
        clock.advance(days=-365)
    assert seconds < 1000, "the wait is longer than any backoff time"


UNTIL = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)


def test_lines_name_a_wait_once(capsys):
    with PlanLines() as display:
        for seconds in (3, 2, 1):
            display.wait("the site asks us to slow down", UNTIL, timedelta(seconds=seconds))
        display.wait("another reason", UNTIL, timedelta(seconds=1))
    assert capsys.readouterr().err.splitlines() == [
        "waiting until 2026-11-21T09:05:00Z: the site asks us to slow down",
        "waiting until 2026-11-21T09:05:00Z: another reason",
    ]


def test_the_bar_counts_down():
    screen = io.StringIO()
    with PlanBar(Console(file=screen, force_terminal=True, width=120)) as display:
        display.plan("plan 1, days", PlanProgress(lambda: 1.0, {"live": 1}))
        for seconds in (65, 64):
            display.wait("quiet hours", UNTIL, timedelta(seconds=seconds))
            display._progress.refresh()
    assert "waiting, 1 min 05 s left" in screen.getvalue()
    assert "waiting, 1 min 04 s left" in screen.getvalue()
    assert screen.getvalue().count("waiting until 2026-11-21T09:05:00Z: quiet hours") == 1


@pytest.mark.parametrize("words", [(), ("--no-wait",)], ids=["waits", "ends"])
def test_the_command_waits_unless_it_is_told_not_to(tmp_path, words):
    """The pause of two seconds is in the archive's own state, where another process recorded it."""
    with serve(
        lambda url: build(url, seeds_dir=SEEDS, articles=2, now=lambda: datetime.now(UTC), options=ALONE)
    ) as serving:
        serving.fake_site.fault("not_html", "/sitemap.xml", times=1)
        common = ("--archive", tmp_path / "a", "--site", serving.url, "--rate", 0, "backfill", *SINCE)
        first = vna(*common, "--no-wait", "--json")
        assert first.code == 5
        assert not json.loads(first.out)["done"]
        make_retries_due(tmp_path / "a", datetime.now(UTC) + timedelta(seconds=2))
        found = vna(*common, *words, "--json")
    result = json.loads(found.out)
    assert (result["done"], found.code) == ((False, 5) if words else (True, 0))
    assert ("waiting until" in found.err) == (not words)


SINCE = ("--since", f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}")


def make_retries_due(archive, at):
    with closing(sqlite3.connect(archive / "vna.db")) as db, db:
        db.execute("UPDATE plan_steps SET next_due_at = ? WHERE next_due_at IS NOT NULL", [to_text(at)])
