"""Compare the dates of articles with their post ids, to find dates that do not fit and to bound dates that are unknown.

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
    """A held article that has no date, or a date that does not fit its id.

    The dates of the articles with the nearest ids show that it was published between `after` and `before`. Both are
    days in Hanoi, such as `2026-01-31`. `after` is None if no article with a trusted date has a lower id, and `before`
    is None if none has a higher id.
    """

    article: int
    kind: Literal["undated", "back-dated", "ahead"]
    after: str | None
    before: str | None


def check_date(post: Post, clock: IdClock) -> Dating | None:
    """Return a `Dating` if `post` is held and has no date, or a date that does not fit its id; otherwise return None.

    Imported texts are not checked, because their ids do not belong to the site's sequence of ids.
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
