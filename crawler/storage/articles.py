"""Rows of the articles and all that hangs on them: images, related, tags, revisions, duplicates, repairs, search text.

Boundary: rows in and out. `ON CONFLICT`, never `REPLACE`: a replaced row would leave its old words in the index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler import fold, records
from crawler.clock import to_text
from crawler.identity import Candidate
from crawler.repair import flags
from crawler.storage.revisions import ArticleIntent, Revisions
from crawler.types import Article, RawRef, Reading, Related, Repair, StoredArticle

_COLUMNS = (
    "url section kind title lead text clean blocks dateline_place dateline_date agency signature byline published_at "
    "published_raw published_on modified_at checked_at revision fingerprint body_key simhash state markup parser "
    "provenance problems raw_id source_file"
).split()
_WRITE = f"""
INSERT INTO articles (id, first_seen_at, {", ".join(_COLUMNS)})
VALUES (:id, :first_seen_at, {", ".join(":" + c for c in _COLUMNS)})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in _COLUMNS)}
"""  # noqa: S608 - column names of ours


class Articles(Revisions):
    """Queries over the articles."""

    def save_article(self, intent: ArticleIntent) -> None:
        """Write a new, duplicate or revised article, its parts, its revision and its search text."""
        self._note_state(intent.key, intent.state, intent.now)
        self.db.conn.execute(_WRITE, _row(intent))
        self._save_parts(intent)
        self.add_revision(intent)
        self._index(intent.key, intent.article, intent.reading)
        self._set_last_page(intent.key, intent.raw_id)
        self.db.conn.executemany(
            "INSERT INTO duplicates (article, other, kind, score) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            # the larger id first: which of the two came first is chance
            [(*sorted((intent.key, t.id), reverse=True), t.kind, t.score) for t in intent.decision.twins],
        )

    def replace_reading(self, intent: ArticleIntent) -> None:
        """Write what a better parser read from the same page: no revision is made, the last one is corrected."""
        self.db.conn.execute(_WRITE, _row(intent))
        self._save_parts(intent)
        self.correct_revision(intent)
        self._index(intent.key, intent.article, intent.reading)

    def touch_article(
        self, key: int, now: datetime, related: Sequence[Related] = (), raw_id: int | None = None
    ) -> None:
        """Note that an article was seen again unchanged, on which page, and what stood under it this time."""
        self._note_state(key, "live", now)
        self.db.conn.execute("UPDATE articles SET checked_at = ?, state = 'live' WHERE id = ?", (to_text(now), key))
        if related:
            self._save_related(key, related)
        if raw_id is not None:
            self._set_last_page(key, raw_id)

    def set_article_state(self, key: int, state: str, now: datetime) -> None:
        """Note that an article's page is suspect or gone; nothing of it is deleted."""
        self._note_state(key, state, now)
        self.db.conn.execute("UPDATE articles SET state = ?, checked_at = ? WHERE id = ?", (state, to_text(now), key))

    def _note_state(self, key: int, state: str, now: datetime) -> None:
        """Keep in mind that an article's state is another from now on, if it is."""
        self.db.conn.execute(
            """INSERT INTO states (article, at, state) SELECT id, :at, :state FROM articles WHERE id = :id AND state <> :state
               ON CONFLICT (article, at) DO UPDATE SET state = excluded.state""",
            {"id": key, "at": to_text(now), "state": state},
        )

    def next_import_key(self) -> int:
        """Give the next free negative id, for texts without a post id."""
        return min(int(self.db.execute("SELECT coalesce(min(id), 0) FROM articles").fetchone()[0]), 0) - 1

    def import_key(self, body_key: str) -> int | None:
        """Give the id under which the same text was imported before."""
        row = self.db.execute("SELECT id FROM articles WHERE id < 0 AND body_key = ?", [body_key]).fetchone()
        return int(row[0]) if row else None

    def candidates(self, body_key: str, published_on: str | None, within_days: int = 3) -> list[Candidate]:
        """Give the articles that may say the same: the same key, or published within some days (or on none)."""
        rows = self.db.query(
            """SELECT id, body_key, simhash, text FROM articles WHERE body_key = :key
               UNION SELECT id, body_key, simhash, text FROM articles
               WHERE published_on BETWEEN date(:day, :before) AND date(:day, :after)""",
            {"key": body_key, "day": published_on, "before": f"-{within_days} days", "after": f"+{within_days} days"},
        )
        return [Candidate(**row) for row in rows]

    def article(self, key: int) -> StoredArticle | None:
        """Give one article as it stands now."""
        row = next(self.db.query("SELECT * FROM articles WHERE id = ?", [key]), None)
        return self._stored(row) if row else None

    def stored_readings(self, since: str | None) -> list[tuple[int, int, RawRef]]:
        """Give article, revision and evidence of everything that was read from a page, in the order of the fetches.

        Of the revision that stands now, the last page that showed it: the stories under it are of that moment.
        """
        rows = self.db.query(
            """SELECT v.article, v.revision, r.file, r.offset, r.length, r.digest
               FROM revisions v JOIN articles a ON a.id = v.article
               JOIN raw r ON r.id = iif(v.revision = a.revision, a.last_raw_id, v.raw_id)
               WHERE v.raw_id IS NOT NULL AND a.source_file IS NULL AND (:since IS NULL OR r.fetched_at >= :since) ORDER BY r.id""",
            {"since": since},
        )
        return [(r["article"], r["revision"], RawRef(r["file"], r["offset"], r["length"], r["digest"])) for r in rows]

    def read_from(self, key: int, number: int) -> RawRef | None:
        """Give the evidence that a revision is read from, as `stored_readings` does."""
        row = next(
            self.db.query(
                """SELECT r.file, r.offset, r.length, r.digest FROM revisions v JOIN articles a ON a.id = v.article
                   JOIN raw r ON r.id = iif(v.revision = a.revision, a.last_raw_id, v.raw_id)
                   WHERE v.article = ? AND v.revision = ?""",
                [key, number],
            ),
            None,
        )
        return RawRef(**row) if row else None

    def export(
        self, *, since: str | None = None, until: str | None = None, by_day: bool = False
    ) -> Iterator[StoredArticle]:
        """Give articles in the order of their ids, or of their days with the undated first.

        Days are Hanoi days; an undated article is in no range. Both orders are an index's: nothing is sorted.
        """
        rows = self.db.query(
            f"""SELECT * FROM articles WHERE (:since IS NULL OR published_on >= :since)
               AND (:until IS NULL OR published_on <= :until) ORDER BY {"published_on, id" if by_day else "id"}""",  # noqa: S608 - column names of ours
            {"since": since, "until": until},
        )
        return (self._stored(row) for row in rows)

    def search(
        self, match: str, *, since: str | None, until: str | None, section: str | None, limit: int, rank: bool
    ) -> list[dict[str, Any]]:
        """Give the articles that match an FTS5 expression: newest ids first, or by bm25 with the title counting most.

        Without a filter the index alone chooses the rows; only those few are then read from the table.
        """
        order = "bm25(articles_fts, 10.0, 5.0, 1.0)" if rank else "articles_fts.rowid DESC"
        columns = "a.id, a.url, a.published_at, a.published_on, a.section, a.title, a.lead, a.clean"
        if since is None and until is None and section is None:
            sql = f"""SELECT {columns} FROM
                      (SELECT rowid AS id, {order.removesuffix(" DESC")} AS place FROM articles_fts
                       WHERE articles_fts MATCH :match ORDER BY {order} LIMIT :limit) found
                      JOIN articles a ON a.id = found.id ORDER BY place {"" if rank else "DESC"}"""  # noqa: S608 - constants of ours
        else:
            sql = f"""SELECT {columns} FROM articles_fts JOIN articles a ON a.id = articles_fts.rowid
                      WHERE articles_fts MATCH :match AND (:since IS NULL OR a.published_on >= :since)
                      AND (:until IS NULL OR a.published_on <= :until)
                      AND (:sections IS NULL OR EXISTS (SELECT 1 FROM sections s WHERE s.article = a.id
                           AND s.section IN (SELECT value FROM json_each(:sections))))
                      ORDER BY {order} LIMIT :limit"""  # noqa: S608 - constants of ours
        spellings = self._spellings(section)
        return list(
            self.db.query(sql, {"match": match, "since": since, "until": until, "sections": spellings, "limit": limit})
        )

    def _spellings(self, section: str | None) -> str | None:
        """Give, as JSON, the sections that a name may mean: case and accents aside."""
        if section is None:
            return None
        known = self.db.query("SELECT DISTINCT section FROM sections")
        return records.dump([r["section"] for r in known if fold.letters(r["section"]) == fold.letters(section)])

    # --- parts

    def _save_parts(self, intent: ArticleIntent) -> None:
        key, article = intent.key, intent.article
        self._replace("images", key, [(i.url, i.alt, i.caption, i.credit) for i in article.images])
        self._replace("tags", key, [(tag,) for tag in article.tags])
        self._replace("repairs", key, [(r.rule, r.offset, r.before, r.after) for r in intent.reading.repairs])
        self._save_related(key, article.related)
        if article.section:
            self.db.conn.execute(
                "INSERT INTO sections (article, section) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, article.section)
            )

    def _set_last_page(self, key: int, raw_id: int | None) -> None:
        self.db.conn.execute("UPDATE articles SET last_raw_id = ? WHERE id = ?", (raw_id, key))

    def _save_related(self, key: int, related: Iterable[Related]) -> None:
        self._replace("related", key, [(r.post_id, r.url, r.title, r.summary, r.caption) for r in related])

    def _replace(self, table: str, key: int, rows: Sequence[tuple[Any, ...]]) -> None:
        self.db.conn.execute(f"DELETE FROM {table} WHERE article = ?", (key,))  # noqa: S608 - a table name of ours
        if rows:
            marks = ", ".join("?" * (len(rows[0]) + 2))
            self.db.conn.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - a table name of ours
                [(key, position, *row) for position, row in enumerate(rows)],
            )

    def _index(self, key: int, article: Article, reading: Reading) -> None:
        self.db.conn.execute(
            """INSERT INTO articles_folded (id, title, lead, text) VALUES (?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET title = excluded.title, lead = excluded.lead, text = excluded.text
               WHERE title <> excluded.title OR lead <> excluded.lead OR text <> excluded.text""",
            (key, fold.fold(article.title), fold.fold(article.lead or ""), fold.fold(reading.clean)),
        )

    def _stored(self, row: Mapping[str, Any]) -> StoredArticle:
        key = row["id"]
        related = self.db.query("SELECT * FROM related WHERE article = ? ORDER BY position", [key])
        tags = self.db.query("SELECT tag FROM tags WHERE article = ? ORDER BY position", [key])
        repairs = self.db.query("SELECT * FROM repairs WHERE article = ? ORDER BY position", [key])
        raw = next(self.db.query("SELECT * FROM raw WHERE id = ?", [row["raw_id"]]), None)
        article = Article(
            title=row["title"],
            lead=row["lead"],
            blocks=records.load_blocks(row["blocks"]),
            related=tuple(Related(r["title"], r["summary"], r["caption"], r["url"], r["post_id"]) for r in related),
            post_id=key if key > 0 else None,
            url=row["url"],
            kind=row["kind"],
            section=row["section"],
            dateline=records.dateline_of(row["dateline_place"], row["dateline_date"], row["agency"]),
            signature=row["signature"],
            byline=row["byline"],
            tags=tuple(t["tag"] for t in tags),
            published_at=row["published_at"],
            published_raw=row["published_raw"],
            modified_at=row["modified_at"],
            markup=row["markup"],
            provenance=json.loads(row["provenance"]),
            problems=tuple(json.loads(row["problems"])),
        )
        return StoredArticle(
            id=key,
            article=article,
            reading=Reading(
                row["clean"], tuple(Repair(r["rule"], r["offset"], r["before"], r["after"]) for r in repairs)
            ),
            revision=row["revision"],
            state=row["state"],
            first_seen_at=row["first_seen_at"],
            checked_at=row["checked_at"],
            parser=row["parser"],
            raw=RawRef(raw["file"], raw["offset"], raw["length"], raw["digest"]) if raw else None,
            raw_id=row["raw_id"],
        )


def _row(intent: ArticleIntent) -> dict[str, Any]:
    article, now = intent.article, to_text(intent.now)
    line = article.dateline
    return {
        "id": intent.key,
        "url": article.url,
        "section": article.section,
        "kind": article.kind,
        "title": article.title,
        "lead": article.lead,
        "text": article.text,
        "clean": intent.reading.clean,
        "blocks": records.dump_blocks(article.blocks),
        "dateline_place": line.place if line else None,
        "dateline_date": line.date if line else None,
        "agency": line.agency if line else None,
        "signature": article.signature,
        "byline": article.byline,
        "published_at": article.published_at,
        "published_raw": article.published_raw,
        "published_on": intent.published_on,
        "modified_at": article.modified_at,
        "first_seen_at": now,
        "checked_at": now,
        "revision": intent.decision.revision,
        "fingerprint": intent.fingerprint,
        "body_key": intent.body_key,
        "simhash": intent.simhash,
        "state": intent.state,
        "markup": article.markup,
        "parser": intent.parser,
        "provenance": records.dump(dict(article.provenance)),
        "problems": records.dump([*dict.fromkeys((*article.problems, *flags(intent.reading)))]),
        "raw_id": intent.raw_id,
        "source_file": intent.source_file,
    }
