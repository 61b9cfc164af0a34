"""Compare two databases of one archive, table by table.

The ids of captures and sources depend on the order of writing, so they may differ between the two databases. Therefore
rows are matched by a natural key, such as a URL, and two references are equal if they refer to matching rows.

Boundary: queries on two database files; the caller decides which differences matter.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from crawler.storage.base import reading_uri, translated_errors
from crawler.storage.schema_check import VIEWS

Kind = Literal["evidence", "log", "derived"]

#: Tables derived from the WARC files, and the columns by which their rows are matched; None means the primary key.
EVIDENCE: Mapping[str, tuple[str, ...] | None] = {
    "archive_identity": None,
    "raw": ("file", "offset"),
    "articles": None,
    "articles_folded": None,
    "images": None,
    "related": ("article", "position"),
    "tags": None,
    "sections": None,
    "revisions": ("article", "revision"),
    "states": None,
    "duplicates": None,
    "passage_hashes": None,
    "similar": None,
    "repairs": None,
    "pictures": None,
    "picture_addresses": None,
    "pages": None,
    "sightings": None,
    "sources": ("url",),
    "rhythms": None,
    "appearances": None,
    "gaps": ("source", "opened_at"),
}
#: The tables that have these rows.
STORED = (*(name for name in EVIDENCE if name not in VIEWS), "related_links", "related_stories", "stored_revisions")
#: Tables that record what the program did and when. No WARC record contains this, so a rebuild copies them.
LOGS = (
    "runs", "fetches", "findings", "plans", "plan_steps", "plan_pages", "heartbeats", "incidents", "disk", "watches",
    "watch_hits",
)  # fmt: skip
#: Tables computed from the other tables: the coverage ledger, and the number of articles by day.
DERIVED = ("coverage", "missing", "datings", "articles_per_day")

_RENUMBERED = {"raw": ("file", "offset"), "sources": ("url",)}  # tables whose ids may differ, and their natural keys
_REFERENCES = {
    ("articles", "raw_id"): "raw", ("articles", "last_raw_id"): "raw", ("revisions", "raw_id"): "raw",
    ("pages", "raw_id"): "raw", ("pictures", "raw_id"): "raw", ("picture_addresses", "raw_id"): "raw", ("rhythms", "source"): "sources", ("appearances", "source"): "sources",
    ("gaps", "source"): "sources",
}  # fmt: skip
_NAMED = 5  # rows of a table that are named, for each way to differ
_SKIPPED = {"raw": {"id"}, "sources": {"id"}, "gaps": {"id"}, "articles": {"own_text", "own_clean"}}
# Whether the old database was upgraded from an older schema. A new database gets all migrations within a second.
_UPGRADED = """(SELECT max(julianday(applied_at)) - min(julianday(applied_at)) > 1.0 / 86400
                FROM {old}._sqlite_migrations WHERE migration_set = 'vna')"""
# Whether the old database had this article before it was upgraded to schema 6, which did not search for pairs of them.
_BEFORE_PAIRS = """EXISTS (SELECT 1 FROM {{old}}.articles a JOIN {{old}}._sqlite_migrations m ON m.name = '0006_similar'
                   WHERE a.id = n.{column} AND julianday(a.first_seen_at) < julianday(m.applied_at))"""
# Before schema 7, `images` kept the addresses that the first page of a revision showed, as its blocks do.
_IN_BLOCKS = f"""EXISTS (SELECT 1 FROM {{old}}.articles a, json_each(a.blocks) b
                 WHERE a.id = o.article AND b.value ->> '$.url' IS o.url) AND {_UPGRADED}"""  # noqa: S608 - constants only
#: Differences to ignore, by table and column: the SQL condition on the old row `o` and the new row `n` under which a
#: difference does not count.
_NOT_EVIDENT = {
    # A source that was never polled is due since the run that added it, and that time is in no WARC record.
    ("sources", "next_due_at"): "o.state IN ('new', 'excluded') AND n.state IN ('new', 'excluded')",
    # Schema 2 had no kinds of errors; migration 0003 fills in only some of them.
    ("pages", "error_kind"): f"o.error_kind IS NULL AND {_UPGRADED}",
    ("sources", "error_kind"): f"o.error_kind IS NULL AND {_UPGRADED}",
    # Messages for people are reworded from version to version: only their presence is compared.
    ("pages", "error"): "(o.error IS NULL) = (n.error IS NULL)",
    ("sources", "error"): "(o.error IS NULL) = (n.error IS NULL)",
    ("picture_addresses", "error"): "(o.error IS NULL) = (n.error IS NULL)",
    # Before schema 4, addresses were re-encoded, and sightings had none.
    (
        "pages",
        "url",
    ): f"EXISTS (SELECT 1 FROM {{old}}.sightings s WHERE s.page = o.id AND s.url IS NULL) AND {_UPGRADED}",  # noqa: S608 - constants only
    ("sightings", "url"): f"o.url IS NULL AND {_UPGRADED}",
    # Version 0.1 kept no evidence of an imported text: it has evidence since it was imported again.
    ("articles", "first_seen_at"): f"o.source_file IS NOT NULL AND o.first_seen_at < n.first_seen_at AND {_UPGRADED}",
    ("revisions", "seen_at"): f"o.article < 0 AND o.seen_at < n.seen_at AND {_UPGRADED}",
    # Before schema 6, no row had the time of an import.
    ("revisions", "known_at"): f"o.known_at = o.seen_at AND o.known_at < n.known_at AND {_UPGRADED}",
    # `vna reparse` does not read imported texts again.
    ("articles", "parser"): "o.source_file IS NOT NULL",
    ("images", "url"): _IN_BLOCKS,
    ("images", "alt"): _IN_BLOCKS,
    # Version 0.1 wrote no purpose.
    ("raw", "purpose"): f"o.purpose IS NULL AND {_UPGRADED}",
    ("gaps", "note"): "(o.note IS NULL) = (n.note IS NULL)",
}
#: Rows that the old database may lack: the SQL condition on the new row `n`, by table.
_MAY_LACK = {
    "similar": f"{_BEFORE_PAIRS.format(column='article')} AND {_BEFORE_PAIRS.format(column='other')} AND {_UPGRADED}",
}
#: The column, by table and name, that the old database must have for such a condition.
_NEEDED = {
    ("pages", "url"): ("sightings", "url"), ("images", "url"): ("articles", "blocks"),
    ("images", "alt"): ("articles", "blocks"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that differs: `key` maps the columns by which rows are matched to their values.

    `only_old` and `only_new`: the row exists in one database only. Otherwise, `columns` has the names of the columns
    whose values differ. The key of a row that only the new database has contains ids of that database.
    """

    key: Mapping[str, object]
    only_old: bool = False
    only_new: bool = False
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the values of the key, separated by spaces."""
        return " ".join(map(str, self.key.values()))


@dataclass(frozen=True, slots=True)
class TableDifference:
    """The differences of one table; `old` and `new` are its numbers of rows in the old and the new database.

    `only_old` and `only_new` are the numbers of rows that exist in one database only; `changed` is the number of rows
    with different values, and `renumbered` the number of rows with different ids. `columns` maps the name of each
    column that differs to the number of rows in which it differs. `lost_rows` and `changed_rows` have the keys of the
    first rows that only the old database has, and of the first changed rows.
    """

    table: str
    kind: Kind
    old: int
    new: int
    only_old: int = 0
    only_new: int = 0
    changed: int = 0
    renumbered: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    lost_rows: tuple[str, ...] = ()
    changed_rows: tuple[str, ...] = ()

    @property
    def differing(self) -> int:
        """The number of rows that are missing, added or changed."""
        return self.only_old + self.only_new + self.changed


@contextmanager
def attached(db: Database, file: Path, name: str = "old") -> Iterator[None]:
    """Attach a database file under the schema name `name`, for reading, for the duration of the block.

    Raises:
        StorageError: the attached database cannot be read, for example because it is damaged.

    """
    with translated_errors(file):
        db.conn.execute(f"ATTACH DATABASE ? AS {name}", (reading_uri(file),))
        try:
            yield
        finally:
            db.conn.execute(f"DETACH DATABASE {name}")


class Comparison:
    """Compares two databases that are open in one connection, under the schema names `old` and `new`.

    A table or column that the old database lacks, although it has the same schema version, counts as different.
    """

    def __init__(self, db: Database, old: str = "old", new: str = "main") -> None:
        self._db = db
        self._old = old
        self._new = new

    def tables(self) -> list[TableDifference]:
        """Compare each table."""
        with self._mapped_ids():
            found = [self._table(table) for table in EVIDENCE]
        found += [TableDifference(table, "log", *self._counts(table)) for table in LOGS]
        return found + [TableDifference(table, "derived", *self._counts(table)) for table in DERIVED]

    def rows(self) -> Iterator[tuple[str, RowDifference]]:
        """Yield each differing row of the tables in `EVIDENCE`, with the name of its table."""
        with self._mapped_ids():
            for table in EVIDENCE:
                for row in self._rows(table):
                    yield table, row

    @contextmanager
    def _mapped_ids(self) -> Iterator[None]:
        """Create temporary tables that map the ids of the old database to those of the new one, for the block."""
        for table, key in _RENUMBERED.items():
            same = " AND ".join(f"o.{name} = n.{name}" for name in key)
            self._db.conn.execute(f"CREATE TEMP TABLE {table}_ids (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
            if {"id", *key} <= self._old_columns(table):
                self._db.conn.execute(
                    f"""INSERT INTO temp.{table}_ids
                        SELECT o.id, n.id FROM {self._old}.{table} o JOIN {self._new}.{table} n ON {same}"""  # noqa: S608 - constants only
                )
        try:
            yield
        finally:
            for table in _RENUMBERED:
                self._db.conn.execute(f"DROP TABLE temp.{table}_ids")

    def _table(self, table: str) -> TableDifference:
        old, new = self._counts(table)
        if not set(self._key(table)) <= self._old_columns(table):
            return TableDifference(table, "evidence", old, new, old, new)
        counts, columns = dict.fromkeys(("only_old", "only_new", "changed"), 0), dict[str, int]()
        lost, changed = list[str](), list[str]()
        for row in self._rows(table):
            counts["only_old" if row.only_old else "only_new" if row.only_new else "changed"] += 1
            for name in row.columns:
                columns[name] = columns.get(name, 0) + 1
            if not row.only_new and len(named := lost if row.only_old else changed) < _NAMED:
                named.append(str(row))
        return TableDifference(
            table, "evidence", old, new, **counts, renumbered=self._renumbered(table), columns=columns,
            lost_rows=tuple(lost), changed_rows=tuple(changed),
        )  # fmt: skip

    def _rows(self, table: str) -> Iterator[RowDifference]:
        key, known = self._key(table), self._old_columns(table)
        if not set(key) <= known:
            return
        source = f"{self._old}.{table} o"
        other = f"{self._new}.{table} n"
        same = " AND ".join(f"n.{name} IS {_translated(table, name)}" for name in key)
        names = ", ".join(f"o.{name}" for name in key)
        tests = self._tests(table, key, known)
        flags = "".join(f", {test}" for test in tests.values())
        changed = self._db.execute(
            f"SELECT {names}{flags} FROM {source} JOIN {other} ON {same} WHERE {' OR '.join(tests.values()) or '0'}"  # noqa: S608 - constants only
            f" ORDER BY {names}"
        )
        for values in changed:
            columns = itertools.compress(tests, values[len(key) :])
            yield RowDifference(dict(zip(key, values, strict=False)), columns=tuple(columns))
        only_old = (
            f"SELECT {names} FROM {source} WHERE NOT EXISTS (SELECT 1 FROM {other} WHERE {same}) ORDER BY {names}"  # noqa: S608 - constants only
        )
        for values in self._db.execute(only_old):
            yield RowDifference(dict(zip(key, values, strict=True)), only_old=True)
        translated = ", ".join(_translated(table, name) for name in key)
        may_lack = table in _MAY_LACK and {"id", "first_seen_at"} <= self._old_columns("articles")
        expected = f"NOT ({_MAY_LACK[table].format(old=self._old)})" if may_lack else "1"
        only_new = f"SELECT {', '.join(key)} FROM {other} WHERE {expected} EXCEPT SELECT {translated} FROM {source}"  # noqa: S608 - constants only
        for values in self._db.execute(only_new):
            yield RowDifference(dict(zip(key, values, strict=True)), only_new=True)

    def _tests(self, table: str, key: tuple[str, ...], known: set[str]) -> dict[str, str]:
        """Return the SQL condition under which each column of a table differs."""
        compared = [name for name, _ in self._columns(table) if name not in key and name not in _SKIPPED.get(table, ())]
        return {name: self._test(table, name) if name in known else "1" for name in compared}

    def _test(self, table: str, name: str) -> str:
        test = f"n.{name} IS NOT {_translated(table, name)}"
        exception = _NOT_EVIDENT.get((table, name))
        needed = _NEEDED.get((table, name))
        if needed is not None and needed[1] not in self._old_columns(needed[0]):
            exception = None
        return f"({test} AND NOT ({exception.format(old=self._old)}))" if exception else f"({test})"

    def _renumbered(self, table: str) -> int:
        if table not in _RENUMBERED:
            return 0
        return int(self._db.execute(f"SELECT count(*) FROM temp.{table}_ids WHERE old <> new").fetchone()[0])  # noqa: S608 - constants only

    def _key(self, table: str) -> tuple[str, ...]:
        return EVIDENCE[table] or tuple(
            name for name, rank in sorted(self._columns(table), key=lambda column: column[1]) if rank
        )

    def _columns(self, table: str) -> list[tuple[str, int]]:
        """Return the columns of a table or view, each with its position in the primary key, from 1 (0: not part of it)."""
        return [(row[1], row[5]) for row in self._db.execute(f"PRAGMA {self._new}.table_xinfo({table})")]

    def _old_columns(self, table: str) -> set[str]:
        """Return the names of the columns of a table or view in the old database; none if it cannot be read."""
        try:
            cursor = self._db.conn.execute(f"SELECT * FROM {self._old}.{table} LIMIT 0")  # noqa: S608 - constants only
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            return set()  # it is missing, or a view that needs a missing table
        return {column[0] for column in cursor.description}

    def _counts(self, table: str) -> tuple[int, int]:
        schemas = (self._old, self._new) if self._old_columns(table) else (self._new,)
        *old, new = (self._db.execute(f"SELECT count(*) FROM {name}.{table}").fetchone()[0] for name in schemas)  # noqa: S608 - constants only
        return (old[0] if old else 0), new


def compare(db: Database) -> list[TableDifference]:
    """Compare each table of `db` with the same table of the attached database (see `attached`)."""
    return Comparison(db).tables()


def copy_logs(db: Database) -> None:
    """Copy the tables in `LOGS` from the attached database into `db`.

    References to rows that `db` does not have are left empty; rows that need them are left out.
    """
    for table in LOGS:
        old, new = (
            {row[1]: None for row in db.execute(f"PRAGMA {name}.table_info({table})")} for name in ("old", "main")
        )
        names = ", ".join(column for column in new if column in old)
        if not names:
            continue
        needed = {row[1] for row in db.execute(f"PRAGMA main.table_info({table})") if row[3]}
        known = {
            row[3]: f"EXISTS (SELECT 1 FROM main.{row[2]} p WHERE p.{row[4]} = o.{row[3]})"  # noqa: S608 - constants only
            for row in db.execute(f"PRAGMA main.foreign_key_list({table})")
        }
        where = " AND ".join(["1", *(test for column, test in known.items() if column in needed)])
        values = ", ".join(
            f"iif({known[column]}, o.{column}, NULL)" if column in known and column not in needed else f"o.{column}"
            for column in names.split(", ")
        )
        db.conn.execute(f"INSERT INTO main.{table} ({names}) SELECT {values} FROM old.{table} o WHERE {where}")  # noqa: S608 - constants only


def _translated(table: str, name: str) -> str:
    """Return the SQL expression for a column of an old row; if it contains ids, they are translated to new ids."""
    referred = _REFERENCES.get((table, name))
    return f"(SELECT new FROM temp.{referred}_ids WHERE old = o.{name})" if referred else f"o.{name}"  # noqa: S608 - constants only
