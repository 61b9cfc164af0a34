"""Markup files: what is read, every mistake at once, and which layouts are tried for a page."""

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


def a(name, valid_from=None, valid_until=None):
    return Markup(name, ArticleSelectors(("h1",), ("p",)), valid_from=valid_from, valid_until=valid_until)


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_layouts_of_the_package_are_right(path):
    one = markup.load(path.name, path.read_text("utf-8"))
    assert one.name == path.stem
    assert one.about
    assert one.valid_from


def test_the_smallest_file():
    assert markup.load("x.toml", SMALL) == Markup("x", ArticleSelectors(("h1",), (".b", "#c")))


def test_a_whole_file():
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


MISTAKES = {
    "not TOML": ("name = ", ["not valid TOML"]),
    "nothing": ("", ["name: missing", "[article]: missing"]),
    "no name": ('[article]\ntitle = ["h1"]\nbody = ["p"]', ["name: missing"]),
    "empty name": (SMALL.replace('"x"', '" "'), ["name: must be a text"]),
    "name that is no text": (SMALL.replace('"x"', "3"), ["name: must be a text"]),
    "no title": ('name = "x"\n[article]\nbody = ["p"]', ["article.title: missing"]),
    "empty list for the body": ('name = "x"\n[article]\ntitle = ["h1"]\nbody = []', ["article.body: missing"]),
    "unknown key": (SMALL + 'lede = ["p"]', ["article.lede: unknown key; known are title, body, lead"]),
    "unknown table": (SMALL + "[articles]", ["articles: unknown key"]),
    "a text where a list must be": (SMALL + 'lead = ".l"', ["article.lead: must be a list"]),
    "a selector that is none": (SMALL + 'lead = ["p..q"]', ["article.lead: 'p..q' is no CSS selector"]),
    "an empty selector": (SMALL + 'lead = [" "]', ["article.lead: ' ' is no CSS selector"]),
    "a selector that is no text": (SMALL + "lead = [3]", ["article.lead: 3 is no CSS selector"]),
    "a table that is none": ('name = "x"\narticle = 3', ["article: must be a table", "[article]: missing"]),
    "another table that is none": ('body = "x"\n' + SMALL, ["body: must be a table"]),
    "a date in quotes": ('valid_from = "2024-01-31"\n' + SMALL, ["valid_from: must be a date"]),
    "a date with a time": ("valid_until = 2024-01-31T08:00:00\n" + SMALL, ["valid_until: must be a date"]),
    "an end before its start": (
        "valid_from = 2024-02-01\nvalid_until = 2024-01-31\n" + SMALL,
        ["valid_until: 2024-01-31 is before valid_from 2024-02-01"],
    ),
    "attributes that are no list": (SMALL + '[attributes]\nimage = "src"', ["attributes.image: must be a list of attribute names"]),
    "no attribute at all": (SMALL + "[attributes]\ntime = []", ["attributes.time: must be a list of attribute names"]),
    "a selector where an attribute's name must be": (
        SMALL + '[attributes]\nimage = ["src", "[src]"]', ["attributes.image: must be a list of attribute names"],
    ),
    "heading that is no text": (SMALL + "[related]\nheading = []", ["related.heading: must be a text"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_every_mistake_is_named_with_file_and_key(text, expected):
    with pytest.raises(ConfigError) as caught:
        markup.load("x.toml", text)
    found = str(caught.value).splitlines()
    assert len(found) == len(expected)
    for line, part in zip(found, expected, strict=True):
        assert line.startswith(f"x.toml: {part}")
    assert caught.value.hint


def test_a_day_may_begin_and_end_a_layout():
    assert markup.load("x", "valid_from = 2024-01-31\nvalid_until = 2024-01-31\n" + SMALL).covers(date(2024, 1, 31))


# --- several files ----------------------------------------------------------------------------------------------------


def test_a_later_file_replaces_an_earlier_one_of_its_name():
    newer = SMALL.replace("h1", "h2")
    other = SMALL.replace('"x"', '"y"')
    assert markup.load_all([("a", SMALL), ("b", other), ("c", newer)]) == (
        markup.load("c", newer),
        markup.load("b", other),
    )


def test_the_mistakes_of_all_files_come_at_once():
    with pytest.raises(ConfigError) as caught:
        markup.load_all([("a", ""), ("b", SMALL), ("c", "name =")])
    assert [line[:2] for line in str(caught.value).splitlines()] == ["a:", "a:", "c:"]


def test_no_files_no_layouts():
    assert markup.load_all([]) == ()


# --- choosing ---------------------------------------------------------------------------------------------------------

COVERS = {
    "always open": (a("x"), "2000-01-01", True),
    "first day": (a("x", date(2024, 1, 1)), "2024-01-01", True),
    "the day before": (a("x", date(2024, 1, 1)), "2023-12-31", False),
    "last day": (a("x", None, date(2024, 1, 1)), "2024-01-01", True),
    "the day after": (a("x", None, date(2024, 1, 1)), "2024-01-02", False),
}


@pytest.mark.parametrize(("one", "day", "expected"), COVERS.values(), ids=COVERS)
def test_covers(one, day, expected):
    assert one.covers(date.fromisoformat(day)) is expected


OLD = a("old", date(2016, 1, 1), date(2022, 6, 30))
NEW = a("new", date(2022, 6, 1))
OPEN = a("open")
ORDERS = {
    "a page of today": ("2026-11-21", ["new", "open", "old"]),
    "a page of the older days": ("2018-01-01", ["old", "open", "new"]),
    "a page from where two layouts meet": ("2022-06-15", ["new", "old", "open"]),
    "a page from before all": ("2010-01-01", ["open", "new", "old"]),
}


@pytest.mark.parametrize(("day", "expected"), ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("given", [[OLD, NEW, OPEN], [OPEN, NEW, OLD]], ids=["in order", "reversed"])
def test_the_layouts_of_the_day_come_first_and_the_newest_first_among_them(given, day, expected):
    fetched = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    assert [one.name for one in markup.choose(given, fetched)] == expected


def test_the_day_is_that_of_utc():
    early = datetime(2022, 7, 1, 3, tzinfo=timezone(timedelta(hours=7)))
    assert markup.choose([a("until", None, date(2022, 6, 30)), a("from", date(2022, 7, 1))], early)[0].name == "until"
    assert markup.choose([NEW], datetime(2000, 1, 1, tzinfo=UTC)) == (NEW,)


def test_the_keys_that_the_documentation_lists():
    keys = markup.selector_keys()
    assert keys["article"][:2] == ("title", "body")
    assert set(keys) >= {"article", "body", "related"}
    assert "heading" in keys["related"]
    assert "noise" in keys["body"]
