"""Text folding for search: remove accents, expand ligatures and superscripts, reduce words to their stems.

The search index and the queries use the same folding. So a stem need not be a real word; it only has to be the same in
the index and in a query. Accents are removed before stemming because people type `etrangeres` as often as `étrangères`.

Boundary: pure functions. Stemming uses the Snowball stemmer for French.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

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
_WORD = re.compile(r"[^\W_]+")
# l'économie, d’Asie, qu'il: nobody searches for the elided article or conjunction.
_ELIDED = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=\w)")
_stemmer = snowballstemmer.stemmer("french")


def fold(text: str) -> str:
    """Return the folded form of a text: lower case, no accents, stems, one space between words."""
    return " ".join(words(text))


def words(text: str) -> list[str]:
    """Return the folded words of a text in order."""
    return [stem(word) for word in _WORD.findall(plain(text))]


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
