"""The steps of a run, as calls in order.

```
poll:  due sources → fetch and archive → discover → store sightings   (the home page names sections and feeds)
page:  due pages   → fetch and archive → parse → repair → decide → store
```
Each response is in the WARC before a row refers to it, and each page or source is one transaction that also sets the time
of its next visit. A run that is killed repeats at most its last step; nothing is stored twice.

Boundary: order only. `schedule`, `identity` and `parse` decide what a response means.
"""

from crawler.pipeline.fetching import Capture, FetchFailure, archive_response, fetch
from crawler.pipeline.imports import Imported, import_file
from crawler.pipeline.pages import handle_response, visit_page
from crawler.pipeline.quarantine import guarded
from crawler.pipeline.reparse import Reparsed, reparse
from crawler.pipeline.run import Progress, Run, RunSettings, Silent, recorded
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
    "fetch",
    "guarded",
    "handle_response",
    "import_file",
    "poll_due",
    "recorded",
    "reparse",
    "visit_page",
]
