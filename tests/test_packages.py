"""Exports with a data card: folders that can be handed over, and that never replace a file of the user."""

from __future__ import annotations

import csv
import hashlib
import json
import os

import pytest
from example_archive import build
from pyarrow import dataset as reader
from support import vna

FORMATS = ("jsonl", "csv", "parquet", "text", "tei")
CARD_FILES = ["CITATION.cff", "README.md", "data", "datapackage.json"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return build(tmp_path_factory.mktemp("example"))


def exported(archive, out, format_, *words, code=0):
    outcome = vna("--archive", archive, "export", "--format", format_, "--card", "--out", out, *words)
    assert outcome.code == code, outcome
    return outcome


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_package_lists_its_files_with_their_digests(archive, tmp_path, format_):
    out = tmp_path / "corpus"
    assert exported(archive, out, format_).err == f"10 articles in {out}\n"
    assert sorted(path.name for path in out.iterdir()) == CARD_FILES
    package = json.loads((out / "datapackage.json").read_text("utf-8"))
    for resource in package["resources"]:
        data = (out / resource["path"]).read_bytes()
        assert (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}") == (resource["bytes"], resource["hash"])
    readme = (out / "README.md").read_text("utf-8")
    assert "| 2024 | 7 |" in readme
    assert "| 2024 | 7 | 7 | 0 | 1 |" in readme, "coverage: one article was removed"
    assert "All articles of the archive." in readme


@pytest.mark.parametrize("format_", FORMATS)
def test_an_unchanged_package_is_replaced_as_a_whole(archive, tmp_path, format_):
    exported(archive, tmp_path / "corpus", format_)
    before = content(tmp_path / "corpus")
    exported(archive, tmp_path / "corpus", format_, "--section", "Économie", "--revisions")
    after = content(tmp_path / "corpus")
    assert "--section Économie" in after["README.md"].decode()
    assert len(after) < len(before) or format_ in ("jsonl", "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.parametrize(
    ("format_", "name"),
    [
        ("csv", "README.md"),
        ("csv", "datapackage.json"),
        ("csv", "CITATION.cff"),
        ("csv", "data/articles.csv"),
        ("csv", "data/notes.txt"),
        ("text", "data/106.txt"),
        ("text", "data/metadata.csv"),
        ("tei", "data/999.xml"),
        ("parquet", "data/year=2024/month=5/part-0.parquet"),
        ("jsonl", "thesis.docx"),
    ],
)
def test_a_changed_or_added_file_is_never_replaced(archive, tmp_path, format_, name):
    exported(archive, tmp_path / "corpus", format_)
    with (tmp_path / "corpus" / name).open("ab") as file:
        file.write(b"\nmine\n")
    before = content(tmp_path / "corpus")
    outcome = exported(archive, tmp_path / "corpus", format_, code=1)
    assert "did not write" in outcome.err
    assert "hint: " in outcome.err
    assert content(tmp_path / "corpus") == before


@pytest.mark.parametrize("name", ["README.md", "datapackage.json", "data/metadata.csv", "data/0.txt", "z"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_special_file_is_never_opened(archive, tmp_path, name, kind):
    """Reading it would not end."""
    exported(archive, tmp_path / "corpus", "text")
    place = tmp_path / "corpus" / name
    place.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero")
    outcome = exported(archive, tmp_path / "corpus", "text", code=1)
    assert f"did not write: {name}\n" in outcome.err


def test_the_card_says_what_was_selected(archive, tmp_path):
    words = ("--section", "politique", "--section", "Société", "--kind", "article", "--as-of", "2024-05-01", "--clean")
    exported(archive, tmp_path / "corpus", "csv", *words)
    expected = ["--section politique", "--section Société", "--kind article", "--as-of 2024-05-01T23:59:59Z", "--clean"]
    assert json.loads((tmp_path / "corpus" / "datapackage.json").read_text("utf-8"))["vna:conditions"] == expected
    assert "- --as-of 2024-05-01T23:59:59Z\n" in (tmp_path / "corpus" / "README.md").read_text("utf-8")


def test_the_table_of_texts_lists_each_file(archive, tmp_path):
    exported(archive, tmp_path / "corpus", "text", "--revisions", "--clean")
    with (tmp_path / "corpus" / "data" / "metadata.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == 12
    for row in listed:
        data = (tmp_path / "corpus" / "data" / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
    assert {"text", "clean"}.isdisjoint(listed[0])


def test_the_data_of_a_package_are_those_of_the_export(archive, tmp_path):
    for format_ in ("jsonl", "csv"):
        exported(archive, tmp_path / format_, format_)
        plain = vna("--archive", archive, "export", "--format", format_).out
        with (tmp_path / format_ / "data" / f"articles.{format_}").open(encoding="utf-8") as file:
            assert file.read() == plain
    exported(archive, tmp_path / "set", "parquet")
    assert reader.dataset(tmp_path / "set" / "data", partitioning="hive").count_rows() == 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "--format", "csv", "--card"], "--out DIR"),
        (["export", "--format", "wacz", "--card", "--out", "x"], "not for --format wacz"),
    ],
)
def test_a_card_needs_a_folder_and_articles(archive, words, said):
    outcome = vna("--archive", archive, *words)
    assert (outcome.code, said in outcome.err) == (2, True)
