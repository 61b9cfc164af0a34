"""Bytes of a feed, sitemap, list, home or section page to sightings and further sources; nothing is fetched here.

Boundary: pure readers. A 200 is not yet a feed (dossier 12, 18.16): what cannot be read as what it should be raises
`UnreadableSource`; what was read, but is that of another address, is not believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from crawler.discover import api, feeds, lists, sitemaps
from crawler.discover.found import Discovery, same_place
from crawler.discover.stories import related
from crawler.errors import SourceMoved
from crawler.site import Site
from crawler.types import SourceForPoll, SourceFound

_READERS: dict[str, Callable[[bytes, str, Site, datetime], Discovery]] = {
    "home": lists.home,
    "section": lists.section,
    "feed": feeds.feed,
    "feed_index": feeds.feed_index,
    "news_sitemap": sitemaps.urlset,
    "sitemap": sitemaps.urlset,
    "sitemap_index": sitemaps.index,
    "list": api.page,
}


def discover(
    source: SourceForPoll, body: bytes, url: str, site: Site, now: datetime, *, asked: str | None = None
) -> Discovery:
    """Read one answer of a source; `asked` is the address that was asked for, `url` where redirects led from there.

    Raises:
        UnreadableSource: the answer is not what the source should give.
        SourceMoved: it is, but it stands at another address.

    """
    found = _READERS[source.kind](body, url, site, now)
    if asked is not None and not same_place(asked, url):
        raise SourceMoved(asked, SourceFound(source.kind, url))
    return replace(found, sources=tuple(replace(s, url=source.url) if s.url == url else s for s in found.sources))


__all__ = ["Discovery", "discover", "related", "sitemaps"]
