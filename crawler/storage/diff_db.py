"""Compare two databases of one archive, table by table.

The ids of captures and sources depend on the order of writing, so they may differ between the two databases. Therefore
rows are matched by a natural key, such as a URL, and two references are equal if they refer to matching rows.

Boundary: queries on two database files; the caller decides which differences matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from crawler.storage.base import translated_errors

Kind = Literal["evidence", "log", "derived"]

#: Tables derived from the WARC files, and the columns by which their rows are matched; None means the primary key.
EVIDENCE: Mapping[str, tuple[str, ...] | None] = {
    "archive_identity": None,
    "raw": ("file", "offset"),
    "articles": None,
    "articles_folded": None,
    "images": None,
    "related": None,
    "tags": None,
    "sections": None,
    "revisions": None,
    "states": None,
    "duplicates": None,
    "passage_hashes": None,
    "similar": None,
    "repairs": None,
    "pages": None,
    "sightings": None,
    "sources": ("url",),
    "rhythms": None,
    "appearances": None,
    "gaps": ("source", "opened_at"),
}
#: Tables that record what the program did and when. No WARC record contains this, so a rebuild copies them.
LOGS = ("runs", "fetches", "findings", "plans", "plan_steps", "plan_pages", "heartbeats", "incidents", "disk")
#: Tables computed from the other tables: the coverage ledger.
DERIVED = ("coverage", "missing", "datings")

_RENUMBERED = {"raw": ("file", "offset"), "sources": ("url",)}  # tables whose ids may differ, and their natural keys
_REFERENCES = {
    ("articles", "raw_id"): "raw", ("articles", "last_raw_id"): "raw", ("revisions", "raw_id"): "raw",
    ("pages", "raw_id"): "raw", ("rhythms", "source"): "sources", ("appearances", "source"): "sources",
    ("gaps", "source"): "sources",
}  # fmt: skip
_NAMED = 5  # rows of a table that are named
_SKIPPED = {"raw": {"id"}, "sources": {"id"}, "gaps": {"id"}}
#: Differences to ignore, by table and column: the SQL condition on the old row `o` and the new row `n` under which a
#: difference does not count.
_NOT_EVIDENT = {
    # A source that was never polled is due since the run that added it, and that time is in no WARC record.
    ("sources", "next_due_at"): "o.state IN ('new', 'excluded') AND n.state IN ('new', 'excluded')",
    # Schema 2 had no kinds of errors; migration 0003 fills in only some of them.
    ("pages", "error_kind"): "o.error_kind IS NULL",
    ("sources", "error_kind"): "o.error_kind IS NULL",
    # Messages for people are reworded from version to version: only their presence is compared.
    ("pages", "error"): "(o.error IS NULL) = (n.error IS NULL)",
    ("sources", "error"): "(o.error IS NULL) = (n.error IS NULL)",
    # Before schema 4, addresses were re-encoded, and sightings had none.
    ("pages", "url"): "EXISTS (SELECT 1 FROM old.sightings s WHERE s.page = o.id AND s.url IS NULL)",
    ("sightings", "url"): "o.url IS NULL",
    ("gaps", "note"): "(o.note IS NULL) = (n.note IS NULL)",
}


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
def attached(db: Database, old: Path) -> Iterator[None]:
    """Attach the database file `old` under the schema name `old` for the duration of the block.

    Raises:
        StorageError: the attached database cannot be read, for example because it is damaged.

    """
    db.conn.execute("ATTACH DATABASE ? AS old", (str(old.absolute()),))
    try:
        with translated_errors(old):
            yield
    finally:
        db.conn.execute("DETACH DATABASE old")


def compare(db: Database) -> list[TableDifference]:
    """Compare each table of `db` with the same table of the attached database (see `attached`).

    A table or column that the attached database lacks, although it has the same schema version, counts as different.
    """
    for table, key in _RENUMBERED.items():
        _map_ids(db, table, key)
    found = [_compare_table(db, table, key) for table, key in EVIDENCE.items()]
    for table in _RENUMBERED:
        db.conn.execute(f"DROP TABLE temp.{table}_ids")
    found += [TableDifference(table, "log", *_counts(db, table)) for table in LOGS]
    return found + [TableDifference(table, "derived", *_counts(db, table)) for table in DERIVED]


def copy_logs(db: Database) -> None:
    """Copy the tables in `LOGS` from the attached database into `db`, except plan pages that `db` does not know."""
    for table in LOGS:
        names = ", ".join(column for column, _ in _columns(db, table) if column in _old_columns(db, table))
        if not names:
            continue
        known = " WHERE page IN (SELECT id FROM pages)" if table == "plan_pages" else ""
        db.conn.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM old.{table}{known}")  # noqa: S608 - constants only


def _map_ids(db: Database, table: str, key: Sequence[str]) -> None:
    """Create a temporary table that maps the ids of a table in the old database to those in the new one."""
    same = " AND ".join(f"o.{name} = n.{name}" for name in key)
    db.conn.execute(f"CREATE TEMP TABLE {table}_ids (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
    if not {"id", *key} <= _old_columns(db, table):
        return
    db.conn.execute(
        f"INSERT INTO temp.{table}_ids SELECT o.id, n.id FROM old.{table} o JOIN main.{table} n ON {same}"  # noqa: S608 - constants only
    )


def _compare_table(db: Database, table: str, key: tuple[str, ...] | None) -> TableDifference:
    columns = _columns(db, table)
    key = key or tuple(name for name, rank in sorted(columns, key=lambda column: column[1]) if rank)
    known = _old_columns(db, table)
    old, new = _counts(db, table)
    if not set(key) <= known:
        return TableDifference(table, "evidence", old, new, old, new)
    same = " AND ".join(f"n.{name} IS {_translated(table, name)}" for name in key)
    compared = [name for name, _ in columns if name not in key and name not in _SKIPPED.get(table, ())]
    has_addresses = "url" in _old_columns(db, "sightings")
    tests = {name: _test(table, name, has_addresses=has_addresses) if name in known else "1" for name in compared}
    sums = ", ".join(f"coalesce(sum({test}), 0)" for test in tests.values())
    any_test = " OR ".join(tests.values()) or "0"
    other_ids = "coalesce(sum(o.id <> n.id), 0)" if "id" in _SKIPPED.get(table, ()) and "id" in known else "0"
    shared, renumbered, changed, *each = db.execute(
        f"SELECT count(*), {other_ids}, coalesce(sum({any_test}), 0){', ' * bool(tests)}{sums}"  # noqa: S608 - constants only
        f" FROM old.{table} o JOIN main.{table} n ON {same}"
    ).fetchone()
    differing = {name: count for name, count in zip(tests, each, strict=True) if count}
    without = f"FROM old.{table} o WHERE NOT EXISTS (SELECT 1 FROM main.{table} n WHERE {same})"  # noqa: S608 - constants only
    with_other = f"FROM old.{table} o JOIN main.{table} n ON {same} WHERE {any_test}"
    return TableDifference(
        table, "evidence", old, new, old - shared, new - shared, changed, renumbered, differing,
        _first_keys(db, key, without) if old > shared else (), _first_keys(db, key, with_other) if changed else (),
    )  # fmt: skip


def _first_keys(db: Database, key: Sequence[str], rows: str) -> tuple[str, ...]:
    """Return the keys of the first of the `rows`, which is an SQL clause that calls the old row `o`."""
    names = ", ".join(f"o.{name}" for name in key)
    found = db.execute(f"SELECT {names} {rows} ORDER BY {names} LIMIT {_NAMED}")
    return tuple(" ".join(map(str, row)) for row in found)


def _test(table: str, name: str, *, has_addresses: bool) -> str:
    """Return the SQL condition under which a column differs; `has_addresses`: whether old sightings have a URL."""
    test = f"n.{name} IS NOT {_translated(table, name)}"
    exception = _NOT_EVIDENT.get((table, name)) if has_addresses or (table, name) != ("pages", "url") else None
    return f"({test} AND NOT ({exception}))" if exception else f"({test})"


def _translated(table: str, name: str) -> str:
    """Return the SQL expression for a column of an old row; if it contains ids, they are translated to new ids."""
    referred = _REFERENCES.get((table, name))
    return f"(SELECT new FROM temp.{referred}_ids WHERE old = o.{name})" if referred else f"o.{name}"  # noqa: S608 - constants only


def _columns(db: Database, table: str) -> list[tuple[str, int]]:
    """Return the columns of a table, each with its position in the primary key, from 1 (0: not part of the key)."""
    return [(row[1], row[5]) for row in db.execute(f"PRAGMA main.table_info({table})")]


def _old_columns(db: Database, table: str) -> set[str]:
    """Return the names of the columns of a table in the attached database; none if it lacks the table."""
    return {row[1] for row in db.execute(f"PRAGMA old.table_info({table})")}


def _counts(db: Database, table: str) -> tuple[int, int]:
    schemas = ("old", "main") if _old_columns(db, table) else ("main",)
    *old, new = (db.execute(f"SELECT count(*) FROM {name}.{table}").fetchone()[0] for name in schemas)  # noqa: S608 - constants only
    return (old[0] if old else 0), new
