"""Bytes of a feed, sitemap, home or section page to sightings and further sources; nothing is fetched here.

Boundary: pure readers. A 200 is not yet a feed (dossier 12, 18.16): what cannot be read as what it should be raises
`UnreadableSource`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from crawler.discover import feeds, lists, sitemaps
from crawler.discover.found import Discovery
from crawler.site import Site
from crawler.types import SourceForPoll

_READERS: dict[str, Callable[[bytes, str, Site, datetime], Discovery]] = {
    "home": lists.home,
    "section": lists.section,
    "feed": feeds.feed,
    "news_sitemap": sitemaps.urlset,
    "sitemap": sitemaps.urlset,
    "sitemap_index": sitemaps.index,
}


def discover(source: SourceForPoll, body: bytes, url: str, site: Site, now: datetime) -> Discovery:
    """Read one answer of a source; `url` is where it came from after redirects.

    Raises:
        UnreadableSource: the answer is not what the source should give.

    """
    return _READERS[source.kind](body, url, site, now)


__all__ = ["Discovery", "discover"]
