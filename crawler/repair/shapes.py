"""Recognise missing spaces by shape: a capital inside a run of letters, or a number that touches a word.

All odds in this module are log odds in nats.

Boundary: one place with its neighbouring tokens at a time, as in `score`.
"""

from __future__ import annotations

import math
import re

from crawler.repair import vietnamese, words
from crawler.repair.lexicon import Lexicon
from crawler.repair.names import FIRST_NAMES, PAIRS, PLACES, TITLES

_NEVER = -math.inf
#: `AnneMarie` in running text is more often two names than a brand, but the odds are low enough for `wrap` to decide.
_TWO_NAMES = 3.0
_TWO_SYLLABLES = 7.0  # `KimDong`: two Vietnamese syllables that are not a listed brand
_PERSON = 8.0  # begins with a known first name
_SEEN_APART = 12.0  # the two names stand side by side elsewhere on the page
_BRAND_WORD = -4.0  # ends with a common word
_BRAND = -12.0

_TWO_TITLES = re.compile(r"([A-ZÀ-ÖØ-ÞĐƯƠŒ][^\W\d_A-ZÀ-ÖØ-Þ]+)([A-ZÀ-ÖØ-ÞĐƯƠŒ][^\W\d_A-ZÀ-ÖØ-Þ]+)")
_ACRONYM_AND_TITLE = re.compile(r"([A-Z]{2,5})([A-Z][a-z]{2,})", re.ASCII)  # `SEAGames`
_BRAND_STARTS = frozenset(
    """
    mc mac de di du da la le van von fitz viet vietnam vietin vietcom vina vin petro mobi tik you face saigon sai agri
    sea tech lien hana hanoi ha tele air astra bio open deep link insta snap pay smart soft micro what play master info
    euro power data news home land sun coca pepsi blue green red cyber eco auto inter novo grab go my net one black
    white star web
    """.split()
)
_BRAND_ENDS = frozenset(
    """
    plus bank net express fone tok phone tube book jet fast tech land group home pay pass port trade food coin line
    time tv news one in power soft mart pharma gas oil tour tourist travel air care life box day scape hub works works
    card go pro max star com cam data key lab labs link zeneca tech gram chat app post invest capital sign sports
    """.split()
)
#: Common words that end the brand of an acronym written as one word: `VNdirect`, `VTVcab`, `FPTplay`.
BRAND_TAILS = _BRAND_ENDS | frozenset(
    """
    angels arena asia bike center cloud corp digital direct edu english express foot games global green groups health
    house info international invest jobs kids live market markets media medias mini mobile money music online park
    partners plaza play portal post power print prime project radio school service services shop show shows sky
    software sound sport store studio style super telecom test trade trans union vietnam view vision watch web world
    """.split()
)
#: Surnames and titles that begin with an article and are often written as one word: `LaSalle`, `LeMonde`.
_AFTER_ARTICLE = frozenset(
    """
    monde salle blanc bron brun roux clerc grand fèvre page roy roi rouge beau beouf bœuf fort gall noir petit jeune bel
    fontaine tour croix porte place roche rochelle motte forge chapelle ferme belle pierre mar vie guardia font bonne
    borde combe coste garde grange lande rose rue vallée vigne voie maître maire moine doux goff pen duc gendre tellier
    vasseur sage sueur vert mer marche poste caisse
    """.split()
)
_ARTICLES = frozenset("le la les un une des du au aux".split())
_COMMON = 1e-6  # share of running words from which on a word after an article is a common noun
ROMAN_LETTERS = frozenset("IVXLCDM")
ROMAN = re.compile(r"[IVX]+(?:e|er|ᵉ)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_AFTER_NUMBER = re.compile(r"(?P<end>èm|èr|e|è|ᵉ)")
_AFTER_ROMAN = re.compile(r"(?:[IVX]{2,}|[IVX](?=e(?:siècle|République|Congrès|arrondissement)))(?P<end>èm|e|ᵉ)")
_AFTER_ORDINAL = frozenset("art sur en et de du des dans est par à au aux pour avec".split())
#: Units and ordinal endings that may follow a number without a space.
_UNITS = frozenset(
    """
    e er ère ers ème èmes eme emes nd nde ndes è ᵉ km kg cm mm dm ml cl dl hl ha mn min sec kw kwh mw mwh gw gwh twh kv
    mva hz khz mhz ghz ko mo go to kb mb gb tb pib px mm usd vnd eur cny jpy teu dwt bps pts ppm rpm cv ch km² m² m³ th
    st rd bis ter quater mah lux bar bit bits hp vs ans
    """.split()
) - {"ans", "bis", "ter", "bar"}


def two_names(run: str, left: str, right: str, lexicon: Lexicon) -> tuple[int, float] | None:
    """Return the index at which `run` may be split into two capitalised words, and the odds of a missing space.

    Return None if `run` does not consist of two such words. `JeanBaptiste` is probably two words, `VietnamPlus` one
    brand. Word frequencies do not help to decide, because brands consist of the same words.
    """
    if (match := _ACRONYM_AND_TITLE.fullmatch(run)) and f"{match[1]} {match[2]}".lower() in PAIRS:
        return match.end(1), _SEEN_APART
    match = _TWO_TITLES.fullmatch(run)
    return match and (match.end(1), _of_two_names(match[1], match[2], left, right, lexicon))


def _of_two_names(one: str, two: str, left: str, right: str, lexicon: Lexicon) -> float:
    first, second = one.lower(), two.lower()
    if lexicon.is_name(one + two):
        return _BRAND
    if lexicon.follows(one, two) > 4.0 or f"{vietnamese.fold(one)} {vietnamese.fold(two)}" in PAIRS:
        return _SEEN_APART
    if first in words.FUNCTION and words.ends_sentence(left):
        return _opening(first, second, lexicon)
    if first in _ARTICLES and not left[0].isupper():
        return _opening(first, second, lexicon) if lexicon.frequency(second) > _COMMON else _TWO_NAMES
    return _of_name_or_brand(first, second, left[0].isupper() or right[0].isupper(), lexicon)


def _of_name_or_brand(first: str, second: str, beside_name: bool, lexicon: Lexicon) -> float:
    """Return the odds that `first` and `second` are a person's name rather than a brand that is written as one word.

    `beside_name` means that a capitalised word is next to them.
    """
    if vietnamese.is_syllable(first) and vietnamese.is_syllable(second):
        return _BRAND if lexicon.frequency(first + second) else _TWO_SYLLABLES + beside_name
    if first in _BRAND_STARTS or second in _BRAND_ENDS:
        return _BRAND
    if first in FIRST_NAMES or first in TITLES:
        return _PERSON
    common = lexicon.frequency(second) > 2e-5 and not lexicon.is_name(second.capitalize())
    beside = 3.0 if beside_name and lexicon.frequency(first) < 1e-5 else float(beside_name)
    return _TWO_NAMES + beside + (_BRAND_WORD if common else 0.0)


def _opening(first: str, second: str, lexicon: Lexicon) -> float:
    """Return the odds of a missing space after a function word at the start of a sentence, as in `LesVietnamiens`.

    The odds are lower before words of surnames, because `LeMonde` and `LaSalle` are names.
    """
    if lexicon.frequency(second) < 1e-7 or second in _AFTER_ARTICLE:
        return _TWO_NAMES
    return 5.0 if first in {"de", "du"} else 9.0


def ordinal(touches_number: bool, run: str, lexicon: Lexicon) -> int | None:
    """Return the index in `run` at which a word begins that is glued to an ordinal; None if there is no such word.

    Examples are `76eFestival` and `XXesiècle`. `run` is a run of letters; `touches_number` means that a number is
    directly before it.
    """
    match = _AFTER_NUMBER.match(run) if touches_number else _AFTER_ROMAN.match(run)
    ends = (match.end("end"), match.end("end") + 1) if match else ()
    return next((at for at in ends if run[at:] in _AFTER_ORDINAL or _is_long_word(run[at:], lexicon)), None)


def may_be_roman(run: str) -> bool:
    """Whether a run of letters that is not all capitals begins as an ordinal in Roman figures does: a quick test."""
    return run[0] in "IVX" and run[1:2] in {"e", "è", "ᵉ"}


def _is_long_word(text: str, lexicon: Lexicon) -> bool:
    return len(text) > 3 and lexicon.frequency(text.lower()) > 1e-6


def before_word(number: str, word: str, lexicon: Lexicon) -> float:
    """Return the odds of a missing space between a number and the word after it, as in `2017dans` or `18remporta`.

    The odds are minus infinity if the word is a unit, such as `km`, or not a common word.
    """
    lower = word.rstrip("'").lower()
    if word[0].isupper() and word[1:].islower() and not number.isdigit():
        return 7.0  # `1.500Viêt`: a number with a point or comma is not part of a name
    if not word[0].islower() or lower in _UNITS or len(number) > 12 or number + word == "2de":  # short for `seconde`
        return _NEVER
    if lower == "à" or word in {"d'", "qu'", "n'"}:  # no unit and no code has these letters
        return 8.0
    year = len(number) == 4 and number[:2] in {"18", "19", "20"}
    if lower in words.FUNCTION and (len(lower) > 1 or year):
        return 8.0 if len(lower) > 1 else 3.0
    if year and word in {"l'", "d'", "qu'", "s'", "n'"}:
        return 6.0
    return 6.0 if len(lower) > 2 and lexicon.frequency(lower) > (1e-5 if len(lower) < 5 else 1e-6) else _NEVER


def after_word(word: str, number: str, lexicon: Lexicon) -> float:
    """Return the odds of a missing space between a word and the number after it, as in `février1789` or `sur3`.

    The odds are minus infinity if the word is not common, or has capitals after its first letter, as in `COVID19`.
    """
    lower = word.lower()
    if lower in {"à", "hui"}:  # `hui` ends `aujourd'hui`
        return 8.0
    if not word[1:].islower() or not number[0].isdigit():
        return _NEVER
    if (lower in PLACES or lower == "an") and _YEAR.fullmatch(number):
        return 8.0  # `Huê2014`, `l'an2020`: no name of a place ends in a year
    if lower in words.FUNCTION and len(lower) > 1:
        return 8.0
    if len(lower) < 4 or lexicon.frequency(lower) < 1e-7:
        return _NEVER
    # `fichier1` and `Windows10` are names; `atteint15` and `dessert47` are not.
    return 7.0 if word.islower() and len(number) > 1 else 3.0
