"""What one item of a feed says about an article: links, title, summary and times, in RSS, Atom or JSON Feed.

Order of trust of the links (RFC 4287, section 4.2.7; RSS 2.0; RSS 1.0, section 5.5):

1. `link` of RSS, or the `alternate` links of Atom: HTML before other types, French before other languages;
2. `feedburner:origLink`, the original of a link to a redirecting service;
3. `guid`, unless it has `isPermaLink="false"`; `rdf:about`; `id` of Atom, if it is a web address.

Last of all, the address of an article in the query of one of these links counts: a link to a redirecting service.
Links with another relation (`self`, `related`, `enclosure`, ...) and links of other vocabularies are not the article.

Order of trust of the times: `pubDate`, `published`, `issued`, `dc:date`, `created`, `updated`, `modified`.

Boundary: values in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from crawler import urls
from crawler.discover import xml_text
from crawler.discover.element import Element
from crawler.discover.found import usable

_RELATIONS = re.compile(r"^https?://www\.iana\.org/assignments/(?:link-)?relations?/", re.IGNORECASE)
_TYPES = {"text/html": 0, "application/xhtml+xml": 1, "": 2}  # preferred first; other types come last
_MAX_LINKS = 20  # of one item
_DATES = (
    ("pubdate", ""), ("published", ""), ("published", "atom"), ("issued", ""), ("issued", "dc"), ("date", "dc"),
    ("date", ""), ("created", ""), ("created", "dc"), ("updated", ""), ("updated", "atom"), ("modified", ""),
    ("modified", "dc"),
)  # fmt: skip
#: Elements of an item whose text is used, and those of them that may contain markup.
USED = frozenset({"link", "guid", "id", "origlink", "title", "description", "summary", *(name for name, _ in _DATES)})
RICH = frozenset({"title", "description", "summary"})


@dataclass(frozen=True, slots=True)
class FeedItem:
    """The statements of one item, in their order of trust; `is_cut` if the feed ends within the item.

    Links are as the feed writes them; `base` has the URLs of `xml:base` against which they are resolved, outermost
    first.
    """

    links: tuple[str, ...] = ()
    title: str | None = None
    summary: str | None = None
    dates: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    is_cut: bool = False

    def addresses(self, url: str) -> list[str]:
        """Return the links as absolute URLs; `url` is the URL of the feed. Links that are not web addresses are left out."""
        base = url
        for further in self.bases:
            base = urls.absolute(base, further) or base
        return [address for link in self.links if (address := usable(base, link)) is not None]


def read_item(item: Element) -> FeedItem:
    """Return what an `item` of RSS or an `entry` of Atom says."""
    return FeedItem(
        links=tuple(map(xml_text.address, islice(_links(item), _MAX_LINKS))),
        title=next(iter(item.texts("title") + item.texts("title", "dc")), None),
        summary=next(iter(item.texts("description") + item.texts("summary")), None),
        dates=tuple(text for name, vocabulary in _DATES for text in item.texts(name, vocabulary)),
        bases=next((link.base for link in item.all("link") if link.base), item.base),
        is_cut=any(child.text is None for child in item.children),
    )


def relation(link: Element) -> str:
    """Return the relation of a link in lower case and without the prefix of IANA; `alternate` if it states none."""
    return _RELATIONS.sub("", link.attributes.get("rel", "").strip()).lower() or "alternate"


def _links(item: Element) -> Iterator[str]:
    own = item.all("link")
    yield from (link.text for link in own if link.text and link.text.strip() and _is_article(link))
    with_address = [link for link in (*own, *item.all("link", "atom")) if link.attributes.get("href", "").strip()]
    yield from (link.attributes["href"] for link in sorted(filter(_is_article, with_address), key=_preference))
    yield from item.texts("origlink", "feedburner")
    for guid in item.all("guid"):
        if guid.attributes.get("ispermalink", "true").strip().lower() != "false" and _is_web(guid.text):
            yield guid.text or ""
    yield from (item.attributes[name] for name in ("rdf:about", "about") if name in item.attributes)
    yield from filter(_is_web, item.texts("id"))


def _is_article(link: Element) -> bool:
    return "alternate" in relation(link).split()


def _preference(link: Element) -> tuple[int, bool]:
    kind = link.attributes.get("type", "").partition(";")[0].strip().lower()
    language = link.attributes.get("hreflang", "").strip().lower()
    return _TYPES.get(kind, len(_TYPES)), bool(language) and not language.startswith("fr")


def _is_web(text: str | None) -> bool:
    return (text or "").strip().lower().startswith(("http://", "https://"))
