"""Find the elements of an article that show its times, and whether each shows the publication or the last change.

Boundary: reads the tree; `times` chooses between the times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from selectolax.lexbor import LexborNode

from crawler.markup import Markup
from crawler.parse import dom, time_text
from crawler.parse.frame import Frame
from crawler.parse.time_text import TimeText

Role = Literal["published", "modified"]

_MOST = 8  # elements that are read; an article shows one or two times
_LEVELS = 3  # elements around a time of which it is the first content, such as a cell
_CHANGED = ("updated", "modified")  # in the names of CSS classes, as in the microformat hAtom


@dataclass(frozen=True, slots=True)
class TimeElement:
    """One element: its role, its attributes with a time (name and value), its text, and what the text states."""

    role: Role
    stamps: tuple[tuple[str, str], ...]
    text: str
    stated: TimeText

    @property
    def states_day(self) -> bool:
        """Whether the text or an attribute states a day that exists."""
        read = chain((self.stated,), (time_text.read(value) for _, value in self.stamps))
        return any(stated.published or stated.modified for stated in read)


def find(layout: Markup, frame: Frame) -> tuple[TimeElement, ...]:
    """Return the elements of the article that show a time, in document order."""
    nodes = frame.own(layout.article.time)[:_MOST]
    others = frozenset(a.mem_id for node in nodes for a in (node, *dom.ancestors(node)))
    return tuple(_element(node, layout.attributes.time, others) for node in nodes)


def first_with_day(shown: Sequence[TimeElement], role: Role) -> list[TimeElement]:
    """Return the first element of `shown` with the role and, if it states no day (`Hier`), the first one that does."""
    own = [element for element in shown if element.role == role]
    return own[:1] if not own or own[0].states_day else own[:1] + [one for one in own if one.states_day][:1]


def _element(node: LexborNode, names: Sequence[str], others: frozenset[int]) -> TimeElement:
    text = dom.text(node)
    stated = time_text.read(text)
    if not stated.has_date and (apart := _texts_apart(node)) != text:
        text, stated = apart, time_text.read(apart)
    stamps = tuple((name, value) for name in names if (value := dom.attribute(node, name))) or _unusual_stamps(node)
    return TimeElement(_role(node, text, stated, stamps, others), stamps, text, stated)


def _unusual_stamps(node: LexborNode) -> tuple[tuple[str, str], ...]:
    """Return the first attribute of older formats, in an element or inside it, that states a day: microdata, hAtom."""
    places = (node, *node.css("[content], :not(a)[title]")[:_MOST])
    stated = ((name, dom.attribute(place, name)) for place in places for name in ("content", "title"))
    return next((((name, value),) for name, value in stated if value and time_text.read(value).published), ())


def _texts_apart(node: LexborNode) -> str:
    """Return the visible text of an element with a space between its text nodes: `<b>20/11/2026</b><b>08:30</b>`."""
    parts = list(node.traverse(include_text=True))
    silent = dom.ids(part for part in parts[1:] if dom.is_silent(part))
    texts = dom.outside(filter(dom.is_text, parts), silent)
    return dom.collapse(" ".join(part.text_content or "" for part in texts))


def _role(
    node: LexborNode, text: str, stated: TimeText, stamps: Sequence[tuple[str, str]], others: frozenset[int]
) -> Role:
    named = dom.attribute(node, "itemprop").strip().lower()
    if named in ("datemodified", "datepublished"):
        return "modified" if named == "datemodified" else "published"
    if stated.published and stated.modified:
        # The text has both times, and the attributes one of them.
        attributes = [time_text.read(value).published for _, value in stamps]
        days = {when.date() for when in attributes if when}
        changed = stated.modified.date() in days and stated.published.date() not in days
        return "modified" if changed else "published"
    if stated.modified:
        return "modified"
    own = time_text.label(text)
    if own and stated.published:
        return "published"
    classes = dom.attribute(node, "class").lower()
    if any(word in classes for word in _CHANGED) and "publish" not in classes:
        return "modified"
    return (
        own
        or next(filter(None, map(time_text.label, filter(None, _places_of_label(node, others)))), None)
        or "published"
    )


def _places_of_label(node: LexborNode, others: frozenset[int]) -> Iterator[str]:
    """Yield the texts that may say what the time in `node` is, the most exact one first."""
    stated = filter(None, (dom.attribute(node, name) for name in ("title", "aria-label")))
    yield from filter(time_text.is_label, stated)
    yield " ".join(reversed(list(_before(node, others))))
    yield _block_before(node, others)


def _before(node: LexborNode, others: frozenset[int]) -> Iterator[str]:
    """Yield the pieces of text before `node` in its line, last one first, up to another element that shows a time."""
    current: LexborNode | None = node
    while current is not None:
        sibling = current.prev
        while sibling is not None:
            if sibling.mem_id in others or (dom.is_element(sibling) and sibling.tag not in dom.TEXT_LEVEL):
                return
            yield dom.text(sibling)
            sibling = sibling.prev
        current = current.parent if current.parent is not None and current.parent.tag in dom.TEXT_LEVEL else None


def _block_before(node: LexborNode, others: frozenset[int]) -> str:
    """Return the text of the element before `node`, or before an element that begins with it, if it is only a label."""
    current = node
    for _ in range(_LEVELS):
        sibling = current.prev
        while sibling is not None and not dom.text(sibling):
            sibling = sibling.prev
        if sibling is not None:
            text = "" if sibling.mem_id in others else dom.text(sibling)
            return text if time_text.is_label(text) else ""
        current = current.parent or current
    return ""
