"""How much likelier a run of letters is two words than one: frequencies, shapes, neighbours, names (in nats).

Boundary: one run with its neighbours at a time; where line breaks may have been is the business of `wrap`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from crawler.repair import shapes, vietnamese, words
from crawler.repair.lexicon import Lexicon

LIMIT = 15.0  # no single spot is ever surer than this
_NEVER = -99.0
_CONTEXT = 0.8  # the neighbours' odds are not independent of one another
_CONTEXT_LIMIT = 5.0
_RAREST = -17.5  # what the lists do not hold is rarer than what they hold
_JUNK = -20.7  # a listed "word" that is two function words run together
_DERIVED = -18.5
_COMBINING = -6.0  # `photo|chromique`: rather a new compound than two words
_PREFIX = -11.0  # `néo` before its hyphen
_COMMON_CAPITAL = -3.5
_STRAY_CAPITAL = -7.0
_MIN_FREQUENCY = 2e-8


@dataclass(frozen=True, slots=True)
class Run:
    """A run of letters (an apostrophe may end it) with the tokens around it."""

    start: int
    text: str
    left: str
    right: str
    touches_figure: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """A place where a space may be missing, and how much (log odds) the words speak for it."""

    offset: int
    odds: float
    run: int


def splits(run: Run, lexicon: Lexicon) -> Iterator[Split]:
    """Yield the places of a run where both sides can stand as words."""
    lower = run.text.lower()
    if run.text.endswith("'") and (lower in words.BOUND or lower[:-1] in words.ELIDED):
        return
    shaped = shapes.ordinal(run.touches_figure, run.text, lexicon)
    if shaped is not None:
        yield Split(run.start + shaped, LIMIT, run.start)
        return
    if not run.text.islower() and (camel := _camel(run, lexicon)):
        yield camel
        return
    parts = [(at, _parts(run, run.text[:at], run.text[at:], lexicon)) for at in range(1, len(run.text))]
    parts = [(at, chance) for at, chance in parts if chance > _NEVER]
    if not parts:
        return
    whole = max(_whole(run, lexicon), max(chance for _, chance in parts) - LIMIT)
    for at, chance in parts:
        yield Split(run.start + at, max(-LIMIT, chance - whole), run.start)


def _camel(run: Run, lexicon: Lexicon) -> Split | None:
    """Weigh two capitalised words run together by their shape: their frequencies say the same of a brand."""
    for at in range(2, len(run.text) - 1):
        odds = shapes.two_names(run.text, at, run.left, run.right, lexicon)
        if odds > _NEVER:
            return Split(run.start + at, odds, run.start)
    return None


def _parts(run: Run, first: str, second: str, lexicon: Lexicon) -> float:
    chance = _first(first, second, run.left, lexicon)
    if first.lower() in words.PREFIXES:
        chance += _COMBINING
    if chance <= _NEVER:
        return _NEVER
    chance += _second(first, second, run.right, lexicon)
    if chance <= _NEVER:
        return _NEVER
    return chance + _context(lexicon, run.left, first, second, run.right)


def _context(lexicon: Lexicon, *chain: str) -> float:
    odds = sum(lexicon.follows(a, b) for a, b in zip(chain, chain[1:], strict=False))
    return _CONTEXT * max(-_CONTEXT_LIMIT, min(_CONTEXT_LIMIT, odds))


def _whole(run: Run, lexicon: Lexicon) -> float:
    return _single(run.text, run.left, run.right, lexicon) + _context(lexicon, run.left, run.text, run.right)


def _single(text: str, left: str, right: str, lexicon: Lexicon) -> float:
    """Return the log chance of the whole run as one word, known or not."""
    if text.isupper() and len(text) > 1:
        return -9.0 - len(text)
    if not text[1:].islower() and len(text) > 1:
        return _mixed(text, lexicon)
    lower = text.lower()
    known = lexicon.frequency(lower)
    if known and known < 3e-6 and _is_two_function_words(lower):
        return _JUNK
    if text[0].isupper():
        return _capital(text, known, left, right, lexicon)
    if known:
        return math.log(known)
    if _is_derived(lower, lexicon):
        return _DERIVED
    return min(_RAREST, -5.3 - 2.3 * len(text))


def _capital(text: str, known: float, left: str, right: str, lexicon: Lexicon) -> float:
    chance = math.log(known) if known else _NEVER
    if lexicon.is_name(text):
        chance = max(chance, -13.8)
    if vietnamese.is_syllable(text):
        chance = max(chance, -13.0 if left[0].isupper() or right[0].isupper() else -15.0)
    if _is_derived(text.lower(), lexicon):
        chance = max(chance, _DERIVED)
    unknown = -6.0 if words.ends_sentence(left.strip()) else -4.0
    return max(chance, min(-15.0, unknown - 2.2 * len(text)))


def _mixed(text: str, lexicon: Lexicon) -> float:
    """Score capitals inside a word: rare after a small letter (iPhone), a brand's habit after a capital (MobiFone)."""
    if lexicon.is_name(text):
        return -9.0
    return -8.0 - 2.2 * len(text) if text[0].islower() else -7.0 - len(text)


def _first(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    if text.isupper() and len(text) > 1:
        return -9.0 - len(text) if _is_acronym_tail(second, lexicon) else _NEVER
    if text[0].isupper() and text[1:].islower() | (len(text) == 1):
        return _title(text, second, left, lexicon)
    return _plain(text, lexicon) if text.islower() else _NEVER


def _title(text: str, second: str, left: str, lexicon: Lexicon) -> float:
    """Score a capitalised first part: a sentence's first word, an institution, a name."""
    lower = text.lower()
    chance = _plain(lower, lexicon)
    if words.ends_sentence(left.strip()):
        return chance if chance > _NEVER else _name(text, second, lexicon)
    if lower in words.FUNCTION or len(text) < 3:
        chance += _STRAY_CAPITAL
    elif chance > _NEVER and not lexicon.is_name(text):
        chance += _COMMON_CAPITAL
    return max(chance, _name(text, second, lexicon))


def _name(text: str, second: str, lexicon: Lexicon) -> float:
    """Score a name that a small word was glued to."""
    if not (second in words.FUNCTION or second[0].isupper()) or len(text) < 3:
        return _NEVER
    if lexicon.is_name(text):
        return -12.0
    if vietnamese.is_syllable(text):
        return -13.0
    return -4.0 - 2.2 * len(text) if len(text) > 3 and second in words.TAILS else _NEVER


def _second(first: str, text: str, right: str, lexicon: Lexicon) -> float:
    if right == "-" and text in words.PREFIXES:
        return _PREFIX
    if text.endswith("'"):
        return math.log(lexicon.frequency(text[:-1]) or 1e-4) if text[:-1] in words.ELIDED else _NEVER
    if text.islower():
        return (
            _plain(text, lexicon)
            if not first.isupper() or len(first) == 1 or _is_acronym_tail(text, lexicon)
            else _NEVER
        )
    if text.isupper() and len(text) > 1:
        return -6.0 - len(text) if first.islower() else _NEVER
    if shapes.ROMAN.fullmatch(text):
        return _PREFIX
    if not (text[0].isupper() and text[1:].islower()):
        return _NEVER
    return _capital(text, lexicon.frequency(text.lower()), first, right, lexicon)


def _plain(text: str, lexicon: Lexicon) -> float:
    """Score a small-letter part, which must be a word that we know."""
    if len(text) <= 3 and text not in words.SHORT:
        return _NEVER
    known = lexicon.frequency(text)
    if known > _MIN_FREQUENCY:
        return math.log(known)
    return _DERIVED if len(text) > 8 and _is_derived(text, lexicon, 1e-6) else _NEVER


def _is_acronym_tail(text: str, lexicon: Lexicon) -> bool:
    return text in words.FUNCTION or (len(text) > 3 and lexicon.frequency(text) > 1e-6)


def _is_two_function_words(text: str) -> bool:
    return any(text[:i] in words.FUNCTION and text[i:] in words.FUNCTION for i in range(1, len(text)))


def _is_derived(text: str, lexicon: Lexicon, floor: float = 5e-8) -> bool:
    """Tell whether an unlisted word is a listed one with a common prefix or ending: coprésider, vietnamisation."""
    if text.startswith(words.PREFIXES):
        stems = (text[len(p) :] for p in words.PREFIXES if text.startswith(p))
        if any(len(stem) > 4 and lexicon.frequency(stem) > floor for stem in stems):
            return True
    return text.endswith(words.SUFFIXES) and any(
        _is_stem(text[: -len(s)], lexicon, floor) for s in words.SUFFIXES if text.endswith(s)
    )


def _is_stem(stem: str, lexicon: Lexicon, floor: float) -> bool:
    if len(stem) < 5 or stem[-1] in "sx":
        return False
    return any(lexicon.frequency(stem + e) > floor for e in ("", "e", "er", "é"))
