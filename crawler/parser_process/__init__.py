"""Reads pages, lists and pictures; expensive ones in a process of their own, with limits of CPU time and memory.

Boundary: the only unit that starts the parser process. Its functions return and raise what the pure readers do.
"""

from crawler.parser_process.parent import decode_picture, discover, parse_page, require_decoder

__all__ = ["decode_picture", "discover", "parse_page", "require_decoder"]
