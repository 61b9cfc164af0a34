"""Compares an article as read with a layout with what is known about it, field by field.

Boundary: values in, booleans out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crawler.heal.places import KnownPage
from crawler.markup import Markup
from crawler.parse import dom
from crawler.parse.page import read_with_layout
from crawler.types import Article

_FIELDS: Mapping[str, Callable[[Article], Any]] = {
    "title": lambda a: dom.collapse(a.title),
    "lead": lambda a: dom.collapse(a.lead or ""),
    "text": lambda a: a.paragraphs,
    "images": lambda a: [image.url for image in a.images],
    "captions": lambda a: [image.caption for image in a.images],
    "byline": lambda a: a.byline,
    "section": lambda a: a.section,
    "tags": lambda a: a.tags,
    "published_at": lambda a: a.published_at,
    "related": lambda a: [story.title for story in a.related],
}
_OF_METADATA = ("title", "lead", "published_at")
FIELDS = tuple(_FIELDS)


def read(known: KnownPage, layout: Markup) -> Article | None:
    """Return the article on a page as read with `layout`; None if the layout does not fit."""
    return read_with_layout(known.page, layout)


def value(name: str, article: Article) -> Any:
    """Return the value of a field in the form in which it is compared."""
    return _FIELDS[name](article)


def exact(known: KnownPage, found: Article | None) -> dict[str, bool]:
    """Return for each known field whether it was read exactly.

    If only the metadata of the page is known, only the fields there are compared, as far as the metadata has them.
    """
    names = FIELDS if known.complete else [n for n in _OF_METADATA if _FIELDS[n](known.article)]
    return {name: found is not None and _FIELDS[name](found) == _FIELDS[name](known.article) for name in names}
