"""Rows of the table `articles` and of the tables for parts of an article.

Those tables are `images`, `related`, `tags`, `sections`, `duplicates`, `repairs`, `states` and the text of the search
index; `similar` keeps the articles that share text.

Boundary: reads and writes rows. `article_fields` says which columns `articles` has. Rows are updated with
`ON CONFLICT`, never with `REPLACE`: `REPLACE` does not run the delete trigger, so the old words would stay in the
search index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler import fold, records
from crawler.article_fields import In, fields_in
from crawler.article_values import FoldedText
from crawler.clock import to_text
from crawler.selection import EVERYTHING, Selection
from crawler.similarity import passage_hashes
from crawler.storage.pictures import Pictures
from crawler.storage.revisions import ArticleIntent, Revisions
from crawler.storage.schema.m0008_compact import text_expression, text_of
from crawler.storage.similar import SimilarArticles
from crawler.types import Article, ImageBlock, RawRef, Reading, Related, Repair, StoredArticle

_FIELDS = fields_in(In.ARTICLES)
_COLUMNS = [field.name for field in _FIELDS]
_KEPT_ON_UPDATE = {"id", "first_seen_at"}
_NOT_ON_PAGE = {"first_seen_at", "checked_at", "state", "raw_id", "source_file", "revision"}
#: The conditions on a row of `articles a`: days of publication and sections. NULL means no condition.
CHOSEN = """(:since IS NULL OR a.published_on >= :since) AND (:until IS NULL OR a.published_on <= :until)
  AND (:sections IS NULL OR EXISTS (SELECT 1 FROM sections s WHERE s.article = a.id
       AND s.section IN (SELECT value FROM json_each(:sections))))"""
_BOUNDS = """WITH bounds (lowest, highest) AS MATERIALIZED
  (SELECT min(id), max(id) FROM articles WHERE published_on BETWEEN :since AND :until)"""
#: The expressions of the columns to write. The columns `text` and `clean` follow from them.
_WRITTEN = {name: f":{name}" for name in _COLUMNS if name not in ("text", "clean")} | {
    "own_text": f"nullif(:text, {text_expression(':blocks')})",
    "own_clean": "nullif(:clean, :text)",
}
_WRITE = f"""
INSERT INTO articles ({", ".join(_WRITTEN)}) VALUES ({", ".join(_WRITTEN.values())})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in _WRITTEN if c not in _KEPT_ON_UPDATE)}
"""  # noqa: S608 - fixed column names


#: What `_stored` reads. To compute `text` and `clean` in SQL takes longer than in Python, which has the blocks already; so
#: `clean` is NULL if it is the text of the blocks.
_READ = ", ".join([
    *(f"a.{name}" for name in _COLUMNS if name not in ("text", "clean")),
    "iif(a.own_text IS NULL AND a.own_clean IS NULL, NULL, a.clean) AS clean",
])  # fmt: skip
#: The captures of revisions: the one from which the archive read it, and the last one of a current revision that was captured
#: again. An earlier capture of a current revision that was imported later is not the one from which it was read.
_CAPTURES = """
SELECT v.article, v.revision, f.file, f.offset, f.length, f.digest,
       l.file AS last_file, l.offset AS last_offset, l.length AS last_length, l.digest AS last_digest
FROM stored_revisions v JOIN articles a ON a.id = v.article
JOIN raw f ON f.id = iif(v.revision = a.revision, coalesce(a.raw_id, v.raw_id), v.raw_id)
LEFT JOIN raw l ON v.revision = a.revision AND l.id = a.last_raw_id AND l.id <> f.id
"""


class Articles(Revisions, SimilarArticles, Pictures):
    """Queries on articles."""

    def save_article(self, intent: ArticleIntent) -> None:
        """Write a new, revised or duplicate article: its row, its parts, a revision and its text for the search."""
        self._note_state(intent.key, intent.state, intent.now)
        self._write_article(intent)
        self.add_revision(intent)
        self._index(intent.key, intent.search_text())
        self._set_last_page(intent.key, intent.raw_id)
        self.save_duplicates(intent.key, intent.decision.duplicates)
        self.save_similar(intent.similar)

    def replace_reading(self, intent: ArticleIntent, images: Sequence[ImageBlock]) -> None:
        """Overwrite an article and its last revision with what a newer parser read from the same page.

        `images` are the pictures at the addresses that the last capture shows.
        """
        self._write_article(intent)
        self.update_images(intent.key, images)
        self.correct_revision(intent)
        self._index(intent.key, intent.search_text())

    def differing_columns(self, intent: ArticleIntent) -> set[str]:
        """Return what differs between a stored article and a reading of its page: names of columns and part tables.

        Columns that a page does not determine, such as the times of the checks, are not compared.
        """
        row = next(self.db.query("SELECT * FROM articles WHERE id = ?", [intent.key]), None)
        if row is None:
            return {"id"}
        values = intent.columns(_FIELDS)
        found = {name for name in values if name not in _NOT_ON_PAGE and row[name] != values[name]}
        for table, parts in _parts(intent).items():
            stored = self.db.execute(f"SELECT * FROM {table} WHERE article = ? ORDER BY position", [intent.key])  # noqa: S608 - a fixed table name
            if [part[2:] for part in stored] != parts:
                found.add(table)
        hashes = self.db.execute("SELECT hash FROM passage_hashes WHERE article = ?", [intent.key])
        if {row[0] for row in hashes} != set(intent.passage_hashes()):
            found.add("passage_hashes")
        columns = "SELECT url, alt, caption, credit FROM images WHERE article = ? ORDER BY position"
        if list(self.db.execute(columns, [intent.key])) != [
            (i.url, i.alt, i.caption, i.credit) for i in intent.article.images
        ]:
            found.add("images")
        return found

    def touch_article(self, key: int, now: datetime, article: Article | None = None, raw_id: int | None = None) -> None:
        """Record that an article was captured again and its content was unchanged.

        `raw_id` is the id of the new capture, and `article` what its page shows: the stories under `Voir plus` and the
        addresses of the pictures may have changed. After a 304 response, neither is given.
        """
        self._note_state(key, "live", now)
        self.db.conn.execute("UPDATE articles SET checked_at = ?, state = 'live' WHERE id = ?", (to_text(now), key))
        if article is not None and article.related:
            self._update_related(key, article.related)
        if article is not None:
            self.update_images(key, article.images)
        if raw_id is not None:
            self._set_last_page(key, raw_id)

    def add_evidence(self, key: int, raw_id: int) -> None:
        """Record the capture of an article and its current revision that had none."""
        self.db.conn.execute("UPDATE articles SET raw_id = ? WHERE id = ?", (raw_id, key))
        self.db.conn.execute(
            """UPDATE stored_revisions SET raw_id = :raw WHERE article = :id AND raw_id IS NULL
               AND revision = (SELECT revision FROM articles WHERE id = :id)""",
            {"id": key, "raw": raw_id},
        )

    def set_article_state(self, key: int, state: str, now: datetime) -> None:
        """Record the state of an article: `live`, `suspect` or `gone`. The article itself is never deleted."""
        self._note_state(key, state, now)
        self.db.conn.execute("UPDATE articles SET state = ?, checked_at = ? WHERE id = ?", (state, to_text(now), key))

    def _note_state(self, key: int, state: str, now: datetime) -> None:
        """Add a row to `states` if the new state of an article differs from the current one."""
        self.db.conn.execute(
            """INSERT INTO states (article, at, state) SELECT id, :at, :state FROM articles WHERE id = :id AND state <> :state
               ON CONFLICT (article, at) DO UPDATE SET state = excluded.state""",
            {"id": key, "at": to_text(now), "state": state},
        )

    def next_import_key(self) -> int:
        """Return the next free negative id, for an imported text without a post id."""
        return min(int(self.db.execute("SELECT coalesce(min(id), 0) FROM articles").fetchone()[0]), 0) - 1

    def import_key(self, body_key: str) -> int | None:
        """Return the id of the imported text with the hash `body_key`, or None if no such text was imported."""
        row = self.db.execute("SELECT id FROM articles WHERE id < 0 AND body_key = ?", [body_key]).fetchone()
        return int(row[0]) if row else None

    def article(self, key: int) -> StoredArticle | None:
        """Return an article with its current content, or None if the archive does not have it."""
        row = next(self.db.query(f"SELECT {_READ} FROM articles a WHERE id = ?", [key]), None)  # noqa: S608 - constant column names
        return self._stored(row) if row else None

    def revision_captures(self, since: str | None) -> list[tuple[int, int, tuple[RawRef, ...]]]:
        """Return article id, revision number and captures of each revision that was read from a page, oldest first.

        The captures are the one from which the revision was read and, if the current revision was captured again, its last
        one, because the archive keeps the related stories and the addresses of the pictures of the last capture. If `since`
        (UTC, ISO 8601) is given, revisions whose last capture is earlier are left out.
        """
        rows = self.db.query(
            f"""{_CAPTURES} WHERE a.source_file IS NULL AND (:since IS NULL OR coalesce(l.fetched_at, f.fetched_at) >= :since)
                ORDER BY coalesce(l.id, f.id)""",
            {"since": since},
        )
        return [(row["article"], row["revision"], _captures(row)) for row in rows]

    def captures_of_revision(self, key: int, number: int) -> tuple[RawRef, ...]:
        """Return the captures of a revision (see `revision_captures`); none if it was not read from a page."""
        rows = self.db.query(f"{_CAPTURES} WHERE v.article = ? AND v.revision = ?", [key, number])
        return next(map(_captures, rows), ())

    def export(self, wanted: Selection = EVERYTHING, *, by_day: bool = False) -> Iterator[StoredArticle]:
        """Yield articles in the order of their ids or, if `by_day`, of their days of publication, undated ones first.

        There is an index for each order, so SQLite does not sort and memory use does not grow with the number of
        articles. `selected` yields older texts, too.
        """
        matching = (
            "a.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :match)" if wanted.match else "TRUE"
        )
        rows = self.db.query(
            f"""SELECT {_READ} FROM articles a WHERE {CHOSEN} AND {matching}
               AND (:kinds IS NULL OR a.kind IN (SELECT value FROM json_each(:kinds)))
               AND (:states IS NULL OR a.state IN (SELECT value FROM json_each(:states)))
               ORDER BY {"a.published_on, a.id" if by_day else "a.id"}""",  # noqa: S608 - fixed SQL
            {
                "since": wanted.since,
                "until": wanted.until,
                "match": wanted.match,
                "sections": names_json(wanted.sections),
                "kinds": names_json(wanted.kinds),
                "states": names_json(wanted.states),
            },
        )
        return (self._stored(row) for row in rows)

    def search(
        self, match: str, *, since: str | None, until: str | None, section: str | None, limit: int, rank: bool
    ) -> list[dict[str, Any]]:
        """Return at most `limit` articles that match an FTS5 expression.

        If `rank` is True, the most relevant articles come first (by bm25, with the largest weight on the title);
        otherwise, those with the highest ids. `since` and `until` are days of publication in Hanoi, both included.
        """
        tables, conditions, bounds = "articles_fts", ["articles_fts MATCH :match"], ""
        if since is not None or until is not None:
            tables += " CROSS JOIN articles d INDEXED BY articles_facets ON d.id = articles_fts.rowid"
            conditions += [
                "(:since IS NULL OR d.published_on >= :since)",
                "(:until IS NULL OR d.published_on <= :until)",
            ]
        if since is not None and until is not None:
            bounds = _BOUNDS
            conditions.append("articles_fts.rowid BETWEEN (SELECT lowest FROM bounds) AND (SELECT highest FROM bounds)")
        names: dict[str, str] = {}
        if section is not None:  # a list of parameters is compared faster than the rows of json_each
            names = {f"section_{number}": name for number, name in enumerate(self._equal_names(section))}
            listed = ", ".join(f":{parameter}" for parameter in names)
            in_section = "SELECT 1 FROM sections WHERE article = articles_fts.rowid AND section"
            conditions.append(f"EXISTS ({in_section} IN ({listed}))")
        place, way = ("bm25(articles_fts, 10.0, 5.0, 1.0)", "") if rank else ("articles_fts.rowid", "DESC")
        # The limit applies to ids, so that only `limit` of the long rows of `articles` are read.
        columns = (
            "a.id, a.url, a.published_at, a.published_on, a.section, a.title, a.lead, a.own_clean, a.own_text, a.blocks"
        )
        sql = f"""{bounds} SELECT {columns} FROM
                  (SELECT articles_fts.rowid AS id, {place} AS place FROM {tables}
                   WHERE {" AND ".join(conditions)} ORDER BY {place} {way} LIMIT :limit) found
                  JOIN articles a ON a.id = found.id ORDER BY place {way}"""  # noqa: S608 - fixed SQL
        values = {"match": match, "since": since, "until": until, "limit": limit} | names
        return [_with_clean(row) for row in self.db.query(sql, values)]

    def latest(self, section: str | None, since: str | None, limit: int) -> list[dict[str, Any]]:
        """Return at most `limit` articles, by day of publication and id, newest first.

        `since` is a day of publication in Hanoi. With a section, articles that were listed in it count, too.
        """
        rows = self.db.query(
            """SELECT id, url, published_at, published_on, section, title, lead FROM articles a
               WHERE (:since IS NULL OR published_on >= :since)
               AND (:sections IS NULL OR EXISTS (SELECT 1 FROM sections s WHERE s.article = a.id
                    AND s.section IN (SELECT value FROM json_each(:sections))))
               ORDER BY published_on DESC, id DESC LIMIT :limit""",
            {"sections": self.equal_section_names(section), "since": since, "limit": limit},
        )
        return list(rows)

    def extent(self) -> tuple[int, str | None, str | None]:
        """Return the number of articles, and the first and the last day of publication; None if no article has a day."""
        (count,) = self.db.execute("SELECT count(*) FROM articles").fetchone()
        first, last = self.db.execute("SELECT min(day), max(day) FROM articles_per_day").fetchone()
        return count, first, last

    def equal_section_names(self, section: str | None) -> str | None:
        """Return a JSON list of the section names that equal `section` if case and accents are ignored."""
        return None if section is None else records.dump(self._equal_names(section))

    def _equal_names(self, section: str) -> list[str]:
        return [name for name in self.section_names() if fold.letters(name) == fold.letters(section)]

    def section_names(self) -> list[str]:
        """Return the names of all sections, in alphabetical order. The index is read once for each name, not for each row."""
        rows = self.db.query(
            """WITH RECURSIVE names(section) AS (
                 SELECT min(section) FROM sections
                 UNION ALL
                 SELECT (SELECT min(section) FROM sections s WHERE s.section > names.section) FROM names
                 WHERE names.section IS NOT NULL
               ) SELECT section FROM names WHERE section IS NOT NULL"""
        )
        return [row["section"] for row in rows]

    # --- parts

    def _write_article(self, intent: ArticleIntent) -> None:
        """Write the row of an article, its parts and its passage hashes."""
        before = self.compared_texts([intent.key])
        self.db.conn.execute(_WRITE, intent.columns(_FIELDS))
        self._save_parts(intent)
        old = passage_hashes(before[0]) if before else ()
        self.save_hashes(intent.key, old, intent.passage_hashes())

    def _save_parts(self, intent: ArticleIntent) -> None:
        key, article = intent.key, intent.article
        for table, rows in _parts(intent).items():
            self._replace(table, key, rows)
        self.save_images(key, article.images)
        if article.section:
            self.db.conn.execute(
                "INSERT INTO sections (article, section) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, article.section)
            )

    def _set_last_page(self, key: int, raw_id: int | None) -> None:
        self.db.conn.execute("UPDATE articles SET last_raw_id = ? WHERE id = ?", (raw_id, key))

    def _update_related(self, key: int, related: Iterable[Related]) -> None:
        rows = _related_rows(related)
        columns = "SELECT post_id, url, title, summary, caption FROM related WHERE article = ? ORDER BY position"
        if self.db.conn.execute(columns, [key]).fetchall() != rows:
            self._replace("related", key, rows)

    def _replace(self, table: str, key: int, rows: Sequence[tuple[Any, ...]]) -> None:
        self.db.conn.execute(f"DELETE FROM {table} WHERE article = ?", (key,))  # noqa: S608 - a fixed table name
        if rows:
            marks = ", ".join("?" * (len(rows[0]) + 2))
            self.db.conn.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - a fixed table name
                [(key, position, *row) for position, row in enumerate(rows)],
            )

    def _index(self, key: int, folded: FoldedText) -> None:
        # The condition avoids updates that change nothing: triggers rewrite the index entry on each update.
        self.db.conn.execute(
            """INSERT INTO articles_folded (id, title, lead, text) VALUES (?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET title = excluded.title, lead = excluded.lead, text = excluded.text
               WHERE title <> excluded.title OR lead <> excluded.lead OR text <> excluded.text""",
            (key, folded.title, folded.lead, folded.text),
        )

    def _stored(self, row: Mapping[str, Any]) -> StoredArticle:
        key = row["id"]
        related = self.db.query("SELECT * FROM related WHERE article = ? ORDER BY position", [key])
        tags = self.db.query("SELECT tag FROM tags WHERE article = ? ORDER BY position", [key])
        repairs = self.db.query("SELECT * FROM repairs WHERE article = ? ORDER BY position", [key])
        raw = next(self.db.query("SELECT * FROM raw WHERE id = ?", [row["raw_id"]]), None)
        article = records.article_from_row(
            row,
            _FIELDS,
            post_id=key if key > 0 else None,
            dateline=records.dateline_of(row["dateline_place"], row["dateline_date"], row["agency"]),
            tags=tuple(t["tag"] for t in tags),
            related=tuple(Related(r["title"], r["summary"], r["caption"], r["url"], r["post_id"]) for r in related),
        )
        return StoredArticle(
            id=key,
            article=article,
            reading=Reading(
                article.text if row["clean"] is None else row["clean"],
                tuple(Repair(r["rule"], r["offset"], r["before"], r["after"]) for r in repairs),
            ),
            revision=row["revision"],
            state=row["state"],
            first_seen_at=row["first_seen_at"],
            checked_at=row["checked_at"],
            parser=row["parser"],
            raw=RawRef(raw["file"], raw["offset"], raw["length"], raw["digest"]) if raw else None,
            raw_id=row["raw_id"],
            word_count=row["word_count"],
            fetched_url=raw["url"] if raw and raw["status"] else None,
        )


def names_json(names: Sequence[str]) -> str | None:
    """Return names as JSON for a query; None, which means no condition, if there are none."""
    return records.dump(list(names)) if names else None


def _parts(intent: ArticleIntent) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of the parts of an article except its pictures, without the columns `article` and `position`."""
    article = intent.article
    return {
        "tags": [(tag,) for tag in article.tags],
        "repairs": [(r.rule, r.offset, r.before, r.after) for r in intent.reading.repairs],
        "related": _related_rows(article.related),
    }


def _with_clean(row: dict[str, Any]) -> dict[str, Any]:
    """Replace what the column `clean` follows from by its value; SQL takes several times as long to compute it."""
    clean, text, blocks = (row.pop(name) for name in ("own_clean", "own_text", "blocks"))
    own = text if clean is None else clean
    return row | {"clean": text_of(blocks) if own is None else own}


def _related_rows(related: Iterable[Related]) -> list[tuple[Any, ...]]:
    return [(r.post_id, r.url, r.title, r.summary, r.caption) for r in related]


def _captures(row: Mapping[str, Any]) -> tuple[RawRef, ...]:
    first = RawRef(row["file"], row["offset"], row["length"], row["digest"])
    if row["last_file"] is None:
        return (first,)
    return (first, RawRef(row["last_file"], row["last_offset"], row["last_length"], row["last_digest"]))
