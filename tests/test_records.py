"""Articles as JSON and SQL values, as Markdown and HTML; differences of revisions; instants, values and errors."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import clock, errors, records, render
from crawler.types import (
    Article,
    Dateline,
    Fetched,
    ImageBlock,
    RawRef,
    Reading,
    Related,
    Repair,
    RunReport,
    StoredArticle,
    TextBlock,
)

IMAGE = ImageBlock("https://x/1.jpg", "T ảnh 1", "Une légende. Photo : VNA", "VNA", " ")
ARTICLE = Article(
    "Un <titre> & co", "Le lead", (TextBlock("paragraph", "Un."), IMAGE, TextBlock("heading", "Inter"), TextBlock("note", "N")),
    (Related("Autre", "R", "C", "https://x/b-post2.vnp", 2),), post_id=7, url="https://x/a-post7.vnp", section="Monde",
    dateline=Dateline("Hanoï", None, "VNA"), signature="-VNA", byline="A", tags=("a", "b"), published_at="2025-04-29T14:30:44+07:00",
    published_raw="2025-04-29T14:30:44+07:00", modified_at="2025-04-30T00:00:00+07:00", markup="cms-2024",
    provenance={"title": "markup"}, problems=("x: y",),
)  # fmt: skip
READING = Reading("Un. Inter", (Repair("nfc", 3, "\n\n", " "),))
STORED = StoredArticle(
    7, ARTICLE, READING, 2, "live", "2025-04-29T08:00:00Z", "2025-04-30T08:00:00Z", 1, RawRef("f", 0, 1, "d"), 3
)


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_the_json_has_every_key_of_the_contract():
    assert records.article_json(ARTICLE, reading=READING) == {
        "id": 7, "post_id": 7, "url": "https://x/a-post7.vnp", "kind": "article", "section": "Monde",
        "title": "Un <titre> & co", "lead": "Le lead",
        "blocks": [
            {"type": "paragraph", "text": "Un."},
            {"type": "image", "url": "https://x/1.jpg", "alt": "T ảnh 1", "caption": "Une légende. Photo : VNA", "credit": "VNA"},
            {"type": "heading", "text": "Inter"},
            {"type": "note", "text": "N"},
        ],
        "dateline": {"place": "Hanoï", "date": None, "agency": "VNA"}, "signature": "-VNA", "byline": "A", "tags": ["a", "b"],
        "published_at": "2025-04-29T14:30:44+07:00", "published_raw": "2025-04-29T14:30:44+07:00",
        "modified_at": "2025-04-30T00:00:00+07:00",
        "related": [{"post_id": 2, "url": "https://x/b-post2.vnp", "title": "Autre", "summary": "R", "caption": "C"}],
        "text": "Un.\n\nInter", "clean": "Un. Inter", "repairs": [{"rule": "nfc", "before": "\n\n", "after": " "}],
        "markup": "cms-2024", "provenance": {"title": "markup"}, "problems": ["x: y"], "word_count": 2,
    }  # fmt: skip


def test_the_json_of_an_article_with_a_title_only():
    record = records.article_json(Article("T"))
    assert record["dateline"] is None
    assert record["lead"] is None
    assert (record["text"], record["clean"], record["repairs"], record["tags"]) == ("", "", [], [])


def test_without_a_repaired_text_clean_is_the_verbatim_text():
    assert records.article_json(ARTICLE)["clean"] == ARTICLE.text


@pytest.mark.parametrize(("key", "expected"), [(None, 7), (-3, -3), (0, 0)], ids=["no key", "imported text", "zero"])
def test_the_id_is_the_key_in_the_archive_or_else_the_post_id(key, expected):
    record = records.article_json(ARTICLE, key=key)
    assert (record["id"], record["post_id"]) == (expected, 7)


def test_each_problem_is_listed_once():
    assert records.article_json(replace(ARTICLE, problems=("a", "b", "a")))["problems"] == ["a", "b"]


def test_json_text_is_compact_and_keeps_accents():
    assert records.dump({"a": ["é", None]}) == '{"a":["é",null]}'


TEXTS = st.text(max_size=8)
BLOCKS = st.lists(
    st.builds(TextBlock, st.sampled_from(["paragraph", "heading", "quote", "list_item", "table", "note"]), TEXTS)
    | st.builds(ImageBlock, st.none() | TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.sampled_from(["", " "])),
    max_size=5,
).map(tuple)


@settings(max_examples=80, deadline=None)
@given(BLOCKS)
def test_blocks_are_read_back_unchanged(blocks):
    assert records.load_blocks(records.dump_blocks(blocks)) == blocks


def test_the_joint_of_an_image_is_stored_only_if_it_has_one():
    blocks = (IMAGE, replace(IMAGE, joint=""))
    first, second = json.loads(text := records.dump_blocks(blocks))
    assert records.load_blocks(text) == blocks
    assert first["joint"] == " "
    assert second == records.block_json(IMAGE)


DATELINES = {
    "all parts": (("Hanoï", "5 mai", "VNA"), Dateline("Hanoï", "5 mai", "VNA")),
    "place only": (("Hanoï", None, None), Dateline("Hanoï", None, None)),
    "date only": ((None, "5 mai", None), Dateline(None, "5 mai", None)),
    "agency only": ((None, None, "VNA"), Dateline(None, None, "VNA")),
    "none": ((None, None, None), None),
}


@pytest.mark.parametrize(("columns", "expected"), DATELINES.values(), ids=DATELINES)
def test_a_dateline_is_read_back_from_its_columns(columns, expected):
    assert records.dateline_of(*columns) == expected


# --- documents --------------------------------------------------------------------------------------------------------


def test_the_json_of_a_stored_article_adds_the_fields_of_the_archive():
    record = render.as_json(replace(STORED, id=-3))
    assert record.items() >= {
        "id": -3, "revision": 2, "state": "live", "first_seen_at": "2025-04-29T08:00:00Z", "checked_at": "2025-04-30T08:00:00Z",
    }.items()  # fmt: skip
    assert record["clean"] == READING.clean


def test_the_text_format_is_the_seed_format():
    assert render.text(STORED).startswith("Un <titre> & co\n\nLe lead\n\nUn.\n\nUn <titre> & co ảnh 1 Une légende")


def test_markdown():
    article = Article(
        "T", "L", (
            TextBlock("paragraph", "P {x}"), TextBlock("heading", "H"), TextBlock("quote", "Q"), TextBlock("list_item", "I"),
            TextBlock("table", "a\tb\nc\td"), ImageBlock("u", "alt", "légende"), ImageBlock(None, ""),
        ), url="https://x/a-post7.vnp",
    )  # fmt: skip
    assert render.markdown(replace(STORED, article=article)).split("\n\n") == [
        "# T", "**L**", "P {x}", "## H", "> Q", "- I", "a\tb", "c\td", "![alt](u)\n*légende*", "![]()",
        "---\nT. Agence vietnamienne d'information. https://x/a-post7.vnp (revision 2, seen 2025-04-30T08:00:00Z)",
    ]  # fmt: skip


def test_markdown_without_a_lead():
    assert render.markdown(replace(STORED, article=Article("T"))).startswith("# T\n\n---\n")


def test_html_shows_every_block_type_and_escapes_text():
    blocks = [TextBlock(kind, f"<{kind}>") for kind in ("paragraph", "heading", "quote", "list_item", "table", "note")]
    images = [ImageBlock('u"', "a&b", "<c>"), ImageBlock(None, "")]
    page = render.as_html(replace(STORED, article=Article("T & co", "<L>", (*blocks, *images))))
    for part in (
        "<title>T &amp; co</title>", "<h1>T &amp; co</h1>", "<strong>&lt;L&gt;</strong>", "<p>&lt;paragraph&gt;</p>",
        "<h2>&lt;heading&gt;</h2>", "<blockquote>&lt;quote&gt;</blockquote>", "<li>&lt;list_item&gt;</li>",
        "<pre>&lt;table&gt;</pre>", "<p>&lt;note&gt;</p>", 'src="u&quot;" alt="a&amp;b"><figcaption>&lt;c&gt;</figcaption>',
        '<figure><img src="" alt=""></figure>', "seen 2025-04-30T08:00:00Z)</p></footer>",
    ):  # fmt: skip
        assert part in page


def test_html_without_a_lead():
    assert "<strong>" not in render.as_html(replace(STORED, article=Article("T")))


CITATIONS = {
    "dated": (ARTICLE, ", 2025-04-29T14:30:44+07:00. https://x/a-post7.vnp (revision 2"),
    "undated": (replace(ARTICLE, published_at=None), "d'information. https://x/a-post7.vnp"),
    "imported text": (replace(ARTICLE, url=None), ". imported text (revision 2"),
}


@pytest.mark.parametrize(("article", "part"), CITATIONS.values(), ids=CITATIONS)
def test_citation(article, part):
    assert part in render.citation(replace(STORED, article=article))


# --- instants ---------------------------------------------------------------------------------------------------------


def test_instants_are_stored_in_utc_and_whole_seconds():
    instant = datetime(2026, 1, 31, 15, 15, 0, 999_999, timezone(timedelta(hours=7)))
    assert clock.to_text(instant) == "2026-01-31T08:15:00Z"
    assert clock.from_text("2026-01-31T08:15:00Z") == datetime(2026, 1, 31, 8, 15, tzinfo=UTC)


@settings(max_examples=60, deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the time zone
def test_instants_are_read_back_unchanged(instant):
    assert clock.from_text(clock.to_text(instant)) == instant.replace(microsecond=0)


@settings(max_examples=60, deadline=None)
@given(*[st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.timezones())] * 2)  # noqa: DTZ001
def test_stored_instants_sort_in_order_of_time(one, other):
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    assert (clock.to_text(one) < clock.to_text(other)) == (one.astimezone(UTC) < other.astimezone(UTC))


def test_the_system_clock_has_a_time_zone_and_advances():
    machine = clock.SystemClock()
    before = machine.now()
    machine.sleep(-1)
    machine.sleep(0.001)
    assert before.utcoffset() == timedelta(0)
    assert machine.now() > before


# --- values -----------------------------------------------------------------------------------------------------------


def test_the_text_leaves_out_images_notes_and_tables():
    kinds = ["paragraph", "heading", "quote", "list_item", "table", "note"]
    article = Article("T", "L", (*[TextBlock(kind, kind) for kind in kinds], IMAGE))
    assert article.paragraphs == ("paragraph", "heading", "quote", "list_item")
    assert article.text == "paragraph\n\nheading\n\nquote\n\nlist_item"
    assert article.images == (IMAGE,)


def test_header_names_ignore_case_and_the_first_value_wins():
    fetched = Fetched("u", datetime.now(UTC), 200, "OK", "HTTP/1.1", (("ETag", "1"), ("etag", "2")), b"", b"", "/", ())
    assert fetched.header("eTag") == "1"
    assert fetched.header("Age") is None


def test_values_are_immutable():
    with pytest.raises(FrozenInstanceError):
        ARTICLE.title = "x"
    assert RunReport().fetched == 0


# --- errors -----------------------------------------------------------------------------------------------------------

MESSAGES = {
    "status": (errors.BadStatus("u", 500), "HTTP status 500"),
    "status with a message": (errors.BadStatus("u", 500, "oh"), "oh"),
    "throttled": (errors.Throttled("u", 429, 3.0), "HTTP status 429"),
    "no article": (errors.NotAnArticle("u", errors.Rejection.FEED), "not an article: a feed"),
    "drift": (errors.MarkupDrift("u", ("title", "body"), ARTICLE), "layout drift: missing title, body"),
    "not found": (errors.ArticleNotFound(-3), "no article -3 in this archive"),
}


@pytest.mark.parametrize(("error", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_the_message_of_an_error(error, expected):
    assert str(error) == expected


def test_the_message_includes_the_cause():
    error = errors.Unreachable("u", "no answer")
    error.__cause__ = OSError("refused")
    assert str(error) == "no answer: refused"
    error.__cause__ = OSError()
    assert str(error) == "no answer"


def test_errors_have_attributes_for_code():
    assert errors.Throttled("u", 429, 3.0).retry_after == 3.0
    assert errors.MarkupDrift("u", ("body",), ARTICLE).article is ARTICLE
    assert errors.StopError("x", "do this").hint == "do this"
    assert errors.StopError("x").hint == ""
    assert errors.ArticleNotFound(7).key == 7
    assert errors.NotAnArticle("u", errors.Rejection.FEED).reason == "a feed"


def test_the_docstring_lists_the_real_class_hierarchy():
    """In the docstring of `errors`, indentation means inheritance."""
    path, parents = [], {}
    for line in (errors.__doc__ or "").partition("```\n")[2].partition("```")[0].splitlines()[:-1]:
        depth = (len(line) - len(line.lstrip())) // 2
        names = [word.partition("(")[0] for word in line.strip().split("  ")[0].split(" > ")]
        for i, name in enumerate(names):
            path[depth + i :] = [name]
            parents[name] = path[depth + i - 1] if depth + i else "Exception"
    real = {
        name: kind.__bases__[0].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert parents == real
