"""Parse one page into an `Article`, or raise an exception with the reason why this is not possible.

Title, lead, body, byline and tags are read from the markup that the layout describes. The section and the times may be
stated in several places; `fields` reads the most trusted one. If no known layout fits the page (layout drift), only the
metadata is read, JSON-LD before OpenGraph; the body is never guessed. The field `provenance` of the article records
where each field was found.

Boundary: bytes in; an `Article` out, or `NotAnArticle` or `MarkupDrift` raised. The caller passes the layouts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser

from crawler import markup, site, urls
from crawler.errors import MarkupDrift, NotAnArticle, Rejection
from crawler.markup import DataPaths, Markup
from crawler.parse import body as body_reader
from crawler.parse import (
    classify,
    damaged_tags,
    decode,
    dom,
    ending,
    fields,
    frame,
    guard,
    inline,
    related,
    script_data,
    stories,
    structure,
    time_elements,
    unread,
)
from crawler.parse import head as head_reader
from crawler.parse.body import BodyParts
from crawler.parse.frame import Frame, PageTree
from crawler.parse.head import Head
from crawler.site import FRENCH, Site
from crawler.types import Article, ArticleKind, Block, ImageBlock, Related, TextBlock

#: Stored with each article. Increase it when the parser may return a different article for the same page. A better
#: parser never creates a revision.
PARSER_VERSION = 9

_AMP_IMAGE = re.compile(rb"<(/?)amp-img\b", re.IGNORECASE)
_INFOGRAPHIC = re.compile(r"\W*+(?:infographi|graphique)", re.IGNORECASE)  # a caption that is the credit of one
_MAX_RELATED = 1_000  # stories; each becomes a page to fetch, and an article has about ten
_MAX_TITLE = 100_000  # characters; a title is copied into an address, the search index and each list


def parse_page(
    body: bytes,
    url: str,
    *,
    content_type: str | None,
    fetched_at: datetime,
    markups: Sequence[Markup],
    edition: Site = FRENCH,
) -> Article:
    """Return the article on one page.

    Args:
        body: the page as HTML bytes, decompressed.
        url: the URL of the response (after redirects).
        content_type: the `Content-Type` header; None if unknown.
        fetched_at: the time of the fetch, with a time zone. It determines the order in which the layouts are tried. A
            publication time later than the fetch is reported as a problem.
        markups: the known layouts.
        edition: the archived edition; pages of other editions are rejected, because their ids belong to other
            sequences.

    Raises:
        NotAnArticle: the page is not an article; the exception contains the rejection.
        MarkupDrift: the page says that it is an article, but it has none of the known layouts; the exception contains
            the fields found in the metadata.

    """
    page = open_page(body, url, content_type, fetched_at, edition)
    layouts = markup.choose(markups, fetched_at)
    for layout in layouts:
        article = read_with_layout(page, layout)
        if article is not None:
            if page.post_id is None:
                raise NotAnArticle(url, Rejection.NO_POST_ID)
            return article
    raise _unreadable(page, layouts)


def open_page(body: bytes, url: str, content_type: str | None, fetched_at: datetime, edition: Site) -> PageTree:
    """Decode and parse the page; raise `NotAnArticle` if it cannot be an article."""
    if edition.is_other_edition(url):
        raise NotAnArticle(url, Rejection.OTHER_EDITION, f"{Rejection.OTHER_EDITION.description} ({urls.host(url)})")
    if found := classify.of_bytes(body):
        raise NotAnArticle(url, *found)
    decoded = decode.decode(body, content_type)
    if hazard := guard.hazard(decoded.html):
        raise NotAnArticle(url, Rejection.UNSAFE, f"{Rejection.UNSAFE.description}: {hazard}")
    tree = LexborHTMLParser(decoded.html)
    if tree.css_first("amp-img") is not None:  # a picture in pages for phones
        tree = LexborHTMLParser(_AMP_IMAGE.sub(rb"<\1img", decoded.html))
    changes = inline.prepare(tree)
    head = head_reader.read(tree, url)
    if rejection := classify.of_page(tree, head, url):
        raise NotAnArticle(url, rejection)
    post_id, id_problems = _post_id(head, url)
    problems = (
        *decoded.problems,
        *_truncation(body),
        *unread.swallowed_end(tree, decoded.html),
        *unread.hidden_by_script(tree, decoded.html),
        *head.problems,
        *id_problems,
        *changes,
    )
    return PageTree(tree, head, url, fetched_at, post_id, problems, decoded.html)


def _post_id(head: Head, url: str) -> tuple[int | None, tuple[str, ...]]:
    """Return the post id of the page (None if it has none) and the problems found.

    The id in the canonical link is preferred to the id in `url`, if both URLs have the same host.
    """
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
    return ("page: ends before </html>, it may be cut",) if ending.is_cut_off(body) else ()


# --- known layout


def read_with_layout(page: PageTree, layout: Markup) -> Article | None:
    """Return the article on a page as read with one layout; None if the page does not have this layout."""
    if layout.data.script:
        described = script_data.opened(page, layout.data)
        return read_with_layout(described, replace(layout, data=DataPaths())) if described is not None else None
    found = frame.find(page, layout)
    if found is None:
        return None
    foot = related.read(page.tree, found.body, layout.related, page.resolve, skip=found.foreign, html=page.html)
    found = replace(found, foreign=found.foreign | foot.elements)
    unclosed, lost = unread.unclosed(found.bodies, page.html)
    parts, further = _body(page, layout, found, foot.stories, unclosed)
    too_many = (f"related: only the first {_MAX_RELATED} stories are used",) if len(further) > _MAX_RELATED else ()
    blocks = (*fields.avatar(page, layout, found, parts.blocks), *parts.blocks)
    if not blocks and not parts.has_player:
        return None  # the body element exists, but nothing in it can be read
    section, section_from = fields.section(page, layout, found)
    title = _title(page, layout, found)
    shown = time_elements.find(layout, found)
    published, modified = fields.published(page, shown), fields.modified(page, shown)
    paragraphs = Article(title="", blocks=blocks).paragraphs
    signature, unsigned = _signature(page, found, blocks, paragraphs)
    lead, of_lead = fields.lead(page, layout, found)
    tags, of_tags = fields.tags(page, layout, found)
    source, with_related = unread.source_of(found.title, found.bodies[-1], foot.stories, page.html)
    lost += (*unread.without_start(source), *damaged_tags.find(with_related))
    others = (*foot.problems, *of_lead, *of_tags, *lost, *unread.hidden_text(found.bodies), *unsigned)
    article = Article(
        title=title,
        lead=lead,
        blocks=blocks,
        related=further[:_MAX_RELATED],
        post_id=page.post_id,
        url=fields.address(page),
        kind="article" if paragraphs else _kind_without_text(blocks, parts),
        section=section,
        dateline=structure.dateline(paragraphs[0]) if paragraphs else None,
        signature=signature,
        byline=fields.byline(layout, found),
        tags=tags,
        published_at=published.iso,
        published_raw=published.raw,
        modified_at=modified.iso,
        markup=layout.name,
        problems=(*page.problems, *published.problems, *modified.problems, *too_many, *others),
    )
    sources = {"section": section_from, "published_at": published.source, "modified_at": modified.source}
    return _with_provenance(article, sources)


def _title(page: PageTree, layout: Markup, found: Frame) -> str:
    title = found.text(found.title, layout)
    if len(title) > _MAX_TITLE:
        reason = f"{Rejection.UNSAFE.description}: a title of {len(title)} characters"
        raise NotAnArticle(page.url, Rejection.UNSAFE, reason)
    return title


def _body(
    page: PageTree, layout: Markup, found: Frame, foot: tuple[Related, ...], unclosed: frozenset[int]
) -> tuple[BodyParts, tuple[Related, ...]]:
    """Return the contents of all parts of the body, and the related stories at the foot of the page and in the body."""
    whole = BodyParts()
    for element in found.bodies:
        parts = body_reader.read(element, layout, page.resolve, found.foreign, unclosed)
        whole.blocks += parts.blocks
        whole.related_links += parts.related_links
        whole.has_player |= parts.has_player
    return whole, (*foot, *stories.inline(whole.related_links, page.resolve, foot))


def _signature(
    page: PageTree, found: Frame, blocks: Sequence[Block], paragraphs: Sequence[str]
) -> tuple[str | None, tuple[str, ...]]:
    """Return the signature of the article, None if it has none, and a problem if another part of the page has one then."""
    signature = structure.signature_of(paragraphs) or structure.signature_of(_without_items(blocks))
    return signature, () if signature else _lost_signature(page, found, blocks)


def _lost_signature(page: PageTree, found: Frame, blocks: Sequence[Block]) -> tuple[str, ...]:
    article = Article(title="", blocks=tuple(blocks))
    read = (*article.paragraphs, *(image.caption for image in article.images if image.caption))
    return unread.lost_signature(read, found.paragraphs(page.tree))


def _without_items(blocks: Sequence[Block]) -> Sequence[str]:
    """Return the paragraphs of a text without lists and quotes: footnotes and embedded posts may follow the signature."""
    texts = (block for block in blocks if isinstance(block, TextBlock) and block.type not in ("list_item", "quote"))
    return Article(title="", blocks=tuple(texts)).paragraphs


def _kind_without_text(blocks: Sequence[Block], parts: BodyParts) -> ArticleKind:
    if parts.has_player:
        return "video"
    pictures = [b for b in parts.blocks if isinstance(b, ImageBlock)] or [
        b for b in blocks if isinstance(b, ImageBlock)
    ]
    captions = [p.caption for p in pictures if p.caption]
    return "photo" if any(not _INFOGRAPHIC.match(caption) for caption in captions) else "infographic"


def _with_provenance(article: Article, sources: dict[str, str | None]) -> Article:
    from_markup = ("title", "lead", "blocks", "related", "byline", "tags")
    provenance = {name: "markup" for name in from_markup if getattr(article, name)}
    provenance |= {name: source for name, source in sources.items() if source and getattr(article, name)}
    return replace(article, provenance=provenance)


# --- unknown layout


def _unreadable(page: PageTree, layouts: Sequence[Markup]) -> NotAnArticle | MarkupDrift:
    canonical_agrees = page.head.canonical is not None and urls.post_id(page.head.canonical) == page.post_id
    is_article = page.head.declares_article() or (page.post_id is not None and canonical_agrees)
    if not is_article or page.post_id is None:
        return NotAnArticle(page.url, classify.of_shape(page.url) or Rejection.UNMARKED)
    found_title = any(frame.headlines(page, layout) for layout in layouts)
    found_body = any(body_reader.read(b, m, page.resolve).blocks for m in layouts for b in frame.bodies(page, m)[:1])
    missing = [name for name, found in (("title", found_title), ("body", found_body)) if not found]
    return MarkupDrift(page.url, tuple(missing or ["title next to a body"]), metadata_article(page))


def metadata_article(page: PageTree) -> Article:
    """Return an article with the fields that the page's metadata contains, but without a body."""
    news, meta = page.news, page.head.meta
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


def _shown(page: PageTree, description: str | None) -> str | None:
    """Return `description` if the visible text of the page contains it, else None.

    If it is only the general description of the site, it occurs in the metadata alone, so None is returned.
    """
    visible = dom.text(page.tree.body) if page.tree.body else ""
    return description if description and description in visible else None


def _first_of(*candidates: tuple[str, str | None]) -> tuple[str | None, str]:
    return next(((value, source) for source, value in candidates if value), (None, ""))
