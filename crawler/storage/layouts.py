"""Learned layouts: their captures, their readable copies in the folder `markups`, and the pages in an unknown layout.

The WARC file with a layout is the evidence, so a backup, a restored archive and a rebuild have it, too. The copies are for
people; a missing one is written again.

Boundary: rows and files; `heal` learns the layouts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from crawler import files
from crawler.clock import to_text
from crawler.purpose import PurposeKind
from crawler.storage.disk import not_writable
from crawler.storage.pages import FOR_FETCH, WITH_CAPTURE, page_of, page_with_capture
from crawler.types import ErrorKind, PageForFetch, RawRef

FOLDER = "markups"
#: SQL expressions that are equal for articles with the same parts: they may be in the same elements of a page.
_FORM = """a.kind, a.byline IS NULL, a.lead IS NULL, a.blocks LIKE '%"note"%', a.blocks LIKE '%"quote"%',
  a.blocks LIKE '%"list_item"%', a.blocks LIKE '%"caption": "%', a.blocks LIKE '%"table"%', a.blocks LIKE '%"heading"%',
  substr(a.published_on, 1, 4)"""
_NAME = re.compile(r"learned-[a-z0-9-]{1,40}")
_URN = "urn:vna-layout:"
_FEWEST_LISTED = 5  # articles that a list must have had at least once
_MOST_LISTS = 10  # that are examined
_MOST_PROBED = 100  # responses; a probe sends about 50 requests
_NEWEST = 1_000  # articles among which pages are chosen
_PROPOSED = ".proposed"
OF_LISTS = "-lists"  # in the name of a layout of lists


class DriftedPage(NamedTuple):
    """A page whose last capture has an unknown layout: its row, and the row id and the location of the capture.

    `is_held`: whether the archive holds the article from an earlier visit.
    """

    page: PageForFetch
    raw_id: int
    ref: RawRef
    is_held: bool


class ScantyList(NamedTuple):
    """A list that suddenly names no or few articles: its address and the location of its last response.

    `listed` are the ids that it named last, in their order.
    """

    url: str
    ref: RawRef
    listed: tuple[int, ...]


def address_of(name: str) -> str:
    """Return the address under which the WARC holds the layout `name`."""
    return f"{_URN}{name}"


def is_name(name: str) -> bool:
    """Whether a text is the name of a learned layout, which is also the name of a file."""
    return _NAME.fullmatch(name) is not None


class Layouts:
    """Queries on learned layouts and on the pages that they may read."""

    db: Database
    _file: Path

    def layout_captures(self) -> list[RawRef]:
        """Return where the WARC holds the files of the learned layouts, oldest first."""
        return [ref for _, ref in self.layout_files()]

    def layout_files(self) -> list[tuple[str, RawRef]]:
        """Return the name of each learned layout and where the WARC holds its file, oldest first."""
        rows = self.db.query(
            "SELECT url, file, offset, length, digest FROM raw WHERE url >= ? AND url < ? ORDER BY id",
            [_URN, f"{_URN[:-1]};"],  # the semicolon follows the colon
        )
        named = ((row["url"].removeprefix(_URN), _ref(row)) for row in rows)
        return [(name, ref) for name, ref in named if is_name(name)]

    def drifted_pages(self, limit: int = -1) -> list[DriftedPage]:
        """Return the pages whose last capture has an unknown layout.

        Pages of articles that the archive holds come first, those with different parts before those with the same. A
        negative `limit` means all. The service asks between two requests of a backfill: the plus in `+p.state` makes
        SQLite look for failed visits in the index on visits, because nearly all pages have the state `live`.
        """
        rows = self.db.query(
            f"""SELECT {WITH_CAPTURE},
                 a.id IS NOT NULL AS held, row_number() OVER (PARTITION BY {_FORM} ORDER BY p.id DESC) AS place
               FROM pages p JOIN raw r ON r.id = p.raw_id LEFT JOIN articles a ON a.id = p.id
               WHERE p.state = 'drift'
                 OR (+p.state = 'live' AND p.last_fetched_at > '' AND p.failures > 0 AND p.error_kind LIKE :drift)
               ORDER BY held DESC, place, p.id DESC LIMIT :limit""",  # noqa: S608 - constant column names
            {"drift": f"{ErrorKind.LAYOUT_DRIFT}%", "limit": limit},
        )
        return [DriftedPage(*page_with_capture(row), bool(row["held"])) for row in rows]

    def moved_pages(self, kind: ErrorKind, since: datetime) -> set[int]:
        """Return the pages of articles on whose last visit, since a time, one field was elsewhere than before."""
        rows = self.db.query(
            """SELECT id FROM pages WHERE +state = 'live' AND last_fetched_at >= :since AND failures > 0
                 AND error_kind = :kind""",
            {"kind": kind, "since": to_text(since)},
        )
        return {row["id"] for row in rows}

    def varied_pages(self, limit: int) -> list[PageForFetch]:
        """Return at most `limit` pages of articles that differ in their parts: with notes, pictures, bylines, by year.

        They are from the newest articles and from the newest of each year, and their last visit did not fail.
        """
        rows = self.db.query(
            f"""WITH known AS (
                 SELECT id FROM (SELECT id FROM articles WHERE id > 0 ORDER BY id DESC LIMIT {_NEWEST})
                 UNION SELECT max(id) FROM articles WHERE id > 0 GROUP BY substr(published_on, 1, 4))
               SELECT {FOR_FETCH} FROM (
                 SELECT p.*, row_number() OVER (
                   PARTITION BY {_FORM} ORDER BY p.id DESC) AS place
                 FROM known k JOIN articles a ON a.id = k.id JOIN pages p ON p.id = k.id
                 WHERE p.state = 'live' AND p.failures = 0)
               ORDER BY place, id DESC LIMIT :limit""",  # noqa: S608 - constant names and numbers
            {"limit": max(limit, 0)},
        )
        return [page_of(row) for row in rows]

    def revised_share(self, name: str, since: datetime) -> tuple[int, int]:
        """Return how many articles read with a learned layout were revised since a time, and how many were rechecked."""
        row = self.db.execute(
            """SELECT (SELECT count(*) FROM stored_revisions v JOIN articles a ON a.id = v.article AND a.revision = v.revision
                       WHERE v.revision > 1 AND v.seen_at >= :since AND a.markup = :name),
                 (SELECT count(*) FROM articles WHERE first_seen_at < :since AND id IN (
                    SELECT id FROM pages WHERE last_fetched_at >= :since AND +state = 'live' AND failures = 0))""",
            {"name": name, "since": to_text(since)},
        ).fetchone()
        return int(row[0]), int(row[1])

    def scanty_lists(self) -> list[ScantyList]:
        """Return the home page and the sections whose last response listed no or few articles, although earlier ones did."""
        rows = self.db.query(
            f"""SELECT s.url, s.most_items, r.file, r.offset, r.length, r.digest
               FROM sources s JOIN raw r ON r.id = (
                 SELECT max(id) FROM raw WHERE purpose = 'source:' || s.url AND url = s.url AND status = 200)
               WHERE s.kind IN ('home', 'section') AND s.state <> 'excluded' AND s.most_items >= {_FEWEST_LISTED}
                 AND (s.error_kind = :empty OR (s.state = 'ok' AND s.items * 2 < s.most_items))
               ORDER BY s.kind <> 'home', s.most_items DESC, s.url LIMIT {_MOST_LISTS}""",  # noqa: S608 - constant numbers
            {"empty": ErrorKind.EMPTY_SOURCE},
        )
        return [
            ScantyList(str(row["url"]), _ref(row), self._last_listed(row["url"], row["most_items"])) for row in rows
        ]

    def is_list_empty(self) -> bool:
        """Whether the home page or a section named no article in two responses, although earlier ones did."""
        sql = f"""SELECT 1 FROM sources WHERE kind IN ('home', 'section') AND state <> 'excluded' AND failures >= 2
                    AND most_items >= {_FEWEST_LISTED} AND error_kind = ? LIMIT 1"""  # noqa: S608 - constant number
        return self.db.execute(sql, [ErrorKind.EMPTY_SOURCE]).fetchone() is not None

    def _last_listed(self, source: str, most: int) -> tuple[int, ...]:
        """Return the ids in the last response of a source with at least half as many articles as the longest one."""
        rows = self.db.query(
            """SELECT page FROM sightings WHERE source = :source AND position < :most AND last_seen_at = (
                 SELECT last_seen_at FROM sightings WHERE source = :source
                 GROUP BY last_seen_at HAVING count(*) * 2 >= :most ORDER BY last_seen_at DESC LIMIT 1)
               ORDER BY position""",
            {"source": source, "most": most},
        )
        return tuple(row["page"] for row in rows)

    def known_titles(self, ids: Iterable[int]) -> dict[int, str | None]:
        """Return the titles of the newest articles and of those with the given ids; None for pages not yet read."""
        rows = self.db.query(
            f"""SELECT p.id, a.title FROM (
                 SELECT id FROM (SELECT id FROM pages WHERE state <> 'absent' ORDER BY id DESC LIMIT {_NEWEST})
                 UNION SELECT value FROM json_each(?)) p LEFT JOIN articles a ON a.id = p.id""",  # noqa: S608 - a number
            [json.dumps(list(ids))],
        )
        return {row["id"]: row["title"] for row in rows}

    def probed_lists(self) -> list[tuple[str, RawRef]]:
        """Return the addresses and locations of the newest responses to questions of `vna probe`, the oldest first."""
        rows = self.db.query(
            f"""SELECT * FROM (SELECT id, url, file, offset, length, digest FROM raw
                 WHERE purpose = ? AND status = 200 ORDER BY id DESC LIMIT {_MOST_PROBED}) ORDER BY id""",  # noqa: S608
            [PurposeKind.PROBE],
        )
        return [(row["url"], _ref(row)) for row in rows]

    def imported_titles(self) -> list[tuple[int, str]]:
        """Return the id and the title of each imported text."""
        return [(row["id"], row["title"]) for row in self.db.query("SELECT id, title FROM articles WHERE id < 0")]

    def keep_layout(self, name: str, text: str) -> Path:
        """Write the readable copy of an adopted layout, delete its proposal, and return the path of the copy.

        Raises:
            StorageError: the file cannot be written.

        """
        path = self._written(f"{name}.toml", text)
        path.with_name(f"{path.name}{_PROPOSED}").unlink(missing_ok=True)
        return path

    def keep_proposal(self, name: str, text: str) -> Path:
        """Write a learned layout that is not adopted, and return its path. Earlier proposals of its kind are deleted.

        Raises:
            StorageError: the file cannot be written.

        """
        for earlier in self.proposals():
            if (OF_LISTS in earlier.name) == (OF_LISTS in name):
                earlier.unlink(missing_ok=True)
        return self._written(f"{name}.toml{_PROPOSED}", text)

    def proposals(self) -> list[Path]:
        """Return the paths of the proposed layouts, by name."""
        return sorted((self._file.parent / FOLDER).glob(f"*.toml{_PROPOSED}"))

    def _written(self, name: str, text: str) -> Path:
        path = self._file.parent / FOLDER / name
        try:
            files.make_folder(path.parent)
            files.replace(path, text.encode())
        except OSError as error:
            raise not_writable(path.parent, error) from error
        return path


def _ref(row: dict[str, object]) -> RawRef:
    return RawRef(str(row["file"]), int(str(row["offset"])), int(str(row["length"])), str(row["digest"]))
