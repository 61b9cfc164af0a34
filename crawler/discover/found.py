"""The result of reading one response of a source, and helpers that several readers use."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from crawler import urls
from crawler.errors import UnsafeSource
from crawler.parse import dom, guard
from crawler.site import Site
from crawler.types import Sighting, SourceFound

_TAG = re.compile(r"<[^>]*>")
_ENDING = re.compile(r"(?:-\d+)?(?:\.(?:vnp|html?|aspx|rss|xml))?/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The contents of one response: sightings in their order, further sources, and the URL of the next page (`more`).

    `more` is None if there is no next page. `doubt` is the reason why the response may belong to another source, else
    None. If there is a doubt, the sightings are still valid, but the poll of the source counts as failed.
    """

    sightings: tuple[Sighting, ...]
    sources: tuple[SourceFound, ...] = ()
    more: str | None = None
    doubt: str | None = None


def html_tree(text: str, url: str) -> LexborHTMLParser:
    """Return the tree of a page or fragment with a list; `url` is its URL.

    Raises:
        UnsafeSource: parsing the text would take too much time or memory.

    """
    if hazard := guard.hazard(text):
        raise UnsafeSource(url, f"not safe to parse: {hazard}")
    return LexborHTMLParser(text)


def deduplicate(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    """Return the first sighting of each article; its field `position` is its index in the result, from 0.

    If the first sighting has no title, it gets the title of a later sighting of the same article.
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
    """Return the plain text of `value`, which may contain HTML; None if there is no text or `value` is not a string."""
    text = value if isinstance(value, str) else ""
    return dom.collapse(html.unescape(_TAG.sub(" ", text))) or None


def is_same_source(one: str, other: str) -> bool:
    """Whether two URLs name the same source.

    This is the case if their paths are equal. A final slash, the file extension and a zone id (`-475` in
    `/rss/sports-475.rss`) are ignored.
    """
    return _stem(one) == _stem(other)


def _stem(url: str) -> str:
    return _ENDING.sub("", unquote(urlsplit(urls.canonical(url)).path)).lower()
