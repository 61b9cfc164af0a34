"""Find where line breaks were lost, by weighing the words around a place together with the lengths of the lines.

The source text was wrapped at a fixed column, most often 79 (`docs/repair.md`). If a block lost its line breaks, a
break is missing after every full line. A spot is a place where a line may have ended: a doubtful spot at the end of a
full line is very probably a lost break. Three hypotheses are compared for each block:

- clean: no space is missing;
- scattered: a few spaces are missing, at random places;
- wrapped: every line break is missing.

Boundary: offsets and probabilities; this module does not look at words. `lines` cuts one block into lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from crawler.repair.lines import (
    NEGLIGIBLE,
    BlockSpots,
    Chains,
    Ends,
    Line,
    LineLikelihoods,
    Spot,
    most_evidence,
    prior_widths,
)

_GLUED_PAGE = 0.25  # prior probability that a page lost its line breaks
#: Prior probabilities of (clean, scattered, wrapped) for a block of an intact page and of a page that lost its breaks.
_PRIORS_INTACT = (0.62, 0.34, 0.04)
_PRIORS_GLUED = (0.10, 0.20, 0.70)
_SCATTERED_RATE = 0.05  # share of the spaces between words that were lost, in the scattered hypothesis
_UNWRAPPED = 1e-6  # probability below which a block that lost its line breaks changes no decision
_ROUNDS = 3  # of learning the page's wrap width from its own lines
_MARGIN = 1e-9  # probability by which rounding may change a bound

_Weights = tuple[float, float, float]  # probabilities of (clean, scattered, wrapped)


def posteriors(blocks: Sequence[BlockSpots]) -> list[list[float]]:
    """Return, for each block of a page, a list with the probability of a missing space at each spot."""
    ends = [Ends(block) for block in blocks]
    scattered = [_Scattered(block) for block in blocks]
    judged, weights = _judge(ends, scattered, _prior_likelihoods())
    for _ in range(_ROUNDS - 1):
        if max(wrapped for _, _, wrapped in weights) < _UNWRAPPED:
            break  # the lines show nothing about the width
        widths = _learn_widths([lines for _, lines in judged], weights)
        judged, weights = _judge(ends, scattered, LineLikelihoods(widths))
    return [
        [
            0.0 if spot.hidden else weight[1] * s.of_spot(spot) + weight[2] * chance
            for spot, chance in zip(block.spots, chances, strict=True)
        ]
        for block, s, weight, (chances, _) in zip(blocks, scattered, weights, judged, strict=True)
    ]


def _judge(
    ends: Sequence[Ends], scattered: Sequence[_Scattered], likelihoods: LineLikelihoods
) -> tuple[list[tuple[list[float], list[Line]]], list[_Weights]]:
    """Return what `Chains.posteriors` returns for each block, and the probabilities of its hypotheses."""
    chains = [Chains(of_block, likelihoods) for of_block in ends]
    weights = _weigh_hypotheses([(0.0, s.evidence, c.evidence) for s, c in zip(scattered, chains, strict=True)])
    judged = [
        chain.posteriors() if wrapped > NEGLIGIBLE else chain.nothing()
        for chain, (_, _, wrapped) in zip(chains, weights, strict=True)
    ]
    return judged, weights


def posteriors_without_lines(blocks: Sequence[BlockSpots], sure: float) -> list[list[float]] | None:
    """Return, for each probability that `posteriors` returns, a bound that is on the same side of `sure`; or None.

    None means that the lengths of the lines may decide. Most often they do not: a long block with few doubtful spots
    cannot have lost all its line breaks. The spaces of `blocks` are not needed.
    """
    scattered = [_Scattered(block) for block in blocks]
    least = [(0.0, s.evidence, -math.inf) for s in scattered]
    most = [(0.0, s.evidence, most_evidence(block)) for s, block in zip(scattered, blocks, strict=True)]
    if any(wrapped == math.inf for _, _, wrapped in most):
        return None
    # The least or most evidence for lost line breaks in a block, with the least or most in all others: the probabilities
    # of a block change in one direction between these corners.
    corners = (
        [_block_posterior(of_block, others) for of_block in (a, b) for others in (low, high)]
        for a, b, low, high in zip(least, most, _page_odds(least), _page_odds(most), strict=True)
    )
    found = []
    for block, s, weights in zip(blocks, scattered, corners, strict=True):
        chances = [0.0 if spot.hidden else _bound(s.of_spot(spot), weights, sure) for spot in block.spots]
        found.append([chance for chance in chances if chance is not None])
        if len(found[-1]) < len(chances):
            return None
    return found


def _bound(chance: float, corners: Sequence[_Weights], sure: float) -> float | None:
    """Return a bound of the probability of a missing space that is on the same side of `sure`, or None.

    `chance` is its probability in the scattered hypothesis.
    """
    least = min(scattered * chance for _, scattered, _ in corners) - _MARGIN
    most = max(scattered * chance + wrapped for _, scattered, wrapped in corners) + _MARGIN
    return least if least >= sure else most if most < sure else None


@lru_cache(maxsize=1)  # every text is weighed with the same prior first
def _prior_likelihoods() -> LineLikelihoods:
    return LineLikelihoods(prior_widths())


class _Scattered:
    """The spots of one block in the scattered hypothesis."""

    def __init__(self, block: BlockSpots) -> None:
        self._totals: dict[int, float] = {}  # ratios, by run
        for spot in block.spots:
            if not spot.hidden:
                self._totals[spot.run] = self._totals.get(spot.run, 0.0) + spot.ratio
        #: The log likelihood of the block.
        self.evidence = sum(math.log1p(_SCATTERED_RATE * (total - 1)) for total in self._totals.values())

    def of_spot(self, spot: Spot) -> float:
        """Return the probability of a missing space."""
        return _SCATTERED_RATE * spot.ratio / (1 - _SCATTERED_RATE + _SCATTERED_RATE * self._totals[spot.run])


def _weigh_hypotheses(evidence: Sequence[_Weights]) -> list[_Weights]:
    """Return the probabilities of the three hypotheses for each block; the page's other blocks are evidence, too."""
    return [_block_posterior(e, others) for e, others in zip(evidence, _page_odds(evidence), strict=True)]


def _page_odds(evidence: Sequence[_Weights]) -> list[float]:
    """Return, for each block, the log odds that the page lost its line breaks, judged by its other blocks."""
    intact = [_log_mixture(_PRIORS_INTACT, e) for e in evidence]
    glued = [_log_mixture(_PRIORS_GLUED, e) for e in evidence]
    page_odds = math.log(_GLUED_PAGE / (1 - _GLUED_PAGE)) + sum(glued) - sum(intact)
    # Leave the block's own evidence out of the page's odds, so that it does not count twice.
    return [page_odds - g + i for g, i in zip(glued, intact, strict=True)]


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


def _learn_widths(lines: Sequence[Sequence[Line]], weights: Sequence[_Weights]) -> list[float]:
    """Return the probability of each wrap width, given the lines found so far in each block; a page has only one width."""
    prior = prior_widths()
    logs = [math.log(p) if p else -math.inf for p in prior]
    for found, weight in zip(lines, weights, strict=True):
        for low, high, share in found:
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
