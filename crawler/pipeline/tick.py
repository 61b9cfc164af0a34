"""One tick: the sources that are due, then the pages that are due.

Boundary: order only.
"""

from __future__ import annotations

from crawler.pipeline.pages import visit_page
from crawler.pipeline.run import Context, recorded
from crawler.pipeline.sources import poll_sources
from crawler.types import RunReport


def poll(context: Context, *, ignore_due: bool = False) -> RunReport:
    """Do one tick: what is due now, or everything with `ignore_due`; asked to stop, it ends after the page in hand.

    Raises:
        StopError: the run cannot go on; what was done before it is stored.

    """
    with recorded(context, "poll"):
        context.recover(context)
        poll_sources(context, ignore_due=ignore_due)
        done: set[int] = set()
        while _visit_pages(context, done, ignore_due=ignore_due):
            poll_sources(context, ignore_due=False)
    return context.report


def _visit_pages(context: Context, done: set[int], *, ignore_due: bool) -> bool:
    """Visit the pages that are due; True when a source became due meanwhile, whose news go first."""
    due = context.archive.due_pages(context.clock.now(), ignore_due=ignore_due)
    pages = [page for page in due if page.id not in done]
    context.progress.phase("articles", len(pages))
    for page in pages:
        if context.stopping():
            return False
        done.add(page.id)
        context.progress.step(visit_page(context, page), page.url)
        if context.archive.source_is_due(context.clock.now()):
            return True
    return False
