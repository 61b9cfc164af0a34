"""Two databases of one archive, table by table.

Numbers that are given in the order of writing (of answers, of sources) may differ: rows are found by what they are
about, and references are compared by what they refer to.

Boundary: SQL over two files; which difference matters is the caller's to say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from crawler.storage.base import mendable

Kind = Literal["evidence", "log", "derived"]

#: What the evidence says, and by which columns a row is found; None: by its primary key.
EVIDENCE: Mapping[str, tuple[str, ...] | None] = {
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
    "repairs": None,
    "pages": None,
    "sightings": None,
    "sources": ("url",),
    "rhythms": None,
    "appearances": None,
    "gaps": ("source", "opened_at"),
}
#: What was done, by whom and when: no evidence says it; taken over as it is.
LOGS = ("runs", "fetches", "findings", "plans", "plan_steps", "plan_pages", "heartbeats", "incidents", "disk")
#: What is worked out from the other tables whenever it is asked for.
DERIVED = ("coverage", "missing", "datings")

_NUMBERED = {"raw": ("file", "offset"), "sources": ("url",)}  # tables whose numbers are translated, and by what
_REFERENCES = {
    ("articles", "raw_id"): "raw", ("articles", "last_raw_id"): "raw", ("revisions", "raw_id"): "raw",
    ("pages", "raw_id"): "raw", ("rhythms", "source"): "sources", ("appearances", "source"): "sources",
    ("gaps", "source"): "sources",
}  # fmt: skip
_SKIPPED = {"raw": {"id"}, "sources": {"id"}, "gaps": {"id"}}
# a source that was never asked is due since the run that added it
_NOT_EVIDENT = {("sources", "next_due_at"): "o.state IN ('new', 'excluded') AND n.state IN ('new', 'excluded')"}


@dataclass(frozen=True, slots=True)
class TableDifference:
    """One table: rows in the old and the new database, how many of them differ or are in one alone, and where."""

    table: str
    kind: Kind
    old: int
    new: int
    only_old: int = 0
    only_new: int = 0
    changed: int = 0
    renumbered: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)

    @property
    def differing(self) -> int:
        """How many rows are not the same."""
        return self.only_old + self.only_new + self.changed


@contextmanager
def beside(db: Database, old: Path) -> Iterator[None]:
    """Have another database at hand under the name `old`.

    Raises:
        StorageError: it is damaged.

    """
    db.conn.execute("ATTACH DATABASE ? AS old", (str(old),))
    try:
        yield
    except sqlite3.DatabaseError as error:
        if (told := mendable(old, error)) is None:
            raise
        raise told from error
    finally:
        db.conn.execute("DETACH DATABASE old")


def compare(db: Database) -> list[TableDifference]:
    """Compare with the database `beside` this one."""
    for table, key in _NUMBERED.items():
        _number(db, table, key)
    found = [_compared(db, table, key) for table, key in EVIDENCE.items()]
    for table in _NUMBERED:
        db.conn.execute(f"DROP TABLE temp.{table}_numbers")
    found += [TableDifference(table, "log", *_counts(db, table)) for table in LOGS]
    return found + [TableDifference(table, "derived", *_counts(db, table)) for table in DERIVED]


def take_over(db: Database) -> None:
    """Take the logs over from the database `beside` this one; of a plan, what is still known."""
    for table in LOGS:
        names = ", ".join(column for column, _ in _columns(db, table))
        known = " WHERE page IN (SELECT id FROM pages)" if table == "plan_pages" else ""
        db.conn.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM old.{table}{known}")  # noqa: S608 - ours


def _number(db: Database, table: str, key: Sequence[str]) -> None:
    """Make a table that says which number of the old database is which of the new one."""
    same = " AND ".join(f"o.{name} = n.{name}" for name in key)
    db.conn.execute(f"CREATE TEMP TABLE {table}_numbers (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
    db.conn.execute(
        f"INSERT INTO temp.{table}_numbers SELECT o.id, n.id FROM old.{table} o JOIN main.{table} n ON {same}"  # noqa: S608 - ours
    )


def _compared(db: Database, table: str, key: tuple[str, ...] | None) -> TableDifference:
    columns = _columns(db, table)
    key = key or tuple(name for name, place in sorted(columns, key=lambda column: column[1]) if place)
    same = " AND ".join(f"n.{name} IS {_in_new_numbers(table, name)}" for name in key)
    compared = [name for name, _ in columns if name not in key and name not in _SKIPPED.get(table, ())]
    tests = {name: _test(table, name) for name in compared}
    sums = ", ".join(f"coalesce(sum({test}), 0)" for test in tests.values())
    anything = " OR ".join(tests.values()) or "0"
    numbers = "coalesce(sum(o.id <> n.id), 0)" if "id" in _SKIPPED.get(table, ()) else "0"
    shared, renumbered, changed, *each = db.execute(
        f"SELECT count(*), {numbers}, coalesce(sum({anything}), 0){', ' * bool(tests)}{sums}"  # noqa: S608 - ours
        f" FROM old.{table} o JOIN main.{table} n ON {same}"
    ).fetchone()
    old, new = _counts(db, table)
    differing = {name: count for name, count in zip(tests, each, strict=True) if count}
    return TableDifference(table, "evidence", old, new, old - shared, new - shared, changed, renumbered, differing)


def _test(table: str, name: str) -> str:
    test = f"n.{name} IS NOT {_in_new_numbers(table, name)}"
    but = _NOT_EVIDENT.get((table, name))
    return f"({test} AND NOT ({but}))" if but else f"({test})"


def _in_new_numbers(table: str, name: str) -> str:
    """Write a value of the old database as the new one would."""
    numbered = _REFERENCES.get((table, name))
    return f"(SELECT new FROM temp.{numbered}_numbers WHERE old = o.{name})" if numbered else f"o.{name}"  # noqa: S608 - ours


def _columns(db: Database, table: str) -> list[tuple[str, int]]:
    """Give the columns of a table, each with its place in the primary key (0: none)."""
    return [(row[1], row[5]) for row in db.execute(f"PRAGMA main.table_info({table})")]


def _counts(db: Database, table: str) -> tuple[int, int]:
    counts = (db.execute(f"SELECT count(*) FROM {name}.{table}").fetchone()[0] for name in ("old", "main"))  # noqa: S608 - ours
    old, new = counts
    return old, new
