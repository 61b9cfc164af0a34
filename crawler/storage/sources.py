"""Rows of the sources (home page, sections, feeds, sitemaps, lists) and their counts of new articles.

Boundary: reads and writes rows; `schedule` decides when a source is due.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler import urls
from crawler.clock import from_text, to_text
from crawler.schedule.hourly_counts import HourCount, HourCounts, Slot, SourceCounts
from crawler.storage.values import optional_instant, optional_kind, optional_text
from crawler.types import SourceForPoll, SourceFound, SourceKind, SourceOutcome

_FOR_POLL = (
    "id, url, kind, name, state, failures, etag, last_modified, last_ok_at, most_items, newest_id, middle_id,"
    " learned_since, checked_whole_at, lies, error, error_kind"
)
_INSTANTS = ("last_ok_at", "learned_since", "checked_whole_at")


class Sources:
    """Queries over the sources to poll."""

    db: Database

    def add_sources(self, found: Iterable[SourceFound], due_at: datetime | None) -> None:
        """Add sources, which are due at `due_at` (None: they are not polled).

        A source that is already known keeps its address, its state and its due time. It is known if its address equals
        the stored one in the canonical form. If it has no due time and is not excluded, it gets `due_at`. A name or zone
        that is given in `found` replaces the stored one.
        """
        for source in found:
            self.db.conn.execute(
                """INSERT INTO sources (url, address, kind, name, zone, state, next_due_at)
                   VALUES (?, ?, ?, ?, ?, 'new', ?)
                   ON CONFLICT (url) DO UPDATE SET
                     name = coalesce(excluded.name, name), zone = coalesce(excluded.zone, zone),
                     next_due_at = CASE WHEN state <> 'excluded' THEN coalesce(next_due_at, excluded.next_due_at) END""",
                (
                    self.known_source(source.url) or source.url,
                    urls.canonical(source.url),
                    source.kind,
                    source.name,
                    source.zone,
                    optional_text(due_at),
                ),
            )

    def source_kinds(self) -> dict[str, SourceKind]:
        """Return the kinds of all sources by their addresses."""
        return dict(self.db.conn.execute("SELECT url, kind FROM sources"))

    def known_source(self, url: str) -> str | None:
        """Return the address of the stored source that `url` names, in whatever spelling; None if there is none."""
        row = self.db.execute(
            "SELECT url FROM sources WHERE url = :url OR address = :address ORDER BY url <> :url, id LIMIT 1",
            {"url": url, "address": urls.canonical(url)},
        ).fetchone()
        return str(row[0]) if row else None

    def due_sources(self, now: datetime, *, ignore_due: bool = False) -> list[SourceForPoll]:
        """Return the sources to poll: those that link to other sources come first, the monthly sitemaps last.

        In each group, the source that has been due longest comes first. If `ignore_due` is True, also return sources
        that are not due yet.
        """
        rows = self.db.query(
            f"""SELECT {_FOR_POLL} FROM sources
               WHERE state <> 'excluded' AND next_due_at IS NOT NULL AND (:all OR next_due_at <= :now)
               ORDER BY kind NOT IN ('home', 'sitemap_index', 'feed_index'), kind = 'sitemap', next_due_at, url""",  # noqa: S608 - constant column names
            {"now": to_text(now), "all": ignore_due},
        )
        return [_source(row) for row in rows]

    def source(self, url: str) -> SourceForPoll | None:
        """Return the source that `url` names, whether or not it is due; None if the source is unknown."""
        known = self.known_source(url)
        row = next(self.db.query(f"SELECT {_FOR_POLL} FROM sources WHERE url = ?", [known]), None)  # noqa: S608 - constant column names
        return _source(row) if row else None

    def sources_of_kind(self, kind: str) -> list[SourceForPoll]:
        """Return all sources of one kind, whether or not they are due."""
        return [_source(row) for row in self.db.query(f"SELECT {_FOR_POLL} FROM sources WHERE kind = ?", [kind])]  # noqa: S608

    def source_is_due(self, now: datetime) -> bool:
        """Whether any source is due."""
        sql = "SELECT 1 FROM sources WHERE next_due_at <= ? AND state <> 'excluded' LIMIT 1"
        return self.db.execute(sql, [to_text(now)]).fetchone() is not None

    def next_due(self) -> datetime | None:
        """Return when the next source or page is due; None if nothing is scheduled."""
        # `IS NOT NULL` changes no result, but lets SQLite use the partial index on pages.
        row = self.db.execute(
            """SELECT min(due) FROM (SELECT min(next_due_at) AS due FROM sources WHERE state <> 'excluded'
               UNION ALL SELECT min(next_due_at) FROM pages WHERE next_due_at IS NOT NULL)"""
        ).fetchone()
        return optional_instant(row[0])

    def mark_sources_due(self, addresses: Iterable[str], now: datetime) -> None:
        """Make sources due at `now`, unless they are due earlier."""
        self.db.conn.executemany(
            "UPDATE sources SET next_due_at = min(coalesce(next_due_at, :now), :now) WHERE url = :url",
            [{"url": url, "now": to_text(now)} for url in addresses],
        )

    def save_source(self, url: str, outcome: SourceOutcome, now: datetime) -> None:
        """Update the row of a source with the outcome of a poll; `SourceOutcome` says what None means."""
        self.db.conn.execute(
            """UPDATE sources SET state = :state, next_due_at = :due, last_checked_at = :now, failures = :failures,
                 error = :error, error_kind = :error_kind, interval = coalesce(:interval, interval),
                 last_ok_at = CASE WHEN :state = 'ok' THEN :now ELSE last_ok_at END,
                 items = coalesce(:items, items), fresh_items = coalesce(:fresh, fresh_items),
                 most_items = nullif(max(coalesce(most_items, -1), coalesce(:items, -1)), -1),
                 newest_id = coalesce(:newest, newest_id), middle_id = coalesce(:middle, middle_id),
                 learned_since = coalesce(:learned, learned_since),
                 etag = coalesce(:etag, etag), last_modified = coalesce(:last_modified, last_modified),
                 checked_whole_at = coalesce(:whole, checked_whole_at), lies = lies + :lie
               WHERE url = :url""",
            {
                "url": url,
                "state": outcome.state,
                "due": optional_text(outcome.next_due_at),
                "now": to_text(now),
                "failures": outcome.failures,
                "error": outcome.error,
                "error_kind": outcome.error_kind,
                "interval": round(outcome.interval.total_seconds()) if outcome.interval else None,
                "items": outcome.items,
                "fresh": outcome.fresh_items,
                "newest": outcome.newest_id,
                "middle": outcome.middle_id,
                "learned": optional_text(outcome.learned_since),
                "etag": outcome.etag,
                "last_modified": outcome.last_modified,
                "whole": to_text(now) if outcome.whole else None,
                "lie": outcome.lie,
            },
        )

    def pages_known(self, ids: Iterable[int]) -> set[int]:
        """Return the post ids in `ids` that have a row in the table `pages`, including ids known to be absent."""
        rows = self.db.query(
            "SELECT id FROM pages WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(list(ids))]
        )
        return {row["id"] for row in rows}

    def source_counts(self) -> list[SourceCounts]:
        """Return the polled sources in the states `ok` and `new`, each with its weekly counts of new articles."""
        counts: dict[int, list[HourCount]] = {}
        sums = "SELECT source, week, sum(items) AS items, sum(firsts) AS firsts FROM rhythms GROUP BY source, week"
        for row in self.db.query(sums):
            counts.setdefault(row["source"], []).append(HourCount(row["items"], row["firsts"], row["week"]))
        rows = self.db.query(
            "SELECT id, url, kind FROM sources WHERE state IN ('ok', 'new') AND next_due_at IS NOT NULL"
        )
        return [SourceCounts(r["url"], r["kind"], tuple(counts.get(r["id"], ()))) for r in rows]

    def hour_counts(self, source_id: int) -> dict[Slot, HourCount]:
        """Return how many new articles a source listed, by weekday and hour in Hanoi."""
        rows = self.db.query("SELECT * FROM rhythms WHERE source = ?", [source_id])
        return {(r["weekday"], r["hour"]): HourCount(r["items"], r["firsts"], r["week"]) for r in rows}

    def save_hour_counts(self, source_id: int, counts: HourCounts) -> None:
        """Write how many new articles a source listed, for the weekdays and hours in `counts`; other hours are kept."""
        self.db.conn.executemany(
            "INSERT OR REPLACE INTO rhythms (source, weekday, hour, items, firsts, week) VALUES (?, ?, ?, ?, ?, ?)",
            [(source_id, *slot, h.items, h.firsts, h.week) for slot, h in sorted(counts.items())],
        )


def _source(row: Mapping[str, Any]) -> SourceForPoll:
    converted = {name: from_text(row[name]) for name in _INSTANTS if row[name]}
    return SourceForPoll(**{**row, **converted, "error_kind": optional_kind(row["error_kind"])})
