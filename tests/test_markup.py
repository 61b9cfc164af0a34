"""Markup files: parsing, validation (all errors at once), and the order of the layouts to try."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from crawler import markup
from crawler.errors import ConfigError
from crawler.markup import ArticleSelectors, Attributes, BodySelectors, Markup, RelatedSelectors

FILES = sorted(Path(inspect.getfile(markup)).with_name("markups").glob("*.toml"))
SMALL = 'name = "x"\n[article]\ntitle = ["h1"]\nbody = [".b", "#c"]\n'


def make(name, valid_from=None, valid_until=None):
    return Markup(name, ArticleSelectors(("h1",), ("p",)), valid_from=valid_from, valid_until=valid_until)


# --- parsing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_packaged_layouts_are_valid(path):
    layout = markup.load(path.name, path.read_text("utf-8"))
    assert layout.name == path.stem
    assert layout.about
    assert layout.valid_from


def test_smallest_valid_file():
    assert markup.load("x.toml", SMALL) == Markup("x", ArticleSelectors(("h1",), (".b", "#c")))


def test_file_with_all_tables():
    text = """
        name = "x"
        about = "a layout"
        valid_from = 2024-01-31
        valid_until = 2024-12-31
        [article]
        title = ["h1"]
        body = [".b"]
        lead = [".l > p"]
        [body]
        noise = ["[id^=ads]"]
        [related]
        heading = "Lire aussi"
        item = ["li"]
        [attributes]
        image = ["data-x", "src"]
    """
    assert markup.load("x.toml", text) == Markup(
        "x", ArticleSelectors(("h1",), (".b",), lead=(".l > p",)), BodySelectors(noise=("[id^=ads]",)),
        RelatedSelectors("Lire aussi", item=("li",)), Attributes(image=("data-x", "src")),
        about="a layout", valid_from=date(2024, 1, 31), valid_until=date(2024, 12, 31),
    )  # fmt: skip


INVALID = {
    "not TOML": ("name = ", ["not valid TOML"]),
    "empty file": ("", ["name: missing", "[article]: missing"]),
    "no name": ('[article]\ntitle = ["h1"]\nbody = ["p"]', ["name: missing"]),
    "empty name": (SMALL.replace('"x"', '" "'), ["name: must be a non-empty string"]),
    "name that is a number": (SMALL.replace('"x"', "3"), ["name: must be a non-empty string"]),
    "no title": ('name = "x"\n[article]\nbody = ["p"]', ["article.title: missing"]),
    "empty list for body": ('name = "x"\n[article]\ntitle = ["h1"]\nbody = []', ["article.body: missing"]),
    "unknown key": (SMALL + 'lede = ["p"]', ["article.lede: unknown key; known keys: title, body, lead"]),
    "unknown table": (SMALL + "[articles]", ["articles: unknown key"]),
    "string instead of a list": (SMALL + 'lead = ".l"', ["article.lead: must be a list"]),
    "invalid selector": (SMALL + 'lead = ["p..q"]', ["article.lead: 'p..q' is not a CSS selector"]),
    "empty selector": (SMALL + 'lead = [" "]', ["article.lead: ' ' is not a CSS selector"]),
    "selector that is a number": (SMALL + "lead = [3]", ["article.lead: 3 is not a CSS selector"]),
    "article is not a table": ('name = "x"\narticle = 3', ["article: must be a table", "[article]: missing"]),
    "body is not a table": ('body = "x"\n' + SMALL, ["body: must be a table"]),
    "date in quotes": ('valid_from = "2024-01-31"\n' + SMALL, ["valid_from: must be a date"]),
    "date with a time": ("valid_until = 2024-01-31T08:00:00\n" + SMALL, ["valid_until: must be a date"]),
    "end before start": (
        "valid_from = 2024-02-01\nvalid_until = 2024-01-31\n" + SMALL,
        ["valid_until: 2024-01-31 is before valid_from 2024-02-01"],
    ),
    "attribute name outside a list": (SMALL + '[attributes]\nimage = "src"', ["attributes.image: must be a list of attribute names"]),
    "empty list of attribute names": (SMALL + "[attributes]\ntime = []", ["attributes.time: must be a list of attribute names"]),
    "selector instead of an attribute name": (
        SMALL + '[attributes]\nimage = ["src", "[src]"]', ["attributes.image: must be a list of attribute names"],
    ),
    "heading that is a list": (SMALL + "[related]\nheading = []", ["related.heading: must be a non-empty string"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), INVALID.values(), ids=INVALID)
def test_every_error_is_reported_with_file_and_key(text, expected):
    with pytest.raises(ConfigError) as caught:
        markup.load("x.toml", text)
    found = str(caught.value).splitlines()
    assert len(found) == len(expected)
    for line, part in zip(found, expected, strict=True):
        assert line.startswith(f"x.toml: {part}")
    assert caught.value.hint


def test_a_layout_may_be_valid_for_one_day():
    assert markup.load("x", "valid_from = 2024-01-31\nvalid_until = 2024-01-31\n" + SMALL).covers(date(2024, 1, 31))


# --- several files ----------------------------------------------------------------------------------------------------


def test_a_later_file_replaces_an_earlier_one_of_the_same_name():
    newer = SMALL.replace("h1", "h2")
    other = SMALL.replace('"x"', '"y"')
    assert markup.load_all([("a", SMALL), ("b", other), ("c", newer)]) == (
        markup.load("c", newer),
        markup.load("b", other),
    )


def test_the_errors_of_all_files_are_reported_together():
    with pytest.raises(ConfigError) as caught:
        markup.load_all([("a", ""), ("b", SMALL), ("c", "name =")])
    assert [line[:2] for line in str(caught.value).splitlines()] == ["a:", "a:", "c:"]


def test_no_files_give_no_layouts():
    assert markup.load_all([]) == ()


# --- choosing ---------------------------------------------------------------------------------------------------------

COVERS = {
    "no bounds": (make("x"), "2000-01-01", True),
    "first day": (make("x", date(2024, 1, 1)), "2024-01-01", True),
    "the day before": (make("x", date(2024, 1, 1)), "2023-12-31", False),
    "last day": (make("x", None, date(2024, 1, 1)), "2024-01-01", True),
    "the day after": (make("x", None, date(2024, 1, 1)), "2024-01-02", False),
}


@pytest.mark.parametrize(("layout", "day", "expected"), COVERS.values(), ids=COVERS)
def test_covers(layout, day, expected):
    assert layout.covers(date.fromisoformat(day)) is expected


OLD = make("old", date(2016, 1, 1), date(2022, 6, 30))
NEW = make("new", date(2022, 6, 1))
OPEN = make("open")
ORDERS = {
    "today": ("2026-11-21", ["new", "open", "old"]),
    "in the old layout's time": ("2018-01-01", ["old", "open", "new"]),
    "where two layouts overlap": ("2022-06-15", ["new", "old", "open"]),
    "before all layouts": ("2010-01-01", ["open", "new", "old"]),
}


@pytest.mark.parametrize(("day", "expected"), ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("given", [[OLD, NEW, OPEN], [OPEN, NEW, OLD]], ids=["in order", "reversed"])
def test_choose_puts_layouts_of_the_day_first_and_newest_first(given, day, expected):
    fetched = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    assert [layout.name for layout in markup.choose(given, fetched)] == expected


def test_choose_uses_the_day_in_utc():
    early = datetime(2022, 7, 1, 3, tzinfo=timezone(timedelta(hours=7)))
    assert (
        markup.choose([make("until", None, date(2022, 6, 30)), make("from", date(2022, 7, 1))], early)[0].name
        == "until"
    )
    assert markup.choose([NEW], datetime(2000, 1, 1, tzinfo=UTC)) == (NEW,)
