"""When to fetch a page or poll a source again, and what a response means for its row.

```
pages            recheck intervals of articles; when an article counts as removed
sources          poll intervals; what follows from a good, an empty or a failed poll
publication_rate new articles to expect in each hour of the week, learned from earlier polls
hourly_counts    the counts from which publication rates are computed
backoff          retry times after failures
conditional      when to send validators, and when not to trust them
gaps             periods in which a source may have listed articles that no poll saw
selection        which sources to poll, by configuration
```

Boundary: pure arithmetic on instants, counts and states. Random numbers are passed in as values.
"""

from crawler.schedule.backoff import retry_at
from crawler.schedule.gaps import (
    GapFound,
    MonthSitemap,
    gap_closed_by,
    gap_found,
    gap_waits_for,
    halves,
    months,
    reads_on,
    should_page_back,
)
from crawler.schedule.pages import (
    FAULT_RETRIES,
    UNREAD,
    failed,
    gone,
    has_lastmod_hint,
    leads_elsewhere,
    missed_edit,
    next_check,
    removal_reason,
    should_retry,
)
from crawler.schedule.publication_rate import (
    Arrival,
    WeekRates,
    counted_since,
    first_share,
    primary_source,
    updated_counts,
)
from crawler.schedule.selection import SourceChanges, is_excluded, list_hosts, selection_changes, sources_to_add
from crawler.schedule.sources import (
    PollBounds,
    PollResult,
    interval,
    past_month,
    pseudo_random,
    source_empty,
    source_failed,
    source_polled,
)

__all__ = [
    "FAULT_RETRIES",
    "UNREAD",
    "Arrival",
    "GapFound",
    "MonthSitemap",
    "PollBounds",
    "PollResult",
    "SourceChanges",
    "WeekRates",
    "counted_since",
    "failed",
    "first_share",
    "gap_closed_by",
    "gap_found",
    "gap_waits_for",
    "gone",
    "halves",
    "has_lastmod_hint",
    "interval",
    "is_excluded",
    "leads_elsewhere",
    "list_hosts",
    "missed_edit",
    "months",
    "next_check",
    "past_month",
    "primary_source",
    "pseudo_random",
    "reads_on",
    "removal_reason",
    "retry_at",
    "selection_changes",
    "should_page_back",
    "should_retry",
    "source_empty",
    "source_failed",
    "source_polled",
    "sources_to_add",
    "updated_counts",
]
