"""What the ids say of dates: bounds of an undated article, and dates that do not fit their ids.

Boundary: pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from crawler.coverage.posts import Post
from crawler.coverage.sequence import Clock, ordinal

#: Days by which a date may disagree with the ids around it before it is noted: editors schedule ahead by some.
_TOLERANCE = 7
#: Articles next to it in the sequence that must all disagree with it.
_WITNESSES = 3


@dataclass(frozen=True, slots=True)
class Dating:
    """What the ids around a held article say: it was published between `after` and `before`, days in Hanoi."""

    article: int
    kind: Literal["undated", "back-dated", "ahead"]
    after: str | None
    before: str | None


def judged(post: Post, clock: Clock) -> Dating | None:
    """Give what is to be noted of a post, if anything is; imported texts have no place in the sequence."""
    if not post.held or post.id < 0 or (kind := _kind(post, clock)) is None:
        return None
    after, before = clock.around(post.id)
    return Dating(post.id, kind, _text(after), _text(before))


def _kind(post: Post, clock: Clock) -> Literal["undated", "back-dated", "ahead"] | None:
    if post.published_on is None:
        return "undated"
    day = ordinal(post.published_on)
    if clock.later_below(post.id, day + _TOLERANCE, _WITNESSES):
        return "back-dated"
    return "ahead" if clock.earlier_above(post.id, day - _TOLERANCE, _WITNESSES) else None


def _text(day: int | None) -> str | None:
    return None if day is None else date.fromordinal(day).isoformat()
