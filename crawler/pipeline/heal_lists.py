"""`vna heal`: learn where lists have the post ids of their stories, if no addresses of articles are on their pages.

Boundary: only calls other modules in the right order; `crawler.heal.lists` learns and verifies, `layouts` adopts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from crawler.discover.found import html_tree
from crawler.errors import FetchError, NothingToLearn, UnreadableSource, WarcCorrupted
from crawler.heal import layout_file
from crawler.heal.lists import KnownList, ListHealing, heal
from crawler.markup import Learned, list_selectors
from crawler.parse import decode
from crawler.parser_process import discover
from crawler.pipeline.layouts import Adoption, adopt_or_keep, free_name
from crawler.pipeline.run import Run
from crawler.pipeline.stored_pages import response_of
from crawler.storage.layouts import OF_LISTS, ScantyList

_LARGEST = 1_000_000  # bytes of a page that is used; the home page has about 200 kB


@dataclass(frozen=True)
class ListProposal:
    """A learned layout of lists; see `crawler.pipeline.heal.Proposal`."""

    name: str
    text: str
    healing: ListHealing
    file: Path
    adoption: Adoption | None = None


def propose_lists(run: Run, *, adopting: bool = False, least: float) -> ListProposal:
    """Learn a layout of lists and store it as a proposal; with `adopting`, adopt it if it is exact enough.

    Raises:
        NothingToLearn: no list has stopped naming articles, or no known post id is on the pages of those that have.
        StopError: the archive cannot be read or written.

    """
    scanty = run.archive.scanty_lists()
    pages = list(_known_lists(run, scanty))
    if not pages:
        raise NothingToLearn(
            "no list has stopped naming articles", "nothing needs to be done; `vna status` shows the sources"
        )
    now = run.clock.now()
    name = free_name(run, f"learned-{now:%Y-%m-%d}{OF_LISTS}")
    healing = heal(pages, name, f"learned from {len(pages)} lists", now.date())
    if healing.layout is None or healing.earliest is None:
        raise NothingToLearn(
            f"{len(pages)} lists name fewer articles than before, and no post ids are on their pages",
            "look at the pages; if their stories are loaded by a program, new articles come from feeds and sitemaps",
        )
    layout = replace(healing.layout, valid_from=healing.earliest.date(), learned=Learned(healing.earliest))
    text = layout_file.write_lists(healing, layout)
    file, adoption = adopt_or_keep(run, name, text, adopting=adopting and healing.is_adoptable(least))
    return ListProposal(name, text, healing, file, adoption)


def _known_lists(run: Run, scanty: list[ScantyList]) -> Iterator[KnownList]:
    known = run.archive.known_titles(i for entry in scanty for i in entry.listed)
    for entry in scanty:
        source = run.archive.source(entry.url)
        try:
            fetched = response_of(run.warc.read(entry.ref))
            if source is None or len(fetched.content) > _LARGEST:
                continue
            tree = html_tree(decode.decode(fetched.content).html, fetched.url)
        except (UnreadableSource, WarcCorrupted, FetchError):
            continue
        layouts = list_selectors(run.layouts, fetched.fetched_at)
        try:
            found = discover(source, fetched.content, fetched.url, run.site, fetched.fetched_at, layouts=layouts)
            linked = frozenset(seen.post_id for seen in found.sightings if seen.post_id is not None)
        except UnreadableSource:
            linked = frozenset()
        yield KnownList(fetched.url, tree, fetched.fetched_at, known, entry.listed, linked)
