"""Text folding for search: remove accents, expand ligatures and superscripts, reduce words to their stems.

The search index and the queries use the same folding. So a stem need not be a real word; it only has to be the same in
the index and in a query. Accents are removed before stemming because people type `etrangeres` as often as `étrangères`.

`beginning` returns a pattern that finds words by the beginnings of their folded forms, because folding a word takes much
longer than to pass over it.

Boundary: pure functions. Stemming uses the Snowball stemmer for French.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache

import snowballstemmer


class _Simplified(dict[int, str | int | None]):
    """A table for `str.translate` that also removes combining characters, such as the accents of decomposed letters."""

    def __missing__(self, code: int) -> int | None:
        found = None if unicodedata.combining(chr(code)) else code
        if code < _LATIN_END:  # so that the table stays small whatever the texts contain
            self[code] = found
        return found


_LATIN_END = 0x2100
# Characters that neither Unicode decomposition nor case folding simplifies.
_PLAIN: dict[str, str | int | None] = {
    "đ": "d", "ð": "d", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l",
    "’": "'", "‘": "'", "ʼ": "'", "‐": "-", "–": "-", "—": "-",
    "\u00ad": None, "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None,
}  # fmt: skip
_LETTERS = _Simplified(str.maketrans(_PLAIN))
#: A word, as the search index divides texts.
WORD = re.compile(r"[^\W_]+")
# l'économie, d’Asie, qu'il: nobody searches for the elided article or conjunction.
_ELIDED = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=\w)")
_stemmer = snowballstemmer.stemmer("french")


def fold(text: str) -> str:
    """Return the folded form of a text: lower case, no accents, stems, one space between words."""
    return " ".join(words(text))


def words(text: str) -> list[str]:
    """Return the folded words of a text in order."""
    return [stem(word) for word in WORD.findall(plain(text))]


@lru_cache(maxsize=200_000)
def folded(word: str) -> tuple[str, ...]:
    """Return the folded form of one word as a tuple of words: usually one word, but `½` becomes `1` and `2`.

    The results are cached, because the words of a text are folded one by one when a snippet is made.
    """
    return tuple(words(word))


def plain(text: str) -> str:
    """Return `text` simplified by `letters`, and without elided words such as `l'` and `qu'`. Punctuation is kept."""
    return _ELIDED.sub(" ", letters(text))


def letters(text: str) -> str:
    """Return a text in lower case, without accents or invisible characters.

    Ligatures, superscripts, quotes, hyphens and dashes are replaced by plain characters.
    """
    return unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)


@lru_cache(maxsize=1 << 14)  # enough for the common words; unbounded, it would grow with every name in the news
def stem(word: str) -> str:
    """Return the stem of a word that `plain` has simplified.

    Words of fewer than 4 characters and words that contain digits are returned unchanged.
    """
    if len(word) < 4 or not word.isalpha():
        return word
    return str(_stemmer.stemWord(word))


#: The endings that the stemmer for French removes or replaces, without accents.
_ENDINGS = frozenset(
    """
    s e es ee ees x aux eaux eux euse euses if ifs ive ives ance ances ence ences ite ites able ables isme ismes iste istes
    ique iques logie logies ution utions usion usions ation ations ateur ateurs atrice atrices ement ements issement issements
    ment ments amment emment ion ions ier iere ie ies i ir is it ira irai iraient irais irait iras irent irez iriez irions irons
    iront issaient issais issait issant issante issantes issants isse issent isses issez issiez issions issons er era erai
    eraient erais erait eras erent erez eriez erions erons eront ez iez a ai aient ais ait ant ante antes ants as asse assent
    asses assiez assions
    """.split()
)


@lru_cache(maxsize=256)
def short_stems(start: str) -> tuple[str, ...]:
    """Return the stems that do not begin with `start`, although words with these stems do.

    `start` is a word that `plain` has simplified, or the start of one. For `investissem`, the stem is `invest`, and for
    `journau`, it is `journal`. Only words that end as the stemmer expects are considered.
    """
    ends = {ending[known:] for ending in _ENDINGS for known in range(len(ending) + 1) if start.endswith(ending[:known])}
    return tuple(sorted({form for end in ends if not (form := stem(start + end)).startswith(start)}))


_SURE_LENGTH = 6  # a stem of this length differs from its word only after the third character
_COMMON = (*range(0x250), *range(0x1E00, 0x1F00))  # the Latin letters of most languages, and those of Vietnamese
#: All characters outside of these blocks, except punctuation. Text in French or Vietnamese hardly has any.
_OTHERS = "\u0250-\u1dff\u1f00-\u1fff\u2070-\U0010ffff"


def beginning(stems: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds all words of a text whose folded form begins with one of the stems, and few others.

    The pattern starts with a set of characters, because the regular expression engine skips other characters five times
    faster than it could try each start of a word. A match may start within a word, at a character that separates words
    when it is folded.
    """
    variants, several, separating = _variants()
    rests: defaultdict[str, set[str]] = defaultdict(set)
    for one in stems:
        rests[one[0]].add(one[1 : 3 if len(one) >= _SURE_LENGTH else 2])
    known = [first for first in rests if first in variants]
    ways = [rf"(?<=[{several}{_OTHERS}])(?<=[^\W_])"]
    ways += [f"(?<=[{variants[first]}])(?={'|'.join(_following(rest) for rest in rests[first])})" for first in known]
    firsts = "".join(variants[first] for first in known)
    return re.compile(
        rf"[{firsts}{several}{_OTHERS}](?:(?<![^\W_].)(?:{'|'.join(ways)})|(?<=[{separating}{_OTHERS}])(?<=[^\W_]))[^\W_]*",
        re.DOTALL,
    )


def _following(rest: str) -> str:
    """Return a pattern for the next characters of a word; one that is folded to several characters ends it."""
    if not rest:
        return ""
    variants, several, _ = _variants()
    return f"(?:[{several}{_OTHERS}]|[{variants.get(rest[0], several)}]{_following(rest[1:])})"


@cache
def _variants() -> tuple[dict[str, str], str, str]:
    """Return the characters whose folded form begins with a character, those with a longer form, and those that separate.

    A character that separates is folded to a form that is not one word, such as `½`.
    """
    variants: defaultdict[str, str] = defaultdict(str)
    several = separating = ""
    for char in filter(str.isalnum, map(chr, _COMMON)):
        form = letters(char)
        variants["".join(WORD.findall(form))[0]] += char
        several += char * (len(form) > 1)
        separating += char * (not form.isalnum())
    return dict(variants), several, separating
