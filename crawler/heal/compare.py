"""Compares an article as read with a layout with what is known about it, field by field.

Boundary: values in, booleans out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from selectolax.lexbor import LexborNode

from crawler.heal.places import KnownPage, Places
from crawler.heal.text_index import squeeze
from crawler.parse import dom, fields
from crawler.parse.times import instant
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
}
_OF_METADATA = ("title", "lead", "published_at")
_MINUTE = timedelta(seconds=60)  # a time that a page shows to readers has no seconds
FIELDS = tuple(_FIELDS)


def value(name: str, article: Article) -> Any:
    """Return the value of a field in the form in which it is compared."""
    return _FIELDS[name](article)


def exact(known: KnownPage, found: Article | None) -> dict[str, bool]:
    """Return for each known field whether it was read exactly; a time, whether it is the same minute.

    If only the metadata of the page is known, only the fields there are compared, as far as the metadata has them.
    """
    every = FIELDS if known.complete else [n for n in _OF_METADATA if _FIELDS[n](known.article)]
    names = [name for name in every if name not in known.unknown]
    return {name: found is not None and _is_exact(name, known, found) for name in names}


def differs(name: str, known: KnownPage, found: Article) -> bool:
    """Whether a field differs at all, so that it would count as an edit."""
    one, other = _FIELDS[name](known.article), _FIELDS[name](found)
    return bool(one != other if known.is_literal else without_space(one) != without_space(other))


def without_space(value: Any) -> Any:
    """Return a text, or each text in a sequence, in NFC and without white space."""
    if isinstance(value, str):
        return "".join(unicodedata.normalize("NFC", value).split())
    return [without_space(item) for item in value] if isinstance(value, list | tuple) else value


def _is_exact(name: str, known: KnownPage, found: Article) -> bool:
    if not differs(name, known, found):
        return True
    if name != "published_at" or not known.article.published_at or not found.published_at:
        return False
    one, other = instant(known.article.published_at), instant(found.published_at)
    return one is not None and other is not None and abs(one - other) < _MINUTE


def is_edited(place: Places, name: str, found: Article) -> bool:
    """Whether a difference in a field may be an edit by the agency, not an error of the layout.

    The page states a later time of change than the known article, or known text is not on it at all, or all
    unknown text is among the known paragraphs, in elements like theirs.
    """
    known = place.known
    before, now = known.article.modified_at, fields.modified(known.page).iso
    first, second = instant(before) if before else None, instant(now) if now else None
    if first is not None and second is not None and second > first:
        return True
    texts = known.article.paragraphs if name == "text" else [known.article.lead or ""] * (name == "lead")
    body = known.page.tree.body
    shown = squeeze(dom.text(body)) if body is not None and texts else ""
    return any(squeeze(text) not in shown for text in texts) or (name == "text" and _is_added(place, found))


def _is_added(place: Places, found: Article) -> bool:
    """Whether the text that was read and is not known is in elements of the same kind as the known paragraphs."""
    known = place.known.article.paragraphs
    kinds = {_kind(node) for text in known for node in place.index.find(text)[:1]}
    added = [place.index.find(text)[:1] for text in found.paragraphs if text not in known]
    return bool(added) and all(nodes and _kind(nodes[0]) in kinds for nodes in added)


def _kind(node: LexborNode) -> tuple[object, ...]:
    parent = node.parent
    return node.tag, node.attributes.get("class") if dom.is_element(node) else None, parent.mem_id if parent else None
