"""Archives of every released schema, stored as they were written, brought up to date by today's program."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing

import pytest
from support import ROOT

from crawler.storage import FILE, open_archive, schema

SCHEMAS = sorted((ROOT / "tests" / "schemas").glob("*.db.gz"))


def test_there_is_an_archive_of_every_released_schema():
    assert [int(path.name[:4]) for path in SCHEMAS] == list(range(1, schema.version()))


@pytest.mark.parametrize("stored", SCHEMAS, ids=lambda path: path.name[:4])
def test_an_old_archive_is_brought_up_to_date_and_loses_nothing(tmp_path, stored):
    """Same tables as in a new one, and every value that was there before."""
    file = tmp_path / FILE
    file.write_bytes(gzip.decompress(stored.read_bytes()))
    with closing(sqlite3.connect(file)) as old:
        was = {name: _content(old, name) for (name,) in old.execute(TABLES)}
    open_archive(tmp_path).close()
    open_archive(tmp_path / "new").close()
    with closing(sqlite3.connect(file)) as now, closing(sqlite3.connect(tmp_path / "new" / FILE)) as new:
        layout = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2"
        assert now.execute(layout).fetchall() == new.execute(layout).fetchall()
        assert now.execute("PRAGMA foreign_key_check").fetchall() == []
        for name, (columns, rows) in was.items():
            kept = now.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
            assert sorted(map(repr, kept)) == rows, name


TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_fts%' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'"


def _content(db, name):
    cursor = db.execute(f"SELECT * FROM {name}")
    return [f'"{column[0]}"' for column in cursor.description], sorted(map(repr, cursor.fetchall()))


def test_a_migration_that_fails_leaves_the_old_archive(tmp_path):
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
