"""Read sightings of articles, and further sources, from feeds, sitemaps, lists, the home page and section pages.

A response with status 200 may still not be the requested source (dossier sections 12 and 18.16). If it is not of the
expected kind, `UnreadableSource` is raised. If it states another URL as its own, the field `doubt` of the returned
`Discovery` describes this. If redirects led to the URL of another source, `SourceMoved` is raised.

Boundary: pure readers; nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from crawler.discover import api, feeds, lists, sitemaps
from crawler.discover.found import Discovery, is_same_source
from crawler.discover.problems import Problem, ProblemKind
from crawler.discover.stories import related
from crawler.errors import SourceMoved
from crawler.markup import ListSelectors
from crawler.site import Site
from crawler.types import SourceForPoll, SourceFound

_READERS: dict[str, Callable[[bytes, str, Site, datetime], Discovery]] = {
    "feed": feeds.feed,
    "feed_index": feeds.feed_index,
    "news_sitemap": sitemaps.urlset,
    "sitemap": sitemaps.urlset,
    "sitemap_index": sitemaps.index,
    "list": api.page,
}
_LISTS = {"home": lists.home, "section": lists.section}
_SITEMAPS = ("news_sitemap", "sitemap", "sitemap_index")
#: The most articles of one response that are used. The largest lists of the site have about 50, its feeds 100. A hostile
#: list of 100,000 articles would otherwise be followed by 100,000 requests.
MAX_ARTICLES = 5_000
MAX_ARTICLES_OF_SITEMAP = 60_000  # the sitemap protocol allows 50,000 addresses


def discover(
    source: SourceForPoll,
    body: bytes,
    url: str,
    site: Site,
    now: datetime,
    *,
    asked: str | None = None,
    layouts: Sequence[ListSelectors] = (),
) -> Discovery:
    """Return the sightings and further sources that one response of a source lists.

    Args:
        source: the source that was polled.
        body: the response body, decompressed.
        url: the URL of the response, after redirects.
        site: the site; links to other hosts are ignored.
        now: the current time, with a time zone.
        asked: the requested URL, before redirects; None if there was no request.
        layouts: where lists without addresses have the post ids of their stories.

    Raises:
        UnreadableSource: the response is not of the source's kind, such as HTML instead of a feed.
        SourceMoved: the response is readable, but redirects led to the URL of another source.

    """
    if source.kind in _LISTS:
        found = _LISTS[source.kind](body, url, site, layouts)
    else:
        found = _READERS[source.kind](body, url, site, now)
    if asked is not None and not is_same_source(asked, url):
        raise SourceMoved(asked, SourceFound(source.kind, url))
    found = _limited(found, MAX_ARTICLES_OF_SITEMAP if source.kind in _SITEMAPS else MAX_ARTICLES)
    return replace(found, sources=tuple(replace(s, url=source.url) if s.url == url else s for s in found.sources))


def _limited(found: Discovery, most: int) -> Discovery:
    """Return the first `most` sightings; a problem says how many others there are."""
    kept, left_out = found.sightings[:most], found.sightings[most:]
    if not left_out:
        return found
    problem = Problem(ProblemKind.MORE_ARTICLES, len(left_out), left_out[0].url)
    return replace(found, sightings=kept, problems=(*found.problems, problem))


__all__ = ["Discovery", "discover", "related", "sitemaps"]
