"""Adopt a learned layout: archive its file, then read the pages that it covers among those in an unknown layout.

All this is one transaction, which a rebuild repeats at the same place among the visits: so the rows come out equal.

Boundary: only calls other modules in the right order; `heal` learns and verifies layouts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from crawler import markup, schedule
from crawler.clock import from_text
from crawler.errors import ConfigError, FetchError, MarkupDrift, NotAnArticle, WarcCorrupted
from crawler.heal import layout_file
from crawler.markup import Markup
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline.articles import publication_time, save_parsed_page, store_article
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import parse_response, response_of
from crawler.purpose import Purpose, PurposeKind
from crawler.storage.layouts import address_of, is_name
from crawler.types import Article, PageForFetch, PageOutcome, RawRef


@dataclass
class Adoption:
    """An adopted layout: its name, the path of its copy, and what was read with it.

    `verdicts` counts the pages by verdict, such as `new`; `unread` is the number of pages that still cannot be read.
    """

    name: str
    file: Path
    verdicts: Counter[str] = field(default_factory=Counter)
    unread: int = 0


def adopt(run: Run, text: str) -> Adoption:
    """Adopt the layout in `text`, a markup file, and read again the pages in an unknown layout.

    A layout of lists makes the lists due that named no articles.

    Raises:
        ConfigError: the text is not a valid markup file.
        StopError: the archive cannot be written.

    """
    layout = markup.load("learned layout", text)
    if layout.learned is None or not is_name(layout.name):
        raise ConfigError(f"{layout.name!r} is not a learned layout", "copy a layout of your own to `[markups] dir`")
    purpose, now = str(Purpose(PurposeKind.LAYOUT, layout.name)), run.clock.now()
    ref = run.warc.append_text(address_of(layout.name), now, text, purpose)
    with run.archive.transaction():
        run.archive.add_raw(address_of(layout.name), now, 0, ref, purpose)
        adoption = Adoption(layout.name, run.archive.keep_layout(layout.name, text))
        if layout.lists:
            run.archive.mark_sources_due([scanty.url for scanty in run.archive.scanty_lists()], now)
        if layout.article.body:
            _read_again(run, layout, adoption)
    return adoption


def adopt_or_keep(run: Run, name: str, text: str, *, adopting: bool) -> tuple[Path, Adoption | None]:
    """Adopt a layout, or store it as a proposal; return its file and what its adoption changed."""
    if not adopting:
        return run.archive.keep_proposal(name, text), None
    adoption = adopt(run, text)
    return adoption.file, adoption


def _read_again(run: Run, layout: Markup, adoption: Adoption) -> None:
    drifted = run.archive.drifted_pages()
    run.progress.phase("stored", len(drifted))
    for page, raw_id, ref, _ in drifted:
        article = _read(run, layout, ref)
        if article is None:
            adoption.unread += 1
            run.progress.step(Outcome(OutcomeKind.STILL_UNREAD, url=page.url))
            continue
        adoption.verdicts[store_read_again(run, page, raw_id, article)] += 1
        run.progress.step(Outcome(OutcomeKind.NEWLY_READ, page.id, detail=article.title))


def _read(run: Run, layout: Markup, ref: RawRef) -> Article | None:
    try:
        article = parse_response(response_of(run.warc.read(ref)), run.layouts, run.site)
    except (NotAnArticle, MarkupDrift, WarcCorrupted, FetchError):
        return None
    return article if article.markup == layout.name else None


def store_read_again(run: Run, page: PageForFetch, raw_id: int, article: Article) -> str:
    """Store the article of a page that could not be read when it was fetched; return the verdict.

    Needs an open transaction.
    """
    at = from_text(run.archive.raw_fetched_at(raw_id))
    verdict = store_article(run, article, at, key=article.post_id or page.id, raw_id=raw_id)
    hinted = schedule.has_lastmod_hint(page)
    due = schedule.next_check(at, publication_time(article), page.first_seen_at, hinted=hinted)
    save_parsed_page(run, page, article, PageOutcome("live", due, raw_id=raw_id), at)
    return verdict


def withdraw(run: Run, layout: Markup) -> Adoption:
    """End the use of a learned layout: from now on it is tried on no page that is fetched later.

    What was read with it stays, and can be read again by a rebuild.

    Raises:
        StopError: the archive cannot be written.

    """
    assert layout.learned is not None
    ended = replace(layout, learned=replace(layout.learned, until=run.clock.now()))
    return adopt(run, layout_file.text(ended, (f"# Withdrawn at {run.clock.now():%Y-%m-%d %H:%M} UTC.",)))


def free_name(run: Run, name: str) -> str:
    """Return a name that no layout has: `name`, or else `name` with the lowest free number from 2."""
    taken = {layout.name for layout in run.layouts}
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 2))
    return next(free for free in (name, *numbered) if free not in taken)
