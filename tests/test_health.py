"""What is well and what is not, when a trouble begins and ends, and who is still to be told: situations, in tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from support import NOW, FakeClock, rows, working

from crawler.health.checks import Condition, Facts, GapHealth, JobHealth, Limits, SourceHealth, conditions, ends, span
from crawler.health.incidents import Changes, Incident, changes, message

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECTION = "https://fr.vietnamplus.vn/politique/"


def source(**values):
    default = SourceHealth(SECTION, "ok", interval=300, last_ok_at=NOW - MINUTE)
    return replace(default, **values)


def job(name="poll", state="ok", **values):
    return replace(JobHealth(name, state, NOW - HOUR), **values)


def facts(**values):
    return replace(Facts(NOW, NOW - 30 * DAY, (source(),), (job(),)), **values)


def red(found):
    return [(c.kind, c.subject) for c in conditions(found, LIMITS) if c.red]


LIMITS = Limits(gap_hours=48, drift_share=0.2, reserve=1000)
GAP = GapHealth(SECTION, NOW - 49 * HOUR, NOW - 60 * HOUR, NOW - 50 * HOUR)
EMPTY = source(state="failing", failures=2, error="shows no article; it has shown up to 30")
WELL = {
    "nothing_to_report": facts(),
    "just_begun_on_an_empty_archive": Facts(NOW, NOW),
    "just_begun_after_a_long_stop": facts(started_at=NOW - MINUTE, sources=(source(last_ok_at=NOW - 9 * DAY),)),
    "polled_within_three_intervals": facts(sources=(source(last_ok_at=NOW - 15 * MINUTE),)),
    "no_interval_learned_yet": facts(sources=(source(interval=None, last_ok_at=NOW - 3 * HOUR),)),
    "paused_by_quiet_hours": facts(
        sources=(source(last_ok_at=NOW - 6 * HOUR),),
        jobs=(job(state="paused", next_due_at=NOW + HOUR, outcome="quiet hours"),),
    ),
    "the_pause_ended_just_now": facts(
        sources=(source(last_ok_at=NOW - 6 * HOUR),), jobs=(job(state="paused", next_due_at=NOW - 10 * MINUTE),)
    ),
    "asked_to_stop_and_begun_again": facts(jobs=(job(state="paused", outcome="asked to stop"),)),
    "one_poll_failed": facts(jobs=(job(state="failed", failures=1),)),
    "two_stretches_of_backfill_failed": facts(jobs=(job("backfill", "failed", failures=2),)),
    "a_source_fails_since_yesterday": facts(
        sources=(source(), source(state="failing", last_ok_at=NOW - DAY, failures=7))
    ),
    "a_source_that_was_never_there": facts(sources=(source(), source(state="absent", last_ok_at=None, failures=40))),
    "a_source_showed_nothing_once": facts(sources=(source(), replace(EMPTY, failures=1))),
    "a_gap_is_young": facts(gaps=(replace(GAP, opened_at=NOW - 47 * HOUR),)),
    "two_odd_pages_in_a_quiet_hour": facts(pages_read=3, pages_drifted=2),
    "two_pages_fail_in_a_quiet_hour": facts(pages_asked=4, pages_failing=2),
    "a_fifth_of_the_pages_fail": facts(pages_asked=50, pages_failing=10),
    "a_fifth_of_the_pages_drifts": facts(pages_read=50, pages_drifted=10),
    "a_worker_that_waits_for_a_slow_page": facts(silent=15 * 60),
    "the_electricity_failed_twice": facts(jobs=(job(), job("service", "running", failures=2))),
    "steady_again_after_many_ends": facts(
        jobs=(job(), job("service", "running", failures=9, started_at=NOW - HOUR - MINUTE))
    ),
    "room_for_a_week": facts(free=1700, growth=100.0),
    "a_clock_that_is_a_little_slow": facts(sources=(source(last_ok_at=NOW + 9 * MINUTE),)),
}
ILL = {
    "no_poll_for_more_than_three_intervals": (facts(sources=(source(last_ok_at=NOW - 16 * MINUTE),)), ("poll", "")),
    "never_a_good_poll": (facts(sources=(), jobs=()), ("poll", "")),
    "the_pause_ended_long_ago": (
        facts(sources=(source(last_ok_at=NOW - DAY),), jobs=(job(state="paused", next_due_at=NOW - HOUR),)),
        ("poll", ""),
    ),
    "polls_fail": (
        facts(
            sources=(source(last_ok_at=NOW - DAY),), jobs=(job(state="failed", failures=9, outcome="cannot reach it"),)
        ),
        ("poll", ""),
    ),
    "the_site_makes_us_wait": (
        facts(
            sources=(source(last_ok_at=NOW - HOUR),),
            jobs=(job(state="held", next_due_at=NOW + HOUR, outcome="still no good answer"),),
        ),
        ("poll", ""),
    ),
    "the_worker_is_stuck": (facts(silent=15 * 60 + 1), ("worker", "")),
    "the_service_ends_again_and_again": (
        facts(jobs=(job(), job("service", "running", failures=3, started_at=NOW - HOUR))),
        ("restarts", ""),
    ),
    "a_source_is_dead": (
        facts(sources=(source(), source(state="failing", last_ok_at=NOW - 3 * DAY, error="HTTP status 500"))),
        ("source", SECTION),
    ),
    "a_source_shows_nothing_for_days": (
        facts(sources=(source(), replace(EMPTY, last_ok_at=NOW - 3 * DAY, failures=20))),
        ("items", SECTION),
    ),
    "a_source_is_no_longer_there": (
        facts(sources=(source(), source(state="absent", last_ok_at=NOW - 3 * DAY))),
        ("source", SECTION),
    ),
    "a_source_never_answered": (
        facts(sources=(source(), source(state="failing", last_ok_at=None, failures=10))),
        ("source", SECTION),
    ),
    "a_source_runs_empty": (facts(sources=(EMPTY,)), ("items", SECTION)),
    "a_gap_is_old": (facts(gaps=(GAP,)), ("gap", f"{SECTION} 2026-11-18T20:00Z")),
    "articles_cannot_be_had": (facts(pages_asked=14, pages_failing=3), ("page", "")),
    "an_answer_ended_the_program": (facts(bugs=("https://x: a bug: KeyError: 'y'",)), ("bug", "")),
    "the_layout_changed": (facts(pages_read=14, pages_drifted=3), ("drift", "")),
    "less_than_a_week_of_room": (facts(free=1699, growth=100.0), ("disk", "")),
    "near_the_reserve": (facts(free=1099), ("disk", "")),
    "the_verification_failed": (facts(jobs=(job(), job("verify", "failed", failures=1))), ("job", "verify")),
    "an_alert_could_not_be_sent": (
        facts(jobs=(job(), job("alerts", "failed", failures=1, next_due_at=NOW))),
        ("job", "alerts"),
    ),
    "some_other_job_failed": (facts(jobs=(job(), job("disk", "failed", failures=1))), ("job", "disk")),
    "backfill_keeps_failing": (facts(jobs=(job(), job("backfill", "failed", failures=3))), ("job", "backfill")),
    "polled_again_by_a_clock_that_is_behind": (facts(newest=NOW + HOUR), ("clock", "")),
    "the_clock_is_behind_the_archive": (facts(sources=(source(last_ok_at=NOW + HOUR),)), ("clock", "")),
}


def test_sizes_are_told_in_units_that_show_them():
    found = conditions(facts(free=21_000_000, growth=5e6), replace(LIMITS, reserve=20_000_000))
    (says,) = (condition.says for condition in found if condition.kind == "disk")
    assert says == "21.0 MB free, 20.0 MB of it the reserve; at 5.0 MB a day that lasts 0 days"


@pytest.mark.parametrize("found", WELL.values(), ids=WELL)
def test_it_is_well(found):
    assert red(found) == []


@pytest.mark.parametrize(("found", "trouble"), ILL.values(), ids=ILL)
def test_it_is_not_well_and_says_what_to_do(found, trouble):
    assert red(found) == [trouble]
    (condition,) = (c for c in conditions(found, LIMITS) if c.red)
    assert condition.says
    assert condition.do


def test_each_kind_is_there_whether_well_or_not():
    kinds = ["poll", "worker", "restarts", "source", "items", "page", "bug", "gap", "drift", "disk", "job", "clock"]
    assert [c.kind for c in conditions(facts())] == kinds
    troubled = facts(
        silent=1e6,
        bugs=("x: a bug: y",),
        pages_asked=9,
        pages_failing=9,
        pages_read=9,
        pages_drifted=9,
        free=0,
        gaps=(GAP,),
        sources=(EMPTY,),
    )
    assert [c.kind for c in conditions(troubled, LIMITS)] == kinds


def test_what_a_failed_poll_said_is_shown():
    troubled, _ = ILL["polls_fail"]
    (poll, *_) = conditions(troubled, LIMITS)
    assert "cannot reach it" in poll.says
    assert "1 d" in poll.says


def test_several_sources_are_several_troubles():
    other = "https://fr.vietnamplus.vn/economie/"
    found = facts(sources=(EMPTY, replace(EMPTY, url=other), source(url="x")))
    assert red(found) == [("items", SECTION), ("items", other)]


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(), "0 min"),
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, minutes=10), "2 h 10 min"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=3, hours=4, minutes=9), "3 d 4 h"),
    ],
)
def test_a_span_is_written_for_people(time, words):
    assert span(time) == words


# --- incidents --------------------------------------------------------------------------------------------------------

DRIFT = Condition("drift", "", red=True, says="3 of 9 pages", do="look")
CALM = Condition("drift", "", red=False, says="0 of 9 pages")
OPEN = Incident(1, "drift", "", "2 of 9 pages\nlook", NOW - HOUR, NOW - MINUTE)


def test_a_trouble_opens_one_incident():
    assert changes([DRIFT], [], NOW) == Changes(opened=(DRIFT,))


def test_a_trouble_that_goes_on_is_the_same_incident_with_todays_words():
    assert changes([DRIFT], [OPEN], NOW) == Changes(seen=((1, "3 of 9 pages\nlook"),))


def test_a_trouble_that_is_away_for_a_moment_is_not_over():
    assert changes([CALM], [OPEN], NOW) == Changes()


def test_a_trouble_that_stays_away_is_over():
    assert changes([CALM], [replace(OPEN, seen_at=NOW - 10 * MINUTE)], NOW) == Changes(closed=(1,))


def test_the_same_kind_of_trouble_elsewhere_is_another_incident():
    other = replace(DRIFT, subject="x")
    assert changes([DRIFT, other], [OPEN], NOW).opened == (other,)


TOLD = replace(OPEN, told_at=NOW - HOUR)
OVER = replace(TOLD, closed_at=NOW)


@pytest.mark.parametrize(
    ("untold", "told", "over"),
    [
        pytest.param([OPEN], (1,), (), id="begun"),
        pytest.param([OVER], (), (1,), id="over"),
        pytest.param([replace(OVER, told_at=None)], (1,), (1,), id="begun_and_over_while_nobody_could_be_told"),
        pytest.param([OPEN, replace(OVER, id=2)], (1,), (2,), id="one_of_each_in_one_message"),
    ],
)
def test_what_nobody_was_told_is_told(untold, told, over):
    found = message(untold, NOW)
    assert (found.told, found.over) == (told, over)
    assert found.title.startswith("vna: ")
    assert "2 of 9 pages" in found.body


@pytest.mark.parametrize(
    "untold", [[], [TOLD], [replace(OVER, told_at=None, closed_at=NOW - 2 * DAY)]], ids=["none", "told", "stale"]
)
def test_what_is_no_news_is_not_told(untold):
    assert message(untold, NOW) is None


def test_many_troubles_are_one_message():
    found = message([OPEN, replace(OPEN, id=2, subject="x"), replace(OPEN, id=3, subject="y")], NOW)
    assert found.title == "vna: trouble: drift and 2 more"
    assert "drift x, since 2026-11-21 07:00 UTC" in found.body
    assert "over, after 1 h" in message([OVER], NOW).body


# --- rows -------------------------------------------------------------------------------------------------------------


def test_heartbeats_count_failures_in_a_row(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        archive = context.archive
        for state in ("failed", "failed", "ok", "failed", "paused"):
            archive.begin_job("verify", NOW)
            assert archive.jobs()["verify"].state == "running"
            archive.end_job("verify", state, NOW + HOUR, NOW + DAY, "words")
        found = archive.jobs()["verify"]
    assert found == JobHealth("verify", "paused", NOW, NOW + DAY, 1, "words")
    assert rows(tmp_path, "SELECT ok_at, ended_at FROM heartbeats") == [
        {"ok_at": "2026-11-21T09:00:00Z", "ended_at": "2026-11-21T09:00:00Z"}
    ]


@pytest.mark.parametrize(
    ("before", "count"),
    [
        (None, 0),
        (job("service", "ok", failures=0), 0),
        (job("service", "running", failures=0), 1),
        (job("service", "running", failures=4, started_at=NOW - DAY), 5),
        (job("service", "running", failures=4, started_at=NOW - DAY - MINUTE), 1),
        (job("service", "running", failures=4, started_at=NOW + HOUR), 5),  # the clock was set back meanwhile
    ],
)
def test_ends_in_a_row_that_nobody_asked_for(before, count):
    assert ends(before, NOW) == count


PAGE = """INSERT INTO pages (id, url, state, first_seen_at, first_source, next_due_at, last_fetched_at, failures, error)
          VALUES (:id, 'x', :state, '2026-01-01T00:00:00Z', 's', :due, '2026-11-21T07:00:00Z', :failures, :error)"""


def test_what_a_wrong_clock_put_off_is_brought_forward(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        db = context.archive.db.conn
        for n, due in enumerate(("2026-11-22T07:00:00Z", "2031-01-01T00:00:00Z")):
            db.execute(PAGE, {"id": n, "state": "live", "due": due, "failures": 0, "error": None})
        assert context.archive.bring_forward("pages", NOW, DAY) == 1
        assert context.archive.next_due() == NOW


def asked(archive, table):
    """Give what is told of pages that were asked for an hour ago."""
    for n, (state, failures, error) in enumerate(table):
        page = {"id": n, "state": state, "due": None, "failures": failures, "error": error}
        archive.db.conn.execute(PAGE, page)
    return archive.health_facts(NOW, NOW)


def test_pages_whose_markup_is_not_known_are_counted_also_where_the_article_is_held(tmp_path):
    drift = "markup drift: no title where a known layout has it"
    with working(tmp_path, FakeClock()) as context:
        table = [
            ("live", 0, None), ("drift", 1, drift), ("live", 1, drift), ("live", 2, "HTTP status 500"),
            ("failed", 1, "HTTP status 500"), ("gone", 3, "HTTP status 404"),
        ]  # fmt: skip
        found = asked(context.archive, table)
        assert (found.pages_read, found.pages_drifted) == (4, 2)
        assert context.archive.health_facts(NOW + DAY, NOW).pages_read == 0


def test_pages_that_fail_again_and_again_are_counted_also_where_the_article_is_held(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        table = [
            ("live", 0, None), ("live", 3, "HTTP status 500"), ("failed", 4, "ReadTimeout"), ("failed", 2, "HTTP status 500"),
            ("drift", 3, "markup drift: no title"), ("suspect", 3, "HTTP status 404"), ("gone", 3, "HTTP status 404"),
            ("rejected", 3, "not an article"),
        ]  # fmt: skip
        found = asked(context.archive, table)
        assert (found.pages_asked, found.pages_failing) == (5, 2)
        assert context.archive.health_facts(NOW + DAY, NOW).pages_asked == 0


def test_incidents_are_rows_from_their_beginning_to_their_end(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        archive = context.archive
        archive.save_incidents(Changes(opened=(DRIFT,)), NOW)
        (untold,) = archive.untold_incidents()
        archive.save_told(message([untold], NOW), NOW)
        assert archive.untold_incidents() == []
        archive.save_incidents(Changes(seen=((untold.id, "worse"),)), NOW + MINUTE)
        archive.save_incidents(Changes(closed=(untold.id,)), NOW + HOUR)
        assert archive.open_incidents() == []
        (over,) = archive.untold_incidents()
        assert over == Incident(1, "drift", "", "worse", NOW, NOW + MINUTE, NOW, NOW + HOUR)
        archive.save_told(message([over], NOW), NOW + HOUR)
        assert archive.untold_incidents() == []
        archive.save_incidents(Changes(opened=(DRIFT,)), NOW + DAY)
        assert [row["id"] for row in archive.incidents(9)] == [2, 1]


def test_optimising_leaves_a_short_log_and_a_whole_index(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        context.archive.optimise(index=True)
        assert (tmp_path / "vna.db-wal").stat().st_size == 0


def test_optimising_bears_other_writers(tmp_path):
    """Figures are counted first and written later: what another process writes between must not make that fail."""
    with working(tmp_path, FakeClock()) as context, closing(sqlite3.connect(tmp_path / "vna.db", timeout=0)) as other:
        database = context.archive.db
        list(database.query("SELECT 1 FROM raw WHERE url = ''"))  # what was never asked for is not counted
        counted = []

        def write_beside(statement: str) -> None:
            if "ANALYZE" in statement:
                counted.append(statement)
                with suppress(sqlite3.OperationalError), other:
                    other.execute("INSERT INTO disk VALUES ('2026-11-22', 0, 0, 0)")

        database.conn.set_trace_callback(write_beside)
        context.archive.optimise(index=False)
        assert counted
