"""Find what a surplus end tag moved out of an element, such as a second `</div>` inside the lead.

HTML ends the element at the surplus tag. What follows in it stands beside it in the tree, and its own end tag ends the
element around it. So the rest of the element is everything up to the end of the element around it.

Boundary: reads the tree and the source of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice, takewhile

from selectolax.lexbor import LexborNode

from crawler import site, urls
from crawler.markup import Markup
from crawler.parse import dom
from crawler.parse.frame import Frame, PageTree

_MOST_SURPLUS = 3  # surplus end tags directly after each other
_MOST = 200  # nodes after an element that are examined
_LONGEST_LEAD = 2_000  # characters
_IN_LEAD = (dom.TEXT_LEVEL - {"time"}) | {"p", "br", "ul", "ol", "li"}
#: Elements of lists.
LISTS = ("ul", "ol", "menu")
_MOST_LINKS = 100
_MOST_LEVELS = 4  # from a tag to the element with all tags
#: Problems of a field.
READ = "{}: an end tag is surplus; what stands after it is read, too"
LOST = "{}: an end tag is surplus, and what stands after it is not read"
LOST_START = "{0}: an end tag has no start tag, so that the {0} may be lost"
_BETWEEN_TAGS = " \t\n\r,;|/·•#-–—"
#: The rest of a comment and of a script, after `<`, in patterns.
SKIPPED = rb"!--[^-]*+(?:-(?!->)[^-]*+)*+|script[^<]*+(?:<(?!/script)[^<]*+)*+"
_NO_TAGS = "h2, h3, time, img, p"  # what lists of stories have, and no list of tags


def surplus_ends(html: bytes, tag: str) -> int:
    """Return how many more end tags than start tags of the elements `tag` the source of a page has, at least 0."""
    return max(0, balance(html, tag))


def balance(html: bytes, tag: str) -> int:
    """Return the number of end tags of the elements `tag` in the source of a page, less that of their start tags.

    Comments and scripts are left out: they often contain only one of both.
    """
    ends = [match[1] for match in _tags(tag).finditer(html) if match[1] is not None]
    return 2 * ends.count(b"/") - len(ends)


@lru_cache(maxsize=64)
def _tags(name: str) -> re.Pattern[bytes]:
    """Return a pattern that finds the tags of the elements `name`, and the comments and scripts of a page."""
    tag = rb"(/?)" + re.escape(name.encode()) + rb"[> \t\n\r\f/]"
    return re.compile(rb"<(?:" + tag + rb"|" + SKIPPED + rb")", re.IGNORECASE)


def rest(element: LexborNode, html: bytes, belongs: Callable[[LexborNode], bool]) -> list[LexborNode]:
    """Return the nodes after `element` that surplus end tags moved out of it; an empty list if there are none.

    `html` is the source of the page. `belongs` says whether a node, which is not an empty text, can be a part of the element. If
    the end tag of the element ended the element around it, all nodes up to that end must be; otherwise those before the
    first other one. Items outside of a list, or the number of end tags, show that one is surplus.
    """
    around = islice(chain((element,), dom.ancestors(element)), _MOST_SURPLUS)
    for number, closed in enumerate(around, start=1):
        first = next(_following(closed), None) if closed.tag not in ("body", "html") else None
        if first is not None and not belongs(first):
            break
        if first is not None:
            after = list(_following(closed))
            own = list(takewhile(belongs, after))
            is_whole = len(own) == len(after) or all(outer.tag != element.tag for outer in dom.ancestors(closed))
            shows_it = all(map(_is_lost_item, own)) or surplus_ends(html, element.tag or "") >= number
            return own if is_whole and shows_it else []
    return []


def _following(element: LexborNode) -> Iterator[LexborNode]:
    """Yield the texts and elements after `element` in the same element, up to a limit, except empty texts."""
    for node in islice(dom.following(element), _MOST):
        if dom.is_element(node) or (dom.is_text(node) and (node.text_content or "").strip()):
            yield node


def _is_lost_item(node: LexborNode) -> bool:
    return node.tag == "li" and node.parent is not None and node.parent.tag not in LISTS


# --- fields of the article


def rest_of_lead(element: LexborNode, page: PageTree, frame: Frame) -> tuple[str, tuple[str, ...]]:
    """Return the text that a surplus end tag moved out of `element`, the lead, and the problems found.

    Only running text is taken. Paragraphs that may be anything else are a problem.
    """
    if dom.inside(element, dom.ids(frame.bodies)):
        return "", ()
    text = dom.collapse("".join(map(_text_with_space, rest(element, page.html, _may_be_lead))))
    if 0 < len(text) <= _LONGEST_LEAD:
        return text, (READ.format("lead"),)
    parent = element.parent
    if parent is None or any(around.mem_id == parent.mem_id for around in dom.ancestors(frame.body)):
        return "", ()
    lost = (node for node in _following(element) if node.tag == "p" and dom.text(node))
    if next(lost, None) is not None and surplus_ends(page.html, element.tag or ""):
        return "", (LOST.format("lead"),)
    return "", ()


def _text_with_space(node: LexborNode) -> str:
    """Return the text of a node, with a space if an empty text follows, which `_following` leaves out."""
    after = node.next
    is_apart = after is not None and dom.is_text(after) and not (after.text_content or "").strip()
    return dom.raw_text(node) + (" " if is_apart else "")


def _may_be_lead(node: LexborNode) -> bool:
    if dom.is_text(node):
        return True
    is_plain = node.tag in _IN_LEAD and not (dom.attribute(node, "class") or dom.attribute(node, "id"))
    return is_plain and node.css_first("img, time, [class], [id]") is None


def lost_lead(page: PageTree) -> tuple[str, ...]:
    """Return a problem if a page without a lead has an end tag without its start tag, which may be that of the lead."""
    lost = any(surplus_ends(page.html, name) for name in ("div", "h2"))
    return (LOST_START.format("lead"),) if lost else ()


def without_buttons(links: list[LexborNode], page: PageTree) -> list[LexborNode]:
    """Return the tags of an article without buttons that lead nowhere, which a missing end tag puts beside them."""
    if not any(dom.attribute(link, "href").startswith("#") for link in links):
        return links
    return [link for link in links if _list_of(link, page) in site.TAG_PATHS] or links


def rest_of_tags(
    own: Sequence[LexborNode], page: PageTree, layout: Markup, frame: Frame
) -> tuple[list[LexborNode], tuple[str, ...]]:
    """Return the links that a surplus end tag moved out of the element with the tags, and the problems found.

    `own` are the links inside the element.
    """
    boxes = _boxes(own, page, layout, frame)
    if not own and not boxes:
        may_have = any(f'="/{path}/'.encode() in page.html for path in site.TAG_PATHS)
        return [], (LOST_START.format("tags"),) if may_have and surplus_ends(page.html, "div") else ()
    known = site.TAG_PATHS | {_list_of(link, page) for link in own if boxes}
    for box in boxes:
        found = rest(box, page.html, lambda node: _has_only_tags(node, known, page))
        if links := [link for node in found if dom.is_element(node) for link in node.css("a[href]")]:
            return links, (READ.format("tags"),)
        after = (link for node in islice(_following(box), _MOST_LEVELS) for link in node.css("a[href]")[:_MOST_LINKS])
        if not own and any(_list_of(link, page) in known for link in after) and surplus_ends(page.html, box.tag or ""):
            return [], (LOST.format("tags"),)
    return [], ()


def rest_of_breadcrumb(page: PageTree, layout: Markup) -> list[LexborNode]:
    """Return the links that a surplus end tag moved out of the breadcrumb."""
    selectors = list(filter(None, map(_box, layout.article.breadcrumb)))
    for box in dom.select(page.tree, selectors)[:1]:
        found = rest(box, page.html, lambda node: _leads_to_sections(node, page))
        return [link for node in found for link in (node.css("a[href]") if dom.is_element(node) else [])]
    return []


def _leads_to_sections(node: LexborNode, page: PageTree) -> bool:
    if dom.is_text(node):
        return True
    targets = [page.resolve(dom.attribute(link, "href")) or "" for link in node.css("a[href]")]
    return bool(targets) and all(urls.shape(target) in ("section", "home") for target in targets)


def _boxes(own: Sequence[LexborNode], page: PageTree, layout: Markup, frame: Frame) -> list[LexborNode]:
    """Return the elements with the tags of the article; none if nothing that may be tags follows any of them."""
    selectors = list(filter(None, map(_box, layout.article.tags)))
    if not own:
        return frame.displaced(page.tree, [", ".join(selectors)])[:1] if selectors else []
    around = list(islice(dom.ancestors(own[-1]), _MOST_LEVELS + _MOST_SURPLUS))
    firsts = [node for box in around for node in islice(_following(box), 1)]
    if not any(dom.is_text(node) or node.css_first(_NO_TAGS) is None for node in firsts):
        return []
    boxes = dom.ids(dom.select(page.tree, selectors))
    return [box for box in around[:_MOST_LEVELS] if box.mem_id in boxes]


def _box(selector: str) -> str:
    """Return the selector of the element with all tags for the `selector` of one of them, such as `.tags a`."""
    return selector.rpartition(" ")[0].rstrip(" >+~")


def _has_only_tags(node: LexborNode, known: frozenset[str], page: PageTree) -> bool:
    """Whether a node has nothing but links to lists of articles with a tag; `known` are the first parts of their paths."""
    if dom.is_text(node):
        return not (node.text_content or "").strip(_BETWEEN_TAGS)
    if node.css_first(_NO_TAGS) is not None:  # a quick test
        return False
    links = node.css("a[href]")
    is_all = not dom.text(node, dom.ids(links)).strip(_BETWEEN_TAGS)
    return is_all and all(_list_of(link, page) in known or dom.text(link).startswith(("#", "＃")) for link in links)


def _list_of(link: LexborNode, page: PageTree) -> str:
    return urls.first_part(page.resolve(dom.attribute(link, "href")) or "")
