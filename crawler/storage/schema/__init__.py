"""The database schema as readable SQL, in migrations. New migrations are added; existing ones are never changed.

Instants are ISO 8601 text in UTC (`2026-01-31T08:15:00Z`); `published_at` and `modified_at` keep the site's offset;
`published_on` is the day in Hanoi. JSON columns contain what the commands print under the same name with `--json`.

A migration runs in one transaction, which also records that the migration was applied; one that moves the rows of large
tables runs in batches (`long_migration`). Foreign keys are off while it runs, so that it can recreate a table under the same
name; they are checked before the commit of the one transaction.

Boundary: SQL that defines or changes the tables.
"""

from __future__ import annotations

from contextvars import ContextVar
from uuid import uuid4

from sqlite_utils import Database, Migrations

from crawler import identity, records, similarity, urls
from crawler.storage.schema.long_migration import Report
from crawler.storage.schema.m0001_initial import FIRST
from crawler.storage.schema.m0002_service import SECOND
from crawler.storage.schema.m0003_kinds import THIRD
from crawler.storage.schema.m0004_identity import FOURTH
from crawler.storage.schema.m0005_reading import FIFTH
from crawler.storage.schema.m0006_similar import SIXTH
from crawler.storage.schema.m0007_pictures import SEVENTH
from crawler.storage.schema.m0008_compact import EIGHTH
from crawler.storage.schema.scripts import run_script
from crawler.types import Article, ArticleKind
from crawler.word_count import count_words

migrations = Migrations("vna")


def _ignore(_moved: int, _rows: int) -> None:
    """Ignore the progress of a migration."""


_report: ContextVar[Report] = ContextVar("report", default=_ignore)


@migrations(name="0001_first")
def _first(db: Database) -> None:
    _run(db, FIRST)


@migrations(name="0002_service")
def _second(db: Database) -> None:
    _run(db, SECOND)


@migrations(name="0003_kinds")
def _third(db: Database) -> None:
    db.conn.create_function("word_count_of", 1, count_words, deterministic=True)
    _run(db, THIRD)


@migrations(name="0004_identity")
def _fourth(db: Database) -> None:
    db.conn.create_function("random_uuid", 0, lambda: str(uuid4()))
    db.conn.create_function("canonical_url", 1, urls.canonical, deterministic=True)
    _run(db, FOURTH)


@migrations(name="0005_reading")
def _fifth(db: Database) -> None:
    _run(db, FIFTH)


@migrations(name="0006_similar")
def _sixth(db: Database) -> None:
    db.conn.create_function("passage_hashes_of", 5, _passage_hashes, deterministic=True)
    db.conn.create_function("fingerprint_of", 5, _fingerprint, deterministic=True)
    _run(db, SIXTH)


@migrations(name="0007_pictures")
def _seventh(db: Database) -> None:
    _run(db, SEVENTH)


# Not one transaction: the migration moves the rows in batches and can be continued.
@migrations(name="0008_compact", transactional=False)
def _eighth(db: Database) -> None:
    EIGHTH.run(db.conn, _report.get())


def _passage_hashes(key: int, kind: ArticleKind, title: str, lead: str | None, blocks: str) -> str:
    article = Article(title, lead, records.load_blocks(blocks), kind=kind)
    return records.dump(similarity.passage_hashes(similarity.compared(article, key)))


def _fingerprint(kind: ArticleKind, title: str, lead: str | None, blocks: str, published_at: str | None) -> str:
    article = Article(title, lead, records.load_blocks(blocks), kind=kind, published_at=published_at)
    return identity.fingerprint(article)


def version() -> int:
    """Return the newest schema version that this program supports."""
    return len(migrations._migrations)  # noqa: SLF001 - the library has no public method for the count


def apply(db: Database, report: Report = _ignore) -> None:
    """Apply all pending migrations. `report` receives the progress of one that runs in batches.

    Foreign keys must be off. After such a migration, the table `unfinished_migration` remains; see `LongMigration`.
    """
    reported = _report.set(report)
    try:
        migrations.apply(db)
    finally:
        _report.reset(reported)


def _run(db: Database, script: str) -> None:
    run_script(db.conn, script)
    broken = db.conn.execute("PRAGMA foreign_key_check").fetchall()
    assert not broken, f"a migration broke references: {broken[:3]}"
