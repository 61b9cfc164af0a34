"""Stored databases of every released schema, upgraded to the current schema."""

from __future__ import annotations

import gzip
import re
import sqlite3
from contextlib import closing

import pytest
import template_database
from support import ROOT, vna

from crawler import identity
from crawler.similarity import passage_hashes
from crawler.storage import FILE, open_archive, schema
from crawler.word_count import count_words

pytestmark = pytest.mark.migrations
SCHEMAS = sorted((ROOT / "tests" / "schemas").glob("*.db.gz"))
each_schema = pytest.mark.parametrize("stored", SCHEMAS, ids=lambda path: path.name[:4])


def upgraded(folder, stored):
    """Put a stored database into `folder` and upgrade it; return its path."""
    file = folder / FILE
    file.write_bytes(gzip.decompress(stored.read_bytes()))
    open_archive(folder).close()
    return file


def test_a_database_of_every_released_schema_is_stored():
    assert [int(path.name[:4]) for path in SCHEMAS] == list(range(1, schema.version()))


@each_schema
def test_an_upgraded_database_has_the_schema_of_a_new_one(tmp_path, stored):
    open_archive(tmp_path / "new").close()
    with (
        closing(sqlite3.connect(upgraded(tmp_path, stored))) as old,
        closing(sqlite3.connect(tmp_path / "new" / FILE)) as new,
    ):
        assert _layout(old) == _layout(new)
        assert old.execute("PRAGMA user_version").fetchall() == new.execute("PRAGMA user_version").fetchall()
        assert old.execute("PRAGMA foreign_key_check").fetchall() == []


@each_schema
def test_an_upgrade_keeps_every_value(tmp_path, stored):
    file = tmp_path / FILE
    file.write_bytes(gzip.decompress(stored.read_bytes()))
    with closing(sqlite3.connect(file)) as old:
        before = {name: _content(old, name) for (name,) in old.execute(TABLES)}
    open_archive(tmp_path).close()
    with closing(sqlite3.connect(file)) as new:
        for name, (columns, rows) in before.items():
            kept = new.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
            assert _without_fingerprints(kept) == _without_fingerprints(rows), name


def test_the_new_databases_of_the_other_tests_are_those_of_the_migrations(tmp_path):
    """They are copies of a template. Only the identity and the times of the migrations differ."""
    open_archive(tmp_path / "new").close()
    template_database.use(copies=True)
    for folder in ("copy", "other"):
        open_archive(tmp_path / folder).close()

    def content(folder):
        with closing(sqlite3.connect(tmp_path / folder / FILE)) as db:
            (own,) = db.execute("SELECT id FROM archive_identity").fetchone()
            pragmas = [
                db.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "journal_mode", "page_size")
            ]
            return own, pragmas, [re.sub(own + r"|\d{4}-\d\d-\d\d [\d:.+]+", "", line) for line in db.iterdump()]

    new, copy, other = map(content, ("new", "copy", "other"))
    assert new[1:] == copy[1:] == other[1:]
    assert len({new[0], copy[0], other[0]}) == 3


def _layout(db):
    """Return the tables, indexes and triggers with their SQL, without comments: those may change between versions."""
    found = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2")
    return [(*names, " ".join(re.sub("--.*", "", sql or "").split())) for *names, sql in found]


TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_fts%' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'"


def _content(db, name):
    cursor = db.execute(f"SELECT * FROM {name}")
    return [f'"{column[0]}"' for column in cursor.description], cursor.fetchall()


def _without_fingerprints(rows):
    """Return the rows in one order; schema 6 computes all fingerprints again."""
    return sorted(re.sub("'[0-9]+:[0-9a-f]{64}'", "", repr(row)) for row in rows)


@each_schema
def test_an_upgrade_counts_the_words_of_stored_articles(tmp_path, stored):
    with closing(sqlite3.connect(upgraded(tmp_path, stored))) as db:
        rows = db.execute("SELECT clean, word_count FROM articles").fetchall()
    assert sum(count for _, count in rows) > 1000
    assert [count for _, count in rows] == [count_words(clean) for clean, _ in rows]


def test_an_upgrade_derives_the_kinds_of_errors_that_code_depends_on(tmp_path):
    with closing(sqlite3.connect(upgraded(tmp_path, SCHEMAS[1]))) as db:
        pages = db.execute("SELECT DISTINCT state, error_kind FROM pages ORDER BY 1, 2").fetchall()
        sources = db.execute("SELECT DISTINCT state, error_kind FROM sources ORDER BY 1, 2").fetchall()
        steps = db.execute("SELECT error_kind FROM plan_steps ORDER BY plan, position").fetchall()
    assert pages == [("drift", "layout-drift"), ("failed", "bug"), ("gone", None), ("live", None)]
    assert sources == [("absent", None), ("failing", "bug"), ("new", None), ("ok", None)]
    assert steps == [("bug",), (None,)]


def test_a_failed_upgrade_leaves_the_old_database_unchanged(tmp_path):
    file = tmp_path / FILE
    file.write_bytes(gzip.decompress(SCHEMAS[0].read_bytes()))
    with closing(sqlite3.connect(file)) as old:
        old.execute("CREATE TABLE gaps (in_the_way)")
        before = old.execute("SELECT sql FROM sqlite_master").fetchall()
    with pytest.raises(sqlite3.OperationalError, match="gaps"):
        open_archive(tmp_path)
    with closing(sqlite3.connect(file)) as old:
        assert [row for row in old.execute("SELECT sql FROM sqlite_master") if "migrations" not in str(row)] == [
            row for row in before if "migrations" not in str(row)
        ]
        assert old.execute("PRAGMA user_version").fetchone() == (1,)


@each_schema
def test_a_reading_command_upgrades_an_older_database(tmp_path, stored):
    (tmp_path / FILE).write_bytes(gzip.decompress(stored.read_bytes()))
    outcome = vna("--archive", tmp_path, "status", "--json")
    assert outcome.code == 0, outcome.err
    with open_archive(tmp_path, read_only=True) as archive:
        assert archive.db.execute("PRAGMA user_version").fetchone() == (schema.version(),)


@each_schema
def test_an_upgrade_computes_the_fingerprints_again(tmp_path, stored):
    """Otherwise, an imported capture of a stored revision would make another one."""
    with open_archive(upgraded(tmp_path, stored).parent) as archive:
        for row in archive.db.query("SELECT article, revision, fingerprint FROM revisions"):
            revision = archive.revision(row["article"], number=row["revision"])
            assert row["fingerprint"] == identity.fingerprint(revision.article)
        newest = "SELECT count(*) FROM articles a JOIN revisions v ON v.article = a.id AND v.revision = a.revision"
        same, total = (
            archive.db.execute(f"{newest} {where}").fetchone()[0]
            for where in ("WHERE a.fingerprint = v.fingerprint", "")
        )
        assert same == total > 0


@each_schema
def test_an_upgrade_fills_the_index_of_passages(tmp_path, stored):
    with open_archive(upgraded(tmp_path, stored).parent) as archive:
        ids = [row["id"] for row in archive.db.query("SELECT id FROM articles")]
        for text in archive.compared_texts(ids):
            rows = archive.db.query("SELECT hash FROM passage_hashes WHERE article = ?", [text.id])
            assert {row["hash"] for row in rows} == set(passage_hashes(text))
