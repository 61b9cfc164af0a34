"""Find the related stories under the heading `Voir plus`, which are not part of the article's text (dossier section 8).

It is unknown which elements contain the heading and the stories in the French edition. So the heading is found by its
visible text, and the stories are the links to articles that follow it, in whatever elements they are. The block ends
where something else begins, such as another list with its own heading.

Inside the body, the article's own text may follow the heading, so only elements that contain nothing but stories belong
to the block there. A `Voir plus` without stories, or at the end of a list, is a button.

Boundary: reads the tree; `stories` reads the parts of a story. The caller passes the function that makes URLs absolute.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.markup import FULL_STORY, RelatedSelectors
from crawler.parse import dom, read_also, stories, surplus
from crawler.parse.stories import Links, Resolve
from crawler.types import Related

_MAX_HEADINGS = 8  # a page has one or two; a hostile one may have thousands
_MAX_SIBLINGS = 200  # elements after the heading that are searched for stories
_MAX_LEVELS = 30  # ancestors of the heading whose following siblings are searched
_HEADING_HEIGHT = 6  # nested elements around the text that may be the heading (`h3 > a > b`)
_LONGEST_HEADING = 200  # characters, with white space
_HEADING_PARTS = 30  # elements and texts of a heading
_SHORT = 60  # characters; a longer text between the heading and the stories shows that they do not belong together
_SUMMARY = 600  # characters beside the link of a story inside the body
_BESIDE = frozenset("aside nav footer header form main".split())
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = frozenset(
    "address article aside blockquote br caption center dd div dl dt figure figcaption footer h1 h2 h3 h4 h5 h6 header hr "
    "img li ol p section summary table tbody td tfoot th thead tr ul".split()
)
_SIDEBAR = re.compile(r"(?:^|[\s_-])(?:sidebar|side-bar|col-right|right-col|footer)(?:$|[\s_-])", re.IGNORECASE)
_DECORATION = re.compile(r"\(\s*\d+\s*\)|\b\d+\b|[^\w\s]|_", re.ASCII)  # counts, colons, arrows
_INVISIBLE = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+"
)  # accents, too
_READ_MORE = re.compile(r"(?:lire|voir|en savoir|details?|suite|plus)\b")  # a link that does not name its story
_LABEL = 40  # characters of the heading of another list
_AFTER_LINK = 15  # letters that may follow a story's link in the same line, such as a date


@dataclass(frozen=True, slots=True)
class RelatedBlock:
    """The stories of the `Voir plus` blocks, the ids of the nodes that form them (their headings and stories), problems."""

    stories: tuple[Related, ...] = ()
    elements: frozenset[int] = frozenset()
    problems: tuple[str, ...] = ()


def read(
    tree: LexborHTMLParser,
    body: LexborNode,
    selectors: RelatedSelectors,
    resolve: Resolve,
    *,
    skip: frozenset[int] = frozenset(),
    html: bytes = b"",
) -> RelatedBlock:
    """Return the stories of the `Voir plus` blocks in order, each once; an empty block if the page has none.

    Nodes whose ids (`mem_id`) are in `skip` belong to other articles. `html` is the source of the page.
    """
    found: list[Related] = []
    elements: frozenset[int] = frozenset()
    problems: dict[str, None] = {}
    texts = _short_texts_after(tree, body)
    headings = [
        *islice(_headings(texts, selectors.heading), _MAX_HEADINGS),
        *islice(_labels(body), _MAX_HEADINGS),
    ]
    if not headings:
        return RelatedBlock(problems=_lost(texts, selectors.heading, html))
    page = _PageContents(tree, Links(selectors, resolve))
    for heading in headings:
        if dom.inside(heading, elements | skip):
            continue
        passed, nodes = _block(heading, body, page)
        moved = _moved_out(nodes, selectors, page, html)
        problems |= dict.fromkeys([surplus.READ.format("related")] if moved else [])
        nodes = [node for node in (*nodes, *moved) if node.mem_id not in skip]
        block = stories.read(nodes, selectors, page.links)
        if block:
            names = stories.StoryNames(found)
            found += [story for story in block if story not in names]
            elements |= _with_emptied_ancestors([heading, *passed, *nodes], body)
    if not found:
        problems |= dict.fromkeys(_lost(texts, selectors.heading, html))
    return RelatedBlock(tuple(found), elements, tuple(problems))


def _lost(texts: Iterable[tuple[LexborNode, str]], label: str, html: bytes) -> tuple[str, ...]:
    """Return a problem if a page has the text of the heading, but no stories, and an end tag is surplus."""
    wanted = _comparable(label)
    word = wanted.split(maxsplit=1)[0]
    short = (text for _, text in texts if len(text) <= _SHORT and word in text.casefold())  # a quick test
    has_label = any(_comparable(text) == wanted for text in short)
    return (surplus.LOST.format("related"),) if has_label and surplus.surplus_ends(html, "div") else ()


# --- the heading


def _headings(texts: Iterable[tuple[LexborNode, str]], label: str) -> Iterator[LexborNode]:
    """Yield the nodes whose visible text is only `label`, the text of the heading to find; `texts` are those of the page.

    Each is the outermost such element, or a text node at the start of an element with more content.
    """
    wanted = _comparable(label)
    first_word = wanted.split(maxsplit=1)[0]
    seen: set[int] = set()
    too_long = _longer_than(len(wanted))
    for node, text in texts:
        if text.isascii() and first_word not in text.casefold():
            continue
        if too_long.match(text) or first_word not in _comparable(text):
            continue
        heading = _heading(node, wanted)
        if heading is not None and heading.mem_id not in seen:
            seen.add(heading.mem_id)
            yield heading


def _labels(body: LexborNode) -> Iterator[LexborNode]:
    """Yield the elements inside `body` that consist only of a label such as `À lire aussi`, which heads a list."""
    if body.css_first("a") is None:
        return
    for node in body.traverse(include_text=True):
        if not node.is_text_node or not read_also.heads_list(node.text_content or ""):
            continue
        element = next((a for a in dom.ancestors(node) if a.tag not in dom.TEXT_LEVEL), node)
        is_inside = any(a.mem_id == body.mem_id for a in dom.ancestors(element))
        if is_inside and read_also.heads_list(dom.text(element)):
            yield element


def _short_texts_after(tree: LexborHTMLParser, body: LexborNode) -> list[tuple[LexborNode, str]]:
    """Return the text nodes after the start of `body` that are as short as a heading and not empty, with their texts."""
    nodes = list(tree.root.traverse(include_text=True)) if tree.root else []
    start = next((place for place, node in enumerate(nodes) if node.mem_id == body.mem_id), len(nodes))
    texts = [(node, node.text_content or "") for node in nodes[start:] if node.is_text_node]
    return [(node, text) for node, text in texts if 0 < len(text) <= _LONGEST_HEADING and not text.isspace()]


@lru_cache(maxsize=1 << 4)  # one heading for each layout
def _longer_than(length: int) -> re.Pattern[str]:
    """Return a pattern of texts with more than `length` ASCII letters, of which `_comparable` removes none."""
    return re.compile(rf"(?:[^A-Za-z]*+[A-Za-z]){{{length + 1}}}")


def _heading(text: LexborNode, wanted: str) -> LexborNode | None:
    found = None
    for element in islice(dom.ancestors(text), _HEADING_HEIGHT):
        if element.tag in ("body", "html") or not _is_label(element, wanted):
            if found is not None:
                return found
        else:
            found = element
    if found is None and _comparable(text.text_content or "") == wanted and _is_first(text):
        return text
    return found


def _is_label(node: LexborNode, wanted: str) -> bool:
    """Whether the text of an element is only `wanted`; an element with many parts or much text is not examined."""
    parts, length, stack = 0, 0, [node]
    while stack:
        current = stack.pop()
        parts += 1
        length += len(current.text_content or "") if dom.is_text(current) else 0
        is_picture = current.tag == "img" and (node.tag not in _HEADINGS or dom.attribute(current, "alt").strip() != "")
        if parts > _HEADING_PARTS or length > _LONGEST_HEADING or is_picture:
            return False
        stack.extend(islice(dom.children(current), _HEADING_PARTS))
    return _comparable(dom.text(node)) == wanted


def _is_first(text: LexborNode) -> bool:
    """Whether a text node is the first content of a block element and is followed by another block element."""
    parent, after = text.parent, text.next
    if parent is None or parent.tag not in _BLOCKS or parent.tag == "p" or after is None or after.tag not in _BLOCKS:
        return False
    before = text.prev
    while before is not None and not dom.is_element(before) and not dom.text(before):
        before = before.prev
    return before is None


@lru_cache(maxsize=1 << 10)  # the pages of a site share most of their short texts
def _comparable(text: str) -> str:
    """Return a heading without accents, case, counts, punctuation and differences in white space."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return " ".join(_DECORATION.sub(" ", plain).split())


# --- the stories after the heading


class _PageContents:
    """What the elements of a page contain: found once, because each element after a heading is asked for it.

    `around_full_story` has the ids of the elements that contain the text of another article, `with_bold` those of the
    elements that are bold or contain bold letters.
    """

    def __init__(self, tree: LexborHTMLParser, links: Links) -> None:
        self.links = links
        self.around_full_story = dom.around(tree.css(FULL_STORY))
        bold = tree.css("b, strong")
        self.with_bold = dom.around(bold) | dom.ids(bold)


def _block(heading: LexborNode, body: LexborNode, page: _PageContents) -> tuple[list[LexborNode], list[LexborNode]]:
    """Return the nodes between `heading` and its stories, and the nodes that contain the stories.

    The stories are in the siblings that follow the heading or, if there are none, one of its ancestors.
    """
    own = dom.ids([body, *dom.ancestors(body)])
    inside = any(a.mem_id == body.mem_id for a in dom.ancestors(heading))
    if dom.is_element(heading) and page.links.begin_with_article(heading):
        return [], []  # a button that leads to another article
    passed: list[LexborNode] = []
    current = heading
    for _ in range(_MAX_LEVELS):
        is_text_of_article = inside and current.mem_id not in own
        nodes = list(_following(current, page, strict=is_text_of_article))
        if page.links.to_stories(nodes):
            return passed, nodes
        parent = current.parent
        between = [node for node in _siblings(current) if is_text_of_article or dom.is_element(node)]
        if parent is None or parent.tag in ("html", "-document") or _has_content(between):
            return [], []
        if not inside and _lists_stories_before(current, page.links):
            return [], []  # a button at the end of a list
        passed += between
        current = parent
    return [], []


def _moved_out(
    nodes: Sequence[LexborNode], selectors: RelatedSelectors, page: _PageContents, html: bytes
) -> list[LexborNode]:
    """Return what a surplus end tag moved out of a block: further stories, or parts of the last one of `nodes`."""
    block = nodes[-1].parent if nodes else None
    if block is None or any(dom.text(n) or (dom.is_element(n) and n.css_first("img")) for n in _siblings(nodes[-1])):
        return []
    summaries = dom.ids(dom.select(block.parent or block, [s for s in selectors.summary if "." in s]))
    moved = surplus.rest(block, html, lambda node: _may_be_in_block(node, summaries, page))
    found = [node for node in moved if dom.is_element(node)]
    while found and not page.links.to_articles(found[-1]) and found[-1].mem_id not in summaries:
        found.pop()
    return found


def _may_be_in_block(node: LexborNode, summaries: frozenset[int], page: _PageContents) -> bool:
    """Whether a node after a block may be a story, or a part of one, that was inside it."""
    if not dom.is_element(node):
        return len(node.text_content or "") <= _SUMMARY
    if node.tag in _BESIDE or _SIDEBAR.search(dom.attribute(node, "class")):
        return False
    if found := page.links.to_articles(node):
        return not _is_something_else(node, found, page) and _only_stories(node, found)
    is_part = node.mem_id in summaries or not (dom.attribute(node, "class") or dom.attribute(node, "id"))
    return is_part and node.tag not in _HEADINGS and len(dom.text(node)) <= _SUMMARY


def _siblings(node: LexborNode) -> Iterator[LexborNode]:
    """Return an iterator over the nodes that follow `node` in the same element, up to a limit."""
    return islice(dom.following(node), _MAX_SIBLINGS * 2)


def _has_content(nodes: Sequence[LexborNode]) -> bool:
    return sum(len(dom.text(node)) for node in nodes) > _SHORT or any(
        dom.is_element(node) and node.css_first("img") is not None for node in nodes
    )


def _lists_stories_before(node: LexborNode, links: Links) -> bool:
    before = node.prev
    for _ in range(_MAX_SIBLINGS):
        if before is None:
            return False
        if dom.is_element(before) and links.to_articles(before):
            return True
        before = before.prev
    return False


def _following(heading: LexborNode, page: _PageContents, *, strict: bool) -> Iterator[LexborNode]:
    """Yield the elements after `heading` that may belong to its block.

    If `strict`, the article's own text may follow, which ends the block.
    """
    pending: list[LexborNode] = []
    with_summaries = strict and _alternate(list(_siblings(heading)), page.links)
    for node in _siblings(heading):
        if not dom.is_element(node):
            if strict and len(dom.text(node)) > 1:
                return
            continue
        found = page.links.to_articles(node)
        if _is_something_else(node, found, page):
            return
        if strict and not with_summaries and (_has_content([node]) if not found else not _only_stories(node, found)):
            return
        pending.append(node)
        if found or not strict or with_summaries:  # else only what is between stories belongs to the block
            yield from pending
            pending.clear()


def _alternate(nodes: Sequence[LexborNode], links: Links) -> bool:
    """Whether `nodes` consist of stories each followed by a paragraph, its summary; the last may have none."""
    filled = [node for node in nodes if dom.is_element(node) and dom.text(node)]
    linked = [links.to_articles(node) for node in filled]
    kinds = [bool(found) and _only_stories(node, found) for node, found in zip(filled, linked, strict=True)]
    is_short = all(len(dom.text(node)) <= _SUMMARY for node in filled)
    return len(kinds) > 2 and is_short and kinds == [number % 2 == 0 for number in range(len(kinds))]


def _is_something_else(node: LexborNode, links: Sequence[LexborNode], page: _PageContents) -> bool:
    """Whether an element begins another part of the page than the block of stories before it."""
    if node.tag in _BESIDE or _SIDEBAR.search(dom.attribute(node, "class")):
        return True
    if node.tag in _HEADINGS:
        return not links
    if node.mem_id in page.around_full_story and node.tag != "a":
        return True
    return (node.mem_id in page.with_bold and _is_bold_label(node)) or (bool(links) and _has_own_heading(node, links))


def _is_bold_label(node: LexborNode) -> bool:
    """Whether a paragraph with bold letters is a short line of them without a link: the heading of another list."""
    text, bold = dom.text(node), dom.text(node.css("b, strong")[0])
    return 0 < len(text) <= _LABEL and bold == text and node.css_first("a, img") is None


def _has_own_heading(node: LexborNode, links: Sequence[LexborNode]) -> bool:
    """Whether a box of stories begins with a heading that is not the title of a story."""
    heading = next((h for h in node.css(", ".join(_HEADINGS))[:_MAX_SIBLINGS] if dom.text(h)), None)
    if heading is None or heading.css_first("a[href]") is not None or dom.inside(heading, dom.ids(links)):
        return False
    found = node.css(f"{heading.tag}, a[href]")
    first = next(n for n in found if n.mem_id == heading.mem_id or n.mem_id in dom.ids(links))
    texts = [dom.text(link) for link in links]
    titles = [text for text in texts if text and not _READ_MORE.match(_comparable(text[:_LONGEST_HEADING]))]
    is_short = len(dom.text(heading)) <= _LABEL
    return first.mem_id == heading.mem_id and is_short and any(title != dom.text(heading) for title in titles)


def _only_stories(node: LexborNode, links: Sequence[LexborNode]) -> bool:
    """Whether the links are the stories of a list rather than words in the sentences of the article."""
    linked, line, after_link, other = dom.ids(links), 0, False, 0
    stack: list[LexborNode | None] = [node]
    while stack:
        current = stack.pop()
        if current is None:
            line, after_link = 0, False
        elif dom.is_text(current):
            letters = sum(map(str.isalpha, current.text_content or ""))
            line, other = line + letters, other + letters
            if after_link and line > _AFTER_LINK:
                return False
        elif current.mem_id in linked:
            if line > 0 and not after_link:
                return False
            line, after_link = 0, True
        elif dom.is_element(current) and current.tag not in dom.SILENT:
            if current.tag in _BLOCKS:
                line, after_link = 0, False
                stack.append(None)
            stack.extend(reversed(list(dom.children(current))))
    return other <= _SUMMARY * len(links)


def _with_emptied_ancestors(nodes: Sequence[LexborNode], body: LexborNode) -> frozenset[int]:
    """Return the ids of `nodes` and of the elements inside the body that contain nothing else."""
    identities = dom.ids(nodes)
    own = dom.ids([body, *dom.ancestors(body)])
    parent = nodes[0].parent
    for _ in range(_MAX_LEVELS):
        if parent is None or parent.mem_id in own or dom.text(parent, identities):
            break
        identities |= {parent.mem_id}
        parent = parent.parent
    return identities
