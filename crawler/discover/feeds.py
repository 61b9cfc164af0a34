"""RSS and Atom feeds (dossier 12), read by a kept parser that forgives what real feeds do; and the page that lists them.

Boundary: bytes in. Dates come out in UTC (the parser drops the offset); they serve as hints only.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import fastfeedparser
from selectolax.lexbor import LexborHTMLParser

from crawler import urls
from crawler.discover import xml
from crawler.discover.found import Discovery, article, once, plain, same_place
from crawler.errors import UnreadableSource
from crawler.parse import decode, dom, times
from crawler.site import FEED_INDEX, Site
from crawler.types import Sighting, SourceFound, SourceKind

_FEED = re.compile(rb"<(rss|feed|rdf:RDF)\b", re.IGNORECASE)
_REACH = 2048  # bytes in which a feed shows that it is one, and says its own address
_LINK = re.compile(rb"<(?:\w{1,20}:)?link\b[^>]{0,500}>", re.IGNORECASE)
_SELF = re.compile(rb"\brel\s*=\s*[\"']self[\"']", re.IGNORECASE)
_HREF = re.compile(rb"\bhref\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)


def feed(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the items of a feed, newest first as the site orders them.

    Raises:
        UnreadableSource: the answer is no feed: HTML, a dozen bytes, nothing.

    """
    body = xml.utf8(body, url).lstrip(b"\xef\xbb\xbf \t\r\n")
    start = body[:_REACH]
    if not start.startswith(b"<") or not _FEED.search(start):  # the parser takes other text for an address to fetch
        raise UnreadableSource(url, f"a feed was expected, the answer is none ({len(body)} bytes)")
    try:
        entries = fastfeedparser.parse(body).entries
    except ValueError as error:
        raise UnreadableSource(url, "the feed cannot be read") from error
    return Discovery(once(list(_sightings(entries, url, site))), doubt=_doubt(start, url, site))


def feed_index(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the page that lists the feeds.

    Raises:
        UnreadableSource: it lists none; a sister site answers with the name of a template (dossier 12).

    """
    tree = LexborHTMLParser(decode.decode(body).text)
    found = tuple(named(tree, "a[href]", url, site))
    if not found:
        raise UnreadableSource(url, f"the list of feeds names none ({len(body)} bytes)")
    return Discovery((), found)


def named(tree: LexborHTMLParser, links: str, url: str, site: Site) -> Iterator[SourceFound]:
    """Yield the feeds, and the list of feeds, that links of a page lead to."""
    seen: set[str] = set()
    for link in tree.css(links):
        address = urls.absolute(url, dom.attribute(link, "href"))
        if address is None or not site.owns(address):
            continue
        address = urls.canonical(address)
        if address in seen or (link.tag == "a" and urls.shape(address) != "feed"):
            continue
        seen.add(address)
        kind: SourceKind = "feed_index" if address.endswith(FEED_INDEX) else "feed"
        yield SourceFound(kind, address, dom.attribute(link, "title") or dom.text(link) or None)


def _doubt(start: bytes, url: str, site: Site) -> str | None:
    """Say that a feed gives itself another address: the handler's default content (dossier 14, 18.16)."""
    own = next((link[0] for link in _LINK.finditer(start) if _SELF.search(link[0])), b"")
    if (match := _HREF.search(own)) is None:
        return None
    address = urls.absolute(url, html.unescape(match[1].decode("utf-8", "replace")))
    if address is None or not site.owns(address) or same_place(address, url):
        return None
    return f"the feed says that it is {address}"


def _sightings(entries: list[Mapping[str, Any]], url: str, site: Site) -> Iterator[Sighting]:
    for entry in entries:
        target = article(site, url, entry.get("link")) or article(site, url, entry.get("id"))
        if target is not None:
            yield Sighting(
                url=target[0],
                post_id=target[1],
                title=plain(entry.get("title")),
                summary=plain(entry.get("description")),
                published_at=times.instant(entry.get("published") or ""),
            )
