"""Read the home page, section pages, and the page fragments with more stories of a section (dossier section 9).

Every link to an article of this site is a sighting, whatever its CSS classes, and its position is stored. If most
addresses of articles on a page are not in links, but in other attributes or in scripts, these count, too. So no articles
are lost when the site redesigns its lists. Only a list without addresses needs a layout with the table `[lists]`.

Boundary: bytes in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlencode, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import urls
from crawler.discover import feeds, hidden, listed_ids
from crawler.discover.found import Discovery, article_link, deduplicate, html_tree, is_same_source
from crawler.errors import EmptySource
from crawler.markup import ListSelectors
from crawler.parse import decode, dom
from crawler.site import LOAD_MORE, Site
from crawler.types import Sighting, SourceFound

_MENUS = (
    "nav a[href], header a[href], .menu a[href], [data-id] > a[href], .site-menu a[href], .sub-menu a[href], "
    ".submenu a[href], [role=navigation] a[href], .breadcrumb a[href], .breadcrumbs a[href]"
)
_FEEDS = (
    ", ".join(f'link[rel~="alternate"][type*="{kind}"]' for kind in ("rss", "atom", "feed+json")) + ', a[href*="rss"]'
)
_FURTHER_PAGE = re.compile(r"/(?:page|trang)[-/]?\d+/?$|/\d+/?$", re.IGNORECASE)  # a page of a list is not a section
_MAX_SECTIONS = 100  # in the menus of one page; sister sites have about 60
_FEW_LINKED = 3  # times as many stories in the source as in links mean that a program builds the list
_CONTROL = "[data-page][data-zone]"
_ZONE = re.compile(r"[1-9]\d{0,8}")


def home(body: bytes, url: str, site: Site, layouts: Sequence[ListSelectors] = ()) -> Discovery:
    """Read the home page: its stories, and the sections and feeds to which it links.

    `layouts` say where lists without addresses have the post ids of their stories; the first one that finds any is used.

    Raises:
        UnsafeSource: parsing the page would take too much time or memory.
        EmptySource: the page has no stories, sections or feeds, so it is not the home page.

    """
    html = decode.decode(body).html
    tree = html_tree(html, url)
    sightings = _listed(html, tree, url, site, layouts)
    sources = (*_sections(tree, url, site), *feeds.linked_feeds(tree, _FEEDS, url, site))
    if not sightings and not sources:
        raise EmptySource(url, f"the home page has no link to an article, section or feed ({len(body)} bytes)")
    return Discovery(sightings, sources)


def section(body: bytes, url: str, site: Site, layouts: Sequence[ListSelectors] = ()) -> Discovery:
    """Read a section page or a fragment of it: its stories, and the sections and feeds to which a section page links.

    `layouts` say where lists without addresses have the post ids of their stories; the first one that finds any is used.

    The response is a fragment if its URL has a query. A fragment without stories means that the list has ended.

    Raises:
        UnsafeSource: parsing the page would take too much time or memory.
        EmptySource: the response is a whole section page, but it contains no articles.

    """
    html = decode.decode(body).html
    tree = html_tree(html, url)
    sightings = _listed(html, tree, url, site, layouts)
    if urlsplit(url).query:
        return Discovery(sightings, more=_next_fragment(url, site) if sightings else None)
    if not sightings:
        raise EmptySource(url, f"the section page has no link to an article ({len(body)} bytes)")
    if doubt := _doubt(tree, url, site):
        return Discovery(sightings, doubt=doubt)
    own = urls.section_path(url).lower()
    further = [s for s in _sections(tree, url, site) if urls.section_path(s.url).lower() != own]
    sources = (*further, *feeds.linked_feeds(tree, _FEEDS, url, site))
    control = tree.css_first(_CONTROL)
    if control is None:
        return Discovery(sightings, sources)
    # The section is itself among the sources found, because the menu of the home page may lack its zone id.
    with_zone = SourceFound("section", url, zone=_zone(dom.attribute(control, "data-zone")))
    return Discovery(sightings, (with_zone, *sources), _first_fragment(control, site))


def _listed(
    html: bytes, tree: LexborHTMLParser, url: str, site: Site, layouts: Sequence[ListSelectors]
) -> tuple[Sighting, ...]:
    """Return the stories of a page: those in links, or all in its source if these are most of them.

    Stories that only a layout finds are added.
    """
    linked = deduplicate(list(stories(tree, url, site)))
    every = deduplicate([*hidden.stories(html.decode(), dom.base(tree, url), site), *linked])
    addressed = every if len(every) > _FEW_LINKED * len(linked) else linked
    by_id = (deduplicate([*listed_ids.stories(tree, layout, site), *addressed]) for layout in layouts)
    return next((found for found in by_id if len(found) > len(addressed)), addressed)


def stories(tree: LexborHTMLParser, url: str, site: Site) -> Iterator[Sighting]:
    """Yield a sighting for each link to an article of the site, in document order."""
    base = dom.base(tree, url)
    for link in tree.css("a[href]"):
        target = article_link(site, base, dom.attribute(link, "href"))
        if target is not None:
            title = dom.text(link) or dom.collapse(dom.attribute(link, "title")) or None
            yield Sighting(url=target[0], post_id=target[1], title=title)


def _sections(tree: LexborHTMLParser, url: str, site: Site) -> Iterator[SourceFound]:
    """Yield the sections in the menus and breadcrumbs of a page, at most 100."""
    seen: set[str] = set()
    base = dom.base(tree, url)
    for link in tree.css(_MENUS):
        address = site.address(base, dom.attribute(link, "href"))
        if address is None or urls.shape(address) != "section":
            continue
        key = urls.canonical(address).partition("?")[0]  # several addresses with a query name parts of one section
        if key not in seen and not _FURTHER_PAGE.search(address) and len(seen) < _MAX_SECTIONS:
            seen.add(key)
            yield SourceFound("section", address, dom.text(link) or None, zone=_zone_around(link))


def _zone_around(link: LexborNode) -> str | None:
    """Return the zone id (the number of a section) of a menu link or of its parent element; None if neither has one."""
    parent = link.parent
    around = dom.attribute(parent, "data-id") if parent is not None else ""
    return _zone(dom.attribute(link, "data-id") or around)


def _zone(value: str) -> str | None:
    return value if _ZONE.fullmatch(value) else None  # 0 is the home page


def _doubt(tree: LexborHTMLParser, url: str, site: Site) -> str | None:
    """Return a message if the page's canonical link names another page of the site, else None.

    If the requested section does not exist, the site may send another page, its default one (dossier sections 14 and
    18.16).
    """
    link = tree.css_first('link[rel="canonical"][href]')
    address = urls.absolute(dom.base(tree, url), dom.attribute(link, "href")) if link is not None else None
    if address is None or not site.owns(address) or is_same_source(address, url):
        return None
    return f"the page names {address} as its own URL"


def _first_fragment(control: LexborNode, site: Site) -> str:
    """Return the URL of the first fragment.

    It is the URL that the load-more control of the page requests, built from the control's `data-` attributes (dossier
    section 9).
    """
    page = dom.attribute(control, "data-page")
    query = {
        "page": page if page.isdigit() else "2",
        "zone": dom.attribute(control, "data-zone"),
        "type": dom.attribute(control, "data-type") or "zone",
        "size": dom.attribute(control, "data-size") or "30",
        "layout": dom.attribute(control, "data-layout"),
    }
    return site.url(f"{LOAD_MORE}?{urlencode(query)}")


def _next_fragment(url: str, site: Site) -> str:
    """Return the URL of the fragment that follows the fragment at `url`."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    page = query.get("page", "1")
    query["page"] = str(int(page) + 1) if re.fullmatch(r"\d{1,6}", page) else "2"
    return site.url(f"{parts.path}?{urlencode(query)}")
