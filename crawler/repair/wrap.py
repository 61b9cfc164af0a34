"""Find where line breaks were lost, by weighing the words around a place together with the lengths of the lines.

The source text was wrapped at a fixed column, most often 79 (`docs/repair.md`). If a block lost its line breaks, a
break is missing after every full line. A spot is a place where a line may have ended: a doubtful spot at the end of a
full line is very probably a lost break. Three hypotheses are compared for each block:

- clean: no space is missing;
- scattered: a few spaces are missing, at random places;
- wrapped: every line break is missing.

Boundary: offsets and probabilities; this module does not look at words.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import add, mul

#: The range of wrap widths that are considered, in columns.
_WIDEST = 110
_NARROWEST = 50
_GLUED_PAGE = 0.25  # prior probability that a page lost its line breaks
#: Prior probabilities of (clean, scattered, wrapped) for a block of an intact page and of a page that lost its breaks.
_PRIORS_INTACT = (0.62, 0.34, 0.04)
_PRIORS_GLUED = (0.10, 0.20, 0.70)
_SCATTERED_RATE = 0.05  # share of the gaps between words that lost their space, in the scattered hypothesis
_FILLED = 0.92  # share of lines that are filled as a greedy wrap fills them
_FIRST_LINE_CUT = 0.3  # share of first lines that are shorter, because the opening tag stood on the same source line
#: Part of the likelihood of a line that does not depend on the wrap width, by its length.
_LOOSE = tuple(
    (1 - _FILLED) * (0.02 if 66 <= length <= 87 else 0.004 if length >= _NARROWEST - 10 else 0.0003)
    for length in range(_WIDEST + 1)
)
_PROBABLE_LINE = 0.01  # probability from which on a line shows the wrap width
_TOO_LONG_FIRST = (
    1 - _FIRST_LINE_CUT
) * 1e-12 + _FIRST_LINE_CUT * 1e-9 * 0.5  # likelihood of a first line that no width allows
_UNWRAPPED = 1e-6  # probability below which a block that lost its line breaks changes no decision
_ROUNDS = 3  # of learning the page's wrap width from its own lines


_Weights = tuple[float, float, float]  # probabilities of (clean, scattered, wrapped)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a line may have ended.

    `offset` is its position in the block, and `next_end` is the position at which the next word ends, both in
    characters.
    """

    offset: int
    next_end: int
    odds: float  # log odds (nats) of a missing space by the words alone; ignored when `hidden` is set
    hidden: float = 0.0  # where the words show nothing (gap, hyphen, sign): relative likelihood of a lost break
    run: int = -1  # spots of the same run of letters exclude one another


@dataclass(frozen=True, slots=True)
class BlockSpots:
    """One block of text: its length in characters, and the places where a line may have ended, in order."""

    length: int
    spots: tuple[Spot, ...]


def posteriors(blocks: Sequence[BlockSpots]) -> list[list[float]]:
    """Return, for each block of a page, a list with the probability of a missing space at each spot."""
    steps = [_steps(block) for block in blocks]
    chains, weights = _weighed(blocks, steps, _prior_likelihoods())
    for _ in range(_ROUNDS - 1):
        if max(wrapped for _, _, wrapped in weights) < _UNWRAPPED:
            break  # the lines show nothing about the width
        widths = _learn_widths(blocks, chains, weights)
        chains, weights = _weighed(blocks, steps, _LineLikelihoods(widths))
    return [
        _spot_posteriors(block, chain, weight) for block, chain, weight in zip(blocks, chains, weights, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Chain:
    """The result for one block on the assumption that every line break is missing (hypothesis `wrapped`).

    `evidence` is the log likelihood of the block. `spots` holds, for each spot, the probability that a line ended
    there. `lines` holds three numbers for each probable line: `low`, `high`, and the probability of the line. Wrap
    widths from `low` up to, but not including, `high` would have produced the line.
    """

    evidence: float
    spots: list[float]
    lines: list[tuple[int, int, float]]


@dataclass(frozen=True, slots=True)
class _Step:
    """A spot as the end of a line: its offset, the length of the next word, and its likelihood ratio.

    A line that ends there may start at the spot number `reach` or one of those after it; `lengths` are the lengths of these
    lines.
    """

    offset: int
    word: int
    ratio: float
    reach: int
    lengths: list[int]


def _weighed(
    blocks: Sequence[BlockSpots], steps: Sequence[Sequence[_Step]], likelihoods: _LineLikelihoods
) -> tuple[list[_Chain], list[_Weights]]:
    """Return the chains of lines in each block, and the probabilities of its hypotheses."""
    chains = [_sum_chains(block.length, found, likelihoods) for block, found in zip(blocks, steps, strict=True)]
    return chains, _weigh_hypotheses(blocks, chains)


def _prior_widths() -> list[float]:
    raw = [0.0] * (_WIDEST + 1)
    for width in range(_NARROWEST, _WIDEST + 1):
        raw[width] = 4.0 if 70 <= width <= 82 else 1.0
    total = sum(raw)
    return [w / total for w in raw]


class _LineLikelihoods:
    """The likelihoods of lines of all lengths, by the probabilities of the wrap widths.

    They are computed once for each length of the word that did not fit.
    """

    def __init__(self, widths: Sequence[float]) -> None:
        self._cumulative = [0.0, *accumulate(widths)]
        self._last = [max(1e-9, 1.0 - below) for below in self._cumulative[: _WIDEST + 1]]
        self._rows: dict[int, list[float]] = {}

    def row(self, word: int) -> list[float]:
        """Return the likelihood of a line by its length, from 0 to `_WIDEST`; `word` more columns would follow."""
        word = min(word, _WIDEST + 1)  # no width is larger
        if word not in self._rows:
            reached = self._cumulative[word + 1 :] + self._cumulative[-1:] * word
            by_length = zip(reached, self._cumulative, _LOOSE, strict=False)
            self._rows[word] = [_FILLED * (full - short) + loose for full, short, loose in by_length]
        return self._rows[word]

    def of_first(self, length: int, word: int) -> float:
        """Return the likelihood of a first line of `length` columns."""
        if length > _WIDEST:
            return _TOO_LONG_FIRST
        line = self.row(word)[length]
        cut = 1 / 80 if length <= 87 else 1e-9
        return (1 - _FIRST_LINE_CUT) * line + _FIRST_LINE_CUT * cut * 0.5

    def of_last(self, length: int) -> float:
        """Return the likelihood of a last line of `length` columns."""
        return self._last[length] if length <= _WIDEST else 1e-9


@lru_cache(maxsize=1)  # every text is weighed with the same prior first
def _prior_likelihoods() -> _LineLikelihoods:
    return _LineLikelihoods(_prior_widths())


def _likelihood_ratio(spot: Spot) -> float:
    return spot.hidden or math.exp(spot.odds)


def _steps(block: BlockSpots) -> list[_Step]:
    offsets = [s.offset for s in block.spots]
    steps = []
    for j, spot in enumerate(block.spots):
        reach = bisect_left(offsets, spot.offset - _WIDEST)
        lengths = [spot.offset - start for start in offsets[reach:j]]
        steps.append(_Step(spot.offset, spot.next_end - spot.offset, _likelihood_ratio(spot), reach, lengths))
    return steps


def _sum_chains(length: int, steps: Sequence[_Step], likelihoods: _LineLikelihoods) -> _Chain:
    """Return the probabilities for one block, over all ways to cut it into lines (forward-backward algorithm)."""
    forward: list[float] = []
    arcs: list[list[float]] = []  # the likelihoods of the lines that end at each spot
    for step in steps:
        arcs.append(list(map(likelihoods.row(step.word).__getitem__, step.lengths)))
        before = likelihoods.of_first(step.offset, step.word) + sum(map(mul, arcs[-1], forward[step.reach :]))
        forward.append(step.ratio * before)
    last = [likelihoods.of_last(length - step.offset) for step in steps]
    total = likelihoods.of_last(length) + sum(map(mul, forward, last))
    backward = last[:]
    lines: list[tuple[int, int, float]] = []
    for j in range(len(steps) - 1, -1, -1):
        step, after = steps[j], steps[j].ratio * backward[j]
        shares = [arc * after for arc in arcs[j]]
        backward[step.reach : j] = map(add, backward[step.reach : j], shares)
        if forward[j] * backward[j] / total > 0.9 * _PROBABLE_LINE:  # else no single line that ends here is probable
            first = (step.offset, likelihoods.of_first(step.offset, step.word) * after)
            found = [first, *zip(step.lengths, map(mul, shares, forward[step.reach : j]), strict=True)]
            lines += [(line, line + step.word, p / total) for line, p in found if p / total > _PROBABLE_LINE]
    return _Chain(math.log(total), [f * b / total for f, b in zip(forward, backward, strict=True)], lines)


def _scattered_evidence(block: BlockSpots) -> float:
    return sum(math.log1p(_SCATTERED_RATE * (ratio - 1)) for ratio in _ratios_by_run(block).values())


def _ratios_by_run(block: BlockSpots) -> dict[int, float]:
    ratios: dict[int, float] = {}
    for spot in block.spots:
        if not spot.hidden:
            ratios[spot.run] = ratios.get(spot.run, 0.0) + math.exp(spot.odds)
    return ratios


def _weigh_hypotheses(blocks: Sequence[BlockSpots], chains: Sequence[_Chain]) -> list[_Weights]:
    """Return the probabilities of the three hypotheses for each block; the page's other blocks are evidence, too."""
    evidence = [(0.0, _scattered_evidence(b), c.evidence) for b, c in zip(blocks, chains, strict=True)]
    intact = [_log_mixture(_PRIORS_INTACT, e) for e in evidence]
    glued = [_log_mixture(_PRIORS_GLUED, e) for e in evidence]
    page_odds = math.log(_GLUED_PAGE / (1 - _GLUED_PAGE)) + sum(glued) - sum(intact)
    # Leave the block's own evidence out of the page's odds, so that it does not count twice.
    return [_block_posterior(e, page_odds - g + i) for e, g, i in zip(evidence, glued, intact, strict=True)]


def _log_mixture(priors: Sequence[float], evidence: Sequence[float]) -> float:
    top = max(evidence)
    return top + math.log(sum(p * math.exp(e - top) for p, e in zip(priors, evidence, strict=True)))


def _block_posterior(evidence: tuple[float, float, float], others: float) -> _Weights:
    """Return the probabilities of the three hypotheses for one block.

    `evidence` holds the log likelihood of each hypothesis. `others` is the log odds that the page lost its line breaks,
    judged by its other blocks.
    """
    page = 1 / (1 + math.exp(-max(-30.0, min(30.0, others))))
    top = max(evidence)
    raw = [
        ((1 - page) * i + page * g) * math.exp(e - top)
        for i, g, e in zip(_PRIORS_INTACT, _PRIORS_GLUED, evidence, strict=True)
    ]
    total = sum(raw)
    return raw[0] / total, raw[1] / total, raw[2] / total


def _learn_widths(blocks: Sequence[BlockSpots], chains: Sequence[_Chain], weights: Sequence[_Weights]) -> list[float]:
    """Return the probability of each wrap width, given the lines found so far; a page has only one width."""
    prior = _prior_widths()
    logs = [math.log(p) if p else -math.inf for p in prior]
    for _, chain, weight in zip(blocks, chains, weights, strict=True):
        for low, high, share in chain.lines:
            _credit(logs, low, high, share * weight[2])
    top = max(logs)
    raw = [math.exp(x - top) if x > -math.inf else 0.0 for x in logs]
    total = sum(raw)
    return [0.97 * r / total + 0.03 * p for r, p in zip(raw, prior, strict=True)]


def _credit(logs: list[float], low: int, high: int, weight: float) -> None:
    """Increase the log probabilities in `logs` of the wrap widths that would have produced one line.

    These are the widths from `low` up to, but not including, `high`. A line that is certain (`weight` 1) makes them
    about ten times likelier (2.3 nats).
    """
    for width in range(max(low, 0), min(high, len(logs))):
        logs[width] += weight * 2.3


def _spot_posteriors(block: BlockSpots, chain: _Chain, weight: _Weights) -> list[float]:
    ratios = _ratios_by_run(block)
    return [
        0.0 if s.hidden else weight[1] * _scattered_posterior(math.exp(s.odds), ratios[s.run]) + weight[2] * p
        for s, p in zip(block.spots, chain.spots, strict=True)
    ]


def _scattered_posterior(ratio: float, run_total: float) -> float:
    return _SCATTERED_RATE * ratio / (1 - _SCATTERED_RATE + _SCATTERED_RATE * run_total)
