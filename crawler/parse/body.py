"""Convert the body of an article into blocks.

The layout says which elements are pictures, notes, players or noise. This module knows only HTML: which elements end a
paragraph, that `<br>` separates paragraphs, and that white space collapses (dossier section 6). It makes one pass in
document order, without recursion, because a hostile page may be nested deeper than Python's stack allows.

Boundary: reads the tree; the caller passes the layout and the function that makes URLs absolute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from selectolax.lexbor import LexborNode

from crawler import urls
from crawler.markup import Attributes, BodySelectors, Markup
from crawler.parse import dom, image_address, read_also, structure, tables
from crawler.types import Block, ImageBlock, TextBlock, TextType

Resolve = Callable[[str], str | None]

_TYPES: dict[str, TextType] = {
    "blockquote": "quote",
    "li": "list_item",
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
}
_HANDLED = (
    dom.SILENT | dom.TEXT_LEVEL | {"br", "hr", "img", "table", "lite-youtube", "amp-youtube", "amp-video"}
)  # by `_take_html`
_BLANK_LINE = re.compile(r"\n[ \t\r]*+\n\s*+")
_NEAR = 3  # siblings in each direction
_SIGNS_LENGTH = 15  # letters after a related link that are not a sentence, such as a date
_LABEL_LENGTH, _LABEL_PARTS = 80, 40  # longest label before a related link: characters, text nodes
_BARE_CAPTION_LENGTH = 400  # characters; the longest caption in the seeds has 240


@dataclass
class BodyParts:
    """The contents of an article's body: blocks in order, links to related stories, and whether it has a player.

    A player is an element that plays video or audio.
    """

    blocks: list[Block] = field(default_factory=list)
    related_links: list[LexborNode] = field(default_factory=list)
    has_player: bool = False


def read(
    body: LexborNode,
    layout: Markup,
    resolve: Resolve,
    skip: frozenset[int] = frozenset(),
    unclosed: frozenset[int] = frozenset(),
) -> BodyParts:
    """Return the contents of `body`, the HTML element with the text of an article.

    `resolve` is the function that makes URLs absolute. Nodes whose ids (`mem_id`) are in `skip` are ignored. Those in
    `unclosed` are quotes, headings and list items without their end tags: only their first lines are in them.
    """
    return _Reader(body, layout.body, layout.attributes, resolve, skip, unclosed).read(body)


def pictures(container: LexborNode, layout: Markup, resolve: Resolve) -> list[ImageBlock]:
    """Return the pictures inside the element `container` with their captions, in document order."""
    if container.css_first("img") is None:
        return []
    return _Reader(container, layout.body, layout.attributes, resolve).pictures(container)


class _Reader:
    """Reader of one body: the ids of the nodes that the layout selects, and the text of the current paragraph."""

    def __init__(
        self,
        body: LexborNode,
        selectors: BodySelectors,
        attributes: Attributes,
        resolve: Resolve,
        skip: frozenset[int] = frozenset(),
        unclosed: frozenset[int] = frozenset(),
    ) -> None:
        self._body, self._foreign = body, skip  # the second: parts of other stories or articles
        self._resolve = resolve
        self._unclosed = unclosed
        self._attributes = attributes
        self._noise = (dom.ids(dom.select(body, selectors.noise)) - {body.mem_id}) | skip
        self._picture = dom.ids(dom.select(body, selectors.picture)) - {body.mem_id}
        self._bare_caption = dom.ids(dom.select(body, selectors.bare_caption))
        self._caption = dom.ids(dom.select(body, selectors.caption))
        self._note = dom.ids(dom.select(body, selectors.note)) - {body.mem_id}
        self._player = dom.ids(dom.select(body, selectors.player)) - {body.mem_id}
        self._related = dom.ids(dom.select(body, selectors.related)) - {body.mem_id}
        self._special = self._noise | self._picture | self._caption | self._note | self._player | self._related
        self._with_picture = dom.around(body.css("img"))
        self._with_table = dom.around(body.css("table"))
        self._parts = BodyParts()
        self._buffer: list[str] = []
        self._awaits_caption = False  # the last block is a picture whose caption may follow as bare text
        self._with_lines: dict[int, bool] = {}  # by the id of an element: whether it shows blank lines
        self._after_label = False  # the last line was "Lire aussi :", so the links that follow are related stories

    def read(self, body: LexborNode) -> BodyParts:
        """Visit the nodes of `body` in document order and return its contents.

        `open_elements` contains, for each element that is being read, the node after it and the type of the blocks that
        follow it; None if the element does not end a paragraph.
        """
        kind: TextType = "paragraph"
        open_elements: list[tuple[LexborNode | None, TextType | None]] = []
        node = body.first_child
        while node is not None or open_elements:
            if node is None:
                node, outer = open_elements.pop()
                if outer is not None:
                    self._flush(kind)
                    kind = outer
            elif not self._enter(node, kind):
                node = node.next
            elif node.tag in dom.BREAKING:
                self._flush(kind)
                open_elements.append((node.next, kind))
                kind = "paragraph" if self._follows_in_unclosed(node) else _kind(node, kind)
                node = node.first_child
            else:
                open_elements.append((node.next, None))
                node = node.first_child
        self._flush(kind)
        return self._parts

    def _follows_in_unclosed(self, node: LexborNode) -> bool:
        parent = node.parent
        if parent is None or parent.mem_id not in self._unclosed or node.tag not in ("p", "div"):
            return False
        return any(dom.text(before) for before in _near(node, after=False))

    def _enter(self, node: LexborNode, kind: TextType) -> bool:
        """Process `node`; return whether its children must be visited, too."""
        if node.is_text_node:
            text = node.text_content or ""
            if "\n" in text and _BLANK_LINE.search(text) and self._keeps_lines(node):
                *lines, text = _BLANK_LINE.split(text)
                for line in lines:
                    self._buffer.append(line)
                    self._flush(kind)
            self._buffer.append(text)
            return False
        if not node.is_element_node:
            return False
        return not (self._take_special(node, kind) or self._take_html(node, kind))

    def _keeps_lines(self, text: LexborNode) -> bool:
        around = text.parent or text
        if around.mem_id not in self._with_lines:
            self._with_lines[around.mem_id] = dom.keeps_lines(around)
        return self._with_lines[around.mem_id]

    def _take_special(self, node: LexborNode, kind: TextType) -> bool:
        """Process `node` if the layout selects it, e.g. as a picture or a player; return whether it was processed."""
        identity = node.mem_id
        if node.tag != "a" and identity not in self._special:
            return False
        if identity in self._related or (node.tag == "a" and self._is_read_also(node)):
            self._parts.related_links.append(node)
            self._buffer.append(read_also.LINK_MARK)
        elif identity in self._noise:
            self._buffer += [read_also.LINK_MARK] if node.tag == "a" and identity in self._foreign else []
        elif identity in self._player:
            self._flush(kind)
            self._parts.has_player = True
        elif identity in self._note:
            self._flush(kind)
            self._emit("note", "\n".join(t.text for t in self._nested_texts(node)))
        elif identity in self._caption and self._attach_caption_element(node):
            pass
        elif identity in self._picture and identity in self._with_picture and (found := self.pictures(node)):
            self._flush(kind)
            self._parts.blocks += found
            self._awaits_caption = identity in self._bare_caption and found[-1].caption is None
        else:
            return False
        return True

    def _is_read_also(self, link: LexborNode) -> bool:
        """Whether an `<a>` element leads to a related story.

        This is the case if the link follows a label such as `Lire aussi :` rather than the text of a sentence, or if its
        own text begins with the label. A link to another site or a section needs a label in the same line.
        """
        if not self._has_label(link):
            return False
        target = self._resolve(dom.attribute(link, "href")) or ""
        if urls.post_id(target) is not None:
            return True
        return bool(target) and read_also.is_before_link("".join(self._buffer)) and not _begins_sentence(link)

    def _has_label(self, link: LexborNode) -> bool:
        if not any(map(str.strip, self._buffer)) and read_also.begins_with_label(dom.text(link)):
            return True
        if sum(map(len, self._buffer[:_LABEL_PARTS])) > _LABEL_LENGTH or len(self._buffer) > _LABEL_PARTS:
            return False  # the text before the link is a sentence: "Lire aussi :" is shorter
        before = "".join(self._buffer)
        if read_also.is_sure(before):
            return True
        is_listed = self._after_label and read_also.has_no_text(before)
        is_related = is_listed or read_also.is_arrow(before) or read_also.is_before_link(before)
        return is_related and not _begins_sentence(link)

    def _take_html(self, node: LexborNode, kind: TextType) -> bool:
        """Process `node` if its tag has a special meaning in any HTML page; return whether it was processed."""
        if node.tag not in _HANDLED:
            return False
        if dom.plays(node):
            self._flush(kind)
            self._parts.has_player = True
        elif dom.is_silent(node):
            pass
        elif node.tag in ("br", "hr"):
            self._flush(kind)
        elif node.tag == "img" and image_address.is_tracking_pixel(node):
            pass
        elif node.tag == "img":
            self._flush(kind)
            image = self._image(node)
            self._parts.blocks.append(image)
            self._awaits_caption = image.caption is None
        elif node.tag == "table" and self._has_picture_alone(node):
            self._flush(kind)
            self._parts.blocks += self.pictures(node)
        elif node.tag == "table" and (rows := self._data_rows(node)):
            self._flush(kind)
            self._emit("paragraph", " ".join(filter(None, map(dom.text, node.css("caption")))))
            self._emit("table", "\n".join("\t".join(row) for row in rows))
        else:
            return False
        return True

    def _flush(self, kind: TextType) -> None:
        """End the current paragraph; add it as a block unless it is empty, a caption or a label (`Lire aussi :`)."""
        if not self._buffer:
            return
        raw = "".join(self._buffer)
        self._buffer.clear()
        text = dom.collapse(read_also.without_links(raw))
        if not dom.is_visible(text):
            return
        if read_also.is_label(text):
            self._after_label = True
            return
        if read_also.is_left_over(text, raw):
            return
        self._after_label = False
        if self._awaits_caption and kind != "heading" and self._attach_bare_caption(text):
            return
        self._emit(kind, text)

    def _attach_bare_caption(self, text: str) -> bool:
        """If `text` is a caption, attach it to the picture directly before it; return whether it is one.

        Only a text with a photo credit counts as a caption, because body text may also follow a picture directly
        (dossier section 18.6).
        """
        self._awaits_caption = False
        picture = self._parts.blocks[-1]
        if not isinstance(picture, ImageBlock) or len(text) > _BARE_CAPTION_LENGTH:
            return False  # a note or a table follows the picture
        if not structure.is_caption(text) or structure.dateline(text):
            return False
        self._parts.blocks[-1] = _captioned(picture, text)
        return True

    def _attach_caption_element(self, node: LexborNode) -> bool:
        """Attach the text of a caption element to the picture directly before it.

        The caption element is outside any picture container. Return False if no picture is directly before it, or if
        that picture already has a caption.
        """
        last = self._parts.blocks[-1] if self._parts.blocks else None
        if not isinstance(last, ImageBlock) or last.caption or "".join(self._buffer).strip():
            return False
        self._parts.blocks[-1] = _captioned(last, dom.text(node, self._noise) or None)
        return True

    def _data_rows(self, table: LexborNode) -> list[list[str]]:
        has_others = table.mem_id in self._with_picture or table.mem_id in self._with_table
        return [] if has_others else tables.data(table)

    def _has_picture_alone(self, table: LexborNode) -> bool:
        if table.mem_id not in self._with_picture or table.mem_id in self._with_table:
            return False
        is_all = dom.text(table) == self._text  # the text may then be that of a short article
        return not is_all and tables.is_picture(table, _BARE_CAPTION_LENGTH)

    @cached_property
    def _text(self) -> str:
        return dom.text(self._body)

    def _emit(self, kind: TextType, text: str) -> None:
        if text:
            self._parts.blocks.append(TextBlock(kind, text))

    def _nested_texts(self, node: LexborNode) -> list[TextBlock]:
        nested = _Reader(node, BodySelectors(), self._attributes, self._resolve)
        nested._noise, nested._related = self._noise, self._related
        nested._special |= self._noise | self._related
        return [b for b in nested.read(node).blocks if isinstance(b, TextBlock)]

    def pictures(self, container: LexborNode) -> list[ImageBlock]:
        """Return the pictures inside the element `container` with their captions.

        A caption belongs to the picture before it; only one before the first picture belongs to the first picture.
        """
        found: list[ImageBlock] = []
        pending: str | None = None  # a caption before the first picture
        stack = [container]
        while stack:
            node = stack.pop()
            if node.mem_id in self._noise or node.tag in dom.SILENT:
                continue  # this also skips the `<noscript>` copy of a lazily loaded picture
            if node.tag == "img" and not image_address.is_tracking_pixel(node):
                image = self._image(node)
                found.append(_captioned(image, pending) if pending else image)
                pending = None
            elif node.mem_id in self._caption and (text := dom.text(node, self._noise)):
                if not found:
                    pending = text
                else:
                    before = found[-1].caption
                    found[-1] = _captioned(found[-1], f"{before} {text}" if before else text)
            else:
                stack.extend(reversed([child for child in dom.children(node) if dom.is_element(child)]))
        if not found:  # the picture itself is added by a script
            found = [self._image(n) for n in container.css("noscript img") if not image_address.is_tracking_pixel(n)]
            found[-1:] = [_captioned(image, pending) if pending else image for image in found[-1:]]
        if found and all(image.caption is None for image in found):  # its caption may be bare text, without an element
            text = dom.text(container, self._noise)
            is_caption = 0 < len(text) <= _BARE_CAPTION_LENGTH and structure.signature(text) is None
            found[-1] = _captioned(found[-1], text if is_caption else None)
        return found

    def _image(self, node: LexborNode) -> ImageBlock:
        alt = dom.attribute(node, "alt")
        image = ImageBlock(
            url=image_address.of(node, self._attributes.image, self._resolve),
            alt=dom.collapse(alt),
            joint=" " if alt.strip() and alt[-1].isspace() else "",
        )
        places = (node, node.parent) if node.parent is not None else (node,)
        stated = (dom.collapse(dom.attribute(place, n)) for n in self._attributes.caption for place in places)
        caption = next(filter(None, stated), None)
        return _captioned(image, caption) if caption else image


def _kind(node: LexborNode, outer: TextType) -> TextType:
    """Return the type of the blocks inside a block element that is in one of the type `outer`.

    A heading of several paragraphs has lost its end tag: they are paragraphs.
    """
    kind = _TYPES.get(node.tag or "", outer)
    if kind == "heading" and node.tag == "p" and any(near.tag == "p" for near in _near(node)):
        return "paragraph"
    return kind


def _near(node: LexborNode, *, after: bool = True) -> Iterator[LexborNode]:
    """Yield the siblings directly before and, unless `after` is False, after `node`."""
    one, two = node.prev, node.next if after else None
    for _ in range(_NEAR):
        yield from (sibling for sibling in (one, two) if sibling is not None)
        one, two = one.prev if one is not None else None, two.next if two is not None else None


def _begins_sentence(link: LexborNode) -> bool:
    """Whether text follows a link in the same line, so that the link is part of a sentence."""
    letters, node = 0, link.next
    for _ in range(_LABEL_PARTS):
        if node is None or node.tag == "br" or node.tag in dom.BREAKING:
            break
        letters += sum(map(str.isalpha, node.text_content or "" if dom.is_text(node) else dom.text(node)))
        node = node.next
    return letters > _SIGNS_LENGTH


def _captioned(image: ImageBlock, caption: str | None) -> ImageBlock:
    return ImageBlock(image.url, image.alt, caption, structure.credit(caption), image.joint)
