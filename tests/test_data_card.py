"""The texts that describe an export: Data Package, data card and citation."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import jsonschema
import pytest
import yaml

from crawler import data_card
from crawler.article_fields import CSV_FIELDS, EXPORTED, In, fields_in
from crawler.coverage import Ledger, LedgerMonth
from crawler.data_card import Card, Contents, Coverage, DataFile

#: The part of the Data Package and Table Schema specifications that is used here.
PACKAGE = {
    "type": "object",
    "required": ["name", "resources", "licenses", "created"],
    "properties": {
        "name": {"pattern": r"^[a-z0-9._/-]+$"},
        "created": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "resources": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "path", "bytes", "hash", "format", "mediatype", "profile"],
                "properties": {
                    "name": {"pattern": r"^[a-z0-9._/-]+$"},
                    "path": {"pattern": r"^(?!/)(?!.*\.\.)"},
                    "bytes": {"type": "integer"},
                    "hash": {"pattern": "^sha256:[0-9a-f]{64}$"},
                    "schema": {"$ref": "#/$defs/schema"},
                },
            },
        },
        "vna:schema": {"$ref": "#/$defs/schema"},
    },
    "$defs": {
        "schema": {
            "required": ["fields"],
            "properties": {
                "fields": {
                    "minItems": 1,
                    "items": {
                        "required": ["name", "type", "description"],
                        "properties": {"type": {"enum": "string integer datetime date array object".split()}},
                    },
                }
            },
        }
    },
}
FILE = DataFile("data/articles.csv", 1234, "a" * 64)
CARD = Card(
    format="csv",
    texts=None,
    columns=CSV_FIELDS,
    files=(FILE,),
    contents=Contents({"2024": 1200, "no date": 1}, {"Politique": 1201}, {"article": 1201}, {"live": 1200, "gone": 1}),
    conditions=("--section Politique", "--query <b>|x"),
    revisions=False,
    coverage=(Coverage("2024", 1300, 1290, 7, 3),),
    gaps=(("2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z", "https://fr.vietnamplus.vn/rss"),),
    archive="909365be-fb23-4aee-af12-514b3191fb04",
    created="2026-11-21T08:00:00Z",
    software="vna-archive 1",
)
PARQUET = replace(
    CARD,
    format="parquet",
    columns=fields_in(In.PARQUET),
    files=(replace(FILE, path="data/year=2024/month=1/part-0.parquet"),),
)
TEXTS = replace(CARD, texts="text", files=(replace(FILE, path="data/metadata.csv"),))
CARDS = {
    "csv": CARD, "bom": replace(CARD, bom=True), "jsonl": replace(CARD, format="jsonl"), "parquet": PARQUET, "text": TEXTS,
    "tei": replace(TEXTS, texts="tei"), "revisions": replace(CARD, revisions=True), "all columns": replace(CARD, columns=EXPORTED),
    "few columns": replace(CARD, columns=CSV_FIELDS[4:5]), "nothing": replace(CARD, files=(), gaps=(), coverage=(), conditions=()),
}  # fmt: skip
each_card = pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)


def package(card):
    return json.loads(data_card.datapackage(card, {"README.md": "b" * 64}))


@each_card
def test_the_data_package_is_valid(card):
    found = package(card)
    if card.files:
        jsonschema.validate(found, PACKAGE)
        assert [one["path"] for one in found["resources"]] == [file.path for file in card.files]


@each_card
def test_the_data_card_has_metadata_every_column_and_the_note_on_rights(card):
    text = data_card.readme(card)
    metadata = yaml.safe_load(text.split("---\n")[1])
    assert (metadata["language"], metadata["license"]) == (["fr"], "other")
    assert metadata["size_categories"] == ["1K<n<10K"]
    assert all(f"| `{column.name}` | " in text for column in card.columns)
    assert data_card.RIGHTS in text
    assert ("| 2024 | 1,300 | 1,290 | 7 | 3 |" in text) == bool(card.coverage)
    assert ("There are no open gaps." in text) == (not card.gaps)


@each_card
def test_the_citation_is_valid_yaml(card):
    cited = yaml.safe_load(data_card.citation_cff(card))
    assert (cited["cff-version"], cited["type"], cited["title"]) == ("1.2.0", "dataset", data_card.TITLE)
    assert cited["authors"][0]["name"] == "Agence vietnamienne d'information"
    assert str(cited["date-released"]) == "2026-11-21"


@pytest.mark.parametrize(
    ("name", "format_", "type_"),
    [
        ("tags", "csv", "string"),
        ("tags", "jsonl", "array"),
        ("blocks", "csv", "array"),
        ("provenance", "jsonl", "object"),
        ("provenance", "parquet", "array"),
        ("published_at", "csv", "string"),
        ("published_at", "parquet", "datetime"),
        ("checked_at", "csv", "datetime"),
        ("published_on", "csv", "date"),
        ("word_count", "csv", "integer"),
        ("title", "csv", "string"),
    ],
)
def test_columns_have_the_type_that_the_format_gives_them(name, format_, type_):
    (field,) = (one for one in EXPORTED if one.name == name)
    assert data_card.column_type(format_, field) == type_


@pytest.mark.parametrize(
    ("count", "size"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (260_000, "100K<n<1M"), (2_000_000, "1M<n<10M")]
)
def test_the_size_of_the_dataset_has_a_category(count, size):
    card = replace(CARD, contents=replace(CARD.contents, years={"2024": count}))
    assert f"- {size}\n" in data_card.readme(card)


def test_the_key_is_that_of_an_article_or_of_a_revision():
    assert package(CARDS["csv"])["resources"][0]["schema"]["primaryKey"] == ["id"]
    assert package(CARDS["revisions"])["resources"][0]["schema"]["primaryKey"] == ["id", "revision"]
    assert "primaryKey" not in package(CARDS["few columns"])["resources"][0]["schema"]


def test_text_of_others_is_no_markup_in_the_data_card():
    assert "\\<b>\\|x" in data_card.readme(CARD)


def test_coverage_is_summed_by_year_over_all_sections():
    months = (
        LedgerMonth("2024-01", "", known=3, held=2, missing=1),
        LedgerMonth("2024-01", "Sport", known=3, held=2, missing=1),
        LedgerMonth("2024-02", "", known=2, held=1, gone=1),
        LedgerMonth("2023-02", ""),
        LedgerMonth("", "", known=1, held=1),
    )
    assert data_card.coverage_by_year(Ledger(months, (), (), ())) == (
        Coverage("2024", 5, 3, 1, 1),
        Coverage("no date", 1, 1, 0, 0),
    )


def test_an_unchanged_package_lists_its_files():
    text = data_card.datapackage(CARD, {"README.md": "b" * 64})
    digest = data_card.digest_of(data_card.without_digest(text))
    assert data_card.recorded_files(text, digest) == {"data/articles.csv": "a" * 64, "README.md": "b" * 64}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("1234", "1235"),
        lambda text: text + " ",
        lambda text: re.sub('"vna:sha256": "[0-9a-f]+"', '"vna:sha256": 5', text),
        lambda _: "[]",
        lambda _: "{",
        lambda _: "{}",
    ],
)
def test_a_changed_package_lists_nothing(change):
    text = change(data_card.datapackage(CARD, {}))
    assert data_card.recorded_files(text, data_card.digest_of(data_card.without_digest(text))) == {}
