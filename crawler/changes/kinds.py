"""Classify changed words: is it a date, a figure, a name, a typo, or another wording?

Boundary: pure functions on tokens; the word lists are in `crawler.changes.words`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from rapidfuzz.distance import OSA

from crawler import fold
from crawler.changes.tokens import Token, plain_letters
from crawler.changes.words import (
    AGREEING,
    BEFORE_HOURS,
    BEFORE_NAMES,
    BEFORE_YEARS,
    BETWEEN_DATES,
    DAYS,
    FUNCTION_WORDS,
    HOURS,
    INSIDE_INSTITUTIONS,
    INSTITUTIONS,
    MONTHS,
)
from crawler.numerals import NUMBER_WORDS

#: The share of a word in lower case among all words of running French text; 0.0 if it is unknown.
Frequency = Callable[[str], float]


class Kind(StrEnum):
    """The kind of a change: where it is (`headline`, `lead`, `caption`, `picture`), what happened, or what the words are.

    The order is the order in which kinds are listed.
    """

    HEADLINE = "headline"
    LEAD = "lead"
    CAPTION = "caption"
    PICTURE = "picture"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    QUOTE = "quote"
    DATE = "date"
    FIGURE = "figure"
    NAME = "name"
    TYPO = "typo"
    STYLE = "style"


Fact = tuple[Kind, str]  # what a word states (date, figure or name), and its value for comparison

_TIME = re.compile(r"\d{1,2}\s?[hH]\s?(?:\d{2})?|\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_BEFORE_SENTENCES = frozenset('-":.!?…;(')
_LONG = 4  # words that are added or removed inside a sentence and are more than another wording
_FEW = 2  # changed places in a sentence: with more of them it was reworded, and a similar word is not a typo
_MOST_LETTERS = 2  # that differ between a typo and its correction
_RARE = 50  # how much more frequent a word is than its misspelling


def facts(tokens: Sequence[Token]) -> list[Fact | None]:
    """Return for each token of a sentence the date, figure or name that it states, or None."""
    return [_fact(tokens, place) for place in range(len(tokens))]


def changed_facts(old: Sequence[Fact | None], new: Sequence[Fact | None]) -> tuple[set[Fact], set[Fact]]:
    """Return the facts that only the old sentence states, and those that only the new one states, wherever they are."""
    before, after = Counter(filter(None, old)), Counter(filter(None, new))
    return set(before - after), set(after - before)


def kinds_of_words(
    before: Sequence[Token],
    after: Sequence[Token],
    stated: set[Kind],
    *,
    neighbours: Sequence[Token],
    places: int,
    frequency: Frequency | None,
) -> tuple[Kind, ...]:
    """Return the kinds of one change inside a sentence.

    `stated` has the kinds of the facts that differ in these words. `neighbours` are the tokens next to them. `places` is
    the number of changes in the sentence.
    """
    is_reworded = places > _FEW
    if _is_spelling(before, after) and not (is_reworded and not _letters(before)):
        return (Kind.TYPO,)
    words = [token for token in (*before, *after) if token.is_word]
    if not (before and after) and len(words) >= _LONG:
        return (Kind.ADDED if after else Kind.REMOVED,)
    if stated:
        return tuple(sorted(stated, key=list(Kind).index))
    is_slip = not is_reworded and _is_slip(before, after, neighbours)
    is_typo = is_slip or _is_misspelling(before, after, frequency, is_reworded=is_reworded)
    return (Kind.TYPO if is_typo else Kind.STYLE,)


def _fact(tokens: Sequence[Token], place: int) -> Fact | None:
    token = tokens[place]
    lower = token.key.casefold()
    if _TIME.fullmatch(token.key) or (not token.is_capitalised and (lower in MONTHS or lower in DAYS)):
        return Kind.DATE, lower
    if _is_initial(tokens, place) and lower in DAYS:
        return Kind.DATE, lower
    if token.is_number:
        return (Kind.DATE if _is_in_date(tokens, place) else Kind.FIGURE), _number(token.key)
    if lower in NUMBER_WORDS:
        return Kind.FIGURE, NUMBER_WORDS[lower]
    return (Kind.NAME, plain_letters(lower)) if _is_name(tokens, place) else None


def _number(key: str) -> str:
    """Return a number without the separators of its thousands."""
    digits = re.sub(r"(?<=\d)[\s.](?=\d{3}(?!\d))", "", key)
    return re.sub(r"\D+$", "", digits)


def _is_in_date(tokens: Sequence[Token], place: int) -> bool:
    """Whether a number belongs to a date: a day before a month, a year after one, a year that stands alone, an hour."""
    following = [t.key.casefold() for t in tokens[place + 1 : place + 6]]
    if following[:1] and following[0] in HOURS:
        return place > 0 and tokens[place - 1].key.casefold() in BEFORE_HOURS
    for word in following:
        if word in MONTHS:
            return True
        if word not in BETWEEN_DATES and not word[0].isdigit():
            break
    previous = tokens[place - 1].key.casefold().rstrip("'") if place else ""
    if _YEAR.fullmatch(tokens[place].key) is None:
        return False
    return previous in BEFORE_YEARS or not following or not following[0].isalpha()


def _is_initial(tokens: Sequence[Token], place: int) -> bool:
    return place == 0 or tokens[place - 1].key in _BEFORE_SENTENCES


def _is_name(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word is a name or a part of one. At the start of a sentence, that depends on the word after it."""
    token = tokens[place]
    if not token.is_capitalised:
        return _continues_institution(tokens, place)
    if not _is_initial(tokens, place) or _is_acronym(token):
        return True
    if token.key.casefold() in FUNCTION_WORDS | BEFORE_NAMES or place + 1 == len(tokens):
        return False
    return tokens[place + 1].is_capitalised


def _is_acronym(token: Token) -> bool:
    """Whether a word has several letters, all of them capitals, as `VNA`: a name, also at the start of a sentence."""
    return token.text.isupper() and sum(map(str.isalpha, token.text)) > 1


def _continues_institution(tokens: Sequence[Token], place: int) -> bool:
    """Whether a lower-case word is in the name of an institution, as `mondiale` in `la Banque mondiale`."""
    if not tokens[place].is_word or tokens[place].key.casefold() in FUNCTION_WORDS:
        return False
    for back in range(place - 1, max(-1, place - 4), -1):
        token = tokens[back]
        if token.is_capitalised:
            return plain_letters(token.key) in INSTITUTIONS and not _is_initial(tokens, back)
        if token.key.casefold() not in INSIDE_INSTITUTIONS:
            return False
    return False


def _is_spelling(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """Whether only accents, capitals, punctuation marks, or spaces between words differ."""
    return _letters(before) == _letters(after)


def _letters(tokens: Sequence[Token]) -> str:
    return "".join(plain_letters(token.key) for token in tokens if token.key[0].isalnum())


def _is_slip(before: Sequence[Token], after: Sequence[Token], neighbours: Sequence[Token]) -> bool:
    """Whether words were written twice, or a function word was forgotten, or is one too many."""
    if before and after:
        return False
    words = [token.key.casefold() for token in (*before, *after)]
    around = {token.key.casefold() for token in neighbours}
    return all(word in around for word in words) or (
        len(words) <= 2 and all(word in FUNCTION_WORDS or not word[0].isalnum() for word in words)
    )


def _is_misspelling(
    before: Sequence[Token], after: Sequence[Token], frequency: Frequency | None, *, is_reworded: bool
) -> bool:
    pairs = list(_words_in_pairs(before, after))
    return 0 < len(pairs) <= _FEW and all(_misspelt(b, a, frequency, is_reworded=is_reworded) for b, a in pairs)


def _words_in_pairs(before: Sequence[Token], after: Sequence[Token]) -> Iterator[tuple[str, str]]:
    one, other = ([t.key.casefold() for t in side if t.is_word] for side in (before, after))
    if len(one) == len(other):
        yield from ((b, a) for b, a in zip(one, other, strict=True) if b != a)


def _misspelt(one: str, other: str, frequency: Frequency | None, *, is_reworded: bool) -> bool:
    """Whether one of two words is a misspelling or another form of the other: `porjet`, `decider`, `nouvelle`."""
    if {one, other} in AGREEING:
        return True
    a, b = plain_letters(one), plain_letters(other)
    letters = OSA.distance(a, b)
    if letters > _MOST_LETTERS or letters * 3 > max(3, len(a), len(b)):
        return False
    if one in FUNCTION_WORDS or other in FUNCTION_WORDS:
        return letters == 1
    if not is_reworded and fold.stem(a) == fold.stem(b):
        return True
    if frequency is None:
        return True
    rarer, commoner = sorted((frequency(one), frequency(other)))
    return rarer * _RARE <= commoner
