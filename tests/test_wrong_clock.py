"""A system clock that is wrong for a while: what is due afterwards, and what the commands say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler
from support import NOW, SEEDS, FakeClock, mounted, poll, rows, value, vna, working
from test_rebuild import assert_rebuilt_equal

from crawler import opening
from crawler.clock import to_text
from crawler.daemon.service import Timer
from crawler.health.clock import ClockVerdict, judge
from crawler.pipeline.clock_check import ClockPeriods
from crawler.sim.site import Options, build, serve
from crawler.sim.site.story import SECTIONS
from crawler.storage import open_archive

SMALL = Options(sections=SECTIONS[:1], section_size=8, feed_size=8, home_size=10, no_api=True, no_samples=True)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
VERDICTS = {
    "an empty archive": ((None, ()), "right"),
    "the usual case": ((NOW - MINUTE, (NOW - MINUTE,)), "right"),
    "a clock a few minutes behind": ((NOW + 9 * MINUTE, (NOW + 9 * MINUTE,) * 5), "right"),
    "a clock that was ahead": ((NOW + 365 * DAY, (NOW - MINUTE,) * 5), "was-ahead"),
    "a clock that was ahead, and two articles with a future date": ((NOW + DAY, (NOW + DAY,) * 2), "was-ahead"),
    "a clock that is behind": ((NOW + DAY, (NOW + DAY,) * 3), "behind"),
    "articles with future dates": ((NOW, (NOW + DAY,) * 9), "right"),
}


@pytest.mark.parametrize(("found", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_the_clock_is_judged_by_the_archive(found, verdict):
    assert judge(NOW, *found) == verdict


@pytest.fixture
def site():
    with serve(
        lambda url: build(url, seeds_dir=SEEDS, articles=6, now=lambda: datetime.now(UTC), options=SMALL)
    ) as serving:
        yield serving


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(days=5), timedelta(days=365), timedelta(days=3650)])
def test_after_a_poll_with_a_clock_that_was_ahead_the_next_poll_catches_up(tmp_path, ahead):
    """The site keeps the right time; only the machine's clock is wrong during the second poll."""
    archive, true, machine = tmp_path / "archive", FakeClock(), FakeClock()
    with mounted(true, articles=5, options=SMALL) as site:
        poll(archive, machine)
        machine.time = true.time = true.time + timedelta(hours=1)
        machine.advance(days=ahead / DAY)
        poll(archive, machine, everything=True)
        site.fake_site.publish(1)
        machine.time = true.time = true.time + timedelta(hours=1)
        assert _verdict(archive, machine) is ClockVerdict.WAS_AHEAD
        report = poll(archive, machine)
        assert report.new == 1
        assert report.unchanged >= 5
        assert value(archive, "SELECT max(next_due_at) FROM sources") < to_text(machine.now() + 8 * DAY)
        assert value(archive, "SELECT max(last_fetched_at) FROM pages") <= to_text(machine.now())
        assert _verdict(archive, machine) is ClockVerdict.RIGHT
        assert poll(archive, machine).requests == 0
    assert_rebuilt_equal(archive, machine)


@pytest.mark.parametrize("back", [timedelta(minutes=20), timedelta(hours=5), timedelta(days=40)], ids=str)
def test_an_archive_with_a_clock_that_was_set_back_is_rebuilt_equal(tmp_path, back):
    """The second set of revisions has earlier times than the first one. Two processes poll after each step."""
    archive, true, machine = tmp_path / "archive", FakeClock(), FakeClock()
    with mounted(true, articles=4, options=SMALL) as site:
        poll(archive, machine)
        for text in ("Premier changement.", "Deuxième changement.", "Troisième changement."):
            true.advance(hours=1)
            site.fake_site.revise(site.fake_site.ids()[0], title=None, text=text)
            site.fake_site.publish(1)
            machine.time -= back
            with working(archive, machine, role="backfill") as other:
                poll(archive, machine, everything=True)
                other.warc.note("https://fr.vietnamplus.vn/", machine.now(), "source:x", {"outcome": "x"})
    assert value(archive, "SELECT max(revision) FROM revisions") == 4
    assert value(archive, "SELECT clock_period FROM archive_identity") == 3
    assert_rebuilt_equal(archive, machine)


def test_a_clock_period_begins_when_the_clock_is_set_back(tmp_path):
    with open_archive(tmp_path) as one, open_archive(tmp_path) as other:
        first, second = ClockPeriods(one), ClockPeriods(other)
        assert [first.at(NOW + timedelta(seconds=s)) for s in (0, 9, 8.5, 5, 5, 9)] == [0, 0, 0, 1, 1, 1]
        assert second.at(NOW + timedelta(seconds=7)) == 1, "the other process has noticed it"
        assert second.at(NOW) == 2
        assert first.at(NOW + timedelta(hours=1)) == 2


def test_with_a_clock_that_is_behind_nothing_is_fetched_again(tmp_path):
    archive, true, machine = tmp_path / "archive", FakeClock(), FakeClock()
    with mounted(true, articles=5, options=SMALL):
        poll(archive, machine)
        machine.advance(days=-3)
        assert _verdict(archive, machine) is ClockVerdict.BEHIND
        before = rows(archive, "SELECT id, next_due_at FROM pages ORDER BY id")
        poll(archive, machine)
        assert rows(archive, "SELECT id, next_due_at FROM pages ORDER BY id") == before


def _verdict(archive, clock):
    now = clock.now()
    with opening.reading_archive(archive) as opened:
        return judge(now, opened.newest_response(), opened.newest_publications(now))


def test_poll_and_status_name_a_wrong_clock_and_what_to_do(tmp_path, site):
    archive = ("--archive", tmp_path / "a", "--site", site.url, "--rate", 0)
    assert vna(*archive, "poll").code == 0
    assert json.loads(vna(*archive, "status", "--json").out)["clock"] is None
    ahead = to_text(datetime.now(UTC) + timedelta(days=30))
    with open_archive(tmp_path / "a") as opened, opened.transaction():
        opened.db.conn.execute("UPDATE pages SET last_fetched_at = ?, next_due_at = ?", [ahead, ahead])
    status = vna(*archive, "status")
    assert "the archive holds responses from" in status.out
    assert "run `vna poll`" in status.out
    assert vna(*archive, "poll").code == 0  # it fetches the pages again, so nothing is wrong afterwards
    assert json.loads(vna(*archive, "status", "--json").out)["clock"] is None


def test_poll_ends_with_code_5_if_the_clock_is_behind(tmp_path, site):
    archive = ("--archive", tmp_path / "a", "--site", site.url, "--rate", 0)
    vna(*archive, "poll")
    later = datetime.now(UTC) + timedelta(days=30)
    with open_archive(tmp_path / "a") as opened, opened.transaction():
        opened.db.conn.execute("UPDATE pages SET last_fetched_at = ?, next_due_at = ?", [to_text(later)] * 2)
        opened.db.conn.execute(
            "UPDATE articles SET published_at = ?, published_on = ?", [later.isoformat(), f"{later:%Y-%m-%d}"]
        )
    found = vna(*archive, "poll")
    assert found.code == 5
    assert "the site has published articles since then" in found.err
    assert "timedatectl" in found.err


@pytest.mark.parametrize("jump", [timedelta(seconds=25), timedelta(days=366), timedelta(days=3652)])
def test_a_jump_of_the_clock_makes_a_timer_due_once(jump):
    scheduler = BackgroundScheduler(timezone=UTC)
    job: Job = scheduler.add_job(print, Timer(10))
    scheduler.start(paused=True)
    try:
        now = job.next_run_time + jump
        assert len(job._get_run_times(now)) == 1
        assert now < job.trigger.get_next_fire_time(job.next_run_time, now) <= now + timedelta(seconds=10)
        assert job.trigger.get_next_fire_time(now, now) == now + timedelta(seconds=10)
    finally:
        scheduler.shutdown()
