"""Rows of the revisions: what an article said, each time it said something new.

Boundary: rows in and out.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler import records
from crawler.clock import from_text, to_text
from crawler.identity import Decision, Said
from crawler.types import Article, Reading, StoredArticle


@dataclass(frozen=True, slots=True)
class ArticleIntent:
    """An article to be written, with everything that was decided about it."""

    key: int
    article: Article
    reading: Reading
    decision: Decision
    fingerprint: str
    body_key: str
    simhash: int
    published_on: str | None
    parser: int
    now: datetime
    raw_id: int | None = None
    source_file: str | None = None
    state: str = "live"


class Revisions:
    """Queries over what articles said."""

    db: Database

    @abstractmethod
    def article(self, key: int) -> StoredArticle | None:
        """Give one article as it stands now."""

    def add_revision(self, intent: ArticleIntent) -> None:
        """Write what an article says now, or said at the time of a capture."""
        row = _said(intent) | {"seen_at": to_text(intent.now), "changed": records.dump(intent.decision.changed)}
        self.db.conn.execute(
            f"INSERT INTO revisions ({', '.join(row)}) VALUES ({', '.join(':' + c for c in row)})",  # noqa: S608 - ours
            row,
        )

    def correct_revision(self, intent: ArticleIntent) -> None:
        """Write what a better parser read from the page of a revision."""
        row = _said(intent)
        self.db.conn.execute(
            f"""UPDATE revisions SET {", ".join(f"{c} = :{c}" for c in row)}
                WHERE article = :article AND revision = :revision""",  # noqa: S608 - column names of ours
            row,
        )

    def revision(self, key: int, *, number: int | None = None, as_of: str | None = None) -> StoredArticle | None:
        """Give one article as it stood in a revision, or at an instant (the newest revision seen by then)."""
        current = self.article(key)
        row = next(
            self.db.query(
                """SELECT * FROM revisions WHERE article = :key
                   AND (:number IS NULL OR revision = :number) AND (:as_of IS NULL OR seen_at <= :as_of)
                   ORDER BY revision DESC LIMIT 1""",
                {"key": key, "number": number, "as_of": as_of},
            ),
            None,
        )
        if current is None or row is None:
            return None
        return current if row["revision"] == current.revision else _as_of_revision(current, row)

    def timeline(self, key: int) -> list[Said]:
        """Give the revisions of one article as moments in time, oldest first."""
        rows = self.db.query("SELECT revision, seen_at, fingerprint FROM revisions WHERE article = ? ORDER BY 1", [key])
        return [Said(row["revision"], from_text(row["seen_at"]), row["fingerprint"]) for row in rows]

    def predate_revision(self, key: int, number: int, at: datetime, raw_id: int) -> None:
        """Note that a revision is older than was known, and on which page that is seen."""
        self.db.conn.execute(
            "UPDATE revisions SET seen_at = ?, raw_id = ? WHERE article = ? AND revision = ?",
            (to_text(at), raw_id, key, number),
        )
        self._first_seen(key, at)

    def insert_revision(self, intent: ArticleIntent, changed_after: Sequence[str]) -> None:
        """Put what an old capture said before the revision of its number; that one and those behind it move up by one.

        `changed_after` names what changed from it to its successor.
        """
        key, number = intent.key, intent.decision.revision
        for step in (  # by way of negative numbers: one number must not be there twice even for a moment
            "UPDATE revisions SET revision = -revision - 1 WHERE article = ? AND revision >= ?",
            "UPDATE revisions SET revision = -revision WHERE article = ? AND revision < 0 AND ? > 0",
        ):
            self.db.conn.execute(step, (key, number))
        self.db.conn.execute(
            "UPDATE revisions SET changed = ? WHERE article = ? AND revision = ?",
            (records.dump(changed_after), key, number + 1),
        )
        self.add_revision(intent)
        self.db.conn.execute("UPDATE articles SET revision = revision + 1 WHERE id = ?", (key,))
        self._first_seen(key, intent.now)

    def _first_seen(self, key: int, at: datetime) -> None:
        self.db.conn.execute(
            "UPDATE articles SET first_seen_at = min(first_seen_at, ?) WHERE id = ?", (to_text(at), key)
        )

    def history(self, key: int) -> list[dict[str, Any]]:
        """Give the revisions of one article, oldest first."""
        rows = self.db.query("SELECT * FROM revisions WHERE article = ? ORDER BY revision", [key])
        return [row | {"changed": json.loads(row["changed"]), "tags": json.loads(row["tags"])} for row in rows]

    def changes(self, since: str | None, limit: int) -> list[dict[str, Any]]:
        """Give what was changed, removed (`gone`, or `suspect` for now) or put back (`live`), newest first.

        An answer that only once looked as if the page were gone is no change.
        """
        rows = self.db.query(
            """SELECT r.article AS id, 'revised' AS what, r.seen_at AS at, r.revision, r.changed, r.title, a.url
               FROM revisions r JOIN articles a ON a.id = r.article
               WHERE r.revision > 1 AND (:since IS NULL OR r.seen_at >= :since)
               UNION ALL
               SELECT a.id, s.state, s.at, a.revision, '[]', a.title, a.url
               FROM states s JOIN articles a ON a.id = s.article WHERE (:since IS NULL OR s.at >= :since) AND CASE s.state
                 WHEN 'gone' THEN TRUE
                 WHEN 'suspect' THEN s.at = (SELECT max(at) FROM states WHERE article = s.article)
                 ELSE 'gone' = (SELECT state FROM states b WHERE b.article = s.article AND b.at < s.at
                                ORDER BY b.at DESC LIMIT 1) END
               ORDER BY at DESC, id DESC LIMIT :limit""",
            {"since": since, "limit": limit},
        )
        return [row | {"changed": json.loads(row["changed"])} for row in rows]


def _said(intent: ArticleIntent) -> dict[str, Any]:
    """Give a revision's row: what the article said, but not when that was seen."""
    article = intent.article
    return {
        "article": intent.key,
        "revision": intent.decision.revision,
        "fingerprint": intent.fingerprint,
        "url": article.url,
        "section": article.section,
        "kind": article.kind,
        "title": article.title,
        "lead": article.lead,
        "blocks": records.dump_blocks(article.blocks),
        "byline": article.byline,
        "tags": records.dump(article.tags),
        "published_at": article.published_at,
        "modified_at": article.modified_at,
        "raw_id": intent.raw_id,
    }


def _as_of_revision(current: StoredArticle, row: Mapping[str, Any]) -> StoredArticle:
    """Put what an old revision said into the frame of the article; its reading was not kept, so the text stands."""
    article = Article(
        title=row["title"],
        lead=row["lead"],
        blocks=records.load_blocks(row["blocks"]),
        related=current.article.related,
        post_id=current.article.post_id,
        url=row["url"],
        kind=row["kind"],
        section=row["section"],
        byline=row["byline"],
        tags=tuple(json.loads(row["tags"])),
        published_at=row["published_at"],
        modified_at=row["modified_at"],
    )
    return StoredArticle(
        id=current.id,
        article=article,
        reading=Reading(article.text),
        revision=row["revision"],
        state=current.state,
        first_seen_at=current.first_seen_at,
        checked_at=row["seen_at"],
        parser=current.parser,
        raw_id=row["raw_id"],
    )
