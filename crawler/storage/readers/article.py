"""Rows for the page of one article: its captures, its positions in lists, its states, and the articles around it.

Boundary: only reads rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from sqlite_utils import Database

from crawler.storage.evidence import ArticleCapture
from crawler.types import RawRef, StoredArticle

_MOST_POSITIONS = 500
_MOST_NEIGHBOURS = 8


class ArticlePage:
    """Queries about one article."""

    db: Database

    @abstractmethod
    def article(self, key: int) -> StoredArticle | None:
        """Return an article with its current content, or None if the archive does not have it."""

    @abstractmethod
    def captures_of(self, ids: Sequence[int]) -> dict[int, list[ArticleCapture]]:
        """Return the captures of some articles, by article, oldest first."""

    def capture(self, number: int) -> tuple[RawRef, dict[str, Any]] | None:
        """Return the location of a capture, and its address, time and status; None if there is no such capture."""
        row = next(
            self.db.query(
                "SELECT id, url, fetched_at, status, file, offset, length, digest FROM raw WHERE id = ?", [number]
            ),
            None,
        )
        return None if row is None else (RawRef(row["file"], row["offset"], row["length"], row["digest"]), row)

    def with_seen_at(self, ids: Iterable[int]) -> list[tuple[StoredArticle, str]]:
        """Return stored articles, each with the time when its current content was first seen."""
        found = []
        for number in ids:
            stored = self.article(number)
            row = self.db.execute(
                "SELECT v.seen_at FROM stored_revisions v JOIN articles a ON a.id = v.article AND a.revision = v.revision WHERE a.id = ?",
                [number],
            ).fetchone()
            if stored is not None:
                found.append((stored, row[0] if row else stored.first_seen_at))
        return found

    def positions(self, key: int) -> list[dict[str, Any]]:
        """Return where and when the home page and the section pages showed an article, oldest first; at most 500."""
        return list(
            self.db.query(
                """SELECT s.kind, s.name, s.url, p.position, p.seen_at, p.last_seen_at
                   FROM appearances p JOIN sources s ON s.id = p.source WHERE p.page = ?
                   ORDER BY p.seen_at, s.id LIMIT ?""",
                [key, _MOST_POSITIONS],
            )
        )

    def size_of(self, key: int) -> tuple[int, int]:
        """Return how many bytes the captures of an article have, and how many characters the texts of its revisions."""
        captures = sum(capture.ref.length for capture in self.captures_of([key])[key])
        sql = "SELECT coalesce(sum(length(title) + length(blocks)), 0) FROM revisions WHERE article = ?"
        return captures, int(self.db.execute(sql, [key]).fetchone()[0])

    def held_ids(self, ids: list[int]) -> set[int]:
        """Return which of these articles the archive holds."""
        marks = ", ".join("?" * len(ids))
        return {row[0] for row in self.db.execute(f"SELECT id FROM articles WHERE id IN ({marks})", ids)}  # noqa: S608 - constants only

    def same_day(self, key: int, section: str | None, day: str | None) -> list[dict[str, Any]]:
        """Return other articles of a section on one day, newest first; at most 8."""
        return list(
            self.db.query(
                """SELECT id, title, published_on FROM articles WHERE section = ? AND published_on = ? AND id <> ?
                   ORDER BY id DESC LIMIT ?""",
                [section, day, key, _MOST_NEIGHBOURS],
            )
        )

    def beside(self, key: int) -> tuple[int | None, int | None]:
        """Return the ids of the articles before and after an article in the order of publication."""
        row = self.db.execute(
            "SELECT (SELECT max(id) FROM articles WHERE id < :key), (SELECT min(id) FROM articles WHERE id > :key)",
            {"key": key},
        ).fetchone()
        return row[0], row[1]
