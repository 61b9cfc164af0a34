"""Rows of the frontier: sources, pages, sightings, evidence, runs and the log of requests.

Boundary: rows in and out; when something is due is decided by `policy`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler.clock import from_text, to_text
from crawler.types import (
    Exchange,
    PageForFetch,
    PageOutcome,
    RawRef,
    RunReport,
    Sighting,
    SourceForPoll,
    SourceFound,
    SourceOutcome,
)

_FOR_FETCH = " id, url, state, failures, first_seen_at, etag, last_modified, last_fetched_at"


class Frontier:
    """Queries over what is to be fetched and what was."""

    db: Database
    transaction: Callable[[], AbstractContextManager[None]]

    # --- runs and requests

    def begin_run(self, command: str, now: datetime) -> int:
        """Open a run's row and give its id."""
        with self.transaction():
            cursor = self.db.conn.execute(
                "INSERT INTO runs (command, started_at) VALUES (?, ?)", (command, to_text(now))
            )
        return int(cursor.lastrowid or 0)

    def end_run(self, run: int, now: datetime, outcome: str, report: RunReport) -> None:
        """Close a run's row."""
        with self.transaction():
            self.db.conn.execute(
                "UPDATE runs SET ended_at = ?, outcome = ?, report = ? WHERE id = ?",
                (to_text(now), outcome, json.dumps(asdict(report)), run),
            )

    def log_requests(self, run: int, exchanges: Iterable[Exchange]) -> None:
        """Write the log of requests."""
        rows = [(run, e.url, to_text(e.at), e.status, e.size, e.seconds, e.error) for e in exchanges]
        self.db.conn.executemany(
            "INSERT INTO fetches (run, url, at, status, size, seconds, error) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
        )

    def add_raw(
        self,
        url: str,
        fetched_at: datetime,
        status: int,
        ref: RawRef,
        purpose: str | None = None,
        origin: str | None = None,
    ) -> int:
        """Write where an answer is kept; a place that is known already keeps its id."""
        row = self.db.conn.execute(
            """INSERT INTO raw (url, fetched_at, status, file, offset, length, digest, purpose, origin)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (file, offset) DO UPDATE SET digest = excluded.digest RETURNING id""",
            (url, to_text(fetched_at), status, ref.file, ref.offset, ref.length, ref.digest, purpose, origin),
        ).fetchone()
        return int(row[0])

    def known_end(self, file: str) -> int:
        """Give the byte behind the last answer of a WARC file that has a row: so far it is whole."""
        row = self.db.execute("SELECT offset + length FROM raw WHERE file = ? ORDER BY offset DESC LIMIT 1", [file])
        found = row.fetchone()
        return int(found[0]) if found else 0

    # --- sources

    def add_sources(self, found: Iterable[SourceFound], due_at: datetime | None) -> None:
        """Add sources that are not known yet; known ones keep their state."""
        self.db.conn.executemany(
            """INSERT INTO sources (url, kind, name, state, next_due_at) VALUES (?, ?, ?, 'new', ?)
               ON CONFLICT (url) DO UPDATE SET name = coalesce(excluded.name, name),
                 next_due_at = coalesce(next_due_at, excluded.next_due_at)""",
            [(s.url, s.kind, s.name, to_text(due_at) if due_at else None) for s in found],
        )

    def due_sources(self, now: datetime, *, ignore_due: bool = False) -> list[SourceForPoll]:
        """Give the sources to poll, those that lead to others first, then the longest due."""
        rows = self.db.query(
            """SELECT url, kind, name, state, failures, etag, last_modified FROM sources
               WHERE state <> 'excluded' AND next_due_at IS NOT NULL AND (:all OR next_due_at <= :now)
               ORDER BY instr('home sitemap_index', kind) = 0, next_due_at, url""",
            {"now": to_text(now), "all": ignore_due},
        )
        return [SourceForPoll(**row) for row in rows]

    def save_source(self, url: str, outcome: SourceOutcome, now: datetime) -> None:
        """Write a visit to a source on its row; a failed one keeps the last good figures."""
        self.db.conn.execute(
            """UPDATE sources SET state = :state, next_due_at = :due, last_checked_at = :now, failures = :failures,
                 error = :error,
                 last_ok_at = CASE WHEN :state = 'ok' THEN :now ELSE last_ok_at END,
                 items = coalesce(:items, items), fresh_items = coalesce(:fresh, fresh_items),
                 etag = coalesce(:etag, etag), last_modified = coalesce(:last_modified, last_modified)
               WHERE url = :url""",
            {
                "url": url,
                "state": outcome.state,
                "due": _text(outcome.next_due_at),
                "now": to_text(now),
                "failures": outcome.failures,
                "error": outcome.error,
                "items": outcome.items,
                "fresh": outcome.fresh_items,
                "etag": outcome.etag,
                "last_modified": outcome.last_modified,
            },
        )

    # --- pages

    def add_sightings(self, source: str, sightings: Sequence[Sighting], now: datetime, due_at: datetime | None) -> int:
        """Write what a source names; give how many pages were not known before.

        A page that is known becomes due again when the source gives a later modification time than any before.
        """
        fresh = 0
        for seen in sightings:
            if seen.post_id is not None:
                fresh += self._add_sighting(source, seen, to_text(now), _text(due_at))
        return fresh

    def _add_sighting(self, source: str, seen: Sighting, now: str, due: str | None) -> bool:
        hinted = _text(seen.modified_at)
        added = self.db.conn.execute(
            """INSERT INTO pages (id, url, state, first_seen_at, first_source, hinted_at, next_due_at)
               VALUES (?, ?, 'known', ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
            (seen.post_id, seen.url, now, source, hinted, due),
        ).rowcount
        if not added:
            self.db.conn.execute(
                """UPDATE pages SET next_due_at = CASE
                     WHEN state = 'known' THEN min(coalesce(next_due_at, :due), coalesce(:due, next_due_at))
                     WHEN :hinted >= coalesce(last_fetched_at, '') AND state <> 'gone' THEN :now
                     ELSE next_due_at END,
                   hinted_at = nullif(max(coalesce(hinted_at, ''), coalesce(:hinted, '')), '')
                   WHERE id = :id AND (state = 'known' OR :hinted > coalesce(hinted_at, ''))""",
                {"id": seen.post_id, "hinted": hinted, "now": now, "due": due},
            )
        self.db.conn.execute(
            """INSERT INTO sightings (page, source, first_seen_at, last_seen_at, position) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (page, source) DO UPDATE SET last_seen_at = excluded.last_seen_at,
                 position = excluded.position""",
            (seen.post_id, source, now, now, seen.position),
        )
        return bool(added)

    def sighted(self, source: str, ids: Iterable[int]) -> set[int]:
        """Give which of these post ids a source has shown before."""
        rows = self.db.query(
            "SELECT page FROM sightings WHERE source = ? AND page IN (SELECT value FROM json_each(?))",
            [source, json.dumps(list(ids))],
        )
        return {row["page"] for row in rows}

    def due_pages(self, now: datetime, *, ignore_due: bool = False) -> list[PageForFetch]:
        """Give the pages to fetch: never fetched ones first, newest first."""
        rows = self.db.query(
            f"""SELECT {_FOR_FETCH} FROM pages
               WHERE (next_due_at IS NOT NULL AND next_due_at <= :now) OR (:all AND state <> 'gone')
               ORDER BY state <> 'known', id DESC""",  # noqa: S608 - columns of ours
            {"now": to_text(now), "all": ignore_due},
        )
        return [_page(row) for row in rows]

    def visited_since(self, page: PageForFetch) -> bool:
        """Say whether somebody visited a page after its row was read."""
        row = self.db.execute("SELECT last_fetched_at FROM pages WHERE id = ?", [page.id]).fetchone()
        return row is not None and row[0] != page.last_fetched_at

    def unread_pages(self, since: str | None) -> list[tuple[PageForFetch, int, RawRef]]:
        """Give the pages that were kept but could not be read, with where they are kept."""
        rows = self.db.query(
            f"""SELECT {_FOR_FETCH.replace(" ", " p.")}, p.raw_id,
                 r.file, r.offset, r.length, r.digest
               FROM pages p JOIN raw r ON r.id = p.raw_id
               WHERE p.state IN ('drift', 'rejected') AND (:since IS NULL OR r.fetched_at >= :since) ORDER BY p.id""",  # noqa: S608 - columns of ours
            {"since": since},
        )
        return [
            (
                _page({name: r[name] for name in _FOR_FETCH.strip().split(", ")}),
                r["raw_id"],
                RawRef(r["file"], r["offset"], r["length"], r["digest"]),
            )
            for r in rows
        ]

    def add_page(self, page: PageForFetch, source: str) -> None:
        """Add a page that a fetch led to under another id than asked for."""
        self.db.conn.execute(
            """INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, ?, 'known', ?, ?)
               ON CONFLICT (id) DO NOTHING""",
            (page.id, page.url, to_text(page.first_seen_at), source),
        )

    def save_page(self, page_id: int, outcome: PageOutcome, now: datetime) -> None:
        """Write a visit to a page on its row."""
        self.db.conn.execute(
            """UPDATE pages SET state = ?, next_due_at = ?, last_fetched_at = ?, failures = ?, error = ?,
                 raw_id = coalesce(?, raw_id), etag = ?, last_modified = ? WHERE id = ?""",
            (
                outcome.state,
                _text(outcome.next_due_at),
                to_text(now),
                outcome.failures,
                outcome.error,
                outcome.raw_id,
                outcome.etag,
                outcome.last_modified,
                page_id,
            ),
        )

    # --- what is going on

    def status(self) -> dict[str, Any]:
        """Give the counts and lists that `vna status` prints."""
        count = "SELECT state, count(*) AS n FROM {} GROUP BY state ORDER BY state"
        return {
            "articles": self._number("SELECT count(*) FROM articles"),
            "article_states": {r["state"]: r["n"] for r in self.db.query(count.format("articles"))},
            "revisions": self._number("SELECT count(*) FROM revisions WHERE revision > 1"),
            "duplicates": self._number("SELECT count(*) FROM duplicates"),
            "broken": self._number(
                "SELECT count(*) FROM (SELECT article FROM repairs WHERE rule LIKE 'glued-%' GROUP BY article"
                " HAVING count(*) >= 3)"
            ),
            "oldest": self._value("SELECT min(published_on) FROM articles"),
            "newest": self._value("SELECT max(published_on) FROM articles"),
            "pages": {r["state"]: r["n"] for r in self.db.query(count.format("pages"))},
            "requests": self._number("SELECT count(*) FROM fetches"),
            "bytes": self._number("SELECT coalesce(sum(size), 0) FROM fetches"),
            "last_run": self._last_run(),
            "sources": list(
                self.db.query(
                    "SELECT url, kind, name, state, items, last_ok_at, next_due_at, error FROM sources"
                    " WHERE next_due_at IS NOT NULL OR state = 'failing' ORDER BY kind, url"
                )
            ),
            "attention": list(
                self.db.query(
                    "SELECT id, url, state, error FROM pages WHERE state IN ('drift', 'failed', 'rejected', 'suspect') OR (state = 'live' AND failures > 0)"
                    " ORDER BY last_fetched_at DESC LIMIT 20"
                )
            ),
        }

    def _last_run(self) -> dict[str, Any] | None:
        row = next(self.db.query("SELECT * FROM runs ORDER BY id DESC LIMIT 1"), None)
        return row and row | {"report": json.loads(row["report"] or "null")}

    def _number(self, sql: str) -> int:
        return int(self.db.execute(sql).fetchone()[0])

    def _value(self, sql: str) -> Any:
        return self.db.execute(sql).fetchone()[0]


def _page(row: Mapping[str, Any]) -> PageForFetch:
    return PageForFetch(**{**row, "first_seen_at": from_text(row["first_seen_at"])})


def _text(instant: datetime | None) -> str | None:
    return to_text(instant) if instant is not None else None
