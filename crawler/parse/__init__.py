"""Parse a web page, or a text in the seed format, into an `Article`; write an `Article` as text in the seed format.

Boundary: pure functions. The site's markup is described in `crawler/markups/*.toml`, not here.
"""
