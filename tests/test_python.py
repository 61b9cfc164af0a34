"""The Python interface, the examples in docs/python.md, and the recipes in docs/recipes.md."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import sqlite3
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, date, datetime

import pytest
from example_archive import build
from support import ROOT, vna

import crawler
from crawler import open_archive
from crawler.errors import (
    ArticleNotFound,
    BadInput,
    SchemaTooNew,
    SchemaTooOld,
    StorageError,
    StorageUnavailable,
    UnknownName,
)
from crawler.storage import FILE, base

PAGE, RECIPES = ROOT / "docs" / "python.md", ROOT / "docs" / "recipes.md"
RECIPE = re.compile(r"## (\d+)\..*?```(sql|python)\n(.*?)```\n```text\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with an archive in `archive`."""
    folder = tmp_path_factory.mktemp("home")
    build(folder / "archive")
    return folder


@pytest.fixture
def archive(home):
    with open_archive(home / "archive") as opened:
        yield opened


# --- the documents ----------------------------------------------------------------------------------------------------


def test_the_examples_of_the_page_are_right(home, monkeypatch):
    monkeypatch.chdir(home)
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted > 20


def test_there_are_ten_recipes():
    assert [number for number, *_ in RECIPE.findall(RECIPES.read_text("utf-8"))] == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize(
    ("language", "program", "expected"), [found[1:] for found in RECIPE.findall(RECIPES.read_text("utf-8"))]
)
def test_a_recipe_prints_what_the_page_says(home, monkeypatch, language, program, expected):
    monkeypatch.chdir(home)
    if language == "sql":
        with contextlib.closing(sqlite3.connect("file:archive/vna.db?mode=ro", uri=True)) as db:
            lines = ["|".join(map(str, row)) for row in db.execute(program)]
        assert lines == expected.splitlines()
        return
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(program, {})
    assert out.getvalue() == expected


# --- reading only -----------------------------------------------------------------------------------------------------


def test_importing_the_package_loads_nothing():
    code = "import sys, crawler; print(*(name for name in sys.modules if name.startswith('crawler')))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["crawler"]


def test_the_public_names_exist_and_others_do_not():
    assert all(hasattr(crawler, name) for name in crawler.__all__)
    assert not hasattr(crawler, "open_everything")


def test_the_database_cannot_be_written(home, archive):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        archive._archive.db.conn.execute("DELETE FROM articles")
    assert not [name for name in dir(archive) if name.startswith(("save", "set", "add", "delete", "replace"))]


def test_values_are_frozen_and_typed(archive):
    article = archive.article(102)
    with pytest.raises(FrozenInstanceError):
        article.title = "x"
    assert article.published_at == datetime(2024, 1, 12, 2, tzinfo=UTC)
    assert article.checked_at.tzinfo is not None
    undated = archive.article(-1)
    assert (undated.published_at, undated.published_on, undated.section) == (None, None, None)
    assert {field.name for field in fields(article)} >= {"title", "clean", "tags", "blocks", "provenance"}


def test_the_content_is_that_of_the_json_output(archive, home):
    import json  # noqa: PLC0415

    lines = vna("--archive", home / "archive", "export", "--format", "jsonl").out.splitlines()
    articles = list(archive.articles())
    assert len(articles) == len(lines)
    for article, line in zip(articles, map(json.loads, lines), strict=True):
        for name in (
            "id",
            "title",
            "lead",
            "text",
            "clean",
            "section",
            "state",
            "kind",
            "revision",
            "word_count",
            "url",
        ):
            assert getattr(article, name) == line[name], name
        assert list(article.tags) == line["tags"]
        assert (article.published_at and article.published_at.isoformat()) == line["published_at"]


def test_several_sets_can_be_read_at_the_same_time(archive):
    pairs = [(one.id, other.id) for one in archive.articles(section="Économie") for other in archive.articles("typhon")]
    assert pairs == [(106, 108), (107, 108)]
    first = iter(archive.articles())
    next(first)
    assert next(iter(archive.articles())).id == -1
    assert next(first).id == 101


@pytest.mark.parametrize("when", ["2024-05-08", date(2024, 5, 8), "2024-05-08T12:00:00", datetime(2024, 5, 8, 12, tzinfo=UTC), "2024-05-08T19:00:00+07:00"])  # fmt: skip
def test_a_time_may_be_a_text_a_day_or_an_instant(archive, when):
    assert archive.article(106, as_of=when).revision == 1
    assert [one.revision for one in archive.articles("riz", as_of=when)] == [1]
    assert [hit.id for hit in archive.search("riz", as_of=when)] == [106]


def test_a_search_has_filters_order_and_limit(archive):
    assert [hit.id for hit in archive.search("ambassadeur", limit=2)] == [104, 103]
    assert [hit.id for hit in archive.search("ambassadeur", section="politique", until=date(2024, 1, 31))] == [102, 101]
    assert {hit.id for hit in archive.search("exportations", rank=True)} == {106, 107}
    assert [hit.id for hit in archive.search("riz OU mémoire", since="2024-05", until="2024-05")] == [106, 105]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda a: a.article(5), ArticleNotFound),
        (lambda a: a.article(106, revision=9), ArticleNotFound),
        (lambda a: a.revisions(5), ArticleNotFound),
        (lambda a: a.articles(section="Sporrt"), UnknownName),
        (lambda a: a.articles(kind="foto"), UnknownName),
        (lambda a: a.articles(state=["live", "weg"]), UnknownName),
        (lambda a: a.search("riz", section="Sporrt"), UnknownName),
        (lambda a: a.articles().to_arrow(["titel"]), UnknownName),
        (lambda a: a.articles("-riz"), BadInput),
        (lambda a: a.articles(since="2024-02-01", until="2024-01-01"), BadInput),
        (lambda a: a.articles(since="hier"), BadInput),
        (lambda a: a.article(106, as_of="hier"), ValueError),
        (lambda a: a.search("riz", rank=True, as_of="2024-01-01"), ValueError),
    ],
)
def test_a_wrong_call_is_refused(archive, call, error):
    with pytest.raises(error):
        call(archive)


@pytest.mark.parametrize("package", ["pandas", "polars", "pyarrow"])
def test_a_missing_package_is_named(archive, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    convert = {"pandas": "to_pandas", "polars": "to_polars", "pyarrow": "to_arrow"}[package]
    with pytest.raises(ImportError, match="pip install 'vna-archive") as refused:
        getattr(archive.articles(), convert)()
    assert refused.value.name == package


def test_an_empty_set_has_every_column(archive):
    assert archive.articles("neige").to_arrow().num_rows == 0
    assert archive.articles("neige").to_arrow(["id", "tags"]).column_names == ["id", "tags"]


# --- archives that cannot be read -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "error"), [(1000, SchemaTooNew), (1, SchemaTooOld)])
def test_an_archive_of_another_version_is_refused_and_unchanged(tmp_path, version, error):
    build(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(error) as refused:
        open_archive(tmp_path)
    assert refused.value.hint
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == version


def test_a_missing_or_damaged_archive_is_refused(tmp_path):
    with pytest.raises(StorageError, match="no archive"):
        open_archive(tmp_path / "none")
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError):
        open_archive(tmp_path)


def test_an_archive_in_use_can_be_read_and_a_locked_one_is_named(tmp_path, monkeypatch):
    build(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE articles SET title = 'x'")
        with open_archive(tmp_path) as archive:
            assert archive.article(102).title != "x"
        writer.execute("ROLLBACK")
        writer.execute("PRAGMA locking_mode = EXCLUSIVE")
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(base, "_BUSY_TIMEOUT", 0.05)
        with pytest.raises(StorageUnavailable, match="locked") as refused:
            open_archive(tmp_path)
    assert "wait" in refused.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_can_be_read(tmp_path):
    build(tmp_path)
    tmp_path.chmod(0o500)
    try:
        with open_archive(tmp_path) as archive:
            assert archive.article(102).id == 102
    finally:
        tmp_path.chmod(0o700)


def test_values_that_no_article_has_are_not_found(tmp_path):
    with open_archive(build(tmp_path)) as archive:
        for key in (10**30, -(10**30), 2**63, 2**63 - 1, 5):
            with pytest.raises(ArticleNotFound):
                archive.article(key)
            with pytest.raises(ArticleNotFound):
                archive.revisions(key)
        with pytest.raises(ArticleNotFound, match="106 as of 2020"):
            archive.article(106, as_of="2020")


def test_a_time_is_also_a_month_or_a_year(tmp_path):
    with open_archive(build(tmp_path)) as archive:
        assert archive.article(106, as_of="2024-05").revision == archive.article(106, as_of="2024-05-31").revision == 2
        assert archive.article(106, as_of="2024").revision == 2
        for wrong in ("today", "3d", "nope", ""):
            with pytest.raises(ValueError, match="is not a time: write"):
                archive.article(106, as_of=wrong)
        with pytest.raises(BadInput) as refused:
            archive.articles(since="3d")
        assert "3d" not in refused.value.hint


def test_a_single_name_is_not_its_letters_and_an_empty_one_is_unknown(tmp_path):
    with open_archive(build(tmp_path)) as archive:
        assert archive.articles().to_arrow(columns="id").column_names == ["id"]
        with pytest.raises(UnknownName):
            archive.search("riz", section="")


def test_a_negative_limit_is_refused(tmp_path):
    with open_archive(build(tmp_path)) as archive:
        assert archive.search("riz", limit=0) == []
        with pytest.raises(ValueError, match="negative"):
            archive.search("riz", limit=-1)
