"""One page to one article, or to a named reason why not.

The order of belief is: the site's markup, then JSON-LD, then OpenGraph and other meta elements; `provenance` says which
was used. The fallbacks serve a page whose markup is unknown (drift): what they find is reported, the body is never
guessed.

Boundary: bytes in, value or `NotAnArticle` / `MarkupDrift` out; the markup files come from the caller.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import markup, site, urls
from crawler.errors import MarkupDrift, NotAnArticle
from crawler.markup import Markup
from crawler.parse import body as body_reader
from crawler.parse import classify, decode, dom, guard, related, structure, times
from crawler.parse import head as head_reader
from crawler.parse.head import Head
from crawler.site import Site
from crawler.site import Site
from crawler.types import Article, ArticleKind, Block, ImageBlock

#: Bumped when the same page may read differently; stored with each article. A better parser never makes a revision.
PARSER_VERSION = 1

_MOST_FRAMES = 30  # articles on one page that are looked at; a hostile page may have thousands
_FOREIGN = (
    "article.story",
    ".story",
    "aside",
    "nav",
    "footer",
)  # lists beside the article; their times are not its own


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where one article stands on a page: its headline, its body, and the smallest element that holds both."""

    title: LexborNode
    body: LexborNode
    root: LexborNode


@dataclass(frozen=True, slots=True)
class _Page:
    tree: LexborHTMLParser
    head: Head
    url: str
    fetched_at: datetime
    post_id: int | None
    problems: tuple[str, ...]

    def resolve(self, link: str) -> str | None:
        return urls.absolute(self.url, link)


def parse_page(
    body: bytes,
    url: str,
    *,
    content_type: str | None,
    fetched_at: datetime,
    markups: Sequence[Markup],
    edition: Site = Site(),
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
    if edition.other_edition(url):
        raise NotAnArticle(url, f"of another edition ({urls.host(url)})")
    if reason := classify.of_bytes(body):
        raise NotAnArticle(url, reason)
    decoded = decode.decode(body, content_type)
    if hazard := guard.hazard(decoded.text):
        raise NotAnArticle(url, f"a page that cannot be parsed safely: {hazard}")
    tree = LexborHTMLParser(decoded.text)
    head = head_reader.read(tree, url)
    if reason := classify.of_page(tree, head, url):
        raise NotAnArticle(url, reason)
    post_id, id_problems = _post_id(head, url)
    page = _Page(
        tree, head, url, fetched_at, post_id,
        (*decoded.problems, *_truncation(body), *head.problems, *id_problems),
    )  # fmt: skip
    for layout in markup.choose(markups, fetched_at):
        article = _read(page, layout)
        if article is not None:
            if post_id is None:
                raise NotAnArticle(url, "no post id in its address or canonical link")
            return article
    raise _unread(page)


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
    return () if b"</html" in body[-4096:].lower() else ("page: ends before </html>, it may be cut",)


def _unread(page: _Page) -> NotAnArticle | MarkupDrift:
    canonical_agrees = page.head.canonical is not None and urls.post_id(page.head.canonical) == page.post_id
    claims = page.head.says_article() or (page.post_id is not None and canonical_agrees)
    if not claims or page.post_id is None:
        return NotAnArticle(page.url, classify.of_shape(page.url) or "nothing on the page says that it is one")
    article = _fallback(page)
    missing = ("title", "body") if not article.title else ("body",)
    return MarkupDrift(page.url, missing, article)


# --- site markup


def _read(page: _Page, layout: Markup) -> Article | None:
    frame = _frame(page, layout)
    if frame is None:
        return None
    foot = related.read(page.tree, frame.body, layout.related, page.resolve)
    parts = body_reader.read(frame.body, layout.body, page.resolve, foot.elements)
    avatar = _avatar(page, layout, frame)
    blocks = (*_without_repeats(avatar, parts.blocks), *parts.blocks)
    if not blocks and not parts.has_player:
        return None  # the element is there, but nothing that we can read in it
    inline = related.inline(parts.related_links, page.resolve, foot.stories)
    published = times.choose(_times(page, layout, frame), page.fetched_at)
    news = page.head.news_article(page.post_id)
    modified, modified_problems = _modified(page, news)
    section, section_from = _section(page, layout, frame)
    fields: dict[str, tuple[object, str]] = {
        "title": (dom.text(frame.title), "markup"),
        "lead": (_lead(layout, frame), "markup"),
        "blocks": (blocks, "markup"),
        "byline": (_byline(layout, frame), "markup"),
        "tags": (_tags(layout, frame), "markup"),
        "related": ((*foot.stories, *inline), "markup"),
        "section": (section, section_from),
        "published_at": (published.iso, published.source or ""),
        "modified_at": modified,
    }
    values = {name: value for name, (value, _) in fields.items()}
    paragraphs = Article(title="", blocks=blocks).paragraphs
    return Article(
        **values,  # type: ignore[arg-type]  # the names above are the fields of Article
        kind=_kind(blocks, parts.blocks, has_player=parts.has_player),
        post_id=page.post_id,
        url=_address(page),
        dateline=structure.dateline(paragraphs[0]) if paragraphs else None,
        signature=structure.signature(paragraphs[-1]) if paragraphs else None,
        published_raw=published.raw,
        markup=layout.name,
        provenance={name: source for name, (value, source) in fields.items() if value},
        problems=(*page.problems, *published.problems, *modified_problems),
    )


def _frame(page: _Page, layout: Markup) -> _Frame | None:
    """Find the article among everything that carries its classes: sidebar stories, a preloaded next article.

    Each body is paired with a headline near it; the pair whose headline the head of the page names wins, else the first.
    """
    titles = [n for s in layout.article.title for n in page.tree.css(s)[:_MOST_FRAMES] if dom.text(n)]
    frames = [f for body in _bodies(page, layout)[:_MOST_FRAMES] if (f := _pair(page, body, titles))]
    named = [f for f in frames if _plain(dom.text(f.title)) in _head_titles(page)]
    return next(iter(named or frames), None)


def _bodies(page: _Page, layout: Markup) -> list[LexborNode]:
    for selector in layout.article.body:
        found = page.tree.css(selector)
        if found:
            identities = dom.ids(found)
            return [n for n in found if not any(a.mem_id in identities for a in dom.ancestors(n))]
    return []


def _pair(page: _Page, body: LexborNode, titles: Sequence[LexborNode]) -> _Frame | None:
    wanted = _head_titles(page)
    paths = [(t, dom.ids([t, *dom.ancestors(t)])) for t in titles]
    outside = [(t, path) for t, path in paths if body.mem_id not in path]
    for root in dom.ancestors(body):
        near = [t for t, path in outside if root.mem_id in path]
        if near:
            return _Frame(next((t for t in near if _plain(dom.text(t)) in wanted), near[0]), body, root)
    return None


def _head_titles(page: _Page) -> frozenset[str]:
    news = page.head.news_article(page.post_id)
    names = (page.head.meta.get("og:title"), head_reader.text_of(news.get("headline")), page.head.title)
    return frozenset(_plain(re.sub(site.TITLE_SUFFIX, "", name)) for name in names if name)


def _plain(text: str) -> str:
    return dom.collapse(unicodedata.normalize("NFKC", text)).casefold()


def _own(frame: _Frame, selectors: Sequence[str]) -> list[LexborNode]:
    """Give the first selector's matches within the article, leaving out lists beside it and the body itself."""
    foreign = dom.ids(dom.select(frame.root, _FOREIGN)) - {frame.root.mem_id} - dom.ids(dom.ancestors(frame.root))
    foreign |= {frame.body.mem_id}
    foreign -= dom.ids(dom.ancestors(frame.body))
    for selector in selectors:
        found = [n for n in frame.root.css(selector) if not dom.inside(n, foreign)]
        if found:
            return found
    return []


def _lead(layout: Markup, frame: _Frame) -> str | None:
    for selector in layout.article.lead:
        for node in _own(frame, (selector,)):
            skip = dom.ids(dom.select(node, layout.body.related)) - {node.mem_id}
            if text := dom.text(node, skip):
                return text
    return None


def _byline(layout: Markup, frame: _Frame) -> str | None:
    names: list[str] = []
    for node in _own(frame, layout.article.byline):
        name = dom.text(node)
        if name and name not in names:
            names.append(name)
    return ", ".join(names) or None


def _tags(layout: Markup, frame: _Frame) -> tuple[str, ...]:
    found = (dom.text(n).lstrip("#").strip() for n in _own(frame, layout.article.tags))
    return tuple(dict.fromkeys(tag for tag in found if tag))


def _avatar(page: _Page, layout: Markup, frame: _Frame) -> list[ImageBlock]:
    found: list[ImageBlock] = []
    for node in _own(frame, layout.article.avatar):
        found += body_reader.pictures(node, layout.body, page.resolve)
    return found


def _without_repeats(avatar: Sequence[ImageBlock], blocks: Sequence[Block]) -> list[ImageBlock]:
    """Leave out a lead picture that the body shows again."""
    shown = {b.url for b in blocks if isinstance(b, ImageBlock) and b.url}
    return [image for image in avatar if image.url not in shown]


def _kind(blocks: Sequence[Block], body_blocks: Sequence[Block], *, has_player: bool) -> ArticleKind:
    if Article(title="", blocks=tuple(blocks)).paragraphs:
        return "article"
    if has_player:
        return "video"
    pictures = [b for b in body_blocks if isinstance(b, ImageBlock)] or [b for b in blocks if isinstance(b, ImageBlock)]
    return "photo" if any(p.caption for p in pictures) else "infographic"


def _address(page: _Page) -> str:
    canonical = page.head.canonical
    if canonical is not None and urls.host(urls.canonical(canonical)) == urls.host(urls.canonical(page.url)):
        return urls.canonical(canonical)
    return urls.canonical(page.url)


# --- fields with several sources


def _times(page: _Page, layout: Markup, frame: _Frame) -> list[times.Candidate]:
    """List the candidates in the dossier's order of trust (section 15)."""
    candidates = _meta_times(page)
    nodes = _own(frame, layout.article.time)[:1]
    candidates += [times.Candidate("time[data-time]", dom.attribute(n, "data-time")) for n in nodes]
    candidates += [times.Candidate("time[datetime]", dom.attribute(n, "datetime")) for n in nodes]
    candidates += _news_times(page)
    candidates += [times.Candidate("visible text", dom.text(n)) for n in nodes if times.instant(dom.text(n))]
    return candidates


def _meta_times(page: _Page) -> list[times.Candidate]:
    names = ("article:published_time", "og:article:published_time", "datepublished", "pubdate")
    return [times.Candidate(f"meta {name}", page.head.meta.get(name, "")) for name in names]


def _news_times(page: _Page) -> list[times.Candidate]:
    value = head_reader.text_of(page.head.news_article(page.post_id).get("datePublished"))
    return [times.Candidate("JSON-LD datePublished", value or "")]


def _modified(page: _Page, news: Mapping[str, object]) -> tuple[tuple[str | None, str], tuple[str, ...]]:
    stated = [
        times.Candidate("meta article:modified_time", page.head.meta.get("article:modified_time", "")),
        times.Candidate("JSON-LD dateModified", head_reader.text_of(news.get("dateModified")) or ""),
    ]
    stated = [candidate for candidate in stated if candidate.raw]
    if not stated:
        return (None, ""), ()
    chosen = times.choose(stated, page.fetched_at, what="modified_at")
    return (chosen.iso, chosen.source or ""), chosen.problems


def _section(page: _Page, layout: Markup | None, frame: _Frame | None) -> tuple[str | None, str]:
    if stated := page.head.meta.get("article:section"):
        return dom.collapse(stated), "meta article:section"
    if name := _last_crumb(page.head.breadcrumbs, page):
        return name, "JSON-LD BreadcrumbList"
    if layout is not None and frame is not None:
        crumbs = [dom.text(n) for n in _own(frame, layout.article.breadcrumb)]
        crumbs = crumbs or [dom.text(n) for n in dom.select(page.tree, layout.article.breadcrumb)]
        if name := _last_crumb(crumbs, page):
            return name, "breadcrumb"
    news = page.head.news_article(page.post_id)
    return head_reader.text_of(news.get("articleSection")), "JSON-LD articleSection"


def _last_crumb(crumbs: Sequence[str], page: _Page) -> str | None:
    """Give the last crumb that is neither the home page nor the article itself."""
    titles = _head_titles(page)
    names = [c for c in crumbs if c and c.casefold() not in site.HOME_NAMES and _plain(c) not in titles]
    return names[-1] if names else None


# --- fallbacks, for a page in a markup that we do not know


def _fallback(page: _Page) -> Article:
    news = page.head.news_article(page.post_id)
    meta = page.head.meta
    title, title_from = _first_of(
        ("JSON-LD headline", head_reader.text_of(news.get("headline"))),
        ("meta og:title", re.sub(site.TITLE_SUFFIX, "", meta.get("og:title", ""))),
        ("title element", page.head.title),
    )
    lead, lead_from = _first_of(
        ("JSON-LD description", head_reader.text_of(news.get("description"))),
        ("meta og:description", _shown(page, meta.get("og:description"))),
    )
    published = times.choose([*_meta_times(page), *_news_times(page)], page.fetched_at)
    section, section_from = _section(page, None, None)
    modified, modified_problems = _modified(page, news)
    sources = {
        "title": (title, title_from),
        "lead": (lead, lead_from),
        "published_at": (published.iso, published.source or ""),
        "modified_at": modified,
        "section": (section, section_from),
    }
    return Article(
        title=title or "",
        lead=lead,
        post_id=page.post_id,
        url=_address(page),
        section=section,
        byline=head_reader.text_of(news.get("author")),
        published_at=published.iso,
        published_raw=published.raw,
        modified_at=modified[0],
        provenance={name: source for name, (value, source) in sources.items() if value},
        problems=(*page.problems, *published.problems, *modified_problems),
    )


def _shown(page: _Page, description: str | None) -> str | None:
    """Give a description only where the page shows it: a site-wide one stands in the head alone."""
    text = dom.collapse(description or "")
    visible = dom.text(page.tree.body) if page.tree.body else ""
    return text if text and text in visible else None


def _first_of(*candidates: tuple[str, str | None]) -> tuple[str | None, str]:
    return next(((value, source) for source, value in candidates if value), (None, ""))
