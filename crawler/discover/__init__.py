"""Read sightings of articles, and further sources, from feeds, sitemaps, lists, the home page and section pages.

A response with status 200 may still not be the requested source (dossier sections 12 and 18.16). If it is not of the
expected kind, `UnreadableSource` is raised. If it states another URL as its own, the field `doubt` of the returned
`Discovery` describes this. If redirects led to the URL of another source, `SourceMoved` is raised.

Boundary: pure readers; nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from crawler.discover import api, feeds, lists, sitemaps
from crawler.discover.found import Discovery, is_same_source
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
    """Return the sightings and further sources that one response of a source lists.

    Args:
        source: the source that was polled.
        body: the response body, decompressed.
        url: the URL of the response, after redirects.
        site: the site; links to other hosts are ignored.
        now: the current time, with a time zone.
        asked: the requested URL, before redirects; None if there was no request.

    Raises:
        UnreadableSource: the response is not of the source's kind, such as HTML instead of a feed.
        SourceMoved: the response is readable, but redirects led to the URL of another source.

    """
    found = _READERS[source.kind](body, url, site, now)
    if asked is not None and not is_same_source(asked, url):
        raise SourceMoved(asked, SourceFound(source.kind, url))
    return replace(found, sources=tuple(replace(s, url=source.url) if s.url == url else s for s in found.sources))


__all__ = ["Discovery", "discover", "related", "sitemaps"]
