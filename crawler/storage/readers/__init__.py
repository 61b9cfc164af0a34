"""Rows for the pages of `vna browse`: the front page, searches, one article with its evidence, and lists of events.

Every list is read in pages by key, never by offset, and no query counts all rows of the archive.

Boundary: only reads rows.
"""

from crawler.storage.readers.article import ArticlePage
from crawler.storage.readers.events import Events
from crawler.storage.readers.find import Filters, Find, Hits, Sort, row_id
from crawler.storage.readers.front import FrontPage

__all__ = ["ArticlePage", "Events", "Filters", "Find", "FrontPage", "Hits", "Readers", "Sort", "row_id"]


class Readers(FrontPage, Find, ArticlePage, Events):
    """Queries for the pages of `vna browse`."""
