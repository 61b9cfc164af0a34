"""Read the sitemap index, monthly sitemaps, the news sitemap, and the Sitemap lines of robots.txt.

Supported variants (dossier sections 11 and 13): months with and without a leading zero, titles as escaped CDATA, `loc`
padded with spaces, and the faults listed in `crawler/discover/xml.py`. If the index does not list the sitemap of the
current or the previous month, the URL of this sitemap is built from the usual pattern.

Boundary: bytes in, values out; `defusedxml` rejects XML with dangerous entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from defusedxml import DefusedXmlException, ElementTree

from crawler import urls
from crawler.discover import xml
from crawler.discover.found import Discovery, article_link, deduplicate
from crawler.errors import UnreadableSource
from crawler.parse import dom, times
from crawler.site import HANOI, NEWS_SITEMAP, Site
from crawler.types import Sighting, SourceFound

_MONTH = re.compile(r"(?<!\d)(20\d{2})[-_/]?(0?[1-9]|1[0-2])(?=\D*(?:\.xml|$))")
_NO_ARTICLES = re.compile(r"categor|topic|/tags?\b", re.IGNORECASE)  # dossier section 11: categories.xml, topics.xml
_CDATA = re.compile(r"^\s*<!\[CDATA\[(.*?)\]\]>\s*$", re.DOTALL)
_ROBOTS_LINE = re.compile(r"^[ \t]*sitemap[ \t]*:[ \t]*([^\s#]+)", re.IGNORECASE | re.MULTILINE)


def index(body: bytes, url: str, site: Site, now: datetime) -> Discovery:
    """Read a sitemap index: each sitemap of articles in it becomes a source.

    If the response is itself a sitemap of articles (possible on a small site), its articles are read.

    Raises:
        UnreadableSource: the response is not XML, or lists no sitemap of this site.

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
        raise UnreadableSource(url, f"the sitemap index lists no sitemap of this site (root element <{_name(root)}>)")
    return Discovery((), tuple(named))


def urlset(body: bytes, url: str, site: Site, _now: datetime) -> Discovery:
    """Read a sitemap of articles; entries for other pages are ignored.

    Raises:
        UnreadableSource: the response is not XML, or its root element is not `urlset`.

    """
    root = _root(body, url)
    if _name(root) != "urlset":
        raise UnreadableSource(url, f"expected a sitemap with the root element <urlset>, got <{_name(root)}>")
    return Discovery(deduplicate(list(_sightings(root, url, site))))


def unlisted_recent(listed: Iterable[SourceFound], site: Site, now: datetime) -> tuple[SourceFound, ...]:
    """Return the sitemaps of the current month (Hanoi time) and of the previous month, unless they are in `listed`.

    Their URLs are built from the usual pattern, so the sitemaps may not exist.
    """
    months = {source.when for source in listed}
    number = _month_number(now)
    wanted = [(n // 12, n % 12 + 1) for n in (number, number - 1)]
    return tuple(SourceFound("sitemap", site.monthly_sitemap(*m), when=m) for m in wanted if m not in months)


def is_over(source: SourceFound, now: datetime) -> bool:
    """Whether at least one whole month has passed since the end of a sitemap's month.

    Only a backfill reads such a sitemap. The month is taken from the name of the sitemap or, if the name has none, from
    the time of its last modification. Return False if both are unknown.
    """
    if source.when is not None:
        last = source.when[0] * 12 + source.when[1] - 1
    elif source.modified_at is not None:
        last = _month_number(source.modified_at)
    else:
        return False
    return _month_number(now) - last > 1


def month(url: str) -> tuple[int, int] | None:
    """Return the year and month in the name of a sitemap; None if the name has none."""
    found = _MONTH.search(urls.canonical(url).rpartition("/")[2])
    return (int(found[1]), int(found[2])) if found else None


def named_by_robots(text: str, url: str, site: Site) -> tuple[SourceFound, ...]:
    """Return all sitemaps of this site that a robots.txt file lists, wherever in the file (RFC 9309, section 2.2.4)."""
    addresses = (urls.absolute(url, line[1]) for line in _ROBOTS_LINE.finditer(text))
    return tuple(_from_robots(address) for address in addresses if address is not None and site.owns(address))


def _month_number(at: datetime) -> int:
    """Return the number of months from January of year 0 to the month of `at` in Hanoi time."""
    local = at.astimezone(HANOI)
    return local.year * 12 + local.month - 1


def _from_robots(address: str) -> SourceFound:
    """Return the source for a sitemap that robots.txt lists.

    If the name of the sitemap does not show its kind, the source is a `sitemap_index`, because the reader of an index
    accepts both an index and a list of articles.
    """
    source = _source(address, None)
    return source if source.when or source.kind != "sitemap" else SourceFound("sitemap_index", address)


def _source(address: str, lastmod: str | None) -> SourceFound:
    """Return the source for one entry of a sitemap index.

    A sitemap whose name has an unknown form also becomes a source, because it may list articles.
    """
    if urls.canonical(address).endswith(NEWS_SITEMAP) or "news.xml" in address.rpartition("/")[2]:
        return SourceFound("news_sitemap", address)
    changed = times.instant(lastmod) if lastmod else None
    return SourceFound("sitemap", address, when=month(address), modified_at=changed)


def _sightings(root: Any, url: str, site: Site) -> Iterator[Sighting]:
    for entry in root:
        target = article_link(site, url, _child(entry, "loc"))
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
    """Return the text of the first non-empty element `name` in `entry`, in any namespace; None if there is none."""
    for node in entry.iter():
        if _name(node) == name and (text := (node.text or "").strip()):
            return str(text)
    return None


def _name(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _root(body: bytes, url: str) -> Any:
    body = xml.to_utf8(body, url).lstrip()
    try:
        return _parsed(body)
    except ElementTree.ParseError as error:
        try:
            return _parsed(xml.escape_ampersands(body))
        except (ElementTree.ParseError, ValueError):
            raise UnreadableSource(url, "expected a sitemap, got something that is not well-formed XML") from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableSource(url, "expected a sitemap, got something that is not well-formed XML") from error


def _parsed(body: bytes) -> Any:
    return ElementTree.fromstring(body)
