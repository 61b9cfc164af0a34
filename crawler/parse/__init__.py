"""Parse a page or a text in the seed format into an `Article`, and write an article in the seed format.

Boundary: pure. The site's markup is described in `crawler/markups/*.toml`, not here.
"""
