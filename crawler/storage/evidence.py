"""Locations of the evidence (WARC records) and integrity checks of the database, for `vna verify`.

Boundary: only reads, except that it can rebuild the search index. `vna verify` explains what a finding means.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlite_utils import Database

from crawler.purpose import PurposeKind
from crawler.storage.diff_db import STORED
from crawler.storage.file_damage import file_damage
from crawler.storage.schema_check import SchemaDifference, schema_differences, unknown_entries, wrong_types
from crawler.types import RawRef, Reading, Repair

_STEPS = 100_000  # SQLite virtual machine instructions between two calls of `stopping`
_BATCH = 500  # rows of a sample that are read at a time

_REVISIONS = """
SELECT a.id FROM articles a LEFT JOIN stored_revisions r ON r.article = a.id GROUP BY a.id
HAVING min(r.revision) IS NOT 1 OR max(r.revision) <> count(*) OR max(r.revision) <> a.revision
  OR max(iif(r.revision = a.revision, r.fingerprint, '')) <> a.fingerprint"""
_SAME_AS_BEFORE = """
SELECT r.article FROM stored_revisions r JOIN stored_revisions b ON b.article = r.article AND b.revision = r.revision - 1
WHERE r.fingerprint = b.fingerprint AND r.article > 0"""
_UNFOLDED = "SELECT id FROM articles EXCEPT SELECT id FROM articles_folded"
_WITHOUT_EVIDENCE = "SELECT id FROM articles WHERE raw_id IS NULL"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of the table `raw`: the location of a capture."""

    id: int
    url: str
    status: int
    ref: RawRef


@dataclass(frozen=True, slots=True)
class ArticleCapture:
    """A capture of one article: a row of the table `raw`, with the id of the article."""

    article: int
    id: int
    url: str
    fetched_at: str
    status: int
    purpose: str | None
    origin: str | None
    ref: RawRef


_CAPTURES = """
SELECT cast(substr(purpose, instr(purpose, ':') + 1) AS INTEGER) AS article, id FROM raw
WHERE purpose IN (SELECT k.value || ':' || a.value FROM json_each(:ids) a, json_each(:kinds) k)
UNION SELECT p.id, r.id FROM pages p JOIN raw r ON r.url = p.url
  WHERE p.id IN (SELECT value FROM json_each(:ids)) AND r.purpose IS NULL  -- version 0.1 wrote no purpose
UNION SELECT article, raw_id FROM stored_revisions WHERE article IN (SELECT value FROM json_each(:ids)) AND raw_id IS NOT NULL
UNION SELECT id, last_raw_id FROM articles WHERE id IN (SELECT value FROM json_each(:ids)) AND last_raw_id IS NOT NULL
UNION SELECT shown.article, r.id FROM (
  SELECT v.article, b.value ->> '$.url' AS url FROM revisions v, json_each(v.blocks) b
  WHERE v.article IN (SELECT value FROM json_each(:ids)) AND b.value ->> '$.type' = 'image'
  UNION SELECT article, url FROM images WHERE article IN (SELECT value FROM json_each(:ids))
) shown JOIN raw r ON r.purpose IN ('image:' || shown.url, 'image:https' || substr(shown.url, 5))
WHERE r.purpose >= 'image:' AND r.purpose < 'image;'"""
_CAPTURE_KINDS = (PurposeKind.PAGE, PurposeKind.CAPTURE, PurposeKind.PROBED_PAGE, PurposeKind.ID)


class EvidenceQueries:
    """Queries over the locations of captures, and integrity checks of the database."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    def raw_files(self) -> dict[str, int]:
        """Return the WARC files to which the table `raw` refers, each with its number of captures."""
        rows = self.db.query(
            "SELECT file, count(*) AS n FROM raw WHERE typeof(file) = 'text' GROUP BY file ORDER BY file"
        )
        return {row["file"]: row["n"] for row in rows}

    def raw_of(self, file: str) -> Iterator[RawRow]:
        """Return the captures in the WARC file `file`, in the order of the file."""
        return self._raw("WHERE file = ? ORDER BY offset", file)

    def raw_spread(self, count: int, shift: int) -> tuple[int, Iterator[RawRow]]:
        """Return the size and the rows of a sample of about `count` captures, spread evenly over all captures.

        A different `shift` selects different rows. The rows are read in batches, so that they are never all in memory
        at once, and so that a slow caller does not keep a read transaction open: that would prevent SQLite from
        truncating the WAL file.
        """
        total = int(self.db.execute("SELECT coalesce(max(id), 0) FROM raw").fetchone()[0])
        step = max(1, total // max(1, count))
        ids = range(shift % step or step, total + 1, step)
        batches = (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))
        rows = (row for batch in batches for row in self._raw_between(batch))
        return len(ids), rows

    def _raw_between(self, ids: range) -> list[RawRow]:
        condition = "WHERE id BETWEEN ? AND ? AND id % ? = ? ORDER BY id"
        return list(self._raw(condition, ids[0], ids[-1], ids.step, ids[0] % ids.step))

    def captures_of(self, ids: Sequence[int]) -> dict[int, list[ArticleCapture]]:
        """Return the captures of some articles, by article, oldest first.

        They are all responses to requests for their pages and for the pictures that any of their revisions shows.
        """
        sql = f"""SELECT c.article, r.id, r.url, r.fetched_at, r.status, r.purpose, r.origin, r.file, r.offset, r.length, r.digest
                  FROM ({_CAPTURES}) c JOIN raw r ON r.id = c.id ORDER BY c.article, r.fetched_at, r.id"""  # noqa: S608 - constants only
        found: dict[int, list[ArticleCapture]] = {key: [] for key in ids}
        for row in self.db.conn.execute(sql, {"ids": json.dumps(ids), "kinds": json.dumps(_CAPTURE_KINDS)}):
            key, raw_id, url, at, status, purpose, origin, *ref = row
            found[key].append(ArticleCapture(key, raw_id, url, at, status, purpose, origin, RawRef(*ref)))
        return found

    def raw_row(self, raw_id: int | None) -> tuple[str, str]:
        """Return the time and the digest of a capture; empty texts if it is unknown."""
        row = self.db.conn.execute("SELECT fetched_at, digest FROM raw WHERE id = ?", [raw_id]).fetchone()
        return (row[0], row[1]) if row else ("", "")

    def state_changes(self, key: int) -> list[tuple[str, str]]:
        """Return the changes of the state of an article, oldest first: the time, and the new state."""
        return list(self.db.conn.execute("SELECT at, state FROM states WHERE article = ? ORDER BY at", [key]))

    def sources_of(self, key: int) -> list[dict[str, str]]:
        """Return the sources that listed an article, with the first and the last time, in the order of the first time."""
        rows = self.db.conn.execute(
            "SELECT source, first_seen_at, last_seen_at, url FROM sightings WHERE page = ? ORDER BY first_seen_at, source",
            [key],
        )
        return [dict(zip(("source", "first_seen_at", "last_seen_at", "url"), row, strict=True)) for row in rows]

    def articles_in(self, file: str, start: int = 0, end: int = 1 << 62) -> int:
        """Return how many articles have a revision whose capture begins between bytes `start` and `end` of a file."""
        row = self.db.execute(
            """SELECT count(DISTINCT v.article) FROM stored_revisions v JOIN raw r ON r.id = v.raw_id
               WHERE r.file = ? AND r.offset >= ? AND r.offset < ?""",
            [file, start, end],
        ).fetchone()
        return int(row[0])

    def requests_by_day(self) -> dict[str, int]:
        """Return the number of logged requests for each day in UTC (`2026-11-21`), without those for robots.txt."""
        rows = self.db.execute(
            "SELECT substr(at, 1, 10), count(*) FROM fetches WHERE url NOT LIKE '%/robots.txt' GROUP BY 1 ORDER BY 1"
        )
        return dict(rows.fetchall())

    def without_evidence(self) -> list[int]:
        """Return the ids of articles without a capture."""
        return self._ids(_WITHOUT_EVIDENCE)

    def broken_revisions(self) -> list[int]:
        """Return the ids of articles whose revisions are inconsistent.

        The revisions must be numbered 1, 2, 3, ..., and the last one must have the current content of the article.
        """
        return self._ids(_REVISIONS)

    def not_searchable(self) -> list[int]:
        """Return the ids of articles that are missing from the search index."""
        return self._ids(_UNFOLDED)

    def to_reparse(self, version: int) -> frozenset[int]:
        """Return the ids of the articles that `vna reparse` has to correct.

        Another version of the parser than `version` read them from pages, or a revision differs from the one before only
        in what present fingerprints ignore.
        """
        by_others = f"SELECT id FROM articles WHERE parser <> {version:d} AND source_file IS NULL"  # noqa: S608 - a number
        return frozenset(self._ids(f"{by_others} UNION {_SAME_AS_BEFORE}"))

    def article_spread(self, count: int, shift: int, parser: int) -> list[int]:
        """Return the ids of about `count` articles that the version `parser` of the parser read from pages.

        They are spread evenly over all articles; a different `shift` selects different ones.
        """
        total = int(self.db.execute("SELECT count(*) FROM articles").fetchone()[0])
        step = max(1, total // max(1, count))
        sql = """SELECT id FROM (SELECT id, parser, source_file, row_number() OVER (ORDER BY id) AS number FROM articles)
                 WHERE number % ? = ? AND parser = ? AND source_file IS NULL"""
        return [row[0] for row in self.db.execute(sql, [step, shift % step, parser])]

    def captures_by_revision(self, key: int) -> list[tuple[int, bool, tuple[RawRef, ...]]]:
        """Return each revision of an article: its number, whether it is the current one, and its captures.

        Of the current revision, these are the first and the last capture; of the others, the first one. Revisions whose
        capture is missing are left out.
        """
        rows = self.db.execute(
            """SELECT v.revision, v.revision = a.revision, r.file, r.offset, r.length, r.digest
               FROM stored_revisions v JOIN articles a ON a.id = v.article
               JOIN raw r ON r.id = v.raw_id OR (v.revision = a.revision AND r.id = a.last_raw_id)
               WHERE v.article = ? ORDER BY v.revision, r.id""",
            [key],
        ).fetchall()
        found: dict[tuple[int, bool], list[RawRef]] = {}
        for number, current, *ref in rows:
            found.setdefault((number, bool(current)), []).append(RawRef(*ref))
        return [(number, current, tuple(refs)) for (number, current), refs in found.items()]

    def stored_reading(self, key: int) -> Reading | None:
        """Return the repaired text of an article and its repairs; None if the archive does not have the article.

        No other column is read, so a damaged one is not an obstacle.
        """
        row = self.db.execute("SELECT clean FROM articles WHERE id = ?", [key]).fetchone()
        sql = "SELECT rule, offset, before, after FROM repairs WHERE article = ? ORDER BY position"
        return Reading(row[0], tuple(Repair(*values) for values in self.db.execute(sql, [key]))) if row else None

    def page_visited_at(self, post_id: int) -> str | None:
        """Return when a page was last requested, successfully or not; None if it never was."""
        row = self.db.execute("SELECT last_fetched_at FROM pages WHERE id = ?", [post_id]).fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def source_checked_at(self, url: str) -> str | None:
        """Return when a source was last requested, successfully or not; None if it was never requested."""
        row = self.db.execute("SELECT last_checked_at FROM sources WHERE url = ?", [url]).fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def folded_text(self, key: int) -> str | None:
        """Return the text of an article in the search index; None if the article is not in it."""
        row = self.db.execute("SELECT text FROM articles_folded WHERE id = ?", [key]).fetchone()
        return str(row[0]) if row else None

    def broken_references(self) -> dict[str, int]:
        """Return the number of rows that refer to a missing row, for each table that has such rows."""
        counts: dict[str, int] = {}
        for table, *_ in self.db.conn.execute("PRAGMA foreign_key_check"):
            counts[table] = counts.get(table, 0) + 1
        return counts

    def damage(self) -> list[str]:
        """Return what SQLite's integrity check finds; `search_damage` checks the search index."""
        try:
            return file_damage(self.db.conn, "integrity_check")
        except sqlite3.DatabaseError as error:
            self._unless_stopped(error)
            return [str(error)]

    def schema_differences(self) -> list[SchemaDifference]:
        """Return how the tables, indexes and triggers differ from those of a new database."""
        return schema_differences(self.db)

    def wrong_types(self) -> list[tuple[str, str, str]]:
        """Return the table, the column and the first row for each column of evidence with values of a wrong type."""
        return wrong_types(self.db, STORED)

    def unknown_entries(self) -> list[tuple[str, str]]:
        """Return the table and the key of each unknown migration or setting of the search index."""
        return unknown_entries(self.db)

    def search_damage(self) -> str | None:
        """Check the search index against the indexed texts; return an error message, or None if the index is intact."""
        try:
            with self.transaction():  # for SQLite, an FTS5 integrity check is a write
                self.db.conn.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            self._unless_stopped(error)
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
                raise
            return str(error)
        return None

    def reindex(self) -> None:
        """Rebuild the search index from the indexed texts."""
        with self.transaction():
            self.db.conn.execute("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')")

    @contextmanager
    def stoppable(self, stopping: Callable[[], bool]) -> Iterator[None]:
        """Interrupt a long query in the `with` block when `stopping` returns True; end the block without an error."""
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
        sql = f"SELECT id, url, status, file, offset, length, digest FROM raw {condition}"  # noqa: S608 - constants only
        for row in self.db.conn.execute(sql, values):
            yield RawRow(row[0], row[1], row[2], RawRef(*row[3:]))
