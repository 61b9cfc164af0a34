"""One page to one article, or to a named reason why not.

The order of belief is: the site's markup, then JSON-LD, then OpenGraph and other meta elements; `provenance` says which
was used. The fallbacks serve a page whose markup is unknown (drift): what they find is reported, the body is never
guessed.

Boundary: bytes in, value or `NotAnArticle` / `MarkupDrift` out; the markup files come from the caller.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser

from crawler import markup, site, urls
from crawler.errors import MarkupDrift, NotAnArticle, Rejection
from crawler.markup import Markup
from crawler.parse import body as body_reader
from crawler.parse import classify, decode, dom, fields, frame, guard, related, structure
from crawler.parse import head as head_reader
from crawler.parse.body import BodyParts
from crawler.parse.frame import Frame, Page
from crawler.parse.head import Head
from crawler.site import FRENCH, Site
from crawler.types import Article, ArticleKind, Block, ImageBlock, Related

#: Bumped when the same page may read differently; stored with each article. A better parser never makes a revision.
PARSER_VERSION = 2

_TAIL = 4096  # bytes in which a whole page ends


def parse_page(
    body: bytes,
    url: str,
    *,
    content_type: str | None,
    fetched_at: datetime,
    markups: Sequence[Markup],
    edition: Site = FRENCH,
) -> Article:
    """Read the article on one page.

    Args:
        body: the page as HTML bytes, inflated.
        url: the address it was fetched from (after redirects).
        content_type: the `Content-Type` header, None when unknown.
        fetched_at: when it was fetched (aware); chooses the markup version and bounds publication times.
        markups: the known layouts.
        edition: the site; pages of the agency's other editions have ids of another sequence and are refused.

    Raises:
        NotAnArticle: with the reason.
        MarkupDrift: it says that it is an article, but no known layout fits; carries what the fallbacks found.

    """
    page = _open(body, url, content_type, fetched_at, edition)
    layouts = markup.choose(markups, fetched_at)
    for layout in layouts:
        article = _read(page, layout)
        if article is not None:
            if page.post_id is None:
                raise NotAnArticle(url, Rejection.NO_POST_ID)
            return article
    raise _unread(page, layouts)


def _open(body: bytes, url: str, content_type: str | None, fetched_at: datetime, edition: Site) -> Page:
    """Decode and parse the page, refusing what cannot be an article at all."""
    if edition.other_edition(url):
        raise NotAnArticle(url, Rejection.OTHER_EDITION, f"a page of another edition ({urls.host(url)})")
    if found := classify.of_bytes(body):
        raise NotAnArticle(url, *found)
    decoded = decode.decode(body, content_type)
    if hazard := guard.hazard(decoded.text):
        raise NotAnArticle(url, Rejection.UNSAFE, f"a page that is not safe to parse: {hazard}")
    tree = LexborHTMLParser(decoded.text)
    head = head_reader.read(tree, url)
    if rejection := classify.of_page(tree, head, url):
        raise NotAnArticle(url, rejection)
    post_id, id_problems = _post_id(head, url)
    problems = (*decoded.problems, *_truncation(body), *head.problems, *id_problems)
    return Page(tree, head, url, fetched_at, post_id, problems)


def _post_id(head: Head, url: str) -> tuple[int | None, tuple[str, ...]]:
    """Give the id that the page is stored under: the canonical link's, on the same site, before the address's own."""
    own = urls.post_id(url)
    if head.canonical is None:
        return own, ()
    if urls.host(urls.canonical(head.canonical)) != urls.host(urls.canonical(url)):
        return own, (f"canonical: names another host: {head.canonical}",)
    named = urls.post_id(head.canonical)
    if named is not None and own is not None and named != own:
        return named, (f"canonical: names post {named}, the address names post {own}",)
    return named if named is not None else own, ()


def _truncation(body: bytes) -> tuple[str, ...]:
    return () if b"</html" in body[-_TAIL:].lower() else ("page: ends before </html>, it may be cut",)


# --- a layout that we know


def _read(page: Page, layout: Markup) -> Article | None:
    place = frame.find(page, layout)
    if place is None:
        return None
    parts, stories = _body(page, layout, place)
    blocks = (*fields.avatar(page, layout, place, parts.blocks), *parts.blocks)
    if not blocks and not parts.has_player:
        return None  # the element is there, but nothing that we can read in it
    section, section_from = fields.section(page, layout, place)
    published, modified = fields.published(page, layout, place), fields.modified(page)
    paragraphs = Article(title="", blocks=blocks).paragraphs
    article = Article(
        title=dom.text(place.title),
        lead=fields.lead(layout, place),
        blocks=blocks,
        related=stories,
        post_id=page.post_id,
        url=fields.address(page),
        kind=_kind(blocks, parts),
        section=section,
        dateline=structure.dateline(paragraphs[0]) if paragraphs else None,
        signature=structure.signature(paragraphs[-1]) if paragraphs else None,
        byline=fields.byline(layout, place),
        tags=fields.tags(layout, place),
        published_at=published.iso,
        published_raw=published.raw,
        modified_at=modified.iso,
        markup=layout.name,
        problems=(*page.problems, *published.problems, *modified.problems),
    )
    sources = {"section": section_from, "published_at": published.source, "modified_at": modified.source}
    return _with_provenance(article, sources)


def _body(page: Page, layout: Markup, place: Frame) -> tuple[BodyParts, tuple[Related, ...]]:
    """Read all elements of the body, and the related stories at the foot and inside it."""
    foot = related.read(page.tree, place.body, layout.related, page.resolve)
    whole = BodyParts()
    for element in place.bodies:
        parts = body_reader.read(element, layout, page.resolve, foot.elements)
        whole.blocks += parts.blocks
        whole.related_links += parts.related_links
        whole.has_player |= parts.has_player
    return whole, (*foot.stories, *related.inline(whole.related_links, page.resolve, foot.stories))


def _kind(blocks: Sequence[Block], parts: BodyParts) -> ArticleKind:
    if Article(title="", blocks=tuple(blocks)).paragraphs:
        return "article"
    if parts.has_player:
        return "video"
    pictures = [b for b in parts.blocks if isinstance(b, ImageBlock)] or [
        b for b in blocks if isinstance(b, ImageBlock)
    ]
    return "photo" if any(p.caption for p in pictures) else "infographic"


def _with_provenance(article: Article, sources: dict[str, str | None]) -> Article:
    from_markup = ("title", "lead", "blocks", "related", "byline", "tags")
    provenance = {name: "markup" for name in from_markup if getattr(article, name)}
    provenance |= {name: source for name, source in sources.items() if source and getattr(article, name)}
    return replace(article, provenance=provenance)


# --- a layout that we do not know


def _unread(page: Page, layouts: Sequence[Markup]) -> NotAnArticle | MarkupDrift:
    canonical_agrees = page.head.canonical is not None and urls.post_id(page.head.canonical) == page.post_id
    claims = page.head.says_article() or (page.post_id is not None and canonical_agrees)
    if not claims or page.post_id is None:
        return NotAnArticle(page.url, classify.of_shape(page.url) or Rejection.UNMARKED)
    found_title = any(frame.headlines(page, layout) for layout in layouts)
    found_body = any(body_reader.read(b, m, page.resolve).blocks for m in layouts for b in frame.bodies(page, m)[:1])
    missing = [name for name, found in (("title", found_title), ("body", found_body)) if not found]
    return MarkupDrift(page.url, tuple(missing or ["title beside a body"]), _fallback(page))


def _fallback(page: Page) -> Article:
    """Give what the head of the page says; the body is not guessed."""
    news, meta = page.head.news_article(page.post_id), page.head.meta
    title, title_from = _first_of(
        ("JSON-LD headline", head_reader.text_of(news.get("headline"))),
        ("meta og:title", re.sub(site.TITLE_SUFFIX, "", meta.get("og:title", ""))),
        ("title element", page.head.title),
    )
    lead, lead_from = _first_of(
        ("JSON-LD description", head_reader.text_of(news.get("description"))),
        ("meta og:description", _shown(page, meta.get("og:description"))),
    )
    published, modified = fields.published(page), fields.modified(page)
    section, section_from = fields.section(page)
    article = Article(
        title=title or "",
        lead=lead,
        post_id=page.post_id,
        url=fields.address(page),
        section=section,
        byline=head_reader.text_of(news.get("author")),
        published_at=published.iso,
        published_raw=published.raw,
        modified_at=modified.iso,
        problems=(*page.problems, *published.problems, *modified.problems),
    )
    sources = {
        "title": title_from,
        "lead": lead_from,
        "section": section_from,
        "byline": "JSON-LD author",
        "published_at": published.source,
        "modified_at": modified.source,
    }
    return _with_provenance(article, sources)


def _shown(page: Page, description: str | None) -> str | None:
    """Give a description only where the page shows it: a site-wide one stands in the head alone."""
    visible = dom.text(page.tree.body) if page.tree.body else ""
    return description if description and description in visible else None


def _first_of(*candidates: tuple[str, str | None]) -> tuple[str | None, str]:
    return next(((value, source) for source, value in candidates if value), (None, ""))
