"""Find the addresses of articles that are not in links: in other attributes, and in the data or code of scripts.

A page whose lists are built by a program in the browser has its stories only there.

Boundary: text in, values out; nothing in a script is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler.discover.found import article_link
from crawler.site import Site
from crawler.types import Sighting

_ENDINGS = re.compile(r"\.vnp(?:lus)?(?![a-z])", re.IGNORECASE)
_LONGEST = 400  # characters of an address; slugs have up to 160
_BEFORE = " \t\r\n\"'<>\\(;=`"  # characters that end whatever precedes an address; the semicolon ends `&quot;`
_MOST = 5_000
_SLASHES = re.compile(r"\\u002f|\\/", re.IGNORECASE)  # in JSON


def stories(html: str, base: str, site: Site) -> Iterator[Sighting]:
    """Yield a sighting for each address of an article in the source of a page, in its order, also those in links."""
    source = _SLASHES.sub("/", html)
    number = 0
    for match in _ENDINGS.finditer(source):
        chunk = source[max(0, match.end() - _LONGEST) : match.end()]
        start = max(chunk.rfind(mark) for mark in _BEFORE) + 1
        target = article_link(site, base, chunk[start:]) if "/" in chunk[start:] else None
        if target is not None:
            number += 1
            yield Sighting(url=target[0], post_id=target[1])
        if number == _MOST:
            return
