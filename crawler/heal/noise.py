"""Learns what is not the article: elements inside its body that are not known text, such as advertising.

Boundary: reads the training pages with a layout, and returns further selectors of noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from selectolax.lexbor import LexborNode

from crawler import urls
from crawler.heal import induce
from crawler.heal.places import Places
from crawler.heal.text_index import squeeze
from crawler.markup import Markup
from crawler.parse import dom
from crawler.parse.page import read_with_layout
from crawler.types import Article, TextBlock


@dataclass(frozen=True, slots=True)
class NoiseFound:
    """Selectors of elements that are not the article's text, and of links to related stories inside the body."""

    noise: tuple[str, ...]
    related: tuple[str, ...]


def find(places: Sequence[Places], layout: Markup) -> NoiseFound:
    """Return selectors of elements that add unknown text or pictures to articles, and match nothing that is known."""
    unwanted = [_unwanted(place, layout) for place in places]
    links = [[g for group in groups if (g := _links(group, p))] for groups, p in zip(unwanted, places, strict=True)]
    others = [[group for group in groups if not _links(group, p)] for groups, p in zip(unwanted, places, strict=True)]
    known = [place.kept | dom.ids((*place.body, *place.title)) for place in places]
    return NoiseFound(induce.cover(places, others, known), induce.cover(places, links, known))


def _unwanted(place: Places, layout: Markup) -> list[list[LexborNode]]:
    """Return for each text or picture that is read but not known the elements that contain nothing else."""
    found = read_with_layout(place.known.page, layout)
    if found is None or not (place.known.complete or place.known.guessed):
        return []
    known = _known_texts(place.known.article)
    texts = [b.text for b in found.blocks if isinstance(b, TextBlock) and squeeze(b.text) not in known]
    groups = [group for text in dict.fromkeys(texts) for group in _occurrences(place, text)]
    wanted = {image.url for image in place.known.article.images}
    for image in found.images:
        if image.url not in wanted and place.known.has_pictures:
            images = place.known.page.tree.css("img")
            groups += [
                [n] for n in images if image.url in {place.known.page.resolve(v) for v in n.attributes.values() if v}
            ]
    kept = place.kept | dom.ids(place.body)
    return [group for nodes in groups if (group := _alternatives(nodes, kept))]


def _occurrences(place: Places, text: str) -> list[list[LexborNode]]:
    """Return, for each place of a text in the body, the nodes that contain it alone, outer ones first."""
    body = dom.ids(place.body)
    found: list[list[LexborNode]] = []
    for node in place.index.find(text):
        if found and dom.inside(node, dom.ids(found[-1][:1])):
            found[-1].append(node)
        elif not body or dom.inside(node, body):  # the body of an article without text is not known
            found.append([node])
    return found


def _alternatives(nodes: Sequence[LexborNode], kept: frozenset[int]) -> list[LexborNode]:
    """Return the elements of `nodes` and around them that contain nothing known, largest first."""
    if not nodes or nodes[0].mem_id in kept:
        return []
    around = [*takewhile(lambda a: a.mem_id not in kept and a.tag != "body", dom.ancestors(nodes[0]))]
    return [*reversed(around), *(node for node in nodes if dom.is_element(node) and node.mem_id not in kept)]


def _links(group: Sequence[LexborNode], place: Places) -> list[LexborNode]:
    """Return the links to articles in a group, if it consists of one."""
    links = [
        n for n in group if n.tag == "a" and urls.post_id(place.known.page.resolve(dom.attribute(n, "href")) or "")
    ]
    return links[:1]


def _known_texts(article: Article) -> frozenset[str]:
    captions = [image.caption or "" for image in article.images]
    texts = [b.text for b in article.blocks if isinstance(b, TextBlock)]
    return frozenset(map(squeeze, (*texts, *captions)))
