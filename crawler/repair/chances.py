"""How likely a string is as one word of running text: by the lists, by its shape, by what it may be derived from.

Boundary: one string, with the tokens beside it where a capital has to be read; log probabilities (nats), `NEVER` for
what cannot be a word at all. Nothing is known here of spots and splits.
"""

from __future__ import annotations

import math

from crawler.repair import shapes, vietnamese, words
from crawler.repair.lexicon import Lexicon

NEVER = -math.inf
_LISTED = 0.7  # a listed word has been seen before; two words that happen to make it have not
_RAREST = -17.5  # what the lists do not hold is rarer than what they hold
_MIN_FREQUENCY = 2e-8
_JUNK = -20.7  # a listed "word" that is two function words run together
_DERIVED = -18.5
_PREFIX = -11.0  # `néo` before its hyphen
_NAME = -13.0
_KNOWN_NAME = -12.0
_SYLLABLE_IN_NAME = -9.0  # the third syllable of a Vietnamese name, after the second
_BRAND = -9.0
_COMMON_CAPITAL = -3.5  # `Défense` in the middle of a sentence
_STRAY_CAPITAL = -7.0  # `Et` in the middle of a sentence
_LETTER = -2.2  # what one more letter of an unknown word costs


def of_whole(text: str, left: str, right: str, lexicon: Lexicon) -> float:
    """Return the chance of a run as one word, known or not."""
    if not text[1:].islower():
        return _of_mixed(text, lexicon)
    if text[0].isupper():
        return _of_capitalised(text, left, right, lexicon)
    known = lexicon.frequency(text)
    if known:
        return _JUNK if known < 3e-6 and _is_two_function_words(text) else math.log(known) + _LISTED
    return _DERIVED if is_derived(text, lexicon) else min(_RAREST, -5.3 + (_LETTER - 0.1) * len(text))


def of_first(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    """Return the chance of the first part of a run that `second` ends."""
    if text.islower():
        return of_plain(text, lexicon)
    if len(text) > 1 and text.isupper():
        return _of_acronym(text, second, lexicon)
    return _of_title(text, second, left, lexicon) if text[0].isupper() and text[1:] == text[1:].lower() else NEVER


def of_second(first: str, text: str, right: str, lexicon: Lexicon) -> float:
    """Return the chance of the second part of a run that `first` begins."""
    if right == "-" and text in words.PREFIXES:
        return _PREFIX
    if text.endswith("'"):
        return _log(lexicon.frequency(text[:-1]), 1e-4) if text[:-1] in words.ELIDED else NEVER
    if text.islower():
        return of_plain(text, lexicon)
    if shapes.ROMAN.fullmatch(text):
        return _PREFIX
    if len(text) > 1 and text.isupper():
        return -6.0 - len(text) if first.islower() else NEVER
    is_title = text[0].isupper() and text[1:].islower()
    return _of_capitalised(text, first, right, lexicon) if is_title else NEVER


def of_plain(text: str, lexicon: Lexicon) -> float:
    """Return the chance of small letters that must be a word that we know."""
    if len(text) <= 3 and text not in words.SHORT:
        return NEVER
    known = lexicon.frequency(text)
    if known > _MIN_FREQUENCY:
        return math.log(known)
    return _DERIVED if len(text) > 8 and is_derived(text, lexicon, 1e-6) else NEVER


def is_derived(text: str, lexicon: Lexicon, floor: float = 5e-8) -> bool:
    """Tell whether an unlisted word is a listed one with a common prefix or ending: coprésider, vietnamisation."""
    if text.startswith(words.PREFIXES):
        stems = (text[len(p) :] for p in words.PREFIXES if text.startswith(p))
        if any(len(stem) > 4 and lexicon.frequency(stem) > floor for stem in stems):
            return True
    endings = (s for s in words.SUFFIXES if text.endswith(s))
    return text.endswith(words.SUFFIXES) and any(_is_stem(text[: -len(s)], lexicon, floor) for s in endings)


def _is_stem(stem: str, lexicon: Lexicon, floor: float) -> bool:
    if len(stem) < 5 or stem[-1] in "sx":
        return False
    return any(lexicon.frequency(stem + e) > floor for e in ("", "e", "er", "é"))


def _log(frequency: float, otherwise: float) -> float:
    return math.log(frequency or otherwise)


def _of_capitalised(text: str, left: str, right: str, lexicon: Lexicon) -> float:
    known = lexicon.frequency(text.lower())
    opening = -6.0 if words.ends_sentence(left) else -4.0
    return max(
        math.log(known) if known else NEVER,
        _NAME - 0.8 if lexicon.is_name(text) else NEVER,
        _of_syllable(text, left, right),
        _DERIVED if is_derived(text.lower(), lexicon) else NEVER,
        min(-15.0, opening + _LETTER * len(text)),
    )


def _of_syllable(text: str, left: str, right: str) -> float:
    if not vietnamese.is_syllable(text):
        return NEVER
    return _NAME if left[0].isupper() or right[0].isupper() else _NAME - 2.0


def _of_mixed(text: str, lexicon: Lexicon) -> float:
    """Read capitals inside a word: rare after a small letter (iPhone), a brand's habit after a capital (MobiFone)."""
    if lexicon.is_name(text):
        return _BRAND
    is_brand = text[0].isupper() and text[1].islower()
    return -7.0 - len(text) if is_brand else -8.0 + _LETTER * len(text)


def _of_acronym(text: str, second: str, lexicon: Lexicon) -> float:
    """Allow `ASEAN` before `et`; before other words only if they are common, for `PVcomBank` is a name."""
    if second not in words.FUNCTION:
        common = 1e-6 if len(second) > 5 else 5e-6
        if len(second) < 4 or lexicon.frequency(second) < common:
            return NEVER
    return max(_log(lexicon.frequency(text.lower()), 1e-99), -9.0 - len(text))


def _of_title(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    """Read a capitalised first part: a sentence's first word, an institution, a name."""
    lower = text.lower()
    chance = of_plain(lower, lexicon)
    if words.ends_sentence(left):
        return chance if chance > NEVER else _of_glued_name(text, second, left, lexicon)
    if lower in words.FUNCTION or len(text) < 3:
        chance += _STRAY_CAPITAL
    elif not lexicon.is_name(text):
        chance += _COMMON_CAPITAL
    return max(chance, _of_glued_name(text, second, left, lexicon))


def _of_glued_name(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    if second not in words.FUNCTION or len(text) < 3:
        return NEVER
    if lexicon.is_name(text):
        return _KNOWN_NAME
    if vietnamese.is_syllable(text):
        return _SYLLABLE_IN_NAME if left[0].isupper() and vietnamese.is_syllable(left) else _NAME
    return -4.0 + _LETTER * len(text) if len(text) > 3 and second in words.TAILS else NEVER


def _is_two_function_words(text: str) -> bool:
    return any(text[:i] in words.FUNCTION and text[i:] in words.FUNCTION for i in range(1, len(text)))
