"""The past, fetched by plan: what a plan is, how it begins, and one unit of its work at a time.

```
begin:    what is asked for | the plan that is open already, or a new one, with its first steps
advance:  retries due | a page of the step in hand | the next list, or the next id | one answer, one transaction
```
A plan is rows, so it goes on where it was, in whatever process, however the last one ended. A list is read when the
plan comes to it; a page that is held is not fetched again. Requests come out of the budget of the whole host.

Boundary: order only. What comes next and what an answer means is for `policy.plans` to say.
"""

from crawler.backfill.advance import advance
from crawler.backfill.estimate import Figures, Outlook, figures, outlook, thought_of
from crawler.backfill.open_plan import Begun, begin, find, gave_up
from crawler.backfill.work_item import Unit

__all__ = [
    "Begun",
    "Figures",
    "Outlook",
    "Unit",
    "advance",
    "begin",
    "figures",
    "find",
    "gave_up",
    "outlook",
    "thought_of",
]
