"""Chooses selectors that find a field on all training pages: right on most pages first, then the cheapest.

Boundary: evaluates selectors on trees; the nodes that they must find are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode, SelectolaxError

from crawler.heal.places import Places
from crawler.parse import dom

_MOST_SELECTORS = 3  # of one field
_MOST_CANDIDATES = 250
_MOST_MATCHES = 200
_MOST_COVER = 12
_MOST_COST = 13.0  # of a selector that need not find everything: no mere positions
_EXTRA = 1.5  # cost of matches that are not wanted, on one page
_MISSED = 0.34  # cost of each alternative further out


@dataclass
class _Candidate:
    selector: str
    cost: float
    right: set[int] = field(default_factory=set)  # numbers of the pages
    found: set[int] = field(default_factory=set)  # numbers of the pages on which it finds anything
    extra: int = 0


def choose(
    places: Sequence[Places],
    wanted: Sequence[Sequence[LexborNode]],
    *,
    name: str = "",
    several: bool = False,
    within: bool = False,
) -> tuple[str, ...]:
    """Return selectors for a field, in the order in which they are tried.

    `wanted` has the nodes of the field for each page, none where the field was not found. A selector is right on a page
    if its first match is one of them; with `several`, if all its matches are. With `within`, only the matches inside
    the article count, as the parser reads them; if there is none, all matches count. `name` is the attribute of the
    article: on a page whose article is known not to have it, nothing should be found.
    """
    numbers = [number for number, nodes in enumerate(wanted) if nodes]
    roots = [place.root for place in places] if within else None
    candidates = _candidates(places, wanted, numbers)
    ids = [dom.ids(nodes) for nodes in wanted]
    found = [_evaluated(c, cost, places, ids, roots, several=several) for c, cost in candidates.items()]
    lacking = {n for n, p in enumerate(places) if name and p.known.lacks(name)}
    chosen: list[str] = []
    open_pages = set(numbers) | lacking  # those on which none of the chosen selectors finds anything
    while len(chosen) < _MOST_SELECTORS:
        gains = [(c, len(c.right & open_pages) - len((c.found - c.right) & open_pages)) for c in found]
        most = max((gain for _, gain in gains), default=0)
        if most <= 0:
            break
        equal = [c for c, gain in gains if gain == most]
        best = min(equal, key=lambda c: (c.cost + _EXTRA * c.extra / len(places), len(c.selector)))
        chosen.append(best.selector)
        open_pages -= best.found
    return tuple(chosen)


def _candidates(
    places: Sequence[Places], wanted: Sequence[Sequence[LexborNode]], numbers: Sequence[int]
) -> Mapping[str, float]:
    costs: dict[str, float] = {}
    seen: dict[str, int] = defaultdict(int)
    for number in numbers:
        for rank, node in enumerate(wanted[number]):
            for selector, cost in places[number].index.selectors(node).items():
                costs[selector] = min(costs.get(selector, 99.0), cost + _MISSED * min(rank, 5))
                seen[selector] += 1
    ordered = sorted(costs, key=lambda s: (-min(seen[s], len(numbers)), costs[s]))
    return {selector: costs[selector] for selector in ordered[:_MOST_CANDIDATES]}


def _evaluated(
    selector: str,
    cost: float,
    places: Sequence[Places],
    wanted: Sequence[frozenset[int]],
    roots: Sequence[frozenset[int]] | None,
    *,
    several: bool,
) -> _Candidate:
    result = _Candidate(selector, cost)
    for number, place in enumerate(places):
        try:
            visible = place.index.matches(selector)[:_MOST_MATCHES]
        except SelectolaxError:
            return _Candidate(selector, cost)
        ids = wanted[number]
        right = [m for m in visible if m in ids]
        result.extra += len(visible) - len(right)
        if roots is not None and (inside := tuple(m for m in visible if m in roots[number])) not in ((), visible):
            visible, right = inside, [m for m in inside if m in ids]
        if any(m in ids or m in place.index.filled for m in visible[:3]):
            result.found.add(number)
        if right and (len(right) == len(visible) if several else visible[0] in ids):
            result.right.add(number)
    return result


Group = Sequence[LexborNode]  # nested nodes with the same content: to find one of them is enough


@dataclass
class _Cover:
    selector: str
    cost: float
    covered: set[tuple[int, int]] = field(default_factory=set)  # numbers of the page and of the group


def cover(
    places: Sequence[Places], wanted: Sequence[Sequence[Group]], forbidden: Sequence[frozenset[int]]
) -> tuple[str, ...]:
    """Return selectors that together find a node of each `wanted` group of each page, and no `forbidden` node.

    Groups that no such selector finds are left out.
    """
    groups = {
        (page, node.mem_id): (page, number)
        for page, groups_of_page in enumerate(wanted)
        for number, group in enumerate(groups_of_page)
        for node in group
    }
    costs: dict[str, float] = {}
    for place, groups_of_page in zip(places, wanted, strict=True):
        for node in (node for group in groups_of_page for node in group):
            for selector, cost in place.index.selectors(node).items():
                costs[selector] = min(cost, costs.get(selector, cost))
    cheapest = sorted((s for s in costs if costs[s] <= _MOST_COST), key=lambda s: costs[s])[:_MOST_CANDIDATES]
    found = (_covering(s, costs[s], places, forbidden, groups) for s in cheapest)
    pool = [c for c in found if c is not None and c.covered]
    left, chosen = set(groups.values()), list[str]()
    while left and pool and len(chosen) < _MOST_COVER:
        best = max(pool, key=lambda c: (len(c.covered & left) / (1 + c.cost), -c.cost))
        if not best.covered & left:
            break
        chosen.append(best.selector)
        left -= best.covered
    return tuple(chosen)


def harmless(
    places: Sequence[Places], selectors_: Sequence[str], forbidden: Sequence[frozenset[int]]
) -> tuple[str, ...]:
    """Return those of some selectors that find no `forbidden` node on any page."""
    return tuple(s for s in selectors_ if _covering(s, 0.0, places, forbidden, {}) is not None)


def with_usual(
    places: Sequence[Places], chosen: Sequence[str], usual: Sequence[str], forbidden: Sequence[frozenset[int]]
) -> tuple[str, ...]:
    """Return the chosen selectors, and after them the `usual` ones that find no `forbidden` node."""
    return tuple(dict.fromkeys((*chosen, *harmless(places, usual, forbidden))))


def _covering(
    selector: str,
    cost: float,
    places: Sequence[Places],
    forbidden: Sequence[frozenset[int]],
    groups: Mapping[tuple[int, int], tuple[int, int]],
) -> _Cover | None:
    result = _Cover(selector, cost)
    for number, place in enumerate(places):
        try:
            matches = frozenset(place.index.matches(selector))
        except SelectolaxError:
            return None
        if matches & forbidden[number]:
            return None
        result.covered |= {groups[number, identity] for identity in matches if (number, identity) in groups}
    return result
