"""The stories under `Voir plus`: never text of the article, always kept (dossier 8).

The French edition's container is unknown, so the block is found by its visible heading first and by container classes
second; a `Voir plus` that heads no story (a load-more button) is passed over.

Boundary: reads the tree outside the article's body; addresses are resolved by the caller's function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import urls
from crawler.markup import RelatedSelectors
from crawler.parse import dom
from crawler.parse.body import Resolve
from crawler.types import Related

_HEADINGS = "h1, h2, h3, h4, h5, h6, div, span, a, p, strong, b"


def read(
    tree: LexborHTMLParser, body: LexborNode, selectors: RelatedSelectors, resolve: Resolve
) -> tuple[Related, ...]:
    """Read the stories of the block at the foot, once each, in order."""
    for region in _regions(tree, body, selectors):
        stories = _stories(region, selectors, resolve)
        if stories:
            return stories
    return ()


def inline(links: Iterable[LexborNode], resolve: Resolve, known: Sequence[Related]) -> tuple[Related, ...]:
    """Read the related links that stood inside the body, without those that are known already."""
    found: list[Related] = []
    for node in links:
        for link in [node] if node.tag == "a" else node.css("a[href]"):
            url = resolve(dom.attribute(link, "href"))
            title = dom.text(link) or dom.attribute(link, "title").strip()
            if url and title and not _known(url, (*known, *found)):
                found.append(Related(title, url=url, post_id=urls.post_id(url)))
    return tuple(found)


def _known(url: str, stories: Iterable[Related]) -> bool:
    post_id = urls.post_id(url)
    return any(url == s.url or (post_id is not None and post_id == s.post_id) for s in stories)


def _regions(tree: LexborHTMLParser, body: LexborNode, selectors: RelatedSelectors) -> Iterator[Sequence[LexborNode]]:
    """Yield the places where the stories may stand, the likeliest first."""
    own = {body.mem_id} | {a.mem_id for a in dom.ancestors(body)}
    for heading in _headings(tree, body, selectors.heading):
        yield from _around(heading, own)


def _headings(tree: LexborHTMLParser, body: LexborNode, label: str) -> Iterator[LexborNode]:
    body_id = frozenset({body.mem_id})
    for node in tree.css(_HEADINGS):
        if len(node.text(deep=True)) < len(label) * 4 and _is_label(node, label) and not dom.inside(node, body_id):
            yield node


def _is_label(node: LexborNode, label: str) -> bool:
    return dom.text(node).strip(" :>»").casefold() == label.casefold()


def _around(heading: LexborNode, own: set[int]) -> Iterator[Sequence[LexborNode]]:
    """Yield ever larger surroundings of a heading that do not hold the article's body, then what follows it."""
    current = heading
    while current.parent is not None and current.parent.mem_id not in own:
        current = current.parent
        yield [current]
    following: list[LexborNode] = []
    sibling = current.next
    while sibling is not None:
        if dom.is_element(sibling):
            following.append(sibling)
        sibling = sibling.next
    yield following


def _stories(region: Sequence[LexborNode], selectors: RelatedSelectors, resolve: Resolve) -> tuple[Related, ...]:
    stories: list[Related] = []
    for item in _items(region, selectors.item):
        story = _story(item, selectors, resolve)
        if story and not (story.url and _known(story.url, stories)):
            stories.append(story)
    return tuple(stories)


def _items(region: Sequence[LexborNode], selectors: Sequence[str]) -> list[LexborNode]:
    """Give the story elements by the first selector that finds any; an item inside another is part of it."""
    for selector in selectors:
        found = [node for root in region for node in root.css(selector)]
        if found:
            identities = dom.ids(found)
            return [n for n in found if not any(a.mem_id in identities for a in dom.ancestors(n))]
    return []


def _story(item: LexborNode, selectors: RelatedSelectors, resolve: Resolve) -> Related | None:
    heading = next(iter(_first(item, selectors.title)), None)
    title = dom.text(heading) if heading else ""
    link = _link(heading, item)
    title = title or (dom.attribute(link, "title").strip() if link else "")
    if not title or link is None:
        return None
    url = resolve(dom.attribute(link, "href"))
    summary = next((t for n in _first(item, selectors.summary) if (t := dom.text(n)) and t != title), "")
    return Related(title, summary, _caption(item, title), url, urls.post_id(url) if url else None)


def _first(item: LexborNode, selectors: Sequence[str]) -> list[LexborNode]:
    return next((found for selector in selectors if (found := item.css(selector))), [])


def _link(heading: LexborNode | None, item: LexborNode) -> LexborNode | None:
    link = heading.css_first("a[href]") if heading else None
    return link or item.css_first("a[href]")


def _caption(item: LexborNode, title: str) -> str | None:
    image = item.css_first("img")
    alt = dom.collapse(dom.attribute(image, "alt")) if image else ""
    return alt if alt and alt != title else None
