"""What the rows say of the evidence, and whether the database is sound; for `vna verify`.

Boundary: reads only; what a finding means for the user is said elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlite_utils import Database

from crawler.types import RawRef

_STEPS = 100_000  # of SQLite's machine between two looks whether to stop
_PIECE = 500  # rows of a sample that are read at a time
# what SQLite 3.44 and newer find of it in the whole database, too; it is checked by itself
_OF_THE_SEARCH = "inverted index for FTS5 table"

_REVISIONS = """
SELECT a.id FROM articles a LEFT JOIN revisions r ON r.article = a.id GROUP BY a.id
HAVING min(r.revision) IS NOT 1 OR max(r.revision) <> count(*) OR max(r.revision) <> a.revision
  OR max(iif(r.revision = a.revision, r.fingerprint, '')) <> a.fingerprint"""
_UNFOLDED = "SELECT id FROM articles EXCEPT SELECT id FROM articles_folded"
_WITHOUT_EVIDENCE = "SELECT id FROM articles WHERE raw_id IS NULL"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row that says where an answer is kept."""

    id: int
    url: str
    status: int
    ref: RawRef


class Evidence:
    """Queries over the places of the evidence, and checks of the database."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    def raw_files(self) -> dict[str, int]:
        """Give the WARC files that rows point into, with how many rows do."""
        rows = self.db.query("SELECT file, count(*) AS n FROM raw GROUP BY file ORDER BY file")
        return {row["file"]: row["n"] for row in rows}

    def raw_of(self, file: str) -> Iterator[RawRow]:
        """Give the rows of one WARC file in the order of its bytes."""
        return self._raw("WHERE file = ? ORDER BY offset", file)

    def raw_spread(self, count: int, shift: int) -> tuple[int, Iterator[RawRow]]:
        """Give about so many rows, evenly spread over all of them, and how many; another `shift` gives others.

        They are read piece by piece, so that whoever takes long over them holds neither all of them nor the log.
        """
        total = int(self.db.execute("SELECT coalesce(max(id), 0) FROM raw").fetchone()[0])
        step = max(1, total // max(1, count))
        ids = range(shift % step or step, total + 1, step)
        pieces = (ids[at : at + _PIECE] for at in range(0, len(ids), _PIECE))
        rows = (row for piece in pieces for row in self._raw_between(piece))
        return len(ids), rows

    def _raw_between(self, ids: range) -> list[RawRow]:
        condition = "WHERE id BETWEEN ? AND ? AND id % ? = ? ORDER BY id"
        return list(self._raw(condition, ids[0], ids[-1], ids.step, ids[0] % ids.step))

    def articles_in(self, file: str, start: int = 0, end: int = 1 << 62) -> int:
        """Count the articles whose page stands in a stretch of a WARC file."""
        row = self.db.execute(
            """SELECT count(DISTINCT v.article) FROM revisions v JOIN raw r ON r.id = v.raw_id
               WHERE r.file = ? AND r.offset >= ? AND r.offset < ?""",
            [file, start, end],
        ).fetchone()
        return int(row[0])

    def without_evidence(self) -> list[int]:
        """Give the articles that no record stands behind."""
        return self._ids(_WITHOUT_EVIDENCE)

    def broken_revisions(self) -> list[int]:
        """Give the articles whose revisions are not 1, 2, 3 ... up to what the article says now."""
        return self._ids(_REVISIONS)

    def not_searchable(self) -> list[int]:
        """Give the articles that the search index has no text of."""
        return self._ids(_UNFOLDED)

    def broken_references(self) -> dict[str, int]:
        """Count, by table, the rows that refer to a row that is not there."""
        counts: dict[str, int] = {}
        for table, *_ in self.db.conn.execute("PRAGMA foreign_key_check"):
            counts[table] = counts.get(table, 0) + 1
        return counts

    def damage(self) -> list[str]:
        """Have SQLite check the database file; give what it says but of the search index, nothing when all is well."""
        try:
            found = [row[0] for row in self.db.conn.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as error:
            self._unless_stopped(error)
            return [str(error)]
        return [line for line in found if line != "ok" and _OF_THE_SEARCH not in line]

    def search_damage(self) -> str | None:
        """Have the search index checked against the texts that it was made of."""
        try:
            with self.transaction():  # it is a write, as SQLite sees it
                self.db.conn.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            self._unless_stopped(error)
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
                raise
            return str(error)
        return None

    def reindex(self) -> None:
        """Make the search index anew from the texts that it is of."""
        with self.transaction():
            self.db.conn.execute("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')")

    @contextmanager
    def stoppable(self, stopping: Callable[[], bool]) -> Iterator[None]:
        """Let long queries of the block end early, with the driver's `interrupted`, when `stopping` says so."""
        self.db.conn.set_progress_handler(stopping, _STEPS)
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
        finally:
            self.db.conn.set_progress_handler(None, 0)

    def _unless_stopped(self, error: sqlite3.DatabaseError) -> None:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise error

    def _ids(self, sql: str) -> list[int]:
        return [row[0] for row in self.db.execute(sql)]

    def _raw(self, condition: str, *values: object) -> Iterator[RawRow]:
        sql = f"SELECT id, url, status, file, offset, length, digest FROM raw {condition}"  # noqa: S608 - ours
        for row in self.db.conn.execute(sql, values):
            yield RawRow(row[0], row[1], row[2], RawRef(*row[3:]))

    def source_checked_at(self, url: str) -> str | None:
        """Say when a source was last asked for, whatever came of it."""
        row = self.db.execute("SELECT last_checked_at FROM sources WHERE url = ?", [url]).fetchone()
        return None if row is None or row[0] is None else str(row[0])
