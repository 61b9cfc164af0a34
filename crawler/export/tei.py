"""Write articles as a TEI corpus.

Boundary: takes articles and writes text; `crawler.tei` makes the elements.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from crawler import tei
from crawler.errors import BadInput
from crawler.types import StoredArticle

_TITLE = "Articles of the Vietnam News Agency in French"


def corpus(articles: Iterable[StoredArticle], out: IO[str], *, clean: bool = False) -> int:
    """Write a TEI corpus with one text per article, repaired ones if `clean`; return the number of articles.

    Raises:
        BadInput: there is no article: a TEI corpus has at least one text.

    """
    count = 0
    for stored in articles:
        if not count:
            out.write(tei.corpus_start(_TITLE, clean=clean))
        count += 1
        out.write(tei.element(stored, clean=clean))
    if not count:
        raise BadInput("no article is selected, and a TEI corpus has at least one", "choose other conditions")
    out.write(tei.CORPUS_END)
    return count
