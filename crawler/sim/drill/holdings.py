"""What the archive of a drill has, read from its rows and its evidence.

Boundary: reads only; whether it is what it should be is `account`'s to say.
"""

from __future__ import annotations

from crawler import app, records
from crawler.config import Config
from crawler.pipeline import Silent
from crawler.replay import Verified, verify
from crawler.sim import reconcile
from crawler.sim.reconcile import Holding, Said
from crawler.storage import Archive
from crawler.types import StoredArticle


def holdings(config: Config) -> tuple[reconcile.Archive, Verified]:
    """Give everything that an archive has, and how its verification went."""
    with app.auditing(config) as (archive, warc):
        checked = verify(archive, warc, Silent())
        pairs = archive.db.query("SELECT article, other FROM duplicates")
        found = reconcile.Archive(
            [_holding(archive, stored) for stored in archive.export()],
            frozenset(frozenset((row["article"], row["other"])) for row in pairs),
            [f"{fault.what}, {fault.where}: {fault.detail}" for fault in checked.faults],
        )
    return found, checked


def gaps(archive: Archive) -> tuple[int, tuple[str, ...]]:
    """Give how many gaps there were, and those that are open, in words."""
    (number,) = archive.db.execute("SELECT count(*) FROM gaps").fetchone()
    return number, tuple(f"{gap.source} since {gap.since:%Y-%m-%dT%H:%MZ}" for gap in archive.open_gaps())


def _holding(archive: Archive, stored: StoredArticle) -> Holding:
    revisions = tuple(
        Said.of(row["title"], row["lead"], records.load_blocks(row["blocks"])) for row in archive.history(stored.id)
    )
    article = stored.article
    said = Said.of(article.title, article.lead, article.blocks)
    return Holding(stored.id, article.url or "", stored.state, said, revisions)
