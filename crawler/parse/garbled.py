"""Whether characters of a page were damaged on their way, for example by a proxy that converts pages between charsets.

Boundary: compares texts; what follows from it is decided by the callers.
"""

from __future__ import annotations

import re

from crawler.parse.decode import MOJIBAKE
from crawler.types import Article

_LOST = re.compile(r"\ufffd|(?<=[^\W\d_])\?(?=[a-zà-ÿ])")  # a question mark inside a word stands for a lost letter
_KEPT = re.compile(r"[a-z0-9]+", re.IGNORECASE)  # what a conversion between charsets does not change
_FEW = 3  # damaged characters that a typing error may explain


def is_garbled(article: Article) -> bool:
    """Whether many characters of an article are damaged."""
    return _damage(_visible(article)) >= _FEW


def is_garbled_copy(article: Article, earlier: Article) -> bool:
    """Whether an article is the `earlier` one with damaged characters, so that it shows no edit."""
    new, old = _visible(article), _visible(earlier)
    return _damage(new) > _damage(old) and _letters(new) == _letters(old)


def is_more_garbled(article: Article, earlier: Article) -> bool:
    """Whether many more characters of an article are damaged than of the `earlier` one."""
    return _damage(_visible(article)) >= _damage(_visible(earlier)) + _FEW


def _visible(article: Article) -> str:
    captions = (image.caption or "" for image in article.images)
    return "\n".join((article.title, article.lead or "", article.text, *captions))


def _damage(text: str) -> int:
    """Return the number of damaged characters."""
    return len(_LOST.findall(text)) + len(MOJIBAKE.findall(text))


def _letters(text: str) -> str:
    """Return the characters that no conversion between charsets changes."""
    return "".join(_KEPT.findall(text))
