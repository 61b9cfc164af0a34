"""The result of reading one response of a source, and helpers that several readers use."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from crawler import urls
from crawler.discover import xml
from crawler.discover.problems import Problem, ProblemKind, Problems
from crawler.errors import UnreadableSource, UnsafeSource
from crawler.parse import dom, guard, json_text, loose_json, times
from crawler.site import Site
from crawler.types import Sighting, SourceFound

# A tag contains no `<`, so that a text of many `<` is searched once, not once for each.
_TAG = re.compile(r"<(?:/?([a-zA-Z][a-zA-Z0-9]*+)|!)[^<>]*>")
# Elements whose tags are between words. Others, also those that HTML does not know, are inside a line.
_APART = dom.BREAKING | frozenset("br img video audio iframe".split())
_HTML = _APART | dom.TEXT_LEVEL
_CODE = re.compile(r"<(?:!--|(script|style)\b)", re.IGNORECASE)
_CODE_ENDS = {"": re.compile("-->")} | {
    name: re.compile(rf"</{name}\s*+>", re.IGNORECASE) for name in ("script", "style")
}
_FUTURE = timedelta(days=2)  # a time farther ahead is wrong; editors schedule articles hours ahead
_MAX_ADDRESS = 2048  # characters of a link; the sitemap protocol allows fewer
_MAX_FAULTY = 1_000_000  # bytes of JSON that is corrected; a page of a list has about 150,000
_ENDING = re.compile(r"(?:-\d+)?(?:\.(?:vnp|vnplus|html?|aspx|rss|xml))?/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The contents of one response: sightings in their order, further sources, and the URL of the next page (`more`).

    `more` is None if there is no next page. `doubt` is the reason why the response may belong to another source, else
    None. If there is a doubt, the sightings are still valid, but the poll of the source counts as failed. `problems` is
    what is wrong with a response that could be read nevertheless: the poll counts as good, and the row of the source
    names the problems.
    """

    sightings: tuple[Sighting, ...]
    sources: tuple[SourceFound, ...] = ()
    more: str | None = None
    doubt: str | None = None
    problems: tuple[Problem, ...] = ()


def html_tree(html: bytes, url: str) -> LexborHTMLParser:
    """Return the tree of a page or fragment with a list, in UTF-8; `url` is its URL.

    Raises:
        UnsafeSource: parsing the page would take too much time or memory.

    """
    if hazard := guard.hazard(html):
        raise UnsafeSource(url, f"not safe to parse: {hazard}")
    return LexborHTMLParser(html)


def deduplicate(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    """Return the first sighting of each article; its field `position` is its index in the result, from 0.

    If the first sighting has no title, it gets the title of a later sighting of the same article. If its address has no
    slug, as an address made from a link to a print page, it gets a later address that has one.
    """
    kept: dict[int | None, Sighting] = {}
    for seen in sightings:
        first = kept.setdefault(seen.post_id, seen)
        if not first.title:
            first = replace(first, title=seen.title)
        if not urls.slug(first.url) and urls.slug(seen.url):
            first = replace(first, url=seen.url)
        kept[seen.post_id] = first
    return tuple(replace(seen, position=position) for position, seen in enumerate(kept.values()))


def usable(base: str, link: str) -> str | None:
    """Return the absolute URL of a link; None if it is not a web address, or longer than 2,048 characters."""
    return urls.absolute(base, _with_slashes(base, link)) if len(link) <= _MAX_ADDRESS else None


def article_link(site: Site, base: str, link: str | None) -> tuple[str, int] | None:
    """Return the address to request and the post id of a link to an article of this site; None for any other link.

    A link to a print page gives the address of its article, because robots.txt disallows print pages.
    """
    if link is None or len(link) > _MAX_ADDRESS:
        return None
    address = site.address(base, _with_slashes(base, link))
    post_id = urls.post_id(address) if address is not None else None
    if address is None or post_id is None:
        return None
    return (site.article_url_without_slug(post_id) if urls.is_print_page(address) else address, post_id)


def _with_slashes(base: str, link: str) -> str:
    """Return a link; one that begins with the host of `base`, but has no scheme, gets the slashes that it lacks."""
    first, slash, _ = link.partition("/")
    return f"//{link}" if slash and first.lower() == urls.host(base) else link


def instant(texts: Iterable[str], now: datetime, problems: Problems) -> datetime | None:
    """Return the first time that one of `texts` states; None if none of them does.

    A text that cannot be read with certainty, and a time that is more than two days ahead of `now`, are counted in
    `problems` and not used.
    """
    for text in texts:
        when = times.instant(text)
        if when is not None and when <= now + _FUTURE:
            return when
        problems.count(ProblemKind.DATES, text)
    return None


def json_value(body: bytes, url: str, expected: str, problems: Problems) -> Any:
    """Return the value of a source in JSON; add lost characters to `problems`. `expected` names the content in the error.

    Raises:
        UnreadableSource: the response is not JSON.

    """
    body = xml.decompressed(body, problems)
    try:
        loaded = json_text.load(body)
    except ValueError as error:
        found = _object_inside(body) or _corrected(body)
        if found is None:
            raise UnreadableSource(url, f"expected {expected}, got something else ({len(body)} bytes)") from error
        loaded, kind = found
        problems.add(kind)
    if loaded.has_lost_characters:
        problems.add(ProblemKind.LOST_CHARACTERS)
    return loaded.value


def _object_inside(body: bytes) -> tuple[json_text.Loaded, ProblemKind] | None:
    """Return the JSON object that has other content, such as a PHP message, before or after it; None if there is none."""
    start, end = body.find(b"{"), body.rfind(b"}") + 1
    if start < 0:
        return None
    kind = ProblemKind.TEXT_BEFORE if body[:start].strip() else ProblemKind.TEXT_AFTER
    try:
        return json_text.load(body[start:end]), kind
    except ValueError:
        return None


def _corrected(body: bytes) -> tuple[json_text.Loaded, ProblemKind] | None:
    """Return JSON whose usual faults, such as a comma after the last item, are corrected; None if it has others."""
    if len(body) > _MAX_FAULTY:
        return None
    try:
        loaded = json_text.load(loose_json.corrected(xml.text_of(body)))
    except ValueError:
        return None
    return (replace(loaded, value=loaded.value[0]), ProblemKind.FAULTY_JSON) if len(loaded.value) == 1 else None


def plain_text(value: object) -> str | None:
    """Return the plain text of `value`, which may contain HTML; None if there is no text or `value` is not a string.

    References to characters, and tags of HTML, are read twice, because some systems escape a text that is escaped already.
    """
    text = json_text.text(value)
    if "<" in text:
        text = _without_tags(_without_code(text))
    if "&" in text:
        text = html.unescape(_without_tags(html.unescape(text), _HTML))
    return dom.collapse(text) or None


def _without_tags(text: str, names: frozenset[str] | None = None) -> str:
    """Return `text` without tags, or without those with one of `names`; a space is left between lines."""

    def left(tag: re.Match[str]) -> str:
        name = (tag[1] or "").lower()
        return tag[0] if names is not None and name not in names else " " if name in _APART else ""

    return _TAG.sub(left, text)


def _without_code(text: str) -> str:
    """Return `text` without comments, scripts and styles that have an end."""
    parts, at = [], 0
    while (start := _CODE.search(text, at)) is not None:
        end = _CODE_ENDS[(start[1] or "").lower()].search(text, start.end())
        if end is None:
            break
        parts.append(text[at : start.start()])
        at = end.end()
    return "".join((*parts, text[at:]))


def is_same_source(one: str, other: str) -> bool:
    """Whether two URLs name the same source.

    This is the case if their paths are equal. A final slash, the file extension and a zone id (`-475` in
    `/rss/sports-475.rss`) are ignored.
    """
    return _stem(one) == _stem(other)


def _stem(url: str) -> str:
    return _ENDING.sub("", unquote(urlsplit(urls.canonical(url)).path)).lower()
