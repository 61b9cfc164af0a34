"""What a reader finds in one answer of a source."""

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
    """Sightings in the order of the source, further sources, and the address of the next page where there is one.

    `doubt` says why the answer may not be that of the source: then its articles are taken, but nothing is concluded.
    """

    sightings: tuple[Sighting, ...]
    sources: tuple[SourceFound, ...] = ()
    more: str | None = None
    doubt: str | None = None


def once(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    """Keep the first sighting of each article, with the title of a later one where the first had none.

    Their positions are their places among the articles; 0 is the top.
    """
    kept: dict[int | None, Sighting] = {}
    for seen in sightings:
        first = kept.setdefault(seen.post_id, replace(seen, position=len(kept)))
        if not first.title:
            kept[seen.post_id] = replace(first, title=seen.title)
    return tuple(kept.values())


def article(site: Site, base: str, link: str | None) -> tuple[str, int] | None:
    """Give canonical address and post id of a link to an article of this site; None for any other link."""
    url = urls.absolute(base, link)
    if url is None or not site.owns(url):
        return None
    canonical = urls.canonical(url)
    post_id = urls.post_id(canonical)
    return (canonical, post_id) if post_id is not None else None


def plain(value: object) -> str | None:
    """Give the text of a value that may hold HTML; None when there is none."""
    text = value if isinstance(value, str) else ""
    return dom.collapse(html.unescape(_TAG.sub(" ", text))) or None


def same_place(one: str, other: str) -> bool:
    """Say whether two addresses name one source: same path, but for its slash, its ending and the number in it."""
    return _stem(one) == _stem(other)


def _stem(url: str) -> str:
    return _ENDING.sub("", unquote(urlsplit(urls.canonical(url)).path)).lower()
