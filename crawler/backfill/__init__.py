"""Backfills: articles of the past, fetched by a stored plan.

```
open_plan  find the plan of a request, or create it with its first steps
foreground work on plans until they are done, and wait through pauses
advance    do one work item: a retry, a page of the current step, the next list, or the next id
list_page  read one list: the sitemap index, the sitemap of a month, a page of a section
id_probe   request ids that no list names
estimate   how much of a plan is done, and how much remains
pictures   without a plan: request the pictures of articles that are held
```

A plan is stored as rows, so any process can continue it, even if the previous process crashed. A list is read when the
plan comes to it, and a page that the archive holds is not fetched again. All requests share the rate limit of the host.

Boundary: only calls other modules in the right order; `crawler.plans` decides what comes next and what a response means.
"""

from crawler.backfill.advance import advance
from crawler.backfill.estimate import Obstacle, PlanFigures, estimate, obstacle, plan_figures
from crawler.backfill.foreground import ForegroundView, complete
from crawler.backfill.open_plan import OpenedPlan, find_plan, has_failures, open_plan
from crawler.backfill.work_item import WorkItem

__all__ = [
    "ForegroundView",
    "Obstacle",
    "OpenedPlan",
    "PlanFigures",
    "WorkItem",
    "advance",
    "complete",
    "estimate",
    "find_plan",
    "has_failures",
    "obstacle",
    "open_plan",
    "plan_figures",
]
