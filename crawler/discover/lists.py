"""Home page, section pages and the fragments that their load-more control fetches (dossier 9).

Which classes a list item carries does not matter here: whatever links to an article of this site is a sighting, and its
place among them is kept. So a redesign of the lists loses nothing.

Boundary: bytes in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import urls
from crawler.discover.found import Discovery, article, once
from crawler.errors import UnreadableSource
from crawler.parse import decode, dom
from crawler.site import LOAD_MORE, Site
from crawler.types import Sighting, SourceFound

_MENUS = "nav a[href], header a[href], .menu a[href], [data-id] > a[href], .site-menu a[href], .breadcrumb a[href]"
_FEEDS = 'link[rel="alternate"][type*="rss"], link[rel="alternate"][type*="atom"]'
_CONTROL = "[data-page][data-zone]"


def home(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the home page: its stories, and the sections and feeds that it names.

    Raises:
        UnreadableSource: it names neither, so it is not the home page.

    """
    tree = _tree(body)
    sightings = once(list(_stories(tree, url, site)))
    sources = tuple(_sections(tree, url, site)) + tuple(_feeds(tree, url, site))
    if not sightings and not sources:
        raise UnreadableSource(url, f"the home page shows no article and no section ({len(body)} bytes)")
    return Discovery(sightings, sources)


def section(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read a section page, or a fragment of one; an empty fragment is the end, an empty page is a fault.

    Raises:
        UnreadableSource: a whole page without an article.

    """
    tree = _tree(body)
    sightings = once(list(_stories(tree, url, site)))
    fragment = bool(urlsplit(url).query)
    if not sightings and not fragment:
        raise UnreadableSource(url, f"the section page shows no article ({len(body)} bytes)")
    more = _following(url, site) if fragment else _first_more(tree, site)
    return Discovery(sightings, more=more if sightings else None)


def _tree(body: bytes) -> LexborHTMLParser:
    return LexborHTMLParser(decode.decode(body).text)


def _stories(tree: LexborHTMLParser, url: str, site: Site) -> Iterator[Sighting]:
    for position, link in enumerate(tree.css("a[href]")):
        target = article(site, url, dom.attribute(link, "href"))
        if target is not None:
            title = dom.text(link) or dom.collapse(dom.attribute(link, "title")) or None
            yield Sighting(url=target[0], post_id=target[1], title=title, position=position)


def _sections(tree: LexborHTMLParser, url: str, site: Site) -> Iterator[SourceFound]:
    seen: set[str] = set()
    for link in tree.css(_MENUS):
        address = urls.absolute(url, dom.attribute(link, "href"))
        if address is None or not site.owns(address) or urls.shape(address) != "section":
            continue
        address = urls.canonical(address)
        if address not in seen:
            seen.add(address)
            yield SourceFound("section", address, dom.text(link) or None)


def _feeds(tree: LexborHTMLParser, url: str, site: Site) -> Iterator[SourceFound]:
    for link in tree.css(_FEEDS):
        address = urls.absolute(url, dom.attribute(link, "href"))
        if address is not None and site.owns(address):
            yield SourceFound("feed", urls.canonical(address), dom.attribute(link, "title") or None)


def _first_more(tree: LexborHTMLParser, site: Site) -> str | None:
    """Build the address behind the load-more control from its `data-` attributes."""
    control: LexborNode | None = tree.css_first(_CONTROL)
    if control is None:
        return None
    page = dom.attribute(control, "data-page")
    query = {
        "page": page if page.isdigit() else "2",
        "zone": dom.attribute(control, "data-zone"),
        "type": dom.attribute(control, "data-type") or "zone",
        "size": dom.attribute(control, "data-size") or "30",
        "layout": dom.attribute(control, "data-layout"),
    }
    return site.url(f"{LOAD_MORE}?{urlencode(query)}")


def _following(url: str, site: Site) -> str:
    """Give the fragment after this one."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    page = query.get("page", "1")
    query["page"] = str(int(page) + 1) if re.fullmatch(r"\d{1,6}", page) else "2"
    return site.url(f"{parts.path}?{urlencode(query)}")
