"""`vna heal`: learn the layout of the pages that no known layout reads, from the articles that the archive holds.

Boundary: only calls other modules in the right order; `crawler.heal` learns and verifies, `layouts` adopts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from crawler import fold, urls
from crawler.clock import from_text
from crawler.errors import FetchError, NotAnArticle, NothingToLearn, UnreadableSource, WarcCorrupted
from crawler.heal import layout_file
from crawler.heal.healing import Healing, heal
from crawler.heal.places import KnownPage
from crawler.markup import Learned, Names, choose
from crawler.parse.page import metadata_article, open_page
from crawler.parser_process import discover
from crawler.pipeline.layouts import Adoption, adopt_or_keep, free_name
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import response_of
from crawler.site import NEWS_SITEMAP
from crawler.storage.layouts import DriftedPage
from crawler.types import Article, SourceForPoll

MIN_EXACT = 0.98
_MOST_HELD, _MOST_NEW = 60, 30  # pages that are used: of articles that the archive holds, and of new ones
_EXAMINED = 300  # pages in an unknown layout that are opened, at most
_LARGEST = 1_000_000  # bytes of a page that is used; an article has about 120 kB
_NOT_IN_TEXTS = ("images", "byline", "tags")  # fields that an imported text does not have
_MOMENT = timedelta(seconds=1)
_BEFORE = timedelta(days=7)  # an earlier page in an unknown layout belongs to another redesign


@dataclass(frozen=True)
class Proposal:
    """A learned layout: its name, the text of its markup file, and how exactly it reads the pages kept apart.

    `file` is where the text is stored: as an adopted layout if `adoption` is not None, otherwise as a proposal.
    """

    name: str
    text: str
    healing: Healing
    file: Path
    adoption: Adoption | None = None


def propose(run: Run, *, adopting: bool = False, least: float = MIN_EXACT, texts: Sequence[Article] = ()) -> Proposal:
    """Learn a layout and store it as a proposal; with `adopting`, adopt it if it is exact enough (at least `least`).

    `texts` contains articles that are known although the archive may not hold them, such as the seeds.

    Raises:
        NothingToLearn: no page is in an unknown layout, or the article of none of them is known.
        StopError: the archive cannot be read or written.

    """
    now = run.clock.now()
    drifted = run.archive.drifted_pages(_EXAMINED)
    if not drifted:
        raise NothingToLearn(
            "no page is in an unknown layout", "nothing needs to be done; `vna status` shows the state of the pages"
        )
    pages, rest = _known_pages(run, drifted, _Texts.of(run, texts))
    name = free_name(run, f"learned-{now:%Y-%m-%d}")
    healing = heal(pages, name, f"learned from {len(pages)} pages", now.date(), choose(run.layouts, now))
    for entry in rest:
        if healing.layout is not None and (known := _known_page(run, entry, _Texts())) is not None:
            healing.verify(known)
    if healing.layout is None or healing.earliest is None:
        raise NothingToLearn(
            _reason(drifted, pages, healing),
            "run `vna poll` until it has rechecked some articles that the archive holds",
        )
    since = _since(run, drifted, healing.earliest, is_amended=healing.base is not None)
    replaces = (healing.base.name,) if healing.base is not None else ()
    learned = Learned(since, doubtful=Names(healing.doubtful), replaces=Names(replaces))
    layout = replace(healing.layout, valid_from=since.date(), learned=learned)
    text = layout_file.write(healing, layout)
    file, adoption = adopt_or_keep(run, name, text, adopting=adopting and healing.is_adoptable(least))
    return Proposal(name, text, healing, file, adoption)


def _reason(drifted: list[DriftedPage], pages: list[KnownPage], healing: Healing) -> str:
    if not any(page.complete for page in pages):
        return f"{len(drifted)} pages are in an unknown layout, but the archive holds the article of none of them"
    reasons = "; ".join(f"{url}: {why}" for url, why in healing.unusable[:3])
    return f"the known articles are not on their pages: {reasons}"


def _since(run: Run, drifted: list[DriftedPage], earliest: datetime, *, is_amended: bool) -> datetime:
    """Return the time of the earliest page in the unknown layout, also of pages that were not used for learning.

    If a known layout still fits, new articles may have been read with it since the redesign: this was after the last check
    that found the known articles unchanged.
    """
    times = (from_text(run.archive.raw_fetched_at(entry.raw_id)) for entry in drifted)
    first = min((at for at in times if earliest - _BEFORE <= at), default=earliest)
    held = (run.archive.article(entry.page.id) for entry in drifted if is_amended and entry.is_held)
    checked = [from_text(stored.checked_at) for stored in held if stored is not None]
    return min(first, max(checked) + _MOMENT) if checked else first


@dataclass(frozen=True)
class _Texts:
    """The texts that are known without a page of the site, by folded title: imported ones by id, and others.

    `times` are the publication times that the lists of a probe state, by post id: a probe stores no sightings.
    """

    imported: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, Article] = field(default_factory=dict)
    times: Mapping[int, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, texts: Sequence[Article]) -> _Texts:
        imported = {fold.letters(title): key for key, title in run.archive.imported_titles()}
        return cls(imported, {fold.letters(text.title): text for text in texts}, dict(_probed_times(run)))

    def find(self, run: Run, title: str) -> Article | None:
        stored = run.archive.article(self.imported.get(fold.letters(title), 0))
        return stored.article if stored is not None else self.others.get(fold.letters(title))


def _probed_times(run: Run) -> Iterator[tuple[int, datetime]]:
    """Yield post ids with the publication times that the feeds and the news sitemap state which a probe has fetched."""
    for url, ref in run.archive.probed_lists():
        is_news = urls.section_path(url) == NEWS_SITEMAP.strip("/")
        if not is_news and urls.shape(url) != "feed":
            continue
        source = SourceForPoll(url, "news_sitemap" if is_news else "feed", None, "new", 0, None, None)
        with suppress(UnreadableSource, WarcCorrupted, FetchError):
            fetched = response_of(run.warc.read(ref))
            found = discover(source, fetched.content, fetched.url, run.site, fetched.fetched_at)
            yield from ((s.post_id, s.published_at) for s in found.sightings if s.post_id and s.published_at)


def _known_pages(run: Run, drifted: list[DriftedPage], texts: _Texts) -> tuple[list[KnownPage], list[DriftedPage]]:
    """Return the pages to learn from, and further pages of articles that the archive holds, only for verification."""
    left = {True: _MOST_HELD, False: _MOST_NEW}
    pages: list[KnownPage] = []
    rest: list[DriftedPage] = []
    for entry in drifted:
        if entry.is_held and left[True] == 0:
            rest.append(entry)
        elif left[entry.is_held] > 0 or texts.imported or texts.others:  # any new page may be that of a known text
            known = _known_page(run, entry, texts)
            if known is not None and left[known.complete] > 0:
                left[known.complete] -= 1
                pages.append(known)
    return pages, rest


def _known_page(run: Run, entry: DriftedPage, texts: _Texts) -> KnownPage | None:
    try:
        fetched = response_of(run.warc.read(entry.ref))
        if len(fetched.content) > _LARGEST:
            return None
        page = open_page(fetched.content, fetched.url, fetched.header("Content-Type"), fetched.fetched_at, run.site)
    except (NotAnArticle, WarcCorrupted, FetchError):
        return None
    stored = run.archive.article(entry.page.id)
    if stored is not None:
        return KnownPage(page, stored.article, unknown=() if stored.article.published_at else ("published_at",))
    hint = run.archive.published_hint(entry.page.id) or texts.times.get(entry.page.id)
    stated = _dated(metadata_article(page), hint)
    text = texts.find(run, stated.title)
    if text is not None:
        unknown = _NOT_IN_TEXTS if stated.published_at else (*_NOT_IN_TEXTS, "published_at")
        return KnownPage(page, _completed(text, stated), unknown=unknown, is_literal=False)
    return KnownPage(page, stated, complete=False) if stated.title else None


def _dated(stated: Article, hint: datetime | None) -> Article:
    """Return the article that the metadata describe, with the time that a list states if the page states none."""
    if stated.published_at is not None or hint is None:
        return stated
    return replace(stated, published_at=hint.isoformat(timespec="seconds"))


def _completed(text: Article, stated: Article) -> Article:
    """Return a known text with the fields that only the metadata of its page states."""
    return replace(text, published_at=stated.published_at, modified_at=stated.modified_at, section=stated.section)
