"""Read what the archive of a drill holds, from its rows and its WARC files.

Boundary: reads only; `crawler.sim.reconcile` decides whether the contents are right.
"""

from __future__ import annotations

from collections import Counter

from crawler import opening, records
from crawler.config import Config
from crawler.pipeline import Silent
from crawler.replay import VerifyReport, verify
from crawler.sim.drill.fields import held_revision_values, held_values
from crawler.sim.reconcile import ArchiveContents, HeldArticle, PublishedText
from crawler.storage import Archive
from crawler.types import StoredArticle


def contents(config: Config) -> tuple[ArchiveContents, VerifyReport]:
    """Return the contents of an archive, and the report of its verification."""
    with opening.auditing(config) as (archive, warc):
        verified = verify(archive, warc, Silent())
        pairs = archive.db.query("SELECT article, other FROM duplicates")
        found = ArchiveContents(
            [_held_article(archive, stored) for stored in archive.export()],
            frozenset(frozenset((row["article"], row["other"])) for row in pairs),
            [f"{fault.what}, {fault.where}: {fault.detail}" for fault in verified.faults],
        )
    return found, verified


def gaps(archive: Archive) -> tuple[int, tuple[str, ...]]:
    """Return the number of all gaps, open or closed, and a description of each open gap."""
    (number,) = archive.db.execute("SELECT count(*) FROM gaps").fetchone()
    return number, tuple(f"{gap.source} since {gap.since:%Y-%m-%dT%H:%MZ}" for gap in archive.open_gaps())


def responses(archive: Archive) -> Counter[tuple[str, int, str]]:
    """Return the number of archived responses by URL, status and digest."""
    return Counter(archive.db.execute("SELECT url, status, digest FROM raw").fetchall())


def requested_urls(archive: Archive) -> list[str]:
    """Return the URLs of all requests in the log of the archive."""
    return [row[0] for row in archive.db.execute("SELECT DISTINCT url FROM fetches ORDER BY url")]


def _held_article(archive: Archive, stored: StoredArticle) -> HeldArticle:
    rows = archive.history(stored.id)
    article = stored.article
    return HeldArticle(
        stored.id,
        article.url or "",
        stored.state,
        PublishedText.from_blocks(article.title, article.lead, article.blocks),
        tuple(PublishedText.from_blocks(row["title"], row["lead"], records.load_blocks(row["blocks"])) for row in rows),
        held_values(archive, stored.id),
        tuple(held_revision_values(archive, row) for row in rows),
    )
