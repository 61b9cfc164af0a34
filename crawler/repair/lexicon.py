"""What the rules know about the language: how common a word is, which words follow it, and which words are names.

Boundary: pure. `Corpus` learns from the texts that it is given; `crawler.lexicon` loads frequency lists and texts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import Protocol

from crawler.repair import syntax, words

_TRUST = 4.0  # weight of the prior about a word's neighbours, in occurrences of the word
_CLASS_TRUST = 12.0  # the same for classes of words
_NEIGHBOURS = 5.0  # nats, for two names that stand side by side elsewhere on the page
_COMMON = 5e-7  # share of running words from which on half of a name may be a word of its own
_VERY_COMMON = 3e-6  # the same for the second half alone
_PRIOR_SIZE = 200_000  # words that the learnt texts are supposed to have besides, so that few words prove little
_TAILS = tuple(words.TAILS)
_RARE = 1e-8  # share of running words below which a capitalised first word of a sentence is a name
_TRUSTED = 5e-7  # share of running words from which on a listed word is a word, not two that were often run together
_CACHED = 1 << 14  # words; an article has about 300 different ones, and their parts are looked up, too
_OPEN = "\n"  # the token before the first and after the last one of a line


class Lexicon(Protocol):
    """The knowledge of the language that the rules use. It must not change while a text is repaired."""

    def frequency(self, word: str) -> float:
        """Return the share of `word`, in lower case, among all words of running text; 0.0 if it is unknown."""
        ...

    def follows(self, left: str, right: str) -> float:
        """Return how much likelier `right` is after `left` than elsewhere, in nats; both tokens keep their capitals."""
        ...

    def is_name(self, word: str) -> bool:
        """Whether `word`, which is capitalised, occurs in clean text as a name or as part of a name."""
        ...

    def is_whole(self, word: str) -> bool:
        """Whether `word`, in lower case, is certainly one word, even if it looks like two (`ledit`, `parfaire`)."""
        ...

    def __hash__(self) -> int:
        """Return a hash, so that answers about words can be cached."""
        ...


class WordList:
    """A lexicon that knows only how frequent words are, and which of the rare ones look like two words but are one."""

    def __init__(self, frequencies: Mapping[str, float], compounds: Container[str] = ()) -> None:
        self._frequencies = frequencies
        self._compounds = compounds

    def frequency(self, word: str) -> float:
        """Return the frequency of `word` in the list; 0.0 if the list does not contain it."""
        return self._frequencies.get(word, 0.0)

    def follows(self, left: str, right: str) -> float:  # noqa: ARG002 - the protocol's signature
        """Return 0.0, because a word list does not show which words follow one another."""
        return 0.0

    def is_name(self, word: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """Return False, because a word list does not show which words are names."""
        return False

    def is_whole(self, word: str) -> bool:
        """Whether the list of compounds contains `word`, or it is so common that the list of words must be right."""
        return word in self._compounds or self._frequencies.get(word, 0.0) >= _TRUSTED


class Corpus:
    """A lexicon that adds what it learns from clean texts to another lexicon, `base`.

    The frequency of a word is never lower than in `base`.
    """

    def __init__(self, base: Lexicon, texts: Iterable[str] = (), *, grammar: bool = False) -> None:
        """Learn from `texts`; if `grammar` is true, also learn which classes of words follow one another.

        The classes can only be learnt from texts with some thousand words in total.
        """
        self._base = base
        self.is_whole = base.is_whole  # the learnt texts are too few to show whether a word is one
        self._grammar = Grammar() if grammar else None
        self._words: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._names: set[str] = set()
        self._neighbours: set[tuple[str, str]] = set()
        self._size = 0
        for text in texts:
            self.learn(text)

    def learn(self, text: str) -> None:
        """Learn words, pairs of words and names from one clean text; each line of the text is a separate block."""
        self.learn_lines(_lines(text))

    def learn_lines(self, lines: Iterable[Sequence[str]]) -> None:
        """Do the same as `learn` with the tokens of each line."""
        found = [[_OPEN, *line, _OPEN] for line in lines]
        lower = [list(map(str.lower, line)) for line in found]
        seen: set[str] = set()
        for line, plain in zip(found, lower, strict=True):
            self._names.update(self._names_in(line, seen))
            seen.update(plain)
            if self._grammar is not None:
                self._grammar.learn(line)
        self._words.update(chain.from_iterable(lower))
        self._pairs.update(chain.from_iterable(map(pairwise, lower)))
        self._size += sum(map(len, found))

    def learn_names(self, lines: Iterable[Sequence[str]]) -> None:
        """Learn only names, from the lines of a text that may contain glued words; ignore names that may be two words."""
        for line in lines:
            found = [_OPEN, *line, _OPEN]
            new = set(self._names_in(found)) - self._names
            self._names.update(name for name in new if not self._may_be_glued(name))
            self._neighbours.update((a, b) for a, b in pairwise(found) if a in self._names and b in self._names)

    def _may_be_glued(self, name: str) -> bool:
        if not name[1:].islower() or name.endswith(_TAILS):
            return True
        for i in range(2, len(name) - 2):
            known = self.frequency(name[i:])
            if known > _VERY_COMMON and len(name) - i > 4:
                return True
            if known > _COMMON and self.frequency(name[:i].lower()) > _COMMON:
                return True
        return False

    def _names_in(self, found: list[str], seen: AbstractSet[str] = frozenset()) -> Iterator[str]:
        """Yield the capitalised tokens that are names. The first word of a sentence counts as a name if it is not a common word.

        The words in `seen` are common too: they occur in the lines before, which are being learnt.
        """
        for before, token in pairwise(found):
            if token[0].isupper() and (not words.ends_sentence(before) or self._is_rare(token.lower(), seen)):
                yield token

    def _is_rare(self, word: str, seen: AbstractSet[str]) -> bool:
        return word not in seen and self.frequency(word) < _RARE

    def frequency(self, word: str) -> float:
        """Return the larger of two frequencies of `word`: that in `base`, and a cautious one from the learnt texts."""
        seen = self._words.get(word, 0)
        known = self._base.frequency(word)
        return max(known, seen / (self._size + _PRIOR_SIZE)) if seen else known

    def follows(self, left: str, right: str) -> float:
        """Return how much likelier `right` is after `left` than elsewhere, in nats.

        The result comes from the pairs of words in the learnt texts. The rarer `left` is in these texts, the more the
        result depends on the classes of the two words or, if no classes were learnt, on `base`.
        """
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
        # With few texts, an unseen pair proves little: it may only halve the odds (0.7 nats).
        return max(math.log(likely / chance), prior - 0.7)

    def is_name(self, word: str) -> bool:
        """Whether the learnt texts or `base` contain `word` as a name."""
        return word in self._names or self._base.is_name(word)


class CachedLexicon:
    """A lexicon that keeps the frequencies of `base`, which must learn no more. Articles share most of their words."""

    def __init__(self, base: Lexicon) -> None:
        self.frequency = lru_cache(_CACHED)(base.frequency)
        self.follows = base.follows
        self.is_name = base.is_name
        self.is_whole = base.is_whole

    def forget_frequencies(self) -> None:
        """Empty the cache of frequencies, to free memory."""
        self.frequency.cache_clear()


class PageLexicon:
    """A lexicon that adds what the texts of one page show to another lexicon, `base`, which must not change.

    The page is read when the first rule asks for something that it may show; most pages need no repair. `hints` have no
    glued words, unlike `text`.
    """

    def __init__(self, base: Lexicon, text: str = "", hints: Sequence[str] = ()) -> None:
        self.base = base
        self.is_whole = base.is_whole  # the texts of a page are too few to show whether a word is one
        self._text = text
        self._hints = hints
        #: What `score` finds in a run of letters with its neighbours: offsets in the run and odds, in nats.
        self.splits: dict[tuple[str, str, str, bool], list[tuple[int, float]]] = {}

    @cached_property
    def _lines(self) -> list[list[str]]:
        return _lines(self._text)

    @cached_property
    def _hint_lines(self) -> list[list[str]]:
        return [line for hint in self._hints for line in _lines(hint)]

    @cached_property
    def _of_hints(self) -> Corpus:
        page = Corpus(self.base)
        page.learn_lines(self._hint_lines)
        return page

    @cached_property
    def _learnt(self) -> Corpus:
        page = self._of_hints
        page.learn_names(self._lines)
        return page

    @cached_property
    def frequency(self) -> Callable[[str], float]:
        """Return the frequency of a word, as `Corpus.frequency` does; names do not change it."""
        return self._of_hints.frequency

    @cached_property
    def follows(self) -> Callable[[str, str], float]:
        """Return how much likelier a word is after another one than elsewhere, as `Corpus.follows` does."""
        return self._learnt.follows

    @cached_property
    def is_name(self) -> Callable[[str], bool]:
        """Whether a word is a name, as `Corpus.is_name` does."""
        return self._learnt.is_name

    @cached_property
    def new_words(self) -> tuple[str, ...]:
        """The words of the hints that are commoner on this page than in `base`."""
        found = Counter(map(str.lower, chain.from_iterable(self._hint_lines)))
        more = (word for word, number in found.items() if self.base.frequency(word) < number / _PRIOR_SIZE)
        return tuple(word for word in more if len(word) > 3 or word in words.SHORT)


def _lines(text: str) -> list[list[str]]:
    """Return the tokens of each line of a text; no token contains the end of a line."""
    return [words.tokens(line) for line in text.splitlines()]


class Grammar:
    """Counters of word classes: how often each class occurs, and how often each class follows another.

    A function word is a class of its own; the class of any other word depends on its capitals and its ending.
    """

    def __init__(self) -> None:
        self._classes: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._size = 0

    def learn(self, found: list[str]) -> None:
        """Count the classes of words, and the pairs of neighbouring classes, in one line of tokens."""
        classes = [words.word_class(token) for token in found]
        self._classes.update(classes)
        self._pairs.update(pairwise(classes))
        self._size += len(classes)

    def follows(self, left: str, right: str) -> float:
        """Return how much likelier the class of `right` is after the class of `left` than elsewhere, in nats.

        The result is closer to zero if the class of `left` is rare. The bias of `syntax` against wrong pairs is added.
        """
        first, second = words.word_class(left), words.word_class(right)
        chance = (self._classes.get(second, 0) + 1) / (self._size + 100)
        seen = self._classes.get(first, 0)
        likely = (self._pairs.get((first, second), 0) + _CLASS_TRUST * chance) / (seen + _CLASS_TRUST)
        return math.log(likely / chance) + syntax.bias(left, right)
