"""Texts in the seed format, into the archive.

Boundary: order only; the format is `parse.seedtext`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from crawler import identity
from crawler.parse import seedtext
from crawler.pipeline.articles import store_article
from crawler.pipeline.run import Context


@dataclass(frozen=True, slots=True)
class Imported:
    """One text and what became of it."""

    key: int
    verdict: str
    title: str


def import_file(context: Context, name: str, text: str) -> list[Imported]:
    """Import the documents of one file, all of them or none.

    A text that was imported before is recognised and left as it is; one that the archive holds as an article is kept
    beside it and linked as a duplicate.

    Raises:
        BadInput: a document is not in the format.

    """
    articles = [seedtext.read(part) for part in text.split(seedtext.SEPARATOR)]
    done: list[Imported] = []
    now = context.clock.now()
    address = f"urn:vna-import:{quote(name)}"
    ref = context.warc.keep_text(address, now, text)
    with context.archive.transaction():
        raw_id = context.archive.add_raw(address, now, 0, ref, "import")
        for article in articles:
            key = context.archive.import_key(identity.body_key(article)) or context.archive.next_import_key()
            verdict = store_article(context, article, now, key=key, raw_id=raw_id, source_file=name)
            done.append(Imported(key, verdict, article.title))
    return done
