"""Backfills: the order of lists and ids in a plan, what a response means for it, and how a plan resumes after any stop.

`benchmarks/crash.py` kills a backfill many times; the last test here is a small run of it.
"""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from rich.console import Console
from support import (
    NOW,
    ROOT,
    SEEDS,
    SITE,
    FakeClock,
    assert_intact,
    mounted,
    mounted_small,
    poll,
    process,
    rows,
    value,
    vna,
    working,
    write_crash_marker,
)

from benchmarks import crash
from crawler import backfill, opening, plans
from crawler.backfill import id_probe, list_page
from crawler.backfill.estimate import PlanFigures
from crawler.cli.plan_progress import PlanBar, PlanProgress, format_duration
from crawler.errors import BadInput, MarkupDrift, NotAnArticle, Rejection, SitePaused, StopError
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import prepared
from crawler.pipeline.run import recorded
from crawler.plan_values import BackfillRequest, NewStep, Step, StepOutcome
from crawler.plans import ListCursor
from crawler.replay import recover
from crawler.sim.site import Options, build, serve
from crawler.sim.site.messages import make_response
from crawler.site import FLOOR, HANOI, ID_ANCHORS, Site
from crawler.types import Article, ErrorKind, Sighting, SourceFound

HERE = Site("https://fr.vietnamplus.vn/")
TODAY = date(2026, 11, 21)
NOVEMBER = BackfillRequest("sitemap", date(2026, 11, 1), TODAY)


def day(text):
    return date.fromisoformat(text)


# --- requests ---------------------------------------------------------------------------------------------------------

REQUESTS = {
    "no options": ({}, ("sitemap", FLOOR, TODAY, None)),
    "since a day before the first sitemap": ({"since": day("2001-01-01")}, ("sitemap", FLOOR, TODAY, None)),
    "a year": (
        {"since": day("2020-01-01"), "until": day("2020-12-31")},
        ("sitemap", day("2020-01-01"), day("2020-12-31"), None),
    ),
    "until a day in the future": ({"until": day("2030-01-01")}, ("sitemap", FLOOR, TODAY, None)),
    "a section": ({"section": "politique"}, ("lists", FLOOR, TODAY, "politique")),
    "a section via lists": ({"via": "lists", "section": "politique"}, ("lists", FLOOR, TODAY, "politique")),
    "ids": ({"via": "ids"}, ("ids", FLOOR, TODAY, None)),
}
NO_OPTIONS = {"via": None, "since": None, "until": None, "section": None, "oldest_first": False, "today": TODAY}


@pytest.mark.parametrize(("options", "expected"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_is_completed_with_defaults(options, expected):
    assert plans.request(**{**NO_OPTIONS, **options}) == BackfillRequest(*expected)


INVALID = {
    "since after until": (
        {"since": day("2020-02-01"), "until": day("2020-01-31")},
        "--since 2020-02-01 is after --until 2020-01-31",
    ),
    "only days in the future": ({"since": day("2027-01-01")}, "no article can have been published"),
    "a section via sitemap": ({"via": "sitemap", "section": "politique"}, "cannot be limited to a section: a sitemap"),
    "a section via ids": ({"via": "ids", "section": "politique"}, "cannot be limited to a section: an id"),
}


@pytest.mark.parametrize(("options", "message"), INVALID.values(), ids=INVALID)
def test_an_invalid_request_is_an_error(options, message):
    with pytest.raises(BadInput, match=message) as refused:
        plans.request(**{**NO_OPTIONS, **options})
    assert refused.value.hint


FIRST_STEPS = {
    "sitemap": [("index", "https://fr.vietnamplus.vn/sitemap.xml")],
    "ids": [("sonar", "x")],
    "lists": [("section", "https://fr.vietnamplus.vn/politique/")],
}


@pytest.mark.parametrize(("via", "steps"), FIRST_STEPS.items(), ids=FIRST_STEPS)
def test_the_first_steps_of_a_plan(via, steps):
    found = plans.first_steps(BackfillRequest(via, FLOOR, TODAY), HERE, FIRST_STEPS["lists"])
    assert [(step.kind, step.target, step.guessed) for step in found] == [(*step, False) for step in steps]


# --- months -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "oldest_first", "expected"),
    [
        ("2025-12-31", "2026-02-01", False, [(2026, 2), (2026, 1), (2025, 12)]),
        ("2025-12-31", "2026-02-01", True, [(2025, 12), (2026, 1), (2026, 2)]),
        ("2026-01-05", "2026-01-06", False, [(2026, 1)]),
    ],
)
def test_a_plan_covers_every_month_with_a_day_in_the_range(since, until, oldest_first, expected):
    assert plans.months(BackfillRequest("sitemap", day(since), day(until), None, oldest_first)) == expected


FEBRUARY = [((2026, 2), "u/02a"), ((2026, 2), "u/02b"), ((2026, 2), "u/02a"), ((2024, 2), "u/old"), (None, "u/other")]
MARCH, JANUARY = (f"https://fr.vietnamplus.vn/sitemaps/news-2026-{month}.xml" for month in (3, 1))
MONTHS = {
    "others are guessed": (FEBRUARY, (), [(MARCH, True), ("u/02a", False), ("u/02b", False), (JANUARY, True)]),
    "a known absent one is not": (FEBRUARY, {JANUARY}, [(MARCH, True), ("u/02a", False), ("u/02b", False)]),
    "no index": ([], (), [(MARCH, False), (HERE.monthly_sitemap(2026, 2), False), (JANUARY, False)]),
    "an index without months": ([(None, "u/other")], (), [(MARCH, False), (HERE.monthly_sitemap(2026, 2), False), (JANUARY, False)]),
}  # fmt: skip


@pytest.mark.parametrize(("named", "absent", "expected"), MONTHS.values(), ids=MONTHS)
def test_a_month_has_the_sitemaps_that_the_index_names_or_else_its_usual_address(named, absent, expected):
    request = BackfillRequest("sitemap", day("2026-01-01"), day("2026-03-31"))
    assert plans.month_sitemaps(request, HERE, named, absent) == [
        NewStep("sitemap", url, guessed) for url, guessed in expected
    ]


# --- ids and their days -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "post_id"),
    [
        (ID_ANCHORS[0][1], ID_ANCHORS[0][0]),
        (ID_ANCHORS[9][1], ID_ANCHORS[9][0]),
        (day("2026-01-23"), 257_882),
        (day("2026-01-25"), 257_982),
        (day("2010-01-01"), 14_449),
        (day("2000-01-01"), 1),
    ],
)
def test_estimated_ids_pass_through_the_anchors(when, post_id):
    assert plans.id_on(when) == post_id


def test_estimated_ids_increase_with_the_days():
    ids = [plans.id_on(FLOOR + timedelta(days=n)) for n in range(0, 6200, 7)]
    assert ids == sorted(ids)


def test_the_estimated_ids_of_a_range_have_a_margin():
    low, high = plans.estimated_ids(NOVEMBER)
    assert low < plans.id_on(NOVEMBER.since) < plans.id_on(NOVEMBER.until) < high
    assert plans.listed_ids(NOVEMBER) == (low, high)
    assert plans.listed_ids(replace(NOVEMBER, since=FLOOR))[0] == 1  # no id is too old


def test_the_estimated_number_of_articles_is_the_number_of_ids():
    assert plans.estimated_articles(day("2026-02-01"), day("2026-02-28")) == 28 * 50
    assert plans.estimated_articles(day("2026-02-02"), day("2026-02-01")) == 0


@pytest.mark.parametrize(
    ("held", "known", "expected"),
    [
        ((271_500, 272_400), (15_000, 272_500), (271_475, 272_425)),
        ((271_500, 272_490), (271_480, 272_500), (271_480, 272_500)),  # nothing beyond the known ids
        (None, (15_000, 272_500), (plans.estimated_ids(NOVEMBER)[0], 272_500)),
        (None, (15_000, 20_000), (plans.estimated_ids(NOVEMBER)[0], 20_000)),  # an empty range
    ],
)
def test_ids_are_probed_around_the_archived_ones_and_between_the_known_ones(held, known, expected):
    assert plans.ids_to_probe(NOVEMBER, held, known) == expected


@pytest.mark.parametrize(("oldest_first", "expected"), [(True, [3, 5, 6]), (False, [6, 5, 3])])
def test_the_unknown_ids_of_a_range(oldest_first, expected):
    assert list(plans.unknown_ids("3-7", {4, 7}, oldest_first=oldest_first)) == expected


def test_an_impossible_id_is_decades_ahead():
    assert plans.impossible_id(270_000) > 270_000 + 45 * 365


def test_a_range_is_split_into_steps_and_probed_from_its_newer_end():
    assert plans.id_ranges(1, 2500, oldest_first=False) == ["2001-2500", "1001-2000", "1-1000"]
    assert plans.id_ranges(1, 1000, oldest_first=True) == ["1-1000"]
    assert plans.id_ranges(5, 4, oldest_first=True) == []
    assert list(plans.unknown_ids("3-8", {4, 8}, oldest_first=False)) == [7, 6, 5, 3]
    assert list(plans.unknown_ids("3-8", {4, 8}, oldest_first=True)) == [3, 5, 6, 7]


ARTICLE_7, HOME = "https://fr.vietnamplus.vn/x-post7.vnp", "https://fr.vietnamplus.vn/"
PROBED = {
    "the article": (200, "https://fr.vietnamplus.vn/vrai-titre-post7.vnp", 7, "there"),
    "another article": (200, ARTICLE_7, 8, "absent"),
    "a redirect to another article": (200, "https://fr.vietnamplus.vn/autre-post8.vnp", 8, "absent"),
    "a redirect to the home page": (200, HOME, NotAnArticle(HOME, Rejection.HOME_PAGE), "absent"),
    "not found": (404, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.SOFT_404), "absent"),
    "gone": (410, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.EMPTY), "absent"),
    "a soft 404": (200, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.SOFT_404), "absent"),
    "a block page": (200, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.BLOCK_PAGE), "unclear"),
    "forbidden": (403, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.BLOCK_PAGE), "unclear"),
    "an unknown layout": (200, ARTICLE_7, MarkupDrift(ARTICLE_7, ("body",), Article("t")), "unclear"),
    "nothing parsed": (200, ARTICLE_7, None, "unclear"),
}


@pytest.mark.parametrize(("status", "address", "result", "verdict"), PROBED.values(), ids=PROBED)
def test_what_the_response_to_a_request_by_id_means(status, address, result, verdict):
    assert plans.id_verdict(7, status, address, result) == verdict


def test_the_day_of_the_daily_limit_is_the_day_in_hanoi():
    assert plans.day_begins(datetime(2026, 11, 21, 16, 59, tzinfo=UTC)) == datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert plans.day_begins(datetime(2026, 11, 21, 17, 0, tzinfo=UTC)) == datetime(2026, 11, 21, 17, tzinfo=UTC)


# --- lists ------------------------------------------------------------------------------------------------------------


def pages_read(pages, lowest=0, limit=50):
    """Return how many pages of a list a walk reads; `pages` returns the ids of a page by its number."""
    cursor = ListCursor()
    for number in range(1, limit + 1):
        ids = pages(number)
        cursor = plans.next_cursor(cursor, ids, f"page={number + 1}", lowest)
        if cursor.next is None:
            return number
    return limit


WALKS = {
    "an empty page": (lambda n: [100 - n * 2, 101 - n * 2] if n < 6 else [], 0, 6),
    "the last page repeated for ever": (lambda n: [100 - min(n, 4)], 0, 5),
    "the first page repeated for ever": (lambda _: [9, 8], 0, 2),
    "fewer of the same articles on each page": (lambda n: [[9, 8], [8, 7], [7]][min(n, 3) - 1], 0, 3),
    "a second page that the sidebar of the first lists": (
        lambda n: [9, 8, 7] if n == 1 else [9 - n] if n < 6 else [],
        0,
        6,
    ),
    "a cycle of three pages": (lambda n: [[9, 8], [7, 6], [5, 4]][n % 3], 0, 7),
    "articles below the lowest id": (lambda n: [100 - n], 90, 11),
    "one old article on each page": (lambda n: [1, 100 - n] if n < 6 else [], 50, 6),
}


@pytest.mark.parametrize(("pages", "lowest", "expected"), WALKS.values(), ids=WALKS)
def test_a_walk_through_a_list_ends(pages, lowest, expected):
    assert pages_read(pages, lowest) == expected


def test_a_walk_ends_where_the_list_names_no_further_page():
    assert plans.next_cursor(ListCursor(), [3, 2], None, 0).next is None


# --- steps and durations ----------------------------------------------------------------------------------------------

STEP = Step(2, "sitemap", "u", found=4)
HTTP = ErrorKind.HTTP_STATUS
FAILED_STEPS = {
    "absent": (STEP, True, StepOutcome("absent", error="why", error_kind=HTTP)),
    "the first failure": (STEP, False, StepOutcome("todo", {}, 4, 1, NOW + timedelta(minutes=5), "why", HTTP)),
    "the second failure": (
        replace(STEP, failures=1),
        False,
        StepOutcome("todo", {}, 4, 2, NOW + timedelta(minutes=10), "why", HTTP),
    ),
    "the last failure": (replace(STEP, failures=7), False, StepOutcome("failed", {}, 4, 8, None, "why", HTTP)),
}


@pytest.mark.parametrize(("step", "absent", "expected"), FAILED_STEPS.values(), ids=FAILED_STEPS)
def test_a_failed_step_is_retried_with_backoff(step, absent, expected):
    assert plans.step_failed(step, NOW, "why", absent=absent, kind=HTTP) == expected


DURATIONS = {
    "a request a second": ((3600, 1.0, 0, None), "1 h 00 min"),
    "no delay": ((3600, 0.0, 0, None), "0 min 00 s"),
    "a daily limit": ((3600, 1.0, 1800, None), "2 d 0 h"),
    "a daily limit that is not reached": ((90, 1.0, 86_400, None), "1 min 30 s"),
    "quiet hours for half the day": ((3600, 1.0, 0, (time(20), time(8))), "2 h 00 min"),
}


@pytest.mark.parametrize(("budget", "expected"), DURATIONS.values(), ids=DURATIONS)
def test_the_least_duration(budget, expected):
    assert format_duration(plans.duration(*budget)) == expected


# --- working on a plan ------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


@contextmanager
def backfilling(archive, clock, **changes):
    with (
        working(archive, clock, command="backfill", role="backfill", **changes) as run,
        recorded(run, "backfill"),
    ):
        yield run


def open_plan(run, request=NOVEMBER):
    return backfill.open_plan(run, request, until_given=True)


def advance_all(run, plan=None, limit=1000):
    """Advance until there is nothing to do now; return the work items."""
    items = []
    while len(items) < limit and (item := backfill.advance(run, plan)) is not None:
        items.append(item)
    return items


def article_requests(wire):
    return [path for path in wire.paths if path.endswith(".vnp")]


def november_ids(site):
    return {i for i in site.fake_site.ids() if site.fake_site.story(i).published.date() >= NOVEMBER.since}


def fetched_pages(archive):
    """Return the ids of the pages in the order in which they were fetched."""
    found = rows(
        archive, "SELECT CAST(substr(purpose, 6) AS INT) AS page FROM raw WHERE purpose LIKE 'page:%' ORDER BY id"
    )
    return [row["page"] for row in found]


def outcomes(items):
    return [item.outcome.kind for item in items]


def plan_state(archive):
    """Return the state of the only plan."""
    return value(archive, "SELECT state FROM plans")


def state_of_plan(archive, plan):
    return value(archive, "SELECT state FROM plans WHERE id = ?", plan)


@pytest.mark.parametrize("oldest_first", [False, True])
def test_every_article_of_the_months_is_fetched_once_in_order(archive, clock, oldest_first):
    with mounted_small(clock, articles=8) as site, backfilling(archive, clock) as run:
        wanted = november_ids(site)
        assert open_plan(run, replace(NOVEMBER, oldest_first=oldest_first)).how == "new"
        items = advance_all(run)
    assert fetched_pages(archive) == sorted(wanted, reverse=not oldest_first)
    assert len(article_requests(site.wire)) == len(wanted) == 8
    assert site.wire.paths[:3] == ["/robots.txt", "/sitemap.xml", "/sitemaps/news-2026-11.xml"]
    assert [item.kind for item in items] == ["list", "list"] + ["page"] * 8
    assert outcomes(items) == [OutcomeKind.LISTED] * 2 + [OutcomeKind.NEW] * 8
    assert plan_state(archive) == "done"
    assert_intact(archive)


def test_archived_articles_are_not_fetched_again(archive, clock):
    with mounted_small(clock, articles=5) as site, backfilling(archive, clock) as run:
        open_plan(run, replace(NOVEMBER, until=day("2026-11-20")))
        advance_all(run, limit=5)
        open_plan(run)
        assert [item.kind for item in advance_all(run, plan=2)] == ["list", "list", "page", "page"]
        assert len(article_requests(site.wire)) == 5
        assert [item.kind for item in advance_all(run)] == []
    assert rows(archive, "SELECT state FROM plans") == [{"state": "done"}] * 2


def test_another_process_can_continue_a_plan_after_every_work_item(archive, clock):
    with mounted_small(clock, articles=4) as site:
        for number in range(20):
            with backfilling(archive, clock) as run:
                how = open_plan(run).how
                assert how == ("open" if number else "new") or plan_state(archive) == "done"
                if backfill.advance(run) is None:
                    break
        assert len(article_requests(site.wire)) == 4
        assert site.wire.count("/sitemap.xml") == site.wire.count("/sitemaps/news-2026-11.xml") == 1
        with backfilling(archive, clock) as run:
            assert open_plan(run).how == "done"
    assert number == 2 + 4
    assert value(archive, "SELECT count(*) FROM plans") == 1


def test_a_request_without_a_last_day_continues_the_plan_of_an_earlier_day(archive, clock):
    with mounted_small(clock, articles=2), backfilling(archive, clock) as run:
        first = open_plan(run).plan
        tomorrow = replace(NOVEMBER, until=TODAY + timedelta(days=1))
        assert backfill.open_plan(run, tomorrow, until_given=False).plan == first
        assert backfill.open_plan(run, tomorrow, until_given=True).how == "new"
        advance_all(run, first.id)
        assert [p.id for p in run.archive.plans(open_only=True)] == [first.id + 1]


@pytest.mark.parametrize("kind", ["error", "down", "garbage"])
def test_a_page_that_fails_does_not_delay_the_others_and_is_retried_with_backoff(archive, clock, kind):
    with mounted_small(clock, articles=3) as site, backfilling(archive, clock) as run:
        path = site.fake_site.story(site.fake_site.ids()[-1]).path
        site.fake_site.fault(kind, path)
        plan = open_plan(run).plan
        items = advance_all(run)
        assert [item.state for item in items if item.kind == "page"] == ["failed"] + ["live"] * 2
        found = backfill.obstacle(run, plan)
        assert found.why == "1 page or list waits for a retry"
        assert clock.time < found.until < clock.time + timedelta(minutes=6)
        requests = site.wire.count(path)
        assert backfill.advance(run) is None  # the retry is not due yet
        site.fake_site.clear()
        clock.advance(minutes=6)
        assert [item.state for item in advance_all(run)] == ["live"]
        assert site.wire.count(path) == requests + 1
    assert plan_state(archive) == "done"
    assert_intact(archive)


def test_a_page_that_always_fails_is_given_up_and_retried_when_the_plan_is_opened_again(archive, clock):
    with mounted_small(clock, articles=2) as site, backfilling(archive, clock) as run:
        site.fake_site.fault("error", site.fake_site.story(site.fake_site.ids()[-1]).path)
        open_plan(run)
        for _ in range(12):
            advance_all(run)
            clock.advance(hours=12)
        assert plan_state(archive) == "done"
        assert rows(archive, "SELECT state, next_due_at FROM pages WHERE failures > 0") == [
            {"state": "failed", "next_due_at": None}
        ]
        site.fake_site.clear()
        assert open_plan(run).how == "again"
        assert [item.state for item in advance_all(run)] == ["live"]
        assert open_plan(run).how == "done"


def test_a_removed_page_is_gone_after_several_checks(archive, clock):
    with mounted_small(clock, articles=3) as site, backfilling(archive, clock) as run:
        open_plan(run)
        advance_all(run, limit=2)
        site.fake_site.unpublish(site.fake_site.ids()[-1])
        seen = []
        for _ in range(12):
            seen += [item.state for item in advance_all(run) if item.state != "live"]
            clock.advance(days=4)
    assert seen == ["suspect"] * (len(seen) - 1) + ["gone"]
    assert len(seen) > 1
    assert plan_state(archive) == "done"


@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_a_month_that_the_index_does_not_name_is_requested_once_and_its_absence_is_no_failure(archive, clock, kind):
    request = replace(NOVEMBER, since=day("2026-10-01"))
    with mounted_small(clock, articles=3) as site, backfilling(archive, clock) as run:
        if kind != "missing":
            site.fake_site.fault(kind, "/sitemaps/news-2026-10.xml")
        plan = open_plan(run, request).plan
        items = advance_all(run)
        assert [i.outcome.kind for i in items if i.kind == "list"] == ["listed", "listed", "absent"]
        assert plan_state(archive) == "done"
        assert [(s.target.rpartition("/")[2], s.state, s.guessed) for s in run.archive.steps(plan.id)[1:]] == [
            ("news-2026-11.xml", "done", False),
            ("news-2026-10.xml", "absent", True),
        ]
        assert open_plan(run, request).how == "done"
        assert open_plan(run, replace(request, oldest_first=True)).how == "new"
        advance_all(run)
        assert site.wire.count("/sitemaps/news-2026-10.xml") == 1
        assert site.wire.count("/sitemap.xml") == 2


def test_a_month_that_the_index_names_is_retried_when_the_plan_is_opened_again(archive, clock):
    with mounted_small(clock, articles=3) as site, backfilling(archive, clock) as run:
        site.edit = lambda request, response: (
            make_response("", status=404) if request.path == "/sitemaps/news-2026-11.xml" else response
        )
        open_plan(run)
        assert outcomes(advance_all(run)) == ["listed", "list absent"]
        site.edit = lambda _, response: response
        assert open_plan(run).how == "again"
        assert len([i for i in advance_all(run) if i.kind == "page"]) == 3
        assert site.wire.count("/sitemap.xml") == 1


def test_a_guessed_month_that_fails_is_retried(archive, clock):
    request = replace(NOVEMBER, since=day("2026-10-01"))
    with mounted_small(clock, articles=1) as site, backfilling(archive, clock) as run:
        site.fake_site.fault("error", "/sitemaps/news-2026-10.xml")
        open_plan(run, request)
        advance_all(run)
        assert plan_state(archive) == "open"
        site.fake_site.clear()
        clock.advance(minutes=6)
        assert outcomes(advance_all(run)) == ["absent"]
    assert plan_state(archive) == "done"


def test_a_month_that_fails_does_not_delay_the_other_months(archive):
    clock = FakeClock(datetime(2026, 11, 1, 3, 0, tzinfo=UTC))
    request = BackfillRequest("sitemap", day("2026-10-01"), day("2026-11-01"))
    with mounted_small(clock, articles=13) as site, backfilling(archive, clock) as run:
        new = {i for i in site.fake_site.ids() if site.fake_site.story(i).published.date() >= request.until}
        assert 0 < len(new) < 13
        site.fake_site.fault("error", "/sitemaps/news-2026-11.xml")
        open_plan(run, request)
        assert [item.state for item in advance_all(run) if item.kind == "page"] == ["live"] * (13 - len(new))
        assert plan_state(archive) == "open"
        site.fake_site.clear()
        clock.advance(minutes=6)
        assert len(advance_all(run)) == 1 + len(new)
    assert plan_state(archive) == "done"


@pytest.mark.parametrize("kind", ["absent", "failing"])
def test_without_an_index_the_sitemaps_of_months_are_requested_at_their_usual_addresses(archive, clock, kind):
    options = Options(no_sitemap=True) if kind == "absent" else None
    with mounted(clock, articles=2, options=options) as site, backfilling(archive, clock) as run:
        if kind == "failing":
            site.fake_site.fault("error", "/sitemap.xml")
        plan = open_plan(run).plan
        for _ in range(9):
            advance_all(run)
            clock.advance(days=1)
        steps = run.archive.steps(plan.id)
        assert [s.state for s in steps] == (["absent"] * 2 if kind == "absent" else ["failed", "done"])
        assert "/sitemaps/news-2026-11.xml" in site.wire.paths


def test_a_page_that_another_process_is_visiting_is_skipped(archive, clock):
    with mounted_small(clock, articles=2) as site, backfilling(archive, clock) as run:
        open_plan(run)
        advance_all(run, limit=2)
        newest = site.fake_site.ids()[-1]
        with claimed_by_another_process(archive, newest):
            items = advance_all(run, limit=3)
            assert [item.kind for item in items] == ["page", "wait", "wait"]
            assert clock.slept[-1] == 1.0
        assert [item.state for item in advance_all(run)] == ["live"]
    assert len(article_requests(site.wire)) == 2


def test_a_plan_that_another_process_is_working_on_is_skipped_or_waited_for(archive, clock):
    with mounted_small(clock, articles=1) as site, backfilling(archive, clock) as run:
        plan = open_plan(run).plan
        advance_all(run, limit=1)
        with claimed_by_another_process(archive, (1 << 50) + plan.id):
            assert backfill.advance(run) is None
            assert backfill.advance(run, plan.id).kind == "wait"
        assert [item.kind for item in advance_all(run)] == ["list", "page"]
    assert site.wire.count("/sitemap.xml") == 1


@contextmanager
def claimed_by_another_process(archive, number):
    """Let another process hold a claim: a process never conflicts with its own claims."""
    program = """
import pathlib, sys
from crawler.storage.locks import Claims
with Claims(pathlib.Path(sys.argv[1])).claim(int(sys.argv[2])):
    print("claimed", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(archive / "vna.claims"), str(number)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == b"claimed\n"
        yield
        other.stdin.close()


def test_a_request_to_slow_down_ends_the_run_and_nothing_is_lost(archive, clock):
    with mounted_small(clock, articles=4) as site, backfilling(archive, clock) as run:
        open_plan(run)
        advance_all(run, limit=3)
        site.fake_site.fault("throttle", "*.vnp", seconds=3600)
        with pytest.raises(SitePaused):
            advance_all(run)
        site.fake_site.clear()
        clock.advance(hours=2)
        advance_all(run)
    assert plan_state(archive) == "done"
    assert value(archive, "SELECT count(*) FROM articles") == 4


# --- via lists --------------------------------------------------------------------------------------------------------


def test_a_section_is_read_page_by_page(archive, clock):
    request = BackfillRequest("lists", day("2026-11-15"), TODAY, "Économie")
    with mounted(clock, articles=60, options=Options(section_size=3)) as site, backfilling(archive, clock) as run:
        with pytest.raises(StopError, match="no section of the site is known"):
            open_plan(run, request)
        with run.archive.transaction():
            run.archive.add_sources(section_sources(), None)
        with pytest.raises(StopError, match="there is no section 'météo'"):
            open_plan(run, replace(request, section="météo"))
        open_plan(run, request)
        items = advance_all(run, limit=25)
        newest = [s.post_id for s in site.fake_site._context.world.newest("Économie", count=6)]
    lists = [item.outcome.url for item in items if item.kind == "list"]
    assert lists[0].endswith("/economie/")
    assert "page=3" in lists[2]
    assert set(newest) <= {r["page"] for r in rows(archive, "SELECT page FROM plan_pages")}
    kinds = "".join(item.kind[0] for item in items)
    assert kinds.startswith("lp"), "the articles of a page are fetched before the next page"


def test_a_walk_through_a_section_is_limited_to_the_estimated_ids_of_the_days(archive, clock):
    request = BackfillRequest("lists", day("2026-11-10"), day("2026-11-11"), "sports", oldest_first=True)
    low, high = plans.listed_ids(request)
    with (
        mounted(clock, articles=2600, options=Options(section_size=10)) as site,
        backfilling(archive, clock) as run,
    ):
        with run.archive.transaction():
            run.archive.add_sources(section_sources(), None)
        open_plan(run, request)
        while backfill.advance(run).kind == "list":
            pass
        sports = {s.post_id for s in site.fake_site._context.world.newest("Sports")}
    named = {r["page"] for r in rows(archive, "SELECT page FROM plan_pages")}
    assert {i for i in sports if low <= i <= high} <= named
    assert all(low <= i <= high for i in named)
    assert min(sports) < low - 100
    older = value(archive, "SELECT count(*) FROM pages WHERE id < ?", low)
    assert older <= 10 + 12  # the page on which the walk ends, and the sidebar of the first page


def section_sources():
    return [
        SourceFound("section", f"https://fr.vietnamplus.vn/{s}/", n)
        for s, n in (("economie", "Économie"), ("sports", "Sports"))
    ]


def test_with_oldest_first_the_whole_list_is_read_before_its_articles(archive, clock):
    request = BackfillRequest("lists", FLOOR, TODAY, "economie", oldest_first=True)
    with mounted(clock, articles=25, options=Options(section_size=2)), backfilling(archive, clock) as run:
        with run.archive.transaction():
            run.archive.add_sources(section_sources(), None)
        open_plan(run, request)
        items = advance_all(run)
    kinds = "".join(item.kind[0] for item in items)
    assert kinds == "l" * kinds.count("l") + "p" * kinds.count("p")
    assert kinds.count("l") > 2
    fetched = fetched_pages(archive)
    assert fetched == sorted(fetched)
    assert plan_state(archive) == "done"
    assert_intact(archive)


@pytest.mark.parametrize("kind", ["error", "forbidden"])
def test_a_failing_further_page_ends_the_walk_and_the_articles_before_it_are_kept(archive, clock, kind):
    request = BackfillRequest("lists", FLOOR, TODAY, "economie", oldest_first=True)
    with mounted(clock, articles=30, options=Options(section_size=2)) as site, backfilling(archive, clock) as run:
        with run.archive.transaction():
            run.archive.add_sources(section_sources(), None)
        site.fake_site.fault(kind, "/api/*")
        plan = open_plan(run, request).plan
        for _ in range(9):
            advance_all(run)
            clock.advance(days=1)
        step = run.archive.step(plan.id, 0)
        assert (step.state, bool(step.error), step.error_kind) == ("done", True, ErrorKind.HTTP_STATUS)
        assert value(archive, "SELECT count(*) FROM articles") >= 3
        site.fake_site.clear()
        before = value(archive, "SELECT count(*) FROM articles")
        assert open_plan(run, request).how == "again"
        advance_all(run)
    assert value(archive, "SELECT count(*) FROM articles") > before


# --- via ids ----------------------------------------------------------------------------------------------------------


@contextmanager
def archive_with_holes(archive, clock, hidden=2, **options):
    """Archive November without the articles that no list names. Yield the site, their ids, and the unused ids."""
    with mounted(clock, articles=7, options=Options(**options)) as site:
        ids = sorted(november_ids(site))
        unlisted = ids[2 : 2 + hidden]
        for post_id in unlisted:
            site.fake_site.hide(post_id)
        with backfilling(archive, clock) as run:
            open_plan(run)
            advance_all(run)
        assert {r["id"] for r in rows(archive, "SELECT id FROM articles")} == set(ids) - set(unlisted)
        site.wire.clear()
        yield site, unlisted, set(range(ids[0], ids[-1])) - set(ids)


IDS = replace(NOVEMBER, via="ids")


def id_requests(wire):
    """Return the requests by id alone."""
    return [path for path in wire.paths if path.startswith("/x-post")]


@pytest.mark.parametrize(
    ("not_found", "addresses"), [(404, "by id"), (410, "redirect"), ("soft", "by id"), ("home", "redirect")]
)
def test_unlisted_articles_are_found_by_id_and_absent_ids_are_remembered(archive, clock, not_found, addresses):
    with archive_with_holes(archive, clock, not_found=not_found, addresses=addresses) as (site, unlisted, holes):
        with backfilling(archive, clock) as run:
            open_plan(run, IDS)
            items = advance_all(run)
            assert open_plan(run, IDS).how == "done"
            requests = len(id_requests(site.wire))
            assert open_plan(run, replace(IDS, since=day("2026-11-02"))).how == "new"
            advance_all(run)
        assert len(id_requests(site.wire)) == requests + 2  # to check the support; an absent id is requested only once
    probed = [item.outcome.id for item in items if item.state]
    assert probed == sorted(probed, reverse=True)
    assert {i for i in probed if i > min(holes)} | {min(holes)} == holes | set(unlisted)
    assert min(probed) >= min(holes) - 50
    found = rows(
        archive,
        "SELECT id, url, first_source FROM pages WHERE id IN (SELECT value FROM json_each(?))",
        json.dumps(unlisted),
    )
    assert {r["first_source"] for r in found} == {"ids"}
    assert all("/x-post" not in r["url"] for r in found)
    absent = {r["id"] for r in rows(archive, "SELECT id FROM pages WHERE state = 'absent'")}
    assert absent == set(probed) - set(unlisted)
    assert value(archive, "SELECT count(*) FROM articles") == 7
    assert_intact(archive)


class Bug(Exception):
    """An unexpected error."""


def failing(original, condition):
    """Wrap a function so that it raises if its arguments meet a condition."""

    def wrapper(*args, **named):
        if condition(*args):
            raise Bug("index out of range")
        return original(*args, **named)

    return wrapper


def steps_with_bug(archive):
    return rows(archive, "SELECT target, state, error FROM plan_steps WHERE error_kind = ?", ErrorKind.BUG)


MONTH = f"{SITE}/sitemaps/news-2026-11.xml"


def reported_bugs(archive, clock):
    """Return the addresses that the health check reports for bugs."""
    with opening.reading_archive(archive) as opened:
        return [bug.partition(": ")[0] for bug in opened.health_facts(clock.now(), clock.now()).bugs]


def test_a_list_that_crashes_the_run_is_quarantined_and_the_plan_continues(archive, clock, monkeypatch):
    wrapper = failing(prepared.discover, lambda source, *_: source.url == MONTH)
    with mounted_small(clock, articles=8) as site:
        monkeypatch.setattr(prepared, "discover", wrapper)
        with backfilling(archive, clock) as run:
            open_plan(run)
        with pytest.raises(Bug), backfilling(archive, clock) as run:
            advance_all(run)
        (step,) = steps_with_bug(archive)
        assert step == {"target": MONTH, "state": "todo", "error": "a bug: Bug: index out of range"}
        assert reported_bugs(archive, clock) == [MONTH]
        assert value(archive, "SELECT count(*) FROM raw WHERE url = ?", MONTH) == 1, "the response is archived"
        with backfilling(archive, clock) as run:
            assert advance_all(run) == [], "the step is not due"
        monkeypatch.undo()
        clock.advance(hours=1)
        with backfilling(archive, clock) as run:
            advance_all(run)
        assert len(article_requests(site.wire)) == 8
    assert (plan_state(archive), steps_with_bug(archive), reported_bugs(archive, clock)) == ("done", [], [])
    assert_intact(archive)


def test_an_id_that_crashes_the_run_is_quarantined_and_the_others_are_probed(archive, clock):
    with archive_with_holes(archive, clock) as (_, unlisted, holes):
        with backfilling(archive, clock) as run:
            open_plan(run, IDS)
        for _ in unlisted:
            with pytest.raises(Bug), backfilling(archive, clock) as run:
                advance_all(replace(run, repair=failing(run.repair, lambda article: article.post_id in unlisted)))
        with backfilling(archive, clock) as run:
            advance_all(run)
        absent = {row["id"] for row in rows(archive, "SELECT id FROM pages WHERE state = 'absent'")}
        assert absent >= holes - set(unlisted)
        assert len(reported_bugs(archive, clock)) == len(unlisted)
        clock.advance(hours=1)
        poll(archive, clock)
    assert {row["id"] for row in rows(archive, "SELECT id FROM articles")} >= set(unlisted)
    assert reported_bugs(archive, clock) == []
    assert_intact(archive)


def interrupt(*_, **__):
    """Stop a run at once, before any row is written."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("archived", [False, True], ids=["before its request", "when recovered from the WARC"])
def test_a_list_that_crashes_the_interpreter_is_quarantined(archive, clock, monkeypatch, archived):
    with mounted_small(clock, articles=8) as site:
        with suppress(KeyboardInterrupt), backfilling(archive, clock) as run:
            open_plan(run)
            advance_all(run, limit=1)
            if archived:
                monkeypatch.setattr(list_page, "parse_list", interrupt)
                advance_all(run)
        monkeypatch.undo()
        requests = len(site.wire.paths)
        write_crash_marker(archive, f"plan:sitemap:{MONTH}", 3, role="backfill")
        with backfilling(archive, clock) as run:
            recover(run)
            advance_all(run)
        assert len(site.wire.paths) == requests
        (step,) = steps_with_bug(archive)
        assert (step["target"], step["state"]) == (MONTH, "todo")
        assert value(archive, "SELECT count(*) FROM raw WHERE url = ?", MONTH) == archived
    assert_intact(archive)


@pytest.mark.parametrize("archived", [False, True], ids=["before its request", "when recovered from the WARC"])
def test_an_id_that_crashes_the_interpreter_is_quarantined(archive, clock, monkeypatch, archived):
    probed = []

    def record(post_id):
        probed.append(post_id)
        raise KeyboardInterrupt

    with archive_with_holes(archive, clock):
        with suppress(KeyboardInterrupt), backfilling(archive, clock) as run:
            open_plan(run, IDS)
            advance_all(run, limit=1)
            if archived:
                monkeypatch.setattr(id_probe, "judge", lambda _run, post_id, _response: record(post_id))
            else:
                monkeypatch.setattr(id_probe, "fetch", lambda _run, _url, purpose: record(int(purpose.subject)))
            advance_all(run)
        monkeypatch.undo()
        (post_id,) = probed
        write_crash_marker(archive, f"id:{post_id}", 3, role="backfill")
        with backfilling(archive, clock) as run:
            recover(run)
            advance_all(run)
        quarantined = rows(archive, "SELECT id, state FROM pages WHERE error_kind = ?", ErrorKind.BUG)
        assert quarantined == [{"id": post_id, "state": "failed"}]
        assert value(archive, "SELECT count(*) FROM raw WHERE purpose = ?", f"id:{post_id}") == archived
    assert_intact(archive)


def test_a_support_check_that_crashes_the_interpreter_is_quarantined(archive, clock):
    with archive_with_holes(archive, clock) as (site, _, __):
        write_crash_marker(archive, "sonar", 3, role="backfill")
        with backfilling(archive, clock) as run:
            open_plan(run, IDS)
            (item,) = advance_all(run)
            assert item.outcome.kind is OutcomeKind.FAILED
            assert "crashed on this 3 times" in item.outcome.detail
            assert value(archive, "SELECT error_kind FROM plan_steps WHERE kind = 'sonar'") == ErrorKind.BUG
            assert site.wire.paths == []
            clock.advance(hours=1)
            assert advance_all(run)[0].outcome.kind is OutcomeKind.IDS_SUPPORTED


def test_no_id_is_judged_if_the_site_does_not_support_requests_by_id(archive, clock):
    with archive_with_holes(archive, clock, addresses="strict") as (site, _, __), backfilling(archive, clock) as run:
        plan = open_plan(run, IDS).plan
        with pytest.raises(StopError, match="does not support requests by id") as unsupported:
            advance_all(run)
        assert "--via sitemap" in unsupported.value.hint
        assert len(site.wire.paths) == 3  # one article may have been removed in the meantime; three are unlikely
        assert advance_all(run) == []
        assert run.archive.plan_state(plan.id) == "done"
        assert open_plan(run, IDS).how == "again"
    assert value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'") == 0


def test_id_probing_needs_an_archived_article(archive, clock):
    with mounted_small(clock) as site, backfilling(archive, clock) as run:
        with pytest.raises(StopError, match="the archive holds no article") as refused:
            open_plan(run, IDS)
        assert "vna poll" in refused.value.hint
        assert site.wire.paths == []
    assert value(archive, "SELECT count(*) FROM plans") == 0


def test_a_removed_article_does_not_make_the_support_check_fail(archive, clock):
    with archive_with_holes(archive, clock) as (site, _, __), backfilling(archive, clock) as run:
        site.fake_site.unpublish(site.fake_site.ids()[-1])
        open_plan(run, IDS)
        assert outcomes(advance_all(run, limit=1)) == [OutcomeKind.IDS_SUPPORTED]


def test_requests_by_id_have_a_daily_limit_and_the_plan_continues_the_next_day(archive, clock):
    with archive_with_holes(archive, clock) as (site, _, __), backfilling(archive, clock, id_probes=4) as run:
        plan = open_plan(run, IDS).plan
        advance_all(run)
        assert len(id_requests(site.wire)) == 4
        found = backfill.obstacle(run, plan)
        assert found.why == "the daily limit of 4 requests by id is reached"
        assert found.until == datetime(2026, 11, 21, 17, tzinfo=UTC)  # midnight in Hanoi
        clock.advance(hours=9, minutes=1)
        advance_all(run)
        requests = id_requests(site.wire)
        assert len(requests) == 8
        assert requests[4:6] == requests[:2]  # the support is checked again
    assert state_of_plan(archive, 2) == "open"


def test_a_block_page_does_not_prove_that_an_id_is_absent(archive, clock):
    with archive_with_holes(archive, clock) as (site, _, __), backfilling(archive, clock) as run:
        plan = open_plan(run, IDS).plan
        advance_all(run, limit=3)
        absent = value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'")
        site.fake_site.fault("block", "/x-post*")
        with pytest.raises(StopError, match="does not support requests by id"):
            advance_all(run)
        assert value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'") == absent
        assert value(archive, "SELECT count(*) FROM pages WHERE state = 'rejected'") == 1
        assert backfill.obstacle(run, plan).until is None
        site.fake_site.clear()
        assert open_plan(run, IDS).how == "open"
        advance_all(run)
        assert value(archive, "SELECT count(*) FROM articles") == 7
    assert_intact(archive)


def test_an_id_that_never_gets_a_response_does_not_delay_the_others(archive, clock):
    with archive_with_holes(archive, clock) as (site, unlisted, _), backfilling(archive, clock) as run:
        site.fake_site.fault("error", f"/x-post{max(unlisted)}.vnp")
        open_plan(run, IDS)
        for _ in range(9):
            advance_all(run)
            clock.advance(hours=12)
        page = rows(archive, "SELECT state, next_due_at FROM pages WHERE id = ?", max(unlisted))
        assert page == [{"state": "failed", "next_due_at": None}]
        assert state_of_plan(archive, 2) == "done"
        assert value(archive, "SELECT count(*) FROM articles") == 6


def test_a_support_check_without_a_response_is_retried(archive, clock):
    with archive_with_holes(archive, clock) as (site, _, __), backfilling(archive, clock) as run:
        site.fake_site.fault("down", "/x-post*", times=3)
        open_plan(run, IDS)
        assert outcomes(advance_all(run)) == [OutcomeKind.FAILED]
        clock.advance(minutes=6)
        assert outcomes(advance_all(run, limit=1)) == [OutcomeKind.IDS_SUPPORTED]


def test_the_open_gaps_of_polls_are_probed_first(archive, clock):
    with archive_with_holes(archive, clock) as (site, unlisted, holes), backfilling(archive, clock) as run:
        low = min(holes | set(unlisted))
        with run.archive.transaction():
            run.archive.add_sources(section_sources(), None)
            source = run.archive.source("https://fr.vietnamplus.vn/sports/").id
            run.archive.add_gap(source, NOW, NOW, low - 1, low + 2)
        open_plan(run, IDS)
        advance_all(run, limit=2)
        assert id_requests(site.wire)[-1] in (f"/x-post{low + 1}.vnp", f"/x-post{low}.vnp")


def test_an_absent_id_is_fetched_when_a_list_names_it(archive, clock):
    with archive_with_holes(archive, clock) as (_, __, holes), backfilling(archive, clock) as run:
        open_plan(run, IDS)
        advance_all(run)
        hole = max(holes)
        seen = Sighting(f"https://fr.vietnamplus.vn/vrai-titre-post{hole}.vnp", hole)
        with run.archive.transaction():
            run.archive.add_sightings("https://fr.vietnamplus.vn/sports/", [seen], NOW, NOW)
    assert rows(archive, "SELECT state, url, failures FROM pages WHERE id = ?", hole) == [
        {"state": "known", "url": seen.url, "failures": 0}
    ]


# --- the figures of a plan --------------------------------------------------------------------------------------------


def test_figures_of_a_plan(archive, clock):
    with mounted_small(clock, articles=6), backfilling(archive, clock) as run:
        plan = open_plan(run).plan
        first = backfill.plan_figures(run.archive, plan)
        assert (first.found, first.lists) == (0, 1)
        assert first.unlisted == plans.estimated_articles(NOVEMBER.since, TODAY)
        advance_all(run, limit=1)
        assert backfill.plan_figures(run.archive, plan) == PlanFigures({}, 1, first.unlisted)
        advance_all(run, limit=3)
        assert backfill.plan_figures(run.archive, plan) == PlanFigures({"known": 4, "live": 2}, 0, 0)
        assert backfill.plan_figures(run.archive, plan).to_fetch == 4
        again = backfill.estimate(run.archive, NOVEMBER)
        assert again == PlanFigures({"live": 2}, 2, first.unlisted - 2)
        ids = backfill.estimate(run.archive, IDS)
        assert ids.to_fetch == ids.unlisted > 0
    assert backfill.estimate(None, replace(NOVEMBER, via="lists")).lists == first.unlisted // 30


def test_figures_of_a_plan_by_ids_are_the_ids_that_it_probes(archive, clock):
    with archive_with_holes(archive, clock) as (site, *_), backfilling(archive, clock) as run:
        first, last = id_probe.id_range(run.archive, IDS)
        unknown = set(range(first, last + 1)) - set(run.archive.ids_known(first, last))
        assert backfill.estimate(run.archive, IDS) == PlanFigures({}, 0, len(unknown))
        plan = open_plan(run, IDS).plan
        advance_all(run, limit=1)  # the check whether the site answers requests by id; it adds the ranges
        assert backfill.plan_figures(run.archive, plan).unlisted == len(unknown)
        site.wire.clear()
        advance_all(run)
        assert len(id_requests(site.wire)) == len(unknown)


def test_progress_shows_the_speed_and_the_time_left():
    progress = PlanProgress(lambda: 10.0)
    progress.set_figures({"known": 3, "live": 1}, 30)
    assert progress.speed() == "0.0/s"
    progress.count_visit("live", listed=True)
    progress.count_visit("failed", listed=True)
    progress.count_visit("absent", listed=False)
    assert progress.summary() == "5 found, 2 held, 1 failed, 1 absent"
    assert progress.speed() == "0.3/s, 1 min 40 s left"
    assert progress.finished == 4


def test_the_bar_shows_figures_and_prints_each_fault_on_a_line():
    out = io.StringIO()
    with PlanBar(Console(file=out, force_terminal=True, width=150)) as bar:
        progress = PlanProgress(lambda: 2.0)
        progress.set_figures({"known": 2}, 0)
        bar.plan("plan 1", progress)
        progress.count_visit("live", listed=True)
        bar.work_item(Outcome(OutcomeKind.NEW, 7, detail="Titre"), progress)
        progress.count_visit("failed", listed=True)
        bar.work_item(Outcome(OutcomeKind.FAILED, url="u", detail="HTTP status 500"), progress)
    assert "failed: u: HTTP status 500" in out.getvalue()
    assert "2 found, 1 held, 1 failed; 1.0/s" in out.getvalue()
    assert "new: 7" not in out.getvalue()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site():
    with serve(lambda url: build(url, seeds_dir=SEEDS, articles=6, now=lambda: datetime.now(UTC))) as serving:
        yield serving


def since(days=20):
    return str((datetime.now(UTC) - timedelta(days=days)).date())


def months_since(day):
    """Return the number of calendar months in Hanoi from a day to the present; the site has a sitemap for each."""
    now, begun = datetime.now(HANOI), datetime.fromisoformat(day)
    return 12 * (now.year - begun.year) + now.month - begun.month + 1


def test_the_command_prints_its_result_and_reports_a_complete_plan(tmp_path, site):
    words = ("--archive", tmp_path / "a", "--site", site.url, "--rate", 0, "backfill")
    estimated = vna(*words, "--since", since(), "--dry-run")
    assert estimated.code == 0
    assert "lists, up to about" in estimated.out
    assert not (tmp_path / "a").exists()
    done = vna(*words, "--since", since(), "--json")
    result = json.loads(done.out)
    assert result["done"]
    assert result["pages"]["live"] >= 6
    assert result["requests"] == 6 + len(result["lists_missing"]) + 2 + months_since(
        since()
    )  # robots.txt and the index
    assert done.code == (5 if result["lists_missing"] else 0)
    again = vna(*words, "--since", since(), "--dry-run", "--json")
    assert json.loads(again.out)["to_fetch"] == 0
    nothing = vna(*words)
    assert nothing.code == 1
    assert "no plan is open" in nothing.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--since", "hier"], "--since hier is not a day"),
        (["--since", "2024-02-01", "--until", "2024-01-01"], "--since 2024-02-01 is after --until 2024-01-01"),
        (["--via", "ids", "--dry-run"], "the archive holds no article"),
        (["--section", "sports", "--via", "sitemap"], "cannot be limited to a section"),
    ],
    ids=["not a day", "since after until", "ids of an empty archive", "a section via sitemap"],
)
def test_invalid_arguments_of_the_command(tmp_path, site, words, message):
    refused = vna("--archive", tmp_path / "a", "--site", site.url, "--rate", 0, "backfill", *words)
    assert refused.code == 1
    assert message in refused.err
    assert "hint" in refused.err


@pytest.mark.parametrize(
    "words", [["--via", "ids", "--section", "sports"], ["--since", "2009-01-01", "--until", "2009-12-31"]]
)
def test_invalid_arguments_are_reported_before_the_network_is_needed(tmp_path, words):
    refused = vna("--archive", tmp_path / "a", "--site", "https://name.invalid/", "backfill", *words)
    assert refused.code == 1
    assert "cannot be limited to a section" in refused.err or "no article can have been published" in refused.err


def test_a_signal_stops_the_command_after_the_current_page_and_the_plan_is_resumable(tmp_path, site):
    words = ("--archive", tmp_path / "a", "--site", site.url, "--rate", 4, "backfill", "--since", since())
    with process(*words) as running:
        for line in iter(running.stderr.readline, b""):
            if b"new:" in line:
                break
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=20)
    assert running.returncode == 5
    assert b"is open" in out
    assert b"continue this plan" in err
    assert value(tmp_path / "a", "SELECT outcome FROM runs") in ("done", "stopped")
    rest = vna("--archive", tmp_path / "a", "--site", site.url, "--rate", 0, "backfill")
    assert "is complete" in rest.out
    assert value(tmp_path / "a", "SELECT count(*) FROM raw WHERE purpose LIKE 'page:%'") == value(
        tmp_path / "a", "SELECT count(*) FROM articles"
    )
    assert_intact(tmp_path / "a")


def test_after_several_kills_nothing_is_lost_and_nothing_is_done_twice(tmp_path):
    """The fake site holds back its responses until the kill, so the number of kills does not depend on the machine."""
    program = "from crawler.cli import main; main()"
    found = crash.run(tmp_path / "archive", 16, 2, months=2, seed=5, program=(sys.executable, "-c", program))
    assert found.faults == []
    assert (found.articles, found.kills) == (16, 2)
    assert found.pages <= 16 + 2  # a kill loses at most the current request
    assert_intact(tmp_path / "archive")
