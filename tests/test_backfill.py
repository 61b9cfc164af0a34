"""The past, fetched by plan: which lists and ids come in which order, what an answer means, and going on after anything.

The crash of many processes is `benchmarks/crash.py`; a small one of it runs here.
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
from support import NOW, ROOT, SEEDS, SITE, FakeClock, intact, mounted, note, poll, process, rows, value, vna, working

from benchmarks import crash
from crawler import app, backfill, plans
from crawler.backfill import id_probe, listing
from crawler.backfill.estimate import Figures
from crawler.cli.planbar import PlanBar, Tally, spell
from crawler.errors import BadInput, MarkupDrift, NotAnArticle, Rejection, SitePaused, StopError
from crawler.pipeline.run import recorded
from crawler.plans import Asked, Step, StepOutcome, Walk
from crawler.sim.site import Options, build, serve
from crawler.site import FLOOR, ID_ANCHORS, Site
from crawler.types import Article, Sighting, SourceFound

HERE = Site("https://fr.vietnamplus.vn/")
TODAY = date(2026, 11, 21)
NOVEMBER = Asked("sitemap", date(2026, 11, 1), TODAY)


def day(text):
    return date.fromisoformat(text)


# --- what is asked for ------------------------------------------------------------------------------------------------

ASKED = {
    "nothing said": ({}, ("sitemap", FLOOR, TODAY, None)),
    "before the first sitemap": ({"since": day("2001-01-01")}, ("sitemap", FLOOR, TODAY, None)),
    "a year": (
        {"since": day("2020-01-01"), "until": day("2020-12-31")},
        ("sitemap", day("2020-01-01"), day("2020-12-31"), None),
    ),
    "days to come": ({"until": day("2030-01-01")}, ("sitemap", FLOOR, TODAY, None)),
    "a section": ({"section": "politique"}, ("lists", FLOOR, TODAY, "politique")),
    "a section by lists": ({"via": "lists", "section": "politique"}, ("lists", FLOOR, TODAY, "politique")),
    "ids": ({"via": "ids"}, ("ids", FLOOR, TODAY, None)),
}
LEFT_OPEN = {"via": None, "since": None, "until": None, "section": None, "oldest_first": False, "today": TODAY}


@pytest.mark.parametrize(("words", "expected"), ASKED.values(), ids=ASKED)
def test_what_is_left_open_is_filled_in(words, expected):
    assert plans.asked(**{**LEFT_OPEN, **words}) == Asked(*expected)


REFUSED = {
    "the end before the beginning": ({"since": day("2020-02-01"), "until": day("2020-01-31")}, "no day lies between"),
    "days to come alone": ({"since": day("2027-01-01")}, "no day lies between"),
    "a section of the sitemaps": ({"via": "sitemap", "section": "politique"}, "a sitemap does not say"),
    "a section of the ids": ({"via": "ids", "section": "politique"}, "an id does not say"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_known_is_refused(words, message):
    with pytest.raises(BadInput, match=message) as refused:
        plans.asked(**{**LEFT_OPEN, **words})
    assert refused.value.hint


FIRST = {
    "sitemap": [("index", "https://fr.vietnamplus.vn/sitemap.xml")],
    "ids": [("sonar", "x")],
    "lists": [("section", "https://fr.vietnamplus.vn/politique/")],
}


@pytest.mark.parametrize(("via", "steps"), FIRST.items(), ids=FIRST)
def test_what_a_plan_begins_with(via, steps):
    assert plans.first_steps(Asked(via, FLOOR, TODAY), HERE, FIRST["lists"]) == steps


# --- months -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "oldest_first", "expected"),
    [
        ("2025-12-31", "2026-02-01", False, [(2026, 2), (2026, 1), (2025, 12)]),
        ("2025-12-31", "2026-02-01", True, [(2025, 12), (2026, 1), (2026, 2)]),
        ("2026-01-05", "2026-01-06", False, [(2026, 1)]),
    ],
)
def test_a_month_with_a_day_of_the_range_is_taken_whole(since, until, oldest_first, expected):
    assert plans.months(Asked("sitemap", day(since), day(until), None, oldest_first)) == expected


def test_a_month_has_the_sitemaps_that_the_index_names_else_the_one_thought_of():
    asked = Asked("sitemap", day("2026-01-01"), day("2026-03-31"))
    named = [((2026, 2), "u/02a"), ((2026, 2), "u/02b"), ((2026, 2), "u/02a"), ((2024, 2), "u/old"), (None, "u/other")]
    guess = [f"https://fr.vietnamplus.vn/sitemaps/news-2026-{month}.xml" for month in (3, 1)]
    assert plans.sitemaps(asked, HERE, named) == [guess[0], "u/02a", "u/02b", guess[1]]


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
def test_the_sequence_of_ids_runs_through_the_anchors(when, post_id):
    assert plans.id_on(when) == post_id


def test_ids_rise_with_the_days():
    ids = [plans.id_on(FLOOR + timedelta(days=n)) for n in range(0, 6200, 7)]
    assert ids == sorted(ids)


def test_the_ids_of_a_range_are_thought_of_generously():
    low, high = plans.ids_thought(NOVEMBER)
    assert low < plans.id_on(NOVEMBER.since) < plans.id_on(NOVEMBER.until) < high
    assert plans.ids_listed(NOVEMBER) == (low, high)
    assert plans.ids_listed(replace(NOVEMBER, since=FLOOR))[0] == 1  # nothing is too old


def test_no_more_articles_are_thought_to_exist_than_ids_were_used():
    assert plans.thought_to_exist(day("2026-02-01"), day("2026-02-28")) == 28 * 50
    assert plans.thought_to_exist(day("2026-02-02"), day("2026-02-01")) == 0


@pytest.mark.parametrize(
    ("held", "known", "expected"),
    [
        ((271_500, 272_400), (15_000, 272_500), (271_475, 272_425)),
        ((271_500, 272_490), (271_480, 272_500), (271_480, 272_500)),  # nothing beyond what is known
        (None, (15_000, 272_500), (plans.ids_thought(NOVEMBER)[0], 272_500)),
        (None, (15_000, 20_000), (plans.ids_thought(NOVEMBER)[0], 20_000)),  # nothing at all
    ],
)
def test_holes_are_looked_for_around_what_is_held_within_what_is_known(held, known, expected):
    assert plans.ids_to_ask(NOVEMBER, held, known) == expected


@pytest.mark.parametrize(("oldest_first", "expected"), [(True, [3, 5, 6]), (False, [6, 5, 3])])
def test_the_holes_of_a_range(oldest_first, expected):
    assert list(plans.holes("3-7", {4, 7}, oldest_first=oldest_first)) == expected


def test_nobody_has_an_id_that_is_impossible():
    assert plans.impossible(270_000) > 270_000 + 45 * 365


def test_a_range_is_cut_into_steps_and_asked_from_its_newer_end():
    assert plans.chunks(1, 2500, oldest_first=False) == ["2001-2500", "1001-2000", "1-1000"]
    assert plans.chunks(1, 1000, oldest_first=True) == ["1-1000"]
    assert plans.chunks(5, 4, oldest_first=True) == []
    assert list(plans.holes("3-8", {4, 8}, oldest_first=False)) == [7, 6, 5, 3]
    assert list(plans.holes("3-8", {4, 8}, oldest_first=True)) == [3, 5, 6, 7]


ARTICLE_7, HOME = "https://fr.vietnamplus.vn/x-post7.vnp", "https://fr.vietnamplus.vn/"
PROBED = {
    "the article": (200, "https://fr.vietnamplus.vn/vrai-titre-post7.vnp", 7, "there"),
    "another article": (200, ARTICLE_7, 8, "absent"),
    "led to another article": (200, "https://fr.vietnamplus.vn/autre-post8.vnp", 8, "absent"),
    "led to the home page": (200, HOME, NotAnArticle(HOME, Rejection.HOME_PAGE), "absent"),
    "not found": (404, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.SOFT_404), "absent"),
    "gone": (410, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.EMPTY), "absent"),
    "a soft 404": (200, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.SOFT_404), "absent"),
    "a block page": (200, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.BLOCK_PAGE), "unclear"),
    "forbidden": (403, ARTICLE_7, NotAnArticle(ARTICLE_7, Rejection.BLOCK_PAGE), "unclear"),
    "an unknown layout": (200, ARTICLE_7, MarkupDrift(ARTICLE_7, ("body",), Article("t")), "unclear"),
    "nothing read": (200, ARTICLE_7, None, "unclear"),
}


@pytest.mark.parametrize(("status", "address", "read", "verdict"), PROBED.values(), ids=PROBED)
def test_what_the_answer_for_an_id_means(status, address, read, verdict):
    assert plans.probed(7, status, address, read) == verdict


def test_the_day_of_the_cap_is_the_hanoi_day():
    assert plans.day_begins(datetime(2026, 11, 21, 16, 59, tzinfo=UTC)) == datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert plans.day_begins(datetime(2026, 11, 21, 17, 0, tzinfo=UTC)) == datetime(2026, 11, 21, 17, tzinfo=UTC)


# --- lists ------------------------------------------------------------------------------------------------------------


def pages_walked(pages, lowest=0, most=50):
    """Give how many pages a walk asks for, over pages that may come round again."""
    walk = Walk()
    for number in range(1, most + 1):
        ids = pages(number)
        walk = plans.walked(walk, ids, f"page={number + 1}", lowest)
        if walk.next is None:
            return number
    return most


WALKS = {
    "an end": (lambda n: [100 - n * 2, 101 - n * 2] if n < 6 else [], 0, 6),
    "the last page for ever": (lambda n: [100 - min(n, 4)], 0, 5),
    "the same page for ever": (lambda _: [9, 8], 0, 2),
    "fewer of the same": (lambda n: [[9, 8], [8, 7], [7]][min(n, 3) - 1], 0, 3),
    "a second page out of the sidebar of the first": (
        lambda n: [9, 8, 7] if n == 1 else [9 - n] if n < 6 else [],
        0,
        6,
    ),
    "a circle of three": (lambda n: [[9, 8], [7, 6], [5, 4]][n % 3], 0, 7),
    "too old": (lambda n: [100 - n], 90, 11),
    "an old one among new ones": (lambda n: [1, 100 - n] if n < 6 else [], 50, 6),
}


@pytest.mark.parametrize(("pages", "lowest", "expected"), WALKS.values(), ids=WALKS)
def test_a_walk_through_a_list_ends(pages, lowest, expected):
    assert pages_walked(pages, lowest) == expected


def test_a_walk_ends_where_the_list_names_no_further_page():
    assert plans.walked(Walk(), [3, 2], None, 0).next is None


# --- steps and times --------------------------------------------------------------------------------------------------

STEP = Step(2, "sitemap", "u", found=4)
FAILED_STEPS = {
    "not there": (STEP, True, StepOutcome("absent", error="why")),
    "the first time": (STEP, False, StepOutcome("todo", {}, 4, 1, NOW + timedelta(minutes=5), "why")),
    "again": (replace(STEP, failures=1), False, StepOutcome("todo", {}, 4, 2, NOW + timedelta(minutes=10), "why")),
    "for the last time": (replace(STEP, failures=7), False, StepOutcome("failed", {}, 4, 8, None, "why")),
}


@pytest.mark.parametrize(("step", "absent", "expected"), FAILED_STEPS.values(), ids=FAILED_STEPS)
def test_a_step_without_an_answer_is_tried_again_ever_more_rarely(step, absent, expected):
    assert plans.step_failed(step, NOW, "why", absent=absent) == expected


DURATIONS = {
    "a request a second": ((3600, 1.0, 0, None), "1 h 00 min"),
    "no delay": ((3600, 0.0, 0, None), "0 min 00 s"),
    "a cap": ((3600, 1.0, 1800, None), "2 d 0 h"),
    "a cap that does not matter": ((90, 1.0, 86_400, None), "1 min 30 s"),
    "half the day quiet": ((3600, 1.0, 0, (time(20), time(8))), "2 h 00 min"),
}


@pytest.mark.parametrize(("budget", "expected"), DURATIONS.values(), ids=DURATIONS)
def test_how_long_it_takes_at_least(budget, expected):
    assert spell(plans.duration(*budget)) == expected


# --- a plan worked off ------------------------------------------------------------------------------------------------


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


@contextmanager
def backfilling(archive, clock, **changes):
    with (
        working(archive, clock, command="backfill", role="backfill", **changes) as context,
        recorded(context, "backfill"),
    ):
        yield context


def begun(context, asked=NOVEMBER):
    return backfill.begin(context, asked, until_given=True)


def work_off(context, plan=None, most=1000):
    """Work until nothing can be done now; give the units."""
    units = []
    while len(units) < most and (unit := backfill.advance(context, plan)) is not None:
        units.append(unit)
    return units


def articles_asked(wire):
    return [path for path in wire.paths if path.endswith(".vnp")]


def ids_of_november(site):
    return {i for i in site.replica.ids() if site.replica.story(i).published.date() >= NOVEMBER.since}


def state(archive):
    return value(archive, "SELECT state FROM plans")


@pytest.mark.parametrize("oldest_first", [False, True])
def test_every_article_of_the_months_is_fetched_once_and_in_order(archive, clock, oldest_first):
    with mounted(clock, articles=8) as site, backfilling(archive, clock) as context:
        wanted = ids_of_november(site)
        assert begun(context, replace(NOVEMBER, oldest_first=oldest_first)).how == "new"
        units = work_off(context)
    fetched = [
        row["page"]
        for row in rows(
            archive, "SELECT CAST(substr(purpose, 6) AS INT) AS page FROM raw WHERE purpose LIKE 'page:%' ORDER BY id"
        )
    ]
    assert fetched == sorted(wanted, reverse=not oldest_first)
    assert len(articles_asked(site.wire)) == len(wanted) == 8
    assert site.wire.paths[:3] == ["/robots.txt", "/sitemap.xml", "/sitemaps/news-2026-11.xml"]
    assert [u.kind for u in units] == ["list", "list"] + ["page"] * 8
    assert all(units)
    assert state(archive) == "done"
    intact(archive)


def test_what_the_archive_holds_is_not_fetched_again(archive, clock):
    with mounted(clock, articles=5) as site, backfilling(archive, clock) as context:
        begun(context, replace(NOVEMBER, until=day("2026-11-20")))
        work_off(context, most=5)
        begun(context)
        assert [u.kind for u in work_off(context, plan=2)] == ["list", "list", "page", "page"]
        assert len(articles_asked(site.wire)) == 5
        assert [u.kind for u in work_off(context)] == []
    assert rows(archive, "SELECT state FROM plans") == [{"state": "done"}] * 2


def test_a_plan_goes_on_in_another_process_after_every_unit(archive, clock):
    with mounted(clock, articles=4) as site:
        for number in range(20):
            with backfilling(archive, clock) as context:
                how = begun(context).how
                assert how == ("open" if number else "new") or state(archive) == "done"
                if backfill.advance(context) is None:
                    break
        assert len(articles_asked(site.wire)) == 4
        assert site.wire.count("/sitemap.xml") == site.wire.count("/sitemaps/news-2026-11.xml") == 1
        with backfilling(archive, clock) as context:
            assert begun(context).how == "done"
    assert number == 2 + 4
    assert value(archive, "SELECT count(*) FROM plans") == 1


def test_a_command_without_a_last_day_means_the_plan_begun_on_another_day(archive, clock):
    with mounted(clock, articles=2), backfilling(archive, clock) as context:
        first = begun(context).plan
        tomorrow = replace(NOVEMBER, until=TODAY + timedelta(days=1))
        assert backfill.begin(context, tomorrow, until_given=False).plan == first
        assert backfill.begin(context, tomorrow, until_given=True).how == "new"
        work_off(context, first.id)
        assert [p.id for p in context.archive.plans(open_only=True)] == [first.id + 1]


@pytest.mark.parametrize("kind", ["error", "down", "garbage"])
def test_trouble_with_one_page_holds_nobody_up_and_is_tried_again_by_spaced_times(archive, clock, kind):
    with mounted(clock, articles=3) as site, backfilling(archive, clock) as context:
        path = site.replica.story(site.replica.ids()[-1]).path
        site.replica.fault(kind, path)
        plan = begun(context).plan
        units = work_off(context)
        assert [u.state for u in units if u.kind == "page"] == ["failed"] + ["live"] * 2
        found = backfill.outlook(context, plan)
        assert found.why == "1 to be tried again"
        assert clock.time < found.until < clock.time + timedelta(minutes=6)
        asked = site.wire.count(path)
        assert backfill.advance(context) is None  # not before its time
        site.replica.clear()
        clock.advance(minutes=6)
        assert [u.state for u in work_off(context)] == ["live"]
        assert site.wire.count(path) == asked + 1
    assert state(archive) == "done"
    intact(archive)


def test_a_page_that_never_comes_waits_for_a_human_and_is_tried_once_more_on_request(archive, clock):
    with mounted(clock, articles=2) as site, backfilling(archive, clock) as context:
        site.replica.fault("error", site.replica.story(site.replica.ids()[-1]).path)
        begun(context)
        for _ in range(12):
            work_off(context)
            clock.advance(hours=12)
        assert state(archive) == "done"
        assert rows(archive, "SELECT state, next_due_at FROM pages WHERE failures > 0") == [
            {"state": "failed", "next_due_at": None}
        ]
        site.replica.clear()
        assert begun(context).how == "again"
        assert [u.state for u in work_off(context)] == ["live"]
        assert begun(context).how == "done"


def test_a_page_that_the_agency_took_away_is_gone_after_repeats(archive, clock):
    with mounted(clock, articles=3) as site, backfilling(archive, clock) as context:
        begun(context)
        work_off(context, most=2)
        site.replica.unpublish(site.replica.ids()[-1])
        seen = []
        for _ in range(12):
            seen += [u.state for u in work_off(context) if u.state != "live"]
            clock.advance(days=4)
    assert seen == ["suspect"] * (len(seen) - 1) + ["gone"]
    assert len(seen) > 1
    assert state(archive) == "done"


def test_a_month_without_a_sitemap_is_noted_and_asked_for_again_by_the_same_command(archive, clock):
    asked = replace(NOVEMBER, since=day("2026-10-01"))
    with mounted(clock, articles=3) as site, backfilling(archive, clock) as context:
        plan = begun(context, asked).plan
        work_off(context)
        assert state(archive) == "done"
        assert [(s.target[-15:], s.state) for s in context.archive.steps(plan.id)[1:]] == [
            ("news-2026-11.xml"[-15:], "done"),
            ("news-2026-10.xml"[-15:], "absent"),
        ]
        assert begun(context, asked).how == "again"
        work_off(context)
        assert site.wire.count("/sitemaps/news-2026-10.xml") == 2
        assert site.wire.count("/sitemap.xml") == 1


def test_a_month_in_trouble_comes_later_and_the_others_go_on(archive):
    clock = FakeClock(datetime(2026, 11, 1, 3, 0, tzinfo=UTC))
    asked = Asked("sitemap", day("2026-10-01"), day("2026-11-01"))
    with mounted(clock, articles=13) as site, backfilling(archive, clock) as context:
        new = {i for i in site.replica.ids() if site.replica.story(i).published.date() >= asked.until}
        assert 0 < len(new) < 13
        site.replica.fault("error", "/sitemaps/news-2026-11.xml")
        begun(context, asked)
        assert [u.state for u in work_off(context) if u.kind == "page"] == ["live"] * (13 - len(new))
        assert state(archive) == "open"
        site.replica.clear()
        clock.advance(minutes=6)
        assert len(work_off(context)) == 1 + len(new)
    assert state(archive) == "done"


@pytest.mark.parametrize("kind", ["not there", "in trouble"])
def test_without_an_index_the_months_have_the_addresses_that_are_thought(archive, clock, kind):
    options = Options(no_sitemap=True) if kind == "not there" else None
    with mounted(clock, articles=2, options=options) as site, backfilling(archive, clock) as context:
        if kind == "in trouble":
            site.replica.fault("error", "/sitemap.xml")
        plan = begun(context).plan
        for _ in range(9):
            work_off(context)
            clock.advance(days=1)
        steps = context.archive.steps(plan.id)
        assert [s.state for s in steps] == (["absent"] * 2 if kind == "not there" else ["failed", "done"])
        assert "/sitemaps/news-2026-11.xml" in site.wire.paths


def test_a_page_that_another_process_has_is_passed_over(archive, clock):
    with mounted(clock, articles=2) as site, backfilling(archive, clock) as context:
        begun(context)
        work_off(context, most=2)
        newest = site.replica.ids()[-1]
        with claimed_elsewhere(archive, newest):
            units = work_off(context, most=3)
            assert [u.kind for u in units] == ["page", "wait", "wait"]
            assert clock.slept[-1] == 1.0
        assert [u.state for u in work_off(context)] == ["live"]
    assert len(articles_asked(site.wire)) == 2


def test_a_plan_that_another_process_is_at_is_left_to_it_or_waited_for(archive, clock):
    with mounted(clock, articles=1) as site, backfilling(archive, clock) as context:
        plan = begun(context).plan
        work_off(context, most=1)
        with claimed_elsewhere(archive, (1 << 50) + plan.id):
            assert backfill.advance(context) is None
            assert backfill.advance(context, plan.id).kind == "wait"
        assert [u.kind for u in work_off(context)] == ["list", "page"]
    assert site.wire.count("/sitemap.xml") == 1


@contextmanager
def claimed_elsewhere(archive, number):
    """Have a page claimed by another process: the locks are a process's own."""
    code = "import sys, pathlib; from crawler.storage.locks import Claims\nwith Claims(pathlib.Path(sys.argv[1])).claim(int(sys.argv[2])):\n print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(archive / "vna.claims"), str(number)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == b"held\n"
        yield
        other.stdin.close()


def test_the_site_asking_for_patience_ends_the_run_and_loses_nothing(archive, clock):
    with mounted(clock, articles=4) as site, backfilling(archive, clock) as context:
        begun(context)
        work_off(context, most=3)
        site.replica.fault("throttle", "*.vnp", seconds=3600)
        with pytest.raises(SitePaused):
            work_off(context)
        site.replica.clear()
        clock.advance(hours=2)
        work_off(context)
    assert state(archive) == "done"
    assert value(archive, "SELECT count(*) FROM articles") == 4


# --- by lists ---------------------------------------------------------------------------------------------------------


def test_a_section_is_walked_back_page_by_page(archive, clock):
    asked = Asked("lists", day("2026-11-15"), TODAY, "Économie")
    with mounted(clock, articles=60, options=Options(section_size=3)) as site, backfilling(archive, clock) as context:
        with pytest.raises(StopError, match="no section of the site is known"):
            begun(context, asked)
        with context.archive.transaction():
            context.archive.add_sources(backfill_sources(), None)
        with pytest.raises(StopError, match="no section is called météo"):
            begun(context, replace(asked, section="météo"))
        begun(context, asked)
        units = work_off(context, most=25)
        newest = [s.post_id for s in site.replica._site.world.newest("Économie", count=6)]
    lists = [u.url for u in units if u.kind == "list"]
    assert lists[0].endswith("/economie/")
    assert "page=3" in lists[2]
    assert set(newest) <= {r["page"] for r in rows(archive, "SELECT page FROM plan_pages")}
    assert "".join(u.kind[0] for u in units).startswith("lp")  # what a page names is fetched before the next page is


def test_a_walk_keeps_to_the_days_as_far_as_ids_tell_them(archive, clock):
    asked = Asked("lists", day("2026-11-10"), day("2026-11-11"), "sports", oldest_first=True)
    low, high = plans.ids_listed(asked)
    with (
        mounted(clock, articles=2600, options=Options(section_size=10)) as site,
        backfilling(archive, clock) as context,
    ):
        with context.archive.transaction():
            context.archive.add_sources(backfill_sources(), None)
        begun(context, asked)
        while backfill.advance(context).kind == "list":
            pass
        sports = {s.post_id for s in site.replica._site.world.newest("Sports")}
    named = {r["page"] for r in rows(archive, "SELECT page FROM plan_pages")}
    assert {i for i in sports if low <= i <= high} <= named
    assert all(low <= i <= high for i in named)
    assert min(sports) < low - 100
    assert (
        value(archive, "SELECT count(*) FROM pages WHERE id < ?", low) <= 10 + 12
    )  # one page too far, to see it, and the sidebar of the first


def backfill_sources():
    return [
        SourceFound("section", f"https://fr.vietnamplus.vn/{s}/", n)
        for s, n in (("economie", "Économie"), ("sports", "Sports"))
    ]


def test_oldest_first_means_the_whole_list_before_its_articles(archive, clock):
    asked = Asked("lists", FLOOR, TODAY, "economie", oldest_first=True)
    with mounted(clock, articles=25, options=Options(section_size=2)), backfilling(archive, clock) as context:
        with context.archive.transaction():
            context.archive.add_sources(backfill_sources(), None)
        begun(context, asked)
        units = work_off(context)
    kinds = "".join(u.kind[0] for u in units)
    assert kinds == "l" * kinds.count("l") + "p" * kinds.count("p")
    assert kinds.count("l") > 2
    order = [
        r["page"]
        for r in rows(
            archive, "SELECT CAST(substr(purpose, 6) AS INT) AS page FROM raw WHERE purpose LIKE 'page:%' ORDER BY id"
        )
    ]
    assert order == sorted(order)
    assert state(archive) == "done"
    intact(archive)


@pytest.mark.parametrize("kind", ["error", "forbidden"])
def test_trouble_on_a_further_page_ends_the_walk_in_time_and_keeps_what_was_named(archive, clock, kind):
    asked = Asked("lists", FLOOR, TODAY, "economie", oldest_first=True)
    with mounted(clock, articles=30, options=Options(section_size=2)) as site, backfilling(archive, clock) as context:
        with context.archive.transaction():
            context.archive.add_sources(backfill_sources(), None)
        site.replica.fault(kind, "/api/*")
        plan = begun(context, asked).plan
        for _ in range(9):
            work_off(context)
            clock.advance(days=1)
        step = context.archive.step(plan.id, 0)
        assert (step.state, bool(step.error)) == ("done", True)
        assert value(archive, "SELECT count(*) FROM articles") >= 3
        site.replica.clear()
        before = value(archive, "SELECT count(*) FROM articles")
        assert begun(context, asked).how == "again"
        work_off(context)
    assert value(archive, "SELECT count(*) FROM articles") > before


# --- by ids -----------------------------------------------------------------------------------------------------------


@contextmanager
def with_holes(archive, clock, hidden=2, **options):
    """An archive that holds November but for some articles that no list names."""
    with mounted(clock, articles=7, options=Options(**options)) as site:
        ids = sorted(ids_of_november(site))
        lost = ids[2 : 2 + hidden]
        for post_id in lost:
            site.replica.hide(post_id)
        with backfilling(archive, clock) as context:
            begun(context)
            work_off(context)
        assert {r["id"] for r in rows(archive, "SELECT id FROM articles")} == set(ids) - set(lost)
        site.wire.clear()
        yield site, lost, set(range(ids[0], ids[-1])) - set(ids)


IDS = replace(NOVEMBER, via="ids")


def names_alone(wire):
    """Count the requests that name an article by its id alone."""
    return sum(path.startswith("/x-post") for path in wire.paths)


@pytest.mark.parametrize(
    ("not_found", "addresses"), [(404, "by id"), (410, "redirect"), ("soft", "by id"), ("home", "redirect")]
)
def test_what_no_list_names_is_found_by_its_id_and_holes_are_remembered(archive, clock, not_found, addresses):
    with with_holes(archive, clock, not_found=not_found, addresses=addresses) as (site, lost, holes):
        with backfilling(archive, clock) as context:
            begun(context, IDS)
            units = work_off(context)
            assert begun(context, IDS).how == "done"
            asked = names_alone(site.wire)
            assert begun(context, replace(IDS, since=day("2026-11-02"))).how == "new"
            work_off(context)
        assert names_alone(site.wire) == asked + 2  # listening; what is not there is asked for once
    probed = [int(u.url.rpartition("post")[2][:-4]) for u in units if u.state]
    assert probed == sorted(probed, reverse=True)
    assert {i for i in probed if i > min(holes)} | {min(holes)} == holes | set(lost)
    assert min(probed) >= min(holes) - 50
    found = rows(
        archive,
        "SELECT id, url, first_source FROM pages WHERE id IN (SELECT value FROM json_each(?))",
        json.dumps(lost),
    )
    assert {r["first_source"] for r in found} == {"ids"}
    assert all("/x-post" not in r["url"] for r in found)
    absent = {r["id"] for r in rows(archive, "SELECT id FROM pages WHERE state = 'absent'")}
    assert absent == set(probed) - set(lost)
    assert value(archive, "SELECT count(*) FROM articles") == 7
    intact(archive)


class Bug(Exception):
    """What nobody expected."""


def with_bug(function, where):
    """A function that one of its arguments brings to its end."""

    def broken(*args, **named):
        if where(*args):
            raise Bug("index out of range")
        return function(*args, **named)

    return broken


BUGS = "SELECT target, state, error FROM plan_steps WHERE error LIKE 'a bug: %'"
MONTH = f"{SITE}/sitemaps/news-2026-11.xml"


def bugs(archive, clock):
    with app.reading_archive(archive) as opened:
        return [bug.partition(": ")[0] for bug in opened.health_facts(clock.now(), clock.now()).bugs]


def test_a_list_that_ends_the_program_is_put_off_and_the_service_goes_on(archive, clock, monkeypatch):
    broken = with_bug(listing.discover, lambda source, *_: source.url == MONTH)
    with mounted(clock, articles=8) as site:
        monkeypatch.setattr(listing, "discover", broken)
        with backfilling(archive, clock) as context:
            begun(context)
        with pytest.raises(Bug), backfilling(archive, clock) as context:
            work_off(context)
        assert rows(archive, BUGS) == [{"target": MONTH, "state": "todo", "error": "a bug: Bug: index out of range"}]
        assert bugs(archive, clock) == [MONTH]
        assert value(archive, "SELECT count(*) FROM raw WHERE url = ?", MONTH) == 1, "the answer is kept"
        with backfilling(archive, clock) as context:
            assert work_off(context) == [], "it is not due"
        monkeypatch.undo()
        clock.advance(hours=1)
        with backfilling(archive, clock) as context:
            work_off(context)
        assert len(articles_asked(site.wire)) == 8
    assert (state(archive), rows(archive, BUGS), bugs(archive, clock)) == ("done", [], [])
    intact(archive)


def test_an_id_that_ends_the_program_is_put_off_and_the_others_are_asked_for(archive, clock):
    with with_holes(archive, clock) as (_, lost, holes):
        with backfilling(archive, clock) as context:
            begun(context, IDS)
        for _ in lost:
            with pytest.raises(Bug), backfilling(archive, clock) as context:
                work_off(replace(context, repair=with_bug(context.repair, lambda article: article.post_id in lost)))
        with backfilling(archive, clock) as context:
            work_off(context)
        assert {row["id"] for row in rows(archive, "SELECT id FROM pages WHERE state = 'absent'")} >= holes - set(lost)
        assert len(bugs(archive, clock)) == len(lost)
        clock.advance(hours=1)
        poll(archive, clock)
    assert {row["id"] for row in rows(archive, "SELECT id FROM articles")} >= set(lost)
    assert bugs(archive, clock) == []
    intact(archive)


@pytest.mark.parametrize("left_over", [False, True], ids=["asked_for", "taken_in_from_the_files"])
def test_a_list_that_ends_the_interpreter_is_put_off(archive, clock, monkeypatch, left_over):
    with mounted(clock, articles=8) as site:
        with suppress(KeyboardInterrupt), backfilling(archive, clock) as context:
            begun(context)
            work_off(context, most=1)
            if left_over:  # it comes, is kept, and then there is no time for anything
                monkeypatch.setattr(listing, "read", killed)
                work_off(context)
        monkeypatch.undo()
        asked = len(site.wire.paths)
        note(archive, f"plan:sitemap:{MONTH}", 3, role="backfill")
        with backfilling(archive, clock) as context:
            context.recover(context)
            work_off(context)
        assert len(site.wire.paths) == asked
        (step,) = rows(archive, BUGS)
        assert (step["target"], step["state"]) == (MONTH, "todo")
        assert value(archive, "SELECT count(*) FROM raw WHERE url = ?", MONTH) == left_over
    intact(archive)


@pytest.mark.parametrize("left_over", [False, True], ids=["asked_for", "taken_in_from_the_files"])
def test_an_id_that_ends_the_interpreter_is_put_off(archive, clock, monkeypatch, left_over):
    seen = []
    with with_holes(archive, clock):
        with suppress(KeyboardInterrupt), backfilling(archive, clock) as context:
            begun(context, IDS)
            work_off(context, most=1)
            monkeypatch.setattr(id_probe, "judged" if left_over else "ask", lambda *args: killed(*args, seen=seen))
            work_off(context)
        monkeypatch.undo()
        _, asked, *_ = seen[0]
        note(archive, f"id:{asked}", 3, role="backfill")
        with backfilling(archive, clock) as context:
            context.recover(context)
            work_off(context)
        assert rows(archive, "SELECT id, state FROM pages WHERE error LIKE 'a bug: %'") == [
            {"id": asked, "state": "failed"}
        ]
        assert value(archive, "SELECT count(*) FROM raw WHERE purpose = ?", f"id:{asked}") == left_over
    intact(archive)


def test_listening_that_ends_the_interpreter_is_put_off(archive, clock):
    with with_holes(archive, clock) as (site, _, __):
        note(archive, "sonar", 3, role="backfill")
        with backfilling(archive, clock) as context:
            begun(context, IDS)
            (unit,) = work_off(context)
            assert "came to its end over this 3 times" in unit.what
            assert site.wire.paths == []
            clock.advance(hours=1)
            assert "listening: the site answers" in work_off(context)[0].what


def killed(*args, seen=None, **_):
    """What no row has time for."""
    if seen is not None:
        seen.append(args)
    raise KeyboardInterrupt


def test_a_site_that_does_not_answer_to_ids_is_noticed_before_anything_is_concluded(archive, clock):
    with with_holes(archive, clock, addresses="strict") as (site, _, __), backfilling(archive, clock) as context:
        plan = begun(context, IDS).plan
        with pytest.raises(StopError, match="cannot be asked by id alone") as deaf:
            work_off(context)
        assert "--via sitemap" in deaf.value.hint
        assert len(site.wire.paths) == 3  # one article may have been taken away meanwhile, three hardly
        assert work_off(context) == []
        assert context.archive.plan_state(plan.id) == "done"
        assert begun(context, IDS).how == "again"
    assert value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'") == 0


def test_without_an_article_there_is_nothing_to_look_between(archive, clock):
    with mounted(clock) as site, backfilling(archive, clock) as context:
        with pytest.raises(StopError, match="no article is held") as refused:
            begun(context, IDS)
        assert "vna poll" in refused.value.hint
        assert site.wire.paths == []
    assert value(archive, "SELECT count(*) FROM plans") == 0


def test_an_article_that_was_taken_away_does_not_make_the_site_deaf(archive, clock):
    with with_holes(archive, clock) as (site, _, __), backfilling(archive, clock) as context:
        site.replica.unpublish(site.replica.ids()[-1])
        begun(context, IDS)
        assert [u.what.split(":")[0] for u in work_off(context, most=1)] == ["listening"]


def test_a_day_has_so_many_requests_for_ids_and_the_next_day_goes_on(archive, clock):
    with with_holes(archive, clock) as (site, _, __), backfilling(archive, clock, id_probes=4) as context:
        plan = begun(context, IDS).plan
        work_off(context)
        assert names_alone(site.wire) == 4
        found = backfill.outlook(context, plan)
        assert found.why == "the 4 requests for ids of one day are made"
        assert found.until == datetime(2026, 11, 21, 17, tzinfo=UTC)  # midnight in Hanoi
        clock.advance(hours=9, minutes=1)
        work_off(context)
        assert names_alone(site.wire) == 8
        assert (
            [path for path in site.wire.paths if path.startswith("/x-post")][4:6]
            == [  # listening anew
                path for path in site.wire.paths if path.startswith("/x-post")
            ][0:2]
        )
    assert state_of(archive, 2) == "open"


def state_of(archive, plan):
    return value(archive, "SELECT state FROM plans WHERE id = ?", plan)


def test_a_wall_on_the_way_is_no_proof_that_nothing_is_there(archive, clock):
    with with_holes(archive, clock) as (site, _, __), backfilling(archive, clock) as context:
        plan = begun(context, IDS).plan
        work_off(context, most=3)
        absent = value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'")
        site.replica.fault("block", "/x-post*")
        with pytest.raises(StopError, match="cannot be asked by id alone"):
            work_off(context)
        assert value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'") == absent
        assert value(archive, "SELECT count(*) FROM pages WHERE state = 'rejected'") == 1
        assert backfill.outlook(context, plan).until is None
        site.replica.clear()
        assert begun(context, IDS).how == "open"
        work_off(context)
        assert value(archive, "SELECT count(*) FROM articles") == 7
    intact(archive)


def test_an_id_that_never_gets_an_answer_does_not_hold_up_the_others(archive, clock):
    with with_holes(archive, clock) as (site, lost, _), backfilling(archive, clock) as context:
        site.replica.fault("error", f"/x-post{max(lost)}.vnp")
        begun(context, IDS)
        for _ in range(9):
            work_off(context)
            clock.advance(hours=12)
        page = rows(archive, "SELECT state, next_due_at FROM pages WHERE id = ?", max(lost))
        assert page == [{"state": "failed", "next_due_at": None}]
        assert state_of(archive, 2) == "done"
        assert value(archive, "SELECT count(*) FROM articles") == 6


def test_listening_that_gets_no_answer_is_put_off(archive, clock):
    with with_holes(archive, clock) as (site, _, __), backfilling(archive, clock) as context:
        site.replica.fault("down", "/x-post*", times=3)
        begun(context, IDS)
        assert [u.what.split(":")[0] for u in work_off(context)] == ["failed"]
        clock.advance(minutes=6)
        assert [u.what.split(":")[0] for u in work_off(context, most=1)] == ["listening"]


def test_open_gaps_of_the_polls_are_asked_for_first(archive, clock):
    with with_holes(archive, clock) as (_, lost, holes), backfilling(archive, clock) as context:
        low = min(holes | set(lost))
        with context.archive.transaction():
            context.archive.add_sources(backfill_sources(), None)
            source = context.archive.source("https://fr.vietnamplus.vn/sports/").id
            context.archive.add_gap(source, NOW, NOW, low - 1, low + 2)
        begun(context, IDS)
        units = work_off(context, most=2)
        assert units[1].url.endswith(f"-post{low + 1}.vnp") or units[1].url.endswith(f"-post{low}.vnp")


def test_what_was_absent_is_fetched_when_a_list_names_it(archive, clock):
    with with_holes(archive, clock) as (_, __, holes), backfilling(archive, clock) as context:
        begun(context, IDS)
        work_off(context)
        hole = max(holes)
        seen = Sighting(f"https://fr.vietnamplus.vn/vrai-titre-post{hole}.vnp", hole)
        with context.archive.transaction():
            context.archive.add_sightings("https://fr.vietnamplus.vn/sports/", [seen], NOW, NOW)
    assert rows(archive, "SELECT state, url, failures FROM pages WHERE id = ?", hole) == [
        {"state": "known", "url": seen.url, "failures": 0}
    ]


# --- what is before it, in figures ------------------------------------------------------------------------------------


def test_figures_of_a_plan(archive, clock):
    with mounted(clock, articles=6), backfilling(archive, clock) as context:
        plan = begun(context).plan
        thought = backfill.figures(context.archive, plan)
        assert (thought.found, thought.lists) == (0, 1)
        assert thought.unlisted == plans.thought_to_exist(NOVEMBER.since, TODAY)
        work_off(context, most=1)
        assert backfill.figures(context.archive, plan) == Figures({}, 1, thought.unlisted)
        work_off(context, most=3)
        assert backfill.figures(context.archive, plan) == Figures({"known": 4, "live": 2}, 0, 0)
        assert backfill.figures(context.archive, plan).to_fetch == 4
        again = backfill.thought_of(context.archive, NOVEMBER)
        assert again == Figures({"live": 2}, 2, thought.unlisted - 2)
        ids = backfill.thought_of(context.archive, IDS)
        assert ids.to_fetch == ids.unlisted > 0
    assert backfill.thought_of(None, replace(NOVEMBER, via="lists")).lists == thought.unlisted // 30


def test_a_tally_says_how_fast_it_goes_and_how_long_it_takes():
    tally = Tally(lambda: 10.0)
    tally.count({"known": 3, "live": 1}, 30)
    assert tally.pace() == "0.0/s"
    tally.visited("live", listed=True)
    tally.visited("failed", listed=True)
    tally.visited("absent", listed=False)
    assert tally.words() == "5 found, 2 held, 1 failed, 1 absent"
    assert tally.pace() == "0.3/s, 1 min 40 s left"
    assert tally.settled == 4


def test_the_bar_shows_figures_and_gives_trouble_a_line():
    out = io.StringIO()
    with PlanBar(Console(file=out, force_terminal=True, width=150)) as bar:
        tally = Tally(lambda: 2.0)
        tally.count({"known": 2}, 0)
        bar.plan("plan 1", tally)
        tally.visited("live", listed=True)
        bar.unit("new: 7 Titre", tally)
        tally.visited("failed", listed=True)
        bar.unit("failed: u: HTTP status 500", tally)
    assert "failed: u" in out.getvalue()
    assert "2 found, 1 held, 1 failed; 1.0/s" in out.getvalue()
    assert "new: 7" not in out.getvalue()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site():
    with serve(lambda url: build(url, seeds_dir=SEEDS, articles=6, now=lambda: datetime.now(UTC))) as serving:
        yield serving


def since(days=20):
    return str((datetime.now(UTC) - timedelta(days=days)).date())


def test_the_command_says_what_it_did_and_a_plan_that_is_done_is_told(tmp_path, site):
    words = ("--archive", tmp_path / "a", "--site", site.url, "--rate", 0, "backfill")
    foreseen = vna(*words, "--since", since(), "--dry-run")
    assert foreseen.code == 0
    assert "lists, at most about" in foreseen.out
    assert not (tmp_path / "a").exists()
    done = vna(*words, "--since", since(), "--json")
    result = json.loads(done.out)
    assert result["done"]
    assert result["pages"]["live"] >= 6
    assert result["requests"] == 6 + len(result["lists_missing"]) + 3
    assert done.code == (5 if result["lists_missing"] else 0)
    again = vna(*words, "--since", since(), "--dry-run", "--json")
    assert json.loads(again.out)["to_fetch"] == 0
    nothing = vna(*words)
    assert nothing.code == 1
    assert "no plan is open" in nothing.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--since", "hier"], "hier is no day"),
        (["--since", "2024-02-01", "--until", "2024-01-01"], "no day lies between"),
        (["--via", "ids", "--dry-run"], "no article is held"),
        (["--section", "sports", "--via", "sitemap"], "does not say which section"),
    ],
)
def test_what_the_command_refuses(tmp_path, site, words, message):
    refused = vna("--archive", tmp_path / "a", "--site", site.url, "--rate", 0, "backfill", *words)
    assert refused.code == 1
    assert message in refused.err
    assert "hint" in refused.err


def test_a_signal_stops_after_the_page_in_hand_and_the_same_command_goes_on(tmp_path, site):
    words = ("--archive", tmp_path / "a", "--site", site.url, "--rate", 4, "backfill", "--since", since())
    with process(*words) as running:
        for line in iter(running.stderr.readline, b""):
            if b"new:" in line:
                break
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=20)
    assert running.returncode == 5
    assert b"is open" in out
    assert b"`vna backfill` goes on where this stopped" in err
    assert value(tmp_path / "a", "SELECT outcome FROM runs") in ("done", "stopped")
    rest = vna("--archive", tmp_path / "a", "--site", site.url, "--rate", 0, "backfill")
    assert "is done" in rest.out
    assert value(tmp_path / "a", "SELECT count(*) FROM raw WHERE purpose LIKE 'page:%'") == value(
        tmp_path / "a", "SELECT count(*) FROM articles"
    )
    intact(tmp_path / "a")


def test_killed_again_and_again_nothing_is_lost_and_nothing_is_done_twice(tmp_path):
    quick = "import sys; sys.modules['wordfreq'] = None; from crawler.cli import main; main()"  # no lexicon to load
    found = crash.run(tmp_path / "archive", 30, 4, months=2, program=(sys.executable, "-c", quick))
    assert found.faults == []
    assert (found.articles, found.kills) == (30, 4)
    assert found.pages <= 30 + 4  # a kill costs no more than the request in hand
    intact(tmp_path / "archive")
