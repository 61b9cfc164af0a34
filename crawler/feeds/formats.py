"""Write feeds as Atom and as JSON Feed, and a list of feeds as OPML.

Control characters are replaced by visible escapes, because XML does not allow them.

Boundary: values in, text out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from crawler import visible

_ATOM = "http://www.w3.org/2005/Atom"
_JSON_FEED = "https://jsonfeed.org/version/1.1"
_NEVER = "1970-01-01T00:00:00Z"  # `updated` of a feed without entries; Atom requires one
_AUTHOR = "Agence vietnamienne d'information"
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed. `content` is HTML; None if the feed has only summaries.

    `id` never changes. `updated` changes only with the content; both instants are in RFC 3339 format. `source` is the
    address of the page on the site of the agency, and `address` the page to open.
    """

    id: str
    title: str
    updated: str
    published: str
    address: str | None = None
    source: str | None = None
    summary: str = ""
    content: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed. `own` is its own address, and `home` the page that it belongs to; None if it is a file."""

    id: str
    title: str
    entries: Sequence[Entry]
    own: str | None = None
    home: str | None = None

    @property
    def updated(self) -> str:
        """The time of the newest change of its content."""
        return max((entry.updated for entry in self.entries), default=_NEVER)


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed in a list of feeds: its title, its address and the page that it belongs to."""

    title: str
    feed: str
    home: str


def search_title(*parts: str | None) -> str:
    """Return the title of the feed of a search: the agency, then its words and filters."""
    return " · ".join((_AUTHOR, *filter(None, parts)))


def atom(feed: Feed) -> str:
    """Return a feed as Atom."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(_name("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": "fr"})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", feed.updated)
    _add(_add(root, "author"), "name", _AUTHOR)
    for relation, address in (("self", feed.own), ("alternate", feed.home)):
        _link(root, relation, address)
    for entry in feed.entries:
        _atom_entry(_add(root, "entry"), entry)
    return _xml(root)


def _atom_entry(element: ET.Element, entry: Entry) -> None:
    _add(element, "id", entry.id)
    _add(element, "title", _title(entry))
    _add(element, "updated", entry.updated)
    _add(element, "published", entry.published)
    _link(element, "alternate", entry.address)
    if entry.source != entry.address:
        _link(element, "via", entry.source)
    for tag in entry.tags:
        _add(element, "category").set("term", visible.line(tag))
    if entry.summary:
        _add(element, "summary", entry.summary)
    if entry.content is not None:
        _add(element, "content", entry.content).set("type", "html")
    elif entry.address is None:
        _add(element, "content", entry.summary or entry.title)  # Atom requires a link or a content


def json_feed(feed: Feed) -> str:
    """Return a feed as JSON Feed."""
    items = [
        _without_none({
            "id": entry.id,
            "url": entry.address,
            "external_url": entry.source if entry.source != entry.address else None,
            "title": _title(entry),
            "summary": visible.block(entry.summary) or None,
            "content_html": None if entry.content is None else visible.block(entry.content),
            "content_text": visible.block(entry.summary or entry.title) if entry.content is None else None,
            "date_published": entry.published,
            "date_modified": entry.updated,
            "tags": list(entry.tags) or None,
        })
        for entry in feed.entries
    ]  # fmt: skip
    return visible.json_text(
        _without_none({
            "version": _JSON_FEED,
            "title": visible.line(feed.title),
            "home_page_url": feed.home,
            "feed_url": feed.own,
            "language": "fr",
            "authors": [{"name": _AUTHOR}],
            "items": items,
        }),
        indent=1,
    )  # fmt: skip


def opml(title: str, outlines: Sequence[Outline]) -> str:
    """Return a list of feeds as OPML."""
    root = ET.Element("opml", {"version": "2.0"})
    ET.SubElement(ET.SubElement(root, "head"), "title").text = visible.line(title)
    body = ET.SubElement(root, "body")
    for one in outlines:
        name = visible.line(one.title, _LONGEST_TITLE)
        ET.SubElement(
            body, "outline", {"type": "rss", "text": name, "title": name, "xmlUrl": one.feed, "htmlUrl": one.home}
        )
    return _xml(root)


#: The writer of each format.
FORMATS: Mapping[str, Callable[[Feed], str]] = {"atom": atom, "json": json_feed}


def _name(tag: str) -> str:
    return f"{{{_ATOM}}}{tag}"


def _add(parent: ET.Element, tag: str, text: str | None = None) -> ET.Element:
    element = ET.SubElement(parent, _name(tag))
    element.text = text and visible.block(text)
    return element


def _link(parent: ET.Element, relation: str, address: str | None) -> None:
    if address is not None:
        ET.SubElement(parent, _name("link"), {"rel": relation, "href": visible.line(address)})


def _title(entry: Entry) -> str:
    return visible.line(" ".join(entry.title.split()), _LONGEST_TITLE) or "–"


def _xml(root: ET.Element) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _without_none(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
