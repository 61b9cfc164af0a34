"""Retry times after failures: exponential backoff.

Boundary: pure functions.
"""

from __future__ import annotations

from datetime import datetime, timedelta

_FIRST_RETRY = timedelta(minutes=5)
_LAST_RETRY = timedelta(days=7)


def retry_at(now: datetime, failures: int) -> datetime:
    """Return when to retry after `failures` failures in a row.

    The wait is 5 minutes after the first failure and doubles with each further one, up to 7 days. It is 5 minutes too
    if there was no failure, as for an imported capture that could not be parsed.
    """
    doublings = max(0, min(failures - 1, 20))  # 2**20 * 5 minutes is ten years: a larger exponent would only overflow
    return now + min(_FIRST_RETRY * float(1 << doublings), _LAST_RETRY)
