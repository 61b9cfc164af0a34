"""Guesses the article of a page of which only the metadata is known, to learn from its parts: pictures, captions, tags.

A guess is only a help for learning. A layout is never verified on a guess.

Boundary: reads pages with a layout that `few_texts` learned. Texts that several pages repeat do not belong to an article.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, takewhile
from typing import Any

from selectolax.lexbor import LexborNode

from crawler.heal.places import KnownPage, Places
from crawler.heal.text_index import TextIndex, squeeze
from crawler.markup import Markup
from crawler.parse import dom, frame, structure
from crawler.parse.page import read_with_layout
from crawler.types import Article, ImageBlock, TextBlock

_DIGITS = re.compile(r"\d+")
_FEWEST, _SHARE = 2, 0.1  # pages, number and share, that show a text which is not the article
_LONGEST = 600  # characters of a caption; the longest ones in the seeds have 250
_LEVELS = 6  # elements around a picture that are examined
_MOST_PICTURES = 60
_STRUCTURAL = ("ul", "ol", "li", "blockquote", "h2", "h3", "h4", "p", *dom.TEXT_LEVEL)  # elements of running text
_CONTROLS = "script, iframe, video, audio, form, button, input"

Kinds = frozenset[tuple[str, str]]  # element names with classes


def repeated(articles: Sequence[Article], known: Iterable[Article]) -> frozenset[str]:
    """Return the texts, as `outline` returns them, that several articles have and no known one: boxes and notices."""
    counts = Counter(key for article in articles for key in {outline(p) for p in article.paragraphs})
    own = {outline(p) for article in known for p in article.paragraphs}
    least = max(_FEWEST, _SHARE * len(articles))
    return frozenset(key for key, number in counts.items() if number >= least) - own


def outline(text: str) -> str:
    """Return a text without what differs between two copies of a notice: numbers, accents, case, punctuation.

    The agency's signature alone in a paragraph has no outline, because it is repeated, but belongs to the article.
    """
    return "" if structure.signature(text) else _DIGITS.sub("", squeeze(text))


def kinds_of(places: Iterable[Places]) -> Kinds:
    """Return the kinds of the elements with known paragraphs, and of those around them inside the body."""
    found: set[tuple[str, str]] = set()
    for place in places:
        body = dom.ids(place.body)
        for node in place.paragraphs:
            elements = [node] if dom.is_element(node) else []
            elements += takewhile(lambda a: a.mem_id not in body, dom.ancestors(node))  # noqa: B023 - used at once
            found.update(map(_kind, elements))
    return frozenset(found)


def stated(known: KnownPage) -> KnownPage:
    """Return a page with the article that its metadata describe, also its picture and its keywords."""
    picture = _stated_picture(known)
    blocks = (ImageBlock(picture),) if picture else ()
    return replace(known, article=replace(known.article, blocks=blocks, tags=_keywords(known)))


def guess(place: Places, layout: Markup, boxes: frozenset[str], paragraphs: Kinds) -> KnownPage:
    """Return a page with the article that it probably has; without text if the layout does not read it.

    `boxes` contains the outlines of texts that are not the article, `paragraphs` the kinds of known paragraphs: other
    elements with, or directly after, a picture are its caption.
    """
    known, index = place.known, place.index
    found = read_with_layout(known.page, layout)
    if found is None or squeeze(found.title) != squeeze(known.article.title):
        return replace(known, article=replace(known.article, tags=_tags(known, index)))
    texts = [b for b in found.blocks if isinstance(b, TextBlock) and outline(b.text) not in boxes - {""}]
    pictures = list(_pictures(known, found, index, paragraphs))
    captions = {squeeze(p.caption) for p in pictures if p.caption}
    texts = [b for b in texts if squeeze(b.text) not in captions]
    beside = _beside(known, layout, [b.text for b in texts], index, paragraphs)
    kept = (b for b in texts if squeeze(b.text) not in beside)
    notes = (TextBlock("note", note) for note in dict.fromkeys(beside.values()) if note)
    article = replace(known.article, blocks=(*pictures, *kept, *notes), tags=_tags(known, index))
    return replace(known, article=article, guessed=True)


def _pictures(known: KnownPage, found: Article, index: TextIndex, paragraphs: Kinds) -> Iterator[ImageBlock]:
    """Yield the pictures that the layout reads and the one in the metadata, with the captions that they probably have."""
    read = {image.url: image for image in found.images if image.url}
    if stated := _stated_picture(known):
        read.setdefault(stated, ImageBlock(stated))
    texts = {squeeze(text) for text in (found.title, found.lead or "", *found.paragraphs)} - {""}
    nodes = [_innermost(index.by_text[text]) for text in texts if text in index.by_text]
    own = dom.around(n for n in nodes if _kind(n) in paragraphs or dom.is_text(n)) | dom.around(index.find(found.title))
    for node in known.page.tree.css("img")[:_MOST_PICTURES]:
        url = next((u for v in node.attributes.values() if v and (u := known.page.resolve(v)) and u in read), None)
        if url is not None:
            image = read.pop(url)
            yield image if image.caption else replace(image, caption=_caption(node, own, paragraphs))


def _innermost(nodes: Sequence[LexborNode]) -> LexborNode:
    """Return the innermost element of nodes with the same text; a text node only if there is no such element."""
    return next((node for node in reversed(nodes) if dom.is_element(node)), nodes[-1])


def _caption(picture: LexborNode, own: frozenset[int], paragraphs: Kinds) -> str | None:
    """Return the text that is with a picture in the largest element without article text, or directly after it."""
    around = [picture]
    for element in islice(dom.ancestors(picture), _LEVELS):
        if element.mem_id in own or element.tag == "body" or len(element.css("img")) > 1:
            break
        around.append(element)
    inner = next((text for element in around if (text := dom.text(element))), None)
    if inner is not None:
        return inner if len(inner) <= _LONGEST else None
    following = around[-1].next
    while following is not None and not dom.collapse(_shown(following)):
        following = following.next
    if following is None or following.mem_id in own:
        return None
    text = dom.collapse(_shown(following))
    has_credit = structure.credit(text) is not None and structure.dateline(text) is None
    is_other = dom.is_element(following) and _kind(following) not in paragraphs
    return text if (has_credit or is_other) and len(text) <= _LONGEST else None


def _beside(
    known: KnownPage, layout: Markup, texts: Sequence[str], index: TextIndex, kinds: Kinds
) -> dict[str, str | None]:
    """Return the squeezed texts in boxes inside the body, with the text of the box; None if it is not a note.

    A box is an element of a kind that no known paragraph is in. It contains less than half of the texts, and neither the
    dateline nor the signature. If it has controls or a player, it is not a note.
    """
    frame_ = frame.find(known.page, layout)
    bodies = dom.ids(frame_.bodies) if frame_ is not None else frozenset()
    boxes: dict[int, LexborNode] = {}
    inside: dict[int, list[str]] = {}
    for text in texts:
        nodes = index.find(text)
        around = list(takewhile(lambda a: a.mem_id not in bodies, dom.ancestors(nodes[-1]))) if nodes else []
        box = next((a for a in reversed(around) if _kind(a) not in kinds and a.tag not in _STRUCTURAL), None)
        if box is not None and any(dom.is_element(a) and a.mem_id in bodies for a in dom.ancestors(box)):
            boxes[box.mem_id] = box
            inside.setdefault(box.mem_id, []).append(text)
    found: dict[str, str | None] = {}
    for identity, own in inside.items():
        if 2 * len(own) < len(texts) and not any(structure.dateline(t) or structure.signature(t) for t in own):
            note = None if boxes[identity].css_first(_CONTROLS) else dom.text(boxes[identity])
            found |= dict.fromkeys(map(squeeze, own), note)
    return found


def _shown(node: LexborNode) -> str:
    return dom.text(node) if dom.is_element(node) else (node.text_content or "") if dom.is_text(node) else ""


def _kind(node: LexborNode) -> tuple[str, str]:
    return node.tag or "", dom.attribute(node, "class")


def _stated_picture(known: KnownPage) -> str | None:
    """Return the address of the article's picture according to the metadata."""
    stated = known.page.head.meta.get("og:image") or _url_in(
        known.page.head.news_article(known.page.post_id).get("image")
    )
    return known.page.resolve(stated) if stated else None


def _url_in(value: Any) -> str | None:
    if isinstance(value, list):
        value = next(iter(value), None)
    if isinstance(value, Mapping):
        value = value.get("url")
    return value if isinstance(value, str) else None


def _tags(known: KnownPage, index: TextIndex) -> tuple[str, ...]:
    """Return the keywords in the metadata, if the page shows all of them as links."""
    words = _keywords(known)
    is_shown = all(any(node.tag == "a" for node in index.find(word)) for word in words)
    return words if is_shown else ()


def _keywords(known: KnownPage) -> tuple[str, ...]:
    words = (word.strip() for word in known.page.head.meta.get("keywords", "").split(","))
    return tuple(dict.fromkeys(word for word in words if word))
