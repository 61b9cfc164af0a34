"""When to request a picture again, and what a response means for the row of its address.

Boundary: pure functions.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from crawler.pictures import PictureForFetch, PictureOutcome
from crawler.schedule.conditional import Validators
from crawler.types import ErrorKind

#: Ages of the newest article that shows a picture at which the picture is requested again: it may have been replaced at the
#: same address. A picture of an older article is requested once.
_RECHECKS = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
#: Waits before the next request after a failure; then the address is given up.
_RETRIES = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
_FINAL = frozenset({ErrorKind.DISALLOWED, ErrorKind.REFUSED, ErrorKind.TOO_LARGE})
#: How long an address that was given up is left alone even by `vna backfill --images`.
_GIVEN_UP = timedelta(days=1)


def is_due(known: PictureForFetch | None, now: datetime, *, retry_given_up: bool = False) -> bool:
    """Whether to request a picture from an address; `known` is its row, None if it was never requested.

    `retry_given_up`: also request it if it was given up after failures: the configuration or the host may have changed.
    """
    if known is None:
        return True
    if known.next_due_at is not None:
        return known.next_due_at <= now
    return retry_given_up and known.state == "failed" and known.last_fetched_at + _GIVEN_UP <= now


def picture_held(
    now: datetime, published: datetime, digest: str, raw_id: int | None, received: Validators
) -> PictureOutcome:
    """Return the changes to the row of an address that gave the picture `digest`, or a 304 for it.

    `published` is when the newest article that shows the picture was published. `raw_id` is the capture, None for a 304.
    """
    due = next((published + age for age in _RECHECKS if published + age > now), None)
    return PictureOutcome(
        "held", due, raw_id=raw_id, digest=digest, etag=received.etag, last_modified=received.last_modified
    )


def picture_failed(known: PictureForFetch | None, now: datetime, error: str, kind: ErrorKind) -> PictureOutcome:
    """Return the changes to the row of an address that gave no picture; a picture that it gave before stays.

    There is no retry if the next response would be the same: the address is not allowed, or the body is too large.
    """
    failures = known.failures + 1 if known is not None else 1
    is_final = kind in _FINAL or failures > len(_RETRIES)
    return PictureOutcome(
        "held" if known is not None and known.digest is not None else "failed",
        None if is_final else now + _RETRIES[failures - 1],
        failures,
        error,
        kind,
    )
