"""Compare dates with post ids: bound the date of an undated article, and find dates that do not fit their ids.

Boundary: pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from crawler.coverage.posts import Post
from crawler.coverage.sequence import IdClock, ordinal

#: Days by which a date may differ from the ids around it; editors schedule articles some days ahead.
_TOLERANCE = 7
#: Number of neighbouring articles in the sequence that must all contradict a date.
_WITNESSES = 3


@dataclass(frozen=True, slots=True)
class Dating:
    """A held article without a date, or with one that does not fit its id.

    The ids around it show that it was published between `after` and `before`: days in Hanoi, as `2026-01-31`, or None
    where the sequence begins or ends.
    """

    article: int
    kind: Literal["undated", "back-dated", "ahead"]
    after: str | None
    before: str | None


def check_date(post: Post, clock: IdClock) -> Dating | None:
    """Return a `Dating` if a held post has no date, or one that does not fit its id; otherwise None.

    Imported texts are not checked, because they have no place in the sequence.
    """
    if not post.held or post.id < 0 or (kind := _kind(post, clock)) is None:
        return None
    after, before = clock.around(post.id)
    return Dating(post.id, kind, _text(after), _text(before))


def _kind(post: Post, clock: IdClock) -> Literal["undated", "back-dated", "ahead"] | None:
    if post.published_on is None:
        return "undated"
    day = ordinal(post.published_on)
    if clock.later_below(post.id, day + _TOLERANCE, _WITNESSES):
        return "back-dated"
    return "ahead" if clock.earlier_above(post.id, day - _TOLERANCE, _WITNESSES) else None


def _text(day: int | None) -> str | None:
    return None if day is None else date.fromordinal(day).isoformat()
