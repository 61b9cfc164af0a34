"""What the rules must know of the language: how common a word is, what likes to stand beside it, which words are names.

Boundary: pure. `Corpus` learns from clean texts that it is given; where a frequency list or a text comes from is the
business of `crawler.lexicon`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Protocol

from crawler.repair import syntax, words

_TRUST = 4.0  # how many sightings of a word outweigh what was known before about its neighbours
_CLASS_TRUST = 12.0
_NEIGHBOURS = 5.0  # what two names are worth that stand side by side elsewhere on the page
_COMMON = 5e-7  # a half of a name that is rarer than this is no word beside it
_OPEN = "\n"  # stands before the first and after the last token


class Lexicon(Protocol):
    """Knowledge of the language; immutable while a text is repaired."""

    def frequency(self, word: str) -> float:
        """Return the share of running words that are this lower-cased word; 0.0 when it is unknown."""
        ...

    def follows(self, left: str, right: str) -> float:
        """Return by how much (nats) `right` is likelier after `left` than anywhere; tokens with their capitals."""
        ...

    def is_name(self, word: str) -> bool:
        """Tell whether this capitalised word was seen in clean text as a name or in a name."""
        ...


class WordList:
    """A lexicon of frequencies alone."""

    def __init__(self, frequencies: Mapping[str, float]) -> None:
        self._frequencies = frequencies

    def frequency(self, word: str) -> float:
        """Return the listed frequency."""
        return self._frequencies.get(word, 0.0)

    def follows(self, left: str, right: str) -> float:  # noqa: ARG002 - the protocol's signature
        """Return nothing known."""
        return 0.0

    def is_name(self, word: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """Return nothing known."""
        return False


class Corpus:
    """What clean texts teach, over what `base` already knows. Learning more never makes a word less common."""

    def __init__(self, base: Lexicon, texts: Iterable[str] = (), *, grammar: bool = False) -> None:
        """`grammar`: also learn which classes of words follow one another (needs some thousand words to be of use)."""
        self._base = base
        self._grammar = Grammar() if grammar else None
        self._words: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._names: set[str] = set()
        self._neighbours: set[tuple[str, str]] = set()
        self._size = 0
        for text in texts:
            self.learn(text)

    def learn(self, text: str) -> None:
        """Learn from one clean text; every line of it stands for itself."""
        for line in text.splitlines():
            found = [_OPEN, *words.tokens(line), _OPEN]
            self._names.update(_names(found))
            lower = [t.lower() for t in found]
            self._words.update(lower)
            self._pairs.update(pairwise(lower))
            self._size += len(found)
            if self._grammar is not None:
                self._grammar.learn(found)

    def learn_names(self, text: str) -> None:
        """Learn nothing but names from a text that may be broken: those that cannot be two words run together."""
        for line in text.splitlines():
            found = [_OPEN, *words.tokens(line), _OPEN]
            self._names.update(name for name in _names(found) if not self._may_be_glued(name))
            self._neighbours.update((a, b) for a, b in pairwise(found) if {a, b} <= self._names)

    def _may_be_glued(self, name: str) -> bool:
        if not name[1:].islower() or any(name.endswith(tail) for tail in words.TAILS):
            return True
        halves = ((name[:i].lower(), name[i:]) for i in range(2, len(name) - 2))
        return any(min(self.frequency(a), self.frequency(b)) > _COMMON for a, b in halves)

    def frequency(self, word: str) -> float:
        """Return the larger of both: the base's frequency, and a cautious one of the texts."""
        seen = self._words.get(word, 0)
        here = seen / (self._size + 200_000) if seen else 0.0
        return max(here, self._base.frequency(word))

    def follows(self, left: str, right: str) -> float:
        """Return what the pairs say, the less they were seen the more what the classes and the base say."""
        if (left, right) in self._neighbours:
            return _NEIGHBOURS
        prior = self._grammar.follows(left, right) if self._grammar is not None else self._base.follows(left, right)
        before, after = left.lower(), right.lower()
        seen = self._words.get(before, 0)
        if not seen:
            return prior
        chance = max(self.frequency(after), 1e-7)
        together = self._pairs.get((before, after), 0)
        likely = (together + _TRUST * chance * math.exp(prior)) / (seen + _TRUST)
        # Absence teaches little while the texts are few: it may halve the odds, no more.
        return max(math.log(likely / chance), prior - 0.7)

    def is_name(self, word: str) -> bool:
        """Tell whether the texts or the base had this name."""
        return word in self._names or self._base.is_name(word)


def _names(found: list[str]) -> Iterator[str]:
    for before, token in pairwise(found):
        if token[0].isupper() and not words.ends_sentence(before):
            yield token


class Grammar:
    """Which class of word follows which: function words by themselves, the others by capital and ending."""

    def __init__(self) -> None:
        self._classes: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._size = 0

    def learn(self, found: list[str]) -> None:
        """Count one line of tokens."""
        classes = [words.word_class(token) for token in found]
        self._classes.update(classes)
        self._pairs.update(pairwise(classes))
        self._size += len(classes)

    def follows(self, left: str, right: str) -> float:
        """Return log odds of the pair against chance, drawn towards zero when the classes are rare."""
        first, second = words.word_class(left), words.word_class(right)
        chance = (self._classes[second] + 1) / (self._size + 100)
        seen = self._classes[first]
        likely = (self._pairs[first, second] + _CLASS_TRUST * chance) / (seen + _CLASS_TRUST)
        return math.log(likely / chance) + syntax.bias(left, right)
