"""The Parquet dataset: the content of the JSON Lines export, in Hive folders, replaced as a whole."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import requires
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path

import pytest
from support import NOW, SEED_ARTICLES, SITE, vna

import crawler
from crawler import dataset, identity, render
from crawler.errors import BadInput, StopError
from crawler.identity import Decision
from crawler.parse import times
from crawler.site import HANOI
from crawler.storage import open_archive
from crawler.storage.articles import ArticleIntent
from crawler.types import Article, Dateline, ImageBlock, Reading, Related, Repair, TextBlock

if find_spec("pyarrow"):
    import pyarrow as pa
    from pyarrow import dataset as reader
    from pyarrow import parquet

    from crawler.dataset import table

needs_pyarrow = pytest.mark.skipif(find_spec("pyarrow") is None, reason="the extra [parquet] is not installed")
NOWHERE = "__HIVE_DEFAULT_PARTITION__"

FULL = Article(
    title="Les « crevettes » de Cà Mau\u00a0: l’essor",
    lead="Un essor.",
    blocks=(
        ImageBlock(f"{SITE}/1.jpg", "Cà Mau", "Une ferme. Photo : VNA", "VNA"),
        TextBlock("paragraph", "Hanoï, 2 mai (VNA) - Le prixest haut 🦐."),
        TextBlock("table", "a\tb\n1\t2"),
        ImageBlock(None),
    ),
    related=(
        Related("Autre", "Résumé", "Légende", f"{SITE}/autre-post7.vnp", 7),
        Related("Sans adresse"),
    ),
    kind="photo",
    section="Économie",
    dateline=Dateline("Hanoï", None, "VNA"),
    signature="- VNA",
    byline="Xuân Lan",
    tags=("crevette", "Cà Mau"),
    published_at="2025-05-02T08:00:00+07:00",
    published_raw="02/05/2025 08:00",
    modified_at="2025-05-02T02:30:00+00:00",
    markup="cms-2024",
    provenance={"title": "h1", "lead": "og:description"},
    problems=("no avatar", "two dates"),
)
BARE = Article(title="Rien")
ARTICLES = {
    **dict(enumerate(SEED_ARTICLES.values(), start=1)),
    10: FULL,
    11: replace(BARE, published_at="2024-12-31T17:00:00+00:00"),  # midnight in Hanoi, in the next year
    12: replace(BARE, published_at="2024-12-31T23:59:59+07:00"),
    13: replace(BARE, published_at="2024-04-01T00:00:00+07:00", modified_at="hier"),
    14: replace(BARE, published_at="2025-05-01T00:00:00+07:00"),  # the same month as article 10, but a lower day
    -1: BARE,
    -2: replace(BARE, published_at="jadis"),
}


def archived(folder, articles):
    with open_archive(folder) as archive, archive.transaction():
        for key, said in articles.items():
            when = times.instant(said.published_at) if said.published_at else None
            archive.save_article(
                ArticleIntent(
                    key=key,
                    article=said,
                    reading=Reading(
                        said.text.replace("prixest", "prix est"), (Repair("glue", 30, "prixest", "prix est"),)
                    ),
                    decision=Decision("new", 1),
                    fingerprint=identity.fingerprint(said),
                    body_key=identity.body_key(said),
                    simhash=0,
                    published_on=when.astimezone(HANOI).date().isoformat() if when else None,
                    parser=1,
                    now=NOW + timedelta(hours=key),
                    source_file="text.txt",
                )
            )
    return folder


@pytest.fixture(scope="module")
def articles(tmp_path_factory):
    return archived(tmp_path_factory.mktemp("articles"), ARTICLES)


@pytest.fixture(scope="module")
def corpus(articles, tmp_path_factory):
    """A dataset of all articles. Tests must not change it."""
    folder = tmp_path_factory.mktemp("datasets") / "corpus"
    assert exported(articles, folder).code == 0
    return folder


def stored(folder):
    with open_archive(folder, read_only=True) as archive:
        yield from archive.export(by_day=True)


def exported(archive, out, *words):
    return vna("--archive", archive, "export", "--format", "parquet", "--out", out, *words)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def content(folder):
    return {name: (folder / name).read_bytes() for name in files(folder)}


def read(folder):
    """Return the rows as a reader of Hive folders sees them, ordered by id."""
    return sorted(reader.dataset(folder, partitioning="hive").to_table().to_pylist(), key=lambda row: row["id"])


def as_json(row):
    """Turn a row back into the JSON of the command contract."""
    row = {name: value for name, value in row.items() if name not in {"published_on", "year", "month"}}
    for name in ("published_at", "modified_at"):
        row[name] = row.pop(f"{name}_text")
    for name in ("first_seen_at", "checked_at"):
        row[name] = row[name].strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {True: ("type", "url", "alt", "caption", "credit"), False: ("type", "text")}
    row["blocks"] = [{name: block[name] for name in keys[block["type"] == "image"]} for block in row["blocks"]]
    return row | {"provenance": {entry["key"]: entry["value"] for entry in row["provenance"]}}


# --- content ----------------------------------------------------------------------------------------------------------


@needs_pyarrow
def test_the_content_is_that_of_the_json_lines_export(articles, tmp_path):
    lines = vna("--archive", articles, "export", "--format", "jsonl").out.splitlines()
    outcome = exported(articles, tmp_path / "corpus")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"{len(ARTICLES)} articles in {tmp_path / 'corpus'}\n"
    assert [as_json(row) for row in read(tmp_path / "corpus")] == [json.loads(line) for line in lines]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"], "no temporary folder remains"


@needs_pyarrow
def test_instants_are_timestamps_and_days_are_in_hanoi(corpus):
    rows = {row["id"]: row for row in read(corpus)}
    assert rows[10]["published_at"] == datetime(2025, 5, 2, 1, tzinfo=UTC)
    assert rows[10]["modified_at"] == datetime(2025, 5, 2, 2, 30, tzinfo=UTC)
    assert rows[10]["first_seen_at"] == NOW + timedelta(hours=10)
    days = {key: (row["published_on"], row["year"], row["month"]) for key, row in rows.items()}
    assert days[10] == (date(2025, 5, 2), 2025, 5)
    assert days[11] == (date(2025, 1, 1), 2025, 1)
    assert days[12] == (date(2024, 12, 31), 2024, 12)
    assert days[-1] == days[-2] == (None, 0, 0)
    assert (rows[-2]["published_at"], rows[-2]["published_at_text"]) == (None, "jadis")
    assert (rows[13]["modified_at"], rows[13]["modified_at_text"]) == (None, "hier")


@needs_pyarrow
def test_folders_have_the_names_of_hive_partitions(articles, corpus, tmp_path):
    exported(articles, tmp_path / "corpus", "--since", "2024-04-01", "--until", "2025-01-01")
    assert files(tmp_path / "corpus") == [
        "year=2024/month=12/part-0.parquet",
        "year=2024/month=4/part-0.parquet",  # not 04, which DuckDB reads as text
        "year=2025/month=1/part-0.parquet",
    ]
    assert "year=0/month=0/part-0.parquet" in files(corpus)
    assert {Path(name).name for name in files(corpus)} == {"part-0.parquet"}, "one file for each month"


@needs_pyarrow
def test_a_file_has_metadata_types_and_compression(corpus):
    for name in files(corpus):
        described = parquet.read_metadata(corpus / name)
        assert described.metadata[b"vna.version"] == crawler.__version__.encode()
        assert b"Agence vietnamienne d'information" in described.metadata[b"vna.source"]
        assert described.row_group(0).column(0).compression == "ZSTD"
        schema = parquet.read_schema(corpus / name)
        assert {name: str(schema.field(name).type) for name in ("tags", "published_at", "provenance", "dateline")} == {
            "tags": "list<element: string not null>",
            "published_at": "timestamp[us, tz=UTC]",
            "provenance": "list<element: struct<key: string not null, value: string not null> not null>",
            "dateline": "struct<place: string, date: string, agency: string>",
        }
        assert not schema.field("title").nullable


@needs_pyarrow
def test_the_columns_are_the_keys_of_the_json_plus_three(articles):
    keys = list(render.as_json(next(iter(stored(articles)))))
    added = {"published_at_text", "published_on", "modified_at_text"}
    assert [name for name in table.schema().names if name not in added] == keys


@needs_pyarrow
def test_exporting_the_same_archive_twice_gives_the_same_bytes(articles, corpus, tmp_path):
    exported(articles, tmp_path / "again")
    assert content(tmp_path / "again") == content(corpus)


@needs_pyarrow
@pytest.mark.parametrize("only", [(), (-1, -2)], ids=["no articles", "undated articles"])
def test_a_dataset_without_dated_articles_can_be_read(tmp_path, only):
    archive = archived(tmp_path / "archive", {key: ARTICLES[key] for key in only})
    assert exported(archive, tmp_path / "corpus").err.startswith(f"{len(only)} articles")
    found = reader.dataset(tmp_path / "corpus", partitioning="hive").to_table()
    assert found.schema.names == [*table.schema().names, "year", "month"]
    assert [(row["id"], row["year"]) for row in found.to_pylist()] == [(key, 0) for key in sorted(only)]


@needs_pyarrow
def test_a_month_that_is_not_consecutive_gets_a_second_file(articles, tmp_path):
    once = list(stored(articles))
    assert dataset.write([*once, *once], tmp_path / "corpus") == 2 * len(once)
    assert [row["id"] for row in read(tmp_path / "corpus")] == sorted(2 * [article.id for article in once])
    assert "year=2025/month=5/part-1.parquet" in files(tmp_path / "corpus")


@needs_pyarrow
def test_a_large_month_has_several_row_groups(articles, tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_ROW_GROUP", 1)
    full = next(one for one in stored(articles) if one.id == 10)
    assert dataset.write(repeat(full, 250), tmp_path / "corpus") == 250
    file = parquet.ParquetFile(tmp_path / "corpus" / "year=2025" / "month=5" / "part-0.parquet")
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [100, 100, 50]


# --- replacing a dataset ----------------------------------------------------------------------------------------------


@needs_pyarrow
def test_a_dataset_is_replaced_as_a_whole(articles, tmp_path):
    place = tmp_path / "corpus"
    exported(articles, place, "--until", "2024-12-31")
    (place / "year=2024" / "month=12").rename(
        place / "year=2024" / f"month={NOWHERE}"
    )  # as an earlier version named it
    before = content(place)
    (place / ".writing").touch()  # as if the run had been killed before it deleted its lock file
    (link := tmp_path / "link").symlink_to(place)
    assert exported(articles, link, "--since", "2025-01-01").code == 0
    assert not set(before) & set(content(place)), "no file of the old dataset remains"
    assert ".writing" not in files(place)
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "link"]


@needs_pyarrow
def test_a_failed_export_keeps_the_old_dataset(articles, tmp_path):
    place = tmp_path / "corpus"
    exported(articles, place, "--until", "2024-12-31")
    before = content(place)
    with pytest.raises(ZeroDivisionError):
        dataset.write((1 // 0 if one.id == 10 else one for one in stored(articles)), place)
    assert content(place) == before
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@needs_pyarrow
def test_the_folders_of_a_killed_run_are_reused(articles, tmp_path):
    left = tmp_path / ".corpus.unfinished" / "year=1999" / "month=1"
    left.mkdir(parents=True)
    (left / "part-0.parquet").write_text("half")
    (tmp_path / ".corpus.replaced").mkdir()  # as if the run had been killed between the two renames
    assert exported(articles, tmp_path / "corpus").code == 0
    assert not [name for name in files(tmp_path / "corpus") if "1999" in name]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@needs_pyarrow
def test_a_second_export_to_the_same_folder_is_refused(articles, tmp_path):
    refusals = []

    def meanwhile():
        with pytest.raises(BadInput, match="another process") as refused:
            dataset.write(stored(articles), tmp_path / "corpus")
        refusals.append(refused.value.hint)
        yield from stored(articles)

    assert dataset.write(meanwhile(), tmp_path / "corpus") == len(ARTICLES)
    assert len(read(tmp_path / "corpus")) == len(ARTICLES)
    assert "another path" in refusals[0]
    assert len(refusals) == 1


@needs_pyarrow
def test_a_file_added_during_the_export_is_kept(articles, tmp_path):
    place = tmp_path / "corpus"
    exported(articles, place, "--since", "2025-05-01")

    def meanwhile():
        yield from stored(articles)
        (place / "thesis.docx").write_text("years of work")

    with pytest.raises(BadInput, match="thesis"):
        dataset.write(meanwhile(), place)
    assert (place / "thesis.docx").read_text() == "years of work"


@needs_pyarrow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("thesis.docx", "text"),
        ("year=2024/month=5/notes.txt", "text"),
        ("year=2024/month=5/part-0.parquet", "text"),
        ("year=2024/month=5/part-0.parquet", "theirs"),
        ("year=2024/month=5/part-0.parquet", "link"),
        ("selection/part-0.parquet", "ours"),
    ],
)
def test_a_folder_with_other_files_is_refused_and_unchanged(articles, corpus, tmp_path, name, kind):
    one = corpus / files(corpus)[0]
    place = tmp_path / "corpus" / name
    place.parent.mkdir(parents=True)
    if kind == "text":
        place.write_text("PAR1")
    elif kind == "theirs":
        parquet.write_table(pa.table({"id": [1]}), place)
    elif kind == "ours":
        place.write_bytes(one.read_bytes())
    else:
        place.symlink_to(one)
    before = content(tmp_path / "corpus")
    outcome = exported(articles, tmp_path / "corpus")
    assert outcome.code == 1
    assert f"did not write: {name}" in outcome.err
    assert "hint: " in outcome.err
    assert content(tmp_path / "corpus") == before
    assert not list(tmp_path.glob(".*"))


@needs_pyarrow
@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("file", "is a file"),
        ("file/corpus", "cannot write"),
        (".", "current folder"),
        ("/", "current folder"),
        ("/proc", "mount point"),
    ],
)
def test_a_path_that_cannot_be_a_dataset_is_refused(articles, tmp_path, monkeypatch, out, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    outcome = exported(articles, out)
    assert outcome.code == 1
    assert message in outcome.err
    assert "hint: " in outcome.err
    assert files(tmp_path) == ["file"]


def test_a_dataset_cannot_be_written_to_stdout(articles):
    outcome = vna("--archive", articles, "export", "--format", "parquet")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--out DIR" in outcome.err


# --- PyArrow ----------------------------------------------------------------------------------------------------------


def test_without_pyarrow_the_error_says_how_to_install_it(articles, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not installed
    outcome = exported(articles, tmp_path / "corpus")
    assert (outcome.code, outcome.out) == (1, "")
    assert "PyArrow is not installed" in outcome.err
    assert "pip install 'vna-archive[parquet]'" in outcome.err
    assert not list(tmp_path.iterdir())
    with pytest.raises(StopError, match="not installed"):
        dataset.write((), tmp_path / "corpus")
    assert vna("--archive", articles, "export", "--format", "csv").code == 0, "the other formats work without it"


@needs_pyarrow
def test_pyarrow_does_not_install_pandas():
    """sqlite-utils imports pandas if it is installed, which costs 150 MB in every process."""
    assert not [one for one in requires("pyarrow") or () if one.startswith("pandas")]
    assert find_spec("pandas") is None
