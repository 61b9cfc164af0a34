"""The archive's database: schema and migrations, reading and writing rows, full-text search.

Boundary: the only package that uses sqlite-utils. It takes the values to write and returns the values that it reads;
all rows of one page are written in one transaction. It does not decide what to fetch, or when.
"""

from crawler.storage.archive import FILE, Archive, open_archive

__all__ = ["FILE", "Archive", "open_archive"]
