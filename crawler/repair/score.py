"""Estimate, in nats, how much likelier it is that a run of letters is two words than one.

The evidence is these words and their neighbours.

Boundary: one run of letters with its neighbours at a time; `wrap` weighs the positions of line breaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from operator import itemgetter

from crawler.repair import chances, shapes, vietnamese, words
from crawler.repair.chances import NEVER
from crawler.repair.lexicon import Lexicon, PageLexicon
from crawler.repair.names import LOANS

LIMIT = 15.0  # the log odds of one spot never exceed this
_CONTEXT = 0.8  # discount: the odds of the neighbours are not independent of one another
_CONTEXT_LIMIT = 5.0
_LONGEST = 60  # letters; a longer run is not text, and the time grows with its square
_COMBINING = -6.0  # `photo|chromique` is more probably a new compound than two words
_TWO_RARE = -3.0  # `iron|workers` is more probably one word of another language
_RARE_PAIR = 3e-12  # product of two shares of running words
_DOUBTFUL = -2.5  # limit for a listed form: too low for the words alone, high enough at the end of a full line
_COMMON_NAME = 5e-7  # share of running words
_THREE = -8.0  # two spaces are missing in one run of letters
_SHORTEST_THREE = 10  # letters
_COMMON = 1e-6  # share of running words of one of three words, or of a word before `M.`
_MAY_BE_PREFIX = frozenset("sur sous contre entre en par pour non".split())  # `sur|activité|âmes` is no three words
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


def splits(run: LetterRun, page: PageLexicon) -> Iterator[Split]:
    """Yield the places at which `run` can be split into two parts that can both be words.

    The result is stored in `page`, because the rules run again until they find nothing.
    """
    key = run.text, run.left, run.right, run.touches_number
    if key not in page.splits:
        page.splits[key] = [(split.offset - run.start, split.odds) for split in _splits(run, page)]
    return (Split(run.start + at, odds, run.start) for at, odds in page.splits[key])


def _splits(run: LetterRun, lexicon: PageLexicon) -> Iterator[Split]:
    if _is_bound(run) or len(run.text) > _LONGEST:
        return
    is_whole = _is_whole(run, lexicon)
    if is_whole and not run.touches_number:  # beside a number, `eau` may be the ending of an ordinal and `au`
        return
    shaped = _shaped(run, lexicon)
    if shaped:
        yield shaped
    if not is_whole and (not shaped or shaped.odds < 0.0):
        # After a brand such as `PetroVietnam`, a function word may follow; inside it, its shape decides.
        after = shaped.offset if shaped else 0
        limit = _DOUBTFUL if run.text in words.DOUBTFUL else LIMIT
        for split in _by_words(run, lexicon):
            if split.offset > after:
                yield Split(split.offset, min(limit, split.odds), split.run)


def is_settled(token: str, lexicon: Lexicon) -> bool:
    """Whether `token` is never split, whatever is beside it except `aujourd'`: `splits` finds nothing in it."""
    if token in words.DOUBTFUL or token in words.COLLISIONS:
        return False
    return lexicon.is_whole(token) if token.isalpha() and token.islower() else _is_elided(token.lower())


def possible_splits(tokens: AbstractSet[str], page: PageLexicon) -> dict[str, float]:
    """Return the tokens that may be two words, with upper bounds of their odds (see `most_odds`)."""
    doubtful = [token for token in tokens if not _is_one_word(token, page.base)]
    if not doubtful:
        return {}
    lower = "\n".join(map(str.lower, doubtful))
    new_words = [word for word in page.new_words if word[:-2] in lower]  # others change no token: see `_may_change`
    return {token: _bound(token, new_words, page.base) for token in doubtful}


def most_odds(token: str, page: PageLexicon) -> float:
    """Return an upper bound of the log odds of all splits of a token, whatever is beside it except a number.

    The result is `NEVER` if it is certainly no two words.
    """
    return NEVER if _is_one_word(token, page.base) else _bound(token, page.new_words, page.base)


def _bound(token: str, new_words: Sequence[str], base: Lexicon) -> float:
    return LIMIT if _may_be_changed(token, new_words) else _most_odds(token, base)


def _may_be_changed(token: str, new_words: Sequence[str]) -> bool:
    """Whether a part of a token may be likelier to be a word on this page than elsewhere."""
    lower = token.lower()
    return any(_may_change(word, lower) for word in new_words)


def _may_change(word: str, lower: str) -> bool:
    """Whether a part of a token may be likelier to be a word, or to be derived from one, if `word` is common."""
    return word in lower[1:] or word in lower[:-1] or (len(lower) > chances.DERIVED_FROM and word[:-2] in lower)


@lru_cache(maxsize=1 << 13)  # names and rare words
def _is_one_word(token: str, lexicon: Lexicon) -> bool:
    """Whether a token is one word or a sign, whatever the page shows: it is common, or has only capitals."""
    if len(token) < 2 or not token[0].isalpha():
        return True
    lower = token.lower()
    if is_settled(token, lexicon) or (token.isalpha() and token.isupper()):
        return True
    if lower in words.DOUBTFUL or lower in words.COLLISIONS or not token[1:].islower():
        return False
    return lexicon.is_whole(lower) and lexicon.frequency(lower) > _COMMON_NAME


@lru_cache(maxsize=1 << 13)  # names and rare words
def _most_odds(token: str, lexicon: Lexicon) -> float:
    lower = token.lower()
    if not _is_simple(token) or len(token) > _LONGEST or shapes.may_be_roman(token) or vietnamese.fold(token) in LOANS:
        return LIMIT
    if lower in words.DOUBTFUL or lower in words.COLLISIONS:
        return LIMIT
    parts = max(most for _, most in _parts(token, lexicon))
    if parts == NEVER and _three_words(token, lexicon):
        return LIMIT
    whole = chances.of_whole(token, ".", ".", lexicon)  # the least: beside a name, a name is likelier
    return parts - whole + 2 * _CONTEXT * _CONTEXT_LIMIT


def _is_simple(token: str) -> bool:
    """Whether a token consists of letters, which are small after the first one, so that `_parts` has its parts."""
    return token.isalpha() and token[1:].islower()


@lru_cache(maxsize=1 << 13)
def _parts(token: str, lexicon: Lexicon) -> tuple[tuple[int, float], ...]:
    """Return, for each place in a token, an upper bound of the log probability that the parts beside it are words."""
    return tuple((at, chances.most_of_parts(token[:at], token[at:], lexicon)) for at in range(1, len(token)))


def _places(token: str, page: PageLexicon) -> Sequence[int]:
    """Return the places in a token beside which both parts can be words; `_of_parts` is `NEVER` at all others."""
    if not _is_simple(token) or _may_be_changed(token, page.new_words):
        return range(1, len(token))
    return [at for at, most in _parts(token, page.base) if most > NEVER]


def _is_whole(run: LetterRun, lexicon: Lexicon) -> bool:
    """Whether `run` is certainly one word: `ledit`, `Ledit`; not `parla` and `dela` where only two words fit."""
    lower = run.text.lower()
    if not run.text[1:].islower() or run.left.lower() == "aujourd'" or not lexicon.is_whole(lower):
        return False
    if run.text[0].isupper() and not words.ends_sentence(
        run.left
    ):  # a name: of a rare word, the capital shows that it is another one
        return lexicon.frequency(lower) > _COMMON_NAME
    if lower in words.DOUBTFUL:
        return run.text[0].isupper()
    at = words.COLLISIONS.get(lower, 0)
    return at == 0 or not _fits_two_words(run, at, lexicon)


def _fits_two_words(run: LetterRun, at: int, lexicon: Lexicon) -> bool:
    """Whether the neighbours of `run`, a word of `words.COLLISIONS`, leave no other reading than two words."""
    lower = run.text.lower()
    if lower == "una":
        return run.left.lower() == "quelqu'"
    if lower[:at] in {"il", "on"}:
        return (run.text.islower() or words.ends_sentence(run.left)) and words.word_class(run.right) in {"é", "été"}
    if not run.left.islower() or run.left in words.BEFORE_ONE_WORD:
        return False
    if run.right[0].isupper():  # `ingénieurs dela Compagnie`, `présentée parla BAD`, but `Chirac parla Anglais`
        return lower == "dela" or words.word_class(run.left) in {"é", "ée", "és"}
    is_noun = run.right.islower() and run.right not in words.FUNCTION and not run.right.endswith(("ment", "'"))
    return is_noun and lexicon.follows(lower[at:], run.right) >= 1.0


def _is_bound(run: LetterRun) -> bool:
    lower = run.text.lower()
    if run.left.lower() == "aujourd'":
        return lower == "hui"
    if not lower.endswith("'"):
        return False
    english = run.right in {"s", "re", "ll", "ve"} or (run.right == "t" and lower.endswith("n'"))  # `Sun's`, `doesn't`
    return english or _is_elided(lower)


def _is_elided(lower: str) -> bool:
    return lower.endswith("'") and (lower in words.BOUND or lower[:-1] in words.ELIDED)


def _shaped(run: LetterRun, lexicon: Lexicon) -> Split | None:
    """Return the split that the shape of `run` shows, such as an ordinal or two names; None if it shows none."""
    if run.left.lower() == "aujourd'" and run.text.startswith("hui"):
        return Split(run.start + 3, LIMIT, run.start)
    mister = run.text.rstrip("M")
    if run.right == "." and run.text[len(mister) :] in {"M", "MM"} and _is_before_mister(mister, lexicon):
        return Split(run.start + len(mister), LIMIT, run.start)
    if run.text.islower() and (loan := LOANS.get(vietnamese.fold(run.text))):  # `nuocmam`
        return Split(run.start + loan, LIMIT, run.start)
    at = shapes.ordinal(run.touches_number, run.text, lexicon)
    if at is not None:
        return Split(run.start + at, LIMIT, run.start)
    found = None if run.text.islower() else shapes.two_names(run.text, run.left, run.right, lexicon)
    return found and Split(run.start + found[0], found[1], run.start)


def _is_before_mister(text: str, lexicon: Lexicon) -> bool:
    """Whether a text before `M.` is a word: `avecM. Nam`, `reçuM. Nam`."""
    return text.lower() in words.FUNCTION or (text.islower() and lexicon.frequency(text) > _COMMON)


def _by_words(run: LetterRun, lexicon: PageLexicon) -> Iterator[Split]:
    weighed = [(at, _of_parts(run, at, lexicon)) for at in _places(run.text, lexicon)]
    possible = [(at, chance) for at, chance in weighed if chance > NEVER] or list(_first_of_three(run, lexicon))
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
    of_second = chances.of_second(first, second, run.right, lexicon)  # the cheaper one first
    if of_second == NEVER:
        return NEVER
    of_first = chances.of_first(first, second, run.left, lexicon)
    if of_first == NEVER:
        return NEVER
    return (
        of_first
        + of_second
        + _of_compound(first, second, lexicon)
        + _context(lexicon, run.left, first, second, run.right)
    )


def _first_of_three(run: LetterRun, lexicon: PageLexicon) -> Iterator[tuple[int, float]]:
    """Yield the end of the first word of a run that is no two words, but three, with the log probability of the words."""
    if not _is_simple(run.text):
        return
    for ends, chance in _three_words(run.text, lexicon.base)[:1]:
        found = (run.text[: ends[0]], run.text[ends[0] : ends[1]], run.text[ends[1] :])
        yield ends[0], chance + _THREE + _context(lexicon, run.left, *found, run.right)


@lru_cache(maxsize=1 << 12)
def _three_words(token: str, lexicon: Lexicon) -> tuple[tuple[tuple[int, int], float], ...]:
    """Return the ends of the first two of the three words that a token may be, with their log probability, best first.

    One of them is a function word, and the others are common: three other words are more probably a foreign word.
    """
    lower = token.lower()
    if len(lower) < _SHORTEST_THREE:
        return ()
    firsts = [at for at in range(2, len(lower) - 3) if _is_one_of_three(lower[:at], lexicon)]
    lasts = [at for at in range(4, len(lower) - 1) if firsts and _is_one_of_three(lower[at:], lexicon)]
    found = []
    for one, two in product(firsts, lasts):
        parts = (lower[:one], lower[one:two], lower[two:])
        if parts[0] in _MAY_BE_PREFIX and parts[1] not in words.FUNCTION:
            continue
        if two - one > 1 and not words.FUNCTION.isdisjoint(parts) and _is_one_of_three(parts[1], lexicon):
            found.append(((one, two), sum(chances.of_plain(part, lexicon) for part in parts)))
    return tuple(sorted(found, key=itemgetter(1), reverse=True))


def _is_one_of_three(word: str, lexicon: Lexicon) -> bool:
    return word in words.FUNCTION or (len(word) > 3 and lexicon.frequency(word) > _COMMON)


def _of_compound(first: str, second: str, lexicon: Lexicon) -> float:
    """Return a negative number (nats) if the two parts are more probably a new compound or a foreign word."""
    lower = first.lower()
    known = lexicon.frequency(second.lower())
    if lower in words.PREFIXES:
        return _COMBINING if known > _COMMON_NAME or second in words.FUNCTION else NEVER
    if not (first.islower() and second.islower()) or lower in words.FUNCTION or second in words.FUNCTION:
        return 0.0
    return _TWO_RARE if lexicon.frequency(lower) * known < _RARE_PAIR else 0.0


def _context(lexicon: Lexicon, *chain: str) -> float:
    odds = sum(map(lexicon.follows, chain, chain[1:]))
    return _CONTEXT * max(-_CONTEXT_LIMIT, min(_CONTEXT_LIMIT, odds))
