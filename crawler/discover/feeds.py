"""Read RSS, Atom and JSON feeds (dossier section 12), and the page of the site that lists its feeds.

The dates are used only as hints. `crawler/discover/feed_item.py` says which link of an item counts, and which date.

Boundary: bytes in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain
from urllib.parse import parse_qsl, urlsplit

from selectolax.lexbor import LexborHTMLParser

from crawler import urls
from crawler.discover import feed_item, json_feed, xml
from crawler.discover.element import Shape
from crawler.discover.feed_item import FeedItem
from crawler.discover.found import Discovery, article_link, deduplicate, html_tree, instant, is_same_source, plain_text
from crawler.discover.problems import ProblemKind, Problems, summary
from crawler.discover.xml_reader import XmlReader
from crawler.errors import UnreadableSource
from crawler.parse import decode, dom
from crawler.site import FEED_INDEX, Site
from crawler.types import Sighting, SourceFound, SourceKind

_FEED = Shape(
    roots=frozenset({"rss", "feed", "rdf"}),
    entries=frozenset({"item", "entry"}),
    used=feed_item.USED,
    rich=feed_item.RICH,
    head=frozenset({"link"}),
)
_START = 4096  # bytes in which the first sign of JSON is looked for
_WEB = ("http://", "https://")
_NO_CONTENT = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # byte order marks, NUL of UTF-16, white space
_MAX_FEEDS = 100  # on one page; sister sites list about 30


def feed(body: bytes, url: str, site: Site, now: datetime) -> Discovery:
    """Read the items of a feed, in the order of the feed, as far as they can be read.

    Raises:
        UnreadableSource: the response is not a feed (it is HTML, very short or empty), or no item can be read.

    """
    problems = Problems()
    plain = xml.decompressed(body, problems)
    if plain[:_START].translate(None, _NO_CONTENT).startswith(b"{"):
        return _json_feed(plain, url, site, now, problems)
    size = len(body)
    reader = XmlReader(xml.to_utf8(plain, problems), _FEED, problems)
    sightings = _sightings(map(feed_item.read_item, reader.entries()), url, site, now, problems)
    if reader.root is None:
        with suppress(UnreadableSource):  # a JSON Feed after a PHP message, without the problems of reading it as XML
            return _json_feed(body, url, site, now, Problems())
        got = "an HTML page" if reader.html else "something else"
        raise UnreadableSource(url, f"expected a feed, got {got} ({size} bytes)")
    if not sightings and problems.may_hide_entries:
        raise UnreadableSource(url, f"no item of the feed can be used; {summary(problems.found)}")
    return Discovery(sightings, doubt=_doubt(reader, url, site), problems=problems.found)


def _json_feed(body: bytes, url: str, site: Site, now: datetime, problems: Problems) -> Discovery:
    sightings = _sightings(json_feed.items(body, url, problems), url, site, now, problems)
    return Discovery(sightings, problems=problems.found)


def feed_index(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the page that lists the feeds.

    Raises:
        UnreadableSource: the page lists no feed. The page of a sister site, for example, contains only the name of a
            template (dossier section 12).

    """
    tree = html_tree(decode.decode(body).html, url)
    found = tuple(linked_feeds(tree, "a[href]", url, site))
    if not found:
        raise UnreadableSource(url, f"the page that lists the feeds has no link to a feed ({len(body)} bytes)")
    return Discovery((), found)


def linked_feeds(tree: LexborHTMLParser, links: str, url: str, site: Site) -> Iterator[SourceFound]:
    """Yield the feeds to which a page links, at most 100, and the page that lists all feeds, if there is a link to it.

    `links` is the CSS selector of the links to examine; `url` is the URL of the page.
    """
    seen: set[str] = set()
    base = dom.base(tree, url)
    for link in tree.css(links):
        address = site.address(base, dom.attribute(link, "href"))
        if address is None:
            continue
        key, shape = urls.canonical(address), urls.shape(address)
        if key in seen or shape in ("article", "home") or (link.tag == "a" and shape != "feed"):
            continue
        if len(seen) == _MAX_FEEDS:
            return
        seen.add(key)
        kind: SourceKind = "feed_index" if address.endswith(FEED_INDEX) else "feed"
        yield SourceFound(kind, address, dom.attribute(link, "title") or dom.text(link) or None)


def _doubt(reader: XmlReader, url: str, site: Site) -> str | None:
    """Return a message if the feed names another URL as its own, else None.

    If the requested feed does not exist, the site may send another feed, its default one (dossier sections 14 and
    18.16).
    """
    own = next((link for link in reader.head if feed_item.relation(link) == "self"), None)
    address = urls.absolute(url, own.attributes.get("href")) if own is not None else None
    if address is None or not site.owns(address) or is_same_source(address, url):
        return None
    return f"the feed names {address} as its own URL"


def _sightings(
    items: Iterable[FeedItem], url: str, site: Site, now: datetime, problems: Problems
) -> tuple[Sighting, ...]:
    return deduplicate(list(_articles(items, url, site, now, problems)))


def _articles(items: Iterable[FeedItem], url: str, site: Site, now: datetime, problems: Problems) -> Iterator[Sighting]:
    elsewhere, articles = "", 0
    for item in items:
        addresses = item.addresses(url)
        inside = (value for a in addresses for _, value in parse_qsl(urlsplit(a).query) if value.startswith(_WEB))
        target = next((t for a in chain(addresses, inside) if (t := article_link(site, url, a)) is not None), None)
        title = plain_text(item.title)
        if target is None:
            if not addresses and not item.is_cut:
                problems.count(ProblemKind.NO_LINK, title or "")
            elsewhere = elsewhere or next(iter(addresses), "")
            continue
        articles += 1
        yield Sighting(
            url=target[0],
            post_id=target[1],
            title=title,
            summary=plain_text(item.summary),
            published_at=instant(item.dates, now, problems),
        )
    if elsewhere and not articles:
        problems.add(ProblemKind.NO_ARTICLES, elsewhere)
