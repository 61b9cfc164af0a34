"""Read the fields of an article that are outside its body.

Boundary: one function per field. If a page states a field in several places, dossier sections 4, 5 and 15 decide which
of them is trusted first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, takewhile

from selectolax.lexbor import LexborNode

from crawler import site, urls
from crawler.markup import Markup
from crawler.parse import body as body_reader
from crawler.parse import dom, structure, surplus, times
from crawler.parse import head as head_reader
from crawler.parse.frame import Frame, PageTree, comparable
from crawler.parse.time_elements import TimeElement, first_with_day
from crawler.types import Block, ImageBlock

_PUBLISHED = (
    "article:published_time", "og:article:published_time", "datepublished", "pubdate", "dc.date.issued", "dcterms.issued",
    "parsely-pub-date", "article:published", "og:pubdate", "sailthru.date", "dc.date.created", "dcterms.created", "dc.date", "dcterms.date",
)  # fmt: skip
_BEFORE_TAG = f"#＃{dom.INVISIBLE}"
_AROUND_TAG = " ,;\u00a0\u202f"
_AROUND_CRUMB = " \u00a0>›»/|→"
_CUT, _SHORTEST_START = ". …", 8  # signs at the end of a title that is cut; characters of its start
_MODIFIED = ("article:modified_time", "og:article:modified_time", "datemodified", "og:updated_time")


def lead(page: PageTree, layout: Markup, frame: Frame) -> tuple[str | None, tuple[str, ...]]:
    """Return the lead (the introductory text) of the article, None if it is missing or empty, and the problems found.

    A lead inside the body is used only if there is none outside it.
    """
    selectors = layout.article.lead
    body = dom.ids(frame.bodies)
    outside = (frame.own((selector,)) for selector in selectors)
    anywhere = (frame.displaced(page.tree, (selector,)) for selector in selectors)
    for node in chain.from_iterable(chain(outside, anywhere)):  # most pages have a lead at the first place
        if node.mem_id in body:
            continue
        skip = dom.ids(dom.select(node, layout.body.related)) - {node.mem_id}
        text = frame.text(node, layout, skip)
        rest, problems = surplus.rest_of_lead(node, page, frame)
        if rest or dom.is_visible(text):
            return dom.collapse(f"{text} {rest}"), problems
    return None, surplus.lost_lead(page)


def byline(layout: Markup, frame: Frame) -> str | None:
    """Return the names of the authors, joined by commas; None if the page names none, as is usual for agency texts."""
    nodes = frame.own(layout.article.byline)
    # Without its end tag, an element with a name contains the time after it.
    names = (dom.text(node, dom.ids(dom.select(node, layout.article.time)) - {node.mem_id}) for node in nodes)
    return ", ".join(dict.fromkeys(name for name in names if dom.is_visible(name))) or None


def tags(page: PageTree, layout: Markup, frame: Frame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the article's tags without the leading `#`, each tag only once, and the problems found."""
    own = frame.displaced(page.tree, layout.article.tags)
    own = surplus.without_buttons(own, page)
    further, problems = surplus.rest_of_tags(own, page, layout, frame)
    found = (dom.text(node).lstrip(_BEFORE_TAG).strip(_AROUND_TAG) for node in (*own, *further))
    return tuple(dict.fromkeys(tag for tag in found if tag)), problems


def avatar(page: PageTree, layout: Markup, frame: Frame, blocks: Sequence[Block]) -> list[ImageBlock]:
    """Return the article's lead picture (rarely several), except pictures whose URL already occurs in `blocks`."""
    shown = {b.url for b in blocks if isinstance(b, ImageBlock) and b.url}
    found: list[ImageBlock] = []
    for node in frame.own(layout.article.avatar):
        own = body_reader.pictures(node, layout, page.resolve)
        if own and own[-1].caption is None and (caption := _caption_after(node, layout, frame)):
            own[-1] = replace(own[-1], caption=caption, credit=structure.credit(caption))
        found += own
    return [image for image in found if image.url not in shown]


def _caption_after(node: LexborNode, layout: Markup, frame: Frame) -> str | None:
    """Return the text of a caption element directly after a lead picture; None if something else comes first."""
    following = _next_filled(node)
    parent = node.parent
    while following is None and parent is not None and not dom.text(parent):  # elements around the picture alone
        following, parent = _next_filled(parent), parent.parent
    if following is None or following.mem_id not in dom.ids(frame.own(layout.body.caption)):
        return None
    return dom.text(following) or None


def _next_filled(node: LexborNode) -> LexborNode | None:
    following = node.next
    while following is not None and not (dom.text(following) if dom.is_element(following) else _own_text(following)):
        following = following.next
    return following


def _own_text(node: LexborNode) -> str:
    return (node.text_content or "").strip() if dom.is_text(node) else ""


def address(page: PageTree) -> str:
    """Return the page's canonical link if this has the same host as the fetched URL, else the fetched URL.

    Percent escapes and the query stay as the page states them.
    """
    stated = page.head.canonical
    if stated is None or urls.host(urls.canonical(stated)) != urls.host(urls.canonical(page.url)):
        stated = urls.absolute(page.url, page.url) or page.url
    return urls.citable(stated)


def section(page: PageTree, layout: Markup | None = None, frame: Frame | None = None) -> tuple[str | None, str]:
    """Return the article's section (None if the page names none) and the place on the page where it was found."""
    stated = head_reader.text_of(page.head.meta.get("article:section"))
    if stated and stated.casefold() not in site.HOME_NAMES and not stated.startswith(("http://", "https://")):
        return stated, "meta article:section"
    if name := _last_crumb(page.head.breadcrumbs, page):
        return name, "JSON-LD BreadcrumbList"
    if layout is not None and frame is not None:
        own = frame.own(layout.article.breadcrumb) or dom.outermost(dom.select(page.tree, layout.article.breadcrumb))
        crumbs = _before_title(own, page, layout, frame) or own or surplus.rest_of_breadcrumb(page, layout)
        if name := _last_crumb([dom.text(n) for n in crumbs], page):
            return name, "breadcrumb"
    return head_reader.text_of(page.news.get("articleSection")), "JSON-LD articleSection"


def _before_title(crumbs: Sequence[LexborNode], page: PageTree, layout: Markup, frame: Frame) -> list[LexborNode]:
    """Return those of `crumbs` that stand before the headline: without its end tag, their element contains other links."""
    if len(crumbs) < 2:
        return list(crumbs)
    ordered = dom.select(page.tree, (*layout.article.breadcrumb, *layout.article.title))
    before = dom.ids(takewhile(lambda node: node.mem_id != frame.title.mem_id, ordered))
    return [crumb for crumb in crumbs if crumb.mem_id in before]


def published(page: PageTree, shown: Sequence[TimeElement] = ()) -> times.Chosen:
    """Return the publication time; if the page states several times, the most trusted one (dossier section 15).

    `shown` are the elements of the article that show a time, none if its layout is unknown.
    """
    own = first_with_day(shown, "published")
    with_text = own or [element for element in shown if element.stated.modified and element.stated.published][:1]
    candidates = [
        *(times.DateCandidate(f"meta {name}", page.head.meta.get(name, "")) for name in _PUBLISHED),
        *(times.DateCandidate(f"time[{name}]", value) for element in own for name, value in element.stamps),
        times.DateCandidate("JSON-LD datePublished", _news(page, "datePublished")),
        *(times.DateCandidate("visible text", e.text) for e in with_text if e.stated.has_date),
    ]
    return times.choose(candidates, page.fetched_at)


def modified(page: PageTree, shown: Sequence[TimeElement] = ()) -> times.Chosen:
    """Return the time of the last change; an empty `Chosen` without problems if the page does not state it.

    `shown` are the elements of the article that show a time, none if its layout is unknown.
    """
    own = first_with_day(shown, "modified")
    stated = [
        *(times.DateCandidate(f"meta {name}", page.head.meta.get(name, "")) for name in _MODIFIED),
        *(times.DateCandidate(f"time[{name}]", value) for element in own for name, value in element.stamps),
        times.DateCandidate("JSON-LD dateModified", _news(page, "dateModified")),
        *(times.DateCandidate("visible text", e.text) for e in own if e.stated.has_date),
        *(times.DateCandidate("visible text", e.text) for e in shown if e not in own and e.stated.modified),
    ]
    if not any(candidate.raw for candidate in stated):
        return times.Chosen()
    return times.choose(stated, page.fetched_at, what="modified_at")


def _news(page: PageTree, key: str) -> str:
    return head_reader.text_of(page.news.get(key)) or ""


def _last_crumb(crumbs: Sequence[str], page: PageTree) -> str | None:
    """Return the last breadcrumb that names neither the home page nor the article itself; None if there is none."""
    bare = (crumb.strip(_AROUND_CRUMB) for crumb in reversed(crumbs))
    names = (c for c in bare if c and c.casefold() not in site.HOME_NAMES)
    return next((name for name in names if not _is_title(name, page)), None)


def _is_title(crumb: str, page: PageTree) -> bool:
    """Whether a breadcrumb is the title of the article, which may be cut: `Le Vietnam et la…`."""
    name = comparable(crumb)
    start = name.rstrip(_CUT)
    is_cut = start != name and len(start) >= _SHORTEST_START
    return name in page.titles or (is_cut and any(title.startswith(start) for title in page.titles))
