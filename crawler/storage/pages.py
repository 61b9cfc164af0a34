"""Rows of the article pages, fetched or not, and rows of the sightings, which record which source listed which page.

Boundary: reads and writes rows; `schedule` decides when a page is due.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlite_utils import Database

from crawler import urls
from crawler.clock import to_text
from crawler.storage.values import optional_instant, optional_text
from crawler.types import ErrorKind, PageForFetch, PageOutcome, RawRef, Sighting

#: The columns of `PageForFetch`, for a SELECT.
FOR_FETCH = (
    " id, url, state, failures, first_seen_at, etag, last_modified, last_fetched_at, checked_whole_at, lies,"
    " hinted_at, unhinted"
)
#: The columns `FOR_FETCH` of a page `p`, and those of its capture `r`; see `page_with_capture`.
WITH_CAPTURE = f"{FOR_FETCH.replace(' ', ' p.')}, r.id AS raw_id, r.file, r.offset, r.length, r.digest"
_GOOD = ("known", "live")  # states of a page that has not failed under its address


class _KnownPage(NamedTuple):
    """The columns of a page that a sighting may change."""

    id: int
    url: str
    state: str
    hinted_at: str | None
    published_hint: str | None
    next_due_at: str | None


class Pages:
    """Queries over the pages and the sightings."""

    db: Database

    def add_sightings(
        self, source: str, sightings: Sequence[Sighting], now: datetime, due_at: datetime | None, *, past: bool = False
    ) -> int:
        """Write the sightings of a source; return how many of the listed pages are new to the archive.

        New pages are due at `due_at` (None: no visit is scheduled). A page that was fetched before becomes due at `now`
        if the source gives a new lastmod hint, later than all earlier ones. Sightings without a post id are ignored.

        A known page is requested under the address in `sightings` from now on, if no source has used this address for
        it before; see docs/decisions.md. `past`: the addresses are old ones, so that known pages keep theirs.
        """
        at, due = to_text(now), optional_text(due_at)
        listed = [seen for seen in sightings if seen.post_id is not None]
        known = self._known_pages(seen.post_id for seen in listed)
        fresh = 0
        for seen in listed:
            page = known.get(seen.post_id)
            if page is None:
                page = self._add_listed(source, seen, at, due)
                fresh += 1
            else:
                page = self._hint(page, seen, at, due)
                if not past:
                    page = self._change_address(page, seen.url, due)
            known[page.id] = page
            self._save_sighting(source, seen, at)
        return fresh

    def _known_pages(self, ids: Iterable[int | None]) -> dict[int | None, _KnownPage]:
        """Return the pages with these ids that the archive knows."""
        rows = self.db.conn.execute(
            """SELECT id, url, state, hinted_at, published_hint, next_due_at FROM pages
               WHERE id IN (SELECT value FROM json_each(?))""",
            (json.dumps(list(ids)),),
        )
        return {row[0]: _KnownPage(*row) for row in rows}

    def _add_listed(self, source: str, seen: Sighting, now: str, due: str | None) -> _KnownPage:
        assert seen.post_id is not None
        hinted, published = optional_text(seen.modified_at), optional_text(seen.published_at)
        page = _KnownPage(seen.post_id, seen.url, "known", hinted, published, due)
        self.db.conn.execute(
            """INSERT INTO pages (id, url, state, first_seen_at, first_source, hinted_at, published_hint, next_due_at)
               VALUES (?, ?, 'known', ?, ?, ?, ?, ?)""",
            (page.id, page.url, now, source, hinted, published, due),
        )
        return page

    def _hint(self, page: _KnownPage, seen: Sighting, now: str, due: str | None) -> _KnownPage:
        """Write what a sighting says about a known page, if it is new; return the page."""
        hinted, published = optional_text(seen.modified_at), optional_text(seen.published_at)
        if page.state == "absent":  # an id that was absent when it was requested exists now, because a source lists it
            self.db.conn.execute(
                """UPDATE pages SET state = 'known', url = ?, failures = 0, error = NULL, error_kind = NULL
                   WHERE id = ? AND state = 'absent'""",
                (seen.url, page.id),
            )
            page = page._replace(state="known", url=seen.url)
        is_earlier = due is not None and (page.next_due_at is None or due < page.next_due_at)
        is_newer = hinted is not None and hinted > (page.hinted_at or "")
        is_first = page.published_hint is None and published is not None
        if not (is_first or is_newer or (is_earlier and page.state == "known")):
            return page
        self.db.conn.execute(
            """UPDATE pages SET next_due_at = CASE
                 WHEN state = 'known' THEN min(coalesce(next_due_at, :due), coalesce(:due, next_due_at))
                 WHEN :hinted > coalesce(hinted_at, '') AND :hinted >= coalesce(last_fetched_at, '')
                      AND state <> 'gone' THEN :now
                 ELSE next_due_at END,
               hinted_at = nullif(max(coalesce(hinted_at, ''), coalesce(:hinted, '')), ''),
                 published_hint = coalesce(published_hint, :published)
               WHERE id = :id""",
            {"id": page.id, "hinted": hinted, "published": published, "now": now, "due": due},
        )
        return self._known_pages([page.id])[page.id]

    def _change_address(self, page: _KnownPage, named: str, due: str | None) -> _KnownPage:
        """Request a page under the address `named` from now on, if this address is new and may replace the stored one.

        If the page was not found or failed under the old address, it becomes due at `due`. Not-found responses under the
        old address count as one. Return the page.
        """
        if named == page.url or not (page.state not in _GOOD or urls.replaces(named, page.url)):
            return page
        if self.db.execute("SELECT 1 FROM sightings WHERE page = ? AND url = ?", [page.id, named]).fetchone():
            return page
        self.db.conn.execute(
            """UPDATE pages SET url = :named, etag = NULL, last_modified = NULL,
                 failures = CASE WHEN state IN ('suspect', 'gone') THEN 1 ELSE 0 END,
                 next_due_at = iif(:good, next_due_at, coalesce(:due, next_due_at)) WHERE id = :id""",
            {"named": named, "id": page.id, "good": page.state in _GOOD, "due": due},
        )
        return self._known_pages([page.id])[page.id]

    def _save_sighting(self, source: str, seen: Sighting, now: str) -> None:
        self.db.conn.execute(
            """INSERT INTO sightings (page, source, first_seen_at, last_seen_at, position, url) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (page, source) DO UPDATE SET last_seen_at = excluded.last_seen_at,
                 position = excluded.position, url = excluded.url""",
            (seen.post_id, source, now, now, seen.position, seen.url),
        )

    def page_addresses(self, page_id: int) -> list[str]:
        """Return the addresses under which sources have named a page, and the canonical address of its article."""
        rows = self.db.query(
            """SELECT url FROM sightings WHERE page = :id AND url IS NOT NULL
               UNION SELECT url FROM articles WHERE id = :id AND url IS NOT NULL""",
            {"id": page_id},
        )
        return [row["url"] for row in rows]

    def sighted(self, source: str, ids: Iterable[int], by: datetime | None = None) -> set[int]:
        """Return the post ids in `ids` that a source had listed by the time `by`, or at any time if `by` is None."""
        rows = self.db.query(
            """SELECT page FROM sightings WHERE source = ? AND page IN (SELECT value FROM json_each(?))
               AND (? IS NULL OR first_seen_at <= ?)""",
            [source, json.dumps(list(ids)), optional_text(by), optional_text(by)],
        )
        return {row["page"] for row in rows}

    def due_pages(self, now: datetime, *, ignore_due: bool = False) -> list[PageForFetch]:
        """Return the pages to fetch: first those that were never fetched, then the others, each group by descending id.

        If `ignore_due` is True, also return pages that are not due, except suspect, gone and absent pages. Suspect
        pages are never fetched early, because some time must pass between the checks that confirm a removal.
        """
        rows = self.db.query(
            f"""SELECT {FOR_FETCH} FROM pages
               WHERE (next_due_at IS NOT NULL AND next_due_at <= :now) OR (:all AND state NOT IN ('suspect', 'gone', 'absent'))
               ORDER BY state <> 'known', id DESC""",  # noqa: S608 - constant column names
            {"now": to_text(now), "all": ignore_due},
        )
        return [page_of(row) for row in rows]

    def visited_since(self, page: PageForFetch) -> bool:
        """Whether a page has been visited since its row was read, for example by another process."""
        row = self.db.execute("SELECT last_fetched_at FROM pages WHERE id = ?", [page.id]).fetchone()
        return row is not None and row[0] != page.last_fetched_at

    def page(self, page_id: int) -> PageForFetch | None:
        """Return the page with the id `page_id`, whether or not it is due; None if the page is unknown."""
        sql = f"SELECT {FOR_FETCH} FROM pages WHERE id = ?"  # noqa: S608 - constant column names
        row = next(self.db.query(sql, [page_id]), None)
        return page_of(row) if row else None

    def published_hint(self, page_id: int) -> datetime | None:
        """Return the publication time of a page's article according to the first list that named it; None if unknown."""
        row = self.db.execute("SELECT published_hint FROM pages WHERE id = ?", [page_id]).fetchone()
        return optional_instant(row[0]) if row is not None else None

    def abandoned_pages(self, ids: Iterable[int]) -> list[PageForFetch]:
        """Of the pages with the given ids, return those that are gone or, after failures, no longer retried."""
        rows = self.db.query(
            f"""SELECT {FOR_FETCH} FROM pages
               WHERE (state = 'gone' OR (state IN ('failed', 'drift', 'rejected') AND next_due_at IS NULL))
               AND id IN (SELECT value FROM json_each(?)) ORDER BY id""",  # noqa: S608 - constant column names
            [json.dumps(list(ids))],
        )
        return [page_of(row) for row in rows]

    def mark_page_due(self, page_id: int, now: datetime) -> None:
        """Make a page due at `now`."""
        self.db.conn.execute("UPDATE pages SET next_due_at = ? WHERE id = ?", (to_text(now), page_id))

    def unread_pages(self, since: str | None) -> list[tuple[PageForFetch, int, RawRef]]:
        """Return the archived pages that could not be parsed, each with the id and the location of its last capture.

        If `since` (ISO 8601 in UTC) is given, pages whose last capture was fetched before that time are left out.
        """
        rows = self.db.query(
            f"""SELECT {WITH_CAPTURE}
               FROM pages p JOIN raw r ON r.id = coalesce(p.raw_id, (SELECT max(id) FROM raw WHERE purpose = 'page:' || p.id))
               WHERE (p.state IN ('drift', 'rejected') OR (p.state = 'failed' AND p.error_kind = :bug))
                 AND (:since IS NULL OR r.fetched_at >= :since) ORDER BY p.id""",  # noqa: S608 - constant column names
            {"since": since, "bug": ErrorKind.BUG},
        )
        return [page_with_capture(row) for row in rows]

    def add_page(self, page: PageForFetch, source: str) -> None:
        """Add a page that a request has found, although no source lists it; a known page is not changed."""
        self.db.conn.execute(
            """INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, ?, 'known', ?, ?)
               ON CONFLICT (id) DO NOTHING""",
            (page.id, page.url, to_text(page.first_seen_at), source),
        )

    def save_page(self, page_id: int, outcome: PageOutcome, now: datetime) -> None:
        """Update the row of a page with the outcome of a visit."""
        self.db.conn.execute(
            """UPDATE pages SET state = ?, next_due_at = ?, last_fetched_at = ?, failures = ?, error = ?, error_kind = ?,
                 url = coalesce(?, url), raw_id = coalesce(?, raw_id), etag = ?, last_modified = ?,
                 checked_whole_at = coalesce(?, checked_whole_at), lies = lies + ?, unhinted = unhinted + ? WHERE id = ?""",
            (
                outcome.state,
                optional_text(outcome.next_due_at),
                to_text(now),
                outcome.failures,
                outcome.error,
                outcome.error_kind,
                outcome.url,
                outcome.raw_id,
                outcome.etag,
                outcome.last_modified,
                to_text(now) if outcome.whole else None,
                outcome.lie,
                outcome.unhinted,
                page_id,
            ),
        )


def page_of(row: Mapping[str, Any]) -> PageForFetch:
    """Return the `PageForFetch` of a row that has the columns `FOR_FETCH`."""
    names = ("first_seen_at", "checked_whole_at", "hinted_at")
    instants = {name: optional_instant(row[name]) for name in names}
    return PageForFetch(**{**row, **instants})


def page_with_capture(row: Mapping[str, Any]) -> tuple[PageForFetch, int, RawRef]:
    """Return the page, and the id and the location of its capture, of a row that has the columns `WITH_CAPTURE`."""
    page = page_of({name: row[name] for name in FOR_FETCH.strip().split(", ")})
    return page, row["raw_id"], RawRef(row["file"], row["offset"], row["length"], row["digest"])
