"""Read RSS and Atom feeds (dossier section 12), and the page of the site that lists its feeds.

Feeds are parsed by fastfeedparser, which accepts many malformed feeds and converts all dates to UTC. The dates are used
only as hints.

Boundary: bytes in, values out.
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
from crawler.discover.found import Discovery, article_link, deduplicate, html_tree, is_same_source, plain_text
from crawler.errors import UnreadableSource
from crawler.parse import decode, dom, times
from crawler.site import FEED_INDEX, Site
from crawler.types import Sighting, SourceFound, SourceKind

_FEED = re.compile(rb"<(rss|feed|rdf:RDF)\b", re.IGNORECASE)
_HEAD_SIZE = 2048  # first bytes of a feed, with its root element and its own URL
_LINK = re.compile(rb"<(?:\w{1,20}:)?link\b[^>]{0,500}>", re.IGNORECASE)
_SELF = re.compile(rb"\brel\s*=\s*[\"']self[\"']", re.IGNORECASE)
_HREF = re.compile(rb"\bhref\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)


def feed(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the items of a feed, in the order of the feed.

    Raises:
        UnreadableSource: the response is not a feed (it is HTML, very short or empty), or the feed cannot be parsed.

    """
    body = xml.to_utf8(body, url).lstrip(b"\xef\xbb\xbf \t\r\n")
    start = body[:_HEAD_SIZE]
    # Only XML may reach fastfeedparser, because it fetches a string that is a URL.
    if not start.startswith(b"<") or not _FEED.search(start):
        raise UnreadableSource(url, f"expected a feed, got something else ({len(body)} bytes)")
    try:
        entries = fastfeedparser.parse(body).entries
    except ValueError as error:
        raise UnreadableSource(url, "the feed cannot be parsed") from error
    return Discovery(deduplicate(list(_sightings(entries, url, site))), doubt=_doubt(start, url, site))


def feed_index(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the page that lists the feeds.

    Raises:
        UnreadableSource: the page lists no feed. The page of a sister site, for example, contains only the name of a
            template (dossier section 12).

    """
    tree = html_tree(decode.decode(body).text, url)
    found = tuple(linked_feeds(tree, "a[href]", url, site))
    if not found:
        raise UnreadableSource(url, f"the page that lists the feeds has no link to a feed ({len(body)} bytes)")
    return Discovery((), found)


def linked_feeds(tree: LexborHTMLParser, links: str, url: str, site: Site) -> Iterator[SourceFound]:
    """Yield the feeds to which a page links, and the page that lists all feeds, if there is a link to it.

    `links` is the CSS selector of the links to examine; `url` is the URL of the page.
    """
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
    """Return a message if the feed names another URL as its own, else None.

    If the requested feed does not exist, the site may send another feed, its default one (dossier sections 14 and
    18.16).
    """
    own = next((link[0] for link in _LINK.finditer(start) if _SELF.search(link[0])), b"")
    if (match := _HREF.search(own)) is None:
        return None
    address = urls.absolute(url, html.unescape(match[1].decode("utf-8", "replace")))
    if address is None or not site.owns(address) or is_same_source(address, url):
        return None
    return f"the feed names {address} as its own URL"


def _sightings(entries: list[Mapping[str, Any]], url: str, site: Site) -> Iterator[Sighting]:
    for entry in entries:
        target = article_link(site, url, entry.get("link")) or article_link(site, url, entry.get("id"))
        if target is not None:
            yield Sighting(
                url=target[0],
                post_id=target[1],
                title=plain_text(entry.get("title")),
                summary=plain_text(entry.get("description")),
                published_at=times.instant(entry.get("published") or ""),
            )
