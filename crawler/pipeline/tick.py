"""One poll: fetch the due sources, then the due pages, each with its pictures, then the pictures that are due again.

Boundary: only calls other modules in the right order.
"""

from __future__ import annotations

from crawler.pipeline.pages import visit_page
from crawler.pipeline.pictures import visit_due_pictures, visit_pictures_of
from crawler.pipeline.run import Run
from crawler.pipeline.sources import poll_sources


def poll_due(run: Run, *, ignore_due: bool = False) -> None:
    """Poll the sources and visit the pages that are due now, or all of them if `ignore_due` is set.

    If a stop is requested, the current page or source is finished first.

    Raises:
        StopError: the run cannot continue; finished work is stored.

    """
    poll_sources(run, ignore_due=ignore_due)
    done: set[int] = set()
    while _visit_pages(run, done, ignore_due=ignore_due):
        poll_sources(run, ignore_due=False)
    visit_due_pictures(run)


def _visit_pages(run: Run, done: set[int], *, ignore_due: bool) -> bool:
    """Visit each due page that is not in `done`. As soon as a source is due, return True, because news comes first.

    Return False if all pages were visited or a stop was requested.
    """
    due = run.archive.due_pages(run.clock.now(), ignore_due=ignore_due)
    pages = [page for page in due if page.id not in done]
    if pages:
        run.progress.phase("articles", len(pages))
    for page in pages:
        if run.stopping():
            return False
        done.add(page.id)
        run.progress.step(visit_page(run, page))
        visit_pictures_of(run, page.id)
        if run.archive.source_is_due(run.clock.now()):
            return True
    return False
