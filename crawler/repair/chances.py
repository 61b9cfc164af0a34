"""Estimate the probability that a string is one word of ordinary text, from word lists, its shape and its derivation.

All results are log probabilities in nats; `NEVER` means that the string cannot be a word.

Boundary: one string at a time. Neighbouring tokens are used only if they may explain a capital letter. `score` decides
where a run of letters may be split.
"""

from __future__ import annotations

import math
import re
from itertools import takewhile

from crawler.repair import inflection, shapes, vietnamese, words
from crawler.repair.lexicon import Lexicon
from crawler.repair.names import PAIRS, PLACES

NEVER = inflection.NEVER
DERIVED_FROM = 9  # letters from which on a part may be derived from a listed word
_LISTED = 0.7  # bonus of a listed word over two words that form the same string by chance
_UNSURE = -0.8  # the same if it is rare and no compound: often a foreign or misspelt word
_RAREST = -17.5  # upper bound for an unlisted word: it is rarer than any listed one
_MIN_FREQUENCY = 2e-8  # share of running words; below this a listed word is not trusted
_JUNK = -20.7  # a listed "word" that is really two function words run together
_DERIVED = -18.5  # an unlisted word derived from a listed one
_PREFIX = -11.0  # `néo` before its hyphen, and a Roman ordinal
_NAME = -13.0
_KNOWN_NAME = -12.0
_PLACE = 2.5  # a bonus of the name of a place before a function word
_PAIR = -4.0  # the second word of a known name, after the first one
_SYLLABLE_IN_NAME = -7.0  # a Vietnamese syllable that follows another syllable of a name
_BRAND = -9.0
_LONG_ACRONYM = -8.0
_ACRONYM_AND_WORD = -13.0  # `PIBdu` as one word, before its letters are counted
_ACRONYM_AND_A = -14.0  # the same for `PIBa`
_COMMON_CAPITAL = -3.5  # `Défense` in the middle of a sentence
_STRAY_CAPITAL = -7.0  # `Et` in the middle of a sentence
_COMMON_WORD, _VERY_COMMON = 3e-6, 1e-4  # shares of running words
_NO_ENDING = -45.0  # unlisted, and no French word is formed like this: `dongsà`, `manuscritsHan`, `àHai`
_INFLECTED = -1.5  # an unlisted plural of a listed word is about a fifth as common
_UNKNOWN = -6.8  # an unknown word in lower case, before its letters are counted
_LETTER = -2.2  # for each letter of an unknown word
_SECOND_NAMES = frozenset(pair.split()[1] for pair in PAIRS)
_NO_PLURAL = ("ss", "xs", "zs", "als", "aus", "eus")
_ENGLISH = ("ed", "ing", "ally", "ional", "ness", "ory", "ories")  # `uncompressed` is English, not `un` and a word
_SURNAME = -16.0
_ARTICLES = ("Le", "La", "Du", "De", "Des")
_COMMON_NOUN = 7e-7  # share of running words
_BRAND_SHAPE = re.compile(r"[A-ZÀ-Þ][^\W\d_A-ZÀ-Þ]{2,}[A-ZÀ-Þ][^\W\d_A-ZÀ-Þ]{2,}")
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŒĐ"
#: A capital after some small letters, or after `à`: no brand is written like this, unlike `iPhone`.
_CAPITAL_INSIDE = re.compile(
    r"""
    (?:[^\W\d_A-ZÀ-Þ]{4,}|[àéô])[A-ZÀ-Þ]
    | (?:[^\W\d_A-ZÀ-Þ]{3}|la|le|les|de|du|des|au|aux|en|et|un|ou|se|sa)[A-ZÀ-Þ][^\W\d_A-ZÀ-Þ]
    | [^\W\d_A-ZÀ-Þ]{2,}[A-ZÀ-Þ]{2}
    """,
    re.VERBOSE,
)


def of_whole(text: str, left: str, right: str, lexicon: Lexicon) -> float:
    """Return the log probability that `text`, a whole run of letters, is one word, whether it is listed or not."""
    if text.endswith("'"):
        return _NO_ENDING
    if not text[1:].islower():
        return _of_mixed(text, lexicon)
    if text[0].isupper():
        return _of_capitalised(text, left, right, lexicon)
    return _of_small_letters(text, lexicon)


def _of_small_letters(text: str, lexicon: Lexicon) -> float:
    known = lexicon.frequency(text)
    if known:
        if known < 3e-6 and _is_two_function_words(text):
            return _JUNK
        return math.log(known) + (_LISTED if lexicon.is_whole(text) else _UNSURE)
    if text.endswith("à"):
        return _NO_ENDING
    derived = _DERIVED if is_derived(text, lexicon) else min(_RAREST, _UNKNOWN + (_LETTER - 0.1) * len(text))
    return max(derived, inflection.chance(text, lexicon))


def of_first(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    """Return the log probability of `text` as the first part of a run of letters; `second` is the other part."""
    if text == "ai":  # not in the list of short words, because it is only after `j'`
        return of_plain("suis", lexicon) if left.lower() == "j'" else NEVER
    if text.lower() in words.COMBINING:
        return NEVER
    if text.islower():
        return _of_small_first(text, second, left, lexicon)
    if len(text) > 1 and text.isupper():
        return _of_acronym(text, second, lexicon)
    if text[1:] != text[1:].lower():
        return _of_brand(text, second, lexicon)
    return _of_title(text, second, left, lexicon) if text[0].isupper() else NEVER


def _of_small_first(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    if second in words.FUNCTION and _is_pair(left, text):  # `ao daiest`
        return _PAIR
    # `relieraBên`: the capital shows where the first word ends, even if it is not listed.
    unknown = _UNKNOWN + _LETTER * len(text) if len(text) > 3 and (second[0].isupper() or second == "à") else NEVER
    return max(of_plain(text, lexicon), unknown)


def of_second(first: str, text: str, right: str, lexicon: Lexicon) -> float:
    """Return the log probability of `text` as the second part of a run of letters; `first` is the first part."""
    if right == "-" and text in words.BEFORE_HYPHEN:
        return _PREFIX
    if text.endswith("'"):
        return _of_elided(text, right, lexicon)
    if text in words.ENDINGS and first.lower() not in words.FUNCTION:
        return NEVER
    if text.islower():
        return of_plain(text, lexicon)
    return _of_capital_letters(first, text, right, lexicon)


def _of_capital_letters(first: str, text: str, right: str, lexicon: Lexicon) -> float:
    if shapes.ROMAN.fullmatch(text):
        return _PREFIX
    if len(text) > 1 and text.isupper():
        return -6.0 - len(text) if first.islower() else NEVER
    if text[0].isupper() and text[1:].islower():
        return _of_capitalised(text, first, right, lexicon)
    return _of_mixed(text, lexicon) if first.islower() and _BRAND_SHAPE.fullmatch(text) else NEVER


def _of_elided(text: str, right: str, lexicon: Lexicon) -> float:
    if text in words.BOUND:
        return _log(lexicon.frequency(text[:-1]), 1e-4)
    excluded = text in {"s'", "n'"} and right in words.NO_VERB
    return NEVER if excluded or text[:-1] not in words.ELIDED else _log(lexicon.frequency(text[:-1]), 1e-4)


def of_plain(text: str, lexicon: Lexicon) -> float:
    """Return the log probability that `text`, in lower case, is a word; `NEVER` if it is neither listed nor derived."""
    if len(text) <= 3 and text not in words.SHORT:
        return NEVER
    known = lexicon.frequency(text)
    if known < 3e-6 and text.endswith(_ENGLISH):
        return NEVER
    if known > _MIN_FREQUENCY:
        return math.log(known)
    if len(text) > 6 and text.endswith("s") and not text.endswith(_NO_PLURAL):
        stem = lexicon.frequency(text[:-1])
        if stem > _MIN_FREQUENCY:
            return math.log(stem) + _INFLECTED
    return _DERIVED if len(text) >= DERIVED_FROM and is_derived(text, lexicon, 1e-6) else NEVER


def most_of_parts(first: str, second: str, lexicon: Lexicon) -> float:
    """Return an upper bound of the log probability of two parts, whatever is beside them.

    `first` has small letters after its first one, `second` has only small letters.
    """
    of_second = max(of_plain(second, lexicon), _PREFIX if second in words.BEFORE_HYPHEN else NEVER)
    if of_second == NEVER:
        return NEVER
    if first.islower():
        is_pair = second in words.FUNCTION and vietnamese.fold(first) in _SECOND_NAMES
        return max(of_first(first, second, "j'", lexicon), _PAIR if is_pair else NEVER) + of_second
    bonus = _PLACE if first.lower() in PLACES else 0.0
    return max(of_plain(first.lower(), lexicon) + bonus, _most_of_glued_name(first, second, lexicon)) + of_second


def _most_of_glued_name(text: str, second: str, lexicon: Lexicon) -> float:
    if second not in words.FUNCTION:
        is_common = len(second) > 4 and lexicon.frequency(second) > _COMMON_WORD
        return _SYLLABLE_IN_NAME if is_common and vietnamese.is_syllable(text) else NEVER
    if vietnamese.fold(text) in _SECOND_NAMES:
        return _PAIR
    if len(text) < 3:
        return NEVER
    return _SYLLABLE_IN_NAME if vietnamese.is_syllable(text) else _KNOWN_NAME


def _is_pair(left: str, text: str) -> bool:
    """Whether `text` follows `left` in a known name."""
    return f"{vietnamese.fold(left)} {vietnamese.fold(text)}" in PAIRS


def is_derived(text: str, lexicon: Lexicon, floor: float = 5e-8) -> bool:
    """Whether `text` is a listed word with a common prefix or ending, such as `coprésider` or `vietnamisation`."""
    if text.startswith(words.PREFIXES):
        stems = (text[len(p) :] for p in words.PREFIXES if text.startswith(p))
        if any(len(stem) > 4 and lexicon.frequency(stem) > floor for stem in stems):
            return True
    endings = (s for s in words.SUFFIXES if text.endswith(s))
    return text.endswith(words.SUFFIXES) and any(_is_stem(text[: -len(s)], lexicon, floor) for s in endings)


def _is_stem(stem: str, lexicon: Lexicon, floor: float) -> bool:
    if len(stem) < 5:
        return False
    # `compress` gives `compressera`, but a plural has no further ending.
    endings = ("er", "é") if stem[-1] in "sx" else ("", "e", "er", "é")
    return any(lexicon.frequency(stem + e) > floor for e in endings)


def _log(frequency: float, otherwise: float) -> float:
    return math.log(frequency or otherwise)


def _of_capitalised(text: str, left: str, right: str, lexicon: Lexicon) -> float:
    known = lexicon.frequency(text.lower())
    opening = -6.0 if words.ends_sentence(left) else -4.0
    return max(
        math.log(known) if known and not _is_junk(text.lower(), known, lexicon) else NEVER,
        _NAME - 0.8 if lexicon.is_name(text) else NEVER,
        _of_syllable(text, left, right),
        _DERIVED if is_derived(text.lower(), lexicon) else inflection.chance(text.lower(), lexicon),
        _SURNAME if _may_be_surname(text, lexicon) else NEVER,
        min(-15.0, opening + _LETTER * len(text)),
    )


def _may_be_surname(text: str, lexicon: Lexicon) -> bool:
    """Whether `text`, which is capitalised and not listed, may be a surname such as `Lefoulon`."""
    rests = (text[len(article) :] for article in _ARTICLES if text.startswith(article))
    return any(0 < lexicon.frequency(rest) < _COMMON_NOUN for rest in rests)


def _of_syllable(text: str, left: str, right: str) -> float:
    if not vietnamese.is_syllable(text):
        return NEVER
    return _NAME if left[0].isupper() or right[0].isupper() else _NAME - 2.0


def _of_mixed(text: str, lexicon: Lexicon) -> float:
    """Return the log probability of a word with inner capitals: higher for the form of `MobiFone` than for `iPhone`."""
    if lexicon.is_name(text):
        return _BRAND
    if _CAPITAL_INSIDE.match(text) and "".join(takewhile(str.islower, text)) not in words.PREFIXES:
        return _NO_ENDING
    tail = text.lstrip(_CAPITALS)
    if tail == "à":
        return _NO_ENDING
    acronym = text[: len(text) - len(tail)]
    if len(acronym) > 1 and len(tail) > 1 and tail in words.FUNCTION:
        return _ACRONYM_AND_WORD + _LETTER * len(text)
    if len(acronym) > 2 and tail == "a" and not shapes.ROMAN_LETTERS.issuperset(acronym):  # `FMIa`, but `XIIa`
        return _ACRONYM_AND_A + _LETTER * len(text)
    is_brand = text[0].isupper() and text[1].islower()
    return -7.0 - len(text) if is_brand else -8.0 + _LETTER * len(text)


def _of_acronym(text: str, second: str, lexicon: Lexicon) -> float:
    """Return the log probability of `text`, an acronym, as the first part of a run of letters.

    `second` is the other part. `ASEANet` can be `ASEAN` and `et`. If `second` is not a function word, it must be a
    common word, because `PVcomBank` is one name; otherwise the result is `NEVER`.
    """
    if second not in words.FUNCTION:
        common = 1e-6 if len(second) > 5 else 5e-6
        if len(second) < 4 or lexicon.frequency(second) < common or second in shapes.BRAND_TAILS:
            return NEVER
        if len(text) > 2 and len(second) > 4:  # `FAOestime`: most brands of this shape end in an English word
            return _LONG_ACRONYM
    return max(_log(lexicon.frequency(text.lower()), 1e-99), -9.0 - len(text))


def _of_brand(text: str, second: str, lexicon: Lexicon) -> float:
    """Return the log probability of `text`, with a capital inside, as the first part: `PetroVietnam` before `est`."""
    if second not in words.TAILS:
        return NEVER
    if lexicon.is_name(text) or text.lower() in PLACES:
        return _BRAND
    return min(-11.0, -3.0 - len(text)) if _BRAND_SHAPE.fullmatch(text) and len(second) > 1 else NEVER


def _of_title(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    """Return the log probability of `text`, a capitalised word, as the first part of a run of letters.

    The word can be the first of a sentence, a common noun with a capital (an institution such as `Défense`), or a name.
    """
    lower = text.lower()
    chance = of_plain(lower, lexicon)
    if words.ends_sentence(left):
        return chance if chance > NEVER else _of_glued_name(text, second, left, lexicon)
    if lower in words.FUNCTION or len(text) < 3:
        chance += _STRAY_CAPITAL
    elif lower in PLACES and second in words.TAILS:
        chance += _PLACE  # no name consists of these letters
    elif not (lower in PLACES or lexicon.is_name(text)):
        chance += _COMMON_CAPITAL
    return max(chance, _of_glued_name(text, second, left, lexicon))


def _of_glued_name(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    beside_syllable = left[0].isupper() and vietnamese.is_syllable(left)
    if second not in words.FUNCTION:
        # `Huyênpourrait`: the second word is long and common, so that no foreign name ends in it by chance.
        is_pair = beside_syllable and vietnamese.is_syllable(text) and len(second) > 4
        return _SYLLABLE_IN_NAME if is_pair and lexicon.frequency(second) > _COMMON_WORD else NEVER
    if _is_pair(left, text):
        return _PAIR
    if len(text) < 3:
        return NEVER
    is_known = text.lower() in PLACES or lexicon.is_name(text)
    if vietnamese.is_syllable(text):
        return _SYLLABLE_IN_NAME if beside_syllable else _KNOWN_NAME if is_known else _NAME
    if is_known:
        return _KNOWN_NAME
    return -4.0 + _LETTER * len(text) if len(text) > 3 and second in words.TAILS else NEVER


def _is_junk(text: str, known: float, lexicon: Lexicon) -> bool:
    """Whether a listed, but very rare word is a function word and a common one: `nousavons`."""
    if known > _MIN_FREQUENCY:
        return False
    parts = ((text[:i], text[i:]) for i in range(2, len(text) - 2))
    return any(one in words.FUNCTION and lexicon.frequency(two) > _VERY_COMMON for one, two in parts)


def _is_two_function_words(text: str) -> bool:
    return any(text[:i] in words.FUNCTION and text[i:] in words.FUNCTION for i in range(1, len(text)))
