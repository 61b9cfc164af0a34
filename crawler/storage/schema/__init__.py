"""The tables, as readable SQL; migrations are append-only, each in one transaction with the record of itself.

Instants are ISO 8601 text in UTC (`2026-01-31T08:15:00Z`); `published_at` and `modified_at` keep the site's offset;
`published_on` is the day in Hanoi. JSON columns hold what the command contract prints under the same name.

Boundary: DDL alone. Foreign keys are off while a migration runs (a table can then be made anew under its name) and are
checked before it commits.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from crawler.storage.schema.m0001_initial import FIRST
from crawler.storage.schema.m0002_service import SECOND

migrations = Migrations("vna")


@migrations(name="0001_first")
def _first(db: Database) -> None:
    _run(db, FIRST)


@migrations(name="0002_service")
def _second(db: Database) -> None:
    _run(db, SECOND)


def version() -> int:
    """Give the newest schema version that this program knows."""
    return len(migrations._migrations)  # noqa: SLF001 - the library has no public count


def _run(db: Database, script: str) -> None:
    # not executescript(): it commits what is open first, and a migration must be all or nothing
    for statement in _statements(script):
        db.conn.execute(statement)
    broken = db.conn.execute("PRAGMA foreign_key_check").fetchall()
    assert not broken, f"a migration broke references: {broken[:3]}"


def _statements(script: str) -> list[str]:
    """Split a script at the semicolons that end a line, trigger bodies kept whole."""
    found: list[str] = []
    current: list[str] = []
    for line in script.splitlines():
        current.append(line)
        in_trigger = any(part.startswith("CREATE TRIGGER") for part in current)
        if line.rstrip().endswith("END;" if in_trigger else ";"):
            found.append("\n".join(current))
            current = []
    return found
