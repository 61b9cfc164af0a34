"""The fields of an article that stand outside its body, each by its own order of belief.

Boundary: one function a field; the order of sources is the dossier's (sections 4, 5, 15).
"""

from __future__ import annotations

from collections.abc import Sequence

from crawler import site, urls
from crawler.markup import Markup
from crawler.parse import body as body_reader
from crawler.parse import dom, times
from crawler.parse import head as head_reader
from crawler.parse.frame import Frame, Page, comparable
from crawler.types import Block, ImageBlock

_PUBLISHED = ("article:published_time", "og:article:published_time", "datepublished", "pubdate")


def lead(layout: Markup, frame: Frame) -> str | None:
    """Give the article's own lead; None when it has none or it is empty."""
    for selector in layout.article.lead:
        for node in frame.own((selector,)):
            skip = dom.ids(dom.select(node, layout.body.related)) - {node.mem_id}
            if text := dom.text(node, skip):
                return text
    return None


def byline(layout: Markup, frame: Frame) -> str | None:
    """Give the names of the authors; usually none on agency copy."""
    names = (dom.text(node) for node in frame.own(layout.article.byline))
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def tags(layout: Markup, frame: Frame) -> tuple[str, ...]:
    """Give the tags without `#`, once each."""
    found = (dom.text(node).lstrip("#").strip() for node in frame.own(layout.article.tags))
    return tuple(dict.fromkeys(tag for tag in found if tag))


def avatar(page: Page, layout: Markup, frame: Frame, blocks: Sequence[Block]) -> list[ImageBlock]:
    """Give the lead picture, unless the body shows the same one."""
    shown = {b.url for b in blocks if isinstance(b, ImageBlock) and b.url}
    found: list[ImageBlock] = []
    for node in frame.own(layout.article.avatar):
        found += body_reader.pictures(node, layout, page.resolve)
    return [image for image in found if image.url not in shown]


def address(page: Page) -> str:
    """Give the address to cite: the page's own canonical link when it is on the same site, else where it came from."""
    stated = page.head.canonical
    if stated is not None and urls.host(urls.canonical(stated)) == urls.host(urls.canonical(page.url)):
        return urls.canonical(stated)
    return urls.canonical(page.url)


def section(page: Page, layout: Markup | None = None, frame: Frame | None = None) -> tuple[str | None, str]:
    """Give the section and where it came from."""
    if stated := page.head.meta.get("article:section"):
        return stated, "meta article:section"
    if name := _last_crumb(page.head.breadcrumbs, page):
        return name, "JSON-LD BreadcrumbList"
    if layout is not None and frame is not None:
        own = frame.own(layout.article.breadcrumb) or dom.select(page.tree, layout.article.breadcrumb)
        if name := _last_crumb([dom.text(n) for n in own], page):
            return name, "breadcrumb"
    news = page.head.news_article(page.post_id)
    return head_reader.text_of(news.get("articleSection")), "JSON-LD articleSection"


def published(page: Page, layout: Markup | None = None, frame: Frame | None = None) -> times.Chosen:
    """Give the time of publication by the order of trust (dossier 15)."""
    nodes = frame.own(layout.article.time)[:1] if layout is not None and frame is not None else []
    shown = [dom.text(n) for n in nodes]
    stamps = layout.attributes.time if layout is not None else ()
    candidates = [
        *(times.Candidate(f"meta {name}", page.head.meta.get(name, "")) for name in _PUBLISHED),
        *(times.Candidate(f"time[{name}]", dom.attribute(n, name)) for name in stamps for n in nodes),
        times.Candidate("JSON-LD datePublished", _news(page, "datePublished")),
        *(times.Candidate("visible text", text) for text in shown if times.instant(text)),
    ]
    return times.choose(candidates, page.fetched_at)


def modified(page: Page) -> times.Chosen:
    """Give the time of the last change, where the page states one; its absence is no problem."""
    stated = [
        times.Candidate("meta article:modified_time", page.head.meta.get("article:modified_time", "")),
        times.Candidate("JSON-LD dateModified", _news(page, "dateModified")),
    ]
    if not any(candidate.raw for candidate in stated):
        return times.Chosen()
    return times.choose(stated, page.fetched_at, what="modified_at")


def _news(page: Page, key: str) -> str:
    return head_reader.text_of(page.head.news_article(page.post_id).get(key)) or ""


def _last_crumb(crumbs: Sequence[str], page: Page) -> str | None:
    """Give the last crumb that is neither the home page nor the article itself."""
    names = [c for c in crumbs if c and c.casefold() not in site.HOME_NAMES and comparable(c) not in page.titles()]
    return names[-1] if names else None
