"""Text made for searching: accents off, ligatures and superscripts plain, words cut to their stems.

Index and query go through the same folding, so what matters is that both sides come out alike, not that a stem is a
word. Folding comes before stemming for that reason: people type `etrangeres` as often as `étrangères`.

Boundary: pure; the stemmer is a kept library (Snowball French).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

# what neither decomposition nor case folding makes plain
_LETTERS = str.maketrans({
    "đ": "d", "ð": "d", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l",
    "’": "'", "‘": "'", "ʼ": "'", "‐": "-", "–": "-", "—": "-",
    "\u00ad": None, "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None,
})  # fmt: skip
_WORD = re.compile(r"[^\W_]+")
# l'économie, d’Asie, qu'il: the article is no word that anybody looks for
_ELIDED = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=\w)")
_stemmer = snowballstemmer.stemmer("french")


def fold(text: str) -> str:
    """Give the folded form of a text: lower case, plain letters, stems, one space between words."""
    return " ".join(words(text))


def words(text: str) -> list[str]:
    """Give the folded words of a text in order."""
    return [stem(word) for word in _WORD.findall(plain(text))]


@lru_cache(maxsize=200_000)
def folded(word: str) -> tuple[str, ...]:
    """Give the folded words of one word; remembered, for texts that are looked through word by word."""
    return tuple(words(word))


def plain(text: str) -> str:
    """Give a text in lower case without accents and elisions, its punctuation kept."""
    return _ELIDED.sub(" ", letters(text))


def letters(text: str) -> str:
    """Give a text in lower case with plain letters and quotes, nothing else changed."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LETTERS)


@lru_cache(maxsize=1 << 14)  # the common words; a service must not grow with every name that was ever in the news
def stem(word: str) -> str:
    """Give the stem of one folded word; numbers and short words stay as they are."""
    if len(word) < 4 or not word.isalpha():
        return word
    return str(_stemmer.stemWord(word))
