"""Health checks and incidents: which figures fail which check, when an incident begins and ends, what is reported."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from support import NOW, FakeClock, rows, working

from crawler.health.checks import HealthLimits, conditions, span, unexpected_exits
from crawler.health.figures import Condition, Facts, GapHealth, Incident, IncidentChanges, JobHealth, SourceHealth
from crawler.health.incidents import compose_message, find_changes
from crawler.types import ErrorKind

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


def failing(found):
    return [(c.kind, c.subject) for c in conditions(found, LIMITS) if c.failing]


LIMITS = HealthLimits(gap_hours=48, drift_share=0.2, reserve=1000)
GAP = GapHealth(SECTION, NOW - 49 * HOUR, NOW - 60 * HOUR, NOW - 50 * HOUR)
EMPTY = source(
    state="failing", failures=2, error="lists no article; it has listed up to 30", error_kind=ErrorKind.EMPTY_SOURCE
)
PASSING = {
    "nothing_to_report": facts(),
    "just_started_on_an_empty_archive": Facts(NOW, NOW),
    "just_started_after_a_long_stop": facts(started_at=NOW - MINUTE, sources=(source(last_ok_at=NOW - 9 * DAY),)),
    "polled_within_three_intervals": facts(sources=(source(last_ok_at=NOW - 15 * MINUTE),)),
    "no_interval_yet": facts(sources=(source(interval=None, last_ok_at=NOW - 3 * HOUR),)),
    "paused_by_quiet_hours": facts(
        sources=(source(last_ok_at=NOW - 6 * HOUR),),
        jobs=(job(state="paused", next_due_at=NOW + HOUR, outcome="quiet hours"),),
    ),
    "the_pause_ended_just_now": facts(
        sources=(source(last_ok_at=NOW - 6 * HOUR),), jobs=(job(state="paused", next_due_at=NOW - 10 * MINUTE),)
    ),
    "stopped_and_started_again": facts(jobs=(job(state="paused", outcome="asked to stop"),)),
    "one_poll_failed": facts(jobs=(job(state="failed", failures=1),)),
    "two_backfill_runs_failed": facts(jobs=(job("backfill", "failed", failures=2),)),
    "two_requests_for_robots_txt_failed": facts(jobs=(job("robots", "failed", failures=2),)),
    "a_new_source_has_failed_nine_times": facts(
        sources=(source(), source(state="failing", last_ok_at=None, failures=9))
    ),
    "a_source_has_failed_since_yesterday": facts(
        sources=(source(), source(state="failing", last_ok_at=NOW - DAY, failures=7))
    ),
    "a_source_that_never_existed": facts(sources=(source(), source(state="absent", last_ok_at=None, failures=40))),
    "a_source_was_empty_once": facts(sources=(source(), replace(EMPTY, failures=1))),
    "a_gap_is_young": facts(gaps=(replace(GAP, opened_at=NOW - 47 * HOUR),)),
    "two_odd_pages_in_a_quiet_hour": facts(pages_read=3, pages_drifted=2),
    "two_pages_fail_in_a_quiet_hour": facts(pages_asked=4, pages_failing=2),
    "a_fifth_of_the_pages_fail": facts(pages_asked=50, pages_failing=10),
    "a_fifth_of_the_pages_drift": facts(pages_read=50, pages_drifted=10),
    "the_worker_waits_for_a_slow_page": facts(silent=15 * 60),
    "two_power_failures": facts(jobs=(job(), job("service", "running", failures=2))),
    "stable_again_after_many_exits": facts(
        jobs=(job(), job("service", "running", failures=9, started_at=NOW - HOUR - MINUTE))
    ),
    "disk_space_for_a_week": facts(free=1700, growth=100.0),
    "the_clock_is_slightly_behind": facts(newest=NOW + 9 * MINUTE, published=(NOW + 9 * MINUTE,) * 5),
    "articles_are_dated_in_the_future": facts(newest=NOW, published=(NOW + DAY,) * 5),
}
FAILING = {
    "no_poll_for_more_than_three_intervals": (facts(sources=(source(last_ok_at=NOW - 16 * MINUTE),)), ("poll", "")),
    "no_successful_poll_ever": (facts(sources=(), jobs=()), ("poll", "")),
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
    "the_site_asked_to_wait": (
        facts(
            sources=(source(last_ok_at=NOW - HOUR),),
            jobs=(job(state="held", next_due_at=NOW + HOUR, outcome="no successful response"),),
        ),
        ("poll", ""),
    ),
    "the_worker_hangs": (facts(silent=15 * 60 + 1), ("worker", "")),
    "the_service_exits_repeatedly": (
        facts(jobs=(job(), job("service", "running", failures=3, started_at=NOW - HOUR))),
        ("restarts", ""),
    ),
    "a_source_is_dead": (
        facts(sources=(source(), source(state="failing", last_ok_at=NOW - 3 * DAY, error="HTTP status 500"))),
        ("source", SECTION),
    ),
    "a_source_has_been_empty_for_days": (
        facts(sources=(source(), replace(EMPTY, last_ok_at=NOW - 3 * DAY, failures=20))),
        ("items", SECTION),
    ),
    "a_source_disappeared": (
        facts(sources=(source(), source(state="absent", last_ok_at=NOW - 3 * DAY))),
        ("source", SECTION),
    ),
    "a_source_never_succeeded": (
        facts(sources=(source(), source(state="failing", last_ok_at=None, failures=10))),
        ("source", SECTION),
    ),
    "a_source_became_empty": (facts(sources=(EMPTY,)), ("items", SECTION)),
    "a_gap_is_old": (facts(gaps=(GAP,)), ("gap", f"{SECTION} 2026-11-18T20:00Z")),
    "article_pages_fail": (facts(pages_asked=14, pages_failing=3), ("page", "")),
    "a_response_crashed_the_crawler": (facts(bugs=("https://x: a bug: KeyError: 'y'",)), ("bug", "")),
    "the_layout_changed": (facts(pages_read=14, pages_drifted=3), ("drift", "")),
    "disk_space_for_less_than_a_week": (facts(free=1699, growth=100.0), ("disk", "")),
    "near_the_reserve": (facts(free=1099), ("disk", "")),
    "verification_failed": (facts(jobs=(job(), job("verify", "failed", failures=1))), ("job", "verify")),
    "an_alert_could_not_be_sent": (
        facts(jobs=(job(), job("alerts", "failed", failures=1, next_due_at=NOW))),
        ("job", "alerts"),
    ),
    "another_job_failed": (facts(jobs=(job(), job("disk", "failed", failures=1))), ("job", "disk")),
    "backfill_keeps_failing": (facts(jobs=(job(), job("backfill", "failed", failures=3))), ("job", "backfill")),
    "robots_txt_keeps_failing": (facts(jobs=(job(), job("robots", "failed", failures=3))), ("job", "robots")),
    "the_clock_was_ahead": (facts(newest=NOW + HOUR), ("clock", "")),
    "the_clock_is_behind": (facts(newest=NOW + HOUR, published=(NOW + HOUR,) * 3), ("clock", "")),
}


def test_disk_sizes_are_shown_in_readable_units():
    found = conditions(facts(free=21_000_000, growth=5e6), replace(LIMITS, reserve=20_000_000))
    (message,) = (condition.message for condition in found if condition.kind == "disk")
    assert message == "21.0 MB free; reserve 20.0 MB, reached in 0 days at 5.0 MB per day"


@pytest.mark.parametrize("found", PASSING.values(), ids=PASSING)
def test_no_check_fails(found):
    assert failing(found) == []


@pytest.mark.parametrize(("found", "expected"), FAILING.values(), ids=FAILING)
def test_one_check_fails_with_a_message_and_an_action(found, expected):
    assert failing(found) == [expected]
    (condition,) = (c for c in conditions(found, LIMITS) if c.failing)
    assert condition.message
    assert condition.action


def test_each_kind_is_present_whether_it_passes_or_fails():
    kinds = ["poll", "worker", "restarts", "source", "items", "page", "bug", "gap", "drift", "disk", "job", "clock"]
    assert [c.kind for c in conditions(facts())] == kinds
    bad = facts(
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
    assert [c.kind for c in conditions(bad, LIMITS)] == kinds


def test_the_error_of_the_last_poll_is_shown():
    found, _ = FAILING["polls_fail"]
    (poll, *_) = conditions(found, LIMITS)
    assert "cannot reach it" in poll.message
    assert "1 d" in poll.message


def test_the_alert_about_the_layout_names_fields_that_moved():
    found = facts(pages_read=14, pages_drifted=4, moved=("lead", "captions"))
    (message,) = (c.message for c in conditions(found) if c.kind == "drift")
    assert "have an unknown layout; fields that are no longer where they were: lead, captions (29%)" in message


def test_each_failing_source_is_a_condition_of_its_own():
    other = "https://fr.vietnamplus.vn/economie/"
    found = facts(sources=(EMPTY, replace(EMPTY, url=other), source(url="x")))
    assert failing(found) == [("items", SECTION), ("items", other)]


@pytest.mark.parametrize(
    ("time", "text"),
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
def test_a_duration_is_shown_in_its_two_largest_units(time, text):
    assert span(time) == text


# --- incidents --------------------------------------------------------------------------------------------------------

DRIFT = Condition("drift", "", failing=True, message="3 of 9 pages", action="look")
RECOVERED = Condition("drift", "", failing=False, message="0 of 9 pages")
OPEN = Incident(1, "drift", "", "2 of 9 pages\nlook", NOW - HOUR, NOW - MINUTE)


def test_a_failing_condition_opens_one_incident():
    assert find_changes([DRIFT], [], NOW) == IncidentChanges(opened=(DRIFT,))


def test_a_condition_that_keeps_failing_updates_its_incident():
    assert find_changes([DRIFT], [OPEN], NOW) == IncidentChanges(seen=((1, "3 of 9 pages\nlook"),))


def test_a_short_recovery_does_not_close_the_incident():
    assert find_changes([RECOVERED], [OPEN], NOW) == IncidentChanges()


def test_a_lasting_recovery_closes_the_incident():
    assert find_changes([RECOVERED], [replace(OPEN, seen_at=NOW - 10 * MINUTE)], NOW) == IncidentChanges(closed=(1,))


def test_the_same_kind_with_another_subject_is_another_incident():
    other = replace(DRIFT, subject="x")
    assert find_changes([DRIFT, other], [OPEN], NOW).opened == (other,)


REPORTED = replace(OPEN, told_at=NOW - HOUR)
CLOSED = replace(REPORTED, closed_at=NOW)


@pytest.mark.parametrize(
    ("unreported", "opened", "closed"),
    [
        pytest.param([OPEN], (1,), (), id="opened"),
        pytest.param([CLOSED], (), (1,), id="closed"),
        pytest.param([replace(CLOSED, told_at=None)], (1,), (1,), id="opened_and_closed_before_it_could_be_reported"),
        pytest.param([OPEN, replace(CLOSED, id=2)], (1,), (2,), id="one_of_each_in_one_message"),
    ],
)
def test_unreported_incidents_are_reported(unreported, opened, closed):
    found = compose_message(unreported, NOW)
    assert (found.opened, found.closed) == (opened, closed)
    assert found.title.startswith("vna: ")
    assert "2 of 9 pages" in found.body


@pytest.mark.parametrize(
    "incidents",
    [[], [REPORTED], [replace(CLOSED, told_at=None, closed_at=NOW - 2 * DAY)]],
    ids=["none", "reported", "stale"],
)
def test_nothing_new_gives_no_message(incidents):
    assert compose_message(incidents, NOW) is None


def test_several_incidents_are_one_message():
    found = compose_message([OPEN, replace(OPEN, id=2, subject="x"), replace(OPEN, id=3, subject="y")], NOW)
    assert found.title == "vna: incident: drift and 2 more"
    assert "drift x: open since 2026-11-21 07:00 UTC" in found.body
    assert "resolved after 1 h" in compose_message([CLOSED], NOW).body


# --- rows -------------------------------------------------------------------------------------------------------------


def test_heartbeats_count_failures_in_a_row(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        archive = context.archive
        for state in ("failed", "failed", "ok", "failed", "paused"):
            archive.begin_job("verify", NOW)
            assert archive.jobs()["verify"].state == "running"
            archive.end_job("verify", state, NOW + HOUR, NOW + DAY, "outcome")
        found = archive.jobs()["verify"]
    assert found == JobHealth("verify", "paused", NOW, NOW + DAY, 1, "outcome")
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
        (job("service", "running", failures=4, started_at=NOW + HOUR), 5),  # the clock was set back in between
    ],
)
def test_unexpected_exits_in_a_row_are_counted(before, count):
    assert unexpected_exits(before, NOW) == count


PAGE = """INSERT INTO pages (id, url, state, first_seen_at, first_source, next_due_at, last_fetched_at, failures, error_kind)
          VALUES (:id, 'x', :state, '2026-01-01T00:00:00Z', 's', :due, '2026-11-21T07:00:00Z', :failures, :error_kind)"""


def test_rows_delayed_by_a_wrong_clock_are_made_due(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        db = context.archive.db.conn
        for n, due in enumerate(("2026-11-22T07:00:00Z", "2031-01-01T00:00:00Z")):
            db.execute(PAGE, {"id": n, "state": "live", "due": due, "failures": 0, "error_kind": None})
        assert context.archive.bring_forward("pages", NOW, DAY) == 1
        assert context.archive.next_due() == NOW


def facts_about_pages(archive, table):
    """Store pages that were requested an hour ago, and return the health facts."""
    for n, (state, failures, kind) in enumerate(table):
        page = {"id": n, "state": state, "due": None, "failures": failures, "error_kind": kind}
        archive.db.conn.execute(PAGE, page)
    return archive.health_facts(NOW, NOW)


def test_pages_with_an_unknown_layout_are_counted_even_if_the_article_is_archived(tmp_path):
    drift, status = ErrorKind.LAYOUT_DRIFT, ErrorKind.HTTP_STATUS
    with working(tmp_path, FakeClock()) as context:
        table = [
            ("live", 0, None), ("drift", 1, drift), ("live", 1, drift), ("live", 2, status), ("failed", 1, status),
            ("gone", 3, ErrorKind.REMOVED),
        ]  # fmt: skip
        found = facts_about_pages(context.archive, table)
        assert (found.pages_read, found.pages_drifted) == (4, 2)
        assert context.archive.health_facts(NOW + DAY, NOW).pages_read == 0


def test_pages_that_fail_repeatedly_are_counted_even_if_the_article_is_archived(tmp_path):
    status = ErrorKind.HTTP_STATUS
    with working(tmp_path, FakeClock()) as context:
        table = [
            ("live", 0, None), ("live", 3, status), ("failed", 4, ErrorKind.UNREACHABLE), ("failed", 2, status),
            ("drift", 3, ErrorKind.LAYOUT_DRIFT), ("suspect", 3, ErrorKind.REMOVED), ("gone", 3, ErrorKind.REMOVED),
            ("rejected", 3, ErrorKind.NOT_AN_ARTICLE),
        ]  # fmt: skip
        found = facts_about_pages(context.archive, table)
        assert (found.pages_asked, found.pages_failing) == (5, 2)
        assert context.archive.health_facts(NOW + DAY, NOW).pages_asked == 0


def test_incidents_are_stored_until_their_end_is_reported(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        archive = context.archive
        archive.save_incidents(IncidentChanges(opened=(DRIFT,)), NOW)
        (unreported,) = archive.unreported_incidents()
        archive.save_reported(compose_message([unreported], NOW), NOW)
        assert archive.unreported_incidents() == []
        archive.save_incidents(IncidentChanges(seen=((unreported.id, "worse"),)), NOW + MINUTE)
        archive.save_incidents(IncidentChanges(closed=(unreported.id,)), NOW + HOUR)
        assert archive.open_incidents() == []
        (closed,) = archive.unreported_incidents()
        assert closed == Incident(1, "drift", "", "worse", NOW, NOW + MINUTE, NOW, NOW + HOUR)
        archive.save_reported(compose_message([closed], NOW), NOW + HOUR)
        assert archive.unreported_incidents() == []
        archive.save_incidents(IncidentChanges(opened=(DRIFT,)), NOW + DAY)
        assert [row["id"] for row in archive.incidents(9)] == [2, 1]


def test_optimising_truncates_the_log_and_merges_the_index(tmp_path):
    with working(tmp_path, FakeClock()) as context:
        context.archive.optimise(index=True)
        assert (tmp_path / "vna.db-wal").stat().st_size == 0


def test_optimising_tolerates_other_writers(tmp_path):
    """Statistics are computed first and written later: a write by another process in between must not make that fail."""
    with working(tmp_path, FakeClock()) as context, closing(sqlite3.connect(tmp_path / "vna.db", timeout=0)) as other:
        database = context.archive.db
        list(database.query("SELECT 1 FROM raw WHERE url = ''"))  # SQLite analyses only tables that were queried
        counted = []

        def write_concurrently(statement: str) -> None:
            if "ANALYZE" in statement:
                counted.append(statement)
                with suppress(sqlite3.OperationalError), other:
                    other.execute("INSERT INTO disk VALUES ('2026-11-22', 0, 0, 0)")

        database.conn.set_trace_callback(write_concurrently)
        context.archive.optimise(index=False)
        assert counted
