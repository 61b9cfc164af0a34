"""Reads pages and lists; expensive ones in a process of their own, with limits of CPU time and memory.

Boundary: the only unit that starts the parser process. Its functions return and raise what the pure readers do.
"""

from crawler.parser_process.parent import discover, parse_page

__all__ = ["discover", "parse_page"]
