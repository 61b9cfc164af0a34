"""Generate a large archive for the benchmark of `vna browse`: articles, revisions, removals, captures, positions.

Boundary: writes rows through the storage; the figures are drawn at random with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from benchmarks import search
from crawler.storage import Archive
from crawler.types import Article, Dateline

PLACES = (
    "Hanoï",
    "Hô Chi Minh-Ville",
    "Dà Nang",
    "Huê",
    "Cân Tho",
    "Paris",
    "Pékin",
    "Washington",
    "Genève",
    "Vientiane",
)
KINDS = ("article",) * 94 + ("photo",) * 3 + ("video",) * 2 + ("infographic",)


def articles(count: int) -> Iterator[Article]:
    """Yield `count` articles, oldest first, with a place and a kind."""
    rng = random.Random(20)
    weights = [1 / (rank + 1) for rank in range(len(PLACES))]
    for article in search.articles(count):
        place = rng.choices(PLACES, weights)[0]
        yield replace(article, dateline=Dateline(place, None, "AVI"), kind=rng.choice(KINDS))


def fill(archive: Archive, count: int) -> None:
    """Save `count` articles, and what happened to them."""
    search.fill(archive, articles(count))
    add_evidence(archive)


REVISED, REMOVED = 0.03, 0.004  # shares of the articles
POSITIONS = 30  # of the home page
STAYS = 60  # days of positions


def add_evidence(archive: Archive) -> None:
    """Add captures, later revisions, removals, the home page's positions and the coverage ledger to a filled archive."""
    from crawler.coverage import take_stock

    db, rng = archive.db.conn, random.Random(21)
    with archive.transaction():
        db.execute(
            """INSERT INTO pages (id, url, state, first_seen_at, first_source, last_fetched_at)
               SELECT id, 'http://127.0.0.1:1/post' || id || '.vnp', 'live', first_seen_at, 'http://127.0.0.1:1/', checked_at
               FROM articles"""
        )
        db.execute(
            """INSERT INTO raw (id, url, fetched_at, status, file, offset, length, digest, purpose)
               SELECT id, url, first_seen_at, 200, 'a.warc.gz', id * 30000, 30000, 'sha256:' || hex(id), 'page:' || id FROM pages"""
        )
        db.execute("UPDATE articles SET raw_id = id, last_raw_id = id, url = 'http://127.0.0.1:1/post' || id || '.vnp'")
        db.execute("UPDATE revisions SET raw_id = article, url = (SELECT a.url FROM articles a WHERE a.id = article)")
        ids = [row[0] for row in db.execute("SELECT id FROM articles ORDER BY id")]
        for number in rng.sample(ids, int(len(ids) * REVISED)):
            _revise(db, number)
        for number in rng.sample(ids, int(len(ids) * REMOVED)):
            db.execute("UPDATE articles SET state = 'gone' WHERE id = ?", (number,))
            db.execute(
                "INSERT INTO states SELECT id, strftime('%Y-%m-%dT%H:%M:%SZ', first_seen_at, '+40 days'), 'gone' FROM articles WHERE id = ?",
                (number,),
            )
        db.execute(
            "INSERT INTO sources (id, url, kind, name, state, last_ok_at) VALUES (1, 'http://127.0.0.1:1/', 'home', NULL, 'ok', ?)",
            (search.NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        )
        _positions(db, ids)
    with archive.posts() as posts:
        ledger = take_stock(posts)
    archive.save_ledger(ledger, search.NOW)
    db.execute("ANALYZE")


def _revise(db: Any, number: int) -> None:
    db.execute(
        """INSERT INTO revisions SELECT article, 2, strftime('%Y-%m-%dT%H:%M:%SZ', seen_at, '+3 hours'), '["text"]', 'f', url,
             section, kind, title, lead, replace(blocks, 'Vietnam', 'Viêt Nam'), byline, tags, published_at, modified_at, raw_id,
             strftime('%Y-%m-%dT%H:%M:%SZ', seen_at, '+3 hours'), '[]'
           FROM revisions WHERE article = ? AND revision = 1""",
        (number,),
    )
    db.execute("UPDATE articles SET revision = 2 WHERE id = ?", (number,))


def _positions(db: Any, ids: Sequence[int]) -> None:
    """Let the newest articles move down the home page, one position each half hour."""
    newest = ids[-STAYS * 48 :]
    rows = []
    for n, page in enumerate(newest):
        for position in range(POSITIONS):
            at = search.NOW - timedelta(minutes=30 * (len(newest) - n - position))
            if at <= search.NOW:
                end = at + timedelta(minutes=25)
                rows.append((1, end.strftime("%Y-%m-%dT%H:%M:%SZ"), page, position, at.strftime("%Y-%m-%dT%H:%M:%SZ")))
    db.executemany(
        "INSERT INTO appearances (source, last_seen_at, page, position, seen_at) VALUES (?, ?, ?, ?, ?)", rows
    )
