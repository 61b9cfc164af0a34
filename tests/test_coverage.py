"""Tests of the coverage ledger: months, counts, estimates, dates by ids, the chart, and the disk forecast."""

from __future__ import annotations

import itertools
import math
import random
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from crawler.coverage import Dating, LedgerMonth, Missing, Post, channel_of, chart, take_stock
from crawler.coverage.elsewhere import capture_addresses
from crawler.coverage.estimate import CountBounds, Estimate, chao, chapman, from_lists, with_ids, without_ids
from crawler.coverage.ledger import month_of_post
from crawler.coverage.sequence import IdClock
from crawler.health.disk import days_until_full, growth
from crawler.health.figures import Size


def day(number):
    """Return the day that is `number` days after 1 January 2024."""
    return (date(2024, 1, 1) + timedelta(days=number)).isoformat()


def held(number, on=None, **changes):
    known = {"state": "live", "held": True, "published_on": on, "channels": frozenset({"sitemap"})}
    return Post(number, f"/x-post{number}.vnp", **{**known, **changes})


def known(number, state="known", channels=("sitemap",), **changes):
    return Post(number, f"/x-post{number}.vnp", state, held=False, channels=frozenset(channels), **changes)


# --- posts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("post", "is_known", "settled", "missing"),
    [
        (held(1), True, True, False),
        (held(1, gone=True), True, True, False),
        (known(1), True, True, True),
        (known(1, "failed"), True, True, True),
        (known(1, "drift"), True, True, True),
        (known(1, "rejected"), True, True, True),
        (known(1, "suspect"), True, True, True),
        (known(1, "gone", gone=True), True, True, False),
        (known(1, "live"), False, True, False),  # an alias: a second id of an article that is held under its own
        (known(1, "absent", ("ids",)), False, True, False),
        (known(1, "gone", ("ids",), gone=True), False, True, False),
        (known(1, "known", ("ids",)), False, False, False),  # asked for, no answer yet
        (known(1, "failed", ("ids",)), False, False, False),
        (known(1, "drift", ("ids",)), True, True, True),  # the page says that it is an article
        (known(1, "known", ("ids", "feed")), True, True, True),
        (held(1, channels=frozenset({"ids"})), True, True, False),
    ],
)
def test_post_is_known_settled_or_missing(post, is_known, settled, missing):
    assert (post.known, post.settled, post.missing) == (is_known, settled, missing)


@pytest.mark.parametrize(
    ("source", "kind", "channel"),
    [
        ("https://fr.vietnamplus.vn/rss/home.rss", "feed", "feed"),
        ("related:Politique", None, "related"),
        ("ids", None, "ids"),
        ("probe", None, "ids"),  # asked for to learn how the site responds, not because a source listed it
        ("warc:CC-NEWS-1.warc.gz", None, "import"),
        ("import", None, "import"),
        ("https://fr.vietnamplus.vn/autre-post1.vnp", None, "other"),
    ],
)
def test_channel_of_a_source(source, kind, channel):
    assert channel_of(source, kind) == channel


# --- ids as a clock ---------------------------------------------------------------------------------------------------


def test_one_wrong_date_does_not_change_the_trusted_articles():
    clock = IdClock([(1, 10), (2, 11), (3, 900), (4, 12), (5, 2), (6, 13), (6, 13)])
    assert list(clock.ids) == [1, 2, 4, 6, 6]
    assert clock.around(3) == (11, 12)
    assert clock.around(5) == (12, 13)
    assert clock.around(0) == (None, 10)
    assert clock.around(9) == (13, None)


def test_many_wrong_dates_in_a_row_do_not_change_the_trusted_articles():
    right = [(n, 1000 + n // 40) for n in range(2000)]
    wrong = [(n, 5) for n in range(600, 800)]
    clock = IdClock([*right[:600], *wrong, *right[800:]])
    assert clock.around(700) == (right[599][1], right[800][1])


@pytest.mark.parametrize(
    ("number", "expected"),
    [(5, 100), (10, 100), (15, 105), (20, 110), (21, 110), (29, 110), (30, 111), (40, 111)],
)
def test_day_of_an_id_is_interpolated(number, expected):
    assert IdClock([(10, 100), (20, 110), (30, 111)]).day(number) == expected


def test_clock_without_dates_knows_no_days():
    clock = IdClock([])
    assert (clock.day(5), clock.around(5), clock.unasked([1, 2, 9])) == (None, (None, None), [])


def test_unasked_ids_lie_between_the_first_and_the_last_trusted_id():
    clock = IdClock([(10, 100), (20, 110)])
    assert clock.unasked([3, 10, 11, 14, 20, 25]) == [(12, 13), (15, 19)]
    assert clock.unasked([10, 20]) == [(11, 19)]


def test_ranges_of_ids_are_counted_by_month():
    """A range over three months is split in the same way as when its ids are counted one by one."""
    first = date(2024, 1, 1).toordinal()
    clock = IdClock([(0, first), (1000, first + 90)])
    found = clock.by_month([(1, 600), (700, 999)])
    one_by_one = [date.fromordinal(clock.day(n)).isoformat()[:7] for n in [*range(1, 601), *range(700, 1000)]]
    assert found == {month: one_by_one.count(month) for month in set(one_by_one)}
    assert len(found) == 3


# --- estimates --------------------------------------------------------------------------------------------------------


def test_chapman_on_a_worked_example():
    """Two lists of 200 and 150 articles, with 120 in both: (201 x 151 / 121) - 1 = 249.8 articles, 230 of them known."""
    found = chapman(200, 150, 120)
    assert found.value == pytest.approx(201 * 151 / 121 - 1)
    # variance 201 x 151 x 80 x 30 / (121² x 122) = 40.78, so C = exp(1.96 sqrt(ln(1 + 40.78 / 19.84²))) = 1.851
    assert (found.low, found.high) == pytest.approx((230 + 19.84 / 1.851, 230 + 19.84 * 1.851), abs=0.02)


def test_chao_equals_chapman_for_two_lists():
    assert chao([80, 30], 120, 230).value == pytest.approx(chapman(200, 150, 120).value)


def test_chao_on_a_worked_example():
    """In one list alone: 30, 20 and 10; in two lists: 49. (60² - 30² - 20² - 10²) / (2 x 50) = 22 unseen, 200 known."""
    found = chao([30, 20, 10], 49, 200)
    assert found.value == 222
    # variance 22 + 30 x (30/50)² + 20 x (40/50)² + 10 x (50/50)² + 49 x (22/50)² = 65.09,
    # so C = exp(1.96 sqrt(ln(1 + 65.09 / 22²))) = 2.006
    assert (found.low, found.high) == pytest.approx((200 + 22 / 2.006, 200 + 22 * 2.006), abs=0.02)


def test_less_than_one_unseen_article_still_has_an_interval():
    """Two lists of 10 articles, with 9 in both: (11 x 11 / 10) - 1 = 11.1 articles, 11 of them known."""
    found = chapman(10, 10, 9)
    # variance 11 x 11 x 1 x 1 / (10² x 11) = 0.11, so C = exp(1.96 sqrt(ln(1 + 0.11 / 0.1²))) = 21.97
    assert (found.low, found.high) == pytest.approx((11 + 0.1 / 21.97, 11 + 0.1 * 21.97), abs=0.002)


def lists(**counts):
    """Return articles as sets of lists: `ab=3` means three articles that are in the lists a and b."""
    return [set(names) for names, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("captures", "method"),
    [
        (lists(a=5), None),  # one list
        (lists(a=5, b=7), None),  # no article in two lists
        (lists(a=5, b=7, c=2), None),
        (lists(a=5, b=7, ab=2), "chapman"),
        (lists(ab=4), "chapman"),
        (lists(a=5, b=7, ab=2, c=1), "chao"),
        (lists(abc=4), "chao"),
        ([], None),
        ([set(), set()], None),
    ],
)
def test_estimator_depends_on_how_the_lists_overlap(captures, method):
    found = from_lists(captures)
    assert (found and found.method) == method


def test_identical_lists_leave_no_uncertainty():
    assert from_lists(lists(ab=40)) == Estimate(40, 40, 40, "chapman")


def test_interval_of_independent_lists_contains_the_truth_in_about_95_percent_of_runs():
    rng = random.Random(11)
    covered = {}
    for chances in ((0.9, 0.7), (0.9, 0.6, 0.4)):
        names = "abc"[: len(chances)]
        found = [
            from_lists([{n for n, p in zip(names, chances, strict=True) if rng.random() < p} for _ in range(400)])
            for _ in range(100)
        ]
        covered[len(chances)] = sum(math.floor(f.low) <= 400 <= math.ceil(f.high) for f in found)
    assert all(90 <= count <= 99 for count in covered.values()), covered


@pytest.mark.parametrize(
    ("estimate", "count", "unasked", "expected"),
    [
        (None, 10, 5, CountBounds(None, 10, 15)),
        (Estimate(12.5, 11.9, 20, "chao"), 10, 5, CountBounds(12.5, 11, 15, "chao")),
        (Estimate(12.5, 11.9, 20, "chao"), 10, 1, CountBounds(11, 11, 11, "chao")),  # capped by the ids
        (
            Estimate(10, 10, 10, "chapman"),
            14,
            0,
            CountBounds(14, 14, 14, "chapman"),
        ),  # ids found articles that no list has
        (
            Estimate(10.3, 10.1, 11, "chapman"),
            10,
            9,
            CountBounds(10.3, 10, 19, "chapman"),
        ),  # articles may be hidden from all lists
    ],
)
def test_bounds_with_ids(estimate, count, unasked, expected):
    assert with_ids(estimate, count, unasked) == expected


@pytest.mark.parametrize(
    ("estimate", "unasked", "expected"),
    [
        (None, None, CountBounds()),
        (None, 3, CountBounds()),
        (Estimate(12.5, 11.9, 20.2, "chao"), None, CountBounds(12.5, 11, 21, "chao")),
        (Estimate(12.5, 11.9, 20.2, "chao"), 7, CountBounds(12.5, 11, 17, "chao")),
    ],
)
def test_bounds_without_ids(estimate, unasked, expected):
    assert without_ids(estimate, 10, unasked) == expected


# --- months -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("post", "month"),
    [
        (held(500, day(3)), "2024-01"),
        (held(500, day(3), hinted_on=day(40), listed_in="2024-03"), "2024-01"),
        (known(500, hinted_on=day(40), listed_in="2024-03"), "2024-02"),
        (known(500, listed_in="2024-03"), "2024-03"),
        (known(500), "2024-02"),  # by the ids around it
        (known(5000), "2024-03"),
        (held(-3), ""),  # an imported text has no place in the sequence
        (held(-3, day(3)), "2024-01"),
    ],
)
def test_month_of_a_post(post, month):
    clock = IdClock([(0, date.fromisoformat(day(0)).toordinal()), (1000, date.fromisoformat(day(80)).toordinal())])
    assert month_of_post(post, clock) == month


def test_month_of_a_post_is_unknown_without_any_dates():
    assert month_of_post(known(5), IdClock([])) == ""


# --- the ledger -------------------------------------------------------------------------------------------------------


def rows(posts):
    ledger = take_stock(posts)
    return {(row.month, row.section): row for row in ledger.months}, ledger


def test_counts_of_a_month():
    posts = [
        held(1, day(0), section="Politique", channels=frozenset({"sitemap", "feed"})),
        held(2, day(1), section="Politique", channels=frozenset({"feed"})),
        held(3, day(1), gone=True, channels=frozenset({"sitemap"})),
        known(4, "gone", gone=True),
        known(5, "failed", section="Politique", error="HTTP status 500", listed_in="2024-01"),
        known(6, "absent", ("ids",)),
        held(7, None),
        known(9, "live"),  # an alias
        held(12, day(3)),
    ]
    found, ledger = rows(posts)
    whole = found["2024-01", ""]
    assert (whole.known, whole.held, whole.missing, whole.gone, whole.gone_held) == (7, 5, 1, 2, 1)
    assert whole.known == whole.held + whole.missing + whole.gone - whole.gone_held
    assert (whole.undated, whole.absent, whole.unasked) == (1, 1, 3)
    assert whole.channels == {"feed": 2, "sitemap": 6}
    assert (whole.method, whole.low, whole.high) == ("chapman", 7, 10)
    assert ledger.unasked == ((8, 8), (10, 11))
    politics = found["2024-01", "Politique"]
    assert (politics.known, politics.held, politics.missing, politics.absent) == (3, 2, 1, None)
    assert ledger.missing == (Missing(5, "/x-post5.vnp", "2024-01", "Politique", "failed", "HTTP status 500"),)


def test_month_without_known_articles_has_a_row():
    found, _ = rows([held(1, day(0)), held(901, day(90))])
    assert [month for month, _ in found] == ["2024-01", "2024-02", "2024-03"]
    empty = found["2024-02", ""]
    assert (empty.known, empty.low, empty.estimate) == (0, 0, None)
    assert empty.high == empty.unasked == 290  # ten ids a day, and February 2024 has 29 days


def test_month_outside_the_id_sequence_has_no_bounds():
    posts = [held(n, day(n)) for n in range(1, 20)]
    posts[9] = held(10, "1999-05-01")
    found, ledger = rows(posts)
    outside = found["1999-05", ""]
    assert (outside.known, outside.low, outside.high, outside.unasked) == (1, None, None, None)
    assert [(d.article, d.kind) for d in ledger.datings] == [(10, "back-dated")]


def test_imported_texts_are_counted_but_not_used_for_the_estimate():
    posts = [held(-2), held(-1, day(3)), held(1, day(0)), held(5, day(3))]
    found, _ = rows([p if p.id > 0 else held(p.id, p.published_on, channels=frozenset({"import"})) for p in posts])
    assert found["", ""].known == 1
    assert (found["2024-01", ""].known, found["2024-01", ""].method) == (3, None)


def test_archive_without_dates_has_one_row():
    found, ledger = rows([known(4), known(7)])
    assert list(found) == [("", "")]
    assert (found["", ""].missing, found["", ""].unasked, ledger.unasked) == (2, None, ())
    assert take_stock([]).months == ()


def test_bounds_contain_articles_that_no_list_has():
    """37 articles are missing from the sitemap and listed one by one. 5 are in no list; asking for the ids finds them."""
    rng = random.Random(5)
    everything = [n for n in range(10_000, 11_500) if rng.random() < 0.9]
    dates = {n: day((n - 10_000) // 48) for n in everything}
    january = [n for n in everything if dates[n] < "2024-02"]
    not_listed = rng.sample(january[50:-50], 42)
    hidden, only_pages = set(not_listed[:5]), set(not_listed[5:])
    seen = frozenset({"sitemap", "section"})
    posts = [
        known(n, channels=("section",)) if n in only_pages else held(n, dates[n], channels=seen)
        for n in everything
        if n not in hidden
    ]
    found, ledger = rows(posts)
    month = found["2024-01", ""]
    assert {one.page for one in ledger.missing} == only_pages
    assert month.low <= len(january) <= month.high
    asked = [n for first, last in ledger.unasked for n in range(first, last + 1)]
    assert hidden < set(asked)
    answers = [
        held(n, dates[n], channels=frozenset({"ids"})) if n in hidden else known(n, "absent", ("ids",)) for n in asked
    ]
    found, ledger = rows(sorted([*posts, *answers], key=lambda p: p.id))
    assert (found["2024-01", ""].low, found["2024-01", ""].high) == (len(january), len(january))
    assert ledger.unasked == ()


# --- dates by ids -----------------------------------------------------------------------------------------------------


def sequence(**changed):
    """Return articles 1 to 29, one a day; `_12=day` gives article 12 another day, None no date."""
    return [held(n, changed[f"_{n}"] if f"_{n}" in changed else day(n)) for n in range(1, 30)]


@pytest.mark.parametrize(
    ("posts", "expected"),
    [
        (sequence(), []),
        (sequence(_12=None), [Dating(12, "undated", day(11), day(13))]),
        (sequence(_1=None), [Dating(1, "undated", None, day(2))]),
        (sequence(_29=None), [Dating(29, "undated", day(28), None)]),
        (sequence(_20="2019-03-01"), [Dating(20, "back-dated", day(19), day(21))]),
        (sequence(_12="2031-01-01"), [Dating(12, "ahead", day(11), day(13))]),
        (sequence(_12=day(18)), []),  # scheduled some days ahead
        (sequence(_12=day(6)), []),
        (sequence(_12=day(22)), []),  # 7 days after the third article above it
        (sequence(_12=day(23)), [Dating(12, "ahead", day(11), day(13))]),
        (sequence(_12=day(2)), []),  # 7 days before the third article below it
        (sequence(_12=day(1)), [Dating(12, "back-dated", day(11), day(13))]),
        (sequence(_4="2019-03-01"), [Dating(4, "back-dated", day(3), day(5))]),
        (sequence(_3="2019-03-01"), []),  # only two articles below it
        (sequence(_2="2019-03-01"), []),
        (sequence(_28="2031-01-01"), []),
        ([held(-1), known(3)], []),  # an imported text has no place in the sequence; the other is not held
    ],
)
def test_dates_that_do_not_fit_their_ids(posts, expected):
    assert list(take_stock(posts).datings) == expected


# --- the chart --------------------------------------------------------------------------------------------------------


def month(number, **changes):
    y, m = divmod(number, 12)
    base = {"known": 100, "held": 90, "missing": 6, "gone": 8, "gone_held": 4, "low": 100, "high": 112}
    return LedgerMonth(f"{2010 + y}-{m + 1:02}", "", **{**base, **changes})


NOTHING = {"known": 0, "held": 0, "missing": 0, "gone": 0, "gone_held": 0, "low": 0, "high": 40}
SVG = "{http://www.w3.org/2000/svg}"


def drawn(months, title="Articles a month, all sections"):
    return ET.fromstring(chart(months, title))


@pytest.mark.parametrize("count", [0, 1, 30, 31, 200])
def test_chart_has_one_group_per_month_and_stays_inside_its_edges(count):
    root = drawn([month(n) for n in range(count)])
    width, height = float(root.get("width")), float(root.get("height"))
    assert len(root.findall(f"{SVG}g")) == count
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.get("x", 0)) >= 0
        assert float(bar.get("x", 0)) + float(bar.get("width")) <= width
        assert float(bar.get("y", 0)) + float(bar.get("height")) <= height


def test_layers_of_a_bar_are_stacked():
    (group,) = drawn([month(0)]).findall(f"{SVG}g")
    bars = [(float(r.get("y")), float(r.get("height"))) for r in group.findall(f"{SVG}rect")][:4]
    for (y, _), (above, tall) in itertools.pairwise(bars):
        assert above + tall == pytest.approx(y, abs=0.11)
    assert [round(tall) for _, tall in bars] == [120, 6, 8, 6]  # 86, 4, 6 and 4 of 200 on 280 pixels
    assert "6 missing" in group.find(f"{SVG}title").text


@pytest.mark.parametrize(
    ("changes", "lines", "dotted"),
    [({}, 1, False), ({"low": 112}, 0, False), ({"low": None, "high": None}, 0, False), (NOTHING, 1, True)],
    ids=["interval", "exact", "unknown", "nothing known"],
)
def test_interval_is_drawn_as_a_line(changes, lines, dotted):
    (group,) = drawn([month(0, **changes)]).findall(f"{SVG}g")
    assert len(group.findall(f"{SVG}path")) == lines
    assert any(r.get("fill") == "url(#nothing)" for r in group.findall(f"{SVG}rect")) == dotted


def test_labels_are_months_for_few_months_and_years_for_many():
    def texts(count):
        return [t.text for t in drawn([month(n) for n in range(count)]).iter(f"{SVG}text")]

    assert "2010-03" in texts(3)
    assert "6" in texts(36), "the number of missing articles"
    assert "2010" in texts(40)
    assert "2010-03" not in texts(40)


def test_note_counts_articles_without_a_month_and_text_is_escaped():
    svg = chart([LedgerMonth("", "A & B", known=3), month(0, missing=1)], "Articles a month, A & B")
    assert "not shown: 3 articles without a known month" in svg
    assert drawn([month(0)], 'A & "B"').get("aria-label") == 'A & "B"'


@pytest.mark.parametrize("most", [0, 1, 2, 3, 9, 10, 11, 99, 100, 101, 1345, 6000])
def test_axis_reaches_the_highest_bar(most):
    root = drawn([month(0, **NOTHING | {"known": most, "held": most, "low": None, "high": None})])
    numbers = [
        int(t.text.replace(",", ""))
        for t in root.iter(f"{SVG}text")
        if t.get("text-anchor") == "end" and "-" not in t.text
    ]
    assert max(most, 1) <= max(numbers) <= max(2 * most, 1)


# --- the disk ---------------------------------------------------------------------------------------------------------


def sizes(*days):
    return [Size(f"2026-11-{number:02}", total - 10, 10, 1000) for number, total in days]


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ([], None),
        (sizes((1, 100)), None),
        (sizes((1, 100), (1, 200)), None),
        (sizes((1, 100), (2, 120), (11, 300)), 20.0),
        (sizes((1, 100), (6, 50)), -10.0),
    ],
)
def test_growth_per_day(recorded, expected):
    assert growth(recorded) == expected


@pytest.mark.parametrize(
    ("free", "a_day", "days"),
    [(1000, None, None), (1000, 0.0, None), (1000, -5.0, None), (1000, 100.0, 8), (1000, 90.0, 8), (100, 10.0, 0)],
)
def test_days_until_the_reserve_is_reached(free, a_day, days):
    assert days_until_full(free, 200, a_day) == days


def test_capture_addresses_of_missing_articles():
    missing = [
        Missing(1, "https://fr.vietnamplus.vn/a-post1.vnp", "2024-03", None, "known", None),
        Missing(2, "https://fr.vietnamplus.vn/b-post2.vnp", "", None, "known", None),
        Missing(3, None, "2024-03", None, "known", None),
    ]
    assert capture_addresses(missing) == [
        "https://web.archive.org/web/20240315id_/https://fr.vietnamplus.vn/a-post1.vnp",
        "https://web.archive.org/web/2id_/https://fr.vietnamplus.vn/b-post2.vnp",
    ]
