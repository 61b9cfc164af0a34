"""The number of words in a French text.

Boundary: pure; the only input is the text. The column `articles.word_count` holds this count of the repaired text. If
the definition changes, a new migration must recount the stored rows.
"""

from __future__ import annotations

import re
from functools import lru_cache

_APOSTROPHE = "['’‘ʼ]"
# Combining accents and invisible characters (soft hyphen, zero-width space) do not end a word.
_REST = r"[\w\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]*"
# French elides only before a vowel or h: the apostrophe of `M'nông` or `N'Djamena` belongs to the name.
_ELISION = rf"""
    (?i:[cdjlmnst] | qu | jusqu | lorsqu | puisqu | quoiqu)
    (?={_APOSTROPHE}[^\W_]) (?!{_APOSTROPHE}(?i:[b-df-gj-np-tv-xzçđ]))
"""
_WORD = re.compile(
    rf"{_ELISION} | [^\W_]{_REST} (?: (?: {_APOSTROPHE} | [-‐‑] | (?<=\d)[.,](?=\d) ) [^\W_]{_REST} )*",
    re.VERBOSE,
)
_SPACE = "[ \u00a0\u2009\u202f]"
_THOUSANDS = re.compile(rf"{_SPACE}(?=\d{{3}}(?!\d))(?<=\d.)")
_NUMBER = re.compile(rf"(?<![\w.,-])\d{{1,3}}(?:{_SPACE}\d{{3}})+(?!\d)")


def count_words(text: str) -> int:
    """Return the number of words in `text`, as a French reader counts them.

    A word is a maximal run of letters and digits, with these rules:

    - An elided word before an apostrophe is a word of its own: `l'État`, `qu'il` and `d'Hanoï` are two words each. The
      elided words are c, d, j, l, m, n, s, t, qu, jusqu, lorsqu, puisqu and quoiqu, if a vowel, h or a digit follows.
    - Any other apostrophe inside a word joins its parts: `aujourd'hui`, `presqu'île` and `H'Mông` are one word each.
    - A hyphen inside a word joins its parts: `sud-coréens`, `Covid-19` and `donne-t-il` are one word each. A dash, or a
      hyphen between spaces, separates words.
    - A point or comma between two digits joins them, and a space between groups of three digits joins the groups:
      `20.000`, `3,5` and `20 000` are one word each.
    - Punctuation, symbols and other characters separate words and are not counted: `- « 5 % »` is one word.
    """
    if _THOUSANDS.search(text):  # a cheap check: few texts have such a number
        text = _NUMBER.sub("0", text)
    return sum(map(_count_in_piece, text.split()))


@lru_cache(maxsize=1 << 14)  # words repeat: counting a text takes half the time with this cache
def _count_in_piece(piece: str) -> int:
    """Return the number of words in a piece of text without spaces."""
    return len(_WORD.findall(piece))
