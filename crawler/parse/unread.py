"""Report text of a page that is lost or not read because the end of something is missing, or an end tag is surplus.

Such text is not guessed: it may belong to another part of the page. The problem shows that the page must be looked at.

Boundary: reads the tree and returns problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.parse import dom, structure, surplus
from crawler.types import Related

_END = re.compile(r"</html>\s*(?:<!--|$)", re.IGNORECASE)  # a comment after the page ends the one that has no end
_WITHOUT_MARKUP = frozenset("iframe noembed noframes plaintext script style textarea title xmp".split())
_ESCAPED_END = re.compile(r"<\\+/script", re.IGNORECASE)
_TEMPLATE_START = re.compile(rb"<template\b", re.IGNORECASE)
_TEMPLATE_END = re.compile(rb"</template\b", re.IGNORECASE)
_PAGE_END = re.compile(rb"</(?:body|html)\b", re.IGNORECASE)
_TAG = re.compile(r"<[/a-z!][^<>]*>?", re.IGNORECASE)
_BLOCK = re.compile(r"</?(?:p|div|br|li)\b", re.IGNORECASE)
_WORDS = 3  # attributes with names made of letters from which on a tag is taken for text without a `>` before it
_MAY_CONTAIN_THE_REST = "blockquote, li, h2, h3, h4, h5, h6"
_MOST_UNCLOSED = 20  # of these elements, the last ones are examined
_SHOWN = 60  # characters of a text in a problem
_TAG_NAME = re.compile(rb"<(/?[a-z][a-z0-9]*)")
_SCRIPT_TAG = re.compile(rb"<(/?)script")  # one search takes half the time of two counts
_HIDING = re.compile(rb"<(?:" + surplus.SKIPPED + rb")")
#: End tags that need a start tag. Those of other elements may be surplus without an effect on the text.
_NEED_START = frozenset(b"/p /h1 /h2 /h3 /h4 /h5 /h6 /li /td /th /blockquote /figure /figcaption /table /a".split())
_LAST_TEXT = 20  # characters at the end of the body by which it is found in the source
_MOST_SEARCHED = 50  # nodes at the end of the body in which such a text is searched for
_MOST_AFTER = 1_000  # bytes after the last text of the body or story: end tags, and the tags of the article
_FOOT = re.compile(r"(?:^|[\s_-])(?:footer|copyright|imprint)(?:$|[\s_-])", re.IGNORECASE)


def swallowed_end(tree: LexborHTMLParser, html: bytes) -> tuple[str, ...]:
    """Return a problem if the end of the page `html` is inside something that has no end itself.

    This may be a comment, an element without markup, such as `<script>`, a `<template>`, or the value of an attribute.
    Everything after its start is neither read nor shown by a browser.
    """
    name = _unclosed(tree, html) or _unclosed_quote(html)
    return (f"page: {name} has no end, the rest of the page is lost",) if name else ()


def _unclosed(tree: LexborHTMLParser, html: bytes) -> str | None:
    node = tree.root
    while node is not None and (last := node.last_child) is not None:
        node = last
    parent = node.parent if node is not None else None
    if node is not None and node.tag == "template":  # its content is not a child of it
        return "<template>" if len(_TEMPLATE_START.findall(html)) > len(_TEMPLATE_END.findall(html)) else None
    if node is None or parent is None or not (node.is_comment_node or parent.tag in _WITHOUT_MARKUP):
        return None
    if node.is_comment_node:
        return "a comment" if _END.search(node.comment_content or "") else None
    return f"<{parent.tag}>" if _END.search(node.text_content or "") else None


def _unclosed_quote(html: bytes) -> str | None:
    """Return a name for the value of an attribute that begins with the last quotation mark of a page."""
    for mark in (b'"', b"'"):
        last = html.rfind(mark)
        if html[last - 1 : last] != b"=" or _PAGE_END.search(html, last) is None:
            continue
        tag = html.rfind(b"<", 0, last)
        if tag > html.rfind(b">", 0, last) and html[tag + 1 : tag + 2].isalpha():  # neither in a text nor in a comment
            return "the value of an attribute"
    return None


def hidden_text(bodies: Iterable[LexborNode]) -> tuple[str, ...]:
    """Return problems that name text of an article that is hidden because the end of something before it is missing.

    What has no end of its own ends where the next one of its kind does: a comment, an element without markup, or the
    value of an attribute. So it contains the start of the next one.
    """
    problems: list[str] = []
    for body in bodies:
        for node in body.traverse(include_text=True):
            if not (node.is_element_node or node.is_comment_node):  # a text, or a processing instruction (`<?php ?>`)
                continue
            if node.is_comment_node:
                name, text = "a comment", _hidden_in_comment(node.comment_content or "")
            elif (tag := node.tag) in _WITHOUT_MARKUP:
                name, text = f"<{tag}>", _hidden_in_element(tag or "", node.text(deep=True))
            else:
                name, text = "a tag or the value of an attribute", _hidden_in_attribute(node)
            if text:
                problems.append(f"text: {name} does not end, and hides text up to the next one: {text[:_SHOWN]!r}")
    return tuple(dict.fromkeys(problems))


def source_of(title: LexborNode, body: LexborNode, related: Sequence[Related], html: bytes) -> tuple[bytes, bytes]:
    """Return the source of an article from its headline to its tags, and up to its related stories.

    `body` is the last part of the body, and `html` the source of the page.
    """
    named = html.find(dom.attribute(title, "class").encode() or b"<h1")
    start = max(0, html.rfind(b"<", 0, named + 1))
    text = _last_text(body).encode()
    end = html.find(text, start) + len(text)
    last_story = (related[-1].url or "").rpartition("/")[2].encode() if related else b""
    last = max(end, html.find(last_story, end)) + _MOST_AFTER
    whole_tags = html.rfind(b">", start, last) + 1
    return html[start : end + _MOST_AFTER], html[start:whole_tags]


def without_start(source: bytes) -> tuple[str, ...]:
    """Return problems that name the end tags in the source of an article that have no start tag.

    Without its start tag, a heading or a caption is read as a paragraph, and a cell stands before its table.
    """
    if not _unopened(_TAG_NAME.findall(source)):  # a quick test: comments and scripts may contain tags
        return ()
    found = _unopened(_TAG_NAME.findall(_HIDING.sub(b"", source).lower()))
    names = (end_tag[1:].decode() for end_tag in sorted(found))
    return tuple(f"page: </{name}> has no start tag, so its text may be read as something else" for name in names)


def _unopened(tags: list[bytes]) -> set[bytes]:
    """Return the end tags that need a start tag and have none before them. `tags` are all tags of a part of a page, in order."""
    opened: dict[bytes, int] = {}
    found: set[bytes] = set()
    for tag in tags:
        if tag in _NEED_START:
            number = opened.get(tag[1:], 0)
            if number:
                opened[tag[1:]] = number - 1
            else:
                found.add(tag)
        else:
            opened[tag] = opened.get(tag, 0) + 1
    return found


def _last_text(body: LexborNode) -> str:
    """Return the end of the last text inside a body by which it can be found in the source; any text if there is no long one."""
    last = ""
    for node in islice(_backwards(body), _MOST_SEARCHED):
        text = (node.text_content or "").strip() if node.is_text_node else ""
        if len(text) >= _LAST_TEXT:
            return text[-_LAST_TEXT:]
        last = last or text
    return last


def _backwards(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the nodes inside `node`, the last one first."""
    current = node.last_child
    while current is not None:
        yield current
        if current.last_child is not None:
            current = current.last_child
            continue
        while current is not None and current.prev is None:
            current = current.parent if current.parent is not None and current.parent.mem_id != node.mem_id else None
        current = current.prev if current is not None else None


def unclosed(bodies: Iterable[LexborNode], html: bytes) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return the ids of quotes, headings and list items without an end tag that contain the rest of a body, and a problem.

    The end tag of a list item is optional in a list. `html` is the source of the page.
    """
    found: dict[int, str] = {}
    for body in bodies:
        for node in body.css(_MAY_CONTAIN_THE_REST)[-_MOST_UNCLOSED:]:
            if node.css_first("p, div") is None:
                continue
            around = list(takewhile(lambda outer, body=body: outer.mem_id != body.mem_id, dom.ancestors(node)))  # type: ignore[misc]
            is_last = not any(_has_text_after(one) for one in (node, *around))
            if is_last and len(node.css("p, div")) > 1 - bool(_own_text(node)) and _has_no_end(node, around, html):
                found[node.mem_id] = node.tag or ""
    names = dict.fromkeys(found.values())
    problems = (f"text: <{name}> does not end; only its first line is taken for a part of it" for name in names)
    return frozenset(found), tuple(problems)


def _has_no_end(node: LexborNode, around: Iterable[LexborNode], html: bytes) -> bool:
    if node.tag != "li":
        return surplus.balance(html, node.tag or "") < 0
    lists = [outer.tag for outer in around if outer.tag in surplus.LISTS]
    return not lists or any(surplus.balance(html, name) < 0 for name in dict.fromkeys(lists))


def _has_text_after(node: LexborNode) -> bool:
    after = node.next
    while after is not None and not dom.text(after):
        after = after.next
    return after is not None


def _own_text(node: LexborNode) -> str:
    return "".join(child.text_content or "" for child in dom.children(node) if dom.is_text(child)).strip()


def hidden_by_script(tree: LexborHTMLParser, html: bytes) -> tuple[str, ...]:
    """Return problems for scripts of a page that have no end of their own, so that they hide what follows them."""
    tags = _SCRIPT_TAG.findall(html)
    if len(tags) <= 2 * tags.count(b"/"):
        return ()
    hidden = (_hidden_in_element("script", node.text(deep=True)) for node in tree.css("script"))
    return tuple(
        f"page: <script> does not end, and hides up to the next one: {text[:_SHOWN]!r}" for text in hidden if text
    )


def _hidden_in_comment(content: str) -> str:
    hidden, start, _ = content.partition("<!--")
    return _text(hidden) if start and _TAG.search(hidden) else ""


def _hidden_in_element(name: str, content: str) -> str:
    start = content.lower().find(f"<{name}")
    if start < 0 or not _BLOCK.search(content, 0, start) or _ESCAPED_END.search(content, start):
        return ""  # a script may write another one, with an end tag that is escaped
    return _text(content[:start])


def _hidden_in_attribute(node: LexborNode) -> str:
    """Return the text in the attributes of a tag, if one has a character in its name that no name has.

    Either a value has no quotation mark at its end, and contains text up to the next one; or the tag has no `>`, and the
    words of the text are the names.
    """
    attributes = node.attrs
    if not dom.is_damaged(attributes):
        return ""
    values = (value for value in attributes.values() if value and ">" in value and "<" in value)
    hidden = next((text for value in values if (text := _text(value.partition(">")[2]))), "")
    has_words = sum(name.isalpha() for name in attributes) >= _WORDS
    return hidden or (" ".join(attributes).partition("<")[0] if has_words else "")


def _text(markup: str) -> str:
    """Return the text of a piece of HTML."""
    return dom.collapse(_TAG.sub(" ", markup))


def lost_signature(own: Iterable[str], page: Iterable[LexborNode]) -> tuple[str, ...]:
    """Return a problem if the article has no signature although another text of the page has one.

    `own` are the paragraphs and captions of the article, `page` the paragraphs and bare texts of the page that do not belong
    to other stories. The imprint at the foot of the page is not a paragraph of an article, and a name alone, as a bare text,
    may be anything.
    """
    read = tuple(own)
    whole = frozenset(read)
    for node in page:
        text = dom.text(node)
        if text in whole:  # a quick test
            continue
        found = structure.signature(text)
        is_name = found == text and node.is_text_node
        if found is None or is_name or any(text in one for one in read) or _is_in_foot(node):
            continue
        return (f"text: {text[-_SHOWN:]!r} looks like the end of the article, but is outside the text that was read",)
    return ()


def _is_in_foot(node: LexborNode) -> bool:
    """Whether a paragraph is in an element that is called the foot of the page."""
    names = (f"{dom.attribute(n, 'class')} {dom.attribute(n, 'id')}" for n in (node, *dom.ancestors(node)))
    return any(map(_FOOT.search, names))
