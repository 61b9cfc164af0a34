"""Compare the tables, indexes and triggers of a database with those of a new database.

Boundary: only reads; `vna verify` explains what a difference means.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from sqlite_utils import Database

from crawler.storage import schema

_TYPES = {"INTEGER": "'integer'", "INT": "'integer'", "REAL": "'real', 'integer'", "TEXT": "'text'"}
#: The views that code reads and writes like tables.
VIEWS = frozenset({"related", "revisions"})
#: Objects that SQLite (statistics, indexes of constraints) and Litestream create.
_SQLITE = "sqlite_"
_LITESTREAM = frozenset({("table", "_litestream_seq"), ("table", "_litestream_lock")})
#: Keys of the configuration of the search index; others change the order of the results.
_INDEX_SETTINGS = frozenset({"version"})


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """A table, index, trigger or view that is missing, unknown or different; `kind` is its type in SQLite."""

    kind: str
    name: str
    difference: Literal["missing", "unknown", "different"]

    @property
    def is_incomplete(self) -> bool:
        """Whether a table is missing or has other columns, or a view that serves as one, so that queries may fail."""
        return (self.kind == "table" or self.name in VIEWS) and self.difference != "unknown"


def schema_differences(db: Database) -> list[SchemaDifference]:
    """Return how the schema of a database differs from that of a new database, sorted by name.

    Raises:
        sqlite3.DatabaseError: the schema cannot be read.

    """
    with closing(sqlite3.connect(":memory:")) as connection:
        new = Database(connection)
        schema.apply(new)
        expected = _objects(new)
    found = _objects(db)
    differences = [SchemaDifference(*key, "missing") for key in expected.keys() - found.keys()]
    differences += [SchemaDifference(*key, "unknown") for key in found.keys() - expected.keys()]
    differences += [
        SchemaDifference(*key, "different") for key in expected.keys() & found.keys() if expected[key] != found[key]
    ]
    return sorted(differences, key=lambda found: (found.name, found.kind))


def wrong_types(db: Database, tables: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return the table, the column and a description of the first row for each column with values of a wrong type.

    SQLite accepts a text in a column for numbers; the code that reads it does not.
    """
    found: list[tuple[str, str, str]] = []
    for table in tables:
        info = db.execute(f"PRAGMA main.table_info({table})").fetchall()
        key = [row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]]
        names = ", ".join(key)
        for _, column, declared, *_ in info:
            wrong = f"FROM main.{table} WHERE typeof({column}) NOT IN ({_TYPES[declared]}, 'null')"
            (count,) = db.execute(f"SELECT count(*) {wrong}").fetchone()
            if count:
                row = db.execute(f"SELECT {names} {wrong} ORDER BY {names} LIMIT 1").fetchone()
                first = ", ".join(f"{name} {value}" for name, value in zip(key, row, strict=True))
                found.append((table, column, f"{first}{f' and {count - 1} more rows' * (count > 1)}"))
    return found


def unknown_entries(db: Database) -> list[tuple[str, str]]:
    """Return the table and the key of each entry that no version writes, in tables that are not compared row by row.

    These are the list of migrations, the configuration of the search index, and the stories, which are compared as they
    are under articles: at most 20 stories that are under none.
    """
    with closing(Database(memory=True)) as empty:
        names = [migration.name for migration in schema.migrations.pending(empty)]
    sql = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'vna'"
    found = [("_sqlite_migrations", str(row[0])) for row in db.execute(sql) if row[0] not in names]
    settings = db.execute("SELECT k FROM articles_fts_config")
    stories = db.execute("SELECT id FROM related_stories WHERE id NOT IN (SELECT story FROM related_links) LIMIT 20")
    found += [("related_stories", str(row[0])) for row in stories]
    return found + [("articles_fts_config", str(row[0])) for row in settings if row[0] not in _INDEX_SETTINGS]


def _objects(db: Database) -> Mapping[tuple[str, str], str]:
    """Return the SQL of each object by type and name, without comments: those may change between versions."""
    rows = db.execute("SELECT type, name, sql FROM main.sqlite_schema").fetchall()
    return {
        (kind, name): " ".join(re.sub("--.*", "", sql or "").split())
        for kind, name, sql in rows
        if not (kind in ("table", "index") and name.startswith(_SQLITE)) and (kind, name) not in _LITESTREAM
    }
