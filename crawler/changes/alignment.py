"""Align the sentences of two texts: equal, moved, rewritten, added and removed ones.

Boundary: sentences in, pairs out; the words inside a pair are compared by `crawler.changes.compare`.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import Indel, LCSseq

from crawler.changes.tokens import Sentence

_SIMILAR = 0.5  # share of equal tokens from which two sentences at the same place are versions of one
_MOVED_SIMILAR = 0.8  # the same for two sentences at different places
_RELATED = 0.2  # the same for the only sentences left at one place: one was rewritten as the other
_SHORTEST_MOVED = 3  # tokens; shorter sentences, such as a signature, occur several times
_MOST_PAIRS = 4_000  # comparisons in one stretch; beyond it, only sentences at about the same place are compared
_NEAR = 12  # sentences


@dataclass(frozen=True, slots=True)
class SentencePair:
    """Sentences of the old and the new text that belong together; one of the two sides is empty if it has no counterpart.

    A side has several sentences if a sentence was split, or sentences were joined. `moved`: the place changed, too.
    """

    old: tuple[Sentence, ...]
    new: tuple[Sentence, ...]
    moved: bool = False


@dataclass
class _Stretch:
    """The sentences between two pairs of equal sentences, without counterpart so far."""

    old: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)


def aligned(old: Sequence[Sentence], new: Sequence[Sentence]) -> list[SentencePair]:
    """Return the pairs of sentences that differ or were moved, in the order of the new text; equal ones are left out."""
    stretches = list(_stretches([s.key for s in old], [s.key for s in new]))
    pairs = list(_moved(old, new, stretches))
    for stretch in stretches:
        pairs += _pairs_in(old, new, stretch)
    left_old = [i for stretch in stretches for i in stretch.old]
    left_new = [j for stretch in stretches for j in stretch.new]
    displaced = _best_pairs(old, new, left_old, left_new, _MOVED_SIMILAR, crossing=True)
    pairs += [SentencePair((old[i],), (new[j],), moved=True) for i, j in displaced]
    left_old = sorted({*left_old} - {i for i, _ in displaced})
    left_new = sorted({*left_new} - {j for _, j in displaced})
    pairs += [SentencePair((), tuple(new[j] for j in run)) for run in _runs(left_new, new)]
    pairs += [SentencePair(tuple(old[i] for i in run), ()) for run in _runs(left_old, old)]
    return sorted(pairs, key=lambda pair: ((pair.new or pair.old)[0].start, not pair.new))


def _stretches(old: Sequence[str], new: Sequence[str]) -> Iterator[_Stretch]:
    stretch = _Stretch()
    for operation in LCSseq.opcodes(old, new):
        if operation.tag == "equal":
            yield stretch
            stretch = _Stretch()
        stretch.old += range(operation.src_start, operation.src_end) if operation.tag == "delete" else ()
        stretch.new += range(operation.dest_start, operation.dest_end) if operation.tag == "insert" else ()
    yield stretch


def _moved(old: Sequence[Sentence], new: Sequence[Sentence], stretches: Sequence[_Stretch]) -> Iterator[SentencePair]:
    """Yield the sentences that appear unchanged at another place, neighbours together, and remove them from the stretches."""
    places: dict[str, deque[int]] = defaultdict(deque)
    for stretch in stretches:
        for i in stretch.old:
            if len(old[i].tokens) >= _SHORTEST_MOVED:
                places[old[i].key].append(i)
    found: list[tuple[int, int]] = []
    for stretch in stretches:
        here = [j for j in stretch.new if places[new[j].key]]
        pairs = [(places[new[j].key].popleft(), j) for j in here if places[new[j].key]]
        taken = {j for _, j in pairs}
        stretch.new = [j for j in stretch.new if j not in taken]
        found += pairs
    gone = {i for i, _ in found}
    for stretch in stretches:
        stretch.old = [i for i in stretch.old if i not in gone]
    run: list[tuple[int, int]] = []
    for i, j in [*found, (-9, -9)]:
        if run and (i, j) != (run[-1][0] + 1, run[-1][1] + 1):
            yield SentencePair(tuple(old[a] for a, _ in run), tuple(new[b] for _, b in run), moved=True)
            run = []
        run.append((i, j))


def _pairs_in(old: Sequence[Sentence], new: Sequence[Sentence], stretch: _Stretch) -> Iterator[SentencePair]:
    """Yield the pairs of one stretch, and leave the sentences without counterpart in it."""
    matched = _best_pairs(old, new, stretch.old, stretch.new, _SIMILAR)
    paired = {i for i, _ in matched}, {j for _, j in matched}
    rest_old = [i for i in stretch.old if i not in paired[0]]
    rest_new = [j for j in stretch.new if j not in paired[1]]
    if len(rest_old) == len(rest_new):
        rewritten = [(i, j) for i, j in zip(rest_old, rest_new, strict=True) if _similarity(old[i], new[j]) >= _RELATED]
        chosen = _Chosen(matched)
        if len(rewritten) == len(rest_old) and all(chosen.keeps_order(i, j) for i, j in rewritten):
            matched, rest_old, rest_new = [*matched, *rewritten], [], []
    for i, j in sorted(matched):
        first, second = [i], [j]
        _absorb(old, second, first, rest_old, new)
        _absorb(new, first, second, rest_new, old)
        yield SentencePair(tuple(old[a] for a in first), tuple(new[b] for b in second))
    stretch.old, stretch.new = rest_old, rest_new


def _absorb(
    texts: Sequence[Sentence], others: list[int], side: list[int], rest: list[int], other_texts: Sequence[Sentence]
) -> None:
    """Move a neighbour of the sentences `side` from `rest` into it, if that makes it more similar to the other side.

    This way, a sentence that was split into two, or joined from two, has both as its counterpart.
    """
    target = [key for j in others for key in other_texts[j].keys]
    for neighbour in (side[0] - 1, side[-1] + 1):
        if neighbour not in rest:
            continue
        longer = sorted([*side, neighbour])
        now, then = ([key for i in chosen for key in texts[i].keys] for chosen in (side, longer))
        if Indel.normalized_similarity(then, target) > Indel.normalized_similarity(now, target) + 0.02:
            rest.remove(neighbour)
            side[:] = longer


def _best_pairs(
    old: Sequence[Sentence],
    new: Sequence[Sentence],
    left: Sequence[int],
    right: Sequence[int],
    cutoff: float,
    *,
    crossing: bool = False,
) -> list[tuple[int, int]]:
    """Return the pairs of sentences that are similar, the most similar ones first; unless `crossing`, in one order."""
    near = len(left) * len(right) > _MOST_PAIRS
    scored = [
        (score, i, j)
        for a, i in enumerate(left)
        for b, j in enumerate(right)
        if (not near or abs(a - b) <= _NEAR) and (score := _similarity(old[i], new[j])) >= cutoff
    ]
    chosen = _Chosen()
    for _, i, j in sorted(scored, key=lambda item: (-item[0], item[1:])):
        if crossing or chosen.keeps_order(i, j):
            chosen.add(i, j)
    return chosen.pairs


class _Chosen:
    """Pairs of sentences, each sentence in at most one of them."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self.pairs: list[tuple[int, int]] = []  # by the place in the old text
        self._old: set[int] = set()
        self._new: set[int] = set()
        for i, j in pairs:
            self.add(i, j)

    def add(self, i: int, j: int) -> None:
        """Add a pair, unless one of its sentences has a counterpart already."""
        if i not in self._old and j not in self._new:
            insort(self.pairs, (i, j))
            self._old.add(i)
            self._new.add(j)

    def keeps_order(self, i: int, j: int) -> bool:
        """Whether the pair is between the same pairs in both texts, if all pairs so far are in order."""
        place = bisect(self.pairs, (i, j))
        after_last = place == 0 or self.pairs[place - 1][1] < j
        return after_last and (place == len(self.pairs) or j < self.pairs[place][1])


def _similarity(one: Sentence, other: Sentence) -> float:
    return float(Indel.normalized_similarity(one.keys, other.keys))


def _runs(indexes: Sequence[int], sentences: Sequence[Sentence]) -> list[list[int]]:
    """Return the indexes as lists of neighbours in the same paragraph."""
    runs: list[list[int]] = []
    for i in indexes:
        if runs and runs[-1][-1] == i - 1 and sentences[i - 1].paragraph == sentences[i].paragraph:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs
