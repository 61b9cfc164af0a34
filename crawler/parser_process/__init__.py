"""Reads pages, lists and pictures; expensive ones in a process of their own, with limits of CPU time and memory.

Boundary: the only unit that starts the parser process. Its functions return and raise what the pure readers do.
"""

from crawler.parser_process.parent import decode_picture, discover, parse_page, require_decoder
from crawler.parser_process.requests import Answer, failure_of, result_of

__all__ = ["Answer", "decode_picture", "discover", "failure_of", "parse_page", "require_decoder", "result_of"]
