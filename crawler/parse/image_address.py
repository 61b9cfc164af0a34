"""Read the sets of files of a picture in several sizes: `srcset`, and the `<source>` elements of `<picture>`.

Boundary: reads one element; `body` decides which address is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from crawler.markup import IMAGE_SETS
from crawler.parse import dom

# One file of a `srcset`: its address, and what follows up to the next comma. A comma at the end of the address ends it, too.
_CANDIDATE = re.compile(r"([^\s,]\S*+)(?:(?<=,)|([^,]*+))")
_SIZE = re.compile(r"(?<!\S)(\d++(?:\.\d++)?|\.\d++)[wx](?!\S)", re.ASCII)  # width or density


def largest(image: LexborNode) -> Iterator[str]:
    """Yield the largest file of each `srcset` of an image, or of the `<picture>` around it."""
    parent = image.parent
    sources = parent.css("source") if parent is not None and parent.tag == "picture" else []
    for node in (image, *sources):
        for name in IMAGE_SETS:
            found = _CANDIDATE.findall(dom.attribute(node, name))
            if found:
                yield max(found, key=_size)[0].rstrip(",")


def _size(candidate: tuple[str, str]) -> float:
    size = _SIZE.search(candidate[1])
    return float(size[1]) if size else 1.0
