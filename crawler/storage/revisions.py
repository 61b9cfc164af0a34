"""Rows of the view `revisions`: one row for each version of the content of an article.

The rows are in the table `stored_revisions`, which has the content only of a version that is not that of its article: the
view and its triggers take care of that. Queries that need no content use the table.

Boundary: reads and writes rows. `article_fields` says which columns a revision has.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlite_utils import Database

from crawler import records
from crawler.article_fields import ArticleField, In, fields_in
from crawler.article_values import FoldedText, folded
from crawler.clock import from_text, to_text
from crawler.identity import Decision, RevisionMoment
from crawler.similarity import Similarity, compared, passage_hashes
from crawler.storage.values import IS_REMOVAL_OR_RETURN
from crawler.types import Article, RawRef, Reading, StoredArticle

_FIELDS = fields_in(In.REVISIONS)
#: Columns of a revision that a later capture, import or version of the program may change.
_VOLATILE = {"revision", "fingerprint", "raw_id"}
_SEALED = ["article", *sorted(field.name for field in _FIELDS if field.name not in _VOLATILE)]


@dataclass(frozen=True, slots=True)
class ArticleIntent:
    """An article to write, with everything that was decided and computed about it.

    `key` is its id in the archive, `now` is the time of its capture, and `raw_id` is the id of the capture. `similar` has
    its relations to articles that share text with it. `known_at` is the time at which an imported capture was imported; None
    means `now`. `hashes` are its passage hashes and `folded` its texts for the search; if they are not given, they are
    computed.
    """

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
    similar: tuple[Similarity, ...] = ()
    known_at: datetime | None = None
    hashes: tuple[int, ...] = ()
    folded: FoldedText | None = None

    def passage_hashes(self) -> tuple[int, ...]:
        """Return the passage hashes of the article."""
        return self.hashes or passage_hashes(compared(self.article, self.key))

    def search_text(self) -> FoldedText:
        """Return the texts of the article for the search."""
        return self.folded or folded(self.article, self.reading)

    def columns(self, fields: Iterable[ArticleField]) -> dict[str, Any]:
        """Return the values to write into the columns of `fields`, by column name."""
        now = to_text(self.now)
        archived = {
            "id": self.key,
            "published_on": self.published_on,
            "first_seen_at": now,
            "checked_at": now,
            "revision": self.decision.revision,
            "fingerprint": self.fingerprint,
            "body_key": self.body_key,
            "simhash": self.simhash,
            "state": self.state,
            "parser": self.parser,
            "raw_id": self.raw_id,
            "source_file": self.source_file,
        }
        return {
            f.name: archived[f.name] if f.read is None else records.sql_value(f, f.read(self.article, self.reading))
            for f in fields
        }


class Revisions:
    """Queries on the revisions of articles."""

    db: Database

    @abstractmethod
    def article(self, key: int) -> StoredArticle | None:
        """Return an article with its current content, or None if the archive does not have it."""

    def add_revision(self, intent: ArticleIntent) -> None:
        """Insert a revision: the content of an article at the time of its capture."""
        row = _content(intent) | {
            "seen_at": to_text(intent.now),
            "known_at": to_text(intent.known_at or intent.now),
            "changed": records.dump(intent.decision.changed),
        }
        self.db.conn.execute(
            f"INSERT INTO revisions ({', '.join(row)}) VALUES ({', '.join(':' + c for c in row)})",  # noqa: S608 - fixed column names
            row,
        )

    def correct_revision(self, intent: ArticleIntent) -> None:
        """Overwrite the content of an existing revision with what a newer parser read from the same page.

        Its first capture stays: it may be an earlier one than the one from which the revision was read.
        """
        row = _content(intent)
        changed = [name for name in row if name != "raw_id"]
        self.db.conn.execute(
            f"""UPDATE revisions SET {", ".join(f"{c} = :{c}" for c in changed)}
                WHERE article = :article AND revision = :revision""",  # noqa: S608 - fixed column names
            row,
        )

    def differing_revision_columns(self, intent: ArticleIntent) -> set[str]:
        """Return the columns that differ between a stored revision and a reading of its page."""
        key = [intent.key, intent.decision.revision]
        row = next(self.db.query("SELECT * FROM revisions WHERE article = ? AND revision = ?", key), None)
        if row is None:
            return {"revision"}
        return {name for name, value in _content(intent).items() if name != "raw_id" and row[name] != value}

    def rows_to_seal(self, parts: Sequence[tuple[str, int, int]]) -> Iterator[bytes]:
        """Yield the rows of all revisions whose captures are in these parts of WARC files: file, first byte, end.

        A row is one line of JSON, with the columns that do not change.
        """
        # CROSS JOIN keeps this order: only the captures in the parts are read, by indexes
        sql = f"""SELECT {", ".join(f"v.{name}" for name in _SEALED)} FROM json_each(:parts) p
                  CROSS JOIN raw r ON r.file = p.value ->> 0 AND r.offset >= p.value ->> 1 AND r.offset < p.value ->> 2
                  CROSS JOIN revisions v ON v.raw_id = r.id"""  # noqa: S608 - fixed column names
        for row in self.db.conn.execute(sql, {"parts": json.dumps(parts)}):
            yield _sealed_row(row)

    def sealed_rows(self, key: int) -> list[bytes]:
        """Return the rows of the revisions of an article, oldest first, as `rows_to_seal` yields them."""
        sql = f"SELECT {', '.join(_SEALED)} FROM revisions WHERE article = ? ORDER BY revision"  # noqa: S608 - fixed column names
        return [_sealed_row(row) for row in self.db.conn.execute(sql, [key])]

    def revision(
        self, key: int, *, number: int | None = None, as_of: str | None = None, known_at: str | None = None
    ) -> StoredArticle | None:
        """Return one article as it was in a revision, or None if there is no such revision.

        `number` selects the revision with that number; `as_of` (UTC, ISO 8601) selects the newest revision that the site
        showed at that time or earlier; `known_at` leaves out revisions that the archive did not have yet at that time. If
        none is given, the result is the newest revision. With one of the times, the state is that of that time.
        """
        current = self.article(key)
        row = next(
            self.db.query(
                """SELECT * FROM revisions WHERE article = :key
                   AND (:number IS NULL OR revision = :number) AND (:as_of IS NULL OR seen_at <= :as_of)
                   AND (:known IS NULL OR known_at <= :known) ORDER BY revision DESC LIMIT 1""",
                {"key": key, "number": number, "as_of": as_of, "known": known_at},
            ),
            None,
        )
        if current is None or row is None:
            return None
        found = current
        if row["revision"] != current.revision:
            capture = self.db.execute("SELECT url FROM raw WHERE id = ? AND status > 0", [row["raw_id"]]).fetchone()
            found = _older_revision(current, row, capture[0] if capture else None)
        at = min(filter(None, (as_of, known_at)), default=None)
        return replace(found, state=self.state_at(key, at)) if at is not None else found

    @abstractmethod
    def state_at(self, key: int, at: str) -> str:
        """Return the state that an article had at a time (UTC, ISO 8601): `live`, `suspect` or `gone`."""

    def timeline(self, key: int) -> list[RevisionMoment]:
        """Return the number, the time and the fingerprint of each revision of an article, oldest first."""
        rows = self.db.query(
            "SELECT revision, seen_at, fingerprint FROM stored_revisions WHERE article = ? ORDER BY 1", [key]
        )
        return [RevisionMoment(row["revision"], from_text(row["seen_at"]), row["fingerprint"]) for row in rows]

    def predate_revision(self, key: int, number: int, at: datetime, raw_id: int) -> None:
        """Record that the earlier capture `raw_id`, fetched at `at`, already shows a revision."""
        self.db.conn.execute(
            "UPDATE stored_revisions SET seen_at = ?, raw_id = ? WHERE article = ? AND revision = ?",
            (to_text(at), raw_id, key, number),
        )
        self._first_seen(key, at)

    def insert_revision(self, intent: ArticleIntent, changed_after: Sequence[str]) -> None:
        """Insert a revision from an old capture between existing revisions of the same article.

        The existing revision with the same number and all later ones get a number that is higher by one.
        `changed_after` contains the names of the fields that changed from the inserted revision to the next one.
        """
        key, number = intent.key, intent.decision.revision
        for step in (  # through negative numbers: the primary key must stay unique after each row that is updated
            "UPDATE stored_revisions SET revision = -revision - 1 WHERE article = ? AND revision >= ?",
            "UPDATE stored_revisions SET revision = -revision WHERE article = ? AND revision < 0 AND ? > 0",
        ):
            self.db.conn.execute(step, (key, number))
        self.db.conn.execute(
            "UPDATE stored_revisions SET changed = ? WHERE article = ? AND revision = ?",
            (records.dump(changed_after), key, number + 1),
        )
        self.add_revision(intent)
        self.db.conn.execute("UPDATE articles SET revision = revision + 1 WHERE id = ?", (key,))
        self._first_seen(key, intent.now)

    def revised_pages(self) -> list[int]:
        """Return the ids of the articles that were read from pages and have several revisions."""
        return [row[0] for row in self.db.execute("SELECT id FROM articles WHERE revision > 1 AND source_file IS NULL")]

    def first_captures(self, key: int) -> list[tuple[int, bool, int, RawRef]]:
        """Return the number of each revision of an article, whether it has replaced pictures, and its first capture.

        Of the capture, these are the id and the place.
        """
        rows = self.db.execute(
            """SELECT v.revision, v.replaced_pictures <> '[]', r.id, r.file, r.offset, r.length, r.digest FROM stored_revisions v JOIN raw r ON r.id = v.raw_id
               WHERE v.article = ? ORDER BY v.revision""",
            [key],
        )
        return [(number, bool(replaced), raw_id, RawRef(*ref)) for number, replaced, raw_id, *ref in rows.fetchall()]

    def keep_revisions(self, key: int, numbers: Sequence[int], changes: Sequence[Sequence[str]]) -> None:
        """Delete all revisions of an article except `numbers`, and renumber these from 1.

        `changes` has, for each of them, the names of the fields that it changed. Needs an open transaction.
        """
        for new, (number, changed) in enumerate(zip(numbers, changes, strict=True), start=1):
            self.db.conn.execute(
                "UPDATE stored_revisions SET revision = ?, changed = ? WHERE article = ? AND revision = ?",
                (-new, records.dump(changed), key, number),
            )
        self.db.conn.execute(  # the pages do not show that pictures were replaced at their addresses
            """UPDATE stored_revisions SET changed = (SELECT json_group_array(value) FROM
                 (SELECT value FROM json_each(changed) UNION SELECT 'pictures' ORDER BY 1))
               WHERE article = ? AND revision < 0 AND replaced_pictures <> '[]'""",
            (key,),
        )
        self.db.conn.execute("DELETE FROM stored_revisions WHERE article = ? AND revision > 0", (key,))
        self.db.conn.execute("UPDATE stored_revisions SET revision = -revision WHERE article = ?", (key,))
        self.db.conn.execute("UPDATE articles SET revision = ? WHERE id = ?", (len(numbers), key))

    def set_back(self, key: int, raw_id: int, before: int | None) -> None:
        """Record `raw_id` as the capture with the current content of an article, and its last revision as this content.

        `before` is the id of the first later capture with other content; None if the last capture shows this content.
        """
        self.db.conn.execute(
            """UPDATE articles SET raw_id = :raw, fingerprint =
                 (SELECT fingerprint FROM stored_revisions WHERE article = :id ORDER BY revision DESC LIMIT 1) WHERE id = :id""",
            {"raw": raw_id, "id": key},
        )
        if before is None:
            return
        self.db.conn.execute(
            """UPDATE articles SET (last_raw_id, checked_at) =
                 (SELECT id, fetched_at FROM raw WHERE id BETWEEN :raw AND :before - 1 AND status = 200
                    AND (id = :raw OR purpose = 'page:' || :id) ORDER BY id DESC LIMIT 1) WHERE id = :id""",
            {"raw": raw_id, "before": before, "id": key},
        )

    def _first_seen(self, key: int, at: datetime) -> None:
        self.db.conn.execute(
            "UPDATE articles SET first_seen_at = min(first_seen_at, ?) WHERE id = ?", (to_text(at), key)
        )

    def history(self, key: int) -> list[dict[str, Any]]:
        """Return the rows of the revisions of one article, oldest first; `changed`, `tags` and `replaced_pictures` are lists."""
        rows = self.db.query("SELECT * FROM revisions WHERE article = ? ORDER BY revision", [key])
        decoded = ("changed", "tags", "replaced_pictures")
        return [row | {name: json.loads(row[name]) for name in decoded} for row in rows]

    def revision_articles(self, key: int) -> list[Article]:
        """Return the content of each revision of an article, oldest first."""
        rows = self.db.query("SELECT * FROM revisions WHERE article = ? ORDER BY revision", [key])
        return [records.article_from_row(row, _FIELDS) for row in rows]

    def revision_pair(self, key: int, number: int) -> tuple[Article, Article]:
        """Return the content of the revision before revision `number` of an article, and of that revision."""
        rows = self.db.query(
            "SELECT * FROM revisions WHERE article = ? AND revision IN (?, ?) ORDER BY revision",
            [key, number - 1, number],
        )
        old, new = (records.article_from_row(row, _FIELDS) for row in rows)
        return old, new

    def changes(self, since: str | None, limit: int) -> list[dict[str, Any]]:
        """Return at most `limit` changes of articles since a time in UTC (ISO 8601), newest first; see `all_changes`."""
        return list(islice(self.all_changes(since=since), limit))

    def all_changes(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        section: str | None = None,
        match: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the changes of articles, newest first: revisions, removals and restorations.

        Removals are the states `gone` and `suspect`; `suspect` counts only if it is still the current state of the
        article. A restoration is the state `live` after `gone`. `since` and `until` are times in UTC (ISO 8601), both
        included. With `match`, an FTS5 expression, the value `matches` of a row is whether the current text matches it.
        """
        matches = "a.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :match)" if match else "TRUE"
        rows = self.db.query(
            f"""SELECT c.*, a.title AS current_title, a.revision AS current_revision, a.url, a.section,
                 {matches} AS matches
               FROM (
                 SELECT article AS id, 'revised' AS what, seen_at AS at, revision, changed, title FROM revisions
                 WHERE revision > 1 AND seen_at BETWEEN :since AND :until
                 UNION ALL
                 SELECT s.article, s.state, s.at, NULL, '[]', NULL FROM states s
                 WHERE s.at BETWEEN :since AND :until
                 AND {IS_REMOVAL_OR_RETURN}
               ) c JOIN articles a ON a.id = c.id
               WHERE :sections IS NULL OR EXISTS (SELECT 1 FROM sections s WHERE s.article = a.id
                                                  AND s.section IN (SELECT value FROM json_each(:sections)))
               ORDER BY at DESC, c.id DESC""",  # noqa: S608 - constant conditions
            {
                "since": since or "",
                "until": until or "9999",
                "match": match,
                "sections": self.equal_section_names(section),
            },
        )
        for row in rows:
            title, revision = row.pop("current_title"), row.pop("current_revision")
            yield row | {
                "revision": row["revision"] or revision,
                "changed": json.loads(row["changed"]),
                "title": row["title"] or title,
                "matches": bool(row["matches"]),
            }

    @abstractmethod
    def equal_section_names(self, section: str | None) -> str | None:
        """Return a JSON list of the section names that equal `section` if case and accents are ignored."""


def _content(intent: ArticleIntent) -> dict[str, Any]:
    """Return the values of the columns of a revision, by name, except `seen_at` and `changed`."""
    return {"article": intent.key} | intent.columns(_FIELDS)


def _sealed_row(values: Iterable[Any]) -> bytes:
    return records.dump(dict(zip(_SEALED, values, strict=True))).encode("utf-8", "backslashreplace")


def _older_revision(current: StoredArticle, row: Mapping[str, Any], fetched_url: str | None) -> StoredArticle:
    """Return the article `current` with the content of an older revision, which is in `row`.

    `fetched_url` is the address of the capture of that revision.

    The archive does not keep the repaired text of older revisions, so their verbatim text takes its place.
    """
    article = records.article_from_row(row, _FIELDS, post_id=current.article.post_id, related=current.article.related)
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
        fetched_url=fetched_url,
    )
