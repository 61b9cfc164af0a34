"""Where the lost line breaks were: a block's evidence, the chain of line lengths, and both weighed together.

The breaks came from source text wrapped at some column. So, in a block that lost them, a break is due after every
full line, and a doubtful spot that stands where one is due is not doubtful any more. Three stories compete for every
block: nothing is missing; some spaces are missing here and there; every line break is missing.

Boundary: offsets and odds; sees no words.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

_WIDEST = 110
_NARROWEST = 50
_GLUED_PAGE = 0.25  # how many pages are glued, before one looks
#: Shares of the three stories among the blocks of a clean and of a glued page.
_STORIES_CLEAN = (0.62, 0.34, 0.04)
_STORIES_GLUED = (0.10, 0.20, 0.70)
_SPARSE = 0.05  # of the gaps between words that lost their space, in the second story
_SURVIVED = 0.004  # a line break that left a space, or fell on a hyphen that nobody can see
_HYPHEN = 0.5
_EXACT = 0.92  # of the lines are filled as a greedy wrap fills them
_FIRST_ODD = 0.3  # of the first lines start in the middle: the opening tag took the columns
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a line may have ended: after `offset` characters, the next word ending at `next_end`."""

    offset: int
    next_end: int
    odds: float  # log odds of a missing space by the words alone; 0 for `hidden`
    hidden: float = 0.0  # for a visible gap: the chance that a break there left no trace
    run: int = -1  # spots of one run of letters exclude one another


@dataclass(frozen=True, slots=True)
class Sheet:
    """One block: its length and its spots in order."""

    length: int
    spots: tuple[Spot, ...]


def posteriors(sheets: Sequence[Sheet]) -> list[list[float]]:
    """Return for each spot of each block of one page the probability that a space is missing there."""
    widths = _prior_widths()
    for _ in range(_ROUNDS):
        cumulative = _cumulate(widths)
        chains = [_chain(sheet, cumulative) for sheet in sheets]
        weights = _weigh(sheets, chains)
        widths = _learn_widths(sheets, chains, weights)
    return [_mix(sheet, chain, weight) for sheet, chain, weight in zip(sheets, chains, weights, strict=True)]


@dataclass(frozen=True, slots=True)
class _Chain:
    """The third story of one block: its log evidence, the posterior of each spot, and of each line (interval)."""

    evidence: float
    spots: list[float]
    lines: list[tuple[int, int, float]]  # width at least, width below, weight


def _prior_widths() -> list[float]:
    raw = [0.0] * (_WIDEST + 1)
    for width in range(_NARROWEST, _WIDEST + 1):
        raw[width] = 4.0 if 70 <= width <= 82 else 1.0
    total = sum(raw)
    return [w / total for w in raw]


def _cumulate(widths: Sequence[float]) -> list[float]:
    total, out = 0.0, [0.0]
    for w in widths:
        total += w
        out.append(total)
    return out


def _line(length: int, full: int, cumulative: Sequence[float]) -> float:
    """Return the chance of a line of `length` when the next word and its space would not have fitted `full`."""
    if length > _WIDEST:
        return 1e-12
    exact = cumulative[min(full, _WIDEST) + 1] - cumulative[length]
    loose = 0.02 if 66 <= length <= 87 else 0.004 if length >= _NARROWEST - 10 else 0.0003
    return _EXACT * exact + (1 - _EXACT) * loose


def _first_line(length: int, full: int, cumulative: Sequence[float]) -> float:
    odd = 1 / 80 if length <= 87 else 1e-9
    return (1 - _FIRST_ODD) * _line(length, full, cumulative) + _FIRST_ODD * odd * 0.5


def _gain(spot: Spot) -> float:
    return spot.hidden or math.exp(spot.odds)


def _chain(sheet: Sheet, cumulative: Sequence[float]) -> _Chain:
    """Sum over all ways to cut the block into lines (forward and backward)."""
    spots = sheet.spots
    count = len(spots)
    offsets = [s.offset for s in spots]
    forward = [0.0] * count
    steps: list[list[tuple[int, float]]] = []
    for j, spot in enumerate(spots):
        gain = _gain(spot)
        arcs = [(-1, gain * _first_line(spot.offset, spot.next_end, cumulative))]
        for i in range(bisect_left(offsets, spot.offset - _WIDEST), j):
            start = offsets[i]
            arcs.append((i, gain * _line(spot.offset - start, spot.next_end - start, cumulative)))
        steps.append(arcs)
        forward[j] = sum(p * (forward[i] if i >= 0 else 1.0) for i, p in arcs)
    last = [_last_line(sheet.length - o, cumulative) for o in offsets]
    alone = _last_line(sheet.length, cumulative)
    total = alone + sum(f * p for f, p in zip(forward, last, strict=True))
    backward = last[:]
    lines: list[tuple[int, int, float]] = []
    for j in range(count - 1, -1, -1):
        for i, p in steps[j]:
            share = p * backward[j]
            if i >= 0:
                backward[i] += share
            weight = share * (forward[i] if i >= 0 else 1.0) / total
            if weight > 0.01:
                start = offsets[i] if i >= 0 else 0
                lines.append((offsets[j] - start, spots[j].next_end - start, weight))
    return _Chain(math.log(total), [f * b / total for f, b in zip(forward, backward, strict=True)], lines)


def _last_line(length: int, cumulative: Sequence[float]) -> float:
    return 1e-9 if length > _WIDEST else max(1e-9, 1.0 - cumulative[length])


def _scattered(sheet: Sheet) -> float:
    return sum(math.log1p(_SPARSE * (gain - 1)) for gain in _runs(sheet).values())


def _runs(sheet: Sheet) -> dict[int, float]:
    gains: dict[int, float] = {}
    for spot in sheet.spots:
        if not spot.hidden:
            gains[spot.run] = gains.get(spot.run, 0.0) + math.exp(spot.odds)
    return gains


def _weigh(sheets: Sequence[Sheet], chains: Sequence[_Chain]) -> list[tuple[float, float, float]]:
    """Return the three stories' weights for each block, each block knowing what the others say of the page."""
    evidence = [(0.0, _scattered(s), c.evidence) for s, c in zip(sheets, chains, strict=True)]
    clean = [_log_mix(_STORIES_CLEAN, e) for e in evidence]
    glued = [_log_mix(_STORIES_GLUED, e) for e in evidence]
    lead = math.log(_GLUED_PAGE / (1 - _GLUED_PAGE)) + sum(glued) - sum(clean)
    return [_stories(e, lead - g + c) for e, g, c in zip(evidence, glued, clean, strict=True)]


def _log_mix(shares: Sequence[float], evidence: Sequence[float]) -> float:
    top = max(evidence)
    return top + math.log(sum(s * math.exp(e - top) for s, e in zip(shares, evidence, strict=True)))


def _stories(evidence: tuple[float, float, float], others: float) -> tuple[float, float, float]:
    """`others`: log odds that the page is glued, by everything but this block."""
    page = 1 / (1 + math.exp(-max(-30.0, min(30.0, others))))
    top = max(evidence)
    raw = [
        ((1 - page) * c + page * g) * math.exp(e - top)
        for c, g, e in zip(_STORIES_CLEAN, _STORIES_GLUED, evidence, strict=True)
    ]
    total = sum(raw)
    return raw[0] / total, raw[1] / total, raw[2] / total


def _learn_widths(
    sheets: Sequence[Sheet], chains: Sequence[_Chain], weights: Sequence[tuple[float, float, float]]
) -> list[float]:
    """Return which widths explain the lines found so far; one width for the whole page."""
    prior = _prior_widths()
    logs = [math.log(p) if p else -math.inf for p in prior]
    for _, chain, weight in zip(sheets, chains, weights, strict=True):
        for low, high, share in chain.lines:
            _credit(logs, low, high, share * weight[2])
    top = max(logs)
    raw = [math.exp(x - top) if x > -math.inf else 0.0 for x in logs]
    total = sum(raw)
    return [0.97 * r / total + 0.03 * p for r, p in zip(raw, prior, strict=True)]


def _credit(logs: list[float], low: int, high: int, weight: float) -> None:
    """Credit the widths that would have filled a line in just this way: each is some ten times likelier than chance."""
    for width in range(max(low, 0), min(high, len(logs))):
        logs[width] += weight * 2.3


def _mix(sheet: Sheet, chain: _Chain, weight: tuple[float, float, float]) -> list[float]:
    gains = _runs(sheet)
    return [
        0.0 if s.hidden else weight[1] * _alone(math.exp(s.odds), gains[s.run]) + weight[2] * p
        for s, p in zip(sheet.spots, chain.spots, strict=True)
    ]


def _alone(gain: float, of_run: float) -> float:
    return _SPARSE * gain / (1 - _SPARSE + _SPARSE * of_run)
