"""Learns a layout from some of the pages whose articles are known, and verifies it on the others.

Boundary: pure; the caller collects the pages and decides about the adoption of the layout.
"""

from __future__ import annotations

import copy
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from crawler.heal import compare, few_texts, learn, moved, provisional, scripts
from crawler.heal.places import KnownPage, Places, find
from crawler.markup import DataPaths, Markup
from crawler.parse.page import read_with_layout
from crawler.types import Article, TextBlock

_KEPT_APART = 3  # one page of this many is used for verification only
_FEWEST = 5  # usable pages of known articles, below which a layout is proposed but never adopted without a person
_FEWEST_TEXTS = 3  # verified texts, below which the same holds: one or two show too few forms of articles
_FEW_TEXTS = 9  # known articles, below which a third is too few to verify: each is verified by the others
_FEWEST_FURTHER = 4  # pages of unknown articles that must agree with a layout learned from few texts
_MOST_CONTRADICTED, _FEWEST_PROVEN = 0.02, 0.5  # shares of these pages
_MOST_PAGES = 90  # that are used; more take longer and teach little
_MOST_EXCUSED = 0.2  # share of the pages kept apart that may have another layout or an edited article
_FEWEST_MOVED = 2  # pages on which a field must be elsewhere, to amend the layout
_MAY_BE_LEFT_OUT = ("section", "tags", "byline")  # fields that a new design may not show any more
_ESSENTIAL = ("title", "text")
OTHER_LAYOUT = "its title or text is not where it is on most pages; it may have another layout"
EDITED = "the article seems to have been edited since the archive read it"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a page that the learned layout does not read as known."""

    url: str
    field: str
    known: object
    read: object


@dataclass
class Healing:
    """What was learned, and how exactly it reads pages that were not used for learning.

    - `base`: the known layout that was amended, because it still fits most pages; None if the layout is new.
    - `complete`: the number of usable pages whose whole article was known; `training`: the pages that the layout was
      learned from; `verified`: the others that it was tried on.
    - `exact`: for each field, the number of the latter that were read exactly, and their number.
    - `doubtful`: the fields that were not read literally on every page; `not_shown`: fields that pages no longer show.
    - `earliest`: when the first page was fetched that the layout reads; `urls`: the addresses of these pages.
    - `is_by_turns`: whether there were few known articles, so that each was verified with a layout learned from the others.
      Then `further` is the number of pages of unknown articles, `proven` the number of those whose text begins and ends
      where it should, and `contradicted` contains the addresses, with reasons, of those that are not read correctly.
    - `unusable`, `outvoted`: addresses with reasons, of pages on which the known article was not found, and of pages
      that contradict the others, for example because they have another layout.
    """

    layout: Markup | None = None
    base: Markup | None = None
    earliest: datetime | None = None
    complete: int = 0
    training: int = 0
    verified: int = 0
    exact: dict[str, tuple[int, int]] = field(default_factory=dict)
    doubtful: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()
    urls: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    outvoted: list[tuple[str, str]] = field(default_factory=list)
    is_by_turns: bool = False
    further: int = 0
    proven: int = 0
    contradicted: list[tuple[str, str]] = field(default_factory=list)
    _excused: Counter[str] = field(default_factory=Counter)  # pages by field that may be edited, or have another layout

    @property
    def share(self) -> float:
        """The smallest share of exact values of a field; 0 without a page for verification."""
        return min((right / total for right, total in self.exact.values() if total), default=0.0)

    @property
    def texts(self) -> int:
        """The number of pages on which the text was verified."""
        return self.exact.get("text", (0, 0))[1]

    def is_adoptable(self, least: float) -> bool:
        """Whether the layout may be adopted: it reads at least the share `least` of every field exactly.

        It must have been learned from enough articles, and verified on the text of several. If these are few, pages of
        unknown articles must agree with it.
        """
        is_proven = self.complete >= _FEWEST and self.texts >= (_FEWEST if self.is_by_turns else _FEWEST_TEXTS)
        agrees = self.is_agreed if self.is_by_turns else True
        return self.layout is not None and is_proven and agrees and self.share >= least

    @property
    def is_agreed(self) -> bool:
        """Whether enough pages of unknown articles agree with the layout, and state a publication time."""
        return (
            self.further >= _FEWEST_FURTHER
            and len(self.contradicted) <= _MOST_CONTRADICTED * self.further
            and self.proven >= _FEWEST_PROVEN * self.further
            and self.exact.get("published_at", (0, 0))[1] > 0
        )

    def verify(self, known: KnownPage) -> None:
        """Try the learned layout on one more page whose article is known."""
        assert self.layout is not None
        shown = scripts.opened([known], self.layout.data) if self.layout.data.script else [known]
        place = find(shown[0]) if shown else OTHER_LAYOUT
        if isinstance(place, str):
            self.unusable.append((known.page.url, place))
            return
        self.complete += known.complete
        self.compare(place, read_with_layout(known.page, self.layout))

    def compare(self, place: Places, found: Article | None, *, learned: bool = False) -> None:
        """Compare an article as read with what is known, and count its fields, unless it was `learned` from.

        A few pages may have another layout, so that nothing is read, or an edited article.
        """
        if found is not None:
            self._describe(place.known, found)
        if learned:
            return
        if found is None and self._excuse("page"):
            self.outvoted.append((place.known.page.url, OTHER_LAYOUT))
            return
        self.verified += 1
        is_edited = False
        for name, is_exact in compare.exact(place.known, found).items():
            if not is_exact and found is not None and compare.is_edited(place, name, found) and self._excuse(name):
                is_edited = True
                continue
            right, total = self.exact.get(name, (0, 0))
            self.exact[name] = (right + is_exact, total + 1)
            if not is_exact:
                values = compare.value(name, place.known.article), compare.value(name, found) if found else None
                self.differences.append(Difference(place.known.page.url, name, *values))
        if is_edited:
            self.outvoted.append((place.known.page.url, EDITED))

    def examine(self, place: Places, found: Article | None, boxes: frozenset[str]) -> None:
        """Count a page of an unknown article, and whether its text contradicts the layout."""
        self.further += 1
        self.proven += few_texts.is_proven(place.known, found)
        if reason := few_texts.contradiction(place.known, found, boxes):
            self.contradicted.append((place.known.page.url, reason))

    def leave_out(self, names: Iterable[str]) -> None:
        """Do not count fields that no page shows any more."""
        self.not_shown = tuple(names)
        for name in self.not_shown:
            del self.exact[name]
        self.differences = [d for d in self.differences if d.field not in self.not_shown]

    def _excuse(self, what: str) -> bool:
        """Whether one more page may differ in `what` without being counted; if so, count it as excused."""
        pages = self.training + self.verified
        may = self._excused[what] < max(1, int(_MOST_EXCUSED * pages))
        self._excused[what] += may
        return may

    def _describe(self, known: KnownPage, found: Article) -> None:
        self.earliest = min(self.earliest or known.page.fetched_at, known.page.fetched_at)
        self.urls.append(known.page.url)
        if known.complete:
            names = (n for n in compare.FIELDS if n not in known.unknown and compare.differs(n, known, found))
            self.doubtful = tuple(dict.fromkeys((*self.doubtful, *names)))


def heal(
    pages: Sequence[KnownPage], name: str, about: str, valid_from: date, layouts: Sequence[Markup] = ()
) -> Healing:
    """Return a layout for `pages`, and how exactly it reads those of them that were not used for learning.

    If one of the known `layouts` still fits most pages, but does not find some fields, it is amended.
    """
    result = Healing()
    usable = _usable(pages, result)
    result.base, fields = _still_fitting(usable, layouts)
    if result.base is not None:
        return _corrected(result, usable, fields, name, about, valid_from)
    paths = _paths(pages) if 2 * result.complete < _complete(pages) else None
    if paths is not None:
        result = Healing()
        usable = _usable(scripts.opened(pages, paths), result)
    if _FEWEST <= result.complete < _FEW_TEXTS:
        _learn_by_turns(result, usable, name, about, valid_from)
        result.layout = _with_data(result.layout, paths)
        return result
    _learn_and_verify(result, usable, lambda places: learn.learn(places, name, about, valid_from), paths)
    return result


def _corrected(
    result: Healing, usable: Sequence[Places], fields: Sequence[str], name: str, about: str, valid_from: date
) -> Healing:
    """Return the known layout with further selectors for `fields`, or a new layout if that one is more exact."""
    base = result.base
    assert base is not None
    new = copy.deepcopy(result)
    _learn_and_verify(result, usable, lambda places: learn.amend(places, base, fields, name, about), None)
    if result.share == 1.0:
        return result
    _learn_and_verify(new, usable, lambda places: learn.learn(places, name, about, valid_from), None)
    return max(result, new, key=lambda healing: healing.share)


def _learn_and_verify(
    result: Healing, usable: Sequence[Places], teach: Callable[[Sequence[Places]], Markup], paths: DataPaths | None
) -> None:
    """Learn a layout from two thirds of the pages, without those that contradict the others, and verify it on the rest."""
    apart = [p for known in (True, False) for p in _kept_apart([u for u in usable if u.known.complete is known])]
    training = [p for p in usable if p not in apart]
    if not any(p.body for p in training):
        return
    layout = teach(training)
    agreeing = [p for p in training if _agrees(p, layout)]
    if len(agreeing) < len(training) and any(p.body for p in agreeing):
        layout = teach(agreeing)
        agreeing = [p for p in training if _agrees(p, layout)]
    result.layout = _with_data(layout, paths)
    result.training = len(agreeing)
    for place in (*agreeing, *apart, *(p for p in training if p not in agreeing)):
        result.compare(place, read_with_layout(place.known.page, layout), learned=place in agreeing)
    result.leave_out(_not_shown(result, usable))


def _still_fitting(usable: Sequence[Places], layouts: Sequence[Markup]) -> tuple[Markup | None, tuple[str, ...]]:
    """Return the layout that reads most known pages, and the fields that it does not find on several; None if none does."""
    known = [p.known for p in usable if p.known.complete]
    readings = (
        (k, next(((m, a) for m in layouts if (a := read_with_layout(k.page, m)) is not None), None)) for k in known
    )
    read = [(k, *found) for k, found in readings if found is not None]
    if 2 * len(read) <= len(known):
        return None, ()
    base = Counter(layout.name for _, layout, _ in read).most_common(1)[0][0]
    counts = Counter(name for k, _, article in read for name in moved.fields(k.page, k.article, article))
    fields = tuple(name for name, number in counts.items() if number >= _FEWEST_MOVED)
    return (next(m for m in layouts if m.name == base), fields) if fields else (None, ())


def _paths(pages: Sequence[KnownPage]) -> DataPaths | None:
    return scripts.learn([p for p in pages if p.complete], [provisional.stated(p) for p in pages if not p.complete])


def _with_data(layout: Markup | None, paths: DataPaths | None) -> Markup | None:
    return replace(layout, data=paths) if layout is not None and paths is not None else layout


def _learn_by_turns(result: Healing, usable: Sequence[Places], name: str, about: str, valid_from: date) -> None:
    """Learn from few known articles and from pages of unknown ones; verify each known one without learning from it."""
    known = [p for p in usable if p.known.complete]
    further = [p for p in usable if not p.known.complete]
    few = few_texts.learn_from(known, further, name, about, valid_from)
    result.layout, result.is_by_turns, result.training = few.layout, True, len(usable)
    for place, other in zip(known, few.others, strict=True):
        trusted = other if few_texts.is_read(place, few.layout) else few.layout
        result.compare(place, read_with_layout(place.known.page, trusted))
    for place in further:
        found = read_with_layout(place.known.page, few.layout)
        result.compare(place, found)
        result.examine(place, found, few.boxes)
    result.leave_out(_not_shown(result, usable))


def _not_shown(result: Healing, usable: Sequence[Places]) -> list[str]:
    """Return the fields without an exact value that hardly any page shows."""
    right = (name for name in _MAY_BE_LEFT_OUT if result.exact.get(name, (1, 1))[0] == 0)
    return [name for name in right if sum(bool(getattr(p, name)) for p in usable) <= _MOST_EXCUSED * len(usable)]


def _complete(pages: Sequence[KnownPage]) -> int:
    return sum(known.complete for known in pages)


def _usable(pages: Sequence[KnownPage], result: Healing) -> list[Places]:
    """Return the places of the fields on the usable pages: those with whole articles first, otherwise in random order.

    The order depends only on the addresses, so it is the same in each run.
    """
    ordered = sorted(pages, key=lambda p: (not p.complete, zlib.crc32(p.page.url.encode())))
    usable: list[Places] = []
    for known in ordered[:_MOST_PAGES]:
        found = find(known)
        if isinstance(found, str):
            result.unusable.append((known.page.url, found))
        else:
            usable.append(found)
    result.complete = _complete([p.known for p in usable])
    return usable


def _kept_apart(usable: Sequence[Places]) -> list[Places]:
    """Return a third of the pages, rounded up, for verification; pages of a rare form are used for learning."""
    groups: dict[object, list[Places]] = {}
    for place in usable:
        groups.setdefault(_form(place), []).append(place)
    by_size = sorted(groups.values(), key=len, reverse=True)
    # from the largest groups every third page first; then more pages, until only the rarest forms are left
    ranked = [(number % _KEPT_APART != _KEPT_APART - 1, number == 0, -len(group), order, page)
              for order, group in enumerate(by_size) for number, page in enumerate(group)]  # fmt: skip
    ranked.sort(key=lambda entry: entry[:4])
    return [page for *_, page in ranked[: -(-len(usable) // _KEPT_APART)]]


def _form(place: Places) -> object:
    """Return a value that is equal for pages with the same parts, such as a byline or notes, in the same elements."""
    article = place.known.article
    parts = (article.lead, article.byline, article.tags, article.images, any(i.caption for i in article.images))
    kinds = frozenset(b.type if isinstance(b, TextBlock) else "image" for b in article.blocks)
    elements = frozenset(node.tag for node in place.paragraphs)
    around = frozenset(node.parent.tag for node in place.pictures if node.parent is not None)
    return (place.known.complete, *map(bool, parts), kinds, elements, around)


def _agrees(place: Places, layout: Markup) -> bool:
    known = place.known
    exact = compare.exact(known, read_with_layout(known.page, layout))
    return all(exact.get(name, True) for name in _ESSENTIAL)
