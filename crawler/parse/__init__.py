"""Bytes of a page, or a text in the seed format, to an `Article`; and an article back to seed text.

Boundary: pure. What the site's markup looks like is in `crawler/markups/*.toml`, not here.
"""
