"""Weigh all ways to cut one block into lines, on the assumption that every line break was lost (hypothesis `wrapped`).

A line may end at each spot, where the break left no space behind, and at each run of white space, called a space here.

Boundary: offsets and likelihoods of one block; `wrap` compares the hypotheses and the blocks of a page.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import add, itemgetter, mul

#: The range of wrap widths that are considered, in columns.
WIDEST = 110
NARROWEST = 50
_AT_SPACE = 0.004  # likelihood of a lost line break at a space, relative to that of an intact space
_FILLED = 0.92  # share of lines that are filled as a greedy wrap fills them
_FIRST_LINE_CUT = 0.3  # share of first lines that are shorter, because the opening tag was on the same source line
#: Part of the likelihood of a line that does not depend on the wrap width, by its length.
_LOOSE = tuple(
    (1 - _FILLED) * (0.02 if 66 <= length <= 87 else 0.004 if length >= NARROWEST - 10 else 0.0003)
    for length in range(WIDEST + 1)
)
_PROBABLE_LINE = 0.01  # probability from which on a line shows the wrap width
_TOO_LONG = 1e-9  # likelihood of a last line that no width allows
_TOO_LONG_FIRST = (1 - _FIRST_LINE_CUT) * 1e-12 + _FIRST_LINE_CUT * 1e-9 * 0.5  # the same of a first line
NEGLIGIBLE = 1e-7  # probability that changes no decision
_FEW = 12  # spots up to which `most_evidence` looks at a block; the time grows with their square


#: A line: `low`, `high` and its probability. Widths from `low` up to, but not including, `high` would have produced it.
Line = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a line may have ended and left no space behind.

    `offset` is its position in the block, and `next_end` is the position at which the next word ends, both in
    characters.
    """

    offset: int
    next_end: int
    odds: float  # log odds (nats) of a missing space by the words alone; ignored when `hidden` is set
    hidden: float = 0.0  # where the words show nothing (hyphen, sign): relative likelihood of a lost break
    run: int = -1  # spots of the same run of letters exclude one another

    @property
    def ratio(self) -> float:
        """The likelihood of a lost line break, relative to that of none."""
        return self.hidden or math.exp(self.odds)


@dataclass(frozen=True, slots=True)
class BlockSpots:
    """One block of text: its length in characters, its spots in order, and the offsets of its spaces in order."""

    length: int
    spots: tuple[Spot, ...]
    spaces: tuple[int, ...] = ()


class Ends:
    """The places of a block where a line may end, in order: its spots and spaces.

    Each attribute except `length` is a list with one value for each place. A line that ends at a place may start at the
    place number `reach` or one of those after it, before the place itself.
    """

    def __init__(self, block: BlockSpots) -> None:
        """Collect the places of a block."""
        places = [(spot.offset, spot.next_end, spot.ratio, False) for spot in block.spots]
        next_spaces = (*block.spaces[1:], block.length)  # where the word after a space ends
        places += [(space, after, _AT_SPACE, True) for space, after in zip(block.spaces, next_spaces, strict=False)]
        places.sort(key=itemgetter(0))
        self.length = block.length
        self.offsets = [place[0] for place in places]
        #: The length of the word after each place.
        self.words = [min(after - offset, WIDEST + 1) for offset, after, _, _ in places]  # no width is larger
        #: The likelihood of a lost line break, relative to that of none.
        self.ratios = [place[2] for place in places]
        self.is_space = [place[3] for place in places]
        self.reach: list[int] = []
        #: The lengths of the lines that may end at each place, and functions that return their values from a list.
        self.lengths: list[list[int]] = []
        self.picks: list[Callable[[list[float]], tuple[float, ...]]] = []
        reach = 0
        for j, offset in enumerate(self.offsets):
            while self.offsets[reach] < offset - WIDEST:
                reach += 1
            lengths = [offset - start for start in self.offsets[reach:j]]
            self.reach.append(reach)
            self.lengths.append(lengths)
            self.picks.append(itemgetter(*lengths, 0, 0))  # with two arguments or more, it returns a tuple


def prior_widths() -> list[float]:
    """Return the probability of each wrap width, from 0 to `WIDEST`, before any line is known."""
    raw = [0.0] * (WIDEST + 1)
    for width in range(NARROWEST, WIDEST + 1):
        raw[width] = 4.0 if 70 <= width <= 82 else 1.0
    total = sum(raw)
    return [w / total for w in raw]


class LineLikelihoods:
    """The likelihoods of lines of all lengths, by the probabilities of the wrap widths.

    They are computed once for each length of the word that did not fit.
    """

    def __init__(self, widths: Sequence[float]) -> None:
        self._cumulative = [0.0, *accumulate(widths)]
        self._last = [max(_TOO_LONG, 1.0 - below) for below in self._cumulative[: WIDEST + 1]]
        self._rows: dict[int, list[float]] = {}

    def row(self, word: int) -> list[float]:
        """Return the likelihood of a line by its length, from 0 to `WIDEST`; `word` more columns would follow.

        `word` is at most `WIDEST` + 1.
        """
        if word not in self._rows:
            reached = self._cumulative[word + 1 :] + self._cumulative[-1:] * word
            by_length = zip(reached, self._cumulative, _LOOSE, strict=False)
            self._rows[word] = [_FILLED * (full - short) + loose for full, short, loose in by_length]
        return self._rows[word]

    def of_first(self, length: int, word: int) -> float:
        """Return the likelihood of a first line of `length` columns."""
        return _of_first(length, self.row(word)[length]) if length <= WIDEST else _TOO_LONG_FIRST

    def of_last(self, length: int) -> float:
        """Return the likelihood of a last line of `length` columns."""
        return self._last[length] if length <= WIDEST else _TOO_LONG

    def of_first_lines(self, ends: Ends) -> list[float]:
        """Return the likelihood of a first line up to each end of a block."""
        fit = bisect_right(ends.offsets, WIDEST)
        first = [self.of_first(offset, word) for offset, word in zip(ends.offsets[:fit], ends.words, strict=False)]
        return first + [_TOO_LONG_FIRST] * (len(ends.offsets) - fit)

    def of_last_lines(self, ends: Ends) -> list[float]:
        """Return the likelihood of a last line from each end of a block."""
        too_long = bisect_left(ends.offsets, ends.length - WIDEST)
        return [_TOO_LONG] * too_long + [self._last[ends.length - offset] for offset in ends.offsets[too_long:]]


def _of_first(length: int, line: float) -> float:
    """Return the likelihood of a first line of at most `WIDEST` columns; `line` is that of a later line of this length."""
    cut = 1 / 80 if length <= 87 else 1e-9
    return (1 - _FIRST_LINE_CUT) * line + _FIRST_LINE_CUT * cut * 0.5


class Chains:
    """The sums over all ways to cut one block into lines (forward-backward algorithm)."""

    def __init__(self, ends: Ends, likelihoods: LineLikelihoods) -> None:
        """Sum the likelihoods of the lines up to each end."""
        self._ends = ends
        self._first = likelihoods.of_first_lines(ends)
        self._last = likelihoods.of_last_lines(ends)
        self._lines: list[tuple[float, ...]] = []  # likelihoods of the lines that end at each place
        self._forward: list[float] = []
        forward = self._forward
        rows = map(likelihoods.row, ends.words)
        for ratio, first, reach, pick, row in zip(ends.ratios, self._first, ends.reach, ends.picks, rows, strict=True):
            lines = pick(row)
            self._lines.append(lines)
            forward.append(ratio * (first + sum(map(mul, lines, forward[reach:]))))
        self._total = likelihoods.of_last(ends.length) + sum(map(mul, forward, self._last))

    @property
    def evidence(self) -> float:
        """The log likelihood of the block."""
        return math.log(self._total)

    def posteriors(self) -> tuple[list[float], list[Line]]:
        """Return the probability that a line ended there for each spot, and the probable lines."""
        ends, forward, backward, total = self._ends, self._forward, self._last[:], self._total
        lines: list[Line] = []
        for j in range(len(forward) - 1, -1, -1):
            chance = forward[j] * backward[j] / total
            if chance < NEGLIGIBLE:
                continue  # so are the chances of all lines that end here
            after, reach = ends.ratios[j] * backward[j], ends.reach[j]
            shares = [line * after for line in self._lines[j]]
            backward[reach:j] = map(add, backward[reach:j], shares)
            if chance > 0.9 * _PROBABLE_LINE:  # else no single line that ends here is probable
                first = (ends.offsets[j], self._first[j] * after)
                found = [first, *zip(ends.lengths[j], map(mul, shares, forward[reach:j]), strict=False)]
                lines += [(line, line + ends.words[j], p / total) for line, p in found if p / total > _PROBABLE_LINE]
        chances = zip(ends.is_space, forward, backward, strict=True)
        return [f * b / total for is_space, f, b in chances if not is_space], lines

    def nothing(self) -> tuple[list[float], list[Line]]:
        """Return what `posteriors` returns if no line is probable."""
        return [0.0] * self._ends.is_space.count(False), []


#: Upper bound of the sum, over all spaces, of the likelihoods that one line ends there. Each width ends the line at one
#: space or, if a word just fits, at two. Between two spaces there is at least one character.
_MOST_AT_SPACES = _AT_SPACE * (
    2 * _FILLED + sum(max(pair) for pair in zip(_LOOSE[::2], (*_LOOSE[1::2], 0.0), strict=True))
)
_TOO_LONG_FIRST_AT_SPACES = 1e-8  # the same for first lines that are too long, in a block of up to 10,000 spaces


def most_evidence(block: BlockSpots) -> float:
    """Return an upper bound of the log likelihood of a block, for all wrap widths and all positions of spaces.

    It is infinite for a block with many spots.
    """
    spots = block.spots
    if len(spots) > _FEW:
        return math.inf
    # For each spot, from the last one: an upper bound of its ratio and all lines after it.
    after: list[tuple[Spot, float]] = []
    for spot in reversed(spots):
        lines = sum(_most_lines(later.offset - spot.offset, later) * most for later, most in after)
        after.append((spot, spot.ratio * (lines + _most_last(block.length - spot.offset))))
    total = _most_last(block.length) + _TOO_LONG_FIRST_AT_SPACES
    for spot, most in after:
        total += (_most_first_lines(spot) + _TOO_LONG_FIRST_AT_SPACES) * most
    return math.log(total)


def _most_line(length: int, spot: Spot) -> float:
    fills_some_width = length + spot.next_end - spot.offset >= NARROWEST
    return fills_some_width * _FILLED + _LOOSE[length]


def _most_lines(length: int, spot: Spot) -> float:
    """Return an upper bound for all ways from `length` characters before a spot to the spot."""
    return (_most_line(length, spot) if length <= WIDEST else 0.0) + _most_by_spaces(length)


def _most_first_lines(spot: Spot) -> float:
    length = spot.offset
    first = _of_first(length, _most_line(length, spot)) if length <= WIDEST else _TOO_LONG_FIRST
    return first + _most_by_spaces(length)


def _most_last(length: int) -> float:
    return (1.0 if length <= WIDEST else _TOO_LONG) + _most_by_spaces(length) + _TOO_LONG * _most_by_spaces(0)


def _most_by_spaces(length: int) -> float:
    """Return an upper bound of the likelihood of all ways to cut `length` characters into lines at one or more spaces."""
    fewest = max(1, math.ceil(length / WIDEST) - 1)  # else a line is longer than any width
    return _MOST_AT_SPACES**fewest / (1 - _MOST_AT_SPACES)
