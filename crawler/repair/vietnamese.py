"""Recognise Vietnamese syllables, with or without diacritics, so that names that no list contains are not split.

Boundary: one regular expression; word frequencies are not used.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SYLLABLE = re.compile(
    r"""
    (?:ngh|ng|nh|ph|th|tr|ch|gh|gi|kh|qu|[bcdghklmnprstvx])?
    (?:
        (?:uye|uya|oai|oay|oao|uay|uoi|ieu|yeu|uou|uai|uyu|oeo)
      | (?:ia|ie|ya|ye|ua|uo|ue|uy|oa|oe|ai|ao|au|ay|eo|eu|iu|oi|ui|uu|[aeiouy])
    )
    (?:ch|ng|nh|[cmnpt])?
    """,
    re.VERBOSE,
)


@lru_cache(maxsize=1 << 14)
def is_syllable(word: str) -> bool:
    """Whether a word has the shape of one Vietnamese syllable: `Nguyễn`, `Nguyen`, `Phúc`, `Dông`."""
    return len(word) <= 7 and _SYLLABLE.fullmatch(fold(word)) is not None


def fold(word: str) -> str:
    """Return a word in lower case and without diacritics; `đ` becomes `d`."""
    plain = unicodedata.normalize("NFD", word.lower().replace("đ", "d"))
    return "".join(c for c in plain if not unicodedata.combining(c))
