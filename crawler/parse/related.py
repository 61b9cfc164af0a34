"""Read the related stories under the heading `Voir plus`, which are not part of the article's text (dossier section 8).

It is unknown which element contains these stories in the French edition, so they are found by their visible heading.
The heading must be after the start of the article's body and before the stories. A `Voir plus` without stories is a
button.

Boundary: reads the tree; the caller passes the function that makes URLs absolute.
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

_MAX_HEADINGS = 8  # a page has one or two; a hostile one may have thousands
_MAX_SIBLINGS = 100  # elements after the heading that are searched for stories
_HEADING_HEIGHT = 3  # nested elements around the text that may be the heading (`h3 > a > b`)


@dataclass(frozen=True, slots=True)
class RelatedBlock:
    """The stories of the `Voir plus` block, and the ids of the nodes that form it (its heading and its stories)."""

    stories: tuple[Related, ...] = ()
    elements: frozenset[int] = frozenset()


def read(tree: LexborHTMLParser, body: LexborNode, selectors: RelatedSelectors, resolve: Resolve) -> RelatedBlock:
    """Return the stories of the `Voir plus` block in order, each once; an empty block if the page has none."""
    headings = list(islice(_headings(tree, selectors.heading), _MAX_HEADINGS))
    if not headings:
        return RelatedBlock()
    order = {node.mem_id: position for position, node in enumerate(tree.css("*"))}  # document order
    for heading in headings:
        if order.get(heading.mem_id, -1) < order[body.mem_id]:
            continue
        for region in _around(heading, body):
            items = [n for n in _items(region, selectors.item) if order.get(n.mem_id, 0) > order[heading.mem_id]]
            stories = _stories(items, selectors, resolve)
            if stories:
                return RelatedBlock(stories, dom.ids([heading, *items]))
    return RelatedBlock()


def inline(links: Iterable[LexborNode], resolve: Resolve, known: Sequence[Related]) -> tuple[Related, ...]:
    """Return the related stories to which `links` from the article's body lead, except stories that are in `known`."""
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
    """Yield the innermost elements whose visible text is only `label`, the text of the heading to find."""
    first_word = label.split(maxsplit=1)[0].casefold()
    for node in tree.root.traverse(include_text=True) if tree.root else ():
        if dom.is_text(node) and first_word in (node.text_content or "").casefold():
            for element in islice(dom.ancestors(node), _HEADING_HEIGHT):
                if _is_label(element, label):
                    yield element
                    break


def _is_label(node: LexborNode, label: str) -> bool:
    if len(node.text(deep=True)) > len(label) * 4:  # an element with much more text is not a heading
        return False
    return dom.text(node).replace("\u00a0", " ").strip(" :>»").casefold() == label.casefold()


def _around(heading: LexborNode, body: LexborNode) -> Iterator[Sequence[LexborNode]]:
    """Yield the parts of the page in which to search for stories, each as a list of elements.

    First come the ancestors of `heading` that do not contain `body`, each as one part, smallest first.
    The last part consists of the siblings that follow the largest of these ancestors.
    """
    own = {body.mem_id} | {a.mem_id for a in dom.ancestors(body)}
    current = heading
    while current.parent is not None and current.parent.mem_id not in own:
        current = current.parent
        yield [current]
    following: list[LexborNode] = []
    sibling = current.next
    while sibling is not None and len(following) < _MAX_SIBLINGS:
        if dom.is_element(sibling):
            following.append(sibling)
        sibling = sibling.next
    yield following


def _items(region: Sequence[LexborNode], selectors: Sequence[str]) -> list[LexborNode]:
    """Return the outermost elements inside `region` that match one of `selectors`.

    Of several selectors, only the first one that matches any element is used.
    """
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
