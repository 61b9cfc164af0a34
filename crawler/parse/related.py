"""The stories under `Voir plus`: never text of the article, always kept (dossier 8).

The French edition's container is unknown, so the block is found by its visible heading: one that stands behind the
article's text (or inside its body) and is followed by stories. A `Voir plus` that heads no story is a button.

Boundary: reads the tree; addresses are resolved by the caller's function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import urls
from crawler.markup import RelatedSelectors
from crawler.parse import dom
from crawler.parse.body import Resolve
from crawler.types import Related

_MOST_HEADINGS = 8  # a page has one or two; a hostile one may have thousands
_MOST_SIBLINGS = 100  # elements behind the heading among which its stories are looked for
_HEADING_HEIGHT = 3  # elements around the words that may still be the heading (`h3 > a > b`)


@dataclass(frozen=True, slots=True)
class Found:
    """The stories of the block, and the elements that make it up (heading and stories)."""

    stories: tuple[Related, ...] = ()
    elements: frozenset[int] = frozenset()


def read(tree: LexborHTMLParser, body: LexborNode, selectors: RelatedSelectors, resolve: Resolve) -> Found:
    """Read the stories of the block at the foot, once each, in order."""
    headings = list(islice(_headings(tree, selectors.heading), _MOST_HEADINGS))
    if not headings:
        return Found()
    places = {node.mem_id: place for place, node in enumerate(tree.css("*"))}
    for heading in headings:
        if places.get(heading.mem_id, -1) < places[body.mem_id]:
            continue
        for region in _around(heading, body):
            items = [n for n in _items(region, selectors.item) if places.get(n.mem_id, 0) > places[heading.mem_id]]
            stories = _stories(items, selectors, resolve)
            if stories:
                return Found(stories, dom.ids([heading, *items]))
    return Found()


def inline(links: Iterable[LexborNode], resolve: Resolve, known: Sequence[Related]) -> tuple[Related, ...]:
    """Read the related links that stood inside the body, without those that are known already."""
    found: list[Related] = []
    for node in links:
        for link in [node] if node.tag == "a" else node.css("a[href]"):
            url = resolve(dom.attribute(link, "href"))
            title = dom.text(link) or dom.collapse(dom.attribute(link, "title"))
            if url and title and not _known(url, (*known, *found)):
                found.append(Related(title, url=url, post_id=urls.post_id(url)))
    return tuple(found)


def _known(url: str, stories: Iterable[Related]) -> bool:
    post_id = urls.post_id(url)
    return any(url == s.url or (post_id is not None and post_id == s.post_id) for s in stories)


def _headings(tree: LexborHTMLParser, label: str) -> Iterator[LexborNode]:
    """Yield the elements whose whole visible text is the label, the innermost of each."""
    first_word = label.split(maxsplit=1)[0].casefold()
    for node in tree.root.traverse(include_text=True) if tree.root else ():
        if dom.is_text(node) and first_word in (node.text_content or "").casefold():
            for element in islice(dom.ancestors(node), _HEADING_HEIGHT):
                if _is_label(element, label):
                    yield element
                    break


def _is_label(node: LexborNode, label: str) -> bool:
    if len(node.text(deep=True)) > len(label) * 4:  # an element that holds much more is no heading
        return False
    return dom.text(node).replace("\u00a0", " ").strip(" :>»").casefold() == label.casefold()


def _around(heading: LexborNode, body: LexborNode) -> Iterator[Sequence[LexborNode]]:
    """Yield ever larger surroundings of a heading that do not hold the article's body, then what follows it."""
    own = {body.mem_id} | {a.mem_id for a in dom.ancestors(body)}
    current = heading
    while current.parent is not None and current.parent.mem_id not in own:
        current = current.parent
        yield [current]
    following: list[LexborNode] = []
    sibling = current.next
    while sibling is not None and len(following) < _MOST_SIBLINGS:
        if dom.is_element(sibling):
            following.append(sibling)
        sibling = sibling.next
    yield following


def _items(region: Sequence[LexborNode], selectors: Sequence[str]) -> list[LexborNode]:
    """Give the story elements by the first selector that finds any; an item inside another is part of it."""
    for selector in selectors:
        found = [node for root in region for node in root.css(selector)]
        if found:
            identities = dom.ids(found)
            return [n for n in found if not any(a.mem_id in identities for a in dom.ancestors(n))]
    return []


def _stories(items: Iterable[LexborNode], selectors: RelatedSelectors, resolve: Resolve) -> tuple[Related, ...]:
    stories: list[Related] = []
    for item in items:
        story = _story(item, selectors, resolve)
        if story and not (story.url and _known(story.url, stories)):
            stories.append(story)
    return tuple(stories)


def _story(item: LexborNode, selectors: RelatedSelectors, resolve: Resolve) -> Related | None:
    heading = next(iter(_first(item, selectors.title)), None)
    title = dom.text(heading) if heading else ""
    link = _link(heading, item)
    title = title or (dom.collapse(dom.attribute(link, "title")) if link else "")
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
