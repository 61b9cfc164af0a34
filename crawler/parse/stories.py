"""Read the stories in a list of links: title, summary, caption and address of each.

A list may consist of cards, list items, table rows, table cells, paragraphs or bare links, and each story may have
several links, for example around its picture, its title and its summary. All links with the same target form one story.
The parts of a story are in the largest elements that contain only links to this story.

Boundary: reads the elements that `related` has found; the caller passes the function that makes URLs absolute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, takewhile

from selectolax.lexbor import LexborNode

from crawler import urls
from crawler.markup import RelatedSelectors
from crawler.parse import dom, read_also
from crawler.types import Related

Resolve = Callable[[str], str | None]

_MAX_LINKS = 500  # of one block; a hostile page may have many thousands
_MAX_LEVELS = 30  # elements around a link that are searched for the other parts of its story
_MAX_PARTS = 20  # elements after the last link of a story that may contain its summary
_SHORT = 40  # characters of a link that names no story
_ENDS = (".", "!", "?", "…")  # of a sentence
_SIGNS = re.compile(r"[\W\d_]++")
_INVITATION = re.compile(
    r"(?:(?:lire|voir|en savoir)(?: (?:la suite|plus|aussi|tout|davantage|l article(?: complet)?))?|(?:plus de )?d[eé]tails?"
    r"|(?:la )?suite|plus|en savoir|read more|more|xem (?:th[eê]m|ti[eế]p)|chi ti[eế]t)"
)
_OTHER_PARTS = frozenset("time figure figcaption picture button label h1 h2 h3 h4 h5 h6".split())


@dataclass
class _Story:
    url: str
    links: list[LexborNode] = field(default_factory=list)
    parts: list[LexborNode] = field(default_factory=list)


class Links:
    """The links in the elements of a page. Each element is searched once, because several rules ask for its links."""

    def __init__(self, selectors: RelatedSelectors, resolve: Resolve) -> None:
        self._items = selectors.item
        self._resolve = resolve
        self.home = home(resolve)
        self._found: dict[int, list[tuple[LexborNode, str, bool]]] = {}

    def begin_with_article(self, node: LexborNode) -> bool:
        """Whether the first link in an element leads to an article, and has a text."""
        return any(is_article and dom.text(link) for link, _, is_article in self._inside(node)[:1])

    def to_articles(self, node: LexborNode) -> list[LexborNode]:
        """Return the links in an element that lead to articles rather than to something else, such as a section."""
        return [link for link, _, is_article in self._inside(node) if is_article]

    def to_stories(self, nodes: Sequence[LexborNode]) -> list[tuple[LexborNode, str]]:
        """Return the links to stories in `nodes` with their URLs.

        A link to another site is a story if it is in an element that the layout selects as a story (dossier section
        18.21).
        """
        found = list(islice(chain.from_iterable(map(self._inside, nodes)), _MAX_LINKS))
        elsewhere = [link for link, url, is_article in found if url and not is_article and urls.host(url) != self.home]
        selected = dom.ids(n for node in nodes for s in self._items for n in node.css(s)) if elsewhere else frozenset()
        chosen = dom.ids(link for link in elsewhere if dom.inside(link, selected))
        return [(link, url) for link, url, is_article in found if is_article or link.mem_id in chosen]

    def _inside(self, node: LexborNode) -> list[tuple[LexborNode, str, bool]]:
        """Return the first links in an element, with their URLs and whether they lead to articles.

        The URL is empty if a link leads nowhere or to a part of the same page.
        """
        if node.mem_id not in self._found:
            resolved = [(link, self._target(link)) for link in node.css("a[href]")[:_MAX_LINKS]]
            self._found[node.mem_id] = [(link, url, own_id(url, self.home) is not None) for link, url in resolved]
        return self._found[node.mem_id]

    def _target(self, link: LexborNode) -> str:
        href = dom.attribute(link, "href").strip()
        return "" if href.startswith("#") else self._resolve(href) or ""


def home(resolve: Resolve) -> str:
    """Return the host of the page whose links `resolve` makes absolute."""
    return urls.host(resolve("/") or "")


def own_id(url: str, home: str) -> int | None:
    """Return the post id in `url`; None if it has none, or if its host is not `home`: each host has its own ids."""
    found = urls.post_id(url)
    if found is None or url.startswith((f"https://{home}/", f"http://{home}/")):  # a quick test
        return found
    return found if urls.host(url).removeprefix("m.") == home.removeprefix("m.") else None


def is_invitation(text: str) -> bool:
    """Whether the text of a link does not name its story: `Lire la suite »`."""
    return len(text) <= _SHORT and _INVITATION.fullmatch(_SIGNS.sub(" ", text.casefold()).strip()) is not None


def read(nodes: Sequence[LexborNode], selectors: RelatedSelectors, links: Links) -> list[Related]:
    """Return the stories in the elements `nodes`, which are siblings, each once and in order."""
    found = _grouped(nodes, links.to_stories(nodes), links.home)
    return [related for story in found if (related := _related(story, selectors, links.home)) is not None]


class StoryNames:
    """The addresses and post ids of stories, to see in constant time whether an address is among them."""

    def __init__(self, stories: Iterable[Related]) -> None:
        self._known: set[str | int | None] = set()
        for story in stories:
            self.add(story)

    def add(self, story: Related) -> None:
        """Add one more story."""
        self._known |= {story.url, story.post_id} - {None}

    def __contains__(self, story: Related) -> bool:
        """Whether a story has the same address as `story`, or another address of the same article."""
        return story.url in self._known or story.post_id in self._known


def inline(links: Iterable[LexborNode], resolve: Resolve, known: Sequence[Related]) -> tuple[Related, ...]:
    """Return the related stories to which `links` from the article's body lead, except stories that are in `known`.

    Each of several adjacent links to one story contains a part of its title.
    """
    found: list[Related] = []
    names = StoryNames(known)
    own = home(resolve)
    nodes = chain.from_iterable([node] if node.tag == "a" else node.css("a[href]") for node in links)
    for parts in _adjacent([(node, url) for node in nodes if (url := resolve(dom.attribute(node, "href")))]):
        link, url = parts[0]
        title = read_also.without_label(_joined([node for node, _ in parts])) or dom.collapse(
            dom.attribute(link, "title")
        )
        story = Related(title, url=url, post_id=own_id(url, own))
        if title and not read_also.heads_list(title) and story not in names:
            found.append(story)
            names.add(story)
    return tuple(found)


def _adjacent(links: Iterable[tuple[LexborNode, str]]) -> list[list[tuple[LexborNode, str]]]:
    """Return links, which are in document order, in groups: those to one address that directly follow each other."""
    groups: list[list[tuple[LexborNode, str]]] = []
    for link, url in links:
        if groups and groups[-1][-1][1] == url and _continues(groups[-1][-1][0], link):
            groups[-1].append((link, url))
        else:
            groups.append([(link, url)])
    return groups


def _continues(link: LexborNode, following: LexborNode) -> bool:
    """Whether a link has the next part of the title of which `link` has one, as editors write who link it in parts.

    Nothing stands between them, and both look the same. A link beside it may also have the summary, which is a sentence, or
    invite to read (`Lire la suite`).
    """
    node = link.next
    while node is not None and dom.is_text(node) and not (node.text_content or "").strip():
        node = node.next
    if node is None or node.mem_id != following.mem_id or dom.attribute(link, "class") != dom.attribute(node, "class"):
        return False
    one, two = dom.text(link), dom.text(following)
    is_sentence = two[:1].isupper() and (two.endswith(_ENDS) or _joined([link, following]) == one + two)
    return not (is_sentence or one.endswith(_ENDS) or is_invitation(two))


def _joined(links: Sequence[LexborNode]) -> str:
    """Return the text of links that directly follow each other, with the space between them."""
    spaces = (" " if link.next is not None and dom.is_text(link.next) else "" for link in links)
    return dom.collapse("".join(dom.raw_text(link) + space for link, space in zip(links, spaces, strict=True)))


def _grouped(nodes: Sequence[LexborNode], links: Sequence[tuple[LexborNode, str]], home: str) -> list[_Story]:
    """Return the stories with their links and the elements that contain their parts."""
    top = dict(zip((node.mem_id for node in nodes), (*nodes[1:], None), strict=False))
    owners: dict[int, object] = {}  # the story of each element around a link; None if there are several
    paths = []
    for link, url in links:
        path, key = _path(link, top), own_id(url, home) or url
        paths.append(path)
        for element in path:
            owners[element.mem_id] = key if owners.get(element.mem_id, key) == key else None
    stories: dict[object, _Story] = {}
    for (link, url), path in zip(links, paths, strict=True):
        story = stories.setdefault(own_id(url, home) or url, _Story(url))
        story.links.append(link)
        # A broken page may have links inside a link, so that not even the link belongs to one story.
        root = next((element for element in reversed(path) if owners[element.mem_id] is not None), link)
        if root.mem_id not in dom.ids(story.parts):
            story.parts += [root, *_after(root, owners, top)]
    return list(stories.values())


def _path(link: LexborNode, top: Container[int]) -> list[LexborNode]:
    path = [link]
    for element in islice(dom.ancestors(link), _MAX_LEVELS):
        if path[-1].mem_id in top:
            break
        path.append(element)
    return path


def _after(root: LexborNode, owners: Mapping[int, object], top: Mapping[int, LexborNode | None]) -> list[LexborNode]:
    """Return the nodes after `root` that belong to the same story, because no link precedes them.

    `top` has the ids of the elements with stories, and the next one of each, which may be in another element.
    """
    found: list[LexborNode] = []
    last, node = root, root.next
    while len(found) < _MAX_PARTS:
        if node is None:
            node = top.get(last.mem_id)
        if node is None or node.mem_id in owners:
            break
        if root.mem_id in top and dom.is_element(node) and node.mem_id not in top:
            break
        found.append(node)
        last = node if node.mem_id in top else last
        node = node.next
    return found


def _related(story: _Story, selectors: RelatedSelectors, home: str) -> Related | None:
    title, node = _title(story, selectors)
    if not title:
        return None
    return Related(
        title, _summary(story, selectors, title, node), _caption(story, title), story.url, own_id(story.url, home)
    )


def _title(story: _Story, selectors: RelatedSelectors) -> tuple[str, LexborNode | None]:
    """Return the title of a story and the element that contains it; a picture's text only if there is no other."""
    for selector in selectors.title:
        for node in _select(story, selector):
            has_blocks = node.css_first("div, p") is not None
            summaries = dom.ids(dom.select(node, selectors.summary)) - {node.mem_id} if has_blocks else frozenset()
            if text := dom.text(node, summaries) or dom.text(
                node
            ):  # without its end tag, a heading contains the summary
                return text, node
    for parts in _adjacent([(link, story.url) for link in story.links if dom.text(link)]):
        link, _ = parts[0]
        first = _first_element(link)
        if first is None or len(parts) > 1:
            return _first_line(link) or _joined([node for node, _ in parts]), link
        return dom.text(first), first
    named = (dom.collapse(dom.attribute(link, "title")) for link in story.links)
    return next((name for name in named if name), "") or _alt(story), None


def _first_line(link: LexborNode) -> str:
    """Return the text before the first paragraph in a link; empty if it has no paragraphs, or no text before them."""
    line = list(takewhile(lambda node: node.tag not in dom.BREAKING, dom.children(link)))
    is_all = link.last_child is None or (bool(line) and line[-1].mem_id == link.last_child.mem_id)
    return "" if is_all else dom.collapse("".join(map(dom.raw_text, line)))


def _first_element(link: LexborNode) -> LexborNode | None:
    """Return the first element with text in a link that contains several elements and no text of its own."""
    own = any(dom.is_text(child) and (child.text_content or "").strip() for child in dom.children(link))
    filled = [child for child in dom.children(link) if dom.is_element(child) and dom.text(child)]
    return filled[0] if len(filled) > 1 and not own else None


def _summary(story: _Story, selectors: RelatedSelectors, title: str, node: LexborNode | None) -> str:
    found = (_without(one, node) for selector in selectors.summary for one in _select(story, selector))
    linked = (_without(link, node) for link in story.links)
    skip = dom.ids([*story.links, *([node] if node is not None else [])])
    others = (_rest(part, skip) for part in story.parts)
    return next((text for text in chain(found, linked, others) if _is_summary(text, title)), "")


def _is_summary(text: str, title: str) -> bool:
    return text not in title and not is_invitation(text) and _is_prose(text)


def _without(node: LexborNode, title: LexborNode | None) -> str:
    return (
        "" if title is not None and node.mem_id == title.mem_id else dom.text(node, dom.ids([title] if title else []))
    )


def _rest(part: LexborNode, skip: frozenset[int]) -> str:
    if dom.is_text(part):
        return dom.collapse(part.text_content or "").strip(" -–—:|•")
    if not dom.is_element(part) or part.tag in _OTHER_PARTS:
        return ""
    other = dom.ids(n for n in part.css(", ".join(_OTHER_PARTS))) | dom.ids(part.css("a[href]"))
    return dom.text(part, skip | other).strip(" -–—:|•")


def _is_prose(text: str) -> bool:
    """Whether a text has words, unlike a date or a number of comments."""
    letters = sum(map(str.isalpha, text))
    return letters * 2 > len(text) or letters > sum(map(str.isdigit, text))


def _select(story: _Story, selector: str) -> list[LexborNode]:
    return [found for part in story.parts if dom.is_element(part) for found in part.css(selector)]


def _alt(story: _Story) -> str:
    images = (image for image in _select(story, "img"))
    return next((alt for image in images if (alt := dom.collapse(dom.attribute(image, "alt")))), "")


def _caption(story: _Story, title: str) -> str | None:
    text = _alt(story) or next((dom.text(node) for node in _select(story, "figcaption")), "")
    return text if text and text != title else None
