"""Read the sitemap index, monthly sitemaps, the news sitemap, and the Sitemap lines of robots.txt.

Supported variants (dossier sections 11 and 13): months with and without a leading zero, titles as escaped CDATA, `loc`
padded with spaces, one URL per line instead of XML, and the faults listed in `crawler/discover/xml.py` and
`crawler/discover/xml_reader.py`. If the index does not list the sitemap of the current or the previous month, the URL of
this sitemap is built from the usual pattern.

The title of an article is its `news:title`. An `image:title` is the title of a picture, unless it is written as escaped
CDATA: this is how the agency's sites give the title of the article (dossier section 11).

Boundary: bytes in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from urllib.parse import urlsplit

from crawler import urls
from crawler.discover import xml, xml_text
from crawler.discover.element import Element, Shape
from crawler.discover.found import Discovery, article_link, deduplicate, instant, usable
from crawler.discover.problems import ProblemKind, Problems, summary
from crawler.discover.xml_reader import XmlReader
from crawler.errors import UnreadableSource
from crawler.parse import dom, times
from crawler.site import HANOI, NEWS_SITEMAP, Site, sitemap_month
from crawler.types import Sighting, SourceFound

_SITEMAP = Shape(
    roots=frozenset({"urlset", "sitemapindex"}),
    entries=frozenset({"url", "sitemap"}),
    used=frozenset({"loc", "lastmod", "title", "publication_date"}),
)
_NO_ARTICLES = re.compile(r"categor|topic|/tags?\b", re.IGNORECASE)  # dossier section 11: categories.xml, topics.xml
_ROBOTS_LINE = re.compile(r"(?:^|(?<=\r))[ \t\ufeff]*sitemap[ \t]*:[ \t]*([^\s#]+)", re.IGNORECASE | re.MULTILINE)
_LINE = re.compile(rb"[^\s<][^\r\n<]{0,3000}")
_URL_LINE = re.compile(rb"^[ \t]*+https?://", re.IGNORECASE | re.MULTILINE)
_MAX_LINES = 50_000  # the sitemap protocol's limit
_MAX_SITEMAPS = 2_000  # of one index; one per month since 2010 are fewer than 300


def index(body: bytes, url: str, site: Site, now: datetime) -> Discovery:
    """Read a sitemap index: each sitemap of articles in it becomes a source.

    If the response is itself a sitemap of articles (possible on a small site), its articles are read.

    Raises:
        UnreadableSource: the response is not a sitemap, or lists no sitemap of this site.

    """
    root, found = _read(body, url, site, now)
    if root == "sitemapindex" and not found.sources and not found.sightings:
        raise UnreadableSource(url, "the sitemap index lists no sitemap of this site")
    return found


def urlset(body: bytes, url: str, site: Site, now: datetime) -> Discovery:
    """Read a sitemap of articles; entries for other pages are ignored. Sitemaps that it lists become sources.

    Raises:
        UnreadableSource: the response is not a sitemap, or no entry can be read.

    """
    root, found = _read(body, url, site, now)
    if root == "sitemapindex" and not found.sources and not found.sightings:
        raise UnreadableSource(url, "expected a sitemap with the root element <urlset>, got an empty <sitemapindex>")
    return found


def _read(body: bytes, url: str, site: Site, now: datetime) -> tuple[str, Discovery]:
    """Return the name of the root element (`urlset` for a sitemap in plain text) and what the response lists."""
    problems, size = Problems(), len(body)
    body = xml.to_utf8(body, problems)
    if (first := _first_line(body)) is not None:
        if body[:first].strip():
            problems.add(ProblemKind.TEXT_BEFORE)
        found = _read_lines(body[first:], url, site, problems)
        if not found.sightings and not found.sources and problems.may_hide_entries:
            raise _unusable(url, problems)
        return "urlset", found
    reader = XmlReader(body, _SITEMAP, problems)
    articles: list[Sighting] = []
    named: list[SourceFound] = []
    kinds: set[str] = set()
    for entry in reader.entries():
        kinds.add(entry.name)
        if (entry.name == "url") is not _is_misplaced(entry, url, site, problems):
            articles.extend(_article(entry, url, site, now, problems))
        elif len(named) < _MAX_SITEMAPS:
            named.extend(_named(entry, url, site, problems))
        else:
            problems.add(ProblemKind.TOO_LARGE)
    if reader.root is None:
        got = "an HTML page" if reader.html else "something else"
        raise UnreadableSource(url, f"expected a sitemap, got {got} ({size} bytes)")
    if kinds - {"url" if reader.root == "urlset" else "sitemap"}:
        problems.add(ProblemKind.MIXED_ENTRIES)
    if not articles and not named and problems.may_hide_entries:
        raise _unusable(url, problems)
    return reader.root, Discovery(deduplicate(articles), tuple(named), problems=problems.found)


def _is_misplaced(entry: Element, url: str, site: Site, problems: Problems) -> bool:
    """Whether a `url` names a sitemap, or a `sitemap` an article."""
    locs = islice(_locs(entry), 1)
    if entry.name == "url":
        files = (usable(url, loc) for loc in locs if ".xml" in loc.lower())
        misplaced = any(_is_sitemap(address, url, site) for address in files if address is not None)
    else:
        misplaced = any(article_link(site, url, loc) is not None for loc in locs)
    if misplaced:
        problems.add(ProblemKind.MIXED_ENTRIES)
    return misplaced


def _unusable(url: str, problems: Problems) -> UnreadableSource:
    return UnreadableSource(url, f"no entry of the sitemap can be used; {summary(problems.found)}")


def _first_line(body: bytes) -> int | None:
    """Return the start of the first line with a URL in a sitemap in plain text; None if `body` is none."""
    if body.lstrip()[:8].lower().startswith((b"http://", b"https://")):
        return 0
    found = _URL_LINE.search(body) if b"<" not in body else None
    return found.start() if found is not None else None


def _read_lines(body: bytes, url: str, site: Site, problems: Problems) -> Discovery:
    """Read a sitemap that has one URL per line (https://www.sitemaps.org/protocol.html#otherformats).

    The URLs of sitemaps become sources, although an index should be XML.
    """
    articles: list[Sighting] = []
    named: dict[str, SourceFound] = {}
    for text in islice(_addresses(body), _MAX_LINES):
        address = usable(url, text)
        if address is None or not text.lower().startswith("http"):
            problems.count(ProblemKind.NO_LINK, text)
        elif (target := article_link(site, url, text)) is not None:
            articles.append(Sighting(url=target[0], post_id=target[1]))
        elif _is_sitemap(address, url, site) and len(named) < _MAX_SITEMAPS:
            named[address] = _source(address, None)
    return Discovery(deduplicate(articles), tuple(named.values()), problems=problems.found)


def _addresses(body: bytes) -> Iterator[str]:
    """Yield the words of the lines of a text, at most 50,000 lines."""
    for line in islice(_LINE.finditer(body), _MAX_LINES):
        yield from map(xml_text.address, xml.text_of(line[0]).split())


def _is_sitemap(address: str, url: str, site: Site) -> bool:
    """Whether `address` has the form of another sitemap of this site that may list articles."""
    if not urlsplit(address).path.lower().endswith((".xml", ".xml.gz")) or _NO_ARTICLES.search(address):
        return False
    return site.owns(address) and urls.canonical(address) != urls.canonical(url)


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


def named_by_robots(text: str, url: str, site: Site) -> tuple[SourceFound, ...]:
    """Return all sitemaps of this site that a robots.txt file lists, wherever in the file (RFC 9309, section 2.2.4)."""
    addresses = (usable(url, xml_text.address(line[1])) for line in _ROBOTS_LINE.finditer(text))
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


def _named(entry: Element, url: str, site: Site, problems: Problems) -> Iterator[SourceFound]:
    """Yield the sitemap that an entry of an index names, unless it is on another site or lists no articles."""
    addresses = [address for loc in _locs(entry) if (address := usable(url, loc)) is not None]
    address = next((a for a in addresses if site.owns(a) and urls.canonical(a) != urls.canonical(url)), None)
    if not addresses:
        _count_unlinked(entry, url, problems)
    if address is not None and not _NO_ARTICLES.search(address):
        yield _source(address, next(iter(entry.texts("lastmod")), None))


def _source(address: str, lastmod: str | None) -> SourceFound:
    """Return the source for one entry of a sitemap index.

    A sitemap whose name has an unknown form also becomes a source, because it may list articles.
    """
    if urls.canonical(address).endswith(NEWS_SITEMAP) or "news.xml" in address.rpartition("/")[2]:
        return SourceFound("news_sitemap", address)
    changed = times.instant(lastmod) if lastmod else None
    return SourceFound("sitemap", address, when=sitemap_month(address), modified_at=changed)


def _article(entry: Element, url: str, site: Site, now: datetime, problems: Problems) -> Iterator[Sighting]:
    """Yield the article of an entry, unless the entry is about another page.

    An entry should have one URL. If it has those of several articles, tags are missing between entries. It is then unknown to
    which article title and times belong; they are given to the first one.
    """
    target = next((t for loc in _locs(entry) if (t := article_link(site, url, loc)) is not None), None)
    if target is None:
        _count_unlinked(entry, url, problems)
        return
    inside = list(entry.walk())
    published = [e.text for e in inside if e.name == "publication_date" and e.vocabulary in ("news", "") and e.text]
    yield Sighting(
        url=target[0],
        post_id=target[1],
        title=_title(inside),
        published_at=instant(published, now, problems),
        modified_at=instant(entry.texts("lastmod"), now, problems),
    )
    further = map(xml_text.address, list(entry.texts("loc"))[1:])
    others = {t[1]: t[0] for loc in further if (t := article_link(site, url, loc)) is not None and t[1] != target[1]}
    if others:
        problems.add(ProblemKind.BAD_TAGS)
    yield from (Sighting(url=address, post_id=post_id) for post_id, address in others.items())


def _locs(entry: Element) -> Iterator[str]:
    """Yield the texts of the `loc` elements of an entry: its own first, then those further inside."""
    yield from map(xml_text.address, entry.texts("loc"))
    yield from (xml_text.address(e.text) for e in entry.walk() if e.name == "loc" and not e.vocabulary and e.text)


def _count_unlinked(entry: Element, url: str, problems: Problems) -> None:
    """Count an entry that has no URL. An entry that is cut off, or whose URL is of another page, is not counted."""
    locs = list(_locs(entry))
    if all(usable(url, loc) is None for loc in locs) and all(e.text is not None for e in entry.walk()):
        problems.count(ProblemKind.NO_LINK, next(filter(None, locs), ""))


def _title(inside: list[Element]) -> str | None:
    """Return the title of the article, as the module's docstring explains; None if there is none."""
    titles = [(e.vocabulary, e.text.strip()) for e in inside if e.name == "title" and e.text]
    for vocabulary in ("news", "", "image"):
        for text in [text for own, text in titles if own == vocabulary]:
            is_escaped = text.startswith(xml_text.CDATA) and text.endswith(xml_text.CDATA_END)
            plain = text[len(xml_text.CDATA) : -len(xml_text.CDATA_END)] if is_escaped else text
            if vocabulary:  # these titles are often escaped for HTML before they are escaped for XML
                plain = xml_text.unescaped(plain, Problems())
            shown = dom.collapse(plain)
            if shown and (is_escaped or vocabulary != "image"):
                return shown
    return None
