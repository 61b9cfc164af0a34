"""Finds where known post ids are on the page of a list, and chooses selectors that find them.

Boundary: reads trees; scripts are read as data, nothing in them is run.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from crawler.discover import listed_ids
from crawler.heal import selectors as selectors_of
from crawler.heal.text_index import TextIndex, build, squeeze
from crawler.markup import ListSelectors, Names, Paths
from crawler.parse import dom, script_data

_BESIDE = "nav, footer, [role=navigation], [role=contentinfo]"
#: Attributes whose numbers are those of pictures and of the design.
_NOT_IDS = frozenset("src srcset data-src data-srcset style alt title width height datetime content".split())
_SCRIPTS = "script:not([src])"
_NUMBERS = ("last", "first")
_MOST_PLACES = 6  # pairs of attribute and number that are examined
_MOST_SELECTORS = 120  # candidates for the items, and for their headlines
_AFTER = re.compile(" [+~] ")  # in a selector that names the element before: it would miss the first item, the newest
_MOST_COST = 13.0  # of a selector: no mere positions
_MOST_ITEMS = 3  # selectors of items
_FEWEST_GAINED = 2  # stories that one more selector must find
_POSITION = re.compile(r"(?<=/)\d+(?=/|$)")
_LEVELS = 5  # elements around an id that may be the item
_MOST_WRONG = 0.02  # share of ids that are neither known nor between known ones
_MOST_SCRIPTS = 40
_MOST_VALUES = 20_000  # of one script
_TITLES = 0.9  # share of the known headlines that a selector must find
_LEAST_KNOWN = 0.3  # share of the ids at a path that must be known and not kept apart
_BEYOND = 1.05  # times the highest known id, up to which an unknown one may be that of a new story


class _Place(NamedTuple):
    """Where an id may be: the name of an attribute, and which number of its value."""

    attribute: str
    number: str


@dataclass(frozen=True, eq=False)
class OpenedList:
    """A list with the elements and scripts that contain known post ids.

    `shown` are the known ids that are on the page outside its navigation. `occurrences` has the elements of each id by
    place, also of unknown ids.
    """

    tree: LexborHTMLParser
    index: TextIndex
    beside: frozenset[int]  # ids of the elements of the navigation
    low: int  # the lowest and the highest id that a story of the list may have
    high: int
    shown: frozenset[int] = frozenset()
    occurrences: dict[_Place, list[tuple[int, LexborNode]]] = field(default_factory=dict)
    data: tuple[tuple[LexborNode, dict[str, list[Any]]], ...] = ()  # scripts with their values by path

    def shows(self, title: str) -> bool:
        """Whether a title is on the page or in its scripts as a text of its own."""
        key = squeeze(title)
        if self.index.find(title):
            return True
        texts = (v for _, paths in self.data for values in paths.values() for v in values if isinstance(v, str))
        return any(squeeze(text) == key for text in texts)


def opened(tree: LexborHTMLParser, known: Mapping[int, str | None]) -> OpenedList:
    """Return a list with the contents of its page; `known` has the known post ids."""
    index = build(tree)
    beside = dom.ids(tree.css(_BESIDE))
    occurrences: dict[_Place, list[tuple[int, LexborNode]]] = defaultdict(list)
    for node in dom.outside((n for n in tree.css("body *") if n.mem_id in index.order), beside):
        for name, value in node.attributes.items():
            for number in _NUMBERS if value and name not in _NOT_IDS else ():
                if (found := listed_ids.post_id(value, number)) is not None:
                    occurrences[_Place(name, number)].append((found, node))
    scripts = tuple((s, _by_path(script_data.load(s))) for s in tree.css(_SCRIPTS)[:_MOST_SCRIPTS])
    in_scripts = {i for _, paths in scripts for values in paths.values() for v in values for i in _ids(v)}
    in_elements = {found for places in occurrences.values() for found, _ in places}
    shown = frozenset(known.keys() & (in_elements | in_scripts))
    low, high = min(shown, default=0), int(max(shown, default=0) * _BEYOND)
    return OpenedList(tree, index, beside, low, high, shown, dict(occurrences), scripts)


def choose(pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]]) -> ListSelectors | None:
    """Return where the lists have the ids in `training`, with their titles; None if no element or script has them."""
    candidates = [*_in_elements(pages, training), *_in_scripts(pages, training)]
    return max(candidates, key=lambda c: _found(pages, training, c), default=None)


def _found(
    pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]], lists: ListSelectors
) -> tuple[int, int]:
    """Return how many known stories a layout finds on all pages together, and how many ids that cannot be any, negated.

    A number that is not an id, such as a year in an address, may be the last one in a few values only.
    """
    read = [stories_of(page, lists).keys() for page in pages]
    right = sum(len(ids & known.keys()) for ids, known in zip(read, training, strict=True))
    wrong = sum(not page.low <= i <= page.high for page, ids in zip(pages, read, strict=True) for i in ids)
    return right, -wrong


def stories_of(page: OpenedList, lists: ListSelectors) -> dict[int, str | None]:
    """Return the post ids that a layout finds on the page of a list, each with its headline, or None."""
    found: dict[int, str | None] = {}
    for post_id, title in listed_ids.read(page.tree, lists):
        found[post_id] = found.get(post_id) or title
    return found


def _ids(value: Any) -> Iterator[int]:
    yield from (i for number in _NUMBERS if (i := listed_ids.post_id(value, number)) is not None)


# --- in elements


def _in_elements(pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]]) -> Iterator[ListSelectors]:
    counts: Counter[_Place] = Counter()
    for page, known in zip(pages, training, strict=True):
        for place, found in page.occurrences.items():
            counts[place] += len({i for i, _ in found} & known.keys())
    for place, number in counts.most_common(_MOST_PLACES):
        if number >= _FEWEST_GAINED and (items := _items(pages, training, place)):
            lists = ListSelectors(item=items, id=Names((place.attribute,)), number=place.number)
            yield replace(lists, title=_title(pages, training, lists))


def _items(pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]], place: _Place) -> tuple[str, ...]:
    """Return the selectors of the items whose attribute is `place`: those that find most known stories first."""
    costs: dict[str, float] = {}
    counts: Counter[str] = Counter()
    for page, known in zip(pages, training, strict=True):
        for node in _elements(page, known, place):
            for selector, cost in page.index.selectors(node).items():
                if cost <= _MOST_COST and not _AFTER.search(selector):
                    costs[selector] = min(cost, costs.get(selector, cost))
                    counts[selector] += 1
    ranked = sorted(costs, key=lambda s: (-counts[s], costs[s]))[:_MOST_SELECTORS]
    pool = {s: f for s in ranked if (f := _covered(pages, training, place, s)) is not None}
    chosen: list[str] = []
    left = set().union(*pool.values()) if pool else set()
    while pool and len(chosen) < _MOST_ITEMS:
        best = max(pool, key=lambda s: (len(pool[s] & left), -costs[s]))
        if len(pool[best] & left) < _FEWEST_GAINED:
            break
        chosen.append(best)
        left -= pool[best]
    return tuple(chosen)


def _elements(page: OpenedList, known: Mapping[int, str | None], place: _Place) -> Iterator[LexborNode]:
    """Yield one element for each known story: the smallest one with its id and title, and without another id."""
    inside: dict[int, set[int]] = defaultdict(set)
    for post_id, node in page.occurrences.get(place, ()):
        for element in (node, *dom.ancestors(node)):
            inside[element.mem_id].add(post_id)
    for post_id, node in page.occurrences.get(place, ()):
        if post_id in known:
            titles = page.index.find(known[post_id] or "")
            alone = takewhile(lambda e: len(inside[e.mem_id]) == 1, islice(dom.ancestors(node), _LEVELS))
            yield next((e for e in (node, *alone) if any(dom.inside(t, dom.ids([e])) for t in titles)), node)


def _covered(
    pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]], place: _Place, selector: str
) -> set[tuple[int, int]] | None:
    """Return the numbers of the pages and the ids of the known stories that a selector finds.

    Return None if it finds anything else: navigation, elements without an id, or ids that cannot be those of stories.
    """
    lists = ListSelectors(item=(selector,), id=Names((place.attribute,)), number=place.number)
    covered: set[tuple[int, int]] = set()
    found = wrong = 0
    for number, (page, known) in enumerate(zip(pages, training, strict=True)):
        try:
            items = page.tree.css(selector)
        except SelectolaxError:
            return None
        read = [post_id for post_id, _ in listed_ids.read(page.tree, lists)]
        if len(dom.outside(items, page.beside)) < len(items):
            return None
        found += len(items)
        wrong += len(items) - len(read) + sum(not page.low <= i <= page.high for i in read)
        covered |= {(number, i) for i in read if i in known}
    return covered if wrong <= _MOST_WRONG * found else None


def _title(
    pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]], lists: ListSelectors
) -> tuple[str, ...]:
    """Return the selector of the headline in an item; none if no selector finds most of the known ones."""
    costs: dict[str, float] = {}
    counts: Counter[str] = Counter()
    for page, known in zip(pages, training, strict=True):
        around = dom.ids(dom.select(page.tree, lists.item))
        for title in filter(None, known.values()):
            for node in page.index.find(title):
                if dom.is_element(node) and dom.inside(node, around):
                    for selector, cost in page.index.selectors(node).items():
                        costs[selector] = min(cost, costs.get(selector, cost))
                        counts[selector] += 1
    ranked = sorted(costs, key=lambda s: (-counts[s], costs[s]))[:_MOST_SELECTORS]
    best = max(ranked, key=lambda s: (_titled(pages, training, replace(lists, title=(s,))), -costs[s]), default="")
    is_enough = best and _titled(pages, training, replace(lists, title=(best,))) >= _TITLES
    return (best,) if is_enough else ()


def _titled(pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]], lists: ListSelectors) -> float:
    """Return the share of the known titles that a layout reads exactly, among the stories that it finds."""
    right = total = 0
    for page, known in zip(pages, training, strict=True):
        for post_id, title in stories_of(page, lists).items():
            if (expected := known.get(post_id)) and page.shows(expected):
                total += 1
                right += squeeze(title or "") == squeeze(expected)
    return right / total if total else 0.0


# --- in scripts


def _in_scripts(pages: Sequence[OpenedList], training: Sequence[Mapping[int, str | None]]) -> Iterator[ListSelectors]:
    """Yield the paths of stories in the data of scripts, for each name and number under which the ids are found."""
    counts: dict[_Place, Counter[str]] = defaultdict(Counter)
    scripts: Counter[str] = Counter()
    costs: dict[str, float] = {}
    titles: Counter[str] = Counter()
    for page, known in zip(pages, training, strict=True):
        wanted = {squeeze(title): title for title in known.values() if title}
        for script, paths in page.data:
            found = list(_stories(paths, known))
            if found:
                costs |= selectors_of.of(script)
                scripts.update(selectors_of.of(script).keys())
            for place, path, amount in found:
                counts[place][path] += amount
            for path, values in paths.items():
                titles[path] += sum(_as_title(value, wanted) for value in values)
    if not scripts:
        return
    most = max(scripts.values())
    chosen = min((s for s, n in scripts.items() if n == most), key=lambda s: costs[s])
    for place, paths_of in counts.items():
        stories = tuple(path for path, _ in paths_of.most_common())
        yield ListSelectors(
            script=(chosen,),
            stories=Paths(stories),
            story_id=place.attribute,
            story_title=_title_name(titles, stories),
            number=place.number,
        )


def _title_name(titles: Counter[str], stories: Sequence[str]) -> str:
    """Return the name of the value of a story that is most often a known title; empty if none is."""
    names: Counter[str] = Counter()
    for path, number in titles.items():
        story, name = _split(path)
        names[name] += number if story in stories else 0
    best, number = names.most_common(1)[0] if names else ("", 0)
    return best if number else ""


def _as_title(value: Any, wanted: Mapping[str, str]) -> int:
    """Return 2 if a value is a known title, 1 if only its letters are, as in an address, and otherwise 0."""
    title = wanted.get(squeeze(value)) if isinstance(value, str) else None
    return 0 if title is None else 1 + (dom.collapse(value) == dom.collapse(title))


def _split(path: str) -> tuple[str, str]:
    """Return the path of a story, which ends with the last `*`, and the name or path of a value in it."""
    story, star, name = path.rpartition("/*/")
    return story + star[:-1], name


def _stories(paths: Mapping[str, Sequence[Any]], known: Mapping[int, str | None]) -> Iterator[tuple[_Place, str, int]]:
    """Yield the names and numbers under which known ids are found, the paths of their stories, and how many ids they are."""
    for path, values in paths.items():
        story, name = _split(path)
        for number in _NUMBERS if story else ():
            ids = {i for value in values if (i := listed_ids.post_id(value, number)) is not None}
            amount = len(ids & known.keys())
            if amount >= max(_FEWEST_GAINED, _LEAST_KNOWN * len(ids)):
                yield _Place(name, number), story, amount


def _by_path(data: Any) -> dict[str, list[Any]]:
    """Return the texts and whole numbers in the data by path, with `*` for positions in lists; not too many of them."""
    found: dict[str, list[Any]] = defaultdict(list)
    for path, value in script_data.leaves(data, _MOST_VALUES):
        if isinstance(value, str | int) and not isinstance(value, bool) and "*" not in path.split("/"):
            found[_POSITION.sub("*", path)].append(value)
    return dict(found)
