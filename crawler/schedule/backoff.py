"""When to try again after failures."""

from __future__ import annotations

from datetime import datetime, timedelta

_FIRST_RETRY = timedelta(minutes=5)
_LAST_RETRY = timedelta(days=7)


def retry_at(now: datetime, failures: int) -> datetime:
    """Say when to try again after so many failures in a row (1 is the first)."""
    doublings = min(failures - 1, 20)
    return now + min(_FIRST_RETRY * float(1 << doublings), _LAST_RETRY)
