"""Import texts in the seed format.

Boundary: only calls other modules in the right order; `parse.seedtext` reads the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from crawler import identity
from crawler.errors import BadInput
from crawler.parse import seedtext
from crawler.pipeline.articles import store_article
from crawler.pipeline.quarantine import MAX_CRASHES
from crawler.pipeline.run import Run
from crawler.purpose import Purpose, PurposeKind


@dataclass(frozen=True, slots=True)
class Imported:
    """One imported text: its id, the verdict (such as `new`) and its title."""

    key: int
    verdict: str
    title: str


def import_file(run: Run, name: str, text: str) -> list[Imported]:
    """Import all documents of one file or, if one of them cannot be read, none.

    A text that was imported before is recognised and left unchanged. A text that the archive holds as an article is
    stored separately and linked to that article as a duplicate.

    Raises:
        BadInput: a document is not in the seed format, or the file has crashed the crawler too often.

    """
    item = f"import:{name}"
    if (crashes := run.crash_marker.crashes(item)) >= MAX_CRASHES:
        run.crash_marker.clear()
        raise BadInput(f"the process crashed on this file {crashes} times", "report the bug with this file")
    with run.crash_marker.processing(item):
        return _import(run, name, text)


def _import(run: Run, name: str, text: str) -> list[Imported]:
    articles = [seedtext.read(part) for part in text.split(seedtext.SEPARATOR)]
    done: list[Imported] = []
    now = run.clock.now()
    address = f"urn:vna-import:{quote(name)}"
    purpose = str(Purpose(PurposeKind.IMPORT))
    ref = run.warc.append_text(address, now, text, purpose)
    with run.archive.transaction():
        raw_id = run.archive.add_raw(address, now, 0, ref, purpose)
        for article in articles:
            key = run.archive.import_key(identity.body_key(article)) or run.archive.next_import_key()
            verdict = store_article(run, article, now, key=key, raw_id=raw_id, source_file=name)
            done.append(Imported(key, verdict, article.title))
    return done
