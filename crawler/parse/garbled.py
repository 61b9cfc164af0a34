"""Whether characters of a page were damaged in transit, for example by a proxy that converts pages between charsets.

Boundary: compares texts; what follows from it is decided by the callers.
"""

from __future__ import annotations

import re

from crawler.parse.decode import MOJIBAKE, decode
from crawler.types import Article

_LOST = "\ufffd"
_QUESTION_MARK = re.compile(r"(?<=[^\W\d_])\?(?=[a-zà-ÿ])")  # a question mark inside a word stands for a lost letter
_KEPT = re.compile(r"[a-z0-9]+", re.IGNORECASE)  # what a conversion between charsets does not change
_FEW = 3  # damaged characters that a typing error may explain


class GarbledText:
    """The damaged characters of the article on one page; `damaged` is their number."""

    def __init__(self, article: Article, content: bytes, content_type: str | None) -> None:
        """Count the damaged characters. `content` is the page, `content_type` its header.

        U+FFFD counts only if the bytes of the page have lost characters, not if the page names characters that do not
        exist, which is not a fault of the transfer.
        """
        self._text = _visible(article)
        found = _count(self._text)
        lost = self._text.count(_LOST)
        if lost and _LOST not in decode(content, content_type).text:
            found -= lost
        self.damaged = found

    def is_much(self) -> bool:
        """Whether many characters are damaged."""
        return self.damaged >= _FEW

    def is_more_than(self, earlier: Article) -> bool:
        """Whether many more characters are damaged than in the `earlier` article."""
        return self.damaged >= _count(_visible(earlier)) + _FEW

    def is_fault(self, earlier: Article | None, *, is_last: bool) -> bool:
        """Whether the page shows a fault of the transfer rather than an edit of the `earlier` article, if there is one.

        Many damaged characters beside other changes, or in a new article, are accepted at the last try (`is_last`).
        """
        if earlier is None:
            return not is_last and self.is_much()
        return self.is_only_difference_to(earlier) or (not is_last and self.is_more_than(earlier))

    def is_only_difference_to(self, earlier: Article) -> bool:
        """Whether the article is the `earlier` one with damaged characters, so that it shows no edit."""
        old = _visible(earlier)
        return self.damaged > _count(old) and _letters(self._text) == _letters(old)


def _visible(article: Article) -> str:
    captions = (image.caption or "" for image in article.images)
    return "\n".join((article.title, article.lead or "", article.text, *captions))


def _count(text: str) -> int:
    return text.count(_LOST) + len(_QUESTION_MARK.findall(text)) + len(MOJIBAKE.findall(text))


def _letters(text: str) -> str:
    """Return the characters that no conversion between charsets changes."""
    return "".join(_KEPT.findall(text))
