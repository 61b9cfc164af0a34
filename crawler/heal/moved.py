"""Finds fields that a known layout still reads, but not where they are now: the page shows the known value elsewhere.

A redesign may keep the headline and the text of an article and move its captions, its lead or its date. An edit by the agency
removes the old value from the page, or replaces it; a move leaves it there.

Boundary: compares two readings of one article and the tree of its page; whether it is a redesign depends on other pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from selectolax.lexbor import LexborNode

from crawler.heal import places
from crawler.heal.text_index import TextIndex, build, squeeze
from crawler.parse import dom
from crawler.parse.frame import PageTree
from crawler.parse.times import instant
from crawler.types import Article, ErrorKind, TextBlock

#: The fields that are compared, in the order in which one is named: captions that are read as text change the text, too.
KINDS: Mapping[str, ErrorKind] = {
    "title": ErrorKind.MOVED_TITLE,
    "captions": ErrorKind.MOVED_CAPTIONS,
    "lead": ErrorKind.MOVED_LEAD,
    "text": ErrorKind.MOVED_TEXT,
    "published_at": ErrorKind.MOVED_TIME,
}
_SHORT, _SHORT_CAPTION = 20, 5  # squeezed characters; shorter texts may be anywhere


def fields(page: PageTree, stored: Article, read: Article) -> tuple[str, ...]:
    """Return the fields whose `stored` value was not `read`, although it is still on the page."""
    lost = {name: values for name, find in _LOST.items() if (values := list(find(stored, read)))}
    if not lost:
        return ()
    index = build(page.tree)
    return tuple(name for name in KINDS if name in lost and _stands(page, index, stored, name, lost[name]))


def _stands(page: PageTree, index: TextIndex, stored: Article, name: str, values: list[str]) -> bool:
    if name == "published_at":
        return bool(places.times_of(index, stored))
    others = {squeeze(text) for text in _others(stored, name)}
    found = (index.find(value) for value in values if squeeze(value) not in others)
    if any(any(not _is_link(node) for node in nodes) for nodes in found):
        return True
    return name == "captions" and any(_in_attribute(page, value) for value in values)


def _others(stored: Article, name: str) -> Iterator[str]:
    """Yield the other texts of an article: a value that is equal to one of them may be there."""
    if name != "title":
        yield stored.title
    if name != "lead":
        yield stored.lead or ""
    if name != "text":
        yield from stored.paragraphs
    if name != "captions":
        yield from (image.caption or "" for image in stored.images)


def _is_link(node: LexborNode) -> bool:
    return any(a.tag in ("a", "nav", "aside", "footer") for a in (node, *dom.ancestors(node)))


def _in_attribute(page: PageTree, value: str) -> bool:
    """Whether an element that contains a picture, or a picture, has a text as an attribute other than `alt`."""
    key = squeeze(value)
    nodes = (n for picture in page.tree.css("img") for n in (picture, picture.parent) if n is not None)
    return any(
        squeeze(text) == key
        for n in nodes
        for name, text in n.attributes.items()
        if text and name not in ("alt", "title")
    )


# --- what was not read


def _title(stored: Article, read: Article) -> Iterator[str]:
    if squeeze(stored.title) != squeeze(read.title):
        yield stored.title


def _lead(stored: Article, read: Article) -> Iterator[str]:
    lead = squeeze(stored.lead or "")
    if len(lead) >= _SHORT and lead != squeeze(read.lead or ""):
        yield stored.lead or ""


def _captions(stored: Article, read: Article) -> Iterator[str]:
    now = {squeeze(image.caption or "") for image in read.images}
    for image in stored.images:
        if len(key := squeeze(image.caption or "")) >= _SHORT_CAPTION and key not in now:
            yield image.caption or ""


def _text(stored: Article, read: Article) -> Iterator[str]:
    # Notes count too, because an edit may make notes of paragraphs.
    now = squeeze("".join(b.text for b in read.blocks if isinstance(b, TextBlock)))
    for paragraph in stored.paragraphs:
        if len(key := squeeze(paragraph)) >= _SHORT and key not in now:
            yield paragraph


def _published_at(stored: Article, read: Article) -> Iterator[str]:
    before = instant(stored.published_at) if stored.published_at else None
    now = instant(read.published_at) if read.published_at else None
    if before is not None and (now is None or abs((now - before).total_seconds()) >= 60):
        yield stored.published_at or ""


_LOST: Mapping[str, Callable[[Article, Article], Iterator[str]]] = {
    "title": _title,
    "captions": _captions,
    "lead": _lead,
    "text": _text,
    "published_at": _published_at,
}
