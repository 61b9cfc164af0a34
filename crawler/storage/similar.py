"""Rows of the tables `passage_hashes`, `similar` and `duplicates`: articles that share text.

Boundary: reads and writes rows; `crawler.similarity` and `crawler.identity` compare texts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlite_utils import Database

from crawler.identity import Duplicate
from crawler.similarity import ComparedText, Similarity, best_candidates, passage_hashes, similarities

#: Articles that are read for one hash on each side of the article's own id, and among the imported texts. A phrase that
#: thousands of articles have then costs as little as a rare one; the rare ones find the right articles.
_NEAREST = 16
_SAME_BODY = (
    20  # articles with the same title and text that are compared; more of them are versions of each other already
)

_POSTINGS = """
SELECT json_group_array(json_array(key,
  json((SELECT json_group_array(article) FROM (SELECT article FROM passage_hashes WHERE hash = value AND article < :id
                                          ORDER BY article DESC LIMIT :most))),
  json((SELECT json_group_array(article) FROM (SELECT article FROM passage_hashes WHERE hash = value AND article > :id
                                          ORDER BY article LIMIT :most))),
  json((SELECT json_group_array(article) FROM (SELECT article FROM passage_hashes WHERE hash = value AND article < 0
                                          ORDER BY article LIMIT :most))),
  json((SELECT json_group_array(article) FROM (SELECT article FROM passage_hashes WHERE hash = value AND :id < 0
                                          ORDER BY article DESC LIMIT :most)))))
FROM json_each(:hashes)"""
_TEXTS = """
SELECT id, kind, section, title, coalesce(lead, '') AS lead, text, published_on, body_key,
  coalesce((SELECT group_concat(caption, char(10)) FROM
            (SELECT caption FROM images WHERE article = a.id AND caption IS NOT NULL ORDER BY position)), '') AS captions
FROM articles a WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id"""


class SimilarArticles:
    """Queries over articles that share text."""

    db: Database

    def candidates(self, key: int, hashes: Sequence[int], body_key: str) -> list[ComparedText]:
        """Return the articles to compare with the article `key`, by id.

        They share its passage hashes (`hashes`), or have the same title and text (`body_key`). Their number is limited,
        and so is the number of rows that are read, however many articles the archive has.
        """
        shared: Counter[int] = Counter()
        values = {"id": key, "hashes": json.dumps(hashes), "most": _NEAREST}
        (found,) = self.db.conn.execute(_POSTINGS, values).fetchone()
        for place, *groups in json.loads(found):
            weight = 2 if place == 0 else 1  # the first one is the hash of the title
            for other in set().union(*groups):
                shared[other] += weight
        same = self.db.execute(
            "SELECT id FROM articles WHERE body_key = ? AND id <> ? ORDER BY id DESC LIMIT ?",
            [body_key, key, _SAME_BODY],
        )
        return self.compared_texts({*best_candidates(shared.items(), key), *(row[0] for row in same)})

    def compared_texts(self, ids: Iterable[int]) -> list[ComparedText]:
        """Return what is compared of some articles, by id."""
        return [ComparedText(**row) for row in self.db.query(_TEXTS, {"ids": json.dumps(sorted(ids))})]

    def similar(self, key: int) -> list[Similarity]:
        """Return the stored relations of an article, the highest score first."""
        rows = self.db.query(
            "SELECT * FROM similar WHERE article = :key OR other = :key ORDER BY score DESC, article, other",
            {"key": key},
        )
        return [Similarity(**row) for row in rows]

    def similar_articles(self, key: int, longest: int | None = None) -> list[tuple[Similarity, ComparedText]]:
        """Return the articles that share text with an article, each with its relation, the highest score first.

        These are the stored relations and those that a search by the index of passage hashes finds: relations of articles
        from before schema 6 are not stored. The list is empty if the archive does not have the article. Texts with more than
        `longest` characters are not searched for: the time grows with the square of the length.
        """
        text = next(iter(self.compared_texts([key])), None)
        if text is None:
            return []
        is_searched = longest is None or len(text.passage_text) <= longest
        candidates = self.candidates(key, passage_hashes(text), text.body_key) if is_searched else []
        candidates = [one for one in candidates if longest is None or len(one.passage_text) <= longest]
        found = {_pair(one): one for one in (*self.similar(key), *similarities(text, candidates))}
        others = {other.id: other for other in self.compared_texts(sum(found, ()))}
        ordered = sorted(found.values(), key=lambda one: (-one.score, one.article, one.other))
        return [(one, others[one.other if one.article == key else one.article]) for one in ordered]

    def save_similar(self, found: Iterable[Similarity]) -> None:
        """Write relations; a relation of the same two articles is replaced, because a revision may have changed it."""
        for one in found:
            row: dict[str, Any] = {
                name: getattr(one, name) for name in ("article", "other", "kind", "score", "passage")
            }
            self.db.conn.execute("DELETE FROM similar WHERE article = :other AND other = :article", row)
            self.db.conn.execute(
                """INSERT INTO similar (article, other, kind, score, passage)
                   VALUES (:article, :other, :kind, :score, :passage)
                   ON CONFLICT (article, other) DO UPDATE
                   SET kind = excluded.kind, score = excluded.score, passage = excluded.passage""",
                row,
            )

    def save_duplicates(self, key: int, found: Iterable[Duplicate]) -> None:
        """Write the duplicates of an article; a known pair is not changed."""
        self.db.conn.executemany(
            "INSERT INTO duplicates (article, other, kind, score) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            # larger id first: one row for each pair, whichever article the crawler read first
            [(*sorted((key, one.id), reverse=True), one.kind, one.score) for one in found],
        )

    def replace_relations(self, key: int, duplicates: Iterable[Duplicate], similar: Iterable[Similarity]) -> None:
        """Write the duplicates and relations of an article instead of those that the archive has."""
        for table in ("duplicates", "similar"):
            self.db.conn.execute(f"DELETE FROM {table} WHERE article = ? OR other = ?", (key, key))  # noqa: S608 - a fixed table name
        self.save_duplicates(key, duplicates)
        self.save_similar(similar)

    def save_hashes(self, key: int, old: Sequence[int], new: Sequence[int]) -> None:
        """Replace the passage hashes of an article; `old` has those of its previous content."""
        gone, added = set(old) - set(new), set(new) - set(old)
        self.db.conn.executemany(
            "DELETE FROM passage_hashes WHERE hash = ? AND article = ?", [(value, key) for value in sorted(gone)]
        )
        self.db.conn.executemany(
            "INSERT INTO passage_hashes (hash, article) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(value, key) for value in sorted(added)],
        )


def _pair(one: Similarity) -> tuple[int, int]:
    return min(one.article, one.other), max(one.article, one.other)
