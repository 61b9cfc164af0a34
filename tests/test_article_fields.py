"""The table of article fields, and the columns that the formats take from it. The orders here are part of the contract."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from support import NOW, SEED_ARTICLES

from crawler import export, identity, records, render
from crawler.article_fields import CSV_FIELDS, FIELDS, Compared, FieldType, In, compared_fields, fields_in
from crawler.identity import Decision
from crawler.storage import FILE, open_archive
from crawler.storage.revisions import ArticleIntent
from crawler.types import Article, Dateline, Reading, Repair, StoredArticle, TextBlock

BY_NAME = {field.name: field for field in FIELDS}
JSON_KEYS = (
    "id post_id url kind section title lead blocks dateline signature byline tags published_at published_raw modified_at "
    "related text clean repairs markup provenance problems revision state first_seen_at checked_at word_count fetched_url"
).split()
CSV_HEADER = (
    "id url kind section title lead text clean dateline_place dateline_date agency signature byline tags published_at "
    "modified_at revision state first_seen_at checked_at markup word_count fetched_url"
).split()
PARQUET_COLUMNS = (
    "id post_id url kind section title lead blocks dateline signature byline tags published_at published_at_text "
    "published_raw published_on modified_at modified_at_text related text clean repairs markup provenance problems "
    "revision state first_seen_at checked_at word_count fetched_url"
).split()
ARTICLE = Article(
    "Titre",
    blocks=(TextBlock("paragraph", "Paris, 2 mai (VNA) - L'État, c'estmoi."),),
    post_id=7,
    dateline=Dateline("Paris", "2 mai", "VNA"),
    tags=("a", "b"),
    provenance={"title": "h1"},
    problems=("x", "y", "x"),
)
READING = Reading("Paris, 2 mai (VNA) - L'État, c'est moi.", (Repair("glued-words", 31, "estmoi", "est moi"),))
STORED = StoredArticle(7, ARTICLE, READING, 1, "live", "2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z", 1)


# --- the table --------------------------------------------------------------------------------------------------------


def test_each_field_is_listed_once():
    assert len(BY_NAME) == len(FIELDS)


def test_each_field_has_a_place_and_a_description():
    assert not [field.name for field in FIELDS if not field.places or not field.description]


def test_csv_columns_are_numbered_from_one_without_holes():
    assert [field.csv for field in CSV_FIELDS] == list(range(1, len(CSV_FIELDS) + 1))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (fields_in(In.JSON), JSON_KEYS),
        (CSV_FIELDS, CSV_HEADER),
        (fields_in(In.PARQUET), PARQUET_COLUMNS),
    ],
    ids=["JSON", "CSV", "Parquet"],
)
def test_the_exported_columns_keep_their_order(columns, expected):
    assert [field.name for field in columns] == expected


def test_an_exported_field_that_the_archive_sets_is_an_attribute_of_a_stored_article():
    attributes = {attribute.name for attribute in fields(StoredArticle)}
    exported = {*fields_in(In.JSON), *CSV_FIELDS}
    assert {field.name for field in exported if field.read is None} <= attributes


def test_reparse_compares_more_fields_of_the_current_revision():
    assert set(compared_fields(current=True)) == set(
        "title lead kind section blocks dateline signature byline tags published_at modified_at related url clean problems "
        "markup".split()
    )
    assert set(compared_fields(current=False)) == set("title lead kind section blocks byline tags published_at".split())


def test_reparse_compares_only_fields_that_a_revision_keeps():
    assert all(In.REVISIONS in field.places for field in FIELDS if field.compared is Compared.ALWAYS)


def test_reparse_compares_keys_of_the_json():
    assert set(compared_fields(current=True)) <= set(JSON_KEYS)


# --- the formats ------------------------------------------------------------------------------------------------------


def test_the_json_of_a_parsed_article_leaves_out_what_the_archive_sets():
    set_by_archive = {"revision", "state", "first_seen_at", "checked_at", "fetched_url"}
    assert list(records.article_json(ARTICLE)) == [key for key in JSON_KEYS if key not in set_by_archive]


def test_the_json_of_a_stored_article_has_every_key_in_order():
    assert list(render.as_json(STORED)) == JSON_KEYS


@pytest.mark.parametrize(("stored", "exported"), [(None, 9), (0, 0), (5, 5)])
def test_a_stored_word_count_is_not_computed_again(stored, exported):
    assert render.as_json(replace(STORED, word_count=stored))["word_count"] == exported


@pytest.mark.parametrize(
    ("published_at", "day"),
    [
        ("2024-12-31T17:00:00+00:00", "2025-01-01"),
        ("2024-12-31T23:59:59+07:00", "2024-12-31"),
        ("2024-12-31T23:59:59", "2024-12-31"),
        ("jadis", None),
        (None, None),
    ],
)
def test_the_day_of_publication_is_that_in_hanoi(published_at, day):
    stored = replace(STORED, article=replace(ARTICLE, published_at=published_at))
    assert records.selected_json(stored, [BY_NAME["published_on"]]) == {"published_on": day}


def test_the_csv_has_every_column_in_order():
    out = io.StringIO()
    assert export.table([STORED], out) == 1
    header, row = csv.reader(io.StringIO(out.getvalue()))
    assert header == CSV_HEADER
    values = dict(zip(header, row, strict=True))
    assert (values["dateline_place"], values["dateline_date"], values["agency"]) == ("Paris", "2 mai", "VNA")
    assert (values["id"], values["tags"], values["lead"], values["word_count"]) == ("7", "a;b", "", "9")


COLUMN_VALUES = {
    "tags": '["a","b"]',
    "provenance": '{"title":"h1"}',
    "problems": '["x","y"]',
    "blocks": '[{"type":"paragraph","text":"Paris, 2 mai (VNA) - L\'État, c\'estmoi."}]',
    "dateline_place": "Paris",
    "title": "Titre",
    "word_count": 9,
}


@pytest.mark.parametrize(("name", "expected"), COLUMN_VALUES.items(), ids=COLUMN_VALUES)
def test_lists_and_maps_are_json_text_in_a_column(name, expected):
    field = BY_NAME[name]
    assert records.sql_value(field, field.read(ARTICLE, READING)) == expected


def test_the_problem_of_glued_words_keeps_the_wording_that_archives_store():
    """The JSON of a stored article merges the stored problems with those of its repairs: both must be the same text."""
    reading = Reading("", tuple(Repair("glued-words", place, "ab", "a b") for place in range(3)))
    stored = ("text: 3 spots where words run together, as after lost line breaks",)
    assert records.article_json(replace(ARTICLE, problems=stored), reading=reading)["problems"] == list(stored)


def test_the_csv_has_lists_and_structures_as_json():
    out = io.StringIO()
    columns = [
        BY_NAME[name] for name in ("tags", "problems", "dateline", "repairs", "provenance", "related", "published_on")
    ]
    export.table([STORED, replace(STORED, article=Article("Rien"))], out, columns)
    _, row, bare = csv.reader(io.StringIO(out.getvalue()))
    assert row[0] == "a;b"
    assert json.loads(row[1]) == ["x", "y"]
    assert json.loads(row[2]) == {"place": "Paris", "date": "2 mai", "agency": "VNA"}
    assert json.loads(row[3]) == [{"rule": "glued-words", "before": "estmoi", "after": "est moi"}]
    assert json.loads(row[4]) == {"title": "h1"}
    assert (row[5], row[6]) == ("[]", "")
    assert (bare[0], bare[2]) == ("", "")


def test_the_parts_of_an_absent_dateline_are_null():
    without = replace(ARTICLE, dateline=None)
    for name in ("dateline_place", "dateline_date", "agency"):
        assert BY_NAME[name].read(without, READING) is None


def test_an_article_is_read_back_from_its_columns():
    columns = [field for field in FIELDS if In.ARTICLES in field.places and field.read]
    row = {field.name: records.sql_value(field, field.read(ARTICLE, READING)) for field in columns}
    others = {"post_id": 7, "dateline": ARTICLE.dateline, "tags": ARTICLE.tags}
    assert records.article_from_row(row, columns, **others) == replace(ARTICLE, problems=("x", "y"))


# --- the database -----------------------------------------------------------------------------------------------------

SQL_TYPES = {FieldType.INTEGER: "INTEGER", FieldType.SMALL_INTEGER: "INTEGER"}
#: Columns that hold no field: the key and the history of a revision; the last capture, which is written on its own.
OTHER_COLUMNS = {
    "articles": {"last_raw_id", "own_text", "own_clean"},
    "stored_revisions": {"article", "seen_at", "known_at", "changed", "replaced_pictures"},
}
#: Columns of required fields that may be NULL: generated ones, and those of revisions that share the content of their article.
NULLABLE = {"articles": {"text", "clean"}, "stored_revisions": {"kind", "title", "blocks"}}


@pytest.mark.parametrize(("table", "place"), [("articles", In.ARTICLES), ("stored_revisions", In.REVISIONS)])
def test_the_tables_have_the_columns_of_the_fields(tmp_path, table, place):
    open_archive(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        columns = {
            name: (type_, bool(required or key))
            for _, name, type_, required, _, key, _ in db.execute(f"PRAGMA table_xinfo({table})")
        }
    assert columns.keys() - OTHER_COLUMNS[table] == {field.name for field in fields_in(place)}
    for field in fields_in(place):
        required = field.required and field.name not in NULLABLE[table]
        assert columns[field.name] == (SQL_TYPES.get(field.type, "TEXT"), required), field.name


def intent(article, reading, **changes):
    base = ArticleIntent(
        key=7, article=article, reading=reading, decision=Decision("new", 1), fingerprint=identity.fingerprint(article),
        body_key=identity.body_key(article), simhash=1, published_on=None, parser=1, now=NOW,
    )  # fmt: skip
    return replace(base, **changes)


def test_the_word_count_is_stored_and_updated(tmp_path):
    longer = replace(ARTICLE, blocks=(*ARTICLE.blocks, TextBlock("paragraph", "Aujourd'hui, rien.")))
    counts = []
    with open_archive(tmp_path) as archive, archive.transaction():
        for number, (article, reading) in enumerate([(ARTICLE, READING), (longer, Reading(longer.text))], start=1):
            decision = Decision("new" if number == 1 else "revised", number)
            now = NOW + timedelta(hours=number)
            archive.save_article(intent(article, reading, decision=decision, now=now))
            counts.append(archive.db.execute("SELECT word_count FROM articles").fetchone()[0])
        archive.replace_reading(intent(longer, Reading(""), decision=Decision("unchanged", 2)), longer.images)
        counts.append(archive.db.execute("SELECT word_count FROM articles").fetchone()[0])
        assert archive.article(7).first_seen_at == "2026-11-21T09:00:00Z"
        first = archive.revision(7, number=1)
    assert counts == [9, 10, 0]
    assert render.as_json(first)["word_count"] == 8, (
        "the words of the verbatim text: older repaired texts are not stored"
    )


def test_a_stored_seed_is_read_back_with_every_field(tmp_path):
    article = SEED_ARTICLES["000"]
    with open_archive(tmp_path) as archive, archive.transaction():
        archive.save_article(intent(article, Reading(article.text), key=-1))
        stored = archive.article(-1)
    assert stored.article == article
    added = {"revision": 1, "state": "live", "fetched_url": None} | dict.fromkeys(
        ["first_seen_at", "checked_at"], "2026-11-21T08:00:00Z"
    )
    assert render.as_json(stored) == records.article_json(article, key=-1) | added
