"""The values that are computed from one article alone, before it is compared with others: repaired text, hashes, search text.

They do not depend on what the archive holds, so another process can compute them ahead.

Boundary: pure functions; an article and its repaired text in, values out.
"""

from __future__ import annotations

from dataclasses import dataclass

from crawler import fold, identity, similarity
from crawler.types import Article, Reading


@dataclass(frozen=True, slots=True)
class FoldedText:
    """The texts of an article as the search index has them."""

    title: str
    lead: str
    text: str


@dataclass(frozen=True, slots=True)
class ArticleValues:
    """The values of an article: `reading` is its repaired text, `hashes` are its passage hashes."""

    reading: Reading
    fingerprint: str
    body_key: str
    simhash: int
    hashes: tuple[int, ...]
    folded: FoldedText


def article_values(article: Article, reading: Reading) -> ArticleValues:
    """Return the values of an article whose repaired text is `reading`."""
    return ArticleValues(
        reading,
        identity.fingerprint(article),
        identity.body_key(article),
        identity.simhash(article.text),
        similarity.passage_hashes(similarity.compared(article, article.post_id or 0)),
        folded(article, reading),
    )


def folded(article: Article, reading: Reading) -> FoldedText:
    """Return the texts of an article for the search index."""
    return FoldedText(fold.fold(article.title), fold.fold(article.lead or ""), fold.fold(reading.clean))
