"""RSS and Atom feeds (dossier 12), read by a kept parser that forgives what real feeds do.

Boundary: bytes in. Dates come out in UTC (the parser drops the offset); they serve as hints only.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import fastfeedparser

from crawler.discover.found import Discovery, article, once
from crawler.errors import UnreadableSource
from crawler.parse import dom, times
from crawler.site import Site
from crawler.types import Sighting

_TAG = re.compile(r"<[^>]*>")
_FEED = re.compile(rb"<(rss|feed|rdf:RDF)\b", re.IGNORECASE)
_REACH = 2048  # bytes in which a feed shows that it is one


def feed(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read the items of a feed, newest first as the site orders them.

    Raises:
        UnreadableSource: the answer is no feed: HTML, a dozen bytes, nothing.

    """
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:_REACH]
    if not start.startswith(b"<") or not _FEED.search(start):  # the parser takes other text for an address to fetch
        raise UnreadableSource(url, f"a feed was expected, the answer is none ({len(body)} bytes)")
    try:
        entries = fastfeedparser.parse(body).entries
    except ValueError as error:
        raise UnreadableSource(url, "the feed cannot be read") from error
    return Discovery(once(list(_sightings(entries, url, site))))


def _sightings(entries: list[Mapping[str, Any]], url: str, site: Site) -> Iterator[Sighting]:
    for position, entry in enumerate(entries):
        target = article(site, url, entry.get("link")) or article(site, url, entry.get("id"))
        if target is not None:
            yield Sighting(
                url=target[0],
                post_id=target[1],
                title=_text(entry.get("title")),
                summary=_text(entry.get("description")),
                published_at=times.instant(entry.get("published") or ""),
                position=position,
            )


def _text(value: str | None) -> str | None:
    return dom.collapse(html.unescape(_TAG.sub(" ", value or ""))) or None
