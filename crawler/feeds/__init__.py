"""Feeds in the formats Atom (RFC 4287) and JSON Feed 1.1, and lists of feeds in OPML 2.0.

`entries` turns rows of the archive into entries, `formats` writes them.

Boundary: pure; values in, text out.
"""

from crawler.feeds.entries import article_entry, edit_entry, edits_title, feed_id, gap_entry, removal_entry
from crawler.feeds.formats import FORMATS, Entry, Feed, Outline, opml, search_title

__all__ = [
    "FORMATS",
    "Entry",
    "Feed",
    "Outline",
    "article_entry",
    "edit_entry",
    "edits_title",
    "feed_id",
    "gap_entry",
    "opml",
    "removal_entry",
    "search_title",
]
