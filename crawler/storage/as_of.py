"""Read the archive as of an instant: what the site said then, and what the archive knew then.

Boundary: reads rows. What the site said at a time is what a capture of that time or earlier shows, whenever the capture was
imported (`as_of`); what the archive knew then leaves out what it got later (`known_at`). Both are UTC, ISO 8601.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from crawler import fold, records
from crawler.selection import Selection
from crawler.storage.articles import CHOSEN, Articles, names_json
from crawler.types import StoredArticle

#: Of a revision `v`: the site showed it at the time, and the archive knew it.
_THEN = "(:as_of IS NULL OR v.seen_at <= :as_of) AND (:known IS NULL OR v.known_at <= :known)"
_CURRENT_THEN = (
    f"EXISTS (SELECT 1 FROM stored_revisions v WHERE v.article = a.id AND v.revision = a.revision AND {_THEN})"  # noqa: S608 - constants only
)
_ANY_THEN = f"EXISTS (SELECT 1 FROM stored_revisions v WHERE v.article = a.id AND {_THEN})"  # noqa: S608
_INDEX = """CREATE VIRTUAL TABLE old USING fts5 (title, lead, text, tokenize='unicode61 remove_diacritics 2')"""


class AsOf(Articles):
    """Queries over the archive as of an instant."""

    def state_at(self, key: int, at: str) -> str:
        """Return the state that an article had at a time (UTC, ISO 8601): `live`, `suspect` or `gone`."""
        row = self.db.execute(
            "SELECT state FROM states WHERE article = ? AND at <= ? ORDER BY at DESC LIMIT 1", [key, at]
        ).fetchone()
        return str(row[0]) if row else "live"

    def selected(self, wanted: Selection, *, by_day: bool = False) -> Iterator[StoredArticle]:
        """Yield the selected articles in the order of `export`; an article and its revisions are consecutive.

        Days, sections and, with `revisions`, words are compared with the current revision; kind and state with what is
        yielded.
        """
        if not wanted.is_of_an_instant and not wanted.revisions:
            yield from self.export(wanted, by_day=by_day)
            return
        for key in self._selected_keys(wanted, by_day=by_day):
            for number in self._numbers_then(key, wanted):
                found = self.revision(key, number=number, as_of=wanted.as_of, known_at=wanted.known_at)
                assert found is not None
                kept = not wanted.kinds or found.article.kind in wanted.kinds
                if kept and (not wanted.states or found.state in wanted.states):
                    yield found

    def _selected_keys(self, wanted: Selection, *, by_day: bool) -> Iterator[int]:
        """Yield the ids of the articles that had a revision at the time."""
        values: dict[str, Any] = {"since": wanted.since, "until": wanted.until, "match": wanted.match}
        values |= {"sections": names_json(wanted.sections), "as_of": wanted.as_of, "known": wanted.known_at}
        matching = "TRUE"
        if wanted.match is not None:
            old = self._matching_old_texts(wanted.match, values) if wanted.is_of_an_instant else ()
            values["old"] = records.dump([row["id"] for row in old])
            matching = f"""(a.id IN (SELECT value FROM json_each(:old)) OR {_CURRENT_THEN}
              AND a.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :match))"""  # noqa: S608
        rows = self.db.query(
            f"""SELECT a.id FROM articles a WHERE {CHOSEN} AND {_ANY_THEN} AND {matching}
                ORDER BY {"a.published_on, a.id" if by_day else "a.id"}""",  # noqa: S608 - fixed SQL
            values,
        )
        return (row["id"] for row in rows)

    def _numbers_then(self, key: int, wanted: Selection) -> list[int]:
        """Return the numbers of the wanted revisions of an article: all that there were at the time, or the last."""
        rows = self.db.execute(
            f"SELECT v.revision FROM stored_revisions v WHERE v.article = :id AND {_THEN} ORDER BY v.revision",  # noqa: S608
            {"id": key, "as_of": wanted.as_of, "known": wanted.known_at},
        ).fetchall()
        numbers = [row[0] for row in rows]
        return numbers if wanted.revisions else numbers[-1:]

    def search_as_of(
        self,
        match: str,
        *,
        as_of: str | None,
        known_at: str | None,
        since: str | None,
        until: str | None,
        section: str | None,
        limit: int,
    ) -> list[dict[str, Any]]:
        """Return at most `limit` articles whose text of that time matches an FTS5 expression, those with the highest ids.

        The search index has current texts only. The texts of articles that were revised later are indexed in memory, so
        the query takes longer the more of them there are.
        """
        values: dict[str, Any] = {"match": match, "since": since, "until": until, "as_of": as_of, "known": known_at}
        values |= {"sections": self.equal_section_names(section), "limit": limit}
        columns = "a.id, a.url, a.published_at, a.published_on, a.section, a.title, a.lead, a.clean"
        unchanged = self.db.query(
            f"""SELECT {columns} FROM articles_fts JOIN articles a ON a.id = articles_fts.rowid
                WHERE articles_fts MATCH :match AND {CHOSEN} AND {_CURRENT_THEN}
                ORDER BY articles_fts.rowid DESC LIMIT :limit""",  # noqa: S608 - fixed SQL
            values,
        )
        rows = [*unchanged, *self._matching_old_texts(match, values)]
        return sorted(rows, key=lambda row: -row["id"])[:limit]

    def _matching_old_texts(self, match: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        keys = self.db.query(
            f"""SELECT a.id, a.published_on FROM articles a
                WHERE {CHOSEN} AND NOT {_CURRENT_THEN} AND {_ANY_THEN} ORDER BY a.id""",  # noqa: S608 - fixed SQL
            values,
        )
        found: dict[int, dict[str, Any]] = {}
        index = Database(memory=True)
        try:
            index.conn.execute(_INDEX)
            for row in list(keys):
                stored = self.revision(row["id"], as_of=values["as_of"], known_at=values["known"])
                assert stored is not None
                article = stored.article
                folded = (row["id"], fold.fold(article.title), fold.fold(article.lead or ""), fold.fold(article.text))
                index.conn.execute("INSERT INTO old (rowid, title, lead, text) VALUES (?, ?, ?, ?)", folded)
                found[row["id"]] = {
                    **row, "url": article.url, "published_at": article.published_at, "section": article.section,
                    "title": article.title, "lead": article.lead, "clean": article.text,
                }  # fmt: skip
            matching = index.conn.execute("SELECT rowid FROM old WHERE old MATCH ?", [match]).fetchall()
        finally:
            index.close()
        return [found[key] for (key,) in matching]
