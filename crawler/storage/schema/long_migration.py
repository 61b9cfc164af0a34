"""Migrations that move the rows of large tables in batches, each in a transaction of its own.

If the process is killed or the disk is full, such a migration ends between two batches; the next process that opens the
database continues it. Until the end, the database has the new version and the table `unfinished_migration`, so that neither
an older program nor a reading command uses it.

Boundary: the order of the steps and the transactions; a migration says which rows it moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Connection

from crawler.storage.schema.scripts import run_script, statements

#: Receives how many rows a migration has moved, and how many there are.
Report = Callable[[int, int], None]

_START = """
CREATE TABLE unfinished_migration (
  rows     INTEGER NOT NULL,            -- to move, counted in the main table
  moved    INTEGER NOT NULL DEFAULT 0,
  is_moved INTEGER NOT NULL DEFAULT 0   -- whether all rows are moved and the schema is the new one
);
"""


@dataclass(frozen=True, slots=True)
class LongMigration:
    """A migration in batches to the schema `version`.

    `rows` is the query that counts the rows of the main table before the migration. `begin` is the script that renames the
    old tables and creates the new ones. `batch` moves the next rows and returns the number of rows of the main table among
    them; after 0, nothing is left. `indexes` are created one by one, each with IF NOT EXISTS. `finish` is the script that
    removes the old tables.
    """

    version: int
    rows: str
    begin: str
    batch: Callable[[Connection], int]
    indexes: str
    finish: str

    def run(self, db: Connection, report: Report) -> None:
        """Run the migration, or what is left of it. Foreign keys must be off.

        If there were rows to move, the table `unfinished_migration` remains; the caller removes it with `end`.
        """
        # In this mode, renaming a table changes no other object: references to it and views of the user stay as they are.
        db.execute("PRAGMA legacy_alter_table = ON")
        try:
            if progress(db) is None and not db.execute(self.rows).fetchone()[0]:
                self._run_at_once(db)
            else:
                self._run_in_batches(db, report)
        finally:
            db.execute("PRAGMA legacy_alter_table = OFF")

    def _run_at_once(self, db: Connection) -> None:
        with _transaction(db):
            run_script(db, self.begin)
            self.batch(db)
            run_script(db, self.indexes + self.finish)

    def _run_in_batches(self, db: Connection, report: Report) -> None:
        if progress(db) is None:
            with _transaction(db):
                (rows,) = db.execute(self.rows).fetchone()
                run_script(db, _START)
                db.execute("INSERT INTO unfinished_migration (rows) VALUES (?)", (rows,))
                run_script(db, self.begin)
                db.execute(f"PRAGMA user_version = {self.version}")
        rows, moved, is_moved = db.execute("SELECT rows, moved, is_moved FROM unfinished_migration").fetchone()
        if is_moved:
            return
        report(moved, rows)
        while True:
            with _transaction(db):
                batch = self.batch(db)
                db.execute("UPDATE unfinished_migration SET moved = moved + ?", (batch,))
            moved += batch
            report(moved, rows)
            if not batch:
                break
        for statement in statements(self.indexes):
            with _transaction(db):
                db.execute(statement)
        with _transaction(db):
            run_script(db, self.finish)
            db.execute("UPDATE unfinished_migration SET is_moved = 1")


def progress(db: Connection) -> float | None:
    """Return the share of the rows that an unfinished migration has moved; None if there is no unfinished migration."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'unfinished_migration'").fetchone():
        return None
    moved, rows = db.execute("SELECT moved, rows FROM unfinished_migration").fetchone()
    return moved / rows if rows else 1.0


def end(db: Connection) -> None:
    """Record that a migration is finished."""
    db.execute("DROP TABLE unfinished_migration")


@contextmanager
def _transaction(db: Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.rollback()
        raise
    db.execute("COMMIT")
