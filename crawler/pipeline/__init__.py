"""The steps of a run, in the order in which they are called.

```
poll:  due sources → fetch and archive → discover → store sightings   (the home page names sections and feeds)
page:  due pages   → fetch and archive → parse → decide → repair → store
```

Each response is in the WARC before a row refers to it. What follows from one page or source is written in one
transaction, which also sets the time of the next visit. A run that is killed repeats at most its last step; nothing is
stored twice.

Boundary: only calls other modules in the right order. `schedule`, `identity` and `parse` decide what a response means.
"""

from crawler.outcome import Progress, Silent
from crawler.pipeline.clock_check import catch_up_after_wrong_clock, correct_due_times
from crawler.pipeline.fetching import Capture, FetchFailure, archive_response, fetch
from crawler.pipeline.imports import Imported, import_file
from crawler.pipeline.pages import handle_response, visit_page
from crawler.pipeline.quarantine import guarded
from crawler.pipeline.reparse import Reparsed, reparse
from crawler.pipeline.run import Run, RunSettings, recorded
from crawler.pipeline.tick import poll_due

__all__ = [
    "Capture",
    "FetchFailure",
    "Imported",
    "Progress",
    "Reparsed",
    "Run",
    "RunSettings",
    "Silent",
    "archive_response",
    "catch_up_after_wrong_clock",
    "correct_due_times",
    "fetch",
    "guarded",
    "handle_response",
    "import_file",
    "poll_due",
    "recorded",
    "reparse",
    "visit_page",
]
