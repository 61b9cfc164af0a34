"""Read a page's metadata: title, meta elements, canonical link, JSON-LD.

Boundary: reads the tree; does not choose between contradicting values. The names of the metadata are those in dossier
section 4 and in schema.org.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import site, urls
from crawler.markup import FULL_STORY
from crawler.parse import dom, json_text, loose_json

# The types of schema.org for an article, in lower case.
_ARTICLE_TYPES = frozenset(
    "article newsarticle analysisnewsarticle askpublicnewsarticle backgroundnewsarticle opinionnewsarticle "
    "reportagenewsarticle reviewnewsarticle report blogposting liveblogposting advertisercontentarticle".split()
)
_LD_WRAPPING = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*;?\s*$")
_ITEMS = frozenset("article li aside nav".split())
_POSITION = re.compile(r"\d{1,4}", re.ASCII)
_MAX_LD = 1_000_000  # characters of all scripts of a page; an article has up to 30,000
_SHOWN = 60  # characters of a damaged tag in a problem
_MAX_MICRODATA = 200  # `<meta>` elements outside of the head; a page with lists may have some dozens
_LEVELS = 20  # elements around such an element
_LD_DEPTH = 12  # levels of nested JSON-LD objects and lists to read


@dataclass(frozen=True, slots=True)
class Head:
    """The metadata of one page; missing values are None or empty. `base` is the URL for its relative links."""

    base: str
    title: str | None
    canonical: str | None
    meta: Mapping[str, str]
    news: tuple[Mapping[str, Any], ...]
    breadcrumbs: tuple[str, ...]
    problems: tuple[str, ...]

    def news_article(self, post_id: int | None) -> Mapping[str, Any]:
        """Return the JSON-LD object of the page's own article; an empty object if there is none.

        The object of a preloaded next article is not returned. An object with the id `post_id` is preferred to an
        object without an id. If `post_id` is None and every object has an id, the first object is used.
        """
        with_same_id = (n for n in self.news if post_id is not None and post_id in _ids(n))
        without_id = (n for n in self.news if not _ids(n))
        return next(with_same_id, next(without_id, self.news[0] if self.news and post_id is None else {}))

    def declares_article(self) -> bool:
        """Whether the page declares in its JSON-LD or OpenGraph metadata that it is an article."""
        return bool(self.news) or self.meta.get("og:type", "").lower() == "article"


def read(tree: LexborHTMLParser, url: str) -> Head:
    """Return the metadata of the page fetched from `url`. JSON-LD is read from anywhere in the page."""
    problems: list[str] = []
    found: defaultdict[str | None, list[LexborNode]] = defaultdict(list)
    for node in tree.css('base[href], meta, script[type*="ld+json" i]'):
        found[node.tag].append(node)
    objects = list(_json_ld(found["script"], problems))
    title = tree.css_first("title")
    link = tree.css_first('link[rel~="canonical"]')
    base = urls.original(dom.base_of(found["base"], url))
    return Head(
        base=base,
        title=_headline(dom.collapse(title.text(deep=True))) if title else None,
        canonical=urls.original(urls.absolute(base, dom.attribute(link, "href")) or "") or None if link else None,
        meta=_meta(found["meta"], problems),
        news=tuple(o for o in objects if _types(o) & _ARTICLE_TYPES),
        breadcrumbs=_breadcrumbs(objects),
        problems=tuple(problems),
    )


def text_of(value: Any) -> str | None:
    """Return a JSON-LD value as text; None if it contains no text.

    If the value is a list, its first item is used; if it is an object, its value or name. HTML entities are resolved
    twice, because headlines are HTML-escaped inside JSON (dossier section 4).
    """
    if isinstance(value, list):
        value = next(iter(value), None)
    if isinstance(value, Mapping):
        value = value.get("@value") or value.get("name") or value.get("@id")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return dom.collapse(html.unescape(html.unescape(value))) or None


def _headline(title: str) -> str | None:
    return re.sub(site.TITLE_SUFFIX, "", title) or None


def _meta(nodes: Iterable[LexborNode], problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    examined = 0  # elements with microdata inside another element
    for node in nodes:
        attributes = node.attributes
        named = attributes.get("property") or attributes.get("name") or ""
        key = named or attributes.get("itemprop") or ""
        is_usual = len(attributes) == 2 and named and "content" in attributes  # a quick test: both names are known
        if '"' in key or (not is_usual and dom.is_damaged(attributes)):
            shown = dom.collapse(" ".join(value or name for name, value in attributes.items()))[:_SHOWN]
            problems.append(f"metadata: a tag is damaged and is not read: {shown!r}")
            continue
        value = _without_stray_quote(dom.collapse(attributes.get("content") or ""))
        if not key or not value:
            continue
        if not named and node.parent is not None and node.parent.tag != "head":
            examined += 1
            if examined > _MAX_MICRODATA or _is_of_story(node):
                continue
        found.setdefault(key.strip().lower(), value)
    return found


def _without_stray_quote(value: str) -> str:
    """Return a value without the quotation mark at its end if the one at its start is missing; such a value has no spaces."""
    return value[:-1] if value.endswith('"') and value.count('"') == 1 and " " not in value else value


def _is_of_story(node: LexborNode) -> bool:
    """Whether a `<meta>` with microdata belongs to a story in a list: the item around it contains no whole article."""
    around = (a for a in islice(dom.ancestors(node), _LEVELS) if a.tag in _ITEMS or "itemscope" in a.attrs)
    item = next(around, None)
    return item is not None and item.css_first(FULL_STORY) is None


def _json_ld(scripts: Iterable[LexborNode], problems: list[str]) -> Iterator[Mapping[str, Any]]:
    size = 0
    for number, node in enumerate(scripts, start=1):
        source = node.text(deep=True).strip()
        if not _is_bare_json(source):
            source = _LD_WRAPPING.sub("", _LD_WRAPPING.sub("", source)).strip().rstrip(";")
        if not source:
            continue
        size += len(source)
        if size > _MAX_LD:
            problems.append(f"JSON-LD: script {number} and those after it are not read: too large")
            return
        loaded = _loaded(source, f"JSON-LD: script {number}", problems)
        if loaded is not None:
            yield from _objects(loaded.value, 0)


def _loaded(source: str, name: str, problems: list[str]) -> json_text.Loaded | None:
    """Return the JSON of the script `name`, after correction if it is faulty; None if it cannot be read."""
    try:
        loaded = json_text.load(source)
    except ValueError as error:
        try:
            loaded = json_text.load(loose_json.corrected(source))
        except ValueError:
            problems.append(f"{name} is broken: {error}")
            return None
        problems.append(f"{name} is faulty and was read after correction: {error}")
    problems += [f"{name}: {problem}" for problem in loaded.problems]
    return loaded


def _is_bare_json(source: str) -> bool:
    """Whether nothing is wrapped around the JSON of a script: a quick test, because the patterns read it to its end."""
    return source[:1] in ("{", "[") and source[-1:] in ("}", "]")


def _objects(data: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _LD_DEPTH:
        return
    if isinstance(data, list):
        for item in data:
            yield from _objects(item, depth + 1)
    elif isinstance(data, dict):
        yield data
        yield from _objects(data.get("@graph"), depth + 1)
        yield from _objects(data.get("mainEntity"), depth + 1)
        yield from _objects(data.get("breadcrumb"), depth + 1)
        if isinstance(page := data.get("mainEntityOfPage"), dict):
            yield from _objects(page.get("breadcrumb"), depth + 1)


def _types(data: Mapping[str, Any]) -> set[str]:
    kind = data.get("@type")
    names = map(str, kind if isinstance(kind, list) else [kind])
    return {name.rpartition("/")[2].rpartition(":")[2].lower() for name in names}


def _ids(news: Mapping[str, Any]) -> set[int]:
    page = news.get("mainEntityOfPage")
    places = [news.get("url"), news.get("@id"), page.get("@id") if isinstance(page, Mapping) else page]
    found = (urls.post_id(place) for place in places if isinstance(place, str))
    return {i for i in found if i is not None}


def _breadcrumbs(objects: list[Mapping[str, Any]]) -> tuple[str, ...]:
    for data in objects:
        items = data.get("itemListElement")
        if "breadcrumblist" in _types(data) and isinstance(items, list):
            crumbs = sorted((item for item in items if isinstance(item, Mapping)), key=_position)
            return tuple(name for name in map(_crumb, crumbs) if name)
    return ()


def _position(item: Mapping[str, Any]) -> int:
    """Return the position that a breadcrumb states; 0 if it states none, so that the order of the list counts."""
    stated = text_of(item.get("position")) or ""
    return int(stated) if _POSITION.fullmatch(stated) else 0


def _crumb(item: Mapping[str, Any]) -> str | None:
    named = (text for key in ("name", "item") if (text := text_of(item.get(key))))
    return next((text for text in named if not text.startswith(("http://", "https://"))), None)
