"""Sitemap index, monthly sitemaps and the news sitemap (dossier 11).

Known oddities that are read: months without a leading zero, titles as escaped CDATA, `loc` padded with spaces, gzip
without a header that says so, `&amp;` in addresses.

Boundary: bytes in; `defusedxml` refuses entity bombs.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from defusedxml import DefusedXmlException, ElementTree

from crawler import urls
from crawler.discover.found import Discovery, article, once
from crawler.errors import UnreadableSource
from crawler.parse import dom, times
from crawler.site import NEWS_SITEMAP, Site
from crawler.types import Sighting, SourceFound

_MONTH = re.compile(r"(?<!\d)(20\d{2})[-_/]?(0?[1-9]|1[0-2])(?=\D*(?:\.xml|$))")
_CDATA = re.compile(r"^\s*<!\[CDATA\[(.*?)\]\]>\s*$", re.DOTALL)
_MAX_INFLATED = 64_000_000  # bytes; the protocol allows 50 MB


def index(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read a sitemap index: each month as a source, the news sitemap as another.

    An index that is itself a list of articles (a small site) is read as such.
    """
    root = _root(body, url)
    if _name(root) == "urlset":
        return urlset(body, url, site, _now)
    found: list[SourceFound] = []
    for entry in root:
        address = urls.absolute(url, _child(entry, "loc"))
        if address is not None and site.owns(address):
            found += _source(address)
    return Discovery((), tuple(found))


def urlset(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read a list of articles; entries of other pages are passed over."""
    root = _root(body, url)
    if _name(root) != "urlset":
        raise UnreadableSource(url, f"a sitemap was expected, the answer is <{_name(root)}>")
    return Discovery(once(list(_sightings(root, url, site))))


def _source(address: str) -> list[SourceFound]:
    if urls.canonical(address).endswith(NEWS_SITEMAP) or "news.xml" in address.rpartition("/")[2]:
        return [SourceFound("news_sitemap", address)]
    if month := _MONTH.search(urls.canonical(address).rpartition("/")[2]):
        return [SourceFound("sitemap", address, when=(int(month[1]), int(month[2])))]
    return []  # categories.xml, topics.xml: no articles in them


def _sightings(root: Any, url: str, site: Site) -> Iterator[Sighting]:
    for position, entry in enumerate(root):
        target = article(site, url, _child(entry, "loc"))
        if target is None:
            continue
        published = _child(entry, "publication_date")
        modified = _child(entry, "lastmod")
        yield Sighting(
            url=target[0],
            post_id=target[1],
            title=_title(entry),
            published_at=times.instant(published) if published else None,
            modified_at=times.instant(modified) if modified else None,
            position=position,
        )


def _title(entry: Any) -> str | None:
    raw = _child(entry, "title")
    if raw is None:
        return None
    cdata = _CDATA.match(raw)
    return dom.collapse(cdata[1] if cdata else raw) or None


def _child(entry: Any, name: str) -> str | None:
    """Give the text of the first descendant of that local name, whatever its namespace."""
    for node in entry.iter():
        if _name(node) == name and (text := (node.text or "").strip()):
            return str(text)
    return None


def _name(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _root(body: bytes, url: str) -> Any:
    if body[:2] == b"\x1f\x8b":
        body = _gunzip(body, url)
    try:
        return ElementTree.fromstring(body.lstrip())
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableSource(url, "a sitemap was expected, the answer is not well-formed XML") from error


def _gunzip(body: bytes, url: str) -> bytes:
    try:
        engine = zlib.decompressobj(wbits=31)
        data = engine.decompress(body, _MAX_INFLATED)
    except zlib.error as error:
        raise UnreadableSource(url, "a sitemap was expected, the answer is damaged gzip") from error
    if not engine.eof:
        raise UnreadableSource(url, "the gzipped sitemap is cut, or larger than 64 MB")
    return data
