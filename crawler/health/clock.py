"""Whether the system clock is right, judged by the times in the archive.

Boundary: pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

_TOLERANCE = timedelta(minutes=10)  # clocks of the site and of this machine may differ this much
_WITNESSES = 3  # articles; a single one may have been published with a date in the future


class ClockVerdict(StrEnum):
    """What the times in the archive say about the system clock."""

    RIGHT = "right"
    BEHIND = "behind"
    WAS_AHEAD = "was-ahead"


def judge(now: datetime, newest: datetime | None, published: Sequence[datetime]) -> ClockVerdict:
    """Compare the system clock with the archive.

    `newest` is the time of the newest response that the archive holds, by this machine's clock at that time.
    `published` are the newest publication times, by the clock of the site. If responses are later than `now`, the clock
    is behind now or was ahead then. The site decides: if articles were published later than `now`, the clock is behind.
    """
    limit = now + _TOLERANCE
    if newest is None or newest <= limit:
        return ClockVerdict.RIGHT
    later = sum(at > limit for at in published)
    return ClockVerdict.BEHIND if later >= _WITNESSES else ClockVerdict.WAS_AHEAD
