"""Helpers for the tree that the HTML parser Lexbor builds: visible text, selection, ancestors, attributes.

Boundary: knows HTML, but nothing about the site. White space is collapsed as in a browser; no-break spaces inside a
text are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler import urls

#: Elements whose content is never visible text; but see `is_silent` about forms.
SILENT = frozenset(
    "script style noscript template iframe object embed svg math canvas audio video form button select input textarea "
    "link meta head title amp-ad amp-embed amp-iframe amp-sticky-ad".split()
)
#: Elements inside a line of text.
TEXT_LEVEL = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rb rp rt ruby s samp small span "
    "strike strong sub sup time tt u var wbr".split()
)
#: Elements that begin and end a line of text. Elements that HTML does not know are inside a line.
BREAKING = frozenset(
    "address article aside blockquote caption center dd details dialog dir div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hgroup hr legend li listing main menu nav ol p plaintext pre search section summary table "
    "tbody td tfoot th thead tr ul xmp".split()
)
_CONTENT = "h1, article, main"  # elements that no form for readers contains
_CONTROLS = 'input:not([type="hidden"]), textarea, select, button'
_PLAYERS = frozenset("video audio lite-youtube amp-youtube amp-video".split())
# Embedded pages and objects that play video or audio, by their addresses.
_EMBEDS = frozenset("iframe amp-iframe object embed".split())
_PLAYS = re.compile("youtu|video|player|vimeo|tiktok|flash", re.IGNORECASE)
_EMBEDDED = 1_000  # characters of the HTML of an embedded object that are searched for its address
_PARAGRAPHS = 5  # in a form that contains the text of an article
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_KEEPS_LINES = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_LEVELS = 20  # elements around another one that are searched for a style
#: Characters without width that a text consists of where an editor has left a field or a paragraph empty.
INVISIBLE = "\u200b\ufeff\u200c\u200d\u2060"
_OTHER_SPACES = "\n\t\r\f\v"


def collapse(text: str) -> str:
    """Replace each sequence of ASCII white space by one space.

    All white space at both ends is removed, including no-break spaces.
    """
    for space in _OTHER_SPACES:
        if space in text:
            text = text.replace(space, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip()


def is_visible(text: str) -> bool:
    """Whether a text has at least one character that is neither white space nor invisible."""
    return bool(text.strip(INVISIBLE).strip())


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Return an iterator over the child nodes of `node`, text nodes included."""
    return node.iter(include_text=True)


def is_text(node: LexborNode) -> bool:
    """Whether a node is a text node."""
    return node.is_text_node


def is_element(node: LexborNode) -> bool:
    """Whether a node is an element rather than text, a comment or a doctype."""
    return node.is_element_node


def is_silent(node: LexborNode) -> bool:
    """Whether the content of an element is never visible text, or the element is hidden inside a line of text.

    Larger hidden elements count as visible, because scripts show them later. So do forms around running text: some systems
    put the whole page, or the whole article, into one form.
    """
    tag = node.tag
    if tag == "form":
        return not _is_wrapper(node)
    if tag in SILENT:
        return True
    if tag not in TEXT_LEVEL:
        return False
    attributes = node.attrs
    return ("hidden" in attributes or "style" in attributes) and is_hidden(node)  # a quick test: most have neither


def plays(node: LexborNode) -> bool:
    """Whether an element plays video or audio."""
    if node.tag in _PLAYERS:
        return True
    return node.tag in _EMBEDS and _PLAYS.search((node.html or "")[:_EMBEDDED]) is not None


def is_hidden(node: LexborNode) -> bool:
    """Whether an element itself says that it is not shown."""
    attributes = node.attrs
    return "hidden" in attributes or ("style" in attributes and _HIDDEN.search(attributes["style"] or "") is not None)


def keeps_lines(element: LexborNode) -> bool:
    """Whether an element shows the blank lines of its texts: it is inside a `<pre>`, or a style says so."""
    for around in (element, *islice(ancestors(element), _LEVELS)):
        style = attribute(around, "style")
        if "white-space" in style.lower():
            return _KEEPS_LINES.search(style) is not None
        if around.tag == "pre":
            return True
    return False


def _is_wrapper(form: LexborNode) -> bool:
    """Whether a form contains an article or its text, rather than controls with their labels."""
    if form.css_first(_CONTENT) is not None or len(form.css("p")) >= _PARAGRAPHS:
        return True
    return form.css_first(_CONTROLS) is None


def raw_text(node: LexborNode, skip: frozenset[int] = frozenset()) -> str:
    """Return all text inside `node`, with its white space unchanged.

    A `<br>` becomes a space, and so does the start or end of an element that begins a line, such as a paragraph.
    Elements inside `node` that are not visible (`is_silent`), and nodes whose ids (`mem_id`) are in `skip`, are left out.
    """
    if node.is_text_node:
        return "" if node.mem_id in skip else node.text_content or ""
    if node.tag == "br":
        return " "
    if not node.is_element_node or node.mem_id in skip:
        return ""
    own_edge = " " if node.tag in BREAKING else ""
    parts = [own_edge]
    # For each open element: the node after it, and what ends it. A hostile page may be nested deeper than Python's stack.
    following: list[tuple[LexborNode | None, str]] = []
    current = node.first_child
    while current is not None or following:
        if current is None:
            current, end = following.pop()
            parts.append(end)
        elif current.is_text_node:
            if not skip or current.mem_id not in skip:
                parts.append(current.text_content or "")
            current = current.next
        elif (tag := current.tag) == "br":
            parts.append(" ")
            current = current.next
        else:
            edge = " " if tag in BREAKING else ""
            parts.append(edge)
            if current.is_element_node and current.mem_id not in skip and not is_silent(current):
                following.append((current.next, edge))
                current = current.first_child
            else:
                current = current.next
    parts.append(own_edge)
    return "".join(parts)


def text(node: LexborNode, skip: frozenset[int] = frozenset()) -> str:
    """Return the text inside `node` with white space collapsed.

    Nodes whose ids (`mem_id`) are in `skip` are left out.
    """
    return collapse(raw_text(node, skip))


def select(root: LexborNode | LexborHTMLParser, selectors: Sequence[str]) -> list[LexborNode]:
    """Return the nodes of a tree that match at least one of the CSS `selectors`, each once and in document order."""
    found = root.css(", ".join(selectors)) if selectors else []
    # Lexbor returns a node once for each selector that it matches.
    return list({node.mem_id: node for node in found}.values()) if len(found) > 1 else found


def ids(nodes: Iterable[LexborNode]) -> frozenset[int]:
    """Return the ids (`mem_id`) of `nodes` as a set for fast membership tests."""
    return frozenset([node.mem_id for node in nodes])


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the ancestors of `node`: its parent, its grandparent and so on, up to the root element."""
    current = node.parent
    while current is not None and is_element(current):
        yield current
        current = current.parent


def following(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the nodes that follow `node` in the same element."""
    current = node.next
    while current is not None:
        yield current
        current = current.next


def around(nodes: Iterable[LexborNode]) -> frozenset[int]:
    """Return the ids of all elements that contain at least one of `nodes`."""
    found: set[int] = set()
    for node in nodes:
        for element in ancestors(node):
            if element.mem_id in found:
                break
            found.add(element.mem_id)
    return frozenset(found)


def inside(node: LexborNode, containers: frozenset[int]) -> bool:
    """Whether `node` is, or is inside, one of the nodes whose ids are in `containers`."""
    return node.mem_id in containers or any(a.mem_id in containers for a in ancestors(node))


def outside(nodes: Iterable[LexborNode], containers: frozenset[int]) -> list[LexborNode]:
    """Return the nodes that neither are nor are inside one of the nodes whose ids are in `containers`.

    Each ancestor is visited once, so that the time stays linear on a deeply nested page.
    """
    known = dict.fromkeys(containers, True)
    found: list[LexborNode] = []
    for node in nodes:
        path: list[int] = []
        current: LexborNode | None = node
        while current is not None and current.mem_id not in known:
            path.append(current.mem_id)
            current = current.parent
        is_inside = current is not None and known[current.mem_id]
        known.update(dict.fromkeys(path, is_inside))
        if not is_inside:
            found.append(node)
    return found


def outermost(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Return those of `nodes` that are not inside another one of them."""
    if len(nodes) < 2:
        return list(nodes)
    identities = ids(nodes)
    parents = {node.parent.mem_id: node.parent for node in nodes if node.parent is not None}
    free = ids(outside(parents.values(), identities))
    return [node for node in nodes if node.parent is None or node.parent.mem_id in free]


def attribute(node: LexborNode, name: str) -> str:
    """Return the value of the attribute `name`; an empty string if it is missing or has no value, or for a text."""
    if not node.is_element_node:
        return ""
    attributes = node.attrs
    return (attributes[name] or "") if name in attributes else ""


def is_damaged(attributes: Iterable[str]) -> bool:
    """Whether a tag with these names of attributes is damaged: a name contains a quotation mark or `<`.

    The tag or one of its values has no end, or a value has no start.
    """
    names = " ".join(attributes)
    return '"' in names or "'" in names or "<" in names


def base(tree: LexborHTMLParser, url: str) -> str:
    """Return the URL against which the links of a page are resolved: that of its `<base>`, or else the page's `url`."""
    return base_of(tree.css("base[href]"), url)


def base_of(elements: Sequence[LexborNode], url: str) -> str:
    """Return the same for a page whose `<base>` elements with an address are known; the first one counts."""
    return (urls.absolute(url, attribute(elements[0], "href")) if elements else None) or url
