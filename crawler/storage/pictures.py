"""Rows of the pictures that are kept, of the addresses that gave them, and of their places in articles.

Boundary: reads and writes rows; `pictures` compares pictures, `schedule` decides when one is requested again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler import identity, records
from crawler.clock import from_text, to_text
from crawler.pictures import Picture, PictureForFetch, PictureOutcome, PicturePlace, Replacement
from crawler.storage.schema.m0008_compact import text_expression
from crawler.storage.values import optional_instant, optional_text
from crawler.types import ImageBlock, RawRef

_FOR_FETCH = "url, state, failures, last_fetched_at, next_due_at, digest, etag, last_modified"
#: Whether the address of the row `a` is that of the row `i` of `images`: also if that has `http` instead of `https`.
_SAME_ADDRESS = "i.url IN (a.url, 'http' || substr(a.url, 6))"
_PURPOSE = "r.purpose >= 'image:' AND r.purpose < 'image;'"  # the condition of the index raw_picture
_BATCH = 200
_MOST_PICTURES = 200  # of one article that are requested; photo stories have about a dozen


class Pictures:
    """Queries on pictures."""

    db: Database

    # --- addresses

    def picture_row(self, address: str) -> PictureForFetch | None:
        """Return the row of an address; None if no picture was requested from it."""
        sql = f"SELECT {_FOR_FETCH} FROM picture_addresses WHERE url = ?"  # noqa: S608 - constants only
        row = next(self.db.query(sql, [address]), None)
        return _for_fetch(row) if row else None

    def due_pictures(self, now: datetime, *, only_lead: bool) -> list[str]:
        """Return the addresses to request again, those of the longest wait first.

        With `only_lead`, an address counts only if an article shows it as its first picture.
        """
        rows = self.db.execute(
            f"""SELECT a.url FROM picture_addresses a WHERE a.next_due_at <= :now AND EXISTS
                (SELECT 1 FROM images i WHERE {_SAME_ADDRESS} AND (i.position = 0 OR NOT :lead))
                ORDER BY a.next_due_at, a.url""",  # noqa: S608 - constants only
            {"now": to_text(now), "lead": only_lead},
        )
        return [row[0] for row in rows.fetchall()]

    def save_picture_row(self, address: str, outcome: PictureOutcome, now: datetime) -> None:
        """Write the row of an address after a request. The picture that it gave before stays unless it gives a new one."""
        self.db.conn.execute(
            """INSERT INTO picture_addresses
                 (url, state, last_fetched_at, next_due_at, failures, error, error_kind, raw_id, digest, etag, last_modified)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (url) DO UPDATE SET state = excluded.state, last_fetched_at = excluded.last_fetched_at,
                 next_due_at = excluded.next_due_at, failures = excluded.failures, error = excluded.error,
                 error_kind = excluded.error_kind, raw_id = coalesce(excluded.raw_id, raw_id),
                 digest = coalesce(excluded.digest, digest), etag = excluded.etag, last_modified = excluded.last_modified""",
            (
                address,
                outcome.state,
                to_text(now),
                optional_text(outcome.next_due_at),
                outcome.failures,
                outcome.error,
                outcome.error_kind,
                outcome.raw_id,
                outcome.digest,
                outcome.etag,
                outcome.last_modified,
            ),
        )

    # --- pictures

    def add_picture(self, picture: Picture, size: int, raw_id: int) -> None:
        """Write the row of a picture of `size` bytes; one that is known keeps its row."""
        self.db.conn.execute(
            """INSERT INTO pictures (digest, media_type, size, width, height, phash, crops, problem, raw_id)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING""",
            (
                picture.digest,
                picture.media_type,
                size,
                picture.width,
                picture.height,
                picture.phash,
                records.dump(dict(picture.crops)),
                picture.problem,
                raw_id,
            ),
        )

    def picture(self, digest: str) -> Picture | None:
        """Return a picture by its digest; None if it is not held."""
        columns = "digest, media_type, width, height, phash, crops, problem"
        row = next(self.db.query(f"SELECT {columns} FROM pictures WHERE digest = ?", [digest]), None)  # noqa: S608 - constants only
        return Picture(**row | {"crops": json.loads(row["crops"])}) if row else None

    def pictures_of(self, key: int) -> list[dict[str, Any]]:
        """Return the held pictures of the current revision of an article with their places, in order."""
        columns = "position, url, caption, credit, digest, media_type, size, width, height, phash, problem, fetched_url, fetched_at"
        return list(
            self.db.query(f"SELECT {columns} FROM held_pictures WHERE article = ? ORDER BY position", [key])  # noqa: S608 - constants only
        )

    def picture_files(self, key: int) -> list[str]:
        """Return the WARC files with the held pictures of the current revision of an article."""
        return [row[0] for row in self.db.execute("SELECT DISTINCT file FROM held_pictures WHERE article = ?", [key])]

    def pictures_shown(self, key: int, revision: int, urls: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the held pictures that a revision of an article shows, by their addresses in its blocks.

        They are the last ones that the addresses gave before the next revision was seen; the first ones after that if
        they were not requested before.
        """
        end = self.db.execute(
            "SELECT min(seen_at) FROM stored_revisions WHERE article = ? AND revision > ?", [key, revision]
        ).fetchone()[0]
        found = {}
        for url in urls:
            row = next(
                self.db.query(
                    f"""SELECT p.digest, p.media_type, p.width, p.height, p.size, p.problem, r.id AS raw_id, r.fetched_at
                        FROM raw r JOIN pictures p ON p.digest = r.digest
                        WHERE r.purpose IN ('image:' || :url, 'image:https' || substr(:url, 5)) AND {_PURPOSE}
                        ORDER BY r.fetched_at >= :end, iif(r.fetched_at < :end, r.fetched_at, NULL) DESC, r.fetched_at LIMIT 1""",  # noqa: S608 - constants only
                    {"url": url, "end": end or "9999"},
                ),
                None,
            )
            if row is not None:
                found[url] = row
        return found

    def picture_counts(self) -> dict[str, int]:
        """Return how many pictures are held, their size in bytes, and how many places and addresses have one or none."""
        row = next(
            self.db.query(
                """SELECT (SELECT count(*) FROM pictures) AS held, (SELECT coalesce(sum(size), 0) FROM pictures) AS bytes,
                     (SELECT count(*) FROM images WHERE digest IS NOT NULL) AS places_held,
                     (SELECT count(*) FROM images WHERE url IS NOT NULL) AS places,
                     (SELECT count(*) FROM picture_addresses WHERE state = 'failed') AS failed"""
            )
        )
        return dict(row)

    def mean_picture_size(self) -> int | None:
        """Return the mean size of the held pictures in bytes; None if there are none."""
        mean = self.db.execute("SELECT avg(size) FROM pictures").fetchone()[0]
        return None if mean is None else round(mean)

    def picture_capture(self, digest: str) -> tuple[RawRef, str, datetime] | None:
        """Return where the WARC holds a picture, its media type, and when it was first captured; None if it is not held."""
        row = self.db.execute(
            """SELECT r.file, r.offset, r.length, r.digest, p.media_type, r.fetched_at
               FROM pictures p JOIN raw r ON r.id = p.raw_id WHERE p.digest = ?""",
            [digest],
        ).fetchone()
        return (RawRef(*row[:4]), row[4], from_text(row[5])) if row else None

    # --- places in articles

    def image_urls(self, key: int, *, only_lead: bool) -> list[str]:
        """Return the addresses of the pictures that the current revision of an article shows, in order; at most 200."""
        rows = self.db.execute(
            """SELECT url FROM images WHERE article = ? AND url IS NOT NULL AND (position = 0 OR NOT ?)
               ORDER BY position LIMIT ?""",
            [key, only_lead, _MOST_PICTURES],
        )
        return [row[0] for row in rows.fetchall()]

    def images_without_picture(self, *, only_lead: bool, since: str | None, until: str | None) -> Iterator[str]:
        """Yield the addresses of the pictures that are not held, those of the newest articles first.

        `since` and `until` are days of publication in Hanoi, both included. Rows may be written meanwhile.
        """
        last = (1 << 62, 0)
        while True:
            rows = self.db.execute(
                """SELECT i.article, i.position, i.url FROM images i JOIN articles a ON a.id = i.article
                   WHERE i.digest IS NULL AND i.url IS NOT NULL AND i.position < iif(:lead, 1, :most)
                     AND (i.article < :article OR (i.article = :article AND i.position > :position))
                     AND (:since IS NULL OR a.published_on >= :since) AND (:until IS NULL OR a.published_on <= :until)
                   ORDER BY i.article DESC, i.position LIMIT :batch""",
                {
                    "lead": only_lead, "most": _MOST_PICTURES, "article": last[0], "position": last[1],
                    "since": since, "until": until, "batch": _BATCH,
                },
            ).fetchall()  # fmt: skip
            yield from (row[2] for row in rows)
            if not rows:
                return
            last = rows[-1][:2]

    def picture_places(self, address: str) -> list[PicturePlace]:
        """Return the places in articles whose picture has this address."""
        rows = self.db.execute(
            """SELECT article, position, digest FROM images WHERE url IN (:url, 'http' || substr(:url, 6))
               ORDER BY article, position""",
            {"url": address},
        )
        return [PicturePlace(*row) for row in rows.fetchall()]

    def held_at_places(self, key: int) -> list[tuple[PicturePlace, str]]:
        """Return the places of an article whose address gave another picture than that of the place, with this picture."""
        rows = self.db.execute(
            """SELECT i.article, i.position, i.digest, a.digest FROM images i JOIN picture_addresses a
               ON a.url IN (i.url, 'https' || substr(i.url, 5))
               WHERE i.article = ? AND a.digest IS NOT NULL AND a.digest IS NOT i.digest ORDER BY i.position, a.url""",
            [key],
        )
        return [(PicturePlace(*row[:3]), row[3]) for row in rows.fetchall()]

    def newest_use(self, address: str) -> datetime | None:
        """Return when the newest article that shows a picture was first seen or published, whichever is earlier."""
        row = self.db.execute(
            """SELECT max(coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', min(julianday(v.published_at), julianday(v.first_seen_at))),
                                   v.first_seen_at))
               FROM images i JOIN articles v ON v.id = i.article WHERE i.url IN (:url, 'http' || substr(:url, 6))""",
            {"url": address},
        ).fetchone()
        return optional_instant(row[0])

    def set_place(self, place: PicturePlace, digest: str) -> None:
        """Record the picture that the current revision of an article shows at a place."""
        self.db.conn.execute(
            "UPDATE images SET digest = ? WHERE article = ? AND position = ?", (digest, place.article, place.position)
        )

    def save_images(self, key: int, images: Sequence[ImageBlock]) -> None:
        """Replace the rows of the pictures of an article.

        A picture stays known at its place: where the address is the same, or else the caption, or else, if neither the old
        nor the new one has a caption, the position.
        """
        before = list(self.db.query("SELECT * FROM images WHERE article = ? ORDER BY position", [key]))
        rows = [
            (key, position, image.url, image.alt, image.caption, image.credit, digest)
            for position, (image, digest) in enumerate(zip(images, _carried(before, images), strict=True))
        ]
        self.db.conn.execute("DELETE FROM images WHERE article = ?", (key,))
        self.db.conn.executemany(
            "INSERT INTO images (article, position, url, alt, caption, credit, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def update_images(self, key: int, images: Sequence[ImageBlock]) -> None:
        """Write the addresses under which a page shows its pictures now, although the article is unchanged."""
        stored = self.db.execute("SELECT url FROM images WHERE article = ? ORDER BY position", [key]).fetchall()
        if [row[0] for row in stored] != [image.url for image in images]:
            self.save_images(key, images)

    # --- revisions

    def current_revision(self, key: int) -> tuple[int, datetime, list[Replacement]]:
        """Return the number of the newest revision of an article, when it was first seen, and its replaced pictures."""
        row = self.db.execute(
            "SELECT revision, seen_at, replaced_pictures FROM stored_revisions WHERE article = ? ORDER BY revision DESC LIMIT 1",
            [key],
        ).fetchone()
        return row[0], from_text(row[1]), [Replacement(**one) for one in json.loads(row[2])]

    def replaced_pictures(self, key: int, number: int) -> list[Replacement]:
        """Return the pictures that were replaced with a revision."""
        row = self.db.execute(
            "SELECT replaced_pictures FROM stored_revisions WHERE article = ? AND revision = ?", [key, number]
        ).fetchone()
        return [Replacement(**one) for one in json.loads(row[0])] if row else []

    def set_replaced_pictures(self, key: int, number: int, replaced: Sequence[Replacement]) -> None:
        """Record the pictures that were replaced with a revision."""
        row = self.db.execute(
            "SELECT changed FROM stored_revisions WHERE article = ? AND revision = ?", [key, number]
        ).fetchone()
        changed = sorted({*json.loads(row[0]), "pictures"})
        values = records.dump([{"position": r.position, "before": r.before, "after": r.after} for r in replaced])
        self.db.conn.execute(
            "UPDATE stored_revisions SET changed = ?, replaced_pictures = ? WHERE article = ? AND revision = ?",
            (records.dump(changed), values, key, number),
        )

    def add_picture_revision(self, key: int, now: datetime) -> int:
        """Add a revision of an article in which only pictures differ, and return its number.

        Its page is the last one that was captured, and its blocks have the addresses of the pictures on that page.
        """
        row = next(self.db.query("SELECT * FROM revisions WHERE article = ? ORDER BY revision DESC LIMIT 1", [key]))
        page = self.db.execute("SELECT coalesce(last_raw_id, raw_id) FROM articles WHERE id = ?", [key]).fetchone()[0]
        row |= {"revision": row["revision"] + 1, "seen_at": to_text(now), "known_at": to_text(now), "raw_id": page}
        row |= {"blocks": self._present_blocks(key, row["blocks"]), "changed": "[]", "replaced_pictures": "[]"}
        self.db.conn.execute(
            f"""UPDATE articles SET revision = :revision, blocks = :blocks, raw_id = :raw_id,
                  own_text = nullif(text, {text_expression(":blocks")}) WHERE id = :article""",  # noqa: S608 - constants only
            row,
        )
        self.db.conn.execute(
            f"INSERT INTO revisions ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})",  # noqa: S608 - names of columns
            row,
        )
        return int(row["revision"])

    def _present_blocks(self, key: int, blocks: str) -> str:
        """Return the blocks of an article with the addresses in `images`, if these are as many as the blocks' pictures."""
        images = self.db.query("SELECT url, alt FROM images WHERE article = ? ORDER BY position", [key])
        found: list[dict[str, Any]] = json.loads(blocks)
        pictures, present = [block for block in found if block["type"] == "image"], list(images)
        if len(pictures) == len(present):
            for block, image in zip(pictures, present, strict=True):
                block.update(image)
        return records.dump(found)


def _carried(before: Sequence[Mapping[str, Any]], images: Sequence[ImageBlock]) -> list[str | None]:
    """Return the digest that the place of each picture had before; see `Pictures.save_images`."""
    by_url = {row["url"]: row["digest"] for row in before if row["url"] is not None}
    shown = {image.url for image in images}
    left = [row for row in before if row["digest"] is not None and row["url"] not in shown]
    found: list[str | None] = []
    for position, image in enumerate(images):
        if image.url in by_url:
            found.append(by_url[image.url])
            continue
        caption = _plain(image.caption)
        same = [row for row in left if _plain(row["caption"]) == caption]
        here = [row for row in same if row["position"] == position] or (same if caption else [])
        found.append(here[0]["digest"] if here else None)
        left = [row for row in left if row not in here[:1]]  # a picture is replaced by one picture
    return found


def _plain(caption: str | None) -> str:
    return identity.normalised(caption or "")


def _for_fetch(row: Mapping[str, Any]) -> PictureForFetch:
    instants = {name: optional_instant(row[name]) for name in ("last_fetched_at", "next_due_at")}
    return PictureForFetch(**{**row, **instants})
