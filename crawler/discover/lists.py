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
from crawler.discover import feeds
from crawler.discover.found import Discovery, article, once, same_place
from crawler.errors import UnreadableSource
from crawler.parse import decode, dom
from crawler.site import LOAD_MORE, Site
from crawler.types import Sighting, SourceFound

_MENUS = "nav a[href], header a[href], .menu a[href], [data-id] > a[href], .site-menu a[href], .breadcrumb a[href]"
_FEEDS = 'link[rel="alternate"][type*="rss"], link[rel="alternate"][type*="atom"], a[href*="rss"]'
_CONTROL = "[data-page][data-zone]"
_ZONE = re.compile(r"[1-9]\d{0,8}")


def home(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the home page: its stories, and the sections and feeds that it names.

    Raises:
        UnreadableSource: it names neither, so it is not the home page.

    """
    tree = _tree(body)
    sightings = once(list(stories(tree, url, site)))
    sources = (*_sections(tree, url, site), *feeds.named(tree, _FEEDS, url, site))
    if not sightings and not sources:
        raise UnreadableSource(url, f"the home page shows no article and no section ({len(body)} bytes)")
    return Discovery(sightings, sources)


def section(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read a section page, or a fragment of one; an empty fragment is the end, an empty page is a fault.

    Raises:
        UnreadableSource: a whole page without an article.

    """
    tree = _tree(body)
    sightings = once(list(stories(tree, url, site)))
    if urlsplit(url).query:
        return Discovery(sightings, more=_following(url, site) if sightings else None)
    if not sightings:
        raise UnreadableSource(url, f"the section page shows no article ({len(body)} bytes)")
    if doubt := _doubt(tree, url, site):
        return Discovery(sightings, doubt=doubt)
    control = tree.css_first(_CONTROL)
    if control is None:
        return Discovery(sightings)
    itself = SourceFound("section", url, zone=_zone(dom.attribute(control, "data-zone")))
    return Discovery(sightings, (itself,), _first_more(control, site))


def stories(tree: LexborHTMLParser, url: str, site: Site) -> Iterator[Sighting]:
    """Yield what links of a page lead to articles of the site, in reading order."""
    for link in tree.css("a[href]"):
        target = article(site, url, dom.attribute(link, "href"))
        if target is not None:
            title = dom.text(link) or dom.collapse(dom.attribute(link, "title")) or None
            yield Sighting(url=target[0], post_id=target[1], title=title)


def _tree(body: bytes) -> LexborHTMLParser:
    return LexborHTMLParser(decode.decode(body).text)


def _sections(tree: LexborHTMLParser, url: str, site: Site) -> Iterator[SourceFound]:
    seen: set[str] = set()
    for link in tree.css(_MENUS):
        address = urls.absolute(url, dom.attribute(link, "href"))
        if address is None or not site.owns(address) or urls.shape(address) != "section":
            continue
        address = urls.canonical(address)
        if address not in seen:
            seen.add(address)
            yield SourceFound("section", address, dom.text(link) or None, zone=_zone_around(link))


def _zone_around(link: LexborNode) -> str | None:
    """Give the zone id of a menu item; it stands on the link or on the element right around it."""
    parent = link.parent
    around = dom.attribute(parent, "data-id") if parent is not None else ""
    return _zone(dom.attribute(link, "data-id") or around)


def _zone(value: str) -> str | None:
    return value if _ZONE.fullmatch(value) else None  # 0 is the home page


def _doubt(tree: LexborHTMLParser, url: str, site: Site) -> str | None:
    """Say that a page gives itself another address: the handler's default content (dossier 14, 18.16)."""
    link = tree.css_first('link[rel="canonical"][href]')
    address = urls.absolute(url, dom.attribute(link, "href")) if link is not None else None
    if address is None or not site.owns(address) or same_place(address, url):
        return None
    return f"the page says that it is {address}"


def _first_more(control: LexborNode, site: Site) -> str:
    """Build the address behind the load-more control from its `data-` attributes."""
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
