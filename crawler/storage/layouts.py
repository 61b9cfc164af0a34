"""Learned layouts: their captures, their readable copies in the folder `markups`, and the pages in an unknown layout.

The WARC file with a layout is the evidence, so a backup, a restored archive and a rebuild have it, too. The copies are for
people; a missing one is written again.

Boundary: rows and files; `heal` learns the layouts.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from crawler import files
from crawler.clock import to_text
from crawler.storage.base import not_writable
from crawler.storage.pages import FOR_FETCH, WITH_CAPTURE, page_of, page_with_capture
from crawler.types import DriftedPage, ErrorKind, PageForFetch, RawRef

FOLDER = "markups"
#: SQL expressions that are equal for articles with the same parts: they may be in the same elements of a page.
_FORM = """a.kind, a.byline IS NULL, a.lead IS NULL, a.blocks LIKE '%"note"%', a.blocks LIKE '%"quote"%',
  a.blocks LIKE '%"list_item"%', a.blocks LIKE '%"caption": "%', a.blocks LIKE '%"table"%', a.blocks LIKE '%"heading"%',
  substr(a.published_on, 1, 4)"""
_NAME = re.compile(r"learned-[a-z0-9-]{1,40}")
_URN = "urn:vna-layout:"
_NEWEST = 1_000  # articles among which pages are chosen
_PROPOSED = ".proposed"


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
                 OR (+p.state = 'live' AND p.last_fetched_at > '' AND p.failures > 0 AND p.error_kind = :drift)
               ORDER BY held DESC, place, p.id DESC LIMIT :limit""",  # noqa: S608 - constant column names
            {"drift": ErrorKind.LAYOUT_DRIFT, "limit": limit},
        )
        return [DriftedPage(*page_with_capture(row), bool(row["held"])) for row in rows]

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
            """SELECT (SELECT count(*) FROM revisions v JOIN articles a ON a.id = v.article AND a.revision = v.revision
                       WHERE v.revision > 1 AND v.seen_at >= :since AND a.markup = :name),
                 (SELECT count(*) FROM articles WHERE first_seen_at < :since AND id IN (
                    SELECT id FROM pages WHERE last_fetched_at >= :since AND +state = 'live' AND failures = 0))""",
            {"name": name, "since": to_text(since)},
        ).fetchone()
        return int(row[0]), int(row[1])

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
        """Write a learned layout that is not adopted, and return its path.

        Raises:
            StorageError: the file cannot be written.

        """
        for earlier in self.proposals():
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
