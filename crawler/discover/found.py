"""The result of reading one response of a source, and helpers shared by the readers."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from crawler import urls
from crawler.parse import dom
from crawler.site import Site
from crawler.types import Sighting, SourceFound

_TAG = re.compile(r"<[^>]*>")
_ENDING = re.compile(r"(?:-\d+)?(?:\.(?:vnp|html?|aspx|rss|xml))?/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Discovery:
    """Sightings in the order of the source, further sources, and `more`: the URL of the next page, if there is one.

    `doubt` is the reason why the response may belong to another source. Its sightings are still valid, but the poll of
    the source counts as failed.
    """

    sightings: tuple[Sighting, ...]
    sources: tuple[SourceFound, ...] = ()
    more: str | None = None
    doubt: str | None = None


def deduplicate(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    """Return the first sighting of each article, with its place in the result (from 0) as `position`.

    A sighting without a title gets the title of a later sighting of the same article.
    """
    kept: dict[int | None, Sighting] = {}
    for seen in sightings:
        first = kept.setdefault(seen.post_id, replace(seen, position=len(kept)))
        if not first.title:
            kept[seen.post_id] = replace(first, title=seen.title)
    return tuple(kept.values())


def article_link(site: Site, base: str, link: str | None) -> tuple[str, int] | None:
    """Return the canonical URL and post id of a link to an article of this site; None for any other link."""
    url = urls.absolute(base, link)
    if url is None or not site.owns(url):
        return None
    canonical = urls.canonical(url)
    post_id = urls.post_id(canonical)
    return (canonical, post_id) if post_id is not None else None


def plain_text(value: object) -> str | None:
    """Return the text of a string that may contain HTML; None if it is empty or `value` is not a string."""
    text = value if isinstance(value, str) else ""
    return dom.collapse(html.unescape(_TAG.sub(" ", text))) or None


def is_same_source(one: str, other: str) -> bool:
    """Whether two URLs name the same source.

    Their paths must be equal, ignoring a final slash, the file extension and a zone id (`/rss/sports-475.rss`).
    """
    return _stem(one) == _stem(other)


def _stem(url: str) -> str:
    return _ENDING.sub("", unquote(urlsplit(urls.canonical(url)).path)).lower()
