"""Learns a layout from pages whose articles are known.

Boundary: pages and articles in, a layout out; nothing is fetched or stored.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from selectolax.lexbor import LexborNode

from crawler.heal import induce, noise
from crawler.heal.places import Places
from crawler.heal.text_index import squeeze
from crawler.markup import ArticleSelectors, Attributes, BodySelectors, Markup, Names, RelatedSelectors
from crawler.parse import dom, time_text
from crawler.parse.times import instant
from crawler.types import TextBlock

#: Selectors that hold for any page in HTML. They are added unless they contradict a known article.
_CAPTION, _PICTURE = ("figcaption",), ("figure",)
_NOISE = ("aside", "nav", "form", "ins.adsbygoogle")
_PLAYER = ("video", "audio")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_:-]*")
#: The tables and keys of a layout that say where a field is.
_AMENDED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "title": (("article", "title"), ("article", "inner_title")),
    "lead": (("article", "lead"),),
    "text": (("article", "body"),),
    "captions": (("body", "caption"), ("body", "picture"), ("body", "bare_caption"), ("attributes", "caption")),
    "published_at": (("article", "time"), ("attributes", "time")),
}
_ROUNDS = 4  # of reading the training pages and looking for what is not the article


def learn(places: Sequence[Places], name: str, about: str, valid_from: date) -> Markup:
    """Return a layout for pages on which the fields are at `places`.

    The layout may be wrong: the caller verifies it on other pages.
    """
    layout = Markup(
        name=name,
        about=about,
        valid_from=valid_from,
        article=_article(places),
        body=_body(places),
        related=RelatedSelectors(),
        attributes=_attributes(places),
    )
    return _without_noise(places, layout, _ROUNDS)


def amend(places: Sequence[Places], base: Markup, moved: Collection[str], name: str, about: str) -> Markup:
    """Return the layout `base` with further selectors for `moved` fields, which are tried before those of the layout.

    The layout still fits the pages, so all other fields are read as before, and pages in the former design, too.
    """
    found = {"article": _article(places), "body": _body(places), "attributes": _attributes(places)}
    layout = replace(base, name=name, about=about, valid_until=None)
    for table, key in (where for field in moved for where in _AMENDED[field]):
        old = getattr(layout, table)
        joined = type(getattr(old, key))(dict.fromkeys((*getattr(found[table], key), *getattr(old, key))))
        layout = replace(layout, **{table: replace(old, **{key: joined})})
    return _without_noise(places, layout, _ROUNDS)


def _without_noise(places: Sequence[Places], layout: Markup, rounds: int) -> Markup:
    """Return a layout with selectors of what is not the article, found by reading the pages up to `rounds` times."""
    found = noise.find(places, layout)
    if rounds == 0 or not (found.noise or found.related):
        return layout
    body = layout.body
    body = replace(body, noise=(*body.noise, *found.noise), related=(*body.related, *found.related))
    return _without_noise(places, replace(layout, body=body), rounds - 1)


def _article(places: Sequence[Places]) -> ArticleSelectors:
    title = induce.choose(places, [p.title for p in places])
    return ArticleSelectors(
        title=title,
        inner_title=title if any(p.has_inner_title for p in places) else (),
        body=induce.choose(places, [p.body for p in places]),
        lead=induce.choose(places, [p.lead for p in places], name="lead", within=True),
        byline=induce.choose(places, [p.byline for p in places], name="byline", within=True),
        time=induce.choose(places, [p.times for p in places], within=True),
        breadcrumb=induce.choose(places, [p.section for p in places], name="section", within=True),
        tags=induce.choose(places, [p.tags for p in places], name="tags", several=True, within=True),
        avatar=induce.cover(places, [[_avatars(p)] for p in places], [_texts(p) for p in places]),
    )


def _body(places: Sequence[Places]) -> BodySelectors:
    captions = [_captions(p) for p in places]
    containers = [_containers(p, nodes) for p, nodes in zip(places, captions, strict=True)]
    texts = [_texts(p) for p in places]
    with_pictures = [_texts(p) | dom.ids(p.pictures) | dom.around(p.pictures) for p in places]
    bare = [_bare_captions(p, set(texts[number])) for number, p in enumerate(places)]
    notes = [_notes(p) for p in places]
    bare_caption = induce.cover(places, bare, texts)
    return BodySelectors(
        noise=induce.harmless(places, _NOISE, [p.kept | dom.ids(p.body) for p in places]),
        caption=induce.with_usual(places, induce.cover(places, captions, with_pictures), _CAPTION, with_pictures),
        picture=induce.with_usual(places, (*induce.cover(places, containers, texts), *bare_caption), _PICTURE, texts),
        bare_caption=bare_caption,
        note=induce.cover(places, notes, with_pictures),
        player=induce.harmless(places, _PLAYER, [p.kept | dom.ids(p.body) for p in places]),
    )


def _texts(places: Places) -> frozenset[int]:
    """Return the ids of the elements that contain the text, the title or the lead, or are such an element."""
    nodes = (*places.paragraphs, *places.title, *places.lead, *places.body)
    return dom.ids(nodes) | dom.around(nodes)


def _captions(places: Places) -> list[list[LexborNode]]:
    """Return for each caption the elements that contain it and nothing else."""
    found = (places.index.find(image.caption or "") for image in places.known.article.images)
    groups = ([n for n in nodes if dom.is_element(n) and n.css_first("img") is None] for nodes in found)
    return [group for group in groups if group]


def _containers(places: Places, captions: Iterable[Sequence[LexborNode]]) -> list[list[LexborNode]]:
    """Return for each caption the elements that contain it and a picture, but no text of the article."""
    paragraphs = _texts(places)
    groups = ([a for a in dom.ancestors(group[0]) if a.css_first("img") is not None] for group in captions)
    kept = ([node for node in group if node.mem_id not in paragraphs] for group in groups)
    return [group for group in kept if group]


def _bare_captions(places: Places, paragraphs: set[int]) -> list[list[LexborNode]]:
    """Return for each caption without an element of its own the elements with the picture inside or before it."""
    found: list[list[LexborNode]] = []
    for image in places.known.article.images:
        nodes = places.index.find(image.caption or "")
        if not nodes or not dom.is_text(nodes[-1]) or any(n.css_first("img") is None for n in nodes[:-1]):
            continue
        inside = [n for n in nodes[:-1] if n.mem_id not in paragraphs]
        before = nodes[-1].prev
        while before is not None and not (dom.is_element(before) and before.tag != "br"):
            before = before.prev
        pictured = [before, *before.css("*")] if before is not None and not dom.text(before) else []
        group = inside or [n for n in pictured if n.css_first("img") is not None and n.tag != "img"]
        if group:
            found.append(group)
    return found


def _notes(places: Places) -> list[list[LexborNode]]:
    """Return for each note beside the article the elements that contain it and nothing else."""
    notes = (b.text for b in places.known.article.blocks if isinstance(b, TextBlock) and b.type == "note")
    groups = ([n for n in places.index.find(note) if dom.is_element(n)] for note in notes)
    return [group for group in groups if group]


def _avatars(places: Places) -> list[LexborNode]:
    """Return the elements around pictures outside the body."""
    if not places.body:
        return []
    body = dom.ids(places.body[:1])
    paragraphs = dom.around((*places.paragraphs, *places.title))
    captions = [image.caption for image in places.known.article.images if image.caption]
    for picture in places.pictures:
        if dom.inside(picture, body):
            continue
        around = [*itertools.takewhile(lambda a: a.mem_id not in paragraphs, dom.ancestors(picture))]
        captioned = [a for a in around if any(squeeze(c) in squeeze(dom.text(a)) for c in captions)]
        return captioned or [*around, picture]
    return []


def _attributes(places: Sequence[Places]) -> Attributes:
    images: Counter[str] = Counter()
    times: Counter[str] = Counter()
    captions: Counter[str] = Counter()
    for place in places:
        wanted = {image.url for image in place.known.article.images}
        published = instant(place.known.article.published_at) if place.known.article.published_at else None
        for node in place.pictures:
            images.update(n for n, v in node.attributes.items() if v and place.known.page.resolve(v) in wanted)
        for node in place.times:
            stated = {n: time_text.read(v).published for n, v in node.attributes.items() if v}
            times.update(n for n, at in stated.items() if at is not None and at == published)
        captions.update(_caption_attributes(place))
    defaults = Attributes()
    return Attributes(
        image=Names(dict.fromkeys((*[n for n, _ in images.most_common(3)], *defaults.image))),
        time=Names(dict.fromkeys((*[n for n, _ in times.most_common(2)], *defaults.time))),
        caption=Names(n for n, _ in captions.most_common(1)),
    )


def _caption_attributes(place: Places) -> Iterator[str]:
    """Yield for each caption that no text of the page has the attribute with it."""
    for image in place.known.article.images:
        wanted = squeeze(image.caption or "")
        if not wanted or place.index.find(wanted):
            continue
        for node in (n for picture in place.pictures for n in (picture, picture.parent) if n is not None):
            yield from (n for n, v in node.attributes.items() if v and squeeze(v) == wanted and _ATTRIBUTE.fullmatch(n))
