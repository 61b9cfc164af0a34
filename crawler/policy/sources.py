"""When to poll a source again, and what an answer means for its row."""

from __future__ import annotations

from datetime import datetime, timedelta

from crawler.policy.retries import retry_at
from crawler.types import SourceKind, SourceOutcome

_INTERVALS: dict[SourceKind, timedelta] = {
    "news_sitemap": timedelta(minutes=15),
    "feed": timedelta(minutes=15),
    "home": timedelta(minutes=30),
    "section": timedelta(hours=1),
    "sitemap": timedelta(hours=3),
    "sitemap_index": timedelta(hours=12),
    "list": timedelta(minutes=15),
}
_ABSENT = timedelta(days=7)  # a source that is not there is asked for again so often


def source_due(now: datetime, kind: SourceKind) -> datetime:
    """Say when to poll a source again after a good answer."""
    return now + _INTERVALS[kind]


def source_failed(now: datetime, failures: int, error: str, *, absent: bool) -> SourceOutcome:
    """Give the row of a source that gave no good answer; one that is not there at all is asked for rarely."""
    due = now + _ABSENT if absent else retry_at(now, failures)
    return SourceOutcome("absent" if absent else "failing", due, error=error, failures=failures)
