"""Estimate, in nats, how much likelier it is that a run of letters is two words than one.

The evidence is these words and their neighbours.

Boundary: one run of letters with its neighbours at a time; `wrap` weighs the positions of line breaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from crawler.repair import chances, shapes, words
from crawler.repair.chances import NEVER
from crawler.repair.lexicon import Lexicon

LIMIT = 15.0  # the log odds of one spot never exceed this
_CONTEXT = 0.8  # discount: the odds of the neighbours are not independent of one another
_CONTEXT_LIMIT = 5.0
_LONGEST = 60  # letters; a longer run is not text, and the time grows with its square
_COMBINING = -6.0  # `photo|chromique` is more probably a new compound than two words
_FOREIGN = -8.0  # next to a foreign function word such as `the`


@dataclass(frozen=True, slots=True)
class LetterRun:
    """A run of letters, possibly with a final apostrophe, and the tokens before and after it (`left` and `right`)."""

    start: int
    text: str
    left: str
    right: str
    touches_number: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """A place where a space may be missing, with the log odds (nats) of a missing space, judged by the words alone.

    `run` is the offset of the run of letters that contains this place.
    """

    offset: int
    odds: float
    run: int


def splits(run: LetterRun, lexicon: Lexicon) -> Iterator[Split]:
    """Yield the places at which `run` can be split into two parts that can both be words."""
    if _is_bound(run) or len(run.text) > _LONGEST:
        return
    shaped = _shaped(run, lexicon)
    if shaped:
        yield shaped
    else:
        yield from _by_words(run, lexicon)


def _is_bound(run: LetterRun) -> bool:
    lower = run.text.lower()
    if run.left.lower() == "aujourd'":
        return lower == "hui"
    return lower.endswith("'") and (lower in words.BOUND or lower[:-1] in words.ELIDED)


def _shaped(run: LetterRun, lexicon: Lexicon) -> Split | None:
    """Return the split that the shape of `run` shows, such as an ordinal or two names; None if it shows none."""
    if run.left.lower() == "aujourd'" and run.text.startswith("hui"):
        return Split(run.start + 3, LIMIT, run.start)
    at = shapes.ordinal(run.touches_number, run.text, lexicon)
    if at is not None:
        return Split(run.start + at, LIMIT, run.start)
    found = None if run.text.islower() else shapes.two_names(run.text, run.left, run.right, lexicon)
    return found and Split(run.start + found[0], found[1], run.start)


def _by_words(run: LetterRun, lexicon: Lexicon) -> Iterator[Split]:
    weighed = [(at, _of_parts(run, at, lexicon)) for at in range(1, len(run.text))]
    possible = [(at, chance) for at, chance in weighed if chance > NEVER]
    if not possible:
        return
    whole = chances.of_whole(run.text, run.left, run.right, lexicon) + _context(lexicon, run.left, run.text, run.right)
    # Apply the limit to all places of the run together, so that the differences between them remain.
    whole = max(whole, max(chance for _, chance in possible) - LIMIT)
    bias = _FOREIGN if words.FOREIGN & {run.left.lower(), run.right.lower()} else 0.0
    for at, chance in possible:
        yield Split(run.start + at, max(-LIMIT, chance - whole + bias), run.start)


def _of_parts(run: LetterRun, at: int, lexicon: Lexicon) -> float:
    first, second = run.text[:at], run.text[at:]
    chance = chances.of_first(first, second, run.left, lexicon)
    if chance == NEVER:
        return NEVER
    chance += chances.of_second(first, second, run.right, lexicon)
    if chance == NEVER:
        return NEVER
    compound = _COMBINING if first.lower() in words.PREFIXES else 0.0
    return chance + compound + _context(lexicon, run.left, first, second, run.right)


def _context(lexicon: Lexicon, *chain: str) -> float:
    odds = sum(lexicon.follows(a, b) for a, b in pairwise(chain))
    return _CONTEXT * max(-_CONTEXT_LIMIT, min(_CONTEXT_LIMIT, odds))
