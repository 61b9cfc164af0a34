"""One tick: the sources that are due, then the pages that are due.

Boundary: order only.
"""

from __future__ import annotations

from crawler.pipeline.context import Context, recorded
from crawler.pipeline.pages import visit_page
from crawler.pipeline.sources import poll_sources
from crawler.types import RunReport


def poll(context: Context, *, ignore_due: bool = False) -> RunReport:
    """Do one tick: what is due now, or everything with `ignore_due`.

    Raises:
        StopError: the run cannot go on; what was done before it is stored.

    """
    with recorded(context, "poll"):
        poll_sources(context, ignore_due=ignore_due)
        pages = context.archive.due_pages(context.clock.now(), ignore_due=ignore_due)
        context.progress.phase("articles", len(pages))
        for page in pages:
            context.progress.step(visit_page(context, page))
    return context.report
