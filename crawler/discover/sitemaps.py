"""Sitemap index, monthly sitemaps, the news sitemap, and the sitemaps that robots.txt names (dossier 11, 13).

Known oddities that are read: months with and without a leading zero, titles as escaped CDATA, `loc` padded with spaces,
and those of `xml`; a current month that the index does not name is tried by its address.

Boundary: bytes in; `defusedxml` refuses entity bombs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from defusedxml import DefusedXmlException, ElementTree

from crawler import urls
from crawler.discover import xml
from crawler.discover.found import Discovery, article, once
from crawler.errors import UnreadableSource
from crawler.parse import dom, times
from crawler.site import HANOI, NEWS_SITEMAP, Site
from crawler.types import Sighting, SourceFound

_MONTH = re.compile(r"(?<!\d)(20\d{2})[-_/]?(0?[1-9]|1[0-2])(?=\D*(?:\.xml|$))")
_NO_ARTICLES = re.compile(r"categor|topic|/tags?\b", re.IGNORECASE)  # dossier 11: categories.xml, topics.xml
_CDATA = re.compile(r"^\s*<!\[CDATA\[(.*?)\]\]>\s*$", re.DOTALL)
_ROBOTS_LINE = re.compile(r"^[ \t]*sitemap[ \t]*:[ \t]*([^\s#]+)", re.IGNORECASE | re.MULTILINE)


def index(body: bytes, url: str, site: Site, now: datetime) -> Discovery:
    """Read a sitemap index: each month as a source, the news sitemap as another.

    An index that is itself a list of articles (a small site) is read as such.
    """
    root = _root(body, url)
    if _name(root) == "urlset":
        return urlset(body, url, site, now)
    named: list[SourceFound] = []
    for entry in root:
        address = urls.absolute(url, _child(entry, "loc"))
        if address is not None and site.owns(address) and not _NO_ARTICLES.search(address):
            named.append(_source(address, _child(entry, "lastmod")))
    if not named:
        raise UnreadableSource(url, f"the sitemap index names no sitemap of this site (<{_name(root)}>)")
    return Discovery((), tuple(named))


def urlset(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read a list of articles; entries of other pages are passed over."""
    root = _root(body, url)
    if _name(root) != "urlset":
        raise UnreadableSource(url, f"a sitemap was expected, the answer is <{_name(root)}>")
    return Discovery(once(list(_sightings(root, url, site))))


def unnamed(named: Iterable[SourceFound], site: Site, now: datetime) -> tuple[SourceFound, ...]:
    """Give the sitemaps of this month (in Hanoi) and the last where no index names them, as they are thought to be."""
    months = {source.when for source in named}
    number = _number_of(now)
    wanted = [(n // 12, n % 12 + 1) for n in (number, number - 1)]
    return tuple(SourceFound("sitemap", site.monthly_sitemap(*m), when=m) for m in wanted if m not in months)


def is_over(source: SourceFound, now: datetime) -> bool:
    """Say whether a sitemap's month lies before the last one: it is polled no more, it is for a backfill to read.

    The month is that of its name; where the name tells none, that of its last change.
    """
    if source.when is not None:
        last = source.when[0] * 12 + source.when[1] - 1
    elif source.modified_at is not None:
        last = _number_of(source.modified_at)
    else:
        return False
    return _number_of(now) - last > 1


def month(url: str) -> tuple[int, int] | None:
    """Give the month that the name of a sitemap tells."""
    found = _MONTH.search(urls.canonical(url).rpartition("/")[2])
    return (int(found[1]), int(found[2])) if found else None


def named_by_robots(text: str, url: str, site: Site) -> tuple[SourceFound, ...]:
    """Give the sitemaps that a robots.txt names; they may stand anywhere in it (RFC 9309, 2.2.4)."""
    addresses = (urls.absolute(url, line[1]) for line in _ROBOTS_LINE.finditer(text))
    return tuple(_named(address) for address in addresses if address is not None and site.owns(address))


def _number_of(now: datetime) -> int:
    local = now.astimezone(HANOI)
    return local.year * 12 + local.month - 1


def _named(address: str) -> SourceFound:
    """Give a sitemap that robots.txt names; where its name does not tell its kind, its reader takes both kinds."""
    source = _source(address, None)
    return source if source.when or source.kind != "sitemap" else SourceFound("sitemap_index", address)


def _source(address: str, lastmod: str | None) -> SourceFound:
    """Say what an entry of an index is; one of a name that we do not know may list articles, too."""
    if urls.canonical(address).endswith(NEWS_SITEMAP) or "news.xml" in address.rpartition("/")[2]:
        return SourceFound("news_sitemap", address)
    changed = times.instant(lastmod) if lastmod else None
    return SourceFound("sitemap", address, when=month(address), modified_at=changed)


def _sightings(root: Any, url: str, site: Site) -> Iterator[Sighting]:
    for entry in root:
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
    body = xml.utf8(body, url).lstrip()
    try:
        return _parsed(body)
    except ElementTree.ParseError as error:
        try:
            return _parsed(xml.escaped(body))
        except (ElementTree.ParseError, ValueError):
            raise UnreadableSource(url, "a sitemap was expected, the answer is not well-formed XML") from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableSource(url, "a sitemap was expected, the answer is not well-formed XML") from error


def _parsed(body: bytes) -> Any:
    return ElementTree.fromstring(body)
