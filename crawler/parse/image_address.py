"""Find the address of a picture's file, and tell pictures from tracking pixels.

A picture may have several files: `srcset`, the `<source>` elements of `<picture>`, and a copy for browsers without scripts.

Boundary: reads one element and those beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from urllib.parse import urlsplit

from selectolax.lexbor import LexborNode

from crawler.markup import IMAGE_SETS
from crawler.parse import dom

# One file of a `srcset`: its address, and what follows up to the next comma. A comma at the end of the address ends it, too.
_CANDIDATE = re.compile(r"([^\s,]\S*+)(?:(?<=,)|([^,]*+))")
_SIZE = re.compile(r"(?<!\S)(\d++(?:\.\d++)?|\.\d++)[wx](?!\S)", re.ASCII)  # width or density
_TINY_STYLE = re.compile(r"(?:^|;)\s*(?:width|height)\s*:\s*[01](?:px)?\s*(?:!\s*important\s*)?(?:;|$)", re.IGNORECASE)
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|webp|avif)$", re.IGNORECASE)


def of(image: LexborNode, names: Sequence[str], resolve: Callable[[str], str | None]) -> str | None:
    """Return the URL of a picture's file (dossier section 7); None if no attribute of the element has one.

    `names` are the attributes to read, most trusted first; those for lazy loading come before `src`. Placeholders (`data:`
    URLs) are ignored. The largest file of a `srcset` is used only if there is no other URL, and the copy for browsers without
    scripts (`<noscript>`) only if there is none at all.
    """
    copies = (value for copy in _copies(image) for value in _values(copy, names))
    values = (value.strip() for value in chain(_values(image, names), copies))
    return next((url for value in values if value and (url := resolve(value))), None)


def is_tracking_pixel(image: LexborNode) -> bool:
    """Whether an image is a tracking pixel: its width or height is 0 or 1, or it is hidden and no picture file.

    Scripts show hidden pictures later. In a page for phones (AMP), width and height may be a ratio.
    """
    if dom.attribute(image, "layout"):
        return False
    sizes = (dom.attribute(image, side).strip().lower() for side in ("width", "height"))
    if any(size.removesuffix("px").rstrip() in ("0", "1") for size in sizes):
        return True
    if not dom.is_hidden(image):
        style = dom.attribute(image, "style")
        return bool(style) and _TINY_STYLE.search(style) is not None
    is_lazy = any(name.startswith("data-") for name in image.attrs)
    return not is_lazy and not _PICTURE_FILE.search(_path(dom.attribute(image, "src")))


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _values(image: LexborNode, names: Sequence[str]) -> Iterator[str]:
    return chain((dom.attribute(image, name) for name in names), _largest(image))


def _largest(image: LexborNode) -> Iterator[str]:
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


def _copies(image: LexborNode) -> Iterator[LexborNode]:
    """Yield the image in a `<noscript>` element directly after or before an image, or the `<picture>` around it."""
    parent = image.parent
    top = parent if parent is not None and parent.tag == "picture" else image
    for beside in (_beside(top, forward=True), _beside(top, forward=False)):
        copy = beside.css_first("img") if beside is not None and beside.tag == "noscript" else None
        if copy is not None:
            yield copy


def _beside(node: LexborNode, *, forward: bool) -> LexborNode | None:
    """Return the next or previous sibling of a node that is not white space."""
    sibling = node.next if forward else node.prev
    while sibling is not None and dom.is_text(sibling) and not (sibling.text_content or "").strip():
        sibling = sibling.next if forward else sibling.prev
    return sibling
