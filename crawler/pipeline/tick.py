"""One poll: the due sources, then the due pages.

Boundary: order only.
"""

from __future__ import annotations

from crawler.pipeline.pages import visit_page
from crawler.pipeline.run import Run
from crawler.pipeline.sources import poll_sources


def poll_due(run: Run, *, ignore_due: bool = False) -> None:
    """Poll what is due now, or everything with `ignore_due`. After a stop request it finishes the current page.

    Raises:
        StopError: the run cannot continue; finished work is stored.

    """
    poll_sources(run, ignore_due=ignore_due)
    done: set[int] = set()
    while _visit_pages(run, done, ignore_due=ignore_due):
        poll_sources(run, ignore_due=False)


def _visit_pages(run: Run, done: set[int], *, ignore_due: bool) -> bool:
    """Visit the due pages once each; return True as soon as a source is due, because news come first."""
    due = run.archive.due_pages(run.clock.now(), ignore_due=ignore_due)
    pages = [page for page in due if page.id not in done]
    run.progress.phase("articles", len(pages))
    for page in pages:
        if run.stopping():
            return False
        done.add(page.id)
        run.progress.step(visit_page(run, page))
        if run.archive.source_is_due(run.clock.now()):
            return True
    return False
