"""One page's journey and one tick's journey, as calls in order; nothing else.

```
tick:   sources due | fetch | keep | discover | sightings     (the home page names sections and feeds: they are due too)
page:   pages due   | fetch | keep | parse | repair | decide | one transaction: article, revision, index, page, next due
```
Killed anywhere, a page is done again, never twice: the evidence is on the disk before the row that points at it, and
every outcome moves the page's due time in the same transaction.

Boundary: order only. What an answer means is for `policy`, `identity` and `parse` to say.
"""

from crawler.pipeline.imports import Imported, import_file
from crawler.pipeline.pages import take_answer, visit_page
from crawler.pipeline.reparse import Reparsed, reparse
from crawler.pipeline.run import Context, Progress, Silent, guarded
from crawler.pipeline.tick import poll

__all__ = [
    "Context",
    "Imported",
    "Progress",
    "Reparsed",
    "Silent",
    "guarded",
    "import_file",
    "poll",
    "reparse",
    "take_answer",
    "visit_page",
]
