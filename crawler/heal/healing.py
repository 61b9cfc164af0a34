"""Learns a layout from some of the pages whose articles are known, and verifies it on the others.

Boundary: pure; the caller collects the pages and decides about the adoption of the layout.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from crawler.heal import compare, learn
from crawler.heal.places import KnownPage, Places, find
from crawler.markup import Markup
from crawler.parse.page import read_with_layout

_KEPT_APART = 3  # one page of this many is used for verification only
_FEWEST = 5  # usable pages, below which a layout is proposed but never adopted without a person
_MOST_PAGES = 90  # that are used; more take longer and teach little
_ESSENTIAL = ("title", "text")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a page that the learned layout does not read as known."""

    url: str
    field: str
    known: object
    read: object


@dataclass
class Healing:
    """What was learned: the layout, how exactly it reads the pages kept apart, and the pages that could not be used.

    `exact` has for each field the number of pages kept apart that were read exactly and their number. `unusable` and
    `outvoted` contain addresses with reasons: of pages on which the known article does not stand, and of pages that
    contradict the others, for example because they have another layout.
    """

    layout: Markup | None = None
    training: int = 0
    verified: int = 0
    exact: dict[str, tuple[int, int]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    outvoted: list[tuple[str, str]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The smallest share of exact values of a field; 0 without a page for verification."""
        return min((right / total for right, total in self.exact.values() if total), default=0.0)

    def is_adoptable(self, least: float) -> bool:
        """Whether the layout may be adopted: it reads at least the share `least` of every field exactly."""
        return self.layout is not None and self.training + self.verified >= _FEWEST and self.share >= least


def heal(pages: Sequence[KnownPage], name: str, about: str, valid_from: date) -> Healing:
    """Return a layout for `pages`, and how exactly it reads those of them that were not used for learning."""
    result = Healing()
    chosen = sorted(pages, key=lambda p: zlib.crc32(p.page.url.encode()))[:_MOST_PAGES]
    usable: list[Places] = []
    for known in chosen:
        found = find(known)
        if isinstance(found, str):
            result.unusable.append((known.page.url, found))
        else:
            usable.append(found)
    training = [p for number, p in enumerate(usable) if number % _KEPT_APART]
    apart = [p for number, p in enumerate(usable) if not number % _KEPT_APART]
    if not any(p.body for p in training):
        return result
    layout = learn.learn(training, name, about, valid_from)
    agreeing = [p for p in training if _agrees(p, layout)]
    if len(agreeing) < len(training) and any(p.body for p in agreeing):
        layout = learn.learn(agreeing, name, about, valid_from)
        agreeing = [p for p in training if _agrees(p, layout)]
    result.outvoted = [(p.known.page.url, "its title or text is not where it is on most pages")
                       for p in training if p not in agreeing]  # fmt: skip
    result.layout, result.training, result.verified = layout, len(agreeing), len(apart)
    _verify(result, apart, layout)
    return result


def _agrees(place: Places, layout: Markup) -> bool:
    known = place.known
    exact = compare.exact(known, read_with_layout(known.page, layout))
    return all(exact.get(name, True) for name in _ESSENTIAL)


def _verify(result: Healing, apart: Sequence[Places], layout: Markup) -> None:
    for place in apart:
        known = place.known
        found = read_with_layout(known.page, layout)
        for name, is_exact in compare.exact(known, found).items():
            right, total = result.exact.get(name, (0, 0))
            result.exact[name] = (right + is_exact, total + 1)
            if not is_exact:
                values = (compare.value(name, known.article), compare.value(name, found) if found else None)
                result.differences.append(Difference(known.page.url, name, *values))
