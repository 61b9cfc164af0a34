"""The archive's database: schema and migrations, rows in and out, search. No business logic.

Boundary: the only package that knows sqlite-utils; read models out, intents in; one page is one transaction.
"""

from crawler.storage.archive import FILE, Archive, open_archive

__all__ = ["FILE", "Archive", "open_archive"]
