"""Learns where lists of stories have the post ids, from lists whose stories are known and whose pages have no addresses.

The stories that a source listed before are known: their ids are in attributes or scripts of the new page. Of these ids, two
thirds choose the selectors, and one third verifies them. Navigation and footers are left out. A box of other stories, such as
the most read ones, is not a substitute for the list: most stories at its top must be read.

Boundary: values and trees in, a layout out; nothing is fetched or stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from selectolax.lexbor import LexborHTMLParser

from crawler.heal import list_places
from crawler.heal.text_index import squeeze
from crawler.markup import ArticleSelectors, ListSelectors, Markup

_KEPT_APART = 3  # one known story of this many is used for verification only
_FEWEST = 5  # verified stories, below which a layout is proposed, but never adopted without a person
_LEAST_KNOWN = 0.5  # share of the stories read that must be known: the others are new
_LEAST_LISTED = 0.5  # share of the upper half of the last list that must be read, or be replaced by newer stories
NOT_FOUND = "the page has no known post ids outside its navigation"
NOT_THE_LIST = "most stories at the top of the last list are not read"
UNKNOWN = "most post ids that are read are not known"


@dataclass(frozen=True, slots=True, eq=False)
class KnownList:
    """A list without addresses. `known` has the title of each known article by post id, None where it is not known.

    `listed` are the ids that the source listed when it was read for the last time, in the order of the page; `linked` those
    whose addresses are on the page.
    """

    url: str
    tree: LexborHTMLParser
    fetched_at: datetime
    known: Mapping[int, str | None]
    listed: tuple[int, ...]
    linked: frozenset[int] = frozenset()


@dataclass
class ListHealing:
    """What was learned about lists, and how exactly it reads the stories that were kept apart.

    - `layout`: the layout; None if nothing was learned. `earliest`: when the first page was fetched.
    - `pages`, `stories`: how many lists and known stories the layout was learned from.
    - `exact`: for `id` and `title`, the number of stories kept apart that were read exactly, and their number.
    - `contradicted`: addresses of lists that are not read correctly, with reasons.
    """

    layout: Markup | None = None
    earliest: datetime | None = None
    pages: int = 0
    stories: int = 0
    exact: dict[str, tuple[int, int]] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    contradicted: list[tuple[str, str]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The smallest share of exact values; 0 without a story for verification."""
        return min((right / total for right, total in self.exact.values() if total), default=0.0)

    @property
    def verified(self) -> int:
        """The number of stories kept apart."""
        return self.exact.get("id", (0, 0))[1]

    def is_adoptable(self, least: float) -> bool:
        """Whether the layout may be adopted: enough stories were verified, and no list is read wrongly."""
        return self.layout is not None and not self.contradicted and self.verified >= _FEWEST and self.share >= least


def heal(pages: Sequence[KnownList], name: str, about: str, valid_from: date) -> ListHealing:
    """Return a layout of lists, and how exactly it reads the known stories that were not used for learning."""
    result = ListHealing(pages=len(pages))
    opened = [list_places.opened(page.tree, page.known) for page in pages]
    training = [
        {i: title for i, title in page.known.items() if not _is_apart(i) and i not in page.linked} for page in pages
    ]
    lists = list_places.choose(opened, training)
    if lists is None:
        result.contradicted = [(page.url, NOT_FOUND) for page in pages]
        return result
    result.layout = Markup(name, ArticleSelectors((), ()), about=about, valid_from=valid_from, lists=lists)
    result.earliest = min(page.fetched_at for page in pages)
    for page, places in zip(pages, opened, strict=True):
        _verify(result, page, places, lists)
    return result


def _is_apart(post_id: int) -> bool:
    return zlib.crc32(str(post_id).encode()) % _KEPT_APART == 0


def _verify(result: ListHealing, page: KnownList, places: list_places.OpenedList, lists: ListSelectors) -> None:
    """Count the stories of one list that are read exactly, and whether the list itself is read."""
    read = list_places.stories_of(places, lists)
    shown = places.shown & page.known.keys()
    shown -= page.linked
    expected = {i for i in shown if i in page.listed} or shown
    result.stories += sum(not _is_apart(i) for i in read.keys() & shown)
    for post_id in (i for i in expected if _is_apart(i)):
        _count(result, "id", is_exact=post_id in read)
        title = page.known[post_id]
        if title and places.shows(title) and post_id in read:
            _count(result, "title", is_exact=squeeze(read[post_id] or "") == squeeze(title))
    if reason := _contradiction(page, read):
        result.contradicted.append((page.url, reason))
    else:
        result.urls.append(page.url)


def _count(result: ListHealing, name: str, *, is_exact: bool) -> None:
    right, total = result.exact.get(name, (0, 0))
    result.exact[name] = (right + is_exact, total + 1)


def _contradiction(page: KnownList, read: Mapping[int, str | None]) -> str | None:
    """Return the reason why a list is not read correctly; None if there is none."""
    known = read.keys() & page.known.keys() - page.linked
    if not known:
        return NOT_FOUND
    if len(known) < _LEAST_KNOWN * len(read.keys() - page.linked):
        return UNKNOWN
    upper = page.listed[: (len(page.listed) + 1) // 2]
    newer = sum(i > max(page.listed) for i in known) if page.listed else 0
    if len((known | page.linked) & set(upper)) + newer < _LEAST_LISTED * len(upper):
        return NOT_THE_LIST
    return None
